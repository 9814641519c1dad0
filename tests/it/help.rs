//! What the program says of itself: help, version, and the manual page.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use callsweep::commands::described;
use callsweep::domain::TERMS;
use callsweep::keys::{Keymap, Layer};
use clap::Command as Described;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
    command.args(arguments).env_clear().output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The manual page without the escapes of roff, in one line for each paragraph.
fn manual() -> String {
    let page = printed(&["man"]);
    let mut plain = String::new();
    for (at, part) in page.split("\\[u").enumerate() {
        match part.split_once(']').filter(|_| at > 0) {
            Some((code, rest)) => {
                plain.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
                plain.push_str(rest);
            }
            None => plain.push_str(part),
        }
    }
    let plain = plain.replace("\\-", "-").replace("\\(aq", "'");
    let plain = plain.replace("\\&", "").replace("\\e", "\\");
    let mut lines: Vec<String> = Vec::new();
    for line in plain.lines() {
        let last = lines.last_mut().filter(|last| !last.starts_with('.') && !line.starts_with('.'));
        let is_tag = line.starts_with("\\f");
        match last.filter(|last| !is_tag && !last.starts_with("\\f")) {
            Some(last) => last.extend([" ", line]),
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// The commands that have a place of their own, with the flags that each has.
fn commands() -> Vec<Described> {
    let mut whole = described();
    whole.build();
    let commands: Vec<_> = whole.get_subcommands().cloned().collect();
    commands.into_iter().filter(|it| it.get_name() != "help").collect()
}

fn usage(command: &Described) -> String {
    command.clone().render_usage().to_string()
}

#[test]
fn a_usage_has_every_flag_of_its_command_and_no_other() {
    for command in commands() {
        let usage = usage(&command);
        let part = |c: char| !(c.is_ascii_lowercase() || c == '-');
        let shown: BTreeSet<&str> =
            usage.split(part).filter_map(|word| word.strip_prefix("--")).collect();
        let own = command.get_arguments().filter(|it| it.get_long() != Some("help"));
        let own: Vec<_> = own.collect();
        for flag in own.iter().filter(|it| it.get_help_heading().is_none()) {
            let name = flag.get_long().map_or_else(
                || flag.get_value_names().unwrap()[0].to_string(),
                |long| format!("--{long}"),
            );
            assert!(usage.contains(&name), "{name} is not in {usage:?}");
        }
        for flag in shown {
            let known = own.iter().any(|it| it.get_long() == Some(flag));
            assert!(known, "there is no --{flag} of {usage:?}");
        }
        for (heading, word) in [("PBX", "[PBX]"), ("Selection", "SELECTION")] {
            let has = own.iter().any(|it| it.get_help_heading() == Some(heading));
            assert_eq!(has, usage.contains(word), "{word} in {usage:?}");
        }
    }
}

#[test]
fn every_command_says_what_it_prints_and_its_examples_can_be_typed() {
    let words = |line: &str| {
        let line = line.split("   ").next().unwrap().split(" > ").next().unwrap();
        let line = line.split(" | ").next().unwrap().replace("source <(", "").replace(')', "");
        let line = line.replace("CALLSWEEP_TOKEN=... ", "");
        line.split_whitespace().map(|word| word.replace('\'', "")).collect::<Vec<_>>()
    };
    for command in commands().iter().chain([&described()]) {
        let name = command.get_name();
        let about = command.get_long_about().unwrap_or_else(|| panic!("{name} says nothing"));
        let about = about.to_string().to_lowercase();
        let says = ["print", "standard output", "script asks"];
        assert!(says.iter().any(|word| about.contains(word)), "{name}: {about}");
        let examples = command.get_after_long_help().unwrap().to_string();
        for line in examples.lines().skip(1) {
            let words = words(&line.replace("host:crm-old.acme.test -kind", "host:crm-old"));
            assert_eq!(words[0], "callsweep", "{line}");
            described().try_get_matches_from(&words).unwrap_or_else(|it| panic!("{line}: {it}"));
        }
    }
}

#[test]
fn the_help_has_every_command_once_under_what_it_is_for() {
    let help = printed(&["--help"]);
    for title in ["Look:", "Change:", "Runs and the way back:", "More:", "Options:", "Examples:"] {
        assert!(help.lines().any(|line| line == title), "{title} is not in {help}");
    }
    for command in commands() {
        let row = format!("  {:<12} {}", command.get_name(), command.get_about().unwrap());
        assert_eq!(help.lines().filter(|line| *line == row).count(), 1, "{row}");
        assert!(row.len() <= 79, "{row}");
    }
}

#[test]
fn a_command_has_only_flags_that_mean_something_to_it() {
    for refused in [
        "runs --extension 1",
        "--extension 1 runs",
        "--demo runs",
        "--demo show latest",
        "--demo man",
        "show latest --extension 1",
        "show latest --read-only",
        "show latest --demo",
        "undo latest --extension 1",
        "--extension 1 resume latest",
        "simulator --profile x",
        "simulator --extension 1",
        "--extension 1 simulator",
        "simulator --ascii",
        "list --ascii",
        "list --mask",
        "--mask list",
        "config --profile x",
        "man --profile x",
        "completions bash --demo",
    ] {
        let output = run(&refused.split(' ').collect::<Vec<_>>());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{refused}: {said}");
        assert!(!said.is_empty() && output.stdout.is_empty(), "{refused}: {said}");
    }
    let foreign = ["--profile", "--url", "--extension", "--demo", "--ascii", "--read-only"];
    for (command, flags) in [("simulator", &foreign[..]), ("show", &foreign[2..])] {
        let help = printed(&[command, "--help"]);
        for flag in flags {
            assert!(!help.contains(flag), "{flag} in {command} --help");
        }
    }
}

#[test]
fn flags_before_a_command_mean_what_they_mean_behind_it() {
    for line in ["--demo list --extension 0003*100", "--extension 0003*100 list --demo"] {
        let output = run(&line.split(' ').collect::<Vec<_>>());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("of 1 extension\n"), "{line}: {said}");
    }
    let both = printed(&["--demo", "--extension", "0003*100", "list", "--extension", "0003*101"]);
    assert!(both.contains("0003*100 ") && both.contains("0003*101 ") && !both.contains("0003*102"));
}

#[test]
fn a_list_counts_the_extensions_that_have_what_it_prints() {
    let said = |arguments: &[&str]| String::from_utf8(run(arguments).stderr).unwrap();
    let all = said(&["list", "--demo"]);
    assert!(all.contains(" events of 40 extensions\n"), "{all}");
    let queues = said(&["list", "--demo", "--where", "kind:queue"]);
    let table = printed(&["list", "--demo", "--where", "kind:queue"]);
    let numbers = table.lines().skip(1).map(|line| line.split(' ').next().unwrap());
    let numbers = numbers.collect::<BTreeSet<_>>().len();
    assert!(numbers > 1 && numbers < 40);
    let told = format!(" events of {numbers} extensions; 40 extensions read\n");
    assert!(queues.contains(&told), "{queues}");
    let none = said(&["list", "--demo", "--where", "host:nowhere.test"]);
    assert!(none.contains("0 events of 0 extensions; 40 extensions read\n"), "{none}");
}

#[test]
fn there_is_a_completion_script_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        assert!(script.contains("CALLSWEEP_COMPLETE") && script.contains("callsweep"), "{shell}");
    }
    assert_eq!(run(&["completions", "csh"]).status.code(), Some(2));
}

#[test]
fn the_version_tells_commit_date_and_target() {
    assert_eq!(printed(&["-V"]), concat!("callsweep ", env!("CARGO_PKG_VERSION"), "\n"));
    let long = printed(&["--version"]);
    let rest = long.strip_prefix(concat!("callsweep ", env!("CARGO_PKG_VERSION"), " (commit "));
    let rest = rest.unwrap_or_else(|| panic!("{long}"));
    let commit = rest.split([' ', ',']).next().unwrap();
    let is_hash = commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit());
    assert!(is_hash || commit == "unknown", "{long}");
    let date = rest.split("date ").nth(1).unwrap().split(',').next().unwrap();
    let is_date = date.len() == 10 && date.starts_with("20") && date.matches('-').count() == 2;
    assert!(is_date || date == "unknown", "{long}");
    let target = rest.split("target ").nth(1).unwrap();
    assert!(target.starts_with(std::env::consts::ARCH) && target.ends_with(")\n"), "{long}");
}

#[test]
fn the_manual_page_has_every_section_and_the_usage_of_every_command() {
    let manual = manual();
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "SELECTION",
        "RUNS",
        "COMMANDS",
        "KEYS",
        "EXPRESSIONS",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
        "SECURITY",
        "SEE ALSO",
    ] {
        assert!(manual.contains(&format!("\n.SH {section}\n")), "no {section}");
    }
    assert!(!manual.contains('@') || !manual.contains("@SYNOPSIS@"));
    let plain = manual.replace("\\fB", "").replace("\\fI", "").replace("\\fR", "");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    for command in commands() {
        let usage = usage(&command);
        let usage = usage.split_whitespace().filter(|word| *word != "Usage:").collect::<Vec<_>>();
        for usage in usage.join(" ").split("callsweep ").filter(|usage| !usage.is_empty()) {
            let found = plain.matches(&format!("callsweep {}", usage.trim())).count();
            assert!(found >= 2, "{usage:?} stands {found} times in the manual page");
        }
    }
}

#[test]
fn the_manual_page_names_every_term_of_an_expression() {
    let manual = manual();
    for (term, _) in TERMS {
        assert!(manual.contains(&format!("\\fB{term}\\fR")), "{term} is not there");
    }
}

#[test]
fn the_manual_page_has_every_action_under_the_title_of_its_layer() {
    let manual = manual();
    for (layer, title) in Layer::TITLED {
        let part = manual.split(&format!(".SS \"{title}\"\n")).nth(1).unwrap();
        let part = part.split("\n.S").next().unwrap();
        for action in Keymap::default().actions(layer) {
            let keys = Keymap::default().shown(action, Some(layer));
            let row = format!(".TP\n\\fB{keys}\\fR  \\fI{}\\fR\n{}", action.name, action.help);
            assert!(part.contains(&row), "{row} is not in {part:?}");
            assert!(!keys.is_empty(), "{} has no key in {title:?}", action.name);
        }
    }
}
