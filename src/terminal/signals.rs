//! What comes from outside beside keys: signals, and a terminal that is gone.
//!
//! Each comes in as a message like any other. A terminal that is gone is told also while others have
//! it and no key is read: it is watched from here, blocked and without a wake-up.

use std::io;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use crate::app::Message;

use super::inbox::{Post, Told};
use super::{input, suspend};

/// The number that a shell adds to 128 where a terminal hung up.
pub(super) const HUNG_UP: u8 = 1;

/// The signals that ask the program to end.
pub(super) const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// How long the second of two signals may take that are sent one after the other.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Sends a message for every signal that asks the program to end, to stop or to go on, and one
/// where its terminal is gone, also where whoever started it has it ignore SIGHUP.
///
/// # Errors
/// When the system has no room for a signal handler.
pub(super) fn watch(post: Post) -> io::Result<()> {
    let mut signals = Signals::new(ENDING.into_iter().chain([SIGTSTP, SIGCONT, SIGWINCH]))?;
    let gone = post.clone();
    thread::spawn(move || {
        loop {
            let mut caught: Vec<_> = signals.wait().collect();
            if caught.contains(&SIGCONT) && !suspend::is_in_foreground() {
                // A shell that ends a stopped job sends two signals, which may come in any order:
                // the one that ends it counts.
                thread::sleep(A_MOMENT);
                caught.extend(signals.pending());
            }
            caught.sort_by_key(|signal| !ENDING.contains(signal));
            for signal in caught {
                post.urgent(Told::App(message(signal)));
            }
        }
    });
    let terminal = input::terminal()?;
    thread::spawn(move || {
        // Asked for nothing, it tells of a hang-up alone.
        let mut watched = [PollFd::new(&terminal, PollFlags::empty())];
        while let Err(rustix::io::Errno::INTR) = poll(&mut watched, None) {}
        gone.urgent(Told::App(Message::InputEnded));
    });
    Ok(())
}

fn message(signal: i32) -> Message {
    match signal {
        SIGTSTP => Message::AskedToStop,
        SIGCONT => Message::Continued,
        SIGWINCH => {
            let (columns, rows) = crossterm::terminal::size().unwrap_or_default();
            Message::Resized { columns, rows }
        }
        ending => Message::AskedToEnd { signal: u8::try_from(ending).unwrap_or(HUNG_UP) },
    }
}
