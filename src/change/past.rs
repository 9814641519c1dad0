//! What is known of a run that is undone, beside what it took: nothing that it knew is taken for an
//! event that an undo made unseen.

use std::collections::BTreeSet;

use crate::domain::{EventId, EventKey, Foreign, PhoneCallEvent};

/// What is known of a run that is undone, beside what it took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Past {
    run: String,
    /// Events that an interrupted undo may have made.
    pub(super) suspects: BTreeSet<EventKey>,
    /// Every event that the run and its undos knew: none of them is one that was made unseen.
    pub(super) known: BTreeSet<EventKey>,
    /// Events that were made without the service telling their new ids.
    pub(super) unnamed: Vec<PhoneCallEvent>,
}

impl Past {
    /// Of the run of this name, and every event that it knew.
    pub(super) fn of(run: &str, known: impl IntoIterator<Item = EventKey>) -> Self {
        let known = known.into_iter().collect();
        Self { run: run.to_owned(), known, ..Self::default() }
    }

    /// Which run.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Takes in an event that was made, and under which id.
    pub(super) fn made(&mut self, event: &PhoneCallEvent, id: Option<&Foreign>) {
        match id.and_then(|id| EventId::parse(id.raw()).ok()) {
            Some(id) => {
                self.known.insert(EventKey { id, ..event.key.clone() });
            }
            None => self.unnamed.push(event.clone()),
        }
    }
}
