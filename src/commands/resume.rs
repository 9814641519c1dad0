//! `callsweep resume`: a run that did not do everything is settled by listing, and what is still
//! there and still the same is deleted, in the same run file.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use color_eyre::eyre::{Report, Result, eyre};

use super::ending::{Ending, remark};
use super::machine::{self, GoOn};
use super::profile::{self, Opened};
use super::progress::Progress;
use super::runs;
use super::{Consent, counted};
use crate::api::Writes;
use crate::change::{Check, Plan, RunEnd, Selection, TakenUp};
use crate::config::{self, Environment, Flags};
use crate::domain::{CallForm, EventKey, EventStore};
use crate::journal::{self, Kind, Lock, Record, RunFile};
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

/// What the listings showed of a run that did not do everything.
struct Found {
    end: RunEnd,
    selection: Selection,
    /// Everything could be listed.
    whole: bool,
    /// Before it was listed.
    listed: Instant,
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
    if let Some(why) = not_resumable(&record, &folder) {
        return Err(Ending::Refused.refusing(why));
    }
    let opened = profile::open(demo, flags, environment)?;
    if let Err(refused) = record.is_of(&opened.profile.target) {
        return Err(Ending::Usage.refusing(refused.to_string()));
    }
    let consent = &arguments.consent;
    let job = Job { record: &record, opened: &opened, folder: &folder, consent };
    // Without a question the yes is said already, and one look under the lock is enough.
    let lock = (consent.yes && !consent.dry_run).then(|| job.lock()).transpose()?;
    let found = look(&record, &opened, None)?;
    let left = counted(found.selection.len(), "event");
    let how = if record.finished.is_some() { "stopped" } else { "broke off" };
    remark(&format!("run {} {how}: {}; {left} left", record.name, found.end.tally));
    if !found.whole {
        let why = "nothing was sent, as not everything could be listed";
        return Err(Ending::Failed.refusing(why));
    }
    if found.selection.is_empty() {
        return job.close(&found, lock);
    }
    job.go_on(found, lock)
}

fn unwritten(error: &io::Error) -> Report {
    let why = format!("nothing was sent: the run file cannot be written: {error}; make room");
    Ending::Failed.refusing(why)
}

/// A run that is gone on with.
struct Job<'a> {
    record: &'a Record,
    opened: &'a Opened,
    folder: &'a Path,
    consent: &'a Consent,
}

impl Job<'_> {
    fn lock(&self) -> Result<Lock> {
        let lock = Lock::take(self.folder, &self.opened.profile.target.origin);
        lock.map_err(|refused| Ending::Refused.refusing(format!("nothing was sent: {refused}")))
    }

    /// Writes what was found, where nothing is left to be sent.
    fn close(&self, found: &Found, lock: Option<Lock>) -> Result<Ending> {
        if self.consent.dry_run {
            return Err(Ending::Done.refusing("nothing is left to be sent"));
        }
        let lock = lock.map_or_else(|| self.lock(), Ok)?;
        let closed = RunFile::go_on(self.folder, self.record, &found.end, Vec::new())
            .and_then(|file| file.holding(Some(lock)).finish(&found.end));
        closed.map_err(|error| unwritten(&error))?;
        remark("nothing is left to be sent: the run is closed");
        let record = runs::read(self.folder, &self.record.name)?;
        let shown = runs::print_run(&record, self.consent.format);
        Ok(if record.took_as_planned() || shown != Ending::Done { shown } else { Ending::InPart })
    }

    /// Asks and sends what is left, by event calls, with the lines of the same file.
    fn go_on(&self, mut found: Found, lock: Option<Lock>) -> Result<Ending> {
        let profile = &self.opened.profile;
        let freeze = |selection: &Selection| {
            let (target, most) = (profile.target.clone(), profile.max_delete);
            Plan::freeze(target, selection, CallForm::Event, most)
        };
        let mut plan = freeze(&found.selection)
            .map_err(|refused| Ending::Refused.refusing(refused.to_string()))?;
        if let Some(ending) = machine::held_back(&plan, profile, self.consent)? {
            return Ok(ending);
        }
        let lock = if let Some(lock) = lock {
            lock
        } else {
            let lock = self.lock()?;
            // Never more than what was asked about, and only what is still as it was.
            let asked = plan.events().iter().map(|event| event.key.clone()).collect();
            found = look(self.record, self.opened, Some(&asked))?;
            if !found.whole {
                let why = "nothing was sent, as not everything could be listed again";
                return Err(Ending::Failed.refusing(why));
            }
            match freeze(&found.selection) {
                Ok(newer) => plan = newer,
                Err(_) => return self.close(&found, Some(lock)),
            }
            lock
        };
        self.send(plan, &found, lock)
    }

    fn send(&self, plan: Plan, found: &Found, lock: Lock) -> Result<Ending> {
        let Self { record, opened, folder, consent } = self;
        let places = record.places_of(plan.events());
        let file = RunFile::go_on(folder, record, &found.end, places.clone())
            .map_err(|error| unwritten(&error))?
            .holding(Some(lock));
        let going_on = Some(GoOn { file, places });
        machine::send(plan, opened, folder, consent.format, found.listed, going_on)
    }
}

fn not_resumable(record: &Record, folder: &Path) -> Option<String> {
    let name = &record.name;
    match record.kind {
        Kind::Delete => {}
        Kind::Undo => {
            let undone = record.undoes.as_deref().unwrap_or("RUN");
            return Some(format!("{name} is an undo: callsweep undo {undone} takes it up"));
        }
        kind @ (Kind::Change | Kind::Backup) => {
            return Some(format!("{name} is a {}: it cannot be gone on with", kind.name()));
        }
    }
    if let Some(busy) = runs::going_on(record, folder) {
        return Some(busy);
    }
    let tally = record.tally();
    if record.finished.is_some() && tally.left() == 0 {
        return Some(format!("{name} came to its end: there is nothing to resume"));
    }
    let undos = match journal::undone(folder) {
        Ok(undos) => undos,
        Err(error) => return Some(format!("{} cannot be read ({error})", folder.display())),
    };
    if let Some((undo, _)) = undos.iter().find(|(_, of)| of == name) {
        return Some(format!(
            "the undo of {name} has begun ({undo}): callsweep undo {name} goes on with it"
        ));
    }
    let why = record.is_whole().err()?;
    Some(format!("{why}; callsweep undo {name} brings back what it took"))
}

/// Lists every extension that the run planned on and settles what can be settled by that.
/// Only events of `among` are left to be sent, where it is given.
fn look(record: &Record, opened: &Opened, among: Option<&HashSet<EventKey>>) -> Result<Found> {
    let began = machine::clock();
    let profile = &opened.profile;
    let numbers: Vec<_> = record.extensions().cloned().collect();
    let client = profile::client(profile, Writes::ReadOnly)?;
    let ports = Arc::new(Ports::new(client, Vec::new(), Vec::new(), PathBuf::new()));
    let mut progress = Progress::of(numbers.len(), "extensions");
    let step = || progress.step();
    let listing = runtime::list_all(&ports, &numbers, profile.concurrency, step);
    let listed = super::hands()?.block_on(listing);
    drop(progress);
    let mut store = EventStore::default();
    let (mut taken, mut whole) = (TakenUp::default(), true);
    for (number, listed) in numbers.into_iter().zip(listed) {
        match listed {
            Listed::Answered(Ok(listing)) => {
                whole &= listing.is_complete();
                let mut left = record.look(&listing, &mut taken);
                if let Some(among) = among {
                    let key = |row: usize| listing.row(row).map(|listed| listed.key());
                    left.retain(|row| key(*row).is_some_and(|key| among.contains(&key)));
                }
                store.insert_whole(listing);
                store.set_marks(&number, left, true);
            }
            Listed::Answered(Err(failure)) => {
                whole = false;
                remark(&format!("{number} could not be read: {failure}"));
            }
            Listed::NotAsked => whole = false,
        }
    }
    let check = if whole { Check::Agrees } else { Check::NotChecked };
    let end = taken.end(record.events.iter().map(|planned| &planned.outcome), check);
    Ok(Found { end, selection: Selection::of_marks(&store), whole, listed: began })
}
