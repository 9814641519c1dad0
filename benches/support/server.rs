//! A PBX that is not the limit: one thread, one epoll loop, no parser but for the first line. It knows which
//! of its events are gone, answers as the service does, and counts what clients make it do.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection};

/// What the events lie under.
const ROOT: &str = "/uapi/extensions/@me/";
/// What the key of the listener is; no connection has it.
const LISTENER: u64 = u64::MAX;
/// The longest row of a list, about.
const ROW: usize = 320;

/// How many extensions there are, with how many events each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct World {
    pub(crate) extensions: usize,
    pub(crate) events: usize,
}

impl World {
    pub(crate) fn all(self) -> usize {
        self.extensions * self.events
    }

    /// The number of an extension as an organisation has it.
    pub(crate) fn number(extension: usize) -> String {
        format!("{:04}*{:03}", extension / 1000, extension % 1000)
    }

    /// Where an event is, by its place among all.
    pub(crate) fn path(self, place: usize) -> String {
        let (extension, event) = (place / self.events, place % self.events);
        let (number, kind) = (Self::number(extension), event % 5);
        format!("{ROOT}{number}/phoneCallEvents/{kind}/{}", id(place))
    }
}

/// The 30 characters of an id.
fn id(place: usize) -> String {
    format!("NqeyDRqo4F{place:010}tabmFj8gNW")
}

/// What was seen since the last [`Server::begin`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) connections: usize,
    pub(crate) handshakes: usize,
    pub(crate) questions: usize,
    pub(crate) deletes: usize,
    /// What cannot be answered, or had gone already.
    pub(crate) wrong: usize,
    /// From the first DELETE that came in to the last that was answered.
    pub(crate) deleting: Duration,
    /// The same for questions.
    pub(crate) asking: Duration,
    /// CPU of the watched process in that time.
    pub(crate) cpu: Duration,
}

#[derive(Default)]
struct State {
    world: World,
    gone: Vec<bool>,
    latency: Duration,
    /// Whose CPU time is read at the first and the last DELETE.
    watched: Option<u32>,
    counts: Counts,
    /// When the first DELETE came in, with the CPU time then.
    deleting: Option<(Instant, Duration)>,
    /// DELETEs that were answered.
    done: usize,
    asking: Option<Instant>,
}

/// A server that runs as long as this process does.
pub(crate) struct Server {
    address: SocketAddr,
    is_tls: bool,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// Binds and serves; port 0 takes a free one.
    pub(crate) fn start(port: u16, is_tls: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let tls = is_tls.then(tls);
        let serving = Arc::clone(&state);
        thread::spawn(move || serve(&listener, tls.as_ref(), &serving));
        Self { address, is_tls, state }
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// All events of this world are there from now on, and nothing is counted yet.
    pub(crate) fn begin(&self, world: World, latency: Duration) {
        let gone = vec![false; world.all()];
        *lock(&self.state) = State { world, gone, latency, ..State::default() };
    }

    /// Reads the CPU time of this process where deleting begins and ends.
    pub(crate) fn watch(&self, process: u32) {
        lock(&self.state).watched = Some(process);
    }

    /// What was seen.
    pub(crate) fn counts(&self) -> Counts {
        lock(&self.state).counts
    }

    /// How many events are there still.
    pub(crate) fn left(&self) -> usize {
        lock(&self.state).gone.iter().filter(|gone| !**gone).count()
    }
}

fn tls() -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let chain = vec![made.cert.der().clone()];
    let server = server.unwrap().with_no_client_auth().with_single_cert(chain, key.into());
    Arc::new(server.unwrap())
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Connection {
    stream: TcpStream,
    tls: Option<ServerConnection>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// The system had no room for all of it.
    is_waiting: bool,
    shook_hands: bool,
}

/// An answer that is held back as long as the service takes.
struct Late {
    due: Instant,
    key: usize,
    answer: Vec<u8>,
    is_delete: bool,
}

fn serve(listener: &TcpListener, tls: Option<&Arc<ServerConfig>>, state: &Mutex<State>) {
    let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
    epoll::add(&epoll, listener, EventData::new_u64(LISTENER), EventFlags::IN).unwrap();
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut late: VecDeque<Late> = VecDeque::new();
    let mut events = Vec::with_capacity(256);
    loop {
        let wait = late.front().map(|late| late.due.saturating_duration_since(Instant::now()));
        let wait = wait.map(|wait| Timespec::try_from(wait).unwrap());
        events.clear();
        match epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), wait.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("epoll: {error}"),
        }
        for event in &events {
            let key = event.data.u64();
            if key == LISTENER {
                accept(listener, tls, &epoll, &mut connections, state);
                continue;
            }
            let key = usize::try_from(key).unwrap();
            let Some(connection) = connections[key].as_mut() else { continue };
            if !connection.take(key, &mut late, state) || !connection.flush(&epoll, key) {
                connections[key] = None;
            }
        }
        let now = Instant::now();
        while late.front().is_some_and(|late| late.due <= now) {
            let Some(ready) = late.pop_front() else { break };
            // A number that another connection has since is never used: none closes before its answer.
            let Some(connection) = connections[ready.key].as_mut() else { continue };
            connection.output.extend_from_slice(&ready.answer);
            lock(state).answered(ready.is_delete, now);
            if !connection.flush(&epoll, ready.key) {
                connections[ready.key] = None;
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    tls: Option<&Arc<ServerConfig>>,
    epoll: &rustix::fd::OwnedFd,
    connections: &mut Vec<Option<Connection>>,
    state: &Mutex<State>,
) {
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        lock(state).counts.connections += 1;
        let key = u64::try_from(connections.len()).unwrap();
        epoll::add(epoll, &stream, EventData::new_u64(key), EventFlags::IN).unwrap();
        connections.push(Some(Connection {
            stream,
            tls: tls.map(|tls| ServerConnection::new(Arc::clone(tls)).unwrap()),
            input: Vec::new(),
            output: Vec::new(),
            is_waiting: false,
            shook_hands: false,
        }));
    }
}

impl Connection {
    /// Reads what is there and answers what is whole; false once the other side has gone.
    fn take(&mut self, key: usize, late: &mut VecDeque<Late>, state: &Mutex<State>) -> bool {
        let is_open = self.read(state);
        let mut from = 0;
        while let Some(length) = end_of_head(&self.input[from..]) {
            let mut state = lock(state);
            let head = &self.input[from..from + length];
            from += length;
            let now = Instant::now();
            let latency = state.latency;
            if latency.is_zero() {
                let is_delete = state.answer(head, now, &mut self.output);
                state.answered(is_delete, now);
            } else {
                let mut answer = Vec::new();
                let is_delete = state.answer(head, now, &mut answer);
                late.push_back(Late { due: now + latency, key, answer, is_delete });
            }
        }
        self.input.drain(..from);
        is_open
    }

    fn read(&mut self, state: &Mutex<State>) -> bool {
        let mut bytes = [0; 16 * 1024];
        loop {
            let read = match &mut self.tls {
                None => self.stream.read(&mut bytes),
                Some(tls) => match tls.read_tls(&mut self.stream) {
                    Ok(read) if read > 0 => {
                        if tls.process_new_packets().is_err() {
                            return false;
                        }
                        if !self.shook_hands && !tls.is_handshaking() {
                            self.shook_hands = true;
                            lock(state).counts.handshakes += 1;
                        }
                        while let Ok(read @ 1..) = tls.reader().read(&mut bytes) {
                            self.input.extend_from_slice(&bytes[..read]);
                        }
                        continue;
                    }
                    other => other,
                },
            };
            match read {
                Ok(0) => return false,
                Ok(read) => {
                    self.input.extend_from_slice(&bytes[..read]);
                    // Less than there was room for is all there was.
                    if read < bytes.len() {
                        return true;
                    }
                }
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }

    /// Writes as much as there is room for; false where the other side has gone.
    fn flush(&mut self, epoll: &rustix::fd::OwnedFd, key: usize) -> bool {
        let written = match &mut self.tls {
            None => {
                let mut done = 0;
                let written = loop {
                    if done == self.output.len() {
                        break Ok(());
                    }
                    match self.stream.write(&self.output[done..]) {
                        Ok(written) => done += written,
                        Err(error) => break Err(error),
                    }
                };
                self.output.drain(..done);
                written
            }
            Some(tls) => {
                tls.set_buffer_limit(None);
                tls.writer().write_all(&self.output).unwrap();
                self.output.clear();
                let mut written = Ok(());
                while tls.wants_write() && written.is_ok() {
                    written = tls.write_tls(&mut self.stream).map(|_| ());
                }
                written
            }
        };
        let is_full = match written {
            Ok(()) => false,
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            Err(_) => return false,
        };
        if std::mem::replace(&mut self.is_waiting, is_full) != is_full {
            let flags = if is_full { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            let key = EventData::new_u64(u64::try_from(key).unwrap());
            epoll::modify(epoll, &self.stream, key, flags).unwrap();
        }
        true
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

impl State {
    /// Acts, and writes the answer; true of a DELETE.
    fn answer(&mut self, head: &[u8], now: Instant, out: &mut Vec<u8>) -> bool {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let mut words = std::str::from_utf8(line).unwrap_or_default().split(' ');
        let (method, target) = (words.next(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix(ROOT).unwrap_or_default();
        if method == Some("DELETE") {
            self.counts.deletes += 1;
            if self.deleting.is_none() {
                self.deleting = Some((now, self.cpu()));
            }
            let place = path.rsplit('/').next().and_then(place_of);
            match place.and_then(|place| self.gone.get_mut(place)) {
                Some(gone) if !*gone => {
                    *gone = true;
                    let id = id(place.unwrap());
                    answer_with(out, "200 OK", format!("[{{\"id\":\"{id}\"}}]").as_bytes());
                }
                Some(_) | None => {
                    self.counts.wrong += 1;
                    let said = "{\"error\":{\"code\":\"pce_id_invalid\",\"message\":\"no\"}}";
                    answer_with(out, "400 Bad Request", said.as_bytes());
                }
            }
            return true;
        }
        self.counts.questions += 1;
        self.asking.get_or_insert(now);
        let body = match path.strip_suffix("/phoneCallEvents") {
            _ if path == "@self/presence" => Some(self.presence(query)),
            Some(number) => self.list(number, query),
            None => None,
        };
        if let Some(body) = body {
            answer_with(out, "200 OK", body.as_bytes());
        } else {
            self.counts.wrong += 1;
            answer_with(out, "404 Not Found", b"{}");
        }
        false
    }

    /// An answer goes out.
    fn answered(&mut self, is_delete: bool, now: Instant) {
        if !is_delete {
            let since = *self.asking.get_or_insert(now);
            self.counts.asking = now.saturating_duration_since(since);
            return;
        }
        self.done += 1;
        if let Some((since, cpu)) = self.deleting.filter(|_| self.done == self.world.all()) {
            self.counts.deleting = now.saturating_duration_since(since);
            self.counts.cpu = self.cpu().saturating_sub(cpu);
        }
    }

    /// CPU time of all threads of the watched process.
    fn cpu(&self) -> Duration {
        let Some(process) = self.watched else { return Duration::ZERO };
        let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else {
            return Duration::ZERO;
        };
        let nanos = threads.flatten().filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    fn presence(&self, query: &str) -> String {
        page(query, self.world.extensions, |extension, out| {
            let number = World::number(extension);
            let _ =
                write!(out, "{{\"status\":\"1\",\"extension\":\"{number}\",\"registration\":[]}}");
        })
    }

    fn list(&self, number: &str, query: &str) -> Option<String> {
        let (organisation, rest) = number.split_once('*')?;
        let extension = organisation.parse::<usize>().ok()? * 1000 + rest.parse::<usize>().ok()?;
        let first = extension * self.world.events;
        let all = first..first + self.world.events;
        let there: Vec<usize> = all.filter(|place| self.gone.get(*place) == Some(&false)).collect();
        Some(page(query, there.len(), |row, out| {
            let place = there[row];
            let (id, kind) = (id(place), (place - first) % 5);
            let _ = write!(
                out,
                "{{\"type\":\"{kind}\",\"id\":\"{id}\",\"method\":\"1\",\
                 \"url\":\"https://crm{}.acme.test/telephony/in?src=pbx\",\"note\":\"CRM\",\
                 \"status\":\"1\",\"modified\":\"2012-07-10T18:16:12+03:00\"}}",
                place % 20
            );
        }))
    }
}

fn place_of(id: &str) -> Option<usize> {
    id.get(10..20)?.parse().ok()
}

/// The page of a list that is asked for.
fn page(query: &str, all: usize, row: impl Fn(usize, &mut String)) -> String {
    let asked = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name)?.1.parse::<usize>().ok()
    };
    let (start, count) = (asked("startIndex").unwrap_or(0), asked("count").unwrap_or(20));
    let rows = start.min(all)..(start + count).min(all);
    let mut out = String::with_capacity(ROW * rows.len() + 200);
    out.push_str("{\"entry\":[");
    for (nth, at) in rows.enumerate() {
        if nth > 0 {
            out.push(',');
        }
        row(at, &mut out);
    }
    let _ = write!(
        out,
        "],\"totalResults\":\"{all}\",\"itemsPerPage\":\"{count}\",\"startIndex\":\"{start}\"}}"
    );
    out
}

fn answer_with(out: &mut Vec<u8>, status: &str, body: &[u8]) {
    let length = body.len();
    let _ = write!(
        out,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    out.extend_from_slice(body);
}
