//! Under an address blocker: whatever the service refuses, it never strikes, and the operator is
//! told why nothing more is asked.

use callsweep::app::Leaving;
use callsweep::domain::Secret;
use callsweep::simulator::{Blocker, Extension, Fault, Kind, Refusal, World};

use crate::desk::{Desk, Setting};

const WATCHED: &str = "an-address-blocker-watches";

/// Three hundred phones that presence lists and of which every `alive`th can be read.
fn dead_phones(world: &mut World, alive: usize) {
    for phone in 0..300 {
        let number = format!("0009*{phone:03}");
        let mut extension = Extension::new(&number, Kind::Terminal, "");
        extension.refuse_list = (phone % alive != 0).then_some(Refusal::ExtensionInvalid);
        world.insert(extension);
    }
}

/// What an impatient operator does: looks at every row, asks again, asks for all.
fn insist(desk: &mut Desk) {
    for _ in 0..40 {
        desk.do_keys("j enter R 1");
    }
    desk.do_keys("R A");
}

fn assert_never_struck(desk: &Desk) {
    desk.simulator.with_world(|world| {
        let limit = usize::try_from(Blocker::default().failures).unwrap();
        assert!(!world.blocked());
        assert!(world.blocker_peak() < limit, "{} failures within a minute", world.blocker_peak());
    });
}

#[test]
fn a_wrong_token_is_tried_once_and_the_program_ends_with_the_reason() {
    let desk =
        Desk::with(WATCHED, Setting { token: Some(Secret::new("wrong")), ..Setting::default() });
    let Leaving::Now { message: Some(message) } = desk.model.leaving() else {
        panic!("still there");
    };
    assert!(
        message.contains("access_denied: The access token is missing or not valid"),
        "{message}"
    );
    assert_never_struck(&desk);
}

#[test]
fn a_token_that_expires_stops_the_listing_at_once() {
    let mut desk = Desk::before_reading(WATCHED, Setting::default());
    desk.simulator.with_world(|world| dead_phones(world, 1));
    desk.perform_one();
    desk.simulator.with_world(|world| world.set_token("another"));
    desk.settle();
    desk.sees("reading stopped");
    desk.sees("replace the token that auth in the profile names");
    insist(&mut desk);
    assert_never_struck(&desk);
}

#[test]
fn three_hundred_dead_extensions_never_wake_the_blocker() {
    let mut desk = Desk::before_reading(WATCHED, Setting::default());
    desk.simulator.with_world(|world| dead_phones(world, usize::MAX));
    desk.settle();
    desk.sees("reading stopped");
    desk.sees("extension_invalid");
    insist(&mut desk);
    desk.sees("as too many requests failed");
    assert_never_struck(&desk);
}

#[test]
fn dead_extensions_between_living_ones_never_wake_it_either() {
    let mut desk = Desk::before_reading(WATCHED, Setting::default());
    desk.simulator.with_world(|world| dead_phones(world, 2));
    desk.settle();
    desk.sees("as too many requests failed within a minute");
    insist(&mut desk);
    assert_never_struck(&desk);
}

#[test]
fn a_service_that_begins_to_refuse_everything_never_wakes_it() {
    for (status, code) in [(403, "access_denied"), (500, "internal_server_error"), (503, "busy")] {
        let mut desk = Desk::open(WATCHED);
        desk.simulator.with_world(|world| {
            let fault =
                Fault { status: Some(status), code: Some(code.to_owned()), ..Fault::default() };
            world.add_fault(fault);
        });
        insist(&mut desk);
        desk.do_keys("1 g g space d y");
        insist(&mut desk);
        desk.sees("WAITING");
        assert_never_struck(&desk);
    }
}

#[test]
fn a_service_that_works_is_asked_as_often_as_the_operator_likes() {
    let mut desk = Desk::open(WATCHED);
    insist(&mut desk);
    desk.simulator.with_world(|world| assert_eq!(world.blocker_peak(), 0));
    desk.does_not_see("not asked");
}
