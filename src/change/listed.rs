//! A listing by the names of its events: what is asked of one of them costs no look at the others.

use std::collections::HashMap;

use crate::domain::{EventKey, EventType, EventView, Listing};

/// What is listed of an extension, each event to be found by its key.
#[derive(Debug)]
pub(super) struct Listed<'a> {
    listing: &'a Listing,
    rows: HashMap<(EventType, &'a str), usize>,
}

impl<'a> Listed<'a> {
    pub(super) fn of(listing: &'a Listing) -> Self {
        let named = |(of, rows): (EventType, std::ops::Range<usize>)| {
            rows.filter_map(move |row| Some(((of, listing.row(row)?.id()), row)))
        };
        Self { listing, rows: listing.groups().flat_map(named).collect() }
    }

    /// All of it.
    pub(super) fn all(&self) -> &'a Listing {
        self.listing
    }

    /// Where an event stands.
    pub(super) fn find(&self, key: &EventKey) -> Option<usize> {
        let row = self.rows.get(&(key.event_type, key.id.as_str()))?;
        (key.extension == *self.listing.extension()).then_some(*row)
    }

    /// An event as it is listed.
    pub(super) fn row(&self, key: &EventKey) -> Option<EventView<'a>> {
        self.listing.row(self.find(key)?)
    }

    /// Whether an event is listed, also where its row cannot be used as another has the same key.
    pub(super) fn lists(&self, key: &EventKey) -> bool {
        // Only a listing that is not complete can have rows that are not among its own.
        self.find(key).is_some() || (!self.listing.is_complete() && self.listing.lists(key))
    }
}
