//! What comes in and what goes out, as plain values.

use std::time::Duration;

use serde::Serialize;

/// One request as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// `GET`, `DELETE` and so on.
    pub method: String,
    /// The request target, undecoded: path and query.
    pub target: String,
    /// The `Authorization` header, scheme and all.
    pub authorization: Option<String>,
    /// The body, empty for most.
    pub body: Vec<u8>,
    /// When it came, counted from the start of the service.
    pub at: Duration,
}

impl Request {
    /// A request without token and body.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), ..Self::default() }
    }

    /// The request with a bearer token.
    #[must_use]
    pub fn bearing(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }
}

/// What the service says, and how long it takes to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty with a 204.
    pub body: Vec<u8>,
    /// Time that passes before the answer leaves. The world has acted by then.
    pub delay: Duration,
    /// The connection is closed and nothing above is sent.
    pub reset: bool,
    /// How the body reaches the client.
    pub delivery: Delivery,
}

/// How an answer reaches the client; a 204 has no body to go wrong, and is delivered whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Whole and at once.
    #[default]
    Whole,
    /// Never; the connection stays open until the client gives up.
    Never,
    /// Byte by byte, with a pause behind each.
    Drip(Duration),
    /// Half of it, then the connection ends.
    Truncated,
    /// The header announces half of it, and the rest is never sent.
    Shorter,
    /// The header announces one byte more than there is; the connection stays open.
    Longer,
    /// Behind so many blanks.
    Huge(u64),
}

impl Answer {
    /// A status without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            delay: Duration::ZERO,
            reset: false,
            delivery: Delivery::Whole,
        }
    }

    /// The connection ends without a word: all that a blocked address sees.
    pub(super) fn cut() -> Self {
        Self { reset: true, ..Self::empty(0) }
    }

    /// Whether the client gets to see any of it.
    pub(super) fn is_sent(&self) -> bool {
        !self.reset && self.delivery != Delivery::Never
    }

    /// Success with nothing to say.
    pub(super) fn no_content() -> Self {
        Self::empty(204)
    }

    /// A status with a JSON body.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        // Strings and lists of strings always serialise, so the default is never seen.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::text(status, "application/json", body)
    }

    /// A status with a body of some type.
    pub(super) fn text(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            headers: vec![("content-type", content_type.to_owned())],
            body,
            ..Self::empty(status)
        }
    }

    /// What a web server says that does not know the path at all: a page for people.
    pub(super) fn not_found() -> Self {
        let page = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\
                    <body><h1>Not Found</h1>\
                    <p>The requested URL was not found on this server.</p></body></html>\n";
        Self::text(404, "text/html; charset=utf-8", page.into())
    }
}
