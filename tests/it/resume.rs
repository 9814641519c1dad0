//! Runs that were killed: the next start accounts for every event, and `callsweep resume` goes on
//! with what is still there and still the same.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use callsweep::simulator::{Fault, World};

use crate::headless::{Pbx, command, configure, named};

const PAGE: [&str; 3] = ["delete", "--extension=0003*210", "--yes"];

/// A run of three event calls, killed while the second had no answer. The service acted on it, or
/// did not.
fn killed(acts: bool) -> Pbx {
    let pbx = named("the-page");
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    pbx.simulator.with_world(|world| {
        let method = Some("DELETE".to_owned());
        let fault = Fault { method, nth: Some(2), no_answer: true, acts, ..Fault::default() };
        world.add_fault(fault);
    });
    let token = pbx.simulator.token();
    let mut command = command(&pbx.home, &token, &PAGE);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let give_up = Instant::now() + Duration::from_secs(20);
    while pbx.requests().iter().filter(|request| request.starts_with("DELETE")).count() < 2 {
        assert!(Instant::now() < give_up, "the second DELETE never came");
        std::thread::yield_now();
    }
    let running = pbx.run(&["resume", &run_of(&pbx), "--yes"]);
    assert_eq!(running.code, 4, "{}", running.err);
    assert!(running.err.contains("still going on in another callsweep"), "{}", running.err);
    child.kill().unwrap();
    child.wait().unwrap();
    pbx.simulator.with_world(World::clear_faults);
    pbx
}

fn run_of(pbx: &Pbx) -> String {
    let runs = pbx.run(&["runs", "--format=json"]).document();
    let all = runs["runs"].as_array().unwrap();
    all.last().unwrap()["run"].as_str().unwrap().to_owned()
}

/// Waits until the service has seen so many DELETEs, or the program has ended.
fn wait_for_deletes(pbx: &Pbx, child: &mut Child, count: usize) {
    let give_up = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        let seen = pbx.simulator.with_world(|world| {
            world.requests().iter().filter(|seen| seen.method == "DELETE").count()
        });
        if seen >= count {
            return;
        }
        assert!(Instant::now() < give_up, "DELETE {count} never came");
        std::thread::yield_now();
    }
}

#[test]
fn killed_at_any_moment_every_event_is_accounted_for_and_nothing_is_lost_or_deleted_twice() {
    for moment in [0, 1, 2, 5, 9, 14, 20, 27, 31, 36] {
        let pbx = named("three-extensions-with-events");
        let all = pbx.simulator.with_world(|world| {
            world.latency.delete = Duration::from_millis(2);
            let phone = world.extension_mut("0003*101").unwrap();
            let pattern = phone.events[0].clone();
            for extra in 0..25 {
                let mut event = pattern.clone();
                event.id = format!("extra{extra}");
                phone.events.push(event);
            }
            world.event_count()
        });
        configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 4");
        let token = pbx.simulator.token();
        let mut command = command(&pbx.home, &token, &["delete", "--where=ext:*", "--yes"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for_deletes(&pbx, &mut child, moment);
        child.kill().unwrap();
        child.wait().unwrap();
        let there = pbx.simulator.with_world(|world| world.event_count());
        let runs = pbx.run(&["runs", "--format=json"]).document();
        let Some(run) = runs["runs"].get(0) else {
            assert_eq!(moment, 0, "there is a run file before the first DELETE");
            continue;
        };
        let count = |name: &str| usize::try_from(run[name].as_u64().unwrap()).unwrap();
        let (deleted, unknown, not_sent) = (count("deleted"), count("unknown"), count("not_sent"));
        let planned = count("planned");
        assert_eq!(deleted + unknown + not_sent, planned, "{moment}: {run}");
        // What the file calls deleted is gone, and what it calls not sent is there.
        assert!(there <= all - deleted && there >= all - deleted - unknown, "{moment}: {run}");
        assert!(unknown <= 4, "{moment}: more is unknown than was in flight: {run}");
        let name = run["run"].as_str().unwrap();
        if run["finished"].is_null() {
            let said = pbx.run(&["resume", name, "--yes"]);
            assert_eq!(said.code, 0, "{moment}: {}", said.err);
        }
        let left = pbx.simulator.with_world(|world| world.event_count());
        assert_eq!(left, all - planned, "{moment}");
    }
}

#[test]
fn what_was_done_not_sent_and_unknown_is_told_after_a_kill() {
    let pbx = killed(true);
    let runs = pbx.run(&["runs", "--format=json"]).document();
    let run = &runs["runs"][0];
    assert_eq!(
        (&run["deleted"], &run["unknown"], &run["not_sent"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert!(run["finished"].is_null());
    assert!(pbx.run(&["runs"]).out.contains("UNFINISHED: 1 deleted, 1 not sent, 1 unknown"));
}

#[test]
fn a_killed_run_is_settled_and_only_what_is_left_is_sent() {
    for (acts, left) in [(true, 1), (false, 2)] {
        let pbx = killed(acts);
        let run = run_of(&pbx);
        let before = pbx.requests().len();
        let unsure = pbx.run(&["resume", &run]);
        assert_eq!(unsure.code, 4, "{}", unsure.err);
        assert!(unsure.err.contains(&format!("{left} event")), "{}", unsure.err);
        let said = pbx.run(&["resume", &run, "--yes", "--format=json"]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.document()["summary"]["deleted"], left);
        let deletes = pbx.requests().split_off(before);
        let deletes = deletes.iter().filter(|request| request.starts_with("DELETE")).count();
        assert_eq!((deletes, pbx.simulator.with_world(|world| world.event_count())), (left, 0));
        let shown = pbx.run(&["show", &run, "--format=json"]).document();
        assert_eq!(shown["summary"]["unknown"], 0, "{shown}");
        let again = pbx.run(&["resume", &run, "--yes"]);
        assert_eq!(again.code, 4, "{}", again.err);
        assert!(again.err.contains("nothing to resume"), "{}", again.err);
    }
}

#[test]
fn an_event_that_changed_meanwhile_is_left_alone() {
    let pbx = killed(true);
    pbx.simulator.with_world(|world| {
        let event = &mut world.extension_mut("0003*210").unwrap().events[0];
        event.note = "still needed".to_owned();
    });
    let said = pbx.run(&["resume", &run_of(&pbx), "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("nothing is left to be sent"), "{}", said.err);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 1);
}

#[test]
fn everything_a_killed_run_took_can_be_undone_once_it_is_settled() {
    let pbx = killed(true);
    let run = run_of(&pbx);
    pbx.run(&["resume", &run, "--yes"]);
    let runs = pbx.run(&["runs", "--format=json"]).document();
    for line in runs["runs"].as_array().unwrap() {
        let name = line["run"].as_str().unwrap();
        assert_eq!(pbx.run(&["undo", name, "--yes"]).code, 0);
    }
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
}
