//! Numbers of things, and the things found by them.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;

/// Numbers of things that somebody else holds, found by what those are: eight bytes for each place of
/// a table. The hashes are seeded at random, so that no service can choose texts of which many have
/// the same.
///
/// A number stands where the highest bits of its hash say, or in the next free place behind: numbers
/// are found in memory that is read in one go, and a table that grows is copied from its beginning to
/// its end.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    seed: RandomState,
    /// None, or a power of two.
    slots: Vec<Slot>,
    taken: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    /// [`NONE`] where it is free.
    number: u32,
}

const NONE: u32 = u32::MAX;
const FREE: Slot = Slot { hash: 0, number: NONE };

impl Numbers {
    /// For so many without growing.
    pub(super) fn for_so_many(count: usize) -> Self {
        let mut numbers = Self::default();
        numbers.reserve(count);
        numbers
    }

    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, more: usize) {
        // Beyond three quarters the free places are far apart.
        let least = (self.taken + more) * 4 / 3 + 1;
        if least <= self.slots.len() {
            return;
        }
        let slots = vec![FREE; least.next_power_of_two().max(16)];
        for slot in std::mem::replace(&mut self.slots, slots) {
            if slot.number != NONE {
                let free = self.seek(slot.hash, |_| false).err();
                self.put(free, slot);
            }
        }
    }

    /// The number of a thing that is known, as `is` tells of the numbers that it may have. Otherwise
    /// it has this number from now on.
    pub(super) fn known(
        &mut self,
        thing: impl Hash,
        number: u32,
        is: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        self.known_by(self.hash(thing), number, is)
    }

    /// The same by the hash of the thing.
    pub(super) fn known_by(
        &mut self,
        hash: u32,
        number: u32,
        is: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        self.reserve(1);
        let free = match self.seek(hash, is) {
            Ok(known) => return Some(known),
            Err(free) => free,
        };
        self.put(Some(free), Slot { hash, number });
        self.taken += 1;
        None
    }

    /// The number of a thing, where it has one.
    pub(super) fn find(&self, thing: impl Hash, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.seek(self.hash(thing), is).ok()
    }

    pub(super) fn hash(&self, thing: impl Hash) -> u32 {
        u32::try_from(self.seed.hash_one(thing) >> 32).unwrap_or_default()
    }

    /// Looks where things with these hashes begin to be looked for. The processor fetches these
    /// places at once; otherwise it would wait for the memory of one after the other.
    pub(super) fn fetch(&self, hashes: &[u32]) {
        let slots = hashes.iter().filter_map(|hash| self.slots.get(self.begin(*hash)));
        std::hint::black_box(slots.fold(0, |seen, slot| seen ^ slot.number));
    }

    /// The number of a thing with this hash, or the free place where it would stand.
    fn seek(&self, hash: u32, is: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mut at = self.begin(hash);
        while let Some(slot) = self.slots.get(at) {
            if slot.number == NONE {
                return Err(at);
            }
            if slot.hash == hash && is(slot.number) {
                return Ok(slot.number);
            }
            at = if at + 1 < self.slots.len() { at + 1 } else { 0 };
        }
        Err(at)
    }

    /// The place that a hash begins at.
    fn begin(&self, hash: u32) -> usize {
        let bits = self.slots.len().checked_ilog2().unwrap_or(0);
        index(hash.checked_shr(u32::BITS - bits).unwrap_or(0))
    }

    fn put(&mut self, place: Option<usize>, slot: Slot) {
        if let Some(free) = place.and_then(|place| self.slots.get_mut(place)) {
            *free = slot;
        }
    }
}

/// The number of what comes behind so many.
pub(super) fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The place of what has this number.
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_thing_has_the_number_that_it_got_first_whatever_hashes_things_have(
            // Few hashes, the highest among them: numbers stand far behind their places, and at the
            // beginning where the table ends.
            things in prop::collection::vec((0..60_u32, any::<bool>()), 0..200),
            spread in prop_oneof![Just(0), Just(1), Just(0x0400_0000), any::<u32>()],
            room in 0..100_usize,
        ) {
            let mut numbers = Numbers::for_so_many(room);
            let mut known: Vec<u32> = Vec::new();
            for (thing, top) in things {
                let hash = if top { u32::MAX } else { thing.wrapping_mul(spread) };
                let next = number_of(known.len());
                let is = |number| known.get(index(number)) == Some(&(thing * 2 + u32::from(top)));
                let first = numbers.known_by(hash, next, is);
                let thing = thing * 2 + u32::from(top);
                prop_assert_eq!(first.map(index), known.iter().position(|other| *other == thing));
                if first.is_none() {
                    known.push(thing);
                }
            }
            numbers.fetch(&[0, u32::MAX]);
        }
    }

    #[test]
    fn a_table_takes_eleven_to_twenty_two_bytes_for_each_number() {
        let mut numbers = Numbers::default();
        for number in 0..100_000 {
            assert_eq!(numbers.known(number, number, |_| false), None);
            let (slots, taken) = (numbers.slots.len(), numbers.taken);
            assert!(slots * 3 >= taken * 4 && (slots * 3 <= taken * 8 + 8 || slots == 16));
        }
        assert_eq!(numbers.find(7_u32, |number| number == 7), Some(7));
        assert_eq!(numbers.find(100_000_u32, |_| true), None);
    }
}
