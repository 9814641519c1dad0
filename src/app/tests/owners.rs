//! Empty lists that prove nothing, and numbers that turn out to name one extension.

use super::*;
use crate::domain::Owner;

fn discovered(desk: &mut Desk, extensions: Vec<Extension>) {
    let discovery =
        Discovery { extensions, remarks: Vec::new(), complete: true, ..Discovery::default() };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
}

/// The extensions that are asked for.
fn asked(desk: &mut Desk) -> Vec<String> {
    desk.effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::ListEvents { extension, .. } => Some(extension.to_string()),
            _ => None,
        })
        .collect()
}

#[test]
fn an_empty_list_that_proves_nothing_is_read_again_once_an_event_was_seen_and_only_then() {
    let mut desk = Desk::before_listing(facts());
    asked(&mut desk);
    for extension in ["1", "2"] {
        desk.answer_listing(extension, 0, Ok(listing(extension, "").unproven()));
    }
    assert_eq!(asked(&mut desk), ["3"], "as ever");
    desk.list("3", "0 a");
    assert_eq!(asked(&mut desk), ["1", "2"]);
    desk.answer_listing("1", 0, Ok(listing("1", "").unproven()));
    desk.list("2", "0 b");
    assert_eq!(asked(&mut desk), [""; 0], "the owner of 2 was seen before");
}

#[test]
fn two_numbers_with_the_same_events_become_the_longer_one_with_the_marks_of_both() {
    let mut desk = Desk::on(facts());
    let owner = Owner { id: UserId::parse("101").unwrap(), name: "Ada".into() };
    let long = Extension { owner: Some(owner), ..Extension::of(number("0003*200")) };
    discovered(&mut desk, vec![long, Extension::of(number("200")), Extension::of(number("300"))]);
    desk.list("200", "0 a,0 b");
    desk.model.store.set_marks(&number("200"), [0], true);
    desk.list("0003*200", "0 b,0 a");
    let numbers: Vec<_> =
        desk.model.extensions().found().iter().map(|one| one.number.as_str()).collect();
    assert_eq!(numbers, ["0003*200", "300"]);
    assert_eq!(desk.model.store().marked_in(&number("0003*200")), 1);
    assert_eq!(desk.model.store().marked(), 1);

    let mut desk = Desk::on(facts());
    let both = ["0003*200", "200"].map(|text| Extension::of(number(text)));
    discovered(&mut desk, both.to_vec());
    desk.list("200", "0 a");
    desk.list("0003*200", "0 a,0 b");
    assert_eq!(desk.model.extensions().found().len(), 2, "nothing proves it");
}
