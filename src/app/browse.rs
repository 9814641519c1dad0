//! Moving and marking in the panels: lines of the event tree, cursors that stay on their events,
//! marks that mean what is visible.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use crate::change::Selection;
use crate::domain::{
    EventType, Extension, ExtensionNumber, Fetched, Listing, Meant, PassedOver, Verdict,
};

use super::outage::Flow;
use super::status::Tone;
use super::{Cursor, Dialog, Effect, Model, Motion, Panel, count_of};

/// The Events panel follows the cursor of the extensions once that has rested so long: passing many
/// of them over a slow line is not held up by pictures that are not looked at.
const REST: Duration = Duration::from_millis(150);

/// One line of the Events panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A type with its events.
    Group {
        /// The type.
        event_type: EventType,
        /// All its rows in the listing.
        rows: Range<usize>,
        /// How many of them the filter admits.
        admitted: usize,
        /// Whether its events follow.
        open: bool,
    },
    /// An event, by its row in the listing.
    Event(usize),
    /// A row that cannot be named in a path, by its place among the odd ones.
    Odd(usize),
}

/// How a box is drawn: the tri-state of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boxed {
    /// `[ ]`
    None,
    /// `[-]`
    Some,
    /// `[x]`
    All,
}

impl Boxed {
    fn of(marked: usize, all: usize) -> Self {
        match marked {
            0 => Self::None,
            _ if marked < all => Self::Some,
            _ => Self::All,
        }
    }
}

/// One line of the Marked panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkedLine {
    /// An extension, followed by its marks.
    Extension(ExtensionNumber),
    /// A marked event, by its row in the extension's listing.
    Event(ExtensionNumber, usize),
}

/// The tree of one extension's events.
#[derive(Debug, Default)]
pub(super) struct EventsPanel {
    /// Whose events the lines are.
    extension: Option<ExtensionNumber>,
    lines: Vec<Line>,
    /// Events that the filter can say nothing about.
    passed_over: PassedOver,
    pub(super) cursor: Cursor,
    closed: HashSet<EventType>,
    /// When the cursor of the extensions last moved, while this panel has not followed it.
    moved: Option<Duration>,
    /// Until when it is being awaited that the cursor rests.
    awaited: Option<Duration>,
    /// What the cursor was on when the last message had been taken in.
    anchor: Option<Anchor>,
}

/// What one extension adds to the hidden marks, to what the prompt of `T` counts, and to the
/// extensions that the filter can say nothing about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    hidden: usize,
    meant: Meant,
    passed_over: PassedOver,
}

/// What a cursor stays on while lines come and go.
#[derive(Debug, Clone, PartialEq)]
enum Anchor {
    Group(EventType),
    Event(EventType, String),
    Odd(usize),
}

impl Model {
    /// How many lines the Events panel has.
    pub fn event_lines(&self) -> usize {
        self.events.lines.len()
    }

    /// One line of the Events panel.
    pub fn event_line(&self, index: usize) -> Option<&Line> {
        self.events.lines.get(index)
    }

    /// The extension whose events are shown: the one under the cursor, as soon as that rests.
    pub fn shown_extension(&self) -> Option<&Extension> {
        self.found(self.events.extension.as_ref()?)
    }

    /// The listing whose lines the Events panel shows.
    pub fn current_listing(&self) -> Option<&Listing> {
        self.store.listing(self.events.extension.as_ref()?)
    }

    /// The box of an extension: marked among all that are listed.
    pub fn box_of_extension(&self, extension: &ExtensionNumber) -> Boxed {
        let listed = self.store.listing(extension).map_or(0, Listing::len);
        Boxed::of(self.store.marked_in(extension), listed)
    }

    /// The box of rows of the current listing: marked among all of them, shown or not.
    pub fn box_of_rows(&self, rows: Range<usize>) -> Boxed {
        let Some(extension) = &self.events.extension else {
            return Boxed::None;
        };
        let all = rows.len();
        let marked = rows.filter(|row| self.store.is_marked(extension, *row)).count();
        Boxed::of(marked, all)
    }

    /// How many events of the current listing the filter admits.
    pub fn admitted_events(&self) -> usize {
        let groups = self.events.lines.iter().map(|line| match line {
            Line::Group { admitted, .. } => *admitted,
            Line::Event(_) | Line::Odd(_) => 0,
        });
        groups.sum()
    }

    /// Events of the current listing that the filter can say nothing about.
    pub fn passed_over(&self) -> PassedOver {
        self.events.passed_over
    }

    /// Extensions that their filter can say nothing about.
    pub fn extensions_passed_over(&self) -> PassedOver {
        self.extensions_passed_over
    }

    /// Whether a marked row is kept off the screen by a filter.
    pub fn is_hidden(&self, listing: &Listing, row: usize) -> bool {
        if self.event_filter.is_empty() && self.extension_filter.is_empty() {
            return false;
        }
        let number = listing.extension();
        let admits = || self.event_filter.admits_row(&self.extension(number), row, &self.store);
        !self.shows(number) || !admits()
    }

    /// The rows of an extension that the filters show, in order; `None` where they show all of them.
    pub(super) fn shown_rows(&self, number: &ExtensionNumber) -> Option<Vec<usize>> {
        if !self.shows(number) {
            return Some(Vec::new());
        }
        let rows = || self.event_filter.rows(&self.extension(number), &self.store).0;
        (!self.event_filter.is_empty()).then(rows)
    }

    /// How many lines the Marked panel has.
    pub fn marked_lines(&self) -> usize {
        self.store.marked_extensions() + self.store.marked()
    }

    /// Lines of the Marked panel from this one on.
    pub fn marked_lines_from(&self, first: usize) -> impl Iterator<Item = MarkedLine> + '_ {
        let lines = self.store.marked_listings().flat_map(|(listing, rows)| {
            let number = listing.extension();
            std::iter::once(MarkedLine::Extension(number.clone()))
                .chain(rows.map(|row| MarkedLine::Event(number.clone(), row)))
        });
        lines.skip(first)
    }

    /// What is known of an extension by its number.
    pub(super) fn extension(&self, number: &ExtensionNumber) -> Extension {
        self.found(number).cloned().unwrap_or_else(|| Extension::of(number.clone()))
    }

    /// An extension that was found, by its number.
    pub fn found(&self, number: &ExtensionNumber) -> Option<&Extension> {
        self.extensions.get(self.place_of(number)?)
    }

    fn place_of(&self, number: &ExtensionNumber) -> Option<usize> {
        self.extensions.binary_search_by(|extension| extension.number.cmp(number)).ok()
    }

    /// Whether the filter of extensions shows this one.
    fn shows(&self, number: &ExtensionNumber) -> bool {
        let is_visible = |place| self.visible.binary_search(&place).is_ok();
        self.extension_filter.is_empty() || self.place_of(number).is_some_and(is_visible)
    }

    fn judge_extension(&self, extension: &Extension) -> Verdict {
        self.extension_filter.judge_extension(extension, &self.store)
    }

    /// Asks the filter of extensions again about one of which events came or went; the cursor stays
    /// on its extension.
    pub(super) fn admit_again(&mut self, number: &ExtensionNumber) {
        let Some(place) = self.place_of(number).filter(|_| !self.extension_filter.is_empty())
        else {
            return;
        };
        let admitted = self.judge_extension(&self.extension(number)) == Verdict::Meant;
        let cursor = &mut self.extension_cursor.at;
        match self.visible.binary_search(&place) {
            Ok(row) if !admitted => {
                self.visible.remove(row);
                *cursor -= usize::from(row < *cursor);
            }
            Err(row) if admitted => {
                *cursor += usize::from(row <= *cursor && !self.visible.is_empty());
                self.visible.insert(row, place);
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// Applies the extension filter again; the cursor stays on its extension.
    pub(super) fn rebuild_extensions(&mut self) {
        let current = self.current_extension().map(|extension| extension.number.clone());
        let (mut visible, mut passed_over) = (Vec::new(), PassedOver::default());
        for (place, extension) in self.extensions.iter().enumerate() {
            let verdict = self.judge_extension(extension);
            passed_over.count(verdict);
            visible.extend((verdict == Verdict::Meant).then_some(place));
        }
        (self.visible, self.extensions_passed_over) = (visible, passed_over);
        let place = current.and_then(|number| {
            (0..self.visible.len())
                .find(|row| self.visible_extension(*row).is_some_and(|e| e.number == number))
        });
        if let Some(place) = place {
            self.extension_cursor.at = place;
        }
        self.marks_changed = true;
        self.rebuild_events();
    }

    /// Makes the lines of the current extension again; the cursor stays on what it was on.
    pub(super) fn rebuild_events(&mut self) {
        self.events.moved = None;
        let current = self.current_extension().cloned();
        let number = current.as_ref().map(|extension| extension.number.clone());
        let mut anchor = self.events.anchor.clone();
        if self.events.extension != number {
            self.events.extension = number;
            self.events.closed.clear();
            self.events.cursor = Cursor::default();
            self.events.anchor = None;
            anchor = None;
        }
        let listing = current.as_ref().and_then(|extension| self.store.listing(&extension.number));
        (self.events.lines, self.events.passed_over) = match (&current, listing) {
            (Some(extension), Some(listing)) => {
                let (rows, passed_over) = self.event_filter.rows(extension, &self.store);
                let all = self.event_filter.is_empty();
                (lines(listing, &rows, all, &self.events.closed), passed_over)
            }
            _ => (Vec::new(), PassedOver::default()),
        };
        if let Some(anchor) = anchor {
            let lines = self.events.lines.len();
            let place = (0..lines).find(|line| self.anchor(*line).as_ref() == Some(&anchor));
            if let Some(place) = place {
                self.events.cursor.at = place;
            }
        }
        self.fit_cursors();
    }

    /// Keeps what the cursor is on, before anything changes below it.
    pub(super) fn drop_anchor(&mut self) {
        self.events.anchor = self.anchor(self.events.cursor.at);
    }

    fn anchor(&self, line: usize) -> Option<Anchor> {
        let listing = self.store.listing(self.events.extension.as_ref()?)?;
        Some(match self.events.lines.get(line)? {
            Line::Group { event_type, .. } => Anchor::Group(*event_type),
            Line::Event(row) => {
                let view = listing.row(*row)?;
                Anchor::Event(view.event_type(), view.id().to_owned())
            }
            Line::Odd(index) => Anchor::Odd(*index),
        })
    }

    /// Brings every cursor back into its list and into sight.
    pub(super) fn fit_cursors(&mut self) {
        let rows = |panel| self.layout.rows(panel);
        let (extensions, events) = (rows(Panel::Extensions), rows(Panel::Events));
        let (status, marked, calls) =
            (rows(Panel::Status), rows(Panel::Marked), rows(Panel::Calls));
        self.extension_cursor.fit(self.visible.len(), extensions);
        self.events.cursor.fit(self.events.lines.len(), events);
        self.status_cursor.fit(self.status_rows(), status);
        self.marked_cursor.fit(self.marked_lines(), marked);
        self.calls_cursor.fit(self.calls.len(), calls);
    }

    /// Moves the cursor of the focused panel.
    pub(super) fn go(&mut self, motion: Motion) {
        let height = self.layout.rows(self.focus);
        match self.focus {
            Panel::Extensions => {
                self.extension_cursor.go(motion, self.visible.len(), height);
                self.events.moved = Some(self.now.since_start);
                // A jump needs no debounce.
                if matches!(motion, Motion::First | Motion::Last) {
                    self.follow();
                }
            }
            Panel::Events => self.events.cursor.go(motion, self.events.lines.len(), height),
            Panel::Status => self.status_cursor.go(motion, self.status_rows(), height),
            Panel::Marked => self.marked_cursor.go(motion, self.marked_lines(), height),
            Panel::Calls => self.calls_cursor.go(motion, self.calls.len(), height),
        }
    }

    /// Shows the events of the extension under the cursor once that rests, and asks to be woken
    /// then.
    pub(super) fn follow_when_at_rest(&mut self) -> Option<Effect> {
        let now = self.now.since_start;
        if self.events.awaited.is_some_and(|until| now < until) {
            return None;
        }
        self.events.awaited = None;
        let moved = self.events.moved?;
        let current = self.current_extension().map(|extension| &extension.number);
        let rest = (moved + REST).saturating_sub(now);
        if rest.is_zero() || self.events.extension.as_ref() == current {
            self.rebuild_events();
            return None;
        }
        self.events.awaited = Some(now + rest);
        Some(Effect::Wait(rest))
    }

    /// Shows the events of the extension under the cursor now.
    pub(super) fn follow(&mut self) {
        if self.events.moved.is_some() {
            self.rebuild_events();
        }
    }

    /// `l`, `h` and Enter.
    pub(super) fn open_or_close(&mut self, open: Option<bool>) {
        match (self.focus, open) {
            (Panel::Extensions, None | Some(true)) => self.focus_panel(Panel::Events),
            (Panel::Events, _) => self.fold(open),
            (Panel::Status | Panel::Marked | Panel::Calls, Some(false)) => {
                self.focus_panel(Panel::Extensions);
            }
            (Panel::Extensions | Panel::Status | Panel::Marked | Panel::Calls, _) => {}
        }
    }

    fn fold(&mut self, wanted: Option<bool>) {
        match self.events.lines.get(self.events.cursor.at).cloned() {
            Some(Line::Group { event_type, open, .. }) => match (wanted.unwrap_or(!open), open) {
                (true, _) => {
                    self.events.closed.remove(&event_type);
                    self.rebuild_events();
                }
                (false, true) => {
                    self.events.closed.insert(event_type);
                    self.rebuild_events();
                }
                (false, false) => self.focus_panel(Panel::Extensions),
            },
            Some(Line::Event(row)) if wanted == Some(false) => self.go_to_group_of(row),
            Some(Line::Odd(_)) | None if wanted == Some(false) => {
                self.focus_panel(Panel::Extensions);
            }
            Some(Line::Event(_) | Line::Odd(_)) | None => {}
        }
    }

    fn go_to_group_of(&mut self, row: usize) {
        let group = self.events.lines.iter().position(|line| match line {
            Line::Group { rows, .. } => rows.contains(&row),
            Line::Event(_) | Line::Odd(_) => false,
        });
        if let Some(group) = group {
            self.events.cursor.at = group;
            self.fit_cursors();
        }
    }

    /// Focuses a panel.
    pub(super) fn focus_panel(&mut self, panel: Panel) {
        self.focus = panel;
        self.lay_out();
    }

    /// The next panel in the order of the digits: of those in sight or, where only one fits, of
    /// those that would be.
    pub(super) fn step_focus(&mut self, forward: bool) {
        let narrow = !Panel::ALL
            .iter()
            .any(|panel| *panel != self.focus && self.layout.panel(*panel).is_some());
        let panels: Vec<Panel> = Panel::ALL
            .into_iter()
            .filter(|panel| narrow || self.layout.panel(*panel).is_some())
            .collect();
        let here = panels.iter().position(|panel| *panel == self.focus).unwrap_or(0);
        let step = if forward { 1 } else { panels.len().saturating_sub(1) };
        if let Some(panel) = panels.get((here + step) % panels.len().max(1)) {
            self.focus_panel(*panel);
        }
    }

    /// Space: marks or unmarks what is under the cursor, then steps down.
    pub(super) fn toggle_mark(&mut self) {
        match self.focus {
            Panel::Extensions => {
                if let Some(extension) = self.current_extension().cloned() {
                    self.toggle_extension(&extension.number);
                }
            }
            Panel::Events => self.toggle_line(),
            Panel::Marked => {
                self.unmark_marked_line();
                return;
            }
            Panel::Status | Panel::Calls => {
                self.notice(Tone::Plain, "marks are set in Extensions (1) and Events (2)");
                return;
            }
        }
        self.go(Motion::Down);
    }

    fn toggle_extension(&mut self, number: &ExtensionNumber) {
        if self.mark_when_listed.remove(number) {
            self.notice(Tone::Plain, format!("{number} will not be marked"));
            return;
        }
        let rows = self.admitted_rows(number, None);
        let all_marked =
            !rows.is_empty() && rows.iter().all(|row| self.store.is_marked(number, *row));
        if all_marked {
            self.set_marks(number, &rows, false);
        } else {
            self.mark_extension(number);
        }
    }

    /// Marks what the filter admits of an extension, or loads it first and marks then.
    pub(super) fn mark_extension(&mut self, number: &ExtensionNumber) {
        match self.loading.state(number) {
            Fetched::Ready(()) => {
                let rows = self.admitted_rows(number, None);
                self.mark_visible(number, &rows, None);
            }
            Fetched::Not | Fetched::UnderWay | Fetched::Failed(_) => {
                self.mark_when_listed.insert(number.clone());
                self.loading.demand(number);
                self.notice(
                    Tone::Plain,
                    format!("reading {number}; its events are marked once they are read"),
                );
            }
        }
    }

    fn toggle_line(&mut self) {
        let Some(number) = self.current_extension().map(|extension| extension.number.clone())
        else {
            return;
        };
        match self.events.lines.get(self.events.cursor.at).cloned() {
            Some(Line::Event(row)) => {
                let on = !self.store.is_marked(&number, row);
                self.set_marks(&number, &[row], on);
            }
            Some(Line::Group { event_type, .. }) => {
                let rows = self.admitted_rows(&number, Some(event_type));
                if rows.iter().all(|row| self.store.is_marked(&number, *row)) {
                    self.set_marks(&number, &rows, false);
                } else {
                    self.mark_visible(&number, &rows, Some(event_type));
                }
            }
            Some(Line::Odd(index)) => {
                let odd = self.current_listing().and_then(|listing| listing.odd().get(index));
                let reason = odd.map(|odd| odd.reason.clone()).unwrap_or_default();
                self.notice(
                    Tone::Warning,
                    format!("this row cannot be deleted from here: {reason}"),
                );
            }
            None => {}
        }
    }

    /// `a`: the type under the cursor.
    pub(super) fn mark_type(&mut self) {
        let line = (self.focus == Panel::Events)
            .then(|| self.events.lines.get(self.events.cursor.at))
            .flatten();
        let event_type = match line {
            Some(Line::Group { event_type, .. }) => Some(*event_type),
            Some(Line::Event(row)) => self
                .current_listing()
                .and_then(|listing| listing.row(*row))
                .map(|view| view.event_type()),
            Some(Line::Odd(_)) | None => None,
        };
        let number = self.current_extension().map(|extension| extension.number.clone());
        let (Some(event_type), Some(number)) = (event_type, number) else {
            self.notice(Tone::Plain, "a marks the type under the cursor of Events (2)");
            return;
        };
        let rows = self.admitted_rows(&number, Some(event_type));
        self.mark_visible(&number, &rows, Some(event_type));
    }

    /// `A`: everything visible in the focused panel.
    pub(super) fn mark_all_visible(&mut self) {
        match self.focus {
            Panel::Extensions => {
                for number in self.visible_numbers() {
                    self.mark_extension(&number);
                }
                self.report_visible_marks();
            }
            Panel::Events => {
                let Some(extension) = self.current_extension().cloned() else {
                    return;
                };
                let rows = self.admitted_rows(&extension.number, None);
                self.mark_visible(&extension.number, &rows, None);
            }
            Panel::Status | Panel::Marked | Panel::Calls => {
                self.notice(
                    Tone::Plain,
                    "A marks all visible rows of Extensions (1) or Events (2)",
                );
            }
        }
    }

    fn report_visible_marks(&mut self) {
        let waiting = self.mark_when_listed.len();
        let outside = self.extensions.len() - self.visible.len();
        let mut parts = vec![format!("{} marked", count_of(self.store.marked(), "event"))];
        if waiting > 0 {
            parts.push(format!("{} still to be read first", count_of(waiting, "extension")));
        }
        if outside > 0 {
            let outside = count_of(outside, "extension");
            parts.push(format!("{outside} outside the filter left out: Esc clears it"));
        }
        let text = parts.join(", ");
        self.notice(Tone::Plain, text);
    }

    /// `i`: turns the visible marks around.
    pub(super) fn invert_visible(&mut self) {
        let numbers = match self.focus {
            Panel::Extensions => self.visible_numbers(),
            Panel::Events => self
                .current_extension()
                .map(|extension| extension.number.clone())
                .into_iter()
                .collect(),
            Panel::Status | Panel::Marked | Panel::Calls => {
                self.notice(
                    Tone::Plain,
                    "i inverts the visible rows of Extensions (1) or Events (2)",
                );
                return;
            }
        };
        for number in numbers {
            if *self.loading.state(&number) != Fetched::Ready(()) {
                self.mark_extension(&number);
                continue;
            }
            let rows = self.admitted_rows(&number, None);
            let (on, off): (Vec<usize>, Vec<usize>) =
                rows.into_iter().partition(|row| self.store.is_marked(&number, *row));
            self.set_marks(&number, &on, false);
            self.set_marks(&number, &off, true);
        }
    }

    /// `U`.
    pub(super) fn unmark_all(&mut self) {
        self.mark_when_listed.clear();
        let gave_up = self.give_up_marking("by U");
        self.marking = None;
        let count = self.store.unmark_all();
        self.marks_changed = true;
        let more = if gave_up { "; nothing more is loaded to be marked" } else { "" };
        let told = match count {
            0 => "nothing was marked".to_owned(),
            _ => format!("{} cleared", count_of(count, "mark")),
        };
        self.notice(Tone::Plain, format!("{told}{more}"));
    }

    fn unmark_marked_line(&mut self) {
        let line = self.marked_lines_from(self.marked_cursor.at).next();
        match line {
            Some(MarkedLine::Event(number, row)) => self.set_marks(&number, &[row], false),
            Some(MarkedLine::Extension(number)) => {
                let rows: Vec<usize> =
                    (0..self.store.listing(&number).map_or(0, Listing::len)).collect();
                self.set_marks(&number, &rows, false);
            }
            None => {}
        }
        self.fit_cursors();
    }

    fn visible_numbers(&self) -> Vec<ExtensionNumber> {
        let visible = (0..self.visible.len()).filter_map(|row| self.visible_extension(row));
        visible.map(|extension| extension.number.clone()).collect()
    }

    /// Rows of an extension that the event filter admits, of one type or of all.
    fn admitted_rows(&self, number: &ExtensionNumber, only: Option<EventType>) -> Vec<usize> {
        let Some(listing) = self.store.listing(number) else {
            return Vec::new();
        };
        let of_type = only.map_or(0..listing.len(), |event_type| listing.rows_of(event_type));
        let mut rows = self.event_filter.rows(&self.extension(number), &self.store).0;
        rows.retain(|row| of_type.contains(row));
        rows
    }

    /// Marks rows, and says in words what a filter kept out of it.
    fn mark_visible(&mut self, number: &ExtensionNumber, rows: &[usize], only: Option<EventType>) {
        self.set_marks(number, rows, true);
        let listed = self.store.listing(number).map_or(0, |listing| {
            only.map_or(listing.len(), |event_type| listing.rows_of(event_type).len())
        });
        let left_out = listed - rows.len();
        if left_out > 0 {
            let filter = self.event_filter.text().to_owned();
            let text = format!(
                "{left_out} more are outside the filter {filter:?} and not marked: Esc in Events \
                 clears it"
            );
            self.notice(Tone::Warning, text);
        }
    }

    fn set_marks(&mut self, number: &ExtensionNumber, rows: &[usize], on: bool) {
        self.store.set_marks(number, rows.iter().copied(), on);
        self.marks_changed = true;
    }

    /// What `d` is about when nothing is marked: the event under the cursor, and nothing more.
    ///
    /// # Errors
    /// Says how to mark what is under the cursor, where that is no event.
    pub(super) fn event_under_cursor(&self) -> Result<Selection, String> {
        let marks = |count: usize| {
            let these =
                if count == 1 { "this event".to_owned() } else { format!("these {count} events") };
            Err(format!("nothing is marked: space marks {these}"))
        };
        let Some(number) = self.current_extension().map(|extension| &extension.number) else {
            return Err("nothing is marked, and there is nothing under the cursor".to_owned());
        };
        match self.focus {
            Panel::Extensions if self.store.listing(number).is_none() => {
                Err(format!("nothing is marked: space marks the events of {number}"))
            }
            Panel::Extensions => marks(self.admitted_rows(number, None).len()),
            Panel::Events => match self.events.lines.get(self.events.cursor.at) {
                Some(Line::Event(row)) => {
                    let listing = self.store.listing(number);
                    let selection = listing.map(|listing| Selection::of_rows(listing, [*row]));
                    selection.ok_or_else(|| format!("{number} is not read yet"))
                }
                Some(Line::Group { event_type, .. }) => {
                    marks(self.admitted_rows(number, Some(*event_type)).len())
                }
                Some(Line::Odd(_)) => Err("this row cannot be deleted from here".to_owned()),
                None if !self.event_filter.is_empty() => {
                    Err("the filter hides every event here; Esc clears it".to_owned())
                }
                None => Err("nothing is marked, and there is no event here".to_owned()),
            },
            Panel::Status | Panel::Marked | Panel::Calls => {
                Err("nothing is marked: space marks in Extensions (1) and Events (2)".to_owned())
            }
        }
    }

    /// Counts again what depends on marks and filters, if they changed.
    pub(super) fn count_again(&mut self) {
        if self.store.marked() == 0 {
            self.passed_in.clear();
        }
        if self.marks_changed {
            if self.extension_filter.asks_standing() {
                self.rebuild_extensions();
            } else if self.event_filter.asks_standing() {
                self.rebuild_events();
            }
            self.marks_changed = false;
            self.hidden = self.count_hidden();
            self.count_meant();
        }
    }

    fn count_hidden(&self) -> usize {
        if self.event_filter.is_empty() && self.extension_filter.is_empty() {
            return 0;
        }
        self.store.marked_listings().map(|(listing, _)| self.hidden_in(listing.extension())).sum()
    }

    /// Marked events of one extension that a filter keeps off the screen.
    fn hidden_in(&self, number: &ExtensionNumber) -> usize {
        if self.event_filter.is_empty() && self.extension_filter.is_empty() {
            return 0;
        }
        let marked = self.store.marked_in(number);
        if marked == 0 {
            return 0;
        }
        let shown = self
            .shown_rows(number)
            .map(|rows| rows.iter().filter(|row| self.store.is_marked(number, **row)).count());
        marked - shown.unwrap_or(marked)
    }

    /// What one extension adds to the counts.
    pub(super) fn share_of(&self, number: &ExtensionNumber) -> Share {
        let mut passed_over = PassedOver::default();
        if let Some(extension) = self.found(number).filter(|_| !self.extension_filter.is_empty()) {
            passed_over.count(self.judge_extension(extension));
        }
        Share { hidden: self.hidden_in(number), meant: self.meant_in(number), passed_over }
    }

    /// Counts one extension again, given what it added before: with many extensions coming in
    /// there is no time to count them all for each.
    pub(super) fn count_one_again(&mut self, number: &ExtensionNumber, before: Share) {
        self.admit_again(number);
        let now = self.share_of(number);
        self.hidden = (self.hidden + now.hidden).saturating_sub(before.hidden);
        self.extensions_passed_over =
            self.extensions_passed_over.again(before.passed_over, now.passed_over);
        if let Some(Dialog::Marking(prompt)) = &mut self.dialog {
            prompt.count_one_again(before.meant, now.meant);
        }
    }

    /// What to list next, now that something changed.
    pub(super) fn load_more(&mut self) -> Vec<Effect> {
        let flow = self.outage.flow(self.now.since_start);
        let is_discovering = self.discovery == Fetched::UnderWay;
        if flow == Flow::Stopped || (flow == Flow::One && is_discovering) {
            return Vec::new();
        }
        let height = self.layout.rows(Panel::Extensions);
        let Self { loading, extensions, visible, extension_cursor, .. } = self;
        let at = |row: usize| visible.get(row).and_then(|place| extensions.get(*place));
        let sight = extension_cursor.top..extension_cursor.top + height.max(1);
        let first = std::iter::once(extension_cursor.at).chain(sight).filter_map(at);
        let one = flow == Flow::One;
        let mut effects = loading.next(one, first.map(|extension| &extension.number), |place| {
            extensions.get(place).map(|extension| &extension.number)
        });
        for effect in &mut effects {
            if let Effect::ListEvents { extension, below, .. } = effect {
                *below = self.read_elsewhere(extension);
            }
        }
        if one && self.loading.in_flight() == 0 {
            // Nothing is left to ask, so there is nothing to wait for.
            self.outage.is_over();
        }
        effects
    }
}

/// The groups of a listing with those of their rows that a filter admits; also what cannot be used,
/// where it admits all.
fn lines(
    listing: &Listing,
    admitted: &[usize],
    all: bool,
    closed: &HashSet<EventType>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = admitted;
    for (event_type, rows) in listing.groups() {
        let (admitted, behind) = rest.split_at(rest.partition_point(|row| *row < rows.end));
        rest = behind;
        let open = !closed.contains(&event_type);
        if admitted.is_empty() {
            continue;
        }
        lines.push(Line::Group { event_type, rows, admitted: admitted.len(), open });
        if open {
            lines.extend(admitted.iter().copied().map(Line::Event));
        }
    }
    if all {
        lines.extend((0..listing.odd().len()).map(Line::Odd));
    }
    lines
}
