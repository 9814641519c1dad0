//! Errors of the HTTP client as sentences: what failed, with whom, and what to do about it.
//!
//! The URL, which holds the query, is taken out of every error first.

use std::error::Error;
use std::io;
use std::iter;
use std::time::Duration;

use super::{Patience, Proxy};
use crate::api::tls;
use crate::domain::{Cause, Failure, Foreign};

/// Whether the connection ended under the request. A connection that never came about is none, nor
/// one on which nobody answered in time.
pub(super) fn ended_early(error: &reqwest::Error) -> bool {
    let incomplete = find::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message);
    !error.is_connect() && !error.is_timeout() && (incomplete || was_cut(error))
}

/// What went wrong on the way. Only an error while connecting, and a connection that ended before
/// the request was written to it, say that nothing was sent. On a kept connection the latter is no
/// error: hyper goes on to the next one.
pub(super) fn failure(
    error: reqwest::Error,
    host: &str,
    proxy: Option<&Proxy>,
    patience: Patience,
) -> Failure {
    let error = error.without_url();
    let of_tls = find::<rustls::Error>(&error);
    if let (Some(tls), Some(proxy)) = (of_tls, proxy.filter(|_| error.is_connect()))
        && proxy.name().is_some_and(|name| tls::is_about(tls, name))
    {
        let said = tls::sentence(tls, &proxy.to_string());
        let (what, _) = said.rsplit_once(": ").unwrap_or((&said, ""));
        let remedy = format!(
            "name the PEM file of its CA as ca_file in the profile, without fingerprint there, or {}",
            proxy.remedy()
        );
        return Failure::new(Cause::Untrusted, what).remedied(remedy);
    }
    let of_tls = of_tls.is_some();
    if let Some(proxy) = proxy.filter(|_| error.is_connect() && !of_tls) {
        return stopped_at(proxy, &error, host, patience);
    }
    if error.is_connect() {
        let cause = if of_tls { Cause::Untrusted } else { Cause::Unreachable };
        return Failure::of(cause, &unreachable(&error, host, patience));
    }
    if error.is_builder() {
        let reason = innermost(&error);
        return Failure::new(Cause::Withheld, format!("the request could not be made ({reason})"));
    }
    if error.is_timeout() {
        return no_answer(host, patience);
    }
    let spoke_http = find::<hyper::Error>(&error);
    if spoke_http.is_some_and(hyper::Error::is_canceled) {
        let message = format!(
            "{host} closed the connection before the request was sent: check url in the profile, \
             and what stands between this machine and the service"
        );
        return Failure::of(Cause::Unreachable, &message);
    }
    if spoke_http.is_some_and(hyper::Error::is_parse) {
        let message =
            format!("{host} does not answer in HTTP: check url in the profile, its port above all");
        return Failure::of(Cause::NoAnswer, &message);
    }
    let message = if spoke_http.is_some_and(hyper::Error::is_incomplete_message) || was_cut(&error)
    {
        format!("{host} closed the connection before its answer was complete")
    } else if error.is_decode() {
        let message = format!(
            "the answer of {host} is called gzip and is not: turn compression of JSON off on the PBX, \
             or on the proxy in front of it"
        );
        return Failure::of(Cause::Unreadable, &message);
    } else {
        let reason = innermost(&error);
        format!("the connection to {host} broke before its answer was complete ({reason})")
    };
    Failure::new(Cause::NoAnswer, message)
}

/// Nobody answered in time.
pub(super) fn no_answer(host: &str, patience: Patience) -> Failure {
    let waited = seconds(patience.total);
    let message =
        format!("no answer within {waited}: raise timeout_s in the profile if {host} is slow");
    Failure::of(Cause::NoAnswer, &message)
}

/// The service asked to be left alone for a while, of which so much is left.
pub(super) fn resting(host: &str, left: Duration) -> Failure {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let why = format!("not asked: {host} asked for a pause of {seconds} s more");
    Failure { retry_after: Some(left), ..Failure::new(Cause::Withheld, why) }
}

/// The same failure of a request that was out while this program stood still for so long.
pub(super) fn asleep(failure: Failure, time: Duration) -> Failure {
    let said = failure.message.raw();
    let message = format!("callsweep stood still for {} s meanwhile: {said}", time.as_secs());
    Failure { cause: Cause::Asleep, message: Foreign::from(message), ..failure }
}

/// A connection did not come about in time, to a service that had answered.
pub(super) fn perhaps_blocked(host: &str) -> Failure {
    let message = format!(
        "perhaps blocked: no connection to {host}, though it answered a moment ago; after too many \
         failed requests a PBX blocks an address, and its phones, for up to an hour: check firewall \
         and VPN, and try again later"
    );
    Failure::of(Cause::Blocked, &message)
}

/// The text of the error that caused all others.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

/// No connection came about through a proxy: who did not let it, as far as the error says.
fn stopped_at(proxy: &Proxy, error: &reqwest::Error, host: &str, patience: Patience) -> Failure {
    let reason = innermost(error);
    let refused = find::<io::Error>(error)
        .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    let (what, remedy) = if reason.contains("proxy authorization required") {
        (format!("{proxy} wants a login (407)"), proxy.remedy_of_login())
    } else if error.is_timeout() {
        let waited = seconds(patience.connect);
        (format!("no connection to {host} within {waited} through {proxy}"), proxy.remedy())
    } else if reason.starts_with("tunnel error") || was_cut(error) {
        let remedy = format!(
            "check url in the profile, and that the proxy may go there, or {}",
            proxy.remedy()
        );
        (format!("{proxy} made no connection to {host}"), remedy)
    } else if refused {
        (format!("{proxy} refused the connection"), proxy.remedy())
    } else {
        (format!("no connection to {proxy} ({reason})"), proxy.remedy())
    };
    Failure::new(Cause::Unreachable, what).remedied(remedy)
}

fn unreachable(error: &reqwest::Error, host: &str, patience: Patience) -> String {
    if let Some(tls) = find::<rustls::Error>(error) {
        return tls::sentence(tls, host);
    }
    let reason = innermost(error);
    if error.is_timeout() {
        let waited = seconds(patience.connect);
        return format!(
            "no connection to {host} within {waited}: check url in the profile, firewall and VPN; \
             after too many failed requests a PBX blocks an address for up to an hour"
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
    // TCP came about then: the first that is read is TLS.
    if was_cut(error) {
        return tls::cut_short(host);
    }
    format!("no connection to {host} ({reason}): check url in the profile and the network")
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;
    use std::thread;

    use hyper::Request;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpStream;
    use tokio::task::JoinSet;

    /// What hyper says of a request on a connection that ends before, or after, it was written.
    fn said(written: bool) -> hyper::Error {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || listener.accept().unwrap().0.read(&mut [0; 4096]));
        let request = Request::new(String::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.unwrap();
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            let mut connections = JoinSet::new();
            if written {
                connections.spawn(connection);
            } else {
                drop(connection);
            }
            sender.send_request(request).await.unwrap_err()
        });
        server.join().unwrap().unwrap();
        error
    }

    #[test]
    fn only_a_request_that_was_never_written_is_called_cancelled() {
        assert!(said(false).is_canceled());
        let unanswered = said(true);
        assert!(!unanswered.is_canceled() && unanswered.is_incomplete_message(), "{unanswered:?}");
    }
}
