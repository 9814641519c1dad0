//! How many requests a second a service takes that refuses what is over its limit (429): the pace
//! that held and the pace that did not close in on the limit from both sides.

use std::time::Duration;

/// As long as a request may be late and be made up for: clocks that wake a program are coarse.
const SLACK: Duration = Duration::from_millis(4);
/// How long a pace has to hold to be one that holds, at first and at last: each refusal makes the
/// search twice as patient.
const FIRST_TRIAL: Duration = Duration::from_millis(250);
const LONGEST_TRIAL: Duration = Duration::from_secs(16);

/// The time between two requests, once something was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rate {
    interval: Option<Duration>,
    /// The shortest interval that held, and the longest that did not.
    held: Option<Duration>,
    too_short: Option<Duration>,
    /// The earliest time for the next request.
    next: Duration,
    /// Since when the interval is on trial, and for how long.
    tried_since: Duration,
    trial: Duration,
    /// When something was refused last, or the first request went out, and what was accepted since.
    refused: Option<Duration>,
    accepted: u32,
}

impl Rate {
    pub(super) fn new() -> Self {
        Self {
            interval: None,
            held: None,
            too_short: None,
            next: Duration::ZERO,
            tried_since: Duration::ZERO,
            trial: FIRST_TRIAL,
            refused: None,
            accepted: 0,
        }
    }

    /// The earliest time for the next request.
    pub(super) fn ready_at(&self) -> Duration {
        self.next
    }

    /// A request goes out.
    pub(super) fn sent(&mut self, now: Duration) {
        self.refused.get_or_insert(now);
        if let Some(interval) = self.interval {
            self.next = self.next.max(now.saturating_sub(SLACK)).saturating_add(interval);
        }
    }

    /// A request was accepted.
    pub(super) fn went_well(&mut self, now: Duration) {
        self.accepted = self.accepted.saturating_add(1);
        let Some(interval) = self.interval else { return };
        if now.saturating_sub(self.tried_since) < self.trial {
            return;
        }
        self.held = Some(interval);
        self.tried_since = now;
        match self.too_short {
            None => self.interval = Some(interval / 2),
            Some(too_short) if interval > too_short.mul_f64(1.04) => {
                self.interval = Some(middle(interval, too_short));
            }
            // Limits change: now and then a little more is tried.
            Some(too_short) => self.too_short = Some(too_short.mul_f64(0.9)),
        }
    }

    /// A request was refused for being one too many; the next one goes at `resumes`.
    pub(super) fn was_too_fast(&mut self, now: Duration, resumes: Duration) {
        let accepted = self.accepted.max(1);
        // What is let through between two refusals is what the limit lets through, but for what a
        // pause has saved up at first or lost since.
        let whole = now.saturating_sub(self.refused.unwrap_or(now)) / accepted;
        let held = self.held.take();
        let interval = match self.interval {
            None => whole * 2,
            Some(interval) => {
                self.too_short = Some(interval);
                match held {
                    Some(held) if held > interval => {
                        self.held = Some(held);
                        held
                    }
                    Some(_) | None => whole.max(interval.mul_f64(1.05)),
                }
            }
        };
        self.interval = Some(interval);
        self.trial = (self.trial * 2).min(LONGEST_TRIAL);
        (self.next, self.tried_since) = (resumes, resumes);
        (self.refused, self.accepted) = (Some(now), 0);
    }
}

/// The geometric middle.
fn middle(a: Duration, b: Duration) -> Duration {
    Duration::from_secs_f64((a.as_secs_f64() * b.as_secs_f64()).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_the_program_was_open_before_is_no_sign_of_a_limit() {
        let ready = |opened: Duration| {
            let at = |millis| opened + Duration::from_millis(millis);
            let mut rate = Rate::new();
            rate.sent(at(0));
            rate.went_well(at(20));
            rate.sent(at(21));
            rate.was_too_fast(at(40), at(90));
            rate.sent(at(90));
            rate.ready_at().saturating_sub(opened)
        };
        assert_eq!(ready(Duration::from_secs(3_600)), ready(Duration::ZERO));
    }
}
