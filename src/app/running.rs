//! A run on the screen, of whatever kind: the pure machine, and the times that rate and rest come
//! from.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::change::{
    Check, Done, EarlierEvent, EarlierRun, Learnt, Machine, Plan, RunState, Waiting,
};
use crate::domain::{
    Cause, EventKey, ExtensionNumber, Failure, Outcome, Stop, StopReason, Word, Work,
};
use crate::keys::Keymap;

use super::consent::Yes;
use super::status::{Tone, whole_seconds};
use super::text;
use super::{Dialog, Effect, Leaving, Model, Moment, Panel, count_of};

/// The run at hand and the last one that is over: where the one at hand stands is what
/// [`Machine::state`] says, and there is no other state of a run.
#[derive(Debug, Default)]
pub(super) struct Runs {
    now: Option<Box<ActiveRun>>,
    last: Option<Box<ActiveRun>>,
    /// The name of the last one that was no simulation.
    undoable: Option<String>,
    /// What this session has learnt of wide calls.
    pub(super) learnt: Learnt,
    /// A run of before, while Status shows that.
    earlier: Option<Box<EarlierRun>>,
    /// `z` was pressed where a call took too much: the undo is reviewed once the run is over.
    undo_next: bool,
}

/// The run going on, or the last one.
#[derive(Debug)]
pub struct ActiveRun {
    /// What is carried out, and how far it is.
    pub machine: Machine,
    /// How long calls have been going out, waits and pauses left out, and since when they do.
    flowed: Duration,
    flows: Option<Duration>,
    /// The local time before which going on makes no sense.
    not_before: Option<String>,
    /// Once it is over: the events that have a reason and no call, by their places.
    unsent: Vec<usize>,
}

/// No figure of a run means anything before.
const FIGURED: Duration = Duration::from_secs(2);
/// A service that says nothing for so long is said to.
const SILENCE: Duration = Duration::from_secs(5);

impl Runs {
    /// What Status shows: until a run file is open, the run before it.
    pub(super) fn shown(&self) -> Option<&ActiveRun> {
        let opened = self.now.as_deref().filter(|run| run.machine.state() != RunState::Opening);
        opened.or(self.last.as_deref().filter(|_| self.earlier.is_none()))
    }

    /// The run of before that Status shows instead.
    pub(super) fn earlier(&self) -> Option<&EarlierRun> {
        self.earlier.as_deref().filter(|_| self.now.is_none())
    }

    pub(super) fn show_earlier(&mut self, run: Option<Box<EarlierRun>>) {
        self.earlier = run;
    }

    /// Where the run at hand stands; `None` without one.
    pub(super) fn state(&self) -> Option<RunState> {
        self.now.as_ref().map(|active| active.machine.state())
    }
}

impl ActiveRun {
    fn new(machine: Machine) -> Self {
        Self { machine, flowed: Duration::ZERO, flows: None, not_before: None, unsent: Vec::new() }
    }

    /// Events for which no call went out, once the run is over.
    pub fn unsent(&self) -> &[usize] {
        &self.unsent
    }

    /// An event for which no call went out, and why.
    pub fn unsent_event(&self, place: usize) -> Option<EarlierEvent> {
        let plan = self.machine.plan();
        let (event, change) = (plan.events().get(place)?.clone(), plan.want(place).cloned());
        let outcome = self.machine.outcomes().get(place)?.clone()?;
        Some(EarlierEvent { event, change, outcome })
    }

    /// Takes note of what was not sent: no row of a call tells of it.
    fn end(&mut self) {
        let machine = &self.machine;
        let outcomes = machine.outcomes().iter();
        let mut is_untold: Vec<bool> =
            outcomes.map(|it| it.as_ref().is_some_and(|it| it.failure().is_some())).collect();
        let told = machine.failed().iter().chain(machine.succeeded());
        for call in told.filter_map(|call| machine.call(*call)) {
            is_untold.get_mut(call.covers()).into_iter().flatten().for_each(|it| *it = false);
        }
        let places = is_untold.into_iter().enumerate().filter(|(_, untold)| *untold);
        self.unsent = places.map(|(place, _)| place).collect();
    }

    /// Events that a simulated run would have sent a call for.
    pub fn would_change(&self) -> usize {
        let failures = self.machine.outcomes().iter().flatten().filter_map(Outcome::failure);
        failures.filter(|failure| failure.cause == Cause::Simulated).count()
    }

    /// Calls settled a second while calls went out, and the time the rest takes at this rate; none
    /// where that was too short for a figure to mean something.
    pub fn pace(&self, now: Duration) -> Option<(f64, Duration)> {
        let settled = self.machine.failed().len() + self.machine.succeeded().len();
        let left = self.machine.plan().calls().saturating_sub(settled);
        let flows = self.flows.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        let took = self.flowed.saturating_add(flows);
        if settled == 0 || took < FIGURED {
            return None;
        }
        let settled = u32::try_from(settled).ok()?;
        let left = u32::try_from(left).ok()?;
        let rate = f64::from(settled) / took.as_secs_f64();
        Some((rate, took.checked_div(settled)?.saturating_mul(left)))
    }

    /// Whether calls go out, or would as soon as another is answered.
    pub fn is_flowing(&self) -> bool {
        self.flows.is_some()
    }

    /// How long nothing came back though something is in flight, once that is worth saying.
    pub fn silent_for(&self, now: Duration) -> Option<Duration> {
        self.machine.silent_for(now).filter(|silent| *silent >= SILENCE)
    }

    /// When the picture of it says something else though nothing happens.
    fn changes_at(&self, now: Duration) -> Option<Duration> {
        if let Some(waiting) = self.machine.waiting(now) {
            let left = whole_seconds(waiting.until.saturating_sub(now)).saturating_sub(1);
            return Some(waiting.until.saturating_sub(Duration::from_secs(left)));
        }
        let silent = self.machine.silent_for(now)?;
        let next = Duration::from_secs(silent.as_secs() + 1).max(SILENCE);
        Some(now.saturating_add(next.saturating_sub(silent)))
    }

    /// Takes note of whether calls go out from here on.
    fn heed_flow(&mut self, now: Duration) {
        let machine = &self.machine;
        let flows = machine.state() == RunState::Running && machine.waiting(now).is_none();
        if let Some(since) = self.flows.filter(|_| !flows) {
            self.flowed = self.flowed.saturating_add(now.saturating_sub(since));
        }
        self.flows = flows.then(|| self.flows.unwrap_or(now));
    }

    /// How it ended: why it stopped, where it did, and what became of its events.
    pub fn ended(&self) -> Vec<String> {
        let tally = self.machine.tally();
        let words = tally.words(self.machine.plan().kind());
        let how = match (self.why_stopped(), self.machine.plan().undoes()) {
            (Some(why), _) => return vec![format!("STOPPED: {why}"), words],
            (None, _) if tally.done() == 0 => return vec![words],
            (None, None) => "finished".to_owned(),
            (None, Some(run)) if tally.left() == 0 => format!("undone {run}"),
            (None, Some(_)) => "undo finished".to_owned(),
        };
        vec![format!("{how}: {words}")]
    }

    /// How the run ended, and whether it was checked with the service.
    pub fn ended_and_checked(&self) -> Vec<String> {
        let (mut parts, check) = (self.ended(), self.machine.check());
        match parts.as_mut_slice() {
            [words] if self.machine.tally().done() == 0 && check == Check::Agrees => {
                words.push_str("; a new listing confirms it");
            }
            _ => parts.push(check.words().to_owned()),
        }
        parts
    }

    /// Which key goes on with what is left, and with how many events.
    pub fn way_on(&self, keys: &Keymap) -> Option<String> {
        let left = self.machine.tally().left();
        let key = if self.machine.plan().undoes().is_some() { "<undo>" } else { "<go-on>" };
        (left > 0).then(|| keys.told(&format!("{key} goes on with {left}")))
    }

    fn why_stopped(&self) -> Option<String> {
        let stop = self.machine.stopped()?;
        if let Some(time) = &self.not_before {
            return Some(format!("resumable after {time}"));
        }
        let (why, said) = (stop.in_short(), self.machine.stopped_by().map(Failure::in_short));
        Some(match said.unwrap_or_default().as_str() {
            "" => why.to_owned(),
            said => format!("{why} ({said})"),
        })
    }

    /// Whether it waits because a call took more than it should.
    fn took_too_much(&self) -> bool {
        self.machine.state() == RunState::Paused && self.machine.took_too_much()
    }
}

impl Model {
    /// The operator said yes to this plan, listed at that time or later.
    pub(super) fn begin(&mut self, plan: Arc<Plan>, listed: Duration, _: Yes) -> Vec<Effect> {
        self.start(plan, listed)
    }

    /// Settles by listing what is left of a run where nothing is to be sent.
    pub(super) fn settle_rest(&mut self, plan: Arc<Plan>) -> Vec<Effect> {
        if plan.calls() > 0 { Vec::new() } else { self.start(plan, self.now.since_start) }
    }

    fn start(&mut self, plan: Arc<Plan>, listed: Duration) -> Vec<Effect> {
        self.runs.show_earlier(None);
        self.focus_panel(Panel::Status);
        let machine = Machine::new(plan, self.facts.concurrency);
        let machine = machine.reviewed_at(listed).knowing(self.runs.learnt);
        self.runs.now = Some(Box::new(ActiveRun::new(machine)));
        self.hand_out()
    }

    /// `s` in the review: the same plan and machine, no run file, and nothing sent.
    pub(super) fn simulate(&mut self) -> Vec<Effect> {
        let Some(Dialog::Review(review)) = &self.dialog else {
            return Vec::new();
        };
        let Some(plan) = review.plan().map(Arc::clone) else {
            let [why, remedy] = review.why_nothing();
            self.tell(Tone::Warning, &format!("{why}: {remedy}"));
            return Vec::new();
        };
        if review.is_of_undo() || review.rest().is_some() {
            self.notice(Tone::Warning, "an undo and the rest of a run cannot be simulated");
            return Vec::new();
        }
        let listed = review.listed_at();
        self.focus_panel(Panel::Status);
        if let Some(Dialog::Review(review)) = self.dialog.take() {
            self.end_check(&review);
        }
        self.log(Tone::Plain, format!("simulating {}", count_of(plan.calls(), "call")));
        self.cursors.remove(&Panel::Status);
        let machine = Machine::simulating(plan, self.facts.concurrency);
        let machine = machine.reviewed_at(listed).knowing(self.runs.learnt);
        self.runs.now = Some(Box::new(ActiveRun::new(machine)));
        self.hand_out()
    }

    /// The last run of this session that is over and was no simulation.
    pub(super) fn last_run(&self) -> Option<&str> {
        self.runs.undoable.as_deref()
    }

    /// The run of before that Status shows in place of the session's last.
    pub fn earlier_run(&self) -> Option<&EarlierRun> {
        self.runs.earlier()
    }

    /// The run that keys are about: the one in Status, unless that was a simulation.
    pub(super) fn run_in_status(&self) -> Option<&str> {
        let earlier = self.runs.earlier().map(|run| run.summary.name.as_str());
        earlier.or(self.last_run())
    }

    /// `z`: lays the creations open that bring back what the last run took. One that waits because
    /// a call took too much is stopped for it.
    pub(super) fn undo(&mut self) -> Vec<Effect> {
        if let Some(active) = self.runs.now.as_mut().filter(|active| active.took_too_much()) {
            active.machine.stop_for(Stop::by_surplus());
            self.runs.undo_next = true;
            self.take_news(false);
            self.notice(Tone::Warning, "stopping the run; its undo is reviewed next");
            return self.hand_out();
        }
        if self.is_no_run_chosen() {
            return Vec::new();
        }
        match self.take_chosen_run() {
            Some(run) => self.read_way_back_of(run.name),
            None => self.read_way_back(),
        }
    }

    /// An act of the run came back: rows go or stay marked, and the same message brings the next
    /// acts.
    pub(super) fn done(&mut self, done: Done) -> Vec<Effect> {
        let Some(active) = &mut self.runs.now else { return Vec::new() };
        let (machine, now) = (&mut active.machine, self.now.since_start);
        let had_stopped = machine.stopped_by().is_some();
        let had_wiped = machine.took_too_much();
        match done {
            Done::Opened(opened) => self.run_opened(opened),
            Done::Settled { call, settled, exchanges } => {
                self.calls.add(exchanges);
                let Some(sent) = machine.call(call) else { return Vec::new() };
                let is_sent = |outcome: &Outcome| !matches!(outcome, Outcome::NotSent(_));
                let may_have_changed = settled.outcomes.iter().any(is_sent);
                machine.settle(call, settled, now);
                if !sent.is_simulated() {
                    self.loading.change_settled(sent.call().extension());
                    if may_have_changed {
                        self.loading.is_read_again(sent.call().extension(), false);
                    }
                    self.take_news(false);
                }
            }
            Done::Listed { extension, result, exchanges } => {
                self.calls.add(exchanges);
                if machine.state() == RunState::Verifying {
                    self.loading.is_read_again(&extension, result.is_ok());
                }
                machine.listed(&extension, result.as_ref(), now);
                if let Ok(listing) = result {
                    let insert = |model: &mut Self| model.store.insert(listing).is_news;
                    if self.counting_one(&extension, insert) {
                        self.events_changed(&extension);
                    }
                }
                self.take_news(true);
            }
            Done::Waited => {}
            Done::Closed(closed) => {
                machine.take(Done::Closed(Ok(())), now);
                let effects = self.hand_out();
                // Behind how it ended, so that this is what stays to be read.
                if let Err(failure) = closed {
                    let text = format!("the run file could not be closed in order: {failure}");
                    self.say(Tone::Warning, text);
                }
                return effects;
            }
        }
        let stopped_by = self.runs.now.as_ref().and_then(|active| active.machine.stopped_by());
        if let Some(why) = stopped_by.filter(|_| !had_stopped).cloned() {
            let not_before = not_before(&why, &self.now);
            let when = not_before.iter().map(|time| format!(", resumable after {time}"));
            let text = format!("the run was stopped{}: {why}", when.collect::<String>());
            if let Some(active) = &mut self.runs.now {
                active.not_before = not_before;
            }
            self.say(Tone::Warning, text);
        }
        let too_much = self.runs.now.as_ref().filter(|active| active.took_too_much());
        if let Some(active) = too_much.filter(|_| !had_wiped) {
            let events = count_of(active.machine.beside(), "event");
            let text = self.keyed(&format!(
                "PAUSED: {events} GONE, NOT IN THE PLAN; <undo> stops and brings back, <pause> goes on \
                 by event calls"
            ));
            self.say(Tone::Warning, text);
        }
        self.hand_out()
    }

    /// The run file is on disk, or cannot be.
    fn run_opened(&mut self, opened: Result<String, Failure>) {
        let Some(active) = &mut self.runs.now else { return };
        let now = self.now.since_start;
        if let Err(failure) = opened {
            self.runs.now = None;
            self.say(Tone::Warning, format!("nothing was sent: {failure}"));
            return;
        }
        active.machine.take(Done::Opened(opened), now);
        let plan = active.machine.plan();
        for event in plan.events() {
            self.store.forget_failure(&event.key);
        }
        let calls = count_of(plan.calls(), "call");
        let text = match plan.undoes() {
            Some(run) => format!("undo {} of run {run} started: {calls}", active.machine.name()),
            None if plan.rest().is_some() => {
                format!("run {} goes on: {calls}", active.machine.name())
            }
            None => format!("run {} started: {calls}", active.machine.name()),
        };
        self.log(Tone::Plain, text);
        self.cursors.remove(&Panel::Status);
        if self.leaving == Leaving::WhenSettled {
            self.stop_run();
        }
    }

    /// What became of events: what is gone leaves its listing; everything else has its reason, and
    /// its mark where it is listed. `listed` where a listing told it, and else what was not sent is
    /// marked as it was. What there is to do for each does not grow with marks, filter and plan.
    fn take_news(&mut self, listed: bool) {
        // Taken out, as what it says changes all else.
        let Some(mut active) = self.runs.now.take() else { return };
        let (news, machine) = (active.machine.take_news(), &active.machine);
        let event = |place: &usize| machine.plan().events().get(*place);
        let extension = |place: &usize| event(place).map(|event| &event.key.extension);
        let outcome = |place: &usize| machine.outcomes().get(*place)?.as_ref();
        // What an undo could not write back was never marked to be deleted or changed.
        let undoes = machine.plan().undoes().is_some();
        let of_extensions = news.chunk_by(|one, other| extension(one) == extension(other));
        for places in of_extensions.filter(|_| !machine.is_simulated()) {
            let Some(number) = places.first().and_then(extension) else { continue };
            let each =
                places.iter().filter_map(|place| Some((&event(place)?.key, outcome(place)?)));
            self.counting_each(number, each, |model, key, outcome| {
                let marks = !undoes && (listed || !matches!(outcome, Outcome::NotSent(_)));
                model.take_outcome(key, outcome, marks);
            });
            self.events_gone(number);
        }
        self.runs.now = Some(active);
    }

    /// What became of one event; `marks` where one that failed is to be marked.
    fn take_outcome(&mut self, key: &EventKey, outcome: &Outcome, marks: bool) {
        if outcome.is_gone() {
            self.store.remove(key);
        }
        let is_marked = match (outcome.failure(), outcome) {
            (Some(failure), _) => {
                self.store.note_failure(key.clone(), failure.clone());
                marks.then_some(true)
            }
            (None, outcome) if outcome.is_done_by(Work::Changes) => Some(false),
            (None, _) => None,
        };
        let Some(on) = is_marked else { return };
        let number = &key.extension;
        let row = self.store.listing(number).and_then(|listing| listing.find(key));
        if let Some(row) = row {
            self.store.set_marks(number, row..=row, on);
        }
    }

    /// What the run at hand wants done now, and what is to be said of it.
    fn hand_out(&mut self) -> Vec<Effect> {
        let now = self.now.since_start;
        let Some(active) = &mut self.runs.now else {
            self.leave_if_settled();
            return Vec::new();
        };
        if self.in_haste {
            active.machine.stop_for(Stop::by_signal());
        }
        let acts = active.machine.hand_out(now);
        self.runs.learnt = active.machine.learnt(self.runs.learnt);
        for remark in active.machine.take_remarks() {
            self.log.add(&self.now, Tone::Warning, remark);
        }
        active.heed_flow(now);
        // Not before the run file is closed: until then `z` is refused.
        if active.machine.state() == RunState::Finished {
            active.end();
            let columns = usize::from(self.layout.prompt.width).saturating_sub(2);
            let [(tone, text), in_short] = report(active, &self.facts.keys);
            if !active.machine.is_simulated() {
                self.runs.undoable = Some(active.machine.name().to_owned());
            }
            self.log(tone, text.clone());
            // Name and keys stand beside it, in the title and in the hints.
            let fits = text::width(&text) <= columns;
            self.notice(tone, if fits { text } else { in_short.1 });
            self.runs.last = self.runs.now.take();
            self.leave_if_settled();
            if std::mem::take(&mut self.runs.undo_next) {
                return self.read_way_back();
            }
        }
        acts.into_iter().map(Effect::Act).collect()
    }

    /// Whether what goes on sends nothing but questions.
    pub fn is_simulating(&self) -> bool {
        self.runs.now.as_ref().is_some_and(|active| active.machine.is_simulated())
    }

    /// Hands out nothing more; what is in flight is awaited. While checking, that ends at once.
    fn stop_run(&mut self) {
        let Some(active) = &mut self.runs.now else { return };
        let asked = if self.in_haste { Stop::by_signal() } else { Stop::by_operator() };
        let was_checking = active.machine.state() == RunState::Verifying;
        active.machine.stop_for(asked);
        let text = match active.machine.state() {
            RunState::Closing if was_checking => {
                format!("checking ended: {}", active.machine.check().words())
            }
            RunState::Stopping => {
                let calls = count_of(active.machine.in_flight(), "call");
                format!("stopping: waiting for {calls} in flight")
            }
            RunState::Verifying => {
                "stopping: checking what was sent; Esc again ends that".to_owned()
            }
            RunState::Opening
            | RunState::Running
            | RunState::Paused
            | RunState::Closing
            | RunState::Finished => String::new(),
        };
        self.take_news(false);
        if !text.is_empty() {
            self.say(Tone::Warning, text);
        }
    }

    /// Ends a run of which no call is in flight, its checking too, so that its file is closed in order.
    /// `None` where it cannot be.
    pub(super) fn end_in_order(&mut self) -> Option<Vec<Effect>> {
        let machine = &self.runs.now.as_ref()?.machine;
        let opening = machine.state() == RunState::Opening;
        if opening || machine.is_simulated() || machine.calls_in_flight() > 0 {
            return None;
        }
        self.stop_run();
        if self.runs.state() == Some(RunState::Verifying) {
            self.stop_run();
        }
        Some(self.hand_out())
    }

    /// Esc during a run.
    pub(super) fn stop_and_settle(&mut self) -> Vec<Effect> {
        self.stop_run();
        self.hand_out()
    }

    /// Holds the run, or goes on.
    pub(super) fn pause_run(&mut self) -> Vec<Effect> {
        let machine = self.runs.now.as_mut().map(|active| &mut active.machine);
        let (tone, text) = match machine {
            Some(machine) if machine.state() == RunState::Running => {
                machine.pause();
                (Tone::Warning, "paused: <pause> goes on, Esc stops")
            }
            Some(machine) if machine.state() == RunState::Paused => {
                machine.resume();
                (Tone::Plain, "the run goes on")
            }
            Some(_) | None => (Tone::Plain, "there is no run to pause"),
        };
        self.tell(tone, text);
        self.hand_out()
    }

    /// True from a yes until the run file is closed.
    pub fn is_running(&self) -> bool {
        self.runs.now.is_some()
    }

    /// Events of the run at hand that have an outcome, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        let machine = self.runs.now.as_ref().map(|active| &active.machine);
        machine.map_or((0, 0), |machine| (machine.tally().settled(), machine.plan().events().len()))
    }

    /// Calls of a run that are out without an answer.
    pub fn calls_in_flight(&self) -> usize {
        self.runs.now.as_ref().map_or(0, |active| active.machine.calls_in_flight())
    }

    /// Extensions whose rows are old: a run changed them or they were to be read again, and that was
    /// not done yet or could not be. Of a run that is going on its rows tell.
    pub fn not_read_again(&self) -> Option<&BTreeSet<ExtensionNumber>> {
        let behind = self.loading.behind();
        (!behind.is_empty() && !self.is_running()).then_some(behind)
    }

    /// Whether there may be more events than are known of the extensions that were asked for.
    pub fn is_partial(&self) -> bool {
        self.loading.is_partial()
    }

    /// Whether this is one of them.
    pub fn is_not_read_again(&self, extension: &ExtensionNumber) -> bool {
        self.not_read_again().is_some_and(|behind| behind.contains(extension))
    }

    /// Whether the run at hand waits for `p`.
    pub fn is_paused(&self) -> bool {
        self.runs.state() == Some(RunState::Paused)
    }

    /// What the run at hand waits for by itself.
    pub fn waiting(&self) -> Option<Waiting<'_>> {
        self.runs.now.as_ref()?.machine.waiting(self.now.since_start)
    }

    /// How many extensions the run at hand has checked, and how many there are, while it does.
    pub fn checking(&self) -> Option<(usize, usize)> {
        let machine = &self.runs.now.as_ref()?.machine;
        (machine.state() == RunState::Verifying).then(|| machine.checked())
    }

    /// When the picture says something else though nothing happens: it counts seconds. Never before
    /// the last message.
    pub fn changes_at(&self) -> Option<Duration> {
        let now = self.now.since_start;
        let run = self.runs.now.as_ref().and_then(|active| active.changes_at(now));
        [self.outage.changes_at(now), run].into_iter().flatten().min()
    }

    /// What is said of extensions that may be missing, as a source of them is in trouble.
    pub fn words_of_missing(&self) -> Option<String> {
        self.outage.words_of_missing(self.now.since_start)
    }

    /// What is said of the wait until the PBX is asked again, where there is one.
    pub fn words_of_wait(&self) -> Option<String> {
        self.outage.words(self.now.since_start)
    }
}

/// The local time that ends a pause which is too long to wait for.
fn not_before(why: &Failure, now: &Moment) -> Option<String> {
    const DAY: u64 = 24 * 60 * 60;
    let pause = why.retry_after.filter(|_| Stop::of(why).reason == StopReason::RetryAfter)?;
    let time = now.local.time().wrapping_add(pause).strftime("%H:%M:%S");
    Some(match pause.as_secs() / DAY {
        0 => time.to_string(),
        1 => format!("{time} tomorrow"),
        days => format!("{time} in {days} days"),
    })
}

/// How a run ended, and what can be done about the rest.
fn report(active: &ActiveRun, keys: &Keymap) -> [(Tone, String); 2] {
    let machine = &active.machine;
    let (tally, all) = (machine.tally(), machine.plan().events().len());
    if machine.is_simulated() {
        let events = active.would_change();
        let count = count_of(events, "event");
        let done = machine.plan().deed().done();
        let text = format!("simulated: {count} would be {done}; nothing was sent, the marks stay");
        let tone = if events < all { Tone::Warning } else { Tone::Good };
        let short = format!("simulated: {count} would be {done}; nothing was sent");
        return [(tone, text), (tone, short)];
    }
    let name = machine.name();
    let (mut what, back) = if machine.plan().undoes().is_some() {
        let (restored, altered) = tally.back();
        let altered = match altered {
            0 => String::new(),
            altered => {
                let done = machine.plan().deed().done();
                format!(", {altered} altered: {done}, but different from before")
            }
        };
        (format!("{restored} of {all} restored{altered}"), String::new())
    } else {
        let took = tally.taken() + machine.surplus().len() > 0;
        let back = if took { keys.told("; <undo> undoes it") } else { String::new() };
        (tally.words(machine.plan().kind()), back)
    };
    let title = if machine.plan().undoes().is_some() { "undo" } else { "run" };
    let mut text = format!("{title} {name}: {what}{back}");
    if machine.beside() > 0 {
        let beside = format!("{} GONE, NOT IN THE PLAN", count_of(machine.beside(), "event"));
        (text, what) = (format!("{beside}; {text}"), format!("{beside}; {what}"));
    }
    if let Some(why) = active.why_stopped() {
        (text, what) = (format!("STOPPED: {why}; {text}"), format!("STOPPED: {why}; {what}"));
    }
    if let Some(way_on) = active.way_on(keys) {
        text = format!("{text}; {way_on}");
    }
    if !machine.check().is_good() {
        text = format!("{text} · {}", machine.check().words());
        what = format!("{what} · {}", machine.check().in_short());
    }
    let well = tally.left() + tally.of(Word::Altered) + machine.beside() == 0;
    let tone = if well && machine.is_surplus_known() { Tone::Good } else { Tone::Warning };
    [(tone, text), (tone, what)]
}
