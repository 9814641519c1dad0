//! What was measured against what is to be reached, a row each.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

/// The rows so far: how many missed their limit.
#[derive(Default)]
pub(crate) struct Table {
    missed: usize,
    rows: usize,
}

impl Table {
    /// A figure that is to be at most so much.
    pub(crate) fn at_most<T: PartialOrd + Display + Copy>(
        &mut self,
        goal: &str,
        what: &str,
        is: T,
        most: T,
        unit: &str,
    ) {
        let is_met = is <= most;
        (self.rows, self.missed) = (self.rows + 1, self.missed + usize::from(!is_met));
        let word = if is_met { "met   " } else { "MISSED" };
        println!("{goal:<4} {word} {what}: {is:.2}{unit} (at most {most:.2}{unit})");
    }

    /// A time in milliseconds.
    pub(crate) fn time(&mut self, goal: &str, what: &str, is: Duration, most_ms: f64) {
        self.at_most(goal, what, is.as_secs_f64() * 1_000.0, most_ms, " ms");
    }

    /// A time of which the middle and the one that 95 of 100 stay below have their limits.
    pub(crate) fn times(
        &mut self,
        goal: &str,
        what: &str,
        times: Vec<Duration>,
        most_ms: [f64; 2],
    ) {
        let (median, late) = middle(times);
        self.time(goal, &format!("{what}, median"), median, most_ms[0]);
        self.time(goal, &format!("{what}, p95"), late, most_ms[1]);
    }

    /// A failure where one missed.
    pub(crate) fn verdict(&self) -> ExitCode {
        println!("{} of {} rows met", self.rows - self.missed, self.rows);
        if self.missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// The middle of these, and the one that 95 of 100 stay below.
pub(crate) fn middle(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 95 / 100])
}
