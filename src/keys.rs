//! What an operator can ask for and with which keys: one table, read by the lookup of keys, by hints,
//! the list of `?`, the manual page, the README and `[keys]` of the configuration.
//!
//! A new action takes three places: a [`Command`], its row in [`ACTIONS`], and the line that obeys it.

mod command;
mod key;
mod keymap;
mod table;

pub use command::{Browsed, Command, Motion, Panel};
pub use key::{Key, KeyRefused, Keys};
pub use keymap::{Found, Keymap, Refused};
pub use table::{ACTIONS, Action, Count, Hint, Layer, Place};
