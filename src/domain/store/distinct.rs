//! The distinct texts of one listing, four bytes each: the texts themselves lie in bundles that many
//! listings share.

use std::sync::Arc;

use super::super::bundle::Bundle;
use super::super::{Foreign, Open};
use super::numbers::{index, number_of};

/// Distinct texts, each by its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Distinct {
    /// In the order of the numbers that their texts have.
    parts: Box<[Part]>,
    numbers: Box<[u32]>,
}

/// Where some of the texts lie.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The number of the first text of the bundle.
    pub(super) first: u32,
    /// How many of its texts are meant.
    pub(super) used: u32,
    pub(super) bundle: Arc<Bundle>,
}

impl Distinct {
    /// All texts of one bundle, which no store knows yet.
    pub(super) fn new(bundle: Bundle) -> Self {
        let used = number_of(bundle.len());
        let part = Part { first: 0, used, bundle: Arc::new(bundle) };
        Self { parts: Box::new([part]), numbers: (0..used).collect() }
    }

    /// The texts of these numbers, which lie in these parts.
    pub(super) fn of(parts: Vec<Part>, numbers: Vec<u32>) -> Self {
        Self { parts: parts.into(), numbers: numbers.into() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The number that the store gave to a text.
    pub(super) fn number(&self, place: usize) -> Option<u32> {
        self.numbers.get(place).copied()
    }

    /// A text.
    pub(super) fn get(&self, place: usize) -> Option<&str> {
        let (part, at) = self.lies(self.number(place)?)?;
        part.bundle.get(at)
    }

    /// A text, for somebody to keep.
    pub(super) fn shared(&self, place: usize) -> Option<Foreign> {
        let (part, at) = self.lies(self.number(place)?)?;
        Some(Foreign::bundled(&part.bundle, at))
    }

    /// Every text in the order of their places.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    fn lies(&self, number: u32) -> Option<(&Part, u32)> {
        let behind = self.parts.partition_point(|part| part.first <= number);
        let part = self.parts.get(behind.checked_sub(1)?)?;
        Some((part, number - part.first))
    }

    /// Which of the texts a term fits.
    pub(super) fn that_fit(&self, term: &Open<'_>) -> Vec<bool> {
        // Most of a bundle is asked at once; few texts of many one by one.
        let at_once = |part: &Part| {
            let most = index(part.used) * 2 >= part.bundle.len();
            #[cfg(test)]
            super::looked::at_texts(if most { part.bundle.len() } else { index(part.used) });
            most.then(|| term.that_fit(&part.bundle))
        };
        let of_parts: Vec<Option<Vec<bool>>> = self.parts.iter().map(at_once).collect();
        // Texts that follow each other mostly lie in one part.
        let mut at = 0;
        let mut fits = |number: u32| {
            if !self.parts.get(at).is_some_and(|part| part.holds(number)) {
                at = self.parts.partition_point(|part| part.first <= number).checked_sub(1)?;
            }
            let (part, of_part) = self.parts.get(at).zip(of_parts.get(at))?;
            let place = number - part.first;
            match of_part {
                Some(fit) => fit.get(index(place)).copied(),
                None => Some(term.fits_text(part.bundle.get(place)?, false)),
            }
        };
        self.numbers.iter().map(|number| fits(*number).unwrap_or(false)).collect()
    }
}

impl Part {
    fn holds(&self, number: u32) -> bool {
        number.checked_sub(self.first).is_some_and(|place| index(place) < self.bundle.len())
    }
}

impl PartialEq for Distinct {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.texts().eq(other.texts())
    }
}

impl Eq for Distinct {}
