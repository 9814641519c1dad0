//! As many connections as requests at once, never more, and with TLS one handshake for each: a
//! connection that is given up costs more than a hundred requests.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use callsweep::api::{Client, Settings, Writes};
use callsweep::domain::{
    Credentials, DeleteCall, EventId, EventKey, EventType, ExtensionNumber, Secret, Target, Trust,
    UserId,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::task::JoinSet;

use crate::headless::{configure, named};
use crate::session::Session;

/// What a service saw of its clients.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    handshakes: AtomicUsize,
    requests: AtomicUsize,
}

/// A service that answers on threads, one a connection, and writes a head and its body one by one.
fn service(tls: Option<Arc<ServerConfig>>) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Arc::<Seen>::default());
    let serving = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, seen, tls) = (stream.unwrap(), Arc::clone(&serving), tls.clone());
            stream.set_nodelay(true).unwrap();
            seen.connections.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || greet(stream, tls, &seen));
        }
    });
    (address, seen)
}

fn greet(mut stream: TcpStream, tls: Option<Arc<ServerConfig>>, seen: &Seen) {
    let Some(tls) = tls else { return serve(stream, seen) };
    let mut connection = ServerConnection::new(tls).unwrap();
    while connection.is_handshaking() {
        if connection.complete_io(&mut stream).is_err() {
            return;
        }
    }
    seen.handshakes.fetch_add(1, Ordering::SeqCst);
    serve(StreamOwned::new(connection, stream), seen);
}

fn serve(mut stream: impl Read + Write, seen: &Seen) {
    let mut head = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        head.push(byte[0]);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        seen.requests.fetch_add(1, Ordering::SeqCst);
        let body = if head.starts_with(b"DELETE") { "[{\"id\":\"a\"}]" } else { "{\"entry\":[]}" };
        let length = body.len();
        let said = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        for part in [said.as_str(), body] {
            if stream.write_all(part.as_bytes()).and_then(|()| stream.flush()).is_err() {
                return;
            }
            thread::yield_now();
        }
        head.clear();
    }
}

fn certified() -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![made.cert.der().clone()], key.into()).unwrap())
}

fn client(origin: &str, concurrency: usize) -> Client {
    let settings = Settings {
        target: Target::new("test", origin, "/uapi", UserId::parse("@me").unwrap()).unwrap(),
        credentials: Credentials::Token(Secret::new("token")),
        timeout: Duration::from_secs(60),
        trust: Trust::Anything,
        writes: Writes::Allowed,
        concurrency,
    };
    Client::new(settings).unwrap()
}

/// So many requests at once, each followed by the next as soon as it is answered.
async fn work(client: &Client, at_once: usize, each: usize) {
    let mut tasks = JoinSet::new();
    for task in 0..at_once {
        let client = client.clone();
        tasks.spawn(async move {
            let key = EventKey {
                extension: ExtensionNumber::parse("0003*210").unwrap(),
                event_type: EventType::from_number(0),
                id: EventId::parse(&format!("a{task}")).unwrap(),
            };
            let call = DeleteCall::Event(key);
            for _ in 0..each {
                client.delete(&call, &mut Vec::new()).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn there_are_as_many_connections_as_requests_at_once_and_as_many_handshakes() {
    for tls in [None, Some(certified())] {
        for at_once in [1, 4, 16, 64] {
            let scheme = if tls.is_some() { "https" } else { "http" };
            let (address, seen) = service(tls.clone());
            let client = client(&format!("{scheme}://{address}"), at_once);
            one_thread().block_on(work(&client, at_once, 12));
            assert_eq!(seen.requests.load(Ordering::SeqCst), 12 * at_once);
            let handshakes = if tls.is_some() { at_once } else { 0 };
            assert_eq!(
                (seen.connections.load(Ordering::SeqCst), seen.handshakes.load(Ordering::SeqCst)),
                (at_once, handshakes),
                "{scheme}, {at_once} at once"
            );
        }
    }
}

#[test]
fn one_request_after_the_other_needs_one_connection_however_many_there_may_be() {
    let (address, seen) = service(None);
    let client = client(&format!("http://{address}"), 64);
    one_thread().block_on(work(&client, 1, 100));
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

/// A way to a service that keeps the connections through it.
fn way_to(service: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<TcpStream>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<TcpStream>>>::default());
    let keeping = Arc::clone(&seen);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, service) = (client.unwrap(), TcpStream::connect(service).unwrap());
            keeping.lock().unwrap().push(client.try_clone().unwrap());
            for (from, to) in [(&client, &service), (&service, &client)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    (address, seen)
}

#[test]
fn a_whole_command_lists_deletes_and_checks_over_the_same_connections() {
    for at_once in [1, 3] {
        let pbx = named("three-extensions-with-events");
        let service = pbx.simulator.origin().trim_start_matches("http://").parse().unwrap();
        let (way, connections) = way_to(service);
        configure(&pbx.home, &format!("http://{way}"), &format!("concurrency = {at_once}"));
        let said = pbx.run(&["delete", "--where=status:on", "--yes"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let connections = connections.lock().unwrap().len();
        assert!((1..=at_once).contains(&connections), "{connections} of {at_once}");
    }
}

#[test]
fn what_the_service_closes_while_a_question_stands_costs_no_request() {
    let pbx = named("three-extensions-with-events");
    let service = pbx.simulator.origin().trim_start_matches("http://").parse().unwrap();
    let (way, connections) = way_to(service);
    configure(&pbx.home, &format!("http://{way}"), "");
    let said = pbx.run(&["delete", "--extension=0003*103", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let token = pbx.simulator.token();
    let environment = [("TOKEN", token.as_str()), ("CALLSWEEP_TEST_SPEED", "20")];
    let mut undo = Session::start(pbx.home.path(), &["undo", "latest"], &environment);
    undo.sees("[y/N]");
    for connection in connections.lock().unwrap().iter() {
        let _ = connection.shutdown(Shutdown::Both);
    }
    undo.press("y\r");
    assert_eq!(undo.ends(), 0, "{}", undo.contents());
    let log = pbx.home.path().join(".local/state/callsweep/callsweep.log");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("POST") && !log.contains(" warn "), "{log}");
}
