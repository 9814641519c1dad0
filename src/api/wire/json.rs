//! JSON as it stands in a body: a value is its part of the text, read only where something is asked
//! of it. No tree is built, so that an answer takes no more memory than its bytes, and what a row
//! holds is there byte for byte.
//!
//! Strings may hold what JSON forbids: bytes that are not UTF-8, halves of surrogate pairs and bare
//! control characters. One of them in one row must not hide the others; who asks is told of it.

use std::borrow::Cow;
use std::ops::Range;

/// Open brackets at once: no answer of the service needs more than a few.
const DEEPEST: usize = 128;

/// A value, without blanks around it. Its grammar was checked when the body was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::api) struct Json<'a> {
    written: &'a [u8],
    /// It is known to be a string that says what is written in it.
    plain: bool,
}

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
        let mut walk = Walk::new(text);
        let value = walk.value()?;
        walk.end()?;
        Ok(value)
    }

    pub(in crate::api) fn kind(self) -> Kind {
        kind_of(self.written.first())
    }

    /// Byte for byte.
    pub(in crate::api) fn written(self) -> &'a [u8] {
        self.written
    }

    /// Whether it is a string that says what is written between its quotes, as far as was seen on the
    /// way past it.
    pub(in crate::api) fn is_plain(self) -> bool {
        self.plain
    }

    /// A value in it.
    pub(in crate::api) fn part(self, place: &Range<u32>) -> Json<'a> {
        Self::of(self.written.get(usual(place)).unwrap_or_default())
    }

    /// What a list holds; nothing where it is none.
    pub(in crate::api) fn items(self) -> impl Iterator<Item = Json<'a>> {
        let mut walk = self.inside(Kind::List);
        std::iter::from_fn(move || walk.next_item().ok()?.then(|| walk.value().ok())?)
    }

    /// What an object holds, in the order of the text; nothing where it is none.
    pub(in crate::api) fn fields(self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> {
        let mut walk = self.inside(Kind::Map);
        std::iter::from_fn(move || Some((walk.next_name().ok()??, walk.value().ok()?)))
    }

    /// The field of that name; the last one where a name stands twice, as most parsers have it.
    pub(in crate::api) fn field(self, wanted: &str) -> Option<Json<'a>> {
        let named = self.fields().filter(|(name, _)| *name.said() == *wanted.as_bytes());
        named.last().map(|(_, value)| value)
    }

    /// The value as one text, and whether every byte of it could be read: what could not is replaced.
    /// Objects and lists are as they are written; `null` is no text: the service writes it for a
    /// field it has nothing for.
    pub(in crate::api) fn text(self) -> (Cow<'a, str>, bool) {
        if let Ok(written) = std::str::from_utf8(self.written) {
            return Self::text_as_written(written);
        }
        let replaced = String::from_utf8_lossy(self.written);
        (Self::text_as_written(&replaced).0.into_owned().into(), false)
    }

    /// The same for a value of which it is known that its bytes are text.
    pub(in crate::api) fn text_as_written(written: &str) -> (Cow<'_, str>, bool) {
        let json = Json::of(written.as_bytes());
        match json.kind() {
            Kind::Null => (Cow::Borrowed(""), true),
            Kind::Text => {
                let inner = inside(written);
                if is_plain(inner.as_bytes()) {
                    return (Cow::Borrowed(inner), true);
                }
                let (said, is_whole) = unescaped(inner.as_bytes());
                (String::from_utf8(said).unwrap_or_default().into(), is_whole)
            }
            Kind::Flag | Kind::Number => (Cow::Borrowed(written), true),
            Kind::List | Kind::Map => (Cow::Borrowed(written), json.is_readable()),
        }
    }

    /// What a string says, whether it is text or not; nothing where it is none.
    pub(in crate::api) fn said(self) -> Cow<'a, [u8]> {
        let inner = self.written.get(1..self.written.len().saturating_sub(1)).unwrap_or_default();
        if self.plain || is_plain(inner) { Cow::Borrowed(inner) } else { unescaped(inner).0.into() }
    }

    /// Whether every string in it, however deep, holds what JSON allows.
    pub(in crate::api) fn is_readable(self) -> bool {
        let mut walk = Walk::new(self.written);
        while walk.seek_string() {
            if !walk.string().is_ok_and(|string| string.text().1) {
                return false;
            }
        }
        true
    }

    /// A number, or a text that holds one: the service writes both, within one object too.
    pub(in crate::api) fn count(self) -> Option<usize> {
        self.text().0.trim().parse().ok()
    }

    fn of(written: &'a [u8]) -> Self {
        Self { written, plain: false }
    }

    fn inside(self, kind: Kind) -> Walk<'a> {
        let mut walk = Walk::new(if self.kind() == kind { self.written } else { &[] });
        walk.begin();
        walk
    }
}

/// A place in a text. Whatever is passed is checked to be JSON.
#[derive(Debug, Clone)]
pub(in crate::api) struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    /// Nothing was passed yet of the list or object that was entered last.
    fresh: bool,
}

impl<'a> Walk<'a> {
    /// At the first value of a text.
    pub(in crate::api) fn new(text: &'a [u8]) -> Self {
        let mut walk = Self { text, at: 0, depth: 0, fresh: false };
        walk.blanks();
        walk
    }

    /// What the value here is, by its first byte.
    pub(in crate::api) fn kind(&self) -> Kind {
        kind_of(self.text.get(self.at))
    }

    /// How far it is.
    pub(in crate::api) fn place(&self) -> usize {
        self.at
    }

    /// The value that began there and was just passed.
    pub(in crate::api) fn since(&self, start: usize) -> Json<'a> {
        Json::of(self.text.get(start..self.at).unwrap_or_default())
    }

    /// That nothing but blanks is left.
    pub(in crate::api) fn end(&mut self) -> Result<(), NoJson> {
        self.blanks();
        if self.at < self.text.len() { Err(self.expected("the end")) } else { Ok(()) }
    }

    /// Enters the list or object here.
    pub(in crate::api) fn enter(&mut self) -> Result<(), NoJson> {
        if self.depth >= DEEPEST {
            return Err(self.expected("fewer brackets"));
        }
        self.begin();
        Ok(())
    }

    fn begin(&mut self) {
        self.depth += 1;
        self.at += 1;
        self.fresh = true;
    }

    /// Goes to the next value of the list that was entered; false where it left it.
    pub(in crate::api) fn next_item(&mut self) -> Result<bool, NoJson> {
        self.next(b']')
    }

    /// Goes to the next value of the object that was entered, and returns its name; `None` where it
    /// left it.
    pub(in crate::api) fn next_name(&mut self) -> Result<Option<Json<'a>>, NoJson> {
        if !self.next(b'}')? {
            return Ok(None);
        }
        if self.byte() != Some(b'"') {
            return Err(self.expected("a name in quotes"));
        }
        let name = self.string()?;
        self.blanks();
        if self.byte() != Some(b':') {
            return Err(self.expected("a colon"));
        }
        self.at += 1;
        self.blanks();
        Ok(Some(name))
    }

    fn next(&mut self, bracket: u8) -> Result<bool, NoJson> {
        self.blanks();
        let fresh = std::mem::take(&mut self.fresh);
        match self.byte() {
            Some(byte) if byte == bracket => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !fresh => {
                self.at += 1;
                self.blanks();
                Ok(true)
            }
            _ if fresh => Ok(true),
            _ => Err(self.expected("a comma or a closing bracket")),
        }
    }

    /// Passes the value here.
    pub(in crate::api) fn value(&mut self) -> Result<Json<'a>, NoJson> {
        let start = self.at;
        match self.byte() {
            Some(b'"') => return self.string(),
            Some(b'[') => {
                self.enter()?;
                while self.next_item()? {
                    self.value()?;
                }
            }
            Some(b'{') => {
                self.enter()?;
                while self.next_name()?.is_some() {
                    self.value()?;
                }
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => {
                let rest = self.text.get(start..).unwrap_or_default();
                let words: [&[u8]; 3] = [b"null", b"true", b"false"];
                let word = words.into_iter().find(|word| rest.starts_with(word));
                self.at += word.ok_or_else(|| self.expected("a value"))?.len();
            }
        }
        Ok(self.since(start))
    }

    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expected(&self, expected: &'static str) -> NoJson {
        NoJson { expected, at: self.at }
    }

    #[inline]
    fn blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Goes to the next string, whatever it stands in; false where there is none.
    fn seek_string(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let quote = rest.iter().position(|byte| *byte == b'"');
        self.at += quote.unwrap_or(rest.len());
        quote.is_some()
    }

    #[inline]
    fn string(&mut self) -> Result<Json<'a>, NoJson> {
        let (start, mut plain) = (self.at, true);
        self.at += 1;
        loop {
            self.at += plain_bytes(self.text.get(self.at..).unwrap_or_default());
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Json { plain, ..self.since(start) });
                }
                Some(b'\\') => self.escape()?,
                Some(_) => self.at += 1,
                None => return Err(self.expected("a closing quote")),
            }
            plain = false;
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

/// What stands between the quotes of a string.
pub(super) fn inside(string: &str) -> &str {
    string.get(1..string.len().saturating_sub(1)).unwrap_or_default()
}

/// A place as slices want it.
pub(super) fn usual(place: &Range<u32>) -> Range<usize> {
    let usual = |end| usize::try_from(end).unwrap_or(usize::MAX);
    usual(place.start)..usual(place.end)
}

fn kind_of(first: Option<&u8>) -> Kind {
    match first {
        Some(b'{') => Kind::Map,
        Some(b'[') => Kind::List,
        Some(b'"') => Kind::Text,
        Some(b't' | b'f') => Kind::Flag,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// How many bytes stand before the first one that ends a string, begins an escape or may not stand in
/// a string. Eight are looked at at a time: most of an answer is strings.
fn plain_bytes(text: &[u8]) -> usize {
    const EACH: u64 = u64::MAX / 0xff;
    let mut rest = text;
    let mut passed = 0;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        // A byte's highest bit is set where it is below the limit; above the first one it may be wrong.
        let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word;
        let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
        let found = (is(b'"') | is(b'\\') | below(word, b' ')) & (EACH << 7);
        if found != 0 {
            return passed + usize::try_from(found.trailing_zeros() / 8).unwrap_or_default();
        }
        (rest, passed) = (behind, passed + 8);
    }
    let stops = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    passed + rest.iter().position(stops).unwrap_or(rest.len())
}

/// Whether a string with this inside says what is written there.
fn is_plain(inner: &[u8]) -> bool {
    plain_bytes(inner) == inner.len()
}

/// What the inside of a string says, and whether it holds only what JSON allows.
fn unescaped(inner: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(inner.len());
    let (mut rest, mut whole) = (inner, true);
    loop {
        let (plain, after) = rest.split_at_checked(plain_bytes(rest)).unwrap_or((rest, &[]));
        bytes.extend_from_slice(plain);
        let Some((&stop, after)) = after.split_first() else { return (bytes, whole) };
        rest = after;
        if stop != b'\\' {
            whole = false;
            bytes.push(stop);
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
                let (meant, after) = code_point(rest);
                rest = after;
                whole &= meant.is_some();
                meant.unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => char::from(other),
        };
        bytes.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// The character of an escape behind its `\u`, with the second one of a pair; `None` for half a pair.
fn code_point(text: &[u8]) -> (Option<char>, &[u8]) {
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
            Kind::Map => json.fields().map(|(name, value)| (name.text().0, tree(value))).collect(),
        }
    }

    #[test]
    fn a_value_is_its_part_of_the_text() {
        let text = r#" { "z" : 1 , "a":[ null,true , -2, 1.5e3,"x\"y"],"m":{} } "#;
        let fields = read(text).fields().map(|(name, value)| (name.text().0, value.written()));
        let fields: Vec<_> = fields.collect();
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
