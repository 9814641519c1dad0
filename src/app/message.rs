//! What happened outside: past tense, the only way into the model.

use std::sync::Arc;
use std::time::Duration;

use crate::change::{Done, EarlierRun, Loss, Rest, RestRefused, Route, Summary};
use crate::domain::{Discovery, Exchange, ExtensionNumber, Failure, Listing};

use super::{Key, PictureId};

/// The time of a message; the model has no clock of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// Time since the program started; never goes back.
    pub since_start: Duration,
    /// Date and time in the operator's zone.
    pub local: jiff::ZonedDateTime,
}

/// A run that was read to be undone or gone on with.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRead<T> {
    /// The undo or the rest of the run.
    pub what: T,
    /// The PBX paths that the requests of this run use.
    pub route: Route,
    /// Remarks about the run file, a sentence each.
    pub remarks: Vec<String>,
}

/// What was found among the run files, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What was found.
    pub found: String,
    /// What follows it, with the names of actions in angle brackets for their keys.
    pub way_on: &'static str,
}

/// The run files of this machine, as far as this PBX is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFiles {
    /// Its runs, the newest first.
    pub runs: Vec<Summary>,
    /// What is wrong with a file, or with a line of one, and what to do: a sentence for each file.
    pub remarks: Vec<String>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A key was pressed.
    Pressed(Key),
    /// Text was pasted: it is taken while typing and never as keys.
    Pasted(String),
    /// Something else arrived from the terminal.
    Arrived,
    /// The terminal shows this picture of the open question.
    Shown(PictureId),
    /// The terminal has another size.
    Resized {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// [`Effect::DiscoverExtensions`](super::Effect::DiscoverExtensions) is done.
    Discovered {
        /// What the sources said.
        result: Result<Discovery, Failure>,
        /// The requests behind it.
        exchanges: Vec<Exchange>,
    },
    /// [`Effect::FindBrokenRuns`](super::Effect::FindBrokenRuns) is done.
    BrokenRunsFound {
        /// A remark for each.
        remarks: Vec<Remark>,
        /// The newest run that can be gone on with, whole.
        newest: Option<Box<EarlierRun>>,
    },
    /// [`Effect::ListRuns`](super::Effect::ListRuns) is done.
    RunsListed(Result<RunFiles, String>),
    /// [`Effect::ReadRun`](super::Effect::ReadRun) is done.
    RunTold(Result<Box<EarlierRun>, String>),
    /// [`Effect::ReadWayBack`](super::Effect::ReadWayBack) is done: what is to be given back, or why
    /// it cannot be.
    WayBackRead(Result<RunRead<Box<Loss>>, String>),
    /// [`Effect::CloseUndo`](super::Effect::CloseUndo) is done: whether it was open, or why it still is.
    UndoClosed(Result<bool, Failure>),
    /// [`Effect::ReadRest`](super::Effect::ReadRest) is done.
    RestRead(Result<RunRead<Arc<Rest>>, RestRefused>),
    /// [`Effect::ListEvents`](super::Effect::ListEvents) is done.
    Listed {
        /// Whose events were asked for.
        extension: ExtensionNumber,
        /// As in the effect.
        epoch: u64,
        /// What the service said.
        result: Result<Listing, Failure>,
        /// The requests behind it.
        exchanges: Vec<Exchange>,
    },
    /// [`Effect::Act`](super::Effect::Act) is done.
    Done(Done),
    /// [`Effect::Wait`](super::Effect::Wait) is done.
    Waited,
    /// The time that the model [asked](super::Model::changes_at) to be told of has come.
    TimePassed,
    /// The receipt is on disk under this path, or why it is not.
    ReceiptWritten(Result<String, String>),
    /// The program was suspended and goes on, or why suspending it is of no use.
    Suspended(Result<(), String>),
    /// A signal asks to stop: the terminal is given back until the program goes on.
    AskedToStop,
    /// The program goes on after it was stopped, with the terminal in hand again.
    Continued,
    /// [`Effect::Copy`](super::Effect::Copy) is done: whether it was sent is all that can be known.
    Copied {
        /// What it was, in words.
        what: String,
        /// Or a sentence why not.
        result: Result<(), String>,
    },
    /// The terminal gives no keys any more, or is gone.
    InputEnded,
    /// A signal asked the program to end.
    AskedToEnd {
        /// Its number.
        signal: u8,
    },
    /// An effect ended in a panic; its report has been printed and the terminal given back.
    Panicked,
}
