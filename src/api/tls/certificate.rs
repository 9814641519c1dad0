//! What a certificate says of itself, read so far as a person or a rule needs it.

use std::fmt;
use std::net::IpAddr;

use jiff::{Timestamp, tz::TimeZone};
use rustls::crypto::ring;
use rustls::pki_types::{SubjectPublicKeyInfoDer, UnixTime};
use webpki::RawPublicKeyEntity;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::domain::{Fingerprint, Foreign};

/// Most names told of a certificate.
const NAMES: usize = 3;
/// Object identifiers of curves and keys that TLS can be spoken with here.
const CURVES: [&str; 2] = ["1.2.840.10045.3.1.7", "1.3.132.0.34"];
const ED25519: &str = "1.3.101.112";
/// Those of signatures with MD5 or SHA-1, which can be forged.
const FORGEABLE: [&str; 5] = [
    "1.2.840.113549.1.1.4",
    "1.2.840.113549.1.1.5",
    "1.3.14.3.2.29",
    "1.2.840.10040.4.3",
    "1.2.840.10045.4.1",
];

/// A certificate that a service showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 fingerprint of the certificate.
    pub fingerprint: Fingerprint,
    /// When it was shown.
    at: Timestamp,
    /// Why it was accepted; `None` where it was not.
    pub(super) accepted: Option<Accepted>,
    /// What it says; `None` where it cannot be read.
    pub(super) facts: Option<Facts>,
}

/// What made a certificate trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepted {
    /// A trusted CA signed it.
    Authority,
    /// The certificate itself stands in `ca_file`.
    File,
    /// Its fingerprint is the one in the profile.
    Fingerprint,
    /// Certificates are not verified (`insecure`).
    Unverified,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    from: Timestamp,
    until: Timestamp,
    /// The hosts it was made for.
    pub(super) names: Vec<Foreign>,
    /// The name in the place that was used for hosts until 2011.
    pub(super) common_name: Option<Foreign>,
    pub(super) self_signed: bool,
    pub(super) forgeable: bool,
    pub(super) key: Key,
}

/// Whether the key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Good,
    /// An RSA key with this many bits, which is too few.
    Short(usize),
    /// A key of a kind that is not supported.
    Odd,
}

/// The public key of a certificate.
pub(super) fn key_of(der: &[u8]) -> Option<SubjectPublicKeyInfoDer<'static>> {
    let (_, read) = X509Certificate::from_der(der).ok()?;
    Some(SubjectPublicKeyInfoDer::from(read.public_key().raw.to_vec()))
}

impl Certificate {
    pub(super) fn new(der: &[u8], now: UnixTime) -> Self {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Self {
            fingerprint: Fingerprint::of(der),
            at: Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX),
            accepted: None,
            facts: X509Certificate::from_der(der).ok().map(|(_, read)| facts(&read)),
        }
    }
}

impl Facts {
    /// The days of its beginning and its end.
    pub(super) fn days(&self) -> (String, String) {
        (day(self.from), day(self.until))
    }
}

fn facts(read: &X509Certificate<'_>) -> Facts {
    let moment = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let validity = read.validity();
    let common_name = read.subject().iter_common_name().next();
    let forgeable = FORGEABLE.contains(&read.signature_algorithm.algorithm.to_id_string().as_str());
    Facts {
        from: moment(validity.not_before.timestamp()),
        until: moment(validity.not_after.timestamp()),
        names: names(read),
        common_name: common_name.and_then(|name| name.as_str().ok()).map(Foreign::from),
        self_signed: read.subject().as_raw() == read.issuer().as_raw()
            && (forgeable || signed_by_own_key(read)),
        forgeable,
        key: key(read),
    }
}

/// A CA and what it signed may have one name.
fn signed_by_own_key(read: &X509Certificate<'_>) -> bool {
    let key = SubjectPublicKeyInfoDer::from(read.public_key().raw);
    let Ok(key) = RawPublicKeyEntity::try_from(&key) else { return false };
    let (signed, signature) = (read.tbs_certificate.as_ref(), &read.signature_value.data);
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    algorithms.iter().any(|one| key.verify_signature(*one, signed, signature).is_ok())
}

fn names(read: &X509Certificate<'_>) -> Vec<Foreign> {
    let Ok(Some(alternatives)) = read.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| {
        if let GeneralName::DNSName(name) = name {
            return Some(Foreign::from(*name));
        }
        let GeneralName::IPAddress(bytes) = name else { return None };
        let short = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
        let address = short.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
        address.ok().map(|address| Foreign::from(address.to_string()))
    };
    alternatives.value.general_names.iter().filter_map(name).collect()
}

fn key(read: &X509Certificate<'_>) -> Key {
    let public = read.public_key();
    let kind = public.algorithm.algorithm.to_id_string();
    match public.parsed() {
        // A leading zero byte may be counted in.
        Ok(PublicKey::RSA(key)) if key.key_size() < 2041 => Key::Short(key.key_size()),
        Ok(PublicKey::RSA(key)) if key.key_size() <= 8192 => Key::Good,
        Ok(PublicKey::EC(_)) => {
            let parameters = public.algorithm.parameters.as_ref();
            let curve = parameters.and_then(|curve| curve.as_oid().ok());
            let known = curve.is_some_and(|curve| CURVES.contains(&curve.to_id_string().as_str()));
            if known { Key::Good } else { Key::Odd }
        }
        Ok(_) | Err(_) if kind == ED25519 => Key::Good,
        Ok(_) | Err(_) => Key::Odd,
    }
}

fn day(moment: Timestamp) -> String {
    TimeZone::UTC.to_datetime(moment).date().to_string()
}

/// `sha256:…, for pbx.example.com, valid 2026-11-01 to 2027-11-01, 25 days old, expires in 340 days`
impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "certificate {}", self.fingerprint)?;
        let Some(facts) = &self.facts else {
            f.write_str(", which cannot be read any further")?;
            return self.acceptance(f);
        };
        if facts.self_signed {
            f.write_str(", self-signed")?;
        }
        match (facts.names.as_slice(), &facts.common_name) {
            ([], None) => f.write_str(", for no name")?,
            ([], Some(name)) => write!(f, ", for no name but the old CN={name}")?,
            (names, _) => {
                let more = (names.len() > NAMES).then(|| "…".to_owned());
                let told = names.iter().take(NAMES).map(ToString::to_string);
                let told: Vec<String> = told.chain(more).collect();
                write!(f, ", for {}", told.join(", "))?;
            }
        }
        if facts.forgeable {
            f.write_str(", signed with SHA-1 or MD5")?;
        }
        let (from, until) = facts.days();
        write!(f, ", valid {from} to {until}, ")?;
        let days = |from: Timestamp, to: Timestamp| {
            let days = to.duration_since(from).as_secs().max(0) / 86_400;
            format!("{days} {}", if days == 1 { "day" } else { "days" })
        };
        if self.at < facts.from {
            write!(f, "not valid yet for {}", days(self.at, facts.from))?;
        } else if self.at > facts.until {
            write!(f, "EXPIRED {} ago", days(facts.until, self.at))?;
        } else {
            let (age, left) = (days(facts.from, self.at), days(self.at, facts.until));
            write!(f, "{age} old, expires in {left}")?;
        }
        self.acceptance(f)
    }
}

impl Certificate {
    /// Whether the certificate was accepted.
    pub fn is_trusted(&self) -> bool {
        self.accepted.is_some()
    }

    fn acceptance(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.accepted {
            None | Some(Accepted::Authority) => return Ok(()),
            Some(Accepted::File) => "accepted as it stands in ca_file itself",
            Some(Accepted::Fingerprint) => "accepted as it has the fingerprint of the profile",
            Some(Accepted::Unverified) => "NOT VERIFIED, as insecure = true says",
        };
        write!(f, "; {words}")
    }
}
