//! The field's words as values that cannot be wrong: what is not a valid extension number, event id
//! or plan member cannot be built, so nothing above has to check again.
//!
//! Everything here is pure: no clock, no file, no network, no task.

mod bundle;
mod call;
mod event;
mod expression;
mod extension;
mod failure;
mod filter;
mod foreign;
mod fuse;
mod mask;
mod outcome;
mod plan_hash;
mod redaction;
mod selecting;
mod service;
mod stop;
mod store;
mod target;
mod trust;

pub use call::{Call, CreatePath, DeleteCall};
pub use event::{
    Change, EventId, EventIdRefused, EventKey, EventType, FIELDS, Method, Modified, PhoneCallEvent,
    Status,
};
pub use expression::{
    Candidate, Expression, ExpressionError, Facet, Narrowed, Open, PassedOver, Standing, Standings,
    TERMS, Unread, Verdict, host_of,
};
pub use extension::{Extension, ExtensionKind, ExtensionNumber, ExtensionNumberRefused, Owner};
pub use failure::{Cause, DeleteAnswer, Failure, Fetched, WriteAnswer, parted, without_profile};
pub use filter::Filter;
pub use foreign::{Foreign, acts_or_hides, cell};
pub use fuse::Fuse;
pub use mask::Mask;
pub use outcome::{Outcome, Success, Word, Work};
pub use plan_hash::{PlanHash, PlanHasher};
pub use redaction::{REDACTED, SHORTEST as SHORTEST_SECRET, learn as learn_secret, redacted};
pub use selecting::{NotSelected, quoted, selecting, shell_word};
pub use service::{Again, Credentials, Discovery, Exchange, Origin, Secret, Seen, Source};
pub use stop::{LONGEST_PAUSE, Stop, StopReason};
#[cfg(test)]
pub(crate) use store::looked;
pub use store::{
    Arrangement, EventGroup, EventOrder, EventStore, EventView, GroupKey, Grouping, ListEnd,
    Listing, ListingBuilder, Meant, OddRow, Place, RawEvent, Replaced, RowText, TakenBack,
};
pub use target::{Access, CallForm, Target, TargetRefused, UserId, WideCalls};
pub use trust::{Fingerprint, FingerprintRefused, Trust};
