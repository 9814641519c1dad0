//! A masked session at a real terminal: from the first byte on nothing of the customer is written.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::session::{Session, configuration};

#[test]
fn a_masked_demo_shows_no_number_and_no_host_until_m_is_pressed() {
    let home = tempfile::tempdir().unwrap();
    let mut session = Session::start(home.path(), &["--demo", "--mask"], &[]);
    session.sees("[MASKED]");
    session.sees("####*#00");
    session.sees("Dial-In");
    session.press("\rj d");
    session.sees("DELETE 1 phone call event on ###.#.#.#:");
    session.press("n");
    session.sees("cancelled");
    for told in ["0003*", "127.0.0.1"] {
        assert!(!session.written.contains(told), "{told} was written");
    }
    session.press("m");
    session.sees("0003*100");
    session.press("Uqq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
}

#[test]
fn why_a_start_waits_is_masked_as_all_of_the_screen_is() {
    let home = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = configuration(home.path(), &format!("http://{address}"));
    for (flags, told) in [(&["--config", &file, "--mask"][..], false), (&["--config", &file], true)]
    {
        let mut session = Session::start(home.path(), flags, &[("T", "secret-token")]);
        session.sees("refused");
        let said = session.screen.screen().contents();
        assert_eq!(said.contains("127.0.0.1"), told, "{said}");
        session.press("q");
        assert_eq!(session.ends(), 0);
        assert_eq!(session.written.contains("127.0.0.1"), told);
    }
}

#[test]
fn a_command_that_prints_refuses_to_pretend_that_it_masks() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [["--demo", "--mask", "list"], ["--demo", "list", "--mask"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
        command.args(arguments).env_clear().env("HOME", home.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8(output.stderr).unwrap().contains("--mask"));
    }
}
