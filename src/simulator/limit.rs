//! The rate limit: a bucket of requests that fills up at a steady pace.
//!
//! The vendor publishes no limit and no 429; web servers and gateways in front of a PBX have
//! both. Status, header and bucket are theirs, the body is the service's error shape.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::answer::{Answer, Request};
use super::blocker::positive;
use super::shapes::Shapes;
use super::world::World;

/// How many requests are too many.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests that come back to the bucket in a second.
    #[serde(deserialize_with = "positive")]
    pub per_second: u32,
    /// Requests that a full bucket holds.
    #[serde(deserialize_with = "positive")]
    pub burst: u32,
    /// What the refusal says about waiting.
    #[serde(default)]
    pub retry_after: RetryAfter,
    /// The method it is for; all when absent.
    pub applies_to: Option<String>,
}

/// The forms of a `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryAfter {
    /// A whole number of seconds.
    #[default]
    Seconds,
    /// A date, to be read against the client's clock.
    Date,
    /// No such header.
    None,
}

/// A limit with its bucket, kept as the time when it will be full again.
#[derive(Debug, Clone)]
pub(super) struct Limiter {
    limit: RateLimit,
    full_at: Duration,
}

impl Limiter {
    /// Takes a request out of the bucket, or says that there is none left.
    pub(super) fn refuse(
        &mut self,
        request: &Request,
        start: Timestamp,
        shapes: &Shapes,
    ) -> Option<Answer> {
        let method = self.limit.applies_to.as_deref();
        if method.is_some_and(|method| !method.eq_ignore_ascii_case(&request.method)) {
            return None;
        }
        let pace = Duration::from_secs(1) / self.limit.per_second.max(1);
        let full_at = self.full_at.max(request.at).saturating_add(pace);
        let ready_at = full_at.saturating_sub(pace.saturating_mul(self.limit.burst));
        if ready_at <= request.at {
            self.full_at = full_at;
            return None;
        }
        let mut answer = shapes.error(429, "too_many_requests", "Too many requests were sent.");
        let value = match self.limit.retry_after {
            RetryAfter::Seconds => Some(whole(ready_at.saturating_sub(request.at)).to_string()),
            RetryAfter::Date => date(start, ready_at),
            RetryAfter::None => None,
        };
        answer.headers.extend(value.map(|value| ("retry-after", value)));
        Some(answer)
    }
}

impl World {
    /// Sets a rate limit with a full bucket, or takes it away.
    pub fn set_rate_limit(&mut self, limit: Option<RateLimit>) {
        self.limiter = limit.map(|limit| Limiter { limit, full_at: Duration::ZERO });
    }

    /// The date of the world's time zero; 1970 where none is set.
    pub fn set_start(&mut self, start: Timestamp) {
        self.start = start;
    }
}

/// Seconds, never too few.
fn whole(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The first full second of the calendar that is not too early.
fn date(start: Timestamp, ready_at: Duration) -> Option<String> {
    let ready = start.checked_add(SignedDuration::try_from(ready_at).ok()?).ok()?;
    let second = ready.as_second() + i64::from(ready.subsec_nanosecond() > 0);
    let ready = Timestamp::from_second(second).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&ready).ok()
}

#[cfg(test)]
mod tests {
    use super::super::fault::Fault;
    use super::*;

    const PRESENCE: &str = "/uapi/extensions/@me/@self/presence";

    fn world(limit: RateLimit) -> World {
        let mut world = World::new("a slow PBX", "t");
        world.set_rate_limit(Some(limit));
        world
    }

    /// Two requests at once, then two a second.
    fn limit() -> RateLimit {
        RateLimit { per_second: 2, burst: 2, retry_after: RetryAfter::Seconds, applies_to: None }
    }

    fn ask(world: &mut World, method: &str, at_ms: u64) -> Answer {
        let at = Duration::from_millis(at_ms);
        world.answer(&Request { at, ..Request::new(method, PRESENCE).bearing("t") })
    }

    fn wait(answer: &Answer) -> Option<&str> {
        let header = answer.headers.iter().find(|(name, _)| *name == "retry-after");
        header.map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_burst_passes_and_then_the_pace_counts() {
        let mut world = world(limit());
        let statuses: Vec<u16> = [0, 0, 0, 499, 500, 500, 5000, 5000, 5000]
            .into_iter()
            .map(|at| ask(&mut world, "GET", at).status)
            .collect();
        assert_eq!(statuses, [204, 204, 429, 429, 204, 429, 204, 204, 429]);
        world.set_rate_limit(None);
        assert_eq!(ask(&mut world, "GET", 5000).status, 204);
    }

    #[test]
    fn the_refusal_has_the_service_s_shape_and_says_how_long_to_wait() {
        let mut world = world(RateLimit { per_second: 1, burst: 1, ..limit() });
        ask(&mut world, "GET", 0);
        let answer = ask(&mut world, "GET", 1);
        assert!(String::from_utf8_lossy(&answer.body).contains("\"too_many_requests\""));
        assert_eq!(wait(&answer), Some("1"));
    }

    #[test]
    fn a_date_is_never_too_early_and_none_says_nothing() {
        let limit = RateLimit { per_second: 1, burst: 1, ..limit() };
        let mut dated = world(RateLimit { retry_after: RetryAfter::Date, ..limit.clone() });
        dated.set_start(Timestamp::from_second(1_700_000_000).unwrap());
        ask(&mut dated, "GET", 100);
        let answer = ask(&mut dated, "GET", 200);
        assert_eq!(wait(&answer), Some("Tue, 14 Nov 2023 22:13:22 GMT"));
        let mut silent = world(RateLimit { retry_after: RetryAfter::None, ..limit });
        ask(&mut silent, "GET", 0);
        let answer = ask(&mut silent, "GET", 0);
        assert_eq!((answer.status, wait(&answer)), (429, None));
    }

    #[test]
    fn it_may_be_for_one_method_alone() {
        let only = Some("delete".to_owned());
        let mut world = world(RateLimit { burst: 1, applies_to: only, ..limit() });
        for _ in 0..5 {
            assert_eq!(ask(&mut world, "GET", 0).status, 204);
        }
        assert_ne!(ask(&mut world, "DELETE", 0).status, 429);
        assert_eq!(ask(&mut world, "DELETE", 0).status, 429);
    }

    #[test]
    fn what_is_over_the_limit_reaches_neither_a_fault_nor_the_service() {
        let mut world = world(RateLimit { burst: 1, ..limit() });
        world.add_fault(Fault { nth: Some(2), status: Some(503), ..Fault::default() });
        assert_eq!(ask(&mut world, "GET", 0).status, 204);
        assert_eq!(ask(&mut world, "GET", 0).status, 429);
        assert_eq!(ask(&mut world, "GET", 1000).status, 503);
    }
}
