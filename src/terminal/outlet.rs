//! The way out to the terminal. Nothing here waits for a terminal that does not read: a thread writes
//! to an open file of its own, which does not block, and can be made to let go.
//!
//! The open file is the program's alone: a shell's is never made non-blocking.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use super::inbox::{Post, Told, now};

/// How often a write that does not go on looks whether it should let go.
const LOOK: Duration = Duration::from_millis(20);

/// True while what is being written is to be given up.
static LET_GO: AtomicBool = AtomicBool::new(false);

/// Writes on a thread of its own, one thing after the other.
pub(super) struct Writer(Sender<Vec<u8>>);

impl Writer {
    /// Starts the thread; for everything handed over it says once whether the terminal took it.
    ///
    /// # Errors
    /// When there is no terminal.
    pub(super) fn start(post: Post) -> io::Result<Self> {
        let terminal = open()?;
        let (sender, jobs) = mpsc::channel::<Vec<u8>>();
        thread::spawn(move || {
            for bytes in jobs {
                let written = write(&terminal, &bytes, None);
                post.urgent(Told::Written(written));
            }
        });
        Ok(Self(sender))
    }

    /// Hands bytes over.
    pub(super) fn write(&self, bytes: Vec<u8>) {
        // The thread ends with the program.
        let _ = self.0.send(bytes);
    }
}

/// Gives up what is being written, and what the terminal has not read of it; or ends that.
pub(super) fn let_go(yes: bool) {
    LET_GO.store(yes, Ordering::Relaxed);
    if yes && let Ok(terminal) = open() {
        let _ = rustix::termios::tcflush(&terminal, rustix::termios::QueueSelector::OFlush);
    }
}

/// Writes something short in a limited time, whatever another thread does.
///
/// # Errors
/// When the terminal is gone, or takes nothing in this time.
pub(super) fn write_within(bytes: &[u8], limit: Duration) -> io::Result<()> {
    write(&open()?, bytes, Some(limit))
}

/// The terminal that standard output is, opened anew where that is allowed: by its own name, or as
/// the terminal that controls the program.
fn open() -> io::Result<OwnedFd> {
    let own = |path: &Path| {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        OpenOptions::new().write(true).custom_flags(flags).open(path)
    };
    let name = rustix::termios::ttyname(io::stdout(), Vec::new())?;
    let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    match own(name).or_else(|_| own(Path::new("/dev/tty"))) {
        Ok(file) => Ok(File::into(file)),
        // It blocks where the terminal does not read; there is no other way to it.
        Err(_) => io::stdout().as_fd().try_clone_to_owned(),
    }
}

fn write(terminal: &OwnedFd, mut bytes: &[u8], limit: Option<Duration>) -> io::Result<()> {
    let until = limit.map(|limit| now() + limit);
    while !bytes.is_empty() {
        let given_up = match until {
            Some(until) => now() >= until,
            None => LET_GO.load(Ordering::Relaxed),
        };
        if given_up {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match rustix::io::write(terminal, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => wait_for_room(terminal)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_for_room(terminal: &OwnedFd) -> io::Result<()> {
    let time = Timespec::try_from(LOOK).unwrap_or_default();
    let mut watched = [PollFd::new(terminal, PollFlags::OUT)];
    match poll(&mut watched, Some(&time)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let [watched] = watched;
    if watched.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}
