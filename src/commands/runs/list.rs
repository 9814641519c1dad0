//! `callsweep runs`: every run of this state folder, a row each.

use std::io::{self, Write};
use std::path::Path;

use color_eyre::eyre::Result;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;
use url::Url;

use super::{RunFormat, counts, print, stopped};
use crate::change::{Summary, Tally, Undone};
use crate::commands::ending::{Ending, remark};
use crate::config::{self, Environment, Flags};
use crate::domain::Foreign;
use crate::journal;

/// The columns; the last one, of what happened, runs on.
const HEADINGS: [&str; 6] = ["RUN", "STARTED", "KIND", "PROFILE", "STATE", "RESULT"];

/// Prints all runs, newest first, or those of one profile where one is named. A file that cannot be
/// read is named and costs the others nothing.
pub(super) fn list(format: RunFormat, flags: &Flags, environment: &Environment) -> Result<Ending> {
    let folder = config::state_dir(environment)?.join("runs");
    let (mut runs, ending) = told(&folder)?;
    runs.retain(|run| is_meant(run, flags));
    let lines: Vec<_> = runs.iter().map(line).collect();
    let written = print(format, json!({ "runs": lines }), |out| match &flags.profile {
        _ if !runs.is_empty() => table(&runs.iter().collect::<Vec<_>>(), out),
        Some(profile) => writeln!(out, "no run of profile {} yet", Foreign::from(&**profile)),
        None => writeln!(out, "no run yet; run files are kept in {}", folder.display()),
    });
    Ok(ending.written(written))
}

/// Whether a run is of the profile, or of the PBX, that the flags name, if they do.
pub(super) fn is_meant(run: &Summary, flags: &Flags) -> bool {
    let origin = |url: &String| Url::parse(url).map(|url| url.origin().ascii_serialization());
    flags.profile.as_ref().is_none_or(|name| run.profile == *name)
        && flags.url.as_ref().is_none_or(|url| origin(url).is_ok_and(|it| run.is_at(&it)))
}

/// The runs of a folder; names on standard error what cannot be used there.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn told(folder: &Path) -> Result<(Vec<Summary>, Ending)> {
    let told = journal::summaries(folder)?;
    told.remarks(|_| true).iter().for_each(|sentence| remark(sentence));
    Ok((told.runs, if told.refused.is_empty() { Ending::Done } else { Ending::InPart }))
}

/// Columns as wide as what is in them.
pub(super) fn table(runs: &[&Summary], out: &mut dyn Write) -> io::Result<()> {
    let local = TimeZone::system();
    let cells = |run: &Summary| {
        let profile = Foreign::from(run.profile.as_str()).to_string();
        let kind = run.kind.name().to_owned();
        [run.name.clone(), run.begun(&local), kind, profile, run.state(), run.words()]
    };
    let rows: Vec<[String; 6]> = runs.iter().map(|run| cells(run)).collect();
    let mut widths = HEADINGS.map(UnicodeWidthStr::width);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    for row in std::iter::once(&HEADINGS.map(ToOwned::to_owned)).chain(&rows) {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// A run as machine output has it.
pub(super) fn line(run: &Summary) -> Map<String, Value> {
    // Nothing is left of what holds events only.
    let tally = if run.kind.keeps() { Tally::default() } else { run.tally };
    let undone = run.undone.as_ref();
    let mut line = counts(&run.tally);
    line.extend(
        [
            ("run", json!(run.name)),
            ("profile", json!(run.profile)),
            ("origin", json!(run.origin)),
            ("kind", json!(run.kind.name())),
            ("started", json!(run.started)),
            ("finished", json!(run.finished)),
            ("planned", json!(run.planned)),
            ("undone_by", json!(undone.and_then(Undone::by))),
            ("undo", json!(undone.map(undo_fields))),
            ("stopped_by", json!(run.stop.as_ref().map(|stop| stopped(stop, &tally)))),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    line
}

/// How far a run is undone, as machine output has it.
fn undo_fields(undo: &Undone) -> Value {
    let Undone { run, restored, altered, not_back, is_over: _ } = undo;
    json!({ "run": run, "restored": restored, "altered": altered, "not_back": not_back })
}
