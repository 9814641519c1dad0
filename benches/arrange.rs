//! What grouping, sorting, filtering and marking a million events cost (G10: at most 50 ms each), with
//! few URLs and with a million different ones. A plain program that fails where a goal is missed. It
//! counts the time that the processor spent, which other programs do not lengthen; figures are medians.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a bench prints what it measured and stops where it cannot"
)]

use std::process::ExitCode;
use std::time::Duration;

use callsweep::app::{Facts, Key, Message, Model, Moment, update};
use callsweep::domain::{
    Discovery, EventOrder, EventStore, Expression, Extension, ExtensionNumber, Filter, Foreign,
    Grouping, Listing, ListingBuilder, Owner, RawEvent, Standing, Target, UserId,
};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

const GOAL: Duration = Duration::from_millis(50);
const ROUNDS: usize = 7;

fn main() -> ExitCode {
    let now = Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
    let mut missed = 0;
    for many in [false, true] {
        let mut store = EventStore::default();
        let mut extensions = Vec::new();
        for place in 0..10_000_u32 {
            store.insert(listing(place, many));
            let owner = UserId::parse(&(place / 100).to_string()).unwrap();
            let owner = Some(Owner { id: owner, name: Foreign::default() });
            extensions.push(Extension { owner, ..Extension::of(number(place)) });
        }
        let world = if many { "a million URLs" } else { "20 URLs" };
        let mut told = |what: String, time: Duration| {
            let word = if time <= GOAL { "met" } else { "MISSED" };
            missed += usize::from(time > GOAL);
            println!("G10 {world}, {what}: {time:.1?} (at most {GOAL:?}): {word}");
        };
        for filter in ["", "crm7"] {
            for grouping in Grouping::ALL {
                for order in EventOrder::ALL {
                    let time = arrange(&store, &extensions, filter, (grouping, order), &now);
                    let (by, order) = (grouping.word(), order.word());
                    told(format!("filter {filter:?}, group by {by}, {order}"), time);
                }
            }
        }
        for (what, time) in pressed(desk(&store, &extensions)) {
            told(what, time);
        }
        for text in EXPRESSIONS {
            let how = (Grouping::Type, EventOrder::Listed);
            told(format!("filter {text:?}"), arrange(&store, &extensions, text, how, &now));
            let [counted, marked] = mark(&mut store, &extensions, text, &now);
            told(format!("counting {text:?} while it is typed"), counted);
            told(format!("marking {text:?}"), marked);
        }
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const EXPRESSIONS: [&str; 9] = [
    "7",
    "-crm7",
    "type:hangup",
    "host:crm7.acme.test",
    "url:*crm7*",
    "note:\"old crm\"",
    "modified:>2019",
    "is:duplicate",
    "status:off",
];

/// The program with all of this listed, everything marked, and all extensions shown.
fn desk(store: &EventStore, extensions: &[Extension]) -> Model {
    let user = UserId::parse("@me").unwrap();
    let target = Target::new("bench", "https://pbx.test", "/uapi", user).unwrap();
    let (mut model, _) = Model::new(Facts::of(target), 120, 40);
    let discovery =
        Discovery { extensions: extensions.to_vec(), complete: true, ..Discovery::default() };
    let found = Message::Discovered { result: Ok(discovery), exchanges: Vec::new() };
    update(&mut model, found, Moment::default());
    for Extension { number, .. } in extensions {
        let result = Ok(store.listing(number).unwrap().clone());
        let (extension, epoch) = (number.clone(), 0);
        let listed = Message::Listed { extension, epoch, result, exchanges: Vec::new() };
        update(&mut model, listed, Moment::default());
    }
    for key in ["0", "A"] {
        update(&mut model, Message::Pressed(Key::parse(key).unwrap()), Moment::default());
    }
    assert_eq!(model.store().marked(), store.len());
    model
}

/// What keys cost where everything is marked and in sight, each after those before it.
fn pressed(mut model: Model) -> Vec<(String, Duration)> {
    let press = |model: &mut Model, keys: &str| {
        let mut time = Duration::ZERO;
        for key in keys.split(' ') {
            let start = spent();
            update(model, Message::Pressed(Key::parse(key).unwrap()), Moment::default());
            time = spent().saturating_sub(start);
        }
        time
    };
    let mut timed = |before: &str, key: &str, after: &str| {
        let once = || {
            press(&mut model, before);
            let time = press(&mut model, key);
            press(&mut model, after);
            time
        };
        (format!("everything marked, {key} after {before}"), median(once))
    };
    vec![
        timed("/ c r m", "7", "esc"),
        timed("/ c r m 7", "enter", "esc"),
        timed("1 / c r m", "7", "esc 2"),
        timed("o o o o", "o", "o"),
        timed("s s s", "s", "s"),
        timed("T c r m", "7", "esc"),
        timed("U T c r m 7", "enter", "A"),
        timed("esc", "i", "i"),
        timed("esc", "U", "A"),
        timed("U", "A", "esc"),
    ]
}

fn arrange(
    store: &EventStore,
    extensions: &[Extension],
    filter: &str,
    (grouping, order): (Grouping, EventOrder),
    now: &ZonedDateTime,
) -> Duration {
    let filter = Filter::of_events(filter, now).unwrap();
    median(|| {
        let start = spent();
        let all = store.arrange(extensions.iter(), &filter, grouping, order, now.time_zone());
        let time = spent().saturating_sub(start);
        assert!(all.len() <= store.len());
        time
    })
}

/// Time to count what an expression means, and to mark that.
fn mark(
    store: &mut EventStore,
    extensions: &[Extension],
    text: &str,
    now: &ZonedDateTime,
) -> [Duration; 2] {
    let expression = Expression::parse(text, now, &Standing::ALL).unwrap();
    let counted = median(|| {
        let start = spent();
        assert!(store.meant(&expression, extensions).events <= store.len());
        spent().saturating_sub(start)
    });
    let marked = median(|| {
        let start = spent();
        for extension in extensions {
            store.set_marks_where(&expression, extension, true);
        }
        let time = spent().saturating_sub(start);
        store.unmark_all();
        time
    });
    [counted, marked]
}

fn median(mut once: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| once()).collect();
    times.sort();
    times[times.len() / 2]
}

/// How long this process has been on a processor. `/proc/self/schedstat` tells it in steps of 4 ms.
fn spent() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    spent.try_into().unwrap()
}

fn number(place: u32) -> ExtensionNumber {
    ExtensionNumber::parse(&format!("{:04}*{:03}", place / 1000, place % 1000)).unwrap()
}

/// A hundred events, dates in no order.
fn listing(place: u32, many_urls: bool) -> Listing {
    let mut builder = ListingBuilder::new(number(place));
    for event in 0..100 {
        let mixed = (u64::from(place * 100 + event) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let second = i64::try_from(mixed % 300_000_000).unwrap() + 1_400_000_000;
        let hook = if many_urls { format!("&hook={mixed:016x}") } else { String::new() };
        builder.push(RawEvent {
            event_type: &(event % 5).to_string(),
            id: &format!("Nqey{place:08}{event:08}DRqo4Ftabm"),
            method: "1",
            url: &format!("https://crm{}.acme.test/telephony/in?src=pbx{hook}", event % 20),
            note: ["CRM", "", "old crm"][usize::try_from(event % 3).unwrap()],
            status: if mixed.is_multiple_of(7) { "0" } else { "1" },
            modified: &Timestamp::from_second(second).unwrap().to_string(),
        });
    }
    builder.finish(true)
}
