//! Which profile is meant, asked before the screen: a list, and keys alone. What was typed before the
//! list was in sight chooses nothing.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use super::inbox::now;
use super::input::frames::{Frames, Heard};
use super::signals::{ENDING, HUNG_UP};
use super::{guard, input, outlet};

/// How long a terminal may take to show the list, where it does not say that it does.
const UNSAID: Duration = Duration::from_millis(1500);
/// How long it may take to read it.
const LIMIT: Duration = Duration::from_secs(5);
/// Rows that the list leaves to its title.
const TITLE: usize = 2;

/// What came of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// This profile.
    Profile(String),
    /// The operator left.
    Nothing,
    /// A signal of this number ended it, or its terminal hung up.
    Signalled(u8),
}

/// The list as it stands.
struct List<'a> {
    /// Name and host.
    profiles: &'a [(String, String)],
    at: usize,
    /// From when on Enter chooses.
    readable: Readable,
    early: bool,
}

/// Whether the list is in sight and nothing typed before is still to come.
struct Readable {
    quiet: Duration,
    drawn: Instant,
    answered: bool,
    last: Instant,
    yes: bool,
}

/// Asks which of these profiles, name and host, is meant. For so long nothing may arrive before Enter
/// counts.
///
/// # Errors
/// When the terminal cannot be used.
pub fn choose(profiles: &[(String, String)], quiet: Duration) -> Result<Chosen> {
    let (woken, wakes) = UnixStream::pair()?;
    let watched = ENDING.into_iter().chain([signal_hook::consts::SIGWINCH]);
    let signals = SignalDelivery::with_pipe(woken, wakes, SignalOnly, watched);
    let mut signals = signals.wrap_err("signals cannot be watched")?;
    let terminal = input::terminal().wrap_err("the terminal cannot be read")?;
    let guard = guard::take().wrap_err("the terminal cannot be used")?;
    let readable = Readable { quiet, drawn: now(), answered: false, last: now(), yes: false };
    let list = List { profiles, at: 0, readable, early: false };
    let chosen = list.ask(&terminal, &mut signals);
    drop(guard);
    // A terminal that is gone ends it as a hang-up does.
    Ok(chosen.unwrap_or(Chosen::Signalled(HUNG_UP)))
}

impl List<'_> {
    /// The loop: a picture, then whatever comes first.
    fn ask(
        mut self,
        terminal: &OwnedFd,
        signals: &mut SignalDelivery<UnixStream, SignalOnly>,
    ) -> io::Result<Chosen> {
        let (mut frames, mut bytes) = (Frames::new(), vec![0; 4096]);
        // Asked behind the picture, the terminal answers once it shows it.
        outlet::write_within(format!("{}\x1b[5n", self.picture()?).as_bytes(), LIMIT)?;
        loop {
            let patience =
                [frames.patience(), self.readable.patience()].into_iter().flatten().min();
            let typed = first_of(terminal, signals.get_read(), patience)?;
            let caught = signals.pending().find(|signal| ENDING.contains(signal));
            if let Some(signal) = caught {
                return Ok(Chosen::Signalled(u8::try_from(signal).unwrap_or(HUNG_UP)));
            }
            self.readable.look();
            let heard = if typed {
                let count = rustix::io::read(terminal, &mut *bytes)?;
                if count == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                bytes.get(..count).map(|bytes| frames.take(bytes)).unwrap_or_default()
            } else {
                frames.rest()
            };
            for heard in heard {
                if let Some(chosen) = self.hear(&heard) {
                    return Ok(chosen);
                }
            }
            outlet::write_within(self.picture()?.as_bytes(), LIMIT)?;
        }
    }

    fn hear(&mut self, heard: &Heard) -> Option<Chosen> {
        let last = self.profiles.len().saturating_sub(1);
        let Heard::Key(key) = heard else {
            self.readable.answered |= matches!(heard, Heard::Answer);
            return None;
        };
        self.readable.last = now();
        self.early = false;
        match key.to_string().as_str() {
            "q" | "Esc" | "ctrl-c" => return Some(Chosen::Nothing),
            "Enter" if self.readable.yes => {
                return self.profiles.get(self.at).map(|(name, _)| Chosen::Profile(name.clone()));
            }
            "Enter" => self.early = true,
            "j" | "↓" => self.at = last.min(self.at + 1),
            "k" | "↑" => self.at = self.at.saturating_sub(1),
            "g" | "Home" => self.at = 0,
            "G" | "End" => self.at = last,
            _ => {}
        }
        None
    }

    /// The rows around the cursor, as many as there is room for, with the terminal's own on its row.
    fn picture(&self) -> io::Result<String> {
        let (columns, rows) = crossterm::terminal::size()?;
        let room = usize::from(rows).saturating_sub(TITLE).max(1);
        let first = (self.at + 1).saturating_sub(room);
        let widest = self.profiles.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let title = if self.early {
            "Enter counts now that the list is in sight: press it again"
        } else {
            "Which profile?   j k move   Enter choose   q leave"
        };
        let mut lines = vec![title.to_owned(), String::new()];
        for (place, (name, host)) in self.profiles.iter().enumerate().skip(first).take(room) {
            let mark = if place == self.at { '>' } else { ' ' };
            lines.push(format!("{mark} {name:widest$}  {host}"));
        }
        let fits = |line: &String| line.chars().take(usize::from(columns)).collect::<String>();
        let lines: Vec<String> = lines.iter().map(fits).collect();
        let row = TITLE + self.at - first + 1;
        Ok(format!("\x1b[H\x1b[2J{}\x1b[{row};1H\x1b[?25h", lines.join("\r\n")))
    }
}

impl Readable {
    fn from(&self) -> Instant {
        let shown = if self.answered { self.drawn } else { self.drawn + UNSAID };
        shown.max(self.last + self.quiet)
    }

    /// How long until Enter counts; none once it does.
    fn patience(&self) -> Option<Duration> {
        (!self.yes).then(|| self.from().saturating_duration_since(now()))
    }

    fn look(&mut self) {
        self.yes |= now() >= self.from();
    }
}

/// Waits for a key, a signal, or so long; whether there is something to read.
fn first_of(
    terminal: &OwnedFd,
    signals: &UnixStream,
    patience: Option<Duration>,
) -> io::Result<bool> {
    let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
    let mut watched = [
        PollFd::new(terminal, PollFlags::IN),
        PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
    ];
    match poll(&mut watched, patience.as_ref()) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let [keys, _] = watched;
    if keys.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(keys.revents().contains(PollFlags::IN))
}
