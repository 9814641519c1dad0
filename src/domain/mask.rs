//! Texts that do not give a customer away, for demos and shared screens.
//!
//! While a mask is on, no number, label, note, URL or host comes out of it readable. It changes
//! what is shown and copied, never what is held, sent or written to a run file.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{EventId, ExtensionNumber, Foreign, UserId, redacted};

/// What stands where something is not to be seen; one for each column.
const HIDDEN: &str = "#";

/// A number of fewer digits is taken for one in a sentence only where it stands alone, so that the
/// ids of events stay readable there.
const TELLING: usize = 3;

/// Endings that make a word with dots the name of a file rather than of a host.
const FILES: [&str; 6] = ["json", "jsonl", "log", "pem", "php", "toml"];

/// Hides what could identify a customer; knows what to look for in sentences.
#[derive(Debug, Clone)]
pub struct Mask {
    on: bool,
    /// The PBX itself, without its port.
    host: String,
    /// Every number that was seen, and what stands between the `*` of it.
    numbers: HashSet<ExtensionNumber>,
    /// What people call extensions and their owners, by the first word of it.
    names: HashMap<String, Vec<String>>,
}

impl Mask {
    /// A mask that knows the host of the PBX, with or without a port.
    pub fn new(host: &str, on: bool) -> Self {
        let (host, numbers, names) =
            (without_port(host).to_owned(), HashSet::new(), HashMap::new());
        Self { on, host, numbers, names }
    }

    /// A mask that hides nothing; commands print with it.
    pub fn off() -> Self {
        Self::new("", false)
    }

    /// Whether anything is masked.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Turns the mask on or off.
    pub fn toggle(&mut self) {
        self.on = !self.on;
    }

    /// From now on this number is recognised in sentences, and so are its parts: people who name
    /// `0003*210` to each other say 210.
    pub fn learn(&mut self, number: &ExtensionNumber) {
        let parts = number.as_str().split('*').filter(|part| part.len() >= TELLING);
        self.numbers.extend(parts.filter_map(|part| ExtensionNumber::parse(part).ok()));
        self.numbers.insert(number.clone());
    }

    /// From now on this label, or name of an owner, is recognised in sentences.
    pub fn learn_name(&mut self, name: &Foreign) {
        let name = name.to_string();
        let name = name.trim_matches(|character| !is_of_word(character));
        let first = first_word(name);
        if name.chars().count() >= TELLING {
            let known = self.names.entry(first.to_owned()).or_default();
            if !known.iter().any(|one| one == name) {
                known.push(name.to_owned());
            }
        }
    }

    /// How long the name is that the text begins with, where one is known.
    fn name_end(&self, text: &str) -> Option<usize> {
        let names = self.names.get(first_word(text))?.iter();
        let whole = |name: &&String| {
            let after = text.strip_prefix(name.as_str());
            after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
        };
        names.filter(whole).map(String::len).max()
    }

    /// A number as wide as before. The same number looks the same everywhere. Its last two digits
    /// stay, so that neighbouring rows mostly look different; numbers that end alike look alike.
    /// Of three or four digits only the last one stays, of fewer none, and never all digits behind
    /// the last `*`.
    pub fn number(&self, number: &ExtensionNumber) -> String {
        self.seen_number(number).into_owned()
    }

    /// What [`number`](Self::number) says, copied only while the mask is on.
    pub fn seen_number<'a>(&self, number: &'a ExtensionNumber) -> Cow<'a, str> {
        if self.on { hidden_digits(number.as_str()).into() } else { number.as_str().into() }
    }

    /// A label, a note or anything else that may say anything: blanks and signs stay.
    pub fn words(&self, words: &Foreign) -> String {
        self.seen_words(words).into_owned()
    }

    /// What [`words`](Self::words) says, copied only where it must be.
    pub fn seen_words<'a>(&self, words: &'a Foreign) -> Cow<'a, str> {
        let shown = words.shown();
        if self.on { hidden(&shown).into() } else { shown }
    }

    /// The URL of an event: the scheme and the signs between the parts stay.
    pub fn url(&self, url: &Foreign) -> String {
        self.seen_url(url).into_owned()
    }

    /// What [`url`](Self::url) says, copied only where it must be.
    pub fn seen_url<'a>(&self, url: &'a Foreign) -> Cow<'a, str> {
        let shown = url.shown();
        if self.on { hidden_url(&shown).into() } else { shown }
    }

    /// A host with or without a port, or an origin, as it may be shown.
    pub fn host(&self, host: &str) -> String {
        if self.on { hidden_url(host) } else { redacted(host).into_owned() }
    }

    /// The path of a request to the service: the number in it goes, user, type and id stay.
    pub fn path(&self, path: &str) -> String {
        let path = &*redacted(path);
        if !self.on {
            return path.to_owned();
        }
        self.service_path(path).unwrap_or_else(|| self.sentence(path))
    }

    /// A sentence of the program or of the service: known numbers, whatever holds digits and `*`,
    /// hosts and URLs go; codes, ids of events and all other words stay.
    ///
    /// A count or a date that happens to be a known number goes as well.
    pub fn text(&self, text: &str) -> String {
        let text = redacted(text);
        if self.on { self.sentence(&text) } else { text.into_owned() }
    }

    /// A line that an operator typed; any word in it may name a customer.
    pub fn typed(&self, text: &str) -> String {
        self.words(&Foreign::from(text))
    }

    /// What stands in double quotes was typed or comes from a customer's data: all of it goes.
    fn sentence(&self, text: &str) -> String {
        let mut parts = text.split('"');
        let mut masked = self.unquoted(parts.next().unwrap_or_default());
        let mut quoted = true;
        for part in parts {
            masked.push('"');
            let is_url = part.starts_with("http") && !part.contains(char::is_whitespace);
            let whole = quoted && !is_url;
            masked.push_str(&if whole { hidden(part) } else { self.unquoted(part) });
            quoted = !quoted;
        }
        masked
    }

    fn unquoted(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (shown, length) = match first {
                '[' => address(rest),
                '/' => {
                    let path = rest.get(..url_end(rest)).unwrap_or_default();
                    self.service_path(path).map(|shown| (shown, path.len()))
                }
                _ => self.word(rest),
            }
            .unwrap_or_else(|| (first.to_string(), first.len_utf8()));
            masked.push_str(&shown);
            rest = rest.get(length..).unwrap_or_default();
        }
        masked
    }

    /// The path of a request of this program, where it is one.
    fn service_path(&self, path: &str) -> Option<String> {
        let (segments, query) = path.split_at(path.find('?').unwrap_or(path.len()));
        let (before, after) = segments.split_once("/extensions/")?;
        let masked = after.splitn(6, '/').enumerate().map(|(place, segment)| match place {
            0 if UserId::parse(segment).is_ok() => segment.to_owned(),
            1 => {
                let end = segment.find(|character| !is_of_number(character));
                let (number, after) = segment.split_at(end.unwrap_or(segment.len()));
                format!("{}{}", hidden_digits(number), self.sentence(after))
            }
            3 | 4 if EventId::is_valid(segment) => segment.to_owned(),
            _ => self.sentence(segment),
        });
        let (before, after) = (self.sentence(before), masked.collect::<Vec<_>>().join("/"));
        Some(format!("{before}/extensions/{after}{}", self.sentence(query)))
    }

    /// The word that the text begins with, with what belongs to it where it is a host or a scheme.
    fn word(&self, text: &str) -> Option<(String, usize)> {
        let (word, after) = text.split_at(word_end(text));
        if word.is_empty() {
            return None;
        }
        if let Some(name) = self.name_end(text).and_then(|end| text.get(..end)) {
            return Some((hidden(name), name.len()));
        }
        if let Some(address) = after.strip_prefix("://") {
            let whole = address.get(..url_end(address))?;
            let host = whole.get(..host_end(whole))?;
            // What follows the host of the PBX itself is one of its paths.
            let masked = if self.is_own(without_port(host)) { host } else { whole };
            let shown = hidden_url(&format!("{word}://{masked}"));
            return Some((shown, word.len() + "://".len() + masked.len()));
        }
        if !self.is_host(word) {
            return Some((self.numbers(word), word.len()));
        }
        let port = after.strip_prefix(':').map_or(0, |port| 1 + digits(port));
        let rest = after.get(port..)?;
        let path = if self.is_own(word) || !rest.starts_with(['/', '\\', '?', '#']) {
            0
        } else {
            url_end(rest)
        };
        let all = text.get(..word.len() + port + path)?;
        Some((hidden(all), all.len()))
    }

    fn is_own(&self, host: &str) -> bool {
        !self.host.is_empty() && host.eq_ignore_ascii_case(&self.host)
    }

    /// The PBX, an IPv4 address, or labels between dots of which the last begins with a letter. An
    /// address of mail is one too, with who it belongs to.
    fn is_host(&self, word: &str) -> bool {
        let word = word.trim_matches(|character: char| !character.is_alphanumeric());
        if self.is_own(word) || word.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let domain = word.rsplit('@').next().unwrap_or(word);
        let labels: Vec<&str> = domain.split('.').filter(|label| !label.is_empty()).collect();
        let [_, .., last] = labels.as_slice() else { return false };
        let is_number = |label: &&str| label.bytes().all(|byte| byte.is_ascii_digit());
        let named = last.starts_with(char::is_alphabetic) && last.chars().count() > 1;
        named && !FILES.contains(last) || labels.len() == 4 && labels.iter().all(is_number)
    }

    /// Every number in a word masked.
    fn numbers(&self, word: &str) -> String {
        let mut masked = String::with_capacity(word.len());
        let mut rest = word;
        while let Some(start) = rest.find(is_of_number) {
            let (before, number) = rest.split_at(start);
            let end = number.find(|character| !is_of_number(character)).unwrap_or(number.len());
            let (number, after) = number.split_at(end);
            masked.push_str(before);
            let alone = word.trim_matches(|character: char| !character.is_alphanumeric()) == number;
            let known = (alone || number.len() >= TELLING) && self.numbers.contains(number);
            let hide = known || number.contains('*');
            masked.push_str(&if hide { hidden_digits(number) } else { number.to_owned() });
            rest = after;
        }
        masked.push_str(rest);
        masked
    }
}

fn is_of_number(character: char) -> bool {
    character.is_ascii_digit() || character == '*'
}

fn is_of_word(character: char) -> bool {
    let sign = matches!(character, '-' | '_' | '.' | '@' | '*' | '+' | '%' | '~');
    sign || character.is_alphanumeric() || character.width() == Some(0)
}

/// How long the word is that the text begins with.
fn word_end(text: &str) -> usize {
    text.find(|character| !is_of_word(character)).unwrap_or(text.len())
}

/// The word that the text begins with, without what may close a sentence.
fn first_word(text: &str) -> &str {
    let word = text.get(..word_end(text)).unwrap_or_default();
    word.trim_end_matches(|character: char| !character.is_alphanumeric())
}

/// An IPv6 address in brackets, where the text begins with one, and its length.
fn address(text: &str) -> Option<(String, usize)> {
    let (inside, _) = text.strip_prefix('[')?.split_once(']')?;
    let fits = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let is_address = inside.bytes().all(fits) && inside.matches(':').count() >= 2;
    let length = inside.len() + "[]".len();
    is_address.then(|| (hidden(text.get(..length).unwrap_or_default()), length))
}

/// How long a URL or path is that the text begins with: up to what cannot stand in one.
fn url_end(text: &str) -> usize {
    let stops =
        |character: char| character.is_whitespace() || matches!(character, '"' | '<' | '>' | '`');
    text.find(stops).unwrap_or(text.len())
}

/// How long the host is that the text begins with.
fn host_end(text: &str) -> usize {
    text.find(['/', '?', '#']).unwrap_or(text.len())
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if digits(port) == port.len() => name,
        Some(_) | None => host,
    }
}

/// Digits as they are shown while the mask is on; `*` stays.
fn hidden_digits(number: &str) -> String {
    let last = number.bytes().rev().take_while(u8::is_ascii_digit).count();
    let kept = match number.bytes().filter(u8::is_ascii_digit).count() {
        0..=2 => 0,
        3..=4 => 1,
        5.. => 2,
    };
    // What people dial is never left whole.
    let kept = kept.min(last.saturating_sub(1));
    let hide = |character: char| if character.is_ascii_digit() { '#' } else { character };
    let (hidden, left) = number.split_at(number.len() - kept);
    hidden.chars().map(hide).chain(left.chars()).collect()
}

/// A scheme that names nobody stays.
fn hidden_url(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) if matches!(scheme, "http" | "https" | "HTTP" | "HTTPS") => {
            format!("{scheme}://{}", hidden(rest))
        }
        Some(_) | None => hidden(url),
    }
}

/// Everything but blanks and ASCII signs replaced, in as many columns.
fn hidden(text: &str) -> String {
    let stays = |character: char| character == ' ' || character.is_ascii_punctuation();
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end =
            if stays(first) { first.len_utf8() } else { rest.find(stays).unwrap_or(rest.len()) };
        let (part, after) = rest.split_at(end);
        if stays(first) {
            masked.push_str(part);
        } else {
            masked.push_str(&HIDDEN.repeat(part.width()));
        }
        rest = after;
    }
    masked
}

#[cfg(test)]
mod tests;
