//! JSON as it is printed: every character that could act on a terminal, or hide there, is written as
//! its number, for a program the same text (RFC 8259, section 7), and secrets of ours are left out.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::domain::{acts_or_hides, redacted};

/// So many bytes are looked through and written on at once.
const ENOUGH: usize = 16 * 1024;

/// Writes JSON on, as it comes from a serializer, which never parts a character; the last of it once it
/// is flushed.
pub(super) struct Harmless<W> {
    out: W,
    /// What is not written on yet. It begins outside of a string.
    text: Vec<u8>,
    /// So much of it ends behind a string.
    whole: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl<W: Write> Harmless<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, text: Vec::new(), whole: 0, is_in_string: false, is_escaped: false }
    }

    /// Writes on what ends behind a string.
    fn write_on(&mut self) -> io::Result<()> {
        let whole = self.text.get(..self.whole).unwrap_or_default();
        let mut text = std::str::from_utf8(whole).map_err(io::Error::other)?;
        let acts = |byte: u8| !matches!(byte, b'\n' | b' '..=b'~');
        if !text.bytes().any(acts) && matches!(redacted(text), Cow::Borrowed(_)) {
            self.out.write_all(whole)?;
            text = "";
        }
        while let Some((before, string)) = text.find('"').and_then(|at| text.split_at_checked(at)) {
            let (string, behind) = string.split_at(length(string));
            self.out.write_all(before.as_bytes())?;
            self.out.write_all(harmless(&unsecret(string)).as_bytes())?;
            text = behind;
        }
        self.out.write_all(text.as_bytes())?;
        self.text.drain(..self.whole);
        self.whole = 0;
        Ok(())
    }
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        for byte in json {
            self.text.push(*byte);
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => {
                    self.is_in_string = !self.is_in_string;
                    if !self.is_in_string {
                        self.whole = self.text.len();
                    }
                }
                _ => {}
            }
        }
        if self.whole >= ENOUGH {
            self.write_on()?;
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.whole = self.text.len();
        self.write_on()?;
        self.out.flush()
    }
}

/// How long the string is that a text begins with, with its quotes.
fn length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let closes = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        closes
    });
    end.map_or(text.len(), |end| end + 2)
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
        out.flush().unwrap();
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
    fn a_long_document_is_written_on_part_by_part_and_each_string_whole() {
        crate::domain::learn_secret("never|printed|either");
        let long = "\\\" ".repeat(ENOUGH);
        let rows = vec!["plain", "x never|printed|either", &long, "\u{1b}[2J", "never|"];
        let document = serde_json::to_string_pretty(&vec![rows; 20]).unwrap();
        let mut printed = Vec::new();
        let mut out = Harmless::new(&mut printed);
        for character in document.chars() {
            out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes()).unwrap();
            assert!(out.text.len() < ENOUGH + 2 * long.len());
        }
        out.flush().unwrap();
        let said: Vec<Vec<String>> = serde_json::from_slice(&printed).unwrap();
        let redacted = ["plain", "x [redacted]", &long, "\u{1b}[2J", "never|"];
        assert!(said.iter().all(|row| *row == redacted));
        assert!(!printed.contains(&0x1b));
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
