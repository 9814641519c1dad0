//! JSON as it is printed: every character that could act on a terminal, or hide there, is written as
//! its number. For a program the text is the same (RFC 8259, section 7).

use std::borrow::Cow;
use std::io::{self, Write};

use crate::domain::acts_or_hides;

/// Writes JSON on, as it comes from a serializer, which never parts a character.
pub(super) struct Harmless<W>(pub(super) W);

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(json).map_err(io::Error::other)?;
        self.0.write_all(harmless(text).as_bytes())?;
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What acts stands inside strings, but for the line feeds between them.
fn harmless(text: &str) -> Cow<'_, str> {
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
