//! The papers say what is: keys, commands, modules and tests that they name are there.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use callsweep::domain::TERMS;
use callsweep::keys::{Action, Keymap, Layer};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn paper(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// What stands in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The lines inside fences.
fn fenced(text: &str) -> Vec<&str> {
    text.split("\n```").skip(1).step_by(2).flat_map(str::lines).collect()
}

/// All code below a folder, in one text.
fn code(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&code(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    all
}

#[test]
fn the_readme_shows_the_two_commands_to_begin_with() {
    let readme = paper("README.md");
    let lines = fenced(&readme);
    for command in ["cargo run --release -- --demo", "cargo test --locked"] {
        assert!(lines.contains(&command), "README.md does not show {command:?}");
    }
}

#[test]
fn the_readme_names_every_term_of_an_expression() {
    let readme = paper("README.md");
    for (term, _) in TERMS {
        assert!(readme.contains(&format!("`{term}`")), "README.md does not name {term}");
    }
}

/// The table of actions as the README shows it.
fn table_of_keys() -> String {
    let keymap = Keymap::default();
    let mut table = "| keys | name | what it does |\n| --- | --- | --- |\n".to_owned();
    for (layer, title) in Layer::TITLED {
        writeln!(table, "| | | **{title}** |").unwrap();
        for action in keymap.actions(layer) {
            let keys = keymap.shown(action, Some(layer));
            let keys: Vec<_> = keys.split(' ').map(|key| format!("`{key}`")).collect();
            let (keys, Action { name, help, .. }) = (keys.join(" "), action);
            writeln!(table, "| {keys} | {name} | {help} |").unwrap();
        }
    }
    table
}

/// With `INSTA_UPDATE=always` it writes the table into the README.
#[test]
fn the_readme_shows_the_table_of_actions() {
    let readme = paper("README.md");
    let start = readme.find("| keys | name |").unwrap();
    let (before, rest) = readme.split_at(start);
    let end = rest.find("\n\n").unwrap() + 1;
    let (shown, after) = rest.split_at(end);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let text = [before, &table_of_keys(), after].concat();
        return fs::write(root().join("README.md"), text).unwrap();
    }
    assert_eq!(shown, table_of_keys());
}

#[test]
fn the_architecture_names_every_module() {
    let architecture = paper("ARCHITECTURE.md");
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        let row = format!("| `{module}` |");
        assert!(module == "lib" || architecture.contains(&row), "{module} has no floor there");
    }
}

#[test]
fn every_file_that_the_architecture_names_exists() {
    let architecture = paper("ARCHITECTURE.md");
    let named = || quoted(&architecture).filter(|words| words.split('.').nth(1) == Some("rs"));
    for file in named() {
        assert!(root().join("src").join(file).is_file(), "there is no src/{file}");
    }
    assert!(named().count() > 10);
}

#[test]
fn every_test_that_the_papers_name_exists() {
    let papers = paper("ARCHITECTURE.md") + &paper("tests/README.md");
    let all = code(&root().join("src")) + &code(&root().join("tests"));
    let named = || quoted(&papers).filter(|words| words.matches('_').count() > 3);
    for test in named() {
        assert!(all.contains(&format!("fn {test}(")), "there is no test {test}");
    }
    assert!(named().count() > 15);
}

#[test]
fn what_lands_runs_the_readmes_own_test_command() {
    let path = root().join(".ci/run");
    assert_ne!(fs::metadata(&path).unwrap().permissions().mode() & 0o100, 0);
    let script = paper(".ci/run");
    assert!(script.contains("README.md"), ".ci/run does not read the README");
    let own = script.lines().any(|line| line.trim_start().starts_with("cargo test"));
    assert!(!own, ".ci/run has a test command of its own");
    let readme = paper("README.md");
    let commands = fenced(&readme).into_iter().filter(|line| line.starts_with("cargo test"));
    assert_eq!(commands.collect::<Vec<_>>(), ["cargo test --locked"]);
}

#[test]
fn the_licence_is_mit_in_every_place_that_names_it() {
    assert!(paper("LICENSE").starts_with("MIT License"));
    assert!(paper("Cargo.toml").contains("license = \"MIT\""));
    assert!(paper("README.md").contains("[MIT](LICENSE)"));
}

#[test]
fn the_changelog_begins_with_what_is_unreleased() {
    let changelog = paper("CHANGELOG.md");
    let first = changelog.lines().find(|line| line.starts_with("## "));
    assert_eq!(first, Some("## Unreleased"));
}
