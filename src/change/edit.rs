//! What a plan changes of one event, as it is planned.

use crate::domain::{Change, EventId, Outcome};

/// What a plan changes of one event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Edit {
    /// The fields to be.
    pub(super) change: Change,
    /// Of an undo: the id that it had in the run that is undone, where that is another one.
    pub(super) of_id: Option<EventId>,
    /// Its call is not sent, as this is known of it already.
    pub(super) held: Option<Outcome>,
}
