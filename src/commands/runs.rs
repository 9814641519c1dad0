//! `callsweep runs` and `callsweep show`: what the run files tell, without the service.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::ValueEnum;
use color_eyre::eyre::Result;
use serde_json::{Value, json};

use super::ending::{Ending, remark};
use super::json::harmless;
use crate::config::{self, Environment};
use crate::deletion::Tally;
use crate::domain::{Foreign, Outcome};
use crate::journal::{self, Kind, Record, RecordedCall, RecordedEvent};

/// The forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// Lines for people
    Table,
    /// One JSON document
    Json,
}

/// Prints all runs, newest first. A file that cannot be read is named and costs the others nothing.
pub(super) fn list(format: RunFormat, environment: &Environment) -> Result<Ending> {
    let folder = config::state_dir(environment)?.join("runs");
    let mut ending = Ending::Done;
    let mut records = Vec::new();
    for (file, odd) in journal::odd_files(&folder)? {
        remark(&format!("{} {odd}", file.display()));
    }
    for name in journal::names(&folder)? {
        match Record::read(&folder, &name) {
            Ok(record) => {
                tell_flaws(&record);
                records.push(record);
            }
            Err(refused) => {
                remark(&refused.to_string());
                ending = Ending::InPart;
            }
        }
    }
    let undone_by = |record: &Record| {
        let undo = records.iter().find(|undo| undo.undoes.as_ref() == Some(&record.name));
        undo.map(|undo| undo.name.clone())
    };
    let lines: Vec<Value> =
        records.iter().map(|run| line(run, undone_by(run).as_deref())).collect();
    let written = print(format, &json!({ "runs": lines }), |out| {
        if records.is_empty() {
            return writeln!(out, "no run yet; run files are kept in {}", folder.display());
        }
        for record in &records {
            let (kind, words) = (record.kind.name(), record.tally());
            let undone = undone_by(record).map_or(String::new(), |by| format!(", undone by {by}"));
            let cut = match (&record.finished, &record.stopped) {
                (None, _) => " UNFINISHED:".to_owned(),
                (Some(_), Some(stop)) => format!(" STOPPED ({}):", stop.reason.name()),
                (Some(_), None) => String::new(),
            };
            writeln!(out, "{}  {kind}{cut} {words}{undone}", record.name)?;
        }
        Ok(())
    });
    Ok(ending.written(written))
}

/// Prints one run.
pub(super) fn show(run: &str, format: RunFormat, environment: &Environment) -> Result<Ending> {
    let folder = config::state_dir(environment)?.join("runs");
    let record = match read(&folder, run) {
        Ok(record) => record,
        Err(ending) => return Ok(ending),
    };
    tell_flaws(&record);
    let written = print(format, &document(&record), |out| {
        let finished = record.finished.as_deref().unwrap_or("not finished");
        let Record { name, profile, origin, user, started, plan_hash, .. } = &record;
        // Whoever can write the folder can have changed the file.
        let shown = |text: &str| Foreign::from(text).to_string();
        writeln!(out, "run       {name} ({})", record.kind.name())?;
        let [profile, origin, user] = [profile, origin, user].map(|text| shown(text));
        writeln!(out, "profile   {profile}, {origin} as {user}")?;
        writeln!(out, "time      {} to {}", shown(started), shown(finished))?;
        writeln!(out, "plan      {}", shown(plan_hash))?;
        if let Some(stop) = record.stop() {
            writeln!(out, "stopped   {} ({})", stop.message, stop.reason.name())?;
        }
        writeln!(out, "outcome   {}", record.tally())?;
        for planned in &record.events {
            writeln!(out, "{}", row(planned))?;
        }
        for (place, outcome) in &record.missing {
            writeln!(out, "{:<12}  event {place}: its line is damaged", outcome.name())?;
        }
        for key in &record.surplus {
            let number = key.event_type.number();
            writeln!(out, "GONE, NOT IN THE REVIEW  {} {number} {}", key.extension, key.id)?;
        }
        Ok(())
    });
    Ok(Ending::Done.written(written))
}

/// A run's record, or the ending that its lack makes.
pub(super) fn read(folder: &Path, run: &str) -> Result<Record, Ending> {
    Record::read(folder, run).map_err(|refused| Ending::Usage.because(&refused.to_string()))
}

pub(super) fn print(
    format: RunFormat,
    document: &Value,
    table: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match format {
        RunFormat::Table => table(&mut out)?,
        RunFormat::Json => writeln!(out, "{}", harmless(&format!("{document:#}")))?,
    }
    out.flush()
}

/// What machines read of a run that deleted or undid.
pub(super) fn document(record: &Record) -> Value {
    let events = record.events.iter().map(|planned| outcome(Some(planned), &planned.outcome));
    let missing = record.missing.iter().map(|(_, became)| outcome(None, became));
    let outcomes: Vec<Value> = events.chain(missing).collect();
    let surplus: Vec<Value> = record.surplus.iter().map(journal::named).collect();
    json!({
        "run": record.name, "plan_hash": record.plan_hash, "dry_run": false,
        "calls": record.calls, "outcomes": outcomes, "surplus": surplus,
        "summary": summary(&record.tally()), "verified": record.verified,
        "stopped_by": stopped_by(record),
    })
}

/// The same of a plan that was not run; without a hash there was not even a plan.
pub(super) fn not_run(plan_hash: &str, calls: &[RecordedCall]) -> Value {
    let plan_hash = Some(plan_hash).filter(|hash| !hash.is_empty());
    json!({
        "run": null, "plan_hash": plan_hash, "dry_run": true, "calls": calls, "outcomes": [],
        "surplus": [], "summary": summary(&Tally::default()), "verified": false,
        "stopped_by": null,
    })
}

/// Why a run ended before everything was done, and whether it can be gone on with.
fn stopped_by(record: &Record) -> Option<Value> {
    let stop = record.stop()?;
    let tally = record.tally();
    let left = tally.not_sent + tally.unknown + tally.refused;
    Some(json!({
        "reason": stop.reason.name(), "message": stop.message.raw(),
        "resumable": record.kind != Kind::Backup && left > 0, "not_before": null,
    }))
}

/// Names on standard error what a run file could not say.
pub(super) fn tell_flaws(record: &Record) {
    for flaw in &record.flaws {
        remark(&format!("run {}, {flaw}", record.name));
    }
}

/// What became of one event; of one whose line is lost nobody knows which it is.
fn outcome(planned: Option<&RecordedEvent>, outcome: &Outcome) -> Value {
    let key = planned.map(|planned| &planned.event.key);
    let failure = outcome.failure();
    json!({
        "extension": key.map(|key| key.extension.as_str()),
        "type": key.map(|key| key.event_type.number()), "id": key.map(|key| key.id.as_str()),
        "outcome": outcome.name().replace(' ', "_"),
        "code": failure.map(|failure| failure.code.raw()),
        "message": failure.map(|failure| failure.message.raw()),
        "http_status": failure.and_then(|failure| failure.http_status),
        "new_id": outcome.new_id().map(Foreign::raw),
    })
}

fn line(record: &Record, undone_by: Option<&str>) -> Value {
    let mut line = summary(&record.tally());
    let more = json!({
        "run": record.name, "profile": record.profile, "kind": record.kind.name(),
        "started": record.started, "finished": record.finished, "planned": record.planned(),
        "undone_by": undone_by, "stopped_by": stopped_by(record),
    });
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    line
}

fn summary(tally: &Tally) -> Value {
    json!({
        "deleted": tally.deleted, "already_gone": tally.already_gone, "refused": tally.refused,
        "not_sent": tally.not_sent, "unknown": tally.unknown, "restored": tally.restored,
    })
}

/// One event for people, who may read it through a pipe: programs have the document.
pub(super) fn row(planned: &RecordedEvent) -> String {
    let (event, outcome) = (&planned.event, &planned.outcome);
    let tail = match (outcome.new_id(), outcome.failure()) {
        (Some(id), _) => format!("new id {id}"),
        (None, Some(failure)) => failure.to_string(),
        (None, None) => event.url.to_string(),
    };
    let key = &event.key;
    format!("{:<12}  {} {} {}  {tail}", outcome.name(), key.extension, key.event_type, key.id)
}
