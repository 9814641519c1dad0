//! What an answer is that is not JSON, and the remedy: a sentence each, to be put behind "the answer".

use super::json::{Json, NoJson};
use crate::domain::redacted;

/// Longest message of a PBX's own PHP that is quoted, in characters.
const QUOTED_CHARS: usize = 200;
/// Longest other text that is quoted, in characters.
const QUOTED_BESIDE: usize = 60;
/// Brackets at which JSON behind other text is looked for.
const BEGINNINGS: usize = 8;
/// Bytes looked at.
const LOOKED_AT: usize = 4_096;
/// How PHP's messages begin, beside `PHP `.
const MESSAGES: [&str; 7] = [
    "Warning",
    "Notice",
    "Deprecated",
    "Strict Standards",
    "Fatal error",
    "Parse error",
    "Catchable fatal error",
];

/// What a body is, where that can be told, and that it is `no` JSON; it is not empty.
pub(super) fn of(body: &[u8], no: NoJson) -> String {
    known(body).unwrap_or_else(|| {
        format!("is not JSON: {} is missing at byte {} of {}", no.expected, no.at, body.len())
    })
}

fn known(body: &[u8]) -> Option<String> {
    if body.starts_with(b"\x1f\x8b") {
        return Some(coded("gzip"));
    }
    if body.starts_with(b"\x28\xb5\x2f\xfd") {
        return Some(coded("zstd"));
    }
    if matches!(body, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]) {
        return Some(
            "is UTF-16 text instead of UTF-8: mend what stands between this machine and the PBX"
                .to_owned(),
        );
    }
    let start = body.get(..LOOKED_AT).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start();
    let is = |beginning: &str| {
        text.get(..beginning.len()).is_some_and(|t| t.eq_ignore_ascii_case(beginning))
    };
    let page = is("<!doctype") || is("<html") || is("<?xml");
    if let Some(message) = php_message(text).filter(|_| !page) {
        return Some(by_php("begins", &message));
    }
    if let Some((place, other)) = beside(body) {
        if let Some(message) = php_message(&String::from_utf8_lossy(other)) {
            return Some(by_php("ends", &message));
        }
        let other = other.get(..LOOKED_AT).unwrap_or(other);
        let other = String::from_utf8_lossy(other);
        let quoted: String = redacted(other.trim()).chars().take(QUOTED_BESIDE).collect();
        return Some(format!(
            "has other text {place} its JSON ({quoted}): mend what writes it there, on the PBX \
             or on what stands in front of it"
        ));
    }
    if text.starts_with("<?xml") {
        return Some("is XML instead of JSON: is base_path in the profile right?".to_owned());
    }
    text.starts_with('<')
        .then(|| "is a page instead of JSON: is base_path in the profile right?".to_owned())
}

fn by_php(how: &str, message: &str) -> String {
    format!(
        "{how} with a message of the PBX's own PHP ({message}): have it mended there, or \
         display_errors turned off"
    )
}

/// What stands before or behind the one list or object of a body.
fn beside(body: &[u8]) -> Option<(&'static str, &[u8])> {
    let opens = |byte: &u8| matches!(byte, b'[' | b'{');
    let mut brackets = body.iter().enumerate().filter(|(_, byte)| opens(byte)).map(|(at, _)| at);
    let before = brackets.by_ref().take(BEGINNINGS).find_map(|at| {
        let (before, json) = body.split_at_checked(at)?;
        Json::parse(json).is_ok().then_some(("before", before))
    });
    before.or_else(|| {
        let (json, behind) = body.split_at_checked(Json::parse(body).err()?.at)?;
        Json::parse(json).is_ok().then_some(("behind", behind))
    })
}

/// The sentence for a body in a coding that nobody asked for.
pub(in crate::api) fn coded(coding: &str) -> String {
    format!(
        "is compressed ({coding}), which was not asked for: turn compression of JSON off on the \
         PBX, or on the proxy in front of it"
    )
}

/// The message that PHP writes before an answer, with or without HTML around it.
fn php_message(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut in_tag = false;
    for letter in text.chars() {
        match letter {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            letter if letter.is_whitespace() => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    let plain = plain.trim_start();
    let said = plain.strip_prefix("PHP ").unwrap_or(plain).trim_start();
    let (word, _) = said.split_once(':')?;
    if !MESSAGES.contains(&word) {
        return None;
    }
    let words: Vec<_> = said.split_whitespace().collect();
    let line = words.windows(2).position(|pair| pair == ["on", "line"]);
    let words = line.and_then(|at| words.get(..at + 3)).unwrap_or(&words);
    Some(redacted(&words.join(" ")).chars().take(QUOTED_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_answer_is_instead_of_json_is_told_with_the_remedy() {
        for (body, said) in [
            (&b"\x1f\x8b\x08\0\0"[..], "is compressed (gzip)"),
            (b"\x28\xb5\x2f\xfd\x04", "is compressed (zstd)"),
            (b"\xff\xfe{\0}\0", "is UTF-16 text"),
            (b"\0{\0}", "is UTF-16 text"),
            (b" <?xml version=\"1.0\"?><a/>", "is XML instead of JSON"),
            (b"<!DOCTYPE html><p>Warning: no", "is a page instead of JSON"),
        ] {
            let told = known(body).unwrap();
            assert!(told.starts_with(said) && told.contains(':'), "{told}");
        }
        assert_eq!(known(b"OK"), None);
        assert_eq!(known(b"Warning lights"), None);
        assert_eq!(known(b"[1,"), None);
    }

    #[test]
    fn a_message_of_php_is_quoted_and_not_taken_for_a_page() {
        let html = "<br />\n<b>Warning</b>:  Undefined array key \"x\" in <b>/var/www/a.php</b> on \
                    line <b>7</b><br />\n{\"entry\":[]}";
        let plain = "\nPHP Notice:  Undefined index: x in /var/www/a.php on line 7\n{}";
        for (text, said) in [
            (html, "(Warning: Undefined array key \"x\" in /var/www/a.php on line 7)"),
            (plain, "(Notice: Undefined index: x in /var/www/a.php on line 7)"),
            ("<br /><b>Fatal error</b>: no memory", "(Fatal error: no memory)"),
        ] {
            let told = known(text.as_bytes()).unwrap();
            assert!(told.contains(said) && told.contains("display_errors"), "{told}");
            assert!(!told.contains("base_path"), "{told}");
        }
    }

    #[test]
    fn other_text_beside_the_json_is_quoted_and_not_taken_for_a_page() {
        for (text, said) in [
            ("OK\n{\"entry\":[]}", "has other text before its JSON (OK)"),
            ("<div>Hi [1]</div>\n[{\"id\":1}] ", "before its JSON (<div>Hi [1]</div>)"),
            ("<html><p>x</html>[]", "before its JSON (<html><p>x</html>)"),
            ("{\"entry\":[]}\n<!-- 3 ms -->", "has other text behind its JSON (<!-- 3 ms -->)"),
            (
                "[]<b>Warning</b>: x on line <b>3</b>",
                "ends with a message of the PBX's own PHP (Warning: x on line 3)",
            ),
        ] {
            let told = known(text.as_bytes()).unwrap();
            assert!(told.contains(said) && told.contains("mend"), "{told}");
            assert!(!told.contains("base_path"), "{told}");
        }
    }
}
