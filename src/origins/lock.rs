//! One writer for each PBX: who changes it holds a lock from its yes to its last listing.
//!
//! The lock is advisory and on an open file, so that it goes with its process, however that ends.
//! The file stays and tells who holds it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::odd::Odd;
use super::process::Process;
use super::{Unopened, host_of, open, path_of};
use crate::domain::Foreign;

/// More than a holder writes of itself, in bytes.
const LONGEST: u64 = 4096;
/// Looks at a holder that is just writing who it is.
const LOOKS: usize = 100;

/// The right to change one PBX, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why a PBX must not be changed now.
#[derive(Debug, thiserror::Error)]
pub enum LockRefused {
    /// Another process holds the lock.
    #[error("{host} is being changed by {holder}; wait for its end")]
    Held {
        /// The PBX.
        host: Foreign,
        /// Who holds it, in words.
        holder: String,
    },
    /// The file is not one to be trusted.
    #[error("the lock {0:?} {1}")]
    Odd(PathBuf, Odd),
    /// The file system says no.
    #[error(
        "the lock {0:?} cannot be taken ({1}): correct its permissions, make room, or set \
         XDG_STATE_HOME to a folder on a local disk"
    )]
    Failed(PathBuf, io::Error),
}

/// Who holds a lock, as its file tells.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    #[serde(flatten)]
    process: Process,
    since: String,
}

impl Lock {
    /// Takes the lock of the PBX at this origin; it lies beside the folder of run files.
    ///
    /// # Errors
    /// Says who holds it, or why it cannot be taken.
    pub fn take(runs: &Path, origin: &str) -> Result<Self, LockRefused> {
        let host = host_of(origin);
        let path = path_of(runs, &host, "lock");
        let failed = |error| LockRefused::Failed(path.clone(), error);
        let file = open(&path).map_err(|why| match why {
            Unopened::Odd(odd) => LockRefused::Odd(path.clone(), odd),
            Unopened::Failed(error) => failed(error),
        })?;
        for _ in 0..LOOKS {
            match file.try_lock() {
                Ok(()) => {
                    // The lock holds even where the disk has no room for the name.
                    let _ = write_holder(&file);
                    return Ok(Self { file });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            if let Some(holder) = holder(&path) {
                return Err(LockRefused::Held { host: Foreign::from(host), holder });
            }
            std::thread::yield_now();
        }
        let holder = "another program that does not say who it is".to_owned();
        Err(LockRefused::Held { host: Foreign::from(host), holder })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The next holder writes its own name. Closing the file gives the lock back in any case, but
        // not before a child that is just being started has let go of it.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Writes who holds it, in place of an earlier holder.
fn write_holder(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let holder = Holder { process: Process::this(), since: super::now() };
    let text = serde_json::to_string(&holder).map_err(io::Error::other)?;
    file.write_all(format!("{text}\n").as_bytes())
}

/// Who holds the lock, in words; `None` where the file does not say it.
fn holder(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    let Holder { process, since } = serde_json::from_str(&text).ok()?;
    let local = |at: jiff::Timestamp| {
        jiff::tz::TimeZone::system().to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let since = since.parse().map_or(since, local);
    Some(format!("{process} since {}", Foreign::from(since)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const ORIGIN: &str = "https://PBX.example.com:8443";

    fn place(runs: &Path) -> PathBuf {
        path_of(runs, "pbx.example.com", "lock")
    }

    #[test]
    fn the_second_is_told_who_is_first_and_a_lock_that_was_let_go_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("deep/runs");
        let first = Lock::take(&runs, ORIGIN).unwrap();
        let refused = Lock::take(&runs, "https://pbx.example.com").unwrap_err().to_string();
        let pid = std::process::id();
        assert!(refused.starts_with("pbx.example.com is being changed by callsweep"), "{refused}");
        assert!(refused.contains(&format!("process {pid} of ")), "{refused}");
        assert!(refused.contains(" since 2"), "{refused}");
        let other = Lock::take(&runs, "https://other.example.com");
        assert!(other.is_ok(), "another PBX is another lock");
        drop(first);
        assert!(Lock::take(&runs, ORIGIN).is_ok());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place(&runs)), mode(&runs.with_file_name("origins"))), (0o600, 0o700));
    }

    #[test]
    fn what_a_dead_process_wrote_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        fs::create_dir(folder.path().join("origins")).unwrap();
        for left in ["", "{\"program\":\"callsweep\",\"pid\":1}", "\0\0\0"] {
            fs::write(place(&runs), left).unwrap();
            assert!(Lock::take(&runs, ORIGIN).is_ok(), "{left:?}");
        }
    }

    #[test]
    fn a_link_a_pipe_and_a_folder_are_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        fs::create_dir(folder.path().join("origins")).unwrap();
        let target = folder.path().join("precious");
        fs::write(&target, "keep").unwrap();
        let said = || Lock::take(&runs, ORIGIN).unwrap_err().to_string();
        symlink(&target, place(&runs)).unwrap();
        assert!(said().contains("is a link: remove it"), "{}", said());
        fs::remove_file(place(&runs)).unwrap();
        fs::hard_link(&target, place(&runs)).unwrap();
        assert!(said().contains("has a second name: remove it"), "{}", said());
        assert_eq!(fs::read_to_string(&target).unwrap(), "keep");
        fs::remove_file(place(&runs)).unwrap();
        let made = std::process::Command::new("mkfifo").arg(place(&runs)).status().unwrap();
        assert!(made.success());
        assert!(said().contains("is a pipe: remove it"), "{}", said());
        fs::remove_file(place(&runs)).unwrap();
        fs::create_dir(place(&runs)).unwrap();
        assert!(said().contains("is a folder: remove it"), "{}", said());
    }

    #[test]
    fn a_place_that_cannot_be_written_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("origins"), "").unwrap();
        let refused = Lock::take(&folder.path().join("runs"), ORIGIN).unwrap_err().to_string();
        assert!(refused.contains("set XDG_STATE_HOME to a folder on a local disk"), "{refused}");
    }
}
