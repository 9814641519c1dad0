//! `callsweep undo`: what a run deleted is made again, each event once.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr, eyre};
use serde_json::json;
use tokio::task::JoinSet;

use super::counted;
use super::ending::{Ending, remark};
use super::profile;
use super::runs::{self, RunFormat};
use crate::api::Writes;
use crate::app::{Effect, Message};
use crate::config::{self, Environment, Flags};
use crate::deletion::{Undo, UndoPlan, UndoStep};
use crate::domain::Failure;
use crate::journal::{self, RecordRefused};
use crate::runtime::{Ports, perform};

/// Which run, and how sure its undo is.
#[derive(Debug, Args)]
pub struct UndoArguments {
    /// The run's name, as `callsweep runs` lists it
    run: String,
    /// Print what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = RunFormat::Table)]
    format: RunFormat,
}

/// Plans, asks, makes and prints.
///
/// # Errors
/// When the profile cannot be used; what fails later is said here and is in the ending.
pub(super) fn run(
    arguments: &UndoArguments,
    demo: bool,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    if demo {
        return Err(eyre!("the demo forgets its world when it ends: there is nothing to undo"));
    }
    let folder = config::state_dir(environment)?.join("runs");
    let opened = profile::open(demo, flags, environment)?;
    let profile = &opened.profile;
    let (plan, plan_hash) = match journal::undo_plan(&folder, &arguments.run, &profile.target) {
        Ok(planned) => planned,
        Err(refused @ RecordRefused::Nothing(_)) => {
            return Ok(Ending::Refused.because(&refused.to_string()));
        }
        Err(refused) => return Ok(Ending::Usage.because(&refused.to_string())),
    };
    let plan = Arc::new(plan);
    if arguments.dry_run {
        return Ok(Ending::Done.written(print_plan(&plan, &plan_hash, arguments.format)));
    }
    if profile.read_only {
        let why = "this profile is read-only: nothing is made (read_only, --read-only)";
        return Ok(Ending::Refused.because(why));
    }
    if !arguments.yes && !confirmed(&plan)? {
        return Ok(Ending::Refused.because("cancelled: nothing was sent"));
    }
    let client = profile::client(profile, Writes::Allowed)?;
    let ports = Ports::new(client, Vec::new(), Vec::new(), folder.clone());
    let hands = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .wrap_err("the network runtime cannot start")?;
    let undo = Undo::new(plan, profile.concurrency);
    match hands.block_on(carry_out(undo, plan_hash, Arc::new(ports))) {
        Ok((name, undo)) => Ok(report(&folder, &name, &undo, arguments.format)),
        Err(failure) => Ok(Ending::Failed.because(&format!("nothing was made: {failure}"))),
    }
}

/// Does what the undo says until it is over. Nothing here decides.
async fn carry_out(
    mut undo: Undo,
    plan_hash: String,
    ports: Arc<Ports>,
) -> Result<(String, Undo), Failure> {
    let plan = Arc::clone(undo.plan());
    let open = Effect::OpenUndoFile { plan: Arc::clone(&plan), plan_hash };
    let Message::RunFileOpened(opened) = perform(open, &ports).await else {
        return Err(Failure::new(crate::domain::Cause::Withheld, "the run file did not open"));
    };
    let name = opened?;
    let mut in_flight = JoinSet::new();
    loop {
        for step in undo.hand_out() {
            let effect = match step {
                UndoStep::List(extension) => Effect::ListForRun(extension),
                UndoStep::Create(place) => Effect::CreateEvent { plan: Arc::clone(&plan), place },
            };
            let ports = Arc::clone(&ports);
            in_flight.spawn(async move { perform(effect, &ports).await });
        }
        match in_flight.join_next().await {
            Some(Ok(Message::ListedForRun { extension, result, .. })) => {
                undo.listed(&extension, result.as_ref());
            }
            Some(Ok(Message::EventCreated { place, answer, .. })) => undo.settle(place, answer),
            Some(_) => {}
            None => break,
        }
    }
    if let Message::RunFileClosed(Err(failure)) =
        perform(Effect::CloseRunFile(undo.end()), &ports).await
    {
        remark(&format!("the run file could not be closed in order: {failure}"));
    }
    Ok((name, undo))
}

fn report(folder: &Path, name: &str, undo: &Undo, format: RunFormat) -> Ending {
    let stopped_by = undo.stopped_by().map(ToString::to_string);
    if let Some(why) = &stopped_by {
        remark(&format!("the undo was stopped: {why}"));
    }
    let record = match runs::read(folder, name) {
        Ok(record) => record,
        Err(ending) => return ending,
    };
    let tally = runs::tally(&record);
    let clean = io::stdout().is_terminal();
    let document = runs::document(&record, false, stopped_by.as_deref());
    let written = runs::print(format, &document, |out| {
        for planned in &record.events {
            writeln!(out, "{}", runs::row(planned, clean))?;
        }
        Ok(())
    });
    let verified = if record.verified { "the service agrees" } else { "not verified" };
    remark(&format!("run {name}: {}; {verified}", runs::words(&tally)));
    let ending = match tally.restored {
        all if all == record.events.len() => Ending::Done,
        0 => Ending::Failed,
        _ => Ending::InPart,
    };
    ending.written(written)
}

fn print_plan(plan: &UndoPlan, plan_hash: &str, format: RunFormat) -> io::Result<()> {
    let call = |event| json!({"method": "POST", "path": plan.path(event), "covers": 1});
    let calls: Vec<_> = plan.events().iter().map(call).collect();
    let document = json!({
        "run": null, "plan_hash": plan_hash, "dry_run": true, "calls": calls, "outcomes": [],
        "surplus": [], "verified": false, "stopped_by": null,
        "summary": {"deleted": 0, "already_gone": 0, "refused": 0, "not_sent": 0, "unknown": 0,
            "restored": 0},
    });
    runs::print(format, &document, |out| {
        for event in plan.events() {
            writeln!(out, "POST {}  {} {}", plan.path(event), event.key.event_type, event.url)?;
        }
        writeln!(out, "dry run: {} would be made, nothing was", counted(calls.len(), "event"))
    })
}

/// Asks on a terminal; without one nobody can have said yes.
fn confirmed(plan: &UndoPlan) -> Result<bool> {
    if !io::stdin().is_terminal() {
        remark("nobody is there to say yes: write --yes, or --dry-run to see what would be made");
        return Ok(false);
    }
    let events = counted(plan.events().len(), "event");
    let target = plan.target();
    let mut out = io::stderr();
    write!(out, "make {events} of run {} again on {}? [y/N] ", plan.run(), target.origin)?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
