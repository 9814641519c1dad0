//! Runs without the screen: the same machines, carried out by the same `perform`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr};
use tokio::task::JoinSet;

use super::ending::{Ending, remark};
use super::runs::{self, RunFormat};
use crate::app::{Effect, Message};
use crate::deletion::{Run, RunEnd, Step, Tally, Undo, UndoStep};
use crate::domain::{Cause, Failure};
use crate::runtime::{Ports, perform};

/// What says what is to be done next, and takes what came of it.
pub(super) trait Machine {
    fn effects(&mut self) -> Vec<Effect>;
    fn take(&mut self, message: Message);
    fn end(&self) -> RunEnd;
    fn stopped_by(&self) -> Option<&Failure>;
    /// What an operator should know, said since this was last asked.
    fn remarks(&mut self) -> Vec<String>;
}

impl Machine for Run {
    fn effects(&mut self) -> Vec<Effect> {
        let plan = Arc::clone(self.plan());
        let steps = self.hand_out().into_iter();
        steps
            .map(|step| match step {
                Step::Send(call) => Effect::SendDelete { plan: Arc::clone(&plan), call },
                Step::List(extension) => Effect::ListForRun(extension),
            })
            .collect()
    }

    fn take(&mut self, message: Message) {
        if let Message::CallSettled { call, settled, .. } = message {
            self.settle(call, settled);
        } else if let Message::ListedForRun { extension, result, .. } = message {
            self.listed(&extension, result.as_ref());
        }
    }

    fn end(&self) -> RunEnd {
        self.end()
    }

    fn stopped_by(&self) -> Option<&Failure> {
        self.stopped_by()
    }

    fn remarks(&mut self) -> Vec<String> {
        self.take_remarks()
    }
}

impl Machine for Undo {
    fn effects(&mut self) -> Vec<Effect> {
        let plan = Arc::clone(self.plan());
        let steps = self.hand_out().into_iter();
        steps
            .map(|step| match step {
                UndoStep::Create(place) => Effect::CreateEvent { plan: Arc::clone(&plan), place },
                UndoStep::List(extension) => Effect::ListForRun(extension),
            })
            .collect()
    }

    fn take(&mut self, message: Message) {
        if let Message::EventCreated { place, answer, .. } = message {
            self.settle(place, answer);
        } else if let Message::ListedForRun { extension, result, .. } = message {
            self.listed(&extension, result.as_ref());
        }
    }

    fn end(&self) -> RunEnd {
        self.end()
    }

    fn stopped_by(&self) -> Option<&Failure> {
        self.stopped_by()
    }

    fn remarks(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// Opens the run file, does what the machine says until it is over, and prints what came of it.
///
/// # Errors
/// When the network runtime cannot start.
pub(super) fn carry_out(
    mut machine: impl Machine,
    open: Effect,
    ports: Ports,
    folder: &Path,
    format: RunFormat,
) -> Result<Ending> {
    let hands = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .wrap_err("the network runtime cannot start")?;
    match hands.block_on(drive(&mut machine, open, Arc::new(ports))) {
        Ok(name) => Ok(report(&machine, folder, &name, format)),
        Err(failure) => Ok(Ending::Failed.because(&format!("nothing was sent: {failure}"))),
    }
}

/// Nothing here decides.
async fn drive(
    machine: &mut impl Machine,
    open: Effect,
    ports: Arc<Ports>,
) -> Result<String, Failure> {
    let Message::RunFileOpened(opened) = perform(open, &ports).await else {
        return Err(Failure::new(Cause::Withheld, "the run file did not open"));
    };
    let name = opened?;
    let mut in_flight = JoinSet::new();
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
        machine.remarks().iter().for_each(|sentence| remark(sentence));
    }
    let closed = perform(Effect::CloseRunFile(machine.end()), &ports).await;
    if let Message::RunFileClosed(Err(failure)) = closed {
        remark(&format!("the run file could not be closed in order: {failure}"));
    }
    Ok(name)
}

/// Prints the run as its file tells it.
fn report(machine: &impl Machine, folder: &Path, name: &str, format: RunFormat) -> Ending {
    let stopped_by = machine.stopped_by().map(ToString::to_string);
    if let Some(why) = &stopped_by {
        remark(&format!("stopped: {why}"));
    }
    let record = match runs::read(folder, name) {
        Ok(record) => record,
        Err(ending) => return ending,
    };
    let tally = runs::tally(&record);
    let document = runs::document(&record, false, stopped_by.as_deref());
    let clean = io::stdout().is_terminal();
    let written = runs::print(format, &document, |out| {
        for planned in &record.events {
            writeln!(out, "{}", runs::row(planned, clean))?;
        }
        Ok(())
    });
    let verified = if record.verified { "the service agrees" } else { "not verified" };
    remark(&format!("run {name}: {}; {verified}", runs::words(&tally)));
    if !record.surplus.is_empty() {
        let lost = record.surplus.len();
        remark(&format!(
            "{lost} GONE THAT WERE NOT IN THE PLAN: callsweep undo {name} brings them back"
        ));
    }
    let ending = ending(&tally, record.events.len());
    let whole = ending != Ending::Done || record.surplus.is_empty();
    if whole { ending.written(written) } else { Ending::InPart.written(written) }
}

fn ending(tally: &Tally, planned: usize) -> Ending {
    match tally.deleted + tally.already_gone + tally.restored {
        all if all == planned => Ending::Done,
        0 => Ending::Failed,
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
