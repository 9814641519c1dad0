//! The review while its extensions are read again: what drifted, what `+` adds, and an early yes.

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
    assert!(desk.calls().len() == 5, "it is of use meanwhile");
    desk.list("2", "1 c");
    assert!(!desk.review().is_reading());
}

#[test]
fn an_early_yes_starts_the_run_once_everything_was_read_and_is_as_it_was() {
    let mut desk = open("A d y");
    assert!(desk.review().is_agreed());
    desk.list("1", "0 a,0 o1,2 b,2 o2");
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Act(Act::Open(_)))));
    desk.list("2", "1 c");
    assert!(desk.effects.iter().any(|effect| matches!(effect, Effect::Act(Act::Open(_)))));
    assert!(desk.model.dialog().is_none());
}

#[test]
fn an_early_yes_is_taken_back_by_n_and_by_any_other_call_form() {
    let mut desk = open("space d");
    desk.press_only("y n");
    assert!(desk.model.dialog().is_none());
    desk.list("1", "0 a,0 o1,2 b,2 o2");
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Act(Act::Open(_)))));
    let mut desk = open("space d y t");
    assert!(!desk.review().is_agreed());
    desk.list("1", "0 a,0 o1,2 b,2 o2");
    assert!(desk.effects.is_empty(), "{:?}", desk.effects);
}

#[test]
fn drift_withdraws_an_early_yes_and_needs_a_new_one() {
    let mut desk = open("space d y");
    desk.list("1", "0 a,0 o1,2 b,2 o2,2 new");
    assert!(!desk.review().is_agreed() && desk.effects.is_empty());
    assert!(desk.notice().contains("y again"), "{}", desk.notice());
    assert_eq!(drifted(&desk), [("new".to_owned(), Difference::Appeared)]);
    assert_eq!(desk.calls().len(), 4, "no wide call goes out over what appeared");
    assert!(matches!(desk.press("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn plus_adds_what_changed_and_appeared_and_what_was_typed_counts_no_more() {
    let mut desk = Desk::with(Facts { protected: true, ..facts() });
    desk.press_only("space d 4");
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
    assert!(!desk.review().is_armed() && desk.review().typed.is_empty());
    assert_eq!(desk.marked(), ["a", "o1"], "a changed event keeps its mark");
    desk.press("1 +");
    assert_eq!(desk.calls(), ["1/phoneCallEvents"]);
    assert!(!desk.review().is_armed());
    assert_eq!(desk.marked(), ["a", "o1", "new"]);
    let gone: Vec<_> = drifted(&desk).into_iter().map(|(id, _)| id).collect();
    assert_eq!(gone, ["b", "o2"]);
    desk.press("n d");
    assert_eq!(drifted(&desk), [], "what was added is as it was marked now");
}

#[test]
fn what_cannot_be_listed_is_told_and_may_be_deleted_event_by_event_after_a_new_yes() {
    let mut desk = open("enter j space d y");
    refuse(&mut desk, "1", 400);
    assert!(!desk.review().is_agreed() && desk.effects.is_empty());
    assert_eq!(desk.review().unreadable().len(), 1);
    assert!(matches!(desk.press("y")[..], [Effect::Act(Act::Open(_))]));
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
    let mut desk = open("enter j space d y");
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
    let again = Effect::ListEvents { extension: number("1"), epoch: 1 };
    assert!(desk.effects.contains(&again), "{:?}", desk.effects);
    desk.answer_listing("1", 1, Ok(listing("1", "0 a,0 o1,2 b,2 o2")));
    assert!(!desk.review().is_reading());
}
