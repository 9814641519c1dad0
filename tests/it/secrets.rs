//! Tokens that are renewed while the program works, and secrets that no output holds, whoever
//! repeats them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use callsweep::config::{self, Environment, Flags};
use callsweep::domain::{Credentials, Origin, Secret};
use callsweep::simulator::{Event, Extension, Fault, Kind, World};

use crate::desk::{Desk, Setting};
use crate::headless::{Pbx, Said, command, named, pbx};

/// As VoipNow's look, with all that is written otherwise somewhere.
const TOKEN: &str = "1|sEcr3t~t0ken/of+this=test|\"x<9>";

/// Each byte of the token, written so.
fn each(written: impl Fn(u8) -> String) -> String {
    TOKEN.bytes().map(written).collect::<Vec<_>>().concat()
}

/// Every way to write it that a service may repeat it in.
fn spellings() -> Vec<String> {
    let percent = each(|byte| format!("%{byte:02X}"));
    let entities = each(|byte| format!("&#{byte};"));
    let base64 = base64::engine::general_purpose::STANDARD;
    vec![
        TOKEN.to_owned(),
        percent,
        entities,
        base64.encode(TOKEN),
        base64.encode(format!("Bearer {TOKEN}")),
        TOKEN.replace('/', "\\/"),
        TOKEN.replace('|', "\\u007c"),
        TOKEN.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
    ]
}

/// What of the token may be seen nowhere.
fn gives_away(text: &str) -> Option<&'static str> {
    let base64 = base64::engine::general_purpose::STANDARD.encode(TOKEN);
    let parts = ["sEcr3t", "t0ken", "%73%45%63%72", "&#115;&#69;&#99;"];
    let part = parts.into_iter().find(|part| text.contains(part));
    part.or_else(|| text.contains(base64.get(8..20).unwrap()).then_some("base64"))
}

fn is_silent(what: &str, text: &str) {
    assert_eq!(gives_away(text), None, "{what}:\n{text}");
}

/// Gives a token, the one that the simulator takes from the second time on.
fn renewing(pbx: &Pbx, way: &str, first: &str) -> std::path::PathBuf {
    let file = pbx.home.path().join("token");
    fs::write(&file, first).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&file, mode).unwrap();
    let config = format!(
        "[profiles.test]\nurl = {:?}\n[profiles.test.auth]\n{way}\n",
        pbx.simulator.origin()
    );
    fs::write(pbx.home.path().join(".config/callsweep/config.toml"), config).unwrap();
    file
}

/// A command that prints the old token once, then the new one, and counts how often it ran.
fn twice(pbx: &Pbx) -> String {
    let folder = pbx.home.path().display();
    let token = pbx.simulator.token();
    let script = format!(
        "echo run >> {folder}/ran; if [ -e {folder}/once ]; then echo '{token}'; else touch \
         {folder}/once; echo old~and~revoked; fi"
    );
    format!("token_command = [\"sh\", \"-c\", {script:?}]")
}

fn runs_of_the_command(pbx: &Pbx) -> usize {
    fs::read_to_string(pbx.home.path().join("ran")).unwrap().lines().count()
}

#[test]
fn a_command_goes_on_where_the_token_was_revoked_and_its_command_prints_another() {
    let pbx = named("three-extensions-with-events");
    let fresh = |arguments: &[&str]| {
        let _ = fs::remove_file(pbx.home.path().join("once"));
        let _ = fs::remove_file(pbx.home.path().join("ran"));
        renewing(&pbx, &twice(&pbx), "");
        let said = pbx.run(arguments);
        assert_eq!(runs_of_the_command(&pbx), 2, "{arguments:?}");
        said
    };
    let said = fresh(&["check"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let before = fresh(&["list", "--format", "json"]).document();
    let said = fresh(&["delete", "--where", "ext:*", "--yes", "--format", "json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let said = fresh(&["undo", "latest", "--yes", "--format", "json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let after = pbx.run(&["list", "--format", "json"]).document();
    let count = |list: &serde_json::Value| list["events"].as_array().unwrap().len();
    assert_eq!(count(&before), count(&after));
}

#[test]
fn a_token_that_is_the_same_as_the_refused_one_is_not_tried_and_the_remedy_names_its_place() {
    let pbx = named("the-page");
    let script = format!("echo run >> {}/ran; echo wrong~token~here", pbx.home.path().display());
    renewing(&pbx, &format!("token_command = [\"sh\", \"-c\", {script:?}]"), "");
    let said = pbx.run(&["check"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out.contains("replace the token that token_command prints: \"sh …\""),
        "{}",
        said.out
    );
    assert_eq!((runs_of_the_command(&pbx), pbx.requests().len()), (2, 1));

    renewing(&pbx, "token_file = \"~/token\"", "wrong~token~here");
    let said = pbx.run(&["check"]);
    let file = pbx.home.path().join("token");
    let remedy = format!("replace the token in the file {}", file.display());
    assert!(said.out.contains(&remedy), "{}", said.out);
    let said = pbx.run(&["list"]);
    assert!(said.err.contains(&remedy), "{}", said.err);

    renewing(&pbx, "token_env = \"TOKEN\"", "");
    let said = Said::of(command(&pbx.home, "wrong~token~here", &["check"]).output().unwrap());
    let remedy = "replace the token in the environment variable TOKEN and start again";
    assert!(said.out.contains(remedy), "{}", said.out);
}

#[test]
fn why_a_token_command_failed_when_it_was_asked_once_more_is_told() {
    let pbx = named("the-page");
    let folder = pbx.home.path().display();
    let script = format!(
        "if [ -e {folder}/once ]; then echo the vault is locked >&2; exit 3; else touch \
         {folder}/once; echo old~and~revoked; fi"
    );
    renewing(&pbx, &format!("token_command = [\"sh\", \"-c\", {script:?}]"), "");
    let said = pbx.run(&["check"]);
    let told = "ended with exit code 3 (it said: the vault is locked)";
    assert!(said.code == 1 && said.out.contains(told), "{}", said.out);
}

/// A token that its origin gives anew, and how often that was asked.
fn kept(first: &str, next: Vec<String>) -> (Secret, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let again = move || {
        let place = counted.fetch_add(1, Ordering::SeqCst).min(next.len() - 1);
        Ok(Secret::new(&next[place]))
    };
    let place = "in the file token".to_owned();
    let origin = Origin::new(place, Duration::from_secs(60), Some(Box::new(again)));
    (Secret::new(first).from(origin), asked)
}

#[test]
fn on_the_screen_a_revoked_token_is_renewed_while_browsing_in_a_run_while_checking_and_in_an_undo()
{
    let next = |desk: &Desk, token: &str| {
        desk.simulator.with_world(|world| world.set_token(token));
    };
    let tokens: Vec<String> = (0..5).map(|place| format!("token~number~{place}")).collect();
    let (token, asked) = kept("token~of~before", tokens.clone());
    let setting = Setting { token: Some(token), ..Setting::default() };
    let mut desk = Desk::before_reading("three-extensions-with-events", setting);
    let there = |desk: &Desk| {
        desk.simulator
            .with_world(|world| world.extensions().map(|it| it.events.len()).sum::<usize>())
    };
    let all = there(&desk);
    // While browsing.
    next(&desk, &tokens[0]);
    desk.settle();
    desk.does_not_see("refused");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // In a run: after the first of its calls.
    desk.do_keys("Enter A d");
    desk.press("y");
    while desk.deletes().is_empty() {
        desk.perform_one();
    }
    next(&desk, &tokens[1]);
    // While checking: once nothing is left to send.
    while desk.deletes().len() < 3 {
        desk.perform_one();
    }
    next(&desk, &tokens[2]);
    desk.settle();
    desk.look();
    assert!(asked.load(Ordering::SeqCst) >= 2, "{}", desk.screen());
    let last = desk.run_file().pop().unwrap();
    assert_eq!((&last["line"], &last["refused"]), (&"finished".into(), &0.into()), "{last}");
    // In the undo.
    next(&desk, &tokens[asked.load(Ordering::SeqCst)]);
    let before = asked.load(Ordering::SeqCst);
    assert_eq!(there(&desk), all - 5);
    desk.do_keys("z y");
    assert_eq!(there(&desk), all, "{}", desk.screen());
    assert_eq!(asked.load(Ordering::SeqCst), before + 1);
}

#[test]
fn a_token_that_an_operator_writes_into_its_file_works_with_the_next_reading_and_without_a_restart()
{
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("token");
    let write = |token: &str| {
        fs::write(&file, token).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&file, mode).unwrap();
    };
    let world = World::named("three-extensions-with-events").unwrap();
    write(world.token());
    let config = "[profiles.p]\nurl = \"https://pbx.example.com\"\nauth.token_file = \"token\"\n";
    fs::write(home.path().join("config.toml"), config).unwrap();
    let flags = Flags { config: Some(home.path().join("config.toml")), ..Flags::default() };
    let profile = config::load(&flags, &Environment::of_process()).unwrap();
    let Credentials::Token(token) = profile.credentials else { panic!("no token") };
    let mut desk = Desk::of(world, Setting { token: Some(token), ..Setting::default() });
    desk.simulator.with_world(|world| world.set_token("another~token~since"));
    desk.do_keys("enter R");
    desk.sees("access_denied");
    desk.do_keys("3");
    desk.sees_wrapped("replace the token in the file");
    desk.do_keys("1");
    write("another~token~since");
    let asked = |desk: &Desk| desk.simulator.with_world(|world| world.requests().len());
    let before = asked(&desk);
    desk.do_keys("R");
    desk.sees("4 extensions found");
    // All four are read again.
    assert!(asked(&desk) > before + 5, "{}", desk.screen());
}

/// A world that repeats the token wherever a service can, in one spelling.
fn repeating(spelling: &str) -> World {
    let mut world = World::named("the-page").unwrap();
    world.set_token(TOKEN);
    let mut extension = Extension::new("0003*210", Kind::Terminal, &format!("label {spelling}"));
    for place in 0..9 {
        extension.events.push(Event {
            event_type: place % 3,
            id: format!("id{place}"),
            url: format!("https://crm.test/{place}?t={spelling}"),
            note: spelling.to_owned(),
            modified: spelling.to_owned(),
            method: 1,
            status: 1,
        });
    }
    world.insert(extension);
    let error = |code: &str, message: &str| {
        serde_json::json!({"error": {"code": code, "message": message}}).to_string()
    };
    let page = format!("<html>{}Authorization: Bearer {spelling}</html>", " ".repeat(190));
    let text = format!("{}Bearer {spelling} and more", "x".repeat(150));
    for (nth, status, body) in [
        (1, 400, error(spelling, &format!("you sent Bearer {spelling}"))),
        (2, 409, text),
        (3, 502, page),
        (4, 200, error("pce", spelling)),
        (5, 200, format!("Warning {spelling} {{\"id\": 1}}")),
        (6, 200, serde_json::json!([{"id": spelling}]).to_string()),
    ] {
        world.add_fault(Fault {
            method: Some("DELETE".to_owned()),
            nth: Some(nth),
            status: Some(status),
            body: Some(body),
            location: Some(format!("https://{spelling}/x")),
            retry_after: Some(spelling.to_owned()),
            ..Fault::default()
        });
    }
    world
}

#[test]
fn no_output_holds_the_key_or_the_secret_of_an_app_or_a_token_that_it_was_issued() {
    let (key, secret) = ("app~KeyOfThis|one", "app~s3cret/Of|this+one");
    let base64 = base64::engine::general_purpose::STANDARD.encode(format!("{key}:{secret}"));
    let form = |text: &str| text.replace('|', "%7C").replace('/', "%2F").replace('+', "%2B");
    let sent = format!(
        "client_id={}&client_secret={} / {secret} / {key} / Basic {base64}",
        form(key),
        form(secret)
    );
    let error = serde_json::json!({"error": sent, "error_description": sent}).to_string();
    for (status, path) in
        [(400, "oauth"), (401, "oauth"), (500, "oauth"), (200, "oauth"), (400, "presence")]
    {
        let mut world = World::named("the-page").unwrap();
        world.set_app(key, secret);
        world.add_fault(Fault {
            path: Some(path.to_owned()),
            status: Some(status),
            body: Some(error.clone()),
            ..Fault::default()
        });
        let pbx = pbx(world);
        renewing(&pbx, &format!("app_key = {key:?}\napp_secret_file = \"~/token\""), secret);
        for arguments in [&["check"][..], &["list"], &["list", "--format", "json"]] {
            let said = pbx.run(arguments);
            let all = format!("{}{}", said.out, said.err);
            for part in ["KeyOfThis", "s3cret", base64.get(4..16).unwrap(), "issued~"] {
                assert!(!all.contains(part), "{status} {path} {part}: {all}");
            }
        }
    }
}

/// Everything below a folder that is a file, but for the lines that are kept letter by letter.
fn written(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            written(&path, found);
        } else {
            for line in fs::read_to_string(&path).unwrap().lines() {
                if !line.contains("\"line\":\"event\"") && !line.contains("\"line\":\"bystander\"")
                {
                    writeln!(found, "{line}").unwrap();
                }
            }
        }
    }
}

#[test]
fn no_output_of_a_command_and_no_line_of_a_run_file_holds_a_token_that_the_service_repeats() {
    for spelling in spellings() {
        let pbx = pbx(repeating(&spelling));
        for arguments in [
            &["list"][..],
            &["list", "--format", "json"],
            &["list", "--format", "csv"],
            &["check"],
            &["delete", "--where", "ext:*", "--dry-run"],
            &["delete", "--where", "ext:*", "--yes"],
            &["delete", "--where", "ext:*", "--yes", "--format", "json"],
            &["runs"],
            &["undo", "latest", "--yes", "--format", "json"],
        ] {
            let said = pbx.run(arguments);
            is_silent(
                &format!("{arguments:?} of {spelling}"),
                &format!("{}{}", said.out, said.err),
            );
        }
        let mut lines = String::new();
        written(&pbx.home.path().join(".local/state"), &mut lines);
        assert!(lines.contains("[redacted]"), "{lines}");
        for line in lines.lines() {
            is_silent("run files", line);
        }
    }
}

#[test]
fn no_refusal_of_a_question_gives_the_token_away() {
    for (spelling, status) in spellings().into_iter().zip([301, 400, 401, 403, 404, 429, 500, 503])
    {
        for body in [
            serde_json::json!({"error": {"code": &spelling, "message": &spelling}}).to_string(),
            serde_json::json!({"error": &spelling}).to_string(),
            format!("<html>{spelling}"),
            format!("{} {spelling}", "y".repeat(190)),
            format!(
                "<e:Envelope xmlns:e=\"e\"><e:Body><e:Fault><faultcode>{0}</faultcode>\
                 <faultstring>{0}</faultstring></e:Fault></e:Body></e:Envelope>",
                spelling.replace('<', "&lt;")
            ),
        ] {
            let mut world = World::named("the-page").unwrap();
            world.set_token(TOKEN);
            world.add_fault(Fault {
                status: Some(status),
                body: Some(body),
                location: Some(format!("https://{spelling}.test/{spelling}")),
                ..Fault::default()
            });
            let pbx = pbx(world);
            let said = pbx.run(&["check"]);
            is_silent(&format!("{status} {spelling}"), &format!("{}{}", said.out, said.err));
        }
    }
}

#[test]
fn no_screen_holds_a_token_that_the_service_repeats() {
    for spelling in spellings() {
        let mut desk = Desk::of(repeating(&spelling), Setting::default());
        let mut seen = String::new();
        for keys in
            ["Enter", "5", "A d", "v", "y", "3", "3 Enter", "Esc", "j Enter", "W", "Enter", "z"]
        {
            desk.do_keys(keys);
            seen.push_str(&desk.screen());
        }
        is_silent(&spelling, &seen);
        assert!(seen.contains("d]"), "{seen}");
    }
}
