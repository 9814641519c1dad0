//! What will be sent, in which order, and what came of it: one pure machine that says what to do
//! next. Nothing else in the program decides what is sent.
//!
//! A [`Plan`] is frozen from a [`Selection`], a [`Loss`] or a [`Rest`], and never changed; a
//! [`Machine`] carries out exactly one plan, of whatever kind, and gives every planned event exactly
//! one outcome. What it wants done are [`Act`]s; what came of them are [`Done`]s.

mod act;
mod answers;
mod back;
mod create;
mod delete;
mod drift;
mod earlier;
mod edit;
mod exact;
mod judge;
mod kind;
mod ledger;
mod listed;
mod machine;
mod pace;
mod past;
mod plan;
mod rate;
mod repoint;
mod rest;
mod route;
mod rules;
mod selection;
mod summary;
mod traffic;
#[cfg(test)]
pub(crate) mod trial;
mod twice;
mod update;
mod values;
mod verification;
mod wide;
mod wish;

pub use act::{Act, Done, RunCall};
pub use back::{Doubts, Loss, STILL_LISTED, UndoRefused, WayBack};
pub use delete::FRESH;
pub use drift::{Choice, Difference, Drifted};
pub use earlier::{EarlierEvent, EarlierRun};
pub use exact::Inexact;
pub use judge::{Reply, Settled, judge, judge_changed, judge_made};
pub use kind::{Deed, Kind};
pub use ledger::Tally;
pub use machine::{Machine, RunEnd, RunState, Waiting};
pub use past::{History, Make};
pub use plan::{Omitted, Plan, PlanRefused};
pub use repoint::{Repoint, RepointRefused};
pub use rest::{Rest, RestRefused};
pub use route::Route;
pub use selection::Selection;
pub use summary::{Summary, Undone, local_time};
pub use twice::{CAUGHT_UP, Doubt};
pub use values::{StandIn, Written};
pub use verification::Check;
pub use wide::{Learnt, SILENT, Unlisted, names_too_little};
pub use wish::{Reckoned, Unfit, Wish, Wished};
