//! What is compared with text: patterns hold for the whole of it, words for a part.

use super::super::bundle::Bundle;

/// One character of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glyph {
    /// Exactly this character.
    Just(char),
    /// `?`: any one character.
    One,
    /// `*`: any text.
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
    /// How it begins, what comes somewhere behind that, one after the other, and how it ends.
    Parts(String, Vec<String>, String),
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

    /// The text that it is, where it fits one alone.
    pub(super) fn text(&self) -> Option<String> {
        let letter = |glyph: &Glyph| match glyph {
            Glyph::Just(character) => Some(*character),
            Glyph::One | Glyph::Any => None,
        };
        self.glyphs.iter().map(letter).collect()
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
            Shape::Within(part) => find(bytes, part.as_bytes(), self.ignore_case).is_some(),
            Shape::Parts(start, between, end) => {
                let rest = bytes.split_at_checked(start.len()).and_then(|(begins, rest)| {
                    let (rest, ends) = rest.split_at_checked(rest.len().checked_sub(end.len())?)?;
                    (self.same_text(begins, start) && self.same_text(ends, end)).then_some(rest)
                });
                rest.is_some_and(|rest| self.holds_in_turn(rest, between))
            }
            Shape::General => self.walk(text),
        }
    }

    /// Notes which texts of a bundle it matches.
    pub(super) fn find_in(&self, bundle: &Bundle, fit: &mut [bool]) {
        if let Shape::Within(part) = &self.shape {
            find_each(bundle, part.as_bytes(), self.ignore_case, fit);
            return;
        }
        // What stands in the middle is in few texts; the others are not asked one by one.
        let mut may_fit = vec![true; bundle.len()];
        if let Shape::Parts(_, between, _) = &self.shape
            && let Some(part) = between.iter().max_by_key(|part| part.len())
        {
            may_fit.fill(false);
            find_each(bundle, part.as_bytes(), self.ignore_case, &mut may_fit);
        }
        for ((text, fits), may_fit) in bundle.texts().zip(fit).zip(may_fit) {
            *fits = *fits || may_fit && self.matches(text);
        }
    }

    fn same_text(&self, text: &[u8], plain: &str) -> bool {
        text == plain.as_bytes() || self.ignore_case && text.eq_ignore_ascii_case(plain.as_bytes())
    }

    /// Whether these parts stand in a text, one behind the other.
    fn holds_in_turn(&self, mut text: &[u8], parts: &[String]) -> bool {
        parts.iter().all(|part| {
            let found = find(text, part.as_bytes(), self.ignore_case);
            let behind = found.and_then(|at| text.get(at + part.len()..));
            text = behind.unwrap_or_default();
            behind.is_some()
        })
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
        let parts = glyphs.split(|glyph| *glyph == Glyph::Any).map(plain);
        let Some(mut parts) = parts.collect::<Option<Vec<String>>>() else { return Self::General };
        let start = if parts.is_empty() { String::new() } else { parts.remove(0) };
        let Some(end) = parts.pop() else { return Self::Whole(start) };
        parts.retain(|part| !part.is_empty());
        match (start.is_empty(), parts.is_empty(), end.is_empty()) {
            (_, true, true) => Self::Start(start),
            (true, true, false) => Self::End(end),
            (true, false, true) if parts.len() == 1 => Self::Within(parts.concat()),
            (..) => Self::Parts(start, parts, end),
        }
    }
}

/// The text that these characters are; `None` where one of them is wild.
fn plain(glyphs: &[Glyph]) -> Option<String> {
    let just = |glyph: &Glyph| match glyph {
        Glyph::Just(character) => Some(*character),
        Glyph::One | Glyph::Any => None,
    };
    glyphs.iter().map(just).collect()
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
        if text.is_ascii() {
            self.is_in_ascii(text)
        } else {
            text.to_lowercase().contains(&self.needle)
        }
    }

    /// Notes which texts of a bundle it is in.
    pub(super) fn find_in(&self, bundle: &Bundle, fit: &mut [bool]) {
        find_each(bundle, self.needle.as_bytes(), true, fit);
        // Of letters beyond ASCII the case is not a matter of bytes.
        for place in bundle.beyond_ascii() {
            let fits = usize::try_from(*place).ok().and_then(|place| fit.get_mut(place));
            if let (Some(fits), Some(text)) = (fits, bundle.get(*place)) {
                *fits = *fits || self.is_in(text);
            }
        }
    }

    /// The same of a text that is known to be ASCII.
    pub(super) fn is_in_ascii(&self, text: &str) -> bool {
        find(text.as_bytes(), self.needle.as_bytes(), true).is_some()
    }
}

/// Notes in which texts of a bundle a part stands, of whichever text it stands in.
fn find_each(bundle: &Bundle, part: &[u8], ignore_case: bool, fit: &mut [bool]) {
    let (all, mut from) = (bundle.bytes(), 0);
    let mut texts = bundle.ends().zip(fit);
    while let Some(at) = all.get(from..).and_then(|rest| find(rest, part, ignore_case)) {
        let start = from + at;
        // Which text it begins in.
        let Some((end, fits)) = texts.find(|(end, _)| *end > start) else { return };
        // Where it goes beyond that text, so does any that begins behind it.
        *fits |= start + part.len() <= end;
        from = end;
    }
}

/// Places looked at together.
const STRIDE: usize = 16;

/// Where a part first stands in a text; upper and lower case of ASCII letters may be alike. Millions
/// of texts are asked this while somebody types.
fn find(text: &[u8], part: &[u8], ignore_case: bool) -> Option<usize> {
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return Some(0) };
    // First bytes and last bytes of every place where the part could stand.
    let ends = text.get(part.len() - 1..)?;
    let starts = text.get(..ends.len())?;
    let stands_from = |from: usize, places: usize| {
        let end = text.len().min(from + places + part.len() - 1);
        let mut windows = text.get(from..end)?.windows(part.len());
        let stands = |window: &[u8]| {
            let mut both = window.iter().zip(part);
            both.all(|(one, other)| one == other || ignore_case && one.eq_ignore_ascii_case(other))
        };
        windows.position(stands).map(|at| from + at)
    };
    let (Some(last_starts), Some(last_ends)) = (starts.last_chunk(), ends.last_chunk()) else {
        return stands_from(0, starts.len());
    };
    let behind = starts.len() - STRIDE;
    let ((starts, _), (ends, _)) = (starts.as_chunks(), ends.as_chunks());
    let (first, last) = (Folded::of(*first, ignore_case), Folded::of(*last, ignore_case));
    let mut from = 0;
    for (starts, ends) in starts.iter().zip(ends) {
        if may_stand(starts, ends, first, last)
            && let Some(at) = may_stand_from(starts, ends, first, last)
            && let Some(found) = stands_from(from + at, STRIDE - at)
        {
            return Some(found);
        }
        from += STRIDE;
    }
    // What is left over is looked at with what stands before it.
    let at = may_stand_from(last_starts, last_ends, first, last)?;
    stands_from(behind + at, STRIDE - at)
}

/// A byte that is looked for.
#[derive(Clone, Copy)]
struct Folded {
    byte: u8,
    /// The bit that tells upper from lower case, where it is a letter and that does not matter.
    case: u8,
}

impl Folded {
    fn of(byte: u8, ignore_case: bool) -> Self {
        let case = u8::from(ignore_case && byte.is_ascii_alphabetic()) << 5;
        Self { byte: byte | case, case }
    }

    /// 0 when it is this one.
    #[inline]
    fn difference(self, byte: u8) -> u8 {
        (byte | self.case) ^ self.byte
    }

    /// The same of eight bytes at once.
    #[inline]
    fn differences(self, bytes: [u8; 8]) -> u64 {
        let all = |byte: u8| u64::from_le_bytes([byte; 8]);
        (u64::from_le_bytes(bytes) | all(self.case)) ^ all(self.byte)
    }
}

/// Without a way out in the middle, so that the compiler compares all bytes at once.
#[inline]
fn may_stand(starts: &[u8; STRIDE], ends: &[u8; STRIDE], first: Folded, last: Folded) -> bool {
    let places = starts.iter().zip(ends);
    let found = places.map(|(start, end)| first.difference(*start) | last.difference(*end) == 0);
    found.map(u8::from).fold(0, |any, found| any | found) > 0
}

/// The first of these places where the part may stand. Where it is found often, to look at them one
/// by one would take longer than all else.
#[inline]
fn may_stand_from(
    starts: &[u8; STRIDE],
    ends: &[u8; STRIDE],
    first: Folded,
    last: Folded,
) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let ((starts, _), (ends, _)) = (starts.as_chunks(), ends.as_chunks());
    let both = |(start, end): (&[u8; 8], &[u8; 8])| {
        let differ = first.differences(*start) | last.differences(*end);
        // The highest bit of the first byte that is 0, and perhaps of some behind it.
        differ.wrapping_sub(ONES) & !differ & (ONES << 7)
    };
    let found = starts.iter().zip(ends).map(both).zip([0, 8]);
    let at = |(found, before): (u64, usize)| {
        let bits = usize::try_from(found.trailing_zeros()).unwrap_or(usize::MAX);
        (found != 0).then_some(before + bits / 8)
    };
    found.into_iter().find_map(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn glyph(character: char) -> Glyph {
        match character {
            '*' => Glyph::Any,
            '?' => Glyph::One,
            other => Glyph::Just(other),
        }
    }

    proptest! {
        #[test]
        fn a_part_is_found_where_it_stands_first(
            // Bytes that are alike but for a bit, or that differ by one.
            text in prop::collection::vec(prop::sample::select(b"aAbB@`\0\x01\x80\xff".to_vec()), 0..80),
            part in prop::collection::vec(prop::sample::select(b"aB@\0\x80".to_vec()), 1..4),
            ignore_case in any::<bool>(),
        ) {
            let stands = |window: &[u8]| {
                if ignore_case { window.eq_ignore_ascii_case(&part) } else { window == part }
            };
            let expected = text.windows(part.len()).position(stands);
            prop_assert_eq!(find(&text, &part, ignore_case), expected);
        }

        #[test]
        fn what_fits_in_a_bundle_is_what_fits_of_its_texts_one_by_one(
            texts in prop::collection::vec("[abAB*]{0,40}|[aàÀsſkK]{0,9}|https://crm[0-9]{1,3}/in", 0..30),
            word in "[abAB]{1,3}|[aàÀsk]{1,2}|crm[0-9]|/in",
            pattern in r"\*?[ab/]{1,2}\*?|\*[abc][ab?r]\*|[*?ab]{1,5}",
            ignore_case in any::<bool>(),
        ) {
            let mut bundle = Bundle::default();
            for text in &texts {
                bundle.push(text).unwrap();
            }
            prop_assert!(bundle.texts().eq(texts.iter()));
            let (word, mut fit) = (Word::new(word), vec![false; texts.len()]);
            word.find_in(&bundle, &mut fit);
            prop_assert_eq!(fit, texts.iter().map(|text| word.is_in(text)).collect::<Vec<_>>());
            let pattern = Pattern::new(pattern.chars().map(glyph).collect(), ignore_case);
            let mut fit = vec![false; texts.len()];
            pattern.find_in(&bundle, &mut fit);
            prop_assert_eq!(fit, texts.iter().map(|text| pattern.matches(text)).collect::<Vec<_>>());
        }
    }
}
