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
//!   `enabled`, `disabled` or a number, `kind:` `phone`, `queue`, `ivr` or `conference`; what the
//!   service wrote otherwise stands in quotes.
//! * `id:`, `url:`, `host:`, `note:`, `label:` and `owner:`, which is a user's id, take patterns, where `*` is any text and `?` any
//!   one character. A pattern holds for the whole value, so one without them is the value itself.
//!   Upper and lower case differ, but for `host:` and `label:`. A `host:` with a colon in it is
//!   compared with host and port as they stand in the URL, any other with the host alone.
//! * `ext:` takes a pattern too, but a `*` behind a digit is the number's own: `0003*10` is one
//!   number, `0003*` all that begin so, `*210` all that end so. `\*` is a number's own star always.
//! * `modified:` takes `<day`, `>day`, a range `from..to` with both ends in it, or one day; a month
//!   or a year is all of its days. It is compared with the date as it is shown, in the offset that
//!   the service wrote: `>2024` begins with 2025.
//! * `age:` takes `>1y`, longer ago than a year, or `<90d`, less long ago than 90 days; `d` `w` `m`
//!   `y` are units of the local calendar, counted back from the moment at which it is typed.
//!   Moments are compared; a date without an offset is local time.
//! * `is:` takes what the program itself knows of an event: `duplicate`, `marked`, `failed`.
//! * Anything else is a word, looked for in number, label, url, note and id, ignoring case; `*`
//!   and `?` in a word are themselves.
//!
//! Double quotes keep white space, `|` and `:` together with a value; `*` and `?` keep their
//! meaning in them. A backslash makes the character behind it stand for itself, in quotes or not.
//!
//! A value that is missing or cannot be read (a date, kind, owner or label, a method or status
//! beside the documented ones) matches neither a term nor its negation: such an event is passed over, and
//! counted.
//!
//! An expression about extensions means those that have an event that it means; its words are
//! looked for in number, label and kind.
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

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::bundle::Bundle;
use super::{EventType, Extension, ExtensionKind, ExtensionNumber, Modified, Owner};
use pattern::{Glyph, Pattern, Word};

pub use parse::ExpressionError;
pub use passed::{PassedOver, Unread};
pub(super) use print::name as type_word;

/// What can be written in an expression, for papers: a term, and what it means.
pub const TERMS: [(&str, &str); 15] = [
    (
        "type:hangup",
        "type of the event: dial-in, dial-out, hangup, answer-incoming, answer-outgoing or a number",
    ),
    (
        "ext:0003*10",
        "this number; the * behind a digit is its own. ext:0003* means all that begin so, ext:*210 all that end so, ext:* all",
    ),
    ("kind:queue", "kind of the extension: phone, queue, ivr, conference, or another in quotes"),
    ("owner:101", "user id of the extension's owner"),
    ("label:sales*", "label of the extension, ignoring case"),
    ("id:1187", "id of the event"),
    ("url:*crm-old*", "the whole URL"),
    ("host:crm.acme.test", "host of the URL, ignoring case; with :8443 behind it, host and port"),
    ("note:\"old crm\"", "the note; -note:?* means events without one"),
    ("method:post", "get, post or a number"),
    ("status:off", "on, off or a number"),
    (
        "modified:<2024-05",
        "date as it is shown: a day, a month or a year, < before it, > after its last day, or a range 2023..2024-05 with both ends in it",
    ),
    (
        "age:>1y",
        "changed longer ago than that, or with < less long ago: d days, w weeks, m months, y years of the local calendar, from the moment of typing; a date without an offset is local time",
    ),
    (
        "is:duplicate",
        "another event of its extension has the same type, method and URL and stays: an enabled one, then the newest, then the one listed first; on the screen also marked, and failed in the last run",
    ),
    (
        "crm",
        "a word: in number, label, URL, note or id, ignoring case; in the filter of Extensions in number, label or kind",
    ),
];

/// What is meant; the empty expression, without any term, means everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The cheap ones first, since the first that fails decides; what an extension decides for all
    /// of its events is asked before all else.
    terms: Vec<Term>,
    /// In which dates without an offset are read.
    zone: TimeZone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

/// One of these has to hold. The order is that of their cost.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Extension(Vec<Pattern>),
    /// In the words of [`ExtensionKind::word`].
    Kind(Vec<String>),
    Owner(Vec<Pattern>),
    /// In lower case.
    Label(Vec<Pattern>),
    /// Words about extensions.
    Named(Vec<Word>),
    Type(Vec<EventType>),
    /// Methods as on the wire.
    Method(Vec<String>),
    /// Statuses as on the wire.
    Status(Vec<String>),
    Is(Vec<Standing>),
    Modified(Vec<Span>),
    Age(Vec<Age>),
    Id(Vec<Pattern>),
    Host(Vec<Pattern>),
    Url(Vec<Pattern>),
    Note(Vec<Pattern>),
    Words(Vec<Word>),
}

/// A day, or all days of a month or of a year; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Days {
    first: Date,
    last: Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Before(Days),
    After(Days),
    Within(Days, Days),
}

/// Longer ago, or less long ago, than a number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age {
    older: bool,
    count: u32,
    unit: Unit,
    /// The moment that is so old.
    moment: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Days,
    Weeks,
    Months,
    Years,
}

/// What the program itself knows of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Another event like it stays.
    Duplicate,
    /// The event is marked.
    Marked,
    /// A call for the event failed in the last run.
    Failed,
    /// There is another one like it, whichever stays. Nobody can write this: it is what the grouping
    /// by duplicates shows.
    Alike,
}

/// What holds of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each standing holds or not, whatever the others do"
)]
pub struct Standings {
    /// [`Standing::Duplicate`]
    pub duplicate: bool,
    /// [`Standing::Marked`]
    pub marked: bool,
    /// [`Standing::Failed`]
    pub failed: bool,
    /// [`Standing::Alike`]
    pub alike: bool,
}

/// What an expression says of one event, or of an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The expression matches.
    Meant,
    /// The expression does not match.
    NotMeant,
    /// Not known: a value that the expression asks for cannot be read.
    PassedOver(Unread),
}

/// An expression as far as one extension leaves it open, for many events of that extension.
#[derive(Debug, Clone)]
pub struct Narrowed<'a> {
    /// What of the extension cannot be read.
    unread: Option<Unread>,
    /// The cheap ones first.
    open: Vec<Open<'a>>,
}

/// A term that an extension leaves open. It can be asked about one value of an event at a time, since
/// many events share few.
#[derive(Debug, Clone, Copy)]
pub struct Open<'a> {
    term: &'a Term,
    zone: &'a TimeZone,
}

/// What of an event a term asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    /// The type.
    Type,
    /// The method.
    Method,
    /// Whether it is on.
    Status,
    /// What the program itself knows.
    Standing,
    /// When it was last changed.
    Modified,
    /// The id.
    Id,
    /// The URL, or its host.
    Url,
    /// The note.
    Note,
    /// URL, note and id: one of them has to fit.
    Texts,
}

/// One event and its extension, as far as an expression can ask about them.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Whose event it is.
    pub extension: &'a Extension,
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
    /// What is asked with `is:`.
    pub standings: Standings,
}

impl Standing {
    /// Those that can be written, in that order.
    pub const ALL: [Self; 3] = [Self::Duplicate, Self::Marked, Self::Failed];

    fn word(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Marked => "marked",
            Self::Failed => "failed",
            Self::Alike => "alike",
        }
    }
}

impl Standings {
    fn has(self, standing: Standing) -> bool {
        match standing {
            Standing::Duplicate => self.duplicate,
            Standing::Marked => self.marked,
            Standing::Failed => self.failed,
            Standing::Alike => self.alike,
        }
    }
}

impl Default for Expression {
    fn default() -> Self {
        Self::of(Vec::new(), TimeZone::UTC)
    }
}

impl Expression {
    fn of(mut terms: Vec<Term>, zone: TimeZone) -> Self {
        terms.sort_by_key(|term| term.test.rank());
        Self { terms, zone }
    }

    /// Every event, and says so.
    pub(super) fn every() -> Self {
        let all = Pattern::new(vec![Glyph::Any], false);
        Self::default().and(Test::Extension(vec![all]), false)
    }

    /// The same of these extensions only.
    pub(super) fn and_extensions<'a>(
        self,
        numbers: impl Iterator<Item = &'a ExtensionNumber>,
    ) -> Self {
        let numbers = numbers.map(|number| Pattern::just(number.as_str())).collect();
        self.and(Test::Extension(numbers), false)
    }

    /// The same of these types only, of all where there are none.
    pub(super) fn and_types(self, types: &BTreeSet<EventType>) -> Self {
        if types.is_empty() {
            self
        } else {
            self.and(Test::Type(types.iter().copied().collect()), false)
        }
    }

    /// The same of events that have others like them only.
    pub(super) fn and_alike(self) -> Self {
        self.and(Test::Is(vec![Standing::Alike]), false)
    }

    /// The same with these ids only or, negated, without them; where there are none, with any.
    pub(super) fn and_ids<'a>(self, ids: impl IntoIterator<Item = &'a str>, negated: bool) -> Self {
        let ids: Vec<_> = ids.into_iter().map(Pattern::just).collect();
        if ids.is_empty() { self } else { self.and(Test::Id(ids), negated) }
    }

    fn and(mut self, test: Test, negated: bool) -> Self {
        self.terms.push(Term { negated, test });
        Self::of(self.terms, self.zone)
    }

    /// The ids that are written out where they are asked for, as far as each is one id and no more.
    pub fn named_ids(&self) -> impl Iterator<Item = String> {
        let asked = self.terms.iter().filter(|term| !term.negated);
        let patterns = asked.flat_map(|term| {
            if let Test::Id(patterns) = &term.test { patterns.as_slice() } else { &[] }
        });
        patterns.filter_map(Pattern::text)
    }

    /// True when everything matches because nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True when what is meant changes with marks, failures and other events.
    pub fn asks_standing(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::Is(_)))
    }

    /// Whether an event is meant.
    pub fn judge(&self, event: &Candidate<'_>) -> Verdict {
        Verdict::Meant.and_all(self.terms.iter().map(|term| {
            let decided = term.test.of_extension(event.extension);
            term.says(decided.unwrap_or_else(|| term.test.holds(event, &self.zone)))
        }))
    }

    /// Whether an event is meant, and nothing about it is in doubt.
    pub fn matches(&self, event: &Candidate<'_>) -> bool {
        self.judge(event) == Verdict::Meant
    }

    /// What is left to ask of the events of one extension once it answered for itself; `None` when
    /// none of them can be meant.
    pub fn narrowed(&self, extension: &Extension) -> Option<Narrowed<'_>> {
        let mut narrowed = Narrowed { unread: None, open: Vec::new() };
        for term in &self.terms {
            match term.test.of_extension(extension).map(|answer| term.says(answer)) {
                Some(Ok(false)) => return None,
                Some(Ok(true)) => {}
                Some(Err(unread)) => {
                    narrowed.unread.get_or_insert(unread);
                }
                None => narrowed.open.push(Open { term, zone: &self.zone }),
            }
        }
        Some(narrowed)
    }
}

impl Term {
    /// The answer of its test, negated where it is.
    fn says(&self, answer: Result<bool, Unread>) -> Result<bool, Unread> {
        Ok(answer? != self.negated)
    }
}

impl<'a> Narrowed<'a> {
    /// What holds for every event of the extension alike, where nothing is left to ask them.
    pub fn of_all(&self) -> Option<Verdict> {
        self.open.is_empty().then(|| self.of_extension())
    }

    /// What is said of an event of which everything that is asked holds.
    pub fn of_extension(&self) -> Verdict {
        self.unread.map_or(Verdict::Meant, Verdict::PassedOver)
    }

    /// What is left to ask.
    pub fn open(&self) -> &[Open<'a>] {
        &self.open
    }
}

impl<'a> Open<'a> {
    /// What it asks about.
    pub fn facet(&self) -> Facet {
        match &self.term.test {
            Test::Type(_) => Facet::Type,
            Test::Method(_) => Facet::Method,
            Test::Status(_) => Facet::Status,
            Test::Is(_) => Facet::Standing,
            Test::Modified(_) | Test::Age(_) => Facet::Modified,
            Test::Id(_) => Facet::Id,
            Test::Host(_) | Test::Url(_) => Facet::Url,
            Test::Note(_) => Facet::Note,
            // What is about the extension is never left open.
            Test::Words(_)
            | Test::Extension(_)
            | Test::Kind(_)
            | Test::Owner(_)
            | Test::Label(_)
            | Test::Named(_) => Facet::Texts,
        }
    }

    /// What it says where that fits, or does not: it may be negated.
    pub fn says(&self, fits: bool) -> bool {
        fits != self.term.negated
    }

    /// Whether a type fits.
    pub fn fits_type(&self, event_type: EventType) -> bool {
        matches!(&self.term.test, Test::Type(types) if types.contains(&event_type))
    }

    /// Whether a method or a status fits, as it is written.
    ///
    /// # Errors
    /// Says that nobody can tell.
    pub fn fits_written(&self, written: &str) -> Result<bool, Unread> {
        if let Test::Method(methods) = &self.term.test {
            is_one_of(methods, written).ok_or(Unread::Method)
        } else if let Test::Status(statuses) = &self.term.test {
            is_one_of(statuses, written).ok_or(Unread::Status)
        } else {
            Ok(false)
        }
    }

    /// In which dates without an offset are read.
    pub fn zone(&self) -> &'a TimeZone {
        self.zone
    }

    /// Whether this is asked.
    pub fn asks(&self, standing: Standing) -> bool {
        matches!(&self.term.test, Test::Is(asked) if asked.contains(&standing))
    }

    /// Whether what is known of an event fits.
    pub fn fits_standings(&self, standings: Standings) -> bool {
        let one_holds = |asked: &[Standing]| asked.iter().any(|one| standings.has(*one));
        matches!(&self.term.test, Test::Is(asked) if one_holds(asked))
    }

    /// Whether a date fits.
    ///
    /// # Errors
    /// Says that it cannot be read.
    pub fn fits_modified(&self, modified: &Modified) -> Result<bool, Unread> {
        self.term.test.holds_when(modified, self.zone)
    }

    /// Whether a URL, a note or an id fits; of words, whether one of them is in it. The text may be
    /// known to be ASCII.
    pub fn fits_text(&self, text: &str, is_ascii: bool) -> bool {
        let test = &self.term.test;
        if let Test::Id(patterns) | Test::Note(patterns) = test {
            one_fits(patterns, text)
        } else if let Test::Words(words) = test {
            words
                .iter()
                .any(|word| if is_ascii { word.is_in_ascii(text) } else { word.is_in(text) })
        } else {
            test.holds_for_url(text) == Some(true)
        }
    }

    /// Which texts of a bundle fit.
    pub(super) fn that_fit(&self, bundle: &Bundle) -> Vec<bool> {
        let mut fit = vec![false; bundle.len()];
        let test = &self.term.test;
        if let Test::Words(words) = test {
            for word in words {
                word.find_in(bundle, &mut fit);
            }
        } else if let Test::Url(patterns) | Test::Note(patterns) = test {
            for pattern in patterns {
                pattern.find_in(bundle, &mut fit);
            }
        } else {
            for (text, fits) in bundle.texts().zip(&mut fit) {
                *fits = self.fits_text(text, false);
            }
        }
        fit
    }

    /// Whether the host of a URL decides, and not its port.
    pub(super) fn asks_host_alone(&self) -> bool {
        matches!(&self.term.test, Test::Host(hosts) if !hosts.iter().any(|host| host.has(':')))
    }

    /// Whether a host fits, where it [decides](Self::asks_host_alone).
    pub(super) fn fits_host(&self, host: &str) -> bool {
        matches!(&self.term.test, Test::Host(hosts) if one_fits(hosts, host))
    }
}

impl Verdict {
    /// All have to hold: one that fails decides, whatever is not known of the others.
    fn and_all(self, answers: impl Iterator<Item = Result<bool, Unread>>) -> Self {
        let mut verdict = self;
        for answer in answers {
            verdict = verdict.and(answer);
            if verdict == Self::NotMeant {
                break;
            }
        }
        verdict
    }

    /// What is said where one more has to hold.
    pub(super) fn and(self, answer: Result<bool, Unread>) -> Self {
        match (answer, self) {
            (Ok(false), _) => Self::NotMeant,
            (Err(unread), Self::Meant) => Self::PassedOver(unread),
            (Ok(true) | Err(_), verdict) => verdict,
        }
    }
}

impl Test {
    fn rank(&self) -> u8 {
        match self {
            Self::Extension(_) => 0,
            Self::Kind(_) => 1,
            Self::Owner(_) => 2,
            Self::Label(_) => 3,
            Self::Named(_) => 4,
            Self::Type(_) => 5,
            Self::Method(_) => 6,
            Self::Status(_) => 7,
            Self::Is(_) => 8,
            Self::Modified(_) => 9,
            Self::Age(_) => 10,
            Self::Id(_) => 11,
            Self::Host(_) => 12,
            Self::Url(_) => 13,
            Self::Note(_) => 14,
            Self::Words(_) => 15,
        }
    }

    /// What the extension decides for all of its events at once; an error where what it is asked
    /// for is not known.
    fn of_extension(&self, extension: &Extension) -> Option<Result<bool, Unread>> {
        let (number, label) = (extension.number.as_str(), extension.label.raw());
        match self {
            Self::Extension(patterns) => Some(Ok(one_fits(patterns, number))),
            Self::Kind(kinds) => {
                let is = |kind: &ExtensionKind| kinds.iter().any(|wanted| wanted == kind.word());
                Some(extension.kind.as_ref().map(is).ok_or(Unread::Kind))
            }
            Self::Owner(patterns) => {
                let is = |owner: &Owner| one_fits(patterns, owner.id.as_str());
                Some(extension.owner.as_ref().map(is).ok_or(Unread::Owner))
            }
            Self::Label(_) if label.is_empty() => Some(Err(Unread::Label)),
            Self::Label(patterns) => Some(Ok(one_fits(patterns, &label.to_lowercase()))),
            Self::Named(words) => {
                let kind = extension.kind.as_ref().map(ExtensionKind::to_string);
                let texts = [number, label, kind.as_deref().unwrap_or_default()];
                Some(Ok(words.iter().any(|word| texts.iter().any(|text| word.is_in(text)))))
            }
            Self::Words(words) => {
                let found = words.iter().any(|word| word.is_in(number) || word.is_in(label));
                found.then_some(Ok(true))
            }
            Self::Type(_)
            | Self::Method(_)
            | Self::Status(_)
            | Self::Is(_)
            | Self::Modified(_)
            | Self::Age(_)
            | Self::Id(_)
            | Self::Host(_)
            | Self::Url(_)
            | Self::Note(_) => None,
        }
    }

    /// `None` when more than the URL is asked.
    fn holds_for_url(&self, url: &str) -> Option<bool> {
        match self {
            Self::Host(patterns) => Some(one_fits_host(patterns, url)),
            Self::Url(patterns) => Some(one_fits(patterns, url)),
            Self::Extension(_)
            | Self::Kind(_)
            | Self::Owner(_)
            | Self::Label(_)
            | Self::Named(_)
            | Self::Type(_)
            | Self::Method(_)
            | Self::Status(_)
            | Self::Is(_)
            | Self::Modified(_)
            | Self::Age(_)
            | Self::Id(_)
            | Self::Note(_)
            | Self::Words(_) => None,
        }
    }

    /// Whether it holds for a date; an error where that cannot be read.
    fn holds_when(&self, modified: &Modified, zone: &TimeZone) -> Result<bool, Unread> {
        if let Self::Modified(spans) = self {
            let date = modified.date().ok_or(Unread::Date)?;
            Ok(spans.iter().any(|span| span.contains(date)))
        } else if let Self::Age(ages) = self {
            let instant = modified.instant(zone).ok_or(Unread::Date)?;
            Ok(ages.iter().any(|age| age.is_of(instant)))
        } else {
            Ok(false)
        }
    }

    /// Whether it holds for the event, where its extension did not decide; an error where the value
    /// that it asks for cannot be read.
    fn holds(&self, event: &Candidate<'_>, zone: &TimeZone) -> Result<bool, Unread> {
        Ok(match self {
            Self::Type(types) => types.contains(&event.event_type),
            Self::Method(methods) => is_one_of(methods, event.method).ok_or(Unread::Method)?,
            Self::Status(statuses) => is_one_of(statuses, event.status).ok_or(Unread::Status)?,
            Self::Is(wanted) => wanted.iter().any(|standing| event.standings.has(*standing)),
            Self::Modified(_) | Self::Age(_) => self.holds_when(&event.modified, zone)?,
            Self::Id(patterns) => one_fits(patterns, event.id),
            Self::Host(_) | Self::Url(_) => self.holds_for_url(event.url) == Some(true),
            Self::Note(patterns) => one_fits(patterns, event.note),
            Self::Words(words) => words
                .iter()
                .any(|word| [event.url, event.note, event.id].iter().any(|text| word.is_in(text))),
            Self::Extension(_)
            | Self::Kind(_)
            | Self::Owner(_)
            | Self::Label(_)
            | Self::Named(_) => self.of_extension(event.extension).unwrap_or(Ok(false))?,
        })
    }
}

fn one_fits(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(text))
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
    fn contains(self, date: Date) -> bool {
        match self {
            Self::Before(days) => date < days.first,
            Self::After(days) => date > days.last,
            Self::Within(from, to) => from.first <= date && date <= to.last,
        }
    }
}

impl Age {
    fn is_of(self, instant: Timestamp) -> bool {
        if self.older { instant < self.moment } else { instant > self.moment }
    }
}

/// A pattern that names a port asks for it.
fn one_fits_host(patterns: &[Pattern], url: &str) -> bool {
    let authority = authority_of(url);
    let host = without_port(authority);
    let fits = |pattern: &Pattern| {
        pattern.matches(host) || (pattern.has(':') && pattern.matches(authority))
    };
    patterns.iter().any(fits)
}

/// The host of a URL as it stands there, without user and port; empty when there is none.
///
/// Event URLs hold the service's placeholders, which a strict parser refuses.
pub fn host_of(url: &str) -> &str {
    without_port(authority_of(url))
}

fn without_port(host: &str) -> &str {
    let name = match host.bytes().position(|byte| matches!(byte, b':' | b']')) {
        Some(end) if !host.contains(']') => host.get(..end),
        Some(_) => host.split(']').next().map(|address| address.trim_start_matches('[')),
        None => Some(host),
    };
    name.unwrap_or_default()
}

/// Host and port of a URL as they stand there.
fn authority_of(url: &str) -> &str {
    let mut colons = url.bytes().enumerate().filter(|(_, byte)| *byte == b':');
    let behind = |(at, _)| url.get(at..).and_then(|rest| rest.strip_prefix("://"));
    let Some(rest) = colons.find_map(behind) else { return "" };
    // Hosts are too short to be searched in a cleverer way.
    let (mut start, mut end) = (0, rest.len());
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'@' => start = at + 1,
            b'/' | b'?' | b'#' | b'\\' => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    rest.get(start..end).unwrap_or_default()
}
