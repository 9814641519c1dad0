//! What a profile forbids is forbidden on every way in: nothing that changes an event is sent.

use callsweep::domain::WideCalls;

use crate::desk::{Desk, Setting};
use crate::headless::{Pbx, Said, command, configure, named};
use crate::resume::{killed, run_of};

/// Requests that would change events, whoever sent them.
fn writes(pbx: &Pbx) -> usize {
    let requests = pbx.requests().into_iter();
    requests.filter(|seen| !seen.starts_with("GET") && seen.contains("phoneCallEvents")).count()
}

fn changes(desk: &Desk) -> usize {
    desk.simulator.with_world(|world| {
        let seen = world.requests().iter();
        seen.filter(|seen| seen.method != "GET" && seen.target.contains("phoneCallEvents")).count()
    })
}

/// A PBX with a finished run, a run that broke off and an event that is still there.
fn office(limit: &str) -> (Pbx, String, String) {
    let pbx = killed(false);
    let broken = run_of(&pbx);
    let all = "wide_calls = []\nconcurrency = 1";
    configure(&pbx.home, &pbx.simulator.origin(), all);
    let one = ["delete", "--extension=0003*210", "--type=hangup", "--yes", "--format=json"];
    let done = pbx.run(&one).document()["run"].as_str().unwrap().to_owned();
    configure(&pbx.home, &pbx.simulator.origin(), &format!("{all}\n{limit}"));
    (pbx, done, broken)
}

#[test]
fn a_read_only_profile_sends_nothing_whatever_is_asked_of_it() {
    for (limit, flag) in [("read_only = true", None), ("", Some("--read-only"))] {
        let (pbx, done, broken) = office(limit);
        let before = writes(&pbx);
        for arguments in [
            vec!["delete", "--extension=0003*210", "--yes"],
            vec!["delete", "--extension=0003*210", "--type=dial-out", "--yes", "--format=json"],
            vec!["delete", "--where=ext:*", "--yes"],
            vec!["undo", &done, "--yes"],
            vec!["resume", &broken, "--yes"],
        ] {
            let after: Vec<&str> = arguments.iter().copied().chain(flag).collect();
            let ahead: Vec<&str> = flag.into_iter().chain(arguments.iter().copied()).collect();
            for arguments in [after, ahead] {
                let said = pbx.run(&arguments);
                assert_eq!(said.code, 4, "{arguments:?}: {}", said.err);
                assert!(said.err.contains("read-only"), "{arguments:?}: {}", said.err);
            }
        }
        for dry in [
            vec!["delete", "--where=ext:*", "--dry-run", "--yes"],
            vec!["undo", &done, "--dry-run"],
        ] {
            let arguments: Vec<&str> = dry.iter().copied().chain(flag).collect();
            assert_eq!(pbx.run(&arguments).code, 0, "{arguments:?}");
        }
        assert_eq!(writes(&pbx), before);
    }
}

#[test]
fn neither_environment_nor_flag_takes_read_only_back() {
    let (pbx, done, broken) = office("read_only = true");
    let before = writes(&pbx);
    let file = pbx.home.path().join(".config/callsweep/config.toml");
    for arguments in [
        vec!["delete", "--where=ext:*", "--yes"],
        vec!["undo", &done, "--yes"],
        vec!["resume", &broken, "--yes"],
    ] {
        let mut command = command(&pbx.home, &pbx.simulator.token(), &arguments);
        command.env("CALLSWEEP_PROFILE", "test").env("CALLSWEEP_CONFIG", &file);
        command.env("CALLSWEEP_READ_ONLY", "false").env("READ_ONLY", "0");
        let said = Said::of(command.output().unwrap());
        assert_eq!(said.code, 4, "{arguments:?}: {}", said.err);
    }
    for flag in ["--read-only=false", "--no-read-only"] {
        assert_eq!(pbx.run(&["delete", "--where=ext:*", "--yes", flag]).code, 2, "{flag}");
    }
    assert_eq!(writes(&pbx), before);
}

#[test]
fn no_key_sends_anything_from_a_read_only_screen() {
    let wide_calls = WideCalls { extension: true, event_type: true };
    let setting = Setting { read_only: true, wide_calls, ..Setting::default() };
    let mut desk = Desk::with("the-page", setting);
    for keys in ["space d y", "t y", "t y enter", "esc A d y esc", "z y", "r y", "p", "d y y"] {
        desk.do_keys(keys);
        desk.sees("READ-ONLY");
    }
    assert_eq!((changes(&desk), desk.run_files(), desk.left("0003*210").len()), (0, 0, 3));
}

#[test]
fn more_events_than_a_profile_allows_go_by_no_command_and_no_form() {
    let pbx = named("the-page");
    let wide = "max_delete = 2\nwide_calls = [\"extension\", \"type\"]";
    configure(&pbx.home, &pbx.simulator.origin(), wide);
    for arguments in [
        vec!["delete", "--extension=0003*210", "--yes"],
        vec!["delete", "--extension=0003*210", "--dry-run"],
        vec!["delete", "--where=ext:*", "--yes"],
    ] {
        let said = pbx.run(&arguments);
        assert_eq!(said.code, 4, "{arguments:?}: {}", said.err);
        assert!(said.err.contains("at most 2"), "{arguments:?}: {}", said.err);
    }
    assert_eq!(writes(&pbx), 0);
}

#[test]
fn a_run_that_broke_off_goes_on_only_within_the_limit_in_force_and_stays_open_till_then() {
    let pbx = killed(false);
    let run = run_of(&pbx);
    configure(&pbx.home, &pbx.simulator.origin(), "max_delete = 1");
    let before = writes(&pbx);
    let said = pbx.run(&["resume", &run, "--yes"]);
    assert_eq!((said.code, writes(&pbx)), (4, before), "{}", said.err);
    assert!(said.err.contains("at most 1"), "{}", said.err);
    configure(&pbx.home, &pbx.simulator.origin(), "max_delete = 2");
    let said = pbx.run(&["resume", &run, "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn the_way_back_is_not_limited() {
    let pbx = named("the-page");
    let said = pbx.run(&["delete", "--extension=0003*210", "--yes", "--format=json"]);
    let run = said.document()["run"].as_str().unwrap().to_owned();
    configure(&pbx.home, &pbx.simulator.origin(), "max_delete = 1");
    let said = pbx.run(&["undo", &run, "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
}

#[test]
fn no_key_deletes_more_than_the_profile_allows() {
    let mut desk = Desk::with("the-page", Setting { max_delete: 2, ..Setting::default() });
    for keys in ["space d", "y", "t y", "esc A d y", "r y", "z y", "M d y"] {
        desk.do_keys(keys);
    }
    desk.sees("3 marked");
    assert_eq!((changes(&desk), desk.run_files(), desk.left("0003*210").len()), (0, 0, 3));
    desk.do_keys("U enter j space d y");
    assert_eq!(desk.left("0003*210").len(), 2, "one is within the limit");
}
