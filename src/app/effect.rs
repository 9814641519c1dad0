//! What is to be done outside: imperative, plain data.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::change::Act;
use crate::domain::{EventKey, ExtensionNumber, Foreign, Target};

/// One thing to do. Each comes back as exactly one message.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the sources for extensions.
    DiscoverExtensions,
    /// Look for runs that were interrupted or stopped.
    FindBrokenRuns,
    /// Read all run files in short.
    ListRuns,
    /// Read the run of this name, to be shown.
    ReadRun(String),
    /// Read what the run of this name took, and what of it is given back.
    ReadWayBack(String),
    /// Close the file of an undo that was begun and has nothing left to make, where it is still open.
    CloseUndo {
        /// The undo.
        undo: String,
        /// Its events that are there, each with the id of what stands for it.
        there: Vec<(EventKey, Foreign)>,
    },
    /// Read what is left of the run of this name.
    ReadRest(String),
    /// List the events of an extension.
    ListEvents {
        /// Which one.
        extension: ExtensionNumber,
        /// How many changes had settled on it when the question was asked.
        epoch: u64,
        /// Where it is asked for, if not where the profile says.
        below: Option<Target>,
    },
    /// Carry this out, and let its first question go though too many have failed.
    InSpite(Box<Effect>),
    /// Let this time pass.
    Wait(Duration),
    /// What a run wants done: nothing else can change the PBX.
    Act(Act),
    /// Hand a text to the terminal, for its clipboard, or to what stands between.
    Copy {
        /// What it is, in words: `7 calls`.
        what: String,
        /// The text, cleaned of everything that acts on a terminal.
        text: String,
    },
    /// Write the receipt of a run beside earlier ones.
    WriteReceipt {
        /// The run's name.
        run: String,
        /// It gives no customer away.
        masked: bool,
        /// What extensions are called.
        labels: BTreeMap<ExtensionNumber, Foreign>,
    },
}
