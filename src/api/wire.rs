//! The service's bodies, read as generously as they are written: what the documentation, the
//! vendor's own clients and other people's clients show all comes out as the same rows.
//!
//! Generous with shapes, never with meaning: a success whose body is not understood is an error
//! and never an empty list, since an empty list after a deletion says that everything is gone.

mod clothes;
mod json;

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::json;

use crate::domain::{
    EventId, EventType, FIELDS, Foreign, ListingBuilder, PhoneCallEvent, RawEvent, RowText,
    redacted,
};
pub(super) use clothes::coded;
use json::{Json, Kind};

/// Longest text kept of a message, in characters.
const KEPT_CHARS: usize = 2_000;
/// Rows read of one page; what comes behind them is left out, and the page says so.
const MOST_ROWS: usize = 100_000;
/// Largest row that is taken for an event, in bytes.
const LARGEST_ROW: usize = 1024 * 1024;
/// Bytes looked at of a row that is only shown.
const LONGEST_SHOWN: usize = 8_000;
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
    /// It is an error envelope.
    Refused(Refusal),
    /// It makes no sense; the reason, to be put behind "the answer".
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
    /// The key it stood under, in the lists that are objects: the row's id.
    key: Option<Cow<'a, str>>,
    json: Json<'a>,
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
    /// Type or id stand there twice, and differ.
    ambiguous: bool,
    readable: bool,
    written: &'a [u8],
    is_map: bool,
}

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
    let mut page = Page::default();
    let json = read(body)?;
    match json.kind() {
        Kind::Map => match outline(json) {
            Outline::Row => page.push(None, json),
            Outline::Collection | Outline::Nothing => page.collect(json)?,
            Outline::Other => return Err(senseless("is an object that holds no entry")),
        },
        Kind::List => {
            // What has no entry is a collection of nothing among collections, and a row among rows.
            let row = |item| matches!(outline(item), Outline::Row | Outline::Other);
            let any_row = json.items().any(row);
            for item in json.items() {
                match outline(item) {
                    Outline::Collection => page.collect(item)?,
                    Outline::Nothing if !any_row => page.collect(item)?,
                    Outline::Nothing | Outline::Row | Outline::Other => page.push(None, item),
                }
            }
        }
        Kind::Null | Kind::Flag | Kind::Number | Kind::Text => {
            return Err(senseless("is no list"));
        }
    }
    Ok(page)
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

impl<'a> Page<'a> {
    fn push(&mut self, key: Option<Cow<'a, str>>, json: Json<'a>) {
        if self.rows.len() < MOST_ROWS {
            self.rows.push(Row { key, json });
        } else {
            self.cut = true;
        }
    }

    /// Takes a collection object: its entries are a list, an object with an id for each key, or
    /// one entry alone, which is what a list of one becomes on its way through XML.
    fn collect(&mut self, json: Json<'a>) -> Result<(), Fault> {
        for (name, value) in json.fields() {
            match &*name {
                "totalResults" => self.total = self.total.max(value.count()),
                "itemsPerPage" => self.own_size = self.own_size.max(value.count()),
                "entry" => self.enter(value)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn enter(&mut self, entry: Json<'a>) -> Result<(), Fault> {
        match entry.kind() {
            Kind::Null => {}
            Kind::List => entry.items().for_each(|item| self.push(None, item)),
            Kind::Map if is_single(entry) => self.push(None, entry),
            Kind::Map => entry.fields().for_each(|(key, value)| self.push(Some(key), value)),
            Kind::Flag | Kind::Number | Kind::Text => {
                return Err(senseless("has an entry that is no list"));
            }
        }
        Ok(())
    }
}

impl<'a> Row<'a> {
    pub(super) fn facts(&self) -> Facts<'a> {
        let json = self.json;
        let mut facts = Facts {
            readable: true,
            written: json.written(),
            is_map: json.kind() == Kind::Map,
            ..Facts::default()
        };
        if !facts.is_map {
            facts.readable = json.is_readable();
            return facts;
        }
        let mut seen = [false; 2];
        for (name, value) in json.fields() {
            let place = match &*name {
                "type" => &mut facts.event_type,
                "id" => &mut facts.id,
                "method" => &mut facts.method,
                "url" => &mut facts.url,
                "note" => &mut facts.note,
                "status" => &mut facts.status,
                "modified" => &mut facts.modified,
                "extension" => &mut facts.extension,
                name => {
                    // A name that was replaced in part is that of a field nobody knows.
                    facts.readable &=
                        !name.contains(char::REPLACEMENT_CHARACTER) && value.is_readable();
                    continue;
                }
            };
            let (text, readable) = value.text();
            facts.readable &= readable;
            let named = ["type", "id"].iter().position(|known| *known == name);
            if let Some(seen) = named.and_then(|place| seen.get_mut(place)) {
                facts.ambiguous |= *seen && *place != text;
                *seen = true;
            }
            *place = text;
        }
        if let Some(key) = self.key.clone().filter(|_| facts.id.is_empty()) {
            facts.id = key;
        }
        facts
    }
}

impl Facts<'_> {
    /// What tells this row from every other of its list.
    pub(super) fn identity(&self) -> String {
        if self.event_type.is_empty() || self.id.is_empty() {
            format!("={:016x}", self.fingerprint())
        } else {
            format!("{}/{}", self.event_type, self.id)
        }
    }

    /// Two rows with the same one are the same letter by letter.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.written.hash(&mut hasher);
        hasher.finish()
    }

    /// The extension that a presence row is about; empty where it names none.
    pub(super) fn extension(&self) -> &str {
        &self.extension
    }

    /// Puts the row into a listing: as an event, or beside the events where it cannot be used. No
    /// row is dropped.
    pub(super) fn put_into(&self, listing: &mut ListingBuilder) {
        let number = path_number(&self.event_type);
        match self.unusable(number) {
            None => {
                listing.push_with_text(self.raw(), self.written);
                if !self.readable {
                    listing.last_is_unreadable();
                }
            }
            Some(reason) => {
                let start = self.written.get(..LONGEST_SHOWN).unwrap_or(self.written);
                let text = String::from_utf8_lossy(start);
                listing.push_odd(number.map(EventType::from_number), &text, reason);
                if !self.readable {
                    listing.odd_is_unreadable();
                }
            }
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

    /// Why no request can be about this row.
    fn unusable(&self, number: Option<u16>) -> Option<&'static str> {
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
        } else if number.is_none() {
            Some("its type is not a number that can stand in a path")
        } else if !EventId::is_valid(&self.id) {
            Some("its id cannot be named in a path")
        } else {
            None
        }
    }
}

/// A body without its byte order mark.
fn bare(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Reads a body and takes the error envelopes out of it.
fn read(body: &[u8]) -> Result<Json<'_>, Fault> {
    let body = bare(body);
    if body.trim_ascii().is_empty() {
        return Err(senseless("is empty"));
    }
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

/// What a value is in the place of a page.
enum Outline {
    /// An object that holds entries.
    Collection,
    /// An object without entries, and with nothing else that would have to be understood.
    Nothing,
    /// A bare event, as the answer to a request for one: it has an id or a URL, and no entries.
    Row,
    Other,
}

fn outline(json: Json<'_>) -> Outline {
    let (mut nothing, mut row) = (json.kind() == Kind::Map, false);
    for (name, _) in json.fields() {
        match &*name {
            "entry" => return Outline::Collection,
            "id" | "url" | "extension" => row = true,
            name => nothing &= COLLECTION_WORDS.contains(&name),
        }
    }
    match (row, nothing) {
        (true, _) => Outline::Row,
        (false, true) => Outline::Nothing,
        (false, false) => Outline::Other,
    }
}

/// Whether an object in the place of a list is one row, not rows by their ids.
fn is_single(json: Json<'_>) -> bool {
    let fields = ["id", "extension"].into_iter().filter_map(|name| json.field(name));
    fields.map(Json::kind).any(|kind| matches!(kind, Kind::Text | Kind::Number))
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

/// The number of a type, written in the one way that comes back letter by letter in a path.
fn path_number(text: &str) -> Option<u16> {
    text.parse::<u16>().ok().filter(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests;
