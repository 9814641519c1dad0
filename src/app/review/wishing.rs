//! What is wanted of the events that are to be changed: the plan that it becomes, and what is named
//! beside it, as it is left out or becomes a duplicate.

use crate::change::{Deed, Plan, PlanRefused, Selection, Unfit, Wish, Wished};
use crate::domain::{EventKey, Mask, Target};

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
    pub(super) fn words(&self) -> Vec<String> {
        let (left_out, twins) = (self.left_out.len(), self.twins.len());
        let (events, are) = (count_of(left_out, "event"), if left_out == 1 { "is" } else { "are" });
        let left_out = (left_out > 0).then(|| match self.wish {
            Wish::Switch(_, on) => {
                let so = if on { "on" } else { "off" };
                format!("! {events} {are} {so} already: left out, named last")
            }
            Wish::Repoint(_) => format!("! OLD does not fit {events}: left out, named last"),
        });
        let would = match twins {
            1 => "1 event would be a duplicate of another".to_owned(),
            many => format!("{many} events would be duplicates of others"),
        };
        let twins = (twins > 0).then(|| format!("! {would}, named last"));
        left_out.into_iter().chain(twins).collect()
    }

    /// How many events are named beside the plan.
    pub(super) fn named(&self) -> usize {
        self.left_out.len() + self.twins.len()
    }

    /// One of them, and what there is to know of it.
    pub(super) fn name(&self, place: usize, mask: &Mask) -> Option<String> {
        let named = |key: &EventKey| {
            format!("{} {} {}", mask.number(&key.extension), key.event_type.short(), key.id)
        };
        if let Some((key, why)) = self.left_out.get(place) {
            return Some(format!("left out, {}: {}", why.words(), named(key)));
        }
        let (key, other) = self.twins.get(place - self.left_out.len())?;
        let other =
            if other.extension == key.extension { other.id.to_string() } else { named(other) };
        Some(format!("duplicate: {} of {other}", named(key)))
    }
}
