//! `callsweep resume`: a run that did not do everything is settled by listing, and what is still
//! there and still the same is deleted, in the same run file.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use color_eyre::eyre::{Result, eyre};

use super::ending::{Ending, remark};
use super::machine;
use super::profile::{self, Opened};
use super::progress::Progress;
use super::room;
use super::runs;
use super::{Consent, counted};
use crate::api::Writes;
use crate::change::{Choice, Plan, Rest, Tally};
use crate::config::{self, Environment, Flags};
use crate::domain::{EventStore, Mask};
use crate::journal::Record;
use crate::runtime::{self, Listed, Ports};

/// Which run, and how sure it is to go on.
#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// The run's name, as `callsweep runs` lists it, or the beginning of it; `latest`; or the path of
    /// its file
    run: String,
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
    let record = runs::read(&folder, &runs::name_of(&folder, &arguments.run, origin)?)?;
    runs::tell_flaws(&record);
    let rest = record.rest(&folder);
    let rest = Arc::new(rest.map_err(|refused| Ending::Refused.refusing(refused.to_string()))?);
    let opened = profile::open(demo, flags, environment)?;
    if let Err(refused) = record.is_of(&opened.profile.target) {
        return Err(Ending::Usage.refusing(refused.to_string()));
    }
    let (listed, consent) = (machine::clock(), &arguments.consent);
    let (store, failed) = list(&rest, &opened)?;
    let choice = Choice::of_rest(&rest, &store);
    let selection = choice.selection(&store);
    say_what_is_left(&record, selection.len(), &choice);
    if failed > 0 && selection.is_empty() {
        let why = "nothing was sent, as not everything could be listed";
        return Err(Ending::Failed.refusing(why));
    }
    let (target, most) = (opened.profile.target.clone(), opened.profile.max_delete);
    let plan = Plan::go_on(target, &rest, &selection, most)
        .map_err(|refused| Ending::Refused.refusing(refused.to_string()))?;
    // To settle by listing what is not there any more takes nobody's yes.
    let asks = plan.calls() > 0 || consent.dry_run;
    if let Some(ending) =
        asks.then(|| machine::held_back(&plan, &opened.profile, consent)).transpose()?.flatten()
    {
        return Ok(ending);
    }
    machine::send(plan, &opened, &folder, consent.format, listed)
}

fn say_what_is_left(record: &Record, left: usize, choice: &Choice) {
    let how = if record.finished.is_some() { "stopped" } else { "was interrupted" };
    let (name, tally): (_, Tally) = (&record.name, record.tally());
    remark(&format!("run {name} {how}: {tally}; {} left", counted(left, "event")));
    for sentence in choice.words(&Mask::new("", false)) {
        remark(&sentence);
    }
}

/// Lists every extension on which something is open, and says how many could not be.
fn list(rest: &Rest, opened: &Opened) -> Result<(EventStore, usize)> {
    let profile = &opened.profile;
    let mut numbers: Vec<_> = rest.open().map(|event| event.key.extension.clone()).collect();
    numbers.dedup();
    let client = opened.client(profile, Writes::ReadOnly)?;
    let hands = super::hands()?;
    hands.block_on(room::wait(&client));
    let ports = Arc::new(Ports::new(client, Vec::new(), Vec::new(), PathBuf::new()));
    let mut progress = Progress::of(numbers.len(), "extensions");
    let step = || progress.step();
    let listed = hands.block_on(runtime::list_all(&ports, &numbers, profile.concurrency, step));
    drop(progress);
    let (mut store, mut failed) = (EventStore::default(), 0);
    for (number, listed) in numbers.into_iter().zip(listed) {
        match listed {
            Listed::Answered(Ok(listing)) => {
                let _replaced = store.insert_whole(listing);
            }
            Listed::Answered(Err(failure)) => {
                failed += 1;
                remark(&format!("{number} could not be read: {failure}"));
            }
            Listed::NotAsked => failed += 1,
        }
    }
    Ok((store, failed))
}
