//! Errors of the HTTP client as sentences: what failed, with whom, and what to do about it.
//!
//! The URL, which holds the query, is taken out of every error first.

use std::error::Error;
use std::io;
use std::iter;
use std::time::Duration;

use rustls::CertificateError;

use super::Patience;
use crate::domain::{Cause, Failure};

/// What went wrong on the way. Only an error while connecting says that nothing was sent.
pub(super) fn failure(error: reqwest::Error, host: &str, patience: Patience) -> Failure {
    let error = error.without_url();
    if error.is_connect() {
        return Failure::new(Cause::Unreachable, unreachable(&error, host, patience));
    }
    if error.is_builder() {
        let reason = innermost(&error);
        return Failure::new(Cause::Withheld, format!("the request could not be made ({reason})"));
    }
    if error.is_timeout() {
        let waited = seconds(patience.total);
        return Failure::new(
            Cause::NoAnswer,
            format!("no answer within {waited}: raise timeout_s in the profile if {host} is slow"),
        );
    }
    let spoke_http = find::<hyper::Error>(&error);
    let message = if spoke_http.is_some_and(hyper::Error::is_parse) {
        format!("what {host} answered is not HTTP: check url in the profile, its port above all")
    } else if spoke_http.is_some_and(hyper::Error::is_incomplete_message) || was_cut(&error) {
        format!("{host} closed the connection before its answer was complete")
    } else {
        let reason = innermost(&error);
        format!("the connection to {host} broke before its answer was complete ({reason})")
    };
    Failure::new(Cause::NoAnswer, message)
}

/// The text of the error that caused all others.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

fn unreachable(error: &reqwest::Error, host: &str, patience: Patience) -> String {
    if let Some(tls) = find::<rustls::Error>(error) {
        return untrusted(tls, host);
    }
    let reason = innermost(error);
    if error.is_timeout() {
        let waited = seconds(patience.connect);
        return format!(
            "no connection to {host} within {waited}: check url in the profile, firewall and VPN; \
             a PBX that was asked in vain too often blocks the asking address for up to an hour"
        );
    }
    if error.is_dns() {
        return format!(
            "the name of {host} was not found ({reason}): check url in the profile and the name \
             service of this machine"
        );
    }
    let refused = find::<io::Error>(error)
        .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if refused {
        return format!(
            "{host} refused the connection: check the port of url in the profile, and that the \
             service runs there"
        );
    }
    format!("no connection to {host} ({reason}): check url in the profile and the network")
}

fn untrusted(error: &rustls::Error, host: &str) -> String {
    use CertificateError as Bad;
    let rustls::Error::InvalidCertificate(bad) = error else {
        return format!(
            "no TLS with {host} ({error}): check scheme and port of url in the profile"
        );
    };
    if matches!(bad, Bad::UnknownIssuer) {
        return format!(
            "this machine does not know who signed the certificate of {host}: name the CA's PEM \
             file as ca_file in the profile"
        );
    }
    if matches!(bad, Bad::NotValidForName | Bad::NotValidForNameContext { .. }) {
        return format!(
            "the certificate of {host} was made for another name: write that name as url in the \
             profile"
        );
    }
    if matches!(bad, Bad::Expired | Bad::ExpiredContext { .. }) {
        return format!(
            "the certificate of {host} has expired: have it renewed, or check this machine's clock"
        );
    }
    if matches!(bad, Bad::NotValidYet | Bad::NotValidYetContext { .. }) {
        return format!("the certificate of {host} is not valid yet: check this machine's clock");
    }
    format!(
        "the certificate of {host} is not trusted ({bad}): name the CA's PEM file as ca_file in \
         the profile"
    )
}

fn was_cut(error: &reqwest::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
        )
    })
}

fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    causes(error).find_map(|cause| cause.downcast_ref::<E>())
}

/// The error and everything behind it. An [`io::Error`] made of another error names only that
/// one's own cause as its source, so that it is opened here.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    iter::successors(Some(first), |&error| {
        let wrapping = error.downcast_ref::<io::Error>();
        match wrapping.and_then(io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => error.source(),
        }
    })
}

/// `30 s`, `50 ms`.
fn seconds(wait: Duration) -> String {
    if wait.subsec_millis() == 0 {
        format!("{} s", wait.as_secs())
    } else if wait.as_secs() == 0 {
        format!("{} ms", wait.as_millis())
    } else {
        format!("{:.1} s", wait.as_secs_f64())
    }
}
