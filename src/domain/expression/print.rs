//! The canonical text of an expression: what parses to an equal one.

use std::fmt::{self, Display, Write};

use jiff::tz::Offset;

use super::pattern::{Glyph, Pattern, Word};
use super::{EventType, Expression, Moment, Span, Term, Test};

impl Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, term) in self.terms.iter().enumerate() {
            if place > 0 {
                f.write_char(' ')?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_char('-')?;
        }
        match &self.test {
            Test::Type(types) => alternatives(f, "type:", types, |event_type| name(*event_type)),
            Test::Method(methods) => {
                alternatives(f, "method:", methods, |raw| match raw.as_str() {
                    "0" => "get".to_owned(),
                    "1" => "post".to_owned(),
                    other => number_or_quoted(other),
                })
            }
            Test::Status(statuses) => {
                alternatives(f, "status:", statuses, |raw| match raw.as_str() {
                    "0" => "off".to_owned(),
                    "1" => "on".to_owned(),
                    other => number_or_quoted(other),
                })
            }
            Test::Modified(spans) => alternatives(f, "modified:", spans, Span::to_string),
            Test::Extension(patterns) => alternatives(f, "ext:", patterns, pattern),
            Test::Id(patterns) => alternatives(f, "id:", patterns, pattern),
            Test::Host(patterns) => alternatives(f, "host:", patterns, pattern),
            Test::Url(patterns) => alternatives(f, "url:", patterns, pattern),
            Test::Note(patterns) => alternatives(f, "note:", patterns, pattern),
            Test::Words(words) => alternatives(f, "", words, word),
        }
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(moment) => write!(f, "<{moment}"),
            Self::After(moment) => write!(f, ">{moment}"),
            Self::Within(from, to) if from == to => from.fmt(f),
            Self::Within(from, to) => write!(f, "{from}..{to}"),
        }
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            self.first.fmt(f)
        } else {
            Offset::UTC.to_datetime(self.first).date().fmt(f)
        }
    }
}

/// The name of a type in expressions; a type without one is its number.
pub(super) fn name(event_type: EventType) -> String {
    match event_type {
        EventType::Unknown(number) => number.to_string(),
        EventType::DialIn
        | EventType::DialOut
        | EventType::Hangup
        | EventType::AnswerIncoming
        | EventType::AnswerOutgoing => event_type.to_string().to_lowercase().replace(' ', "-"),
    }
}

fn alternatives<T>(
    f: &mut fmt::Formatter<'_>,
    key: &str,
    values: &[T],
    text: impl Fn(&T) -> String,
) -> fmt::Result {
    f.write_str(key)?;
    f.write_str(&values.iter().map(text).collect::<Vec<_>>().join("|"))
}

fn number_or_quoted(raw: &str) -> String {
    if !raw.is_empty() && raw.bytes().all(|byte| byte.is_ascii_digit()) {
        raw.to_owned()
    } else {
        quoted(raw)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn word(word: &Word) -> String {
    let text = &word.text;
    // A word takes its wildcards for themselves, but there is none of wildcards alone without quotes.
    let wild = text.chars().all(|character| matches!(character, '*' | '?'));
    let bare = text.chars().all(is_plain) && !text.starts_with('-') && !wild;
    if bare { text.clone() } else { quoted(text) }
}

fn pattern(pattern: &Pattern) -> String {
    let mut text = String::new();
    let mut bare = !pattern.glyphs.is_empty();
    for glyph in &pattern.glyphs {
        match glyph {
            Glyph::Any => text.push('*'),
            Glyph::One => text.push('?'),
            Glyph::Just(character) => {
                bare &= is_plain(*character);
                if matches!(character, '*' | '?' | '"' | '\\') {
                    text.push('\\');
                }
                text.push(*character);
            }
        }
    }
    if bare { text } else { format!("\"{text}\"") }
}

/// Characters that mean nothing to the parser, wherever they stand but for a leading `-`.
fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || "-._*?/=&%@+#,;~<>()$!'".contains(character)
}
