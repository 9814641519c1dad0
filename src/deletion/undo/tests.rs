//! Events come back, each once, whatever the service answers.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::deletion::plan::tests::{builder, plan, target};
use crate::domain::CallForm;

const NOW: Duration = Duration::ZERO;
const LATER: Duration = Duration::from_secs(1);

fn lost(ids: &[&str]) -> Vec<PhoneCallEvent> {
    let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", *id)).collect();
    plan(&rows, 0..rows.len(), CallForm::Event).events().to_vec()
}

/// A run's loss, of which an earlier undo does not know these.
fn loss(events: &[PhoneCallEvent], suspects: &[&str]) -> Loss {
    let known: Vec<EventKey> = events.iter().map(|event| event.key.clone()).collect();
    let unknown = Outcome::Unknown(Failure::new(Cause::NoAnswer, "?"));
    let mut loss = Loss::new("r1", events.to_vec(), known);
    let suspects = events.iter().filter(|event| suspects.contains(&event.key.id.as_str()));
    loss.undone(suspects.map(|event| (event, &unknown)));
    loss
}

fn undo(ids: &[&str], suspects: &[&str], concurrency: usize) -> Undo {
    let plan = UndoPlan::new(target(), &loss(&lost(ids), suspects)).unwrap();
    Undo::new(Arc::new(plan), concurrency)
}

fn listing(ids: &[&str]) -> Listing {
    let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", *id)).collect();
    builder("210", &rows).finish(true)
}

fn extension() -> ExtensionNumber {
    ExtensionNumber::parse("210").unwrap()
}

fn made(id: &str) -> Result<WriteAnswer, Failure> {
    Ok(WriteAnswer { http_status: 200, id: Some(Foreign::from(id)) })
}

fn without_an_answer() -> Result<WriteAnswer, Failure> {
    Err(Failure::new(Cause::NoAnswer, "no answer"))
}

fn words(undo: &Undo) -> Vec<String> {
    let word = |outcome: &Option<Outcome>| match outcome {
        Some(Outcome::Restored(Some(id))) => format!("restored {id}"),
        Some(outcome) => outcome.name().to_owned(),
        None => "open".to_owned(),
    };
    undo.outcomes().iter().map(word).collect()
}

#[test]
fn an_undo_of_nothing_does_not_exist() {
    let refused = UndoPlan::new(target(), &loss(&[], &[]));
    assert_eq!(refused, Err(UndoRefused::Nothing("r1".to_owned())));
}

#[test]
fn it_looks_then_makes_then_looks_again() {
    let mut undo = undo(&["a", "b"], &[], 4);
    assert_eq!(undo.hand_out(NOW), [UndoStep::List(extension())]);
    undo.listed(&extension(), Ok(&listing(&["x"])), NOW);
    assert_eq!(undo.hand_out(NOW), [UndoStep::Create(0), UndoStep::Create(1)]);
    undo.settle(0, made("a2"), NOW);
    undo.settle(1, made("b2"), NOW);
    assert_eq!(undo.hand_out(NOW), [UndoStep::List(extension())]);
    undo.listed(&extension(), Ok(&listing(&["x", "a2", "b2"])), NOW);
    assert_eq!(undo.state(), RunState::Finished);
    assert_eq!(words(&undo), ["restored a2", "restored b2"]);
    assert!(undo.end().verified);
}

#[test]
fn an_event_that_is_there_is_not_made_again() {
    let mut undo = undo(&["a", "b"], &[], 4);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&["b"])), NOW);
    assert_eq!(undo.hand_out(NOW), [UndoStep::Create(0)]);
    assert_eq!(words(&undo), ["open", "restored b"]);
}

#[test]
fn what_became_of_a_post_without_an_answer_is_seen_in_the_list_and_it_is_not_repeated() {
    for (now, expected) in [(vec!["new"], "restored new"), (vec![], "refused")] {
        let mut undo = undo(&["a"], &[], 1);
        undo.hand_out(NOW);
        undo.listed(&extension(), Ok(&listing(&[])), NOW);
        undo.hand_out(NOW);
        undo.settle(0, without_an_answer(), NOW);
        assert_eq!(words(&undo), ["unknown"]);
        undo.hand_out(LATER);
        undo.listed(&extension(), Ok(&listing(&now)), LATER);
        assert_eq!(words(&undo), [expected]);
        assert!(undo.hand_out(LATER).is_empty());
    }
}

#[test]
fn a_post_that_surely_made_nothing_is_sent_again_after_a_pause() {
    let mut undo = undo(&["a"], &[], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    let busy = Failure { http_status: Some(503), ..Failure::new(Cause::ServiceFailed, "busy") };
    undo.settle(0, Err(busy), NOW);
    assert!(matches!(undo.hand_out(NOW)[..], [UndoStep::Wait(_)]));
    assert_eq!(undo.hand_out(LATER), [UndoStep::Create(0)]);
    undo.settle(0, made("new"), LATER);
    assert_eq!(words(&undo), ["restored new"]);
}

#[test]
fn an_answer_without_an_id_is_completed_from_the_list() {
    let mut undo = undo(&["a"], &[], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    undo.settle(0, Ok(WriteAnswer { http_status: 204, id: None }), NOW);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&["new"])), NOW);
    assert_eq!(words(&undo), ["restored new"]);
}

#[test]
fn an_event_that_is_reported_made_and_not_listed_is_not_restored() {
    let mut undo = undo(&["a"], &[], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    undo.settle(0, made("new"), NOW);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    assert_eq!(words(&undo), ["refused"]);
    let failure = undo.outcomes()[0].as_ref().and_then(Outcome::failure).unwrap();
    assert_eq!(failure.to_string(), "the service reported it made; it is not listed");
}

#[test]
fn an_id_that_is_listed_is_believed_in_whatever_words_the_event_stands_there() {
    let mut undo = undo(&["a"], &[], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    undo.settle(0, made("new"), NOW);
    undo.hand_out(NOW);
    let mut other = builder("210", &[]);
    other.push(crate::domain::RawEvent {
        event_type: "0",
        id: "new",
        note: "trimmed",
        ..crate::domain::RawEvent::default()
    });
    undo.listed(&extension(), Ok(&other.finish(true)), NOW);
    assert_eq!((words(&undo), undo.is_verified()), (vec!["restored new".to_owned()], true));
}

#[test]
fn what_an_interrupted_undo_may_have_made_is_looked_for_before_it_is_made_again() {
    for (there, expected) in [(vec!["new"], 0), (vec![], 1)] {
        let mut undo = undo(&["a"], &["a"], 1);
        undo.hand_out(NOW);
        undo.listed(&extension(), Ok(&listing(&there)), NOW);
        assert_eq!(undo.hand_out(NOW).len(), expected);
    }
}

#[test]
fn what_another_undo_made_never_stands_for_what_this_one_may_have_made() {
    for id in [Some(Foreign::from("twin")), None] {
        let mut loss = loss(&lost(&["a"]), &["a"]);
        let twin = lost(&["b"]);
        loss.undone_elsewhere([(&twin[0], &Outcome::Restored(id))]);
        let plan = UndoPlan::new(target(), &loss).unwrap();
        let mut undo = Undo::new(Arc::new(plan), 1);
        undo.hand_out(NOW);
        undo.listed(&extension(), Ok(&listing(&["twin"])), NOW);
        assert_eq!(undo.hand_out(NOW), [UndoStep::Create(0)]);
    }
}

#[test]
fn an_extension_that_cannot_be_listed_gets_nothing() {
    let mut undo = undo(&["a"], &[], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Err(&Failure::new(Cause::Rejected, "no")), NOW);
    assert!(undo.hand_out(NOW).is_empty());
    assert_eq!((words(&undo), undo.state()), (vec!["not sent".to_owned()], RunState::Finished));
}

#[test]
fn a_refused_token_stops_at_once_and_the_rest_is_not_sent() {
    let mut undo = undo(&["a", "b", "c"], &[], 1);
    undo.hand_out(NOW);
    undo.listed(&extension(), Ok(&listing(&[])), NOW);
    undo.hand_out(NOW);
    let token = Failure { http_status: Some(401), ..Failure::new(Cause::Rejected, "token") };
    undo.settle(0, Err(token), NOW);
    assert!(undo.stopped_by().is_some());
    assert_eq!(words(&undo), ["refused", "not sent", "not sent"]);
}

proptest! {
    #[test]
    fn whatever_the_answers_undone_twice_every_event_is_there_exactly_once(
        count in 1usize..8,
        answers in proptest::collection::vec(0u8..5, 0..8),
        stop_after in 0usize..10,
    ) {
        let ids: Vec<String> = (0..count).map(|id| format!("e{id}")).collect();
        let mut lost: Vec<PhoneCallEvent> = lost(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        for (place, event) in lost.iter_mut().enumerate() {
            // Two by two they are the same but for their ids.
            event.note = Foreign::from(format!("note {}", place / 2));
        }
        let mut service: Vec<PhoneCallEvent> = Vec::new();
        let mut answers = answers.into_iter();
        let mut loss = loss(&lost, &[]);
        for attempt in 0..2 {
            let Ok(plan) = UndoPlan::new(target(), &loss) else {
                break;
            };
            let mut undo = Undo::new(Arc::new(plan), 2);
            let mut steps = 0;
            let mut now = NOW;
            let mut flying: VecDeque<UndoStep> = undo.hand_out(now).into();
            while let Some(step) = flying.pop_front() {
                steps += 1;
                if attempt == 0 && steps == stop_after {
                    undo.stop();
                }
                match step {
                    UndoStep::List(listed) => undo.listed(&listed, Ok(&as_listing(&service)), now),
                    UndoStep::Wait(time) => now += time,
                    UndoStep::Create(place) => {
                        let event = undo.plan().events()[place].clone();
                        let whim = if attempt == 0 { answers.next().unwrap_or(0) } else { 0 };
                        let acts = matches!(whim, 0..=2);
                        let id = format!("n{}", service.len());
                        if acts {
                            let mut event = event;
                            event.key.id = crate::domain::EventId::parse(&id).unwrap();
                            service.push(event);
                        }
                        undo.settle(place, match whim {
                            0 => made(&id),
                            1 => Ok(WriteAnswer { http_status: 204, id: None }),
                            2 | 3 => without_an_answer(),
                            _ => Err(Failure::new(Cause::Rejected, "no")),
                        }, NOW);
                    }
                }
                flying.extend(undo.hand_out(now));
            }
            prop_assert_eq!(undo.state(), RunState::Finished);
            prop_assert_eq!(undo.tally().settled(), undo.plan().events().len());
            let outcomes = undo.outcomes().iter().map(|outcome| outcome.as_ref().unwrap());
            loss.undone(undo.plan().events().iter().zip(outcomes));
        }
        prop_assert!(UndoPlan::new(target(), &loss).is_err(), "{:?}", loss);
        let notes = |events: &[PhoneCallEvent]| {
            let mut notes: Vec<String> = events.iter().map(|e| e.note.raw().to_owned()).collect();
            notes.sort();
            notes
        };
        prop_assert_eq!(notes(&service), notes(&lost));
    }
}

fn as_listing(events: &[PhoneCallEvent]) -> Listing {
    let mut builder = builder("210", &[]);
    for event in events {
        builder.push(crate::domain::RawEvent {
            event_type: "0",
            id: event.key.id.as_str(),
            method: event.method.written(),
            url: event.url.raw(),
            note: event.note.raw(),
            status: event.status.written(),
            modified: "",
        });
    }
    builder.finish(true)
}
