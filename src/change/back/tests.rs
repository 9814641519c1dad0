//! Events come back, each once, whatever the service answers.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::change::machine::tests::{NOW, begun, extension, lists};
use crate::change::plan::tests::{builder, plan, target};
use crate::change::trial::{Service, drive, to_the_end, whims};
use crate::change::twice::CAUGHT_UP;
use crate::change::{Act, Check, Done, Machine, Make, RunState, judge_made};
use crate::domain::{
    CallForm, Cause, Change, Failure, Foreign, Outcome, RawEvent, Status, Success, Word,
    WriteAnswer,
};

const LATER: Duration = Duration::from_secs(1);

fn lost(ids: &[&str]) -> Vec<PhoneCallEvent> {
    let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", *id)).collect();
    plan(&rows, 0..rows.len(), CallForm::Event).events().to_vec()
}

/// What a run took, and nothing else is known of.
fn loss(events: &[PhoneCallEvent]) -> Loss {
    let known = events.iter().collect();
    let taken = events.iter().map(|event| event.key.clone()).collect();
    let history = History { run: "r1".to_owned(), known, taken, ..History::default() };
    Loss::of(&history, Doubts::default(), None)
}

/// The plan that gives all of it back, before anything is listed.
fn give_back(loss: &Loss) -> Result<Plan, UndoRefused> {
    loss.way_back(target(), |_| None, false).plan
}

fn undo(ids: &[&str], concurrency: usize) -> Machine {
    begun(give_back(&loss(&lost(ids))).unwrap(), concurrency)
}

fn listing(ids: &[&str]) -> Listing {
    let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", *id)).collect();
    builder("210", &rows).finish(true)
}

fn made(id: &str) -> Result<WriteAnswer, Failure> {
    Ok(WriteAnswer { http_status: 200, id: Some(Foreign::from(id)) })
}

fn without_an_answer() -> Result<WriteAnswer, Failure> {
    Err(Failure::new(Cause::NoAnswer, "no answer"))
}

/// The calls that make events, by their places.
fn made_by(acts: &[Act]) -> Vec<usize> {
    let made = acts.iter().map(|act| match act {
        Act::Send(call) if call.call().method() == "POST" => call.id(),
        other => panic!("{other:?}"),
    });
    made.collect()
}

fn answer(undo: &mut Machine, call: usize, answer: Result<WriteAnswer, Failure>, now: Duration) {
    undo.settle(call, judge_made(answer, Duration::ZERO), now);
}

fn words(undo: &Machine) -> Vec<String> {
    let word = |outcome: &Option<Outcome>| match outcome {
        Some(Outcome::Done(Success::Restored, Some(id))) => format!("restored {id}"),
        Some(outcome) => outcome.name().to_owned(),
        None => "open".to_owned(),
    };
    undo.outcomes().iter().map(word).collect()
}

#[test]
fn an_undo_has_a_hash_of_its_own_that_is_the_same_for_the_same_events() {
    let taken = plan(&[("0", "a"), ("0", "b")], 0..2, CallForm::Event);
    let hash = |ids: &[&str]| {
        let undo = give_back(&loss(&lost(ids))).unwrap();
        undo.hash().as_str().to_owned()
    };
    assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
    assert!(![taken.hash().as_str(), &hash(&["a"])].contains(&hash(&["a", "b"]).as_str()));
}

#[test]
fn an_undo_of_nothing_does_not_exist() {
    let refused = give_back(&loss(&[]));
    assert_eq!(refused, Err(UndoRefused::Nothing("r1".to_owned(), "deleted nothing")));
    for (written, by_looks, what) in [
        (Some(Vec::new()), false, "changed nothing"),
        (None, true, "keeps nothing that can be read"),
    ] {
        let history = History { run: "r1".to_owned(), written, by_looks, ..History::default() };
        let refused = give_back(&Loss::of(&history, Doubts::default(), None));
        assert_eq!(refused, Err(UndoRefused::Nothing("r1".to_owned(), what)));
    }
}

/// It was disabled, which gave it an id that no answer told, deleted, made again and enabled: the undo of
/// the change tells what it was first, and the undo of the deletion what it was last.
#[test]
fn what_two_undos_made_one_after_the_other_for_one_event_under_two_names_is_that_event() {
    let events = lost(&["first", "renamed", "made", "enabled"]);
    let [first, renamed, made, enabled] = &events[..] else { panic!() };
    let make = |of: &PhoneCallEvent, key: &PhoneCallEvent| Make {
        event: PhoneCallEvent { status: Status::Disabled, ..of.clone() },
        key: key.key.clone(),
        retyped: false,
        gives_back: false,
        later: true,
    };
    let mut makes = vec![make(first, made), make(made, enabled), make(renamed, made)];
    for _ in 0..makes.len() {
        makes.rotate_left(1);
        let (known, taken) = (vec![first], BTreeSet::from([first.key.clone()]));
        let takes = BTreeSet::from([renamed.key.clone()]);
        let run = "r1".to_owned();
        let history =
            History { run, known, taken, takes, makes: makes.clone(), ..History::default() };
        let loss = Loss::of(&history, Doubts::default(), None);
        let there = listing(&["enabled"]);
        let refused = loss.way_back(target(), |_| Some(&there), false).plan;
        assert_eq!(refused, Err(UndoRefused::AllThere("r1".to_owned())));
        let gone = listing(&[]);
        let plan = loss.way_back(target(), |_| Some(&gone), false).plan.unwrap();
        assert!(plan.events().iter().eq([first]));
    }
}

#[test]
fn it_looks_then_makes_then_looks_again() {
    let mut undo = undo(&["a", "b"], 4);
    assert_eq!(undo.hand_out(NOW), [Act::List(extension())]);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    assert_eq!(made_by(&undo.hand_out(NOW)), [0, 1]);
    answer(&mut undo, 0, made("a2"), NOW);
    answer(&mut undo, 1, made("b2"), NOW);
    assert_eq!(undo.hand_out(NOW), [Act::List(extension())]);
    undo.listed(&extension(), Ok(&listing(&["a2", "b2"])), NOW);
    assert_eq!(undo.state(), RunState::Closing);
    assert_eq!(words(&undo), ["restored a2", "restored b2"]);
    assert_eq!(undo.end().check, Check::Agrees);
}

#[test]
fn an_event_that_is_there_is_not_made_again() {
    let mut undo = undo(&["a", "b"], 4);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&["b"])), NOW);
    assert_eq!(made_by(&undo.hand_out(NOW)), [0]);
    assert_eq!(words(&undo), ["open", "restored b"]);
}

#[test]
fn what_became_of_a_post_without_an_answer_is_seen_in_the_list_and_it_is_not_repeated() {
    for (now, expected) in [(vec!["new"], "restored new"), (vec![], "refused")] {
        let mut undo = undo(&["a"], 1);
        undo.hand_out(NOW);
        undo.listed(&extension(), Ok(&listing(&[])), NOW);
        undo.hand_out(NOW);
        answer(&mut undo, 0, without_an_answer(), NOW);
        assert_eq!(words(&undo), ["unknown"]);
        lists(&mut undo, &listing(&now));
        assert_eq!(words(&undo), [expected]);
    }
}

#[test]
fn a_post_that_surely_made_nothing_is_sent_again_after_a_pause_and_no_other_is() {
    let mut undo = undo(&["a"], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    answer(&mut undo, 0, Err(Failure::new(Cause::Unreachable, "no connection")), NOW);
    assert!(matches!(undo.hand_out(NOW)[..], [Act::Wait(_)]));
    assert_eq!(made_by(&undo.hand_out(LATER)), [0]);
    let fails = Failure { http_status: Some(503), ..Failure::new(Cause::ServiceFailed, "busy") };
    answer(&mut undo, 0, Err(fails), LATER);
    assert_eq!(words(&undo), ["unknown"], "it may have acted all the same");
    assert!(matches!(undo.hand_out(LATER)[..], [Act::Wait(_)]));
    assert_eq!(undo.hand_out(2 * LATER), [Act::List(extension())]);
}

#[test]
fn a_post_that_is_refused_for_their_number_is_sent_again_where_two_lists_do_not_show_it() {
    let busy = || Failure { http_status: Some(429), ..Failure::new(Cause::Rejected, "busy") };
    let late = CAUGHT_UP + 10 * LATER;
    for acted in [false, true] {
        let mut undo = undo(&["a", "b"], 1);
        undo.hand_out(NOW);
        undo.listed(&extension(), Ok(&listing(&[])), NOW);
        undo.hand_out(NOW);
        answer(&mut undo, 0, Err(busy()), NOW);
        assert!(matches!(undo.hand_out(NOW)[..], [Act::Wait(_)]), "slower");
        assert_eq!(made_by(&undo.hand_out(LATER)), [1], "the next one first");
        answer(&mut undo, 1, made("b2"), LATER);
        assert!(matches!(undo.hand_out(2 * LATER)[..], [Act::Wait(_)]), "lists may lag");
        let there: &[&str] = if acted { &["b2", "a2"] } else { &["b2"] };
        assert_eq!(undo.hand_out(late), [Act::List(extension())]);
        undo.listed(&extension(), Ok(&listing(there)), late);
        assert!(matches!(undo.hand_out(late)[..], [Act::Wait(_)]), "one list is not enough");
        assert_eq!(undo.hand_out(2 * late), [Act::List(extension())]);
        undo.listed(&extension(), Ok(&listing(there)), 2 * late);
        if !acted {
            assert_eq!(made_by(&undo.hand_out(2 * late)), [0]);
            answer(&mut undo, 0, made("a2"), 2 * late);
        }
        lists(&mut undo, &listing(&["b2", "a2"]));
        assert_eq!(words(&undo), ["restored a2", "restored b2"]);
        assert_eq!((undo.state(), undo.check()), (RunState::Closing, Check::Agrees));
    }
}

/// Refuses every POST for their number, and stops the undo at the first one where it `stops`; how many
/// there were.
fn all_refused_for_their_number(undo: &mut Machine, stops: bool) -> usize {
    let busy = || Failure { http_status: Some(429), ..Failure::new(Cause::Rejected, "busy") };
    let (mut now, mut posts) = (NOW, 0);
    for _ in 0..1000 {
        now += LATER;
        for act in undo.hand_out(now) {
            match act {
                Act::List(_) => undo.listed(&extension(), Ok(&listing(&[])), now),
                Act::Send(call) => {
                    posts += 1;
                    answer(undo, call.id(), Err(busy()), now);
                    if stops {
                        undo.stop();
                    }
                }
                Act::Wait(_) | Act::Open(_) | Act::Close(_) => {}
            }
        }
    }
    posts
}

#[test]
fn what_is_put_off_again_and_again_or_when_it_is_stopped_ends_as_it_was_answered() {
    for stops in [false, true] {
        let mut undo = undo(&["a"], 1);
        let posts = all_refused_for_their_number(&mut undo, stops);
        assert_eq!((words(&undo), undo.state()), (vec!["refused".to_owned()], RunState::Closing));
        assert!(if stops { posts == 1 } else { posts <= 6 }, "{posts}");
    }
}

#[test]
fn what_came_since_and_differs_in_one_field_stands_in_for_what_a_post_may_have_made_so() {
    let lost = looking(&[("a", "http://x", "n")]).row(0).unwrap().to_event();
    let asked = Doubts { unanswered: [lost.key.clone()].into(), ..Doubts::default() };
    for (doubts, row, fields) in [
        (&asked, ("new", "http://y", "n"), Some(vec!["url"])),
        (&asked, ("new", "http://y", "other"), None),
        (&Doubts::default(), ("new", "http://y", "n"), None),
        (&Doubts::default(), ("new", "http://x", "other"), Some(vec!["note"])),
    ] {
        let loss = Loss { doubts: doubts.clone(), ..loss(std::slice::from_ref(&lost)) };
        let list = looking(&[row]);
        let found = loss.way_back(target(), |_| Some(&list), false);
        let told: Vec<_> = found.stand_ins.into_iter().map(|it| it.fields).collect();
        assert_eq!(told, fields.clone().into_iter().collect::<Vec<_>>(), "{row:?}");
        assert_eq!(found.plan.is_ok(), fields.is_none(), "{row:?}");
    }
}

#[test]
fn a_service_that_refuses_every_post_for_their_number_stops_the_undo_after_five_rounds() {
    let ids: Vec<String> = (0..20).map(|id| format!("e{id:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for known in [&ids[..3], &ids] {
        let mut undo = undo(known, 1);
        assert_eq!(all_refused_for_their_number(&mut undo, false), 6, "of {}", known.len());
        assert!(undo.state() == RunState::Closing && undo.stopped().is_some());
    }
}

#[test]
fn an_answer_without_an_id_is_completed_from_the_list() {
    let mut undo = undo(&["a"], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    answer(&mut undo, 0, Ok(WriteAnswer { http_status: 204, id: None }), NOW);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&["new"])), NOW);
    assert_eq!(words(&undo), ["restored new"]);
}

#[test]
fn an_event_that_is_reported_made_and_not_listed_is_not_restored() {
    let mut undo = undo(&["a"], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    answer(&mut undo, 0, made("new"), NOW);
    lists(&mut undo, &listing(&[]));
    assert_eq!((words(&undo), undo.check()), (vec!["refused".to_owned()], Check::Differs));
    let failure = undo.outcomes()[0].as_ref().and_then(Outcome::failure).unwrap();
    assert_eq!(failure.to_string(), "the service reported it created; it is not listed");
}

/// One event `new` with another note than it was to have.
/// A list that lags shows what a run took, and later under which id and with which note it is there.
#[test]
fn what_something_stands_in_for_that_came_since_the_review_is_not_made_beside_it() {
    let loss = loss(&lost(&["a", "b"]));
    let (nothing, another) = (listing(&["b"]), with_another_note());
    for (reviewed, all, made) in
        [(&nothing, false, vec![]), (&nothing, true, vec![]), (&another, true, vec![0])]
    {
        let plan = loss.way_back(target(), |_| Some(reviewed), all).plan.unwrap();
        let mut undo = begun(plan, 1);
        undo.hand_out(NOW);
        undo.listed(&extension(), Ok(&another), NOW);
        let acts = undo.hand_out(NOW);
        let sent: Vec<usize> = acts
            .iter()
            .filter_map(|act| if let Act::Send(call) = act { Some(call.id()) } else { None })
            .collect();
        assert_eq!(sent, made, "{all}");
        if made.is_empty() {
            let outcome = undo.outcomes()[0].clone().unwrap();
            let why = "not re-created: it has new there with another note";
            assert_eq!(outcome.failure().unwrap().to_string(), why);
        }
    }
}

fn with_another_note() -> Listing {
    let mut other = builder("210", &[]);
    other.push(RawEvent { event_type: "0", id: "new", note: "cut", ..RawEvent::default() });
    other.finish(true)
}

#[test]
fn what_is_listed_otherwise_than_it_was_sent_is_altered_whether_its_id_was_told_or_not() {
    let without_id = Ok(WriteAnswer { http_status: 204, id: None });
    for said in [made("new"), without_id, without_an_answer()] {
        let mut undo = undo(&["a"], 1);
        undo.hand_out(NOW);
        undo.listed(&extension(), Ok(&listing(&[])), NOW);
        undo.hand_out(NOW);
        answer(&mut undo, 0, said, NOW);
        lists(&mut undo, &with_another_note());
        let altered = Outcome::Altered { id: Some(Foreign::from("new")), fields: vec!["note"] };
        assert_eq!(undo.outcomes(), [Some(altered)]);
        assert_eq!((undo.tally().of(Word::Altered), undo.tally().left()), (1, 0));
        assert_eq!((undo.failed().len(), undo.succeeded().len()), (1, 0), "it wants to be seen");
    }
}

/// The event `a` as it was, but for these of its fields.
fn with_others(other: [bool; 5]) -> Listing {
    let was = lost(&["a"]).remove(0);
    let mut builder = builder("210", &[]);
    builder.push(RawEvent {
        event_type: if other[0] { "2" } else { "0" },
        id: "new",
        method: if other[1] { "7" } else { was.method.written() },
        url: if other[2] { "http://elsewhere.test" } else { was.url.raw() },
        note: if other[3] { "another" } else { was.note.raw() },
        status: if other[4] { "7" } else { was.status.written() },
        ..RawEvent::default()
    });
    builder.finish(true)
}

#[test]
fn what_came_back_with_any_field_different_is_never_called_restored_whatever_was_answered() {
    let refused = || Err(Failure { http_status: Some(400), ..Failure::new(Cause::Rejected, "no") });
    for fields in 0..32_usize {
        let other = [0, 1, 2, 3, 4].map(|bit| fields >> bit & 1 == 1);
        let without_id = Ok(WriteAnswer { http_status: 204, id: None });
        for said in [made("new"), without_id, without_an_answer(), refused()] {
            let told = format!("{other:?} {said:?}");
            let has_id = said.as_ref().is_ok_and(|said| said.id.is_some());
            let mut undo = undo(&["a"], 1);
            undo.hand_out(NOW);
            undo.listed(&extension(), Ok(&listing(&[])), NOW);
            undo.hand_out(NOW);
            answer(&mut undo, 0, said, NOW);
            lists(&mut undo, &with_others(other));
            let names = ["type", "method", "url", "note", "status"];
            let fields: Vec<&str> =
                names.into_iter().zip(other).filter_map(|(name, is)| is.then_some(name)).collect();
            match undo.outcomes()[0].as_ref().unwrap() {
                Outcome::Done(Success::Restored, _) => assert!(fields.is_empty(), "{told}"),
                Outcome::Altered { fields: said, .. } => assert_eq!(*said, fields, "{told}"),
                _ => assert!(!fields.is_empty() && !has_id, "{told}"),
            }
        }
    }
}

#[test]
fn a_success_without_an_id_is_restored_only_where_a_list_shows_it() {
    let said = || Ok(WriteAnswer { http_status: 204, id: None });
    for (then, expected) in
        [(Some(vec!["new"]), "restored new"), (Some(vec![]), "refused"), (None, "unknown")]
    {
        let mut undo = undo(&["a"], 1);
        undo.hand_out(NOW);
        undo.listed(&extension(), Ok(&listing(&[])), NOW);
        undo.hand_out(NOW);
        answer(&mut undo, 0, said(), NOW);
        if let Some(ids) = then {
            lists(&mut undo, &listing(&ids));
        } else {
            undo.hand_out(NOW);
            undo.listed(&extension(), Err(&Failure::new(Cause::Rejected, "no")), NOW);
        }
        assert_eq!(words(&undo), [expected]);
    }
}

#[test]
fn where_a_request_may_still_change_the_list_nothing_is_made_before_it_says_the_same_twice() {
    let second = Duration::from_secs(1);
    let lost = lost(&["a", "b"]);
    let known = lost.iter().collect();
    let taken = lost.iter().map(|event| event.key.clone()).collect();
    let history = History { run: "r1".to_owned(), known, taken, ..History::default() };
    let unsure = [lost[1].key.clone()].into();
    let doubt = Doubt { wait: 4 * second, unsure, always: false };
    let lists = [(extension(), doubt)].into();
    let loss = Loss::of(&history, Doubts { lists, ..Doubts::default() }, None);
    let listing = |ids: &[&str]| listing(ids);
    let there = listing(&["b"]);
    let plan = loss.way_back(target(), |_| Some(&there), false).plan.unwrap();
    assert_eq!(plan.events().len(), 2, "what may go yet is reviewed too");
    let mut undo = Machine::new(Arc::new(plan), 2).reviewed_at(10 * second);
    undo.hand_out(10 * second);
    undo.take(Done::Opened(Ok("r2".to_owned())), 10 * second);
    let lists = |undo: &mut Machine, ids: &[&str], now: Duration, next: Option<u32>| {
        assert_eq!(undo.hand_out(now), [Act::List(extension())]);
        undo.listed(&extension(), Ok(&listing(ids)), now);
        let acts = undo.hand_out(now);
        match next {
            Some(wait) => assert_eq!(acts, [Act::Wait(wait * second)]),
            None => assert_eq!(made_by(&acts), [0, 1]),
        }
    };
    lists(&mut undo, &["b"], 10 * second, Some(4));
    lists(&mut undo, &["b"], 14 * second, Some(2));
    lists(&mut undo, &[], 16 * second, Some(2));
    lists(&mut undo, &[], 18 * second, None);
}

/// An undo that another process began, and that was killed with a POST on its way.
#[test]
fn a_plan_that_knows_nothing_of_a_request_that_was_sent_since_is_another_one() {
    let second = Duration::from_secs(1);
    let lost = lost(&["a"]);
    let doubt = |wait: u32, always, unsure: &[&PhoneCallEvent]| {
        let unsure = unsure.iter().map(|event| event.key.clone()).collect();
        [(extension(), Doubt { wait: wait * second, unsure, always })].into()
    };
    let at = |lists| {
        let (known, taken) = (lost.iter().collect(), [lost[0].key.clone()].into());
        let history = History { run: "r1".to_owned(), known, taken, ..History::default() };
        Loss::of(&history, Doubts { lists, ..Doubts::default() }, None)
    };
    let nothing = || at(BTreeMap::new());
    let plan = |loss: &Loss| loss.way_back(target(), |_| None, false).plan.unwrap();
    assert!(nothing().is_of(&plan(&nothing())));
    for sent in [doubt(7, true, &[]), doubt(0, true, &[]), doubt(3, false, &[&lost[0]])] {
        let later = at(sent);
        assert!(!later.is_of(&plan(&nothing())));
        assert!(later.is_of(&plan(&later)) && nothing().is_of(&plan(&later)));
    }
    let early = plan(&at(doubt(5, true, &[&lost[0]])));
    assert!(at(doubt(4, true, &[])).is_of(&early), "time has passed");
    assert!(!at(doubt(6, true, &[])).is_of(&early), "another one was sent");
}

#[test]
fn an_extension_that_cannot_be_listed_gets_nothing() {
    let mut undo = undo(&["a"], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Err(&Failure::new(Cause::Rejected, "no")), NOW);
    assert!(matches!(undo.hand_out(NOW)[..], [Act::Close(_)]));
    assert_eq!((words(&undo), undo.state()), (vec!["not sent".to_owned()], RunState::Closing));
}

#[test]
fn an_undo_is_held_and_goes_on_and_what_is_stopped_before_it_was_made_is_not_sent() {
    let mut undo = undo(&["a", "b", "c"], 1);
    undo.hand_out(NOW);
    undo.pause();
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    assert!(undo.hand_out(NOW).is_empty());
    undo.resume();
    assert_eq!(made_by(&undo.hand_out(NOW)), [0]);
    undo.stop();
    answer(&mut undo, 0, made("a2"), NOW);
    assert_eq!(words(&undo), ["restored a2", "not sent", "not sent"]);
    assert_eq!(undo.hand_out(NOW), [Act::List(extension())]);
}

#[test]
fn a_refused_token_stops_at_once_and_the_rest_is_not_sent() {
    let mut undo = undo(&["a", "b", "c"], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    let token = Failure { http_status: Some(401), ..Failure::new(Cause::Rejected, "token") };
    answer(&mut undo, 0, Err(token), NOW);
    assert!(undo.stopped_by().is_some());
    assert_eq!(words(&undo), ["refused", "not sent", "not sent"]);
}

proptest! {
    #[test]
    fn whatever_the_answers_undone_twice_every_event_is_there_exactly_once(
        rows in proptest::collection::vec((0u8..2, 0u8..2, 0u8..3), 1..8),
        script in whims(false),
    ) {
        let mut service = Service::of(&rows, false);
        let lost = std::mem::take(&mut service.events);
        let loss = loss(&lost);
        for script in [script, Vec::new()] {
            let store = service.store();
            let found = loss.way_back(target(), |number| store.listing(number), false);
            let Ok(plan) = found.plan else { break };
            let mut undo = Machine::new(Arc::new(plan), 2);
            let ended = drive(&mut undo, 2, &mut service, &to_the_end(&script), |_| {});
            prop_assert!(ended);
            prop_assert_eq!(undo.tally().settled(), undo.plan().events().len());
        }
        let store = service.store();
        let found = loss.way_back(target(), |number| store.listing(number), false);
        prop_assert_eq!(found.plan, Err(UndoRefused::AllThere("r1".to_owned())));
        let there = service.bodies();
        service.events = lost;
        prop_assert_eq!(there, service.bodies());
    }
}

/// Extension 210 with these events, each with its URL and note.
fn looking(rows: &[(&str, &str, &str)]) -> Listing {
    let mut list = builder("210", &[]);
    for (id, url, note) in rows {
        list.push(RawEvent { event_type: "0", id, url, note, ..RawEvent::default() });
    }
    list.finish(true)
}

#[test]
fn what_a_refused_post_made_otherwise_in_one_field_counts_as_there_and_what_others_made_does_not() {
    let status = |cause, status| Failure { http_status: Some(status), ..Failure::new(cause, "no") };
    for refused in [
        status(Cause::Rejected, 429),
        status(Cause::Rejected, 400).coded("pce_note_invalid"),
        status(Cause::ServiceFailed, 501),
    ] {
        for (row, word) in [
            (("b", "http://x", "other"), "altered"),
            (("b", "http://y", "n"), "altered"),
            (("b", "http://y", "other"), "refused"),
        ] {
            let lost = looking(&[("a", "http://x", "n")]).row(0).unwrap().to_event();
            let mut undo = begun(give_back(&loss(&[lost])).unwrap(), 1);
            undo.hand_out(NOW);
            undo.listed(&extension(), Ok(&looking(&[])), NOW);
            let (list, mut now, mut posts) = (looking(&[row]), NOW, 0);
            for _ in 0..1000 {
                for act in undo.hand_out(now) {
                    match act {
                        Act::List(_) => undo.listed(&extension(), Ok(&list), now),
                        Act::Send(call) => {
                            posts += 1;
                            answer(&mut undo, call.id(), Err(refused.clone()), now);
                        }
                        Act::Wait(_) | Act::Open(_) | Act::Close(_) => {}
                    }
                }
                now += LATER;
            }
            assert_eq!((words(&undo), undo.state()), (vec![word.to_owned()], RunState::Closing));
            assert!(posts == 1 || word == "refused", "{refused:?} {row:?}: {posts}");
        }
    }
}

#[test]
fn a_field_that_had_no_value_before_a_change_is_not_written_back_and_is_named() {
    let row = |status: &str, text: &str| {
        let mut list = builder("210", &[]);
        let row = RawEvent { event_type: "0", id: "a", status, ..RawEvent::default() };
        list.push_with_text(row, text.as_bytes());
        list.finish(true)
    };
    let off = row("0", r#"{"id":"a","type":"0","status":"0"}"#);
    for (status, text, is_sent) in [
        ("", r#"{"id":"a","type":"0"}"#, false),
        ("", r#"{"id":"a","type":"0","status":null}"#, false),
        ("", r#"{"id":"a","type":"0","status":""}"#, true),
        ("1", r#"{"id":"a","type":"0","status":1}"#, true),
    ] {
        let event = row(status, text).row(0).unwrap().to_event();
        let (ids, is_back) = (vec![event.key.id.clone()], false);
        let change = Change::read(&serde_json::json!({ "status": "0" }));
        let written = Written { event, change, altered: Vec::new(), ids, is_back };
        let known = [written.event.key.clone()].into();
        let back = values::look(&[&written], &known, &off, false);
        let [(_, edit)] = &back.planned[..] else { panic!("{back:?}") };
        match &edit.held {
            None => assert!(is_sent, "{text}"),
            Some(held) => {
                assert!(!is_sent && matches!(held, Outcome::NotSent(_)), "{text}");
                assert!(held.failure().unwrap().message.raw().contains("its status"), "{held:?}");
            }
        }
    }
}

#[test]
fn what_a_change_altered_beside_what_it_wrote_is_named_and_plus_writes_it_back() {
    let row = |status: &str, note: &str| {
        let mut list = builder("210", &[]);
        list.push(RawEvent { event_type: "0", id: "a", status, note, ..RawEvent::default() });
        list.finish(true)
    };
    let event = row("1", "n").row(0).unwrap().to_event();
    let change = Change::read(&serde_json::json!({ "status": "0" }));
    let (ids, is_back) = (vec![event.key.id.clone()], false);
    for (altered, all, named, body) in [
        (vec!["note"], false, vec!["note"], serde_json::json!({ "status": "1" })),
        (vec!["note"], true, vec!["note"], serde_json::json!({ "status": "1", "note": "n" })),
        // Somebody else wrote the note.
        (vec![], false, vec![], serde_json::json!({ "status": "1" })),
    ] {
        let (event, change, ids) = (event.clone(), change.clone(), ids.clone());
        let written = Written { event, change, altered, ids, is_back };
        let known = [written.event.key.clone()].into();
        let back = values::look(&[&written], &known, &row("0", "other"), all);
        let [(_, edit)] = &back.planned[..] else { panic!("{back:?}") };
        assert_eq!(edit.change.value(), body);
        assert_eq!(back.since.iter().flat_map(|it| it.fields.clone()).collect::<Vec<_>>(), named);
    }
}
