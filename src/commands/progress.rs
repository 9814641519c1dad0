//! How far it is, in one line on standard error that every answer rewrites; nothing is written
//! where no terminal can show it.

use std::io::{self, IsTerminal, Write};

/// Columns of the bar.
const WIDTH: usize = 20;
/// The line is rewritten so often at most, however much there is to do.
const STEPS: usize = 1000;

/// The line, which goes when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    all: usize,
    done: usize,
    things: &'static str,
    shown: bool,
}

impl Progress {
    /// Nothing of so many is done; the line comes with the first step.
    pub(super) fn of(all: usize, things: &'static str) -> Self {
        Self { all, done: 0, things, shown: can_show() }
    }

    /// One more is done.
    pub(super) fn step(&mut self) {
        self.reach(self.done + 1);
    }

    /// So many are done.
    pub(super) fn reach(&mut self, done: usize) {
        let stretch = (self.all / STEPS).max(1);
        let moved = done / stretch != self.done / stretch || done == self.all;
        self.done = done;
        if self.shown && moved {
            let _ = write!(io::stderr(), "\r{}\u{1b}[K", line(done, self.all, self.things));
        }
    }

    /// Makes room for a sentence.
    pub(super) fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Whether standard error is a terminal that rewrites lines.
fn can_show() -> bool {
    let able = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    able && io::stderr().is_terminal()
}

fn line(done: usize, all: usize, things: &str) -> String {
    let filled = (done * WIDTH).checked_div(all).unwrap_or(WIDTH).min(WIDTH);
    format!("[{}{}] {done} of {all} {things}", "#".repeat(filled), ".".repeat(WIDTH - filled))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_bar_fills_with_what_is_done_and_nothing_to_do_is_full() {
        assert_eq!(line(0, 8, "events"), "[....................] 0 of 8 events");
        assert_eq!(line(2, 8, "events"), "[#####...............] 2 of 8 events");
        assert_eq!(line(8, 8, "events"), "[####################] 8 of 8 events");
        assert_eq!(line(0, 0, "events"), "[####################] 0 of 0 events");
    }
}
