//! What surrounds a start: a full standard output, an odd umask, a home that is none, a terminal that
//! can do little.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::headless::{Pbx, Said, command, named};
use crate::session::Session;

const PROGRAM: &str = env!("CARGO_BIN_EXE_callsweep");

/// Of everything below a folder that is no link, its mode.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, data) = (entry.path(), entry.metadata().unwrap());
        found.push((path.display().to_string(), data.permissions().mode() & 0o7777));
        if data.is_dir() {
            found.extend(modes(&path));
        }
    }
    found
}

#[test]
fn whatever_prints_exits_1_where_standard_output_is_full() {
    let pbx = named("the-page");
    let deleted = pbx.run(&["delete", "--where", "type:hangup", "--yes"]);
    assert_eq!(deleted.code, 0, "{}", deleted.err);
    let printing: &[&[&str]] = &[
        &["--help"],
        &["-h"],
        &["--version"],
        &["help"],
        &["help", "delete"],
        &["list", "--help"],
        &["man"],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["completions", "fish"],
        &["config"],
        &["config", "--path"],
        &["config", "--print-example"],
        &["check"],
        &["list"],
        &["list", "--format", "json"],
        &["list", "--format", "csv"],
        &["list", "--format", "json", "--where", ""],
        &["runs"],
        &["runs", "--format", "json"],
        &["runs", "--remove", "--before", "2020-01-01", "--format", "json"],
        &["show", "latest"],
        &["show", "latest", "--format", "json"],
        &["show", "latest", "--format", "csv"],
        &["show", "latest", "--format", "md"],
        &["undo", "latest", "--dry-run"],
        &["undo", "latest", "--yes", "--format", "json"],
        &["delete", "--where", "ext:*", "--dry-run"],
        &["disable", "--where", "ext:*", "--yes"],
        &["simulator"],
    ];
    for arguments in printing {
        let mut command = command(&pbx.home, &pbx.simulator.token(), arguments);
        let output = command.stdout(File::create("/dev/full").unwrap()).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {err}");
        let said = "standard output cannot be written (No space left on device";
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["man"], &["completions", "bash"], &["config", "--path"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = command(&home, "", arguments).stdout(writer).status().unwrap();
        assert_eq!(status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn under_an_odd_umask_nothing_is_left_that_its_owner_cannot_use() {
    for umask in ["0777", "0177", "0277", "0477", "0000"] {
        let pbx = named("the-page");
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let run = |arguments: &[&str]| {
            let whole = [&["-c", &script, PROGRAM], arguments].concat();
            let mut shell = Command::new("/bin/sh");
            shell.args(whole).env_clear().env("HOME", pbx.home.path());
            shell.env("TOKEN", pbx.simulator.token()).env("CALLSWEEP_TEST_SPEED", "20");
            Said::of(shell.stdin(Stdio::null()).output().unwrap())
        };
        let backup = pbx.home.path().join("kept");
        let said = run(&["backup", backup.to_str().unwrap(), "--where", "ext:*"]);
        assert_eq!(said.code, 0, "{umask}: {}", said.err);
        let said = run(&["delete", "--where", "ext:*", "--yes"]);
        assert_eq!(said.code, 0, "{umask}: {}", said.err);
        for (path, mode) in modes(&pbx.home.path().join(".local")) {
            let wanted = if Path::new(&path).is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, wanted, "umask {umask}: {path} is {mode:o}");
        }
        assert_eq!(fs::metadata(backup).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(pbx.run(&["undo", "latest", "--yes"]).code, 0, "umask {umask}");
    }
}

/// Runs in a folder of its own, where a relative path would be made.
fn within(pbx: &Pbx, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
    let here = pbx.home.path().join("here");
    fs::create_dir_all(&here).unwrap();
    let mut command = command(&pbx.home, &pbx.simulator.token(), arguments);
    command.env_remove("HOME").envs(variables.iter().copied()).current_dir(&here);
    let said = Said::of(command.output().unwrap());
    assert_eq!(fs::read_dir(&here).unwrap().count(), 0, "{variables:?} {arguments:?}");
    said
}

#[test]
fn a_relative_home_is_refused_in_words_and_a_relative_xdg_folder_is_none() {
    let pbx = named("the-page");
    let home = pbx.home.path().to_str().unwrap().to_owned();
    let file = pbx.home.path().join(".config/callsweep/config.toml");
    let file = file.to_str().unwrap();
    for home in ["relative", "./relative", "."] {
        for arguments in [
            &["list"][..],
            &["list", "--config", file],
            &["check", "--config", file],
            &["delete", "--config", file, "--where", "ext:*", "--yes"],
            &["runs", "--config", file],
            &["show", "latest"],
            &["undo", "latest", "--config", file, "--yes"],
            &["config", "--path"],
        ] {
            let said = within(&pbx, &[("HOME", home), ("XDG_STATE_HOME", "state")], arguments);
            assert_eq!(said.code, 2, "{arguments:?}: {}{}", said.out, said.err);
            let told = format!("{}{}", said.out, said.err);
            assert!(told.contains("HOME is a relative path"), "{arguments:?}: {told}");
        }
    }
    assert_eq!(pbx.requests().len(), 0);
    let absolute = [("HOME", "relative"), ("XDG_STATE_HOME", &home), ("XDG_CONFIG_HOME", &home)];
    assert_eq!(within(&pbx, &absolute, &["list", "--config", file]).code, 0, "HOME is not needed");
    let ignored = [("HOME", &*home), ("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config")];
    assert_eq!(within(&pbx, &ignored, &["delete", "--where", "ext:*", "--yes"]).code, 0);
    assert!(pbx.home.path().join(".local/state/callsweep/runs").is_dir());
}

#[test]
fn a_terminal_that_can_do_little_gets_no_escape_sequence() {
    let pbx = named("the-page");
    let token = pbx.simulator.token();
    let file = pbx.home.path().join(".config/callsweep/config.toml");
    let file = file.to_str().unwrap();
    for (arguments, code) in [
        (&["list"][..], 0),
        (&["delete", "--where", "ext:*", "--yes"], 0),
        (&["undo", "latest", "--yes"], 0),
        (&["check"], 0),
        (&["--help"], 0),
        (&["--no-such-flag"], 2),
        (&["runs"], 0),
        (&[], 2),
        (&["--demo"], 2),
    ] {
        let whole = [&["--config", file], arguments].concat();
        let whole = if arguments == ["--demo"] { arguments } else { &whole };
        let dumb = [("TERM", "dumb"), ("TOKEN", &*token), ("CALLSWEEP_TEST_SPEED", "20")];
        let mut session = Session::start(pbx.home.path(), whole, &dumb);
        assert_eq!(session.ends(), code, "{arguments:?}: {}", session.written);
        assert!(!session.written.contains('\u{1b}'), "{arguments:?}: {:?}", session.written);
        let needs_a_screen = arguments.is_empty() || arguments == ["--demo"];
        assert!(!needs_a_screen || session.written.contains("TERM=dumb"), "{}", session.written);
    }
}

#[test]
fn where_no_terminal_can_be_read_the_screen_is_refused_in_words_and_nothing_is_drawn() {
    let home = tempfile::tempdir().unwrap();
    // In a session of its own, and without keys from standard input, there is none.
    let script = format!("setsid -w {PROGRAM} --demo </dev/null; echo code $?");
    let mut session =
        Session::start_program(Path::new("/bin/sh"), home.path(), &["-c", &script], &[]);
    session.ends();
    assert!(session.written.contains("no terminal to read keys from"), "{}", session.written);
    assert!(session.written.contains("code 2"), "{}", session.written);
    assert!(!session.written.contains('\u{1b}'), "{:?}", session.written);
}
