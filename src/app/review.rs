//! The question before a run: the frozen plan as literal calls, and what has to be typed.

use std::sync::Arc;

use crate::deletion::{Plan, PlanRefused, Selection};
use crate::domain::CallForm;

use super::{Cursor, Facts, Motion};

/// From this many events on the number must be typed.
const TYPED_ABOVE: usize = 10;

/// `/ DELETE ` and the remark behind a wide call.
const WORDS_BEFORE_PATH: usize = 9;

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
    /// Bytes of the longest path with what stands behind it.
    longest: usize,
    /// First call in sight, and the cursor is the last one scrolled to.
    pub scroll: Cursor,
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
            longest: longest(&plan),
            selection,
            form,
            plan: Arc::new(plan),
            hidden,
            from_cursor,
            typed: String::new(),
            must_type,
            scroll: Cursor::default(),
        })
    }

    /// Columns of a review's text on a terminal of so many.
    pub fn columns(terminal: u16) -> usize {
        usize::from(terminal).saturating_sub(6).min(112)
    }

    /// Lines that one call takes: two where the longest of the paths does not fit in one.
    pub fn lines_per_call(&self, columns: usize) -> usize {
        if self.longest + WORDS_BEFORE_PATH + 2 * digits(self.plan.calls()) > columns {
            2
        } else {
            1
        }
    }

    /// How many calls are in sight on a terminal of this size.
    pub fn calls_in_sight(&self, columns: u16, rows: u16) -> usize {
        let lines = usize::from(rows).saturating_sub(16).clamp(2, 20);
        (lines / self.lines_per_call(Self::columns(columns))).max(1)
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
            self.longest = longest(&plan);
            self.plan = Arc::new(plan);
            self.typed.clear();
            self.scroll = Cursor::default();
        }
    }

    pub(super) fn type_digit(&mut self, digit: char) {
        if self.must_type && self.typed.len() < 7 {
            self.typed.push(digit);
        }
    }

    /// Scrolls the calls; `height` of them are in sight.
    pub(super) fn scroll(&mut self, motion: Motion, height: usize) {
        let most = self.plan.calls().saturating_sub(height);
        let page = (height / 2).max(1);
        self.scroll.top = match motion {
            Motion::Down => self.scroll.top + 1,
            Motion::Up => self.scroll.top.saturating_sub(1),
            Motion::First => 0,
            Motion::Last => most,
            Motion::PageDown => self.scroll.top + page,
            Motion::PageUp => self.scroll.top.saturating_sub(page),
        }
        .min(most);
    }
}

fn longest(plan: &Plan) -> usize {
    let lengths = (0..plan.calls()).filter_map(|call| {
        let remark = if plan.covers(call).len() > 1 { 28 } else { 0 };
        Some(plan.call(call)?.path(plan.target()).len() + remark)
    });
    lengths.max().unwrap_or(0)
}

/// Decimal digits of a number.
fn digits(number: usize) -> usize {
    number.to_string().len()
}
