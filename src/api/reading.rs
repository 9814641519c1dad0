//! Lists are read to their end: page by page, once more when they moved, and a long listing type
//! by type where the service hands out no more of it in one.
//!
//! A listing is called complete only when nothing speaks against it; what was read of one that is
//! not is kept all the same.

use std::collections::BTreeSet;

use tokio::sync::{Mutex, MutexGuard};

use super::paging::{Next, Paging, Rows, Told};
use super::transport::Verb;
use super::{Client, refusal, wire};
use crate::domain::{
    Cause, EventType, Exchange, ExtensionNumber, Failure, ListEnd, Listing, ListingBuilder, UserId,
};

/// Types whose lists are read one by one: five are known, and the rest is room for others.
const MOST_TYPES: usize = 50;

/// A list as far as it could be read.
pub(super) struct Read<T> {
    /// What was made of its rows.
    pub(super) all: T,
    pub(super) end: ListEnd,
    /// Rows that the service announced.
    total: Option<usize>,
    rows: Rows,
}

/// Whether the service shows where its lists end: with an empty page behind the last row. Some may
/// refuse such a page, and an address blocker counts refusals: one list asks first, and the others
/// wait for what it learns.
#[derive(Debug, Default)]
pub(super) struct Ends {
    shown: Mutex<Option<bool>>,
}

/// What asking for a page behind the last row means for other lists.
enum Beyond<'a> {
    Ask(Option<MutexGuard<'a, Option<bool>>>),
    /// The PBX refused a page past the last row earlier in this session.
    Refused,
}

impl Ends {
    async fn beyond(&self) -> Beyond<'_> {
        let shown = self.shown.lock().await;
        match *shown {
            Some(true) => Beyond::Ask(None),
            Some(false) => Beyond::Refused,
            None => Beyond::Ask(Some(shown)),
        }
    }

    async fn learn(&self, asking: Option<MutexGuard<'_, Option<bool>>>, shown: bool) {
        match asking {
            Some(mut first) => *first = Some(shown),
            None => *self.shown.lock().await = Some(shown),
        }
    }
}

impl Client {
    /// The events of one extension, asked as this user. What one list does not hand out is looked for
    /// in the lists of the types, each of which has its own limits.
    pub(super) async fn listing_as(
        &self,
        user: &UserId,
        extension: &ExtensionNumber,
        trace: &mut Vec<Exchange>,
    ) -> Result<Listing, Failure> {
        let path = self.target.extension_path_as(user, extension);
        let path = format!("{path}/phoneCallEvents");
        let empty = || ListingBuilder::new(extension.clone());
        let take = |listing: &mut ListingBuilder, row: &wire::Facts<'_>| row.put_into(listing);
        let read = self.rows(&path, trace, empty, take).await?;
        if read.end == ListEnd::Limit {
            return self.by_type(&path, read, trace).await;
        }
        Ok(read.all.finish(read.end))
    }

    /// Goes on where the plain list ended: complete when every type was listed to its end, every
    /// row of the plain list was there again, and there are as many as it announced.
    async fn by_type(
        &self,
        path: &str,
        plain: Read<ListingBuilder>,
        trace: &mut Vec<Exchange>,
    ) -> Result<Listing, Failure> {
        let Read { all: mut listing, rows: mut known, total, .. } = plain;
        let mut again = Rows::default();
        let named = EventType::NAMED.into_iter().map(EventType::number);
        let types: BTreeSet<u16> = named.chain(listing.types()).collect();
        let mut whole = types.len() <= MOST_TYPES;
        for event_type in types.into_iter().take(MOST_TYPES) {
            let path = format!("{path}/{event_type}");
            let take = |(): &mut (), row: &wire::Facts<'_>| {
                let wire::Identity { key, written } = row.identity();
                if known.insert(key, written) != Some(written) {
                    row.put_into(&mut listing);
                }
            };
            match self.rows(&path, trace, || (), take).await {
                Ok(read) => {
                    whole &= read.end.is_whole();
                    again.extend(read.rows);
                }
                // A service that does not know this type says so; the plain list stands.
                Err(failure) if is_bad_request(&failure) => whole = false,
                Err(failure) => return Err(failure),
            }
        }
        // A row that is in no list of a type, or that went while it was read, is left over here; one
        // of an unknown type is missing from what was announced.
        whole &= total == Some(known.len()) && known.keys().all(|row| again.contains_key(row));
        Ok(listing.finish(if whole { ListEnd::Told } else { ListEnd::Limit }))
    }

    /// Hands over every row of a list, page by page. A list that moved is read once more from its
    /// start, and what was made of its rows is made anew.
    pub(super) async fn rows<T: Send>(
        &self,
        path: &str,
        trace: &mut Vec<Exchange>,
        empty: impl Fn() -> T + Send,
        mut take: impl FnMut(&mut T, &wire::Facts<'_>) + Send,
    ) -> Result<Read<T>, Failure> {
        let mut again = false;
        let mut all = empty();
        let mut paging = Paging::default();
        let mut next = Next::Ask;
        loop {
            next = match next {
                Next::Ask => self.next_page(path, &mut paging, trace, &mut all, &mut take).await?,
                Next::AskBeyond => {
                    self.page_beyond(path, &mut paging, trace, &mut all, &mut take).await?
                }
                Next::Done(end) => {
                    let total = paging.total();
                    return Ok(Read { all, end, total, rows: paging.into_rows() });
                }
            };
            if paging.has_moved() && !again {
                again = true;
                all = empty();
                paging = Paging::default();
                next = Next::Ask;
            }
        }
    }

    /// Asks for a page on which there should be rows.
    async fn next_page<T: Send>(
        &self,
        path: &str,
        paging: &mut Paging,
        trace: &mut Vec<Exchange>,
        all: &mut T,
        take: &mut (impl FnMut(&mut T, &wire::Facts<'_>) + Send),
    ) -> Result<Next, Failure> {
        let (last, first) = (paging.is_last_reach(), paging.is_at_start());
        match self.page_of(path, paging, trace, all, take).await {
            // The largest page at the last place is more than this service allows.
            Err(failure) if last && is_bad_request(&failure) => Ok(Next::Done(ListEnd::Limit)),
            Err(failure) if !first && is_refusal(&failure) => {
                if !paging.is_missing() {
                    self.inner.ends.learn(None, false).await;
                }
                Ok(Next::Done(paging.end_untold()))
            }
            answer => answer,
        }
    }

    /// Asks for a page that nothing speaks of, unless this service refuses such pages.
    async fn page_beyond<T: Send>(
        &self,
        path: &str,
        paging: &mut Paging,
        trace: &mut Vec<Exchange>,
        all: &mut T,
        take: &mut (impl FnMut(&mut T, &wire::Facts<'_>) + Send),
    ) -> Result<Next, Failure> {
        let Beyond::Ask(asking) = self.inner.ends.beyond().await else {
            return Ok(Next::Done(paging.end_untold()));
        };
        match self.page_of(path, paging, trace, all, take).await {
            Err(failure) if is_refusal(&failure) => {
                self.inner.ends.learn(asking, false).await;
                Ok(Next::Done(paging.end_untold()))
            }
            Ok(next) => {
                if next == Next::Done(ListEnd::Seen) && asking.is_some() {
                    self.inner.ends.learn(asking, true).await;
                }
                Ok(next)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn page_of<T: Send>(
        &self,
        path: &str,
        paging: &mut Paging,
        trace: &mut Vec<Exchange>,
        all: &mut T,
        take: &mut (impl FnMut(&mut T, &wire::Facts<'_>) + Send),
    ) -> Result<Next, Failure> {
        let query = paging.query();
        let transport = &self.inner.transport;
        let answer = transport.send(Verb::Get, path, Some(&query), self.writes, trace).await?;
        let Some(body) = refusal::accepted(answer)? else {
            return Ok(paging.nothing_read());
        };
        let page = wire::page(&body).map_err(refusal::misread)?;
        let mut rows = Vec::with_capacity(page.rows.len());
        for facts in page.rows.iter().map(wire::Row::facts) {
            let identity = facts.identity();
            if !paging.knows(identity) {
                take(all, &facts);
            }
            rows.push(identity);
        }
        let wire::Page { total, own_size, cut, .. } = page;
        Ok(paging.page_read(Told { rows, total, own_size, cut, bytes: body.len() }))
    }
}

fn is_bad_request(failure: &Failure) -> bool {
    failure.cause == Cause::Rejected && failure.http_status == Some(400)
}

/// Whether the service says no to this page. That it says no to the extension, the user or the token
/// is no answer about a page, nor that it is asked too often.
fn is_refusal(failure: &Failure) -> bool {
    let of_all = [
        "extension_invalid",
        "user_invalid",
        "pce_access_denied",
        "access_denied",
        "access_denided",
    ];
    failure.cause == Cause::Rejected
        && !matches!(failure.http_status, Some(401 | 403 | 407 | 408 | 429))
        && !of_all.contains(&failure.code.raw())
}
