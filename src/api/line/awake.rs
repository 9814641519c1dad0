//! How long an answer is awaited, in time that this program was awake: while it is suspended, or
//! the machine sleeps, nobody can answer it.

use std::pin::pin;
use std::time::Duration;

/// How often is looked whether the program stood still.
const LOOK: Duration = Duration::from_millis(250);
/// Nothing wakes so late but a program that stood still.
const LATE: Duration = Duration::from_secs(1);

/// How long may still be waited, in time that the program is awake.
pub(super) struct Wait<C> {
    left: Duration,
    /// Shows the time, also of when the program stood still.
    clock: C,
    /// How long the program stood still so far, which is no part of the wait.
    pub(super) asleep: Duration,
}

impl<C: Fn() -> Duration + Send> Wait<C> {
    pub(super) fn new(most: Duration, clock: C) -> Self {
        Self { left: most, clock, asleep: Duration::ZERO }
    }

    /// Waits for one part of an answer; `None` where it did not come in time.
    pub(super) async fn wait<T>(&mut self, part: impl Future<Output = T> + Send) -> Option<T> {
        let mut part = pin!(part);
        let (least, mut last) = (self.left.min(LOOK), (self.clock)());
        loop {
            let step = self.left.min(LOOK);
            let answered = tokio::time::timeout(step, &mut part).await.ok();
            let now = (self.clock)();
            let passed = now.saturating_sub(last);
            last = now;
            if passed > step.saturating_add(LATE) {
                self.asleep = self.asleep.saturating_add(passed);
                // What came meanwhile is still to be read.
                self.left = self.left.max(least);
            } else {
                let passed = if answered.is_some() { passed } else { passed.max(step) };
                self.left = self.left.saturating_sub(passed);
            }
            if answered.is_some() || self.left.is_zero() {
                return answered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Mutex;

    use super::*;

    /// A wait of 20 ms on a clock that shows these times, one each time it is looked at.
    fn waited<T>(answer: impl Future<Output = T> + Send, millis: &[u64]) -> (Option<T>, u64) {
        let times = Mutex::new(millis.iter());
        let clock = || Duration::from_millis(*times.lock().unwrap().next().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut wait = Wait::new(Duration::from_millis(20), clock);
        let answer = runtime.block_on(wait.wait(answer));
        let asleep = wait.asleep;
        assert_eq!(times.lock().unwrap().next(), None, "it ended too early");
        (answer, u64::try_from(asleep.as_millis()).unwrap())
    }

    #[test]
    fn time_asleep_is_no_part_of_the_wait() {
        assert_eq!(waited(pending::<()>(), &[0, 20]), (None, 0));
        assert_eq!(waited(pending::<()>(), &[0, 60_000, 60_020]), (None, 60_000));
        let (answer, asleep) = waited(pending::<()>(), &[0, 60_000, 120_000, 120_020]);
        assert_eq!((answer, asleep), (None, 120_000));
    }

    #[test]
    fn a_busy_machine_is_not_asleep() {
        assert_eq!(waited(pending::<()>(), &[0, 900]), (None, 0));
    }

    #[test]
    fn an_answer_is_told_with_the_time_that_the_program_stood_still_before_it() {
        assert_eq!(waited(ready(7), &[0, 1]), (Some(7), 0));
        assert_eq!(waited(ready(7), &[0, 5_000]), (Some(7), 5_000));
    }
}
