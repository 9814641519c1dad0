//! Run files are removed by nobody but who asks for it, and what a way back needs stays.

use std::fs;
use std::path::PathBuf;

use callsweep::simulator::Fault;
use serde_json::Value;

use crate::headless::{Pbx, Said, named};
use crate::session::Session;

fn runs_of(pbx: &Pbx) -> PathBuf {
    pbx.home.path().join(".local/state/callsweep/runs")
}

fn left(pbx: &Pbx) -> Vec<String> {
    callsweep::journal::names(&runs_of(pbx)).unwrap()
}

fn deleted(pbx: &Pbx) -> String {
    let said = pbx.run(&["delete", "--extension=0003*210", "--yes", "--format=json"]);
    said.document()["run"].as_str().unwrap().to_owned()
}

fn undone(pbx: &Pbx) -> (String, String) {
    let run = deleted(pbx);
    let said = pbx.run(&["undo", &run, "--yes", "--format=json"]);
    (run, said.document()["run"].as_str().unwrap().to_owned())
}

fn kept(said: &Said) -> Vec<String> {
    let kept = said.document()["kept"].as_array().unwrap().clone();
    kept.iter().map(|one| format!("{}: {}", one["run"], one["why"])).collect()
}

#[test]
fn a_run_that_is_undone_goes_with_its_undo_and_only_once_somebody_says_yes() {
    let pbx = named("the-page");
    let (run, undo) = undone(&pbx);
    let said = pbx.run(&["runs", "--remove", &run, "--format=json"]);
    assert_eq!((said.code, left(&pbx).len()), (4, 2), "{}", said.err);
    assert!(said.err.contains("pass --yes") && said.err.contains(&undo), "{}", said.err);
    let document = said.document();
    assert_eq!(
        (&document["removed"], &document["runs"][0]["run"]),
        (&false.into(), &run.as_str().into())
    );
    // The undo alone would be missed by its run.
    let said = pbx.run(&["runs", "--remove", &undo, "--yes", "--format=json"]);
    assert_eq!((said.code, left(&pbx).len()), (4, 2), "{}", said.err);
    assert!(kept(&said)[0].contains("an undo goes with its run"), "{}", said.out);
    let said = pbx.run(&["runs", "--remove", "latest", "--yes", "--format=json"]);
    assert_eq!((said.code, left(&pbx)), (0, vec![]), "{}", said.err);
    let removed = said.document()["runs"].as_array().unwrap().clone();
    assert_eq!(removed.iter().map(|run| &run["run"]).collect::<Vec<_>>(), [&run, &undo]);
    assert_eq!(said.document()["removed"], true);
}

#[test]
fn what_has_something_not_back_or_was_interrupted_stays_unless_it_is_forced() {
    let pbx = named("the-page");
    let run = deleted(&pbx);
    let said = pbx.run(&["runs", "--remove", &run, "--yes"]);
    assert_eq!((said.code, left(&pbx).len()), (4, 1), "{}", said.err);
    let why = "3 events of it are not back: callsweep undo ";
    assert!(said.err.contains(why) && said.err.contains("--force"), "{}", said.err);
    // An undo that did not give all back.
    pbx.simulator.with_world(|world| {
        let method = Some("POST".into());
        world.add_fault(Fault { method, nth: Some(1), status: Some(404), ..Fault::default() });
    });
    assert_ne!(pbx.run(&["undo", &run, "--yes"]).code, 0);
    let said = pbx.run(&["runs", "--remove", &run, "--yes"]);
    assert!(said.err.contains("1 event of it is not back"), "{}", said.err);
    assert_eq!((said.code, left(&pbx).len()), (4, 2));
    // Cut off in the middle.
    let path = runs_of(&pbx).join(format!("{run}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    let cut: Vec<&str> = text.lines().take(6).collect();
    fs::write(&path, cut.join("\n") + "\n").unwrap();
    let said = pbx.run(&["runs", "--remove", &run, "--yes"]);
    assert!(said.err.contains("was interrupted"), "{}", said.err);
    let said = pbx.run(&["runs", "--remove", &run, "--yes", "--force"]);
    assert_eq!((said.code, left(&pbx)), (0, vec![]), "{}", said.err);
    assert!(said.out.contains("2 run files removed"), "{}", said.out);
}

#[test]
fn what_is_going_on_stays_whatever_is_said() {
    let pbx = named("the-page");
    let run = deleted(&pbx);
    let path = runs_of(&pbx).join(format!("{run}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    let cut: Vec<&str> = text.lines().take(6).collect();
    fs::write(&path, cut.join("\n") + "\n").unwrap();
    let busy = fs::File::open(&path).unwrap();
    busy.lock().unwrap();
    let said = pbx.run(&["runs", "--remove", &run, "--yes", "--force"]);
    assert_eq!((said.code, left(&pbx).len()), (4, 1), "{}", said.err);
    assert!(said.err.contains("is going on right now"), "{}", said.err);
}

/// The file of a run as if it had begun then.
fn pretend(pbx: &Pbx, run: &str, started: &str) {
    let path = runs_of(pbx).join(format!("{run}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let body = first.rsplit_once(",\"sum\":").unwrap().0;
    let (before, after) = body.split_once("\"started\":\"").unwrap();
    let after = after.split_once('"').unwrap().1;
    let body = format!("{before}\"started\":\"{started}\"{after}");
    fs::write(&path, format!("{}\n{rest}", crate::run_files::summed(&body))).unwrap();
}

#[test]
fn what_began_before_a_day_goes_together_and_what_stays_is_named() {
    let pbx = named("the-page");
    let (first, its_undo) = undone(&pbx);
    let (second, later_undo) = undone(&pbx);
    let third = deleted(&pbx);
    for (run, day) in [(&first, "01"), (&its_undo, "02"), (&second, "03"), (&third, "04")] {
        pretend(&pbx, run, &format!("2024-05-{day}T12:00:00.000Z"));
    }
    pretend(&pbx, &later_undo, "2024-07-01T12:00:00.000Z");
    let said = pbx.run(&["runs", "--remove", "--before=2024-04", "--format=json"]);
    assert_eq!((said.code, said.document()["runs"].as_array().unwrap().len()), (0, 0));
    let other = pbx.run(&["runs", "--remove", "--before=2024-06", "--yes", "--profile=other"]);
    assert_eq!((other.code, left(&pbx).len()), (0, 5), "{}", other.err);
    let said = pbx.run(&["runs", "--remove", "--before", "2024-06-01", "--yes", "--format=json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let gone: Vec<Value> = said.document()["runs"].as_array().unwrap().clone();
    assert_eq!(gone.iter().map(|run| &run["run"]).collect::<Vec<_>>(), [&first, &its_undo]);
    let kept = kept(&said);
    assert!(kept.iter().any(|why| why.contains("did not begin before that date")), "{kept:?}");
    assert!(kept.iter().any(|why| why.contains("are not back")), "{kept:?}");
    assert_eq!(left(&pbx).len(), 3);
}

#[test]
fn nothing_is_removed_where_nobody_says_what() {
    let pbx = named("the-page");
    let (run, _) = undone(&pbx);
    let outside = pbx.home.path().join("kept.jsonl");
    fs::copy(runs_of(&pbx).join(format!("{run}.jsonl")), &outside).unwrap();
    for arguments in [
        &["--remove"][..],
        &["--remove", &run, "--before", "2099-01-01"],
        &["--remove", "--before", "soon"],
        &["--remove", "--before", ""],
        &["--remove", ""],
        &["--remove", "2"],
        &["--remove", "nothing"],
        &["--remove", outside.to_str().unwrap()],
        &["--before", "2099-01-01", "--yes"],
        &["--force", "--yes"],
        &["--yes"],
    ] {
        let all = [&["runs"], arguments, &["--format=json"]].concat();
        let said = pbx.run(&all);
        assert_eq!((said.code, left(&pbx).len()), (2, 2), "{arguments:?}: {}", said.err);
        assert!(said.document()["error"].is_string(), "{arguments:?}: {}", said.out);
    }
    assert!(outside.exists());
}

#[test]
fn at_a_terminal_only_y_removes() {
    let pbx = named("the-page");
    let (run, undo) = undone(&pbx);
    for (answer, code, files) in [("\r", 4, 2), ("n\r", 4, 2), ("y\r", 0, 0)] {
        let mut session = Session::start(pbx.home.path(), &["runs", "--remove", &run], &[]);
        session.sees(&undo);
        session.sees("be shown or undone? [y/N]");
        assert_eq!(left(&pbx).len(), 2);
        session.press(answer);
        assert_eq!((session.ends(), left(&pbx).len()), (code, files), "{answer:?}");
    }
}

#[test]
fn what_was_refused_and_never_looked_for_again_may_be_gone_and_stays() {
    let pbx = named("the-page");
    pbx.simulator.with_world(|world| {
        let (method, code) = (Some("DELETE".into()), Some("pce_access_denied".into()));
        world.add_fault(Fault { method, status: Some(400), code, ..Fault::default() });
    });
    let run = deleted(&pbx);
    let path = runs_of(&pbx).join(format!("{run}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    // Of the closing listing nothing was written.
    let unchecked: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("{\"line\":\"verified\"")).collect();
    for (text, code) in [(unchecked.join("\n") + "\n", 4), (text.clone(), 0)] {
        fs::write(&path, text).unwrap();
        let said = pbx.run(&["runs", "--remove", &run, "--yes"]);
        assert_eq!(said.code, code, "{}", said.err);
    }
}
