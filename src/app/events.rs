//! The Events panel: the events of one extension or of all of them, in groups, as lines of which
//! only those in sight are made. The cursor stays on its event whatever comes and goes.
//!
//! What a line means is looked up when it is asked for: where an extension was listed anew since
//! the lines were made, a line means nothing until they are made again, and never another event.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use fixedbitset::FixedBitSet;
use jiff::tz::TimeZone;

use crate::domain::{
    Arrangement, EventGroup, EventKey, EventOrder, EventStore, ExtensionNumber, Filter, GroupKey,
    Grouping, Listing, PassedOver, Place,
};

use super::extensions::{ExtensionRow, Extensions};
use super::visible::Visible;
use super::{Cursor, Motion};

/// The panel follows the cursor of the extensions once that has rested so long: passing many of
/// them over a slow line is not held up by pictures that are not looked at.
const REST: Duration = Duration::from_millis(150);

/// Lines are made again by themselves once so much time has passed for each event in question, no later than
/// after [`PATIENCE`]: what comes in meanwhile waits for each other, unless a key is about it.
const FOR_EACH: Duration = Duration::from_micros(2);
const PATIENCE: Duration = Duration::from_millis(250);

/// Of more events than these, those that go only leave their lines: the others are put in order anew
/// after [`ROUGHLY`].
const IN_ORDER: usize = 20_000;
const ROUGHLY: Duration = Duration::from_secs(5);

/// The extensions whose events the panel shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The events of one extension.
    One(ExtensionNumber),
    /// Every event that is loaded.
    All,
}

/// One line of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// A group, by its place among them; whether its events follow.
    Group {
        /// Its place among the groups.
        group: usize,
        /// Whether its events follow.
        open: bool,
    },
    /// An event of a group.
    Event {
        /// The place of its group.
        group: usize,
        /// Which event.
        place: Place,
    },
    /// A row that cannot be named in a path, by its place among the odd ones.
    Odd(usize),
}

/// How the events of one scope are laid out.
#[derive(Debug, Clone, Copy, Default)]
struct View {
    grouping: Grouping,
    order: EventOrder,
}

/// The events in sight, and how they got there.
#[derive(Debug, Default)]
pub struct EventsPanel {
    scope: Option<Scope>,
    of_one: View,
    of_all: View,
    filter: Filter,
    arrangement: Arrangement,
    /// The line of each group, and the first one behind them all.
    starts: Vec<usize>,
    closed: HashSet<GroupKey>,
    /// Which of the groups these are.
    shut: FixedBitSet,
    cursor: Cursor,
    /// What the cursor was on when the last message had been taken in.
    anchor: Option<Anchor>,
    /// When the cursor of the extensions last moved, while this panel has not followed it.
    moved: Option<Duration>,
    /// The lines are not those of what is listed.
    stale: bool,
    /// Some lines are of events that are gone.
    gone: bool,
    /// When the lines have to be those of what is listed, though events only went.
    whole_at: Option<Duration>,
    /// When lines last were made again by themselves.
    made: Duration,
    /// Until when it is being awaited that the cursor rests, or that more comes in.
    awaited: Option<Duration>,
    /// [`EventStore::marks_version`] when the marks of the groups were counted.
    counted: u64,
}

/// What a cursor stays on while lines come and go.
#[derive(Debug, Clone, PartialEq)]
enum Anchor {
    Group(GroupKey),
    Event(EventKey),
    Odd(usize),
}

/// What the lines are made from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) extensions: &'a Extensions,
    pub(super) store: &'a EventStore,
    pub(super) zone: &'a TimeZone,
}

impl EventsPanel {
    /// The extensions whose events are shown; it follows the cursor of Extensions once that rests.
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// The extension whose events are shown, where it is one.
    pub fn extension(&self) -> Option<&ExtensionNumber> {
        match self.scope.as_ref()? {
            Scope::One(number) => Some(number),
            Scope::All => None,
        }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.end_of_groups() + self.arrangement.odd().len()
    }

    /// True when there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn end_of_groups(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// One line.
    pub fn line(&self, line: usize) -> Option<Line> {
        if let Some(odd) = line.checked_sub(self.end_of_groups()) {
            return (odd < self.arrangement.odd().len()).then_some(Line::Odd(odd));
        }
        let group = self.starts.partition_point(|start| *start <= line).checked_sub(1)?;
        let behind = line - self.starts.get(group)?;
        match behind.checked_sub(1) {
            None => Some(Line::Group { group, open: self.is_open(group) }),
            Some(event) => {
                let rows = self.group(group)?.rows.clone();
                let place = *self.arrangement.places(rows).get(event)?;
                Some(Line::Event { group, place })
            }
        }
    }

    /// The line under the cursor.
    pub fn current(&self) -> Option<Line> {
        self.line(self.cursor.at)
    }

    fn is_open(&self, group: usize) -> bool {
        !self.shut.contains(group)
    }

    /// What the events of a group have in common.
    pub fn key_of(&self, group: usize, store: &EventStore) -> Option<GroupKey> {
        store.key_of(&self.arrangement, self.group(group)?)
    }

    /// One group.
    pub fn group(&self, group: usize) -> Option<&EventGroup> {
        self.arrangement.groups().get(group)
    }

    /// The shown events, in order.
    pub fn arrangement(&self) -> &Arrangement {
        &self.arrangement
    }

    /// The row under the cursor, the first in sight, and where a range began.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    pub(super) fn cursor_mut(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    /// The filter of the events.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What the events are grouped by.
    pub fn grouping(&self) -> Grouping {
        self.view().grouping
    }

    /// In which order the events of a group stand.
    pub fn order(&self) -> EventOrder {
        self.view().order
    }

    /// Events that the filter can say nothing about.
    pub fn passed_over(&self) -> PassedOver {
        self.arrangement.passed_over()
    }

    fn view(&self) -> View {
        if self.scope == Some(Scope::All) { self.of_all } else { self.of_one }
    }

    fn view_mut(&mut self) -> &mut View {
        if self.scope == Some(Scope::All) { &mut self.of_all } else { &mut self.of_one }
    }

    /// Groups by what comes next.
    pub(super) fn regroup(&mut self, source: Source<'_>) -> Grouping {
        let view = self.view_mut();
        view.grouping = view.grouping.next();
        self.closed.clear();
        self.arrange(source);
        self.grouping()
    }

    /// Puts the events of each group in the next order.
    pub(super) fn reorder(&mut self, source: Source<'_>) -> EventOrder {
        let view = self.view_mut();
        view.order = view.order.next();
        self.arrange(source);
        self.order()
    }

    /// Shows what this filter admits from now on.
    pub(super) fn filter_by(&mut self, filter: Filter, source: Source<'_>) {
        self.filter = filter;
        self.arrange(source);
    }

    /// The cursor of the extensions moved at this time.
    pub(super) fn may_follow(&mut self, now: Duration) {
        self.moved = Some(now);
    }

    /// Shows what is under the cursor of the extensions now.
    pub(super) fn follow(&mut self, source: Source<'_>) {
        if self.moved.is_some() {
            self.show_current(source);
        }
    }

    fn show_current(&mut self, source: Source<'_>) {
        self.moved = None;
        let wanted = wanted(source.extensions);
        if self.scope != wanted {
            self.scope = wanted;
            self.closed.clear();
            self.cursor = Cursor::default();
            self.anchor = None;
            self.arrange(source);
        }
    }

    /// An extension was listed, and its events are others now.
    pub(super) fn listed(&mut self, number: &ExtensionNumber, source: Source<'_>) {
        match &self.scope {
            Some(Scope::One(shown)) if shown != number => {}
            Some(Scope::One(_) | Scope::All) => self.stale = true,
            None => self.show_current(source),
        }
    }

    /// Events of an extension are gone, and nothing else is different.
    pub(super) fn lost(&mut self, number: &ExtensionNumber, store: &EventStore) {
        if self.extension().is_some_and(|shown| shown != number) {
            return;
        }
        // What goes changes what else is shown, or is little.
        let in_order = self.looked_at(store) <= IN_ORDER
            || self.filter.asks_standing()
            || self.grouping() == Grouping::Duplicates;
        *(if in_order { &mut self.stale } else { &mut self.gone }) = true;
    }

    /// Makes the lines again where they are not those of what is listed.
    pub(super) fn refresh(&mut self, source: Source<'_>) {
        if self.stale {
            self.arrange(source);
        }
    }

    /// Follows the cursor of the extensions once that rests, makes the lines again once enough time
    /// has passed, and says when there is more to do.
    pub(super) fn settle(&mut self, now: Duration, source: Source<'_>) -> Option<Duration> {
        let due = self.keep_up(now, source);
        if self.awaited.is_some_and(|until| now < until) {
            return None;
        }
        self.awaited = None;
        let rest = self.moved.map(|moved| (moved + REST).saturating_sub(now));
        if rest.is_some_and(|rest| rest.is_zero()) || self.scope == wanted(source.extensions) {
            self.show_current(source);
        }
        let rest = rest.filter(|_| self.moved.is_some());
        let wait = rest.into_iter().chain(due.map(|due| due.saturating_sub(now))).min()?;
        self.awaited = Some(now + wait);
        Some(wait)
    }

    /// How many events are looked at when the lines are made: those outside the filter too.
    fn looked_at(&self, store: &EventStore) -> usize {
        match &self.scope {
            Some(Scope::One(number)) => store.listing(number).map_or(0, Listing::len),
            Some(Scope::All) => store.len(),
            None => 0,
        }
    }

    /// Makes the lines again, lets go of those of events that are gone, and counts the marks of the
    /// groups, where that is due; says when it will be.
    fn keep_up(&mut self, now: Duration, source: Source<'_>) -> Option<Duration> {
        let uncounted = self.counted != source.store.marks_version();
        self.stale |= uncounted && self.filter.asks_standing();
        self.stale |= self.whole_at.is_some_and(|at| at <= now);
        if !self.stale && !self.gone && !uncounted {
            return self.whole_at;
        }
        let events = u32::try_from(self.looked_at(source.store)).unwrap_or(u32::MAX);
        let due = self.made + FOR_EACH.saturating_mul(events).min(PATIENCE);
        if now < due {
            return Some(due);
        }
        self.made = now;
        if self.stale {
            self.arrange(source);
        } else if self.gone {
            self.whole_at.get_or_insert(now + ROUGHLY);
            self.thin(source.store);
        } else {
            self.arrangement.count_marks(source.store);
            self.counted = source.store.marks_version();
        }
        self.whole_at
    }

    /// Lets go of the lines of events that are gone; the cursor stays on what it was on, or on what
    /// comes next.
    fn thin(&mut self, store: &EventStore) {
        let at = match self.current() {
            Some(Line::Event { group, .. }) => {
                let lines = self.starts.get(group).map(|start| self.cursor.at - start - 1);
                lines.zip(self.group(group)).map(|(behind, group)| group.rows.start + behind)
            }
            Some(Line::Group { .. } | Line::Odd(_)) | None => None,
        };
        let before = self.arrangement.thin(store, at.unwrap_or(0));
        (self.gone, self.counted) = (false, store.marks_version());
        self.shut = store.groups_with(&self.arrangement, &self.closed);
        self.lay_out();
        self.cursor.drop_range();
        let last = self.arrangement.len().saturating_sub(1);
        match at.map(|at| (at - before).min(last)).and_then(|at| self.line_at(at)) {
            Some(line) => self.stay(line),
            None => self.return_to_anchor(store),
        }
    }

    /// What a filter lets through of any extension: the one that was typed and, grouped by
    /// duplicates, only events that have others like them.
    pub(super) fn sieve(&self) -> Cow<'_, Filter> {
        if self.shows_alike() {
            Cow::Owned(self.filter.of_alike())
        } else {
            Cow::Borrowed(&self.filter)
        }
    }

    /// Whether only events that have others like them are shown.
    pub(super) fn shows_alike(&self) -> bool {
        self.grouping() == Grouping::Duplicates
    }

    /// Makes the lines of what is shown again; the cursor stays on what it was on.
    pub(super) fn arrange(&mut self, source: Source<'_>) {
        let Source { extensions, store, zone } = source;
        self.moved = None;
        (self.stale, self.gone, self.whole_at) = (false, false, None);
        let wanted = wanted(extensions);
        if self.scope != wanted {
            self.scope = wanted;
            self.closed.clear();
            self.cursor = Cursor::default();
            self.anchor = None;
        }
        let View { grouping, order } = self.view();
        let filter = &self.filter;
        self.arrangement = match &self.scope {
            None => Arrangement::default(),
            Some(Scope::One(number)) => {
                let one = extensions.find(number).into_iter();
                store.arrange(one, filter, grouping, order, zone)
            }
            Some(Scope::All) => store.arrange(extensions.visible(), filter, grouping, order, zone),
        };
        self.counted = store.marks_version();
        self.shut = store.groups_with(&self.arrangement, &self.closed);
        self.lay_out();
        self.cursor.drop_range();
        self.return_to_anchor(store);
    }

    fn lay_out(&mut self) {
        let mut next = 0;
        self.starts.clear();
        for (at, group) in self.arrangement.groups().iter().enumerate() {
            self.starts.push(next);
            next += 1 + if self.shut.contains(at) { 0 } else { group.rows.len() };
        }
        self.starts.push(next);
    }

    fn return_to_anchor(&mut self, store: &EventStore) {
        let line = match &self.anchor {
            None => None,
            Some(Anchor::Group(key)) => {
                let group = store.groups_with(&self.arrangement, [key]).minimum();
                group.and_then(|group| self.starts.get(group).copied())
            }
            Some(Anchor::Event(key)) => self.line_of(key, store),
            Some(Anchor::Odd(odd)) => Some(self.end_of_groups() + odd),
        };
        if let Some(line) = line {
            self.stay(line);
        }
    }

    /// Puts the cursor on the line that its row became, and keeps it where it stands on the screen.
    fn stay(&mut self, line: usize) {
        let Cursor { at, top, .. } = self.cursor;
        self.cursor.at = line;
        self.cursor.top = line.saturating_sub(at.saturating_sub(top));
    }

    /// The line of an event.
    fn line_of(&self, key: &EventKey, store: &EventStore) -> Option<usize> {
        self.line_at(self.arrangement.find(store, key)?)
    }

    /// The line of the event at a position, or of its group where that is closed.
    fn line_at(&self, position: usize) -> Option<usize> {
        let at = self.arrangement.group_at(position)?;
        let group = self.group(at)?;
        let offset = position - group.rows.start;
        Some(self.starts.get(at)? + if self.is_open(at) { offset + 1 } else { 0 })
    }

    /// Keeps what the cursor is on, before anything changes below it.
    pub(super) fn drop_anchor(&mut self, store: &EventStore) {
        let anchor = match self.current() {
            None => None,
            Some(Line::Group { group, .. }) => self.key_of(group, store).map(Anchor::Group),
            Some(Line::Event { place, .. }) => match self.event(place, store) {
                Some((listing, row)) => listing.row(row).map(|event| Anchor::Event(event.key())),
                // It is listed anew: the anchor before tells which one it was.
                None => return,
            },
            Some(Line::Odd(odd)) => Some(Anchor::Odd(odd)),
        };
        self.anchor = anchor;
    }

    /// The event that a place means now; none once its extension was listed again.
    pub fn event<'a>(&self, place: Place, store: &'a EventStore) -> Option<(&'a Listing, usize)> {
        store.at(&self.arrangement, place)
    }

    /// The rows of a group, extension by extension.
    pub(super) fn rows_of(
        &self,
        group: usize,
        store: &EventStore,
    ) -> Vec<(ExtensionNumber, Vec<usize>)> {
        let rows = self.group(group).map(|group| group.rows.clone());
        self.rows_at(rows, store)
    }

    /// The rows of the lines in a range, those of a closed group too.
    pub(super) fn rows_in_range(&self, store: &EventStore) -> Vec<(ExtensionNumber, Vec<usize>)> {
        let Some(lines) = self.cursor.range() else { return Vec::new() };
        let (first, end) = (*lines.start(), lines.end() + 1);
        let groups = self.starts.iter().zip(self.starts.iter().skip(1)).enumerate();
        let in_range = groups.filter(|(_, (start, behind))| **start < end && first < **behind);
        let positions = in_range.filter_map(|(at, (start, _))| {
            let rows = self.group(at)?.rows.clone();
            if !self.is_open(at) {
                return Some(rows);
            }
            // The first line of a group is its own.
            let of_line = |line: usize| rows.start + line.saturating_sub(start + 1);
            Some(of_line(first)..of_line(end).min(rows.end))
        });
        self.rows_at(positions, store)
    }

    /// All rows shown, extension by extension.
    pub(super) fn all_rows(&self, store: &EventStore) -> Vec<(ExtensionNumber, Vec<usize>)> {
        self.rows_at(std::iter::once(0..self.arrangement.len()), store)
    }

    fn rows_at(
        &self,
        positions: impl IntoIterator<Item = Range<usize>>,
        store: &EventStore,
    ) -> Vec<(ExtensionNumber, Vec<usize>)> {
        let places = positions.into_iter().flat_map(|rows| self.arrangement.places(rows));
        self.arrangement.rows_of(store, places.copied())
    }

    /// One event of a group was marked or unmarked, and no other.
    pub(super) fn note_mark(&mut self, group: usize, on: bool, store: &EventStore) {
        if !self.filter.asks_standing() {
            self.arrangement.note_mark(group, on);
            // Unless there was more to count before it.
            self.counted += u64::from(self.counted + 1 == store.marks_version());
        }
    }

    /// What is visible of all extensions; none where the lines do not tell.
    pub(super) fn visible_of_all(&self, store: &EventStore) -> Option<Visible> {
        let tells = self.scope == Some(Scope::All)
            && self.counted == store.marks_version()
            && !self.stale
            && !self.gone;
        let (events, marked) = (self.arrangement.len(), self.arrangement.marked_shown());
        tells.then_some(Visible { events, marked })
    }

    /// Other extensions are shown than before.
    pub(super) fn shows_others(&mut self) {
        self.stale |= self.scope == Some(Scope::All);
    }

    /// Opens or closes the group under the cursor; `None` turns it around. False where there is
    /// nothing to close any more.
    pub(super) fn fold(&mut self, wanted: Option<bool>, store: &EventStore) -> bool {
        match self.current() {
            Some(Line::Group { group, open }) => {
                let Some(key) = self.key_of(group, store) else {
                    return true;
                };
                match (wanted.unwrap_or(!open), open) {
                    (true, _) => self.closed.remove(&key),
                    (false, true) => self.closed.insert(key),
                    (false, false) => return false,
                };
                self.shut.grow(group + 1);
                self.shut.set(group, !wanted.unwrap_or(!open));
                self.cursor.drop_range();
                self.lay_out();
                true
            }
            Some(Line::Event { group, .. }) if wanted == Some(false) => {
                self.cursor.at = self.starts.get(group).copied().unwrap_or(0);
                true
            }
            Some(Line::Odd(_)) | None if wanted == Some(false) => false,
            Some(Line::Event { .. } | Line::Odd(_)) | None => true,
        }
    }

    /// Moves the cursor.
    pub(super) fn go(&mut self, motion: Motion, height: usize) {
        let at = self.cursor.at;
        let group = match motion {
            Motion::NextGroup => self.starts.iter().copied().find(|start| *start > at),
            Motion::PreviousGroup => self.starts.iter().rev().copied().find(|start| *start < at),
            Motion::Down
            | Motion::Up
            | Motion::First
            | Motion::Last
            | Motion::PageDown
            | Motion::PageUp => {
                self.cursor.go(motion, self.len(), height);
                return;
            }
        };
        if let Some(line) = group.filter(|line| *line < self.len()) {
            self.cursor.at = line;
        }
        self.fit(height);
    }

    pub(super) fn fit(&mut self, height: usize) {
        self.cursor.fit(self.len(), height);
    }
}

/// Whose events are to be shown.
fn wanted(extensions: &Extensions) -> Option<Scope> {
    Some(match extensions.current_row()? {
        ExtensionRow::All => Scope::All,
        ExtensionRow::One(extension) => Scope::One(extension.number.clone()),
    })
}
