//! The list of what can be done.

use super::*;
use crate::keys::{Action, Count, Keymap, Keys, Place};

fn named(desk: &Desk) -> Vec<(&'static str, Layer)> {
    let rows = desk.model.actions().expect("no list").rows().iter();
    let named = rows.filter_map(|row| match row {
        ListRow::Action(action, layer) => Some((action.name, *layer)),
        ListRow::Title(_) => None,
    });
    named.collect()
}

fn chosen(desk: &Desk) -> &'static str {
    desk.model.actions().unwrap().chosen().unwrap().0.name
}

#[test]
fn the_list_has_every_action_under_its_layer_the_one_below_first_then_anywhere() {
    for (keys, first) in
        [("", Layer::Panels), ("enter j d", Layer::Review), ("space q", Layer::Question)]
    {
        for opens in ["?", ":", "f1"] {
            let mut desk = Desk::open();
            desk.press(&format!("{keys} {opens}"));
            let named = named(&desk);
            for action in crate::keys::ACTIONS {
                for layer in action.layers {
                    assert!(named.contains(&(action.name, *layer)), "{} {layer:?}", action.name);
                }
            }
            let mut layers: Vec<_> = named.iter().map(|(_, layer)| *layer).collect();
            layers.dedup();
            assert_eq!(layers[..2], [first, Layer::Anywhere], "{keys} {opens}");
            assert_eq!(layers.len(), Layer::TITLED.len());
        }
    }
}

#[test]
fn a_line_that_is_typed_has_f1_for_the_list_and_types_its_other_keys() {
    let mut desk = Desk::open();
    desk.press("/ ? :");
    assert!(desk.model.actions().is_none());
    assert_eq!(desk.model.filter(Panel::Extensions).text(), "?:");
    desk.press("ctrl-u a f1");
    assert_eq!(named(&desk)[0].1, Layer::Prompt);
    desk.press("a p p l y enter");
    assert!(desk.model.dialog().is_none() && desk.model.actions().is_none());
    assert_eq!(desk.model.filter(Panel::Extensions).text(), "a");
}

#[test]
fn typing_narrows_the_list_and_enter_does_what_is_under_the_cursor() {
    let mut desk = Desk::open();
    desk.press("enter j : R E V I E W space d e l e t i n g");
    assert_eq!((chosen(&desk), named(&desk).len()), ("delete", 1));
    desk.press("enter");
    assert_eq!((desk.review().events().len(), desk.model.layer()), (1, Layer::Review));
    desk.press("enter");
    assert_eq!(desk.model.layer(), Layer::Review, "the same Enter again does nothing");
    let mut desk = Desk::open();
    desk.press("enter ? A");
    assert_eq!(chosen(&desk), "mark-all", "the key itself comes first");
    desk.press("enter");
    assert_eq!(desk.marked().len(), 4);
    desk.press("? z z z enter");
    assert!(desk.notice().starts_with("nothing is called that"), "{}", desk.notice());
    desk.press("ctrl-u u n m a r k - a l l enter");
    assert!(desk.marked().is_empty());
}

#[test]
fn the_cursor_of_the_list_moves_over_titles_and_stays_in_sight() {
    let mut desk = Desk::open();
    desk.take(Message::Resized { columns: 60, rows: 15 });
    desk.press("?");
    for key in ["down", "pagedown", "up", "pageup", "pagedown", "down", "up", "up"] {
        for _ in 0..80 {
            desk.press(key);
            let list = desk.model.actions().unwrap();
            assert!(list.chosen().is_some());
            let (at, top) = (list.cursor().at, list.cursor().top);
            assert!(top <= at && at < top + ActionList::height(desk.model.layout()), "{at} {top}");
        }
    }
    let cursor = desk.model.actions().unwrap().cursor();
    assert_eq!((cursor.at, cursor.top), (1, 0));
}

#[test]
fn in_a_review_the_list_only_shows_and_nothing_is_confirmed_from_it() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    for typed in ["y e s", "f o r m", "s i m u l a t e", "m a s k", "n o", "n o t h i n g"] {
        let effects = desk.press(&format!("? {typed} enter"));
        assert_eq!(effects, [], "{typed}");
        assert!(desk.notice().starts_with("this list only shows"), "{}", desk.notice());
        assert!(desk.model.actions().is_some() && !desk.model.mask().is_on());
        desk.press("esc");
        assert_eq!(desk.review().events().len(), 4);
    }
    for opened in ["space q", "enter j d"] {
        let mut desk = Desk::open();
        let effects = desk.press(&format!("{opened} ? y enter y 4 y"));
        assert_eq!((effects, desk.model.leaving()), (Vec::new(), &Leaving::No));
        assert_eq!(desk.model.actions().unwrap().line().text(), "yy4y");
    }
}

#[test]
fn y_from_the_list_says_what_it_is_for_and_what_holds_elsewhere_where_that_is() {
    let mut desk = Desk::open();
    desk.press("? y enter");
    assert_eq!(desk.notice(), "y only confirms a review, and has to be pressed there");
    desk.press("ctrl-u s i m u l a t e enter");
    assert_eq!(desk.notice(), "not here: in a review");
    desk.press("f5");
    assert_eq!(desk.notice(), "F5 does nothing here: Esc closes this list");
}

#[test]
fn a_review_under_the_list_is_to_be_shown_again_and_what_was_typed_for_it_is_gone() {
    let mut desk = Desk::with(Facts { protected: true, ..facts() });
    desk.press("enter A d 4");
    assert!(desk.review().is_armed());
    desk.press_only("?");
    assert_eq!(desk.model.asked_picture(), None, "no question is on the screen");
    desk.press_only("4 y esc");
    assert!(desk.model.unread().is_some() && !desk.review().is_armed());
    assert_eq!(desk.press_only("y"), []);
    desk.look();
    desk.press("4");
    desk.run();
}

#[test]
fn what_closes_the_list_closes_nothing_else() {
    for closes in ["esc", "f1", "ctrl-c"] {
        let mut desk = Desk::open();
        desk.press("enter j d ?");
        desk.press_only(closes);
        assert_eq!(desk.model.layer(), Layer::Review, "{closes}");
        assert_eq!(desk.model.leaving(), &Leaving::No);
    }
}

#[test]
fn other_keys_act_and_show_in_the_list_and_in_the_hints() {
    let keys = |text: &str| vec![Keys::parse(text).unwrap()];
    let named = |name| Action::named(name).unwrap();
    let changes = [
        (named("delete"), keys("D")),
        (named("help"), keys("f5")),
        (named("form"), keys("F")),
        (named("mark"), keys("gm")),
    ];
    let keys = Keymap::with(&changes).unwrap();
    let mut desk = Desk::with(Facts { keys, ..facts() });
    desk.press("enter j d");
    assert_eq!(desk.notice(), "d does nothing here: F5 lists what can be done here");
    desk.press("D");
    assert_eq!(desk.review().events().len(), 1);
    desk.press("f5 F");
    assert_eq!(chosen(&desk), "form");
    desk.press("esc n 1 g m");
    assert_eq!(desk.marked().len(), 4);
}

#[test]
fn the_hints_of_every_place_are_those_of_the_contract_as_far_as_they_are_built() {
    let keys = Keymap::default();
    let words = |place| {
        let hints = keys.hints(place).into_iter();
        let counted = |count: Option<Count>| if count.is_some() { " #" } else { "" };
        let words = hints.map(|(key, hint)| format!("{key} {}{}", hint.word, counted(hint.count)));
        words.collect::<Vec<_>>().join("  ")
    };
    for (place, line) in [
        (Place::Extensions, "Enter events  space mark all  T mark by rule  0 all  / filter"),
        (Place::Events, "space mark  a type  A all  d delete  Enter details  o group"),
        (Place::Marks, "d review #  4 see marks  u take back  U unmark all"),
        (Place::Running, "Esc stop  p pause  Tab browse"),
        (Place::AfterRun, "z undo #  r go on with #  E receipt  W runs"),
        (Place::AfterUndo, "z go on with #  E receipt  W runs"),
        (Place::Last, "? help"),
    ] {
        let shown = words(place);
        let built: Vec<&str> =
            line.split("  ").filter(|hint| shown.split("  ").any(|it| it == *hint)).collect();
        assert_eq!(shown, built.join("  "), "{place:?}");
    }
}
