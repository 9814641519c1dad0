//! Pictures are painted into an emulator, which then has to show them cell for cell.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use crate::app::Message;
use crate::app::tests::Desk;
use crate::terminal::screen::Screen;

use super::pen::columns;
use super::*;

struct Emulator(vt100::Parser);

impl Emulator {
    fn new(area: Rect) -> Self {
        let size = |cells: u16| std::num::NonZero::new(cells).unwrap();
        Self(vt100::Parser::new(size(area.height), size(area.width), 0))
    }

    fn shows(&self, picture: &Buffer, cursor: Option<Position>) {
        let screen = self.0.screen();
        assert_eq!(screen.hide_cursor(), cursor.is_none());
        let stands = screen.cursor_position();
        assert!(
            cursor.is_none_or(|cursor| (cursor.y, cursor.x) == stands),
            "{cursor:?} {stands:?}"
        );
        for (y, row) in rows(picture).enumerate() {
            for (x, _, cell) in columns(row) {
                let at = (u16::try_from(y).unwrap(), u16::try_from(x).unwrap());
                let shown = self.0.screen().cell(at.0, at.1).unwrap();
                let text = if shown.has_contents() { shown.contents() } else { " " };
                assert_eq!(text, cell.symbol(), "row {y}, column {x}");
                if is_blank(cell) {
                    assert!(!shown.inverse(), "row {y}, column {x}");
                    continue;
                }
                let modifiers = [
                    (shown.bold(), Modifier::BOLD),
                    (shown.dim(), Modifier::DIM),
                    (shown.inverse(), Modifier::REVERSED),
                ];
                // The emulator knows no character that is both.
                let both = cell.modifier.contains(Modifier::BOLD | Modifier::DIM);
                for (set, modifier) in modifiers.into_iter().skip(if both { 2 } else { 0 }) {
                    assert_eq!(set, cell.modifier.contains(modifier), "{modifier:?} {y} {x}");
                }
                assert_eq!(shown.fgcolor(), colour(cell.fg), "row {y}, column {x}");
            }
        }
    }
}

fn colour(colour: Color) -> vt100::Color {
    match colour {
        Color::Reset => vt100::Color::Default,
        Color::Red => vt100::Color::Idx(1),
        Color::Green => vt100::Color::Idx(2),
        Color::Yellow => vt100::Color::Idx(3),
        Color::Magenta => vt100::Color::Idx(5),
        Color::Cyan => vt100::Color::Idx(6),
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
        other => panic!("{other} is not used here"),
    }
}

/// A picture and its cursor.
type Shot = (Buffer, Option<Position>);

/// Paints one picture after the other into one emulator.
fn painted(pictures: &[Shot]) {
    let area = pictures[0].0.area;
    let mut painter = Painter::new(true);
    let mut emulator = Emulator::new(area);
    for (picture, cursor) in pictures {
        emulator.0.process(&painter.bytes(picture, *cursor).unwrap_or_default());
        painter.painted(picture, *cursor);
        emulator.shows(picture, *cursor);
        assert_eq!(painter.bytes(picture, *cursor), None, "nothing changed");
    }
}

const AREA: Rect = Rect { x: 0, y: 0, width: 24, height: 9 };

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c ]{0,24}",
        2 => "[a受é─ ]{0,12}",
        1 => Just("e\u{301}a\u{302}x".to_owned()),
        1 => Just("🙂a🙂b".to_owned()),
        1 => Just(String::new()),
    ]
}

fn styles() -> impl Strategy<Value = Style> {
    prop_oneof![
        3 => Just(Style::new()),
        1 => Just(Style::new().add_modifier(Modifier::BOLD)),
        1 => Just(Style::new().add_modifier(Modifier::REVERSED)),
        1 => Just(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD | Modifier::REVERSED)),
        1 => Just(Style::new().fg(Color::Green).add_modifier(Modifier::DIM)),
        1 => Just(Style::new().fg(Color::Indexed(200))),
        1 => Just(Style::new().fg(Color::Rgb(1, 2, 3))),
    ]
}

#[derive(Debug, Clone)]
enum Change {
    Write(u16, u16, String, Style),
    Move(usize, usize, usize, bool),
    Blank,
}

fn changes_of_pictures() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (0..AREA.width, 0..AREA.height, texts(), styles())
            .prop_map(|(x, y, text, style)| Change::Write(x, y, text, style)),
        3 => (0..8_usize, 1..9_usize, 1..4_usize, any::<bool>())
            .prop_map(|(top, rows, by, up)| Change::Move(top, (top + rows).min(8), by, up)),
        1 => Just(Change::Blank),
    ]
}

fn change(picture: &mut Buffer, change: Change) {
    match change {
        Change::Write(x, y, text, style) => {
            picture.set_stringn(x, y, text, usize::from(AREA.width - x), style);
        }
        Change::Move(top, bottom, by, up) => {
            *picture = Scroll { top, bottom, up, by }.applied_to(picture);
        }
        Change::Blank => picture.reset(),
    }
}

fn cursors() -> impl Strategy<Value = Option<Position>> {
    let places = (0..AREA.width, 0..AREA.height).prop_map(Position::from);
    prop::option::weighted(0.8, places)
}

proptest! {
    #[test]
    fn whatever_follows_whatever_the_terminal_shows_it_cell_for_cell_and_the_cursor_in_its_place(
        steps in prop::collection::vec(
            (prop::collection::vec(changes_of_pictures(), 0..12), cursors()),
            2..6,
        ),
    ) {
        let mut picture = Buffer::empty(AREA);
        let mut pictures = Vec::new();
        for (step, cursor) in steps {
            for one in step {
                change(&mut picture, one);
            }
            pictures.push((picture.clone(), cursor));
        }
        painted(&pictures);
    }
}

fn list(first: usize, cursor: usize) -> Buffer {
    let mut picture = Buffer::empty(Rect::new(0, 0, 80, 24));
    for row in 0..20 {
        let style = Style::new();
        let style = if row == cursor { style.add_modifier(Modifier::REVERSED) } else { style };
        let number = first + row;
        let text = format!("  [ ] {} POST crm-{number}.acme.test/in", number * 7919);
        picture.set_string(0, u16::try_from(row + 2).unwrap(), format!("{text:<60}"), style);
    }
    picture
}

fn bytes(from: &Buffer, to: &Buffer) -> usize {
    painted(&[(from.clone(), None), (to.clone(), None)]);
    fewest_bytes(from, to).len()
}

#[test]
fn a_list_that_moves_is_moved_by_the_terminal() {
    for (from, to) in [(100, 101), (101, 100), (100, 103), (103, 100)] {
        let bytes = bytes(&list(from, 25), &list(to, 25));
        assert!(bytes < 3 * 60 + 30, "{from} to {to} took {bytes} bytes");
    }
    let in_place = changes(&list(100, 25), &list(101, 25), None).len();
    let moved = fewest_bytes(&list(100, 25), &list(101, 25)).len();
    assert!(in_place > 4 * moved, "{in_place} without a move, {moved} with one");
}

#[test]
fn a_cursor_step_writes_two_rows_and_the_rest_of_a_row_goes_with_one_sequence() {
    assert!(bytes(&list(1, 5), &list(1, 6)) < 2 * 60 + 24);
    let blank = Buffer::empty(Rect::new(0, 0, 80, 24));
    assert!(bytes(&list(1, 25), &blank) < 20 * 8);
}

#[test]
fn a_picture_stands_within_the_brackets_and_without_them_where_they_are_switched_off() {
    for (synchronized, begin, end) in
        [(true, TOGETHER.0, TOGETHER.1), (false, b"\x1b[m", b"\x1b[?25l")]
    {
        let painter = Painter::new(synchronized);
        let mut picture = Buffer::empty(AREA);
        picture.set_string(0, 0, "text", Style::new());
        let bytes = painter.bytes(&picture, None).unwrap();
        assert!(bytes.starts_with(begin) && bytes.ends_with(end));
    }
}

#[test]
fn what_could_not_be_written_is_painted_whole_the_next_time() {
    let mut painter = Painter::new(true);
    let cursor = Some(Position::new(1, 4));
    painter.painted(&list(1, 1), cursor);
    painter.forget();
    let written = painter.bytes(&list(1, 2), cursor).unwrap();
    let mut emulator = Emulator::new(list(1, 2).area);
    emulator.0.process(b"\x1b[?25l");
    emulator.0.process(&written);
    emulator.shows(&list(1, 2), cursor);
}

#[test]
fn every_screen_of_the_program_arrives_cell_for_cell() {
    for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
        let mut desk = Desk::open();
        desk.take(Message::Resized { columns, rows });
        let mut emulator = Emulator::new(Rect::new(0, 0, columns, rows));
        let mut screen = Screen::new(true);
        let keys = "j j k enter j j space A G g g 3 j 4 j 5 1 d t j n ? j q / o l d enter T x esc \
                    U A d y q n z n tab backtab q";
        for key in keys.split(' ') {
            desk.press(key);
            let written = screen.picture(&desk.model, |_| true).unwrap_or_default();
            emulator.0.process(&written);
            let (picture, cursor) = screen.drawn(&desk.model);
            emulator.shows(picture, cursor);
        }
    }
}
