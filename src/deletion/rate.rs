//! How many requests a second a service takes that refuses what is over its limit (429): found out
//! by being refused a few times, then kept just below.

use std::time::Duration;

/// As long as a request may be late and be made up for: clocks that wake a program are coarse.
const SLACK: Duration = Duration::from_millis(5);
/// How long the fastest pace that held is kept before a faster one is tried.
const KEPT: Duration = Duration::from_secs(15);

/// The time between two requests, once there is a limit to keep.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rate {
    /// None while nothing was refused.
    held: Option<Held>,
    /// When something was refused last, from when on requests went again, and those that were
    /// accepted since.
    refused: Duration,
    resumed: Duration,
    accepted: u32,
}

#[derive(Debug, PartialEq, Eq)]
struct Held {
    interval: Duration,
    /// The interval that was too short.
    too_short: Duration,
    next: Duration,
}

impl Rate {
    /// The earliest time for the next request.
    pub(super) fn ready_at(&self) -> Duration {
        self.held.as_ref().map_or(Duration::ZERO, |held| held.next)
    }

    /// A request goes out.
    pub(super) fn sent(&mut self, now: Duration) {
        if let Some(held) = &mut self.held {
            held.next = held.next.max(now.saturating_sub(SLACK)).saturating_add(held.interval);
        }
    }

    /// A request was accepted.
    pub(super) fn went_well(&mut self, now: Duration) {
        self.accepted = self.accepted.saturating_add(1);
        let Some(held) = &mut self.held else { return };
        // Quickly up to where it was too fast, and beyond that only after a good while.
        let near = held.too_short + held.too_short / 20;
        if held.interval > near {
            held.interval = held.interval.mul_f64(0.98).max(near);
        } else if now.saturating_sub(self.resumed) > KEPT {
            held.interval = held.interval.mul_f64(0.9995);
        }
    }

    /// A request was refused for being one too many; the next one goes at `resumes`.
    pub(super) fn was_too_fast(&mut self, now: Duration, resumes: Duration) {
        let accepted = self.accepted.max(1);
        // What a limit lets through in the time between two refusals is what it lets through.
        let whole = now.saturating_sub(self.refused) / accepted;
        let sending = now.saturating_sub(self.resumed) / accepted;
        let waited = self.resumed.saturating_sub(self.refused);
        let interval = match &self.held {
            // At first nobody knows how much was saved up.
            None => sending * 2,
            Some(_) if waited < now.saturating_sub(self.resumed) => whole,
            // Between the two is the truth: a pause may have saved requests up, or lost them.
            Some(held) => middle(held.interval, whole),
        };
        let too_short = self.held.as_ref().map_or(sending, |held| held.interval);
        self.held = Some(Held { interval, too_short, next: resumes });
        (self.refused, self.resumed, self.accepted) = (now, resumes, 0);
    }
}

/// The geometric middle.
fn middle(a: Duration, b: Duration) -> Duration {
    Duration::from_secs_f64((a.as_secs_f64() * b.as_secs_f64()).sqrt())
}
