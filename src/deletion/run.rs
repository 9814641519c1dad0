//! One plan being carried out: which calls wait, which are in flight, what became of each event.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Cause, DeleteCall, EventKey, ExtensionNumber, Failure, Listing, Outcome, Stop,
};

use super::ledger::Ledger;
use super::traffic::{Fate, Next, Traffic};
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

    /// Why something is left to be done, where a run was asked to stop or did so by itself.
    pub(super) fn stopped(&self, asked: bool, by: Option<&Failure>) -> Option<Stop> {
        let left = self.not_sent + self.unknown + self.refused > 0;
        by.map(Stop::of).or_else(|| asked.then(Stop::by_operator)).filter(|_| left)
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
    /// Nothing may go for so long: then [`Run::hand_out`] is to be asked again.
    Wait(Duration),
}

/// A call of a run: one of its plan, or an event call in place of a wide one. Only a [`Run`] makes
/// them, and only for events of its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCall {
    id: usize,
    delete: DeleteCall,
    covers: Range<usize>,
    may_have_acted: bool,
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

    /// Whether it was sent before and may have been carried out, though no answer said so.
    pub fn may_have_acted(&self) -> bool {
        self.may_have_acted
    }
}

/// A request of a run, in the order in which requests of one kind are repeated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Request {
    /// A call, or the listing that guards it.
    Call(usize),
    /// A listing after all calls.
    Listing(ExtensionNumber),
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
    /// Why not everything was sent; `None` where everything was.
    pub stopped: Option<Stop>,
}

/// A call and how far it is.
#[derive(Debug, PartialEq, Eq)]
struct Slot {
    call: RunCall,
    stage: Stage,
    /// It went out: the run file holds an answer to it, or will.
    went_out: bool,
    /// What an attempt ended with that may have been carried out all the same.
    doubt: Option<Failure>,
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
    /// It went wrong, and goes out once more unless the run ends before.
    Again(Settled),
    /// Event calls took its place, or nothing was left of it.
    Replaced,
    /// Answered.
    Settled(Reply),
}

/// The execution of one plan. It sends nothing: it says what is to be done next, never more than
/// `concurrency` at once, and keeps what came back. Times are since the start of the program.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    plan: Arc<Plan>,
    state: RunState,
    asked_to_stop: bool,
    slots: Vec<Slot>,
    traffic: Traffic<Request>,
    /// Wide calls whose extension is being listed.
    guarded: BTreeSet<(ExtensionNumber, usize)>,
    ledger: Ledger,
    /// Calls in the order they settled: first those that failed, then those that did not.
    failed: Vec<usize>,
    succeeded: Vec<usize>,
    /// Extensions on which something was sent and which are not verified.
    touched: BTreeSet<ExtensionNumber>,
    /// Extensions of which a wide call took something, or may have.
    swept: BTreeSet<ExtensionNumber>,
    surplus: Vec<EventKey>,
    remarks: Vec<String>,
}

impl Run {
    /// A run of this plan with at most so many requests in flight.
    pub fn new(plan: Arc<Plan>, concurrency: usize) -> Self {
        let calls = 0..plan.calls();
        let slots: Vec<Slot> =
            calls.filter_map(|id| Some(Slot::of(id, plan.call(id)?, plan.covers(id)))).collect();
        Self {
            state: RunState::Running,
            asked_to_stop: false,
            traffic: Traffic::new(concurrency, (0..slots.len()).map(Request::Call)),
            slots,
            guarded: BTreeSet::new(),
            ledger: Ledger::new(plan.events().len()),
            failed: Vec::new(),
            succeeded: Vec::new(),
            touched: BTreeSet::new(),
            swept: BTreeSet::new(),
            surplus: Vec::new(),
            remarks: Vec::new(),
            plan,
        }
    }

    /// What is to be done now, in the order of the plan; it is in flight from here on.
    pub fn hand_out(&mut self, now: Duration) -> Vec<Step> {
        match self.state {
            RunState::Running | RunState::Verifying => {}
            RunState::Paused | RunState::Stopping | RunState::Finished => return Vec::new(),
        }
        let next = self.traffic.hand_out(now);
        next.into_iter().filter_map(|next| self.step(next)).collect()
    }

    fn step(&mut self, next: Next<Request>) -> Option<Step> {
        let id = match next {
            Next::Wait(time) => return Some(Step::Wait(time)),
            Next::Go(Request::Listing(extension)) => return Some(Step::List(extension)),
            Next::Go(Request::Call(id)) => id,
        };
        let slot = self.slots.get_mut(id)?;
        if slot.call.delete.is_wide() && slot.stage != Stage::Guarded {
            slot.stage = Stage::Listing;
            let extension = slot.call.delete.extension().clone();
            self.guarded.insert((extension.clone(), id));
            return Some(Step::List(extension));
        }
        (slot.stage, slot.went_out) = (Stage::Sent, true);
        Some(Step::Send(slot.call.clone()))
    }

    /// Takes what became of a call that was handed out.
    pub fn settle(&mut self, id: usize, settled: Settled, now: Duration) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        if slot.stage != Stage::Sent || settled.outcomes.len() != slot.call.covers.len() {
            return;
        }
        let failure = settled.outcomes.iter().find_map(Outcome::failure).cloned();
        // That the service does not know an event is no sign of a service in trouble.
        let trouble = failure.as_ref().filter(|failure| !failure.names_no_event());
        let may_repeat = matches!(self.state, RunState::Running | RunState::Paused);
        let had_stopped = self.stopped_by().is_some();
        let fate = self.traffic.came_back(&Request::Call(id), trouble, may_repeat, now);
        self.note_what_it_may_have_done(id, &settled, failure);
        match fate {
            None => return,
            Some(Fate::Again) => self.set_stage(id, Stage::Again(settled)),
            Some(Fate::Settled) => self.keep(id, settled),
        }
        self.heed_the_fuse(had_stopped);
        self.advance();
    }

    fn note_what_it_may_have_done(
        &mut self,
        id: usize,
        settled: &Settled,
        failure: Option<Failure>,
    ) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let extension = slot.call.delete.extension();
        if settled.outcomes.iter().any(|outcome| !matches!(outcome, Outcome::NotSent(_))) {
            self.touched.insert(extension.clone());
        }
        let took = |outcome: &Outcome| matches!(outcome, Outcome::Deleted | Outcome::Unknown(_));
        if slot.call.delete.is_wide() && settled.outcomes.iter().any(took) {
            self.swept.insert(extension.clone());
        }
        if let Some(failure) = failure.filter(Failure::may_have_acted) {
            slot.call.may_have_acted = true;
            slot.doubt = Some(failure);
        }
    }

    /// What became of a call, for good.
    fn keep(&mut self, id: usize, settled: Settled) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.stage = Stage::Settled(settled.reply);
        let events = slot.call.covers();
        for (event, outcome) in events.zip(settled.outcomes) {
            self.ledger.set(event, outcome);
        }
        let list = if self.is_good(id) { &mut self.succeeded } else { &mut self.failed };
        list.push(id);
    }

    /// Takes the listing that a step asked for.
    pub fn listed(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<&Listing, &Failure>,
        now: Duration,
    ) {
        let guarded = self.guarded.iter().find(|(guarded, _)| guarded == extension).cloned();
        let request = match &guarded {
            Some((_, id)) => Request::Call(*id),
            None => Request::Listing(extension.clone()),
        };
        let may_repeat = !matches!(self.state, RunState::Stopping | RunState::Finished);
        let had_stopped = self.stopped_by().is_some();
        let fate = if guarded.is_some() && result.is_ok() {
            // That it can be listed says nothing of a service that deletes nothing.
            self.traffic.asked(&request).then_some(Fate::Settled)
        } else {
            self.traffic.came_back(&request, result.err(), may_repeat, now)
        };
        match (guarded, fate) {
            (_, None) => return,
            (Some(guarded), Some(fate)) => {
                self.guarded.remove(&guarded);
                match fate {
                    Fate::Settled => self.guard(guarded.1, result),
                    Fate::Again => self.set_stage(guarded.1, Stage::Waiting),
                }
            }
            (None, Some(Fate::Settled)) => self.verify(extension, result),
            (None, Some(Fate::Again)) => {}
        }
        self.heed_the_fuse(had_stopped);
        self.advance();
    }

    fn set_stage(&mut self, id: usize, stage: Stage) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.stage = stage;
        }
    }

    /// A wide call goes out only where the extension is exactly as it was reviewed.
    fn guard(&mut self, id: usize, result: Result<&Listing, &Failure>) {
        let first = self.slots.len();
        let Some(slot) = self.slots.get_mut(id) else { return };
        let covers = slot.call.covers();
        let extension = slot.call.delete.extension().clone();
        let planned = self.plan.events().get(covers.clone()).unwrap_or_default();
        let verdict = match (result, &slot.doubt) {
            (Ok(listing), _) => guard::compare(planned, &slot.call.delete, listing),
            (Err(failure), None) => guard::Verdict::all_not_sent(planned.len(), failure),
            // It went out before, and nobody saw what it did.
            (Err(failure), Some(doubt)) => {
                guard::Verdict::all_unknown(planned.len(), doubt, failure)
            }
        };
        let (events, remark) = match verdict {
            guard::Verdict::AsReviewed => {
                slot.stage = Stage::Guarded;
                self.traffic.add_first(Request::Call(id));
                return;
            }
            guard::Verdict::Differs { events, remark } => (events, remark),
        };
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
        for id in (first..self.slots.len()).rev() {
            self.traffic.add_first(Request::Call(id));
        }
        self.remarks.push(remark);
    }

    /// What was there in the review and went beside a wide call of this run was not gone before it.
    fn own_doing(&self, extension: &ExtensionNumber, outcome: Outcome) -> Outcome {
        if outcome == Outcome::AlreadyGone && self.swept.contains(extension) {
            return Outcome::Deleted;
        }
        outcome
    }

    fn add_event_call(&mut self, event: usize) {
        let Some(planned) = self.plan.events().get(event) else { return };
        let delete = DeleteCall::Event(planned.key.clone());
        self.slots.push(Slot::of(self.slots.len(), delete, event..event + 1));
    }

    /// What the service lists has the last word.
    fn verify(&mut self, extension: &ExtensionNumber, result: Result<&Listing, &Failure>) {
        let listing = match result {
            Ok(listing) => listing,
            Err(failure) => {
                self.remarks.push(format!("{extension} could not be verified: {failure}"));
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
    /// *not sent*, and what was to go out once more stays what its last answer made of it. While
    /// verifying, nothing more is listed.
    pub fn stop(&mut self) {
        let requests = match self.state {
            RunState::Running | RunState::Paused => {
                self.asked_to_stop = true;
                self.state = RunState::Stopping;
                self.traffic.clear()
            }
            RunState::Verifying => self.traffic.clear(),
            RunState::Stopping | RunState::Finished => Vec::new(),
        };
        for request in requests {
            if let Request::Call(id) = request {
                self.give_up(id);
            }
        }
        self.advance();
    }

    fn give_up(&mut self, id: usize) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        if let Stage::Again(settled) = &mut slot.stage {
            let settled = std::mem::take(settled);
            self.keep(id, settled);
        }
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

    fn heed_the_fuse(&mut self, had_stopped: bool) {
        if !had_stopped && self.stopped_by().is_some() {
            self.stop();
        }
    }

    fn is_good(&self, id: usize) -> bool {
        let surplus = self.reply(id).is_some_and(|reply| !reply.surplus.is_empty());
        !surplus && self.outcomes_of(id).iter().flatten().all(Outcome::is_gone)
    }

    /// On to the next state once nothing is in flight and nothing waits.
    fn advance(&mut self) {
        let sent_all = match self.state {
            RunState::Running => self.traffic.is_over(),
            RunState::Stopping => self.traffic.in_flight() == 0,
            RunState::Paused | RunState::Verifying | RunState::Finished => false,
        };
        if sent_all {
            self.state = RunState::Verifying;
            // What a guard's listing left when nothing was to be sent any more.
            self.traffic.clear();
            self.close();
            for extension in &self.touched {
                self.traffic.add(Request::Listing(extension.clone()));
            }
        }
        if self.state == RunState::Verifying && self.traffic.is_over() {
            self.state = RunState::Finished;
        }
    }

    /// Gives every event an outcome that has none: nothing more will be sent.
    fn close(&mut self) {
        for slot in self.slots.iter().filter(|slot| slot.went_out) {
            for event in slot.call.covers() {
                if self.ledger.get(event).is_none() {
                    let doubt = slot.doubt.clone();
                    self.ledger.revise(event, doubt.map_or_else(not_sent, Outcome::Unknown));
                }
            }
        }
        self.ledger.close(not_sent);
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
        self.traffic.in_flight()
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
            Stage::Waiting
            | Stage::Listing
            | Stage::Guarded
            | Stage::Sent
            | Stage::Again(_)
            | Stage::Replaced => None,
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
        let tally = self.tally();
        RunEnd {
            tally,
            revised: self.ledger.revised(),
            surplus: self.surplus.clone(),
            verified: self.is_verified(),
            stopped: tally.stopped(self.asked_to_stop, self.stopped_by()),
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
        (!taken.is_empty()).then(|| Loss::new(name, taken, known))
    }

    /// Whether the service was asked again about everything that was sent.
    pub fn is_verified(&self) -> bool {
        self.state == RunState::Finished && self.touched.is_empty()
    }

    /// Why it stopped by itself.
    pub fn stopped_by(&self) -> Option<&Failure> {
        self.traffic.stopped_by()
    }

    /// What an operator should know, since this was last asked: why a wide call was not sent, what
    /// could not be verified, that the service wants a pause.
    pub fn take_remarks(&mut self) -> Vec<String> {
        let mut remarks = std::mem::take(&mut self.remarks);
        remarks.append(&mut self.traffic.take_remarks());
        remarks
    }
}

impl Slot {
    fn of(id: usize, delete: DeleteCall, covers: Range<usize>) -> Self {
        let call = RunCall { id, delete, covers, may_have_acted: false };
        Self { call, stage: Stage::Waiting, went_out: false, doubt: None }
    }
}

fn not_sent() -> Outcome {
    Outcome::NotSent(Failure::new(
        Cause::Withheld,
        "stopped before it was sent; it is still marked",
    ))
}

#[cfg(test)]
mod tests;
