//! What a run learns of wide calls: a call for a type may take every type, and an answer that names
//! no id leaves open what a call took.

use super::listed::Listed;
use crate::domain::{
    CallForm, EventKey, ExtensionNumber, Failure, Foreign, Listing, Outcome, Success,
};

/// What is to be said after a wide call whose answer named no id.
pub const SILENT: &str = "this PBX does not say what the call removed; events made in the last \
                          seconds before it may be gone too";

/// What a session has learnt of the wide calls of its PBX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Learnt {
    /// One was answered without the ids of what it took.
    pub names_no_ids: bool,
    /// One for a type took events of another.
    pub wipes: bool,
}

/// An event that an answer named and that neither the plan nor any listing knew.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unlisted {
    /// Whose event it was.
    pub extension: ExtensionNumber,
    /// Its id, as the service gave it.
    pub id: Foreign,
}

/// The first type call of a run, which goes alone: until it is seen what it took, none may follow.
#[derive(Debug, Default)]
pub(super) enum Trial {
    /// No wide call has been sent.
    #[default]
    Open,
    /// One is out, or was: what else was there before, and what the call is to take.
    Out { extension: ExtensionNumber, others: Vec<EventKey>, covered: Vec<EventKey> },
    /// The call removed its own type and nothing else.
    Passed,
    /// The call removed other types, or that is not known.
    Failed,
}

/// What the listing behind the first type call says of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Took {
    /// Its own type alone.
    ItsOwn,
    /// Events of other types too.
    Others(Vec<EventKey>),
    /// The listing does not tell.
    NotTold,
}

/// Whether a listing shows that the answer to a wide call did not say all that the call took: the event
/// is gone, and the call was refused or named others alone. `before` is what the answer said of it.
pub fn names_too_little(before: &Outcome, listed: &Outcome) -> bool {
    let named_others =
        |failure: &Failure| failure.http_status.is_some_and(|it| (200..300).contains(&it));
    let went = matches!(listed, Outcome::Done(Success::Deleted, _));
    matches!((before, listed), (Outcome::Refused(_), Outcome::Unknown(_)))
        || matches!(before, Outcome::Unknown(failure) if went && named_others(failure))
}

impl Learnt {
    /// Whether calls of this form may go out.
    pub fn allows(self, form: CallForm) -> bool {
        match form {
            CallForm::Event => true,
            CallForm::Extension => !self.names_no_ids,
            CallForm::Type => !self.names_no_ids && !self.wipes,
        }
    }
}

impl Trial {
    /// Whether a call on this extension is tried and nothing is seen yet of what it took.
    pub(super) fn is_out_on(&self, tried: &ExtensionNumber) -> bool {
        matches!(self, Self::Out { extension, .. } if extension == tried)
    }

    /// Compares what is listed with what was there before the call.
    pub(super) fn compare(&self, listing: Option<&Listing>) -> Took {
        let Self::Out { others, covered, .. } = self else { return Took::NotTold };
        let Some(listing) = listing.filter(|listing| listing.is_complete()) else {
            return Took::NotTold;
        };
        let now = Listed::of(listing);
        let gone = |key: &&EventKey| now.find(key).is_none();
        let others: Vec<EventKey> = others.iter().filter(gone).cloned().collect();
        match others.is_empty() {
            false => Took::Others(others),
            // A list that still shows what the call was to take shows nothing of what it did.
            true if covered.iter().all(|key| gone(&key)) => Took::ItsOwn,
            true => Took::NotTold,
        }
    }
}
