//! The frozen, ordered, hashed list of calls that an operator says yes to, of whatever kind.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::domain::{
    Call, CallForm, Change, DeleteCall, EventId, EventKey, ExtensionNumber, Foreign, Outcome,
    PhoneCallEvent, PlanHash, PlanHasher, Target, UserId,
};

use super::Selection;
use super::edit::Edit;
use super::kind::{Deed, Kind};
use super::past::Past;
use super::rest::Rest;
use super::selection::Events;

/// Pairs of numbers named in one sentence.
const PAIRS_NAMED: usize = 3;

/// One literal call of a plan and the events it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedCall {
    pub(super) verb: Verb,
    pub(super) covers: Range<usize>,
}

/// What a call does, and how much of the first covered event's key stands in its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    DeleteEvent,
    DeleteType,
    DeleteExtension,
    Create,
    Update,
}

/// The calls of one run: never changed, and the only thing that can be executed. Without a call are
/// only runs that are gone on with and of which nothing is left to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) kind: Kind,
    pub(super) target: Target,
    pub(super) calls: Vec<PlannedCall>,
    pub(super) events: Events,
    /// Of a change and its undo: what is to become of each event, in their order.
    pub(super) edits: Arc<[Edit]>,
    /// What else is listed on the extensions touched, by extension.
    pub(super) bystanders: Events,
    /// Of a deletion: the call form that was asked for.
    pub(super) form: Option<CallForm>,
    pub(super) hash: PlanHash,
    /// Of an undo: what is known of the run that it undoes.
    pub(super) past: Option<Past>,
    /// Numbers it touches that may name one extension, the short one first.
    pub(super) pairs: Arc<[(ExtensionNumber, ExtensionNumber)]>,
    /// The run that is gone on with: then the events are all of that run, and the calls cover some.
    pub(super) rest: Option<Arc<Rest>>,
    /// What was meant and is no part of it.
    pub(super) omitted: Vec<Omitted>,
}

/// An event that was meant and is left out of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omitted {
    /// The event.
    pub key: EventKey,
    /// Why, in words that follow its name.
    pub why: String,
}

/// Why a selection does not become a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefused {
    /// A plan of nothing does not exist.
    #[error("nothing is marked: press space on an event, a type or an extension")]
    Empty,
    /// The profile caps a plan.
    #[error(
        "{events} events are marked and this profile takes at most {most} at once: mark fewer, or raise max_delete"
    )]
    TooLarge {
        /// Events selected.
        events: usize,
        /// The profile's `max_delete`.
        most: usize,
    },
    /// A change would change nothing.
    #[error("every event there is {0} already")]
    AllSo(&'static str),
    /// No URL is one of those that are meant.
    #[error(
        "OLD fits the URL of no event there: write its host or its beginning as `callsweep list` shows it"
    )]
    FitsNone,
    /// A URL would be none any more.
    #[error(
        "the URL of {} {} {} would be {url}, which is no URL: end OLD and NEW at the same place",
        key.extension, key.event_type, key.id
    )]
    Broken {
        /// Which event.
        key: Box<EventKey>,
        /// What it would be.
        url: Foreign,
    },
}

impl PlanRefused {
    /// Whether it would do nothing.
    pub fn is_of_nothing(&self) -> bool {
        match self {
            Self::Empty | Self::AllSo(_) | Self::FitsNone => true,
            Self::TooLarge { .. } | Self::Broken { .. } => false,
        }
    }
}

impl Plan {
    /// Freezes a selection into calls: a wide one of this form wherever everything that is listed,
    /// and therefore everything the call would remove, is chosen; else one for each event.
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
            if chosen.whole && form == CallForm::Extension {
                let covers = chosen.events.clone();
                calls.push(PlannedCall { verb: Verb::DeleteExtension, covers });
                continue;
            }
            for group in &chosen.types {
                if group.whole && form == CallForm::Type {
                    let covers = group.events.clone();
                    calls.push(PlannedCall { verb: Verb::DeleteType, covers });
                } else {
                    let single = |event| PlannedCall::of_one(Verb::DeleteEvent, event);
                    calls.extend(group.events.clone().map(single));
                }
            }
        }
        let events = Arc::clone(&selection.events);
        let bystanders = Arc::clone(&selection.bystanders);
        let target = target.knowing(selection.access());
        let pairs = selection.pairs.as_slice().into();
        let plan = Self::of(Kind::Delete, target, calls, events, Arc::default());
        Ok(Self { bystanders, form: Some(form), pairs, ..plan })
    }

    /// Changes these events, each as its edit says: a call for each. What else is listed on their
    /// extensions stands beside them.
    pub(super) fn of_edits(
        kind: Kind,
        target: Target,
        selection: &Selection,
        events: Vec<PhoneCallEvent>,
        edits: Vec<Edit>,
    ) -> Self {
        let kept: HashSet<&EventKey> = events.iter().map(|event| &event.key).collect();
        let touched: BTreeSet<&ExtensionNumber> = kept.iter().map(|key| &key.extension).collect();
        let left_out = selection.events.iter().filter(|event| !kept.contains(&event.key));
        let others = selection.bystanders.iter().chain(left_out);
        let mut bystanders: Vec<PhoneCallEvent> =
            others.filter(|event| touched.contains(&event.key.extension)).cloned().collect();
        bystanders.sort_by(|a, b| a.key.extension.cmp(&b.key.extension));
        let target = target.knowing(selection.access());
        let calls = one_each(Verb::Update, events.len()).collect();
        let (bystanders, pairs) = (Arc::new(bystanders), selection.pairs.as_slice().into());
        let plan = Self::of(kind, target, calls, Arc::new(events), edits.into());
        Self { bystanders, pairs, ..plan }
    }

    /// Keeps what is chosen, and does nothing with it.
    pub fn backup(target: Target, selection: &Selection) -> Self {
        let events = Arc::clone(&selection.events);
        let target = target.knowing(selection.access());
        Self::of(Kind::Backup, target, Vec::new(), events, Arc::default())
    }

    /// These calls for these events, and nothing beside them.
    pub(super) fn of(
        kind: Kind,
        target: Target,
        calls: Vec<PlannedCall>,
        events: Events,
        edits: Arc<[Edit]>,
    ) -> Self {
        let hash = hash_of(&target, kind, &calls, &events, &edits);
        let (bystanders, pairs) = (Arc::default(), Arc::default());
        let (form, past, rest, omitted) = (None, None, None, Vec::new());
        Self {
            kind,
            target,
            calls,
            events,
            edits,
            bystanders,
            form,
            hash,
            past,
            pairs,
            rest,
            omitted,
        }
    }

    /// Goes on with a run: event calls for these of its events, in its own file. All else is settled
    /// by listing alone, so that there may be no call at all.
    ///
    /// # Errors
    /// Refuses more than `most` events.
    pub fn go_on(
        target: Target,
        rest: &Arc<Rest>,
        chosen: &Selection,
        most: usize,
    ) -> Result<Self, PlanRefused> {
        if chosen.len() > most {
            return Err(PlanRefused::TooLarge { events: chosen.len(), most });
        }
        let places = rest.events.iter().enumerate().map(|(place, event)| (&event.key, place));
        let places: HashMap<&EventKey, usize> = places.collect();
        let reached = chosen.access();
        let chosen = chosen.events().iter().filter_map(|event| places.get(&event.key));
        let edit = |change: &Change| Edit { change: change.clone(), ..Edit::default() };
        let edits: Arc<[Edit]> = rest.changes.iter().map(edit).collect();
        let verb = if edits.is_empty() { Verb::DeleteEvent } else { Verb::Update };
        let calls = chosen.map(|place| PlannedCall::of_one(verb, *place)).collect();
        Ok(Self {
            kind: rest.kind,
            target: target.knowing(reached),
            calls,
            events: Arc::clone(&rest.events),
            edits,
            bystanders: Arc::clone(&rest.bystanders),
            form: None,
            hash: rest.hash.clone(),
            pairs: Arc::default(),
            past: None,
            rest: Some(Arc::clone(rest)),
            omitted: Vec::new(),
        })
    }

    /// The plan with the events that were meant and that it leaves out: they are told with it, and are
    /// not part of what is agreed to.
    #[must_use]
    pub fn omitting(mut self, omitted: impl IntoIterator<Item = Omitted>) -> Self {
        self.omitted.extend(omitted);
        self
    }

    /// The events that were meant and that it leaves out.
    pub fn omitted(&self) -> &[Omitted] {
        &self.omitted
    }

    /// What it is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The fields to be of the event at this place, in a change or the undo of one.
    pub fn want(&self, event: usize) -> Option<&Change> {
        self.edits.get(event).map(|edit| &edit.change)
    }

    /// The id that the event at this place had in the run that is undone, where that is another one.
    pub fn of_id(&self, event: usize) -> Option<&EventId> {
        self.edits.get(event)?.of_id.as_ref()
    }

    /// What is known already of the event at this place, so that its call is not sent.
    pub fn held(&self, event: usize) -> Option<&Outcome> {
        self.edits.get(event)?.held.as_ref()
    }

    /// Whether it changes fields of events, or writes them back.
    pub fn changes(&self) -> bool {
        !self.edits.is_empty()
    }

    /// What is done to its events.
    pub fn deed(&self) -> Deed {
        Deed::of(self.kind, self.edits.iter().map(|edit| &edit.change))
    }

    /// What there is to know of numbers that may name one extension, in a sentence.
    pub fn may_be_one(&self) -> Option<String> {
        let named = |(short, extended): &(ExtensionNumber, ExtensionNumber)| {
            format!("{short} and {extended}")
        };
        let named: Vec<_> = self.pairs.iter().take(PAIRS_NAMED).map(named).collect();
        let more = match self.pairs.len().saturating_sub(PAIRS_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more pairs"),
        };
        (!named.is_empty()).then(|| {
            format!(
                "{}{more} may be one extension: an event that both list is planned once",
                named.join(", ")
            )
        })
    }

    /// The run that it undoes.
    pub fn undoes(&self) -> Option<&str> {
        self.past.as_ref().map(Past::run)
    }

    /// Of an undo: in which state the run files were that tell what is to be given back.
    pub fn files(&self) -> Option<u64> {
        self.past.as_ref().map(Past::files)
    }

    /// The folder of the file of the run that it undoes or goes on with.
    pub fn folder(&self) -> Option<&Path> {
        let undone = self.past.as_ref().map(Past::folder);
        undone.or_else(|| self.rest.as_ref().map(|rest| rest.folder.as_path()))
    }

    /// How many events an undo leaves out, as something stands in for them.
    pub fn left_out(&self) -> usize {
        self.past.as_ref().map_or(0, |past| past.left_out)
    }

    /// The undo that it goes on with, in the same run file.
    pub fn goes_on(&self) -> Option<&str> {
        self.past.as_ref()?.goes_on.as_deref()
    }

    /// What an undo does not make, as it is there, each with the id of what stands for it.
    pub fn there(&self) -> &[(EventKey, Foreign)] {
        self.past.as_ref().map_or(&[], |past| &past.there)
    }

    /// The run that it goes on with, in whose file it is written.
    pub fn rest(&self) -> Option<&Arc<Rest>> {
        self.rest.as_ref()
    }

    /// Whether the call at this place is to be sent: what becomes of its event is not known already.
    pub fn is_due(&self, call: usize) -> bool {
        self.held(self.covers(call).start).is_none()
    }

    /// The calls that are to be sent, by their places.
    pub fn due(&self) -> impl Iterator<Item = usize> {
        (0..self.calls()).filter(|call| self.is_due(*call))
    }

    /// How many events these cover: all, but where a run is gone on with or events are held.
    pub fn due_events(&self) -> usize {
        self.due().map(|call| self.covers(call).len()).sum()
    }

    /// The service and the paths that the calls use.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// How many calls.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Every event of the run, those that the calls cover in their order.
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
        (&self.target, &self.calls) == (&other.target, &other.calls)
            && (&self.events, &self.edits) == (&other.events, &other.edits)
    }

    /// The call form that was asked for, of a deletion.
    pub fn form(&self) -> Option<CallForm> {
        self.form
    }

    /// The call at this place.
    pub fn call(&self, index: usize) -> Option<Call> {
        let planned = self.calls.get(index)?;
        let place = planned.covers.start;
        Some(planned.verb.call(self.events.get(place)?, self.want(place)))
    }

    /// The events that the call at this place covers.
    pub fn covered(&self, index: usize) -> &[PhoneCallEvent] {
        self.calls
            .get(index)
            .and_then(|call| self.events.get(call.covers.clone()))
            .unwrap_or_default()
    }

    /// Positions in [`events`](Self::events) that the call at this place covers.
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

    /// The extensions touched.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &ExtensionNumber> {
        let events = self.events.chunk_by(|a, b| a.key.extension == b.key.extension);
        events.filter_map(|events| Some(&events.first()?.key.extension))
    }

    /// How many extensions are touched.
    pub fn extensions(&self) -> usize {
        self.numbers().count()
    }

    /// How many calls could remove more than they cover.
    pub fn wide_calls(&self) -> usize {
        self.calls.iter().filter(|call| call.verb.is_wide()).count()
    }
}

/// Where the events of an extension stand in a list that is in the order of extensions.
pub(super) fn span_of(events: &[PhoneCallEvent], extension: &ExtensionNumber) -> Range<usize> {
    let start = events.partition_point(|event| event.key.extension < *extension);
    let end = events.partition_point(|event| event.key.extension <= *extension);
    start..end
}

/// A call for each of so many events.
pub(super) fn one_each(verb: Verb, events: usize) -> impl Iterator<Item = PlannedCall> {
    (0..events).map(move |event| PlannedCall::of_one(verb, event))
}

impl PlannedCall {
    pub(super) fn of_one(verb: Verb, event: usize) -> Self {
        Self { verb, covers: event..event + 1 }
    }
}

impl Verb {
    /// The call itself, for the first event that it covers.
    pub(super) fn call(self, first: &PhoneCallEvent, want: Option<&Change>) -> Call {
        let key = &first.key;
        Call::Delete(match self {
            Self::DeleteEvent => DeleteCall::Event(key.clone()),
            Self::DeleteType => DeleteCall::Type(key.extension.clone(), key.event_type),
            Self::DeleteExtension => DeleteCall::Extension(key.extension.clone()),
            Self::Create => return Call::Create(first.clone()),
            Self::Update => return Call::Update(key.clone(), want.cloned().unwrap_or_default()),
        })
    }

    pub(super) fn is_wide(self) -> bool {
        self.form() != CallForm::Event
    }

    /// Which of the forms it has.
    pub(super) fn form(self) -> CallForm {
        match self {
            Self::DeleteType => CallForm::Type,
            Self::DeleteExtension => CallForm::Extension,
            Self::DeleteEvent | Self::Create | Self::Update => CallForm::Event,
        }
    }
}

/// The hash of a plan: all its calls, then all its events.
fn hash_of(
    target: &Target,
    kind: Kind,
    calls: &[PlannedCall],
    events: &[PhoneCallEvent],
    edits: &[Edit],
) -> PlanHash {
    let want = |event: usize| edits.get(event).map(|edit| &edit.change);
    let mut hasher = PlanHasher::new(&target.origin, target.base_path(), kind.name());
    for planned in calls {
        if let Some(first) = events.get(planned.covers.start) {
            let call = planned.verb.call(first, want(planned.covers.start));
            hasher.call(call.method(), &call.path(target), planned.covers.len());
        }
    }
    for (place, event) in events.iter().enumerate() {
        let owner = target.owner_of(&event.key.extension).map(UserId::as_str);
        let want = want(place).map(|change| change.value().to_string());
        hasher.event(event, owner, want.as_deref());
    }
    hasher.finish()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{EventType, ListEnd, ListingBuilder, RawEvent};

    pub(in crate::change) fn target() -> Target {
        Target::new("acme", "https://pbx.test", "/uapi", UserId::parse("@me").unwrap()).unwrap()
    }

    pub(in crate::change) fn builder(extension: &str, rows: &[(&str, &str)]) -> ListingBuilder {
        let mut builder = ListingBuilder::new(ExtensionNumber::parse(extension).unwrap());
        for &(event_type, id) in rows {
            builder.push(RawEvent { event_type, id, ..RawEvent::default() });
        }
        builder
    }

    pub(in crate::change) fn plan(
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
        assert_eq!(plan.wide_calls(), 0);
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
        let form = CallForm::Type;
        assert_eq!(paths(&plan(ROWS, 0..2, form)), ["210/phoneCallEvents/0"]);
        assert_eq!(
            paths(&plan(ROWS, 1..3, form)),
            ["210/phoneCallEvents/0/b", "210/phoneCallEvents/2"]
        );
        assert_eq!(
            paths(&plan(ROWS, 0..3, form)),
            ["210/phoneCallEvents/0", "210/phoneCallEvents/2"]
        );
    }

    #[test]
    fn an_incomplete_listing_never_gets_a_wide_call() {
        let listing = builder("210", ROWS).finish(false);
        let selection = Selection::of_rows(&listing, 0..3);
        for form in [CallForm::Extension, CallForm::Type] {
            assert!(!selection.fits(form));
            assert_eq!(Plan::freeze(target(), &selection, form, 10).unwrap().calls(), 3);
        }
    }

    #[test]
    fn a_listing_with_a_row_that_cannot_be_used_gets_no_wide_call() {
        for event_type in [Some(EventType::Hangup), None] {
            let mut builder = builder("210", ROWS);
            builder.push_odd(event_type, "?", "unreadable");
            let listing = builder.finish(true);
            let selection = Selection::of_rows(&listing, 0..3);
            for form in [CallForm::Extension, CallForm::Type] {
                assert!(!selection.fits(form));
                assert_eq!(Plan::freeze(target(), &selection, form, 10).unwrap().calls(), 3);
            }
        }
    }

    #[test]
    fn a_listing_whose_end_was_not_seen_gets_no_wide_call_though_it_is_complete() {
        let listing = builder("210", ROWS).finish(ListEnd::Told);
        assert!(listing.is_complete() && !listing.is_complete_for_wide());
        let selection = Selection::of_rows(&listing, 0..3);
        for form in [CallForm::Extension, CallForm::Type] {
            assert!(!selection.fits(form));
            assert_eq!(Plan::freeze(target(), &selection, form, 10).unwrap().calls(), 3);
        }
    }

    #[test]
    fn every_chosen_event_is_covered_by_exactly_one_call_in_order() {
        for form in [CallForm::Event, CallForm::Extension, CallForm::Type] {
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
