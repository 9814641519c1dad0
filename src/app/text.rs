//! Text in columns: widths as terminals count them, cut with an ellipsis.

use std::fmt::{Display, Write as _};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Boxed;

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most so many columns; what is cut off shows as an ellipsis.
pub fn clip(text: &str, columns: usize) -> String {
    let mut clipped = text.to_owned();
    clip_behind(&mut clipped, 0, columns);
    clipped
}

/// Writes something behind a text, in at most so many columns; nothing else is made of it.
pub fn put(text: &mut String, columns: usize, what: impl Display) {
    let start = text.len();
    // A string takes whatever is written to it.
    let _written = write!(text, "{what}");
    clip_behind(text, start, columns);
}

/// Writes something behind a text, in exactly so many columns.
pub fn put_column(text: &mut String, columns: usize, what: impl Display) {
    let start = text.len();
    put(text, columns, what);
    fill_behind(text, start, columns);
}

/// Makes a text exactly so many columns wide.
pub fn fit(text: &mut String, columns: usize) {
    clip_behind(text, 0, columns);
    fill_behind(text, 0, columns);
}

fn fill_behind(text: &mut String, start: usize, columns: usize) {
    let missing = columns.saturating_sub(width(text.get(start..).unwrap_or_default()));
    text.extend(std::iter::repeat_n(' ', missing));
}

fn clip_behind(text: &mut String, start: usize, columns: usize) {
    let behind = text.get(start..).unwrap_or_default();
    if behind.len() <= columns || behind.width() <= columns {
        return;
    }
    let kept = start + head(behind, columns.saturating_sub(1)).len();
    text.truncate(kept);
    if columns > 0 {
        text.push('…');
    }
}

/// The end of a text in at most so many columns; what is cut off shows as an ellipsis.
pub fn clip_front(text: &str, columns: usize) -> String {
    let reversed: String = text.chars().rev().collect();
    clip(&reversed, columns).chars().rev().collect()
}

/// The text in exactly so many columns.
pub fn column(text: &str, columns: usize) -> String {
    let mut column = String::new();
    put_column(&mut column, columns, text);
    column
}

/// A URL in at most so many columns: without its scheme, and cut at its end, so that the host and then
/// the path stay visible.
pub fn url(shown: &str, columns: usize) -> String {
    clip(without_scheme(shown), columns)
}

/// A URL without its scheme.
pub fn without_scheme(shown: &str) -> &str {
    shown.split_once("://").map_or(shown, |(_, rest)| rest)
}

/// What becomes of a URL, in at most so many columns: the old one, an arrow and the new one. Where
/// that has no room, what they have in common at their ends stands there once, or is cut off, so that
/// what differs stays in sight.
pub fn turned(old: &str, new: &str, columns: usize) -> String {
    let parts = |text: &str| match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_owned(), rest.to_owned()),
        None => (String::new(), text.to_owned()),
    };
    let ((of_old, old_rest), (of_new, new_rest)) = (parts(old), parts(new));
    let alike = of_old == of_new;
    let (old, new) = if alike { (old_rest, new_rest) } else { (old.to_owned(), new.to_owned()) };
    let whole = format!("{old} → {new}");
    if whole.width() <= columns {
        return whole;
    }
    // Whole names are read more easily than letters.
    let whole = (&old, &new);
    let front = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let front = old.get(..front).and_then(|same| same.rfind('/')).map_or(0, |slash| slash + 1);
    let (old, new) = (old.get(front..).unwrap_or(&old), new.get(front..).unwrap_or(&new));
    let end = old.bytes().rev().zip(new.bytes().rev()).take_while(|(a, b)| a == b).count();
    let end = old.len() - end.min(old.len()).min(new.len());
    let same = old.get(end..).filter(|_| alike).unwrap_or("");
    let tail = same.find(['/', '?']).and_then(|at| same.get(at..)).unwrap_or("");
    let name = |text: &str| {
        let dots = if front > 0 { "…" } else { "" };
        format!("{dots}{}", text.strip_suffix(tail).unwrap_or(text))
    };
    let (old, new) = (name(old), name(new));
    let room = columns.saturating_sub(3);
    // The host first, and all that is the same behind it, once.
    let host_first = whole.0.strip_suffix(tail).unwrap_or(whole.0);
    if front > 0 && alike && host_first.width() + new.width() <= room {
        let left = room - host_first.width() - new.width();
        return format!("{host_first} → {new}{}", clip(tail, left));
    }
    if old.width() + new.width() <= room {
        let left = room - old.width() - new.width();
        return format!("{old} → {new}{}", clip(tail, left));
    }
    let half = room / 2;
    let of_old = old.width().min(half.max(room.saturating_sub(new.width())));
    format!("{} → {}", differing(&old, &new, of_old), differing(&new, &old, room - of_old))
}

/// A text in at most so many columns, with the place in sight where it begins to differ from another.
fn differing(text: &str, other: &str, columns: usize) -> String {
    let same = text.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let front: String = text.chars().take(same).collect();
    if text.width() <= columns || front.width() <= columns / 2 {
        return clip(text, columns);
    }
    let rest: String = text.chars().skip(same).collect();
    let kept = columns.saturating_sub(rest.width()).max(columns / 4);
    clip(&format!("{}{rest}", clip_front(&front, kept)), columns)
}

/// A sentence that begins as sentences do.
pub fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), characters.as_str())
}

/// Lines of at most so many columns, broken anywhere, for texts that must be seen whole.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrapped(text, columns).map(ToOwned::to_owned).collect()
}

/// The lines of [`wrap`], borrowed.
pub fn wrapped(text: &str, columns: usize) -> impl Iterator<Item = &str> {
    let columns = columns.max(2);
    let mut rest = text;
    std::iter::from_fn(move || {
        let line = head(rest, columns);
        // Break after a space where there is one in the last part of the line.
        let space =
            line.rfind(' ').filter(|space| space * 2 > line.len() && line.len() < rest.len());
        let (line, behind) = rest.split_at(space.map_or(line.len(), |space| space + 1));
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}

/// A path in lines of at most so many columns, broken before a slash where there is one.
pub fn wrap_path(path: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = vec![String::new()];
    for segment in split_before_slashes(path) {
        let fits = lines.last().is_some_and(|line| line.width() + segment.width() <= columns);
        match lines.last_mut() {
            Some(line) if fits => line.push_str(segment),
            Some(_) | None => lines.extend(wrap(segment, columns)),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn split_before_slashes(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = path;
    while let Some(next) = rest.char_indices().skip(1).find(|(_, character)| *character == '/') {
        let (part, after) = rest.split_at(next.0);
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

/// A mark box, the same without colours.
pub fn mark_box(boxed: Boxed) -> &'static str {
    match boxed {
        Boxed::None => "[ ]",
        Boxed::Some => "[-]",
        Boxed::All => "[x]",
    }
}

/// The beginning of a text in at most so many columns.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let over = text.char_indices().find(|(_, character)| {
        used += character.width().unwrap_or(0);
        used > columns
    });
    text.get(..over.map_or(text.len(), |(at, _)| at)).unwrap_or_default()
}

/// What stands behind the host of a URL; all of it where there is no host.
pub fn path(url: &str) -> &str {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    behind_scheme.find('/').and_then(|slash| behind_scheme.get(slash..)).unwrap_or(behind_scheme)
}

/// A number with a comma between thousands: `9,900`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_exactly_as_wide_as_asked_whatever_it_holds() {
        for text in ["", "abc", "受付受付受付", "e\u{301}e\u{301}", "a受", "🙂🙂🙂"] {
            for columns in 0..8 {
                assert_eq!(width(&column(text, columns)), columns, "{text:?} in {columns}");
            }
        }
        assert_eq!(column("abcdef", 4), "abc…");
    }

    #[test]
    fn a_long_url_keeps_its_host_and_then_its_path() {
        let long = "https://crm-old.acme.test/telephony/hooks/in?src=pbx&id=7";
        assert_eq!(url(long, 60), "crm-old.acme.test/telephony/hooks/in?src=pbx&id=7");
        assert_eq!(url(long, 40), "crm-old.acme.test/telephony/hooks/in?sr…");
        assert_eq!(url(long, 30), "crm-old.acme.test/telephony/h…");
        for columns in 1..60 {
            assert!(width(&url(long, columns)) <= columns);
        }
    }

    #[test]
    fn what_becomes_of_a_url_is_told_with_what_differs_in_sight() {
        let (old, new) =
            ("https://crm-old.acme.test/in.php?n=1", "https://crm-new.acme.test/in.php?n=1");
        for (old, new, columns, told) in [
            (old, new, 60, "crm-old.acme.test/in.php?n=1 → crm-new.acme.test/in.php?n=1"),
            (old, new, 44, "crm-old.acme.test → crm-new.acme.test/in.ph…"),
            (old, new, 30, "crm-old.acme… → crm-new.acme.…"),
            ("http://a.test/x", "https://a.test/x", 30, "http://a.tes… → https://a.tes…"),
            ("https://crm.test/api/v1/in", "https://crm.test/api/v2/in", 20, "…v1 → …v2/in"),
            ("https://crm.test/in?n=1", "https://crm.test/out?n=1", 24, "crm.test/in → …out?n=1"),
            (
                "https://a.very.long.name.before.old.test/",
                "https://a.very.long.name.before.new.test/",
                30,
                "…ore.old.test → …fore.new.test",
            ),
        ] {
            let shown = turned(old, new, columns);
            assert_eq!(shown, told);
            assert!(width(&shown) <= columns, "{shown}");
        }
    }

    #[test]
    fn a_path_breaks_before_its_slashes_and_loses_nothing() {
        let path = "/uapi/extensions/@me/0003*210/phoneCallEvents/0/NqeyDRqo4FtabmFj8gNWq3hsiG";
        assert_eq!(
            wrap_path(path, 50),
            ["/uapi/extensions/@me/0003*210/phoneCallEvents/0", "/NqeyDRqo4FtabmFj8gNWq3hsiG"]
        );
        for columns in 2..90 {
            let lines = wrap_path(path, columns);
            assert_eq!(lines.concat(), path);
            assert!(lines.iter().all(|line| width(line) <= columns));
        }
    }

    #[test]
    fn wrapping_loses_nothing() {
        let text =
            "You are not allowed to manage the phone call events. NqeyDRqo4FtabmFj8gNWq3hsiG";
        for columns in 1..90 {
            assert_eq!(wrap(text, columns).concat(), text);
        }
    }
}
