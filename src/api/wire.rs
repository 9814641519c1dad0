//! The service's bodies, read as generously as they are written: what the documentation, the
//! vendor's own clients and other people's clients show all comes out as the same rows.
//!
//! Generous with shapes, never with meaning: a success whose body is not understood is an error
//! and never an empty list, since an empty list after a deletion says that everything is gone.

mod json;

use std::borrow::Cow;

use serde_json::json;

use crate::domain::{
    Change, EventId, EventType, Foreign, ListingBuilder, Method, PhoneCallEvent, RawEvent, Status,
};
use json::{Fields, Json, RawFields, field};
use serde_json::value::RawValue;

/// Longest text kept of a row or a message that could not be read otherwise, in characters.
const KEPT_CHARS: usize = 2_000;
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
}

/// One row of a list, whatever it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row<'a> {
    /// The key it stood under, in the lists that are objects: the row's id.
    key: Option<Cow<'a, str>>,
    value: Json<'a>,
    /// Its part of the body, letter by letter.
    written: &'a str,
}

/// The body as text. A byte order mark is dropped, and bytes that are not UTF-8 are replaced: one
/// note in an old encoding must not hide a thousand events.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    String::from_utf8_lossy(body)
}

/// A body beside the text that was read of it.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    bytes: &'a [u8],
    text: &'a str,
}

impl<'a> Body<'a> {
    /// `text` is what [`text`] made of the bytes.
    pub(super) fn new(bytes: &'a [u8], text: &'a str) -> Self {
        Self { bytes: bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), text }
    }

    /// The bytes behind a part of the text. Where bytes that are not UTF-8 were replaced in it, they
    /// are looked for in the body.
    fn of(self, part: &'a str) -> Cow<'a, [u8]> {
        if !part.contains(char::REPLACEMENT_CHARACTER) {
            return Cow::Borrowed(part.as_bytes());
        }
        let start = part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let (mut read, mut bytes) = (0, Vec::with_capacity(part.len()));
        for chunk in self.bytes.utf8_chunks() {
            // A chunk may hold more than the part, and may begin before it.
            let valid = chunk.valid().as_bytes();
            let from = start.saturating_sub(read).min(valid.len());
            let to = (start + part.len()).saturating_sub(read).min(valid.len());
            bytes.extend_from_slice(valid.get(from..to).unwrap_or_default());
            read += valid.len();
            if !chunk.invalid().is_empty() {
                if (start..start + part.len()).contains(&read) {
                    bytes.extend_from_slice(chunk.invalid());
                }
                read += char::REPLACEMENT_CHARACTER.len_utf8();
            }
        }
        Cow::Owned(bytes)
    }
}

/// Whether a body is a web page, as a proxy or a wrong path gives one.
pub(super) fn is_web_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// Reads one page of a list.
pub(super) fn page(text: &str) -> Result<Page<'_>, Fault> {
    let mut page = Page::default();
    match read(text)? {
        Json::Map(fields) if is_event(&fields) => page.push(None, Json::Map(fields), text.trim()),
        Json::Map(fields) if is_collection(&fields) => page.collect(fields, text)?,
        Json::List(items) => {
            for (item, written) in items.into_iter().zip(parts(text)?) {
                match item {
                    Json::Map(fields) if is_collection(&fields) => page.collect(fields, written)?,
                    row @ (Json::Map(_)
                    | Json::List(_)
                    | Json::Text(_)
                    | Json::Number(_)
                    | Json::Flag(_)
                    | Json::Null) => page.push(None, row, written),
                }
            }
        }
        Json::Map(_) => return Err(senseless("is an object that holds no entry")),
        Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) => {
            return Err(senseless("is no list"));
        }
    }
    Ok(page)
}

/// Reads the answer to a DELETE: a list of objects with an id each, or one such object.
pub(super) fn deleted_ids(text: &str) -> Result<Vec<Foreign>, Fault> {
    match read(text)? {
        Json::List(items) => items.iter().map(returned_id).collect(),
        Json::Map(fields) => match field(&fields, "entry") {
            Some(Json::List(items)) => items.iter().map(returned_id).collect(),
            Some(one) => Ok(vec![returned_id(one)?]),
            None => Ok(vec![returned_id(&Json::Map(fields))?]),
        },
        Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) => {
            Err(senseless("is no list of ids"))
        }
    }
}

/// Reads the answer to a POST or PUT: the id, where there is one. The pages promise an id or the
/// whole event, alone or in a list, and clients have met both. What is neither empty nor tells an
/// id is not understood.
pub(super) fn written_id(text: &str) -> Result<Option<Foreign>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let json = read(text)?;
    let one = match &json {
        Json::List(items) => items.first(),
        Json::Map(fields) => match field(fields, "entry") {
            Some(Json::List(items)) => items.first(),
            Some(one) => Some(one),
            None => Some(&json).filter(|_| !fields.is_empty()),
        },
        Json::Null => None,
        Json::Flag(_) | Json::Number(_) | Json::Text(_) => Some(&json),
    };
    let id = one.map(returned_id).transpose()?;
    Ok(id.filter(|id| !id.is_empty()))
}

/// The refusal that a body holds, if it holds one, whatever the status said.
pub(super) fn refusal(text: &str) -> Option<Refusal> {
    match read(text) {
        Err(Fault::Refused(refusal)) => Some(refusal),
        Err(Fault::Senseless(_)) | Ok(_) => None,
    }
}

/// The body that makes an event like this one. Numbers are strings, as the pages and the vendor's
/// own client write them.
pub(super) fn event_body(event: &PhoneCallEvent) -> String {
    json!({
        "type": event.key.event_type.number().to_string(), "method": event.method.written(),
        "url": event.url.raw(), "note": event.note.raw(), "status": event.status.written(),
    })
    .to_string()
}

/// The body that changes an event: what stays as it is, is not in it.
pub(super) fn change_body(change: &Change) -> String {
    let fields = [
        ("method", change.method.as_ref().map(Method::written)),
        ("url", change.url.as_ref().map(Foreign::raw)),
        ("note", change.note.as_ref().map(Foreign::raw)),
        ("status", change.status.as_ref().map(Status::written)),
    ];
    let named = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    named.collect::<serde_json::Value>().to_string()
}

/// The first characters of a text, for messages.
pub(super) fn capped(text: &str) -> String {
    text.chars().take(KEPT_CHARS).collect()
}

impl<'a> Page<'a> {
    fn push(&mut self, key: Option<Cow<'a, str>>, value: Json<'a>, written: &'a str) {
        self.rows.push(Row { key, value, written });
    }

    /// Takes a collection object: its entries are a list, an object with an id for each key, or
    /// one entry alone, which is what a list of one becomes on its way through XML.
    fn collect(&mut self, fields: Fields<'a>, written: &'a str) -> Result<(), Fault> {
        let count = |name| field(&fields, name).and_then(Json::as_count);
        self.total = self.total.max(count("totalResults"));
        self.own_size = self.own_size.max(count("itemsPerPage"));
        let entry = fields.into_iter().rev().find(|(name, _)| name == "entry");
        let Some((_, entry)) = entry else { return Ok(()) };
        let written = named_part(written, "entry")?;
        match entry {
            Json::Null => {}
            Json::List(items) => {
                for (item, written) in items.into_iter().zip(parts(written)?) {
                    self.push(None, item, written);
                }
            }
            Json::Map(fields) if is_single(&fields) => {
                self.push(None, Json::Map(fields), written);
            }
            Json::Map(fields) => {
                for ((key, value), (_, written)) in fields.into_iter().zip(named_parts(written)?) {
                    self.push(Some(key), value, written.get());
                }
            }
            Json::Flag(_) | Json::Number(_) | Json::Text(_) => {
                return Err(senseless("has an entry that is no list"));
            }
        }
        Ok(())
    }
}

impl Row<'_> {
    /// What tells this event from every other of its extension.
    pub(super) fn identity(&self) -> String {
        match (self.text("type"), self.id()) {
            (event_type, id) if !id.is_empty() => format!("{event_type}/{id}"),
            _ => self.value.to_json(),
        }
    }

    /// The extension that a presence row is about; empty where it names none.
    pub(super) fn extension(&self) -> Cow<'_, str> {
        self.text("extension")
    }

    /// Puts the row into a listing: as an event, or beside the events where no path could name
    /// it. No row is dropped.
    pub(super) fn put_into(&self, listing: &mut ListingBuilder, body: Body<'_>) {
        let (event_type, id) = (self.text("type"), self.id());
        let number = path_number(&event_type);
        let reason = match (&self.value, number) {
            (Json::Map(_), _) if id.is_empty() => "it has no id",
            (Json::Map(_), _) if event_type.is_empty() => "it has no type",
            (Json::Map(_), None) => "its type is not a number that can stand in a path",
            (Json::Map(_), Some(_)) if !EventId::is_valid(&id) => {
                "its id cannot be named in a path"
            }
            (Json::Map(_), Some(_)) => {
                let event = RawEvent {
                    event_type: &event_type,
                    id: &id,
                    method: &self.text("method"),
                    url: &self.text("url"),
                    note: &self.text("note"),
                    status: &self.text("status"),
                    modified: &self.text("modified"),
                };
                return listing.push_with_text(event, &body.of(self.written));
            }
            _ => "it is not an object",
        };
        let written = capped(&self.value.to_json());
        listing.push_odd(number.map(EventType::from_number), &written, reason);
    }

    fn id(&self) -> Cow<'_, str> {
        match (self.text("id"), &self.key) {
            (own, Some(key)) if own.is_empty() => Cow::Borrowed(key),
            (own, _) => own,
        }
    }

    fn text(&self, name: &str) -> Cow<'_, str> {
        match &self.value {
            Json::Map(fields) => field(fields, name).map_or(Cow::Borrowed(""), Json::as_text),
            Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => {
                Cow::Borrowed("")
            }
        }
    }
}

/// Reads a body and takes the error envelopes out of it.
fn read(text: &str) -> Result<Json<'_>, Fault> {
    if text.trim().is_empty() {
        return Err(senseless("is empty"));
    }
    if is_web_page(text) {
        return Err(senseless("is a page instead of JSON: is base_path in the profile right?"));
    }
    let json: Json<'_> = serde_json::from_str(text).map_err(|error| no_json(&error))?;
    let object = match &json {
        Json::Map(fields) => Some(fields),
        Json::List(items) => match items.as_slice() {
            [Json::Map(fields)] => Some(fields),
            _ => None,
        },
        Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) => None,
    };
    match object.and_then(refusal_in) {
        Some(refusal) => Err(Fault::Refused(refusal)),
        None => Ok(json),
    }
}

/// `{"error":{"code","message"}}` of the service, `{"error":"…"}` of its token endpoint.
fn refusal_in(fields: &Fields<'_>) -> Option<Refusal> {
    let of = |fields: &Fields<'_>, name: &str| {
        field(fields, name).map_or_else(String::new, |value| capped(&value.as_text()))
    };
    match field(fields, "error")? {
        Json::Null | Json::Flag(false) => None,
        Json::List(items) if items.is_empty() => None,
        Json::Map(inner) => {
            Some(Refusal { code: of(inner, "code"), message: of(inner, "message") })
        }
        Json::Text(code) => {
            Some(Refusal { code: capped(code), message: of(fields, "error_description") })
        }
        other @ (Json::Flag(true) | Json::Number(_) | Json::List(_)) => {
            Some(Refusal { code: String::new(), message: capped(&other.as_text()) })
        }
    }
}

/// The items of a list, letter by letter.
fn parts(text: &str) -> Result<Vec<&str>, Fault> {
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| no_json(&error))?;
    Ok(items.into_iter().map(RawValue::get).collect())
}

/// The fields of an object, letter by letter.
fn named_parts(text: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>, Fault> {
    let RawFields(fields) = serde_json::from_str(text).map_err(|error| no_json(&error))?;
    Ok(fields)
}

/// The last field of this name, letter by letter.
fn named_part<'a>(text: &'a str, name: &str) -> Result<&'a str, Fault> {
    let mut fields = named_parts(text)?.into_iter().rev();
    Ok(fields.find(|(key, _)| key == name).map_or("null", |(_, value)| value.get()))
}

fn no_json(error: &serde_json::Error) -> Fault {
    senseless(&format!("is not JSON: {error}"))
}

fn senseless(reason: &str) -> Fault {
    Fault::Senseless(reason.to_owned())
}

/// A bare event, as the answer to a request for one: it has an id or a URL, and no entries.
fn is_event(fields: &Fields<'_>) -> bool {
    let has = |name| field(fields, name).is_some();
    (has("id") || has("url") || has("extension")) && !has("entry")
}

/// An object that holds entries, or none and nothing else that would have to be understood.
fn is_collection(fields: &Fields<'_>) -> bool {
    field(fields, "entry").is_some()
        || fields.iter().all(|(name, _)| COLLECTION_WORDS.contains(&name.as_ref()))
}

/// Whether an object in the place of a list is one row, not rows by their ids.
fn is_single(fields: &Fields<'_>) -> bool {
    ["id", "extension"]
        .iter()
        .filter_map(|name| field(fields, name))
        .any(|value| matches!(value, Json::Text(_) | Json::Number(_)))
}

fn returned_id(item: &Json<'_>) -> Result<Foreign, Fault> {
    let id = match item {
        Json::Map(fields) => field(fields, "id"),
        Json::Text(_) | Json::Number(_) => Some(item),
        Json::Null | Json::Flag(_) | Json::List(_) => None,
    };
    match id {
        Some(id @ (Json::Text(_) | Json::Number(_))) => Ok(Foreign::from(&*id.as_text())),
        _ => Err(senseless("has an item without an id")),
    }
}

/// The number of a type, written in the one way that comes back letter by letter in a path.
fn path_number(text: &str) -> Option<u16> {
    text.parse::<u16>().ok().filter(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests;
