//! Text that came from outside: it is kept as it was written and shown only cleaned.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use unicode_width::UnicodeWidthChar;

use super::bundle::Bundle;
use super::redacted;

/// Longest text shown, in characters; what is longer ends in an ellipsis.
const SHOWN_CHARS: usize = 2_000;
/// Combining marks shown on one character.
const SHOWN_MARKS: usize = 3;

/// A string from outside: written by the service, a proxy, a file.
///
/// [`raw`](Self::raw) is what goes back over the wire or into a run file, byte for byte.
/// `Display` is the only way to a terminal: [secrets of ours](super::redacted) are not in it, and controls, bidirectional overrides, invisible characters
/// and blanks that are none come out as visible substitutes. None of them acts on the terminal, and
/// nothing disappears: only who writes the substitute itself gets the same picture. Clones are
/// cheap.
#[derive(Clone)]
pub struct Foreign(Held);

#[derive(Clone)]
enum Held {
    Alone(Arc<str>),
    /// With others, by its place among them.
    Bundled(Arc<Bundle>, u32),
}

impl Foreign {
    /// One text of a bundle, which is not copied.
    pub(super) fn bundled(bundle: &Arc<Bundle>, place: u32) -> Self {
        Self(Held::Bundled(Arc::clone(bundle), place))
    }

    /// The text as it was written. For the wire and for files, never for a terminal.
    pub fn raw(&self) -> &str {
        match &self.0 {
            Held::Alone(text) => text,
            Held::Bundled(bundle, place) => bundle.get(*place).unwrap_or_default(),
        }
    }

    /// The text without secrets of ours, for what people and programs read; otherwise as it was
    /// written, so that it is not for a terminal either.
    pub fn told(&self) -> Cow<'_, str> {
        redacted(self.raw())
    }

    /// The text as `Display` shows it, copied only where that differs.
    pub fn shown(&self) -> Cow<'_, str> {
        let text = redacted(self.raw());
        if text.len() <= SHOWN_CHARS && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return text;
        }
        Cow::Owned(cleaned(&text))
    }

    /// True when there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.raw().is_empty()
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Self {
        Self(Held::Alone(text.into()))
    }
}

impl From<String> for Foreign {
    fn from(text: String) -> Self {
        Self(Held::Alone(text.into()))
    }
}

impl From<Arc<str>> for Foreign {
    fn from(text: Arc<str>) -> Self {
        Self(Held::Alone(text))
    }
}

impl Default for Foreign {
    fn default() -> Self {
        Self(Held::Alone(Arc::default()))
    }
}

impl PartialEq for Foreign {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl Eq for Foreign {}

impl PartialOrd for Foreign {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Foreign {
    fn cmp(&self, other: &Self) -> Ordering {
        self.raw().cmp(other.raw())
    }
}

impl Hash for Foreign {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw().hash(state);
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.raw())
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown())
    }
}

/// The cell of a spreadsheet with this text. A text that some take for a formula, which may reach out to
/// the network, gets an apostrophe in front: they show it as text then.
pub fn cell(text: String) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{text}") } else { text }
}

fn cleaned(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(2 * SHOWN_CHARS));
    let mut length = 0;
    let mut on_letter = false;
    let mut marks = Marks::default();
    for (position, character) in text.chars().enumerate() {
        if position.max(length) >= SHOWN_CHARS {
            marks.close(&mut shown);
            shown.push('…');
            return shown;
        }
        let look = look(character);
        if look == Look::Combining && on_letter {
            if marks.take() {
                shown.push(character);
            }
            continue;
        }
        marks.close(&mut shown);
        on_letter = look == Look::Plain;
        length += match look {
            Look::Plain => {
                shown.push(character);
                1
            }
            Look::Picture(picture) => {
                shown.push(picture);
                1
            }
            Look::CodePoint | Look::Combining => {
                let code = format!("<{:04X}>", u32::from(character));
                shown.push_str(&code);
                code.len()
            }
        };
    }
    marks.close(&mut shown);
    shown
}

/// The combining marks on one character: a few are shown, and how many more there were.
#[derive(Default)]
struct Marks {
    shown: usize,
    left_out: usize,
}

impl Marks {
    /// Whether one more is shown.
    fn take(&mut self) -> bool {
        let fits = self.shown < SHOWN_MARKS;
        self.shown += usize::from(fits);
        self.left_out += usize::from(!fits);
        fits
    }

    fn close(&mut self, shown: &mut String) {
        if self.left_out > 0 {
            shown.extend(["<+", &self.left_out.to_string(), ">"]);
        }
        *self = Self::default();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    Combining,
    /// A control character, shown as its symbol of the block Control Pictures.
    Picture(char),
    /// Any other character that would act, hide or look like a blank, shown by its code point.
    CodePoint,
}

/// Whether a character would act on a terminal, or be there without being seen.
pub fn acts_or_hides(character: char) -> bool {
    matches!(look(character), Look::Picture(_) | Look::CodePoint)
}

/// Letters of scripts that run from right to left are plain: they are somebody's name. A terminal
/// that turns them may show a row in another order, which no character of the row can prevent.
fn look(character: char) -> Look {
    match character {
        '\u{0}'..='\u{1f}' => {
            Look::Picture(char::from_u32(0x2400 + u32::from(character)).unwrap_or('?'))
        }
        '\u{7f}' => Look::Picture('\u{2421}'),
        // C1 controls, and blanks that pass for the ordinary one. The ideographic one, U+3000, is as
        // wide as a letter of its script, and is none of them.
        '\u{80}'..='\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}'
        | '\u{2800}'
        // Format characters, Unicode's category Cf: invisible, some of them turn what follows.
        | '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'
        | '\u{891}' | '\u{8e2}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        // Letters and marks that are not seen: fillers, variation selectors, the joiner.
        | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' => Look::CodePoint,
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
    fn a_mark_is_shown_on_its_letter_and_no_mark_disappears() {
        assert_eq!(shown("e\u{301}e\u{302}\u{303}"), "e\u{301}e\u{302}\u{303}");
        assert_eq!(shown("\u{301}\u{302}a"), "<0301><0302>a");
        let pile = shown(&format!("e{}x", "\u{301}".repeat(40)));
        assert_eq!(pile, "e\u{301}\u{301}\u{301}<+37>x");
        assert_ne!(pile, shown(&format!("e{}x", "\u{301}".repeat(39))));
    }

    #[test]
    fn blanks_that_are_none_are_named_and_the_wide_one_of_japanese_is_not() {
        assert_eq!(shown("a\u{a0}b\u{2003}c\u{2800}"), "a<00A0>b<2003>c<2800>");
        assert_eq!(shown("受\u{3000}付"), "受\u{3000}付");
    }

    #[test]
    fn no_character_disappears_and_none_that_takes_no_room_stands_alone() {
        for character in (0..=0x10_ffff).filter_map(char::from_u32) {
            assert_ne!(shown(&format!("a{character}b")), "ab", "{character:?}");
            let alone = shown(&character.to_string());
            assert!(unicode_width::UnicodeWidthStr::width(&*alone) > 0, "{character:?}");
        }
    }

    #[test]
    fn long_text_is_cut_also_where_every_character_is_named() {
        assert_eq!(shown(&"x".repeat(1_000_000)).chars().count(), SHOWN_CHARS + 1);
        assert!(shown(&"\u{e0041}".repeat(1_000_000)).chars().count() < SHOWN_CHARS + 10);
        let pile = shown(&format!("e{}", "\u{301}".repeat(1_000_000)));
        assert_eq!(pile, format!("e\u{301}\u{301}\u{301}<+{}>…", SHOWN_CHARS - 1 - SHOWN_MARKS));
    }

    #[test]
    fn the_raw_text_is_never_touched() {
        assert_eq!(Foreign::from("\u{1b}]0;x\u{7}").raw(), "\u{1b}]0;x\u{7}");
    }
}
