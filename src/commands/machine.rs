//! Runs without the screen: the same machine, its acts carried out by the same `carry`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::Result;
use tokio::task::JoinSet;

use super::ending::{Ending, remark};
use super::progress::Progress;
use super::runs::{self, RunFormat, Told};
use super::{Consent, counted, hands, profile};
use crate::api::Writes;
use crate::change::{Done, Machine, Plan, RunState, Tally};
use crate::config::Profile;
use crate::domain::{Call, Cause, Failure};
use crate::journal::RecordedCall;
use crate::runtime::{Ports, carry};

/// From this many events on the number has to be typed, as on the screen.
const TYPED_ABOVE: usize = 10;
/// Once a signal asks for the end, what is in flight has so long to come back.
const LAST_WAIT: Duration = Duration::from_millis(800);

/// Shows a plan or asks about it, does what it says until it is over, and prints what came of it:
/// what every command does that changes the PBX. `begun` is done between the run file and the first
/// request.
///
/// # Errors
/// When the terminal cannot be asked, or no client be made; what fails later is in the ending.
pub(super) fn carry_out(
    plan: Plan,
    profile: &Profile,
    folder: &Path,
    consent: &Consent,
    begun: impl FnOnce() -> io::Result<()>,
) -> Result<Ending> {
    if consent.dry_run {
        return Ok(Ending::Done.written(print_plan(&plan, consent.format)));
    }
    if profile.read_only {
        return Ok(Ending::Refused.because(&format!(
            "this profile is read-only: nothing is {} (read_only, --read-only)",
            plan.kind().done()
        )));
    }
    if !consent.yes && !is_confirmed(&plan, profile)? {
        return Ok(Ending::Refused.because("cancelled: nothing was sent"));
    }
    let client = profile::client(profile, Writes::Allowed)?;
    let ports = Ports::new(client, Vec::new(), Vec::new(), folder.to_owned());
    let mut machine = Machine::new(Arc::new(plan), profile.concurrency);
    match hands()?.block_on(drive(&mut machine, Arc::new(ports), begun)) {
        Ok(signal) => {
            let ending = report(&machine, folder, consent.format);
            Ok(signal.map_or(ending, Ending::Signalled))
        }
        Err(failure) => Ok(Ending::Failed.because(&format!("nothing was sent: {failure}"))),
    }
}

fn print_plan(plan: &Plan, format: RunFormat) -> io::Result<()> {
    let events = counted(plan.events().len(), "event");
    runs::print(format, Told::of_plan(Some(plan)), |out| {
        for (at, planned) in RecordedCall::of(plan).enumerate() {
            let what = match plan.call(at) {
                Some(Call::Create(event)) => format!("{} {}", event.key.event_type, event.url),
                Some(Call::Delete(_)) | None => counted(planned.covers, "event"),
            };
            writeln!(out, "{} {}  ({what})", planned.method, planned.path)?;
        }
        let (hash, done) = (plan.hash().short(), plan.kind().done());
        writeln!(out, "dry run, plan {hash}: {events} would be {done}, nothing was sent")
    })
}

fn is_confirmed(plan: &Plan, profile: &Profile) -> Result<bool> {
    let (count, origin) = (plan.events().len(), &plan.target().origin);
    let events = counted(count, "event");
    if let Some(run) = plan.undoes() {
        return confirmed(&format!("make {events} of run {run} again on {origin}"), None);
    }
    let calls = counted(plan.calls(), "call");
    let typed = (count > TYPED_ABOVE || profile.protected).then_some(count);
    confirmed(&format!("delete {events} with {calls} on {origin}"), typed)
}

/// What comes in while a machine is carried out.
enum Came {
    Done(Done),
    /// A signal of this number asks for the end.
    Signal(u8),
    /// What is in flight had its time.
    TooLate,
}

/// Nothing here decides. Returns the number of the signal that ended it.
async fn drive(
    machine: &mut Machine,
    ports: Arc<Ports>,
    begun: impl FnOnce() -> io::Result<()>,
) -> Result<Option<u8>, Failure> {
    let mut begun = Some(begun);
    let mut progress = Progress::of(machine.outcomes().len(), "events");
    let (clock, mut signal, mut performing) = (clock(), None, 0);
    let mut coming = JoinSet::new();
    listen(&mut coming);
    loop {
        if signal.is_some() {
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
            return Ok(signal);
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
            Some(Ok(Came::Signal(number))) if signal.is_none() => {
                signal = Some(number);
                coming.spawn(async {
                    tokio::time::sleep(LAST_WAIT).await;
                    Came::TooLate
                });
            }
            Some(Ok(Came::Signal(_) | Came::TooLate)) | None => return Ok(signal),
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

/// Prints a run that is over, and of one that is not what its file tells.
fn report(machine: &Machine, folder: &Path, format: RunFormat) -> Ending {
    if let Some(why) = machine.stopped_by() {
        remark(&format!("stopped: {why}"));
    }
    if !machine.is_going_on() {
        return tell(&Told::of_machine(machine), machine, format);
    }
    if machine.state() == RunState::Opening {
        return Ending::Refused.because("nothing was sent");
    }
    match runs::read(folder, machine.name()) {
        Ok(record) => tell(&Told::of_record(&record), machine, format),
        Err(ending) => ending,
    }
}

fn tell(told: &Told<'_>, machine: &Machine, format: RunFormat) -> Ending {
    let written = runs::print(format, told, |out| told.rows(out));
    let verified = if told.verified { "the service agrees" } else { "not verified" };
    let (name, tally, lost) = (machine.name(), &told.tally, told.surplus.len());
    remark(&format!("run {name}: {tally}; {verified}"));
    if lost > 0 {
        remark(&format!(
            "{lost} GONE THAT WERE NOT IN THE PLAN: callsweep undo {name} brings them back"
        ));
    }
    ending(tally, lost == 0).written(written)
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
fn confirmed(question: &str, typed: Option<usize>) -> Result<bool> {
    if !io::stdin().is_terminal() {
        remark(
            "not a terminal, so nobody can confirm: pass --yes, or --dry-run to see what would be sent",
        );
        return Ok(false);
    }
    let expected = typed.map_or("y".to_owned(), |count| count.to_string());
    let hint = typed.map_or("[y/N]".to_owned(), |count| format!("Type {count} to confirm:"));
    let mut out = io::stderr();
    // What was typed before the question answers nothing.
    rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush)?;
    write!(out, "{question}? {hint} ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case(&expected))
}
