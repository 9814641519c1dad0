//! The question before a run: the frozen plan as literal calls, and what has to be typed.

use std::sync::Arc;

use crate::deletion::{Plan, PlanRefused, Selection};
use crate::domain::CallForm;

use super::{Facts, Motion};

/// From this many events on the number must be typed.
const TYPED_ABOVE: usize = 10;

/// Calls that a page down or up goes on by.
const PAGE: usize = 5;

/// An open review. What it shows is what a yes runs: the plan is frozen here and changes only with
/// the call form, in sight of the operator.
#[derive(Debug)]
pub struct Review {
    selection: Selection,
    form: CallForm,
    plan: Arc<Plan>,
    /// Marked events that no panel shows because of a filter.
    pub hidden: usize,
    /// Nothing was marked: this is the row under the cursor.
    pub from_cursor: bool,
    /// What was typed so far of the number of events.
    pub typed: String,
    must_type: bool,
    /// The first call in sight.
    pub top: usize,
}

impl Review {
    pub(super) fn new(
        facts: &Facts,
        selection: Selection,
        hidden: usize,
        from_cursor: bool,
    ) -> Result<Self, PlanRefused> {
        let form = facts.wide_calls.widest();
        let plan = Plan::freeze(facts.target.clone(), &selection, form, facts.max_delete)?;
        let must_type = plan.events().len() > TYPED_ABOVE || hidden > 0 || facts.protected;
        Ok(Self {
            selection,
            form,
            plan: Arc::new(plan),
            hidden,
            from_cursor,
            typed: String::new(),
            must_type,
            top: 0,
        })
    }

    /// The plan that a yes runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
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
        !self.must_type || self.typed == self.plan.events().len().to_string()
    }

    /// Freezes the same selection with the next form. What was typed stands for the old calls and
    /// has to be typed again.
    pub(super) fn change_form(&mut self, facts: &Facts) {
        let form = facts.wide_calls.next(self.form);
        let target = facts.target.clone();
        if let Ok(plan) = Plan::freeze(target, &self.selection, form, facts.max_delete) {
            self.form = form;
            self.plan = Arc::new(plan);
            self.typed.clear();
            self.top = 0;
        }
    }

    pub(super) fn type_digit(&mut self, digit: char) {
        if self.must_type && self.typed.len() < 7 {
            self.typed.push(digit);
        }
    }

    /// Scrolls the calls.
    pub(super) fn scroll(&mut self, motion: Motion) {
        let last = self.plan.calls().saturating_sub(1);
        self.top = motion.applied(self.top, last, PAGE);
    }
}
