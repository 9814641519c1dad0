//! What a machine wants done, and what came of it: the only acts that can change the PBX.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Call, Exchange, ExtensionNumber, Failure, Listing, PhoneCallEvent, Success};

use super::judge::failed;
use super::plan::Verb;
use super::{Plan, RunEnd, Settled};

/// One act. Each comes back as exactly one [`Done`], and is in flight until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Take the lock of the PBX, write the plan, with every event whole, to a run file, and sync it. A
    /// run that is gone on with has both already: its file is opened, and written on.
    Open(Arc<Plan>),
    /// Write that it is being sent and sync that, send it, write what came of it; a simulated call is taken as far
    /// as the line to the service, and no line is written.
    Send(RunCall),
    /// List the events of an extension: before its calls, before a wide one, or to verify.
    List(ExtensionNumber),
    /// Wait this long; no other call goes out before.
    Wait(Duration),
    /// Write the last lines of the run file, and let go of it and of the lock.
    Close(RunEnd),
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// Answer to [`Act::Open`]: the run's name, or why there is no run file.
    Opened(Result<String, Failure>),
    /// Answer to [`Act::Send`].
    Settled {
        /// Which call of the run.
        call: usize,
        /// The outcome of each event it covers.
        settled: Settled,
        /// The requests behind it.
        exchanges: Vec<Exchange>,
    },
    /// Answer to [`Act::List`].
    Listed {
        /// Whose events were asked for.
        extension: ExtensionNumber,
        /// What the service said.
        result: Result<Listing, Failure>,
        /// The requests behind it.
        exchanges: Vec<Exchange>,
    },
    /// Answer to [`Act::Wait`].
    Waited,
    /// Answer to [`Act::Close`].
    Closed(Result<(), Failure>),
}

/// A call of a run: one of its plan, or an event call in place of a wide one. Only a
/// [`Machine`](super::Machine) makes them, and only for events of its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCall {
    pub(super) plan: Arc<Plan>,
    pub(super) id: usize,
    pub(super) call: Call,
    pub(super) covers: Range<usize>,
    pub(super) may_have_acted: bool,
    pub(super) simulated: bool,
}

impl RunCall {
    pub(super) fn new(
        plan: &Arc<Plan>,
        id: usize,
        verb: Verb,
        covers: Range<usize>,
    ) -> Option<Self> {
        let call = verb.call(plan.events().get(covers.start)?, plan.want(covers.start));
        let plan = Arc::clone(plan);
        Some(Self { plan, id, call, covers, may_have_acted: false, simulated: false })
    }

    /// Its place among the calls of the run: those of the plan first, in their order.
    pub fn id(&self) -> usize {
        self.id
    }

    /// What is sent.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The path that it is sent to.
    pub fn path(&self) -> String {
        self.call.path(self.plan.target())
    }

    /// The events that it covers, by their places in [`Plan::events`].
    pub fn covers(&self) -> Range<usize> {
        self.covers.clone()
    }

    /// The events that it covers.
    pub fn covered(&self) -> &[PhoneCallEvent] {
        self.plan.events().get(self.covers()).unwrap_or_default()
    }

    /// Whether it was sent before and may have been carried out, though no answer said so.
    pub fn may_have_acted(&self) -> bool {
        self.may_have_acted
    }

    /// Whether nothing is to be sent.
    pub fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// What it comes to where it works.
    pub fn success(&self) -> Success {
        self.plan.kind().success()
    }

    /// What a failure means for the events that it covers.
    pub fn failed(&self, failure: &Failure, took: Duration) -> Settled {
        failed(self.covers.len(), failure, took, self.may_have_acted)
    }
}
