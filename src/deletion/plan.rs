//! The frozen, ordered, hashed list of calls that an operator says yes to.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::{
    CallForm, DeleteCall, EventStore, EventType, ExtensionNumber, Listing, PhoneCallEvent,
    PlanHash, PlanHasher, Target,
};

/// Events that were chosen, as they are listed, and what of their extensions they make whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// In the order of extension numbers, and within each of its listing: grouped by type.
    events: Vec<PhoneCallEvent>,
    extensions: Vec<Chosen>,
    bystanders: Vec<PhoneCallEvent>,
}

/// One extension's part of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chosen {
    extension: ExtensionNumber,
    events: Range<usize>,
    /// Every row of the listing is chosen, and the listing is complete.
    whole: bool,
    types: Vec<ChosenType>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ChosenType {
    event_type: EventType,
    events: Range<usize>,
    whole: bool,
}

impl Selection {
    /// All marks, in the order of extension numbers.
    pub fn of_marks(store: &EventStore) -> Self {
        let mut selection = Self::default();
        for (listing, rows) in store.marked_listings() {
            selection.add(listing, rows);
        }
        selection
    }

    /// Rows of one listing.
    pub fn of_rows(listing: &Listing, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut selection = Self::default();
        selection.add(listing, rows);
        selection
    }

    /// How many events are chosen.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// True when nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Extension by extension: its chosen events, whether these are all that is listed, and the types
    /// of which they are all.
    pub(super) fn parts(
        &self,
    ) -> impl Iterator<Item = (&ExtensionNumber, &[PhoneCallEvent], bool, Vec<EventType>)> {
        self.extensions.iter().map(|chosen| {
            let events = self.events.get(chosen.events.clone()).unwrap_or_default();
            let whole = chosen.types.iter().filter(|group| group.whole);
            let whole = whole.map(|group| group.event_type).collect();
            (&chosen.extension, events, chosen.whole, whole)
        })
    }

    pub(super) fn add(&mut self, listing: &Listing, rows: impl IntoIterator<Item = usize>) {
        let start = self.events.len();
        let rows: BTreeSet<usize> = rows.into_iter().collect();
        let chosen = rows.iter().filter_map(|row| listing.row(*row));
        self.events.extend(chosen.map(|view| view.to_event()));
        let events = start..self.events.len();
        if events.is_empty() {
            return;
        }
        let others = (0..listing.len()).filter(|row| !rows.contains(row));
        let others = others.filter_map(|row| listing.row(row));
        self.bystanders.extend(others.map(|view| view.to_event()));
        let complete = listing.is_complete();
        // A row of unreadable type could be of any type, so it makes every wide form too wide.
        let odd_of = |event_type| {
            listing.odd().iter().any(|odd| odd.event_type.is_none_or(|odd| odd == event_type))
        };
        let mut types = Vec::new();
        let mut from = start;
        for group in self
            .events
            .get(events.clone())
            .unwrap_or_default()
            .chunk_by(|a, b| a.key.event_type == b.key.event_type)
        {
            let Some(event_type) = group.first().map(|event| event.key.event_type) else {
                continue;
            };
            let whole =
                complete && group.len() == listing.rows_of(event_type).len() && !odd_of(event_type);
            types.push(ChosenType { event_type, events: from..from + group.len(), whole });
            from += group.len();
        }
        let whole = complete && events.len() == listing.len() && listing.odd().is_empty();
        self.extensions.push(Chosen {
            extension: listing.extension().clone(),
            events,
            whole,
            types,
        });
    }
}

/// One literal call of a plan and the events it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCall {
    scope: Scope,
    covers: Range<usize>,
}

/// How much of the first covered event's key stands in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Event,
    Type,
    Extension,
}

/// The calls of one run: never empty, never changed, and the only thing that can be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    target: Target,
    calls: Vec<PlannedCall>,
    events: Arc<[PhoneCallEvent]>,
    /// What else is listed on the extensions touched, by extension.
    bystanders: Arc<[PhoneCallEvent]>,
    form: CallForm,
    hash: PlanHash,
}

/// Why a selection does not become a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefused {
    /// A plan of nothing does not exist.
    #[error("nothing is marked: press space on an event, a type or an extension")]
    Empty,
    /// The profile caps a plan.
    #[error(
        "{events} events are marked and this profile deletes at most {most} at once: mark fewer, or raise max_delete"
    )]
    TooLarge {
        /// Events selected.
        events: usize,
        /// The profile's `max_delete`.
        most: usize,
    },
}

impl Plan {
    /// Freezes a selection into calls: the widest of the form's calls wherever everything that is
    /// listed, and therefore everything the call would remove, is chosen.
    ///
    /// # Errors
    /// Refuses an empty selection and one larger than `most` events.
    pub fn freeze(
        target: Target,
        selection: &Selection,
        form: CallForm,
        most: usize,
    ) -> Result<Self, PlanRefused> {
        let count = selection.len();
        if count == 0 {
            return Err(PlanRefused::Empty);
        }
        if count > most {
            return Err(PlanRefused::TooLarge { events: count, most });
        }
        let mut calls = Vec::new();
        for chosen in &selection.extensions {
            if chosen.whole && form.allows_extension() {
                calls.push(PlannedCall { scope: Scope::Extension, covers: chosen.events.clone() });
                continue;
            }
            for group in &chosen.types {
                if group.whole && form.allows_type() {
                    calls.push(PlannedCall { scope: Scope::Type, covers: group.events.clone() });
                } else {
                    let single =
                        |event| PlannedCall { scope: Scope::Event, covers: event..event + 1 };
                    calls.extend(group.events.clone().map(single));
                }
            }
        }
        let events: Arc<[PhoneCallEvent]> = selection.events.clone().into();
        let bystanders: Arc<[PhoneCallEvent]> = selection.bystanders.clone().into();
        let hash = hash_of(&target, &calls, &events);
        Ok(Self { target, calls, events, bystanders, form, hash })
    }

    /// Where the calls go.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// How many calls.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Every event that the calls cover, in their order.
    pub fn events(&self) -> &[PhoneCallEvent] {
        &self.events
    }

    /// What a dry run and the run itself have in common.
    pub fn hash(&self) -> &PlanHash {
        &self.hash
    }

    /// Whether another plan sends the same calls for the same events, however the service wrote them
    /// down.
    pub fn sends_the_same(&self, other: &Self) -> bool {
        (&self.target, &self.calls, &self.events) == (&other.target, &other.calls, &other.events)
    }

    /// The call form that was asked for.
    pub fn form(&self) -> CallForm {
        self.form
    }

    /// The call at this place.
    pub fn call(&self, index: usize) -> Option<DeleteCall> {
        call_of(self.calls.get(index)?, &self.events)
    }

    /// The events that the call at this place covers.
    pub fn covered(&self, index: usize) -> &[PhoneCallEvent] {
        self.calls
            .get(index)
            .and_then(|call| self.events.get(call.covers.clone()))
            .unwrap_or_default()
    }

    /// Where the events of the call at this place stand in [`events`](Self::events).
    pub fn covers(&self, index: usize) -> Range<usize> {
        self.calls.get(index).map_or(0..0, |call| call.covers.clone())
    }

    /// The planned events of one extension, by their places in [`events`](Self::events).
    pub fn events_of(&self, extension: &ExtensionNumber) -> Range<usize> {
        span_of(&self.events, extension)
    }

    /// What was listed on an extension beside the planned events: a run must leave it there.
    pub fn bystanders(&self, extension: &ExtensionNumber) -> &[PhoneCallEvent] {
        self.bystanders.get(span_of(&self.bystanders, extension)).unwrap_or_default()
    }

    /// What was listed beside the planned events on all extensions touched.
    pub fn all_bystanders(&self) -> &[PhoneCallEvent] {
        &self.bystanders
    }

    /// How many extensions are touched.
    pub fn extensions(&self) -> usize {
        self.events.chunk_by(|a, b| a.key.extension == b.key.extension).count()
    }

    /// Whether any call could remove more than it covers.
    pub fn is_wide(&self) -> bool {
        self.calls.iter().any(|call| call.scope != Scope::Event)
    }
}

/// Where the events of an extension stand in a list that is in the order of extensions.
pub(super) fn span_of(events: &[PhoneCallEvent], extension: &ExtensionNumber) -> Range<usize> {
    let start = events.partition_point(|event| event.key.extension < *extension);
    let end = events.partition_point(|event| event.key.extension <= *extension);
    start..end
}

fn call_of(call: &PlannedCall, events: &[PhoneCallEvent]) -> Option<DeleteCall> {
    let key = &events.get(call.covers.start)?.key;
    Some(match call.scope {
        Scope::Event => DeleteCall::Event(key.clone()),
        Scope::Type => DeleteCall::Type(key.extension.clone(), key.event_type),
        Scope::Extension => DeleteCall::Extension(key.extension.clone()),
    })
}

fn hash_of(target: &Target, calls: &[PlannedCall], events: &[PhoneCallEvent]) -> PlanHash {
    let mut hasher = PlanHasher::new(&target.origin, target.base_path(), "delete");
    for call in calls {
        if let Some(delete) = call_of(call, events) {
            hasher.call("DELETE", &delete.path(target), call.covers.len());
        }
    }
    for event in events {
        hasher.event(event, None, None);
    }
    hasher.finish()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{ListingBuilder, RawEvent, UserId};

    pub(in crate::deletion) fn target() -> Target {
        Target::new("acme", "https://pbx.test", "/uapi", UserId::parse("@me").unwrap()).unwrap()
    }

    pub(in crate::deletion) fn builder(extension: &str, rows: &[(&str, &str)]) -> ListingBuilder {
        let mut builder = ListingBuilder::new(ExtensionNumber::parse(extension).unwrap());
        for &(event_type, id) in rows {
            builder.push(RawEvent { event_type, id, ..RawEvent::default() });
        }
        builder
    }

    pub(in crate::deletion) fn plan(
        rows: &[(&str, &str)],
        chosen: Range<usize>,
        form: CallForm,
    ) -> Plan {
        let listing = builder("210", rows).finish(true);
        Plan::freeze(target(), &Selection::of_rows(&listing, chosen), form, 1000).unwrap()
    }

    fn paths(plan: &Plan) -> Vec<String> {
        let base = "/uapi/extensions/@me/";
        (0..plan.calls())
            .map(|call| plan.call(call).unwrap().path(&target()).replace(base, ""))
            .collect()
    }

    const ROWS: &[(&str, &str)] = &[("0", "a"), ("0", "b"), ("2", "c")];

    #[test]
    fn a_selection_of_nothing_is_no_plan() {
        let refused = Plan::freeze(target(), &Selection::default(), CallForm::Event, 10);
        assert_eq!(refused, Err(PlanRefused::Empty));
    }

    #[test]
    fn a_plan_larger_than_the_profile_allows_is_refused_and_one_just_as_large_is_not() {
        let listing = builder("210", ROWS).finish(true);
        let selection = Selection::of_rows(&listing, 0..3);
        let freeze = |most| Plan::freeze(target(), &selection, CallForm::Event, most);
        assert_eq!(freeze(2), Err(PlanRefused::TooLarge { events: 3, most: 2 }));
        assert!(freeze(3).is_ok());
    }

    #[test]
    fn the_event_form_names_every_event_whatever_is_whole() {
        let plan = plan(ROWS, 0..3, CallForm::Event);
        assert_eq!(
            paths(&plan),
            ["210/phoneCallEvents/0/a", "210/phoneCallEvents/0/b", "210/phoneCallEvents/2/c"]
        );
        assert!(!plan.is_wide());
    }

    #[test]
    fn the_extension_form_is_used_only_where_every_listed_event_is_chosen() {
        assert_eq!(paths(&plan(ROWS, 0..3, CallForm::Extension)), ["210/phoneCallEvents"]);
        assert_eq!(
            paths(&plan(ROWS, 0..2, CallForm::Extension)),
            ["210/phoneCallEvents/0/a", "210/phoneCallEvents/0/b"]
        );
    }

    #[test]
    fn the_type_form_is_used_only_where_every_listed_event_of_the_type_is_chosen() {
        let form = CallForm::ExtensionAndType;
        assert_eq!(paths(&plan(ROWS, 0..2, form)), ["210/phoneCallEvents/0"]);
        assert_eq!(
            paths(&plan(ROWS, 1..3, form)),
            ["210/phoneCallEvents/0/b", "210/phoneCallEvents/2"]
        );
        assert_eq!(paths(&plan(ROWS, 0..3, form)), ["210/phoneCallEvents"]);
    }

    #[test]
    fn an_incomplete_listing_never_gets_a_wide_call() {
        let listing = builder("210", ROWS).finish(false);
        let selection = Selection::of_rows(&listing, 0..3);
        let plan = Plan::freeze(target(), &selection, CallForm::ExtensionAndType, 10).unwrap();
        assert_eq!(plan.calls(), 3);
    }

    #[test]
    fn a_row_that_cannot_be_marked_keeps_wide_calls_away_from_it() {
        let with_odd = |event_type: Option<EventType>| {
            let mut builder = builder("210", ROWS);
            builder.push_odd(event_type, "?", "unreadable");
            let listing = builder.finish(true);
            let selection = Selection::of_rows(&listing, 0..3);
            paths(&Plan::freeze(target(), &selection, CallForm::ExtensionAndType, 10).unwrap())
        };
        assert_eq!(
            with_odd(Some(EventType::Hangup)),
            ["210/phoneCallEvents/0", "210/phoneCallEvents/2/c"]
        );
        assert_eq!(with_odd(None).len(), 3);
    }

    #[test]
    fn every_chosen_event_is_covered_by_exactly_one_call_in_order() {
        for form in
            [CallForm::Event, CallForm::Extension, CallForm::Type, CallForm::ExtensionAndType]
        {
            for chosen in [0..1, 0..2, 1..3, 0..3] {
                let plan = plan(ROWS, chosen, form);
                let covered: Vec<_> =
                    (0..plan.calls()).flat_map(|call| plan.covers(call)).collect();
                assert_eq!(covered, (0..plan.events().len()).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_hash_tells_plans_apart_and_knows_the_same_plan_again() {
        let hash = |chosen, form| plan(ROWS, chosen, form).hash().clone();
        assert_eq!(hash(0..3, CallForm::Event), hash(0..3, CallForm::Event));
        assert_ne!(hash(0..3, CallForm::Event), hash(0..2, CallForm::Event));
        assert_ne!(hash(0..3, CallForm::Event), hash(0..3, CallForm::Extension));
        assert_eq!(hash(0..1, CallForm::Event).as_str().len(), 64);
    }
}
