//! One extension's events in 20 bytes a row, an arena of ids and a table of distinct strings.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use jiff::tz::TimeZone;

use super::distinct::Distinct;
use super::ending::ListEnd;
use super::faults::{Faults, Key};
use super::numbers::{Numbers, index, number_of};
use super::strings::Strings;
use super::text::{RowText, Texts};

use super::super::bundle::Bundle;
use super::super::{
    Access, Candidate, EventId, EventKey, EventType, Extension, ExtensionNumber, Foreign, Method,
    Modified, Open, PhoneCallEvent, Standings, Status,
};

/// Rows that cannot be used and are kept to be shown; more of them are counted.
const MOST_ODD: usize = 1_000;
/// Longest text kept of a row that cannot be used, in characters, and the bytes that these may take.
const ODD_CHARS: usize = 2_000;
const ODD_BYTES: usize = 4 * ODD_CHARS;

/// What an answer to *List PhoneCallEvents* said of one extension.
///
/// Rows are grouped by type, types in the order of their numbers, and within a type in the order
/// of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    extension: ExtensionNumber,
    /// `None` where it is the profile's user, and the owner is not known.
    access: Option<Box<Access>>,
    rows: Vec<Row>,
    groups: Box<[Group]>,
    ids: Box<str>,
    strings: Distinct,
    /// Places in `strings` of methods and statuses that are neither 0 nor 1.
    others: Box<[u32]>,
    odd: Box<[OddRow]>,
    end: ListEnd,
    /// `None` where there are none.
    faults: Option<Box<Faults>>,
    /// The rows as the service wrote them, where they may go into a run file.
    texts: Option<Box<Texts>>,
}

/// A row that the service listed and that no DELETE may name: it is shown, counted, never marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRow {
    /// Its type, where that could be read.
    pub event_type: Option<EventType>,
    /// The row as the service wrote it.
    pub text: Foreign,
    /// Why it cannot be deleted from here.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    id_start: u32,
    url: u32,
    note: u32,
    /// Seconds, or an index into the strings, as `zone` says.
    modified: u32,
    id_length: u8,
    zone: i8,
    method: Choice,
    status: Choice,
}

/// 0 and 1 are the documented values, larger numbers the listing's other values from 0 on.
type Choice = u8;

/// The rows of one type: from the end of the group before it to its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Group {
    event_type: u16,
    end: u32,
}

/// Why neither of two rows with one key can be used: nobody knows which of them a call would mean.
const DISPUTED: &str = "its id is listed twice, with different contents";

const ENABLED: Choice = 1;

/// In nanoseconds.
const SECOND: i128 = 1_000_000_000;

const ZONE_MISSING: i8 = i8::MIN;
const ZONE_RAW: i8 = i8::MIN + 1;
const ZONE_UTC: i8 = i8::MIN + 2;

impl Listing {
    /// Whose events these are.
    pub fn extension(&self) -> &ExtensionNumber {
        &self.extension
    }

    /// How the extension was reached.
    pub fn access(&self) -> &Access {
        const UNKNOWN: &Access = &Access { user: None, owner: None };
        self.access.as_deref().unwrap_or(UNKNOWN)
    }

    /// The listing with how the extension was reached.
    #[must_use]
    pub fn reached(self, access: Access) -> Self {
        let access = (access != Access::default()).then(|| Box::new(access));
        Self { access, ..self }
    }

    /// Whether it is empty, and nobody knows whether its user reaches the extension.
    pub fn is_unproven(&self) -> bool {
        self.end == ListEnd::Unproven
    }

    /// The listing as read by a user who may not reach the extension; empty, it proves nothing.
    #[must_use]
    pub fn unproven(self) -> Self {
        let says_nothing = self.is_empty() && self.odd.is_empty() && self.end.is_whole();
        let end = if says_nothing { ListEnd::Unproven } else { self.end };
        Self { end, ..self }
    }

    /// Whether both hold the same events, by their ids, and surely all there are: then two numbers
    /// name one extension.
    pub fn proves_the_same(&self, other: &Self) -> bool {
        let ids = |listing: &Self| {
            let rows = (0..listing.len()).filter_map(|row| listing.row(row));
            rows.map(|event| (event.event_type(), event.id().to_owned())).collect::<BTreeSet<_>>()
        };
        let sound = self.is_complete() && other.is_complete() && !self.is_empty();
        sound && self.len() == other.len() && ids(self) == ids(other)
    }

    /// The short numbers among these whose extension has a longer one there too.
    pub fn named_twice<'a>(
        listings: impl IntoIterator<Item = &'a Self> + Clone,
    ) -> BTreeSet<ExtensionNumber> {
        let extended = listings.clone().into_iter();
        let extended: HashMap<&str, &Self> =
            extended.filter_map(|it| Some((it.extension.short()?, it))).collect();
        let shorts = listings.into_iter().filter(|it| it.extension.short().is_none());
        let same = |it: &&Self| {
            extended.get(it.extension.as_str()).is_some_and(|long| it.proves_the_same(long))
        };
        shorts.filter(same).map(|it| it.extension.clone()).collect()
    }

    /// Whether each of its rows names the same event as the row of another at the same place.
    pub(super) fn has_the_rows_of(&self, other: &Self) -> bool {
        self.groups == other.groups
            && self
                .rows
                .iter()
                .map(|row| id_of(&self.ids, row))
                .eq(other.rows.iter().map(|row| id_of(&other.ids, row)))
    }

    /// Whether it says the same of the same rows as another.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let is_same = |(one, two): (&Row, &Row)| {
            let packed = one.zone == two.zone && one.modified == two.modified;
            let raw = one.zone == ZONE_RAW && two.zone == ZONE_RAW;
            self.text(one.url) == other.text(two.url)
                && self.text(one.note) == other.text(two.note)
                && self.written(one.method) == other.written(two.method)
                && self.written(one.status) == other.written(two.status)
                && if raw { self.text(one.modified) == other.text(two.modified) } else { packed }
        };
        self.has_the_rows_of(other)
            && self.rows.iter().zip(&other.rows).all(is_same)
            && self.odd == other.odd
    }

    /// How many events can be named and deleted.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there is no event that can be named.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether this is surely all that the service has, each row readable and there once.
    pub fn is_complete(&self) -> bool {
        self.end.is_whole() && self.is_sound()
    }

    /// Whether a call that names no event may rest on it: an empty page was seen behind the last row,
    /// whatever the service announces.
    pub fn is_complete_for_wide(&self) -> bool {
        self.end == ListEnd::Seen && self.is_sound()
    }

    fn is_sound(&self) -> bool {
        self.odd.is_empty() && self.faults.is_none()
    }

    /// Why it is not complete, in words.
    pub fn why_incomplete(&self) -> Option<String> {
        let none = Faults::default();
        let faults = self.faults.as_deref().unwrap_or(&none);
        let end = self.end.why_not_whole().map(ToOwned::to_owned);
        let said: Vec<_> = end.into_iter().chain(faults.in_words(self.odd_rows())).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// Whether every row that there is to see is in it, though nobody can tell whether there are more,
    /// and some may not be usable.
    pub fn is_all_there_is_to_see(&self) -> bool {
        self.end.is_all_there_is_to_see()
    }

    /// Whether reading it once more may bring rows that are missing.
    pub fn is_worth_reading_again(&self) -> bool {
        self.end.may_be_better()
    }

    /// How many rows cannot be used; no more than a thousand of them are kept.
    pub fn odd_rows(&self) -> usize {
        self.odd.len() + self.faults.as_ref().map_or(0, |faults| faults.more_odd)
    }

    /// Rows that are listed but cannot be used, at most a thousand.
    pub fn odd(&self) -> &[OddRow] {
        &self.odd
    }

    /// One event.
    pub fn row(&self, row: usize) -> Option<EventView<'_>> {
        #[cfg(test)]
        super::looked::at(1);
        self.rows.get(row).map(|fields| EventView { listing: self, index: row, row: fields })
    }

    /// The types that have events, each with its rows.
    pub fn groups(&self) -> impl Iterator<Item = (EventType, Range<usize>)> + '_ {
        let mut start = 0;
        self.groups.iter().map(move |group| {
            let rows = start..index(group.end);
            start = rows.end;
            (EventType::from_number(group.event_type), rows)
        })
    }

    /// The rows of one type; empty when it has none.
    pub fn rows_of(&self, event_type: EventType) -> Range<usize> {
        let mut groups = self.groups();
        groups.find(|(found, _)| *found == event_type).map_or(0..0, |(_, rows)| rows)
    }

    /// The type of a row.
    pub(super) fn type_at(&self, row: usize) -> EventType {
        let group = self.groups.get(self.groups.partition_point(|group| index(group.end) <= row));
        EventType::from_number(group.map_or(u16::MAX, |group| group.event_type))
    }

    /// The number of a row's method: 0 and 1 are the documented ones, of others the
    /// [place](Self::other_at) of its text.
    pub(super) fn method_at(&self, row: usize) -> u8 {
        self.rows.get(row).map_or(0, |row| row.method)
    }

    /// The number of a row's status, likewise.
    pub(super) fn status_at(&self, row: usize) -> u8 {
        self.rows.get(row).map_or(0, |row| row.status)
    }

    /// The place of the text of a method or status among the [`strings`](Self::strings).
    pub(super) fn other_at(&self, choice: u8) -> Option<usize> {
        let other = self.others.get(usize::from(choice).checked_sub(2)?)?;
        usize::try_from(*other).ok()
    }

    pub(super) fn is_enabled(&self, row: usize) -> bool {
        self.rows.get(row).is_some_and(|row| row.status == ENABLED)
    }

    /// The place of a row's URL among the [`strings`](Self::strings).
    pub(super) fn url_at(&self, row: usize) -> Option<usize> {
        self.rows.get(row).and_then(|row| usize::try_from(row.url).ok())
    }

    /// The place of a row's note among the [`strings`](Self::strings).
    pub(super) fn note_at(&self, row: usize) -> Option<usize> {
        self.rows.get(row).and_then(|row| usize::try_from(row.note).ok())
    }

    /// When a row was last changed, where that can be read: seconds since 1970, and nanoseconds.
    pub(super) fn moment_at(&self, row: usize, local: &TimeZone) -> Option<(i64, i32)> {
        let fields = self.rows.get(row)?;
        match fields.zone {
            ZONE_MISSING => None,
            ZONE_RAW => {
                let moment = self.row(row)?.modified().instant(local)?;
                // Before 1970 both count backwards.
                let second = moment.as_nanosecond().div_euclid(SECOND);
                let rest = moment.as_nanosecond().rem_euclid(SECOND);
                Some((i64::try_from(second).ok()?, i32::try_from(rest).ok()?))
            }
            _ => Some((fields.modified.into(), 0)),
        }
    }

    /// How many of its events have this URL.
    pub(super) fn count_of_url(&self, url: &str) -> usize {
        let place = self.strings.texts().position(|known| known == url);
        let place = place.and_then(|place| u32::try_from(place).ok());
        place.map_or(0, |place| self.rows.iter().filter(|row| row.url == place).count())
    }

    /// The row of an event.
    pub fn find(&self, key: &EventKey) -> Option<usize> {
        if key.extension != self.extension {
            return None;
        }
        self.rows_of(key.event_type)
            .find(|&row| self.row(row).is_some_and(|view| view.id() == key.id.as_str()))
    }

    /// The row of every event, by its type and id.
    pub(super) fn rows_by_key(&self) -> HashMap<(EventType, &str), usize> {
        (0..self.len()).filter_map(|row| Some((self.row(row)?.name(), row))).collect()
    }

    /// Whether an event is listed, also where its row cannot be used as another has the same key.
    pub fn lists(&self, key: &EventKey) -> bool {
        let disputed = || self.faults.as_ref().is_some_and(|faults| faults.disputes(key));
        self.find(key).is_some() || (key.extension == self.extension && disputed())
    }

    /// Lets go of the rows as the service wrote them.
    pub fn forget_texts(&mut self) {
        self.texts = None;
    }

    /// Gives back what room the rows as the service wrote them do not need.
    pub(super) fn keep_texts(&mut self) {
        if let Some(texts) = &mut self.texts {
            texts.fit();
        }
    }

    pub(super) fn remove(&mut self, row: usize) {
        self.rows.remove(row);
        if let Some(texts) = &mut self.texts {
            texts.remove(row);
        }
        for group in &mut self.groups {
            group.end -= u32::from(index(group.end) > row);
        }
        // At most the group of that row has become empty.
        let empty = self.groups().position(|(_, rows)| rows.is_empty());
        if let Some(empty) = empty {
            let mut groups = std::mem::take(&mut self.groups).into_vec();
            groups.remove(empty);
            self.groups = groups.into();
        }
    }

    /// Lets equal strings of all listings be one.
    pub(super) fn share_strings(&mut self, shared: &mut Strings) {
        self.strings = shared.share(&self.strings);
    }

    fn other(&self, choice: Choice) -> Foreign {
        let place = usize::from(choice).checked_sub(2).and_then(|place| self.others.get(place));
        place.map_or_else(Foreign::default, |index| self.string(*index))
    }

    fn string(&self, place: u32) -> Foreign {
        self.strings.shared(index(place)).unwrap_or_default()
    }

    fn text(&self, place: u32) -> &str {
        self.text_at(index(place))
    }

    /// A method or status as the service wrote it.
    pub(super) fn written(&self, choice: Choice) -> &str {
        match choice {
            0 => "0",
            1 => "1",
            other => self.other_at(other).map_or("", |place| self.text_at(place)),
        }
    }

    /// How many distinct texts its rows have.
    pub(super) fn texts(&self) -> usize {
        self.strings.len()
    }

    /// One of them.
    pub(super) fn text_at(&self, place: usize) -> &str {
        self.strings.get(place).unwrap_or_default()
    }

    /// The number that the store gave to one of them.
    pub(super) fn number_at(&self, place: usize) -> Option<u32> {
        self.strings.number(place)
    }

    /// Which of them a term fits.
    pub(super) fn texts_that_fit(&self, term: &Open<'_>) -> Vec<bool> {
        self.strings.that_fit(term)
    }

    /// Which of them have a host that fits, as the store knows their hosts.
    pub(super) fn hosts_that(&self, strings: &Strings, fits: impl Fn(&str) -> bool) -> Vec<bool> {
        let host = |number| strings.host_of(number).and_then(|host| strings.host_name(host));
        let numbers = (0..self.texts()).map(|place| self.number_at(place).and_then(host));
        numbers.map(|host| fits(host.map_or("", Foreign::raw))).collect()
    }

    /// The id of a row.
    pub(super) fn id_at(&self, row: usize) -> &str {
        self.rows.get(row).map_or("", |row| id_of(&self.ids, row))
    }

    /// The ids of all rows, one behind the other in no order.
    pub(super) fn all_ids(&self) -> &str {
        &self.ids
    }
}

/// One row of a listing.
#[derive(Clone, Copy)]
pub struct EventView<'a> {
    listing: &'a Listing,
    index: usize,
    row: &'a Row,
}

impl<'a> EventView<'a> {
    /// The event as an expression asks about it; nothing is copied.
    pub fn candidate(&self, extension: &'a Extension) -> Candidate<'a> {
        Candidate {
            extension,
            event_type: self.event_type(),
            id: id_of(&self.listing.ids, self.row),
            method: self.listing.written(self.row.method),
            url: self.listing.text(self.row.url),
            note: self.listing.text(self.row.note),
            status: self.listing.written(self.row.status),
            modified: self.modified(),
            standings: Standings::default(),
        }
    }

    /// The extension whose event it is.
    pub fn extension(&self) -> &'a ExtensionNumber {
        &self.listing.extension
    }

    /// Its type.
    pub fn event_type(&self) -> EventType {
        self.listing.type_at(self.index)
    }

    /// Its id.
    pub fn id(&self) -> &'a str {
        id_of(&self.listing.ids, self.row)
    }

    /// The URL that the PBX requests.
    pub fn url(&self) -> Foreign {
        self.listing.string(self.row.url)
    }

    /// The operator's remark.
    pub fn note(&self) -> Foreign {
        self.listing.string(self.row.note)
    }

    /// How the URL is requested.
    pub fn method(&self) -> Method {
        match self.row.method {
            0 => Method::Get,
            1 => Method::Post,
            other => Method::Other(self.listing.other(other)),
        }
    }

    /// Whether it is on.
    pub fn status(&self) -> Status {
        match self.row.status {
            0 => Status::Disabled,
            1 => Status::Enabled,
            other => Status::Other(self.listing.other(other)),
        }
    }

    /// When it was last changed.
    pub fn modified(&self) -> Modified {
        let seconds = self.row.modified;
        match self.row.zone {
            ZONE_MISSING => Modified::Missing,
            ZONE_RAW => Modified::Other(self.listing.string(seconds)),
            ZONE_UTC => Modified::Packed { seconds, quarters: None },
            quarters => Modified::Packed { seconds, quarters: Some(quarters) },
        }
    }

    /// Its type and id, which name it in its listing.
    pub(super) fn name(&self) -> (EventType, &'a str) {
        (self.event_type(), id_of(&self.listing.ids, self.row))
    }

    /// What names it.
    pub fn key(&self) -> EventKey {
        EventKey {
            extension: self.listing.extension.clone(),
            event_type: self.event_type(),
            id: EventId::from_listing(self.id()),
        }
    }

    /// The event, whole.
    pub fn to_event(&self) -> PhoneCallEvent {
        PhoneCallEvent {
            key: self.key(),
            method: self.method(),
            url: self.url(),
            note: self.note(),
            status: self.status(),
            modified: self.modified(),
            text: self.text(),
        }
    }

    /// The row as the service wrote it, where that was kept.
    pub fn text(&self) -> Option<RowText> {
        self.listing.texts.as_ref()?.of(self.index)
    }
}

/// One event in the service's own notation: every field as text, empty where it was missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawEvent<'a> {
    /// `0` to `4`, or another number.
    pub event_type: &'a str,
    /// The service's id.
    pub id: &'a str,
    /// `0` GET, `1` POST.
    pub method: &'a str,
    /// The URL, percent signs and all.
    pub url: &'a str,
    /// The operator's remark.
    pub note: &'a str,
    /// `0` disabled, `1` enabled.
    pub status: &'a str,
    /// An XML Schema dateTime.
    pub modified: &'a str,
}

/// Makes a [`Listing`] row by row.
#[derive(Debug)]
pub struct ListingBuilder {
    extension: ExtensionNumber,
    /// Each with the number of its type.
    rows: Vec<(u16, Row)>,
    /// The texts of the rows that came with one, and where each row's stands.
    texts: Vec<u8>,
    places: Vec<Range<u32>>,
    ids: String,
    strings: Bundle,
    others: Vec<u32>,
    numbers: Numbers,
    odd: Vec<OddRow>,
    faults: Faults,
}

impl ListingBuilder {
    /// An empty listing of one extension.
    pub fn new(extension: ExtensionNumber) -> Self {
        Self {
            extension,
            rows: Vec::new(),
            texts: Vec::new(),
            places: Vec::new(),
            ids: String::new(),
            strings: Bundle::default(),
            others: Vec::new(),
            numbers: Numbers::default(),
            odd: Vec::new(),
            faults: Faults::default(),
        }
    }

    /// Takes one row. A row that no DELETE could name becomes an [`OddRow`]; none is lost.
    pub fn push(&mut self, event: RawEvent<'_>) {
        self.push_with_text(event, &[]);
    }

    /// Takes one row with its text in the answer; whether it is an event that can be named.
    pub fn push_with_text(&mut self, event: RawEvent<'_>, text: &[u8]) -> bool {
        let Err(reason) = self.try_push(event, text) else { return true };
        let event_type = EventType::parse(event.event_type);
        if text.is_empty() {
            let RawEvent { event_type: written, id, method, url, .. } = event;
            let text = format!("type {written} id {id} {method} {url}");
            self.push_odd(event_type, text, &reason);
        } else {
            self.push_odd(event_type, text, &reason);
        }
        false
    }

    /// Takes a row that could not even be read as an event. Of a long one the beginning is kept.
    pub fn push_odd(
        &mut self,
        event_type: Option<EventType>,
        text: impl AsRef<[u8]>,
        reason: &str,
    ) {
        if self.odd.len() >= MOST_ODD {
            self.faults.more_odd += 1;
            return;
        }
        let text = text.as_ref();
        let text = String::from_utf8_lossy(text.get(..ODD_BYTES).unwrap_or(text));
        let text = match text.char_indices().nth(ODD_CHARS) {
            Some((end, _)) => text.get(..end).unwrap_or_default(),
            None => &text,
        };
        self.odd.push(OddRow { event_type, text: Foreign::from(text), reason: reason.to_owned() });
    }

    /// The event that came last holds bytes that are no text.
    pub fn last_is_unreadable(&mut self) {
        let key = self.rows.len().checked_sub(1).and_then(|last| self.key_of(last));
        self.faults.unreadable.add(key);
    }

    /// A row that cannot be used holds bytes that are no text.
    pub fn odd_is_unreadable(&mut self) {
        self.faults.unreadable.add(None);
    }

    /// How many rows came in so far, odd ones too.
    pub fn len(&self) -> usize {
        self.rows.len() + self.odd.len() + self.faults.more_odd
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of the types that came in so far, of odd rows too, in no order.
    pub fn types(&self) -> impl Iterator<Item = u16> + '_ {
        let odd = self.odd.iter().filter_map(|row| row.event_type.map(EventType::number));
        self.rows.iter().map(|(event_type, _)| *event_type).chain(odd)
    }

    /// Groups the rows by type. Of rows that are the same letter by letter one is kept; of rows with
    /// one key that are not, none can be used.
    pub fn finish(mut self, end: impl Into<ListEnd>) -> Listing {
        let order = self.in_order();
        let Self { extension, rows, texts, places, ids, strings, others, odd, faults, .. } = self;
        let type_of = |at: &usize| rows.get(*at).map(|(event_type, _)| *event_type);
        let mut groups: Vec<Group> = Vec::new();
        for (place, event_type) in order.iter().filter_map(type_of).enumerate() {
            match groups.last_mut().filter(|group| group.event_type == event_type) {
                Some(group) => group.end = number_of(place + 1),
                None => groups.push(Group { event_type, end: number_of(place + 1) }),
            }
        }
        let texts = (!texts.is_empty()).then(|| {
            let place = |at: &usize| places.get(*at).cloned().unwrap_or_default();
            Box::new(Texts::new(texts, order.iter().map(place).collect()))
        });
        // Copies of exact size: shrinking in place would leave a hole behind every listing.
        let mut in_order = Vec::with_capacity(order.len());
        in_order.extend(order.iter().filter_map(|at| Some(rows.get(*at)?.1)));
        Listing {
            extension,
            access: None,
            rows: in_order,
            groups: groups.as_slice().into(),
            ids: ids.as_str().into(),
            strings: Distinct::new(strings),
            others: others.as_slice().into(),
            odd: odd.into(),
            end: end.into(),
            faults: (faults != Faults::default()).then(|| Box::new(faults)),
            texts,
        }
    }

    /// The places of the rows that can be used, grouped by type. Rows whose key another row has are
    /// taken out and noted.
    fn in_order(&mut self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|at| self.rows.get(*at).map(|(event_type, _)| *event_type));
        let mut first = Numbers::for_so_many(order.len());
        let (mut again, mut disputed) = (BTreeSet::new(), BTreeSet::new());
        for &at in &order {
            let Some(name) = self.name(at) else { continue };
            let known =
                first.known(name, number_of(at), |other| self.name(index(other)) == Some(name));
            match known.map(index) {
                None => {}
                Some(known) if self.is_same(known, at) => drop(again.insert(at)),
                Some(known) => disputed.extend([known, at]),
            }
        }
        if again.is_empty() && disputed.is_empty() {
            return order;
        }
        order.retain(|at| !again.contains(at) && !disputed.contains(at));
        for at in again {
            let key = self.key_of(at);
            self.faults.repeated.add(key);
        }
        self.faults.disputed_rows = disputed.len();
        let mut keys = BTreeSet::new();
        for at in disputed {
            let Some(key) = self.key_of(at) else { continue };
            let (event_type, text) = (EventType::from_number(key.0), self.written(at));
            self.push_odd(Some(event_type), text, DISPUTED);
            keys.insert(key);
        }
        self.faults.disputed = keys.into_iter().collect();
        order
    }

    fn key_of(&self, at: usize) -> Option<Key> {
        self.name(at).map(|(event_type, id)| (event_type, id.into()))
    }

    /// Type and id of a row.
    fn name(&self, at: usize) -> Option<(u16, &str)> {
        let (event_type, row) = self.rows.get(at)?;
        Some((*event_type, id_of(&self.ids, row)))
    }

    /// Whether two rows with one key say the same in the same letters.
    fn is_same(&self, one: usize, other: usize) -> bool {
        let facts = |at: usize| {
            let (_, row) = self.rows.get(at)?;
            Some((row.url, row.note, row.modified, row.zone, row.method, row.status))
        };
        facts(one) == facts(other) && self.text_of(one) == self.text_of(other)
    }

    fn text_of(&self, at: usize) -> Option<&[u8]> {
        let place = self.places.get(at)?;
        let end = |end| usize::try_from(end).unwrap_or(usize::MAX);
        self.texts.get(end(place.start)..end(place.end))
    }

    /// A row for people: as it was written, where that was kept.
    fn written(&self, at: usize) -> Vec<u8> {
        match (self.text_of(at), self.name(at)) {
            (Some(text), _) if !text.is_empty() => text.get(..ODD_BYTES).unwrap_or(text).to_owned(),
            (_, Some((event_type, id))) => format!("type {event_type} id {id}").into_bytes(),
            (_, None) => Vec::new(),
        }
    }

    fn try_push(&mut self, event: RawEvent<'_>, text: &[u8]) -> Result<(), String> {
        let event_type = EventType::parse(event.event_type)
            .ok_or_else(|| "its type is not a number that can stand in a path".to_owned())?;
        if !EventId::is_valid(event.id) {
            return Err("its id cannot be named in a path".to_owned());
        }
        let full = |_| "this listing is too long".to_owned();
        let id_start = u32::try_from(self.ids.len()).map_err(full)?;
        let id_length = u8::try_from(event.id.len()).map_err(|error| error.to_string())?;
        let (zone, modified) = match Modified::parse(event.modified) {
            Modified::Missing => (ZONE_MISSING, 0),
            Modified::Packed { seconds, quarters } => (quarters.unwrap_or(ZONE_UTC), seconds),
            Modified::Other(raw) => (ZONE_RAW, self.intern(raw.raw())?),
        };
        let row = Row {
            id_start,
            url: self.intern(event.url)?,
            note: self.intern(event.note)?,
            modified,
            id_length,
            zone,
            method: self.choice(event.method)?,
            status: self.choice(event.status)?,
        };
        self.ids.push_str(event.id);
        self.keep(text);
        self.rows.push((event_type.number(), row));
        Ok(())
    }

    /// Keeps the text of the row that comes next; where it does not fit, none is kept.
    fn keep(&mut self, text: &[u8]) {
        if text.is_empty() && self.places.is_empty() {
            return;
        }
        let start = u32::try_from(self.texts.len());
        let end = u32::try_from(self.texts.len().saturating_add(text.len()));
        self.places.resize(self.rows.len(), 0..0);
        match (start, end) {
            (Ok(start), Ok(end)) => {
                self.texts.extend_from_slice(text);
                self.places.push(start..end);
            }
            _ => self.places.push(0..0),
        }
    }

    fn choice(&mut self, text: &str) -> Result<Choice, String> {
        match text {
            "0" => Ok(0),
            "1" => Ok(1),
            other => {
                let index = self.intern(other)?;
                let known = self.others.iter().position(|known| *known == index);
                let place = known.unwrap_or(self.others.len());
                let choice = Choice::try_from(place + 2)
                    .map_err(|_| "its method or status is one of too many unknown".to_owned())?;
                if known.is_none() {
                    self.others.push(index);
                }
                Ok(choice)
            }
        }
    }

    fn intern(&mut self, text: &str) -> Result<u32, String> {
        let number = number_of(self.strings.len());
        let known = self.numbers.known(text, number, |known| self.strings.get(known) == Some(text));
        let full = |_| "this listing is too long".to_owned();
        known.map_or_else(|| self.strings.push(text).map_err(full), Ok)
    }
}

fn id_of<'a>(ids: &'a str, row: &Row) -> &'a str {
    let start = usize::try_from(row.id_start).unwrap_or(usize::MAX);
    ids.get(start..start.saturating_add(usize::from(row.id_length))).unwrap_or_default()
}
