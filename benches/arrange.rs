//! What grouping and sorting a million events cost (G10: at most 50 ms each), with few URLs and with a
//! million different ones. A plain program; times are medians.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a bench prints what it measured and stops where it cannot"
)]

use std::time::{Duration, Instant};

use callsweep::domain::{
    EventOrder, EventStore, Extension, ExtensionNumber, Filter, Foreign, Grouping, Listing,
    ListingBuilder, Owner, RawEvent, UserId,
};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

fn main() {
    let now = Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
    for many in [false, true] {
        let mut store = EventStore::default();
        let mut extensions = Vec::new();
        for place in 0..10_000_u32 {
            store.insert(listing(place, many));
            let owner = UserId::parse(&(place / 100).to_string()).unwrap();
            let owner = Some(Owner { id: owner, name: Foreign::default() });
            extensions.push(Extension { owner, ..Extension::of(number(place)) });
        }
        let urls = if many { "a million URLs" } else { "20 URLs" };
        for filter in ["", "crm7"] {
            for grouping in Grouping::ALL {
                let times = EventOrder::ALL.map(|order| {
                    let time = arrange(&store, &extensions, filter, (grouping, order), &now);
                    format!("{time:.1?} by {}", order.word())
                });
                let (grouping, times) = (grouping.word(), times.join(", "));
                println!("G10 {urls}, filter {filter:?}, group by {grouping}: {times}");
            }
        }
    }
}

fn arrange(
    store: &EventStore,
    extensions: &[Extension],
    filter: &str,
    (grouping, order): (Grouping, EventOrder),
    now: &ZonedDateTime,
) -> Duration {
    let filter = Filter::of_events(filter, now).unwrap();
    let once = |_| {
        let start = Instant::now();
        let all = store.arrange(extensions.iter(), &filter, grouping, order, now.time_zone());
        let time = start.elapsed();
        assert!(all.len() <= store.len());
        time
    };
    let mut times: Vec<Duration> = (0..7).map(once).collect();
    times.sort();
    times[times.len() / 2]
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
