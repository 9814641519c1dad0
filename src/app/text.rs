//! Text in columns: widths as terminals count them, cut with an ellipsis.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Boxed;

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most so many columns; what is cut off shows as an ellipsis.
pub fn clip(text: &str, columns: usize) -> String {
    if text.len() <= columns || text.width() <= columns {
        return text.to_owned();
    }
    let mut clipped = head(text, columns.saturating_sub(1));
    if columns > 0 {
        clipped.push('…');
    }
    clipped
}

/// The end of a text in at most so many columns; what is cut off shows as an ellipsis.
pub fn clip_front(text: &str, columns: usize) -> String {
    let reversed: String = text.chars().rev().collect();
    clip(&reversed, columns).chars().rev().collect()
}

/// The text in exactly so many columns.
pub fn column(text: &str, columns: usize) -> String {
    let mut column = clip(text, columns);
    let missing = columns.saturating_sub(column.width());
    column.extend(std::iter::repeat_n(' ', missing));
    column
}

/// A URL in at most so many columns: without its scheme, and shortened in the middle, so that the
/// host and the end stay visible.
pub fn url(shown: &str, columns: usize) -> String {
    let bare = shown.split_once("://").map_or(shown, |(_, rest)| rest);
    if bare.width() <= columns {
        return bare.to_owned();
    }
    let host = bare.find('/').map_or(bare.len(), |slash| slash + 1);
    let host_width = bare.get(..host).unwrap_or(bare).width();
    let front = host_width.max(columns / 2).min(columns.saturating_sub(5));
    let mut shortened = head(bare, front);
    if columns > shortened.width() {
        shortened.push('…');
    }
    let rest = columns.saturating_sub(shortened.width());
    let reversed: String = bare.chars().rev().collect();
    shortened.extend(head(&reversed, rest).chars().rev());
    shortened
}

/// Lines of at most so many columns, broken anywhere, for texts that must be seen whole.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut line = head(rest, columns);
        // Break after a space where there is one in the last part of the line.
        if line.len() < rest.len()
            && let Some(space) = line.rfind(' ')
            && space * 2 > line.len()
        {
            line.truncate(space + 1);
        }
        if line.is_empty() {
            break;
        }
        rest = rest.get(line.len()..).unwrap_or_default();
        lines.push(line);
    }
    lines
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

fn head(text: &str, columns: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= columns
        })
        .collect()
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
    fn a_long_url_keeps_its_host_and_its_end() {
        let long = "https://crm-old.acme.test/telephony/hooks/in?src=pbx&id=7";
        assert_eq!(url(long, 60), "crm-old.acme.test/telephony/hooks/in?src=pbx&id=7");
        assert_eq!(url(long, 30), "crm-old.acme.test/…rc=pbx&id=7");
        for columns in 1..60 {
            assert!(width(&url(long, columns)) <= columns);
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
