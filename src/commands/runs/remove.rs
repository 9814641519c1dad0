//! `callsweep runs --remove`: run files hold customers' URLs and notes, and nothing removes them by
//! itself. What is needed for a way back stays.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use color_eyre::eyre::Result;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::list::{is_meant, line, table, told};
use super::{RunFormat, RunsArguments, choose, print};
use crate::change::Summary;
use crate::commands::counted;
use crate::commands::ending::{Ending, remark};
use crate::commands::profile;
use crate::commands::question::confirmed;
use crate::config::{self, Environment, Flags};
use crate::journal::{self, Kind, Place};
use crate::log::{self, Level};

/// What is removed, and what of the runs that are meant is not, each with the reason.
#[derive(Debug, Default)]
struct Sorted<'a> {
    /// Each run with its undos behind it.
    goes: Vec<Vec<&'a Summary>>,
    stays: Vec<(&'a str, String)>,
}

/// What came of it.
#[derive(Debug, Default)]
struct Removed<'a> {
    gone: Vec<&'a Summary>,
    failed: Vec<(&'a str, String)>,
}

const CANCELLED: &str = "cancelled: nothing was removed";

/// Lists what would go, asks, and removes it.
pub(super) fn remove(
    meant: &[String],
    arguments: &RunsArguments,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    let state = config::state_dir(environment)?;
    profile::start_log(&state, "run files are removed", environment);
    let folder = state.join("runs");
    let before = arguments.before.as_deref().map(|date| moment(date, &TimeZone::system()));
    let before = before.transpose()?;
    if meant.is_empty() == before.is_none() {
        let why = "--remove needs the runs to remove, or --before DATE, and not both";
        return Err(Ending::Usage.refusing(why));
    }
    let (all, _) = told(&folder)?;
    let chosen: BTreeSet<String> = match before {
        Some(before) => {
            let ours = |run: &&Summary| is_meant(run, flags);
            let is_old = |run: &&Summary| began(run).is_some_and(|at| at < before);
            all.iter().filter(ours).filter(is_old).map(|run| run.name.clone()).collect()
        }
        None => named(meant, &folder, flags, environment)?,
    };
    let Sorted { goes, stays } = sorted(&all, &chosen, before, arguments.force);
    for (name, why) in &stays {
        remark(&format!("{name} stays: {why}"));
    }
    let is_sure = goes.is_empty() || arguments.yes || is_confirmed(&goes)?;
    let removed = is_sure.then(|| removed(&folder, &goes));
    Ok(told_of(&goes, removed, stays, arguments.format))
}

/// Lists what would go, and asks.
fn is_confirmed(goes: &[Vec<&Summary>]) -> Result<bool> {
    let all = goes.concat();
    table(&all, &mut io::stderr())?;
    let files = counted(all.len(), "run file");
    confirmed(
        &format!("remove {files}, so that nothing of them can be shown or undone"),
        None,
        "not a terminal, so nobody can confirm: pass --yes",
    )
}

/// Removes each run, then its undos: without them it would look as if nothing of it were back.
fn removed<'a>(folder: &Path, goes: &[Vec<&'a Summary>]) -> Removed<'a> {
    let mut removed = Removed::default();
    for run in goes {
        for file in run {
            match journal::remove(folder, &file.name) {
                Ok(()) => {
                    log::tell(Level::Info, format_args!("removed run {}", file.name), "");
                    removed.gone.push(file);
                }
                Err(error) => {
                    remark(&format!("{} could not be removed: {error}", file.name));
                    removed.failed.push((&file.name, error.to_string()));
                    break;
                }
            }
        }
    }
    removed
}

/// Prints what was removed, or would be where nobody said yes.
fn told_of(
    goes: &[Vec<&Summary>],
    removed: Option<Removed<'_>>,
    stays: Vec<(&str, String)>,
    format: RunFormat,
) -> Ending {
    let all = goes.concat();
    let is_sure = removed.is_some();
    let Removed { gone, failed } = removed.unwrap_or_default();
    let ending = match (all.len(), gone.len()) {
        (0, _) if stays.is_empty() => Ending::Done,
        (0, _) => Ending::Refused,
        _ if !is_sure => Ending::Refused.because(CANCELLED),
        (_, 0) => Ending::Failed,
        (all, gone) if gone == all && stays.is_empty() => Ending::Done,
        _ => Ending::InPart,
    };
    let rows = if is_sure { gone } else { all };
    let kept = stays.into_iter().chain(failed);
    let kept: Vec<Value> = kept.map(|(run, why)| json!({"run": run, "why": why})).collect();
    let lines: Vec<_> = rows.iter().map(|run| line(run)).collect();
    let error = (!is_sure).then_some(CANCELLED);
    let document = json!({"runs": lines, "removed": is_sure, "kept": kept, "error": error});
    ending.written(print(format, document, |out| match rows.as_slice() {
        [] => writeln!(out, "nothing removed"),
        _ if !is_sure => Ok(()),
        rows => {
            table(rows, out)?;
            writeln!(out, "{} removed", counted(rows.len(), "run file"))
        }
    }))
}

/// The names of the runs that are meant.
fn named(
    meant: &[String],
    folder: &Path,
    flags: &Flags,
    environment: &Environment,
) -> Result<BTreeSet<String>> {
    let origin = || Ok(config::load(flags, environment)?.target.origin);
    let mut names = BTreeSet::new();
    for run in meant {
        let Place { folder: home, name } = choose(folder, run, origin)?;
        if home != folder {
            let why = format!("{run:?} lies outside the run files: remove it as any other file");
            return Err(Ending::Usage.refusing(why));
        }
        names.insert(name);
    }
    Ok(names)
}

/// Parts what is chosen. The undos of a run go with it, and none goes without it.
fn sorted<'a>(
    all: &'a [Summary],
    chosen: &'a BTreeSet<String>,
    before: Option<Timestamp>,
    force: bool,
) -> Sorted<'a> {
    let mut sorted = Sorted::default();
    for name in chosen.iter().filter(|name| all.iter().all(|run| run.name != **name)) {
        sorted.stays.push((name, "it cannot be read: remove it as any other file".to_owned()));
    }
    for run in all.iter().filter(|run| chosen.contains(&run.name)) {
        let of = run.undoes.as_ref().filter(|_| run.kind == Kind::Undo);
        if let Some(of) = of.filter(|of| all.iter().any(|run| run.name == **of)) {
            if !chosen.contains(of) {
                let why = format!("it belongs to {of}: an undo goes with its run");
                sorted.stays.push((&run.name, why));
            }
            continue;
        }
        let is_its_undo = |it: &&Summary| it.undoes.as_ref() == Some(&run.name);
        let undos: Vec<&Summary> = all.iter().filter(is_its_undo).collect();
        match why_it_stays(run, &undos, before, force) {
            Some(why) => sorted.stays.push((&run.name, why)),
            None => sorted.goes.push([run].into_iter().chain(undos).collect()),
        }
    }
    sorted
}

/// Why a run is kept; `None` where nobody needs it any more, or where that is told not to matter. What
/// is going on is kept in any case.
fn why_it_stays(
    run: &Summary,
    undos: &[&Summary],
    before: Option<Timestamp>,
    force: bool,
) -> Option<String> {
    if let Some(busy) = undos.iter().chain([&run]).find(|it| it.is_going_on) {
        return Some(format!("{} is going on right now", busy.name));
    }
    let is_later =
        |undo: &&&Summary| before.is_some_and(|at| began(undo).is_none_or(|it| it >= at));
    if let Some(undo) = undos.iter().find(is_later) {
        return Some(format!("its undo {} did not begin before that date", undo.name));
    }
    if force {
        return None;
    }
    if let Some(open) = undos.iter().chain([&run]).find(|it| it.finished.is_none()) {
        return Some(format!("{} was interrupted; --force removes it all the same", open.name));
    }
    if let Some(unsure) = run.undone.as_ref().filter(|it| it.not_back == 0 && it.by().is_none()) {
        return Some(format!(
            "no list showed all that its undo {} made: callsweep undo {} looks again, --force \
             removes it all the same",
            unsure.run, run.name
        ));
    }
    match run.not_back() {
        0 => None,
        left => {
            let events = counted(left, "event");
            let are = if left == 1 { "is" } else { "are" };
            Some(format!(
                "{events} of it {are} not back: callsweep undo {} restores, --force removes it all \
                 the same",
                run.name
            ))
        }
    }
}

fn began(run: &Summary) -> Option<Timestamp> {
    run.started.parse().ok()
}

/// The moment that a date means: a day, a month or a year begins at midnight, local time.
///
/// # Errors
/// When it is no date.
fn moment(written: &str, local: &TimeZone) -> Result<Timestamp> {
    let day = |text: &str| text.parse::<Date>().ok();
    let plain = written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let day = match written.len() {
        4 if plain => day(&format!("{written}-01-01")),
        7 if plain => day(&format!("{written}-01")),
        10 if plain => day(written),
        _ => None,
    };
    let time = || written.parse::<jiff::civil::DateTime>().ok();
    let civil = day.map(|day| day.to_datetime(jiff::civil::Time::midnight()));
    // A time with a zone tells its moment itself.
    let zoned = written.parse::<Timestamp>().ok();
    let local = || local.to_timestamp(civil.or_else(time)?).ok();
    zoned.or_else(local).ok_or_else(|| {
        Ending::Usage.refusing(format!("{written:?} is no date: write it as 2024-05-31"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;

    #[test]
    fn a_date_begins_at_midnight_where_the_operator_is() {
        let local = TimeZone::fixed(Offset::constant(2));
        let said = |text: &str| moment(text, &local).map(|at| at.to_string()).ok();
        assert_eq!(said("2024-05-31").as_deref(), Some("2024-05-30T22:00:00Z"));
        assert_eq!(said("2024-05").as_deref(), Some("2024-04-30T22:00:00Z"));
        assert_eq!(said("2024").as_deref(), Some("2023-12-31T22:00:00Z"));
        assert_eq!(said("2024-05-31T10:00").as_deref(), Some("2024-05-31T08:00:00Z"));
        assert_eq!(said("2024-05-31T10:00:00Z").as_deref(), Some("2024-05-31T10:00:00Z"));
        for no in ["", "yesterday", "31.5.2024", "2024-13-01", "20240", "-1y", "2024-02-30"] {
            assert_eq!(said(no), None, "{no:?}");
        }
    }
}
