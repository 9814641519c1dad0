//! Lists may lag: what one says against an answer is believed once a second one, some time later,
//! says the same.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::{EventKey, Foreign};

/// A list asked this long after the last request shows what that request did.
pub const CAUGHT_UP: Duration = Duration::from_secs(6);
/// Two listings that are to agree are at least so far apart.
pub(super) const APART: Duration = Duration::from_secs(2);
/// Listings after which nobody waits any longer for two that agree.
const MOST: usize = 5;

/// Why a list of an extension is believed only where it says the same twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Doubt {
    /// How long it takes until the first of the two.
    pub wait: Duration,
    /// Events that a request was sent for a moment ago: a list that shows one may lag.
    pub unsure: BTreeSet<EventKey>,
    /// The list is doubted whatever it shows.
    pub always: bool,
}

impl Doubt {
    /// Whether whoever has this doubt has the other one, too, which is about the same list later.
    pub(super) fn includes(&self, later: &Self) -> bool {
        later.wait <= self.wait
            && (self.always || !later.always)
            && later.unsure.is_subset(&self.unsure)
    }

    /// Whether a list may be wrong that shows what stands for this event under this id.
    pub(super) fn is_about(&self, key: &EventKey, id: Option<&Foreign>) -> bool {
        id.is_some_and(|id| id.raw() == key.id.as_str()) && self.unsure.contains(key)
    }
}

/// What listings of one extension say, one after the other. Times are those at which they were
/// asked for, since the start of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Twice<T> {
    from: Duration,
    seen: Option<(Duration, T)>,
    looks: usize,
}

/// Whether what the last listing says is to be believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Belief<T> {
    /// Believed: two lists said the same.
    Sure(T),
    /// Not believed yet: list again at this time.
    Again(Duration),
    /// Never believed: the lists keep changing.
    Never,
}

impl<T: PartialEq> Twice<T> {
    /// Believes nothing that was asked for before this time.
    pub(super) fn from(from: Duration) -> Self {
        Self { from, seen: None, looks: 0 }
    }

    /// Takes what a complete listing says, and how far it has to be from the one before.
    pub(super) fn take(&mut self, says: T, asked: Duration, apart: Duration) -> Belief<T> {
        if asked < self.from {
            return Belief::Again(self.from);
        }
        match &self.seen {
            Some((at, before)) if *before == says => {
                let from = at.saturating_add(apart);
                return if asked < from { Belief::Again(from) } else { Belief::Sure(says) };
            }
            Some(_) | None => {}
        }
        self.looks += 1;
        if self.looks >= MOST {
            return Belief::Never;
        }
        self.seen = Some((asked, says));
        Belief::Again(asked.saturating_add(apart))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(tenths: u64) -> Duration {
        Duration::from_millis(tenths * 100)
    }

    #[test]
    fn two_that_agree_and_are_far_enough_apart_and_from_the_last_request_are_believed() {
        let mut twice = Twice::from(at(70));
        assert_eq!(twice.take(1, at(20), APART), Belief::Again(at(70)), "it may lag");
        assert_eq!(twice.take(1, at(70), APART), Belief::Again(at(90)));
        assert_eq!(twice.take(1, at(89), APART), Belief::Again(at(90)), "too close");
        assert_eq!(twice.take(1, at(90), APART), Belief::Sure(1));
    }

    #[test]
    fn one_that_says_something_else_is_the_first_of_two() {
        let mut twice = Twice::from(at(60));
        assert_eq!(twice.take(1, at(60), APART), Belief::Again(at(80)));
        assert_eq!(twice.take(2, at(80), APART), Belief::Again(at(100)));
        assert_eq!(twice.take(2, at(100), APART), Belief::Sure(2));
    }

    #[test]
    fn a_list_that_never_stays_the_same_is_given_up() {
        let mut twice = Twice::from(at(60));
        let last = (0..).map(|look| twice.take(look, at(100 * (look + 1)), APART)).nth(MOST - 1);
        assert_eq!(last, Some(Belief::Never));
    }
}
