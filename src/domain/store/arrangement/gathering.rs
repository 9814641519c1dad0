//! Finds the group and the order of every event that an arrangement shows.
//!
//! Nothing is compared or copied for an event but numbers: texts are known by the number that the
//! store gave them, groups by what is common to their events, and each event by its place.

use std::cmp::Reverse;
use std::collections::HashMap;

use fixedbitset::FixedBitSet;
use jiff::tz::TimeZone;

use super::super::super::{Extension, UserId};
use super::super::alike::{Alike, Set};
use super::super::strings::Strings;
use super::super::{Shelf, sorting};
use super::{EventGroup, EventOrder, Grouping, Kind, Place, index};

/// The group of a row that is in none.
const NONE: u32 = u32::MAX;
/// What comes behind everything that there is to sort by.
const LAST: u32 = u32::MAX;

/// What has been gathered of the extensions so far.
pub(super) struct Gathering<'a> {
    grouping: Grouping,
    order: EventOrder,
    zone: &'a TimeZone,
    strings: &'a Strings,
    /// The place of each text among all that are sorted, where they are.
    ranks: &'a [u32],
    /// The number of the empty text.
    empty: Option<u32>,
    groups: Vec<EventGroup>,
    owners: Vec<UserId>,
    /// Groups by the number that their events have in common, as far as any was met.
    by_number: Vec<u32>,
    by_owner: HashMap<Option<UserId>, u32>,
    /// The extension that is gathered now, where its places begin, and the group of each of its rows.
    shelf: Option<&'a Shelf>,
    first: u32,
    of_row: Vec<u32>,
    /// What was taken in and is not in order yet.
    admitted: Vec<Admitted>,
    /// What each of these is sorted by, where that is not how they are listed.
    keys: Vec<u32>,
    /// The moments that are no whole second between 1970 and 2106.
    odd_moments: HashMap<Place, Moment>,
    /// What is in order, and how many groups are.
    places: Vec<Place>,
    in_order: usize,
    staying: FixedBitSet,
}

/// Seconds since 1970, and nanoseconds.
type Moment = (i64, i32);

/// An event that is shown.
#[derive(Clone, Copy)]
struct Admitted {
    group: u32,
    place: Place,
}

/// An event with what it is sorted by.
type Keyed = (u32, Place);

/// All that was gathered, put in order.
pub(super) struct Gathered {
    pub(super) places: Vec<Place>,
    pub(super) groups: Vec<EventGroup>,
    pub(super) owners: Vec<UserId>,
    pub(super) staying: FixedBitSet,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(
        grouping: Grouping,
        order: EventOrder,
        zone: &'a TimeZone,
        strings: &'a Strings,
        events: usize,
    ) -> Self {
        // What is gathered of all extensions has room from the beginning: to grow takes new memory
        // again and again, and what is never used takes none.
        let most = if of_one_extension(grouping) { 0 } else { events };
        let by_text = matches!(order, EventOrder::Url | EventOrder::Note);
        Self {
            grouping,
            order,
            zone,
            strings,
            ranks: if by_text { strings.ranks() } else { &[] },
            empty: strings.number(""),
            groups: Vec::new(),
            owners: Vec::new(),
            by_number: Vec::new(),
            by_owner: HashMap::new(),
            shelf: None,
            first: 0,
            of_row: Vec::new(),
            admitted: Vec::with_capacity(most),
            keys: Vec::with_capacity(if order == EventOrder::Listed { 0 } else { most }),
            odd_moments: HashMap::new(),
            places: Vec::new(),
            in_order: 0,
            staying: FixedBitSet::new(),
        }
    }

    /// Goes on with the next extension, the `at`th, whose places begin here.
    pub(super) fn begin(&mut self, at: u32, first: u32, extension: &Extension, shelf: &'a Shelf) {
        (self.first, self.shelf) = (first, Some(shelf));
        let (listing, strings) = (&shelf.listing, self.strings);
        let text = |at: Option<usize>| listing.number_at(at?);
        self.of_row.clear();
        match self.grouping {
            Grouping::Type => {
                for (event_type, rows) in listing.groups() {
                    let number = usize::from(event_type.number());
                    let group = self.group(number, Kind::Type(event_type));
                    self.put(group, rows.len());
                }
            }
            Grouping::Extension => {
                let group = self.found(Kind::Extension(at));
                self.put(group, listing.len());
            }
            Grouping::Owner => {
                let group = self.group_of_owner(extension);
                self.put(group, listing.len());
            }
            Grouping::Host => self.put_by_number(|row| {
                let host = text(listing.url_at(row)).and_then(|url| strings.host_of(url));
                (host.map_or(strings.hosts(), index), Kind::Host(host))
            }),
            Grouping::Note => self.put_by_number(|row| {
                let note = text(listing.note_at(row)).unwrap_or(NONE);
                (index(note), Kind::Note(note))
            }),
            Grouping::Duplicates => self.put_alike(at, shelf),
        }
    }

    /// The next rows, so many, belong to a group.
    fn put(&mut self, group: u32, rows: usize) {
        self.of_row.extend(std::iter::repeat_n(group, rows));
        if let Some(group) = self.groups.get_mut(index(group)) {
            group.listed += rows;
        }
    }

    /// A new group.
    fn found(&mut self, kind: Kind) -> u32 {
        let new = u32::try_from(self.groups.len()).unwrap_or(NONE);
        self.groups.push(EventGroup { kind, rows: 0..0, listed: 0, marked: 0 });
        new
    }

    /// The group of what has this number, a new one where there is none yet.
    fn group(&mut self, number: usize, kind: Kind) -> u32 {
        if number >= self.by_number.len() {
            self.by_number.resize(number + 1, NONE);
        }
        match self.by_number.get(number).copied() {
            Some(group) if group != NONE => group,
            _ => {
                let group = self.found(kind);
                if let Some(by_number) = self.by_number.get_mut(number) {
                    *by_number = group;
                }
                group
            }
        }
    }

    fn group_of_owner(&mut self, extension: &Extension) -> u32 {
        let owner = extension.owner.as_ref().map(|owner| owner.id.clone());
        if let Some(group) = self.by_owner.get(&owner) {
            return *group;
        }
        let kind = Kind::Owner(owner.as_ref().map(|_| self.owners.len()));
        self.owners.extend(owner.clone());
        let group = self.found(kind);
        self.by_owner.insert(owner, group);
        group
    }

    /// Puts each row in the group of a number that it has.
    fn put_by_number(&mut self, number_of: impl Fn(usize) -> (usize, Kind)) {
        let rows = self.shelf.map_or(0, |shelf| shelf.listing.len());
        for row in 0..rows {
            let (number, kind) = number_of(row);
            let group = self.group(number, kind);
            self.put(group, 1);
        }
    }

    /// Puts rows that are alike in a group of their own, in the order of their first ones.
    fn put_alike(&mut self, at: u32, shelf: &Shelf) {
        let alike = Alike::of(&shelf.listing, self.zone);
        let group_of = |set: &Set| {
            if set.size == 1 {
                return NONE;
            }
            let group = self.found(kind_of_alike(at, shelf, index(set.first)));
            if let Some(group) = self.groups.last_mut() {
                group.listed = index(set.size);
            }
            group
        };
        let groups: Vec<u32> = alike.sets().iter().map(group_of).collect();
        let of_row = alike.of_row().iter().map(|set| groups.get(index(*set)).copied());
        self.of_row.extend(of_row.map(|group| group.unwrap_or(NONE)));
        let end = index(self.first) + shelf.width();
        self.staying.grow(end);
        for row in alike.staying() {
            self.staying.insert(index(self.first) + shelf.removed.number_of(row));
        }
    }

    /// Whether a row of the extension is in any group.
    pub(super) fn holds(&self, row: usize) -> bool {
        self.of_row.get(row).is_some_and(|group| *group != NONE)
    }

    /// Takes in every row of the extension that is in any group.
    pub(super) fn admit_all(&mut self) {
        self.admit(0..self.of_row.len());
    }

    /// Takes in rows of the extension, where they are in any group.
    pub(super) fn admit(&mut self, rows: impl Iterator<Item = usize>) {
        let Some(shelf) = self.shelf else { return };
        let listing = &shelf.listing;
        let rank = |text: Option<usize>| {
            let text = text.and_then(|text| listing.number_at(text));
            let text = text.filter(|text| Some(*text) != self.empty)?;
            self.ranks.get(index(text)).copied()
        };
        let marks = Some(&shelf.marks).filter(|marks| !marks.is_clear());
        let Self { groups, admitted, keys, odd_moments, of_row, .. } = self;
        let rows = rows.filter_map(|row| {
            let group = of_row.get(row).copied().filter(|group| *group != NONE)?;
            let its_group = groups.get_mut(index(group))?;
            its_group.rows.end += 1;
            its_group.marked += usize::from(marks.is_some_and(|marks| marks.contains(row)));
            let number = u32::try_from(shelf.removed.number_of(row)).ok()?;
            let place = Place(self.first.saturating_add(number));
            admitted.push(Admitted { group, place });
            Some((row, place))
        });
        match self.order {
            EventOrder::Listed => rows.for_each(drop),
            EventOrder::Url => {
                keys.extend(rows.map(|(row, _)| rank(listing.url_at(row)).unwrap_or(LAST)));
            }
            EventOrder::Note => {
                keys.extend(rows.map(|(row, _)| rank(listing.note_at(row)).unwrap_or(LAST)));
            }
            EventOrder::Oldest => keys.extend(rows.map(|(row, place)| {
                let Some(moment) = listing.moment_at(row, self.zone) else { return LAST };
                let key = key_of(moment);
                if moment != (key.into(), 0) {
                    odd_moments.insert(place, moment);
                }
                key
            })),
        }
        if of_one_extension(self.grouping) {
            self.put_in_order();
        }
    }

    /// Everything that was taken in, group by group.
    pub(super) fn finish(mut self) -> Gathered {
        self.put_in_order();
        let Self { mut groups, places, owners, staying, .. } = self;
        groups.retain(|group| !group.rows.is_empty());
        if !groups.is_sorted_by_key(|group| group.rows.start) {
            groups.sort_by_key(|group| group.rows.start);
        }
        Gathered { places, groups, owners, staying }
    }

    /// Puts what was taken in last group by group, behind what is in order.
    fn put_in_order(&mut self) {
        let (done, start) = (self.in_order, self.places.len());
        let mut next = self.begin_groups();
        let mut put = |group: u32| {
            let next = next.get_mut(index(group) - done)?;
            *next += 1;
            Some(*next - 1)
        };
        self.places.resize(start + self.admitted.len(), Place::default());
        if self.keys.is_empty() {
            for Admitted { group, place } in &self.admitted {
                if let Some(free) = put(*group).and_then(|at| self.places.get_mut(at)) {
                    *free = *place;
                }
            }
        } else {
            let mut keyed = vec![Keyed::default(); self.admitted.len()];
            for (Admitted { group, place }, key) in self.admitted.iter().zip(&self.keys) {
                if let Some(free) = put(*group).and_then(|at| keyed.get_mut(at - start)) {
                    *free = (*key, *place);
                }
            }
            self.sort_within_groups(&mut keyed, start);
        }
        self.in_order = self.groups.len();
        self.admitted.clear();
        self.keys.clear();
    }

    /// Sorts the events of each group; the first of them has this position.
    fn sort_within_groups(&mut self, keyed: &mut [Keyed], start: usize) {
        let Self { groups, places, odd_moments, in_order, .. } = self;
        let mut spare = Vec::new();
        for group in groups.get(*in_order..).unwrap_or_default() {
            let rows = group.rows.start - start..group.rows.end - start;
            let Some(keyed) = keyed.get_mut(rows) else { continue };
            sorting::sort(keyed, &mut spare, |(key, _)| (*key).into());
            if !odd_moments.is_empty() {
                sort_within_seconds(odd_moments, keyed);
            }
            let sorted = places.get_mut(group.rows.clone()).unwrap_or_default();
            sorted.iter_mut().zip(&*keyed).for_each(|(free, (_, place))| *free = *place);
        }
    }

    /// Says where the rows of each group stand that is not in order yet, and returns where each begins.
    fn begin_groups(&mut self) -> Vec<usize> {
        let done = self.in_order;
        let mut order: Vec<usize> = (done..self.groups.len()).collect();
        if !of_one_extension(self.grouping) {
            order.sort_by_cached_key(|at| self.groups.get(*at).map(|group| self.stands(group)));
        }
        let (mut begin, mut end) = (vec![0; order.len()], self.places.len());
        for at in order {
            if let (Some(group), Some(begin)) = (self.groups.get_mut(at), begin.get_mut(at - done))
            {
                *begin = end;
                end += group.rows.end;
                group.rows = *begin..end;
            }
        }
        begin
    }

    /// Where a group stands among those of its kind, while its rows begin at none.
    fn stands(&self, group: &EventGroup) -> (bool, u64, Reverse<usize>, &str) {
        let size = Reverse(group.rows.end);
        match group.kind {
            Kind::Type(event_type) => (false, event_type.number().into(), Reverse(0), ""),
            Kind::Extension(_) | Kind::Alike { .. } => (false, 0, Reverse(0), ""),
            Kind::Host(host) => {
                let name = host.and_then(|host| self.strings.host_name(host));
                (host.is_none(), 0, size, name.map_or("", |name| name.raw()))
            }
            Kind::Note(note) => {
                let note = self.strings.text(note).unwrap_or_default();
                (note.is_empty(), 0, size, note)
            }
            Kind::Owner(owner) => {
                let id = owner.and_then(|owner| self.owners.get(owner));
                let id = id.map_or("", UserId::as_str);
                (id.is_empty(), id.parse().unwrap_or(u64::MAX), Reverse(0), id)
            }
        }
    }
}

/// Whether no group has events of several extensions, so that groups stand in the order of these.
fn of_one_extension(grouping: Grouping) -> bool {
    match grouping {
        Grouping::Extension | Grouping::Duplicates => true,
        Grouping::Type | Grouping::Host | Grouping::Note | Grouping::Owner => false,
    }
}

/// The second of a moment, the nearest one where there is no number for it.
fn key_of((second, _): Moment) -> u32 {
    u32::try_from(second.max(0)).unwrap_or(LAST).min(LAST - 1)
}

/// Puts events of one group that changed within the same second in the order of the moments.
fn sort_within_seconds(odd_moments: &HashMap<Place, Moment>, keyed: &mut [Keyed]) {
    for second in keyed.chunk_by_mut(|(one, _), (other, _)| one == other) {
        second.sort_by_key(|(key, place)| {
            odd_moments.get(place).copied().unwrap_or(((*key).into(), 0))
        });
    }
}

/// What is common to events that are duplicates of this one.
fn kind_of_alike(extension: u32, shelf: &Shelf, row: usize) -> Kind {
    let listing = &shelf.listing;
    let text = |at: Option<usize>| at.and_then(|at| listing.number_at(at)).unwrap_or(NONE);
    Kind::Alike {
        extension,
        event_type: listing.type_at(row),
        method: match listing.method_at(row) {
            documented @ (0 | 1) => documented.into(),
            other => text(listing.other_at(other)).saturating_add(2),
        },
        url: text(listing.url_at(row)),
    }
}
