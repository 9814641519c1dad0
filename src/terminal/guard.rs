//! The terminal as a value: taken once, given back exactly once.

use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;

use super::outlet;
use crate::log::{self, Level};

/// How long a terminal may take to be given back.
const LIMIT: Duration = Duration::from_millis(200);

/// Erases the picture: where there is no alternate screen a customer's data would stay.
const ERASE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[H\x1b[2J";

/// Ends a sequence of which the terminal got only the beginning (CAN, ECMA-48 8.2.1).
const CANCEL: &[u8] = b"\x18";

/// True while the terminal is ours. Turning it off gives the terminal back, exactly once: on an orderly
/// way out the guard does, on the other the panic hook.
static TAKEN: Mutex<bool> = Mutex::new(false);
/// Told whenever the terminal is taken.
static TAKEN_AGAIN: Condvar = Condvar::new();

/// Gives the terminal back when dropped, unless it has been already.
pub(super) struct Guard(());

/// Puts giving back the terminal in front of the panic hook in force, so that the report is read on
/// an ordinary screen. Called once, after the report's own hook was installed.
pub fn give_back_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        give_back();
        if let Some(place) = panic.location() {
            log::tell(Level::Warn, format_args!("a panic at {place}"), "");
        }
        report(panic);
    }));
}

/// Takes the terminal.
pub(super) fn take() -> io::Result<Guard> {
    let guard = Guard(());
    take_again()?;
    Ok(guard)
}

/// Takes the terminal once more: the shell or another program changed its modes meanwhile.
pub(super) fn take_again() -> io::Result<()> {
    set_taken(true);
    // crossterm turns raw mode on once only, and another program may have changed the modes since.
    crossterm::terminal::disable_raw_mode()?;
    crossterm::terminal::enable_raw_mode()?;
    let mut bytes = Vec::new();
    queue!(
        bytes,
        crossterm::terminal::EnterAlternateScreen,
        EnableBracketedPaste,
        crossterm::cursor::Hide
    )?;
    outlet::let_go(false);
    outlet::write_within(&bytes, LIMIT)
}

/// Whose the terminal is from now on, and was before.
fn set_taken(taken: bool) -> bool {
    let before =
        std::mem::replace(&mut *TAKEN.lock().unwrap_or_else(PoisonError::into_inner), taken);
    TAKEN_AGAIN.notify_all();
    before
}

/// Blocks while another program has the terminal.
pub(super) fn wait_until_taken() {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    while !*taken {
        taken = TAKEN_AGAIN.wait(taken).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Another program has the terminal: it is not touched until taken again.
pub(super) fn leave_to_others() {
    set_taken(false);
}

/// Whether the terminal is ours now.
pub(super) fn has_it() -> bool {
    *TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Undoes what `take` did, for good or until it is taken again. A terminal that is gone, or that
/// does not read, makes steps fail, which changes nothing.
pub(super) fn give_back() {
    if set_taken(false) {
        let mut bytes = ERASE.to_vec();
        let _ = queue!(
            bytes,
            DisableBracketedPaste,
            crossterm::terminal::LeaveAlternateScreen,
            crossterm::cursor::Show
        );
        if outlet::write_within(&bytes, LIMIT).is_err() {
            // What it has not read is given up, so that at least this waits for it.
            outlet::let_go(true);
            let _ = outlet::write_within(&[CANCEL, &bytes].concat(), LIMIT);
        }
        let _ = crossterm::terminal::disable_raw_mode();
    }
}
