//! A server of a few lines: it answers one connection for each reply of its script, keeps the
//! requests as they came, and ends when it is asked for them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longest wait for a byte: only a test that fails ever waits so long.
const BOUND: Duration = Duration::from_secs(30);

/// What one connection gets.
#[derive(Clone)]
pub(super) enum Reply {
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, then nothing more until the client gives up.
    Silence(Vec<u8>),
    /// This JSON on a connection that is kept open, and then its end as told.
    Kept(&'static str, End),
}

/// How a connection ends that was kept open.
#[derive(Clone)]
pub(super) enum End {
    /// At once; whoever waits at the barrier learns of it.
    Idle(Arc<Barrier>),
    /// When one more request was read.
    Read,
}

impl Reply {
    pub(super) fn json(status: u16, body: &str) -> Self {
        Self::with_header(status, "Content-Type: application/json\r\n", body)
    }

    pub(super) fn bytes(body: &[u8]) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        );
        Self::Raw([head.as_bytes(), body].concat())
    }

    pub(super) fn with_header(status: u16, header: &str, body: &str) -> Self {
        let length = body.len();
        Self::Raw(
            format!(
                "HTTP/1.1 {status} Any\r\n{header}Content-Length: {length}\r\n\
                 Connection: close\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }
}

/// A running server.
pub(super) struct Server {
    pub(super) origin: String,
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Server {
    /// One reply for each connection, in order; none when they are used up.
    pub(super) fn start(script: Vec<Reply>) -> Self {
        let mut replies = script.into_iter();
        Self::answering(move |_| replies.next())
    }

    /// A reply for each request as it was received.
    pub(super) fn answering(mut reply: impl FnMut(&str) -> Option<Reply> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut requests = Vec::new();
            loop {
                let (stream, _) = listener.accept().unwrap();
                if ended.load(Ordering::SeqCst) {
                    return requests;
                }
                requests.push(serve(stream, &mut reply));
            }
        });
        Self { origin: format!("http://{address}"), address, over, thread }
    }

    /// Ends the server; what it received, a text for each connection.
    pub(super) fn requests(self) -> Vec<String> {
        self.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address).unwrap());
        self.thread.join().unwrap()
    }
}

fn serve(mut stream: TcpStream, reply: &mut impl FnMut(&str) -> Option<Reply>) -> String {
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let mut request = received(&mut stream);
    let text = String::from_utf8_lossy(&request).into_owned();
    match reply(&text) {
        Some(Reply::Raw(bytes)) => {
            // The client may have left already.
            let _ = stream.write_all(&bytes);
        }
        Some(Reply::Silence(bytes)) => {
            let _ = stream.write_all(&bytes);
            let _ = stream.read(&mut [0]);
        }
        Some(Reply::Kept(body, end)) => {
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes());
            match end {
                End::Idle(closed) => {
                    drop(stream);
                    closed.wait();
                }
                End::Read => request.extend(received(&mut stream)),
            }
        }
        None => {}
    }
    String::from_utf8_lossy(&request).into_owned()
}

/// One request.
fn received(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    // A TLS greeting begins with 22 and has no blank line; one piece of it is enough.
    while !is_complete(&request) && request.first() != Some(&22) {
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => break,
        }
    }
    request
}

/// Whether the head is there, and as much of a body as it announces.
fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}
