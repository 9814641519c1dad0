//! Suspending in a shell with jobs, and every way out: the terminal is whole, the exit code tells.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use callsweep::simulator::{Fault, Simulator, World};
use portable_pty::{PtySize, native_pty_system};

use crate::session::{PATIENCE, Session, Watch, configuration, modes, until};
use crate::unseen::Office;

const PROGRAM: &str = env!("CARGO_BIN_EXE_callsweep");

/// With nothing in flight the end takes a few hundredths of a second.
const A_MOMENT: Duration = Duration::from_secs(1);

/// A shell with job control in a terminal of its own.
pub(crate) fn shell(home: &Path, environment: &[(&str, &str)]) -> Session {
    let environment = [environment, &[("PS1", "here$ "), ("PATH", "/usr/bin:/bin")]].concat();
    let mut shell = Session::start_program(Path::new("/bin/sh"), home, &["-i"], &environment);
    shell.sees("here$");
    shell
}

impl Session {
    /// Waits until the screen has none of the text any more.
    fn no_longer_sees(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while self.screen.screen().contents().contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.output.recv_timeout(left) else {
                panic!("{text:?} stays:\n{}", self.screen.screen().contents())
            };
            self.take(&bytes);
        }
    }

    /// Waits until the shell has the terminal again: it asks on an ordinary screen with a
    /// cursor, and the modes are those of before.
    pub(crate) fn is_at_the_shell(&mut self) {
        let until = Instant::now() + PATIENCE;
        let asks = |screen: &vt100::Screen| {
            !screen.alternate_screen() && screen.contents().trim_end().ends_with("here$")
        };
        while !asks(self.screen.screen()) || modes(&*self.master) != self.modes_before {
            assert!(Instant::now() < until, "{}", self.screen.screen().contents());
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.take(&bytes);
            }
        }
        assert!(!self.screen.screen().hide_cursor(), "the cursor is hidden");
        assert!(!self.screen.screen().bracketed_paste(), "bracketed paste is on");
    }
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_the_picture_back_in_the_new_size() {
    let home = tempfile::tempdir().unwrap();
    let mut shell = shell(home.path(), &[]);
    shell.press(&format!("{PROGRAM} --demo\r"));
    shell.sees("Dial-In");
    // Also while a line is being typed.
    for keys in ["\x1a", "/\x1a"] {
        shell.press(keys);
        shell.sees("topped");
        shell.is_at_the_shell();
        shell.press("fg\r");
        shell.sees("1 Extensions");
        assert!(shell.screen.screen().alternate_screen());
    }
    shell.press("\r\x1a");
    shell.no_longer_sees("1 Extensions");
    shell.resize(40, 120);
    shell.is_at_the_shell();
    shell.press("fg\r");
    shell.sees("5 Calls");
    shell.press("q");
    shell.is_at_the_shell();
    shell.press("exit\r");
    assert_eq!(shell.ends(), 0);
}

#[test]
fn a_stop_that_nobody_can_see_coming_is_mended_when_it_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let mut shell = shell(home.path(), &[]);
    // What the terminal answers to a stopped program would be typed at the shell.
    shell.answers = false;
    let pid = home.path().join("pid");
    shell.press(&format!("sh -c 'echo $$ > {}; exec {PROGRAM} --demo'\r", pid.display()));
    shell.sees("Dial-In");
    let pid = std::fs::read_to_string(pid).unwrap();
    let sent = std::process::Command::new("kill").args(["-s", "STOP", pid.trim()]).status();
    assert!(sent.unwrap().success());
    shell.sees("topped");
    // This shell leaves the modes as they are, raw, where only a line feed ends a line.
    shell.press("fg\n");
    shell.no_longer_sees("topped");
    shell.sees("1 Extensions");
    // Raw modes again: the key acts at once and is not echoed.
    shell.press("q");
    shell.is_at_the_shell();
    shell.press("exit\r");
    assert_eq!(shell.ends(), 0);
}

#[test]
fn without_a_shell_to_come_back_from_it_is_not_suspended_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let mut session = Session::start(home.path(), &["--demo"], &[]);
    session.sees("Dial-In");
    session.press("\x1a");
    session.sees("not suspended: there is no shell");
    signal(&session, "TSTP");
    session.press("?");
    session.sees("mark or unmark the row");
    session.press("\x1b[11~q");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
}

#[test]
fn a_run_that_was_suspended_goes_on_and_ends_as_if_it_had_not_been() {
    let home = tempfile::tempdir().unwrap();
    let mut world = World::named("the-page").unwrap();
    world.latency.delete = Duration::from_millis(300);
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = one_at_a_time(home.path(), &simulator);
    let token = simulator.token();
    let mut shell = shell(home.path(), &[("T", &token)]);
    shell.press(&format!("{PROGRAM} --config {file}\r"));
    shell.sees("Dial-In");
    shell.press(" d");
    shell.sees("DELETE 3 phone call events");
    shell.says_yes();
    shell.sees("RUNNING");
    shell.press("\x1a");
    shell.sees("topped");
    shell.is_at_the_shell();
    let left = simulator.with_world(|world| world.event_count());
    assert!(left > 0, "it was over before it was suspended");
    shell.press("fg\r");
    shell.sees("finished: 3 deleted");
    assert_eq!(simulator.with_world(|world| world.event_count()), 0);
    shell.press("qq");
    shell.is_at_the_shell();
    shell.press("exit\r");
    assert_eq!(shell.ends(), 0);
}

/// Not a test of its own: what the next one runs in a pseudo-terminal.
#[test]
#[ignore = "a program that panics on purpose, started by the test below"]
fn panics_with_the_terminal_in_hand() {
    use callsweep::app::Facts;
    use callsweep::domain::{Target, UserId};
    color_eyre::install().unwrap();
    callsweep::terminal::give_back_on_panic();
    let user = UserId::parse("@me").unwrap();
    let facts = Facts::of(Target::new("test", "http://127.0.0.1:1", "/uapi", user).unwrap());
    let _ = callsweep::terminal::run(facts, || panic!("on purpose"));
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_read_on_the_ordinary_screen() {
    let home = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let arguments =
        ["--ignored", "--exact", "--nocapture", "ends::panics_with_the_terminal_in_hand"];
    let mut session = Session::start_program(&program, home.path(), &arguments, &[]);
    assert_ne!(session.ends(), 0);
    session.has_its_terminal_back();
    let (_, said) = session.written.rsplit_once("\x1b[?1049l").unwrap();
    assert!(said.contains("on purpose"), "{said}");
}

#[test]
fn every_signal_that_ends_it_gives_the_terminal_back_and_is_told_by_the_exit_code() {
    for (name, number) in [("HUP", 1), ("INT", 2), ("QUIT", 3), ("TERM", 15)] {
        let home = tempfile::tempdir().unwrap();
        let mut session = Session::start(home.path(), &["--demo"], &[]);
        session.sees("Dial-In");
        let asked = Watch::starts();
        signal(&session, name);
        assert_eq!(session.ends(), 128 + number, "{name}");
        asked.is_within(A_MOMENT, name);
        session.has_its_terminal_back();
    }
}

#[test]
fn a_signal_in_a_run_awaits_what_is_in_flight_and_closes_the_run_file() {
    // An answer that comes in time, and one that does not.
    for (latency, finished) in [(500, true), (10_000, false)] {
        let home = tempfile::tempdir().unwrap();
        let mut world = World::named("the-page").unwrap();
        world.latency.delete = Duration::from_millis(latency);
        let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
        let file = one_at_a_time(home.path(), &simulator);
        let token = simulator.token();
        let mut session = Session::start(home.path(), &["--config", &file], &[("T", &token)]);
        session.sees("Dial-In");
        session.press(" d");
        session.sees("DELETE 3 phone call events");
        session.says_yes();
        session.sees("RUNNING");
        until_a_delete_is_out(&simulator);
        let asked = Watch::starts();
        signal(&session, "TERM");
        assert_eq!(session.ends(), 128 + 15);
        asked.is_within(Duration::from_millis(1_500), latency);
        session.has_its_terminal_back();
        let runs = home.path().join(".local/state/callsweep/runs");
        let name = callsweep::journal::names(&runs).unwrap().remove(0);
        let record = callsweep::journal::Record::read(&runs, &name).unwrap();
        assert_eq!(record.finished.is_some(), finished);
        let outcomes: Vec<_> = record.events.iter().map(|event| event.outcome.name()).collect();
        if finished {
            assert_eq!(record.stopped.unwrap().reason.name(), "signal");
        }
        let first = if finished { "deleted" } else { "unknown" };
        assert_eq!(outcomes, [first, "not sent", "not sent"]);
    }
}

#[test]
fn the_keys_that_leave_end_it_in_a_moment() {
    for keys in ["q", "\x03\x03"] {
        let home = tempfile::tempdir().unwrap();
        let mut session = Session::start(home.path(), &["--demo"], &[]);
        session.sees("Dial-In");
        let asked = Watch::starts();
        session.press(keys);
        assert_eq!(session.ends(), 0, "{keys:?}");
        asked.is_within(A_MOMENT, keys);
        session.has_its_terminal_back();
    }
}

#[test]
fn a_terminal_that_is_gone_ends_it_in_a_moment_also_where_hang_ups_are_ignored() {
    for start in ["exec \"$0\" --demo", "trap '' HUP; exec \"$0\" --demo"] {
        let home = tempfile::tempdir().unwrap();
        let arguments = ["-c", start, PROGRAM];
        let shell = Path::new("/bin/sh");
        let mut session = Session::start_program(shell, home.path(), &arguments, &[]);
        session.sees("Dial-In");
        // The last bytes make the reader see that nobody listens, and let go of the terminal.
        session.output = mpsc::channel().1;
        session.press("j");
        session.keys = Box::new(std::io::sink());
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let asked = Watch::starts();
        session.master = native_pty_system().openpty(size).unwrap().master;
        assert_eq!(session.ends(), 128 + 1, "{start}");
        asked.is_within(A_MOMENT, start);
    }
}

/// A shell that edits its line, and so has modes of its own while it asks.
fn editing_shell(home: &Path, environment: &[(&str, &str)]) -> Option<Session> {
    let program = Path::new("/bin/bash");
    if !program.exists() {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("SKIPPED: there is no bash, so the background was not tried");
        }
        return None;
    }
    let environment = [environment, &[("PS1", "here$ "), ("PATH", "/usr/bin:/bin")]].concat();
    let mut shell = Session::start_program(program, home, &["--norc", "-i"], &environment);
    shell.sees("here$");
    Some(shell)
}

impl Session {
    /// What `stty` says of the modes that a command gets.
    fn modes_of_a_command(&mut self, home: &Path, name: &str) -> String {
        let file = home.join(name);
        self.press(&format!("stty -a > {}; echo $((40+2))-{name}\r", file.display()));
        self.sees(&format!("42-{name}"));
        std::fs::read_to_string(file).unwrap()
    }
}

#[test]
fn sent_to_the_background_it_stops_again_and_leaves_the_modes_of_the_shell_alone() {
    let home = tempfile::tempdir().unwrap();
    let Some(mut shell) = editing_shell(home.path(), &[]) else { return };
    let before = shell.modes_of_a_command(home.path(), "before");
    // A script around it stops and goes on with it.
    shell.press(&format!("sh -c '{PROGRAM} --demo; echo left with $?'\r"));
    shell.sees("Dial-In");
    shell.press("\x1a");
    shell.sees("Stopped");
    assert_eq!(shell.modes_of_a_command(home.path(), "stopped"), before);
    shell.press("bg\r");
    shell.sees("]+ sh -c");
    assert_eq!(shell.modes_of_a_command(home.path(), "background"), before);
    shell.press("fg\r");
    shell.sees("1 Extensions");
    shell.press("q");
    shell.sees("left with 0");
    assert_eq!(shell.modes_of_a_command(home.path(), "after"), before);
    shell.press("exit\r");
    assert_eq!(shell.ends(), 0);
}

#[test]
fn ended_while_it_is_suspended_it_closes_its_run_without_touching_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let mut world = World::named("the-page").unwrap();
    world.latency.delete = Duration::from_millis(400);
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = one_at_a_time(home.path(), &simulator);
    let token = simulator.token();
    let Some(mut shell) = editing_shell(home.path(), &[("T", &token)]) else { return };
    let before = shell.modes_of_a_command(home.path(), "before");
    shell.press(&format!("{PROGRAM} --config {file}\r"));
    shell.sees("Dial-In");
    shell.press(" d");
    shell.sees("DELETE 3 phone call events");
    shell.says_yes();
    until_a_delete_is_out(&simulator);
    let give_up = Instant::now() + PATIENCE;
    shell.press("\x1a");
    shell.sees("Stopped");
    shell.press("kill %1\r");
    let runs = home.path().join(".local/state/callsweep/runs");
    let name = callsweep::journal::names(&runs).unwrap().remove(0);
    let is_over = || {
        callsweep::journal::is_finished(&runs, &name)
            && !callsweep::journal::is_going_on(&runs, &name)
    };
    until(is_over, "its run is not closed");
    assert_eq!(shell.modes_of_a_command(home.path(), "after"), before);
    // The shell tells of it before it asks again, once it is over.
    while !shell.screen.screen().contents().contains("Exit 143") {
        assert!(Instant::now() < give_up, "{}", shell.screen.screen().contents());
        shell.press("\r");
        if let Ok(bytes) = shell.output.recv_timeout(Duration::from_millis(200)) {
            shell.take(&bytes);
        }
    }
    shell.press("exit\r");
    assert_eq!(shell.ends(), 0);
}

/// Waits until a run has sent something.
pub(crate) fn until_a_delete_is_out(simulator: &Simulator) {
    let is_out = |world: &mut World| world.requests().iter().any(|it| it.method == "DELETE");
    until(|| simulator.with_world(is_out), "no DELETE goes out");
}

/// A configuration for this simulator with event calls alone, one after the other.
pub(crate) fn one_at_a_time(home: &Path, simulator: &Simulator) -> String {
    let file = configuration(home, &simulator.origin());
    let text = std::fs::read_to_string(&file).unwrap();
    let narrow = "wide_calls = []\nconcurrency = 1\n[profiles.acme.auth]";
    std::fs::write(&file, text.replace("[profiles.acme.auth]", narrow)).unwrap();
    file
}

pub(crate) fn signal(session: &Session, name: &str) {
    let pid = session.child.process_id().unwrap().to_string();
    let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn who_leaves_while_it_checks_leaves_a_closed_file_and_what_is_open_is_settled_by_listing_alone() {
    for (leaves, code) in [("\x03\x03", 0), ("HUP", 128 + 1)] {
        let office = Office::small();
        let mut session = office.opens();
        session.resize(40, 120);
        session.press(" d");
        session.sees("DELETE 3 phone call events");
        session.sees("n cancels.");
        // One call is refused and acted on; then no list comes any more.
        office.simulator.with_world(|world| {
            let refused = Fault { method: Some("DELETE".to_owned()), status: Some(501), ..acted() };
            world.add_fault(Fault { nth: Some(2), ..refused });
            let path = Some("phoneCallEvents".to_owned());
            let method = Some("GET".to_owned());
            world.add_fault(Fault { method, path, no_answer: true, ..Fault::default() });
        });
        session.says_yes();
        session.sees("checking 0 of 1");
        let asked = Watch::starts();
        if leaves == "HUP" {
            signal(&session, leaves);
        } else {
            session.press(leaves);
        }
        assert_eq!(session.ends(), code, "{leaves:?}");
        asked.is_within(Duration::from_millis(1_500), leaves);
        session.has_its_terminal_back();
        let said = session.written.rsplit_once("\x1b[?1049l").unwrap().1;
        assert!(!said.contains("in flight"), "{said}");
        let runs = office.home.path().join(".local/state/callsweep/runs");
        let name = callsweep::journal::names(&runs).unwrap().remove(0);
        let record = callsweep::journal::Record::read(&runs, &name).unwrap();
        let why = record.stopped.map(|stop| stop.reason.name());
        assert_eq!(why, Some(if leaves == "HUP" { "signal" } else { "operator" }));
        assert_eq!(record.check.name(), "not_checked", "{leaves:?}");
        assert!(record.finished.is_some(), "{leaves:?}");
        office.simulator.with_world(World::clear_faults);
        let mut session = office.starts();
        session.sees(&format!("run {name} stopped: 1 of 3 not done"));
        session.press("q");
        session.ends();
        let deletes = office.count("DELETE");
        let mut resume = std::process::Command::new(PROGRAM);
        resume.args(["resume", &name, "--yes", "--format=json", "--config", &office.file]);
        resume.env_clear().env("HOME", office.home.path()).env("T", &office.token);
        resume.env("CALLSWEEP_TEST_SPEED", "20");
        let output = resume.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let counted = (&document["summary"]["deleted"], &document["summary"]["unknown"]);
        assert_eq!(counted, (&2.into(), &1.into()), "{said}");
        assert_eq!((office.count("DELETE"), deletes), (3, 3), "{said}");
    }
}

/// The service acts, whatever it answers.
fn acted() -> Fault {
    Fault { acts: true, ..Fault::default() }
}
