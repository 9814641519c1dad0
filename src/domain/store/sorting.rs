//! Sorting a million numbers or texts while somebody waits for the next picture.

use std::ops::Range;

/// Bits by which numbers are sorted at a time.
const DIGIT: u32 = 11;
const DIGITS: usize = 1 << DIGIT;

/// So few are sorted faster one by one.
const FEW: usize = 1_000;

/// Sorts by a number that each has; those with equal ones keep their order. What is `spare` is room
/// to work in, which many sorts share: it is new memory that takes the time.
pub(super) fn sort<T: Copy>(these: &mut [T], spare: &mut Vec<T>, number: impl Fn(&T) -> u64) {
    if these.len() < FEW {
        these.sort_by_key(number);
        return;
    }
    let first = these.first().map_or(0, &number);
    // What is the same in all numbers is passed over.
    let differ = these.iter().fold(0, |differ, one| differ | (number(one) ^ first));
    spare.clear();
    spare.extend_from_slice(these);
    let (mut shift, mut in_spare) = (0, false);
    while let Some(rest) = differ.checked_shr(shift).filter(|rest| *rest != 0) {
        shift += rest.trailing_zeros();
        if in_spare {
            by_digit(spare, these, |one| number(one) >> shift);
        } else {
            by_digit(these, spare, |one| number(one) >> shift);
        }
        in_spare = !in_spare;
        shift += DIGIT;
    }
    if in_spare {
        these.copy_from_slice(spare);
    }
}

fn by_digit<T: Copy>(these: &[T], sorted: &mut [T], number: impl Fn(&T) -> u64) {
    let digit = |one: &T| usize::try_from(number(one)).unwrap_or(usize::MAX) % DIGITS;
    let mut next = [0_usize; DIGITS];
    for one in these {
        if let Some(count) = next.get_mut(digit(one)) {
            *count += 1;
        }
    }
    let mut start = 0;
    for next in &mut next {
        start += std::mem::replace(next, start);
    }
    for one in these {
        let Some(next) = next.get_mut(digit(one)) else { continue };
        if let Some(place) = sorted.get_mut(*next) {
            *place = *one;
        }
        *next += 1;
    }
}

/// The first bytes of what is left of a text, as a number, and which text.
type Keyed = (u64, u32);

/// The place of each text among all of them when they are sorted byte by byte; no two are equal.
pub(super) fn ranks(texts: &[&str]) -> Box<[u32]> {
    let mut keyed: Vec<Keyed> = (0_u32..).zip(texts).map(|(at, _)| (0, at)).collect();
    let (mut left, mut spare) = (vec![(0..keyed.len(), 0)], Vec::new());
    while let Some((these, from)) = left.pop() {
        let Some(part) = keyed.get_mut(these.clone()) else { continue };
        let again = sort_from(texts, part, &mut spare, from);
        left.extend(
            again
                .into_iter()
                .map(|(run, from)| (these.start + run.start..these.start + run.end, from)),
        );
    }
    let mut ranks = vec![0; texts.len()];
    for ((_, at), rank) in keyed.iter().zip(0_u32..) {
        let place = usize::try_from(*at).ok().and_then(|at| ranks.get_mut(at));
        if let Some(place) = place {
            *place = rank;
        }
    }
    ranks.into()
}

/// Sorts texts that are the same up to some byte by the next eight bytes in which any of them differ.
/// Returns those of which these are the same, and from where on they may differ.
fn sort_from(
    texts: &[&str],
    part: &mut [Keyed],
    spare: &mut Vec<Keyed>,
    from: usize,
) -> Vec<(Range<usize>, usize)> {
    let text = |at: u32| {
        usize::try_from(at)
            .ok()
            .and_then(|at| texts.get(at))
            .map_or(&[][..], |text| text.as_bytes())
    };
    let rest = |at: u32, from: usize| text(at).get(from..).unwrap_or_default();
    if part.len() < FEW {
        let length = |at: u32| text(at).len();
        part.sort_unstable_by(|(_, one), (_, other)| {
            let rests = rest(*one, from).cmp(rest(*other, from));
            rests.then_with(|| length(*one).cmp(&length(*other)))
        });
        return Vec::new();
    }
    let model = part.first().map_or(&[][..], |(_, at)| rest(*at, from));
    let same = part.iter().fold(model.len(), |same, (_, at)| {
        let rest = rest(*at, from);
        match (model.get(..same), rest.get(..same)) {
            (Some(model), Some(rest)) if model == rest => same,
            _ => model.iter().zip(rest).take_while(|(one, other)| one == other).count(),
        }
    });
    let from = from + same;
    for (key, at) in part.iter_mut() {
        let mut bytes = [0; 8];
        rest(*at, from).iter().zip(&mut bytes).for_each(|(byte, place)| *place = *byte);
        *key = u64::from_be_bytes(bytes);
    }
    sort(part, spare, |(key, _)| *key);
    let mut again = Vec::new();
    let mut start = 0;
    for run in part.chunk_by_mut(|one, other| one.0 == other.0) {
        let range = start..start + run.len();
        start = range.end;
        let longer = run.iter().any(|(_, at)| text(*at).len() > from + 8);
        if longer && run.len() > 1 {
            again.push((range, from + 8));
        } else {
            // They end here, and differ at most in zeros at their ends.
            run.sort_unstable_by_key(|(_, at)| text(*at).len());
        }
    }
    again
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_number_is_looked_at_so_many_times_however_many_there_are() {
        let looks = |count: u64| {
            let looks = std::cell::Cell::new(0_u64);
            let mut mixed: Vec<u64> =
                (0..count).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
            sort(&mut mixed, &mut Vec::new(), |number| {
                looks.set(looks.get() + 1);
                *number >> 32
            });
            assert!(mixed.is_sorted_by_key(|number| number >> 32));
            looks.get() / count
        };
        assert_eq!(looks(8_000), looks(160_000));
        assert!(looks(160_000) <= 8);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn numbers_are_sorted_and_equal_ones_keep_their_order(
            keys in prop::collection::vec(prop_oneof![0..5_u64, any::<u64>()], 0..3 * FEW),
            shift in 0..64_u32,
        ) {
            let mut sorted: Vec<Keyed> = keys.iter().map(|key| key >> shift).zip(0..).collect();
            let mut naive = sorted.clone();
            naive.sort_by_key(|(key, _)| *key);
            sort(&mut sorted, &mut Vec::new(), |(key, _)| *key);
            prop_assert_eq!(sorted, naive);
        }

        #[test]
        fn texts_have_the_place_that_comparing_them_gives(
            texts in prop::collection::btree_set(
                prop_oneof![
                    "[ab\u{0}]{0,20}",
                    "https://crm[0-3].acme.test/in\\?hook=[0-9a-f]{1,4}\u{0}{0,9}",
                ],
                0..2 * FEW,
            ),
            turn in any::<prop::sample::Index>(),
        ) {
            let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let middle = if texts.is_empty() { 0 } else { turn.index(texts.len()) };
            texts.rotate_left(middle);
            texts.reverse();
            let mut naive = texts.clone();
            naive.sort_unstable();
            for (text, rank) in texts.iter().zip(ranks(&texts)) {
                prop_assert_eq!(text, &naive[usize::try_from(rank).unwrap()]);
            }
        }
    }
}
