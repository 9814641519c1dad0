//! `callsweep backup`: events are kept in a file of the operator's choice, for `callsweep undo FILE`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use color_eyre::eyre::Result;

use super::ending::{Ending, remark};
use super::selection::SelectionArguments;
use super::{chosen, counted, profile};
use crate::change::Plan;
use crate::config::{Environment, Flags};
use crate::journal;

/// Which events, and where they are kept.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// Where they are kept; a file that is there already is left alone
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which of the extensions named; --where in place of --extension means those of all of them.
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// Keep what could be listed also where that is not everything, and say so in the file
    #[arg(long)]
    in_part: bool,
}

/// Lists and keeps; nothing is sent but questions.
///
/// # Errors
/// When arguments or profile cannot be used, and where nothing is kept.
pub(super) fn run(
    arguments: &BackupArguments,
    demo: bool,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    let wanted = arguments.selection.named(flags)?;
    let file = &arguments.file;
    let shown = file.display();
    let failed = |why: String| Ending::Failed.refusing(format!("nothing was kept: {why}"));
    if file.symlink_metadata().is_ok() {
        return Err(failed(format!("{shown} is there already: name another file")));
    }
    let opened = profile::open(demo, flags, environment)?;
    let wanted = wanted.resolved(&opened.runs(environment)?, &opened)?;
    let (selection, whole, _) = chosen::select(&opened, &wanted)?;
    if !whole && !arguments.in_part {
        let why =
            "nothing was kept, as not everything could be listed whole: --in-part keeps the rest";
        return Err(Ending::Refused.refusing(why));
    }
    if selection.is_empty() {
        return Err(Ending::Refused.refusing("nothing was kept: that matches no event"));
    }
    let plan = Plan::backup(opened.profile.target.clone(), &selection);
    journal::write_backup(file, &plan, !whole).map_err(|error| {
        failed(format!("{shown} cannot be written ({error}): check the folder, and its room"))
    })?;
    let numbers: BTreeSet<_> = plan.events().iter().map(|event| &event.key.extension).collect();
    let (events, extensions) =
        (counted(plan.events().len(), "event"), counted(numbers.len(), "extension"));
    let part = if whole { "" } else { ", in part" };
    let what_for = if demo {
        "the demo forgets its world when it ends, so no undo fits it".to_owned()
    } else {
        format!("callsweep undo {shown} re-creates what is not there")
    };
    remark(&format!("{shown} keeps {events} of {extensions}{part}: {what_for}"));
    Ok(if whole { Ending::Done } else { Ending::InPart })
}
