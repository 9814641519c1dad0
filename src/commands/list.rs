//! `callsweep list`: the events of all extensions, for people and for programs.

mod output;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use color_eyre::eyre::Result;

use super::counted;
use super::ending::{Ending, left_out, remark};
use super::profile::{self, Opened};
use super::progress::Progress;
use super::room;
use super::selection::{SelectionArguments, Wanted};
use crate::config::{Environment, Flags};
use crate::domain::{
    Cause, Discovery, EventView, Extension, ExtensionNumber, Failure, Listing, Source,
};
use crate::runtime::{self, Listed, Ports};

/// Characters shown of a row that cannot be used.
const SHOWN_CHARS: usize = 200;
/// Numbers named in one sentence before it says how many more there are.
const NAMED_AT_MOST: usize = 5;

/// Which events, and in which form.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Which.
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
}

/// The forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns, a line an event
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values with a header
    Csv,
}

/// All that was found out, in the order of extension numbers.
struct Report {
    extensions: Vec<(Extension, Result<Listing, Failure>)>,
    wanted: Wanted,
    /// Every source of extensions handed out all that it sees.
    all_sources: bool,
}

/// Lists and prints.
///
/// # Errors
/// When profile or arguments cannot be used; what fails later is said here and is in the ending.
pub(super) fn run(
    arguments: &ListArguments,
    demo: bool,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    let wanted = arguments.selection.wanted(flags)?;
    // The simulator of a demo lives as long as this does.
    let opened = profile::open(demo, flags, environment)?;
    let format = arguments.format;
    let wanted = match opened.runs(environment) {
        Ok(folder) => wanted.resolved(&folder, &opened)?,
        Err(error) if wanted.is_of_run() => return Err(error),
        // What only asks needs no place to keep anything.
        Err(_) => wanted,
    };
    let found = read(&opened, &wanted)?;
    let (discovery, listed) = match found {
        Ok(found) => found,
        Err(failure) => {
            let nothing =
                Report { extensions: Vec::new(), wanted: Wanted::default(), all_sources: false };
            let ending = Ending::Failed.because(&format!("nothing was listed: {failure}"));
            return Ok(ending.written(print(&nothing, format)));
        }
    };
    discovery.remarks.iter().for_each(|sentence| remark(sentence));
    let all_sources = discovery.complete;
    let report = Report {
        extensions: discovery.extensions.into_iter().zip(listed.into_iter().map(outcome)).collect(),
        wanted,
        all_sources,
    };
    let written = print(&report, format);
    report.summary().iter().for_each(|sentence| remark(sentence));
    let listings: Vec<_> = report.listings().map(|(_, listing)| listing).collect();
    let unlisted = report.wanted.unlisted(&listings);
    let ending = if unlisted.is_empty() || !report.is_complete() {
        report.ending()
    } else {
        Ending::Usage.because(&format!("not listed: {}", unlisted.join(", ")))
    };
    Ok(ending.written(written))
}

/// The extensions, of the profile or of the command line alone, and what is listed of each.
///
/// # Errors
/// When the client cannot be made; that no source answers is the inner failure.
pub(super) fn read(
    opened: &Opened,
    wanted: &Wanted,
) -> Result<Result<(Discovery, Vec<Listed>), Failure>> {
    let profile = &opened.profile;
    let (typed, sources) = match wanted.extensions() {
        [] => (profile.extensions.clone(), profile.rules.discover.clone()),
        named => (owned(named.to_vec(), &profile.extensions), details(&profile.rules.discover)),
    };
    // Nothing is written here, so that there is no folder of run files.
    let client = opened.client()?.read_only();
    Ok(opened.hands()?.block_on(async {
        room::wait(&client).await;
        let ports = Arc::new(Ports::new(client, typed, sources, PathBuf::new()));
        let (discovery, _) = runtime::discover(&ports).await;
        let discovery = discovery?;
        let asked: Vec<_> = discovery.extensions.iter().map(|one| one.number.clone()).collect();
        let mut progress = Progress::of(asked.len(), "extensions");
        let step = || progress.step();
        let listed = runtime::list_all(&ports, &asked, profile.rules.concurrency, step).await;
        Ok(once_each(discovery, listed))
    }))
}

/// Where what is listed proves that two numbers name one extension, the longer one is used.
fn once_each(discovery: Discovery, listed: Vec<Listed>) -> (Discovery, Vec<Listed>) {
    let read = listed.iter().filter_map(|listed| match listed {
        Listed::Answered(Ok(listing)) => Some(listing),
        Listed::Answered(Err(_)) | Listed::NotAsked => None,
    });
    let twice = Listing::named_twice(read);
    let Discovery { extensions, remarks, complete, seen, trouble } = discovery;
    let kept = extensions.into_iter().zip(listed).filter(|(one, _)| !twice.contains(&one.number));
    let (extensions, listed) = kept.unzip();
    (Discovery { extensions, remarks, complete, seen, trouble }, listed)
}

/// The owners that the profile names beside its numbers.
fn owned(mut named: Vec<Extension>, known: &[Extension]) -> Vec<Extension> {
    for extension in named.iter_mut().filter(|extension| extension.owner.is_none()) {
        let of = known.iter().find(|known| known.number == extension.number);
        extension.owner = of.and_then(|known| known.owner.clone());
    }
    named
}

/// What tells owner and kind of named extensions: nothing else is to be listed.
fn details(sources: &[Source]) -> Vec<Source> {
    let asks = sources.contains(&Source::SystemApi);
    asks.then_some(Source::Details).into_iter().collect()
}

fn print(report: &Report, format: Format) -> io::Result<()> {
    let stdout = io::stdout();
    let clean = stdout.is_terminal();
    let mut out = BufWriter::new(stdout.lock());
    match format {
        Format::Table => output::table(report, &mut out)?,
        Format::Json => output::json(report, &mut out)?,
        Format::Csv => output::csv(report, clean, &mut out)?,
    }
    out.flush()
}

fn outcome(listed: Listed) -> Result<Listing, Failure> {
    match listed {
        Listed::Answered(result) => result,
        Listed::NotAsked => Err(Failure::new(
            Cause::Withheld,
            "not asked, as too many requests failed before: mend that first",
        )),
    }
}

impl Report {
    /// The events of a listing that belong to what was asked for.
    fn events_of<'a>(
        &'a self,
        extension: &'a Extension,
        listing: &'a Listing,
    ) -> impl Iterator<Item = EventView<'a>> {
        let rows = self.wanted.rows(extension, listing).into_iter();
        rows.filter_map(|row| listing.row(row))
    }

    fn listings(&self) -> impl Iterator<Item = (&Extension, &Listing)> {
        self.extensions.iter().filter_map(|(one, result)| Some((one, result.as_ref().ok()?)))
    }

    fn is_complete(&self) -> bool {
        let whole = |result: &Result<Listing, _>| result.as_ref().is_ok_and(Listing::is_complete);
        self.all_sources && self.extensions.iter().all(|(_, result)| whole(result))
    }

    fn ending(&self) -> Ending {
        if self.is_complete() {
            Ending::Done
        } else if self.listings().next().is_none() {
            Ending::Failed
        } else {
            Ending::InPart
        }
    }

    /// How much was read, and what was not and why.
    fn summary(&self) -> Vec<String> {
        let counts = self.listings().map(|(one, listing)| self.events_of(one, listing).count());
        let counts: Vec<usize> = counts.collect();
        let (events, read) = (counts.iter().sum(), counts.len());
        let matching = if self.wanted.leaves_out() {
            counts.iter().filter(|count| **count > 0).count()
        } else {
            read
        };
        let mut parts =
            vec![format!("{} of {}", counted(events, "event"), counted(matching, "extension"))];
        if matching < read {
            parts.push(format!("{} read", counted(read, "extension")));
        }
        let mut failures: BTreeMap<String, Vec<&ExtensionNumber>> = BTreeMap::new();
        for (extension, result) in &self.extensions {
            if let Err(failure) = result {
                failures.entry(failure.to_string()).or_default().push(&extension.number);
            }
        }
        for (failure, numbers) in failures {
            let which = which(&numbers);
            let how_many = counted(numbers.len(), "extension");
            parts.push(format!("{how_many} could not be read: {which}: {failure}"));
        }
        let mut sentences = vec![parts.join("; ")];
        let mut short: BTreeMap<String, Vec<&ExtensionNumber>> = BTreeMap::new();
        for (extension, listing) in self.listings() {
            if let Some(why) = listing.why_incomplete() {
                short.entry(why).or_default().push(&extension.number);
            }
        }
        let said =
            |(why, numbers): (String, Vec<_>)| format!("not complete: {}: {why}", which(&numbers));
        sentences.extend(short.into_iter().map(said));
        let passed_over = self.wanted.passed_over(self.listings());
        if !passed_over.is_empty() {
            sentences.push(passed_over.to_string());
        }
        sentences.extend(self.left_out());
        let listing = |number: &ExtensionNumber| {
            let mut listings = self.listings();
            listings.find(|(one, _)| one.number == *number).map(|(_, listing)| listing)
        };
        let omitted = self.wanted.omitted(listing).into_iter();
        sentences.extend(omitted.map(|one| left_out(&one)));
        sentences
    }

    /// The rows that cannot be used, the first few as they are written.
    fn left_out(&self) -> Vec<String> {
        let all = self.listings().map(|(_, listing)| listing.odd_rows()).sum::<usize>();
        let rows = self
            .listings()
            .flat_map(|(one, listing)| listing.odd().iter().map(|row| (&one.number, row)));
        let shown = rows.take(NAMED_AT_MOST).map(|(number, row)| {
            let text: String = row.text.to_string().chars().take(SHOWN_CHARS).collect();
            format!("{number}: a row is left out, as {}: {text}", row.reason)
        });
        let mut sentences: Vec<_> = shown.collect();
        if all > sentences.len() {
            let more = counted(all - sentences.len(), "more row");
            sentences.push(format!("{more} left out, as no request could be about them"));
        }
        sentences
    }
}

/// The first few numbers, and how many more there are.
fn which(numbers: &[&ExtensionNumber]) -> String {
    let first = numbers.iter().take(NAMED_AT_MOST).map(|number| number.as_str());
    let first = first.collect::<Vec<_>>().join(", ");
    match numbers.len().saturating_sub(NAMED_AT_MOST) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
