//! The Extensions panel: the row that means all extensions, and below it those that the filter
//! admits, in the order asked for. The cursor stays on its extension whatever comes and goes.

use std::cmp::Reverse;

use fixedbitset::FixedBitSet;

use crate::domain::{EventStore, Extension, ExtensionNumber, Filter, Listing, PassedOver, Verdict};

use super::{Cursor, Motion};

/// The order of the extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExtensionOrder {
    /// By number.
    #[default]
    Listed,
    /// By number of events, the most first.
    Events,
    /// By number of marks, the most first.
    Marks,
}

impl ExtensionOrder {
    /// The order that comes after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Listed => Self::Events,
            Self::Events => Self::Marks,
            Self::Marks => Self::Listed,
        }
    }

    /// The name of the order on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listed => "number",
            Self::Events => "number of events",
            Self::Marks => "number of marks",
        }
    }
}

/// One row of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtensionRow<'a> {
    /// The row *All extensions*.
    All,
    /// One extension.
    One(&'a Extension),
}

/// All extensions that were found, and which of them are shown.
#[derive(Debug, Default)]
pub struct Extensions {
    /// In the order of their numbers.
    found: Vec<Extension>,
    /// Places in `found` that the filter admits.
    shown: FixedBitSet,
    /// The same places in the order of the panel.
    rows: Vec<usize>,
    order: ExtensionOrder,
    filter: Filter,
    /// Extensions that the filter can say nothing about.
    passed_over: PassedOver,
    cursor: Cursor,
    /// The cursor is on the row of all extensions because it was sent there, and not for want of
    /// others.
    on_all: bool,
}

impl Extensions {
    /// All extensions, shown or not, in the order of their numbers.
    pub fn found(&self) -> &[Extension] {
        &self.found
    }

    /// An extension by its number.
    pub fn find(&self, number: &ExtensionNumber) -> Option<&Extension> {
        self.found.get(self.place_of(number)?)
    }

    /// Number of extensions that the filter admits.
    pub fn shown(&self) -> usize {
        self.rows.len()
    }

    /// The extensions that the filter admits, in the order of the panel.
    pub fn visible(&self) -> impl Iterator<Item = &Extension> + Clone {
        self.rows.iter().filter_map(|place| self.found.get(*place))
    }

    /// Whether the filter admits an extension; one that was never found is shown while there is no
    /// filter.
    pub fn shows(&self, number: &ExtensionNumber) -> bool {
        self.filter.is_empty() || self.place_of(number).is_some_and(|it| self.shown.contains(it))
    }

    /// Rows of the panel.
    pub fn len(&self) -> usize {
        if self.found.is_empty() { 0 } else { self.rows.len() + 1 }
    }

    /// True before any was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// One row of the panel.
    pub fn row(&self, row: usize) -> Option<ExtensionRow<'_>> {
        match row.checked_sub(1) {
            None => (!self.found.is_empty()).then_some(ExtensionRow::All),
            Some(row) => self.found.get(*self.rows.get(row)?).map(ExtensionRow::One),
        }
    }

    /// The extension in one row of the panel, if it is one.
    pub fn one(&self, row: usize) -> Option<&Extension> {
        match self.row(row)? {
            ExtensionRow::One(extension) => Some(extension),
            ExtensionRow::All => None,
        }
    }

    /// The row under the cursor.
    pub fn current_row(&self) -> Option<ExtensionRow<'_>> {
        self.row(self.cursor.at)
    }

    /// The extension under the cursor; `None` on the row of all of them.
    pub fn current(&self) -> Option<&Extension> {
        self.one(self.cursor.at)
    }

    /// The row under the cursor, the first in sight, and where a range began.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The filter of the panel.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The order of the panel.
    pub fn order(&self) -> ExtensionOrder {
        self.order
    }

    /// Extensions that the filter can say nothing about.
    pub fn passed_over(&self) -> PassedOver {
        self.passed_over
    }

    /// Takes what was found in place of what was known.
    pub(super) fn take(&mut self, found: Vec<Extension>, store: &EventStore) {
        let is_first = self.found.is_empty();
        let current = self.current().map(|extension| extension.number.clone());
        self.found = found;
        self.rows.clear();
        self.arrange(current.as_ref(), store);
        if is_first {
            self.cursor.at = usize::from(!self.rows.is_empty());
        }
    }

    /// Lets go of one that turned out to be another one.
    pub(super) fn forget(&mut self, number: &ExtensionNumber, store: &EventStore) {
        let current = self.current().map(|extension| extension.number.clone());
        self.found.retain(|extension| extension.number != *number);
        self.rows.clear();
        self.arrange(current.as_ref(), store);
    }

    /// Shows what this filter admits from now on.
    pub(super) fn filter_by(&mut self, filter: Filter, store: &EventStore) {
        self.filter = filter;
        self.judge_again(store);
    }

    /// Puts them in the next order.
    pub(super) fn reorder(&mut self, store: &EventStore) -> ExtensionOrder {
        self.order = self.order.next();
        self.judge_again(store);
        self.order
    }

    /// Asks the filter about each again.
    pub(super) fn judge_again(&mut self, store: &EventStore) {
        let current = self.current().map(|extension| extension.number.clone());
        self.arrange(current.as_ref(), store);
    }

    fn arrange(&mut self, current: Option<&ExtensionNumber>, store: &EventStore) {
        self.shown = FixedBitSet::with_capacity(self.found.len());
        self.passed_over = PassedOver::default();
        for (place, extension) in self.found.iter().enumerate() {
            let verdict = self.filter.judge_extension(extension, store);
            self.passed_over.count(verdict);
            self.shown.set(place, verdict == Verdict::Meant);
        }
        self.rows = self.shown.ones().collect();
        if self.order != ExtensionOrder::Listed {
            let Self { rows, found, order, .. } = self;
            let weight = |place: &usize| found.get(*place).map(|it| order.weight(it, store));
            rows.sort_by_cached_key(|place| Reverse(weight(place)));
        }
        let is_current = |extension: &Extension| Some(&extension.number) == current;
        let row = self.visible().position(is_current);
        if let Some(row) = row {
            self.cursor.at = row + 1;
        }
        self.leave_all();
        self.cursor.drop_range();
    }

    fn leave_all(&mut self) {
        if !self.on_all && !self.rows.is_empty() {
            self.cursor.at = self.cursor.at.max(1);
        }
    }

    /// What the filter says of one extension.
    pub(super) fn judge(&self, number: &ExtensionNumber, store: &EventStore) -> PassedOver {
        let mut passed_over = PassedOver::default();
        if let Some(extension) = self.find(number).filter(|_| !self.filter.is_empty()) {
            passed_over.count(self.filter.judge_extension(extension, store));
        }
        passed_over
    }

    /// Asks the filter again about one of which events came or went, given what it said before.
    pub(super) fn judge_one_again(
        &mut self,
        number: &ExtensionNumber,
        before: PassedOver,
        store: &EventStore,
    ) {
        let Some(place) = self.place_of(number).filter(|_| !self.filter.is_empty()) else {
            return;
        };
        self.passed_over = self.passed_over.again(before, self.judge(number, store));
        let judged = self.found.get(place).map(|it| self.filter.judge_extension(it, store));
        let (shows, shown) = (judged == Some(Verdict::Meant), self.shown.contains(place));
        if shows == shown {
            return;
        }
        self.shown.set(place, shows);
        let weight = |place: &usize| {
            let extension = self.found.get(*place);
            (Reverse(extension.map(|it| self.order.weight(it, store))), *place)
        };
        let row = match self.rows.iter().position(|row| *row == place) {
            Some(row) => row,
            None => self.rows.partition_point(|row| weight(row) < weight(&place)),
        };
        // The row of all extensions stands above them.
        if shows {
            self.rows.insert(row, place);
            self.cursor.at += usize::from(row < self.cursor.at);
        } else {
            self.rows.remove(row);
            self.cursor.at -= usize::from(row + 1 < self.cursor.at);
        }
        self.leave_all();
        self.cursor.drop_range();
    }

    fn place_of(&self, number: &ExtensionNumber) -> Option<usize> {
        self.found.binary_search_by(|extension| extension.number.cmp(number)).ok()
    }

    pub(super) fn go(&mut self, motion: Motion, height: usize) {
        self.cursor.go(motion, self.len(), height);
        self.on_all = self.cursor.at == 0;
    }

    /// Puts the cursor on the row of all extensions.
    pub(super) fn go_to_all(&mut self) {
        self.cursor = Cursor::default();
        self.on_all = true;
    }

    pub(super) fn cursor_mut(&mut self) -> &mut Cursor {
        &mut self.cursor
    }
}

impl ExtensionOrder {
    /// The more, the further up.
    fn weight(self, extension: &Extension, store: &EventStore) -> usize {
        match self {
            Self::Listed => 0,
            Self::Events => store.listing(&extension.number).map_or(0, Listing::len),
            Self::Marks => store.marked_in(&extension.number),
        }
    }
}
