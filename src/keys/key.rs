//! One key, and a sequence of them: read from text as they are printed.

use std::fmt;

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthChar as _;

/// A key with its modifiers. Characters carry their case themselves, so `A` and `?` are the same
/// key whether or not a terminal reports shift with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Keys that are pressed one after the other: one, or two as in `gg`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

/// Why a text names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a key: write a character, a name such as space, ctrl-d, pagedown, f1, or two keys \
     as in gg"
)]
pub struct KeyRefused(String);

/// Names that the program prints and crokey does not read.
const PRINTED: [(&str, &str); 6] = [
    ("↑", "up"),
    ("↓", "down"),
    ("←", "left"),
    ("→", "right"),
    ("pgup", "pageup"),
    ("pgdn", "pagedown"),
];

impl Key {
    pub(crate) const BACKSPACE: Self = Self::plain(KeyCode::Backspace);

    const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// A single character stands for itself; everything longer is spelled as it is printed, or as
    /// crokey spells it.
    ///
    /// # Errors
    /// Refuses what names no key, or several at once.
    pub fn parse(text: &str) -> Result<Self, KeyRefused> {
        let (modifiers, last) = text.rsplit_once('-').unwrap_or(("", text));
        let printed = PRINTED.iter().find(|(name, _)| last.eq_ignore_ascii_case(name));
        let read = printed.map(|(_, name)| match modifiers {
            "" => (*name).to_owned(),
            modifiers => format!("{modifiers}-{name}"),
        });
        let text = read.as_deref().unwrap_or(text);
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            // What takes no room of its own could not be shown as a key.
            let shows = character.width().is_some_and(|width| width > 0);
            let refused = || KeyRefused(character.into());
            let event = KeyEvent::from(KeyCode::Char(character));
            return Some(event).filter(|_| shows).map(Self::from).ok_or_else(refused);
        }
        let combination =
            crokey::parse(text).map_err(|_| KeyRefused(text.chars().take(40).collect()))?;
        let event: Option<KeyEvent> = single(combination);
        event.map(Self::from).ok_or_else(|| KeyRefused(text.chars().take(40).collect()))
    }

    /// The character a key types, where it types one.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the keys are not our enum")]
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(character) if self.modifiers.is_empty() => Some(character),
            _ => None,
        }
    }

    /// Whether it is this letter with ctrl, or any where none is named.
    pub(super) fn is_ctrl(self, letter: Option<char>) -> bool {
        let is_letter = letter.is_none_or(|letter| self.code == KeyCode::Char(letter));
        self.modifiers.contains(KeyModifiers::CONTROL) && is_letter
    }

    /// Whether any terminal can be relied on to send it: with no more than ctrl, or shift.
    pub(super) fn is_plain(self) -> bool {
        (self.modifiers - KeyModifiers::CONTROL - KeyModifiers::SHIFT).is_empty()
    }

    /// Whether it came with alt, which is also how Esc and a key in one piece come.
    pub(crate) fn is_with_alt(self) -> bool {
        self.modifiers.contains(KeyModifiers::ALT)
    }
}

impl Keys {
    /// One key, or two with or without a blank between them.
    ///
    /// # Errors
    /// Refuses what names no key, and more than two.
    pub fn parse(text: &str) -> Result<Self, KeyRefused> {
        if let Ok(key) = Key::parse(text) {
            return Ok(Self(vec![key]));
        }
        let refused = || KeyRefused(text.chars().take(40).collect());
        let apart: Vec<String> = if text.chars().count() == 2 {
            text.chars().map(String::from).collect()
        } else {
            text.split_whitespace().map(str::to_owned).collect()
        };
        let keys: Result<Vec<_>, _> = apart.iter().map(|name| Key::parse(name)).collect();
        keys.ok().filter(|keys| keys.len() == 2).map(Self).ok_or_else(refused)
    }

    /// Each of them, in the order in which they are pressed.
    pub fn each(&self) -> &[Key] {
        &self.0
    }

    /// Whether the first of them is a letter to whatever takes text.
    pub fn types(&self) -> bool {
        self.0.first().is_some_and(|key| key.typed().is_some())
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |key: &Key| key.typed().is_some_and(|character| character != ' ');
        let between = if self.0.iter().all(short) { "" } else { " " };
        let names: Vec<String> = self.0.iter().map(Key::to_string).collect();
        f.write_str(&names.join(between))
    }
}

fn single(combination: KeyCombination) -> Option<KeyEvent> {
    let modifiers = combination.modifiers;
    combination.is_ansi_compatible().then(|| KeyEvent::new(*combination.codes.first(), modifiers))
}

impl From<KeyEvent> for Key {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the keys are not our enum")]
    fn from(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers;
        let mut code = event.code;
        match code {
            KeyCode::Char(character) => {
                if modifiers.contains(KeyModifiers::SHIFT) {
                    code = KeyCode::Char(character.to_ascii_uppercase());
                }
                if modifiers.contains(KeyModifiers::CONTROL) {
                    code = KeyCode::Char(character.to_ascii_lowercase());
                }
                modifiers.remove(KeyModifiers::SHIFT);
            }
            KeyCode::BackTab => modifiers.remove(KeyModifiers::SHIFT),
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => {
                code = KeyCode::BackTab;
                modifiers.remove(KeyModifiers::SHIFT);
            }
            _ => {}
        }
        Self { code, modifiers }
    }
}

impl fmt::Display for Key {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the keys are not our enum")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(character) => character.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::BackTab => "shift-Tab".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            other => other.to_string(),
        };
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            f.write_str("shift-")?;
        }
        f.write_str(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    #[test]
    fn a_character_is_the_same_key_with_and_without_a_reported_shift() {
        for (character, plain) in [('A', 'A'), ('?', '?'), ('a', 'A')] {
            let event = KeyEvent::new(KeyCode::Char(character), KeyModifiers::SHIFT);
            assert_eq!(Key::from(event), key(&plain.to_string()));
        }
        assert_ne!(key("a"), key("A"));
    }

    #[test]
    fn names_of_keys_are_read_and_printed() {
        let printed: Vec<_> = ["space", "ctrl-d", "pagedown", "backtab", "esc", "f1", "enter", "-"]
            .map(|text| key(text).to_string())
            .into();
        assert_eq!(printed, ["space", "ctrl-d", "PgDn", "shift-Tab", "Esc", "F1", "Enter", "-"]);
    }

    #[test]
    fn what_is_printed_is_read_as_the_same_keys() {
        let names =
            ["gg", "g Home", "space", " ", "↑", "PgDn", "shift-Tab", "ctrl-space", "Delete"];
        for name in names.into_iter().chain(["F12", "ctrl-left", "shift-F1", "-", "y", "Insert"]) {
            let keys = Keys::parse(name).unwrap();
            assert_eq!(Keys::parse(&keys.to_string()), Ok(keys.clone()), "{name:?} as {keys}");
        }
        assert_eq!(Keys::parse("g g"), Keys::parse("gg"));
        assert_eq!(Keys::parse("G").unwrap().to_string(), "G");
    }

    #[test]
    fn more_than_two_keys_and_none_are_refused() {
        for text in ["", "g g g", "ggg", "   ", "g nokey"] {
            assert!(Keys::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_remedy() {
        for text in ["", "hyper-x", "a-b", "ab", "\u{202e}", "\u{1b}"] {
            assert!(Key::parse(text).unwrap_err().to_string().contains("ctrl-d"), "{text:?}");
        }
    }
}
