//! While a run takes events away, an arrangement only lets go of their places: what is left stands in
//! its order, and nothing is filtered or sorted again.

use super::super::{EventStore, Shelf};
use super::{Arrangement, Place, index};

impl Arrangement {
    /// Lets go of the places of events that left their listings, and counts the marks of every group
    /// again. Returns how many of these places stood in front of a position. That events outside the
    /// filter left, and that a group is smaller than the next one now, shows once all is arranged anew.
    pub fn thin(&mut self, store: &EventStore, position: usize) -> usize {
        let Self { sources, places, groups, .. } = self;
        let thinned = |number, edition| {
            let shelf: Option<&Shelf> = store.shelves.get(number).map(AsRef::as_ref);
            shelf.filter(|shelf| shelf.edition == edition && !shelf.removed.is_empty())
        };
        let shelves: Vec<Option<&Shelf>> =
            sources.iter().map(|source| thinned(&source.number, source.edition)).collect();
        let left = |place: &Place| {
            let shelf = shelves.get(index(place.extension)).copied().flatten();
            shelf.is_some_and(|shelf| shelf.removed.row_now(index(place.row)).is_none())
        };
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
