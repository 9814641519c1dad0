//! The selection expression: which events, or extensions, an operator means by a line of text.
//!
//! ```text
//! type:hangup -status:off url:*crm-old*|*crm-older* modified:<2024-01-01 note:"old crm" acme
//! ```
//!
//! Terms stand between white space and all have to hold; inside a term `a|b` is *or*, and `-`
//! before it negates the whole term.
//!
//! * `type:` takes names or numbers, `method:` `get`, `post` or a number, `status:` `on`, `off`,
//!   `enabled`, `disabled` or a number; what the service wrote otherwise stands in quotes.
//! * `ext:`, `id:`, `url:`, `host:` and `note:` take patterns, where `*` is any text and `?` any
//!   one character. A pattern holds for the whole value, so one without them is the value itself.
//!   Upper and lower case differ, but for `host:`. The `*` in `ext:0003*210` is one too, and an
//!   extension number's own star is among what it stands for.
//! * `modified:` takes `<moment`, `>moment`, a range `from..to` with both ends in it, or one
//!   moment. A moment is an RFC 3339 dateTime or a day, midnight to midnight in UTC; moments are
//!   compared, not texts.
//! * Anything else is a word, looked for in number, label, url, note and id, ignoring case; `*`
//!   and `?` in a word are themselves.
//!
//! Double quotes keep white space, `|` and `:` together with a value; `*` and `?` keep their
//! meaning in them. A backslash makes the character behind it stand for itself, in quotes or not.
//!
//! A value that is missing or cannot be read (a date, a method or status beside the documented
//! ones) matches neither a term nor its negation: such an event is passed over, and counted.
//!
//! No word and no value is empty, and none but `ext:*` means everything by wildcards alone: what a
//! script left empty must not widen a selection. `-note:?*` means events without a note.
//!
//! An expression that was built can be evaluated on anything without failing; parsing one and
//! printing it again gives an equal one.

mod parse;
mod passed;
mod pattern;
mod print;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{EventType, Extension, Modified};
use pattern::{Pattern, Word};

pub use parse::ExpressionError;
pub use passed::{PassedOver, Unread};

/// What is meant; the empty expression, without any term, means everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expression {
    /// The cheap ones first, since the first that fails decides.
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

/// One of these has to hold. The order is that of their cost.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Type(Vec<EventType>),
    /// As on the wire.
    Method(Vec<String>),
    /// As on the wire.
    Status(Vec<String>),
    Modified(Vec<Span>),
    Extension(Vec<Pattern>),
    Id(Vec<Pattern>),
    Host(Vec<Pattern>),
    Url(Vec<Pattern>),
    Note(Vec<Pattern>),
    Words(Vec<Word>),
}

/// An instant, or a whole day; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    first: Timestamp,
    last: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Before(Moment),
    After(Moment),
    Within(Moment, Moment),
}

/// What an expression says of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is meant.
    Meant,
    /// It is not.
    NotMeant,
    /// Nobody can tell: a value that is asked for cannot be read.
    PassedOver(Unread),
}

/// An expression as far as one extension leaves it open, for many events of that extension.
#[derive(Debug, Clone)]
pub struct Narrowed<'a> {
    /// Asked apart, since many events share few URLs.
    of_url: Vec<&'a Term>,
    of_rest: Vec<&'a Term>,
}

/// One event and its extension, as far as an expression can ask about them.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Number of the extension.
    pub number: &'a str,
    /// Label of the extension.
    pub label: &'a str,
    /// Type of the event.
    pub event_type: EventType,
    /// Id of the event.
    pub id: &'a str,
    /// As the service wrote it: `0` is GET, `1` POST.
    pub method: &'a str,
    /// The URL that is requested.
    pub url: &'a str,
    /// The operator's remark.
    pub note: &'a str,
    /// As the service wrote it: `0` is off, `1` on.
    pub status: &'a str,
    /// When it was last changed.
    pub modified: Modified,
}

impl Expression {
    fn of(mut terms: Vec<Term>) -> Self {
        terms.sort_by_key(|term| term.test.rank());
        Self { terms }
    }

    /// True when everything matches because nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether an event is meant.
    pub fn judge(&self, event: &Candidate<'_>) -> Verdict {
        Verdict::of_all(self.terms.iter().map(|Term { negated, test }| {
            let decided = test.decided_by(event.number, event.label);
            let holds = decided.map_or_else(|| test.holds(event), Ok)?;
            Ok(holds != *negated)
        }))
    }

    /// Whether an event is meant, and nothing about it is in doubt.
    pub fn matches(&self, event: &Candidate<'_>) -> bool {
        self.judge(event) == Verdict::Meant
    }

    /// What is left to ask of the events of one extension once it answered for itself; `None` when
    /// none of them can be meant.
    pub fn narrowed(&self, extension: &Extension) -> Option<Narrowed<'_>> {
        let mut narrowed = Narrowed { of_url: Vec::new(), of_rest: Vec::new() };
        for term in &self.terms {
            match term.test.decided_by(extension.number.as_str(), extension.label.raw()) {
                Some(holds) if holds == term.negated => return None,
                Some(_) => {}
                None if matches!(term.test, Test::Host(_) | Test::Url(_)) => {
                    narrowed.of_url.push(term);
                }
                None => narrowed.of_rest.push(term),
            }
        }
        Some(narrowed)
    }

    /// Whether an extension is meant: `ext:` asks for its number, a word for number, label and
    /// kind. What is asked of events alone, an extension does not fail.
    pub fn matches_extension(&self, extension: &Extension) -> bool {
        self.terms
            .iter()
            .all(|term| term.test.holds_for(extension).is_none_or(|holds| holds != term.negated))
    }
}

impl Narrowed<'_> {
    /// True when every event of the extension is meant.
    pub fn is_empty(&self) -> bool {
        self.of_url.is_empty() && self.of_rest.is_empty()
    }

    /// Whether an event of the extension is meant; `by_url` answers
    /// [`matches_url`](Self::matches_url) for its URL.
    pub fn judge(&self, event: &Candidate<'_>, by_url: impl FnOnce() -> bool) -> Verdict {
        let rest = self.of_rest.iter();
        let rest = Verdict::of_all(rest.map(|term| Ok(term.test.holds(event)? != term.negated)));
        let asks = rest != Verdict::NotMeant && !self.of_url.is_empty();
        if asks && !by_url() { Verdict::NotMeant } else { rest }
    }

    /// Whether events with this URL are meant, as far as it decides.
    pub fn matches_url(&self, url: &str) -> bool {
        self.of_url.iter().all(|term| term.test.holds_for_url(url) != Some(term.negated))
    }
}

impl Verdict {
    /// All have to hold: one that fails decides, whatever is not known of the others.
    fn of_all(answers: impl Iterator<Item = Result<bool, Unread>>) -> Self {
        let mut verdict = Self::Meant;
        for answer in answers {
            match (answer, verdict) {
                (Ok(false), _) => return Self::NotMeant,
                (Err(unread), Self::Meant) => verdict = Self::PassedOver(unread),
                (Ok(true) | Err(_), _) => {}
            }
        }
        verdict
    }
}

impl Test {
    fn rank(&self) -> u8 {
        match self {
            Self::Type(_) => 0,
            Self::Method(_) => 1,
            Self::Status(_) => 2,
            Self::Modified(_) => 3,
            Self::Extension(_) => 4,
            Self::Id(_) => 5,
            Self::Host(_) => 6,
            Self::Url(_) => 7,
            Self::Note(_) => 8,
            Self::Words(_) => 9,
        }
    }

    /// What number and label of the extension alone decide, for all of its events at once.
    fn decided_by(&self, number: &str, label: &str) -> Option<bool> {
        match self {
            Self::Extension(patterns) => Some(patterns.iter().any(|p| p.matches(number))),
            Self::Words(words) => {
                let found = words.iter().any(|word| word.is_in(number) || word.is_in(label));
                found.then_some(true)
            }
            Self::Type(_)
            | Self::Method(_)
            | Self::Status(_)
            | Self::Modified(_)
            | Self::Id(_)
            | Self::Host(_)
            | Self::Url(_)
            | Self::Note(_) => None,
        }
    }

    /// `None` when more than the URL is asked.
    fn holds_for_url(&self, url: &str) -> Option<bool> {
        let any = |patterns: &[Pattern], text: &str| patterns.iter().any(|p| p.matches(text));
        match self {
            Self::Host(patterns) => Some(any(patterns, host_of(url))),
            Self::Url(patterns) => Some(any(patterns, url)),
            Self::Type(_)
            | Self::Method(_)
            | Self::Status(_)
            | Self::Modified(_)
            | Self::Extension(_)
            | Self::Id(_)
            | Self::Note(_)
            | Self::Words(_) => None,
        }
    }

    /// Whether it holds for the event, where its extension did not decide; an error where the value
    /// that it asks for cannot be read.
    fn holds(&self, event: &Candidate<'_>) -> Result<bool, Unread> {
        let any = |patterns: &[Pattern], text: &str| patterns.iter().any(|p| p.matches(text));
        Ok(match self {
            Self::Type(types) => types.contains(&event.event_type),
            Self::Method(methods) => is_one_of(methods, event.method).ok_or(Unread::Method)?,
            Self::Status(statuses) => is_one_of(statuses, event.status).ok_or(Unread::Status)?,
            Self::Modified(spans) => {
                let instant = event.modified.instant().ok_or(Unread::Date)?;
                spans.iter().any(|span| span.contains(instant))
            }
            Self::Extension(patterns) => any(patterns, event.number),
            Self::Id(patterns) => any(patterns, event.id),
            Self::Host(_) | Self::Url(_) => self.holds_for_url(event.url) == Some(true),
            Self::Note(patterns) => any(patterns, event.note),
            Self::Words(words) => words
                .iter()
                .any(|word| [event.url, event.note, event.id].iter().any(|text| word.is_in(text))),
        })
    }

    /// `None` when only events can be asked this.
    fn holds_for(&self, extension: &Extension) -> Option<bool> {
        let number = extension.number.as_str();
        match self {
            Self::Extension(patterns) => Some(patterns.iter().any(|p| p.matches(number))),
            Self::Words(words) => Some(words.iter().any(|word| {
                word.is_in(number)
                    || word.is_in(extension.label.raw())
                    || extension.kind.as_ref().is_some_and(|kind| word.is_in(kind.word()))
            })),
            Self::Type(_)
            | Self::Method(_)
            | Self::Status(_)
            | Self::Modified(_)
            | Self::Id(_)
            | Self::Host(_)
            | Self::Url(_)
            | Self::Note(_) => None,
        }
    }
}

/// Whether a method or status is one of these. What the documentation does not name may be any of
/// those that it names: only asked for as it is written is it known.
fn is_one_of(wanted: &[String], written: &str) -> Option<bool> {
    let is_documented = |value: &str| matches!(value, "0" | "1");
    let holds = wanted.iter().any(|value| value == written);
    let may_be = || wanted.iter().any(|value| is_documented(value));
    let unknown = written.is_empty() || (!is_documented(written) && may_be());
    (holds || !unknown).then_some(holds)
}

impl Span {
    fn contains(self, instant: Timestamp) -> bool {
        match self {
            Self::Before(moment) => instant < moment.first,
            Self::After(moment) => instant > moment.last,
            Self::Within(from, to) => from.first <= instant && instant <= to.last,
        }
    }
}

/// The host of a URL as it stands there, without user and port; empty when there is none.
///
/// Event URLs hold the service's placeholders, which a strict parser refuses.
pub fn host_of(url: &str) -> &str {
    let scheme = url.as_bytes().windows(3).position(|three| three == b"://");
    let Some(rest) = scheme.and_then(|end| url.get(end + 3..)) else {
        return "";
    };
    let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\'));
    let authority = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.split_once(']') {
        Some((address, _)) => address.trim_start_matches('['),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    }
}
