//! `callsweep undo`: re-creates what a run took and is not there now, each event once; what it changed
//! gets its old values back.

use std::path::Path;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use color_eyre::eyre::{Result, eyre};

use super::arguments::{Consent, ProfileArguments, ReadOnlyArgument, RunFormat};
use super::completions;
use super::ending::{Ending, remark};
use super::look::{Seen, look};
use super::profile::{self, Opened};
use super::{counted, machine, runs};
use crate::change::{Omitted, STILL_LISTED, StandIn, WayBack};
use crate::config::{self, Environment, Flags};
use crate::domain::{Cause, EventKey, ExtensionNumber, Foreign};
use crate::journal::{self, Way};
use crate::runtime::{self, Ports};

/// Which run, and how sure its undo is.
#[derive(Debug, Args)]
pub struct UndoArguments {
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

/// Lists, plans, asks, makes and prints.
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
    let origin = || Ok(opened.profile.target.origin.clone());
    let place = runs::choose(&folder, &arguments.run, origin)?;
    let way = journal::way_back(&folder, &place, opened.profile.rules.timeout)
        .map_err(|refused| Ending::Usage.refusing(refused.to_string()))?;
    runs::tell_flaws(&way.record);
    way.record
        .is_at(&opened.profile.target.origin)
        .and_then(|()| way.record.is_alone(&folder))
        .map_err(|refused| Ending::Usage.refusing(refused.to_string()))?;
    if let Err(busy) = way.record.is_left_alone(&folder) {
        return Err(Ending::Refused.refusing(busy.to_string()));
    }
    let settles_in = way.loss.settles_in();
    if !settles_in.is_zero() {
        let seconds = settles_in.as_secs() + 1;
        remark(&format!("lists may not show yet what the run wrote: waiting {seconds} s"));
    }
    opened.hands()?.block_on(runtime::catch_up(&way.loss, runtime::speed()));
    let numbers: Vec<ExtensionNumber> = way.loss.extensions().cloned().collect();
    let Seen { route, store, .. } = look(&way.record, &numbers, &opened, |store, listing| {
        store.insert(listing);
    })?;
    let found = way.loss.way_back(route.target().clone(), |number| store.listing(number), false);
    tell(&way, &found);
    let consent = &arguments.consent;
    let WayBack { plan, there, stand_ins, .. } = found;
    let is_whole = way.is_whole && stand_ins.is_empty();
    let omitted = stand_ins.into_iter().map(|it| Omitted { why: it.words(), key: it.key });
    let plan = match plan {
        Ok(plan) => plan.omitting(omitted),
        Err(refused) => {
            let all_there = refused.is_done() && !consent.dry_run;
            let close = || close(&way, &there, (&opened, &folder), consent.format);
            let closed = all_there.then(close).transpose()?.flatten();
            return closed.ok_or_else(|| Ending::Refused.refusing(refused.to_string()));
        }
    };
    // Each holds all that the run took, and none is needed to make it again.
    drop((way, store, there));
    let must_type = opened.profile.rules.protected || route.differs().is_some();
    if let Some(ending) = machine::held_back(&plan, &opened.profile, consent, must_type)? {
        return Ok(ending);
    }
    let sent = machine::send(plan, &opened, &folder, consent.format, machine::clock())?;
    Ok(if !is_whole && sent == Ending::Done { Ending::InPart } else { sent })
}

/// Nothing is left to be made: the file of the undo that was begun says so from here on. `None` where
/// it says so already.
fn close(
    way: &Way,
    there: &[(EventKey, Foreign)],
    (opened, folder): (&Opened, &Path),
    format: RunFormat,
) -> Result<Option<Ending>> {
    let Some(name) = way.loss.begun() else { return Ok(None) };
    let client = opened.client()?.read_only();
    let ports = Ports::new(client, Vec::new(), Vec::new(), folder.to_owned());
    let closed = runtime::close_undo(&ports, name, there).map_err(|failure| {
        let locked = failure.cause == Cause::Locked;
        let ending = if locked { Ending::Refused } else { Ending::Failed };
        ending.refusing(failure.to_string())
    })?;
    if !closed {
        return Ok(None);
    }
    remark(&format!("every event of {} has already been restored", way.record.name));
    Ok(Some(runs::print_run(&runs::read(folder, name)?, folder, format)))
}

/// What an operator has to know before a yes.
fn tell(way: &Way, found: &WayBack) {
    for what in &way.remarks {
        remark(what);
    }
    if !found.stand_ins.is_empty() {
        let events = counted(found.stand_ins.len(), "event");
        let why = if way.loss.is_of_change() {
            "left out, whole or in part, as changed since by somebody else or by the PBX"
        } else {
            "left out, as something stands in for them"
        };
        remark(&format!("{events} {why}:"));
    }
    let named = |key: &EventKey| format!("{} {} {}", key.extension, key.event_type, key.id);
    for StandIn { key, by, fields } in &found.stand_ins {
        let fields = fields.join(" and ");
        remark(&format!("  {}: {} is there with another {fields}", named(key), by.id));
    }
    if !found.others.is_empty() {
        let events = counted(found.others.len(), "event");
        remark(&format!("{events} of the same extension and type there with another URL:"));
    }
    for key in &found.others {
        remark(&format!("  {}", named(key)));
    }
    if !found.listed.is_empty() {
        let events = counted(found.listed.len(), "event");
        remark(&format!("{events} {STILL_LISTED}"));
    }
    if !found.twice.is_empty() {
        let events = counted(found.twice.len(), "event");
        remark(&format!("{events} may be made twice, as an earlier POST had no clear answer:"));
    }
    for key in &found.twice {
        remark(&format!("  {}", named(key)));
    }
}
