//! The budget of failures that all processes and starts share: real processes against the simulator
//! with its address blocker, at the real figures, and the file that they share.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use callsweep::simulator::{Blocker, Extension, Fault, Kind, Refusal, World};
use serde_json::{Value, json};

use crate::headless::{Pbx, Said, command, configure, named, pbx};
use crate::session::{PATIENCE, Session, until};

const WATCHED: &str = "an-address-blocker-watches";
/// What it says that it does not ask yet.
const WAITS: &str = "as too many requests failed within a minute";

/// How a start ended, or that it says that it waits: then it is ended.
fn started(pbx: &Pbx, token: &str, arguments: &[&str]) -> String {
    let mut command = command(&pbx.home, token, arguments);
    command.env_remove("CALLSWEEP_TEST_SPEED").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut start = command.spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(start.stderr.take().unwrap()).lines() {
        said += &line.unwrap();
        if said.contains(WAITS) {
            start.kill().unwrap();
        }
    }
    start.wait().unwrap();
    said
}

fn phones(world: &mut World, count: usize, refusal: impl Fn(usize) -> Option<Refusal>) {
    for phone in 0..count {
        let mut extension = Extension::new(&format!("0009*{phone:03}"), Kind::Terminal, "");
        extension.refuse_list = refusal(phone);
        world.insert(extension);
    }
}

/// Ten starts within a minute, whatever they are, never wake the blocker. How many of them waited.
fn ten_starts(pbx: &Pbx, tokens: &[&str], arguments: &[&[&str]]) -> usize {
    let begun = Instant::now();
    let mut waited = 0;
    for start in 0..10 {
        let token = tokens[start % tokens.len()];
        let said = started(pbx, token, arguments[start % arguments.len()]);
        waited += usize::from(said.contains(WAITS));
        pbx.simulator.with_world(|world| {
            assert!(!world.blocked() && world.blocker_peak() <= 16, "{}", world.blocker_peak());
        });
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "that was no minute");
    waited
}

const LIST: &[&str] = &["list"];
const CHECK: &[&str] = &["check"];
const DELETE: &[&str] = &["delete", "--where", "type:0", "--yes"];

#[test]
fn ten_starts_on_dead_extensions_leave_the_blocker_asleep() {
    let pbx = named(WATCHED);
    configure(&pbx.home, &pbx.simulator.origin(), "concurrency = 16");
    pbx.simulator.with_world(|world| phones(world, 60, |_| Some(Refusal::ExtensionInvalid)));
    let token = pbx.simulator.token();
    assert!(ten_starts(&pbx, &[&token], &[LIST, DELETE]) >= 7);
}

#[test]
fn ten_starts_with_a_wrong_token_leave_the_blocker_asleep() {
    let pbx = named(WATCHED);
    assert_eq!(ten_starts(&pbx, &["wrong"], &[LIST, CHECK, DELETE]), 0, "ten requests may fail");
    assert!(started(&pbx, "wrong", LIST).contains(WAITS));
}

#[test]
fn ten_starts_as_a_wrong_user_leave_the_blocker_asleep() {
    let pbx = named(WATCHED);
    let more = "user = \"9999\"\nextensions = [\"0003*210\", \"0003*211\"]\nconcurrency = 16";
    configure(&pbx.home, &pbx.simulator.origin(), more);
    let token = pbx.simulator.token();
    assert!(ten_starts(&pbx, &[&token], &[CHECK, LIST]) > 0);
}

#[test]
fn ten_starts_with_all_that_may_be_wrong_leave_the_blocker_asleep() {
    let pbx = named(WATCHED);
    configure(&pbx.home, &pbx.simulator.origin(), "concurrency = 8");
    let dead = |phone| (phone % 3 == 0).then_some(Refusal::ExtensionInvalid);
    pbx.simulator.with_world(|world| phones(world, 60, dead));
    let token = pbx.simulator.token();
    let undo: &[&str] = &["undo", "latest", "--yes"];
    let resume: &[&str] = &["resume", "latest", "--yes"];
    assert!(ten_starts(&pbx, &[&token, "wrong"], &[LIST, CHECK, undo, DELETE, resume]) > 0);
}

fn book(pbx: &Pbx) -> PathBuf {
    // The first 16 digits of the hash of 127.0.0.1.
    pbx.home.path().join(".local/state/callsweep/origins/12ca17b49af22894.json")
}

fn page(pbx: &Pbx) -> Value {
    serde_json::from_str(&fs::read_to_string(book(pbx)).unwrap()).unwrap()
}

fn write(pbx: &Pbx, page: &Value) {
    fs::create_dir_all(book(pbx).parent().unwrap()).unwrap();
    fs::write(book(pbx), page.to_string()).unwrap();
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

fn failed(at: &[u64]) -> Value {
    json!({"schema": 1, "host": "127.0.0.1", "failed": at, "out": []})
}

/// Failed, and slots of those that are out.
fn counts(page: &Value) -> (usize, u64) {
    let out = page["out"].as_array().unwrap().iter();
    (page["failed"].as_array().unwrap().len(), out.map(|out| out["slots"].as_u64().unwrap()).sum())
}

#[test]
fn the_budget_lies_beside_the_lock_for_its_owner_alone_and_only_questions_count() {
    let pbx = named("the-page");
    let deleted = pbx.run(&["delete", "--extension=0003*210", "--yes"]);
    assert_eq!(deleted.code, 0, "{}", deleted.err);
    assert_eq!(page(&pbx), failed(&[]));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&book(&pbx)), mode(book(&pbx).parent().unwrap())), (0o600, 0o700));
    assert_eq!(pbx.run(&["undo", "latest", "--yes"]).code, 0);
    pbx.simulator.with_world(|world| {
        let (method, status) = (Some("DELETE".to_owned()), Some(400));
        world.add_fault(Fault { method, status, ..Fault::default() });
    });
    let refused = pbx.run(&["delete", "--extension=0003*210", "--yes"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert_eq!(page(&pbx), failed(&[]), "a DELETE that is refused does not count");
    pbx.simulator.with_world(World::clear_faults);
    assert_eq!(pbx.run(&["delete", "--extension=0009*404", "--yes"]).code, 2);
    assert_eq!(counts(&page(&pbx)), (2, 0), "as @me, and as @owner");
}

#[test]
fn a_start_that_would_go_over_says_how_long_it_waits_and_goes_on() {
    let pbx = named("the-page");
    // At the speed of tests a failure counts for 3.25 s.
    write(&pbx, &failed(&[now(); 10]));
    let begun = Instant::now();
    let said = pbx.run(&["list"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains(" s, ") && said.err.contains(WAITS), "{}", said.err);
    let took = begun.elapsed();
    assert!((Duration::from_secs(2)..PATIENCE).contains(&took), "{took:?}");
    let old = now() - 3_300;
    write(&pbx, &failed(&[old; 16]));
    let said = pbx.run(&["list"]);
    assert!(said.code == 0 && !said.err.contains("waiting"), "{}", said.err);
}

#[test]
fn the_screen_counts_the_seconds_of_its_wait_and_then_shows_what_there_is() {
    let pbx = named("the-page");
    write(&pbx, &failed(&[now(); 10]));
    let token = pbx.simulator.token();
    let environment = [("TOKEN", token.as_str()), ("CALLSWEEP_TEST_SPEED", "20")];
    let mut session = Session::start(pbx.home.path(), &[], &environment);
    session.sees("waiting 2 s, as too many requests failed");
    session.sees("waiting 1 s, as too many requests failed");
    assert!(pbx.requests().is_empty());
    session.sees("0003*210");
}

#[test]
fn what_lies_ahead_counts_as_now_and_what_cannot_be_read_as_ten_failures() {
    for text in [failed(&[now() + 999_999_999; 10]).to_string(), "{\"schema\":".to_owned()] {
        let pbx = named("the-page");
        write(&pbx, &Value::Null);
        fs::write(book(&pbx), &text).unwrap();
        let said = started(&pbx, &pbx.simulator.token(), LIST);
        assert!(said.contains(WAITS) && pbx.requests().is_empty(), "{text}: {said}");
        let (failed, out) = counts(&page(&pbx));
        assert_eq!((failed, out), (10, 0), "{text}");
        let newest = page(&pbx)["failed"][9].as_u64().unwrap();
        assert!(newest <= now(), "{text}");
    }
}

#[test]
fn slots_of_the_dead_count_as_failed() {
    let pbx = named("the-page");
    let mut dead = std::process::Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let machine = rustix_name();
    let out = json!([{"pid": dead.id(), "host": machine, "since": now(), "slots": 12}]);
    write(&pbx, &json!({"schema": 1, "host": "127.0.0.1", "failed": [], "out": out}));
    assert!(started(&pbx, &pbx.simulator.token(), LIST).contains(WAITS));
    assert_eq!(counts(&page(&pbx)), (12, 0));
}

fn rustix_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A start whose listings get no answer, with so many of them out.
fn hanging(pbx: &Pbx, concurrency: u64, out: u64) -> Child {
    let more = format!("concurrency = {concurrency}");
    configure(&pbx.home, &pbx.simulator.origin(), &more);
    pbx.simulator.with_world(|world| {
        phones(world, 40, |_| None);
        let fault = Fault {
            method: Some("GET".to_owned()),
            // The others show an event first: until one did, extensions are listed one by one.
            path: Some("0009*".to_owned()),
            no_answer: true,
            ..Fault::default()
        };
        world.add_fault(fault);
    });
    let mut command = command(&pbx.home, &pbx.simulator.token(), LIST);
    command.env_remove("CALLSWEEP_TEST_SPEED").stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let events = || pbx.requests().iter().filter(|it| it.contains("0009*")).count();
    until(|| u64::try_from(events()).unwrap() >= out, "too few are out");
    child
}

#[test]
fn what_is_out_stands_in_the_file_and_what_a_killed_process_had_out_counts_as_failed() {
    let pbx = pbx(World::named(WATCHED).unwrap());
    let mut child = hanging(&pbx, 16, 16);
    assert_eq!(counts(&page(&pbx)), (0, 16));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(started(&pbx, &pbx.simulator.token(), CHECK).contains(WAITS));
    assert_eq!(counts(&page(&pbx)), (16, 0));
}

#[test]
fn a_command_that_is_ended_gives_back_what_it_did_not_use_and_only_what_was_out_counts() {
    for (signal, out) in [("INT", 4), ("TERM", 4)] {
        let pbx = pbx(World::named(WATCHED).unwrap());
        let mut child = hanging(&pbx, 4, out);
        let pid = child.id().to_string();
        std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
        let status = child.wait().unwrap();
        assert!(!status.success());
        assert_eq!(counts(&page(&pbx)), (usize::try_from(out).unwrap(), 0), "{signal}");
    }
}

#[test]
fn two_that_load_at_the_same_time_share_and_both_come_to_their_end() {
    let pbx = named(WATCHED);
    configure(&pbx.home, &pbx.simulator.origin(), "concurrency = 16");
    pbx.simulator.with_world(|world| {
        phones(world, 200, |_| None);
        world.latency.get = Duration::from_millis(5);
    });
    let start = || {
        let mut command = command(&pbx.home, &pbx.simulator.token(), &["list", "--format", "json"]);
        command.env_remove("CALLSWEEP_TEST_SPEED").stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut both = [start(), start()];
    let mut shared = false;
    while both.iter_mut().all(|child| child.try_wait().unwrap().is_none()) {
        let Ok(text) = fs::read_to_string(book(&pbx)) else { continue };
        let page: Value = serde_json::from_str(&text).expect("whole at any time");
        let (failed, out) = counts(&page);
        assert!(failed == 0 && out <= 16, "{page}");
        let slots = |of: &Value| of["slots"].as_u64().unwrap();
        shared |= page["out"].as_array().unwrap().iter().filter(|of| slots(of) >= 4).count() == 2;
        std::thread::yield_now();
    }
    assert!(shared, "one of them had it all");
    for child in both {
        let said = Said::of(child.wait_with_output().unwrap());
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.document()["complete"], true);
    }
    assert_eq!(page(&pbx), failed(&[]));
    pbx.simulator.with_world(|world| {
        assert_eq!(world.blocker_peak(), 0);
        assert!(u32::try_from(world.blocker_peak()).unwrap() < Blocker::default().failures);
    });
}

#[test]
fn without_a_place_for_it_a_process_risks_four_failures() {
    let pbx = named(WATCHED);
    fs::create_dir_all(pbx.home.path().join(".local/state/callsweep")).unwrap();
    fs::write(pbx.home.path().join(".local/state/callsweep/origins"), "in the way").unwrap();
    let dead = |phone| (phone % 2 == 0).then_some(Refusal::ExtensionInvalid);
    pbx.simulator.with_world(|world| phones(world, 60, dead));
    let said = pbx.run(&["list"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("origins") && said.err.contains("cannot be written"), "{}", said.err);
    pbx.simulator.with_world(|world| assert_eq!(world.blocker_peak(), 4));
}

#[test]
fn an_undo_whose_posts_are_refused_waits_for_room_and_goes_on() {
    let pbx = named(WATCHED);
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    let number = |phone| format!("0009*00{phone}");
    pbx.simulator.with_world(|world| {
        let pattern = World::named("the-page").unwrap();
        phones(world, 5, |_| None);
        for phone in 0..5 {
            let events = &pattern.extension("0003*210").unwrap().events;
            world.extension_mut(&number(phone)).unwrap().events = events.clone();
        }
    });
    let deleted = pbx.run(&["delete", "--where=ext:0009*", "--yes"]);
    assert_eq!(deleted.code, 0, "{}", deleted.err);
    // Three refusals leave an extension alone: the last but one spends the budget in its middle.
    pbx.simulator.with_world(|world| {
        for phone in 0..4 {
            world.add_fault(Fault {
                method: Some("POST".to_owned()),
                path: Some(format!("{}/", number(phone))),
                status: Some(400),
                code: Some("pce_access_denied".to_owned()),
                ..Fault::default()
            });
        }
    });
    let begun = Instant::now();
    let said = pbx.run(&["undo", "latest", "--yes", "--format=json"]);
    let took = begun.elapsed();
    let summary = &said.document()["summary"];
    assert_eq!((said.code, &summary["restored"]), (3, &json!(3)), "{}", said.err);
    assert_eq!((&summary["refused"], &summary["not_sent"]), (&json!(12), &json!(0)));
    // At the speed of tests a failure counts for 3.25 s.
    assert!(took >= Duration::from_secs(2), "{took:?}");
    assert!(said.err.contains(" s, then tries again: not asked: 10"), "{}", said.err);
    pbx.simulator.with_world(|world| {
        assert!(!world.blocked() && world.blocker_peak() <= 16, "{}", world.blocker_peak());
        world.clear_faults();
    });
    let said = pbx.run(&["undo", "latest", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let back = |world: &mut World| world.extension(&number(0)).unwrap().events.len();
    assert_eq!(pbx.simulator.with_world(back), 3);
}

#[test]
fn the_screen_counts_the_seconds_of_an_undo_that_waits_for_room() {
    let pbx = named("the-page");
    let token = pbx.simulator.token();
    let mut session = Session::start(pbx.home.path(), &[], &[("TOKEN", &token)]);
    session.resize(40, 120);
    session.sees("Dial-In");
    session.press(" d");
    session.says_yes();
    session.sees("finished: 3 deleted");
    session.press("z");
    session.sees("n cancels.");
    // Other starts spent a minute ago what may fail.
    write(&pbx, &failed(&[now() - 59_000; 10]));
    session.says_yes();
    session.sees(" (3 s): not asked: 10 requests failed within a minute");
    session.sees(" (2 s): not asked: 10 requests failed within a minute");
    session.sees(": 3 restored");
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
}
