//! Every extension of a deletion is listed again while its review is open: what is not as it was
//! chosen is named and left out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::change::{Drifted, FRESH};
use crate::domain::{Cause, EventKey, ExtensionNumber, Failure, Foreign, Mask, Target};

use super::Review;
use crate::app::status::Tone;
use crate::app::{Dialog, Effect, Model, count_of};
use crate::keys::Keymap;

/// Of many that are to be named, these are; the others are counted.
pub(super) const NAMED: usize = 3;

/// That there are more than those named.
pub(super) fn more(all: usize) -> Option<String> {
    (all > NAMED).then(|| format!("  and {} more", all - NAMED))
}

/// The listings that tell whether everything is still as it was chosen.
#[derive(Debug)]
pub(super) struct Check {
    asked: BTreeSet<ExtensionNumber>,
    unread: BTreeSet<ExtensionNumber>,
    failed: Vec<(ExtensionNumber, Failure)>,
    /// When the first of them came, or failed.
    oldest: Option<Duration>,
    /// A yes was given and counted, and waits for listings younger than those it was given on.
    pub(super) agreed: bool,
}

/// Of an undo: nothing is to be made.
#[derive(Debug)]
pub(super) struct Nothing {
    /// Why.
    pub(super) why: String,
    /// The undo that was begun, where all is back, with what is there.
    pub(super) begun: Option<(String, Vec<(EventKey, Foreign)>)>,
}

impl Nothing {
    /// Closes the undo that was begun.
    pub(super) fn close(self) -> Vec<Effect> {
        let close = self.begun.map(|(undo, there)| Effect::CloseUndo { undo, there });
        close.into_iter().collect()
    }
}

impl Check {
    pub(super) fn of(extensions: impl IntoIterator<Item = ExtensionNumber>) -> Self {
        let asked: BTreeSet<ExtensionNumber> = extensions.into_iter().collect();
        let unread = asked.clone();
        Self { asked, unread, failed: Vec::new(), oldest: None, agreed: false }
    }

    /// Whether an extension has been listed for the review.
    pub(super) fn is_read(&self, extension: &ExtensionNumber) -> bool {
        let failed = self.failed.iter().any(|(failed, _)| failed == extension);
        !self.unread.contains(extension) && !failed
    }

    pub(super) fn is_reading(&self) -> bool {
        !self.unread.is_empty()
    }

    /// When the first of the listings came; at the start of the program, for all that is known,
    /// where one is missing.
    pub(super) fn listed_at(&self) -> Duration {
        self.oldest.filter(|_| self.failed.is_empty()).unwrap_or_default()
    }

    pub(super) fn is_stale(&self, now: Duration) -> bool {
        self.oldest.is_some_and(|oldest| now.saturating_sub(oldest) > FRESH)
    }

    /// True where an answer was waited for.
    fn came(&mut self, extension: &ExtensionNumber, now: Duration) -> bool {
        // What failed may be asked again by itself.
        let failed = self.failed.iter().position(|(failed, _)| failed == extension);
        let again = failed.map(|place| self.failed.remove(place)).is_some();
        let waited = self.unread.remove(extension) || again;
        if waited {
            self.oldest.get_or_insert(now);
        }
        waited
    }
}

impl Review {
    /// The extensions that are still to be read again.
    pub(super) fn unread(&self) -> impl Iterator<Item = &ExtensionNumber> {
        self.check.unread.iter()
    }

    /// Extensions read again so far, and how many there are to read.
    pub fn progress(&self) -> (usize, usize) {
        let Check { asked, unread, .. } = &self.check;
        (asked.len() - unread.len(), asked.len())
    }

    /// True until every extension has been read again, or could not be.
    pub fn is_reading(&self) -> bool {
        self.check.is_reading()
    }

    /// Extensions that could not be read again, and why.
    pub fn unreadable(&self) -> &[(ExtensionNumber, Failure)] {
        &self.check.failed
    }

    /// Whether a yes waits for younger listings.
    pub fn is_agreed(&self) -> bool {
        self.check.agreed
    }

    /// What is not as it was chosen.
    pub fn drifted(&self) -> impl Iterator<Item = &Drifted> {
        self.chosen.iter().flat_map(|chosen| chosen.choice.drifted())
    }

    pub(super) fn differing(&self) -> (usize, usize) {
        self.chosen.as_ref().map_or((0, 0), |chosen| chosen.choice.differing())
    }

    /// What drifted, in words: a sentence, then the first of it by name.
    pub(super) fn drift_words(&self, mask: &Mask, keys: &Keymap) -> Vec<String> {
        let (differing, there) = self.differing();
        if differing == 0 {
            return Vec::new();
        }
        let add = if there > 0 && self.rest().is_none() {
            keys.told(&format!(": <add-changed> adds {there} as listed now"))
        } else {
            String::new()
        };
        let as_before = if self.rest().is_some() { "the first review" } else { "marking" };
        let events = count_of(differing, "event");
        let named = self.chosen.iter().flat_map(|chosen| chosen.choice.words(mask));
        let said = format!("! {events} changed since {as_before}, left out{add}");
        std::iter::once(said).chain(named.map(|words| format!("  {words}"))).collect()
    }

    /// What could not be read again, in words.
    pub(super) fn unread_words(&self, mask: &Mask, keys: &Keymap) -> Vec<String> {
        let (failed, again) = (self.unreadable(), keys.told("<read-failed> tries again"));
        let named = failed.iter().take(NAMED).map(|(extension, failure)| {
            let (number, failure) = (mask.number(extension), mask.text(&failure.to_string()));
            format!("! {number} could not be read again: {failure} ({again})")
        });
        let more = failed.len().checked_sub(NAMED + 1).map(|more| {
            format!("! and {} more could not be read again", count_of(more + 1, "extension"))
        });
        named.chain(more).collect()
    }
}

impl Model {
    fn check_in_review(&mut self) -> Option<&mut Check> {
        match &mut self.dialog {
            Some(Dialog::Review(review)) => Some(&mut review.check),
            Some(
                Dialog::Filter(_)
                | Dialog::Marking(_)
                | Dialog::Repointing(_)
                | Dialog::Question(_)
                | Dialog::Details(_)
                | Dialog::Runs(_),
            )
            | None => None,
        }
    }

    /// Stops asking for what only the review wanted to know.
    pub(in crate::app) fn end_check(&mut self, review: &Review) {
        self.loading.withdraw(|extension| review.check.unread.contains(extension));
    }

    /// Whether an extension is listed for the open review: then its rows are kept letter by letter.
    pub(in crate::app) fn is_read_for_review(&self, extension: &ExtensionNumber) -> bool {
        let Some(Dialog::Review(review)) = &self.dialog else { return false };
        review.check.asked.contains(extension)
    }

    /// Where it is listed for the open review, if not where the profile says.
    pub(in crate::app) fn read_elsewhere(&self, extension: &ExtensionNumber) -> Option<Target> {
        let Some(Dialog::Review(review)) = &self.dialog else { return None };
        let target = review.route.target();
        let differs = review.check.asked.contains(extension) && *target != self.facts.target;
        differs.then(|| target.clone())
    }

    /// An extension of an open review has been listed, and the listing is in the store.
    pub(in crate::app) fn read_for_review(&mut self, extension: &ExtensionNumber) {
        let now = self.now.since_start;
        if !self.check_in_review().is_some_and(|check| check.came(extension, now)) {
            return;
        }
        let Self { dialog: Some(Dialog::Review(review)), store, .. } = self else { return };
        if let (Some(chosen), Some(listing)) = (&mut review.chosen, store.listing(extension)) {
            chosen.choice.compare(listing);
        }
        self.freeze_once_read();
    }

    /// A yes counts only once all are read: the plan is frozen anew once, not for each of them.
    fn freeze_once_read(&mut self) {
        let Self { dialog: Some(Dialog::Review(review)), store, facts, .. } = self else { return };
        if review.is_reading() {
            return;
        }
        if let Some(chosen) = &review.chosen {
            let selection = chosen.choice.selection(store);
            // A part of what was no larger than allowed is no larger than allowed.
            let _ = review.freeze(facts, selection);
        }
        review.look_for_lost(store);
        self.count_in_review();
    }

    /// An extension of an open review cannot be listed. Once so many failed that nothing more is
    /// asked, the others are given up with it.
    pub(in crate::app) fn unread_for_review(
        &mut self,
        extension: &ExtensionNumber,
        failure: &Failure,
    ) {
        let now = self.now.since_start;
        let given_up = self.loading.has_given_up();
        let Self { dialog: Some(Dialog::Review(review)), loading, .. } = self else { return };
        let check = &mut review.check;
        if !check.came(extension, now) {
            return;
        }
        check.failed.push((extension.clone(), failure.clone()));
        if given_up {
            loading.withdraw(|waiting| check.unread.contains(waiting));
            let (asked, given_up): (BTreeSet<_>, BTreeSet<_>) = std::mem::take(&mut check.unread)
                .into_iter()
                .partition(|waiting| loading.is_under_way(waiting));
            check.unread = asked;
            let why = Failure::new(Cause::Withheld, format!("no longer asked, after {failure}"));
            check.failed.extend(given_up.into_iter().map(|waiting| (waiting, why.clone())));
        }
        // The rows of the others are there as the service wrote them.
        self.freeze_once_read();
    }

    /// What follows from an answer for the review: a yes that waited for it counts where nothing
    /// differs, and a review of nothing closes.
    pub(in crate::app) fn conclude_check(&mut self) -> Vec<Effect> {
        let Some(Dialog::Review(review)) = &self.dialog else {
            return Vec::new();
        };
        if review.is_reading() {
            return Vec::new();
        }
        self.notice.take_if(|notice| notice.text.starts_with(super::STILL_READING));
        let Some(Dialog::Review(review)) = &self.dialog else { return Vec::new() };
        if let Some(nothing) = review.nothing_lost() {
            self.dialog = None;
            self.say(Tone::Plain, nothing.why.clone());
            return nothing.close();
        }
        let (drifted, addable) = review.differing();
        if let Some(plan) = review.plan().filter(|plan| plan.calls() == 0).map(Arc::clone)
            && review.unreadable().is_empty()
        {
            self.dialog = None;
            let text = "nothing is left to send: a new listing settles what was sent";
            self.say(Tone::Plain, text);
            return self.settle_rest(plan);
        }
        if review.plan().is_none() && addable == 0 && !review.is_of_undo() {
            let verb = review.deed().verb();
            self.dialog = None;
            let events = count_of(drifted, "event");
            let text = format!("nothing is left to {verb}: {events} no longer listed");
            self.say(Tone::Warning, text);
            return Vec::new();
        }
        let agreed = self.check_in_review().is_some_and(|check| std::mem::take(&mut check.agreed));
        if !agreed {
            return Vec::new();
        }
        let as_shown = self.substance_of_review();
        if as_shown.is_some_and(|(substance, _)| self.consent.is_about(&substance)) {
            return self.confirm();
        }
        let text =
            "something changed since it was shown: nothing was sent; look, then press y again";
        self.notice(Tone::Warning, text);
        Vec::new()
    }

    /// A yes on listings that have grown old: all are asked for once more, and it counts where
    /// nothing differs.
    pub(super) fn check_again(&mut self) {
        let Some(check) = self.check_in_review() else { return };
        *check = Check { agreed: true, ..Check::of(std::mem::take(&mut check.asked)) };
        let again: Vec<_> = check.unread.iter().cloned().collect();
        for extension in &again {
            self.loading.demand_anew(extension);
        }
    }

    /// Whether the PBX may be asked at once; else says when it is asked by itself.
    fn may_ask_in_review(&mut self) -> bool {
        let now = self.now.since_start;
        let waits = self.outage.waits(now).filter(|(_, why)| why.retry_after.is_some());
        if waits.is_some() {
            let words = self.words_of_wait().unwrap_or_default();
            self.notice(Tone::Warning, format!("{words}; then it is read by itself"));
            return false;
        }
        self.outage.cut_short(now);
        true
    }

    /// `R` in a review: what could not be read is asked for once more.
    pub(in crate::app) fn read_again_for_review(&mut self) {
        if self.check_in_review().is_none() || !self.may_ask_in_review() {
            return;
        }
        let Some(check) = self.check_in_review() else { return };
        let failed = std::mem::take(&mut check.failed);
        check.unread.extend(failed.iter().map(|(extension, _)| extension.clone()));
        // Those that were not even asked come first.
        for (extension, _) in failed.iter().rev() {
            self.loading.demand_anew(extension);
        }
        let text = match failed.len() {
            0 => "every extension of this review was read".to_owned(),
            failed => format!("reading {} again", count_of(failed, "extension")),
        };
        self.notice(Tone::Plain, text);
    }
}
