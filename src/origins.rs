//! What is kept of each PBX beside the run files: the lock of its one writer, and the book of
//! requests that failed, which all processes and starts share.
//!
//! Both lie in `origins/` under a key made of the host alone: a PBX is one however its ports are called.

mod book;
mod lock;
pub(crate) mod odd;
mod page;
mod process;

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::Mode;
use sha2::{Digest, Sha256};

pub use book::{Book, Seen};
pub use lock::{Lock, LockRefused};
pub use odd::Odd;
pub use page::{Claim, Figures, Page, Verdict};
pub(crate) use process::Process;

/// Bytes of the hash that name a file.
const KEY: usize = 8;

/// Why a file here cannot be opened.
#[derive(Debug)]
enum Unopened {
    /// The file is not one to be trusted.
    Odd(Odd),
    /// The file system says no.
    Failed(io::Error),
}

/// Has the owner of what this process creates be able to use it, whatever umask it was started with.
/// Others get what the umask leaves them.
pub fn let_owner_in() {
    let all = Mode::RWXU | Mode::RWXG | Mode::RWXO;
    let before = rustix::process::umask(all);
    rustix::process::umask(before - Mode::RWXU);
}

/// Has a write fail that would make a file greater than the system allows (`ulimit -f`), where else that
/// ends the program. A system without room for that keeps its own way.
pub fn let_writes_fail() {
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// The bytes of a file that an operator names.
///
/// # Errors
/// Any error of the file system, and that there are more than 8 MiB: a device may never end.
pub fn read_named(path: &Path) -> io::Result<Vec<u8>> {
    // A hundred thousand numbers with remarks behind them.
    const MOST: u64 = 8 * 1024 * 1024;
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read <= MOST) {
        return Ok(bytes);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 8 MiB"))
}

/// Where a file of the PBX with this host lies.
fn path_of(runs: &Path, host: &str, ending: &str) -> PathBuf {
    let mut key = String::new();
    for byte in Sha256::digest(host.as_bytes()).iter().take(KEY) {
        let _ = write!(key, "{byte:02x}");
    }
    runs.with_file_name("origins").join(format!("{key}.{ending}"))
}

/// The host alone, in lower case.
fn host_of(origin: &str) -> String {
    let place = origin.split_once("://").map_or(origin, |(_, place)| place);
    let host = match place.split_once(']') {
        Some((address, _)) => address.trim_start_matches('['),
        None => place.split(':').next().unwrap_or(place),
    };
    host.to_ascii_lowercase()
}

/// Opens a file to read and write, in a folder for its owner alone, without following a link and
/// without waiting for the other end of a pipe.
fn open(path: &Path) -> Result<File, Unopened> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Unopened::Failed)?;
    if let Ok(data) = fs::symlink_metadata(path) {
        odd::check(&data).map_err(Unopened::Odd)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(odd::flags());
    let file = options.open(path).map_err(Unopened::Failed)?;
    let data = file.metadata().map_err(Unopened::Failed)?;
    odd::check(&data).map_err(Unopened::Odd)?;
    // What is written here would be written there too.
    if data.nlink() > 1 {
        return Err(Unopened::Odd(Odd::SecondName));
    }
    Ok(file)
}

#[expect(clippy::disallowed_methods, reason = "what is kept says when it was written")]
pub(crate) fn clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The time in UTC, with milliseconds.
pub(crate) fn now() -> String {
    format!("{:.3}", clock())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pbx_is_one_host_whatever_the_port_and_the_case() {
        for origin in
            ["https://PBX.example.com:8443", "https://pbx.example.com", "http://pbx.EXAMPLE.com:80"]
        {
            assert_eq!(host_of(origin), "pbx.example.com", "{origin}");
        }
        assert_eq!(host_of("http://[::1]:8080"), "::1");
        let runs = Path::new("/state/callsweep/runs");
        let path = path_of(runs, "pbx.example.com", "lock");
        assert_eq!(path, Path::new("/state/callsweep/origins/528623e94d635032.lock"));
    }
}
