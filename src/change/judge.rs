//! What an answer means for each event that its call covered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{
    Cause, DeleteAnswer, EventId, Failure, Foreign, Outcome, PhoneCallEvent, Success, WriteAnswer,
};

/// A call that was sent, answered or not, and the outcomes of the events it covered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// One outcome for each covered event, in their order.
    pub outcomes: Vec<Outcome>,
    /// The answer.
    pub reply: Reply,
}

/// What came back for a call, beside what it means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// Ids that the service returned, planned or not.
    pub returned: Box<[Foreign]>,
    /// Returned ids that the plan did not cover: lost without having been in the review.
    pub surplus: Box<[Foreign]>,
    /// Status of the answer, where there was one.
    pub http_status: Option<u16>,
    /// Time from sending to the last byte.
    pub took: Duration,
}

impl Settled {
    /// Whether anything was taken, or may have been, by a call whose answer does not say what.
    pub fn is_silent(&self) -> bool {
        self.reply.returned.is_empty() && self.outcomes.iter().any(Outcome::may_have_taken)
    }
}

/// Gives every covered event the one outcome that the answer supports, and no better one: an event
/// that a success does not name is unknown until it is listed again. `may_have_acted` where the same
/// call went out before and nobody knows what it did: then an event that is not there is its work,
/// and a refusal says nothing of what the first one did.
pub fn judge(
    covered: &[PhoneCallEvent],
    answer: Result<DeleteAnswer, Failure>,
    took: Duration,
    may_have_acted: bool,
) -> Settled {
    match answer {
        Ok(DeleteAnswer { http_status, ids }) => {
            let told: Option<BTreeSet<&str>> =
                ids.as_ref().map(|ids| ids.iter().map(Foreign::raw).collect());
            let outcomes = covered
                .iter()
                .map(|event| outcome_of(event.key.id.as_str(), told.as_ref(), http_status))
                .collect();
            let known: BTreeMap<&str, &PhoneCallEvent> =
                covered.iter().map(|event| (event.key.id.as_str(), event)).collect();
            let (mut returned, mut surplus) = (Vec::new(), Vec::new());
            for id in ids.into_iter().flatten() {
                if let Some(event) = known.get(id.raw()) {
                    // Of a planned event the id is there already.
                    returned.push(event.key.id.told());
                } else {
                    surplus.push(id.clone());
                    returned.push(id);
                }
            }
            let (returned, surplus) = (returned.into(), surplus.into());
            let reply = Reply { returned, surplus, http_status: Some(http_status), took };
            Settled { outcomes, reply }
        }
        // The service knows no such event: gone before, or by an attempt that it never answered.
        Err(failure) if failure.names_no_event() => {
            let gone = if may_have_acted { Outcome::DELETED } else { Outcome::AlreadyGone };
            let reply = Reply { http_status: failure.http_status, took, ..Reply::default() };
            Settled { outcomes: vec![gone; covered.len()], reply }
        }
        Err(failure) => failed(covered.len(), &failure, took, may_have_acted),
    }
}

/// What an answer to a POST means, before anything is listed.
pub fn judge_made(answer: Result<WriteAnswer, Failure>, took: Duration) -> Settled {
    match answer {
        Ok(WriteAnswer { http_status, id }) => {
            let returned = id.iter().cloned().collect();
            let reply =
                Reply { returned, http_status: Some(http_status), took, ..Reply::default() };
            Settled { outcomes: vec![Outcome::Done(Success::Restored, id)], reply }
        }
        Err(failure) => failed(1, &failure, took, false),
    }
}

/// What an answer to a PUT for this event means, before anything is listed: whether its id stays is not
/// documented. `success` is what it comes to where it worked; `may_have_acted` where the same call went
/// out before and nobody knows what it did.
pub fn judge_changed(
    id: &EventId,
    success: Success,
    answer: Result<WriteAnswer, Failure>,
    took: Duration,
    may_have_acted: bool,
) -> Settled {
    match answer {
        Ok(WriteAnswer { http_status, id: told }) => {
            let returned = told.iter().cloned().collect();
            let new = told.filter(|told| told.raw() != id.as_str());
            let reply =
                Reply { returned, http_status: Some(http_status), took, ..Reply::default() };
            Settled { outcomes: vec![Outcome::Done(success, new)], reply }
        }
        Err(failure) => failed(1, &failure, took, may_have_acted),
    }
}

/// What a failure means for so many events, whatever was to be done with them.
pub(super) fn failed(
    events: usize,
    failure: &Failure,
    took: Duration,
    may_have_acted: bool,
) -> Settled {
    Settled {
        outcomes: vec![outcome_of_failure(failure, may_have_acted); events],
        reply: Reply { http_status: failure.http_status, took, ..Reply::default() },
    }
}

fn outcome_of(id: &str, returned: Option<&BTreeSet<&str>>, http_status: u16) -> Outcome {
    // 204 has no ids to return (page *Delete PhoneCallEvents*) and is a success all the same.
    let Some(returned) = returned else {
        return Outcome::DELETED;
    };
    if returned.contains(id) {
        return Outcome::DELETED;
    }
    let message = "the service reported success without naming this event: read again (R)";
    Outcome::Unknown(
        Failure { http_status: Some(http_status), ..Failure::new(Cause::Unreadable, message) }
            .into(),
    )
}

fn outcome_of_failure(failure: &Failure, may_have_acted: bool) -> Outcome {
    if may_have_acted || failure.may_have_acted() {
        return Outcome::Unknown(failure.clone().into());
    }
    match failure.cause {
        Cause::Withheld
        | Cause::Locked
        | Cause::Unwritten
        | Cause::NoToken
        | Cause::Simulated
        | Cause::Unreachable
        | Cause::Untrusted
        | Cause::Blocked => Outcome::NotSent(failure.clone().into()),
        Cause::Rejected
        | Cause::Renewed
        | Cause::Redirected
        | Cause::ServiceFailed
        | Cause::NoAnswer
        | Cause::Asleep
        | Cause::Unreadable => Outcome::Refused(failure.clone().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::plan::tests::plan;
    use crate::domain::CallForm;

    const ROWS: &[(&str, &str)] = &[("0", "a"), ("2", "c")];

    fn judged(form: CallForm, answer: Result<DeleteAnswer, Failure>) -> Settled {
        let plan = plan(ROWS, 0..2, form);
        judge(plan.covered(0), answer, Duration::from_millis(7), false)
    }

    fn ids(http_status: u16, ids: Option<&[&str]>) -> Result<DeleteAnswer, Failure> {
        let ids = ids.map(|ids| ids.iter().map(|id| Foreign::from(*id)).collect());
        Ok(DeleteAnswer { http_status, ids })
    }

    fn names(settled: &Settled) -> Vec<&'static str> {
        settled.outcomes.iter().map(Outcome::name).collect()
    }

    #[test]
    fn the_returned_id_and_the_answer_without_one_both_say_deleted() {
        assert_eq!(names(&judged(CallForm::Event, ids(200, Some(&["a"])))), ["deleted"]);
        assert_eq!(names(&judged(CallForm::Event, ids(204, None))), ["deleted"]);
    }

    #[test]
    fn a_success_that_names_another_event_leaves_this_one_unknown_and_tells_of_the_other() {
        let settled = judged(CallForm::Event, ids(200, Some(&["b"])));
        assert_eq!(names(&settled), ["unknown"]);
        assert_eq!(*settled.reply.surplus, [Foreign::from("b")]);
    }

    #[test]
    fn a_wide_call_is_judged_event_by_event() {
        let settled = judged(CallForm::Extension, ids(200, Some(&["c", "x"])));
        assert_eq!(names(&settled), ["unknown", "deleted"]);
        assert_eq!(*settled.reply.surplus, [Foreign::from("x")]);
    }

    #[test]
    fn every_cause_has_its_honest_outcome() {
        let outcome = |form, cause| judged(form, Err(Failure::new(cause, "x"))).outcomes[0].name();
        let event = |cause| outcome(CallForm::Event, cause);
        assert_eq!(event(Cause::Withheld), "not sent");
        assert_eq!(event(Cause::Simulated), "not sent");
        assert_eq!(event(Cause::Unreachable), "not sent");
        assert_eq!(event(Cause::NoAnswer), "unknown");
        assert_eq!(event(Cause::Unreadable), "unknown");
        assert_eq!(event(Cause::Rejected), "refused");
        assert_eq!(event(Cause::Redirected), "refused");
        assert_eq!(event(Cause::ServiceFailed), "unknown");
        assert_eq!(outcome(CallForm::Extension, Cause::NoAnswer), "unknown");
    }

    #[test]
    fn a_service_that_says_it_cannot_do_it_refused_and_what_another_one_did_is_unknown() {
        for (status, name) in
            [(501, "refused"), (503, "unknown"), (500, "unknown"), (504, "unknown")]
        {
            let failed = Failure::new(Cause::ServiceFailed, "busy");
            let failed = Failure { http_status: Some(status), ..failed };
            assert_eq!(names(&judged(CallForm::Event, Err(failed))), [name], "{status}");
        }
    }
}
