//! Runs without the screen: the same machine, its acts carried out by the same `carry`.

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
use crate::change::{Done, Machine, RunState, Tally};
use crate::domain::{Cause, Failure};
use crate::runtime::{Ports, carry};

/// Once a signal asks for the end, what is in flight has so long to come back.
const LAST_WAIT: Duration = Duration::from_millis(800);

/// Opens the run file, does what the machine says until it is over, and prints what came of it.
/// `begun` is done between the run file and the first request.
///
/// # Errors
/// When the network runtime cannot start.
pub(super) fn carry_out(
    mut machine: Machine,
    ports: Ports,
    folder: &Path,
    format: RunFormat,
    begun: impl FnOnce() -> io::Result<()>,
) -> Result<Ending> {
    match hands()?.block_on(drive(&mut machine, Arc::new(ports), begun)) {
        Ok(closed) => {
            let ending = report(&machine, folder, &closed, format);
            Ok(closed.signal.map_or(ending, Ending::Signalled))
        }
        Err(failure) => Ok(Ending::Failed.because(&format!("nothing was sent: {failure}"))),
    }
}

/// What comes in while a machine is carried out.
enum Came {
    Done(Done),
    /// A signal of this number asks for the end.
    Signal(u8),
    /// What is in flight had its time.
    TooLate,
}

/// The run file when nothing is written to it any more.
struct Closed {
    /// The signal that ended it.
    signal: Option<u8>,
    /// Every line of it could be written.
    in_order: bool,
}

/// Nothing here decides.
async fn drive(
    machine: &mut Machine,
    ports: Arc<Ports>,
    begun: impl FnOnce() -> io::Result<()>,
) -> Result<Closed, Failure> {
    let mut begun = Some(begun);
    let mut progress = Progress::of(machine.outcomes().len(), "events");
    let (clock, mut performing) = (clock(), 0);
    let mut closed = Closed { signal: None, in_order: true };
    let mut coming = JoinSet::new();
    listen(&mut coming);
    loop {
        if closed.signal.is_some() {
            machine.stop();
        }
        for act in machine.hand_out(clock.elapsed()) {
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
            return Ok(closed);
        }
        match coming.join_next().await {
            Some(Ok(Came::Done(done))) => {
                performing -= 1;
                match &done {
                    Done::Opened(Err(failure)) => return Err(failure.clone()),
                    Done::Opened(Ok(_)) => begun
                        .take()
                        .map_or(Ok(()), |begun| begun())
                        .map_err(|error| Failure::new(Cause::Withheld, error.to_string()))?,
                    Done::Closed(Err(failure)) => {
                        closed.in_order = false;
                        progress.clear();
                        remark(&format!(
                            "the run file could not be closed in order: {failure}; make room, and \
                             the next start says how to go on"
                        ));
                    }
                    Done::Settled { .. } | Done::Listed { .. } | Done::Waited | Done::Closed(_) => {
                    }
                }
                machine.take(done, clock.elapsed());
            }
            Some(Ok(Came::Signal(number))) if closed.signal.is_none() => {
                closed.signal = Some(number);
                coming.spawn(async {
                    tokio::time::sleep(LAST_WAIT).await;
                    Came::TooLate
                });
            }
            Some(Ok(Came::Signal(_) | Came::TooLate)) | None => return Ok(closed),
            // A panic has told its story already.
            Some(Err(_)) => performing -= 1,
        }
    }
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
fn report(machine: &Machine, folder: &Path, closed: &Closed, format: RunFormat) -> Ending {
    let name = machine.name();
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
    match tally.done() {
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
