//! What became of an event. The word for it, and what follows from it, are said here and nowhere else.

use super::{Failure, Foreign};

/// What a call does to an event that is there, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The event is gone by it.
    Takes,
    /// The event has other fields by it.
    Changes,
    /// The event is there again, or as it was.
    GivesBack,
}

/// The ways in which what was asked for came to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// The service confirmed that the event is deleted.
    Deleted,
    /// Its fields are as they were to be.
    Changed,
    /// The event was re-created, or got its old values back.
    Restored,
}

impl Success {
    /// Each with its name and with what it does, in the order in which they are told.
    const ROWS: [(Self, &'static str, Work); 3] = [
        (Self::Deleted, "deleted", Work::Takes),
        (Self::Changed, "changed", Work::Changes),
        (Self::Restored, "restored", Work::GivesBack),
    ];

    /// The word for it, everywhere.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |(_, name, _)| name)
    }

    /// Whether it did this.
    pub fn is(self, work: Work) -> bool {
        self.row().is_some_and(|(.., does)| *does == work)
    }

    fn row(self) -> Option<&'static (Self, &'static str, Work)> {
        Self::ROWS.iter().find(|(success, ..)| *success == self)
    }
}

/// The outcomes by their words alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// What was asked for is done.
    Done(Success),
    /// It is done, and some field is not as it should be.
    Altered,
    /// The event was no longer there.
    AlreadyGone,
    /// The service said no.
    Refused,
    /// No call went out.
    NotSent,
    /// Only a new list can tell.
    Unknown,
}

impl Word {
    const OTHERS: [Self; 5] =
        [Self::Altered, Self::AlreadyGone, Self::Refused, Self::NotSent, Self::Unknown];
    /// How many there are.
    pub const COUNT: usize = Success::ROWS.len() + Self::OTHERS.len();

    /// All of them in the order in which they are told, what was done first.
    pub fn all() -> impl Iterator<Item = Self> {
        let done = Success::ROWS.iter().map(|(success, ..)| Self::Done(*success));
        done.chain(Self::OTHERS)
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done(success) => success.name(),
            Self::Altered => "altered",
            Self::AlreadyGone => "already gone",
            Self::Refused => "refused",
            Self::NotSent => "not sent",
            Self::Unknown => "unknown",
        }
    }

    /// In files and in machine output.
    pub fn written(self) -> String {
        self.name().replace(' ', "_")
    }

    /// Reads what files have.
    pub fn read(written: &str) -> Option<Self> {
        // There are many of them in a file.
        let joined = |letter: char| if letter == ' ' { '_' } else { letter };
        Self::all().find(|word| word.name().chars().map(joined).eq(written.chars()))
    }
}

impl From<Success> for Word {
    fn from(success: Success) -> Self {
        Self::Done(success)
    }
}

/// What became of one planned event: exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked for; with the id that the event has now, where that is known and another one.
    Done(Success, Option<Foreign>),
    /// The event was no longer there.
    AlreadyGone,
    /// The service said no.
    Refused(Box<Failure>),
    /// No request that could have removed it left this program.
    NotSent(Box<Failure>),
    /// Not known until the extension is listed again.
    Unknown(Box<Failure>),
    /// The event was re-created or changed, and some field is not as it should be.
    Altered {
        /// Its new id; none where it kept its own.
        id: Option<Foreign>,
        /// The names of the fields that differ, of an event.
        fields: Vec<&'static str>,
    },
}

impl Outcome {
    /// The event is deleted.
    pub const DELETED: Self = Self::Done(Success::Deleted, None);

    /// The word for it.
    pub fn word(&self) -> Word {
        match self {
            Self::Done(success, _) => Word::Done(*success),
            Self::AlreadyGone => Word::AlreadyGone,
            Self::Refused(_) => Word::Refused,
            Self::NotSent(_) => Word::NotSent,
            Self::Unknown(_) => Word::Unknown,
            Self::Altered { .. } => Word::Altered,
        }
    }

    /// The word for it, for people.
    pub fn name(&self) -> &'static str {
        self.word().name()
    }

    /// Whether what was asked for came to pass by a call that did this.
    pub fn is_done_by(&self, work: Work) -> bool {
        matches!(self, Self::Done(success, _) if success.is(work))
    }

    /// Whether the event is gone from the service.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::AlreadyGone) || self.is_done_by(Work::Takes)
    }

    /// Whether a call took the event, or may have, for all that is known.
    pub fn may_have_taken(&self) -> bool {
        matches!(self, Self::Unknown(_)) || self.is_done_by(Work::Takes)
    }

    /// Whether it may still be done: not sent, refused or unknown.
    pub fn is_open(&self) -> bool {
        self.failure().is_some()
    }

    /// Whether nothing of it needs a look: all is as it was to be.
    pub fn is_well(&self) -> bool {
        !self.is_open() && self.altered().is_none()
    }

    /// The id that an event was given when it was made again or changed, where it is known and another
    /// one.
    pub fn new_id(&self) -> Option<&Foreign> {
        match self {
            Self::Done(_, id) | Self::Altered { id, .. } => id.as_ref(),
            Self::AlreadyGone | Self::Refused(_) | Self::NotSent(_) | Self::Unknown(_) => None,
        }
    }

    /// The fields that are listed otherwise than they were sent.
    pub fn altered(&self) -> Option<&[&'static str]> {
        if let Self::Altered { fields, .. } = self { Some(fields) } else { None }
    }

    /// The failure behind it, where there is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Done(..) | Self::AlreadyGone | Self::Altered { .. } => None,
            Self::Refused(failure) | Self::NotSent(failure) | Self::Unknown(failure) => {
                Some(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_takes_no_room_for_a_failure_that_few_events_have() {
        assert!(size_of::<Option<Outcome>>() <= 56, "{}", size_of::<Option<Outcome>>());
    }
}
