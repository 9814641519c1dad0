//! TLS for the simulator, with a certificate that is made at its start.

use std::io;
use std::sync::Arc;

use clap::ValueEnum;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// What kind of certificate it shows, self-signed in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Certified {
    /// For localhost and its addresses
    #[default]
    Named,
    /// As `openssl req -x509` makes one: a CA, named in CN alone
    Openssl,
    /// The same, expired
    Expired,
}

/// A certificate and its key.
#[derive(Debug)]
pub struct Identity {
    der: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Identity {
    /// Makes one.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(kind: Certified) -> io::Result<Self> {
        let names = match kind {
            Certified::Named => vec!["localhost".into(), "127.0.0.1".into(), "::1".into()],
            Certified::Openssl | Certified::Expired => Vec::new(),
        };
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        if kind != Certified::Named {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        if kind == Certified::Expired {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        Ok(Self { der: certificate.der().clone(), pem: certificate.pem(), key })
    }

    /// The certificate in PEM form.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate's bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn server(&self) -> io::Result<Arc<ServerConfig>> {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![self.der.clone()], key.into())
            });
        server.map(Arc::new).map_err(io::Error::other)
    }
}
