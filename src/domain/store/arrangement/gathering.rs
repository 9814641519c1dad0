//! Finds the group and the order of every event that an arrangement shows.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::super::super::{Extension, Foreign, UserId};
use super::super::sorting::{self, Keyed};
use super::super::strings::Strings;
use super::super::{Listing, Shelf};
use super::{EventGroup, EventOrder, GroupKey, Grouping, Place, index};

/// The group of a row that is in none.
const NONE: u32 = u32::MAX;
/// What comes behind everything that there is to sort by.
const LAST: u64 = u64::MAX;

/// What has been gathered of the extensions so far.
pub(super) struct Gathering<'a> {
    grouping: Grouping,
    order: EventOrder,
    zone: &'a TimeZone,
    strings: &'a Strings,
    /// As long as they are gathered, each with as many rows as are admitted.
    groups: Vec<EventGroup>,
    known: HashMap<GroupKey, u32>,
    /// Groups of hosts or notes by their numbers, where these are what it is grouped by.
    by_number: Vec<u32>,
    /// The extension that is gathered now, and the group of each of its rows.
    extension: u32,
    shelf: Option<&'a Shelf>,
    of_row: Vec<u32>,
    admitted: Vec<(u32, Place)>,
    /// What each of these is sorted by, with its place among them, where that is not how they are
    /// listed.
    keyed: Vec<Keyed>,
    staying: Vec<Place>,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(
        grouping: Grouping,
        order: EventOrder,
        zone: &'a TimeZone,
        strings: &'a Strings,
    ) -> Self {
        let numbers = match grouping {
            // One more for what has no host.
            Grouping::Host => strings.hosts() + 1,
            Grouping::Note => strings.len(),
            Grouping::Type | Grouping::Extension | Grouping::Owner | Grouping::Duplicates => 0,
        };
        Self {
            grouping,
            order,
            zone,
            strings,
            groups: Vec::new(),
            known: HashMap::new(),
            by_number: vec![NONE; numbers],
            extension: 0,
            shelf: None,
            of_row: Vec::new(),
            admitted: Vec::new(),
            keyed: Vec::new(),
            staying: Vec::new(),
        }
    }

    /// Goes on with the next extension.
    pub(super) fn begin(&mut self, place: u32, extension: &Extension, shelf: &'a Shelf) {
        (self.extension, self.shelf) = (place, Some(shelf));
        let (listing, strings) = (&shelf.listing, self.strings);
        let text = |at: Option<usize>| shelf.texts.get(at?).copied();
        self.of_row.clear();
        match self.grouping {
            Grouping::Type => {
                for (event_type, rows) in listing.groups() {
                    let group = self.group(GroupKey::Type(event_type));
                    self.of_row.resize(rows.end, group);
                }
            }
            Grouping::Extension => {
                self.put_all(listing, GroupKey::Extension(extension.number.clone()));
            }
            Grouping::Owner => {
                let owner = extension.owner.as_ref().map(|owner| owner.id.clone());
                self.put_all(listing, GroupKey::Owner(owner));
            }
            Grouping::Host => self.put_by_number(
                |row| {
                    let host = text(listing.url_at(row)).and_then(|url| strings.host_of(url));
                    host.map_or(strings.hosts(), index)
                },
                |host| GroupKey::Host(strings.host_name(host).cloned()),
            ),
            Grouping::Note => self.put_by_number(
                |row| text(listing.note_at(row)).map_or(usize::MAX, index),
                |note| {
                    let note = strings.text(note).map(|note| Foreign::from(Arc::clone(note)));
                    GroupKey::Note(note.unwrap_or_default())
                },
            ),
            Grouping::Duplicates => self.put_alike(listing),
        }
        for group in &self.of_row {
            if let Some(group) = self.groups.get_mut(index(*group)) {
                group.listed += 1;
            }
        }
    }

    /// A new group.
    fn found(&mut self, key: GroupKey) -> u32 {
        let new = u32::try_from(self.groups.len()).unwrap_or(NONE);
        self.groups.push(EventGroup { key, rows: 0..0, listed: 0, marked: 0 });
        new
    }

    /// The group with this key, a new one where there is none yet.
    fn group(&mut self, key: GroupKey) -> u32 {
        if let Some(group) = self.known.get(&key) {
            return *group;
        }
        let group = self.found(key.clone());
        self.known.insert(key, group);
        group
    }

    fn put_all(&mut self, listing: &Listing, key: GroupKey) {
        if !listing.is_empty() {
            let group = self.group(key);
            self.of_row.resize(listing.len(), group);
        }
    }

    /// Puts each row in the group of a number that it has.
    fn put_by_number(&mut self, number_of: impl Fn(usize) -> usize, key: impl Fn(u32) -> GroupKey) {
        let rows = self.shelf.map_or(0, |shelf| shelf.listing.len());
        for row in 0..rows {
            let number = number_of(row);
            let mut group = self.by_number.get(number).copied().unwrap_or(NONE);
            if group == NONE {
                group = self.found(key(u32::try_from(number).unwrap_or(NONE)));
                if let Some(by_number) = self.by_number.get_mut(number) {
                    *by_number = group;
                }
            }
            self.of_row.push(group);
        }
    }

    fn put_alike(&mut self, listing: &Listing) {
        self.of_row.resize(listing.len(), NONE);
        let alike = listing.alike(self.zone);
        for set in alike.chunk_by(|one, other| one.first == other.first) {
            let Some(event) = set.first().and_then(|one| listing.row(one.row)) else { continue };
            let group = self.found(GroupKey::Alike {
                extension: listing.extension().clone(),
                event_type: event.event_type(),
                method: event.method(),
                url: event.url(),
            });
            for one in set {
                if let Some(of_row) = self.of_row.get_mut(one.row) {
                    *of_row = group;
                }
                self.staying.extend(self.place(one.row).filter(|_| one.stays));
            }
        }
    }

    /// Whether a row of the extension is in any group.
    pub(super) fn holds(&self, row: usize) -> bool {
        self.of_row.get(row).is_some_and(|group| *group != NONE)
    }

    /// Takes in every row of the extension that is in any group.
    pub(super) fn admit_all(&mut self) {
        for row in 0..self.of_row.len() {
            self.admit(row);
        }
    }

    /// Takes in a row of the extension, where it is in any group.
    pub(super) fn admit(&mut self, row: usize) {
        let group = self.of_row.get(row).copied().unwrap_or(NONE);
        let (Some(place), Some(shelf)) = (self.place(row), self.shelf) else { return };
        let Some(gathered) = self.groups.get_mut(index(group)) else { return };
        gathered.rows.end += 1;
        self.admitted.push((group, place));
        let listing = &shelf.listing;
        let key = match self.order {
            EventOrder::Listed => return,
            EventOrder::Oldest => listing.moment_at(row, self.zone),
            EventOrder::Url => self.rank(shelf, listing.url_at(row)),
            EventOrder::Note => self.rank(shelf, listing.note_at(row)),
        };
        let at = u32::try_from(self.keyed.len()).unwrap_or(u32::MAX);
        self.keyed.push((key.unwrap_or(LAST), at));
    }

    /// The place of a text among all that are sorted; `None` for the empty one.
    fn rank(&self, shelf: &Shelf, text: Option<usize>) -> Option<u64> {
        let text = *shelf.texts.get(text?)?;
        let rank = self.strings.ranks().get(index(text))?;
        self.strings.text(text).filter(|text| !text.is_empty()).map(|_| u64::from(*rank))
    }

    fn place(&self, row: usize) -> Option<Place> {
        let number = self.shelf?.removed.number_of(row);
        Some(Place { extension: self.extension, row: u32::try_from(number).ok()? })
    }

    /// Of each set of duplicates the one that stays, in ascending order.
    pub(super) fn take_staying(&mut self) -> Vec<Place> {
        let mut staying = std::mem::take(&mut self.staying);
        staying.sort_unstable();
        staying
    }

    /// Everything that was taken in, group by group, and the groups.
    pub(super) fn finish(self) -> (Vec<Place>, Vec<EventGroup>) {
        let Self { mut groups, admitted, mut keyed, .. } = self;
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by(|one, other| {
            groups.get(*one).map(stands).cmp(&groups.get(*other).map(stands))
        });
        let (mut next, mut end) = (vec![0; groups.len()], 0);
        for at in order {
            if let (Some(group), Some(next)) = (groups.get_mut(at), next.get_mut(at)) {
                *next = end;
                end += group.rows.end;
                group.rows = *next..end;
            }
        }
        let mut places = vec![Place::default(); admitted.len()];
        let mut put = |(group, place): &(u32, Place)| {
            let Some(next) = next.get_mut(index(*group)) else { return };
            if let Some(free) = places.get_mut(*next) {
                *free = *place;
            }
            *next += 1;
        };
        if keyed.is_empty() {
            admitted.iter().for_each(put);
        } else {
            in_order(&mut keyed);
            for (_, at) in keyed {
                admitted.get(index(at)).into_iter().for_each(&mut put);
            }
        }
        groups.retain(|group| !group.rows.is_empty());
        groups.sort_by_key(|group| group.rows.start);
        (places, groups)
    }
}

/// Sorts; what comes last stands no further behind the others than it has to, as numbers that
/// differ in few bits are sorted faster.
fn in_order(keyed: &mut [Keyed]) {
    let others = keyed.iter().map(|(key, _)| *key).filter(|key| *key != LAST).max();
    let last = others.map_or(0, |most| most + 1);
    for (key, _) in keyed.iter_mut() {
        *key = last.min(*key);
    }
    sorting::sort(keyed);
}

/// Where a group stands among those of its kind, while its rows begin at none.
fn stands(group: &EventGroup) -> (bool, u64, Reverse<usize>, &str) {
    let size = Reverse(group.rows.end);
    match &group.key {
        GroupKey::Type(event_type) => (false, event_type.number().into(), Reverse(0), ""),
        GroupKey::Extension(_) | GroupKey::Alike { .. } => (false, 0, Reverse(0), ""),
        GroupKey::Host(host) => (host.is_none(), 0, size, host.as_ref().map_or("", Foreign::raw)),
        GroupKey::Note(note) => (note.is_empty(), 0, size, note.raw()),
        GroupKey::Owner(owner) => {
            let id = owner.as_ref().map_or("", UserId::as_str);
            (id.is_empty(), id.parse().unwrap_or(u64::MAX), Reverse(0), id)
        }
    }
}
