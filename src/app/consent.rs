//! Consent: a yes counts only for a question that the terminal has shown, all of its warnings
//! included, and after a moment in which nothing arrived from the terminal.
//!
//! Nothing is carried out without a [`Yes`], and only [`Consent::yes`] makes one.

use std::time::Duration;

/// A wake-up later than this tells that the program stood still: what was typed meanwhile was not
/// typed at what it shows.
const LATE: Duration = Duration::from_millis(150);

/// Names a picture of a question, whatever else changes on the screen around it. No two questions,
/// and no two states of one, share a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureId(u64);

/// Proof that the question as it stands has been shown and could be read.
#[derive(Debug)]
pub(super) struct Yes(());

/// Why a yes does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// The terminal has not confirmed that it shows the question.
    NotShown,
    /// Some warnings have not been on the screen yet.
    MoreWarnings,
    /// The question was shown, or something was typed, a moment ago.
    TooSoon,
}

/// Everything that a yes would mean. Where any of it changes, the question is a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Substance {
    /// Which question it is, counted over the whole session.
    pub(super) question: u64,
    /// Which of the question's plans would be carried out; one that sends the same is no other.
    pub(super) plan: u64,
    pub(super) warnings: Vec<String>,
    /// Counts the times that the whole screen had to be painted anew.
    pub(super) repaints: u64,
}

/// The lines of warnings that are in sight: those up to `pinned`, and those of `range`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sight {
    pub(super) pinned: usize,
    pub(super) range: std::ops::Range<usize>,
    /// How many there are.
    pub(super) all: usize,
}

/// What the terminal has shown of the question that is open, and since when nothing arrived.
#[derive(Debug)]
pub(super) struct Consent {
    /// How long nothing may arrive before a question is readable.
    quiet: Duration,
    pictures: u64,
    asked: Option<Asked>,
    /// When something last arrived from the terminal.
    arrived: Duration,
    /// The end of the wait that was asked for.
    awaited: Option<Duration>,
}

#[derive(Debug)]
struct Asked {
    substance: Substance,
    sight: Sight,
    picture: PictureId,
    /// Lines of warnings that have been in sight, from the first on.
    seen: usize,
    shown: Option<Duration>,
    readable: bool,
}

impl Consent {
    pub(super) fn new(quiet: Duration) -> Self {
        Self { quiet, pictures: 0, asked: None, arrived: Duration::ZERO, awaited: None }
    }

    /// The name of the picture that has to be shown next, while a question is open.
    pub(super) fn picture(&self) -> Option<PictureId> {
        self.asked.as_ref().map(|asked| asked.picture)
    }

    /// Something arrived from the terminal: a key, a paste, or what is neither.
    pub(super) fn arrived(&mut self, now: Duration) {
        self.arrived = now;
    }

    /// The terminal shows this picture.
    pub(super) fn shown(&mut self, picture: PictureId, now: Duration) {
        let Some(asked) = self.asked.as_mut().filter(|asked| asked.picture == picture) else {
            return;
        };
        asked.seen = asked.sight.seen_after(asked.seen);
        if asked.seen >= asked.sight.all {
            asked.shown.get_or_insert(now);
        }
    }

    /// A wait has ended. One that ended too late proves nothing about what was typed in it.
    pub(super) fn woke(&mut self, now: Duration) {
        if self.awaited.is_some_and(|until| now >= until) {
            self.awaited = None;
        }
        let due = self.due();
        let Some((asked, due)) = self.asked.as_mut().zip(due).filter(|(_, due)| now >= *due) else {
            return;
        };
        if now > due + LATE {
            self.arrived = now;
        } else {
            asked.readable = true;
        }
    }

    /// When the question becomes readable, where only time is missing.
    fn due(&self) -> Option<Duration> {
        let asked = self.asked.as_ref().filter(|asked| !asked.readable)?;
        Some(asked.shown?.max(self.arrived) + self.quiet)
    }

    /// Takes in the question that is open now, and says how long to wait until it may be readable.
    /// Returns true beside it where the question became another one.
    pub(super) fn follow(
        &mut self,
        question: Option<(Substance, Sight)>,
        now: Duration,
    ) -> (bool, Option<Duration>) {
        let Some((substance, sight)) = question else {
            self.asked = None;
            return (false, None);
        };
        let same = self.asked.as_ref().filter(|asked| asked.substance == substance);
        let is_new = same.is_none();
        let seen = same.map_or(0, |asked| asked.seen);
        let scrolled = same.is_some_and(|asked| asked.sight != sight && seen < sight.all);
        if is_new || scrolled {
            self.pictures += 1;
            let picture = PictureId(self.pictures);
            let (shown, readable) = (None, false);
            self.asked = Some(Asked { substance, sight, picture, seen, shown, readable });
        }
        let wait = self.due().filter(|_| self.awaited.is_none()).map(|due| {
            // Never no time: a wait comes back as a message.
            let rest = due.saturating_sub(now).max(Duration::from_millis(1));
            self.awaited = Some(now + rest);
            rest
        });
        (is_new, wait)
    }

    /// Why a yes would not count now.
    pub(super) fn unread(&self) -> Option<Unread> {
        match &self.asked {
            Some(asked) if asked.readable => None,
            Some(asked) if asked.shown.is_some() => Some(Unread::TooSoon),
            Some(asked) if asked.seen > 0 && asked.seen < asked.sight.all => {
                Some(Unread::MoreWarnings)
            }
            Some(_) | None => Some(Unread::NotShown),
        }
    }

    /// Whether a question is still the one that was shown.
    pub(super) fn is_about(&self, substance: &Substance) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.substance == *substance)
    }

    /// A yes to the question that is open.
    ///
    /// # Errors
    /// Why it does not count.
    pub(super) fn yes(&self) -> Result<Yes, Unread> {
        self.unread().map_or(Ok(Yes(())), Err)
    }
}

impl Sight {
    /// Lines seen from the first on, given those seen before: one that was jumped over is not.
    fn seen_after(&self, before: usize) -> usize {
        let seen = before.max(self.pinned);
        if self.range.start <= seen { seen.max(self.range.end) } else { seen }
    }
}

/// Two names that differ, for tests of what carries them.
#[cfg(test)]
pub(crate) fn picture_ids() -> [PictureId; 2] {
    [PictureId(1), PictureId(2)]
}
