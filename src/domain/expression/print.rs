//! The canonical text of an expression: what parses to an equal one.

use std::fmt::{self, Display, Write};

use super::pattern::{Glyph, Pattern, Word};
use super::{Age, Days, EventType, Expression, Span, Term, Test};

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
            Test::Is(standings) => {
                alternatives(f, "is:", standings, |standing| standing.word().to_owned())
            }
            Test::Kind(kinds) => alternatives(f, "kind:", kinds, |kind| match kind.as_str() {
                "phone" | "queue" | "ivr" | "conference" => kind.clone(),
                other => number_or_quoted(other),
            }),
            Test::Owner(patterns) => alternatives(f, "owner:", patterns, pattern),
            Test::Label(patterns) => alternatives(f, "label:", patterns, pattern),
            Test::Age(ages) => alternatives(f, "age:", ages, Age::to_string),
            Test::Modified(spans) => alternatives(f, "modified:", spans, Span::to_string),
            Test::Extension(patterns) => alternatives(f, "ext:", patterns, number),
            Test::Id(patterns) => alternatives(f, "id:", patterns, pattern),
            Test::Host(patterns) => alternatives(f, "host:", patterns, pattern),
            Test::Url(patterns) => alternatives(f, "url:", patterns, pattern),
            Test::Note(patterns) => alternatives(f, "note:", patterns, pattern),
            Test::Words(words) | Test::Named(words) => alternatives(f, "", words, word),
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

impl Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last {
            first.fmt(f)
        } else if first.month() == last.month() {
            write!(f, "{:04}-{:02}", first.year(), first.month())
        } else {
            write!(f, "{:04}", first.year())
        }
    }
}

impl Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let than = if self.older { '>' } else { '<' };
        write!(f, "{than}{}{}", self.count, self.unit.letter())
    }
}

/// The name of a type in expressions; a type without one is its number.
pub(in crate::domain) fn name(event_type: EventType) -> String {
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

/// A number's own stars stand there as they are, but for one at the end that nothing may follow.
fn number(pattern: &Pattern) -> String {
    let glyphs = &pattern.glyphs;
    let goes_on = |glyphs: &[Glyph]| matches!(glyphs, [Glyph::Just('*'), Glyph::Any]);
    let mut written: Vec<Glyph> = Vec::new();
    for (place, glyph) in glyphs.iter().enumerate() {
        let rest = glyphs.get(place..).unwrap_or_default();
        let is_own = *glyph == Glyph::Just('*')
            && rest.len() > 1
            && written.last().is_some_and(|before| before.is_digit());
        written.push(if is_own { Glyph::Any } else { *glyph });
        if is_own && goes_on(rest) {
            break;
        }
    }
    in_signs(&written)
}

fn pattern(pattern: &Pattern) -> String {
    in_signs(&pattern.glyphs)
}

fn in_signs(glyphs: &[Glyph]) -> String {
    let mut text = String::new();
    let mut bare = !glyphs.is_empty();
    for glyph in glyphs {
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
