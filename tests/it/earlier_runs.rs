//! `W`: the runs of before, after a restart of the program: shown, undone, gone on with, told in a
//! receipt.

use callsweep::simulator::{Fault, World};

use crate::desk::{Desk, Setting};
use crate::run_files;

const PAGE: &str = "the-page";

/// A session after one in which this was done; the PBX is the same.
fn after(keys: &str, scenario: &str) -> Desk {
    let mut desk = Desk::open(scenario);
    desk.do_keys(keys);
    desk.becomes("@me");
    desk
}

#[test]
fn a_run_of_before_is_listed_shown_and_undone_with_four_keys() {
    for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
        let mut desk = after("space d y", PAGE);
        desk.resize(columns, rows);
        assert!(desk.left("0003*210").is_empty());
        desk.do_keys("W");
        desk.sees("Runs on");
        desk.sees("delete  3 deleted");
        desk.do_keys("enter");
        desk.sees("3 Earlier delete");
        desk.sees("finished: 3 deleted");
        desk.do_keys("z y");
        assert_eq!(desk.left("0003*210").len(), 3, "W Enter z y");
        desk.do_keys("W");
        desk.sees("undone by");
    }
}

/// After a run that disabled two events, of which somebody deleted one and changed none.
fn changed_and_gone() -> Desk {
    let desk = after("space x y", PAGE);
    desk.simulator
        .with_world(|world| drop(world.extension_mut("0003*210").unwrap().events.remove(1)));
    desk
}

#[test]
fn what_cannot_be_written_back_is_named_in_the_review_and_counted_nowhere() {
    let mut desk = changed_and_gone();
    desk.do_keys("W z");
    desk.sees("UNDO: write back 1 phone call event on");
    desk.sees("1 call, by its id, on 1 extension");
    desk.sees("! 1 event cannot be written back");
    desk.sees("Dial-Out Asds2qw2frtabmFj8gNWq3hsiGNYyq: no longer listed under its id");
    desk.sees("1 of 1");
    desk.does_not_see("on → on");
    desk.do_keys("v");
    desk.sees("1/1 PUT");
    desk.does_not_see("phoneCallEvents/1");
    desk.do_keys("y");
    desk.sees("1 restored, 1 unknown");

    // Of the other alone nothing is left to be said yes to.
    desk.do_keys("W z");
    desk.sees("UNDO: write back 0 phone call events on");
    let files = desk.run_files();
    desk.do_keys("y");
    desk.sees("no event can be written back: n closes this review");
    assert_eq!(desk.run_files(), files);
}

#[test]
fn the_calls_of_an_undo_are_copied_with_what_they_send() {
    let mut desk = after("space d y", PAGE);
    let lines = desk.copies("W z", "c");
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.contains("-X POST") && lines.contains(r#""type":"0""#), "{lines}");
    assert!(
        lines.contains(r#""url":"https://crm.acme.test/in?src=pbx&ext=0003%2A210""#),
        "{lines}"
    );
    let mut desk = changed_and_gone();
    let lines = desk.copies("W z", "c");
    assert_eq!(lines.lines().count(), 1);
    assert!(lines.contains(r#"-d '{"status":"1"}'"#), "{lines}");
}

#[test]
fn z_in_the_list_is_about_the_run_under_the_cursor() {
    let mut desk = after("enter j d y", PAGE);
    desk.do_keys("1 space d y");
    assert!(desk.left("0003*210").is_empty());
    desk.becomes("@me");
    desk.do_keys("W j z y");
    assert_eq!(desk.left("0003*210").len(), 1, "the older run took one event");
}

#[test]
fn a_run_that_left_something_is_gone_on_with_in_three_keys_after_a_restart() {
    let mut desk = Desk::open(PAGE);
    desk.simulator.with_world(|world| {
        let (method, nth) = (Some("DELETE".to_owned()), Some(2));
        let code = Some("pce_access_denied".to_owned());
        world.add_fault(Fault { method, nth, status: Some(400), code, ..Fault::default() });
    });
    desk.do_keys("space d y");
    assert_eq!(desk.left("0003*210").len(), 1);
    desk.simulator.with_world(World::clear_faults);
    desk.becomes("@me");
    desk.do_keys("W");
    desk.sees("r goes on with 1");
    desk.do_keys("q");
    desk.do_keys("W r y");
    assert!(desk.left("0003*210").is_empty());
    assert_eq!(desk.run_files(), 1, "it is the same run");
}

#[test]
fn a_run_that_was_stopped_is_in_status_at_the_next_start_and_gone_on_with_there() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d");
    desk.press("y");
    desk.perform_one(); // the run file
    desk.perform_one(); // the first call
    desk.press("esc");
    desk.settle();
    let left = desk.left("0003*210").len();
    assert!((1..3).contains(&left), "{left}");
    desk.becomes("@me");
    desk.sees("3 Earlier delete");
    desk.sees(&format!("r goes on with {left}"));
    desk.do_keys("3 r y");
    assert!(desk.left("0003*210").is_empty());
    assert_eq!(desk.run_files(), 1, "it is the same run");
}

#[test]
fn the_receipt_of_a_run_of_before_takes_two_keys() {
    let mut desk = after("space d y", PAGE);
    desk.do_keys("W E");
    desk.sees_wrapped("receipt written:");
}

#[test]
fn a_change_of_before_tells_old_and_new_of_every_event_and_goes_on_and_back_from_there() {
    for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
        let mut desk = Desk::open(PAGE);
        desk.simulator.with_world(|world| {
            let (method, nth) = (Some("PUT".to_owned()), Some(2));
            let code = Some("pce_access_denied".to_owned());
            world.add_fault(Fault { method, nth, status: Some(400), code, ..Fault::default() });
        });
        desk.do_keys("space x y");
        desk.simulator.with_world(World::clear_faults);
        desk.becomes("@me");
        desk.resize(columns, rows);
        desk.do_keys("W enter");
        desk.sees("3 Earlier change");
        desk.sees("1 changed, 1 refused");
        let screen = desk.screen();
        let rows: Vec<&str> = screen.lines().filter(|row| row.contains(" → off")).collect();
        let told = |word: &str| rows.iter().any(|row| row.contains(word));
        assert!(told("refused") && told("changed"), "{screen}");
        desk.do_keys("r");
        desk.sees("GO ON: DISABLE 1 phone call event");
        desk.do_keys("y");
        assert_eq!((off(&desk), desk.run_files()), (3, 1));
        desk.becomes("@me");
        desk.do_keys("W z y");
        assert_eq!(off(&desk), 1, "one was off before");
        // Of the undo nothing is left, and the screen says so.
        desk.becomes("@me");
        desk.do_keys("W enter r");
        desk.sees("cannot be gone on with: nothing of it is left");
        desk.does_not_see("callsweep undo");
    }
}

fn off(desk: &Desk) -> usize {
    desk.simulator.with_world(|world| {
        let all = world.extensions().flat_map(|each| each.events.iter());
        all.filter(|event| event.status == 0).count()
    })
}

#[test]
fn files_that_cannot_be_used_are_named_behind_the_runs_and_hide_none_of_them() {
    let mut desk = after("space d y", PAGE);
    let whole = std::fs::read(first_file(&desk)).unwrap();
    run_files::scatter(&desk.runs(), &whole);
    desk.do_keys("W");
    desk.sees("delete  3 deleted");
    desk.sees(&format!("· {} damaged or foreign files", run_files::SCATTERED.len()));
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen.push(desk.screen());
        desk.do_keys("j");
    }
    let flowing = |text: &str| text.replace(|it: char| it.is_whitespace() || "║│".contains(it), "");
    for (name, why) in run_files::SCATTERED {
        let rows = seen[19].lines().filter(|line| line.contains("! ") && line.contains(name));
        assert_eq!(rows.count(), 1, "{name}\n{}", seen[19]);
        let told = flowing(&format!("{name} {why}"));
        assert!(seen.iter().any(|screen| flowing(screen).contains(&told)), "{told}\n{}", seen[19]);
    }
    desk.do_keys("g g z y");
    assert_eq!(desk.left("0003*210").len(), 3);
}

/// The file of the only run.
fn first_file(desk: &Desk) -> std::path::PathBuf {
    std::fs::read_dir(desk.runs()).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn a_list_without_runs_says_so_and_closes() {
    let mut desk = Desk::with(PAGE, Setting::default());
    desk.do_keys("W");
    desk.sees("no run of this PBX is on this machine yet");
    desk.do_keys("z");
    desk.sees("this session has no run yet; W lists earlier runs");
    desk.do_keys("W q");
    desk.does_not_see("Runs on");
}
