//! Which rows left a listing since it came in, so that a row that was noted down meanwhile is found
//! again, or known to be gone.

use fixedbitset::FixedBitSet;

/// The rows that left, by the numbers that they came in with, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Removed(Vec<usize>);

impl Removed {
    /// A row leaves, by the number that it has now.
    pub(super) fn add(&mut self, row: usize) {
        let place = self.before(row);
        self.0.insert(place, row + place);
    }

    /// Those that left.
    pub(super) fn numbers(&self) -> &[usize] {
        &self.0
    }

    /// How many left.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number that a row came in with.
    pub(super) fn number_of(&self, row: usize) -> usize {
        row + self.before(row)
    }

    /// The numbers that some rows came in with.
    pub(super) fn numbers_of(&self, rows: FixedBitSet) -> FixedBitSet {
        if self.0.is_empty() {
            return rows;
        }
        rows.ones().map(|row| self.number_of(row)).collect()
    }

    /// Where a row is now, by the number that it came in with; `None` where it left.
    pub(super) fn row_now(&self, number: usize) -> Option<usize> {
        if self.0.is_empty() {
            return Some(number);
        }
        self.0.binary_search(&number).err().map(|before| number - before)
    }

    /// How many left in front of a row that is there.
    fn before(&self, row: usize) -> usize {
        let (mut from, mut to) = (0, self.0.len());
        while from < to {
            let middle = from.midpoint(to);
            // What is left of the rows in front of this one.
            match self.0.get(middle).map(|number| number - middle) {
                Some(left) if left > row => to = middle,
                Some(_) | None => from = middle + 1,
            }
        }
        from
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_row_is_found_again_by_the_number_it_came_in_with(
            rows in 0..30_usize,
            leave in prop::collection::vec(0..30_usize, 0..30),
        ) {
            let mut left: Vec<usize> = (0..rows).collect();
            let mut removed = Removed::default();
            for row in leave {
                if row < left.len() {
                    left.remove(row);
                    removed.add(row);
                }
                for number in 0..rows {
                    prop_assert_eq!(removed.row_now(number), left.iter().position(|n| *n == number));
                }
                for (row, number) in left.iter().enumerate() {
                    prop_assert_eq!(removed.number_of(row), *number);
                }
                let odd = (1..left.len()).step_by(2).collect();
                let numbers = removed.numbers_of(odd).ones().collect::<Vec<_>>();
                let odd: Vec<usize> = left.iter().copied().skip(1).step_by(2).collect();
                prop_assert_eq!(numbers, odd);
            }
        }
    }
}
