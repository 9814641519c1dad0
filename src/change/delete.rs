//! What only a deletion has: a wide call is compared with a listing of a moment ago, event calls
//! take its place where it would not remove just what was reviewed, and what went beside the plan is
//! surplus.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{
    CallForm, Cause, DeleteCall, EventKey, ExtensionNumber, Failure, Foreign, Listing, Outcome,
    PhoneCallEvent,
};

use super::ledger::SoFar;
use super::listed::Listed;
use super::rest::Rest;
use super::verification::{Findings, beside, is_answered, settled_by_listing};
use super::wide::{Learnt, Took, Trial, Unlisted};
use super::{Plan, Settled};

/// A yes and a call may rest on a listing of this age; an older one is asked for anew before.
pub const FRESH: Duration = Duration::from_secs(60);

/// What a deletion knows beside its calls.
#[derive(Debug, Default)]
pub(super) struct Deletes {
    /// When all that is planned was listed, at the earliest, and what was listed since.
    pub(super) reviewed: Duration,
    listed: BTreeMap<ExtensionNumber, Duration>,
    /// Extensions of which a wide call took something, or may have.
    swept: BTreeSet<ExtensionNumber>,
    /// What others took, as far as it was told.
    strange: BTreeSet<EventKey>,
    /// What was listed, was not planned, and is gone.
    pub(super) surplus: Vec<EventKey>,
    /// What an answer named, was in no listing, and is gone.
    pub(super) unlisted: Vec<Unlisted>,
    /// What an answer named beside the plan and a listing shows all the same.
    pub(super) still_there: Vec<Unlisted>,
    /// Wide calls of which nobody knows what they took beside the plan.
    pub(super) silent: BTreeSet<usize>,
    /// One of them went out before this run was gone on with.
    pub(super) silent_before: bool,
    pub(super) learnt: Learnt,
    pub(super) trial: Trial,
    /// The type call that was tried took other types too.
    pub(super) took_too_much: bool,
    /// A wide call was answered with ids.
    names_ids: bool,
    /// Where the next call that is to be tried alone may stand.
    pub(super) tried: usize,
}

/// What a fresh listing says of a wide call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The call would remove what was reviewed and nothing else.
    AsReviewed,
    /// It would take other events: event calls take its place.
    Differs {
        /// One for each planned event, in their order.
        events: Vec<Option<Outcome>>,
        /// What an operator is told.
        remark: String,
    },
}

impl Deletes {
    /// What is known of a run that is gone on with.
    pub(super) fn of_rest(rest: &Rest) -> Self {
        Self {
            surplus: rest.surplus.clone(),
            unlisted: rest.unlisted.clone(),
            swept: rest.swept.clone(),
            silent_before: !rest.surplus_known,
            ..Self::default()
        }
    }

    /// Whether an extension was listed so long ago that its events may be others by now.
    pub(super) fn is_old(&self, extension: &ExtensionNumber, now: Duration) -> bool {
        let listed = self.listed.get(extension).copied().unwrap_or(self.reviewed);
        now.saturating_sub(listed) > FRESH
    }

    /// An extension was listed.
    pub(super) fn saw(&mut self, extension: &ExtensionNumber, now: Duration) {
        self.listed.insert(extension.clone(), now);
    }

    /// A wide call was answered so. Returns what is to be told of it.
    pub(super) fn answered(
        &mut self,
        call: usize,
        extension: &ExtensionNumber,
        settled: &Settled,
    ) -> Option<String> {
        if settled.outcomes.iter().any(Outcome::may_have_taken) {
            self.swept.insert(extension.clone());
        }
        if !settled.reply.returned.is_empty() {
            self.names_ids = true;
            self.silent.remove(&call);
        }
        if !settled.is_silent() {
            return None;
        }
        self.silent.insert(call);
        let worked = matches!(settled.reply.http_status, Some(200..=299));
        if !worked || self.learnt.names_no_ids {
            return None;
        }
        self.learnt.names_no_ids = true;
        Some("the answer to a wide call named no ids: event calls only from here on".to_owned())
    }

    /// An answer named ids that its call does not cover. Returns what is to be told of it.
    pub(super) fn named(
        &mut self,
        plan: &Plan,
        extension: &ExtensionNumber,
        ids: &[Foreign],
    ) -> Option<String> {
        let known = self.beside();
        for id in ids {
            self.name(plan, extension, id);
        }
        let beside = self.beside() - known;
        let events = if beside == 1 { "event" } else { "events" };
        (beside > 0).then(|| {
            format!("{extension}: not in the plan, and reported deleted: {beside} {events}")
        })
    }

    /// How many events are known to have gone beside the plan.
    fn beside(&self) -> usize {
        self.surplus.len() + self.unlisted.len()
    }

    fn name(&mut self, plan: &Plan, extension: &ExtensionNumber, id: &Foreign) {
        let is = |event: &&PhoneCallEvent| event.key.id.as_str() == id.raw();
        let planned = plan.events().get(plan.events_of(extension)).unwrap_or_default();
        if planned.iter().any(|event| is(&event)) {
            return;
        }
        if let Some(event) = plan.bystanders(extension).iter().find(is) {
            self.lost(event.key.clone());
            return;
        }
        let unlisted = Unlisted { extension: extension.clone(), id: id.clone() };
        if !self.unlisted.contains(&unlisted) {
            self.unlisted.push(unlisted);
        }
    }

    fn lost(&mut self, key: EventKey) {
        if !self.surplus.contains(&key) {
            self.surplus.push(key);
        }
    }

    /// Whether a wide call may go out at all.
    pub(super) fn allows(&self, delete: &DeleteCall) -> bool {
        let of_type = matches!(delete, DeleteCall::Type(..));
        let form = if of_type { CallForm::Type } else { CallForm::Extension };
        self.learnt.allows(form) && !(of_type && matches!(self.trial, Trial::Failed))
    }

    /// The next of the calls that wait, each with its form and whether it would tell what a call for a
    /// type takes, that goes alone: wide ones do until one was answered with ids, those for a type
    /// that tell until it is seen what one takes.
    pub(super) fn next_to_try(
        &mut self,
        mut waiting: impl Iterator<Item = (usize, CallForm, bool)>,
    ) -> Option<usize> {
        let untried = matches!(self.trial, Trial::Open);
        let goes_alone = |form: CallForm, tells: bool| match form {
            CallForm::Event => false,
            CallForm::Extension => !self.names_ids,
            CallForm::Type => !self.names_ids || (untried && tells),
        };
        let next = waiting
            .find(|(_, form, tells)| goes_alone(*form, *tells) && self.learnt.allows(*form))?
            .0;
        self.tried = next + 1;
        Some(next)
    }

    /// Whether a call for one type could be seen to take others of its extension: where there are none,
    /// it proves nothing.
    pub(super) fn tells(plan: &Plan, first: &PhoneCallEvent) -> bool {
        let EventKey { extension, event_type, .. } = &first.key;
        let planned = plan.events().get(plan.events_of(extension)).unwrap_or_default();
        let mut all = planned.iter().chain(plan.bystanders(extension));
        all.any(|event| event.key.event_type != *event_type)
    }

    /// A type call goes out, given what is listed beside it: the first beside which other types are
    /// listed is the one that is tried.
    pub(super) fn goes_first(
        &mut self,
        planned: &[PhoneCallEvent],
        delete: &DeleteCall,
        listing: &Listing,
    ) {
        if let (DeleteCall::Type(extension, of), Trial::Open | Trial::Out { .. }) =
            (delete, &self.trial)
        {
            let rows = (0..listing.len()).filter_map(|row| listing.row(row));
            let others = rows.filter(|row| row.event_type() != *of).map(|row| row.key());
            let others: Vec<EventKey> = others.collect();
            if others.is_empty() {
                return;
            }
            self.trial = Trial::Out {
                extension: extension.clone(),
                others,
                covered: planned.iter().map(|event| event.key.clone()).collect(),
            };
        }
    }

    /// Judges the first type call by a listing behind it: what went of other types, and what is to
    /// be told of it.
    pub(super) fn try_out(
        &mut self,
        plan: &Plan,
        extension: &ExtensionNumber,
        listing: Option<&Listing>,
    ) -> Option<String> {
        match self.trial.compare(listing) {
            Took::ItsOwn => {
                self.trial = Trial::Passed;
                None
            }
            Took::NotTold => {
                self.trial = Trial::Failed;
                let why =
                    "what the first call for a type took is not known: event calls for the rest";
                Some(format!("{extension}: {why}"))
            }
            Took::Others(others) => {
                self.trial = Trial::Failed;
                (self.learnt.wipes, self.took_too_much) = (true, true);
                let (all, planned) = (others.len(), plan.events_of(extension));
                let planned = plan.events().get(planned).unwrap_or_default();
                for key in others {
                    if planned.iter().all(|event| event.key != key) {
                        self.lost(key);
                    }
                }
                let events = if all == 1 { "event" } else { "events" };
                Some(format!(
                    "{extension}: a call for one type took {all} {events} of other types too"
                ))
            }
        }
    }

    /// Whether a wide call may go out. `doubt` is what an earlier attempt ended with that may have
    /// been carried out.
    pub(super) fn guard(
        &self,
        plan: &Plan,
        planned: &[PhoneCallEvent],
        delete: &DeleteCall,
        doubt: Option<&Failure>,
        result: Result<&Listing, &Failure>,
    ) -> Verdict {
        match (result, doubt) {
            (Ok(listing), _) => {
                let tries = matches!(self.trial, Trial::Open | Trial::Out { .. });
                let known = !tries || all_known(plan, delete, listing);
                let now = Listed::of(listing);
                match compare(planned, delete, &now) {
                    Verdict::AsReviewed if known && self.allows(delete) => Verdict::AsReviewed,
                    Verdict::AsReviewed => {
                        let extension = delete.extension();
                        let remark = format!(
                            "{extension} has events that were not in the review: event calls in \
                             place of a call for a type"
                        );
                        let remark = if known { String::new() } else { remark };
                        Verdict::Differs { events: vec![None; planned.len()], remark }
                    }
                    Verdict::Differs { mut events, remark } => {
                        let doubt =
                            doubt.cloned().or_else(|| self.swept_by_now(delete.extension()));
                        for (event, outcome) in planned.iter().zip(&mut events) {
                            if let (Some(doubt), false) = (&doubt, now.lists(&event.key)) {
                                *outcome = Some(Outcome::Unknown(doubt.clone().into()));
                            }
                        }
                        Verdict::Differs { events, remark }
                    }
                }
            }
            (Err(failure), None) => {
                let outcome = unlisted(failure);
                let remark = outcome.failure().map(ToString::to_string).unwrap_or_default();
                Verdict::Differs { events: vec![Some(outcome); planned.len()], remark }
            }
            // It went out before, and nobody saw what it did.
            (Err(failure), Some(doubt)) => {
                let remark =
                    format!("not sent again, as the extension could not be listed: {failure}");
                let outcome = Outcome::Unknown(doubt.clone().into());
                Verdict::Differs { events: vec![Some(outcome); planned.len()], remark }
            }
        }
    }

    /// What a listing after all calls says against their answers.
    pub(super) fn find(
        &self,
        plan: &Plan,
        extension: &ExtensionNumber,
        so_far: &SoFar<'_>,
        now: &Listed<'_>,
    ) -> Findings {
        let (mut gone, edited) = beside(plan.bystanders(extension), now);
        gone.retain(|key| !self.strange.contains(key) && !self.surplus.contains(key));
        // Calls that name their event take no other.
        let (surplus, strange) =
            if self.swept.contains(extension) { (gone, Vec::new()) } else { (Vec::new(), gone) };
        let still_there = self.still_listed(extension, now.all());
        let mut findings =
            Findings { surplus, strange, edited, still_there, ..Findings::default() };
        for place in plan.events_of(extension) {
            let (Some(event), Some(so_far)) = (plan.events().get(place), so_far.of(place)) else {
                continue;
            };
            let Some(mut better) = settled_by_listing(&event.key, so_far, now) else {
                let mut outcome = so_far.clone();
                self.claim(extension, &mut outcome);
                findings.added.extend((outcome != *so_far).then_some((place, outcome)));
                let refused = matches!(so_far, Outcome::Refused(_));
                let failure = so_far.failure().filter(|_| refused);
                findings.unsure |= failure.is_some_and(Failure::proves_little);
                continue;
            };
            self.claim(extension, &mut better);
            findings.differs |= is_answered(so_far);
            findings.corrected.push((place, better));
        }
        findings
    }

    /// What an answer named beside the plan and is listed all the same.
    fn still_listed(&self, extension: &ExtensionNumber, listing: &Listing) -> Vec<Unlisted> {
        let here = |one: &&Unlisted| one.extension == *extension;
        let named = self.unlisted.iter().filter(here).cloned();
        let of = |key: &EventKey| Unlisted {
            extension: key.extension.clone(),
            id: Foreign::from(key.id.as_str()),
        };
        let known = self.surplus.iter().filter(|key| key.extension == *extension).map(of);
        let named: Vec<Unlisted> = named.chain(known).collect();
        if named.is_empty() {
            return named;
        }
        let rows = (0..listing.len()).filter_map(|row| listing.row(row));
        let ids: BTreeSet<&str> = rows.map(|row| row.id()).collect();
        named.into_iter().filter(|one| ids.contains(one.id.raw())).collect()
    }

    /// Takes in what listings have shown of what went beside the plan, and of what did not.
    pub(super) fn correct(
        &mut self,
        surplus: Vec<EventKey>,
        strange: Vec<EventKey>,
        still_there: Vec<Unlisted>,
    ) {
        let there = |extension: &ExtensionNumber, id: &str| {
            still_there.iter().any(|it| it.extension == *extension && it.id.raw() == id)
        };
        self.surplus.retain(|key| !there(&key.extension, key.id.as_str()));
        self.unlisted.retain(|it| !there(&it.extension, it.id.raw()));
        self.surplus.extend(surplus);
        self.strange.extend(strange);
        self.still_there.extend(still_there);
    }

    /// Why it is not known whether an event went with a wide call.
    fn swept_by_now(&self, extension: &ExtensionNumber) -> Option<Failure> {
        let why = "an earlier call on this extension may have taken it";
        self.swept.contains(extension).then(|| Failure::new(Cause::NoAnswer, why))
    }

    /// What was there in the review and went beside a wide call of this run was not gone before it.
    fn claim(&self, extension: &ExtensionNumber, outcome: &mut Outcome) {
        if *outcome == Outcome::AlreadyGone && self.swept.contains(extension) {
            *outcome = Outcome::DELETED;
        }
    }
}

/// Compares the events that a wide call covers with all that it would remove.
fn compare(planned: &[PhoneCallEvent], delete: &DeleteCall, now: &Listed<'_>) -> Verdict {
    let (extension, listing) = (delete.extension(), now.all());
    let complete = listing.is_complete_for_wide();
    let events: Vec<_> = planned.iter().map(|event| difference(event, now)).collect();
    let in_reach = match delete {
        DeleteCall::Event(_) => planned.len(),
        DeleteCall::Type(_, event_type) => listing.rows_of(*event_type).len(),
        DeleteCall::Extension(_) => listing.len(),
    };
    let lost = planned.iter().filter(|event| !now.lists(&event.key)).count();
    let changed = events.iter().flatten().count();
    let appeared = (in_reach + lost).saturating_sub(planned.len());
    if complete && lost + changed + appeared == 0 {
        return Verdict::AsReviewed;
    }
    let difference = if complete {
        let parts = [(appeared, "appeared"), (changed, "changed"), (lost, "gone")];
        let said = parts.iter().filter(|(count, _)| *count > 0);
        said.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    } else {
        let why = listing.why_incomplete();
        why.unwrap_or_else(|| "the PBX does not show where the list ends".to_owned())
    };
    let remark = format!(
        "{extension} changed since the review ({difference}): event calls in place of a wide one"
    );
    Verdict::Differs { events, remark }
}

/// Whether everything listed is in the run file, just as it is: a call for one type may take it all.
fn all_known(plan: &Plan, delete: &DeleteCall, listing: &Listing) -> bool {
    let DeleteCall::Type(extension, _) = delete else { return true };
    let planned = plan.events().get(plan.events_of(extension)).unwrap_or_default();
    let mut known: Vec<&PhoneCallEvent> =
        planned.iter().chain(plan.bystanders(extension)).collect();
    known.sort_by(|a, b| a.key.cmp(&b.key));
    listing.odd().is_empty()
        && (0..listing.len()).filter_map(|row| listing.row(row)).all(|row| {
            let now = row.to_event();
            let place = known.binary_search_by(|event| event.key.cmp(&now.key));
            place.ok().and_then(|place| known.get(place)).is_some_and(|event| **event == now)
        })
}

/// What an event that a listing no longer shows as it was reviewed ends as, without a call.
pub(super) fn difference(event: &PhoneCallEvent, now: &Listed<'_>) -> Option<Outcome> {
    match now.row(&event.key) {
        Some(row) if row.to_event() == *event => None,
        Some(_) => Some(withheld("changed since the review: look at it and review it again")),
        None if now.lists(&event.key) => Some(withheld(
            "listed twice with different contents: which of them would go is not known",
        )),
        // One list proves no absence: the answer tells.
        None => None,
    }
}

/// An event whose extension could not be listed before its call.
pub(super) fn unlisted(failure: &Failure) -> Outcome {
    let message = format!("not sent, as the extension could not be listed first: {failure}");
    let (http_status, code) = (failure.http_status, failure.code.clone());
    Outcome::NotSent(Failure { http_status, code, ..Failure::new(Cause::Withheld, message) }.into())
}

fn withheld(why: &str) -> Outcome {
    Outcome::NotSent(Failure::new(Cause::Withheld, why).into())
}
