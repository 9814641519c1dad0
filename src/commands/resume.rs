//! `callsweep resume`: a run that broke off is settled by listing, and what is still there and
//! still the same is deleted in a run of its own.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use color_eyre::eyre::{Result, eyre};

use super::Consent;
use super::counted;
use super::delete;
use super::ending::{Ending, remark};
use super::profile::{self, Opened};
use super::progress::Progress;
use super::runs::{self, RunFormat};
use crate::api::Writes;
use crate::config::{self, Environment, Flags};
use crate::deletion::{RunEnd, Selection, Tally, gone_beside, settled_by_listing};
use crate::domain::{EventStore, ExtensionNumber, Listing, Outcome};
use crate::journal::{self, Kind, Lock, Record, RecordedEvent};
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
    let lock = match arguments.yes.then(|| Lock::take(&folder, &target.origin)).transpose() {
        Ok(lock) => lock,
        Err(refused) => {
            return Ok(Ending::Refused.because(&format!("nothing was sent: {refused}")));
        }
    };
    let found = look(&record, &opened)?;
    remark(&format!(
        "run {} broke off: {}; {} left",
        record.name,
        found.end.tally,
        counted(found.selection.len(), "event")
    ));
    if !found.whole {
        return Ok(Ending::Failed.because("nothing was sent, as not everything could be listed"));
    }
    if found.selection.is_empty() {
        journal::close_broken(&folder, &record.name, &found.end)?;
        remark("nothing is left to be sent: the run is closed");
        return runs::show(&record.name, arguments.format, environment);
    }
    let consent = Consent { dry_run: false, yes: arguments.yes, format: arguments.format };
    let close = || journal::close_broken(&folder, &record.name, &found.end);
    delete::carry_out(&found.selection, &opened, &folder, &consent, lock, close)
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
    journal::is_going_on(folder, name).then(|| {
        let who = Lock::take(folder, &record.origin).err().map(|who| format!("; {who}"));
        let who = who.unwrap_or_else(|| ": wait for its end".to_owned());
        format!("{name} is still going on in another callsweep{who}")
    })
}

/// Lists every extension that the run planned on and settles what can be settled by that.
fn look(record: &Record, opened: &Opened) -> Result<Found> {
    let profile = &opened.profile;
    let mut groups: Vec<(ExtensionNumber, Range<usize>)> = Vec::new();
    for group in record.events.chunk_by(|a, b| a.event.key.extension == b.event.key.extension) {
        let start = groups.last().map_or(0, |(_, places)| places.end);
        let number = group.first().map(|planned| planned.event.key.extension.clone());
        groups.extend(number.map(|number| (number, start..start + group.len())));
    }
    let numbers: Vec<_> = groups.iter().map(|(number, _)| number.clone()).collect();
    let client = profile::client(profile, Writes::ReadOnly)?;
    let ports = Arc::new(Ports::new(client, Vec::new(), Vec::new(), PathBuf::new()));
    let mut progress = Progress::of(numbers.len(), "extensions");
    let step = || progress.step();
    let listing = runtime::list_all(&ports, &numbers, profile.concurrency, step);
    let listed = super::hands()?.block_on(listing);
    drop(progress);
    let mut store = EventStore::default();
    let (mut revised, mut surplus) = (Vec::new(), Vec::new());
    let mut whole = true;
    for ((number, places), listed) in groups.into_iter().zip(listed) {
        match listed {
            Listed::Answered(Ok(listing)) => {
                whole &= listing.is_complete();
                let beside = record.bystanders.iter();
                let beside = beside.filter(|event| event.key.extension == number);
                surplus.extend(gone_beside(beside, &listing));
                settle(record, places, listing, &mut store, &mut revised);
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
    places: Range<usize>,
    listing: Listing,
    store: &mut EventStore,
    revised: &mut Vec<(usize, Outcome)>,
) {
    let extension = listing.extension().clone();
    let swept = record.may_have_swept(&extension);
    let mut left = Vec::new();
    let planned = record.events.get(places.clone()).unwrap_or_default();
    for (place, RecordedEvent { event, outcome }) in places.zip(planned) {
        let own_doing =
            |gone| if swept && gone == Outcome::AlreadyGone { Outcome::Deleted } else { gone };
        let better = settled_by_listing(&event.key, outcome, &listing).map(own_doing);
        revised.extend(better.map(|better| (place, better)));
        let open = matches!(outcome, Outcome::NotSent(_) | Outcome::Unknown(_));
        let same =
            |row: &usize| listing.row(*row).is_some_and(|listed| listed.to_event() == *event);
        left.extend(listing.find(&event.key).filter(|row| open && same(row)));
    }
    store.insert_whole(listing);
    store.set_marks(&extension, left, true);
}
