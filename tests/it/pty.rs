//! The real binary in a real pseudo-terminal: what it draws, and that it gives the terminal back.

use std::net::TcpListener;
use std::path::Path;

use callsweep::simulator::{Simulator, World};

use crate::session::{PATIENCE, Session, configuration};

#[test]
fn the_demo_deletes_one_event_by_keys_and_gives_the_terminal_back() {
    let home = tempfile::tempdir().unwrap();
    let passing = tempfile::tempdir().unwrap();
    let folder = passing.path().to_str().unwrap();
    let mut session = Session::start(home.path(), &["--demo"], &[("TMPDIR", folder)]);
    session.sees("0003*100");
    session.sees("Dial-In");
    session.press("\rj d");
    session.sees("DELETE 1 phone call event");
    session.says_yes();
    session.sees("finished: 1 deleted");
    session.press("E");
    session.sees("receipt written; it is deleted when");
    let kept = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    let demo = std::fs::read_dir(passing.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!((kept(&demo.join("runs")), kept(&demo.join("receipts"))), (1, 1));
    session.press("qq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
    assert_eq!((kept(home.path()), kept(passing.path())), (0, 0), "nothing is kept");
}

#[test]
fn what_is_copied_goes_to_the_terminal_between_two_pictures() {
    for (environment, sequence) in [
        (&[][..], "\x1b]52;c;Y3VybCAtWCBERUxFVEU"),
        (&[("TMUX", "x")][..], "\x1bPtmux;\x1b\x1b]52;c;Y3VybCAtWCBERUxFVEU"),
        (&[("STY", "x")][..], "\x1bP\x1b]52;c;Y3VybCAtWCBERUxFVEU"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut session = Session::start(home.path(), &["--demo"], environment);
        session.sees("Dial-In");
        session.press("\rj d");
        session.sees("DELETE 1 phone call event");
        session.press("c");
        session.sees("sent to the terminal: 1 call");
        assert!(session.written.contains(sequence), "{:?}", session.written);
        session.press("nUqq");
        assert_eq!(session.ends(), 0);
    }
}

#[test]
fn the_window_may_change_its_size_at_any_moment() {
    let home = tempfile::tempdir().unwrap();
    let mut session = Session::start(home.path(), &["--demo"], &[]);
    session.sees("0003*100");
    session.resize(10, 40);
    session.sees("make the window larger (60x15)");
    session.resize(40, 120);
    session.sees("5 Calls");
    session.press("q");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
}

#[test]
fn a_size_that_changes_at_the_start_and_keys_that_come_with_a_change_are_not_lost() {
    let home = tempfile::tempdir().unwrap();
    let mut session = Session::start(home.path(), &["--demo"], &[]);
    session.resize(40, 120);
    session.sees("5 Calls");
    session.sees("Dial-In");
    for round in 0..20 {
        session.resize(30 + round % 2, 100);
        session.press("?");
        session.sees("What can be done here");
        session.resize(40, 120);
        session.press("\x1b[11~");
        session.sees("2 Events");
    }
    session.press("q");
    assert_eq!(session.ends(), 0);
}

#[test]
fn keys_of_the_configuration_act_and_are_shown_and_those_they_replace_do_nothing() {
    let home = tempfile::tempdir().unwrap();
    let world = World::named("the-page").unwrap();
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = configuration(home.path(), &simulator.origin());
    let profile = std::fs::read_to_string(&file).unwrap();
    let keys = "[keys]\ndelete = \"D\"\nmark = [\"gm\", \"insert\"]\nhelp = \"ctrl-o\"\n";
    std::fs::write(&file, format!("{keys}{profile}")).unwrap();
    let token = simulator.token();
    let mut session = Session::start(home.path(), &["--config", &file], &[("T", &token)]);
    session.sees("Dial-In");
    session.sees("ctrl-o help");
    session.press(" d");
    session.sees("d does nothing here: ctrl-o lists what can be done here");
    session.press("gm");
    session.sees("D review 3");
    session.press("\x0fdelete");
    session.sees("D              delete");
    session.press("\x1b[11~D");
    session.says_yes();
    session.sees("finished: 3 deleted");
    session.press("1q");
    assert_eq!(session.ends(), 0);
    // What cannot be is told before anything is drawn.
    std::fs::write(&file, format!("[keys]\ndelete = \"y\"\n{profile}")).unwrap();
    let mut session = Session::start(home.path(), &["--config", &file], &[("T", &token)]);
    session.sees("line 2: delete = \"y\": y means yes and nothing else");
    assert_eq!(session.ends(), 2);
}

#[test]
fn an_unreachable_host_is_waited_for_in_words_and_left_with_q() {
    let home = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = configuration(home.path(), &format!("http://{address}"));
    let mut session = Session::start(home.path(), &["--config", &file], &[("T", "secret-token")]);
    session.sees("WAITING");
    session.sees("refused");
    session.press("q");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
    assert!(!session.written.contains("secret-token"));
    assert!(!home.path().join(".local/state/callsweep/runs").exists());
}

#[test]
fn a_wrong_path_ends_with_a_sentence_that_names_the_key() {
    use callsweep::simulator::{Simulator, World};
    let home = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(World::demo(1), "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = configuration(home.path(), &simulator.origin());
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("[profiles.acme.auth]", "base_path = \"/api\"\n[profiles.acme.auth]"),
    )
    .unwrap();
    let token = simulator.token();
    let mut session = Session::start(home.path(), &["--config", &file], &[("T", &token)]);
    assert_eq!(session.ends(), 1);
    session.has_its_terminal_back();
    let said = session.screen.screen().contents();
    assert!(said.contains("base_path"), "{said}");
}

#[test]
fn a_configured_profile_works_like_the_demo() {
    use callsweep::simulator::{Simulator, World};
    let home = tempfile::tempdir().unwrap();
    let world = World::named("the-page").unwrap();
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = configuration(home.path(), &simulator.origin());
    let token = simulator.token();
    let mut session = Session::start(home.path(), &["--config", &file], &[("T", &token)]);
    session.sees("0003*210");
    session.sees("Dial-In");
    session.press(" d");
    session.sees("DELETE 3 phone call events");
    session.says_yes();
    session.sees("finished: 3 deleted");
    session.press("qq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
    let left = simulator.with_world(|world| world.event_count());
    assert_eq!(left, 0);
}

#[test]
fn a_command_shows_on_a_terminal_how_far_it_is_and_its_result_goes_where_it_is_sent() {
    use callsweep::simulator::{Simulator, World};
    let home = tempfile::tempdir().unwrap();
    let world = World::named("the-page").unwrap();
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = configuration(home.path(), &simulator.origin());
    let text = std::fs::read_to_string(&file).unwrap();
    let narrow = "wide_calls = []\nconcurrency = 1\n[profiles.acme.auth]";
    std::fs::write(&file, text.replace("[profiles.acme.auth]", narrow)).unwrap();
    let (token, result) = (simulator.token(), home.path().join("result.json"));
    let say = |arguments: &[&str]| -> (String, serde_json::Value) {
        let script = format!("exec \"$0\" \"$@\" > {}", result.display());
        let program = env!("CARGO_BIN_EXE_callsweep");
        let arguments = [&["-c", &script, program, "--config", &file], arguments].concat();
        let shell = Path::new("/bin/sh");
        let mut session = Session::start_program(shell, home.path(), &arguments, &[("T", &token)]);
        assert_eq!(session.ends(), 0, "{}", session.written);
        // The line goes when its work is over.
        assert!(!session.screen.screen().contents().contains("[#"), "{}", session.written);
        let json = std::fs::read_to_string(&result).unwrap();
        (std::mem::take(&mut session.written), serde_json::from_str(&json).unwrap())
    };
    let (written, _) = say(&["list", "--format=json"]);
    assert!(written.contains("[####################] 1 of 1 extensions"), "{written:?}");
    let (written, deleted) = say(&["delete", "--where=ext:*", "--yes", "--format=json"]);
    assert!(written.contains("\r[######..............] 1 of 3 events"), "{written:?}");
    assert!(written.contains("\r[####################] 3 of 3 events\u{1b}[K"), "{written:?}");
    assert_eq!(deleted["summary"]["deleted"], 3);
    let run = deleted["run"].as_str().unwrap();
    let (written, undone) = say(&["undo", run, "--yes", "--format=json"]);
    assert!(written.contains("2 of 3 events"), "{written:?}");
    assert_eq!(undone["summary"]["restored"], 3);
}

#[test]
fn on_a_full_disk_the_screen_says_why_the_run_stopped_and_the_marks_stay() {
    use callsweep::simulator::Simulator;
    let home = tempfile::tempdir().unwrap();
    let world = crate::full_disk::crowded(30);
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = configuration(home.path(), &simulator.origin());
    let text = std::fs::read_to_string(&file).unwrap();
    let narrow = "wide_calls = []\n[profiles.acme.auth]";
    std::fs::write(&file, text.replace("[profiles.acme.auth]", narrow)).unwrap();
    let token = simulator.token();
    // The plan of thirty events fits, and a part of what follows.
    let (plan, whole) = crate::full_disk::sizes(30);
    let blocks = usize::midpoint(plan, whole) / crate::full_disk::BLOCK;
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let program = env!("CARGO_BIN_EXE_callsweep");
    let arguments = ["-c", &script, program, "--config", &file];
    let shell = Path::new("/bin/sh");
    let mut session = Session::start_program(shell, home.path(), &arguments, &[("T", &token)]);
    session.sees("Dial-In");
    session.press(" d");
    session.types_and_says_yes("30");
    session.sees("could not be closed in order: File too large");
    let left = simulator.with_world(|world| world.event_count());
    assert!(left > 0 && left < 30, "{left}");
    session.sees(&format!("goes on with {left}"));
    session.sees(&format!("{} deleted", 30 - left));
    session.sees(&format!("{left} marked"));
    session.press("Uqq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
}

#[test]
fn no_window_takes_the_memory_of_the_machine() {
    let pbx = crate::headless::named("the-page");
    let token = pbx.simulator.token();
    let mut session = Session::start(pbx.home.path(), &[], &[("TOKEN", token.as_str())]);
    session.sees("0003*210");
    let pid = session.child.process_id().unwrap();
    let before = session.written.matches("\x1b[2J").count();
    // The test's own screen stays small.
    let size = portable_pty::PtySize { rows: 200, cols: 65_535, pixel_width: 0, pixel_height: 0 };
    session.master.resize(size).unwrap();
    while session.written.matches("\x1b[2J").count() == before {
        let bytes = session.output.recv_timeout(PATIENCE).unwrap();
        session.take(&bytes);
    }
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(peak < 64_000_000 / 1024, "{peak} KiB");
}
