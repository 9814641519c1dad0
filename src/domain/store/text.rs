//! The rows of a listing byte for byte as the service wrote them. They are kept for what may go into
//! a run file, and for nothing else: a million of them would not fit.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One row as it stood in the answer. Rows of one listing share their bytes.
#[derive(Clone)]
pub struct RowText {
    all: Arc<[u8]>,
    place: Range<u32>,
}

impl RowText {
    /// A row that stands alone, as run files hold it.
    pub fn new(bytes: &[u8]) -> Self {
        Self { all: bytes.into(), place: 0..u32::try_from(bytes.len()).unwrap_or(u32::MAX) }
    }

    /// The bytes of the row.
    pub fn bytes(&self) -> &[u8] {
        let place = |end| usize::try_from(end).unwrap_or(usize::MAX);
        self.all.get(place(self.place.start)..place(self.place.end)).unwrap_or(&self.all)
    }
}

impl PartialEq for RowText {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for RowText {}

impl fmt::Debug for RowText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.bytes()))
    }
}

/// The texts of all rows of a listing, in the order of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Texts {
    all: Arc<[u8]>,
    places: Vec<Range<u32>>,
}

impl Texts {
    pub(super) fn new(all: &[u8], places: Vec<Range<u32>>) -> Self {
        Self { all: all.into(), places }
    }

    /// The text of a row; `None` where it was not kept.
    pub(super) fn of(&self, row: usize) -> Option<RowText> {
        let place = self.places.get(row).filter(|place| !place.is_empty())?;
        Some(RowText { all: Arc::clone(&self.all), place: place.clone() })
    }

    pub(super) fn remove(&mut self, row: usize) {
        if row < self.places.len() {
            self.places.remove(row);
        }
    }
}
