//! The one door to the network: every request goes through [`Transport::send`] or,
//! where it is an envelope, [`Transport::ask`].
//!
//! Here the token becomes a header, what a read-only profile may not send is withheld, and a path
//! goes out byte for byte as it was made or not at all. Redirects are not followed: that would send
//! a DELETE, or the token, where nobody asked for it.

mod pause;
mod trouble;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, RequestBuilder, Response, Url};

use super::budget::Budget;
use super::token::{Bearer, Tokens};
use super::{Settings, Writes};
use crate::domain::{Cause, Exchange, Failure, Foreign, Secret};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: shorter than servers keep theirs, so that a request
/// seldom meets a connection which the other side has just closed.
const IDLE: Duration = Duration::from_secs(15);
/// Largest body read, in bytes.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

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
    /// `ca_file` cannot be read.
    #[error("ca_file {0:?} cannot be read ({1}): correct its path or its permissions")]
    CaUnreadable(PathBuf, String),
    /// `ca_file` holds no certificates.
    #[error(
        "ca_file {0:?} holds no certificate: it has to be a PEM file with \
         -----BEGIN CERTIFICATE-----"
    )]
    CaEmpty(PathBuf),
    /// The TLS side could not be made.
    #[error(
        "TLS cannot be set up ({0}): check ca_file in the profile, and that this machine has its \
         CA certificates installed"
    )]
    Tls(String),
}

/// The methods this program sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    /// A POST that asks and changes nothing: SOAP knows no other method.
    Ask,
    /// Makes an event.
    Create,
    /// Changes one.
    Update,
    Delete,
}

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The origin that a redirect points at, never its path or query.
    pub(super) elsewhere: Option<String>,
    /// How long the service asks to be left alone.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// A client for one origin.
pub(super) struct Transport {
    http: reqwest::Client,
    pub(super) tokens: Tokens,
    origin: String,
    host: String,
    patience: Patience,
    questions: Budget,
}

/// Why there is no answer.
struct Broken {
    failure: Failure,
    /// The connection ended before the head of an answer was whole. So does one that was kept and
    /// that the service closes just when the next request is under way.
    ended: bool,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
struct Patience {
    connect: Duration,
    total: Duration,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Ask | Self::Create => "POST",
            Self::Update => "PUT",
            Self::Delete => "DELETE",
        }
    }

    fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Ask | Self::Create => Method::POST,
            Self::Update => Method::PUT,
            Self::Delete => Method::DELETE,
        }
    }

    fn writes(self) -> bool {
        match self {
            Self::Get | Self::Ask => false,
            Self::Create | Self::Update | Self::Delete => true,
        }
    }
}

impl Transport {
    /// Checks what can be checked without the network.
    pub(super) fn new(settings: &Settings) -> Result<Self, ClientRefused> {
        let origin = &settings.target.origin;
        let url = checked_origin(origin)
            .ok_or_else(|| ClientRefused::Origin(Foreign::from(origin.as_str())))?;
        let tokens = Tokens::new(&settings.credentials, &url)?;
        let patience = Patience {
            // Below the total, so that a connection that never came about is told from an
            // answer that never came.
            connect: CONNECT.min(settings.timeout / 4 * 3),
            total: settings.timeout,
        };
        // The error only says that a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("callsweep/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers())
            .redirect(Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(patience.connect)
            .timeout(patience.total)
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(settings.concurrency);
        if is_loopback(&url) {
            builder = builder.no_proxy();
        }
        if url.scheme() == "http" {
            // No TLS will be spoken: reading the machine's certificates would only take time.
            builder = builder.tls_certs_only([]);
        } else if settings.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        } else if let Some(path) = &settings.ca_file {
            builder = builder.tls_certs_merge(certificates(path)?);
        }
        let http =
            builder.build().map_err(|error| ClientRefused::Tls(trouble::innermost(&error)))?;
        Ok(Self {
            http,
            tokens,
            origin: origin.clone(),
            host: settings.target.host().to_owned(),
            patience,
            questions: Budget::default(),
        })
    }

    /// Sends one request and reads its answer to the end. What went out is in the trace, whatever
    /// became of it; what was withheld is not.
    pub(super) async fn send(
        &self,
        verb: Verb,
        path: &str,
        query: Option<&str>,
        writes: Writes,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Failure> {
        let url = self.permit(verb, path, query, writes)?;
        self.with_token(verb, path, trace, |bearer| {
            self.http
                .request(verb.method(), url.clone())
                .header(AUTHORIZATION, bearer.value.clone())
        })
        .await
    }

    /// The same with a body.
    pub(super) async fn write(
        &self,
        verb: Verb,
        path: &str,
        body: &str,
        writes: Writes,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Failure> {
        let url = self.permit(verb, path, None, writes)?;
        self.with_token(verb, path, trace, |bearer| {
            self.http
                .request(verb.method(), url.clone())
                .header(AUTHORIZATION, bearer.value.clone())
                .body(body.to_owned())
        })
        .await
    }

    /// Sends one SOAP envelope, which holds the token, and reads its answer to the end.
    pub(super) async fn ask(
        &self,
        path: &str,
        action: &str,
        envelope: impl Fn(&Secret) -> String + Send + Sync,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Failure> {
        // A question needs no leave to write.
        let url = self.permit(Verb::Ask, path, None, Writes::ReadOnly)?;
        self.with_token(Verb::Ask, path, trace, |bearer| {
            self.http
                .request(Verb::Ask.method(), url.clone())
                .header(CONTENT_TYPE, "text/xml; charset=utf-8")
                .header(ACCEPT, "text/xml")
                .header("SOAPAction", action)
                .body(envelope(&bearer.token()))
        })
        .await
    }

    /// Sends a request with the token in force and, where that is refused, once more with a new
    /// one: refused, it was not acted on.
    async fn with_token(
        &self,
        verb: Verb,
        path: &str,
        trace: &mut Vec<Exchange>,
        request: impl Fn(&Bearer) -> RequestBuilder + Send + Sync,
    ) -> Result<Answer, Failure> {
        let unsent = |failure: Failure| match (verb, failure.cause) {
            (Verb::Get | Verb::Ask, _) | (_, Cause::Unreachable) => failure,
            // Nothing became of a change whose token did not come, whatever became of the token.
            (Verb::Create | Verb::Update | Verb::Delete, _) => {
                Failure { cause: Cause::Withheld, http_status: None, ..failure }
            }
        };
        let bearer = self.tokens.bearer(self, trace).await.map_err(unsent)?;
        let answer = self.heard(verb, path, || request(&bearer), trace).await?;
        if !matches!(answer.status, 401 | 403) {
            return Ok(answer);
        }
        let renewed = self.tokens.instead_of(&bearer, answer.status, self, trace).await;
        let Some(renewed) = renewed else { return Ok(answer) };
        let again = self.heard(verb, path, || request(&renewed), trace).await?;
        if matches!(again.status, 401 | 403) {
            self.tokens.in_vain(&renewed, again.status).await;
            return Ok(answer);
        }
        Ok(again)
    }

    /// Sends a request, and once more a question whose connection ended under it: it is asked
    /// without harm twice. Whether a change was made before the end, nobody knows here.
    async fn heard(
        &self,
        verb: Verb,
        path: &str,
        request: impl Fn() -> RequestBuilder + Send + Sync,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Failure> {
        let outcome = match self.traced(verb.name(), path, request(), trace).await {
            Err(broken) if broken.ended && !verb.writes() => {
                self.traced(verb.name(), path, request(), trace).await
            }
            outcome => outcome,
        };
        Ok(outcome?)
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
        let request = self.http.post(url).header(CONTENT_TYPE, form_type).body(form);
        Ok(self.traced("POST", &path, request, trace).await?)
    }

    async fn traced(
        &self,
        method: &'static str,
        path: &str,
        request: RequestBuilder,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Broken> {
        // Address blockers count what asks, and by their rules a DELETE does not.
        let permit = match method {
            "DELETE" | "PUT" => None,
            _ => Some(self.questions.admit().await?),
        };
        let started = now();
        let outcome = self.exchange(request).await;
        if let Some(permit) = permit.filter(|_| !noted_as_failed(&outcome)) {
            permit.answered_well();
        }
        trace.push(Exchange {
            method,
            path: path.to_owned(),
            answer: match &outcome {
                Ok(answer) => Ok(answer.status),
                Err(broken) => Err(broken.failure.clone()),
            },
            took: now().saturating_duration_since(started),
        });
        outcome
    }

    /// The URL of a request that may go out.
    fn permit(
        &self,
        verb: Verb,
        path: &str,
        query: Option<&str>,
        writes: Writes,
    ) -> Result<Url, Failure> {
        match writes {
            Writes::ReadOnly if verb.writes() => {
                return Err(Failure::new(Cause::Withheld, "not sent: this session is read-only"));
            }
            Writes::Allowed | Writes::ReadOnly | Writes::Simulated => {}
        }
        // A URL parser resolves `..` and cuts at `?` and `#`: a path that does not come out as it
        // went in names something else than was reviewed.
        let bent = || Failure::new(Cause::Withheld, format!("not sent: {path} is no plain path"));
        let mut url = Url::parse(&format!("{}{path}", self.origin)).map_err(|_| bent())?;
        if url.path() != path || url.query().is_some() || url.fragment().is_some() {
            return Err(bent());
        }
        if verb.writes() && writes == Writes::Simulated {
            return Err(Failure::new(Cause::Simulated, "simulated: not sent"));
        }
        url.set_query(query);
        Ok(url)
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Answer, Broken> {
        let response = request.send().await.map_err(|error| Broken {
            ended: trouble::ended_early(&error),
            failure: trouble::failure(error, &self.host, self.patience),
        })?;
        let status = response.status().as_u16();
        let elsewhere = elsewhere(&response);
        let retry_after = pause::asked_for(response.headers(), today);
        let mut body = Vec::new();
        let read = self.read(response, &mut body).await;
        match read {
            // The status line of a refusal says enough; what came of its body may say more.
            Err(_) if status >= 300 => {}
            Err(failure) => {
                return Err(Failure { http_status: Some(status), ..failure }.into());
            }
            Ok(()) => {}
        }
        Ok(Answer { status, elsewhere, retry_after, body })
    }

    async fn read(&self, mut response: Response, body: &mut Vec<u8>) -> Result<(), Failure> {
        let too_large = || {
            let limit = LARGEST_BODY / (1024 * 1024);
            Failure::new(
                Cause::Unreadable,
                format!("the answer is larger than {limit} MiB and was not read"),
            )
        };
        let announced = response.content_length().map(usize::try_from);
        if announced.is_some_and(|length| length.is_ok_and(|length| length > LARGEST_BODY)) {
            return Err(too_large());
        }
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_BODY => {
                    return Err(too_large());
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(()),
                Err(error) => return Err(trouble::failure(error, &self.host, self.patience)),
            }
        }
    }
}

/// Whether the service may have noted the request as one that failed.
fn noted_as_failed(outcome: &Result<Answer, Broken>) -> bool {
    match outcome {
        Ok(answer) => answer.status >= 300,
        Err(broken) => broken.failure.cause != Cause::Unreachable,
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, ended: false }
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
    HeaderMap::from_iter([(CONTENT_TYPE, json.clone()), (ACCEPT, json)])
}

/// The origin as a URL, when it is a plain one and the token does not go over the wire in clear.
fn checked_origin(origin: &str) -> Option<Url> {
    let url = Url::parse(origin).ok()?;
    let plain = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.host_str().is_some_and(|host| !host.is_empty());
    let sealed = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    (plain && sealed).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The certificates of a PEM file.
fn certificates(path: &Path) -> Result<Vec<Certificate>, ClientRefused> {
    let pem = fs::read(path)
        .map_err(|error| ClientRefused::CaUnreadable(path.to_owned(), error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() {
        return Err(ClientRefused::CaEmpty(path.to_owned()));
    }
    Ok(found)
}

/// Where a redirect points, without path and query: they may hold what nobody should read.
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

/// The clock, for the durations in the trace.
#[expect(clippy::disallowed_methods, reason = "how long a request took can be known here only")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// The date, for pauses that are asked for by their end.
#[expect(clippy::disallowed_methods, reason = "an answer without a date has come just now")]
fn today() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Credentials, Secret, Target, UserId};

    #[test]
    fn an_origin_is_https_or_loopback_and_nothing_behind_it() {
        for origin in [
            "https://pbx.example.com",
            "https://pbx.example.com:8443",
            "https://10.0.0.1",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost",
        ] {
            assert!(checked_origin(origin).is_some(), "{origin}");
        }
        for origin in [
            "http://pbx.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "ftp://127.0.0.1",
            "pbx.example.com",
            "https://user@pbx.example.com",
            "https://pbx.example.com/uapi",
            "https://pbx.example.com?x",
            "https://",
            "",
        ] {
            assert!(checked_origin(origin).is_none(), "{origin}");
        }
    }

    #[test]
    fn a_path_goes_out_as_it_was_made_or_not_at_all() {
        let user = UserId::parse("@me").unwrap();
        let transport = Transport::new(&Settings {
            target: Target::new("p", "http://127.0.0.1:1", "/uapi", user).unwrap(),
            credentials: Credentials::Token(Secret::new("token")),
            timeout: Duration::MAX,
            ca_file: None,
            insecure: false,
            writes: Writes::Allowed,
            concurrency: 1,
        })
        .unwrap();
        let permit = |path: &str| transport.permit(Verb::Delete, path, None, Writes::Allowed);
        let path = "/uapi/extensions/@me/0003*210/phoneCallEvents/0/a-b_c~d.e";
        let sent = permit(path).unwrap();
        assert_eq!(sent.as_str(), format!("http://127.0.0.1:1{path}"));
        for path in [
            "",
            "a",
            "/a/../b",
            "/a/.",
            "/a/%2e%2e/b",
            "/a?b",
            "/a#b",
            "/a b",
            "/a\\b",
            "/ä",
            "/a\n",
            "@evil.test/a",
            ".evil.test/a",
            ":2/a",
        ] {
            let failure = permit(path).unwrap_err();
            assert_eq!(failure.cause, Cause::Withheld, "{path:?}");
        }
    }
}
