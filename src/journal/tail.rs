//! The end of a run file, where lines are appended: those that come together are written and synced
//! together.
//!
//! The file always holds a beginning of what was appended: a line stands in it behind all that came
//! before. So whoever finds a *sent* line there also finds what had settled by then, however late the
//! latter was written.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::line::Line;

/// A line that is appended and, until `Tail::synced` says so, perhaps not on disk.
#[derive(Debug, Clone, Copy)]
#[must_use = "what it stands for may go out only once it is synced"]
pub struct Written(u64);

/// A file that is only appended to.
#[derive(Debug)]
pub(super) struct Tail {
    file: File,
    /// How long it was, and whether it had a name.
    begun: (u64, bool),
    lines: Mutex<Lines>,
    /// Somebody wrote or synced.
    changed: Notify,
    at_rest: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    /// What is not in the file yet, and a buffer to take turns with.
    waiting: Vec<u8>,
    spare: Vec<u8>,
    /// Bytes that were written.
    written: u64,
    /// So many lines were appended; up to `wanted` somebody waits for them to be on disk, and up to
    /// `synced` they are.
    appended: u64,
    wanted: u64,
    synced: u64,
    /// A thread writes and syncs, and the one who asked it to waits for it.
    is_busy: bool,
    is_awaited: bool,
    /// Why something could not be written: whatever came behind it would follow a torn line.
    broken: Option<String>,
    /// Calls of the system: writes and syncs.
    #[cfg(test)]
    calls: (u32, u32),
}

/// Writes and syncs on a thread of its own.
struct Writer(Arc<Tail>);

/// Waits for a [`Writer`], and tells all others: to wake each of them from another thread would take a
/// call of the system.
struct Asking<'a>(&'a Tail);

/// What a line waits for.
#[derive(Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Somebody is at work.
    Patience,
    /// Nobody is, until now.
    Work,
}

impl Tail {
    pub(super) fn new(file: File) -> Arc<Self> {
        let begun = file.metadata().map_or((0, false), |data| (data.len(), data.nlink() > 0));
        let (lines, changed, at_rest) = (Mutex::default(), Notify::new(), Condvar::new());
        Arc::new(Self { file, begun, lines, changed, at_rest })
    }

    /// Whether what was written can be found again: nobody took its name from the file, or cut it.
    fn is_kept(&self, written: u64) -> io::Result<()> {
        let (data, (before, had_name)) = (self.file.metadata()?, self.begun);
        if had_name && data.nlink() == 0 {
            return Err(io::Error::other("it was removed or replaced meanwhile"));
        }
        if data.len() < before.saturating_add(written) {
            return Err(io::Error::other("it was cut meanwhile"));
        }
        Ok(())
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Appends a line, which is written with those that come together with it. After the first error
    /// nothing is appended any more.
    pub(super) fn append(&self, line: &Line<'_>) -> io::Result<Written> {
        let mut lines = self.lines();
        lines.unbroken()?;
        line.append_to(&mut lines.waiting)?;
        lines.appended += 1;
        Ok(Written(lines.appended))
    }

    /// Waits until a line is on disk. Those that are appended while another sync is under way share
    /// the next one, and so do all that are handed out at one moment.
    ///
    /// # Errors
    /// Any error of the file system: what is on disk is not known then, and no further line is
    /// written.
    pub(super) async fn synced(self: &Arc<Self>, line: Written) -> io::Result<()> {
        // Lets the others append that were handed out with this one.
        tokio::task::yield_now().await;
        loop {
            // Before the look, so that nothing is missed between the two.
            let changed = self.changed.notified();
            match self.needs(line)? {
                Needs::Nothing => return Ok(()),
                Needs::Patience => changed.await,
                Needs::Work => {
                    let (writer, _asking) = (Writer(Arc::clone(self)), Asking(self));
                    let work = tokio::task::spawn_blocking(move || writer.work());
                    work.await.map_err(io::Error::other)?;
                }
            }
        }
    }

    /// What a line needs to be on disk; where that is work, the caller is to see to it.
    fn needs(&self, line: Written) -> io::Result<Needs> {
        let mut lines = self.lines();
        if lines.synced >= line.0 {
            return Ok(Needs::Nothing);
        }
        lines.unbroken()?;
        lines.wanted = lines.wanted.max(line.0);
        if std::mem::replace(&mut lines.is_busy, true) {
            return Ok(Needs::Patience);
        }
        lines.is_awaited = true;
        Ok(Needs::Work)
    }

    /// Sees to it that all lines are written, with those that others append at the same moment.
    pub(super) async fn written(&self) -> io::Result<()> {
        tokio::task::yield_now().await;
        self.lines().write(&self.file)
    }

    /// Writes all that was appended.
    pub(super) fn flush(&self) -> io::Result<()> {
        let at_work = |lines: &mut Lines| lines.is_busy;
        let lines = self.at_rest.wait_while(self.lines(), at_work);
        lines.unwrap_or_else(PoisonError::into_inner).write(&self.file)
    }

    /// Writes and syncs it.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.flush()?;
        self.file.sync_all()?;
        self.is_kept(self.lines().written)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn unbroken(&self) -> io::Result<()> {
        self.broken.as_ref().map_or(Ok(()), |why| Err(io::Error::other(why.clone())))
    }

    /// Writes what waits, unless somebody is at it. One `write` for all: what a crash leaves is whole
    /// lines and at most one torn at the end.
    fn write(&mut self, mut file: &File) -> io::Result<()> {
        self.unbroken()?;
        if self.is_busy || self.waiting.is_empty() {
            return Ok(());
        }
        #[cfg(test)]
        self.count(true, false);
        let written = file.write_all(&self.waiting);
        self.written = self.written.saturating_add(length(&self.waiting));
        self.waiting.clear();
        self.broken = written.as_ref().err().map(ToString::to_string);
        written
    }

    #[cfg(test)]
    fn count(&mut self, write: bool, sync: bool) {
        self.calls = (self.calls.0 + u32::from(write), self.calls.1 + u32::from(sync));
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Writer {
    fn work(self) {
        let Self(tail) = &self;
        let mut lines = tail.lines();
        let (appended, mut bytes) = (lines.appended, std::mem::take(&mut lines.spare));
        std::mem::swap(&mut bytes, &mut lines.waiting);
        #[cfg(test)]
        lines.count(!bytes.is_empty(), true);
        lines.written = lines.written.saturating_add(length(&bytes));
        let written = lines.written;
        drop(lines);
        let mut file = &tail.file;
        let done = file.write_all(&bytes).and_then(|()| file.sync_data());
        let done = done.and_then(|()| tail.is_kept(written));
        bytes.clear();
        let mut lines = tail.lines();
        lines.spare = bytes;
        match done {
            Ok(()) => lines.synced = appended,
            Err(error) => lines.broken = Some(error.to_string()),
        }
    }
}

impl Drop for Writer {
    /// Also where the program ends before it came to work.
    fn drop(&mut self) {
        let Self(tail) = self;
        let mut lines = tail.lines();
        lines.is_busy = false;
        let is_awaited = lines.is_awaited;
        drop(lines);
        tail.at_rest.notify_all();
        if !is_awaited {
            tail.changed.notify_waiters();
        }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let Self(tail) = self;
        let mut lines = tail.lines();
        lines.is_awaited = false;
        // What settled meanwhile waits for no sync; whoever waits for one writes it too.
        if lines.wanted <= lines.synced {
            // An error stands in `broken`, for whoever comes next.
            let _ = lines.write(&tail.file);
        }
        drop(lines);
        tail.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;
    use tokio::task::JoinSet;

    use super::*;

    fn line(call: usize) -> Line<'static> {
        Line::Sent { call, first: call, covers: 1, at: None }
    }

    /// The calls whose lines are in a file, in their order.
    fn calls(file: &mut File) -> Vec<usize> {
        use std::io::{Read, Seek};

        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let read = lines.map(|line| match Line::read(line.strip_suffix(b"\n").unwrap(), true) {
            Ok(Line::Sent { call, .. }) => call,
            other => panic!("{other:?}"),
        });
        read.collect()
    }

    /// Lets so many tasks append a line each, waves of them one after the other, and wait until it is
    /// synced or only written; how often something was written and synced.
    fn appended(waves: usize, at_once: usize, shall_sync: bool) -> (u32, u32) {
        let mut file = tempfile::tempfile().unwrap();
        let tail = Tail::new(file.try_clone().unwrap());
        Builder::new_current_thread().build().unwrap().block_on(async {
            for wave in 0..waves {
                let mut tasks = JoinSet::new();
                for task in 0..at_once {
                    let tail = Arc::clone(&tail);
                    tasks.spawn(async move {
                        let line = tail.append(&line(wave * at_once + task)).unwrap();
                        if shall_sync {
                            tail.synced(line).await.unwrap();
                        } else {
                            tail.written().await.unwrap();
                        }
                    });
                }
                tasks.join_all().await;
            }
        });
        tail.flush().unwrap();
        assert_eq!(calls(&mut file), (0..waves * at_once).collect::<Vec<_>>());
        tail.lines().calls
    }

    #[test]
    fn what_is_handed_out_together_is_written_once_and_synced_once() {
        for at_once in [1, 4, 16, 60] {
            assert_eq!(appended(1, at_once, true), (1, 1), "{at_once}");
            assert_eq!(appended(10, at_once, true), (10, 10), "{at_once}");
        }
    }

    #[test]
    fn what_settles_together_is_written_once_and_never_synced() {
        for at_once in [1, 4, 16, 60] {
            assert_eq!(appended(1, at_once, false), (1, 0), "{at_once}");
            assert_eq!(appended(10, at_once, false), (10, 0), "{at_once}");
        }
    }

    #[test]
    fn what_settled_waits_for_nobody_where_the_next_line_is_synced() {
        let mut file = tempfile::tempfile().unwrap();
        let tail = Tail::new(file.try_clone().unwrap());
        let runtime = Builder::new_current_thread().build().unwrap();
        for call in 0..2 {
            let _not_waited_for = tail.append(&line(call)).unwrap();
        }
        let last = tail.append(&line(2)).unwrap();
        runtime.block_on(tail.synced(last)).unwrap();
        assert_eq!(calls(&mut file), [0, 1, 2]);
        let counted = tail.lines().calls;
        assert_eq!(counted, (1, 1));
    }

    #[test]
    fn after_a_line_that_could_not_be_written_nothing_is_appended_and_nobody_is_told_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "").unwrap();
        let tail = Tail::new(File::open(&path).unwrap());
        let runtime = Builder::new_current_thread().build().unwrap();
        let lines = [tail.append(&line(0)).unwrap(), tail.append(&line(1)).unwrap()];
        for line in lines {
            assert!(runtime.block_on(tail.synced(line)).is_err());
        }
        assert!(tail.append(&line(2)).is_err() && tail.sync().is_err());
        assert!(runtime.block_on(tail.written()).is_err());
    }

    #[test]
    fn what_was_appended_is_written_at_the_end_though_nobody_comes_to_write_it() {
        let mut file = tempfile::tempfile().unwrap();
        let tail = Tail::new(file.try_clone().unwrap());
        let appended = tail.append(&line(0)).unwrap();
        // It waits for a thread, and is given up before that comes to work or while it does.
        let runtime = Builder::new_current_thread().build().unwrap();
        let waiting = Arc::clone(&tail);
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            tasks.spawn(async move { waiting.synced(appended).await });
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        drop(runtime);
        tail.sync().unwrap();
        assert_eq!(calls(&mut file), [0]);
    }
}
