//! Real processes against a service that lies, lags and is slow, killed anywhere, with run files cut
//! as a power cut leaves them and two at work at once: whatever came of it, the undos bring back
//! exactly what was there, each event once and with its old values.
//!
//! `CALLSWEEP_CASES=1000` tries so many cases, `CALLSWEEP_SEED=7` begins with another one. The clock
//! of each run goes faster here, and what the service takes is shortened by the same factor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callsweep::simulator::{DeleteAnswer, Event, Extension, Fault, Kind, World, Written};
use fastrand::Rng;
use serde_json::Value;

use crate::headless::{Pbx, Said, command, configure, pbx};

const CASES: u64 = 16;
const NUMBERS: [&str; 2] = ["0003*101", "0003*102"];
/// How much faster the clock of a run goes; slower where a request outlives its time-out, and where
/// hardly a second is left to what a list may lag.
const FAST: u32 = 20;
const LESS_FAST: u32 = 5;
/// After the time-out of a second, and while a list is waited for.
const LATE: u32 = 1_100;
/// How long lists lag, by the clock of a run.
const LAGS: [Duration; 4] = [Duration::ZERO, Duration::ZERO, Duration::from_secs(3), LONG_LAG];
const LONG_LAG: Duration = Duration::from_secs(5);
/// Less than six seconds by the fast clock, together with the lag.
const A_WHILE: u32 = 100;

/// What the run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Delete,
    /// It disables what is on; `true` where the service gives changed events other ids.
    Disable(bool),
}

const DEEDS: [Deed; 4] = [Deed::Delete, Deed::Delete, Deed::Disable(false), Deed::Disable(true)];

/// How the service answers a DELETE, or the PUT of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    None,
    /// It acts, and says this.
    Acted(u16, &'static str),
    /// It acts, and the connection ends.
    Lost,
    /// It acts once nobody waits for the answer any more.
    Late,
    /// It says that it acted.
    Idle,
}

const LIES: [Lie; 13] = [
    Lie::None,
    Lie::Acted(400, "pce_access_denied"),
    Lie::Acted(400, "pce_id_invalid"),
    Lie::Acted(400, ""),
    Lie::Acted(500, ""),
    Lie::Acted(503, ""),
    Lie::Acted(403, "access_denied"),
    Lie::Acted(404, "not_found"),
    Lie::Acted(409, "limit_exceeded"),
    Lie::Acted(501, "request_not_implemented"),
    Lie::Lost,
    Lie::Late,
    Lie::Idle,
];

/// How it answers a POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Post {
    Honest,
    /// It acts, and says this.
    Acted(u16, &'static str),
    /// It acts, and the connection ends.
    Lost,
    /// It acts once nobody waits for the answer any more.
    Late,
    /// It refuses, and acts a while later all the same.
    LateRefusal,
    /// It says that it acted.
    Idle,
}

const POSTS: [Post; 9] = [
    Post::Honest,
    Post::Honest,
    Post::Acted(400, "pce_access_denied"),
    Post::Acted(500, ""),
    Post::Acted(503, ""),
    Post::Lost,
    Post::Late,
    Post::LateRefusal,
    Post::Idle,
];

/// Which two are at work at once on the way back.
const PAIRS: [Option<[&str; 2]>; 7] = [
    None,
    Some(["undo", "undo"]),
    Some(["resume", "resume"]),
    Some(["undo", "delete"]),
    Some(["undo", "resume"]),
    Some(["resume", "delete"]),
    Some(["delete", "delete"]),
];

/// One cell of the matrix.
#[derive(Debug)]
struct Case {
    #[expect(dead_code, reason = "told where a case fails")]
    seed: u64,
    deed: Deed,
    lie: Lie,
    /// Every so many DELETEs or PUTs meet the lie.
    every: u32,
    post: Post,
    lag: Duration,
    form: &'static str,
    concurrency: u8,
    names_ids: bool,
    /// The run is killed once so many DELETEs have come.
    killed: Option<usize>,
    /// Its file is cut behind what was synced, at this hundredth of the rest.
    cut: Option<usize>,
    pair: Option<[&'static str; 2]>,
    /// The first of the two is killed once so many more requests have come.
    pair_killed: Option<usize>,
    /// It goes on lying to the pair.
    lies_on: bool,
}

/// What makes events like one another.
type Like = (String, u16, u16, String, String, u16);

impl Case {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let killed = rng.bool().then(|| rng.usize(0..12));
        let lie = LIES[rng.usize(..LIES.len())];
        let post = POSTS[rng.usize(..POSTS.len())];
        let is_late = lie == Lie::Late || post == Post::Late;
        Self {
            seed,
            deed: DEEDS[rng.usize(..DEEDS.len())],
            lie,
            every: rng.u32(1..4),
            post,
            lag: if is_late { Duration::ZERO } else { LAGS[rng.usize(..LAGS.len())] },
            form: ["event", "event", "extension", "type"][rng.usize(..4)],
            concurrency: rng.u8(1..5),
            names_ids: rng.bool(),
            cut: killed.filter(|_| rng.bool()).map(|_| rng.usize(0..=100)),
            killed,
            pair: PAIRS[rng.usize(..PAIRS.len())],
            pair_killed: rng.bool().then(|| rng.usize(0..30)),
            lies_on: rng.bool(),
        }
    }

    fn speed(&self) -> u32 {
        let is_late = self.lie == Lie::Late || self.post == Post::Late;
        if is_late || self.lag == LONG_LAG { LESS_FAST } else { FAST }
    }

    fn fault(&self) -> Option<Fault> {
        let method = Some(self.method().to_owned());
        let delete = Fault { method, every: Some(self.every), ..acted() };
        Some(match self.lie {
            Lie::None => return None,
            Lie::Acted(status, code) => saying(status, code, delete),
            Lie::Lost => Fault { reset: true, ..delete },
            Lie::Late => late(LATE, delete),
            Lie::Idle => Fault { status: Some(204), acts: false, ..delete },
        })
    }

    /// What the run sends.
    fn method(&self) -> &'static str {
        match self.deed {
            Deed::Delete => "DELETE",
            Deed::Disable(_) => "PUT",
        }
    }

    /// The run itself.
    fn arguments(&self) -> Vec<&'static str> {
        match self.deed {
            Deed::Delete => vec!["delete", "--where=ext:*", "--form", self.form],
            Deed::Disable(_) => vec!["disable", "--where=ext:*"],
        }
    }

    /// Only the first of all POSTs, or of the PUTs of an undo.
    fn post_fault(&self) -> Option<Fault> {
        let method = if self.deed == Deed::Delete { "POST" } else { "PUT" };
        let post = Fault {
            method: Some(method.to_owned()),
            path: Some("phoneCallEvents".to_owned()),
            nth: Some(1),
            ..acted()
        };
        Some(match self.post {
            Post::Honest => return None,
            Post::Acted(status, code) => saying(status, code, post),
            Post::Lost => Fault { reset: true, ..post },
            Post::Late => late(LATE, post),
            Post::LateRefusal => {
                let refusal = saying(400, "pce_access_denied", post);
                Fault { acts: false, acts_after_ms: Some(A_WHILE), ..refusal }
            }
            Post::Idle => Fault { status: Some(204), acts: false, ..post },
        })
    }

    /// A clear refusal and a list that lags tell the same lie, and leave a run no doubt.
    fn is_taken_in(&self) -> bool {
        let is_clear = match self.lie {
            Lie::Acted(400, code) => !code.is_empty(),
            Lie::Acted(status, _) => status == 403,
            Lie::None | Lie::Lost | Lie::Late | Lie::Idle => false,
        };
        is_clear && !self.lag.is_zero()
    }
}

fn acted() -> Fault {
    Fault { acts: true, ..Fault::default() }
}

fn saying(status: u16, code: &str, fault: Fault) -> Fault {
    let code = Some(code.to_owned()).filter(|code| !code.is_empty());
    Fault { status: Some(status), code, ..fault }
}

fn late(after: u32, fault: Fault) -> Fault {
    Fault { no_answer: true, acts: false, acts_after_ms: Some(after), ..fault }
}

/// Two phones with a few of each type, some of them alike.
fn world() -> World {
    let mut world = World::new("two phones to be emptied and filled again", "token");
    for (which, number) in NUMBERS.into_iter().enumerate() {
        let mut phone = Extension::new(number, Kind::Terminal, "");
        for place in 0..(6 - 2 * which) {
            let event = Event {
                event_type: u16::try_from(place % 3).unwrap(),
                id: format!("id{which}{place}"),
                method: u16::try_from(place % 2).unwrap(),
                // The first and the fourth of the first phone are alike but for their methods; the
                // fifth and the sixth are made so below.
                url: format!("https://crm.acme.test/{}", place % 3),
                note: if place == 1 { "a \"note\"".to_owned() } else { String::new() },
                status: u16::from(place != 2),
                modified: "2019-02-28T09:00:00Z".to_owned(),
            };
            phone.events.push(event);
        }
        let twin = Event { id: format!("twin{which}"), ..phone.events[0].clone() };
        phone.events.push(twin);
        world.insert(phone);
    }
    world
}

/// A case under way.
struct Trial {
    case: Case,
    pbx: Pbx,
    said: Vec<String>,
}

impl Trial {
    fn new(case: Case) -> Self {
        let mut world = world();
        world.list_lag = case.lag / case.speed();
        world.latency.delete = Duration::from_millis(3);
        if !case.names_ids {
            world.delete_answer = DeleteAnswer::NoContent;
        }
        world.changes.renames = case.deed == Deed::Disable(true);
        if !case.names_ids {
            world.shapes.update = Written::NoContent;
        }
        let of_undo = case.post_fault().filter(|_| case.deed == Deed::Delete);
        case.fault().into_iter().chain(of_undo).for_each(|fault| world.add_fault(fault));
        let pbx = pbx(world);
        let more = format!(
            "wide_calls = [\"extension\", \"type\"]\nconcurrency = {}\ntimeout_s = 1",
            case.concurrency
        );
        configure(&pbx.home, &pbx.simulator.origin(), &more);
        Self { case, pbx, said: Vec::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.pbx.home, &self.pbx.simulator.token(), arguments);
        command.env("CALLSWEEP_TEST_SPEED", self.case.speed().to_string());
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn say(&mut self, arguments: &[&str]) -> Said {
        let said = Said::of(self.command(arguments).output().unwrap());
        self.hear(arguments, &format!("{}", said.code), &said.err);
        said
    }

    fn hear(&mut self, arguments: &[&str], end: &str, err: &str) {
        self.said.push(format!("$ {} → {end}\n{err}", arguments.join(" ")));
    }

    fn there(&self) -> BTreeMap<Like, usize> {
        let mut likes = BTreeMap::new();
        self.pbx.simulator.with_world(|world| {
            for extension in world.extensions() {
                for event in &extension.events {
                    let Event { event_type, method, url, note, status, .. } = event.clone();
                    let like =
                        (extension.number().to_owned(), event_type, method, url, note, status);
                    *likes.entry(like).or_default() += 1;
                }
            }
        });
        likes
    }

    fn ids(&self) -> BTreeSet<String> {
        self.pbx.simulator.with_world(|world| {
            let ids = world.extensions().flat_map(|each| each.events.iter());
            ids.map(|event| event.id.clone()).collect()
        })
    }

    /// The ids of what is off.
    fn off(&self) -> BTreeSet<String> {
        self.pbx.simulator.with_world(|world| {
            let off = world.extensions().flat_map(|each| &each.events);
            off.filter(|event| event.status == 0).map(|event| event.id.clone()).collect()
        })
    }

    fn folder(&self) -> PathBuf {
        self.pbx.home.path().join(".local/state/callsweep/runs")
    }

    /// All runs but undos, the newest first.
    fn runs(&self) -> Vec<String> {
        let names = callsweep::journal::names(&self.folder()).unwrap_or_default();
        let is_undo = |name: &String| {
            let text = std::fs::read(self.folder().join(format!("{name}.jsonl"))).unwrap();
            String::from_utf8_lossy(&text).contains("\"kind\":\"undo\"")
        };
        names.into_iter().filter(|name| !is_undo(name)).collect()
    }

    fn sent(&self) -> usize {
        self.pbx.simulator.with_world(|world| {
            world.requests().iter().filter(|seen| seen.method == self.case.method()).count()
        })
    }

    /// Deletes honestly from now on, and lies to the first POST that comes.
    fn lies_to_posts_alone(&self) {
        self.pbx.simulator.with_world(|world| {
            world.clear_faults();
            self.case.post_fault().into_iter().for_each(|fault| world.add_fault(fault));
        });
    }

    /// Everything that was put off happens.
    fn let_the_late_act(&self) {
        self.pbx.simulator.with_world(|world| world.catch_up(Duration::MAX));
    }

    /// The run, to its end or to the moment at which it is killed.
    fn delete(&mut self) -> Result<(), String> {
        let arguments = [&self.case.arguments()[..], &["--yes", "--format=json"]].concat();
        let Some(moment) = self.case.killed else {
            let said = self.say(&arguments);
            self.let_the_late_act();
            return self.judge(&said);
        };
        let mut child = self.start(&arguments);
        let give_up = Instant::now() + crate::session::PATIENCE;
        while child.try_wait().unwrap().is_none() && self.sent() < moment {
            if Instant::now() > give_up {
                return Err("the run neither sends nor ends".to_owned());
            }
            std::thread::yield_now();
        }
        self.kill(child, &arguments);
        self.cut();
        Ok(())
    }

    fn kill(&mut self, mut child: Child, arguments: &[&str]) {
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        let end = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
        self.hear(arguments, &end, &String::from_utf8_lossy(&output.stderr));
    }

    /// What a power cut leaves for sure ends with the last line that was synced.
    fn cut(&mut self) {
        let (Some(share), Some(run)) = (self.case.cut, self.runs().first().cloned()) else {
            return;
        };
        let path = self.folder().join(format!("{run}.jsonl"));
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (mut end, mut sure) = (0, 0);
        for line in text.split_inclusive('\n') {
            end += line.len();
            let synced = ["planned", "sent", "opened", "finished", "stopped"];
            if synced.iter().any(|kind| line.starts_with(&format!("{{\"line\":\"{kind}\""))) {
                sure = end;
            }
        }
        let length = sure + (text.len() - sure) * share / 100;
        self.said.push(format!("cut to {length} of {} bytes, {sure} of them sure", text.len()));
        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(u64::try_from(length).unwrap())
            .unwrap();
    }

    /// What a run says of itself is so, where it says that it is checked.
    fn judge(&self, said: &Said) -> Result<(), String> {
        let Ok(document) = serde_json::from_str::<Value>(&said.out) else {
            return Err(format!("no document, exit {}", said.code));
        };
        let there = self.ids();
        if document["verified"] != true {
            return if said.code == 0 && document["check"] != "nothing_sent" {
                Err("all done, and not verified".to_owned())
            } else {
                Ok(())
            };
        }
        for outcome in document["outcomes"].as_array().unwrap() {
            let (id, word) =
                (outcome["id"].as_str().unwrap(), outcome["outcome"].as_str().unwrap());
            let now = outcome["new_id"].as_str().unwrap_or(id);
            let is_off = self.off().contains(now);
            let gone = if self.case.deed == Deed::Delete { !there.contains(id) } else { is_off };
            let right = match word {
                "deleted" | "already_gone" | "changed" => gone,
                "refused" if self.case.is_taken_in() => true,
                "refused" | "not_sent" => !gone,
                _ => true,
            };
            if !right {
                return Err(format!("verified, and {id} is {word} and gone: {gone}"));
            }
        }
        Ok(())
    }

    /// Two at once, of which one may be killed.
    fn work_at_once(&mut self) {
        let (Some(pair), Some(run)) = (self.case.pair, self.runs().first().cloned()) else {
            return;
        };
        let arguments = |what: &'static str| match what {
            "delete" => vec!["delete", "--where=ext:*", "--yes"],
            _ => vec![what, run.as_str(), "--yes"],
        };
        let children = pair.map(|what| (self.start(&arguments(what)), arguments(what)));
        let before = self.pbx.requests().len();
        for (place, (mut child, arguments)) in children.into_iter().enumerate() {
            if let Some(moment) = self.case.pair_killed.filter(|_| place == 0) {
                while child.try_wait().unwrap().is_none()
                    && self.pbx.requests().len() < before + moment
                {
                    std::thread::yield_now();
                }
                self.kill(child, &arguments);
                continue;
            }
            let output = child.wait_with_output().unwrap();
            let end = output.status.code().map_or("?".to_owned(), |code| code.to_string());
            self.hear(&arguments, &end, &String::from_utf8_lossy(&output.stderr));
        }
    }

    /// Undoes every run until there is nothing left to be undone.
    fn undo_everything(&mut self) -> Result<(), String> {
        for _ in 0..6 {
            let mut codes = BTreeSet::new();
            for run in self.runs() {
                codes.insert(self.say(&["undo", &run, "--yes"]).code);
            }
            if codes.iter().all(|code| *code == 4) {
                return Ok(());
            }
        }
        Err("the undos never come to an end".to_owned())
    }
}

/// Carries a case out and says what is wrong with it.
fn wrong_with(seed: u64) -> Option<String> {
    let mut trial = Trial::new(Case::new(seed));
    let before = trial.there();
    let went = go(&mut trial);
    let after = trial.there();
    let wrong = match went {
        Ok(()) if after == before => return None,
        Ok(()) => {
            let differ = |a: &BTreeMap<Like, usize>, b: &BTreeMap<Like, usize>| {
                let differ = a.iter().filter(|(like, count)| b.get(*like) != Some(*count));
                differ.map(|(like, count)| format!("{count} × {like:?}")).collect::<Vec<_>>()
            };
            format!(
                "there was {:#?}, there is {:#?}",
                differ(&before, &after),
                differ(&after, &before)
            )
        }
        Err(wrong) => wrong,
    };
    Some(format!("{:#?}\n{}\n{wrong}", trial.case, trial.said.join("")))
}

fn go(trial: &mut Trial) -> Result<(), String> {
    trial.delete()?;
    if !trial.case.lies_on {
        trial.lies_to_posts_alone();
    }
    trial.work_at_once();
    trial.lies_to_posts_alone();
    trial.undo_everything()?;
    trial.let_the_late_act();
    Ok(())
}

fn told(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn whatever_the_service_says_and_whoever_is_killed_what_was_there_is_there_once_after_all_undos() {
    let first = told("CALLSWEEP_SEED", 1);
    let end = first + told("CALLSWEEP_CASES", CASES);
    let next = AtomicU64::new(first);
    let wrong: Vec<String> = std::thread::scope(|threads| {
        let work = || {
            let seeds = std::iter::from_fn(|| {
                Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < end)
            });
            seeds.filter_map(wrong_with).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..8).map(|_| threads.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let tried = end - first;
    assert!(wrong.is_empty(), "{} of {tried} cases:\n\n{}", wrong.len(), wrong.join("\n\n"));
}
