//! An answer of the service as it came in: everything that reads one shares this.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The origin that a redirect points at, never its path or query.
    pub(super) elsewhere: Option<String>,
    /// How long the service asks to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// The same as a moment.
    pub(super) not_before: Option<jiff::Timestamp>,
    /// The coding of the body, where it has one: none is asked for.
    pub(super) coding: Option<String>,
    /// Of an answer that refuses the token: how an operator renews it.
    pub(super) renew: Option<String>,
    pub(super) body: Body,
}

/// The bytes of an answer. A large one holds the only right to be large as long as it is there.
#[derive(Clone, Default)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) large: Option<Arc<OwnedSemaphorePermit>>,
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, large: None }
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}
