//! The way back: what a run may have taken, the plan that gives it back, and what is left to do of a
//! run that was interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{EventKey, ExtensionNumber, Foreign, Listing, PhoneCallEvent, Target};

use super::edit::Edit;
use super::past::{History, Past, keys_of, take_stand_in};
use super::plan::{Verb, one_each};
use super::selection::Events;
use super::twice::Doubt;
use super::values::{self, Back, StandIn, Written};
use super::{Kind, Plan};

/// What a run may have taken and no undo of it has given back: the source of every undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// In the order of their keys. A plan that makes all of them shares them.
    events: Events,
    past: Past,
    /// The run may have taken something, given back or not.
    took: bool,
    doubts: Doubts,
    /// The undo that is gone on with, and the events that it planned.
    begun: Option<(String, BTreeSet<EventKey>)>,
}

/// What may still happen to the events of a run, or may have happened unseen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Doubts {
    /// Events for which an undo sent a POST that nobody answered clearly.
    pub unanswered: BTreeSet<EventKey>,
    /// Extensions whose list may say something else in a while.
    pub lists: BTreeMap<ExtensionNumber, Doubt>,
}

/// Why there is nothing to undo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoRefused {
    /// The run sent nothing that could have deleted or changed an event, in these words.
    #[error("there is nothing to undo: {0} {1}")]
    Nothing(String, &'static str),
    /// Every event that the run deleted is there.
    #[error("there is nothing to undo: every event of {0} has already been restored")]
    AllThere(String),
    /// Every event that the run changed has its old values.
    #[error("there is nothing to undo: every event of {0} is as it was before")]
    AllAsBefore(String),
    /// Other programs gave the changed events new values since.
    #[error("there is nothing to undo: every event that {0} changed was changed since")]
    Since(String),
    /// What is not there has something else in its place.
    #[error(
        "there is nothing to undo: something stands in for every event of {0} that is not there"
    )]
    StandIns(String),
}

/// Words that follow the number of events that are [`listed`](WayBack::listed).
pub const STILL_LISTED: &str = "still listed, perhaps by a list that lags: re-created only where two later lists do not show it";

/// What an undo does, given what is listed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// The plan that re-creates every missing event, one POST each.
    pub plan: Result<Plan, UndoRefused>,
    /// Events that are there, each with the id of what stands for it.
    pub there: Vec<(EventKey, Foreign)>,
    /// Events that are left out because something else stands in their place.
    pub stand_ins: Vec<StandIn>,
    /// Planned events that an earlier POST may have made, or make yet.
    pub twice: Vec<EventKey>,
    /// For a backup: events of the same extension and type that have another URL.
    pub others: Vec<EventKey>,
    /// Planned events that are listed, though a request was sent for them a moment ago: they are made
    /// only where later lists do not show them.
    pub listed: Vec<EventKey>,
}

impl UndoRefused {
    /// Whether nothing is left to give back.
    pub fn is_done(&self) -> bool {
        match self {
            Self::AllThere(_) | Self::AllAsBefore(_) => true,
            Self::Nothing(..) | Self::StandIns(_) | Self::Since(_) => false,
        }
    }
}

impl Loss {
    /// What is to be given back, according to all run files.
    pub fn of(
        history: &History<'_>,
        doubts: Doubts,
        begun: Option<(String, BTreeSet<EventKey>)>,
    ) -> Self {
        let (events, past) = history.resolve();
        Self { events: Arc::new(events), past, took: !history.taken.is_empty(), doubts, begun }
    }

    /// The run.
    pub fn run(&self) -> &str {
        self.past.run()
    }

    /// The extensions that are to be listed before anything is made.
    pub fn extensions(&self) -> impl Iterator<Item = &ExtensionNumber> {
        let parts = self.events.chunk_by(|a, b| a.key.extension == b.key.extension);
        parts.filter_map(|part| Some(&part.first()?.key.extension))
    }

    /// What is missing now, by these listings. All of an extension without one counts as missing, to
    /// be looked for once more before anything is made. What something stands in for is left out
    /// unless `all`.
    pub fn way_back<'a>(
        &self,
        target: Target,
        listing: impl Fn(&ExtensionNumber) -> Option<&'a Listing>,
        all: bool,
    ) -> WayBack {
        if let Some((written, known)) = self.past.written() {
            return self.old_values(target, (written, known), listing, all);
        }
        let (mut missing, mut stand_ins, mut there) = (Vec::new(), Vec::new(), Vec::new());
        let (mut listed, mut others) = (Vec::new(), BTreeSet::new());
        let (mut reached, mut seen) = (Vec::new(), BTreeSet::new());
        for part in self.events.chunk_by(|a, b| a.key.extension == b.key.extension) {
            let Some(extension) = part.first().map(|first| &first.key.extension) else { continue };
            let Some(listing) = listing(extension) else {
                missing.extend(part);
                continue;
            };
            let doubt = self.doubts.lists.get(extension);
            reached.push((listing.extension().clone(), listing.access().clone()));
            let look = self.past.look(part.iter().enumerate(), listing);
            let mut strangers = look.strangers;
            seen.extend(keys_of(&strangers, listing));
            for (place, id) in look.there {
                let Some(event) = part.get(place) else { continue };
                if doubt.is_some_and(|doubt| doubt.is_about(&event.key, id.as_ref())) {
                    missing.push(event);
                    listed.push(event.key.clone());
                } else if let Some(id) = id {
                    there.push((event.key.clone(), id));
                }
            }
            for event in look.missing.iter().filter_map(|place| part.get(*place)) {
                let asked = self.doubts.unanswered.contains(&event.key);
                match take_stand_in(event, asked, &mut strangers, listing) {
                    Some(stand_in) => {
                        missing.extend(all.then_some(event));
                        stand_ins.push(stand_in);
                    }
                    None => missing.push(event),
                }
            }
            if self.past.is_by_looks() {
                let rows = strangers.iter().filter_map(|row| listing.row(*row));
                let rows = rows.map(|row| row.to_event()).filter(|row| {
                    let differs = |it: &&PhoneCallEvent| {
                        it.key.extension == row.key.extension
                            && it.key.event_type == row.key.event_type
                            && it.url != row.url
                    };
                    missing.iter().any(differs)
                });
                others.extend(rows.map(|row| row.key));
            }
        }
        missing.sort_by(|a, b| a.key.cmp(&b.key));
        let twice = missing.iter().map(|event| &event.key);
        let twice = twice.filter(|key| self.doubts.unanswered.contains(key)).cloned().collect();
        let missing = if missing.len() == self.events.len() {
            Arc::clone(&self.events)
        } else {
            Arc::new(missing.into_iter().cloned().collect())
        };
        let left_out = if all { 0 } else { stand_ins.len() };
        let target = target.knowing(reached);
        let plan = self.plan(target, (missing, Vec::new()), (left_out, seen), there.clone());
        WayBack { plan, there, stand_ins, twice, others: others.into_iter().collect(), listed }
    }

    /// The same of a change: each event as it is now, with the old values of the fields that still have
    /// what was written.
    fn old_values<'a>(
        &self,
        target: Target,
        (written, known): (&[Written], &BTreeSet<EventKey>),
        listing: impl Fn(&ExtensionNumber) -> Option<&'a Listing>,
        all: bool,
    ) -> WayBack {
        let (mut found, mut reached) = (Back::default(), Vec::new());
        let extension = |it: &Written| it.event.key.extension.clone();
        for part in written.chunk_by(|a, b| a.event.key.extension == b.event.key.extension) {
            if part.iter().all(|it| it.is_back) {
                continue;
            }
            let Some(of) = part.first().map(extension) else { continue };
            let part: Vec<&Written> = part.iter().collect();
            let mut here = match listing(&of) {
                Some(listing) => {
                    reached.push((listing.extension().clone(), listing.access().clone()));
                    values::look(&part, known, listing, all)
                }
                None => values::unlisted(&part),
            };
            found.planned.append(&mut here.planned);
            found.there.append(&mut here.there);
            found.since.append(&mut here.since);
        }
        let Back { planned, there, since } = found;
        let left_out = if all { 0 } else { since.len() };
        let (planned, edits): (Vec<_>, Vec<_>) = planned.into_iter().unzip();
        let planned = (Arc::new(planned), edits);
        let plan =
            self.plan(target.knowing(reached), planned, (left_out, BTreeSet::new()), there.clone());
        let (twice, others, listed) = (Vec::new(), Vec::new(), Vec::new());
        WayBack { plan, there, stand_ins: since, twice, others, listed }
    }

    /// Whether it writes old values back and creates nothing.
    pub fn is_of_change(&self) -> bool {
        self.past.written().is_some()
    }

    /// How long it takes until lists have taken in what its run, or an undo of it, wrote: until then
    /// they say nothing.
    pub fn settles_in(&self) -> Duration {
        let waits = self.doubts.lists.values().map(|doubt| doubt.wait);
        waits.max().filter(|_| self.is_of_change()).unwrap_or_default()
    }

    fn plan(
        &self,
        target: Target,
        (events, edits): (Events, Vec<Edit>),
        (left_out, seen): (usize, BTreeSet<EventKey>),
        there: Vec<(EventKey, Foreign)>,
    ) -> Result<Plan, UndoRefused> {
        let run = || self.run().to_owned();
        if events.is_empty() {
            return Err(match (self.took, left_out, self.is_of_change()) {
                (false, _, true) => UndoRefused::Nothing(run(), "changed nothing"),
                (false, ..) if self.past.is_by_looks() => {
                    UndoRefused::Nothing(run(), "keeps nothing that can be read")
                }
                (false, ..) => UndoRefused::Nothing(run(), "deleted nothing"),
                (true, 0, false) => UndoRefused::AllThere(run()),
                (true, 0, true) => UndoRefused::AllAsBefore(run()),
                (true, _, false) => UndoRefused::StandIns(run()),
                (true, _, true) => UndoRefused::Since(run()),
            });
        }
        let verb = if edits.is_empty() { Verb::Create } else { Verb::Update };
        let planned = |known: &BTreeSet<EventKey>| events.iter().all(|it| known.contains(&it.key));
        let begun = self.begun.as_ref().filter(|(_, known)| planned(known));
        let goes_on = begun.map(|(name, _)| name.clone());
        let past =
            self.past.clone().of_plan((left_out, seen), goes_on, there, self.doubts.lists.clone());
        let calls = one_each(verb, events.len()).collect();
        let plan = Plan::of(Kind::Undo, target, calls, events, edits.into());
        Ok(Plan { past: Some(past), ..plan })
    }

    /// The undo that is to be continued.
    pub fn begun(&self) -> Option<&str> {
        self.begun.as_ref().map(|(name, _)| name.as_str())
    }

    /// Whether a plan was made of it as it is here: nothing was taken or given back since, and nothing
    /// else was sent that may still do so.
    pub fn is_of(&self, plan: &Plan) -> bool {
        let Some(planned) = plan.past.as_ref() else { return false };
        let is_doubted = |extension: &ExtensionNumber, doubt: &Doubt| {
            planned.doubts.get(extension).is_some_and(|known| known.includes(doubt))
        };
        let touched = plan.events().chunk_by(|a, b| a.key.extension == b.key.extension);
        let mut doubts = touched.filter_map(|part| {
            let extension = &part.first()?.key.extension;
            Some((extension, self.doubts.lists.get(extension)?))
        });
        let same = planned.is_as_known(&self.past)
            && doubts.all(|(extension, doubt)| is_doubted(extension, doubt));
        let is_due = |(place, event): (usize, &PhoneCallEvent)| {
            let id = plan.of_id(place).unwrap_or(&event.key.id);
            let key = EventKey { id: id.clone(), ..event.key.clone() };
            self.events.binary_search_by(|due| due.key.cmp(&key)).is_ok()
        };
        same && plan.events().iter().enumerate().all(is_due)
    }
}

#[cfg(test)]
mod tests;
