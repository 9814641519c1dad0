//! A monkey at the real binary: seeded keys, sizes, trouble, lists that lag and a world that moves;
//! it suspends the program and leaves it, and begins anew. Whenever the program comes to rest, what it
//! shows, its run files and what it sent are held against the world; in the end everything that it
//! took comes back.
//!
//! `CALLSWEEP_MONKEY=100000` presses so many keys, `CALLSWEEP_SEED=7` is another monkey.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use callsweep::change::Check;
use callsweep::domain::{Outcome, Success};
use callsweep::journal::{Kind as RunKind, Record, RecordedEvent, names};
use callsweep::simulator::{Event, Extension, Fault, Kind, World};
use fastrand::Rng;
use serde_json::Value;

use crate::headless::{Pbx, configure, pbx};
use crate::session::{PATIENCE, Session};

/// Keys in the suite, and those that one program gets before the next one is started.
const KEYS: u64 = 5_000;
const A_LIFE: u64 = 63;
/// How much faster the clock of the screen goes, and how long lists lag for some monkeys: three
/// seconds by the clock of an undo, which goes faster still.
const FAST: &str = "10";
const LAG: Duration = Duration::from_millis(150);
/// Goes on with the program each time that it was suspended.
const SHELL: &str = "trap : INT QUIT TSTP; \"$0\"; while [ $? -eq 147 ]; do fg; done";
/// A program that has said nothing for so long is at rest.
const QUIET: Duration = Duration::from_millis(20);

/// What changes or takes what is there.
const WRITES: [&str; 2] = ["DELETE", "PUT"];

/// Points what is marked elsewhere.
const REPOINTS: &str = "2Aecrm-old.acme.test=new.acme.test\r";

const NUMBERS: [&str; 3] = ["0003*101", "0003*102", "0003*103"];

/// What it presses, and how often.
const PRESSED: [(&str, usize); 51] = [
    ("j", 16),
    ("k", 8),
    ("gg", 2),
    ("G", 2),
    ("J", 1),
    ("{", 1),
    ("\r", 8),
    (" ", 12),
    ("a", 5),
    ("A", 5),
    ("i", 2),
    ("U", 2),
    ("u", 2),
    ("d", 9),
    ("x", 4),
    ("e", 1),
    ("ecrm-old.acme.test=crm.acme.test\r", 1),
    ("ehttps://crm.acme.test/=https://new.acme.test/\r", 1),
    ("n", 2),
    ("y", 3),
    ("1", 3),
    ("2", 3),
    ("3", 2),
    ("4", 2),
    ("5", 1),
    ("0", 1),
    ("7", 1),
    ("\t", 3),
    ("\x1b[Z", 1),
    ("l", 2),
    ("h", 2),
    ("z", 4),
    ("r", 3),
    ("E", 1),
    ("p", 2),
    ("\x1b", 4),
    ("?", 1),
    ("R", 2),
    ("s", 1),
    ("t", 3),
    ("v", 2),
    ("c", 1),
    ("+", 1),
    ("m", 1),
    ("Ttype:hangup\r", 1),
    ("T-url:*old*\r", 1),
    ("/crm\r", 1),
    (":", 1),
    ("q", 1),
    ("\x03", 1),
    ("\x1a", 1),
];

const SIZES: [(u16, u16); 6] = [(40, 120), (24, 80), (15, 60), (14, 59), (8, 40), (30, 100)];

type Like = (String, u16, u16, String, String, u16);
/// URL and status.
type Values = (String, String);

struct Monkey {
    seed: u64,
    rng: Rng,
    pbx: Pbx,
    session: Option<Session>,
    /// Programs so far.
    lives: usize,
    lag: Duration,
    /// What there would be, had the program never done anything, by all that an event says, and by
    /// what a change leaves of it.
    exact: Likes,
    changeless: Likes,
    /// A run has changed something.
    has_changed: bool,
    by_hand: usize,
    /// Ids that were taken away or changed behind the program's back.
    touched: BTreeSet<String>,
    pressed: Vec<String>,
    keys: u64,
    /// Requests that count for the address blocker fail only so often.
    failing: usize,
    runs: usize,
}

impl Drop for Monkey {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let last = self.pressed.len().saturating_sub(60);
            let (seed, keys, last) = (self.seed, self.keys, &self.pressed[last..]);
            let screen = self.session.as_ref().map(Session::contents).unwrap_or_default();
            say(&format!("seed {seed}, {keys} keys, the last: {last:?}\n{screen}"));
        }
    }
}

/// What tells how to see the same again.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn world() -> World {
    let mut world = World::new("three phones in a cage", "token");
    for (which, number) in NUMBERS.into_iter().enumerate() {
        let mut phone = Extension::new(number, Kind::Terminal, "");
        for place in 0..6 {
            let host = if place % 2 == 0 { "crm.acme.test" } else { "crm-old.acme.test" };
            phone.events.push(Event {
                event_type: u16::try_from(place % 4).unwrap(),
                id: format!("id{which}{place}"),
                method: u16::try_from(place % 2).unwrap(),
                url: format!("https://{host}/{}", place % 4),
                note: String::new(),
                status: u16::from(place != 2),
                modified: "2019-02-28T09:00:00Z".to_owned(),
            });
        }
        let twin = Event { id: format!("twin{which}"), ..phone.events[0].clone() };
        phone.events.push(twin);
        world.insert(phone);
    }
    world
}

/// How many events there are to be of each kind.
#[derive(Default)]
struct Likes {
    there: BTreeMap<Like, usize>,
    /// What was taken away by hand. Where that was in a plan already, it may come back.
    taken_away: BTreeMap<Like, usize>,
}

impl Likes {
    fn appears(&mut self, like: Like) {
        *self.there.entry(like).or_default() += 1;
    }

    /// What came back though it had been taken away is beyond what there would be.
    fn goes(&mut self, like: Like) {
        let left = self.there.entry(like.clone()).or_default();
        *left = left.saturating_sub(1);
        *self.taken_away.entry(like).or_default() += 1;
    }

    fn holds_nothing_twice(&self, there: &BTreeMap<Like, usize>) {
        let count = |of: &BTreeMap<Like, usize>, like: &Like| of.get(like).copied().unwrap_or(0);
        for (like, there) in there {
            let most = count(&self.there, like) + count(&self.taken_away, like);
            assert!(*there <= most, "{there} instead of {most} of {like:?}");
        }
    }

    fn holds_all(&self, there: &BTreeMap<Like, usize>) {
        for (like, least) in self.there.iter().filter(|(_, least)| **least > 0) {
            let count = there.get(like).copied().unwrap_or_default();
            assert!(count >= *least, "{count} instead of {least} of {like:?}");
        }
    }
}

/// What a change leaves of it: neither the host that it is about nor its status.
fn of_any_change(like: &Like) -> Like {
    let (number, event_type, method, url, note, _) = like.clone();
    let path = url.rsplit('/').next().unwrap_or_default().to_owned();
    (number, event_type, method, path, note, 0)
}

/// The same of many, with their counts.
fn changeless(likes: &BTreeMap<Like, usize>) -> BTreeMap<Like, usize> {
    let mut all = BTreeMap::new();
    for (like, count) in likes {
        *all.entry(of_any_change(like)).or_default() += count;
    }
    all
}

/// Whether it is there with the values that it was to get.
fn as_wanted(planned: &RecordedEvent, there: Option<&Values>) -> bool {
    let Some(want) = &planned.want else { return false };
    let to_be = want.applied_to(&planned.event);
    let to_be = (to_be.url.raw(), to_be.status.written());
    there.is_some_and(|(url, status)| (url.as_str(), status.as_str()) == to_be)
}

fn like(number: &str, event: &Event) -> Like {
    let Event { event_type, method, url, note, status, .. } = event.clone();
    (number.to_owned(), event_type, method, url, note, status)
}

impl Monkey {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let lag = if rng.bool() { LAG } else { Duration::ZERO };
        let mut world = world();
        world.list_lag = lag;
        world.changes.renames = rng.usize(..3) == 0;
        let pbx = pbx(world);
        let more = "wide_calls = [\"extension\", \"type\"]\ntimeout_s = 1";
        configure(&pbx.home, &pbx.simulator.origin(), more);
        let mut monkey = Self {
            seed,
            rng,
            pbx,
            session: None,
            lives: 0,
            lag,
            exact: Likes::default(),
            changeless: Likes::default(),
            has_changed: false,
            by_hand: 0,
            touched: BTreeSet::new(),
            pressed: Vec::new(),
            keys: 0,
            failing: 0,
            runs: 0,
        };
        monkey.exact.there = monkey.there();
        monkey.changeless.there = changeless(&monkey.exact.there);
        monkey
    }

    fn there(&self) -> BTreeMap<Like, usize> {
        let mut likes = BTreeMap::new();
        self.pbx.simulator.with_world(|world| {
            for extension in world.extensions() {
                for event in &extension.events {
                    *likes.entry(like(extension.number(), event)).or_default() += 1;
                }
            }
        });
        likes
    }

    fn folder(&self) -> PathBuf {
        self.pbx.home.path().join(".local/state/callsweep/runs")
    }

    fn session(&mut self) -> &mut Session {
        self.session.as_mut().unwrap()
    }

    fn screen(&self) -> String {
        self.session.as_ref().unwrap().contents()
    }

    fn begin(&mut self) {
        let token = self.pbx.simulator.token();
        let environment = [("TOKEN", token.as_str()), ("CALLSWEEP_TEST_SPEED", FAST)];
        let arguments = ["-mc", SHELL, env!("CARGO_BIN_EXE_callsweep")];
        let shell = Path::new("/bin/sh");
        let home = self.pbx.home.path();
        let mut session = Session::start_program(shell, home, &arguments, &environment);
        session.resize(40, 120);
        session.sees("0003*101");
        self.session = Some(session);
        self.lives += 1;
    }

    /// A program, from its first picture until it has had its keys; one that is left is followed by
    /// another.
    fn live(&mut self, keys: u64) {
        self.begin();
        let until = self.keys + keys;
        while self.keys < until {
            self.burst();
            self.come_back();
            self.look();
        }
        self.have_no_trouble();
        self.read_again();
        self.session = None;
    }

    /// Takes in what comes in this time. A program that was left has given its terminal back, and is
    /// started anew: false.
    fn hears(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.session().output.recv_timeout(left) {
                Ok(bytes) => self.session().take(&bytes),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let session = self.session();
        let code = session.ends();
        assert!(matches!(code, 0 | 130), "it ended with {code}");
        session.has_its_terminal_back();
        self.note("<begins anew>".to_owned());
        self.begin();
        false
    }

    fn burst(&mut self) {
        for _ in 0..self.rng.usize(5..25) {
            match self.rng.usize(0..100) {
                0..3 => {
                    let (rows, columns) = SIZES[self.rng.usize(..SIZES.len())];
                    self.note(format!("<{columns}x{rows}>"));
                    self.session().resize(rows, columns);
                }
                3..6 => self.move_the_world(),
                6..9 => self.make_trouble(),
                9..17 => {
                    // What is marked or under the cursor, its undo, or the rest of it.
                    let opens = [
                        "1 d", "1jad", "2Ad", "2jjd", "1 x", "2Ax", "2jjx", REPOINTS, "z", "z", "r",
                    ];
                    let which = self.rng.usize(..opens.len());
                    self.press(opens[which]);
                    self.say_yes();
                }
                17..18 => self.say_yes(),
                _ => self.press_something(),
            }
        }
    }

    fn note(&mut self, what: String) {
        self.pressed.push(what);
    }

    fn press(&mut self, keys: &str) {
        self.keys += u64::try_from(keys.chars().count()).unwrap();
        self.note(keys.to_owned());
        self.types(keys);
    }

    /// To a program that may just have been left.
    fn types(&mut self, keys: &str) {
        let _ = self.session().keys.write_all(keys.as_bytes());
    }

    fn press_something(&mut self) {
        let all: usize = PRESSED.iter().map(|(_, often)| often).sum();
        let mut left = self.rng.usize(..all);
        for (keys, often) in PRESSED {
            if left < often {
                return self.press(keys);
            }
            left -= often;
        }
    }

    /// To a review that is open, as soon as it can be answered.
    fn say_yes(&mut self) {
        self.settle();
        let screen = self.screen();
        if !screen.contains("n cancel") {
            return;
        }
        if let Some((_, rest)) = screen.split_once("Type ") {
            let count: String = rest.chars().take_while(char::is_ascii_digit).collect();
            self.hears(Duration::from_millis(50));
            self.press(&count);
        }
        let until = Instant::now() + Duration::from_millis(600);
        while !self.screen().contains("n cancels.") && Instant::now() < until {
            self.hears(Duration::from_millis(5));
        }
        self.press("y");
        self.settle();
    }

    /// Somebody else makes an event or takes one away.
    fn move_the_world(&mut self) {
        let number = NUMBERS[self.rng.usize(..NUMBERS.len())];
        self.by_hand += 1;
        let id = format!("byhand{}", self.by_hand);
        if self.rng.bool() {
            let event = Event {
                event_type: self.rng.u16(0..5),
                url: format!("https://new.acme.test/{id}"),
                id: id.clone(),
                method: self.rng.u16(0..2),
                note: String::new(),
                status: 1,
                modified: "2026-01-01T00:00:00Z".to_owned(),
            };
            self.exact.appears(like(number, &event));
            self.changeless.appears(of_any_change(&like(number, &event)));
            self.pbx.simulator.with_world(|world| {
                world.extension_mut(number).unwrap().events.push(event);
            });
            return self.note(format!("<{id} on {number}>"));
        }
        let place = self.rng.usize(..100);
        let gone = self.pbx.simulator.with_world(|world| {
            let events = &mut world.extension_mut(number).unwrap().events;
            (!events.is_empty()).then(|| events.remove(place % events.len()))
        });
        if let Some(gone) = gone {
            self.changeless.goes(of_any_change(&like(number, &gone)));
            self.exact.goes(like(number, &gone));
            self.note(format!("<{} goes from {number}>", gone.id));
            self.touched.insert(gone.id);
        }
    }

    fn make_trouble(&mut self) {
        let method = Some(WRITES[self.rng.usize(..2)].to_owned());
        let write = Fault { method, ..Fault::default() };
        let code =
            |code: &str| Fault { status: Some(400), code: Some(code.to_owned()), ..write.clone() };
        let quick = [code("pce_access_denied"), code("extension_invalid")];
        let lost = Fault { reset: true, acts: true, ..write.clone() };
        let slow = [
            Fault { reset: true, ..write.clone() },
            lost.clone(),
            Fault { status: Some(503), ..write.clone() },
            Fault { status: Some(204), ..write.clone() },
            Fault { status: Some(404), acts: true, ..write.clone() },
            Fault { status: Some(409), acts: true, ..write.clone() },
            Fault { status: Some(429), retry_after: Some("1".to_owned()), ..write },
        ];
        let which = self.rng.usize(..12);
        let times = Some(self.rng.u32(1..5));
        let fault = slow.get(which).or(quick.get(which % 2)).unwrap().clone();
        let mut faults = vec![Fault { times, ..fault }];
        if self.failing < 5 && self.rng.bool() {
            self.failing += 1;
            let path = Some("phoneCallEvents".to_owned());
            let method = Some(["GET", "POST"][self.rng.usize(..2)].to_owned());
            faults.push(Fault { method, path, times: Some(1), ..lost });
        }
        for fault in faults {
            self.note(format!(
                "<{:?} {:?} {:?} acts {}>",
                fault.method, fault.status, fault.times, fault.acts
            ));
            self.pbx.simulator.with_world(|world| world.add_fault(fault));
        }
    }

    fn have_no_trouble(&mut self) {
        self.note("<no trouble>".to_owned());
        self.pbx.simulator.with_world(World::clear_faults);
    }

    /// Reads until the program is at rest: it says nothing, and no run is going on.
    fn settle(&mut self) {
        let until = Instant::now() + PATIENCE;
        while !self.paints_anew(until) {}
        loop {
            assert!(Instant::now() < until, "it never comes to rest");
            let before = self.session().written.len();
            if !self.hears(QUIET) || self.session().written.len() > before {
                continue;
            }
            let screen = self.screen();
            let written = &self.session().written;
            if written.rfind("\x1b[?2026l") < written.rfind("\x1b[?2026h") {
                continue; // In the middle of a picture.
            }
            if screen.contains("PAUSED") {
                // In a line it would be typed.
                let at_the_panels = self.is_at_the_panels();
                self.press(if at_the_panels { "p" } else { "\x1b" });
                self.hears(if at_the_panels { QUIET } else { Duration::from_millis(50) });
                continue;
            }
            let busy = ["RUNNING", "SIMULATING", "WAITING", "CHECKING", "STOPPING", "reading…"];
            if !busy.iter().any(|word| screen.contains(word)) {
                return;
            }
        }
    }

    /// All keys before this one have been acted on once the screen is painted anew; false where they
    /// ended the program.
    fn paints_anew(&mut self, until: Instant) -> bool {
        let seen = self.session().written.len();
        loop {
            self.types("\x0c");
            // With an Esc just before it, it is another key.
            let again = Instant::now() + Duration::from_millis(300);
            while Instant::now() < again {
                assert!(Instant::now() < until, "it does not paint anew");
                if self.session().written.get(seen..).unwrap_or_default().contains("\x1b[2J") {
                    return true;
                }
                if !self.hears(Duration::from_millis(2)) {
                    return false;
                }
            }
        }
    }

    /// Out of whatever is open, to the panels in a large window, where it still answers a `?`. What a
    /// key has asked for may open only now.
    fn come_back(&mut self) {
        self.session().resize(40, 120);
        // Where the machine is busy, an Esc and the key behind it may be read as one again and again.
        for _ in 0..60 {
            self.settle();
            if !self.is_at_the_panels() {
                self.press("\x1b");
                self.hears(Duration::from_millis(30));
                continue;
            }
            self.press("?");
            self.settle();
            if self.screen().contains("What can be done here") {
                self.press("\x1b[11~");
                self.settle();
                if self.is_at_the_panels() {
                    return;
                }
            }
        }
        panic!("no way back to the panels, or no help there");
    }

    fn is_at_the_panels(&self) -> bool {
        let screen = self.screen();
        let hints = screen.lines().last().unwrap_or_default();
        hints.contains("? help") && !screen.contains('╔')
    }

    /// The service is asked for every extension once more, and the header counts what is there.
    fn read_again(&mut self) {
        self.hears(self.lag);
        let there: usize = self.there().values().sum();
        // An Esc that a key follows at once is another key, and a busy machine makes much of that.
        for _ in 0..5 {
            self.press("1");
            self.press("\x1b");
            self.hears(Duration::from_millis(100));
            for keys in ["ggR", "jR", "jR"] {
                self.press(keys);
                self.hears(Duration::from_millis(60));
                self.settle();
            }
            if self.header().events == there {
                return;
            }
        }
        panic!("the header counts {:?}, and {there} are there", self.header());
    }

    fn look(&mut self) {
        self.look_at_the_header();
        let names = names(&self.folder()).unwrap_or_default();
        let records: Vec<Record> =
            names.iter().map(|name| Record::read(&self.folder(), name).unwrap()).collect();
        self.has_changed |= records.iter().any(|record| record.kind == RunKind::Change);
        self.look_at_the_status(&records);
        if names.len() != self.runs {
            self.runs = names.len();
            self.look_at_what_was_sent(&names);
        }
        self.look_at_the_run_files(&records);
        self.nothing_is_there_twice();
    }

    fn nothing_is_there_twice(&self) {
        let there = self.there();
        self.changeless.holds_nothing_twice(&changeless(&there));
        if !self.has_changed {
            self.exact.holds_nothing_twice(&there);
        }
    }

    fn header(&self) -> Header {
        let screen = self.screen();
        let line = screen.lines().next().unwrap_or_default();
        let before = |word: &str| -> Option<usize> {
            let (rest, _) = line.split_once(word)?;
            rest.split_whitespace().last()?.trim_end_matches('?').parse().ok()
        };
        let told = before(" ext ").zip(before(" events")).zip(before(" marked"));
        let ((extensions, events), marked) = told.unwrap_or_else(|| panic!("{line:?}"));
        Header { extensions, events, marked }
    }

    fn look_at_the_header(&self) {
        let (header, screen) = (self.header(), self.screen());
        assert!(header.marked <= header.events, "{header:?}");
        let marked = screen.split_once("4 Marked ").map(|(_, rest)| rest);
        if let Some(rest) = marked {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let shown = digits.parse().unwrap_or(0);
            assert_eq!(shown, header.marked, "the panel of marks says otherwise");
        }
        // A row an extension: number, events, and marks behind a star. `m` hides numbers only.
        let rows = screen.lines().skip(2).take_while(|line| line.starts_with('│'));
        let rows: Vec<&str> = rows
            .filter_map(|line| line.split('│').nth(1))
            .filter(|row| row.contains("] "))
            .collect();
        let counts: Option<Vec<(usize, usize)>> = rows
            .iter()
            .map(|row| {
                let last = row.split_whitespace().last()?;
                let (events, marks) = last.split_once('*').unwrap_or((last, "0"));
                // What could not be read again may be another number.
                let events = events.trim_end_matches('?');
                events.parse().ok().zip(marks.parse().ok())
            })
            .collect();
        let Some(counts) = counts.filter(|counts| counts.len() == header.extensions) else {
            return;
        };
        let sum: (usize, usize) =
            counts.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        assert_eq!(sum, (header.events, header.marked), "rows and header disagree");
    }

    /// The summary of a run is what its file says.
    fn look_at_the_status(&self, records: &[Record]) {
        let screen = self.screen();
        for record in records {
            let title = format!(" {} ", record.name);
            let shown = screen.contains(&format!("3 Run{title}"));
            let summary = screen.lines().find_map(|line| line.split_once("finished: "));
            if let (true, Some((_, summary))) = (shown, summary) {
                let told = record.tally().words(record.kind);
                assert!(summary.starts_with(&told), "file {told:?}, screen {summary:?}");
            }
        }
    }

    /// Whatever was asked to be deleted stood in a plan on disk, on a line that says *sent*.
    fn look_at_what_was_sent(&self, names: &[String]) {
        let mut sent = BTreeSet::new();
        for name in names {
            let text =
                std::fs::read_to_string(self.folder().join(format!("{name}.jsonl"))).unwrap();
            let lines: Vec<Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let events: Vec<&Value> = lines.iter().filter(|it| it["line"] == "event").collect();
            let calls = lines[0]["calls"].as_array().unwrap();
            for line in lines.iter().filter(|it| it["line"] == "sent") {
                let number = |name: &str| usize::try_from(line[name].as_u64().unwrap()).unwrap();
                if let Some(call) = calls.get(number("call")) {
                    sent.insert(call["path"].as_str().unwrap().to_owned());
                }
                for event in &events[number("first")..number("first") + number("covers")] {
                    let part = |name: &str| event[name].to_string().trim_matches('"').to_owned();
                    sent.insert(format!(
                        "/uapi/extensions/@me/{}/phoneCallEvents/{}/{}",
                        part("extension"),
                        part("type"),
                        part("id")
                    ));
                }
            }
        }
        self.pbx.simulator.with_world(|world| {
            for seen in world.requests().iter().filter(|seen| WRITES.contains(&&*seen.method)) {
                let path = seen.target.trim_end_matches('/');
                assert!(sent.contains(path), "{path} was asked for and stands in no run file");
            }
        });
    }

    fn look_at_the_run_files(&self, records: &[Record]) {
        let there: BTreeMap<String, Values> = self.pbx.simulator.with_world(|world| {
            let events = world.extensions().flat_map(|each| each.events.iter());
            events.map(|it| (it.id.clone(), (it.url.clone(), it.status.to_string()))).collect()
        });
        let planned_by = |id: &str| {
            let in_it =
                |record: &&Record| record.events.iter().any(|it| it.event.key.id.as_str() == id);
            records.iter().filter(in_it).count()
        };
        for record in records {
            let name = &record.name;
            assert_eq!(record.is_whole(), Ok(()), "{name}");
            assert_eq!(record.tally().settled(), record.planned(), "{name}");
            if record.check != Check::Agrees {
                continue;
            }
            for planned in &record.events {
                let id = planned.event.key.id.as_str();
                let others = planned_by(id) > 1 || self.touched.contains(id);
                let right = match &planned.outcome {
                    Outcome::Done(Success::Deleted, _) | Outcome::AlreadyGone => {
                        !there.contains_key(id)
                    }
                    Outcome::Refused(_) | Outcome::NotSent(_) if record.undoes.is_none() => {
                        others || there.contains_key(id)
                    }
                    Outcome::Done(Success::Restored, Some(new)) => {
                        let new = new.raw();
                        there.contains_key(new) || planned_by(new) > 0 || self.touched.contains(new)
                    }
                    // Nothing is called changed that is not as it was to be.
                    Outcome::Done(Success::Changed, new) => {
                        let id = new.as_ref().map_or(id, |new| new.raw());
                        let renamed = id != planned.event.key.id.as_str();
                        let others = others || self.touched.contains(id);
                        let others = others || planned_by(id) > usize::from(!renamed);
                        others || as_wanted(planned, there.get(id))
                    }
                    Outcome::Refused(_)
                    | Outcome::NotSent(_)
                    | Outcome::Unknown(_)
                    | Outcome::Done(..)
                    | Outcome::Altered { .. } => true,
                };
                assert!(right, "{name}: {id} is {:?}", planned.outcome);
            }
        }
    }

    /// Everything that was taken comes back, and nothing else.
    fn undo_everything(&mut self) {
        self.have_no_trouble();
        let mut given = BTreeMap::new();
        for round in 0.. {
            assert!(round < 6, "the undos never come to an end");
            let mut again = false;
            for name in names(&self.folder()).unwrap_or_default() {
                let undo = Record::read(&self.folder(), &name).unwrap().undoes.is_some();
                if undo {
                    continue;
                }
                let said = self.pbx.run(&["undo", &name, "--yes", "--format=json"]);
                // What changed twice, or was taken after it was changed, may stay unknown for ever.
                let restored = said.document()["summary"]["restored"].as_u64();
                let gave_back = given.insert(name.clone(), restored) != Some(restored);
                let changes = Record::read(&self.folder(), &name).unwrap().kind == RunKind::Change;
                again |= said.code != 4 && (gave_back || !changes);
            }
            if !again {
                break;
            }
        }
        self.nothing_is_there_twice();
        let there = self.there();
        self.changeless.holds_all(&changeless(&there));
        if !self.has_changed {
            self.exact.holds_all(&there);
        }
        self.old_values_are_back();
    }

    /// What one run alone changed, and nobody else touched or made, has its old values.
    fn old_values_are_back(&self) {
        let names = names(&self.folder()).unwrap_or_default();
        let records: Vec<Record> =
            names.iter().map(|name| Record::read(&self.folder(), name).unwrap()).collect();
        let runs: Vec<&Record> = records.iter().filter(|it| it.undoes.is_none()).collect();
        let all = records.iter().flat_map(|record| &record.events);
        let made: BTreeSet<&str> = all.filter_map(|it| Some(it.outcome.new_id()?.raw())).collect();
        let of = |record: &Record, id: &str| {
            let mut events = record.events.iter().map(|it| it.event.clone());
            events.find(|event| event.key.id.as_str() == id)
        };
        self.pbx.simulator.with_world(|world| {
            for event in world.extensions().flat_map(|each| each.events.iter()) {
                let planned: Vec<_> =
                    runs.iter().filter_map(|run| Some((run, of(run, &event.id)?))).collect();
                let [(run, before)] = &planned[..] else { continue };
                let others = self.touched.contains(&event.id) || made.contains(&*event.id);
                if run.kind != RunKind::Change || others {
                    continue;
                }
                let now = (event.url.as_str(), event.status.to_string());
                let old = (before.url.raw(), before.status.written().to_owned());
                assert_eq!(now, old, "{} of {}", event.id, run.name);
            }
        });
    }
}

#[derive(Debug)]
struct Header {
    extensions: usize,
    events: usize,
    marked: usize,
}

fn told(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(otherwise)
}

/// Programs after one another at one PBX, then the undo of all that they did.
fn a_generation(seed: u64) -> usize {
    let mut monkey = Monkey::new(seed);
    while monkey.keys < 2 * A_LIFE {
        monkey.live(A_LIFE);
    }
    monkey.undo_everything();
    monkey.runs
}

#[test]
fn whatever_is_pressed_and_whatever_happens_nothing_is_lost_twice_there_or_told_wrongly() {
    let keys = told("CALLSWEEP_MONKEY", KEYS);
    let first = told("CALLSWEEP_SEED", 1);
    let generations = keys.div_ceil(2 * A_LIFE);
    let next = std::sync::atomic::AtomicU64::new(first);
    let runs: usize = std::thread::scope(|threads| {
        let work = || {
            let seeds = std::iter::from_fn(|| {
                let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                (seed < first + generations).then_some(seed)
            });
            seeds.map(a_generation).sum::<usize>()
        };
        let workers: Vec<_> = (0..12).map(|_| threads.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert!(runs > 0, "no run was ever started");
    if keys > KEYS {
        say(&format!("{keys} keys, {runs} run files"));
    }
}
