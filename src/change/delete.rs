//! What only a deletion has: a wide call is compared with a listing of a moment ago, event calls
//! take its place where it would not remove just what was reviewed, and what went beside the plan is
//! surplus.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{
    Cause, DeleteCall, EventKey, ExtensionNumber, Failure, Listing, Outcome, PhoneCallEvent,
};

use super::Plan;
use super::ledger::Ledger;
use super::verification::{Findings, gone_beside, is_answered, settled_by_listing};

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
    /// What was listed in the review, was not planned, and is gone.
    pub(super) surplus: Vec<EventKey>,
}

/// What a fresh listing says of a wide call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The call would remove what was reviewed and nothing else.
    AsReviewed,
    /// It would not: every event gets a call of its own, or the outcome it has already.
    Differs {
        /// One for each planned event, in their order.
        events: Vec<Option<Outcome>>,
        /// What an operator is told.
        remark: String,
    },
}

impl Deletes {
    /// Whether an extension was listed so long ago that its events may be others by now.
    pub(super) fn is_old(&self, extension: &ExtensionNumber, now: Duration) -> bool {
        let listed = self.listed.get(extension).copied().unwrap_or(self.reviewed);
        now.saturating_sub(listed) > FRESH
    }

    /// An extension was listed.
    pub(super) fn saw(&mut self, extension: &ExtensionNumber, now: Duration) {
        self.listed.insert(extension.clone(), now);
    }

    /// A wide call was answered so.
    pub(super) fn answered(&mut self, extension: &ExtensionNumber, outcomes: &[Outcome]) {
        let took = |outcome: &Outcome| matches!(outcome, Outcome::Deleted | Outcome::Unknown(_));
        if outcomes.iter().any(took) {
            self.swept.insert(extension.clone());
        }
    }

    /// Whether a wide call may go out. `doubt` is what an earlier attempt ended with that may have
    /// been carried out.
    pub(super) fn guard(
        &self,
        planned: &[PhoneCallEvent],
        delete: &DeleteCall,
        doubt: Option<&Failure>,
        result: Result<&Listing, &Failure>,
    ) -> Verdict {
        match (result, doubt) {
            (Ok(listing), _) => match compare(planned, delete, listing) {
                Verdict::Differs { mut events, remark } => {
                    for outcome in events.iter_mut().flatten() {
                        self.claim(delete.extension(), outcome);
                    }
                    Verdict::Differs { events, remark }
                }
                as_reviewed @ Verdict::AsReviewed => as_reviewed,
            },
            (Err(failure), None) => {
                let outcome = unlisted(failure);
                let remark = outcome.failure().map(ToString::to_string).unwrap_or_default();
                Verdict::Differs { events: vec![Some(outcome); planned.len()], remark }
            }
            // It went out before, and nobody saw what it did.
            (Err(failure), Some(doubt)) => {
                let remark =
                    format!("not sent again, as the extension could not be listed: {failure}");
                let outcome = Outcome::Unknown(doubt.clone());
                Verdict::Differs { events: vec![Some(outcome); planned.len()], remark }
            }
        }
    }

    /// What a listing after all calls says against their answers.
    pub(super) fn find(
        &self,
        plan: &Plan,
        extension: &ExtensionNumber,
        ledger: &Ledger,
        listing: &Listing,
    ) -> Findings {
        let beside = gone_beside(plan.bystanders(extension), listing).collect();
        // Calls that name their event take no other.
        let (surplus, strange) = if self.swept.contains(extension) {
            (beside, Vec::new())
        } else {
            (Vec::new(), beside)
        };
        let mut findings = Findings { surplus, strange, ..Findings::default() };
        for place in plan.events_of(extension) {
            let (Some(event), Some(so_far)) = (plan.events().get(place), ledger.get(place)) else {
                continue;
            };
            let Some(mut better) = settled_by_listing(&event.key, so_far, listing) else {
                continue;
            };
            self.claim(extension, &mut better);
            findings.differs |= is_answered(so_far);
            findings.corrected.push((place, better));
        }
        findings
    }

    /// What was there in the review and went beside a wide call of this run was not gone before it.
    fn claim(&self, extension: &ExtensionNumber, outcome: &mut Outcome) {
        if *outcome == Outcome::AlreadyGone && self.swept.contains(extension) {
            *outcome = Outcome::Deleted;
        }
    }
}

/// Compares the events that a wide call covers with all that it would remove.
fn compare(planned: &[PhoneCallEvent], delete: &DeleteCall, listing: &Listing) -> Verdict {
    let extension = delete.extension();
    let complete = listing.is_complete_for_wide();
    let events: Vec<_> = planned.iter().map(|event| difference(event, listing)).collect();
    let in_reach = match delete {
        DeleteCall::Event(_) => planned.len(),
        DeleteCall::Type(_, event_type) => listing.rows_of(*event_type).len(),
        DeleteCall::Extension(_) => listing.len(),
    };
    let lost = events.iter().filter(|outcome| **outcome == Some(Outcome::AlreadyGone)).count();
    let changed = events.iter().flatten().count() - lost;
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
        "{extension} is not what was reviewed ({difference}): event calls in place of a wide one"
    );
    Verdict::Differs { events, remark }
}

/// What an event that a listing no longer shows as it was reviewed ends as, without a call.
pub(super) fn difference(event: &PhoneCallEvent, listing: &Listing) -> Option<Outcome> {
    match listing.find(&event.key).and_then(|row| listing.row(row)) {
        Some(row) if row.to_event() == *event => None,
        Some(_) => Some(withheld("changed since the review: look at it and review it again")),
        None if listing.lists(&event.key) => Some(withheld(
            "listed twice with different contents: nobody knows which of them would go",
        )),
        None => listing.is_complete().then_some(Outcome::AlreadyGone),
    }
}

/// An event whose extension could not be listed before its call.
pub(super) fn unlisted(failure: &Failure) -> Outcome {
    withheld(&format!("not sent, as the extension could not be listed first: {failure}"))
}

fn withheld(why: &str) -> Outcome {
    Outcome::NotSent(Failure::new(Cause::Withheld, why))
}
