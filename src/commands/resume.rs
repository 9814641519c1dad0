//! `callsweep resume`: a run that did not do everything is settled by listing, and what is still
//! there and still the same is deleted, in the same run file.

use std::sync::Arc;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use color_eyre::eyre::{Result, eyre};

use super::arguments::{Consent, ProfileArguments, ReadOnlyArgument};
use super::completions;
use super::ending::{Ending, remark};
use super::look::{Seen, look};
use super::{counted, machine, profile, runs};
use crate::change::{Choice, Plan};
use crate::config::{self, Environment, Flags};
use crate::domain::Mask;
use crate::journal::Record;

/// Which run, and how sure it is to go on.
#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// The run's name, as `callsweep runs` lists it, or the beginning of it; `latest`; or the path of
    /// its file
    #[arg(add = ArgValueCompleter::new(completions::runs))]
    run: String,
    /// Which profile.
    #[command(flatten)]
    pub(super) profile: ProfileArguments,
    /// Change nothing.
    #[command(flatten)]
    pub(super) read_only: ReadOnlyArgument,
    /// How sure.
    #[command(flatten)]
    pub(super) consent: Consent,
}

/// Lists, asks, sends what is left and prints.
///
/// # Errors
/// When the profile cannot be used; what fails later is said here and is in the ending.
pub(super) fn run(
    arguments: &ResumeArguments,
    demo: bool,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    if demo {
        return Err(eyre!("the demo forgets its world when it ends: there is nothing to resume"));
    }
    let folder = config::state_dir(environment)?.join("runs");
    let origin = || Ok(config::load(flags, environment)?.target.origin);
    let place = runs::choose(&folder, &arguments.run, origin)?;
    let record = runs::read(&place.folder, &place.name)?;
    runs::tell_flaws(&record);
    let opened = profile::open(demo, flags, environment)?;
    record
        .is_at(&opened.profile.target.origin)
        .and_then(|()| record.is_alone(&folder))
        .map_err(|refused| Ending::Usage.refusing(refused.to_string()))?;
    let rest = record.rest(&folder);
    let undo = |run: &str| format!("callsweep undo {run}");
    let rest = Arc::new(rest.map_err(|refused| Ending::Refused.refusing(refused.told(undo)))?);
    let (listed, consent) = (machine::clock(), &arguments.consent);
    let numbers: Vec<_> = rest.extensions().into_iter().cloned().collect();
    let Seen { route, store, is_sure } = look(&record, &numbers, &opened, |store, listing| {
        let _replaced = store.insert_whole(listing);
    })?;
    let choice = Choice::of_rest(&rest, &store);
    let selection = choice.selection(&store);
    record.without_sums().iter().for_each(|what| remark(what));
    say_what_is_left(&record, selection.len(), &choice);
    if !is_sure && selection.is_empty() {
        let why = "nothing was sent, as not everything could be listed";
        return Err(Ending::Failed.refusing(why));
    }
    let most = opened.profile.rules.max_delete;
    let plan = Plan::go_on(route.target().clone(), &rest, &selection, most)
        .map_err(|refused| Ending::Refused.refusing(refused.to_string()))?;
    // Settling by listing alone changes nothing on the PBX, so it needs no yes.
    let asks = plan.calls() > 0 || consent.dry_run;
    let must_type = opened.profile.rules.protected || route.differs().is_some();
    let held_back = || machine::held_back(&plan, &opened.profile, consent, must_type);
    if let Some(ending) = asks.then(held_back).transpose()?.flatten() {
        return Ok(ending);
    }
    machine::send(plan, &opened, &folder, consent.format, listed)
}

fn say_what_is_left(record: &Record, left: usize, choice: &Choice) {
    let how = if record.finished.is_some() { "stopped" } else { "was interrupted" };
    let (name, tally) = (&record.name, record.tally().words(record.kind));
    remark(&format!("run {name} {how}: {tally}; {} left", counted(left, "event")));
    for sentence in choice.words(&Mask::off()) {
        remark(&sentence);
    }
}
