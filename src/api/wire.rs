//! The service's bodies, read as generously as they are written: what the documentation, the
//! vendor's own clients and other people's clients show all comes out as the same rows.
//!
//! Generous with shapes, never with meaning: a success whose body is not understood is an error
//! and never an empty list, since an empty list after a deletion says that everything is gone.

mod clothes;
mod json;

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::LazyLock;

use foldhash::quality::RandomState;
use serde_json::json;

use crate::domain::{
    EventType, FIELDS, Foreign, ListingBuilder, PhoneCallEvent, RawEvent, RowText, redacted,
};
pub(super) use clothes::coded;
use json::{Json, Kind, NoJson, Walk};

/// Longest text kept of a message, in characters.
const KEPT_CHARS: usize = 2_000;
/// Rows read of one page; what comes behind them is left out, and the page says so.
const MOST_ROWS: usize = 100_000;
/// Largest row that is taken for an event, in bytes.
const LARGEST_ROW: usize = 1024 * 1024;
/// What may stand in a collection object beside its entries; a page without entries is one.
const COLLECTION_WORDS: [&str; 10] = [
    "totalResults",
    "itemsPerPage",
    "startIndex",
    "count",
    "next",
    "prev",
    "links",
    "filtered",
    "sorted",
    "updatedSince",
];

/// Why a body is not what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// The body is an error envelope of the service.
    Refused(Refusal),
    /// The body makes no sense; the reason follows the words "the answer".
    Senseless(String),
}

/// The service's own words for a refusal; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Page<'a> {
    pub(super) rows: Vec<Row<'a>>,
    /// `totalResults`: rows of all pages together.
    pub(super) total: Option<usize>,
    /// `itemsPerPage`: the service's own size of a page, which may be below the one asked for.
    pub(super) own_size: Option<usize>,
    /// There were more rows than are read of one page.
    pub(super) cut: bool,
}

/// One row of a list, whatever it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row<'a> {
    json: Json<'a>,
    /// Where an object has its type, id, method, url, note, status, modified and extension.
    fields: [Field; 8],
    /// The key it stood under, in the lists that are objects: the row's id.
    key: Json<'a>,
    /// Type or id stand there twice, and differ.
    ambiguous: bool,
    /// Every byte of it can be read, as far as it is in no field.
    readable: bool,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Default)]
struct Field {
    place: Range<u32>,
    /// It is a string that says what is written in it.
    plain: bool,
}

/// What a row says, read once.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    event_type: Cow<'a, str>,
    id: Cow<'a, str>,
    method: Cow<'a, str>,
    url: Cow<'a, str>,
    note: Cow<'a, str>,
    status: Cow<'a, str>,
    modified: Cow<'a, str>,
    extension: Cow<'a, str>,
    ambiguous: bool,
    readable: bool,
    written: &'a [u8],
    is_map: bool,
}

/// What tells a row from every other of its list, by hashes that no service can foresee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Identity {
    /// Of its type and id; of what is written where one of them is missing.
    pub(super) key: u64,
    /// Two rows with the same one are the same letter by letter.
    pub(super) written: u64,
}

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The body as text. A byte order mark is dropped, and bytes that are not UTF-8 are replaced.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bare(body))
}

/// Whether a body is a web page, as a proxy or a wrong path gives one.
pub(super) fn is_web_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// Reads one page of a list.
pub(super) fn page(body: &[u8]) -> Result<Page<'_>, Fault> {
    let body = filled(body)?;
    let mut reading = Reading::default();
    let mut walk = Walk::new(body);
    let read = reading.read(&mut walk).and_then(|()| walk.end());
    read.map_err(|no| Fault::Senseless(clothes::of(body, no)))?;
    match (reading.error.and_then(refusal_in), reading.senseless) {
        (Some(refusal), _) => Err(Fault::Refused(refusal)),
        (None, Some(reason)) => Err(senseless(reason)),
        (None, None) => Ok(reading.page),
    }
}

/// Reads the answer to a DELETE: a list of objects with an id each, or one such object.
pub(super) fn deleted_ids(body: &[u8]) -> Result<Vec<Foreign>, Fault> {
    let json = read(body)?;
    match json.kind() {
        Kind::List => json.items().map(returned_id).collect(),
        Kind::Map => match json.field("entry") {
            Some(entry) if entry.kind() == Kind::List => entry.items().map(returned_id).collect(),
            Some(one) => Ok(vec![returned_id(one)?]),
            None => Ok(vec![returned_id(json)?]),
        },
        Kind::Null | Kind::Flag | Kind::Number | Kind::Text => Err(senseless("is no list of ids")),
    }
}

/// Reads the answer to a POST or PUT: the id, where there is one. The pages promise an id or the
/// whole event, alone or in a list, and clients have met both. What is neither empty nor tells an
/// id is not understood.
pub(super) fn written_id(body: &[u8]) -> Result<Option<Foreign>, Fault> {
    if bare(body).trim_ascii().is_empty() {
        return Ok(None);
    }
    let json = read(body)?;
    let one = match json.kind() {
        Kind::List => json.items().next(),
        Kind::Map => match json.field("entry") {
            Some(entry) if entry.kind() == Kind::List => entry.items().next(),
            Some(one) => Some(one),
            None => json.fields().next().map(|_| json),
        },
        Kind::Null => None,
        Kind::Flag | Kind::Number | Kind::Text => Some(json),
    };
    let id = one.map(returned_id).transpose()?;
    Ok(id.filter(|id| !id.is_empty()))
}

/// The refusal that a body holds, if it holds one, whatever the status said.
pub(super) fn refusal(body: &[u8]) -> Option<Refusal> {
    match read(body) {
        Err(Fault::Refused(refusal)) => Some(refusal),
        Err(Fault::Senseless(_)) | Ok(_) => None,
    }
}

/// The body that makes an event like this one: URL and note letter by letter as the service wrote
/// them, numbers as strings, as the pages and the vendor's own client write them. What its row has
/// not, or has as null, is left out.
pub(super) fn event_body(event: &PhoneCallEvent) -> String {
    let row = event.text.as_ref().and_then(RowText::fields);
    let written = |name: &str| {
        let mut fields = row.iter().flatten().rev();
        let (_, value) = fields.find(|(field, _)| field == name)?;
        (value != "null").then(|| value.clone())
    };
    let text = |text: &str| json!(text).to_string();
    let plain = |name: &str, value: &str| match &row {
        Some(_) => written(name).map(|_| text(value)),
        None => (!value.is_empty()).then(|| text(value)),
    };
    let raw = |name: &str, value: &str| match &row {
        Some(_) => written(name),
        None => Some(text(value)),
    };
    let values = [
        Some(text(&event.key.event_type.number().to_string())),
        plain("method", event.method.written()),
        raw("url", event.url.raw()),
        raw("note", event.note.raw()),
        plain("status", event.status.written()),
    ];
    let fields = FIELDS.into_iter().zip(values);
    let fields = fields.filter_map(|(name, value)| Some(format!("{name:?}:{}", value?)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// The first characters of a text, for messages.
pub(super) fn capped(text: &str) -> String {
    redacted(text).chars().take(KEPT_CHARS).collect()
}

/// A page, and what else was seen on the way through its body. The body is passed once.
#[derive(Default)]
struct Reading<'a> {
    page: Page<'a>,
    /// The object that may hold an error envelope.
    error: Option<Json<'a>>,
    senseless: Option<&'static str>,
}

/// An object in the place of a page.
struct Part<'a> {
    json: Json<'a>,
    outline: Outline,
    total: Option<usize>,
    own_size: Option<usize>,
    has_error: bool,
}

/// What an object is in the place of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outline {
    /// It holds entries.
    Collection,
    /// It holds no entries, and nothing else that would have to be understood.
    Nothing,
    /// A bare event, as the answer to a request for one: it has an id or a URL, and no entries.
    Row,
    Other,
}

impl<'a> Reading<'a> {
    fn read(&mut self, walk: &mut Walk<'a>) -> Result<(), NoJson> {
        match walk.kind() {
            Kind::Map => {
                let part = self.part(walk)?;
                self.error = part.has_error.then_some(part.json);
                match part.outline {
                    Outline::Row => self.push(part.json)?,
                    Outline::Collection | Outline::Nothing => self.count(&part),
                    Outline::Other => self.senseless = Some("is an object that holds no entry"),
                }
            }
            Kind::List => {
                // What has no entry is a collection of nothing among collections, and a row among rows.
                let start = walk.clone();
                if self.parts(walk, false)? {
                    *self = Self::default();
                    *walk = start;
                    self.parts(walk, true)?;
                }
            }
            Kind::Null | Kind::Flag | Kind::Number | Kind::Text => {
                walk.value()?;
                self.senseless = Some("is no list");
            }
        }
        Ok(())
    }

    /// Takes a list of rows or of collections. Returns whether there are objects in it that may be
    /// either, and rows beside them.
    fn parts(&mut self, walk: &mut Walk<'a>, nothing_is_row: bool) -> Result<bool, NoJson> {
        let (mut items, mut any_row, mut any_nothing) = (0_usize, false, false);
        walk.enter()?;
        while walk.next_item()? {
            items += 1;
            if walk.kind() != Kind::Map {
                any_row = true;
                self.row(walk, Json::default())?;
                continue;
            }
            let part = self.part(walk)?;
            self.error = Some(part.json).filter(|_| part.has_error && items == 1);
            match part.outline {
                Outline::Nothing if !nothing_is_row => {
                    any_nothing = true;
                    self.count(&part);
                }
                Outline::Collection => self.count(&part),
                Outline::Nothing | Outline::Row | Outline::Other => {
                    any_row = true;
                    self.push(part.json)?;
                }
            }
        }
        self.error = self.error.filter(|_| items == 1);
        Ok(any_row && any_nothing)
    }

    /// Passes an object, and takes the entries that it holds.
    fn part(&mut self, walk: &mut Walk<'a>) -> Result<Part<'a>, NoJson> {
        let start = walk.place();
        let (mut entry, mut row, mut nothing) = (false, false, true);
        let (mut total, mut own_size, mut has_error) = (None, None, false);
        walk.enter()?;
        while let Some(name) = walk.next_name()? {
            let name = name.said();
            if *name == *b"entry" {
                entry = true;
                self.enter(walk)?;
                continue;
            }
            let value = walk.value()?;
            match &*name {
                b"totalResults" => total = total.max(value.count()),
                b"itemsPerPage" => own_size = own_size.max(value.count()),
                b"id" | b"url" | b"extension" => row = true,
                b"error" => has_error = true,
                _ => {}
            }
            nothing &= COLLECTION_WORDS.iter().any(|word| *word.as_bytes() == *name);
        }
        let outline = match (entry, row, nothing) {
            (true, ..) => Outline::Collection,
            (false, true, _) => Outline::Row,
            (false, false, true) => Outline::Nothing,
            (false, false, false) => Outline::Other,
        };
        Ok(Part { json: walk.since(start), outline, total, own_size, has_error })
    }

    /// Takes the entries of a collection: a list, an object with an id for each key, or one entry
    /// alone, which is what a list of one becomes on its way through XML.
    fn enter(&mut self, walk: &mut Walk<'a>) -> Result<(), NoJson> {
        match walk.kind() {
            Kind::Null => drop(walk.value()?),
            Kind::List => {
                walk.enter()?;
                while walk.next_item()? {
                    self.row(walk, Json::default())?;
                }
            }
            Kind::Map => {
                let (start, rows, cut) = (walk.place(), self.page.rows.len(), self.page.cut);
                let (mut id, mut extension) = (false, false);
                walk.enter()?;
                while let Some(key) = walk.next_name()? {
                    let names = matches!(walk.kind(), Kind::Text | Kind::Number);
                    match &*key.said() {
                        b"id" => id = names,
                        b"extension" => extension = names,
                        _ => {}
                    }
                    self.row(walk, key)?;
                }
                if id || extension {
                    self.page.rows.truncate(rows);
                    self.page.cut = cut;
                    self.push(walk.since(start))?;
                }
            }
            Kind::Flag | Kind::Number | Kind::Text => {
                walk.value()?;
                self.senseless.get_or_insert("has an entry that is no list");
            }
        }
        Ok(())
    }

    /// Passes a row, and keeps it where the page may have one more.
    fn row(&mut self, walk: &mut Walk<'a>, key: Json<'a>) -> Result<(), NoJson> {
        if self.page.rows.len() < MOST_ROWS {
            self.page.rows.push(Row::passed(walk, key)?);
        } else {
            walk.value()?;
            self.page.cut = true;
        }
        Ok(())
    }

    /// Takes a value that was passed as a row.
    fn push(&mut self, json: Json<'a>) -> Result<(), NoJson> {
        self.row(&mut Walk::new(json.written()), Json::default())
    }

    /// Takes what a collection says of the whole list.
    fn count(&mut self, part: &Part<'_>) {
        self.page.total = self.page.total.max(part.total);
        self.page.own_size = self.page.own_size.max(part.own_size);
    }
}

impl<'a> Row<'a> {
    /// Passes a row.
    fn passed(walk: &mut Walk<'a>, key: Json<'a>) -> Result<Self, NoJson> {
        let (start, is_map) = (walk.place(), walk.kind() == Kind::Map);
        let mut row = Self {
            json: Json::default(),
            fields: Default::default(),
            key,
            ambiguous: false,
            readable: true,
        };
        if is_map {
            walk.enter()?;
            while let Some(name) = walk.next_name()? {
                let from = walk.place();
                let value = walk.value()?;
                let at = match &*name.said() {
                    b"type" => 0,
                    b"id" => 1,
                    b"method" => 2,
                    b"url" => 3,
                    b"note" => 4,
                    b"status" => 5,
                    b"modified" => 6,
                    b"extension" => 7,
                    _ => usize::MAX,
                };
                let Some(field) = row.fields.get_mut(at) else {
                    row.readable &= name.is_readable() && value.is_readable();
                    continue;
                };
                let place = |place: usize| u32::try_from(place - start).unwrap_or(u32::MAX);
                let place = place(from)..place(walk.place());
                let before = std::mem::replace(field, Field { place, plain: value.is_plain() });
                if !before.place.is_empty() {
                    let before = walk.since(start).part(&before.place);
                    row.readable &= before.is_readable();
                    row.ambiguous |= at < 2 && before.text().0 != value.text().0;
                }
            }
        } else {
            row.readable = walk.value()?.is_readable();
        }
        row.json = walk.since(start);
        Ok(row)
    }

    pub(super) fn facts(&self) -> Facts<'a> {
        let written = self.json.written();
        // Looking once whether all of it is text is much cheaper than for each field.
        let as_text = std::str::from_utf8(written).ok();
        let mut readable = self.readable;
        let mut text = |field: &Field| {
            let written = as_text.and_then(|text| text.get(json::usual(&field.place)));
            let (text, is_readable) = match written {
                Some(string) if field.plain => return Cow::Borrowed(json::inside(string)),
                Some(value) => Json::text_as_written(value),
                None => self.json.part(&field.place).text(),
            };
            readable &= is_readable;
            text
        };
        let [event_type, id, method, url, note, status, modified, extension] = &self.fields;
        let (event_type, mut id, method) = (text(event_type), text(id), text(method));
        let (url, note, status) = (text(url), text(note), text(status));
        let (modified, extension) = (text(modified), text(extension));
        if id.is_empty() {
            id = self.key.text().0;
        }
        Facts {
            event_type,
            id,
            method,
            url,
            note,
            status,
            modified,
            extension,
            ambiguous: self.ambiguous,
            readable,
            written,
            is_map: self.json.kind() == Kind::Map,
        }
    }
}

impl Facts<'_> {
    /// What tells this row from every other of its list.
    pub(super) fn identity(&self) -> Identity {
        let written = SEED.hash_one(self.written);
        let key = if self.event_type.is_empty() || self.id.is_empty() {
            written
        } else {
            SEED.hash_one((&*self.event_type, &*self.id))
        };
        Identity { key, written }
    }

    /// The extension that a presence row is about; empty where it names none.
    pub(super) fn extension(&self) -> &str {
        &self.extension
    }

    /// Puts the row into a listing: as an event, or beside the events where it cannot be used. No
    /// row is dropped.
    pub(super) fn put_into(&self, listing: &mut ListingBuilder) {
        let usable = match self.unusable() {
            None => listing.push_with_text(self.raw(), self.written),
            Some(reason) => {
                listing.push_odd(EventType::parse(&self.event_type), self.written, reason);
                false
            }
        };
        match (self.readable, usable) {
            (true, _) => {}
            (false, true) => listing.last_is_unreadable(),
            (false, false) => listing.odd_is_unreadable(),
        }
    }

    fn raw(&self) -> RawEvent<'_> {
        RawEvent {
            event_type: &self.event_type,
            id: &self.id,
            method: &self.method,
            url: &self.url,
            note: &self.note,
            status: &self.status,
            modified: &self.modified,
        }
    }

    /// Why this is no event, as far as it does not take a look at type and id.
    fn unusable(&self) -> Option<&'static str> {
        if !self.is_map {
            Some("it is not an object")
        } else if self.written.len() > LARGEST_ROW {
            Some("it is larger than 1 MiB")
        } else if self.ambiguous {
            Some("it has two ids or two types")
        } else if self.id.is_empty() {
            Some("it has no id")
        } else if self.event_type.is_empty() {
            Some("it has no type")
        } else {
            None
        }
    }
}

/// A body without its byte order mark.
fn bare(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// A body without it, of which anything is left.
fn filled(body: &[u8]) -> Result<&[u8], Fault> {
    let body = bare(body);
    if body.trim_ascii().is_empty() { Err(senseless("is empty")) } else { Ok(body) }
}

/// Reads a body and takes the error envelopes out of it.
fn read(body: &[u8]) -> Result<Json<'_>, Fault> {
    let body = filled(body)?;
    let json = Json::parse(body).map_err(|no| Fault::Senseless(clothes::of(body, no)))?;
    let object = match json.kind() {
        Kind::Map => Some(json),
        Kind::List => {
            let mut items = json.items();
            items.next().filter(|first| first.kind() == Kind::Map && items.next().is_none())
        }
        Kind::Null | Kind::Flag | Kind::Number | Kind::Text => None,
    };
    match object.and_then(refusal_in) {
        Some(refusal) => Err(Fault::Refused(refusal)),
        None => Ok(json),
    }
}

/// `{"error":{"code","message"}}` of the service, `{"error":"…"}` of its token endpoint.
fn refusal_in(json: Json<'_>) -> Option<Refusal> {
    let said = |json: Json<'_>| capped(&json.text().0);
    let of = |json: Json<'_>, name: &str| json.field(name).map_or_else(String::new, said);
    let error = json.field("error")?;
    match error.kind() {
        Kind::Null => None,
        Kind::Flag if error.written() == b"false" => None,
        Kind::List if error.items().next().is_none() => None,
        Kind::Map => Some(Refusal { code: of(error, "code"), message: of(error, "message") }),
        Kind::Text => Some(Refusal { code: said(error), message: of(json, "error_description") }),
        Kind::Flag | Kind::Number | Kind::List => {
            Some(Refusal { code: String::new(), message: said(error) })
        }
    }
}

fn senseless(reason: &str) -> Fault {
    Fault::Senseless(reason.to_owned())
}

fn returned_id(item: Json<'_>) -> Result<Foreign, Fault> {
    let id = match item.kind() {
        Kind::Map => item.field("id"),
        Kind::Text | Kind::Number => Some(item),
        Kind::Null | Kind::Flag | Kind::List => None,
    };
    match id.filter(|id| matches!(id.kind(), Kind::Text | Kind::Number)) {
        Some(id) => Ok(Foreign::from(&*id.text().0)),
        None => Err(senseless("has an item without an id")),
    }
}

#[cfg(test)]
mod tests;
