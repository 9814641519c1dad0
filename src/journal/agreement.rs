//! The run file says the same as the run, whatever the service answers and wherever it breaks off;
//! and what the file says was taken comes back, whole.

use std::sync::Arc;

use proptest::prelude::*;

use super::line::Said;
use super::*;
use crate::change::trial::{self, Noted, Service, Whim, number, to_the_end, whims};
use crate::change::{Act, Check, Choice, Machine, Plan, RunEnd, Selection, Tally, Wish};
use crate::domain::{CallForm, EventStore, Outcome, PhoneCallEvent, Status, Target, UserId};

pub(super) fn target() -> Target {
    Target::new("acme", "https://pbx.test", "/uapi", UserId::parse("@me").unwrap()).unwrap()
}

/// Carries a run out as a run file has it, or leaves it where the script ends.
pub(super) fn drive(
    machine: &mut Machine,
    most: usize,
    file: &RunFile,
    service: &mut Service,
    script: &[(usize, Whim)],
) -> bool {
    trial::drive(machine, most, service, script, |noted| match noted {
        Noted::Out(Act::Send(call)) => drop(file.sent(call).unwrap()),
        Noted::Out(Act::Close(end)) => file.finish(end).unwrap(),
        Noted::Out(Act::Open(_) | Act::List(_) | Act::Wait(_)) => {}
        Noted::Back(call, settled) => file.settled(call, settled).unwrap(),
    })
}

/// Undoes what a run took until there is nothing to undo; the script is for the first attempt.
fn undo(runs: &Path, name: &str, service: &mut Service, script: &[(usize, Whim)]) {
    let plan = |service: &Service| {
        let way = way_back(runs, &Place::new(runs, name), std::time::Duration::ZERO).unwrap();
        let store = service.store();
        way.loss.way_back(target(), |number| store.listing(number), true).plan
    };
    for whims in [script, &[], &[]] {
        let Ok(plan) = plan(service) else { return };
        let plan = Arc::new(plan);
        let file = undo_file(runs, &plan);
        let mut machine = Machine::new(Arc::clone(&plan), 2);
        assert!(drive(&mut machine, 2, &file, service, &to_the_end(whims)));
        let record = Record::read(runs, file.name()).unwrap();
        if plan.goes_on().is_none() {
            agrees(&record, machine.outcomes(), &machine.end());
        }
    }
    assert!(plan(service).is_err(), "an undo that never ends");
    let undos = names(runs).unwrap().len() - 1;
    assert!(undos <= 1, "{undos} files of one undo");
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
    assert_eq!((&record.surplus, record.check), (&end.surplus, end.check));
    assert!(record.finished.is_some());
}

/// Goes on with a run that broke off, sends what is left, and says how it ended.
fn go_on(runs: &Path, name: &str, service: &mut Service, chosen: usize) {
    let record = Record::read(runs, name).unwrap();
    let rest = Arc::new(record.rest(runs).unwrap());
    let mut store = EventStore::default();
    for extension in 0..3 {
        let _replaced = store.insert_whole(service.listing(&number(extension)));
    }
    let choice = Choice::of_rest(&rest, &store).selection(&store);
    let plan = Plan::go_on(target(), &rest, &choice, chosen.max(choice.len())).unwrap();
    let file = RunFile::go_on(&record, None, Vec::new()).unwrap();
    let mut machine = Machine::new(Arc::new(plan), 2);
    assert!(drive(&mut machine, 2, &file, service, &to_the_end(&[])));
    drop(file);
    let record = Record::read(runs, name).unwrap();
    agrees(&record, machine.outcomes(), &machine.end());
    assert!(matches!(record.check, Check::Agrees | Check::Differs), "{:?}", record.check);
    // What is left was called deleted and is there, or was refused and is gone.
    for planned in record.events.iter().filter(|planned| planned.outcome.is_open()) {
        let said = planned.outcome.failure().unwrap().to_string();
        let lied = [
            "the service reported it deleted; it is still listed",
            "refused, yet gone",
            "the service reported it changed; it is listed as it was",
            "refused, yet changed",
        ];
        assert!(lied.iter().any(|lie| said.ends_with(lie)), "{said}");
    }
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
        script in whims(false),
        way_back in whims(false),
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
        let mut run = Machine::new(plan, concurrency);
        let script = if breaks_off { script } else { to_the_end(&script) };
        let ended = drive(&mut run, concurrency, &file, &mut service, &script);
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
                let went = was.may_have_taken();
                let may_have_gone = planned.outcome.may_have_taken();
                prop_assert!(!went || may_have_gone, "{:?}, was {:?}", planned, was);
            }
            fs::remove_file(runs.join("damaged.jsonl")).unwrap();
        } else {
            // Killed, and its last line perhaps torn: of a request that it stands for, nothing went
            // out or no answer is known.
            tear(&path_of(runs, &name), whole_plan, cut);
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
            go_on(runs, &name, &mut service, cut);
        }
        undo(runs, &name, &mut service, &way_back);
        // What a type call took beside its type is seen only by a listing after the run.
        if !type_wipes || form != CallForm::Type || (run.check() == Check::Agrees) || !ended {
            prop_assert_eq!(service.bodies(), before);
        }
    }
}

/// Ends a file that was killed in the middle of a run at this many bytes before its end, within its
/// last line.
fn tear(path: &Path, whole_plan: u64, cut: usize) {
    let text = fs::read(path).unwrap();
    let last = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let keep = text.len() - cut.min(text.len() - last);
    fs::write(path, &text[..keep.max(usize::try_from(whole_plan).unwrap())]).unwrap();
}

/// A change and the attempts to undo it.
#[derive(Debug, Default)]
struct Changing {
    rows: Vec<(u8, u8, u8)>,
    unmarked: Vec<usize>,
    concurrency: usize,
    renames: bool,
    script: Vec<(usize, Whim)>,
    /// How the first attempts to undo it go.
    back: [Vec<(usize, Whim)>; 2],
    /// The run is killed where the script ends, and the end of its file torn.
    cut: Option<usize>,
}

fn is_so_and_comes_back(case: &Changing) -> Result<(), TestCaseError> {
    let mut service = Service::of(&case.rows, false);
    service.renames = case.renames;
    let before = service.bodies();
    let mut store = service.store();
    for extension in 0..3 {
        let marked = (0..14).filter(|row| !case.unmarked.contains(row));
        store.set_marks(&number(extension), marked, true);
    }
    let selection = Selection::of_marks(&store);
    prop_assume!(!selection.is_empty());
    let plan = Arc::new(Wish::DISABLE.plan(target(), &selection, 1000).plan.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let file = RunFile::create(runs, &plan).unwrap();
    let (name, path) = (file.name().to_owned(), path_of(runs, file.name()));
    let whole_plan = fs::metadata(&path).unwrap().len();
    let mut run = Machine::new(plan, case.concurrency);
    let script = if case.cut.is_some() { case.script.clone() } else { to_the_end(&case.script) };
    let ended = drive(&mut run, case.concurrency, &file, &mut service, &script);
    drop(file);
    if ended {
        let record = Record::read(runs, &name).unwrap();
        agrees(&record, run.outcomes(), &run.end());
        for planned in record.events.iter().filter(|_| record.check == Check::Agrees) {
            let key = planned.new_key().unwrap_or_else(|| planned.event.key.clone());
            let is_off = |it: &&PhoneCallEvent| it.key == key && it.status == Status::Disabled;
            let is_done = service.events.iter().find(is_off).is_some();
            let word = planned.outcome.name();
            prop_assert_eq!(is_done, word == "changed", "{} {:?}", word, planned);
        }
    } else {
        let cut = case.cut.unwrap_or_default();
        tear(&path, whole_plan, cut);
        go_on(runs, &name, &mut service, cut);
    }
    let [first, second] = &case.back;
    for whims in [&first[..], &second[..], &[], &[]] {
        undo_once(runs, &name, &mut service, whims);
    }
    prop_assert!(!undo_once(runs, &name, &mut service, &[]), "an undo that never ends");
    prop_assert_eq!(service.bodies(), before);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn what_the_file_of_a_change_says_is_so_and_undone_everything_has_its_old_values(
        rows in proptest::collection::vec((0u8..3, 0u8..3, 0u8..4), 1..14),
        unmarked in proptest::collection::vec(0usize..14, 0..4),
        concurrency in 1usize..5,
        renames in any::<bool>(),
        script in whims(false),
        back in [whims(false), whims(false)],
        cut in proptest::option::of(0usize..400),
    ) {
        is_so_and_comes_back(&Changing {
            rows, unmarked, concurrency, renames, script, back, cut,
        })?;
    }
}

/// This many times the same.
fn times(many: usize, whim: Whim) -> Vec<(usize, Whim)> {
    vec![(0, whim); many]
}

#[test]
fn what_a_list_of_one_extension_said_of_an_undo_vouches_for_no_other() {
    // The lists of an undo of which some writes are lies are asked for until somebody stops it.
    for checked in 0..24 {
        let lies = [times(1, Whim::Works), times(12, Whim::Lies)].concat();
        let first = [lies, times(checked, Whim::Works), times(2, Whim::Stop)].concat();
        let rows = vec![(0, 0, 0), (0, 0, 0), (1, 0, 0), (2, 0, 0), (2, 0, 0)];
        let back = [first, Vec::new()];
        is_so_and_comes_back(&Changing { rows, concurrency: 1, back, ..Changing::default() })
            .unwrap();
    }
}

#[test]
fn an_undo_that_is_gone_on_with_and_stopped_before_it_sends_calls_nothing_back_that_was_not_seen() {
    for checked in 0..24 {
        let lies = [times(1, Whim::Works), times(12, Whim::Lies)].concat();
        let first = [lies, times(checked, Whim::Works), times(2, Whim::Stop)].concat();
        let rows = vec![(0, 0, 0), (0, 0, 0), (1, 0, 0), (2, 0, 0), (2, 0, 0)];
        let back = [first, times(1, Whim::Stop)];
        is_so_and_comes_back(&Changing { rows, concurrency: 1, back, ..Changing::default() })
            .unwrap();
    }
}

/// What several operators do on one PBX.
#[derive(Debug, Clone)]
enum Deed {
    /// One reviews the deletion of what these rows are.
    Reviews(Vec<usize>),
    /// One says yes to what was reviewed, at whatever time.
    Deletes(usize, Vec<(usize, Whim)>),
    /// One undoes a run.
    Undoes(usize, Vec<(usize, Whim)>),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        proptest::collection::vec(0usize..12, 1..6).prop_map(Deed::Reviews),
        (0usize..4, whims(false)).prop_map(|(which, whims)| Deed::Deletes(which, whims)),
        (0usize..4, whims(false)).prop_map(|(which, whims)| Deed::Undoes(which, whims)),
    ];
    proptest::collection::vec(deed, 1..12)
}

pub(super) fn reviewed(service: &Service, rows: &[usize]) -> Option<Plan> {
    Plan::freeze(target(), &chosen(service, rows)?, CallForm::Event, 1000).ok()
}

/// These rows of those extensions that they are of.
pub(super) fn chosen(service: &Service, rows: &[usize]) -> Option<Selection> {
    let mut store = service.store();
    for extension in 0..3 {
        let marked: Vec<usize> = rows.iter().map(|row| row / 3).collect();
        let here = rows.iter().any(|row| row % 3 == usize::from(extension));
        store.set_marks(&number(extension), if here { marked } else { Vec::new() }, true);
    }
    Some(Selection::of_marks(&store)).filter(|selection| !selection.is_empty())
}

/// The file of an undo: one of its own, or that of the undo that it goes on with.
pub(super) fn undo_file(runs: &Path, plan: &Plan) -> RunFile {
    match plan.goes_on() {
        Some(undo) => {
            let record = Record::read(runs, undo).unwrap();
            let places = record.places_of(plan.events());
            RunFile::go_on(&record, Some(&record.found(plan.there(), Some(plan))), places).unwrap()
        }
        None => RunFile::create(runs, plan).unwrap(),
    }
}

/// One attempt to undo a run; false where there is nothing to undo.
fn undo_once(runs: &Path, name: &str, service: &mut Service, script: &[(usize, Whim)]) -> bool {
    let way = way_back(runs, &Place::new(runs, name), std::time::Duration::ZERO).unwrap();
    let store = service.store();
    let found = way.loss.way_back(target(), |number| store.listing(number), true);
    let Ok(plan) = found.plan.map(Arc::new) else { return false };
    let file = undo_file(runs, &plan);
    drive(&mut Machine::new(plan, 2), 2, &file, service, &to_the_end(script))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whoever_deletes_and_undoes_what_and_when_all_undone_everything_is_there_once(
        rows in proptest::collection::vec((0u8..3, 0u8..2, 0u8..2), 2..12),
        deeds in deeds(),
        backwards in any::<bool>(),
    ) {
        let mut service = Service::of(&rows, false);
        let before = service.bodies();
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path();
        let (mut plans, mut done) = (Vec::new(), Vec::new());
        for deed in deeds {
            match deed {
                Deed::Reviews(rows) => plans.extend(reviewed(&service, &rows).map(Arc::new)),
                Deed::Deletes(which, _) if which >= plans.len() => {}
                Deed::Deletes(which, script) => {
                    let plan = plans.swap_remove(which);
                    let file = RunFile::create(runs, &plan).unwrap();
                    done.push(file.name().to_owned());
                    drive(&mut Machine::new(plan, 2), 2, &file, &mut service, &to_the_end(&script));
                }
                Deed::Undoes(which, script) => {
                    if let Some(run) = done.get(which) {
                        undo_once(runs, run, &mut service, &script);
                    }
                }
            }
            prop_assert!(service.bodies().len() <= before.len());
        }
        if backwards {
            done.reverse();
        }
        for run in &done {
            let undone = (0..4).any(|_| !undo_once(runs, run, &mut service, &[]));
            prop_assert!(undone, "an undo that never ends");
        }
        prop_assert_eq!(service.bodies(), before);
    }
}
