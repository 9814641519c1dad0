//! What terminals say of themselves is no key, and keeps no key from being heard.

use std::time::{Duration, Instant};

use callsweep::simulator::World;

use crate::full_disk::crowded;
use crate::session::{PATIENCE, Session};
use crate::unseen::Office;

/// Answers and reports of terminals as they come, with what a terminal is asked for in front.
const REPORTS: &[(&str, &[u8])] = &[
    ("OSC 52, BEL", b"\x1b]52;c;dGhlIGN1c3RvbWVy\x07"),
    ("OSC 52, ST", b"\x1b]52;c;ZHlkeWR5ZHk=\x1b\\"),
    ("OSC 10, BEL", b"\x1b]10;rgb:dddd/dddd/dddd\x07"),
    ("OSC 10, ST", b"\x1b]10;rgb:dddd/dddd/dddd\x1b\\"),
    ("OSC 11, BEL", b"\x1b]11;rgb:0000/0000/0000\x07"),
    ("OSC 11, ST", b"\x1b]11;rgb:adad/adad/yyyy\x1b\\"),
    ("OSC 12, ST", b"\x1b]12;rgb:dddd/yyyy/dddd\x1b\\"),
    ("OSC 4, BEL", b"\x1b]4;1;rgb:cdcd/0000/0000\x07"),
    ("OSC 4, ST", b"\x1b]4;1;rgb:cdcd/dddd/dddd\x1b\\"),
    ("OSC, 8 bit", b"\x9d52;c;ZHlkeQ==\x9c"),
    ("XTVERSION", b"\x1bP>|XTerm(370) dyddy\x1b\\"),
    ("XTVERSION, 8 bit", b"\x90>|XTerm(370) dyddy\x9c"),
    ("DA1", b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c"),
    ("DA1, 8 bit", b"\x9b?62;22c"),
    ("DA2", b"\x1b[>0;276;0c"),
    ("DA3", b"\x1bP!|7E565445\x1b\\"),
    ("DA3 of letters", b"\x1bP!|64646479\x1b\\"),
    ("XTGETTCAP", b"\x1bP1+r544e=787465726d2d6b69747479\x1b\\"),
    ("XTGETTCAP, none", b"\x1bP0+r64\x1b\\"),
    ("DECRQSS", b"\x1bP1$r0 q\x1b\\"),
    ("graphics of kitty", b"\x1b_Gi=31;OK\x1b\\"),
    ("graphics of kitty, an error", b"\x1b_Gi=31;ENODATA:delay yes\x1b\\"),
    ("graphics of kitty, 8 bit", b"\x9fGi=31;ENODATA:dyd\x9c"),
    ("PM", b"\x1b^dyddy\x1b\\"),
    ("SOS", b"\x1bXdyddy\x1b\\"),
    ("DECRPM", b"\x1b[?2026;2$y"),
    ("DECRPM without ?", b"\x1b[4;2$y"),
    ("theme", b"\x1b[?997;1n"),
    ("DECXCPR", b"\x1b[?12;40;1R"),
    ("CPR", b"\x1b[12;40R"),
    ("XTSMGRAPHICS", b"\x1b[?1;0;1024S"),
    ("modifyOtherKeys", b"\x1b[>4;2m"),
    ("keys of kitty", b"\x1b[?1u"),
    ("size in cells", b"\x1b[8;24;80t"),
    ("title", b"\x1b]ldyddy\x1b\\"),
    ("focus in", b"\x1b[I"),
    ("focus out", b"\x1b[O"),
    ("mouse, X10", b"\x1b[M d!"),
    ("mouse, SGR", b"\x1b[<0;100;121M\x1b[<0;100;121m"),
    ("mouse, urxvt", b"\x1b[32;100;121M"),
    ("DSR, trouble", b"\x1b[3n"),
    ("CSI alone", b"\x1b["),
    ("CSI alone, 8 bit", b"\x9b"),
    ("CSI cut off", b"\x1b[?2026;2"),
    ("OSC cut off", b"\x1b]52;c;ZHlkeQ"),
    ("DCS cut off", b"\x1bP>|XTerm(dy"),
];

/// After this rest what was cut off is over.
const REST: Duration = Duration::from_millis(150);

fn is_cut_off(name: &str) -> bool {
    name.contains("cut off") || name.contains("alone")
}

/// Sends each report, and sees that the next key is heard as that key.
fn each_is_followed_by_a_key_that_is_heard(session: &mut Session) {
    for (name, report) in REPORTS {
        session.sends(report);
        if is_cut_off(name) {
            session.rests(REST);
        }
        let give_up = Instant::now() + PATIENCE;
        for (key, is_open) in [("?", true), ("\x1b[11~", false)] {
            session.press(key);
            while session.contents().contains("What can be done here") != is_open {
                let late = Instant::now() > give_up;
                assert!(!late, "after {name} {key:?} is not heard:\n{}", session.contents());
                session.reads_for(Duration::from_millis(10));
            }
        }
        assert!(!session.contents().contains("╔"), "{name}:\n{}", session.contents());
    }
}

#[test]
fn in_the_panels_a_report_is_no_key_and_the_next_key_is_heard() {
    let office = Office::small();
    let mut session = office.opens();
    session.press("\rj");
    session.sees(">  [ ]");
    each_is_followed_by_a_key_that_is_heard(&mut session);
    office.is_untouched("reports in the panels", &session);
    assert!(session.contents().contains(" 0 marked"), "{}", session.contents());
    assert!(session.contents().contains(">  [ ]"), "{}", session.contents());
    session.press("q");
    session.press("q");
    assert_eq!(session.ends(), 0);
}

#[test]
fn in_a_review_a_report_answers_nothing_and_does_not_close_it() {
    let office = Office::small();
    let mut session = office.opens();
    session.press(" d");
    session.sees("n cancels.");
    for (name, report) in REPORTS {
        session.sends(report);
        session.reads_for(if is_cut_off(name) { REST } else { Duration::from_millis(40) });
        let there = session.contents().contains("DELETE 3 phone call events");
        assert!(there, "{name}:\n{}", session.contents());
        office.is_untouched(name, &session);
    }
    session.press("\x1b");
    session.sees("cancelled: nothing was sent");
    session.press("d");
    session.says_yes();
    session.sees("finished: 3 deleted");
}

#[test]
fn in_a_review_a_report_starts_the_moment_anew_in_which_nothing_may_arrive() {
    let office = Office::small();
    let mut session = office.opens();
    session.press(" ");
    // A test that is held up itself lets a moment pass in which nothing arrives, and begins again.
    for _ in 0..50 {
        session.press("d");
        let (mut last, mut pause) = (Instant::now(), Duration::ZERO);
        session.sees("DELETE 3 phone call events");
        for _ in 0..30 {
            session.sends(b"\x1b[?997;1n");
            pause = pause.max(last.elapsed());
            last = Instant::now();
            session.reads_for(Duration::from_millis(30));
        }
        if pause.max(last.elapsed()) < callsweep::looks::QUIET / 2 {
            break;
        }
        session.press("n");
        session.sees("cancelled: nothing was sent");
    }
    assert!(!session.contents().contains("n cancels."), "{}", session.contents());
    session.press("y");
    session.reads_for(Duration::from_millis(100));
    office.is_untouched("reports without a pause, y", &session);
}

fn in_a_run() -> (Office, Session) {
    let mut world: World = crowded(60);
    world.latency.delete = Duration::from_millis(400);
    let office = Office::of(world, "wide_calls = []\nconcurrency = 1");
    let mut session = office.opens();
    session.press(" d");
    session.types_and_says_yes("60");
    session.sees("RUNNING");
    (office, session)
}

#[test]
fn in_a_run_keys_are_heard_after_every_report_and_escape_stops_it_after_all_of_them() {
    let (office, mut session) = in_a_run();
    each_is_followed_by_a_key_that_is_heard(&mut session);
    assert!(session.contents().contains("RUNNING"), "{}", session.contents());
    for (_, report) in REPORTS {
        session.sends(report);
    }
    session.reads_for(REST);
    let before = office.count("DELETE");
    session.press("\x1b");
    session.sees("not sent");
    let sent = office.count("DELETE") - before;
    assert!(sent <= 1, "{sent} more");
    assert!(office.events() > 0);
}

#[test]
fn escape_right_behind_the_yes_stops_the_run_before_or_behind_its_first_call() {
    let mut world: World = crowded(60);
    world.latency.delete = Duration::from_millis(400);
    let office = Office::of(world, "wide_calls = []\nconcurrency = 1");
    let mut session = office.opens();
    session.press(" d");
    session.sees("Type 60, then press y");
    session.press("60");
    session.sees("n cancels.");
    session.press("y\x1b");
    session.sees("not sent");
    session.reads_for(Duration::from_millis(500));
    assert!(office.count("DELETE") <= 1, "{} sent", office.count("DELETE"));
}

#[test]
fn after_a_report_that_kept_keys_from_being_heard_escape_stops_a_run() {
    let deaf =
        ["DECRPM", "theme", "DECXCPR", "XTSMGRAPHICS", "DA2", "modifyOtherKeys", "CSI alone"];
    for name in deaf {
        let (office, mut session) = in_a_run();
        let (_, report) = REPORTS.iter().find(|(known, _)| known == &name).unwrap();
        session.sends(report);
        if is_cut_off(name) {
            session.rests(REST);
        }
        let before = office.count("DELETE");
        session.press("\x1b");
        session.reads_for(Duration::from_millis(700));
        let sent = office.count("DELETE") - before;
        assert!(sent <= 1, "after {name} {sent} more");
        session.sees("not sent");
    }
}
