//! The book of one PBX: `origins/<key>.json`, which all processes read and write in turns.
//!
//! A change is made under a lock of its own, held for as long as it takes to read and write a few
//! hundred bytes, and comes as a new file in place of the old one, so that a process that is
//! killed leaves the one or the other.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::page::{Claim, Figures, Page};
use super::process::Process;
use super::{Unopened, host_of, odd, open, path_of};

/// The form of the file.
const SCHEMA: u32 = 1;
/// More than a page takes, in bytes.
const LONGEST: u64 = 256 * 1024;
/// How often, and after which pause, the lock is tried.
const TRIES: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(1);

/// The book of one PBX.
#[derive(Debug)]
pub struct Book {
    /// None where there is no folder for it.
    path: Option<PathBuf>,
    host: String,
    machine: String,
    speed: u32,
}

/// The file as it stands on the disk.
#[derive(Debug, Serialize, Deserialize)]
struct Sheet {
    schema: u32,
    host: String,
    #[serde(flatten)]
    page: Page,
}

/// Names a state of the file: as long as this is held, no later one has the same name.
#[derive(Debug)]
pub struct Seen {
    _file: File,
    state: State,
}

/// What tells one state of a file from another: device, number, length, and when it was written.
type State = (u64, u64, u64, i64, i64);

impl Seen {
    fn of(file: File) -> io::Result<Self> {
        Ok(Self { state: state(&file.metadata()?), _file: file })
    }
}

impl Book {
    /// The book of the PBX at this origin, beside the folder of run files; time in it passes so many
    /// times as fast. Nothing is opened yet.
    pub fn at(runs: Option<&Path>, origin: &str, speed: u32) -> Self {
        let host = host_of(origin);
        let path = runs.map(|runs| path_of(runs, &host, "json"));
        Self { path, host, machine: Process::this().host, speed }
    }

    /// What a client of this process has to say of itself.
    pub fn claim(&self) -> Claim {
        Claim::of(std::process::id(), &self.machine)
    }

    /// How many times as fast time passes in it.
    pub fn speed(&self) -> u32 {
        self.speed
    }

    /// How much may fail.
    pub fn figures(&self) -> Figures {
        Figures::usual(self.speed)
    }

    /// How much may fail while other processes cannot be told.
    pub fn figures_alone(&self) -> Figures {
        Figures::alone(self.speed)
    }

    /// Whether the file is still as it was seen.
    pub fn is_as(&self, seen: &Seen) -> bool {
        let data = self.path.as_deref().and_then(|path| fs::symlink_metadata(path).ok());
        data.is_some_and(|data| state(&data) == seen.state)
    }

    /// Reads the page, changes it and writes it where it is another one now. The clock is looked at
    /// once nobody else can change it: what others say of their slots is never later than that.
    ///
    /// # Errors
    /// Where it can be neither read nor put in place, in a sentence with the remedy: then nothing of
    /// the change counts.
    pub fn change<T>(
        &self,
        clock: impl FnOnce() -> u64,
        change: impl FnOnce(&mut Page, u64) -> T,
    ) -> Result<(T, Seen), String> {
        let Some(path) = &self.path else {
            return Err("there is no folder for it: set XDG_STATE_HOME or HOME".to_owned());
        };
        let said = |what: &dyn std::fmt::Display| {
            format!(
                "{} cannot be written ({what}): correct its permissions, make room, or set \
                 XDG_STATE_HOME to a folder on a local disk",
                path.display()
            )
        };
        let lock = open(&path.with_extension("json.lock")).map_err(|why| match why {
            Unopened::Odd(odd) => format!("the lock of {} {odd}", path.display()),
            Unopened::Failed(error) => said(&error),
        })?;
        take(&lock).map_err(|error| said(&error))?;
        let changed = self.change_locked(path, clock(), change).map_err(|error| said(&error));
        // At once, also where a child that is just being started still has the file.
        let _ = lock.unlock();
        changed
    }

    fn change_locked<T>(
        &self,
        path: &Path,
        now: u64,
        change: impl FnOnce(&mut Page, u64) -> T,
    ) -> io::Result<(T, Seen)> {
        let figures = self.figures();
        let there = match fs::symlink_metadata(path) {
            Ok(data) => {
                odd::check(&data).map_err(|odd| io::Error::other(odd.to_string()))?;
                true
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        let read = there.then(|| read(path)).flatten();
        let mut page = match &read {
            Some((_, page)) => page.clone(),
            None if there => Page::of_the_worst(now, figures),
            None => Page::default(),
        };
        page.settle(now, figures, |pid, machine| machine == self.machine && is_gone(pid));
        let answer = change(&mut page, now);
        if let Some((file, _)) = read.filter(|(_, before)| *before == page) {
            return Ok((answer, Seen::of(file)?));
        }
        Ok((answer, Seen::of(self.write(path, page)?)?))
    }

    /// Puts the page in place of the old one.
    fn write(&self, path: &Path, page: Page) -> io::Result<File> {
        let next = path.with_extension("json.next");
        // What a process left that was killed just here.
        let _ = fs::remove_file(&next);
        let mut file = open(&next).map_err(|why| match why {
            Unopened::Odd(odd) => io::Error::other(odd.to_string()),
            Unopened::Failed(error) => error,
        })?;
        let sheet = Sheet { schema: SCHEMA, host: self.host.clone(), page };
        let text = serde_json::to_string(&sheet).map_err(io::Error::other)?;
        file.write_all(format!("{text}\n").as_bytes())?;
        fs::rename(&next, path)?;
        Ok(file)
    }
}

/// The page, where it can be read.
fn read(path: &Path) -> Option<(File, Page)> {
    let mut text = String::new();
    let mut file = File::open(path).ok()?;
    Read::by_ref(&mut file).take(LONGEST).read_to_string(&mut text).ok()?;
    let sheet: Sheet = serde_json::from_str(&text).ok()?;
    (sheet.schema == SCHEMA).then_some((file, sheet.page))
}

fn state(data: &fs::Metadata) -> State {
    (data.dev(), data.ino(), data.len(), data.mtime(), data.mtime_nsec())
}

/// Takes a lock that others hold for a moment only.
fn take(lock: &File) -> io::Result<()> {
    for _ in 0..TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
    Err(io::Error::other("another program does not let go of its lock"))
}

/// Whether no process has this number any more, or only one that has ended.
fn is_gone(pid: u32) -> bool {
    let process = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let Some(process) = process else { return true };
    if let Err(error) = rustix::process::test_kill_process(process) {
        return error == rustix::io::Errno::SRCH;
    }
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with(['Z', 'X']))
}
