//! What is compared with text: patterns hold for the whole of it, words for a part.

/// One character of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glyph {
    /// Itself.
    Just(char),
    /// `?`
    One,
    /// `*`
    Any,
}

/// A pattern, with what is plain about it found out beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) glyphs: Vec<Glyph>,
    ignore_case: bool,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Whole(String),
    Start(String),
    End(String),
    Within(String),
    General,
}

impl Pattern {
    /// Upper and lower case of ASCII letters may be alike, as in names of hosts.
    pub(super) fn new(glyphs: Vec<Glyph>, ignore_case: bool) -> Self {
        let shape = if ignore_case { Shape::General } else { Shape::of(&glyphs) };
        Self { glyphs, ignore_case, shape }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Whole(whole) => text == whole,
            Shape::Start(start) => text.starts_with(start.as_str()),
            Shape::End(end) => text.ends_with(end.as_str()),
            Shape::Within(part) => text.contains(part.as_str()),
            Shape::General => self.walk(text),
        }
    }

    /// Goes back to the last `*` only, which is enough: what stood before it fits already.
    fn walk(&self, text: &str) -> bool {
        let (mut pattern, mut rest) = (self.glyphs.as_slice(), text.chars());
        let mut retry = None;
        loop {
            let before = rest.clone();
            let fits = match (pattern.split_first(), rest.next()) {
                (Some((Glyph::Any, behind)), _) => {
                    retry = Some((behind, before.clone()));
                    pattern = behind;
                    rest = before;
                    continue;
                }
                (None, None) => return true,
                (Some((Glyph::One, behind)), Some(_)) => Some(behind),
                (Some((Glyph::Just(wanted), behind)), Some(found)) => {
                    self.same(*wanted, found).then_some(behind)
                }
                (Some((Glyph::One | Glyph::Just(_), _)), None) => return false,
                (None, Some(_)) => None,
            };
            if let Some(behind) = fits {
                pattern = behind;
                continue;
            }
            let Some((behind, mut from)) = retry.take() else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            pattern = behind;
            rest = from.clone();
            retry = Some((behind, from));
        }
    }

    fn same(&self, wanted: char, found: char) -> bool {
        wanted == found || self.ignore_case && wanted.eq_ignore_ascii_case(&found)
    }
}

impl Shape {
    fn of(glyphs: &[Glyph]) -> Self {
        let (open_start, inner) = match glyphs.split_first() {
            Some((Glyph::Any, inner)) => (true, inner),
            Some(_) | None => (false, glyphs),
        };
        let (open_end, inner) = match inner.split_last() {
            Some((Glyph::Any, inner)) => (true, inner),
            Some(_) | None => (false, inner),
        };
        let plain: Option<String> = inner
            .iter()
            .map(|glyph| match glyph {
                Glyph::Just(character) => Some(*character),
                Glyph::One | Glyph::Any => None,
            })
            .collect();
        match (plain, open_start, open_end) {
            (None, ..) => Self::General,
            (Some(text), false, false) => Self::Whole(text),
            (Some(text), false, true) => Self::Start(text),
            (Some(text), true, false) => Self::End(text),
            (Some(text), true, true) => Self::Within(text),
        }
    }
}

/// A part of a text, ignoring case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    needle: String,
}

impl Word {
    pub(super) fn new(text: String) -> Self {
        Self { needle: text.to_lowercase(), text }
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return text.to_lowercase().contains(&self.needle);
        }
        let needle = self.needle.as_bytes();
        let Some(first) = needle.first() else {
            return true;
        };
        text.as_bytes().windows(needle.len()).any(|window| {
            window.first().is_some_and(|byte| byte.eq_ignore_ascii_case(first))
                && window.eq_ignore_ascii_case(needle)
        })
    }
}
