//! Signals that end a command: what it had out is told to other starts first, and of what it only
//! might have sent nothing counts as failed.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::api;
use crate::log::{self, Level};

/// A run is carried out, and ends in its own way.
static IN_RUN: AtomicBool = AtomicBool::new(false);

/// Has a signal that would end the command do so in order. Where the system has no room for that,
/// it ends as it would without it.
pub(super) fn end_in_order() {
    let Ok(mut signals) = Signals::new(ending()) else { return };
    let watching = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if !IN_RUN.load(Ordering::SeqCst) {
                api::give_back();
                log::tell(Level::Info, format_args!("ended by signal {signal}"), "");
                log::close();
                let _ = emulate_default_handler(signal);
            }
        }
    });
    drop(watching);
}

/// Signals that end a command which has nothing else to do than wait for one.
pub(super) struct Ends(Signals);

impl Ends {
    /// From here on a signal ends nothing by itself, but for one that the command was started with
    /// ignored: that stays so.
    pub(super) fn watch() -> io::Result<Self> {
        Ok(Self(Signals::new(ending())?))
    }

    /// Waits for the first, and returns its number.
    pub(super) fn wait(mut self) -> u8 {
        let first = self.0.forever().next();
        first.and_then(|signal| u8::try_from(signal).ok()).unwrap_or_default()
    }
}

fn ending() -> impl Iterator<Item = i32> {
    [SIGINT, SIGQUIT, SIGTERM, SIGHUP].into_iter().filter(|it| !is_ignored(*it))
}

/// From here on a run listens for itself.
pub(super) fn leave_to_run() {
    IN_RUN.store(true, Ordering::SeqCst);
}

/// Whether it was started with this signal ignored, as by `nohup`. A system that does not say it
/// keeps its own way.
pub(super) fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let own_way = signal == SIGHUP;
    ignored.map_or(own_way, |mask| mask & (1 << (signal - 1)) != 0)
}
