//! `callsweep resume`: a run that broke off is settled by listing, and what is still there and
//! still the same is deleted in a run of its own.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr, eyre};

use super::counted;
use super::delete::{self, Consent};
use super::ending::{Ending, remark};
use super::profile::{self, Opened};
use super::runs::{self, RunFormat};
use crate::api::Writes;
use crate::config::{self, Environment, Flags};
use crate::deletion::{RunEnd, Selection, Tally, settled_by_listing};
use crate::domain::{EventKey, EventStore, ExtensionNumber, Listing, Outcome};
use crate::journal::{self, Kind, Record};
use crate::runtime::{self, Listed, Ports};

/// Which run.
#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// The run's name, as `callsweep runs` lists it
    run: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = RunFormat::Table)]
    format: RunFormat,
}

/// What the listings showed of a run that broke off.
struct Found {
    end: RunEnd,
    selection: Selection,
    /// Everything could be listed.
    whole: bool,
}

/// Lists, settles the old run, asks, sends what is left and prints.
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
    let record = match runs::read(&folder, &arguments.run) {
        Ok(record) => record,
        Err(ending) => return Ok(ending),
    };
    if let Some(why) = not_resumable(&record, &folder) {
        return Ok(Ending::Refused.because(&why));
    }
    let opened = profile::open(demo, flags, environment)?;
    let target = &opened.profile.target;
    if let Err(refused) = record.is_of(target) {
        return Ok(Ending::Usage.because(&refused.to_string()));
    }
    let found = look(&record, &opened)?;
    remark(&format!(
        "run {} broke off: {}; {} left",
        record.name,
        runs::words(&found.end.tally),
        counted(found.selection.len(), "event")
    ));
    if !found.whole {
        return Ok(Ending::Failed.because("nothing was sent, as not everything could be listed"));
    }
    if found.selection.is_empty() {
        journal::close_broken(&folder, &record.name, &found.end)?;
        return Ok(Ending::Done.because("nothing is left to be sent: the run is closed"));
    }
    let consent = Consent { dry_run: false, yes: arguments.yes, format: arguments.format };
    let close = || journal::close_broken(&folder, &record.name, &found.end);
    delete::carry_out(&found.selection, &opened, &folder, &consent, close)
}

fn not_resumable(record: &Record, folder: &std::path::Path) -> Option<String> {
    let name = &record.name;
    if record.kind == Kind::Undo {
        let undone = record.undoes.as_deref().unwrap_or("RUN");
        return Some(format!("{name} is an undo: callsweep undo {undone} takes it up"));
    }
    if record.finished.is_some() {
        return Some(format!("{name} came to its end: there is nothing to resume"));
    }
    journal::is_going_on(folder, name)
        .then(|| format!("{name} is still going on in another callsweep: wait for its end"))
}

/// Lists every extension that the run planned on and settles what can be settled by that.
fn look(record: &Record, opened: &Opened) -> Result<Found> {
    let profile = &opened.profile;
    let mut numbers: Vec<ExtensionNumber> =
        record.events.iter().map(|planned| planned.event.key.extension.clone()).collect();
    numbers.dedup();
    let client = profile::client(profile, Writes::ReadOnly)?;
    let ports = Arc::new(Ports::new(client, Vec::new(), Vec::new(), PathBuf::new()));
    let hands = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .wrap_err("the network runtime cannot start")?;
    let listed = hands.block_on(runtime::list_all(&ports, &numbers, profile.concurrency, || ()));
    let mut store = EventStore::default();
    let (mut revised, mut surplus) = (Vec::new(), Vec::new());
    let mut whole = true;
    for (number, listed) in numbers.iter().zip(listed) {
        match listed {
            Listed::Answered(Ok(listing)) => {
                whole &= listing.is_complete();
                surplus.extend(gone_beside(record, number, &listing));
                settle(record, listing, &mut store, &mut revised);
            }
            Listed::Answered(Err(failure)) => {
                whole = false;
                remark(&format!("{number} could not be read: {failure}"));
            }
            Listed::NotAsked => whole = false,
        }
    }
    let mut outcomes: Vec<Outcome> =
        record.events.iter().map(|planned| planned.outcome.clone()).collect();
    for (place, outcome) in &revised {
        if let Some(known) = outcomes.get_mut(*place) {
            known.clone_from(outcome);
        }
    }
    let end = RunEnd { tally: Tally::over(&outcomes), revised, surplus, verified: whole };
    Ok(Found { end, selection: Selection::of_marks(&store), whole })
}

/// Marks what is left of the plan on one extension: still there and still the same.
fn settle(
    record: &Record,
    listing: Listing,
    store: &mut EventStore,
    revised: &mut Vec<(usize, Outcome)>,
) {
    let extension = listing.extension().clone();
    let mut left = Vec::new();
    for (place, planned) in record.events.iter().enumerate() {
        if planned.event.key.extension != extension {
            continue;
        }
        if let Some(better) = settled_by_listing(&planned.event, &planned.outcome, &listing) {
            revised.push((place, better));
        }
        let open = match planned.outcome {
            Outcome::NotSent(_) | Outcome::Unknown(_) => true,
            Outcome::Deleted
            | Outcome::AlreadyGone
            | Outcome::Refused(_)
            | Outcome::Restored(_) => false,
        };
        let row = listing.find(&planned.event.key);
        let same = |row: &usize| {
            listing.row(*row).is_some_and(|listed| listed.to_event() == planned.event)
        };
        left.extend(row.filter(|row| open && same(row)));
    }
    store.insert(listing);
    store.set_marks(&extension, left, true);
}

fn gone_beside(record: &Record, extension: &ExtensionNumber, listing: &Listing) -> Vec<EventKey> {
    let on_it = record.bystanders.iter().filter(|event| event.key.extension == *extension);
    let gone = on_it.filter(|event| listing.is_complete() && listing.find(&event.key).is_none());
    gone.map(|event| event.key.clone()).collect()
}
