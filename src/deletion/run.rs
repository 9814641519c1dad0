//! One plan being carried out: which calls wait, which are in flight, what became of the others.

use std::sync::Arc;

use crate::domain::{Cause, Failure, Outcome};

use super::{Plan, Settled};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Calls are handed out.
    Running,
    /// Nothing new is handed out until [`Run::resume`].
    Paused,
    /// Nothing new will be handed out; what is in flight is awaited.
    Stopping,
    /// Every event has its outcome.
    Finished,
}

/// Events by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Confirmed by the service.
    pub deleted: usize,
    /// Not there any more.
    pub already_gone: usize,
    /// The service said no.
    pub refused: usize,
    /// Never went out.
    pub not_sent: usize,
    /// To be settled by listing again.
    pub unknown: usize,
}

impl Tally {
    /// Events that have an outcome.
    pub fn settled(&self) -> usize {
        self.deleted + self.already_gone + self.refused + self.not_sent + self.unknown
    }

    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Deleted => self.deleted += 1,
            Outcome::AlreadyGone => self.already_gone += 1,
            Outcome::Refused(_) => self.refused += 1,
            Outcome::NotSent(_) => self.not_sent += 1,
            Outcome::Unknown(_) => self.unknown += 1,
        }
    }
}

/// The execution of one plan. It sends nothing: it says which calls may go out, at most
/// `concurrency` at once, each once, and keeps what came back.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    plan: Arc<Plan>,
    concurrency: usize,
    next: usize,
    in_flight: usize,
    state: RunState,
    settled: Vec<Option<Settled>>,
    /// Calls in the order they settled: first those that failed, then those that did not.
    failed: Vec<usize>,
    succeeded: Vec<usize>,
    tally: Tally,
}

impl Run {
    /// A run of this plan with at most so many calls in flight.
    pub fn new(plan: Arc<Plan>, concurrency: usize) -> Self {
        let calls = plan.calls();
        Self {
            plan,
            concurrency: concurrency.max(1),
            next: 0,
            in_flight: 0,
            state: RunState::Running,
            settled: (0..calls).map(|_| None).collect(),
            failed: Vec::new(),
            succeeded: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// The calls to send now, in the order of the plan; they are in flight from here on.
    pub fn hand_out(&mut self) -> Vec<usize> {
        let mut calls = Vec::new();
        while self.state == RunState::Running
            && self.in_flight < self.concurrency
            && self.next < self.settled.len()
        {
            calls.push(self.next);
            self.next += 1;
            self.in_flight += 1;
        }
        calls
    }

    /// Takes what became of a call that was handed out.
    pub fn settle(&mut self, call: usize, settled: Settled) {
        let Some(place) = self.settled.get_mut(call) else {
            return;
        };
        if place.is_some() || call >= self.next {
            return;
        }
        for outcome in &settled.outcomes {
            self.tally.count(outcome);
        }
        let gone = settled.outcomes.iter().all(Outcome::is_gone) && settled.surplus.is_empty();
        if gone {
            self.succeeded.push(call);
        } else {
            self.failed.push(call);
        }
        *place = Some(settled);
        self.in_flight -= 1;
        self.finish_if_done();
    }

    /// Hands out nothing more; what is in flight is still awaited. What was not handed out is
    /// *not sent*.
    pub fn stop(&mut self) {
        if self.state != RunState::Finished {
            self.state = RunState::Stopping;
            self.finish_if_done();
        }
    }

    /// Hands out nothing more until resumed.
    pub fn pause(&mut self) {
        if self.state == RunState::Running {
            self.state = RunState::Paused;
        }
    }

    /// Goes on after a pause.
    pub fn resume(&mut self) {
        if self.state == RunState::Paused {
            self.state = RunState::Running;
        }
    }

    /// Where it stands.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// What is carried out.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Calls that are out without an answer.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Events by outcome so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Calls that did not do all they should, in the order they settled.
    pub fn failed(&self) -> &[usize] {
        &self.failed
    }

    /// Calls that did, in the order they settled.
    pub fn succeeded(&self) -> &[usize] {
        &self.succeeded
    }

    /// What became of a call.
    pub fn settled(&self, call: usize) -> Option<&Settled> {
        self.settled.get(call)?.as_ref()
    }

    /// The outcome of each planned event; all are there once the run has finished.
    pub fn outcomes(&self) -> impl Iterator<Item = (usize, Option<Outcome>)> + '_ {
        let finished = self.state == RunState::Finished;
        self.settled.iter().enumerate().flat_map(move |(call, settled)| {
            self.plan.covers(call).enumerate().map(move |(place, event)| {
                let known = settled.as_ref().and_then(|settled| settled.outcomes.get(place));
                (event, known.cloned().or_else(|| finished.then(not_sent)))
            })
        })
    }

    fn finish_if_done(&mut self) {
        let sent_all = self.next >= self.settled.len() || self.state == RunState::Stopping;
        if sent_all && self.in_flight == 0 {
            self.state = RunState::Finished;
            self.tally.not_sent += self.plan.events().len() - self.tally.settled();
        }
    }
}

fn not_sent() -> Outcome {
    Outcome::NotSent(Failure::new(
        Cause::Withheld,
        "stopped before it was sent; it is still marked",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deletion::judge;
    use crate::deletion::plan::tests::plan;
    use crate::domain::{CallForm, DeleteAnswer, Foreign};
    use proptest::prelude::*;
    use std::time::Duration;

    fn run(calls: usize, concurrency: usize) -> Run {
        let ids: Vec<String> = (0..calls).map(|id| format!("e{id}")).collect();
        let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", id.as_str())).collect();
        Run::new(Arc::new(plan(&rows, 0..calls, CallForm::Event)), concurrency)
    }

    fn settled(run: &Run, call: usize, works: bool) -> Settled {
        let answer = if works {
            let id = run.plan().covered(call)[0].key.id.as_str();
            Ok(DeleteAnswer { http_status: 200, ids: Some(vec![Foreign::from(id)]) })
        } else {
            Err(Failure::new(Cause::Rejected, "no"))
        };
        judge(run.plan().covered(call), answer, Duration::ZERO)
    }

    #[test]
    fn calls_go_out_in_order_and_never_more_than_allowed_at_once() {
        let mut run = run(5, 2);
        assert_eq!(run.hand_out(), [0, 1]);
        assert_eq!(run.hand_out(), [0; 0]);
        let answer = settled(&run, 1, true);
        run.settle(1, answer);
        assert_eq!(run.hand_out(), [2]);
        assert_eq!(run.in_flight(), 2);
    }

    #[test]
    fn stopping_awaits_what_is_in_flight_and_names_the_rest_not_sent() {
        let mut run = run(5, 2);
        run.hand_out();
        run.stop();
        assert_eq!((run.state(), run.hand_out().len()), (RunState::Stopping, 0));
        for call in 0..2 {
            let answer = settled(&run, call, call == 0);
            run.settle(call, answer);
        }
        assert_eq!(run.state(), RunState::Finished);
        let expected = Tally { deleted: 1, refused: 1, not_sent: 3, ..Tally::default() };
        assert_eq!(run.tally(), expected);
        let names: Vec<_> = run.outcomes().map(|(_, outcome)| outcome.unwrap().name()).collect();
        assert_eq!(names, ["deleted", "refused", "not sent", "not sent", "not sent"]);
    }

    #[test]
    fn a_pause_hands_out_nothing_and_going_on_hands_out_the_next() {
        let mut run = run(3, 1);
        run.hand_out();
        run.pause();
        let answer = settled(&run, 0, true);
        run.settle(0, answer);
        assert_eq!((run.state(), run.hand_out().len()), (RunState::Paused, 0));
        run.resume();
        assert_eq!(run.hand_out(), [1]);
    }

    #[test]
    fn a_refusal_in_the_middle_does_not_end_the_run() {
        let mut run = run(3, 1);
        while let Some(&call) = run.hand_out().first() {
            let answer = settled(&run, call, call != 1);
            run.settle(call, answer);
        }
        assert_eq!(run.state(), RunState::Finished);
        assert_eq!((run.failed(), run.succeeded()), (&[1][..], &[0, 2][..]));
    }

    #[test]
    fn an_answer_that_comes_twice_or_was_never_asked_for_counts_nothing() {
        let mut run = run(3, 1);
        run.hand_out();
        for call in [0, 0, 2, 9] {
            let answer = settled(&run, call.min(2), true);
            run.settle(call, answer);
        }
        assert_eq!(run.tally().settled(), 1);
    }

    proptest! {
        #[test]
        fn whatever_the_answers_and_stops_every_event_ends_in_exactly_one_outcome(
            calls in 1usize..30,
            concurrency in 1usize..8,
            steps in proptest::collection::vec((0usize..8, any::<bool>(), 0u8..20), 0..80),
        ) {
            let mut run = run(calls, concurrency);
            let mut flying = run.hand_out();
            for (pick, works, whim) in steps {
                match whim {
                    0 => run.stop(),
                    1 => run.pause(),
                    2 => run.resume(),
                    _ if !flying.is_empty() => {
                        let call = flying.remove(pick % flying.len());
                        let answer = settled(&run, call, works);
                        run.settle(call, answer);
                    }
                    _ => {}
                }
                flying.extend(run.hand_out());
                prop_assert!(flying.len() <= concurrency);
                prop_assert_eq!(flying.len(), run.in_flight());
            }
            run.stop();
            for call in flying {
                let answer = settled(&run, call, true);
                run.settle(call, answer);
            }
            prop_assert_eq!(run.state(), RunState::Finished);
            prop_assert_eq!(run.tally().settled(), calls);
            let events: Vec<_> = run.outcomes().map(|(event, outcome)| {
                assert!(outcome.is_some());
                event
            }).collect();
            prop_assert_eq!(events, (0..calls).collect::<Vec<_>>());
        }
    }
}
