//! Runs as an operator sees them, and whatever the service answers.

use std::ops::Range;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::change::plan::tests::{builder, plan, target};
use crate::change::trial::loss_of;
use crate::change::trial::{Service, drive, number, to_the_end, whims};
use crate::change::{Selection, Wish, judge, judge_changed};
use crate::domain::{
    CallForm, Cause, DeleteAnswer, EventId, EventStore, Foreign, RawEvent, Success, Word,
    WriteAnswer, looked,
};

pub(in crate::change) const NOW: Duration = Duration::ZERO;

const ROWS: &[(&str, &str)] = &[("0", "a"), ("0", "b"), ("2", "c")];

/// A machine whose run file is open.
pub(in crate::change) fn begun(plan: Plan, concurrency: usize) -> Machine {
    let mut machine = Machine::new(Arc::new(plan), concurrency);
    assert!(matches!(machine.hand_out(NOW)[..], [Act::Open(_)]));
    machine.take(Done::Opened(Ok("r1".to_owned())), NOW);
    machine
}

fn run(calls: usize, concurrency: usize) -> Machine {
    let ids: Vec<String> = (0..calls).map(|id| format!("e{id}")).collect();
    let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", id.as_str())).collect();
    begun(plan(&rows, 0..calls, CallForm::Event), concurrency)
}

fn wide(chosen: Range<usize>, form: CallForm) -> Machine {
    begun(plan(ROWS, chosen, form), 4)
}

pub(in crate::change) fn extension() -> ExtensionNumber {
    ExtensionNumber::parse("210").unwrap()
}

fn listing(rows: &[(&str, &str)]) -> Listing {
    builder("210", rows).finish(true)
}

fn rejected(code: &str) -> Failure {
    let code = Foreign::from(code);
    Failure { http_status: Some(400), code, ..Failure::new(Cause::Rejected, "no") }
}

fn no_answer() -> Failure {
    Failure::new(Cause::NoAnswer, "no answer within 5 s")
}

fn unclear() -> Failure {
    Failure::new(Cause::Unreadable, "what came back makes no sense")
}

fn busy() -> Failure {
    Failure { http_status: Some(503), ..Failure::new(Cause::ServiceFailed, "busy") }
}

fn too_many() -> Failure {
    Failure { http_status: Some(429), ..Failure::new(Cause::Rejected, "too many") }
}

/// A run over two extensions of five and two events.
fn over_two(form: CallForm, concurrency: usize) -> Machine {
    let mut store = EventStore::default();
    for (extension, ids) in [("210", &["a", "b", "c", "d", "e"][..]), ("211", &["f", "g"])] {
        let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", *id)).collect();
        store.insert(builder(extension, &rows).finish(true));
        store.set_marks(&ExtensionNumber::parse(extension).unwrap(), 0..rows.len(), true);
    }
    let selection = Selection::of_marks(&store);
    begun(Plan::freeze(target(), &selection, form, 1000).unwrap(), concurrency)
}

/// Hands back what the service said to the calls with these ids.
fn answer(run: &mut Machine, id: usize, answer: Result<&[&str], Failure>) {
    answer_at(run, id, answer, NOW);
}

fn answer_at(run: &mut Machine, id: usize, answer: Result<&[&str], Failure>, now: Duration) {
    let call = run.call(id).unwrap();
    let ids = |ids: &[&str]| ids.iter().map(|id| Foreign::from(*id)).collect();
    let answer = answer.map(|of| DeleteAnswer { http_status: 200, ids: Some(ids(of)) });
    let settled = judge(call.covered(), answer, Duration::ZERO, call.may_have_acted());
    run.settle(id, settled, now);
}

/// The service does what it was asked.
fn works(run: &mut Machine, id: usize) {
    let call = run.call(id).unwrap();
    let ids: Vec<&str> = call.covered().iter().map(|event| event.key.id.as_str()).collect();
    answer(run, id, Ok(&ids));
}

fn sends(steps: &[Act]) -> Vec<usize> {
    steps
        .iter()
        .map(|step| match step {
            Act::Send(call) => call.id(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn waits(steps: &[Act]) -> Duration {
    match steps {
        [Act::Wait(time)] => *time,
        other => panic!("{other:?}"),
    }
}

fn is_listing(steps: &[Act]) -> bool {
    matches!(steps, [Act::List(listed)] if *listed == extension())
}

/// The service lists this, as often as it is asked, from a while after the last call.
pub(in crate::change) fn lists(machine: &mut Machine, listing: &Listing) {
    let mut now = Duration::from_secs(100);
    while machine.state() == RunState::Verifying {
        let acts = machine.hand_out(now);
        assert!(!acts.is_empty());
        for act in acts {
            match act {
                Act::List(extension) => machine.listed(&extension, Ok(listing), now),
                Act::Wait(time) => now += time,
                Act::Open(_) | Act::Send(_) | Act::Close(_) => panic!("{act:?}"),
            }
        }
    }
}

/// Rows that are read of the last list of the first extension, of so many extensions of so many events
/// that were deleted, as it was answered; it shows them all the same, or none.
fn rows_read(extensions: usize, events: usize, lies: bool) -> usize {
    let ids: Vec<String> = (0..events).map(|place| format!("e{place}")).collect();
    let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", id.as_str())).collect();
    let mut store = EventStore::default();
    let numbers: Vec<String> = (0..extensions).map(|place| (1_000 + place).to_string()).collect();
    for number in &numbers {
        store.insert(builder(number, &rows).finish(true));
        store.set_marks(&ExtensionNumber::parse(number).unwrap(), 0..events, true);
    }
    let selection = Selection::of_marks(&store);
    let plan = Plan::freeze(target(), &selection, CallForm::Event, usize::MAX).unwrap();
    let mut run = begun(plan, extensions * events);
    while run.state() == RunState::Running {
        for call in sends(&run.hand_out(NOW)) {
            works(&mut run, call);
        }
    }
    let first = ExtensionNumber::parse("1000").unwrap();
    let shown = if lies { &rows[..] } else { &[] };
    let listing = builder("1000", shown).finish(true);
    assert!(run.hand_out(NOW).iter().all(|act| matches!(act, Act::List(_))));
    let before = looked::rows();
    run.listed(&first, Ok(&listing), Duration::from_secs(100));
    looked::rows() - before
}

#[test]
fn what_a_list_is_read_for_after_a_run_grows_with_its_rows_and_with_nothing_else() {
    assert_eq!(rows_read(3, 50, false), 0);
    let (few, many) = (rows_read(1, 50, true), rows_read(1, 400, true));
    assert!((50..=100).contains(&few) && many == 8 * few, "{few} of 50, {many} of 400");
    assert_eq!((rows_read(9, 50, true), rows_read(90, 50, true)), (few, few));
}

fn deleted(events: usize) -> Tally {
    Tally::default().with(Success::Deleted, events)
}

fn names(run: &Machine) -> Vec<&'static str> {
    run.outcomes().iter().map(|outcome| outcome.as_ref().map_or("open", Outcome::name)).collect()
}

#[test]
fn calls_go_out_in_order_and_never_more_than_allowed_at_once() {
    let mut run = run(5, 2);
    assert_eq!(sends(&run.hand_out(NOW)), [0, 1]);
    assert_eq!(sends(&run.hand_out(NOW)), [0; 0]);
    works(&mut run, 1);
    assert_eq!(sends(&run.hand_out(NOW)), [2]);
    assert_eq!(run.in_flight(), 2);
}

#[test]
fn stopping_awaits_what_is_in_flight_and_names_the_rest_not_sent() {
    let mut run = run(5, 2);
    run.hand_out(NOW);
    run.stop();
    assert_eq!((run.state(), run.hand_out(NOW).len()), (RunState::Stopping, 0));
    works(&mut run, 0);
    answer(&mut run, 1, Err(rejected("no")));
    assert!(is_listing(&run.hand_out(NOW)), "what was sent is verified all the same");
    run.listed(
        &extension(),
        Ok(&listing(&[("0", "e1"), ("0", "e2"), ("0", "e3"), ("0", "e4")])),
        NOW,
    );
    assert_eq!(run.state(), RunState::Closing);
    let expected = deleted(1).with(Word::Refused, 1).with(Word::NotSent, 3);
    assert_eq!(run.tally(), expected);
    assert_eq!(names(&run), ["deleted", "refused", "not sent", "not sent", "not sent"]);
    assert_eq!(run.check(), Check::Agrees);
}

#[test]
fn the_end_tells_why_something_is_left_and_nothing_where_nothing_is() {
    let reason = |run: &Machine| run.end().stopped.map(|stop| stop.reason.name());
    let mut asked = run(3, 1);
    asked.hand_out(NOW);
    asked.stop();
    works(&mut asked, 0);
    assert_eq!(reason(&asked), Some("operator"));

    let mut signalled = run(3, 1);
    signalled.hand_out(NOW);
    signalled.stop_for(Stop::by_signal());
    signalled.stop();
    works(&mut signalled, 0);
    assert_eq!(reason(&signalled), Some("signal"), "who asked first is told");

    let mut refused = run(3, 1);
    refused.hand_out(NOW);
    answer(&mut refused, 0, Err(Failure { http_status: Some(401), ..rejected("access_denied") }));
    refused.stop_for(Stop::by_signal());
    assert_eq!(reason(&refused), Some("token"), "it had stopped before it was asked to");

    let mut done = run(1, 1);
    done.hand_out(NOW);
    done.stop();
    works(&mut done, 0);
    assert_eq!(reason(&done), None);
}

#[test]
fn a_run_stopped_before_anything_was_sent_has_nothing_to_verify() {
    let mut run = run(2, 1);
    run.stop();
    assert_eq!((run.state(), run.tally().of(Word::NotSent)), (RunState::Closing, 2));
}

#[test]
fn a_stop_while_the_run_file_is_written_lets_no_call_out() {
    let plan = plan(&[("0", "a")], 0..1, CallForm::Event);
    let mut run = Machine::new(Arc::new(plan), 1);
    assert!(matches!(run.hand_out(NOW)[..], [Act::Open(_)]));
    run.stop();
    run.take(Done::Opened(Ok("r1".to_owned())), NOW);
    assert!(matches!(run.hand_out(NOW)[..], [Act::Close(_)]));
    assert_eq!(names(&run), ["not sent"]);
}

/// The first event, with another URL than in the review.
fn edited() -> RawEvent<'static> {
    RawEvent { event_type: "0", id: "e0", url: "https://other.test/", ..RawEvent::default() }
}

/// Just young enough, and just too old.
const A_MINUTE: Duration = Duration::from_secs(60);
const OLD: Duration = Duration::from_millis(60_001);

#[test]
fn a_call_rests_on_a_listing_of_at_most_a_minute() {
    let mut run = run(2, 1);
    assert_eq!(sends(&run.hand_out(A_MINUTE)), [0], "young enough");
    answer_at(&mut run, 0, Ok(&["e0"]), OLD);
    assert!(is_listing(&run.hand_out(OLD)));
    run.listed(&extension(), Ok(&listing(&[("0", "e1")])), OLD);
    assert_eq!(sends(&run.hand_out(OLD + A_MINUTE)), [1], "and counts from there");
}

#[test]
fn a_plan_listed_later_than_the_start_is_as_young_as_that() {
    let plan = plan(&[("0", "a")], 0..1, CallForm::Event);
    let mut run = Machine::new(Arc::new(plan), 1).reviewed_at(OLD);
    run.hand_out(OLD);
    run.take(Done::Opened(Ok("r1".to_owned())), OLD);
    assert_eq!(sends(&run.hand_out(OLD + A_MINUTE)), [0]);
}

/// An extension of one event that is on.
fn switched_on(number: &str) -> Listing {
    let mut rows = builder(number, &[]);
    rows.push(RawEvent { event_type: "0", id: number, status: "1", ..RawEvent::default() });
    rows.finish(true)
}

/// A change that disables one event on each of these extensions.
fn disabling(numbers: &[&str]) -> Machine {
    let mut store = EventStore::default();
    for number in numbers {
        store.insert(switched_on(number));
        store.set_marks(&ExtensionNumber::parse(number).unwrap(), [0], true);
    }
    let selection = Selection::of_marks(&store);
    begun(Wish::DISABLE.plan(target(), &selection, 1000).plan.unwrap(), 1)
}

#[test]
fn an_answer_to_a_put_that_names_another_event_makes_none_of_it() {
    let rows = |status| {
        let mut rows = builder("210", &[]);
        for id in ["a", "b"] {
            rows.push(RawEvent { event_type: "0", id, url: id, status, ..RawEvent::default() });
        }
        rows.finish(true)
    };
    for named in ["a", "unseen"] {
        let mut store = EventStore::default();
        store.insert(rows("1"));
        store.set_marks(&extension(), 0..2, true);
        let selection = Selection::of_marks(&store);
        let mut run = begun(Wish::DISABLE.plan(target(), &selection, 9).plan.unwrap(), 1);
        run.hand_out(NOW);
        run.listed(&extension(), Ok(&rows("1")), NOW);
        for id in 0..2 {
            assert_eq!(sends(&run.hand_out(NOW)), [id]);
            let event = run.plan().events()[id].key.id.clone();
            let answer = Ok(WriteAnswer { http_status: 200, id: Some(named.into()) });
            let settled = judge_changed(&event, Success::Changed, answer, NOW, false);
            run.settle(id, settled, NOW);
        }
        lists(&mut run, &rows("0"));
        assert_eq!(run.outcomes(), [const { Some(Outcome::Done(Success::Changed, None)) }; 2]);
        assert_eq!(run.check(), Check::Agrees);
    }
}

#[test]
fn a_change_that_its_own_listing_let_go_is_not_listed_for_again_however_long_it_waits_for_its_turn()
{
    for seconds in [0, 3, 10, 59] {
        let mut run = disabling(&["210"]);
        assert!(is_listing(&run.hand_out(NOW)));
        run.listed(&extension(), Ok(&switched_on("210")), NOW);
        assert_eq!(sends(&run.hand_out(Duration::from_secs(seconds))), [0], "{seconds} s");
    }
    let mut run = disabling(&["210"]);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&switched_on("210")), NOW);
    assert!(
        is_listing(&run.hand_out(Duration::from_secs(61))),
        "a minute is too long for any call"
    );
}

#[test]
fn a_list_that_differs_vouches_for_no_extension_that_was_not_listed() {
    let mut run = disabling(&["210", "211"]);
    let mut now = NOW;
    while run.check() != Check::InPart {
        assert!(now < Duration::from_secs(100), "{run:?}");
        for act in run.hand_out(now) {
            match act {
                // The service says that it did, and did not.
                Act::Send(call) => {
                    let answer = Ok(WriteAnswer { http_status: 204, id: None });
                    let id = EventId::parse("210").unwrap();
                    let settled =
                        judge_changed(&id, Success::Changed, answer, Duration::ZERO, false);
                    run.settle(call.id(), settled, now);
                }
                Act::List(listed) => run.listed(&listed, Ok(&switched_on(listed.as_str())), now),
                Act::Wait(time) => now += time,
                Act::Open(_) | Act::Close(_) => panic!("{act:?}"),
            }
        }
    }
    run.stop();
    assert_eq!((run.check(), names(&run)), (Check::InPart, vec!["refused", "changed"]));
}

#[test]
fn what_changed_since_an_old_listing_is_not_sent_and_of_what_went_the_answer_tells() {
    let mut run = run(4, 2);
    assert!(is_listing(&run.hand_out(OLD)), "one listing for both calls that may go");
    let mut now = builder("210", &[("0", "e1"), ("0", "e3")]);
    now.push(edited());
    let now = now.finish(true);
    run.listed(&extension(), Ok(&now), OLD);
    assert_eq!(names(&run), ["not sent", "open", "open", "open"]);
    let why = run.outcomes()[0].as_ref().and_then(Outcome::failure).unwrap().to_string();
    assert!(why.contains("changed since the review"), "{why}");
    assert_eq!(sends(&run.hand_out(OLD)), [1, 2]);
    works(&mut run, 1);
    answer(&mut run, 2, Err(rejected("pce_id_invalid")));
    assert_eq!(names(&run), ["not sent", "deleted", "already gone", "open"]);
}

#[test]
fn where_nothing_is_left_after_an_old_listing_was_renewed_the_run_ends() {
    let mut run = run(1, 1);
    run.hand_out(OLD);
    let mut now = builder("210", &[]);
    now.push(edited());
    run.listed(&extension(), Ok(&now.finish(true)), OLD);
    assert!(matches!(run.hand_out(OLD)[..], [Act::Close(_)]));
    assert_eq!(names(&run), ["not sent"]);
}

#[test]
fn what_cannot_be_listed_again_is_not_sent() {
    let mut run = run(1, 1);
    run.hand_out(OLD);
    run.listed(&extension(), Err(&rejected("no")), OLD);
    assert!(matches!(run.hand_out(OLD)[..], [Act::Close(_)]));
    assert_eq!(names(&run), ["not sent"]);
}

#[test]
fn a_wide_call_that_had_to_wait_is_guarded_by_a_young_listing() {
    let mut run = wide(0..3, CallForm::Extension);
    assert!(is_listing(&run.hand_out(NOW)));
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    assert!(is_listing(&run.hand_out(OLD)));
    run.listed(&extension(), Ok(&listing(ROWS)), OLD);
    assert_eq!(sends(&run.hand_out(OLD)), [0]);
}

#[test]
fn a_call_to_be_repeated_after_a_minute_is_not_repeated_on_what_changed() {
    let mut run = run(1, 1);
    run.hand_out(NOW);
    answer_at(&mut run, 0, Err(too_many()), A_MINUTE);
    assert!(is_listing(&run.hand_out(OLD * 2)));
    let mut now = builder("210", &[]);
    now.push(edited());
    run.listed(&extension(), Ok(&now.finish(true)), OLD * 2);
    assert_eq!(names(&run), ["refused"], "its last answer stands");
    assert!(run.hand_out(OLD * 2).iter().all(|act| !matches!(act, Act::Send(_))));
}

#[test]
fn a_pause_hands_out_nothing_and_going_on_hands_out_the_next() {
    let mut run = run(3, 1);
    run.hand_out(NOW);
    run.pause();
    works(&mut run, 0);
    assert_eq!((run.state(), run.hand_out(NOW).len()), (RunState::Paused, 0));
    run.resume();
    assert_eq!(sends(&run.hand_out(NOW)), [1]);
}

#[test]
fn a_run_whose_last_answer_came_in_a_pause_ends_when_it_goes_on() {
    let mut run = run(1, 1);
    run.hand_out(NOW);
    run.pause();
    works(&mut run, 0);
    run.resume();
    assert!(is_listing(&run.hand_out(NOW)));
}

#[test]
fn a_refusal_in_the_middle_does_not_end_the_run() {
    let mut run = run(3, 1);
    for id in 0..3 {
        assert_eq!(sends(&run.hand_out(NOW)), [id]);
        if id == 1 {
            answer(&mut run, id, Err(rejected("pce_access_denied")));
        } else {
            works(&mut run, id);
        }
    }
    assert_eq!((run.failed(), run.succeeded()), (&[1][..], &[0, 2][..]));
    assert_eq!(run.stopped_by(), None);
}

#[test]
fn three_refusals_in_a_row_leave_their_extension_alone_and_the_next_goes_on() {
    let mut run = over_two(CallForm::Event, 1);
    for id in 0..3 {
        assert_eq!(sends(&run.hand_out(NOW)), [id]);
        answer(&mut run, id, Err(rejected("pce_access_denied")));
    }
    assert_eq!(sends(&run.hand_out(NOW)), [5], "the rest of the first is not sent");
    works(&mut run, 5);
    assert_eq!(sends(&run.hand_out(NOW)), [6]);
    works(&mut run, 6);
    assert_eq!(run.end().stopped, None);
    assert_eq!(run.tally(), deleted(2).with(Word::Refused, 3).with(Word::NotSent, 2));
    let why = run.outcomes()[4].as_ref().and_then(Outcome::failure).unwrap().to_string();
    assert_eq!(why, "not sent: the extension refused 3 times in a row (pce_access_denied)");
    let told = "210 is left alone, 2 not sent: the extension refused 3 times in a row \
                (pce_access_denied)";
    assert_eq!(run.take_remarks(), [told]);
    let revised: Vec<usize> = run.end().revised.iter().map(|(event, _)| *event).collect();
    assert_eq!(revised, [3, 4], "the run file says why");
}

#[test]
fn what_is_in_flight_when_its_extension_is_left_keeps_its_own_answer() {
    let mut run = over_two(CallForm::Event, 2);
    let mut answers = 0;
    while answers < 4 {
        for id in sends(&run.hand_out(NOW)) {
            answers += 1;
            answer(&mut run, id, Err(rejected("extension_invalid")));
        }
    }
    assert_eq!((run.tally().of(Word::Refused), run.tally().of(Word::NotSent)), (4, 1));
    assert_eq!(sends(&run.hand_out(NOW)), [5, 6]);
}

#[test]
fn what_was_to_be_repeated_of_an_extension_that_is_left_keeps_its_last_answer() {
    let mut run = run(5, 1);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(no_answer()));
    let mut now = waits(&run.hand_out(NOW));
    for _ in 0..3 {
        match &run.hand_out(now)[..] {
            [Act::Send(call)] if call.id() > 0 => {
                let id = call.id();
                answer_at(&mut run, id, Err(rejected("pce_access_denied")), now);
            }
            [Act::Send(call)] => {
                assert_eq!(call.id(), 0);
                answer_at(&mut run, 0, Err(no_answer()), now);
            }
            [Act::Wait(time)] => now += *time,
            other => panic!("{other:?}"),
        }
    }
    run.leave(&extension(), &rejected("no"));
    assert_eq!(names(&run)[0], "unknown");
    assert!(run.hand_out(now).iter().all(|act| !matches!(act, Act::Send(_))));
}

#[test]
fn a_wide_call_whose_guard_comes_back_after_its_extension_was_left_does_not_go_out() {
    let mut run = wide(0..3, CallForm::Extension);
    assert!(is_listing(&run.hand_out(NOW)));
    run.leave(&extension(), &rejected("no"));
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    assert!(matches!(run.hand_out(NOW)[..], [Act::Close(_)]));
    assert_eq!(names(&run), ["not sent"; 3]);
}

#[test]
fn five_refusals_without_a_code_over_two_extensions_stop_the_run() {
    let mut run = over_two(CallForm::Event, 1);
    let missing = || Failure { http_status: Some(404), ..rejected("") };
    for id in [0, 1, 2, 5, 6] {
        assert_eq!(sends(&run.hand_out(NOW)), [id]);
        answer(&mut run, id, Err(missing()));
    }
    assert_eq!(run.end().stopped.map(|stop| stop.reason.name()), Some("refused"));
    assert!(run.hand_out(NOW).iter().all(|act| matches!(act, Act::List(_))));
    assert_eq!((run.tally().of(Word::Refused), run.tally().of(Word::NotSent)), (5, 2));
}

#[test]
fn a_redirect_stops_the_run_at_once() {
    let mut run = run(3, 1);
    run.hand_out(NOW);
    let elsewhere = Failure::new(Cause::Redirected, "elsewhere");
    answer(&mut run, 0, Err(Failure { http_status: Some(302), ..elsewhere }));
    assert_eq!(run.end().stopped.map(|stop| stop.reason.name()), Some("trouble"));
    assert_eq!(names(&run), ["refused", "not sent", "not sent"]);
}

fn in_an_hour() -> Failure {
    let retry_after = Some(Duration::from_secs(3600));
    Failure { retry_after, not_before: Some(jiff::Timestamp::UNIX_EPOCH), ..busy() }
}

#[test]
fn a_service_that_wants_to_be_left_alone_for_long_stops_the_run_until_then() {
    let mut run = run(3, 1);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(in_an_hour()));
    let stop = run.stopped().unwrap();
    assert_eq!(stop.reason.name(), "retry_after");
    assert_eq!(stop.not_before().as_deref(), Some("1970-01-01T00:00:00Z"));
    assert!(
        matches!(run.hand_out(NOW)[..], [Act::Close(_)]),
        "nothing is asked before, not even what it did"
    );
}

#[test]
fn a_service_that_wants_to_be_left_alone_for_long_while_checking_leaves_it_not_checked() {
    let mut run = run(1, 1);
    run.hand_out(NOW);
    works(&mut run, 0);
    assert!(is_listing(&run.hand_out(NOW)));
    run.listed(&extension(), Err(&in_an_hour()), NOW);
    assert!(matches!(run.hand_out(NOW)[..], [Act::Close(_)]), "nobody waits");
    assert_eq!((run.check(), run.stopped()), (Check::NotChecked, None));
    assert!(run.take_remarks().iter().any(|remark| remark.starts_with("the checking ends: ")));
}

#[test]
fn what_there_is_no_room_for_yet_waits_and_goes_on_however_often() {
    let mut run = run(2, 1);
    let mut now = NOW;
    let full = Failure {
        retry_after: Some(Duration::from_secs(65)),
        ..Failure::new(Cause::Withheld, "not asked: 10 requests failed within a minute")
    };
    for _ in 0..9 {
        assert_eq!(run.hand_out(now).len(), 1);
        answer_at(&mut run, 0, Err(full.clone()), now);
        let wait = waits(&run.hand_out(now));
        assert_eq!(wait, Duration::from_secs(65));
        assert!(run.take_remarks()[0].starts_with("waits 65 s, then tries again: not asked"));
        now += wait;
        // The list grew old meanwhile.
        if is_listing(&run.hand_out(now)) {
            run.listed(&extension(), Ok(&listing(&[("0", "e0"), ("0", "e1")])), now);
        }
    }
    assert_eq!((run.state(), run.tally().settled()), (RunState::Running, 0));
}

#[test]
fn a_refused_token_stops_at_once_and_an_event_that_is_unknown_never_does() {
    let mut refused = run(9, 1);
    refused.hand_out(NOW);
    let token = Failure { http_status: Some(401), ..rejected("access_denied") };
    answer(&mut refused, 0, Err(token));
    assert!(refused.stopped_by().is_some());

    let mut unknown = run(9, 1);
    for id in 0..9 {
        assert_eq!(sends(&unknown.hand_out(NOW)), [id]);
        answer(&mut unknown, id, Err(rejected("pce_id_invalid")));
    }
    lists(&mut unknown, &listing(&[]));
    assert_eq!(unknown.tally(), Tally::default().with(Word::AlreadyGone, 9));
    assert_eq!(unknown.check(), Check::Agrees);
}

#[test]
fn an_answer_that_comes_twice_or_was_never_asked_for_counts_nothing() {
    let mut run = run(3, 1);
    run.hand_out(NOW);
    works(&mut run, 0);
    works(&mut run, 0);
    works(&mut run, 2);
    run.listed(&extension(), Ok(&listing(&[])), NOW);
    assert_eq!((run.tally().settled(), run.in_flight()), (1, 0));
}

#[test]
fn what_the_service_still_lists_is_never_called_deleted_and_what_it_does_not_is() {
    let mut run = run(4, 4);
    assert_eq!(sends(&run.hand_out(NOW)), [0, 1]);
    works(&mut run, 0);
    works(&mut run, 1);
    assert_eq!(sends(&run.hand_out(NOW)), [2, 3]);
    answer(&mut run, 2, Err(unclear()));
    answer(&mut run, 3, Err(unclear()));
    assert_eq!(names(&run), ["deleted", "deleted", "unknown", "unknown"]);
    lists(&mut run, &listing(&[("0", "e1"), ("0", "e3")]));
    assert_eq!(names(&run), ["deleted", "refused", "deleted", "refused"]);
    assert_eq!(run.check(), Check::Differs);
    let words =
        |event: usize| run.outcomes()[event].as_ref().unwrap().failure().unwrap().to_string();
    assert_eq!(words(1), "the service reported it deleted; it is still listed");
    assert_eq!(words(3), "what came back makes no sense; it is still listed");
    assert_eq!((run.failed(), run.succeeded()), (&[1, 3][..], &[0, 2][..]));
    assert_eq!(run.end().revised.len(), 3);
}

#[test]
fn a_list_that_is_not_complete_proves_nothing() {
    let mut run = run(2, 2);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(unclear()));
    works(&mut run, 1);
    lists(&mut run, &builder("210", &[("0", "e1")]).finish(false));
    assert_eq!(names(&run), ["unknown", "deleted"]);
    assert_eq!((run.state(), run.check()), (RunState::Closing, Check::NotChecked));
}

#[test]
fn what_may_pass_is_tried_again_after_a_pause_and_a_success_then_counts() {
    let mut run = run(1, 1);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(busy()));
    assert_eq!((names(&run), run.failed().len()), (vec!["open"], 0));
    let later = waits(&run.hand_out(NOW));
    assert!(run.hand_out(later / 2).is_empty(), "who waits is not told to wait again");
    assert_eq!(sends(&run.hand_out(later)), [0]);
    works(&mut run, 0);
    assert_eq!((names(&run), run.succeeded()), (vec!["deleted"], &[0][..]));
}

#[test]
fn an_event_that_is_gone_after_an_attempt_without_an_answer_is_the_work_of_that_attempt() {
    for (first, name) in
        [(no_answer(), "deleted"), (busy(), "deleted"), (too_many(), "already gone")]
    {
        let mut run = run(1, 1);
        run.hand_out(NOW);
        answer(&mut run, 0, Err(first));
        let later = waits(&run.hand_out(NOW));
        run.hand_out(later);
        answer(&mut run, 0, Err(rejected("pce_id_invalid")));
        assert_eq!(names(&run), [name]);
    }
}

#[test]
fn what_fails_after_an_attempt_without_an_answer_stays_unknown_until_it_is_listed() {
    let mut run = run(1, 1);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(no_answer()));
    let later = waits(&run.hand_out(NOW));
    run.hand_out(later);
    answer(&mut run, 0, Err(rejected("pce_access_denied")));
    assert_eq!(names(&run), ["unknown"]);
    lists(&mut run, &listing(&[]));
    assert_eq!((names(&run), run.check()), (vec!["deleted"], Check::Agrees));
}

/// Lists the extension at this time of a run whose calls are all settled.
fn lists_at(run: &mut Machine, rows: &[(&str, &str)], now: Duration) {
    assert!(is_listing(&run.hand_out(now)), "{now:?}");
    run.listed(&extension(), Ok(&listing(rows)), now);
}

#[test]
fn a_list_that_lags_is_not_believed_and_what_it_shows_in_the_end_is() {
    let second = Duration::from_secs(1);
    let mut run = run(2, 2);
    run.hand_out(NOW);
    works(&mut run, 0);
    answer(&mut run, 1, Err(unclear()));
    let (all, none) = (&[("0", "e0"), ("0", "e1")][..], &[][..]);
    lists_at(&mut run, all, second);
    assert_eq!(names(&run), ["deleted", "unknown"], "one list says nothing");
    assert_eq!(waits(&run.hand_out(second)), 5 * second, "6 s after the last request");
    lists_at(&mut run, all, 6 * second);
    assert_eq!(waits(&run.hand_out(6 * second)), 2 * second);
    lists_at(&mut run, none, 8 * second);
    assert_eq!(
        (names(&run), waits(&run.hand_out(8 * second))),
        (vec!["deleted", "unknown"], 2 * second)
    );
    lists_at(&mut run, none, 10 * second);
    assert_eq!((names(&run), run.check()), (vec!["deleted"; 2], Check::Agrees));
}

#[test]
fn what_was_refused_and_is_gone_all_the_same_is_unknown_and_no_success() {
    let mut run = run(2, 2);
    run.hand_out(NOW);
    works(&mut run, 0);
    answer(&mut run, 1, Err(Failure { http_status: Some(404), ..rejected("") }));
    assert_eq!(names(&run), ["deleted", "refused"]);
    lists(&mut run, &listing(&[]));
    assert_eq!((names(&run), run.check()), (vec!["deleted", "unknown"], Check::Differs));
    let failure = run.outcomes()[1].as_ref().unwrap().failure().unwrap().to_string();
    assert_eq!(failure, "no; refused, yet gone");
}

#[test]
fn a_refusal_that_proves_little_is_believed_once_a_list_that_may_lag_shows_the_event_twice() {
    let second = Duration::from_secs(1);
    for (status, code, lists) in [(409, "limit_exceeded", 2), (404, "", 2), (400, "pce_x", 1)] {
        let mut run = run(1, 1);
        run.hand_out(NOW);
        answer(&mut run, 0, Err(Failure { http_status: Some(status), ..rejected(code) }));
        let mut now = 6 * second;
        for list in 1..=lists {
            assert_eq!(run.state(), RunState::Verifying, "{status}: {list}");
            lists_at(&mut run, &[("0", "e0")], now);
            now += 2 * second;
        }
        assert_eq!((names(&run), run.check()), (vec!["refused"], Check::Agrees), "{status}");
    }
}

#[test]
fn what_somebody_else_took_is_told_after_a_second_list_and_is_not_this_runs_doing() {
    let second = Duration::from_secs(1);
    let mut run = wide(0..2, CallForm::Event);
    run.hand_out(NOW);
    works(&mut run, 0);
    works(&mut run, 1);
    lists_at(&mut run, &[], NOW);
    assert_eq!(waits(&run.hand_out(NOW)), 6 * second);
    lists_at(&mut run, &[], 6 * second);
    assert_eq!(waits(&run.hand_out(6 * second)), 6 * second, "this run cannot have taken it");
    lists_at(&mut run, &[], 12 * second);
    assert_eq!((run.surplus().len(), run.check()), (0, Check::Agrees));
    let told = run.take_remarks().pop().unwrap();
    assert!(told.contains("gone, though this run sent nothing for it"), "{told}");
}

#[test]
fn a_second_stop_ends_the_checking_at_once_and_it_is_called_not_checked() {
    let mut run = run(3, 1);
    run.hand_out(NOW);
    run.stop();
    works(&mut run, 0);
    assert!(is_listing(&run.hand_out(NOW)));
    assert_eq!(run.state(), RunState::Verifying);
    run.stop();
    assert_eq!((run.state(), run.check()), (RunState::Closing, Check::NotChecked));
    assert_eq!(names(&run), ["deleted", "not sent", "not sent"]);
}

#[test]
fn a_run_that_is_stopped_keeps_what_the_last_attempt_said() {
    for (failure, name) in [(no_answer(), "unknown"), (busy(), "unknown"), (too_many(), "refused")]
    {
        let mut run = run(2, 1);
        run.hand_out(NOW);
        answer(&mut run, 0, Err(failure));
        run.stop();
        assert_eq!((names(&run), run.failed()), (vec![name, "not sent"], &[0][..]));
    }
}

#[test]
fn a_wide_call_without_an_answer_is_guarded_again_before_it_goes_out_again() {
    let mut run = wide(0..3, CallForm::Extension);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(no_answer()));
    let later = waits(&run.hand_out(NOW));
    assert!(is_listing(&run.hand_out(later)));
    run.listed(&extension(), Ok(&listing(&[("2", "c")])), later);
    assert_eq!(names(&run), ["unknown", "unknown", "open"], "until two lists agree");
    assert!(!run.call(1).unwrap().call().is_wide());
    assert_eq!(sends(&run.hand_out(later)), [1]);
    works(&mut run, 1);
    lists(&mut run, &listing(&[]));
    assert_eq!((names(&run), run.check()), (vec!["deleted"; 3], Check::Agrees));
}

#[test]
fn a_wide_call_without_an_answer_stays_unknown_where_nobody_can_list() {
    let mut run = wide(0..3, CallForm::Extension);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(no_answer()));
    let later = waits(&run.hand_out(NOW));
    run.hand_out(later);
    run.listed(&extension(), Err(&rejected("extension_invalid")), later);
    assert_eq!(names(&run), ["unknown"; 3]);
    assert!(is_listing(&run.hand_out(later)), "what it did is looked for all the same");
}

#[test]
fn a_service_that_fails_and_fails_stops_the_run_after_a_few_attempts() {
    let mut run = run(1000, 64);
    let (mut now, mut requests) = (NOW, 0);
    while run.state() != RunState::Closing {
        for step in run.hand_out(now) {
            match step {
                Act::Send(call) => {
                    requests += 1;
                    answer_at(&mut run, call.id(), Err(no_answer()), now);
                }
                Act::List(extension) => {
                    requests += 1;
                    run.listed(&extension, Err(&no_answer()), now);
                }
                Act::Wait(time) => now += time,
                Act::Open(_) | Act::Close(_) => unreachable!(),
            }
        }
    }
    assert!(run.stopped_by().is_some());
    assert!(requests <= 20, "{requests}");
    assert_eq!(run.tally().settled(), 1000);
}

#[test]
fn a_listing_that_fails_leaves_the_outcomes_and_says_that_nothing_is_verified() {
    let mut run = run(1, 1);
    run.hand_out(NOW);
    works(&mut run, 0);
    run.hand_out(NOW);
    run.listed(&extension(), Err(&rejected("extension_invalid")), NOW);
    assert_eq!((names(&run), run.check() == Check::Agrees), (vec!["deleted"], false));
    assert!(run.take_remarks()[0].contains("could not be checked"));
}

#[test]
fn a_wide_call_goes_out_only_after_a_listing_that_is_as_reviewed() {
    let mut run = wide(0..3, CallForm::Extension);
    assert!(is_listing(&run.hand_out(NOW)));
    assert!(run.hand_out(NOW).is_empty());
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    assert_eq!(sends(&run.hand_out(NOW)), [0]);
    works(&mut run, 0);
    assert!(is_listing(&run.hand_out(NOW)));
    run.listed(&extension(), Ok(&listing(&[])), NOW);
    assert_eq!((names(&run), run.check() == Check::Agrees), (vec!["deleted"; 3], true));
    assert!(run.take_remarks().is_empty());
}

#[test]
fn of_a_wide_call_whose_answer_names_a_part_of_what_went_it_is_not_known_what_else_did() {
    for (left, is_known) in [(&[][..], false), (&[("2", "c")], false), (&ROWS[1..], true)] {
        let mut run = wide(0..3, CallForm::Extension);
        run.hand_out(NOW);
        run.listed(&extension(), Ok(&listing(ROWS)), NOW);
        run.hand_out(NOW);
        answer(&mut run, 0, Ok(&["a"]));
        lists(&mut run, &listing(left));
        assert_eq!(run.is_surplus_known(), is_known, "{left:?}");
    }
}

#[test]
fn an_event_that_appeared_turns_the_wide_call_into_event_calls_that_leave_it_there() {
    let mut run = wide(0..3, CallForm::Extension);
    run.hand_out(NOW);
    let now = [("0", "a"), ("0", "b"), ("2", "c"), ("2", "new")];
    run.listed(&extension(), Ok(&listing(&now)), NOW);
    for ids in [&[1, 2][..], &[3]] {
        assert_eq!(sends(&run.hand_out(NOW)), ids);
        for id in ids {
            assert!(!run.call(*id).unwrap().call().is_wide());
            works(&mut run, *id);
        }
    }
    assert_eq!(
        run.take_remarks(),
        ["210 changed since the review (1 appeared): event calls in place of a wide one"]
    );
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&listing(&[("2", "new")])), NOW);
    assert_eq!((names(&run), run.surplus().len()), (vec!["deleted"; 3], 0));
}

#[test]
fn of_what_is_gone_before_a_wide_call_an_answer_tells_and_what_changed_is_left_out() {
    let mut run = wide(0..3, CallForm::Extension);
    run.hand_out(NOW);
    let mut now = builder("210", &[("2", "c")]);
    now.push(crate::domain::RawEvent {
        event_type: "0",
        id: "b",
        note: "changed meanwhile",
        ..crate::domain::RawEvent::default()
    });
    run.listed(&extension(), Ok(&now.finish(true)), NOW);
    assert_eq!(names(&run), ["open", "not sent", "open"]);
    assert_eq!(sends(&run.hand_out(NOW)), [1, 2]);
    assert_eq!([1, 2].map(|id| run.call(id).unwrap().covers()), [0..1, 2..3]);
}

#[test]
fn a_wide_call_whose_extension_cannot_be_listed_is_not_sent() {
    let mut run = wide(0..3, CallForm::Extension);
    run.hand_out(NOW);
    run.listed(&extension(), Err(&rejected("extension_invalid")), NOW);
    assert!(matches!(run.hand_out(NOW)[..], [Act::Close(_)]));
    assert_eq!((names(&run), run.state()), (vec!["not sent"; 3], RunState::Closing));
}

#[test]
fn a_listing_that_is_not_complete_allows_event_calls_only() {
    let mut run = wide(0..3, CallForm::Extension);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&builder("210", ROWS).finish(false)), NOW);
    assert_eq!(sends(&run.hand_out(NOW)), [1, 2]);
}

#[test]
fn a_pause_makes_the_guards_listing_old() {
    let mut run = wide(0..3, CallForm::Extension);
    run.hand_out(NOW);
    run.pause();
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    assert!(run.hand_out(NOW).is_empty());
    run.resume();
    assert!(is_listing(&run.hand_out(NOW)));
}

/// Two extensions, of which all that is listed is deleted by calls for types.
const TWO: &[(&str, &[(&str, &str)])] =
    &[("210", &[("0", "a"), ("0", "b"), ("2", "c")]), ("211", &[("0", "d"), ("2", "e")])];

fn type_calls(concurrency: usize) -> Machine {
    let mut store = EventStore::default();
    for (extension, rows) in TWO {
        store.insert(builder(extension, rows).finish(true));
        store.set_marks(&ExtensionNumber::parse(extension).unwrap(), 0..rows.len(), true);
    }
    let selection = Selection::of_marks(&store);
    let plan = Plan::freeze(target(), &selection, CallForm::Type, 1000).unwrap();
    assert_eq!((plan.calls(), plan.wide_calls()), (4, 4));
    begun(plan, concurrency)
}

/// The extension that is listed now, and nothing else is done.
fn listed_now(steps: &[Act]) -> &str {
    match steps {
        [Act::List(extension)] => extension.as_str(),
        other => panic!("{other:?}"),
    }
}

/// The first type call is sent after its listing, and answered.
fn tried(run: &mut Machine) {
    assert_eq!(listed_now(&run.hand_out(NOW)), "210");
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    assert_eq!(sends(&run.hand_out(NOW)), [0]);
    assert!(run.hand_out(NOW).is_empty(), "alone");
    works(run, 0);
    assert_eq!(listed_now(&run.hand_out(NOW)), "210", "what it took is looked for");
    assert!(run.hand_out(NOW).is_empty(), "alone");
}

#[test]
fn the_first_type_call_goes_alone_between_two_listings_and_the_others_follow_together() {
    let mut run = type_calls(8);
    tried(&mut run);
    run.listed(&extension(), Ok(&listing(&[("2", "c")])), NOW);
    let next = run.hand_out(NOW);
    assert!(next.len() > 1, "not alone any more: {next:?}");
    assert!(next.iter().all(|act| matches!(act, Act::List(_))), "{next:?}");
    assert_eq!((run.beside(), run.learnt(Learnt::default())), (0, Learnt::default()));
}

#[test]
fn a_type_call_that_takes_other_types_holds_the_run_and_event_calls_take_the_place_of_the_rest() {
    let mut run = type_calls(8);
    tried(&mut run);
    run.listed(&extension(), Ok(&listing(&[])), NOW);
    assert_eq!((run.state(), run.hand_out(NOW).len()), (RunState::Paused, 0));
    assert_eq!(run.take_remarks(), ["210: a call for one type took 1 event of other types too"]);
    assert!(run.took_too_much() && run.learnt(Learnt::default()).wipes);
    assert_eq!(run.beside(), 0, "it was in the plan");
    run.resume();
    let mut sent = Vec::new();
    let mut now = NOW;
    while run.is_going_on() {
        for step in run.hand_out(now) {
            match step {
                Act::List(extension) => {
                    let gone = extension.as_str() == "210" || run.state() == RunState::Verifying;
                    let rows = if gone { &[][..] } else { TWO[1].1 };
                    let there = builder(extension.as_str(), rows).finish(true);
                    run.listed(&extension, Ok(&there), now);
                }
                Act::Send(call) => {
                    sent.push(call.path());
                    works(&mut run, call.id());
                }
                Act::Wait(time) => now += time,
                Act::Open(_) | Act::Close(_) => {}
            }
        }
    }
    sent.sort();
    let ends = ["211/phoneCallEvents/0/d", "211/phoneCallEvents/2/e"];
    assert!(sent.len() == 2 && sent.iter().zip(ends).all(|(path, end)| path.ends_with(end)));
    assert_eq!(names(&run), ["deleted"; 5], "what went with the call was its doing");
}

#[test]
fn what_goes_beside_the_plan_with_a_type_call_is_surplus() {
    let mut run = wide(0..2, CallForm::Type);
    tried(&mut run);
    run.listed(&extension(), Ok(&listing(&[])), NOW);
    let lost: Vec<&str> = run.surplus().iter().map(|key| key.id.as_str()).collect();
    assert_eq!((lost, run.state()), (vec!["c"], RunState::Paused));
    run.stop_for(Stop::by_surplus());
    lists(&mut run, &listing(&[]));
    assert_eq!(names(&run), ["deleted"; 2]);
    assert_eq!(run.end().stopped.map(|stop| stop.reason), Some(crate::domain::StopReason::Surplus));
}

#[test]
fn where_it_is_not_seen_what_the_first_type_call_took_the_rest_goes_by_event_calls() {
    for seen in [Ok(listing(ROWS)), Ok(builder("210", &[]).finish(false)), Err(rejected("no"))] {
        let mut run = type_calls(8);
        tried(&mut run);
        run.listed(&extension(), seen.as_ref(), NOW);
        assert_eq!(run.state(), RunState::Running);
        let next = run.hand_out(NOW);
        assert!(next.iter().all(|act| matches!(act, Act::List(_))), "{next:?}");
        run.listed(&extension(), Ok(&listing(&[("2", "c")])), NOW);
        let wide = run
            .hand_out(NOW)
            .into_iter()
            .any(|act| matches!(act, Act::Send(call) if call.call().is_wide()));
        assert!(!wide && !run.took_too_much());
    }
}

#[test]
fn a_first_type_call_that_is_refused_is_followed_by_the_next_alone() {
    let mut run = type_calls(8);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(rejected("pce_access_denied")));
    assert_eq!(listed_now(&run.hand_out(NOW)), "210");
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    assert_eq!(sends(&run.hand_out(NOW)), [1]);
    assert!(run.hand_out(NOW).is_empty(), "alone");
}

#[test]
fn the_first_type_call_goes_only_over_what_is_on_disk_whatever_its_type() {
    let mut run = wide(0..2, CallForm::Type);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&listing(&[ROWS, &[("2", "new")]].concat())), NOW);
    assert_eq!(sends(&run.hand_out(NOW)), [1, 2]);
    assert!(!run.call(1).unwrap().call().is_wide());
    assert!(run.take_remarks()[0].contains("has events that were not in the review"));
}

#[test]
fn a_first_type_call_without_an_answer_is_judged_by_the_listing_before_it_is_repeated() {
    let mut run = type_calls(8);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    run.hand_out(NOW);
    answer(&mut run, 0, Err(no_answer()));
    let later = waits(&run.hand_out(NOW));
    assert_eq!(listed_now(&run.hand_out(later)), "210");
    run.listed(&extension(), Ok(&listing(&[])), later);
    assert_eq!(run.state(), RunState::Paused);
    assert!(run.took_too_much() && !run.is_surplus_known());
}

#[test]
fn after_an_answer_that_names_no_ids_no_wide_call_goes_out_and_what_went_beside_is_not_known() {
    let mut store = EventStore::default();
    for (extension, rows) in TWO {
        store.insert(builder(extension, rows).finish(true));
        store.set_marks(&ExtensionNumber::parse(extension).unwrap(), 0..rows.len(), true);
    }
    let selection = Selection::of_marks(&store);
    let plan = Plan::freeze(target(), &selection, CallForm::Extension, 1000).unwrap();
    let mut run = begun(plan.clone(), 8);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&listing(ROWS)), NOW);
    let call = run.call(0).unwrap();
    assert_eq!(sends(&run.hand_out(NOW)), [0], "alone, until it is known whether ids come back");
    let silent = DeleteAnswer { http_status: 204, ids: None };
    run.settle(0, judge(call.covered(), Ok(silent), Duration::ZERO, false), NOW);
    assert!(!run.is_surplus_known() && run.learnt(Learnt::default()).names_no_ids);
    assert!(run.take_remarks()[0].contains("named no ids"));
    assert_eq!(listed_now(&run.hand_out(NOW)), "211");
    let other = ExtensionNumber::parse("211").unwrap();
    run.listed(&other, Ok(&builder("211", TWO[1].1).finish(true)), NOW);
    assert_eq!(sends(&run.hand_out(NOW)), [2, 3]);
    assert!(!run.call(2).unwrap().call().is_wide());
    // The next run of the session sends none from its start.
    let next = Machine::new(Arc::new(plan), 1).knowing(run.learnt(Learnt::default()));
    let mut next = Machine { state: RunState::Running, ..next };
    next.hand_out(NOW);
    next.listed(&extension(), Ok(&listing(ROWS)), NOW);
    assert_eq!(sends(&next.hand_out(NOW)), [2]);
    assert!(!next.call(2).unwrap().call().is_wide());
    assert!(next.is_surplus_known());
}

#[test]
fn an_id_that_an_answer_names_and_no_listing_held_is_surplus_unless_it_is_listed_after_all() {
    for (after, beside) in [(&[][..], 1), (&[("0", "late")][..], 0)] {
        let mut run = wide(0..3, CallForm::Extension);
        run.hand_out(NOW);
        run.listed(&extension(), Ok(&listing(ROWS)), NOW);
        run.hand_out(NOW);
        answer(&mut run, 0, Ok(&["a", "b", "c", "late"]));
        assert_eq!((run.beside(), run.unlisted()[0].id.raw()), (1, "late"));
        assert_eq!(run.take_remarks(), ["210: not in the plan, and reported deleted: 1 event"]);
        lists(&mut run, &listing(after));
        assert_eq!((run.beside(), run.end().still_there.len()), (beside, 1 - beside));
        assert!(run.is_surplus_known());
    }
}

#[test]
fn what_a_wiping_type_call_took_of_the_plan_was_deleted_by_the_run_and_not_gone_before() {
    let mut run = wide(0..3, CallForm::Type);
    tried(&mut run);
    run.listed(&extension(), Ok(&listing(&[])), NOW);
    run.stop_for(Stop::by_surplus());
    lists(&mut run, &listing(&[]));
    assert_eq!((names(&run), run.state()), (vec!["deleted"; 3], RunState::Closing));
}

proptest! {
    #[test]
    fn whatever_happens_every_event_has_one_outcome_that_the_service_agrees_with(
        rows in proptest::collection::vec((0u8..2, 0u8..3, 0u8..4), 1..20),
        chosen in 1usize..20,
        concurrency in 1usize..8,
        form in prop_oneof![Just(CallForm::Event), Just(CallForm::Extension), Just(CallForm::Type)],
        script in whims(true),
        way_back in whims(false),
    ) {
        let mut service = Service::of(&rows, false);
        let before = service.events.clone();
        let mut store = EventStore::default();
        for extension in [number(0), number(1)] {
            let listing = service.listing(&extension);
            store.insert(listing);
            store.set_marks(&extension, 0..chosen, true);
        }
        let selection = Selection::of_marks(&store);
        let plan = Plan::freeze(target(), &selection, form, 1000).unwrap();
        let mut run = Machine::new(Arc::new(plan), concurrency);
        let ended = drive(&mut run, concurrency, &mut service, &to_the_end(&script), |_| {});
        prop_assert!(ended);
        agrees(&mut run, &service);
        for (event, outcome) in run.plan().events().iter().zip(run.outcomes()) {
            let there = service.has(event.key.id.as_str());
            let gone = outcome.as_ref().unwrap().is_gone();
            let agrees = gone != there || service.taken.contains(&event.key);
            prop_assert!(run.check() != Check::Agrees || agrees, "{:?}: {:?}", event.key, outcome);
        }
        // What was not chosen is there, or somebody else took it.
        let chosen: Vec<&EventKey> = run.plan().events().iter().map(|event| &event.key).collect();
        for event in before.iter().filter(|event| !chosen.contains(&&event.key)) {
            prop_assert!(service.has(event.key.id.as_str()) || service.taken.contains(&event.key));
        }

        let store = service.store();
        let found = loss_of(&run).way_back(target(), |number| store.listing(number), true);
        let Ok(plan) = found.plan else { return Ok(()) };
        let mut undo = Machine::new(Arc::new(plan), concurrency);
        let ended = drive(&mut undo, concurrency, &mut service, &to_the_end(&way_back), |_| {});
        prop_assert!(ended);
        agrees(&mut undo, &service);
        for outcome in undo.outcomes().iter().flatten().filter(|_| undo.check() == Check::Agrees) {
            let there = outcome.new_id().is_none_or(|id| service.has(id.raw()));
            prop_assert!(there && !matches!(outcome, Outcome::Unknown(_)), "{:?}", outcome);
        }
    }
}

/// Every event has one outcome, counted and told once, and none is unknown where the service was
/// asked; every call that was answered stands where its outcomes say.
fn agrees(machine: &mut Machine, service: &Service) {
    let mut news = machine.take_news();
    news.sort_unstable();
    news.dedup();
    assert_eq!(news, (0..machine.plan().events().len()).collect::<Vec<_>>());
    let answered = (0..).map_while(|id| machine.call(id)).filter_map(|call| {
        let surplus = &machine.reply(call.id())?.surplus;
        let outcomes = machine.outcomes_of(call.id()).iter().flatten();
        let well = surplus.is_empty() && !machine.is_silent(call.id());
        Some((call.id(), well && outcomes.filter_map(Outcome::failure).count() == 0))
    });
    let failed = machine.failed().iter().map(|id| (*id, false));
    let mut standing: Vec<_> =
        failed.chain(machine.succeeded().iter().map(|id| (*id, true))).collect();
    standing.sort_unstable();
    assert_eq!(standing, answered.collect::<Vec<_>>());
    let outcomes: Vec<&Outcome> = machine.outcomes().iter().flatten().collect();
    assert_eq!(outcomes.len(), machine.plan().events().len());
    assert_eq!(Tally::over(outcomes.iter().copied()), machine.tally());
    let unknown = machine.tally().of(Word::Unknown);
    assert!(
        unknown == 0 || machine.check() != Check::Agrees,
        "{unknown} of {machine:?} at {service:?}"
    );
}

#[test]
fn a_wide_call_that_fails_again_and_again_ends_though_its_extension_can_be_listed() {
    let mut run = wide(0..3, CallForm::Extension);
    let (mut now, mut sent) = (NOW, 0);
    while run.state() != RunState::Closing {
        for step in run.hand_out(now) {
            match step {
                Act::Send(call) => {
                    sent += 1;
                    answer_at(&mut run, call.id(), Err(busy()), now);
                }
                Act::List(extension) => run.listed(&extension, Ok(&listing(ROWS)), now),
                Act::Wait(time) => now += time,
                Act::Open(_) | Act::Close(_) => unreachable!(),
            }
        }
    }
    assert_eq!((sent, names(&run)), (6, vec!["refused"; 3]));
}

#[test]
fn a_token_that_is_refused_in_the_middle_of_a_run_is_why_it_stops_and_nothing_is_called_refused() {
    let mut run = run(3, 1);
    run.hand_out(NOW);
    works(&mut run, 0);
    assert_eq!(sends(&run.hand_out(NOW)), [1]);
    answer(&mut run, 1, Err(Failure::new(Cause::NoToken, "the service does not know this App")));
    let stop = run.stopped().unwrap();
    assert_eq!(stop.reason, crate::domain::StopReason::Token, "{stop:?}");
    lists(&mut run, &builder("210", &[("0", "e1"), ("0", "e2")]).finish(true));
    assert_eq!(names(&run), ["deleted", "not sent", "not sent"]);
}

#[test]
fn a_run_that_stopped_waits_for_room_before_it_checks_what_it_did() {
    let mut run = run(3, 1);
    run.hand_out(NOW);
    works(&mut run, 0);
    run.hand_out(NOW);
    let moved = Failure { http_status: Some(302), ..Failure::new(Cause::Redirected, "moved") };
    answer(&mut run, 1, Err(moved));
    assert!(is_listing(&run.hand_out(NOW)));
    let room = Duration::from_secs(40);
    let full = Failure { retry_after: Some(room), ..Failure::new(Cause::Withheld, "no room") };
    run.listed(&extension(), Err(&full), NOW);
    assert_eq!(run.state(), RunState::Verifying);
    let later = waits(&run.hand_out(NOW));
    assert_eq!((later, run.waiting(NOW).map(|it| it.until)), (room, Some(room)));
    assert!(is_listing(&run.hand_out(later)));
    let there = builder("210", &[("0", "e1"), ("0", "e2")]).finish(true);
    run.listed(&extension(), Ok(&there), later);
    lists(&mut run, &there);
    assert_eq!(run.check(), Check::Agrees);
}

#[test]
fn a_type_call_where_no_other_type_is_listed_proves_nothing_and_the_first_that_tells_goes_alone() {
    let all: &[(&str, &[(&str, &str)])] = &[
        ("210", &[("0", "a"), ("0", "b")]),
        ("211", &[("0", "c"), ("2", "d")]),
        ("212", &[("0", "e"), ("2", "f")]),
    ];
    let mut store = EventStore::default();
    for (extension, rows) in all {
        store.insert(builder(extension, rows).finish(true));
        store.set_marks(&ExtensionNumber::parse(extension).unwrap(), 0..rows.len(), true);
    }
    let selection = Selection::of_marks(&store);
    let plan = Plan::freeze(target(), &selection, CallForm::Type, 1000).unwrap();
    let mut run = begun(plan, 8);
    for (place, alone) in [(0, "210"), (1, "211")] {
        assert_eq!(listed_now(&run.hand_out(NOW)), alone);
        let there = builder(alone, all[place].1).finish(true);
        run.listed(&ExtensionNumber::parse(alone).unwrap(), Ok(&there), NOW);
        assert_eq!(sends(&run.hand_out(NOW)), [place]);
        assert!(run.hand_out(NOW).is_empty(), "alone");
        works(&mut run, place);
    }
    assert_eq!(listed_now(&run.hand_out(NOW)), "211", "what it took is looked for");
    run.listed(&ExtensionNumber::parse("211").unwrap(), Ok(&builder("211", &[]).finish(true)), NOW);
    assert!(run.took_too_much() && run.learnt(Learnt::default()).wipes);
}

#[test]
fn where_no_type_call_could_take_another_type_they_go_together_after_the_first() {
    let mut store = EventStore::default();
    for extension in ["210", "211", "212"] {
        store.insert(builder(extension, &[("0", "a")]).finish(true));
        store.set_marks(&ExtensionNumber::parse(extension).unwrap(), 0..1, true);
    }
    let selection = Selection::of_marks(&store);
    let plan = Plan::freeze(target(), &selection, CallForm::Type, 1000).unwrap();
    let mut run = begun(plan, 8);
    run.hand_out(NOW);
    run.listed(&extension(), Ok(&builder("210", &[("0", "a")]).finish(true)), NOW);
    run.hand_out(NOW);
    works(&mut run, 0);
    assert_eq!(run.hand_out(NOW).len(), 2);
}
