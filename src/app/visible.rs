//! How many events are visible, and how many of these are marked: the one number that the row of all
//! extensions shows, that space on it marks, and beside which every other mark is hidden.

use std::ops::{AddAssign, SubAssign};

use crate::domain::{EventStore, Extension, Filter, Listing};

/// Visible events: those that the filters of both panels let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visible {
    /// Visible events.
    pub events: usize,
    /// Those of them that are marked.
    pub marked: usize,
}

impl Visible {
    /// What a filter of events lets through of one extension.
    pub(super) fn of(extension: &Extension, filter: &Filter, store: &EventStore) -> Self {
        if filter.is_empty() {
            let events = store.listing(&extension.number).map_or(0, Listing::len);
            return Self { events, marked: store.marked_in(&extension.number) };
        }
        let meant = filter.meant(std::slice::from_ref(extension), store);
        Self { events: meant.events, marked: meant.marked }
    }
}

impl AddAssign for Visible {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.marked += other.marked;
    }
}

impl SubAssign for Visible {
    fn sub_assign(&mut self, other: Self) {
        self.events = self.events.saturating_sub(other.events);
        self.marked = self.marked.saturating_sub(other.marked);
    }
}
