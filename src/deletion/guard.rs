//! Whether an extension is, a moment before a wide call, what it was in the review.

use crate::domain::{Cause, DeleteCall, Failure, Listing, Outcome, PhoneCallEvent};

/// What a fresh listing says of a wide call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The call would remove what was reviewed and nothing else.
    AsReviewed,
    /// It would not: every event gets a call of its own, or the outcome it has already.
    Differs {
        /// One for each planned event, in their order.
        events: Vec<Option<Outcome>>,
        /// What an operator is told.
        remark: String,
    },
}

impl Verdict {
    /// Nobody knows what the call would remove.
    pub(super) fn all_not_sent(count: usize, failure: &Failure) -> Self {
        let message = format!("not sent, as the extension could not be listed first: {failure}");
        let outcome = Outcome::NotSent(Failure::new(Cause::Withheld, message.as_str()));
        Self::Differs { events: vec![Some(outcome); count], remark: message }
    }

    /// It was sent before, may have been carried out, and nobody can see whether it was.
    pub(super) fn all_unknown(count: usize, doubt: &Failure, failure: &Failure) -> Self {
        let remark = format!("not sent again, as the extension could not be listed: {failure}");
        Self::Differs { events: vec![Some(Outcome::Unknown(doubt.clone())); count], remark }
    }
}

/// Compares the events that a wide call covers with all that it would remove.
pub(super) fn compare(
    planned: &[PhoneCallEvent],
    delete: &DeleteCall,
    listing: &Listing,
) -> Verdict {
    let extension = delete.extension();
    let complete = listing.is_complete();
    let events: Vec<Option<Outcome>> = planned
        .iter()
        .map(|event| match listing.find(&event.key).and_then(|row| listing.row(row)) {
            Some(row) if row.to_event() == *event => None,
            Some(_) => Some(changed()),
            None if complete => Some(Outcome::AlreadyGone),
            None => None,
        })
        .collect();
    let in_reach = match delete {
        DeleteCall::Event(_) => planned.len(),
        DeleteCall::Type(_, event_type) => listing.rows_of(*event_type).len(),
        DeleteCall::Extension(_) => listing.len() + listing.odd().len(),
    };
    let lost = events.iter().filter(|outcome| **outcome == Some(Outcome::AlreadyGone)).count();
    let changed = events.iter().flatten().count() - lost;
    let appeared = (in_reach + lost).saturating_sub(planned.len());
    if complete && lost + changed + appeared == 0 {
        return Verdict::AsReviewed;
    }
    let difference = if complete {
        let parts = [(appeared, "appeared"), (changed, "changed"), (lost, "gone")];
        let said = parts.iter().filter(|(count, _)| *count > 0);
        said.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    } else {
        "the list is not complete".to_owned()
    };
    let remark = format!(
        "{extension} is not what was reviewed ({difference}): event calls in place of a wide one"
    );
    Verdict::Differs { events, remark }
}

fn changed() -> Outcome {
    Outcome::NotSent(Failure::new(
        Cause::Withheld,
        "not sent: it changed since it was marked; look at it and review it again",
    ))
}
