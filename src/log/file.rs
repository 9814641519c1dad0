//! The file of the log, which several processes write to, and those before it.
//!
//! Every write is one of whole lines at the end of the file, under a lock on it. Whoever finds it full
//! renames it under that lock; the others see that the name leads to another file, and go there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::origins::{self, odd};

/// The largest file, in bytes, and how many before it are kept.
const LARGEST: u64 = 1024 * 1024;
const KEPT: u32 = 3;
/// How often the name may lead elsewhere before a write is given up.
const MOVES: u32 = 8;
/// How often, and after which pause, the lock is tried. Without it lines still go to the end.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(2);

/// A log on the disk; nothing is opened before the first write.
pub(super) struct LogFile {
    path: PathBuf,
    file: Option<File>,
    /// Lines that could not be written.
    lost: u64,
    /// The last write ended within a line.
    is_torn: bool,
}

impl LogFile {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, file: None, lost: 0, is_torn: false }
    }

    /// Writes whole lines, and says of those that were lost, here or before, how many. What cannot be
    /// written now is lost.
    pub(super) fn write(&mut self, lines: &[u8], lost: u64) {
        self.lost += lost;
        let mut left = lines;
        while !left.is_empty() {
            let part = head(left);
            if self.append(part).is_err() {
                let count = part.split_inclusive(|byte| *byte == b'\n').count();
                self.lost += u64::try_from(count).unwrap_or_default();
                self.file = None;
            }
            left = left.get(part.len()..).unwrap_or_default();
        }
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut whole = Vec::with_capacity(lines.len() + 100);
        if self.is_torn {
            whole.push(b'\n');
        }
        if self.lost > 0 {
            let (now, pid) = (origins::now(), std::process::id());
            writeln!(whole, "{now} warn {pid} {} entries could not be written", self.lost)?;
        }
        whole.extend_from_slice(lines);
        let mut file = self.locked(whole.len())?;
        let written = write_all(&mut file, &whole);
        let _ = file.unlock();
        self.is_torn = match written {
            Ok(()) => false,
            Err(torn) => torn || self.is_torn,
        };
        written.map_err(|_| io::ErrorKind::StorageFull)?;
        self.lost = 0;
        Ok(())
    }

    /// The file that the name leads to, with room for so much, locked where that is possible.
    fn locked(&mut self, more: usize) -> io::Result<File> {
        for _ in 0..MOVES {
            let file = match &self.file {
                Some(file) => file.try_clone()?,
                None => open(&self.path)?,
            };
            let has_lock = lock(&file);
            let data = file.metadata()?;
            let is_named = fs::symlink_metadata(&self.path)
                .is_ok_and(|named| (named.dev(), named.ino()) == (data.dev(), data.ino()));
            if !is_named {
                self.file = None;
                continue;
            }
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            if has_lock && data.len() > 0 && data.len().saturating_add(more) > LARGEST {
                self.file = None;
                rotate(&self.path)?;
                continue;
            }
            self.file = Some(file.try_clone()?);
            return Ok(file);
        }
        Err(io::Error::other("the log is renamed again and again"))
    }
}

/// As many whole lines as fit into one write, at least one.
fn head(lines: &[u8]) -> &[u8] {
    const MOST: usize = 64 * 1024;
    let Some(fits) = lines.get(..MOST) else { return lines };
    let end = fits.iter().rposition(|byte| *byte == b'\n').map_or(MOST, |end| end + 1);
    lines.get(..end).unwrap_or(lines)
}

/// Writes to the end; where that fails, whether a part of a line may stand there.
fn write_all(file: &mut File, bytes: &[u8]) -> Result<(), bool> {
    let mut written = 0;
    while let Some(left) = bytes.get(written..).filter(|left| !left.is_empty()) {
        match file.write(left) {
            Ok(count @ 1..) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => {
                let last = bytes.get(..written).and_then(<[u8]>::last);
                return Err(last.is_some_and(|byte| *byte != b'\n'));
            }
        }
    }
    Ok(())
}

/// Opens the file to append, for its owner alone; what is no plain file of this user is left alone.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(odd::flags());
    let file = options.open(path)?;
    let data = file.metadata()?;
    odd::check(&data).map_err(|odd| io::Error::other(odd.to_string()))?;
    if data.nlink() > 1 {
        return Err(io::Error::other(odd::Odd::SecondName.to_string()));
    }
    if data.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

fn lock(file: &File) -> bool {
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => thread::sleep(PAUSE),
            // A file system without locks has none to wait for.
            Ok(()) | Err(fs::TryLockError::Error(_)) => return true,
        }
    }
    false
}

/// The full file becomes the first before it, and the last of those goes.
fn rotate(path: &Path) -> io::Result<()> {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    for number in (1..KEPT).rev() {
        match fs::rename(named(number), named(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, named(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(folder: &Path) -> Vec<(String, u64, u32)> {
        let mut found: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(Result::unwrap)
            .map(|entry| {
                let data = entry.metadata().unwrap();
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, data.len(), data.permissions().mode() & 0o777)
            })
            .collect();
        found.sort();
        found
    }

    /// So many lines of a hundred bytes, numbered.
    fn lines(numbers: std::ops::Range<u32>, who: u32) -> Vec<u8> {
        let line = |number| format!("{who:04} {number:08} {}\n", "x".repeat(85));
        numbers.map(line).collect::<String>().into_bytes()
    }

    #[test]
    fn a_full_log_goes_on_in_a_new_file_and_three_are_kept_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFile::at(folder.path().join("callsweep.log"));
        for hundred in 0..600 {
            log.write(&lines(hundred * 100..(hundred + 1) * 100, 1), 0);
        }
        let found = sizes(folder.path());
        let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        let wanted = ["callsweep.log", "callsweep.log.1", "callsweep.log.2", "callsweep.log.3"];
        assert_eq!(names, wanted);
        assert!(
            found.iter().all(|(_, size, mode)| *size <= LARGEST && *mode == 0o600),
            "{found:?}"
        );
        // The newest are there, in order and without a gap.
        let whole: String = wanted
            .iter()
            .rev()
            .map(|name| fs::read_to_string(folder.path().join(name)).unwrap())
            .collect();
        let numbers: Vec<u32> =
            whole.lines().map(|line| line.get(5..13).unwrap().parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]));
        assert_eq!(numbers.last(), Some(&59_999));
    }

    #[test]
    fn several_that_write_at_once_lose_no_line_and_tear_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("callsweep.log");
        std::thread::scope(|scope| {
            for who in 0..4 {
                let path = path.clone();
                scope.spawn(move || {
                    let mut log = LogFile::at(path);
                    for ten in 0..700 {
                        log.write(&lines(ten * 10..(ten + 1) * 10, who), 0);
                    }
                    assert_eq!(log.lost, 0);
                });
            }
        });
        let mut counted = [0; 4];
        for (name, size, _) in sizes(folder.path()) {
            assert!(size <= LARGEST, "{name}: {size}");
            for line in fs::read_to_string(folder.path().join(name)).unwrap().lines() {
                assert_eq!(line.len(), 99, "{line}");
                counted[line.get(..4).unwrap().parse::<usize>().unwrap()] += 1;
            }
        }
        assert_eq!(counted, [7_000; 4]);
    }

    #[test]
    fn what_could_not_be_written_is_counted_and_told_once_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/callsweep.log");
        let mut log = LogFile::at(path.clone());
        log.write(b"one\ntwo\n", 3);
        fs::create_dir(path.parent().unwrap()).unwrap();
        log.write(b"three\n", 0);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(" 5 entries could not be written\nthree\n"), "{text}");
        log.write(b"four\n", 0);
        assert!(fs::read_to_string(&path).unwrap().ends_with("three\nfour\n"));
    }

    #[test]
    fn what_is_no_plain_file_of_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("callsweep.log");
        let precious = folder.path().join("precious");
        fs::write(&precious, "keep").unwrap();
        let mut log = LogFile::at(path.clone());
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        log.write(b"one\n", 0);
        fs::remove_file(&path).unwrap();
        fs::hard_link(&precious, &path).unwrap();
        log.write(b"two\n", 0);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "keep");
        fs::remove_file(&path).unwrap();
        // A file that others may read becomes its owner's alone.
        fs::write(&path, "old\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        log.write(b"three\n", 0);
        assert!(fs::read_to_string(&path).unwrap().ends_with("three\n"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
