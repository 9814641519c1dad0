//! The way back: what a run may have taken, the plan that gives it back, and what is left to do of a
//! run that was interrupted.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{EventId, EventKey, Foreign, Listing, Outcome, PhoneCallEvent, Target};

use super::plan::{PlannedCall, Verb};
use super::verification::{gone_beside, settled_by_listing};
use super::{Machine, Plan, PlanHash, RunEnd, Tally};

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
        // What stayed unknown may be gone, and an undo makes nothing that is there.
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

/// What listings say of a run that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TakenUp {
    /// Outcomes that are known now, by the places of their events.
    pub revised: Vec<(usize, Outcome)>,
    /// What was listed in the review, was not planned, and is gone.
    pub surplus: Vec<EventKey>,
}

impl TakenUp {
    /// Settles by a listing what is open on its extension, and returns the rows that are still to be
    /// deleted: not sent or unknown, still there and still the same. `planned` are the events of the
    /// run there, by their places; `swept` says whether a call that named no event may have been
    /// carried out.
    pub fn look<'a>(
        &mut self,
        planned: impl IntoIterator<Item = (usize, &'a PhoneCallEvent, &'a Outcome)>,
        bystanders: impl IntoIterator<Item = &'a PhoneCallEvent>,
        swept: bool,
        listing: &Listing,
    ) -> Vec<usize> {
        self.surplus.extend(gone_beside(bystanders, listing));
        let mut left = Vec::new();
        for (place, event, outcome) in planned {
            let own_doing =
                |gone| if swept && gone == Outcome::AlreadyGone { Outcome::Deleted } else { gone };
            let better = settled_by_listing(&event.key, outcome, listing).map(own_doing);
            self.revised.extend(better.map(|better| (place, better)));
            let open = matches!(outcome, Outcome::NotSent(_) | Outcome::Unknown(_));
            let same =
                |row: &usize| listing.row(*row).is_some_and(|listed| listed.to_event() == *event);
            left.extend(listing.find(&event.key).filter(|row| open && same(row)));
        }
        left
    }

    /// What the run file ends with, given what it told so far.
    pub fn end<'a>(self, told: impl IntoIterator<Item = &'a Outcome>, verified: bool) -> RunEnd {
        let mut outcomes: Vec<&Outcome> = told.into_iter().collect();
        for (place, better) in &self.revised {
            if let Some(outcome) = outcomes.get_mut(*place) {
                *outcome = better;
            }
        }
        let tally = Tally::over(outcomes);
        RunEnd { tally, revised: self.revised, surplus: self.surplus, verified }
    }
}

#[cfg(test)]
mod tests;
