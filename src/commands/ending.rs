//! How a command ended, as an exit code.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use color_eyre::eyre::Report;

use crate::change::Omitted;
use crate::config::ConfigError;
use crate::domain::{EventKey, Foreign};
use crate::log::{self, Level};

/// The exit codes of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 0: all of it is done.
    Done,
    /// 1: it failed.
    Failed,
    /// 2: arguments or configuration are wrong; nothing was asked.
    Usage,
    /// 3: a part of it is done.
    InPart,
    /// 4: refused or cancelled before anything was sent.
    Refused,
    /// 128 and this number: ended by a signal.
    Signalled(u8),
}

impl Ending {
    /// Closes the log, and gives the code to end with.
    pub fn code(self) -> ExitCode {
        let code = match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::InPart => 3,
            Self::Refused => 4,
            Self::Signalled(signal) => 128 | signal,
        };
        log::tell(Level::Info, format_args!("ends with {code}"), "");
        log::close();
        ExitCode::from(code)
    }

    /// As an error, of a command that ends before it has a result to print.
    pub(super) fn refusing(self, why: impl Into<String>) -> Report {
        self.refusing_these(why, Vec::new())
    }

    /// The same where everything that was meant is left out, each event with the reason.
    pub(super) fn refusing_these(self, why: impl Into<String>, omitted: Vec<Omitted>) -> Report {
        Report::new(Refusal { ending: self, why: why.into(), omitted })
    }

    /// How a command ends with this error: as it says itself, else arguments or configuration are
    /// wrong.
    pub(super) fn of_error(report: &Report) -> Self {
        report.downcast_ref().map_or(Self::Usage, |Refusal { ending, .. }| *ending)
    }

    /// The events that were meant and left out, of a command that ends with this error.
    pub(super) fn omitted_by(report: &Report) -> &[Omitted] {
        report.downcast_ref().map_or(&[], |refusal: &Refusal| &refusal.omitted)
    }

    /// The ending, with the reason on standard error; a closed standard error is fine.
    #[must_use]
    pub fn because(self, sentence: &str) -> Self {
        remark(sentence);
        self
    }

    /// An ending with an error as a sentence; without a configuration the sentence says what can be
    /// done instead.
    #[must_use]
    pub fn reported(self, report: &Report, sentence: &str) -> Self {
        match report.downcast_ref().and_then(ConfigError::first_steps) {
            Some(lines) => self.explained(&lines),
            None => self.because(sentence),
        }
    }

    /// The ending, with these words on standard error.
    #[must_use]
    pub fn explained(self, words: &str) -> Self {
        let _ = writeln!(io::stderr(), "{}", cleaned(words));
        self
    }

    /// `Failed` if standard output could not be written; a closed pipe is fine, as its reader has seen
    /// enough.
    pub(super) fn written(self, written: io::Result<()>) -> Self {
        match written {
            Ok(()) => self,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self,
            Err(error) => Self::Failed.because(&format!(
                "standard output cannot be written ({error}): check where it leads, and its room"
            )),
        }
    }
}

/// Why a command ends before it has a result to print.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
struct Refusal {
    ending: Ending,
    why: String,
    omitted: Vec<Omitted>,
}

/// One sentence on standard error, of one line or more. Whatever it quotes, and from wherever, it
/// does not act on a terminal.
pub(super) fn remark(sentence: &str) {
    log::say(Level::Info, format_args!("says: {sentence}"));
    let _ = writeln!(io::stderr(), "callsweep: {}", cleaned(sentence));
}

/// That an event is left out of what was meant, and why.
pub(super) fn left_out(Omitted { key, why }: &Omitted) -> String {
    let EventKey { extension, event_type, id } = key;
    format!("left out: {extension} {event_type} {id} {why}")
}

/// Names what is left out.
pub(super) fn tell_left_out(omitted: &[Omitted]) {
    for one in omitted {
        remark(&left_out(one));
    }
}

fn cleaned(sentence: &str) -> String {
    let lines: Vec<_> = sentence.lines().map(|line| Foreign::from(line).to_string()).collect();
    lines.join("\n")
}
