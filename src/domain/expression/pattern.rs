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

impl Glyph {
    pub(super) fn is_digit(self) -> bool {
        matches!(self, Self::Just(character) if character.is_ascii_digit())
    }
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
        Self { shape: Shape::of(&glyphs), glyphs, ignore_case }
    }

    /// This text and no other.
    pub(super) fn just(text: &str) -> Self {
        Self::new(text.chars().map(Glyph::Just).collect(), false)
    }

    /// Whether this character is asked for.
    pub(super) fn has(&self, character: char) -> bool {
        self.glyphs.contains(&Glyph::Just(character))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match &self.shape {
            Shape::Whole(whole) => self.same_text(bytes, whole),
            Shape::Start(start) => {
                bytes.get(..start.len()).is_some_and(|bytes| self.same_text(bytes, start))
            }
            Shape::End(end) => {
                let from = bytes.len().checked_sub(end.len());
                let bytes = from.and_then(|from| bytes.get(from..));
                bytes.is_some_and(|bytes| self.same_text(bytes, end))
            }
            Shape::Within(part) if self.ignore_case => holds_ignoring_case(bytes, part.as_bytes()),
            Shape::Within(part) => text.contains(part.as_str()),
            Shape::General => self.walk(text),
        }
    }

    fn same_text(&self, text: &[u8], plain: &str) -> bool {
        text == plain.as_bytes() || self.ignore_case && text.eq_ignore_ascii_case(plain.as_bytes())
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
        holds_ignoring_case(text.as_bytes(), self.needle.as_bytes())
    }
}

/// Places looked at together.
const STRIDE: usize = 16;

/// Whether a part stands in a text, upper and lower case of ASCII letters alike. Millions of texts
/// are asked this while somebody types.
fn holds_ignoring_case(text: &[u8], part: &[u8]) -> bool {
    let (Some(first), Some(last)) = (part.first(), part.last()) else {
        return true;
    };
    // First bytes and last bytes of every place where the part could stand.
    let Some(ends) = text.get(part.len() - 1..) else {
        return false;
    };
    let starts = text.get(..ends.len()).unwrap_or_default();
    let stands_in = |text: &[u8]| text.windows(part.len()).any(|w| w.eq_ignore_ascii_case(part));
    let (Some(last_starts), Some(last_ends)) = (starts.last_chunk(), ends.last_chunk()) else {
        return stands_in(text);
    };
    let (starts, _) = starts.as_chunks();
    let (ends, _) = ends.as_chunks();
    let (first, last) = (Folded::of(*first), Folded::of(*last));
    let may = starts.iter().zip(ends).any(|(starts, ends)| may_stand(starts, ends, first, last))
        // What is left over is looked at with what stands before it.
        || may_stand(last_starts, last_ends, first, last);
    may && stands_in(text)
}

/// A byte that is found whatever its case.
#[derive(Clone, Copy)]
struct Folded {
    byte: u8,
    /// The bit that tells upper from lower case, where it is a letter.
    case: u8,
}

impl Folded {
    fn of(byte: u8) -> Self {
        Self { byte: byte.to_ascii_lowercase(), case: u8::from(byte.is_ascii_alphabetic()) << 5 }
    }

    /// 0 when it is this one.
    fn difference(self, byte: u8) -> u8 {
        (byte | self.case) ^ self.byte
    }
}

/// Without a way out in the middle, so that the compiler compares all bytes at once.
fn may_stand(starts: &[u8; STRIDE], ends: &[u8; STRIDE], first: Folded, last: Folded) -> bool {
    let places = starts.iter().zip(ends);
    let found = places.map(|(start, end)| first.difference(*start) | last.difference(*end) == 0);
    found.map(u8::from).fold(0, |any, found| any | found) > 0
}
