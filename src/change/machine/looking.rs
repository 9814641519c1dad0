//! What a listing before a call says: what is not as it was reviewed is not sent, and event calls take
//! the place of a wide one.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::{Machine, Request, RunState, Slot, Stage};
use crate::change::RunCall;
use crate::change::create::{Creates, Looked};
use crate::change::delete::{Verdict, difference, unlisted};
use crate::change::listed::Listed;
use crate::change::plan::{Plan, Verb};
use crate::change::rules::Rules;
use crate::change::wide::Trial;
use crate::domain::{Call, ExtensionNumber, Failure, Listing, Outcome};

impl Machine {
    /// An extension was listed before one of its calls.
    pub(super) fn guard(&mut self, id: usize, result: Result<&Listing, &Failure>) {
        match (self.slots.get(id), result) {
            (Some(slot), _) if matches!(slot.stage, Stage::Replaced) => {}
            (Some(slot), _) if slot.verb.is_wide() => self.guard_wide(id, result),
            (Some(slot), Ok(listing)) => {
                self.look_again(slot.covers.clone(), listing);
                self.rules.clears(id);
                self.traffic.add_first(Request::Call(id));
            }
            (Some(slot), Err(failure)) => self.withhold(slot.covers.start, unlisted(failure)),
            (None, _) => {}
        }
    }

    /// A wide call goes out only where the extension is exactly as it was reviewed.
    pub(super) fn guard_wide(&mut self, id: usize, result: Result<&Listing, &Failure>) {
        let Some(RunCall { call: Call::Delete(delete), covers, .. }) = self.call(id) else {
            return;
        };
        let (Some(deletes), Some(slot)) = (self.rules.deletes_mut(), self.slots.get_mut(id)) else {
            return;
        };
        let (plan, doubt) = (Arc::clone(&self.plan), slot.doubt.clone());
        let planned = plan.events().get(covers.clone()).unwrap_or_default();
        // An attempt without an answer may have been the first.
        let out = matches!(deletes.trial, Trial::Out { .. }) && doubt.is_some();
        let (events, remark) =
            match deletes.guard(&plan, planned, &delete, doubt.as_deref(), result) {
                Verdict::AsReviewed => {
                    if let (Ok(listing), false) = (result, out) {
                        deletes.goes_first(planned, &delete, listing);
                    }
                    slot.stage = Stage::Guarded;
                    self.traffic.add_first(Request::Call(id));
                    return;
                }
                Verdict::Differs { events, remark } => (events, remark),
            };
        slot.stage = Stage::Replaced;
        if !out && matches!(deletes.trial, Trial::Out { .. }) {
            deletes.trial = Trial::Open;
        }
        let first = self.slots.len();
        for (event, outcome) in covers.zip(events) {
            if let Some(outcome) = outcome {
                self.ledger.revise(event, outcome);
                continue;
            }
            if let Some(slot) = self.slot_of.get_mut(event) {
                *slot = self.slots.len();
            }
            let slot = Slot::of(Verb::DeleteEvent, event..event + 1);
            self.slots.push(Slot { doubt: doubt.clone(), ..slot });
        }
        for id in (first..self.slots.len()).rev() {
            self.traffic.add_first(Request::Call(id));
        }
        self.remarks.extend(Some(remark).filter(|remark| !remark.is_empty()));
        if out {
            self.try_out(delete.extension(), result.ok());
        }
    }

    /// What the first type call took is looked for before anything else goes out.
    pub(super) fn look_behind(&mut self, id: usize) {
        let acted = self.outcomes_of(id).iter().flatten().any(Outcome::may_have_taken);
        let is_wide = self.slots.get(id).is_some_and(|slot| slot.verb == Verb::DeleteType);
        let Some(deletes) = self.rules.deletes_mut().filter(|_| is_wide) else { return };
        if let Trial::Out { extension, .. } = &deletes.trial {
            if !acted {
                deletes.trial = Trial::Open;
            } else if self.state != RunState::Stopping {
                self.traffic.add(Request::Listing(extension.clone()));
            }
        }
    }

    /// What the first type call took, by a listing behind it. Where it took other types, the operator
    /// is to look at it before anything more goes out.
    pub(super) fn try_out(&mut self, extension: &ExtensionNumber, listing: Option<&Listing>) {
        let Some(deletes) = self.rules.deletes_mut() else { return };
        self.remarks.extend(deletes.try_out(&self.plan, extension, listing));
        if deletes.took_too_much {
            self.pause();
        }
    }

    /// Of the extension of these events, what is not as it was reviewed is not sent.
    pub(super) fn look_again(&mut self, events: Range<usize>, listing: &Listing) {
        let plan = Arc::clone(&self.plan);
        let Some(event) = plan.events().get(events.start) else { return };
        let extension = &event.key.extension;
        let (mut changed, now) = (0, Listed::of(listing));
        for place in plan.events_of(extension) {
            let differs = plan.events().get(place).and_then(|event| difference(event, &now));
            let slot = self.slot_of.get(place).and_then(|id| self.slots.get(*id));
            let waits = slot.is_some_and(|slot| {
                !slot.verb.is_wide() && matches!(slot.stage, Stage::Waiting | Stage::Again(_))
            });
            if let (true, Some(outcome)) = (waits, differs) {
                // A call of this run that had no clear answer may have done it.
                let went = slot.is_some_and(|slot| matches!(slot.stage, Stage::Again(_)));
                let is_own = went && is_as_wanted(&plan, place, listing);
                changed += usize::from(outcome.failure().is_some() && !is_own);
                self.withhold(place, outcome);
            }
        }
        if changed > 0 {
            let events = if changed == 1 { "event" } else { "events" };
            let remark =
                format!("{extension}: {changed} {events} changed since the review: not sent");
            self.remarks.push(remark);
        }
    }

    /// An event has an outcome without its call; that of a call that went out stands.
    pub(super) fn withhold(&mut self, event: usize, outcome: Outcome) {
        let Some(id) = self.slot_of.get(event).copied() else { return };
        let Some(slot) = self.slots.get(id) else { return };
        if matches!(slot.stage, Stage::Again(_)) {
            self.give_up(id);
            // It was made, whatever was answered.
            if outcome.new_id().is_some() {
                self.revise(event, outcome);
            }
        } else {
            self.ledger.revise(event, outcome);
            self.set_stage(id, Stage::Replaced);
        }
    }

    /// What a listing before all calls settles is not sent.
    pub(super) fn look(
        &mut self,
        extension: &ExtensionNumber,
        result: Result<&Listing, &Failure>,
        asked: Duration,
        now: Duration,
    ) {
        let plan = Arc::clone(&self.plan);
        let events = plan.events_of(extension);
        match (&mut self.rules, result) {
            (Rules::Create(creates), _) => {
                let waits = |place: &usize| {
                    let slot = self.slot_of.get(*place).and_then(|id| self.slots.get(*id));
                    slot.is_some_and(Slot::waits)
                };
                let outcomes = events.clone().filter_map(|place| self.ledger.get(place));
                let made = outcomes.filter_map(Outcome::new_id).cloned().collect();
                let places: Vec<usize> = events.filter(waits).collect();
                match creates.look(&plan, (&places, &made), (extension, result), asked) {
                    Looked::Sure(outcomes) => {
                        for (event, outcome) in outcomes {
                            self.withhold(event, outcome);
                        }
                    }
                    Looked::Again(at) => {
                        let what = "an earlier request may still change it: listed again soon";
                        let remark = format!("{extension}: {what}");
                        if !self.remarks.contains(&remark) {
                            self.remarks.push(remark);
                        }
                        self.traffic.add_at(at, Request::Listing(extension.clone()));
                    }
                }
            }
            (Rules::Delete(_), _) if plan.rest().is_none() => {
                self.try_out(extension, result.ok());
            }
            (rules @ (Rules::Delete(_) | Rules::Update(_)), Ok(listing)) => {
                rules.saw(extension, listing, now);
                self.look_again(events, listing);
                if listing.is_complete() {
                    self.believe(extension, listing, asked);
                }
            }
            (Rules::Delete(_) | Rules::Update(_), Err(failure)) => {
                self.remarks.push(format!("{extension} could not be listed: {failure}"));
                // It would be refused once more.
                if failure.is_refusal() {
                    self.checking.given_up.insert(extension.clone());
                }
                for event in events {
                    let outcome = self.before(event).unwrap_or_else(|| unlisted(failure));
                    match self.ledger.get(event) {
                        Some(Outcome::NotSent(_)) => self.ledger.revise(event, outcome),
                        Some(_) => {}
                        None => self.withhold(event, outcome),
                    }
                }
            }
        }
    }

    /// What became of an event before this run was gone on with, where a call for it went out.
    pub(super) fn before(&self, event: usize) -> Option<Outcome> {
        let outcome = self.plan.rest()?.outcomes.get(event)?;
        (!matches!(outcome, Outcome::NotSent(_))).then(|| outcome.clone())
    }

    /// Takes note of a call that is looked for and sent again once nothing else is left.
    pub(super) fn puts_off(&mut self, id: usize, refusal: Option<&Failure>) -> bool {
        let goes_on = matches!(self.state, RunState::Running | RunState::Paused);
        goes_on && refusal.is_some_and(|why| self.rules.puts_off(id, why))
    }

    /// Whether what is listed now is listed between POSTs that were put off and are sent again.
    pub(super) fn is_between_posts(&self) -> bool {
        let gone_back = self.rules.creates().is_some_and(Creates::has_gone_back);
        gone_back && self.state != RunState::Verifying
    }

    /// Once nothing else is left, what was put off is looked for.
    pub(super) fn go_back(&mut self) {
        let Some(creates) = self.rules.creates_mut() else { return };
        let covers = creates.put_off.iter().filter_map(|id| self.slots.get(*id));
        let covers = covers.filter(|slot| slot.waits());
        let events = covers.filter_map(|slot| self.plan.events().get(slot.covers.start));
        let extensions: BTreeSet<&ExtensionNumber> =
            events.map(|event| &event.key.extension).collect();
        if extensions.is_empty() {
            return;
        }
        let touched = |it: &ExtensionNumber| self.checking.touched.get(it);
        let from: Vec<(ExtensionNumber, Duration)> = extensions
            .into_iter()
            .map(|it| (it.clone(), touched(it).map_or(Duration::ZERO, |it| it.settled_from)))
            .collect();
        for (extension, from) in &from {
            self.traffic.add_at(*from, Request::Listing(extension.clone()));
        }
        creates.go_back(from);
        self.looking = true;
        let what = "what was refused for the moment is sent again where no list shows it";
        self.remarks.push(what.to_owned());
    }
}

/// Whether an event that is to be changed is listed as it is to be.
fn is_as_wanted(plan: &Plan, place: usize, listing: &Listing) -> bool {
    let (Some(event), Some(want)) = (plan.events().get(place), plan.want(place)) else {
        return false;
    };
    let row = listing.find(&event.key).and_then(|row| listing.row(row));
    row.is_some_and(|row| want.applied_to(event).differing(&row.to_event()).is_empty())
}
