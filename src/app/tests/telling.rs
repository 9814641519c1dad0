//! A run tells what it is doing: what it waits for and until when, how far the checking is, how it
//! is stopped.

use super::*;
use crate::change::RunState;

/// A run of four calls whose first two the service puts off for so many seconds.
pub(crate) fn put_off(seconds: u64) -> Desk {
    let mut desk = Desk::open();
    desk.press("A d");
    desk.run();
    for call in 0..2 {
        desk.put_off(call, seconds);
    }
    desk
}

impl Desk {
    fn machine(&self) -> &crate::change::Machine {
        &self.model.run().unwrap().machine
    }

    fn put_off(&mut self, call: usize, seconds: u64) {
        let retry_after = Some(Duration::from_secs(seconds));
        let busy = Failure::new(Cause::Rejected, "too many requests");
        let answer = Err(Failure { http_status: Some(429), retry_after, ..busy });
        self.answer(call, answer);
    }

    /// Answers a call of the run, and no listing after it.
    pub(crate) fn answer(&mut self, call: usize, answer: Result<DeleteAnswer, Failure>) {
        let plan = std::sync::Arc::clone(self.machine().plan());
        let settled = judge(plan.covered(call), answer, Duration::from_millis(5), false);
        self.take(Message::Done(Done::Settled { call, settled, exchanges: Vec::new() }));
    }

    fn waits(&self) -> Option<(u64, bool)> {
        let waiting = self.model.waiting()?;
        Some((whole_seconds(waiting.until.saturating_sub(self.at)), waiting.why.is_some()))
    }

    /// Lets time pass until the picture says something else, and says how long that was.
    pub(crate) fn ticks(&mut self) -> Option<Duration> {
        let at = self.model.changes_at()?;
        assert!(at > self.at, "it would never rest");
        let passed = at.saturating_sub(self.at);
        self.at = at.saturating_sub(Duration::from_millis(10));
        self.take(Message::TimePassed);
        Some(passed)
    }
}

#[test]
fn a_run_that_is_put_off_counts_the_seconds_and_asks_to_be_woken_once_for_each() {
    let mut desk = put_off(50);
    assert_eq!(desk.waits(), Some((50, true)));
    let counted = std::iter::from_fn(|| {
        desk.ticks()?;
        desk.waits()
    });
    let seconds: Vec<u64> = counted.map(|(seconds, _)| seconds).collect();
    let expected: Vec<u64> = (1..50).rev().collect();
    assert_eq!(seconds, expected);
    assert_eq!(desk.model.changes_at(), None, "nothing wakes it after the wait");
}

#[test]
fn nothing_wakes_a_program_without_a_run_or_with_one_that_is_over_or_paused() {
    let mut desk = Desk::open();
    assert_eq!(desk.model.changes_at(), None);
    desk.press("enter j space d");
    desk.run();
    desk.press("p");
    desk.settle(0, true);
    assert_eq!((desk.model.is_paused(), desk.model.changes_at()), (true, None));
    let mut desk = Desk::open();
    desk.press("enter j space d");
    desk.run();
    desk.settle(0, true);
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!((desk.model.is_running(), desk.model.changes_at()), (false, None));
}

#[test]
fn a_service_that_says_nothing_is_said_to_after_five_seconds_and_then_each_second() {
    let mut desk = Desk::open();
    desk.press("A d");
    desk.run();
    let silent = |desk: &Desk| desk.model.run().unwrap().silent_for(desk.at);
    assert_eq!(silent(&desk), None);
    desk.ticks();
    assert_eq!(silent(&desk), Some(Duration::from_secs(5)));
    assert_eq!(desk.ticks(), Some(Duration::from_secs(1)));
    assert_eq!(silent(&desk), Some(Duration::from_secs(6)));
    desk.settle(0, true);
    assert_eq!(silent(&desk), None);
}

#[test]
fn a_rate_is_told_once_it_means_something_and_leaves_waits_out() {
    let mut desk = Desk::open();
    desk.press("A d");
    desk.run();
    desk.settle(0, true);
    let pace = |desk: &Desk| desk.model.run().unwrap().pace(desk.at);
    assert_eq!(pace(&desk), None, "a run of a moment has no rate");
    desk.pass(Duration::from_secs(4));
    desk.settle(1, true);
    let (rate, _) = pace(&desk).unwrap();
    assert!((0.4..0.6).contains(&rate), "{rate}");
    desk.press("p");
    desk.pass(Duration::from_secs(400));
    desk.press("p");
    let (rate, _) = pace(&desk).unwrap();
    assert!((0.4..0.6).contains(&rate), "{rate}");
}

#[test]
fn escape_ends_a_wait_and_a_second_one_the_checking_and_both_say_so() {
    let mut desk = put_off(50);
    let effects = desk.press("esc");
    assert!(desk.notice().starts_with("stopping: checking what was sent"), "{}", desk.notice());
    assert!(matches!(effects[..], [] | [Effect::Act(Act::Wait(_))]), "nothing goes earlier");
    assert_eq!((desk.model.checking(), desk.waits()), (Some((0, 1)), Some((50, true))));
    let effects = desk.press("esc");
    assert!(matches!(effects[..], [Effect::Act(Act::Close(_))]), "{effects:?}");
    assert_eq!(desk.notice(), "checking ended: not checked");
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert!(desk.notice().contains("not checked"), "{}", desk.notice());
}

#[test]
fn what_is_checked_is_counted_in_extensions_and_a_list_that_lags_is_read_again_in_a_while() {
    let mut desk = Desk::open();
    desk.press("A j A d");
    desk.run();
    for call in 0..5 {
        desk.answer(call, Ok(DeleteAnswer { http_status: 204, ids: None }));
    }
    assert_eq!(desk.model.checking(), Some((0, 2)));
    let listed = |desk: &mut Desk, extension: &str, events: &str| {
        let (result, exchanges) = (Ok(listing(extension, events)), Vec::new());
        let extension = number(extension);
        desk.take(Message::Done(Done::Listed { extension, result, exchanges }));
    };
    listed(&mut desk, "2", "");
    assert_eq!(desk.model.checking(), Some((1, 2)));
    listed(&mut desk, "1", "0 a");
    assert_eq!((desk.model.checking(), desk.waits()), (Some((1, 2)), Some((6, false))));
}

#[test]
fn leaving_while_it_checks_closes_the_run_file_in_order_and_no_call_is_called_unknown() {
    for keys in ["ctrl-c ctrl-c", "q q y"] {
        let mut desk = put_off(50);
        desk.press("esc");
        assert_eq!(desk.machine().state(), RunState::Verifying);
        desk.press(keys);
        assert_eq!(desk.machine().state(), RunState::Closing, "{keys}");
        assert_eq!(desk.model.leaving(), &Leaving::WhenSettled, "{keys}");
        desk.take(Message::Done(Done::Closed(Ok(()))));
        assert_eq!(desk.model.leaving(), &Leaving::Now { message: None }, "{keys}");
    }
}

#[test]
fn a_third_ctrl_c_leaves_whatever_keeps_the_file_from_being_closed() {
    let mut desk = put_off(50);
    desk.press("ctrl-c ctrl-c");
    assert_eq!(desk.model.leaving(), &Leaving::WhenSettled);
    desk.press("ctrl-c");
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}

#[test]
fn a_start_after_too_many_failures_counts_the_seconds_and_then_asks() {
    let (mut model, _) = Model::new(facts(), 120, 40);
    let mut tell = |seconds: f64, message: Message| {
        let since_start = Duration::from_secs_f64(seconds);
        let effects = update(&mut model, message, Moment { since_start, ..Moment::default() });
        (effects, model.words_of_wait(), model.changes_at())
    };
    let retry_after = Some(Duration::from_secs(3));
    let failure = Failure { retry_after, ..Failure::new(Cause::Withheld, "not asked") };
    let refused = Message::Discovered { result: Err(failure), exchanges: Vec::new() };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let says = |words: Option<String>, text: &str| words.is_some_and(|words| words.contains(text));
    let (effects, words, wakes) = tell(1.0, refused);
    assert_eq!((effects, wakes), (vec![], seconds(2)));
    assert!(says(words, "waiting 3 s, as too many requests failed"));
    let (effects, words, wakes) = tell(2.5, Message::TimePassed);
    assert_eq!((effects, wakes), (vec![], seconds(3)));
    assert!(says(words, "waiting 2 s, "));
    assert_eq!(tell(3.0, Message::TimePassed).0, [], "another second");
    let (effects, words, wakes) = tell(4.0, Message::TimePassed);
    assert_eq!((effects, words, wakes), (vec![Effect::DiscoverExtensions], None, None));
}

#[test]
fn what_is_to_be_read_again_looks_old_until_it_is_and_stays_so_where_it_cannot_be() {
    let mut desk = Desk::open();
    assert_eq!(desk.model.not_read_again(), None);
    desk.press("R");
    let old = |desk: &Desk| ["1", "2", "3"].map(|one| desk.model.is_not_read_again(&number(one)));
    assert_eq!(old(&desk), [true; 3]);
    let extensions = ["1", "2"].map(|text| Extension::of(number(text))).to_vec();
    let discovery =
        Discovery { extensions, remarks: Vec::new(), complete: true, ..Discovery::default() };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    assert_eq!(old(&desk), [true, true, false], "what is not there any more is not waited for");
    desk.answer_listing("1", 1, Ok(listing("1", "0 a")));
    desk.answer_listing("2", 1, Err(Failure::new(Cause::NoAnswer, "no answer")));
    assert_eq!(old(&desk), [false, true, false]);
    assert!(desk.model.not_read_again().is_some());
    desk.press("j 2 R");
    desk.answer_listing("2", 1, Ok(listing("2", "1 c")));
    assert_eq!(desk.model.not_read_again(), None);
}

#[test]
fn one_that_was_read_and_cannot_be_read_once_more_looks_old_and_one_never_read_is_none() {
    let mut desk = Desk::open();
    desk.press("2 R");
    desk.fail_listing("1", Failure::new(Cause::NoAnswer, "no answer"));
    assert!(desk.model.is_not_read_again(&number("1")));
    let mut desk = Desk::before_listing(facts());
    desk.fail_listing("1", Failure::new(Cause::NoAnswer, "no answer"));
    assert_eq!(desk.model.not_read_again(), None);
}
