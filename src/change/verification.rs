//! What a listing after the run says of it: the service's list has the last word.

use crate::domain::{Cause, EventKey, Failure, Foreign, Listing, Outcome, PhoneCallEvent};

/// The outcome that a listing supports, where it is another than the one so far. That an event is
/// listed is always true; that it is not, only where the listing is complete.
pub(super) fn settled_by_listing(
    key: &EventKey,
    so_far: &Outcome,
    listing: &Listing,
) -> Option<Outcome> {
    let listed = listing.lists(key);
    let missing = !listed && listing.is_complete();
    match so_far {
        Outcome::Deleted if listed => Some(still_there(None)),
        Outcome::Unknown(failure) if listed => Some(still_there(Some(failure))),
        Outcome::Unknown(_) if missing => Some(Outcome::Deleted),
        Outcome::Refused(_) | Outcome::NotSent(_) if missing => Some(Outcome::AlreadyGone),
        Outcome::Deleted
        | Outcome::AlreadyGone
        | Outcome::Refused(_)
        | Outcome::NotSent(_)
        | Outcome::Unknown(_)
        | Outcome::Restored(_) => None,
    }
}

/// What was there beside the plan and, as a complete listing shows, is not any more.
pub(super) fn gone_beside<'a>(
    bystanders: impl IntoIterator<Item = &'a PhoneCallEvent>,
    listing: &Listing,
) -> impl Iterator<Item = EventKey> {
    let gone =
        |event: &&PhoneCallEvent| listing.is_complete() && listing.find(&event.key).is_none();
    bystanders.into_iter().filter(gone).map(|event| event.key.clone())
}

fn still_there(failure: Option<&Failure>) -> Outcome {
    let (cause, code, said) = match failure {
        Some(failure) => (failure.cause, failure.code.clone(), failure.message.raw().to_owned()),
        None => {
            (Cause::Unreadable, Foreign::default(), "the service reported it deleted".to_owned())
        }
    };
    let message = Foreign::from(format!("{said}; it is still listed"));
    let http_status = failure.and_then(|failure| failure.http_status);
    Outcome::Refused(Failure { http_status, code, ..Failure::new(cause, message.raw()) })
}
