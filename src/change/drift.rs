//! What became, since they were chosen, of the events that a review is about. What is not as it was
//! chosen is left out and named, until somebody takes it as it is now.

use crate::domain::{
    EventKey, EventStore, EventType, ExtensionNumber, Listing, Mask, PhoneCallEvent,
};

use super::{Rest, Selection};

/// Of many that are to be named, these are; the others are counted.
const NAMED: usize = 3;

/// How an event differs from what was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Some fields changed; these are their names.
    Changed(Vec<&'static str>),
    /// The event is no longer listed.
    Gone,
    /// The event is new, where everything listed had been chosen.
    Appeared,
}

/// An event that is not as it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    /// The event.
    pub key: EventKey,
    /// Its difference.
    pub difference: Difference,
}

impl Drifted {
    /// Whether it can be added as it is now.
    pub fn can_be_added(&self) -> bool {
        match self.difference {
            Difference::Changed(_) | Difference::Appeared => true,
            Difference::Gone => false,
        }
    }
}

/// The chosen events as they were then, in the order of extensions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    parts: Vec<Part>,
    /// How many events are not as they were chosen, and how many of these can be added, so that
    /// they are not counted again for each listing.
    differing: usize,
    addable: usize,
}

/// What was chosen of one extension.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    extension: ExtensionNumber,
    events: Vec<PhoneCallEvent>,
    /// Everything that was listed.
    whole: bool,
    /// The types of which everything was listed.
    whole_types: Vec<EventType>,
    drifted: Vec<Drifted>,
}

impl Choice {
    /// What is left of a run, as it was first reviewed.
    pub fn of_rest(rest: &Rest, store: &EventStore) -> Self {
        let mut choice = Self::default();
        for event in rest.open(|extension| store.listing(extension)) {
            match choice.parts.last_mut() {
                Some(part) if part.extension == event.key.extension => {
                    part.events.push(event.clone());
                }
                Some(_) | None => choice.parts.push(Part {
                    extension: event.key.extension.clone(),
                    events: vec![event.clone()],
                    whole: false,
                    whole_types: Vec::new(),
                    drifted: Vec::new(),
                }),
            }
        }
        choice.compare_all(store);
        choice
    }

    /// What a selection chose; an event that changed since it was marked counts as it was marked.
    pub fn of(selection: &Selection, store: &EventStore) -> Self {
        let parts = selection.parts().map(|(extension, events, whole, whole_types)| Part {
            extension: extension.clone(),
            events: events
                .iter()
                .map(|event| store.as_marked(&event.key).unwrap_or(event).clone())
                .collect(),
            whole,
            whole_types,
            drifted: Vec::new(),
        });
        let mut choice = Self { parts: parts.collect(), ..Self::default() };
        choice.compare_all(store);
        choice
    }

    fn compare_all(&mut self, store: &EventStore) {
        for part in &mut self.parts {
            if let Some(listing) = store.listing(&part.extension) {
                part.compare(listing);
            }
        }
        self.count_again();
    }

    fn count_again(&mut self) {
        (self.differing, self.addable) = self
            .parts
            .iter()
            .map(Part::counts)
            .fold((0, 0), |(differing, addable), (more, more_addable)| {
                (differing + more, addable + more_addable)
            });
    }

    /// The extensions that were chosen from.
    pub fn extensions(&self) -> impl Iterator<Item = &ExtensionNumber> {
        self.parts.iter().map(|part| &part.extension)
    }

    /// Takes a newer listing of an extension; true when that changes what differs.
    pub fn compare(&mut self, listing: &Listing) -> bool {
        let place = self.parts.binary_search_by(|part| part.extension.cmp(listing.extension()));
        let part = place.ok().and_then(|place| self.parts.get_mut(place));
        let Some(part) = part else { return false };
        let before = std::mem::take(&mut part.drifted);
        let addable_before = before.iter().filter(|one| one.can_be_added()).count();
        part.compare(listing);
        let (differing, addable) = part.counts();
        self.differing = (self.differing + differing) - before.len();
        self.addable = (self.addable + addable) - addable_before;
        part.drifted != before
    }

    /// How many events are not as they were chosen, and how many of these can be added.
    pub fn differing(&self) -> (usize, usize) {
        (self.differing, self.addable)
    }

    /// The differences in words, the first few events each with its own.
    pub fn words(&self, mask: &Mask) -> Vec<String> {
        let named = self.drifted().take(NAMED).map(|Drifted { key, difference }| {
            let what = match difference {
                Difference::Changed(fields) => format!("changed: {}", fields.join(", ")),
                Difference::Gone => "no longer listed".to_owned(),
                Difference::Appeared => "appeared since all was marked".to_owned(),
            };
            let number = mask.number(&key.extension);
            format!("{number} {} {}  {what}", key.event_type, key.id)
        });
        let more =
            self.differing.checked_sub(NAMED + 1).map(|more| format!("and {} more", more + 1));
        named.chain(more).collect()
    }

    /// The events that differ from what was chosen.
    pub fn drifted(&self) -> impl Iterator<Item = &Drifted> {
        self.parts.iter().flat_map(|part| &part.drifted)
    }

    /// The events that are listed just as they were chosen.
    pub fn selection(&self, store: &EventStore) -> Selection {
        let mut selection = Selection::default();
        for part in &self.parts {
            let Some(listing) = store.listing(&part.extension) else { continue };
            let row = |event: &PhoneCallEvent| listing.find(&event.key);
            let as_chosen = |&(row, event): &(usize, &PhoneCallEvent)| {
                listing.row(row).is_some_and(|now| now.to_event() == *event)
            };
            let rows = part.events.iter().filter_map(|event| Some((row(event)?, event)));
            selection.add(listing, rows.filter(as_chosen).map(|(row, _)| row));
        }
        selection.once_each()
    }

    /// The choice with what changed or appeared as it is listed now, and which events these are.
    #[must_use]
    pub fn with_drifted(&self, store: &EventStore) -> (Self, Vec<EventKey>) {
        let mut choice = self.clone();
        let mut added = Vec::new();
        for part in &mut choice.parts {
            let Some(listing) = store.listing(&part.extension) else { continue };
            for drifted in part.drifted.iter().filter(|drifted| drifted.can_be_added()) {
                let row = listing.find(&drifted.key).and_then(|row| listing.row(row));
                let Some(now) = row.map(|row| row.to_event()) else { continue };
                match part.events.iter_mut().find(|event| event.key == now.key) {
                    Some(event) => *event = now,
                    None => part.events.push(now),
                }
                added.push(drifted.key.clone());
            }
            part.compare(listing);
        }
        choice.count_again();
        (choice, added)
    }
}

impl Part {
    fn counts(&self) -> (usize, usize) {
        let addable = self.drifted.iter().filter(|one| one.can_be_added()).count();
        (self.drifted.len(), addable)
    }

    fn compare(&mut self, listing: &Listing) {
        self.drifted.clear();
        for event in &self.events {
            let difference = match listing.find(&event.key).and_then(|row| listing.row(row)) {
                None => Difference::Gone,
                Some(row) => {
                    let now = row.to_event();
                    if now == *event {
                        continue;
                    }
                    Difference::Changed(changed_fields(event, &now))
                }
            };
            self.drifted.push(Drifted { key: event.key.clone(), difference });
        }
        for (event_type, rows) in listing.groups() {
            if !self.whole && !self.whole_types.contains(&event_type) {
                continue;
            }
            let chosen: std::collections::HashSet<&str> = self
                .events
                .iter()
                .filter(|event| event.key.event_type == event_type)
                .map(|event| event.key.id.as_str())
                .collect();
            let new = rows.filter_map(|row| listing.row(row));
            let new = new.filter(|row| !chosen.contains(row.id())).map(|row| row.key());
            self.drifted.extend(new.map(|key| Drifted { key, difference: Difference::Appeared }));
        }
    }
}

fn changed_fields(before: &PhoneCallEvent, now: &PhoneCallEvent) -> Vec<&'static str> {
    let fields = [
        (before.method != now.method, "method"),
        (before.url != now.url, "url"),
        (before.note != now.note, "note"),
        (before.status != now.status, "status"),
        (before.modified != now.modified, "modified"),
    ];
    fields.into_iter().filter(|(differs, _)| *differs).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ListingBuilder, RawEvent};

    fn number() -> ExtensionNumber {
        ExtensionNumber::parse("210").unwrap()
    }

    /// Events as `type`, `id` and `url`.
    fn listing(rows: &[(&str, &str, &str)], complete: bool) -> Listing {
        let mut builder = ListingBuilder::new(number());
        for &(event_type, id, url) in rows {
            builder.push(RawEvent { event_type, id, url, ..RawEvent::default() });
        }
        builder.finish(complete)
    }

    const ROWS: &[(&str, &str, &str)] = &[("0", "a", "x"), ("0", "b", "x"), ("2", "c", "x")];

    fn store(marked: impl IntoIterator<Item = usize>) -> EventStore {
        let mut store = EventStore::default();
        store.insert(listing(ROWS, true));
        store.set_marks(&number(), marked, true);
        store
    }

    fn told(choice: &Choice) -> Vec<(&str, &Difference)> {
        choice.drifted().map(|one| (one.key.id.as_str(), &one.difference)).collect()
    }

    /// What a newer listing makes of these marks: what is told, and what is left.
    fn meets(marked: impl IntoIterator<Item = usize>, newer: Listing) -> (Choice, EventStore) {
        let mut store = store(marked);
        let mut choice = Choice::of(&Selection::of_marks(&store), &store);
        assert_eq!(told(&choice), []);
        choice.compare(&newer);
        store.insert(newer);
        (choice, store)
    }

    #[test]
    fn an_extension_that_is_as_it_was_has_no_drift_and_the_same_selection() {
        let before = Selection::of_marks(&store([0, 2]));
        let (choice, store) = meets([0, 2], listing(ROWS, true));
        assert_eq!((told(&choice), choice.selection(&store)), (vec![], before));
    }

    #[test]
    fn a_changed_event_is_named_with_its_fields_and_left_out_and_a_lost_one_too() {
        let (choice, store) = meets([0, 1], listing(&[("0", "a", "other"), ("2", "c", "x")], true));
        let changed = Difference::Changed(vec!["url"]);
        assert_eq!(told(&choice), [("a", &changed), ("b", &Difference::Gone)]);
        assert!(choice.selection(&store).is_empty());
        assert!(store.marked() == 1, "the changed event keeps its mark");
    }

    #[test]
    fn what_appeared_is_named_only_where_everything_was_chosen() {
        let newer = || listing(&[ROWS, &[("0", "new", "x"), ("2", "late", "x")]].concat(), true);
        let appeared = Difference::Appeared;
        let (choice, _) = meets([0, 1], newer());
        assert_eq!(told(&choice), [("new", &appeared)], "all of one type");
        let (choice, store) = meets([0, 1, 2], newer());
        assert_eq!(told(&choice), [("new", &appeared), ("late", &appeared)]);
        assert_eq!(choice.selection(&store).len(), 3);
        let (choice, _) = meets([0], newer());
        assert_eq!(told(&choice), [], "one of two");
    }

    #[test]
    fn what_is_added_is_taken_as_it_is_now() {
        let newer = [("0", "a", "other"), ("0", "b", "x"), ("0", "new", "x")];
        let (choice, store) = meets([0, 1, 2], listing(&newer, true));
        let (choice, added) = choice.with_drifted(&store);
        let added: Vec<_> = added.iter().map(|key| key.id.as_str()).collect();
        assert_eq!((added, told(&choice)), (vec!["a", "new"], vec![("c", &Difference::Gone)]));
        assert_eq!(choice.selection(&store).len(), 3);
    }

    #[test]
    fn a_change_that_was_read_after_marking_is_drift_from_the_start() {
        let mut store = store([0]);
        store.insert(listing(&[("0", "a", "other")], true));
        let choice = Choice::of(&Selection::of_marks(&store), &store);
        assert_eq!(told(&choice), [("a", &Difference::Changed(vec!["url"]))]);
    }
}
