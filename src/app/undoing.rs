//! The way back on the screen: what the last run lost, the review of its creations, and the undo
//! that carries them out.

use std::sync::Arc;
use std::time::Duration;

use crate::deletion::{RunState, Undo, UndoPlan};
use crate::domain::{ExtensionNumber, Failure, Listing, WriteAnswer};

use super::consent::Yes;
use super::running::Opening;
use super::status::Tone;
use super::{Effect, Leaving, Model, Panel, Review, count_of};

/// The undo going on, or the last one.
#[derive(Debug)]
pub struct ActiveUndo {
    /// The name of its run file.
    pub name: String,
    /// What is carried out.
    pub undo: Undo,
    /// Events in the order they were settled, with how long it took.
    pub settled: Vec<(usize, Duration)>,
    closed: bool,
}

impl ActiveUndo {
    /// True until every event has its outcome.
    pub fn is_going_on(&self) -> bool {
        self.undo.state() != RunState::Finished
    }
}

impl Model {
    /// `z`: lays the creations open that bring back what the last run took.
    pub(super) fn review_undo(&mut self) {
        if self.is_running() {
            self.notice(Tone::Warning, "a run is going on: Esc stops it, then z");
            return;
        }
        let Some(lost) = &self.lost else {
            let text = "no run of this session took anything; callsweep runs lists earlier ones";
            self.notice(Tone::Plain, text);
            return;
        };
        match UndoPlan::new(self.facts.target.clone(), lost) {
            Ok(plan) => self.ask(Review::of_undo(Arc::new(plan))),
            Err(refused) => self.notice(Tone::Plain, refused.to_string()),
        }
    }

    /// The operator said yes to making these events again.
    pub(super) fn start_undoing(&mut self, plan: Arc<UndoPlan>, _: Yes) -> Vec<Effect> {
        self.opening = Some(Opening::Undo(Arc::clone(&plan)));
        self.focus_panel(Panel::Status);
        vec![Effect::OpenUndoFile(plan)]
    }

    /// The run file is on disk: the plan becomes an undo.
    pub(super) fn start_undo(&mut self, plan: Arc<UndoPlan>, name: String) -> Vec<Effect> {
        let events = count_of(plan.events().len(), "event");
        self.log(Tone::Plain, format!("undo {name} of run {} started: {events}", plan.run()));
        let undo = Undo::new(plan, self.facts.concurrency);
        self.status_cursor = super::Cursor::default();
        self.undoing = Some(ActiveUndo { name, undo, settled: Vec::new(), closed: false });
        if self.leaving == Leaving::WhenSettled {
            self.stop_undo();
        }
        self.hand_out_undo()
    }

    /// An event was made, or not.
    pub(super) fn event_created(
        &mut self,
        place: usize,
        answer: Result<WriteAnswer, Failure>,
        took: Duration,
    ) -> Vec<Effect> {
        let Some(active) = &mut self.undoing else {
            return Vec::new();
        };
        if let Some(event) = active.undo.plan().events().get(place) {
            let extension = event.key.extension.clone();
            self.loading.deletion_settled(&extension);
        }
        let had_stopped = active.undo.stopped_by().is_some();
        active.undo.settle(place, answer, self.now.since_start);
        active.settled.push((place, took));
        let stopped_by = active.undo.stopped_by().filter(|_| !had_stopped).cloned();
        if let Some(why) = stopped_by {
            self.say(Tone::Warning, format!("the undo was stopped: {why}"));
        }
        self.hand_out_undo()
    }

    /// An extension was listed for the undo, before or after.
    pub(super) fn listed_for_undo(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<Listing, Failure>,
    ) -> Vec<Effect> {
        let Some(active) = &mut self.undoing else {
            return Vec::new();
        };
        active.undo.listed(extension, result.as_ref(), self.now.since_start);
        if let Ok(listing) = result {
            self.store.insert(listing);
            self.marks_changed = true;
            self.rebuild_events();
        }
        self.hand_out_undo()
    }

    pub(super) fn hand_out_undo(&mut self) -> Vec<Effect> {
        let Some(active) = &mut self.undoing else {
            return Vec::new();
        };
        if self.in_haste {
            active.undo.stop();
        }
        let mut effects = Effect::of_undo(&mut active.undo, self.now.since_start);
        for remark in active.undo.take_remarks() {
            self.log.add(self.now, Tone::Warning, remark);
        }
        if !active.is_going_on() && !active.closed {
            active.closed = true;
            self.closing = true;
            effects.push(Effect::CloseRunFile(active.undo.end()));
            if let Some(lost) = &mut self.lost {
                let outcomes = active.undo.outcomes().iter();
                let settled = active.undo.plan().events().iter().zip(outcomes);
                lost.undone(
                    settled.filter_map(|(event, outcome)| Some((event, outcome.as_ref()?))),
                );
            }
            self.report_undo();
        }
        effects
    }

    fn report_undo(&mut self) {
        let Some(active) = &self.undoing else { return };
        let (tally, all) = (active.undo.tally(), active.undo.plan().events().len());
        let left = all - tally.restored;
        let mut text = format!("undo {}: {} of {all} restored", active.name, tally.restored);
        if left > 0 {
            text.push_str("; z tries the others again");
        }
        self.say(if left > 0 { Tone::Warning } else { Tone::Good }, text);
    }

    /// Makes nothing more; what is in flight is awaited.
    pub(super) fn stop_undo(&mut self) {
        if let Some(active) = &mut self.undoing {
            active.undo.stop();
        }
    }
}
