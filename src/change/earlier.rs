//! A run of before, as its file tells it: what a list of runs says of it, and its events.

use super::summary::Summary;
use crate::domain::{Change, Outcome, PhoneCallEvent};

/// An earlier run with its events.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierRun {
    /// The row of the run in a list of runs.
    pub summary: Summary,
    /// Its events, those that need a look first.
    rows: Vec<EarlierEvent>,
}

/// A planned event and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierEvent {
    /// The event as it was listed.
    pub event: PhoneCallEvent,
    /// What was to become of it, where that is another than to be gone or there again.
    pub change: Option<Change>,
    /// Its outcome.
    pub outcome: Outcome,
}

impl EarlierRun {
    /// Puts the events of a run into the order in which they are shown.
    pub fn new(summary: Summary, mut rows: Vec<EarlierEvent>) -> Self {
        rows.sort_by_key(|row| row.outcome.is_well());
        Self { summary, rows }
    }

    /// How many events it planned that its file still knows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True where the file holds no event that can be read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One of its events.
    pub fn row(&self, row: usize) -> Option<&EarlierEvent> {
        self.rows.get(row)
    }
}
