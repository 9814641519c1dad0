//! Stopping and going on, as a shell does it with its jobs.

use std::io;

use rustix::process::{Pid, Signal, getpgrp, getppid, getsid, kill_current_process_group};
use rustix::termios::tcgetpgrp;

use crate::app::Message;

use super::guard;

/// ctrl-z: gives the terminal back and stops the whole job, so that a script around the program
/// stops with it.
///
/// `rest` is done before the terminal is given back.
///
/// # Errors
/// Why not, in words.
pub(super) fn suspend(rest: impl FnOnce()) -> Result<(), String> {
    if !somebody_goes_on() {
        return Err("there is no shell here that could go on with it".to_owned());
    }
    rest();
    guard::give_back();
    stop().map_err(|error| error.to_string())
}

/// Stops where a signal asks for it. Once it goes on, the terminal is taken again, also after a
/// SIGSTOP, of which nothing tells; in the background, where it must not be touched, it stops again.
/// True where the terminal was taken.
pub(super) fn stop_or_go_on(message: &Message, rest: impl FnOnce()) -> io::Result<bool> {
    let stops = matches!(message, Message::AskedToStop);
    let goes_on = matches!(message, Message::Continued);
    if goes_on && is_in_foreground() {
        guard::take_again()?;
        return Ok(true);
    }
    if (stops || goes_on) && somebody_goes_on() {
        if is_in_foreground() {
            rest();
            guard::give_back();
        } else {
            guard::leave_to_others();
        }
        stop()?;
    }
    Ok(false)
}

/// Stops the job until it is told to go on. The shell may have the terminal a moment later, so that
/// it has to be given back before.
fn stop() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::STOP)?)
}

/// Whether there is a shell with jobs above. The leader of a session, started by `ssh -t` or as the
/// command of a terminal's window, has none, nor has a job whose shell is gone: stopped, it would
/// stay so for ever.
fn somebody_goes_on() -> bool {
    let session = |of: Option<Pid>| getsid(of).ok();
    let own = session(None);
    own.is_some() && own != Some(getpgrp()) && getppid().is_some_and(|up| session(Some(up)) == own)
}

/// Whether the terminal is the job's own now: touching its modes from the background would stop the
/// program.
pub(super) fn is_in_foreground() -> bool {
    tcgetpgrp(io::stdout()).is_ok_and(|foreground| foreground == getpgrp())
}
