//! The outcome of each planned event, and their counts: every event has one outcome at most,
//! and the counts always say the same as the outcomes.

use std::collections::BTreeSet;
use std::fmt;

use super::plan::Kind;
use super::rest::Rest;
use crate::domain::{Failure, Outcome, Stop, StopReason};

/// Events by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Events whose deletion the service confirmed.
    pub deleted: usize,
    /// Events whose new fields a list confirmed.
    pub changed: usize,
    /// Events that were already gone.
    pub already_gone: usize,
    /// Events that the service refused.
    pub refused: usize,
    /// Events whose call was not sent.
    pub not_sent: usize,
    /// Events whose outcome only a new list can tell.
    pub unknown: usize,
    /// Events that were re-created, or whose old values were written back.
    pub restored: usize,
    /// Events that were re-created or changed and are listed with other fields.
    pub altered: usize,
}

impl Tally {
    /// Counts outcomes.
    pub fn over<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut tally = Self::default();
        outcomes.into_iter().for_each(|outcome| *tally.of(outcome) += 1);
        tally
    }

    /// Every count with the name of its outcome, what was done first.
    pub fn named(&self) -> [(&'static str, usize); 8] {
        [
            ("deleted", self.deleted),
            ("changed", self.changed),
            ("restored", self.restored),
            ("altered", self.altered),
            ("already gone", self.already_gone),
            ("refused", self.refused),
            ("not sent", self.not_sent),
            ("unknown", self.unknown),
        ]
    }

    /// What happened in words, without what did not; `nothing deleted`, `nothing changed` or `nothing
    /// restored` by its kind, where nothing good did.
    pub fn words(&self, kind: Kind) -> String {
        let good = match kind {
            Kind::Undo => "restored",
            Kind::Change => "changed",
            Kind::Delete | Kind::Backup => "deleted",
        };
        let none = self.deleted + self.changed + self.restored + self.altered == 0;
        let told = self.named().into_iter();
        let told = told.filter(|(name, count)| *count > 0 || (none && *name == good));
        let words = told.map(|(name, count)| match count {
            0 => format!("nothing {name}"),
            _ => format!("{count} {name}"),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// Events that have an outcome.
    pub fn settled(&self) -> usize {
        self.named().iter().map(|(_, count)| count).sum()
    }

    /// Events with the outcome that was asked for.
    pub fn done(&self) -> usize {
        self.deleted + self.changed + self.already_gone + self.restored + self.altered
    }

    /// Events that a run took or changed, or may have: what an undo of it is about.
    pub fn taken(&self) -> usize {
        self.deleted + self.changed + self.altered + self.unknown
    }

    /// Events that are left: refused, not sent or unknown.
    pub fn left(&self) -> usize {
        self.settled() - self.done()
    }

    /// Why something is left to be done, where a run stopped by itself or was asked to. That it took
    /// too much is told in any case.
    pub(super) fn stopped(&self, by: Option<&Failure>, asked: Option<&Stop>) -> Option<Stop> {
        let too_much = |stop: &Stop| stop.reason == StopReason::Surplus;
        let stop = by.map(Stop::of).or_else(|| asked.cloned());
        stop.filter(|stop| self.left() > 0 || too_much(stop))
    }

    fn of(&mut self, outcome: &Outcome) -> &mut usize {
        match outcome {
            Outcome::Deleted => &mut self.deleted,
            Outcome::Changed(_) => &mut self.changed,
            Outcome::AlreadyGone => &mut self.already_gone,
            Outcome::Refused(_) => &mut self.refused,
            Outcome::NotSent(_) => &mut self.not_sent,
            Outcome::Unknown(_) => &mut self.unknown,
            Outcome::Restored(_) => &mut self.restored,
            Outcome::Altered { .. } => &mut self.altered,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Kind::Delete))
    }
}

/// What is known of each event: in this session, and else from before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SoFar<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) before: Option<&'a Rest>,
}

impl<'a> SoFar<'a> {
    pub(super) fn of(&self, event: usize) -> Option<&'a Outcome> {
        let before = self.before;
        self.ledger.get(event).or_else(|| before?.outcomes.get(event))
    }
}

/// The outcomes of the events of one plan, by their places.
#[derive(Debug)]
pub(super) struct Ledger {
    outcomes: Vec<Option<Outcome>>,
    tally: Tally,
    revised: BTreeSet<usize>,
    /// Set since this was last asked.
    news: Vec<usize>,
}

impl Ledger {
    /// What is known from the start of each event, in their order.
    pub(super) fn new(outcomes: Vec<Option<Outcome>>) -> Self {
        Self {
            tally: Tally::over(outcomes.iter().flatten()),
            outcomes,
            revised: BTreeSet::new(),
            news: Vec::new(),
        }
    }

    /// What the answer to a call says.
    pub(super) fn set(&mut self, event: usize, outcome: Outcome) {
        let Some(place) = self.outcomes.get_mut(event) else { return };
        *self.tally.of(&outcome) += 1;
        if let Some(before) = place.replace(outcome) {
            *self.tally.of(&before) -= 1;
        }
        self.news.push(event);
    }

    /// What a listing says, whatever an answer said.
    pub(super) fn revise(&mut self, event: usize, outcome: Outcome) {
        self.revised.insert(event);
        self.set(event, outcome);
    }

    /// Gives every event that has no outcome one.
    pub(super) fn close(&mut self, outcome: impl Fn(usize) -> Outcome) {
        for event in 0..self.outcomes.len() {
            if self.get(event).is_none() {
                self.set(event, outcome(event));
            }
        }
    }

    pub(super) fn get(&self, event: usize) -> Option<&Outcome> {
        self.outcomes.get(event)?.as_ref()
    }

    pub(super) fn all(&self) -> &[Option<Outcome>] {
        &self.outcomes
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    pub(super) fn take_news(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.news)
    }

    /// The events whose outcome is not the one that their call's answer gave.
    pub(super) fn revised(&self) -> Vec<(usize, Outcome)> {
        let outcome = |event: &usize| Some((*event, self.get(*event)?.clone()));
        self.revised.iter().filter_map(outcome).collect()
    }
}
