//! Which extension is listed next: what was asked for, the one in focus, those in sight, then the
//! rest up to a limit; never many at once, and not on and on against a service that refuses.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::domain::{ExtensionNumber, Failure, Fetched, Fuse, Listing, UserId};

use super::Effect;

/// So often one that fails while others are answered is asked again by itself.
const TRIES: usize = 5;

/// Extensions listed without anybody looking at them.
const BACKGROUND: usize = 200;

/// The state of every extension's listing.
#[derive(Debug, Default)]
pub(super) struct Loading {
    slots: HashMap<ExtensionNumber, Slot>,
    demanded: VecDeque<ExtensionNumber>,
    most: usize,
    in_flight: usize,
    in_background: usize,
    /// Where the search for the next extension out of sight goes on.
    background_from: usize,
    /// Extensions whose rows are older than what is known to have changed, or was to be read again.
    behind: BTreeSet<ExtensionNumber>,
    /// Extensions of which there may be more: their list is not complete, or could never be read.
    partial: BTreeSet<ExtensionNumber>,
    /// Extensions whose list came back empty under a user not yet proven.
    unproven: BTreeSet<ExtensionNumber>,
    /// The owners, those who are not known as one, of whom an event was seen.
    seen: BTreeSet<Option<UserId>>,
    /// Blown, only what is asked for by key is listed.
    fuse: Fuse,
    /// What failed in a way that may pass: asked again once the service answers again.
    troubled: VecDeque<ExtensionNumber>,
    /// What is out is a probe of a service in trouble.
    probes: bool,
}

#[derive(Debug, Default)]
struct Slot {
    state: Fetched<()>,
    /// Stands among the demanded.
    demanded: bool,
    /// It was read before.
    read: bool,
    /// How often it failed though the service seemed well.
    tries: usize,
    /// Changes that settled on the extension: a listing asked before the newest is out of date.
    epoch: u64,
}

impl Loading {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), ..Self::default() }
    }

    /// What is known of an extension's listing.
    pub(super) fn state(&self, extension: &ExtensionNumber) -> &Fetched<()> {
        self.slots.get(extension).map_or(&Fetched::Not, |slot| &slot.state)
    }

    /// Lists this one next, whatever else waits, known or not.
    pub(super) fn demand(&mut self, extension: &ExtensionNumber) {
        let slot = self.slots.entry(extension.clone()).or_default();
        self.troubled.retain(|troubled| troubled != extension);
        if slot.state != Fetched::UnderWay && !std::mem::replace(&mut slot.demanded, true) {
            self.demanded.push_back(extension.clone());
        }
    }

    /// As [`demand`](Self::demand); an answer to what was asked before does not do.
    pub(super) fn demand_anew(&mut self, extension: &ExtensionNumber) {
        let slot = self.slots.entry(extension.clone()).or_default();
        if slot.state == Fetched::UnderWay {
            slot.epoch += 1;
        } else {
            self.demand(extension);
        }
    }

    /// Whether an answer is to come.
    pub(super) fn is_under_way(&self, extension: &ExtensionNumber) -> bool {
        *self.state(extension) == Fetched::UnderWay
    }

    /// Takes back what was demanded and is not under way yet.
    pub(super) fn withdraw(&mut self, these: impl Fn(&ExtensionNumber) -> bool) {
        let Self { demanded, slots, .. } = self;
        demanded.retain(|extension| {
            let withdrawn = these(extension);
            if withdrawn && let Some(slot) = slots.get_mut(extension) {
                slot.demanded = false;
            }
            !withdrawn
        });
    }

    /// Treats every listing as out of date; those under way will be asked again.
    pub(super) fn forget_all(&mut self) {
        for (extension, slot) in &mut self.slots {
            slot.epoch += 1;
            if slot.read {
                self.behind.insert(extension.clone());
            }
            if slot.state != Fetched::UnderWay {
                slot.state = Fetched::Not;
            }
        }
        self.in_background = 0;
        self.background_from = 0;
        self.fuse = Fuse::default();
        self.troubled.clear();
    }

    /// The service answers: what failed in trouble is asked again.
    pub(super) fn recover(&mut self) {
        for extension in std::mem::take(&mut self.troubled) {
            self.demand(&extension);
        }
    }

    /// Whether it failed and will be asked again by itself.
    pub(super) fn comes_again(&self, extension: &ExtensionNumber) -> bool {
        self.troubled.contains(extension)
    }

    /// Questions without an answer yet.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Asks for this one whatever else waits; `None` where an answer is to come.
    pub(super) fn ask_now(&mut self, extension: &ExtensionNumber) -> Option<Effect> {
        if self.is_under_way(extension) {
            return None;
        }
        self.withdraw(|demanded| demanded == extension);
        self.troubled.retain(|troubled| troubled != extension);
        Some(self.ask(extension))
    }

    /// A change settled: what was asked before says nothing any more.
    pub(super) fn change_settled(&mut self, extension: &ExtensionNumber) {
        self.slots.entry(extension.clone()).or_default().epoch += 1;
    }

    /// A run may have changed the extension, or read it again after its last call.
    pub(super) fn is_read_again(&mut self, extension: &ExtensionNumber, read: bool) {
        if read {
            self.behind.remove(extension);
        } else {
            self.behind.insert(extension.clone());
        }
    }

    /// Extensions that are not there any more are not to be read again.
    pub(super) fn retain(&mut self, known: impl Fn(&ExtensionNumber) -> bool) {
        self.slots.retain(|extension, slot| slot.state == Fetched::UnderWay || known(extension));
        let Self { slots, partial, .. } = self;
        partial.retain(|extension| slots.contains_key(extension) || known(extension));
        self.troubled.retain(|extension| known(extension));
        self.behind.retain(known);
    }

    /// Whether there may be more than was read of what was asked for.
    pub(super) fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Extensions of which only what was there before is known.
    pub(super) fn behind(&self) -> &BTreeSet<ExtensionNumber> {
        &self.behind
    }

    /// Takes an answer; false when it is out of date and the extension will be asked again.
    pub(super) fn answered(
        &mut self,
        extension: &ExtensionNumber,
        epoch: u64,
        failure: Option<&Failure>,
    ) -> bool {
        let was_probe = std::mem::take(&mut self.probes);
        self.in_flight = self.in_flight.saturating_sub(1);
        let slot = self.slots.entry(extension.clone()).or_default();
        if slot.epoch != epoch {
            slot.state = Fetched::Not;
            self.demand(extension);
            return false;
        }
        slot.state = match failure {
            None => Fetched::Ready(()),
            Some(failure) => Fetched::Failed(failure.clone()),
        };
        if failure.is_none() {
            // Also when it was asked for by key: then the service is well again.
            slot.read = true;
            slot.tries = 0;
            self.fuse = Fuse::default();
            self.behind.remove(extension);
            return true;
        }
        if slot.read {
            self.behind.insert(extension.clone());
        }
        if !slot.read {
            self.partial.insert(extension.clone());
        }
        if let Some(failure) = failure.filter(|failure| failure.may_pass()) {
            // In an outage it is not the extension's fault, nor where there was no room for it.
            slot.tries += usize::from(!was_probe && !failure.has_no_room());
            if slot.tries < TRIES {
                self.troubled.push_back(extension.clone());
            }
            return true;
        }
        if self.fuse.blows(failure) || self.fuse.is_blown() {
            self.withdraw(|_| true);
        }
        true
    }

    /// Takes in what a list proves of its user: the first event of an owner makes empty lists worth
    /// reading once more.
    pub(super) fn proves(&mut self, listing: &Listing) {
        if listing.is_complete() {
            self.partial.remove(listing.extension());
        } else {
            self.partial.insert(listing.extension().clone());
        }
        if listing.is_unproven() {
            self.unproven.insert(listing.extension().clone());
            return;
        }
        self.unproven.remove(listing.extension());
        if !listing.is_empty() && self.seen.insert(listing.access().owner.clone()) {
            for extension in std::mem::take(&mut self.unproven) {
                self.demand(&extension);
            }
        }
    }

    /// True once so many listings failed that nothing is listed unasked any more.
    pub(super) fn has_given_up(&self) -> bool {
        self.fuse.is_blown()
    }

    /// What to list now. `first` are the extensions in focus and in sight, in that order, `all`
    /// gives the extension at a place of the whole list. `one` question at most may be out while the
    /// service is in trouble.
    pub(super) fn next<'a>(
        &mut self,
        one: bool,
        first: impl Iterator<Item = &'a ExtensionNumber>,
        all: impl Fn(usize) -> Option<&'a ExtensionNumber>,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        // After many failures one at a time shows whether the service is well again.
        let at_once = if one { 1 } else { self.most };
        let most = if self.has_given_up() { 1 } else { at_once };
        self.probes |= one && self.in_flight < at_once;
        while self.in_flight < most {
            let troubled =
                if one && self.demanded.is_empty() { self.troubled.pop_front() } else { None };
            let Some(extension) = troubled.or_else(|| self.demanded.pop_front()) else {
                break;
            };
            effects.push(self.ask(&extension));
        }
        if self.has_given_up() {
            return effects;
        }
        for extension in first {
            if self.in_flight >= at_once {
                return effects;
            }
            if *self.state(extension) == Fetched::Not {
                effects.push(self.ask(extension));
            }
        }
        while self.in_flight < at_once && self.in_background < BACKGROUND {
            let Some(extension) = all(self.background_from) else {
                break;
            };
            self.background_from += 1;
            if *self.state(extension) == Fetched::Not {
                self.in_background += 1;
                effects.push(self.ask(extension));
            }
        }
        effects
    }

    fn ask(&mut self, extension: &ExtensionNumber) -> Effect {
        let slot = self.slots.entry(extension.clone()).or_default();
        slot.state = Fetched::UnderWay;
        slot.demanded = false;
        self.in_flight += 1;
        Effect::ListEvents { extension: extension.clone(), epoch: slot.epoch, below: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Cause;

    fn numbers(count: usize) -> Vec<ExtensionNumber> {
        let number = |n: usize| ExtensionNumber::parse(&format!("{n:04}")).unwrap();
        (0..count).map(number).collect()
    }

    fn asked(effects: &[Effect]) -> Vec<(String, u64)> {
        effects
            .iter()
            .map(|effect| match effect {
                Effect::ListEvents { extension, epoch, .. } => (extension.to_string(), *epoch),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn next(
        loading: &mut Loading,
        first: &[ExtensionNumber],
        all: &[ExtensionNumber],
    ) -> Vec<Effect> {
        loading.next(false, first.iter(), |index| all.get(index))
    }

    #[test]
    fn what_was_asked_for_comes_first_then_what_is_in_sight_then_the_rest() {
        let all = numbers(10);
        let mut loading = Loading::new(3);
        loading.demand(&all[7]);
        let effects = next(&mut loading, &all[4..5], &all);
        let order: Vec<_> = asked(&effects).into_iter().map(|(number, _)| number).collect();
        assert_eq!(order, ["0007", "0004", "0000"]);
        assert!(next(&mut loading, &all[4..5], &all).is_empty());
    }

    #[test]
    fn nobody_is_asked_unseen_beyond_the_limit_but_whoever_looks_still_gets_an_answer() {
        let all = numbers(300);
        let mut loading = Loading::new(1000);
        assert_eq!(next(&mut loading, &[], &all).len(), BACKGROUND);
        assert_eq!(next(&mut loading, &all[250..252], &all).len(), 2);
    }

    #[test]
    fn an_answer_from_before_a_deletion_is_dropped_and_asked_again() {
        let all = numbers(1);
        let mut loading = Loading::new(1);
        next(&mut loading, &all, &all);
        loading.change_settled(&all[0]);
        assert!(!loading.answered(&all[0], 0, None));
        assert_eq!(asked(&next(&mut loading, &[], &all)), [("0000".to_owned(), 1)]);
        assert!(loading.answered(&all[0], 1, None));
    }

    #[test]
    fn many_that_were_asked_for_at_once_stop_after_five_failures_in_a_row_too() {
        let all = numbers(300);
        let failure = Failure::new(Cause::Rejected, "no");
        let mut loading = Loading::new(4);
        for extension in &all {
            loading.demand(extension);
        }
        let mut flying = next(&mut loading, &[], &all);
        let mut count = 0;
        while let Some(Effect::ListEvents { extension, epoch, .. }) = flying.pop() {
            loading.answered(&extension, epoch, Some(&failure));
            flying.extend(next(&mut loading, &[], &all));
            count += 1;
        }
        assert!(count < Fuse::IN_A_ROW + 4, "{count} failing requests");
    }

    #[test]
    fn a_service_that_was_given_up_is_tried_with_one_request_before_many() {
        let all = numbers(300);
        let failure = Failure::new(Cause::Withheld, "the token is refused");
        let mut loading = Loading::new(4);
        next(&mut loading, &all[..1], &[]);
        loading.answered(&all[0], 0, Some(&failure));
        for fails in [true, false] {
            for extension in &all {
                loading.demand(extension);
            }
            assert_eq!(next(&mut loading, &all, &all).len(), 1);
            loading.answered(&all[0], 0, Some(&failure).filter(|_| fails));
            assert_eq!(next(&mut loading, &all, &all).len(), if fails { 0 } else { 4 });
        }
    }

    #[test]
    fn what_failed_in_trouble_is_asked_again_after_one_that_was_answered() {
        let all = numbers(6);
        let dead = Failure::new(Cause::NoAnswer, "no answer");
        let mut loading = Loading::new(4);
        assert_eq!(next(&mut loading, &[], &all).len(), 4);
        for extension in &all[..4] {
            loading.answered(extension, 0, Some(&dead));
            assert!(loading.comes_again(extension));
        }
        let probe = |loading: &mut Loading| {
            let effects = loading.next(true, [].iter(), |index| all.get(index));
            asked(&effects).into_iter().map(|(number, _)| number).collect::<Vec<_>>()
        };
        for number in ["0000", "0001", "0002", "0003", "0000", "0001"] {
            assert_eq!(probe(&mut loading), [number], "the next one each time");
            assert!(probe(&mut loading).is_empty(), "and one at a time");
            loading.answered(&ExtensionNumber::parse(number).unwrap(), 0, Some(&dead));
        }
        assert_eq!(probe(&mut loading), ["0002"]);
        loading.recover();
        loading.answered(&all[2], 0, None);
        let again = asked(&next(&mut loading, &[], &all));
        assert_eq!(
            again.iter().map(|(number, _)| number).collect::<Vec<_>>(),
            ["0003", "0000", "0001", "0004"]
        );
    }

    #[test]
    fn one_that_fails_while_others_are_answered_is_not_asked_on_and_on() {
        let all = numbers(1);
        let dead = Failure::new(Cause::ServiceFailed, "500");
        let mut loading = Loading::new(1);
        let mut count = 0;
        while let Some(Effect::ListEvents { extension, epoch, .. }) =
            next(&mut loading, &all, &all).pop()
        {
            loading.answered(&extension, epoch, Some(&dead));
            loading.recover();
            count += 1;
        }
        assert_eq!(count, TRIES);
    }

    #[test]
    fn what_was_withdrawn_is_not_listed_and_can_be_asked_for_again() {
        let all = numbers(3);
        let mut loading = Loading::new(1);
        for extension in all.iter().chain(&all) {
            loading.demand(extension);
        }
        assert_eq!(asked(&next(&mut loading, &[], &[]))[0].0, "0000");
        loading.withdraw(|extension| *extension == all[1]);
        loading.answered(&all[0], 0, None);
        assert_eq!(asked(&next(&mut loading, &[], &[]))[0].0, "0002");
        loading.answered(&all[2], 0, None);
        assert!(next(&mut loading, &[], &[]).is_empty());
        loading.demand(&all[1]);
        assert_eq!(asked(&next(&mut loading, &[], &[]))[0].0, "0001");
    }

    #[test]
    fn after_five_failures_in_a_row_only_what_is_asked_for_is_listed() {
        let all = numbers(20);
        let failure = Failure::new(Cause::Rejected, "no");
        let mut loading = Loading::new(1);
        let mut count = 0;
        while let Some(Effect::ListEvents { extension, epoch, .. }) =
            next(&mut loading, &all, &all).pop()
        {
            loading.answered(&extension, epoch, Some(&failure));
            count += 1;
        }
        assert_eq!(count, Fuse::IN_A_ROW);
        loading.demand(&all[19]);
        assert_eq!(asked(&next(&mut loading, &all, &all))[0].0, "0019");
        loading.answered(&all[19], 0, None);
        assert!(!next(&mut loading, &all, &all).is_empty());
    }
}
