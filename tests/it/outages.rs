//! A PBX in trouble: the program says so, waits, asks again by itself, and what it says of events is
//! what is true of them.

use std::time::Duration;

use callsweep::app::Leaving;
use callsweep::domain::Source;
use callsweep::simulator::{Fault, Refusal, World};

use crate::desk::{Desk, Setting};

/// A PBX of three extensions, with an address blocker.
const THREE: &str = "an-address-blocker-watches";
/// Four, without one: the simulator's clock is not turned, and to its blocker two minutes are a moment.
const FOUR: &str = "three-extensions-with-events";
const SECONDS: [u64; 2] = [3, 120];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn busy(retry_after: Option<&str>) -> Fault {
    let retry_after = retry_after.map(ToOwned::to_owned);
    Fault { status: Some(503), retry_after, ..Fault::default() }
}

fn reset() -> Fault {
    Fault { reset: true, ..Fault::default() }
}

fn fails(desk: &Desk, fault: &Fault) {
    desk.simulator.with_world(|world| world.add_fault(fault.clone()));
}

fn is_well(desk: &Desk) {
    desk.simulator.with_world(World::clear_faults);
}

fn asked(desk: &Desk) -> usize {
    desk.simulator.with_world(|world| world.requests().len())
}

/// The PBX is in trouble for so long; then there is time enough for everything to be asked again.
fn trouble(desk: &mut Desk, fault: &Fault, length: u64, meanwhile: &str) {
    fails(desk, fault);
    desk.do_keys(meanwhile);
    desk.passes(seconds(length));
    is_well(desk);
    desk.passes(seconds(100));
    let peak = desk.simulator.with_world(|world| world.blocker_peak());
    assert!(peak <= 16, "{peak} after {length} s of {fault:?}");
}

#[test]
fn a_start_waits_for_a_pbx_in_trouble_and_shows_what_there_is_once_it_answers() {
    let unanswered = Fault { no_answer: true, ..Fault::default() };
    let many = Fault { status: Some(429), ..Fault::default() };
    for (fault, says) in [
        (busy(None), "503"),
        (many, "429"),
        (reset(), "closed the connection"),
        (unanswered, "no answer within 1 s"),
    ] {
        let setting = Setting { patience: seconds(1), ..Setting::default() };
        let mut desk = Desk::before_reading("the-page", setting);
        fails(&desk, &fault);
        desk.settle();
        assert_eq!(desk.model.leaving(), &Leaving::No, "{says}");
        for text in ["WAITING", "waiting 1 s, then asking again", says] {
            desk.sees(text);
        }
        desk.passes(seconds(1));
        desk.sees("waiting 2 s");
        is_well(&desk);
        desk.passes(seconds(2));
        desk.sees("0003*210");
        desk.does_not_see("WAITING");
    }
}

#[test]
fn a_start_in_trouble_is_left_at_once_with_q_and_ctrl_c() {
    for key in ["q", "ctrl-c"] {
        let mut desk = Desk::before_reading("the-page", Setting::default());
        fails(&desk, &busy(None));
        desk.settle();
        desk.press(key);
        assert_eq!(desk.model.leaving(), &Leaving::Now { message: None }, "{key}");
    }
}

#[test]
fn what_waiting_does_not_mend_ends_a_start_with_the_reason() {
    for status in [403, 404] {
        let mut desk = Desk::before_reading("the-page", Setting::default());
        fails(&desk, &Fault { status: Some(status), ..Fault::default() });
        desk.settle();
        assert!(matches!(desk.model.leaving(), Leaving::Now { message: Some(_) }), "{status}");
    }
}

#[test]
fn a_pause_that_the_pbx_asks_for_is_kept_by_every_request_and_the_rows_are_read_by_themselves() {
    let mut desk = Desk::before_reading(THREE, Setting::default());
    desk.perform_one();
    let fault = Fault { status: Some(429), times: Some(3), ..busy(Some("6")) };
    fails(&desk, &fault);
    desk.settle();
    for _ in 0..3 {
        desk.sees("waiting 6 s");
        let before = asked(&desk);
        desk.passes(seconds(5));
        desk.sees("waiting 1 s");
        desk.do_keys("2 R 1 j R");
        desk.sees("asked for a pause");
        assert_eq!(asked(&desk), before, "asked before the pause was over");
        desk.passes(seconds(1));
        assert!(asked(&desk) > before);
    }
    desk.passes(seconds(10));
    desk.does_not_see("WAITING");
    desk.does_not_see("could not be read:");
    assert!(desk.model.is_all_loaded());
}

#[test]
fn what_was_not_read_in_an_outage_is_read_by_itself_and_what_is_refused_is_not() {
    for (length, fault) in SECONDS.into_iter().flat_map(|it| [(it, busy(None)), (it, reset())]) {
        let mut desk = Desk::before_reading(THREE, Setting::default());
        desk.simulator.with_world(|world| {
            world.extension_mut("0003*403").unwrap().refuse_list = Some(Refusal::ExtensionInvalid);
        });
        desk.perform_one();
        trouble(&mut desk, &fault, length, "j");
        let lists = |desk: &Desk, number: &str| {
            desk.simulator.with_world(|world| {
                let of = |seen: &&callsweep::simulator::Seen| seen.target.contains(number);
                world.requests().iter().filter(of).filter(|seen| seen.status == 400).count()
            })
        };
        desk.does_not_see("WAITING");
        assert!(lists(&desk, "0003*403") >= 1);
        let before = asked(&desk);
        desk.passes(seconds(100));
        assert_eq!(asked(&desk), before, "what is refused is not asked again by itself");
        // Rows that were read stay, look old, and become fresh again.
        fails(&desk, &fault);
        desk.do_keys("1 R");
        desk.sees("?");
        desk.sees("WAITING");
        is_well(&desk);
        desk.passes(seconds(100));
        assert_eq!(desk.model.not_read_again(), None);
    }
}

#[test]
fn a_review_whose_listing_fails_is_read_by_itself_and_can_be_confirmed_then() {
    for (length, fault) in
        SECONDS.into_iter().flat_map(|it| [(it, busy(None)), (it, busy(Some("9")))])
    {
        let mut desk = Desk::open("the-page");
        desk.do_keys("enter j space");
        let marked = desk.marked();
        fails(&desk, &fault);
        desk.do_keys("d");
        desk.sees("could not be read again");
        desk.sees("waiting");
        desk.do_keys("R");
        desk.passes(seconds(length));
        is_well(&desk);
        desk.passes(seconds(100));
        desk.does_not_see("could not be read again");
        desk.look();
        desk.do_keys("y");
        let left = desk.left("0003*210");
        assert!(marked.iter().all(|id| !left.contains(id)), "{left:?}");
    }
}

#[test]
fn in_a_run_while_it_checks_and_in_an_undo_the_screen_says_what_is_true_after_an_outage() {
    for length in SECONDS {
        for (method, fault) in [
            (Some("DELETE"), busy(None)),
            (Some("GET"), reset()),
            (None, busy(Some("6"))),
            (None, reset()),
        ] {
            let fault = Fault { method: method.map(ToOwned::to_owned), ..fault };
            let mut desk = Desk::open("the-page");
            let before = desk.left("0003*210").len();
            desk.do_keys("enter j space d");
            fails(&desk, &fault);
            desk.press("y");
            for _ in 0..3 {
                desk.perform_one();
            }
            trouble(&mut desk, &fault, length, "");
            if desk.left("0003*210").len() == before {
                desk.does_not_see("1 deleted");
                desk.do_keys("r y");
            }
            desk.sees("deleted");
            assert_eq!(desk.left("0003*210").len(), before - 1, "{length} s of {fault:?}");
            fails(&desk, &fault);
            desk.do_keys("z");
            is_well(&desk);
            desk.passes(seconds(100));
            desk.look();
            desk.do_keys("y");
            desk.sees("restored");
            assert_eq!(desk.left("0003*210").len(), before);
        }
    }
}

#[test]
fn where_the_budget_holds_r_asks_first_y_sends_one_get_and_the_rest_is_read_by_itself() {
    let mut desk = Desk::before_reading(THREE, Setting::default());
    desk.perform_one();
    fails(&desk, &reset());
    desk.settle();
    desk.passes(seconds(40));
    desk.sees("too many requests failed within a minute");
    let before = asked(&desk);
    desk.do_keys("R n");
    assert_eq!(asked(&desk), before);
    desk.does_not_see("Ask now?");
    is_well(&desk);
    desk.do_keys("R");
    desk.sees("One more may make the PBX block this address");
    desk.sees("y ask once");
    desk.do_keys("y");
    assert_eq!(asked(&desk), before + 1);
    desk.sees("WAITING");
    desk.passes(seconds(100));
    desk.does_not_see("WAITING");
    assert!(desk.model.is_all_loaded());
    desk.simulator.with_world(|world| assert!(world.blocker_peak() <= 15));
}

/// Every kind of trouble, for seconds and for minutes.
fn outages() -> impl Iterator<Item = (u64, Fault)> {
    let faults = [busy(None), busy(Some("6")), reset(), Fault { status: Some(429), ..busy(None) }];
    SECONDS.into_iter().flat_map(move |length| faults.clone().map(|fault| (length, fault)))
}

fn all_is_read(desk: &mut Desk) {
    desk.does_not_see("WAITING");
    assert_eq!(desk.model.extensions().found().len(), 4);
    let store = desk.model.store();
    assert!(desk.model.extensions().found().iter().all(|one| store.listing(&one.number).is_some()));
}

#[test]
fn after_an_outage_at_the_start_everything_is_read_by_itself() {
    for (length, fault) in outages() {
        let mut desk = Desk::before_reading(FOUR, Setting::default());
        trouble(&mut desk, &fault, length, "");
        all_is_read(&mut desk);
    }
}

#[test]
fn marks_by_a_rule_reach_every_extension_though_the_pbx_fails_while_the_rest_is_loaded() {
    for (length, fault) in outages() {
        let mut desk = Desk::before_reading(FOUR, Setting::default());
        desk.perform_one();
        fails(&desk, &fault);
        desk.do_keys("T t y p e : h a n g u p enter L");
        desk.sees("waiting ");
        desk.do_keys("d");
        assert_eq!(desk.marked().len(), 0);
        desk.sees("still loading 4 extensions");
        trouble(&mut desk, &fault, length, "");
        all_is_read(&mut desk);
        let hangups = desk.marked().len();
        assert!(hangups > 0, "{length} s of {fault:?}");
        desk.sees(&format!("* {hangups} marked"));
    }
}

#[test]
fn an_undo_that_loses_the_pbx_between_two_of_its_posts_says_what_is_true_and_makes_nothing_twice() {
    let posts = |desk: &Desk| {
        let is_post = |seen: &&callsweep::simulator::Seen| seen.method == "POST";
        desk.simulator.with_world(|world| world.requests().iter().filter(is_post).count())
    };
    for (length, fault) in outages() {
        let mut desk = Desk::open("the-page");
        desk.do_keys("space d y");
        desk.sees("3 deleted");
        desk.do_keys("z");
        desk.press("y");
        while posts(&desk) == 0 {
            desk.perform_one();
        }
        trouble(&mut desk, &fault, length, "");
        let there = desk.left("0003*210").len();
        desk.sees(&format!("{there} of 3 restored"));
        for _ in 0..3 {
            if desk.left("0003*210").len() < 3 {
                desk.do_keys("z");
                desk.passes(seconds(60));
                desk.look();
                desk.do_keys("y");
                desk.passes(seconds(60));
            }
        }
        assert_eq!(desk.left("0003*210").len(), 3, "{length} s of {fault:?}");
        desk.do_keys("z");
        desk.sees("there is nothing to undo");
    }
}

#[test]
fn a_source_in_trouble_is_asked_again_by_itself_and_what_it_may_hide_is_said_until_then() {
    let sources = &[Source::Presence, Source::SystemApi];
    let soap = |fault: Fault| Fault { path: Some("soap".to_owned()), ..fault };
    for (length, fault) in outages().filter(|(_, fault)| fault.retry_after.is_none()) {
        let setting = Setting { sources, ..Setting::default() };
        let mut desk = Desk::before_reading(FOUR, setting);
        fails(&desk, &soap(fault));
        desk.settle();
        desk.sees("0003*103");
        desk.does_not_see("0003*600");
        desk.sees("at least 3 ext");
        desk.sees("extensions may be missing, asking again in 10 s");
        desk.passes(seconds(length));
        is_well(&desk);
        desk.passes(seconds(200));
        desk.sees("0003*600");
        desk.does_not_see("at least");
        desk.does_not_see("may be missing");
        // A mark on what it hides for a while later on stays.
        desk.do_keys("1 G space");
        let marked = desk.marked();
        assert!(!marked.is_empty());
        fails(&desk, &soap(busy(None)));
        desk.do_keys("R");
        desk.sees("at least 4 ext");
        desk.sees("0003*600");
        assert_eq!(desk.marked(), marked);
    }
}
