//! Which certificate is trusted, and sentences for what TLS can fail of.
//!
//! A certificate that the profile names, in `ca_file` itself or by its fingerprint, is accepted as it
//! is: its names, dates and signer do not matter, since the holder of its key is the one that was
//! meant, as with ssh. In every other case the machine's rules decide. That the other side holds the
//! certificate's key is verified always, but under `insecure`, which verifies nothing.

mod certificate;
mod old;
mod sentence;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use rustls_platform_verifier::Verifier as Machine;
use webpki::RawPublicKeyEntity;

use self::certificate::{Accepted, Key, key_of};
use self::sentence::Reason;
use crate::domain::{Fingerprint, Trust};
use crate::origins::read_named;

pub use self::certificate::Certificate;
pub use self::old::OldTls;
pub(super) use self::sentence::{cut_short, is_about, sentence};

/// Why TLS cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsRefused {
    /// `ca_file` cannot be read.
    #[error("ca_file {0:?} cannot be read ({1}): correct its path or its permissions")]
    Unreadable(PathBuf, String),
    /// `ca_file` holds no certificates.
    #[error(
        "ca_file {0:?} holds no certificate: name a PEM file with -----BEGIN CERTIFICATE----- \
         (openssl x509 -inform der -in FILE makes one of a DER file)"
    )]
    Empty(PathBuf),
    /// This machine has no authorities that it trusts.
    #[error(
        "no CA certificates are installed on this machine: install them (ca-certificates), or name \
         a CA or the PBX's own certificate as ca_file in the profile"
    )]
    NoAuthorities,
    /// The library refuses the settings.
    #[error("TLS cannot be set up: check that this is the callsweep that was released")]
    Library,
}

/// Judges certificates, and remembers the last one that it met.
#[derive(Debug)]
pub(super) struct Judge {
    rule: Rule,
    provider: Arc<CryptoProvider>,
    met: Mutex<Option<Certificate>>,
}

#[derive(Debug)]
enum Rule {
    Authorities {
        /// `None` where the machine has no CA and `ca_file` holds none either.
        machine: Option<Machine>,
        /// What stands in `ca_file`.
        named: Vec<CertificateDer<'static>>,
    },
    Exactly(Fingerprint),
    Anything,
}

impl Judge {
    /// Reads the certificates that are trusted.
    pub(super) fn new(trust: &Trust) -> Result<Arc<Self>, TlsRefused> {
        let provider = Arc::new(crypto::ring::default_provider());
        let rule = match trust {
            Trust::Anything => Rule::Anything,
            Trust::Exactly(fingerprint) => Rule::Exactly(*fingerprint),
            Trust::Machine => {
                let machine = Machine::new(Arc::clone(&provider));
                let machine = Some(machine.map_err(|_| TlsRefused::NoAuthorities)?);
                Rule::Authorities { machine, named: Vec::new() }
            }
            Trust::MachineAnd(file) => {
                let named = certificates(file)?;
                // What cannot be a CA stands for itself alone, and takes no other's place.
                let may_sign = |one: &&CertificateDer<'static>| {
                    RootCertStore::empty().add((*one).clone()).is_ok()
                };
                let more = named.iter().filter(may_sign).cloned();
                let machine = Machine::new_with_extra_roots(more, Arc::clone(&provider)).ok();
                Rule::Authorities { machine, named }
            }
        };
        Ok(Arc::new(Self { rule, provider, met: Mutex::default() }))
    }

    /// How a client speaks TLS that asks this judge.
    pub(super) fn client(self: &Arc<Self>) -> Result<ClientConfig, TlsRefused> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|_| TlsRefused::Library)?;
        let judge: Arc<dyn ServerCertVerifier> = Arc::<Self>::clone(self);
        let mut client =
            builder.dangerous().with_custom_certificate_verifier(judge).with_no_client_auth();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(client)
    }

    /// The certificate that was shown last.
    pub(super) fn met(&self) -> Option<Certificate> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn judge(
        &self,
        shown: &CertificateDer<'_>,
        certificate: &Certificate,
        by_authorities: impl FnOnce(&Machine) -> Result<ServerCertVerified, Error>,
    ) -> Result<Accepted, Reason> {
        let key = certificate.facts.as_ref().map_or(Key::Good, |facts| facts.key);
        match &self.rule {
            Rule::Anything => Ok(Accepted::Unverified),
            Rule::Exactly(expected) if *expected != certificate.fingerprint => {
                Err(Reason::Other(*expected))
            }
            // With such a key its holder can prove nothing.
            Rule::Exactly(_) | Rule::Authorities { .. } if key != Key::Good => {
                Err(Reason::Key(key))
            }
            Rule::Exactly(_) => Ok(Accepted::Fingerprint),
            Rule::Authorities { named, .. } if named.iter().any(|one| one == shown) => {
                Ok(Accepted::File)
            }
            Rule::Authorities { machine, named } => {
                let nobody = Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
                let verified = machine.as_ref().map_or(nobody, by_authorities);
                match verified.map_err(|error| Reason::of(&error, certificate)) {
                    Ok(_) => Ok(Accepted::Authority),
                    Err(Reason::SelfSigned) if !named.is_empty() => Err(Reason::NotInFile),
                    Err(reason) => Err(reason),
                }
            }
        }
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut certificate = Certificate::new(shown, now);
        let verdict = self.judge(shown, &certificate, |machine| {
            machine.verify_server_cert(shown, others, name, ocsp, now)
        });
        certificate.accepted = verdict.as_ref().ok().copied();
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate.clone());
        match verdict {
            Ok(_) => Ok(ServerCertVerified::assertion()),
            Err(reason) => {
                let name = name.to_str().into_owned();
                let untrusted = sentence::Untrusted { reason, certificate, name };
                let untrusted = CertificateError::Other(OtherError(Arc::new(untrusted)));
                Err(Error::InvalidCertificate(untrusted))
            }
        }
    }

    /// The library's own way needs a certificate of version 3, and old ones have version 1.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if matches!(self.rule, Rule::Anything) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        let Some(key) = key_of(shown) else {
            return crypto::verify_tls12_signature(message, shown, signed, algorithms);
        };
        verify_by_key(message, &key, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if matches!(self.rule, Rule::Anything) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        match key_of(shown) {
            Some(key) => {
                crypto::verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
            }
            None => crypto::verify_tls13_signature(message, shown, signed, algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// In TLS 1.2 one scheme stands for several algorithms: the one that fits the key counts.
fn verify_by_key(
    message: &[u8],
    key: &SubjectPublicKeyInfoDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &crypto::WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let bad = || Error::InvalidCertificate(CertificateError::BadSignature);
    let key = RawPublicKeyEntity::try_from(key).map_err(|_| bad())?;
    let fitting = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
    let verified = fitting
        .flat_map(|(_, algorithms)| *algorithms)
        .any(|algorithm| key.verify_signature(*algorithm, message, signed.signature()).is_ok());
    if verified { Ok(HandshakeSignatureValid::assertion()) } else { Err(bad()) }
}

/// The certificates of a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsRefused> {
    let pem = read_named(path)
        .map_err(|error| TlsRefused::Unreadable(path.to_owned(), error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(TlsRefused::Empty(path.to_owned())),
    }
}
