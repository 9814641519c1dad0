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
    panels: [Option<Rect>; 5],
    /// False below the smallest size.
    pub fits: bool,
}

impl Layout {
    /// Lays out a terminal of this size.
    pub fn new(columns: u16, rows: u16, focus: Panel) -> Self {
        let (columns, rows) = (columns.min(LARGEST.0), rows.min(LARGEST.1));
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
            panels: [None; 5],
            fits: true,
        };
        if columns < TWO_PANELS {
            layout.put(focus, middle);
        } else {
            layout.side_by_side(middle, focus, rows >= WITH_CALLS);
        }
        layout
    }

    fn side_by_side(&mut self, middle: Rect, focus: Panel, with_calls: bool) {
        let below = matches!(focus, Panel::Status | Panel::Calls);
        let part = if below { middle.height / 2 } else { middle.height / 3 };
        let bottom_height = part.max(9);
        let [top, bottom] = split_height(middle, middle.height - bottom_height);
        let [extensions, rest] =
            split_width(top, if middle.width >= THREE_PANELS { 36 } else { 30 });
        self.put(Panel::Extensions, extensions);
        if middle.width >= THREE_PANELS {
            let [events, marked] = split_width(rest, rest.width - 31);
            self.put(Panel::Events, events);
            self.put(Panel::Marked, marked);
        } else {
            self.put(if focus == Panel::Marked { Panel::Marked } else { Panel::Events }, rest);
        }
        if with_calls && middle.width >= THREE_PANELS {
            let [status, calls] = split_width(bottom, bottom.width - 41);
            self.put(Panel::Status, status);
            self.put(Panel::Calls, calls);
        } else if with_calls {
            let [status, calls] = split_height(bottom, bottom.height - bottom.height / 3);
            self.put(Panel::Status, status);
            self.put(Panel::Calls, calls);
        } else {
            self.put(if focus == Panel::Calls { Panel::Calls } else { Panel::Status }, bottom);
        }
    }

    fn put(&mut self, panel: Panel, area: Rect) {
        if let Some(place) = self.panels.get_mut(index(panel)) {
            *place = Some(area);
        }
    }

    /// Where a panel stands, borders included.
    pub fn panel(&self, panel: Panel) -> Option<Rect> {
        self.panels.get(index(panel)).copied().flatten()
    }

    /// Rows of a panel's list.
    pub fn rows(&self, panel: Panel) -> usize {
        let inner = self.panel(panel).map_or(0, |area| area.height.saturating_sub(2));
        let details = match panel {
            Panel::Events => self.event_details(),
            Panel::Status => self.status_details(),
            Panel::Extensions | Panel::Marked | Panel::Calls => 0,
        };
        // The first row of Status belongs to the progress of a run.
        let head = u16::from(panel == Panel::Status);
        usize::from(inner.saturating_sub(details + head))
    }

    /// Rows below the events that describe the one under the cursor, with the line above them.
    pub fn event_details(&self) -> u16 {
        self.panel(Panel::Events).map_or(0, |area| if area.height >= 20 { 8 } else { 3 })
    }

    /// Rows below the status rows that show the one under the cursor whole.
    pub fn status_details(&self) -> u16 {
        self.panel(Panel::Status).map_or(0, |area| (area.height / 3).clamp(3, 6))
    }
}

fn index(panel: Panel) -> usize {
    match panel {
        Panel::Extensions => 0,
        Panel::Events => 1,
        Panel::Status => 2,
        Panel::Marked => 3,
        Panel::Calls => 4,
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

    fn shown(columns: u16, rows: u16, focus: Panel) -> Vec<Panel> {
        let layout = Layout::new(columns, rows, focus);
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
        assert_eq!(shown(120, 24, Events), [Extensions, Events, Status, Marked]);
        assert_eq!(shown(120, 40, Events), Panel::ALL);
    }

    #[test]
    fn the_panel_in_focus_is_always_on_the_screen_and_inside_it() {
        for columns in (60..260).step_by(7) {
            for rows in 15..70 {
                for focus in Panel::ALL {
                    let layout = Layout::new(columns, rows, focus);
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
