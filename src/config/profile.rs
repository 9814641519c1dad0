//! `[profiles.NAME]`: from what the file says to values that cannot be wrong. Nothing outside the file
//! is touched, so that every profile can be checked and only the chosen one be resolved.

use std::time::Duration;

use toml::Spanned;
use url::{Host, Url};

use super::ConfigError;
use super::auth::{self, Auth, Written};
use super::keys::{Key, Keys};
use super::source::{Node, Source};
use crate::domain::{
    CallForm, CreatePath, Extension, Source as Discoverer, Target, Trust, UserId, WideCalls,
};

/// What holds as it stands in the file. A key of this kind is a field here, the line in
/// `read` that says all there is to say of it, and whoever heeds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Sources of extensions, each once.
    pub discover: Vec<Discoverer>,
    /// Nothing may be deleted, changed or created.
    pub read_only: bool,
    /// The number of events must always be typed to confirm.
    pub protected: bool,
    /// Which wide forms of DELETE may be used.
    pub wide_calls: WideCalls,
    /// The largest plan accepted, in events.
    pub max_delete: usize,
    /// Requests in flight at once, 1 to 64.
    pub concurrency: usize,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Rules {
    fn read(keys: &mut Keys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            discover: discover(keys)?,
            read_only: keys.switch(
                "read_only",
                false,
                "true: nothing is ever deleted or created.",
            )?,
            protected: keys.switch(
                "protected",
                false,
                "true: the number of events must always be typed to confirm.",
            )?,
            wide_calls: wide_calls(keys)?,
            max_delete: keys.number(
                "max_delete",
                1..=100_000,
                10_000,
                "A plan of more events is refused.",
            )?,
            concurrency: keys.number("concurrency", 1..=64, 4, "Requests in flight.")?,
            timeout: Duration::from_secs(keys.number(
                "timeout_s",
                1..=600,
                30,
                "Seconds to wait for an answer.",
            )?),
        })
    }
}

/// A profile that is checked as far as the file goes: what it names has not been looked for.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) target: Target,
    pub(super) extensions: Vec<Extension>,
    pub(super) rules: Rules,
    /// But for `ca_file`.
    pub(super) trust: Trust,
    /// As written, with its place.
    pub(super) ca_file: Option<Spanned<String>>,
    /// As written, with its place.
    pub(super) extensions_file: Option<Spanned<String>>,
    /// How to get what it proves itself with.
    pub(super) auth: Auth,
    /// What the example says of all its keys.
    pub(super) example: String,
}

const ABOUT: &str =
    "One table for each PBX, customer or role. The name is yours: letters, digits, - and _.";
const URL: Key = Key::new(
    "url",
    "an address in quotes, as in \"https://pbx.example.com\"",
    "Scheme, host and port of the PBX. Required. https only; http is accepted for loopback addresses.",
)
.shown("\"https://pbx.example.com\"")
.private();
const BASE_PATH: Key =
    Key::new("base_path", "a path in quotes, as in \"/uapi\"", "The path before /extensions.");
const USER: Key = Key::new(
    "user",
    "@me, @viewer, @owner or a user id in quotes, as in \"@me\"",
    "For extensions whose owner is not known: \"@me\", \"@viewer\", \"@owner\" or a user id. What this \
     PBX takes is found out: this user, the owner's id, \"@owner\".",
);
const CREATE_PATH: Key = Key::new(
    "create_path",
    "\"plain\" or \"with_type\"",
    "Where an event that is undone goes: \"plain\" to .../phoneCallEvents, as VoipNow 3 and the \
     vendor's own client have it, \"with_type\" to .../phoneCallEvents/{type}, as the pages of VoipNow \
     5 have it.",
);
const EXTENSIONS: Key = Key::new(
    "extensions",
    "numbers in quotes between brackets, as in [\"0003*210\"]",
    "Extension numbers beside the discovered ones, in quotes; \"101/0003*211\" names the owner's id \
     too.",
)
.shown("[\"0003*210\"]");
const EXTENSIONS_FILE: Key = Key::new(
    "extensions_file",
    "a path in quotes, as in \"numbers.txt\"",
    "A text file of more of them, a number at the start of each line; # begins a comment. Default: none.",
)
.off("\"numbers.txt\"");
const DISCOVER: Key = Key::new(
    "discover",
    "\"presence\", \"system_api\" or both between brackets, or [] for none",
    "Where extensions are looked for: \"presence\" sees the phones of one user; \"system_api\" (SOAP) \
     sees queues, IVRs and conferences too, and tells labels and owners, which the App of an \
     organisation or an administrator needs; [] for nowhere.",
);
const WIDE_CALLS: Key = Key::new(
    "wide_calls",
    "\"extension\", \"type\" or both between brackets, or [] for none",
    "Which wide calls may be chosen (t, --form) in place of event calls: \"extension\" and \"type\"; [] \
     for none. A PBX may delete all types with a call for one type.",
);
const CA_FILE: Key = Key::new(
    "ca_file",
    "a path in quotes, as in \"/etc/ssl/acme-ca.pem\"",
    "Certificates in PEM that are trusted in addition: a CA, or the PBX's own, self-signed for \
     example. The PBX's own is accepted as it is, whatever names and dates it has. Default: none. Here \
     and in token_file, ~/ is your home; other relative paths start at this file's folder.",
)
.off("\"/etc/ssl/acme-ca.pem\"");
const FINGERPRINT: Key = Key::new(
    "fingerprint",
    "it in quotes, as `callsweep check` prints it: \"sha256:\" and 64 digits",
    "The fingerprint of the PBX's certificate, as `callsweep check` prints it: exactly this \
     certificate is trusted and no other, whatever names and dates it has. Default: none.",
)
.off("\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"");

impl Draft {
    /// The profile's name.
    pub(super) fn name(&self) -> &str {
        &self.target.profile
    }

    /// The same with the host that it leads to.
    pub(super) fn name_and_host(&self) -> (String, String) {
        (self.target.profile.clone(), self.target.host().to_owned())
    }

    /// Reads the table of a profile.
    pub(super) fn read(
        source: &Source,
        name: &Spanned<String>,
        found: Spanned<Node>,
    ) -> Result<Self, ConfigError> {
        let path = format!("profiles.{}", name.get_ref());
        let table = source.table(&path, found)?.into_inner();
        let mut keys = Keys::of(source, &path, table, ABOUT);
        let url = keys.text(URL)?;
        let base_path = keys.text_or(BASE_PATH, "/uapi")?;
        let user = keys.text_or(USER, "@me")?;
        let extensions = keys.texts_or(EXTENSIONS, &[])?;
        let extensions_file = keys.text(EXTENSIONS_FILE)?;
        let rules = Rules::read(&mut keys)?;
        let paths = [("plain", CreatePath::Plain), ("with_type", CreatePath::WithType)];
        let create_path = keys.word(CREATE_PATH, "plain", &paths)?;
        let ca_file = keys.text(CA_FILE)?;
        let fingerprint = keys.text(FINGERPRINT)?;
        let insecure = keys.switch(
            "insecure",
            false,
            "true: the certificate of the PBX is not verified. Not together with fingerprint.",
        )?;
        let (written, place) = keys.below("auth", auth::ABOUT, Written::read)?;
        let example = keys.end()?;
        let mut target = target(source, name, url.as_ref(), &base_path, &user)?;
        target.create_path = create_path;
        Ok(Self {
            auth: Auth::check(source, name, place, written, &target.origin)?,
            target,
            extensions: typed(source, &extensions)?,
            rules,
            trust: trust(source, fingerprint.as_ref(), insecure)?,
            ca_file,
            extensions_file,
            example,
        })
    }
}

/// The name stands in the names of run files; the rest is where requests go.
fn target(
    source: &Source,
    name: &Spanned<String>,
    url: Option<&Spanned<String>>,
    base_path: &Spanned<String>,
    user: &Spanned<String>,
) -> Result<Target, ConfigError> {
    let text = name.get_ref();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=64).contains(&text.len()) || !text.bytes().all(plain) {
        return Err(source.mistake(
            name.span(),
            format!("{text:?} cannot name a profile: write up to 64 letters, digits, - and _"),
        ));
    }
    let Some(url) = url else {
        return Err(source.mistake(
            name.span(),
            format!("url is missing in [profiles.{text}]: write url = \"https://pbx.example.com\""),
        ));
    };
    let origin = origin(url.get_ref()).map_err(|mistake| source.mistake(url.span(), mistake))?;
    let as_user = UserId::parse(user.get_ref())
        .map_err(|refused| source.mistake(user.span(), format!("user = {refused}")))?;
    Target::new(text, &origin, base_path.get_ref(), as_user)
        .map_err(|refused| source.mistake(base_path.span(), format!("base_path = {refused}")))
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

/// Each number once.
fn typed(source: &Source, written: &[Spanned<String>]) -> Result<Vec<Extension>, ConfigError> {
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
fn discover(keys: &mut Keys<'_>) -> Result<Vec<Discoverer>, ConfigError> {
    let known = [Discoverer::Presence, Discoverer::SystemApi].map(|one| (one.name(), one));
    let mut chosen = Vec::new();
    for one in keys.words(DISCOVER, &[Discoverer::Presence.name()], &known)? {
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    Ok(chosen)
}

fn wide_calls(keys: &mut Keys<'_>) -> Result<WideCalls, ConfigError> {
    let known = [CallForm::Extension, CallForm::Type].map(|form| (form.name(), form));
    let chosen = keys.words(WIDE_CALLS, &[CallForm::Extension.name()], &known)?;
    let holds = |form| chosen.contains(&form);
    Ok(WideCalls { extension: holds(CallForm::Extension), event_type: holds(CallForm::Type) })
}

/// A fingerprint names one certificate; nothing else is trusted then, `ca_file` included.
fn trust(
    source: &Source,
    fingerprint: Option<&Spanned<String>>,
    insecure: bool,
) -> Result<Trust, ConfigError> {
    let Some(written) = fingerprint else {
        return Ok(if insecure { Trust::Anything } else { Trust::Machine });
    };
    let text = written.get_ref();
    let mistake = |mistake| source.mistake(written.span(), mistake);
    if insecure {
        return Err(mistake(
            "fingerprint trusts one certificate, and insecure = true trusts all: leave one of them \
             out"
                .to_owned(),
        ));
    }
    let refused = |refused| mistake(format!("fingerprint = {text:?} is no fingerprint: {refused}"));
    text.parse().map(Trust::Exactly).map_err(refused)
}
