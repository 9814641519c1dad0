//! From one picture to the next in few bytes: what changed is written, and nothing where nothing
//! did.
//!
//! Lines are often slow and far away. A list that moved by a few rows is moved by the terminal
//! (DECSTBM and a line feed or reverse index, ECMA-48 and DEC STD 070), the way of fewer bytes
//! wins, and a picture is one write within the brackets of synchronized output (mode 2026).
//! Only what the Linux console, screen and tmux know too is written.
//!
//! Behind every picture the terminal's own cursor stands where the picture has it: screen readers
//! and magnifiers follow it.

mod pen;

#[cfg(test)]
mod tests;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use pen::{Pen, columns};

/// Begins and ends a picture that the terminal shows at once; those that do not know it ignore it.
const TOGETHER: (&[u8], &[u8]) = (b"\x1b[?2026h", b"\x1b[?2026l");
/// A picture of fewer bytes is not worth looking for what moved.
const WORTH_A_SEARCH: usize = 300;
/// The furthest move that is looked for, in rows.
const FURTHEST: usize = 3;
/// Blanks that are shorter written than erased.
const SHORTEST_ERASURE: usize = 5;

/// Knows what the terminal shows, and changes it into what it should show.
pub(super) struct Painter {
    /// What is on the screen; nothing is known before the first picture.
    shown: Option<Shown>,
    synchronized: bool,
}

struct Shown {
    picture: Buffer,
    /// Where the terminal's own cursor stands; None where it is hidden.
    cursor: Option<Position>,
}

impl Painter {
    /// A painter of a screen of which nothing is known.
    pub(super) fn new(synchronized: bool) -> Self {
        Self { shown: None, synchronized }
    }

    /// The next picture is painted whole: another program may have written to the terminal.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    /// What makes the terminal show this picture with its cursor there, or hidden, to be written as
    /// one; nothing where it does already.
    pub(super) fn bytes(&self, next: &Buffer, cursor: Option<Position>) -> Option<Vec<u8>> {
        let known = self.shown.as_ref().filter(|shown| shown.picture.area == next.area);
        let mut pen = known.map_or_else(|| whole(next), |shown| fewest_bytes(&shown.picture, next));
        leave_cursor(&mut pen, known, cursor);
        let changes = pen.into_bytes();
        let (begin, end) = if self.synchronized { TOGETHER } else { (&b""[..], &b""[..]) };
        (!changes.is_empty()).then(|| [begin, &changes, end].concat())
    }

    /// This picture was written, with its cursor.
    pub(super) fn painted(&mut self, next: &Buffer, cursor: Option<Position>) {
        self.shown = Some(Shown { picture: next.clone(), cursor });
    }
}

/// Leaves the terminal's cursor there, or hidden, if it is not already.
fn leave_cursor(pen: &mut Pen, known: Option<&Shown>, cursor: Option<Position>) {
    let stands = pen.is_empty() && known.is_some_and(|shown| shown.cursor == cursor);
    if let Some(Position { x, y }) = cursor.filter(|_| !stands) {
        pen.go_to(usize::from(x), usize::from(y));
    }
    if known.is_none_or(|shown| shown.cursor.is_some() != cursor.is_some()) {
        pen.show_cursor(cursor.is_some());
    }
}

fn whole(next: &Buffer) -> Pen {
    let mut pen = Pen::new(next.area);
    pen.clear();
    paint(&mut pen, &Buffer::empty(next.area), next);
    pen
}

/// Cell by cell, or after a move of rows where that takes fewer bytes.
fn fewest_bytes(shown: &Buffer, next: &Buffer) -> Pen {
    let in_place = changes(shown, next, None);
    if in_place.len() < WORTH_A_SEARCH {
        return in_place;
    }
    let Some(scroll) = best_scroll(shown, next) else { return in_place };
    let moved = changes(&scroll.applied_to(shown), next, Some(scroll));
    if moved.len() < in_place.len() { moved } else { in_place }
}

fn changes(shown: &Buffer, next: &Buffer, scroll: Option<Scroll>) -> Pen {
    let mut pen = Pen::new(next.area);
    if let Some(scroll) = scroll {
        pen.scroll(scroll.top, scroll.bottom, scroll.up, scroll.by);
    }
    paint(&mut pen, shown, next);
    pen
}

/// Writes what differs; the terminal writes plainly behind it.
fn paint(pen: &mut Pen, shown: &Buffer, next: &Buffer) {
    for (y, (before, after)) in rows(shown).zip(rows(next)).enumerate() {
        paint_row(pen, y, before, after);
    }
    pen.write_plainly();
}

fn rows(buffer: &Buffer) -> impl Iterator<Item = &[Cell]> {
    buffer.content.chunks(usize::from(buffer.area.width).max(1))
}

/// Writes the cells of a row that differ.
fn paint_row(pen: &mut Pen, y: usize, before: &[Cell], after: &[Cell]) {
    if before == after {
        return;
    }
    let differs = differences(before, after);
    let Some(last) = differs.iter().rposition(|differs| *differs) else { return };
    let text = columns(after).filter(|(.., cell)| !is_blank(cell));
    let text_end = text.last().map_or(0, |(x, width, _)| x + width);
    let mut skipped: Vec<&Cell> = Vec::new();
    let mut erased = 0;
    for (x, width, cell) in columns(after).take_while(|(x, ..)| *x <= last) {
        if x < erased {
            continue;
        }
        if !differs.get(x).is_some_and(|differs| *differs) {
            skipped.push(cell);
            continue;
        }
        let rest = after.iter().skip(x);
        let blanks = rest.take_while(|cell| is_blank(cell)).count().min(last + 1 - x);
        if blanks > SHORTEST_ERASURE {
            pen.erase(x, y, if x >= text_end { None } else { Some(blanks) });
            erased = x + blanks;
            skipped.clear();
            continue;
        }
        pen.bridge(x, y, &skipped);
        skipped.clear();
        pen.put(x, y, width, cell);
    }
}

/// A space whose style cannot be seen.
fn is_blank(cell: &Cell) -> bool {
    let seen = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);
    cell.symbol() == " " && cell.bg == Color::Reset && !cell.modifier.intersects(seen)
}

/// Whether two cells look the same.
fn alike(before: &Cell, after: &Cell) -> bool {
    before == after || is_blank(before) && is_blank(after)
}

/// Which cells of a row have to be written. A wide character has both of its columns written or
/// none: half of one is nothing a terminal can show.
fn differences(before: &[Cell], after: &[Cell]) -> Vec<bool> {
    let mut differs: Vec<bool> = before.iter().zip(after).map(|(b, a)| !alike(b, a)).collect();
    for row in [before, after] {
        for (x, width, _) in columns(row).filter(|(_, width, _)| *width > 1) {
            if let Some(columns) = differs.get_mut(x..x + width) {
                let any = columns.contains(&true);
                columns.fill(any);
            }
        }
    }
    differs
}

/// Rows `top` to `bottom`, both included, moved by some rows; the rows left free are blank.
#[derive(Debug, Clone, Copy)]
struct Scroll {
    top: usize,
    bottom: usize,
    up: bool,
    by: usize,
}

impl Scroll {
    fn applied_to(self, shown: &Buffer) -> Buffer {
        let width = usize::from(shown.area.width);
        let mut moved = shown.clone();
        let region = self.top * width..(self.bottom + 1) * width;
        if let Some(cells) = moved.content.get_mut(region) {
            let cells_by = (self.by * width).min(cells.len());
            if self.up {
                cells.rotate_left(cells_by);
                cells.iter_mut().rev().take(cells_by).for_each(Cell::reset);
            } else {
                cells.rotate_right(cells_by);
                cells.iter_mut().take(cells_by).for_each(Cell::reset);
            }
        }
        moved
    }
}

/// The move that leaves the fewest cells to write, when one is better than none by a good deal.
fn best_scroll(shown: &Buffer, next: &Buffer) -> Option<Scroll> {
    const WORTH_IT: isize = 30;
    let (shown, next): (Vec<_>, Vec<_>) = (rows(shown).collect(), rows(next).collect());
    let in_place: Vec<isize> = shown.iter().zip(&next).map(|(b, a)| unlike(b, a)).collect();
    let candidates = (1..=FURTHEST).flat_map(|by| [(by, true), (by, false)]);
    let scrolls = candidates.filter_map(|(by, up)| {
        // Row `y` of the next picture comes from `y + by` or, downwards, from `y - by`.
        let gains = next.iter().zip(&in_place).enumerate().map(|(y, (after, in_place))| {
            let from = if up { y.checked_add(by) } else { y.checked_sub(by) };
            let before = from.and_then(|from| shown.get(from));
            before.map_or(isize::MIN / 4, |before| in_place - unlike(before, after))
        });
        let (first, last, gain) = best_run(gains)?;
        let (top, bottom) = if up { (first, last + by) } else { (first - by, last) };
        Some((gain, Scroll { top, bottom, up, by }))
    });
    let best = scrolls.max_by_key(|(gain, _)| *gain)?;
    Some(best).filter(|(gain, _)| *gain > WORTH_IT).map(|(_, scroll)| scroll)
}

/// Cells of two rows that differ.
fn unlike(before: &[Cell], after: &[Cell]) -> isize {
    before.iter().zip(after).map(|(before, after)| isize::from(!alike(before, after))).sum()
}

/// The run of neighbours with the greatest sum: its first and last place, and the sum.
fn best_run(gains: impl Iterator<Item = isize>) -> Option<(usize, usize, isize)> {
    let mut best: Option<(usize, usize, isize)> = None;
    let (mut first, mut sum) = (0, 0);
    for (place, gain) in gains.enumerate() {
        if sum <= 0 {
            (first, sum) = (place, 0);
        }
        sum += gain;
        if best.is_none_or(|(.., most)| sum > most) {
            best = Some((first, place, sum));
        }
    }
    best
}
