//! Run files: what is about to be deleted is on disk, whole and synced, before the first DELETE.
//!
//! One JSON object a line, append-only, mode 0600: a `run` line, an `event` line for each planned
//! event, then the sync; `sent` before each request, `settled` after it, `finished` at the end.

#[cfg(test)]
mod agreement;
mod lock;
mod odd;
mod process;
mod record;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::deletion::{Plan, RunCall, RunEnd, Settled, UndoPlan};
use crate::domain::{EventKey, Foreign, Outcome, PhoneCallEvent, Target};
pub use lock::{Lock, LockRefused};
pub use record::{
    Kind, Record, RecordRefused, RecordedCall, RecordedEvent, is_finished, names, undo_plan,
};

/// Version of the line format.
const SCHEMA: u32 = 1;
/// Runs of one profile in one second that still get a name of their own.
const SAME_SECOND: u32 = 100;

/// The file of one run, open for appending.
#[derive(Debug)]
pub struct RunFile {
    file: File,
    name: String,
    /// Why a line could not be written: whatever came behind it would follow a torn one. Held while
    /// a line is written, so that none comes between a line and its failure.
    broken: Mutex<Option<String>>,
    /// The right to change the PBX, given back with the file.
    _lock: Option<Lock>,
}

impl RunFile {
    /// Keeps the lock of the PBX as long as the file is open.
    #[must_use]
    pub fn holding(self, lock: Option<Lock>) -> Self {
        Self { _lock: lock, ..self }
    }

    /// Creates the file, writes the plan with every event whole, and syncs file and folder. Only
    /// then may anything be sent.
    ///
    /// # Errors
    /// Any error of the file system; no half-written file is used then.
    pub fn create(runs: &Path, plan: &Plan) -> io::Result<Self> {
        let bystanders = plan.all_bystanders();
        Self::begin(runs, plan.target(), &run_line(plan), plan.events(), bystanders)
    }

    /// The same for events that are to be made again.
    ///
    /// # Errors
    /// Any error of the file system; no half-written file is used then.
    pub fn create_undo(runs: &Path, plan: &UndoPlan) -> io::Result<Self> {
        Self::begin(runs, plan.target(), &undo_line(plan), plan.events(), &[])
    }

    fn begin(
        runs: &Path,
        target: &Target,
        run: &Value,
        events: &[PhoneCallEvent],
        bystanders: &[PhoneCallEvent],
    ) -> io::Result<Self> {
        prepare(runs)?;
        let (file, name) = create_new(runs, &target.profile)?;
        // Held as long as the run goes on: a lock that another program can take means that it
        // does not. A file system without locks gives up that sign and nothing else.
        let _best_effort = file.try_lock();
        let whole = write_plan(&file, run, events, bystanders)
            .and_then(|()| fs::rename(part_of(runs, &name), path_of(runs, &name)))
            .and_then(|()| File::open(runs)?.sync_all());
        if let Err(error) = whole {
            // Half a plan of which nothing was sent is no run.
            let _ = fs::remove_file(part_of(runs, &name));
            let _ = fs::remove_file(path_of(runs, &name));
            return Err(error);
        }
        Ok(Self { file, name, broken: Mutex::new(None), _lock: None })
    }

    /// `20261123T094131Z-acme`: what the run is called everywhere.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A call is about to be sent. Without this line on disk it must not be.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn sent(&self, call: &RunCall) -> io::Result<()> {
        let covers = call.covers();
        self.append(&json!({
            "line": "sent", "call": call.id(), "first": covers.start, "covers": covers.len(),
        }))
    }

    /// What became of a call, an outcome for each event that it covers.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn settled(&self, call: &RunCall, settled: &Settled) -> io::Result<()> {
        let outcomes: Vec<Value> = settled.outcomes.iter().map(outcome_of).collect();
        let surplus: Vec<&str> = settled.reply.surplus.iter().map(Foreign::raw).collect();
        self.append(&json!({
            "line": "settled", "call": call.id(), "http_status": settled.reply.http_status,
            "outcomes": outcomes, "surplus": surplus,
        }))
    }

    /// The event at this place is about to be made. Without this line on disk it must not be.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn making(&self, place: usize) -> io::Result<()> {
        self.append(&json!({"line": "sent", "call": place, "first": place, "covers": 1}))
    }

    /// What became of an event that was to be made.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn made(
        &self,
        place: usize,
        outcome: &Outcome,
        http_status: Option<u16>,
    ) -> io::Result<()> {
        self.append(&json!({
            "line": "settled", "call": place, "http_status": http_status,
            "outcomes": [outcome_of(outcome)], "surplus": [],
        }))
    }

    /// The last lines, synced: what listing again showed, then the counts.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn finish(&self, end: &RunEnd) -> io::Result<()> {
        let tally = end.tally;
        self.append(&verified_line(end))?;
        self.append(&json!({
            "line": "finished", "finished": now(),
            "deleted": tally.deleted, "already_gone": tally.already_gone,
            "refused": tally.refused, "not_sent": tally.not_sent, "unknown": tally.unknown,
            "restored": tally.restored,
        }))?;
        self.file.sync_all()
    }

    /// One `write` a line: what a crash leaves is whole lines and at most one torn at the end. After
    /// the first error nothing is appended any more.
    fn append(&self, line: &Value) -> io::Result<()> {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &*broken {
            return Err(io::Error::other(why.clone()));
        }
        let written = write_line(&mut &self.file, line);
        *broken = written.as_ref().err().map(ToString::to_string);
        written
    }
}

/// Makes the folder of run files, for its owner alone.
///
/// # Errors
/// Any error of the file system.
pub fn prepare(runs: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(runs)
}

fn write_plan(
    file: &File,
    run: &Value,
    events: &[PhoneCallEvent],
    bystanders: &[PhoneCallEvent],
) -> io::Result<()> {
    let mut lines = BufWriter::new(file);
    write_line(&mut lines, run)?;
    for event in events {
        write_line(&mut lines, &event_line("event", event))?;
    }
    for event in bystanders {
        write_line(&mut lines, &event_line("bystander", event))?;
    }
    lines.flush()?;
    file.sync_all()
}

/// Whether another program is still writing the run of this name.
pub fn is_going_on(runs: &Path, name: &str) -> bool {
    let file = OpenOptions::new().append(true).open(path_of(runs, name));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Writes the last lines of a run that broke off, as listings have settled it.
///
/// # Errors
/// Any error of the file system, and a run that is still going on.
pub fn close_broken(runs: &Path, name: &str, end: &RunEnd) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).open(path_of(runs, name))?;
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(io::Error::other(format!("{name} is still going on")));
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    // What follows a torn line would be torn with it; nobody misses what it had not said.
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
    RunFile { file, name: name.to_owned(), broken: Mutex::new(None), _lock: None }.finish(end)
}

fn outcome_of(outcome: &Outcome) -> Value {
    let failure = outcome.failure();
    json!({
        "outcome": outcome.name().replace(' ', "_"),
        "code": failure.map(|failure| failure.code.raw()),
        "message": failure.map(|failure| failure.message.raw()),
        "new_id": outcome.new_id().map(Foreign::raw),
    })
}

/// An event by its names, as run files and machine output have it.
pub fn named(key: &EventKey) -> Value {
    let number = key.event_type.number();
    json!({"extension": key.extension.as_str(), "type": number, "id": key.id.as_str()})
}

fn revised(event: usize, outcome: &Outcome) -> Value {
    let mut line = outcome_of(outcome);
    if let Value::Object(fields) = &mut line {
        fields.insert("event".to_owned(), json!(event));
    }
    line
}

fn verified_line(end: &RunEnd) -> Value {
    let revised: Vec<Value> =
        end.revised.iter().map(|(event, outcome)| revised(*event, outcome)).collect();
    let surplus: Vec<Value> = end.surplus.iter().map(named).collect();
    json!({"line": "verified", "complete": end.verified, "revised": revised, "surplus": surplus})
}

fn write_line(out: &mut impl Write, line: &Value) -> io::Result<()> {
    let mut text = line.to_string();
    text.push('\n');
    out.write_all(text.as_bytes())
}

/// Creates the part of a run file under the next name that is free.
fn create_new(runs: &Path, profile: &str) -> io::Result<(File, String)> {
    let stamp = jiff::tz::Offset::UTC.to_datetime(clock()).strftime("%Y%m%dT%H%M%SZ").to_string();
    for attempt in 1..=SAME_SECOND {
        let name = match attempt {
            1 => format!("{stamp}-{profile}"),
            more => format!("{stamp}-{profile}-{more}"),
        };
        let part = part_of(runs, &name);
        match OpenOptions::new().append(true).create_new(true).mode(0o600).open(&part) {
            // Who has the part has the name: nobody else can finish a run of it meanwhile.
            Ok(file) if !path_of(runs, &name).try_exists()? => return Ok((file, name)),
            Ok(_) => fs::remove_file(&part)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("too many runs named {stamp}-{profile}"),
    ))
}

/// Writes the receipt of a run beside the folder of run files, readable by its owner alone, in place
/// of an earlier one, and returns where it is.
///
/// # Errors
/// Any error of the file system.
pub fn write_receipt(runs: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let folder = runs.with_file_name("receipts");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let path = folder.join(format!("{name}.md"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&path)?.write_all(text.as_bytes())?;
    Ok(path)
}

/// Where a run file stands until its plan is whole and synced: what a kill leaves there is no run.
fn part_of(runs: &Path, name: &str) -> PathBuf {
    runs.join(format!("{name}.jsonl.part"))
}

/// Where the run of this name is kept.
pub fn path_of(runs: &Path, name: &str) -> PathBuf {
    runs.join(format!("{name}.jsonl"))
}

#[expect(clippy::disallowed_methods, reason = "a run file says when it was written")]
fn clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn now() -> String {
    clock().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn run_line(plan: &Plan) -> Value {
    let target = plan.target();
    let calls: Vec<Value> = (0..plan.calls())
        .filter_map(|call| {
            let path = plan.call(call)?.path(target);
            Some(json!({"method": "DELETE", "path": path, "covers": plan.covers(call).len()}))
        })
        .collect();
    json!({
        "line": "run", "schema": SCHEMA, "program": env!("CARGO_PKG_VERSION"), "kind": "delete",
        "profile": target.profile, "origin": target.origin, "user": target.user.as_str(),
        "plan_hash": plan.hash().as_str(), "started": now(),
        "events": plan.events().len(), "calls": calls,
    })
}

fn undo_line(plan: &UndoPlan) -> Value {
    let target = plan.target();
    let call = |event| json!({"method": "POST", "path": plan.path(event), "covers": 1});
    let calls: Vec<Value> = plan.events().iter().map(call).collect();
    json!({
        "line": "run", "schema": SCHEMA, "program": env!("CARGO_PKG_VERSION"), "kind": "undo",
        "profile": target.profile, "origin": target.origin, "user": target.user.as_str(),
        "plan_hash": plan.plan_hash(), "undoes": plan.run(), "started": now(),
        "events": plan.events().len(), "calls": calls,
    })
}

/// Everything that is needed to write the event again, in the service's own notation.
fn event_line(line: &str, event: &PhoneCallEvent) -> Value {
    json!({
        "line": line, "extension": event.key.extension.as_str(),
        "type": event.key.event_type.number(), "id": event.key.id.as_str(),
        "method": event.method.written(), "url": event.url.raw(), "note": event.note.raw(),
        "status": event.status.written(),
        "modified": event.modified.written(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::deletion::{Run, Selection, Tally, judge};
    use crate::domain::{
        CallForm, DeleteAnswer, ExtensionNumber, ListingBuilder, RawEvent, Target, UserId,
    };
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn plan() -> Plan {
        let mut builder = ListingBuilder::new(ExtensionNumber::parse("0003*210").unwrap());
        for id in ["a", "b"] {
            let url = "https://crm.test/?q=%20";
            builder.push(RawEvent {
                event_type: "2",
                id,
                method: "1",
                url,
                note: "\u{1b}x",
                status: "0",
                modified: "",
            });
        }
        let selection = Selection::of_rows(&builder.finish(true), 0..2);
        let user = UserId::parse("@me").unwrap();
        let target = Target::new("acme", "https://pbx.test", "/uapi", user).unwrap();
        Plan::freeze(target, &selection, CallForm::Event, 10).unwrap()
    }

    fn lines(runs: &Path, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(path_of(runs, name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn the_plan_and_every_event_whole_are_on_disk_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("deep/runs");
        let file = RunFile::create(&runs, &plan()).unwrap();
        let lines = lines(&runs, file.name());
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[0]["calls"][1]["path"],
            "/uapi/extensions/@me/0003*210/phoneCallEvents/2/b"
        );
        assert_eq!(lines[0]["plan_hash"], plan().hash().as_str());
        let event = json!({
            "line": "event", "extension": "0003*210", "type": 2, "id": "b", "method": "1",
            "url": "https://crm.test/?q=%20", "note": "\u{1b}x", "status": "0", "modified": "",
        });
        assert_eq!(lines[2], event);
    }

    #[test]
    fn sent_and_settled_follow_and_the_end_closes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = RunFile::create(folder.path(), &plan()).unwrap();
        let answer = Ok(DeleteAnswer { http_status: 200, ids: Some(vec![Foreign::from("a")]) });
        let run = Run::new(Arc::new(plan()), 1);
        let call = run.call(0).unwrap();
        file.sent(call).unwrap();
        file.settled(call, &judge(plan().covered(0), answer, Duration::ZERO, false)).unwrap();
        let tally = Tally { deleted: 1, already_gone: 1, ..Tally::default() };
        let revised = vec![(1, Outcome::AlreadyGone)];
        let surplus = vec![plan().events()[1].key.clone()];
        file.finish(&RunEnd { tally, revised, surplus, verified: true }).unwrap();
        let lines = lines(folder.path(), file.name());
        assert_eq!(lines[3], json!({"line": "sent", "call": 0, "first": 0, "covers": 1}));
        assert_eq!(lines[4]["outcomes"][0]["outcome"], "deleted");
        assert_eq!(lines[5]["revised"][0]["event"], 1);
        assert_eq!(lines[5]["revised"][0]["outcome"], "already_gone");
        let lost = json!({"extension": "0003*210", "type": 2, "id": "b"});
        assert_eq!((&lines[5]["surplus"][0], &lines[5]["complete"]), (&lost, &json!(true)));
        assert_eq!((&lines[6]["deleted"], &lines[6]["already_gone"]), (&json!(1), &json!(1)));
    }

    #[test]
    fn only_the_owner_reads_a_run_file_and_two_runs_never_share_one() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let first = RunFile::create(&runs, &plan()).unwrap();
        let second = RunFile::create(&runs, &plan()).unwrap();
        assert_ne!(first.name(), second.name());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path_of(&runs, first.name())), 0o600);
        assert_eq!(mode(&runs), 0o700);
    }

    #[test]
    fn half_a_plan_that_a_kill_left_is_no_run_and_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("20261123T094131Z-acme.jsonl.part"), "{\"line\":\"ru")
            .unwrap();
        let file = RunFile::create(folder.path(), &plan()).unwrap();
        assert_eq!(names(folder.path()).unwrap(), [file.name()]);
        assert!(!part_of(folder.path(), file.name()).exists());
    }

    #[test]
    fn a_place_that_cannot_be_written_is_an_error_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        assert!(RunFile::create(&blocked.join("runs"), &plan()).is_err());
    }
}
