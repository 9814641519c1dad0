//! What the Status and Calls panels hold, and the line for the operator.

use std::collections::VecDeque;
use std::time::Duration;

use crate::change::{EarlierEvent, Reply, RunCall};
use crate::domain::{Call, Cause, Exchange, Mask, Outcome, PhoneCallEvent};

use super::Moment;

/// Lines and calls kept; older ones are forgotten.
const KEPT: usize = 1_000;

/// How much a line asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// For the record.
    Plain,
    /// Something was done as asked.
    Good,
    /// Something did not work or needs care.
    Warning,
}

/// One line of the Status panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Local time of day.
    pub time: jiff::civil::Time,
    /// How it is shown.
    pub tone: Tone,
    /// What happened.
    pub text: String,
}

/// One sentence at the bottom, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How it is shown.
    pub tone: Tone,
    /// What to know.
    pub text: String,
}

impl LogLine {
    /// The time of day and what happened.
    pub fn words(&self, mask: &Mask) -> String {
        let time = self.time;
        let clock = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        format!("{clock} {}", mask.text(&self.text))
    }
}

/// The newest lines first.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: VecDeque<LogLine>,
    /// How many there have ever been.
    added: usize,
}

impl Log {
    pub(super) fn add(&mut self, now: &Moment, tone: Tone, text: impl Into<String>) {
        self.lines.push_front(LogLine { time: now.local.time(), tone, text: text.into() });
        self.lines.truncate(KEPT);
        self.added += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn line(&self, index: usize) -> Option<&LogLine> {
        self.lines.get(index)
    }

    /// How many there have ever been.
    pub(super) fn added(&self) -> usize {
        self.added
    }

    /// The lines behind so many of all, oldest first, as far as they are kept.
    pub(super) fn since(&self, seen: usize) -> impl Iterator<Item = &LogLine> {
        self.lines.iter().take(self.added.saturating_sub(seen)).rev()
    }
}

/// Every HTTP request of the program, the newest first.
#[derive(Debug, Default)]
pub struct Calls(VecDeque<Exchange>);

impl Calls {
    pub(super) fn add(&mut self, exchanges: Vec<Exchange>) {
        for exchange in exchanges {
            self.0.push_front(exchange);
        }
        self.0.truncate(KEPT);
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True before the first request.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls from this place on.
    pub fn from(&self, first: usize) -> impl Iterator<Item = &Exchange> {
        self.0.iter().skip(first)
    }
}

/// One row of the Status panel: a call of the run, failures first, then a line of the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StatusRow<'a> {
    /// A settled call of the run on screen.
    Call(usize),
    /// An event of it for which no call went out, by its place in the plan.
    Unsent(usize),
    /// An event of a run of before.
    Earlier(&'a EarlierEvent),
    /// A line of the log.
    Log(&'a LogLine),
}

/// The ids that a settled call tells of: those that came back, or an event's old and new one.
pub fn ids_told(call: &RunCall, outcomes: &[Option<Outcome>], reply: &Reply) -> Vec<String> {
    match call.call() {
        Call::Delete(_) => reply.returned.iter().map(ToString::to_string).collect(),
        Call::Create(PhoneCallEvent { key, .. }) | Call::Update(key, _) => {
            let new = outcomes.iter().flatten().find_map(Outcome::new_id);
            let new = new.map(|id| format!("→ {id}"));
            let altered = outcomes.iter().flatten().find_map(Outcome::altered);
            let differs = altered.map(|fields| format!("differs: {}", fields.join(", ")));
            [key.id.to_string()].into_iter().chain(new).chain(differs).collect()
        }
    }
}

/// The outcome of a call: one word where all its events agree, else the first that is not well.
pub fn outcome_word(outcomes: &[Option<Outcome>]) -> &'static str {
    let bad = outcomes.iter().flatten().find(|outcome| !is_well(outcome));
    match bad.or(outcomes.iter().flatten().next()) {
        Some(outcome) if is_simulated(outcome) => "would send",
        outcome => outcome.map_or("settled", Outcome::name),
    }
}

/// Whether the outcome is the one that was asked for.
pub fn is_well(outcome: &Outcome) -> bool {
    outcome.is_well() || is_simulated(outcome)
}

fn is_simulated(outcome: &Outcome) -> bool {
    outcome.failure().is_some_and(|failure| failure.cause == Cause::Simulated)
}

/// Whole seconds, rounded up.
pub fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// How many of something, in words: `1 call`, `2 calls`.
pub fn count_of(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
