//! The shapes that one fact may take on the wire: every way to write that the pages and clients of
//! the vendor name, chosen as data. What is said never depends on them, only how.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::refusal::Refusal;

/// The host of `next` links: what a PBX behind a proxy calls itself, and nobody outside can reach.
const INTERNAL_ORIGIN: &str = "https://pbx-7.internal";

/// How a world writes. The default is what the pages show most.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of a scenario of its own")]
pub struct Shapes {
    /// The form of a listing's rows.
    pub entry: Entry,
    /// The object of a listing stands in an array.
    pub wrapped: bool,
    /// The answer for a listing without rows.
    pub empty: Empty,
    /// The notation of numbers.
    pub numbers: Numbers,
    /// `totalResults`, `itemsPerPage` and `startIndex` stand beside the rows.
    pub paging_fields: bool,
    /// The notation of dates.
    pub modified: Modified,
    /// The answer to a successful POST.
    pub create: Written,
    /// The answer to a successful PUT.
    pub update: Written,
    /// Place of a phone's facts in presence.
    pub registration: Registration,
    /// The form of an error.
    pub errors: Errors,
    /// `access_denied` is spelt as in the sample of the page *HTTP Return Codes*.
    pub misspelt: bool,
    /// The refusal of a missing or wrong token.
    pub access_refusal: AccessRefusal,
    /// Every listing is the whole list, whatever page was asked.
    pub ignores_paging: bool,
    /// Rows on a page at most, whatever was asked.
    pub page_size: Option<u16>,
    /// `links.next` names the next page, on a host that only the PBX knows.
    pub next_link: bool,
    /// The meaning of `totalResults`.
    pub totals: Totals,
    /// The answer behind the last row.
    pub past_end: PastEnd,
}

/// The meaning of `totalResults`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Totals {
    /// The rows of the list.
    #[default]
    List,
    /// The rows of the page.
    Page,
}

/// The answer behind the last row of a list that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PastEnd {
    /// A page without rows.
    #[default]
    Empty,
    /// A refusal with an error.
    Refused,
}

/// The form of a listing's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    /// `entry` is an array (page *Getting Started*).
    #[default]
    Array,
    /// `entry` is an object with the ids for keys (the vendor's own tests).
    Map,
    /// No collection: an array of rows, or the one row where an id was asked.
    Bare,
}

/// The answer for a listing without rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Empty {
    /// 204.
    #[default]
    #[serde(rename = "204")]
    NoContent,
    /// A collection that lacks `entry`.
    #[serde(rename = "no entry")]
    NoEntry,
    /// A collection with nothing in its `entry`.
    #[serde(rename = "empty entry")]
    EmptyEntry,
}

/// The notation of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// Numbers in quotes.
    #[default]
    Strings,
    /// Numbers as JSON numbers.
    Ints,
    /// Both in one object (page *Data Types*): types, statuses and totals as numbers.
    Mixed,
}

/// The notation of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modified {
    /// Dates as the world has them, mostly with an offset.
    #[default]
    Offset,
    /// In UTC, with a `Z` at the end.
    Z,
    /// No dates.
    Missing,
}

/// The answer to a successful POST or PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Written {
    /// The whole event.
    #[serde(rename = "object")]
    Object,
    /// An array of one object with the id.
    #[serde(rename = "array")]
    Array,
    /// An object with the id, as the prose of the pages has it.
    #[default]
    #[serde(rename = "id")]
    Id,
    /// 204.
    #[serde(rename = "204")]
    NoContent,
}

/// Place of a phone's facts in presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// In an array called `registration`.
    #[default]
    List,
    /// Beside the number, as on older versions of the page.
    Flat,
}

/// The form of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Errors {
    /// `error` is an object with code and message.
    #[default]
    Object,
    /// `error` is the code, as the token endpoint writes it.
    Flat,
}

/// The refusal of a missing or wrong token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum AccessRefusal {
    /// 401 with `access_denied`.
    #[default]
    #[serde(rename = "401")]
    Unauthorized,
    /// 403 with `access_denied`, after which the vendor's demos ask for a new token.
    #[serde(rename = "403")]
    Forbidden,
    /// 400 with `pce_access_denied`.
    #[serde(rename = "400")]
    BadRequest,
}

/// One page of a listing, before it has a shape.
pub(super) struct Part<'a> {
    /// What names each row, and the row.
    pub(super) rows: Vec<(&'a str, Map<String, Value>)>,
    /// How many there are on all pages.
    pub(super) total: usize,
    /// The index of the first.
    pub(super) start: usize,
    /// How many were asked for.
    pub(super) count: u16,
    /// The path that was asked.
    pub(super) path: &'a str,
    /// One row was asked by its id.
    pub(super) one: bool,
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            entry: Entry::default(),
            wrapped: false,
            empty: Empty::default(),
            numbers: Numbers::default(),
            paging_fields: true,
            modified: Modified::default(),
            create: Written::default(),
            update: Written::default(),
            registration: Registration::default(),
            errors: Errors::default(),
            misspelt: false,
            access_refusal: AccessRefusal::default(),
            ignores_paging: false,
            page_size: None,
            next_link: false,
            totals: Totals::default(),
            past_end: PastEnd::default(),
        }
    }
}

impl Shapes {
    /// The first row of a page and how many there may be, of what was asked.
    pub(super) fn window(&self, start: u16, count: u16) -> (usize, usize) {
        if self.ignores_paging {
            (0, usize::MAX)
        } else {
            (start.into(), count.min(self.page_size.unwrap_or(count)).into())
        }
    }

    /// A number in the field of that name.
    pub(super) fn number(&self, field: &str, value: impl Into<Value>) -> Value {
        let value = value.into();
        let bare = match self.numbers {
            Numbers::Strings => false,
            Numbers::Ints => true,
            Numbers::Mixed => matches!(field, "type" | "status" | "totalResults"),
        };
        if bare { value } else { Value::String(value.to_string()) }
    }

    /// When an event was changed, if that is told.
    pub(super) fn modified<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        match self.modified {
            Modified::Offset => Some(text.into()),
            // What is no date stays what it is.
            Modified::Z => Some(
                text.parse::<Timestamp>().map_or_else(|_| text.into(), |at| at.to_string().into()),
            ),
            Modified::Missing => None,
        }
    }

    /// The answer to a listing.
    pub(super) fn listing(&self, page: Part<'_>) -> Answer {
        if page.rows.is_empty() && self.empty == Empty::NoContent {
            return Answer::no_content();
        }
        let mut around = self.around(&page);
        let rows = page.rows;
        let none = rows.is_empty();
        let entry = match self.entry {
            Entry::Array | Entry::Bare => {
                rows.into_iter().map(|(_, row)| Value::Object(row)).collect()
            }
            Entry::Map => Value::Object(
                rows.into_iter().map(|(id, row)| (id.to_owned(), row.into())).collect(),
            ),
        };
        let whole = match (self.entry, entry) {
            (Entry::Bare, Value::Array(mut rows)) if page.one && !none => {
                rows.pop().unwrap_or_default()
            }
            (Entry::Bare, entry) => entry,
            (Entry::Array | Entry::Map, entry) => {
                if !(none && self.empty == Empty::NoEntry) {
                    around.insert("entry".to_owned(), entry);
                }
                Value::Object(around)
            }
        };
        let wrapped = self.wrapped && whole.is_object();
        Answer::json(200, &if wrapped { Value::Array(vec![whole]) } else { whole })
    }

    /// What stands beside the rows.
    fn around(&self, page: &Part<'_>) -> Map<String, Value> {
        let mut around = Map::new();
        let count = page.count.min(self.page_size.unwrap_or(page.count));
        if self.paging_fields {
            let total = match self.totals {
                Totals::List => page.total,
                Totals::Page => page.rows.len(),
            };
            for (field, value) in [
                ("totalResults", Value::from(total)),
                ("itemsPerPage", Value::from(count)),
                ("startIndex", Value::from(page.start)),
            ] {
                around.insert(field.to_owned(), self.number(field, value));
            }
        }
        let next = page.start.saturating_add(page.rows.len());
        if self.next_link && next < page.total {
            let path = page.path;
            let link = format!("{INTERNAL_ORIGIN}{path}?count={count}&startIndex={next}");
            around.insert("links".to_owned(), json!({ "next": link }));
        }
        around
    }

    /// The answer to a POST or PUT that worked.
    pub(super) fn written(shape: Written, id: &str, event: &Map<String, Value>) -> Answer {
        match shape {
            Written::Object => Answer::json(200, event),
            Written::Array => Answer::json(200, &json!([{ "id": id }])),
            Written::Id => Answer::json(200, &json!({ "id": id })),
            Written::NoContent => Answer::no_content(),
        }
    }

    /// The answer that carries a refusal.
    pub(super) fn refusal(&self, refusal: Refusal) -> Answer {
        let (status, refusal) = match (refusal, self.access_refusal) {
            (Refusal::AccessDenied, AccessRefusal::Forbidden) => (403, refusal),
            (Refusal::AccessDenied, AccessRefusal::BadRequest) => (400, Refusal::PceAccessDenied),
            (refusal, _) => (refusal.status(), refusal),
        };
        let misspelt = self.misspelt && refusal == Refusal::AccessDenied;
        let code = if misspelt { "access_denided" } else { refusal.code() };
        self.error(status, code, refusal.message())
    }

    /// The answer that carries an error code.
    pub(super) fn error(&self, status: u16, code: &str, message: &str) -> Answer {
        let error = match self.errors {
            Errors::Object => json!({ "code": code, "message": message }),
            Errors::Flat => json!(code),
        };
        Answer::json(status, &json!({ "error": error }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first `rows` of five, ten asked.
    fn part(rows: usize) -> Part<'static> {
        let ids = ["e", "d", "c", "b", "a"];
        let rows = ids.iter().take(rows).map(|id| (*id, Map::new())).collect();
        Part { rows, total: 5, start: 0, count: 10, path: "/x", one: false }
    }

    fn body(answer: &Answer) -> Value {
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn a_table_without_keys_is_the_shape_of_the_pages() {
        assert_eq!(toml::from_str::<Shapes>("").unwrap(), Shapes::default());
    }

    #[test]
    fn the_next_link_is_as_long_as_the_page_and_ends_with_the_list() {
        let shapes = Shapes { next_link: true, page_size: Some(2), ..Shapes::default() };
        let link = "https://pbx-7.internal/x?count=2&startIndex=2";
        assert_eq!(body(&shapes.listing(part(2)))["links"]["next"], link);
        assert_eq!(body(&shapes.listing(part(5)))["links"], Value::Null);
        let silent = Shapes { next_link: false, ..shapes };
        assert_eq!(body(&silent.listing(part(2)))["links"], Value::Null);
    }

    #[test]
    fn a_page_is_what_was_asked_the_longest_there_is_or_everything() {
        let mut shapes = Shapes::default();
        assert_eq!(shapes.window(3, 10), (3, 10));
        shapes.page_size = Some(4);
        assert_eq!(shapes.window(3, 10), (3, 4));
        assert_eq!(shapes.window(3, 2), (3, 2));
        shapes.ignores_paging = true;
        assert_eq!(shapes.window(3, 2), (0, usize::MAX));
    }

    #[test]
    fn an_array_of_rows_is_not_put_into_another() {
        let shapes = Shapes { entry: Entry::Bare, wrapped: true, ..Shapes::default() };
        assert_eq!(body(&shapes.listing(part(2))), json!([{}, {}]));
    }

    #[test]
    fn what_is_no_date_is_told_as_it_is_or_not_at_all() {
        let told = |modified| {
            let shapes = Shapes { modified, ..Shapes::default() };
            shapes.modified("never").map(Cow::into_owned)
        };
        assert_eq!(told(Modified::Offset).as_deref(), Some("never"));
        assert_eq!(told(Modified::Z).as_deref(), Some("never"));
        assert_eq!(told(Modified::Missing), None);
    }

    #[test]
    fn only_the_refusal_of_a_token_has_other_statuses_and_another_spelling() {
        let shapes = Shapes {
            misspelt: true,
            access_refusal: AccessRefusal::Forbidden,
            ..Shapes::default()
        };
        let token = shapes.refusal(Refusal::AccessDenied);
        assert_eq!((token.status, &body(&token)["error"]["code"]), (403, &json!("access_denided")));
        let event = shapes.refusal(Refusal::PceAccessDenied);
        let code = json!("pce_access_denied");
        assert_eq!((event.status, &body(&event)["error"]["code"]), (400, &code));
    }
}
