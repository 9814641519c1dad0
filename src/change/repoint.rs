//! Pointing URLs elsewhere: one host takes the place of another, or one beginning of a URL that of
//! another. What is not named stays byte for byte.

/// Which URLs are pointed elsewhere, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repoint(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Hosts { old: Host, new: Host },
    Beginnings { old: String, new: String },
}

/// A host as it stands in a URL, with its port where one is named.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    name: String,
    port: Option<String>,
}

/// Why `OLD=NEW` means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepointRefused {
    /// There are no two parts.
    #[error(
        "{0:?} is not OLD=NEW: write two hosts (crm-old.example.com=crm-new.example.com) or two \
         beginnings of URLs (https://old.example.com/a=https://new.example.com/b)"
    )]
    NotTwo(String),
    /// The text can be split in more than one way.
    #[error("{0:?} holds =http more than once: write two hosts, or shorter beginnings of URLs")]
    Ambiguous(String),
    /// Nothing would change.
    #[error("OLD and NEW are the same: write the new host, or the new beginning, behind =")]
    Same,
    /// A part is no host.
    #[error(
        "{0:?} is no host: write a name (xn--… for one in another alphabet) or an address, with :PORT \
         where the port is meant too"
    )]
    NoHost(String),
    /// A part is no beginning of a URL.
    #[error(
        "{0:?} does not begin a URL: write http:// or https://, a host, and no character that a URL \
         cannot hold"
    )]
    NoBeginning(String),
}

impl RepointRefused {
    /// The reason without the typed text, for a line that shows it already.
    pub fn in_short(&self) -> String {
        match self {
            Self::NotTwo(_) => "type OLD=NEW: two hosts, or two beginnings of URLs".to_owned(),
            Self::Ambiguous(_) => "=http is there twice: type shorter beginnings".to_owned(),
            Self::NoHost(part) if part.contains('/') => {
                format!("no host: {part:?}; with a path, write both with https://")
            }
            Self::NoHost(part) => format!("no host: {part:?}"),
            Self::Same => "OLD and NEW are the same".to_owned(),
            Self::NoBeginning(part) => format!("does not begin a URL: {part:?}"),
        }
    }
}

/// What becomes of one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pointed {
    /// The URL becomes this one.
    To(String),
    /// The URL does not match OLD, or is no URL.
    Elsewhere,
    /// The URL matches NEW already.
    Already,
    /// The result, which would be no URL.
    Broken(String),
}

impl Repoint {
    /// Reads `OLD=NEW`.
    ///
    /// # Errors
    /// Refuses what is neither two hosts nor two beginnings of URLs.
    pub fn parse(text: &str) -> Result<Self, RepointRefused> {
        let not_two = || RepointRefused::NotTwo(text.to_owned());
        if has_scheme(text) {
            let mut splits = text.match_indices('=').filter_map(|(at, _)| {
                let (old, new) = text.split_at_checked(at)?;
                let new = new.strip_prefix('=')?;
                has_scheme(new).then_some((old, new))
            });
            let (old, new) = splits.next().ok_or_else(not_two)?;
            if splits.next().is_some() {
                return Err(RepointRefused::Ambiguous(text.to_owned()));
            }
            let no_beginning = |text: &str| RepointRefused::NoBeginning(text.to_owned());
            // Whatever is there may be named; what is written is to be a URL.
            Address::of(old).ok_or_else(|| no_beginning(old))?;
            let address = Address::of(new).filter(|_| new.chars().all(may_stand) && escapes(new));
            let is_whole = |it: &Address<'_>| {
                (it.is_url() && can_be_asked(new))
                    || (it.authority.is_empty() && it.tail.is_empty())
            };
            address.filter(is_whole).ok_or_else(|| no_beginning(new))?;
            if old == new {
                return Err(RepointRefused::Same);
            }
            return Ok(Self(Form::Beginnings { old: old.to_owned(), new: new.to_owned() }));
        }
        let (old, new) = text.split_once('=').ok_or_else(not_two)?;
        if old.is_empty() || new.is_empty() || has_scheme(new) {
            return Err(not_two());
        }
        if old == new {
            return Err(RepointRefused::Same);
        }
        let (old, host) = (Host::parse(old)?, Host::parse(new)?);
        if !new.is_ascii() || !can_be_asked(&format!("http://{new}")) {
            return Err(RepointRefused::NoHost(new.to_owned()));
        }
        Ok(Self(Form::Hosts { old, new: host }))
    }

    /// What becomes of a URL.
    pub(super) fn of(&self, url: &str) -> Pointed {
        let Some(address) = Address::of(url).filter(Address::is_url) else {
            return Pointed::Elsewhere;
        };
        let (pointed, authority) = match &self.0 {
            Form::Hosts { old, new } => {
                let is_port = old.port.as_deref().is_none_or(|port| address.port() == Some(port));
                if !address.host().eq_ignore_ascii_case(&old.name) || !is_port {
                    return Pointed::Elsewhere;
                }
                let authority = address.with_host(new);
                (format!("{}://{authority}{}", address.scheme, address.tail), authority)
            }
            Form::Beginnings { old, new } => match begun_anew(url, &address, old, new) {
                Some(pointed) => pointed,
                None => return Pointed::Elsewhere,
            },
        };
        let is_right = |it: &Address<'_>| it.is_url() && it.authority == authority;
        if pointed == url {
            Pointed::Already
        } else if Address::of(&pointed).is_some_and(|it| is_right(&it)) {
            Pointed::To(pointed)
        } else {
            Pointed::Broken(pointed)
        }
    }
}

/// A URL that begins with the old beginning, with the new one, and the login, host and port that it is
/// to have then.
fn begun_anew(url: &str, address: &Address<'_>, old: &str, new: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix(old)?;
    let (before, after) = (Address::of(old)?, Address::of(new)?);
    // What of its host and port the old beginning leaves: nothing but a port, or all of it.
    let mut left = "";
    if before.tail.is_empty() {
        left = address.authority.strip_prefix(before.authority).unwrap_or_default();
        let is_port = left.is_empty() || (left.starts_with(':') && !left.contains('@'));
        if !before.authority.is_empty() && !is_port {
            return None;
        }
    }
    Some((format!("{new}{rest}"), format!("{}{left}", after.authority)))
}

impl Host {
    fn parse(text: &str) -> Result<Self, RepointRefused> {
        let whole = format!("http://{text}");
        let address = Address::of(&whole).filter(|it| {
            it.is_url()
                && it.tail.is_empty()
                && !it.authority.contains('@')
                && it.port() != Some("")
        });
        let address = address.ok_or_else(|| RepointRefused::NoHost(text.to_owned()))?;
        let (name, port) = (address.host().to_owned(), address.port().map(str::to_owned));
        Ok(Self { name, port })
    }
}

/// A URL taken apart, as its bytes stand there.
struct Address<'a> {
    scheme: &'a str,
    /// Login, host and port.
    authority: &'a str,
    /// Path, query and fragment.
    tail: &'a str,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let of_scheme =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if scheme.is_empty() || !scheme.bytes().all(of_scheme) {
            return None;
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end)?;
        Some(Self { scheme, authority, tail })
    }

    /// Host and port.
    fn place(&self) -> &'a str {
        self.authority.rsplit_once('@').map_or(self.authority, |(_, place)| place)
    }

    fn host(&self) -> &'a str {
        let place = self.place();
        match place.find(']').and_then(|end| place.split_at_checked(end + 1)) {
            Some((host, _)) if host.starts_with('[') => host,
            Some(_) | None => place.split_once(':').map_or(place, |(host, _)| host),
        }
    }

    fn port(&self) -> Option<&'a str> {
        self.place().strip_prefix(self.host())?.strip_prefix(':')
    }

    /// The same with another host; its port stays unless the host names one.
    fn with_host(&self, host: &Host) -> String {
        let login = self.authority.rsplit_once('@');
        let login = login.map_or_else(String::new, |(login, _)| format!("{login}@"));
        let port = host.port.as_deref().or_else(|| self.port());
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{login}{}{port}", host.name)
    }

    /// Whether there is a host that can be asked.
    fn is_url(&self) -> bool {
        let host = self.host();
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = if let Some(address) = inside {
            address.parse::<core::net::Ipv6Addr>().is_ok()
        } else {
            let of_name = |it: char| it.is_alphanumeric() || matches!(it, '-' | '.' | '_' | '~');
            !host.is_empty() && host.chars().all(of_name) && host.chars().any(char::is_alphanumeric)
        };
        let is_port = |port: &str| {
            port.is_empty()
                || (port.bytes().all(|byte| byte.is_ascii_digit())
                    && port.parse::<u16>().is_ok_and(|port| port > 0))
        };
        let rest = self.place().strip_prefix(host).unwrap_or_default();
        is_host && (rest.is_empty() || self.port().is_some_and(is_port))
    }
}

fn has_scheme(text: &str) -> bool {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && text.len() > rest.len()
}

/// Whether whoever requests it understands its host: an address that is none, or a name in another
/// alphabet that is written wrongly, would be noticed at the next call only.
fn can_be_asked(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| url.has_host())
}

/// Whether a character may stand in a URL (RFC 3986).
fn may_stand(character: char) -> bool {
    character.is_ascii_graphic()
        && !matches!(character, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}

/// Whether two digits stand behind every percent sign.
fn escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|part| {
        let mut digits = part.bytes();
        let mut is_digit = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        is_digit() && is_digit()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointed(how: &str, url: &str) -> Pointed {
        Repoint::parse(how).unwrap().of(url)
    }

    fn to(url: &str) -> Pointed {
        Pointed::To(url.to_owned())
    }

    #[test]
    fn a_host_is_exchanged_ignoring_case_and_all_else_stays_byte_for_byte() {
        let how = "crm-old.test=crm-new.test";
        for (url, is) in [
            ("https://crm-old.test/a?b=%20%2F#c", to("https://crm-new.test/a?b=%20%2F#c")),
            ("HTTPS://CRM-Old.Test", to("HTTPS://crm-new.test")),
            ("http://crm-old.test:8080/x", to("http://crm-new.test:8080/x")),
            ("https://joe:p%40w@crm-old.test/", to("https://joe:p%40w@crm-new.test/")),
            (
                "https://crm-old.test?u=https://crm-old.test/",
                to("https://crm-new.test?u=https://crm-old.test/"),
            ),
            ("https://crm-old.test.evil.test/", Pointed::Elsewhere),
            ("https://a.crm-old.test/", Pointed::Elsewhere),
            ("https://other.test/?u=crm-old.test", Pointed::Elsewhere),
            ("https://crm-old.test@evil.test/", Pointed::Elsewhere),
            ("https://crm-old.test:80a/", Pointed::Elsewhere),
            ("crm-old.test/a", Pointed::Elsewhere),
            ("", Pointed::Elsewhere),
            ("https://crm-new.test/", Pointed::Elsewhere),
        ] {
            assert_eq!(pointed(how, url), is, "{url}");
        }
    }

    #[test]
    fn a_port_stays_unless_the_new_host_names_one_and_counts_where_the_old_one_does() {
        assert_eq!(pointed("a.test=b.test:9", "http://a.test:8/x"), to("http://b.test:9/x"));
        assert_eq!(pointed("a.test=b.test:9", "http://a.test/x"), to("http://b.test:9/x"));
        assert_eq!(pointed("a.test:8=b.test", "http://a.test:8/x"), to("http://b.test:8/x"));
        assert_eq!(pointed("a.test:8=b.test", "http://a.test/x"), Pointed::Elsewhere);
        assert_eq!(pointed("[::1]=b.test", "http://[::1]:8/x"), to("http://b.test:8/x"));
        assert_eq!(pointed("b.test=[::1]:7", "http://b.test/x"), to("http://[::1]:7/x"));
        assert_eq!(pointed("A.test=a.test", "http://a.test/x"), Pointed::Already);
        assert_eq!(Repoint::parse("a.test=a.test"), Err(RepointRefused::Same));
    }

    #[test]
    fn a_beginning_is_exchanged_and_ends_at_the_end_of_a_host_or_within_a_path() {
        for (how, url, is) in [
            ("http://a.test=https://b.test", "http://a.test/x", to("https://b.test/x")),
            ("http://a.test=https://b.test", "http://a.test:8/x", to("https://b.test:8/x")),
            ("http://a.test=https://b.test", "http://a.tester/x", Pointed::Elsewhere),
            ("http://a.test=https://b.test", "http://a.test:pw@evil.test/", Pointed::Elsewhere),
            ("http://a.test=https://b.test", "http://A.test/x", Pointed::Elsewhere),
            (
                "http://a.test/v1=http://a.test/v2",
                "http://a.test/v1/x?y",
                to("http://a.test/v2/x?y"),
            ),
            (
                "http://a.test/v1/=http://b.test",
                "http://a.test/v1/x",
                Pointed::Broken("http://b.testx".into()),
            ),
            ("http://a.test/v=http://b.test", "http://a.test/v/x", to("http://b.test/x")),
            ("http://a.test=http://b.test/p", "http://a.test/x", to("http://b.test/p/x")),
            (
                "http://a.test=http://b.test/p",
                "http://a.test:8/x",
                Pointed::Broken("http://b.test/p:8/x".into()),
            ),
            ("http://=https://", "http://a.test/x", to("https://a.test/x")),
            ("http://a.test/=http://", "http://a.test/x", Pointed::Broken("http://x".into())),
            (
                "http://a.test/?q=1=http://b.test/?q=2",
                "http://a.test/?q=1&r",
                to("http://b.test/?q=2&r"),
            ),
        ] {
            assert_eq!(pointed(how, url), is, "{how} {url}");
        }
    }

    #[test]
    fn what_is_neither_two_hosts_nor_two_beginnings_of_urls_is_refused() {
        for how in [
            "",
            "=",
            "a.test",
            "a.test=",
            "=b.test",
            "a.test=https://b.test",
            "https://a.test=b.test",
            "a.test/x=b.test",
            "a.test=b.test/x",
            "a.test=b test",
            "a.test=b.test:0",
            "a.test=b.test:",
            "a.test=b.test:99999",
            "a.test=joe@b.test",
            "a.test=[::x]",
            "a.test=%41",
            "a.test=...",
            "a.test=受付.test",
            "a.test=300.1.1.1",
            "a.test=1.2.3.4.5",
            "a.test=xn--999999b",
            "https://a.test=https://1.2.3.400/x",
            "https://a.test=https://受付.test",
            "https://a.test=https:///x",
            "https://a.test=https://b.test/%zz",
            "https://a.test=https://b.test/ x",
            "https://a.test=https://b.test:0x/",
            "http://a.test/?u=http://x=http://b.test",
        ] {
            assert!(Repoint::parse(how).is_err(), "{how:?}");
        }
    }
}
