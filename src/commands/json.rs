//! JSON as it is printed: every character that could act on a terminal, or hide there, is written as
//! its number, for a program the same text (RFC 8259, section 7), and secrets of ours are left out.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::domain::{acts_or_hides, redacted};

/// Writes JSON on, as it comes from a serializer, which never parts a character.
pub(super) struct Harmless<W> {
    out: W,
    /// The string that is not at its end yet, from its first quote on.
    string: String,
}

impl<W: Write> Harmless<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, string: String::new() }
    }
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        let mut text = std::str::from_utf8(json).map_err(io::Error::other)?;
        while !text.is_empty() {
            let in_string = !self.string.is_empty();
            let end = if in_string { closing(&self.string, text) } else { text.find('"') };
            let (now, later) = match end {
                Some(quote) => text.split_at(quote + 1),
                None => (text, ""),
            };
            match (in_string, end) {
                (false, None) => self.out.write_all(now.as_bytes())?,
                (false, Some(quote)) => {
                    self.out.write_all(now.get(..quote).unwrap_or_default().as_bytes())?;
                    self.string.push('"');
                }
                (true, None) => self.string.push_str(now),
                (true, Some(_)) => {
                    self.string.push_str(now);
                    self.out.write_all(harmless(&unsecret(&self.string)).as_bytes())?;
                    self.string.clear();
                }
            }
            text = later;
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Where the string ends that began before this text.
fn closing(before: &str, text: &str) -> Option<usize> {
    let strokes = before.bytes().rev().take_while(|byte| *byte == b'\\').count();
    let mut escaped = strokes % 2 == 1;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// A string of JSON without secrets of ours.
fn unsecret(string: &str) -> Cow<'_, str> {
    if let Cow::Borrowed(same) = redacted(string) {
        return Cow::Borrowed(same);
    }
    // What is cut out of the text itself leaves no half of an escape behind.
    let text: String = serde_json::from_str(string).unwrap_or_default();
    let text = redacted(&text);
    Cow::Owned(serde_json::Value::from(&*text).to_string())
}

/// What acts stands inside strings alone.
fn harmless(text: &str) -> Cow<'_, str> {
    let acts = acts_or_hides;
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if text.bytes().all(is_plain) || !text.contains(acts) {
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

    /// What is printed of this, a few bytes at a time.
    fn printed(json: &str) -> String {
        let mut printed = Vec::new();
        let mut out = Harmless::new(&mut printed);
        for character in json.chars() {
            out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes()).unwrap();
        }
        String::from_utf8(printed).unwrap()
    }

    #[test]
    fn a_document_stays_one_and_holds_no_secret() {
        crate::domain::learn_secret("\"never|printed\\");
        let document = serde_json::json!({
            "a": "x\"never|printed\\", "b": [1, null, "\\\\\\\\\\\"never|printed\\", "\\"], "\"c": "é\\\""
        });
        for json in [document.to_string(), serde_json::to_string_pretty(&document).unwrap()] {
            let said: serde_json::Value = serde_json::from_str(&printed(&json)).unwrap();
            assert!(!said.to_string().contains("never"), "{said}");
            assert_eq!((&said["a"], &said["b"][0]), (&"x[redacted]".into(), &1.into()));
            assert_eq!((&said["b"][3], &said["\"c"]), (&"\\".into(), &"é\\\"".into()));
        }
    }

    #[test]
    fn what_could_act_is_written_as_a_number_and_reads_as_the_same() {
        let text = "\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{feff}\u{e0041}Zürich 受付";
        for json in [
            serde_json::to_string(text).unwrap(),
            serde_json::to_string_pretty(&[text, text]).unwrap(),
        ] {
            let harmless = printed(&json);
            assert!(!harmless.contains(|c| c != '\n' && acts_or_hides(c)), "{harmless}");
            let (was, is): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(&json).unwrap(), serde_json::from_str(&harmless).unwrap());
            assert_eq!(was, is);
            assert!(harmless.contains("Zürich 受付"));
        }
    }
}
