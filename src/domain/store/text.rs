//! The rows of a listing byte for byte as the service wrote them. They are kept for what may go into
//! a run file, and for nothing else: a million of them would not fit.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One row as it stood in the answer. Rows of one listing share their bytes.
#[derive(Clone)]
pub struct RowText {
    all: Arc<Vec<u8>>,
    place: Range<u32>,
}

impl RowText {
    /// A row that stands alone, as run files hold it.
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            all: Arc::new(bytes.into()),
            place: 0..u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        }
    }

    /// The bytes of the row.
    pub fn bytes(&self) -> &[u8] {
        let place = |end| usize::try_from(end).unwrap_or(usize::MAX);
        self.all.get(place(self.place.start)..place(self.place.end)).unwrap_or(&self.all)
    }

    /// The fields of the row in their order, each with its name and its JSON text; `None` where it is
    /// no object. Bytes that are no text are replaced.
    pub fn fields(&self) -> Option<Vec<(String, String)>> {
        let text = String::from_utf8_lossy(self.bytes());
        serde_json::from_str::<Fields>(&text).ok().map(|fields| fields.0)
    }
}

/// Every field of an object, also those of one name.
struct Fields(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = entries.next_entry::<String, Box<RawValue>>()? {
            fields.push((name, value.get().to_owned()));
        }
        Ok(Fields(fields))
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
    all: Arc<Vec<u8>>,
    places: Vec<Range<u32>>,
}

impl Texts {
    pub(super) fn new(all: Vec<u8>, places: Vec<Range<u32>>) -> Self {
        Self { all: Arc::new(all), places }
    }

    /// Gives back what room is left. Where they are let go of at once that would be in vain, and the
    /// next ones would find no room of their size.
    pub(super) fn fit(&mut self) {
        if let Some(all) = Arc::get_mut(&mut self.all) {
            all.shrink_to_fit();
        }
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
