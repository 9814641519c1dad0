//! `callsweep delete`: the events that arguments name, planned and run as on the screen.

use std::path::Path;

use clap::Args;
use color_eyre::eyre::{Result, eyre};

use super::ending::{Ending, remark};
use super::list::{self, parse_type};
use super::machine;
use super::profile;
use super::runs::{self, Told};
use super::{Consent, Opened};
use crate::change::{Plan, Selection};
use crate::config::{self, Environment, Flags};
use crate::domain::{EventStore, EventType, EventView, Expression, Extension, Listing};
use crate::runtime::Listed;

/// Which events, and how sure their deletion is.
#[derive(Debug, Args)]
pub struct DeleteArguments {
    /// Only events of this type on the extensions named; may be repeated
    #[arg(long = "type", value_name = "T", value_parser = parse_type)]
    types: Vec<EventType>,
    /// Only events with this id on the extensions named; may be repeated
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// The events of all extensions for which this holds, in place of --extension
    #[arg(long = "where", value_name = "EXPR", conflicts_with_all = ["types", "ids"])]
    expression: Option<String>,
    /// How sure.
    #[command(flatten)]
    consent: Consent,
}

/// Which events are meant.
pub(super) enum Wanted {
    Where(Expression),
    Named { types: Vec<EventType>, ids: Vec<String> },
}

impl Wanted {
    fn parse(arguments: &DeleteArguments, flags: &Flags) -> Result<Self> {
        let Some(text) = &arguments.expression else {
            if flags.extensions.is_empty() {
                return Err(eyre!(
                    "name what to delete: --extension N, with --type or --id for a part of it, or \
                     --where EXPR"
                ));
            }
            let (types, ids) = (arguments.types.clone(), arguments.ids.clone());
            return Ok(Self::Named { types, ids });
        };
        if !flags.extensions.is_empty() {
            return Err(eyre!("write ext:N in --where in place of --extension N"));
        }
        let expression = Expression::parse(text)
            .map_err(|error| eyre!("--where: {error}\n{}", error.pointed_at(text)))?;
        if expression.is_empty() {
            return Err(eyre!("--where is empty, which would mean every event: name some"));
        }
        Ok(Self::Where(expression))
    }

    /// Marks what is meant of an extension.
    pub(super) fn mark(&self, store: &mut EventStore, extension: &Extension, listing: Listing) {
        match self {
            Self::Where(expression) => {
                store.insert_whole(listing);
                store.set_marks_where(expression, extension, true);
            }
            Self::Named { types, ids } => {
                let named = |event: EventView<'_>| {
                    (types.is_empty() || types.contains(&event.event_type()))
                        && (ids.is_empty() || ids.iter().any(|id| id == event.id()))
                };
                let rows = 0..listing.len();
                let rows: Vec<usize> =
                    rows.filter(|row| listing.row(*row).is_some_and(named)).collect();
                store.insert_whole(listing);
                store.set_marks(&extension.number, rows, true);
            }
        }
    }
}

/// Lists, plans, asks, sends and prints.
///
/// # Errors
/// When arguments or profile cannot be used; what fails later is said here and is in the ending.
pub(super) fn run(
    arguments: &DeleteArguments,
    demo: bool,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    let wanted = Wanted::parse(arguments, flags)?;
    let folder = config::state_dir(environment)?.join("runs");
    let opened = profile::open(demo, flags, environment)?;
    let (selection, whole) = match select(&opened, &wanted, flags)? {
        Ok(selected) => selected,
        Err(ending) => return Ok(ending),
    };
    if selection.is_empty() {
        let written = runs::print(arguments.consent.format, Told::of_plan(None), |_| Ok(()));
        let ending = Ending::Refused.because("no event is meant by that: nothing was sent");
        return Ok(ending.written(written));
    }
    let ending = carry_out(&selection, &opened, &folder, &arguments.consent)?;
    Ok(if whole || ending != Ending::Done { ending } else { Ending::InPart })
}

/// Plans, asks, sends and prints.
///
/// # Errors
/// When the terminal cannot be asked; what fails later is in the ending.
fn carry_out(
    selection: &Selection,
    opened: &Opened,
    folder: &Path,
    consent: &Consent,
) -> Result<Ending> {
    let profile = &opened.profile;
    let form = profile.wide_calls.widest();
    match Plan::freeze(profile.target.clone(), selection, form, profile.max_delete) {
        Ok(plan) => machine::carry_out(plan, opened, folder, consent),
        Err(refused) => Ok(Ending::Refused.because(&refused.to_string())),
    }
}

/// Lists what may hold wanted events and chooses them; false with it where something could not be
/// listed.
fn select(
    opened: &Opened,
    wanted: &Wanted,
    flags: &Flags,
) -> Result<Result<(Selection, bool), Ending>> {
    let (discovery, listed) = match list::read(opened, flags)? {
        Ok(found) => found,
        Err(failure) => {
            let why = format!("nothing was sent, as the extensions are not known: {failure}");
            return Ok(Err(Ending::Failed.because(&why)));
        }
    };
    let mut whole = discovery.complete;
    let mut store = EventStore::default();
    for (extension, listed) in discovery.extensions.iter().zip(listed) {
        match listed {
            Listed::Answered(Ok(listing)) => {
                whole &= listing.is_complete();
                wanted.mark(&mut store, extension, listing);
            }
            Listed::Answered(Err(failure)) => {
                whole = false;
                remark(&format!("{} could not be read: {failure}", extension.number));
            }
            Listed::NotAsked => whole = false,
        }
    }
    if !whole {
        remark("not everything could be read: what is not known is not deleted");
    }
    Ok(Ok((Selection::of_marks(&store), whole)))
}
