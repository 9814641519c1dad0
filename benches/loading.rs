//! What loading costs (G4): a million events in CPU seconds of the one thread that asks, receives,
//! decodes and indexes, the service's threads left out; and how much of what 16 requests at once allow
//! is reached with many small extensions. Exits with 1 where a goal is missed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a bench prints what it measured and stops where it cannot"
)]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use callsweep::api::{Client, Settings, Writes};
use callsweep::domain::{
    Credentials, EventStore, ExtensionNumber, Listing, Secret, Target, Trust, UserId,
};
use rustix::time::{ClockId, clock_gettime};

/// CPU seconds.
const MOST: f64 = 0.9;
/// Requests at once: as many as the budget of failures allows.
const AT_ONCE: usize = 16;

/// What a service holds.
#[derive(Clone, Copy)]
struct World {
    extensions: u32,
    /// Of each extension.
    events: u32,
    /// Of all.
    urls: u32,
    latency: Duration,
}

/// How long it took for all of its answers.
type Served = AtomicU64;

fn main() -> ExitCode {
    let mut met = true;
    let mut say = |goal: String, figure: String, is_met: bool| {
        met &= is_met;
        println!("G4 | {goal} | {figure} | {}", if is_met { "met" } else { "missed" });
    };
    for (urls, of) in [(20, "20 URLs"), (u32::MAX, "a million different URLs")] {
        let world = World { extensions: 200, events: 5_000, urls, latency: Duration::ZERO };
        let (origin, _) = open(world);
        let mut spent: Vec<f64> = (0..3).map(|_| load(&origin, world)).collect();
        spent.sort_by(f64::total_cmp);
        let goal = format!("a million events with {of} in at most {MOST} s of CPU");
        say(goal, format!("{:.2} s", spent[1]), spent[1] <= MOST);
    }
    for milliseconds in [5, 20] {
        let latency = Duration::from_millis(milliseconds);
        let world = World { extensions: 10_000, events: 10, urls: 20, latency };
        let (origin, served) = open(world);
        let reached = load_at_once(&origin, world, &served);
        let goal =
            format!("10,000 extensions of 10 events, {latency:?} away, at 95% of C/L or more");
        say(goal, format!("{:.1}%", reached * 100.0), reached >= 0.95);
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn client(origin: &str) -> Client {
    Client::new(Settings {
        target: Target::new("bench", origin, "/uapi", UserId::parse("@me").unwrap()).unwrap(),
        credentials: Credentials::Token(Secret::new("token")),
        timeout: Duration::from_secs(30),
        trust: Trust::Machine,
        writes: Writes::ReadOnly,
        concurrency: AT_ONCE,
    })
    .unwrap()
}

async fn listed(client: &Client, place: u32) -> Listing {
    let number = format!("0003*{place:05}");
    let number = ExtensionNumber::parse(&number).unwrap();
    let listing = client.events(&number, &mut Vec::new()).await.unwrap();
    assert!(listing.is_complete(), "{:?}", listing.why_incomplete());
    listing
}

/// The CPU seconds that it takes this thread to list everything, one extension after the other.
fn load(origin: &str, world: World) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = cpu();
    let mut store = EventStore::default();
    runtime.block_on(async {
        let client = client(origin);
        for place in 0..world.extensions {
            store.insert(listed(&client, place).await);
        }
    });
    let spent = cpu() - before;
    assert_eq!(store.len(), 1_000_000);
    spent
}

/// How fast everything is listed, of what as many requests at once allow that take as long each as
/// the service took.
fn load_at_once(origin: &str, world: World, served: &Served) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let store = runtime.block_on(async {
        let client = client(origin);
        let next = Arc::new(AtomicU32::new(0));
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (client, next) = (client.clone(), Arc::clone(&next));
            readers.spawn(async move {
                let mut listings = Vec::new();
                loop {
                    let place = next.fetch_add(1, Relaxed);
                    if place >= world.extensions {
                        return listings;
                    }
                    listings.push(listed(&client, place).await);
                }
            });
        }
        let mut store = EventStore::default();
        for listing in readers.join_all().await.into_iter().flatten() {
            store.insert(listing);
        }
        store
    });
    let spent = start.elapsed();
    assert_eq!(store.len(), 100_000);
    let allowed = Duration::from_nanos(served.load(Relaxed)) / u32::try_from(AT_ONCE).unwrap();
    allowed.as_secs_f64() / spent.as_secs_f64()
}

/// Opens a service: its origin, and what it will have done.
fn open(world: World) -> (String, Arc<Served>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let served = Arc::new(Served::default());
    let seen = Arc::clone(&served);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, seen) = (stream.unwrap(), Arc::clone(&seen));
            std::thread::spawn(move || serve(stream, world, &seen));
        }
    });
    (origin, served)
}

fn cpu() -> f64 {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap().as_secs_f64()
}

/// Answers as the service does: `GET …/extensions/@me/0003*NNNNN/phoneCallEvents?count=N&startIndex=N`.
fn serve(mut stream: TcpStream, world: World, served: &Served) {
    let mut request = String::new();
    loop {
        while !request.ends_with("\r\n\r\n") {
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap_or(0);
            if length == 0 {
                return;
            }
            request.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        }
        let start = Instant::now();
        let after = |name: &str| -> u32 {
            let (_, rest) = request.split_once(name).unwrap();
            rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
        };
        let body = page(after("0003*"), after("startIndex="), after("count="), world);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = [head.as_bytes(), body.as_bytes()].concat();
        std::thread::sleep(world.latency.saturating_sub(start.elapsed()));
        let spent = u64::try_from(start.elapsed().as_nanos()).unwrap();
        served.fetch_add(spent, Relaxed);
        stream.write_all(&answer).unwrap();
        request.clear();
    }
}

/// A page of one extension's events.
fn page(extension: u32, start: u32, count: u32, world: World) -> String {
    let World { events, urls, .. } = world;
    let mut body = format!(r#"{{"totalResults":{events},"startIndex":{start},"entry":["#);
    for row in start..events.min(start + count) {
        let comma = if row > start { "," } else { "" };
        let event = extension * events + row;
        let note = if event.is_multiple_of(3) { "CRM" } else { "" };
        let (host, path, kind) = (event % 20, event % urls, event % 5);
        let (day, second) = (event % 28 + 1, event % 60);
        write!(
            body,
            r#"{comma}{{"id":"Nqey{event:016}DRqo4Ftabm","type":"{kind}","method":"1","url":"https://crm{host}.acme.test/in?src=pbx&n={path}","note":"{note}","status":"1","modified":"2024-05-{day:02}T10:00:{second:02}+02:00"}}"#
        )
        .unwrap();
    }
    body.push_str("]}");
    body
}
