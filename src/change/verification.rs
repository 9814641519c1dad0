//! What a listing after the run says of it: the service's list has the last word.

use super::listed::Listed;
use super::wide::Unlisted;
use crate::domain::{Cause, EventKey, Failure, Outcome, PhoneCallEvent, Success};

/// What listing again said of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// Every extension touched was listed whole after its last write, and agrees.
    Agrees,
    /// Every touched extension was listed whole, and a list contradicts an answer.
    Differs,
    /// Only some of the extensions touched could be checked.
    InPart,
    /// No touched extension could be checked.
    NotChecked,
    /// No call was sent, so there is nothing to check.
    #[default]
    NothingSent,
}

impl Check {
    /// Each with its name in machine output.
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Agrees, "agrees"),
        (Self::Differs, "differs"),
        (Self::InPart, "in_part"),
        (Self::NotChecked, "not_checked"),
        (Self::NothingSent, "nothing_sent"),
    ];

    /// Its name in machine output and in run files.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(check, _)| *check == self).map_or("", |(_, name)| name)
    }

    /// Reads a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(check, _)| *check)
    }

    /// What an operator is told.
    pub fn words(self) -> &'static str {
        match self {
            Self::Agrees => "checked with the service",
            Self::Differs => "checked: the list differs from the answers",
            Self::InPart => "checked in part",
            Self::NotChecked => "not checked",
            Self::NothingSent => "nothing was sent",
        }
    }

    /// What an operator is told where room is short.
    pub fn in_short(self) -> &'static str {
        match self {
            Self::Agrees => "checked",
            Self::Differs => "checked: differs",
            Self::InPart | Self::NotChecked | Self::NothingSent => self.words(),
        }
    }

    /// Whether every extension touched was listed whole after its last write.
    pub fn is_whole(self) -> bool {
        match self {
            Self::Agrees | Self::Differs => true,
            Self::InPart | Self::NotChecked | Self::NothingSent => false,
        }
    }

    /// Whether nothing is left in doubt by it.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Agrees | Self::NothingSent)
    }
}

/// What a listing says against the outcomes so far, which is not believed before a second listing
/// says the same, and what it adds to them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Findings {
    /// What it adds to an answer without a word against it.
    pub(super) added: Vec<(usize, Outcome)>,
    /// The outcomes that it corrects.
    pub(super) corrected: Vec<(usize, Outcome)>,
    /// What a wide call took beside the plan.
    pub(super) surplus: Vec<EventKey>,
    /// What is gone though this run sent nothing that could have taken it.
    pub(super) strange: Vec<EventKey>,
    /// What was there beside the plan and has other values now, whoever gave it those.
    pub(super) edited: Vec<EventKey>,
    /// What is there and was not before, and stands for nothing that was to be made.
    pub(super) more: Vec<EventKey>,
    /// What an answer named beside the plan and is listed all the same.
    pub(super) still_there: Vec<Unlisted>,
    /// A clear answer said otherwise.
    pub(super) differs: bool,
    /// It shows an event whose call was refused in a way that proves little: a list that lags would
    /// show it too.
    pub(super) unsure: bool,
}

impl Findings {
    /// Takes what a list says of an event that was made or changed: as long as it is there, in whatever
    /// words, that adds to a success and says nothing against it.
    pub(super) fn take(&mut self, place: usize, so_far: &Outcome, better: Outcome) {
        if *so_far == better {
            return;
        }
        let is_done = |it: &Outcome| !it.is_open() && !it.is_gone();
        if is_done(so_far) && so_far.altered().is_none() && is_done(&better) {
            self.added.push((place, better));
        } else {
            self.differs |= is_answered(so_far);
            self.corrected.push((place, better));
        }
    }

    /// Whether it agrees with everything that is known.
    pub(super) fn is_clean(&self) -> bool {
        // What others do meanwhile is told, and says nothing against the answers.
        let Self {
            added: _,
            edited: _,
            more: _,
            corrected,
            surplus,
            strange,
            still_there,
            differs,
            unsure,
        } = self;
        still_there.is_empty()
            && corrected.is_empty()
            && surplus.is_empty()
            && strange.is_empty()
            && !differs
            && !unsure
    }

    /// Whether something is missing that this run cannot have taken.
    pub(super) fn is_strange(&self) -> bool {
        !self.strange.is_empty()
            || self.corrected.iter().any(|(_, outcome)| *outcome == Outcome::AlreadyGone)
    }
}

/// The outcome that a listing supports, where it is another than the one so far. That an event is
/// not listed counts only where the listing is complete.
pub(super) fn settled_by_listing(
    key: &EventKey,
    so_far: &Outcome,
    now: &Listed<'_>,
) -> Option<Outcome> {
    let listed = now.lists(key);
    let missing = !listed && now.all().is_complete();
    match so_far {
        Outcome::Done(Success::Deleted, _) if listed => {
            let reported = Failure::new(Cause::Unreadable, "the service reported it deleted");
            Some(Outcome::Refused(reported.saying(LISTED).into()))
        }
        Outcome::AlreadyGone if listed => {
            Some(Outcome::Refused(Failure::no_event().saying(LISTED).into()))
        }
        Outcome::Unknown(failure) if listed => {
            Some(Outcome::Refused(failure.saying(LISTED).into()))
        }
        Outcome::Unknown(_) if missing => Some(Outcome::DELETED),
        Outcome::Refused(failure) if missing => {
            Some(Outcome::Unknown(failure.saying("refused, yet gone").into()))
        }
        Outcome::NotSent(_) if missing => Some(Outcome::AlreadyGone),
        Outcome::Done(..)
        | Outcome::AlreadyGone
        | Outcome::Refused(_)
        | Outcome::NotSent(_)
        | Outcome::Unknown(_)
        | Outcome::Altered { .. } => None,
    }
}

/// Whether a clear answer gave this outcome.
pub(super) fn is_answered(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::NotSent(_) | Outcome::Unknown(_))
}

/// Of what was there beside the plan: what, as a complete listing shows, is not any more, and what has
/// other values now.
pub(super) fn beside<'a>(
    bystanders: impl IntoIterator<Item = &'a PhoneCallEvent>,
    now: &Listed<'_>,
) -> (Vec<EventKey>, Vec<EventKey>) {
    let (mut gone, mut edited) = (Vec::new(), Vec::new());
    for event in bystanders {
        match now.row(&event.key) {
            Some(row) if event.differing(&row.to_event()).is_empty() => {}
            Some(_) => edited.push(event.key.clone()),
            None if now.all().is_complete() => gone.push(event.key.clone()),
            None => {}
        }
    }
    (gone, edited)
}

const LISTED: &str = "it is still listed";
