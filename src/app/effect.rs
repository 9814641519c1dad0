//! What is to be done outside: imperative, plain data.

use std::sync::Arc;
use std::time::Duration;

use crate::deletion::{Plan, Run, RunCall, RunEnd, Step, Undo, UndoPlan, UndoStep};
use crate::domain::ExtensionNumber;

/// One act. Each comes back as exactly one message.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the sources for extensions.
    DiscoverExtensions,
    /// Look for runs that broke off.
    FindBrokenRuns,
    /// List the events of an extension.
    ListEvents {
        /// Which one.
        extension: ExtensionNumber,
        /// How many deletions had settled on it when the question was asked.
        epoch: u64,
    },
    /// Write the plan, with every event whole, to a new run file and sync it.
    OpenRunFile(Arc<Plan>),
    /// Write that it is being sent, send it, write what came of it.
    SendDelete {
        /// The plan being run.
        plan: Arc<Plan>,
        /// Which call.
        call: RunCall,
    },
    /// Take the call as far as the line to the service, and send nothing.
    SimulateDelete {
        /// The plan being simulated.
        plan: Arc<Plan>,
        /// Which call.
        call: RunCall,
    },
    /// List the events of an extension for the run: before a wide call, or to verify.
    ListForRun(ExtensionNumber),
    /// Write what is to be made again, with every event whole, to a new run file and sync it.
    OpenUndoFile(Arc<UndoPlan>),
    /// Write that it is being made, make it, write what came of it.
    CreateEvent {
        /// The plan being carried out.
        plan: Arc<UndoPlan>,
        /// Which of its events.
        place: usize,
    },
    /// Let this time pass: something goes on after it.
    Wait(Duration),
    /// Hand a text to the terminal, for its clipboard, or to what stands between.
    Copy {
        /// What it is, in words: `7 calls`.
        what: String,
        /// The text, cleaned of everything that acts on a terminal.
        text: String,
    },
    /// Write the receipt of a run, in place of an earlier one of the same run.
    WriteReceipt {
        /// The run's name.
        name: String,
        /// What is written.
        text: String,
    },
    /// Write the last lines of the run file and let go of it.
    CloseRunFile(RunEnd),
}

impl Effect {
    /// What a run wants done now.
    pub fn of_run(run: &mut Run, now: Duration) -> Vec<Self> {
        Self::of_steps(run, now, |plan, call| Self::SendDelete { plan, call })
    }

    /// What a run wants done now, with nothing sent but questions.
    pub fn of_simulated(run: &mut Run, now: Duration) -> Vec<Self> {
        Self::of_steps(run, now, |plan, call| Self::SimulateDelete { plan, call })
    }

    fn of_steps(
        run: &mut Run,
        now: Duration,
        delete: impl Fn(Arc<Plan>, RunCall) -> Self,
    ) -> Vec<Self> {
        let plan = Arc::clone(run.plan());
        let effect = |step| match step {
            Step::Send(call) => delete(Arc::clone(&plan), call),
            Step::List(extension) => Self::ListForRun(extension),
            Step::Wait(time) => Self::Wait(time),
        };
        run.hand_out(now).into_iter().map(effect).collect()
    }

    /// What an undo wants done now.
    pub fn of_undo(undo: &mut Undo, now: Duration) -> Vec<Self> {
        let plan = Arc::clone(undo.plan());
        let effect = |step| match step {
            UndoStep::Create(place) => Self::CreateEvent { plan: Arc::clone(&plan), place },
            UndoStep::List(extension) => Self::ListForRun(extension),
            UndoStep::Wait(time) => Self::Wait(time),
        };
        undo.hand_out(now).into_iter().map(effect).collect()
    }
}
