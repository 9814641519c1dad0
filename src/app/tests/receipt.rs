//! The receipt of a run.

use super::*;

fn receipt(effects: &[Effect]) -> (&str, &str) {
    match effects {
        [Effect::WriteReceipt { name, text }] => (name, text),
        other => panic!("no receipt but {other:?}"),
    }
}

/// Two events were marked: one is deleted, the other refused.
fn after_a_run() -> Desk {
    let mut desk = Desk::open();
    desk.press("enter a d");
    desk.run();
    desk.settle(0, true);
    desk.settle(1, false);
    desk.take(Message::Done(Done::Closed(Ok(()))));
    desk
}

#[test]
fn a_receipt_names_the_run_and_what_became_of_each_event() {
    let mut desk = after_a_run();
    let effects = desk.press("E");
    let (name, text) = receipt(&effects);
    assert_eq!(name, "r1");
    for words in [
        "# callsweep run r1",
        "profile  acme",
        "host     pbx.test",
        "result   1 deleted, 1 refused",
        "check    checked with the service",
        "deleted      1 Dial-In a POST https://crm.test/in on",
        "refused      1 Dial-In o1 POST https://crm-old.test/in on ! pce_access_denied: not allowed",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    assert!(text.ends_with("```\n"));
    desk.take(Message::ReceiptWritten(Ok("/state/receipts/r1.md".to_owned())));
    assert_eq!(desk.notice(), "receipt written: /state/receipts/r1.md");
    desk.take(Message::ReceiptWritten(Err("disk full".to_owned())));
    assert_eq!(desk.notice(), "no receipt: disk full");
}

#[test]
fn a_masked_receipt_gives_nothing_away_and_says_that_it_is_masked() {
    let mut desk = after_a_run();
    let effects = desk.press("m E");
    let (_, text) = receipt(&effects);
    assert!(text.contains("masked   "), "{text}");
    for word in ["pbx.test", "crm.test", "crm-old"] {
        assert!(!text.contains(word), "{word} is in {text}");
    }
    assert!(text.contains("Dial-In o1"));
}

#[test]
fn the_receipt_of_an_undo_tells_the_new_ids() {
    let mut desk = after_a_run();
    desk.press("z y");
    desk.take(Message::Done(Done::Opened(Ok("r2".to_owned()))));
    desk.take(Message::Done(Done::Listed {
        extension: number("1"),
        result: Ok(listing("1", "0 o1,2 b,2 o2")),
        exchanges: Vec::new(),
    }));
    let answer = Ok(crate::domain::WriteAnswer { http_status: 200, id: Some("new7".into()) });
    let settled = crate::change::judge_made(answer, Duration::ZERO);
    desk.take(Message::Done(Done::Settled { call: 0, settled, exchanges: Vec::new() }));
    desk.take(Message::Done(Done::Listed {
        extension: number("1"),
        result: Ok(listing("1", "0 o1,0 new7,2 b,2 o2")),
        exchanges: Vec::new(),
    }));
    desk.take(Message::Done(Done::Closed(Ok(()))));
    let effects = desk.press("E");
    let (name, text) = receipt(&effects);
    assert_eq!(name, "r2");
    assert!(text.contains("undo of r1") && text.contains(" → new7"), "{text}");
}

#[test]
fn without_a_finished_run_there_is_no_receipt_and_the_reason_is_said() {
    let mut desk = Desk::open();
    assert!(desk.press("E").is_empty());
    assert!(desk.notice().contains("no run in this session yet"));
    desk.press("enter a d");
    desk.run();
    assert!(desk.press("E").is_empty());
    assert!(desk.notice().contains("going on"));
    let mut desk = Desk::open();
    desk.press("enter j d s");
    desk.simulate(0);
    assert!(desk.press("E").is_empty());
    assert!(desk.notice().contains("nothing was sent"));
}
