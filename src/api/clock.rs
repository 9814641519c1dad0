//! The one place where requests read the time.

use std::sync::atomic::{AtomicU64, Ordering};
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

/// What a client goes by when it waits. A test may turn it, so that nobody waits.
#[derive(Debug)]
pub(super) struct Clock {
    speed: u32,
    /// Milliseconds that it was turned ahead.
    ahead: AtomicU64,
}

impl Clock {
    /// A clock by which pauses pass so many times as fast.
    pub(super) fn new(speed: u32) -> Self {
        Self { speed: speed.max(1), ahead: AtomicU64::new(0) }
    }

    /// The date in milliseconds since 1970, for what processes tell each other.
    pub(super) fn millis(&self) -> u64 {
        let since = today().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        millis.saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// The time since the machine started, as pauses pass.
    pub(super) fn pauses(&self) -> Duration {
        let ahead = Duration::from_millis(self.ahead.load(Ordering::Relaxed));
        since_boot().saturating_mul(self.speed).saturating_add(ahead)
    }

    /// Lets so much time pass at once.
    pub(super) fn turn(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead.fetch_add(by, Ordering::Relaxed);
    }
}

/// The date, for pauses that are asked for by their end.
#[expect(clippy::disallowed_methods, reason = "an answer without a date has come just now")]
pub(super) fn today() -> SystemTime {
    SystemTime::now()
}
