//! What was chosen, as it is listed, and what of its extensions that makes whole.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::domain::{
    Access, CallForm, EventKey, EventStore, EventType, ExtensionNumber, Listing, PhoneCallEvent,
};

/// Events whole, as they were listed. Whatever is made of a selection shares them with it.
pub(super) type Events = Arc<Vec<PhoneCallEvent>>;

/// Events that were chosen, as they are listed, and what of their extensions they make whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// In the order of extension numbers, and within each of its listing: grouped by type.
    pub(super) events: Events,
    pub(super) extensions: Vec<Chosen>,
    pub(super) bystanders: Events,
    /// Numbers chosen from that may name one extension, the short one first.
    pub(super) pairs: Vec<(ExtensionNumber, ExtensionNumber)>,
}

/// One extension's part of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    extension: ExtensionNumber,
    access: Access,
    pub(super) events: Range<usize>,
    /// Every row of the listing is chosen, and the listing is complete for a wide call.
    pub(super) whole: bool,
    pub(super) types: Vec<ChosenType>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenType {
    event_type: EventType,
    pub(super) events: Range<usize>,
    pub(super) whole: bool,
}

impl Selection {
    /// All marks, in the order of extension numbers.
    pub fn of_marks(store: &EventStore) -> Self {
        let mut selection = Self::default();
        // Many events are large: they get no room to grow into.
        Arc::make_mut(&mut selection.events).reserve_exact(store.marked());
        for (listing, rows) in store.marked_listings() {
            selection.add(listing, rows);
        }
        selection.once_each()
    }

    /// Rows of one listing.
    pub fn of_rows(listing: &Listing, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut selection = Self::default();
        selection.add(listing, rows);
        selection
    }

    /// The chosen events, in the order of extension numbers.
    pub fn events(&self) -> &[PhoneCallEvent] {
        &self.events
    }

    /// How many events are chosen.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// True when nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether any call of this form can stand in a plan: what a wide one would remove must all be
    /// chosen, on a complete listing.
    pub fn fits(&self, form: CallForm) -> bool {
        self.extensions.iter().any(|chosen| match form {
            CallForm::Event => true,
            CallForm::Extension => chosen.whole,
            CallForm::Type => chosen.types.iter().any(|group| group.whole),
        })
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

    /// How each extension was reached.
    pub(super) fn access(&self) -> impl Iterator<Item = (ExtensionNumber, Access)> {
        self.extensions.iter().map(|chosen| (chosen.extension.clone(), chosen.access.clone()))
    }

    /// Two numbers may name one extension though nothing proves it: then an event id that both list is
    /// chosen once, under the longer number, and no wide call rests on the other.
    pub(super) fn once_each(mut self) -> Self {
        let by_short = |chosen: &Chosen| {
            Some((chosen.extension.short()?.to_owned(), chosen.extension.clone()))
        };
        let mut extended: BTreeMap<String, Vec<ExtensionNumber>> = BTreeMap::new();
        for (short, number) in self.extensions.iter().filter_map(by_short) {
            extended.entry(short).or_default().push(number);
        }
        let of = |short: &ExtensionNumber| extended.get(short.as_str()).into_iter().flatten();
        let numbers = self.extensions.iter().map(|chosen| &chosen.extension);
        self.pairs = numbers
            .flat_map(|short| of(short).map(move |number| (short.clone(), number.clone())))
            .collect();
        if self.pairs.is_empty() {
            return self;
        }
        let chosen: BTreeSet<EventKey> =
            self.events.iter().map(|event| event.key.clone()).collect();
        let is_twice = |event: &PhoneCallEvent| {
            let longer = of(&event.key.extension).cloned();
            let mut under = longer.map(|extension| EventKey { extension, ..event.key.clone() });
            under.any(|key| chosen.contains(&key))
        };
        let shorts: BTreeSet<_> = self.pairs.iter().map(|(short, _)| short.clone()).collect();
        let mut once = Self { pairs: std::mem::take(&mut self.pairs), ..Self::default() };
        once.bystanders = std::mem::take(&mut self.bystanders);
        for chosen in &self.extensions {
            let events = self.events.get(chosen.events.clone()).unwrap_or_default();
            let start = once.events.len();
            let kept = events.iter().filter(|event| !is_twice(event)).cloned();
            Arc::make_mut(&mut once.events).extend(kept);
            let sure = !shorts.contains(&chosen.extension);
            let is_whole = |event_type, _| {
                sure && chosen.types.iter().any(|was| was.event_type == event_type && was.whole)
            };
            let whole = sure && chosen.whole;
            once.close(&chosen.extension, &chosen.access, start, whole, is_whole);
        }
        once
    }

    pub(super) fn add(&mut self, listing: &Listing, rows: impl IntoIterator<Item = usize>) {
        let start = self.events.len();
        let rows: BTreeSet<usize> = rows.into_iter().collect();
        let chosen = rows.iter().filter_map(|row| listing.row(*row));
        Arc::make_mut(&mut self.events).extend(chosen.map(|view| view.to_event()));
        let events = start..self.events.len();
        if events.is_empty() {
            return;
        }
        let others = (0..listing.len()).filter(|row| !rows.contains(row));
        let others = others.filter_map(|row| listing.row(row));
        Arc::make_mut(&mut self.bystanders).extend(others.map(|view| view.to_event()));
        let complete = listing.is_complete_for_wide();
        let whole = complete && events.len() == listing.len();
        let is_whole = |event_type, count| complete && count == listing.rows_of(event_type).len();
        self.close(listing.extension(), listing.access(), start, whole, is_whole);
    }

    /// Takes in the events of an extension from this place on: whether they are all of it, and which
    /// of their types are whole.
    fn close(
        &mut self,
        extension: &ExtensionNumber,
        access: &Access,
        start: usize,
        whole: bool,
        is_whole: impl Fn(EventType, usize) -> bool,
    ) {
        let events = start..self.events.len();
        if events.is_empty() {
            return;
        }
        let mut types = Vec::new();
        let mut from = start;
        let kept = self.events.get(events.clone()).unwrap_or_default();
        for group in kept.chunk_by(|a, b| a.key.event_type == b.key.event_type) {
            let Some(event_type) = group.first().map(|event| event.key.event_type) else {
                continue;
            };
            let (events, whole) = (from..from + group.len(), is_whole(event_type, group.len()));
            from = events.end;
            types.push(ChosenType { event_type, events, whole });
        }
        let (extension, access) = (extension.clone(), access.clone());
        self.extensions.push(Chosen { extension, access, events, whole, types });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ListingBuilder, RawEvent};

    fn number(text: &str) -> ExtensionNumber {
        ExtensionNumber::parse(text).unwrap()
    }

    /// Everything that these extensions have, each id by itself.
    fn all_of(extensions: &[(&str, &str)]) -> Selection {
        let mut store = EventStore::default();
        for (extension, ids) in extensions {
            let mut builder = ListingBuilder::new(number(extension));
            for id in ids.split_whitespace() {
                builder.push(RawEvent { event_type: "0", id, ..RawEvent::default() });
            }
            store.insert(builder.finish(true));
            store.set_marks(&number(extension), 0..ids.split_whitespace().count(), true);
        }
        Selection::of_marks(&store)
    }

    fn keys(selection: &Selection) -> Vec<String> {
        let events = selection.events().iter();
        events.map(|event| format!("{} {}", event.key.extension, event.key.id)).collect()
    }

    #[test]
    fn an_event_that_two_numbers_of_maybe_one_extension_list_is_chosen_once_and_never_widely() {
        for extended in ["0003*200", "5*200"] {
            let selection = all_of(&[("200", "a b c"), (extended, "a b"), ("300", "a")]);
            let mut chosen = keys(&selection);
            chosen.sort();
            let mut expected = vec![
                format!("{extended} a"),
                format!("{extended} b"),
                "200 c".into(),
                "300 a".into(),
            ];
            expected.sort();
            assert_eq!(chosen, expected);
            assert_eq!(selection.pairs, [(number("200"), number(extended))]);
            let whole: Vec<_> = selection
                .parts()
                .map(|(of, _, whole, types)| (of.to_string(), whole, types.len()))
                .collect();
            let short = whole.iter().find(|(of, ..)| of == "200").unwrap();
            assert_eq!((short.1, short.2), (false, 0), "{whole:?}");
            assert!(whole.iter().filter(|(of, ..)| of != "200").all(|(_, whole, _)| *whole));
        }
    }

    #[test]
    fn numbers_that_only_look_alike_are_no_pair() {
        let selection = all_of(&[("200", "a"), ("0003*1200", "a"), ("0003*201", "a")]);
        assert!(selection.pairs.is_empty());
        assert_eq!(selection.len(), 3);
    }
}
