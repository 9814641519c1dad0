//! `callsweep show`: one run as its file tells it, as rows, as a document, or as a receipt.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use color_eyre::eyre::Result;
use jiff::tz::TimeZone;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Calls, Outcomes, RunFormat, Told, choose, list, print, read, tell_flaws};
use crate::change::{SILENT, Unlisted, local_time};
use crate::commands::arguments::ProfileArguments;
use crate::commands::completions;
use crate::commands::ending::Ending;
use crate::config::{self, Environment, Flags};
use crate::domain::{EventKey, Foreign, Mask};
use crate::journal::{self, Form, Place, Receipt, Record};

/// The forms of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// Lines for people
    Table,
    /// One JSON document
    Json,
    /// A receipt in markdown, in local time
    Md,
    /// A receipt for spreadsheets, in UTC
    Csv,
}

/// Which run, and how it is printed.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// Its name, as `callsweep runs` lists it, or the beginning of it; `latest`; or the path of its
    /// file
    #[arg(add = ArgValueCompleter::new(completions::runs))]
    run: String,
    /// Which profile.
    #[command(flatten)]
    pub(in crate::commands) profile: ProfileArguments,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    format: ShowFormat,
    /// Print numbers, labels, hosts, URLs and notes masked
    #[arg(long = "mask", id = "masked")]
    masked: bool,
}

/// A run with what a list of runs tells of it, its fields in the order of their names. What there is
/// of every call and event is made while it is written.
struct Document<'a> {
    record: &'a Record,
    mask: &'a Mask,
    calls: Calls<'a>,
    outcomes: Outcomes<'a>,
    /// All fields; those of calls and events are empty.
    fields: Map<String, Value>,
}

/// Prints one run.
pub(in crate::commands) fn show(
    arguments: &ShowArguments,
    masked: bool,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    let folder = config::state_dir(environment)?.join("runs");
    let origin = || Ok(config::load(flags, environment)?.target.origin);
    let Place { folder: home, name } = choose(&folder, &arguments.run, origin)?;
    let (record, masked) = (read(&home, &name)?, masked || arguments.masked);
    let form = match arguments.format {
        ShowFormat::Table => return Ok(printed(&record, &folder, RunFormat::Table, masked)),
        ShowFormat::Json => return Ok(printed(&record, &folder, RunFormat::Json, masked)),
        ShowFormat::Md => Form::Markdown,
        ShowFormat::Csv => Form::Csv,
    };
    tell_flaws(&record);
    let (labels, local) = (BTreeMap::new(), TimeZone::system());
    let receipt = Receipt::new(&record, masked, &labels, &local);
    let mut out = BufWriter::new(io::stdout().lock());
    Ok(Ending::Done.written(receipt.write_to(form, &mut out).and_then(|()| out.flush())))
}

/// Prints a run as its file tells it.
pub(in crate::commands) fn print_run(record: &Record, folder: &Path, format: RunFormat) -> Ending {
    printed(record, folder, format, false)
}

fn printed(record: &Record, folder: &Path, format: RunFormat, masked: bool) -> Ending {
    tell_flaws(record);
    let told = Told::of_record(record);
    let mask = journal::mask_of(record, masked);
    Ending::Done.written(match format {
        RunFormat::Table => print(format, (), |out| table(record, &told, &mask, out)),
        RunFormat::Json => print(format, Document::of(record, told, folder, &mask), |_| Ok(())),
    })
}

impl<'a> Document<'a> {
    fn of(record: &'a Record, told: Told<'a>, folder: &Path, mask: &'a Mask) -> Self {
        let (calls, outcomes) = (told.calls, told.outcomes);
        let rest = Told { calls: Calls::None, outcomes: Outcomes::None, ..told };
        let mut fields = list::line(&journal::summary_of(folder, record));
        // Texts and numbers alone; what is in both is told of the run.
        if let Value::Object(told) = serde_json::to_value(rest).unwrap_or_default() {
            fields.extend(told);
        }
        Self { record, mask, calls, outcomes, fields }
    }

    /// What is printed of a field, or of one call or event.
    fn shown(&self, mut value: Value, field: &str) -> Value {
        if self.mask.is_on() {
            hide(&mut value, field, self.record, self.mask);
        }
        value
    }
}

/// Things that are written one by one.
struct Each<F>(F);

impl<I: Iterator<Item = Value>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let calls = || self.calls.each().map(|call| self.shown(json!(call), ""));
        let outcomes = || self.outcomes.each().map(|event| self.shown(json!(event), ""));
        let mut document = serializer.serialize_map(None)?;
        for (name, value) in &self.fields {
            match name.as_str() {
                "calls" => document.serialize_entry(name, &Each(calls))?,
                "outcomes" => document.serialize_entry(name, &Each(outcomes))?,
                _ => document.serialize_entry(name, &self.shown(value.clone(), name))?,
            }
        }
        document.end()
    }
}

/// Masks a document, whose fields tell what is in them.
fn hide(value: &mut Value, field: &str, record: &Record, mask: &Mask) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| hide(one, field, record, mask)),
        Value::Object(fields) => {
            for (name, one) in fields {
                hide(one, name, record, mask);
            }
        }
        Value::String(text) => {
            *text = match field {
                "path" => mask.path(text),
                "origin" => mask.host(text),
                "run" | "undone_by" => journal::shown_name(text, record, mask),
                "extension" | "message" | "error" | "profile" => mask.text(text),
                _ => return,
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The run as lines for people.
fn table(record: &Record, told: &Told<'_>, mask: &Mask, out: &mut dyn Write) -> io::Result<()> {
    let local = TimeZone::system();
    let Record { name, profile, origin, user, started, plan_hash, .. } = record;
    // Every account that can write the folder can have changed the file.
    let shown = |text: &str| mask.text(&Foreign::from(text).to_string());
    let host = |text: &str| mask.host(&Foreign::from(text).to_string());
    let called = |run: &str| journal::shown_name(run, record, mask);
    let of = record.undoes.as_ref().map(|run| format!(" of {}", called(run)));
    writeln!(out, "run       {} ({}{})", called(name), record.kind.name(), of.unwrap_or_default())?;
    writeln!(out, "profile   {}, {} as {}", shown(profile), host(origin), shown(user))?;
    let finished = record.finished.as_deref().map(|time| local_time(time, &local));
    let finished = finished.unwrap_or_else(|| "not finished".to_owned());
    writeln!(out, "time      {} to {finished}", local_time(started, &local))?;
    for by in &record.opened {
        let (login, machine, from) = (shown(&by.login), host(&by.host), local_time(&by.at, &local));
        writeln!(out, "operator  {login} on {machine}, from {from} on")?;
    }
    writeln!(out, "plan      {}", Foreign::from(plan_hash.as_str()))?;
    if let Some(stop) = record.stop() {
        let why = mask.text(&stop.message.to_string());
        writeln!(out, "stopped   {why} ({})", stop.reason.name())?;
        if let Some(time) = stop.not_before() {
            writeln!(out, "resumable after {time}")?;
        }
    }
    if record.kind == journal::Kind::Backup {
        let events = crate::commands::counted(record.events.len() + record.missing.len(), "event");
        writeln!(out, "outcome   keeps {events}")?;
    } else {
        writeln!(out, "outcome   {}", told.tally.words(record.kind))?;
        writeln!(out, "check     {}", told.check.words())?;
    }
    told.rows(mask, out)?;
    for EventKey { extension, event_type, id } in &record.surplus {
        let (number, of_type) = (mask.number(extension), event_type.number());
        writeln!(out, "GONE, NOT IN THE PLAN  {number} {of_type} {id}")?;
    }
    for Unlisted { extension, id } in &record.unlisted {
        writeln!(out, "GONE, NOT IN THE PLAN  {} ? {id}", mask.number(extension))?;
    }
    if !record.surplus_known {
        writeln!(out, "{SILENT}")?;
    }
    Ok(())
}
