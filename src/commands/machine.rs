//! Runs without the screen: the same machines, carried out by the same `perform`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::Result;
use tokio::task::JoinSet;

use super::ending::{Ending, remark};
use super::hands;
use super::progress::Progress;
use super::runs::{self, RunFormat};
use crate::app::{Effect, Message};
use crate::deletion::{Run, RunEnd, RunState, Tally, Undo};
use crate::domain::{Cause, Failure, Outcome, Stop};
use crate::runtime::{Ports, perform};

/// Once a signal asks for the end, what is in flight has so long to come back.
const LAST_WAIT: Duration = Duration::from_millis(800);

/// What says what is to be done next, and takes what came of it.
#[derive(Debug)]
pub(super) enum Machine {
    Deletion(Run),
    Undo(Undo),
}

impl Machine {
    fn effects(&mut self, now: Duration) -> Vec<Effect> {
        match self {
            Self::Deletion(run) => Effect::of_run(run, now),
            Self::Undo(undo) => Effect::of_undo(undo, now),
        }
    }

    /// Ends it without listing what it did: a listing takes time that nobody has.
    fn stop(&mut self) {
        match self {
            Self::Deletion(run) => run.stop(),
            Self::Undo(undo) => undo.stop(),
        }
    }

    fn is_over(&self) -> bool {
        let state = match self {
            Self::Deletion(run) => run.state(),
            Self::Undo(undo) => undo.state(),
        };
        state == RunState::Finished
    }

    fn take(&mut self, message: Message, now: Duration) {
        match (self, message) {
            (Self::Deletion(run), Message::CallSettled { call, settled, .. }) => {
                run.settle(call, settled, now);
            }
            (Self::Deletion(run), Message::ListedForRun { extension, result, .. }) => {
                run.listed(&extension, result.as_ref(), now);
            }
            (Self::Undo(undo), Message::EventCreated { place, answer, .. }) => {
                undo.settle(place, answer, now);
            }
            (Self::Undo(undo), Message::ListedForRun { extension, result, .. }) => {
                undo.listed(&extension, result.as_ref(), now);
            }
            // No effect of a run or an undo comes back as anything else.
            _ => {}
        }
    }

    fn end(&self) -> RunEnd {
        match self {
            Self::Deletion(run) => run.end(),
            Self::Undo(undo) => undo.end(),
        }
    }

    fn tally(&self) -> Tally {
        match self {
            Self::Deletion(run) => run.tally(),
            Self::Undo(undo) => undo.tally(),
        }
    }

    /// What became of each event that was planned.
    fn outcomes(&self) -> &[Option<Outcome>] {
        match self {
            Self::Deletion(run) => run.outcomes(),
            Self::Undo(undo) => undo.outcomes(),
        }
    }

    fn stopped_by(&self) -> Option<&Failure> {
        match self {
            Self::Deletion(run) => run.stopped_by(),
            Self::Undo(undo) => undo.stopped_by(),
        }
    }

    /// What an operator should know, said since this was last asked.
    fn remarks(&mut self) -> Vec<String> {
        match self {
            Self::Deletion(run) => run.take_remarks(),
            Self::Undo(undo) => undo.take_remarks(),
        }
    }
}

/// How the run file is opened.
pub(super) enum Start {
    /// By this effect.
    Open(Effect),
    /// It is open already, as that of a run that is gone on with.
    GoOn {
        /// The run's name.
        name: String,
        /// The places in the file of the events that the machine works on.
        places: Vec<usize>,
    },
}

/// Opens the run file, does what the machine says until it is over, and prints what came of it.
///
/// # Errors
/// When the network runtime cannot start.
pub(super) fn carry_out(
    mut machine: Machine,
    start: Start,
    ports: Ports,
    folder: &Path,
    format: RunFormat,
) -> Result<Ending> {
    let (open, places) = match start {
        Start::Open(effect) => (Err(effect), None),
        Start::GoOn { name, places } => (Ok(name), Some(places)),
    };
    match hands()?.block_on(drive(&mut machine, open, Arc::new(ports))) {
        Ok(closed) => {
            let ending = report(&machine, folder, &closed, places.as_deref(), format);
            Ok(closed.signal.map_or(ending, Ending::Signalled))
        }
        Err(failure) => {
            let locked = failure.cause == Cause::Locked;
            let ending = if locked { Ending::Refused } else { Ending::Failed };
            Ok(ending.because(&format!("nothing was sent: {failure}")))
        }
    }
}

/// What comes in while a machine is carried out.
enum Came {
    Message(Message),
    /// A signal of this number asks for the end.
    Signal(u8),
    /// What is in flight had its time.
    TooLate,
}

/// The run file when nothing is written to it any more.
struct Closed {
    name: String,
    /// The signal that ended it.
    signal: Option<u8>,
    /// Every line of it could be written.
    in_order: bool,
}

/// Nothing here decides.
async fn drive(
    machine: &mut Machine,
    open: Result<String, Effect>,
    ports: Arc<Ports>,
) -> Result<Closed, Failure> {
    let name = match open {
        Ok(name) => name,
        Err(effect) => {
            let Message::RunFileOpened(opened) = perform(effect, &ports).await else {
                return Err(Failure::new(Cause::Withheld, "the run file did not open"));
            };
            opened?
        }
    };
    let mut progress = Progress::of(machine.outcomes().len(), "events");
    let (clock, mut signal, mut performing) = (clock(), None, 0);
    let mut coming = JoinSet::new();
    listen(&mut coming);
    loop {
        if signal.is_some() {
            machine.stop();
        }
        for effect in machine.effects(clock.elapsed()) {
            let ports = Arc::clone(&ports);
            performing += 1;
            coming.spawn(async move { Came::Message(perform(effect, &ports).await) });
        }
        for sentence in machine.remarks() {
            progress.clear();
            remark(&sentence);
        }
        progress.reach(machine.tally().settled());
        // A time that is still to pass is nothing to wait for, nor is what panicked and stays unknown.
        if machine.is_over() || performing == 0 {
            break;
        }
        match coming.join_next().await {
            Some(Ok(Came::Message(message))) => {
                performing -= 1;
                machine.take(message, clock.elapsed());
            }
            Some(Ok(Came::Signal(number))) if signal.is_none() => {
                signal = Some(number);
                coming.spawn(async {
                    tokio::time::sleep(LAST_WAIT).await;
                    Came::TooLate
                });
            }
            Some(Ok(Came::Signal(_) | Came::TooLate)) | None => break,
            // A panic has told its story already.
            Some(Err(_)) => performing -= 1,
        }
    }
    drop(progress);
    if !machine.is_over() {
        // Without its last line the next start says what is unknown, and how to go on.
        return Ok(Closed { name, signal, in_order: true });
    }
    let mut end = machine.end();
    if signal.is_some() && end.stopped.is_some() {
        end.stopped = Some(Stop::by_signal());
    }
    let closed = perform(Effect::CloseRunFile(end), &ports).await;
    let in_order = !matches!(closed, Message::RunFileClosed(Err(_)));
    if let Message::RunFileClosed(Err(failure)) = closed {
        remark(&format!(
            "the run file could not be closed in order: {failure}; make room, and the next start \
             says how to go on"
        ));
    }
    Ok(Closed { name, signal, in_order })
}

/// Lets signals that ask for the end come in, but a hang-up, which `nohup` has it outlive. Where the
/// system has no room for that, they end the program as they would without it.
fn listen(coming: &mut JoinSet<Came>) {
    use tokio::signal::unix::{SignalKind, signal};
    for (kind, number) in
        [(SignalKind::interrupt(), 2), (SignalKind::quit(), 3), (SignalKind::terminate(), 15)]
    {
        let Ok(mut signals) = signal(kind) else { continue };
        coming.spawn(async move {
            signals.recv().await;
            Came::Signal(number)
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the front is where time comes in")]
fn clock() -> Instant {
    Instant::now()
}

/// Prints the run as its file tells it; what a full disk kept out of the file is known here.
fn report(
    machine: &Machine,
    folder: &Path,
    closed: &Closed,
    places: Option<&[usize]>,
    format: RunFormat,
) -> Ending {
    let name = &closed.name;
    let stopped_by = machine.stopped_by().map(ToString::to_string);
    if let Some(why) = &stopped_by {
        remark(&format!("stopped: {why}"));
    }
    let mut record = match runs::read(folder, name) {
        Ok(record) => record,
        Err(ending) => return ending,
    };
    if !closed.in_order {
        let end = machine.end();
        (record.surplus, record.verified) = (end.surplus, end.verified);
        record.stopped = end.stopped;
        for (at, outcome) in machine.outcomes().iter().enumerate() {
            let place = places.map_or(Some(at), |places| places.get(at).copied());
            let planned = place.and_then(|place| record.events.get_mut(place));
            if let (Some(planned), Some(outcome)) = (planned, outcome) {
                planned.outcome.clone_from(outcome);
            }
        }
    }
    let tally = record.tally();
    let document = runs::document(&record);
    let written = runs::print(format, &document, |out| {
        for planned in &record.events {
            writeln!(out, "{}", runs::row(planned))?;
        }
        Ok(())
    });
    let verified = if record.verified { "the service agrees" } else { "not verified" };
    remark(&format!("run {name}: {tally}; {verified}"));
    if !record.surplus.is_empty() {
        let lost = record.surplus.len();
        remark(&format!(
            "{lost} GONE THAT WERE NOT IN THE PLAN: callsweep undo {name} brings them back"
        ));
    }
    ending(&tally, record.surplus.is_empty()).written(written)
}

/// All done, a part of it, or nothing; what went beside the plan leaves it a part at best.
fn ending(tally: &Tally, nothing_beside: bool) -> Ending {
    match tally.deleted + tally.already_gone + tally.restored {
        0 => Ending::Failed,
        all if all == tally.settled() && nothing_beside => Ending::Done,
        _ => Ending::InPart,
    }
}

/// Asks on a terminal; without one nobody can have said yes. `typed` has to be written out, or a
/// `y` where there is none.
///
/// # Errors
/// When the terminal cannot be read or written.
pub(super) fn confirmed(question: &str, typed: Option<usize>) -> Result<bool> {
    if !io::stdin().is_terminal() {
        remark("nobody is there to say yes: write --yes, or --dry-run to see what would be sent");
        return Ok(false);
    }
    let expected = typed.map_or("y".to_owned(), |count| count.to_string());
    let hint = typed.map_or("[y/N]".to_owned(), |count| format!("[type {count} to confirm]"));
    let mut out = io::stderr();
    write!(out, "{question}? {hint} ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case(&expected))
}
