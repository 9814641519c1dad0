//! Which rows are shown: a plain text that is looked for, ignoring case.

use super::{EventView, Extension};

/// What an operator typed after `/`. The empty filter lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    text: String,
    needle: String,
}

impl Filter {
    /// Looks for the text as it is typed, ignoring case.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), needle: text.to_lowercase() }
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when everything is let through.
    pub fn is_empty(&self) -> bool {
        self.needle.is_empty()
    }

    /// Whether the number, label or kind of an extension holds the text.
    pub fn admits_extension(&self, extension: &Extension) -> bool {
        self.is_empty()
            || self.found_in(extension.number.as_str())
            || self.found_in(extension.label.raw())
            || extension.kind.is_some_and(|kind| self.found_in(kind.name()))
    }

    /// Whether the url, note or id of an event, or the number or label of its extension, holds it.
    pub fn admits_event(&self, extension: &Extension, event: &EventView<'_>) -> bool {
        self.is_empty()
            || self.found_in(event.url().raw())
            || self.found_in(event.note().raw())
            || self.found_in(event.id())
            || self.found_in(extension.number.as_str())
            || self.found_in(extension.label.raw())
    }

    fn found_in(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return text.to_lowercase().contains(&self.needle);
        }
        let needle = self.needle.as_bytes();
        text.as_bytes().windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExtensionKind, ExtensionNumber, Foreign};

    fn reception() -> Extension {
        Extension {
            number: ExtensionNumber::parse("0003*101").unwrap(),
            kind: Some(ExtensionKind::Queue),
            label: Foreign::from("Réception Ost"),
        }
    }

    #[test]
    fn number_label_and_kind_are_found_ignoring_case() {
        for text in ["", "3*10", "RÉCEPTION", "ost", "Queue"] {
            assert!(Filter::new(text).admits_extension(&reception()), "{text:?}");
        }
        for text in ["0004", "west", "ivr"] {
            assert!(!Filter::new(text).admits_extension(&reception()), "{text:?}");
        }
    }
}
