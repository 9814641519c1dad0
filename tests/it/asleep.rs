//! The real program, suspended for longer than an answer may take: what was in flight is asked
//! again or awaited, and counts against nobody.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use callsweep::simulator::{Fault, Seen};

use crate::headless::{Pbx, Said, command, configure, named, refusing};
use crate::session::until;

/// Longer than `timeout_s` and than a busy machine is late.
const ASLEEP: Duration = Duration::from_millis(2_500);

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn seen(pbx: &Pbx, is: impl Fn(&Seen) -> bool) -> usize {
    pbx.simulator.with_world(|world| world.requests().iter().filter(|seen| is(seen)).count())
}

fn is_delete(seen: &Seen) -> bool {
    seen.method == "DELETE"
}

fn is_list(seen: &Seen) -> bool {
    seen.method == "GET" && seen.target.contains("/phoneCallEvents")
}

/// Runs it, suspended while so many requests of a kind are out, and going on after a while.
fn suspended(pbx: &Pbx, arguments: &[&str], out: usize, is: impl Fn(&Seen) -> bool) -> Said {
    let before = seen(pbx, &is);
    let mut command = command(&pbx.home, &pbx.simulator.token(), arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until(|| seen(pbx, &is) >= before + out, "nothing goes out");
    send("STOP", &child);
    std::thread::sleep(ASLEEP);
    send("CONT", &child);
    Said::of(child.wait_with_output().unwrap())
}

/// One second of patience with a service that takes a good part of it.
fn slowly(pbx: &Pbx) {
    let slow = "timeout_s = 1\nconcurrency = 16\nwide_calls = []";
    configure(&pbx.home, &pbx.simulator.origin(), slow);
    pbx.simulator.with_world(|world| {
        (world.latency.get, world.latency.delete) =
            (Duration::from_millis(300), Duration::from_millis(300));
    });
}

fn fails_once(pbx: &Pbx, fault: Fault) {
    pbx.simulator.with_world(|world| world.add_fault(Fault { times: Some(1), ..fault }));
}

#[test]
fn sixteen_listings_that_were_out_while_it_was_suspended_are_all_read() {
    let pbx = refusing(16, |_| false);
    slowly(&pbx);
    let said = suspended(&pbx, &["list", "--format=json"], 16, is_list);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.document()["events"].as_array().unwrap().len(), 16);
}

#[test]
fn a_question_that_nobody_answered_while_it_was_suspended_is_asked_again() {
    let pbx = named("the-page");
    slowly(&pbx);
    let path = Some("/phoneCallEvents".to_owned());
    fails_once(&pbx, Fault { path, no_answer: true, ..Fault::default() });
    let said = suspended(&pbx, &["list", "--format=json"], 1, is_list);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.document()["events"].as_array().unwrap().len(), 3);
}

#[test]
fn deletions_that_were_out_while_it_was_suspended_are_settled_and_no_trouble_of_the_service() {
    for acts_and_is_lost in [false, true] {
        let pbx = named("the-page");
        slowly(&pbx);
        if acts_and_is_lost {
            let method = Some("DELETE".to_owned());
            fails_once(&pbx, Fault { method, no_answer: true, acts: true, ..Fault::default() });
        }
        let arguments = ["delete", "--where=ext:*", "--yes", "--format=json"];
        let said = suspended(&pbx, &arguments, 2, is_delete);
        assert_eq!(said.code, 0, "{}", said.err);
        let document = said.document();
        assert_eq!(document["summary"]["deleted"], 3, "{document}");
        assert_eq!(document["stopped_by"], serde_json::Value::Null, "{document}");
        assert_eq!(seen(&pbx, is_delete), if acts_and_is_lost { 4 } else { 3 });
        assert!(!said.err.contains("waits"), "{}", said.err);
    }
}

#[test]
fn an_undo_that_was_suspended_while_it_lists_makes_all_again() {
    let pbx = named("the-page");
    let said = pbx.run(&["delete", "--where=ext:*", "--yes", "--format=json"]);
    let run = said.document()["run"].as_str().unwrap().to_owned();
    slowly(&pbx);
    // The second listing is the one under the lock.
    let said = suspended(&pbx, &["undo", &run, "--yes", "--format=json"], 2, is_list);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.document()["summary"]["restored"], 3);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
}
