//! Every mistake of the configuration has a file in `tests/invalid_configs`, which opens with the
//! very sentence that is to be said about it.

use std::fs;
use std::path::{Path, PathBuf};

use callsweep::config::{self, Environment, Flags};

/// The files, with the sentence each one asks for.
fn mistakes() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid_configs");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let sentence = text.lines().next().unwrap().trim_start_matches("# ");
            let sentence = sentence.replacen("FILE", &path.display().to_string(), 1);
            (path, sentence)
        })
        .collect();
    found.sort();
    found
}

fn message(path: &Path) -> String {
    let flags = Flags { config: Some(path.to_owned()), ..Flags::default() };
    let environment: Environment =
        [("HOME", "/nowhere"), ("CALLSWEEP_TOKEN", "1|s3cr3t"), ("EMPTY_TOKEN", "")]
            .into_iter()
            .collect();
    match config::load(&flags, &environment) {
        Ok(profile) => panic!("{} was accepted: {profile:?}", path.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_mistake_is_answered_with_its_sentence() {
    let wrong: Vec<String> = mistakes()
        .into_iter()
        .map(|(path, expected)| (message(&path), expected))
        .filter(|(said, expected)| said != expected)
        .map(|(said, expected)| format!("said:     {said}\nexpected: {expected}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn every_answer_is_one_line_with_a_remedy_and_without_a_secret() {
    let mistakes = mistakes();
    assert!(mistakes.len() > 50, "only {} files", mistakes.len());
    for (path, _) in mistakes {
        let said = message(&path);
        assert!(!said.contains('\n') && !said.ends_with('.'), "{said}");
        assert!(said.contains(": "), "{said}");
        assert!(!said.contains("s3cr3t"), "{said}");
        assert!(said.starts_with(&path.display().to_string()), "{said}");
    }
}
