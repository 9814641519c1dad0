//! What ends, stops and continues the program from outside: signals, and a terminal that is gone.
//!
//! Each comes in as a message like any other. crossterm reads a terminal that is gone on and on
//! (crossterm#793), so that it is watched from here, blocked and without a wake-up.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::Sender;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;

use crate::app::Message;

/// The number that a shell adds to 128 where a terminal hung up.
pub(super) const HUNG_UP: u8 = 1;

/// Sends a message for every signal that asks the program to end, to stop or to go on, and one
/// where its terminal is gone, also where whoever started it has it ignore SIGHUP.
///
/// # Errors
/// When the system has no room for a signal handler.
pub(super) fn watch(sender: Sender<Message>) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT])?;
    let gone = sender.clone();
    thread::spawn(move || {
        for signal in &mut signals {
            let message = match signal {
                SIGTSTP => Message::AskedToStop,
                SIGCONT => Message::Continued,
                other => Message::AskedToEnd { signal: u8::try_from(other).unwrap_or(HUNG_UP) },
            };
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    let terminal = terminal()?;
    thread::spawn(move || {
        // Asked for nothing, it tells of a hang-up alone.
        let mut watched = [PollFd::new(&terminal, PollFlags::empty())];
        while let Err(rustix::io::Errno::INTR) = poll(&mut watched, None) {}
        let _ = gone.send(Message::InputEnded);
    });
    Ok(())
}

/// Where keys come from: standard input, or the terminal behind it where that is something else.
fn terminal() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return stdin.as_fd().try_clone_to_owned();
    }
    Ok(File::open("/dev/tty")?.into())
}
