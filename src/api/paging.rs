//! When a list is read to its end, and whether that end can be believed.
//!
//! Pages are asked for by `startIndex` and `count`; where `next` would stand is not documented, and
//! its host may be an internal one. A service may cut its pages wherever it likes and say nothing: only
//! an empty page behind the last row shows an end. What a page says of the whole list is believed
//! only where it asks for more care, or where no such page is to be had.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::wire::Identity;
use crate::domain::ListEnd;

/// The rows of a list: what is written of each, by the hash of its key.
pub(super) type Rows = HashMap<u64, u64, RandomState>;

/// Rows asked for at once: the service allows fewer than 5,000 (page *List PhoneCallEvents*).
const COUNT: usize = 500;
/// The largest `startIndex` that the service takes.
const LAST_START: usize = 4_999;
/// Rows asked for at the last start: all that can still be had, and the most that may be asked.
const LAST_COUNT: usize = 4_999;
/// Pages asked for in any case: a service that hands out two rows a page is not followed for long.
const MOST_PAGES: usize = 300;
/// Rows and bytes read of one list in any case.
const MOST_ROWS: usize = 100_000;
const MOST_BYTES: usize = 48 * 1024 * 1024;

/// How far a list has been read.
#[derive(Debug, Default)]
pub(super) struct Paging {
    /// Rows received, repeated ones too: where the next page would begin.
    reached: usize,
    pages: usize,
    known: Rows,
    /// Rows that no earlier page had.
    fresh: usize,
    /// The most rows that a page had so far: the service hands out as many at once.
    largest: usize,
    /// The largest number of rows that any page announced.
    total: Option<usize>,
    /// That number is one that says as much of a page as of the list.
    doubted: bool,
    /// Pages contradict each other: rows came or went while the list was read.
    moved: bool,
    bytes: usize,
}

/// What one page said.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) rows: Vec<Identity>,
    pub(super) total: Option<usize>,
    pub(super) own_size: Option<usize>,
    /// Not all of its rows are in `rows`.
    pub(super) cut: bool,
    /// How much was received.
    pub(super) bytes: usize,
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask for the page that [`Paging::query`] now names: there should be rows on it.
    Ask,
    /// Ask for the named page though nothing announces more rows; an empty page proves the end.
    AskBeyond,
    /// The list is read as far as the service hands it out.
    Done(ListEnd),
}

impl Paging {
    /// The query of the next page.
    pub(super) fn query(&self) -> String {
        format!("count={}&startIndex={}", self.count(), self.start())
    }

    /// Whether the next page is the last that can be asked for: the largest at the last start.
    pub(super) fn is_last_reach(&self) -> bool {
        self.reached > LAST_START
    }

    /// Whether no page was read yet.
    pub(super) fn is_at_start(&self) -> bool {
        self.pages == 0
    }

    /// Whether an earlier page had this row, letter by letter.
    pub(super) fn knows(&self, row: Identity) -> bool {
        self.known.get(&row.key) == Some(&row.written)
    }

    /// Whether the list changed while it was read: then no page of it proves anything.
    pub(super) fn has_moved(&self) -> bool {
        self.moved
    }

    /// Whether rows are missing that the service announces.
    pub(super) fn is_missing(&self) -> bool {
        self.total.is_some_and(|total| total > self.fresh)
    }

    /// Rows that the service announced.
    pub(super) fn total(&self) -> Option<usize> {
        self.total
    }

    /// All rows.
    pub(super) fn into_rows(self) -> Rows {
        self.known
    }

    /// The end of a list whose next page is not to be had.
    pub(super) fn end_untold(&self) -> ListEnd {
        match (self.moved, self.is_missing(), self.is_confirmed()) {
            (true, ..) => ListEnd::Moved,
            (false, true, _) => ListEnd::Short,
            (false, false, true) => ListEnd::Told,
            (false, false, false) => ListEnd::Untold,
        }
    }

    /// Takes a page.
    pub(super) fn page_read(&mut self, told: Told) -> Next {
        let received = told.rows.len();
        let known = |row: &&Identity| self.known.contains_key(&row.key);
        let fresh = received - told.rows.iter().filter(known).count();
        // A number that is that of the page says nothing of the list.
        let of_page = told.total.is_some_and(|total| total == received)
            || (told.total.is_some() && told.total == told.own_size);
        self.moved |= self.contradicts(received, fresh, told.total.filter(|_| !of_page));
        let (overlap, last) = (self.reached - self.start(), self.is_last_reach());
        let largest = self.largest;
        self.known.reserve(fresh);
        for row in told.rows {
            self.known.entry(row.key).or_insert(row.written);
        }
        self.fresh += fresh;
        self.reached += received.saturating_sub(overlap);
        self.pages += 1;
        self.bytes += told.bytes;
        self.largest = largest.max(received);
        self.total = self.total.max(told.total);
        self.doubted |= received > 0 && of_page;
        if told.cut || self.reached > MOST_ROWS || self.bytes > MOST_BYTES {
            return self.done(ListEnd::Large);
        }
        if received <= overlap {
            let end = match overlap {
                0 => ListEnd::Seen,
                // A page as long as the longest may be a cut one.
                _ if received < largest || self.is_confirmed() => ListEnd::Told,
                _ => ListEnd::Limit,
            };
            return self.done(if self.is_missing() { ListEnd::Short } else { end });
        }
        if fresh == 0 {
            // It may ignore `startIndex`: then there may be more that it never hands out.
            return self.done(ListEnd::Same);
        }
        if last {
            // Only a page shorter than one that was handed out before is surely not a cut one.
            let whole = self.is_confirmed() || (!self.is_missing() && received < largest);
            return self.done(if whole { ListEnd::Told } else { ListEnd::Limit });
        }
        self.after_rows(received)
    }

    /// What to do after a page with rows that is not the last one that can be had.
    fn after_rows(&self, received: usize) -> Next {
        let confirmed = self.is_confirmed();
        if self.pages >= MOST_PAGES {
            self.done(ListEnd::Limit)
        } else if self.is_last_reach() && confirmed {
            self.done(ListEnd::Told)
        } else if self.is_missing() || (received >= COUNT && !confirmed) {
            Next::Ask
        } else {
            Next::AskBeyond
        }
    }

    /// Whether as many rows came as the service announces, and it speaks of the list.
    fn is_confirmed(&self) -> bool {
        !self.doubted && self.pages > 1 && self.total == Some(self.fresh)
    }

    fn start(&self) -> usize {
        self.reached.min(LAST_START)
    }

    fn count(&self) -> usize {
        if self.is_last_reach() { LAST_COUNT } else { COUNT }
    }

    /// A list that moved is never whole, and no other question could make it so.
    fn done(&self, end: ListEnd) -> Next {
        Next::Done(if self.moved { ListEnd::Moved } else { end })
    }

    /// Whether a page cannot be of the list that the earlier pages were of: it repeats other rows
    /// than those that were asked for again, or announces another number of rows. A page of
    /// nothing but repeated rows is one of a service that ignores `startIndex`.
    fn contradicts(&self, received: usize, fresh: usize, total: Option<usize>) -> bool {
        let overlap = self.reached - self.start();
        let repeated = received - fresh;
        let others = repeated != overlap && (fresh > 0 || received < overlap);
        let before = self.total.filter(|_| !self.doubted);
        let announced = received > 0 && before.is_some() && total.is_some();
        others || (announced && before != total)
    }

    /// The service had nothing to say (204).
    pub(super) fn nothing_read(&mut self) -> Next {
        self.page_read(Told::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Next = Next::Done(ListEnd::Seen);
    const TOLD: Next = Next::Done(ListEnd::Told);
    const SHORT: Next = Next::Done(ListEnd::Short);
    const SAME: Next = Next::Done(ListEnd::Same);
    const MOVED: Next = Next::Done(ListEnd::Moved);
    const LIMIT: Next = Next::Done(ListEnd::Limit);

    fn told(range: std::ops::Range<usize>, total: Option<usize>) -> Told {
        let rows = range.map(|row| Identity { key: row.try_into().unwrap(), written: 0 });
        Told { rows: rows.collect(), total, ..Told::default() }
    }

    #[test]
    fn only_an_empty_page_ends_a_list() {
        let mut paging = Paging::default();
        assert_eq!(paging.query(), "count=500&startIndex=0");
        assert_eq!(paging.page_read(told(0..500, None)), Next::Ask);
        assert_eq!(paging.query(), "count=500&startIndex=500");
        assert_eq!(paging.page_read(told(500..501, None)), Next::AskBeyond);
        assert_eq!(paging.query(), "count=500&startIndex=501");
        assert_eq!(paging.end_untold(), ListEnd::Untold);
        assert_eq!(paging.nothing_read(), SEEN);
        assert_eq!(Paging::default().nothing_read(), SEEN);
    }

    #[test]
    fn a_page_that_was_cut_in_silence_is_followed_to_the_end() {
        for total in [None, Some(7), Some(6), Some(20)] {
            let mut paging = Paging::default();
            let total_of = |rows| if total == Some(6) { Some(rows) } else { total };
            assert_ne!(paging.page_read(told(0..7, total_of(7))), SEEN);
            assert_ne!(paging.page_read(told(7..14, total_of(7))), SEEN);
            assert_eq!(paging.page_read(told(14..20, total_of(6))), Next::AskBeyond, "{total:?}");
            assert_eq!(paging.nothing_read(), SEEN);
        }
    }

    #[test]
    fn a_total_that_was_reached_is_enough_unless_it_may_be_that_of_a_page() {
        let read = |pages: &[(std::ops::Range<usize>, usize)], own_size| {
            let mut paging = Paging::default();
            for (rows, total) in pages {
                paging.page_read(Told { own_size, ..told(rows.clone(), Some(*total)) });
            }
            paging.end_untold()
        };
        assert_eq!(read(&[(0..20, 45), (20..40, 45), (40..45, 45)], Some(20)), ListEnd::Told);
        assert_eq!(read(&[(0..20, 20)], None), ListEnd::Untold, "the only page");
        assert_eq!(read(&[(0..7, 7), (7..14, 7)], None), ListEnd::Untold, "the page's own");
        assert_eq!(
            read(&[(0..7, 14), (7..14, 14)], Some(14)),
            ListEnd::Untold,
            "the size of a page"
        );
        assert_eq!(read(&[(0..7, 10), (7..14, 10)], None), ListEnd::Untold, "it is wrong");
        assert_eq!(read(&[(0..7, 20), (7..14, 20)], None), ListEnd::Short);
    }

    #[test]
    fn a_last_page_that_may_be_cut_shows_no_end() {
        let mut paging = Paging::default();
        assert_eq!(paging.page_read(told(0..4_999, None)), Next::Ask);
        assert_eq!(paging.page_read(told(4_999..9_998, None)), Next::Ask);
        assert_eq!(paging.query(), "count=4999&startIndex=4999");
        assert_eq!(paging.page_read(told(4_999..9_998, None)), LIMIT, "as many as may be asked");
        let mut paging = Paging::default();
        paging.page_read(told(0..4_999, None));
        paging.page_read(told(4_999..5_100, None));
        assert_eq!(paging.page_read(told(4_999..5_100, None)), TOLD, "it could have given more");
    }

    #[test]
    fn a_list_that_announces_more_than_it_hands_out_is_not_complete() {
        let mut paging = Paging::default();
        assert_eq!(paging.page_read(told(0..20, Some(45))), Next::Ask);
        assert_eq!(paging.nothing_read(), SHORT);
        assert_eq!(Paging::default().page_read(told(0..0, Some(3))), SHORT);
    }

    #[test]
    fn a_list_that_shrank_while_it_was_read_is_not_complete() {
        let mut paging = Paging::default();
        assert_eq!(paging.page_read(told(0..500, Some(600))), Next::Ask);
        assert_eq!(
            paging.page_read(told(510..600, Some(590))),
            Next::Ask,
            "ten rows slid below the first page unseen"
        );
        assert!(paging.has_moved());
        assert_eq!(paging.nothing_read(), MOVED);
    }

    #[test]
    fn the_same_rows_again_show_no_end_whatever_is_announced() {
        for rows in [7, 500, 3_000] {
            for total in [None, Some(rows)] {
                let mut paging = Paging::default();
                paging.page_read(told(0..rows, total));
                assert_eq!(paging.page_read(told(0..rows, total)), SAME, "{rows} {total:?}");
            }
        }
    }

    #[test]
    fn a_row_that_comes_back_on_a_later_page_or_another_total_shows_that_a_list_moved() {
        let moved = |second: std::ops::Range<usize>, totals: [Option<usize>; 2]| {
            let mut paging = Paging::default();
            paging.page_read(told(0..500, totals[0]));
            paging.page_read(told(second, totals[1]));
            if paging.has_moved() {
                assert_eq!(paging.nothing_read(), MOVED);
            }
            paging.has_moved()
        };
        assert!(!moved(500..600, [None, None]));
        assert!(!moved(500..600, [Some(600), Some(600)]));
        assert!(!moved(500..600, [Some(600), None]));
        assert!(!moved(0..500, [None, None]), "a service that ignores startIndex");
        assert!(moved(499..600, [None, None]), "a row came in before the second page");
        assert!(moved(500..600, [Some(601), Some(600)]));
        assert!(moved(500..601, [Some(600), Some(601)]));
    }

    /// Reads 5,000 rows in pages of 500.
    fn up_to_the_last_start(total: Option<usize>) -> (Paging, Next) {
        let mut paging = Paging::default();
        for page in 0..9 {
            let full = told(page * 500..page * 500 + 500, total);
            assert_eq!(paging.page_read(full), Next::Ask);
        }
        assert_eq!(paging.query(), "count=500&startIndex=4500");
        let next = paging.page_read(told(4_500..5_000, total));
        (paging, next)
    }

    #[test]
    fn at_the_last_start_the_largest_page_is_asked_for() {
        assert_eq!(up_to_the_last_start(Some(5_000)).1, TOLD);
        for (total, end, expected) in [
            (Some(6_000), 6_000, TOLD),
            (Some(9_998), 9_998, TOLD),
            (Some(9_999), 9_998, LIMIT),
            (None, 9_998, LIMIT),
            (None, 5_400, TOLD),
            (None, 5_000, TOLD),
            (None, 5_499, LIMIT),
        ] {
            let (mut paging, next) = up_to_the_last_start(total);
            assert_eq!((next, paging.is_last_reach()), (Next::Ask, true));
            assert_eq!(paging.query(), "count=4999&startIndex=4999");
            let last = paging.page_read(told(4_999..end, total));
            assert_eq!(last, expected, "{total:?} {end}");
        }
    }

    #[test]
    fn the_row_at_the_last_start_has_to_be_there_again() {
        for other in [5_000..5_100, 4_998..5_100, 0..0] {
            let (mut paging, _) = up_to_the_last_start(None);
            assert_eq!(paging.page_read(told(other, None)), MOVED);
        }
    }

    #[test]
    fn reading_ends_whatever_the_service_announces() {
        let mut paging = Paging::default();
        let mut pages = 1;
        while paging.page_read(told(pages..pages + 1, Some(usize::MAX))) == Next::Ask {
            pages += 1;
        }
        assert_eq!(pages, MOST_PAGES);
        let large = |told: Told| Paging::default().page_read(told);
        let too_large = Next::Done(ListEnd::Large);
        assert_eq!(large(told(0..MOST_ROWS + 1, None)), too_large);
        assert_eq!(large(Told { bytes: MOST_BYTES + 1, ..told(0..1, None) }), too_large);
        assert_eq!(large(Told { cut: true, ..told(0..1, None) }), too_large);
    }

    #[test]
    fn a_row_is_known_only_letter_by_letter() {
        let mut paging = Paging::default();
        let row = |key, written| Identity { key, written };
        paging.page_read(Told { rows: vec![row(7, 1)], ..Told::default() });
        assert!(paging.knows(row(7, 1)) && !paging.knows(row(7, 2)) && !paging.knows(row(8, 1)));
    }
}
