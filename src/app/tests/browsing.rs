//! All extensions, groups, orders, ranges, and taking marks back.

use super::*;
use crate::domain::{ExtensionKind, GroupKey};

fn titles(desk: &Desk) -> Vec<String> {
    let keys = (0..).map_while(|group| desk.model.events().key_of(group, desk.model.store()));
    keys.map(|key| desk.model.group_words(&key)).collect()
}

fn counts(desk: &Desk) -> Vec<(usize, usize)> {
    let groups = desk.model.events().arrangement().groups().iter();
    groups.map(|group| (group.rows.len(), group.marked)).collect()
}

/// The ids in the lines of the panel of events, groups as `-`.
fn lines(desk: &Desk) -> String {
    let model = &desk.model;
    let line = |line| match model.events().line(line).unwrap() {
        Line::Group { .. } => "-".to_owned(),
        Line::Event { place, .. } => {
            let (listing, row) = model.events().event(place, model.store()).unwrap();
            listing.row(row).unwrap().id().to_owned()
        }
        Line::Odd(_) => "!".to_owned(),
    };
    (0..model.events().len()).map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_cursor_starts_on_the_first_extension_below_the_row_of_all_of_them() {
    let mut desk = Desk::open();
    let extensions = desk.model.extensions();
    assert_eq!(extensions.current().unwrap().number.as_str(), "1");
    assert_eq!(extensions.row(0), Some(ExtensionRow::All));
    desk.press("k");
    assert!(desk.model.extensions().current().is_none());
    desk.press("enter");
    assert_eq!(desk.model.focus(), Panel::Events);
    assert_eq!(lines(&desk), "- a o1 - c - b o2");
}

#[test]
fn zero_and_o_twice_show_every_event_by_host() {
    let mut desk = Desk::open();
    desk.press("0 o o");
    assert_eq!(desk.model.focus(), Panel::Events);
    assert_eq!(desk.model.events().scope(), Some(&Scope::All));
    assert_eq!(titles(&desk), ["crm.test", "crm-old.test"]);
    assert_eq!(lines(&desk), "- a b c - o1 o2");
    assert!(desk.model.events_title().contains("all extensions by host"));
}

#[test]
fn space_on_a_group_marks_its_events_of_all_extensions_and_again_unmarks_them() {
    let mut desk = Desk::open();
    desk.press("0 o o g g space");
    assert_eq!(desk.marked(), ["a", "b", "c"]);
    assert_eq!(counts(&desk), [(3, 3), (2, 0)]);
    desk.press("j k k k k space");
    assert_eq!(desk.marked(), [""; 0]);
}

#[test]
fn one_mark_more_or_less_counts_in_its_group_at_once() {
    let mut desk = Desk::open();
    desk.press("enter j space");
    assert_eq!(counts(&desk), [(2, 1), (2, 0)]);
    desk.press("k space");
    assert_eq!(counts(&desk), [(2, 0), (2, 0)]);
}

#[test]
fn the_group_of_duplicates_names_the_one_that_stays() {
    let mut desk = Desk::open();
    desk.answer_listing("1", 0, Ok(listing("1", "0 a,0 d,0 o1")));
    desk.press("enter o o o o o");
    assert_eq!(lines(&desk), "- a d");
    let events = desk.model.events();
    let stays = |line| match events.line(line) {
        Some(Line::Event { place, .. }) => events.arrangement().stays(place),
        _ => false,
    };
    assert_eq!([1, 2].map(stays), [true, false]);
    assert!(matches!(events.key_of(0, desk.model.store()), Some(GroupKey::Alike { .. })));
}

#[test]
fn the_cursor_stays_on_its_event_while_groups_and_orders_change() {
    let mut desk = Desk::open();
    desk.press("enter j j");
    let current = |desk: &Desk| {
        let at = desk.model.cursor(Panel::Events).at;
        lines(desk).split(' ').nth(at).unwrap().to_owned()
    };
    assert_eq!(current(&desk), "o1");
    for keys in ["o", "o", "o", "o", "s", "s", "s", "s"] {
        desk.press(keys);
        assert_eq!(current(&desk), "o1", "{keys} {}", lines(&desk));
    }
}

#[test]
fn capital_j_and_k_go_from_group_to_group() {
    let mut desk = Desk::open();
    desk.press("enter J");
    assert_eq!(desk.model.cursor(Panel::Events).at, 3);
    desk.press("j K");
    assert_eq!(desk.model.cursor(Panel::Events).at, 3);
    desk.press("{");
    assert_eq!(desk.model.cursor(Panel::Events).at, 0);
    desk.press("} }");
    assert_eq!(desk.model.cursor(Panel::Events).at, 3, "there is no other group");
}

#[test]
fn a_range_grows_with_the_cursor_and_space_marks_it_or_esc_drops_it() {
    let mut desk = Desk::open();
    desk.press("enter j v j space");
    assert_eq!(desk.marked(), ["a", "o1"]);
    assert_eq!(desk.model.cursor(Panel::Events).from, None);
    desk.press("U g g v G esc");
    assert_eq!(desk.model.focus(), Panel::Events, "{}", desk.notice());
    desk.press("space");
    assert_eq!(desk.marked(), ["o2"]);
}

#[test]
fn a_range_of_extensions_marks_what_is_visible_of_each() {
    let mut desk = Desk::open();
    desk.press("v j space");
    assert_eq!(desk.marked(), ["a", "o1", "b", "o2", "c"]);
}

#[test]
fn u_takes_back_the_last_change_of_marks_one_key_at_a_time() {
    let mut desk = Desk::open();
    desk.press("enter j space");
    desk.press("A");
    assert_eq!(desk.marked(), ["a", "o1", "b", "o2"]);
    desk.press("U");
    desk.press("u");
    assert_eq!(desk.marked(), ["a", "o1", "b", "o2"], "{}", desk.notice());
    desk.press("u");
    assert_eq!(desk.marked(), ["a"]);
    desk.press("u");
    assert_eq!(desk.marked(), [""; 0]);
    desk.press("u");
    assert_eq!(desk.notice(), "there is no change of marks to take back");
}

#[test]
fn marks_are_taken_back_on_their_events_whatever_was_read_since() {
    let mut desk = Desk::open();
    desk.press("enter j space");
    desk.list("1", "0 a,0 o1,2 b,2 o2");
    desk.press("u");
    assert_eq!(desk.marked(), [""; 0]);
    desk.press("space");
    desk.list("1", "0 new,0 a,0 o1");
    assert_eq!(desk.marked(), ["o1"]);
    desk.press("u");
    assert_eq!(desk.marked(), [""; 0], "it is the same event in another row");
}

#[test]
fn space_on_the_row_of_all_marks_what_is_loaded_and_says_what_is_not() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 a,0 o1");
    desk.press("g g space");
    assert_eq!(desk.marked(), ["a", "o1"]);
    assert!(desk.model.extensions().current().is_none(), "the cursor stays");
    assert!(desk.notice().contains("2 extensions not loaded"), "{}", desk.notice());
    assert!(desk.model.events_count().contains("1 of 3 extensions loaded"));
}

#[test]
fn with_nothing_marked_d_opens_nothing_on_groups_and_on_all_extensions() {
    let mut desk = Desk::open();
    desk.press("g g d");
    assert_eq!(desk.notice(), "nothing is marked: space marks these 5 events");
    desk.press("0 d");
    assert_eq!(desk.notice(), "nothing is marked: space marks these 2 events");
    assert!(desk.model.dialog().is_none());
}

#[test]
fn s_orders_the_extensions_by_events_and_by_marks_and_the_cursor_stays_on_its_own() {
    let mut desk = Desk::open();
    let rows = |desk: &Desk| {
        let rows = desk.model.extensions().visible().map(|one| one.number.to_string());
        rows.collect::<Vec<_>>().join(" ")
    };
    desk.list("2", "0 a,0 b,0 c,0 d,0 e");
    desk.press("s");
    assert_eq!(rows(&desk), "2 1 3");
    assert_eq!(desk.model.extensions().current().unwrap().number.as_str(), "1");
    desk.press("space s");
    assert_eq!(rows(&desk), "1 2 3");
    desk.press("s");
    assert_eq!(rows(&desk), "1 2 3");
    assert!(desk.notice().contains("by number"));
}

#[test]
fn four_opens_and_closes_marked_at_every_size_and_marking_moves_no_panel() {
    for (columns, rows) in [(60, 15), (80, 24), (120, 40)] {
        let mut desk = Desk::open();
        desk.take(Message::Resized { columns, rows });
        let before = *desk.model.layout();
        desk.press("space");
        assert_eq!(*desk.model.layout(), before);
        desk.press("4");
        assert!(desk.model.layout().panel(Panel::Marked).is_some());
        assert_eq!(desk.model.focus(), Panel::Marked);
        desk.press("4");
        assert!(desk.model.layout().panel(Panel::Marked).is_none());
    }
}

#[test]
fn plus_gives_the_panel_the_whole_screen_and_back() {
    let mut desk = Desk::open();
    let before = *desk.model.layout();
    desk.press("enter +");
    assert!(desk.model.layout().panel(Panel::Extensions).is_none());
    desk.press("+ 1");
    assert_eq!(*desk.model.layout(), before);
}

#[test]
fn minus_unmarks_by_expression_and_capital_x_has_typed_is_already() {
    let mut desk = Desk::open();
    desk.press("enter A -");
    desk.take(Message::Pasted("host:crm-old.test".to_owned()));
    desk.press("enter");
    assert_eq!(desk.marked(), ["a", "b"]);
    desk.press("X");
    desk.take(Message::Pasted("marked".to_owned()));
    desk.press("enter");
    assert!(desk.notice().contains("all 2 events are already marked"), "{}", desk.notice());
}

#[test]
fn kind_and_owner_are_named_with_the_extension() {
    let mut extension = Extension::of(number("1"));
    extension.label = Foreign::from("Sales");
    extension.kind = Some(ExtensionKind::Queue);
    let desk = Desk::open();
    assert_eq!(desk.model.called(&extension), "1 Sales · queue");
}

#[test]
fn the_cursor_stays_on_its_event_where_others_come_in_front_of_it() {
    let mut desk = Desk::open();
    desk.press("0 j");
    desk.list("1", "0 new,0 a");
    desk.press("space");
    assert_eq!(desk.marked(), ["a"]);
}

fn fields(desk: &Desk) -> String {
    let Some(Dialog::Details(details)) = desk.model.dialog() else {
        panic!("no details; {}", desk.notice())
    };
    let fields = desk.model.fields(details).into_iter();
    fields.fold(String::new(), |shown, (name, value)| shown + name + ": " + &value + "\n")
}

#[test]
fn enter_on_an_event_shows_every_field_whole_its_path_and_where_else_its_url_is_used() {
    let mut desk = Desk::open();
    desk.press("enter j enter");
    let shown = fields(&desk);
    for words in [
        "extension: 1\n",
        "type: Dial-In (0)\n",
        "method: POST\n",
        "URL: https://crm.test/in\n",
        "status: on\n",
        "id: a\n",
        "path: /uapi/extensions/@me/1/phoneCallEvents/0/a\n",
        "used by: 2 other events: 1 (1), 2 (1)\n",
    ] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    let effects = desk.press("c");
    assert!(matches!(&effects[..], [Effect::Copy { text, .. }] if *text == shown), "{effects:?}");
    desk.press("m");
    assert!(!fields(&desk).contains("crm.test"));
    desk.press("esc");
    assert!(desk.model.dialog().is_none());
    assert_eq!(desk.model.focus(), Panel::Events);
}

#[test]
fn enter_on_a_row_of_status_shows_the_call_with_its_reason_and_its_event() {
    let mut desk = Desk::open();
    desk.press("enter a d");
    desk.run();
    desk.settle(0, false);
    desk.press("3 g g enter");
    let shown = fields(&desk);
    for words in ["outcome: refused\n", "reason: pce_access_denied", "id: a\n", "call: DELETE "] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    desk.press("q");
    assert!(desk.model.dialog().is_none());
    assert!(desk.model.is_running());
}

#[test]
fn enter_on_a_group_opens_and_closes_it_and_shows_no_details() {
    let mut desk = Desk::open();
    desk.press("enter enter");
    assert!(desk.model.dialog().is_none());
    assert_eq!(lines(&desk), "- - b o2");
}

#[test]
fn the_last_row_of_marked_is_the_command_line_that_selects_the_same_events_and_c_copies_it() {
    let mut desk = Desk::open();
    desk.press("T");
    desk.take(Message::Pasted("host:crm-old.test".to_owned()));
    desk.press("enter 4 G");
    let effects = desk.press("c");
    let expected = "callsweep delete --profile acme --where host:crm-old.test\n";
    assert!(matches!(&effects[..], [Effect::Copy { text, .. }] if text == expected), "{effects:?}");
    desk.press("space");
    assert_eq!(desk.marked(), ["o1", "o2"], "it is no mark");
    desk.press("g g j space G");
    let one = desk.press("c");
    assert!(matches!(&one[..], [Effect::Copy { text, .. }] if text.contains("--id o2")), "{one:?}");
}

#[test]
fn a_range_never_unmarks() {
    let mut desk = Desk::open();
    desk.press("enter A g g v j space");
    assert_eq!(desk.marked().len(), 4, "{}", desk.notice());
}

#[test]
fn u_while_more_is_loaded_to_be_marked_ends_that_and_takes_all_of_it_back() {
    let mut desk = Desk::before_listing(facts());
    desk.list("1", "0 o1");
    desk.press("T");
    desk.take(Message::Pasted("old".to_owned()));
    desk.press("enter L");
    desk.list("2", "0 o2");
    assert_eq!(desk.marked(), ["o1", "o2"]);
    desk.press("j k u");
    assert_eq!(desk.marked(), ["o1"], "{}", desk.notice());
    desk.list("3", "0 o3");
    assert_eq!(desk.marked(), ["o1"]);
}

#[test]
fn the_command_line_of_the_marks_opens_the_same_pbx_or_is_none() {
    let copied = |session: Option<&str>| {
        let session = session.map(str::to_owned);
        let mut desk = Desk::with(Facts { session, ..facts() });
        desk.press("space 4 G");
        match &desk.press("c")[..] {
            [Effect::Copy { text, .. }] => text.trim_end().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(copied(Some("--demo")), "callsweep delete --demo --extension 1");
    assert_eq!(copied(None), "no command line selects exactly these events");
}

#[test]
fn under_the_mask_nothing_that_was_typed_is_read() {
    let mut desk = Desk::open();
    desk.press("T");
    desk.take(Message::Pasted("host:crm-old.test".to_owned()));
    desk.press("enter m 3");
    let log = (0..3).filter_map(|line| desk.model.log_line(line));
    let log: String = log.map(|line| line.words(desk.model.mask())).collect();
    assert!(log.contains("events marked") && !log.contains("crm-old"), "{log}");
    desk.press("T up");
    assert!(desk.notice().contains("masked"), "{}", desk.notice());
    assert!(!desk.model.command_line().unwrap_or_default().contains("crm-old"));
}

#[test]
fn reading_again_while_all_extensions_are_shown_reads_all_of_them() {
    let mut desk = Desk::open();
    desk.press("0");
    let effects = desk.press("R");
    assert!(effects.contains(&Effect::DiscoverExtensions), "{effects:?}");
}

/// The warnings of the review that is open.
fn told(desk: &mut Desk) -> String {
    let (substance, _) = desk.model.substance_of_review().unwrap();
    substance.warnings.join(" ")
}

#[test]
fn grouped_by_duplicates_marks_on_other_events_are_hidden_counted_named_and_to_be_typed() {
    let mut desk = Desk::open();
    desk.answer_listing("1", 0, Ok(listing("1", "0 a,0 d,0 o1")));
    desk.press("enter A");
    assert_eq!((desk.marked().len(), desk.model.hidden_marks()), (3, 0));
    desk.press("o o o o o");
    assert_eq!((lines(&desk), desk.model.hidden_marks()), ("- a d".to_owned(), 1));
    desk.press("d");
    assert!(desk.review().must_type());
    assert!(
        told(&mut desk).contains("1 of the 3 are hidden by grouping by duplicates"),
        "{}",
        told(&mut desk)
    );
    desk.press("esc o");
    assert_eq!(desk.model.hidden_marks(), 0);
    desk.press("/ c r m enter o o o o o d");
    let both = "hidden by the filter \"crm\" and grouping by duplicates";
    assert!(told(&mut desk).contains(both), "{}", told(&mut desk));
}

#[test]
fn grouped_by_duplicates_space_on_an_extension_marks_what_is_visible_and_says_what_is_not() {
    let mut desk = Desk::open();
    desk.answer_listing("1", 0, Ok(listing("1", "0 a,0 d,0 o1")));
    desk.press("o o o o o k j space");
    assert_eq!(
        (desk.marked(), desk.model.hidden_marks()),
        (vec!["a".to_owned(), "d".to_owned()], 0)
    );
    let text = "1 more have no duplicates and are not marked: o in Events shows them";
    assert_eq!(desk.notice(), text);
}

#[test]
fn that_the_one_that_stays_is_marked_too_is_said_at_once_and_in_the_review() {
    let mut desk = Desk::open();
    desk.answer_listing("1", 0, Ok(listing("1", "0 a,0 d,0 o1")));
    desk.press("enter o o o o o");
    desk.press("space");
    assert_eq!(desk.notice(), "marked with the one that stays; X duplicate marks only the others");
    desk.press("d");
    let whole = "Of 1 set of duplicates every event goes, also the one that stays otherwise";
    assert!(told(&mut desk).contains(whole), "{}", told(&mut desk));
    desk.press("esc j space d");
    assert_eq!(desk.marked(), ["a"]);
    assert!(!told(&mut desk).contains("duplicates every"), "{}", told(&mut desk));
}

#[test]
fn the_row_of_all_extensions_counts_what_is_visible_and_space_on_it_marks_just_that() {
    for keys in ["", "1 / o l d enter", "2 / o l d enter", "1 / c r enter 2 / t y p e : 0 enter"] {
        let mut desk = Desk::open();
        desk.press(keys);
        desk.press("1 k k k");
        let Visible { events, marked } = desk.model.visible();
        assert_eq!((marked, desk.model.hidden_marks()), (0, 0), "{keys}");
        desk.press("space");
        assert_eq!(desk.marked().len(), events, "{keys}");
        let all = Visible { events, marked: events };
        assert_eq!((desk.model.visible(), desk.model.hidden_marks()), (all, 0), "{keys}");
        desk.press("space");
        assert_eq!(desk.marked().len(), 0, "{keys}");
    }
}

#[test]
fn what_the_filter_of_extensions_leaves_out_is_not_in_the_row_of_all_extensions_and_is_hidden() {
    let mut desk = Desk::open();
    desk.press("A");
    desk.press("/ t y p e : 1 enter");
    assert_eq!(desk.model.visible(), Visible { events: 1, marked: 1 });
    assert_eq!(desk.model.hidden_marks(), 4);
}

#[test]
fn whatever_is_pressed_what_is_visible_is_what_no_filter_leaves_out_and_all_else_is_hidden() {
    let keys = [
        "o",
        "s",
        "0",
        "1",
        "2",
        "space",
        "A",
        "i",
        "j",
        "k",
        "a",
        "u",
        "U",
        "enter",
        "esc",
        "/ o l d enter",
        "/ t y p e : 0 enter",
        "/ i s : m a r k e d enter",
        "T c enter",
        "v j space",
        "/ i s : d u p l i c a t e enter",
        "- o l d enter",
        "o o o o o",
    ];
    for seed in 0..12 {
        let mut desk = Desk::open();
        desk.answer_listing("1", 0, Ok(listing("1", "0 a,0 d,0 o1,2 b,2 o2,2 o3")));
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..120 {
            let pressed = keys[random.usize(..keys.len())];
            desk.press(pressed);
            if random.u8(..) < 8 {
                desk.answer_listing("2", 0, Ok(listing("2", "1 c,1 e,1 f")));
            }
            let model = &desk.model;
            let marked = model.store().marked_rows();
            let hidden = marked.filter(|(listing, row)| model.is_hidden(listing, *row)).count();
            assert_eq!(model.hidden_marks(), hidden, "{seed} {pressed}");
            let listings = model.extensions().found().iter();
            let listings = listings.filter_map(|one| model.store().listing(&one.number));
            let rows =
                listings.flat_map(|listing| (0..listing.len()).map(move |row| (listing, row)));
            let shown: Vec<_> = rows.filter(|(it, row)| !model.is_hidden(it, *row)).collect();
            let is_marked =
                |(it, row): &&(&Listing, usize)| model.store().is_marked(it.extension(), *row);
            let marked = shown.iter().filter(is_marked).count();
            let visible = Visible { events: shown.len(), marked };
            assert_eq!(model.visible(), visible, "{seed} {pressed}");
        }
    }
}
