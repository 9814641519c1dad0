//! When a list is read to its end, and whether that end can be believed.
//!
//! Pages are asked for by `startIndex` and `count`; where `next` would stand is not documented, and
//! its host may be an internal one. What a page says of the whole list is believed only where it
//! asks for more care: a list is called complete when nothing speaks against it.

use std::collections::HashSet;

/// Rows asked for at once: the service allows fewer than 5,000 (page *List PhoneCallEvents*).
const COUNT: usize = 500;
/// The page size of a service that was asked for none, or that does not heed what it was asked.
const DEFAULT_COUNT: usize = 20;
/// The largest `startIndex` that the service takes.
const LAST_START: usize = 4_999;
/// Rows asked for at the last start: all that can still be had, and the most that may be asked.
const LAST_COUNT: usize = 4_999;
/// Pages asked for in any case: a service that hands out two rows a page is not followed for long.
const MOST_PAGES: usize = 300;

/// How far a list has been read.
#[derive(Debug, Default)]
pub(super) struct Paging {
    /// Rows received, repeated ones too: where the next page would begin.
    reached: usize,
    pages: usize,
    known: HashSet<String>,
    /// Rows that no earlier page had.
    fresh: usize,
    /// The most rows that a page had so far: the service hands out as many at once.
    largest: usize,
    /// The largest number of rows that any page announced.
    total: Option<usize>,
    /// The last page was longer than asked: the service does not page at all.
    unpaged: bool,
    /// Pages contradict each other: rows came or went while the list was read.
    moved: bool,
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask for the page that [`Paging::query`] now names.
    Ask,
    /// That was all, or all that can be had.
    Done(End),
}

/// How a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Every row of the service was received, as far as one can know.
    Whole,
    /// Rows are missing that the service announces or may have, or it moved.
    Short,
    /// There may be more than the service hands out of one list.
    Limit,
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

    /// Whether an earlier page had this row.
    pub(super) fn knows(&self, identity: &str) -> bool {
        self.known.contains(identity)
    }

    /// Whether the list changed while it was read: then no page of it proves anything.
    pub(super) fn has_moved(&self) -> bool {
        self.moved
    }

    /// The identities of all rows.
    pub(super) fn into_identities(self) -> HashSet<String> {
        self.known
    }

    /// Takes the identities of a page's rows and what the page says of itself.
    pub(super) fn page_read(
        &mut self,
        rows: Vec<String>,
        total: Option<usize>,
        own_size: Option<usize>,
    ) -> Next {
        let received = rows.len();
        let fresh = rows.iter().filter(|row| !self.known.contains(*row)).count();
        self.moved |= self.contradicts(received, fresh, total);
        let asked = Asked { overlap: self.reached - self.start(), last: self.is_last_reach() };
        let overlong = received > self.count();
        let largest = self.largest;
        self.known.extend(rows);
        self.fresh += fresh;
        self.reached += received.saturating_sub(asked.overlap);
        self.pages += 1;
        self.largest = largest.max(received);
        self.total = self.total.max(total);
        let missing = self.total.is_some_and(|total| total > self.fresh);
        let confirmed = self.total.is_some_and(|total| total <= self.fresh);
        if received <= asked.overlap {
            return self.done(!missing, End::Short);
        }
        if fresh == 0 {
            // The service may ignore `startIndex`: then there is more that it never hands out,
            // unless it says otherwise or ignored `count` too and gave everything at once.
            return self.done(confirmed || (self.unpaged && !missing), End::Short);
        }
        self.unpaged = overlong;
        if asked.last {
            // Only a page shorter than one that was handed out before is surely not a cut one.
            return self.done(confirmed || (!missing && received < largest), End::Limit);
        }
        if received < COUNT && !missing && !self.may_be_cut(received, own_size) {
            return self.done(true, End::Short);
        }
        if self.pages >= MOST_PAGES || (self.is_last_reach() && confirmed) {
            return self.done(confirmed, End::Limit);
        }
        Next::Ask
    }

    fn start(&self) -> usize {
        self.reached.min(LAST_START)
    }

    fn count(&self) -> usize {
        if self.is_last_reach() { LAST_COUNT } else { COUNT }
    }

    /// A list that moved is never whole, and no other question could make it so.
    fn done(&self, whole: bool, otherwise: End) -> Next {
        Next::Done(match (self.moved, whole) {
            (true, _) => End::Short,
            (false, true) => End::Whole,
            (false, false) => otherwise,
        })
    }

    /// Whether a page cannot be of the list that the earlier pages were of: it repeats other rows
    /// than those that were asked for again, or announces another number of rows. A page of
    /// nothing but repeated rows is one of a service that ignores `startIndex`.
    fn contradicts(&self, received: usize, fresh: usize, total: Option<usize>) -> bool {
        let overlap = self.reached - self.start();
        let repeated = received - fresh;
        let others = repeated != overlap && (fresh > 0 || received < overlap);
        let announced = received > 0 && self.total.is_some() && total.is_some();
        others || (announced && self.total != total)
    }

    /// Whether a page that is shorter than asked may be a full one all the same, by the service's
    /// own size of a page. A service that says how many rows there are answered that already.
    fn may_be_cut(&self, received: usize, own_size: Option<usize>) -> bool {
        match (self.total, own_size) {
            (Some(_), _) => false,
            (None, Some(size)) => size > 0 && received >= size,
            (None, None) => received == DEFAULT_COUNT,
        }
    }

    /// The service had nothing to say (204).
    pub(super) fn nothing_read(&mut self) -> Next {
        self.page_read(Vec::new(), None, None)
    }
}

/// What the page that was just read was asked for.
struct Asked {
    /// Rows that were asked for again, since no later start can be asked for.
    overlap: usize,
    /// Nothing can be asked for after it.
    last: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: Next = Next::Done(End::Whole);
    const INCOMPLETE: Next = Next::Done(End::Short);

    fn rows(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|row| row.to_string()).collect()
    }

    #[test]
    fn a_short_page_ends_the_list_and_a_full_one_asks_on() {
        let mut paging = Paging::default();
        assert_eq!(paging.query(), "count=500&startIndex=0");
        assert_eq!(paging.page_read(rows(0..500), None, None), Next::Ask);
        assert_eq!(paging.query(), "count=500&startIndex=500");
        assert_eq!(paging.page_read(rows(500..501), None, None), COMPLETE);
        assert_eq!(Paging::default().nothing_read(), COMPLETE);
    }

    #[test]
    fn a_service_with_smaller_pages_is_asked_on_when_it_says_so() {
        let mut paging = Paging::default();
        assert_eq!(paging.page_read(rows(0..20), Some(45), None), Next::Ask);
        assert_eq!(paging.query(), "count=500&startIndex=20");
        assert_eq!(paging.page_read(rows(20..40), Some(45), None), Next::Ask);
        assert_eq!(paging.page_read(rows(40..45), Some(45), None), COMPLETE);
        let mut paging = Paging::default();
        assert_eq!(paging.page_read(rows(0..20), None, Some(20)), Next::Ask);
        assert_eq!(paging.page_read(rows(20..23), None, Some(20)), COMPLETE);
    }

    #[test]
    fn a_page_of_the_default_size_is_not_taken_for_the_whole_list() {
        let mut paging = Paging::default();
        assert_eq!(paging.page_read(rows(0..20), None, None), Next::Ask);
        assert_eq!(paging.page_read(rows(20..40), None, None), Next::Ask);
        assert_eq!(paging.nothing_read(), COMPLETE);
        for rows in [rows(0..19), rows(0..21)] {
            assert_eq!(Paging::default().page_read(rows, None, None), COMPLETE);
        }
        let told = Paging::default().page_read(rows(0..20), Some(20), None);
        assert_eq!(told, COMPLETE);
    }

    #[test]
    fn a_list_that_announces_more_than_it_hands_out_is_not_complete() {
        let mut paging = Paging::default();
        assert_eq!(paging.page_read(rows(0..20), Some(45), None), Next::Ask);
        assert_eq!(paging.nothing_read(), INCOMPLETE);
        assert_eq!(Paging::default().page_read(vec![], Some(3), None), INCOMPLETE);
    }

    #[test]
    fn a_list_that_shrank_while_it_was_read_is_not_complete() {
        let mut paging = Paging::default();
        assert_eq!(paging.page_read(rows(0..500), Some(600), None), Next::Ask);
        assert_eq!(
            paging.page_read(rows(510..600), Some(590), None),
            Next::Ask,
            "ten rows slid below the first page unseen"
        );
        assert!(paging.has_moved());
        assert_eq!(paging.page_read(vec![], Some(590), None), INCOMPLETE);
    }

    #[test]
    fn repeated_rows_end_a_list_and_only_its_own_total_makes_it_complete() {
        let first = || rows(0..500);
        let mut paging = Paging::default();
        paging.page_read(first(), None, None);
        assert_eq!(paging.page_read(first(), None, None), INCOMPLETE);
        let mut paging = Paging::default();
        paging.page_read(first(), Some(500), None);
        assert_eq!(paging.page_read(first(), Some(500), None), COMPLETE);
        let mut paging = Paging::default();
        paging.page_read(rows(0..3_000), None, None);
        assert_eq!(
            paging.page_read(rows(0..3_000), None, None),
            COMPLETE,
            "a service that does not page gave everything at once"
        );
    }

    #[test]
    fn a_row_that_comes_back_on_a_later_page_or_another_total_shows_that_a_list_moved() {
        let moved = |second: Vec<String>, totals: [Option<usize>; 2]| {
            let mut paging = Paging::default();
            paging.page_read(rows(0..500), totals[0], None);
            let next = paging.page_read(second, totals[1], None);
            assert!(!paging.has_moved() || next != COMPLETE);
            paging.has_moved()
        };
        assert!(!moved(rows(500..600), [None, None]));
        assert!(!moved(rows(500..600), [Some(600), Some(600)]));
        assert!(!moved(rows(500..600), [Some(600), None]));
        assert!(!moved(rows(0..500), [None, None]), "a service that ignores startIndex");
        assert!(moved(rows(499..600), [None, None]), "a row came in before the second page");
        assert!(moved(rows(500..600), [Some(601), Some(600)]));
        assert!(moved(rows(500..601), [Some(600), Some(601)]));
    }

    /// Reads 5,000 rows in pages of 500.
    fn up_to_the_last_start(total: Option<usize>) -> (Paging, Next) {
        let mut paging = Paging::default();
        for page in 0..9 {
            let full = rows(page * 500..page * 500 + 500);
            assert_eq!(paging.page_read(full, total, None), Next::Ask);
        }
        assert_eq!(paging.query(), "count=500&startIndex=4500");
        let next = paging.page_read(rows(4_500..5_000), total, None);
        (paging, next)
    }

    #[test]
    fn at_the_last_start_the_largest_page_is_asked_for() {
        assert_eq!(up_to_the_last_start(Some(5_000)).1, COMPLETE);
        for (total, end, expected) in [
            (Some(6_000), 6_000, COMPLETE),
            (Some(9_998), 9_998, COMPLETE),
            (Some(9_999), 9_998, Next::Done(End::Limit)),
            (None, 9_998, Next::Done(End::Limit)),
            (None, 5_400, COMPLETE),
            (None, 5_000, COMPLETE),
            (None, 5_499, Next::Done(End::Limit)),
        ] {
            let (mut paging, next) = up_to_the_last_start(total);
            assert_eq!((next, paging.is_last_reach()), (Next::Ask, true));
            assert_eq!(paging.query(), "count=4999&startIndex=4999");
            let last = paging.page_read(rows(4_999..end), total, None);
            assert_eq!(last, expected, "{total:?} {end}");
        }
    }

    #[test]
    fn the_row_at_the_last_start_has_to_be_there_again() {
        for other in [rows(5_000..5_100), rows(4_998..5_100), vec![]] {
            let (mut paging, _) = up_to_the_last_start(None);
            assert_eq!(paging.page_read(other, None, None), INCOMPLETE);
            assert!(paging.has_moved());
        }
    }

    #[test]
    fn reading_ends_whatever_the_service_announces() {
        let mut paging = Paging::default();
        let mut pages = 1;
        while paging.page_read(rows(pages..pages + 1), Some(usize::MAX), None) == Next::Ask {
            pages += 1;
        }
        assert_eq!(pages, MOST_PAGES);
    }
}
