//! Run files read back: what was planned, and what became of it as far as the file says. A torn
//! last line, as a crash leaves one, is passed over; anything else that makes no sense is an error.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{SCHEMA, path_of};
use crate::deletion::{Loss, UndoPlan, UndoRefused};
use crate::domain::{
    Cause, EventId, EventKey, EventType, ExtensionNumber, Failure, Foreign, Method, Modified,
    Outcome, PhoneCallEvent, Status, Target,
};

/// More than the last line of a finished run takes, in bytes.
const LONGEST_LAST: u64 = 1024;

/// Why a run file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordRefused {
    /// There is none of this name.
    #[error("there is no run {0:?}: `callsweep runs` lists those there are")]
    Missing(String),
    /// It cannot be read.
    #[error("{0:?} cannot be read ({1}): correct its permissions")]
    Unreadable(PathBuf, io::Error),
    /// A line is not what it should be.
    #[error("{path:?}, line {line}: {what}")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// It is an undo.
    #[error("{0} is an undo: to delete again what it made, mark the events and press d")]
    NotUndoable(String),
    /// It ran on another service, or as another user.
    #[error("{run} ran on {there}: choose that profile with --profile {profile}")]
    Elsewhere {
        /// The run.
        run: String,
        /// Where it ran.
        there: String,
        /// The profile that it ran with.
        profile: String,
    },
    /// Nothing of it is gone.
    #[error(transparent)]
    Nothing(#[from] UndoRefused),
    /// It is from another version.
    #[error("{0:?} has schema {1}, and this callsweep reads schema {SCHEMA}: use a newer version")]
    Schema(PathBuf, u32),
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It deleted events.
    Delete,
    /// It made events again that another run had deleted.
    Undo,
}

/// A run, as its file tells it.
#[derive(Debug)]
pub struct Record {
    /// What the run is called.
    pub name: String,
    /// What it did.
    pub kind: Kind,
    /// The profile's name.
    pub profile: String,
    /// Which service.
    pub origin: String,
    /// As whom.
    pub user: String,
    /// The plan's hash; for an undo, that of the run it undoes.
    pub plan_hash: String,
    /// When it began, in UTC.
    pub started: String,
    /// When it ended; `None` where it was cut off.
    pub finished: Option<String>,
    /// The run that this one undoes.
    pub undoes: Option<String>,
    /// The calls that were planned: method, path and how many events each covers.
    pub calls: Vec<RecordedCall>,
    /// What was planned, whole, with what became of it.
    pub events: Vec<RecordedEvent>,
    /// What else was listed on the extensions touched.
    pub bystanders: Vec<PhoneCallEvent>,
    /// Bystanders that were gone afterwards.
    pub surplus: Vec<EventKey>,
    /// Whether the service was asked again about everything that was sent.
    pub verified: bool,
}

/// A planned call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct RecordedCall {
    /// `DELETE` or `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// How many events it covers.
    pub covers: usize,
}

/// A planned event and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Whole, as it was listed.
    pub event: PhoneCallEvent,
    /// What became of it.
    pub outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
enum Line {
    Run {
        schema: u32,
        kind: Kind,
        profile: String,
        origin: String,
        user: String,
        plan_hash: String,
        started: String,
        undoes: Option<String>,
        calls: Vec<RecordedCall>,
    },
    Event(Body),
    Bystander(Body),
    Sent {
        first: usize,
        covers: usize,
        call: usize,
    },
    Settled {
        call: usize,
        http_status: Option<u16>,
        outcomes: Vec<Said>,
    },
    Verified {
        complete: bool,
        revised: Vec<Said>,
        surplus: Vec<Key>,
    },
    Finished {
        finished: String,
    },
}

#[derive(Deserialize)]
struct Key {
    extension: String,
    #[serde(rename = "type")]
    event_type: u16,
    id: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(flatten)]
    key: Key,
    method: String,
    url: String,
    note: String,
    status: String,
    modified: String,
}

#[derive(Deserialize)]
struct Said {
    event: Option<usize>,
    outcome: String,
    code: Option<String>,
    message: Option<String>,
    new_id: Option<String>,
}

impl Record {
    /// Reads the run of this name.
    ///
    /// # Errors
    /// Says which file, which line and what is wrong.
    pub fn read(runs: &Path, name: &str) -> Result<Self, RecordRefused> {
        let path = path_of(runs, name);
        let named = is_name(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) if named => bytes,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(RecordRefused::Unreadable(path, error));
            }
            Ok(_) | Err(_) => return Err(RecordRefused::Missing(name.to_owned())),
        };
        Self::parse(name, &path, &String::from_utf8_lossy(&bytes))
    }

    fn parse(name: &str, path: &Path, text: &str) -> Result<Self, RecordRefused> {
        // What stands behind the last line end was never finished.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let refuse = |line: usize, what: String| RecordRefused::Line {
            path: path.to_owned(),
            line: line + 1,
            what,
        };
        let mut lines = whole.lines().enumerate().map(|(at, text)| {
            let line = serde_json::from_str(text).map_err(|error| refuse(at, error.to_string()))?;
            Ok::<_, RecordRefused>((at, line))
        });
        let Some(first) = lines.next().transpose()? else {
            return Err(refuse(0, "the file ends before the plan does: nothing was sent".into()));
        };
        let (
            _,
            Line::Run { schema, kind, profile, origin, user, plan_hash, started, undoes, calls },
        ) = first
        else {
            return Err(refuse(0, "a run file begins with a run line".to_owned()));
        };
        if schema != SCHEMA {
            return Err(RecordRefused::Schema(path.to_owned(), schema));
        }
        let mut record = Self {
            name: name.to_owned(),
            kind,
            profile,
            origin,
            user,
            plan_hash,
            started,
            finished: None,
            undoes,
            calls,
            events: Vec::new(),
            bystanders: Vec::new(),
            surplus: Vec::new(),
            verified: false,
        };
        let mut sent = Vec::new();
        for line in lines {
            let (at, line) = line?;
            record.take(line, &mut sent).map_err(|what| refuse(at, what))?;
        }
        Ok(record)
    }

    fn take(&mut self, line: Line, sent: &mut Vec<(usize, usize, usize)>) -> Result<(), String> {
        match line {
            Line::Run { .. } => return Err("a second run line".to_owned()),
            Line::Event(body) => {
                let outcome = Outcome::NotSent(failure(Cause::Withheld, "never sent"));
                self.events.push(RecordedEvent { event: body.event()?, outcome });
            }
            Line::Bystander(body) => self.bystanders.push(body.event()?),
            Line::Sent { call, first, covers } => {
                sent.push((call, first, covers));
                for event in first..first.saturating_add(covers) {
                    let lost = failure(Cause::NoAnswer, "sent, and no answer was recorded");
                    self.settle(event, Outcome::Unknown(lost))?;
                }
            }
            Line::Settled { call, http_status, outcomes } => {
                let Some((_, first, _)) = sent.iter().rev().find(|(id, ..)| *id == call) else {
                    return Err(format!("call {call} is settled and was never sent"));
                };
                for (place, said) in outcomes.into_iter().enumerate() {
                    self.settle(first.saturating_add(place), said.outcome(http_status)?)?;
                }
            }
            Line::Verified { complete, revised, surplus } => {
                self.verified = complete;
                for said in revised {
                    let event = said.event.ok_or("a revised outcome without its event")?;
                    self.settle(event, said.outcome(None)?)?;
                }
                self.surplus = surplus.into_iter().map(Key::key).collect::<Result<_, _>>()?;
            }
            Line::Finished { finished } => self.finished = Some(finished),
        }
        Ok(())
    }

    fn settle(&mut self, event: usize, outcome: Outcome) -> Result<(), String> {
        let planned =
            self.events.get_mut(event).ok_or_else(|| format!("there is no event {event}"))?;
        planned.outcome = outcome;
        Ok(())
    }

    /// Checks that it ran on this service and as this user.
    ///
    /// # Errors
    /// Says where it ran.
    pub fn is_of(&self, target: &Target) -> Result<(), RecordRefused> {
        if (self.origin.as_str(), self.user.as_str())
            == (target.origin.as_str(), target.user.as_str())
        {
            return Ok(());
        }
        Err(RecordRefused::Elsewhere {
            run: self.name.clone(),
            there: format!("{} as {}", self.origin, self.user),
            profile: self.profile.clone(),
        })
    }

    /// Whether a call of this run that names no event may have been carried out on an extension: what
    /// is not there any more may have gone with it.
    pub fn may_have_swept(&self, extension: &ExtensionNumber) -> bool {
        let mut first = 0;
        self.calls.iter().any(|call| {
            let covered = first..first + call.covers;
            first = covered.end;
            let tail = call.path.rsplit_once("/phoneCallEvents").map_or("", |(_, tail)| tail);
            let covered = self.events.get(covered).unwrap_or_default();
            let acted = covered.iter().any(|planned| {
                planned.event.key.extension == *extension
                    && matches!(planned.outcome, Outcome::Deleted | Outcome::Unknown(_))
            });
            tail.matches('/').count() < 2 && acted
        })
    }

    /// What is gone because of this run and could be made again: what it deleted, what it may have
    /// deleted when it ended without that settled, and what went beside the plan, whole.
    pub fn lost(&self) -> impl Iterator<Item = &PhoneCallEvent> {
        let deleted = self.events.iter().filter(|planned| match planned.outcome {
            Outcome::Deleted => true,
            // A run that broke off is settled before; an undo makes nothing that is there.
            Outcome::Unknown(_) => self.finished.is_some(),
            Outcome::AlreadyGone
            | Outcome::Refused(_)
            | Outcome::NotSent(_)
            | Outcome::Restored(_) => false,
        });
        let surplus = self.bystanders.iter().filter(|event| self.surplus.contains(&event.key));
        deleted.map(|planned| &planned.event).chain(surplus)
    }
}

/// What a run lost and no later undo made again, as a plan.
///
/// # Errors
/// Refuses a run of another service or user, one that deleted nothing, and files that cannot be
/// read.
pub fn undo_plan(runs: &Path, name: &str, target: &Target) -> Result<UndoPlan, RecordRefused> {
    let record = Record::read(runs, name)?;
    if record.kind == Kind::Undo {
        return Err(RecordRefused::NotUndoable(name.to_owned()));
    }
    record.is_of(target)?;
    let planned = record.events.iter().map(|planned| &planned.event);
    let known = planned.chain(&record.bystanders).map(|event| event.key.clone());
    let taken = record.lost().cloned().collect();
    let mut loss = Loss::new(name, &record.plan_hash, taken, known);
    for undo in undos(runs)? {
        let outcomes = undo.events.iter().map(|planned| (&planned.event, &planned.outcome));
        if undo.undoes.as_deref() == Some(name) {
            loss.undone(outcomes);
        } else {
            loss.undone_elsewhere(outcomes);
        }
    }
    Ok(UndoPlan::new(target.clone(), &loss)?)
}

/// Every undo, oldest first.
fn undos(runs: &Path) -> Result<Vec<Record>, RecordRefused> {
    let folder = |error| RecordRefused::Unreadable(runs.to_owned(), error);
    let names = names(runs).map_err(folder)?;
    // A file that another version or a full disk left is not an undo that made anything.
    let records = names.iter().rev().filter_map(|name| Record::read(runs, name).ok());
    Ok(records.filter(|record| record.kind == Kind::Undo).collect())
}

/// The names of all runs in a folder, newest first. A folder that is not there has none.
///
/// # Errors
/// Any other error of the file system.
pub fn names(runs: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|name| name.strip_suffix(".jsonl"));
        names.extend(name.filter(|name| is_name(name)).map(str::to_owned));
    }
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

/// Whether a run can be called so: a time and a profile, nothing that leads elsewhere or that acts
/// on a terminal.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the run of this name came to its end, by its last line alone: a start looks at many.
pub fn is_finished(runs: &Path, name: &str) -> bool {
    last_line(&path_of(runs, name)).is_ok_and(|line| {
        let line: Result<Line, _> = serde_json::from_slice(&line);
        matches!(line, Ok(Line::Finished { .. }))
    })
}

fn last_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LAST)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let whole = end.trim_ascii_end();
    let start = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(whole.get(start..).unwrap_or_default().to_vec())
}

impl Key {
    fn key(self) -> Result<EventKey, String> {
        Ok(EventKey {
            extension: ExtensionNumber::parse(&self.extension).map_err(|no| no.to_string())?,
            event_type: EventType::from_number(self.event_type),
            id: EventId::parse(&self.id).map_err(|no| no.to_string())?,
        })
    }
}

impl Body {
    fn event(self) -> Result<PhoneCallEvent, String> {
        Ok(PhoneCallEvent {
            key: self.key.key()?,
            method: Method::parse(&self.method),
            url: Foreign::from(self.url),
            note: Foreign::from(self.note),
            status: Status::parse(&self.status),
            modified: Modified::parse(&self.modified),
            text: None,
        })
    }
}

impl Said {
    fn outcome(self, http_status: Option<u16>) -> Result<Outcome, String> {
        let failure = |cause| Failure {
            http_status,
            code: Foreign::from(self.code.unwrap_or_default()),
            ..Failure::new(cause, self.message.unwrap_or_default())
        };
        Ok(match self.outcome.as_str() {
            "deleted" => Outcome::Deleted,
            "already_gone" => Outcome::AlreadyGone,
            "refused" => Outcome::Refused(failure(Cause::Rejected)),
            "not_sent" => Outcome::NotSent(failure(Cause::Withheld)),
            "unknown" => Outcome::Unknown(failure(Cause::NoAnswer)),
            "restored" => Outcome::Restored(self.new_id.map(Foreign::from)),
            other => return Err(format!("{other:?} is no outcome")),
        })
    }
}

fn failure(cause: Cause, message: &str) -> Failure {
    Failure::new(cause, message)
}
