//! The last changes of marks, so that each can be taken back.

use std::collections::VecDeque;

use fixedbitset::FixedBitSet;

use crate::domain::ExtensionNumber;

/// So many changes can be taken back.
const KEPT: usize = 50;

/// What was done to the marks, the newest change last.
#[derive(Debug, Default)]
pub(super) struct History {
    changes: VecDeque<Vec<Turned>>,
}

/// Rows of one extension whose marks were turned around.
#[derive(Debug)]
pub(super) struct Turned {
    pub(super) extension: ExtensionNumber,
    /// Of the listing that the rows belong to.
    pub(super) edition: u64,
    /// By the numbers that they came in with.
    pub(super) rows: FixedBitSet,
}

/// What came of taking back a change of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TakenBack {
    /// Marks set and marks cleared.
    pub set: usize,
    /// See `set`.
    pub cleared: usize,
    /// Extensions whose events are other ones now: their marks stay as they are.
    pub left: usize,
}

impl History {
    /// What comes from here on is a change of its own.
    pub(super) fn begin(&mut self) {
        if self.changes.back().is_some_and(Vec::is_empty) {
            return;
        }
        self.changes.push_back(Vec::new());
        if self.changes.len() > KEPT {
            self.changes.pop_front();
        }
    }

    pub(super) fn add(&mut self, turned: Turned) {
        if self.changes.is_empty() {
            self.begin();
        }
        if let Some(change) = self.changes.back_mut().filter(|_| !turned.rows.is_clear()) {
            change.push(turned);
        }
    }

    /// The extension was listed anew: its rows are others, or gone.
    pub(super) fn renumber(
        &mut self,
        extension: &ExtensionNumber,
        edition: u64,
        row: impl Fn(usize) -> Option<usize>,
    ) {
        let of_it = self.changes.iter_mut().flatten().filter(|it| it.extension == *extension);
        for turned in of_it {
            let rows = std::mem::take(&mut turned.rows);
            (turned.rows, turned.edition) = (rows.ones().filter_map(&row).collect(), edition);
        }
    }

    /// Whether a change of the extension's marks can be taken back.
    pub(super) fn knows(&self, extension: &ExtensionNumber) -> bool {
        self.changes.iter().flatten().any(|turned| turned.extension == *extension)
    }

    /// Forgets what was done since the newest beginning.
    pub(super) fn forget_newest(&mut self) {
        self.changes.pop_back();
    }

    /// The newest change.
    pub(super) fn pop(&mut self) -> Option<Vec<Turned>> {
        while let Some(change) = self.changes.pop_back() {
            if !change.is_empty() {
                return Some(change);
            }
        }
        None
    }
}
