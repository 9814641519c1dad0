//! Nothing happens that was not seen: what is typed ahead of a question does not answer it, and a
//! window without a picture takes no answer.

use std::path::Path;
use std::time::{Duration, Instant};

use callsweep::simulator::{Simulator, World};
use tempfile::TempDir;

use crate::ends::{self, signal};
use crate::full_disk::crowded;
use crate::paint;
use crate::session::{Session, Watch, configuration};

const PROGRAM: &str = env!("CARGO_BIN_EXE_callsweep");

/// Long enough for a run to begin and send, where a key began one.
const A_WHILE: Duration = Duration::from_millis(400);

/// A service of its own and a profile for it.
pub(crate) struct Office {
    pub(crate) home: TempDir,
    pub(crate) simulator: Simulator,
    pub(crate) file: String,
    pub(crate) token: String,
}

impl Office {
    /// `settings` go into the profile.
    pub(crate) fn of(world: World, settings: &str) -> Self {
        let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let file = configuration(home.path(), &simulator.origin());
        let text = std::fs::read_to_string(&file).unwrap();
        let whole = format!("{settings}\n[profiles.acme.auth]");
        std::fs::write(&file, text.replace("[profiles.acme.auth]", &whole)).unwrap();
        let token = simulator.token();
        Self { home, simulator, file, token }
    }

    /// Three events on one extension, and a call for each.
    pub(crate) fn small() -> Self {
        Self::of(World::named("the-page").unwrap(), "wide_calls = []")
    }

    /// The program in a terminal of 80 by 24, before it has drawn anything.
    pub(crate) fn starts(&self) -> Session {
        let arguments = ["--config", &self.file];
        Session::start(self.home.path(), &arguments, &[("T", &self.token)])
    }

    /// The same when the first events are there.
    pub(crate) fn opens(&self) -> Session {
        let mut session = self.starts();
        session.sees("Dial-In");
        session
    }

    /// Requests of this method that arrived.
    pub(crate) fn count(&self, method: &str) -> usize {
        let all =
            |world: &mut World| world.requests().iter().filter(|it| it.method == method).count();
        self.simulator.with_world(all)
    }

    pub(crate) fn events(&self) -> usize {
        self.simulator.with_world(|world| world.event_count())
    }

    /// Nothing was sent that changes anything.
    pub(crate) fn is_untouched(&self, why: &str, session: &Session) {
        let sent = self.count("DELETE") + self.count("POST") + self.count("PUT");
        assert_eq!(sent, 0, "{why:?}:\n{}", session.contents());
    }
}

#[test]
fn keys_that_arrive_in_one_piece_with_the_one_that_opens_a_review_do_not_answer_it() {
    let pasted = "\x1b[200~y\x1b[201~";
    for keys in ["dy", "dyyyyyyyy", "delay\r", &format!("d{pasted}"), &format!("d{pasted}y\r")] {
        let office = Office::small();
        let mut session = office.opens();
        session.press(" ");
        session.press(keys);
        session.sees("DELETE 3 phone call events");
        session.reads_for(A_WHILE);
        office.is_untouched(keys, &session);
        // The review is still open, and takes a y that is typed at it.
        session.says_yes();
        session.sees("finished: 3 deleted");
        assert_eq!(office.count("DELETE"), 3);
    }
}

#[test]
fn one_event_under_the_cursor_is_no_more_deleted_by_one_piece_than_marked_ones() {
    let office = Office::small();
    let mut session = office.opens();
    session.press("\rjdy");
    session.sees("DELETE 1 phone call event");
    session.reads_for(A_WHILE);
    office.is_untouched("dy", &session);
}

#[test]
fn a_number_that_was_typed_ahead_of_a_protected_review_does_not_count() {
    let world = World::named("the-page").unwrap();
    let office = Office::of(world, "wide_calls = []\nprotected = true");
    let mut session = office.opens();
    session.press(" d3y");
    session.sees("Type 3, then press y");
    session.reads_for(A_WHILE);
    session.press("y");
    session.reads_for(A_WHILE);
    office.is_untouched("d3y, y", &session);
    session.types_and_says_yes("3");
    session.sees("finished: 3 deleted");
}

#[test]
fn what_is_typed_while_the_program_is_stopped_answers_nothing() {
    let office = Office::small();
    let mut session = office.opens();
    session.press(" ");
    session.sees("3 marked");
    signal(&session, "STOP");
    session.press("d");
    session.reads_for(Duration::from_millis(600));
    session.press("y");
    signal(&session, "CONT");
    session.sees("DELETE 3 phone call events");
    session.reads_for(A_WHILE);
    office.is_untouched("d, y", &session);
    session.press("n");
    session.sees("cancelled: nothing was sent");
    // Stopped between the picture and the moment in which nothing may arrive.
    session.answers = false;
    session.press("d");
    session.sees("DELETE 3 phone call events");
    signal(&session, "STOP");
    session.press("\x1b[0ny");
    session.answers = true;
    session.reads_for(Duration::from_millis(600));
    signal(&session, "CONT");
    session.reads_for(A_WHILE);
    office.is_untouched("an answer, y", &session);
    session.says_yes();
    session.sees("finished: 3 deleted");
}

#[test]
fn keys_that_never_rest_answer_nothing_while_lists_load_slowly() {
    let opened = || {
        let mut world = paint::office(400, 3);
        world.latency.get = Duration::from_millis(60);
        let office = Office::of(world, "wide_calls = []\nconcurrency = 1");
        let mut session = office.opens();
        session.press(" ");
        let (mut last, mut pause) = (Instant::now(), Duration::ZERO);
        for _ in 0..50 {
            session.press("dy");
            pause = pause.max(last.elapsed());
            last = Instant::now();
            session.reads_for(Duration::from_millis(40));
        }
        // A test that was held up has let its keys rest, and tries again.
        (pause.max(last.elapsed()) < callsweep::looks::QUIET / 2).then_some((office, session))
    };
    let (office, mut session) = (0..50).find_map(|_| opened()).expect("keys without a rest");
    assert!(session.contents().contains("DELETE 3 phone call events"), "{}", session.contents());
    office.is_untouched("dy, again and again", &session);
    session.press("n");
    session.sees("cancelled: nothing was sent");
    // In the middle of the lists still one key after the other deletes.
    assert!(office.count("GET") < 402, "the lists are all there already");
    session.press("d");
    session.says_yes();
    session.sees("finished: 3 deleted");
}

#[test]
fn keys_in_one_piece_make_no_event_again() {
    let office = Office::small();
    let mut session = office.opens();
    session.press(" d");
    session.sees("DELETE 3 phone call events");
    session.says_yes();
    session.sees("finished: 3 deleted");
    for keys in ["zy", "zyyy"] {
        session.press(keys);
        session.sees("UNDO: re-create 3 phone call events");
        session.reads_for(A_WHILE);
        assert_eq!(office.count("POST"), 0, "{keys}");
        session.press("\x1b");
        session.sees("undo cancelled");
    }
    session.press("z");
    session.says_yes();
    session.sees("3 restored");
    assert_eq!(office.events(), 3);
}

#[test]
fn an_escape_and_a_y_in_one_piece_close_a_review_and_the_next_y_answers_nothing() {
    let office = Office::small();
    let mut session = office.opens();
    session.press(" d");
    session.sees("n cancels.");
    session.press("\x1by");
    session.sees("cancelled: nothing was sent");
    session.press("y");
    session.sees("y only confirms a review");
    session.reads_for(A_WHILE);
    office.is_untouched("ESC y, y", &session);
    // Nor does it leave where it was asked whether to leave.
    session.press("q");
    session.sees("Leave?");
    session.press("y");
    session.sees("not yet");
    session.press("\x1by");
    session.reads_for(A_WHILE);
    assert!(session.contents().contains("3 marked"));
    assert!(!session.contents().contains("Leave?"));
}

#[test]
fn a_question_answers_to_no_key_that_came_with_the_one_that_opened_it() {
    let office = Office::small();
    let mut session = office.opens();
    session.press(" ");
    session.sees("3 marked");
    session.press("qy");
    session.sees("Leave?");
    session.reads_for(A_WHILE);
    session.press("y");
    assert_eq!(session.ends(), 0);
    office.is_untouched("qy, y", &session);
}

#[test]
fn ctrl_c_twice_leaves_from_wherever_one_is() {
    for keys in ["/ab", "Tall", "?", " d", " d/x", " q"] {
        let office = Office::small();
        let mut session = office.opens();
        session.press(keys);
        session.reads_for(Duration::from_millis(100));
        let asked = Watch::starts();
        session.press("\x03\x03");
        assert_eq!(session.ends(), 0, "{keys:?}");
        asked.is_within(Duration::from_secs(1), keys);
        session.has_its_terminal_back();
        office.is_untouched(keys, &session);
    }
}

/// Waits until something is no longer on the screen, or until a picture came where it never was.
fn settles(session: &mut Session) {
    session.reads_for(Duration::from_millis(150));
}

#[test]
fn a_window_without_a_picture_takes_no_mark_no_review_and_no_yes() {
    for (columns, rows) in [(5, 20), (20, 5), (59, 15), (60, 14)] {
        let office = Office::small();
        let mut session = office.opens();
        session.resize(rows, columns);
        settles(&mut session);
        for key in ["A", " ", "d", "3", "y", "\r", "j", "d", "y"] {
            session.press(key);
            session.reads_for(Duration::from_millis(120));
        }
        office.is_untouched("keys in a small window", &session);
        session.resize(24, 80);
        session.sees("1 Extensions");
        assert!(!session.contents().contains("DELETE"), "{}", session.contents());
        assert!(!session.contents().contains("[x]"), "{}", session.contents());
    }
}

#[test]
fn a_number_typed_in_a_small_window_deletes_nothing_and_an_undo_makes_nothing() {
    let office = Office::of(crowded(42), "wide_calls = []");
    let mut session = office.opens();
    session.resize(15, 59);
    settles(&mut session);
    for key in ["A", "d", "4", "2", "y"] {
        session.press(key);
        session.reads_for(Duration::from_millis(300));
    }
    office.is_untouched("A d 4 2 y", &session);
    session.resize(24, 80);
    session.sees("1 Extensions");
    session.press("Ad");
    session.types_and_says_yes("42");
    session.sees("finished: 42 deleted");
    session.resize(14, 120);
    session.sees("make the window larger (60x15)");
    for key in ["z", "4", "2", "y"] {
        session.press(key);
        session.reads_for(Duration::from_millis(300));
    }
    assert_eq!(office.count("POST"), 0);
    assert_eq!(office.events(), 0);
}

#[test]
fn a_review_that_shrank_out_of_sight_takes_no_yes_until_it_was_shown_again() {
    for (columns, rows) in [(5, 20), (59, 24), (80, 14)] {
        let office = Office::small();
        let mut session = office.opens();
        session.press(" d");
        session.sees("n cancels.");
        session.resize(rows, columns);
        settles(&mut session);
        session.reads_for(A_WHILE);
        session.press("y");
        session.reads_for(A_WHILE);
        office.is_untouched("y", &session);
        // Together with the size in which it can be seen.
        session.resize(24, 80);
        session.press("y");
        session.sees("DELETE 3 phone call events");
        session.reads_for(A_WHILE);
        office.is_untouched("y with the size", &session);
        session.says_yes();
        session.sees("finished: 3 deleted");
    }
}

#[test]
fn in_the_smallest_window_escape_stops_a_run_whatever_is_open() {
    for open in ["", "?", "q", "/abc"] {
        let mut world = crowded(40);
        world.latency.delete = Duration::from_millis(400);
        let office = Office::of(world, "wide_calls = []\nconcurrency = 1");
        let mut session = office.opens();
        session.press(" d");
        session.types_and_says_yes("40");
        session.sees("RUNNING");
        session.press(open);
        session.resize(5, 20);
        session.sees("RUNNING");
        let line = session.contents().lines().next().unwrap().to_owned();
        session.resize(5, 59);
        session.sees(" of 40, Esc stops");
        session.resize(20, 5);
        settles(&mut session);
        assert!(line.starts_with("RUNNING "), "{line:?}");
        let before = office.count("DELETE");
        session.press("\x1b");
        session.reads_for(Duration::from_millis(900));
        let sent = office.count("DELETE") - before;
        assert!(sent <= 1, "{open:?}: {sent} more");
        // Closes what was open.
        session.press("\x1b");
        session.resize(24, 80);
        session.sees("not sent");
    }
}

#[test]
fn every_warning_of_a_long_review_is_seen_before_it_takes_a_yes() {
    let world = paint::office(12, 7);
    let office = Office::of(world, "");
    let mut session = office.opens();
    session.resize(15, 60);
    // Everything is marked, and most of it is hidden when the review opens.
    session.press("G");
    session.sees("0003*221");
    session.reads_for(A_WHILE);
    session.press("A");
    session.sees("84 marked");
    session.press("/221\rd84y");
    session.sees("DELETE 84 phone call events");
    session.reads_for(A_WHILE);
    office.is_untouched("d84y", &session);
    let mut seen = String::new();
    let mut steps = 0;
    while !session.contents().contains("Type 84, then press y") {
        seen.push_str(&session.contents());
        // Nothing but a step leads on from there.
        if session.contents().contains("There are more warnings") {
            session.press("84y");
            session.reads_for(A_WHILE);
            office.is_untouched("84y", &session);
            session.press("j");
        }
        steps += 1;
        assert!(steps < 120, "{}", session.contents());
        session.rests(Duration::from_millis(240));
    }
    seen.push_str(&session.contents());
    assert!(seen.contains("hidden by the filter"), "{seen}");
    assert!(seen.contains("all events"), "{seen}");
    session.types_and_says_yes("84");
    session.sees("finished: 84 deleted");
}

#[test]
fn a_terminal_that_never_answers_is_taken_to_have_shown_a_review_after_a_while() {
    let office = Office::small();
    let mut session = office.starts();
    session.answers = false;
    session.sees("Dial-In");
    session.press(" ");
    session.sees("3 marked");
    let (opened, watch) = (Instant::now(), Watch::starts());
    session.press("d");
    session.sees("DELETE 3 phone call events");
    for _ in 0..2 {
        session.press("y");
        session.reads_for(Duration::from_millis(200));
    }
    session.sees("n cancels.");
    let took = opened.elapsed();
    assert!(took >= Duration::from_millis(1_700), "{took:?}");
    watch.is_within(Duration::from_secs(4), "the review");
    office.is_untouched("y too early", &session);
    session.press("y");
    session.sees("finished: 3 deleted");
}

#[test]
fn a_terminal_that_answered_once_and_falls_silent_confirms_nothing() {
    let office = Office::small();
    let mut session = office.opens();
    session.press(" ");
    session.sees("3 marked");
    session.reads_for(A_WHILE);
    session.answers = false;
    session.press("d");
    session.sees("DELETE 3 phone call events");
    session.reads_for(Duration::from_secs(4));
    session.press("y");
    session.sees("waiting for the terminal");
    session.reads_for(A_WHILE);
    office.is_untouched("y on a silent terminal", &session);
    // What n did is drawn once the terminal has taken the pictures before.
    session.press("n");
    session.reads_for(A_WHILE);
    session.answers = true;
    session.answers_what_it_owes();
    session.sees("cancelled: nothing was sent");
}

#[test]
fn the_late_answer_to_an_earlier_request_does_not_stand_for_that_of_a_review() {
    let office = Office::small();
    let mut session = office.opens();
    session.resize(15, 60);
    session.press("\rj");
    session.reads_for(A_WHILE);
    session.answers = false;
    for (key, pictures) in [("k", 1), ("j", 2)] {
        session.press(key);
        while session.owed < pictures {
            session.reads_for(Duration::from_millis(10));
        }
    }
    let mut earlier = session.owed;
    session.press("d");
    session.reads_for(Duration::from_millis(200));
    while !session.contents().contains("DELETE 1 phone call event") {
        // Its picture may wait for the line.
        if session.owed == 4 {
            session.answers_one();
            earlier -= 1;
        }
        session.reads_for(Duration::from_millis(200));
    }
    assert!(earlier > 0, "no earlier request is without its answer");
    for _ in 0..earlier {
        session.answers_one();
        session.press("y");
        session.sees("not yet: waiting for the terminal");
        session.reads_for(A_WHILE);
        office.is_untouched("y behind an answer to something else", &session);
    }
    session.answers = true;
    session.answers_what_it_owes();
    session.says_yes();
    session.sees("finished: 1 deleted");
}

#[test]
fn leaving_and_suspending_erase_the_picture_before_the_terminal_is_given_back() {
    const LEAVE: &str = "\x1b[?1049l";
    let home = tempfile::tempdir().unwrap();
    let mut shell = ends::shell(home.path(), &[]);
    shell.press(&format!("{PROGRAM} --demo\r"));
    shell.sees("Dial-In");
    shell.press("\x1a");
    shell.is_at_the_shell();
    shell.press("fg\r");
    shell.sees("1 Extensions");
    shell.press("q");
    shell.is_at_the_shell();
    shell.press("exit\r");
    assert_eq!(shell.ends(), 0);
    let parts: Vec<&str> = shell.written.split(LEAVE).collect();
    assert_eq!(parts.len(), 3, "it leaves twice");
    for part in parts.iter().take(2) {
        let end = part.rsplit("\x1b[2J").next().unwrap();
        assert!(end.len() < 20 && !end.contains("Dial"), "{end:?}");
    }
    // A terminal that has only the one screen.
    let one_screen = shell.written.replace(LEAVE, "").replace("\x1b[?1049h", "");
    let mut screen = vt100::Parser::new(crate::session::cells(24), crate::session::cells(80), 0);
    screen.process(one_screen.as_bytes());
    let left = screen.screen().contents();
    assert!(!left.contains("Dial-In") && !left.contains("0003*"), "{left}");
}

#[test]
fn answers_that_are_late_never_reach_the_shell() {
    // Answers before that make it a terminal that answers, or none at all.
    for answered in [true, false] {
        let home = tempfile::tempdir().unwrap();
        let mut shell = ends::shell(home.path(), &[]);
        shell.answers = answered;
        shell.press(&format!("{PROGRAM} --demo\r"));
        shell.sees("Dial-In");
        shell.reads_for(A_WHILE);
        shell.answers = false;
        shell.press("\rj");
        shell.reads_for(Duration::from_millis(50));
        let before = shell.written.len();
        shell.press("d");
        shell.reads_for(Duration::from_millis(60));
        shell.press("\x03\x03");
        if answered {
            shell.reads_for(Duration::from_millis(300));
        }
        let owed = shell.written.split_at(before).1.matches("\x1b[5n").count();
        shell.press(&"\x1b[0n".repeat(owed.max(1)));
        shell.is_at_the_shell();
        shell.press("echo $((40+2))-here\r");
        shell.sees("42-here");
        let line = shell.contents();
        assert!(!line.contains("0n"), "{line}");
        shell.press("exit\r");
        assert_eq!(shell.ends(), 0);
    }
}

/// The most memory that a process has had, in MB.
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1_024
}

#[test]
fn a_window_of_any_size_takes_little_memory() {
    use portable_pty::PtySize;
    let office = Office::small();
    let mut session = office.opens();
    for (cols, rows) in [(65_535, 200), (10_000, 10_000), (200, 65_535), (65_535, 65_535)] {
        // The emulator's own window is not that large.
        session.resize(200, 500);
        session.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        session.press("?");
        session.reads_for(Duration::from_millis(300));
        session.press("\x1b[11~");
    }
    let most = most_memory(session.child.process_id().unwrap());
    assert!(most < 64, "{most} MB");
    session.resize(24, 80);
    session.sees("1 Extensions");
    session.press("q");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
}

/// A command that changes so many events, the verb of its question and the method of its requests.
type Asked = (&'static [&'static str], &'static str, &'static str);

const ASKED: [Asked; 4] = [
    (&["delete"], "delete", "DELETE"),
    (&["disable"], "disable", "PUT"),
    (&["enable"], "enable", "PUT"),
    (&["repoint", "crm.acme.test=new.acme.test"], "re-point", "PUT"),
];

/// An office with so many events that the command is about.
fn office_for(command: &str, events: usize) -> Office {
    let mut world = crowded(events);
    for event in &mut world.extension_mut("0003*210").unwrap().events {
        event.status = u16::from(command != "enable");
        event.url = format!("https://crm.acme.test/{}", event.id);
    }
    Office::of(world, "")
}

/// Answers the question of a command, about so many events, in every way but one, then in that one.
fn asks_and_is_answered((command, verb, method): Asked, events: usize) {
    let office = office_for(command[0], events);
    let origin = office.simulator.origin();
    let host = origin.trim_start_matches("http://");
    let count = events.to_string();
    let (wanted, hint, wrong) = if events > 10 {
        let hint = format!("Type {events} to confirm:");
        (count.as_str(), hint, ["", "y", "yes", "8", "85", "84 84"])
    } else {
        ("y", "[y/N]".to_owned(), ["", "n", "Nein", "yes", "yy", &*count])
    };
    let question = format!("{verb} {events} events on {host}? {hint}");
    let arguments = [&["--config", &office.file], command, &["--where=ext:*"]].concat();
    for answer in wrong {
        let mut session = Session::start(office.home.path(), &arguments, &[("T", &office.token)]);
        session.sees(&question);
        session.press(&format!("{answer}\r"));
        assert_eq!(session.ends(), 4, "{question} {answer:?}");
        office.is_untouched(answer, &session);
    }
    let mut session = Session::start(office.home.path(), &arguments, &[("T", &office.token)]);
    session.sees(&question);
    session.reads_for(A_WHILE);
    office.is_untouched(&question, &session);
    session.press(&format!("{wanted}\r"));
    assert_eq!(session.ends(), 0, "{question}: {}", session.contents());
    assert_eq!(office.count(method), events, "{question}");
}

#[test]
fn on_the_command_line_a_question_names_deed_number_and_host_and_only_its_answer_sends_anything() {
    std::thread::scope(|threads| {
        for asked in ASKED {
            threads.spawn(move || [3, 84].map(|events| asks_and_is_answered(asked, events)));
        }
    });
}

#[test]
fn on_the_command_line_what_was_typed_before_the_question_is_thrown_away() {
    std::thread::scope(|threads| {
        for (command, _, method) in ASKED {
            for (events, typed) in [(3, "y"), (84, "84")] {
                threads.spawn(move || {
                    let office = office_for(command[0], events);
                    let slow = |world: &mut World| {
                        world.latency.get = Duration::from_millis(100);
                    };
                    office.simulator.with_world(slow);
                    let arguments =
                        [&["--config", &office.file], command, &["--where=ext:*"]].concat();
                    let token = [("T", office.token.as_str())];
                    let mut session = Session::start(office.home.path(), &arguments, &token);
                    session.press(&format!("{typed}\r{typed}\r"));
                    session.sees(if typed == "y" { "[y/N]" } else { "to confirm:" });
                    session.reads_for(A_WHILE);
                    office.is_untouched("typed before the question", &session);
                    assert!(session.child.try_wait().unwrap().is_none(), "{command:?}");
                    session.press(&format!("{typed}\r"));
                    assert_eq!((session.ends(), office.count(method)), (0, events), "{command:?}");
                });
            }
        }
    });
}
