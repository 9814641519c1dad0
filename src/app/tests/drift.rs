//! The review while its extensions are read again: what drifted, what `+` adds, and a yes on listings
//! that have grown old.

use super::*;
use crate::change::Difference;

/// Presses keys that open a review; nothing it asked for is answered yet.
fn open(keys: &str) -> Desk {
    let mut desk = Desk::open();
    let effects = desk.press_only(keys);
    let harmless = |effect| matches!(effect, &Effect::ListEvents { .. } | &Effect::Wait(_));
    assert!(effects.iter().all(harmless));
    assert!(desk.review().is_reading());
    desk
}

fn drifted(desk: &Desk) -> Vec<(String, Difference)> {
    let all = desk.review().drifted();
    all.map(|one| (one.key.id.to_string(), one.difference.clone())).collect()
}

fn refuse(desk: &mut Desk, extension: &str, http_status: u16) {
    let failure = Failure {
        http_status: Some(http_status),
        ..Failure::new(Cause::Rejected, "not allowed to look")
    };
    desk.answer_listing(extension, 0, Err(failure));
}

#[test]
fn every_extension_of_the_plan_is_listed_again_and_no_more_at_once_than_allowed() {
    let mut desk = Desk::open();
    let effects = desk.press_only("A d");
    assert_eq!(effects.len(), 2, "{effects:?}");
    assert_eq!(desk.review().progress(), (0, 2));
    desk.list("1", "0 a,0 o1,2 b,2 o2");
    assert_eq!(desk.review().progress(), (1, 2));
    desk.press_only("j t");
    assert!(desk.calls().len() == 2, "it is of use meanwhile");
    desk.list("2", "1 c");
    assert!(!desk.review().is_reading());
}

#[test]
fn a_yes_before_everything_is_read_is_dropped_and_not_kept_for_later() {
    let mut desk = open("A d");
    desk.look();
    assert_eq!(desk.press_only("y"), []);
    assert!(desk.notice().starts_with("still reading 2 extensions again"), "{}", desk.notice());
    desk.list("1", "0 a,0 o1,2 b,2 o2");
    desk.list("2", "1 c");
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Act(Act::Open(_)))));
    assert!(matches!(desk.press("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn what_was_typed_while_it_was_read_again_stays_where_nothing_differs() {
    let mut desk = Desk::with(Facts { protected: true, ..facts() });
    desk.press_only("space d");
    desk.look();
    desk.press_only("4");
    assert!(desk.review().hash().is_none(), "it is not what a run would have");
    let as_it_is = desk.as_it_is(&number("1"));
    desk.answer_listing("1", 0, Ok(as_it_is));
    assert!(desk.review().is_armed() && desk.review().hash().is_some());
    assert!(matches!(desk.press_only("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn drift_makes_a_review_unreadable_until_it_is_shown_with_it() {
    let mut desk = open("space d");
    desk.press_only("t");
    desk.look();
    assert_eq!(desk.calls().len(), 1);
    desk.list("1", "0 a,0 o1,2 b,2 o2,2 new");
    desk.effects.clear();
    assert_eq!(desk.press_only("y"), []);
    assert!(desk.notice().starts_with("not yet"), "{}", desk.notice());
    assert_eq!(drifted(&desk), [("new".to_owned(), Difference::Appeared)]);
    assert_eq!(desk.calls().len(), 4, "no wide call goes out over what appeared");
    desk.look();
    assert!(matches!(desk.press("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn a_yes_on_listings_older_than_a_minute_reads_them_again_and_counts_where_nothing_differs() {
    for (events, starts) in [("0 a,0 o1,2 b,2 o2", true), ("0 a,0 o1,2 b", false)] {
        let mut desk = Desk::open();
        desk.press("space d");
        desk.at += Duration::from_secs(61);
        let effects = desk.press_only("y");
        let asked = |effect: &Effect| matches!(effect, Effect::ListEvents { .. });
        assert!(effects.len() == 1 && effects.iter().all(asked), "{effects:?}");
        assert!(desk.review().is_agreed());
        desk.list("1", events);
        let opens = desk.effects.iter().any(|effect| matches!(effect, Effect::Act(Act::Open(_))));
        assert_eq!(opens, starts, "{}", desk.notice());
        assert_eq!(desk.model.dialog().is_none(), starts);
    }
    let mut desk = Desk::open();
    desk.press("space d");
    desk.at += Duration::from_secs(59);
    assert!(matches!(desk.press_only("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn a_yes_that_waits_for_younger_listings_is_taken_back_by_n_and_by_another_form() {
    for keys in ["n", "t"] {
        let mut desk = Desk::open();
        desk.press("space d");
        desk.at += Duration::from_secs(61);
        desk.press_only("y");
        desk.press_only(keys);
        desk.list("1", "0 a,0 o1,2 b,2 o2");
        assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Act(Act::Open(_)))));
    }
}

#[test]
fn plus_adds_what_changed_and_appeared_and_what_was_typed_counts_no_more() {
    let mut desk = Desk::with(Facts { protected: true, ..facts() });
    desk.press_only("space d");
    desk.look();
    desk.press_only("4");
    assert!(desk.review().is_armed());
    let mut builder = ListingBuilder::new(number("1"));
    for (id, url) in [("a", "https://other.test"), ("o1", "https://crm-old.test/in"), ("new", "")] {
        builder.push(RawEvent {
            event_type: "0",
            id,
            method: "1",
            url,
            status: "1",
            ..RawEvent::default()
        });
    }
    desk.answer_listing("1", 0, Ok(builder.finish(true)));
    assert_eq!(desk.calls(), ["1/phoneCallEvents/0/o1"]);
    assert!(!desk.review().is_armed() && desk.review().typed().is_empty());
    assert_eq!(desk.marked(), ["a", "o1"], "a changed event keeps its mark");
    desk.look();
    desk.press("1 +");
    assert_eq!(desk.calls().len(), 3);
    assert!(!desk.review().is_armed());
    assert_eq!(desk.marked(), ["a", "o1", "new"]);
    let gone: Vec<_> = drifted(&desk).into_iter().map(|(id, _)| id).collect();
    assert_eq!(gone, ["b", "o2"]);
    desk.press("n d");
    assert_eq!(drifted(&desk), [], "what was added is as it was marked now");
}

#[test]
fn what_cannot_be_listed_is_told_and_may_be_deleted_event_by_event_once_that_was_read() {
    let mut desk = open("enter j space d");
    desk.look();
    refuse(&mut desk, "1", 400);
    assert_eq!(desk.review().unreadable().len(), 1);
    assert_eq!(desk.press_only("y"), []);
    desk.look();
    assert!(matches!(desk.press("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn what_changed_is_left_out_also_where_the_last_extension_cannot_be_read() {
    let mut desk = open("A d");
    desk.list("1", "0 a,0 o1,2 b");
    refuse(&mut desk, "2", 400);
    let events = desk.review().events().iter();
    let ids: Vec<&str> = events.map(|event| event.key.id.as_str()).collect();
    assert_eq!(ids, ["a", "o1", "b", "c"]);
}

#[test]
fn what_could_not_be_read_for_the_review_is_listed_in_the_run_before_its_call() {
    let mut desk = Desk::open();
    desk.pass(Duration::from_secs(61));
    desk.press_only("enter j space d");
    refuse(&mut desk, "1", 400);
    desk.look();
    desk.press("y");
    desk.take(Message::Done(Done::Opened(Ok("r1".to_owned()))));
    assert!(matches!(desk.effects()[..], [.., Effect::Act(Act::List(_))]));
}

#[test]
fn r_in_a_review_reads_again_what_could_not_be_read() {
    let mut desk = open("enter j space d");
    refuse(&mut desk, "1", 400);
    let effects = desk.press_only("R");
    assert!(matches!(effects[..], [Effect::ListEvents { .. }]), "{effects:?}");
    desk.list("1", "0 a,0 o1,2 b,2 o2");
    assert!(desk.review().unreadable().is_empty());
    assert_eq!(desk.press_only("R"), []);
}

#[test]
fn a_refused_token_gives_up_the_extensions_that_were_not_asked_yet() {
    let mut desk = Desk::with(Facts { concurrency: 1, ..facts() });
    assert_eq!(desk.press_only("A d").len(), 1);
    refuse(&mut desk, "1", 401);
    assert!(!desk.review().is_reading() && desk.effects.is_empty());
    assert_eq!(desk.review().unreadable().len(), 2);
}

#[test]
fn a_review_of_which_nothing_is_left_closes_and_says_so() {
    let mut desk = open("enter j space d");
    desk.list("1", "0 o1");
    assert!(desk.model.dialog().is_none() && desk.effects.is_empty());
    assert!(desk.notice().contains("nothing is left to delete"), "{}", desk.notice());
}

#[test]
fn where_all_changed_there_is_no_plan_until_it_is_added() {
    let mut desk = open("enter j space d");
    let mut builder = ListingBuilder::new(number("1"));
    builder.push(RawEvent {
        event_type: "0",
        id: "a",
        url: "https://other.test",
        ..RawEvent::default()
    });
    desk.answer_listing("1", 0, Ok(builder.finish(true)));
    assert!(desk.review().plan().is_none());
    assert_eq!(desk.press("y"), []);
    desk.press("+");
    assert!(matches!(desk.press("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn a_listing_that_was_asked_before_the_review_is_not_fresh_enough() {
    let mut desk = Desk::open();
    desk.press_only("enter j space R d");
    desk.list("1", "0 a,0 o1,2 b,2 o2");
    assert!(desk.review().is_reading());
    let again = Effect::ListEvents { extension: number("1"), epoch: 1, below: None };
    assert!(desk.effects.contains(&again), "{:?}", desk.effects);
    desk.answer_listing("1", 1, Ok(listing("1", "0 a,0 o1,2 b,2 o2")));
    assert!(!desk.review().is_reading());
}
