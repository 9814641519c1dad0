//! `callsweep undo`: what a run deleted is made again, each event once.

use std::io;
use std::sync::Arc;

use clap::Args;
use color_eyre::eyre::{Result, eyre};

use super::ending::Ending;
use super::machine::{self, Machine, Start};
use super::profile;
use super::runs::{self, RunFormat};
use super::{Consent, counted};
use crate::api::Writes;
use crate::app::Effect;
use crate::config::{self, Environment, Flags};
use crate::deletion::{Undo, UndoPlan};
use crate::journal::{self, Record, RecordRefused, RecordedCall};
use crate::runtime::Ports;

/// Which run, and how sure its undo is.
#[derive(Debug, Args)]
pub struct UndoArguments {
    /// The run's name, as `callsweep runs` lists it
    run: String,
    /// How sure.
    #[command(flatten)]
    consent: Consent,
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
    if let Ok(record) = Record::read(&folder, &arguments.run) {
        runs::tell_flaws(&record);
    }
    let plan = match journal::undo_plan(&folder, &arguments.run, &profile.target) {
        Ok(planned) => planned,
        Err(refused @ RecordRefused::Nothing(_)) => {
            return Ok(Ending::Refused.because(&refused.to_string()));
        }
        Err(refused) => return Ok(Ending::Usage.because(&refused.to_string())),
    };
    let consent = &arguments.consent;
    let plan = Arc::new(plan);
    if consent.dry_run {
        return Ok(Ending::Done.written(print_plan(&plan, consent.format)));
    }
    if profile.read_only {
        let why = "this profile is read-only: nothing is made (read_only, --read-only)";
        return Ok(Ending::Refused.because(why));
    }
    if !consent.yes && !is_confirmed(&plan)? {
        return Ok(Ending::Refused.because("cancelled: nothing was sent"));
    }
    let client = profile::client(profile, Writes::Allowed)?;
    let ports = Ports::new(client, Vec::new(), Vec::new(), folder.clone());
    let start = Start::Open(Effect::OpenUndoFile(Arc::clone(&plan)));
    let machine = Machine::Undo(Undo::new(plan, profile.concurrency));
    machine::carry_out(machine, start, ports, &folder, consent.format)
}

fn print_plan(plan: &UndoPlan, format: RunFormat) -> io::Result<()> {
    let call =
        |event| RecordedCall { method: "POST".to_owned(), path: plan.path(event), covers: 1 };
    let calls: Vec<RecordedCall> = plan.events().iter().map(call).collect();
    let document = runs::not_run(plan.plan_hash(), &calls);
    runs::print(format, &document, |out| {
        for event in plan.events() {
            writeln!(out, "POST {}  {} {}", plan.path(event), event.key.event_type, event.url)?;
        }
        writeln!(out, "dry run: {} would be made, nothing was", counted(calls.len(), "event"))
    })
}

fn is_confirmed(plan: &UndoPlan) -> Result<bool> {
    let events = counted(plan.events().len(), "event");
    let question = format!("make {events} of run {} again on {}", plan.run(), plan.target().origin);
    machine::confirmed(&question, None)
}
