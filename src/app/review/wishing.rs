//! What is wanted of the events that are to be changed: the plan that it becomes, and what is named
//! beside it, as it is left out or becomes a duplicate.

use crate::change::{Deed, Plan, PlanRefused, Selection, Unfit, Wish, Wished};
use crate::domain::{EventKey, Mask, Target};

use super::check::{NAMED, more};
use crate::app::count_of;

/// What is wanted, and what was found of it.
#[derive(Debug)]
pub(super) struct Wishing {
    wish: Wish,
    left_out: Vec<(EventKey, Unfit)>,
    twins: Vec<(EventKey, EventKey)>,
}

impl Wishing {
    pub(super) fn of(wish: Wish) -> Self {
        Self { wish, left_out: Vec::new(), twins: Vec::new() }
    }

    pub(super) fn deed(&self) -> Deed {
        self.wish.deed()
    }

    /// Freezes what fits of a selection, and takes note of the rest.
    pub(super) fn plan(
        &mut self,
        target: Target,
        selection: &Selection,
        most: usize,
    ) -> Result<Plan, PlanRefused> {
        let Wished { plan, left_out, twins } = self.wish.plan(target, selection, most);
        if plan.as_ref().err().is_none_or(PlanRefused::is_of_nothing) {
            (self.left_out, self.twins) = (left_out, twins);
        }
        plan
    }

    /// What an operator has to see before a yes.
    pub(super) fn words(&self, mask: &Mask) -> Vec<String> {
        let named = |key: &EventKey| {
            format!("{} {} {}", mask.number(&key.extension), key.event_type, key.id)
        };
        let mut words = Vec::new();
        if !self.left_out.is_empty() {
            let events = count_of(self.left_out.len(), "event");
            let are = if self.left_out.len() == 1 { "is" } else { "are" };
            words.push(match self.wish {
                Wish::Disable => format!("! {events} {are} off already: left out"),
                Wish::Enable => format!("! {events} {are} on already: left out"),
                Wish::Repoint(_) => format!("! OLD does not fit {events}: left out"),
            });
        }
        let why = |why: &Unfit| match self.wish {
            Wish::Disable | Wish::Enable => String::new(),
            Wish::Repoint(_) => format!(": {}", why.words()),
        };
        let left_out = self.left_out.iter().take(NAMED);
        words.extend(left_out.map(|(key, unfit)| format!("  {}{}", named(key), why(unfit))));
        words.extend(more(self.left_out.len()));
        if !self.twins.is_empty() {
            let events = count_of(self.twins.len(), "event");
            words.push(format!("! {events} would be a duplicate of another"));
        }
        let twins = self.twins.iter().take(NAMED);
        words.extend(twins.map(|(key, other)| format!("  {} of {}", named(key), other.id)));
        words.extend(more(self.twins.len()));
        words
    }
}
