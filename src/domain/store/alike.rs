//! Events of one listing that are duplicates of each other.

use jiff::tz::TimeZone;

use super::listing::Listing;
use super::numbers::{index, number_of};

/// The sets of rows of a listing that have type, method and URL in common, those of one row too.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// In the order of their first rows.
    sets: Vec<Set>,
    /// The set that each row is in.
    of_row: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct Set {
    pub(super) first: u32,
    pub(super) size: u32,
    /// The one that is no duplicate, and its rank where there was anything to compare it with.
    stays: u32,
    rank: Rank,
    /// Another set of the same type and URL, or [`NONE`].
    other: u32,
    method: u8,
}

/// The largest stays: whether it is on, and when it was last changed. 0 where that was not asked yet.
type Rank = u128;

const NONE: u32 = u32::MAX;

impl Alike {
    /// Of each set one stays: an enabled one, then the newest by a date that can be read, then the one
    /// listed first.
    pub(super) fn of(listing: &Listing, local: &TimeZone) -> Self {
        let mut alike = Self {
            sets: Vec::with_capacity(listing.len()),
            of_row: Vec::with_capacity(listing.len()),
        };
        // The last set with each URL: of the same type where it is not before the first one of that.
        let mut last = vec![NONE; listing.texts()];
        for (_, rows) in listing.groups() {
            let of_type = alike.sets.len();
            for row in rows {
                let Some(last) = listing.url_at(row).and_then(|url| last.get_mut(url)) else {
                    continue;
                };
                let other = if index(*last) >= of_type { *last } else { NONE };
                let set = alike.put(listing, row, other, local);
                if index(set) + 1 == alike.sets.len() {
                    *last = set;
                }
                alike.of_row.push(set);
            }
        }
        alike
    }

    /// Puts a row in its set; `other` is the last one of its type and URL.
    fn put(&mut self, listing: &Listing, row: usize, other: u32, local: &TimeZone) -> u32 {
        let (method, number) = (listing.method_at(row), number_of(row));
        let mut next = other;
        while let Some(set) = self.sets.get_mut(index(next)) {
            if set.method == method {
                if set.rank == 0 {
                    set.rank = rank(listing, index(set.stays), local);
                }
                let new = rank(listing, row, local);
                if new > set.rank {
                    (set.stays, set.rank) = (number, new);
                }
                set.size += 1;
                return next;
            }
            next = set.other;
        }
        self.sets.push(Set { first: number, size: 1, stays: number, rank: 0, method, other });
        number_of(self.sets.len() - 1)
    }

    /// All sets, those of one row too, in the order of their first rows.
    pub(super) fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The set of each row, by its place among [all](Self::sets).
    pub(super) fn of_row(&self) -> &[u32] {
        &self.of_row
    }

    /// The set of a row, where others are in it too.
    fn set_of(&self, row: usize) -> Option<&Set> {
        self.sets.get(index(*self.of_row.get(row)?)).filter(|set| set.size > 1)
    }

    /// Whether there are others like it, whichever stays.
    pub(super) fn has_others(&self, row: usize) -> bool {
        self.set_of(row).is_some()
    }

    /// Whether another one of its set stays.
    pub(super) fn is_duplicate(&self, row: usize) -> bool {
        self.set_of(row).is_some_and(|set| index(set.stays) != row)
    }

    /// How many sets of several have no row beside these, of which none is there twice.
    pub(super) fn sets_within(&self, rows: &[usize]) -> usize {
        let mut missing: Vec<u32> = self.sets.iter().map(|set| set.size).collect();
        for row in rows {
            if let Some(missing) =
                self.of_row.get(*row).and_then(|set| missing.get_mut(index(*set)))
            {
                *missing = missing.saturating_sub(1);
            }
        }
        let sets = self.sets.iter().zip(missing);
        sets.filter(|(set, missing)| set.size > 1 && *missing == 0).count()
    }

    /// The rows that stay of those that have others like them.
    pub(super) fn staying(&self) -> impl Iterator<Item = usize> + '_ {
        self.sets.iter().filter(|set| set.size > 1).map(|set| index(set.stays))
    }
}

fn rank(listing: &Listing, row: usize, local: &TimeZone) -> Rank {
    let moment = listing.moment_at(row, local).map_or(0, |(second, rest)| {
        let second = Rank::from(second.abs_diff(i64::MIN)) + 1;
        second << 32 | Rank::from(rest.unsigned_abs())
    });
    Rank::from(listing.is_enabled(row)) << 100 | moment
}
