//! Events come back, each once, whatever the service answers.

use proptest::prelude::*;

use super::*;
use crate::deletion::plan::tests::{builder, plan, target};
use crate::domain::CallForm;

fn lost(ids: &[&str]) -> Vec<PhoneCallEvent> {
    let rows: Vec<(&str, &str)> = ids.iter().map(|id| ("0", *id)).collect();
    plan(&rows, 0..rows.len(), CallForm::Event).events().to_vec()
}

fn known(events: &[PhoneCallEvent]) -> BTreeSet<EventKey> {
    events.iter().map(|event| event.key.clone()).collect()
}

fn undo(ids: &[&str], suspects: &[&str], concurrency: usize) -> Undo {
    let lost = lost(ids);
    let known = known(&lost);
    let suspects =
        known.iter().filter(|key| suspects.contains(&key.id.as_str())).cloned().collect();
    let plan = UndoPlan::new(target(), "r1", lost, &suspects, known).unwrap();
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
    let none = BTreeSet::new();
    let refused = UndoPlan::new(target(), "r1", Vec::new(), &none, BTreeSet::new());
    assert_eq!(refused, Err(UndoRefused::Nothing("r1".to_owned())));
}

#[test]
fn it_looks_then_makes_then_looks_again() {
    let mut undo = undo(&["a", "b"], &[], 4);
    assert_eq!(undo.hand_out(), [UndoStep::List(extension())]);
    undo.listed(&extension(), Ok(&listing(&["x"])));
    assert_eq!(undo.hand_out(), [UndoStep::Create(0), UndoStep::Create(1)]);
    undo.settle(0, made("a2"));
    undo.settle(1, made("b2"));
    assert_eq!(undo.hand_out(), [UndoStep::List(extension())]);
    undo.listed(&extension(), Ok(&listing(&["x", "a2", "b2"])));
    assert_eq!(undo.state(), RunState::Finished);
    assert_eq!(words(&undo), ["restored a2", "restored b2"]);
    assert!(undo.end().verified);
}

#[test]
fn an_event_that_is_there_is_not_made_again() {
    let mut undo = undo(&["a", "b"], &[], 4);
    undo.hand_out();
    undo.listed(&extension(), Ok(&listing(&["b"])));
    assert_eq!(undo.hand_out(), [UndoStep::Create(0)]);
    assert_eq!(words(&undo), ["open", "restored b"]);
}

#[test]
fn what_became_of_a_post_without_an_answer_is_seen_in_the_list_and_it_is_not_repeated() {
    for (now, expected) in [(vec!["new"], "restored new"), (vec![], "refused")] {
        let mut undo = undo(&["a"], &[], 1);
        undo.hand_out();
        undo.listed(&extension(), Ok(&listing(&[])));
        undo.hand_out();
        undo.settle(0, without_an_answer());
        assert_eq!(words(&undo), ["unknown"]);
        undo.hand_out();
        undo.listed(&extension(), Ok(&listing(&now)));
        assert_eq!(words(&undo), [expected]);
        assert!(undo.hand_out().is_empty());
    }
}

#[test]
fn an_answer_without_an_id_is_completed_from_the_list() {
    let mut undo = undo(&["a"], &[], 1);
    undo.hand_out();
    undo.listed(&extension(), Ok(&listing(&[])));
    undo.hand_out();
    undo.settle(0, Ok(WriteAnswer { http_status: 204, id: None }));
    undo.hand_out();
    undo.listed(&extension(), Ok(&listing(&["new"])));
    assert_eq!(words(&undo), ["restored new"]);
}

#[test]
fn what_an_interrupted_undo_may_have_made_is_looked_for_before_it_is_made_again() {
    for (there, expected) in [(vec!["new"], 0), (vec![], 1)] {
        let mut undo = undo(&["a"], &["a"], 1);
        undo.hand_out();
        undo.listed(&extension(), Ok(&listing(&there)));
        assert_eq!(undo.hand_out().len(), expected);
    }
}

#[test]
fn an_extension_that_cannot_be_listed_gets_nothing() {
    let mut undo = undo(&["a"], &[], 1);
    undo.hand_out();
    undo.listed(&extension(), Err(&Failure::new(Cause::Rejected, "no")));
    assert!(undo.hand_out().is_empty());
    assert_eq!((words(&undo), undo.state()), (vec!["not sent".to_owned()], RunState::Finished));
}

#[test]
fn a_refused_token_stops_at_once_and_the_rest_is_not_sent() {
    let mut undo = undo(&["a", "b", "c"], &[], 1);
    undo.hand_out();
    undo.listed(&extension(), Ok(&listing(&[])));
    undo.hand_out();
    let token = Failure { http_status: Some(401), ..Failure::new(Cause::Rejected, "token") };
    undo.settle(0, Err(token));
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
        let known: BTreeSet<EventKey> = lost.iter().map(|event| event.key.clone()).collect();
        let mut service: Vec<PhoneCallEvent> = Vec::new();
        let mut answers = answers.into_iter();
        let mut left = lost.clone();
        let mut suspects = BTreeSet::new();
        for attempt in 0..2 {
            let Ok(plan) = UndoPlan::new(target(), "r", left.clone(), &suspects, known.clone()) else {
                break;
            };
            let mut undo = Undo::new(Arc::new(plan), 2);
            let mut steps = 0;
            let mut flying: VecDeque<UndoStep> = undo.hand_out().into();
            while let Some(step) = flying.pop_front() {
                steps += 1;
                if attempt == 0 && steps == stop_after {
                    undo.stop();
                }
                match step {
                    UndoStep::List(listed) => undo.listed(&listed, Ok(&as_listing(&service))),
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
                        });
                    }
                }
                flying.extend(undo.hand_out());
            }
            prop_assert_eq!(undo.state(), RunState::Finished);
            prop_assert_eq!(undo.end().tally.settled(), left.len());
            suspects = BTreeSet::new();
            let outcomes = undo.outcomes().to_vec();
            left = left.into_iter().zip(outcomes).filter_map(|(event, outcome)| {
                match outcome.unwrap() {
                    Outcome::Restored(_) => None,
                    Outcome::Unknown(_) => { suspects.insert(event.key.clone()); Some(event) }
                    _ => Some(event),
                }
            }).collect();
        }
        prop_assert!(left.is_empty(), "{:?}", left);
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
