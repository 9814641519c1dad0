//! The commands without the screen, as the real binary against a simulator: what stands on
//! standard output, what is said beside it, and the exit code.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use callsweep::simulator::{Extension, Fault, Kind, Refusal, Simulator, World};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) struct Pbx {
    pub(crate) simulator: Simulator,
    pub(crate) home: TempDir,
}

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn pbx(world: World) -> Pbx {
    let simulator = Simulator::start(world, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let home = tempfile::tempdir().unwrap();
    configure(&home, &simulator.origin(), "");
    Pbx { simulator, home }
}

pub(crate) fn configure(home: &TempDir, origin: &str, more: &str) {
    let folder = home.path().join(".config/callsweep");
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "[profiles.test]\nurl = {origin:?}\n{more}\n[profiles.test.auth]\ntoken_env = \"TOKEN\"\n"
    );
    std::fs::write(folder.join("config.toml"), text).unwrap();
}

pub(crate) fn command(home: &TempDir, token: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
    command.args(arguments).env_clear().env("HOME", home.path()).env("TOKEN", token);
    command.env("CALLSWEEP_TEST_SPEED", "20");
    command.stdin(Stdio::null());
    command
}

fn run(home: &TempDir, token: &str, arguments: &[&str]) -> Said {
    Said::of(command(home, token, arguments).output().unwrap())
}

impl Pbx {
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        run(&self.home, &self.simulator.token(), arguments)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.simulator.with_world(|world| {
            world.requests().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
        })
    }
}

impl Said {
    pub(crate) fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }

    fn ids(&self) -> Vec<String> {
        let document = self.document();
        let events = document["events"].as_array().unwrap();
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn named(name: &str) -> Pbx {
    pbx(World::named(name).unwrap())
}

/// Extensions 100 and up, of which some refuse to be listed.
pub(crate) fn refusing(all: usize, refuses: impl Fn(usize) -> bool) -> Pbx {
    let tables = (0..all).map(|place| {
        let refusal = if refuses(place) { "refuse_list = \"pce_access_denied\"\n" } else { "" };
        format!(
            "[[extensions]]\nnumber = \"{}\"\n{refusal}[[extensions.events]]\ntype = 7\n\
             id = \"id{place}\"\nmethod = 5\nstatus = 9\nurl = \"http://a.test\"\n",
            100 + place
        )
    });
    let tables: Vec<_> = tables.collect();
    let text = format!("name = \"n\"\ntoken = \"t\"\n{}", tables.concat());
    pbx(World::scenario(&text).unwrap())
}

#[test]
fn list_prints_the_pages_three_events_field_by_field() {
    let said = named("the-page").run(&["list", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let event = |number: u8, name: &str, id: &str, method: &str, url: &str| {
        json!({
            "extension": "0003*210", "label": "", "kind": "phone", "owner": null, "type": number,
            "type_name": name, "id": id, "method": method, "url": url,
        })
    };
    let mut events = [
        event(
            0,
            "dial-in",
            "NqeyDRqo4FtabmFj8gNWq3hsiGNYyq",
            "POST",
            "https://crm.acme.test/in?src=pbx&ext=0003%2A210",
        ),
        event(
            1,
            "dial-out",
            "Asds2qw2frtabmFj8gNWq3hsiGNYyq",
            "GET",
            "https://calllog.acme.test/log?what=dialled%20out",
        ),
        event(
            2,
            "hangup",
            "GOp2s68AfgtabmFj8gNWq3hsiGNYyq",
            "POST",
            "http://crm-old.acme.test/hangup",
        ),
    ];
    let rest = [
        ("enabled", "CRM", "2012-07-10T18:16:12+03:00"),
        ("enabled", "call log", "2019-02-28T09:00:00Z"),
        ("disabled", "", "2014-11-03T11:45:30+02:00"),
    ];
    for (event, (status, note, modified)) in events.iter_mut().zip(rest) {
        event["status"] = status.into();
        event["note"] = note.into();
        event["modified"] = modified.into();
    }
    let extension = json!({
        "extension": "0003*210", "label": "", "kind": "phone", "owner": null, "owner_name": null, "events": 3,
        "complete": true, "failure": null,
    });
    let whole = json!({"events": events, "extensions": [extension], "complete": true});
    assert_eq!(said.document(), whole);
    assert!(said.err.contains("3 events of 1 extension\n"), "{}", said.err);
}

#[test]
fn csv_has_a_header_and_a_record_an_event() {
    let said = named("the-page").run(&["list", "--format", "csv"]);
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines.len(), 4);
    let columns = "extension,label,kind,owner,type,type_name,id,method,url,status,note,modified";
    assert_eq!(lines[0], columns);
    assert_eq!(
        lines[2],
        "0003*210,,phone,,1,dial-out,Asds2qw2frtabmFj8gNWq3hsiGNYyq,GET,\
         https://calllog.acme.test/log?what=dialled%20out,enabled,call log,2019-02-28T09:00:00Z"
    );
}

#[test]
fn the_table_is_aligned_and_a_row_an_event() {
    let said = named("the-page").run(&["list"]);
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", said.out);
    let column = lines[0].find("URL").unwrap();
    assert!(lines[1..].iter().all(|line| line.find("http") == Some(column)), "{}", said.out);
}

#[test]
fn types_are_chosen_by_name_or_number_and_a_wrong_one_is_a_usage_error() {
    let pbx = named("the-page");
    let list = |more: &[&str]| pbx.run(&[&["list", "--format", "json"], more].concat());
    assert_eq!(list(&["--type", "Hangup"]).ids(), ["GOp2s68AfgtabmFj8gNWq3hsiGNYyq"]);
    assert_eq!(list(&["--type", "0", "--type", "dial-out"]).ids().len(), 2);
    assert_eq!(list(&["--type", "answer-incoming"]).ids().len(), 0);
    for wrong in ["+1", "", "70000", "ring"] {
        let said = list(&["--type", wrong]);
        assert_eq!((said.code, said.ids()), (2, Vec::new()), "{wrong:?}");
        assert!(said.document()["error"].to_string().contains("answer-outgoing"), "{}", said.out);
        assert!(said.err.contains("answer-outgoing"), "{}", said.err);
    }
}

#[test]
fn a_named_extension_alone_is_asked_for_and_without_one_all_are() {
    let pbx = named("three-extensions-with-events");
    let all = pbx.run(&["list", "--format", "json"]).document();
    assert!(all["extensions"].as_array().unwrap().len() > 1);
    let number = all["extensions"][1]["extension"].as_str().unwrap().to_owned();
    pbx.simulator.with_world(World::forget_requests);
    let one = pbx.run(&["list", "--extension", &number, "--format", "json"]);
    assert_eq!(one.code, 0);
    let one = one.document();
    assert_eq!(one["extensions"].as_array().unwrap().len(), 1);
    assert_eq!(one["extensions"][0]["extension"], number.as_str());
    assert_eq!(one["extensions"][0]["kind"], Value::Null);
    let requests = pbx.requests();
    assert!(requests.iter().all(|request| request.contains(&number)), "{requests:?}");
    let said = pbx.run(&["list", "--extension", "@self"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
}

#[test]
fn an_extension_that_refuses_leaves_the_list_in_part_with_its_words() {
    let said = refusing(3, |place| place == 1).run(&["list", "--format", "json"]);
    assert_eq!(said.code, 3);
    let document = said.document();
    assert_eq!(document["complete"], false);
    assert_eq!(said.ids(), ["id0", "id2"]);
    let numbers = [0, 1, 2].map(|place| document["extensions"][place]["extension"].clone());
    assert_eq!(numbers, ["100", "101", "102"]);
    let refused = &document["extensions"][1];
    assert_eq!((&refused["complete"], &refused["events"]), (&json!(false), &json!(0)));
    assert_eq!(refused["failure"]["code"], "pce_access_denied");
    assert!(refused["failure"]["http_status"].is_number());
    assert!(!refused["failure"]["message"].as_str().unwrap().is_empty());
    assert_eq!(document["extensions"][0]["failure"], Value::Null);
    assert!(said.err.contains("1 extension could not be read: 101"), "{}", said.err);
}

#[test]
fn values_that_nobody_documented_come_as_the_service_wrote_them() {
    let document = refusing(1, |_| false).run(&["list", "--format", "json"]).document();
    let event = &document["events"][0];
    assert_eq!((&event["type"], &event["type_name"]), (&json!(7), &json!("unknown")));
    assert_eq!((&event["method"], &event["status"]), (&json!("5"), &json!("9")));
}

#[test]
fn after_five_failures_in_a_row_no_more_is_asked() {
    let pbx = refusing(30, |_| true);
    let said = pbx.run(&["list", "--format", "json"]);
    assert_eq!(said.code, 1);
    let listings = pbx.requests().iter().filter(|one| one.contains("phoneCallEvents")).count();
    // Four are in flight at once, and the first ones are asked for as another user too.
    assert!((5..=9).contains(&listings), "{listings}");
    let document = said.document();
    assert_eq!(document["extensions"].as_array().unwrap().len(), 30);
    let last = &document["extensions"][29]["failure"];
    assert!(last["message"].as_str().unwrap().starts_with("not asked"), "{last}");
    assert_eq!((&last["code"], &last["http_status"]), (&Value::Null, &Value::Null));
}

#[test]
fn failures_with_successes_between_them_stop_nothing() {
    let pbx = refusing(30, |place| place % 5 == 0);
    let said = pbx.run(&["list", "--format", "json"]);
    assert_eq!((said.code, said.ids().len()), (3, 24));
}

#[test]
fn where_presence_refuses_the_list_of_named_extensions_is_in_part() {
    let pbx = named("the-page");
    let refusal = Fault {
        path: Some("presence".to_owned()),
        status: Some(400),
        code: Some("presence_denied".to_owned()),
        ..Fault::default()
    };
    pbx.simulator.with_world(|world| world.add_fault(refusal));
    configure(&pbx.home, &pbx.simulator.origin(), "extensions = [\"0003*210\"]");
    let said = pbx.run(&["list", "--format", "json"]);
    assert_eq!((said.code, said.ids().len()), (3, 3));
    assert_eq!(said.document()["complete"], false);
}

#[test]
fn nothing_to_reach_is_one_clear_sentence() {
    let home = tempfile::tempdir().unwrap();
    configure(&home, "http://127.0.0.1:1", "");
    let said = run(&home, "t", &["list"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert!(said.err.contains("127.0.0.1:1 refused the connection"), "{}", said.err);
    let said = run(&home, "t", &["list", "--format", "json"]);
    assert_eq!(said.document(), json!({"events": [], "extensions": [], "complete": false}));
}

#[test]
fn text_that_could_act_on_a_terminal_reaches_programs_whole_and_people_cleaned() {
    let text = "name = \"n\"\ntoken = \"t\"\n[[extensions]]\nnumber = \"100\"\n\
                [[extensions.events]]\ntype = 0\nid = \"a\"\nurl = \"http://a.test/\\u202Ex\"\n\
                note = \"a\\u001B[2J, \\\"b\\\"\\u009B31m\\nc\"\n";
    let pbx = pbx(World::scenario(text).unwrap());
    let raw = "a\u{1b}[2J, \"b\"\u{9b}31m\nc";
    let table = pbx.run(&["list"]).out;
    assert_eq!(table.lines().count(), 2, "{table:?}");
    assert!(table.contains("a␛[2J, \"b\"<009B>31m␊c") && !table.contains('\u{1b}'), "{table:?}");
    let json = pbx.run(&["list", "--format", "json"]);
    assert!(!json.out.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'));
    assert_eq!(json.document()["events"][0]["note"], raw);
    assert_eq!(json.document()["events"][0]["url"], "http://a.test/\u{202e}x");
    let csv = pbx.run(&["list", "--format", "csv"]).out;
    assert!(csv.contains("\"a\u{1b}[2J, \"\"b\"\"\u{9b}31m\nc\""), "{csv:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let home = tempfile::tempdir().unwrap();
    for format in ["table", "json", "csv"] {
        let mut child = command(&home, "", &["--demo", "list", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("cannot be written") && !said.contains("panicked"), "{said}");
        assert_eq!(output.status.code(), Some(0), "{format}: {said}");
    }
}

#[test]
fn the_demo_lists_and_checks_without_a_configuration_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let said = run(&home, "", &["list", "--demo", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.ids().len() > 100);
    assert_eq!(run(&home, "", &["check", "--demo"]).code, 0);
    assert_eq!(run(&home, "", &["list", "--demo", "--profile", "x"]).code, 2);
    assert_eq!(run(&home, "", &["--demo", "list", "--config", "x"]).code, 2);
    assert_eq!(run(&home, "", &["--demo", "list", "--url", "https://x.test"]).code, 2);
    assert!(std::fs::read_dir(home.path()).unwrap().next().is_none());
    let file = home.path().join("kept.jsonl");
    let said = run(&home, "", &["--demo", "backup", file.to_str().unwrap(), "--where=ext:*"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!said.err.contains("callsweep undo"), "{}", said.err);
}

#[test]
fn a_device_that_never_ends_is_no_scenario_and_no_list_of_numbers() {
    let pbx = named("the-page");
    let said = pbx.run(&["simulator", "--scenario=/dev/zero"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("larger than 8 MiB"), "{}", said.err);
    configure(&pbx.home, &pbx.simulator.origin(), "extensions_file = \"/dev/zero\"");
    let said = pbx.run(&["list"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("larger than 8 MiB"), "{}", said.err);
}

/// Runs without a configuration, with the token in its own variable.
fn with_url(pbx: &Pbx, arguments: &[&str]) -> Said {
    let home = tempfile::tempdir().unwrap();
    let (origin, token) = (pbx.simulator.origin(), pbx.simulator.token());
    let arguments = [&["--url", &origin], arguments].concat();
    let mut command = command(&home, "", &arguments);
    Said::of(command.env("CALLSWEEP_TOKEN", token).output().unwrap())
}

#[test]
fn with_an_address_alone_every_command_works_and_a_run_is_named_after_the_host() {
    let pbx = named("the-page");
    let said = with_url(&pbx, &["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (0, "✓✓✓-✓✓✓"), "{}", said.out);
    let asked = pbx.requests();
    assert!(asked.iter().all(|asked| asked.starts_with("GET")), "{asked:?}");
    assert_eq!(with_url(&pbx, &["list", "--format", "json"]).ids().len(), 3);
    let said = with_url(&pbx, &["delete", "--where", "type:hangup", "--yes", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let run = said.document()["run"].as_str().unwrap().to_owned();
    assert!(run.ends_with("Z-127-0-0-1"), "{run}");
}

#[test]
fn with_an_address_alone_the_users_of_an_organisation_are_asked_for_where_presence_shows_no_phone()
{
    let pbx = named("an-organisation-by-id");
    let said = with_url(&pbx, &["list", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let document = said.document();
    assert!(document["extensions"].as_array().unwrap().iter().all(|one| !one["owner"].is_null()));
    assert!(!said.ids().is_empty());
}

/// The mark of every step.
fn marks(said: &Said) -> String {
    said.out.lines().filter_map(|line| line.chars().next()).collect()
}

#[test]
fn check_says_every_step_with_two_questions_and_their_ends() {
    let pbx = named("the-page");
    let said = pbx.run(&["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (0, "✓✓✓-✓✓✓"), "{}", said.out);
    assert!(said.out.contains("0003*210 has 3 events, as @me\n"), "{}", said.out);
    let discovery = "✓ discovery      1 extension (presence: 1 phone); to see queues, ";
    assert!(said.out.contains(discovery), "{}", said.out);
    let may = "user @me; may delete up to 10000 events at once, wide calls: extension\n";
    assert!(said.out.contains(may), "{}", said.out);
    assert_eq!(pbx.requests().len(), 4, "{:?}", pbx.requests());
}

#[test]
fn check_stops_at_a_wrong_token_after_one_question() {
    let pbx = named("the-page");
    let said = run(&pbx.home, "wrong", &["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (1, "✓✓✓-✗--"), "{}", said.out);
    let token = said.out.lines().nth(4).unwrap();
    assert!(
        token.starts_with("✗ token")
            && token.contains("  → replace the token in the environment variable TOKEN"),
        "{token}"
    );
    assert!(said.out.ends_with("- listing        not tried\n"), "{}", said.out);
    assert_eq!(pbx.requests().len(), 1);
    assert!(!said.out.contains("wrong\""), "{}", said.out);
}

#[test]
fn check_names_the_step_that_fails() {
    let home = tempfile::tempdir().unwrap();
    let said = run(&home, "t", &["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (2, "✗------"), "{}", said.out);
    configure(&home, "http://127.0.0.1:1", "");
    let said = run(&home, "t", &["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (1, "✓✓✗----"), "{}", said.out);
    configure(&home, "https://no-such-host.invalid", "");
    let said = run(&home, "t", &["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (1, "✓✗-----"), "{}", said.out);
    let pbx = named("the-page");
    configure(&home, &pbx.simulator.origin().replace("http:", "https:"), "");
    let said = run(&home, "t", &["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (1, "✓✓✓✗---"), "{}", said.out);
    let refusing = refusing(1, |_| true);
    let said = refusing.run(&["check"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(marks(&said).ends_with("✓✓✗"), "{}", said.out);
}

#[test]
fn check_tells_who_was_seen_by_which_source_who_is_let_in_and_what_may_be_deleted() {
    let pbx = named("an-organisation-by-id");
    let more = "discover = [\"presence\", \"system_api\"]\nwide_calls = []\nprotected = true\n\
                max_delete = 5";
    configure(&pbx.home, &pbx.simulator.origin(), more);
    let said = pbx.run(&["check"]);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(said.out.contains("system_api: ") && said.out.contains(" users)"), "{}", said.out);
    assert!(said.out.contains("may delete up to 5 events at once, wide calls: none, the number"));
    let listing = said.out.lines().last().unwrap();
    assert!(listing.contains(" events, as 10"), "{listing}");
    let said = pbx.run(&["check", "--read-only"]);
    assert!(said.out.contains("read-only: nothing can be deleted"), "{}", said.out);
}

#[test]
fn check_without_presence_asks_the_first_named_extension() {
    let pbx = named("the-page");
    let origin = pbx.simulator.origin();
    configure(&pbx.home, &origin, "discover = []\nextensions = [\"0003*210\"]");
    let said = pbx.run(&["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (0, "✓✓✓-✓-✓"), "{}", said.out);
    assert_eq!(pbx.requests().len(), 2);
    let said = run(&pbx.home, "wrong", &["check"]);
    assert_eq!((said.code, marks(&said).as_str()), (1, "✓✓✓-✗--"), "{}", said.out);
    configure(&pbx.home, &origin, "discover = []");
    assert_eq!(pbx.run(&["check"]).code, 2);
}

#[test]
fn many_dead_extensions_asked_for_all_at_once_never_wake_an_address_blocker() {
    let mut world = World::named("an-address-blocker-watches").unwrap();
    for phone in 0..300 {
        let mut extension = Extension::new(&format!("0009*{phone:03}"), Kind::Terminal, "");
        extension.refuse_list = (phone % 2 > 0).then_some(Refusal::ExtensionInvalid);
        world.insert(extension);
    }
    let pbx = pbx(world);
    configure(&pbx.home, &pbx.simulator.origin(), "concurrency = 64");
    let said = pbx.run(&["list", "--format", "json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("10 requests failed within a minute"), "{}", said.err);
    pbx.simulator.with_world(|world| {
        assert!(!world.blocked() && world.blocker_peak() < 20, "{}", world.blocker_peak());
    });
}

#[test]
fn a_deletion_in_the_demo_is_in_nobodys_runs_and_leaves_nothing_behind() {
    let (home, passing) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = passing.path();
    let mut command = command(&home, "", &["--demo", "delete", "--extension=0003*100", "--yes"]);
    let said = Said::of(command.env("TMPDIR", folder).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let kept = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().count();
    assert_eq!((kept(home.path()), kept(folder)), (0, 0));
}
