//! Text that came from outside: it is kept as it was written and shown only cleaned.

use std::fmt;
use std::sync::Arc;

use unicode_width::UnicodeWidthChar;

/// Longest text shown, in characters; what is longer ends in an ellipsis.
const SHOWN_CHARS: usize = 2_000;
/// Combining marks shown on one character.
const SHOWN_MARKS: usize = 3;

/// A string somebody else wrote: the service, a proxy, a file.
///
/// [`raw`](Self::raw) is what goes back over the wire or into a run file, byte for byte.
/// `Display` is the only way to a terminal: controls, bidirectional overrides and invisible
/// characters come out as visible substitutes, so that two different strings never look alike and
/// none of them acts on the terminal. Clones are cheap.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foreign(Arc<str>);

impl Foreign {
    /// The text as it was written. For the wire and for files, never for a terminal.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// True when there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Foreign {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Arc<str>> for Foreign {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= SHOWN_CHARS && self.0.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return f.pad(&self.0);
        }
        f.pad(&cleaned(&self.0))
    }
}

fn cleaned(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    for (position, character) in text.chars().enumerate() {
        if position >= SHOWN_CHARS {
            shown.push('…');
            break;
        }
        match look(character) {
            Look::Plain => {
                marks = 0;
                shown.push(character);
            }
            Look::Combining if marks < SHOWN_MARKS && !shown.is_empty() => {
                marks += 1;
                shown.push(character);
            }
            Look::Combining => {}
            Look::Picture(picture) => {
                marks = 0;
                shown.push(picture);
            }
            Look::CodePoint => {
                marks = 0;
                shown.extend(format!("<{:04X}>", u32::from(character)).chars());
            }
        }
    }
    shown
}

enum Look {
    Plain,
    Combining,
    /// A control character, shown as its symbol of the block Control Pictures.
    Picture(char),
    /// Anything else that would act or hide, shown by its code point.
    CodePoint,
}

fn look(character: char) -> Look {
    match character {
        '\u{0}'..='\u{1f}' => {
            Look::Picture(char::from_u32(0x2400 + u32::from(character)).unwrap_or('?'))
        }
        '\u{7f}' => Look::Picture('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Look::CodePoint,
        _ if character.width() == Some(0) => Look::Combining,
        _ => Look::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Foreign::from(text).to_string()
    }

    #[test]
    fn plain_text_is_shown_as_it_is_in_any_script() {
        for text in ["", "old CRM, 2023", "Zürich – Empfang", "受付", "https://a.test/?q=%20"]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn escape_sequences_become_visible_and_harmless() {
        assert_eq!(shown("\u{1b}[2J\u{7}"), "␛[2J␇");
        assert_eq!(shown("a\r\nb\u{7f}"), "a␍␊b␡");
        assert_eq!(shown("\u{9b}31m"), "<009B>31m");
    }

    #[test]
    fn characters_that_hide_or_turn_text_are_named() {
        assert_eq!(shown("a\u{202e}b"), "a<202E>b");
        assert_eq!(shown("a\u{200b}b"), "a<200B>b");
        assert_eq!(shown("\u{feff}x\u{e0041}"), "<FEFF>x<E0041>");
    }

    #[test]
    fn piles_of_combining_marks_are_capped_and_long_text_is_cut() {
        assert_eq!(shown(&format!("e{}", "\u{301}".repeat(40))).chars().count(), 1 + SHOWN_MARKS);
        assert_eq!(shown(&"x".repeat(1_000_000)).chars().count(), SHOWN_CHARS + 1);
    }

    #[test]
    fn the_raw_text_is_never_touched() {
        assert_eq!(Foreign::from("\u{1b}]0;x\u{7}").raw(), "\u{1b}]0;x\u{7}");
    }
}
