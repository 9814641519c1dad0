//! What will be sent, in which order, and what came of it: pure machines that say what to send
//! next. Nothing else in the program decides what is sent.
//!
//! A [`Plan`] is frozen from a [`Selection`], never empty and never changed; a [`Run`] carries out
//! exactly one plan and gives every planned event exactly one outcome.

mod drift;
mod guard;
mod judge;
mod ledger;
mod pace;
mod plan;
mod rate;
mod run;
mod traffic;
mod undo;
mod verification;

pub use drift::{Choice, Difference, Drifted};
pub use judge::{Reply, Settled, judge};
pub use plan::{Plan, PlanRefused, PlannedCall, Selection};
pub use run::{Run, RunCall, RunEnd, RunState, Step, Tally};
pub use undo::{Loss, Undo, UndoPlan, UndoRefused, UndoStep};
pub use verification::{gone_beside, settled_by_listing};
