//! Keeps secrets out of everything that is shown, printed or written: every token, App key and App
//! secret that this process has held is replaced, however it is written.
//!
//! What is known is known to the whole process, as a token that was renewed a minute ago must not be
//! shown either, by no output at all: [`Foreign`](super::Foreign)'s `Display` and whatever makes a
//! failure go through [`redacted`]. Rows of run files and backups do not: they are kept letter by
//! letter.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The words in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A secret with fewer bytes is left alone: it would take ordinary words out of every text. So is
/// what a cut text shows of a longer one.
pub const SHORTEST: usize = 8;

/// The bytes that a character may begin with which is written in another way than by itself.
const ESCAPES: [u8; 4] = [b'%', b'\\', b'&', b'='];

/// How often text is met that is percent-encoded again, or backslashes before a character.
const NESTED: usize = 4;

/// The entities of HTML that stand for characters of tokens.
const ENTITIES: [(&str, u8); 6] =
    [("amp", b'&'), ("lt", b'<'), ("gt", b'>'), ("quot", b'"'), ("apos", b'\''), ("vert", b'|')];

/// What may stand inside a secret without being seen: ends of lines, where a text was wrapped, and
/// what tells a browser that it may do so.
const UNSEEN: [&str; 10] = [
    "\r",
    "\n",
    "\\r",
    "\\n",
    "\u{200b}",
    "\u{ad}",
    "<wbr>",
    "&shy;",
    "&#8203;",
    "&ZeroWidthSpace;",
];

/// How many of them in one place.
const MOST_UNSEEN: usize = 16;

/// What has been learnt, each a spelling that no output holds.
static HELD: RwLock<Option<Arc<Held>>> = RwLock::new(None);

/// All secrets, by the letter that they begin with.
#[derive(Clone)]
struct Held {
    secrets: BTreeMap<u8, Vec<Arc<[u8]>>>,
    /// The bytes with which an occurrence begins, and those that may follow a letter that it begins
    /// with: of most of a text nothing more is asked.
    first: Bytes,
    second: Bytes,
}

/// A set of bytes.
#[derive(Clone)]
struct Bytes([bool; 256]);

impl Bytes {
    fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Self([false; 256]);
        bytes.into_iter().for_each(|byte| set.add(byte));
        set
    }

    fn add(&mut self, byte: u8) {
        if let Some(is_in) = self.0.get_mut(usize::from(byte)) {
            *is_in = true;
        }
    }

    fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|is_in| *is_in)
    }
}

/// Removes this secret, and its base64, from all later output.
pub fn learn(secret: &str) {
    let secret = secret.trim();
    if secret.len() < SHORTEST {
        return;
    }
    let mut held = HELD.write().unwrap_or_else(PoisonError::into_inner);
    if held.as_deref().is_some_and(|held| held.knows(secret.as_bytes())) {
        return;
    }
    let mut more = held.as_deref().cloned().unwrap_or_default();
    more.learn(secret.as_bytes());
    *held = Some(Arc::new(more));
}

/// The text without any secret; most texts come out as they are.
pub fn redacted(text: &str) -> Cow<'_, str> {
    let held = HELD.read().unwrap_or_else(PoisonError::into_inner);
    held.as_ref().map_or(Cow::Borrowed(text), |held| held.redacted(text))
}

impl Default for Held {
    fn default() -> Self {
        let unseen = UNSEEN.iter().filter_map(|unseen| unseen.bytes().next());
        Self {
            secrets: BTreeMap::new(),
            first: Bytes::of(ESCAPES),
            second: Bytes::of(ESCAPES.into_iter().chain(unseen)),
        }
    }
}

impl Held {
    fn knows(&self, secret: &[u8]) -> bool {
        let begins = secret.first().map(u8::to_ascii_lowercase);
        let known = begins.and_then(|begins| self.secrets.get(&begins));
        known.is_some_and(|known| known.iter().any(|known| **known == *secret))
    }

    fn learn(&mut self, secret: &[u8]) {
        let written = in_base64(secret).into_iter().map(String::into_bytes);
        for secret in std::iter::once(secret.to_vec()).chain(written) {
            let Some(begins) = secret.first().map(u8::to_ascii_lowercase) else { continue };
            let places = [&mut self.first, &mut self.second];
            for (bytes, letter) in places.into_iter().zip(&secret) {
                bytes.add(letter.to_ascii_lowercase());
                bytes.add(letter.to_ascii_uppercase());
            }
            self.secrets.entry(begins).or_default().push(secret.into());
        }
    }

    /// Whether an occurrence may begin with this byte, where that one follows.
    fn may_begin(&self, byte: u8, next: Option<&u8>) -> bool {
        let follows = |next: &u8| ESCAPES.contains(&byte) || self.second.has(*next);
        self.first.has(byte) && next.is_some_and(follows)
    }

    fn redacted<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let (mut kept, mut at, mut copied) = (String::new(), 0, 0);
        while let Some(&byte) = bytes.get(at) {
            let begins = self.may_begin(byte, bytes.get(at + 1));
            let end = if begins { self.end(bytes, at) } else { None };
            match end.filter(|end| text.is_char_boundary(at) && text.is_char_boundary(*end)) {
                Some(end) => {
                    kept.push_str(text.get(copied..at).unwrap_or_default());
                    kept.push_str(REDACTED);
                    (at, copied) = (end, end);
                }
                None => at += 1,
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        kept.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(kept)
    }

    /// Where the longest secret ends that begins here.
    fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        let longest =
            |secrets: &Vec<Arc<[u8]>>| secrets.iter().filter_map(|one| end_of(one, text, at)).max();
        match text.get(at)? {
            // What is escaped may be any letter.
            escape if ESCAPES.contains(escape) => self.secrets.values().filter_map(longest).max(),
            letter => self.secrets.get(&letter.to_ascii_lowercase()).and_then(longest),
        }
    }
}

/// Where this secret ends, if it begins here, in any spelling. A text that was cut inside of it ends
/// there.
fn end_of(secret: &[u8], text: &[u8], at: usize) -> Option<usize> {
    let (mut places, mut next) = (Places::default(), Places::default());
    places.add(at);
    for (matched, &byte) in secret.iter().enumerate() {
        for place in places.all() {
            let place = if matched == 0 { place } else { past_unseen(text, place) };
            let rest = text.get(place..).unwrap_or_default();
            let is_cut = rest.is_empty() || rest == "…".as_bytes();
            if matched >= SHORTEST && is_cut && !is_word(secret.get(..matched)) {
                return Some(text.len());
            }
            spellings(rest, byte, &mut |length| next.add(place + length));
        }
        next.all().next()?;
        places = std::mem::take(&mut next);
    }
    places.all().max()
}

/// Places in a text, each once. There are hardly ever several, and those take no allocation: every
/// text of every picture is looked through.
#[derive(Default)]
struct Places {
    few: [Option<usize>; 4],
    more: Vec<usize>,
}

impl Places {
    fn add(&mut self, place: usize) {
        if self.all().any(|known| known == place) {
            return;
        }
        match self.few.iter_mut().find(|free| free.is_none()) {
            Some(free) => *free = Some(place),
            None => self.more.push(place),
        }
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        self.few.iter().flatten().chain(&self.more).copied()
    }
}

/// Whether it may be an ordinary word: the key of an App may well begin with the name of a program.
fn is_word(part: Option<&[u8]>) -> bool {
    part.is_some_and(|part| part.iter().all(u8::is_ascii_lowercase))
}

/// Says the length of each spelling of the byte that the text begins with.
fn spellings(text: &[u8], byte: u8, found: &mut impl FnMut(usize)) {
    let is = |code: u32| u8::try_from(code).is_ok_and(|code| code.eq_ignore_ascii_case(&byte));
    match text {
        [] => return,
        [first, ..] if is(u32::from(*first)) => found(1),
        _ => {}
    }
    match text {
        [sign @ (b'%' | b'='), rest @ ..] => {
            let mut rest = rest;
            for nested in 0..NESTED {
                if code(rest, 2, 16).is_some_and(is) {
                    found(1 + 2 * nested + 2);
                }
                match rest {
                    [b'2', b'5', more @ ..] if *sign == b'%' => rest = more,
                    _ => break,
                }
            }
        }
        [b'\\', ..] => {
            let strokes = text.iter().take(NESTED).take_while(|byte| **byte == b'\\').count();
            match text.get(strokes..).unwrap_or_default() {
                [b'u' | b'U', rest @ ..] if code(rest, 4, 16).is_some_and(is) => found(strokes + 5),
                [b'x' | b'X', rest @ ..] if code(rest, 2, 16).is_some_and(is) => found(strokes + 3),
                [escaped, ..] if is(u32::from(*escaped)) => found(strokes + 1),
                _ => {}
            }
        }
        [b'&', rest @ ..] => {
            let nested = if rest.starts_with(b"amp;") { 4 } else { 0 };
            let rest = rest.get(nested..).unwrap_or_default();
            let end = rest.iter().take(10).position(|byte| *byte == b';');
            let name = end.and_then(|end| rest.get(..end)).unwrap_or_default();
            let stands_for = match name {
                [b'#', b'x' | b'X', digits @ ..] => code(digits, digits.len(), 16),
                [b'#', digits @ ..] => code(digits, digits.len(), 10),
                name => {
                    ENTITIES.iter().find(|(one, _)| one.as_bytes() == name).map(|it| it.1.into())
                }
            };
            if stands_for.is_some_and(is) {
                found(1 + nested + name.len() + 1);
            }
        }
        _ => {}
    }
}

/// The number that so many digits write.
fn code(text: &[u8], digits: usize, radix: u32) -> Option<u32> {
    let digits = text.get(..digits).filter(|digits| !digits.is_empty())?;
    digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

fn past_unseen(text: &[u8], mut at: usize) -> usize {
    for _ in 0..MOST_UNSEEN {
        let rest = text.get(at..).unwrap_or_default();
        match UNSEEN.iter().find(|unseen| rest.starts_with(unseen.as_bytes())) {
            Some(unseen) => at += unseen.len(),
            None => break,
        }
    }
    at
}

/// What base64 of any text holds where the text holds the secret, whatever stands before and behind
/// it: three bytes become four letters, so that there are three ways in.
fn in_base64(secret: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3 {
        let text: Vec<u8> = std::iter::repeat_n(0, before).chain(secret.iter().copied()).collect();
        // A letter that holds bits of what stands before or behind says nothing certain.
        let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for written in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let certain = written.get(first..last).unwrap_or_default().to_owned();
            if certain.len() >= SHORTEST && !found.contains(&certain) {
                found.push(certain);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "1|Ab/cd+ef~7|\"x<9>";

    /// Each byte of the token, written so.
    fn each(written: impl Fn(u8) -> String) -> String {
        TOKEN.bytes().map(written).collect::<Vec<_>>().concat()
    }

    fn without(secret: &str, text: &str) -> String {
        let mut held = Held::default();
        held.learn(secret.as_bytes());
        held.redacted(text).into_owned()
    }

    #[test]
    fn to_look_through_a_text_takes_no_allocation() {
        let mut held = Held::default();
        held.learn(TOKEN.as_bytes());
        let text = "https://1|a.test/Ab?1|Ab=%311|&abc=\\u0031 1|ab/";
        let looked = allocation_counter::measure(|| drop(held.redacted(text)));
        assert_eq!(looked.count_total, 0);
    }

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let percent = each(|byte| format!("%{byte:02x}"));
        let twice = percent.replace('%', "%25");
        let json = each(|byte| format!("\\u{byte:04X}"));
        let entities = each(|byte| format!("&#{byte};"));
        let hexed = each(|byte| format!("&amp;#x{byte:x};"));
        for written in [
            TOKEN,
            &TOKEN.to_lowercase(),
            &percent,
            &twice,
            &json,
            &entities,
            &hexed,
            "1%7CAb%2Fcd%2Bef~7%7C%22x%3C9%3E",
            "1|Ab\\/cd+ef~7|\\\"x<9>",
            "1\\u007cAb\\/cd\\u002bef~7|\\\"x\\x3c9>",
            "1|Ab\\\\/cd+ef~7|\\\\\\\"x<9>",
            "1|Ab/cd+ef~7|&quot;x&lt;9&gt;",
            "1=7CAb/cd+\r\nef~7|\"x<9>",
            "1|Ab/<wbr>cd+ef&shy;~7|\u{200b}\"x<9>",
        ] {
            assert_eq!(without(TOKEN, written), REDACTED, "{written}");
            let said = without(TOKEN, &format!("Bearer {written}, ü {written}."));
            assert_eq!(said, "Bearer [redacted], ü [redacted].", "{written}");
        }
    }

    #[test]
    fn a_secret_is_found_in_base64_whatever_stands_around_it() {
        for text in ["", "Bearer ", "key:", "ü", "a"] {
            for behind in ["", ":x", "\n", "and so on"] {
                let around = format!("{text}{TOKEN}{behind}");
                for written in [STANDARD_NO_PAD.encode(&around), URL_SAFE_NO_PAD.encode(&around)] {
                    let said = without(TOKEN, &format!("Basic {written}=="));
                    assert!(said.contains(REDACTED), "{written}: {said}");
                    let left = said.replace("Basic ", "").replace(REDACTED, "");
                    assert!(left.len() < text.len() * 2 + behind.len() * 2 + 10, "{said}");
                }
            }
        }
    }

    #[test]
    fn a_text_that_was_cut_inside_a_secret_shows_less_than_eight_characters_of_it() {
        assert_eq!(without(TOKEN, "you sent 1|Ab/cd+"), "you sent [redacted]");
        assert_eq!(without(TOKEN, "you sent 1|Ab/cd+e…"), "you sent [redacted]");
        assert_eq!(without(TOKEN, "you sent 1|Ab/cd"), "you sent 1|Ab/cd");
        assert_eq!(without(TOKEN, "you sent 1|Ab/cd+ and so on"), "you sent 1|Ab/cd+ and so on");
    }

    #[test]
    fn a_text_that_ends_in_a_word_is_not_taken_for_one_that_was_cut() {
        let going_on = "it is going on in another callsweep";
        assert_eq!(without("callsweep-app", going_on), going_on);
        assert_eq!(without("callsweep-app", "as callsweep-app"), "as [redacted]");
        assert_eq!(without("callsweep-app", "as callsweep-a"), "as [redacted]");
    }

    #[test]
    fn ordinary_text_stays_and_so_does_all_of_it_beside_a_secret_that_is_short() {
        for text in ["", "ü%", "100 %7C \\ \\u00 &amp &#; &#x; &;", "%25%25%25%25%2", "\\\\\\\\\\"]
        {
            assert_eq!(without(TOKEN, text), text);
        }
        learn("the");
        assert_eq!(redacted("the token"), "the token");
    }

    #[test]
    fn what_was_learnt_stays_learnt_when_more_is() {
        learn("first~secret~of~this~test");
        learn("second~secret~of~this~test");
        let said = redacted("first~secret~of~this~test and second~secret~of~this~test");
        assert_eq!(said, "[redacted] and [redacted]");
    }

    #[test]
    fn a_huge_text_of_escapes_takes_no_time() {
        for one in ["\\", "%25", "&amp;", "&#49;|", "\u{200b}", "1|Ab/cd+\u{200b}"] {
            let text = one.repeat(200_000);
            assert!(!without(TOKEN, &text).is_empty());
        }
    }
}
