//! Completions: what the program answers, and what the real shells make of it. Those need bash, zsh and
//! fish, which `.ci/run` installs.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use callsweep::simulator::{World, scenario_names};
use tempfile::TempDir;

use crate::headless::{Pbx, pbx};
use crate::session::Session;

/// Where the shells find the program.
fn path() -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_callsweep")).parent().unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

fn asked(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
    command.env_clear().env("HOME", home).env("CALLSWEEP_COMPLETE", "bash").env("TZ", "UTC");
    command.args(["--", "callsweep"]).args(words).output().unwrap()
}

/// What fits in place of the last word, each with what is known of it.
fn answers(home: &Path, words: &[&str]) -> Vec<(String, String)> {
    let output = asked(home, words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{words:?}: {said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let pair = |line: &str| {
        let (word, help) = line.split_once('\t').unwrap();
        (word.to_owned(), help.to_owned())
    };
    lines.lines().map(pair).collect()
}

fn fits(home: &Path, words: &[&str]) -> Vec<String> {
    answers(home, words).into_iter().map(|(word, _)| word).collect()
}

/// A PBX on which a run of three events was undone, and a configuration of two profiles.
fn desk() -> (Pbx, Vec<String>) {
    let pbx = pbx(World::named("the-page").unwrap());
    assert_eq!(pbx.run(&["delete", "--where", "ext:*", "--yes"]).code, 0);
    assert_eq!(pbx.run(&["undo", "latest", "--yes"]).code, 0);
    let file = pbx.home.path().join(".config/callsweep/config.toml");
    let text = fs::read_to_string(&file).unwrap();
    let second = "[profiles.office]\nurl = \"https://pbx.office.test:8443\"\n\
                  auth = { token_env = \"TOKEN\" }\n";
    fs::write(&file, text + second).unwrap();
    let runs = pbx.home.path().join(".local/state/callsweep/runs");
    let mut names: Vec<String> = fs::read_dir(runs)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names.reverse();
    assert_eq!(names.len(), 2);
    (pbx, names)
}

#[test]
fn what_can_be_typed_is_offered_with_what_is_known_of_it() {
    let (pbx, names) = desk();
    let home = pbx.home.path();
    let profiles = answers(home, &["list", "--profile", ""]);
    let office = ("office".to_owned(), "pbx.office.test".to_owned());
    assert_eq!(profiles, [office.clone(), ("test".to_owned(), "127.0.0.1".to_owned())]);
    assert_eq!(fits(home, &["--profile=o"]), ["--profile=office"]);
    for words in
        [&["show"][..], &["undo"], &["resume"], &["delete", "--of-run"], &["runs", "--remove"]]
    {
        let runs = answers(home, &[words, &[""]].concat());
        let offered: Vec<_> = runs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(offered, [&*names[0], &*names[1], "latest"], "{words:?}");
        assert!(runs[0].1.contains(" undo of 3: 3 restored"), "{runs:?}");
        assert!(runs[1].1.starts_with("20") && runs[1].1.ends_with("delete of 3: 3 deleted"));
    }
    assert_eq!(fits(home, &["show", names[0].split_at(names[0].len() - 1).0]), [&*names[0]]);
    let types = ["dial-in", "dial-out", "hangup", "answer-incoming", "answer-outgoing"];
    assert_eq!(fits(home, &["delete", "--type", ""]), types);
    assert_eq!(fits(home, &["simulator", "--scenario", ""]), scenario_names());
    assert_eq!(fits(home, &["list", "--format", ""]), ["table", "json", "csv"]);
    assert_eq!(fits(home, &["show", "latest", "--format", "m"]), ["md"]);
    assert_eq!(fits(home, &["delete", "--form", ""]), ["event", "extension", "type"]);
    assert_eq!(fits(home, &["completions", "z"]), ["zsh"]);
    assert_eq!(fits(home, &["simulator", "--tls="]).len(), 3);
    assert_eq!(fits(home, &["d"]), ["delete", "disable"]);
    assert!(fits(home, &["show", "--"]).iter().all(|flag| flag != "--extension"));
    fs::write(home.join("before.jsonl"), "").unwrap();
    let file = home.join("bef").display().to_string();
    assert_eq!(fits(home, &["undo", &file]), [home.join("before.jsonl").display().to_string()]);
    let other = home.join("other.toml");
    fs::write(&other, "[profiles.far]\nurl = \"https://far.test\"\n").unwrap();
    let other = other.display().to_string();
    assert_eq!(fits(home, &["--config", &other, "list", "--profile", ""]), ["far"]);
    assert_eq!(fits(home, &["list", &format!("--config={other}"), "--profile", ""]), ["far"]);
}

#[test]
fn nothing_is_said_where_configuration_or_runs_cannot_be_read() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("config.toml");
    let config = file.display().to_string();
    let none = |home: &Path| {
        assert_eq!(fits(home, &["--config", &config, "list", "--profile", ""]), [""; 0]);
        let runs = fits(home, &["show", ""]).into_iter().filter(|word| !word.starts_with("--"));
        assert_eq!(runs.collect::<Vec<_>>(), [""; 0]);
    };
    none(home.path());
    for text in ["[profiles", "profiles = 1", "[profiles]\nx = 2", "\u{0}", "[profiles.'a b']"] {
        fs::write(&file, text).unwrap();
        none(home.path());
    }
    fs::write(&file, [0xff, 0xfe]).unwrap();
    none(home.path());
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    none(home.path());
    let state = home.path().join(".local/state/callsweep");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("runs"), "a file").unwrap();
    none(home.path());
    fs::remove_file(state.join("runs")).unwrap();
    fs::create_dir(state.join("runs")).unwrap();
    fs::write(state.join("runs/20260101T000000Z-x.jsonl"), "{\"line\":\"run\"").unwrap();
    none(home.path());
    // A shell that is not known, and a line that makes no sense.
    for shell in ["csh", "/"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
        command.env_clear().env("HOME", home.path()).env("CALLSWEEP_COMPLETE", shell);
        let output = command.args(["--", "callsweep", "x", "--y", "z"]).output().unwrap();
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn completing_asks_no_pbx_runs_no_command_and_shows_no_secret() {
    let home = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let ran = home.path().join("ran");
    let folder = home.path().join(".config/callsweep");
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "[profiles.acme]\nurl = \"http://{}\"\nextensions = [\"77001\"]\n[profiles.acme.auth]\n\
         token_command = [\"touch\", \"{}\"]\n[profiles.key]\nurl = \"https://u:pass-4711@key.test\"\n\
         [profiles.key.auth]\napp_key = \"key-4711\"\napp_secret_env = \"SECRET\"\n",
        listener.local_addr().unwrap(),
        ran.display(),
    );
    fs::write(folder.join("config.toml"), text).unwrap();
    let places: [&[&str]; 9] = [
        &[""],
        &["--profile", ""],
        &["list", "--profile", "acme", "--type", ""],
        &["--profile", "acme", "delete", "--id", ""],
        &["delete", "--extension", ""],
        &["check", "--profile", "acme", "--"],
        &["show", "latest", "--profile", "acme", ""],
        &["undo", ""],
        &["--url", ""],
    ];
    for words in places {
        let output = asked(home.path(), words);
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8(all).unwrap();
        assert!(!all.contains("4711") && !all.contains("77001"), "{words:?}: {all}");
    }
    assert!(!ran.exists());
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_variable_of_other_programs_does_not_make_it_complete() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
    command.env_clear().env("COMPLETE", "bash").env("CALLSWEEP_COMPLETE", "");
    let output = command.arg("--version").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("callsweep "));
}

/// Where the lines of a screen stand that begin so.
fn rows(screen: &str, begin: &str) -> usize {
    let begin = format!("{begin} ");
    screen.lines().position(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("{screen}"))
}

/// Types a part of the line; the shell makes the whole of it. vt100 leaves out blanks at the end, so a
/// dot is typed behind them.
fn completes(session: &mut Session, part: &str, whole: &str) {
    session.press(part);
    session.sees(part);
    session.press("\t");
    session.sees(whole.trim_end());
    session.press(".");
    session.sees(&format!("{whole}."));
    session.press("\u{7f}");
}

#[test]
#[ignore = "needs bash"]
fn bash_lists_runs_newest_first_with_their_counts_and_cuts_no_word() {
    let (pbx, names) = desk();
    let environment = [("PATH", &*path()), ("PS1", "$ "), ("TZ", "UTC"), ("INPUTRC", "/dev/null")];
    let shell = ["--norc", "--noprofile", "-i"];
    let mut session =
        Session::start_program(Path::new("/bin/bash"), pbx.home.path(), &shell, &environment);
    session.sees("$ ");
    session.press("source <(callsweep completions bash); echo re''ady\n");
    session.sees("ready");
    session.press("callsweep show \t\t");
    session.sees("3 deleted)");
    session.sees("latest");
    let screen = session.contents();
    assert!(rows(&screen, &names[0]) < rows(&screen, &names[1]), "{screen}");
    assert!(screen.contains("undo of 3: 3 restored)"), "{screen}");
    completes(&mut session, "la", "callsweep show latest ");
    completes(&mut session, "--form", "callsweep show latest --format ");
    completes(&mut session, "js", "callsweep show latest --format json ");
    session.press("\u{15}");
    completes(&mut session, "callsweep list --profile=of", "callsweep list --profile=office ");
    completes(&mut session, "--ty", "callsweep list --profile=office --type ");
    completes(&mut session, "han", "callsweep list --profile=office --type hangup ");
    session.press("\u{15}");
    completes(&mut session, "callsweep delete --form ev", "callsweep delete --form event ");
    session.press("\u{15}");
    let scenario = "callsweep simulator --scenario the-";
    completes(&mut session, scenario, "callsweep simulator --scenario the-page ");
    session.press("\u{15}exit\n");
    session.ends();
}

#[test]
#[ignore = "needs zsh"]
fn zsh_lists_runs_newest_first_with_their_counts() {
    let (pbx, names) = desk();
    let environment = [("PATH", &*path()), ("TZ", "UTC")];
    let zsh = Path::new("/usr/bin/zsh");
    let mut session = Session::start_program(zsh, pbx.home.path(), &["-f", "-i"], &environment);
    session.press("PS1='$ '; autoload -U compinit; compinit -u -D\n");
    session.press("source <(callsweep completions zsh); echo re''ady\n");
    session.sees("ready");
    session.press("callsweep show \t");
    session.sees("3 deleted");
    session.sees("latest");
    let screen = session.contents();
    assert!(rows(&screen, &names[0]) < rows(&screen, &names[1]), "{screen}");
    assert!(screen.contains("undo of 3: 3 restored"), "{screen}");
    session.press("\u{15}");
    completes(&mut session, "callsweep list --profile of", "callsweep list --profile office ");
    completes(&mut session, "--type han", "callsweep list --profile office --type hangup ");
    completes(&mut session, "--format js", " --type hangup --format json ");
    session.press("\u{15}");
    let scenario = "callsweep simulator --scenario the-";
    completes(&mut session, scenario, "callsweep simulator --scenario the-page ");
    session.press("\u{15}exit\n");
    session.ends();
}

#[test]
#[ignore = "needs fish"]
fn fish_lists_runs_newest_first_with_their_counts() {
    let (pbx, names) = desk();
    let complete = |line: &str| {
        let script = format!("callsweep completions fish | source; complete -C '{line}'");
        let mut fish = Command::new("/usr/bin/fish");
        fish.args(["--no-config", "-c", &script]).env_clear().env("HOME", pbx.home.path());
        let output = fish.env("PATH", path()).env("TZ", "UTC").output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let runs = complete("callsweep show ");
    assert!(
        runs[0].starts_with(&names[0]) && runs[0].ends_with("undo of 3: 3 restored"),
        "{runs:?}"
    );
    assert!(runs[1].starts_with(&names[1]) && runs[1].ends_with("delete of 3: 3 deleted"));
    assert_eq!(complete("callsweep list --profile of"), ["office\tpbx.office.test"]);
    assert_eq!(complete("callsweep delete --type han"), ["hangup\ttype 2"]);
    assert_eq!(complete("callsweep simulator --scenario the-"), ["the-page"]);
    assert_eq!(complete("callsweep list --format js"), ["json\tOne JSON document"]);
}
