//! The outcome of each planned event, and their counts: every event has one outcome at most,
//! and the counts always say the same as the outcomes.

use std::collections::BTreeSet;

use super::kind::Kind;
use super::rest::Rest;
use crate::domain::{Failure, Outcome, Stop, StopReason, Success, Word, Work};

/// Events by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally([usize; Word::COUNT]);

impl Tally {
    /// Counts outcomes.
    pub fn over<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            tally.update(outcome.word(), |count| count + 1);
        }
        tally
    }

    /// This tally with another count of events for one outcome.
    #[must_use]
    pub fn with(mut self, word: impl Into<Word>, events: usize) -> Self {
        self.update(word.into(), |_| events);
        self
    }

    /// How many events have this outcome.
    pub fn of(&self, word: impl Into<Word>) -> usize {
        let word = word.into();
        self.sum(|it| it == word)
    }

    /// Every count, what was done first.
    pub fn each(self) -> impl Iterator<Item = (Word, usize)> {
        Word::all().zip(self.0)
    }

    /// What happened in words, without what did not; `nothing deleted`, `nothing changed` or `nothing
    /// restored` by its kind, where nothing good did.
    pub fn words(&self, kind: Kind) -> String {
        let good = Word::Done(kind.success());
        let none = self.done() == self.of(Word::AlreadyGone);
        let told = self.each().filter(|(word, count)| *count > 0 || (none && *word == good));
        let words = told.map(|(word, count)| match count {
            0 => format!("nothing {}", word.name()),
            _ => format!("{count} {}", word.name()),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// Events that are back, and those that are and differ.
    pub fn back(&self) -> (usize, usize) {
        (self.of(Success::Restored), self.of(Word::Altered))
    }

    /// Events that have an outcome.
    pub fn settled(&self) -> usize {
        self.sum(|_| true)
    }

    /// Events with the outcome that was asked for.
    pub fn done(&self) -> usize {
        self.settled() - self.left()
    }

    /// Events that a run took or changed, or may have: what an undo of it is about.
    pub fn taken(&self) -> usize {
        self.sum(|word| match word {
            Word::Done(success) => !success.is(Work::GivesBack),
            Word::Altered | Word::Unknown => true,
            Word::AlreadyGone | Word::Refused | Word::NotSent => false,
        })
    }

    /// Events that are left: refused, not sent or unknown.
    pub fn left(&self) -> usize {
        self.sum(|word| matches!(word, Word::Refused | Word::NotSent | Word::Unknown))
    }

    /// Why something is left to be done, where a run stopped by itself or was asked to. That it took
    /// too much is told in any case.
    pub(super) fn stopped(&self, by: Option<&Failure>, asked: Option<&Stop>) -> Option<Stop> {
        let too_much = |stop: &Stop| stop.reason == StopReason::Surplus;
        let stop = by.map(Stop::of).or_else(|| asked.cloned());
        stop.filter(|stop| self.left() > 0 || too_much(stop))
    }

    fn sum(&self, counts: impl Fn(Word) -> bool) -> usize {
        self.each().filter(|(word, _)| counts(*word)).map(|(_, count)| count).sum()
    }

    fn update(&mut self, word: Word, to: impl Fn(usize) -> usize) {
        for (_, count) in Word::all().zip(&mut self.0).filter(|(it, _)| *it == word) {
            *count = to(*count);
        }
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
        self.tally.update(outcome.word(), |count| count + 1);
        if let Some(before) = place.replace(outcome) {
            self.tally.update(before.word(), |count| count - 1);
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
