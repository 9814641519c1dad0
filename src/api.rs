//! The service over HTTP: three questions, behind which paging, token and wire quirks are hidden.
//!
//! Whoever asks gets the domain's words or a [`Failure`] that says whether the service may have
//! acted. Nothing is repeated here: a request that went wrong is somebody else's decision.

mod paging;
mod refusal;
mod token;
mod transport;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Cause, Credentials, DeleteAnswer, DeleteCall, Discovery, Exchange, Extension, ExtensionKind,
    ExtensionNumber, Failure, Listing, ListingBuilder, Target,
};
use paging::{Next, Paging};
pub use transport::ClientRefused;
use transport::{Transport, Verb};

/// What a profile says of the conversation with its service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which service, as whom.
    pub target: Target,
    /// What proves who asks, sent to the target's origin and nowhere else.
    pub credentials: Credentials,
    /// Longest wait for an answer, from connecting to the last byte.
    pub timeout: Duration,
    /// Certificates in PEM form that are trusted beside the machine's own.
    pub ca_file: Option<PathBuf>,
    /// The service's certificate is not verified at all.
    pub insecure: bool,
    /// Whether anything that changes the service may go out.
    pub writes: Writes,
    /// Most requests at once: as many connections are kept open.
    pub concurrency: usize,
}

/// Whether requests that change something may go out. Enforced where requests are sent, so that no
/// mistake above can get past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// They may.
    Allowed,
    /// They are withheld: [`Cause::Withheld`], and nothing goes out.
    ReadOnly,
}

/// A client of one service. Clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    transport: Transport,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("target", &self.inner.target).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// Refuses an origin, token or `ca_file` that cannot be used, with the remedy.
    pub fn new(settings: Settings) -> Result<Self, ClientRefused> {
        let transport = Transport::new(&settings)?;
        let target = settings.target;
        Ok(Self { inner: Arc::new(Inner { target, transport }) })
    }

    /// The extensions that are known: those typed in and, if presence is to be asked, those it
    /// lists (page *List Presence*). Each once, in the order of their numbers.
    ///
    /// # Errors
    /// Fails when presence cannot be asked. Only a service that answers and refuses this one
    /// question, not the token, leaves it at the typed numbers and a remark.
    pub async fn extensions(
        &self,
        typed: &[ExtensionNumber],
        presence: bool,
        trace: &mut Vec<Exchange>,
    ) -> Result<Discovery, Failure> {
        let mut found: BTreeMap<ExtensionNumber, Extension> =
            typed.iter().map(|number| (number.clone(), Extension::of(number.clone()))).collect();
        let mut remarks = Vec::new();
        if presence {
            match self.present(trace).await {
                Ok(present) => {
                    found.extend(present.numbers.iter().map(terminal));
                    remarks = present.remarks();
                }
                Err(failure) if !typed.is_empty() && is_refusal_of_one_question(&failure) => {
                    remarks.push(format!(
                        "presence could not be listed ({failure}): only the extensions named in \
                         the profile are shown"
                    ));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(Discovery { extensions: found.into_values().collect(), remarks })
    }

    /// All events of an extension (page *List PhoneCallEvents*), or as many as the service hands
    /// out: then the listing is not complete and says so.
    ///
    /// # Errors
    /// Fails when any page fails: half a listing would pass for a whole one.
    pub async fn events(
        &self,
        extension: &ExtensionNumber,
        trace: &mut Vec<Exchange>,
    ) -> Result<Listing, Failure> {
        let path = format!("{}/{extension}/phoneCallEvents", self.inner.target.extensions_path());
        let mut listing = ListingBuilder::new(extension.clone());
        let complete = self.rows(&path, trace, |row| row.put_into(&mut listing)).await?;
        Ok(listing.finish(complete))
    }

    /// Sends one DELETE (page *Delete PhoneCallEvents*).
    ///
    /// # Errors
    /// [`Failure::may_have_acted`] tells whether the events may be gone all the same.
    pub async fn delete(
        &self,
        call: &DeleteCall,
        trace: &mut Vec<Exchange>,
    ) -> Result<DeleteAnswer, Failure> {
        let path = call.path(&self.inner.target);
        let transport = &self.inner.transport;
        let answer = transport.send(Verb::Delete, &path, None, trace).await?;
        let http_status = answer.status;
        let ids = match refusal::accepted(answer)? {
            Some(body) => Some(wire::deleted_ids(&wire::text(&body)).map_err(refusal::misread)?),
            None => None,
        };
        Ok(DeleteAnswer { http_status, ids })
    }

    /// Asks presence for every phone terminal of the user.
    async fn present(&self, trace: &mut Vec<Exchange>) -> Result<Present, Failure> {
        let path = format!("{}/@self/presence", self.inner.target.extensions_path());
        let mut present = Present::default();
        present.complete = self
            .rows(&path, trace, |row| match ExtensionNumber::parse(&row.extension()) {
                Ok(number) => present.numbers.push(number),
                Err(_) => present.odd += 1,
            })
            .await?;
        Ok(present)
    }

    /// Hands over every row of a list, page by page; says whether these were all.
    async fn rows(
        &self,
        path: &str,
        trace: &mut Vec<Exchange>,
        mut take: impl FnMut(&wire::Row<'_>) + Send,
    ) -> Result<bool, Failure> {
        let transport = &self.inner.transport;
        let mut paging = Paging::default();
        loop {
            let query = paging.query();
            let answer = transport.send(Verb::Get, path, Some(&query), trace).await?;
            let next = match refusal::accepted(answer)? {
                None => paging.nothing_read(),
                Some(body) => {
                    let text = wire::text(&body);
                    let page = wire::page(&text).map_err(refusal::misread)?;
                    page.rows.iter().for_each(&mut take);
                    let identities = page.rows.iter().map(wire::Row::identity).collect();
                    paging.page_read(identities, page.total, page.own_size)
                }
            };
            if let Next::Done { complete } = next {
                return Ok(complete);
            }
        }
    }
}

/// What presence said.
#[derive(Debug, Default)]
struct Present {
    numbers: Vec<ExtensionNumber>,
    odd: usize,
    complete: bool,
}

impl Present {
    fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![
            "presence lists phone terminals only: queues, IVRs and conferences have to be named \
             under extensions in the profile"
                .to_owned(),
        ];
        match self.odd {
            0 => {}
            1 => remarks.push(
                "presence lists 1 extension whose number cannot stand in a path; it is left out"
                    .to_owned(),
            ),
            odd => remarks.push(format!(
                "presence lists {odd} extensions whose numbers cannot stand in a path; they are \
                 left out"
            )),
        }
        if !self.complete {
            remarks.push(
                "presence lists more extensions than it hands out: name those that are missing \
                 under extensions in the profile"
                    .to_owned(),
            );
        }
        remarks
    }
}

fn terminal(number: &ExtensionNumber) -> (ExtensionNumber, Extension) {
    let extension =
        Extension { kind: Some(ExtensionKind::PhoneTerminal), ..Extension::of(number.clone()) };
    (number.clone(), extension)
}

/// Whether the service itself said no to what was asked. With 401 it said no to the token, and so
/// it would to every further request, each of which brings an address closer to being blocked.
fn is_refusal_of_one_question(failure: &Failure) -> bool {
    failure.cause == Cause::Rejected && !failure.code.is_empty() && failure.http_status != Some(401)
}

#[cfg(test)]
mod tests;
