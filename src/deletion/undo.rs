//! The way back: events that a run deleted are made again, and none of them twice.
//!
//! Each extension is listed before and after. An event that is there is not made again, and one
//! whose POST has no clear answer is looked for afterwards; a POST is never repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Cause, EventId, EventKey, ExtensionNumber, Failure, Foreign, Listing, Outcome, PhoneCallEvent,
    PlanHash, PlanHasher, Target, WriteAnswer,
};

use super::ledger::Ledger;
use super::plan::span_of;
use super::traffic::{Fate, Next, Traffic};
use super::{RunEnd, RunState, Tally};

/// What a run took, and what of it is not there again: the source of every undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    run: String,
    events: Vec<PhoneCallEvent>,
    /// Events that an interrupted undo may have made.
    suspects: BTreeSet<EventKey>,
    /// Every event that the run and its undos knew: none of them is one that was made unseen.
    known: BTreeSet<EventKey>,
    /// Events that were made without the service telling their new ids.
    unnamed: Vec<PhoneCallEvent>,
}

impl Loss {
    /// What the run of this name took, of all that it knew.
    pub fn new(
        run: &str,
        mut events: Vec<PhoneCallEvent>,
        known: impl IntoIterator<Item = EventKey>,
    ) -> Self {
        events.sort_by(|a, b| a.key.cmp(&b.key));
        Self {
            run: run.to_owned(),
            events,
            suspects: BTreeSet::new(),
            known: known.into_iter().collect(),
            unnamed: Vec::new(),
        }
    }

    /// Takes in what an undo made, and what it may have made.
    pub fn undone<'a>(
        &mut self,
        outcomes: impl IntoIterator<Item = (&'a PhoneCallEvent, &'a Outcome)>,
    ) {
        let mut restored = BTreeSet::new();
        for (event, outcome) in outcomes {
            match outcome {
                Outcome::Restored(id) => {
                    self.made(event, id.as_ref());
                    restored.insert(&event.key);
                }
                Outcome::Unknown(_) => {
                    self.suspects.insert(event.key.clone());
                }
                Outcome::Deleted
                | Outcome::AlreadyGone
                | Outcome::Refused(_)
                | Outcome::NotSent(_) => {}
            }
        }
        self.events.retain(|event| !restored.contains(&event.key));
    }

    /// Takes in what the undo of another run made: of events that are the same but for their ids,
    /// none stands for one of this run.
    pub fn undone_elsewhere<'a>(
        &mut self,
        outcomes: impl IntoIterator<Item = (&'a PhoneCallEvent, &'a Outcome)>,
    ) {
        for (event, outcome) in outcomes {
            if let Outcome::Restored(id) = outcome {
                self.made(event, id.as_ref());
            }
        }
    }

    fn made(&mut self, event: &PhoneCallEvent, id: Option<&Foreign>) {
        match id.and_then(|id| EventId::parse(id.raw()).ok()) {
            Some(id) => {
                self.known.insert(EventKey { id, ..event.key.clone() });
            }
            None => self.unnamed.push(event.clone()),
        }
    }
}

/// What is to be made again: never empty, never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoPlan {
    target: Target,
    loss: Loss,
    hash: PlanHash,
}

/// Why there is nothing to undo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoRefused {
    /// The run deleted nothing, or all of it is there again.
    #[error("there is nothing to undo: {0} deleted nothing that is not there again")]
    Nothing(String),
}

impl UndoPlan {
    /// Everything that is not there again.
    ///
    /// # Errors
    /// Refuses an undo of nothing.
    pub fn new(target: Target, loss: &Loss) -> Result<Self, UndoRefused> {
        if loss.events.is_empty() {
            return Err(UndoRefused::Nothing(loss.run.clone()));
        }
        let mut hasher = PlanHasher::new(&target.origin, target.base_path(), "undo");
        for event in &loss.events {
            hasher.call("POST", &target.create_path.path(&event.key, &target), 1);
        }
        loss.events.iter().for_each(|event| hasher.event(event, None, None));
        Ok(Self { target, loss: loss.clone(), hash: hasher.finish() })
    }

    /// Where the calls go.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The run that is undone.
    pub fn run(&self) -> &str {
        &self.loss.run
    }

    /// What is made, by extension.
    pub fn events(&self) -> &[PhoneCallEvent] {
        &self.loss.events
    }

    /// What a dry run and the undo itself have in common.
    pub fn plan_hash(&self) -> &str {
        self.hash.as_str()
    }

    /// The path of the POST that makes an event.
    pub fn path(&self, event: &PhoneCallEvent) -> String {
        self.target.create_path.path(&event.key, &self.target)
    }

    fn of(&self, extension: &ExtensionNumber) -> Range<usize> {
        span_of(&self.loss.events, extension)
    }
}

/// What an undo wants done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoStep {
    /// List this extension; the answer goes to [`Undo::listed`].
    List(ExtensionNumber),
    /// Make the event at this place of the plan; the answer goes to [`Undo::settle`].
    Create(usize),
    /// Nothing may go for so long: then [`Undo::hand_out`] is to be asked again.
    Wait(Duration),
}

/// A request of an undo.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Request {
    Listing(ExtensionNumber),
    Creation(usize),
}

/// The execution of one [`UndoPlan`]: first every extension is listed, then events are made, then
/// every extension is listed again. Times are since the start of the program.
#[derive(Debug)]
pub struct Undo {
    plan: Arc<UndoPlan>,
    looking: bool,
    asked_to_stop: bool,
    state: RunState,
    traffic: Traffic<Request>,
    /// What is to be made, once every extension has been listed.
    missing: Vec<usize>,
    /// What was there before, by extension.
    before: BTreeMap<ExtensionNumber, BTreeSet<EventKey>>,
    /// What the last attempts came to of those that are to be made once more.
    again: BTreeMap<usize, Outcome>,
    ledger: Ledger,
    touched: BTreeSet<ExtensionNumber>,
}

impl Undo {
    /// An undo with at most so many requests in flight.
    pub fn new(plan: Arc<UndoPlan>, concurrency: usize) -> Self {
        let extensions: BTreeSet<_> =
            plan.events().iter().map(|event| event.key.extension.clone()).collect();
        Self {
            looking: true,
            asked_to_stop: false,
            state: RunState::Running,
            traffic: Traffic::new(concurrency, extensions.into_iter().map(Request::Listing)),
            missing: Vec::new(),
            before: BTreeMap::new(),
            again: BTreeMap::new(),
            ledger: Ledger::new(plan.events().len()),
            touched: BTreeSet::new(),
            plan,
        }
    }

    /// What is to be done now; it is in flight from here on.
    pub fn hand_out(&mut self, now: Duration) -> Vec<UndoStep> {
        match self.state {
            RunState::Running | RunState::Verifying => {}
            RunState::Paused | RunState::Stopping | RunState::Finished => return Vec::new(),
        }
        let step = |next| match next {
            Next::Wait(time) => UndoStep::Wait(time),
            Next::Go(Request::Listing(extension)) => UndoStep::List(extension),
            Next::Go(Request::Creation(place)) => UndoStep::Create(place),
        };
        self.traffic.hand_out(now).into_iter().map(step).collect()
    }

    /// Takes the listing that a step asked for.
    pub fn listed(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<&Listing, &Failure>,
        now: Duration,
    ) {
        let had_stopped = self.stopped_by().is_some();
        let request = Request::Listing(extension.clone());
        let may_repeat = matches!(self.state, RunState::Running | RunState::Verifying);
        let fate = self.traffic.came_back(&request, result.err(), may_repeat, now);
        if fate == Some(Fate::Settled) {
            match (self.state, result) {
                (RunState::Verifying, Ok(listing)) => self.verify(extension, listing),
                (RunState::Verifying, Err(_)) => {}
                (_, Ok(listing)) if listing.is_complete() => self.look(extension, listing),
                (_, Ok(_)) => {
                    let why = "its list is not complete, so that nobody can tell what is there";
                    self.leave_out(extension, &Failure::new(Cause::Withheld, why));
                }
                (_, Err(failure)) => self.leave_out(extension, failure),
            }
        }
        self.heed_the_fuse(had_stopped);
        self.advance();
    }

    /// Sees what is there before anything is made.
    fn look(&mut self, extension: &ExtensionNumber, listing: &Listing) {
        let mut unseen = strangers(listing, |key| self.plan.loss.known.contains(key));
        for made in self.plan.loss.unnamed.iter().filter(|made| made.key.extension == *extension) {
            let _stands_for_itself = take_same(&mut unseen, made);
        }
        for place in self.plan.of(extension) {
            let Some(event) = self.plan.events().get(place) else { continue };
            if listing.find(&event.key).is_some() {
                let id = Foreign::from(event.key.id.as_str());
                self.ledger.revise(place, Outcome::Restored(Some(id)));
            } else if self.plan.loss.suspects.contains(&event.key)
                && let Some(id) = take_same(&mut unseen, event)
            {
                self.ledger.revise(place, Outcome::Restored(Some(id)));
            } else {
                self.missing.push(place);
            }
        }
        self.before.insert(extension.clone(), keys(listing));
    }

    fn leave_out(&mut self, extension: &ExtensionNumber, why: &Failure) {
        let message = format!("not made, as the extension could not be listed first: {why}");
        for place in self.plan.of(extension) {
            let failure = Failure::new(Cause::Withheld, message.as_str());
            self.ledger.revise(place, Outcome::NotSent(failure));
        }
    }

    /// Takes what the service said to a POST. One that surely made nothing may be sent again.
    pub fn settle(&mut self, place: usize, answer: Result<WriteAnswer, Failure>, now: Duration) {
        let had_stopped = self.stopped_by().is_some();
        let failure = answer.as_ref().err();
        let may_repeat = self.state == RunState::Running
            && failure.is_some_and(|failure| !failure.may_have_acted());
        let request = Request::Creation(place);
        let Some(fate) = self.traffic.came_back(&request, failure, may_repeat, now) else {
            return;
        };
        let outcome = Self::outcome_of(answer);
        if let Some(event) = self.plan.events().get(place)
            && !matches!(outcome, Outcome::NotSent(_))
        {
            self.touched.insert(event.key.extension.clone());
        }
        match fate {
            Fate::Again => {
                self.again.insert(place, outcome);
            }
            Fate::Settled => {
                self.again.remove(&place);
                self.ledger.set(place, outcome);
            }
        }
        self.heed_the_fuse(had_stopped);
        self.advance();
    }

    /// What an answer to a POST means, before anything is listed.
    pub fn outcome_of(answer: Result<WriteAnswer, Failure>) -> Outcome {
        match answer {
            Ok(answer) => Outcome::Restored(answer.id),
            Err(failure) if failure.may_have_acted() => Outcome::Unknown(failure),
            Err(failure)
                if matches!(
                    failure.cause,
                    Cause::Withheld | Cause::Unwritten | Cause::Unreachable
                ) =>
            {
                Outcome::NotSent(failure)
            }
            Err(failure) => Outcome::Refused(failure),
        }
    }

    /// What is listed now and was not before was made.
    fn verify(&mut self, extension: &ExtensionNumber, listing: &Listing) {
        let none = BTreeSet::new();
        let before = self.before.get(extension).unwrap_or(&none);
        let mut made = strangers(listing, |key| before.contains(key));
        let there: BTreeSet<String> =
            keys(listing).into_iter().map(|key| key.id.as_str().to_owned()).collect();
        let told: BTreeSet<&str> = self.plan.of(extension).filter_map(|at| self.told(at)).collect();
        made.retain(|event| !told.contains(event.key.id.as_str()));
        // Of two that are the same, the one that was confirmed is the one that is there.
        let is_confirmed = |at: &usize| matches!(self.ledger.get(*at), Some(Outcome::Restored(_)));
        let (confirmed, others): (Vec<usize>, Vec<usize>) =
            self.plan.of(extension).partition(is_confirmed);
        for place in confirmed.into_iter().chain(others) {
            if self.told(place).is_some_and(|id| there.contains(id)) {
                continue;
            }
            if let Some(better) = self.found(place, &mut made, listing) {
                self.ledger.revise(place, better);
            }
        }
        if listing.is_complete() {
            self.touched.remove(extension);
        }
    }

    /// The id that the service told of an event.
    fn told(&self, place: usize) -> Option<&str> {
        self.ledger.get(place)?.new_id().map(Foreign::raw)
    }

    /// What a list after it all says of an event whose POST told no id, or one that is not listed.
    fn found(
        &self,
        place: usize,
        made: &mut Vec<PhoneCallEvent>,
        listing: &Listing,
    ) -> Option<Outcome> {
        let event = self.plan.events().get(place)?;
        let outcome = self.ledger.get(place)?;
        if !matches!(outcome, Outcome::Restored(_) | Outcome::Unknown(_))
            || listing.find(&event.key).is_some()
        {
            return None;
        }
        if let Some(id) = take_same(made, event) {
            return Some(Outcome::Restored(Some(id)));
        }
        let said = match (outcome.failure(), self.told(place)) {
            (Some(failure), _) => failure.clone(),
            (None, Some(_)) => Failure::new(Cause::Unreadable, "the service reported it made"),
            // A service that changes what it is given may list it in other words.
            (None, None) => return None,
        };
        let message = Foreign::from(format!("{}; it is not listed", said.message.raw()));
        listing.is_complete().then_some(Outcome::Refused(Failure { message, ..said }))
    }

    /// Hands out nothing more; what is in flight is awaited, and what was made is listed.
    pub fn stop(&mut self) {
        match self.state {
            RunState::Running | RunState::Paused => {
                self.asked_to_stop = true;
                self.state = RunState::Stopping;
                self.traffic.clear();
            }
            RunState::Verifying => {
                self.traffic.clear();
            }
            RunState::Stopping | RunState::Finished => {}
        }
        self.advance();
    }

    fn heed_the_fuse(&mut self, had_stopped: bool) {
        if !had_stopped && self.stopped_by().is_some() {
            self.stop();
        }
    }

    fn advance(&mut self) {
        if self.state == RunState::Running && self.looking && self.traffic.is_over() {
            self.looking = false;
            for place in std::mem::take(&mut self.missing) {
                self.traffic.add(Request::Creation(place));
            }
        }
        let done = match self.state {
            RunState::Running => self.traffic.is_over(),
            RunState::Stopping => self.traffic.in_flight() == 0,
            RunState::Paused | RunState::Verifying | RunState::Finished => false,
        };
        if done {
            self.state = RunState::Verifying;
            for (place, outcome) in std::mem::take(&mut self.again) {
                self.ledger.set(place, outcome);
            }
            self.ledger.close(not_made);
            for extension in &self.touched {
                self.traffic.add(Request::Listing(extension.clone()));
            }
        }
        if self.state == RunState::Verifying && self.traffic.is_over() {
            self.state = RunState::Finished;
        }
    }

    /// Where it stands.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// Requests that are out without an answer.
    pub fn in_flight(&self) -> usize {
        self.traffic.in_flight()
    }

    /// What is carried out.
    pub fn plan(&self) -> &Arc<UndoPlan> {
        &self.plan
    }

    /// The outcome of each event; all are there once the undo has finished.
    pub fn outcomes(&self) -> &[Option<Outcome>] {
        self.ledger.all()
    }

    /// Why it stopped by itself.
    pub fn stopped_by(&self) -> Option<&Failure> {
        self.traffic.stopped_by()
    }

    /// What an operator should know, since this was last asked: that the service wants a pause.
    pub fn take_remarks(&mut self) -> Vec<String> {
        self.traffic.take_remarks()
    }

    /// What the run file ends with.
    pub fn end(&self) -> RunEnd {
        let tally = self.tally();
        RunEnd {
            tally,
            revised: self.ledger.revised(),
            surplus: Vec::new(),
            verified: self.is_verified(),
            stopped: tally.stopped(self.asked_to_stop, self.stopped_by()),
        }
    }

    /// Events by outcome so far.
    pub fn tally(&self) -> Tally {
        self.ledger.tally()
    }

    /// Whether the service was asked again about everything that was made.
    pub fn is_verified(&self) -> bool {
        self.state == RunState::Finished && self.touched.is_empty()
    }
}

fn not_made() -> Outcome {
    let why = "stopped before it was made; undo the run again";
    Outcome::NotSent(Failure::new(Cause::Withheld, why))
}

fn keys(listing: &Listing) -> BTreeSet<EventKey> {
    (0..listing.len()).filter_map(|row| Some(listing.row(row)?.key())).collect()
}

/// The events of a listing that are not known.
fn strangers(listing: &Listing, known: impl Fn(&EventKey) -> bool) -> Vec<PhoneCallEvent> {
    let rows = (0..listing.len()).filter_map(|row| listing.row(row));
    rows.filter(|row| !known(&row.key())).map(|row| row.to_event()).collect()
}

/// Takes one event out that is the same but for id and time, and tells its id.
fn take_same(events: &mut Vec<PhoneCallEvent>, wanted: &PhoneCallEvent) -> Option<Foreign> {
    let body = |event: &PhoneCallEvent| {
        let url = event.url.raw().to_owned();
        let note = event.note.raw().to_owned();
        (event.key.event_type, event.method.clone(), url, note, event.status.clone())
    };
    let wanted = body(wanted);
    let place = events.iter().position(|event| body(event) == wanted)?;
    Some(Foreign::from(events.swap_remove(place).key.id.as_str()))
}

#[cfg(test)]
mod tests;
