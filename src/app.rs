//! The interactive program as a value: one model, one way in ([`Message`]), one way out
//! ([`Effect`]), one function between ([`update`]).
//!
//! Only `update` changes the model; it does nothing but say, as effects, what is to be done
//! outside, and every effect comes back as exactly one message.

mod browse;
mod command;
mod copying;
mod cursor;
mod effect;
mod key;
mod keymap;
mod layout;
mod loading;
mod marking;
mod message;
mod model;
mod receipt;
mod review;
mod running;
mod status;
mod update;

#[cfg(test)]
pub(crate) mod tests;

pub use browse::{Boxed, Line, MarkedLine};
pub use command::{Command, Motion, Panel};
pub use cursor::Cursor;
pub use effect::Effect;
pub use key::{Key, KeyRefused};
pub use keymap::{BINDINGS, Binding, Context, hints};
pub use layout::Layout;
pub use marking::MarkPrompt;
pub use message::{Message, Moment};
pub use model::{Dialog, Facts, Leaving, Model};
pub use review::{Review, UndoReview};
pub use running::ActiveRun;
pub use status::{
    Calls, LogLine, Notice, StatusRow, Tone, count_of, ids_told, is_well, outcome_word,
};
pub use update::update;
