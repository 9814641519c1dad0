//! Arrangements hold what a naive reading of the rules says, whatever is listed, filtered and asked
//! for, and no place of one ever means another event.

use std::collections::BTreeSet;

use jiff::{Timestamp, ZonedDateTime};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::*;
use crate::domain::{ListingBuilder, Owner, RawEvent, host_of};

const NUMBERS: [&str; 5] = ["0003*101", "0003*210", "0003*211", "77", "9"];
const URLS: [&str; 7] = [
    "https://crm-old.acme.test/in",
    "https://CRM-OLD.acme.test:8443/in?a|b",
    "http://other.test/b",
    "http://other.test/a",
    "http://[::1]/",
    "no url",
    "",
];
const NOTES: [&str; 4] = ["", "old crm", "CRM", "lobby"];
const STATUSES: [&str; 3] = ["0", "1", "paused"];
const DATES: [&str; 14] = [
    "",
    "2023-05-01T10:00:00Z",
    "2024-05-01T10:00:00+02:00",
    "2024-05-01T08:00:00.5Z",
    "once",
    "1969-12-31T23:30:00-05:00",
    "2024-05-01 10:00:00",
    "0001-01-01",
    "9999-12-31T00:00:00Z",
    "0001-01-01T00:00:00.5",
    "1969-12-31T23:59:59.5Z",
    "2106-02-07T06:28:14Z",
    "2106-02-07T06:28:15Z",
    "2106-02-07T06:28:16Z",
];
const FILTERS: [&str; 24] = [
    "",
    "type:hangup",
    "crm",
    "host:*.acme.test",
    "status:on",
    "is:duplicate",
    "-is:marked",
    "owner:7",
    "modified:<2024",
    "nothing",
    "-crm",
    "crm|id1",
    "old -id2",
    "note:\"old crm\"",
    "-note:?*",
    "method:post status:off|\"paused\"",
    "-status:on",
    "age:>2w",
    "id:id1*|id2",
    "url:*crm*in",
    "url:h*t*://*b",
    "host:*:8443|other.test",
    "is:duplicate|marked -type:2 owner:7|101",
    "modified:2024|<1970 crm",
];

/// Type, id, method, URL, note, status and date of an event.
type Event = (u16, u8, bool, usize, usize, usize, usize);

/// What is listed of each extension, where it is listed; the order in which the extensions stand; and
/// which events are marked.
#[derive(Debug, Clone)]
struct World {
    listed: Vec<Option<Vec<Event>>>,
    stand: Vec<usize>,
    marked: Vec<(usize, Index)>,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event =
        (0..7_u16, 0..40_u8, any::<bool>(), 0..7_usize, 0..4_usize, 0..3_usize, 0..14_usize);
    vec(event, 0..14)
}

fn worlds() -> impl Strategy<Value = World> {
    let listed = vec(prop::option::weighted(0.8, events()), NUMBERS.len());
    let stand = subsequence((0..NUMBERS.len()).collect::<Vec<_>>(), 0..=NUMBERS.len());
    let marked = vec((0..NUMBERS.len(), any::<Index>()), 0..10);
    (listed, stand.prop_shuffle(), marked).prop_map(|(listed, stand, marked)| World {
        listed,
        stand,
        marked,
    })
}

fn listing(number: &str, events: &[Event]) -> Listing {
    let mut builder = ListingBuilder::new(ExtensionNumber::parse(number).unwrap());
    for (event_type, id, post, url, note, status, modified) in events {
        builder.push(RawEvent {
            event_type: &event_type.to_string(),
            id: &format!("id{id}"),
            method: if *post { "1" } else { "0" },
            url: URLS[*url],
            note: NOTES[*note],
            status: STATUSES[*status],
            modified: DATES[*modified],
        });
    }
    if events.len() == 3 {
        builder.push_odd(None, "{}", "it has no id");
    }
    builder.finish(true)
}

fn extension(place: usize) -> Extension {
    let owner = [None, Some("7"), Some("101"), Some("7"), None][place];
    let owner = owner.map(|id| Owner { id: UserId::parse(id).unwrap(), name: "Ann".into() });
    Extension { owner, ..Extension::of(ExtensionNumber::parse(NUMBERS[place]).unwrap()) }
}

impl World {
    fn store(&self) -> EventStore {
        let mut store = EventStore::default();
        for (number, events) in NUMBERS.iter().zip(&self.listed) {
            if let Some(events) = events {
                store.insert(listing(number, events));
            }
        }
        for (place, row) in &self.marked {
            let number = ExtensionNumber::parse(NUMBERS[*place]).unwrap();
            let rows = store.listing(&number).map_or(0, Listing::len);
            store.set_marks(&number, (rows > 0).then(|| row.index(rows)), true);
        }
        store
    }

    fn extensions(&self) -> Vec<Extension> {
        self.stand.iter().map(|place| extension(*place)).collect()
    }
}

fn now() -> ZonedDateTime {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    "2024-06-15T10:00:00Z".parse::<Timestamp>().unwrap().to_zoned_datetime(zone)
}

fn arranged(
    store: &EventStore,
    extensions: &[Extension],
    filter: &Filter,
    how: (Grouping, EventOrder),
) -> Arrangement {
    store.arrange(extensions.iter(), filter, how.0, how.1, now().time_zone())
}

/// Key, events in order, events without the filter, marked ones.
type Group = (GroupKey, Vec<EventKey>, usize, usize);

fn groups_of(store: &EventStore, arrangement: &Arrangement) -> Vec<Group> {
    let key = |place: &Place| {
        let (listing, row) = store.at(arrangement, *place).unwrap();
        assert_eq!(Some(listing.extension()), arrangement.number(*place));
        listing.row(row).unwrap().key()
    };
    let group = |group: &EventGroup| {
        let keys = arrangement.places(group.rows.clone()).iter().map(key).collect();
        (store.key_of(arrangement, group).unwrap(), keys, group.listed, group.marked)
    };
    arrangement.groups().iter().map(group).collect()
}

/// All that a naive reading knows of an event.
struct Known {
    key: EventKey,
    place: (usize, usize),
    owner: Option<UserId>,
    url: String,
    note: String,
    method: Method,
    date: Option<Timestamp>,
    admitted: bool,
    marked: bool,
}

fn known(store: &EventStore, extensions: &[Extension], filter: &Filter) -> Vec<Known> {
    let mut all = Vec::new();
    for (place, extension) in extensions.iter().enumerate() {
        let Some(listing) = store.listing(&extension.number) else { continue };
        for row in 0..listing.len() {
            let event = listing.row(row).unwrap();
            all.push(Known {
                key: event.key(),
                place: (place, row),
                owner: extension.owner.as_ref().map(|owner| owner.id.clone()),
                url: event.url().raw().to_owned(),
                note: event.note().raw().to_owned(),
                method: event.method(),
                date: event.modified().instant(now().time_zone()),
                admitted: filter.admits_row(extension, row, store),
                marked: store.is_marked(&extension.number, row),
            });
        }
    }
    all
}

impl Known {
    fn group(&self, grouping: Grouping) -> GroupKey {
        match grouping {
            Grouping::Type => GroupKey::Type(self.key.event_type),
            Grouping::Extension => GroupKey::Extension(self.key.extension.clone()),
            Grouping::Host => {
                let host = host_of(&self.url).to_lowercase();
                GroupKey::Host((!host.is_empty()).then(|| host.into()))
            }
            Grouping::Note => GroupKey::Note(self.note.clone().into()),
            Grouping::Owner => GroupKey::Owner(self.owner.clone()),
            Grouping::Duplicates => GroupKey::Alike {
                extension: self.key.extension.clone(),
                event_type: self.key.event_type,
                method: self.method.clone(),
                url: self.url.clone().into(),
            },
        }
    }
}

/// What should come out.
fn naive(all: &[Known], grouping: Grouping, order: EventOrder) -> Vec<Group> {
    let mut keys: Vec<GroupKey> = Vec::new();
    for event in all {
        let key = event.group(grouping);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let of = |key: &GroupKey| {
        let mut of: Vec<&Known> =
            all.iter().filter(|event| event.group(grouping) == *key).collect();
        of.sort_by_key(|event| match order {
            EventOrder::Listed => (false, None, String::new(), event.place),
            EventOrder::Oldest => (event.date.is_none(), event.date, String::new(), event.place),
            EventOrder::Url => (event.url.is_empty(), None, event.url.clone(), event.place),
            EventOrder::Note => (event.note.is_empty(), None, event.note.clone(), event.place),
        });
        let listed = of.len();
        of.retain(|event| event.admitted);
        let marked = of.iter().filter(|event| event.marked).count();
        (key.clone(), of.iter().map(|event| event.key.clone()).collect::<Vec<_>>(), listed, marked)
    };
    let mut groups: Vec<Group> = keys.iter().map(of).collect();
    groups.retain(|(_, events, ..)| !events.is_empty());
    if grouping == Grouping::Duplicates {
        groups.retain(|(_, _, listed, _)| *listed > 1);
    }
    groups.sort_by_key(|(key, events, ..)| {
        let size = std::cmp::Reverse(events.len());
        match key {
            GroupKey::Type(event_type) => (event_type.number(), size, String::new()),
            GroupKey::Extension(_) | GroupKey::Alike { .. } => {
                (0, std::cmp::Reverse(0), String::new())
            }
            GroupKey::Host(None) | GroupKey::Owner(None) => (9999, size, String::new()),
            GroupKey::Note(note) if note.is_empty() => (9999, size, String::new()),
            GroupKey::Host(Some(text)) | GroupKey::Note(text) => (0, size, text.raw().to_owned()),
            GroupKey::Owner(Some(id)) => (id.as_str().parse().unwrap(), size, String::new()),
        }
    });
    groups
}

proptest! {
    #[test]
    fn an_arrangement_holds_what_the_filter_admits_each_once_and_grouped_as_the_rules_say(
        world in worlds(),
        filter in select(&FILTERS[..]),
        deleted in vec(any::<Index>(), 0..6),
        again in prop::option::of((0..NUMBERS.len(), events())),
    ) {
        let (mut store, extensions) = (world.store(), world.extensions());
        let all = known(&store, &extensions, &Filter::default());
        for event in deleted.iter().filter(|_| !all.is_empty()) {
            store.remove(&all[event.index(all.len())].key);
        }
        if let Some((place, events)) = again {
            store.insert(listing(NUMBERS[place], &events));
        }
        let filter = Filter::of_events(filter, &now()).unwrap();
        let all = known(&store, &extensions, &filter);
        let admitted: BTreeSet<&EventKey> =
            all.iter().filter(|event| event.admitted).map(|event| &event.key).collect();
        for grouping in Grouping::ALL {
            for order in EventOrder::ALL {
                let arrangement = arranged(&store, &extensions, &filter, (grouping, order));
                let groups = groups_of(&store, &arrangement);
                prop_assert_eq!(&groups, &naive(&all, grouping, order), "{:?} {:?}", grouping, order);
                let rows = arrangement.groups().iter().flat_map(|group| group.rows.clone());
                prop_assert!(rows.eq(0..arrangement.len()));
                if grouping != Grouping::Duplicates {
                    let shown = groups.iter().flat_map(|(_, events, ..)| events);
                    prop_assert_eq!(arrangement.len(), admitted.len());
                    prop_assert_eq!(&shown.collect::<BTreeSet<_>>(), &admitted);
                }
                let odd = extensions.iter().filter_map(|one| store.listing(&one.number));
                let odd: usize = odd.map(|listing| listing.odd().len()).sum();
                prop_assert_eq!(arrangement.odd().len(), if filter.is_empty() { odd } else { 0 });
            }
        }
    }

    #[test]
    fn of_each_set_of_duplicates_all_but_the_one_that_stays_are_what_is_duplicate_means(
        world in worlds(),
    ) {
        let (store, extensions) = (world.store(), world.extensions());
        let meant = Filter::of_events("is:duplicate", &now()).unwrap();
        let meant = known(&store, &extensions, &meant);
        let meant: Vec<&EventKey> =
            meant.iter().filter(|event| event.admitted).map(|event| &event.key).collect();
        let how = (Grouping::Duplicates, EventOrder::Listed);
        let arrangement = arranged(&store, &extensions, &Filter::default(), how);
        let mut go = Vec::new();
        for (group, (_, events, ..)) in arrangement.groups().iter().zip(groups_of(&store, &arrangement)) {
            let stays = arrangement.places(group.rows.clone()).iter().map(|p| arrangement.stays(*p));
            let (stay, gone): (Vec<_>, Vec<_>) = events.into_iter().zip(stays).partition(|one| one.1);
            prop_assert_eq!(stay.len(), 1);
            go.extend(gone.into_iter().map(|(key, _)| key));
        }
        prop_assert_eq!(go.iter().collect::<BTreeSet<_>>(), meant.into_iter().collect());
    }

    #[test]
    fn a_place_means_its_event_or_nothing_whatever_is_deleted_and_read_again(
        world in worlds(),
        deleted in vec(any::<Index>(), 0..12),
        again in (0..NUMBERS.len(), events()),
    ) {
        let (mut store, extensions) = (world.store(), world.extensions());
        let all = known(&store, &extensions, &Filter::default());
        let how = (Grouping::Host, EventOrder::Oldest);
        let arrange = |store: &EventStore| arranged(store, &extensions, &Filter::default(), how);
        let first = arrange(&store);
        let before: Vec<EventKey> =
            groups_of(&store, &first).into_iter().flat_map(|(_, events, ..)| events).collect();
        let mut gone = BTreeSet::new();
        for (round, place) in deleted.iter().enumerate() {
            if all.is_empty() {
                break;
            }
            let key = &all[place.index(all.len())].key;
            store.remove(key);
            gone.insert(key.clone());
            if round == deleted.len() / 2 {
                // One that is made later numbers the same rows.
                let later = arrange(&store);
                prop_assert_eq!(later.len() + gone.len(), before.len());
                groups_of(&store, &later);
            }
        }
        for (position, key) in before.iter().enumerate() {
            let place = first.places(position..position + 1)[0];
            let now = store.at(&first, place).map(|(listing, row)| listing.row(row).unwrap().key());
            prop_assert_eq!(&now, &(!gone.contains(key)).then(|| key.clone()));
            prop_assert_eq!(first.find(&store, key), now.map(|_| position));
        }
        store.insert(listing(NUMBERS[again.0], &again.1));
        for (position, key) in before.iter().enumerate() {
            let place = first.places(position..position + 1)[0];
            if key.extension.as_str() == NUMBERS[again.0] {
                let now = store.at(&first, place).map(|(it, row)| it.row(row).unwrap().key());
                // Only where the same rows are listed once more.
                prop_assert!(now.is_none_or(|now| now == *key));
            }
        }
    }

    #[test]
    fn where_events_only_go_letting_go_of_them_leaves_what_would_be_arranged_anew(
        world in worlds(),
        filter in select(&FILTERS[..]),
        grouping in select(vec![Grouping::Type, Grouping::Extension, Grouping::Owner]),
        order in select(&EventOrder::ALL[..]),
        deleted in vec(any::<Index>(), 0..12),
        at in any::<Index>(),
    ) {
        let (mut store, extensions) = (world.store(), world.extensions());
        let filter = Filter::of_events(filter, &now()).unwrap();
        prop_assume!(!filter.asks_standing());
        let mut thinned = arranged(&store, &extensions, &filter, (grouping, order));
        let before = groups_of(&store, &thinned);
        let before: Vec<&EventKey> = before.iter().flat_map(|(_, events, ..)| events).collect();
        let at = at.index(before.len().max(1));
        let mut in_front = 0;
        let all = known(&store, &extensions, &Filter::default());
        for place in deleted.iter().filter(|_| !all.is_empty()) {
            let key = &all[place.index(all.len())].key;
            let stood = before.iter().position(|shown| *shown == key);
            in_front += usize::from(store.remove(key) && stood.is_some_and(|stood| stood < at));
        }
        prop_assert_eq!(thinned.thin(&store, at), in_front);
        let anew = arranged(&store, &extensions, &filter, (grouping, order));
        let (mut thinned, mut anew) = (groups_of(&store, &thinned), groups_of(&store, &anew));
        if !filter.is_empty() {
            // How many of those outside the filter went is not looked at.
            thinned.iter_mut().chain(&mut anew).for_each(|group| group.2 = 0);
        }
        prop_assert_eq!(thinned, anew);
    }

    #[test]
    fn marks_are_counted_again_and_one_by_one_alike(
        world in worlds(),
        toggled in vec(any::<Index>(), 0..20),
    ) {
        let (mut store, extensions) = (world.store(), world.extensions());
        let how = (Grouping::Type, EventOrder::Listed);
        let mut arrangement = arranged(&store, &extensions, &Filter::default(), how);
        for position in toggled {
            if arrangement.is_empty() {
                break;
            }
            let position = position.index(arrangement.len());
            let place = arrangement.places(position..position + 1)[0];
            let (listing, row) = store.at(&arrangement, place).unwrap();
            let number = listing.extension().clone();
            let on = !store.is_marked(&number, row);
            store.set_marks(&number, [row], on);
            arrangement.note_mark(arrangement.group_at(position).unwrap(), on);
        }
        let noted: Vec<usize> = arrangement.groups().iter().map(|group| group.marked).collect();
        arrangement.count_marks(&store);
        let counted: Vec<usize> = arrangement.groups().iter().map(|group| group.marked).collect();
        prop_assert_eq!(noted, counted);
    }
}

#[test]
fn groups_stand_in_the_order_that_an_operator_looks_for() {
    let world = World {
        listed: vec![
            Some(vec![(9, 1, false, 2, 0, 1, 0), (0, 2, false, 2, 1, 1, 0)]),
            Some(vec![(2, 3, false, 5, 0, 1, 0), (0, 4, false, 3, 2, 1, 0)]),
            Some(vec![(0, 5, false, 1, 1, 1, 0), (0, 6, false, 6, 0, 1, 0)]),
            None,
            Some(vec![(1, 7, false, 0, 1, 1, 0)]),
        ],
        stand: vec![4, 2, 0, 1],
        marked: Vec::new(),
    };
    let (store, extensions) = (world.store(), world.extensions());
    for (grouping, expected) in [
        (Grouping::Type, "0 1 2 9"),
        (Grouping::Extension, "9 0003*211 0003*101 0003*210"),
        (Grouping::Host, "other.test:3 crm-old.acme.test:2 none:2"),
        (Grouping::Note, "old crm:3 CRM:1 :3"),
        (Grouping::Owner, "7 101 none"),
        (Grouping::Duplicates, ""),
    ] {
        let arrangement =
            arranged(&store, &extensions, &Filter::default(), (grouping, EventOrder::Listed));
        let groups = arrangement.groups().iter();
        let names = groups.map(|group| match store.key_of(&arrangement, group).unwrap() {
            GroupKey::Type(event_type) => event_type.number().to_string(),
            GroupKey::Extension(number) => number.to_string(),
            GroupKey::Host(host) => {
                let host = host.as_ref().map_or("none", |host| host.raw());
                format!("{host}:{}", group.rows.len())
            }
            GroupKey::Note(note) => format!("{}:{}", note.raw(), group.rows.len()),
            GroupKey::Owner(owner) => {
                owner.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
            }
            GroupKey::Alike { .. } => unreachable!(),
        });
        assert_eq!(names.collect::<Vec<_>>().join(" "), expected, "{grouping:?}");
    }
}

#[test]
fn groupings_and_orders_go_round() {
    let mut grouping = Grouping::default();
    for expected in ["type", "extension", "host", "note", "owner", "duplicates", "type"] {
        assert_eq!(grouping.word(), expected);
        grouping = grouping.next();
    }
    let mut order = EventOrder::default();
    for expected in ["list order", "oldest first", "URL", "note", "list order"] {
        assert_eq!(order.word(), expected);
        order = order.next();
    }
}

/// What owns nothing cannot hold a text.
#[test]
fn nothing_of_an_event_or_a_group_is_copied_but_numbers() {
    assert_eq!(std::mem::size_of::<Place>(), 4);
    assert!(!std::mem::needs_drop::<EventGroup>() && std::mem::size_of::<EventGroup>() <= 64);
}

#[test]
fn no_text_of_any_row_is_shared_or_copied_by_an_arrangement() {
    let mut store = EventStore::default();
    let number = ExtensionNumber::parse("77").unwrap();
    let mut builder = ListingBuilder::new(number.clone());
    for event in 0..500 {
        let (id, url) = (format!("id{event}"), format!("http://h{event}.test/"));
        let note = ["", "a note"][event % 2];
        builder.push(RawEvent { event_type: "0", id: &id, url: &url, note, ..RawEvent::default() });
    }
    store.insert(builder.finish(true));
    let held = |store: &EventStore| -> Vec<usize> {
        let bundles = store.strings.bundles.iter();
        bundles.map(|(_, bundle)| std::sync::Arc::strong_count(bundle)).collect()
    };
    let before = held(&store);
    let filter = Filter::of_events("http", &now()).unwrap();
    for grouping in Grouping::ALL {
        for order in EventOrder::ALL {
            let one = [Extension::of(number.clone())];
            let arrangement = arranged(&store, &one, &filter, (grouping, order));
            assert_eq!(held(&store), before, "{grouping:?} {order:?}");
            assert_eq!(arrangement.len(), if grouping == Grouping::Duplicates { 0 } else { 500 });
        }
    }
}
