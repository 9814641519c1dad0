//! Trouble with the PBX: nothing is asked until a wait is over, then one question at a time until
//! one is answered. Refusals are no trouble: the PBX answers.

use std::time::Duration;

use crate::domain::{Cause, Failure};

use super::status::whole_seconds;

/// The first wait where the service asks for none, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// The same where only a part of the sources is in trouble: meanwhile there is something to work with.
const FIRST_OF_PART: Duration = Duration::from_secs(10);
const LONGEST_OF_PART: Duration = Duration::from_secs(300);

/// How many questions may be out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// As many requests as usual.
    All,
    /// One request, to see whether the PBX answers again.
    One,
    /// No request.
    Stopped,
}

/// What is wrong, and when it is tried again.
#[derive(Debug, Default)]
pub(super) struct Outage {
    now: Option<Trouble>,
    /// The extensions are to be asked for again, too.
    pub(super) of_discovery: bool,
    missing: Option<Missing>,
}

/// Extensions may be missing, as not every source could say what it knows.
#[derive(Debug)]
struct Missing {
    why: Failure,
    /// When all sources are asked again.
    at: Duration,
    rounds: u32,
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

    /// All sources said what they know of extensions, or some of them were in trouble.
    pub(super) fn found(&mut self, trouble: Option<Failure>, now: Duration) {
        let rounds = self.missing.take().map_or(0, |missing| missing.rounds);
        self.missing = trouble.map(|why| {
            let wait = FIRST_OF_PART.saturating_mul(1 << rounds.min(5)).min(LONGEST_OF_PART);
            let wait = why.retry_after.map_or(wait, |asked| asked.max(wait));
            Missing { why, at: now.saturating_add(wait), rounds: rounds.saturating_add(1) }
        });
    }

    /// Whether extensions may be missing.
    pub(super) fn misses(&self) -> bool {
        self.missing.is_some()
    }

    /// Whether the extensions are to be asked for again now.
    pub(super) fn is_discovery_due(&self, now: Duration) -> bool {
        let part = self.missing.as_ref().is_some_and(|missing| missing.at <= now);
        (self.of_discovery || part) && self.flow(now) != Flow::Stopped
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

    /// When a countdown shows another figure, or a wait is over.
    pub(super) fn changes_at(&self, now: Duration) -> Option<Duration> {
        let missing = self.missing.as_ref().and_then(|missing| missing.at.checked_sub(now));
        let waits = [self.waits(now).map(|(left, _)| left), missing].into_iter().flatten();
        let left = waits.filter(|left| !left.is_zero());
        let rest = |left| {
            let whole = Duration::from_secs(whole_seconds(left) - 1);
            now.saturating_add(left.saturating_sub(whole))
        };
        left.map(rest).min()
    }

    /// What is said of extensions that may be missing.
    pub(super) fn words_of_missing(&self, now: Duration) -> Option<String> {
        let Missing { why, at, .. } = self.missing.as_ref()?;
        let again = match whole_seconds(at.saturating_sub(now)) {
            0 => "asking again".to_owned(),
            seconds => format!("asking again in {seconds} s"),
        };
        Some(format!("extensions may be missing, {again}: {}", why.without_remedy()))
    }

    /// What is said of the wait.
    pub(super) fn words(&self, now: Duration) -> Option<String> {
        let (left, why) = self.waits(now)?;
        let seconds = whole_seconds(left);
        Some(match why.cause {
            _ if why.is_of_budget() => Failure::words_of_wait(left),
            Cause::Withheld => format!("waiting {seconds} s, as the PBX asked for a pause"),
            Cause::Rejected
            | Cause::Renewed
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

    #[test]
    fn sources_in_trouble_are_asked_again_less_and_less_often_and_it_is_said_meanwhile() {
        let mut outage = Outage::default();
        let mut now = seconds(0);
        for wait in [10, 20, 40, 80, 160, 300, 300] {
            outage.found(Some(dead()), now);
            let words = outage.words_of_missing(now).unwrap();
            let begin = format!("extensions may be missing, asking again in {wait} s: ");
            assert!(words.starts_with(&begin), "{words}");
            assert_eq!(outage.changes_at(now), Some(now + seconds(1)));
            assert!(!outage.is_discovery_due(now + seconds(wait - 1)));
            now += seconds(wait);
            assert!(outage.is_discovery_due(now));
            assert_eq!(outage.changes_at(now), None, "it is asked, not waited for");
        }
        outage.found(None, now);
        assert!(!outage.misses() && !outage.is_discovery_due(now + seconds(900)));
    }

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
