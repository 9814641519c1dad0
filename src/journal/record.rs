//! Run files read back: what was planned, and what became of it as far as the file says.
//!
//! No line makes a file unusable: one that is torn, damaged or not understood is named and passed
//! over, and what it may have said is called unknown.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::line::{
    Body, End, Extent, Flaw, Head, Held, Key, Line, Named, RecordedCall, RecordedCalls, Said,
    Shared, has_right_sum, has_sum, held,
};
use super::{SCHEMA, is_path, path_of};
use crate::change::{Check, Kind, Omitted, Plan, RunEnd, Tally, Unlisted, names_too_little};
use crate::domain::{
    Access, Cause, Change, EventId, EventKey, ExtensionNumber, Failure, Foreign, Outcome,
    PhoneCallEvent, PlanHasher, Stop, StopReason, Success, Target, UserId, Word, Work,
};
use crate::origins::odd::{self, Odd};
use crate::origins::{Process, clock};

/// More than the last line of a finished run takes, in bytes.
const LONGEST_LAST: u64 = 64 * 1024;
/// More than the first line of a run of a million events takes, in bytes.
const LONGEST_LINE: u64 = 512 * 1024 * 1024;
/// More than the time in which a plan is written.
const PLAN_TAKES: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);
/// So many planned events are believed however short a file is: a wide call covers many in few bytes.
const ALWAYS_BELIEVED: usize = 20_000;
/// The first line says within so many bytes when the run began.
const LONGEST_START: u64 = 8 * 1024;

/// Why a run file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordRefused {
    /// There is no run of this name.
    #[error("there is no run {0:?}: `callsweep runs` lists those there are")]
    Missing(String),
    /// The file cannot be read.
    #[error("{0:?} cannot be read ({1}): correct its permissions")]
    Unreadable(PathBuf, io::Error),
    /// The file is not one that this program wrote.
    #[error("{0:?} {1}")]
    Odd(PathBuf, Odd),
    /// No line of it makes sense.
    #[error("{path:?} cannot be read as a run (line {line}: {what}): move it elsewhere")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The run changed nothing, or does not say what it undoes.
    #[error("{0} took nothing away: there is nothing to undo")]
    NotUndoable(String),
    /// The run left no event behind.
    #[error("{0} is a {1}: it left no event that could be meant")]
    LeftNothing(String, &'static str),
    /// Another run of the same name is among the run files.
    #[error("{0:?} is not the run {1} that lies in {2:?}: rename it")]
    Namesake(PathBuf, String, PathBuf),
    /// It ran on another service.
    #[error(
        "{run} ran on {there}: choose that profile with --profile {profile}, or the PBX with --url {origin}"
    )]
    Elsewhere {
        /// The run.
        run: String,
        /// Where it ran, and as whom.
        there: String,
        /// The PBX.
        origin: String,
        /// The profile that it ran with.
        profile: String,
    },
    /// The first line of the file is lost.
    #[error("{0} has lost its first line, so which PBX it ran on is not known")]
    Headless(String),
    /// It is from another version.
    #[error(
        "{0} has schema {1}, and this callsweep acts on schema {SCHEMA} at most: use a newer version"
    )]
    Newer(String, u32),
}

/// A run, as its file tells it.
#[derive(Debug)]
pub struct Record {
    /// What the run is called.
    pub name: String,
    /// The folder of its file.
    pub folder: PathBuf,
    /// Version of its lines.
    pub schema: u32,
    /// What it did.
    pub kind: Kind,
    /// The profile's name.
    pub profile: String,
    /// Which service; empty where the first line is lost.
    pub origin: String,
    /// What stands before `/extensions` in its paths.
    pub base_path: String,
    /// The user in its paths.
    pub user: String,
    /// The plan's hash.
    pub plan_hash: String,
    /// When it began, in UTC.
    pub started: String,
    /// When it ended, stopped or not; `None` where it was cut off.
    pub finished: Option<String>,
    /// Why it ended before everything was sent.
    pub stopped: Option<Stop>,
    /// The run that this one undoes.
    pub undoes: Option<String>,
    /// The calls that were planned: method, path and how many events each covers.
    pub calls: RecordedCalls,
    /// What was planned, whole, with what became of it, as far as its lines can be read.
    pub events: Vec<RecordedEvent>,
    /// What became of planned events whose lines are lost, each with its place.
    pub missing: Vec<(usize, Outcome)>,
    /// What else was listed on the extensions touched.
    pub bystanders: Vec<PhoneCallEvent>,
    /// Bystanders that were gone afterwards, and those that an answer named.
    pub surplus: Vec<EventKey>,
    /// What answers named that was neither planned nor a bystander.
    pub unlisted: Vec<Unlisted>,
    /// Every wide call that may have taken something told what.
    pub surplus_known: bool,
    /// For an undo: events that it left out because something stood in for them.
    pub left_out: usize,
    /// Events that are called restored and that no list showed since the last request about them.
    pub unseen: usize,
    /// Of a backup: how much of what was meant could be listed.
    pub(super) extent: Extent,
    /// What the service said when it was asked again about what was sent.
    pub check: Check,
    /// The lines that are not used, each with what is wrong.
    pub flaws: Vec<String>,
    /// Who worked on it, in order; empty where its version did not tell.
    pub opened: Vec<Opening>,
    /// Number of calls that were sent, each counted once.
    pub sent_calls: usize,
    /// The line that closes the plan is there.
    planned: bool,
    /// The number of the next call, behind all that are in the file.
    next_call: usize,
    /// When the last request was sent; the latest time there is where the file does not say it.
    pub(super) last_sent: Option<jiff::Timestamp>,
    /// When its file was last written on.
    pub(super) written: Option<jiff::Timestamp>,
    /// Another program was writing it while it was read.
    going_on: bool,
}

/// A process that worked on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// From when on, in UTC.
    pub at: String,
    /// The user's name.
    pub login: String,
    /// The machine.
    pub host: String,
    /// The program with its version.
    pub program: String,
}

/// A planned event and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the plan.
    pub place: usize,
    /// Whole, as it was listed.
    pub event: PhoneCallEvent,
    /// The id of its extension's owner, where it was known.
    pub owner: Option<Arc<str>>,
    /// The user in the paths of its extension, where the file says it.
    path_user: Option<Arc<str>>,
    /// The new fields, for a change and its undo.
    pub want: Option<Box<Change>>,
    /// The same as JSON.
    written: Option<Box<str>>,
    /// In the undo of a change: the id that it had in that run, where it is another one.
    of_id: Option<EventId>,
    /// Its outcome.
    pub outcome: Outcome,
    /// A request that covers it may have gone out.
    pub sent: bool,
    /// The time of the last such request.
    pub sent_at: Option<jiff::Timestamp>,
    /// The status of the last answer about it.
    pub http_status: Option<u16>,
    /// A request went out that had no clear answer.
    pub unanswered: bool,
    /// Its extension was listed since the last request for it.
    pub(super) checked: bool,
}

/// What is known of the requests that covered an event.
#[derive(Debug, Clone, Copy, Default)]
struct Went {
    at: Option<jiff::Timestamp>,
    http_status: Option<u16>,
    /// The last one has no answer in the file.
    open: bool,
    /// One of them had no clear answer.
    unclear: bool,
}

/// A file while it is read.
struct Reading {
    record: Record,
    /// How many events are planned.
    size: usize,
    /// More than there can be, whatever a line says.
    most: usize,
    /// Events are kept, and not only counted.
    keeps: bool,
    shared: Shared,
    events: Vec<Option<RecordedEvent>>,
    outcomes: Vec<Option<Outcome>>,
    /// The events that were sent, each with the last time.
    went: BTreeMap<usize, Went>,
    /// Events of which nothing listed tells yet, of those that whoever opened it last sent.
    unchecked: BTreeSet<usize>,
    /// Events that were listed since they were sent.
    listed: BTreeSet<usize>,
    /// Each call that was sent, and its first event.
    sent: Vec<(usize, usize)>,
    /// Wide calls that may have taken something and did not tell what.
    silent: BTreeSet<usize>,
    /// Ids that answers named beside the plan, each with the first event of its call.
    named: Vec<(usize, String)>,
    still_there: Vec<Named>,
    end: Option<End>,
    /// What the last listings said.
    checked: Option<Check>,
    /// Lines that are not used, by their places from 0.
    flaws: Vec<(usize, Flaw)>,
    /// The place of the last line, where its end was never written.
    torn: Option<usize>,
    /// How many lines were used.
    right: usize,
    /// The place of the last line of the plan.
    plan_ends: usize,
}

/// The first line of a run, wherever it stands in its file.
struct Found {
    at: usize,
    head: Option<Head>,
    /// It needs not be read again: its sum is right, or its version has none.
    is_right: bool,
    /// Any line has a sum.
    summed: bool,
}

/// Looks for the first line of a run. One with a wrong sum tells more than none.
fn find_head(reader: &mut impl BufRead) -> io::Result<Found> {
    let (mut line, mut at, mut summed) = (Vec::new(), 0, false);
    let mut damaged = None;
    while next_line(reader, &mut line)? == Some(true) {
        summed |= has_sum(&line);
        if let Ok(Line::Run(head)) = Line::read(&line, has_sum(&line)) {
            let is_right = head.schema < 2 || has_sum(&line);
            return Ok(Found { at, head: Some(head), is_right, summed });
        }
        if at == 0
            && let Ok(Line::Run(head)) = Line::read(&line, false)
        {
            damaged = Some(head);
        }
        at += 1;
    }
    Ok(Found { at: 0, head: damaged, is_right: false, summed })
}

/// The next line without its end; false where the end was never written, `None` behind the last. What
/// is no line of a run file does not fill the memory.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let begins = reader.fill_buf()?.first() == Some(&b'{');
    let most = if begins { LONGEST_LINE } else { LONGEST_LAST };
    if reader.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(true));
    }
    skip_line(reader).map(Some)
}

/// Passes over the rest of a line; false where its end was never written.
fn skip_line(reader: &mut impl BufRead) -> io::Result<bool> {
    let mut part = Vec::new();
    loop {
        part.clear();
        let read = reader.by_ref().take(LONGEST_LAST).read_until(b'\n', &mut part)?;
        let ends = part.last() == Some(&b'\n');
        if ends || read == 0 {
            return Ok(ends);
        }
    }
}

impl Record {
    /// Reads the run of this name.
    ///
    /// # Errors
    /// Says which file and what is wrong. Damaged lines are no error: they are
    /// [`flaws`](Self::flaws).
    pub fn read(runs: &Path, name: &str) -> Result<Self, RecordRefused> {
        let mut record = Reading::of_file(runs, name, true)?.finish();
        record.lies_in(runs);
        Ok(record)
    }

    /// Reads of the run of this name what a list tells: its events are counted, and none is kept.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) fn outline(runs: &Path, name: &str) -> Result<(Self, Tally), RecordRefused> {
        let (mut record, tally) = Reading::of_file(runs, name, false)?.outline();
        record.lies_in(runs);
        Ok((record, tally))
    }

    fn lies_in(&mut self, runs: &Path) {
        runs.clone_into(&mut self.folder);
        self.going_on = self.finished.is_none() && super::is_going_on(runs, &self.name);
    }

    /// Whether another program was writing the file while it was read.
    pub fn is_going_on(&self) -> bool {
        self.going_on
    }

    /// Outcomes of all planned events, counted.
    pub fn tally(&self) -> Tally {
        if self.kind.keeps() {
            return Tally::default();
        }
        let known = self.events.iter().map(|planned| &planned.outcome);
        Tally::over(known.chain(self.missing.iter().map(|(_, outcome)| outcome)))
    }

    /// What a review says of a file whose lines have no sums; `None` of one that has them.
    pub fn without_sums(&self) -> Option<String> {
        let name = &self.name;
        (self.schema < 2).then(|| {
            format!(
                "{name} was written by an older version: its events have no sum to check them by"
            )
        })
    }

    /// How many events were planned.
    pub fn planned(&self) -> usize {
        self.events.len() + self.missing.len()
    }

    /// Why it ended before everything was done; a run that was cut off was killed.
    pub fn stop(&self) -> Option<Stop> {
        let killed = || {
            let message = Foreign::from("the program ended without closing the run");
            Stop::new(StopReason::Killed, message)
        };
        let is_over = self.finished.is_some() || self.going_on;
        self.stopped.clone().or_else(|| (!is_over).then(killed))
    }

    /// Checks that the whole plan can be read as it was reviewed; only then can the run be
    /// continued.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn is_whole(&self) -> Result<(), String> {
        if self.schema > SCHEMA {
            return Err(RecordRefused::Newer(self.name.clone(), self.schema).to_string());
        }
        let what = self.flaws.first().map_or("its hash is another", String::as_str);
        let damaged = || format!("the plan of {} is not whole: {what}", self.name);
        let planned = self.schema < 2 || (self.planned && self.hash() == self.plan_hash);
        let covered = self.calls.covers().fold(0, usize::saturating_add);
        let all = covered == self.events.len();
        if self.missing.is_empty() && planned && all { Ok(()) } else { Err(damaged()) }
    }

    /// The hash over what the file holds.
    fn hash(&self) -> String {
        let mut hasher = PlanHasher::new(&self.origin, &self.base_path, self.kind.name());
        for call in self.calls.iter() {
            hasher.call(&call.method, &call.path, call.covers);
        }
        for planned in &self.events {
            hasher.event(&planned.event, planned.owner.as_deref(), planned.written.as_deref());
        }
        hasher.finish().as_str().to_owned()
    }

    /// The places of these events in it, of all that it planned.
    pub fn places_of(&self, events: &[PhoneCallEvent]) -> Vec<usize> {
        let known: HashMap<&EventKey, usize> =
            self.events.iter().map(|planned| (&planned.event.key, planned.place)).collect();
        events.iter().filter_map(|event| known.get(&event.key).copied()).collect()
    }

    /// What a listing says of an undo that `plan` goes on with: events of it that are there, whoever
    /// made them, and those that are to be written once more though they were called done.
    pub fn found(&self, there: &[(EventKey, Foreign)], plan: Option<&Plan>) -> RunEnd {
        let ids: HashMap<&EventKey, &Foreign> = there.iter().map(|(key, id)| (key, id)).collect();
        let is_open = |planned: &RecordedEvent| {
            planned.outcome.is_open()
                || (planned.want.is_none() && planned.outcome.new_id().is_none())
        };
        let found = self.events.iter().filter_map(|planned| {
            let id = (*ids.get(&planned.first_key())?).clone();
            let own = planned.want.is_some() && id.raw() == planned.event.key.id.as_str();
            let found = Outcome::Done(Success::Restored, Some(id).filter(|_| !own));
            // What it told stands, whatever became of that id since.
            let told = Some(&planned.outcome).filter(|it| it.is_done_by(Work::GivesBack));
            let confirms = told.is_some() && !planned.checked;
            let told = told.filter(|it| it.new_id().is_some()).cloned();
            (is_open(planned) || confirms).then(|| (planned.place, told.unwrap_or(found)))
        });
        let again = plan.into_iter().flat_map(|plan| {
            let listed = plan.events().iter().enumerate();
            listed.filter(|(place, _)| plan.held(*place).is_none()).map(|(_, event)| &event.key)
        });
        let again: HashSet<&EventKey> = again.collect();
        let is_lost = |it: &&RecordedEvent| {
            it.want.is_some() && !is_open(it) && again.contains(&it.event.key)
        };
        let lost = self.events.iter().filter(is_lost).map(|planned| {
            let why = "the service reported it changed; it is not listed with its old values";
            (planned.place, Outcome::Refused(failure(Cause::Unreadable, why).into()))
        });
        RunEnd { revised: found.chain(lost).collect(), ..RunEnd::default() }
    }

    /// The number of the next call, behind all that are in the file.
    pub(super) fn next_call(&self) -> usize {
        self.next_call
    }

    /// How each extension that it planned for was reached: what worked then counts as proven.
    pub fn access(&self) -> impl Iterator<Item = (ExtensionNumber, Access)> {
        let parts = self.events.chunk_by(|a, b| a.event.key.extension == b.event.key.extension);
        parts.filter_map(|part| {
            let first = part.first()?;
            let user = |text: &Option<Arc<str>>| UserId::parse(text.as_deref()?).ok();
            let other = |user: &UserId| user.as_str() != self.user;
            let access =
                Access { user: user(&first.path_user).filter(other), owner: user(&first.owner) };
            Some((first.event.key.extension.clone(), access))
        })
    }

    /// Lets go of what is as large as the run. [`access`](Self::access) is told as before.
    pub(super) fn forget_events(&mut self) {
        self.events.dedup_by(|two, one| two.event.key.extension == one.event.key.extension);
        self.events.shrink_to_fit();
        (self.calls, self.bystanders) = (RecordedCalls::default(), Vec::new());
    }

    /// Checks that it ran on this PBX, whoever asked for it.
    ///
    /// # Errors
    /// Says where it ran.
    pub fn is_at(&self, origin: &str) -> Result<(), RecordRefused> {
        if self.origin.is_empty() {
            return Err(RecordRefused::Headless(self.name.clone()));
        }
        if self.origin.eq_ignore_ascii_case(origin) { Ok(()) } else { Err(self.elsewhere()) }
    }

    /// Checks that no other run of its name lies in the folder of run files: undos name what they
    /// undo.
    ///
    /// # Errors
    /// Says which file is to be renamed.
    pub fn is_alone(&self, runs: &Path) -> Result<(), RecordRefused> {
        let other = (self.folder != runs).then(|| head_of(&path_of(runs, &self.name))).flatten();
        match other {
            Some(other) if other.plan_hash != self.plan_hash => {
                let file = path_of(&self.folder, &self.name);
                Err(RecordRefused::Namesake(file, self.name.clone(), runs.to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The target of the run, where a profile on this service would use another one now.
    pub fn sent_to(&self, ours: &Target) -> Option<Target> {
        // A run of an earlier version that planned no call tells no base path.
        let is_told = self.schema > 1 || !self.base_path.is_empty();
        let base_path = if is_told { &self.base_path } else { ours.base_path() };
        ours.recorded(base_path, &self.user)
    }

    fn elsewhere(&self) -> RecordRefused {
        RecordRefused::Elsewhere {
            run: self.name.clone(),
            there: format!("{}{} as {}", self.origin, self.base_path, self.user),
            origin: self.origin.clone(),
            profile: self.profile.clone(),
        }
    }

    /// The planned events at these places, as far as their lines can be read.
    pub(super) fn events_at(&self, places: Range<usize>) -> &[RecordedEvent] {
        let start = self.events.partition_point(|planned| planned.place < places.start);
        let end = self.events.partition_point(|planned| planned.place < places.end);
        self.events.get(start..end).unwrap_or_default()
    }

    /// The events that it changed or created, as it left them, and those of its events that it did
    /// not, each with the reason.
    ///
    /// # Errors
    /// A deletion leaves nothing, and a backup does nothing.
    pub fn left(&self) -> Result<(Vec<PhoneCallEvent>, Vec<Omitted>), RecordRefused> {
        if self.kind.keeps() || self.kind.is(Work::Takes) {
            return Err(RecordRefused::LeftNothing(self.name.clone(), self.kind.name()));
        }
        let (mut left, mut omitted) = (Vec::new(), Vec::new());
        for planned in &self.events {
            match planned.as_left() {
                Ok(event) => left.push(event),
                Err(why) => omitted.push(Omitted { key: planned.event.key.clone(), why }),
            }
        }
        Ok((left, omitted))
    }

    /// What may be gone because of this run: all that was sent, whatever came of it, what went with
    /// the call of another event, and what went beside the plan.
    pub fn taken(&self) -> impl Iterator<Item = EventKey> {
        let taken = self.events.iter().filter(|it| it.sent || it.outcome.may_have_taken());
        taken.map(|planned| &planned.event.key).chain(&self.surplus).cloned()
    }
}

impl Record {
    /// Takes in the ids that answers named beside the plan, each with the first event of its call,
    /// but for those that a listing showed afterwards.
    fn take_named(&mut self, named: Vec<(usize, String)>, still_there: &[Named]) {
        for (first, id) in named {
            let Some(planned) = self.events_at(first..first + 1).first() else { continue };
            let extension = planned.event.key.extension.clone();
            let is = |key: &EventKey| key.extension == extension && key.id.as_str() == id;
            let unlisted =
                Unlisted { extension: extension.clone(), id: Foreign::from(id.as_str()) };
            if let Some(planned) = self.events.iter_mut().find(|it| is(&it.event.key)) {
                planned.sent = true;
                continue;
            }
            match self.bystanders.iter().find(|event| is(&event.key)) {
                Some(event) if self.surplus.contains(&event.key) => {}
                Some(event) => self.surplus.push(event.key.clone()),
                None if self.unlisted.contains(&unlisted) => {}
                None => self.unlisted.push(unlisted),
            }
        }
        let there = |extension: &ExtensionNumber, id: &str| {
            still_there.iter().any(|it| it.extension == extension.as_str() && it.id == id)
        };
        self.surplus.retain(|key| !there(&key.extension, key.id.as_str()));
        self.unlisted.retain(|it| !there(&it.extension, it.id.raw()));
    }
}

impl RecordedEvent {
    /// Nothing is known yet of what became of it.
    fn of(place: usize, body: &Body<'_>, shared: &mut Shared) -> Result<Self, String> {
        let event = body.event(shared)?;
        let mut text = |text: &Option<Cow<'_, str>>| text.as_deref().map(|it| shared.text(it));
        let id = body.of_id.as_deref().map(EventId::parse).transpose();
        Ok(Self {
            place,
            event,
            owner: text(&body.owner),
            path_user: text(&body.path_user),
            want: body.want.as_ref().map(|want| Box::new(Change::read(want))),
            written: body.want.as_ref().map(|want| want.to_string().into()),
            of_id: id.map_err(|no| no.to_string())?,
            outcome: not_sent(),
            sent: false,
            sent_at: None,
            http_status: None,
            unanswered: false,
            checked: false,
        })
    }

    /// The event as its run left it, where that changed or created it.
    ///
    /// # Errors
    /// Says what became of it instead.
    fn as_left(&self) -> Result<PhoneCallEvent, String> {
        if self.outcome.is_gone() || !self.outcome.is_well() {
            return Err(format!("was {} in that run", self.outcome.name()));
        }
        if !self.sent {
            return Err("was there already: that run did not make it".to_owned());
        }
        let key = match (&self.want, self.outcome.new_id()) {
            (None, None) => return Err("was re-created under an id that is not known".to_owned()),
            (_, Some(_)) => self.new_key().unwrap_or_else(|| self.event.key.clone()),
            (Some(_), None) => self.event.key.clone(),
        };
        let event = match &self.want {
            Some(change) => change.applied_to(&self.event),
            None => self.event.clone(),
        };
        Ok(PhoneCallEvent { key, ..event })
    }

    /// Its key in the run that is undone; its own in any other.
    pub(super) fn first_key(&self) -> EventKey {
        let id = self.of_id.as_ref().unwrap_or(&self.event.key.id).clone();
        EventKey { id, ..self.event.key.clone() }
    }

    /// The key that it has now, where it is another one since.
    pub(super) fn new_key(&self) -> Option<EventKey> {
        let id = EventId::parse(self.outcome.new_id()?.raw()).ok()?;
        let key = EventKey { id, ..self.event.key.clone() };
        (key != self.event.key).then_some(key)
    }
}

impl Reading {
    /// Reads the file of this name; of an outline no event is kept.
    fn of_file(runs: &Path, name: &str, keeps: bool) -> Result<Self, RecordRefused> {
        if !is_name(name) && !is_path(name) {
            return Err(RecordRefused::Missing(name.to_owned()));
        }
        let path = path_of(runs, name);
        let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let unreadable = |error| match error {
            error if missing(&error) => RecordRefused::Missing(name.to_owned()),
            error => RecordRefused::Unreadable(path.clone(), error),
        };
        let data = fs::symlink_metadata(&path).map_err(unreadable)?;
        odd::check(&data).map_err(|odd| RecordRefused::Odd(path.clone(), odd))?;
        let mut reader = BufReader::new(open(&path).map_err(unreadable)?);
        let found = find_head(&mut reader).map_err(unreadable)?;
        reader.rewind().map_err(unreadable)?;
        let most = usize::try_from(data.len()).unwrap_or(usize::MAX).max(ALWAYS_BELIEVED);
        let mut reading =
            Self::of_lines(name, found, most, keeps, &mut reader).map_err(unreadable)?;
        reading.record.written = data.modified().ok().and_then(|at| at.try_into().ok());
        if reading.right == 0 && reading.record.origin.is_empty() {
            let what = match reading.flaws.first() {
                Some((_, flaw)) => flaw.to_string(),
                None => "the file ends before the plan does: nothing was sent".to_owned(),
            };
            return Err(RecordRefused::Line { path, line: 1, what });
        }
        Ok(reading)
    }

    fn of(name: &str, head: Option<Head>, schema: u32, most: usize) -> Self {
        let profile = name.split_once('-').map_or("", |(_, profile)| profile);
        let head = head.unwrap_or_else(|| Head::lost(profile, schema));
        // Schema 1 did not say it: it stands in every path.
        let in_path = || {
            let first = head.calls.get(0)?;
            first.path.split_once("/extensions/").map(|(base, _)| base.to_owned())
        };
        let base_path = head.base_path.clone().or_else(in_path).unwrap_or_default();
        let record = Record {
            name: name.to_owned(),
            folder: PathBuf::new(),
            schema,
            kind: head.kind,
            profile: head.profile,
            origin: head.origin,
            base_path,
            user: head.user,
            plan_hash: head.plan_hash,
            started: head.started,
            finished: None,
            stopped: None,
            undoes: head.of,
            next_call: head.calls.len(),
            calls: head.calls,
            events: Vec::new(),
            missing: Vec::new(),
            bystanders: Vec::new(),
            surplus: Vec::new(),
            unlisted: Vec::new(),
            surplus_known: true,
            left_out: head.left_out,
            unseen: 0,
            extent: head.extent,
            check: Check::default(),
            flaws: Vec::new(),
            opened: Vec::new(),
            sent_calls: 0,
            planned: false,
            last_sent: None,
            written: None,
            going_on: false,
        };
        Self {
            record,
            size: head.events.min(most),
            most,
            keeps: true,
            shared: Shared::default(),
            events: Vec::new(),
            outcomes: Vec::new(),
            went: BTreeMap::new(),
            unchecked: BTreeSet::new(),
            listed: BTreeSet::new(),
            sent: Vec::new(),
            silent: BTreeSet::new(),
            named: Vec::new(),
            still_there: Vec::new(),
            end: None,
            checked: None,
            flaws: Vec::new(),
            torn: None,
            right: 0,
            plan_ends: 0,
        }
    }

    /// Takes every line of a file.
    fn of_lines(
        name: &str,
        found: Found,
        most: usize,
        keeps: bool,
        reader: &mut impl BufRead,
    ) -> io::Result<Self> {
        let Found { at: head_at, head, is_right, summed } = found;
        let schema = head.as_ref().map_or(if summed { SCHEMA } else { 1 }, |head| head.schema);
        let mut reading = Self { keeps, ..Self::of(name, head, schema, most) };
        reading.plan_ends = head_at;
        let mut text = Vec::new();
        for at in 0.. {
            match next_line(reader, &mut text)? {
                None => break,
                // What stands behind the last line end was never finished.
                Some(false) => reading.torn = Some(at),
                Some(true) if is_right && at == head_at => reading.right += 1,
                Some(true) if reading.skims(at, &text) => {}
                Some(true) => match Line::read(&text, schema > 1 || has_sum(&text)) {
                    Ok(line) => reading.take_at(at, line, at.saturating_sub(head_at + 1)),
                    Err(flaw) => reading.flaws.push((at, flaw)),
                },
            }
        }
        Ok(reading)
    }

    /// Of an outline takes no more of a line that holds an event than its place: for the rest of it
    /// its sum vouches. False for any other line.
    fn skims(&mut self, at: usize, text: &[u8]) -> bool {
        // A file without its first line is as long as its events say: each has to make sense.
        let in_full = self.keeps || self.record.origin.is_empty();
        let held = if in_full { None } else { held(text) };
        match held.filter(|_| has_right_sum(text)) {
            None => return false,
            Some(Held::Planned(place)) if self.has_place(place).is_err() => return false,
            Some(Held::Planned(_) | Held::Bystander) => {}
        }
        self.plan_ends = at;
        self.right += 1;
        true
    }

    fn take_at(&mut self, at: usize, line: Line<'_>, behind: usize) {
        if matches!(line, Line::Event(_) | Line::Bystander(_) | Line::Planned { .. }) {
            self.plan_ends = at;
        }
        match self.take(line, behind) {
            Ok(()) => self.right += 1,
            Err(what) => self.flaws.push((at, Flaw::Senseless(what))),
        }
    }

    /// Takes one line; `behind` is how far it stands behind the first.
    fn take(&mut self, line: Line<'_>, behind: usize) -> Result<(), String> {
        match line {
            Line::Run(_) => return Err("a second run line".to_owned()),
            Line::Event(body) => {
                // Schema 1 has its events in order, right behind its first line.
                let place = body.place.unwrap_or(behind);
                let planned = RecordedEvent::of(place, &body, &mut self.shared)?;
                self.has_place(place)?;
                self.keep(planned);
            }
            Line::Bystander(body) => {
                let event = body.event(&mut self.shared)?;
                self.record.bystanders.extend(self.keeps.then_some(event));
            }
            Line::Planned { events, .. } => {
                self.size = self.size.max(events.min(self.most));
                self.record.planned = true;
            }
            // A process that opened it again has not ended yet.
            Line::Opened { at, process, .. } => {
                (self.end, self.checked) = (None, None);
                self.unchecked.clear();
                let Process { program, host, login, .. } = process;
                self.record.opened.push(Opening { at, login, host, program });
            }
            Line::Sent { call, first, covers, at } => {
                let at = at.and_then(|at| at.parse().ok());
                self.sends(call, first..first.saturating_add(covers), at)?;
            }
            Line::Settled { call, http_status, outcomes, surplus, surplus_known } => {
                let first = self.first_of(call).ok_or_else(|| {
                    format!("call {call} is settled, and the line that it was sent is lost")
                })?;
                self.named.extend(surplus.into_iter().map(|id| (first, id)));
                // What was written before this was told: an answer of 200 named what it took.
                if surplus_known.unwrap_or_else(|| http_status == Some(200)) {
                    self.silent.remove(&call);
                }
                for (place, said) in outcomes.into_iter().enumerate() {
                    let (event, outcome) = (first.saturating_add(place), said.outcome(http_status));
                    if self.keeps {
                        let went = self.went.entry(event).or_default();
                        (went.open, went.http_status) = (false, http_status);
                        went.unclear |= matches!(outcome, Outcome::Unknown(_));
                    }
                    self.settle(event, outcome)?;
                }
            }
            Line::Verified { complete, check, revised, surplus, altered, still_there } => {
                self.checked = Some(match check.as_deref().and_then(Check::of_name) {
                    Some(check) => check,
                    None if complete => Check::Agrees,
                    None => Check::NotChecked,
                });
                if self.checked.is_some_and(Check::is_whole) {
                    self.listed.append(&mut self.unchecked);
                }
                self.still_there.extend(still_there);
                self.verified(revised.into_iter().chain(altered), &surplus)?;
            }
            Line::Stopped(end) | Line::Finished(end) => self.end = Some(end),
        }
        Ok(())
    }

    fn sends(
        &mut self,
        call: usize,
        covers: Range<usize>,
        at: Option<jiff::Timestamp>,
    ) -> Result<(), String> {
        let first = covers.start;
        self.sent.push((call, first));
        if self.record.calls.get(call).is_some_and(|call| call.is_wide()) {
            self.silent.insert(call);
        }
        let sent = at.unwrap_or(jiff::Timestamp::MAX);
        self.record.last_sent = self.record.last_sent.max(Some(sent));
        self.record.next_call = self.record.next_call.max(call.saturating_add(1));
        for event in first..covers.end.min(self.size) {
            let lost = failure(Cause::NoAnswer, "sent, and no answer was recorded");
            let went = self.went.entry(event).or_default();
            (went.at, went.open) = (at, true);
            self.listed.remove(&event);
            self.unchecked.insert(event);
            self.settle(event, Outcome::Unknown(lost.into()))?;
        }
        Ok(())
    }

    fn verified(
        &mut self,
        revised: impl Iterator<Item = Said>,
        surplus: &[Key],
    ) -> Result<(), String> {
        for said in revised {
            let event = said.event.ok_or("a revised outcome without its event")?;
            let outcome = said.outcome(None);
            let before = self.outcomes.get(event).and_then(Option::as_ref);
            if before.is_some_and(|before| names_too_little(before, &outcome)) {
                let calls = &self.record.calls;
                let is_its = |(call, first): &&(usize, usize)| {
                    let call = calls.get(*call).filter(RecordedCall::is_wide);
                    call.is_some_and(|call| (*first..first + call.covers).contains(&event))
                };
                self.silent.extend(self.sent.iter().rev().find(is_its).map(|(call, _)| *call));
            }
            self.settle(event, outcome)?;
            self.listed.insert(event);
        }
        for key in surplus {
            let key = key.key()?;
            if !self.record.surplus.contains(&key) {
                self.record.surplus.push(key);
            }
        }
        Ok(())
    }

    /// The first event of a call: as it was sent, or as the plan has it.
    fn first_of(&self, call: usize) -> Option<usize> {
        let sent = self.sent.iter().rev().find(|(id, _)| *id == call).map(|(_, first)| *first);
        let planned = || {
            let before = self.record.calls.covers().take(call);
            (call < self.record.calls.len()).then(|| before.fold(0, usize::saturating_add))
        };
        sent.or_else(planned)
    }

    fn has_place(&mut self, place: usize) -> Result<(), String> {
        // A file without its first line tells of no size: its events do.
        if self.record.origin.is_empty() {
            self.size = self.size.max(place.saturating_add(1).min(self.most));
        }
        if place < self.size { Ok(()) } else { Err(format!("there is no event {place}")) }
    }

    fn keep(&mut self, planned: RecordedEvent) {
        let place = planned.place;
        if self.keeps && self.events.len() <= place {
            self.events.resize(place + 1, None);
        }
        if let Some(slot) = self.events.get_mut(place) {
            *slot = Some(planned);
        }
    }

    fn settle(&mut self, event: usize, outcome: Outcome) -> Result<(), String> {
        if event >= self.size {
            return Err(format!("there is no event {event}"));
        }
        if self.outcomes.len() <= event {
            self.outcomes.resize(event + 1, None);
        }
        if let Some(slot) = self.outcomes.get_mut(event) {
            *slot = Some(outcome);
        }
        Ok(())
    }

    /// The run with its events.
    fn finish(mut self) -> Record {
        let (outcomes, may_be_sent) = self.close();
        self.events.resize(self.size, None);
        let Self { mut record, events, went, listed, named, still_there, .. } = self;
        let missing = &mut record.missing;
        let told = |(place, (planned, outcome)): (usize, (Option<RecordedEvent>, Outcome))| {
            let Some(planned) = planned else {
                missing.push((place, outcome));
                return None;
            };
            let went = went.get(&place);
            Some(RecordedEvent {
                outcome,
                sent: went.is_some() || may_be_sent,
                sent_at: went.and_then(|it| it.at),
                http_status: went.and_then(|it| it.http_status),
                unanswered: may_be_sent || went.is_some_and(|it| it.open || it.unclear),
                checked: listed.contains(&place),
                ..planned
            })
        };
        record.events = events.into_iter().zip(outcomes).enumerate().filter_map(told).collect();
        record.take_named(named, &still_there);
        record
    }

    /// The run with its counts alone.
    fn outline(mut self) -> (Record, Tally) {
        let (outcomes, _) = self.close();
        (self.record, Tally::over(&outcomes))
    }

    /// Gives every event its outcome, and says whether what nothing is written of may have been sent:
    /// it was not, where a line that may have said otherwise cannot be lost.
    fn close(&mut self) -> (Vec<Outcome>, bool) {
        let is_flaw = |(_, flaw): &&(usize, Flaw)| *flaw != Flaw::Unknown;
        let (in_plan, behind): (Vec<_>, Vec<_>) =
            self.flaws.iter().filter(is_flaw).partition(|(at, _)| *at <= self.plan_ends);
        // A line that is lost in the plan may have been one of it, and one behind it may have said
        // that something is about to be sent.
        self.record.planned &= in_plan.is_empty();
        let doubt = !behind.is_empty();
        let unknown = |why| Outcome::Unknown(failure(Cause::NoAnswer, why).into());
        self.outcomes.resize(self.size, None);
        let sent = Tally::over(self.outcomes.iter().flatten());
        let unsent = self.outcomes.iter().filter(|outcome| outcome.is_none()).count();
        let as_told = sent.with(Word::NotSent, sent.of(Word::NotSent) + unsent);
        let agrees = self.end.as_ref().is_some_and(|end| end.tally == as_told);
        // What was written before it was synced may have been lost, and may have been carried out.
        let may_have_lost = self.record.schema < 2 && self.end.is_none();
        if may_have_lost {
            let calls = self.record.calls.iter().enumerate().filter(|(_, call)| call.is_wide());
            let is_lost = |call: &usize| self.sent.iter().all(|(sent, _)| sent != call);
            self.silent.extend(calls.map(|(call, _)| call).filter(is_lost));
        }
        let doubted = doubt && !agrees;
        let closed = std::mem::take(&mut self.outcomes).into_iter().map(|outcome| match outcome {
            None if doubted => {
                unknown("a line of the run file is damaged that may have said that it was sent")
            }
            None if may_have_lost => {
                unknown("the run was cut off, and its run file may have lost lines")
            }
            None => not_sent(),
            Some(Outcome::NotSent(_) | Outcome::Refused(_) | Outcome::AlreadyGone) if doubted => {
                unknown("a line of the run file is damaged that may have said otherwise")
            }
            Some(outcome) => outcome,
        });
        let closed: Vec<Outcome> = closed.collect();
        let is_back = |outcome: &Outcome| outcome.is_done_by(Work::GivesBack);
        let sent = self.went.keys().filter(|place| closed.get(**place).is_some_and(is_back));
        self.record.unseen = sent.filter(|place| !self.listed.contains(*place)).count();
        self.tell(may_have_lost);
        (closed, doubted || may_have_lost)
    }

    /// What the lines behind the plan say of the run as a whole.
    fn tell(&mut self, may_have_lost: bool) {
        let end = self.end.take();
        let anything_sent = !self.sent.is_empty() || may_have_lost;
        let sent: BTreeSet<usize> = self.sent.iter().map(|(call, _)| *call).collect();
        self.record.sent_calls = sent.len();
        self.record.stopped = end.as_ref().filter(|end| end.reason.is_some()).map(End::stop);
        self.record.finished = end.map(|end| end.at);
        self.record.check = match self.checked {
            Some(check) => check,
            None if anything_sent => Check::NotChecked,
            None => Check::NothingSent,
        };
        self.record.surplus_known = self.silent.is_empty();
        let told = self.flaws.iter().map(|(at, flaw)| format!("line {}: {flaw}", at + 1));
        let torn = self.torn.map(|at| format!("line {}: its end was never written", at + 1));
        self.record.flaws = told.chain(torn).collect();
    }
}

/// Every undo, newest first, with the run that it undoes, by the first lines of the files alone.
///
/// # Errors
/// When the folder cannot be read.
pub fn undone(runs: &Path) -> io::Result<Vec<(String, String)>> {
    let undone = |name: String| {
        let head = head_of(&path_of(runs, &name)).filter(|head| head.kind == Kind::Undo)?;
        Some((name, head.of?))
    };
    Ok(names(runs)?.into_iter().filter_map(undone).collect())
}

/// The names of all runs in a folder, the one that began last first. A folder that is not there has none. What is no
/// plain file of this user is none: [`odd_files`] names it.
///
/// # Errors
/// Any other error of the file system.
pub fn names(runs: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = entries(runs)?
        .into_iter()
        .filter(|(_, odd)| odd.is_none())
        .filter_map(|(file, _)| Some(file.strip_suffix(".jsonl")?.to_owned()))
        .filter(|name| is_name(name))
        .collect();
    names.sort_by_cached_key(|name| Reverse((started(runs, name), name.clone())));
    Ok(names)
}

/// When a run began: as its file says, which may be called anything, else as its name says.
fn started(runs: &Path, name: &str) -> Option<jiff::Timestamp> {
    let told = || {
        let mut start = Vec::new();
        open(&path_of(runs, name)).ok()?.take(LONGEST_START).read_to_end(&mut start).ok()?;
        let start = String::from_utf8_lossy(&start);
        let line = start.lines().next()?;
        line.split_once("\"started\":\"")?.1.split_once('"')?.0.parse().ok()
    };
    let named = || {
        let stamp = name.split_once('-').map_or(name, |(stamp, _)| stamp);
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
        jiff::tz::Offset::UTC.to_timestamp(time).ok()
    };
    told().or_else(named)
}

/// Files in the folder that are no run files; they are left alone.
///
/// # Errors
/// Any error of the file system but that there is no folder.
pub fn odd_files(runs: &Path) -> io::Result<Vec<(PathBuf, Odd)>> {
    let odd = entries(runs)?.into_iter().filter_map(|(file, odd)| {
        let half = file.strip_suffix(".part");
        let is_run = half.unwrap_or(&file).strip_suffix(".jsonl").is_some_and(is_name);
        let path = runs.join(&file);
        let stray = || (!is_run).then_some(Odd::Stray);
        let left = || (half.is_some() && is_left(&path)).then_some(Odd::Half);
        Some((path.clone(), odd.or_else(stray).or_else(left)?))
    });
    let mut odd: Vec<_> = odd.collect();
    odd.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(odd)
}

/// Whether nobody has written to a file for longer than a plan takes.
fn is_left(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|data| data.modified()).ok();
    let written = written.and_then(|at| jiff::Timestamp::try_from(at).ok());
    written.is_some_and(|at| clock().duration_since(at) > PLAN_TAKES)
}

/// Everything in the folder, with what is wrong with it.
fn entries(runs: &Path) -> io::Result<Vec<(String, Option<Odd>)>> {
    let entries = match fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A file that went meanwhile is none any more.
        let Ok(data) = fs::symlink_metadata(entry.path()) else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        found.push((name, odd::check(&data).err()));
    }
    Ok(found)
}

/// Whether a run can be called so: a time and a profile, nothing that leads elsewhere or that acts
/// on a terminal.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the run of this name came to its end, by its last line alone: a start looks at many.
pub fn is_finished(runs: &Path, name: &str) -> bool {
    last_line(&path_of(runs, name)).is_ok_and(|line| {
        matches!(Line::read(&line, has_sum(&line)), Ok(Line::Finished(_) | Line::Stopped(_)))
    })
}

/// Whether nothing stopped the run of this name, by its last line alone.
pub(super) fn is_over(runs: &Path, name: &str) -> bool {
    last_line(&path_of(runs, name))
        .is_ok_and(|line| matches!(Line::read(&line, has_sum(&line)), Ok(Line::Finished(_))))
}

/// The first line of a run, where it can be read, without its calls.
pub(super) fn head_of(path: &Path) -> Option<Head<IgnoredAny>> {
    Head::read(&first_line(path).ok()?)
}

fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    next_line(&mut BufReader::new(open(path)?), &mut line)?;
    Ok(line)
}

/// How a run ended, where its last line says so.
pub(super) fn end_of(path: &Path) -> Option<End> {
    let line = last_line(path).ok()?;
    match Line::read(&line, has_sum(&line)) {
        Ok(Line::Finished(end) | Line::Stopped(end)) => Some(end),
        _ => None,
    }
}

fn last_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LAST)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let whole = end.trim_ascii_end();
    let start = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(whole.get(start..).unwrap_or_default().to_vec())
}

/// Opens a file to read, without following a link and without waiting for the other end of a pipe. What
/// is no file may have no end.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(odd::flags()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
}

fn not_sent() -> Outcome {
    Outcome::NotSent(failure(Cause::Withheld, "never sent").into())
}

fn failure(cause: Cause, message: &str) -> Failure {
    Failure::new(cause, message)
}
