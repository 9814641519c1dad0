//! Stopping and going on, as a shell does it with its jobs.

use std::io;

use rustix::process::{Signal, getpgrp, getsid, kill_current_process_group};
use signal_hook::consts::SIGSTOP;

/// Asks the whole job to stop, so that a script around the program stops with it. The signal comes
/// back as a message.
///
/// # Errors
/// Why not, in words.
pub(super) fn ask() -> Result<(), String> {
    if !somebody_goes_on() {
        return Err("there is no shell here that could go on with it".to_owned());
    }
    kill_current_process_group(Signal::TSTP).map_err(|error| error.to_string())
}

/// Stops the program until it is told to go on; only where somebody can tell it.
pub(super) fn stop() -> io::Result<()> {
    signal_hook::low_level::raise(SIGSTOP)
}

/// Whether there is a shell with jobs above: the leader of a session, started by `ssh -t` or as the
/// command of a terminal's window, has none, and stopped it would stay so for ever.
pub(super) fn somebody_goes_on() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}
