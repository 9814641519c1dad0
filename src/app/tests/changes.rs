//! `x` and `e`: disabling, enabling and re-pointing, from the key to the marks that are left.

use super::*;
use crate::change::{Check, EarlierRun, Kind, Summary, Tally, Undone, judge_changed};
use crate::domain::{Success, WriteAnswer};

/// Rows of extension 1 as id, URL and status; all are of one type.
fn rows(rows: &[(&str, &str, &str)]) -> Listing {
    let mut builder = ListingBuilder::new(number("1"));
    for &(id, url, status) in rows {
        let text = format!("{{\"method\":1,\"url\":{url:?},\"note\":\"\",\"status\":{status}}}");
        let row = RawEvent { event_type: "0", id, method: "1", url, status, ..RawEvent::default() };
        builder.push_with_text(row, text.as_bytes());
    }
    builder.finish(true)
}

const OLD: [(&str, &str, &str); 4] = [
    ("a", "https://old.test/in?n=1", "1"),
    ("b", "https://old.test/in?n=2", "0"),
    ("c", "https://else.test/in", "1"),
    ("d", "https://new.test/in?n=1", "1"),
];

fn desk_of(events: &[(&str, &str, &str)]) -> Desk {
    desk_with(facts(), events)
}

fn desk_with(facts: Facts, events: &[(&str, &str, &str)]) -> Desk {
    let mut desk = Desk::before_listing(facts);
    desk.answer_listing("1", 0, Ok(rows(events)));
    desk.list("2", "1 c");
    desk.list("3", "");
    desk.effects.clear();
    desk
}

/// Types a text into the line that is open.
fn type_in(desk: &mut Desk, text: &str) {
    for character in text.chars() {
        let name = if character == ' ' { "space".to_owned() } else { character.to_string() };
        desk.press(&name);
    }
}

fn prompt(desk: &Desk) -> &RepointPrompt {
    match desk.model.dialog() {
        Some(Dialog::Repointing(prompt)) => prompt,
        other => panic!("no prompt but {other:?}; {}", desk.notice()),
    }
}

fn ids(desk: &Desk) -> Vec<&str> {
    desk.review().events().iter().map(|event| event.key.id.as_str()).collect()
}

fn warnings(desk: &Desk) -> String {
    let layout = desk.review().layout();
    [&layout.pinned[..], &layout.loose[..]].concat().join("\n")
}

/// What the rows name beside the plan.
fn named(desk: &Desk) -> Vec<String> {
    let (review, mask) = (desk.review(), desk.model.mask());
    let rows = (0..review.rows()).filter_map(|row| match review.row(row)? {
        ReviewRow::Named(place) => review.named(place, mask),
        ReviewRow::Warning(_) | ReviewRow::Event(_) | ReviewRow::Call(_) => None,
    });
    rows.collect()
}

/// Answers a listing that the run asked for.
fn lists(desk: &mut Desk, listing: Listing) {
    let extension = listing.extension().clone();
    let asked = Effect::Act(Act::List(extension.clone()));
    assert!(desk.effects.contains(&asked), "{:?}", desk.effects);
    desk.effects.clear();
    desk.take(Message::Done(Done::Listed { extension, result: Ok(listing), exchanges: vec![] }));
}

fn puts(desk: &mut Desk, call: usize, works: bool) {
    let plan = std::sync::Arc::clone(desk.model.run().unwrap().machine.plan());
    let answer = if works {
        Ok(WriteAnswer { http_status: 200, id: None })
    } else {
        Err(Failure {
            http_status: Some(400),
            code: Foreign::from("pce_access_denied"),
            ..Failure::new(Cause::Rejected, "not allowed")
        })
    };
    let success = plan.kind().success();
    let id = &plan.covered(call)[0].key.id;
    let settled = judge_changed(id, success, answer, Duration::from_millis(5), false);
    desk.take(Message::Done(Done::Settled { call, settled, exchanges: Vec::new() }));
}

#[test]
fn x_disables_what_is_marked_and_enables_it_where_all_is_off() {
    let mut desk = desk_of(&OLD);
    desk.press("space x");
    assert_eq!(
        (desk.review().deed(), ids(&desk)),
        (crate::change::Deed::Disable, vec!["a", "c", "d"])
    );
    assert_eq!(warnings(&desk), "! 1 event is off already: left out, named last");
    assert_eq!(named(&desk), ["left out, is off already: 1 Dial-In b"]);
    let call = desk.review().call(0).unwrap();
    assert_eq!((call.method, call.change.unwrap().value()["status"].as_str()), ("PUT", Some("0")));
    desk.press("n U k enter j j x");
    assert_eq!((desk.review().deed(), ids(&desk)), (crate::change::Deed::Enable, vec!["b"]));
    assert!(warnings(&desk).starts_with("Nothing is marked"), "{}", warnings(&desk));
}

#[test]
fn on_a_row_that_is_no_event_x_and_e_open_nothing_and_say_what_to_do() {
    for keys in ["x", "e", "enter x", "enter e"] {
        let mut desk = desk_of(&OLD);
        desk.press(keys);
        assert!(desk.model.dialog().is_none(), "{keys}");
        assert_eq!(desk.notice(), "nothing is marked: space marks these 4 events", "{keys}");
    }
}

#[test]
fn e_counts_what_it_would_change_while_it_is_typed_and_names_what_it_leaves_out() {
    let mut desk = desk_of(&OLD);
    desk.press("space e");
    type_in(&mut desk, "old.test=");
    assert!(prompt(&desk).reckoned(desk.model.mask()).unwrap_err().contains("type OLD=NEW"));
    assert_eq!(desk.press("enter"), [], "it stays");
    type_in(&mut desk, "new.test");
    let reckoned = prompt(&desk).reckoned(desk.model.mask()).unwrap();
    assert_eq!((reckoned.fit, reckoned.left_out), (2, 2));
    desk.press("enter");
    assert_eq!(ids(&desk), ["a", "b"]);
    let told = warnings(&desk);
    assert!(told.starts_with("! OLD does not fit 2 events: left out, named last"), "{told}");
    assert!(told.contains("! 1 event would be a duplicate of another, named last"), "{told}");
    let (c, d) =
        ("left out, has another URL: 1 Dial-In c", "left out, has another URL: 1 Dial-In d");
    assert_eq!(named(&desk), [c, d, "duplicate: 1 Dial-In a of d"]);
    assert_eq!(desk.review().change(0).unwrap().url.unwrap().raw(), "https://new.test/in?n=1");
    desk.press("n e up");
    assert_eq!(prompt(&desk).line().text(), "old.test=new.test");
    assert_eq!(prompt(&desk).reckoned(desk.model.mask()).unwrap().fit, 2);
    desk.press("esc");
    assert!(desk.model.dialog().is_none());
    assert_eq!(desk.marked().len(), 4);
}

#[test]
fn what_would_be_no_url_and_what_fits_none_stays_in_the_prompt_with_the_reason() {
    for (typed, why) in [
        ("no.test=new.test", "OLD fits none of the URLs of 4 events"),
        ("https://old.test/=https://", "no URL: https://in"),
        ("old.test=b@c", "no host: \"b@c\""),
        ("old.test=new.test/in", "with a path, write both with https://"),
        ("old.test=old.test", "OLD and NEW are the same"),
    ] {
        let mut desk = desk_of(&OLD);
        desk.press("space e");
        type_in(&mut desk, typed);
        assert_eq!(desk.press("enter"), []);
        let said = prompt(&desk).reckoned(desk.model.mask()).unwrap_err();
        assert!(said.contains(why), "{typed}: {said}");
    }
}

#[test]
fn only_what_fits_counts_against_max_delete() {
    let mut desk = desk_with(Facts { max_delete: 2, ..facts() }, &OLD);
    desk.press("space x");
    assert!(desk.model.dialog().is_none());
    assert!(desk.notice().contains("at most 2 at once"), "{}", desk.notice());
    desk.press("e");
    type_in(&mut desk, "old.test=new.test");
    desk.press("enter");
    assert_eq!(ids(&desk), ["a", "b"]);
}

#[test]
fn a_change_asks_for_consent_like_a_deletion_and_read_only_changes_nothing() {
    let opens = |effects: Vec<Effect>| {
        effects.iter().any(|effect| matches!(effect, Effect::Act(Act::Open(_))))
    };
    for keys in ["space x", "space e o l d . t e s t = n e w . t e s t enter"] {
        let mut desk = desk_with(Facts { protected: true, ..facts() }, &OLD);
        desk.press_blindly(keys);
        let count = desk.review().events().len().to_string();
        assert!(!opens(desk.press_only("y")), "nobody saw it");
        desk.press_only(&count);
        assert_eq!(desk.review().typed(), "", "typed ahead");
        desk.look();
        assert!(!opens(desk.press_only("enter y")), "the number is not typed");
        desk.press_only(&count);
        assert!(opens(desk.press_only("y")));

        let mut desk = desk_with(Facts { read_only: true, ..facts() }, &OLD);
        desk.press(keys);
        assert!(!opens(desk.press("y")));
        assert!(desk.notice().starts_with("read-only: nothing can be "), "{}", desk.notice());
    }
    let mut desk = desk_of(&OLD);
    desk.press("space e");
    type_in(&mut desk, "old.test=new.test");
    assert!(!opens(desk.press_only("enter y y")), "what is typed ahead counts for nothing");
}

#[test]
fn what_drifted_is_left_out_until_it_is_added_and_then_asked_anew() {
    let mut desk = desk_of(&OLD);
    desk.press_only("space x");
    let mut now = OLD;
    now[0].1 = "https://mine.test/";
    now[1].2 = "1";
    desk.answer_listing("1", 0, Ok(rows(&now)));
    assert_eq!(ids(&desk), ["c", "d"]);
    assert!(warnings(&desk).contains("! 2 events changed since marking, left out: + adds 2"));
    desk.look();
    desk.press("+");
    assert_eq!(ids(&desk), ["a", "b", "c", "d"]);
}

#[test]
fn where_nothing_is_left_to_be_changed_there_is_nothing_to_say_yes_to() {
    let mut desk = desk_of(&OLD);
    desk.press_only("enter j x");
    let mut now = OLD;
    now[0].2 = "0";
    desk.answer_listing("1", 0, Ok(rows(&now)));
    assert!(desk.review().plan().is_none());
    desk.look();
    desk.press("+");
    assert!(desk.review().plan().is_none(), "it is off already");
    assert_eq!(desk.press("y"), []);
    assert!(desk.notice().starts_with("nothing is left to change"), "{}", desk.notice());
}

#[test]
fn what_is_changed_loses_its_mark_shows_its_new_values_and_what_failed_keeps_it() {
    let mut desk = desk_of(&OLD);
    desk.press("space x");
    desk.effects = desk.run();
    lists(&mut desk, rows(&OLD));
    for (call, works) in [(0, true), (1, false), (2, true)] {
        puts(&mut desk, call, works);
    }
    let mut now = OLD;
    (now[0].2, now[3].2) = ("0", "0");
    assert_eq!(desk.marked(), ["b", "c"], "what was left out keeps its mark too");
    desk.pass(Duration::from_secs(7));
    lists(&mut desk, rows(&now));
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!(desk.marked(), ["b", "c"]);
    assert!(
        desk.notice().contains("2 changed, 1 refused; z undoes it; r goes on with 1"),
        "{}",
        desk.notice()
    );
    let listing = desk.model.store().listing(&number("1")).unwrap();
    let off = (0..4).filter(|row| listing.row(*row).unwrap().status().written() == "0").count();
    assert_eq!(off, 3);
}

#[test]
fn a_change_is_simulated_without_sending_anything_and_marks_stay() {
    let mut desk = desk_of(&OLD);
    desk.press("space x");
    desk.effects = desk.press("s");
    lists(&mut desk, rows(&OLD));
    for call in 0..3 {
        desk.simulate(call);
    }
    assert!(
        desk.notice().contains("3 events would be disabled; nothing was sent"),
        "{}",
        desk.notice()
    );
    assert_eq!(desk.marked().len(), 4);
}

#[test]
fn what_is_left_of_a_change_whose_undo_has_begun_is_never_reviewed_as_a_deletion() {
    let mut desk = desk_of(&OLD);
    desk.press("space x");
    desk.effects = desk.run();
    lists(&mut desk, rows(&OLD));
    for call in 0..3 {
        puts(&mut desk, call, call != 1);
    }
    desk.pass(Duration::from_secs(7));
    let mut now = OLD;
    (now[0].2, now[3].2) = ("0", "0");
    lists(&mut desk, rows(&now));
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert!(matches!(desk.press("r")[..], [Effect::ReadRest(_)]));
    let (run, undo) = ("r1".to_owned(), "u1".to_owned());
    desk.take(Message::RestRead(Err(crate::change::RestRefused::Undone { run, undo })));
    assert!(desk.model.dialog().is_none());
    assert_eq!(
        desk.notice(),
        "the undo of r1 has begun (u1): W, then z on it, goes on with it",
        "keys, and no command"
    );
}

#[test]
fn an_undo_that_waits_for_lists_says_so_until_its_review_opens() {
    let mut desk = desk_of(&OLD);
    let tally = Tally::default().with(Success::Changed, 2);
    let (name, kind, undoes) = ("r1".to_owned(), Kind::Change, None);
    let changed = Summary { name, kind, undoes, ..earlier_undo(tally) };
    desk.take(Message::RunTold(Ok(Box::new(EarlierRun::new(changed, Vec::new())))));
    assert_eq!(desk.press_only("z"), [Effect::ReadWayBack("r1".to_owned())]);
    assert!(desk.notice().starts_with("reading the run to undo it"), "{}", desk.notice());
}

/// An undo of before in Status, of which so much is done.
fn earlier_undo(tally: Tally) -> Summary {
    Summary {
        name: "u1".to_owned(),
        kind: Kind::Undo,
        profile: "acme".to_owned(),
        origin: "https://pbx.test".to_owned(),
        undoes: Some("r1".to_owned()),
        started: "2026-05-31T22:00:00.000Z".to_owned(),
        finished: Some("2026-05-31T22:00:09.000Z".to_owned()),
        planned: tally.settled(),
        tally,
        check: Check::Agrees,
        stop: None,
        undone: None,
        took_more: false,
        is_going_on: false,
        is_newer: false,
        flaws: Vec::new(),
    }
}

#[test]
fn r_on_an_undo_of_before_goes_on_with_it_or_says_in_words_why_it_cannot() {
    let shown = |summary: Summary| {
        let mut desk = desk_of(&OLD);
        desk.take(Message::RunTold(Ok(Box::new(EarlierRun::new(summary, Vec::new())))));
        let effects = desk.press_only("r");
        assert!(!desk.notice().contains("callsweep undo"), "{}", desk.notice());
        (effects, desk.notice().to_owned())
    };
    let done = Tally::default().with(Success::Restored, 2);
    let open = Tally::default().with(Success::Restored, 1).with(Word::Refused, 1);
    let (effects, _) = shown(earlier_undo(open));
    assert_eq!(effects, [Effect::ReadWayBack("r1".to_owned())]);
    let going_on = Summary { is_going_on: true, ..earlier_undo(open) };
    let newer = Summary { is_newer: true, ..earlier_undo(open) };
    let nameless = Summary { undoes: None, ..earlier_undo(open) };
    let undone = |not_back| {
        let (run, restored, altered, is_over) = ("u1".to_owned(), 1, 0, true);
        Some(Undone { run, restored, altered, not_back, is_over })
    };
    let of_change = |undone| {
        let (name, kind, undoes) = ("r1".to_owned(), Kind::Change, None);
        let tally = Tally::default().with(Success::Changed, 1).with(Word::Refused, 1);
        Summary { name, kind, undoes, undone, ..earlier_undo(tally) }
    };
    for (summary, why) in [
        (earlier_undo(done), "run u1 cannot be gone on with: nothing of it is left"),
        (going_on, "run u1 cannot be gone on with: another callsweep is at it"),
        (newer, "run u1 cannot be gone on with: a newer callsweep wrote it"),
        (nameless, "run u1 cannot be gone on with: it does not say which run it undoes"),
        (of_change(undone(0)), "run r1 cannot be gone on with: it is undone"),
        (
            of_change(undone(1)),
            "run r1 cannot be gone on with: its undo has begun; W, then z on it, goes on with that",
        ),
    ] {
        assert_eq!(shown(summary), (vec![], why.to_owned()));
    }
}

#[test]
fn in_the_list_of_runs_no_key_means_another_run_than_the_one_under_the_cursor() {
    let remark = "notes.txt is no run file: move it elsewhere".to_owned();
    for key in ["z", "r", "E", "enter"] {
        let mut desk = desk_of(&OLD);
        let tally = Tally::default().with(Success::Restored, 1).with(Word::Refused, 1);
        let earlier = EarlierRun::new(earlier_undo(tally), Vec::new());
        desk.take(Message::RunTold(Ok(Box::new(earlier))));
        desk.press("W");
        assert_eq!(desk.press(key), [], "{key}");
        assert_eq!(desk.notice(), "the run files are still being read", "{key}");
        let (runs, remarks) = (Vec::new(), vec![remark.clone()]);
        desk.take(Message::RunsListed(Ok(RunFiles { runs, remarks })));
        assert_eq!(desk.press(key), [], "{key}");
        assert_eq!(desk.notice(), "this row is no run: what can be done stands below", "{key}");
        assert!(matches!(desk.model.dialog(), Some(Dialog::Runs(_))), "{key}");
    }
}

#[test]
fn no_window_is_too_small_to_tell_old_from_new() {
    let mut desk = desk_of(&OLD);
    desk.take(Message::Resized { columns: 60, rows: 15 });
    desk.press("space e");
    type_in(&mut desk, "old.test=new.test");
    assert_eq!(prompt(&desk).reckoned(desk.model.mask()).unwrap().fit, 2);
    desk.press("enter");
    assert_eq!((ids(&desk), desk.model.unread()), (vec!["a", "b"], None));
    desk.take(Message::Resized { columns: 59, rows: 15 });
    assert_eq!(desk.press_only("y"), []);
}
