//! What only a change of fields has: an extension is listed just before its calls, what is not as it
//! was reviewed is not sent, and what became of a PUT is seen in a listing, also under another id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{
    Cause, EventId, EventKey, ExtensionNumber, Failure, Foreign, Listing, Outcome, PhoneCallEvent,
    Success,
};

use super::Plan;
use super::delete::FRESH;
use super::ledger::SoFar;
use super::listed::Listed;
use super::values::{Strayed, under_new_ids};
use super::verification::{Findings, beside};

/// A call may rest on a listing of this age.
const JUST_BEFORE: Duration = Duration::from_secs(2);

/// What is known of the extensions on which events are changed.
#[derive(Debug)]
pub(super) struct Updates {
    /// What a call comes to whose event is as it was to be.
    success: Success,
    /// Calls whose own listing let them go: however slow the service is asked, that is not asked again.
    cleared: BTreeSet<usize>,
    /// When each was listed last.
    listed: BTreeMap<ExtensionNumber, Duration>,
    /// What was there before its first call.
    before: BTreeMap<ExtensionNumber, BTreeSet<EventKey>>,
}

impl Updates {
    pub(super) fn new(success: Success) -> Self {
        let cleared = BTreeSet::new();
        Self { success, cleared, listed: BTreeMap::new(), before: BTreeMap::new() }
    }

    /// Whether an extension is to be listed before this call.
    pub(super) fn is_old(&self, call: usize, extension: &ExtensionNumber, now: Duration) -> bool {
        let most = if self.cleared.contains(&call) { FRESH } else { JUST_BEFORE };
        let listed = self.listed.get(extension);
        listed.is_none_or(|listed| now.saturating_sub(*listed) > most)
    }

    /// A listing that was asked for this call lets it go.
    pub(super) fn clear(&mut self, call: usize) {
        self.cleared.insert(call);
    }

    /// A call goes out: once more it needs a listing of its own.
    pub(super) fn sends(&mut self, call: usize) {
        self.cleared.remove(&call);
    }

    /// An extension was listed.
    pub(super) fn saw(&mut self, extension: &ExtensionNumber, listing: &Listing, now: Duration) {
        self.listed.insert(extension.clone(), now);
        self.before.entry(extension.clone()).or_insert_with(|| {
            (0..listing.len()).filter_map(|row| Some(listing.row(row)?.key())).collect()
        });
    }

    /// A call had no clear answer: before it goes out again its extension is listed.
    pub(super) fn doubts(&mut self, extension: &ExtensionNumber) {
        self.listed.remove(extension);
    }

    /// What a listing after all calls says against their answers.
    pub(super) fn find(
        &self,
        plan: &Plan,
        extension: &ExtensionNumber,
        so_far: &SoFar<'_>,
        now: &Listed<'_>,
    ) -> Findings {
        let listing = now.all();
        let (strange, edited) = beside(plan.bystanders(extension), now);
        let mut findings = Findings { strange, edited, ..Findings::default() };
        let (mut strayed, mut taken) = (Vec::new(), BTreeSet::new());
        let known = self.known(plan, extension);
        for place in plan.events_of(extension) {
            let (Some(before), Some(change), Some(so_far)) =
                (plan.events().get(place), plan.want(place), so_far.of(place))
            else {
                continue;
            };
            if plan.held(place).is_some() || matches!(so_far, Outcome::NotSent(_)) {
                continue;
            }
            let to_be = change.applied_to(before);
            let new = so_far.new_id().and_then(|id| EventId::parse(id.raw()).ok());
            // Under its own id it is itself, and an id of another event is none of it.
            let new = new.map(|id| EventKey { id, ..before.key.clone() });
            let new = new.filter(|key| !known.contains(key));
            match [&before.key].into_iter().chain(&new).find_map(|key| now.find(key)) {
                Some(row) => {
                    taken.insert(row);
                    let Some(row) = listing.row(row).map(|row| row.to_event()) else { continue };
                    let better = self.as_listed(before, &to_be, &row, so_far);
                    findings.unsure |= is_unsure(&better);
                    findings.take(place, so_far, better);
                }
                None if listing.is_complete() => strayed.push(Strayed { place, before, to_be }),
                None => {}
            }
        }
        self.look_for(strayed, &taken, &known, (so_far, listing), &mut findings);
        findings
    }

    /// What was there before the first call.
    fn known<'a>(&'a self, plan: &'a Plan, extension: &ExtensionNumber) -> BTreeSet<&'a EventKey> {
        let planned = plan.events().get(plan.events_of(extension)).unwrap_or_default();
        let known = planned.iter().chain(plan.bystanders(extension)).map(|event| &event.key);
        // What a run that is gone on with lists first may be its own work already.
        let before = self.before.get(extension).filter(|_| plan.rest().is_none());
        known.chain(before.into_iter().flatten()).collect()
    }

    /// Events that are no longer listed under their ids are looked for under new ones.
    fn look_for(
        &self,
        strayed: Vec<Strayed<'_>>,
        taken: &BTreeSet<usize>,
        known: &BTreeSet<&EventKey>,
        (so_far, listing): (&SoFar<'_>, &Listing),
        findings: &mut Findings,
    ) {
        if strayed.is_empty() {
            return;
        }
        let rows = (0..listing.len()).filter(|row| !taken.contains(row));
        let rows = rows.filter_map(|row| listing.row(row)).map(|row| row.to_event());
        let rows: Vec<PhoneCallEvent> = rows.filter(|row| !known.contains(&row.key)).collect();
        let renamed = under_new_ids(&strayed, &rows);
        for Strayed { place, before, to_be } in strayed {
            let Some(so_far) = so_far.of(place) else { continue };
            let row = renamed.get(&place).and_then(|row| rows.get(*row));
            let better = match (row, so_far) {
                (Some(row), _) => self.as_listed(before, &to_be, row, so_far),
                (None, Outcome::Refused(failure)) => {
                    Outcome::Unknown(failure.saying("refused, yet no longer listed").into())
                }
                (None, Outcome::Unknown(_) | Outcome::NotSent(_)) => so_far.clone(),
                (None, Outcome::Done(..) | Outcome::Altered { .. } | Outcome::AlreadyGone) => {
                    let why =
                        "no longer listed under its id, and nothing there can be told to be it";
                    Outcome::Unknown(Failure::new(Cause::Unreadable, why).into())
                }
            };
            findings.take(place, so_far, better);
        }
    }

    /// The outcome of an event that is listed so.
    fn as_listed(
        &self,
        before: &PhoneCallEvent,
        to_be: &PhoneCallEvent,
        row: &PhoneCallEvent,
        so_far: &Outcome,
    ) -> Outcome {
        let id = (row.key.id != before.key.id).then(|| Foreign::from(row.key.id.as_str()));
        let (fields, since) = (to_be.differing(row), before.differing(row));
        let wanted = before.differing(to_be);
        let is_untouched = id.is_none() && wanted.iter().all(|field| !since.contains(field));
        let refused = matches!(so_far, Outcome::Refused(_));
        if refused && is_untouched {
            return so_far.clone();
        }
        match so_far.failure() {
            Some(failure) if refused && fields.is_empty() => {
                Outcome::Unknown(failure.saying("refused, yet changed").into())
            }
            Some(_) | None if fields.is_empty() => Outcome::Done(self.success, id),
            Some(failure) if id.is_none() && since.is_empty() => {
                Outcome::Refused(failure.saying(AS_IT_WAS).into())
            }
            None if id.is_none() && since.is_empty() => {
                let reported = Failure::new(Cause::Unreadable, "the service reported it changed");
                Outcome::Refused(reported.saying(AS_IT_WAS).into())
            }
            Some(_) | None => Outcome::Altered { id, fields },
        }
    }
}

const AS_IT_WAS: &str = "it is listed as it was";

/// A refusal that proves little, of an event that is listed as it was: a list that lags would say
/// the same.
fn is_unsure(outcome: &Outcome) -> bool {
    let refused = matches!(outcome, Outcome::Refused(_));
    outcome.failure().is_some_and(|failure| refused && failure.proves_little())
}
