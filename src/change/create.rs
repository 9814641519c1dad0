//! What only making has: each extension is listed first, and what is there is not made again; what
//! became of a POST without a clear answer is seen in a listing, and it is never repeated blindly.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Cause, EventKey, ExtensionNumber, Failure, Foreign, Listing, Outcome, PhoneCallEvent,
};

use super::Plan;
use super::ledger::Ledger;
use super::past::Past;
use super::verification::{Findings, is_answered};

/// What is known of the extensions on which events are made: what was there before, by extension.
#[derive(Debug, Default)]
pub(super) struct Creates {
    before: BTreeMap<ExtensionNumber, BTreeSet<EventKey>>,
}

impl Creates {
    /// What a listing says before anything is made: the outcome of each planned event of the
    /// extension that is not to be made.
    pub(super) fn look(
        &mut self,
        plan: &Plan,
        extension: &ExtensionNumber,
        result: Result<&Listing, &Failure>,
    ) -> Vec<(usize, Outcome)> {
        let why = match result {
            Ok(listing) if listing.is_all_there_is_to_see() => {
                self.before.insert(extension.clone(), keys(listing));
                return there(plan, extension, listing);
            }
            Ok(_) => "its list is not complete, so that nobody can tell what is there".to_owned(),
            Err(failure) => failure.to_string(),
        };
        let message = format!("not made, as the extension could not be listed first: {why}");
        let outcome = Outcome::NotSent(Failure::new(Cause::Withheld, message));
        plan.events_of(extension).map(|event| (event, outcome.clone())).collect()
    }

    /// What a listing after all calls says against their answers: what is listed now and was not
    /// before was made.
    pub(super) fn find(
        &self,
        plan: &Plan,
        extension: &ExtensionNumber,
        ledger: &Ledger,
        listing: &Listing,
    ) -> Findings {
        let before = self.before.get(extension);
        let told = |event: usize| ledger.get(event)?.new_id().map(Foreign::raw);
        let ids: BTreeSet<&str> = plan.events_of(extension).filter_map(told).collect();
        let (mut named, mut made) = (BTreeSet::new(), Vec::new());
        for row in (0..listing.len()).filter_map(|row| listing.row(row)) {
            if let Some(id) = ids.get(row.id()) {
                named.insert(*id);
            } else if before.is_none_or(|before| !before.contains(&row.key())) {
                made.push(row.to_event());
            }
        }
        // Of two that are the same, the one that was confirmed is the one that is there.
        let is_confirmed = |event: &usize| matches!(ledger.get(*event), Some(Outcome::Restored(_)));
        let (confirmed, others): (Vec<usize>, Vec<usize>) =
            plan.events_of(extension).partition(is_confirmed);
        let mut findings = Findings::default();
        for event in confirmed.into_iter().chain(others) {
            if told(event).is_some_and(|id| named.contains(id)) {
                continue;
            }
            let (Some(planned), Some(outcome)) = (plan.events().get(event), ledger.get(event))
            else {
                continue;
            };
            let Some(better) = found(planned, outcome, &mut made, listing) else { continue };
            if matches!((outcome, &better), (Outcome::Restored(None), Outcome::Restored(Some(_)))) {
                findings.added.push((event, better));
                continue;
            }
            findings.differs |= is_answered(outcome);
            findings.corrected.push((event, better));
        }
        findings
    }
}

/// The planned events that are there already.
fn there(plan: &Plan, extension: &ExtensionNumber, listing: &Listing) -> Vec<(usize, Outcome)> {
    let nothing = Past::default();
    let past = plan.past.as_ref().unwrap_or(&nothing);
    let rows = (0..listing.len()).filter_map(|row| listing.row(row));
    let strangers = rows.filter(|row| !past.known.contains(&row.key()));
    let mut unseen: Vec<PhoneCallEvent> = strangers.map(|row| row.to_event()).collect();
    for made in past.unnamed.iter().filter(|made| made.key.extension == *extension) {
        let _stands_for_itself = take_same(&mut unseen, made);
    }
    let mut there = Vec::new();
    for place in plan.events_of(extension) {
        let Some(event) = plan.events().get(place) else { continue };
        let id = if listing.find(&event.key).is_some() {
            Some(Foreign::from(event.key.id.as_str()))
        } else if past.suspects.contains(&event.key) {
            take_same(&mut unseen, event)
        } else {
            None
        };
        there.extend(id.map(|id| (place, Outcome::Restored(Some(id)))));
    }
    there
}

/// What a list after it all says of an event whose POST told no id, or one that is not listed.
fn found(
    planned: &PhoneCallEvent,
    outcome: &Outcome,
    made: &mut Vec<PhoneCallEvent>,
    listing: &Listing,
) -> Option<Outcome> {
    if !matches!(outcome, Outcome::Restored(_) | Outcome::Unknown(_))
        || listing.find(&planned.key).is_some()
    {
        return None;
    }
    if let Some(id) = take_same(made, planned) {
        return Some(Outcome::Restored(Some(id)));
    }
    let said = match (outcome.failure(), outcome.new_id()) {
        (Some(failure), _) => failure.clone(),
        (None, Some(_)) => Failure::new(Cause::Unreadable, "the service reported it made"),
        // A service that changes what it is given may list it in other words.
        (None, None) => return None,
    };
    let message = Foreign::from(format!("{}; it is not listed", said.message.raw()));
    listing.is_complete().then_some(Outcome::Refused(Failure { message, ..said }))
}

fn keys(listing: &Listing) -> BTreeSet<EventKey> {
    (0..listing.len()).filter_map(|row| Some(listing.row(row)?.key())).collect()
}

/// Takes one event out that is the same but for id and time, and tells its id.
fn take_same(events: &mut Vec<PhoneCallEvent>, wanted: &PhoneCallEvent) -> Option<Foreign> {
    let same = |event: &PhoneCallEvent| {
        event.key.event_type == wanted.key.event_type
            && event.method == wanted.method
            && event.url == wanted.url
            && event.note == wanted.note
            && event.status == wanted.status
    };
    let place = events.iter().position(same)?;
    Some(Foreign::from(events.swap_remove(place).key.id.as_str()))
}
