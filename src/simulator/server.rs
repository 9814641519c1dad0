//! The world behind a socket: HTTP/1.1 on a thread of its own.

use std::convert::Infallible;
use std::fmt;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, Delivery, Request};
use super::payload::Payload;
use super::tls::Identity;
use super::world::World;

/// Longest body read; no request of the service comes near.
const LONGEST_BODY: usize = 1 << 20;

/// Pause after a failed accept, so that a lack of file descriptors does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A running world. Dropping it closes every connection and waits for its thread.
#[derive(Debug)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
    address: SocketAddr,
    scheme: &'static str,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// A request that was answered, or was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The method.
    pub method: String,
    /// The target, undecoded.
    pub target: String,
    /// The status of the answer; none where there is no answer.
    pub status: Option<u16>,
}

/// What every connection has in common.
#[derive(Clone)]
struct Serving {
    world: Arc<Mutex<World>>,
    tls: Option<TlsAcceptor>,
    start: Instant,
    served: fn(&Served),
}

/// Why a connection ends without an answer.
#[derive(Debug)]
enum HungUp {
    /// A fault of the world asked for it.
    OnPurpose,
    /// The request could not be read to its end.
    Request(Box<dyn std::error::Error + Send + Sync>),
    /// The world's answer is no HTTP.
    Answer(hyper::http::Error),
}

impl Simulator {
    /// Binds and serves; port 0 takes a free one. The address answers when this returns.
    ///
    /// # Errors
    /// When the address is taken or not ours, or the system has no thread left.
    pub fn start(world: World, listen: SocketAddr) -> io::Result<Self> {
        Self::on(std::net::TcpListener::bind(listen)?, world, None, |_| {})
    }

    /// Starts the simulator with TLS.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_tls(world: World, listen: SocketAddr, identity: &Identity) -> io::Result<Self> {
        Self::on(std::net::TcpListener::bind(listen)?, world, Some(identity), |_| {})
    }

    /// Starts the simulator where somebody listens already, over TLS with an identity. `served` is told of each
    /// request as soon as its answer goes out.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn on(
        listener: std::net::TcpListener,
        mut world: World,
        identity: Option<&Identity>,
        served: fn(&Served),
    ) -> io::Result<Self> {
        let tls = identity.map(Identity::server).transpose()?.map(TlsAcceptor::from);
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let start = now();
        world.set_start(today());
        let world = Arc::new(Mutex::new(world));
        let (stop, stopped) = oneshot::channel();
        let serving = Serving { world: Arc::clone(&world), tls, start, served };
        let thread = thread::Builder::new().name("simulator".to_owned()).spawn(move || {
            runtime.spawn(accept(listener, serving));
            // Nothing is ever sent: the sender's end is the signal. The runtime goes with
            // this closure, and with it every connection where it stands.
            let _ended = runtime.block_on(stopped);
        })?;
        Ok(Self { world, address, scheme, stop: Some(stop), thread: Some(thread) })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Scheme, host and port: `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The bearer token that opens the world.
    pub fn token(&self) -> String {
        self.with_world(|world| world.token().to_owned())
    }

    /// Looks at the world, or changes it behind the clients' backs; requests wait meanwhile.
    pub fn with_world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut world)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported over there.
            let _reported = thread.join();
        }
    }
}

impl fmt::Display for HungUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnPurpose => f.write_str("the scenario closes the connection"),
            Self::Request(error) => write!(f, "the request could not be read: {error}"),
            Self::Answer(error) => write!(f, "the answer is not HTTP: {error}"),
        }
    }
}

impl std::error::Error for HungUp {}

#[expect(
    clippy::disallowed_methods,
    reason = "one task a connection, all of them on the simulator's own thread"
)]
async fn accept(listener: TcpListener, serving: Serving) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(greet(stream, serving.clone()));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn greet(stream: TcpStream, serving: Serving) {
    // Without it small answers wait for the client's acknowledgement, up to 40 ms each.
    let _best_effort = stream.set_nodelay(true);
    match &serving.tls {
        None => serve(stream, &serving).await,
        // Whoever does not trust the certificate goes.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, &serving).await;
            }
        }
    }
}

/// One connection until either side ends it.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, serving: &Serving) {
    let answered = AtomicU32::new(0);
    let worn_out = || {
        let world = serving.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.close_after.is_some_and(|most| answered.load(Ordering::Relaxed) >= most)
    };
    let answering = service_fn(|request| async {
        if worn_out() {
            return Err(HungUp::OnPurpose);
        }
        let response = respond(request, serving).await?;
        answered.fetch_add(1, Ordering::Relaxed);
        Ok(response)
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answering);
    let mut connection = pin!(connection);
    // A connection that breaks is the client's to notice.
    let _ended = poll_fn(|context| {
        let ended = connection.as_mut().poll(context);
        if ended.is_ready() || !worn_out() {
            return ended;
        }
        // The head of the last answer is written by now, so it no longer says that it closes.
        connection.as_mut().graceful_shutdown();
        connection.as_mut().poll(context)
    })
    .await;
}

/// The world acts when its answer is made; only then does the delay begin, with the lock free.
async fn respond(
    request: hyper::Request<Incoming>,
    serving: &Serving,
) -> Result<hyper::Response<Payload>, HungUp> {
    let mut request = read(request).await?;
    let answer = {
        let mut world = serving.world.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that the world's time never runs backwards.
        request.at = now().saturating_duration_since(serving.start);
        world.answer(&request)
    };
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    let is_answered = !answer.reset && answer.delivery != Delivery::Never;
    let Request { method, target, .. } = request;
    (serving.served)(&Served { method, target, status: is_answered.then_some(answer.status) });
    if answer.delivery == Delivery::Never {
        return pending().await;
    }
    write(answer)
}

#[expect(clippy::disallowed_methods, reason = "the world's time comes in with its requests")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the date of the world's time zero")]
fn today() -> Timestamp {
    Timestamp::now()
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, HungUp> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(HungUp::Request)?;
    let authorization = head
        .headers
        .get(AUTHORIZATION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Ok(Request {
        method: head.method.to_string(),
        // A proxy may ask for the whole address, which the path is a part of.
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        authorization,
        body: body.to_bytes().to_vec(),
        at: Duration::ZERO,
    })
}

fn write(answer: Answer) -> Result<hyper::Response<Payload>, HungUp> {
    if answer.reset {
        return Err(HungUp::OnPurpose);
    }
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let delivery = if answer.status == 204 { Delivery::Whole } else { answer.delivery };
    let (body, length) = Payload::new(answer.body, delivery);
    if let Some(length) = length {
        response = response.header(CONTENT_LENGTH, length);
    }
    response.body(body).map_err(HungUp::Answer)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;

    use super::super::blocker::Blocker;
    use super::super::fault::{Fault, WrongLength};
    use super::*;

    const EVENTS: &str = "/uapi/extensions/@me/0003*210/phoneCallEvents";

    fn simulator() -> Simulator {
        let world = World::named("the-page").unwrap();
        Simulator::start(world, SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
    }

    fn connect(simulator: &Simulator) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(simulator.address()).unwrap();
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).unwrap();
        BufReader::new(stream)
    }

    fn send(connection: &mut BufReader<TcpStream>, method: &str, target: &str, token: &str) {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: pbx\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        connection.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The status line and the body of the next answer on this connection.
    fn receive(connection: &mut BufReader<TcpStream>) -> (String, String) {
        let mut status = String::new();
        connection.read_line(&mut status).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            connection.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).unwrap();
        (status.trim().to_owned(), String::from_utf8(body).unwrap())
    }

    /// The connection ends, and nothing came before the end.
    fn assert_silence(connection: &mut BufReader<TcpStream>) {
        let mut nothing = Vec::new();
        let read = connection.read_to_end(&mut nothing);
        let timed_out = read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        assert!(!timed_out && nothing.is_empty(), "{nothing:?}");
    }

    #[test]
    fn one_connection_carries_many_requests_and_targets_arrive_as_written() {
        let simulator = simulator();
        let token = simulator.token();
        let mut connection = connect(&simulator);
        let one = format!("{EVENTS}/0/NqeyDRqo4FtabmFj8gNWq3hsiGNYyq");

        send(&mut connection, "DELETE", &one, &token);
        let (status, body) = receive(&mut connection);
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert_eq!(body, r#"[{"id":"NqeyDRqo4FtabmFj8gNWq3hsiGNYyq"}]"#);

        send(&mut connection, "GET", &format!("{EVENTS}/0/"), &token);
        assert_eq!(receive(&mut connection).0, "HTTP/1.1 204 No Content");

        send(&mut connection, "GET", EVENTS, "wrong");
        let (status, body) = receive(&mut connection);
        assert_eq!(status, "HTTP/1.1 401 Unauthorized");
        assert!(body.contains("access_denied"));

        simulator.with_world(|world| {
            let seen: Vec<_> = world.requests().iter().collect();
            assert_eq!(seen.len(), 3);
            assert_eq!(seen[0].target, one);
            assert_eq!(seen[2].authorization.as_deref(), Some("Bearer wrong"));
            assert_eq!(world.event_ids("0003*210").len(), 2);
        });
    }

    #[test]
    fn the_whole_address_as_a_target_and_any_case_of_bearer_are_understood() {
        let simulator = simulator();
        let mut connection = connect(&simulator);
        let token = simulator.token();
        for target in [format!("http://pbx{EVENTS}?count=1"), format!("https://pbx:8443{EVENTS}")] {
            send(&mut connection, "GET", &target, &token);
            assert_eq!(receive(&mut connection).0, "HTTP/1.1 200 OK", "{target}");
        }
        for scheme in ["bearer", "BEARER"] {
            let request = format!(
                "GET {EVENTS} HTTP/1.1\r\nHost: pbx\r\nAuthorization: {scheme} {token}\r\n\r\n"
            );
            connection.get_mut().write_all(request.as_bytes()).unwrap();
            assert_eq!(receive(&mut connection).0, "HTTP/1.1 200 OK", "{scheme}");
        }
        simulator.with_world(|world| {
            let seen = world.requests().first().unwrap().target.clone();
            assert_eq!(seen, format!("{EVENTS}?count=1"));
        });
    }

    #[test]
    fn a_reset_closes_the_connection_without_a_word() {
        let simulator = simulator();
        simulator.with_world(|world| {
            world.add_fault(Fault { reset: true, ..Fault::default() });
        });
        let mut connection = connect(&simulator);
        send(&mut connection, "GET", EVENTS, &simulator.token());
        assert_silence(&mut connection);
    }

    #[test]
    fn a_blocked_address_is_cut_off_on_old_connections_and_new() {
        let simulator = simulator();
        let blocker = Blocker { failures: 2, within_s: 3600 };
        simulator.with_world(|world| world.set_blocker(Some(blocker)));
        let mut old = connect(&simulator);
        for _ in 0..2 {
            send(&mut old, "GET", EVENTS, "wrong");
            assert_eq!(receive(&mut old).0, "HTTP/1.1 401 Unauthorized");
        }
        assert!(simulator.with_world(|world| world.blocked()));
        let mut new = connect(&simulator);
        for connection in [&mut old, &mut new] {
            send(connection, "GET", EVENTS, &simulator.token());
            assert_silence(connection);
        }
    }

    /// A simulator whose first answer meets this fault, and a connection that asked for it.
    fn asked(fault: Fault) -> (Simulator, BufReader<TcpStream>) {
        let simulator = simulator();
        simulator.with_world(|world| world.add_fault(Fault { times: Some(1), ..fault }));
        let mut connection = connect(&simulator);
        send(&mut connection, "GET", EVENTS, &simulator.token());
        (simulator, connection)
    }

    /// The head of the next answer, with the length it announces.
    fn head(connection: &mut BufReader<TcpStream>) -> (String, usize) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(connection.read_line(&mut head).unwrap(), 0, "{head}");
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.unwrap().parse().unwrap();
        (head, length)
    }

    /// The body of the listing as it is without a fault.
    fn listing() -> String {
        let simulator = simulator();
        let mut connection = connect(&simulator);
        send(&mut connection, "GET", EVENTS, &simulator.token());
        receive(&mut connection).1
    }

    /// The connection carries another request.
    fn assert_alive(simulator: &Simulator, connection: &mut BufReader<TcpStream>) {
        send(connection, "GET", EVENTS, &simulator.token());
        assert_eq!(receive(connection), ("HTTP/1.1 200 OK".to_owned(), listing()));
    }

    /// The connection is open and nothing is there to be read.
    fn assert_waits(connection: &mut BufReader<TcpStream>) {
        let patience = Some(Duration::from_millis(20));
        connection.get_mut().set_read_timeout(patience).unwrap();
        let kind = connection.read(&mut [0; 1]).unwrap_err().kind();
        assert!(matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{kind}");
    }

    #[test]
    fn a_request_may_wait_for_ever_while_others_are_answered() {
        let (simulator, mut waiting) = asked(Fault { no_answer: true, ..Fault::default() });
        assert_waits(&mut waiting);
        assert_alive(&simulator, &mut connect(&simulator));
        assert_waits(&mut waiting);
    }

    #[test]
    fn a_body_drips_to_its_end_and_the_connection_goes_on() {
        let slow = Fault { drip_ms: 1, status: Some(200), ..Fault::default() };
        let (simulator, mut connection) =
            asked(Fault { body: Some("{\"entry\":[]}".to_owned()), ..slow });
        let (status, body) = receive(&mut connection);
        assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", "{\"entry\":[]}"));
        assert_alive(&simulator, &mut connection);
        simulator.with_world(|world| {
            world.add_fault(Fault { drip_ms: 3_600_000, ..Fault::default() });
        });
        send(&mut connection, "GET", EVENTS, &simulator.token());
        head(&mut connection);
        connection.read_exact(&mut [0; 1]).unwrap();
        assert_waits(&mut connection);
    }

    #[test]
    fn a_truncated_answer_announces_all_sends_half_and_closes() {
        let (_simulator, mut connection) = asked(Fault { truncated: true, ..Fault::default() });
        let (_, length) = head(&mut connection);
        let mut body = String::new();
        // The end may come as a reset; what came before it counts.
        let _end = connection.read_to_string(&mut body);
        let whole = listing();
        assert_eq!(length, whole.len());
        assert_eq!(Some(body.as_str()), whole.get(..length / 2));
    }

    #[test]
    fn a_truncated_answer_without_a_body_still_announces_one() {
        let fault = Fault { truncated: true, status: Some(500), ..Fault::default() };
        let (_simulator, mut connection) = asked(fault);
        assert_eq!(head(&mut connection).1, 1);
        assert_silence(&mut connection);
    }

    #[test]
    fn a_length_too_short_cuts_the_body_and_the_connection_goes_on() {
        let wrong_length = Some(WrongLength::Shorter);
        let (simulator, mut connection) = asked(Fault { wrong_length, ..Fault::default() });
        let (_, body) = receive(&mut connection);
        let whole = listing();
        assert_eq!(Some(body.as_str()), whole.get(..whole.len() / 2));
        assert_alive(&simulator, &mut connection);
    }

    #[test]
    fn a_length_too_long_leaves_the_client_waiting() {
        let wrong_length = Some(WrongLength::Longer);
        let (_simulator, mut connection) = asked(Fault { wrong_length, ..Fault::default() });
        let (_, length) = head(&mut connection);
        let whole = listing();
        assert_eq!(length, whole.len() + 1);
        connection.read_exact(&mut vec![0; whole.len()]).unwrap();
        assert_waits(&mut connection);
    }

    #[test]
    fn a_huge_answer_is_blanks_and_then_the_body() {
        let (simulator, mut connection) = asked(Fault { huge_mb: 2, ..Fault::default() });
        let (_, body) = receive(&mut connection);
        let whole = listing();
        assert_eq!(body.len(), 2_000_000 + whole.len());
        assert_eq!(body.trim_start(), whole);
        assert_alive(&simulator, &mut connection);
    }

    #[test]
    fn an_answer_without_a_body_is_delivered_whole_whatever_is_ordered() {
        let simulator = simulator();
        let token = simulator.token();
        simulator.with_world(|world| {
            for (nth, wrong_length) in [(1, Some(WrongLength::Longer)), (2, None)] {
                let truncated = wrong_length.is_none();
                let nothing = Fault { status: Some(204), nth: Some(nth), ..Fault::default() };
                world.add_fault(Fault { truncated, wrong_length, ..nothing });
            }
        });
        let mut connection = connect(&simulator);
        for _ in 0..2 {
            send(&mut connection, "GET", EVENTS, &token);
            assert_eq!(receive(&mut connection).0, "HTTP/1.1 204 No Content");
        }
        assert_alive(&simulator, &mut connection);
    }

    #[test]
    fn a_keep_alive_that_lies_ends_after_so_many_answers() {
        let simulator = simulator();
        simulator.with_world(|world| world.close_after = Some(2));
        for _ in 0..2 {
            let mut connection = connect(&simulator);
            assert_alive(&simulator, &mut connection);
            send(&mut connection, "GET", EVENTS, &simulator.token());
            let (head, length) = head(&mut connection);
            assert!(!head.to_lowercase().contains("connection:"), "{head}");
            connection.read_exact(&mut vec![0; length]).unwrap();
            assert_silence(&mut connection);
        }
        simulator.with_world(|world| world.close_after = None);
        let mut connection = connect(&simulator);
        for _ in 0..3 {
            assert_alive(&simulator, &mut connection);
        }
    }

    #[test]
    fn dropping_it_ends_open_connections_and_answers_that_still_wait() {
        let simulator = simulator();
        let token = simulator.token();
        simulator.with_world(|world| world.latency.get = Duration::from_secs(3600));
        let mut idle = connect(&simulator);
        send(&mut idle, "DELETE", EVENTS, &token);
        receive(&mut idle);
        let mut waiting = connect(&simulator);
        send(&mut waiting, "GET", EVENTS, &token);
        drop(simulator);
        for connection in [&mut idle, &mut waiting] {
            let read = connection.read(&mut [0; 1]);
            assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
        }
    }

    #[test]
    fn an_address_that_is_taken_is_an_error() {
        let first = simulator();
        let world = World::named("nothing-there").unwrap();
        assert!(Simulator::start(world, first.address()).is_err());
    }
}
