//! Events of many extensions grouped, filtered and sorted, for a panel that draws only what is in
//! sight of a million: four bytes an event, and none of its texts is copied.
//!
//! An arrangement is made anew when what it shows has changed. Until then none of its places means
//! another event than the one that it stood for: a listing that was read again ends its places, and a
//! deleted event its own.

mod gathering;
#[cfg(test)]
mod tests;
mod thinning;

use std::collections::HashSet;
use std::ops::Range;

use fixedbitset::FixedBitSet;
use jiff::tz::TimeZone;

use super::super::{
    EventKey, EventType, Extension, ExtensionNumber, Filter, Foreign, Method, PassedOver, UserId,
};
use super::{EventStore, Listing, Shelf};
use gathering::{Gathered, Gathering};

/// The common property of a group's events.
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

/// The order of a group's events; equal ones stand by extension, then in list order.
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

/// What the events of a group have in common, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Type(EventType),
    /// The place of the extension among the sources.
    Extension(u32),
    /// The store's number of the host.
    Host(Option<u32>),
    /// The store's number of the text.
    Note(u32),
    /// The place among the owners.
    Owner(Option<usize>),
    Alike {
        extension: u32,
        event_type: EventType,
        /// 0 and 1 are the documented ones, of others the store's number of the text and 2.
        method: u32,
        url: u32,
    },
}

/// One event of an arrangement: how many events stand before it when the extensions stand one behind
/// the other, each with its events as its listing came in. It means something to the arrangement that
/// it came from only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place(u32);

/// One group, with at least one event that the filter admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGroup {
    kind: Kind,
    /// Positions of the group's events in the arrangement.
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
    owners: Vec<UserId>,
    odd: Vec<(ExtensionNumber, usize)>,
    /// Places of events that stay.
    staying: FixedBitSet,
    passed_over: PassedOver,
}

/// An extension, which of its listings the rows are numbered in, and the place of its first one.
#[derive(Debug)]
struct Source {
    number: ExtensionNumber,
    edition: u64,
    first: u32,
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

    /// The name on the screen.
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
        let mut gathering = Gathering::new(grouping, order, zone, &self.strings, self.events);
        let mut first = 0_usize;
        for (extension, at) in extensions.zip(0_u32..) {
            let shelf = self.shelves.get(&extension.number);
            let edition = shelf.map_or(0, |shelf| shelf.edition);
            let begin = u32::try_from(first).unwrap_or(u32::MAX);
            let number = extension.number.clone();
            arrangement.sources.push(Source { number, edition, first: begin });
            let Some(shelf) = shelf else { continue };
            first += shelf.width();
            gathering.begin(at, begin, extension, shelf);
            if filter.is_empty() {
                gathering.admit_all();
                let odd = 0..shelf.listing.odd().len();
                arrangement.odd.extend(odd.map(|row| (extension.number.clone(), row)));
                continue;
            }
            let judged = self.judged_on(shelf, filter.expression(), extension);
            gathering.admit(judged.meant());
            arrangement.passed_over += judged.passed_over_of(|row| gathering.holds(row));
        }
        let Gathered { places, groups, owners, staying } = gathering.finish();
        Arrangement { places, groups, owners, staying, ..arrangement }
    }

    /// The listing and the row that a place means now; `None` where its event is deleted or its
    /// extension was read again since.
    pub fn at(&self, arrangement: &Arrangement, place: Place) -> Option<(&Listing, usize)> {
        let source = arrangement.source_of(place)?;
        let shelf = self.shelves.get(&source.number)?;
        let row = source.row_now(shelf, place)?;
        Some((&shelf.listing, row))
    }

    /// What the events of a group have in common.
    pub fn key_of(&self, arrangement: &Arrangement, group: &EventGroup) -> Option<GroupKey> {
        let text = |number: u32| self.strings.shared(number);
        let number = |at: u32| Some(arrangement.sources.get(index(at))?.number.clone());
        Some(match group.kind {
            Kind::Type(event_type) => GroupKey::Type(event_type),
            Kind::Extension(at) => GroupKey::Extension(number(at)?),
            Kind::Host(host) => {
                GroupKey::Host(host.and_then(|host| self.strings.host_name(host)).cloned())
            }
            Kind::Note(note) => GroupKey::Note(text(note).unwrap_or_default()),
            Kind::Owner(owner) => {
                GroupKey::Owner(owner.and_then(|owner| arrangement.owners.get(owner)).cloned())
            }
            Kind::Alike { extension, event_type, method, url } => GroupKey::Alike {
                extension: number(extension)?,
                event_type,
                method: match method {
                    0 => Method::Get,
                    1 => Method::Post,
                    other => Method::Other(text(other - 2)?),
                },
                url: text(url)?,
            },
        })
    }

    /// The same in numbers, where such events were met.
    fn kind_of(&self, arrangement: &Arrangement, key: &GroupKey) -> Option<Kind> {
        let text = |text: &Foreign| self.strings.number(text.raw());
        let at = |number: &ExtensionNumber| {
            let at = arrangement.sources.iter().position(|source| source.number == *number)?;
            u32::try_from(at).ok()
        };
        Some(match key {
            GroupKey::Type(event_type) => Kind::Type(*event_type),
            GroupKey::Extension(number) => Kind::Extension(at(number)?),
            GroupKey::Host(None) => Kind::Host(None),
            GroupKey::Host(Some(host)) => {
                Kind::Host(Some(self.strings.number_of_host(host.raw())?))
            }
            GroupKey::Note(note) => Kind::Note(text(note)?),
            GroupKey::Owner(None) => Kind::Owner(None),
            GroupKey::Owner(Some(id)) => {
                Kind::Owner(Some(arrangement.owners.iter().position(|owner| owner == id)?))
            }
            GroupKey::Alike { extension, event_type, method, url } => Kind::Alike {
                extension: at(extension)?,
                event_type: *event_type,
                method: match method {
                    Method::Get => 0,
                    Method::Post => 1,
                    Method::Other(other) => text(other)?.saturating_add(2),
                },
                url: text(url)?,
            },
        })
    }

    /// Which groups of an arrangement have one of these keys.
    pub fn groups_with<'a>(
        &self,
        arrangement: &Arrangement,
        keys: impl IntoIterator<Item = &'a GroupKey>,
    ) -> FixedBitSet {
        let kinds: HashSet<Kind> =
            keys.into_iter().filter_map(|key| self.kind_of(arrangement, key)).collect();
        let mut groups = FixedBitSet::with_capacity(arrangement.groups.len());
        if !kinds.is_empty() {
            let all = arrangement.groups.iter().enumerate();
            groups.extend(all.filter(|(_, group)| kinds.contains(&group.kind)).map(|(at, _)| at));
        }
        groups
    }
}

impl Source {
    /// Where a row is now, if it is still there.
    fn row_now(&self, shelf: &Shelf, place: Place) -> Option<usize> {
        let number = index(place.0.checked_sub(self.first)?);
        if shelf.edition == self.edition { shelf.removed.row_now(number) } else { None }
    }

    /// The place of a row.
    fn place_of(&self, shelf: &Shelf, row: usize) -> Option<Place> {
        let number = u32::try_from(shelf.removed.number_of(row)).ok()?;
        (shelf.edition == self.edition).then(|| Place(self.first.saturating_add(number)))
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

    fn source_of(&self, place: Place) -> Option<&Source> {
        let behind = self.sources.partition_point(|source| source.first <= place.0);
        self.sources.get(behind.checked_sub(1)?)
    }

    /// Whose event a place is.
    pub fn number(&self, place: Place) -> Option<&ExtensionNumber> {
        self.source_of(place).map(|source| &source.number)
    }

    /// The position of an event that is admitted.
    pub fn find(&self, store: &EventStore, key: &EventKey) -> Option<usize> {
        let source = self.sources.iter().find(|source| source.number == key.extension)?;
        let shelf = store.shelves.get(&key.extension)?;
        let place = source.place_of(shelf, shelf.listing.find(key)?)?;
        self.places.iter().position(|one| *one == place)
    }

    /// Where some of the admitted events are listed now, extension by extension.
    pub fn rows_of(
        &self,
        store: &EventStore,
        places: impl Iterator<Item = Place>,
    ) -> Vec<(ExtensionNumber, Vec<usize>)> {
        let places: FixedBitSet = places.map(|place| index(place.0)).collect();
        let mut places = places.ones().filter_map(|place| u32::try_from(place).ok()).peekable();
        let mut rows = Vec::new();
        let ends = self.sources.iter().skip(1).map(|source| source.first).chain([u32::MAX]);
        for (source, end) in self.sources.iter().zip(ends) {
            if places.peek().is_none_or(|place| *place >= end) {
                continue;
            }
            let Some(shelf) = store.shelves.get(&source.number) else { continue };
            let of_it = std::iter::from_fn(|| places.next_if(|place| *place < end));
            let now = of_it.filter_map(|place| source.row_now(shelf, Place(place))).collect();
            rows.push((source.number.clone(), now));
        }
        rows
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

    /// Whether an event is the one of its duplicates that stays; for [`Grouping::Duplicates`].
    pub fn stays(&self, place: Place) -> bool {
        self.staying.contains(index(place.0))
    }

    /// Counts the marked events of every group again.
    pub fn count_marks(&mut self, store: &EventStore) {
        #[cfg(test)]
        super::looked::at(self.places.len());
        let marked = if store.marked() == 0 { FixedBitSet::new() } else { self.marked(store) };
        let Self { places, groups, .. } = self;
        for group in groups {
            let places = places.get(group.rows.clone()).unwrap_or_default();
            let is_marked = |place: &&Place| marked.contains(index(place.0));
            group.marked =
                if marked.is_empty() { 0 } else { places.iter().filter(is_marked).count() };
        }
    }

    /// How many of the admitted events are marked.
    pub fn marked_shown(&self) -> usize {
        self.groups.iter().map(|group| group.marked).sum()
    }

    /// The places of all marked events.
    fn marked(&self, store: &EventStore) -> FixedBitSet {
        let mut marked = FixedBitSet::new();
        for source in &self.sources {
            if store.marked_in(&source.number) == 0 {
                continue;
            }
            let Some(shelf) = store.shelves.get(&source.number) else { continue };
            marked.grow(index(source.first) + shelf.width());
            let rows = shelf.marks.ones();
            marked.extend(rows.filter_map(|row| Some(index(source.place_of(shelf, row)?.0))));
        }
        marked
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
