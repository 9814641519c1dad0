//! A service whose every string is hostile: nothing of it acts on the terminal, hides, or moves a
//! column, on the screen, in what is printed and in what is copied.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use callsweep::domain::Source;
use callsweep::simulator::{Event, Extension, Fault, Kind, Simulator, World};

use crate::desk::{Desk, Setting};
use crate::session::{Session, configuration, worked};

const SOURCES: &[Source] = &[Source::Presence, Source::SystemApi];

/// One of each kind: what clears, titles, copies, leaves the screen or asks; controls of every
/// block; what turns, hides or fills; what is wide, piled or of another direction.
const HOSTILE: [&str; 14] = [
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]0;stolen title\u{7}",
    "\u{1b}]52;c;c3RvbGVu\u{7}",
    "\u{1b}[?1049l\u{1b}[?25h\u{1b}c",
    "\u{1b}P1$r0m\u{1b}\\\u{1b}[6n",
    "\u{9b}2J\u{9d}0;c1 title\u{9c}\u{85}",
    "a\u{8}b\rc\nd\te\u{b}f\u{e}g\u{7f}h",
    "\u{202e}turned\u{2066}\u{200f}",
    "zero\u{200b}width\u{200d}\u{feff}\u{ad}\u{2060}",
    "\u{e0041}\u{e0042}tags\u{2028}\u{2029}\u{3164}\u{fe0f}",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "受付電話案内受付電話案内",
    "🙂👩‍👩‍👧🇬🇷 שלום مرحبا",
    "\u{301}leading\u{a0}blank\u{2003}",
];

fn hostile(place: usize) -> String {
    // Another one in front of each, so that every one of them stands at a beginning and inside.
    let [first, second] = [place, place + 5].map(|place| HOSTILE[place % HOSTILE.len()]);
    format!("{first}x{second}")
}

fn harmless(place: usize) -> String {
    format!("harmless words {place}")
}

/// A world whose free strings are made by `text`.
fn world(text: fn(usize) -> String) -> World {
    let mut world = World::named("the-page").unwrap();
    let pattern = world.extension("0003*210").unwrap().events[0].clone();
    let mut extension = Extension::new("0003*210", Kind::Terminal, &text(1));
    for place in 0..14 {
        extension.events.push(Event {
            event_type: u16::try_from(place % 4).unwrap(),
            id: format!("event{place:02}sR4tgB7u"),
            url: format!("https://crm.test/{}", text(place)),
            note: text(place + 1),
            modified: text(place + 2),
            method: u16::try_from(place % 3).unwrap(),
            status: u16::try_from(place % 3).unwrap(),
        });
    }
    extension.events.push(Event { id: text(3), note: text(4), ..pattern });
    world.insert(extension);
    // The first deletion is refused in the service's shape, the second in HTML, the third works and
    // returns an id that nobody knows.
    let error = serde_json::json!({"error": {"code": text(5), "message": text(6)}});
    let returned = serde_json::json!([{"ID": text(7)}]);
    for (nth, status, body) in [
        (1, 400, error.to_string()),
        (2, 502, format!("<html><title>{}</title>{}</html>", text(8), text(9))),
        (3, 200, returned.to_string()),
    ] {
        let method = Some("DELETE".to_owned());
        let fault = Fault {
            method,
            nth: Some(nth),
            status: Some(status),
            body: Some(body),
            ..Fault::default()
        };
        world.add_fault(fault);
    }
    world
}

fn serve(world: World) -> Simulator {
    Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap()
}

/// What an emulator was made to do beside showing text.
#[derive(Default)]
struct Told {
    titles: Vec<Vec<u8>>,
    bells: usize,
    copies: Vec<Vec<u8>>,
    unknown: BTreeSet<String>,
}

impl vt100::Callbacks for Told {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }
    fn visual_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }
    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.titles.push(name.to_vec());
    }
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.titles.push(title.to_vec());
    }
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.copies.push(data.to_vec());
    }
    fn unhandled_control(&mut self, _: &mut vt100::Screen, byte: u8) {
        self.unknown.insert(format!("control {byte:02x}"));
    }
    fn unhandled_escape(
        &mut self,
        _: &mut vt100::Screen,
        first: Option<u8>,
        second: Option<u8>,
        byte: u8,
    ) {
        self.unknown.insert(format!("escape {first:?} {second:?} {byte:02x}"));
    }
    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        first: Option<u8>,
        second: Option<u8>,
        parameters: &[&[u16]],
        sign: char,
    ) {
        self.unknown.insert(format!("csi {first:?} {second:?} {parameters:?} {sign}"));
    }
    fn unhandled_osc(&mut self, _: &mut vt100::Screen, parameters: &[&[u8]]) {
        self.unknown.insert(format!("osc {parameters:?}"));
    }
}

/// Goes through everything there is to see, and returns all that was written.
fn walk(text: fn(usize) -> String) -> String {
    let home = tempfile::tempdir().unwrap();
    let simulator = serve(world(text));
    let file = configuration(home.path(), &simulator.origin());
    let whole = std::fs::read_to_string(&file).unwrap();
    let narrow = "discover = [\"presence\", \"system_api\"]\nwide_calls = []\nconcurrency = 1\n[profiles.acme.auth]";
    std::fs::write(&file, whole.replace("[profiles.acme.auth]", narrow)).unwrap();
    let token = simulator.token();
    let mut session = Session::start(home.path(), &["--config", &file], &[("T", &token)]);
    session.resize(40, 120);
    session.sees("5 Calls");
    session.sees("Dial-In");
    session.press("\r");
    // Every row in full, and copied.
    for _ in 0..22 {
        session.press("jc");
    }
    session.press("C5435");
    session.press("2gg d");
    session.sees("DELETE ");
    session.press("cn");
    session.press("Ad");
    session.sees("DELETE 14 phone call events");
    session.press("jjjcvjv");
    session.types_and_says_yes("14");
    session.sees("finished: ");
    session.press("3ggjcjcjcC");
    session.press("z");
    session.sees("UNDO");
    session.press("jjjvnU2");
    session.resize(24, 80);
    session.press("?\x1b[11~");
    session.resize(15, 60);
    session.sees("2 Events");
    session.press("qq");
    session.press("qq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
    std::mem::take(&mut session.written)
}

fn told(written: &str) -> Told {
    let cells = |count: u16| std::num::NonZero::new(count).unwrap();
    let mut parser = vt100::Parser::new_with_callbacks(cells(40), cells(120), 0, Told::default());
    parser.process(written.as_bytes());
    std::mem::take(parser.callbacks_mut())
}

/// The text between the sequences of the program itself, which are few and known.
fn text_between(written: &str) -> String {
    let mut text = String::new();
    let mut rest = written;
    while let Some((before, sequence)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        let end = match sequence.chars().next() {
            Some('[') => {
                sequence.get(1..).unwrap().find(|c: char| ('@'..='~').contains(&c)).map(|at| at + 2)
            }
            Some(']') => sequence.find('\u{7}').map(|at| at + 1),
            Some('M') => Some(1),
            other => panic!("ESC {other:?} is not ours"),
        };
        rest = sequence.get(end.unwrap()..).unwrap();
    }
    text.push_str(rest);
    text
}

/// What a terminal could be moved, turned or deceived by.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{a0}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{2003}')
}

#[test]
fn a_walk_through_a_hostile_service_does_to_the_terminal_what_one_through_a_harmless_does() {
    let (hostile, harmless) = (walk(hostile), walk(harmless));
    // Line feeds, returns and steps back are how the cursor is moved.
    let foul = |c: &char| acts(*c) && !matches!(c, '\n' | '\r' | '\u{8}');
    assert_eq!(text_between(&hostile).chars().find(foul), None);
    let (told_hostile, told_harmless) = (told(&hostile), told(&harmless));
    assert_eq!(told_hostile.titles, Vec::<Vec<u8>>::new());
    assert_eq!(told_hostile.bells, 0);
    assert!(told_hostile.unknown.is_subset(&told_harmless.unknown), "{:?}", told_hostile.unknown);
    assert_eq!(told_hostile.copies.len(), told_harmless.copies.len());
    assert!(told_hostile.copies.len() > 20, "{}", told_hostile.copies.len());
    for copy in told_hostile.copies {
        let text = base64::engine::general_purpose::STANDARD.decode(copy).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.chars().find(|c| acts(*c) && *c != '\n'), None, "{text:?}");
    }
}

#[test]
fn every_border_stands_where_it_does_over_harmless_text() {
    let borders = |text: fn(usize) -> String| -> Vec<Vec<usize>> {
        let mut desk = Desk::of(world(text), Setting { sources: SOURCES, ..Setting::default() });
        let mut seen = Vec::new();
        for keys in ["", "enter", "j", "j", "j j j", "G", "k k", "space d", "n 3"] {
            desk.do_keys(keys);
            seen.push(desk.cells_with("│║"));
        }
        seen
    };
    assert_eq!(borders(hostile), borders(harmless));
}

fn printed(home: &Path, file: &str, token: &str, arguments: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_callsweep"))
        .env_clear()
        .env("HOME", home)
        .env("T", token)
        .args(["--config", file])
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn nothing_that_is_printed_acts_on_a_terminal_either() {
    let home = tempfile::tempdir().unwrap();
    let simulator = serve(world(hostile));
    let file = configuration(home.path(), &simulator.origin());
    let token = simulator.token();
    let clean = |arguments: &[&str]| {
        let (out, err) = printed(home.path(), &file, &token, arguments);
        for text in [&out, &err] {
            let found = text.chars().find(|c| acts(*c) && *c != '\n');
            assert_eq!(found, None, "{arguments:?}: {text}");
        }
        out + &err
    };
    clean(&["list"]);
    clean(&["list", "--format=json"]);
    let event = "event04sR4tgB7u";
    let deleted = clean(&["delete", "--extension=0003*210", "--id", event, "--yes"]);
    assert!(deleted.contains("refused"), "{deleted}");
    clean(&["delete", "--extension=0003*210", "--id", "event05sR4tgB7u", "--yes", "--format=json"]);
    let runs = home.path().join(".local/state/callsweep/runs");
    let name = callsweep::journal::names(&runs).unwrap().remove(0);
    // Names that are none of ours, and a file that somebody changed.
    let path = callsweep::journal::path_of(&runs, &name);
    let changed = std::fs::read_to_string(&path).unwrap().replace("acme", "\\u001b[2J\\u202eacme");
    std::fs::write(path.with_file_name("changed.jsonl"), &changed).unwrap();
    std::fs::write(path.with_file_name("\u{1b}[2Jname.jsonl"), &changed).unwrap();
    std::fs::write(path.with_file_name("torn.jsonl"), "{\"line\":\"\u{1b}]0;x\u{7}\"}\n").unwrap();
    for format in ["table", "json"] {
        clean(&["runs", "--format", format]);
        clean(&["show", &name, "--format", format]);
        clean(&["show", "changed", "--format", format]);
        clean(&["show", "torn", "--format", format]);
    }
    for arguments in [
        &["list", "--where", "note:\"\u{1b}[2J\u{202e}"][..],
        &["list", "--extension", "\u{1b}[2J"],
        &["list", "--profile", "\u{1b}[2J\u{9b}"],
        &["show", "\u{1b}]0;x\u{7}"],
        &["undo", "\u{1b}[2J"],
    ] {
        let said = clean(arguments);
        assert!(!said.is_empty(), "{arguments:?}");
    }
    let text = std::fs::read_to_string(&file).unwrap();
    for (was, is) in
        [("acme", "\"\\u001b[2J\""), ("token_env", "\"tok\\u009ben\""), ("http:", "\u{9b}http:")]
    {
        std::fs::write(&file, text.replace(was, is)).unwrap();
        assert!(clean(&["list"]).contains("line"));
    }
}

#[test]
fn a_cell_that_a_spreadsheet_would_take_for_a_formula_is_text() {
    let home = tempfile::tempdir().unwrap();
    let simulator = serve(world(|_| "=HYPERLINK(\"http://evil.test\")".to_owned()));
    let file = configuration(home.path(), &simulator.origin());
    let (csv, _) = printed(home.path(), &file, &simulator.token(), &["list", "--format=csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let cells: Vec<String> = reader
        .records()
        .flat_map(|record| record.unwrap().iter().map(ToOwned::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(cells.iter().any(|cell| cell.starts_with("'=HYPERLINK")));
    assert!(!cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@'])));
}

#[test]
fn a_megabyte_in_a_field_is_drawn_as_quickly_as_a_word() {
    let long = |place: usize| HOSTILE[place % HOSTILE.len()].repeat(60_000);
    let mut desk = Desk::of(world(long), Setting { sources: SOURCES, ..Setting::default() });
    for keys in ["enter", "j", "j", "space", "d", "n", "3"] {
        desk.do_keys(keys);
        let before = worked();
        let screen = desk.screen();
        let took = worked().saturating_sub(before);
        assert!(took < Duration::from_millis(150), "{keys}: {took:?}");
        assert!(screen.contains("3 Status"));
    }
}
