//! From text to expression: first characters with what quotes and backslashes did to them, then
//! terms, then values. Every refusal names the column where it went wrong.

use jiff::civil::Date;
use jiff::{Span as Distance, ZonedDateTime};

use super::pattern::{Glyph, Pattern, Word};
use super::print;
use super::{Age, Days, EventType, Expression, Span, Standing, Term, Test, Unit};

/// Where and why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct ExpressionError {
    /// In characters, the first is 1.
    pub column: usize,
    /// What is wrong there, and what to write instead.
    pub message: String,
}

impl ExpressionError {
    /// The text with a caret below the column, for output in lines of even width.
    pub fn pointed_at(&self, text: &str) -> String {
        let line: String =
            text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        format!("{line}\n{}^", " ".repeat(self.column.saturating_sub(1)))
    }
}

/// One character of the text with its column.
#[derive(Clone, Copy)]
struct Sign {
    character: char,
    form: Form,
    column: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A character outside quotes.
    Plain,
    /// A character between quotes, where only wildcards keep their meaning.
    Quoted,
    /// A character after a backslash.
    Literal,
    /// A quote, which is no part of the value but says that there is one.
    Quote,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Type,
    Extension,
    Kind,
    Owner,
    Label,
    Id,
    Url,
    Host,
    Note,
    Method,
    Status,
    Modified,
    Age,
    Is,
}

impl Key {
    pub(super) const ALL: [(&'static str, Self); 14] = [
        ("type", Self::Type),
        ("ext", Self::Extension),
        ("kind", Self::Kind),
        ("owner", Self::Owner),
        ("label", Self::Label),
        ("id", Self::Id),
        ("url", Self::Url),
        ("host", Self::Host),
        ("note", Self::Note),
        ("method", Self::Method),
        ("status", Self::Status),
        ("modified", Self::Modified),
        ("age", Self::Age),
        ("is", Self::Is),
    ];
}

impl Expression {
    /// Reads an expression about events, in which ages are counted back from `now`; `known` are the
    /// standings that are known where it is asked.
    ///
    /// # Errors
    /// Says at which column the text stops making sense, and what to write there.
    pub fn parse(
        text: &str,
        now: &ZonedDateTime,
        known: &[Standing],
    ) -> Result<Self, ExpressionError> {
        let terms = terms_of(text)?;
        let terms = terms.iter().map(|signs| term(signs, now, known)).collect::<Result<_, _>>()?;
        Ok(Self::of(terms, now.time_zone().clone()))
    }

    /// Reads an expression about extensions: those that have an event that it means. Its words are
    /// about the extension itself.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_for_extensions(
        text: &str,
        now: &ZonedDateTime,
        known: &[Standing],
    ) -> Result<Self, ExpressionError> {
        let Self { terms, zone } = Self::parse(text, now, known)?;
        let named = |term: Term| {
            if let Test::Words(words) = term.test {
                Term { test: Test::Named(words), ..term }
            } else {
                term
            }
        };
        Ok(Self::of(terms.into_iter().map(named).collect(), zone))
    }
}

/// A key by name, and what stands behind its colon.
type Keyed<'a> = (&'static str, Key, &'a [Sign]);

/// Splits the text at its white space, quotes and backslashes resolved.
fn terms_of(text: &str) -> Result<Vec<Vec<Sign>>, ExpressionError> {
    let mut terms = Vec::new();
    let mut term = Vec::new();
    let mut open = None;
    let mut characters = text.chars().zip(1..);
    while let Some((character, column)) = characters.next() {
        let form = match character {
            '\\' => {
                let Some((character, _)) = characters.next() else {
                    let message = "nothing stands behind the \\: write \\\\ for the backslash";
                    return Err(ExpressionError { column, message: message.to_owned() });
                };
                term.push(Sign { character, form: Form::Literal, column: column + 1 });
                continue;
            }
            '"' => {
                open = if open.is_some() { None } else { Some(column) };
                Form::Quote
            }
            _ if open.is_some() => Form::Quoted,
            space if space.is_whitespace() => {
                terms.push(std::mem::take(&mut term));
                continue;
            }
            _ => Form::Plain,
        };
        term.push(Sign { character, form, column });
    }
    if let Some(column) = open {
        let message = "this quote is never closed: write \" at the end, or \\\" for the quote";
        return Err(ExpressionError { column, message: message.to_owned() });
    }
    terms.push(term);
    terms.retain(|term| !term.is_empty());
    Ok(terms)
}

fn is_plain(sign: &Sign, character: char) -> bool {
    sign.form == Form::Plain && sign.character == character
}

fn without_minus(signs: &[Sign]) -> &[Sign] {
    match signs.split_first() {
        Some((first, rest)) if is_plain(first, '-') => rest,
        Some(_) | None => signs,
    }
}

/// The key that a term begins with and the signs of its values; an address such as `http://…`
/// begins with none.
fn key_of(signs: &[Sign]) -> Result<Option<Keyed<'_>>, ExpressionError> {
    let length = signs
        .iter()
        .take_while(|sign| sign.form == Form::Plain && sign.character.is_ascii_alphabetic())
        .count();
    let Some((word, [colon, values @ ..])) = signs.split_at_checked(length) else {
        return Ok(None);
    };
    let address = values.iter().take(2).filter(|sign| is_plain(sign, '/')).count() == 2;
    if length == 0 || !is_plain(colon, ':') {
        return Ok(None);
    }
    let written = text_of(word);
    match Key::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(&written)) {
        Some((name, key)) => Ok(Some((name, *key, values))),
        None if address => Ok(None),
        None => {
            let known: Vec<_> = Key::ALL.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "{written:?} is not a key: write one of {}, or \"{written}:…\" in quotes for the word",
                known.join(", ")
            );
            Err(error(word, message))
        }
    }
}

fn term(signs: &[Sign], now: &ZonedDateTime, known: &[Standing]) -> Result<Term, ExpressionError> {
    let rest = without_minus(signs);
    let negated = rest.len() < signs.len();
    if negated && rest.first().is_some_and(|sign| is_plain(sign, '-')) {
        let message = "one - negates: write one, or quotes for a word that begins with it";
        return Err(error(rest, message.to_owned()));
    }
    if rest.is_empty() {
        let message = "nothing stands behind the -: write a term there, or \"-\" for the sign";
        return Err(error(signs, message.to_owned()));
    }
    // A missing value is pointed at where it would begin.
    let behind = rest.last().map_or(1, |sign| sign.column + 1);
    let Some((name, key, values)) = key_of(rest)? else {
        let words = alternatives(rest, behind, "")?;
        return Ok(Term { negated, test: Test::Words(each(&words, word)?) });
    };
    let values = alternatives(values, behind, name)?;
    let test = match key {
        Key::Type => Test::Type(each(&values, event_type)?),
        Key::Method => Test::Method(each(&values, |v| choice(v, name, METHODS))?),
        Key::Status => Test::Status(each(&values, |v| choice(v, name, STATUSES))?),
        Key::Kind => Test::Kind(each(&values, |v| choice(v, name, KINDS))?),
        Key::Modified => Test::Modified(each(&values, span)?),
        Key::Age => Test::Age(each(&values, |v| age(v, now))?),
        Key::Is => Test::Is(each(&values, |v| standing(v, known))?),
        Key::Owner => Test::Owner(each(&values, |v| pattern(v, name, key))?),
        Key::Label => Test::Label(each(&values, |v| pattern(v, name, key))?),
        Key::Extension => Test::Extension(each(&values, |v| pattern(v, name, key))?),
        Key::Id => Test::Id(each(&values, |v| pattern(v, name, key))?),
        Key::Host => Test::Host(each(&values, |v| pattern(v, name, key))?),
        Key::Url => Test::Url(each(&values, |v| pattern(v, name, key))?),
        Key::Note => Test::Note(each(&values, |v| pattern(v, name, key))?),
    };
    Ok(Term { negated, test })
}

/// The values between the bars; each is there.
fn alternatives<'a>(
    signs: &'a [Sign],
    behind: usize,
    name: &str,
) -> Result<Vec<&'a [Sign]>, ExpressionError> {
    let values: Vec<_> = signs.split(|sign| is_plain(sign, '|')).collect();
    let mut column = signs.first().map_or(behind, |sign| sign.column);
    for (place, value) in values.iter().enumerate() {
        if value.is_empty() {
            let what =
                if name.is_empty() { "a word".to_owned() } else { format!("a value of {name}:") };
            let message = format!("{what} is missing: write one");
            return Err(ExpressionError { column, message });
        }
        if place > 0
            && let Ok(Some((key, ..))) = key_of(value)
        {
            let message = format!(
                "{key}: cannot stand behind |, which separates values of one key: make it a term \
                 of its own, or put it in quotes"
            );
            return Err(error(value, message));
        }
        column = value.last().map_or(column, |sign| sign.column + 2);
    }
    Ok(values)
}

fn each<T>(
    values: &[&[Sign]],
    read: impl Fn(&[Sign]) -> Result<T, ExpressionError>,
) -> Result<Vec<T>, ExpressionError> {
    values.iter().map(|value| read(value)).collect()
}

/// A word that stands in everything would mean everything, and so would one of wildcards alone,
/// which are themselves in a word: the star stands in most numbers.
fn word(signs: &[Sign]) -> Result<Word, ExpressionError> {
    let text = text_of(signs);
    if text.trim().is_empty() {
        let message = "an empty word would mean every event: write a word, or ext:* for them all";
        return Err(error(signs, message.to_owned()));
    }
    let mut written = signs.iter().filter(|sign| sign.form != Form::Quote);
    if written.all(|sign| is_plain(sign, '*') || is_plain(sign, '?')) {
        let message = format!(
            "{text:?} is no word: write ext:* for every event, or \"{text}\" in quotes for the sign"
        );
        return Err(error(signs, message));
    }
    Ok(Word::new(text))
}

/// A pattern that something does not fit: what means every event says so, with `ext:*`.
fn pattern(signs: &[Sign], name: &str, key: Key) -> Result<Pattern, ExpressionError> {
    let glyph = |sign: &Sign| match (sign.character, sign.form) {
        (_, Form::Quote) => None,
        ('*', Form::Plain | Form::Quoted) => Some(Glyph::Any),
        ('?', Form::Plain | Form::Quoted) => Some(Glyph::One),
        (character, _) => Some(Glyph::Just(character)),
    };
    let mut glyphs: Vec<Glyph> = signs.iter().filter_map(glyph).collect();
    let is_note = key == Key::Note;
    if glyphs.is_empty() {
        let none = if is_note { ", or -note:?* for events without a note" } else { "" };
        return Err(error(signs, format!("{name}: is empty: write a value{none}")));
    }
    // A note may be empty, and so one character of it is something to ask for.
    let open = |glyph: &Glyph| *glyph == Glyph::Any || (*glyph == Glyph::One && !is_note);
    let anything = glyphs.contains(&Glyph::Any) && glyphs.iter().all(open);
    if key != Key::Extension && anything {
        let some = if is_note { ", or note:?* for events with a note" } else { "" };
        let text = text_of(signs);
        let message = format!("{name}:{text} means every event: write ext:* for that{some}");
        return Err(error(signs, message));
    }
    if key == Key::Extension {
        glyphs = with_own_stars(&glyphs);
    } else if key == Key::Label {
        glyphs = in_lower_case(&glyphs);
    }
    Ok(Pattern::new(glyphs, key == Key::Host))
}

/// In a number a star behind a digit is the number's own. A pattern that ends in one goes on in any
/// way.
pub(super) fn with_own_stars(glyphs: &[Glyph]) -> Vec<Glyph> {
    let mut own: Vec<Glyph> = Vec::new();
    for (place, glyph) in glyphs.iter().enumerate() {
        let is_own = *glyph == Glyph::Any && own.last().is_some_and(|before| before.is_digit());
        own.push(if is_own { Glyph::Just('*') } else { *glyph });
        if is_own && place + 1 == glyphs.len() {
            own.push(Glyph::Any);
        }
    }
    own
}

pub(super) fn in_lower_case(glyphs: &[Glyph]) -> Vec<Glyph> {
    let lower = |glyph: &Glyph| match glyph {
        Glyph::Just(character) => character.to_lowercase().map(Glyph::Just).collect(),
        Glyph::One | Glyph::Any => vec![*glyph],
    };
    glyphs.iter().flat_map(lower).collect()
}

fn event_type(signs: &[Sign]) -> Result<EventType, ExpressionError> {
    let written = text_of(signs);
    let named = EventType::NAMED
        .into_iter()
        .find(|event_type| print::name(*event_type).eq_ignore_ascii_case(&written));
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = if digits { written.parse().ok().map(EventType::from_number) } else { None };
    named.or(numbered).ok_or_else(|| {
        let names = EventType::NAMED.map(print::name).join(", ");
        error(signs, format!("{written:?} is not a type: write {names} or a number up to 65535"))
    })
}

/// Names of values as they stand on the wire.
type Names = &'static [(&'static str, &'static str)];

const METHODS: Names = &[("get", "0"), ("post", "1")];
const KINDS: Names =
    &[("phone", "phone"), ("queue", "queue"), ("ivr", "ivr"), ("conference", "conference")];
const STATUSES: Names = &[("on", "1"), ("off", "0"), ("enabled", "1"), ("disabled", "0")];

fn choice(signs: &[Sign], key: &str, names: Names) -> Result<String, ExpressionError> {
    let written = text_of(signs);
    if written.is_empty() {
        return Err(error(signs, format!("{key}: is empty: write a value")));
    }
    // In quotes stands what the service wrote, whatever that is.
    if signs.iter().any(|sign| sign.form == Form::Quote)
        || !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Ok(written);
    }
    let known = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(&written));
    known.map(|(_, wire)| (*wire).to_owned()).ok_or_else(|| {
        let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "{written:?} is not a {key}: write {}, a number, or in quotes what the service wrote",
            names.join(", ")
        );
        error(signs, message)
    })
}

fn standing(signs: &[Sign], known: &[Standing]) -> Result<Standing, ExpressionError> {
    let written = text_of(signs);
    let is_written = |standing: &Standing| standing.word().eq_ignore_ascii_case(&written);
    let found = Standing::ALL.into_iter().find(is_written);
    let remedy = match known {
        [] => "leave is: away here".to_owned(),
        known => {
            let words: Vec<_> = known.iter().map(|standing| standing.word()).collect();
            format!("write {}", words.join(", "))
        }
    };
    match found {
        Some(standing) if known.contains(&standing) => Ok(standing),
        Some(_) => {
            let message = format!("is:{written} works on the screen only: {remedy}");
            Err(error(signs, message))
        }
        None => Err(error(signs, format!("{written:?} is not known behind is: {remedy}"))),
    }
}

fn span(signs: &[Sign]) -> Result<Span, ExpressionError> {
    match signs.split_first() {
        Some((first, rest)) if is_plain(first, '<') => days(rest, signs).map(Span::Before),
        Some((first, rest)) if is_plain(first, '>') => days(rest, signs).map(Span::After),
        Some(_) | None => {
            let dots = signs.windows(2).position(|pair| pair.iter().all(|s| is_plain(s, '.')));
            let Some((from, [_, _, to @ ..])) = dots.and_then(|at| signs.split_at_checked(at))
            else {
                return days(signs, signs).map(|days| Span::Within(days, days));
            };
            let (first, last) = (days(from, signs)?, days(to, signs)?);
            if first.first > last.last {
                let text = text_of(signs);
                return Err(error(
                    signs,
                    format!("{text:?} ends before it begins: write the earlier date first"),
                ));
            }
            Ok(Span::Within(first, last))
        }
    }
}

/// A day, a month or a year; where it is missing, the error stands at the whole value.
fn days(signs: &[Sign], value: &[Sign]) -> Result<Days, ExpressionError> {
    let written = text_of(signs);
    if let Some(days) = Days::parse(&written) {
        return Ok(days);
    }
    let place = if signs.is_empty() { value } else { signs };
    let message = match count_and_unit(&written) {
        // What was changed before a time is older than it, and what was changed behind it younger.
        Some((count, unit)) => {
            let is_before = value.first().is_some_and(|sign| is_plain(sign, '<'));
            let than = if is_before { '>' } else { '<' };
            format!("{written:?} is an age, not a date: write age:{than}{count}{}", unit.letter())
        }
        None => format!(
            "{written:?} is not a date: write 2024-01-31, 2024-01 or 2024, one of them, behind < or \
             >, or two with .. between"
        ),
    };
    Err(error(place, message))
}

impl Days {
    fn parse(text: &str) -> Option<Self> {
        let first = |rest: &str| format!("{text}{rest}").parse::<Date>().ok();
        // The parser takes other forms too.
        let (first, last) = match text.len() {
            4 => first("-01-01").map(|first| (first, first.last_of_year()))?,
            7 => first("-01").map(|first| (first, first.last_of_month()))?,
            _ => first("").map(|first| (first, first))?,
        };
        first.to_string().starts_with(text).then_some(Self { first, last })
    }
}

fn age(signs: &[Sign], now: &ZonedDateTime) -> Result<Age, ExpressionError> {
    let (older, rest) = match signs.split_first() {
        Some((first, rest)) if is_plain(first, '>') => (Some(true), rest),
        Some((first, rest)) if is_plain(first, '<') => (Some(false), rest),
        Some(_) | None => (None, signs),
    };
    let written = text_of(rest);
    let place = if rest.is_empty() { signs } else { rest };
    let (older, (count, unit)) = match (older, count_and_unit(&written)) {
        (Some(older), Some(age)) => (older, age),
        (None, Some((count, unit))) => {
            let text = format!("{count}{}", unit.letter());
            let message = format!("write age:>{text} for older or age:<{text} for younger");
            return Err(error(place, message));
        }
        (older, None) if Days::parse(&written).is_some() => {
            let than = if older == Some(false) { '>' } else { '<' };
            let message = format!("{written:?} is a date, no age: write modified:{than}{written}");
            return Err(error(place, message));
        }
        (_, None) => {
            let message = format!(
                "{written:?} is not an age: write >1y for older than a year, <90d for younger than \
                 90 days; d, w, m and y are days, weeks, months and years"
            );
            return Err(error(place, message));
        }
    };
    let span = match unit {
        Unit::Days => Distance::new().try_days(count),
        Unit::Weeks => Distance::new().try_weeks(count),
        Unit::Months => Distance::new().try_months(count),
        Unit::Years => Distance::new().try_years(count),
    };
    let moment = span.and_then(|span| now.checked_sub(span)).map_err(|_| {
        error(place, format!("{written:?} reaches back before the first date: write fewer"))
    })?;
    Ok(Age { older, count, unit, moment: moment.timestamp() })
}

/// `90d` and the like.
fn count_and_unit(text: &str) -> Option<(u32, Unit)> {
    let unit = text.chars().last()?.to_ascii_lowercase();
    let unit = Unit::ALL.into_iter().find(|known| known.letter() == unit)?;
    let digits = text.get(..text.len().checked_sub(1)?)?;
    let count = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    Some((count?, unit))
}

impl Unit {
    const ALL: [Self; 4] = [Self::Days, Self::Weeks, Self::Months, Self::Years];

    pub(super) fn letter(self) -> char {
        match self {
            Self::Days => 'd',
            Self::Weeks => 'w',
            Self::Months => 'm',
            Self::Years => 'y',
        }
    }
}

fn text_of(signs: &[Sign]) -> String {
    signs.iter().filter(|sign| sign.form != Form::Quote).map(|sign| sign.character).collect()
}

fn error(signs: &[Sign], message: String) -> ExpressionError {
    ExpressionError { column: signs.first().map_or(1, |sign| sign.column), message }
}
