//! Runs that were killed: the next start accounts for every event, and `callsweep resume` goes on
//! with what is still there and still the same.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use callsweep::simulator::{Fault, World};
use serde_json::Value;

use crate::headless::{Pbx, command, configure, named};
use crate::session::{PATIENCE, until};

const PAGE: [&str; 3] = ["delete", "--extension=0003*210", "--yes"];

/// A run of three event calls, killed while the second had no answer. The service acted on it, or
/// did not.
pub(crate) fn killed(acts: bool) -> Pbx {
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
    let deletes = || pbx.requests().iter().filter(|it| it.starts_with("DELETE")).count();
    until(|| deletes() >= 2, "the second DELETE never came");
    let running = pbx.run(&["resume", &run_of(&pbx), "--yes"]);
    assert_eq!(running.code, 4, "{}", running.err);
    assert!(running.err.contains("still going on in another callsweep"), "{}", running.err);
    child.kill().unwrap();
    child.wait().unwrap();
    pbx.simulator.with_world(World::clear_faults);
    pbx
}

pub(crate) fn run_of(pbx: &Pbx) -> String {
    let runs = pbx.run(&["runs", "--format=json"]).document();
    let all = runs["runs"].as_array().unwrap();
    all.last().unwrap()["run"].as_str().unwrap().to_owned()
}

/// Waits until the service has seen so many DELETEs, or the program has ended.
fn wait_for_deletes(pbx: &Pbx, child: &mut Child, count: usize) {
    let give_up = Instant::now() + PATIENCE;
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

/// How far a run was when it was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    NoRunFile,
    BeforeTheFirst,
    InFlight,
    AllAnswered,
    Finished,
}

/// How far the newest run file says that a run is.
fn stage(runs: &Path) -> Stage {
    let Some(name) = callsweep::journal::names(runs).unwrap().into_iter().next() else {
        return Stage::NoRunFile;
    };
    let text = std::fs::read_to_string(runs.join(format!("{name}.jsonl"))).unwrap();
    let has = |what: &str| text.matches(&format!("\"line\":\"{what}\"")).count();
    match (has("sent"), has("settled"), has("finished")) {
        (0, ..) => Stage::BeforeTheFirst,
        (_, _, 1) => Stage::Finished,
        (sent, settled, _) if settled < sent || sent < has("event") => Stage::InFlight,
        _ => Stage::AllAnswered,
    }
}

/// Starts the program and kills it once the service has seen so many requests, a moment later.
fn kill_after(pbx: &Pbx, arguments: &[&str], requests: usize, moment: Duration) {
    let token = pbx.simulator.token();
    let mut command = command(&pbx.home, &token, arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let seen = || pbx.simulator.with_world(|world| world.requests().len());
    let before = seen();
    let give_up = Instant::now() + PATIENCE;
    while seen() < before + requests && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < give_up, "request {requests} never came");
        std::thread::yield_now();
    }
    let then = Instant::now() + moment;
    while Instant::now() < then {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

type Body = (String, u16, u16, String, String, u16);

/// All that the service holds, without what it gives by itself.
fn bodies(pbx: &Pbx) -> Vec<Body> {
    let mut bodies: Vec<Body> = Vec::new();
    pbx.simulator.with_world(|world| {
        for number in ["0003*101", "0003*102", "0003*103", "0003*600"] {
            bodies.extend(world.extension(number).unwrap().events.iter().map(|event| {
                let (url, note) = (event.url.clone(), event.note.clone());
                (number.to_owned(), event.event_type, event.method, url, note, event.status)
            }));
        }
    });
    bodies.sort();
    bodies
}

/// One run that is killed at a moment that chance chooses, then settled, gone on with and undone.
fn killed_at_random(chance: &mut fastrand::Rng, which: usize) -> Stage {
    let pbx = named("three-extensions-with-events");
    let latency = Duration::from_micros(chance.u64(0..3_000));
    pbx.simulator.with_world(|world| {
        world.latency.delete = latency;
        let phone = world.extension_mut("0003*101").unwrap();
        let pattern = phone.events[0].clone();
        for extra in 0..chance.usize(0..25) {
            let mut event = pattern.clone();
            event.id = format!("extra{extra}");
            // Two by two they are the same but for their ids.
            event.note = format!("note {}", extra / 2);
            phone.events.push(event);
        }
    });
    let concurrency = chance.usize(1..=8);
    let wide = chance.u8(0..4) == 0;
    configure(&pbx.home, &pbx.simulator.origin(), &format!("concurrency = {concurrency}"));
    let before = bodies(&pbx);
    // Presence and four lists go before, four lists after; a wide call has a list of its own.
    let requests = chance.usize(0..if wide { 17 } else { before.len() + 9 });
    let moment = Duration::from_micros(chance.u64(0..1_500));
    let form = if wide { "--form=extension" } else { "--form=event" };
    kill_after(&pbx, &["delete", "--where=ext:*", form, "--yes"], requests, moment);
    let runs = pbx.home.path().join(".local/state/callsweep/runs");
    let stage = stage(&runs);
    let about = format!("kill {which}: {stage:?} at request {requests} and {moment:?}");
    let asked = pbx.requests().iter().filter(|request| request.starts_with("DELETE")).count();
    assert!(asked == 0 || stage > Stage::BeforeTheFirst, "{about}: sent and not written");
    let there = bodies(&pbx).len();
    let said = pbx.run(&["runs", "--format=json"]);
    let document = said.document();
    let Some(run) = document["runs"].get(0) else {
        assert!(asked == 0 && there == before.len(), "{about}: {}", said.err);
        return stage;
    };
    let count = |name: &str| usize::try_from(run[name].as_u64().unwrap()).unwrap();
    let (deleted, unknown, planned) = (count("deleted"), count("unknown"), count("planned"));
    assert_eq!(deleted + unknown + count("not_sent"), planned, "{about}: {run}");
    assert!(there + deleted <= before.len(), "{about}: {run}");
    assert!(there + deleted + unknown >= before.len(), "{about}: {run}");
    if run["finished"].is_null() {
        let said = pbx.run(&["resume", run["run"].as_str().unwrap(), "--yes", "--format=json"]);
        // What a wide call took that was cut off before its answer nobody knows.
        let known = said.document()["surplus_known"] == true;
        assert!(known || wide, "{about}: {}", said.out);
        assert_eq!(said.code, if known { 0 } else { 3 }, "{about}: {}", said.err);
        let summary = &said.document()["summary"];
        for bad in ["refused", "unknown", "not_sent"] {
            assert_eq!(summary[bad], 0, "{about}: {summary}");
        }
    }
    assert_eq!(bodies(&pbx).len(), before.len() - planned, "{about}");
    undone(&pbx, chance, &about);
    assert_eq!(bodies(&pbx), before, "{about}");
    stage
}

/// Undoes every run, of which some undos are killed too and taken up.
fn undone(pbx: &Pbx, chance: &mut fastrand::Rng, about: &str) {
    let all = pbx.run(&["runs", "--format=json"]).document();
    for run in all["runs"].as_array().unwrap() {
        assert!(!run["finished"].is_null() && run["unknown"] == 0, "{about}: {run}");
        let undo = ["undo", run["run"].as_str().unwrap(), "--yes"];
        if chance.bool() {
            let planned = usize::try_from(run["deleted"].as_u64().unwrap()).unwrap();
            kill_after(pbx, &undo, chance.usize(0..planned + 6), Duration::ZERO);
        }
        let said = pbx.run(&undo);
        let nothing = said.code == 4 && said.err.contains("there is nothing to undo");
        assert!(said.code == 0 || nothing, "{about}: {}", said.err);
    }
}

/// `CALLSWEEP_KILLS` and `CALLSWEEP_SEED` choose how many moments, and which.
#[test]
#[ignore = "slow: .ci/run has a step of its own for it"]
fn killed_at_a_hundred_random_moments_nothing_is_lost_and_everything_comes_back() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let mut chance = fastrand::Rng::with_seed(number("CALLSWEEP_SEED", 20_260_101));
    let kills = usize::try_from(number("CALLSWEEP_KILLS", 100)).unwrap();
    let mut moments = std::collections::BTreeMap::new();
    for which in 0..kills {
        *moments.entry(killed_at_random(&mut chance, which)).or_insert(0) += 1;
    }
    writeln!(std::io::stdout(), "{kills} kills: {moments:?}").unwrap();
    assert!(moments.contains_key(&Stage::InFlight), "no run was killed with calls in flight");
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
    assert!(pbx.run(&["runs"]).out.contains("UNFINISHED  1 deleted, 1 not sent, 1 unknown"));
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
        // The whole job is told, and it is in one file.
        assert_eq!(said.document()["summary"]["deleted"], 3);
        assert_eq!(said.document()["run"], run);
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
    assert_eq!(said.code, 3, "a part of it: {}", said.err);
    assert!(said.err.contains("changed: note"), "{}", said.err);
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

#[test]
fn one_extension_that_is_gone_for_good_holds_nothing_else_up_and_says_so_every_time() {
    let pbx = named("three-extensions-with-events");
    let fault = Fault { method: Some("DELETE".to_owned()), status: Some(503), ..Fault::default() };
    pbx.simulator.with_world(|world| world.add_fault(fault));
    let said = pbx.run(&["delete", "--where=ext:*", "--yes"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let run = run_of(&pbx);
    let lost = pbx.simulator.with_world(|world| {
        world.clear_faults();
        u64::try_from(world.remove("0003*101").unwrap().events.len()).unwrap()
    });
    for time in 0..3 {
        let before = pbx.requests().len();
        let said = pbx.run(&["resume", &run, "--yes", "--format=json"]);
        assert_eq!(said.code, 3, "time {time}: {}", said.err);
        let queue =
            pbx.simulator.with_world(|it| it.event_count() - it.event_ids("0003*600").len());
        assert_eq!(queue, 0, "all but what presence does not list");
        let told = said.document();
        let open = ["not_sent", "refused"].map(|it| told["summary"][it].as_u64().unwrap());
        assert_eq!(open.iter().sum::<u64>(), lost, "{told}");
        assert_eq!(told["stopped_by"], Value::Null);
        let outcomes = told["outcomes"].as_array().unwrap();
        let open = outcomes.iter().filter(|it| it["outcome"] == "not_sent");
        assert!(open.clone().all(|it| it["code"] == "extension_invalid"), "{told}");
        let asked = pbx.requests().len() - before;
        assert!(time == 0 || asked <= 4, "{asked} requests for nothing");
    }
}
