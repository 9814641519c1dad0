//! What was chosen, as it is listed, and what of its extensions that makes whole.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::domain::{CallForm, EventStore, EventType, ExtensionNumber, Listing, PhoneCallEvent};

/// Events that were chosen, as they are listed, and what of their extensions they make whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// In the order of extension numbers, and within each of its listing: grouped by type.
    pub(super) events: Vec<PhoneCallEvent>,
    pub(super) extensions: Vec<Chosen>,
    pub(super) bystanders: Vec<PhoneCallEvent>,
}

/// One extension's part of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    extension: ExtensionNumber,
    pub(super) events: Range<usize>,
    /// Every row of the listing is chosen, and the listing is complete for a wide call.
    pub(super) whole: bool,
    pub(super) types: Vec<ChosenType>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenType {
    event_type: EventType,
    pub(super) events: Range<usize>,
    pub(super) whole: bool,
}

impl Selection {
    /// All marks, in the order of extension numbers.
    pub fn of_marks(store: &EventStore) -> Self {
        let mut selection = Self::default();
        for (listing, rows) in store.marked_listings() {
            selection.add(listing, rows);
        }
        selection
    }

    /// Rows of one listing.
    pub fn of_rows(listing: &Listing, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut selection = Self::default();
        selection.add(listing, rows);
        selection
    }

    /// The chosen events, in the order of extension numbers.
    pub fn events(&self) -> &[PhoneCallEvent] {
        &self.events
    }

    /// How many events are chosen.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// True when nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether any call of this form can stand in a plan: what a wide one would remove must all be
    /// chosen, on a complete listing.
    pub fn fits(&self, form: CallForm) -> bool {
        self.extensions.iter().any(|chosen| match form {
            CallForm::Event => true,
            CallForm::Extension => chosen.whole,
            CallForm::Type => chosen.types.iter().any(|group| group.whole),
        })
    }

    /// Extension by extension: its chosen events, whether these are all that is listed, and the types
    /// of which they are all.
    pub(super) fn parts(
        &self,
    ) -> impl Iterator<Item = (&ExtensionNumber, &[PhoneCallEvent], bool, Vec<EventType>)> {
        self.extensions.iter().map(|chosen| {
            let events = self.events.get(chosen.events.clone()).unwrap_or_default();
            let whole = chosen.types.iter().filter(|group| group.whole);
            let whole = whole.map(|group| group.event_type).collect();
            (&chosen.extension, events, chosen.whole, whole)
        })
    }

    pub(super) fn add(&mut self, listing: &Listing, rows: impl IntoIterator<Item = usize>) {
        let start = self.events.len();
        let rows: BTreeSet<usize> = rows.into_iter().collect();
        let chosen = rows.iter().filter_map(|row| listing.row(*row));
        self.events.extend(chosen.map(|view| view.to_event()));
        let events = start..self.events.len();
        if events.is_empty() {
            return;
        }
        let others = (0..listing.len()).filter(|row| !rows.contains(row));
        let others = others.filter_map(|row| listing.row(row));
        self.bystanders.extend(others.map(|view| view.to_event()));
        let complete = listing.is_complete_for_wide();
        let mut types = Vec::new();
        let mut from = start;
        for group in self
            .events
            .get(events.clone())
            .unwrap_or_default()
            .chunk_by(|a, b| a.key.event_type == b.key.event_type)
        {
            let Some(event_type) = group.first().map(|event| event.key.event_type) else {
                continue;
            };
            let whole = complete && group.len() == listing.rows_of(event_type).len();
            types.push(ChosenType { event_type, events: from..from + group.len(), whole });
            from += group.len();
        }
        let whole = complete && events.len() == listing.len();
        self.extensions.push(Chosen {
            extension: listing.extension().clone(),
            events,
            whole,
            types,
        });
    }
}
