//! Runs without the screen: the same machines, carried out by the same `perform`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use color_eyre::eyre::Result;
use tokio::task::JoinSet;

use super::ending::{Ending, remark};
use super::hands;
use super::progress::Progress;
use super::runs::{self, RunFormat};
use crate::app::{Effect, Message};
use crate::deletion::{Run, RunEnd, Tally, Undo};
use crate::domain::{Cause, Failure, Outcome};
use crate::runtime::{Ports, perform};

/// What says what is to be done next, and takes what came of it.
#[derive(Debug)]
pub(super) enum Machine {
    Deletion(Run),
    Undo(Undo),
}

impl Machine {
    fn effects(&mut self) -> Vec<Effect> {
        match self {
            Self::Deletion(run) => Effect::of_run(run),
            Self::Undo(undo) => Effect::of_undo(undo),
        }
    }

    fn take(&mut self, message: Message) {
        match (self, message) {
            (Self::Deletion(run), Message::CallSettled { call, settled, .. }) => {
                run.settle(call, settled);
            }
            (Self::Deletion(run), Message::ListedForRun { extension, result, .. }) => {
                run.listed(&extension, result.as_ref());
            }
            (Self::Undo(undo), Message::EventCreated { place, answer, .. }) => {
                undo.settle(place, answer);
            }
            (Self::Undo(undo), Message::ListedForRun { extension, result, .. }) => {
                undo.listed(&extension, result.as_ref());
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
            Self::Undo(_) => Vec::new(),
        }
    }
}

/// Opens the run file, does what the machine says until it is over, and prints what came of it.
/// `begun` is done between the run file and the first request.
///
/// # Errors
/// When the network runtime cannot start.
pub(super) fn carry_out(
    mut machine: Machine,
    open: Effect,
    ports: Ports,
    folder: &Path,
    format: RunFormat,
    begun: impl FnOnce() -> io::Result<()>,
) -> Result<Ending> {
    match hands()?.block_on(drive(&mut machine, open, Arc::new(ports), begun)) {
        Ok(closed) => Ok(report(&machine, folder, &closed, format)),
        Err(failure) => Ok(Ending::Failed.because(&format!("nothing was sent: {failure}"))),
    }
}

/// The run file when nothing is written to it any more.
struct Closed {
    name: String,
    /// Every line of it could be written.
    in_order: bool,
}

/// Nothing here decides.
async fn drive(
    machine: &mut Machine,
    open: Effect,
    ports: Arc<Ports>,
    begun: impl FnOnce() -> io::Result<()>,
) -> Result<Closed, Failure> {
    let Message::RunFileOpened(opened) = perform(open, &ports).await else {
        return Err(Failure::new(Cause::Withheld, "the run file did not open"));
    };
    let name = opened?;
    begun().map_err(|error| Failure::new(Cause::Withheld, error.to_string()))?;
    let mut in_flight = JoinSet::new();
    let mut progress = Progress::of(machine.outcomes().len(), "events");
    loop {
        for effect in machine.effects() {
            let ports = Arc::clone(&ports);
            in_flight.spawn(async move { perform(effect, &ports).await });
        }
        match in_flight.join_next().await {
            Some(Ok(message)) => machine.take(message),
            // A panic has told its story already; what it was about stays unknown.
            Some(Err(_)) => {}
            None => break,
        }
        for sentence in machine.remarks() {
            progress.clear();
            remark(&sentence);
        }
        progress.reach(machine.tally().settled());
    }
    drop(progress);
    let closed = perform(Effect::CloseRunFile(machine.end()), &ports).await;
    let in_order = !matches!(closed, Message::RunFileClosed(Err(_)));
    if let Message::RunFileClosed(Err(failure)) = closed {
        remark(&format!(
            "the run file could not be closed in order: {failure}; make room, and the next start \
             says how to go on"
        ));
    }
    Ok(Closed { name, in_order })
}

/// Prints the run as its file tells it; what a full disk kept out of the file is known here.
fn report(machine: &Machine, folder: &Path, closed: &Closed, format: RunFormat) -> Ending {
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
        for (planned, outcome) in record.events.iter_mut().zip(machine.outcomes().iter().flatten())
        {
            planned.outcome.clone_from(outcome);
        }
    }
    let tally = runs::tally(&record);
    let document = runs::document(&record, stopped_by.as_deref());
    let clean = io::stdout().is_terminal();
    let written = runs::print(format, &document, |out| {
        for planned in &record.events {
            writeln!(out, "{}", runs::row(planned, clean))?;
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
