//! What will be sent, in which order, and what came of it: pure machines that say what to send
//! next. Nothing else in the program decides what is sent.
//!
//! A [`Plan`] is frozen from a [`Selection`], never empty and never changed; a [`Run`] carries out
//! exactly one plan and gives every planned event exactly one outcome.

mod judge;
mod plan;
mod run;

pub use judge::{Settled, judge};
pub use plan::{Plan, PlanHash, PlanRefused, PlannedCall, Selection};
pub use run::{Run, RunState, Tally};
