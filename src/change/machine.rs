//! One plan being carried out, of whatever kind: which calls wait, which are in flight, what became
//! of each event. What is different for each kind stands in `delete`, `create` and `update`.

mod checking;
mod looking;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{EventKey, ExtensionNumber, Failure, Fuse, Listing, Outcome, Stop, StopReason};

use super::answers::{Answers, Then, left_alone};
use super::delete::Deletes;
use super::ledger::Ledger;
use super::plan::Verb;
use super::rules::Rules;
use super::traffic::{Fate, Next, Traffic};
use super::twice::CAUGHT_UP;
use super::verification::Check;
use super::wide::{Learnt, Unlisted};
use super::{Act, Done, Plan, Reply, Settled, Tally};
use checking::Checking;

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// The run file is being written; nothing is sent before.
    Opening,
    /// Calls are handed out.
    Running,
    /// Nothing new is sent until [`Machine::resume`].
    Paused,
    /// No more calls will be handed out; what is in flight is awaited.
    Stopping,
    /// Every call has come back; the extensions touched are listed again.
    Verifying,
    /// Every event has its outcome; the last lines of the run file are to be written.
    Closing,
    /// The run has ended.
    Finished,
}

/// The results of a run that its file keeps at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunEnd {
    /// Events by outcome.
    pub tally: Tally,
    /// The events whose outcome is not what the answer to their call said, with what is true.
    pub revised: Vec<(usize, Outcome)>,
    /// What was listed when the plan was made, was not planned, and is gone after the run.
    pub surplus: Vec<EventKey>,
    /// What the service said when it was asked again about what was sent.
    pub check: Check,
    /// What an answer named beside the plan, and a listing showed afterwards all the same.
    pub still_there: Vec<Unlisted>,
    /// Why not everything was done; `None` where everything was.
    pub stopped: Option<Stop>,
}

/// A wait of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting<'a> {
    /// Nothing is sent before this time, counted from the start of the program.
    pub until: Duration,
    /// The failure behind the wait; `None` where lists may lag.
    pub why: Option<&'a Failure>,
}

/// Where an event has no call.
const NO_SLOT: usize = usize::MAX;

/// A request of a run, in the order in which requests of one kind are repeated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Request {
    /// A call, or the listing that guards it.
    Call(usize),
    /// A listing before all calls, or after them.
    Listing(ExtensionNumber),
}

/// A call and how far it is.
#[derive(Debug)]
struct Slot {
    verb: Verb,
    covers: Range<usize>,
    stage: Stage,
    /// It went out: the run file holds an answer to it, or will.
    went_out: bool,
    /// What an attempt ended with that may have been carried out all the same.
    doubt: Option<Box<Failure>>,
    /// Once settled: whether it did all it should, and its place among those that did or did not.
    shelf: Option<(bool, usize)>,
}

#[derive(Debug)]
enum Stage {
    /// Waiting to be sent; a wide call is first guarded by a listing.
    Waiting,
    /// A wide call on which a listing of a moment ago agrees with the plan.
    Guarded,
    /// Sent, not answered yet.
    Sent,
    /// The call failed and is sent once more unless the run ends first.
    Again(Box<Settled>),
    /// Event calls took its place, or nothing was left of it.
    Replaced,
    /// Answered.
    Settled(Reply),
}

/// The execution of one plan. It sends nothing: it says what is to be done next, never more than
/// `concurrency` at once, and keeps what came back. Times are since the start of the program. Its
/// work for each answer does not grow with the plan.
#[derive(Debug)]
pub struct Machine {
    plan: Arc<Plan>,
    name: String,
    simulated: bool,
    state: RunState,
    /// Who asked it to stop before everything was sent.
    asked: Option<Stop>,
    /// Why it stopped by itself.
    stopped_by: Option<Failure>,
    /// The run file is being opened or closed.
    filing: bool,
    /// Something comes before all other calls: a listing of each extension, or the first wide call,
    /// alone, and where it is for a type a listing behind it.
    looking: bool,
    rules: Rules,
    slots: Vec<Slot>,
    /// The slot that each event is in, by the place of the event.
    slot_of: Vec<usize>,
    traffic: Traffic<Request>,
    answers: Answers,
    listings: Fuse,
    /// Calls that wait for a listing of their extension; the first of them asked for it.
    guarded: BTreeMap<ExtensionNumber, Vec<usize>>,
    ledger: Ledger,
    /// Settled calls: those that did not do all they should, and those that did.
    failed: Vec<usize>,
    succeeded: Vec<usize>,
    checking: Checking,
    remarks: Vec<String>,
}

impl Machine {
    /// A run of this plan with at most so many requests in flight.
    pub fn new(plan: Arc<Plan>, concurrency: usize) -> Self {
        let rules = Rules::of(&plan);
        let wide = plan.calls.iter().position(|call| call.verb.is_wide());
        let looking = plan.rest().is_some() || rules.looks_first() || wide.is_some();
        let requests: Vec<Request> = match (plan.rest(), wide) {
            (Some(rest), _) => rest.to_list().cloned().map(Request::Listing).collect(),
            (None, Some(first)) => vec![Request::Call(first)],
            (None, None) if looking => plan.numbers().cloned().map(Request::Listing).collect(),
            (None, None) => (0..plan.calls()).map(Request::Call).collect(),
        };
        let mut slots = Vec::with_capacity(plan.calls());
        let mut slot_of = vec![NO_SLOT; plan.events().len()];
        let mut held = Vec::new();
        let mut known: Vec<Option<Outcome>> = match plan.rest() {
            Some(rest) => rest.outcomes.iter().cloned().map(Some).collect(),
            None => vec![None; plan.events().len()],
        };
        for (id, call) in plan.calls.iter().enumerate() {
            let mut slot = Slot::of(call.verb, call.covers.clone());
            for event in call.covers.clone() {
                slot.doubts(known.get_mut(event).and_then(Option::take));
                if let Some(slot) = slot_of.get_mut(event) {
                    *slot = id;
                }
                if let Some(outcome) = plan.held(event) {
                    slot.stage = Stage::Replaced;
                    held.push((event, outcome.clone()));
                }
            }
            slots.push(slot);
        }
        let mut ledger = Ledger::new(known);
        for (event, outcome) in held {
            ledger.revise(event, outcome);
        }
        Self {
            name: String::new(),
            simulated: false,
            state: RunState::Opening,
            asked: None,
            stopped_by: None,
            filing: false,
            looking,
            rules,
            slots,
            slot_of,
            traffic: Traffic::new(concurrency, requests),
            answers: Answers::default(),
            listings: Fuse::default(),
            guarded: BTreeMap::new(),
            ledger,
            failed: Vec::new(),
            succeeded: Vec::new(),
            checking: Checking::of(&plan),
            remarks: Vec::new(),
            plan,
        }
    }

    /// What the plan deletes was listed at this time, or later; that is at the start of the program
    /// where nothing else is said.
    #[must_use]
    pub fn reviewed_at(mut self, time: Duration) -> Self {
        self.rules.rest_on(time);
        self
    }

    /// A machine that knows what the session learnt of wide calls.
    #[must_use]
    pub fn knowing(mut self, learnt: Learnt) -> Self {
        if let Some(deletes) = self.rules.deletes_mut() {
            deletes.learnt = learnt;
        }
        self
    }

    /// A machine that sends only questions and writes no run file.
    pub fn simulating(plan: Arc<Plan>, concurrency: usize) -> Self {
        let name = "simulated".to_owned();
        Self { name, simulated: true, state: RunState::Running, ..Self::new(plan, concurrency) }
    }

    /// What is to be done now, in the order of the plan; it is in flight from here on.
    pub fn hand_out(&mut self, now: Duration) -> Vec<Act> {
        match self.state {
            RunState::Running | RunState::Verifying => {}
            RunState::Paused | RunState::Stopping | RunState::Finished => return Vec::new(),
            RunState::Opening | RunState::Closing if self.filing => return Vec::new(),
            RunState::Opening => {
                self.filing = true;
                return vec![Act::Open(Arc::clone(&self.plan))];
            }
            RunState::Closing => {
                self.filing = true;
                return vec![Act::Close(self.end())];
            }
        }
        let mut acts = Vec::new();
        loop {
            let next = self.traffic.hand_out(now);
            let all = next.len();
            let before = acts.len();
            acts.extend(next.into_iter().filter_map(|next| self.act(next, now)));
            if acts.len() - before == all {
                return acts;
            }
            // Some had their outcome already, and left room for others.
            self.advance();
            if acts.is_empty() && self.state == RunState::Closing {
                return self.hand_out(now);
            }
        }
    }

    fn act(&mut self, next: Next<Request>, now: Duration) -> Option<Act> {
        let id = match next {
            Next::Wait(time) => return Some(Act::Wait(time)),
            Next::Go(Request::Listing(extension)) => return Some(Act::List(extension)),
            Next::Go(Request::Call(id)) => id,
        };
        let call = self.call(id)?;
        let extension = call.call.extension();
        let is_old = self.rules.is_old(id, extension, now);
        let may_go = self.rules.allows(&call.call);
        let slot = self.slots.get_mut(id)?;
        if matches!(slot.stage, Stage::Replaced | Stage::Settled(_)) {
            self.traffic.asked(&Request::Call(id), now);
            return None;
        }
        let is_guarded = may_go && matches!(slot.stage, Stage::Guarded);
        let unguarded = slot.verb.is_wide() && !is_guarded;
        if unguarded || is_old {
            if slot.verb.is_wide() {
                slot.stage = Stage::Waiting;
            }
            let calls = self.guarded.entry(extension.clone()).or_default();
            calls.push(id);
            if calls.len() == 1 {
                return Some(Act::List(extension.clone()));
            }
            // One listing does for all of them.
            self.traffic.asked(&Request::Call(id), now);
            return None;
        }
        self.rules.sends(id);
        (slot.stage, slot.went_out) = (Stage::Sent, true);
        Some(Act::Send(call))
    }

    /// Takes what came of an act that was handed out.
    pub fn take(&mut self, done: Done, now: Duration) {
        match done {
            Done::Opened(opened) => self.opened(opened, now),
            Done::Settled { call, settled, .. } => self.settle(call, settled, now),
            Done::Listed { extension, result, .. } => self.listed(&extension, result.as_ref(), now),
            Done::Closed(_) if self.state == RunState::Closing => self.state = RunState::Finished,
            Done::Waited | Done::Closed(_) => {}
        }
    }

    /// Takes whether the run file is on disk; without it nothing is sent.
    fn opened(&mut self, opened: Result<String, Failure>, now: Duration) {
        if self.state != RunState::Opening {
            return;
        }
        self.filing = false;
        match opened {
            Ok(name) => {
                (self.name, self.state) = (name, RunState::Running);
                if let Some(rest) = self.plan.rest() {
                    self.checking.settled_from(now.saturating_add(rest.unsettled_for()));
                }
                // Asked for while it was being written: no call goes out.
                if let Some(asked) = self.asked.take() {
                    self.stop_for(asked);
                }
                // A run that is gone on with may have nothing left, not even to list.
                self.advance();
            }
            Err(failure) => {
                self.ledger.close(|_| Outcome::NotSent(failure.clone().into()));
                self.state = RunState::Finished;
            }
        }
    }

    /// Takes what became of a call that was handed out.
    pub fn settle(&mut self, id: usize, settled: Settled, now: Duration) {
        let Some(slot) = self.slots.get(id) else { return };
        if !matches!(slot.stage, Stage::Sent) || settled.outcomes.len() != slot.covers.len() {
            return;
        }
        let failure = settled.outcomes.iter().find_map(Outcome::failure).cloned();
        let any_done = settled.outcomes.iter().any(|outcome| outcome.failure().is_none());
        let refusal = failure.clone().filter(|_| !any_done);
        let may_repeat = matches!(self.state, RunState::Running | RunState::Paused)
            && failure.as_ref().is_none_or(|failure| self.rules.may_repeat(failure));
        let sent = self.traffic.since(&Request::Call(id)).unwrap_or(now);
        let fate = self.traffic.came_back(&Request::Call(id), refusal.as_ref(), may_repeat, now);
        self.note_what_it_may_have_done(id, &settled, failure, sent);
        let put_off = fate == Some(Fate::Settled) && self.puts_off(id, refusal.as_ref());
        match fate {
            None => return,
            Some(Fate::Again) => self.set_stage(id, Stage::Again(Box::new(settled))),
            Some(Fate::Settled) if put_off => self.set_stage(id, Stage::Again(Box::new(settled))),
            Some(Fate::Settled) => {
                self.keep(id, settled);
                self.look_behind(id);
                self.weigh(id, refusal.as_ref());
            }
        }
        self.heed(None);
        self.advance();
    }

    /// What the last answer to a call says of the calls that wait.
    fn weigh(&mut self, id: usize, failure: Option<&Failure>) {
        let event = self.slots.get(id).and_then(|slot| self.plan.events().get(slot.covers.start));
        let Some(extension) = event.map(|event| event.key.extension.clone()) else { return };
        let is_last = failure.is_some() && self.open_slots(&extension).next().is_none();
        match (self.answers.take(&extension, failure, is_last), failure) {
            (Then::Leave, Some(failure)) => self.leave(&extension, &left_alone(failure)),
            (Then::Stop, Some(_)) => self.heed(failure),
            (Then::GoOn, _) | (Then::Leave | Then::Stop, None) => {}
        }
    }

    /// Calls on an extension that have no last answer, the last ones first.
    fn open_slots(&self, extension: &ExtensionNumber) -> impl Iterator<Item = usize> {
        let ids =
            self.plan.events_of(extension).rev().filter_map(|it| self.slot_of.get(it).copied());
        ids.filter(|id| {
            let stage = self.slots.get(*id).map(|slot| &slot.stage);
            stage.is_some_and(|stage| !matches!(stage, Stage::Replaced | Stage::Settled(_)))
        })
    }

    /// The rest of an extension is not sent.
    fn leave(&mut self, extension: &ExtensionNumber, why: &Failure) {
        let rest: BTreeSet<usize> = self.open_slots(extension).collect();
        let mut events = 0;
        for id in &rest {
            let Some(slot) = self.slots.get(*id) else { continue };
            match &slot.stage {
                Stage::Waiting | Stage::Guarded => {}
                Stage::Again(_) => {
                    self.give_up(*id);
                    continue;
                }
                Stage::Sent | Stage::Replaced | Stage::Settled(_) => continue,
            }
            let doubt = slot.doubt.clone().map(Outcome::Unknown);
            for event in slot.covers.clone() {
                let tried = doubt.clone().or_else(|| self.before(event));
                events += usize::from(tried.is_none());
                self.ledger
                    .revise(event, tried.unwrap_or_else(|| Outcome::NotSent(why.clone().into())));
            }
            self.set_stage(*id, Stage::Replaced);
        }
        self.traffic.keep_later(|request| match request {
            Request::Call(id) => !rest.contains(id),
            Request::Listing(_) => true,
        });
        if events > 0 {
            self.remarks.push(format!("{extension} is left alone, {events} {why}"));
        }
    }

    fn note_what_it_may_have_done(
        &mut self,
        id: usize,
        settled: &Settled,
        failure: Option<Failure>,
        sent: Duration,
    ) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let Some(event) = self.plan.events().get(slot.covers.start) else { return };
        let extension = &event.key.extension;
        if settled.outcomes.iter().any(|outcome| !matches!(outcome, Outcome::NotSent(_))) {
            let touched = self.checking.touched.entry(extension.clone()).or_default();
            touched.settled_from = touched.settled_from.max(sent.saturating_add(CAUGHT_UP));
        }
        let call = (id, slot.verb.is_wide());
        self.remarks.extend(self.rules.answered(&self.plan, call, extension, settled));
        if let Some(failure) = failure.filter(Failure::may_have_acted) {
            slot.doubt = Some(Box::new(failure));
            self.rules.doubts(extension);
        }
    }

    /// Takes the final result of a call.
    fn keep(&mut self, id: usize, settled: Settled) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.stage = Stage::Settled(settled.reply);
        for (event, outcome) in slot.covers.clone().zip(settled.outcomes) {
            self.ledger.set(event, outcome);
        }
        self.shelve(id);
    }

    /// Puts a settled call among those that did all they should, or among the others.
    fn shelve(&mut self, id: usize) {
        let good = self.is_good(id);
        let Some(slot) = self.slots.get_mut(id) else { return };
        if !matches!(slot.stage, Stage::Settled(_)) {
            return;
        }
        let before = slot.shelf;
        if before.is_some_and(|(was_good, _)| was_good == good) {
            return;
        }
        let (to, from) = if good {
            (&mut self.succeeded, &mut self.failed)
        } else {
            (&mut self.failed, &mut self.succeeded)
        };
        slot.shelf = Some((good, to.len()));
        to.push(id);
        let Some((was_good, place)) = before else { return };
        // The last one takes the place that falls free: nothing else moves.
        from.swap_remove(place);
        if let Some(moved) = from.get(place).and_then(|moved| self.slots.get_mut(*moved)) {
            moved.shelf = Some((was_good, place));
        }
    }

    /// Takes the listing that an act asked for.
    pub fn listed(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<&Listing, &Failure>,
        now: Duration,
    ) {
        let guarded = self.guarded.get(extension).and_then(|calls| calls.first()).copied();
        let request = match guarded {
            Some(id) => Request::Call(id),
            None => Request::Listing(extension.clone()),
        };
        // A run that stopped by itself looks once at what it did.
        let looks_once = self.state == RunState::Verifying && self.stopped_by.is_some();
        // What there is no room for yet was not asked.
        let has_no_room = result.err().is_some_and(Failure::has_no_room);
        let may_repeat = (!looks_once || has_no_room)
            && !matches!(self.state, RunState::Stopping | RunState::Finished);
        let asked = self.traffic.since(&request).unwrap_or(now);
        let between = guarded.is_some() || self.is_between_posts();
        let fate = if between && result.is_ok() {
            // That it can be listed says nothing of a service that deletes or makes nothing.
            self.traffic.asked(&request, now).then_some(Fate::Settled)
        } else {
            self.traffic.came_back(&request, result.err(), may_repeat, now)
        };
        match (guarded, fate) {
            (_, None) => return,
            (Some(id), Some(fate)) => {
                let calls = self.guarded.remove(extension).unwrap_or_default();
                for other in calls.into_iter().skip(1).rev() {
                    self.traffic.add_first(Request::Call(other));
                }
                if let Ok(listing) = result {
                    self.rules.saw(extension, listing, now);
                }
                if fate == Fate::Settled {
                    self.guard(id, result);
                }
            }
            (None, Some(Fate::Settled)) if self.state == RunState::Verifying => {
                self.verify(extension, result, asked);
            }
            (None, Some(Fate::Settled)) => self.look(extension, result, asked, now),
            (None, Some(Fate::Again)) => {}
        }
        // What the service has against one extension says nothing of the next.
        let of_one = self.plan.rest().is_some() && guarded.is_none();
        let counts = |failure: &&Failure| {
            let is_told = of_one && failure.is_of_its_extension();
            (looks_once || !failure.is_worth_repeating()) && !is_told
        };
        let settled = fate == Some(Fate::Settled);
        let why = result.err().filter(counts).filter(|_| settled);
        let enough = (settled && (why.is_some() || result.is_ok())) && self.listings.blows(why);
        self.heed(why.filter(|_| enough));
        self.advance();
    }

    fn set_stage(&mut self, id: usize, stage: Stage) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.stage = stage;
        }
    }

    /// Hands out no more calls; what is in flight is still awaited, the run file too. What was not handed out is
    /// *not sent*, and what was to go out once more stays what its last answer made of it. While
    /// verifying, that ends at once.
    pub fn stop(&mut self) {
        self.stop_for(Stop::by_operator());
    }

    /// Stops the run, and keeps who asked for it.
    pub fn stop_for(&mut self, asked: Stop) {
        match self.state {
            RunState::Opening => {
                self.asked = Some(asked);
                return;
            }
            RunState::Running | RunState::Paused => {
                self.state = RunState::Stopping;
                self.asked = Some(asked);
            }
            // What was still asked is answered too late; what it left open is nobody else's doing.
            RunState::Verifying => {
                self.asked.get_or_insert(asked);
                self.traffic.forget();
            }
            RunState::Stopping | RunState::Closing | RunState::Finished => return,
        }
        self.give_up_waiting();
        self.advance();
    }

    fn give_up_waiting(&mut self) {
        for request in self.traffic.clear() {
            if let Request::Call(id) = request {
                self.give_up(id);
            }
        }
        for id in self.rules.take_put_off() {
            self.give_up(id);
        }
    }

    fn give_up(&mut self, id: usize) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        if let Stage::Again(settled) = &mut slot.stage {
            let settled = std::mem::take(&mut **settled);
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
            for slot in self.slots.iter_mut().filter(|slot| matches!(slot.stage, Stage::Guarded)) {
                slot.stage = Stage::Waiting;
            }
            self.state = RunState::Running;
            self.advance();
        }
    }

    /// Stops the run, or ends its checking, for this reason or where the service is in too much
    /// trouble.
    fn heed(&mut self, why: Option<&Failure>) {
        let Some(why) = why.or(self.traffic.stopped_by()).cloned() else { return };
        match self.state {
            RunState::Running | RunState::Paused => {
                (self.state, self.stopped_by) = (RunState::Stopping, Some(why));
                self.give_up_waiting();
            }
            RunState::Verifying => {
                self.remarks.push(format!("the checking ends: {why}"));
                self.traffic.forget();
                self.give_up_waiting();
            }
            RunState::Opening | RunState::Stopping | RunState::Closing | RunState::Finished => {}
        }
    }

    fn is_good(&self, id: usize) -> bool {
        let surplus = self.reply(id).is_some_and(|reply| !reply.surplus.is_empty());
        let mut outcomes = self.outcomes_of(id).iter().flatten();
        !surplus && !self.is_silent(id) && outcomes.all(Outcome::is_well)
    }

    /// On to the next state once nothing is in flight and nothing waits.
    fn advance(&mut self) {
        if self.state == RunState::Running && self.looking && self.traffic.is_over() {
            self.go_on();
        }
        if self.state == RunState::Running && self.traffic.is_over() {
            self.go_back();
        }
        let sent_all = self.state == RunState::Running && self.traffic.is_over();
        let stopped = self.state == RunState::Stopping && self.traffic.in_flight() == 0;
        if sent_all || stopped {
            self.state = RunState::Verifying;
            // What a guard's listing left when nothing was to be sent any more.
            self.give_up_waiting();
            self.close();
            self.checking.all = self.checking.touched.len();
            self.traffic.begin_anew();
            self.listings = Fuse::default();
            // A PBX that asked for a long pause is not listed for the check either.
            if self.stopped().is_none_or(|stop| stop.reason != StopReason::RetryAfter) {
                let given_up = &self.checking.given_up;
                for extension in self.checking.touched.keys().filter(|it| !given_up.contains(*it)) {
                    self.traffic.add(Request::Listing(extension.clone()));
                }
            }
        }
        if self.state == RunState::Verifying && self.traffic.is_over() {
            self.conclude();
            self.state = if self.simulated { RunState::Finished } else { RunState::Closing };
        }
    }

    /// What came before all calls is done: the calls that wait go out, or one of them alone.
    fn go_on(&mut self) {
        let slots = self.slots.iter().enumerate();
        let waits = |(_, slot): &(usize, &Slot)| slot.waits();
        let simulated = self.simulated;
        let first = self.rules.deletes_mut().filter(|_| !simulated).and_then(|deletes| {
            let waiting = slots.clone().skip(deletes.tried).filter(waits);
            deletes.next_to_try(waiting.map(|(id, slot)| {
                let first = self.plan.events().get(slot.covers.start);
                let of_type = slot.verb == Verb::DeleteType;
                let tells = of_type && first.is_some_and(|it| Deletes::tells(&self.plan, it));
                (id, slot.verb.form(), tells)
            }))
        });
        self.looking = first.is_some();
        match first {
            Some(id) => self.traffic.add(Request::Call(id)),
            None => {
                for (id, _) in slots.filter(waits) {
                    self.traffic.add(Request::Call(id));
                }
            }
        }
    }

    /// What only a listing could have told, and none did.
    fn conclude(&mut self) {
        for (event, outcome) in self.rules.conclude(&self.ledger) {
            self.revise(event, outcome);
        }
    }

    fn revise(&mut self, event: usize, outcome: Outcome) {
        self.ledger.revise(event, outcome);
        if let Some(id) = self.slot_of.get(event) {
            self.shelve(*id);
        }
    }

    /// Gives every event an outcome that has none: nothing more will be sent.
    fn close(&mut self) {
        let not_sent = self.rules.not_sent();
        for slot in self.slots.iter().filter(|slot| slot.went_out) {
            for event in slot.covers.clone() {
                if self.ledger.get(event).is_none() {
                    let doubt = slot.doubt.clone().map(Outcome::Unknown);
                    self.ledger.revise(event, doubt.unwrap_or_else(|| not_sent.clone()));
                }
            }
        }
        let outcomes = self.plan.rest().map(|rest| &rest.outcomes);
        let open = |event: usize| outcomes.and_then(|outcomes| outcomes.get(event));
        let tried = |outcome: &&Outcome| !matches!(outcome, Outcome::NotSent(_));
        self.ledger
            .close(|event| open(event).filter(tried).cloned().unwrap_or_else(|| not_sent.clone()));
    }
}

impl Slot {
    fn of(verb: Verb, covers: Range<usize>) -> Self {
        let (stage, went_out, doubt, shelf) = (Stage::Waiting, false, None, None);
        Self { verb, covers, stage, went_out, doubt, shelf }
    }

    fn is_sent(&self) -> bool {
        matches!(self.stage, Stage::Sent)
    }

    /// It is to go out, for the first time or once more.
    fn waits(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Again(_))
    }

    /// Takes what became of one of its events before the run was gone on with.
    fn doubts(&mut self, before: Option<Outcome>) {
        if let Some(Outcome::Unknown(failure)) = before {
            self.doubt = Some(failure);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
