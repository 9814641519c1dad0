//! `callsweep show`: one run as its file tells it, as rows, as a document, or as a receipt.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use color_eyre::eyre::Result;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{RunFormat, Told, choose, list, print, read, tell_flaws};
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

impl ShowArguments {
    /// A document was asked for.
    pub(in crate::commands) fn is_json(&self) -> bool {
        self.format == ShowFormat::Json
    }
}

/// A run with what a list of runs tells of it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    told: &'a Told<'a>,
    #[serde(flatten)]
    line: Map<String, Value>,
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
    let text = Receipt::new(&record, masked, &labels, &local).text(form);
    let mut out = io::stdout().lock();
    Ok(Ending::Done.written(out.write_all(text.as_bytes()).and_then(|()| out.flush())))
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
        RunFormat::Json => print(format, document(record, &told, folder, &mask), |_| Ok(())),
    })
}

/// The document of one run, with the fields that a list of runs has.
fn document(record: &Record, told: &Told<'_>, folder: &Path, mask: &Mask) -> Value {
    let mut line = list::line(&journal::summary_of(folder, record));
    line.retain(|name, _| !matches!(name.as_str(), "run" | "stopped_by"));
    // Texts and numbers alone.
    let mut document = serde_json::to_value(Shown { told, line }).unwrap_or_default();
    if mask.is_on() {
        hide(&mut document, "", record, mask);
    }
    document
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
    writeln!(out, "outcome   {}", told.tally.words(record.kind))?;
    writeln!(out, "check     {}", told.check.words())?;
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
