//! JSON as it is printed: every character that could act on a terminal, or hide there, is written as
//! its number. For a program the text is the same (RFC 8259, section 7).

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::ser::Formatter;

use crate::domain::acts_or_hides;

/// Compact JSON, written as it comes.
pub(super) struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        writer.write_all(harmless(fragment).as_bytes())
    }
}

/// The same for a text of JSON that is there already: what acts stands inside its strings, but for
/// the line feeds between them.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let acts = |character: char| character != '\n' && acts_or_hides(character);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() * 2);
    let mut units = [0; 2];
    for character in text.chars() {
        if acts(character) {
            // What is beyond 16 bits is written as two of them.
            let units = character.encode_utf16(&mut units);
            written.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            written.push(character);
        }
    }
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_is_written_as_a_number_and_reads_as_the_same() {
        let text = "\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{feff}\u{e0041}Zürich 受付";
        for json in [
            serde_json::to_string(text).unwrap(),
            serde_json::to_string_pretty(&[text, text]).unwrap(),
        ] {
            let harmless = harmless(&json);
            assert!(!harmless.contains(|c| c != '\n' && acts_or_hides(c)), "{harmless}");
            let (was, is): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(&json).unwrap(), serde_json::from_str(&harmless).unwrap());
            assert_eq!(was, is);
            assert!(harmless.contains("Zürich 受付"));
        }
    }
}
