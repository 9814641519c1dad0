//! How many marks there are, and in which extensions: whoever asks for that looks at no listing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::domain::ExtensionNumber;

/// Numbers of marks.
#[derive(Debug, Default)]
pub(super) struct Marked {
    /// Of every extension that has one.
    each: BTreeMap<ExtensionNumber, usize>,
    all: usize,
}

impl Marked {
    /// All of them.
    pub(super) fn all(&self) -> usize {
        self.all
    }

    /// Those of one extension.
    pub(super) fn of(&self, extension: &ExtensionNumber) -> usize {
        self.each.get(extension).copied().unwrap_or(0)
    }

    /// Every extension with a mark in the order of their numbers, and how many it has.
    pub(super) fn each(&self) -> impl ExactSizeIterator<Item = (&ExtensionNumber, usize)> {
        self.each.iter().map(|(extension, marks)| (extension, *marks))
    }

    /// An extension has so many marks now; returns how many it had.
    pub(super) fn set(&mut self, extension: &ExtensionNumber, marks: usize) -> usize {
        let before = match self.each.entry(extension.clone()) {
            Entry::Occupied(known) if marks == 0 => known.remove(),
            Entry::Occupied(mut known) => known.insert(marks),
            Entry::Vacant(new) if marks > 0 => {
                new.insert(marks);
                0
            }
            Entry::Vacant(_) => 0,
        };
        self.all = self.all + marks - before;
        before
    }
}
