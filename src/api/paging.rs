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
/// Pages asked for in any case: a service that hands out two rows a page is not followed for long.
const MOST_PAGES: usize = 300;

/// How far a list has been read.
#[derive(Debug, Default)]
pub(super) struct Paging {
    /// Rows received, repeated ones too: where the next page begins.
    start: usize,
    pages: usize,
    known: HashSet<String>,
    /// Rows that no earlier page had.
    fresh: usize,
    /// The largest number of rows that any page announced.
    total: Option<usize>,
    /// The last page was longer than asked: the service does not page at all.
    unpaged: bool,
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask for the page that [`Paging::query`] now names.
    Ask,
    /// That was all, or all that can be had.
    Done {
        /// Whether every row of the service was received, as far as one can know.
        complete: bool,
    },
}

impl Paging {
    /// The query of the next page.
    pub(super) fn query(&self) -> String {
        format!("count={COUNT}&startIndex={}", self.start)
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
        let overlong = received > COUNT;
        self.known.extend(rows);
        self.fresh += fresh;
        self.start += received;
        self.pages += 1;
        self.total = self.total.max(total);
        let missing = self.total.is_some_and(|total| total > self.fresh);
        let confirmed = self.total.is_some_and(|total| total <= self.fresh);
        if received == 0 {
            return Next::Done { complete: !missing };
        }
        if fresh == 0 {
            // The service may ignore `startIndex`: then there is more that it never hands out,
            // unless it says otherwise or ignored `count` too and gave everything at once.
            let complete = confirmed || (self.unpaged && !missing);
            return Next::Done { complete };
        }
        self.unpaged = overlong;
        if received < COUNT && !missing && !self.may_be_cut(received, own_size) {
            return Next::Done { complete: true };
        }
        if self.start > LAST_START || self.pages >= MOST_PAGES {
            return Next::Done { complete: confirmed };
        }
        Next::Ask
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

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: Next = Next::Done { complete: true };
    const INCOMPLETE: Next = Next::Done { complete: false };

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
    fn the_limit_of_start_index_leaves_a_list_incomplete() {
        let read_to_the_limit = |total| {
            let mut paging = Paging::default();
            for page in 0..9 {
                let full = rows(page * 500..page * 500 + 500);
                assert_eq!(paging.page_read(full, total, None), Next::Ask);
            }
            assert_eq!(paging.query(), "count=500&startIndex=4500");
            paging.page_read(rows(4_500..5_000), total, None)
        };
        assert_eq!(read_to_the_limit(None), INCOMPLETE);
        assert_eq!(read_to_the_limit(Some(6_000)), INCOMPLETE);
        assert_eq!(read_to_the_limit(Some(5_000)), COMPLETE);
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
