//! One plan being carried out: which calls wait, which are in flight, what became of each event.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::{
    Cause, DeleteCall, EventKey, ExtensionNumber, Failure, Fuse, Listing, Outcome,
};

use super::ledger::Ledger;
use super::{Loss, Plan, Reply, Settled, gone_beside, guard, settled_by_listing};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Calls are handed out.
    Running,
    /// Nothing new is handed out until [`Run::resume`].
    Paused,
    /// No more calls will be handed out; what is in flight is awaited.
    Stopping,
    /// Every call has come back; the extensions touched are listed again.
    Verifying,
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
    /// Made again.
    pub restored: usize,
}

impl Tally {
    /// Events that have an outcome.
    pub fn settled(&self) -> usize {
        self.deleted
            + self.already_gone
            + self.refused
            + self.not_sent
            + self.unknown
            + self.restored
    }

    /// Counts outcomes.
    pub fn over<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut tally = Self::default();
        outcomes.into_iter().for_each(|outcome| *tally.of(outcome) += 1);
        tally
    }

    /// The count that an outcome belongs to.
    pub(super) fn of(&mut self, outcome: &Outcome) -> &mut usize {
        match outcome {
            Outcome::Deleted => &mut self.deleted,
            Outcome::AlreadyGone => &mut self.already_gone,
            Outcome::Refused(_) => &mut self.refused,
            Outcome::NotSent(_) => &mut self.not_sent,
            Outcome::Unknown(_) => &mut self.unknown,
            Outcome::Restored(_) => &mut self.restored,
        }
    }
}

impl fmt::Display for Tally {
    /// What happened in words, without what did not; `0 deleted` where nothing good did.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.deleted, "deleted"),
            (self.restored, "restored"),
            (self.already_gone, "already gone"),
            (self.refused, "refused"),
            (self.not_sent, "not sent"),
            (self.unknown, "unknown"),
        ];
        let said = parts
            .iter()
            .filter(|(count, word)| *count > 0 || (*word == "deleted" && self.restored == 0));
        let said: Vec<String> = said.map(|(count, word)| format!("{count} {word}")).collect();
        f.write_str(&said.join(", "))
    }
}

/// What a run wants done next. Each step is in flight until its answer is handed back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this call; its answer goes to [`Run::settle`].
    Send(RunCall),
    /// List this extension, before a wide call or after all; the answer goes to [`Run::listed`].
    List(ExtensionNumber),
}

/// A call of a run: one of its plan, or an event call in place of a wide one. Only a [`Run`] makes
/// them, and only for events of its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCall {
    id: usize,
    delete: DeleteCall,
    covers: Range<usize>,
}

impl RunCall {
    /// Its place among the calls of the run: those of the plan first, in their order.
    pub fn id(&self) -> usize {
        self.id
    }

    /// What is sent.
    pub fn delete(&self) -> &DeleteCall {
        &self.delete
    }

    /// The events that it covers, by their places in [`Plan::events`].
    pub fn covers(&self) -> Range<usize> {
        self.covers.clone()
    }
}

/// What is to be kept of a run when it is over, beside its calls and their answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunEnd {
    /// Events by outcome.
    pub tally: Tally,
    /// The events whose outcome is not what the answer to their call said, with what is true.
    pub revised: Vec<(usize, Outcome)>,
    /// What was listed when the plan was made, was not planned, and is gone after the run.
    pub surplus: Vec<EventKey>,
    /// Whether the service was asked again about everything that was sent.
    pub verified: bool,
}

/// A call and how far it is.
#[derive(Debug, PartialEq, Eq)]
struct Slot {
    call: RunCall,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// To be handed out; a wide call is guarded first.
    Waiting,
    /// A wide call whose extension is being listed.
    Listing,
    /// A wide call on which a listing of a moment ago agrees with the plan.
    Guarded,
    /// Out, without an answer.
    Sent,
    /// Event calls took its place, or nothing was left of it.
    Replaced,
    /// Answered.
    Settled(Reply),
}

/// The execution of one plan. It sends nothing: it says what is to be done next, never more than
/// `concurrency` at once, and keeps what came back.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    plan: Arc<Plan>,
    concurrency: usize,
    state: RunState,
    slots: Vec<Slot>,
    waiting: VecDeque<usize>,
    in_flight: usize,
    ledger: Ledger,
    /// Calls in the order they settled: first those that failed, then those that did not.
    failed: Vec<usize>,
    succeeded: Vec<usize>,
    fuse: Fuse,
    stopped_by: Option<Failure>,
    /// Extensions on which something was sent and which are not verified.
    touched: BTreeSet<ExtensionNumber>,
    unlisted: VecDeque<ExtensionNumber>,
    surplus: Vec<EventKey>,
    remarks: Vec<String>,
}

impl Run {
    /// A run of this plan with at most so many requests in flight.
    pub fn new(plan: Arc<Plan>, concurrency: usize) -> Self {
        let calls = 0..plan.calls();
        let slots: Vec<Slot> = calls
            .filter_map(|id| Some(RunCall { id, delete: plan.call(id)?, covers: plan.covers(id) }))
            .map(|call| Slot { call, stage: Stage::Waiting })
            .collect();
        Self {
            concurrency: concurrency.max(1),
            state: RunState::Running,
            waiting: (0..slots.len()).collect(),
            slots,
            in_flight: 0,
            ledger: Ledger::new(plan.events().len()),
            failed: Vec::new(),
            succeeded: Vec::new(),
            fuse: Fuse::default(),
            stopped_by: None,
            touched: BTreeSet::new(),
            unlisted: VecDeque::new(),
            surplus: Vec::new(),
            remarks: Vec::new(),
            plan,
        }
    }

    /// What is to be done now, in the order of the plan; it is in flight from here on.
    pub fn hand_out(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        while self.in_flight < self.concurrency
            && let Some(step) = self.next_step()
        {
            self.in_flight += 1;
            steps.push(step);
        }
        steps
    }

    fn next_step(&mut self) -> Option<Step> {
        match self.state {
            RunState::Running => {
                let id = self.waiting.pop_front()?;
                let slot = self.slots.get_mut(id)?;
                if slot.call.delete.is_wide() && slot.stage == Stage::Waiting {
                    slot.stage = Stage::Listing;
                    return Some(Step::List(slot.call.delete.extension().clone()));
                }
                slot.stage = Stage::Sent;
                Some(Step::Send(slot.call.clone()))
            }
            RunState::Verifying => self.unlisted.pop_front().map(Step::List),
            RunState::Paused | RunState::Stopping | RunState::Finished => None,
        }
    }

    /// Takes what became of a call that was handed out.
    pub fn settle(&mut self, id: usize, settled: Settled) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        if slot.stage != Stage::Sent || settled.outcomes.len() != slot.call.covers.len() {
            return;
        }
        self.in_flight -= 1;
        let events = slot.call.covers();
        let extension = slot.call.delete.extension().clone();
        slot.stage = Stage::Settled(settled.reply);
        if settled.outcomes.iter().any(|outcome| !matches!(outcome, Outcome::NotSent(_))) {
            self.touched.insert(extension);
        }
        let failure = settled.outcomes.iter().find_map(Outcome::failure).cloned();
        for (event, outcome) in events.zip(settled.outcomes) {
            self.ledger.set(event, outcome);
        }
        let list = if self.is_good(id) { &mut self.succeeded } else { &mut self.failed };
        list.push(id);
        self.judge_failure(failure.as_ref());
        self.advance();
    }

    /// Takes the listing that a step asked for.
    pub fn listed(&mut self, extension: &ExtensionNumber, result: Result<&Listing, &Failure>) {
        let guarded = self.slots.iter().position(|slot| {
            slot.stage == Stage::Listing && slot.call.delete.extension() == extension
        });
        if let Some(id) = guarded {
            self.in_flight -= 1;
            self.guard(id, result);
        } else if self.in_flight > 0
            && self.state == RunState::Verifying
            && self.touched.contains(extension)
        {
            self.in_flight -= 1;
            self.verify(extension, result);
        }
        self.advance();
    }

    /// A wide call goes out only where the extension is exactly as it was reviewed.
    fn guard(&mut self, id: usize, result: Result<&Listing, &Failure>) {
        let first = self.slots.len();
        let Some(slot) = self.slots.get_mut(id) else { return };
        let covers = slot.call.covers();
        let extension = slot.call.delete.extension().clone();
        let planned = self.plan.events().get(covers.clone()).unwrap_or_default();
        let verdict = match result {
            Ok(listing) => guard::compare(planned, &slot.call.delete, listing),
            Err(failure) => guard::Verdict::all_not_sent(planned.len(), failure),
        };
        match verdict {
            guard::Verdict::AsReviewed => {
                slot.stage = Stage::Guarded;
                self.waiting.push_front(id);
            }
            guard::Verdict::Differs { events, remark } => {
                slot.stage = Stage::Replaced;
                for (event, outcome) in covers.zip(events) {
                    match outcome {
                        Some(outcome) => {
                            let outcome = self.own_doing(&extension, outcome);
                            self.ledger.revise(event, outcome);
                        }
                        None => self.add_event_call(event),
                    }
                }
                (first..self.slots.len()).rev().for_each(|id| self.waiting.push_front(id));
                self.remarks.push(remark);
                self.judge_failure(result.err());
            }
        }
    }

    /// What was there in the review and went beside a wide call of this run was not gone before it.
    fn own_doing(&self, extension: &ExtensionNumber, outcome: Outcome) -> Outcome {
        let may_have_taken_it = self.slots.iter().any(|slot| {
            let outcomes = self.ledger.all().get(slot.call.covers()).unwrap_or_default();
            slot.call.delete.is_wide()
                && slot.call.delete.extension() == extension
                && matches!(slot.stage, Stage::Settled(_))
                && outcomes
                    .iter()
                    .flatten()
                    .any(|outcome| matches!(outcome, Outcome::Deleted | Outcome::Unknown(_)))
        });
        if may_have_taken_it && outcome == Outcome::AlreadyGone {
            Outcome::Deleted
        } else {
            outcome
        }
    }

    fn add_event_call(&mut self, event: usize) {
        let Some(planned) = self.plan.events().get(event) else { return };
        let delete = DeleteCall::Event(planned.key.clone());
        let call = RunCall { id: self.slots.len(), delete, covers: event..event + 1 };
        self.slots.push(Slot { call, stage: Stage::Waiting });
    }

    /// What the service lists has the last word.
    fn verify(&mut self, extension: &ExtensionNumber, result: Result<&Listing, &Failure>) {
        let listing = match result {
            Ok(listing) => listing,
            Err(failure) => {
                self.remarks.push(format!("{extension} could not be verified: {failure}"));
                if self.fuse.blows(Some(failure)) {
                    self.unlisted.clear();
                }
                return;
            }
        };
        let plan = Arc::clone(&self.plan);
        for event in plan.events_of(extension) {
            let (Some(planned), Some(outcome)) = (plan.events().get(event), self.ledger.get(event))
            else {
                continue;
            };
            if let Some(better) = settled_by_listing(&planned.key, outcome, listing) {
                let better = self.own_doing(extension, better);
                self.ledger.revise(event, better);
            }
        }
        let known = self.surplus.len();
        self.surplus.extend(gone_beside(plan.bystanders(extension), listing));
        let lost = self.surplus.len() - known;
        if lost > 0 {
            self.remarks.push(format!("{extension}: {lost} gone that were not in the review"));
        }
        if listing.is_complete() {
            self.touched.remove(extension);
        }
        let sorted: Vec<usize> = self.failed.iter().chain(&self.succeeded).copied().collect();
        (self.succeeded, self.failed) = sorted.into_iter().partition(|id| self.is_good(*id));
    }

    /// Hands out no more calls; what is in flight is still awaited. What was not handed out is
    /// *not sent*. While verifying, nothing more is listed.
    pub fn stop(&mut self) {
        match self.state {
            RunState::Running | RunState::Paused => self.state = RunState::Stopping,
            RunState::Verifying => self.unlisted.clear(),
            RunState::Stopping | RunState::Finished => {}
        }
        self.advance();
    }

    /// Hands out nothing more until resumed.
    pub fn pause(&mut self) {
        if self.state == RunState::Running {
            self.state = RunState::Paused;
        }
    }

    /// Goes on after a pause, in which a listing grew old.
    pub fn resume(&mut self) {
        if self.state == RunState::Paused {
            for slot in self.slots.iter_mut().filter(|slot| slot.stage == Stage::Guarded) {
                slot.stage = Stage::Waiting;
            }
            self.state = RunState::Running;
            self.advance();
        }
    }

    fn judge_failure(&mut self, failure: Option<&Failure>) {
        if failure.is_some_and(names_no_event) {
            return;
        }
        if self.fuse.blows(failure) {
            self.stopped_by = failure.cloned();
            self.stop();
        }
    }

    fn is_good(&self, id: usize) -> bool {
        let surplus = self.reply(id).is_some_and(|reply| !reply.surplus.is_empty());
        !surplus && self.outcomes_of(id).iter().flatten().all(Outcome::is_gone)
    }

    /// On to the next state once nothing is in flight and nothing waits.
    fn advance(&mut self) {
        if self.in_flight > 0 {
            return;
        }
        let sent_all = match self.state {
            RunState::Running => self.waiting.is_empty(),
            RunState::Stopping => true,
            RunState::Paused | RunState::Verifying | RunState::Finished => false,
        };
        if sent_all {
            self.state = RunState::Verifying;
            self.unlisted = self.touched.iter().cloned().collect();
            self.ledger.close(not_sent);
        }
        if self.state == RunState::Verifying && self.unlisted.is_empty() {
            self.state = RunState::Finished;
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

    /// Requests that are out without an answer.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Events by outcome so far.
    pub fn tally(&self) -> Tally {
        self.ledger.tally()
    }

    /// Calls that did not do all they should, in the order they settled.
    pub fn failed(&self) -> &[usize] {
        &self.failed
    }

    /// Calls that did, in the order they settled.
    pub fn succeeded(&self) -> &[usize] {
        &self.succeeded
    }

    /// A call of the run.
    pub fn call(&self, id: usize) -> Option<&RunCall> {
        self.slots.get(id).map(|slot| &slot.call)
    }

    /// What came back for a call.
    pub fn reply(&self, id: usize) -> Option<&Reply> {
        match &self.slots.get(id)?.stage {
            Stage::Settled(reply) => Some(reply),
            Stage::Waiting | Stage::Listing | Stage::Guarded | Stage::Sent | Stage::Replaced => {
                None
            }
        }
    }

    /// What became of the events that a call covers, as far as it is known.
    pub fn outcomes_of(&self, id: usize) -> &[Option<Outcome>] {
        let covers = self.slots.get(id).map_or(0..0, |slot| slot.call.covers());
        self.ledger.all().get(covers).unwrap_or_default()
    }

    /// The outcome of each planned event; all are there once the run has finished.
    pub fn outcomes(&self) -> &[Option<Outcome>] {
        self.ledger.all()
    }

    /// What the run file ends with.
    pub fn end(&self) -> RunEnd {
        RunEnd {
            tally: self.tally(),
            revised: self.ledger.revised(),
            surplus: self.surplus.clone(),
            verified: self.is_verified(),
        }
    }

    /// What was listed when the plan was made, was not planned, and is gone after the run.
    pub fn surplus(&self) -> &[EventKey] {
        &self.surplus
    }

    /// What is gone because of this run and could be made again: what it deleted or may have, and
    /// what went beside the plan, whole. `None` where it took nothing.
    pub fn loss(&self, name: &str) -> Option<Loss> {
        let planned = self.plan.events().iter().zip(self.ledger.all());
        // What nobody could settle may be gone, and an undo makes nothing that is there.
        let deleted = planned
            .filter(|(_, outcome)| matches!(outcome, Some(Outcome::Deleted | Outcome::Unknown(_))));
        let surplus = self.plan.all_bystanders().iter();
        let surplus = surplus.filter(|event| self.surplus.contains(&event.key));
        let taken: Vec<_> = deleted.map(|(event, _)| event).chain(surplus).cloned().collect();
        let known = self.plan.events().iter().chain(self.plan.all_bystanders());
        let known = known.map(|event| event.key.clone());
        let hash = self.plan.hash().as_str();
        (!taken.is_empty()).then(|| Loss::new(name, hash, taken, known))
    }

    /// Whether the service was asked again about everything that was sent.
    pub fn is_verified(&self) -> bool {
        self.state == RunState::Finished && self.touched.is_empty()
    }

    /// Why it stopped by itself.
    pub fn stopped_by(&self) -> Option<&Failure> {
        self.stopped_by.as_ref()
    }

    /// What an operator should know, since this was last asked: why a wide call was not sent, what
    /// could not be verified.
    pub fn take_remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }
}

/// The service does not know the event: that is no sign of a service in trouble.
fn names_no_event(failure: &Failure) -> bool {
    failure.cause == Cause::Rejected && failure.code.raw() == "pce_id_invalid"
}

fn not_sent() -> Outcome {
    Outcome::NotSent(Failure::new(
        Cause::Withheld,
        "stopped before it was sent; it is still marked",
    ))
}

#[cfg(test)]
mod tests;
