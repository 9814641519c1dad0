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
mod record;
mod rest;
#[cfg(test)]
mod rules;
mod summaries;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub use crate::change::Kind;
use crate::domain::EventKey;
pub use back::{Way, way_back};
pub use choice::{NoChoice, Place, find, is_latest, latest};
pub use file::{RunFile, Written, is_going_on, write_backup};
pub use line::{Calls, RecordedCall};
pub use record::{
    Record, RecordRefused, RecordedEvent, is_finished, is_stopped, names, odd_files, undone,
};
pub use summaries::{Summaries, summaries};

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

/// Writes the receipt of a run beside the folder of run files, readable by its owner alone, in place
/// of an earlier one, and returns where it is.
///
/// # Errors
/// Any error of the file system.
pub fn write_receipt(runs: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let folder = runs.with_file_name("receipts");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let path = folder.join(format!("{name}.md"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&path)?.write_all(text.as_bytes())?;
    Ok(path)
}

/// Where the run of this name is kept. A backup is called as its path.
pub fn path_of(runs: &Path, name: &str) -> PathBuf {
    if is_path(name) { PathBuf::from(name) } else { runs.join(format!("{name}.jsonl")) }
}

/// Whether a name is a path, as a backup's is.
fn is_path(name: &str) -> bool {
    name.starts_with('/')
}
