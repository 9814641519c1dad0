//! A run on the screen: the pure machine, its name, and the times that rate and rest come from.

use std::sync::Arc;
use std::time::Duration;

use crate::deletion::{Plan, Run, RunCall, RunState, UndoPlan};
use crate::domain::{Cause, ExtensionNumber, Failure, Listing, Outcome};

use super::consent::Yes;
use super::status::Tone;
use super::{ActiveUndo, Dialog, Effect, Leaving, Model, Panel, count_of};

/// What waits for its run file.
#[derive(Debug)]
pub(super) enum Opening {
    Deletion(Arc<Plan>),
    Undo(Arc<UndoPlan>),
}

/// The run going on, or the last one.
#[derive(Debug)]
pub struct ActiveRun {
    /// The name of its run file.
    pub name: String,
    /// What is carried out.
    pub run: Run,
    /// Nothing is sent: every call ends at the line to the service.
    pub simulated: bool,
    started: Duration,
    finished: Option<Duration>,
}

impl ActiveRun {
    /// True until every event has its outcome.
    pub fn is_going_on(&self) -> bool {
        self.run.state() != RunState::Finished
    }

    /// Events that a simulated run would have sent a call for.
    pub fn would_delete(&self) -> usize {
        let failures = self.run.outcomes().iter().flatten().filter_map(Outcome::failure);
        failures.filter(|failure| failure.cause == Cause::Simulated).count()
    }

    /// How long it took, or has been taking.
    pub fn elapsed(&self, now: Duration) -> Duration {
        self.finished.unwrap_or(now).saturating_sub(self.started)
    }

    /// Calls settled a second, and the time the rest takes at this rate; none before the first.
    pub fn pace(&self, now: Duration) -> Option<(f64, Duration)> {
        let settled = self.run.failed().len() + self.run.succeeded().len();
        let left = self.run.plan().calls().saturating_sub(settled);
        let elapsed = self.elapsed(now);
        if settled == 0 || elapsed.is_zero() {
            return None;
        }
        let settled = u32::try_from(settled).ok()?;
        let left = u32::try_from(left).ok()?;
        let rate = f64::from(settled) / elapsed.as_secs_f64();
        Some((rate, elapsed.checked_div(settled)?.saturating_mul(left)))
    }
}

impl Model {
    /// The run file is on disk, or cannot be.
    pub(super) fn run_file_opened(&mut self, opened: Result<String, Failure>) -> Vec<Effect> {
        match (self.opening.take(), opened) {
            (Some(Opening::Deletion(plan)), Ok(name)) => self.start_run(plan, name),
            (Some(Opening::Undo(plan)), Ok(name)) => self.start_undo(plan, name),
            (None, _) => Vec::new(),
            (Some(_), Err(failure)) => {
                self.say(Tone::Warning, format!("nothing was sent: {failure}"));
                if self.leaving == Leaving::WhenSettled {
                    self.leaving = Leaving::Now { message: None };
                }
                Vec::new()
            }
        }
    }

    /// The operator said yes to deleting these events.
    pub(super) fn start_deletion(&mut self, plan: Arc<Plan>, _: Yes) -> Vec<Effect> {
        self.opening = Some(Opening::Deletion(Arc::clone(&plan)));
        self.focus_panel(Panel::Status);
        vec![Effect::OpenRunFile(plan)]
    }

    /// The plan becomes a run.
    fn start_run(&mut self, plan: Arc<Plan>, name: String) -> Vec<Effect> {
        self.undoing = None;
        for event in plan.events() {
            self.failures.remove(&event.key);
        }
        let calls = plan.calls();
        let run = Run::new(plan, self.facts.concurrency);
        self.log(Tone::Plain, format!("run {name} started: {}", count_of(calls, "call")));
        let started = self.now.since_start;
        self.status_cursor = super::Cursor::default();
        self.run = Some(ActiveRun { name, run, simulated: false, started, finished: None });
        if self.leaving == Leaving::WhenSettled {
            self.stop_run();
        }
        self.hand_out()
    }

    /// `s` in the review: the same plan and machine, no run file, and nothing sent.
    pub(super) fn simulate(&mut self) -> Vec<Effect> {
        let Some(Dialog::Review(review)) = &self.dialog else {
            return Vec::new();
        };
        let Some(plan) = review.plan().map(Arc::clone) else {
            let why = if review.is_of_undo() {
                "only a deletion can be simulated"
            } else {
                "nothing is as it was marked: + adds it as it is now"
            };
            self.notice(Tone::Warning, why);
            return Vec::new();
        };
        self.focus_panel(Panel::Status);
        if let Some(Dialog::Review(review)) = self.dialog.take() {
            self.end_check(&review);
        }
        self.undoing = None;
        self.log(Tone::Plain, format!("simulating {}", count_of(plan.calls(), "call")));
        self.status_cursor = super::Cursor::default();
        self.run = Some(ActiveRun {
            name: "simulated".to_owned(),
            run: Run::new(plan, self.facts.concurrency),
            simulated: true,
            started: self.now.since_start,
            finished: None,
        });
        self.hand_out()
    }

    /// A call came back: rows go or stay marked, and the same message brings the next calls.
    pub(super) fn settle_call(
        &mut self,
        call: usize,
        settled: crate::deletion::Settled,
    ) -> Vec<Effect> {
        let Some(active) = &mut self.run else {
            return Vec::new();
        };
        let Some(covered) = active.run.call(call).map(RunCall::covers) else {
            return Vec::new();
        };
        if active.simulated {
            active.run.settle(call, settled, self.now.since_start);
            return self.hand_out();
        }
        let plan = Arc::clone(active.run.plan());
        let covered = plan.events().get(covered).unwrap_or_default();
        for (event, outcome) in covered.iter().zip(&settled.outcomes) {
            if outcome.is_gone() {
                self.store.remove(&event.key);
            } else if let Some(failure) = outcome.failure() {
                self.failures.insert(event.key.clone(), failure.clone());
            }
        }
        let Some(extension) = covered.first().map(|event| &event.key.extension) else {
            return Vec::new();
        };
        self.loading.deletion_settled(extension);
        let surplus = settled.reply.surplus.len();
        let had_stopped = active.run.stopped_by().is_some();
        active.run.settle(call, settled, self.now.since_start);
        let stopped_by = active.run.stopped_by().filter(|_| !had_stopped).cloned();
        if let Some(why) = stopped_by {
            self.say(Tone::Warning, format!("the run was stopped: {why}"));
        }
        if surplus > 0 {
            self.log(
                Tone::Warning,
                format!("not in the review, and reported deleted: {}", count_of(surplus, "event")),
            );
        }
        self.marks_changed = true;
        self.rebuild_events();
        self.hand_out()
    }

    /// An extension was listed for the run: before a wide call, or to verify.
    pub(super) fn listed_for_run(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<Listing, Failure>,
    ) -> Vec<Effect> {
        let Some(active) = &mut self.run else {
            return Vec::new();
        };
        active.run.listed(extension, result.as_ref(), self.now.since_start);
        if let Ok(listing) = result {
            self.store.insert(listing);
            self.mark_what_is_left(extension);
        }
        self.marks_changed = true;
        self.rebuild_events();
        self.hand_out()
    }

    /// An event that was reported deleted and is listed all the same is marked again.
    fn mark_what_is_left(&mut self, extension: &ExtensionNumber) {
        let Some(active) = self.run.as_ref().filter(|active| !active.simulated) else { return };
        let plan = Arc::clone(active.run.plan());
        for event in plan.events_of(extension) {
            let outcome = active.run.outcomes().get(event).and_then(Option::as_ref);
            let failure = outcome.and_then(Outcome::failure);
            let (Some(planned), Some(failure)) = (plan.events().get(event), failure) else {
                continue;
            };
            self.failures.insert(planned.key.clone(), failure.clone());
            let row = self.store.listing(extension).and_then(|listing| listing.find(&planned.key));
            if let Some(row) = row {
                self.store.set_marks(extension, row..=row, true);
            }
        }
    }

    /// The time is over that a run asked for.
    pub(super) fn waited(&mut self) -> Vec<Effect> {
        if self.is_undoing() { self.hand_out_undo() } else { self.hand_out() }
    }

    fn hand_out(&mut self) -> Vec<Effect> {
        let now = self.now.since_start;
        let Some(active) = &mut self.run else {
            return Vec::new();
        };
        if self.in_haste {
            active.run.stop();
        }
        let mut effects = if active.simulated {
            Effect::of_simulated(&mut active.run, now)
        } else {
            Effect::of_run(&mut active.run, now)
        };
        for remark in active.run.take_remarks() {
            self.log.add(self.now, Tone::Warning, remark);
        }
        if active.simulated {
            if !active.is_going_on() && active.finished.is_none() {
                active.finished = Some(now);
                self.report_simulation();
                self.leave_if_settled();
            }
            return effects;
        }
        if !active.is_going_on() && active.finished.is_none() {
            active.finished = Some(now);
            self.closing = true;
            effects.push(Effect::CloseRunFile(active.run.end()));
            self.lost = active.run.loss(&active.name);
            self.report_run();
        }
        effects
    }

    fn report_run(&mut self) {
        let Some(active) = &self.run else { return };
        let tally = active.run.tally();
        let left = tally.refused + tally.not_sent + tally.unknown;
        let name = &active.name;
        let mut text = format!("run {name}: {tally}");
        if self.lost.is_some() {
            text.push_str("; z undoes it");
        }
        if left > 0 {
            text.push_str("; the rest keeps its marks, d tries again");
        }
        let tone = if left > 0 { Tone::Warning } else { Tone::Good };
        self.say(tone, text);
    }

    fn report_simulation(&mut self) {
        let Some(active) = &self.run else { return };
        let events = active.would_delete();
        let text = format!(
            "simulated: {} would be deleted; nothing was sent, the marks stay",
            count_of(events, "event")
        );
        let all = active.run.plan().events().len();
        self.say(if events < all { Tone::Warning } else { Tone::Good }, text);
    }

    /// Whether what goes on sends nothing but questions.
    pub fn is_simulating(&self) -> bool {
        self.run.as_ref().is_some_and(|active| active.simulated && active.is_going_on())
    }

    /// Hands out nothing more; what is in flight is awaited.
    pub(super) fn stop_run(&mut self) {
        let Some(active) = &mut self.run else { return };
        active.run.stop();
        let in_flight = active.run.in_flight();
        if in_flight > 0 {
            self.say(
                Tone::Warning,
                format!("stopping: waiting for {} in flight", count_of(in_flight, "call")),
            );
        }
    }

    /// Esc during a run.
    pub(super) fn stop_and_settle(&mut self) -> Vec<Effect> {
        if self.is_undoing() {
            self.stop_undo();
            return self.hand_out_undo();
        }
        self.stop_run();
        self.hand_out()
    }

    /// Holds the run, or goes on.
    pub(super) fn pause_run(&mut self) -> Vec<Effect> {
        let Some(active) = &mut self.run else {
            self.notice(Tone::Plain, "there is no run to pause");
            return Vec::new();
        };
        match active.run.state() {
            RunState::Running => {
                active.run.pause();
                self.notice(Tone::Warning, "paused: p goes on, Esc stops");
            }
            RunState::Paused => {
                active.run.resume();
                self.notice(Tone::Plain, "going on");
            }
            RunState::Stopping | RunState::Verifying | RunState::Finished => {
                self.notice(Tone::Plain, "there is no run to pause");
            }
        }
        self.hand_out()
    }

    /// True while calls are out or wait, or the run file is being opened or closed.
    pub fn is_running(&self) -> bool {
        self.opening.is_some()
            || self.closing
            || self.is_undoing()
            || self.run.as_ref().is_some_and(ActiveRun::is_going_on)
    }

    pub(super) fn is_undoing(&self) -> bool {
        self.undoing.as_ref().is_some_and(ActiveUndo::is_going_on)
    }

    /// Requests of a run or undo that are out without an answer.
    pub fn in_flight(&self) -> usize {
        let run = self.run.as_ref().map_or(0, |active| active.run.in_flight());
        run + self.undoing.as_ref().map_or(0, |active| active.undo.in_flight())
    }

    /// Events of the run going on that have an outcome, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        if let Some(active) = self.undoing.as_ref().filter(|active| active.is_going_on()) {
            return (active.undo.tally().settled(), active.undo.plan().events().len());
        }
        let run = self.run.as_ref().filter(|active| active.is_going_on());
        run.map_or((0, 0), |active| {
            (active.run.tally().settled(), active.run.plan().events().len())
        })
    }

    /// The name of the newest run file.
    pub(super) fn run_name(&self) -> &str {
        let run = self.run.as_ref().map_or("", |active| active.name.as_str());
        self.undoing.as_ref().map_or(run, |active| active.name.as_str())
    }
}
