//! What callsweep is measured against: the same DELETEs by a plain program on the same HTTP library, and
//! by bare sockets, which nothing can outrun. Each runs as a process of its own.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use tokio::task::JoinSet;

use super::server::World;

pub(crate) const TOKEN: &str = "1|bench~token|1|1343822097|0123456789abcdef0123456789abcdef";

/// As the README of the library would have it: one client, so many requests at once, each answer read to
/// its end.
pub(crate) fn reqwest(origin: &str, world: World, concurrency: usize, threads: usize) {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30));
    let client = client.tls_backend_preconfigured(anything()).build().unwrap();
    let delete = |place| {
        let request = client.delete(format!("{origin}{}", world.path(place))).bearer_auth(TOKEN);
        async move {
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success());
            answer.bytes().await.unwrap();
        }
    };
    let all = stream::iter(0..world.all()).map(delete).buffer_unordered(concurrency);
    builder.enable_all().build().unwrap().block_on(all.for_each(|()| async {}));
}

/// The layer below that library: one thread, so many tasks with a connection each, the headers that callsweep
/// sends.
pub(crate) fn hyper(address: SocketAddr, world: World, concurrency: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let places = Arc::new(Mutex::new(0..world.all()));
    let delete = |places: Arc<Mutex<Range<usize>>>| async move {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (host, bearer) = (address.to_string(), format!("Bearer {TOKEN}"));
        let next = || places.lock().unwrap().next();
        while let Some(place) = next() {
            let json = "application/json";
            let request = hyper::Request::delete(world.path(place))
                .header("host", &host)
                .header("authorization", &bearer)
                .header("content-type", json)
                .header("accept", json)
                .header("accept-encoding", "identity")
                .header("user-agent", "bench");
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            sender.ready().await.unwrap();
            let answer = sender.send_request(request);
            let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
            let answer = answer.unwrap().unwrap();
            assert!(answer.status().is_success());
            answer.into_body().collect().await.unwrap();
        }
    };
    runtime.block_on(async {
        let tasks: JoinSet<()> = (0..concurrency).map(|_| delete(Arc::clone(&places))).collect();
        tasks.join_all().await;
    });
}

/// No TLS is spoken here; the library wants to be told all the same.
fn anything() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

/// Writes requests to so many sockets, and the next one to each that answered.
pub(crate) fn bare(address: SocketAddr, world: World, concurrency: usize) {
    let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let mut places = (0..world.all()).collect::<VecDeque<_>>();
    let mut sockets: Vec<TcpStream> = Vec::new();
    let mut inputs = vec![Vec::new(); concurrency];
    for key in 0..concurrency {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        let data = EventData::new_u64(u64::try_from(key).unwrap());
        epoll::add(&epoll, &socket, data, EventFlags::IN).unwrap();
        sockets.push(socket);
    }
    let mut out = 0;
    let mut send = |socket: &mut TcpStream| {
        let Some(place) = places.pop_front() else { return 0 };
        let path = world.path(place);
        let request = format!(
            "DELETE {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\n\
             accept: application/json\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).unwrap();
        1
    };
    for socket in &mut sockets {
        out += send(socket);
    }
    let mut events = Vec::with_capacity(concurrency);
    while out > 0 {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None).unwrap();
        for event in &events {
            let key = usize::try_from(event.data.u64()).unwrap();
            let mut bytes = [0; 4096];
            let read = sockets[key].read(&mut bytes).unwrap();
            assert!(read > 0);
            inputs[key].extend_from_slice(&bytes[..read]);
            if is_whole(&inputs[key]) {
                assert!(inputs[key].starts_with(b"HTTP/1.1 200"));
                inputs[key].clear();
                out = out - 1 + send(&mut sockets[key]);
            }
        }
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let length = head.rsplit_once("Content-Length: ").unwrap().1;
    let length = length.split("\r\n").next().unwrap().parse::<usize>().unwrap();
    answer.len() == end + 4 + length
}
