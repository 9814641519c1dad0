//! `T`: what is typed, what Enter marks, and what `L` loads and marks afterwards.

use super::*;
use crate::domain::{Fuse, Meant};

fn prompt(desk: &Desk) -> &MarkPrompt {
    match desk.model.dialog() {
        Some(Dialog::Marking(prompt)) => prompt,
        other => panic!("no prompt but {other:?}; {}", desk.notice()),
    }
}

/// Types an expression after `T`.
fn type_t(desk: &mut Desk, expression: &str) {
    desk.press("T");
    desk.take(Message::Pasted(expression.to_owned()));
}

/// The same with Enter.
fn mark(desk: &mut Desk, expression: &str) -> Vec<Effect> {
    type_t(desk, expression);
    desk.press("enter")
}

fn asked(effects: &[Effect]) -> Vec<String> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::ListEvents { extension, .. } => Some(extension.to_string()),
        _ => None,
    });
    asked.collect()
}

fn refused() -> Failure {
    Failure::new(Cause::Rejected, "no such extension")
}

/// A desk of this many extensions, none of them listed.
fn many(extensions: usize) -> Desk {
    let (model, effects) = Model::new(facts(), 80, 24);
    let mut desk = Desk { model, effects, at: Duration::ZERO };
    let numbers = (0..extensions).map(|n| Extension::of(number(&format!("{n:04}"))));
    let discovery = Discovery {
        extensions: numbers.collect(),
        remarks: Vec::new(),
        complete: true,
        ..Discovery::default()
    };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    desk
}

/// Answers everything that was asked for, and what is asked for then, until nothing is; returns
/// how many answers that took.
fn answer_all(desk: &mut Desk, answer: impl Fn(&str) -> Result<Listing, Failure>) -> usize {
    let mut answers = 0;
    while let Some(place) =
        desk.effects.iter().position(|effect| matches!(effect, Effect::ListEvents { .. }))
    {
        let Effect::ListEvents { extension, epoch, .. } = desk.effects.remove(place) else { break };
        desk.answer_listing(extension.as_str(), epoch, answer(extension.as_str()));
        answers += 1;
    }
    answers
}

#[test]
fn typing_counts_what_is_meant_and_marks_nothing() {
    let mut desk = Desk::open();
    desk.press("enter j space T o l d");
    let all = Meant { events: 2, marked: 0, extensions: 1, ..Meant::default() };
    assert_eq!((prompt(&desk).line().text(), prompt(&desk).meant()), ("old", Ok(all)));
    desk.press("ctrl-u t y p e : 0");
    let some = Meant { events: 2, marked: 1, extensions: 1, ..Meant::default() };
    assert_eq!((prompt(&desk).changes(), prompt(&desk).meant()), (1, Ok(some)));
    assert_eq!(desk.marked(), ["a"]);
}

#[test]
fn enter_marks_on_every_loaded_extension_whatever_is_in_sight() {
    let mut desk = Desk::open();
    desk.press("/ 3 enter");
    mark(&mut desk, "host:crm.test");
    assert_eq!(desk.marked(), ["a", "b", "c"]);
    assert_eq!((desk.notice(), desk.model.hidden_marks()), ("3 marked on 2 extensions", 3));
    assert!(desk.model.dialog().is_none());
    mark(&mut desk, "host:crm.test");
    assert_eq!(desk.notice(), "all 3 events are already marked");
}

#[test]
fn esc_and_ctrl_c_leave_the_marks_as_they_were() {
    for key in ["esc", "ctrl-c"] {
        let mut desk = Desk::open();
        desk.press("enter j space");
        type_t(&mut desk, "old");
        desk.press(key);
        assert_eq!((desk.marked(), desk.model.leaving()), (vec!["a".to_owned()], &Leaving::No));
        assert!(desk.model.dialog().is_none());
    }
}

#[test]
fn a_leading_dash_negates_after_t_and_after_minus_alike() {
    for (key, typed, left) in [
        ("-", "old", vec!["a", "b"]),
        ("-", "-old", vec!["o1", "o2"]),
        ("-", "type:2 -old", vec!["a", "o1", "o2"]),
        ("T", "-old", vec!["a", "o1", "b", "o2", "c"]),
        ("T", "type:1|2 -old", vec!["a", "o1", "b", "o2", "c"]),
    ] {
        let mut desk = Desk::open();
        desk.press("enter A");
        desk.press(key);
        desk.take(Message::Pasted(typed.to_owned()));
        assert_eq!(prompt(&desk).marks(), key == "T");
        desk.press("enter");
        assert_eq!(desk.marked(), left, "{key} {typed}");
    }
}

/// The same after `-`.
fn unmark(desk: &mut Desk, expression: &str) {
    desk.press("-");
    desk.take(Message::Pasted(expression.to_owned()));
    desk.press("enter");
}

#[test]
fn an_unmarking_says_how_many_and_offers_nothing_as_nothing_else_is_marked() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a,0 o1,2 b");
    desk.press("space");
    unmark(&mut desk, "type:0");
    assert_eq!((desk.marked(), desk.notice()), (vec!["b".to_owned()], "2 unmarked on 1 extension"));
    unmark(&mut desk, "type:0");
    assert_eq!(desk.notice(), "all 2 events are already unmarked");
    unmark(&mut desk, "type:9");
    assert_eq!(desk.notice(), "matches no event; nothing was unmarked");
    desk.press("L");
    assert!(desk.notice().starts_with("T marks by expression first"), "{}", desk.notice());
}

#[test]
fn an_empty_expression_marks_nothing_and_says_so() {
    for (typed, told) in [
        ("", "nothing was marked: the expression is empty"),
        ("  ", "nothing was marked: the expression is empty"),
    ] {
        let mut desk = Desk::open();
        desk.press("enter j space");
        mark(&mut desk, typed);
        assert_eq!((desk.marked(), desk.notice()), (vec!["a".to_owned()], told), "{typed:?}");
    }
}

#[test]
fn what_cannot_be_read_is_neither_marked_nor_left_out_and_prompt_and_review_say_how_many() {
    let told = "5 events passed over: their date cannot be read";
    for text in ["modified:<2030-01-01", " -modified:<2030-01-01"] {
        let mut desk = Desk::open();
        desk.press("enter j space");
        type_t(&mut desk, text);
        let meant = prompt(&desk).meant().unwrap();
        assert_eq!((meant.events, meant.passed_over.to_string()), (0, told.to_owned()));
        desk.press("enter");
        assert_eq!(desk.marked(), ["a"]);
        assert!(desk.notice().contains(told), "{}", desk.notice());
        desk.press("d");
        let pinned = desk.review().layout().pinned.join(" ");
        assert!(pinned.contains(told), "{pinned}");
        desk.press("esc U 2 j space d");
        let pinned = desk.review().layout().pinned.join(" ");
        assert!(!pinned.contains("passed over"), "{pinned}");
    }
}

#[test]
fn what_each_expression_passed_over_is_told_as_long_as_there_are_marks_of_them() {
    let mut desk = Desk::open();
    mark(&mut desk, "ext:1");
    mark(&mut desk, "ext:1 modified:2024");
    unmark(&mut desk, "-type:2 modified:2023");
    desk.press("d");
    let pinned = desk.review().layout().pinned.join(" ").replace("  ", " ");
    let told = "! 4 events passed over: their date cannot be read, when \"ext:1 modified:2024\" marked. \
                ! 3 events passed over: their date cannot be read, when \"-type:2 modified:2023\" unmarked.";
    assert!(pinned.contains(told), "{pinned}");
    desk.press("esc");
    unmark(&mut desk, "ext:*");
    desk.press("2 j space d");
    let pinned = desk.review().layout().pinned.join("\n");
    assert!(!pinned.contains("passed over"), "{pinned}");
}

#[test]
fn a_filter_says_how_many_it_can_say_nothing_about() {
    let mut desk = Desk::open();
    desk.press("2 /");
    desk.take(Message::Pasted("-status:off modified:>2000-01-01".to_owned()));
    assert_eq!(desk.model.events().arrangement().len(), 0);
    let told = "4 events passed over: their date cannot be read";
    assert_eq!(desk.model.events().passed_over().to_string(), told);
    desk.press("ctrl-u");
    assert!(desk.model.events().passed_over().is_empty());
}

#[test]
fn what_is_no_expression_is_pointed_at_and_enter_does_nothing_with_it() {
    let mut desk = Desk::open();
    mark(&mut desk, "old type:");
    assert_eq!(prompt(&desk).meant().unwrap_err().column, 10);
    desk.press("0 enter");
    assert_eq!(desk.marked(), ["o1"]);
    desk.press("esc");
    unmark(&mut desk, "type:");
    assert_eq!(prompt(&desk).meant().unwrap_err().column, 6);
}

#[test]
fn what_is_typed_into_the_prompt_is_never_a_command() {
    let mut desk = Desk::open();
    desk.press("T d y q A L U space");
    assert_eq!(prompt(&desk).line().text(), "dyqALU ");
    assert_eq!((desk.marked().len(), desk.model.leaving()), (0, &Leaving::No));
    desk.press("ctrl-u");
    desk.take(Message::Pasted("old\n\u{1b}".to_owned()));
    assert_eq!(prompt(&desk).line().text(), "old");
}

#[test]
fn a_listing_that_comes_in_while_typing_is_counted_at_once() {
    let mut desk = Desk::before_listing(facts());
    type_t(&mut desk, "type:0");
    assert_eq!(prompt(&desk).changes(), 0);
    desk.list("2", "0 a,0 o1");
    assert_eq!(prompt(&desk).changes(), 2);
    desk.list("3", "0 a,2 b");
    let all = Meant { events: 3, marked: 0, extensions: 2, ..Meant::default() };
    assert_eq!(prompt(&desk).meant(), Ok(all));
    desk.list("2", "2 a");
    let all = Meant { events: 1, marked: 0, extensions: 1, ..Meant::default() };
    assert_eq!(prompt(&desk).meant(), Ok(all), "read again, it is not counted twice");
}

#[test]
fn hidden_marks_stay_counted_while_extensions_come_in() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a,0 o1,2 o2");
    desk.press("2 / o l d enter");
    mark(&mut desk, "ext:*");
    assert_eq!((desk.marked().len(), desk.model.hidden_marks()), (3, 1));
    desk.press("L");
    desk.list("2", "0 b,0 o3");
    assert_eq!((desk.marked().len(), desk.model.hidden_marks()), (5, 2));
    desk.list("1", "0 o1");
    assert_eq!((desk.marked().len(), desk.model.hidden_marks()), (3, 1));
    desk.press("esc esc");
    assert_eq!(desk.model.hidden_marks(), 0);
}

#[test]
fn what_is_not_loaded_is_counted_and_l_loads_it_and_marks_there_too() {
    let mut desk = many(500);
    answer_all(&mut desk, |number| Ok(listing(number, "0 a,2 b")));
    mark(&mut desk, "type:0");
    let loaded = desk.marked().len();
    assert!((200..300).contains(&loaded), "{loaded}");
    let missing = 500 - loaded;
    let told = format!(
        "{loaded} marked on {loaded} extensions; {missing} not loaded: L loads and marks there too"
    );
    assert_eq!(desk.notice(), told);
    let effects = desk.press("L");
    assert_eq!(asked(&effects).len(), 2, "no more at once than allowed");
    assert_eq!(desk.model.marking_waits_for(), missing);
    desk.effects = effects;
    assert_eq!(answer_all(&mut desk, |number| Ok(listing(number, "0 a,2 b"))), missing);
    assert_eq!((desk.marked().len(), desk.model.marking_waits_for()), (500, 0));
    let told = format!("{missing} more marked on {missing} extensions; all of them are loaded now");
    assert_eq!(desk.notice(), told);
    desk.press("L");
    assert_eq!(desk.notice(), "T left nothing out: every extension was loaded");
}

#[test]
fn what_failed_or_is_not_complete_is_not_loaded_either() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a");
    desk.answer_listing("2", 0, Err(refused()));
    let mut builder = ListingBuilder::new(number("3"));
    builder.push(RawEvent {
        event_type: "0",
        id: "z",
        method: "1",
        status: "1",
        ..RawEvent::default()
    });
    desk.answer_listing("3", 0, Ok(builder.finish(false)));
    mark(&mut desk, "type:0");
    let told = "2 marked on 2 extensions; 2 not loaded: L loads and marks there too";
    assert_eq!(desk.notice(), told);
    let why = "2 extensions are not loaded (1 could not be read, 1 not complete): \
               L loads them and marks there too";
    assert_eq!(desk.model.log_line(0).unwrap().text, why);
    assert_eq!(asked(&desk.press("L")), ["2", "3"]);
    desk.list("3", "0 z,0 y");
    desk.answer_listing("2", 0, Err(refused()));
    assert_eq!(desk.marked(), ["a", "z", "y"]);
    assert_eq!(desk.notice(), "1 more marked on 1 extension; 1 still not loaded: L tries again");
    assert_eq!(asked(&desk.press("L")), ["2"]);
}

#[test]
fn without_an_offer_a_listing_that_comes_in_later_is_not_marked() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a");
    mark(&mut desk, "type:0");
    desk.list("2", "0 b");
    assert_eq!(desk.marked(), ["a"]);
}

#[test]
fn l_marks_also_where_listings_came_in_before_it_was_pressed_and_nowhere_twice() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a");
    mark(&mut desk, "type:0");
    desk.list("2", "0 b");
    desk.press("space");
    assert_eq!(desk.marked(), [""; 0], "a was unmarked by hand");
    desk.press("L");
    assert_eq!((desk.marked(), desk.model.marking_waits_for()), (vec!["b".to_owned()], 1));
    desk.list("3", "0 c");
    assert_eq!(desk.marked(), ["b", "c"]);
    assert_eq!(desk.notice(), "2 more marked on 2 extensions; all of them are loaded now");
    mark(&mut desk, "type:1");
    desk.press("L");
    assert_eq!(desk.notice(), "T left nothing out: every extension was loaded");
}

#[test]
fn l_has_nothing_to_load_where_everything_came_in_meanwhile() {
    let mut desk = Desk::before_listing(facts());
    mark(&mut desk, "type:0");
    for extension in ["1", "2", "3"] {
        desk.list(extension, "0 a");
    }
    assert!(asked(&desk.press("L")).is_empty());
    assert_eq!(desk.notice(), "3 more marked on 3 extensions; all of them are loaded now");
}

#[test]
fn giving_up_with_esc_keeps_what_is_marked_and_asks_for_nothing_more() {
    let mut desk = many(500);
    answer_all(&mut desk, |number| Ok(listing(number, "0 a")));
    mark(&mut desk, "type:0");
    let before = desk.marked().len();
    let flying = asked(&desk.press("L"));
    desk.list(&flying[0], "0 a");
    desk.press("esc");
    let left = 500 - before - 1;
    let told = format!("loading stopped by Esc: 1 more marked, {left} extensions not loaded");
    assert_eq!((desk.notice(), desk.model.marking_waits_for()), (told.as_str(), 0));
    assert_eq!(desk.model.focus(), Panel::Extensions);
    desk.effects.clear();
    desk.list(&flying[1], "0 a");
    assert_eq!((desk.marked().len(), asked(&desk.effects).len()), (before + 1, 0));
    assert!(!desk.press("L").is_empty(), "L goes on");
}

#[test]
fn unmarking_everything_gives_up_and_withdraws_the_offer() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a");
    mark(&mut desk, "type:0");
    desk.press("L U");
    assert_eq!(
        desk.notice(),
        "1 mark cleared; u takes that back; nothing more is loaded to be marked",
        "{}",
        desk.notice()
    );
    desk.list("2", "0 b");
    assert_eq!(desk.marked(), [""; 0]);
    desk.press("L");
    assert_eq!(desk.model.marking_waits_for(), 0);
}

#[test]
fn another_t_takes_the_place_of_one_that_still_loads() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a,1 b");
    mark(&mut desk, "type:0");
    desk.press("L");
    unmark(&mut desk, "type:0");
    assert_eq!((desk.marked().len(), desk.model.marking_waits_for()), (0, 0));
    desk.list("2", "0 c");
    assert_eq!(desk.marked(), [""; 0]);
}

#[test]
fn no_review_opens_while_events_are_still_to_be_marked() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a");
    mark(&mut desk, "type:0");
    desk.press("L d");
    assert!(desk.model.dialog().is_none());
    assert!(desk.notice().contains("still loading 2 extensions"), "{}", desk.notice());
    desk.press("esc d");
    assert_eq!(desk.calls(), ["1/phoneCallEvents/0/a"]);
}

#[test]
fn a_service_that_refuses_is_left_alone_after_five_failures_and_after_one_at_the_next_try() {
    let mut desk = many(500);
    answer_all(&mut desk, |number| Ok(listing(number, "0 a")));
    mark(&mut desk, "type:0");
    desk.effects = desk.press("L");
    let failures = answer_all(&mut desk, |_| Err(refused()));
    assert!(failures < Fuse::IN_A_ROW + 2, "{failures}");
    assert_eq!(desk.model.marking_waits_for(), 0);
    assert!(desk.notice().contains("no such extension"), "{}", desk.notice());
    desk.effects = desk.press("L");
    assert_eq!(answer_all(&mut desk, |_| Err(refused())), 1);
    assert_eq!(desk.model.marking_waits_for(), 0);
    desk.effects = desk.press("L");
    answer_all(&mut desk, |number| Ok(listing(number, "0 a")));
    assert_eq!(desk.marked().len(), 500, "a service that is well again is asked for all");
}

#[test]
fn reading_everything_again_meanwhile_still_ends_with_every_mark() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a");
    mark(&mut desk, "type:0");
    let mut effects = desk.press("L");
    effects.extend(desk.press("R"));
    let extensions = ["1", "2", "3"].map(|text| Extension::of(number(text))).to_vec();
    let discovery =
        Discovery { extensions, remarks: Vec::new(), complete: true, ..Discovery::default() };
    desk.effects = effects;
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    desk.effects.extend(["2", "3"].map(|text| Effect::ListEvents {
        extension: number(text),
        epoch: 0,
        below: None,
    }));
    answer_all(&mut desk, |number| Ok(listing(number, &format!("0 a{number}"))));
    assert_eq!((desk.marked(), desk.model.marking_waits_for()).1, 0);
    assert!(desk.marked().contains(&"a2".to_owned()) && desk.marked().contains(&"a3".to_owned()));
}
