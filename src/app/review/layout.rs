//! Where the parts of a review stand. Warnings are pinned above the rows; those that have no room
//! there are the first rows of the list, so that every one can be brought in sight.

use ratatui::layout::Size;

use super::Review;
use crate::app::text;

/// The widest text of a review, in columns.
const WIDEST: usize = 112;
/// From this many rows of the screen on there is room for a summary of three lines.
const ROOMY: u16 = 20;
/// Rows of the list that are always in sight.
const FEWEST_ROWS: usize = 2;

/// Lines of a review's window, from top to bottom: summary, pinned warnings, rows under a line,
/// and below them the call under the cursor and what can be answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewLayout {
    /// Columns of text inside the window.
    pub columns: usize,
    /// The statuses have a line of their own, so that the hosts can be read.
    pub tall: bool,
    /// Whether there is room for all of the summary and a sentence about the way back.
    pub roomy: bool,
    /// Lines of warnings above the rows.
    pub pinned: Vec<String>,
    /// Lines of warnings that are the first rows of the list.
    pub loose: Vec<String>,
    /// Rows of the list in sight.
    pub rows: usize,
    /// Lines of the call under the cursor, which are more where it has a body.
    pub call: usize,
}

impl ReviewLayout {
    /// Lines of the summary.
    pub fn summary(&self) -> usize {
        if self.roomy { 3 + usize::from(self.tall) } else { 1 }
    }

    /// All lines of the window.
    fn height(&self) -> usize {
        self.fixed() + self.pinned.len() + self.rows
    }

    /// Whether the window covers all of the screen but the header and a column or two at its sides.
    pub fn covers(&self, size: Size) -> bool {
        self.columns < WIDEST + 3 && self.height() + 3 >= usize::from(size.height)
    }

    /// All lines but warnings and rows: the summary, the line with the position, the call, the
    /// sentence about the way back, the state and the keys.
    fn fixed(&self) -> usize {
        self.summary() + 1 + self.call + usize::from(self.roomy) + 2
    }
}

impl Review {
    /// Finds a place for everything on a screen of this size.
    pub(in crate::app) fn lay_out(&mut self, size: Size, warnings: &[String]) {
        let columns = usize::from(size.width).saturating_sub(6).min(WIDEST);
        let roomy = size.height >= ROOMY;
        let call = match (self.deed().writes_fields(), roomy) {
            (false, _) => 2,
            (true, false) => 3,
            (true, true) => 4,
        };
        let tall = roomy && !self.digest.fits_in(columns);
        let mut layout = ReviewLayout { columns, tall, roomy, call, ..ReviewLayout::default() };
        let mut lines: Vec<String> =
            warnings.iter().flat_map(|warning| text::wrap(warning, columns)).collect();
        // The header stays in sight above the window and its two borders.
        let room = usize::from(size.height).saturating_sub(3 + layout.fixed());
        layout.loose = lines.split_off(lines.len().min(room.saturating_sub(FEWEST_ROWS)));
        layout.pinned = lines;
        let wanted = (layout.loose.len() + self.all_items()).max(FEWEST_ROWS);
        layout.rows = wanted.min(room.saturating_sub(layout.pinned.len()));
        self.layout = layout;
        let (rows, height) = (self.rows(), self.layout.rows);
        self.cursor.fit(rows, height);
    }
}
