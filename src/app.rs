//! The interactive program as a value: one model, one way in ([`Message`]), one way out
//! ([`Effect`]), one function between ([`update`]).
//!
//! Only `update` changes the model; it does nothing but say, as effects, what is to be done
//! outside, and every effect comes back as exactly one message.

mod actions;
mod browse;
mod consent;
mod copying;
mod cursor;
mod details;
mod effect;
mod events;
mod extensions;
mod layout;
mod line;
mod loading;
mod marks;
mod message;
mod model;
mod outage;
mod prompt;
mod receipt;
mod repointing;
mod review;
mod running;
mod runs;
mod status;
pub mod text;
mod update;
mod visible;
mod words;

#[cfg(test)]
pub(crate) mod tests;

pub use actions::{ActionList, ListRow};
#[cfg(test)]
pub(crate) use consent::picture_ids;
pub use consent::{PictureId, Unread};
pub use cursor::Cursor;
pub use details::{Details, Field, NAME as DETAIL_NAME, WIDEST as DETAIL_WIDEST};
pub use effect::Effect;
pub use events::{EventsPanel, Line, Scope};
pub use extensions::{ExtensionOrder, ExtensionRow, Extensions};
pub use layout::Layout;
pub use line::TypedLine;
pub use marks::{Boxed, MarkPrompt, MarkedLine};
pub use message::{Message, Moment, Remark, RunFiles, RunRead};
pub use model::{About, Dialog, Facts, Leaving, Model, Question};
pub use prompt::FilterPrompt;
pub use repointing::RepointPrompt;
pub use review::{Digest, Review, ReviewCall, ReviewLayout, ReviewRow, STATUS_BESIDE};
pub use running::ActiveRun;
pub use runs::RunList;
pub use status::{
    Calls, LogLine, Notice, StatusRow, Tone, count_of, ids_told, is_well, outcome_word,
    whole_seconds,
};
pub use update::update;
pub use visible::Visible;

pub use crate::keys::{Browsed, Command, Key, Layer, Motion, Panel};
