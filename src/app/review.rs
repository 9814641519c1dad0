//! The question before anything changes: what goes, event by event, as the frozen plan has it, with
//! its warnings, and what has to be typed. Deletion, change and undo are reviewed in the same way.
//!
//! What it shows is what a yes carries out: the plan changes only in sight of the operator, and what
//! was typed or said for another plan counts for nothing.

mod check;
mod digest;
mod layout;
mod lost;
mod wishing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::change::{
    Choice, Deed, Inexact, Learnt, Plan, PlanRefused, Rest, RestRefused, Route, Selection, Summary,
    Wish,
};
use crate::domain::{
    Call, CallForm, Change, DeleteCall, EventKey, EventStore, ExpressionError, Extension,
    ExtensionNumber, Filter, Mask, PassedOver, PhoneCallEvent, Verdict,
};

use super::consent::{Sight, Substance, Yes};
use super::status::Tone;
use super::{Cursor, Dialog, Effect, Facts, Model, Motion, RunRead, TypedLine, count_of};
use check::Check;
pub use digest::{Digest, STATUS_BESIDE};
pub use layout::ReviewLayout;
use lost::Lost;
use wishing::Wishing;

/// From this many events on the number must be typed.
const TYPED_ABOVE: usize = 10;

/// How it begins to say that not all is read that a review rests on.
const STILL_READING: &str = "still reading";

/// A longer number is no number of events.
const MOST_DIGITS: usize = 7;

/// An open review.
#[derive(Debug)]
pub struct Review {
    /// None while nothing is left of what was chosen.
    plan: Option<Arc<Plan>>,
    /// Counts the plans so far that were not the same as the one before.
    plans: u64,
    /// What a deletion or a change was chosen from.
    chosen: Option<Box<Chosen>>,
    /// What an undo gives back.
    lost: Option<Box<Lost>>,
    check: Check,
    /// Where its listings are asked for and its calls go.
    route: Route,
    /// What there is to know of the run file that it is made of.
    remarks: Vec<String>,
    digest: Digest,
    /// The calls that a yes sends, by their places, where that is not all of them: each is for one event.
    due: Option<Vec<usize>>,
    /// What of the plan a POST could not give back exactly.
    inexact: Inexact,
    /// How many of its events are not written back, and the first of them.
    held: (usize, Vec<usize>),
    /// Which question this is, counted over the session.
    question: u64,
    /// Planned events that no panel shows because of a filter.
    hidden: usize,
    /// Sets of duplicates of which nothing would stay.
    whole_sets: usize,
    /// Nothing was marked: this is the event under the cursor.
    from_cursor: bool,
    typed: String,
    must_type: bool,
    /// The rows are calls, not events.
    shows_calls: bool,
    cursor: Cursor,
    narrowed: Option<Narrowed>,
    /// The filter of the rows while it is being typed.
    line: Option<TypedLine>,
    /// Why what is typed is no filter.
    refused: Option<ExpressionError>,
    layout: ReviewLayout,
}

/// What was chosen to be deleted or changed, and how far it still is as it was.
#[derive(Debug)]
struct Chosen {
    choice: Choice,
    selection: Selection,
    form: CallForm,
    /// What is wanted of it, where it is not to be deleted.
    wishing: Option<Wishing>,
    /// The run that is gone on with.
    rest: Option<Arc<Rest>>,
}

/// The rows that a filter admits.
#[derive(Debug)]
struct Narrowed {
    text: String,
    events: Vec<usize>,
    /// Planned events that the filter can say nothing about.
    passed_over: PassedOver,
}

/// One row of a review's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewRow {
    /// A line of a warning that has no room above the rows, by its place among those.
    Warning(usize),
    /// A planned event, by its place in the plan.
    Event(usize),
    /// A call, by its place in the plan.
    Call(usize),
    /// An event that is named beside the plan, by its place among those.
    Named(usize),
}

/// One literal call of a plan, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewCall {
    /// Method and path, the path not masked.
    pub method: &'static str,
    /// The path, without the origin.
    pub path: String,
    /// How many planned events it covers.
    pub covers: usize,
    /// Whether it may remove more than it covers.
    pub wide: bool,
    /// What it changes; its body, not masked.
    pub change: Option<Change>,
}

impl Review {
    /// Of the deletion of a selection, or of what is wanted of it.
    pub(super) fn of_selection(
        facts: &Facts,
        store: &EventStore,
        selection: &Selection,
        wish: Option<Wish>,
    ) -> Result<Self, PlanRefused> {
        if selection.is_empty() {
            return Err(PlanRefused::Empty);
        }
        let wishing = wish.map(Wishing::of);
        let choice = Choice::of(selection, store);
        Self::of_choice(facts, store, (choice, None, wishing), Route::of(facts.target.clone()))
    }

    pub(super) fn of_rest(
        facts: &Facts,
        store: &EventStore,
        read: RunRead<Arc<Rest>>,
    ) -> Result<Self, PlanRefused> {
        let RunRead { what: rest, route, remarks } = read;
        let choice = Choice::of_rest(&rest, store);
        let mut review = Self::of_choice(facts, store, (choice, Some(rest), None), route)?;
        review.remarks = remarks;
        Ok(review)
    }

    fn of_choice(
        facts: &Facts,
        store: &EventStore,
        (choice, rest, wishing): (Choice, Option<Arc<Rest>>, Option<Wishing>),
        route: Route,
    ) -> Result<Self, PlanRefused> {
        let check = Check::of(choice.extensions().cloned());
        let selection = choice.selection(store);
        let nothing_drifted = choice.differing() == (0, 0);
        let (form, chosen) = (CallForm::Event, Selection::default());
        let chosen = Chosen { choice, selection: chosen, form, wishing, rest };
        let mut review = Self::of(None, check, route);
        review.chosen = Some(Box::new(chosen));
        match review.freeze(facts, selection) {
            // What drifted may be added.
            Err(refused) if nothing_drifted || !refused.is_of_nothing() => Err(refused),
            Ok(()) | Err(_) => Ok(review),
        }
    }

    fn of(plan: Option<Arc<Plan>>, check: Check, route: Route) -> Self {
        Self {
            plan,
            plans: 0,
            chosen: None,
            lost: None,
            check,
            route,
            remarks: Vec::new(),
            digest: Digest::default(),
            due: None,
            inexact: Inexact::default(),
            held: (0, Vec::new()),
            question: 0,
            hidden: 0,
            whole_sets: 0,
            from_cursor: false,
            typed: String::new(),
            must_type: false,
            shows_calls: false,
            cursor: Cursor::default(),
            narrowed: None,
            refused: None,
            line: None,
            layout: ReviewLayout::default(),
        }
    }

    /// Whether it asks about re-creating what a run deleted.
    pub fn is_of_undo(&self) -> bool {
        self.lost.is_some()
    }

    /// What a yes does to the events.
    pub fn deed(&self) -> Deed {
        match (&self.lost, self.rest(), self.wishing()) {
            (Some(lost), ..) => lost.deed(),
            (None, Some(rest), _) => rest.deed(),
            (None, None, Some(wishing)) => wishing.deed(),
            (None, None, None) => Deed::Delete,
        }
    }

    fn wishing(&self) -> Option<&Wishing> {
        self.chosen.as_ref()?.wishing.as_ref()
    }

    /// The run that is gone on with.
    pub fn rest(&self) -> Option<&Rest> {
        self.chosen.as_ref()?.rest.as_deref()
    }

    /// The run that an undo takes back.
    pub fn undone_run(&self) -> Option<&str> {
        self.lost.as_ref().map(|lost| lost.run())
    }

    /// The plan that a yes runs; none while nothing is left of what was chosen.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// Every event of the plan, in the order of the calls.
    pub fn events(&self) -> &[PhoneCallEvent] {
        match &self.chosen {
            Some(chosen) if chosen.rest.is_some() => chosen.selection.events(),
            Some(_) | None => self.plan.as_ref().map_or(&[], |plan| plan.events()),
        }
    }

    /// What becomes of the event at this place, where it is changed.
    pub fn change(&self, event: usize) -> Option<Change> {
        match self.plan.as_ref()?.call(self.call_of(event))? {
            Call::Update(_, change) => Some(change),
            Call::Delete(_) | Call::Create(_) => None,
        }
    }

    /// How many calls a yes sends.
    pub fn calls(&self) -> usize {
        let all = self.plan.as_ref().map_or(0, |plan| plan.calls());
        self.due.as_ref().map_or(all, Vec::len)
    }

    /// How many events a yes deletes, changes or makes.
    pub fn count(&self) -> usize {
        self.due.as_ref().map_or(self.events().len(), Vec::len)
    }

    /// Which of the calls that a yes sends the call at this place is, from 1.
    pub fn ordinal(&self, call: usize) -> usize {
        1 + self.due.as_ref().map_or(call, |due| due.partition_point(|it| *it < call))
    }

    /// The call at this place.
    pub fn call(&self, place: usize) -> Option<ReviewCall> {
        let plan = self.plan.as_ref()?;
        let call = plan.call(place)?;
        let (method, path) = (call.method(), call.path(plan.target()));
        let (covers, wide) = (plan.covers(place).len(), call.is_wide());
        let change = match call {
            Call::Update(_, change) => Some(change),
            Call::Delete(_) | Call::Create(_) => None,
        };
        Some(ReviewCall { method, path, covers, wide, change })
    }

    /// The place of the call that covers the event at this place.
    pub fn call_of(&self, event: usize) -> usize {
        let Some(plan) = self.plan.as_ref().filter(|_| self.rest().is_none()) else {
            return event;
        };
        let (mut low, mut high) = (0, plan.calls());
        while low < high {
            let middle = low.midpoint(high);
            if plan.covers(middle).end <= event {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Whether the event at this place goes with a wide call.
    pub fn is_wide(&self, event: usize) -> bool {
        let call = |plan: &Arc<Plan>| plan.call(self.call_of(event));
        self.digest.wide_calls > 0 && self.plan().and_then(call).is_some_and(|one| one.is_wide())
    }

    /// What the plan holds, counted.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The first digits of the plan's hash, once all is read that it is made of.
    pub fn hash(&self) -> Option<&str> {
        self.plan().filter(|_| !self.is_reading()).map(|plan| plan.hash().short())
    }

    /// The call form in use.
    pub fn form(&self) -> CallForm {
        self.chosen.as_ref().map_or(CallForm::Event, |chosen| chosen.form)
    }

    /// Whether the number of events has to be typed before yes works.
    pub fn must_type(&self) -> bool {
        self.must_type
    }

    /// What was typed so far of the number of events.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Whether there is something to say yes to, and its number was typed where it has to be.
    pub fn is_armed(&self) -> bool {
        let count = self.count();
        count > 0 && (!self.must_type || self.typed == count.to_string())
    }

    /// Whether the rows are calls.
    pub fn shows_calls(&self) -> bool {
        self.shows_calls
    }

    /// The layout of the review's window.
    pub fn layout(&self) -> &ReviewLayout {
        &self.layout
    }

    /// The row under the cursor, and the first in sight.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The filter of the rows while it is being typed.
    pub fn line(&self) -> Option<&TypedLine> {
        self.line.as_ref()
    }

    pub(super) fn line_mut(&mut self) -> Option<&mut TypedLine> {
        self.line.as_mut()
    }

    /// The filter of the rows in force.
    pub fn narrowed_by(&self) -> Option<&str> {
        self.narrowed.as_ref().map(|narrowed| narrowed.text.as_str())
    }

    /// Planned events that it can say nothing about.
    pub fn passed_over(&self) -> PassedOver {
        self.narrowed.as_ref().map(|narrowed| narrowed.passed_over).unwrap_or_default()
    }

    /// Why what is being typed is no filter.
    pub fn refused(&self) -> Option<&ExpressionError> {
        self.refused.as_ref()
    }

    /// How many rows the list has.
    pub fn rows(&self) -> usize {
        self.layout.loose.len() + self.items()
    }

    /// Events or calls in the list, and what is named beside the events.
    pub fn items(&self) -> usize {
        match &self.narrowed {
            Some(narrowed) => narrowed.events.len(),
            None => self.all_items(),
        }
    }

    /// How many [items](Self::items) there are without the filter.
    pub fn all_items(&self) -> usize {
        if self.shows_calls {
            return self.calls();
        }
        self.count() + self.wishing().map_or(0, Wishing::named)
    }

    /// What is named beside the plan, by its place among that.
    pub fn named(&self, place: usize, mask: &Mask) -> Option<String> {
        self.wishing()?.name(place, mask)
    }

    /// The row at this place of the list.
    pub fn row(&self, place: usize) -> Option<ReviewRow> {
        let Some(item) = place.checked_sub(self.layout.loose.len()) else {
            return Some(ReviewRow::Warning(place));
        };
        if item >= self.items() {
            return None;
        }
        let item = match (&self.narrowed, &self.due) {
            (Some(narrowed), _) => *narrowed.events.get(item)?,
            (None, Some(due)) => *due.get(item)?,
            (None, None) => item,
        };
        let named = item.checked_sub(self.events().len()).filter(|_| !self.shows_calls);
        if let Some(place) = named {
            return Some(ReviewRow::Named(place));
        }
        Some(if self.shows_calls { ReviewRow::Call(item) } else { ReviewRow::Event(item) })
    }

    /// Freezes a selection; of nothing there is no plan then, and else what is refused changes nothing. What was
    /// typed and agreed to stands for the calls as they were.
    fn freeze(&mut self, facts: &Facts, selection: Selection) -> Result<(), PlanRefused> {
        let Some(chosen) = &mut self.chosen else { return Ok(()) };
        let (target, most) = (self.route.target().clone(), facts.max_delete);
        let plan = match (&chosen.rest, &mut chosen.wishing) {
            (Some(rest), _) => Plan::go_on(target, rest, &selection, most),
            (None, Some(wishing)) => wishing.plan(target, &selection, most),
            (None, None) => Plan::freeze(target, &selection, chosen.form, most),
        };
        let (plan, nothing) = match plan {
            Ok(plan) => (Some(plan), Ok(())),
            Err(refused) if refused.is_of_nothing() => (None, Err(refused)),
            Err(refused) => return Err(refused),
        };
        chosen.selection = selection;
        self.adopt(plan);
        nothing
    }

    /// Takes a plan in place of the one before. What was typed and agreed to stands where it sends
    /// the same.
    fn adopt(&mut self, plan: Option<Plan>) {
        let same = match (&plan, &self.plan) {
            (Some(plan), Some(before)) => plan.sends_the_same(before),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.plan = plan.map(Arc::new);
        if !same {
            self.plans += 1;
            self.check.agreed = false;
            self.typed.clear();
            self.cursor = Cursor::default();
            self.narrowed = None;
        }
        self.count_again();
    }

    fn count_again(&mut self) {
        let calls = self.plan().into_iter().flat_map(|plan| {
            (0..plan.calls()).filter_map(|place| plan.call(place)).filter(Call::is_wide)
        });
        let (mut wide, mut of_type) = (0, 0);
        for call in calls {
            wide += 1;
            of_type += usize::from(matches!(call, Call::Delete(DeleteCall::Type(..))));
        }
        let writes_back = self.deed() == Deed::WriteBack && !self.is_reading();
        self.due = self.plan().filter(|_| writes_back).map(|plan| plan.due().collect());
        self.digest = match &self.due {
            Some(due) => {
                let events = due.iter().filter_map(|place| self.events().get(*place));
                Digest::of(events, wide, of_type)
            }
            None => Digest::of(self.events().iter(), wide, of_type),
        };
        let inexact = self.plan().map(|plan| Inexact::of(plan, check::NAMED));
        self.inexact = inexact.unwrap_or_default();
        let plan = self.plan.as_deref().filter(|_| self.is_of_undo());
        let mut held = plan.into_iter().flat_map(|plan| {
            let is_held = |at: &usize| plan.held(*at).is_some_and(|it| it.failure().is_some());
            (0..plan.events().len()).filter(is_held)
        });
        let first: Vec<usize> = held.by_ref().take(check::NAMED).collect();
        self.held = (first.len() + held.count(), first);
    }

    /// Takes how many events are hidden now; what has to be typed follows from it.
    fn count_hidden(&mut self, facts: &Facts, hidden: usize, whole_sets: usize) {
        (self.hidden, self.whole_sets) = (hidden, whole_sets);
        let many = !self.is_of_undo() && self.count() > TYPED_ABOVE;
        let elsewhere = self.route.differs().is_some();
        self.must_type = many || hidden > 0 || facts.protected || elsewhere;
    }

    /// Freezes the same selection with the next form that may be chosen and fits any of it; `None`
    /// where that is the one in use.
    fn change_form(&mut self, facts: &Facts, learnt: Learnt) -> Option<CallForm> {
        let chosen = self.chosen.as_mut()?;
        let selection = chosen.selection.clone();
        let allowed = |form| facts.wide_calls.allows(form) && learnt.allows(form);
        let fits = |form: &CallForm| allowed(*form) && selection.fits(*form);
        let form = chosen.form.others().find(fits).filter(|form| *form != chosen.form)?;
        (chosen.form, self.check.agreed) = (form, false);
        self.typed.clear();
        self.freeze(facts, selection).ok()?;
        Some(form)
    }

    fn type_digit(&mut self, digit: char) {
        if self.typed.len() < MOST_DIGITS {
            self.typed.push(digit);
        }
    }

    /// Moves the cursor in the list.
    pub(super) fn go(&mut self, motion: Motion) {
        self.cursor.go(motion, self.rows(), self.layout.rows);
    }

    /// Shows the rows that a filter admits; all of them where it is empty.
    fn narrow(&mut self, filter: &Filter, extension: impl Fn(&PhoneCallEvent) -> Extension) {
        self.cursor = Cursor::default();
        self.narrowed = (!filter.is_empty()).then(|| {
            let mut passed_over = PassedOver::default();
            let is_due = |place: &usize| {
                self.due.as_ref().is_none_or(|due| due.binary_search(place).is_ok())
            };
            let events = self.events().iter().enumerate().filter(|(place, _)| is_due(place));
            let admitted = events.filter_map(|(place, event)| {
                let verdict = filter.judge(&extension(event), event);
                passed_over.count(verdict);
                (verdict == Verdict::Meant).then_some(place)
            });
            let events = if self.shows_calls {
                let mut calls: Vec<usize> = admitted.map(|place| self.call_of(place)).collect();
                calls.dedup();
                calls
            } else {
                admitted.collect()
            };
            Narrowed { text: filter.text().to_owned(), events, passed_over }
        });
    }

    /// Which of the warnings' lines are in sight.
    fn sight(&self) -> Sight {
        let (pinned, loose) = (self.layout.pinned.len(), self.layout.loose.len());
        let first = pinned + self.cursor.top.min(loose);
        let last = pinned + (self.cursor.top + self.layout.rows).min(loose);
        Sight { pinned, range: first..last, all: pinned + loose }
    }
}

impl Model {
    /// Opens the review of a selection's deletion, or of what is wanted of it, and asks for every
    /// extension in it once more.
    pub(super) fn open_review(
        &mut self,
        selection: &Selection,
        from_cursor: bool,
        wish: Option<Wish>,
    ) {
        match Review::of_selection(&self.facts, &self.store, selection, wish) {
            Ok(review) => self.read_and_ask(Review { from_cursor, ..review }),
            Err(refused) => self.notice(Tone::Warning, refused.to_string()),
        }
    }

    /// `r`: asks for what the run in Status left open, to go on with it in the same run file.
    pub(super) fn go_on(&mut self) -> Vec<Effect> {
        if self.is_running() {
            self.tell(Tone::Warning, "a run is going on: Esc stops it, then <go-on>");
            return Vec::new();
        }
        if self.is_no_run_chosen() {
            return Vec::new();
        }
        let chosen = self.take_chosen_run();
        let earlier = chosen.as_ref().or(self.earlier_run().map(|run| &run.summary));
        if let Some(run) = earlier {
            let name = run.name.clone();
            return match run.goes_on_as() {
                Some(undone) if undone != name => self.read_way_back_of(undone.to_owned()),
                Some(_) => vec![Effect::ReadRest(name)],
                None => {
                    let why = self.why_not_on_with(run);
                    self.notice(Tone::Plain, format!("run {name} cannot be gone on with: {why}"));
                    Vec::new()
                }
            };
        }
        let last = self.run().map(|active| &active.machine).filter(|it| !it.is_simulated());
        match last {
            Some(run) if run.plan().undoes().is_some() => self.read_way_back(),
            Some(run) if run.tally().left() > 0 => vec![Effect::ReadRest(run.name().to_owned())],
            Some(_) | None => {
                let text =
                    "no run of this session left anything to go on with; <runs> lists earlier runs";
                self.tell(Tone::Plain, text);
                Vec::new()
            }
        }
    }

    /// Why a run of before cannot be gone on with, and what can be done instead.
    fn why_not_on_with(&self, run: &Summary) -> String {
        match &run.undone {
            _ if run.is_going_on => "another callsweep is at it".to_owned(),
            _ if run.is_newer => "a newer callsweep wrote it".to_owned(),
            _ if run.left() == 0 => "nothing of it is left".to_owned(),
            Some(undone) if undone.by().is_some() => "it is undone".to_owned(),
            Some(_) => {
                self.keyed("its undo has begun; <runs>, then <undo> on it, goes on with that")
            }
            None => "it does not say which run it undoes".to_owned(),
        }
    }

    /// What is left of a run was read: it is reviewed, and listed once more.
    pub(super) fn rest_read(&mut self, rest: Result<RunRead<Arc<Rest>>, RestRefused>) {
        if self.dialog.is_some() || self.is_running() {
            return;
        }
        let rest = match rest {
            Ok(rest) => rest,
            // What is being brought back is deleted again by another run only.
            Err(refused @ RestRefused::Undone { .. }) if self.is_deletion_shown() => {
                self.review_deletion();
                self.notice(Tone::Plain, format!("{refused}; this is a new run"));
                return;
            }
            Err(refused) => {
                let undo = self.keyed("<runs>, then <undo> on it,");
                return self.notice(Tone::Warning, refused.told(|_| undo.clone()));
            }
        };
        match Review::of_rest(&self.facts, &self.store, rest) {
            Ok(review) => self.read_and_ask(review),
            Err(refused) => self.notice(Tone::Warning, refused.to_string()),
        }
    }

    /// Whether there are marks, and Status shows a deletion.
    fn is_deletion_shown(&self) -> bool {
        let deed = self.run().map(|active| active.machine.plan().deed());
        self.store.marked() > 0 && deed == Some(Deed::Delete)
    }

    fn read_and_ask(&mut self, review: Review) {
        match review.rest() {
            Some(rest) => rest.extensions().into_iter().for_each(|it| self.loading.demand_anew(it)),
            None => review.unread().for_each(|it| self.loading.demand_anew(it)),
        }
        self.ask(review);
    }

    /// Opens a review.
    pub(super) fn ask(&mut self, mut review: Review) {
        review.question = self.next_question();
        self.dialog = Some(Dialog::Review(Box::new(review)));
        self.count_in_review();
    }

    /// What a yes to the open review means, and how much of its warnings is in sight. Lays it out
    /// first, since what is in sight follows from that.
    pub(super) fn substance_of_review(&mut self) -> Option<(Substance, Sight)> {
        let Some(Dialog::Review(review)) = &self.dialog else { return None };
        let warnings = self.warnings_of(review);
        let (size, repaints) = (self.layout.whole.as_size(), self.repaints);
        let Some(Dialog::Review(review)) = &mut self.dialog else { return None };
        review.lay_out(size, &warnings);
        let (question, plan) = (review.question, review.plans);
        Some((Substance { question, plan, warnings, repaints }, review.sight()))
    }

    /// Digits and backspace while the number of events has to be typed.
    pub(super) fn type_count(&mut self, key: super::Key) -> bool {
        let unread = self.consent.unread();
        let Some(Dialog::Review(review)) = &mut self.dialog else { return false };
        if !review.must_type {
            return false;
        }
        let digit = key.typed().filter(char::is_ascii_digit);
        match (digit, unread) {
            (None, _) if key == super::Key::BACKSPACE => {
                review.typed.pop();
            }
            (None, _) => return false,
            (Some(digit), None) => review.type_digit(digit),
            (Some(_), Some(unread)) => self.not_yet(unread),
        }
        true
    }

    /// What was typed of the number counts only for the question that it was typed at.
    pub(super) fn forget_typed(&mut self) {
        if let Some(Dialog::Review(review)) = &mut self.dialog {
            review.typed.clear();
        }
    }

    pub(super) fn confirm_review(&mut self, review: Box<Review>, yes: Yes) -> Vec<Effect> {
        match self.not_now(&review) {
            Some(why) => {
                self.notice(Tone::Warning, why);
                self.dialog = Some(Dialog::Review(review));
                Vec::new()
            }
            None if review.is_stale(self.now.since_start) => {
                self.dialog = Some(Dialog::Review(review));
                self.check_again();
                Vec::new()
            }
            None => {
                let listed = review.listed_at();
                review.plan.map_or_else(Vec::new, |plan| self.begin(plan, listed, yes))
            }
        }
    }

    /// Why a yes that was read does nothing all the same.
    fn not_now(&self, review: &Review) -> Option<String> {
        let (count, deed) = (review.count(), review.deed());
        if self.facts.read_only {
            let how = if review.is_of_undo() {
                " (read_only, --read-only)"
            } else {
                "; <simulate> simulates"
            };
            return Some(self.keyed(&format!("read-only: nothing can be {}{how}", deed.done())));
        }
        if count == 0 && review.rest().is_some() {
            return Some(
                self.keyed("none of its extensions could be listed: <read-failed> tries again"),
            );
        }
        if count == 0 {
            let [why, remedy] = review.why_nothing();
            return Some(self.keyed(&format!("{why}: {remedy}")));
        }
        if let (true, (read, all)) = (review.is_reading(), review.progress()) {
            let all = count_of(all, "extension");
            return Some(format!(
                "still reading {all} again, {read} so far: press y once all are read"
            ));
        }
        (!review.is_armed()).then(|| format!("type {count}, the number of events, then press y"))
    }

    /// `+`: what changed or appeared is taken as it is now.
    pub(super) fn add_drifted(&mut self) {
        let Self { dialog: Some(Dialog::Review(review)), store, facts, .. } = self else {
            return;
        };
        let Some(chosen) = &review.chosen else { return self.add_stand_ins() };
        if chosen.rest.is_some() {
            let text = "what changed since the review stays: mark it for a new review";
            self.notice(Tone::Plain, text);
            return;
        }
        let (choice, added) = chosen.choice.with_drifted(store);
        if added.is_empty() {
            self.notice(Tone::Plain, "nothing changed or appeared that could be added");
            return;
        }
        let selection = choice.selection(store);
        match review.freeze(facts, selection) {
            Err(refused) if !refused.is_of_nothing() => {
                self.notice(Tone::Warning, refused.to_string());
                return;
            }
            Ok(()) | Err(_) => {}
        }
        if let Some(chosen) = &mut review.chosen {
            chosen.choice = choice;
        }
        if !review.from_cursor {
            self.mark_as_they_are(&added);
        }
        self.count_in_review();
        self.notice(Tone::Plain, format!("{} added as listed now", count_of(added.len(), "event")));
    }

    /// Marks events as the newest listing describes them.
    fn mark_as_they_are(&mut self, keys: &[EventKey]) {
        for key in keys {
            let row = self.store.listing(&key.extension).and_then(|listing| listing.find(key));
            if let Some(row) = row {
                self.store.set_marks(&key.extension, row..=row, false);
                self.store.set_marks(&key.extension, row..=row, true);
            }
        }
    }

    /// `t`: other calls for the same events, which have to be looked at anew.
    pub(super) fn change_form(&mut self) {
        let Self { dialog: Some(Dialog::Review(review)), facts, runs, .. } = self else {
            return;
        };
        if review.is_of_undo() || review.deed() != Deed::Delete {
            let doing = review.deed().doing();
            self.notice(Tone::Plain, format!("{doing} takes one call per event"));
            return;
        }
        if review.rest().is_some() {
            self.notice(Tone::Plain, "the rest of a run is sent as event calls");
            return;
        }
        let (wide, learnt) = (facts.wide_calls, runs.learnt);
        let (tone, text) = match review.change_form(facts, learnt) {
            Some(CallForm::Event) => (Tone::Plain, "one call per event, by its id"),
            Some(CallForm::Extension) => {
                (Tone::Warning, "one call per extension where possible: takes all that is there")
            }
            Some(CallForm::Type) => {
                (Tone::Warning, "this PBX may delete all types: one call per type where possible")
            }
            None if !wide.extension && !wide.event_type => {
                (Tone::Plain, "this profile allows event calls only (wide_calls)")
            }
            None if learnt.names_no_ids => {
                (Tone::Warning, "event calls only: this PBX does not say what a wide call removes")
            }
            None if learnt.wipes && !wide.extension => (
                Tone::Warning,
                "event calls only: on this PBX a call for one type deletes all types",
            ),
            None => (
                Tone::Plain,
                "no wide call fits: all of an extension or type must be marked, its list complete",
            ),
        };
        self.notice(tone, text);
    }

    /// `v`: the literal calls, or the events again.
    pub(super) fn show_calls(&mut self) {
        if let Some(Dialog::Review(review)) = &mut self.dialog {
            review.shows_calls = !review.shows_calls;
            review.cursor = Cursor::default();
            review.narrowed = None;
        }
    }

    /// `/` in a review.
    pub(super) fn edit_narrowing(&mut self) {
        if let Some(Dialog::Review(review)) = &mut self.dialog {
            let text = review.narrowed_by().unwrap_or_default();
            review.line = Some(TypedLine::of(text));
        }
    }

    /// A line of the review was typed to its end, or given up.
    pub(super) fn end_narrowing(&mut self, keep: bool) {
        let Some(Dialog::Review(review)) = &mut self.dialog else { return };
        let Some(line) = review.line.take() else { return };
        match (keep, review.refused.take()) {
            (false, _) => {
                review.narrowed = None;
                review.cursor = Cursor::default();
            }
            (true, None) => self.history.add(line.text()),
            (true, refused) => (review.line, review.refused) = (Some(line), refused),
        }
    }

    /// Shows at once what the line in the review admits.
    pub(super) fn narrow_as_typed(&mut self) {
        let Self { dialog: Some(Dialog::Review(review)), extensions, now, .. } = self else {
            return;
        };
        let text = review.line.as_ref().map_or("", TypedLine::text);
        let filter = Filter::of_planned(text, &now.local);
        review.refused = filter.as_ref().err().cloned();
        let Ok(filter) = filter else { return };
        review.narrow(&filter, |event: &PhoneCallEvent| {
            let number = &event.key.extension;
            extensions.find(number).cloned().unwrap_or_else(|| Extension::of(number.clone()))
        });
    }

    /// The rows of these events where they are listed, by extension.
    fn rows_of<'e>(
        &self,
        events: &'e [PhoneCallEvent],
    ) -> HashMap<&'e ExtensionNumber, Vec<usize>> {
        let mut keys: HashMap<&ExtensionNumber, Vec<&EventKey>> = HashMap::new();
        for PhoneCallEvent { key, .. } in events {
            keys.entry(&key.extension).or_default().push(key);
        }
        keys.into_iter().map(|(number, keys)| (number, self.store.rows_of(number, &keys))).collect()
    }

    /// How many of these events a filter keeps off the screen.
    fn hidden_of(&self, events: &HashMap<&ExtensionNumber, Vec<usize>>) -> usize {
        let hidden = events.iter().map(|(number, rows)| match self.shown_rows(number) {
            Some(shown) => rows.iter().filter(|row| shown.binary_search(row).is_err()).count(),
            None => 0,
        });
        hidden.sum()
    }

    fn count_in_review(&mut self) {
        let Some(Dialog::Review(review)) = &self.dialog else {
            return;
        };
        let (mut hidden, mut whole_sets) = (0, 0);
        if !review.from_cursor && !review.is_of_undo() {
            let rows = self.rows_of(review.events());
            hidden = if self.is_filtered() { self.hidden_of(&rows) } else { 0 };
            if self.marks.are_of_duplicates() && review.wishing().is_none() {
                let zone = self.now.local.time_zone();
                let sets = rows.iter().map(|(of, rows)| self.store.sets_within(of, rows, zone));
                whole_sets = sets.sum();
            }
        }
        let Self { dialog: Some(Dialog::Review(review)), facts, .. } = self else {
            return;
        };
        review.count_hidden(facts, hidden, whole_sets);
    }

    /// What an operator has to see before yes, a paragraph each.
    fn warnings_of(&self, review: &Review) -> Vec<String> {
        let mut warnings = Vec::new();
        if review.from_cursor {
            warnings.push(
                "Nothing is marked, so this covers only the event under the cursor.".to_owned(),
            );
        }
        if review.hidden > 0 {
            let all = review.events().len();
            let names = self.words_of_filters();
            let hidden = review.hidden;
            warnings.push(format!("! {hidden} of the {all} are hidden by {names}; all are below"));
        }
        if review.whole_sets > 0 {
            let sets = count_of(review.whole_sets, "set");
            warnings.push(format!(
                "! Of {sets} of duplicates every event goes, also the one that stays otherwise."
            ));
        }
        let known =
            review.route.differs().into_iter().chain(review.remarks.iter().map(String::as_str));
        warnings.extend(known.map(|what| format!("! {}", self.mask.text(what))));
        warnings
            .extend(review.lost.iter().flat_map(|lost| lost.words(&self.mask, &self.facts.keys)));
        warnings.extend(review.wishing().into_iter().flat_map(Wishing::words));
        warnings.extend(review.held_words(&self.mask));
        warnings.extend(review.inexact_words(&self.mask));
        if !review.from_cursor && !review.is_of_undo() {
            warnings.extend(self.passed_over_in_marking());
        }
        let pairs = review.plan.as_ref().and_then(|plan| plan.may_be_one());
        warnings.extend(pairs.map(|what| format!("! {}", self.mask.text(&what))));
        warnings.extend(review.drift_words(&self.mask, &self.facts.keys));
        warnings.extend(review.unread_words(&self.mask, &self.facts.keys));
        let (wide, calls) = (review.digest.wide_calls, review.calls());
        if wide > 0 {
            warnings.push(format!(
                "! {wide} of {} wide (rows with w): each takes every event that is there when it \
                 arrives",
                count_of(calls, "call") + if wide == 1 { " is" } else { " are" }
            ));
        }
        if review.digest.type_calls > 0 {
            warnings.push("! With a call for one type this PBX may delete all types.".to_owned());
        }
        warnings
    }
}

impl Review {
    /// What cannot be given back exactly, in words.
    fn inexact_words(&self, mask: &Mask) -> Vec<String> {
        let Inexact { count, first } = &self.inexact;
        if *count == 0 {
            return Vec::new();
        }
        let mut words =
            vec![format!("! {} cannot be given back exactly", count_of(*count, "event"))];
        let events = self.plan.as_ref().map_or(&[][..], |plan| plan.events());
        let named = first.iter().filter_map(|(place, why)| Some((events.get(*place)?, why)));
        words.extend(named.map(|(event, why)| {
            let EventKey { extension, event_type, id } = &event.key;
            format!("  {} {event_type} {id}: {why}", mask.number(extension))
        }));
        words.extend((*count > first.len()).then(|| format!("  and {} more", count - first.len())));
        words
    }

    /// What is not written back, each with the reason, once its extensions are listed.
    fn held_words(&self, mask: &Mask) -> Vec<String> {
        let Some(plan) = self.plan().filter(|_| self.is_of_undo() && !self.is_reading()) else {
            return Vec::new();
        };
        let (count, first) = &self.held;
        if *count == 0 {
            return Vec::new();
        }
        let mut words =
            vec![format!("! {} cannot be {}", count_of(*count, "event"), self.deed().done())];
        let why = |at: &usize| Some((plan.events().get(*at)?, plan.held(*at)?.failure()?));
        words.extend(first.iter().filter_map(why).map(|(PhoneCallEvent { key, .. }, why)| {
            let number = mask.number(&key.extension);
            format!("  {number} {} {}: {}", key.event_type, key.id, mask.text(&why.to_string()))
        }));
        words.extend(check::more(*count));
        words
    }

    /// Why the plan is empty, and what to do.
    pub fn why_nothing(&self) -> [&'static str; 2] {
        let adds = self.differing().1 > 0;
        match (self.rest(), self.deed()) {
            (Some(_), _) => ["none of its extensions could be listed", "<read-failed> tries again"],
            (None, Deed::WriteBack) if self.due.as_ref().is_some_and(Vec::is_empty) => {
                ["no event can be written back", "n closes this review"]
            }
            (None, Deed::WriteBack) => [
                "somebody else changed every event since",
                "<add-changed> writes the old values all the same",
            ],
            (None, Deed::Recreate) => [
                "something stands in for every event",
                "<add-changed> re-creates them all the same",
            ],
            (None, _) if adds => {
                ["everything changed since it was marked", "<add-changed> adds it as it is now"]
            }
            (None, _) => ["nothing is left to change", "n closes this review"],
        }
    }

    /// When the oldest listing that it rests on came.
    pub(super) fn listed_at(&self) -> Duration {
        self.check.listed_at()
    }

    /// Whether what was listed for it is older than a yes may rest on.
    fn is_stale(&self, now: Duration) -> bool {
        self.check.is_stale(now)
    }
}
