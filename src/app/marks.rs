//! Marking: what keys mark and unmark, always what is visible; how many marks a filter hides; and
//! what is still to be marked once it is listed. The marks themselves are the event store's.

mod by_expression;

use std::collections::HashSet;

use crate::change::Selection;
use crate::domain::{
    EventKey, EventType, Extension, ExtensionNumber, Fetched, Grouping, Listing, Meant, PassedOver,
    TakenBack, selecting,
};

use super::extensions::{ExtensionOrder, ExtensionRow};
use super::status::Tone;
use super::visible::Visible;
use super::{Browsed, Cursor, Dialog, Line, Model, Motion, Panel, count_of};
pub use by_expression::MarkPrompt;
use by_expression::{Marking, PassedIn};

/// What there is to know about marks beside the marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Extensions to mark as soon as they are listed.
    waiting: HashSet<ExtensionNumber>,
    /// The expression that marked last.
    marking: Option<Marking>,
    /// What the expressions before it passed over, as long as there are marks.
    passed_in: Vec<PassedIn>,
    /// There were marks while only events that have others like them were shown: an operator sees to
    /// duplicates.
    of_duplicates: bool,
    /// What the filters show of all extensions.
    visible: Visible,
    /// For which marks and events that holds; `None` where a filter changed since.
    counted: Option<Counted>,
    /// The command line that selects them, if there is one, and for which marks that holds.
    command: Option<(u64, Option<String>)>,
    cursor: Cursor,
}

impl Marks {
    pub(super) fn cursor(&self) -> Cursor {
        self.cursor
    }

    pub(super) fn cursor_mut(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    /// Whether more is to be marked by itself.
    pub(super) fn are_coming(&self) -> bool {
        !self.waiting.is_empty() || self.marking.as_ref().is_some_and(Marking::is_waiting)
    }

    /// An extension that is to be marked once it is listed.
    pub(super) fn awaited(&self) -> Option<&ExtensionNumber> {
        self.waiting.iter().next()
    }

    /// Whether the extension was to be marked once it is listed, or fails.
    pub(super) fn no_longer_awaits(&mut self, number: &ExtensionNumber) -> bool {
        self.waiting.remove(number)
    }

    /// Nothing is to be marked any more; true where something was.
    pub(super) fn await_none(&mut self) -> bool {
        !std::mem::take(&mut self.waiting).is_empty()
    }

    /// Whether they were seen among duplicates.
    pub(super) fn are_of_duplicates(&self) -> bool {
        self.of_duplicates
    }

    /// A filter is another one: what it hides is to be counted again.
    pub(super) fn forget_counts(&mut self) {
        self.counted = None;
    }
}

/// What the number of visible events depends on beside the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    marks: u64,
    events: usize,
    only_alike: bool,
}

/// One line of the Marked panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkedLine {
    /// An extension, followed by its marks.
    Extension(ExtensionNumber),
    /// A marked event, by its row in the extension's listing.
    Event(ExtensionNumber, usize),
    /// The command line that selects the same events.
    Command,
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
    /// A box for `marked` of `all` events.
    pub fn of(marked: usize, all: usize) -> Self {
        match marked {
            0 => Self::None,
            _ if marked < all => Self::Some,
            _ => Self::All,
        }
    }
}

/// What one extension adds to the counts that depend on marks and filters.
#[derive(Debug, Clone, Copy)]
struct Share {
    visible: Visible,
    meant: Meant,
    passed_over: PassedOver,
}

/// The rows of some extensions.
type Rows = Vec<(ExtensionNumber, Vec<usize>)>;

/// What is asked and shown.
impl Model {
    /// Marked events that a filter keeps off the screen.
    pub fn hidden_marks(&self) -> usize {
        self.store.marked().saturating_sub(self.marks.visible.marked)
    }

    /// What is visible of all extensions.
    pub fn visible(&self) -> Visible {
        self.marks.visible
    }

    /// Whether a marked row is kept off the screen by a filter.
    pub fn is_hidden(&self, listing: &Listing, row: usize) -> bool {
        let number = listing.extension();
        let sieve = self.events.sieve();
        let admits = || sieve.admits_row(&self.extension(number), row, &self.store);
        self.is_filtered() && (!self.extensions.shows(number) || !admits())
    }

    /// Whether a filter may hide marks. To group by duplicates leaves other events out as one does.
    pub(super) fn is_filtered(&self) -> bool {
        let typed = [self.events.filter(), self.extensions.filter()];
        typed.into_iter().any(|filter| !filter.is_empty()) || self.events.shows_alike()
    }

    /// What hides events, in words.
    pub(super) fn words_of_filters(&self) -> String {
        let typed = [self.extensions.filter(), self.events.filter()];
        let typed = typed.into_iter().filter(|filter| !filter.is_empty());
        let typed: Vec<String> = typed.map(|filter| format!("{:?}", filter.text())).collect();
        let filter = format!("the filter {}", typed.join(" and "));
        let words = match (typed.is_empty(), self.events.shows_alike()) {
            (true, _) => "grouping by duplicates".to_owned(),
            (false, true) => format!("{filter} and grouping by duplicates"),
            (false, false) => filter,
        };
        self.mask.text(&words)
    }

    /// The rows of an extension that the filters show, in order; `None` where they show all of them.
    pub(super) fn shown_rows(&self, number: &ExtensionNumber) -> Option<Vec<usize>> {
        if !self.extensions.shows(number) {
            return Some(Vec::new());
        }
        let sieve = self.events.sieve();
        let rows = || sieve.rows(&self.extension(number), &self.store).0;
        (!sieve.is_empty()).then(rows)
    }

    /// How many lines the Marked panel has.
    pub fn marked_lines(&self) -> usize {
        let rows = self.store.marked_extensions() + self.store.marked();
        rows + usize::from(rows > 0)
    }

    /// Lines of the Marked panel from this one on.
    pub fn marked_lines_from(&self, first: usize) -> impl Iterator<Item = MarkedLine> + '_ {
        let mut above = first;
        let lines = self.store.marked_each().flat_map(move |(number, marked)| {
            let skipped = above.min(marked + 1);
            above -= skipped;
            // Of an extension that is all above, no row is looked at.
            let left = marked + 1 - skipped;
            let rows = (left > 0).then(|| self.store.marked_rows_in(number)).into_iter().flatten();
            let rows = rows.skip(skipped.saturating_sub(1)).take(left);
            let head = (skipped == 0).then(|| MarkedLine::Extension(number.clone()));
            head.into_iter().chain(rows.map(|row| MarkedLine::Event(number.clone(), row)))
        });
        let command = (self.store.marked() > 0).then_some(MarkedLine::Command);
        let in_front = self.store.marked_extensions() + self.store.marked();
        lines.chain(command.filter(|_| first <= in_front))
    }

    /// The command line that selects the marked events, while Marked is in sight; in words where
    /// there is none.
    pub fn command_line(&self) -> Option<String> {
        let (written, command) = self.marks.command.as_ref()?;
        Some(match command {
            _ if *written != self.store.marks_version() => {
                "the command line is written again once the run has ended".to_owned()
            }
            Some(command) => self.mask.typed(command),
            None => "no command line selects exactly these events".to_owned(),
        })
    }

    /// Writes the command line anew where Marked is in sight and the marks are others; not for each
    /// event that a run takes, as all marks are looked at for it.
    pub(super) fn write_command(&mut self) {
        let version = self.store.marks_version();
        let written = self.marks.command.as_ref().is_some_and(|(at, _)| *at == version);
        let is_late = self.is_running() && self.marks.command.is_some();
        if written || is_late || self.layout.panel(Panel::Marked).is_none() {
            return;
        }
        let last = self.marks.marking.as_ref().map(Marking::expression);
        let extensions = self.extensions.found();
        let arguments = selecting(&self.store, extensions, last, &self.now.local);
        let session = self.facts.session.as_deref();
        let command = arguments.ok().zip(session);
        let command =
            command.map(|(arguments, session)| format!("callsweep delete {session} {arguments}"));
        self.marks.command = Some((version, command));
    }
}

/// Keys.
impl Model {
    /// Space: marks or unmarks what is under the cursor, then steps down; with a range, marks it.
    pub(super) fn toggle_mark(&mut self) {
        let has_range = self.cursor(self.focus).from.is_some();
        match self.focus.browsed() {
            Some(_) if has_range => {
                self.mark_range();
                return;
            }
            Some(Browsed::Extensions) => {
                let Some(extension) = self.extensions.current().cloned() else {
                    // Its marks stay in sight.
                    self.toggle_all();
                    return;
                };
                self.toggle_extension(&extension.number);
            }
            Some(Browsed::Events) => self.toggle_line(),
            None if self.focus == Panel::Marked => {
                self.unmark_marked_line();
                return;
            }
            None => {
                self.tell(
                    Tone::Plain,
                    "marks are set in Extensions (<extensions>) and Events (<events>)",
                );
                return;
            }
        }
        self.go(Motion::Down);
    }

    fn toggle_extension(&mut self, number: &ExtensionNumber) {
        if self.marks.waiting.remove(number) {
            self.notice(Tone::Plain, format!("{number} will not be marked"));
            return;
        }
        let rows = self.admitted_rows(number);
        if self.store.are_marked(number, &rows) {
            self.counting_one(number, |model| model.store.set_marks(number, rows, false));
        } else {
            self.counting_one(number, |model| model.mark_extension(number));
        }
    }

    /// The row of all extensions: every event that is loaded and visible.
    fn toggle_all(&mut self) {
        self.follow();
        let rows = self.events.all_rows(&self.store);
        let on = !self.all_are_marked(&rows);
        let changed = self.turn(&rows, on);
        let events = count_of(changed, "event");
        let mut text = format!("{events} {}", if on { "marked" } else { "unmarked" });
        let outside = self.extensions.found().len() - self.extensions.shown();
        if outside > 0 && on {
            let outside = count_of(outside, "extension");
            text =
                format!("{text}, whatever the filter says of them; {outside} outside it left out");
        }
        let missing =
            self.extensions.visible().filter(|it| self.store.listing(&it.number).is_none());
        let missing = missing.count();
        if missing > 0 && on {
            let extensions = count_of(missing, "extension");
            let reads = self.keyed("<mark-all> reads them and marks there too");
            text = format!("{text}; {extensions} not loaded: {reads}");
        }
        self.notice(Tone::Plain, text);
    }

    /// Marks the rows of the range.
    fn mark_range(&mut self) {
        let rows = if self.focus == Panel::Events {
            self.events.rows_in_range(&self.store)
        } else {
            let cursor = self.extensions.cursor();
            let rows = cursor.range().into_iter().flatten();
            let numbers: Vec<ExtensionNumber> = rows
                .filter_map(|row| match self.extensions.row(row)? {
                    ExtensionRow::One(extension) => Some(extension.number.clone()),
                    ExtensionRow::All => None,
                })
                .collect();
            for number in &numbers {
                if *self.loading.state(number) != Fetched::Ready(()) {
                    self.mark_extension(number);
                }
            }
            let admitted = |number: ExtensionNumber| {
                let rows = self.admitted_rows(&number);
                (number, rows)
            };
            numbers.into_iter().map(admitted).collect()
        };
        let changed = self.turn(&rows, true);
        self.notice(Tone::Plain, format!("{} marked", count_of(changed, "event")));
        self.drop_range();
    }

    /// Marks what the filter admits of an extension, or loads it first and marks then.
    pub(super) fn mark_extension(&mut self, number: &ExtensionNumber) {
        if *self.loading.state(number) == Fetched::Ready(()) {
            let rows = self.admitted_rows(number);
            let listed = self.store.listing(number).map_or(0, Listing::len);
            let left_out = listed - rows.len();
            self.store.set_marks(number, rows, true);
            self.tell_left_out(left_out);
        } else {
            self.marks.waiting.insert(number.clone());
            self.loading.demand(number);
            self.notice(
                Tone::Plain,
                format!("reading {number}; its events are marked once they are read"),
            );
        }
    }

    /// An extension was listed: marks there what was to be marked.
    pub(super) fn mark_as_awaited(&mut self, number: &ExtensionNumber) {
        if self.marks.waiting.remove(number) {
            self.mark_extension(number);
        }
        self.mark_where_listed(number);
    }

    fn toggle_line(&mut self) {
        match self.events.current() {
            Some(Line::Event { group, place }) => {
                let found = self.events.event(place, &self.store);
                let Some((number, row)) = found.map(|(it, row)| (it.extension().clone(), row))
                else {
                    return;
                };
                let Some(key) = self.store.listing(&number).and_then(|it| Some(it.row(row)?.key()))
                else {
                    return;
                };
                let on = !self.store.is_marked(&number, row);
                self.counting_each(&number, [(&key, &())].into_iter(), |model, _, ()| {
                    model.store.set_marks(&number, [row], on);
                    model.events.note_mark(group, on, &model.store);
                });
            }
            Some(Line::Group { group, .. }) => {
                let rows = self.events.rows_of(group, &self.store);
                let on = !self.all_are_marked(&rows);
                self.turn(&rows, on);
                let left_out = self.events.group(group).map(|it| it.listed - it.rows.len());
                self.tell_left_out(left_out.filter(|_| on).unwrap_or(0));
                if on && self.events.grouping() == Grouping::Duplicates {
                    let text = "marked with the one that stays; <mark-by-standing> duplicate marks only \
                                the others";
                    self.tell(Tone::Warning, text);
                }
            }
            Some(Line::Odd(odd)) => {
                let reason = self.odd_row(odd).map(|odd| odd.reason.clone()).unwrap_or_default();
                let text = format!("this row cannot be deleted from here: {reason}");
                self.notice(Tone::Warning, text);
            }
            None => {}
        }
    }

    /// `a`: the type under the cursor.
    pub(super) fn mark_type(&mut self) {
        let line = self.events.current().filter(|_| self.focus == Panel::Events);
        let Some(event_type) = line.and_then(|line| self.type_of(line)) else {
            let text = match line {
                Some(Line::Group { .. }) => {
                    "this group holds several types; <mark> marks all of it"
                }
                Some(Line::Event { .. } | Line::Odd(_)) | None => {
                    "<mark-type> marks the type under the cursor of Events (<events>)"
                }
            };
            self.tell(Tone::Plain, text);
            return;
        };
        let mut rows = self.events.all_rows(&self.store);
        for (number, rows) in &mut rows {
            let of_type = self.store.listing(number).map(|listing| listing.rows_of(event_type));
            rows.retain(|row| of_type.as_ref().is_some_and(|of_type| of_type.contains(row)));
        }
        let changed = self.turn(&rows, true);
        self.notice(Tone::Plain, format!("{} marked: {event_type}", count_of(changed, "event")));
        let listings = self.listings_in_scope();
        let listed: usize = listings.map(|listing| listing.rows_of(event_type).len()).sum();
        let shown: usize = rows.iter().map(|(_, rows)| rows.len()).sum();
        self.tell_left_out(listed.saturating_sub(shown));
    }

    /// The type of an event, or of the group of a type.
    fn type_of(&self, line: Line) -> Option<EventType> {
        match line {
            Line::Group { group, .. } => self.events.key_of(group, &self.store)?.event_type(),
            Line::Event { place, .. } => {
                let (listing, row) = self.events.event(place, &self.store)?;
                Some(listing.row(row)?.event_type())
            }
            Line::Odd(_) => None,
        }
    }

    /// The listings whose events the panel of events shows.
    fn listings_in_scope(&self) -> impl Iterator<Item = &Listing> {
        let one = self.events.extension();
        let all = self.extensions.visible().map(|extension| &extension.number);
        let all = all.filter(move |number| one.is_none_or(|one| one == *number));
        all.filter_map(|number| self.store.listing(number))
    }

    /// `A`: everything visible in the focused panel.
    pub(super) fn mark_all_visible(&mut self) {
        match self.focus.browsed() {
            Some(Browsed::Extensions) => {
                for number in self.visible_numbers() {
                    self.mark_extension(&number);
                }
                self.report_visible_marks();
            }
            Some(Browsed::Events) => {
                let rows = self.events.all_rows(&self.store);
                self.turn(&rows, true);
                let listed: usize = self.listings_in_scope().map(Listing::len).sum();
                let shown: usize = rows.iter().map(|(_, rows)| rows.len()).sum();
                self.tell_left_out(listed.saturating_sub(shown));
            }
            None => {
                let text = "<mark-all> marks all visible rows of Extensions (<extensions>) or Events \
                            (<events>)";
                self.tell(Tone::Plain, text);
            }
        }
    }

    fn report_visible_marks(&mut self) {
        let waiting = self.marks.waiting.len();
        let outside = self.extensions.found().len() - self.extensions.shown();
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
        let rows = match self.focus.browsed() {
            Some(Browsed::Events) => self.events.all_rows(&self.store),
            Some(Browsed::Extensions) => {
                let mut rows = Vec::new();
                for number in self.visible_numbers() {
                    if *self.loading.state(&number) == Fetched::Ready(()) {
                        rows.push((number.clone(), self.admitted_rows(&number)));
                    } else {
                        self.mark_extension(&number);
                    }
                }
                rows
            }
            None => {
                let text = "<invert> inverts the visible rows of Extensions (<extensions>) or Events \
                            (<events>)";
                self.tell(Tone::Plain, text);
                return;
            }
        };
        for (number, rows) in rows {
            self.store.invert_marks(&number, rows);
        }
    }

    /// `U`.
    pub(super) fn unmark_all(&mut self) {
        self.marks.waiting.clear();
        let gave_up = self.give_up_marking("by <unmark-all>");
        self.marks.marking = None;
        let text = match self.store.unmark_all() {
            0 => "nothing was marked".to_owned(),
            count => {
                let back = self.keyed("<take-back> takes that back");
                format!("{} cleared; {back}", count_of(count, "mark"))
            }
        };
        let more = if gave_up { "; nothing more is loaded to be marked" } else { "" };
        self.notice(Tone::Plain, format!("{text}{more}"));
    }

    /// `u`: takes back the last change of marks.
    pub(super) fn take_back(&mut self) {
        self.marks.waiting.clear();
        self.give_up_marking("by <take-back>");
        let Some(TakenBack { set, cleared, left }) = self.store.take_back() else {
            self.notice(Tone::Plain, "there is no change of marks to take back");
            return;
        };
        let counts = [(set, "marked again"), (cleared, "unmarked again")];
        let mut parts: Vec<String> = Vec::new();
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            parts.push(format!("{} {what}", count_of(count, "event")));
        }
        if left > 0 {
            let extensions = count_of(left, "extension");
            let their = if left == 1 { "its" } else { "their" };
            parts.push(format!("{extensions} changed since: {their} marks stay as they are"));
        }
        let tone = if left > 0 { Tone::Warning } else { Tone::Plain };
        self.notice(tone, parts.join(", "));
    }

    fn unmark_marked_line(&mut self) {
        let line = self.marked_lines_from(self.marks.cursor.at).next();
        match line {
            Some(MarkedLine::Event(number, row)) => {
                self.store.set_marks(&number, [row], false);
            }
            Some(MarkedLine::Extension(number)) => {
                let rows = 0..self.store.listing(&number).map_or(0, Listing::len);
                self.store.set_marks(&number, rows, false);
            }
            Some(MarkedLine::Command) => {
                self.tell(Tone::Plain, "<copy> copies this command line");
            }
            None => {}
        }
        self.fit_cursors();
    }

    fn visible_numbers(&self) -> Vec<ExtensionNumber> {
        self.extensions.visible().map(|extension| extension.number.clone()).collect()
    }

    /// Rows of an extension that the event filter admits.
    fn admitted_rows(&self, number: &ExtensionNumber) -> Vec<usize> {
        self.events.sieve().rows(&self.extension(number), &self.store).0
    }

    fn all_are_marked(&self, rows: &Rows) -> bool {
        !rows.is_empty() && rows.iter().all(|(number, rows)| self.store.are_marked(number, rows))
    }

    fn turn(&mut self, rows: &Rows, on: bool) -> usize {
        let each = rows.iter();
        each.map(|(number, rows)| self.store.set_marks(number, rows.iter().copied(), on)).sum()
    }

    /// Says in words what a filter kept from being marked.
    fn tell_left_out(&mut self, left_out: usize) {
        let filter = self.events.filter();
        if left_out > 0 && !filter.is_empty() {
            let filter = filter.text();
            let text = format!(
                "{left_out} more are outside the filter {filter:?} and not marked: Esc in Events \
                 clears it"
            );
            self.notice(Tone::Warning, text);
        } else if left_out > 0 && self.events.shows_alike() {
            let text = format!(
                "{left_out} more have no duplicates and are not marked: <group> in Events shows them"
            );
            self.tell(Tone::Warning, &text);
        }
    }

    /// What `d`, `x` and `e` are about when nothing is marked: the event under the cursor, and nothing more.
    ///
    /// # Errors
    /// Says how to mark what is under the cursor, where that is no event.
    pub(super) fn event_under_cursor(&self) -> Result<Selection, String> {
        let marks = |count: usize| match count {
            0 => Err("nothing is marked, and there is no event here".to_owned()),
            1 => Err(self.keyed("nothing is marked: <mark> marks this event")),
            _ => Err(self.keyed(&format!("nothing is marked: <mark> marks these {count} events"))),
        };
        match self.focus.browsed() {
            Some(Browsed::Extensions) => match self.extensions.current_row() {
                None => Err("nothing is marked, and there is nothing under the cursor".to_owned()),
                Some(ExtensionRow::All) => marks(self.marks.visible.events),
                Some(ExtensionRow::One(Extension { number, .. })) => {
                    if self.store.listing(number).is_some() {
                        marks(self.admitted_rows(number).len())
                    } else {
                        let marks = self.keyed("nothing is marked: <mark> marks the events of");
                        Err(format!("{marks} {number}"))
                    }
                }
            },
            Some(Browsed::Events) => match self.events.current() {
                Some(Line::Event { place, .. }) => {
                    let found = self.events.event(place, &self.store);
                    let selection = found.map(|(listing, row)| Selection::of_rows(listing, [row]));
                    selection.ok_or_else(|| "this event is being read again".to_owned())
                }
                Some(Line::Group { group, .. }) => {
                    marks(self.events.group(group).map_or(0, |group| group.rows.len()))
                }
                Some(Line::Odd(_)) => {
                    Err("this row cannot be deleted or changed from here".to_owned())
                }
                None if !self.events.filter().is_empty() => {
                    Err("the filter hides every event here; Esc clears it".to_owned())
                }
                None => Err("nothing is marked, and there is no event here".to_owned()),
            },
            None => {
                let marks = "nothing is marked: <mark> marks in Extensions (<extensions>) and Events \
                             (<events>)";
                Err(self.keyed(marks))
            }
        }
    }
}

/// Counts.
impl Model {
    /// Counts again what depends on marks and filters, if they changed since.
    pub(super) fn count_again(&mut self) {
        if self.store.marked() == 0 {
            self.marks.passed_in.clear();
            self.marks.of_duplicates = false;
        } else {
            self.marks.of_duplicates |= self.events.shows_alike();
        }
        if self.marks.counted == Some(self.counted_now()) {
            return;
        }
        let by_marks = self.extensions.order() == ExtensionOrder::Marks;
        let of_marks = self.extensions.filter().asks_standing();
        if by_marks || of_marks {
            self.extensions.judge_again(&self.store);
            self.events.shows_others();
        }
        self.marks.visible = self.count_visible();
        self.marks.counted = Some(self.counted_now());
        self.count_meant();
        self.reckon_repoint();
    }

    fn counted_now(&self) -> Counted {
        let (marks, events) = (self.store.marks_version(), self.store.len());
        Counted { marks, events, only_alike: self.events.shows_alike() }
    }

    fn count_visible(&self) -> Visible {
        if !self.is_filtered() {
            return Visible { events: self.store.len(), marked: self.store.marked() };
        }
        if let Some(visible) = self.events.visible_of_all(&self.store) {
            return visible;
        }
        let (sieve, mut visible) = (self.events.sieve(), Visible::default());
        for extension in self.extensions.visible() {
            visible += Visible::of(extension, &sieve, &self.store);
        }
        visible
    }

    /// What is visible of one extension.
    fn visible_in(&self, number: &ExtensionNumber) -> Visible {
        self.visible_if(number, self.extensions.shows(number))
    }

    /// The same where the extension is shown, or is not.
    fn visible_if(&self, number: &ExtensionNumber, shown: bool) -> Visible {
        if shown {
            Visible::of(&self.extension(number), &self.events.sieve(), &self.store)
        } else {
            Visible::default()
        }
    }

    /// Whether an extension was found and is listed.
    fn is_listed(&self, number: &ExtensionNumber) -> bool {
        self.extensions.find(number).is_some() && self.store.listing(number).is_some()
    }

    /// Counts again how many are, as others were found.
    pub(super) fn count_loaded(&mut self) {
        let found = self.extensions.found().iter();
        self.loaded = found.filter(|it| self.store.listing(&it.number).is_some()).count();
    }

    /// What one extension adds to the counts.
    fn share_of(&self, number: &ExtensionNumber) -> Share {
        Share {
            visible: self.visible_in(number),
            meant: self.meant_in(number),
            passed_over: self.extensions.judge(number, &self.store),
        }
    }

    /// Changes events of one extension, and counts again what each of them changes. Only where a
    /// filter asks how an event stands to others, or a line of `T` is open, all of the extension is
    /// looked at.
    pub(super) fn counting_each<'a, W: 'a>(
        &mut self,
        number: &ExtensionNumber,
        events: impl Iterator<Item = (&'a EventKey, &'a W)>,
        mut change: impl FnMut(&mut Self, &EventKey, &W),
    ) {
        let asks_others = self.events.sieve().asks_standing()
            || self.extensions.filter().asks_standing()
            || matches!(self.dialog, Some(Dialog::Marking(_)));
        if asks_others {
            self.counting_one(number, |model| {
                events.for_each(|(key, what)| change(model, key, what));
            });
            return;
        }
        for (key, what) in events {
            let was_counted = self.marks.counted == Some(self.counted_now());
            let shown = self.extensions.shows(number);
            let passed_over = self.extensions.judge(number, &self.store);
            let before = self.visible_of(key, shown);
            change(self, key, what);
            self.marks.visible += self.visible_of(key, shown);
            self.marks.visible -= before;
            self.extensions.judge_one_again(number, passed_over, &self.store);
            // The last event went that the extension was shown for: the others go with it.
            if self.extensions.shows(number) != shown {
                self.marks.visible += self.visible_if(number, !shown);
                self.marks.visible -= self.visible_if(number, shown);
            }
            if was_counted {
                self.marks.counted = Some(self.counted_now());
            }
        }
    }

    /// What one event adds to what is visible, where its extension is shown or is not.
    fn visible_of(&self, key: &EventKey, shown: bool) -> Visible {
        let number = &key.extension;
        let row = self.store.listing(number).and_then(|listing| listing.find(key));
        let sieve = self.events.sieve();
        let admits = |row: &usize| {
            sieve.is_empty() || sieve.admits_row(&self.extension(number), *row, &self.store)
        };
        let row = row.filter(|_| shown).filter(admits);
        row.map_or_else(Visible::default, |row| {
            let marked = usize::from(self.store.is_marked(number, row));
            Visible { events: 1, marked }
        })
    }

    /// Changes what is listed or marked of one extension, and counts again what that changes: with
    /// many extensions coming in there is no time to count them all for each.
    pub(super) fn counting_one<T>(
        &mut self,
        number: &ExtensionNumber,
        change: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let was_counted = self.marks.counted == Some(self.counted_now());
        let before = self.share_of(number);
        let is_first = self.store.listing(number).is_none();
        let changed = change(self);
        let is_loaded = self.is_listed(number);
        self.loaded += usize::from(is_first && is_loaded);
        self.extensions.judge_one_again(number, before.passed_over, &self.store);
        let now = self.share_of(number);
        self.marks.visible += now.visible;
        self.marks.visible -= before.visible;
        if let Some(Dialog::Marking(prompt)) = &mut self.dialog {
            prompt.count_one_again(before.meant, now.meant);
        }
        if was_counted {
            self.marks.counted = Some(self.counted_now());
        }
        changed
    }
}
