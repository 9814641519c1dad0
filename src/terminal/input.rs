//! Keys and pasted text, read on a thread of its own: blocked, without a wake-up while nothing is
//! unfinished, and only while the terminal is ours. What is typed to others is theirs: the system
//! stops a program that reads it from the background.

pub(super) mod frames;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::app::Message;

use super::guard;
use super::inbox::{Post, Told};
use frames::{Frames, Heard};

/// The most that one read takes; a terminal holds less.
const MOST: usize = 64 * 1024;

/// Tells of every key, of every text that is pasted, and of all else that comes.
///
/// # Errors
/// When there is no terminal to read.
pub(super) fn read(post: Post) -> io::Result<()> {
    let terminal = terminal()?;
    thread::spawn(move || {
        let mut frames = Frames::new();
        let mut bytes = vec![0; MOST];
        while let Ok(heard) = hear(&terminal, &mut frames, &mut bytes) {
            heard.into_iter().map(told).for_each(|told| post.urgent(told));
        }
        post.urgent(Told::App(Message::InputEnded));
    });
    Ok(())
}

/// Waits until something came, or until nothing came in time behind what is unfinished.
///
/// # Errors
/// When the terminal is gone.
fn hear(terminal: &OwnedFd, frames: &mut Frames, bytes: &mut [u8]) -> io::Result<Vec<Heard>> {
    if !guard::has_it() {
        // What comes after another program had the terminal continues nothing from before.
        let heard = frames.rest();
        *frames = Frames::new();
        if !heard.is_empty() {
            return Ok(heard);
        }
    }
    guard::wait_until_taken();
    if !wait_for_more(terminal, frames.patience())? {
        return Ok(frames.rest());
    }
    if !guard::has_it() {
        return Ok(Vec::new());
    }
    match rustix::io::read(terminal, &mut *bytes) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(count) => Ok(bytes.get(..count).map(|bytes| frames.take(bytes)).unwrap_or_default()),
        Err(Errno::INTR | Errno::AGAIN) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Whether there is something to read in time.
///
/// # Errors
/// When the terminal is gone.
fn wait_for_more(terminal: &OwnedFd, patience: Option<Duration>) -> io::Result<bool> {
    let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
    let mut watched = [PollFd::new(terminal, PollFlags::IN)];
    let ready = loop {
        match poll(&mut watched, patience.as_ref()) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(ready) => break ready,
        }
    };
    let [watched] = watched;
    if watched.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(ready > 0)
}

fn told(heard: Heard) -> Told {
    Told::App(match heard {
        Heard::Key(key) => Message::Pressed(key),
        Heard::Paste(text) => Message::Pasted(text),
        Heard::Noise => Message::Arrived,
        Heard::Answer => return Told::Answered,
    })
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

/// Reads of any bytes, for `cargo fuzz`: the first byte says how long each read is and where
/// nothing comes for a while. Whatever comes, the next key is heard and little is held.
#[cfg(fuzzing)]
pub fn hear_anything(bytes: &[u8]) {
    let Some((&shape, bytes)) = bytes.split_first() else { return };
    let mut frames = Frames::new();
    for (count, read) in bytes.chunks(usize::from(shape >> 3) + 1).enumerate() {
        frames.take(read);
        if count & usize::from(shape & 7) != 0 {
            frames.rest();
        }
        assert!(frames.weight() < (1 << 20) + 4096);
    }
    frames.rest();
    assert_eq!(frames.patience(), None);
    let key = crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char('?'));
    assert_eq!(frames.take(b"?"), [Heard::Key(crate::app::Key::from(key))]);
}
