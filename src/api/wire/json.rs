//! JSON as it stands in a body: a value is its part of the text, read only where something is asked
//! of it. No tree is built, so that an answer takes no more memory than its bytes, and what a row
//! holds is there byte for byte.
//!
//! Strings may hold what JSON forbids: bytes that are not UTF-8, halves of surrogate pairs and bare
//! control characters. One of them in one row must not hide the others; who asks is told of it.

use std::borrow::Cow;

/// Open brackets at once: no answer of the service needs more than a few.
const DEEPEST: usize = 128;

/// A value, without blanks around it. Its grammar was checked when the body was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) struct Json<'a>(&'a [u8]);

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Kind {
    Null,
    Flag,
    Number,
    Text,
    List,
    Map,
}

/// Why a text is no JSON, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) struct NoJson {
    pub(in crate::api) expected: &'static str,
    pub(in crate::api) at: usize,
}

impl<'a> Json<'a> {
    /// A text that is one value, from its first byte to its last.
    pub(in crate::api) fn parse(text: &'a [u8]) -> Result<Self, NoJson> {
        let mut walk = Walk { text, at: 0 };
        walk.blanks();
        let value = walk.value(0)?;
        walk.blanks();
        if walk.at < text.len() { Err(walk.expected("the end")) } else { Ok(value) }
    }

    pub(in crate::api) fn kind(self) -> Kind {
        match self.0.first() {
            Some(b'{') => Kind::Map,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::Text,
            Some(b't' | b'f') => Kind::Flag,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// Byte for byte.
    pub(in crate::api) fn written(self) -> &'a [u8] {
        self.0
    }

    /// What a list holds; nothing where it is none.
    pub(in crate::api) fn items(self) -> impl Iterator<Item = Json<'a>> {
        let mut walk = self.inside(Kind::List);
        std::iter::from_fn(move || walk.next_value())
    }

    /// What an object holds, in the order of the text; nothing where it is none.
    pub(in crate::api) fn fields(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        self.pairs().map(|(name, value)| (name.text().0, value))
    }

    /// The field of that name; the last one where a name stands twice, as most parsers have it.
    pub(in crate::api) fn field(self, wanted: &str) -> Option<Json<'a>> {
        self.fields().filter(|(name, _)| name == wanted).last().map(|(_, value)| value)
    }

    /// The value as one text, and whether every byte of it could be read. Objects and lists are as
    /// they are written; `null` is no text: the service writes it for a field it has nothing for.
    pub(in crate::api) fn text(self) -> (Cow<'a, str>, bool) {
        match self.kind() {
            Kind::Null => (Cow::Borrowed(""), true),
            Kind::Text => unquoted(self.0),
            Kind::Flag | Kind::Number | Kind::List | Kind::Map => {
                (String::from_utf8_lossy(self.0), self.is_readable())
            }
        }
    }

    /// Whether every string in it holds what JSON allows.
    pub(in crate::api) fn is_readable(self) -> bool {
        match self.kind() {
            Kind::Null | Kind::Flag | Kind::Number => true,
            Kind::Text => unquoted(self.0).1,
            Kind::List => self.items().all(Json::is_readable),
            Kind::Map => {
                self.pairs().all(|(name, value)| name.is_readable() && value.is_readable())
            }
        }
    }

    /// A number, or a text that holds one: the service writes both, within one object too.
    pub(in crate::api) fn count(self) -> Option<usize> {
        self.text().0.trim().parse().ok()
    }

    fn pairs(self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> {
        let mut walk = self.inside(Kind::Map);
        std::iter::from_fn(move || {
            let name = walk.next_value()?;
            walk.blanks();
            walk.at += 1;
            Some((name, walk.next_value()?))
        })
    }

    fn inside(self, kind: Kind) -> Walk<'a> {
        let text = if self.kind() == kind { self.0 } else { &[] };
        Walk { text, at: 1 }
    }
}

/// A place in a text.
struct Walk<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expected(&self, expected: &'static str) -> NoJson {
        NoJson { expected, at: self.at }
    }

    fn blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The next value of an object or list that was checked before; a comma may stand in between.
    fn next_value(&mut self) -> Option<Json<'a>> {
        self.blanks();
        if self.byte() == Some(b',') {
            self.at += 1;
            self.blanks();
        }
        let start = self.at;
        match self.byte()? {
            b']' | b'}' => return None,
            b'"' => self.string().ok()?,
            b'[' | b'{' => self.skip_brackets(),
            _ => {
                let rest = self.text.get(start..).unwrap_or_default();
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || *byte <= b' ';
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        Some(Json(self.text.get(start..self.at).unwrap_or_default()))
    }

    /// Goes behind the bracket that closes the one here, in a text that was checked before.
    fn skip_brackets(&mut self) {
        let mut open = 0_usize;
        while let Some(stop) = self.text.get(self.at..).and_then(|rest| {
            rest.iter().position(|byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}'))
        }) {
            self.at += stop;
            match self.byte() {
                Some(b'"') if self.string().is_err() => return,
                Some(b'"') => continue,
                Some(b'[' | b'{') => open += 1,
                _ => open = open.saturating_sub(1),
            }
            self.at += 1;
            if open == 0 {
                return;
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, NoJson> {
        let start = self.at;
        match self.byte() {
            Some(b'"') => self.string()?,
            Some(b'[' | b'{') if depth >= DEEPEST => return Err(self.expected("fewer brackets")),
            Some(b'[') => self.list(depth)?,
            Some(b'{') => self.map(depth)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => {
                let rest = self.text.get(start..).unwrap_or_default();
                let words: [&[u8]; 3] = [b"null", b"true", b"false"];
                let word = words.into_iter().find(|word| rest.starts_with(word));
                self.at += word.ok_or_else(|| self.expected("a value"))?.len();
            }
        }
        Ok(Json(self.text.get(start..self.at).unwrap_or_default()))
    }

    fn list(&mut self, depth: usize) -> Result<(), NoJson> {
        self.at += 1;
        self.blanks();
        if self.byte() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            self.value(depth + 1)?;
            if self.ends(b']')? {
                return Ok(());
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<(), NoJson> {
        self.at += 1;
        self.blanks();
        if self.byte() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            if self.byte() != Some(b'"') {
                return Err(self.expected("a name in quotes"));
            }
            self.string()?;
            self.blanks();
            if self.byte() != Some(b':') {
                return Err(self.expected("a colon"));
            }
            self.at += 1;
            self.blanks();
            self.value(depth + 1)?;
            if self.ends(b'}')? {
                return Ok(());
            }
        }
    }

    /// Takes the comma or bracket behind a value; whether it was the bracket.
    fn ends(&mut self, bracket: u8) -> Result<bool, NoJson> {
        self.blanks();
        match self.byte() {
            Some(byte) if byte == bracket || byte == b',' => {
                self.at += 1;
                Ok(byte == bracket)
            }
            _ => Err(self.expected("a comma or a closing bracket")),
        }
    }

    fn string(&mut self) -> Result<(), NoJson> {
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let stop = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let Some(stop) = stop else {
                self.at = self.text.len();
                return Err(self.expected("a closing quote"));
            };
            self.at += stop;
            if self.byte() == Some(b'"') {
                self.at += 1;
                return Ok(());
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Result<(), NoJson> {
        let letter = self.text.get(self.at + 1);
        let digits = self.text.get(self.at + 2..self.at + 6).unwrap_or_default();
        match letter {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') if digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit) => {
                self.at += 6;
            }
            _ => return Err(self.expected("an escape that JSON knows")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), NoJson> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), NoJson> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }
}

/// What a string says, and whether every byte of it could be read. What could not is replaced.
fn unquoted(quoted: &[u8]) -> (Cow<'_, str>, bool) {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let allowed = inner.iter().all(|byte| *byte >= b' ');
    if !inner.contains(&b'\\') {
        return match std::str::from_utf8(inner) {
            Ok(text) => (Cow::Borrowed(text), allowed),
            Err(_) => (String::from_utf8_lossy(inner), false),
        };
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let (mut rest, mut whole) = (inner, true);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (letter, after) = rest.split_first().map_or((b'\\', rest), |(l, after)| (*l, after));
        rest = after;
        let meant = match letter {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (meant, after) = unescaped(rest);
                rest = after;
                whole &= meant.is_some();
                meant.unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => char::from(other),
        };
        bytes.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
    }
    match String::from_utf8(bytes) {
        Ok(text) => (Cow::Owned(text), allowed && whole),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned().into(), false),
    }
}

/// The character of an escape behind its `\u`, with the second one of a pair; `None` for half a pair.
fn unescaped(text: &[u8]) -> (Option<char>, &[u8]) {
    let unit = |digits: &[u8]| -> Option<u32> {
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let Some((digits, rest)) = text.split_at_checked(4) else { return (None, &[]) };
    let Some(first) = unit(digits) else { return (None, rest) };
    if !(0xd800..0xdc00).contains(&first) {
        return (char::from_u32(first), rest);
    }
    let second = rest.strip_prefix(b"\\u").and_then(|rest| rest.split_at_checked(4));
    let low = second.and_then(|(digits, _)| unit(digits)).filter(|u| (0xdc00..0xe000).contains(u));
    match (low, second) {
        (Some(low), Some((_, after))) => {
            (char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00)), after)
        }
        _ => (None, rest),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;
    use serde_json::Value;

    use super::*;

    fn read(text: &str) -> Json<'_> {
        Json::parse(text.as_bytes()).unwrap()
    }

    /// The same value in the words of a parser that builds trees.
    fn tree(json: Json<'_>) -> Value {
        match json.kind() {
            Kind::Null => Value::Null,
            Kind::Flag => Value::Bool(json.written() == b"true"),
            Kind::Number => serde_json::from_slice(json.written()).unwrap(),
            Kind::Text => json.text().0.into(),
            Kind::List => json.items().map(tree).collect(),
            Kind::Map => json.fields().map(|(name, value)| (name, tree(value))).collect(),
        }
    }

    #[test]
    fn a_value_is_its_part_of_the_text() {
        let text = r#" { "z" : 1 , "a":[ null,true , -2, 1.5e3,"x\"y"],"m":{} } "#;
        let fields: Vec<_> = read(text).fields().map(|(name, value)| (name, value.0)).collect();
        let written: [(Cow<'_, str>, &[u8]); 3] = [
            ("z".into(), b"1"),
            ("a".into(), br#"[ null,true , -2, 1.5e3,"x\"y"]"#),
            ("m".into(), b"{}"),
        ];
        assert_eq!(fields, written);
        let items: Vec<_> = read(text).field("a").unwrap().items().map(Json::kind).collect();
        assert_eq!(items, [Kind::Null, Kind::Flag, Kind::Number, Kind::Number, Kind::Text]);
        assert_eq!((read("7").items().count(), read("[]").fields().count()), (0, 0));
    }

    #[test]
    fn counts_are_read_from_numbers_and_from_texts() {
        assert_eq!(read("45").count(), Some(45));
        assert_eq!(read("\" 45\"").count(), Some(45));
        for text in ["-1", "\"many\"", "null", "1.5", "{}"] {
            assert_eq!(read(text).count(), None, "{text}");
        }
    }

    #[test]
    fn of_two_fields_with_one_name_the_last_counts() {
        let fields = read(r#"{"id":"a","\u0069d":"b"}"#);
        assert_eq!(fields.field("id").unwrap().text().0, "b");
        assert_eq!(fields.field("no"), None);
    }

    #[test]
    fn what_is_no_text_is_replaced_and_told_and_hides_nothing_else() {
        for (inner, said) in [
            (&b"caf\xe9"[..], "caf\u{fffd}"),
            (br"\ud800x", "\u{fffd}x"),
            (br"\udc00", "\u{fffd}"),
            (br"\ud800\ud800\udc00", "\u{fffd}\u{10000}"),
            (br"\ud800A", "\u{fffd}A"),
            (br"\ud800\n", "\u{fffd}\n"),
            (b"a\tb\n", "a\tb\n"),
            (b"\\n\xff", "\n\u{fffd}"),
        ] {
            let body = [b"[1,{\"note\":\"", inner, b"\"},\"ok\"]"].concat();
            let json = Json::parse(&body).unwrap();
            let note = json.items().nth(1).unwrap().field("note").unwrap();
            assert_eq!(note.text(), (said.into(), false), "{inner:?}");
            let readable: Vec<_> = json.items().map(Json::is_readable).collect();
            assert_eq!(readable, [true, false, true], "{inner:?}");
            let named = [b"{\"", inner, b"\":1}"].concat();
            assert!(!Json::parse(&named).unwrap().is_readable(), "{inner:?}");
        }
        let fine = read(r#"["\ud83d\ude00 \u00e9\u0000 é \/\\\""]"#);
        assert!(fine.is_readable());
        assert_eq!(fine.items().next().unwrap().text().0, "😀 é\0 é /\\\"");
    }

    #[test]
    fn brackets_are_followed_only_so_deep() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::parse(nested(DEEPEST).as_bytes()).is_ok());
        assert!(Json::parse(nested(DEEPEST + 1).as_bytes()).is_err());
        assert!(Json::parse("[".repeat(10_000_000).as_bytes()).is_err());
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        for (text, expected, at) in [
            ("", "a value", 0),
            ("nul", "a value", 0),
            ("[1,]", "a value", 3),
            ("[1 2]", "a comma or a closing bracket", 3),
            ("{\"a\" 1}", "a colon", 5),
            ("{a:1}", "a name in quotes", 1),
            ("\"a", "a closing quote", 2),
            (r#""\x""#, "an escape that JSON knows", 1),
            ("01", "the end", 1),
            ("-", "a digit", 1),
            ("[] []", "the end", 3),
        ] {
            assert_eq!(Json::parse(text.as_bytes()), Err(NoJson { expected, at }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_other_parsers_read_and_no_more(
            text in r#"[\[\]{},:"\\ue0-9.+\-truefalsn éa-f\n]{0,30}"#,
        ) {
            let theirs = serde_json::from_str::<IgnoredAny>(&text);
            let ours = Json::parse(text.as_bytes());
            // Line breaks in strings are taken here and told of.
            if theirs.is_ok() || !text.contains('\n') {
                prop_assert_eq!(theirs.is_ok(), ours.is_ok(), "{:?}", text);
            }
            if let (Ok(value), Ok(json)) = (serde_json::from_str::<Value>(&text), ours) {
                prop_assert_eq!(tree(json), value);
            }
        }
    }
}
