//! What a listing holds: which rows were asked for, and the facts in each.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::refusal::Refusal;
use super::route::{cut, number, parameter};
use super::shapes::{Part, PastEnd, Registration, Shapes};
use super::world::{Event, Extension};

/// Where the links in rows point: the host of the vendor's examples, on purpose not the one that
/// was contacted, since a real PBX behind a proxy does the same.
const LINK_ORIGIN: &str = "https://uapi.voipnow.com";

/// Rows on a page when the caller does not say (page *List Presence*).
const DEFAULT_COUNT: u16 = 20;

/// Highest `count` and `startIndex`: the vendor's own client goes no further.
const HIGHEST: u16 = 4999;

/// Something that is listed.
pub(super) trait Row {
    /// Every field a row may have.
    const FIELDS: &[&str];
    /// The fields that listings can be filtered by.
    const FILTERS: &[&str];
    /// The field that `sortOrder` is about.
    const SORTED_BY: &str;

    /// What names the row among the others.
    fn name(&self) -> &str;

    /// The text of one of [`Self::FILTERS`].
    fn text(&self, field: &str) -> String;

    /// The row itself; `at` is the path of the collection.
    fn write(&self, shapes: &Shapes, at: &str) -> Map<String, Value>;
}

/// Which part of a collection is wanted, and in which order.
#[derive(Debug, Clone)]
pub(super) struct Query<'a> {
    path: &'a str,
    start: u16,
    count: u16,
    descending: Option<bool>,
    filter: Option<Filter>,
    fields: Option<Vec<String>>,
}

/// Rows whose field compares like this to the value.
#[derive(Debug, Clone)]
struct Filter {
    field: String,
    fits: fn(&str, &str) -> bool,
    value: String,
}

impl<'a> Query<'a> {
    pub(super) fn parse<T: Row>(target: &'a str) -> Result<Self, Refusal> {
        let (path, query) = cut(target);
        let count = match parameter(query, "count") {
            Some(text) => number(&text)
                .filter(|count| (1..=HIGHEST).contains(count))
                .ok_or(Refusal::CountInvalid)?,
            None => DEFAULT_COUNT,
        };
        let start = match parameter(query, "startIndex") {
            Some(text) => {
                number(&text).filter(|start| *start <= HIGHEST).ok_or(Refusal::StartindexInvalid)?
            }
            None => 0,
        };
        // The vendor's own client misspells the name when it lists events.
        let order = parameter(query, "sortOrder").or_else(|| parameter(query, "sortOder"));
        let descending = match order.as_deref() {
            None => None,
            Some("asc" | "ascending") => Some(false),
            Some("desc" | "descending") => Some(true),
            Some(_) => return Err(Refusal::SortorderInvalid),
        };
        let fields = parameter(query, "fields")
            .map(|names| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>());
        if fields.iter().flatten().any(|field| !T::FIELDS.contains(&field.as_str())) {
            return Err(Refusal::FieldsInvalid);
        }
        Ok(Self { path, start, count, descending, filter: Filter::parse::<T>(query)?, fields })
    }

    /// The answer: this part of all rows. `one` is there to be told whether an id was asked.
    pub(super) fn of<T: Row>(
        &self,
        mut all: Vec<&T>,
        shapes: &Shapes,
        at: &str,
        one: bool,
    ) -> Answer {
        if let Some(filter) = &self.filter {
            all.retain(|row| (filter.fits)(&row.text(&filter.field), &filter.value));
        }
        if let Some(descending) = self.descending {
            all.sort_by_cached_key(|row| row.text(T::SORTED_BY));
            if descending {
                all.reverse();
            }
        }
        let (start, size) = shapes.window(self.start, self.count);
        if shapes.past_end == PastEnd::Refused && start > 0 && start >= all.len() {
            return shapes.refusal(Refusal::StartindexInvalid);
        }
        let rows = all.iter().skip(start).take(size);
        shapes.listing(Part {
            rows: rows.map(|row| (row.name(), self.narrow(row.write(shapes, at)))).collect(),
            total: all.len(),
            start,
            count: self.count,
            path: self.path,
            one,
        })
    }

    fn narrow(&self, mut row: Map<String, Value>) -> Map<String, Value> {
        if let Some(fields) = &self.fields {
            row.retain(|field, _| fields.contains(field));
        }
        row
    }
}

impl Filter {
    fn parse<T: Row>(query: &str) -> Result<Option<Self>, Refusal> {
        let Some(field) = parameter(query, "filterBy") else {
            return Ok(None);
        };
        if !T::FILTERS.contains(&field.as_str()) {
            return Err(Refusal::FilterbyInvalid);
        }
        let value = parameter(query, "filterValue").ok_or(Refusal::FiltervalueInvalid)?;
        let fits: fn(&str, &str) -> bool = match parameter(query, "filterOp").as_deref() {
            None | Some("equals") => |text, value| text == value,
            Some("contains") => |text, value| text.contains(value),
            Some("startsWith") => |text, value| text.starts_with(value),
            Some("inArray") => |text, value| value.split(',').any(|each| each.trim() == text),
            Some(_) => return Err(Refusal::FilteropInvalid),
        };
        Ok(Some(Self { field, fits, value }))
    }
}

impl Row for Extension {
    const FIELDS: &[&str] = &["status", "extension", "registration", "agent", "expire"];
    const FILTERS: &[&str] = &["extension"];
    const SORTED_BY: &str = "extension";

    fn name(&self) -> &str {
        self.number()
    }

    fn text(&self, _: &str) -> String {
        self.number().to_owned()
    }

    /// The phone of the page *Presence Resource* when offline, one of today's when online.
    fn write(&self, shapes: &Shapes, _: &str) -> Map<String, Value> {
        let (status, agent, registration, expire) = if self.online {
            (1, "Yealink SIP-T46U 108.86.0.45", 1, "2027-01-01T00:00:00Z")
        } else {
            (0, "Unknown", -1, "2011-02-10T15:10:55Z")
        };
        let phone = fields([
            ("agent", agent.into()),
            ("registration", shapes.number("registration", registration)),
            ("expire", expire.into()),
        ]);
        let mut row = fields([
            ("status", shapes.number("status", status)),
            ("extension", self.number().into()),
        ]);
        match shapes.registration {
            Registration::List => {
                row.insert("registration".to_owned(), json!([phone]));
            }
            Registration::Flat => row.extend(phone),
        }
        row
    }
}

impl Row for Event {
    const FIELDS: &[&str] = &["type", "id", "method", "url", "note", "status", "modified", "links"];
    const FILTERS: &[&str] = &["type", "id", "method", "url", "note", "status", "modified"];
    const SORTED_BY: &str = "url";

    fn name(&self) -> &str {
        &self.id
    }

    fn text(&self, field: &str) -> String {
        match field {
            "type" => self.event_type.to_string(),
            "id" => self.id.clone(),
            "method" => self.method.to_string(),
            "note" => self.note.clone(),
            "status" => self.status.to_string(),
            "modified" => self.modified.clone(),
            _ => self.url.clone(),
        }
    }

    fn write(&self, shapes: &Shapes, at: &str) -> Map<String, Value> {
        let own = format!("{LINK_ORIGIN}{at}/{}/{}", self.event_type, self.id);
        let mut row = fields([
            ("type", shapes.number("type", self.event_type)),
            ("id", self.id.as_str().into()),
            ("method", shapes.number("method", self.method)),
            ("url", self.url.as_str().into()),
            ("note", self.note.as_str().into()),
            ("status", shapes.number("status", self.status)),
            ("links", json!({ "self": own })),
        ]);
        if let Some(modified) = shapes.modified(&self.modified) {
            row.insert("modified".to_owned(), modified.into());
        }
        row
    }
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a DELETE says about each event it took.
#[derive(Serialize)]
pub(super) struct IdRow {
    pub(super) id: String,
}
