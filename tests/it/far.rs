//! Reviews inside tmux and GNU screen and through `sshd`: confirmed in the ordinary way, and by
//! nothing that was typed ahead. Where one of them is missing its tests say so and prove nothing.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use crate::remote::{Server, Tmux, is_there};
use crate::session::Session;
use crate::unseen::Office;

const PROGRAM: &str = env!("CARGO_BIN_EXE_callsweep");

const A_WHILE: Duration = Duration::from_millis(800);

#[test]
fn in_tmux_keys_in_one_piece_delete_nothing_and_a_review_is_confirmed_in_the_ordinary_way() {
    let Some(tmux) = Tmux::start() else { return };
    let office = Office::small();
    let command = format!("T='{}' HOME={} ", office.token, office.home.path().display());
    tmux.keys(&[&format!("{command}{PROGRAM} --config {}", office.file), "Enter"]);
    tmux.sees("Dial-In");
    tmux.keys(&["Space"]);
    tmux.sees("3 marked");
    tmux.keys(&["-l", "dy"]);
    tmux.sees("DELETE 3 phone call events");
    std::thread::sleep(A_WHILE);
    assert_eq!(office.count("DELETE"), 0, "{}", tmux.screen());
    tmux.keys(&["n"]);
    tmux.sees("cancelled: nothing was sent");
    tmux.keys(&["d"]);
    tmux.sees("n cancels.");
    tmux.keys(&["y"]);
    tmux.sees("finished: 3 deleted");
    assert_eq!(office.count("DELETE"), 3);
}

/// The program in a GNU screen of its own, as a terminal in this language sees it.
fn in_screen(office: &Office, language: &str) -> Option<Session> {
    let screen = Path::new("/usr/bin/screen");
    if !is_there("/usr/bin/screen") {
        return None;
    }
    let sockets = office.home.path().join("sockets");
    std::fs::create_dir(&sockets).unwrap();
    std::fs::set_permissions(&sockets, Permissions::from_mode(0o700)).unwrap();
    let arguments = ["-c", "/dev/null", "-S", "own", PROGRAM, "--config", &office.file];
    let environment = [
        ("T", office.token.as_str()),
        ("LANG", language),
        ("SCREENDIR", sockets.to_str().unwrap()),
        ("SHELL", "/bin/sh"),
        ("PATH", "/usr/bin:/bin"),
    ];
    let mut session = Session::start_program(screen, office.home.path(), &arguments, &environment);
    session.sees("Dial-In");
    Some(session)
}

#[test]
fn in_gnu_screen_keys_in_one_piece_delete_nothing_and_every_call_can_be_read_in_any_language() {
    for language in ["C", "C.UTF-8"] {
        let office = Office::small();
        let Some(mut session) = in_screen(&office, language) else { return };
        session.press(" ");
        session.sees("3 marked");
        session.press("dy");
        session.sees("DELETE 3 phone call events");
        session.reads_for(A_WHILE);
        office.is_untouched("dy", &session);
        session.press("n");
        session.sees("cancelled: nothing was sent");
        session.press("d");
        session.sees("n cancels.");
        let seen = session.contents();
        for line in ["3 calls, each by its id", "DELETE /uapi/extensions/@me/0003*210/phone"] {
            assert!(seen.contains(line), "{language}: {line:?}\n{seen}");
        }
        assert!(language != "C" || seen.is_ascii(), "{seen}");
        session.press("y");
        session.sees("finished: 3 deleted");
        assert_eq!(office.count("DELETE"), 3);
        session.press("qq");
        session.ends();
    }
}

#[test]
fn in_gnu_screen_without_utf_8_the_warnings_of_wide_calls_can_be_read() {
    let office = Office::of(crate::full_disk::crowded(12), "");
    let Some(mut session) = in_screen(&office, "C") else { return };
    session.press(" /zzz\rd");
    session.sees("12 of the 12 are hidden by the filter");
    let seen = session.contents();
    assert!(seen.contains("all events"), "{seen}");
    assert!(seen.is_ascii(), "{seen}");
    office.is_untouched("a review", &session);
    session.press("n\x03\x03");
    session.ends();
}

#[test]
fn through_ssh_keys_in_one_piece_delete_nothing_and_a_slow_reader_is_heard() {
    let Some(server) = Server::start() else { return };
    let office = Office::small();
    let command = format!("export T='{}'; exec {PROGRAM} --config {}", office.token, office.file);
    let mut session = server.session(server.port, &command);
    session.sees("Dial-In");
    session.press(" ");
    session.sees("3 marked");
    session.press("dy");
    session.sees("DELETE 3 phone call events");
    session.reads_for(A_WHILE);
    office.is_untouched("dy", &session);
    session.press("n");
    session.sees("cancelled: nothing was sent");
    session.press("d");
    session.says_yes();
    session.sees("finished: 3 deleted");
    session.reads_slowly(960);
    session.press("qq");
    assert_eq!(session.ends(), 0);
}
