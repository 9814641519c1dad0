//! What a run tells of itself.

use std::sync::Arc;
use std::time::Duration;

use super::{Machine, Request, RunEnd, RunState, Slot, Stage, Waiting};
use crate::change::verification::Check;
use crate::change::wide::{Learnt, Unlisted};
use crate::change::{Plan, Reply, RunCall, Tally};
use crate::domain::{EventKey, Failure, Outcome, Stop};

impl Machine {
    /// Where it stands.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// True until every event has its outcome.
    pub fn is_going_on(&self) -> bool {
        !matches!(self.state, RunState::Closing | RunState::Finished)
    }

    /// What its run file is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether nothing is sent: every call ends at the line to the service.
    pub fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// What is carried out.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Requests that are out without an answer.
    pub fn in_flight(&self) -> usize {
        self.traffic.in_flight()
    }

    /// Calls of the plan that are out without an answer: what becomes of these is unknown so far.
    pub fn calls_in_flight(&self) -> usize {
        let is_sent = |request: &&Request| match request {
            Request::Call(id) => self.slots.get(*id).is_some_and(Slot::is_sent),
            Request::Listing(_) => false,
        };
        self.traffic.out().filter(is_sent).count()
    }

    /// What it waits for now, where that takes a second or more.
    pub fn waiting(&self, now: Duration) -> Option<Waiting<'_>> {
        let may_wait = matches!(self.state, RunState::Running | RunState::Verifying);
        let (until, why) = self.traffic.waiting(now).filter(|_| may_wait)?;
        Some(Waiting { until, why })
    }

    /// How long something has been in flight and nothing came back.
    pub fn silent_for(&self, now: Duration) -> Option<Duration> {
        self.traffic.silent_for(now)
    }

    /// How many extensions were listed again after the last call, and how many are to be.
    pub fn checked(&self) -> (usize, usize) {
        let all = self.checking.all;
        let left = self.checking.touched.len().saturating_sub(self.checking.given_up.len());
        (all.saturating_sub(left), all)
    }

    /// Events by outcome so far.
    pub fn tally(&self) -> Tally {
        self.ledger.tally()
    }

    /// Calls that did not do all they should, in the order they settled. A listing after the run may
    /// move one to the end of the other list; the last of this one then takes its place.
    pub fn failed(&self) -> &[usize] {
        &self.failed
    }

    /// Calls that did, likewise.
    pub fn succeeded(&self) -> &[usize] {
        &self.succeeded
    }

    /// A call of the run.
    pub fn call(&self, id: usize) -> Option<RunCall> {
        let slot = self.slots.get(id)?;
        let call = RunCall::new(&self.plan, id, slot.verb, slot.covers.clone())?;
        let (may_have_acted, simulated) = (slot.doubt.is_some(), self.simulated);
        Some(RunCall { may_have_acted, simulated, ..call })
    }

    /// What came back for a call.
    pub fn reply(&self, id: usize) -> Option<&Reply> {
        if let Stage::Settled(reply) = &self.slots.get(id)?.stage { Some(reply) } else { None }
    }

    /// What became of the events that a call covers, as far as it is known.
    pub fn outcomes_of(&self, id: usize) -> &[Option<Outcome>] {
        let covers = self.slots.get(id).map_or(0..0, |slot| slot.covers.clone());
        self.ledger.all().get(covers).unwrap_or_default()
    }

    /// The status of the last answer to the call of an event.
    pub fn http_status_of(&self, event: usize) -> Option<u16> {
        self.reply(*self.slot_of.get(event)?)?.http_status
    }

    /// The outcome of each planned event; all are there once the run is no longer going on.
    pub fn outcomes(&self) -> &[Option<Outcome>] {
        self.ledger.all()
    }

    /// The places of the events whose outcome was set since this was last asked.
    pub fn take_news(&mut self) -> Vec<usize> {
        self.ledger.take_news()
    }

    /// What the run file ends with.
    pub fn end(&self) -> RunEnd {
        let tally = self.tally();
        RunEnd {
            tally,
            revised: self.ledger.revised(),
            surplus: self.surplus().to_vec(),
            still_there: self.rules.deletes().map_or(Vec::new(), |it| it.still_there.clone()),
            check: self.check(),
            stopped: self.stopped(),
        }
    }

    /// Why something is left to be done, where it stopped by itself or was asked to.
    pub fn stopped(&self) -> Option<Stop> {
        self.tally().stopped(self.stopped_by(), self.asked.as_ref())
    }

    /// What was listed, was not planned, and is gone after the run.
    pub fn surplus(&self) -> &[EventKey] {
        self.rules.deletes().map_or(&[], |deletes| &deletes.surplus)
    }

    /// What answers named that was neither planned nor listed: it is gone too.
    pub fn unlisted(&self) -> &[Unlisted] {
        self.rules.deletes().map_or(&[], |deletes| &deletes.unlisted)
    }

    /// How many events are known to have gone beside the plan.
    pub fn beside(&self) -> usize {
        self.surplus().len() + self.unlisted().len()
    }

    /// Whether a wide call may have taken something and its answer does not say what.
    pub fn is_silent(&self, id: usize) -> bool {
        self.rules.deletes().is_some_and(|deletes| deletes.silent.contains(&id))
    }

    /// Whether every wide call that may have taken something told what.
    pub fn is_surplus_known(&self) -> bool {
        self.rules
            .deletes()
            .is_none_or(|deletes| deletes.silent.is_empty() && !deletes.silent_before)
    }

    /// What a session that had learnt this knows of wide calls now.
    pub fn learnt(&self, before: Learnt) -> Learnt {
        self.rules.deletes().map_or(before, |deletes| deletes.learnt)
    }

    /// Whether a type call of this run took other types too.
    pub fn took_too_much(&self) -> bool {
        self.rules.deletes().is_some_and(|deletes| deletes.took_too_much)
    }

    /// What the service said when it was asked again about what was sent, as far as it is known.
    pub fn check(&self) -> Check {
        self.checking.result()
    }

    /// Why it stopped by itself.
    pub fn stopped_by(&self) -> Option<&Failure> {
        self.stopped_by.as_ref()
    }

    /// What an operator should know, since this was last asked: why a wide call was not sent, what
    /// could not be verified, that the service wants a pause.
    pub fn take_remarks(&mut self) -> Vec<String> {
        let mut remarks = std::mem::take(&mut self.remarks);
        remarks.append(&mut self.traffic.take_remarks());
        remarks
    }
}
