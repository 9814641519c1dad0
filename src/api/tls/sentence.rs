//! What TLS can fail of, as sentences: what is wrong, with whom, and what to do about it.

use std::fmt;

use rustls::{
    AlertDescription as Alert, CertificateError as Bad, Error, InvalidMessage, PeerIncompatible,
};

use super::certificate::{Certificate, Key};
use crate::domain::Fingerprint;

/// What helps where the certificate is the right one all the same.
const COMPARE: &str = "compare the fingerprint that `callsweep check` shows with that of the PBX \
                       (openssl x509 -noout -fingerprint -sha256 -in FILE) and write it as \
                       fingerprint in the profile";
/// What helps where nothing can be mended.
const PROXY: &str = "write url = \"http://127.0.0.1:PORT\" in the profile and run a TLS proxy \
                     there, as the README shows under \"A PBX with old TLS\"";

/// A certificate that is not trusted, and why.
#[derive(Debug)]
pub(super) struct Untrusted {
    pub(super) reason: Reason,
    pub(super) certificate: Certificate,
    /// Whose certificate it should be.
    pub(super) name: String,
}

/// Why a certificate is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The profile names the fingerprint of another certificate.
    Other(Fingerprint),
    SelfSigned,
    /// The certificate is not among those in `ca_file`.
    NotInFile,
    Issuer,
    Name,
    Expired,
    NotYet,
    Key(Key),
    Forgeable,
    Purpose,
    Unreadable,
    /// Another rule for certificates is broken.
    Rules,
}

impl Reason {
    /// The reason in the terms of this program; where the library gives one that does not help,
    /// because it was the first it came upon, what the certificate says decides.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the list of the library is open")]
    pub(super) fn of(error: &Error, certificate: &Certificate) -> Self {
        let Some(facts) = &certificate.facts else { return Self::Unreadable };
        if facts.self_signed {
            return Self::SelfSigned;
        }
        let Error::InvalidCertificate(bad) = error else { return Self::Rules };
        match bad {
            Bad::UnknownIssuer => Self::Issuer,
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Self::Name,
            Bad::Expired | Bad::ExpiredContext { .. } => Self::Expired,
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => Self::NotYet,
            Bad::UnsupportedSignatureAlgorithmContext { .. } => Self::Forgeable,
            Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => Self::Purpose,
            Bad::BadEncoding => Self::Unreadable,
            _ if facts.forgeable => Self::Forgeable,
            Bad::Other(_) => Self::Purpose,
            _ => Self::Rules,
        }
    }
}

impl Untrusted {
    fn sentence(&self, host: &str) -> String {
        let Self { reason, certificate, .. } = self;
        let facts = certificate.facts.as_ref();
        let (from, until) = facts.map(super::certificate::Facts::days).unwrap_or_default();
        let its = format!("the certificate of {host}");
        match reason {
            Reason::Other(expected) => format!(
                "{its} is not the one that the profile names, its fingerprint is {}, not \
                 {expected}: compare it with that of the PBX, and write it as fingerprint in the \
                 profile only if somebody has renewed the certificate",
                certificate.fingerprint
            ),
            Reason::SelfSigned => format!(
                "{its} is self-signed, and the profile does not name it: {COMPARE}, or name the \
                 certificate's PEM file as ca_file"
            ),
            Reason::NotInFile => format!(
                "{its} is self-signed, and none of those that ca_file holds, perhaps a new one: \
                 {COMPARE}, or name the new certificate's PEM file as ca_file"
            ),
            Reason::Issuer => format!(
                "this machine does not know who signed {its}: name the CA's PEM file as ca_file in \
                 the profile, or {COMPARE}"
            ),
            Reason::Name => self.otherwise_named(&its),
            Reason::Expired => format!(
                "{its}, or of a CA above it, has expired (its own last day is {until}): have it \
                 renewed, check this machine's clock, or {COMPARE}"
            ),
            Reason::NotYet => format!(
                "{its}, or of a CA above it, is not valid yet (its own first day is {from}): check \
                 this machine's clock and the PBX's, or {COMPARE}"
            ),
            Reason::Key(Key::Short(bits)) => format!(
                "{its} has an RSA key of {bits} bits, and less than 2048 can be broken: have it \
                 reissued with a longer key, or {PROXY}"
            ),
            Reason::Key(Key::Good | Key::Odd) => format!(
                "{its} has a key of a kind that callsweep cannot use: have it reissued with an \
                 RSA key of 2048 bits, or {PROXY}"
            ),
            Reason::Forgeable => format!(
                "{its}, or of a CA above it, is signed with SHA-1 or another method that can be \
                 forged: have it reissued with SHA-256, or {COMPARE}"
            ),
            Reason::Purpose => {
                format!("{its} was not made for a server: have it reissued for one, or {COMPARE}")
            }
            Reason::Unreadable => {
                format!("{its} cannot be read: have it reissued, or {COMPARE}")
            }
            Reason::Rules => {
                format!("{its} is not trusted: have it reissued, or {COMPARE}")
            }
        }
    }

    fn otherwise_named(&self, its: &str) -> String {
        let facts = self.certificate.facts.as_ref();
        let names = facts.map(|facts| facts.names.as_slice()).unwrap_or_default();
        if names.is_empty() {
            let old = facts.and_then(|facts| facts.common_name.as_ref());
            let old = old.map(|name| format!(", only the old CN={name}")).unwrap_or_default();
            return format!(
                "{its} names no host (it has no subjectAltName{old}): have it reissued with one, \
                 or {COMPARE}"
            );
        }
        let names: Vec<String> = names.iter().take(5).map(ToString::to_string).collect();
        format!(
            "{its} was made for another name ({}): write that name as url in the profile, or \
             {COMPARE}",
            names.join(", ")
        )
    }
}

/// The library asks for it; operators read [`sentence`].
impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence("the service"))
    }
}

impl std::error::Error for Untrusted {}

/// Whether it is the certificate of this host that is not trusted.
pub(in crate::api) fn is_about(error: &Error, host: &str) -> bool {
    let Error::InvalidCertificate(Bad::Other(other)) = error else { return false };
    let untrusted = other.0.downcast_ref::<Untrusted>();
    untrusted.is_some_and(|untrusted| untrusted.name.eq_ignore_ascii_case(host))
}

/// What went wrong with TLS. Nothing in it is the library's own text, which is made for developers.
#[expect(clippy::wildcard_enum_match_arm, reason = "the list of the library is open")]
pub(in crate::api) fn sentence(error: &Error, host: &str) -> String {
    match error {
        Error::InvalidCertificate(Bad::Other(other)) => {
            let untrusted = other.0.downcast_ref::<Untrusted>();
            untrusted.map_or_else(|| broken(host, "its certificate"), |why| why.sentence(host))
        }
        Error::InvalidCertificate(_) => format!(
            "{host} does not prove that it holds the key of its certificate: check what stands \
             between this machine and the PBX"
        ),
        Error::AlertReceived(Alert::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => {
            format!("{host} speaks only TLS 1.0 or 1.1, or SSL, which callsweep does not: {PROXY}")
        }
        Error::AlertReceived(Alert::HandshakeFailure | Alert::InsufficientSecurity)
        | Error::PeerIncompatible(_) => format!(
            "{host} has no way of encrypting in common with callsweep: it knows only the RSA key \
             exchange, ciphers older than AES-GCM, or TLS 1.0 and 1.1: {PROXY}"
        ),
        Error::PeerMisbehaved(rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme) => {
            format!("{host} signs with SHA-1, which can be forged: {PROXY}")
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!("{host} answers without TLS: check scheme and port of url in the profile")
        }
        Error::AlertReceived(Alert::UnrecognisedName) => format!(
            "{host} knows no host of that name: write the name as url in the profile that the PBX \
             is known by"
        ),
        Error::AlertReceived(
            Alert::CertificateRequired | Alert::BadCertificate | Alert::NoCertificate,
        ) => format!("{host} wants a certificate of its clients, and callsweep has none: {PROXY}"),
        Error::AlertReceived(_) => broken(host, "the PBX ended it"),
        Error::PeerMisbehaved(_)
        | Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::DecryptError
        | Error::PeerSentOversizedRecord => broken(host, "its data breaks the rules of TLS"),
        _ => broken(host, "it could not be begun"),
    }
}

/// The other side closed the connection in place of an answer.
pub(in crate::api) fn cut_short(host: &str) -> String {
    format!(
        "{host} closed the connection when TLS was to begin, as very old TLS may: check scheme and \
         port of url in the profile, or {PROXY}"
    )
}

fn broken(host: &str, reason: &str) -> String {
    format!(
        "no TLS with {host} came about ({reason}): check scheme and port of url in the profile, \
         and what stands between this machine and the PBX"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{ContentType, HandshakeType, OtherError, PeerMisbehaved};
    use std::sync::Arc;

    /// Errors of every kind that may come from the library.
    fn errors() -> Vec<Error> {
        let alerts = (0..=u8::MAX).map(|code| Error::AlertReceived(Alert::from(code)));
        let certificates = [
            Bad::BadEncoding,
            Bad::Expired,
            Bad::UnknownIssuer,
            Bad::BadSignature,
            Bad::ApplicationVerificationFailure,
            Bad::Other(OtherError(Arc::new(std::fmt::Error))),
        ];
        let others = [
            Error::InappropriateMessage {
                expect_types: vec![ContentType::Handshake],
                got_type: ContentType::ApplicationData,
            },
            Error::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::ServerHello],
                got_type: HandshakeType::Finished,
            },
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::InvalidMessage(InvalidMessage::MessageTooLarge),
            Error::NoCertificatesPresented,
            Error::DecryptError,
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Error::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig),
            Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme),
            Error::PeerMisbehaved(PeerMisbehaved::TooMuchEarlyDataReceived),
            Error::General("SomeDump { of: Everything }".to_owned()),
            Error::PeerSentOversizedRecord,
        ];
        alerts.chain(certificates.map(Error::InvalidCertificate)).chain(others).collect()
    }

    #[test]
    fn no_error_of_the_library_is_told_in_its_own_words_and_each_has_a_remedy() {
        for error in errors() {
            let said = sentence(&error, "pbx.test:443");
            let (what, remedy) = said.rsplit_once(": ").unwrap();
            assert!(what.contains("pbx.test:443") && remedy.contains(' '), "{said}");
            let run_together = |word: &str| {
                let mut letters = word.chars().skip(1);
                letters.any(char::is_uppercase) && word.chars().any(char::is_lowercase)
            };
            let dump = said.split(|c: char| !c.is_alphanumeric()).find(|word| run_together(word));
            assert!(dump.is_none() && !said.contains(['{', '\n']), "{error:?}: {said}");
        }
    }
}
