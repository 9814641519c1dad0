//! The floors of the house hold: modules use lower floors only, and the pure ones stay pure.

use std::fs;
use std::path::{Path, PathBuf};

/// Every module with its floor, and whether it is pure. `app` stands on `change`, which is why
/// the first floor has two steps; `lib.rs` and `main.rs` may name everything.
const FLOORS: &[(&str, u8, bool)] = &[
    ("domain", 0, true),
    ("looks", 0, true),
    ("keys", 0, true),
    ("origins", 5, false),
    ("log", 6, false),
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

/// Modules that never use another, although their floors would let them: client and simulator
/// share no type, so that what one of them misreads the other does not misread with it, and what
/// runs without a screen knows nothing of it.
const NEVER: &[(&str, &[&str])] =
    &[("simulator", &["api", "domain"]), ("commands", &["app", "view", "terminal"])];

/// Modules whose files may use each other in a circle: what the simulated world may do, and how it
/// is asked for, are one thing there.
const ROUND: &[&str] = &["simulator"];

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
    "ZonedDateTime::now",
    "TimeZone::system",
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
        }
        let bundled = code.contains("use crate::{");
        assert!(!bundled, "{}: one `use crate::…` a module, so that floors show", path.display());
    }
}

#[test]
fn no_module_knows_what_it_is_never_to_know() {
    for (path, module, code) in modules() {
        if path.ends_with("tests.rs") {
            continue;
        }
        let never = NEVER.iter().find(|(name, _)| *name == module);
        for other in never.map_or(&[][..], |(_, others)| others) {
            assert!(!uses(&code, other), "{} uses {other}", path.display());
        }
    }
}

/// The path of modules that a file is: `api::wire::json`.
fn module_path(file: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = file.strip_prefix(src).unwrap().with_extension("");
    let names = inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join("::")
}

/// Everything that a `use` names, its braces taken apart.
fn spread(used: &str) -> Vec<String> {
    let Some((before, inside)) = used.split_once('{') else {
        return vec![used.split(" as ").next().unwrap().trim().to_owned()];
    };
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for character in inside.chars() {
        depth += i32::from(character == '{') - i32::from(character == '}');
        if character == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(character);
        }
    }
    let whole = |part: &String| spread(&format!("{}{}", before.trim(), part.trim()));
    parts.iter().filter(|part| !part.trim().is_empty()).flat_map(whole).collect()
}

/// The modules that the code of one names with `crate::` or `super::`, in `use` or in passing.
fn named(code: &str, module: &str) -> Vec<String> {
    let starts = ["crate::", "super::"].map(|start| code.match_indices(start));
    let starts = starts.into_iter().flatten().map(|(at, _)| at);
    let whole =
        |at: &usize| !code.split_at(*at).0.ends_with(|c: char| c.is_alphanumeric() || c == ':');
    let text = |at: usize| {
        let (before, from) = code.split_at(at);
        let in_use = before.trim_end().ends_with("use");
        let in_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let end = if in_use { from.find(';') } else { from.find(|c| !in_path(c)) };
        from.split_at(end.unwrap_or(from.len())).0.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut found = Vec::new();
    for used in starts.filter(whole).map(text).flat_map(|used| spread(&used)) {
        let mut place: Vec<&str> = module.split("::").collect();
        let mut rest = used.as_str();
        if let Some(below) = rest.strip_prefix("crate::") {
            (place, rest) = (Vec::new(), below);
        }
        while let Some(above) = rest.strip_prefix("super::") {
            place.pop();
            rest = above;
        }
        place.extend(rest.split("::"));
        found.push(place.join("::"));
    }
    found
}

/// Who uses whom of files none of which is inside the other.
fn uses_between_files() -> Vec<(String, Vec<String>)> {
    let files: Vec<(String, String)> = modules()
        .into_iter()
        .filter(|(_, module, _)| !ROUND.contains(&module.as_str()))
        .filter(|(path, ..)| {
            !path.ends_with("tests.rs") && !path.to_string_lossy().contains("/tests/")
        })
        .map(|(path, _, code)| {
            // What tests use is no matter of the house.
            let own = code.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            (module_path(&path), own)
        })
        .collect();
    let family = |a: &str, b: &str| format!("{a}::").starts_with(&format!("{b}::"));
    let file_of = |named: &str| {
        let holds = files.iter().map(|(file, _)| file).filter(|file| family(named, file));
        holds.max_by_key(|file| file.len()).cloned()
    };
    let uses = |module: &str| -> Vec<String> {
        // What a file is made of is used for it.
        let parts = files.iter().filter(|(file, _)| family(file, module));
        let named = parts.flat_map(|(file, code)| named(code, file));
        let others = named.filter_map(|named| file_of(&named));
        others.filter(|other| !family(module, other) && !family(other, module)).collect()
    };
    files.iter().map(|(module, _)| (module.clone(), uses(module))).collect()
}

#[test]
fn the_files_of_a_module_do_not_use_each_other_in_a_circle() {
    let all = uses_between_files();
    let mut left: Vec<&str> = all.iter().map(|(module, _)| module.as_str()).collect();
    loop {
        // Whoever uses none of those that are left is in no circle.
        let before = left.clone();
        let uses_left = |module: &&str| {
            let used = &all.iter().find(|(name, _)| name == module).unwrap().1;
            used.iter().any(|other| before.contains(&other.as_str()))
        };
        left.retain(uses_left);
        if left.len() == before.len() {
            break;
        }
    }
    assert!(left.is_empty(), "in a circle, or on the way to one: {left:?}");
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
