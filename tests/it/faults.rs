//! Everything that can go wrong, at every point of a run and in every call form: each cell of the
//! matrix goes over real HTTP, and the simulator's world says what is true.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callsweep::change::{Check, RunState};
use callsweep::domain::{Outcome, WideCalls, Word};
use callsweep::simulator::{Blocker, Event, Fault, Simulator, TypeDelete, World};
use serde::Deserialize;

use crate::desk::{Desk, Setting};

const EXTENSION: &str = "0003*210";
/// Long enough for an answer on loopback, short enough for the many that never come.
const PATIENCE: Duration = Duration::from_millis(250);

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
}

/// One fault, and what is known of it beforehand.
#[derive(Deserialize)]
struct Row {
    name: String,
    once: String,
    stops: bool,
    #[serde(default)]
    lies: bool,
    fault: Fault,
}

/// Which requests meet the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    Delete(u32),
    EveryDelete,
    EveryDeleteFrom(u32),
    /// Counted from the `y`: the first guards a wide call or verifies.
    Listing(u32),
    EveryListing,
    Everything,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Event,
    Extension,
    Type,
    TypeThatWipes,
}

use Point::{Delete, EveryDelete, EveryDeleteFrom, EveryListing, Everything, Listing};

const POINTS: [Point; 9] = [
    Delete(1),
    Delete(2),
    Delete(3),
    EveryDelete,
    EveryDeleteFrom(2),
    Listing(1),
    Listing(2),
    EveryListing,
    Everything,
];
const FORMS: [Form; 4] = [Form::Event, Form::Extension, Form::Type, Form::TypeThatWipes];

fn rows() -> Vec<Row> {
    toml::from_str::<Table>(include_str!("faults.toml")).unwrap().row
}

impl Point {
    fn meets(self, fault: &Fault) -> Vec<Fault> {
        let of = |method: Option<&str>, nth| Fault {
            method: method.map(ToOwned::to_owned),
            path: Some("phoneCallEvents".to_owned()),
            nth,
            ..fault.clone()
        };
        match self {
            Delete(nth) => vec![of(Some("DELETE"), Some(nth))],
            EveryDelete => vec![of(Some("DELETE"), None)],
            EveryDeleteFrom(first) => {
                (first..first + 40).map(|nth| of(Some("DELETE"), Some(nth))).collect()
            }
            Listing(nth) => vec![of(Some("GET"), Some(nth))],
            EveryListing => vec![of(Some("GET"), None)],
            Everything => vec![of(None, None)],
        }
    }
}

/// A desk whose review is open and read.
fn reviewed(form: Form, patience: Duration) -> Desk {
    let (wide_calls, keys) = match form {
        Form::Event => (WideCalls { extension: false, event_type: false }, "space d"),
        Form::Extension => (WideCalls { extension: true, event_type: false }, "space d t"),
        Form::Type | Form::TypeThatWipes => {
            (WideCalls { extension: false, event_type: true }, "enter space d t")
        }
    };
    let setting = Setting { wide_calls, patience, speed: 2000, ..Setting::default() };
    let mut desk = Desk::with("the-page", setting);
    desk.simulator.with_world(|world| {
        // More of one type beside those of the page, so that a type call covers some and a run of
        // event calls can fail five times in a row.
        let extension = world.extension_mut(EXTENSION).unwrap();
        let first = extension.events[0].clone();
        let twins = (0..5).map(|twin| Event { id: format!("twin{twin}"), ..first.clone() });
        extension.events.extend(twins);
        world.set_blocker(Some(Blocker::default()));
        if form == Form::TypeThatWipes {
            world.type_delete = TypeDelete::WipesExtension;
        }
    });
    desk.do_keys("R");
    desk.do_keys(keys);
    desk.simulator.with_world(World::forget_requests);
    desk
}

fn events(desk: &Desk) -> Vec<Event> {
    desk.simulator.with_world(|world| world.extension(EXTENSION).unwrap().events.clone())
}

/// What an undo is to bring back: everything but ids and times.
fn bodies(events: &[Event]) -> Vec<(u16, u16, String, String, u16)> {
    let mut bodies: Vec<_> = events
        .iter()
        .map(|e| (e.event_type, e.method, e.url.clone(), e.note.clone(), e.status))
        .collect();
    bodies.sort();
    bodies
}

/// Carries a cell out and says what is wrong with it.
fn wrong_with(row: &Row, point: Point, form: Form, patience: Duration) -> Option<String> {
    let mut desk = reviewed(form, patience);
    let before = events(&desk);
    desk.simulator.with_world(|world| {
        point.meets(&row.fault).into_iter().for_each(|fault| world.add_fault(fault));
    });
    desk.do_keys("y");
    // A type call that took other types holds the run.
    if desk.model.run()?.machine.state() == RunState::Paused {
        desk.do_keys("p");
    }
    let (blocked, requests) =
        desk.simulator.with_world(|world| (world.blocked(), world.requests().len()));
    if blocked {
        return Some("the blocker struck".to_owned());
    }
    if requests > 100 {
        return Some(format!("{requests} requests"));
    }
    let after = events(&desk);
    let run = &desk.model.run()?.machine;
    if run.state() != RunState::Finished {
        return Some(format!("the run is {:?}", run.state()));
    }
    let checked = matches!(run.check(), Check::Agrees | Check::Differs);
    let there = |id: &str| after.iter().any(|event| event.id == id);
    for (planned, outcome) in run.plan().events().iter().zip(run.outcomes()) {
        let (id, outcome) = (planned.key.id.as_str(), outcome.as_ref()?);
        // What was refused and is gone all the same stays unknown.
        let may_be_gone = outcome.is_gone() || matches!(outcome, Outcome::Unknown(_));
        if checked && may_be_gone == there(id) {
            return Some(format!("{id} is {} and there: {}", outcome.name(), there(id)));
        }
        if !checked && !there(id) && matches!(outcome, Outcome::NotSent(_)) {
            return Some(format!("{id} is not sent and gone"));
        }
        if there(id) && !outcome.is_gone() && !desk.marked().contains(&id.to_owned()) {
            return Some(format!("{id} is {} and lost its mark", outcome.name()));
        }
    }
    let planned: Vec<&str> = run.plan().events().iter().map(|e| e.key.id.as_str()).collect();
    for event in before.iter().filter(|e| !planned.contains(&e.id.as_str()) && !there(&e.id)) {
        let told = run.surplus().iter().any(|key| key.id.as_str() == event.id);
        if form != Form::TypeThatWipes || (checked && !told) {
            return Some(format!("{} went beside the plan and nobody says so", event.id));
        }
    }
    if form == Form::Event && point == Delete(1) {
        let name = run.outcomes().first()?.as_ref()?.name();
        if name != row.once {
            return Some(format!("it is {name} and should be {}", row.once));
        }
    }
    if form == Form::Event && point == EveryDelete && run.stopped_by().is_some() != row.stops {
        return Some(format!("stopped by {:?}", run.stopped_by()));
    }
    let names: Vec<&str> = run.outcomes().iter().flatten().map(Outcome::name).collect();
    if recorded(&desk) != names {
        return Some(format!("the screen says {names:?}, the run file {:?}", recorded(&desk)));
    }
    if form == Form::TypeThatWipes && !checked {
        return None; // What went beside the plan can be told by a listing alone.
    }
    desk.simulator.with_world(|world| {
        world.clear_faults();
        world.set_blocker(None);
    });
    desk.forget_failures();
    desk.do_keys("z y");
    let restored = events(&desk);
    (bodies(&restored) != bodies(&before)).then(|| format!("undone, there is {restored:#?}"))
}

/// The outcomes as the run file tells them.
fn recorded(desk: &Desk) -> Vec<&'static str> {
    let runs = desk.runs();
    let name = callsweep::journal::names(&runs).unwrap().remove(0);
    let record = callsweep::journal::Record::read(&runs, &name).unwrap();
    record.events.iter().map(|planned| planned.outcome.name()).collect()
}

#[test]
fn whatever_goes_wrong_wherever_every_event_ends_in_what_is_true_of_it_and_comes_back() {
    let rows = rows();
    let cells: Vec<(&Row, Point, Form)> = rows
        .iter()
        .flat_map(|row| POINTS.map(|point| (row, point)))
        .filter(|(row, point)| {
            !row.lies || matches!(point, Delete(_) | EveryDelete | EveryDeleteFrom(_))
        })
        .flat_map(|(row, point)| FORMS.map(|form| (row, point, form)))
        // A wide call is the only one: a later one there is not, or only of event calls.
        .filter(|(_, point, form)| {
            *form == Form::Event || !matches!(point, Delete(2..) | EveryDeleteFrom(_))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let wrong: Vec<String> = std::thread::scope(|threads| {
        let work = || {
            let cells = std::iter::from_fn(|| cells.get(next.fetch_add(1, Ordering::Relaxed)));
            cells
                .filter_map(|&(row, point, form)| {
                    wrong_with(row, point, form, PATIENCE)?;
                    // Where the machine is busy an answer may not have come in time.
                    let what = wrong_with(row, point, form, 20 * PATIENCE)?;
                    Some(format!("{}, {point:?}, {form:?}: {what}", row.name))
                })
                .collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..8).map(|_| threads.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} cells:\n{}", wrong.len(), cells.len(), wrong.join("\n"));
}

#[test]
fn a_service_that_is_gone_leaves_everything_marked_and_nothing_called_deleted() {
    for form in FORMS {
        let mut desk = reviewed(form, PATIENCE);
        let marked = desk.marked();
        let elsewhere = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        desk.simulator = Simulator::start(World::named("the-page").unwrap(), elsewhere).unwrap();
        desk.do_keys("y");
        let run = &desk.model.run().unwrap().machine;
        // What a connection that died under it carried nobody knows.
        let tally = run.tally();
        assert_eq!(tally.of(Word::NotSent) + tally.of(Word::Unknown), marked.len(), "{form:?}");
        assert!(tally.of(Word::Unknown) <= 1, "{form:?}");
        assert!(run.stopped_by().is_some(), "{form:?}");
        assert_eq!(desk.marked(), marked);
    }
}
