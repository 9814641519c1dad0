//! Events of many extensions grouped, filtered and sorted, for a panel that draws only what is in
//! sight of a million: eight bytes an event, and none of its texts is copied.
//!
//! An arrangement is made anew when what it shows has changed. Until then none of its places means
//! another event than the one that it stood for: a listing that was read again ends its places, and a
//! deleted event its own.

mod gathering;
#[cfg(test)]
mod tests;
mod thinning;

use std::ops::Range;

use jiff::tz::TimeZone;

use super::super::{
    EventKey, EventType, Extension, ExtensionNumber, Filter, Foreign, Method, PassedOver, UserId,
    Verdict,
};
use super::{EventStore, Listing, Shelf};
use gathering::Gathering;

/// What events are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// Their types, in the order of the types' numbers.
    #[default]
    Type,
    /// Their extensions, in the order in which these were given.
    Extension,
    /// The hosts of their URLs, ignoring case: those of most events first, unreadable ones last.
    Host,
    /// Their notes: those of most events first, events without one last.
    Note,
    /// The owners of their extensions, by their ids; events of unknown owner last.
    Owner,
    /// Sets of two or more alike, in the order of extensions and types. No other event is shown.
    Duplicates,
}

/// In which order the events of a group stand; equal ones by extension and in list order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventOrder {
    /// By extension in the order in which these were given, then as they are listed.
    #[default]
    Listed,
    /// The longest unchanged first, dates that are missing or cannot be read last.
    Oldest,
    /// By URL, character by character; events without one last.
    Url,
    /// By note, character by character; events without one last.
    Note,
}

/// What the events of a group have in common. It stays the same from one arrangement to the next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// The type.
    Type(EventType),
    /// The extension.
    Extension(ExtensionNumber),
    /// The host of the URL, in lower case; `None` where none can be read.
    Host(Option<Foreign>),
    /// The note; empty where there is none.
    Note(Foreign),
    /// The owner of the extension; `None` where no source tells.
    Owner(Option<UserId>),
    /// All that makes events duplicates of each other.
    Alike {
        /// The extension.
        extension: ExtensionNumber,
        /// The type.
        event_type: EventType,
        /// The method.
        method: Method,
        /// The URL.
        url: Foreign,
    },
}

/// One event of an arrangement. It means something to the arrangement that it came from only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    extension: u32,
    /// As it was numbered when its listing came in.
    row: u32,
}

/// One group, with at least one event that the filter admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGroup {
    /// What its events have in common.
    pub key: GroupKey,
    /// Where its admitted events stand in the arrangement.
    pub rows: Range<usize>,
    /// How many events it would have without the filter.
    pub listed: usize,
    /// How many of its admitted events are marked.
    pub marked: usize,
}

/// Events grouped, filtered and sorted.
#[derive(Debug, Default)]
pub struct Arrangement {
    sources: Vec<Source>,
    places: Vec<Place>,
    groups: Vec<EventGroup>,
    odd: Vec<(ExtensionNumber, usize)>,
    /// In ascending order.
    staying: Vec<Place>,
    passed_over: PassedOver,
}

/// An extension, and which of its listings the rows are numbered in.
#[derive(Debug)]
struct Source {
    number: ExtensionNumber,
    edition: u64,
}

impl Grouping {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Self; 6] =
        [Self::Type, Self::Extension, Self::Host, Self::Note, Self::Owner, Self::Duplicates];

    /// The one after this, the first after the last.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Type => Self::Extension,
            Self::Extension => Self::Host,
            Self::Host => Self::Note,
            Self::Note => Self::Owner,
            Self::Owner => Self::Duplicates,
            Self::Duplicates => Self::Type,
        }
    }

    /// What it is called on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Extension => "extension",
            Self::Host => "host",
            Self::Note => "note",
            Self::Owner => "owner",
            Self::Duplicates => "duplicates",
        }
    }
}

impl EventOrder {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Listed, Self::Oldest, Self::Url, Self::Note];

    /// The one after this, the first after the last.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Listed => Self::Oldest,
            Self::Oldest => Self::Url,
            Self::Url => Self::Note,
            Self::Note => Self::Listed,
        }
    }

    /// What it is called on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listed => "list order",
            Self::Oldest => "oldest first",
            Self::Url => "URL",
            Self::Note => "note",
        }
    }
}

impl GroupKey {
    /// The type of all events of the group, where the group says it.
    pub fn event_type(&self) -> Option<EventType> {
        match self {
            Self::Type(event_type) | Self::Alike { event_type, .. } => Some(*event_type),
            Self::Extension(_) | Self::Host(_) | Self::Note(_) | Self::Owner(_) => None,
        }
    }
}

impl EventStore {
    /// Arranges the listed events of these extensions, which are to stand in this order. `zone` is
    /// that of dates without an offset.
    pub fn arrange<'a>(
        &self,
        extensions: impl Iterator<Item = &'a Extension>,
        filter: &Filter,
        grouping: Grouping,
        order: EventOrder,
        zone: &TimeZone,
    ) -> Arrangement {
        let mut arrangement = Arrangement::default();
        let mut gathering = Gathering::new(grouping, order, zone, &self.strings);
        for (extension, place) in extensions.zip(0_u32..) {
            let shelf = self.shelves.get(&extension.number);
            let edition = shelf.map_or(0, |shelf| shelf.edition);
            arrangement.sources.push(Source { number: extension.number.clone(), edition });
            let Some(shelf) = shelf else { continue };
            gathering.begin(place, extension, shelf);
            if filter.is_empty() {
                gathering.admit_all();
                let odd = 0..shelf.listing.odd().len();
                arrangement.odd.extend(odd.map(|row| (extension.number.clone(), row)));
                continue;
            }
            for (row, verdict) in self.judged(filter.expression(), extension) {
                match verdict {
                    Verdict::Meant => gathering.admit(row),
                    Verdict::PassedOver(_) if gathering.holds(row) => {
                        arrangement.passed_over.count(verdict);
                    }
                    Verdict::PassedOver(_) | Verdict::NotMeant => {}
                }
            }
        }
        arrangement.staying = gathering.take_staying();
        (arrangement.places, arrangement.groups) = gathering.finish();
        arrangement.count_marks(self);
        arrangement
    }

    /// The listing and the row that a place means now; `None` where its event is deleted or its
    /// extension was read again since.
    pub fn at(&self, arrangement: &Arrangement, place: Place) -> Option<(&Listing, usize)> {
        let source = arrangement.sources.get(index(place.extension))?;
        let shelf = self.shelves.get(&source.number)?;
        let row = source.row_now(shelf, place)?;
        Some((&shelf.listing, row))
    }
}

impl Source {
    /// Where a row is now, if it is still there.
    fn row_now(&self, shelf: &Shelf, place: Place) -> Option<usize> {
        let same = shelf.edition == self.edition;
        same.then(|| shelf.removed.row_now(index(place.row))).flatten()
    }
}

impl Arrangement {
    /// The groups that have an admitted event, in order.
    pub fn groups(&self) -> &[EventGroup] {
        &self.groups
    }

    /// Some of the admitted events, group by group; none beyond the last.
    pub fn places(&self, rows: Range<usize>) -> &[Place] {
        let end = rows.end.min(self.places.len());
        self.places.get(rows.start.min(end)..end).unwrap_or_default()
    }

    /// How many events the filter admits.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// True when the filter admits no event.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Which group an admitted event belongs to, by its position.
    pub fn group_at(&self, position: usize) -> Option<usize> {
        let group = self.groups.partition_point(|group| group.rows.end <= position);
        (group < self.groups.len()).then_some(group)
    }

    /// Whose event a place is.
    pub fn number(&self, place: Place) -> Option<&ExtensionNumber> {
        self.sources.get(index(place.extension)).map(|source| &source.number)
    }

    /// The position of an event that is admitted.
    pub fn find(&self, store: &EventStore, key: &EventKey) -> Option<usize> {
        let extension = self.sources.iter().position(|source| source.number == key.extension)?;
        let source = self.sources.get(extension)?;
        let shelf = store.shelves.get(&key.extension)?;
        let row = shelf.listing.find(key)?;
        let of_it = |place: &Place| index(place.extension) == extension;
        let is_it = |place: &Place| source.row_now(shelf, *place) == Some(row);
        self.places.iter().position(|place| of_it(place) && is_it(place))
    }

    /// The rows that cannot be used, each by its extension and its place among the
    /// [odd ones](Listing::odd) of the listing. With a filter there are none.
    pub fn odd(&self) -> &[(ExtensionNumber, usize)] {
        &self.odd
    }

    /// Events that the filter can say nothing about. Of [`Grouping::Duplicates`] only those that
    /// would be shown.
    pub fn passed_over(&self) -> PassedOver {
        self.passed_over
    }

    /// Of [`Grouping::Duplicates`], whether an event is the one of its set that is no duplicate.
    pub fn stays(&self, place: Place) -> bool {
        self.staying.binary_search(&place).is_ok()
    }

    /// Counts the marked events of every group again.
    pub fn count_marks(&mut self, store: &EventStore) {
        #[cfg(test)]
        super::looked::at(self.places.len());
        let Self { sources, places, groups, .. } = self;
        let marked = |source: &Source| {
            let shelf = store.shelves.get(&source.number).map(AsRef::as_ref);
            shelf.filter(|shelf| shelf.marked > 0)
        };
        let shelves: Vec<Option<&Shelf>> =
            if store.marked == 0 { Vec::new() } else { sources.iter().map(marked).collect() };
        let is_marked = |place: &&Place| {
            let at = index(place.extension);
            let (Some(Some(shelf)), Some(source)) = (shelves.get(at), sources.get(at)) else {
                return false;
            };
            let row = source.row_now(shelf, **place);
            row.is_some_and(|row| shelf.marks.contains(row))
        };
        for group in groups {
            let places = places.get(group.rows.clone()).unwrap_or_default();
            group.marked = places.iter().filter(is_marked).count();
        }
    }

    /// One event of a group was marked, or unmarked.
    pub fn note_mark(&mut self, group: usize, on: bool) {
        if let Some(group) = self.groups.get_mut(group) {
            let marked = if on { group.marked + 1 } else { group.marked.saturating_sub(1) };
            group.marked = marked.min(group.rows.len());
        }
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
