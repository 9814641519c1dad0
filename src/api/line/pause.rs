//! The pause that an answer asks for, as a length of time, never longer than [`LONGEST`], whatever
//! a service or proxy writes; and the one clock by which everything that a client sends keeps it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// Longest pause that is believed.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Until when the service wants to be left alone.
#[derive(Debug, Default)]
pub(super) struct Pause(Mutex<Duration>);

impl Pause {
    /// The service asked for so long a pause.
    pub(super) fn begin(&self, asked: Duration, now: Duration) {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(now.saturating_add(asked));
    }

    /// What is left of it.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.checked_sub(now).filter(|left| !left.is_zero())
    }
}

/// What `Retry-After` says (RFC 9110, 10.2.3), in seconds or as a date. A date is measured from
/// the answer's own where it has one, since two clocks seldom agree; one that is over is no pause.
pub(super) fn asked_for(headers: &HeaderMap, today: fn() -> SystemTime) -> Option<Duration> {
    let text = |name: &HeaderName| Some(headers.get(name)?.to_str().ok()?.trim());
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let asked = text(&RETRY_AFTER)?;
    let pause = if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only a number beyond all bounds does not parse.
        asked.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let from = text(&DATE).and_then(date).unwrap_or_else(today);
        date(asked)?.duration_since(from).unwrap_or_default()
    };
    Some(pause.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "Sun, 06 Nov 1994 12:00:00 GMT";

    /// Half past eleven of the same day.
    fn today() -> SystemTime {
        httpdate::parse_http_date("Sun, 06 Nov 1994 11:30:00 GMT").unwrap()
    }

    fn pause(asked: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::from_iter([(RETRY_AFTER, asked.parse().unwrap())]);
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        asked_for(&headers, today).map(|pause| pause.as_secs())
    }

    #[test]
    fn seconds_are_taken_as_they_are_up_to_an_hour() {
        assert_eq!(pause("0", None), Some(0));
        assert_eq!(pause(" 120 ", Some(NOON)), Some(120));
        assert_eq!(pause("3601", None), Some(3600));
        assert_eq!(pause("99999999999999999999999", None), Some(3600));
    }

    #[test]
    fn a_date_is_measured_from_the_answers_own_date_else_from_the_clock() {
        assert_eq!(pause("Sun, 06 Nov 1994 12:00:30 GMT", Some(NOON)), Some(30));
        assert_eq!(pause(NOON, None), Some(1800));
        assert_eq!(pause(NOON, Some("soon")), Some(1800));
        assert_eq!(pause("Mon, 07 Nov 1994 12:00:00 GMT", Some(NOON)), Some(3600));
    }

    #[test]
    fn a_date_in_the_past_is_no_pause() {
        assert_eq!(pause("Sun, 06 Nov 1994 11:59:59 GMT", Some(NOON)), Some(0));
        assert_eq!(pause("Thu, 01 Jan 1970 00:00:00 GMT", None), Some(0));
    }

    #[test]
    fn what_is_neither_seconds_nor_a_date_asks_for_nothing() {
        for asked in ["", "soon", "-1", "1.5", "120 s", "1994-11-06T12:00:00Z"] {
            assert_eq!(pause(asked, Some(NOON)), None, "{asked}");
        }
        assert_eq!(asked_for(&HeaderMap::new(), today), None);
    }
}
