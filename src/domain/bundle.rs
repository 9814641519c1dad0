//! Distinct texts that lie one behind the other in memory: a million of them take little more room
//! than their bytes, and a part is looked for in all of them at once.

/// Texts, each with its place. Once it is shared it never changes.
#[derive(Debug, Default)]
pub(super) struct Bundle {
    all: String,
    /// Where each text ends.
    ends: Vec<u32>,
    /// The places of those that are not ASCII.
    beyond_ascii: Vec<u32>,
}

/// There is no room for another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Bundle {
    /// Takes so many texts, of so many bytes in all, without growing.
    pub(super) fn with_room(texts: usize, bytes: usize) -> Self {
        Self {
            all: String::with_capacity(bytes),
            ends: Vec::with_capacity(texts),
            beyond_ascii: Vec::new(),
        }
    }

    /// Adds a text; says its place.
    ///
    /// # Errors
    /// Refuses what would make it larger than its numbers can say.
    pub(super) fn push(&mut self, text: &str) -> Result<u32, Full> {
        let place = u32::try_from(self.ends.len()).map_err(|_| Full)?;
        let end = u32::try_from(self.all.len().saturating_add(text.len())).map_err(|_| Full)?;
        self.all.push_str(text);
        self.ends.push(end);
        if !text.is_ascii() {
            self.beyond_ascii.push(place);
        }
        Ok(place)
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A text by its place.
    pub(super) fn get(&self, place: u32) -> Option<&str> {
        let place = usize::try_from(place).ok()?;
        let start = place.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before))?;
        self.all.get(index(*start)..index(*self.ends.get(place)?))
    }

    /// Every text in the order of their places.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..).map_while(|place| self.get(place))
    }

    /// All texts as one.
    pub(super) fn bytes(&self) -> &[u8] {
        self.all.as_bytes()
    }

    /// Where each text ends in all of them.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        self.ends.iter().map(|end| index(*end))
    }

    /// The places of the texts that are not ASCII.
    pub(super) fn beyond_ascii(&self) -> &[u32] {
        &self.beyond_ascii
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
