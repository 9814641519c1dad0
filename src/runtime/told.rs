//! What the log is told of the acts of a run: who said yes to what, what each answer was judged to
//! mean where that is not plain, what was waited for, and how it ended.

use std::time::Duration;

use crate::change::{Plan, RunCall, RunEnd, Settled};
use crate::domain::{EventKey, Failure, Outcome};
use crate::log::{self, Level, Why};

/// A plan was said yes to, and its run file is open or is not.
pub(super) fn opened(plan: &Plan, opened: &Result<String, Failure>) {
    let (verb, events, calls) = (plan.deed().verb(), plan.due_events(), plan.due().count());
    let (wide, hash) = (plan.wide_calls(), plan.hash().short());
    let what = format!("yes: {verb} {events} events with {calls} calls, {wide} wide, plan {hash}");
    match opened {
        Ok(run) => {
            let run = log::run_name(run);
            log::tell(Level::Info, format_args!("{what}, run {run}"), &plan.target().origin);
        }
        Err(why) => log::tell(Level::Warn, format_args!("{what}, no run: {}", Why(why)), why),
    }
}

/// What the answer to a call means for each event that it covers, where it is not what was asked for;
/// the rest is told on the way.
pub(super) fn settled(call: &RunCall, settled: &Settled) {
    for (event, outcome) in call.covered().iter().zip(&settled.outcomes) {
        let EventKey { extension, event_type, id } = &event.key;
        let (level, failure) = match outcome {
            Outcome::Done(..) => (Level::Debug, None),
            Outcome::AlreadyGone | Outcome::Altered { .. } => (Level::Info, None),
            Outcome::Refused(why) | Outcome::NotSent(why) | Outcome::Unknown(why) => {
                (Level::Warn, Some(why))
            }
        };
        if !log::takes(level) {
            continue;
        }
        let why = failure.map(|why| format!(": {}", Why(why))).unwrap_or_default();
        let (number, name) = (event_type.number(), outcome.name());
        let what = format!("judged {name}: type {number}, id {id}{why}");
        let words = failure.map(|failure| format!(", {failure}")).unwrap_or_default();
        log::tell(level, what, format_args!("extension {extension}{words}"));
    }
    let surplus = settled.reply.surplus.len();
    if surplus > 0 {
        log::tell(Level::Warn, format_args!("{surplus} ids came back that were not planned"), "");
    }
}

/// Nothing goes out before this time has passed.
pub(super) fn waits(time: Duration) {
    log::tell(Level::Info, format_args!("the run waits {} ms", time.as_millis()), "");
}

/// How a run ended, and whether its last lines are written.
pub(super) fn closed(end: &RunEnd, closed: &Result<(), Failure>) {
    let counts = end.tally.each().filter(|(_, count)| *count > 0);
    let counts: Vec<_> = counts.map(|(word, count)| format!("{count} {}", word.name())).collect();
    let (revised, surplus) = (end.revised.len(), end.surplus.len());
    let what = format!(
        "run over: {}; check {}, {revised} outcomes revised by lists, {surplus} gone beside the plan",
        counts.join(", "),
        end.check.name()
    );
    match &end.stopped {
        None => log::tell(Level::Info, what, ""),
        Some(stop) => {
            let what = format!("{what}; stopped: {}", stop.reason.name());
            log::tell(Level::Warn, what, &stop.message);
        }
    }
    if let Err(why) = closed {
        log::tell(Level::Warn, format_args!("the run file is not closed: {}", Why(why)), why);
    }
}
