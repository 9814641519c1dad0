//! The one place where requests read the time.

use std::time::{Instant, SystemTime};

/// The clock, for the durations in the trace.
#[expect(clippy::disallowed_methods, reason = "how long a request took can be known here only")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// The date, for pauses that are asked for by their end.
#[expect(clippy::disallowed_methods, reason = "an answer without a date has come just now")]
pub(super) fn today() -> SystemTime {
    SystemTime::now()
}
