//! Runs without the screen: the same machine, its acts carried out by the same `carry`.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use super::arguments::{Consent, RunFormat};
use super::ending::{Ending, remark};
use super::progress::Progress;
use super::question::confirmed;
use super::runs::{self, Told};
use super::signals;
use super::{Opened, counted};
use crate::change::{Deed, Done, Inexact, Machine, Plan, RunState, SILENT, Tally};
use crate::config::Profile;
use crate::domain::{Call, Cause, EventKey, Failure, Mask, Outcome, PhoneCallEvent, Stop, Word};
use crate::journal::{self, Kind, Record, RecordedCall};
use crate::runtime::{self, Ports, carry};

/// From this many events on the number has to be typed, as on the screen.
const TYPED_ABOVE: usize = 10;
/// Once a signal asks for the end, what is in flight has so long to come back.
const LAST_WAIT: Duration = Duration::from_millis(800);
/// What is said where there is no terminal.
const NOBODY: &str =
    "not a terminal, so nobody can confirm: pass --yes, or --dry-run to see what would be sent";
/// The number of the signal that tells that the terminal is gone.
const HANG_UP: u8 = 1;

/// How it ends already where nothing is to be sent: it is only shown, or must not or shall not be.
/// `must_type` where the number of events has to be typed, however few there are.
///
/// # Errors
/// When the terminal cannot be asked.
pub(super) fn held_back(
    plan: &Plan,
    profile: &Profile,
    consent: &Consent,
    must_type: bool,
) -> Result<Option<Ending>> {
    tell_inexact(plan);
    tell_held(plan);
    plan.may_be_one().iter().for_each(|what| remark(what));
    Ok(if consent.dry_run {
        Some(Ending::Done.written(print_plan(plan, consent.format)))
    } else if profile.rules.read_only {
        let done = plan.deed().done();
        let why = format!("this profile is read-only: nothing is {done} (read_only, --read-only)");
        Some(unsent(plan, Ending::Refused, &why, consent.format))
    } else if !consent.yes && plan.due().next().is_none() {
        let why = format!("nothing was sent: no event can be {}", plan.deed().done());
        Some(unsent(plan, Ending::Refused, &why, consent.format))
    } else if !consent.yes && !is_confirmed(plan, must_type)? {
        let why = match plan.undoes() {
            Some(_) => "undo cancelled; nothing was re-created",
            None => "cancelled: nothing was sent",
        };
        Some(unsent(plan, Ending::Refused, why, consent.format))
    } else {
        None
    })
}

/// Names what an undo could not make just as it was.
fn tell_inexact(plan: &Plan) {
    let Inexact { count, first } = Inexact::of(plan, usize::MAX);
    if count > 0 {
        let events = counted(count, "event");
        remark(&format!("{events} cannot be given back exactly:"));
    }
    for (event, why) in first.iter().filter_map(|(at, why)| Some((plan.events().get(*at)?, why))) {
        let EventKey { extension, event_type, id } = &event.key;
        remark(&format!("  {extension} {event_type} {id}: {why}"));
    }
}

/// Names what is not sent, as what becomes of it is known already.
fn tell_held(plan: &Plan) {
    let events = plan.events().iter().enumerate();
    let held: Vec<_> =
        events.filter_map(|(at, event)| Some((event, plan.held(at)?.failure()?))).collect();
    if !held.is_empty() {
        let (events, done) = (counted(held.len(), "event"), plan.deed().done());
        remark(&format!("{events} cannot be {done}:"));
    }
    for (PhoneCallEvent { key: EventKey { extension, event_type, id }, .. }, why) in held {
        remark(&format!("  {extension} {event_type} {id}: {why}"));
    }
}

/// Does what a plan says and prints what came of it. `listed` is before the listings that the plan rests on.
///
/// # Errors
/// When no client can be made, or the network runtime cannot start.
pub(super) fn send(
    plan: Plan,
    opened: &Opened,
    folder: &Path,
    format: RunFormat,
    listed: Instant,
) -> Result<Ending> {
    let client = opened.client()?;
    let ports = Ports::new(client, Vec::new(), Vec::new(), folder.to_owned());
    let ports = if opened.simulator.is_some() { ports.of_own_pbx() } else { ports };
    let places = places_in_begun(folder, &plan);
    let machine = Machine::new(Arc::new(plan), opened.profile.rules.concurrency);
    // In a task: what wakes the future of `block_on` itself is a call of the system each time.
    let hands = opened.hands()?;
    let driven = hands.block_on(hands.spawn(drive(machine, Arc::new(ports), listed)));
    let (machine, closed) = driven?;
    match closed {
        Ok(closed) => {
            let ending = report(&machine, folder, &closed, places.as_deref(), format)?;
            Ok(closed.signal.map_or(ending, Ending::Signalled))
        }
        Err(failure) => {
            let locked = failure.cause == Cause::Locked;
            let ending = if locked { Ending::Refused } else { Ending::Failed };
            let why = format!("nothing was sent: {failure}");
            Ok(unsent(machine.plan(), ending, &why, format))
        }
    }
}

/// Where the events of an undo that is gone on with stand in its file.
fn places_in_begun(folder: &Path, plan: &Plan) -> Option<Vec<usize>> {
    let record = Record::read(folder, plan.goes_on()?).ok()?;
    Some(record.places_of(plan.events()))
}

/// Says why nothing of a plan was sent, and prints it for programs.
fn unsent(plan: &Plan, ending: Ending, why: &str, format: RunFormat) -> Ending {
    let ending = ending.because(why);
    let outcome = Outcome::NotSent(Failure::new(Cause::Withheld, why).into());
    ending.written(runs::print(format, Told::unsent(plan, &outcome, why), |_| Ok(())))
}

fn print_plan(plan: &Plan, format: RunFormat) -> io::Result<()> {
    let events = counted(plan.due_events(), "event");
    runs::print(format, Told::of_plan(plan), |out| {
        for (at, planned) in RecordedCall::of(plan).enumerate().filter(|(at, _)| plan.is_due(*at)) {
            let what = match plan.call(at) {
                Some(Call::Create(event)) => format!("{} {}", event.key.event_type, event.url),
                Some(Call::Delete(delete)) if delete.is_wide() => {
                    format!("wide: all events there, {} now", counted(planned.covers, "event"))
                }
                Some(Call::Update(key, change)) => match plan.covered(at).first() {
                    Some(event) => {
                        format!("{} {}", key.event_type, change.words(event, &Mask::off()))
                    }
                    None => key.event_type.to_string(),
                },
                Some(Call::Delete(_)) | None => counted(planned.covers, "event"),
            };
            writeln!(out, "{} {}  ({what})", planned.method, planned.path)?;
        }
        let (hash, done) = (plan.hash().short(), plan.deed().done());
        writeln!(out, "dry run, plan {hash}: {events} would be {done}, nothing was sent")
    })
}

fn is_confirmed(plan: &Plan, must_type: bool) -> Result<bool> {
    let (count, host) = (plan.due_events(), plan.target().host());
    let (deed, events) = (plan.deed(), counted(count, "event"));
    let old = if deed == Deed::WriteBack { " the old values of" } else { "" };
    let verb = format!("{}{old}", deed.verb());
    if plan.changes() && io::stdin().is_terminal() {
        tell_changes(plan);
    }
    if let Some(run) = plan.undoes() {
        let typed = must_type.then_some(count);
        return confirmed(&format!("{verb} {events} of run {run} on {host}"), typed, NOBODY);
    }
    let typed = (count > TYPED_ABOVE || must_type).then_some(count);
    let wide = match plan.wide_calls() {
        0 => String::new(),
        wide => format!(" with {}, {wide} wide", counted(plan.calls(), "call")),
    };
    confirmed(&format!("{verb} {events} on {host}{wide}"), typed, NOBODY)
}

/// What becomes of each event, old value and new one.
fn tell_changes(plan: &Plan) {
    for (event, call) in plan.due().filter_map(|at| plan.covered(at).first().zip(plan.call(at))) {
        let EventKey { extension, event_type, id } = &event.key;
        if let Call::Update(_, change) = call {
            let words = change.words(event, &Mask::off());
            remark(&format!("  {extension} {event_type} {id}: {words}"));
        }
    }
}

/// What comes in while a machine is carried out.
enum Came {
    Done(Done),
    /// A signal of this number asks for the end, and more of them may come.
    Signal(u8, Signal),
    /// The time for calls in flight is over.
    TooLate,
}

/// How it came to an end.
struct Closed {
    /// The number of the signal that ended it.
    signal: Option<u8>,
    /// Every line of the run file could be written.
    in_order: bool,
}

/// Carries out a machine to its end.
async fn drive(
    mut machine: Machine,
    ports: Arc<Ports>,
    clock: Instant,
) -> (Machine, Result<Closed, Failure>) {
    let closed = carry_out(&mut machine, ports, clock).await;
    (machine, closed)
}

/// Nothing here decides. Time is since `clock`.
async fn carry_out(
    machine: &mut Machine,
    ports: Arc<Ports>,
    clock: Instant,
) -> Result<Closed, Failure> {
    let mut progress = Progress::of(machine.outcomes().len(), "events");
    let (mut signal, mut in_order, mut performing) = (None, true, 0);
    let speed = runtime::speed();
    let mut coming = JoinSet::new();
    listen(&mut coming);
    loop {
        if signal.is_some() {
            machine.stop_for(Stop::by_signal());
        }
        // Without a screen there is no answer to the pause: the run stops.
        if machine.state() == RunState::Paused {
            machine.stop_for(Stop::by_surplus());
        }
        for act in machine.hand_out(clock.elapsed() * speed) {
            let ports = Arc::clone(&ports);
            performing += 1;
            coming.spawn(async move { Came::Done(carry(act, &ports).await) });
        }
        for sentence in machine.take_remarks() {
            progress.clear();
            remark(&sentence);
        }
        progress.reach(machine.tally().settled());
        // A time that is still to pass is nothing to wait for, nor is what panicked and stays
        // unknown: without its last line the next start says so, and how to go on.
        if machine.state() == RunState::Finished || performing == 0 {
            return Ok(Closed { signal, in_order });
        }
        match coming.join_next().await {
            Some(Ok(Came::Done(done))) => {
                performing -= 1;
                match &done {
                    Done::Opened(Err(failure)) => return Err(failure.clone()),
                    Done::Closed(Err(failure)) => {
                        in_order = false;
                        progress.clear();
                        remark(&format!(
                            "the run file could not be closed in order: {failure}; make room, and \
                             the next start says how to go on"
                        ));
                    }
                    Done::Opened(Ok(_))
                    | Done::Settled { .. }
                    | Done::Listed { .. }
                    | Done::Waited
                    | Done::Closed(Ok(())) => {}
                }
                machine.take(done, clock.elapsed() * speed);
            }
            Some(Ok(Came::Signal(number, more))) => {
                // Of a terminal that goes away both the system and the shell tell.
                if signal.is_some() && number != HANG_UP {
                    return Ok(Closed { signal, in_order });
                }
                await_signal(&mut coming, number, more);
                if signal.replace(signal.unwrap_or(number)).is_none() {
                    coming.spawn(async {
                        tokio::time::sleep(LAST_WAIT).await;
                        Came::TooLate
                    });
                }
            }
            Some(Ok(Came::TooLate)) | None => return Ok(Closed { signal, in_order }),
            // The panic hook has reported it already.
            Some(Err(_)) => performing -= 1,
        }
    }
}

/// Lets signals that ask for the end come in, but a hang-up that `nohup` has it outlive. Where the
/// system has no room for that, they end the program as they would without it.
fn listen(coming: &mut JoinSet<Came>) {
    signals::leave_to_run();
    let ending = [
        (SignalKind::interrupt(), 2),
        (SignalKind::quit(), 3),
        (SignalKind::terminate(), 15),
        (SignalKind::hangup(), HANG_UP),
    ];
    for (kind, number) in ending {
        if number == HANG_UP && signals::is_ignored(i32::from(HANG_UP)) {
            continue;
        }
        if let Ok(signals) = signal(kind) {
            await_signal(coming, number, signals);
        }
    }
}

fn await_signal(coming: &mut JoinSet<Came>, number: u8, mut signals: Signal) {
    coming.spawn(async move {
        signals.recv().await;
        Came::Signal(number, signals)
    });
}

/// Now, to count from.
#[expect(clippy::disallowed_methods, reason = "the front is where time comes in")]
pub(super) fn clock() -> Instant {
    Instant::now()
}

/// Prints a run that is over, and of one that is not, or that was gone on with, what its file tells.
fn report(
    machine: &Machine,
    folder: &Path,
    closed: &Closed,
    places: Option<&[usize]>,
    format: RunFormat,
) -> Result<Ending> {
    if let Some(stop) = machine.stopped() {
        let when = stop.not_before().map(|time| format!("resumable after {time}: "));
        remark(&format!("STOPPED: {}{}", when.unwrap_or_default(), stop.message));
    }
    if machine.state() == RunState::Opening {
        return Ok(unsent(machine.plan(), Ending::Refused, "nothing was sent", format));
    }
    if !machine.is_going_on() && places.is_none() {
        return Ok(tell(&Told::of_machine(machine), &run_of(machine, folder), format));
    }
    let rest = machine.plan().rest().map(|rest| rest.folder.as_path());
    let mut record = runs::read(rest.unwrap_or(folder), machine.name())?;
    if let Some(places) = places.filter(|_| !closed.in_order) {
        supply(&mut record, machine, places);
    }
    Ok(tell(&Told::of_record(&record), &run_of(machine, folder), format))
}

/// How the run is called that is undone or gone on with from here: outside the folder of run files
/// by its path.
fn run_of(machine: &Machine, folder: &Path) -> String {
    let plan = machine.plan();
    let name = plan.undoes().unwrap_or(machine.name());
    match plan.folder().filter(|home| *home != folder) {
        Some(home) => journal::path_of(home, name).display().to_string(),
        None => name.to_owned(),
    }
}

/// What a full disk kept out of the file of a run that was gone on with is known here.
fn supply(record: &mut Record, machine: &Machine, places: &[usize]) {
    let end = machine.end();
    (record.surplus, record.check, record.stopped) = (end.surplus, end.check, end.stopped);
    record.unlisted = machine.unlisted().to_vec();
    record.surplus_known &= machine.is_surplus_known();
    for (place, outcome) in places.iter().zip(machine.outcomes()) {
        if let (Some(planned), Some(outcome)) = (record.events.get_mut(*place), outcome) {
            planned.outcome.clone_from(outcome);
        }
    }
}

fn tell(told: &Told<'_>, run: &str, format: RunFormat) -> Ending {
    let written = runs::print(format, told, |out| told.rows(&Mask::off(), out));
    let (name, tally, lost) = (told.run.unwrap_or_default(), &told.tally, told.surplus.len());
    let command = if told.kind == Kind::Undo { "undo" } else { "resume" };
    let way_on = (tally.left() > 0)
        .then(|| format!("; callsweep {command} {run} goes on with {}", tally.left()));
    let (check, way_on) = (told.check.words(), way_on.unwrap_or_default());
    let words = tally.words(told.kind);
    remark(&format!("run {name}: {words}; {check}{way_on}"));
    if lost > 0 {
        let back = told.surplus.iter().filter(|one| !one["type"].is_null()).count();
        let events = counted(lost, "event");
        let undo = match back {
            0 => "nothing is known of them but their ids".to_owned(),
            back => format!("callsweep undo {run} brings back {back}"),
        };
        remark(&format!("{events} GONE, NOT IN THE PLAN: {undo}"));
    }
    if !told.surplus_known {
        remark(SILENT);
    }
    let as_planned = lost == 0 && told.surplus_known && told.stopped_by.is_none();
    ending(tally, as_planned && told.check.is_good()).written(written)
}

/// All done, a part of it, or nothing; what went beside the plan, or could not be checked, leaves it
/// a part at best.
fn ending(tally: &Tally, is_sure: bool) -> Ending {
    match tally.done() {
        0 => Ending::Failed,
        all if all == tally.settled() && tally.of(Word::Altered) == 0 && is_sure => Ending::Done,
        _ => Ending::InPart,
    }
}
