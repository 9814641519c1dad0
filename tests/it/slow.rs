//! Terminals that read slowly, or stop reading: the program ends all the same, keys are heard, and
//! work goes on at its own speed.

use std::time::{Duration, Instant};

use callsweep::simulator::World;

use crate::ends::{shell, signal, until_a_delete_is_out};
use crate::full_disk::crowded;
use crate::paint;
use crate::remote::Server;
use crate::session::{PATIENCE, Session, Watch, modes};
use crate::unseen::Office;

const QUIET: Duration = Duration::from_millis(300);

/// A run that would go on for long, with many calls in flight, on a terminal that does not read.
/// `answers`: it has answered before.
fn stuck_in_a_run(answers: bool) -> (Office, Session) {
    let mut world = paint::office(1, 4_000);
    world.latency.delete = Duration::from_millis(5);
    let settings = "wide_calls = []\nconcurrency = 64\nmax_delete = 5000";
    let office = Office::of(world, settings);
    let mut session = office.starts();
    session.answers = answers;
    session.sees("Dial-In");
    session.press(" d");
    session.types_and_says_yes("4000");
    until_a_delete_is_out(&office.simulator);
    gets_stuck(&mut session);
    (office, session)
}

/// Stops reading, and has the program write more than a line holds.
fn gets_stuck(session: &mut Session) {
    session.reads_slowly(0);
    for _ in 0..12 {
        session.press("\x0c");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Session {
    /// Waits for the end without reading anything.
    fn ends_unread(&mut self, most: Duration) -> u32 {
        let (asked, watch) = (Instant::now(), Watch::starts());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                watch.is_within(most, "the end");
                return status.exit_code();
            }
            assert!(asked.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

const SIGNALS: [(&str, u32); 4] = [("HUP", 1), ("INT", 2), ("QUIT", 3), ("TERM", 15)];

/// What the goals allow.
const AN_END: Duration = Duration::from_secs(1);

/// A ctrl-c that comes while the shell has its modes back makes the system throw away what the terminal
/// has not read by then.
#[test]
fn the_modes_are_given_back_once_the_terminal_says_that_it_has_left_the_screen() {
    for key in ["q", "\x1a"] {
        let home = tempfile::tempdir().unwrap();
        let mut shell = shell(home.path(), &[]);
        shell.press(&format!("{} --demo\r", env!("CARGO_BIN_EXE_callsweep")));
        shell.sees("Dial-In");
        shell.rests(QUIET);
        shell.answers = false;
        let pressed = Instant::now();
        shell.press(key);
        while shell.owed == 0 || !shell.written.contains("\x1b[?1049l") {
            shell.reads_for(Duration::from_millis(1));
            assert!(pressed.elapsed() < PATIENCE, "{key:?}: {}", shell.contents());
        }
        let are_back = modes(&*shell.master) == shell.modes_before;
        assert!(!are_back || pressed.elapsed() > QUIET, "{key:?}");
        shell.answers_what_it_owes();
        shell.is_at_the_shell();
        if key != "q" {
            shell.answers = true;
            shell.press("fg\r");
            shell.sees("1 Extensions");
            shell.press("q");
            shell.is_at_the_shell();
        }
        shell.press("exit\r");
        assert_eq!(shell.ends(), 0);
    }
}

#[test]
fn on_a_terminal_that_does_not_read_every_signal_ends_an_idle_program() {
    for answers in [true, false] {
        for (name, number) in SIGNALS {
            let office = Office::small();
            let mut session = office.starts();
            session.answers = answers;
            session.sees("Dial-In");
            gets_stuck(&mut session);
            signal(&session, name);
            assert_eq!(session.ends_unread(AN_END), 128 + number, "{name}");
            assert_eq!(modes(&*session.master), session.modes_before, "{name}");
        }
    }
}

#[test]
fn on_a_terminal_that_does_not_read_every_signal_ends_a_run_and_what_follows_is_not_sent() {
    for (answers, (name, number)) in [true, false].into_iter().cycle().zip(SIGNALS) {
        let (_office, mut session) = stopped(answers, |session| signal(session, name));
        assert_eq!(session.ends_unread(AN_END), 128 + number, "{name}");
        assert_eq!(modes(&*session.master), session.modes_before, "{name}");
    }
}

#[test]
fn a_terminal_that_did_not_read_and_is_closed_ends_the_program_idle_and_in_a_run() {
    let office = Office::small();
    let mut session = office.starts();
    session.answers = false;
    session.sees("Dial-In");
    gets_stuck(&mut session);
    session.hangs_up();
    assert_eq!(session.ends_unread(AN_END), 128 + 1);
    let (_office, mut session) = stopped(false, Session::hangs_up);
    assert_eq!(session.ends_unread(AN_END), 128 + 1);
}

#[test]
fn on_a_terminal_that_does_not_read_the_keys_that_stop_and_leave_are_heard() {
    for (answers, keys) in [(true, "\x1b"), (false, "\x1b"), (true, "\x03"), (false, "p")] {
        let (office, mut session) = stopped(answers, |session| session.press(keys));
        // Ends one that was only held, and lets its closing listing come.
        let pressed = Watch::starts();
        session.press("\x1b");
        // Else the next key would be one with Alt.
        pressed.passes(QUIET);
        until_its_run_is_closed(&office);
        session.press("\x03");
        session.press("\x03");
        assert_eq!(session.ends_unread(Duration::from_secs(3)), 0, "{keys:?}");
    }
}

fn until_its_run_is_closed(office: &Office) {
    let runs = office.home.path().join(".local/state/callsweep/runs");
    let name = callsweep::journal::names(&runs).unwrap().remove(0);
    let give_up = Instant::now() + PATIENCE;
    while !callsweep::journal::is_finished(&runs, &name) {
        assert!(Instant::now() < give_up, "its run was never closed");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A run that was stopped in this way while nothing was read: a tenth of a second later no DELETE
/// goes out any more. A machine that is busy with other tests may be late, but not every time.
fn stopped(answers: bool, stop: impl Fn(&mut Session)) -> (Office, Session) {
    for _ in 0..3 {
        let (office, mut session) = stuck_in_a_run(answers);
        let stopped = Watch::starts();
        stop(&mut session);
        stopped.passes(Duration::from_millis(100));
        let sent = office.count("DELETE");
        assert!(sent > 0, "it had not begun");
        std::thread::sleep(Duration::from_millis(300));
        let later = office.count("DELETE");
        assert!(later < 4_000, "it was over before");
        if later == sent {
            return (office, session);
        }
    }
    panic!("calls go out though the run was stopped");
}

/// Three hundred events of 20 ms each on two lines, and a terminal that reads so slowly from the yes
/// on, here or at the far end of an SSH session.
fn run_of_three_hundred(server: Option<&Server>, pace: Option<u64>) -> (Office, Session) {
    let mut world: World = crowded(300);
    world.latency.delete = Duration::from_millis(20);
    let office = Office::of(world, "wide_calls = []\nconcurrency = 2");
    let mut session = match server {
        Some(server) => {
            let (token, file) = (&office.token, &office.file);
            let program = env!("CARGO_BIN_EXE_callsweep");
            // Two at the same time would else be writers of one PBX.
            let state = office.home.path().display();
            let command = format!(
                "export T='{token}' XDG_STATE_HOME={state}; exec {program} --config {file}"
            );
            server.session(server.port, &command)
        }
        None => office.starts(),
    };
    session.sees("Dial-In");
    session.press(" d");
    session.sees("Type 300, then press y");
    session.press("300");
    session.sees("n cancels.");
    session.reads_for(QUIET);
    if let Some(pace) = pace {
        session.reads_slowly(pace);
    }
    session.press("y");
    (office, session)
}

/// How long it takes until every event is gone, read as the terminal reads.
fn time_of(office: &Office, session: &mut Session) -> Duration {
    let began = Instant::now();
    while office.events() > 0 {
        assert!(began.elapsed() < 6 * PATIENCE, "{}", session.contents());
        session.reads_for(Duration::from_millis(10));
    }
    began.elapsed()
}

#[test]
fn at_960_bytes_a_second_a_run_keeps_its_speed_and_escape_is_told_within_three_seconds() {
    keeps_its_speed_and_tells_of_escape(None);
}

#[test]
fn through_ssh_at_960_bytes_a_second_a_run_keeps_its_speed_and_escape_is_told_too() {
    let Some(server) = Server::start() else { return };
    keeps_its_speed_and_tells_of_escape(Some(&server));
}

fn keeps_its_speed_and_tells_of_escape(server: Option<&Server>) {
    let time = |pace| {
        let (office, mut session) = run_of_three_hundred(server, pace);
        time_of(&office, &mut session)
    };
    // At the same time, so that whatever else the machine does slows both of them down.
    let mut times = Vec::new();
    let keeps_it = (0..3).any(|_| {
        let (slow, fast) = std::thread::scope(|threads| {
            let fast = threads.spawn(|| time(None));
            (time(Some(960)), fast.join().unwrap())
        });
        times.push((slow, fast));
        slow <= fast.mul_f64(1.1)
    });
    assert!(keeps_it, "on a slow line, and on a fast one: {times:?}");
    let (office, mut session) = run_of_three_hundred(server, Some(960));
    session.reads_for(Duration::from_millis(1_500));
    let pressed = Watch::starts();
    session.press("\x1b");
    while !["stopp", "not sent", "checking"].iter().any(|word| session.contents().contains(word)) {
        pressed.is_within(Duration::from_secs(3), session.contents());
        session.reads_for(Duration::from_millis(20));
    }
    let left = office.events();
    assert!(left > 0 && left < 300, "{left}");
}

#[test]
fn at_240_bytes_a_second_keys_are_heard() {
    for answers in [true, false] {
        let office = Office::small();
        let mut session = office.starts();
        session.answers = answers;
        session.sees("Dial-In");
        session.reads_for(QUIET);
        session.reads_slowly(240);
        session.press("\rj?");
        session.reads_for(Duration::from_millis(500));
        session.press("\x1b[11~q");
        session.reads_for(Duration::from_millis(200));
        let asked = Watch::starts();
        session.press("q");
        assert_eq!(session.ends(), 0);
        asked.is_within(Duration::from_secs(4), "the end");
    }
}

#[test]
fn in_a_run_on_a_terminal_that_never_answers_a_key_is_answered_at_once() {
    let mut world = crowded(300);
    world.latency.delete = Duration::from_millis(20);
    let office = Office::of(world, "wide_calls = []\nconcurrency = 1");
    let mut session = office.starts();
    session.answers = false;
    session.sees("Dial-In");
    session.press(" d");
    session.types_and_says_yes("300");
    session.sees("running: ");
    for _ in 0..3 {
        session.reads_for(QUIET);
        let pressed = Watch::starts();
        session.press("?");
        session.sees("Esc closes");
        session.press("\x1b[11~");
        session.sees("1 Extensions");
        pressed.is_within(Duration::from_millis(600), "a key");
    }
}

#[test]
fn no_answer_of_any_shape_takes_more_memory_than_there_may_be() {
    crate::lists::no_answer_takes_more_memory_than_there_may_be();
}
