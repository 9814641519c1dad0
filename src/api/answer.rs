//! An answer of the service as it came in: everything that reads one shares this.

use std::time::Duration;

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The origin that a redirect points at, never its path or query.
    pub(super) elsewhere: Option<String>,
    /// How long the service asks to be left alone.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}
