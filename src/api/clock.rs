//! The one place where requests read the time.

use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};

/// The clock, for the durations in the trace.
#[expect(clippy::disallowed_methods, reason = "how long a request took can be known here only")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// The time since the machine started, in which it may have slept: an [`Instant`] does not count that
/// everywhere.
pub(super) fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// The date in milliseconds since 1970, for what processes tell each other.
pub(super) fn millis() -> u64 {
    let since = today().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The date, for pauses that are asked for by their end.
#[expect(clippy::disallowed_methods, reason = "an answer without a date has come just now")]
pub(super) fn today() -> SystemTime {
    SystemTime::now()
}
