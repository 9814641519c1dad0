//! Starting the binary: every way in that goes wrong says what to do, exits 2 or 1, and writes
//! nothing.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn callsweep(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null());
    command
}

/// Runs without a terminal and returns the exit code and what was said.
fn started(home: &Path, arguments: &[&str]) -> (i32, String) {
    let Output { status, stderr, stdout } = callsweep(home, arguments).output().unwrap();
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_demo_without_a_terminal_says_so_and_exits_2() {
    let home = tempfile::tempdir().unwrap();
    let (code, said) = started(home.path(), &["--demo"]);
    assert_eq!(code, 2);
    assert!(said.contains("standard output is not a terminal"), "{said}");
    assert!(is_empty(home.path()));
}

#[test]
fn without_a_configuration_it_says_in_three_lines_how_to_begin_and_writes_none() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join(".config/callsweep/config.toml");
    let kept = format!("callsweep config --print-example > {}, then edit it", place.display());
    for arguments in [&[][..], &["list"], &["delete", "--where", "ext:*", "--yes"]] {
        let (code, said) = started(home.path(), arguments);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!((code, lines.len()), (2, 3), "{said}");
        assert!(lines[0].ends_with("callsweep --demo"), "{said}");
        let url = "CALLSWEEP_TOKEN=… callsweep --url https://pbx.example.com";
        assert!(lines[1].ends_with(url), "{said}");
        assert!(lines[2].ends_with(&kept), "{said}");
    }
    assert!(is_empty(home.path()));
}

#[test]
fn an_unknown_key_and_a_missing_token_are_named_with_their_place() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    let path = file.to_str().unwrap();
    let body = "[profiles.acme]\nurl = \"https://pbx.test\"\n[profiles.acme.auth]\ntoken_env = \"ACME_TOKEN\"\n";
    std::fs::write(&file, body.replace("url", "colour = 1\nurl")).unwrap();
    let (code, said) = started(home.path(), &["--config", path]);
    assert_eq!(code, 2);
    assert!(said.contains("line 2") && said.contains("\"colour\""), "{said}");
    std::fs::write(&file, body).unwrap();
    let (code, said) = started(home.path(), &["--config", path]);
    assert_eq!(code, 2);
    assert!(said.contains("ACME_TOKEN is not set"), "{said}");
}

#[test]
fn an_unknown_flag_is_a_usage_error() {
    let home = tempfile::tempdir().unwrap();
    let (code, said) = started(home.path(), &["--dmeo"]);
    assert_eq!(code, 2);
    assert!(said.contains("--demo"), "{said}");
}

#[test]
fn arguments_that_cannot_be_read_have_their_document_where_one_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    for (typed, error) in [
        (&["list", "--format", "json", "--frobnicate"][..], "'--frobnicate'"),
        (&["delete", "--format=json", "--form", "wide"], "'wide'"),
        (&["runs", "--format", "json", "x"], "'x'"),
        (&["undo", "--format", "json"], "<RUN>"),
        (&["show", "--format", "json"], "<RUN>"),
        (&["resume", "--frobnicate", "--dry-run", "--format", "json"], "'--frobnicate'"),
        (&["--profile", "runs", "list", "--format", "json", "x"], "'x'"),
    ] {
        let output = callsweep(home.path(), typed).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{typed:?}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(document["error"].as_str().unwrap().contains(error), "{document}");
        let key = match typed {
            [.., "list", _, _, _] | ["list", ..] => "events",
            ["runs", ..] => "runs",
            _ => "outcomes",
        };
        assert!(document[key].as_array().unwrap().is_empty(), "{document}");
        let is_dry = document.get("dry_run").is_some_and(|dry| dry == true);
        assert_eq!(is_dry, typed.contains(&"--dry-run"));
    }
    for typed in [
        &["list", "--frobnicate"][..],
        &["check", "--format", "json"],
        &["list", "--", "--format=json"],
    ] {
        let output = callsweep(home.path(), typed).output().unwrap();
        assert_eq!((output.status.code(), output.stdout), (Some(2), Vec::new()), "{typed:?}");
    }
}

#[test]
fn the_example_that_it_prints_is_the_documented_one() {
    let home = tempfile::tempdir().unwrap();
    let output = callsweep(home.path(), &["config", "--print-example"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), callsweep::config::example().unwrap());
    let output = callsweep(home.path(), &["config", "--path"]).output().unwrap();
    let place = home.path().join(".config/callsweep/config.toml");
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), place.to_str().unwrap());
    assert!(is_empty(home.path()));
}

#[test]
fn the_simulator_names_its_scenarios_when_it_does_not_know_one() {
    let home = tempfile::tempdir().unwrap();
    let (code, said) = started(home.path(), &["simulator", "--scenario", "no-such"]);
    assert_eq!(code, 2);
    assert!(said.contains("the-page"), "{said}");
}
