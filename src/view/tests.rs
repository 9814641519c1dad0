//! Pictures of every screen: `src/view/snapshots` holds what was looked at and approved.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use crate::app::tests::{Desk, facts, put_off};
use crate::app::{Facts, Message, Model, RunFiles};
use crate::change::{Check, Done, EarlierEvent, EarlierRun, Kind, Summary, Tally};
use crate::domain::{
    Cause, Change, DeleteAnswer, Discovery, Extension, ExtensionNumber, Failure, Foreign,
    ListingBuilder, Outcome, RawEvent, Status, Success, Word, looked,
};
use crate::looks::Looks;

use super::{draw, text, theme};

mod masks;

/// The sizes that every screen is looked at in: the smallest, the usual, a large one.
const SIZES: [(u16, u16); 3] = [(60, 15), (80, 24), (120, 40)];

fn drawn(model: &Model) -> Buffer {
    drawn_with_cursor(model).0
}

/// The picture, and where it has the terminal's cursor.
fn drawn_with_cursor(model: &Model) -> (Buffer, Option<Position>) {
    let whole = model.layout().whole;
    let mut terminal = Terminal::new(TestBackend::new(whole.width, whole.height)).unwrap();
    let picture = terminal.draw(|frame| draw(model, frame)).unwrap().buffer.clone();
    let backend = terminal.backend();
    (picture, backend.cursor_visible().then(|| backend.cursor_position()))
}

fn lines(picture: &Buffer) -> Vec<String> {
    let rows = picture.content.chunks(usize::from(picture.area.width));
    rows.map(|row| row.iter().map(Cell::symbol).collect()).collect()
}

fn picture(model: &Model) -> String {
    lines(&drawn(model)).join("\n")
}

/// A large screen with so many extensions of 25 events each, in sight.
fn many(extensions: usize) -> Desk {
    let mut desk = Desk::just_started();
    let number = |place: usize| format!("{place:04}");
    let found = (0..extensions).map(|it| ExtensionNumber::parse(&number(it)).unwrap());
    let found = found.map(Extension::of).collect();
    let discovery = Discovery { extensions: found, complete: true, ..Discovery::default() };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    for place in 0..extensions {
        let events: Vec<String> = (0..25).map(|event| format!("{} id{event}", event % 5)).collect();
        desk.list(&number(place), &events.join(","));
    }
    desk.take(Message::Resized { columns: 120, rows: 40 });
    desk
}

#[test]
fn a_picture_full_of_events_takes_few_allocations_more_than_one_of_none() {
    let allocations = |model: &Model| {
        let mut screen = Terminal::new(TestBackend::new(120, 40)).unwrap();
        screen.draw(|frame| draw(model, frame)).unwrap();
        let again = || {
            screen.draw(|frame| draw(model, frame)).unwrap();
        };
        allocation_counter::measure(again).count_total
    };
    let none = allocations(&many(0).model);
    let mut desk = many(60);
    for keys in ["k j", "0 j j j", "/ i d enter", "A"] {
        desk.press(keys);
        let events = allocations(&desk.model);
        assert!(events <= none + 10, "{keys}: {events}, of none {none}");
    }
}

#[test]
fn the_end_of_many_marks_looks_at_no_more_rows_than_their_beginning() {
    let mut desk = many(60);
    desk.press("0 A 4");
    let looks = |desk: &Desk| {
        let before = looked::rows();
        picture(&desk.model);
        looked::rows() - before
    };
    let first = looks(&desk);
    desk.press("G");
    let last = looks(&desk);
    assert!(picture(&desk.model).contains("callsweep delete"));
    assert!(last <= first && first < 200, "{first} {last}");
}

/// Every row's styles, each with the columns that it goes from and to.
fn styles(picture: &Buffer) -> String {
    let mut text = String::new();
    for (y, row) in picture.content.chunks(usize::from(picture.area.width)).enumerate() {
        let mut words = Vec::new();
        let mut first = 0;
        for run in row.chunk_by(|one, next| one.style() == next.style()) {
            let (style, end) = (run[0].style(), first + run.len());
            let color = style.fg.filter(|fg| *fg != Color::Reset).map(|fg| fg.to_string());
            let modifiers = style.add_modifier.iter_names().map(|(name, _)| name.to_owned());
            let looks: Vec<String> = color.into_iter().chain(modifiers).collect();
            if !looks.is_empty() {
                words.push(format!("{first}-{} {}", end - 1, looks.join("+").to_lowercase()));
            }
            first = end;
        }
        if !words.is_empty() {
            writeln!(text, "{y:>2}: {}", words.join(", ")).unwrap();
        }
    }
    text
}

fn approve(name: &str, text: &str) {
    insta::assert_snapshot!(name, text);
}

/// The screen in every size and in every look: with colours, without, and in ASCII.
fn approved(name: &str, desk: &mut Desk) {
    approved_at(name, desk, |_| {});
}

/// The same of a question that was shown in each size, and these keys pressed.
fn approved_read(name: &str, desk: &mut Desk, keys: &str) {
    approved_at(name, desk, |desk| {
        desk.look();
        desk.press(keys);
    });
}

fn approved_at(name: &str, desk: &mut Desk, at_size: impl Fn(&mut Desk)) {
    let (mut plain, mut colourless, mut ascii) = (String::new(), String::new(), String::new());
    for (columns, rows) in SIZES {
        desk.take(Message::Resized { columns, rows });
        at_size(desk);
        let (picture, cursor) = drawn_with_cursor(&desk.model);
        let dressed = |looks: Looks| {
            let mut picture = picture.clone();
            theme::dress(&mut picture, &looks);
            picture
        };
        let title = format!("{columns}x{rows}");
        writeln!(plain, "{title}\n{}\n{}", lines(&picture).join("\n"), styles(&picture)).unwrap();
        if let Some(Position { x, y }) = cursor {
            writeln!(plain, "cursor: row {y}, column {x}\n").unwrap();
        }
        let without = dressed(Looks { palette: None, ..Looks::default() });
        assert_eq!(lines(&without), lines(&picture));
        assert!(without.content.iter().all(|cell| cell.fg == Color::Reset));
        writeln!(colourless, "{title}, text as with colours\n{}", styles(&without)).unwrap();
        let in_ascii = dressed(Looks { ascii: true, ..Looks::default() });
        assert_eq!(styles(&in_ascii), styles(&picture));
        assert!(in_ascii.content.iter().all(|cell| cell.symbol().is_ascii()));
        writeln!(ascii, "{title}, styles as with colours\n{}\n", lines(&in_ascii).join("\n"))
            .unwrap();
    }
    approve(name, &plain);
    approve(&format!("{name}-no-color"), &colourless);
    approve(&format!("{name}-ascii"), &ascii);
    desk.take(Message::Resized { columns: 80, rows: 24 });
}

/// A desk on which these keys were pressed.
fn at(keys: &str) -> Desk {
    let mut desk = Desk::open();
    desk.press(keys);
    desk
}

#[test]
fn browsing() {
    approved("extensions", &mut at(""));
    approved("events", &mut at("enter j space j j space"));
    approved("marked", &mut at("enter A 4 j"));
    approved("status", &mut at("3"));
    approved("calls", &mut at("5"));
}

#[test]
fn the_list_of_runs_and_a_run_of_before() {
    let run = |name: &str, kind, tally: Tally, finished: bool| Summary {
        name: name.to_owned(),
        kind,
        profile: "acme".to_owned(),
        origin: "https://pbx.test".to_owned(),
        undoes: None,
        started: "2026-05-31T08:15:00.000Z".to_owned(),
        finished: finished.then(|| "2026-05-31T08:16:00.000Z".to_owned()),
        planned: tally.settled(),
        tally,
        stop: None,
        undone: None,
        is_going_on: false,
        took_more: false,
        check: Check::Agrees,
        is_newer: false,
        flaws: Vec::new(),
    };
    let done = |success, events| Tally::default().with(success, events);
    let deleted = done(Success::Deleted, 80).with(Word::Refused, 3);
    let cut = done(Success::Deleted, 12).with(Word::NotSent, 30);
    let restored = done(Success::Restored, 80);
    let runs = vec![
        run("20260531T081500Z-acme", Kind::Delete, deleted, true),
        run("20260530T081500Z-acme", Kind::Undo, restored, true),
        run("20260529T081500Z-acme", Kind::Delete, cut, false),
    ];
    let mut desk = at("W");
    approved("runs-reading", &mut desk);
    let remarks = vec![
        "20260101T000000Z-link.jsonl is a link: remove it".to_owned(),
        "run 20260529T081500Z-acme, line 9: its sum is wrong (2 lines more): the rest is used, what \
         is lost is unknown"
            .to_owned(),
    ];
    desk.take(Message::RunsListed(Ok(RunFiles { runs: runs.clone(), remarks: Vec::new() })));
    approved("runs", &mut desk);
    desk.press("esc W");
    desk.take(Message::RunsListed(Ok(RunFiles { runs: runs.clone(), remarks })));
    desk.press("G");
    approved("runs-remarks", &mut desk);
    desk.press("esc W");
    desk.take(Message::RunsListed(Ok(RunFiles::default())));
    approved("runs-none", &mut desk);
    desk.press("q");
    let event = desk.model.store().listing(&desk.model.extensions().found()[0].number).unwrap();
    let event = event.row(0).unwrap().to_event();
    let refused = Outcome::Refused(Failure::new(Cause::Rejected, "not allowed").into());
    let rows = [Outcome::DELETED, refused];
    let rows = rows.map(|outcome| EarlierEvent { event: event.clone(), change: None, outcome });
    let earlier = EarlierRun::new(runs[0].clone(), rows.to_vec());
    desk.take(Message::RunTold(Ok(Box::new(earlier))));
    approved("run-of-before", &mut desk);
    let new_url = Some(Foreign::from("https://new.test/in"));
    let changes = [
        Change { url: new_url, ..Change::default() },
        Change { status: Some(Status::Disabled), ..Change::default() },
    ];
    let rows = changes.map(|change| EarlierEvent {
        event: event.clone(),
        change: Some(change),
        outcome: Outcome::Done(Success::Changed, Some(Foreign::from("another-id"))),
    });
    let changed = Tally::default().with(Success::Changed, 2);
    let summary = run("20260528T081500Z-acme", Kind::Change, changed, true);
    let earlier = EarlierRun::new(summary, rows.to_vec());
    desk.take(Message::RunTold(Ok(Box::new(earlier))));
    approved("change-of-before", &mut desk);
}

#[test]
fn all_extensions_in_groups_with_a_range_and_details() {
    approved("all-extensions", &mut at("0"));
    approved("all-by-host", &mut at("0 o o j space"));
    approved("all-by-note-oldest-first", &mut at("0 o o o s"));
    approved("all-by-owner", &mut at("0 o o o o"));
    approved("no-duplicates", &mut at("0 o o o o o"));
    approved("range", &mut at("enter j v j j"));
    approved("zoomed", &mut at("enter +"));
    approved("details-event", &mut at("enter j enter"));
    approved("filter-hides-all", &mut at("/ x y enter"));
    let mut desk = at("enter a d");
    desk.run();
    desk.settle(0, false);
    desk.press("3 enter");
    approved("details-call", &mut desk);
}

#[test]
fn before_anything_is_read_and_where_nothing_is_found() {
    approved("first-picture", &mut Desk::just_started());
    let mut desk = Desk::just_started();
    let discovery =
        Discovery { extensions: vec![], remarks: vec![], complete: true, ..Discovery::default() };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    approved("nothing-found", &mut desk);
    let mut desk = Desk::before_listing(facts());
    desk.fail_listing("1", Failure::new(Cause::Unreachable, "pbx.test refused the connection"));
    approved("not-readable", &mut desk);
}

#[test]
fn badges() {
    let mut facts = facts();
    (facts.demo, facts.read_only, facts.insecure, facts.protected) = (true, true, true, true);
    let mut desk = Desk::with(facts);
    desk.press("enter A");
    approved("badges", &mut desk);
}

#[test]
fn filtering() {
    let mut desk = at("enter A / o l d");
    approved("filter-typed", &mut desk);
    desk.press("enter");
    approved("filter-kept", &mut desk);
    desk.press("/ space t y p e :");
    approved("filter-refused", &mut desk);
}

#[test]
fn marking() {
    let mut desk = at("enter j space T");
    approved("mark-empty", &mut desk);
    desk.press("t y p e : 0");
    approved("mark-counted", &mut desk);
    desk.press("| o l d");
    approved("mark-refused", &mut desk);
    desk.press("esc - - o l d");
    approved("mark-unmark", &mut desk);
    desk.press("esc R 1 R");
    let extensions = ["1", "2", "3", "4", "5"];
    let extensions = extensions.map(|text| Extension::of(ExtensionNumber::parse(text).unwrap()));
    let discovery = Discovery {
        extensions: extensions.to_vec(),
        remarks: vec![],
        complete: true,
        ..Discovery::default()
    };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    desk.press("T t y p e : 0 enter");
    approved("mark-offered", &mut desk);
    desk.press("L");
    approved("mark-loading", &mut desk);
}

#[test]
fn the_end_of_a_long_expression_and_what_it_means_stay_in_sight() {
    let mut desk = at("T");
    desk.take(Message::Pasted(format!("url:*{}*", "crm".repeat(40))));
    approved("mark-long", &mut desk);
}

#[test]
fn reviewing() {
    let mut desk = at("A d");
    approved("review-events", &mut desk);
    desk.press("t");
    approved("review-wide", &mut desk);
    desk.press("t");
    approved_read("review-ready", &mut desk, "");
    approved("review-hidden", &mut at("enter A / o l d enter d 4"));
    let mut desk = Desk::with(Facts { read_only: true, ..facts() });
    desk.press("enter j d");
    approved("review-read-only", &mut desk);
}

/// So many events on extensions of four each, in the words of a real office.
fn office(events: usize) -> Desk {
    let labels = ["Reception", "Sales", "Mrs. Papadopoulou", "Support 2nd floor"];
    let urls = [
        "https://crm-old.acme.test/in.php?ext=0003%2A210&src=pbx",
        "https://crm.acme.test/pbx/hangup?ext=0003%2A210",
        "https://wallboard.acme.test/tick",
    ];
    let mut desk = Desk::on(Facts { max_delete: 50_000, ..facts() });
    let number = |at: usize| ExtensionNumber::parse(&format!("0003*{:05}", 100 + at)).unwrap();
    let extensions = (0..events.div_ceil(4))
        .map(|at| Extension { label: labels[at % 4].into(), ..Extension::of(number(at)) });
    let extensions: Vec<_> = extensions.collect();
    let discovery =
        Discovery { extensions, remarks: vec![], complete: true, ..Discovery::default() };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    for at in 0..events.div_ceil(4) {
        let mut builder = ListingBuilder::new(number(at));
        for event in (at * 4)..(at * 4 + 4).min(events) {
            builder.push(RawEvent {
                event_type: &(event % 5).to_string(),
                id: &format!("NqeyDRqo4FtabmFj8gNWq3hs{event:06}"),
                url: urls[event % 3],
                note: ["old CRM", "", "ask Ms. Blume first"][event % 3],
                method: if event % 2 == 0 { "0" } else { "1" },
                status: if event % 7 == 0 { "0" } else { "1" },
                ..RawEvent::default()
            });
        }
        let result = Ok(builder.finish(true));
        desk.take(Message::Listed { extension: number(at), epoch: 0, result, exchanges: vec![] });
    }
    desk
}

#[test]
fn reviewing_many_events_by_event_and_by_call() {
    let mut desk = office(84);
    desk.press("A d j j");
    approved("review-84", &mut desk);
    approved_read("review-84-typed", &mut desk, "8");
    desk.press("v j");
    approved("review-84-calls", &mut desk);
    desk.press("t / c r m - o");
    approved("review-84-narrowed", &mut desk);
    let mut desk = office(50_000);
    desk.press("A d");
    approved("review-50000", &mut desk);
}

#[test]
fn reviewing_changes() {
    let mut desk = office(84);
    desk.press("A x");
    approved_read("review-disable", &mut desk, "");
    desk.press("n e");
    approved("re-point-empty", &mut desk);
    desk.take(Message::Pasted("crm-old.acme.test=crm-new.acme-customers.test".to_owned()));
    approved("re-point-counted", &mut desk);
    desk.press("enter");
    approved_read("review-re-point", &mut desk, "j j j j j j j");
    desk.press("G");
    approved("review-re-point-end", &mut desk);
    desk.press("n e");
    desk.take(Message::Pasted("crm-old.acme.test=https://crm-new.acme.test".to_owned()));
    approved("re-point-refused", &mut desk);
}

#[test]
fn leaving_with_marks() {
    approved("leaving-marks", &mut at("space 1 q"));
}

#[test]
fn a_window_too_small_tells_the_state_in_a_line_and_keeps_badges_and_marks() {
    let mut desk = Desk::with(Facts { protected: true, ..facts() });
    desk.press("enter A d 4");
    desk.run();
    desk.settle(0, true);
    desk.take(Message::Resized { columns: 40, rows: 8 });
    let shown = picture(&desk.model);
    for words in
        ["RUNNING 1 of 4, Esc stops", "make the window larger (60x15)", "[PROTECTED]", "*3"]
    {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
}

#[test]
fn a_simulation_that_is_paused_says_both() {
    let mut desk = Desk::open();
    desk.press("enter A d s p");
    desk.take(Message::Resized { columns: 40, rows: 8 });
    let shown = picture(&desk.model);
    assert!(shown.contains("SIMULATION PAUSED 0 of "), "{shown}");
}

#[test]
fn reading_again_for_the_review_and_what_drifted() {
    let mut desk = Desk::open();
    desk.press_only("A d");
    approved("review-reading", &mut desk);
    let mut old = at("A d");
    old.pass(std::time::Duration::from_secs(61));
    old.press_only("y");
    assert!(picture(&old.model).contains("Reading everything once more"));
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
    desk.fail_listing("2", Failure::new(Cause::Unreachable, "pbx.test refused the connection"));
    approved("review-drifted", &mut desk);
}

#[test]
fn simulating() {
    let mut desk = at("enter A d");
    desk.press("s");
    desk.simulate(0);
    approved("simulating", &mut desk);
    for call in 1..4 {
        desk.simulate(call);
    }
    desk.press("3");
    approved("simulated", &mut desk);
}

#[test]
fn running_and_undoing() {
    let mut desk = at("enter A d");
    desk.run();
    desk.settle(0, true);
    desk.settle(1, false);
    desk.press("3");
    approved("running", &mut desk);
    desk.press("1 q");
    approved("leaving", &mut desk);
    desk.press("n 3");
    desk.settle(2, true);
    desk.settle(3, true);
    desk.take(Message::Done(Done::Closed(Ok(()))));
    approved("finished", &mut desk);
    desk.press("2 j");
    approved("failed-event", &mut desk);
    desk.press("z");
    approved("review-undo", &mut desk);
}

#[test]
fn a_run_that_did_nothing_has_not_finished_its_work_and_says_what_confirms_it() {
    let mut desk = at("enter j d");
    desk.run();
    desk.settle(0, false);
    desk.take(Message::Done(Done::Closed(Ok(()))));
    let words = "nothing deleted, 1 refused; a new listing confirms it · r goes on with 1";
    assert!(picture(&desk.model).contains(words), "{}", picture(&desk.model));
}

#[test]
fn no_sentence_is_dim_and_no_colour_is_black_or_white() {
    let mut desk = office(84);
    for keys in ["", "4", "5", "/", "esc T", "esc A 3", "d", "v", "n 1 q", "n"] {
        desk.press(keys);
        let picture = drawn(&desk.model);
        for row in picture.content.chunks(usize::from(picture.area.width)) {
            let dim = row.iter().filter(|cell| cell.modifier.contains(Modifier::DIM));
            let letters: String = dim.map(Cell::symbol).collect();
            let text = letters.chars().any(char::is_alphanumeric);
            // The rows of events that are off have a word for it too.
            assert!(!text || letters.contains("off"), "{keys}: {letters}");
        }
        let never =
            |color| matches!(color, Color::Black | Color::White | Color::Gray | Color::DarkGray);
        assert!(!picture.content.iter().any(|cell| never(cell.fg) || never(cell.bg)), "{keys}");
    }
}

#[test]
fn waiting_and_checking() {
    let mut desk = put_off(50);
    desk.press("3");
    desk.ticks();
    approved("waiting", &mut desk);
    desk.press("esc");
    approved("checking-waits", &mut desk);
    desk.press("1 q");
    approved("leaving-checking", &mut desk);
    let mut desk = at("enter A d");
    desk.run();
    desk.ticks();
    desk.ticks();
    approved("silent", &mut desk);
    desk.press("p");
    approved("paused", &mut desk);
}

#[test]
fn what_could_not_be_read_again_after_a_run_is_no_plain_zero() {
    let mut desk = at("j enter A d");
    desk.run();
    let answer = Ok(DeleteAnswer { http_status: 204, ids: None });
    desk.answer(0, answer);
    let extension = ExtensionNumber::parse("2").unwrap();
    let failure = Failure::new(Cause::Withheld, "no more questions for a minute");
    let result = Err(failure);
    desk.take(Message::Done(Done::Listed { extension, result, exchanges: Vec::new() }));
    desk.take(Message::Done(Done::Closed(Ok(()))));
    desk.press("1");
    approved("not-read-again", &mut desk);
}

#[test]
fn helping() {
    approved("help", &mut at("?"));
    approved("help-narrowed", &mut at("? m a r k down"));
    approved("help-in-a-review", &mut at("enter j d ? y"));
}

#[test]
fn the_operators_looks_are_the_ones_that_are_drawn() {
    let looks = Looks { palette: None, ascii: true, synchronized: true };
    let desk = Desk::with(Facts { looks, ..facts() });
    let picture = drawn(&desk.model);
    let plain = |cell: &Cell| cell.symbol().is_ascii() && cell.fg == Color::Reset;
    assert!(picture.content.iter().all(plain));
    assert!(!drawn(&Desk::open().model).content.iter().all(plain));
}

#[test]
fn below_the_smallest_size_it_says_so_and_nothing_else() {
    for (columns, rows) in [(59, 24), (80, 14), (1, 1), (20, 5)] {
        let mut desk = at("A d");
        desk.take(Message::Resized { columns, rows });
        let picture = picture(&desk.model);
        assert!(!picture.contains("DELETE"), "{picture}");
        assert!(columns < 30 || picture.contains("make the window larger (60x15)"), "{picture}");
    }
}

#[test]
fn the_cursor_and_the_marks_are_seen_without_colours() {
    let buffer = drawn(&at("enter j space").model);
    let rows = lines(&buffer);
    let cursor = rows.iter().position(|row| row.contains(">  [ ]")).unwrap();
    let marked = rows.iter().position(|row| row.contains("   [x]")).unwrap();
    let modifier = |row: usize| buffer.content[row * 80 + 35].modifier;
    assert!(modifier(cursor).contains(Modifier::REVERSED));
    assert!(
        modifier(marked).contains(Modifier::BOLD) && !modifier(marked).contains(Modifier::REVERSED)
    );
}

/// The row on which the terminal's cursor stands, and its column in it.
fn row_of_cursor(model: &Model) -> (String, usize) {
    let (picture, cursor) = drawn_with_cursor(model);
    let Position { x, y } = cursor.expect("a cursor in sight");
    (lines(&picture)[usize::from(y)].clone(), usize::from(x))
}

#[test]
fn the_terminals_cursor_stands_on_the_row_in_focus_of_every_panel_and_size() {
    for (columns, rows) in SIZES {
        for keys in ["1 j", "2 j", "4 j", "3 j"] {
            let mut desk = at("enter A d");
            desk.run();
            desk.settle(0, true);
            desk.settle(1, true);
            desk.take(Message::Resized { columns, rows });
            desk.press(keys);
            let (row, column) = row_of_cursor(&desk.model);
            let marker = row.chars().nth(column);
            assert_eq!(marker, Some('>'), "{keys} at {columns}x{rows}: {row}");
        }
    }
}

#[test]
fn in_a_line_the_terminals_cursor_stands_at_the_place_of_typing() {
    for (keys, before) in [
        ("/ c r m", " filter extensions: crm"),
        ("/ c r m left", " filter extensions: cr"),
        ("enter / 受 付 left", " filter events: 受"),
        ("T t y p e : 2 home", " mark: "),
        ("A d / c r", "narrow: cr"),
    ] {
        let (row, column) = row_of_cursor(&at(keys).model);
        let (left, _) = row.split_once(before.trim_end()).expect(keys);
        let columns = text::width(left) + text::width(before);
        assert_eq!(column, columns, "{keys}: {row}");
    }
    let mut desk = office(84);
    desk.press("A d 8");
    let (row, column) = row_of_cursor(&desk.model);
    assert!(row.contains("press y: 8") && row.chars().nth(column - 1) == Some('8'), "{row}");
}

#[test]
fn in_a_review_and_a_question_the_terminals_cursor_stands_on_the_row_in_focus() {
    let (row, column) = row_of_cursor(&at("enter A d j").model);
    assert_eq!(row.chars().nth(column), Some('>'), "{row}");
    let mut desk = office(84);
    desk.press("A d j j");
    let (row, column) = row_of_cursor(&desk.model);
    assert_eq!(row.chars().nth(column), Some('>'), "who reads the rows is followed there: {row}");
    let (row, _) = row_of_cursor(&at("space 1 q").model);
    assert!(row.contains("n Esc stay"), "{row}");
}

#[test]
fn a_panel_in_focus_without_a_row_says_so_and_what_to_do_and_has_the_terminals_cursor() {
    let nothing = Discovery { complete: true, ..Discovery::default() };
    for (columns, rows) in SIZES {
        for (key, says) in [
            ("1", "no extension was found"),
            ("2", "no extension is chosen"),
            ("3", "0 extensions found"),
            ("4", "no marks: space marks a row"),
            ("5", "no request was sent yet"),
        ] {
            let mut desk = Desk::just_started();
            let result = Ok(nothing.clone());
            desk.take(Message::Discovered { result, exchanges: Vec::new() });
            desk.take(Message::Resized { columns, rows });
            desk.press(key);
            let (row, _) = row_of_cursor(&desk.model);
            assert!(row.contains(says), "{key} at {columns}x{rows}: {row}");
        }
    }
}

#[test]
fn below_the_smallest_size_the_terminals_cursor_is_hidden() {
    let mut desk = at("A d");
    desk.take(Message::Resized { columns: 50, rows: 12 });
    assert_eq!(drawn_with_cursor(&desk.model).1, None);
}

#[test]
fn hostile_text_in_every_field_keeps_every_row_in_its_place() {
    let hostile =
        "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{200b}受付e\u{301}\u{301}\u{301}\u{301}\u{301}";
    let mut desk = Desk::open();
    let number = ExtensionNumber::parse("1").unwrap();
    let extension = Extension { label: hostile.into(), ..Extension::of(number.clone()) };
    let discovery = Discovery {
        extensions: vec![extension],
        remarks: vec![],
        complete: true,
        ..Discovery::default()
    };
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
        let buffer = drawn(&desk.model);
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

#[test]
fn before_space_takes_the_one_that_stays_too_the_panel_says_so_and_marks_out_of_sight_are_counted()
{
    let mut desk = at("enter A");
    desk.list("1", "0 a,0 d,0 o1");
    desk.press("o o o o o g g");
    let drawn = picture(&desk.model);
    assert!(drawn.contains("space marks all of them, also the one that stays"), "{drawn}");
    assert!(drawn.contains("2/4*1") && drawn.contains("(1 hidden)"), "{drawn}");
    assert!(drawn.contains(" stays"), "{drawn}");
}
