//! What only making has: each extension is listed first, and what is there is not made again; what
//! became of a POST is seen in a listing, and one without a clear answer is never repeated blindly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{
    Cause, EventId, EventKey, ExtensionNumber, Failure, Foreign, Listing, Outcome, PhoneCallEvent,
    Success,
};

use super::Plan;
use super::ledger::{Ledger, SoFar};
use super::listed::Listed;
use super::past::{Like, Look, There, keys_of, may_be_altered, may_stand_for, take_stand_in};
use super::twice::{APART, Belief, Twice};
use super::verification::{Findings, beside};

/// What is known of the extensions on which events are made.
#[derive(Debug, Default)]
pub(super) struct Creates {
    /// What was there before, by extension.
    before: BTreeMap<ExtensionNumber, BTreeMap<EventKey, PhoneCallEvent>>,
    /// Places of planned events that were there before.
    there: BTreeSet<usize>,
    /// When the plan was made, or later.
    pub(super) planned: Duration,
    /// What the lists of extensions in doubt say.
    doubts: BTreeMap<ExtensionNumber, Twice<There>>,
    /// Calls that were refused, as too many came or with a token that is no more: they may have been
    /// carried out all the same.
    pub(super) put_off: BTreeSet<usize>,
    /// How often such calls were gone back to.
    rounds: u32,
}

const NOT_COMPLETE: &str = "its list is not complete, so what is there is not known";

/// So often what was put off is sent again.
const ROUNDS: u32 = 5;

/// What a listing before anything is made comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// The outcome of each planned event of the extension that is not to be made.
    Sure(Vec<(usize, Outcome)>),
    /// List once more at this time: an earlier request may still change the list.
    Again(Duration),
}

impl Creates {
    /// Whether a call that failed so is put off, to be looked for in two lists and sent again where
    /// these do not show it.
    pub(super) fn puts_off(&self, failure: &Failure) -> bool {
        let may_pass = failure.http_status == Some(429) || failure.cause == Cause::Renewed;
        may_pass && self.rounds < ROUNDS
    }

    /// Whether what was put off is looked for or sent again.
    pub(super) fn has_gone_back(&self) -> bool {
        self.rounds > 0
    }

    /// Nothing else is left to be sent: the extensions of what was put off are listed from these
    /// times on.
    pub(super) fn go_back(&mut self, from: impl IntoIterator<Item = (ExtensionNumber, Duration)>) {
        self.rounds += 1;
        let doubts = from.into_iter().map(|(extension, from)| (extension, Twice::from(from)));
        self.doubts.extend(doubts);
    }

    /// What a listing says, asked for at this time, before the planned events in these places are
    /// made; `made` are the ids of what was made there so far.
    pub(super) fn look(
        &mut self,
        plan: &Plan,
        (places, made): (&[usize], &BTreeSet<Foreign>),
        (extension, result): (&ExtensionNumber, Result<&Listing, &Failure>),
        asked: Duration,
    ) -> Looked {
        let why = match result {
            Ok(listing) if listing.is_all_there_is_to_see() => {
                let planned = places.iter();
                let planned = planned.filter_map(|it| Some((*it, plan.events().get(*it)?)));
                let look = plan.past.as_ref().map(|past| past.look(planned, listing));
                let Look { mut there, missing, strangers } = look.unwrap_or_default();
                let held = self.stood_in_for(plan, &missing, &strangers, listing);
                let altered = self.made_otherwise(plan, &missing, (&strangers, made), listing);
                there.extend(altered.iter().map(|(it, outcome)| (*it, outcome.new_id().cloned())));
                match self.believe(plan, extension, there, (listing, asked)) {
                    Belief::Sure(there) => {
                        // What is seen later than that was made by this run.
                        if self.rounds == 0 {
                            self.before.insert(extension.clone(), events(listing));
                            self.there.extend(there.iter().map(|(place, _)| *place));
                        }
                        let exact = there.into_iter().filter(|(it, _)| !altered.contains_key(it));
                        let exact = exact.map(|(it, id)| (it, restored(id)));
                        return Looked::Sure(exact.chain(altered.clone()).chain(held).collect());
                    }
                    Belief::Again(at) => return Looked::Again(at),
                    Belief::Never if listing.is_complete() => {
                        "its lists contradict each other".to_owned()
                    }
                    Belief::Never => NOT_COMPLETE.to_owned(),
                }
            }
            Ok(_) => NOT_COMPLETE.to_owned(),
            Err(failure) => failure.to_string(),
        };
        let message = format!("not re-created, as the extension could not be listed first: {why}");
        let outcome = Outcome::NotSent(Failure::new(Cause::Withheld, message).into());
        Looked::Sure(places.iter().map(|event| (*event, outcome.clone())).collect())
    }

    /// Of what is not there: what something stands in for that came since the plan was made, so that
    /// nobody said yes to making it beside that.
    fn stood_in_for(
        &self,
        plan: &Plan,
        missing: &[usize],
        strangers: &[usize],
        listing: &Listing,
    ) -> Vec<(usize, Outcome)> {
        let Some(past) = plan.past.as_ref().filter(|_| self.rounds == 0) else { return Vec::new() };
        let is_new = |row: &&usize| keys_of(&[**row], listing).all(|key| !past.seen.contains(&key));
        let mut rows: Vec<usize> = strangers.iter().filter(is_new).copied().collect();
        let held = missing.iter().filter_map(|place| {
            let stand_in = take_stand_in(plan.events().get(*place)?, false, &mut rows, listing)?;
            let message = format!("not re-created: it {}", stand_in.words());
            Some((*place, Outcome::NotSent(Failure::new(Cause::Withheld, message).into())))
        });
        held.collect()
    }

    /// Of what was put off and is not there as it was: what came into being since and is very like it. The
    /// call was carried out, whatever its answer said.
    fn made_otherwise(
        &self,
        plan: &Plan,
        missing: &[usize],
        (strangers, made): (&[usize], &BTreeSet<Foreign>),
        listing: &Listing,
    ) -> BTreeMap<usize, Outcome> {
        let Some(before) = self.before.get(listing.extension()).filter(|_| self.rounds > 0) else {
            return BTreeMap::new();
        };
        let rows = strangers.iter().filter_map(|row| Some(listing.row(*row)?.to_event()));
        let is_new = |row: &PhoneCallEvent| {
            !before.contains_key(&row.key) && !made.contains(&Foreign::from(row.key.id.as_str()))
        };
        let mut rows: Vec<PhoneCallEvent> = rows.filter(is_new).collect();
        let mut altered = BTreeMap::new();
        for place in missing {
            let Some(event) = plan.events().get(*place) else { continue };
            if let Some(at) = rows.iter().position(|row| may_be_altered(row, event)) {
                altered.insert(*place, as_listed(event, &rows.swap_remove(at)));
            }
        }
        altered
    }

    /// What is there, once it is sure: in doubt, two complete listings decide.
    fn believe(
        &mut self,
        plan: &Plan,
        extension: &ExtensionNumber,
        there: There,
        (listing, asked): (&Listing, Duration),
    ) -> Belief<There> {
        if let (Some(twice), true) = (self.doubts.get_mut(extension), self.rounds > 0) {
            return if listing.is_complete() {
                twice.take(there, asked, APART)
            } else {
                Belief::Never
            };
        }
        let doubt = plan.past.as_ref().and_then(|past| past.doubts.get(extension));
        let Some(doubt) = doubt else { return Belief::Sure(there) };
        let is_unsure = |(place, id): &(usize, Option<Foreign>)| {
            plan.events().get(*place).is_some_and(|it| doubt.is_about(&it.key, id.as_ref()))
        };
        let begun = self.doubts.contains_key(extension);
        if !begun && !doubt.always && !there.iter().any(is_unsure) {
            return Belief::Sure(there);
        }
        if !listing.is_complete() {
            return Belief::Never;
        }
        let from = self.planned.saturating_add(doubt.wait);
        let twice = self.doubts.entry(extension.clone()).or_insert_with(|| Twice::from(from));
        twice.take(there, asked, APART)
    }

    /// What a listing after all calls says against their answers: what is listed now and was not
    /// before was made, as it is listed.
    pub(super) fn find(
        &self,
        plan: &Plan,
        extension: &ExtensionNumber,
        so_far: &SoFar<'_>,
        now: &Listed<'_>,
    ) -> Findings {
        let listing = now.all();
        let Some(before) = self.before.get(extension) else { return Findings::default() };
        let (strange, edited) = beside(before.values(), now);
        let mut findings = Findings { strange, edited, ..Findings::default() };
        let rows = (0..listing.len()).filter_map(|row| listing.row(row));
        let rows = rows.filter(|row| !before.contains_key(&row.key())).map(|row| row.to_event());
        let rows: Vec<PhoneCallEvent> = rows.collect();
        let mut made = Made::of(&rows);
        let mut open: Vec<(usize, &PhoneCallEvent, &Outcome)> = plan
            .events_of(extension)
            .filter(|place| !self.there.contains(place))
            .filter_map(|place| Some((place, plan.events().get(place)?, so_far.of(place)?)))
            .filter(|(.., outcome)| !matches!(outcome, Outcome::NotSent(_)))
            .collect();
        let asked_for: Vec<&PhoneCallEvent> = open.iter().map(|(_, event, _)| *event).collect();
        // Of two that are the same, the one that was confirmed is the one that is there.
        open.sort_by_key(|(.., outcome)| outcome.failure().is_some());
        for find in [Made::by_id, Made::by_likeness, Made::by_resemblance] {
            open.retain(|&(place, event, outcome)| {
                let row = find(&mut made, event, outcome).and_then(|row| rows.get(row));
                let Some(row) = row else { return true };
                findings.take(place, outcome, as_listed(event, row));
                false
            });
        }
        for (place, _, outcome) in open.into_iter().filter(|_| listing.is_complete()) {
            if let Some(better) = not_listed(outcome) {
                findings.take(place, outcome, better);
            }
        }
        self.tell_of_those_before(plan, so_far, &mut findings);
        let more = made.left.iter().filter_map(|row| rows.get(*row));
        for row in more {
            // One more of a kind that was asked for is no answer that agrees.
            findings.differs |= asked_for.iter().any(|event| may_stand_for(row, event));
            findings.more.push(row.key.clone());
        }
        findings
    }

    /// What was there already, so that it was not made, and is there no more.
    fn tell_of_those_before(&self, plan: &Plan, so_far: &SoFar<'_>, findings: &mut Findings) {
        for place in &self.there {
            let (Some(event), Some(outcome)) = (plan.events().get(*place), so_far.of(*place))
            else {
                continue;
            };
            let id = outcome.new_id().and_then(|id| EventId::parse(id.raw()).ok());
            let key = id.map(|id| EventKey { id, ..event.key.clone() });
            if key.is_some_and(|key| findings.strange.contains(&key)) {
                let there = Failure::new(Cause::Unreadable, "it was there when the undo began");
                let gone = Outcome::Refused(there.saying("it is not listed any more").into());
                findings.take(*place, outcome, gone);
            }
        }
    }

    /// What was reported made without an id, and was not seen in a listing, is not known to be
    /// there.
    pub(super) fn conclude(ledger: &Ledger) -> Vec<(usize, Outcome)> {
        let unseen = ledger.all().iter().enumerate();
        let unseen = unseen.filter(|(_, it)| it.as_ref() == Some(&restored(None)));
        let message = "the service reported it created without an id, and it could not be listed";
        let unknown = Outcome::Unknown(Failure::new(Cause::Unreadable, message).into());
        unseen.map(|(place, _)| (place, unknown.clone())).collect()
    }
}

/// Rows that were not there before, each the work of one call at most.
struct Made<'a> {
    rows: &'a [PhoneCallEvent],
    /// Those that stand for no event yet.
    left: BTreeSet<usize>,
    ids: BTreeMap<&'a str, usize>,
    likes: BTreeMap<Like, Vec<usize>>,
}

impl<'a> Made<'a> {
    fn of(rows: &'a [PhoneCallEvent]) -> Self {
        let mut likes: BTreeMap<Like, Vec<usize>> = BTreeMap::new();
        for (place, row) in rows.iter().enumerate().rev() {
            likes.entry(Like::of(row)).or_default().push(place);
        }
        let ids = rows.iter().enumerate().map(|(place, row)| (row.key.id.as_str(), place));
        Self { rows, left: (0..rows.len()).collect(), ids: ids.collect(), likes }
    }

    /// The row with the id that the service told.
    fn by_id(&mut self, _: &PhoneCallEvent, outcome: &Outcome) -> Option<usize> {
        let row = self.ids.get(outcome.new_id()?.raw())?;
        self.left.take(row)
    }

    /// A row that is just as the event was.
    fn by_likeness(&mut self, event: &PhoneCallEvent, _: &Outcome) -> Option<usize> {
        let alike = self.likes.get_mut(&Like::of(event))?;
        while let Some(row) = alike.pop() {
            if self.left.remove(&row) {
                return Some(row);
            }
        }
        None
    }

    /// The row that is most like an event that was made, or may have been, and came back otherwise.
    /// Where the answer says something else, it must be very like it.
    fn by_resemblance(&mut self, event: &PhoneCallEvent, outcome: &Outcome) -> Option<usize> {
        let is_open = matches!(outcome, Outcome::Unknown(_)) || *outcome == restored(None);
        let is_near = |row: &PhoneCallEvent| {
            let is_akin = row.key.event_type == event.key.event_type || row.url == event.url;
            (is_open && is_akin) || may_be_altered(row, event)
        };
        let left = self.left.iter().filter_map(|place| Some((*place, self.rows.get(*place)?)));
        let near = left.filter(|(_, row)| is_near(row));
        let nearest = near.min_by_key(|(_, row)| event.differing(row).len());
        nearest.and_then(|(place, _)| self.left.take(&place))
    }
}

/// The outcome of an event that is listed so.
fn as_listed(event: &PhoneCallEvent, row: &PhoneCallEvent) -> Outcome {
    let (id, fields) = (Some(Foreign::from(row.key.id.as_str())), event.differing(row));
    if fields.is_empty() { restored(id) } else { Outcome::Altered { id, fields } }
}

/// What a complete list without the event leaves of a success, or of no clear answer.
fn not_listed(outcome: &Outcome) -> Option<Outcome> {
    let said = match outcome {
        Outcome::Done(Success::Restored, _) | Outcome::Altered { .. } => {
            Failure::new(Cause::Unreadable, "the service reported it created")
        }
        Outcome::Unknown(failure) => Failure::clone(failure),
        Outcome::Done(..) | Outcome::AlreadyGone | Outcome::Refused(_) | Outcome::NotSent(_) => {
            return None;
        }
    };
    Some(Outcome::Refused(said.saying("it is not listed").into()))
}

fn restored(id: Option<Foreign>) -> Outcome {
    Outcome::Done(Success::Restored, id)
}

fn events(listing: &Listing) -> BTreeMap<EventKey, PhoneCallEvent> {
    let rows = (0..listing.len()).filter_map(|row| Some(listing.row(row)?.to_event()));
    rows.map(|event| (event.key.clone(), event)).collect()
}
