//! From a raw request target to the place it names.

/// A place the service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// `/extensions/{user}/{extension}/presence`, where `@self` is all of the user's.
    Presence { user: String, extension: String },
    /// `/extensions/{user}/{extension}/phoneCallEvents[/{type}[/{id}]]`
    Events { user: String, extension: String, event_type: Option<String>, id: Option<String> },
}

/// Where a target leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// Another part of the web server, not below the base path.
    Outside,
    /// Below the base path, but no place of the service.
    Nowhere,
    /// A place of the service.
    To(Place),
}

/// Reads a target. The path is cut at its slashes before anything is decoded, so that an encoded
/// slash stays inside its segment; one slash at the end makes no difference.
pub(super) fn route(base_path: &str, target: &str) -> Route {
    let (path, _) = cut(target);
    let Some(inside) = path.strip_prefix(base_path) else {
        return Route::Outside;
    };
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    let Some(inside) = inside.strip_prefix('/') else {
        return if inside.is_empty() { Route::Nowhere } else { Route::Outside };
    };
    let segments: Vec<String> = inside.split('/').map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match place(&segments) {
        Some(place) => Route::To(place),
        None => Route::Nowhere,
    }
}

/// The path of a target, and its query or nothing.
pub(super) fn cut(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// The value of a query parameter, the last one when it is given more than once.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(key, _)| decoded(key) == name)
        .map(|(_, value)| decoded(value))
        .next_back()
}

/// Digits only: Rust would also read a plus sign.
pub(super) fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn place(segments: &[&str]) -> Option<Place> {
    match *segments {
        ["extensions", user, extension, "presence"] => {
            Some(Place::Presence { user: user.to_owned(), extension: extension.to_owned() })
        }
        ["extensions", user, extension, "phoneCallEvents"] => {
            Some(events(user, extension, None, None))
        }
        ["extensions", user, extension, "phoneCallEvents", kind] => {
            Some(events(user, extension, Some(kind), None))
        }
        ["extensions", user, extension, "phoneCallEvents", kind, id] => {
            Some(events(user, extension, Some(kind), Some(id)))
        }
        _ => None,
    }
}

fn events(user: &str, extension: &str, event_type: Option<&str>, id: Option<&str>) -> Place {
    Place::Events {
        user: user.to_owned(),
        extension: extension.to_owned(),
        event_type: event_type.map(str::to_owned),
        id: id.map(str::to_owned),
    }
}

/// Percent-decodes; what is no valid escape, or no UTF-8 afterwards, is not touched or replaced.
fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escape = match after {
            [high, low, ..] if first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escape {
            bytes.push(high * 16 + low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(target: &str) -> Place {
        match route("/uapi", target) {
            Route::To(place) => place,
            other @ (Route::Outside | Route::Nowhere) => panic!("{target} leads {other:?}"),
        }
    }

    #[test]
    fn encoded_and_raw_paths_with_and_without_a_last_slash_are_the_same_place() {
        let raw = place_of("/uapi/extensions/@me/0003*210/phoneCallEvents/0/abc");
        assert_eq!(raw, events("@me", "0003*210", Some("0"), Some("abc")), "{raw:?}");
        for target in [
            "/uapi/extensions/%40me/0003%2A210/phoneCallEvents/0/abc",
            "/uapi/extensions/%40me/0003%2a210/phoneCallEvents/0/%61bc/",
            "/uapi/extensions/@me/0003*210/phoneCallEvents/0/abc/?count=2",
        ] {
            assert_eq!(place_of(target), raw, "{target}");
        }
    }

    #[test]
    fn an_encoded_slash_does_not_make_a_segment() {
        assert_eq!(
            place_of("/uapi/extensions/@me/0003*210/phoneCallEvents/0%2Fabc"),
            events("@me", "0003*210", Some("0/abc"), None)
        );
    }

    #[test]
    fn a_base_path_ends_at_a_slash() {
        for outside in ["/", "/uapifoo/extensions", "*", "", "/other/uapi/extensions"] {
            assert_eq!(route("/uapi", outside), Route::Outside, "{outside:?}");
        }
        for nowhere in [
            "/uapi",
            "/uapi/",
            "/uapi/extensions",
            "/uapi/extensions/@me/0003*210/presence/0",
            "/uapi/extensions/@me/0003*210/phoneCallEvents/0/abc/d",
        ] {
            assert_eq!(route("/uapi", nowhere), Route::Nowhere, "{nowhere:?}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_the_last_one_counts() {
        assert_eq!(parameter("count=1&count=%32", "count").as_deref(), Some("2"));
        assert_eq!(parameter("count", "count").as_deref(), Some(""));
        assert_eq!(parameter("startIndex=3", "count"), None);
        assert_eq!(parameter("note=100%&x=%zz", "note").as_deref(), Some("100%"));
    }
}
