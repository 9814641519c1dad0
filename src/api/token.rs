//! The token of every request: one that a profile names, or one that an App is issued.
//!
//! All requests in flight share one renewal. A token that was refused is asked for once more where
//! it came from, and one that is the same as the refused one is not tried. One that is still good is
//! used on while its renewal fails for a passing reason. A service that knows neither key nor secret
//! is asked once and never again: asking on ends in a block of the asking address.

mod given;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value;
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::clock;
use super::line::{ClientRefused, Line};
use super::{refusal, wire};
use crate::domain::{Cause, Credentials, Exchange, Failure, Foreign, Secret, learn_secret};
use given::Given;

/// How long before its end a token is renewed.
const EARLY: Duration = Duration::from_secs(300);
/// How long after an early renewal that failed the next one is tried at the earliest.
const AGAIN: Duration = Duration::from_secs(30);

/// Where tokens come from.
pub(super) enum Tokens {
    Given(Box<Given>),
    Issued(Box<App>),
}

/// A token as the header it becomes.
#[derive(Clone)]
pub(super) struct Bearer {
    pub(super) value: HeaderValue,
    /// The token alone, as SOAP envelopes hold it.
    pub(super) token: Secret,
    /// Which of those that this client has had it is.
    pub(super) number: u64,
}

/// An App of the service and the token that it holds.
pub(super) struct App {
    key: String,
    secret: Secret,
    url: Url,
    redirect_uri: String,
    /// Token requests that have ended, so that those who waited for one do not ask again.
    asked: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The App's secret since the first one was refused.
    secret: Option<Secret>,
    /// Why the last token request failed.
    failed: Option<Failure>,
    /// The service does not know the App: no further request.
    closed: bool,
}

struct Held {
    bearer: Bearer,
    /// When to ask for the next, where the service said how long it lasts.
    due: Option<Instant>,
    /// When it ends, where the service said so.
    ends: Option<Instant>,
    /// The status with which this token was refused although it was new.
    in_vain: Option<u16>,
}

impl Tokens {
    /// Checks what can be checked without the network.
    pub(super) fn new(credentials: &Credentials, origin: &Url) -> Result<Self, ClientRefused> {
        match credentials {
            Credentials::Token(token) => {
                let bearer = bearer(token.clone(), 0).ok_or(ClientRefused::Token)?;
                Ok(Self::Given(Box::new(Given::new(bearer))))
            }
            Credentials::App { key, secret, token_url, redirect_uri } => {
                let url = Url::parse(token_url).ok().filter(|url| url.origin() == origin.origin());
                let url = url.ok_or_else(|| {
                    ClientRefused::TokenUrl(Foreign::from(origin.origin().ascii_serialization()))
                })?;
                learn_secret(key);
                // As a server writes it that repeats the login it understood.
                learn_secret(&format!("{key}:{}", secret.expose()));
                Ok(Self::Issued(Box::new(App {
                    key: key.clone(),
                    secret: secret.clone(),
                    url,
                    redirect_uri: redirect_uri.clone(),
                    asked: AtomicU64::new(0),
                    state: Mutex::default(),
                })))
            }
        }
    }

    /// The token to send a request with.
    pub(super) async fn bearer(
        &self,
        line: &Line,
        trace: &mut Vec<Exchange>,
    ) -> Result<Bearer, Failure> {
        match self {
            Self::Given(given) => Ok(given.bearer().await),
            Self::Issued(app) => match app.in_force().await {
                Some(bearer) => Ok(bearer),
                None => Box::pin(app.usable(None, line, trace)).await,
            },
        }
    }

    /// Another token than the refused one, or how an operator gets one.
    pub(super) async fn instead_of(
        &self,
        refused: &Bearer,
        status: u16,
        line: &Line,
        trace: &mut Vec<Exchange>,
    ) -> Result<Bearer, String> {
        match self {
            Self::Given(given) => given.instead_of(refused, status).await,
            Self::Issued(app) => {
                app.usable(Some((refused, status)), line, trace).await.map_err(|_| app.renew())
            }
        }
    }

    /// How an operator gets a better token than one that was just renewed.
    pub(super) fn renew(&self) -> String {
        match self {
            Self::Given(given) => given.renew(),
            Self::Issued(app) => app.renew(),
        }
    }

    /// A token just renewed was refused as the one before: it is not the token.
    pub(super) async fn in_vain(&self, bearer: &Bearer, status: u16) {
        match self {
            Self::Given(given) => given.in_vain(bearer, status).await,
            Self::Issued(app) => {
                let mut state = app.state.lock().await;
                let held = state.held.as_mut().filter(|held| held.bearer.number == bearer.number);
                if let Some(held) = held {
                    held.in_vain = Some(status);
                }
            }
        }
    }
}

impl State {
    /// A new token takes the place of all that was.
    fn issued(&mut self, bearer: Bearer, lifetime: Option<Duration>, now: Instant) -> Bearer {
        let after = |lifetime| now.checked_add(lifetime);
        self.held = Some(Held {
            bearer: bearer.clone(),
            due: lifetime.map(renewed_after).and_then(after),
            ends: lifetime.and_then(after),
            in_vain: None,
        });
        self.failed = None;
        bearer
    }

    /// No new token came, and the old one was not refused: until its end it is as good as before,
    /// where the trouble may pass or the request was not even sent.
    fn kept(&mut self, failure: Failure, now: Instant) -> Result<Bearer, Failure> {
        let passing = failure.is_worth_repeating() || failure.cause == Cause::Withheld;
        if let Some(held) = self.held.as_mut().filter(|_| passing && !is_unknown_app(&failure))
            && let Some(ends) = held.ends.filter(|ends| now < *ends)
        {
            let pause = failure.retry_after.unwrap_or_default().max(AGAIN);
            held.due = Some(now.checked_add(pause).map_or(ends, |due| due.min(ends)));
            return Ok(held.bearer.clone());
        }
        Err(self.lost(failure))
    }

    /// There is no token any more, and for an App that is unknown there never will be one.
    fn lost(&mut self, failure: Failure) -> Failure {
        self.closed = is_unknown_app(&failure);
        self.held = None;
        self.failed = Some(failure.clone());
        failure
    }
}

impl App {
    /// The token that is held, where it need not be renewed yet.
    async fn in_force(&self) -> Option<Bearer> {
        let state = self.state.lock().await;
        let held = state.held.as_ref()?;
        held.due.is_none_or(|due| clock::now() < due).then(|| held.bearer.clone())
    }

    /// A token that may be sent, other than the refused one. Requests that come while it is being
    /// asked for wait for the same answer.
    async fn usable(
        &self,
        refused: Option<(&Bearer, u16)>,
        line: &Line,
        trace: &mut Vec<Exchange>,
    ) -> Result<Bearer, Failure> {
        let asked = self.asked.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        let waited = asked != self.asked.load(Ordering::SeqCst);
        let now = clock::now();
        if let Some(held) = &state.held {
            let same = refused.filter(|(bearer, _)| bearer.number == held.bearer.number);
            let good = match same {
                Some((_, status)) if held.in_vain == Some(status) => {
                    return Err(Failure::new(Cause::Rejected, "a new token is refused as well"));
                }
                Some(_) => false,
                None => waited || refused.is_some() || held.due.is_none_or(|due| now < due),
            };
            if good {
                return Ok(held.bearer.clone());
            }
        }
        if let Some(failure) = state.failed.as_ref().filter(|_| waited || state.closed) {
            return Err(failure.clone());
        }
        let secret = state.secret.clone().unwrap_or_else(|| self.secret.clone());
        let mut outcome = self.ask(&secret, line, trace).await;
        // It may have been exchanged since: once more with the one that there is now.
        if outcome.as_ref().is_err_and(is_unknown_app)
            && let Ok(Some(secret)) = given::another(self.secret.origin(), &secret).await
        {
            outcome = self.ask(&secret, line, trace).await;
            state.secret = Some(secret);
        }
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        match outcome {
            // A token lasts from the moment it was asked for, to be on the safe side.
            Ok((bearer, lifetime)) => Ok(state.issued(Bearer { number, ..bearer }, lifetime, now)),
            Err(failure) if refused.is_none() => state.kept(failure, clock::now()),
            Err(failure) => Err(state.lost(failure)),
        }
    }

    /// One token request.
    async fn ask(
        &self,
        secret: &Secret,
        line: &Line,
        trace: &mut Vec<Exchange>,
    ) -> Result<(Bearer, Option<Duration>), Failure> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.key)
            .append_pair("client_secret", secret.expose())
            .append_pair("grant_type", "client_credentials")
            .append_pair("type", "unifiedapi")
            .append_pair("redirect_uri", &self.redirect_uri)
            .finish();
        let answer = line.post_form(self.url.clone(), form, trace).await?;
        let status = answer.status;
        let body = match refusal::accepted(answer) {
            Ok(body) => body.unwrap_or_default(),
            Err(failure) => return Err(self.refused(failure)),
        };
        if let Some(said) = wire::refusal(&body) {
            let failure = Failure::new(Cause::Rejected, said.message).coded(&said.code);
            return Err(self.refused(Failure { http_status: Some(status), ..failure }));
        }
        read(&body).ok_or_else(|| {
            let message = "the answer to the token request holds no token that can be sent";
            let failure = Failure::new(Cause::Unreadable, message);
            let failure = failure.remedied("check token_url in the profile");
            Failure { http_status: Some(status), ..failure }
        })
    }

    /// Why there is no token.
    fn refused(&self, failure: Failure) -> Failure {
        if is_unknown_app(&failure) {
            let message = "the service does not know this App, and is not asked again";
            let remedy = format!(
                "correct app_key and app_secret in the profile's auth ({}), then start anew",
                self.place()
            );
            return Failure { message: Foreign::from(message), ..failure }.remedied(remedy);
        }
        let message = format!("no token was issued: {}", failure.message.raw());
        Failure { message: Foreign::from(message), ..failure }.remedied(self.renew())
    }

    /// Where the secret is.
    fn place(&self) -> String {
        let origin = self.secret.origin();
        let place = origin.map_or("where auth in the profile names it", |origin| &origin.place);
        format!("the secret is {place}")
    }

    /// What an operator does where the tokens of this App are refused.
    fn renew(&self) -> String {
        format!("check the App of app_key on the PBX, and its secret: {}", self.place())
    }
}

/// Whether the service knows neither key nor secret: asking on would end in a block.
fn is_unknown_app(failure: &Failure) -> bool {
    failure.code.raw() == "invalid_client"
}

/// Five minutes before its end, or after half of a short life.
fn renewed_after(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(EARLY).max(lifetime / 2)
}

/// The token and its lifetime.
fn read(body: &[u8]) -> Option<(Bearer, Option<Duration>)> {
    let body: Value = serde_json::from_str(&wire::text(body)).ok()?;
    let bearer = bearer(Secret::new(body.get("access_token")?.as_str()?), 0)?;
    let lasts = body.get("expires_in");
    let seconds = lasts.and_then(|lasts| {
        lasts.as_u64().or_else(|| lasts.as_str().and_then(|text| text.trim().parse().ok()))
    });
    Some((bearer, seconds.map(Duration::from_secs)))
}

/// The header (page *Authentication and Authorization*). Tokens are opaque; only what no header
/// may hold is refused.
fn bearer(token: Secret, number: u64) -> Option<Bearer> {
    let text = token.expose();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut value = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
    value.set_sensitive(true);
    Some(Bearer { value, token, number })
}

#[cfg(test)]
impl Tokens {
    /// The token in force is to be renewed with the next request.
    pub(super) async fn fall_due(&self) {
        if let Self::Issued(app) = self
            && let Some(held) = &mut app.state.lock().await.held
        {
            held.due = Some(clock::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state with a token of an hour, and the moment it was issued.
    fn hour() -> (State, Instant) {
        let (mut state, now) = (State::default(), clock::now());
        let bearer = bearer(Secret::new("old"), 1).unwrap();
        state.issued(bearer, Some(Duration::from_secs(3600)), now);
        (state, now)
    }

    fn due(state: &State) -> Instant {
        state.held.as_ref().unwrap().due.unwrap()
    }

    fn failure(cause: Cause, http_status: Option<u16>) -> Failure {
        Failure { http_status, ..Failure::new(cause, "no") }
    }

    #[test]
    fn a_renewal_that_failed_early_leaves_the_token_in_force_and_is_tried_again_soon() {
        for failure in [
            failure(Cause::NoAnswer, None),
            failure(Cause::Unreachable, None),
            failure(Cause::Withheld, None),
            failure(Cause::ServiceFailed, Some(503)),
            failure(Cause::Rejected, Some(429)),
        ] {
            let (mut state, issued) = hour();
            let now = issued + Duration::from_secs(3300);
            assert_eq!(state.kept(failure, now).unwrap().value, "Bearer old");
            assert_eq!(due(&state), now + AGAIN);
            assert!(state.failed.is_none() && !state.closed);
        }
    }

    #[test]
    fn the_next_renewal_waits_as_long_as_the_service_asks_but_not_past_the_tokens_end() {
        let (mut state, issued) = hour();
        let now = issued + Duration::from_secs(3300);
        let busy = |seconds| Failure {
            retry_after: Some(Duration::from_secs(seconds)),
            ..failure(Cause::ServiceFailed, Some(503))
        };
        for (asked, waited) in [(0, 30), (60, 60), (3600, 300)] {
            state.kept(busy(asked), now).unwrap();
            assert_eq!(due(&state), now + Duration::from_secs(waited));
        }
    }

    #[test]
    fn a_token_at_its_end_does_not_outlive_a_failed_renewal() {
        let (mut state, issued) = hour();
        let end = issued + Duration::from_secs(3600);
        assert!(state.kept(failure(Cause::NoAnswer, None), end).is_err());
        assert!(state.held.is_none() && !state.closed);
    }

    #[test]
    fn a_service_that_says_no_ends_the_token_and_one_that_knows_no_app_all_asking() {
        let unknown = |cause, status| Failure {
            code: Foreign::from("invalid_client"),
            ..failure(cause, Some(status))
        };
        for (failure, closed) in [
            (failure(Cause::Rejected, Some(400)), false),
            (unknown(Cause::Rejected, 401), true),
            (unknown(Cause::ServiceFailed, 500), true),
        ] {
            let (mut state, now) = hour();
            assert!(state.kept(failure, now).is_err());
            assert!(state.held.is_none() && state.failed.is_some());
            assert_eq!(state.closed, closed);
        }
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_and_an_opaque_one_is_taken() {
        for token in ["", "two words", "line\nbreak", "tab\t", "zürich", "nul\0"] {
            // A line end behind it is what files and programs leave.
            assert!(bearer(Secret::new(token), 0).is_none(), "{token:?}");
        }
        let value = bearer(Secret::new("1|abc~d.e_f-g|1|13"), 0).unwrap().value;
        assert_eq!(value, "Bearer 1|abc~d.e_f-g|1|13");
        assert!(!format!("{value:?}").contains("abc"));
    }

    #[test]
    fn a_token_is_renewed_five_minutes_early_or_at_half_of_a_short_life() {
        for (lifetime, after) in [(3600, 3300), (7200, 6900), (600, 300), (400, 200), (0, 0)] {
            let after = Duration::from_secs(after);
            assert_eq!(renewed_after(Duration::from_secs(lifetime)), after);
        }
    }

    #[test]
    fn a_lifetime_is_a_number_or_a_text_or_not_told() {
        let lasts = |text: &str| read(text.as_bytes()).map(|(_, lifetime)| lifetime);
        let hour = Some(Some(Duration::from_secs(3600)));
        assert_eq!(lasts(r#"{"access_token":"1|a~b","expires_in":3600}"#), hour);
        assert_eq!(lasts(r#"{"access_token":"1|a~b","expires_in":"3600"}"#), hour);
        assert_eq!(lasts(r#"{"access_token":"1|a~b"}"#), Some(None));
        assert_eq!(lasts(r#"{"access_token":"a b","expires_in":1}"#), None);
        assert_eq!(lasts("<html>"), None);
    }
}
