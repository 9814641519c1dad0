//! Numbers of things, and the things found by them.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Numbers of things that somebody else holds, found by what those are: eight bytes for each. The
/// hashes are seeded at random, so that no service can choose texts of which many have the same.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    seed: RandomState,
    slots: HashTable<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    number: u32,
}

impl Numbers {
    /// For so many without growing.
    pub(super) fn for_so_many(count: usize) -> Self {
        Self { slots: HashTable::with_capacity(count), ..Self::default() }
    }

    /// The number of a thing that is known, as `is` tells of the numbers that it may have. Otherwise
    /// it has this number from now on.
    pub(super) fn known(
        &mut self,
        thing: impl Hash,
        number: u32,
        is: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let hash = self.hash(thing);
        let same = |slot: &Slot| slot.hash == hash && is(slot.number);
        match self.slots.entry(spread(hash), same, |slot| spread(slot.hash)) {
            Entry::Occupied(known) => Some(known.get().number),
            Entry::Vacant(vacant) => {
                vacant.insert(Slot { hash, number });
                None
            }
        }
    }

    /// The number of a thing, where it has one.
    pub(super) fn find(&self, thing: impl Hash, is: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = self.hash(thing);
        let same = |slot: &Slot| slot.hash == hash && is(slot.number);
        self.slots.find(spread(hash), same).map(|slot| slot.number)
    }

    fn hash(&self, thing: impl Hash) -> u32 {
        u32::try_from(self.seed.hash_one(thing) >> 32).unwrap_or_default()
    }
}

/// A hash as the table wants it: it looks at the highest bits and at the lowest.
fn spread(hash: u32) -> u64 {
    (u64::from(hash) << 32) | u64::from(hash)
}

/// The number of what comes behind so many.
pub(super) fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The place of what has this number.
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
