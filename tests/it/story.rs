//! The story that the README tells: a customer left the old CRM, and its events go everywhere but on
//! queues. Its frames in `assets/story` are what the program shows;
//! `UPDATE_STORY=1 cargo test --locked --test it story` writes them anew.

#![expect(clippy::string_slice, reason = "lines are cut where something was found in them")]

use std::path::PathBuf;

use callsweep::domain::Source;

use crate::desk::{Desk, Setting};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("assets/story/{name}.txt"))
}

/// What differs from one telling to the next is replaced by something of the same width: the address
/// of the PBX, the name of the run, the plan's hash and times.
fn told(screen: &str) -> String {
    let mut told = String::new();
    for line in screen.lines() {
        let mut line = replaced(line, "127.0.0.1:", 15, "pbx.example.com");
        line = replaced(&line, "-test", 0, "");
        if let Some(at) = line.find("plan ") {
            let end = at + "plan ".len() + 12;
            if line.get(at + 5..end).is_some_and(|hash| hash.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                line.replace_range(at + 5..end, "84090b298beb");
            }
        }
        told.push_str(&times(&line));
        told.push('\n');
    }
    told
}

fn replaced(line: &str, begin: &str, width: usize, with: &str) -> String {
    match line.find(begin).filter(|_| width > 0) {
        Some(at) => {
            let end = line[at..].char_indices().nth(width).map_or(line.len(), |(end, _)| at + end);
            format!("{}{with}{}", &line[..at], replaced(&line[end..], begin, width, with))
        }
        None => line.to_owned(),
    }
}

/// Run names begin with a UTC stamp, and answers end with how long they took.
fn times(line: &str) -> String {
    let stamp = |text: &str| {
        text.len() == 16
            && text.ends_with('Z')
            && text.as_bytes()[8] == b'T'
            && text.bytes().filter(u8::is_ascii_digit).count() == 14
    };
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if rest.get(..16).is_some_and(stamp) {
            out.push_str("20260601T100000Z");
            rest = &rest[16..];
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && rest[digits..].starts_with("ms") {
            // Numbers stand at the right of their column.
            let blanks = out.len() - out.trim_end_matches(' ').len();
            let keep = (blanks + digits).saturating_sub(1);
            out.truncate(out.len() - blanks);
            out.push_str(&" ".repeat(keep));
            out.push_str("3ms");
            rest = &rest[digits + 2..];
            continue;
        }
        if digits > 0 {
            out.push_str(&rest[..digits]);
            rest = &rest[digits..];
            continue;
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}

#[test]
fn the_story_of_the_readme_is_what_the_program_shows() {
    let sources = &[Source::Presence, Source::SystemApi];
    let today = "2026-06-01T12:00:00+02:00[Europe/Berlin]".parse().unwrap();
    let setting = Setting { size: (80, 24), sources, today, ..Setting::default() };
    let mut desk = Desk::with("demo", setting);
    let update = std::env::var_os("UPDATE_STORY").is_some();
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let tell = |desk: &mut Desk, name: &str, in_readme: bool| {
        let frame = told(&desk.screen());
        if update {
            std::fs::create_dir_all(file(name).parent().unwrap()).unwrap();
            std::fs::write(file(name), &frame).unwrap();
        }
        let kept = std::fs::read_to_string(file(name)).unwrap_or_default();
        assert_eq!(frame, kept, "{name}");
        assert!(
            update || !in_readme || readme.contains(&frame),
            "the README shows {name} otherwise"
        );
    };
    desk.do_keys("0 o o");
    tell(&mut desk, "1-all-events-by-host", true);
    desk.do_keys("T");
    for key in "host:crm-old.*".chars() {
        desk.do_keys(&key.to_string());
    }
    desk.do_keys("space");
    for key in "-kind:queue".chars() {
        desk.do_keys(&key.to_string());
    }
    tell(&mut desk, "2-mark-by-rule", false);
    desk.do_keys("enter d");
    let events = desk.model.store().marked().to_string();
    for digit in events.chars() {
        desk.do_keys(&digit.to_string());
    }
    tell(&mut desk, "3-review", true);
    desk.do_keys("y");
    tell(&mut desk, "4-deleted", true);
    desk.do_keys("z y");
    tell(&mut desk, "5-undone", false);
}
