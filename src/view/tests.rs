//! Pictures of every screen, as text: `src/view/snapshots` holds what was looked at and approved.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;

use crate::app::tests::Desk;
use crate::app::{Message, Model};
use crate::domain::{
    Cause, Discovery, Extension, ExtensionNumber, Failure, ListingBuilder, RawEvent,
};

use super::draw;

fn terminal(model: &Model) -> Terminal<TestBackend> {
    let whole = model.layout().whole;
    let mut terminal = Terminal::new(TestBackend::new(whole.width, whole.height)).unwrap();
    terminal.draw(|frame| draw(model, frame)).unwrap();
    terminal
}

fn picture(model: &Model) -> String {
    terminal(model).backend().to_string()
}

fn resized(columns: u16, rows: u16, keys: &str) -> Desk {
    let mut desk = Desk::open();
    desk.take(Message::Resized { columns, rows });
    desk.press(keys);
    desk
}

#[test]
fn browsing() {
    for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
        let mut desk = resized(columns, rows, "enter j space j j space");
        insta::assert_snapshot!(format!("browsing-{columns}x{rows}"), picture(&desk.model));
        desk.press("esc");
        insta::assert_snapshot!(format!("extensions-{columns}x{rows}"), picture(&desk.model));
    }
}

#[test]
fn filtering() {
    let mut desk = resized(80, 24, "enter A / o l d");
    insta::assert_snapshot!("filter-typed-80x24", picture(&desk.model));
    desk.press("enter");
    insta::assert_snapshot!("filter-kept-80x24", picture(&desk.model));
    desk.press("/ space t y p e :");
    insta::assert_snapshot!("filter-refused-80x24", picture(&desk.model));
}

#[test]
fn marking() {
    let mut desk = resized(80, 24, "enter j space T");
    insta::assert_snapshot!("mark-empty-80x24", picture(&desk.model));
    desk.press("t y p e : 0");
    insta::assert_snapshot!("mark-counted-80x24", picture(&desk.model));
    desk.press("| o l d");
    insta::assert_snapshot!("mark-refused-80x24", picture(&desk.model));
    desk.press("ctrl-u - - o l d");
    insta::assert_snapshot!("mark-unmark-80x24", picture(&desk.model));
    desk.press("esc R 1 R");
    let extensions = ["1", "2", "3", "4", "5"];
    let extensions = extensions.map(|text| Extension::of(ExtensionNumber::parse(text).unwrap()));
    let discovery = Discovery { extensions: extensions.to_vec(), remarks: vec![], complete: true };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    desk.press("T t y p e : 0 enter");
    insta::assert_snapshot!("mark-offered-80x24", picture(&desk.model));
    desk.press("L");
    insta::assert_snapshot!("mark-loading-80x24", picture(&desk.model));
}

#[test]
fn the_end_of_a_long_expression_and_what_it_means_stay_in_sight() {
    let mut desk = resized(60, 15, "T");
    desk.take(Message::Pasted(format!("url:*{}*", "crm".repeat(40))));
    insta::assert_snapshot!("mark-long-60x15", picture(&desk.model));
}

#[test]
fn reviewing() {
    for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
        let mut desk = resized(columns, rows, "A d");
        insta::assert_snapshot!(format!("review-wide-{columns}x{rows}"), picture(&desk.model));
        desk.press("t");
        insta::assert_snapshot!(format!("review-events-{columns}x{rows}"), picture(&desk.model));
    }
    let desk = resized(80, 24, "enter A / o l d enter d 4");
    insta::assert_snapshot!("review-hidden-80x24", picture(&desk.model));
}

#[test]
fn reading_again_for_the_review_and_what_drifted() {
    let mut desk = Desk::open();
    desk.press_only("A d");
    insta::assert_snapshot!("review-reading-80x24", picture(&desk.model));
    desk.press_only("y");
    insta::assert_snapshot!("review-agreed-80x24", picture(&desk.model));
    let number = ExtensionNumber::parse("1").unwrap();
    let mut builder = ListingBuilder::new(number.clone());
    for (event_type, id, url) in [
        ("0", "a", "https://crm.test/in"),
        ("0", "o1", "https://elsewhere.test/in"),
        ("2", "b", "https://crm.test/in"),
        ("2", "new", "https://crm.test/in"),
    ] {
        let raw = RawEvent { event_type, id, url, method: "1", status: "1", ..RawEvent::default() };
        builder.push(raw);
    }
    let result = Ok(builder.finish(true));
    desk.take(Message::Listed { extension: number, epoch: 0, result, exchanges: Vec::new() });
    let failure = Failure::new(Cause::Unreachable, "pbx.test refused the connection");
    let extension = ExtensionNumber::parse("2").unwrap();
    let result = Err(failure);
    desk.take(Message::Listed { extension, epoch: 0, result, exchanges: Vec::new() });
    insta::assert_snapshot!("review-drifted-80x24", picture(&desk.model));
    desk.take(Message::Resized { columns: 60, rows: 15 });
    insta::assert_snapshot!("review-drifted-60x15", picture(&desk.model));
}

#[test]
fn simulating() {
    let mut desk = resized(80, 24, "enter A d t");
    desk.press("s");
    desk.simulate(0);
    insta::assert_snapshot!("simulating-80x24", picture(&desk.model));
    for call in 1..4 {
        desk.simulate(call);
    }
    desk.press("3");
    insta::assert_snapshot!("simulated-80x24", picture(&desk.model));
}

#[test]
fn running() {
    for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
        let mut desk = resized(columns, rows, "enter A d t");
        desk.run();
        desk.settle(0, true);
        desk.settle(1, false);
        desk.press("3");
        insta::assert_snapshot!(format!("running-{columns}x{rows}"), picture(&desk.model));
        desk.press("1 q");
        insta::assert_snapshot!(format!("leaving-{columns}x{rows}"), picture(&desk.model));
        desk.press("n 3");
        desk.settle(2, true);
        desk.settle(3, true);
        desk.take(Message::RunFileClosed(Ok(())));
        insta::assert_snapshot!(format!("finished-{columns}x{rows}"), picture(&desk.model));
    }
}

#[test]
fn helping() {
    for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
        let desk = resized(columns, rows, "?");
        insta::assert_snapshot!(format!("help-{columns}x{rows}"), picture(&desk.model));
    }
}

#[test]
fn below_the_smallest_size_it_says_so_and_nothing_else() {
    for (columns, rows) in [(59, 24), (80, 14), (1, 1), (20, 5)] {
        let desk = resized(columns, rows, "A d");
        let picture = picture(&desk.model);
        assert!(!picture.contains("DELETE"), "{picture}");
        assert!(columns < 30 || picture.contains("make the window larger (60x15)"), "{picture}");
    }
}

#[test]
fn the_cursor_and_the_marks_are_seen_without_colours() {
    let desk = resized(80, 24, "enter j space");
    let terminal = terminal(&desk.model);
    let buffer = terminal.backend().buffer();
    let rows: Vec<String> = buffer
        .content
        .chunks(80)
        .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
        .collect();
    let cursor = rows.iter().position(|row| row.contains(">  [ ]")).unwrap();
    let marked = rows.iter().position(|row| row.contains("   [x]")).unwrap();
    let modifier = |row: usize| buffer.content[row * 80 + 35].modifier;
    assert!(modifier(cursor).contains(Modifier::REVERSED));
    assert!(
        modifier(marked).contains(Modifier::BOLD) && !modifier(marked).contains(Modifier::REVERSED)
    );
}

#[test]
fn hostile_text_in_every_field_keeps_every_row_in_its_place() {
    let hostile =
        "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{200b}受付e\u{301}\u{301}\u{301}\u{301}\u{301}";
    let mut desk = Desk::open();
    let number = ExtensionNumber::parse("1").unwrap();
    let extension = Extension { label: hostile.into(), ..Extension::of(number.clone()) };
    let discovery = Discovery { extensions: vec![extension], remarks: vec![], complete: true };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    let mut builder = ListingBuilder::new(number.clone());
    builder.push(RawEvent {
        event_type: "0",
        id: "a",
        method: hostile,
        url: hostile,
        note: hostile,
        status: hostile,
        modified: hostile,
    });
    builder.push(RawEvent { event_type: hostile, id: hostile, ..RawEvent::default() });
    let result = Ok(builder.finish(true));
    desk.take(Message::Listed { extension: number.clone(), epoch: 0, result, exchanges: vec![] });
    let failure = Failure { code: hostile.into(), ..Failure::new(Cause::Rejected, hostile) };
    desk.take(Message::Listed {
        extension: number,
        epoch: 0,
        result: Err(failure),
        exchanges: vec![],
    });
    for keys in ["enter", "j", "j", "3", "1 d", "n"] {
        desk.press(keys);
        let terminal = terminal(&desk.model);
        let buffer = terminal.backend().buffer();
        for cell in &buffer.content {
            let acts = |character: char| {
                character.is_control() || matches!(character, '\u{202e}' | '\u{200b}')
            };
            assert!(!cell.symbol().chars().any(acts), "{:?}", cell.symbol());
        }
        let border = |row: usize| buffer.content[row * 80 + 79].symbol();
        assert!(
            (2..12).all(|row| matches!(border(row), "│" | "┐" | "┘" | "║" | "╗" | "╝")),
            "{keys}"
        );
    }
}
