//! The HTTP connection to one origin: a request goes out, its answer is read to the end, and both
//! are in the trace and in the budget of failures.
//!
//! Nothing here knows a token or decides what may be sent: [`Transport`](super::transport) does.

mod awake;
mod pause;
mod proxy;
mod slots;
mod trouble;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
};
use reqwest::redirect::Policy;
use reqwest::{Method, Request, Response, Url};
use tokio::sync::Semaphore;

use self::awake::Wait;
pub use self::proxy::Proxy;
use super::Settings;
use super::answer::{Answer, Body};
use super::budget::Budget;
use super::clock::{Clock, now, since_boot, today};
use super::tls::{Certificate, Judge, TlsRefused};
use crate::domain::{Cause, Exchange, Failure, Foreign, Trust};
use crate::log;
use crate::origins::Book;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: shorter than servers keep theirs, so that a request
/// seldom meets a connection which the other side has just closed.
const IDLE: Duration = Duration::from_secs(15);
const MIB: usize = 1024 * 1024;
/// Largest body read, in bytes: of a question, of a change, and of a refusal. A page of a list has some
/// hundred KiB, and what is made of a body must fit beside it.
pub(super) const LARGEST_LIST: usize = 32 * MIB;
pub(super) const LARGEST_CHANGE: usize = 2 * MIB;
const LARGEST_REFUSAL: usize = MIB;
/// A body above this is large, and of large ones there is one at a time.
const LARGE: usize = MIB;

/// Why no client can be made from a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientRefused {
    /// The origin is not one, or would send the token in the clear.
    #[error(
        "{0} is not an address callsweep talks to: write url in the profile as https://host or \
         https://host:port; http is for loopback addresses only"
    )]
    Origin(Foreign),
    /// The token is empty or holds what no header may hold. It is never printed.
    #[error(
        "the token is empty or holds spaces, line breaks or other characters that cannot be sent: \
         check what auth in the profile names"
    )]
    Token,
    /// The token would be asked for somewhere else.
    #[error(
        "token_url in the profile is not below {0}: the App's secret is sent to the origin of url \
         only, so correct token_url or leave it out"
    )]
    TokenUrl(Foreign),
    /// Trust cannot be set up as the profile says.
    #[error(transparent)]
    Tls(#[from] TlsRefused),
    /// What the environment names is no proxy. It may hold a password, and is not told.
    #[error(
        "what {0} names is no proxy: write it like http://HOST:PORT, unset it, or add {1} to NO_PROXY"
    )]
    NoProxy(&'static str, Foreign),
    /// The environment names a proxy of another kind.
    #[error(
        "{0} is a SOCKS proxy, which callsweep does not speak: name an HTTP proxy there, or add the \
         host to NO_PROXY and reach it without a proxy"
    )]
    Socks(Proxy),
    /// The HTTP side could not be made.
    #[error("the connection cannot be set up ({0}): check the proxies that the environment names")]
    Http(String),
}

/// A client for one origin.
pub(super) struct Line {
    slots: slots::Slots,
    judge: Arc<Judge>,
    /// What stands between.
    proxy: Option<Proxy>,
    host: String,
    patience: Patience,
    questions: Budget,
    clock: Arc<Clock>,
    pause: pause::Pause,
    large: Arc<Semaphore>,
    /// A request of this client went well.
    has_answered: AtomicBool,
}

/// Why there is no answer.
pub(super) struct Broken {
    failure: Failure,
    /// The connection ended before the head of an answer was whole. So does one that was kept and
    /// that the service closes just when the next request is under way.
    ended: bool,
    /// No connection came about in time.
    hangs: bool,
}

impl Broken {
    /// Whether it says nothing of how the same question will go at once.
    pub(super) fn may_be_asked_again(&self) -> bool {
        self.ended || self.failure.cause == Cause::Asleep
    }
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
struct Patience {
    connect: Duration,
    total: Duration,
}

impl Line {
    /// Checks what can be checked without the network.
    pub(super) fn new(
        settings: &Settings,
        url: &Url,
        book: Option<Book>,
    ) -> Result<Self, ClientRefused> {
        let patience = Patience {
            // Below the total, so that a connection that never came about is told from an
            // answer that never came.
            connect: CONNECT.min(settings.timeout / 4 * 3),
            total: settings.timeout,
        };
        let is_local = is_loopback(url);
        let proxy = if is_local { None } else { Proxy::to(url) };
        if let Some(variable) = Proxy::unreadable(url).filter(|_| !is_local) {
            let host = Foreign::from(url.host_str().unwrap_or_default());
            return Err(ClientRefused::NoProxy(variable, host));
        }
        if let Some(socks) = proxy.clone().filter(Proxy::is_socks) {
            return Err(ClientRefused::Socks(socks));
        }
        // Where no TLS will be spoken, reading the machine's certificates would only take time.
        let trust = if url.scheme() == "http" { &Trust::Anything } else { &settings.trust };
        let judge = Judge::new(trust)?;
        let tls = judge.client()?;
        let make = move || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("callsweep/", env!("CARGO_PKG_VERSION")))
                .default_headers(headers())
                .redirect(Policy::none())
                // The library would keep a copy of each request, for errors of HTTP/2.
                .retry(reqwest::retry::never().max_retries_per_request(0))
                .referer(false)
                .http1_only()
                .connect_timeout(patience.connect)
                .tcp_nodelay(true)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(1)
                .tls_backend_preconfigured(tls.clone());
            if is_local { builder.no_proxy() } else { builder }.build()
        };
        let slots = slots::Slots::new(settings.concurrency, make);
        let slots = slots.map_err(|error| ClientRefused::Http(trouble::innermost(&error)))?;
        let host = settings.target.host().to_owned();
        let large = Arc::new(Semaphore::new(1));
        let clock = Arc::new(Clock::new(book.as_ref().map_or(1, Book::speed)));
        Ok(Self {
            slots,
            judge,
            proxy,
            host,
            patience,
            questions: Budget::new(book, Arc::clone(&clock)),
            clock,
            pause: pause::Pause::default(),
            large,
            has_answered: AtomicBool::new(false),
        })
    }

    /// Why no question goes out now, with the time to wait.
    pub(super) fn refusal(&self) -> Option<Failure> {
        self.rest().or_else(|| self.questions.refusal())
    }

    /// The service asked for a pause that is not over: nothing goes out before.
    fn rest(&self) -> Option<Failure> {
        let left = self.pause.left(self.clock.pauses())?;
        let not_before = today().checked_add(left).and_then(|time| time.try_into().ok());
        Some(Failure { not_before, ..trouble::resting(&self.host, left) })
    }

    /// Lets the next question go though too many have failed, or takes that back.
    pub(super) fn ask_in_spite(&self, granted: bool) {
        self.questions.ask_in_spite(granted);
    }

    /// Lets time pass at once.
    pub(super) fn turn_clock(&self, by: Duration) {
        self.clock.turn(by);
    }

    /// The proxy that every request goes through.
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// The certificate that the service showed last.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        self.judge.met()
    }

    /// Asks for a token: a form, whose content goes into no trace and no error.
    pub(super) async fn post_form(
        &self,
        url: Url,
        form: String,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Failure> {
        let path = url.path().to_owned();
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = || {
            let mut request = Request::new(Method::POST, url);
            request.headers_mut().insert(CONTENT_TYPE, form_type);
            *request.body_mut() = Some(form.into());
            request
        };
        Ok(self.traced("POST", &path, request, LARGEST_CHANGE, trace).await?)
    }

    /// Sends a request and reads its answer, of so many bytes at most, to the end. What went out is in
    /// the trace, whatever became of it. The request is made where it goes out, so that nothing carries it
    /// about.
    pub(super) async fn traced(
        &self,
        method: &'static str,
        path: &str,
        request: impl FnOnce() -> Request + Send,
        largest: usize,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Broken> {
        if let Some(resting) = self.rest() {
            log::withheld(method, path, &resting);
            return Err(resting.into());
        }
        // Address blockers count what asks, and by their rules a DELETE does not.
        let permit = match method {
            "DELETE" | "PUT" => None,
            _ => Some(self.questions.admit().await.inspect_err(|too_many| {
                log::withheld(method, path, too_many);
            })?),
        };
        log::sent(method, path);
        let started = now();
        let outcome = self.awaited(request, largest).await;
        if outcome.as_ref().is_ok_and(|answer| answer.status < 300) {
            self.has_answered.store(true, Ordering::Relaxed);
        }
        let asked = outcome.as_ref().ok().filter(|answer| answer.status >= 300);
        if let Some(asked) = asked.and_then(|answer| answer.retry_after) {
            self.pause.begin(asked, self.clock.pauses());
        }
        if let Some(permit) = permit.filter(|_| !noted_as_failed(&outcome)) {
            permit.answered_well();
        }
        let exchange = Exchange {
            method,
            path: path.to_owned(),
            answer: match &outcome {
                Ok(answer) => Ok(answer.status),
                Err(broken) => Err(broken.failure.clone()),
            },
            took: now().saturating_duration_since(started),
        };
        log::exchange(&exchange);
        trace.push(exchange);
        outcome
    }

    /// An exchange for which no longer is waited than there is patience, in time that this program
    /// was awake.
    async fn awaited(
        &self,
        request: impl FnOnce() -> Request + Send,
        largest: usize,
    ) -> Result<Answer, Broken> {
        let mut wait = Wait::new(self.patience.total, since_boot);
        let outcome = self.exchange(request, largest, &mut wait).await;
        outcome.map_err(|broken| {
            let alone = matches!(broken.failure.cause, Cause::NoAnswer | Cause::Unreachable);
            if !alone || wait.asleep.is_zero() {
                return self.perhaps_blocked(broken);
            }
            Broken { failure: trouble::asleep(broken.failure, wait.asleep), ..broken }
        })
    }

    /// A connection that does not come about in time is a sign of its own where the service had
    /// answered before.
    fn perhaps_blocked(&self, broken: Broken) -> Broken {
        if !broken.hangs || !self.has_answered.load(Ordering::Relaxed) {
            return broken;
        }
        Broken { failure: trouble::perhaps_blocked(&self.host), ..broken }
    }

    async fn exchange<C: Fn() -> Duration + Send>(
        &self,
        request: impl FnOnce() -> Request + Send,
        largest: usize,
        wait: &mut Wait<C>,
    ) -> Result<Answer, Broken> {
        let no_answer = || trouble::no_answer(&self.host, self.patience);
        let slot = self.slots.take().map_err(|error| self.trouble(error))?;
        let response = wait.wait(slot.execute(request())).await.ok_or_else(no_answer)?;
        let response = response.map_err(|error| Broken {
            ended: trouble::ended_early(&error),
            hangs: error.is_connect() && error.is_timeout(),
            failure: self.trouble(error),
        })?;
        let status = response.status().as_u16();
        let elsewhere = elsewhere(&response);
        let retry_after = pause::asked_for(response.headers(), today);
        let not_before = retry_after.and_then(|wait| today().checked_add(wait)?.try_into().ok());
        let coding = coding(response.headers());
        let mut body = Body::default();
        let largest = if status >= 300 { LARGEST_REFUSAL } else { largest };
        let read = wait.wait(self.read(response, &mut body, largest)).await;
        match read.unwrap_or_else(|| Err(no_answer())) {
            // The status line of a refusal says enough; what came of its body may say more.
            Err(_) if status >= 300 => {}
            Err(failure) => {
                return Err(Failure { http_status: Some(status), ..failure }.into());
            }
            Ok(()) => {}
        }
        // An answer that came in parts leaves its connection free only after this: what is asked for
        // next would open another one.
        tokio::task::yield_now().await;
        Ok(Answer { status, elsewhere, retry_after, not_before, coding, renew: None, body })
    }

    fn trouble(&self, error: reqwest::Error) -> Failure {
        trouble::failure(error, &self.host, self.proxy.as_ref(), self.patience)
    }

    async fn read(
        &self,
        mut response: Response,
        body: &mut Body,
        largest: usize,
    ) -> Result<(), Failure> {
        let too_large = || {
            let limit = largest / MIB;
            Failure::new(
                Cause::Unreadable,
                format!("the answer is larger than {limit} MiB and was not read"),
            )
        };
        let announced = response.content_length().map(usize::try_from);
        if let Some(Ok(length)) = announced {
            if length > largest {
                return Err(too_large());
            }
            body.bytes.reserve(length.min(LARGE));
        }
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > largest => {
                    return Err(too_large());
                }
                Ok(Some(chunk)) => {
                    if body.len() + chunk.len() > LARGE && body.large.is_none() {
                        let right = Arc::clone(&self.large).acquire_owned().await;
                        body.large = right.ok().map(Arc::new);
                    }
                    body.bytes.extend_from_slice(&chunk);
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.trouble(error)),
            }
        }
    }
}

/// Whether the service may have noted the request as one that failed.
fn noted_as_failed(outcome: &Result<Answer, Broken>) -> bool {
    match outcome {
        Ok(answer) => answer.status >= 300,
        Err(broken) => {
            !matches!(broken.failure.cause, Cause::Unreachable | Cause::Untrusted | Cause::Blocked)
        }
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, ended: false, hangs: false }
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        broken.failure
    }
}

/// The headers of every request beside the token.
fn headers() -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    let plain = HeaderValue::from_static("identity");
    HeaderMap::from_iter([(CONTENT_TYPE, json.clone()), (ACCEPT, json), (ACCEPT_ENCODING, plain)])
}

/// The coding of a body that has one.
fn coding(headers: &HeaderMap) -> Option<String> {
    let named = headers.get(CONTENT_ENCODING)?;
    let named = String::from_utf8_lossy(named.as_bytes()).trim().to_lowercase();
    (!named.is_empty() && named != "identity").then_some(named)
}

/// Whether the address is one of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Where a redirect points, without path and query: they may hold secrets.
fn elsewhere(response: &Response) -> Option<String> {
    let location = response.headers().get(LOCATION)?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let there = response.url().join(&location).ok()?;
    let (here, origin) = (response.url().origin(), there.origin());
    if here == origin {
        return Some(format!("another path of {}", origin.ascii_serialization()));
    }
    Some(origin.ascii_serialization()).filter(|_| origin.is_tuple())
}
