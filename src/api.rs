//! The service over HTTP: extensions and events are asked for, events are made, changed and
//! deleted, and paging, token and wire quirks are hidden behind it.
//!
//! Whoever asks gets the domain's words or a [`Failure`] that says whether the service may have
//! acted and whether a repeat may go better. Two things are repeated here, once each: what was
//! refused for an old token, with a new one, and a question whose connection ended under it. Any
//! other request that went wrong is somebody else's decision.

mod answer;
mod budget;
mod clock;
mod discovery;
mod line;
mod paging;
mod reading;
mod refusal;
mod soap;
mod token;
mod transport;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Cause, Change, Credentials, DeleteAnswer, DeleteCall, Discovery, EventKey, Exchange, Extension,
    ExtensionKind, ExtensionNumber, Failure, Listing, PhoneCallEvent, Secret, Source, Target,
    WriteAnswer,
};
use crate::origins::Book;
use discovery::Said;
pub use line::ClientRefused;
use reading::Ends;
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
    /// They go as far as the line and not out on it: [`Cause::Simulated`].
    Simulated,
}

/// A client of one service. Clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    writes: Writes,
}

struct Inner {
    target: Target,
    timeout: Duration,
    transport: Arc<Transport>,
    ends: Arc<Ends>,
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
        Self::sharing(settings, None)
    }

    /// The same with the book that this PBX's clients share, so that what fails in any of them counts
    /// in all.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn sharing(settings: Settings, book: Option<Book>) -> Result<Self, ClientRefused> {
        let transport = Arc::new(Transport::new(&settings, book)?);
        let Settings { target, timeout, writes, .. } = settings;
        let inner = Inner { target, timeout, transport, ends: Arc::default() };
        Ok(Self { inner: Arc::new(inner), writes })
    }

    /// The same client with every change of the service simulated: questions go out, and nothing
    /// else does, whatever is asked of it. There is no way back from it to a client that writes.
    #[must_use]
    pub fn simulating(&self) -> Self {
        Self { writes: Writes::Simulated, ..self.clone() }
    }

    /// Why no question would go out now, with the time to wait: too many failed lately, here or in
    /// other processes.
    pub fn refusal(&self) -> Option<Failure> {
        self.inner.transport.line.refusal()
    }

    /// The same client with the base path and user of another target, on the same service.
    #[must_use]
    pub fn below(&self, target: &Target) -> Self {
        if *target == self.inner.target {
            return self.clone();
        }
        let Inner { timeout, transport, ends, target: _ } = &*self.inner;
        let (transport, ends) = (Arc::clone(transport), Arc::clone(ends));
        let inner = Inner { target: target.clone(), timeout: *timeout, transport, ends };
        Self { inner: Arc::new(inner), writes: self.writes }
    }

    /// The longest wait for an answer.
    pub fn patience(&self) -> Duration {
        self.inner.timeout
    }

    /// Which service it talks to, and as whom.
    pub fn target(&self) -> &Target {
        &self.inner.target
    }

    /// The extensions that are known: those typed in and those the sources list, asked one after
    /// the other. Each once, in the order of their numbers.
    ///
    /// # Errors
    /// Fails with the first failure when no source answers. Only a service that answers and
    /// refuses this one question, not the token, leaves it at the typed numbers and a remark.
    pub async fn extensions(
        &self,
        typed: &[ExtensionNumber],
        sources: &[Source],
        trace: &mut Vec<Exchange>,
    ) -> Result<Discovery, Failure> {
        let mut said = Vec::new();
        for &source in sources {
            let answer = match source {
                Source::Presence => self.present(trace).await,
                Source::SystemApi => self.system_listed(trace).await,
            };
            // The other source is on the same machine, and waiting for it would be as vain.
            let gone =
                |failure: &Failure| matches!(failure.cause, Cause::Unreachable | Cause::Blocked);
            let vain = answer.as_ref().is_err_and(gone);
            said.push((source, answer));
            if vain {
                break;
            }
        }
        discovery::merge(typed, said)
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
        self.listing(extension, trace).await
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
        let answer = transport.send(Verb::Delete, &path, None, self.writes, trace).await?;
        let http_status = answer.status;
        let ids = match refusal::accepted(answer)? {
            Some(body) => Some(wire::deleted_ids(&body).map_err(refusal::misread)?),
            None => None,
        };
        Ok(DeleteAnswer { http_status, ids })
    }

    /// Makes an event on the same extension with the same type, method, URL, note and status; id
    /// and time are the service's to give (page *Create PhoneCallEvents*). Never sent twice, but
    /// where a token was refused.
    ///
    /// # Errors
    /// [`Failure::may_have_acted`] tells whether the event may have been made all the same: then
    /// only a listing can tell.
    pub async fn create(
        &self,
        event: &PhoneCallEvent,
        trace: &mut Vec<Exchange>,
    ) -> Result<WriteAnswer, Failure> {
        let target = &self.inner.target;
        let path = target.create_path.path(&event.key, target);
        let body = wire::event_body(event);
        let transport = &self.inner.transport;
        let answer = transport.write(Verb::Create, &path, &body, self.writes, trace).await?;
        written(answer)
    }

    /// Changes an event (page *Update PhoneCallEvents*). Whether its id stays is not documented.
    ///
    /// # Errors
    /// [`Failure::may_have_acted`] tells whether it may have changed all the same.
    pub async fn update(
        &self,
        key: &EventKey,
        change: &Change,
        trace: &mut Vec<Exchange>,
    ) -> Result<WriteAnswer, Failure> {
        let path = DeleteCall::Event(key.clone()).path(&self.inner.target);
        let body = wire::change_body(change);
        let transport = &self.inner.transport;
        let answer = transport.write(Verb::Update, &path, &body, self.writes, trace).await?;
        written(answer)
    }

    /// Asks presence for every phone terminal of the user.
    async fn present(&self, trace: &mut Vec<Exchange>) -> Result<Said, Failure> {
        let path = format!("{}/@self/presence", self.inner.target.extensions_path());
        let take = |said: &mut Said, row: &wire::Facts<'_>| match ExtensionNumber::parse(
            row.extension(),
        ) {
            Ok(number) => said.extensions.push(terminal(number)),
            Err(_) => said.odd += 1,
        };
        let read = self.rows(&path, trace, Said::default, take).await?;
        let mut said = read.all;
        if let Some(why) = read.end.why_not_whole() {
            said.gaps.push(format!(
                "presence may list more extensions than were read ({why}): name those that are \
                 missing under extensions in the profile"
            ));
        }
        Ok(said)
    }

    /// Asks SystemAPI for every type of extension. When the first question fails, so do all; a
    /// later failure leaves a gap.
    async fn system_listed(&self, trace: &mut Vec<Exchange>) -> Result<Said, Failure> {
        let mut said = Said::default();
        for (place, (extension_type, _)) in soap::TYPES.into_iter().enumerate() {
            let user = &self.inner.target.user;
            let envelope = |token: &Secret| soap::envelope(token.expose(), extension_type, user);
            let asked = self.inner.transport.ask(soap::PATH, soap::ACTION, envelope, trace).await;
            match asked.and_then(|answer| soap::listed(&answer)) {
                Ok(listed) => {
                    said.extensions.extend(listed.extensions);
                    said.odd += listed.odd;
                }
                Err(failure) if place == 0 => return Err(failure),
                Err(failure) => {
                    // A refusal is about this type; anything else would only come again.
                    let rest = if failure.cause == Cause::Rejected { 1 } else { usize::MAX };
                    let types = soap::TYPES.iter().skip(place).take(rest);
                    let people: Vec<_> = types.map(|(_, people)| *people).collect();
                    said.gaps.push(format!(
                        "system_api could not list {} ({failure}): name them under extensions \
                         in the profile",
                        people.join(", ")
                    ));
                    if rest > 1 {
                        break;
                    }
                }
            }
        }
        Ok(said)
    }
}

fn written(answer: answer::Answer) -> Result<WriteAnswer, Failure> {
    let http_status = answer.status;
    let id = match refusal::accepted(answer)? {
        Some(body) => wire::written_id(&body).map_err(refusal::misread)?,
        None => None,
    };
    Ok(WriteAnswer { http_status, id })
}

fn terminal(number: ExtensionNumber) -> Extension {
    Extension { kind: Some(ExtensionKind::Phone), ..Extension::of(number) }
}

/// Every decoder on one body, for `cargo fuzz`: whatever a service answers, none of them panics, and
/// every row that a list holds is kept, shown or counted.
#[cfg(fuzzing)]
pub fn decode_anything(body: &[u8]) {
    use crate::domain::ListingBuilder;

    let _ = wire::refusal(body);
    let _ = wire::deleted_ids(body);
    let _ = wire::written_id(body);
    let answer = answer::Answer { status: 200, body: body.to_vec().into(), ..Default::default() };
    let _ = soap::listed(&answer);
    let Ok(page) = wire::page(body) else { return };
    let Ok(number) = ExtensionNumber::parse("0003*210") else { return };
    let mut listing = ListingBuilder::new(number);
    page.rows.iter().for_each(|row| row.facts().put_into(&mut listing));
    assert_eq!(listing.len(), page.rows.len());
    let listing = listing.finish(true);
    for row in 0..listing.len() {
        assert!(listing.row(row).is_some_and(|event| listing.find(&event.key()) == Some(row)));
    }
}

#[cfg(test)]
mod tests;
