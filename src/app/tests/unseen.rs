//! What counts as a yes, and what never does: questions that were not shown, windows that show
//! nothing, keys that come in one piece.

use super::*;

/// A desk whose review has not been shown yet; what it asked of the service is answered.
fn not_shown(keys: &str) -> Desk {
    let mut desk = Desk::open();
    desk.press_blindly(keys);
    desk
}

fn opens(desk: &mut Desk, keys: &str) -> bool {
    let effects = desk.press_only(keys);
    effects.iter().any(|effect| matches!(effect, Effect::Act(Act::Open(_))))
}

#[test]
fn a_yes_counts_only_once_the_review_is_shown_and_nothing_arrived_for_a_moment() {
    let mut desk = not_shown("enter j d");
    assert!(!opens(&mut desk, "y"), "nobody saw it");
    let picture = desk.model.asked_picture().unwrap();
    desk.take(Message::Shown(picture));
    assert!(!opens(&mut desk, "y"), "it was shown just now");
    assert_eq!(desk.notice(), "not yet: look first, then answer");
    // The key that was dropped begins the moment anew.
    desk.at += Duration::from_millis(150);
    desk.take(Message::Waited);
    assert!(!opens(&mut desk, "y"));
    desk.rest();
    assert!(opens(&mut desk, "y"));
}

#[test]
fn an_acknowledgement_of_another_picture_shows_nothing() {
    let mut desk = not_shown("enter j d");
    let other = desk.model.asked_picture().unwrap();
    desk.press_blindly("n j d");
    desk.take(Message::Shown(other));
    desk.rest();
    assert!(!opens(&mut desk, "y"));
    desk.look();
    assert!(opens(&mut desk, "y"));
}

#[test]
fn whatever_arrives_begins_the_moment_anew_and_once_readable_it_stays_so() {
    for message in [Message::Arrived, Message::Pasted("delay".to_owned())] {
        let mut desk = not_shown("enter j d");
        let picture = desk.model.asked_picture().unwrap();
        desk.take(Message::Shown(picture));
        desk.at += Duration::from_millis(190);
        desk.take(message.clone());
        desk.at += Duration::from_millis(10);
        desk.take(Message::Waited);
        assert!(desk.model.unread().is_some(), "{message:?}");
        desk.rest();
        assert_eq!(desk.model.unread(), None);
        desk.take(message);
        assert_eq!(desk.model.unread(), None);
    }
}

#[test]
fn a_program_that_stood_still_takes_nothing_for_read() {
    let mut desk = not_shown("enter j d");
    let picture = desk.model.asked_picture().unwrap();
    desk.take(Message::Shown(picture));
    desk.at += Duration::from_secs(10);
    desk.take(Message::Waited);
    assert!(!opens(&mut desk, "y"));
    desk.rest();
    assert!(opens(&mut desk, "y"));
}

#[test]
fn another_size_another_form_and_what_is_added_have_to_be_shown_anew_and_forget_what_was_typed() {
    let mut desk = Desk::with(Facts { protected: true, ..facts() });
    desk.press("space d");
    for change in [Message::Resized { columns: 100, rows: 30 }, Message::Pressed(key("t"))] {
        desk.press("4");
        assert!(desk.review().is_armed());
        desk.take(change);
        assert!(!desk.review().is_armed() && desk.model.unread().is_some());
        desk.look();
    }
}

fn key(name: &str) -> Key {
    Key::parse(name).unwrap()
}

#[test]
fn digits_typed_before_the_review_is_readable_are_dropped() {
    let mut desk = Desk::with(Facts { protected: true, ..facts() });
    desk.press_blindly("space d 4");
    assert_eq!(desk.review().typed(), "");
    desk.look();
    assert!(!opens(&mut desk, "y"));
    assert!(opens(&mut desk, "4 y"));
}

#[test]
fn esc_n_q_and_ctrl_c_act_at_once_also_on_what_was_not_shown() {
    for name in ["esc", "n", "q", "ctrl-c", "alt-y", "alt-x"] {
        let mut desk = not_shown("enter j d");
        desk.press_only(name);
        assert!(desk.model.dialog().is_none(), "{name}");
        assert!(!opens(&mut desk, "y"), "{name}");
    }
}

#[test]
fn below_the_smallest_window_nothing_is_confirmed_marked_or_changed() {
    for (columns, rows) in [(59, 15), (60, 14), (20, 5), (0, 0)] {
        let mut desk = Desk::open();
        desk.press("enter j d");
        desk.take(Message::Resized { columns, rows });
        assert_eq!(desk.model.asked_picture(), None, "there is nothing to show");
        for keys in
            ["y", "space", "A", "a", "i", "T", "/", "t", "d", "x", "e", "z", "R", "1", "4 y"]
        {
            let effects = desk.press_only(keys);
            assert_eq!(effects, [], "{keys}");
        }
        assert!(desk.marked().is_empty());
        assert!(matches!(desk.model.dialog(), Some(Dialog::Review(_))));
        desk.press_only("esc");
        assert!(desk.model.dialog().is_none());
        desk.press_only("q");
        assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
    }
}

#[test]
fn below_the_smallest_window_esc_stops_a_run_at_once_whatever_is_open_and_q_does_not_leave() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    desk.run();
    desk.press("2 / o");
    desk.take(Message::Resized { columns: 20, rows: 5 });
    desk.press_only("q");
    assert_eq!(desk.model.leaving(), &Leaving::No);
    desk.press_only("esc");
    assert!(desk.model.run().unwrap().machine.state() == crate::change::RunState::Stopping);
}

#[test]
fn below_the_smallest_window_q_leaves_once_the_file_of_a_run_that_is_over_is_closed() {
    let mut desk = Desk::open();
    desk.press("enter j d");
    desk.run();
    desk.answer(0, Ok(DeleteAnswer { http_status: 204, ids: None }));
    desk.press("esc");
    let state = desk.model.run().unwrap().machine.state();
    assert_eq!(state, crate::change::RunState::Closing);
    desk.take(Message::Resized { columns: 20, rows: 5 });
    desk.press_only("q");
    assert_eq!(desk.model.leaving(), &Leaving::WhenSettled);
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}

#[test]
fn warnings_that_have_no_room_must_be_scrolled_to_before_a_yes_counts() {
    let wide_calls = WideCalls { extension: false, event_type: true };
    let mut desk = Desk::with(Facts { wide_calls, ..facts() });
    desk.press("enter A / o l d enter");
    desk.take(Message::Resized { columns: 60, rows: 15 });
    desk.press_only("d t");
    desk.list("1", "0 a,2 b,2 o2,2 new");
    desk.look();
    assert!(!desk.review().layout().loose.is_empty());
    assert!(!opens(&mut desk, "y"));
    assert_eq!(desk.notice(), "not yet: scroll down, there are more warnings");
    // A jump to the end brings no line into sight that stands before.
    desk.press_only("G");
    desk.look();
    assert!(desk.model.unread().is_some());
    desk.press_only("g g");
    for _ in 0..desk.review().layout().loose.len() {
        desk.press_only("j");
        desk.look();
    }
    assert_eq!(desk.model.unread(), None);
    let count = desk.review().events().len().to_string();
    assert!(opens(&mut desk, &format!("{count} y")));
}

#[test]
fn leaving_with_marks_asks_and_the_answer_counts_only_once_the_question_is_shown() {
    let mut desk = Desk::open();
    desk.press("space k");
    desk.press_only("q y");
    assert_eq!(desk.model.leaving(), &Leaving::No);
    desk.look();
    desk.press_only("n");
    assert_eq!((desk.model.leaving(), desk.marked().len()), (&Leaving::No, 4));
    desk.press("q y");
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}

#[test]
fn ctrl_c_twice_leaves_also_while_a_line_is_being_typed_and_once_closes_it() {
    for line in ["/ a b", "T a b", "enter j d / a"] {
        let mut desk = Desk::open();
        desk.press(line);
        desk.press_only("ctrl-c");
        assert_eq!(desk.model.leaving(), &Leaving::No, "{line}");
        assert_ne!(desk.model.layer(), Layer::Prompt, "{line}");
        desk.press_only("ctrl-c");
        assert_eq!(desk.model.leaving(), &Leaving::Now { message: None }, "{line}");
    }
}

#[test]
fn a_key_that_means_nothing_says_so_and_y_in_a_panel_says_what_it_is_for() {
    let mut desk = Desk::open();
    desk.press("b");
    assert_eq!(desk.notice(), "b does nothing here: ? lists what can be done here");
    desk.press("y");
    assert_eq!(desk.notice(), "y only confirms a review; c copies");
    desk.press("alt-x");
    assert_eq!(desk.notice(), "alt-x does nothing here: ? lists what can be done here");
    desk.press("enter j d b");
    assert_eq!(desk.notice(), "b does nothing here: ? lists what can be done here");
}

#[test]
fn esc_clears_the_filter_of_the_panel_first_then_stops_the_run() {
    let mut desk = Desk::open();
    desk.press("enter / o l d enter A d");
    let count = desk.review().events().len().to_string();
    desk.press(&count);
    desk.run();
    assert_eq!(desk.model.focus(), Panel::Status, "a run has the focus");
    desk.press("2 esc");
    assert!(desk.model.filter(Panel::Events).is_empty());
    assert_eq!(desk.notice(), "filter cleared; Esc again stops the run");
    desk.press("esc");
    assert!(desk.notice().contains("in flight"), "{}", desk.notice());
}

#[test]
fn r_after_a_simulation_reviews_nothing_as_nothing_is_left() {
    let mut desk = Desk::open();
    desk.press("enter j space d s");
    desk.simulate(0);
    desk.press("r");
    assert!(desk.model.dialog().is_none());
    assert_eq!(
        desk.notice(),
        "no run of this session left anything to go on with; W lists earlier runs"
    );
}

#[test]
fn the_rows_of_a_review_can_be_narrowed_and_everything_stays_planned() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    assert_eq!(desk.review().rows(), 4);
    desk.press("/ o l d enter");
    assert_eq!((desk.review().items(), desk.review().events().len()), (2, 4));
    desk.press("v");
    assert_eq!((desk.review().items(), desk.review().shows_calls()), (4, true));
    desk.press("/ t y p e : 2");
    assert_eq!(desk.review().items(), 2);
    desk.press("esc");
    assert_eq!((desk.review().items(), desk.model.layer()), (4, Layer::Review));
    desk.press("/ t y p e : enter");
    assert_eq!(desk.model.layer(), Layer::Prompt, "what makes no sense is not applied");
    assert_eq!(desk.review().refused().map(|error| error.column), Some(6));
    desk.press("ctrl-u a g e : > 1 y");
    let told = "4 events passed over: their date cannot be read";
    assert_eq!(
        (desk.review().items(), desk.review().passed_over().to_string()),
        (0, told.to_owned())
    );
    desk.press("ctrl-u enter G");
    assert_eq!((desk.review().cursor().at, desk.calls().len()), (3, 4));
}

#[test]
fn a_prompt_brings_back_what_was_typed_before() {
    let mut desk = Desk::open();
    desk.press("/ o l d enter / ctrl-u n e w enter / up up");
    let Some(Dialog::Filter(prompt)) = desk.model.dialog() else { panic!("no prompt") };
    assert_eq!(prompt.line().text(), "old");
    assert_eq!(desk.model.filter(Panel::Extensions).text(), "old");
}

#[test]
fn a_window_of_any_size_is_drawn_no_larger_than_can_be_looked_at() {
    let mut desk = Desk::open();
    desk.take(Message::Resized { columns: u16::MAX, rows: 10_000 });
    let whole = desk.model.layout().whole;
    assert_eq!((whole.width, whole.height), (500, 200));
}
