//! The run file says the same as the run, whatever the service answers and wherever it breaks off;
//! and what the file says was taken comes back, whole.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::line::Said;
use super::*;
use crate::deletion::{Plan, Run, RunEnd, RunState, Selection, Step, Tally, Undo, UndoStep};
use crate::deletion::{gone_beside, judge, settled_by_listing};
use crate::domain::{
    CallForm, Cause, DeleteAnswer, DeleteCall, EventId, EventStore, ExtensionNumber, Failure,
    Foreign, Listing, ListingBuilder, Outcome, PhoneCallEvent, RawEvent, Target, UserId,
    WriteAnswer,
};

/// What a service may do with a request, and an operator meanwhile.
#[derive(Debug, Clone, Copy)]
enum Whim {
    Works,
    SaysNothing,
    Refuses,
    ActsAndIsLost,
    IsLost,
    IsBusy,
    NamesAnother,
    Lies,
    ListFails,
    Stop,
    Pause,
    Resume,
}

fn whims() -> impl Strategy<Value = Vec<(usize, Whim)>> {
    use Whim::*;
    let rare = prop_oneof![
        Just(SaysNothing),
        Just(Refuses),
        Just(ActsAndIsLost),
        Just(IsLost),
        Just(IsBusy),
        Just(NamesAnother),
        Just(Lies),
        Just(ListFails),
        Just(Pause),
        Just(Resume),
    ];
    let whim = prop_oneof![12 => Just(Works), 12 => rare, 1 => Just(Stop)];
    proptest::collection::vec((0usize..8, whim), 0..60)
}

type Body = (String, u16, String, String, String, String);

/// All events there are, and the number of the next id.
#[derive(Debug, Clone)]
struct Service {
    events: Vec<PhoneCallEvent>,
    next: usize,
    type_wipes: bool,
}

impl Service {
    /// Extension, type and body of each event; bodies may be the same.
    fn of(rows: &[(u8, u8, u8)], type_wipes: bool) -> Self {
        let mut service = Self { events: Vec::new(), next: 0, type_wipes };
        for (extension, event_type, body) in rows {
            let mut builder = ListingBuilder::new(number(*extension));
            builder.push(RawEvent {
                event_type: &event_type.to_string(),
                id: &format!("id{}", service.next),
                method: if body % 2 == 0 { "0" } else { "1" },
                url: &format!("https://crm.test/?q=%2{body}\u{202e}\"\n"),
                note: &format!("note {body}"),
                status: "9",
                modified: "2012-07-10T18:16:12+03:00",
            });
            service.next += 1;
            let listing = builder.finish(true);
            service.events.extend(listing.row(0).map(|row| row.to_event()));
        }
        service
    }

    fn listing(&self, extension: &ExtensionNumber) -> Listing {
        let mut builder = ListingBuilder::new(extension.clone());
        for event in self.events.iter().filter(|event| event.key.extension == *extension) {
            let row = RawEvent {
                event_type: &event.key.event_type.number().to_string(),
                id: event.key.id.as_str(),
                method: event.method.written(),
                url: event.url.raw(),
                note: event.note.raw(),
                status: event.status.written(),
                modified: &event.modified.written(),
            };
            builder.push_with_text(row, format!("{{\"id\":\"{}\"}}", event.key.id).as_bytes());
        }
        builder.finish(true)
    }

    fn bodies(&self) -> Vec<Body> {
        let body = |event: &PhoneCallEvent| {
            let (url, note) = (event.url.raw().to_owned(), event.note.raw().to_owned());
            let (method, status) = (event.method.written(), event.status.written());
            let extension = event.key.extension.as_str().to_owned();
            let event_type = event.key.event_type.number();
            (extension, event_type, method.to_owned(), url, note, status.to_owned())
        };
        let mut bodies: Vec<Body> = self.events.iter().map(body).collect();
        bodies.sort();
        bodies
    }

    fn act(&mut self, delete: &DeleteCall) -> Vec<Foreign> {
        let type_wipes = self.type_wipes;
        let goes = |event: &mut PhoneCallEvent| match delete {
            DeleteCall::Event(key) => event.key == *key,
            DeleteCall::Type(extension, event_type) => {
                event.key.extension == *extension
                    && (type_wipes || event.key.event_type == *event_type)
            }
            DeleteCall::Extension(extension) => event.key.extension == *extension,
        };
        let gone = self.events.extract_if(.., goes);
        gone.map(|event| Foreign::from(event.key.id.as_str())).collect()
    }

    fn delete(&mut self, delete: &DeleteCall, whim: Whim) -> Result<DeleteAnswer, Failure> {
        match whim {
            Whim::Refuses => return Err(failed(Cause::Rejected, Some(400))),
            Whim::IsLost => return Err(failed(Cause::NoAnswer, None)),
            Whim::IsBusy => return Err(failed(Cause::ServiceFailed, Some(503))),
            Whim::Lies => return Ok(DeleteAnswer { http_status: 204, ids: None }),
            _ => {}
        }
        let ids = self.act(delete);
        match whim {
            Whim::ActsAndIsLost => Err(failed(Cause::NoAnswer, None)),
            Whim::SaysNothing => Ok(DeleteAnswer { http_status: 204, ids: None }),
            Whim::NamesAnother => {
                Ok(DeleteAnswer { http_status: 200, ids: Some(vec![Foreign::from("other")]) })
            }
            _ => Ok(DeleteAnswer { http_status: 200, ids: Some(ids) }),
        }
    }

    fn create(&mut self, event: &PhoneCallEvent, whim: Whim) -> Result<WriteAnswer, Failure> {
        match whim {
            Whim::Refuses => return Err(failed(Cause::Rejected, Some(400))),
            Whim::IsLost => return Err(failed(Cause::NoAnswer, None)),
            Whim::IsBusy => return Err(failed(Cause::ServiceFailed, Some(503))),
            _ => {}
        }
        let id = format!("id{}", self.next);
        self.next += 1;
        let mut made = event.clone();
        made.key.id = EventId::parse(&id).unwrap();
        self.events.push(made);
        match whim {
            Whim::ActsAndIsLost => Err(failed(Cause::NoAnswer, None)),
            Whim::SaysNothing => Ok(WriteAnswer { http_status: 204, id: None }),
            _ => Ok(WriteAnswer { http_status: 200, id: Some(Foreign::from(id)) }),
        }
    }
}

fn number(extension: u8) -> ExtensionNumber {
    ExtensionNumber::parse(&format!("0003*10{extension}")).unwrap()
}

fn failed(cause: Cause, http_status: Option<u16>) -> Failure {
    let code = Foreign::from("pce_\u{1b}");
    Failure { http_status, code, ..Failure::new(cause, "no \"\n\u{9b}") }
}

fn target() -> Target {
    Target::new("acme", "https://pbx.test", "/uapi", UserId::parse("@me").unwrap()).unwrap()
}

/// Carries the run out, or leaves it where it is after so many steps. True when it came to its end.
fn drive(run: &mut Run, file: &RunFile, service: &mut Service, script: &[(usize, Whim)]) -> bool {
    let mut script = script.iter().copied();
    let mut flying: Vec<Step> = Vec::new();
    let mut now = Duration::ZERO;
    loop {
        for step in run.hand_out(now) {
            if let Step::Send(call) = &step {
                let _ = file.sent(call).unwrap();
            }
            flying.push(step);
        }
        if run.state() == RunState::Finished {
            file.finish(&run.end()).unwrap();
            return true;
        }
        let Some((pick, whim)) = script.next() else { return false };
        match whim {
            Whim::Stop => run.stop(),
            Whim::Pause => run.pause(),
            Whim::Resume => run.resume(),
            _ if flying.is_empty() => run.resume(),
            _ => match flying.remove(pick % flying.len()) {
                Step::Send(call) => {
                    let planned = run.plan().events()[call.covers()].to_vec();
                    let answer = service.delete(call.delete(), whim);
                    let settled = judge(&planned, answer, Duration::ZERO, call.may_have_acted());
                    file.settled(&call, &settled).unwrap();
                    run.settle(call.id(), settled, now);
                }
                Step::List(extension) => {
                    let no = failed(Cause::NoAnswer, None);
                    let listing = service.listing(&extension);
                    let fails = matches!(whim, Whim::ListFails);
                    run.listed(&extension, if fails { Err(&no) } else { Ok(&listing) }, now);
                }
                Step::Wait(time) => now += time,
            },
        }
    }
}

/// Undoes what a run took until there is nothing to undo; the script is for the first attempt.
fn undo(runs: &Path, name: &str, service: &mut Service, script: &[(usize, Whim)]) {
    for whims in [script, &[], &[]] {
        let mut script = whims.iter().copied();
        let Ok(plan) = undo_plan(runs, name, &target()) else { return };
        let plan = Arc::new(plan);
        let file = RunFile::create_undo(runs, &plan).unwrap();
        let mut undo = Undo::new(Arc::clone(&plan), 2);
        let mut now = Duration::ZERO;
        let mut flying = undo.hand_out(now);
        while !flying.is_empty() {
            let (pick, whim) = script.next().unwrap_or((0, Whim::Works));
            match flying.remove(pick % flying.len()) {
                UndoStep::List(extension) => {
                    undo.listed(&extension, Ok(&service.listing(&extension)), now);
                }
                UndoStep::Create(place) => {
                    let _ = file.making(place).unwrap();
                    let answer = service.create(&plan.events()[place], whim);
                    let status = answer.as_ref().map_or_else(|no| no.http_status, |_| Some(200));
                    file.made(place, &Undo::outcome_of(answer.clone()), status).unwrap();
                    undo.settle(place, answer, now);
                }
                UndoStep::Wait(time) => now += time,
            }
            flying.extend(undo.hand_out(now));
        }
        file.finish(&undo.end()).unwrap();
        agrees(&Record::read(runs, file.name()).unwrap(), undo.outcomes(), &undo.end());
    }
    assert!(undo_plan(runs, name, &target()).is_err(), "an undo that never ends");
}

/// The file with one byte of one line behind its first changed.
fn damaged(bytes: &[u8], seed: usize) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> =
        bytes.trim_ascii_end().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = 1 + seed % (lines.len() - 1);
    let place = seed * 31 % lines[line].len();
    lines[line][place] ^= 2;
    [lines.join(&b'\n'), b"\n".to_vec()].concat()
}

/// The record says the same as the machine, event by event.
fn agrees(record: &Record, outcomes: &[Option<Outcome>], end: &RunEnd) {
    assert_eq!(record.events.len(), outcomes.len());
    for (planned, outcome) in record.events.iter().zip(outcomes) {
        let outcome = outcome.as_ref().unwrap();
        assert_eq!(planned.outcome.name(), outcome.name());
        // That an event was never handed out is told by the lack of lines.
        if !matches!(outcome, Outcome::NotSent(_)) {
            assert_eq!(Said::of(&planned.outcome), Said::of(outcome));
        }
    }
    assert_eq!(Tally::over(record.events.iter().map(|planned| &planned.outcome)), end.tally);
    assert_eq!((&record.surplus, record.verified), (&end.surplus, end.verified));
    assert!(record.finished.is_some());
}

/// Settles a run that broke off by listing, as going on with it does.
fn settle(runs: &Path, name: &str, service: &Service) {
    let record = Record::read(runs, name).unwrap();
    let mut outcomes: Vec<Outcome> =
        record.events.iter().map(|planned| planned.outcome.clone()).collect();
    let mut revised = Vec::new();
    for (place, planned) in record.events.iter().enumerate() {
        let key = &planned.event.key;
        let listing = service.listing(&key.extension);
        if let Some(mut better) = settled_by_listing(key, &planned.outcome, &listing) {
            if better == Outcome::AlreadyGone && record.may_have_swept(&key.extension) {
                better = Outcome::Deleted;
            }
            outcomes[place] = better.clone();
            revised.push((place, better));
        }
    }
    let tally = Tally::over(&outcomes);
    let listed = record.bystanders.iter().map(|event| event.key.extension.clone());
    let extensions: std::collections::BTreeSet<ExtensionNumber> = listed.collect();
    let mut surplus = Vec::new();
    for extension in extensions {
        let beside = record.bystanders.iter().filter(|event| event.key.extension == extension);
        surplus.extend(gone_beside(beside, &service.listing(&extension)));
    }
    let end = RunEnd { tally, revised, surplus, verified: true, stopped: None };
    RunFile::go_on(runs, &record, &end, Vec::new()).unwrap().finish(&end).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_run_file_says_the_same_as_the_screen_and_what_it_took_comes_back(
        rows in proptest::collection::vec((0u8..3, 0u8..3, 0u8..4), 1..14),
        unmarked in proptest::collection::vec(0usize..14, 0..4),
        form in prop_oneof![Just(CallForm::Event), Just(CallForm::Type), Just(CallForm::Extension)],
        concurrency in 1usize..5,
        type_wipes in any::<bool>(),
        script in whims(),
        way_back in whims(),
        breaks_off in any::<bool>(),
        cut in 0usize..400,
    ) {
        let mut service = Service::of(&rows, type_wipes);
        let before = service.bodies();
        let mut store = EventStore::default();
        for extension in 0..3 {
            let listing = service.listing(&number(extension));
            let marked: Vec<usize> =
                (0..listing.len()).filter(|row| !unmarked.contains(row)).collect();
            store.insert(listing);
            store.set_marks(&number(extension), marked, true);
        }
        let selection = Selection::of_marks(&store);
        prop_assume!(!selection.is_empty());
        let plan = Arc::new(Plan::freeze(target(), &selection, form, 1000).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path();
        let file = RunFile::create(runs, &plan).unwrap();
        let name = file.name().to_owned();
        let whole_plan = fs::metadata(path_of(runs, &name)).unwrap().len();
        let mut run = Run::new(plan, concurrency);
        let mut moves = script;
        if !breaks_off {
            moves.extend([(0, Whim::Resume); 4].into_iter().chain([(0, Whim::Works); 200]));
        }
        let ended = drive(&mut run, &file, &mut service, &moves);
        drop(file);
        if ended {
            agrees(&Record::read(runs, &name).unwrap(), run.outcomes(), &run.end());
            let bytes = fs::read(path_of(runs, &name)).unwrap();
            let damaged = damaged(&bytes, cut);
            fs::write(runs.join("damaged.jsonl"), damaged).unwrap();
            let told = Record::read(runs, "damaged").unwrap();
            prop_assert_eq!(told.planned(), run.outcomes().len());
            for planned in &told.events {
                let was = run.outcomes()[planned.place].as_ref().unwrap();
                let went = matches!(was, Outcome::Deleted | Outcome::Unknown(_));
                let may_have_gone = matches!(planned.outcome, Outcome::Deleted | Outcome::Unknown(_));
                prop_assert!(!went || may_have_gone, "{:?}, was {:?}", planned, was);
            }
            fs::remove_file(runs.join("damaged.jsonl")).unwrap();
        } else {
            // Killed, and its last line perhaps torn: of a request that it stands for, nothing went
            // out or no answer is known.
            let path = path_of(runs, &name);
            let text = fs::read(&path).unwrap();
            let last = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
            let keep = (text.len() - cut.min(text.len() - last)).max(usize::try_from(whole_plan).unwrap());
            fs::write(&path, &text[..keep]).unwrap();
            let record = Record::read(runs, &name).unwrap();
            prop_assert_eq!(record.events.len(), run.outcomes().len());
            let revised: Vec<usize> =
                run.end().revised.into_iter().map(|(event, _)| event).collect();
            let both = record.events.iter().zip(run.outcomes()).enumerate();
            for (_, (planned, outcome)) in both.filter(|(event, _)| !revised.contains(event)) {
                // What the file does not tell is open in it, and never told otherwise; what a
                // listing showed is written down at the end, and listed again where that is missing.
                let same = outcome.as_ref().is_some_and(|it| it.name() == planned.outcome.name());
                let open = matches!(planned.outcome, Outcome::NotSent(_) | Outcome::Unknown(_));
                prop_assert!(same || open || outcome.is_none(), "{:?} {:?}", planned, outcome);
            }
            settle(runs, &name, &service);
        }
        undo(runs, &name, &mut service, &way_back);
        // What a type call took beside its type is seen only by a listing after the run.
        if !type_wipes || form != CallForm::Type || run.is_verified() || !ended {
            prop_assert_eq!(service.bodies(), before);
        }
    }
}
