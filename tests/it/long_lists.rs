//! Lists longer than the service hands out at once: read to their end, or known not to be.

use std::collections::HashSet;

use callsweep::simulator::World;

use crate::writing::Pbx;

/// An extension with so many events, spread over so many types.
fn with(count: u16, types: u16) -> Pbx {
    let pbx = Pbx::open();
    pbx.simulator.with_world(|world: &mut World| {
        let extension = world.extension_mut("0003*210").unwrap();
        let pattern = extension.events[0].clone();
        extension.events.clear();
        for place in 0..count {
            let mut event = pattern.clone();
            event.event_type = place % types;
            event.id = format!("e{place}");
            extension.events.push(event);
        }
    });
    pbx
}

fn ids(pbx: &Pbx) -> (usize, bool) {
    let listing = pbx.listing();
    let ids: HashSet<_> =
        (0..listing.len()).map(|row| listing.row(row).unwrap().id().to_owned()).collect();
    assert_eq!(ids.len(), listing.len(), "an event is listed twice");
    (ids.len(), listing.is_complete())
}

#[test]
fn all_events_are_there_up_to_the_last_that_one_list_hands_out() {
    for count in [4_999, 5_000, 5_001, 9_998] {
        assert_eq!(ids(&with(count, 5)), (count.into(), true));
    }
}

#[test]
fn a_longer_list_is_read_type_by_type_and_whole() {
    let pbx = with(12_000, 3);
    assert_eq!(ids(&pbx), (12_000, true));
    let unknown = with(12_000, 7);
    assert_eq!(ids(&unknown), (12_000, true), "types without a name are listed too");
}

#[test]
fn a_type_that_is_too_long_by_itself_leaves_the_listing_incomplete_and_says_so() {
    let (count, complete) = ids(&with(12_000, 1));
    assert_eq!((count, complete), (9_998, false));
}
