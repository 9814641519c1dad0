//! Which proxy requests go through, as the HTTP client itself finds it in the environment.

use std::fmt;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// The variables that name a proxy for https, the first pair first; of a pair counts the one that is set.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// A proxy between this machine and a PBX, without the user and the password that its variable holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Scheme, host and port.
    place: String,
    variable: &'static str,
    /// Whom it leads to.
    host: String,
}

impl Proxy {
    /// The proxy for an address, where there is one and `NO_PROXY` does not except the host.
    pub(super) fn to(url: &Url) -> Option<Self> {
        let target: Uri = url.as_str().parse().ok()?;
        let found = Matcher::from_system().intercept(&target)?;
        let (scheme, host) = (found.uri().scheme_str()?, found.uri().host()?);
        let port = found.uri().port_u16().unwrap_or(match scheme {
            "https" => 443,
            "http" => 80,
            _ => 1080,
        });
        let names = |name: &&str| {
            let value = std::env::var(name).unwrap_or_default();
            Matcher::builder().https(value).build().intercept(&target).is_some()
        };
        let set = |name: &&str| std::env::var(name).is_ok();
        let mut counted = VARIABLES.into_iter().filter_map(|pair| pair.into_iter().find(set));
        Some(Self {
            place: format!("{scheme}://{host}:{port}"),
            variable: counted.find(names)?,
            host: url.host_str()?.to_owned(),
        })
    }

    /// The variable that should name a proxy for an address and names none that can be used; its value,
    /// which may hold a password, is told to nobody. What `NO_PROXY` excepts needs no proxy.
    pub(super) fn unreadable(url: &Url) -> Option<&'static str> {
        let target: Uri = url.as_str().parse().ok()?;
        let any = |proxy: &str| {
            let excepted =
                ["NO_PROXY", "no_proxy"].into_iter().find_map(|it| std::env::var(it).ok());
            let matcher =
                Matcher::builder().https(proxy.to_owned()).no(excepted.unwrap_or_default());
            matcher.build().intercept(&target).is_some()
        };
        // Where programs are started by a web server no variable counts.
        if std::env::var_os("REQUEST_METHOD").is_some() || !any("http://proxy.invalid") {
            return None;
        }
        for pair in VARIABLES {
            let set = pair.into_iter().find_map(|name| Some((name, std::env::var(name).ok()?)));
            match set {
                Some((_, value)) if any(value.trim()) => return None,
                Some((name, value)) if !value.trim().is_empty() => return Some(name),
                Some(_) | None => {}
            }
        }
        None
    }

    /// Scheme, host and port.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What to do where nothing comes through it.
    pub fn remedy(&self) -> String {
        let Self { variable, host, .. } = self;
        format!("correct or unset {variable}, or add {host} to NO_PROXY")
    }

    /// How its login is written.
    pub(super) fn remedy_of_login(&self) -> String {
        let written = self.place.replace("://", "://USER:PASSWORD@");
        format!("write the login into {}, as in {written}", self.variable)
    }

    /// Its name in a certificate, where TLS is spoken with it.
    pub(super) fn name(&self) -> Option<&str> {
        let authority = self.place.strip_prefix("https://")?;
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        Some(host.trim_matches(['[', ']']))
    }

    pub(super) fn is_socks(&self) -> bool {
        self.place.starts_with("socks")
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {} of {}", self.place, self.variable)
    }
}
