//! Trouble with the PBX: nothing is asked until a wait is over, then one question at a time until
//! one is answered. Refusals are no trouble: the PBX answers.

use std::time::Duration;

use crate::domain::{Cause, Failure};

use super::status::whole_seconds;

/// The first wait where the service asks for none, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// How many questions may be out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// As many as ever.
    All,
    /// One, to see whether the PBX answers again.
    One,
    /// None.
    Stopped,
}

/// What is wrong, and when it is tried again.
#[derive(Debug, Default)]
pub(super) struct Outage {
    now: Option<Trouble>,
    /// The extensions are to be asked for again, too.
    pub(super) of_discovery: bool,
}

#[derive(Debug)]
struct Trouble {
    why: Failure,
    until: Duration,
    /// Waits so far.
    rounds: u32,
}

impl Outage {
    /// Takes in a failure that may pass.
    pub(super) fn met(&mut self, failure: &Failure, now: Duration) {
        let before = self.now.take();
        // Many that fail at once are one sign of trouble.
        let is_news = before.as_ref().is_none_or(|trouble| trouble.until <= now);
        let rounds = before.as_ref().map_or(0, |trouble| trouble.rounds);
        let wait = match failure.retry_after {
            Some(asked) => asked,
            None if is_news => FIRST.saturating_mul(1 << rounds.min(5)).min(LONGEST),
            None => Duration::ZERO,
        };
        let until = now.saturating_add(wait);
        let longer = before.filter(|trouble| trouble.until >= until);
        let (until, why) =
            longer.map_or((until, failure.clone()), |trouble| (trouble.until, trouble.why));
        let grown = is_news && !failure.has_no_room();
        self.now = Some(Trouble { why, until, rounds: rounds.saturating_add(grown.into()) });
    }

    /// The PBX answered.
    pub(super) fn is_over(&mut self) {
        self.now = None;
    }

    /// Ends a wait that the PBX did not ask for, as the operator wants it.
    pub(super) fn cut_short(&mut self, now: Duration) {
        if let Some(trouble) = &mut self.now {
            trouble.until = trouble.until.min(now);
        }
    }

    /// What may be asked now.
    pub(super) fn flow(&self, now: Duration) -> Flow {
        match &self.now {
            None => Flow::All,
            Some(trouble) if trouble.until <= now => Flow::One,
            Some(_) => Flow::Stopped,
        }
    }

    /// How long nothing is asked, and why.
    pub(super) fn waits(&self, now: Duration) -> Option<(Duration, &Failure)> {
        let trouble = self.now.as_ref()?;
        let left = trouble.until.checked_sub(now).filter(|left| !left.is_zero())?;
        Some((left, &trouble.why))
    }

    /// When the countdown shows another figure, or the wait is over.
    pub(super) fn changes_at(&self, now: Duration) -> Option<Duration> {
        let (left, _) = self.waits(now)?;
        let rest = left.saturating_sub(Duration::from_secs(whole_seconds(left) - 1));
        Some(now.saturating_add(rest))
    }

    /// What is said of the wait.
    pub(super) fn words(&self, now: Duration) -> Option<String> {
        let (left, why) = self.waits(now)?;
        let seconds = whole_seconds(left);
        Some(match why.cause {
            _ if why.is_of_budget() => Failure::words_of_wait(left),
            Cause::Withheld => format!("waiting {seconds} s, as the PBX asked for a pause"),
            Cause::Rejected
            | Cause::ServiceFailed
            | Cause::Unreachable
            | Cause::NoAnswer
            | Cause::Asleep
            | Cause::Locked
            | Cause::Unwritten
            | Cause::NoToken
            | Cause::Simulated
            | Cause::Untrusted
            | Cause::Blocked
            | Cause::Redirected
            | Cause::Unreadable => format!("waiting {seconds} s, then asking again: {why}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn dead() -> Failure {
        Failure::new(Cause::NoAnswer, "no answer")
    }

    #[test]
    fn waits_grow_and_many_that_fail_at_once_are_one_sign() {
        let mut outage = Outage::default();
        let mut now = seconds(10);
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            outage.met(&dead(), now);
            outage.met(&dead(), now);
            assert_eq!(outage.waits(now).unwrap().0, seconds(wait));
            assert_eq!(outage.flow(now), Flow::Stopped);
            now += seconds(wait);
            assert_eq!((outage.flow(now), outage.waits(now)), (Flow::One, None));
        }
        outage.is_over();
        assert_eq!(outage.flow(now), Flow::All);
        outage.met(&dead(), now);
        assert_eq!(outage.waits(now).unwrap().0, seconds(1));
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept_to_its_end_whatever_fails_meanwhile() {
        let mut outage = Outage::default();
        let busy = Failure { retry_after: Some(seconds(6)), ..dead() };
        outage.met(&busy, seconds(0));
        outage.met(&dead(), seconds(1));
        assert_eq!(outage.waits(seconds(1)).unwrap().0, seconds(5));
        assert_eq!(outage.changes_at(seconds(1)), Some(seconds(2)));
        assert_eq!(outage.changes_at(Duration::from_millis(1_500)), Some(seconds(2)));
    }
}
