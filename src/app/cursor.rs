//! A cursor in a list, which part of the list is in sight, and the range that moving extends.

use std::ops::RangeInclusive;

use super::Motion;

/// Position of the cursor and of the first row in sight. It is kept within the list by
/// [`fit`](Self::fit), which every change of the list or of the panel's height ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The row under the cursor.
    pub at: usize,
    /// The first row in sight.
    pub top: usize,
    /// Row where a range began; the range ends at the cursor.
    pub from: Option<usize>,
}

impl Cursor {
    /// Moves within `length` rows of which `height` are in sight.
    pub fn go(&mut self, motion: Motion, length: usize, height: usize) {
        let last = length.saturating_sub(1);
        let page = (height / 2).max(1);
        self.at = match motion {
            Motion::Down => self.at.saturating_add(1),
            Motion::Up => self.at.saturating_sub(1),
            Motion::First => 0,
            Motion::Last => last,
            Motion::PageDown => self.at.saturating_add(page),
            Motion::PageUp => self.at.saturating_sub(page),
            // Only a list with groups knows where they are.
            Motion::NextGroup | Motion::PreviousGroup => self.at,
        }
        .min(last);
        self.fit(length, height);
    }

    /// The rows of the range, where there is one.
    pub fn range(&self) -> Option<RangeInclusive<usize>> {
        self.from.map(|from| from.min(self.at)..=from.max(self.at))
    }

    /// Whether a row is in the range.
    pub fn covers(&self, row: usize) -> bool {
        self.range().is_some_and(|range| range.contains(&row))
    }

    /// Begins a range at the cursor.
    pub fn begin_range(&mut self) {
        self.from = Some(self.at);
    }

    /// True where there was a range.
    pub fn drop_range(&mut self) -> bool {
        self.from.take().is_some()
    }

    /// Brings the cursor back into the list and into sight, moving as little as possible.
    pub fn fit(&mut self, length: usize, height: usize) {
        self.at = self.at.min(length.saturating_sub(1));
        self.from.take_if(|from| *from >= length);
        let height = height.max(1);
        let lowest_top = (self.at + 1).saturating_sub(height);
        self.top = self.top.clamp(lowest_top, self.at).min(length.saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_never_leaves_the_list_and_is_always_in_sight() {
        let mut cursor = Cursor::default();
        let motions = [
            Motion::Up,
            Motion::PageDown,
            Motion::Last,
            Motion::Down,
            Motion::PageUp,
            Motion::First,
        ];
        for motion in motions.iter().cycle().take(50) {
            for (length, height) in [(0, 5), (1, 5), (20, 5), (20, 0), (7, 40)] {
                cursor.go(*motion, length, height);
                assert!(cursor.at < length.max(1));
                assert!(cursor.top <= cursor.at && cursor.at < cursor.top + height.max(1));
            }
        }
    }

    #[test]
    fn a_list_that_grows_or_shrinks_keeps_its_lines_where_they_are_if_it_can() {
        let mut cursor = Cursor { at: 12, top: 10, from: None };
        cursor.fit(30, 5);
        assert_eq!(cursor, Cursor { at: 12, top: 10, from: None });
        cursor.fit(11, 5);
        assert_eq!(cursor, Cursor { at: 10, top: 6, from: None });
    }
}
