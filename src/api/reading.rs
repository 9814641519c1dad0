//! Lists are read to their end: page by page, once more when they moved, and a long listing type
//! by type where the service hands out no more of it in one.
//!
//! A listing is called complete only when nothing speaks against it; what was read of one that is
//! not is kept all the same.

use std::collections::{BTreeSet, HashSet};

use super::paging::{End, Next, Paging};
use super::transport::Verb;
use super::{Client, refusal, wire};
use crate::domain::{
    Cause, EventType, Exchange, ExtensionNumber, Failure, Listing, ListingBuilder,
};

/// A list as far as it could be read.
pub(super) struct Read<T> {
    /// What was made of its rows.
    pub(super) all: T,
    pub(super) end: End,
    /// What tells each row from every other.
    identities: HashSet<String>,
}

impl Client {
    /// The events of one extension. What one list does not hand out is looked for in the lists of
    /// the types, each of which has its own limits.
    pub(super) async fn listing(
        &self,
        extension: &ExtensionNumber,
        trace: &mut Vec<Exchange>,
    ) -> Result<Listing, Failure> {
        let path = format!("{}/{extension}/phoneCallEvents", self.inner.target.extensions_path());
        let empty = || ListingBuilder::new(extension.clone());
        let read = self
            .rows(&path, trace, empty, |listing, row, body| row.put_into(listing, body))
            .await?;
        match read.end {
            End::Whole => Ok(read.all.finish(true)),
            End::Short => Ok(read.all.finish(false)),
            End::Limit => self.by_type(&path, read, trace).await,
        }
    }

    /// Goes on where the plain list ended: complete when every type was listed to its end and
    /// every row of the plain list was there again.
    async fn by_type(
        &self,
        path: &str,
        plain: Read<ListingBuilder>,
        trace: &mut Vec<Exchange>,
    ) -> Result<Listing, Failure> {
        let Read { all: mut listing, identities: mut known, .. } = plain;
        let mut again = HashSet::new();
        let mut whole = true;
        let named = EventType::NAMED.into_iter().map(EventType::number);
        let types: BTreeSet<u16> = named.chain(listing.types()).collect();
        for event_type in types {
            let path = format!("{path}/{event_type}");
            let take = |(): &mut (), row: &wire::Row<'_>, body: wire::Body<'_>| {
                if known.insert(row.identity()) {
                    row.put_into(&mut listing, body);
                }
            };
            match self.rows(&path, trace, || (), take).await {
                Ok(read) => {
                    whole &= read.end == End::Whole;
                    again.extend(read.identities);
                }
                // A service that does not know this type says so; the plain list stands.
                Err(failure) if is_bad_request(&failure) => whole = false,
                Err(failure) => return Err(failure),
            }
        }
        // A row that is in no list of a type, or that went while it was read, is left over here.
        let complete = whole && known.is_subset(&again);
        Ok(listing.finish(complete))
    }

    /// Hands over every row of a list, page by page. A list that moved is read once more from its
    /// start, and what was made of its rows is made anew.
    pub(super) async fn rows<T: Send>(
        &self,
        path: &str,
        trace: &mut Vec<Exchange>,
        empty: impl Fn() -> T + Send,
        mut take: impl FnMut(&mut T, &wire::Row<'_>, wire::Body<'_>) + Send,
    ) -> Result<Read<T>, Failure> {
        let mut again = false;
        let mut all = empty();
        let mut paging = Paging::default();
        loop {
            let next = match self.page_of(path, &mut paging, trace, &mut all, &mut take).await {
                Ok(next) => next,
                // The largest page at the last place is more than this service allows.
                Err(failure) if paging.is_last_reach() && is_bad_request(&failure) => {
                    Next::Done(End::Limit)
                }
                Err(failure) => return Err(failure),
            };
            if paging.has_moved() && !again {
                again = true;
                all = empty();
                paging = Paging::default();
            } else if let Next::Done(end) = next {
                return Ok(Read { all, end, identities: paging.into_identities() });
            }
        }
    }

    async fn page_of<T: Send>(
        &self,
        path: &str,
        paging: &mut Paging,
        trace: &mut Vec<Exchange>,
        all: &mut T,
        take: &mut (impl FnMut(&mut T, &wire::Row<'_>, wire::Body<'_>) + Send),
    ) -> Result<Next, Failure> {
        let query = paging.query();
        let transport = &self.inner.transport;
        let answer = transport.send(Verb::Get, path, Some(&query), self.writes, trace).await?;
        let Some(body) = refusal::accepted(answer)? else {
            return Ok(paging.nothing_read());
        };
        let text = wire::text(&body);
        let page = wire::page(&text).map_err(refusal::misread)?;
        let identities: Vec<_> = page.rows.iter().map(wire::Row::identity).collect();
        for (row, identity) in page.rows.iter().zip(&identities) {
            if !paging.knows(identity) {
                take(all, row, wire::Body::new(&body, &text));
            }
        }
        Ok(paging.page_read(identities, page.total, page.own_size))
    }
}

fn is_bad_request(failure: &Failure) -> bool {
    failure.cause == Cause::Rejected && failure.http_status == Some(400)
}
