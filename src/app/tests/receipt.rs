//! The receipt of a run.

use std::collections::BTreeMap;

use super::*;

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
fn e_writes_the_receipt_of_the_last_run_masked_while_the_mask_is_on() {
    let mut desk = after_a_run();
    let of = |run: &str, masked| {
        [Effect::WriteReceipt { run: run.to_owned(), masked, labels: BTreeMap::new() }]
    };
    assert_eq!(desk.press("E"), of("r1", false));
    assert_eq!(desk.press("m E"), of("r1", true));
    desk.take(Message::ReceiptWritten(Ok("/state/receipts/r1.md".to_owned())));
    assert_eq!(desk.notice(), "receipt written: /state/receipts/r1.md");
    desk.take(Message::ReceiptWritten(Err("disk full".to_owned())));
    assert_eq!(desk.notice(), "no receipt: disk full");
    desk.press("z y");
    desk.take(Message::Done(Done::Opened(Ok("r2".to_owned()))));
    for found in ["0 o1,2 b,2 o2", "0 o1,0 new7,2 b,2 o2"] {
        let (extension, result) = (number("1"), Ok(listing("1", found)));
        desk.take(Message::Done(Done::Listed { extension, result, exchanges: Vec::new() }));
        let answer = Ok(crate::domain::WriteAnswer { http_status: 200, id: Some("new7".into()) });
        let settled = crate::change::judge_made(answer, Duration::ZERO);
        desk.take(Message::Done(Done::Settled { call: 0, settled, exchanges: Vec::new() }));
    }
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!(desk.press("E"), of("r2", true));
}

#[test]
fn without_a_finished_run_there_is_no_receipt_and_the_reason_is_said() {
    let mut desk = Desk::open();
    assert!(desk.press("E").is_empty());
    assert!(desk.notice().contains("this session has no run yet"));
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
