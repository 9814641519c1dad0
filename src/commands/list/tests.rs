//! `T` and `/` on the screen, `list --where` and `delete --where` mean the same events.

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use proptest::prelude::*;

use super::*;
use crate::app::{Facts, Key, Message, Model, Moment, update};
use crate::commands::arguments::Common;
use crate::config::Flags;
use crate::domain::{
    EventKey, EventStore, Expression, ExtensionKind, Filter, ListingBuilder, NotSelected, Owner,
    RawEvent, Standing, Target, UserId, selecting,
};

/// The arguments of a command, read as from its command line.
#[derive(clap::Parser)]
struct Probe {
    #[command(flatten)]
    selection: SelectionArguments,
}

const EXPRESSIONS: &[&str] = &[
    "type:hangup",
    "type:0|9 -status:on",
    " -type:dial-in",
    "ext:0003*2??",
    "ext:0003*210|0003*101 crm",
    "id:a*|?2",
    "url:*crm-old*",
    "host:*.acme.test note:?*",
    "note:\"old crm\"",
    "method:get|7",
    " -status:off",
    "status:off|\"paused\"",
    "modified:<2024-01-01",
    "modified:2023-06..2024",
    " -modified:2024-01-01..2024-12-31 lobby",
    "age:>1y|<2d",
    "is:duplicate status:off",
    " -is:duplicate",
    " -age:<90d",
    "kind:queue|phone -type:0",
    " -kind:queue",
    "owner:101 status:on",
    "label:LOB*|r?ception",
    "host:crm.acme.test:8443",
    "ext:0003* -ext:0003*101",
    "RÉCEPTION",
    "0003 -\"old crm\"|b1",
    "ext:*",
    "nothing",
];

type Event = (u16, String, usize, usize, usize, usize, usize);

fn worlds() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let event =
        (0..7_u16, "[abX][0-3]{1,2}", 0..4_usize, 0..5_usize, 0..4_usize, 0..4_usize, 0..8_usize);
    prop::collection::vec(prop::collection::vec(event, 0..12), 1..5)
}

fn found(world: &[Vec<Event>]) -> Vec<(Extension, Listing)> {
    let names = [("0003*101", "Lobby"), ("0003*210", "Réception"), ("0003*211", ""), ("77", "crm")];
    let shelves = names.iter().zip(world).map(|((number, label), events)| {
        let number = ExtensionNumber::parse(number).unwrap();
        let mut builder = ListingBuilder::new(number.clone());
        for (event_type, id, method, url, note, status, modified) in events {
            builder.push(RawEvent {
                event_type: &event_type.to_string(),
                id,
                method: ["0", "1", "", "7"][*method],
                url: [
                    "https://crm-old.acme.test/in",
                    "https://CRM.acme.test:8443/x?a|b",
                    "http://other.test",
                    "no url",
                    "",
                ][*url],
                note: ["", "old crm", "CRM", "lobby"][*note],
                status: ["0", "1", "paused", ""][*status],
                modified: [
                    "",
                    "2023-05-01T10:00:00Z",
                    "2024-05-01T10:00:00+02:00",
                    "2024-05-01T10:00:00.5Z",
                    "once",
                    "2023-12-31T23:30:00-05:00",
                    "2024-05-01 10:00:00",
                    "2999-01-01",
                ][*modified],
            });
        }
        let kind = match *label {
            "Lobby" => Some(ExtensionKind::Queue),
            "crm" => Some(ExtensionKind::parse("voicecenter").unwrap()),
            "" => Some(ExtensionKind::Phone),
            _ => None,
        };
        let owner = |id| Owner { id: UserId::parse(id).unwrap(), name: "Ann".into() };
        let owner = (!label.is_empty()).then(|| owner(if *label == "crm" { "101" } else { "7" }));
        let extension = Extension { label: (*label).into(), kind, owner, ..Extension::of(number) };
        (extension, builder.finish(true))
    });
    shelves.collect()
}

fn keys_of(store: &EventStore) -> Vec<EventKey> {
    store.marked_rows().map(|(listing, row)| listing.row(row).unwrap().key()).collect()
}

fn by_screen(found: &[(Extension, Listing)], expression: &str) -> Vec<EventKey> {
    let user = UserId::parse("@me").unwrap();
    let facts = Facts::of(Target::new("acme", "https://pbx.test", "/uapi", user).unwrap());
    let (mut model, _) = Model::new(facts, 80, 24);
    let extensions = found.iter().map(|(extension, _)| extension.clone()).collect();
    let discovery =
        Discovery { extensions, remarks: Vec::new(), complete: true, ..Discovery::default() };
    let mut messages = vec![Message::Discovered { result: Ok(discovery), exchanges: Vec::new() }];
    messages.extend(found.iter().map(|(extension, listing)| Message::Listed {
        extension: extension.number.clone(),
        epoch: 0,
        result: Ok(listing.clone()),
        exchanges: Vec::new(),
    }));
    messages.push(Message::Pressed(Key::parse("T").unwrap()));
    messages.push(Message::Pasted(expression.to_owned()));
    messages.push(Message::Pressed(Key::parse("enter").unwrap()));
    for message in messages {
        let local = now();
        update(&mut model, message, Moment { local, ..Moment::default() });
    }
    keys_of(model.store())
}

#[expect(clippy::disallowed_methods, reason = "the command line asks for the time itself")]
fn now() -> jiff::ZonedDateTime {
    jiff::ZonedDateTime::now()
}

fn wanted(expression: &str) -> Wanted {
    let probe = Probe::try_parse_from(["probe", &format!("--where={expression}")]).unwrap();
    probe.selection.wanted(&Flags::default()).unwrap()
}

fn by_list(found: &[(Extension, Listing)], expression: &str) -> Vec<EventKey> {
    let report = Report {
        extensions: found.iter().map(|(one, listing)| (one.clone(), Ok(listing.clone()))).collect(),
        wanted: wanted(expression),
        all_sources: true,
    };
    let events = report.listings().flat_map(|(one, listing)| report.events_of(one, listing));
    events.map(|event| event.key()).collect()
}

fn by_delete(found: &[(Extension, Listing)], expression: &str) -> Vec<EventKey> {
    let wanted = wanted(expression);
    let mut store = EventStore::default();
    for (extension, listing) in found {
        let rows = wanted.rows(extension, listing);
        store.insert(listing.clone());
        store.set_marks(&extension.number, rows, true);
    }
    keys_of(&store)
}

/// What the filter of the screen shows, asked event by event.
fn by_filter(found: &[(Extension, Listing)], expression: &str) -> Vec<EventKey> {
    let filter = Filter::of_events(expression, &now()).unwrap();
    let mut store = EventStore::default();
    let mut keys = Vec::new();
    for (extension, listing) in found {
        store.insert(listing.clone());
        let rows = 0..listing.len();
        let shown: Vec<_> = rows.filter(|row| filter.admits_row(extension, *row, &store)).collect();
        assert_eq!(filter.rows(extension, &store).0, shown, "{expression}");
        keys.extend(shown.iter().map(|row| listing.row(*row).unwrap().key()));
    }
    keys
}

proptest! {
    #[test]
    fn the_screen_list_and_delete_mean_the_same_events(world in worlds()) {
        let found = found(&world);
        for expression in EXPRESSIONS {
            let listed = by_list(&found, expression);
            prop_assert_eq!(&by_screen(&found, expression), &listed, "T {}", expression);
            prop_assert_eq!(&by_filter(&found, expression), &listed, "filter {}", expression);
            prop_assert_eq!(&by_delete(&found, expression), &listed, "delete {}", expression);
        }
    }
}

/// What a POSIX shell makes of a line of words and single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut inside, mut characters) = (false, line.chars());
    while let Some(character) = characters.next() {
        match (character, inside) {
            ('\'', _) => inside = !inside,
            (' ', false) => words.push(String::new()),
            ('\\', false) => words.last_mut().unwrap().extend(characters.next()),
            (other, _) => words.last_mut().unwrap().push(other),
        }
    }
    words
}

/// What these arguments select when everything is listed.
fn by_line(found: &[(Extension, Listing)], line: &str) -> Vec<EventKey> {
    let arguments = ["probe".to_owned()].into_iter().chain(words(line));
    let matches = Probe::command().try_get_matches_from(arguments).unwrap();
    let probe = Probe::from_arg_matches(&matches).unwrap();
    let flags = Common::of(&matches).flags;
    let wanted = probe.selection.named(&flags).unwrap();
    let named = wanted.extensions();
    let is_asked =
        |one: &Extension| named.is_empty() || named.iter().any(|named| named.number == one.number);
    let listed: Vec<_> = found.iter().filter(|(one, _)| is_asked(one)).collect();
    let listings: Vec<_> = listed.iter().map(|(_, listing)| listing).collect();
    assert!(wanted.unlisted(&listings).is_empty(), "{line}");
    let keys = listed.iter().flat_map(|(extension, listing)| {
        let rows = wanted.rows(extension, listing).into_iter();
        rows.map(|row| listing.row(row).unwrap().key())
    });
    keys.collect()
}

proptest! {
    #[test]
    fn the_line_that_selects_the_marks_again_selects_exactly_them(
        world in worlds(),
        last in prop::option::of(prop::sample::select(EXPRESSIONS)),
        toggled in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        whole in prop::option::of(0..4_usize),
        unlisted in prop::option::weighted(0.3, 0..4_usize),
    ) {
        let found = found(&world);
        let mut store = EventStore::default();
        let listed = found.iter().enumerate().filter(|(place, _)| Some(*place) != unlisted);
        let listed: Vec<_> = listed.map(|(_, one)| one).collect();
        let last = last.map(|text| Expression::parse(text, &now(), &Standing::ALL).unwrap());
        for (extension, listing) in &listed {
            store.insert(listing.clone());
            if let Some(last) = &last {
                store.set_marks_where(last, extension, true);
            }
        }
        if let Some((extension, listing)) = whole.and_then(|place| listed.get(place)) {
            store.set_marks(&extension.number, 0..listing.len(), true);
        }
        for toggled in toggled.iter().filter(|_| !listed.is_empty()) {
            let (extension, listing) = listed[toggled.index(listed.len())];
            if !listing.is_empty() {
                let row = toggled.index(listing.len());
                let on = !store.is_marked(&extension.number, row);
                store.set_marks(&extension.number, [row], on);
            }
        }
        let extensions: Vec<_> = found.iter().map(|(extension, _)| extension.clone()).collect();
        match selecting(&store, &extensions, last.as_ref(), &now()) {
            Ok(line) => {
                let (mut again, mut marked) = (by_line(&found, &line), keys_of(&store));
                again.sort();
                marked.sort();
                prop_assert_eq!(again, marked, "{}", line);
            }
            Err(NotSelected::Nothing) => prop_assert_eq!(store.marked(), 0),
            Err(NotSelected::None) => prop_assert!(store.marked_extensions() > 0),
            Err(NotSelected::TooLong { .. }) => prop_assert!(false, "so few are never too long"),
        }
    }
}

#[test]
fn the_expressions_of_that_comparison_mean_some_events_and_not_all() {
    let every = |place: usize| {
        let event = |n: usize| {
            let event_type = u16::try_from(n % 7).unwrap();
            (
                event_type,
                format!("{}{n}", ["a", "b", "X"][n % 3]),
                n % 5 % 4,
                (n + place) % 5,
                n / 2 % 4,
                n / 3 % 4,
                n % 8,
            )
        };
        (0..40).map(event).collect()
    };
    let found = found(&(0..4).map(every).collect::<Vec<_>>());
    let all = by_list(&found, "ext:*").len();
    let narrow = EXPRESSIONS.iter().filter(|text| (1..all).contains(&by_list(&found, text).len()));
    assert_eq!(narrow.count(), EXPRESSIONS.len() - 2);
}
