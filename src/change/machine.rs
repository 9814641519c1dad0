//! One plan being carried out, of whatever kind: which calls wait, which are in flight, what became
//! of each event. What is different for each kind stands in `delete`, `create` and `update`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Call, Cause, EventKey, ExtensionNumber, Failure, Fuse, Listing, Outcome, Stop, StopReason,
};

use super::answers::{Answers, Then, left_alone};
use super::create::{Creates, Looked};
use super::delete::{Deletes, Verdict, difference, unlisted};
use super::ledger::{Ledger, SoFar};
use super::plan::Verb;
use super::traffic::{Fate, Next, Traffic};
use super::twice::{APART, Belief, CAUGHT_UP, Twice};
use super::update::Updates;
use super::verification::{Check, Findings};
use super::wide::{Learnt, Trial, Unlisted};
use super::{Act, Done, Kind, Plan, Reply, RunCall, Settled, Tally};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// The run file is to be written: nothing is sent before.
    Opening,
    /// Calls are handed out.
    Running,
    /// Nothing new is handed out until [`Machine::resume`].
    Paused,
    /// No more calls will be handed out; what is in flight is awaited.
    Stopping,
    /// Every call has come back; the extensions touched are listed again.
    Verifying,
    /// Every event has its outcome; the last lines of the run file are to be written.
    Closing,
    /// Nothing is left to do.
    Finished,
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
    /// Nothing goes out before this time, since the start of the program.
    pub until: Duration,
    /// What went wrong; `None` where lists may lag and are to be read later.
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
    /// To be handed out; a wide call is guarded first, by a listing.
    Waiting,
    /// A wide call on which a listing of a moment ago agrees with the plan.
    Guarded,
    /// Out, without an answer.
    Sent,
    /// It went wrong, and goes out once more unless the run ends before.
    Again(Box<Settled>),
    /// Event calls took its place, or nothing was left of it.
    Replaced,
    /// Answered.
    Settled(Reply),
}

/// How far what was sent is checked by listing again.
#[derive(Debug, Default)]
struct Checking {
    /// Extensions on which something was sent and which are not checked.
    touched: BTreeMap<ExtensionNumber, Touched>,
    /// How many were checked.
    done: usize,
    /// A list said otherwise than a clear answer.
    differs: bool,
    /// Extensions that the closing listings are for, how many, and those whose list proved nothing.
    all: usize,
    given_up: BTreeSet<ExtensionNumber>,
}

impl Checking {
    /// Of a run that is gone on with all of it that was not checked is.
    fn of(plan: &Plan) -> Self {
        let Some(rest) = plan.rest() else { return Self::default() };
        let touched = rest.to_list().map(|extension| (extension.clone(), Touched::default()));
        let was_checked = rest.check.is_whole();
        Self {
            touched: touched.collect(),
            done: usize::from(was_checked),
            differs: rest.check == Check::Differs,
            ..Self::default()
        }
    }

    fn settled_from(&mut self, from: Duration) {
        self.touched.values_mut().for_each(|touched| touched.settled_from = from);
    }

    fn result(&self) -> Check {
        match (self.touched.len(), self.done) {
            (0, 0) => Check::NothingSent,
            (_, 0) => Check::NotChecked,
            // What a list of one extension said vouches for no other.
            (1.., _) => Check::InPart,
            (0, _) if self.differs => Check::Differs,
            (0, _) => Check::Agrees,
        }
    }
}

/// An extension on which something was sent.
#[derive(Debug, Default)]
struct Touched {
    /// What was listed before may lag.
    settled_from: Duration,
    /// What listings said against the answers.
    doubt: Option<Box<Twice<Findings>>>,
}

/// What is different for each kind of change.
#[derive(Debug)]
enum Rules {
    Delete(Box<Deletes>),
    Create(Creates),
    Update(Updates),
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
        let (mut slots, mut slot_of) = (Vec::new(), vec![NO_SLOT; plan.events().len()]);
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
        match &mut self.rules {
            Rules::Delete(deletes) => deletes.reviewed = time,
            Rules::Create(creates) => creates.planned = time,
            Rules::Update(_) => {}
        }
        self
    }

    /// The same in a session that has learnt this of wide calls.
    #[must_use]
    pub fn knowing(mut self, learnt: Learnt) -> Self {
        if let Rules::Delete(deletes) = &mut self.rules {
            deletes.learnt = learnt;
        }
        self
    }

    /// The same with nothing sent but questions, and no run file.
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
        let is_old = match &self.rules {
            Rules::Delete(deletes) => deletes.is_old(extension, now),
            Rules::Create(_) => false,
            Rules::Update(updates) => updates.is_old(id, extension, now),
        };
        let may_go = match (&self.rules, &call.call) {
            (Rules::Delete(deletes), Call::Delete(delete)) => deletes.allows(delete),
            (Rules::Delete(_) | Rules::Create(_) | Rules::Update(_), _) => true,
        };
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
        if let Rules::Update(updates) = &mut self.rules {
            updates.sends(id);
        }
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
                self.ledger.close(|_| Outcome::NotSent(failure.clone()));
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

    /// Takes note of a call that is looked for and sent again once nothing else is left.
    fn puts_off(&mut self, id: usize, refusal: Option<&Failure>) -> bool {
        let goes_on = matches!(self.state, RunState::Running | RunState::Paused);
        match (&mut self.rules, refusal) {
            (Rules::Create(creates), Some(why)) if goes_on && creates.puts_off(why) => {
                creates.put_off.insert(id);
                true
            }
            (Rules::Create(_) | Rules::Delete(_) | Rules::Update(_), _) => false,
        }
    }

    /// Once nothing else is left, what was put off is looked for.
    fn go_back(&mut self) {
        let Rules::Create(creates) = &mut self.rules else { return };
        let covers = creates.put_off.iter().filter_map(|id| self.slots.get(*id));
        let covers = covers.filter(|slot| slot.waits());
        let events = covers.filter_map(|slot| self.plan.events().get(slot.covers.start));
        let extensions: BTreeSet<&ExtensionNumber> =
            events.map(|event| &event.key.extension).collect();
        if extensions.is_empty() {
            return;
        }
        let touched = |it: &ExtensionNumber| self.checking.touched.get(it);
        let from: Vec<(ExtensionNumber, Duration)> = extensions
            .into_iter()
            .map(|it| (it.clone(), touched(it).map_or(Duration::ZERO, |it| it.settled_from)))
            .collect();
        for (extension, from) in &from {
            self.traffic.add_at(*from, Request::Listing(extension.clone()));
        }
        creates.go_back(from);
        self.looking = true;
        let what =
            "what was refused because of too many requests is sent again where no list shows it";
        self.remarks.push(what.to_owned());
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
            let doubt = slot.doubt.as_deref().cloned().map(Outcome::Unknown);
            for event in slot.covers.clone() {
                let tried = doubt.clone().or_else(|| self.before(event));
                events += usize::from(tried.is_none());
                self.ledger.revise(event, tried.unwrap_or_else(|| Outcome::NotSent(why.clone())));
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

    /// What the first type call took is looked for before anything else goes out.
    fn look_behind(&mut self, id: usize) {
        let acted = |outcome: &Outcome| matches!(outcome, Outcome::Deleted | Outcome::Unknown(_));
        let acted = self.outcomes_of(id).iter().flatten().any(acted);
        let is_wide = self.slots.get(id).is_some_and(|slot| slot.verb == Verb::DeleteType);
        let (Rules::Delete(deletes), true) = (&mut self.rules, is_wide) else { return };
        if let Trial::Out { extension, .. } = &deletes.trial {
            if !acted {
                deletes.trial = Trial::Open;
            } else if self.state != RunState::Stopping {
                self.traffic.add(Request::Listing(extension.clone()));
            }
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
        if let Rules::Delete(deletes) = &mut self.rules {
            self.remarks.extend(deletes.named(&self.plan, extension, &settled.reply.surplus));
            if slot.verb.is_wide() {
                self.remarks.extend(deletes.answered(id, extension, settled));
            }
        }
        if let Some(failure) = failure.filter(Failure::may_have_acted) {
            slot.doubt = Some(Box::new(failure));
            if let Rules::Update(updates) = &mut self.rules {
                updates.doubts(extension);
            }
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
        let fate = if guarded.is_some() && result.is_ok() {
            // That it can be listed says nothing of a service that deletes nothing.
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

    /// An extension was listed before one of its calls.
    fn guard(&mut self, id: usize, result: Result<&Listing, &Failure>) {
        match (self.slots.get(id), result) {
            (Some(slot), _) if matches!(slot.stage, Stage::Replaced) => {}
            (Some(slot), _) if slot.verb.is_wide() => self.guard_wide(id, result),
            (Some(slot), Ok(listing)) => {
                self.look_again(slot.covers.clone(), listing);
                if let Rules::Update(updates) = &mut self.rules {
                    updates.clear(id);
                }
                self.traffic.add_first(Request::Call(id));
            }
            (Some(slot), Err(failure)) => self.withhold(slot.covers.start, unlisted(failure)),
            (None, _) => {}
        }
    }

    /// A wide call goes out only where the extension is exactly as it was reviewed.
    fn guard_wide(&mut self, id: usize, result: Result<&Listing, &Failure>) {
        let Some(RunCall { call: Call::Delete(delete), covers, .. }) = self.call(id) else {
            return;
        };
        let (Rules::Delete(deletes), Some(slot)) = (&mut self.rules, self.slots.get_mut(id)) else {
            return;
        };
        let (plan, doubt) = (Arc::clone(&self.plan), slot.doubt.clone());
        let planned = plan.events().get(covers.clone()).unwrap_or_default();
        // An attempt without an answer may have been the first.
        let out = matches!(deletes.trial, Trial::Out { .. }) && doubt.is_some();
        let (events, remark) =
            match deletes.guard(&plan, planned, &delete, doubt.as_deref(), result) {
                Verdict::AsReviewed => {
                    if let (Ok(listing), false) = (result, out) {
                        deletes.goes_first(planned, &delete, listing);
                    }
                    slot.stage = Stage::Guarded;
                    self.traffic.add_first(Request::Call(id));
                    return;
                }
                Verdict::Differs { events, remark } => (events, remark),
            };
        slot.stage = Stage::Replaced;
        if !out && matches!(deletes.trial, Trial::Out { .. }) {
            deletes.trial = Trial::Open;
        }
        let first = self.slots.len();
        for (event, outcome) in covers.zip(events) {
            if let Some(outcome) = outcome {
                self.ledger.revise(event, outcome);
                continue;
            }
            if let Some(slot) = self.slot_of.get_mut(event) {
                *slot = self.slots.len();
            }
            let slot = Slot::of(Verb::DeleteEvent, event..event + 1);
            self.slots.push(Slot { doubt: doubt.clone(), ..slot });
        }
        for id in (first..self.slots.len()).rev() {
            self.traffic.add_first(Request::Call(id));
        }
        self.remarks.extend(Some(remark).filter(|remark| !remark.is_empty()));
        if out {
            self.try_out(delete.extension(), result.ok());
        }
    }

    /// What the first type call took, by a listing behind it. Where it took other types, the operator
    /// is to look at it before anything more goes out.
    fn try_out(&mut self, extension: &ExtensionNumber, listing: Option<&Listing>) {
        let Rules::Delete(deletes) = &mut self.rules else { return };
        self.remarks.extend(deletes.try_out(&self.plan, extension, listing));
        if deletes.took_too_much {
            self.pause();
        }
    }

    /// Of the extension of these events, what is not as it was reviewed is not sent.
    fn look_again(&mut self, events: Range<usize>, listing: &Listing) {
        let plan = Arc::clone(&self.plan);
        let Some(event) = plan.events().get(events.start) else { return };
        let extension = &event.key.extension;
        let mut changed = 0;
        for place in plan.events_of(extension) {
            let differs = plan.events().get(place).and_then(|event| difference(event, listing));
            let slot = self.slot_of.get(place).and_then(|id| self.slots.get(*id));
            let waits = slot.is_some_and(|slot| {
                !slot.verb.is_wide() && matches!(slot.stage, Stage::Waiting | Stage::Again(_))
            });
            if let (true, Some(outcome)) = (waits, differs) {
                changed += usize::from(outcome.failure().is_some());
                self.withhold(place, outcome);
            }
        }
        if changed > 0 {
            let events = if changed == 1 { "event" } else { "events" };
            let remark =
                format!("{extension}: {changed} {events} changed since the review: not sent");
            self.remarks.push(remark);
        }
    }

    /// An event has an outcome without its call; that of a call that went out stands.
    fn withhold(&mut self, event: usize, outcome: Outcome) {
        let Some(id) = self.slot_of.get(event).copied() else { return };
        let Some(slot) = self.slots.get(id) else { return };
        if matches!(slot.stage, Stage::Again(_)) {
            self.give_up(id);
            // It was made, whatever was answered.
            if outcome.new_id().is_some() {
                self.revise(event, outcome);
            }
        } else {
            self.ledger.revise(event, outcome);
            self.set_stage(id, Stage::Replaced);
        }
    }

    /// What a listing before all calls settles is not sent.
    fn look(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<&Listing, &Failure>,
        asked: Duration,
        now: Duration,
    ) {
        let plan = Arc::clone(&self.plan);
        let events = plan.events_of(extension);
        match (&mut self.rules, result) {
            (Rules::Create(creates), _) => {
                let waits = |place: &usize| {
                    let slot = self.slot_of.get(*place).and_then(|id| self.slots.get(*id));
                    slot.is_some_and(Slot::waits)
                };
                let places: Vec<usize> = events.filter(waits).collect();
                match creates.look(&plan, &places, (extension, result), asked) {
                    Looked::Sure(outcomes) => {
                        for (event, outcome) in outcomes {
                            self.withhold(event, outcome);
                        }
                    }
                    Looked::Again(at) => {
                        let what = "an earlier request may still change it: listed again soon";
                        let remark = format!("{extension}: {what}");
                        if !self.remarks.contains(&remark) {
                            self.remarks.push(remark);
                        }
                        self.traffic.add_at(at, Request::Listing(extension.clone()));
                    }
                }
            }
            (Rules::Delete(_), _) if plan.rest().is_none() => {
                self.try_out(extension, result.ok());
            }
            (rules @ (Rules::Delete(_) | Rules::Update(_)), Ok(listing)) => {
                rules.saw(extension, listing, now);
                self.look_again(events, listing);
                if listing.is_complete() {
                    self.believe(extension, listing, asked);
                }
            }
            (Rules::Delete(_) | Rules::Update(_), Err(failure)) => {
                self.remarks.push(format!("{extension} could not be listed: {failure}"));
                // It would be refused once more.
                if failure.is_refusal() {
                    self.checking.given_up.insert(extension.clone());
                }
                for event in events {
                    let outcome = self.before(event).unwrap_or_else(|| unlisted(failure));
                    match self.ledger.get(event) {
                        Some(Outcome::NotSent(_)) => self.ledger.revise(event, outcome),
                        Some(_) => {}
                        None => self.withhold(event, outcome),
                    }
                }
            }
        }
    }

    /// What became of an event before this run was gone on with, where a call for it went out.
    fn before(&self, event: usize) -> Option<Outcome> {
        let outcome = self.plan.rest()?.outcomes.get(event)?;
        (!matches!(outcome, Outcome::NotSent(_))).then(|| outcome.clone())
    }

    /// What the service lists has the last word; where it says otherwise than the answers did, once
    /// it says so twice.
    fn verify(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<&Listing, &Failure>,
        asked: Duration,
    ) {
        let why = match result {
            Ok(listing) if listing.is_complete() => return self.believe(extension, listing, asked),
            Ok(_) => "its list is not complete".to_owned(),
            Err(failure) => failure.to_string(),
        };
        self.checking.given_up.insert(extension.clone());
        self.remarks.push(format!("{extension} could not be checked: {why}"));
    }

    fn believe(&mut self, extension: &ExtensionNumber, listing: &Listing, asked: Duration) {
        if matches!(&self.rules, Rules::Delete(deletes) if deletes.trial.is_out_on(extension)) {
            self.try_out(extension, Some(listing));
        }
        let before = self.plan.rest().map(Arc::as_ref);
        let so_far = SoFar { ledger: &self.ledger, before };
        let mut findings = match &self.rules {
            Rules::Delete(deletes) => deletes.find(&self.plan, extension, &so_far, listing),
            Rules::Create(creates) => creates.find(&self.plan, extension, &so_far, listing),
            Rules::Update(updates) => updates.find(&self.plan, extension, &so_far, listing),
        };
        // What is there and has a call yet to go is settled by its answer.
        let before_calls = self.state != RunState::Verifying;
        findings.corrected.retain(|(event, _)| {
            let slot = self.slot_of.get(*event).and_then(|id| self.slots.get(*id));
            let waits = slot.is_some_and(|slot| matches!(slot.stage, Stage::Waiting));
            let key = self.plan.events().get(*event).map(|event| &event.key);
            !(before_calls && waits && key.is_some_and(|key| listing.lists(key)))
        });
        let Some(touched) = self.checking.touched.get_mut(extension) else { return };
        if findings.is_clean() && touched.doubt.is_none() {
            self.correct(extension, findings);
            return;
        }
        let begins = touched.doubt.is_none();
        let from = touched.settled_from;
        let doubt = touched.doubt.get_or_insert_with(|| Box::new(Twice::from(from)));
        let apart = if findings.is_strange() { CAUGHT_UP } else { APART };
        match doubt.take(findings, asked, apart) {
            Belief::Sure(findings) => self.correct(extension, findings),
            Belief::Again(at) => {
                self.traffic.add_at(at, Request::Listing(extension.clone()));
                if begins {
                    let what = "is listed otherwise than it was answered: listed again soon";
                    self.remarks.push(format!("{extension} {what}"));
                }
            }
            Belief::Never => {
                self.checking.given_up.insert(extension.clone());
                let what = "could not be checked: its lists contradict each other";
                self.remarks.push(format!("{extension} {what}"));
            }
        }
    }

    fn correct(&mut self, extension: &ExtensionNumber, findings: Findings) {
        let Findings { added, corrected, surplus, strange, still_there, differs, unsure: _ } =
            findings;
        self.checking.touched.remove(extension);
        self.checking.done += 1;
        self.checking.differs |= differs;
        if !surplus.is_empty() {
            let what = "gone that were not in the plan";
            self.remarks.push(format!("{extension}: {} {what}", surplus.len()));
        }
        if !strange.is_empty() {
            let what = "gone though this run sent nothing for them: deleted by somebody else";
            self.remarks.push(format!("{extension}: {} {what}", strange.len()));
        }
        if let Rules::Delete(deletes) = &mut self.rules {
            deletes.correct(surplus, strange, still_there);
        }
        for (event, outcome) in added.into_iter().chain(corrected) {
            let refused = matches!(self.ledger.get(event), Some(Outcome::Refused(_)));
            let went_all_the_same = refused && matches!(outcome, Outcome::Unknown(_));
            let id = self.slot_of.get(event).copied().unwrap_or_default();
            let is_wide = self.slots.get(id).is_some_and(|slot| slot.verb.is_wide());
            if let (Rules::Delete(deletes), true) = (&mut self.rules, is_wide && went_all_the_same)
            {
                deletes.silent.insert(id);
            }
            if let Some(slot) = self.slots.get_mut(id)
                && matches!(slot.stage, Stage::Waiting)
            {
                slot.stage = Stage::Replaced;
            }
            self.revise(event, outcome);
        }
    }

    /// Hands out no more calls; what is in flight is still awaited, the run file too. What was not handed out is
    /// *not sent*, and what was to go out once more stays what its last answer made of it. While
    /// verifying, that ends at once.
    pub fn stop(&mut self) {
        self.stop_for(Stop::by_operator());
    }

    /// The same, with who asked for it.
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
        if let Rules::Create(creates) = &mut self.rules {
            for id in std::mem::take(&mut creates.put_off) {
                self.give_up(id);
            }
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
        let good = |it: &Outcome| it.failure().is_none() && it.altered().is_none();
        !surplus && !self.is_silent(id) && self.outcomes_of(id).iter().flatten().all(good)
    }

    /// On to the next state once nothing is in flight and nothing waits.
    fn advance(&mut self) {
        if self.state == RunState::Running && self.looking && self.traffic.is_over() {
            let slots = self.slots.iter().enumerate();
            let waits = |(_, slot): &(usize, &Slot)| slot.waits();
            let first = match &mut self.rules {
                Rules::Delete(deletes) if !self.simulated => {
                    let waiting = slots.clone().skip(deletes.tried).filter(waits);
                    deletes.next_to_try(waiting.map(|(id, slot)| {
                        let first = self.plan.events().get(slot.covers.start);
                        let of_type = slot.verb == Verb::DeleteType;
                        let tells =
                            of_type && first.is_some_and(|it| Deletes::tells(&self.plan, it));
                        (id, slot.verb.form(), tells)
                    }))
                }
                Rules::Delete(_) | Rules::Create(_) | Rules::Update(_) => None,
            };
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

    /// What only a listing could have told, and none did.
    fn conclude(&mut self) {
        if let Rules::Create(_) = self.rules {
            for (event, outcome) in Creates::conclude(&self.ledger) {
                self.revise(event, outcome);
            }
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
                    let doubt = slot.doubt.as_deref().cloned().map(Outcome::Unknown);
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
            still_there: self.deletes().map_or(Vec::new(), |it| it.still_there.clone()),
            check: self.check(),
            stopped: self.stopped(),
        }
    }

    /// Why something is left to be done, where it stopped by itself or was asked to.
    pub fn stopped(&self) -> Option<Stop> {
        self.tally().stopped(self.stopped_by(), self.asked.as_ref())
    }

    fn deletes(&self) -> Option<&Deletes> {
        match &self.rules {
            Rules::Delete(deletes) => Some(deletes),
            Rules::Create(_) | Rules::Update(_) => None,
        }
    }

    /// What was listed, was not planned, and is gone after the run.
    pub fn surplus(&self) -> &[EventKey] {
        self.deletes().map_or(&[], |deletes| &deletes.surplus)
    }

    /// What answers named that was neither planned nor listed: it is gone too.
    pub fn unlisted(&self) -> &[Unlisted] {
        self.deletes().map_or(&[], |deletes| &deletes.unlisted)
    }

    /// How many events are known to have gone beside the plan.
    pub fn beside(&self) -> usize {
        self.surplus().len() + self.unlisted().len()
    }

    /// Whether a wide call may have taken something and its answer does not say what.
    pub fn is_silent(&self, id: usize) -> bool {
        self.deletes().is_some_and(|deletes| deletes.silent.contains(&id))
    }

    /// Whether every wide call that may have taken something told what.
    pub fn is_surplus_known(&self) -> bool {
        self.deletes().is_none_or(|deletes| deletes.silent.is_empty() && !deletes.silent_before)
    }

    /// What a session that had learnt this knows of wide calls now.
    pub fn learnt(&self, before: Learnt) -> Learnt {
        self.deletes().map_or(before, |deletes| deletes.learnt)
    }

    /// Whether a type call of this run took other types too.
    pub fn took_too_much(&self) -> bool {
        self.deletes().is_some_and(|deletes| deletes.took_too_much)
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
            self.doubt = Some(Box::new(failure));
        }
    }
}

impl Rules {
    fn of(plan: &Plan) -> Self {
        let restores = plan.kind() == Kind::Undo;
        if plan.changes() {
            return Self::Update(Updates::new(restores));
        }
        if restores {
            return Self::Create(Creates::default());
        }
        let deletes = plan.rest().map_or_else(Deletes::default, |rest| Deletes::of_rest(rest));
        Self::Delete(Box::new(deletes))
    }

    fn looks_first(&self) -> bool {
        match self {
            Self::Delete(_) | Self::Update(_) => false,
            Self::Create(_) => true,
        }
    }

    /// An extension was listed before a call of it.
    fn saw(&mut self, extension: &ExtensionNumber, listing: &Listing, now: Duration) {
        match self {
            Self::Delete(deletes) => deletes.saw(extension, now),
            Self::Update(updates) => updates.saw(extension, listing, now),
            Self::Create(_) => {}
        }
    }

    /// What is deleted or changed twice is as if done once; what is made twice is there twice, and a
    /// service that answers may lie about what it did.
    fn may_repeat(&self, failure: &Failure) -> bool {
        match self {
            Self::Delete(_) | Self::Update(_) => true,
            Self::Create(_) => failure.http_status.is_none() && !failure.may_have_acted(),
        }
    }

    fn not_sent(&self) -> Outcome {
        let why = match self {
            Self::Delete(_) | Self::Update(_) => "stopped before it was sent",
            Self::Create(_) => "stopped before it was re-created; undo the run again",
        };
        Outcome::NotSent(Failure::new(Cause::Withheld, why))
    }
}

#[cfg(test)]
pub(super) mod tests;
