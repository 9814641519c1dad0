//! The writing end of the painter: knows where the terminal's cursor is and how it writes, and
//! takes the shortest way to the next cell.

use std::fmt::Write as _;

use ratatui::buffer::{Cell, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

/// The cells of a row that are seen, each with its column and its width: what a wide character
/// covers is left out.
pub(super) fn columns(row: &[Cell]) -> impl Iterator<Item = (usize, usize, &Cell)> {
    let mut covered = 0;
    row.iter().enumerate().filter_map(move |(x, cell)| {
        if x < covered {
            return None;
        }
        let width = usize::from(cell.cell_width()).max(1);
        covered = x + width;
        Some((x, width, cell))
    })
}

/// How a cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
}

/// Collects what is to be written. Its cursor begins nowhere, and it writes plainly.
pub(super) struct Pen {
    written: String,
    /// The cursor's row, where it is known.
    row: Option<usize>,
    /// Its column, where it is known; never behind a row's last cell, where terminals differ.
    column: Option<usize>,
    look: Look,
    width: usize,
}

impl Pen {
    pub(super) fn new(area: Rect) -> Self {
        let width = usize::from(area.width);
        Self { written: String::new(), row: None, column: None, look: Look::default(), width }
    }

    /// How many bytes were written.
    pub(super) fn len(&self) -> usize {
        self.written.len()
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// What was written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.written.into_bytes()
    }

    /// Takes back how it writes.
    pub(super) fn write_plainly(&mut self) {
        self.wear(Look::default());
    }

    /// Blanks the whole screen, whatever it shows and however the terminal writes.
    pub(super) fn clear(&mut self) {
        self.written.push_str("\x1b[m\x1b[H\x1b[2J");
        (self.row, self.column) = (Some(0), Some(0));
    }

    /// Brings the terminal's cursor into sight, or hides it (DECTCEM).
    pub(super) fn show_cursor(&mut self, shown: bool) {
        self.written.push_str(if shown { "\x1b[?25h" } else { "\x1b[?25l" });
    }

    /// Moves rows `top` to `bottom` by so many rows. Margins, line feed and reverse index are known
    /// to every terminal that knows margins at all.
    pub(super) fn scroll(&mut self, top: usize, bottom: usize, up: bool, by: usize) {
        let _ = write!(self.written, "\x1b[{};{}r", top + 1, bottom + 1);
        let (from, step) = if up { (bottom, "\n") } else { (top, "\x1bM") };
        let _ = write!(self.written, "\x1b[{}H{}\x1b[r", from + 1, step.repeat(by));
        (self.row, self.column) = (None, None);
    }

    /// Goes to a cell by writing again what stands between, where that is no longer than moving.
    pub(super) fn bridge(&mut self, x: usize, y: usize, skipped: &[&Cell]) {
        const SHORTEST_MOVE: usize = 3;
        let near = self.row == Some(y) && self.column == x.checked_sub(skipped.len());
        let alike = |cell: &&Cell| Look::of(cell) == self.look && is_narrow(cell.symbol());
        let bytes: usize = skipped.iter().map(|cell| cell.symbol().len()).sum();
        if near && bytes <= SHORTEST_MOVE && skipped.iter().all(alike) {
            self.written.extend(skipped.iter().map(|cell| cell.symbol()));
            self.column = Some(x);
        }
    }

    pub(super) fn put(&mut self, x: usize, y: usize, width: usize, cell: &Cell) {
        self.go_to(x, y);
        self.wear(Look::of(cell));
        self.written.push_str(cell.symbol());
        let end = x + width;
        // Where terminals may count differently, only this one character is in the wrong place.
        let counted = is_narrow(cell.symbol()) || is_surely_wide(cell.symbol());
        self.column = Some(end).filter(|end| counted && *end < self.width);
    }

    /// Blanks so many cells (ECH), or the rest of the row (EL), without moving.
    pub(super) fn erase(&mut self, x: usize, y: usize, cells: Option<usize>) {
        self.go_to(x, y);
        self.wear(Look::default());
        match cells {
            Some(cells) => {
                let _ = write!(self.written, "\x1b[{cells}X");
            }
            None => self.written.push_str("\x1b[K"),
        }
    }

    /// Goes to a cell the shortest way.
    pub(super) fn go_to(&mut self, x: usize, y: usize) {
        if self.row == Some(y) && self.column == Some(x) {
            return;
        }
        let mut way = match (x, y) {
            (0, 0) => "\x1b[H".to_owned(),
            (0, _) => format!("\x1b[{}H", y + 1),
            (_, _) => format!("\x1b[{};{}H", y + 1, x + 1),
        };
        let down = self.row.and_then(|row| y.checked_sub(row)).filter(|down| *down < 4);
        if let Some(down) = down {
            let feeds = "\n".repeat(down);
            for along in ways_along(self.column, x) {
                if feeds.len() + along.len() < way.len() {
                    way = format!("{feeds}{along}");
                }
            }
        }
        self.written.push_str(&way);
        (self.row, self.column) = (Some(y), Some(x));
    }

    fn wear(&mut self, look: Look) {
        let worn = self.look;
        if look == worn {
            return;
        }
        self.look = look;
        let added = look.modifier.difference(worn.modifier);
        let only_more = look.modifier.contains(worn.modifier)
            && (look.fg == worn.fg || look.fg != Color::Reset)
            && (look.bg == worn.bg || look.bg != Color::Reset);
        let mut codes: Vec<String> = Vec::new();
        if only_more {
            codes.extend(modifier_codes(added));
            codes.extend((look.fg != worn.fg).then(|| color_code(look.fg, 30)).flatten());
            codes.extend((look.bg != worn.bg).then(|| color_code(look.bg, 40)).flatten());
        } else {
            // An empty first number takes everything back.
            codes.push(String::new());
            codes.extend(modifier_codes(look.modifier));
            codes.extend(color_code(look.fg, 30));
            codes.extend(color_code(look.bg, 40));
        }
        let _ = write!(self.written, "\x1b[{}m", codes.join(";"));
    }
}

/// Ways within a row, from a column that may be unknown.
fn ways_along(from: Option<usize>, to: usize) -> impl Iterator<Item = String> {
    let right = from.and_then(|from| to.checked_sub(from)).map(|right| match right {
        0 => String::new(),
        1 => "\x1b[C".to_owned(),
        _ => format!("\x1b[{right}C"),
    });
    let left = from.and_then(|from| from.checked_sub(to)).filter(|left| *left < 4);
    let left = left.map(|left| "\x08".repeat(left));
    let start = (to == 0).then(|| "\r".to_owned());
    start.into_iter().chain(right).chain(left).chain([format!("\x1b[{}G", to + 1)])
}

/// One column on every terminal.
fn is_narrow(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    let narrow = |character| {
        matches!(character,
            ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{2010}'..='\u{2027}'
            | '\u{2190}'..='\u{2193}' | '\u{2400}'..='\u{2421}' | '\u{2500}'..='\u{259f}')
    };
    characters.next().is_some_and(narrow) && characters.next().is_none()
}

/// Two columns on every terminal: Han, Kana, Hangul and the full-width forms.
fn is_surely_wide(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    let wide = |character| {
        matches!(character, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
            | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff60}')
    };
    characters.next().is_some_and(wide) && characters.next().is_none()
}

/// Select Graphic Rendition, ECMA-48 8.3.117.
fn modifier_codes(modifier: Modifier) -> impl Iterator<Item = String> {
    let codes = [
        (Modifier::BOLD, "1"),
        (Modifier::DIM, "2"),
        (Modifier::ITALIC, "3"),
        (Modifier::UNDERLINED, "4"),
        (Modifier::REVERSED, "7"),
        (Modifier::CROSSED_OUT, "9"),
    ];
    let worn = codes.into_iter().filter(move |(one, _)| modifier.contains(*one));
    worn.map(|(_, code)| code.to_owned())
}

/// The number of a colour, from 30 for what is written and from 40 for what is behind it.
fn color_code(color: Color, base: u8) -> Option<String> {
    let code = match color {
        Color::Reset => return None,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + 60,
        Color::LightRed => base + 61,
        Color::LightGreen => base + 62,
        Color::LightYellow => base + 63,
        Color::LightBlue => base + 64,
        Color::LightMagenta => base + 65,
        Color::LightCyan => base + 66,
        Color::White => base + 67,
        Color::Indexed(index) => return Some(format!("{};5;{index}", base + 8)),
        Color::Rgb(red, green, blue) => {
            return Some(format!("{};2;{red};{green};{blue}", base + 8));
        }
    };
    Some(code.to_string())
}
