//! The service over HTTP: extensions and events are asked for, events are made, changed and
//! deleted, and paging, token and wire quirks are hidden behind it.
//!
//! Callers get the domain's words or a [`Failure`] that says whether the service may have
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
mod tls;
mod token;
mod transport;
mod users;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Change, Credentials, DeleteAnswer, DeleteCall, EventKey, Exchange, Extension, ExtensionNumber,
    Failure, Listing, PhoneCallEvent, Target, Trust, WriteAnswer,
};
use crate::origins::Book;
pub use budget::give_back;
pub use line::{ClientRefused, Proxy};
use reading::Ends;
pub use tls::{Certificate, OldTls, TlsRefused};
use transport::{Transport, Verb};
use users::Users;

/// What a profile says of the conversation with its service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which service, as whom.
    pub target: Target,
    /// What proves who asks, sent to the target's origin and nowhere else.
    pub credentials: Credentials,
    /// Longest wait for an answer, from connecting to the last byte.
    pub timeout: Duration,
    /// Which certificate the service may show.
    pub trust: Trust,
    /// Whether anything that changes the service may go out.
    pub writes: Writes,
    /// Most requests at once: as many connections are kept open.
    pub concurrency: usize,
}

/// Whether requests that change something may go out. Enforced where requests are sent, so that no
/// mistake above can get past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Requests that change the service may be sent.
    Allowed,
    /// Requests that change the service are withheld.
    ReadOnly,
    /// Requests that change the service are built and then not sent.
    Simulated,
}

/// A client of one service. Clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    target: Arc<Target>,
    writes: Writes,
}

struct Inner {
    timeout: Duration,
    transport: Transport,
    ends: Ends,
    users: Users,
    concurrency: usize,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("target", &self.target).finish_non_exhaustive()
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

    /// Makes a client that counts its failures in the book of its PBX, with those of all other
    /// clients.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn sharing(settings: Settings, book: Option<Book>) -> Result<Self, ClientRefused> {
        let transport = Transport::new(&settings, book)?;
        let Settings { target, timeout, writes, concurrency, .. } = settings;
        let (ends, users) = (Ends::default(), Users::default());
        let inner = Inner { timeout, transport, ends, users, concurrency };
        Ok(Self { inner: Arc::new(inner), target: Arc::new(target), writes })
    }

    /// A client of the same service that sends questions only; every change is simulated.
    #[must_use]
    pub fn simulating(&self) -> Self {
        Self { writes: Writes::Simulated, ..self.clone() }
    }

    /// A client of the same service that sends questions only; every change is withheld.
    #[must_use]
    pub fn read_only(&self) -> Self {
        Self { writes: Writes::ReadOnly, ..self.clone() }
    }

    /// Why no question would go out now, with the time to wait: too many failed lately, here or in
    /// other processes.
    pub fn refusal(&self) -> Option<Failure> {
        self.inner.transport.line.refusal()
    }

    /// Lets one question go although too many failed lately, or takes that permission back.
    pub fn ask_in_spite(&self, granted: bool) {
        self.inner.transport.line.ask_in_spite(granted);
    }

    /// Advances the clock of whatever this client waits for; for tests.
    pub fn turn_clock(&self, by: Duration) {
        self.inner.transport.line.turn_clock(by);
    }

    /// A client of the same service with the base path and the users of another target.
    #[must_use]
    pub fn below(&self, target: &Target) -> Self {
        Self { target: Arc::new(target.clone()), ..self.clone() }
    }

    /// The proxy between, as the environment names it.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.inner.transport.line.proxy()
    }

    /// The certificate that the service showed last, trusted or not.
    pub fn certificate(&self) -> Option<Certificate> {
        self.inner.transport.line.certificate()
    }

    /// The longest wait for an answer.
    pub fn patience(&self) -> Duration {
        self.inner.timeout
    }

    /// Which service it talks to, and as whom.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Remembers the owners that these extensions name.
    pub fn learn_owners(&self, extensions: &[Extension]) {
        self.inner.users.learn_owners(extensions);
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
        let answer = self.listing(extension, trace).await;
        self.to_session(answer, trace)
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
        let path = call.path(&self.target);
        let transport = &self.inner.transport;
        let answer = transport.send(Verb::Delete, &path, None, self.writes, trace).await;
        self.to_session(answer.and_then(deleted), trace)
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
        let target = &self.target;
        let path = target.create_path.path(&event.key, target);
        let body = wire::event_body(event);
        let transport = &self.inner.transport;
        let answer = transport.write(Verb::Create, &path, &body, self.writes, trace).await;
        self.to_session(answer.and_then(written), trace)
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
        let path = DeleteCall::Event(key.clone()).path(&self.target);
        let body = change.value().to_string();
        let transport = &self.inner.transport;
        let answer = transport.write(Verb::Update, &path, &body, self.writes, trace).await;
        self.to_session(answer.and_then(written), trace)
    }

    /// An answer as the operator of this session can use it: without a profile no remedy names one.
    fn to_session<T>(
        &self,
        answer: Result<T, Failure>,
        trace: &mut [Exchange],
    ) -> Result<T, Failure> {
        if !self.target.is_of_flags {
            return answer;
        }
        for exchange in trace {
            if let Err(failure) = &mut exchange.answer {
                *failure = failure.clone().without_profile();
            }
        }
        answer.map_err(Failure::without_profile)
    }
}

fn deleted(answer: answer::Answer) -> Result<DeleteAnswer, Failure> {
    let http_status = answer.status;
    let ids = match refusal::accepted(answer)? {
        Some(body) => Some(wire::deleted_ids(&body).map_err(refusal::misread)?),
        None => None,
    };
    Ok(DeleteAnswer { http_status, ids })
}

fn written(answer: answer::Answer) -> Result<WriteAnswer, Failure> {
    let http_status = answer.status;
    let id = match refusal::accepted(answer)? {
        Some(body) => wire::written_id(&body).map_err(refusal::misread)?,
        None => None,
    };
    Ok(WriteAnswer { http_status, id })
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
    for question in [soap::Question::Users, soap::Question::Extensions("term", None)] {
        let _ = question.rows(&answer).map(soap::listed);
    }
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
