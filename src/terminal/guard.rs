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

/// Who has the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Others,
    Us,
    /// We do, and it shows the ordinary screen already.
    UsWithoutScreen,
}

/// It is given back exactly once: on an orderly way out by the guard, on the other by the panic hook.
static OWNER: Mutex<Owner> = Mutex::new(Owner::Others);
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
    set_owner(Owner::Us);
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
fn set_owner(owner: Owner) -> Owner {
    let before =
        std::mem::replace(&mut *OWNER.lock().unwrap_or_else(PoisonError::into_inner), owner);
    TAKEN_AGAIN.notify_all();
    before
}

/// Blocks while another program has the terminal.
pub(super) fn wait_until_taken() {
    let mut owner = OWNER.lock().unwrap_or_else(PoisonError::into_inner);
    while *owner == Owner::Others {
        owner = TAKEN_AGAIN.wait(owner).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Another program has the terminal: it is not touched until taken again.
pub(super) fn leave_to_others() {
    set_owner(Owner::Others);
}

/// Whether the terminal is ours now.
pub(super) fn has_it() -> bool {
    *OWNER.lock().unwrap_or_else(PoisonError::into_inner) != Owner::Others
}

/// The terminal took what [`leaving`] says: giving it back is a matter of its modes alone.
pub(super) fn left_the_screen() {
    set_owner(Owner::UsWithoutScreen);
}

/// What a terminal is told to show the ordinary screen again.
pub(super) fn leaving() -> Vec<u8> {
    let mut bytes = ERASE.to_vec();
    let _ = queue!(
        bytes,
        DisableBracketedPaste,
        crossterm::terminal::LeaveAlternateScreen,
        crossterm::cursor::Show
    );
    bytes
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Undoes what `take` did, for good or until it is taken again. A terminal that is gone, or that
/// does not read, makes steps fail, which changes nothing.
pub(super) fn give_back() {
    let before = set_owner(Owner::Others);
    if before == Owner::Us {
        let bytes = leaving();
        if outlet::write_within(&bytes, LIMIT).is_err() {
            // What it has not read is given up, so that at least this waits for it.
            outlet::let_go(true);
            let _ = outlet::write_within(&[CANCEL, &bytes].concat(), LIMIT);
        }
    }
    if before != Owner::Others {
        let _ = crossterm::terminal::disable_raw_mode();
    }
}
