//! The one door to the network: every request goes through [`Transport::send`] or,
//! where it is an envelope, [`Transport::ask`].
//!
//! Here the token becomes a header, what a read-only profile may not send is withheld, and a path
//! goes out byte for byte as it was made or not at all. Redirects are not followed: that would send
//! a DELETE, or the token, to an address that the profile does not name.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

use super::answer::Answer;
use super::line::{ClientRefused, LARGEST_CHANGE, LARGEST_LIST, Line, is_loopback};
use super::token::{Bearer, Tokens};
use super::{Settings, Writes};
use crate::domain::{Cause, Exchange, Failure, Foreign, Secret};
use crate::origins::Book;

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

/// A client for one origin.
pub(super) struct Transport {
    pub(super) line: Line,
    pub(super) tokens: Tokens,
    origin: Url,
    /// A request with our token was answered with success.
    let_in: AtomicBool,
    /// The number of the token that took the place of one refused for making an event.
    renewed_for_event: AtomicU64,
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
    pub(super) fn new(settings: &Settings, book: Option<Book>) -> Result<Self, ClientRefused> {
        let origin = &settings.target.origin;
        let url = checked_origin(origin)
            .ok_or_else(|| ClientRefused::Origin(Foreign::from(origin.as_str())))?;
        let tokens = Tokens::new(&settings.credentials, &url)?;
        let line = Line::new(settings, &url, book)?;
        let renewed_for_event = AtomicU64::new(u64::MAX);
        Ok(Self { line, tokens, origin: url, let_in: AtomicBool::new(false), renewed_for_event })
    }

    /// Whether the service ever took the token: then a refusal is about something else.
    pub(super) fn was_let_in(&self) -> bool {
        self.let_in.load(Ordering::Relaxed)
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
        self.with_token(verb, path, trace, |bearer| authorized(verb, &url, bearer)).await
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
            let mut request = authorized(verb, &url, bearer);
            *request.body_mut() = Some(body.to_owned().into());
            request
        })
        .await
    }

    /// Sends one SOAP envelope, which holds the token, and reads its answer to the end.
    pub(super) async fn ask(
        &self,
        path: &str,
        action: &'static str,
        envelope: impl Fn(&Secret) -> String + Send + Sync,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Failure> {
        // A question needs no leave to write.
        let url = self.permit(Verb::Ask, path, None, Writes::ReadOnly)?;
        self.with_token(Verb::Ask, path, trace, |bearer| {
            let mut request = Request::new(Verb::Ask.method(), url.clone());
            let xml = HeaderValue::from_static("text/xml; charset=utf-8");
            request.headers_mut().extend([
                (CONTENT_TYPE, xml),
                (ACCEPT, HeaderValue::from_static("text/xml")),
                (HeaderName::from_static("soapaction"), HeaderValue::from_static(action)),
            ]);
            *request.body_mut() = Some(envelope(&bearer.token).into());
            request
        })
        .await
    }

    /// Sends a request with the token in force and, where that is refused, once more with a new
    /// one, unless it makes an event.
    async fn with_token(
        &self,
        verb: Verb,
        path: &str,
        trace: &mut Vec<Exchange>,
        request: impl Fn(&Bearer) -> Request + Send + Sync,
    ) -> Result<Answer, Failure> {
        let bearer = self.tokens.bearer(&self.line, trace).await;
        let bearer = bearer.map_err(|failure| without_token(failure, verb))?;
        let answer = self.heard(verb, path, || request(&bearer), trace).await?;
        if !matches!(answer.status, 401 | 403) {
            return Ok(answer);
        }
        // Rare, and large: a call that needs it not does not carry its room about.
        Box::pin(self.renewed(verb, path, trace, &request, (bearer, answer))).await
    }

    /// The same with another token than one that was refused with this answer.
    async fn renewed(
        &self,
        verb: Verb,
        path: &str,
        trace: &mut Vec<Exchange>,
        request: &(impl Fn(&Bearer) -> Request + Send + Sync),
        (bearer, answer): (Bearer, Answer),
    ) -> Result<Answer, Failure> {
        let makes = verb == Verb::Create;
        if makes && self.renewed_for_event.load(Ordering::Relaxed) == bearer.number {
            self.tokens.in_vain(&bearer, answer.status).await;
            return Ok(Answer { renew: Some(self.tokens.renew()), ..answer });
        }
        let renewed = match self.tokens.instead_of(&bearer, answer.status, &self.line, trace).await
        {
            Ok(renewed) => renewed,
            Err(renew) => return Ok(Answer { renew: Some(renew), ..answer }),
        };
        if makes {
            // A service may refuse and make it all the same: whoever repeats it looks first.
            self.renewed_for_event.store(renewed.number, Ordering::Relaxed);
            let why = "the token was refused, and there is another by now";
            let failure = Failure::new(Cause::Renewed, why);
            return Err(Failure { http_status: Some(answer.status), ..failure });
        }
        let again = self.heard(verb, path, || request(&renewed), trace).await?;
        if matches!(again.status, 401 | 403) {
            self.tokens.in_vain(&renewed, again.status).await;
            return Ok(Answer { renew: Some(self.tokens.renew()), ..answer });
        }
        Ok(again)
    }

    /// Sends a request, and once more a question whose connection ended under it, or that was out
    /// while this program stood still: asking twice does no harm. Of a change
    /// it is not known here whether it was made before the end.
    async fn heard(
        &self,
        verb: Verb,
        path: &str,
        request: impl Fn() -> Request + Send + Sync,
        trace: &mut Vec<Exchange>,
    ) -> Result<Answer, Failure> {
        let largest = if verb.writes() { LARGEST_CHANGE } else { LARGEST_LIST };
        let outcome = match self.line.traced(verb.name(), path, &request, largest, trace).await {
            Err(broken) if broken.may_be_asked_again() && !verb.writes() => {
                Box::pin(self.line.traced(verb.name(), path, &request, largest, trace)).await
            }
            outcome => outcome,
        };
        let answer = outcome?;
        if (200..300).contains(&answer.status) {
            self.let_in.store(true, Ordering::Relaxed);
        }
        Ok(answer)
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
        let mut url = self.origin.clone();
        url.set_path(path);
        if url.path() != path || url.query().is_some() || url.fragment().is_some() {
            return Err(bent());
        }
        if verb.writes() && writes == Writes::Simulated {
            return Err(Failure::new(Cause::Simulated, "simulated: not sent"));
        }
        url.set_query(query);
        Ok(url)
    }
}

fn authorized(verb: Verb, url: &Url, bearer: &Bearer) -> Request {
    let mut request = Request::new(verb.method(), url.clone());
    request.headers_mut().insert(AUTHORIZATION, bearer.value.clone());
    request
}

/// Without a token the request never left: what went wrong with the token is reported, and a change
/// counts as not sent.
fn without_token(failure: Failure, verb: Verb) -> Failure {
    // Callsweep held the question for the token back, or it is blocked: that says it all.
    if matches!(failure.cause, Cause::Withheld | Cause::Blocked) {
        return failure;
    }
    match (failure.is_worth_repeating(), verb.writes()) {
        (true, false) => failure,
        // A change that may have been made is not repeated, and this one was not.
        (true, true) => Failure { cause: Cause::Unreachable, http_status: None, ..failure },
        (false, true) => Failure { cause: Cause::NoToken, http_status: None, ..failure },
        (false, false) => Failure { cause: Cause::NoToken, ..failure },
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Trust;
    use std::time::Duration;

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
        let settings = Settings {
            target: Target::new("p", "http://127.0.0.1:1", "/uapi", user).unwrap(),
            credentials: Credentials::Token(Secret::new("token")),
            timeout: Duration::MAX,
            trust: Trust::Machine,
            writes: Writes::Allowed,
            concurrency: 1,
        };
        let transport = Transport::new(&settings, None).unwrap();
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
