//! Keys and pasted text, read on a thread of its own: blocked, without a wake-up while none comes,
//! and only while the terminal is ours. What is typed to others is theirs, and whoever reads it from
//! the background is stopped for it.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use crossterm::event::{Event, KeyEventKind};
use rustix::event::{PollFd, PollFlags, poll};

use crate::app::{Key, Message};

use super::guard;

/// How long to look for more of what has begun to come; crossterm looks for nothing in no time.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Sends a message for every key and for every text that is pasted.
///
/// # Errors
/// When there is no terminal to read.
pub(super) fn read(sender: Sender<Message>) -> io::Result<()> {
    let terminal = terminal()?;
    thread::spawn(move || {
        while wait_for_more(&terminal).is_ok() {
            while let Ok(true) = crossterm::event::poll(AT_ONCE) {
                let Ok(event) = crossterm::event::read() else { break };
                if let Some(message) = message(event)
                    && sender.send(message).is_err()
                {
                    return;
                }
            }
        }
        let _ = sender.send(Message::InputEnded);
    });
    Ok(())
}

/// Waits for something to read, and until it is ours to read.
fn wait_for_more(terminal: &OwnedFd) -> io::Result<()> {
    loop {
        guard::wait_until_taken();
        let mut watched = [PollFd::new(terminal, PollFlags::IN)];
        match poll(&mut watched, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let [watched] = watched;
        if watched.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if guard::has_it() {
            return Ok(());
        }
    }
}

fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            Some(Message::Pressed(Key::from(key)))
        }
        Event::Paste(text) => Some(Message::Pasted(text)),
        // The size comes with its signal, also while nobody reads yet.
        Event::Resize(..)
        | Event::Key(_)
        | Event::Mouse(_)
        | Event::FocusGained
        | Event::FocusLost => None,
    }
}

/// Where keys come from: standard input, or the terminal behind it where that is something else.
///
/// # Errors
/// When there is none.
pub(super) fn terminal() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return stdin.as_fd().try_clone_to_owned();
    }
    Ok(File::open("/dev/tty")?.into())
}
