//! Run files: what is about to be sent is on disk, whole and synced, before the first request.
//!
//! One JSON object a line, append-only, mode 0600, each line with a sum of its own: a `run` line, an
//! `event` line for each planned event, `planned`, then the sync; `sent`, synced too, before each
//! request, `settled` after it, `stopped` or `finished` at the end. Whoever goes on with a run
//! appends to its file.

#[cfg(test)]
mod agreement;
mod back;
mod choice;
mod file;
mod line;
mod receipt;
mod record;
mod rest;
#[cfg(test)]
mod rules;
mod summaries;
mod tail;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub use crate::change::Kind;
use crate::domain::EventKey;
pub use back::{Way, state_of, way_back};
pub use choice::{NoChoice, Place, find, is_latest, latest};
pub use file::{RunFile, is_going_on, remove, write_backup};
pub use line::{RecordedCall, RecordedCalls};
pub use receipt::{Form, Receipt, mask_of, shown_name, unwritten};
pub use record::{
    Opening, Record, RecordRefused, RecordedEvent, is_finished, names, odd_files, undone,
};
pub use summaries::{Summaries, briefly, earlier, summaries, summary_of, unfinished};
pub use tail::Written;

/// Version of the line format.
const SCHEMA: u32 = 2;

/// Makes the folder of run files, for its owner alone.
///
/// # Errors
/// Any error of the file system.
pub fn prepare(runs: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(runs)
}

/// An event by its names, as machine output has it.
pub fn named(key: &EventKey) -> Value {
    let number = key.event_type.number();
    json!({"extension": key.extension.as_str(), "type": number, "id": key.id.as_str()})
}

/// The path of a run's file; the name of a backup is its path.
pub fn path_of(runs: &Path, name: &str) -> PathBuf {
    if is_path(name) { PathBuf::from(name) } else { runs.join(format!("{name}.jsonl")) }
}

/// Whether a name is a path, as a backup's is.
fn is_path(name: &str) -> bool {
    name.starts_with('/')
}
