//! One key as the keymap knows it.

use std::fmt;

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Characters carry their case themselves, so `A` and `?` are the same
/// key whether or not a terminal reports shift with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a text names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a key: write a character, or a name such as space, ctrl-d, pagedown, f1")]
pub struct KeyRefused(String);

impl Key {
    pub(super) const BACKSPACE: Self = Self::plain(KeyCode::Backspace);

    const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// A single character stands for itself; everything longer is spelled as crokey spells it.
    ///
    /// # Errors
    /// Refuses what names no key, or several at once.
    pub fn parse(text: &str) -> Result<Self, KeyRefused> {
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return Ok(Self::from(KeyEvent::from(KeyCode::Char(character))));
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

    /// Whether it came with alt, which is also how Esc and a key in one piece come.
    pub(super) fn is_with_alt(self) -> bool {
        self.modifiers.contains(KeyModifiers::ALT)
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
    fn what_is_no_key_is_refused_with_the_remedy() {
        for text in ["", "hyper-x", "a-b"] {
            assert!(Key::parse(text).unwrap_err().to_string().contains("ctrl-d"), "{text:?}");
        }
    }
}
