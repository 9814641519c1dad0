//! Whoever asks a command for a document gets one, valid and with every field, also where nothing could
//! be done.

use callsweep::simulator::{Fault, World};
use serde_json::Value;

use crate::headless::{Pbx, Said, configure, named};

const PAGE: &str = "--extension=0003*210";

/// The one document on standard output, with every field of the contract and nothing done.
fn nothing_done(said: &Said, code: i32, about: &[&str]) -> Value {
    assert_eq!(said.code, code, "{about:?}: {}", said.err);
    let document: Value = serde_json::from_str(&said.out)
        .unwrap_or_else(|error| panic!("{about:?}: {error}: {:?} {}", said.out, said.err));
    for field in [
        "run",
        "plan_hash",
        "dry_run",
        "calls",
        "outcomes",
        "surplus",
        "summary",
        "verified",
        "stopped_by",
    ] {
        assert!(document.get(field).is_some(), "{about:?}: no {field}: {document}");
    }
    let outcomes = document["outcomes"].as_array().unwrap();
    assert!(outcomes.iter().all(|line| line["outcome"] == "not_sent"), "{document}");
    assert_eq!(document["summary"]["not_sent"], outcomes.len(), "{document}");
    assert_eq!(document["verified"], false);
    let error = document["error"].as_str().unwrap_or_default();
    // Without a configuration three lines say how to begin, in place of the sentence.
    let told = said.err.contains(error) || said.err.starts_with("try it:");
    assert!(!error.is_empty() && told, "{about:?}: {error:?} {}", said.err);
    document
}

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [base, more, &["--format=json"]].concat()
}

fn untouched(pbx: &Pbx) {
    assert!(!pbx.requests().iter().any(|request| request.starts_with("DELETE")));
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
}

#[test]
fn a_deletion_that_is_refused_prints_its_document() {
    let pbx = named("the-page");
    for (arguments, code, planned) in [
        (&["delete", PAGE][..], 4, 3),
        (&["delete", PAGE, "--yes", "--read-only"], 4, 3),
        (&["delete", "--where=type:3", "--yes"], 4, 0),
        (&["delete", PAGE, "--id=gone", "--yes"], 2, 0),
        (&["delete", "--yes"], 2, 0),
        (&["delete", PAGE, "--where=ext:*", "--yes"], 2, 0),
        (&["delete", "--where=", "--yes"], 2, 0),
        (&["delete", "--where=\"\"", "--yes"], 2, 0),
        (&["delete", PAGE, "--id=", "--yes"], 2, 0),
        (&["delete", PAGE, "--id=../..", "--yes"], 2, 0),
        (&["delete", "--extension=0003*999", "--yes"], 2, 0),
        (&["delete", "--extension=", "--yes"], 2, 0),
        (&["delete", PAGE, "--yes", "--profile=nobody"], 2, 0),
        (&["delete", PAGE, "--yes", "--config=/nowhere"], 2, 0),
    ] {
        let said = pbx.run(&with(arguments, &[]));
        let document = nothing_done(&said, code, arguments);
        assert_eq!(document["outcomes"].as_array().unwrap().len(), planned, "{document}");
        assert_eq!(document["plan_hash"].is_string(), planned > 0, "{document}");
        assert_eq!(document["dry_run"], false);
    }
    configure(&pbx.home, &pbx.simulator.origin(), "max_delete = 2");
    nothing_done(&pbx.run(&with(&["delete", PAGE, "--yes"], &[])), 4, &["max_delete"]);
    configure(&pbx.home, &pbx.simulator.origin(), "protected = \"yes\"");
    nothing_done(&pbx.run(&with(&["delete", PAGE, "--yes"], &[])), 2, &["wrong type"]);
    configure(&pbx.home, "http://127.0.0.1:1", "");
    nothing_done(&pbx.run(&with(&["delete", "--where=ext:*", "--yes"], &[])), 1, &["no service"]);
    untouched(&pbx);
}

#[test]
fn a_deletion_without_a_place_for_its_run_file_prints_its_document() {
    let pbx = named("the-page");
    let state = pbx.home.path().join(".local/state");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("callsweep"), "in the way").unwrap();
    let said = pbx.run(&with(&["delete", PAGE, "--yes"], &[]));
    let document = nothing_done(&said, said.code, &["delete"]);
    assert!(said.code == 1 || said.code == 4, "{}", said.err);
    assert_eq!(document["summary"]["not_sent"], 3);
    for command in [&["runs"][..], &["show", "x"], &["undo", "x"], &["resume", "x"]] {
        let said = pbx.run(&with(command, &[]));
        assert!(said.document().is_object() && said.code > 0, "{command:?}: {}", said.err);
    }
    untouched(&pbx);
}

#[test]
fn undo_resume_and_show_that_are_refused_print_their_document() {
    let pbx = named("the-page");
    for command in ["undo", "resume", "show"] {
        for run in ["nothing", "", "../..", "20260101T000000Z-x", "a b", "\u{1b}[2J"] {
            let said = pbx.run(&with(&[command, run], &[]));
            nothing_done(&said, 2, &[command, run]);
            assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'));
        }
    }
    let done = pbx.run(&with(&["delete", PAGE, "--yes"], &[])).document();
    assert_eq!(done["error"], Value::Null);
    let run = done["run"].as_str().unwrap();
    nothing_done(&pbx.run(&with(&["resume", run, "--yes"], &[])), 4, &["resume"]);
    let unsure = nothing_done(&pbx.run(&with(&["undo", run], &[])), 4, &["undo"]);
    assert_eq!(unsure["summary"]["not_sent"], 3);
    for command in ["undo", "resume"] {
        nothing_done(&pbx.run(&with(&["--demo", command, run], &[])), 2, &[command]);
    }
    assert_eq!(pbx.run(&["undo", run, "--yes"]).code, 0);
    nothing_done(&pbx.run(&with(&["undo", run, "--yes"], &[])), 4, &["undo again"]);
}

#[test]
fn a_list_that_cannot_be_made_prints_its_document() {
    let pbx = named("the-page");
    for more in [&["--profile=nobody"][..], &["--extension=x"], &["--config=/nowhere"]] {
        let said = pbx.run(&with(&["list"], more));
        let document = said.document();
        assert_eq!((said.code, &document["complete"]), (2, &false.into()), "{}", said.err);
        assert!(document["events"].as_array().unwrap().is_empty());
        assert!(document["extensions"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_run_that_a_broken_service_refuses_prints_its_document() {
    let pbx = named("the-page");
    pbx.simulator.with_world(|world: &mut World| {
        world.add_fault(Fault { status: Some(500), ..Fault::default() });
    });
    let said = pbx.run(&with(&["delete", PAGE, "--yes"], &[]));
    nothing_done(&said, 1, &["delete"]);
    untouched(&pbx);
}
