//! What a run left open, so that it is gone on with in its own file: the whole job, with what became
//! of each event so far.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::kind::{Deed, Kind};
use super::twice::CAUGHT_UP;
use super::verification::Check;
use super::wide::Unlisted;
use crate::domain::{
    Change, EventKey, ExtensionNumber, Listing, Outcome, PhoneCallEvent, PlanHash,
};

/// Why a run is not gone on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestRefused {
    /// The run is an undo.
    #[error("{run} is an undo")]
    IsUndo {
        /// The undo.
        run: String,
        /// The run that it undoes.
        undone: String,
    },
    /// Runs of this kind cannot be continued.
    #[error("{run} is a {kind}: it cannot be gone on with")]
    OfKind {
        /// The run.
        run: String,
        /// What it is.
        kind: &'static str,
    },
    /// The run belongs to another service, or cannot be read.
    #[error("{0}")]
    Elsewhere(String),
    /// Another program is at it.
    #[error("{run} is still going on in another callsweep{holder}")]
    GoingOn {
        /// The run.
        run: String,
        /// Which program, or what to do.
        holder: String,
    },
    /// Nothing is left to do.
    #[error("{run} has finished: there is nothing to resume")]
    Nothing {
        /// The run.
        run: String,
    },
    /// What it took is being brought back.
    #[error("the undo of {run} has begun ({undo})")]
    Undone {
        /// The run.
        run: String,
        /// Its undo.
        undo: String,
    },
    /// Its plan cannot be read whole.
    #[error("{what}")]
    Damaged {
        /// The run.
        run: String,
        /// What is wrong.
        what: String,
    },
    /// Whether it was undone cannot be found out.
    #[error("{} cannot be read ({error})", folder.display())]
    Unreadable {
        /// The folder of run files.
        folder: PathBuf,
        /// Why.
        error: String,
    },
}

impl RestRefused {
    /// The reason with what can be done instead, where that is an undo; `undo` says how one is asked
    /// for.
    pub fn told(&self, undo: impl Fn(&str) -> String) -> String {
        match self {
            Self::IsUndo { undone: run, .. } | Self::Undone { run, .. } => {
                format!("{self}: {} goes on with it", undo(run))
            }
            Self::Damaged { run, .. } => format!("{self}; {} brings back what it took", undo(run)),
            Self::OfKind { .. }
            | Self::Elsewhere(_)
            | Self::GoingOn { .. }
            | Self::Nothing { .. }
            | Self::Unreadable { .. } => self.to_string(),
        }
    }
}

/// A run that did not do everything, as its file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// What the run is called.
    pub run: String,
    /// What it is for.
    pub kind: Kind,
    /// The folder of its file.
    pub folder: PathBuf,
    /// The hash of its plan.
    pub hash: PlanHash,
    /// Every event that it planned, as first reviewed, by extension.
    pub events: Arc<Vec<PhoneCallEvent>>,
    /// For a change: the new fields of each event.
    pub changes: Vec<Change>,
    /// What was listed beside them in its review.
    pub bystanders: Arc<Vec<PhoneCallEvent>>,
    /// What became of each planned event so far.
    pub outcomes: Vec<Outcome>,
    /// What is known to have gone beside the plan.
    pub surplus: Vec<EventKey>,
    /// Ids beside the plan that only answers named.
    pub unlisted: Vec<Unlisted>,
    /// Whether that is all that went beside the plan.
    pub surplus_known: bool,
    /// Extensions of which a wide call took something, or may have.
    pub swept: BTreeSet<ExtensionNumber>,
    /// What the last listings said.
    pub check: Check,
    /// How long ago its last request was sent, for all that is known.
    pub since_sent: Duration,
}

impl Rest {
    /// Whether nothing happened to the run since the other was read.
    pub fn is_as(&self, other: &Self) -> bool {
        (&self.run, &self.outcomes, &self.surplus) == (&other.run, &other.outcomes, &other.surplus)
    }

    /// What is done to its events.
    pub fn deed(&self) -> Deed {
        Deed::of(self.kind, self.changes.iter())
    }

    /// What is to be gone on with: not sent, unknown or refused. What a list shows to be done already is
    /// not.
    pub fn open<'a>(
        &'a self,
        listing: impl Fn(&ExtensionNumber) -> Option<&'a Listing>,
    ) -> impl Iterator<Item = &'a PhoneCallEvent> {
        let events = self.events.iter().zip(&self.outcomes).enumerate();
        events.filter_map(move |(place, (event, outcome))| {
            let row = || {
                let listing = listing(&event.key.extension)?;
                Some(listing.row(listing.find(&event.key)?)?.to_event())
            };
            let is_done = |change: &Change| {
                row().is_some_and(|row| change.applied_to(event).differing(&row).is_empty())
            };
            let is_open = outcome.is_open() && !self.changes.get(place).is_some_and(is_done);
            is_open.then_some(event)
        })
    }

    /// The extensions on which something is open, those last that could not be listed when it was to
    /// be sent: whoever stops asking after many refusals has the others by then.
    pub fn extensions(&self) -> Vec<&ExtensionNumber> {
        let mut all: BTreeMap<&ExtensionNumber, bool> = BTreeMap::new();
        for (event, outcome) in self.events.iter().zip(&self.outcomes) {
            if outcome.is_open() {
                let was_refused = all.entry(&event.key.extension).or_default();
                *was_refused |= is_unlisted(outcome);
            }
        }
        let (last, mut first): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, last)| *last);
        first.extend(last);
        first.into_iter().map(|(extension, _)| extension).collect()
    }

    /// The extensions that have to be listed before anything is sent: those with something open, and
    /// all where the run was not checked.
    pub(super) fn to_list(&self) -> impl Iterator<Item = &ExtensionNumber> {
        let was_checked = self.check.is_whole();
        let events = self.events.chunk_by(|a, b| a.key.extension == b.key.extension);
        let mut first = 0;
        events.filter_map(move |events| {
            let outcomes = self.outcomes.get(first..first + events.len()).unwrap_or_default();
            first += events.len();
            let is_open = outcomes.iter().any(Outcome::is_open);
            (is_open || !was_checked).then_some(&events.first()?.key.extension)
        })
    }

    /// How long its lists may lag still.
    pub(super) fn unsettled_for(&self) -> Duration {
        CAUGHT_UP.saturating_sub(self.since_sent)
    }
}

/// Not sent for what the service said to a listing.
fn is_unlisted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NotSent(failure) if !failure.code.is_empty())
}
