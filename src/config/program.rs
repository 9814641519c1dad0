//! Runs the program that prints a secret: in a session of its own, without a terminal and with
//! nothing to read, and not for longer than ten seconds.

use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap, ProcessSession};

use super::Environment;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long after its end its outputs may be held open by what it started.
const AFTER: Duration = Duration::from_secs(1);
/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(10);
/// What is read of an output, in bytes.
pub(super) const READ: usize = 16 * 1024;

/// How a program ended, and what it wrote.
pub(super) struct Ended {
    pub(super) how: How,
    pub(super) output: Vec<u8>,
    /// The beginning of what it wrote to standard error.
    pub(super) complaint: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Well,
    /// It ended with another exit code than zero, or by a signal.
    Otherwise(Option<i32>),
    /// The command took too long and was ended with all its children.
    TooLong,
}

/// Runs it to its end, without a shell.
///
/// # Errors
/// When it cannot be started.
pub(super) fn run(
    program: &str,
    arguments: &[String],
    environment: &Environment,
) -> io::Result<Ended> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment.iter());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = CommandWrap::from(command).wrap(ProcessSession).spawn()?;
    let output = Reader::of(child.stdout().take());
    let complaint = Reader::of(child.stderr().take());
    let ended = ended(&mut *child, &output)?;
    let left = now() + AFTER;
    // What it started may go on alone; what it wrote is known once nobody else can write there.
    let closed = output.closed_by(left) & complaint.closed_by(left);
    if !closed || ended.is_none() {
        // All of its group; where there is none any more that is as well.
        child.start_kill().ok();
        child.wait().ok();
    }
    let how = match ended {
        // It is too much in any case, and may have ended as nobody read on.
        _ if output.is_full() => How::Well,
        None => How::TooLong,
        Some(status) if status.success() => How::Well,
        Some(status) => How::Otherwise(status.code()),
    };
    Ok(Ended { how, output: output.taken(), complaint: complaint.taken() })
}

/// Its status, where it ended in time and did not write on and on.
fn ended(child: &mut dyn ChildWrapper, output: &Reader) -> io::Result<Option<ExitStatus>> {
    let limit = now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if output.is_full() || now() >= limit {
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// What is read of an output on a thread of its own, up to a limit.
struct Reader {
    read: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl Reader {
    fn of(from: Option<impl Read + Send + 'static>) -> Self {
        let (close, closed) = channel::<()>();
        let read = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&read);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            let mut from = from.map(|from| from.take(READ.try_into().unwrap_or(u64::MAX)));
            while let Some(Ok(length @ 1..)) = from.as_mut().map(|from| from.read(&mut piece)) {
                let piece = piece.get(..length).unwrap_or_default();
                to.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(piece);
            }
            // Told by being dropped.
            drop(close);
        });
        Self { read, closed }
    }

    fn is_full(&self) -> bool {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).len() >= READ
    }

    /// Whether all was read by then.
    fn closed_by(&self, limit: Instant) -> bool {
        let wait = limit.saturating_duration_since(now());
        self.closed.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected)
    }

    fn taken(&self) -> Vec<u8> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program that prints a secret is given ten seconds"
)]
fn now() -> Instant {
    Instant::now()
}
