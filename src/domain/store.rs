//! The events that were listed, held so that a million of them fit, and the marks on them.
//!
//! A [`Listing`] is one extension's events as one answer described them; it never changes but for
//! events that were deleted. The [`EventStore`] holds one listing for each extension together with
//! the marks on it, so that a mark can never point at another row than the one it was set on, and
//! why calls about events failed.

mod alike;
mod arrangement;
mod distinct;
mod ending;
mod faults;
mod history;
mod judging;
mod listing;
#[cfg(test)]
pub(crate) mod looked;
mod marked;
mod numbers;
mod removed;
mod sorting;
mod strings;
mod text;

use std::collections::{BTreeMap, HashMap};

use fixedbitset::FixedBitSet;
use jiff::tz::TimeZone;

use alike::Alike;
pub use arrangement::{Arrangement, EventGroup, EventOrder, GroupKey, Grouping, Place};
pub use ending::ListEnd;
pub use history::TakenBack;
use history::{History, Turned};
use judging::{Judged, Known};
pub use listing::{EventView, Listing, ListingBuilder, OddRow, RawEvent};
use marked::Marked;
use removed::Removed;
use strings::Strings;
pub use text::RowText;

use super::{
    EventKey, Expression, Extension, ExtensionNumber, Failure, PassedOver, PhoneCallEvent, Verdict,
};

/// All listings and all marks.
#[derive(Debug, Default)]
pub struct EventStore {
    /// Boxed, as the map leaves nearly half of its room empty.
    shelves: BTreeMap<ExtensionNumber, Box<Shelf>>,
    strings: Strings,
    events: usize,
    marked: Marked,
    failures: HashMap<ExtensionNumber, Failures>,
    /// Listings that came in so far.
    came_in: u64,
    /// Counts up with every change of a mark.
    marks_version: u64,
    history: History,
}

type Failures = HashMap<EventKey, Failure>;

#[derive(Debug)]
struct Shelf {
    listing: Listing,
    /// How many listings had come in when this one did: no two are equal.
    edition: u64,
    /// The rows that left the listing since then.
    removed: Removed,
    marks: FixedBitSet,
    /// Marked events that the newest listing describes otherwise than when they were marked.
    as_marked: BTreeMap<EventKey, PhoneCallEvent>,
}

/// What a newer listing did to the marks of its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replaced {
    /// Marked events that are no longer listed; their marks went with them.
    pub vanished: usize,
    /// Marked events that are listed with another content than when they were marked.
    pub changed: usize,
    /// The listing says something else than the one before, or is the first one.
    pub is_news: bool,
}

/// What an expression means among the events that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meant {
    /// Events that it means.
    pub events: usize,
    /// How many of them are marked.
    pub marked: usize,
    /// Extensions that have such events.
    pub extensions: usize,
    /// Events that it can say nothing about.
    pub passed_over: PassedOver,
}

impl EventStore {
    /// Puts a listing in the place of the extension's former one. Marks stay on their events. The
    /// texts of its rows stay where there are marks: only what is marked goes into a run file.
    pub fn insert(&mut self, listing: Listing) -> Replaced {
        self.put(listing, false)
    }

    /// Takes a listing whose events will be marked: it keeps the text of each row.
    pub fn insert_whole(&mut self, listing: Listing) -> Replaced {
        self.put(listing, true)
    }

    fn put(&mut self, mut listing: Listing, whole: bool) -> Replaced {
        listing.share_strings(&mut self.strings);
        let number = listing.extension().clone();
        self.came_in += 1;
        let mut shelf = Box::new(Shelf {
            marks: FixedBitSet::with_capacity(listing.len()),
            listing,
            edition: self.came_in,
            removed: Removed::default(),
            as_marked: BTreeMap::new(),
        });
        let mut replaced = Replaced { is_news: true, ..Replaced::default() };
        if let Some(old) = self.shelves.remove(&number) {
            self.events -= old.listing.len();
            replaced = shelf.take_over(&old);
            replaced.is_news = !shelf.listing.says_the_same(&old.listing);
            if old.listing.has_the_rows_of(&shelf.listing) {
                // What was noted down of the rows still holds.
                (shelf.edition, shelf.removed) = (old.edition, old.removed);
            } else if self.history.knows(&number) {
                let rows = shelf.listing.rows_by_key();
                self.history.renumber(&number, shelf.edition, |numbered| {
                    let row = old.removed.row_now(numbered)?;
                    rows.get(&old.listing.row(row)?.name()).copied()
                });
            }
        }
        self.events += shelf.listing.len();
        let marks = shelf.marks.count_ones(..);
        let marked_before = self.marked.set(&number, marks);
        self.marks_version += u64::from(marked_before > 0);
        if whole || marks > 0 {
            shelf.listing.keep_texts();
        } else {
            shelf.listing.forget_texts();
        }
        self.shelves.insert(number, shelf);
        replaced
    }

    /// The newest listing of an extension.
    pub fn listing(&self, extension: &ExtensionNumber) -> Option<&Listing> {
        self.shelves.get(extension).map(|shelf| &shelf.listing)
    }

    /// The rows of some events of one extension, where they are listed.
    pub fn rows_of(&self, extension: &ExtensionNumber, keys: &[&EventKey]) -> Vec<usize> {
        let Some(listing) = self.listing(extension) else { return Vec::new() };
        let rows = listing.rows_by_key();
        let row = |key: &&EventKey| rows.get(&(key.event_type, key.id.as_str())).copied();
        keys.iter().filter_map(row).collect()
    }

    /// Events in all listings.
    pub fn len(&self) -> usize {
        self.events
    }

    /// True when no event is listed.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Takes a deleted event, and its mark, out of its listing. False when it was not there.
    pub fn remove(&mut self, key: &EventKey) -> bool {
        let Some(shelf) = self.shelves.get_mut(&key.extension) else {
            return false;
        };
        let Some(row) = shelf.listing.find(key) else {
            return false;
        };
        shelf.listing.remove(row);
        shelf.removed.add(row);
        self.events -= 1;
        if shelf.marks.contains(row) {
            self.marked.set(&key.extension, shelf.marks.count_ones(..).saturating_sub(1));
            self.marks_version += 1;
        }
        shelf.as_marked.remove(key);
        close_up(&mut shelf.marks, row);
        true
    }

    /// Lets go of the listings of other extensions than these; returns how many marks went along.
    pub fn retain(&mut self, keep: impl Fn(&ExtensionNumber) -> bool) -> usize {
        let Self { shelves, marked, events, .. } = self;
        let mut gone = 0;
        shelves.retain(|number, shelf| {
            let stays = keep(number);
            if !stays {
                *events -= shelf.listing.len();
                gone += marked.set(number, 0);
            }
            stays
        });
        self.marks_version += u64::from(gone > 0);
        gone
    }

    /// Marks or unmarks rows of one extension's listing; returns how many changed.
    pub fn set_marks(
        &mut self,
        extension: &ExtensionNumber,
        rows: impl IntoIterator<Item = usize>,
        on: bool,
    ) -> usize {
        let Some(shelf) = self.shelves.get_mut(extension) else {
            return 0;
        };
        let length = shelf.listing.len();
        let mut turned = FixedBitSet::with_capacity(length);
        rows.into_iter().filter(|row| *row < length).for_each(|row| turned.insert(row));
        if on {
            turned.difference_with(&shelf.marks);
        } else {
            turned.intersect_with(&shelf.marks);
        }
        shelf.marks.symmetric_difference_with(&turned);
        let changed = turned.count_ones(..);
        if changed > 0 {
            self.marks_version += 1;
            let (edition, rows) = (shelf.edition, shelf.removed.numbers_of(turned));
            self.history.add(Turned { extension: extension.clone(), edition, rows });
        }
        let left = shelf.marks.count_ones(..);
        self.marked.set(extension, left);
        if !on {
            let Shelf { listing, marks, as_marked, .. } = &mut **shelf;
            as_marked.retain(|key, _| listing.find(key).is_some_and(|row| marks.contains(row)));
        }
        if left == 0 {
            shelf.listing.forget_texts();
        }
        changed
    }

    /// The rows of an extension's listing that an expression means, or can say nothing about.
    pub fn judged(
        &self,
        expression: &Expression,
        extension: &Extension,
    ) -> impl Iterator<Item = (usize, Verdict)> + use<> {
        let shelf = self.shelves.get(&extension.number);
        let judged = shelf.map(|shelf| self.judged_on(shelf, expression, extension));
        judged.unwrap_or_default().rows()
    }

    fn judged_on(&self, shelf: &Shelf, expression: &Expression, extension: &Extension) -> Judged {
        let asks = expression.asks_standing();
        let failures = asks.then(|| self.failures.get(&extension.number)).flatten();
        let known = Known { marks: Some(&shelf.marks), failures, strings: Some(&self.strings) };
        Judged::of(&shelf.listing, expression, extension, known)
    }

    /// Keeps why the last call for an event failed.
    pub fn note_failure(&mut self, key: EventKey, failure: Failure) {
        self.failures.entry(key.extension.clone()).or_default().insert(key, failure);
    }

    /// Forgets the failure of an event.
    pub fn forget_failure(&mut self, key: &EventKey) {
        if let Some(failures) = self.failures.get_mut(&key.extension) {
            failures.remove(key);
        }
    }

    /// Why the last call about an event failed.
    pub fn failure_of(&self, key: &EventKey) -> Option<&Failure> {
        self.failures.get(&key.extension)?.get(key)
    }

    /// Whether calls about events of an extension failed.
    pub fn has_failures_in(&self, extension: &ExtensionNumber) -> bool {
        self.failures.get(extension).is_some_and(|failures| !failures.is_empty())
    }

    /// What an expression means of these extensions, as far as they are listed.
    pub fn meant(&self, expression: &Expression, extensions: &[Extension]) -> Meant {
        let mut meant = Meant::default();
        for extension in extensions {
            let Some(shelf) = self.shelves.get(&extension.number) else { continue };
            let judged = self.judged_on(shelf, expression, extension);
            let before = meant.events;
            for row in judged.meant() {
                meant.events += 1;
                meant.marked += usize::from(shelf.marks.contains(row));
            }
            meant.passed_over += judged.passed_over();
            meant.extensions += usize::from(meant.events > before);
        }
        meant
    }

    /// Marks or unmarks what an expression means of one extension; returns how many changed.
    pub fn set_marks_where(
        &mut self,
        expression: &Expression,
        extension: &Extension,
        on: bool,
    ) -> usize {
        let Some(shelf) = self.shelves.get(&extension.number) else { return 0 };
        let judged = self.judged_on(shelf, expression, extension);
        self.set_marks(&extension.number, judged.meant(), on)
    }

    /// How many sets of duplicates of one extension have no event beside these.
    pub fn sets_within(
        &self,
        extension: &ExtensionNumber,
        rows: &[usize],
        zone: &TimeZone,
    ) -> usize {
        let listing = self.listing(extension).filter(|_| rows.len() > 1);
        listing.map_or(0, |listing| Alike::of(listing, zone).sets_within(rows))
    }

    /// Clears all marks; returns their number.
    pub fn unmark_all(&mut self) -> usize {
        for (extension, shelf) in &mut self.shelves {
            let marks = std::mem::take(&mut shelf.marks);
            let (edition, rows) = (shelf.edition, shelf.removed.numbers_of(marks));
            self.history.add(Turned { extension: extension.clone(), edition, rows });
            shelf.as_marked.clear();
            shelf.listing.forget_texts();
        }
        self.marks_version += 1;
        std::mem::take(&mut self.marked).all()
    }

    /// Begins a change of marks that can be taken back by itself.
    pub fn begin_change(&mut self) {
        self.history.begin();
    }

    /// Reverses the newest change of marks; `None` where there is none.
    pub fn take_back(&mut self) -> Option<TakenBack> {
        let change = self.history.pop()?;
        self.history.begin();
        let mut taken = TakenBack::default();
        for Turned { extension, edition, rows } in change.into_iter().rev() {
            let shelf = self.shelves.get(&extension).filter(|shelf| shelf.edition == edition);
            let Some(shelf) = shelf else {
                taken.left += 1;
                continue;
            };
            let rows = rows.ones();
            let (on, off): (Vec<usize>, Vec<usize>) = rows
                .filter_map(|number| shelf.removed.row_now(number))
                .partition(|row| shelf.marks.contains(*row));
            taken.cleared += self.set_marks(&extension, on, false);
            taken.set += self.set_marks(&extension, off, true);
        }
        // Taking back is no change that could be taken back.
        self.history.forget_newest();
        Some(taken)
    }

    /// Changes whenever a mark does.
    pub fn marks_version(&self) -> u64 {
        self.marks_version
    }

    /// Whether all of these rows of an extension's listing are marked, and there are any.
    pub fn are_marked(&self, extension: &ExtensionNumber, rows: &[usize]) -> bool {
        let marks = self.shelves.get(extension).map(|shelf| &shelf.marks);
        let all = |marks: &FixedBitSet| rows.iter().all(|row| marks.contains(*row));
        !rows.is_empty() && marks.is_some_and(all)
    }

    /// Turns the marks of these rows of an extension's listing around.
    pub fn invert_marks(&mut self, extension: &ExtensionNumber, rows: Vec<usize>) {
        let Some(shelf) = self.shelves.get(extension) else { return };
        let (on, off): (Vec<usize>, Vec<usize>) =
            rows.into_iter().partition(|row| shelf.marks.contains(*row));
        self.set_marks(extension, on, false);
        self.set_marks(extension, off, true);
    }

    /// Whether a row of an extension's listing is marked.
    pub fn is_marked(&self, extension: &ExtensionNumber, row: usize) -> bool {
        self.shelves.get(extension).is_some_and(|shelf| shelf.marks.contains(row))
    }

    /// Marked events of one extension.
    pub fn marked_in(&self, extension: &ExtensionNumber) -> usize {
        self.marked.of(extension)
    }

    /// Marked events of all extensions.
    pub fn marked(&self) -> usize {
        self.marked.all()
    }

    /// Extensions with a mark.
    pub fn marked_extensions(&self) -> usize {
        self.marked.each().len()
    }

    /// Every extension with a mark in the order of their numbers, and how many it has.
    pub fn marked_each(&self) -> impl Iterator<Item = (&ExtensionNumber, usize)> {
        self.marked.each()
    }

    /// The extensions with an event of this URL, and how many each has.
    pub fn with_url<'a>(
        &'a self,
        url: &'a str,
    ) -> impl Iterator<Item = (&'a ExtensionNumber, usize)> + 'a {
        let listings = self.shelves.iter().map(|(number, shelf)| (number, &shelf.listing));
        let counts = listings.map(move |(number, listing)| (number, listing.count_of_url(url)));
        counts.filter(|(_, count)| *count > 0)
    }

    /// Every marked row with its listing, in the order of extension numbers and of each listing.
    pub fn marked_rows(&self) -> impl Iterator<Item = (&Listing, usize)> {
        self.marked_listings().flat_map(|(listing, rows)| rows.map(move |row| (listing, row)))
    }

    /// The marked rows of one extension's listing.
    pub fn marked_rows_in(&self, extension: &ExtensionNumber) -> impl Iterator<Item = usize> + '_ {
        self.shelves.get(extension).into_iter().flat_map(|shelf| shelf.marks.ones())
    }

    /// Every listing that has marks, with its marked rows, in the order of extension numbers.
    pub fn marked_listings(
        &self,
    ) -> impl Iterator<Item = (&Listing, impl Iterator<Item = usize> + '_)> {
        let shelves = self.marked.each().filter_map(|(number, _)| self.shelves.get(number));
        shelves.map(|shelf| (&shelf.listing, shelf.marks.ones()))
    }

    /// The event as it stood when it was marked, where the newest listing describes it otherwise.
    pub fn as_marked(&self, key: &EventKey) -> Option<&PhoneCallEvent> {
        self.shelves.get(&key.extension)?.as_marked.get(key)
    }
}

/// Takes one bit out; those behind it move up.
fn close_up(bits: &mut FixedBitSet, at: usize) {
    let bits_of_block = usize::BITS.try_into().unwrap_or(usize::MAX);
    let (first, in_front) = (at / bits_of_block, (1_usize << (at % bits_of_block)) - 1);
    let mut next = 0;
    for (place, block) in bits.as_mut_slice().iter_mut().enumerate().skip(first).rev() {
        let stays = if place == first { in_front } else { 0 };
        let moved = (*block >> 1 | next << (bits_of_block - 1)) & !stays;
        next = *block & 1;
        *block = *block & stays | moved;
    }
}

impl Shelf {
    /// How many rows its listing came in with.
    fn width(&self) -> usize {
        self.listing.len() + self.removed.len()
    }

    fn take_over(&mut self, old: &Shelf) -> Replaced {
        let mut replaced = Replaced::default();
        for row in old.marks.ones() {
            let Some(event) = old.listing.row(row).map(|view| view.to_event()) else {
                continue;
            };
            let Some(now) = self.listing.find(&event.key) else {
                replaced.vanished += 1;
                continue;
            };
            self.marks.insert(now);
            let event = old.as_marked.get(&event.key).cloned().unwrap_or(event);
            if self.listing.row(now).is_some_and(|view| view.to_event() != event) {
                replaced.changed += 1;
                self.as_marked.insert(event.key.clone(), event);
            }
        }
        replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventId, EventType, Foreign, Method, Modified, Standing, Status};

    fn number(text: &str) -> ExtensionNumber {
        ExtensionNumber::parse(text).unwrap()
    }

    fn raw<'a>(event_type: &'a str, id: &'a str) -> RawEvent<'a> {
        RawEvent {
            event_type,
            id,
            method: "1",
            url: "https://crm.acme.test/in",
            note: "CRM",
            status: "1",
            modified: "2024-05-01T10:00:00Z",
        }
    }

    fn key(extension: &str, event_type: u16, id: &str) -> EventKey {
        EventKey {
            extension: number(extension),
            event_type: EventType::from_number(event_type),
            id: EventId::parse(id).unwrap(),
        }
    }

    fn listing(extension: &str, events: &[RawEvent<'_>]) -> Listing {
        let mut builder = ListingBuilder::new(number(extension));
        for event in events {
            builder.push(*event);
        }
        builder.finish(true)
    }

    fn marked_ids(store: &EventStore) -> Vec<String> {
        store
            .marked_rows()
            .map(|(listing, row)| listing.row(row).unwrap().id().to_owned())
            .collect()
    }

    #[test]
    fn an_event_comes_back_from_a_listing_as_the_service_wrote_it() {
        let odd = RawEvent {
            method: "2",
            status: "paused",
            modified: "once",
            note: "",
            ..raw("9", "odd")
        };
        let listing = listing("1", &[raw("0", "a"), odd]);
        assert_eq!(
            listing.row(0).unwrap().to_event(),
            PhoneCallEvent {
                key: key("1", 0, "a"),
                method: Method::Post,
                url: Foreign::from("https://crm.acme.test/in"),
                note: Foreign::from("CRM"),
                status: Status::Enabled,
                modified: Modified::parse("2024-05-01T10:00:00Z"),
                text: None,
            }
        );
        let back = listing.row(1).unwrap();
        assert_eq!(back.event_type(), EventType::Unknown(9));
        assert_eq!(back.method(), Method::Other(Foreign::from("2")));
        assert_eq!(back.status(), Status::Other(Foreign::from("paused")));
        assert_eq!(back.modified().written(), "once");
    }

    #[test]
    fn a_row_that_no_path_can_name_is_kept_beside_the_others() {
        let rows = [raw("0", "../1"), raw("0", ""), raw("x", "a"), raw("007", "b"), raw("0", "ok")];
        let listing = listing("1", &rows);
        assert_eq!((listing.len(), listing.odd().len()), (1, 4));
        assert!(listing.odd()[0].text.raw().contains("../1"));
        assert_eq!(listing.odd()[0].event_type, Some(EventType::DialIn));
    }

    /// A listing of rows of type 0 with these ids and texts.
    fn texts(rows: &[(&str, &str)], end: ListEnd) -> Listing {
        let mut builder = ListingBuilder::new(number("1"));
        for (id, text) in rows {
            builder.push_with_text(raw("0", id), text.as_bytes());
        }
        builder.finish(end)
    }

    #[test]
    fn a_list_is_complete_only_where_its_end_and_every_row_are() {
        use ListEnd::{Large, Limit, Moved, Same, Short, Untold};

        let rows = [("a", "{a}"), ("b", "{b}")];
        let all = |end| texts(&rows, end);
        assert!(all(ListEnd::Seen).is_complete() && all(ListEnd::Seen).is_complete_for_wide());
        assert!(all(ListEnd::Told).is_complete() && !all(ListEnd::Told).is_complete_for_wide());
        assert_eq!(all(ListEnd::Told).why_incomplete(), None);
        for end in [Untold, Moved, Short, Same, Limit, Large] {
            assert!(!all(end).is_complete() && !all(end).is_complete_for_wide(), "{end:?}");
            assert_eq!(all(end).why_incomplete().as_deref(), end.why_not_whole());
        }
    }

    #[test]
    fn rows_with_one_key_are_never_a_complete_list() {
        let twice = texts(&[("a", "{a}"), ("b", "{b}"), ("a", "{a}")], ListEnd::Seen);
        assert_eq!((twice.len(), twice.odd_rows(), twice.is_complete()), (2, 0, false));
        assert_eq!(twice.why_incomplete().unwrap(), "1 row is listed twice: 0/a");

        let rows = [("a", "{a}"), ("b", "{b}"), ("a", "{ a}"), ("a", "{a}")];
        let disputed = texts(&rows, ListEnd::Seen);
        assert_eq!((disputed.len(), disputed.odd_rows()), (1, 2));
        assert!(!disputed.is_complete() && !disputed.is_complete_for_wide());
        let why = disputed.why_incomplete().unwrap();
        assert!(
            why == "1 event is listed twice with different contents: 0/a; 1 row is listed twice: 0/a",
            "{why}"
        );
        assert_eq!(disputed.find(&key("1", 0, "a")), None);
        assert!(disputed.lists(&key("1", 0, "a")) && disputed.lists(&key("1", 0, "b")));
        assert!(!disputed.lists(&key("1", 1, "a")) && !disputed.lists(&key("2", 0, "a")));
        let shown: Vec<_> = disputed.odd().iter().map(|odd| odd.text.raw()).collect();
        assert_eq!(shown, ["{a}", "{ a}"]);
    }

    #[test]
    fn what_cannot_be_used_or_read_is_counted_and_said() {
        let mut builder = ListingBuilder::new(number("1"));
        builder.push(raw("0", "a"));
        builder.last_is_unreadable();
        (0..1_500).for_each(|_| builder.push_odd(None, "0".repeat(5_000), "it is not an object"));
        assert_eq!(builder.len(), 1_501);
        let listing = builder.finish(ListEnd::Seen);
        assert_eq!((listing.odd().len(), listing.odd_rows()), (1_000, 1_500));
        assert_eq!(listing.odd()[0].text.raw().len(), 2_000);
        assert_eq!(
            listing.why_incomplete().unwrap(),
            "1500 rows cannot be used; 1 row holds bytes that are no text: 0/a"
        );
    }

    #[test]
    fn of_events_that_are_alike_one_stays_and_the_others_are_duplicates() {
        let extension = Extension::of(number("1"));
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(zone);
        let read = |text| Expression::parse(text, &now, &Standing::ALL).unwrap();
        let event = |id, status, modified| RawEvent { id, status, modified, ..raw("0", id) };
        let other_url = RawEvent { url: "https://crm.acme.test/IN", ..event("u", "0", "") };
        let other_method = RawEvent { method: "0", ..event("m", "0", "") };
        let other_note = RawEvent { note: "", ..event("n", "0", "2025-01-01T00:00:00Z") };
        for (events, duplicates) in [
            (vec![event("a", "1", "")], ""),
            (vec![event("a", "1", ""), other_url, other_method, raw("1", "a")], ""),
            (vec![event("a", "1", ""), event("b", "1", ""), event("c", "1", "")], "bc"),
            (vec![event("a", "0", ""), event("b", "1", ""), other_note], "an"),
            (vec![event("a", "paused", ""), event("b", "1", "")], "a"),
            // The newest by the moment, of which one is local time.
            (
                vec![
                    event("a", "1", "once"),
                    event("b", "1", "2024-06-01T12:00:00Z"),
                    event("c", "1", "2024-06-01T14:00:01"),
                    event("d", "1", "2024-06-01T15:00:00+05:45"),
                ],
                "abd",
            ),
            (vec![event("a", "0", "2025-01-01T00:00:00Z"), event("b", "1", "once")], "a"),
            (vec![event("a", "1", "once"), event("b", "1", "2001-01-01")], "a"),
        ] {
            let mut store = EventStore::default();
            store.insert(listing("1", &events));
            store.set_marks_where(&read("is:duplicate"), &extension, true);
            assert_eq!(marked_ids(&store).concat(), duplicates);
            let stay = store.meant(&read("-is:duplicate"), std::slice::from_ref(&extension));
            assert_eq!(stay.events, events.len() - duplicates.len());
            let marked = store.meant(&read("is:marked"), std::slice::from_ref(&extension));
            assert_eq!((marked.events, marked.marked), (duplicates.len(), duplicates.len()));
        }
    }

    #[test]
    fn a_term_is_asked_about_each_text_of_a_listing_once_and_a_host_about_none() {
        let now = jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let mut store = EventStore::default();
        let mut builder = ListingBuilder::new(number("1"));
        for event in 0..60 {
            let (id, url) = (format!("id{event}"), format!("https://h{}.test/", event % 3));
            builder.push(RawEvent { url: &url, ..raw("0", &id) });
        }
        store.insert(builder.finish(true));
        // It has nothing but what the first one has, and one of that.
        store.insert(listing("2", &[RawEvent { url: "https://h1.test/", ..raw("0", "a") }]));
        assert_eq!(store.strings.bundles.len(), 1);
        let asked = |text: &str, extension: &str| {
            let expression = Expression::parse(text, &now, &Standing::ALL).unwrap();
            let before = looked::texts();
            let events = store.meant(&expression, &[Extension::of(number(extension))]).events;
            (events, looked::texts() - before)
        };
        assert_eq!(asked("h1", "1"), (20, 4));
        assert_eq!(asked("-url:*h1*", "1"), (40, 4));
        assert_eq!(asked("url:*h1*", "2"), (1, 4));
        assert_eq!(asked("host:H1.test", "1"), (20, 0));
        assert_eq!(asked("host:h?.test", "2"), (1, 0));
    }

    #[test]
    fn rows_are_grouped_by_type_whatever_the_order_they_came_in() {
        let listing = listing("1", &[raw("2", "a"), raw("0", "b"), raw("2", "c"), raw("0", "b")]);
        let groups: Vec<_> = listing.groups().collect();
        assert_eq!(groups, [(EventType::DialIn, 0..1), (EventType::Hangup, 1..3)]);
        let ids: Vec<_> = (0..3).map(|row| listing.row(row).unwrap().id().to_owned()).collect();
        assert_eq!(ids, ["b", "a", "c"]);
    }

    #[test]
    fn the_text_of_a_row_stays_where_there_are_marks_and_with_its_row() {
        let listed = || {
            let mut builder = ListingBuilder::new(number("1"));
            for (event_type, id) in [("2", "c"), ("0", "a"), ("0", "b"), ("0", "a")] {
                builder.push_with_text(raw(event_type, id), format!("{{{id}}}").as_bytes());
            }
            builder.finish(true)
        };
        let text = |store: &EventStore, row| {
            let text = store.listing(&number("1")).unwrap().row(row).unwrap().to_event().text;
            text.map(|text| String::from_utf8_lossy(text.bytes()).into_owned())
        };
        let mut store = EventStore::default();
        store.insert(listed());
        assert_eq!(text(&store, 0), None, "nothing is marked");
        store.set_marks(&number("1"), [2], true);
        store.insert(listed());
        let all: Vec<_> = (0..3).map(|row| text(&store, row).unwrap()).collect();
        assert_eq!(all, ["{a}", "{b}", "{c}"]);
        store.remove(&key("1", 0, "a"));
        assert_eq!(text(&store, 0).unwrap(), "{b}");
        store.set_marks(&number("1"), 0..2, false);
        assert_eq!(text(&store, 0), None);
        store.insert_whole(listed());
        assert!(text(&store, 0).is_some());
        store.unmark_all();
        assert_eq!(text(&store, 0), None);
    }

    #[test]
    fn marks_stay_on_their_events_when_an_extension_is_read_again() {
        let mut store = EventStore::default();
        store.insert(listing("1", &[raw("0", "a"), raw("0", "b"), raw("1", "c")]));
        store.set_marks(&number("1"), [1, 2], true);
        let before = store.listing(&number("1")).unwrap().row(2).unwrap().to_event();
        let changed = RawEvent { url: "https://elsewhere.test", ..raw("1", "c") };
        let replaced = store.insert(listing("1", &[raw("0", "new"), changed, raw("0", "b")]));
        assert_eq!(replaced, Replaced { vanished: 0, changed: 1, is_news: true });
        assert_eq!(marked_ids(&store), ["b", "c"]);
        assert_eq!(store.as_marked(&key("1", 1, "c")), Some(&before));
        let replaced = store.insert(listing("1", &[raw("0", "b")]));
        assert_eq!(replaced, Replaced { vanished: 1, changed: 0, is_news: true });
        assert_eq!((store.marked(), store.len()), (1, 1));
    }

    #[test]
    fn a_deleted_event_takes_its_own_mark_along_and_no_other() {
        let mut store = EventStore::default();
        store.insert(listing("1", &[raw("0", "a"), raw("0", "b"), raw("0", "c")]));
        store.insert(listing("2", &[raw("0", "a")]));
        store.set_marks(&number("1"), [0, 2], true);
        store.set_marks(&number("2"), [0], true);
        assert!(store.remove(&key("1", 0, "a")));
        assert!(!store.remove(&key("1", 0, "a")));
        assert_eq!(marked_ids(&store), ["c", "a"]);
        assert_eq!((store.len(), store.marked(), store.marked_in(&number("1"))), (3, 2, 1));
        assert!(store.remove(&key("1", 0, "b")));
        assert_eq!(marked_ids(&store), ["c", "a"]);
    }

    proptest::proptest! {
        #[test]
        fn marks_move_up_with_the_rows_behind_one_that_leaves(
            mut marks in proptest::collection::vec(proptest::bool::ANY, 1..300),
            at in 0..300_usize,
        ) {
            let at = at % marks.len();
            let mut bits: FixedBitSet =
                marks.iter().enumerate().filter(|(_, on)| **on).map(|(place, _)| place).collect();
            bits.grow(marks.len());
            close_up(&mut bits, at);
            marks.remove(at);
            let on = |(place, on): (usize, &bool)| on.then_some(place);
            let expected: Vec<usize> = marks.iter().enumerate().filter_map(on).collect();
            proptest::prop_assert_eq!(bits.ones().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn marking_counts_only_what_changes_and_ignores_rows_that_are_not_there() {
        let mut store = EventStore::default();
        store.insert(listing("1", &[raw("0", "a"), raw("0", "b")]));
        assert_eq!(store.set_marks(&number("1"), 0..10, true), 2);
        assert_eq!(store.set_marks(&number("1"), [0], true), 0);
        assert_eq!(store.set_marks(&number("1"), [0], false), 1);
        assert_eq!(store.set_marks(&number("9"), [0], true), 0);
        assert_eq!(store.unmark_all(), 1);
        assert_eq!(store.marked(), 0);
    }

    #[test]
    fn the_number_of_extensions_with_marks_is_always_right() {
        let mut store = EventStore::default();
        let agrees = |store: &EventStore| {
            assert_eq!(store.marked_extensions(), store.marked_listings().count());
        };
        for extension in ["1", "2"] {
            store.insert(listing(extension, &[raw("0", "a"), raw("0", "b")]));
            store.set_marks(&number(extension), [0, 1], true);
            agrees(&store);
        }
        store.remove(&key("1", 0, "a"));
        agrees(&store);
        store.remove(&key("1", 0, "b"));
        agrees(&store);
        store.insert(listing("2", &[raw("0", "b")]));
        agrees(&store);
        store.set_marks(&number("2"), [0], false);
        agrees(&store);
        store.set_marks(&number("2"), [0], true);
        assert_eq!(store.retain(|kept| *kept != number("2")), 1);
        agrees(&store);
        store.insert(listing("2", &[raw("0", "b")]));
        store.set_marks(&number("2"), [0], true);
        store.unmark_all();
        agrees(&store);
    }

    #[test]
    fn an_id_that_stands_under_two_types_is_two_events() {
        let mut store = EventStore::default();
        store.insert(listing("1", &[raw("0", "a"), raw("1", "a")]));
        assert!(store.remove(&key("1", 1, "a")));
        assert_eq!(store.listing(&number("1")).unwrap().find(&key("1", 0, "a")), Some(0));
    }
}
