//! What listing again says of a run: the service's list has the last word, and one that says
//! otherwise than the answers did is believed once it says so twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Machine, Request, RunState, Stage};
use crate::change::Plan;
use crate::change::ledger::SoFar;
use crate::change::listed::Listed;
use crate::change::twice::{APART, Belief, CAUGHT_UP, Twice};
use crate::change::verification::{Check, Findings};
use crate::change::wide::names_too_little;
use crate::domain::{EventKey, ExtensionNumber, Failure, Listing};

/// How far what was sent is checked by listing again.
#[derive(Debug, Default)]
pub(super) struct Checking {
    /// Extensions on which something was sent and which are not checked.
    pub(super) touched: BTreeMap<ExtensionNumber, Touched>,
    /// How many were checked.
    pub(super) done: usize,
    /// A list said otherwise than a clear answer.
    pub(super) differs: bool,
    /// Extensions that the closing listings are for, how many, and those whose list proved nothing.
    pub(super) all: usize,
    pub(super) given_up: BTreeSet<ExtensionNumber>,
}

impl Checking {
    /// Of a run that is gone on with all of it that was not checked is.
    pub(super) fn of(plan: &Plan) -> Self {
        let Some(rest) = plan.rest() else { return Self::default() };
        let touched = rest.to_list().map(|extension| (extension.clone(), Touched::default()));
        let was_checked = rest.check.is_whole();
        Self {
            touched: touched.collect(),
            done: usize::from(was_checked),
            differs: rest.check == Check::Differs,
            ..Self::default()
        }
    }

    pub(super) fn settled_from(&mut self, from: Duration) {
        self.touched.values_mut().for_each(|touched| touched.settled_from = from);
    }

    pub(super) fn result(&self) -> Check {
        match (self.touched.len(), self.done) {
            (0, 0) => Check::NothingSent,
            (_, 0) => Check::NotChecked,
            // What a list of one extension said vouches for no other.
            (1.., _) => Check::InPart,
            (0, _) if self.differs => Check::Differs,
            (0, _) => Check::Agrees,
        }
    }
}

/// An extension on which something was sent.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// What was listed before may lag.
    pub(super) settled_from: Duration,
    /// What listings said against the answers.
    pub(super) doubt: Option<Box<Twice<Findings>>>,
}

impl Machine {
    /// What the service lists has the last word; where it says otherwise than the answers did, once
    /// it says so twice.
    pub(super) fn verify(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<&Listing, &Failure>,
        asked: Duration,
    ) {
        let why = match result {
            Ok(listing) if listing.is_complete() => return self.believe(extension, listing, asked),
            Ok(_) => "its list is not complete".to_owned(),
            Err(failure) => failure.to_string(),
        };
        self.checking.given_up.insert(extension.clone());
        self.remarks.push(format!("{extension} could not be checked: {why}"));
    }

    pub(super) fn believe(
        &mut self,
        extension: &ExtensionNumber,
        listing: &Listing,
        asked: Duration,
    ) {
        if self.rules.deletes().is_some_and(|deletes| deletes.trial.is_out_on(extension)) {
            self.try_out(extension, Some(listing));
        }
        let before = self.plan.rest().map(Arc::as_ref);
        let so_far = SoFar { ledger: &self.ledger, before };
        let now = Listed::of(listing);
        let mut findings = self.rules.find(&self.plan, extension, &so_far, &now);
        // What is there and has a call yet to go is settled by its answer.
        let before_calls = self.state != RunState::Verifying;
        findings.corrected.retain(|(event, _)| {
            let slot = self.slot_of.get(*event).and_then(|id| self.slots.get(*id));
            let waits = slot.is_some_and(|slot| matches!(slot.stage, Stage::Waiting));
            let key = self.plan.events().get(*event).map(|event| &event.key);
            !(before_calls && waits && key.is_some_and(|key| now.lists(key)))
        });
        let Some(touched) = self.checking.touched.get_mut(extension) else { return };
        if findings.is_clean() && touched.doubt.is_none() {
            self.correct(extension, findings);
            return;
        }
        let begins = touched.doubt.is_none();
        let from = touched.settled_from;
        let doubt = touched.doubt.get_or_insert_with(|| Box::new(Twice::from(from)));
        let apart = if findings.is_strange() { CAUGHT_UP } else { APART };
        match doubt.take(findings, asked, apart) {
            Belief::Sure(findings) => self.correct(extension, findings),
            Belief::Again(at) => {
                self.traffic.add_at(at, Request::Listing(extension.clone()));
                if begins {
                    let what = "is listed otherwise than it was answered: listed again soon";
                    self.remarks.push(format!("{extension} {what}"));
                }
            }
            Belief::Never => {
                self.checking.given_up.insert(extension.clone());
                let what = "could not be checked: its lists contradict each other";
                self.remarks.push(format!("{extension} {what}"));
            }
        }
    }

    pub(super) fn correct(&mut self, extension: &ExtensionNumber, findings: Findings) {
        self.tell_of_others(extension, &findings);
        let Findings { added, corrected, surplus, strange, still_there, differs, .. } = findings;
        self.checking.touched.remove(extension);
        self.checking.done += 1;
        self.checking.differs |= differs;
        if let Some(deletes) = self.rules.deletes_mut() {
            deletes.correct(surplus, strange, still_there);
        }
        for (event, outcome) in added.into_iter().chain(corrected) {
            let before = self.ledger.get(event);
            let took_more = before.is_some_and(|before| names_too_little(before, &outcome));
            let id = self.slot_of.get(event).copied().unwrap_or_default();
            let is_wide = self.slots.get(id).is_some_and(|slot| slot.verb.is_wide());
            if let (Some(deletes), true) = (self.rules.deletes_mut(), is_wide && took_more) {
                deletes.silent.insert(id);
            }
            if let Some(slot) = self.slots.get_mut(id)
                && matches!(slot.stage, Stage::Waiting)
            {
                slot.stage = Stage::Replaced;
            }
            self.revise(event, outcome);
        }
    }

    /// What a list shows beside the events of the plan.
    fn tell_of_others(&mut self, extension: &ExtensionNumber, findings: &Findings) {
        let told = [
            (&findings.surplus, "gone, and not in the plan", ""),
            (&findings.strange, "gone, though this run sent nothing for it", ", deleted by others"),
            (&findings.edited, "not in the plan, and changed meanwhile", ", by others or the PBX"),
            (&findings.more, "new, and not in the plan", ", made by others or the PBX"),
        ];
        for (keys, what, by) in told.into_iter().filter(|(keys, ..)| !keys.is_empty()) {
            self.remarks.push(format!("{extension}, {what}: {}{by}", named(keys)));
        }
    }
}

/// How many events, and the first of them.
fn named(keys: &[EventKey]) -> String {
    const NAMED: usize = 3;
    let events = if keys.len() == 1 { "event" } else { "events" };
    let first = keys.iter().take(NAMED).map(|key| format!("{} {}", key.event_type, key.id));
    let more = if keys.len() > NAMED { ", …" } else { "" };
    format!("{} {events} ({}{more})", keys.len(), first.collect::<Vec<_>>().join(", "))
}
