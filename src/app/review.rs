//! The question before a run: the frozen plan as literal calls, what has to be typed, and what is
//! not any more as it was marked.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::change::{Choice, Drifted, Plan, PlanRefused, Selection};
use crate::domain::{
    CallForm, Cause, EventKey, EventStore, ExtensionNumber, Failure, Listing, PlanHash,
};

use super::status::Tone;
use super::{Dialog, Effect, Facts, Model, Motion, count_of};

/// From this many events on the number must be typed.
const TYPED_ABOVE: usize = 10;

/// What becomes of an early yes where something is not as it was.
const WITHDRAWN: &str = "not all is as it was marked: nothing was sent; look, then y again";

/// Calls that a page down or up goes on by.
const PAGE: usize = 5;

/// An open review. What it shows is what a yes runs: the plan is frozen here and changes only in
/// sight of the operator, and what was typed or said for another plan counts for nothing.
#[derive(Debug)]
pub struct Review {
    choice: Choice,
    selection: Selection,
    form: CallForm,
    plan: Option<Arc<Plan>>,
    check: Check,
    /// Planned events that no panel shows because of a filter.
    pub hidden: usize,
    /// Nothing was marked: this is the row under the cursor.
    pub from_cursor: bool,
    /// What was typed so far of the number of events.
    pub typed: String,
    must_type: bool,
    /// The first call in sight.
    pub top: usize,
}

/// An open review of an undo.
#[derive(Debug)]
pub struct UndoReview {
    plan: Arc<Plan>,
    /// The first call in sight.
    pub top: usize,
}

/// The listings that tell whether everything is still as it was chosen.
#[derive(Debug)]
struct Check {
    all: usize,
    unread: BTreeSet<ExtensionNumber>,
    failed: Vec<(ExtensionNumber, Failure)>,
    /// The plan that a yes was said to before everything was read.
    agreed: Option<PlanHash>,
}

impl Review {
    pub(super) fn new(
        facts: &Facts,
        store: &EventStore,
        selection: &Selection,
        from_cursor: bool,
    ) -> Result<Self, PlanRefused> {
        if selection.is_empty() {
            return Err(PlanRefused::Empty);
        }
        let choice = Choice::of(selection, store);
        let unread: BTreeSet<ExtensionNumber> = choice.extensions().cloned().collect();
        let check = Check { all: unread.len(), unread, failed: Vec::new(), agreed: None };
        let mut review = Self {
            selection: Selection::default(),
            choice,
            form: facts.wide_calls.widest(),
            plan: None,
            check,
            hidden: 0,
            from_cursor,
            typed: String::new(),
            must_type: false,
            top: 0,
        };
        review.freeze(facts, review.choice.selection(store))?;
        Ok(review)
    }

    /// The plan that a yes runs; none while nothing is left of what was chosen.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// How many events a yes deletes.
    pub fn events(&self) -> usize {
        self.plan.as_ref().map_or(0, |plan| plan.events().len())
    }

    /// The call form in use.
    pub fn form(&self) -> CallForm {
        self.form
    }

    /// Whether the number of events has to be typed before yes works.
    pub fn must_type(&self) -> bool {
        self.must_type
    }

    /// Whether yes works.
    pub fn is_armed(&self) -> bool {
        self.plan.is_some() && (!self.must_type || self.typed == self.events().to_string())
    }

    /// What is not as it was chosen.
    pub fn drifted(&self) -> impl Iterator<Item = &Drifted> {
        self.choice.drifted()
    }

    /// Extensions read again so far, and how many there are to read.
    pub fn progress(&self) -> (usize, usize) {
        (self.check.all - self.check.unread.len(), self.check.all)
    }

    /// True until every extension has been read again, or could not be.
    pub fn is_reading(&self) -> bool {
        !self.check.unread.is_empty()
    }

    /// Extensions that could not be read again, and why.
    pub fn unreadable(&self) -> &[(ExtensionNumber, Failure)] {
        &self.check.failed
    }

    /// Whether yes was said before everything was read.
    pub fn is_agreed(&self) -> bool {
        self.check.agreed.is_some()
    }

    /// Freezes a selection. What was typed and agreed to stands for the calls as they were.
    fn freeze(&mut self, facts: &Facts, selection: Selection) -> Result<(), PlanRefused> {
        let target = facts.target.clone();
        let plan = match Plan::freeze(target, &selection, self.form, facts.max_delete) {
            Ok(plan) => Some(plan),
            Err(PlanRefused::Empty) => None,
            Err(refused @ PlanRefused::TooLarge { .. }) => return Err(refused),
        };
        let same = match (&plan, &self.plan) {
            (Some(plan), Some(before)) => plan.sends_the_same(before),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.selection = selection;
        self.plan = plan.map(Arc::new);
        if !same {
            self.typed.clear();
            self.check.agreed = None;
            self.top = 0;
        }
        Ok(())
    }

    /// Takes how many events are hidden now; what has to be typed follows from it.
    fn count(&mut self, facts: &Facts, hidden: usize) {
        self.hidden = hidden;
        self.must_type = self.events() > TYPED_ABOVE || hidden > 0 || facts.protected;
    }

    /// Freezes the same selection with the next form; false where there is no other.
    fn change_form(&mut self, facts: &Facts) -> bool {
        let before = self.form;
        self.form = facts.wide_calls.next(before);
        if self.freeze(facts, self.selection.clone()).is_err() {
            self.form = before;
        }
        self.check.agreed = None;
        if self.form != before {
            self.typed.clear();
            self.top = 0;
        }
        self.form != before
    }

    pub(super) fn type_digit(&mut self, digit: char) {
        if self.must_type && self.typed.len() < 7 {
            self.typed.push(digit);
        }
        self.check.agreed = None;
    }

    pub(super) fn untype_digit(&mut self) {
        self.typed.pop();
        self.check.agreed = None;
    }

    /// Scrolls the calls.
    pub(super) fn scroll(&mut self, motion: Motion) {
        let last = self.plan.as_ref().map_or(0, |plan| plan.calls()).saturating_sub(1);
        self.top = motion.applied(self.top, last, PAGE);
    }
}

impl UndoReview {
    /// The plan that a yes carries out.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Scrolls the calls.
    pub(super) fn scroll(&mut self, motion: Motion) {
        let last = self.plan.calls().saturating_sub(1);
        self.top = motion.applied(self.top, last, PAGE);
    }
}

impl Model {
    pub(super) fn open_undo_review(&mut self, plan: Arc<Plan>) {
        self.dialog = Some(Dialog::Undo(Box::new(UndoReview { plan, top: 0 })));
    }

    pub(super) fn confirm_undo(&mut self, review: Box<UndoReview>) -> Vec<Effect> {
        if self.facts.read_only {
            let text = "this profile is read-only: nothing is made (read_only, --read-only)";
            self.notice(Tone::Warning, text);
            self.dialog = Some(Dialog::Undo(review));
            return Vec::new();
        }
        self.begin(review.plan)
    }

    /// Opens the review of a selection and asks for every extension in it once more.
    pub(super) fn open_review(&mut self, selection: &Selection, from_cursor: bool) {
        match Review::new(&self.facts, &self.store, selection, from_cursor) {
            Ok(review) => {
                for extension in &review.check.unread {
                    self.loading.demand_anew(extension);
                }
                self.dialog = Some(Dialog::Review(Box::new(review)));
                self.count_in_review();
            }
            Err(refused) => self.notice(Tone::Warning, refused.to_string()),
        }
    }

    /// Whether an extension is listed for the open review: then its rows are kept letter by letter.
    pub(super) fn is_read_for_review(&self, extension: &ExtensionNumber) -> bool {
        let Some(Dialog::Review(review)) = &self.dialog else { return false };
        review.choice.extensions().any(|chosen| chosen == extension)
    }

    /// Stops asking for what only the review wanted to know.
    pub(super) fn end_check(&mut self, review: &Review) {
        self.loading.withdraw(|extension| review.check.unread.contains(extension));
    }

    /// An extension of an open review has been listed, and the listing is in the store.
    pub(super) fn read_for_review(&mut self, extension: &ExtensionNumber) {
        let Self { dialog: Some(Dialog::Review(review)), store, facts, .. } = self else {
            return;
        };
        if !review.check.unread.remove(extension) {
            return;
        }
        let listing = store.listing(extension);
        let differs = listing.is_some_and(|listing| review.choice.compare(listing));
        if !differs && review.is_reading() {
            return;
        }
        let agreed = review.is_agreed();
        let selection = review.choice.selection(store);
        // A part of what was no larger than allowed is no larger than allowed.
        let _ = review.freeze(facts, selection);
        let withdrawn = agreed && !review.is_agreed();
        self.count_in_review();
        if withdrawn {
            self.notice(Tone::Warning, WITHDRAWN);
        }
    }

    /// An extension of an open review cannot be listed. Once so many failed that nothing more is
    /// asked, the others are given up with it.
    pub(super) fn unread_for_review(&mut self, extension: &ExtensionNumber, failure: &Failure) {
        let Self { dialog: Some(Dialog::Review(review)), loading, store, facts, .. } = self else {
            return;
        };
        if !review.check.unread.remove(extension) {
            return;
        }
        review.check.failed.push((extension.clone(), failure.clone()));
        if loading.has_given_up() {
            loading.withdraw(|waiting| review.check.unread.contains(waiting));
            let (asked, given_up): (BTreeSet<_>, BTreeSet<_>) =
                std::mem::take(&mut review.check.unread)
                    .into_iter()
                    .partition(|waiting| loading.is_under_way(waiting));
            review.check.unread = asked;
            let why = Failure::new(Cause::Withheld, format!("not asked any more, after {failure}"));
            let failed = given_up.into_iter().map(|waiting| (waiting, why.clone()));
            review.check.failed.extend(failed);
        }
        if !review.is_reading() {
            // The rows of the others are there as the service wrote them.
            let selection = review.choice.selection(store);
            let _ = review.freeze(facts, selection);
        }
    }

    /// What follows from an answer for the review: with everything read, an early yes counts where
    /// nothing drifted, and a review of nothing closes.
    pub(super) fn conclude_check(&mut self) -> Vec<Effect> {
        let Some(Dialog::Review(review)) = &mut self.dialog else {
            return Vec::new();
        };
        if review.is_reading() {
            return Vec::new();
        }
        let drifted = review.choice.drifted().count();
        let can_be_added = review.choice.drifted().any(Drifted::can_be_added);
        let as_chosen = drifted == 0 && review.check.failed.is_empty();
        let agreed = review.check.agreed.take().is_some();
        if review.plan.is_none() && !can_be_added {
            self.dialog = None;
            let text = format!(
                "nothing is left to delete: {} not listed any more",
                count_of(drifted, "event")
            );
            self.say(Tone::Warning, text);
            return Vec::new();
        }
        if agreed && as_chosen {
            return self.confirm();
        }
        if agreed {
            self.notice(Tone::Warning, WITHDRAWN);
        }
        Vec::new()
    }

    /// `y` before everything is read again: it counts as soon as that has shown no difference.
    pub(super) fn agree_early(&mut self) {
        if let Some(Dialog::Review(review)) = &mut self.dialog {
            review.check.agreed = review.plan.as_ref().map(|plan| plan.hash().clone());
        }
    }

    /// `+`: what changed or appeared is taken as it is now.
    pub(super) fn add_drifted(&mut self) {
        let Self { dialog: Some(Dialog::Review(review)), store, facts, .. } = self else {
            return;
        };
        let (choice, added) = review.choice.with_drifted(store);
        if added.is_empty() {
            self.notice(Tone::Plain, "nothing changed or appeared that could be added");
            return;
        }
        let selection = choice.selection(store);
        if let Err(refused) = review.freeze(facts, selection) {
            self.notice(Tone::Warning, refused.to_string());
            return;
        }
        review.choice = choice;
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
        self.marks_changed = true;
    }

    pub(super) fn change_form(&mut self) {
        let Self { dialog: Some(Dialog::Review(review)), facts, .. } = self else {
            return;
        };
        if !review.change_form(facts) {
            self.notice(Tone::Plain, "this profile allows event calls only (wide_calls)");
        }
    }

    fn count_in_review(&mut self) {
        let Some(Dialog::Review(review)) = &self.dialog else {
            return;
        };
        let is_hidden = |key: &EventKey| {
            let shown = |listing: &Listing| {
                listing.find(key).is_some_and(|row| self.is_hidden(listing, row))
            };
            self.store.listing(&key.extension).is_some_and(shown)
        };
        let events = review.plan.iter().flat_map(|plan| plan.events());
        let hidden = if review.from_cursor {
            0
        } else {
            events.filter(|event| is_hidden(&event.key)).count()
        };
        let Self { dialog: Some(Dialog::Review(review)), facts, .. } = self else {
            return;
        };
        review.count(facts, hidden);
    }
}
