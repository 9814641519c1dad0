//! The way back: what a run on the screen deleted, `callsweep undo` makes again, with the real
//! binary and the run file between them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use callsweep::domain::{ExtensionNumber, Listing, ListingBuilder, RawEvent, WideCalls};
use callsweep::simulator::{Event, Fault, TypeDelete};
use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, Setting};

struct Office {
    desk: Desk,
    home: TempDir,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Office {
    fn with(wide_calls: WideCalls) -> Self {
        let home = tempfile::tempdir().unwrap();
        let runs = Some(home.path().join("state/callsweep/runs"));
        let desk = Desk::with("the-page", Setting { wide_calls, runs, ..Setting::default() });
        let config = format!(
            "[profiles.test]\nurl = {:?}\ntimeout_s = 3\n[profiles.test.auth]\ntoken_env = \"TOKEN\"\n",
            desk.simulator.origin()
        );
        std::fs::write(home.path().join("config.toml"), config).unwrap();
        Self { desk, home }
    }

    /// All three events of the page are deleted.
    fn emptied() -> Self {
        let mut office = Self::with(WideCalls::default());
        office.desk.do_keys("space d y");
        assert!(office.desk.left("0003*210").is_empty());
        office
    }

    fn run_name(&self) -> String {
        self.names().remove(0)
    }

    fn names(&self) -> Vec<String> {
        let runs: PathBuf = self.home.path().join("state/callsweep/runs");
        callsweep::journal::names(&runs).unwrap()
    }

    fn say(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
        command.args(arguments).arg("--config").arg(self.home.path().join("config.toml"));
        command.env_clear().env("HOME", self.home.path()).env("TOKEN", self.desk.simulator.token());
        command.env("CALLSWEEP_TEST_SPEED", "20");
        command.env("XDG_STATE_HOME", self.home.path().join("state")).stdin(Stdio::null());
        let output = command.output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What the service holds, without what it gives by itself.
    fn bodies(&self) -> Vec<(u16, u16, String, String, u16)> {
        let body = |event: &Event| {
            (event.event_type, event.method, event.url.clone(), event.note.clone(), event.status)
        };
        let mut bodies: Vec<_> = self.desk.simulator.with_world(|world| {
            world.extension("0003*210").unwrap().events.iter().map(body).collect()
        });
        bodies.sort();
        bodies
    }

    /// The page's extension as the service lists it.
    fn listing(&self) -> Listing {
        self.desk.simulator.with_world(|world| {
            let mut builder = ListingBuilder::new(ExtensionNumber::parse("0003*210").unwrap());
            for event in &world.extension("0003*210").unwrap().events {
                let [event_type, method, status] =
                    [event.event_type, event.method, event.status].map(|it| it.to_string());
                let Event { id, url, note, modified, .. } = event;
                builder.push(RawEvent {
                    event_type: &event_type,
                    id,
                    method: &method,
                    url,
                    note,
                    status: &status,
                    modified,
                });
            }
            builder.finish(true)
        })
    }

    fn posts(&self) -> usize {
        self.desk.simulator.with_world(|world| {
            world.requests().iter().filter(|seen| seen.method == "POST").count()
        })
    }
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

#[test]
fn undo_makes_everything_again_that_a_run_deleted_and_tells_old_and_new_ids() {
    let mut office = Office::with(WideCalls::default());
    let before = office.bodies();
    office.desk.do_keys("space d y");
    assert!(office.bodies().is_empty());
    let run = office.run_name();
    let said = office.say(&["undo", &run, "--yes", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(office.bodies(), before);
    let document = said.json();
    assert_eq!(document["summary"]["restored"], 3);
    assert_eq!((&document["verified"], &document["dry_run"]), (&true.into(), &false.into()));
    let first = &document["outcomes"][0];
    assert_eq!(first["outcome"], "restored");
    let new = first["new_id"].as_str().unwrap();
    assert!(office.desk.left("0003*210").contains(&new.to_owned()) && first["id"] != new);
    assert!(said.err.contains("3 restored; checked with the service"), "{}", said.err);
}

#[test]
fn the_undo_of_an_undone_run_makes_nothing() {
    let office = Office::emptied();
    let run = office.run_name();
    assert_eq!(office.say(&["undo", &run, "--yes"]).code, 0);
    let again = office.say(&["undo", &run, "--yes"]);
    assert_eq!(again.code, 4);
    assert!(again.err.contains("there is nothing to undo"), "{}", again.err);
    assert_eq!(office.posts(), 3);
    let undo = office.run_name();
    let said = office.say(&["undo", &undo, "--yes"]);
    assert_eq!((said.code, office.posts(), office.names().len()), (4, 3, 2));
    assert!(
        said.err.contains(&format!("every event of {run} has already been restored")),
        "{}",
        said.err
    );
}

#[test]
fn a_dry_run_and_a_missing_yes_make_nothing() {
    let office = Office::emptied();
    let run = office.run_name();
    let dry = office.say(&["undo", &run, "--dry-run", "--format", "json"]);
    assert_eq!((dry.code, dry.json()["calls"].as_array().unwrap().len()), (0, 3));
    assert_eq!(dry.json()["calls"][0]["method"], "POST");
    let unsure = office.say(&["undo", &run]);
    assert_eq!(unsure.code, 4);
    assert!(unsure.err.contains("pass --yes"), "{}", unsure.err);
    let read_only = office.say(&["undo", &run, "--yes", "--read-only"]);
    assert_eq!(read_only.code, 4);
    assert_eq!((office.posts(), office.names().len()), (0, 1));
}

#[test]
fn an_undo_that_broke_off_is_taken_up_without_making_anything_twice() {
    let office = Office::emptied();
    let run = office.run_name();
    office.desk.simulator.with_world(|world| {
        // The second POST is acted on and every answer after that is lost.
        let nothing = |method: &str, nth| Fault {
            method: Some(method.to_owned()),
            nth,
            reset: true,
            acts: true,
            ..Fault::default()
        };
        world.add_fault(nothing("POST", Some(2)));
        world.add_fault(Fault {
            method: Some("POST".to_owned()),
            nth: Some(3),
            status: Some(500),
            ..Fault::default()
        });
    });
    let first = office.say(&["undo", &run, "--yes", "--format", "json"]);
    assert_eq!(first.code, 3, "{}", first.err);
    let summary = &first.json()["summary"];
    assert_eq!((&summary["restored"], &summary["refused"]), (&2.into(), &1.into()));
    office.desk.simulator.with_world(callsweep::simulator::World::clear_faults);
    let second = office.say(&["undo", &run, "--yes", "--format", "json"]);
    assert_eq!((second.code, &second.json()["summary"]["restored"]), (0, &3.into()));
    assert_eq!(
        (second.json()["run"].as_str(), office.names().len()),
        (first.json()["run"].as_str(), 2)
    );
    assert_eq!(office.bodies().len(), 3);
}

#[test]
fn what_a_wiping_type_call_took_beside_the_plan_comes_back_too() {
    let mut office = Office::with(WideCalls { extension: false, event_type: true });
    let before = office.bodies();
    office.desk.simulator.with_world(|world| world.type_delete = TypeDelete::WipesExtension);
    office.desk.do_keys("enter space d t y");
    office.desk.sees("2 events GONE, NOT IN THE PLAN");
    office.desk.do_keys("esc");
    let said = office.say(&["undo", &office.run_name(), "--yes"]);
    assert_eq!((said.code, office.bodies()), (0, before), "{}", said.err);
}

#[test]
fn runs_lists_them_newest_first_and_show_tells_one() {
    let office = Office::emptied();
    let run = office.run_name();
    office.say(&["undo", &run, "--yes"]);
    let listed = office.say(&["runs", "--format", "json"]).json();
    let runs = listed["runs"].as_array().unwrap();
    assert_eq!((&runs[0]["kind"], &runs[0]["restored"]), (&"undo".into(), &3.into()));
    assert_eq!((&runs[1]["kind"], &runs[1]["deleted"]), (&"delete".into(), &3.into()));
    assert_eq!(runs[1]["undone_by"], runs[0]["run"]);
    let table = office.say(&["runs"]).out;
    assert!(table.lines().nth(2).unwrap().contains("3 deleted, undone by"), "{table}");
    let shown = office.say(&["show", &run]).out;
    assert!(shown.contains("outcome   3 deleted") && shown.contains("0003*210 Dial-In"), "{shown}");
    let missing = office.say(&["show", "../secret"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("is not there: check the path"), "{}", missing.err);
}

#[test]
fn a_run_file_cut_at_any_byte_accounts_for_every_planned_event() {
    let office = Office::emptied();
    let run = office.run_name();
    let folder = office.home.path().join("state/callsweep/runs");
    let whole = std::fs::read(folder.join(format!("{run}.jsonl"))).unwrap();
    let cut = tempfile::tempdir().unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let plan_ends = text.match_indices('\n').nth(3).unwrap().0;
    for length in 0..=whole.len() {
        std::fs::write(cut.path().join("r.jsonl"), &whole[..length]).unwrap();
        match callsweep::journal::Record::read(cut.path(), "r") {
            Ok(record) if length > plan_ends => assert_eq!(record.events.len(), 3, "{length}"),
            Ok(record) => assert!(record.events.len() < 4 && record.finished.is_none()),
            Err(refused) => assert!(length <= text.find('\n').unwrap(), "{length}: {refused}"),
        }
    }
}

#[test]
fn an_undos_file_cut_at_any_byte_accounts_for_every_event_and_what_is_left_is_made_once() {
    let office = Office::emptied();
    let run = office.run_name();
    assert_eq!(office.say(&["undo", &run, "--yes"]).code, 0);
    let undo = office.run_name();
    let folder = office.home.path().join("state/callsweep/runs");
    let cut = tempfile::tempdir().unwrap();
    let name = |run: &str| format!("{run}.jsonl");
    std::fs::copy(folder.join(name(&run)), cut.path().join(name(&run))).unwrap();
    let target = office.desk.model.facts().target.clone();
    let whole = std::fs::read_to_string(folder.join(name(&undo))).unwrap();
    let line_ends: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at).collect();
    for length in 0..=whole.len() {
        std::fs::write(cut.path().join(name(&undo)), whole.get(..length).unwrap()).unwrap();
        match callsweep::journal::Record::read(cut.path(), &undo) {
            Ok(record) if length > line_ends[3] => assert_eq!(record.events.len(), 3, "{length}"),
            Ok(record) => assert!(record.events.len() < 4 && record.finished.is_none()),
            Err(refused) => assert!(length <= line_ends[0], "{length}: {refused}"),
        }
        // Whatever its file tells, all of it is there, and nothing is made once more.
        let way = callsweep::journal::way_back(
            cut.path(),
            &callsweep::journal::Place::new(cut.path(), &*run),
            std::time::Duration::ZERO,
        )
        .unwrap();
        let listing = office.listing();
        let found = way.loss.way_back(target.clone(), |_| Some(&listing), true);
        assert!(found.plan.is_err(), "{length}: {:?}", found.plan);
    }
}

#[test]
fn the_next_start_tells_which_run_broke_off_and_how_to_go_on() {
    let mut office = Office::with(WideCalls::default());
    office.desk.do_keys("enter j space d");
    office.desk.press("y");
    office.desk.perform_one();
    let run = office.run_name();
    office.desk.look_for_broken_runs();
    office.desk.does_not_see("was interrupted");
    office.desk.sees(&format!("run {run} is going on right now in another callsweep"));
    // A copy of the file is one that nobody writes any more.
    let name = office.home.path().join(format!("state/callsweep/runs/{run}.jsonl"));
    let whole = std::fs::read(&name).unwrap();
    std::fs::remove_file(&name).unwrap();
    std::fs::write(&name, whole).unwrap();
    office.desk.look_for_broken_runs();
    office.desk.sees(&format!("run {run} was interrupted: 1 of 1 not done"));
}

#[test]
fn z_where_everything_is_back_closes_the_undo_that_was_cut_off_and_the_next_start_is_silent() {
    for last in ["sent", "settled", "verified"] {
        let mut desk = Desk::open("the-page");
        desk.do_keys("A d y z y");
        let undo = desk.model.run().unwrap().machine.name().to_owned();
        let path = desk.runs().join(format!("{undo}.jsonl"));
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let of = |line: &&str| line.starts_with(&format!("{{\"line\":\"{last}\""));
        let end = lines.iter().rposition(of).unwrap() + 1;
        // A copy of the file is one that nobody writes any more.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, lines[..end].join("\n") + "\n").unwrap();
        desk.look_for_broken_runs();
        let open = desk.screen().contains("was interrupted");
        desk.do_keys("z");
        desk.sees("nothing to undo: every event of");
        let closed = std::fs::read_to_string(&path).unwrap();
        let closed = closed.lines().last().unwrap().contains("\"finished\"");
        assert!(closed, "{last}: {}", desk.screen());
        desk.becomes("@me");
        desk.look_for_broken_runs();
        desk.does_not_see("was interrupted");
        assert_eq!((desk.run_files(), desk.left("0003*210").len()), (2, 3), "{last}, {open}");
    }
}

#[test]
fn plus_in_the_review_of_an_undo_makes_what_something_stands_in_for_too() {
    for adds in [false, true] {
        let mut desk = Desk::open("the-page");
        let first = desk.simulator.with_world(|world| {
            world.extension("0003*210").unwrap().events.first().unwrap().clone()
        });
        desk.do_keys("A d y");
        let stand_in = Event { id: "byhand".to_owned(), note: "another".to_owned(), ..first };
        desk.simulator.with_world(|world| {
            world.extension_mut("0003*210").unwrap().events.push(stand_in);
        });
        desk.do_keys("z");
        desk.sees("re-create 2 phone call events");
        desk.sees_wrapped("something stands in for 1 event, left out: + adds them");
        desk.sees_wrapped("byhand is there with another note");
        if adds {
            desk.do_keys("+");
            desk.sees("re-create 3 phone call events");
            desk.sees_wrapped("something stands in for 1 event, re-created all the same");
        }
        desk.do_keys("y");
        assert_eq!(desk.left("0003*210").len(), if adds { 4 } else { 3 }, "{}", desk.screen());
    }
}

#[test]
fn what_a_post_without_a_clear_answer_may_have_made_is_named_in_the_next_review() {
    let mut desk = Desk::open("the-page");
    desk.do_keys("A d y");
    let lost =
        Fault { method: Some("POST".to_owned()), nth: Some(2), reset: true, ..Fault::default() };
    desk.simulator.with_world(|world| world.add_fault(lost));
    desk.do_keys("z y");
    desk.simulator.with_world(callsweep::simulator::World::clear_faults);
    assert_eq!(desk.left("0003*210").len(), 2, "{}", desk.screen());
    desk.do_keys("z");
    desk.sees("re-create 1 phone call event");
    desk.sees_wrapped("1 event may be made twice, as an earlier POST had no clear answer");
}
