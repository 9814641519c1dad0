//! The way back with the real binary and a simulator: each event that a run may have taken and that
//! is not there comes back once, and what does not come back as it was is said.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use callsweep::simulator::{Besides, Event, Fault, World};
use serde_json::Value;

use crate::headless::{Pbx, Said, command, configure, named, pbx};
use crate::session::until;

const DELETE: [&str; 3] = ["delete", "--extension=0003*210", "--yes"];
const NUMBER: &str = "0003*210";

/// The page's three events are deleted; the run's name is told.
fn emptied() -> (Pbx, String) {
    let pbx = named("the-page");
    assert_eq!(pbx.run(&DELETE).code, 0);
    let run = names(&pbx).remove(0);
    (pbx, run)
}

fn runs(pbx: &Pbx) -> PathBuf {
    pbx.home.path().join(".local/state/callsweep/runs")
}

/// The names of all runs, the newest first.
fn names(pbx: &Pbx) -> Vec<String> {
    callsweep::journal::names(&runs(pbx)).unwrap()
}

fn undo(pbx: &Pbx, run: &str) -> Said {
    pbx.run(&["undo", run, "--yes", "--format=json"])
}

fn events(pbx: &Pbx) -> Vec<Event> {
    pbx.simulator.with_world(|world| world.extension(NUMBER).unwrap().events.clone())
}

/// All that is there, without what the service gives by itself.
fn bodies(pbx: &Pbx) -> Vec<(u16, u16, String, String, u16)> {
    let body = |event: Event| (event.event_type, event.method, event.url, event.note, event.status);
    let mut bodies: Vec<_> = events(pbx).into_iter().map(body).collect();
    bodies.sort();
    bodies
}

/// Somebody makes these by hand.
fn by_hand(pbx: &Pbx, events: impl IntoIterator<Item = Event>) {
    pbx.simulator.with_world(|world| {
        let there = &mut world.extension_mut(NUMBER).unwrap().events;
        for (place, event) in events.into_iter().enumerate() {
            there.push(Event { id: format!("byhand{place}"), ..event });
        }
    });
}

fn posts(pbx: &Pbx) -> usize {
    pbx.requests().iter().filter(|request| request.starts_with("POST /uapi/ext")).count()
}

fn fault(pbx: &Pbx, fault: Fault) {
    pbx.simulator.with_world(|world| world.add_fault(fault));
}

fn line_of(pbx: &Pbx, run: &str) -> Value {
    let listed = pbx.run(&["runs", "--format=json"]).document();
    let runs = listed["runs"].as_array().unwrap();
    runs.iter().find(|line| line["run"] == *run).unwrap().clone()
}

#[test]
fn what_somebody_else_made_again_is_not_made_once_more() {
    let pbx = named("the-page");
    let before = events(&pbx);
    assert_eq!(pbx.run(&DELETE).code, 0);
    let run = names(&pbx).remove(0);
    by_hand(&pbx, before.iter().take(2).cloned());
    let said = undo(&pbx, &run);
    assert_eq!((said.code, posts(&pbx), events(&pbx).len()), (0, 1, 3), "{}", said.err);
    let said = undo(&pbx, &run);
    assert_eq!((said.code, posts(&pbx)), (4, 1), "{}", said.err);
}

#[test]
fn two_runs_that_claim_the_same_events_are_both_undone_and_each_is_there_once() {
    let (pbx, run) = emptied();
    let folder = runs(&pbx);
    let twin = format!("{run}-2");
    let file = |name: &str| folder.join(format!("{name}.jsonl"));
    std::fs::copy(file(&run), file(&twin)).unwrap();
    assert_eq!(undo(&pbx, &twin).code, 0);
    assert_eq!((undo(&pbx, &run).code, posts(&pbx), events(&pbx).len()), (4, 3, 3));
}

#[test]
fn two_that_are_alike_and_went_with_a_run_each_come_back_in_either_order() {
    for order in [[0, 1], [1, 0]] {
        let pbx = named("the-page");
        pbx.simulator.with_world(|world| {
            let events = &mut world.extension_mut(NUMBER).unwrap().events;
            events.truncate(1);
            events.push(Event { id: "alike".to_owned(), ..events[0].clone() });
        });
        let before = bodies(&pbx);
        for event in events(&pbx) {
            let id = format!("--id={}", event.id);
            let said = pbx.run(&["delete", "--extension=0003*210", &id, "--yes"]);
            assert_eq!(said.code, 0, "{}", said.err);
        }
        let runs = names(&pbx);
        for which in order {
            assert_eq!(undo(&pbx, &runs[which]).code, 0);
        }
        assert_eq!(bodies(&pbx), before);
    }
}

#[test]
fn what_comes_back_otherwise_is_altered_and_is_never_made_again() {
    let (pbx, run) = emptied();
    pbx.simulator.with_world(|world| world.note_limit = Some(3));
    let said = undo(&pbx, &run);
    let document = said.document();
    assert_eq!((said.code, &document["summary"]["altered"]), (3, &1.into()), "{}", said.err);
    let outcomes = document["outcomes"].as_array().unwrap();
    let altered = outcomes.iter().find(|outcome| outcome["outcome"] == "altered").unwrap();
    assert_eq!(altered["fields"], serde_json::json!(["note"]));
    assert!(events(&pbx).iter().any(|event| altered["new_id"] == *event.id));
    let line = line_of(&pbx, &run);
    let undo_of_it = &names(&pbx)[0];
    let told = serde_json::json!({"run": undo_of_it, "restored": 2, "altered": 1, "not_back": 0});
    assert_eq!((&line["undone_by"], &line["undo"]), (&Value::from(undo_of_it.as_str()), &told));
    let again = undo(&pbx, &run);
    assert_eq!((again.code, posts(&pbx), events(&pbx).len()), (4, 3, 3), "{}", again.err);
}

#[test]
fn a_post_that_is_answered_well_and_makes_nothing_restores_nothing_and_is_made_good_by_the_next() {
    let (pbx, run) = emptied();
    let method = Some("POST".to_owned());
    fault(&pbx, Fault { method, status: Some(204), nth: Some(2), ..Fault::default() });
    let said = undo(&pbx, &run);
    assert_eq!((said.code, &said.document()["summary"]["restored"]), (3, &2.into()));
    let line = line_of(&pbx, &run);
    assert_eq!((&line["undone_by"], &line["undo"]["not_back"]), (&Value::Null, &1.into()));
    let said = undo(&pbx, &run);
    assert_eq!((said.code, events(&pbx).len(), names(&pbx).len()), (0, 3, 2), "{}", said.err);
    assert_eq!(line_of(&pbx, &run)["undo"]["restored"], 3);
    assert_eq!(line_of(&pbx, &run)["undone_by"], *names(&pbx)[0]);
}

#[test]
fn what_was_in_flight_when_it_was_killed_comes_back_too() {
    let pbx = named("the-page");
    let before = bodies(&pbx);
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    let method = Some("DELETE".to_owned());
    fault(&pbx, Fault { method, nth: Some(2), no_answer: true, acts: true, ..Fault::default() });
    let mut command = command(&pbx.home, &pbx.simulator.token(), &DELETE);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(|| events(&pbx).len() <= 1, "the second DELETE never came");
    let run = names(&pbx).remove(0);
    let going_on = undo(&pbx, &run);
    assert_eq!((going_on.code, posts(&pbx)), (4, 0), "{}", going_on.err);
    assert!(going_on.err.contains("still going on in another callsweep"), "{}", going_on.err);
    child.kill().unwrap();
    child.wait().unwrap();
    pbx.simulator.with_world(World::clear_faults);
    let said = undo(&pbx, &run);
    assert_eq!((said.code, bodies(&pbx)), (0, before), "{}", said.err);
}

#[test]
fn what_an_undo_made_before_it_was_killed_is_not_made_again_where_lists_lag() {
    let (pbx, run) = emptied();
    // Three seconds by the clock of these runs.
    pbx.simulator.with_world(|world| world.list_lag = Duration::from_millis(150));
    let mut command = command(&pbx.home, &pbx.simulator.token(), &["undo", &run, "--yes"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let settled = || {
        let newest = names(&pbx).remove(0);
        let text = std::fs::read_to_string(runs(&pbx).join(format!("{newest}.jsonl"))).unwrap();
        text.matches("\"line\":\"settled\"").count()
    };
    until(|| names(&pbx).len() >= 2 && settled() >= 3, "three POSTs never came");
    child.kill().unwrap();
    child.wait().unwrap();
    let said = undo(&pbx, &run);
    assert_eq!((said.code, posts(&pbx), events(&pbx).len()), (0, 3, 3), "{}", said.err);
}

#[test]
fn an_undo_whose_file_is_cut_or_spoilt_behind_its_plan_leads_to_no_second_event() {
    let (pbx, run) = emptied();
    assert_eq!(undo(&pbx, &run).code, 0);
    let path = runs(&pbx).join(format!("{}.jsonl", names(&pbx)[0]));
    let whole = std::fs::read_to_string(&path).unwrap();
    let plan_ends = whole.find("{\"line\":\"opened\"").unwrap();
    let (plan, _) = whole.split_at(plan_ends);
    let unknown = "{\"line\":\"hologram\",\"sum\":\"0000000000000000\"}\n";
    for spoilt in [plan.to_owned(), format!("{plan}{unknown}"), format!("{whole}{unknown}")] {
        std::fs::write(&path, spoilt).unwrap();
        let said = undo(&pbx, &run);
        assert_eq!((posts(&pbx), events(&pbx).len()), (3, 3), "{}", said.err);
        assert!(matches!(said.code, 0 | 4), "{}", said.err);
        assert_eq!(line_of(&pbx, &run)["undone_by"], *names(&pbx)[0]);
    }
}

#[test]
fn a_stand_in_is_named_and_keeps_its_event_from_being_made() {
    let pbx = named("the-page");
    let before = events(&pbx);
    assert_eq!(pbx.run(&DELETE).code, 0);
    let run = names(&pbx).remove(0);
    let stand_in = Event { note: "another".to_owned(), status: 0, ..before[0].clone() };
    by_hand(&pbx, [stand_in]);
    let said = undo(&pbx, &run);
    assert_eq!((said.code, posts(&pbx)), (3, 2), "{}", said.err);
    assert!(said.err.contains("1 event left out"), "{}", said.err);
    let told = format!("{}: byhand0 is there with another note and status", before[0].id);
    assert!(said.err.contains(&told), "{}", said.err);
    let line = line_of(&pbx, &run);
    assert_eq!((&line["undone_by"], &line["undo"]["not_back"]), (&Value::Null, &1.into()));
}

#[test]
fn another_base_path_or_user_is_told_and_where_the_run_went_is_tried_first() {
    let (pbx, run) = emptied();
    configure(&pbx.home, &pbx.simulator.origin(), "base_path = \"/other\"\nuser = \"12\"");
    let said = undo(&pbx, &run);
    assert_eq!((said.code, posts(&pbx)), (0, 3), "{}", said.err);
    let told = "was sent to /uapi as @me; the profile has /other as 12";
    assert!(said.err.contains(told), "{}", said.err);
    let (pbx, run) = emptied();
    pbx.simulator.with_world(|world| world.set_base_path("/other"));
    configure(&pbx.home, &pbx.simulator.origin(), "base_path = \"/other\"");
    let said = undo(&pbx, &run);
    assert_eq!((said.code, events(&pbx).len()), (0, 3), "{}", said.err);
    assert!(said.err.contains("requests go to /other as @me"), "{}", said.err);
}

/// Nearly six seconds by the clock of these runs.
const LAG: Duration = Duration::from_millis(250);

#[test]
fn an_undo_straight_after_refusals_that_lied_believes_no_list_that_still_shows_the_events() {
    let pbx = named("the-page");
    let before = bodies(&pbx);
    let lie = Fault { status: Some(400), code: Some("pce_access_denied".to_owned()), ..acted() };
    pbx.simulator.with_world(|world| world.list_lag = LAG);
    fault(&pbx, Fault { method: Some("DELETE".to_owned()), ..lie });
    let said = pbx.run(&DELETE);
    assert_eq!((said.code, events(&pbx).len()), (1, 0), "{}", said.err);
    let run = names(&pbx).remove(0);
    let said = undo(&pbx, &run);
    assert_eq!((said.code, bodies(&pbx)), (0, before), "{}", said.err);
}

#[test]
fn a_post_that_is_refused_and_acted_on_at_once_or_late_is_not_made_twice() {
    let late = |status| Fault { status, acts_after_ms: Some(250), ..Fault::default() };
    let silent = Fault { no_answer: true, acts_after_ms: Some(1_100), ..Fault::default() };
    let refused = Some(400);
    let kinds = [
        Fault { status: refused, code: Some("pce_access_denied".to_owned()), ..acted() },
        Fault { status: Some(503), ..acted() },
        Fault { status: Some(429), ..acted() },
        late(Some(429)),
        Fault { code: Some("pce_access_denied".to_owned()), ..late(refused) },
        late(Some(501)),
        late(Some(503)),
        silent,
    ];
    for kind in kinds {
        let (pbx, run) = emptied();
        configure(&pbx.home, &pbx.simulator.origin(), "timeout_s = 1\nconcurrency = 1");
        pbx.simulator.with_world(|world| world.list_lag = LAG);
        let told = format!("{kind:?}");
        fault(&pbx, Fault { method: Some("POST".to_owned()), nth: Some(3), ..kind });
        // Whether the first one sees it is a matter of moments.
        let first = undo(&pbx, &run);
        assert!(matches!(first.code, 0 | 3), "{told}: {}", first.err);
        let said = undo(&pbx, &run);
        assert_eq!((posts(&pbx), events(&pbx).len()), (3, 3), "{told}: {}", said.err);
    }
}

#[test]
fn an_undo_that_a_pbx_finds_too_fast_makes_everything_all_the_same_and_nothing_twice() {
    for acts in [false, true] {
        let (pbx, run) = emptied();
        let method = Some("POST".to_owned());
        let busy = Fault { method, status: Some(429), every: Some(2), acts, ..Fault::default() };
        fault(&pbx, busy);
        let said = undo(&pbx, &run);
        assert_eq!((said.code, events(&pbx).len()), (0, 3), "{}", said.err);
        assert_eq!(line_of(&pbx, &run)["undone_by"], *names(&pbx)[0]);
    }
}

#[test]
fn a_post_that_is_refused_and_makes_the_event_with_another_note_is_not_made_twice() {
    for (status, code) in [(429, ""), (400, "pce_url_invalid"), (404, ""), (503, "")] {
        let (pbx, run) = emptied();
        pbx.simulator.with_world(|world| world.note_limit = Some(2));
        let code = Some(code).filter(|code| !code.is_empty()).map(str::to_owned);
        let lie = Fault { status: Some(status), code, ..acted() };
        fault(&pbx, Fault { method: Some("POST".to_owned()), ..lie });
        let said = undo(&pbx, &run);
        let told = format!("{status}: {}", said.err);
        assert_eq!((said.code, posts(&pbx), events(&pbx).len()), (3, 3, 3), "{told}");
        assert!(said.err.contains(": 1 restored, 2 altered; checked"), "{told}");
        let said = undo(&pbx, &run);
        assert_eq!((said.code, posts(&pbx), events(&pbx).len()), (4, 3, 3), "{}", said.err);
    }
}

#[test]
fn a_post_whose_token_is_refused_and_that_is_carried_out_is_not_made_twice_with_the_next_token() {
    for (status, acts) in [(401, true), (403, true), (401, false)] {
        let mut world = World::named("the-page").unwrap();
        world.set_app("key-of-app", "secret~of~app");
        let pbx = pbx(world);
        let auth = "app_key = \"key-of-app\"\napp_secret_command = [\"echo\", \"secret~of~app\"]";
        let file = pbx.home.path().join(".config/callsweep/config.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("token_env = \"TOKEN\"", auth)).unwrap();
        assert_eq!(pbx.run(&DELETE).code, 0);
        let run = names(&pbx).remove(0);
        let path = Some("phoneCallEvents".to_owned());
        let lie = Fault {
            method: Some("POST".to_owned()),
            path,
            status: Some(status),
            acts,
            ..Fault::default()
        };
        fault(&pbx, Fault { nth: Some(2), ..lie });
        let said = undo(&pbx, &run);
        let made = if acts { 3 } else { 4 };
        let told = format!("{status} {acts}: {}", said.err);
        assert_eq!((said.code, posts(&pbx), events(&pbx).len()), (0, made, 3), "{told}");
    }
}

#[test]
fn what_an_undo_does_besides_is_told_by_name_and_one_more_of_a_kind_is_not_called_checked() {
    let besides = [
        (Besides::MakesTwo, 3, "differs", "new, and not in the plan: 1 event ("),
        (Besides::SwitchesOff, 0, "agrees", "not in the plan, and changed meanwhile: 1 event ("),
        (Besides::Removes, 0, "agrees", "gone, though this run sent nothing for it: 1 event ("),
    ];
    for (besides, code, check, told) in besides {
        let pbx = named("the-page");
        let first = events(&pbx).remove(0);
        by_hand(&pbx, [Event { url: "https://other.test".to_owned(), ..first.clone() }]);
        let id = format!("--id={}", first.id);
        assert_eq!(pbx.run(&["delete", "--extension=0003*210", &id, "--yes"]).code, 0);
        let run = names(&pbx).remove(0);
        pbx.simulator.with_world(|world| world.besides = besides);
        let said = undo(&pbx, &run);
        assert_eq!((said.code, posts(&pbx)), (code, 1), "{besides:?}: {}", said.err);
        assert_eq!(said.document()["check"], check, "{besides:?}");
        assert!(said.err.contains(told), "{besides:?}: {}", said.err);
    }
}

#[test]
fn an_undo_in_doubt_makes_nothing_while_lists_hold_a_row_that_cannot_be_read() {
    let (pbx, run) = emptied();
    configure(&pbx.home, &pbx.simulator.origin(), "timeout_s = 1\nconcurrency = 1");
    let silent = Fault { no_answer: true, times: Some(1), ..Fault::default() };
    fault(&pbx, Fault { method: Some("POST".to_owned()), ..silent });
    let odd = Fault { row: Some("{\"id\":\"x\",\"type\":\"ALTERED\"}".to_owned()), ..acted() };
    fault(
        &pbx,
        Fault { method: Some("GET".to_owned()), path: Some("phoneCall".to_owned()), ..odd },
    );
    assert_ne!(undo(&pbx, &run).code, 0);
    let before = posts(&pbx);
    let said = undo(&pbx, &run);
    assert_eq!(posts(&pbx), before, "{}", said.err);
    assert!(said.out.contains("its list is not complete"), "{}", said.out);
}

/// The service acts, whatever it answers.
fn acted() -> Fault {
    Fault { acts: true, ..Fault::default() }
}

/// What an undo made that was cut off was deleted and made once more, under other ids, by others.
#[test]
fn an_undo_that_was_cut_off_behind_its_answers_is_over_once_what_stands_for_its_events_is_there() {
    let (pbx, run) = emptied();
    assert_eq!(undo(&pbx, &run).code, 0);
    let path = runs(&pbx).join(format!("{}.jsonl", names(&pbx)[0]));
    let whole = std::fs::read_to_string(&path).unwrap();
    let (answered, _) = whole.split_once("{\"line\":\"verified\"").unwrap();
    std::fs::write(&path, answered).unwrap();
    let before = bodies(&pbx);
    assert_eq!(pbx.run(&DELETE).code, 0);
    assert_eq!(undo(&pbx, &names(&pbx)[0]).code, 0);
    let made = posts(&pbx);
    for code in [0, 4] {
        let said = undo(&pbx, &run);
        assert_eq!(said.code, code, "{}", said.err);
    }
    assert_eq!((posts(&pbx), bodies(&pbx)), (made, before));
}
