//! The way back: what a run may have taken, the plan that gives it back, and what is left to do of a
//! run that was interrupted.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::{EventId, EventKey, Foreign, Listing, Outcome, PhoneCallEvent, Target};

use super::plan::{PlannedCall, Verb};
use super::{Machine, Plan, PlanHash, gone_beside, settled_by_listing};

/// What a run took, and what of it is not there again: the source of every undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    events: Vec<PhoneCallEvent>,
    past: Past,
}

/// What is known of a run that is undone, beside what it took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Past {
    run: String,
    plan_hash: String,
    /// Events that an interrupted undo may have made.
    pub(super) suspects: BTreeSet<EventKey>,
    /// Every event that the run and its undos knew: none of them is one that was made unseen.
    pub(super) known: BTreeSet<EventKey>,
    /// Events that were made without the service telling their new ids.
    pub(super) unnamed: Vec<PhoneCallEvent>,
}

/// Why there is nothing to undo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoRefused {
    /// The run deleted nothing, or all of it is there again.
    #[error("there is nothing to undo: {0} deleted nothing that is not there again")]
    Nothing(String),
}

impl Past {
    pub(super) fn run(&self) -> &str {
        &self.run
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

impl Loss {
    /// What the run of this name took, of all that it knew.
    pub fn new(
        run: &str,
        plan_hash: &str,
        mut events: Vec<PhoneCallEvent>,
        known: impl IntoIterator<Item = EventKey>,
    ) -> Self {
        events.sort_by(|a, b| a.key.cmp(&b.key));
        let (run, plan_hash) = (run.to_owned(), plan_hash.to_owned());
        let known = known.into_iter().collect();
        Self { events, past: Past { run, plan_hash, known, ..Past::default() } }
    }

    /// What is gone because of a run, or is after an undo still: what was deleted or may have been,
    /// and what went beside the plan, whole. `None` where the run took nothing.
    pub fn after(machine: &Machine) -> Option<Self> {
        let plan = machine.plan();
        let settled = plan.events().iter().zip(machine.outcomes());
        if let Some(past) = &plan.past {
            let mut loss = Self { events: plan.events().to_vec(), past: past.clone() };
            loss.undone(settled.filter_map(|(event, outcome)| Some((event, outcome.as_ref()?))));
            return Some(loss);
        }
        // What nobody could settle may be gone, and an undo makes nothing that is there.
        let taken = |outcome: &Option<Outcome>| {
            matches!(outcome, Some(Outcome::Deleted | Outcome::Unknown(_)))
        };
        let deleted = settled.filter(|(_, outcome)| taken(outcome)).map(|(event, _)| event);
        let surplus: BTreeSet<&EventKey> = machine.surplus().iter().collect();
        let beside = plan.all_bystanders().iter().filter(|event| surplus.contains(&event.key));
        let events: Vec<_> = deleted.chain(beside).cloned().collect();
        let known = plan.events().iter().chain(plan.all_bystanders());
        let known = known.map(|event| event.key.clone());
        (!events.is_empty()).then(|| Self::new(machine.name(), plan.hash().as_str(), events, known))
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
                    self.past.made(event, id.as_ref());
                    restored.insert(&event.key);
                }
                Outcome::Unknown(_) => {
                    self.past.suspects.insert(event.key.clone());
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
                self.past.made(event, id.as_ref());
            }
        }
    }
}

impl Plan {
    /// Everything that is not there again, a POST for each event.
    ///
    /// # Errors
    /// Refuses an undo of nothing.
    pub fn give_back(target: Target, loss: &Loss) -> Result<Self, UndoRefused> {
        let Loss { events, past } = loss;
        if events.is_empty() {
            return Err(UndoRefused::Nothing(past.run.clone()));
        }
        let creations = 0..events.len();
        let creations = creations.map(|event| PlannedCall::of_one(Verb::Create, event));
        Ok(Self {
            target,
            calls: creations.collect(),
            events: events.as_slice().into(),
            bystanders: Arc::default(),
            hash: PlanHash::recorded(&past.plan_hash),
            past: Some(past.clone()),
        })
    }
}

/// What a listing says of the part of an interrupted run that is on its extension.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TakenUp {
    /// Outcomes that are known now, by the places of their events.
    pub revised: Vec<(usize, Outcome)>,
    /// Bystanders that are gone.
    pub surplus: Vec<EventKey>,
    /// Rows that are still to be deleted: not sent or unknown, still there and still the same.
    pub left: Vec<usize>,
}

/// Settles by a listing what an interrupted run left open on its extension: `planned` are the events
/// of the run at these `places`, and `swept` says whether a call that named no event may have been
/// carried out there.
pub fn take_up<'a>(
    places: Range<usize>,
    planned: impl IntoIterator<Item = (&'a PhoneCallEvent, &'a Outcome)>,
    bystanders: impl IntoIterator<Item = &'a PhoneCallEvent>,
    swept: bool,
    listing: &Listing,
) -> TakenUp {
    let beside = bystanders.into_iter().filter(|event| event.key.extension == *listing.extension());
    let surplus = gone_beside(beside, listing).collect();
    let mut taken = TakenUp { surplus, ..TakenUp::default() };
    for (place, (event, outcome)) in places.zip(planned) {
        let own_doing =
            |gone| if swept && gone == Outcome::AlreadyGone { Outcome::Deleted } else { gone };
        let better = settled_by_listing(&event.key, outcome, listing).map(own_doing);
        taken.revised.extend(better.map(|better| (place, better)));
        let open = matches!(outcome, Outcome::NotSent(_) | Outcome::Unknown(_));
        let same =
            |row: &usize| listing.row(*row).is_some_and(|listed| listed.to_event() == *event);
        taken.left.extend(listing.find(&event.key).filter(|row| open && same(row)));
    }
    taken
}

#[cfg(test)]
mod tests;
