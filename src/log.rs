//! The log: what was asked, what came back and what was decided, a line an entry, for whoever has to
//! find out afterwards. Never a body, never a secret and, while the mask is on, nothing of a customer.
//!
//! A process has one. Whoever tells it something waits for nothing: lines are gathered, and a thread
//! writes them a moment later, so that nothing wakes it while nothing is told, and a disk that is full
//! or slow harms nobody.

mod file;

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::domain::{Exchange, Failure, Foreign};
use crate::origins;
use file::LogFile;

/// The file, in the folder of what is kept.
const NAME: &str = "callsweep.log";
/// How long lines are gathered before they are written.
const GATHERED: Duration = Duration::from_millis(200);
/// So many bytes are written at once, without more of that.
const ENOUGH: usize = 64 * 1024;
/// The most that waits to be written; what comes beyond it is counted and lost.
const MOST: usize = 1024 * 1024;
/// How long the end of the process waits for what is not written yet.
const LAST_WAIT: Duration = Duration::from_millis(300);

/// How much an entry matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something went wrong, or was refused.
    Warn = 1,
    /// What was done.
    Info,
    /// On the way to it.
    Debug,
}

/// Up to which level entries are taken; none while no log is open.
static UP_TO: AtomicU8 = AtomicU8::new(0);
/// Nothing of a customer is told.
static MASKED: AtomicBool = AtomicBool::new(false);
static WAITING: Mutex<Waiting> =
    Mutex::new(Waiting { lines: Vec::new(), lost: 0, is_open: false, is_over: false });
/// Told of the first line, of enough of them, and of the end.
static MORE: Condvar = Condvar::new();
/// Told once everything is written.
static WRITTEN: Condvar = Condvar::new();

/// What waits to be written.
struct Waiting {
    lines: Vec<u8>,
    lost: u64,
    /// A thread writes.
    is_open: bool,
    /// It is to write what is left, and end.
    is_over: bool,
}

/// Opens the log in this folder, which is made where it is missing; up to a level entries are taken
/// from now on. What cannot be opened is done without.
pub fn open(folder: &Path, level: Level) {
    let mut waiting = waiting();
    if waiting.is_open {
        return;
    }
    let _ = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let file = LogFile::at(folder.join(NAME));
    let started = thread::Builder::new().name("log".to_owned()).spawn(move || write(file));
    if started.is_ok() {
        (waiting.is_open, waiting.is_over) = (true, false);
        UP_TO.store(number(level), Ordering::Relaxed);
    }
}

/// Has what is left be written, and closes the log. A disk that hangs is not waited for.
pub fn close() {
    UP_TO.store(0, Ordering::Relaxed);
    let mut waiting = waiting();
    waiting.is_over = true;
    MORE.notify_all();
    let is_open = |waiting: &mut Waiting| waiting.is_open;
    let ended = WRITTEN.wait_timeout_while(waiting, LAST_WAIT, is_open);
    drop(ended.unwrap_or_else(PoisonError::into_inner));
}

/// From now on nothing of a customer is told, or all is told again.
pub fn mask(on: bool) {
    MASKED.store(on, Ordering::Relaxed);
}

/// Takes an entry: what is nobody's, and what may be a customer's.
pub fn tell(level: Level, what: impl Display, whose: impl Display) {
    if !takes(level) {
        return;
    }
    let hidden = MASKED.load(Ordering::Relaxed);
    let whole = if hidden { what.to_string() } else { format!("{what}{}", Behind(whose)) };
    put(level, whole);
}

/// Takes an entry of which everything may be a customer's: while the mask is on there is none.
pub fn say(level: Level, sentence: impl Display) {
    if takes(level) && !MASKED.load(Ordering::Relaxed) {
        put(level, sentence.to_string());
    }
}

/// A request and what came of it.
pub fn exchange(exchange: &Exchange) {
    let level = if exchange.answer.is_ok() { Level::Info } else { Level::Warn };
    if !takes(level) {
        return;
    }
    let Exchange { method, path, answer, took } = exchange;
    let (path, took) = (shown(path), Millis(*took));
    match answer {
        Ok(status) => {
            let level = if *status < 300 { Level::Info } else { Level::Warn };
            tell(level, format_args!("{method} {path} {status} {took}"), "");
        }
        Err(failure) => {
            tell(level, format_args!("{method} {path} {} {took}", Why(failure)), failure);
        }
    }
}

/// A request that goes out.
pub fn sent(method: &str, path: &str) {
    if takes(Level::Debug) {
        tell(Level::Debug, format_args!("asks {method} {}", shown(path)), "");
    }
}

/// A question that does not go out.
pub fn withheld(method: &str, path: &str, failure: &Failure) {
    tell(
        Level::Warn,
        format_args!("not sent: {method} {}: {}", shown(path), Why(failure)),
        failure,
    );
}

/// Why something failed, in words that are nobody's.
pub struct Why<'a>(pub &'a Failure);

impl Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { cause, http_status, code, retry_after, .. } = self.0;
        write!(f, "{cause:?}")?;
        if let Some(status) = http_status {
            write!(f, " {status}")?;
        }
        let is_code =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !code.is_empty() && is_code(code.raw()) {
            write!(f, " {code}")?;
        }
        if let Some(wait) = retry_after {
            write!(f, " not before {} s", wait.as_secs())?;
        }
        Ok(())
    }
}

/// The name of a run, whose profile may be called as a customer is.
pub fn run_name(name: &str) -> &str {
    let stamp = name.split('-').next().unwrap_or_default();
    if MASKED.load(Ordering::Relaxed) { stamp } else { name }
}

/// A path as it may be told: while the mask is on only words of the service itself, ids and types.
fn shown(path: &str) -> Cow<'_, str> {
    if !MASKED.load(Ordering::Relaxed) {
        return path.into();
    }
    let mut of_event = false;
    let known = |part: &str| {
        part.is_empty()
            || part.starts_with('@')
            || ["uapi", "extensions", "presence", "oauth", "token.php"].contains(&part)
    };
    let shown = path.split('/').map(|part| {
        let is_shown = of_event || known(part);
        of_event |= part == "phoneCallEvents";
        if is_shown || part == "phoneCallEvents" { part } else { "#" }
    });
    shown.collect::<Vec<_>>().join("/").into()
}

struct Behind<T>(T);

impl<T: Display> Display for Behind<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behind = self.0.to_string();
        if behind.is_empty() { Ok(()) } else { write!(f, ": {behind}") }
    }
}

struct Millis(Duration);

impl Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0.as_millis())
    }
}

fn number(level: Level) -> u8 {
    match level {
        Level::Warn => 1,
        Level::Info => 2,
        Level::Debug => 3,
    }
}

/// Whether an entry of this level is taken.
pub fn takes(level: Level) -> bool {
    number(level) <= UP_TO.load(Ordering::Relaxed)
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put(level: Level, entry: String) {
    let word = match level {
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    // Cleaned and without secrets: whatever it holds, it is one line and acts on no terminal.
    let entry = Foreign::from(entry);
    let line = format!("{} {word} {} {entry}\n", origins::now(), std::process::id());
    let mut waiting = waiting();
    if waiting.lines.len() + line.len() > MOST {
        waiting.lost += 1;
        return;
    }
    let before = waiting.lines.len();
    waiting.lines.extend_from_slice(line.as_bytes());
    if before == 0 || (before < ENOUGH && waiting.lines.len() >= ENOUGH) {
        MORE.notify_one();
    }
}

/// Writes what is gathered until the end.
fn write(mut file: LogFile) {
    let mut waiting = waiting();
    loop {
        let nothing = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.is_over;
        waiting = MORE.wait_while(waiting, nothing).unwrap_or_else(PoisonError::into_inner);
        let few = |waiting: &mut Waiting| waiting.lines.len() < ENOUGH && !waiting.is_over;
        let gathered = MORE.wait_timeout_while(waiting, GATHERED, few);
        (waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::take(&mut waiting.lines);
        let (lost, is_over) = (std::mem::take(&mut waiting.lost), waiting.is_over);
        drop(waiting);
        file.write(&lines, lost);
        waiting = self::waiting();
        if is_over && waiting.lines.is_empty() {
            waiting.is_open = false;
            WRITTEN.notify_all();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_the_mask_is_on_a_path_tells_the_form_of_the_request_and_its_id() {
        mask(true);
        let events = "/uapi/extensions/101/0003*210/phoneCallEvents";
        let told = [
            (format!("{events}/2/q8r"), "/uapi/extensions/#/#/phoneCallEvents/2/q8r"),
            ("/acme/extensions/@me/@self/presence".to_owned(), "/#/extensions/@me/@self/presence"),
            ("/oauth/token.php".to_owned(), "/oauth/token.php"),
        ];
        for (path, masked) in &told {
            assert_eq!(shown(path), *masked);
        }
        assert_eq!(run_name("20261126T063843Z-acme-2"), "20261126T063843Z");
        mask(false);
        for (path, _) in &told {
            assert_eq!(shown(path), *path);
        }
    }
}
