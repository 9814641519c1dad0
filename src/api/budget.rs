//! How many questions may fail: never as many as make an address blocker strike.
//!
//! The vendor's optional one counts failing GET, POST and HEAD requests of an address and, at
//! [`THEIR_LIMIT`] within a minute, blocks it for an hour, for phones too. What has failed within
//! that time and what could still fail stay together below that number, whatever the service does.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::clock::now;
use crate::domain::{Cause, Failure};

/// Failing requests within a minute that make the blocker strike.
#[cfg(test)]
const THEIR_LIMIT: usize = 20;
/// Failed and unanswered questions at any time. The rest is for what this program does not see: a
/// browser beside it, or its own start a moment ago.
const AT_MOST: usize = 16;
/// Failures after which nothing is asked until some of them are forgotten.
const ENOUGH: usize = 10;
/// How long a failure counts: the blocker's minute, and a little for clocks that differ.
const REMEMBERED: Duration = Duration::from_secs(65);

/// What failed lately and what is under way, for all that one client asks.
#[derive(Debug, Default)]
pub(super) struct Budget {
    spent: Mutex<Spent>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Spent {
    failed: VecDeque<Instant>,
    unanswered: usize,
}

/// The right to ask one question. A question that is given up counts as failed: the service may
/// note it as one.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    answered_well: bool,
}

/// What [`Spent`] says to one more question.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Ask,
    /// Once one under way is answered.
    Wait,
    /// Not before this much time has passed.
    Refused(Duration),
}

impl Budget {
    /// Waits until one more question can do no harm.
    ///
    /// # Errors
    /// Withholds it when too many have failed lately, with the time to wait.
    pub(super) async fn admit(&self) -> Result<Permit<'_>, Failure> {
        loop {
            let changed = self.changed.notified();
            let verdict = self.spent().admit(now());
            match verdict {
                Verdict::Ask => return Ok(Permit { budget: self, answered_well: false }),
                Verdict::Wait => changed.await,
                Verdict::Refused(wait) => return Err(too_many(wait)),
            }
        }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The answer is none that a blocker counts, or none came about that a service could note.
    pub(super) fn answered_well(mut self) {
        self.answered_well = true;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut spent = self.budget.spent();
        spent.unanswered = spent.unanswered.saturating_sub(1);
        if !self.answered_well {
            spent.failed.push_back(now());
        }
        drop(spent);
        self.budget.changed.notify_waiters();
    }
}

impl Spent {
    fn admit(&mut self, now: Instant) -> Verdict {
        let forgotten = |at: &Instant| now.saturating_duration_since(*at) >= REMEMBERED;
        while self.failed.front().is_some_and(forgotten) {
            self.failed.pop_front();
        }
        match self.failed.front() {
            Some(oldest) if self.failed.len() >= ENOUGH => {
                Verdict::Refused(REMEMBERED.saturating_sub(now.saturating_duration_since(*oldest)))
            }
            _ if self.failed.len() + self.unanswered >= AT_MOST => Verdict::Wait,
            _ => {
                self.unanswered += 1;
                Verdict::Ask
            }
        }
    }
}

fn too_many(wait: Duration) -> Failure {
    let seconds = wait.as_secs() + 1;
    let why = format!(
        "not asked: {ENOUGH} requests failed within a minute, and a PBX may block this address \
         and its phones for more; mend what failed, then ask again in {seconds} s"
    );
    Failure { retry_after: Some(wait), ..Failure::new(Cause::Withheld, why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_refuses_everything_is_asked_ten_times_a_minute() {
        let start = now();
        let mut spent = Spent::default();
        for _ in 0..ENOUGH {
            assert_eq!(spent.admit(start), Verdict::Ask);
            spent.unanswered -= 1;
            spent.failed.push_back(start);
        }
        assert_eq!(spent.admit(start), Verdict::Refused(REMEMBERED));
        let later = start + Duration::from_secs(60);
        assert_eq!(spent.admit(later), Verdict::Refused(Duration::from_secs(5)));
        assert_eq!(spent.admit(start + REMEMBERED), Verdict::Ask);
    }

    #[test]
    fn what_is_under_way_may_fail_all_at_once_without_reaching_the_blockers_limit() {
        let start = now();
        let mut spent = Spent::default();
        spent.failed.extend([start; ENOUGH - 1]);
        while spent.admit(start) == Verdict::Ask {}
        assert_eq!(spent.admit(start), Verdict::Wait);
        assert!(spent.failed.len() + spent.unanswered < THEIR_LIMIT);
        assert!(spent.unanswered > 0, "somebody may still ask");
    }

    /// Nothing here waits for the network, nor for time.
    fn at_once<T>(question: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(question)
    }

    #[test]
    fn an_answer_frees_its_place_and_a_question_given_up_does_not() {
        let budget = Budget::default();
        let ask = || at_once(budget.admit()).unwrap();
        let mut permits: Vec<_> = (0..AT_MOST).map(|_| ask()).collect();
        permits.pop().unwrap().answered_well();
        drop(ask());
        let spent = budget.spent();
        assert_eq!((spent.failed.len(), spent.unanswered), (1, AT_MOST - 1));
        drop(spent);
    }

    #[test]
    fn whoever_waits_is_admitted_when_another_is_answered() {
        let budget = Budget::default();
        let mut permits: Vec<_> = (0..AT_MOST).map(|_| at_once(budget.admit()).unwrap()).collect();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| at_once(budget.admit()).map(Permit::answered_well));
            permits.pop().unwrap().answered_well();
            assert!(waiting.join().unwrap().is_ok());
        });
    }

    #[test]
    fn the_refusal_says_why_and_for_how_long() {
        let budget = Budget::default();
        (0..ENOUGH).for_each(|_| drop(at_once(budget.admit()).unwrap()));
        let failure = at_once(budget.admit()).unwrap_err();
        assert!(failure.has_no_room(), "a run waits for it");
        let message = failure.to_string();
        assert!(message.contains("10 requests failed within a minute"), "{message}");
        assert!(message.contains("ask again in 65 s"), "{message}");
    }
}
