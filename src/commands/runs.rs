//! `callsweep runs` and `callsweep show`: what the run files tell, without the service.

mod list;
mod remove;
mod show;

use std::io::{self, BufWriter, Write};
use std::iter;
use std::path::Path;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use color_eyre::eyre::Result;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::arguments::{ProfileArguments, RunFormat};
use super::completions;
use super::counted;
use super::ending::{Ending, remark};
use super::json::Harmless;
use crate::change::{Check, Machine, Omitted, Plan, Tally, Unlisted};
use crate::config::{Environment, Flags};
use crate::domain::{Change, EventKey, Failure, Foreign, Mask, Outcome, PhoneCallEvent, Stop};
use crate::journal::{self, Kind, Place, Record, RecordedCall};
pub(super) use show::ShowArguments;
pub(super) use show::{print_run, show};

/// Of many lines that are not used these are named; the others are counted.
const FLAWS_TOLD: usize = 20;

/// What is done with the runs of this machine.
#[derive(Debug, Args)]
pub struct RunsArguments {
    /// Remove these run files, each by its name or the beginning of it, or with --before all older ones;
    /// asks first, and keeps what is needed for a way back
    #[arg(long, value_name = "RUN", num_args = 0..)]
    #[arg(add = ArgValueCompleter::new(completions::runs))]
    remove: Option<Vec<String>>,
    /// Remove what began before this day, as 2024-05-31
    #[arg(long, value_name = "DATE", requires = "remove")]
    before: Option<String>,
    /// Remove also what was interrupted and what has something that is not back
    #[arg(long, requires = "remove")]
    force: bool,
    /// Do not ask
    #[arg(long, requires = "remove")]
    yes: bool,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = RunFormat::Table)]
    pub(super) format: RunFormat,
    /// Whose runs.
    #[command(flatten)]
    pub(super) profile: ProfileArguments,
}

/// Lists runs, or removes some.
pub(super) fn run(
    arguments: &RunsArguments,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    match &arguments.remove {
        None => list::list(arguments.format, flags, environment),
        Some(meant) => remove::remove(meant, arguments, flags, environment),
    }
}

/// The run that is meant, of the PBX at this origin where that is asked.
///
/// # Errors
/// When none is meant, or not one alone.
pub(super) fn choose(
    folder: &Path,
    run: &str,
    origin: impl FnOnce() -> Result<String>,
) -> Result<Place> {
    let place = if journal::is_latest(run) {
        journal::latest(folder, &origin()?)
    } else {
        journal::find(folder, run)
    };
    place.map_err(|none| Ending::Usage.refusing(none.to_string()))
}

/// A run's record.
///
/// # Errors
/// When there is none that can be read.
pub(super) fn read(folder: &Path, run: &str) -> Result<Record> {
    Record::read(folder, run).map_err(|refused| Ending::Usage.refusing(refused.to_string()))
}

pub(super) fn print(
    format: RunFormat,
    document: impl Serialize,
    table: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match format {
        RunFormat::Table => table(&mut out)?,
        RunFormat::Json => {
            let mut harmless = Harmless::new(&mut out);
            serde_json::to_writer_pretty(&mut harmless, &document)?;
            harmless.flush()?;
            writeln!(out)?;
        }
    }
    out.flush()
}

/// What is told of a run, or of a plan that was not run; each row is made while it is written.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    pub(super) run: Option<&'a str>,
    #[serde(skip)]
    pub(super) kind: Kind,
    plan_hash: Option<&'a str>,
    dry_run: bool,
    calls: Calls<'a>,
    outcomes: Outcomes<'a>,
    pub(super) surplus: Vec<Value>,
    pub(super) surplus_known: bool,
    #[serde(rename = "summary", serialize_with = "summary")]
    pub(super) tally: Tally,
    verified: bool,
    #[serde(rename = "check")]
    check_name: &'static str,
    #[serde(skip)]
    pub(super) check: Check,
    pub(super) stopped_by: Option<Value>,
    /// What was meant and is left out; of a run that is read from its file that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<LeftOut<'a>>,
    /// Why nothing came of it.
    error: Option<&'a str>,
}

/// What was meant and is left out.
#[derive(Debug, Clone, Copy)]
struct LeftOut<'a>(&'a [Omitted]);

/// The calls that were planned.
#[derive(Debug, Clone, Copy)]
enum Calls<'a> {
    Planned(&'a Plan),
    /// Those that a yes would send.
    Due(&'a Plan),
    Recorded(&'a Record),
    None,
}

/// The events with what became of them.
#[derive(Debug, Clone, Copy)]
enum Outcomes<'a> {
    /// As the machine has it, of all that are settled.
    Settled(&'a Machine),
    /// As a file tells it; those whose lines are lost stand last.
    Recorded(&'a Record),
    /// Of all the same, but where it is known already.
    Unsent(&'a Plan, &'a Outcome),
    None,
}

/// What became of an event, as machine output has it.
#[derive(Debug, Serialize)]
struct Became<'a> {
    code: Option<&'a str>,
    extension: Option<&'a str>,
    fields: Option<&'a [&'static str]>,
    http_status: Option<u16>,
    id: Option<&'a str>,
    message: Option<String>,
    new_id: Option<&'a str>,
    outcome: String,
    #[serde(rename = "type")]
    event_type: Option<u16>,
}

/// An event, what was to become of it where it was changed, what did, and the status of the answer.
type Row<'a> = (&'a PhoneCallEvent, Option<&'a Change>, &'a Outcome, Option<u16>);

impl<'a> Told<'a> {
    /// A run as its file tells it.
    pub(super) fn of_record(record: &'a Record) -> Self {
        Self {
            run: Some(&record.name),
            kind: record.kind,
            plan_hash: Some(&record.plan_hash),
            dry_run: false,
            calls: Calls::Recorded(record),
            outcomes: Outcomes::Recorded(record),
            surplus: surplus(&record.surplus, &record.unlisted),
            surplus_known: record.surplus_known,
            tally: record.tally(),
            stopped_by: stopped_by(record),
            ..Self::nothing()
        }
        .checked(record.check)
    }

    /// A run that is over, as the machine that carried it out tells it.
    pub(super) fn of_machine(machine: &'a Machine) -> Self {
        Self {
            run: Some(machine.name()),
            dry_run: false,
            calls: Calls::Planned(machine.plan()),
            outcomes: Outcomes::Settled(machine),
            surplus: surplus(machine.surplus(), machine.unlisted()),
            surplus_known: machine.is_surplus_known(),
            tally: machine.tally(),
            stopped_by: machine.stopped().map(|stop| stopped(&stop, &machine.tally())),
            ..Self::of_plan(machine.plan())
        }
        .checked(machine.check())
    }

    /// What a plan would do.
    pub(super) fn of_plan(plan: &'a Plan) -> Self {
        Self {
            kind: plan.kind(),
            plan_hash: Some(plan.hash().as_str()),
            dry_run: true,
            calls: Calls::Due(plan),
            left_out: Some(LeftOut(plan.omitted())),
            ..Self::nothing()
        }
    }

    /// A plan of which nothing was sent, as `outcome` says for each event.
    pub(super) fn unsent(plan: &'a Plan, outcome: &'a Outcome, why: &'a str) -> Self {
        Self {
            dry_run: false,
            tally: Tally::over((0..plan.events().len()).map(|at| plan.held(at).unwrap_or(outcome))),
            outcomes: Outcomes::Unsent(plan, outcome),
            error: Some(why),
            ..Self::of_plan(plan)
        }
    }

    /// No plan.
    fn nothing() -> Self {
        Self {
            run: None,
            kind: Kind::Delete,
            plan_hash: None,
            dry_run: false,
            calls: Calls::None,
            outcomes: Outcomes::None,
            surplus: Vec::new(),
            surplus_known: true,
            tally: Tally::default(),
            verified: false,
            check_name: Check::NothingSent.name(),
            check: Check::NothingSent,
            stopped_by: None,
            left_out: None,
            error: None,
        }
    }

    fn checked(self, check: Check) -> Self {
        Self { verified: check == Check::Agrees, check_name: check.name(), check, ..self }
    }

    /// A row for each event, for people, who may read it through a pipe: programs have the document.
    pub(super) fn rows(&self, mask: &Mask, out: &mut dyn Write) -> io::Result<()> {
        for (event, change, outcome, _) in self.outcomes.rows() {
            let changed = change.map(|change| change.words(event, mask));
            // A backup sends nothing: it keeps what it holds.
            let keeps = self.kind.keeps();
            let failure = outcome.failure().filter(|_| !keeps);
            let failure = failure.map(|failure| mask.text(&failure.to_string()));
            let word = if keeps { "kept" } else { outcome.name() };
            let tail = match (outcome.new_id(), failure, changed) {
                (_, Some(failure), None) => failure,
                (_, Some(failure), Some(changed)) => format!("{changed}: {failure}"),
                (Some(id), None, None) => format!("new id {id}{}", differing(outcome)),
                (Some(id), None, Some(changed)) => {
                    format!("{changed}, new id {id}{}", differing(outcome))
                }
                (None, None, Some(changed)) => format!("{changed}{}", differing(outcome)),
                (None, None, None) => mask.url(&event.url),
            };
            let EventKey { extension, event_type, id } = &event.key;
            let extension = mask.number(extension);
            writeln!(out, "{word:<12}  {extension} {event_type} {id}  {tail}")?;
        }
        for (place, outcome) in self.outcomes.missing() {
            writeln!(out, "{:<12}  event {place}: its line is damaged", outcome.name())?;
        }
        Ok(())
    }
}

impl<'a> Calls<'a> {
    fn each(self) -> Box<dyn Iterator<Item = RecordedCall<'a>> + 'a> {
        match self {
            Self::Planned(plan) => Box::new(RecordedCall::of(plan)),
            Self::Due(plan) => {
                let due = RecordedCall::of(plan).enumerate().filter(|(at, _)| plan.is_due(*at));
                Box::new(due.map(|(_, call)| call))
            }
            Self::Recorded(record) => Box::new(record.calls.iter()),
            Self::None => Box::new(iter::empty()),
        }
    }
}

impl<'a> Outcomes<'a> {
    /// Those whose names are known.
    fn rows(self) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
        match self {
            Self::Settled(machine) => {
                let (plan, outcomes) = (machine.plan(), machine.outcomes().iter().enumerate());
                Box::new(outcomes.filter_map(|(at, outcome)| {
                    let status = machine.http_status_of(at);
                    Some((plan.events().get(at)?, plan.want(at), outcome.as_ref()?, status))
                }))
            }
            Self::Recorded(record) => Box::new(
                record
                    .events
                    .iter()
                    .map(|it| (&it.event, it.want.as_deref(), &it.outcome, it.http_status)),
            ),
            Self::Unsent(plan, outcome) => {
                let events = plan.events().iter().enumerate();
                let known = move |at| plan.held(at).unwrap_or(outcome);
                Box::new(events.map(move |(at, event)| (event, plan.want(at), known(at), None)))
            }
            Self::None => Box::new(iter::empty()),
        }
    }

    /// Those whose lines in the run file are lost, by place.
    fn missing(self) -> &'a [(usize, Outcome)] {
        match self {
            Self::Recorded(record) => &record.missing,
            Self::Settled(_) | Self::Unsent(..) | Self::None => &[],
        }
    }

    /// Each as machine output has it.
    fn each(self) -> impl Iterator<Item = Became<'a>> {
        let events = self.rows().map(|(event, _, outcome, it)| (Some(&event.key), outcome, it));
        // An event whose line is lost has no name.
        let missing = self.missing().iter().map(|(_, outcome)| (None, outcome, None));
        events.chain(missing).map(|(key, outcome, status)| {
            let failure = outcome.failure();
            Became {
                code: failure.map(|failure| failure.code.raw()),
                extension: key.map(|key| key.extension.as_str()),
                fields: outcome.altered(),
                http_status: failure.and_then(|failure| failure.http_status).or(status),
                id: key.map(|key| key.id.as_str()),
                message: failure.map(Failure::told),
                new_id: outcome.new_id().map(Foreign::raw),
                outcome: outcome.word().written(),
                event_type: key.map(|key| key.event_type.number()),
            }
        })
    }
}

impl Serialize for LeftOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = |Omitted { key, why }: &Omitted| {
            let EventKey { extension, event_type, id } = key;
            json!({
                "extension": extension.as_str(), "type": event_type.number(), "id": id.as_str(),
                "why": why,
            })
        };
        serializer.collect_seq(self.0.iter().map(told))
    }
}

impl Serialize for Calls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.each())
    }
}

impl Serialize for Outcomes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.each())
    }
}

/// The fields of an event that came back otherwise, in words.
fn differing(outcome: &Outcome) -> String {
    outcome.altered().map_or_else(String::new, |fields| format!(", differs: {}", fields.join(", ")))
}

/// What went beside the plan: of some of it only the id is known.
fn surplus(known: &[EventKey], unlisted: &[Unlisted]) -> Vec<Value> {
    let unlisted = unlisted
        .iter()
        .map(|one| json!({"extension": one.extension.as_str(), "type": null, "id": one.id.raw()}));
    known.iter().map(journal::named).chain(unlisted).collect()
}

/// The document of a command that had no run to tell of; what was meant is left out then.
pub(super) fn no_run(dry_run: bool, why: &str, omitted: &[Omitted]) -> Value {
    let left_out = (!omitted.is_empty()).then_some(LeftOut(omitted));
    let told = Told { dry_run, left_out, error: Some(why), ..Told::nothing() };
    // Texts and numbers alone.
    serde_json::to_value(told).unwrap_or_default()
}

/// Names on standard error what a run file could not say.
pub(super) fn tell_flaws(record: &Record) {
    for flaw in record.flaws.iter().take(FLAWS_TOLD) {
        remark(&format!("run {}, {flaw}", record.name));
    }
    let more = record.flaws.len().saturating_sub(FLAWS_TOLD);
    if more > 0 {
        remark(&format!("run {}: {} more not used", record.name, counted(more, "line")));
    }
}

/// Why a run ended before everything was done, and whether it can be gone on with.
fn stopped_by(record: &Record) -> Option<Value> {
    let stop = record.stop()?;
    Some(stopped(&stop, &record.tally()))
}

fn stopped(stop: &Stop, tally: &Tally) -> Value {
    json!({
        "reason": stop.reason.name(), "message": stop.message.raw(),
        "resumable": tally.left() > 0, "not_before": stop.not_before(),
    })
}

fn summary<S: Serializer>(tally: &Tally, serializer: S) -> Result<S::Ok, S::Error> {
    counts(tally).serialize(serializer)
}

/// Events by outcome, as machine output has them.
fn counts(tally: &Tally) -> Map<String, Value> {
    tally.each().map(|(word, count)| (word.written(), json!(count))).collect()
}
