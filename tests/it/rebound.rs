//! `[keys]` gives every action other keys: then no picture and no sentence names one that it had.

use std::fs;
use std::path::Path;

use callsweep::keys::{ACTIONS, Action, Command, Keymap, Keys, Layer};
use callsweep::simulator::World;

use crate::desk::{Desk, Setting};

/// Where sentences for the screen are made.
const ROOMS: &[&str] = &["app", "view", "view.rs"];
/// What a key does, in sentences.
const VERBS: &[&str] = &[
    "adds",
    "brings",
    "closes",
    "copies",
    "counts",
    "goes",
    "groups",
    "lists",
    "loads",
    "marks",
    "opens",
    "pauses",
    "re-creates",
    "reads",
    "reviews",
    "scrolls",
    "selects",
    "shows",
    "simulates",
    "sorts",
    "stops",
    "takes",
    "then",
    "tries",
    "undoes",
    "unmarks",
    "writes",
];
/// Words and signs that are seldom keys where they stand alone: only before a verb they are.
const WORDS: &[&str] = &[
    "a", "A", "s", "h", "d", "m", "x", "e", "-", "/", ":", "{", "}", "0", "1", "2", "3", "4", "5",
];

fn movable() -> impl Iterator<Item = &'static Action> {
    ACTIONS.iter().filter(|action| !action.is_fixed)
}

/// Every action that may have other keys with one of two keys that begins with Q.
fn rebound() -> (Keymap, Vec<(&'static Action, String)>) {
    // Where text is typed only keys that type nothing are keys.
    let typing = ["earlier-line", "later-line", "list-page-down", "list-page-up"];
    let second = ('a'..='z').chain('A'..='Z').chain("!$%&()=~;,".chars()).filter(|key| *key != 'y');
    let keys: Vec<_> = movable()
        .zip(second)
        .map(|(action, second)| {
            let place = typing.iter().position(|name| *name == action.name);
            (action, place.map_or(format!("Q{second}"), |place| format!("f{}", place + 2)))
        })
        .collect();
    let changes: Vec<_> =
        keys.iter().map(|(action, keys)| (*action, vec![Keys::parse(keys).unwrap()])).collect();
    (Keymap::with(&changes).unwrap(), keys)
}

/// The texts of the string literals of a source file, without its tests.
fn literals(path: &Path, found: &mut Vec<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            literals(&entry.unwrap().path(), found);
        }
        return;
    }
    let name = path.to_string_lossy();
    if name.contains("tests") || !name.ends_with(".rs") {
        return;
    }
    let code = fs::read_to_string(path).unwrap();
    let code = code.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join(" ").replace("'\"'", "");
    let mut inside: Option<String> = None;
    let mut signs = code.chars();
    while let Some(sign) = signs.next() {
        match (sign, &mut inside) {
            ('"', Some(_)) => found.extend(inside.take()),
            ('"', None) => inside = Some(String::new()),
            ('\\', Some(text)) => text.extend(signs.next().filter(|next| *next != ' ')),
            (other, Some(text)) => text.push(other),
            (_, None) => {}
        }
    }
}

#[test]
fn a_sentence_names_an_action_and_takes_its_key_from_the_keymap() {
    let mut found = Vec::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in ROOMS {
        literals(&src.join(room), &mut found);
    }
    assert!(found.len() > 500, "{}", found.len());
    let names: Vec<&str> = movable().flat_map(|it| it.keys).copied().collect();
    // Names of keys that are words, and the sign of a question, are in the list of keys alone.
    let fixed = |key: &str| ACTIONS.iter().any(|it| it.is_fixed && it.keys.contains(&key));
    let is_key = |word: &str| {
        names.contains(&word) && !fixed(word) && !["left", "down", "end", "?"].contains(&word)
    };
    let keys = Keymap::default();
    for text in found.iter().filter(|text| text.contains(' ')) {
        let words: Vec<&str> = text
            .split_whitespace()
            .map(|word| word.trim_matches([',', ';', '.', '(', ')', '!', '·']))
            .collect();
        for (place, word) in words.iter().enumerate().filter(|(_, word)| is_key(word)) {
            let next = words.get(place + 1).copied().unwrap_or_default();
            let before = place.checked_sub(1).map_or("", |place| words[place]);
            // `{seconds} s` and the like are figures.
            let is_figure = before.ends_with('}') || next.is_empty() && before.is_empty();
            let does = VERBS.contains(&next) || before == "press";
            let means_key = !is_figure && (!WORDS.contains(word) || does);
            assert!(!means_key, "{word:?} is written out in {text:?}");
        }
        for name in ["1", "2", "3", "4", "5"] {
            assert!(!text.contains(&format!("({name})")), "{text:?}");
        }
        let told = keys.told(text);
        let left = told.split('<').skip(1).filter_map(|part| part.split_once('>'));
        let unknown = left.map(|(name, _)| name).find(|name| {
            !name.is_empty() && name.chars().all(|sign| sign.is_ascii_lowercase() || sign == '-')
        });
        assert_eq!(unknown, None, "no action is called so: {text:?}");
    }
}

/// Presses what does this, one key after the other.
fn does(desk: &mut Desk, keys: &[(&Action, String)], name: &str) {
    let (_, keys) = keys.iter().find(|(action, _)| action.name == name).unwrap();
    match keys.strip_prefix('Q') {
        Some(second) => desk.do_keys(&format!("Q {second}")),
        None => desk.do_keys(keys),
    }
}

/// What is seen on the way through a session: sentences without a mark, reviews, a run and its undo.
fn pictures(desk: &mut Desk, keys: &[(&Action, String)]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut look = |desk: &mut Desk| seen.push(desk.screen());
    let steps: &[&[&str]] = &[
        &["delete"],
        &["events"],
        &["delete"],
        &["range"],
        &["marked"],
        &["range"],
        &["mark-all"],
        &["mark-type"],
        &["sort"],
        &["mark-rest"],
        &["extensions", "mark"],
        &["unmark-all"],
        &["mark", "disable"],
        &["show-calls", "add-changed"],
    ];
    for step in steps {
        step.iter().for_each(|name| does(desk, keys, name));
        look(desk);
    }
    desk.do_keys("n");
    does(desk, keys, "delete");
    look(desk);
    desk.do_keys("n q q");
    look(desk);
    desk.do_keys("n");
    does(desk, keys, "disable");
    desk.do_keys("y");
    look(desk);
    desk.do_keys("enter");
    look(desk);
    desk.do_keys("esc");
    does(desk, keys, "runs");
    look(desk);
    desk.do_keys("enter");
    look(desk);
    does(desk, keys, "undo");
    look(desk);
    desk.do_keys("y");
    look(desk);
    does(desk, keys, "mask");
    does(desk, keys, "filter");
    does(desk, keys, "earlier-line");
    look(desk);
    seen
}

#[test]
fn with_other_keys_for_everything_no_picture_names_the_old_ones() {
    let fixed = |key: &&str| ACTIONS.iter().any(|it| it.is_fixed && it.keys.contains(key));
    let old: Vec<String> = movable()
        .flat_map(|action| {
            let keys = action.keys.iter().filter(|key| !fixed(key));
            keys.map(|keys| Keys::parse(keys).unwrap().to_string())
        })
        .collect();
    for size in [(60, 15), (80, 24), (120, 40)] {
        let (keymap, keys) = rebound();
        assert_eq!(keymap.first(Command::ReviewUndo, Layer::Panels).unwrap().len(), 2);
        let setting = Setting { size, keys: keymap, ..Setting::default() };
        let mut desk = Desk::of(World::named("the-page").unwrap(), setting);
        let seen = pictures(&mut desk, &keys);
        assert!(seen.iter().any(|screen| screen.contains('Q')));
        for screen in &seen {
            for line in screen.lines() {
                let words: Vec<&str> = line
                    .split_whitespace()
                    .map(|word| word.trim_matches([',', ';', '.', '│', '║']))
                    .collect();
                for pair in words.windows(2) {
                    let is_figure = pair[0].chars().all(|sign| sign.is_ascii_digit());
                    let names = !is_figure && old.iter().any(|key| key == pair[0]);
                    let does =
                        VERBS.contains(&pair[1].trim_end_matches(':')) || pair[1] == "Status";
                    assert!(!(names && does), "{pair:?} in\n{screen}");
                }
                assert!(!line.contains("(1)") && !line.contains("press 1"), "{screen}");
            }
        }
    }
}
