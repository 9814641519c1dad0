//! The floors of the house hold: modules use lower floors only, and the pure ones stay pure.

use std::fs;
use std::path::{Path, PathBuf};

/// Every module with its floor, and whether it is pure. `app` stands on `change`, which is why
/// the first floor has two steps; `lib.rs` and `main.rs` may name everything.
const FLOORS: &[(&str, u8, bool)] = &[
    ("domain", 0, true),
    ("change", 10, true),
    ("app", 15, true),
    ("view", 20, true),
    ("api", 20, false),
    ("journal", 20, false),
    ("config", 20, false),
    ("simulator", 20, false),
    ("runtime", 30, false),
    ("terminal", 40, false),
    ("commands", 40, false),
];

/// Modules that do not know each other though one stands on a higher floor: what runs without a
/// screen knows nothing of it.
const NEVER: &[(&str, &str)] =
    &[("commands", "app"), ("commands", "view"), ("commands", "terminal")];

/// Words that a pure module does not say.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "std::fs",
    "std::net",
    "std::env",
    "async ",
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "std::thread",
    "std::process",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each source file below `src` with its top module and its code, comments left out.
fn modules() -> Vec<(PathBuf, String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&src, &mut found);
    found
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&src).unwrap();
            let top = inside.components().next().unwrap().as_os_str().to_string_lossy();
            let module = top.trim_end_matches(".rs").to_owned();
            let code = fs::read_to_string(&path)
                .unwrap()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            (path, module, code)
        })
        .collect()
}

fn floor(module: &str) -> Option<(u8, bool)> {
    FLOORS.iter().find(|(name, ..)| *name == module).map(|&(_, floor, pure)| (floor, pure))
}

fn uses(code: &str, module: &str) -> bool {
    code.contains(&format!("crate::{module}::")) || code.contains(&format!("crate::{module};"))
}

#[test]
fn every_module_stands_on_a_floor() {
    for (path, module, _) in modules() {
        let known = floor(&module).is_some() || module == "lib" || module == "main";
        assert!(known, "{} is on no floor", path.display());
    }
}

#[test]
fn modules_use_lower_floors_only() {
    for (path, module, code) in modules() {
        let Some((own, _)) = floor(&module) else {
            continue;
        };
        for (other, theirs, _) in FLOORS {
            let reaches_up = *other != module && uses(&code, other) && *theirs >= own;
            assert!(!reaches_up, "{} uses {other}, which is not below it", path.display());
            let tests = path.ends_with("tests.rs");
            let never = !tests && NEVER.contains(&(module.as_str(), other)) && uses(&code, other);
            assert!(!never, "{} uses {other}, which it is not to know", path.display());
        }
        let bundled = code.contains("use crate::{");
        assert!(!bundled, "{}: one `use crate::…` a module, so that floors show", path.display());
    }
}

#[test]
fn pure_floors_say_nothing_impure() {
    for (path, module, code) in modules() {
        if !floor(&module).is_some_and(|(_, pure)| pure) {
            continue;
        }
        for word in IMPURE {
            assert!(!code.contains(word), "{} says {word:?}", path.display());
        }
    }
}

#[test]
fn every_file_opens_with_a_sentence_about_itself() {
    for entry in modules() {
        let text = fs::read_to_string(&entry.0).unwrap();
        assert!(text.starts_with("//!"), "{} has no first sentence", entry.0.display());
    }
}

#[test]
fn there_is_no_mod_rs() {
    assert!(modules().iter().all(|(path, ..)| !path.ends_with("mod.rs")));
}
