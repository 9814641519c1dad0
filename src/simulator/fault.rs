//! Trouble on order: rules that answer in the world's place.

use std::time::Duration;

use serde::Deserialize;

use super::answer::{Answer, Request};
use super::shapes::Shapes;

/// On a matching request, this instead of the real answer.
///
/// A world asks its rules in order and the first that fires answers. Every rule counts the
/// requests it matches, also those that another rule answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method it is for; all when absent.
    pub method: Option<String>,
    /// Part of the raw target it is for; all when absent.
    pub path: Option<String>,
    /// Only the nth match, from 1; every match when absent.
    pub nth: Option<u32>,
    /// The status answered; 500 when absent.
    pub status: Option<u16>,
    /// The body answered, JSON or, when it starts with `<`, HTML; it beats `code`.
    pub body: Option<String>,
    /// An error code to answer in the service's own shape.
    pub code: Option<String>,
    /// The `Retry-After` header.
    pub retry_after: Option<String>,
    /// How long the answer takes.
    #[serde(default)]
    pub delay_ms: u32,
    /// The connection is closed instead of answered.
    #[serde(default)]
    pub reset: bool,
    /// The world acts all the same: what a lost answer looks like.
    #[serde(default)]
    pub acts: bool,
}

/// A rule with the number of requests it has matched.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) fault: Fault,
    matched: u32,
}

impl Rule {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault, matched: 0 }
    }

    /// Counts the request if the rule is for it; true when the rule is to answer it.
    pub(super) fn fires(&mut self, request: &Request) -> bool {
        if !self.fault.matches(request) {
            return false;
        }
        self.matched = self.matched.saturating_add(1);
        self.fault.nth.is_none_or(|nth| nth == self.matched)
    }
}

impl Fault {
    fn matches(&self, request: &Request) -> bool {
        let method = self.method.as_deref();
        let path = self.path.as_deref();
        method.is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && path.is_none_or(|part| request.target.contains(part))
    }

    pub(super) fn answer(&self, shapes: &Shapes) -> Answer {
        let status = self.status.unwrap_or(500);
        let mut answer = match (&self.body, &self.code) {
            (Some(page), _) if page.trim_start().starts_with('<') => {
                Answer::text(status, "text/html; charset=utf-8", page.clone().into())
            }
            (Some(body), _) => Answer::text(status, "application/json", body.clone().into()),
            (None, Some(code)) => shapes.error(status, code, "The simulator was told to fail."),
            (None, None) => Answer::empty(status),
        };
        if let Some(wait) = &self.retry_after {
            answer.headers.push(("retry-after", wait.clone()));
        }
        answer.delay = Duration::from_millis(self.delay_ms.into());
        answer.reset = self.reset;
        answer
    }
}
