//! While a run takes events away, an arrangement only lets go of their places: what is left stands in
//! its order, and nothing is filtered or sorted again.

use fixedbitset::FixedBitSet;

use super::super::EventStore;
use super::{Arrangement, Place, index};

impl Arrangement {
    /// Lets go of the places of events that left their listings, and counts the marks of every group
    /// again. Returns how many of these places stood in front of a position. That events outside the
    /// filter left, and that a group is smaller than the next one now, shows once all is arranged anew.
    pub fn thin(&mut self, store: &EventStore, position: usize) -> usize {
        let mut gone = FixedBitSet::new();
        for source in &self.sources {
            let shelf = store.shelves.get(&source.number);
            let shelf = shelf.filter(|shelf| shelf.edition == source.edition);
            let numbers = shelf.map_or(&[][..], |shelf| shelf.removed.numbers());
            gone.extend(numbers.iter().map(|number| index(source.first) + number));
        }
        let Self { places, groups, .. } = self;
        let left = |place: &Place| gone.contains(index(place.0));
        let count = |places: &[Place]| places.iter().filter(|place| left(place)).count();
        let before = count(places.get(..position).unwrap_or(places));
        let mut start = 0;
        for group in groups.iter_mut() {
            let gone = count(places.get(group.rows.clone()).unwrap_or_default());
            let end = start + group.rows.len() - gone;
            group.rows = start..end;
            group.listed = group.listed.saturating_sub(gone);
            start = end;
        }
        groups.retain(|group| !group.rows.is_empty());
        places.retain(|place| !left(place));
        self.count_marks(store);
        before
    }
}
