//! The real binary in a pseudo-terminal that answers at once, and when each of its bytes came.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ends a picture.
const END: &[u8] = b"\x1b[?2026l";
const ASK: &[u8] = b"\x1b[5n";

/// A program on a terminal of 120x40.
pub(crate) struct Session {
    _master: Box<dyn MasterPty + Send>,
    pub(crate) child: Box<dyn Child + Send + Sync>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    output: Receiver<(Instant, Vec<u8>)>,
    screen: vt100::Parser,
    /// Bytes and pictures so far.
    pub(crate) bytes: usize,
    pub(crate) pictures: usize,
    /// When the newest byte came.
    last: Instant,
    /// What came of the next picture.
    next: Vec<u8>,
}

impl Session {
    pub(crate) fn start(arguments: &[&str], home: &Path, environment: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        // Another build may be measured with the same figures.
        let other = std::env::var("CALLSWEEP_MEASURED").ok();
        let program = other.unwrap_or_else(|| env!("CARGO_BIN_EXE_callsweep").to_owned());
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let keys = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let output = listen(pair.master.try_clone_reader().unwrap(), Arc::clone(&keys));
        let cells = |count| NonZero::new(count).unwrap();
        let screen = vt100::Parser::new(cells(40), cells(120), 0);
        let (bytes, pictures, last, next) = (0, 0, Instant::now(), Vec::new());
        Self { _master: pair.master, child, keys, output, screen, bytes, pictures, last, next }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        let mut writer = self.keys.lock().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub(crate) fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Takes in what comes next; false where nothing does in this time.
    pub(crate) fn next(&mut self, time: Duration) -> bool {
        let (at, bytes) = match self.output.recv_timeout(time) {
            Ok(next) => next,
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => panic!("it ended:\n{}", self.contents()),
        };
        self.last = at;
        self.bytes += bytes.len();
        self.next.extend(bytes);
        // Half a picture has its cursor anywhere.
        while let Some(at) = self.next.windows(END.len()).position(|window| window == END) {
            let picture: Vec<u8> = self.next.drain(..at + END.len()).collect();
            self.screen.process(&picture);
            self.pictures += 1;
        }
        true
    }

    /// Takes in everything until nothing comes for this time.
    pub(crate) fn rests(&mut self, time: Duration) {
        let until = Instant::now() + PATIENCE;
        while self.next(time) {
            assert!(Instant::now() < until, "it never rests:\n{}", self.contents());
        }
    }

    /// Takes in what comes in this time.
    pub(crate) fn takes_in(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while self.next(until.saturating_duration_since(Instant::now())) {}
    }

    /// Takes in what comes until the screen is so; how long that took from `since`.
    pub(crate) fn until(
        &mut self,
        since: Instant,
        is_so: impl Fn(&vt100::Screen) -> bool,
    ) -> Duration {
        let until = Instant::now() + PATIENCE;
        while !is_so(self.screen.screen()) {
            let more = self.next(until.saturating_duration_since(Instant::now()));
            assert!(more, "it never came:\n{}", self.contents());
        }
        self.last.saturating_duration_since(since)
    }

    /// Takes in what comes until the screen holds the text.
    pub(crate) fn sees(&mut self, text: &str) {
        self.until(Instant::now(), |screen| screen.contents().contains(text));
    }

    /// Presses a key that moves the cursor, and says how long that took to its last byte, and how
    /// many bytes came meanwhile.
    pub(crate) fn step(&mut self, key: &str) -> (Duration, usize) {
        while self.next(Duration::ZERO) {}
        let (before, bytes) = (self.screen.screen().cursor_position(), self.bytes);
        let since = Instant::now();
        self.press(key);
        let took = self.until(since, |screen| screen.cursor_position() != before);
        (took, self.bytes - bytes)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads on a thread of its own, and answers every request for the terminal's status.
fn listen(
    mut reader: Box<dyn Read + Send>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
) -> Receiver<(Instant, Vec<u8>)> {
    let (sender, output) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        let mut tail: Vec<u8> = Vec::new();
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            let at = Instant::now();
            let bytes = buffer[..count].to_vec();
            tail.extend(&bytes);
            let asked = tail.windows(ASK.len()).filter(|window| *window == ASK).count();
            let kept = tail.len().min(ASK.len() - 1);
            tail.drain(..tail.len() - kept);
            if asked > 0 {
                let _ = keys.lock().unwrap().write_all("\x1b[0n".repeat(asked).as_bytes());
            }
            if sender.send((at, bytes)).is_err() {
                return;
            }
        }
    });
    output
}
