//! Which run a command is about: by name, by its beginning, `latest`, or a path; whatever the files are
//! called, and whatever lies among them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callsweep::simulator::{Fault, World};
use serde_json::Value;

use crate::desk::{Desk, Setting};
use crate::headless::{Pbx, configure, named};
use crate::resume::{killed, run_of};
use crate::run_files::summed;

const PAGE: [&str; 4] = ["delete", "--extension=0003*210", "--yes", "--format=json"];

fn runs_of(pbx: &Pbx) -> PathBuf {
    pbx.home.path().join(".local/state/callsweep/runs")
}

/// A run that took the page's three events, and its undo.
fn done_and_undone() -> (Pbx, String, String) {
    let pbx = named("the-page");
    let run = pbx.run(&PAGE).document()["run"].as_str().unwrap().to_owned();
    let undo = pbx.run(&["undo", &run, "--yes", "--format=json"]);
    assert_eq!(undo.code, 0, "{}", undo.err);
    let undo = undo.document()["run"].as_str().unwrap().to_owned();
    (pbx, run, undo)
}

/// Gives a run another name and another time.
fn pretend(pbx: &Pbx, run: &str, name: &str, started: &str) {
    let path = runs_of(pbx).join(format!("{run}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let mut head: Value = serde_json::from_str(first).unwrap();
    head.as_object_mut().unwrap().remove("sum");
    let was = head["started"].as_str().unwrap().to_owned();
    let body = first.rsplit_once(",\"sum\"").unwrap().0.replace(&was, started);
    fs::write(runs_of(pbx).join(format!("{name}.jsonl")), summed(&body) + "\n" + rest).unwrap();
    fs::remove_file(path).unwrap();
}

fn shown(pbx: &Pbx, run: &str) -> Value {
    let said = pbx.run(&["show", run, "--format=json"]);
    assert_eq!(said.code, 0, "{run}: {}", said.err);
    said.document()["run"].clone()
}

#[test]
fn the_beginning_of_a_name_is_enough_and_one_of_several_names_them() {
    let (pbx, run, undo) = done_and_undone();
    pretend(&pbx, &run, "20260101T000000Z-test", "2026-01-01T00:00:00.000Z");
    pretend(&pbx, &undo, "20260102T000000Z-test", "2026-01-02T00:00:00.000Z");
    assert_eq!(shown(&pbx, "20260102"), "20260102T000000Z-test");
    assert_eq!(shown(&pbx, "20260101T000000Z-test"), "20260101T000000Z-test");
    for command in [&["show"][..], &["undo", "--yes"], &["resume", "--yes"]] {
        let said = pbx.run(&[command, &["2026"]].concat());
        assert_eq!(said.code, 2, "{}", said.err);
        for part in ["begins the names of 2 runs", "20260101T000000Z-test", "20260102T000000Z-test"]
        {
            assert!(said.err.contains(part), "{}", said.err);
        }
        let said = pbx.run(&[command, &[""]].concat());
        assert_eq!(said.code, 2, "an empty variable means no run: {}", said.err);
    }
    // A name that is whole is meant, also where another one begins with it.
    fs::copy(
        runs_of(&pbx).join("20260101T000000Z-test.jsonl"),
        runs_of(&pbx).join("20260101T000000Z-test-2.jsonl"),
    )
    .unwrap();
    assert_eq!(shown(&pbx, "20260101T000000Z-test"), "20260101T000000Z-test");
}

#[test]
fn latest_is_the_newest_run_of_this_pbx_that_is_no_undo_by_what_the_files_say() {
    let (pbx, run, undo) = done_and_undone();
    assert_eq!(shown(&pbx, "latest"), run.as_str());
    let second = pbx.run(&PAGE).document()["run"].as_str().unwrap().to_owned();
    // The names say the contrary.
    pretend(&pbx, &run, "20990101T000000Z-test", "2026-01-01T00:00:00.000Z");
    pretend(&pbx, &undo, "20980101T000000Z-test", "2026-01-02T00:00:00.000Z");
    pretend(&pbx, &second, "20000101T000000Z-test", "2026-01-03T00:00:00.000Z");
    let listed = pbx.run(&["runs", "--format=json"]).document();
    let listed: Vec<_> = listed["runs"].as_array().unwrap().iter().map(|run| &run["run"]).collect();
    assert_eq!(listed, ["20000101T000000Z-test", "20980101T000000Z-test", "20990101T000000Z-test"]);
    assert_eq!(shown(&pbx, "latest"), "20000101T000000Z-test");
    let said = pbx.run(&["undo", "latest", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
    // Another PBX has none.
    let other = named("the-page");
    configure(&pbx.home, &other.simulator.origin(), "");
    for command in ["show", "undo", "resume"] {
        let said = pbx.run(&[command, "latest"]);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains("there is no run of"), "{}", said.err);
    }
}

#[test]
fn a_path_of_a_run_file_is_that_run() {
    let pbx = named("the-page");
    let run = pbx.run(&PAGE).document()["run"].as_str().unwrap().to_owned();
    let path = runs_of(&pbx).join(format!("{run}.jsonl"));
    let path = path.to_str().unwrap();
    assert_eq!(shown(&pbx, path), run.as_str());
    let elsewhere = pbx.home.path().join("kept.jsonl");
    fs::copy(path, &elsewhere).unwrap();
    let elsewhere = elsewhere.to_str().unwrap();
    assert_eq!(shown(&pbx, elsewhere), "kept");
    for none in
        ["/", "/dev/null", "/dev/zero.jsonl", "nothing.jsonl", "a/../b.jsonl", "/etc/passwd"]
    {
        let said = pbx.run(&["show", none]);
        assert_eq!(said.code, 2, "{none}: {}", said.err);
    }
    let said = pbx.run(&["undo", path, "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(pbx.simulator.with_world(|world: &mut World| world.event_count()), 3);
}

/// The only run file, moved to a folder of its own.
fn moved(pbx: &Pbx) -> PathBuf {
    let run = run_of(pbx);
    let folder = pbx.home.path().join("kept");
    fs::create_dir(&folder).unwrap();
    let path = folder.join(format!("{run}.jsonl"));
    fs::rename(runs_of(pbx).join(format!("{run}.jsonl")), &path).unwrap();
    path
}

#[test]
fn a_run_file_that_lies_elsewhere_is_undone_and_its_undo_lies_among_the_runs() {
    let pbx = named("the-page");
    assert_eq!(pbx.run(&PAGE).code, 0);
    let path = moved(&pbx);
    let before = fs::read(&path).unwrap();
    let path = path.to_str().unwrap();
    let refuses = Fault {
        method: Some("POST".to_owned()),
        path: Some("phoneCallEvents".to_owned()),
        nth: Some(2),
        status: Some(403),
        ..Fault::default()
    };
    pbx.simulator.with_world(|world| world.add_fault(refuses));
    let said = pbx.run(&["undo", path, "--yes"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains(&format!("callsweep undo {path} goes on with 1")), "{}", said.err);
    pbx.simulator.with_world(World::clear_faults);
    let undo = run_of(&pbx);
    assert_eq!(pbx.run(&["undo", path, "--yes"]).code, 0);
    assert_eq!((run_of(&pbx), fs::read(path).unwrap()), (undo, before), "one undo, one file");
    assert_eq!(pbx.simulator.with_world(|world: &mut World| world.event_count()), 3);
    let again = pbx.run(&["undo", path, "--yes"]);
    assert_eq!(again.code, 4, "{}", again.err);
}

#[test]
fn a_run_file_that_lies_elsewhere_is_gone_on_with_where_it_lies() {
    let pbx = killed(false);
    let path = moved(&pbx);
    let before = fs::read_to_string(&path).unwrap();
    let path = path.to_str().unwrap();
    let said = pbx.run(&["resume", path, "--yes", "--format=json"]);
    assert_eq!((said.code, said.document()["summary"]["deleted"].as_u64()), (0, Some(3)));
    let after = fs::read_to_string(path).unwrap();
    assert!(after.starts_with(&before) && after.contains("finished"), "{after}");
    assert_eq!(fs::read_dir(runs_of(&pbx)).unwrap().count(), 0);
    assert_eq!(pbx.run(&["undo", path, "--yes"]).code, 0);
    assert_eq!(pbx.simulator.with_world(|world: &mut World| world.event_count()), 3);
}

#[test]
fn an_undo_that_lies_beside_its_run_elsewhere_counts_and_another_run_of_the_same_name_does_not() {
    let pbx = named("the-page");
    assert_eq!(pbx.run(&PAGE).code, 0);
    let path = moved(&pbx);
    let run = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let path = path.to_str().unwrap();
    assert_eq!(pbx.run(&["undo", path, "--yes"]).code, 0);
    let undo = format!("{}.jsonl", run_of(&pbx));
    fs::rename(runs_of(&pbx).join(&undo), Path::new(path).with_file_name(&undo)).unwrap();
    let said = pbx.run(&["undo", path, "--yes"]);
    assert_eq!(said.code, 4, "{}", said.err);
    assert_eq!(pbx.run(&["delete", "--extension=0003*210", "--type=0", "--yes"]).code, 0);
    let other = format!("{}.jsonl", run_of(&pbx));
    fs::rename(runs_of(&pbx).join(other), runs_of(&pbx).join(format!("{run}.jsonl"))).unwrap();
    for command in ["undo", "resume"] {
        let said = pbx.run(&[command, path, "--yes"]);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains("rename it"), "{}", said.err);
    }
}

#[test]
fn what_is_huge_is_named_and_holds_nothing_up() {
    let pbx = named("the-page");
    let run = pbx.run(&PAGE).document()["run"].as_str().unwrap().to_owned();
    let sparse = |name: &str, length: u64| {
        let file = File::create(runs_of(&pbx).join(name)).unwrap();
        file.set_len(length).unwrap();
    };
    sparse("20260101T000000Z-huge.jsonl", 1 << 40);
    sparse("20260101T000000Z-zeros.jsonl", 1 << 26);
    let asked = Instant::now();
    let said = pbx.run(&["runs", "--format=json"]);
    assert!(said.err.contains("-huge.jsonl is larger than 4 GiB"), "{}", said.err);
    assert!(said.err.contains("-zeros.jsonl"), "{}", said.err);
    assert_eq!(said.document()["runs"].as_array().unwrap().len(), 1);
    for odd in ["20260101T000000Z-huge", "20260101T000000Z-zeros"] {
        for command in ["show", "undo", "resume"] {
            assert_eq!(pbx.run(&[command, odd]).code, 2, "{command} {odd}");
        }
    }
    assert_eq!(pbx.run(&["undo", &run, "--yes"]).code, 0);
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
}

#[test]
fn a_start_names_what_lies_among_the_run_files_and_does_not_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("r");
    fs::create_dir(&runs).unwrap();
    let pipe = runs.join("20260101T000000Z-a.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::write(runs.join("note"), "").unwrap();
    let mut desk = Desk::with("the-page", Setting { runs: Some(runs), ..Setting::default() });
    desk.do_keys("3");
    desk.sees_wrapped("20260101T000000Z-a.jsonl is a pipe: remove it, and 1 more");
}
