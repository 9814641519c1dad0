//! From what the file says to values that cannot be wrong. Nothing outside the file is touched, so
//! that every profile can be checked and only the chosen one be resolved.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use url::{Host, Url};

use crate::domain::{
    CreatePath, Credentials, Extension, Source as Discoverer, Target, Trust, UserId, WideCalls,
};
use crate::looks::Looks;

use super::auth::Auth;
use super::source::{self, Document, Source};
use super::{ConfigError, Profile};

/// A profile that is checked as far as the file goes: the certificate authority has not been
/// looked for, and the token is not there yet.
#[derive(Debug)]
pub(super) struct Draft {
    target: Target,
    extensions: Vec<Extension>,
    discover: Vec<Discoverer>,
    read_only: bool,
    protected: bool,
    wide_calls: WideCalls,
    max_delete: usize,
    concurrency: usize,
    timeout: Duration,
    /// But for `ca_file`.
    trust: Trust,
    /// As written, with its place.
    pub(super) ca_file: Option<Spanned<String>>,
    /// As written, with its place.
    pub(super) extensions_file: Option<Spanned<String>>,
    /// How to get what it proves itself with.
    pub(super) auth: Auth,
}

impl Draft {
    /// The profile's name.
    pub(super) fn name(&self) -> &str {
        &self.target.profile
    }

    /// The same with the host that it leads to.
    pub(super) fn name_and_host(&self) -> (String, String) {
        (self.target.profile.clone(), self.target.host().to_owned())
    }

    /// The profile, with what had to be fetched.
    pub(super) fn finish(
        self,
        ca_file: Option<PathBuf>,
        credentials: Credentials,
        looks: Looks,
    ) -> Profile {
        Profile {
            target: self.target,
            extensions: self.extensions,
            discover: self.discover,
            read_only: self.read_only,
            protected: self.protected,
            wide_calls: self.wide_calls,
            max_delete: self.max_delete,
            concurrency: self.concurrency,
            timeout: self.timeout,
            trust: match (self.trust, ca_file) {
                (Trust::Machine, Some(file)) => Trust::MachineAnd(file),
                (trust, _) => trust,
            },
            credentials,
            looks,
        }
    }
}

/// All profiles of the file, in the order of their names.
pub(super) fn profiles(source: &Source, document: &Document) -> Result<Vec<Draft>, ConfigError> {
    document.profiles.iter().map(|(name, raw)| draft(source, name, raw)).collect()
}

fn draft(
    source: &Source,
    name: &Spanned<String>,
    raw: &source::Profile,
) -> Result<Draft, ConfigError> {
    let target = target(source, name, raw)?;
    Ok(Draft {
        auth: Auth::check(source, name, raw.auth.as_ref(), &target.origin)?,
        target,
        extensions: extensions(source, &raw.extensions)?,
        discover: discover(source, raw.discover.as_deref())?,
        read_only: raw.read_only,
        protected: raw.protected,
        wide_calls: wide_calls(source, raw.wide_calls.as_deref())?,
        max_delete: number(source, "max_delete", raw.max_delete.as_ref(), 1..=100_000, 10_000)?,
        concurrency: number(source, "concurrency", raw.concurrency.as_ref(), 1..=64, 4)?,
        timeout: Duration::from_secs(number(
            source,
            "timeout_s",
            raw.timeout_s.as_ref(),
            1..=600,
            30,
        )?),
        trust: trust(source, raw)?,
        ca_file: raw.ca_file.clone(),
        extensions_file: raw.extensions_file.clone(),
    })
}

/// The name stands in the names of run files; the rest is where requests go.
fn target(
    source: &Source,
    name: &Spanned<String>,
    raw: &source::Profile,
) -> Result<Target, ConfigError> {
    let text = name.get_ref();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=64).contains(&text.len()) || !text.bytes().all(plain) {
        return Err(source.mistake(
            name.span(),
            format!("{text:?} cannot name a profile: write up to 64 letters, digits, - and _"),
        ));
    }
    let Some(url) = &raw.url else {
        return Err(source.mistake(
            name.span(),
            format!("url is missing in [profiles.{text}]: write url = \"https://pbx.example.com\""),
        ));
    };
    let origin = origin(url.get_ref()).map_err(|mistake| source.mistake(url.span(), mistake))?;
    let user = match &raw.user {
        Some(user) => UserId::parse(user.get_ref())
            .map_err(|refused| source.mistake(user.span(), format!("user = {refused}")))?,
        None => UserId::parse("@me").map_err(|refused| source.whole(&refused.to_string()))?,
    };
    let (base_path, place) = match &raw.base_path {
        Some(written) => (written.get_ref().as_str(), written.span()),
        None => ("/uapi", name.span()),
    };
    let mut target = Target::new(text, &origin, base_path, user)
        .map_err(|refused| source.mistake(place, format!("base_path = {refused}")))?;
    target.create_path = create_path(source, raw.create_path.as_ref())?;
    Ok(target)
}

fn create_path(
    source: &Source,
    written: Option<&Spanned<String>>,
) -> Result<CreatePath, ConfigError> {
    let Some(written) = written else {
        return Ok(CreatePath::default());
    };
    match written.get_ref().as_str() {
        "plain" => Ok(CreatePath::Plain),
        "with_type" => Ok(CreatePath::WithType),
        other => Err(source.mistake(
            written.span(),
            format!("create_path = {other:?} is no path: write \"plain\" or \"with_type\""),
        )),
    }
}

/// Scheme, host and port. What may hold a password, before an `@` or behind a `?`, is not quoted.
fn origin(text: &str) -> Result<String, String> {
    const EXAMPLE: &str = "write it like https://pbx.example.com";
    let quoted =
        if text.contains(['@', '?', '#']) { String::new() } else { format!(" = {text:?}") };
    let url = Url::parse(text)
        .map_err(|error| format!("url{quoted} is not an address ({error}): {EXAMPLE}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("url{quoted} does not begin with https://: {EXAMPLE}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "url holds a user name or password: leave them out, as in {}",
            url.origin().ascii_serialization()
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "url goes on behind the host with ? or #: leave that out, as in {}",
            url.origin().ascii_serialization()
        ));
    }
    let origin = url.origin().ascii_serialization();
    let path = url.path().trim_end_matches('/');
    if !path.is_empty() {
        return Err(format!(
            "url{quoted} holds a path: write url = {origin:?} and base_path = {path:?}"
        ));
    }
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && !loopback {
        return Err(format!(
            "url{quoted} would send the token unencrypted: write https://; http is accepted for \
             loopback addresses only"
        ));
    }
    Ok(origin)
}

fn extensions(source: &Source, written: &[Spanned<String>]) -> Result<Vec<Extension>, ConfigError> {
    let mut typed: Vec<Extension> = Vec::with_capacity(written.len());
    for text in written {
        let extension = Extension::typed(text.get_ref())
            .map_err(|refused| source.mistake(text.span(), format!("extensions: {refused}")))?;
        if typed.iter().all(|known| known.number != extension.number) {
            typed.push(extension);
        }
    }
    Ok(typed)
}

/// Presence is asked unless there is a list.
fn discover(
    source: &Source,
    written: Option<&[Spanned<String>]>,
) -> Result<Vec<Discoverer>, ConfigError> {
    let Some(names) = written else {
        return Ok(vec![Discoverer::Presence]);
    };
    let mut chosen = Vec::new();
    for name in names {
        let known = [Discoverer::Presence, Discoverer::SystemApi];
        let Some(one) = known.into_iter().find(|one| one.name() == name.get_ref()) else {
            return Err(source.mistake(
                name.span(),
                format!(
                    "discover: {:?} is no source of extensions: write \"presence\", \
                     \"system_api\" or both between brackets, or [] for none",
                    name.get_ref()
                ),
            ));
        };
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    Ok(chosen)
}

fn wide_calls(
    source: &Source,
    written: Option<&[Spanned<String>]>,
) -> Result<WideCalls, ConfigError> {
    let Some(names) = written else {
        return Ok(WideCalls::default());
    };
    let mut allowed = WideCalls { extension: false, event_type: false };
    for name in names {
        match name.get_ref().as_str() {
            "extension" => allowed.extension = true,
            "type" => allowed.event_type = true,
            other => {
                return Err(source.mistake(
                    name.span(),
                    format!(
                        "wide_calls: {other:?} is no wide call: write \"extension\" or \"type\", \
                         or [] for none"
                    ),
                ));
            }
        }
    }
    Ok(allowed)
}

/// A fingerprint names one certificate; nothing else is trusted then, `ca_file` included.
fn trust(source: &Source, raw: &source::Profile) -> Result<Trust, ConfigError> {
    let Some(written) = &raw.fingerprint else {
        return Ok(if raw.insecure { Trust::Anything } else { Trust::Machine });
    };
    let text = written.get_ref();
    let mistake = |mistake| source.mistake(written.span(), mistake);
    if raw.insecure {
        return Err(mistake(
            "fingerprint trusts one certificate, and insecure = true trusts all: leave one of them \
             out"
                .to_owned(),
        ));
    }
    let refused = |refused| mistake(format!("fingerprint = {text:?} is no fingerprint: {refused}"));
    text.parse().map(Trust::Exactly).map_err(refused)
}

fn number<N: TryFrom<i64> + PartialOrd + Display>(
    source: &Source,
    key: &str,
    written: Option<&Spanned<i64>>,
    range: RangeInclusive<N>,
    default: N,
) -> Result<N, ConfigError> {
    let Some(written) = written else {
        return Ok(default);
    };
    let value = *written.get_ref();
    N::try_from(value).ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        source.mistake(
            written.span(),
            format!("{key} = {value} is out of range: write {least} to {most}"),
        )
    })
}
