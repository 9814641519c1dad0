//! The way back: what a run may have taken, the plan that gives it back, and what is left to do of a
//! run that was interrupted.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{EventKey, Listing, Outcome, PhoneCallEvent, Target};

use super::past::Past;
use super::plan::{PlannedCall, Verb, hash_of};
use super::verification::{gone_beside, settled_by_listing};
use super::{Check, Kind, Machine, Plan, RunEnd, Tally};

/// What a run took, and what of it is not there again: the source of every undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    events: Vec<PhoneCallEvent>,
    past: Past,
}

/// Why there is nothing to undo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoRefused {
    /// The run deleted nothing, or all of it is there again.
    #[error("there is nothing to undo: {0} deleted nothing that is not there again")]
    Nothing(String),
}

impl Loss {
    /// What the run of this name took, of all that it knew.
    pub fn new(
        run: &str,
        mut events: Vec<PhoneCallEvent>,
        known: impl IntoIterator<Item = EventKey>,
    ) -> Self {
        events.sort_by(|a, b| a.key.cmp(&b.key));
        Self { events, past: Past::of(run, known) }
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
        (!events.is_empty()).then(|| Self::new(machine.name(), events, known))
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
            return Err(UndoRefused::Nothing(past.run().to_owned()));
        }
        let creations = 0..events.len();
        let creations = creations.map(|event| PlannedCall::of_one(Verb::Create, event));
        let calls: Vec<PlannedCall> = creations.collect();
        let hash = hash_of(&target, Kind::Undo, &calls, events);
        Ok(Self {
            target,
            calls,
            events: events.as_slice().into(),
            bystanders: Arc::default(),
            form: None,
            hash,
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
    /// deleted: not sent, unknown or refused, still there and still the same. `planned` are the events of the
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
            let open =
                matches!(outcome, Outcome::NotSent(_) | Outcome::Unknown(_) | Outcome::Refused(_));
            let same =
                |row: &usize| listing.row(*row).is_some_and(|listed| listed.to_event() == *event);
            left.extend(listing.find(&event.key).filter(|row| open && same(row)));
        }
        left
    }

    /// What the run file ends with, given what it told so far.
    pub fn end<'a>(self, told: impl IntoIterator<Item = &'a Outcome>, check: Check) -> RunEnd {
        let mut outcomes: Vec<&Outcome> = told.into_iter().collect();
        for (place, better) in &self.revised {
            if let Some(outcome) = outcomes.get_mut(*place) {
                *outcome = better;
            }
        }
        let tally = Tally::over(outcomes);
        let Self { revised, surplus } = self;
        RunEnd { tally, revised, surplus, check, ..RunEnd::default() }
    }
}

#[cfg(test)]
mod tests;
