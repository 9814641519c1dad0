//! The only place where something is done: acts that can change the PBX by `carry`, for both fronts,
//! and all else that the screen wants by `perform`.

mod clipboard;
mod sooner;
mod told;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::task::JoinSet;

use crate::api::Client;
use crate::app::{Effect, Message, Remark, RunFiles, RunRead};
use crate::change::{
    Act, Check, Done, EarlierRun, Loss, Plan, Rest, RestRefused, Route, RunCall, RunEnd, Settled,
    Summary, judge, judge_changed, judge_made,
};
use crate::domain::{
    Call, Cause, Discovery, EventKey, Exchange, Extension, ExtensionNumber, Failure, Foreign, Fuse,
    Listing, Source,
};
use crate::journal::{self, Kind, Place, Receipt, Record, RecordRefused, RunFile, Written};
use crate::log::{self, Level};
use crate::origins::{Lock, LockRefused};

pub use clipboard::Clipboard;
use sooner::Sooner;

/// Run files looked through at a start.
const LATEST: usize = 50;
/// So many extensions are asked whether requests still go where a run was sent.
const TRIED: usize = 3;

/// The longest pause, and how many of them, that a command without a screen keeps for one listing.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSES: u32 = 5;

/// What acts reach: the service, and the folder of run files with the one that is open.
#[derive(Debug)]
pub struct Ports {
    client: Client,
    /// Numbers that the profile or the command line named.
    typed: Vec<Extension>,
    sources: Vec<Source>,
    runs: PathBuf,
    open: Mutex<Option<OpenRun>>,
    clipboard: Option<Clipboard>,
    sooner: Sooner,
    /// Other programs may change this PBX too.
    shared: bool,
    /// How many times as fast time passes where something is waited for.
    speed: u32,
}

/// The run that is carried out.
#[derive(Debug, Clone)]
struct OpenRun {
    file: Arc<RunFile>,
    /// What sends its requests: where its plan says.
    client: Client,
}

impl Ports {
    /// Ports of a client; nothing is contacted or written yet.
    pub fn new(client: Client, typed: Vec<Extension>, sources: Vec<Source>, runs: PathBuf) -> Self {
        let (open, sooner, speed) = (Mutex::default(), Sooner::default(), speed());
        Self { client, typed, sources, runs, open, clipboard: None, sooner, shared: true, speed }
    }

    /// The ports with a terminal that takes copied text.
    #[must_use]
    pub fn with_clipboard(self, clipboard: Clipboard) -> Self {
        Self { clipboard: Some(clipboard), ..self }
    }

    /// The ports of a PBX inside this program: no other program can change it, so no lock is taken.
    #[must_use]
    pub fn of_own_pbx(self) -> Self {
        Self { shared: false, ..self }
    }

    /// Ports at which time passes so many times as fast: a test asks for that, so that nobody waits.
    #[must_use]
    pub fn at_speed(self, speed: u32) -> Self {
        Self { speed: speed.max(1), ..self }
    }

    /// The right to change the PBX, where others may want it too.
    fn lock(&self) -> Result<Option<Lock>, LockRefused> {
        let taken = self.shared.then(|| Lock::take(&self.runs, &self.client.target().origin));
        taken.transpose()
    }

    /// The ports for requests along another route than the profile's.
    #[must_use]
    pub fn on(self, route: &Route) -> Self {
        Self { client: self.client.below(route.target()), ..self }
    }

    fn run(&self) -> Option<OpenRun> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, run: Option<OpenRun>) -> Option<OpenRun> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *open, run)
    }
}

/// Carries out one effect and says, in exactly one message, what happened.
pub async fn perform(effect: Effect, ports: &Ports) -> Message {
    match effect {
        Effect::DiscoverExtensions => {
            let (result, exchanges) = discover(ports).await;
            Message::Discovered { result, exchanges }
        }
        Effect::FindBrokenRuns => {
            let (remarks, newest) = broken_runs(ports);
            Message::BrokenRunsFound { remarks, newest }
        }
        Effect::ListRuns => Message::RunsListed(list_runs(ports)),
        Effect::ReadRun(run) => {
            let told = journal::earlier(&ports.runs, &run).map(Box::new);
            Message::RunTold(told.map_err(|refused| refused.to_string()))
        }
        Effect::ReadWayBack(run) => Message::WayBackRead(read_way_back(ports, &run).await),
        Effect::CloseUndo { undo, there } => Message::UndoClosed(close_undo(ports, &undo, &there)),
        Effect::ReadRest(run) => Message::RestRead(read_rest(ports, &run).await),
        Effect::ListEvents { extension, epoch, below } => {
            let mut exchanges = Vec::new();
            let client = below.map_or_else(|| ports.client.clone(), |it| ports.client.below(&it));
            let result = client.events(&extension, &mut exchanges).await;
            Message::Listed { extension, epoch, result, exchanges }
        }
        Effect::Copy { what, text } => {
            let result = match &ports.clipboard {
                Some(clipboard) => clipboard.copy(&text).await,
                None => Err("there is no terminal to copy to".to_owned()),
            };
            Message::Copied { what, result }
        }
        Effect::WriteReceipt { run, masked, labels } => {
            Message::ReceiptWritten(write_receipt(ports, &run, masked, &labels))
        }
        Effect::InSpite(effect) => {
            ports.client.ask_in_spite(true);
            let message = Box::pin(perform(*effect, ports)).await;
            ports.client.ask_in_spite(false);
            message
        }
        Effect::Wait(time) => {
            tokio::time::sleep(time / ports.speed).await;
            Message::Waited
        }
        Effect::Act(act) => Message::Done(carry(act, ports).await),
    }
}

/// Carries out one act of a run and says, in exactly one answer, what came of it.
pub async fn carry(act: Act, ports: &Ports) -> Done {
    let mut exchanges = Vec::new();
    match act {
        Act::Open(plan) => {
            let opened = open_run_file(ports, &plan);
            told::opened(&plan, &opened);
            Done::Opened(opened)
        }
        Act::Send(call) => {
            ports.sooner.run();
            let settled = match ports.run() {
                _ if call.is_simulated() => {
                    send(&call, &ports.client.simulating(), &mut exchanges).await
                }
                Some(run) => send_and_record(&call, &run, &mut exchanges).await,
                None => call.failed(&withheld("there is no run file".to_owned()), Duration::ZERO),
            };
            told::settled(&call, &settled);
            Done::Settled { call: call.id(), settled, exchanges }
        }
        Act::List(extension) => {
            let client = ports.run().map_or_else(|| ports.client.clone(), |run| run.client);
            // A call does not carry the room of a listing about.
            let result = Box::pin(client.events(&extension, &mut exchanges)).await;
            Done::Listed { extension, result, exchanges }
        }
        Act::Wait(time) => {
            told::waits(time);
            tokio::time::sleep(time / ports.speed).await;
            Done::Waited
        }
        Act::Close(end) => {
            let closed = close_run_file(ports, &end);
            told::closed(&end, &closed);
            Done::Closed(closed)
        }
    }
}

/// How many times as fast the clock of both fronts and of the budget of failures goes: a test of a
/// build for tests may turn it, so that nobody waits.
pub fn speed() -> u32 {
    let told = || std::env::var("CALLSWEEP_TEST_SPEED").ok()?.parse().ok();
    if cfg!(debug_assertions) { told().unwrap_or(1).max(1) } else { 1 }
}

/// Waits until lists have taken in what the run to be undone wrote.
pub async fn catch_up(loss: &Loss, speed: u32) {
    tokio::time::sleep(loss.settles_in() / speed.max(1)).await;
}

async fn read_way_back(ports: &Ports, run: &str) -> Result<RunRead<Box<Loss>>, String> {
    let place = Place::new(&ports.runs, run);
    let way = journal::way_back(&ports.runs, &place, ports.client.patience())
        .map_err(|why| why.to_string())?;
    way.record.is_at(&ports.client.target().origin).map_err(|why| why.to_string())?;
    catch_up(&way.loss, ports.speed).await;
    let route = route(ports, &way.record, way.loss.extensions()).await;
    let remarks = flaws(&way.record).chain(way.remarks).collect();
    Ok(RunRead { what: Box::new(way.loss), route, remarks })
}

/// What is left of a run.
async fn read_rest(ports: &Ports, run: &str) -> Result<RunRead<Arc<Rest>>, RestRefused> {
    let elsewhere = |why: RecordRefused| RestRefused::Elsewhere(why.to_string());
    let record = Record::read(&ports.runs, run).map_err(elsewhere)?;
    record.is_at(&ports.client.target().origin).map_err(elsewhere)?;
    let rest = Arc::new(record.rest(&ports.runs)?);
    let route = route(ports, &record, rest.extensions().into_iter()).await;
    let remarks = flaws(&record).chain(record.without_sums()).collect();
    Ok(RunRead { what: rest, route, remarks })
}

/// Writes the receipt of a run and says where it is.
fn write_receipt(
    ports: &Ports,
    run: &str,
    masked: bool,
    labels: &BTreeMap<ExtensionNumber, Foreign>,
) -> Result<String, String> {
    let record = Record::read(&ports.runs, run).map_err(|refused| refused.to_string())?;
    let local = TimeZone::system();
    let path = Receipt::new(&record, masked, labels, &local).write(&ports.runs);
    let path = path.map_err(|error| error.to_string())?;
    Ok(Foreign::from(path.to_string_lossy().as_ref()).to_string())
}

/// Closes the file of an undo of which nothing is left to be made, where it is still open: what is
/// there stands in it from here on. False where it was closed.
///
/// # Errors
/// Another program has the lock, or the file cannot be written.
pub fn close_undo(
    ports: &Ports,
    undo: &str,
    there: &[(EventKey, Foreign)],
) -> Result<bool, Failure> {
    let locked = |why: String| Failure::new(Cause::Locked, why);
    let read = || Record::read(&ports.runs, undo).map_err(|why| locked(why.to_string()));
    let is_open = |record: &Record| {
        record.finished.is_none() || record.tally().left() > 0 || record.unseen > 0
    };
    if !is_open(&read()?) {
        return Ok(false);
    }
    let lock = ports.lock().map_err(|why| locked(why.to_string()))?;
    let record = read()?;
    let file = RunFile::go_on(&record, Some(&record.found(there, None)), Vec::new());
    let closed = file.and_then(|file| {
        let end = RunEnd { check: Check::Agrees, ..RunEnd::default() };
        file.holding(lock).finish(&end)
    });
    let unwritten = |error| format!("the run file cannot be written: {error}; make room");
    closed.map(|()| true).map_err(|error| Failure::new(Cause::Unwritten, unwritten(error)))
}

/// The lines of a run file that are not used.
fn flaws(record: &Record) -> impl Iterator<Item = String> {
    record.flaws.iter().map(|flaw| format!("run {}, {flaw}", record.name))
}

/// The route of a run's requests: the recorded one, or the profile's once the service refuses the
/// recorded one.
pub async fn route<'a>(
    ports: &Ports,
    record: &Record,
    extensions: impl Iterator<Item = &'a ExtensionNumber>,
) -> Route {
    let ours = ports.client.target();
    let Some(theirs) = record.sent_to(ours) else {
        return Route::of(ours.clone().knowing(record.access()));
    };
    let theirs = theirs.knowing(record.access());
    let client = ports.client.below(&theirs);
    let mut works = true;
    for extension in extensions.take(TRIED) {
        let listed = client.events(extension, &mut Vec::new()).await;
        // What is refused may go better for another extension, and what fails proves nothing.
        works = !listed.is_err_and(|failure| failure.is_refusal());
        if works {
            break;
        }
    }
    Route::of_run(&record.name, theirs, ours.clone(), works)
}

/// Asks for all extensions; returns also what was sent for that.
pub async fn discover(ports: &Ports) -> (Result<Discovery, Failure>, Vec<Exchange>) {
    let mut exchanges = Vec::new();
    let result = ports.client.extensions(&ports.typed, &ports.sources, &mut exchanges).await;
    (result, exchanges)
}

/// What became of one of many listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// The extension was asked for, with this answer.
    Answered(Result<Listing, Failure>),
    /// The [`Fuse`] stopped the listings before this one.
    NotAsked,
}

/// Lists extensions, as many at once as may be in flight; answers come in the order asked for.
/// `answered` is called after each.
pub async fn list_all(
    ports: &Arc<Ports>,
    extensions: &[ExtensionNumber],
    concurrency: usize,
    mut answered: impl FnMut(),
) -> Vec<Listed> {
    let mut listed = vec![Listed::NotAsked; extensions.len()];
    let all = (0..extensions.len()).collect();
    list_places(ports, extensions, all, concurrency, &mut listed, &mut answered).await;
    // A list that was empty before its user was proven says something once that user is.
    let shows = |listed: &Listed| matches!(listed, Listed::Answered(Ok(it)) if !it.is_empty());
    if listed.iter().any(shows) {
        let unproven =
            |listed: &Listed| matches!(listed, Listed::Answered(Ok(it)) if it.is_unproven());
        let again = listed.iter().enumerate().filter(|(_, listed)| unproven(listed));
        let again = again.map(|(place, _)| place).collect();
        list_places(ports, extensions, again, concurrency, &mut listed, &mut || ()).await;
    }
    listed
}

/// Lists the extensions at these places.
async fn list_places(
    ports: &Arc<Ports>,
    extensions: &[ExtensionNumber],
    places: Vec<usize>,
    concurrency: usize,
    listed: &mut [Listed],
    answered: &mut impl FnMut(),
) {
    let mut waiting = places.into_iter().filter_map(|at| Some((at, extensions.get(at)?.clone())));
    let mut in_flight = JoinSet::new();
    let mut fuse = Fuse::default();
    loop {
        while in_flight.len() < concurrency.max(1) && !fuse.is_blown() {
            let Some((place, extension)) = waiting.next() else { break };
            let ports = Arc::clone(ports);
            in_flight
                .spawn(async move { (place, list_patiently(&ports.client, &extension).await) });
        }
        match in_flight.join_next().await {
            None => return,
            Some(Ok((place, result))) => {
                if fuse.blows(result.as_ref().err()) {
                    log::tell(Level::Warn, "no more is listed: too many lists failed", "");
                }
                if let Some(slot) = listed.get_mut(place) {
                    *slot = Listed::Answered(result);
                }
            }
            // A panic has told its story already; its place stays empty.
            Some(Err(_)) => {}
        }
        answered();
    }
}

/// Lists one, and again where the service asks for a short pause first.
async fn list_patiently(client: &Client, extension: &ExtensionNumber) -> Result<Listing, Failure> {
    let mut pauses = 0;
    loop {
        let result = client.events(extension, &mut Vec::new()).await;
        let asked = result.as_ref().err().filter(|failure| failure.is_pause());
        let pause = asked.and_then(|failure| failure.retry_after).filter(|it| *it <= PAUSE);
        let Some(pause) = pause.filter(|_| pauses < PAUSES) else { return result };
        pauses += 1;
        tokio::time::sleep(pause / speed()).await;
    }
}

/// All runs of this PBX, and what is wrong with files that are or may be of it.
fn list_runs(ports: &Ports) -> Result<RunFiles, String> {
    let told = journal::summaries(&ports.runs).map_err(|error| error.to_string())?;
    let origin = &ports.client.target().origin;
    let folder = format!("{}/", ports.runs.display());
    let remarks = told.remarks(|run| run.origin.is_empty() || run.is_at(origin));
    let remarks = remarks.iter().map(|said| said.replace(&folder, "")).collect();
    Ok(RunFiles { runs: told.runs.into_iter().filter(|run| run.is_at(origin)).collect(), remarks })
}

/// The newest runs of this service that were interrupted, that stopped, or that another program carries out
/// right now, each told and the newest of them whole. What cannot be read is told in the list of runs.
fn broken_runs(ports: &Ports) -> (Vec<Remark>, Option<Box<EarlierRun>>) {
    let odd = journal::odd_files(&ports.runs).unwrap_or_default();
    let odd = odd.first().map(|(file, what)| {
        let more =
            if odd.len() > 1 { format!(", and {} more", odd.len() - 1) } else { String::new() };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let name = Foreign::from(name.as_ref());
        Remark { found: format!("{name} {what}{more}"), way_on: "; <runs> names such files" }
    });
    // What can be gone on with is said last, and so stays to be read.
    let runs = journal::unfinished(&ports.runs, &ports.client.target().origin, LATEST);
    let remarks = runs.iter().filter_map(|run| left_over(ports, run));
    let remarks = odd.into_iter().chain(remarks).collect();
    let newest = runs.iter().filter(|run| run.goes_on_as().is_some());
    let newest = newest.max_by(|one, other| one.started.cmp(&other.started));
    let newest = newest.and_then(|run| journal::earlier(&ports.runs, &run.name).ok());
    (remarks, newest.map(Box::new))
}

/// What is open of a run and how to go on with it, or why that is not possible.
fn left_over(ports: &Ports, run: &Summary) -> Option<Remark> {
    let said = run.unfinished()?;
    let is_damaged = !run.flaws.is_empty() && run.kind != Kind::Undo && !run.is_going_on;
    let rest = || Record::read(&ports.runs, &run.name).ok()?.rest(&ports.runs).err();
    Some(match is_damaged.then(rest).flatten() {
        Some(damaged @ RestRefused::Damaged { .. }) => {
            let way_on = "; <runs>, then <undo> on it, brings back what it took";
            Remark { found: damaged.to_string(), way_on }
        }
        Some(_) | None if run.is_going_on => Remark { found: said, way_on: "" },
        Some(_) | None => Remark { found: said, way_on: "; <runs>, then <go-on> on it, goes on" },
    })
}

/// Takes the lock of the PBX and opens the run file, which gives it back when it is closed.
fn open_run_file(ports: &Ports, plan: &Plan) -> Result<String, Failure> {
    let unwritten = |error| {
        // Whoever sees a demo need not know where it runs.
        withheld(if ports.shared {
            let folder = ports.runs.display();
            format!(
                "the run file cannot be written in {folder}: {error}; make room or set XDG_STATE_HOME"
            )
        } else {
            format!("the run file of the demo cannot be written: {error}")
        })
    };
    journal::prepare(&ports.runs).map_err(unwritten)?;
    let lock = ports.lock().map_err(|why| Failure::new(Cause::Locked, why.to_string()))?;
    let file = match (plan.undoes(), plan.rest()) {
        (Some(run), _) => create_undo_file(ports, plan, run)?,
        (None, Some(rest)) => go_on_in_file(ports, rest)?,
        (None, None) => RunFile::create(&ports.runs, plan),
    };
    let file = file.map_err(unwritten)?.holding(lock);
    let name = file.name().to_owned();
    let client = ports.client.below(plan.target());
    ports.keep(Some(OpenRun { file: Arc::new(file), client }));
    Ok(name)
}

/// A run that is gone on with must still be as it was reviewed.
fn go_on_in_file(ports: &Ports, rest: &Rest) -> Result<io::Result<RunFile>, Failure> {
    let refused = |why: String| Failure::new(Cause::Locked, why);
    let record = Record::read(&rest.folder, &rest.run).map_err(|why| refused(why.to_string()))?;
    let left = record.rest(&ports.runs).map_err(|why| refused(why.to_string()))?;
    if !left.is_as(rest) {
        return Err(refused(format!("{} went on meanwhile: review it again", rest.run)));
    }
    Ok(RunFile::go_on(&record, None, Vec::new()))
}

/// An undo rests on what all run files tell: under the lock they must still tell it.
fn create_undo_file(ports: &Ports, plan: &Plan, run: &str) -> Result<io::Result<RunFile>, Failure> {
    let refused = |why: String| Failure::new(Cause::Locked, why);
    let place = Place::new(plan.folder().unwrap_or(&ports.runs), run);
    // Files that are just as they were are not read once more.
    if plan.files() != Some(journal::state_of(&ports.runs, &place)) {
        let way = journal::way_back(&ports.runs, &place, ports.client.patience())
            .map_err(|why| refused(why.to_string()))?;
        if !way.loss.is_of(plan) {
            let why = "another run changed this PBX since the review: undo it again";
            return Err(refused(why.to_owned()));
        }
    }
    let Some(undo) = plan.goes_on() else { return Ok(RunFile::create(&ports.runs, plan)) };
    let record = Record::read(&ports.runs, undo).map_err(|why| refused(why.to_string()))?;
    let places = record.places_of(plan.events());
    Ok(RunFile::go_on(&record, Some(&record.found(plan.there(), Some(plan))), places))
}

/// Waits until the line that says what is about to be sent is on disk.
async fn on_disk(file: &RunFile, line: io::Result<Written>) -> Result<(), Failure> {
    let synced = match line {
        Ok(line) => file.synced(line).await,
        Err(error) => Err(error),
    };
    synced.map_err(|error| {
        Failure::new(Cause::Unwritten, format!("the run file cannot be written: {error}"))
    })
}

/// Writes *sent*, sends, writes *settled*: a request whose line is not written does not go out.
async fn send_and_record(
    call: &RunCall,
    OpenRun { file, client }: &OpenRun,
    exchanges: &mut Vec<Exchange>,
) -> Settled {
    if let Err(failure) = on_disk(file, file.sent(call)).await {
        return call.failed(&failure, Duration::ZERO);
    }
    let settled = send(call, client, exchanges).await;
    // The answer is known either way: an unwritten line makes it unknown to the next start only, and
    // keeps the next call from being sent.
    let _ = file.settled(call, &settled);
    let _ = file.written().await;
    settled
}

async fn send(call: &RunCall, client: &Client, exchanges: &mut Vec<Exchange>) -> Settled {
    let took = |exchanges: &[Exchange]| exchanges.iter().map(|exchange| exchange.took).sum();
    match call.call() {
        Call::Delete(delete) => {
            let answer = client.delete(delete, exchanges).await;
            judge(call.covered(), answer, took(exchanges), call.may_have_acted())
        }
        Call::Create(event) => {
            let answer = Box::pin(client.create(event, exchanges)).await;
            judge_made(answer, took(exchanges))
        }
        Call::Update(key, change) => {
            let answer = Box::pin(client.update(key, change, exchanges)).await;
            let (took, may_have_acted) = (took(exchanges), call.may_have_acted());
            judge_changed(&key.id, call.success(), answer, took, may_have_acted)
        }
    }
}

fn close_run_file(ports: &Ports, end: &RunEnd) -> Result<(), Failure> {
    match ports.keep(None) {
        Some(run) => run.file.finish(end).map_err(|error| withheld(error.to_string())),
        None => Ok(()),
    }
}

fn withheld(message: String) -> Failure {
    Failure::new(Cause::Withheld, message)
}

/// Compile-time proof that an answer can travel between threads.
const _: fn() = || {
    fn travels<T: Send>() {}
    travels::<Message>();
    travels::<Settled>();
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Settings, Writes};
    use crate::domain::{Credentials, Secret, Target, Trust, UserId};

    /// Each of the calls in flight is one, moved when it begins and when it ends.
    #[test]
    fn what_carries_out_an_act_stays_small() {
        let user = UserId::parse("@me").unwrap();
        let client = Client::new(Settings {
            target: Target::new("test", "http://127.0.0.1:1", "/uapi", user).unwrap(),
            credentials: Credentials::Token(Secret::new("token")),
            timeout: Duration::from_secs(1),
            trust: Trust::Machine,
            writes: Writes::ReadOnly,
            concurrency: 1,
        });
        let ports = Ports::new(client.unwrap(), Vec::new(), Vec::new(), PathBuf::new());
        let size = std::mem::size_of_val(&carry(Act::Wait(Duration::ZERO), &ports));
        assert!(size <= 4000, "{size} bytes");
    }
}
