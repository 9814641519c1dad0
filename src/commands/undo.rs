//! `callsweep undo`: what a run deleted is made again, each event once.

use clap::Args;
use color_eyre::eyre::{Result, eyre};

use super::Consent;
use super::ending::Ending;
use super::machine;
use super::profile;
use super::runs;
use crate::config::{self, Environment, Flags};
use crate::journal::{self, Record, RecordRefused};

/// Which run, and how sure its undo is.
#[derive(Debug, Args)]
pub struct UndoArguments {
    /// The run's name, as `callsweep runs` lists it, or the beginning of it; `latest`; or the path of
    /// its file
    run: String,
    /// How sure.
    #[command(flatten)]
    pub(super) consent: Consent,
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
    let consent = &arguments.consent;
    let origin = || Ok(opened.profile.target.origin.clone());
    let run = runs::name_of(&folder, &arguments.run, origin)?;
    if let Ok(record) = Record::read(&folder, &run) {
        runs::tell_flaws(&record);
    }
    match journal::undo_plan(&folder, &run, &opened.profile.target) {
        Ok(plan) => match machine::held_back(&plan, &opened.profile, consent)? {
            Some(ending) => Ok(ending),
            // It lists everything before its first call.
            None => machine::send(plan, &opened, &folder, consent.format, machine::clock(), None),
        },
        Err(refused @ RecordRefused::Nothing(_)) => {
            Err(Ending::Refused.refusing(refused.to_string()))
        }
        Err(refused) => Err(Ending::Usage.refusing(refused.to_string())),
    }
}
