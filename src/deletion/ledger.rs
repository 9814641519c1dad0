//! What became of each planned event, and the counts of it: every event has one outcome at most,
//! and the counts always say the same as the outcomes.

use std::collections::BTreeSet;

use super::Tally;
use crate::domain::Outcome;

/// The outcomes of the events of one plan, by their places.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ledger {
    outcomes: Vec<Option<Outcome>>,
    tally: Tally,
    revised: BTreeSet<usize>,
}

impl Ledger {
    /// So many events, and nothing is known of any.
    pub(super) fn new(events: usize) -> Self {
        let (tally, revised) = (Tally::default(), BTreeSet::new());
        Self { outcomes: vec![None; events], tally, revised }
    }

    /// What the answer to a call says.
    pub(super) fn set(&mut self, event: usize, outcome: Outcome) {
        let Some(place) = self.outcomes.get_mut(event) else { return };
        *self.tally.of(&outcome) += 1;
        if let Some(before) = place.replace(outcome) {
            *self.tally.of(&before) -= 1;
        }
    }

    /// What a listing says, whatever an answer said.
    pub(super) fn revise(&mut self, event: usize, outcome: Outcome) {
        self.revised.insert(event);
        self.set(event, outcome);
    }

    /// Gives every event that has no outcome this one.
    pub(super) fn close(&mut self, rest: impl Fn() -> Outcome) {
        for event in 0..self.outcomes.len() {
            if self.get(event).is_none() {
                self.set(event, rest());
            }
        }
    }

    pub(super) fn get(&self, event: usize) -> Option<&Outcome> {
        self.outcomes.get(event)?.as_ref()
    }

    pub(super) fn all(&self) -> &[Option<Outcome>] {
        &self.outcomes
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// The events whose outcome is not the one that their call's answer gave.
    pub(super) fn revised(&self) -> Vec<(usize, Outcome)> {
        let outcome = |event: &usize| Some((*event, self.get(*event)?.clone()));
        self.revised.iter().filter_map(outcome).collect()
    }
}
