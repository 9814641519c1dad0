//! All runs of a folder in short: each file is read through once, and no event is kept.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::SCHEMA;
use super::back::undone_by;
use super::path_of;
use super::record::{Record, RecordRefused, end_of, head_of, is_over, names, odd_files};
use crate::change::{EarlierEvent, EarlierRun, Kind, Summary, Tally, Undone, local_time};
use crate::origins::odd::Odd;

/// What lies in a folder of run files.
#[derive(Debug, Default)]
pub struct Summaries {
    /// Its runs, the one that began last first.
    pub runs: Vec<Summary>,
    /// Files that cannot be read, with the reason.
    pub refused: Vec<RecordRefused>,
    /// Files that are no run files.
    pub odd: Vec<(PathBuf, Odd)>,
}

impl Summaries {
    /// What is wrong in the folder, a sentence for each file: what is no run file, what cannot be read,
    /// and damage in these runs.
    pub fn remarks(&self, about: impl Fn(&Summary) -> bool) -> Vec<String> {
        let odd = self.odd.iter().map(|(file, odd)| format!("{} {odd}", file.display()));
        let flaws = self.runs.iter().filter(|run| about(run)).filter_map(Summary::flaw);
        let refused = self.refused.iter().map(RecordRefused::to_string);
        odd.chain(flaws).chain(refused).collect()
    }
}

/// Summaries of all runs in a folder; an unreadable file does not affect the others.
///
/// # Errors
/// When the folder cannot be read.
pub fn summaries(runs: &Path) -> io::Result<Summaries> {
    let mut told = Summaries { odd: odd_files(runs)?, ..Summaries::default() };
    let mut ends = BTreeMap::new();
    for name in names(runs)? {
        match Record::outline(runs, &name) {
            Ok((record, tally)) => {
                ends.insert(name, (record.left_out, record.unseen == 0));
                told.runs.push(summary(&record, tally));
            }
            Err(refused) => told.refused.push(refused),
        }
    }
    let mut undos: BTreeMap<&str, Vec<&Summary>> = BTreeMap::new();
    for undo in told.runs.iter().filter(|run| run.kind == Kind::Undo) {
        undos.entry(undo.undoes.as_deref().unwrap_or_default()).or_default().push(undo);
    }
    let undone = told.runs.iter().map(|run| {
        let undos = undos.get(run.name.as_str()).map_or(&[][..], Vec::as_slice);
        undone(runs, &run.name, undos, &ends)
    });
    let undone: Vec<_> = undone.collect();
    for (run, undone) in told.runs.iter_mut().zip(undone) {
        run.undone = undone;
    }
    Ok(told)
}

/// The runs on the PBX at this origin, of the newest so many, that are going on, stopped or were cut off.
pub fn unfinished(runs: &Path, origin: &str, newest: usize) -> Vec<Summary> {
    let names = names(runs).unwrap_or_default().into_iter().take(newest);
    let open = names.filter(|name| !is_over(runs, name));
    let told = open.filter_map(|name| Record::outline(runs, &name).ok());
    let ours = told.filter(|(record, _)| record.is_at(origin).is_ok());
    ours.map(|(record, tally)| {
        let undone = undone_by(&record.name, &undos_of(runs, &record));
        Summary { undone, ..summary(&record, tally) }
    })
    .collect()
}

/// The newest runs whose names begin so, so many at most, each with when it began, its kind and its
/// counts: by the first and the last line of each file, as who completes a word waits for it.
pub fn briefly(runs: &Path, begin: &str, most: usize) -> Vec<(String, String)> {
    let names = names(runs).unwrap_or_default().into_iter().filter(|name| name.starts_with(begin));
    let told = names.take(most).filter_map(|name| {
        let path = path_of(runs, &name);
        let head = head_of(&path)?;
        let began = local_time(&head.started, &TimeZone::system());
        let kind = head.kind.name();
        let words = match end_of(&path) {
            Some(end) => end.tally.words(head.kind),
            None => "no end".to_owned(),
        };
        Some((name, format!("{began} {kind} of {}: {words}", head.events)))
    });
    told.collect()
}

/// What a list tells of one run.
pub fn summary_of(runs: &Path, record: &Record) -> Summary {
    let undone = undone_by(&record.name, &undos_of(runs, record));
    Summary { undone, ..summary(record, record.tally()) }
}

/// The undos of a run that lie in the folder of run files or beside it, newest first.
fn undos_of(runs: &Path, record: &Record) -> Vec<Record> {
    let mut undos: Vec<Record> = Vec::new();
    for folder in [runs, &record.folder] {
        let of_it = super::undone(folder).unwrap_or_default().into_iter();
        for (undo, _) in of_it.filter(|(_, of)| *of == record.name) {
            if undos.iter().all(|known| known.name != undo) {
                undos.extend(Record::read(folder, &undo));
            }
        }
    }
    undos
}

/// Reads one run with its events.
///
/// # Errors
/// When there is no such run, or it cannot be read.
pub fn earlier(runs: &Path, name: &str) -> Result<EarlierRun, RecordRefused> {
    let record = Record::read(runs, name)?;
    let summary = summary_of(runs, &record);
    let events = record.events.into_iter();
    let rows = events.map(|one| EarlierEvent {
        event: one.event,
        change: one.want.map(|want| *want),
        outcome: one.outcome,
    });
    Ok(EarlierRun::new(summary, rows.collect()))
}

fn summary(record: &Record, tally: Tally) -> Summary {
    Summary {
        name: record.name.clone(),
        kind: record.kind,
        profile: record.profile.clone(),
        origin: record.origin.clone(),
        undoes: record.undoes.clone(),
        started: record.started.clone(),
        finished: record.finished.clone(),
        planned: tally.settled(),
        tally,
        check: record.check,
        stop: record.stop(),
        undone: None,
        took_more: !record.surplus.is_empty() || !record.unlisted.is_empty(),
        is_going_on: record.is_going_on(),
        is_newer: record.schema > SCHEMA,
        flaws: record.flaws.clone(),
    }
}

/// How far a run is undone; `ends` has for each run how many events it left out, and whether a list
/// showed all that it made. Of several undos the newest line about each event counts, so that their
/// events are needed.
fn undone(
    runs: &Path,
    run: &str,
    undos: &[&Summary],
    ends: &BTreeMap<String, (usize, bool)>,
) -> Option<Undone> {
    match undos {
        [] => None,
        [undo] => {
            let (restored, altered) = undo.tally.back();
            let (left_out, is_seen) = ends.get(&undo.name).copied().unwrap_or_default();
            Some(Undone {
                run: undo.name.clone(),
                restored,
                altered,
                not_back: undo.planned - restored - altered + left_out,
                is_over: undo.finished.is_some() && is_seen,
            })
        }
        several => {
            let records = several.iter().filter_map(|undo| Record::read(runs, &undo.name).ok());
            undone_by(run, &records.collect::<Vec<_>>())
        }
    }
}
