//! Whole commands against a service that is not the limit, and beside them, in turn, what others make of the
//! same DELETEs: a plain program on the same HTTP library, curl, and bare sockets (G1 to G4).
//!
//! `cargo bench --bench deleting` prints a line for each goal and fails where one is missed. With
//! `-- side-by-side [EVENTS [ROUNDS]]` it only compares, which `benches/side_by_side.sh` is short for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a bench prints what it measured and stops where it cannot"
)]

#[path = "support/clients.rs"]
mod clients;
#[path = "support/server.rs"]
mod server;

use std::ffi::OsStr;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clients::TOKEN;
use server::{Counts, Server, World};
use tempfile::TempDir;

/// What the CPU time of ended children is told in.
const TICK: Duration = Duration::from_millis(10);
/// Requests at once where nothing else is said.
const MANY: usize = 64;
/// How often each of them is sent anew where there is latency.
const ROUNDS: usize = 240;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<usize>().unwrap();
    match *words {
        [] => return Goals::default().all(),
        ["side-by-side"] => side_by_side(20_000, 7),
        ["side-by-side", events] => side_by_side(number(events), 7),
        ["side-by-side", events, rounds] => side_by_side(number(events), number(rounds)),
        ["client", kind, origin, extensions, events, concurrency] => {
            let world = World { extensions: number(extensions), events: number(events) };
            act_as(kind, origin, world, number(concurrency));
        }
        _ => {
            println!("usage: deleting [side-by-side [EVENTS [ROUNDS]]]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// This program again, as one of the others.
fn act_as(kind: &str, origin: &str, world: World, concurrency: usize) {
    let address = origin.trim_start_matches("http://").parse().unwrap();
    match kind {
        "bare" => clients::bare(address, world, concurrency),
        "hyper" => clients::hyper(address, world, concurrency),
        "reqwest" => clients::reqwest(origin, world, concurrency, 1),
        "reqwest-threads" => clients::reqwest(origin, world, concurrency, 2),
        _ => panic!("no client is called {kind}"),
    }
}

/// Who deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Callsweep,
    /// Another build of it, which `CALLSWEEP_OTHER` names.
    Other,
    /// With one thread, as callsweep has without its screen.
    Reqwest,
    ReqwestThreads,
    /// What lies below that library.
    Hyper,
    Bare,
    Curl,
    Oha,
}

/// What one of them did.
#[derive(Debug, Clone, Copy)]
struct Run {
    counts: Counts,
    events: usize,
    /// From its start to its end, and the CPU time of all that.
    wall: Duration,
    cpu: Duration,
}

impl Run {
    /// Deletions a second, from the first to the last.
    fn rate(&self) -> f64 {
        self.events as f64 / self.counts.deleting.as_secs_f64()
    }

    /// The part of its time in which it deleted.
    fn part(&self) -> f64 {
        self.counts.deleting.as_secs_f64() / self.wall.as_secs_f64()
    }

    /// CPU for 1,000 deletions, in milliseconds: of deleting, and of everything.
    fn cpu_of_deleting(&self) -> f64 {
        self.counts.cpu.as_secs_f64() * 1e6 / self.events as f64
    }

    fn cpu_of_all(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.events as f64
    }
}

impl Client {
    const ALL: [Self; 8] = [
        Self::Bare,
        Self::Reqwest,
        Self::ReqwestThreads,
        Self::Hyper,
        Self::Curl,
        Self::Oha,
        Self::Other,
        Self::Callsweep,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Callsweep => "callsweep",
            Self::Other => "callsweep, another build",
            Self::Reqwest => "plain reqwest, one thread",
            Self::ReqwestThreads => "plain reqwest, a thread for each core",
            Self::Hyper => "hyper, a connection each",
            Self::Bare => "bare sockets",
            Self::Curl => "curl --parallel",
            Self::Oha => "oha",
        }
    }

    fn is_there(self) -> bool {
        let program = match self {
            Self::Curl => "curl",
            Self::Oha => "oha",
            Self::Other => return std::env::var_os("CALLSWEEP_OTHER").is_some(),
            Self::Callsweep | Self::Reqwest | Self::ReqwestThreads | Self::Hyper | Self::Bare => {
                return true;
            }
        };
        let mut command = Command::new(program);
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Deletes all that there is.
    fn run(self, server: &Server, world: World, latency: Duration, concurrency: usize) -> Run {
        let home = tempfile::tempdir().unwrap();
        let mut command = match self {
            Self::Callsweep | Self::Other => {
                let program = match std::env::var_os("CALLSWEEP_OTHER") {
                    Some(other) if self == Self::Other => other,
                    Some(_) | None => env!("CARGO_BIN_EXE_callsweep").into(),
                };
                let mut command = callsweep(&program, &home, &server.origin(), concurrency);
                command.args(["delete", "--where", "status:on", "--yes", "--format", "json"]);
                command
            }
            Self::Curl | Self::Oha => self.other(server, world, concurrency, &home),
            Self::Reqwest => client("reqwest", server, world, concurrency),
            Self::ReqwestThreads => client("reqwest-threads", server, world, concurrency),
            Self::Hyper => client("hyper", server, world, concurrency),
            Self::Bare => client("bare", server, world, concurrency),
        };
        let run = measured(&mut command, server, world, latency);
        let counts = run.counts;
        // Oha takes its paths at random, some twice.
        let all_gone = self == Self::Oha || (server.left() == 0 && counts.wrong == 0);
        assert!(all_gone, "{}: {} left, {counts:?}", self.name(), server.left());
        run
    }

    fn other(self, server: &Server, world: World, concurrency: usize, home: &TempDir) -> Command {
        let origin = server.origin();
        let urls = (0..world.all()).map(|place| format!("{origin}{}", world.path(place)));
        let (file, at_once) = (home.path().join("urls"), concurrency.to_string());
        let (token, mut command);
        if self == Self::Curl {
            let text = urls.map(|url| format!("url = {url:?}\noutput = \"/dev/null\"\n"));
            std::fs::write(&file, text.collect::<String>()).unwrap();
            token = format!("Authorization: Bearer {TOKEN}");
            command = Command::new("curl");
            command.args(["--silent", "--fail", "--request", "DELETE", "--parallel"]);
            command.args(["--parallel-max", &at_once, "--header", &token, "--config"]).arg(file);
        } else {
            std::fs::write(&file, urls.collect::<Vec<_>>().join("\n")).unwrap();
            token = format!("Authorization: Bearer {TOKEN}");
            command = Command::new("oha");
            command.args(["--no-tui", "-m", "DELETE", "-H", &token, "-c", &at_once, "-n"]);
            command.arg(world.all().to_string()).arg("--urls-from-file").arg(file);
        }
        command
    }
}

/// Callsweep with a profile for this service and nothing of this machine's own.
fn callsweep(program: &OsStr, home: &TempDir, origin: &str, concurrency: usize) -> Command {
    let file = home.path().join("config.toml");
    let text = format!(
        "[profiles.bench]\nurl = {origin:?}\nconcurrency = {concurrency}\nmax_delete = 100000\n\
         insecure = {}\n[profiles.bench.auth]\ntoken_env = \"TOKEN\"\n",
        origin.starts_with("https")
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home.path()).env("TOKEN", TOKEN).arg("--config").arg(file);
    command
}

fn client(kind: &str, server: &Server, world: World, concurrency: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let numbers = [world.extensions, world.events, concurrency].map(|number| number.to_string());
    command.args(["client", kind, &server.origin()]).args(numbers);
    command
}

fn measured(command: &mut Command, server: &Server, world: World, latency: Duration) -> Run {
    server.begin(world, latency);
    let (before, started) = (cpu_of_children(), Instant::now());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    server.watch(child.id());
    let said = child.wait_with_output().unwrap();
    let (wall, cpu) = (started.elapsed(), cpu_of_children().saturating_sub(before));
    assert!(said.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said.stderr));
    Run { counts: server.counts(), events: world.all(), wall, cpu }
}

/// CPU time of all children that have ended.
fn cpu_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    TICK * [fields[13], fields[14]].map(|ticks| ticks.parse::<u32>().unwrap()).iter().sum()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The same DELETEs by all that are installed, in turn; each round is one ratio.
fn side_by_side(events: usize, rounds: usize) {
    let server = Server::start(0, false);
    let world = World { extensions: (events / 1000).max(1), events: events.min(1000) };
    let there: Vec<Client> = Client::ALL.into_iter().filter(|client| client.is_there()).collect();
    let mut runs = vec![Vec::new(); there.len()];
    for _ in 0..rounds {
        for (client, runs) in there.iter().zip(&mut runs) {
            runs.push(client.run(&server, world, Duration::ZERO, MANY));
        }
    }
    println!("{} DELETEs, {MANY} at once, medians of {rounds} rounds", world.all());
    println!("| client | of bare sockets | of plain reqwest | CPU for 1,000, deleting | all |");
    println!("| --- | --- | --- | --- | --- |");
    for (client, theirs) in there.iter().zip(&runs) {
        let ratio = |to: usize| {
            let pairs = theirs.iter().zip(&runs[to]);
            median(pairs.map(|(one, other)| one.rate() / other.rate()).collect())
        };
        println!(
            "| {} | {:.0}% | {:.2} | {:.1} ms | {:.1} ms |",
            client.name(),
            ratio(0) * 100.0,
            ratio(1),
            median(theirs.iter().map(Run::cpu_of_deleting).collect()),
            median(theirs.iter().map(Run::cpu_of_all).collect()),
        );
    }
    println!("bare sockets: {:.0} a second", median(runs[0].iter().map(Run::rate).collect()));
}

/// What was asked for and what was found.
#[derive(Default)]
struct Goals {
    missed: usize,
}

impl Goals {
    fn all(mut self) -> ExitCode {
        let server = Server::start(0, false);
        self.deleting(&server);
        self.latency(&server);
        self.connections();
        self.whole_commands(&server);
        self.loading(&server);
        println!("{} missed", self.missed);
        ExitCode::from(u8::from(self.missed > 0))
    }

    fn at_least(&mut self, goal: &str, what: &str, figure: f64, least: f64) {
        self.say(goal, figure >= least, &format!("{what}: {figure:.2} (at least {least:.2})"));
    }

    fn at_most(&mut self, goal: &str, what: &str, figure: f64, most: f64) {
        self.say(goal, figure <= most, &format!("{what}: {figure:.1} (at most {most:.1})"));
    }

    fn say(&mut self, goal: &str, met: bool, what: &str) {
        self.missed += usize::from(!met);
        println!("{goal} {} {what}", if met { "met   " } else { "MISSED" });
    }

    /// G1: no latency.
    fn deleting(&mut self, server: &Server) {
        let world = World { extensions: 20, events: 1000 };
        let run = |client: Client| client.run(server, world, Duration::ZERO, MANY);
        let curl = Client::Curl.is_there();
        let (mut plain, mut others, mut runs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..5 {
            let (bare, reqwest, ours) =
                (run(Client::Bare), run(Client::Reqwest), run(Client::Callsweep));
            plain.push(ours.rate() / reqwest.rate());
            if curl {
                others.push(ours.rate() / run(Client::Curl).rate());
            }
            runs.push((ours, bare));
        }
        let of =
            |figure: fn(&Run) -> f64| median(runs.iter().map(|(ours, _)| figure(ours)).collect());
        let bare = median(runs.iter().map(|(_, bare)| bare.rate()).collect());
        println!("the service answers {bare:.0} DELETEs a second");
        self.at_least("G1", "deleting, of plain reqwest", median(plain), 0.8);
        if curl {
            self.at_least("G1", "deleting, of curl --parallel", median(others), 2.0);
        }
        self.at_least("G1", "whole command, of the rate of its deleting", of(Run::part), 0.6);
        self.at_most("G1", "ms of CPU for 1,000 deleted", of(Run::cpu_of_deleting), 22.0);
    }

    /// G2: as many as the latency allows, in a run that is long beside its beginning with few at once.
    fn latency(&mut self, server: &Server) {
        for (millis, least) in [(20, 0.98), (5, 0.95)] {
            for concurrency in [4, 16, MANY] {
                let latency = Duration::from_millis(millis);
                let world = World { extensions: 4, events: concurrency * ROUNDS / 4 };
                let ratios = (0..3).map(|_| {
                    let run = |client: Client| client.run(server, world, latency, concurrency);
                    let (bare, ours) = (run(Client::Bare), run(Client::Callsweep));
                    ours.rate() / bare.rate()
                });
                let what = format!("{millis} ms, {concurrency} at once, of bare sockets");
                self.at_least("G2", &what, median(ratios.collect()), least);
            }
        }
    }

    /// G2: as many connections as requests at once.
    fn connections(&mut self) {
        for is_tls in [false, true] {
            let server = Server::start(0, is_tls);
            for concurrency in [4, 16, MANY] {
                let world = World { extensions: 4, events: 1000 };
                let run = Client::Callsweep.run(&server, world, Duration::ZERO, concurrency);
                let Counts { connections, handshakes, .. } = run.counts;
                let met = connections <= concurrency && (!is_tls || handshakes == connections);
                let tls =
                    if is_tls { format!(", {handshakes} TLS handshakes") } else { String::new() };
                let what = format!("{concurrency} at once: {connections} connections{tls}");
                self.say("G2", met, &what);
            }
        }
    }

    /// G3: CPU of everything, whatever the shape.
    fn whole_commands(&mut self, server: &Server) {
        for (extensions, events) in [(100, 1000), (9_900, 10)] {
            let world = World { extensions, events };
            let run = Client::Callsweep.run(server, world, Duration::ZERO, MANY);
            let what = format!("ms of CPU for 1,000, {extensions} extensions of {events}");
            self.at_most("G3", &what, run.cpu_of_all(), 35.0);
        }
    }

    /// G4: as fast as the latency of so many questions at once allows.
    fn loading(&mut self, server: &Server) {
        let (world, latency) = (World { extensions: 9_990, events: 10 }, Duration::from_millis(20));
        let home = tempfile::tempdir().unwrap();
        let program = env!("CARGO_BIN_EXE_callsweep").as_ref();
        let mut command = callsweep(program, &home, &server.origin(), MANY);
        command.args(["list", "--format", "json"]);
        let Counts { questions, asking, .. } =
            measured(&mut command, server, world, latency).counts;
        let bound = latency.as_secs_f64() * questions as f64 / 16.0;
        let part = bound / asking.as_secs_f64();
        self.at_least("G4", "loading 9,990 extensions, of 16 at once in 20 ms", part, 0.95);
    }
}
