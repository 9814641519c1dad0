//! From text to expression: first characters with what quotes and backslashes did to them, then
//! terms, then values. Every refusal names the column where it went wrong.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::pattern::{Glyph, Pattern, Word};
use super::print;
use super::{EventType, Expression, Moment, Span, Term, Test};

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
    /// As it stands.
    Plain,
    /// Between quotes, where only wildcards keep their meaning.
    Quoted,
    /// After a backslash, and nothing but itself.
    Literal,
    /// A quote, which is no part of the value but says that there is one.
    Quote,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Type,
    Extension,
    Id,
    Url,
    Host,
    Note,
    Method,
    Status,
    Modified,
}

impl Key {
    const ALL: [(&'static str, Self); 9] = [
        ("type", Self::Type),
        ("ext", Self::Extension),
        ("id", Self::Id),
        ("url", Self::Url),
        ("host", Self::Host),
        ("note", Self::Note),
        ("method", Self::Method),
        ("status", Self::Status),
        ("modified", Self::Modified),
    ];
}

impl Expression {
    /// Reads an expression about events.
    ///
    /// # Errors
    /// Says at which column the text stops making sense, and what to write there.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        terms_of(text)?.iter().map(|signs| term(signs)).collect::<Result<_, _>>().map(Self::of)
    }

    /// Reads an expression about extensions: words and `ext:` only.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and refuses what can be asked of events alone.
    pub fn parse_for_extensions(text: &str) -> Result<Self, ExpressionError> {
        let terms = terms_of(text)?;
        for signs in &terms {
            if let Some((name, key, _)) = key_of(without_minus(signs))?
                && key != Key::Extension
            {
                let message = format!("{name}: asks about events: write ext: or a word here");
                return Err(error(signs, message));
            }
        }
        terms.iter().map(|signs| term(signs)).collect::<Result<_, _>>().map(Self::of)
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

fn term(signs: &[Sign]) -> Result<Term, ExpressionError> {
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
        Key::Modified => Test::Modified(each(&values, span)?),
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
    let glyphs: Vec<Glyph> = signs.iter().filter_map(glyph).collect();
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
    Ok(Pattern::new(glyphs, key == Key::Host))
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

fn span(signs: &[Sign]) -> Result<Span, ExpressionError> {
    match signs.split_first() {
        Some((first, rest)) if is_plain(first, '<') => moment(rest, signs).map(Span::Before),
        Some((first, rest)) if is_plain(first, '>') => moment(rest, signs).map(Span::After),
        Some(_) | None => {
            let dots = signs.windows(2).position(|pair| pair.iter().all(|s| is_plain(s, '.')));
            let Some((from, [_, _, to @ ..])) = dots.and_then(|at| signs.split_at_checked(at))
            else {
                return moment(signs, signs).map(|moment| Span::Within(moment, moment));
            };
            let (first, last) = (moment(from, signs)?, moment(to, signs)?);
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

/// A day or an instant; where it is missing, the error stands at the whole value.
fn moment(signs: &[Sign], value: &[Sign]) -> Result<Moment, ExpressionError> {
    let written = text_of(signs);
    day(&written).or_else(|| instant(&written)).ok_or_else(|| {
        let place = if signs.is_empty() { value } else { signs };
        let message = format!(
            "{written:?} is not a date: write 2024-01-31 or 2024-01-31T10:00:00Z, one of them, \
             behind < or >, or two with .. between"
        );
        error(place, message)
    })
}

fn day(text: &str) -> Option<Moment> {
    let date: Date = text.parse().ok()?;
    // The parser takes shorter and longer forms too, and drops what it does not need.
    if date.to_string() != text {
        return None;
    }
    let at = |time| Offset::UTC.to_timestamp(date.to_datetime(time)).ok();
    Some(Moment { first: at(Time::MIN)?, last: at(Time::MAX)? })
}

fn instant(text: &str) -> Option<Moment> {
    let instant: Timestamp = text.parse().ok()?;
    Some(Moment { first: instant, last: instant })
}

fn text_of(signs: &[Sign]) -> String {
    signs.iter().filter(|sign| sign.form != Form::Quote).map(|sign| sign.character).collect()
}

fn error(signs: &[Sign], message: String) -> ExpressionError {
    ExpressionError { column: signs.first().map_or(1, |sign| sign.column), message }
}
