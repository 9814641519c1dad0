//! Events of one listing that are duplicates of each other.

use std::cmp::Reverse;

use jiff::tz::TimeZone;

use super::listing::Listing;

/// The sets of rows of a listing that have type, method and URL in common, those of one row too.
#[derive(Debug, Default)]
pub(super) struct Alike {
    sets: Vec<Set>,
    /// The set that each row is in.
    of_row: Vec<usize>,
}

#[derive(Debug)]
struct Set {
    first: usize,
    size: usize,
    /// The one that is no duplicate, and its rank where there was anything to compare it with.
    stays: usize,
    rank: Option<Rank>,
    method: u8,
    /// Another set of the same type and URL.
    other: Option<usize>,
}

/// The least stays: whether it is off, and when it was last changed.
type Rank = (bool, Reverse<Option<(i64, i32)>>);

impl Alike {
    /// Of each set one stays: an enabled one, then the newest by a date that can be read, then the one
    /// listed first.
    pub(super) fn of(listing: &Listing, local: &TimeZone) -> Self {
        let mut alike = Self {
            sets: Vec::with_capacity(listing.len()),
            of_row: Vec::with_capacity(listing.len()),
        };
        // The last set with each URL: of the same type where it is not before the first one of that.
        let mut last: Vec<Option<usize>> = vec![None; listing.texts()];
        for (_, rows) in listing.groups() {
            let of_type = alike.sets.len();
            for row in rows {
                let Some(last) = listing.url_at(row).and_then(|url| last.get_mut(url)) else {
                    continue;
                };
                let other = last.filter(|set| *set >= of_type);
                let set = alike.put(listing, row, other, local);
                if set + 1 == alike.sets.len() {
                    *last = Some(set);
                }
                alike.of_row.push(set);
            }
        }
        alike
    }

    /// Puts a row in its set; `other` is the last one of its type and URL.
    fn put(
        &mut self,
        listing: &Listing,
        row: usize,
        other: Option<usize>,
        local: &TimeZone,
    ) -> usize {
        let method = listing.method_at(row);
        let mut next = other;
        while let Some(at) = next {
            let Some(set) = self.sets.get_mut(at) else { break };
            if set.method == method {
                let rank = |row| (!listing.is_enabled(row), Reverse(listing.moment_at(row, local)));
                let (stays, new) = (set.rank.unwrap_or_else(|| rank(set.stays)), rank(row));
                set.rank = Some(stays.min(new));
                if new < stays {
                    set.stays = row;
                }
                set.size += 1;
                return at;
            }
            next = set.other;
        }
        self.sets.push(Set { first: row, size: 1, stays: row, rank: None, method, other });
        self.sets.len() - 1
    }

    /// The set of a row, where others are in it too.
    fn set_of(&self, row: usize) -> Option<&Set> {
        self.sets.get(*self.of_row.get(row)?).filter(|set| set.size > 1)
    }

    /// The first row of the set that a row is in, where others are in it too.
    pub(super) fn first_of(&self, row: usize) -> Option<usize> {
        self.set_of(row).map(|set| set.first)
    }

    /// Whether another one of its set stays.
    pub(super) fn is_duplicate(&self, row: usize) -> bool {
        self.set_of(row).is_some_and(|set| set.stays != row)
    }

    /// How many sets of several have no row beside these, of which none is there twice.
    pub(super) fn sets_within(&self, rows: &[usize]) -> usize {
        let mut missing: Vec<usize> = self.sets.iter().map(|set| set.size).collect();
        for row in rows {
            if let Some(missing) = self.of_row.get(*row).and_then(|set| missing.get_mut(*set)) {
                *missing = missing.saturating_sub(1);
            }
        }
        let sets = self.sets.iter().zip(missing);
        sets.filter(|(set, missing)| set.size > 1 && *missing == 0).count()
    }

    /// The rows that stay of those that have others like them.
    pub(super) fn staying(&self) -> impl Iterator<Item = usize> + '_ {
        self.sets.iter().filter(|set| set.size > 1).map(|set| set.stays)
    }
}
