//! What a service speaks whose TLS is too old for this program, found out with a greeting that offers
//! anything there ever was. Nothing is encrypted and nothing secret is sent: the connection ends with
//! the answer, which up to TLS 1.2 holds the certificate in the clear.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

use rustls::pki_types::UnixTime;

use super::certificate::Certificate;

/// Most bytes of an answer that are read.
const LARGEST: u64 = 65_536;
/// Most pieces in which it may come: each is waited for.
const MOST_READS: usize = 16;
/// Ways of agreeing on a key, with the numbers of their ciphers.
const RSA: [u16; 9] = [0x2f, 0x35, 0x3c, 0x3d, 0x9c, 0x9d, 0x0a, 0x05, 0x04];
const DHE: [u16; 7] = [0x33, 0x39, 0x67, 0x6b, 0x9e, 0x9f, 0x16];
const ECDHE_OLD: [u16; 8] = [0xc013, 0xc014, 0xc027, 0xc028, 0xc009, 0xc00a, 0xc011, 0xc012];
const ECDHE: [u16; 4] = [0xc02f, 0xc030, 0xc02b, 0xc02c];
/// Curves, the form of their points, and signatures, each an extension of the greeting.
const EXTENSIONS: [u8; 40] = [
    0, 10, 0, 10, 0, 8, 0, 29, 0, 23, 0, 24, 0, 25, // curves
    0, 11, 0, 2, 1, 0, // points
    0, 13, 0, 16, 0, 14, 4, 1, 5, 1, 6, 1, 2, 1, 4, 3, 2, 3, 8, 4, // signatures
];

/// What a service chose of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldTls {
    version: u16,
    cipher: u16,
    /// The certificate that it showed, not judged.
    certificate: Option<Certificate>,
}

impl OldTls {
    /// Whether this program speaks none of what was chosen.
    pub fn is_old(&self) -> bool {
        self.version < 0x0303 || !ECDHE.contains(&self.cipher)
    }

    /// Greets the service at an address by the name of its host.
    ///
    /// # Errors
    /// When the connection does not come about, or ends before an answer that can be read.
    #[expect(clippy::disallowed_methods, reason = "the age of a certificate is told by today")]
    pub fn meet(address: SocketAddr, host: &str, patience: Duration) -> io::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(&greeting(host))?;
        let mut answer = Vec::new();
        let mut stream = stream.take(LARGEST);
        for _ in 0..MOST_READS {
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes)?;
            answer.extend_from_slice(bytes.get(..count).unwrap_or_default());
            let today = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let today = UnixTime::since_unix_epoch(today.unwrap_or_default());
            match read(&answer, today) {
                Some(old) if old.certificate.is_some() || count == 0 => return Ok(old),
                None if count == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

impl fmt::Display for OldTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.version {
            0x0300 => "SSL 3.0",
            0x0301 => "TLS 1.0",
            0x0302 => "TLS 1.1",
            _ => "TLS 1.2",
        };
        let exchange = match self.cipher {
            cipher if RSA.contains(&cipher) => "the RSA key exchange",
            cipher if DHE.contains(&cipher) => "the DHE key exchange",
            cipher if ECDHE_OLD.contains(&cipher) => "a cipher older than AES-GCM",
            _ => "a cipher that callsweep knows",
        };
        write!(f, "offered everything, it chose {version} with {exchange}")?;
        match &self.certificate {
            Some(certificate) => write!(f, "; {certificate}"),
            None => Ok(()),
        }
    }
}

/// A `ClientHello` for TLS 1.2 and everything before it (RFC 5246, 7.4.1.2).
fn greeting(host: &str) -> Vec<u8> {
    let ciphers = [&ECDHE[..], &ECDHE_OLD, &DHE, &RSA].concat();
    let ciphers: Vec<u8> = ciphers.into_iter().flat_map(u16::to_be_bytes).collect();
    let mut extensions = EXTENSIONS.to_vec();
    // Addresses are no names (RFC 6066, 3).
    if host.parse::<std::net::IpAddr>().is_err() {
        let name = [&[0][..], &sized::<2>(host.as_bytes())].concat();
        extensions.extend([&[0, 0][..], &sized::<2>(&sized::<2>(&name))].concat());
    }
    // The random number keeps nothing secret here.
    let body =
        [&[3, 3][..], &[0x5c; 32], &[0], &sized::<2>(&ciphers), &[1, 0], &sized::<2>(&extensions)];
    let hello = [&[1][..], &sized::<3>(&body.concat())].concat();
    [&[22, 3, 1][..], &sized::<2>(&hello)].concat()
}

/// Bytes behind their number in so many bytes.
fn sized<const N: usize>(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes();
    let length = length.get(length.len() - N..).unwrap_or_default();
    [length, bytes].concat()
}

/// What an answer says, as far as it came.
fn read(answer: &[u8], today: UnixTime) -> Option<OldTls> {
    let mut messages = Vec::new();
    let mut records = answer;
    // A handshake may go over several records.
    while let [22, 3, _, rest @ ..] = records {
        let Some((record, rest)) = cut::<2>(rest) else { break };
        messages.extend_from_slice(record);
        records = rest;
    }
    let (hello, rest) = match messages.as_slice() {
        [2, rest @ ..] => cut::<3>(rest)?,
        _ => return None,
    };
    let (version, rest_of_hello) = number(hello)?;
    let (_, rest_of_hello) = cut::<1>(rest_of_hello.get(32..)?)?;
    let (cipher, _) = number(rest_of_hello)?;
    let shown = match rest {
        [11, rest @ ..] => cut::<3>(rest).and_then(|(list, _)| cut::<3>(cut::<3>(list)?.0)),
        _ => None,
    };
    let certificate = shown.map(|(der, _)| Certificate::new(der, today));
    Some(OldTls { version, cipher, certificate })
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*first), rest))
}

/// Bytes behind their number in `N` bytes, and the rest.
fn cut<const N: usize>(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<N>()?;
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `ServerHello` of TLS 1.0 with the RSA key exchange, and a certificate that is none.
    fn answer() -> Vec<u8> {
        let hello = [&[3, 1][..], &[7; 32], &sized::<1>(&[9; 32]), &[0, 0x2f, 0]].concat();
        let list = sized::<3>(&sized::<3>(b"no certificate"));
        let messages = [&[2][..], &sized::<3>(&hello), &[11], &sized::<3>(&list)].concat();
        // Records end anywhere.
        let records = messages.chunks(50).map(|part| [&[22, 3, 1][..], &sized::<2>(part)].concat());
        records.collect::<Vec<_>>().concat()
    }

    #[test]
    fn an_answer_in_pieces_is_read_as_far_as_it_came_and_no_other_is_read_at_all() {
        let (answer, today) = (answer(), UnixTime::since_unix_epoch(Duration::ZERO));
        let whole = read(&answer, today).unwrap();
        assert!(whole.is_old() && whole.certificate.is_some());
        let said = whole.to_string();
        assert!(said.contains("TLS 1.0 with the RSA key exchange; certificate sha256:"), "{said}");
        for end in 0..answer.len() {
            let part = read(&answer[..end], today);
            assert!(part.is_none_or(|part| part.cipher == 0x2f), "{end}");
        }
        // An alert, a page, nothing.
        for other in [&[21, 3, 1, 0, 2, 2, 40][..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b""] {
            assert_eq!(read(other, today), None);
        }
    }
}
