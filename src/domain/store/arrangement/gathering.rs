//! Finds the group and the order of every event that an arrangement shows.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::super::{Extension, Foreign, UserId, host_of};
use super::super::{Listing, Shelf};
use super::{EventGroup, EventOrder, GroupKey, Grouping, Place, index};

/// The group of a row that is in none.
const NONE: u32 = u32::MAX;

/// What has been gathered of the extensions so far.
pub(super) struct Gathering<'a> {
    grouping: Grouping,
    order: EventOrder,
    zone: &'a TimeZone,
    groups: Vec<Gathered>,
    known: HashMap<GroupKey, u32>,
    /// Groups of shared texts, by where these lie.
    by_text: HashMap<usize, u32>,
    /// The extension that is gathered now, its listing, and the group of each of its rows.
    extension: u32,
    shelf: Option<&'a Shelf>,
    of_row: Vec<u32>,
    admitted: Vec<(u32, Place)>,
    sorted_by: SortedBy<'a>,
    staying: Vec<Place>,
}

/// A group, and how many of its events there are and are admitted.
struct Gathered {
    key: GroupKey,
    listed: usize,
    admitted: usize,
}

/// What each admitted event is sorted by.
enum SortedBy<'a> {
    Nothing,
    Date(Vec<Option<Timestamp>>),
    Text(Vec<&'a str>),
}

impl<'a> Gathering<'a> {
    pub(super) fn new(grouping: Grouping, order: EventOrder, zone: &'a TimeZone) -> Self {
        let sorted_by = match order {
            EventOrder::Listed => SortedBy::Nothing,
            EventOrder::Oldest => SortedBy::Date(Vec::new()),
            EventOrder::Url | EventOrder::Note => SortedBy::Text(Vec::new()),
        };
        Self {
            grouping,
            order,
            zone,
            groups: Vec::new(),
            known: HashMap::new(),
            by_text: HashMap::new(),
            extension: 0,
            shelf: None,
            of_row: Vec::new(),
            admitted: Vec::new(),
            sorted_by,
            staying: Vec::new(),
        }
    }

    /// Goes on with the next extension.
    pub(super) fn begin(&mut self, place: u32, extension: &Extension, shelf: &'a Shelf) {
        (self.extension, self.shelf) = (place, Some(shelf));
        let listing = &shelf.listing;
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
            Grouping::Host => self.put_by_text(listing, Listing::url_at, |url| {
                let host = host_of(url);
                GroupKey::Host((!host.is_empty()).then(|| host.to_ascii_lowercase().into()))
            }),
            Grouping::Note => self.put_by_text(listing, Listing::note_at, |note| {
                GroupKey::Note(Foreign::from(Arc::clone(note)))
            }),
            Grouping::Duplicates => self.put_alike(listing),
        }
        for group in &self.of_row {
            if let Some(group) = self.groups.get_mut(index(*group)) {
                group.listed += 1;
            }
        }
    }

    /// The group with this key, a new one where there is none yet.
    fn group(&mut self, key: GroupKey) -> u32 {
        let new = u32::try_from(self.groups.len()).unwrap_or(NONE);
        let group = *self.known.entry(key.clone()).or_insert(new);
        if group == new {
            self.groups.push(Gathered { key, listed: 0, admitted: 0 });
        }
        group
    }

    fn put_all(&mut self, listing: &Listing, key: GroupKey) {
        if !listing.is_empty() {
            let group = self.group(key);
            self.of_row.resize(listing.len(), group);
        }
    }

    /// Puts each row where one of its texts belongs, which is found out once for each text.
    fn put_by_text(
        &mut self,
        listing: &Listing,
        text_at: impl Fn(&Listing, usize) -> Option<usize>,
        key: impl Fn(&Arc<str>) -> GroupKey,
    ) {
        let mut of_text = vec![NONE; listing.strings().len()];
        for row in 0..listing.len() {
            let at = text_at(listing, row).unwrap_or(usize::MAX);
            let (Some(group), Some(text)) = (of_text.get_mut(at), listing.strings().get(at)) else {
                continue;
            };
            if *group == NONE {
                let lies_at = Arc::as_ptr(text).addr();
                *group = match self.by_text.get(&lies_at) {
                    Some(group) => *group,
                    None => self.group(key(text)),
                };
                self.by_text.insert(lies_at, *group);
            }
            self.of_row.push(*group);
        }
    }

    fn put_alike(&mut self, listing: &Listing) {
        self.of_row.resize(listing.len(), NONE);
        let alike = listing.alike(self.zone);
        for set in alike.chunk_by(|one, other| one.first == other.first) {
            let Some(event) = set.first().and_then(|one| listing.row(one.row)) else { continue };
            let group = u32::try_from(self.groups.len()).unwrap_or(NONE);
            let key = GroupKey::Alike {
                extension: listing.extension().clone(),
                event_type: event.event_type(),
                method: event.method(),
                url: event.url(),
            };
            self.groups.push(Gathered { key, listed: 0, admitted: 0 });
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
        gathered.admitted += 1;
        self.admitted.push((group, place));
        let listing = &shelf.listing;
        match &mut self.sorted_by {
            SortedBy::Nothing => {}
            SortedBy::Date(dates) => {
                dates.push(listing.row(row).and_then(|event| event.modified().instant(self.zone)));
            }
            SortedBy::Text(texts) => {
                let of_url = self.order == EventOrder::Url;
                let at = if of_url { listing.url_at(row) } else { listing.note_at(row) };
                let text = at.and_then(|at| listing.strings().get(at));
                texts.push(text.map_or("", |text| text));
            }
        }
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
        let Self { groups, admitted, sorted_by, .. } = self;
        let (mut next, mut end) = (vec![0; groups.len()], 0);
        let shown = groups.into_iter().zip(0..).filter(|(group, _)| group.admitted > 0);
        let mut shown: Vec<(Gathered, usize)> = shown.collect();
        shown.sort_by(|(one, _), (other, _)| one.stands().cmp(&other.stands()));
        let arranged = shown.into_iter().map(|(Gathered { key, listed, admitted }, at)| {
            let start = end;
            end += admitted;
            if let Some(next) = next.get_mut(at) {
                *next = start;
            }
            EventGroup { key, rows: start..end, listed, marked: 0 }
        });
        let arranged = arranged.collect();
        let mut places = vec![Place::default(); admitted.len()];
        for event in sorted_by.order(admitted.len()) {
            let Some((group, place)) = admitted.get(event) else { continue };
            let Some(next) = next.get_mut(index(*group)) else { continue };
            if let Some(free) = places.get_mut(*next) {
                *free = *place;
            }
            *next += 1;
        }
        (places, arranged)
    }
}

impl SortedBy<'_> {
    /// The numbers of events in order.
    fn order(&self, events: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..events).collect();
        match self {
            Self::Nothing => {}
            Self::Date(dates) => order.sort_by_key(|event| {
                let date = dates.get(*event).copied().flatten();
                (date.is_none(), date)
            }),
            Self::Text(texts) => order.sort_by_key(|event| {
                let text = texts.get(*event).copied().unwrap_or_default();
                (text.is_empty(), text)
            }),
        }
        order
    }
}

impl Gathered {
    /// Where it stands among groups of its kind.
    fn stands(&self) -> (bool, u64, Reverse<usize>, &str) {
        let size = Reverse(self.admitted);
        match &self.key {
            GroupKey::Type(event_type) => (false, event_type.number().into(), Reverse(0), ""),
            GroupKey::Extension(_) | GroupKey::Alike { .. } => (false, 0, Reverse(0), ""),
            GroupKey::Host(host) => {
                (host.is_none(), 0, size, host.as_ref().map_or("", Foreign::raw))
            }
            GroupKey::Note(note) => (note.is_empty(), 0, size, note.raw()),
            GroupKey::Owner(owner) => {
                let id = owner.as_ref().map_or("", UserId::as_str);
                (id.is_empty(), id.parse().unwrap_or(u64::MAX), Reverse(0), id)
            }
        }
    }
}
