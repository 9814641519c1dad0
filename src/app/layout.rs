//! Which panel stands where, by the size of the terminal and the panel in focus.

use ratatui::layout::Rect;

use super::Panel;

/// The largest area that is drawn: a terminal may say that it has any size.
const LARGEST: (u16, u16) = (500, 200);
/// Smallest size with a picture in it.
const SMALLEST: (u16, u16) = (60, 15);
/// Columns from which panels stand side by side.
const TWO_PANELS: u16 = 80;
/// Columns from which the marks have a panel of their own.
const THREE_PANELS: u16 = 112;
/// Rows from which every HTTP call is shown.
const WITH_CALLS: u16 = 30;

/// Rows of Status before the first run, its frame included.
const BEFORE_A_RUN: u16 = 5;

/// What a picture is to show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Size of the terminal.
    pub(super) columns: u16,
    pub(super) rows: u16,
    /// The panel that keys go to is always there.
    pub(super) focus: Panel,
    /// Marked stands beside Events where there is room.
    pub(super) marked: bool,
    /// The focused panel stands alone.
    pub(super) zoomed: bool,
    /// There is a run to be told of.
    pub(super) ran: bool,
}

/// The rectangles of one picture; a panel without one is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout {
    /// The whole terminal.
    pub whole: Rect,
    /// First row: profile, badges, counts.
    pub header: Rect,
    /// Last row but one: filter being typed, or a notice.
    pub prompt: Rect,
    /// Last row: keys.
    pub hints: Rect,
    /// The panels, in the order of [`Panel::ALL`].
    panels: [Option<Rect>; Panel::ALL.len()],
    /// Whether the terminal has at least the smallest size.
    pub fits: bool,
}

impl Layout {
    /// Lays out what is wanted.
    pub(super) fn of(wanted: Wanted) -> Self {
        let (columns, rows) = (wanted.columns.min(LARGEST.0), wanted.rows.min(LARGEST.1));
        let whole = Rect::new(0, 0, columns, rows);
        if columns < SMALLEST.0 || rows < SMALLEST.1 {
            return Self { whole, ..Self::default() };
        }
        let line = |y| Rect::new(0, y, columns, 1);
        let middle = Rect::new(0, 1, columns, rows - 3);
        let mut layout = Self {
            whole,
            header: line(0),
            prompt: line(rows - 2),
            hints: line(rows - 1),
            panels: [None; Panel::ALL.len()],
            fits: true,
        };
        if columns < TWO_PANELS || wanted.zoomed {
            layout.put(wanted.focus, middle);
        } else {
            layout.side_by_side(middle, wanted, rows >= WITH_CALLS);
        }
        layout
    }

    fn side_by_side(&mut self, middle: Rect, wanted: Wanted, with_calls: bool) {
        let roomy = middle.width >= THREE_PANELS;
        let below = matches!(wanted.focus, Panel::Status | Panel::Calls);
        let bottom_height = match (below, wanted.ran) {
            (true, _) => (middle.height / 2).max(9),
            (false, true) => (middle.height / 3).max(9),
            (false, false) => BEFORE_A_RUN,
        };
        let [top, bottom] = split_height(middle, middle.height - bottom_height);
        let [extensions, rest] = split_width(top, if roomy { 36 } else { 30 });
        self.put(Panel::Extensions, extensions);
        if roomy && wanted.marked {
            let [events, marked] = split_width(rest, rest.width - 31);
            self.put(Panel::Events, events);
            self.put(Panel::Marked, marked);
        } else {
            let marked = wanted.focus == Panel::Marked;
            self.put(if marked { Panel::Marked } else { Panel::Events }, rest);
        }
        if with_calls && roomy {
            let [status, calls] = split_width(bottom, bottom.width - 41);
            self.put(Panel::Status, status);
            self.put(Panel::Calls, calls);
        } else if with_calls && bottom_height > BEFORE_A_RUN {
            let [status, calls] = split_height(bottom, bottom.height - bottom.height / 3);
            self.put(Panel::Status, status);
            self.put(Panel::Calls, calls);
        } else {
            let calls = wanted.focus == Panel::Calls;
            self.put(if calls { Panel::Calls } else { Panel::Status }, bottom);
        }
    }

    fn put(&mut self, panel: Panel, area: Rect) {
        for (_, place) in Panel::ALL.iter().zip(&mut self.panels).filter(|(it, _)| **it == panel) {
            *place = Some(area);
        }
    }

    /// The rectangle of a panel, borders included.
    pub fn panel(&self, panel: Panel) -> Option<Rect> {
        Panel::ALL.into_iter().zip(self.panels).find_map(|(it, area)| area.filter(|_| it == panel))
    }

    /// Rows of a panel's list.
    pub fn rows(&self, panel: Panel) -> usize {
        let inner = self.panel(panel).map_or(0, |area| area.height.saturating_sub(2));
        let taken = if panel == Panel::Events {
            self.event_details()
        } else if panel == Panel::Status {
            // The first row belongs to the progress of a run.
            self.status_details() + 1
        } else {
            0
        };
        usize::from(inner.saturating_sub(taken))
    }

    /// Rows below the events that describe the one under the cursor, with the line above them.
    pub fn event_details(&self) -> u16 {
        self.panel(Panel::Events).map_or(0, |area| if area.height >= 20 { 8 } else { 3 })
    }

    /// Rows below the status rows that show the one under the cursor whole.
    pub fn status_details(&self) -> u16 {
        let details =
            |height: u16| if height > BEFORE_A_RUN { (height / 3).clamp(3, 6) } else { 0 };
        self.panel(Panel::Status).map_or(0, |area| details(area.height))
    }
}

fn split_width(area: Rect, left: u16) -> [Rect; 2] {
    let left = left.min(area.width);
    [Rect { width: left, ..area }, Rect { x: area.x + left, width: area.width - left, ..area }]
}

fn split_height(area: Rect, top: u16) -> [Rect; 2] {
    let top = top.min(area.height);
    [Rect { height: top, ..area }, Rect { y: area.y + top, height: area.height - top, ..area }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(columns: u16, rows: u16, focus: Panel) -> Wanted {
        Wanted { columns, rows, focus, marked: focus == Panel::Marked, zoomed: false, ran: true }
    }

    fn shown(columns: u16, rows: u16, focus: Panel) -> Vec<Panel> {
        let layout = Layout::of(wanted(columns, rows, focus));
        Panel::ALL.into_iter().filter(|panel| layout.panel(*panel).is_some()).collect()
    }

    #[test]
    fn panels_appear_as_there_is_room() {
        use Panel::{Calls, Events, Extensions, Marked, Status};
        assert_eq!(shown(59, 24, Events), []);
        assert_eq!(shown(60, 14, Events), []);
        assert_eq!(shown(60, 15, Events), [Events]);
        assert_eq!(shown(79, 50, Marked), [Marked]);
        assert_eq!(shown(80, 24, Events), [Extensions, Events, Status]);
        assert_eq!(shown(80, 24, Marked), [Extensions, Status, Marked]);
        assert_eq!(shown(80, 24, Calls), [Extensions, Events, Calls]);
        assert_eq!(shown(80, 30, Events), [Extensions, Events, Status, Calls]);
        assert_eq!(shown(120, 24, Events), [Extensions, Events, Status]);
        assert_eq!(shown(120, 24, Marked), [Extensions, Events, Status, Marked]);
        assert_eq!(shown(120, 40, Marked), Panel::ALL);
    }

    #[test]
    fn the_panel_in_focus_is_always_on_the_screen_and_inside_it() {
        for columns in (60..260).step_by(7) {
            for rows in 15..70 {
                for focus in Panel::ALL {
                    let layout = Layout::of(wanted(columns, rows, focus));
                    assert!(layout.panel(focus).is_some(), "{columns}x{rows} {focus:?}");
                    for panel in Panel::ALL {
                        let area = layout.panel(panel).unwrap_or_default();
                        assert_eq!(area.intersection(layout.whole), area, "{columns}x{rows}");
                    }
                }
            }
        }
    }
}
