//! What a listing looks like: pages, the envelope, the rows in it.

use serde::Serialize;

use super::answer::Answer;
use super::refusal::Refusal;
use super::route::{number, parameter};
use super::world::{Event, Extension};

/// Rows on a page when the caller does not say (page *List Presence*).
const DEFAULT_COUNT: u16 = 20;

/// Highest `count` and `startIndex`: the vendor's own client goes no further.
const HIGHEST: u16 = 4999;

/// Which part of a collection is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    start: u16,
    count: u16,
}

impl Page {
    pub(super) fn parse(query: &str) -> Result<Self, Refusal> {
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
        Ok(Self { start, count })
    }

    /// The collection with this page of it, or 204 when the page is empty.
    pub(super) fn of<'a, T, R: Serialize>(self, all: &[&'a T], row: impl Fn(&'a T) -> R) -> Answer {
        let entry: Vec<R> = all
            .iter()
            .skip(self.start.into())
            .take(self.count.into())
            .map(|item| row(item))
            .collect();
        if entry.is_empty() {
            return Answer::no_content();
        }
        let collection = Collection {
            entry,
            total_results: all.len().to_string(),
            items_per_page: self.count.to_string(),
            start_index: self.start.to_string(),
        };
        Answer::json(200, &collection)
    }
}

/// The envelope of every listing; its numbers are strings, as the service writes them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Collection<R> {
    entry: Vec<R>,
    total_results: String,
    items_per_page: String,
    start_index: String,
}

#[derive(Serialize)]
pub(super) struct PresenceRow<'a> {
    status: &'static str,
    extension: &'a str,
    registration: [Phone; 1],
}

#[derive(Serialize)]
struct Phone {
    agent: &'static str,
    registration: &'static str,
    expire: &'static str,
}

impl<'a> PresenceRow<'a> {
    /// The phone of the page *Presence Resource* when offline, one of today's when online.
    pub(super) fn of(extension: &'a Extension) -> Self {
        let (status, agent, registration, expire) = if extension.online {
            ("1", "Yealink SIP-T46U 108.86.0.45", "1", "2027-01-01T00:00:00Z")
        } else {
            ("0", "Unknown", "-1", "2011-02-10T15:10:55Z")
        };
        Self {
            status,
            extension: extension.number(),
            registration: [Phone { agent, registration, expire }],
        }
    }
}

#[derive(Serialize)]
pub(super) struct EventRow<'a> {
    #[serde(rename = "type")]
    event_type: String,
    id: &'a str,
    method: String,
    url: &'a str,
    note: &'a str,
    status: String,
    modified: &'a str,
    links: Links,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: String,
}

impl<'a> EventRow<'a> {
    pub(super) fn of(event: &'a Event, at: &str) -> Self {
        Self {
            event_type: event.event_type.to_string(),
            id: &event.id,
            method: event.method.to_string(),
            url: &event.url,
            note: &event.note,
            status: event.status.to_string(),
            modified: &event.modified,
            links: Links { own: format!("{at}/{}/{}", event.event_type, event.id) },
        }
    }
}

/// What a DELETE says about each event it took.
#[derive(Serialize)]
pub(super) struct IdRow {
    pub(super) id: String,
}
