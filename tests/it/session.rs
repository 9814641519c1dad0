//! The real binary in a real pseudo-terminal: keys go in, and an emulator keeps the screen.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longest wait for anything; reached only when a test fails, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How the terminal reads where it is neither slow nor stopped, and once it is closed.
const AT_ONCE: u64 = u64::MAX;
const CLOSED: u64 = u64::MAX - 1;

/// How often a slow one reads in a second.
const TICKS: u64 = 10;

pub(crate) struct Session {
    pub(crate) master: Box<dyn MasterPty + Send>,
    pub(crate) child: Box<dyn Child + Send + Sync>,
    pub(crate) keys: Box<dyn Write + Send>,
    pub(crate) output: Receiver<Vec<u8>>,
    pub(crate) screen: vt100::Parser,
    /// Everything that came, as text.
    pub(crate) written: String,
    pub(crate) modes_before: String,
    /// The terminal answers when it is asked for its status.
    pub(crate) answers: bool,
    /// Bytes a second that the terminal reads; see [`reads_slowly`](Self::reads_slowly).
    pace: Arc<AtomicU64>,
    /// Bytes of `written` in which every question has been seen.
    asked: usize,
    /// Questions for its status that it has not answered.
    pub(crate) owed: usize,
}

impl Session {
    pub(crate) fn start(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_callsweep"));
        Self::start_program(program, home, arguments, environment)
    }

    pub(crate) fn start_program(
        program: &Path,
        home: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in environment {
            command.env(name, value);
        }
        let modes_before = modes(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = mpsc::channel();
        let pace = Arc::new(AtomicU64::new(AT_ONCE));
        let line = Arc::clone(&pace);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let most = match line.load(Ordering::Relaxed) {
                    AT_ONCE => buffer.len(),
                    CLOSED => return,
                    rate => {
                        std::thread::sleep(Duration::from_secs(1) / u32::try_from(TICKS).unwrap());
                        usize::try_from(rate / TICKS).unwrap()
                    }
                };
                if most == 0 {
                    continue;
                }
                match reader.read(&mut buffer[..most]) {
                    Ok(count @ 1..) if sender.send(buffer[..count].to_vec()).is_ok() => {}
                    _ => return,
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        // The slave stays open in `pair` until here, so that its modes can be read afterwards.
        let master = pair.master;
        let screen = vt100::Parser::new(cells(24), cells(80), 0);
        let (written, answers, asked, owed) = (String::new(), true, 0, 0);
        Self {
            master,
            child,
            keys,
            output,
            screen,
            written,
            modes_before,
            answers,
            pace,
            asked,
            owed,
        }
    }

    /// From now on the terminal reads so many bytes a second, a tenth of it at a time; none where
    /// that is 0. One read that waits already is not slowed down.
    pub(crate) fn reads_slowly(&self, bytes: u64) {
        self.pace.store(bytes, Ordering::Relaxed);
    }

    /// Closes a terminal that had stopped reading.
    pub(crate) fn hangs_up(&mut self) {
        self.pace.store(CLOSED, Ordering::Relaxed);
        // Until the thread that reads has let go of it.
        while self.output.recv_timeout(PATIENCE).is_ok() {}
        self.keys = Box::new(std::io::sink());
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        self.master = native_pty_system().openpty(size).unwrap().master;
    }

    /// Sends bytes that need not be text.
    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        self.keys.write_all(bytes).unwrap();
        self.keys.flush().unwrap();
    }

    /// Takes in all that comes in this time; the program lives on.
    pub(crate) fn reads_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(mpsc::RecvTimeoutError::Timeout) => return,
                Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{}", self.contents()),
            }
        }
    }

    /// Takes in what comes until a program that is held up, too, has noticed that nothing was typed
    /// for so long.
    pub(crate) fn rests(&mut self, time: Duration) {
        let watch = Watch::starts();
        while watch.since.elapsed() < watch.stretched(time) {
            self.reads_for(Duration::from_millis(10));
        }
    }

    /// An Esc, and nothing behind it that would make another key of it.
    pub(crate) fn escapes(&mut self) {
        self.press("\x1b");
        self.rests(Duration::from_millis(100));
    }

    pub(crate) fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Reads until the screen holds the text.
    pub(crate) fn sees(&mut self, text: &str) {
        self.sees_within(PATIENCE, text);
    }

    /// The same of what takes longer where the machine is busy.
    pub(crate) fn sees_within(&mut self, time: Duration, text: &str) {
        let until = Instant::now() + time;
        while !self.screen.screen().contents().contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("{text:?} never came:\n{}", self.screen.screen().contents()),
            }
        }
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.written.push_str(&String::from_utf8_lossy(bytes));
        self.answer();
    }

    /// Answers every question for its status that was written since the last time.
    fn answer(&mut self) {
        const QUESTION: &str = "\x1b[5n";
        let rest = self.written.get(self.asked..).unwrap_or_default();
        let Some(last) = rest.rfind(QUESTION) else { return };
        self.owed += rest.matches(QUESTION).count();
        self.asked += last + QUESTION.len();
        if self.answers {
            self.answers_what_it_owes();
        }
    }

    /// Answers the oldest question that has no answer yet.
    pub(crate) fn answers_one(&mut self) {
        self.owed -= 1;
        // A program that has just left reads no answer.
        let _ = self.keys.write_all(b"\x1b[0n");
    }

    /// Answers every question that has no answer yet.
    pub(crate) fn answers_what_it_owes(&mut self) {
        while self.owed > 0 {
            self.answers_one();
        }
    }

    /// Says yes once the question can be answered.
    pub(crate) fn says_yes(&mut self) {
        self.sees("n cancels.");
        self.press("y");
    }

    /// The same where the number of events has to be typed.
    pub(crate) fn types_and_says_yes(&mut self, count: &str) {
        self.sees(&format!("Type {count}, then press y"));
        self.press(count);
        self.says_yes();
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.screen.screen_mut().set_size(cells(rows), cells(cols));
    }

    /// Waits for the end, takes in the last output and returns the exit code.
    pub(crate) fn ends(&mut self) -> u32 {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "it does not end:\n{}", self.contents());
            match self.output.recv_timeout(Duration::from_millis(20)) {
                Ok(bytes) => self.take(&bytes),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    std::thread::park_timeout(Duration::from_millis(1));
                }
            }
        };
        // All that there is, unless somebody else still holds the terminal or it reads slowly.
        let is_slow = self.pace.load(Ordering::Relaxed) != AT_ONCE;
        let rest = Duration::from_millis(if is_slow { 50 } else { 1_000 });
        while let Ok(bytes) = self.output.recv_timeout(rest) {
            self.take(&bytes);
        }
        status.exit_code()
    }

    pub(crate) fn has_its_terminal_back(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is stuck");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is on");
        assert_eq!(modes(&*self.master), self.modes_before);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Ends a program that a failing test left behind; one that has ended is left alone.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
        }
    }
}

pub(crate) fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

/// Waits until something is so; between two looks others have the machine.
pub(crate) fn until(is_so: impl Fn() -> bool, otherwise: &str) {
    let give_up = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < give_up, "{otherwise}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Takes the time of what is to be done within a moment. A machine that has other work may be late by
/// as long as work waited for it meanwhile, and by four times the moment at most.
pub(crate) struct Watch {
    since: Instant,
    held_up: Option<Duration>,
}

impl Watch {
    pub(crate) fn starts() -> Self {
        Self { since: Instant::now(), held_up: held_up() }
    }

    /// Fails where more than this moment has passed.
    pub(crate) fn is_within(&self, moment: Duration, what: impl std::fmt::Debug) {
        let (took, most) = (self.since.elapsed(), self.stretched(moment));
        assert!(took < most, "{what:?} took {took:?}, and {most:?} is the most");
    }

    /// Lets this moment pass since it was started.
    pub(crate) fn passes(&self, moment: Duration) {
        while self.since.elapsed() < self.stretched(moment) {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    fn stretched(&self, moment: Duration) -> Duration {
        let most = moment * 4;
        let late = held_up().zip(self.held_up).map(|(now, then)| now.saturating_sub(then));
        moment + late.map_or(most, |late| late.min(most))
    }
}

/// How long work has waited for a core or a disk since the machine started, where that is told.
fn held_up() -> Option<Duration> {
    let of = |what: &str| -> Option<u64> {
        let told = std::fs::read_to_string(Path::new("/proc/pressure").join(what)).ok()?;
        told.lines().next()?.rsplit_once("total=")?.1.parse().ok()
    };
    Some(Duration::from_micros(of("cpu")? + of("io")?))
}

/// How long this thread has worked, which does not depend on how busy the machine is.
pub(crate) fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap()
}

/// The terminal's attributes, as text to compare.
pub(crate) fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

/// A configuration of one profile, its token in the variable `T`.
pub(crate) fn configuration(home: &Path, url: &str) -> String {
    let file = home.join("config.toml");
    let text =
        format!("[profiles.acme]\nurl = \"{url}\"\n[profiles.acme.auth]\ntoken_env = \"T\"\n");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}
