//! The file of one run, open for appending.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::line::{Body, Calls, End, Extent, Head, Key, Line, Named, Said, Why};
use super::record::Record;
use super::tail::{Tail, Written};
use super::{SCHEMA, path_of, prepare};
use crate::change::{Check, Plan, RunCall, RunEnd, Settled};
use crate::domain::Outcome;
use crate::origins::{Lock, Process, clock, now, odd};

/// Runs of one profile in one second that still get a name of their own.
const SAME_SECOND: u32 = 100;

/// The file of one run.
#[derive(Debug)]
pub struct RunFile {
    tail: Arc<Tail>,
    name: String,
    /// The right to change the PBX, given back with the file.
    lock: Option<Lock>,
    /// Where this is not the first process that works on the run.
    going_on: Option<GoingOn>,
}

/// How the part of a run that is left stands in the file of the whole.
#[derive(Debug)]
struct GoingOn {
    runs: PathBuf,
    /// The number of its first call, behind those of the file.
    first_call: usize,
    /// The places of its events in the file.
    places: Vec<usize>,
}

impl RunFile {
    /// Creates the file, writes the plan with every event whole, and syncs file and folder. Only
    /// then may anything be sent.
    ///
    /// # Errors
    /// Any error of the file system; no half-written file is used then.
    pub fn create(runs: &Path, plan: &Plan) -> io::Result<Self> {
        prepare(runs)?;
        let (file, name) = create_new(runs, plan)?;
        // Held as long as the run goes on: a lock that another program can take means that it
        // does not. A file system without locks gives up that sign and nothing else.
        let _best_effort = file.try_lock();
        let whole = write_plan(&file, plan)
            .and_then(|()| fs::rename(part_of(runs, &name), path_of(runs, &name)))
            .and_then(|()| File::open(runs)?.sync_all());
        if let Err(error) = whole {
            // Half a plan of which nothing was sent is no run.
            let _ = fs::remove_file(part_of(runs, &name));
            let _ = fs::remove_file(path_of(runs, &name));
            return Err(error);
        }
        Ok(Self::of(file, name))
    }

    /// Opens the file of a run that ended before everything was done, and writes what listings have
    /// shown since, where they did. `places` are the events that are sent now, by their places in the file;
    /// without any, the events of the run are those of the file.
    ///
    /// # Errors
    /// Any error of the file system, and a run that is still going on.
    pub fn go_on(record: &Record, found: Option<&RunEnd>, places: Vec<usize>) -> io::Result<Self> {
        let file = open(&path_of(&record.folder, &record.name))?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(io::Error::other(format!("{} is still going on", record.name)));
        }
        cut_torn_line(&file)?;
        let (runs, first_call) = (record.folder.clone(), record.next_call());
        let going_on = GoingOn { runs, first_call, places };
        let mut file = Self::of(file, record.name.clone());
        file.append(&opened(Why::Resume))?;
        if let Some(found) = found {
            file.append(&verified(found, |place| place))?;
        }
        file.tail.sync()?;
        file.going_on = Some(going_on);
        Ok(file)
    }

    fn of(file: File, name: String) -> Self {
        Self { tail: Tail::new(file), name, lock: None, going_on: None }
    }

    /// Keeps the lock of the PBX as long as the file is open.
    #[must_use]
    pub fn holding(mut self, lock: Option<Lock>) -> Self {
        self.lock = lock;
        self
    }

    /// `20261123T094131Z-acme`: what the run is called everywhere.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A call is about to be sent. Until this line is synced it must not be.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn sent(&self, call: &RunCall) -> io::Result<Written> {
        let covers = call.covers();
        let (call, first) = (self.call(call.id()), self.place(covers.start));
        self.tail.append(&Line::Sent { call, first, covers: covers.len(), at: Some(now()) })
    }

    /// Waits until a line is on disk. Those that are appended while another sync is under way share
    /// the next one, and so do all that are handed out at one moment.
    ///
    /// # Errors
    /// Any error of the file system: what is on disk is not known then, and no further line is
    /// written.
    pub async fn synced(&self, line: Written) -> io::Result<()> {
        self.tail.synced(line).await
    }

    /// What became of a call, an outcome for each event that it covers. It is written with what is
    /// appended next, or by [`written`](Self::written).
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn settled(&self, call: &RunCall, settled: &Settled) -> io::Result<()> {
        let outcomes = settled.outcomes.iter().map(Said::of).collect();
        let surplus = settled.reply.surplus.iter().map(|id| id.told().into_owned());
        let surplus = surplus.collect();
        let is_wide = call.call().is_wide();
        let (call, http_status) = (self.call(call.id()), settled.reply.http_status);
        let surplus_known = is_wide.then(|| !settled.is_silent());
        self.append(&Line::Settled { call, http_status, outcomes, surplus, surplus_known })
    }

    /// Sees to it that all lines are written, together with those that others append at this moment.
    ///
    /// # Errors
    /// Any error of the file system.
    pub async fn written(&self) -> io::Result<()> {
        self.tail.written().await
    }

    /// The last lines, synced: what listing again showed, then why it ended, with the counts of all
    /// that the file holds.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn finish(&self, end: &RunEnd) -> io::Result<()> {
        self.append(&verified(end, |place| self.place(place)))?;
        let mut last = end.clone();
        if let Some(GoingOn { runs, .. }) = &self.going_on {
            self.tail.flush()?;
            let (_, tally) = Record::outline(runs, &self.name).map_err(io::Error::other)?;
            last.tally = tally;
        }
        self.append(&ended(&last))?;
        self.tail.sync()
    }

    /// The number of a call in the file.
    fn call(&self, id: usize) -> usize {
        self.going_on.as_ref().map_or(id, |going_on| going_on.first_call.saturating_add(id))
    }

    /// The place of an event in the file.
    fn place(&self, place: usize) -> usize {
        let places = self.going_on.as_ref().map(|going_on| &going_on.places);
        places.and_then(|places| places.get(place)).copied().unwrap_or(place)
    }

    fn append(&self, line: &Line<'_>) -> io::Result<()> {
        let _not_waited_for = self.tail.append(line)?;
        Ok(())
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        let _nobody_to_tell = self.tail.flush();
        // At once, also where a child that is just being started still has the file.
        let _ = self.tail.file().unlock();
        self.lock = None;
    }
}

/// Keeps the events of a plan in a file of the operator's choice, readable by its owner alone, and
/// syncs it; a file that is there already stays as it is. `in_part` where not everything that was meant
/// could be listed.
///
/// # Errors
/// Any error of the file system, and that there is such a file.
pub fn write_backup(path: &Path, plan: &Plan, in_part: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut part = path.file_name().unwrap_or_default().to_owned();
    part.push(format!(".part-{}", std::process::id()));
    let part = folder.join(part);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    // Its name says that it is whole, and never takes the place of another file.
    let kept = write_events(&file, plan, in_part).and_then(|()| fs::hard_link(&part, path));
    let removed = fs::remove_file(&part);
    kept.and(removed)?;
    File::open(folder)?.sync_all()
}

fn write_events(file: &File, plan: &Plan, in_part: bool) -> io::Result<()> {
    let mut lines = BufWriter::new(file);
    let extent = if in_part { Extent::InPart } else { Extent::Whole };
    Head { extent, ..head_of(plan) }.write_to(&mut lines)?;
    let mut text = Vec::new();
    let mut write = |line: Line<'_>| {
        text.clear();
        line.append_to(&mut text)?;
        lines.write_all(&text)
    };
    for (place, event) in plan.events().iter().enumerate() {
        write(Line::Event(Body::planned(place, event, plan)))?;
    }
    write(Line::Planned { events: plan.events().len(), bystanders: 0 })?;
    write(ended(&RunEnd::default()))?;
    lines.flush()?;
    file.sync_all()
}

/// Whether another program is still writing the run of this name.
pub fn is_going_on(runs: &Path, name: &str) -> bool {
    open(&path_of(runs, name))
        .is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Removes the file of a run.
///
/// # Errors
/// Any error of the file system, and a run that is going on.
pub fn remove(runs: &Path, name: &str) -> io::Result<()> {
    let path = path_of(runs, name);
    let file = open(&path)?;
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(io::Error::other(format!("{name} is going on right now")));
    }
    fs::remove_file(&path)?;
    File::open(runs)?.sync_all()
}

/// Opens a run file to read and append.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).append(true).custom_flags(odd::flags()).open(path)?;
    odd::check(&file.metadata()?).map_err(|odd| io::Error::other(odd.to_string()))?;
    Ok(file)
}

/// Cuts a torn line off the end: appending would spoil the next one too.
fn cut_torn_line(mut file: &File) -> io::Result<()> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
    }
    Ok(())
}

fn write_plan(file: &File, plan: &Plan) -> io::Result<()> {
    let target = plan.target();
    let (events, bystanders) = (plan.events(), plan.all_bystanders());
    let mut lines = BufWriter::new(file);
    head_of(plan).write_to(&mut lines)?;
    let mut text = Vec::new();
    let mut write = |line: Line<'_>| {
        text.clear();
        line.append_to(&mut text)?;
        lines.write_all(&text)
    };
    for (place, event) in events.iter().enumerate() {
        write(Line::Event(Body::planned(place, event, plan)))?;
    }
    for (place, event) in bystanders.iter().enumerate() {
        write(Line::Bystander(Body::of(place, event, target)))?;
    }
    write(Line::Planned { events: events.len(), bystanders: bystanders.len() })?;
    write(opened(Why::Run))?;
    lines.flush()?;
    file.sync_all()
}

fn opened(why: Why) -> Line<'static> {
    Line::Opened { at: now(), process: Process::this(), why }
}

fn verified(end: &RunEnd, place: impl Fn(usize) -> usize) -> Line<'static> {
    let said = |(event, outcome): &(usize, Outcome)| Said::of_event(place(*event), outcome);
    let (altered, revised) = end.revised.iter().map(said).partition(|said| said.fields.is_some());
    let (complete, check) = (end.check == Check::Agrees, Some(end.check.name().to_owned()));
    let surplus = end.surplus.iter().map(Key::of).collect();
    let still_there = end.still_there.iter().map(Named::of).collect();
    Line::Verified { complete, check, revised, surplus, altered, still_there }
}

fn ended(end: &RunEnd) -> Line<'static> {
    let counts = End::of(end, now());
    if end.stopped.is_some() { Line::Stopped(counts) } else { Line::Finished(counts) }
}

fn head_of(plan: &Plan) -> Head<Calls<'_>> {
    let target = plan.target();
    Head {
        schema: SCHEMA,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        kind: plan.kind(),
        of: plan.undoes().map(str::to_owned),
        profile: target.profile.clone(),
        origin: target.origin.clone(),
        base_path: Some(target.base_path().to_owned()),
        user: target.user.to_string(),
        form: plan.form().map(|form| form.name().to_owned()),
        plan_hash: plan.hash().as_str().to_owned(),
        started: now(),
        events: plan.events().len(),
        calls: Calls(plan),
        left_out: plan.left_out(),
        extent: Extent::Whole,
    }
}

/// Creates the part of a run file under the next name that is free. The run that an undo is of may lie
/// elsewhere.
fn create_new(runs: &Path, plan: &Plan) -> io::Result<(File, String)> {
    // Of what `--url` names, the host is the name: a dot would make the run's name a path's.
    let profile = plan.target().profile.replace('.', "-");
    let stamp = jiff::tz::Offset::UTC.to_datetime(clock()).strftime("%Y%m%dT%H%M%SZ").to_string();
    for attempt in 1..=SAME_SECOND {
        let name = match attempt {
            1 => format!("{stamp}-{profile}"),
            more => format!("{stamp}-{profile}-{more}"),
        };
        if plan.undoes() == Some(&*name) {
            continue;
        }
        let part = part_of(runs, &name);
        match OpenOptions::new().append(true).create_new(true).mode(0o600).open(&part) {
            // Holding the part reserves the name: no other run can finish under it meanwhile.
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

/// Where a run file stands until its plan is whole and synced: what a kill leaves there is no run.
fn part_of(runs: &Path, name: &str) -> PathBuf {
    runs.join(format!("{name}.jsonl.part"))
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::*;
    use serde_json::{Value, json};
    use std::sync::Arc;

    use crate::change::{Machine, Selection, Tally, judge};
    use crate::domain::Foreign;
    use crate::domain::{
        CallForm, DeleteAnswer, ExtensionNumber, ListingBuilder, RawEvent, Target, UserId,
    };
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn plan() -> Plan {
        let mut builder = ListingBuilder::new(ExtensionNumber::parse("0003*210").unwrap());
        for id in ["a", "b"] {
            let url = "https://crm.test/?q=%20";
            let row = RawEvent {
                event_type: "2",
                id,
                method: "1",
                url,
                note: "\u{1b}x",
                status: "0",
                modified: "",
            };
            builder.push_with_text(row, format!("{{\"id\":{id:?}}}").as_bytes());
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
        let kinds: Vec<&str> = lines.iter().map(|line| line["line"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["run", "event", "event", "planned", "opened"]);
        assert_eq!((&lines[0]["schema"], &lines[0]["base_path"]), (&json!(2), &json!("/uapi")));
        assert_eq!(
            (&lines[4]["why"], &lines[4]["pid"]),
            (&json!("run"), &std::process::id().into())
        );
        assert_eq!(
            lines[0]["calls"][1]["path"],
            "/uapi/extensions/@me/0003*210/phoneCallEvents/2/b"
        );
        assert_eq!(lines[0]["plan_hash"], plan().hash().as_str());
        let event = json!({
            "line": "event", "place": 1, "extension": "0003*210", "owner": null, "path_user": "@me",
            "type": 2, "id": "b", "raw": "{\"id\":\"b\"}", "method": "1",
            "url": "https://crm.test/?q=%20", "note": "\u{1b}x", "status": "0", "modified": "",
            "sum": lines[2]["sum"],
        });
        assert_eq!(lines[2], event);
    }

    #[test]
    fn sent_and_settled_follow_and_the_end_closes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = RunFile::create(folder.path(), &plan()).unwrap();
        let answer = Ok(DeleteAnswer { http_status: 200, ids: Some(vec![Foreign::from("a")]) });
        let call = &Machine::new(Arc::new(plan()), 1).call(0).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(file.synced(file.sent(call).unwrap())).unwrap();
        file.settled(call, &judge(plan().covered(0), answer, Duration::ZERO, false)).unwrap();
        let tally = Tally::over(&[Outcome::DELETED, Outcome::AlreadyGone]);
        let revised = vec![(1, Outcome::AlreadyGone)];
        let surplus = vec![plan().events()[1].key.clone()];
        file.finish(&RunEnd { tally, revised, surplus, check: Check::Agrees, ..RunEnd::default() })
            .unwrap();
        let lines = lines(folder.path(), file.name());
        let lines = &lines[2..];
        let (at, sum) = (&lines[3]["at"], &lines[3]["sum"]);
        let sent =
            json!({"line": "sent", "call": 0, "first": 0, "covers": 1, "at": at, "sum": sum});
        assert_eq!(lines[3], sent);
        let at = at.as_str().unwrap();
        assert!(at.len() == 24 && at.ends_with('Z') && at.as_bytes()[19] == b'.', "{at}");
        assert_eq!(lines[4]["outcomes"][0]["outcome"], "deleted");
        assert_eq!(lines[5]["revised"][0]["event"], 1);
        assert_eq!(lines[5]["revised"][0]["outcome"], "already_gone");
        let lost = json!({"extension": "0003*210", "type": 2, "id": "b"});
        assert_eq!((&lines[5]["surplus"][0], &lines[5]["complete"]), (&lost, &json!(true)));
        assert_eq!((&lines[6]["line"], &lines[6]["reason"]), (&json!("finished"), &json!(null)));
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
