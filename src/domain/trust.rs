//! Which certificate a service may show: by whom it is signed, or exactly which one it is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// SHA-256 over a certificate's DER bytes, as `openssl x509 -noout -fingerprint -sha256` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// The text is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write \"sha256:\" and its 64 hexadecimal digits, as `callsweep check` prints them")]
pub struct FingerprintRefused;

/// What makes a certificate trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// A CA of this machine signed it.
    Machine,
    /// A CA of this machine or of this PEM file signed it, or it stands in that file itself.
    MachineAnd(PathBuf),
    /// It has this fingerprint; no other certificate is accepted.
    Exactly(Fingerprint),
    /// Every certificate is accepted.
    Anything,
}

impl Fingerprint {
    /// The fingerprint of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

/// `sha256:` and 64 hexadecimal digits, in any case, with colons between the bytes or without.
impl FromStr for Fingerprint {
    type Err = FingerprintRefused;

    fn from_str(text: &str) -> Result<Self, FingerprintRefused> {
        let (kind, digits) = text.split_once(':').ok_or(FingerprintRefused)?;
        let bytes: Vec<&str> = if digits.contains(':') {
            digits.split(':').collect()
        } else {
            (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2).unwrap_or("")).collect()
        };
        let byte = |text: &str| {
            let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            u8::from_str_radix(text, 16).ok().filter(|_| plain)
        };
        let bytes: Option<Vec<u8>> = bytes.into_iter().map(byte).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(FingerprintRefused)?;
        Some(Self(bytes)).filter(|_| kind.eq_ignore_ascii_case("sha256")).ok_or(FingerprintRefused)
    }
}

/// As it is written in a profile.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_fingerprint_is_read_with_colons_or_without_in_any_case() {
        let expected = Fingerprint::of(b"");
        assert_eq!(expected.to_string(), format!("sha256:{HEX}"));
        let pairs = HEX.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair));
        let colons = pairs.collect::<Vec<_>>().join(":");
        for written in [HEX, &HEX.to_uppercase(), &colons, &colons.to_uppercase()] {
            assert_eq!(format!("sha256:{written}").parse(), Ok(expected), "{written}");
            assert_eq!(format!("SHA256:{written}").parse(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn what_has_another_shape_is_no_fingerprint() {
        let short = HEX.strip_suffix("55").unwrap();
        for wrong in [
            "",
            "sha256:",
            HEX,
            &format!("sha1:{HEX}"),
            &format!("sha256:{short}"),
            &format!("sha256:{HEX}00"),
            &format!("sha256:{short}+1"),
            &format!("sha256:{short}é"),
            &format!("sha256:{short}:55:"),
            &format!("sha256: {HEX}"),
            "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        ] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(FingerprintRefused), "{wrong:?}");
        }
    }
}
