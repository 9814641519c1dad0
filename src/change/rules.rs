//! What is different for each kind of call: the one place that tells a deletion, a making and a
//! change of fields apart. A run asks here, and each answers in its own file.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::{Call, Cause, ExtensionNumber, Failure, Listing, Outcome};

use super::create::Creates;
use super::delete::Deletes;
use super::ledger::{Ledger, SoFar};
use super::listed::Listed;
use super::update::Updates;
use super::verification::Findings;
use super::{Kind, Plan, Settled};

/// The rules of the calls that a plan has.
#[derive(Debug)]
pub(super) enum Rules {
    Delete(Box<Deletes>),
    Create(Creates),
    Update(Updates),
}

impl Rules {
    pub(super) fn of(plan: &Plan) -> Self {
        if plan.changes() {
            return Self::Update(Updates::new(plan.kind().success()));
        }
        if plan.kind() == Kind::Undo {
            return Self::Create(Creates::default());
        }
        let deletes = plan.rest().map_or_else(Deletes::default, |rest| Deletes::of_rest(rest));
        Self::Delete(Box::new(deletes))
    }

    /// What only a deletion has.
    pub(super) fn deletes(&self) -> Option<&Deletes> {
        match self {
            Self::Delete(deletes) => Some(deletes),
            Self::Create(_) | Self::Update(_) => None,
        }
    }

    /// The same, to be told more.
    pub(super) fn deletes_mut(&mut self) -> Option<&mut Deletes> {
        match self {
            Self::Delete(deletes) => Some(deletes),
            Self::Create(_) | Self::Update(_) => None,
        }
    }

    /// What only making has.
    pub(super) fn creates(&self) -> Option<&Creates> {
        match self {
            Self::Create(creates) => Some(creates),
            Self::Delete(_) | Self::Update(_) => None,
        }
    }

    /// What only making has, to be told more.
    pub(super) fn creates_mut(&mut self) -> Option<&mut Creates> {
        match self {
            Self::Create(creates) => Some(creates),
            Self::Delete(_) | Self::Update(_) => None,
        }
    }

    /// What a plan rests on was listed at this time, or later.
    pub(super) fn rest_on(&mut self, time: Duration) {
        match self {
            Self::Delete(deletes) => deletes.reviewed = time,
            Self::Create(creates) => creates.planned = time,
            // Each extension is listed just before its calls.
            Self::Update(_) => {}
        }
    }

    /// Whether each extension is listed before any call goes out.
    pub(super) fn looks_first(&self) -> bool {
        match self {
            Self::Delete(_) | Self::Update(_) => false,
            Self::Create(_) => true,
        }
    }

    /// Whether an extension is to be listed before this call of it.
    pub(super) fn is_old(&self, call: usize, extension: &ExtensionNumber, now: Duration) -> bool {
        match self {
            Self::Delete(deletes) => deletes.is_old(extension, now),
            Self::Create(_) => false,
            Self::Update(updates) => updates.is_old(call, extension, now),
        }
    }

    /// Whether a call of this form may go out at all.
    pub(super) fn allows(&self, call: &Call) -> bool {
        match (self, call) {
            (Self::Delete(deletes), Call::Delete(delete)) => deletes.allows(delete),
            (Self::Delete(_) | Self::Create(_) | Self::Update(_), _) => true,
        }
    }

    /// An extension was listed before a call of it.
    pub(super) fn saw(&mut self, extension: &ExtensionNumber, listing: &Listing, now: Duration) {
        match self {
            Self::Delete(deletes) => deletes.saw(extension, now),
            Self::Update(updates) => updates.saw(extension, listing, now),
            Self::Create(_) => {}
        }
    }

    /// A listing that was asked for this call lets it go.
    pub(super) fn clears(&mut self, call: usize) {
        if let Self::Update(updates) = self {
            updates.clear(call);
        }
    }

    /// A call goes out.
    pub(super) fn sends(&mut self, call: usize) {
        if let Self::Update(updates) = self {
            updates.sends(call);
        }
    }

    /// A call was answered so. Returns what is to be told of it.
    pub(super) fn answered(
        &mut self,
        plan: &Plan,
        (call, is_wide): (usize, bool),
        extension: &ExtensionNumber,
        settled: &Settled,
    ) -> impl Iterator<Item = String> + use<> {
        let deletes = self.deletes_mut();
        let remarks = deletes.map(|deletes| {
            let named = deletes.named(plan, extension, &settled.reply.surplus);
            let silent = if is_wide { deletes.answered(call, extension, settled) } else { None };
            [named, silent]
        });
        remarks.into_iter().flatten().flatten()
    }

    /// A call had no clear answer.
    pub(super) fn doubts(&mut self, extension: &ExtensionNumber) {
        if let Self::Update(updates) = self {
            updates.doubts(extension);
        }
    }

    /// Whether a call that failed so is put off, to be looked for and sent again once nothing else is
    /// left.
    pub(super) fn puts_off(&mut self, call: usize, failure: &Failure) -> bool {
        match self {
            Self::Create(creates) if creates.puts_off(failure) => {
                creates.put_off.insert(call);
                true
            }
            Self::Delete(_) | Self::Create(_) | Self::Update(_) => false,
        }
    }

    /// The calls that were put off, no more to be sent.
    pub(super) fn take_put_off(&mut self) -> BTreeSet<usize> {
        let put_off = self.creates_mut().map(|creates| std::mem::take(&mut creates.put_off));
        put_off.unwrap_or_default()
    }

    /// What is deleted or changed twice is as if done once; what is made twice is there twice, and a
    /// service that answers may lie about what it did.
    pub(super) fn may_repeat(&self, failure: &Failure) -> bool {
        match self {
            Self::Delete(_) | Self::Update(_) => true,
            Self::Create(_) => failure.http_status.is_none() && !failure.may_have_acted(),
        }
    }

    /// What a listing after all calls says against their answers.
    pub(super) fn find(
        &self,
        plan: &Plan,
        extension: &ExtensionNumber,
        so_far: &SoFar<'_>,
        now: &Listed<'_>,
    ) -> Findings {
        match self {
            Self::Delete(deletes) => deletes.find(plan, extension, so_far, now),
            Self::Create(creates) => creates.find(plan, extension, so_far, now),
            Self::Update(updates) => updates.find(plan, extension, so_far, now),
        }
    }

    /// What only a listing could have told, and none did.
    pub(super) fn conclude(&self, ledger: &Ledger) -> Vec<(usize, Outcome)> {
        match self {
            Self::Create(_) => Creates::conclude(ledger),
            Self::Delete(_) | Self::Update(_) => Vec::new(),
        }
    }

    /// The outcome of an event of which nothing was sent when the run stopped.
    pub(super) fn not_sent(&self) -> Outcome {
        let why = match self {
            Self::Delete(_) | Self::Update(_) => "stopped before it was sent",
            Self::Create(_) => "stopped before it was re-created; undo the run again",
        };
        Outcome::NotSent(Failure::new(Cause::Withheld, why).into())
    }
}
