//! Run files that are damaged, old, newer or none: each line that can be read counts, every planned
//! event is accounted for, and nothing is called safe that may be gone.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use callsweep::change::Tally;
use callsweep::domain::{Outcome, Success};
use callsweep::journal::Record;
use callsweep::simulator::{Fault, World};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::headless::{Pbx, command, configure, named};
use crate::session::until;

const DELETE: [&str; 3] = ["delete", "--extension=0003*210", "--yes"];
/// Of schema 1: the three events of the page by one call, that run's undo, and the three by event
/// calls.
const WIDE: &str = "20261125T190405Z-test";
const UNDO: &str = "20261125T190406Z-test";
const SINGLE: &str = "20261125T190424Z-test";

fn runs_of(pbx: &Pbx) -> PathBuf {
    pbx.home.path().join(".local/state/callsweep/runs")
}

/// A file as an earlier version wrote it.
fn old(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/runs");
    fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap()
}

/// The page's three events deleted by event calls: the PBX, the run, and its file.
fn deleted() -> (Pbx, String, Vec<u8>) {
    let pbx = named("the-page");
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    assert_eq!(pbx.run(&DELETE).code, 0);
    let name = callsweep::journal::names(&runs_of(&pbx)).unwrap().remove(0);
    let bytes = fs::read(callsweep::journal::path_of(&runs_of(&pbx), &name)).unwrap();
    (pbx, name, bytes)
}

/// Reads these bytes as the file of a run.
fn read(bytes: &[u8]) -> Result<Record, String> {
    read_in(tempfile::tempdir().unwrap().path(), bytes)
}

fn read_in(folder: &Path, bytes: &[u8]) -> Result<Record, String> {
    fs::write(folder.join("r.jsonl"), bytes).unwrap();
    Record::read(folder, "r").map_err(|refused| refused.to_string())
}

/// What became of each planned event, by its place.
fn outcomes(record: &Record) -> Vec<&'static str> {
    let known = record.events.iter().map(|planned| (planned.place, &planned.outcome));
    let missing = record.missing.iter().map(|(place, outcome)| (*place, outcome));
    let mut all: Vec<_> = known.chain(missing).collect();
    all.sort_by_key(|(place, _)| *place);
    assert!(all.iter().map(|(place, _)| *place).eq(0..all.len()), "each once");
    all.into_iter().map(|(_, outcome): (_, &Outcome)| outcome.name()).collect()
}

/// A line with its sum, as programs of schema 2 write it.
pub(crate) fn summed(body: &str) -> String {
    let mut sum = String::new();
    for byte in Sha256::digest(body).iter().take(8) {
        let _ = write!(sum, "{byte:02x}");
    }
    format!("{body},\"sum\":\"{sum}\"}}")
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.trim_ascii_end().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    [lines.join(&b'\n'), b"\n".to_vec()].concat()
}

fn every_schema() -> Vec<Vec<u8>> {
    vec![deleted().2, old(SINGLE).into_bytes(), old(WIDE).into_bytes(), old(UNDO).into_bytes()]
}

#[test]
fn cut_at_any_byte_a_file_accounts_for_every_planned_event() {
    for whole in every_schema() {
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
        let folder = tempfile::tempdir().unwrap();
        for length in 0..=whole.len() {
            match read_in(folder.path(), &whole[..length]) {
                Ok(record) => {
                    assert!(length > first, "{length}");
                    assert_eq!(outcomes(&record).len(), 3, "{length}");
                    assert_eq!(record.tally().settled(), 3, "{length}");
                    assert_eq!(record.planned(), 3, "{length}");
                }
                Err(_) => assert!(length <= first, "{length}"),
            }
        }
    }
}

#[test]
fn whatever_line_is_damaged_every_event_is_accounted_for_and_none_that_went_is_called_safe() {
    for whole in every_schema() {
        let all = lines(&whole);
        let true_outcomes = outcomes(&read(&whole).unwrap());
        for place in 0..all.len() {
            let mut damages: Vec<Vec<u8>> = Vec::new();
            let line = &all[place];
            damages.push(vec![0; line.len()]);
            damages.push(line[..line.len() / 2].to_vec());
            damages.push(Vec::new());
            damages.push([&line[..line.len() - 1], b"\xff}"].concat());
            for damage in damages {
                let mut lines = all.clone();
                lines[place] = damage;
                let record = read(&joined(&lines)).unwrap();
                let told = outcomes(&record);
                // Without its first line a file of schema 1 is as long as its event lines.
                assert_eq!(told.len(), 3, "{place}");
                for (told, was) in told.iter().zip(&true_outcomes) {
                    assert!(told == was || *told == "unknown", "line {place}: {told}, was {was}");
                }
                let said = format!("line {}: ", place + 1);
                assert!(record.flaws.iter().any(|flaw| flaw.starts_with(&said)), "{place}");
            }
        }
    }
}

#[test]
fn a_wrong_sum_in_any_line_is_told_and_the_line_is_not_used() {
    let (_pbx, _, whole) = deleted();
    let all = lines(&whole);
    for (place, line) in all.iter().enumerate() {
        let mut lines = all.clone();
        // Still JSON that says the same.
        let text = String::from_utf8(line.clone()).unwrap();
        let other = text.replacen("\"line\":", "\"line\": ", 1);
        lines[place] = other.into_bytes();
        let record = read(&joined(&lines)).unwrap();
        assert_eq!(outcomes(&record).len(), 3);
        let flaw = format!("line {}: its sum is wrong", place + 1);
        assert_eq!(record.flaws, [flaw], "{}", String::from_utf8_lossy(line));
        assert!(record.is_whole().is_ok() || place < 5, "line {place}");
        assert!(record.is_whole().is_err() || place >= 5, "line {place}");
    }
}

#[test]
fn a_line_of_a_newer_program_is_told_and_changes_nothing() {
    for whole in every_schema() {
        let all = lines(&whole);
        for place in 1..=all.len() {
            let mut lines = all.clone();
            lines.insert(place, summed("{\"line\":\"weather\",\"sky\":\"blue\"").into_bytes());
            let record = read(&joined(&lines)).unwrap();
            let known = outcomes(&read(&whole).unwrap());
            if record.schema > 1 || place > 3 {
                assert_eq!(outcomes(&record), known, "{place}");
            }
            assert!(
                record.flaws[0].ends_with("this callsweep does not know"),
                "{:?}",
                record.flaws
            );
        }
    }
}

#[test]
fn the_tail_that_a_power_cut_left_is_cut_off_and_the_run_goes_on_behind_it() {
    let (pbx, name, whole) = deleted();
    let path = callsweep::journal::path_of(&runs_of(&pbx), &name);
    let sent: Vec<usize> = lines(&whole)
        .iter()
        .enumerate()
        .filter(|(_, l)| l.starts_with(b"{\"line\":\"sent\""))
        .map(|(at, _)| at)
        .collect();
    // The second event was about to be sent; behind that there is nothing but zeros.
    let kept = joined(&lines(&whole)[..sent[1]]);
    fs::write(&path, [&kept[..], &[0; 700]].concat()).unwrap();
    let runs = pbx.run(&["runs", "--format=json"]);
    assert!(runs.err.contains("its end was never written"), "{}", runs.err);
    let run = runs.document()["runs"][0].clone();
    assert_eq!((&run["deleted"], &run["not_sent"]), (&1.into(), &2.into()));
    assert_eq!(run["stopped_by"]["reason"], "killed");
    let said = pbx.run(&["resume", &name, "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let record = Record::read(&runs_of(&pbx), &name).unwrap();
    assert!(record.flaws.is_empty() && record.finished.is_some(), "{:?}", record.flaws);
}

#[test]
fn the_run_of_an_earlier_version_is_undone_shown_and_gone_on_with() {
    let pbx = named("the-page");
    configure(&pbx.home, &pbx.simulator.origin(), "");
    let runs = runs_of(&pbx);
    fs::create_dir_all(&runs).unwrap();
    let here = |text: &str| text.replace("http://127.0.0.1:18999", &pbx.simulator.origin());
    let put = |name: &str, text: &str| {
        fs::write(runs.join(format!("{name}.jsonl")), here(text)).unwrap();
    };
    for name in [WIDE, UNDO] {
        put(name, &old(name));
    }
    let undone = pbx.run(&["undo", WIDE, "--yes"]);
    assert_eq!(undone.code, 4, "{}", undone.err);
    assert!(undone.err.contains("there is nothing to undo"), "{}", undone.err);
    let shown = pbx.run(&["show", WIDE, "--format=json"]).document();
    assert_eq!(shown["summary"]["deleted"], 3);
    // Cut off with the first event deleted: the others may have been sent after a power cut.
    let whole = old(SINGLE);
    let cut: String = whole.lines().take(6).fold(String::new(), |text, line| text + line + "\n");
    put(SINGLE, &cut);
    pbx.simulator.with_world(|world| {
        world.extension_mut("0003*210").unwrap().events.remove(0);
    });
    let run = pbx.run(&["show", SINGLE, "--format=json"]).document();
    assert_eq!((&run["summary"]["deleted"], &run["summary"]["unknown"]), (&1.into(), &2.into()));
    let said = pbx.run(&["resume", SINGLE, "--yes", "--format=json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.document()["summary"]["deleted"], 3);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 0);
    let said = pbx.run(&["undo", SINGLE, "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
}

/// A run of an earlier version that a power cut left with so many of its lines, on this PBX.
fn cut_by_power(name: &str, lines: usize) -> Pbx {
    let pbx = named("the-page");
    let runs = runs_of(&pbx);
    fs::create_dir_all(&runs).unwrap();
    let whole = old(name).replace("http://127.0.0.1:18999", &pbx.simulator.origin());
    let kept: Vec<&str> = whole.split_inclusive('\n').take(lines).collect();
    fs::write(runs.join(format!("{name}.jsonl")), kept.concat()).unwrap();
    pbx
}

#[test]
fn what_a_run_of_an_earlier_version_planned_counts_as_sent_after_a_power_cut() {
    // Four lines are the plan: what was sent after it never reached the disk.
    for (name, kept) in [(WIDE, 4), (WIDE, 5), (SINGLE, 4), (SINGLE, 5), (SINGLE, 6)] {
        // One of them is known to be gone in the longest.
        for gone in usize::from(kept == 6)..=3 {
            let told = format!("{name} {kept} {gone}");
            let events = |world: &mut World| world.extension("0003*210").unwrap().events.clone();
            let body = |world: &mut World| {
                let all = events(world).into_iter();
                let mut all: Vec<_> = all.map(|it| (it.event_type, it.url, it.note)).collect();
                all.sort();
                all
            };
            let took = |world: &mut World| {
                drop(world.extension_mut("0003*210").unwrap().events.drain(..gone));
            };
            // All of it comes back, and of what is there nothing twice.
            let pbx = cut_by_power(name, kept);
            let before = pbx.simulator.with_world(body);
            pbx.simulator.with_world(took);
            let undone = pbx.run(&["undo", name, "--yes"]);
            assert_eq!(undone.code, if gone == 0 { 4 } else { 0 }, "{told}: {}", undone.err);
            let remark = "was written by an older version: its events have no sum";
            assert!(undone.err.contains(remark), "{told}: {}", undone.err);
            assert_eq!(pbx.simulator.with_world(body), before, "{told}");
            // Going on finds what is gone, and sends what is left.
            let pbx = cut_by_power(name, kept);
            pbx.simulator.with_world(took);
            let resumed = pbx.run(&["resume", name, "--yes", "--format=json"]);
            // Nobody knows what the wide call took beside the plan.
            let is_known = name == SINGLE;
            assert_eq!(resumed.code, if is_known { 0 } else { 3 }, "{told}: {}", resumed.err);
            assert_eq!(resumed.document()["surplus_known"], is_known, "{told}");
            assert!(resumed.err.contains(remark), "{told}: {}", resumed.err);
            assert_eq!(resumed.document()["summary"]["deleted"], 3, "{told}");
            let sent = pbx.requests().iter().filter(|it| it.starts_with("DELETE")).count();
            assert_eq!(
                (sent, pbx.simulator.with_world(|world| world.event_count())),
                (3 - gone, 0)
            );
            let undone = pbx.run(&["undo", name, "--yes"]);
            assert_eq!(undone.code, 0, "{told}: {}", undone.err);
            assert_eq!(pbx.simulator.with_world(body), before, "{told}");
        }
    }
}

#[test]
fn of_a_damaged_plan_the_rest_comes_back_and_nothing_more_is_deleted() {
    let (pbx, name, whole) = deleted();
    let path = callsweep::journal::path_of(&runs_of(&pbx), &name);
    let mut lines = lines(&whole);
    let text = String::from_utf8(lines[2].clone()).unwrap();
    lines[2] = text.replace("calllog", "other").into_bytes();
    let last = lines.len() - 1;
    lines.truncate(last - 1);
    fs::write(&path, joined(&lines)).unwrap();
    let resumed = pbx.run(&["resume", &name, "--yes"]);
    assert_eq!(resumed.code, 4, "{}", resumed.err);
    assert!(resumed.err.contains("is not whole: line 3: its sum is wrong"), "{}", resumed.err);
    let said = pbx.run(&["undo", &name, "--yes", "--format=json"]);
    assert!(said.err.contains("line 3: its sum is wrong"), "{}", said.err);
    assert_eq!(
        (said.code, &said.document()["summary"]["restored"]),
        (3, &2.into()),
        "{}",
        said.err
    );
    let shown = pbx.run(&["show", &name, "--format=json"]).document();
    assert_eq!(shown["outcomes"].as_array().unwrap().len(), 3);
    assert_eq!(shown["outcomes"][2]["id"], Value::Null);
}

/// A run of two events that was cut off before its first call, and a third event, which was never
/// planned: somebody changes the file by hand.
fn tampered(tamper: impl Fn(&mut Vec<String>, &str)) -> (Pbx, String) {
    let pbx = named("the-page");
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    let said = pbx.run(&["delete", "--where=type:0|1", "--yes", "--format=json"]);
    let name = said.document()["run"].as_str().unwrap().to_owned();
    let path = callsweep::journal::path_of(&runs_of(&pbx), &name);
    let whole = fs::read_to_string(&path).unwrap();
    pbx.simulator.with_world(|world| {
        let page = World::named("the-page").unwrap().extension("0003*210").unwrap().clone();
        world.extension_mut("0003*210").unwrap().events = page.events;
    });
    let third = whole.lines().find(|line| line.contains("GOp2s68Afg")).unwrap().to_owned();
    let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
    let sent = lines.iter().position(|line| line.starts_with("{\"line\":\"sent\""));
    lines.truncate(sent.unwrap());
    tamper(&mut lines, &third);
    fs::write(path, lines.join("\n") + "\n").unwrap();
    (pbx, name)
}

/// A line with other words in it, and the sum of these.
fn reworded(line: &str, words: &[(&str, &str)]) -> String {
    let mut body = line.rsplit_once(",\"sum\"").map_or(line, |(body, _)| body).to_owned();
    for (from, to) in words {
        assert!(body.contains(from), "{from}: {body}");
        body = body.replace(from, to);
    }
    summed(&body)
}

#[test]
fn what_was_sent_at_a_time_that_cannot_be_read_was_sent_when_its_file_was_last_written() {
    let pbx = named("the-page");
    let said = pbx.run(&["disable", "--where=ext:*", "--yes", "--format=json"]);
    let name = said.document()["run"].as_str().unwrap().to_owned();
    let path = callsweep::journal::path_of(&runs_of(&pbx), &name);
    let whole = fs::read_to_string(&path).unwrap();
    let tampered = whole.lines().map(|line| match line.split_once(",\"at\":\"") {
        Some((start, rest)) if start.starts_with("{\"line\":\"sent\"") => {
            let at = rest.split('"').next().unwrap();
            reworded(line, &[(at, "some day")]) + "\n"
        }
        _ => format!("{line}\n"),
    });
    fs::write(&path, tampered.collect::<String>()).unwrap();
    let undone = pbx.run(&["undo", &name, "--yes"]);
    assert!(undone.err.contains("what the run wrote: waiting 6 s"), "{}", undone.err);
    assert_eq!(undone.code, 0, "{}", undone.err);
}

type Tamper<'a> = &'a dyn Fn(&mut Vec<String>, &str);

#[test]
fn an_event_line_that_was_added_by_hand_is_never_deleted() {
    let as_event = |third: &str, place: &str| {
        let body = third.rsplit_once(",\"sum\"").unwrap().0;
        let rest = body.split_once("\"extension\"").unwrap().1;
        summed(&format!("{{\"line\":\"event\",\"place\":{place},\"extension\"{rest}"))
    };
    let beside: Tamper<'_> = &|lines, third| lines.insert(3, as_event(third, "2"));
    let in_place: Tamper<'_> = &|lines, third| lines[2] = as_event(third, "1");
    let without_a_sum: Tamper<'_> = &|lines, third| {
        let line = as_event(third, "2");
        lines.insert(3, format!("{}}}", line.rsplit_once(",\"sum\"").unwrap().0));
    };
    let counted: Tamper<'_> = &|lines, third| {
        let call = "{\"method\":\"DELETE\",\"path\":\"/uapi/x\",\"covers\":1}]";
        lines[0] =
            reworded(&lines[0], &[("\"events\":2", "\"events\":3"), ("}]", &format!("}},{call}"))]);
        lines.insert(3, as_event(third, "2"));
        let planned = lines.iter().position(|line| line.contains("\"planned\"")).unwrap();
        lines[planned] = reworded(&lines[planned], &[("\"events\":2", "\"events\":3")]);
    };
    for (which, tamper) in [beside, in_place, without_a_sum, counted].into_iter().enumerate() {
        let (pbx, name) = tampered(tamper);
        let said = pbx.run(&["resume", &name, "--yes"]);
        assert_eq!(said.code, 4, "{which}: {}", said.err);
        assert!(said.err.contains("is not whole"), "{which}: {}", said.err);
        assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3, "{which}");
    }
    let (pbx, name) = tampered(|_, _| {});
    let said = pbx.run(&["resume", &name, "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 1);
}

#[test]
fn numbers_that_no_plan_has_are_not_believed() {
    let (pbx, name, whole) = deleted();
    let path = callsweep::journal::path_of(&runs_of(&pbx), &name);
    let all: Vec<String> = String::from_utf8(whole).unwrap().lines().map(str::to_owned).collect();
    let huge = u64::MAX.to_string();
    for (place, words) in [
        (0, vec![("\"events\":3", format!("\"events\":{huge}"))]),
        (0, vec![("\"covers\":1", format!("\"covers\":{huge}"))]),
        (1, vec![("\"place\":0", format!("\"place\":{huge}"))]),
        (4, vec![("\"events\":3", format!("\"events\":{huge}"))]),
        (6, vec![("\"call\":0", format!("\"call\":{huge}"))]),
        (6, vec![("\"first\":0", format!("\"first\":{huge}"))]),
        (6, vec![("\"covers\":1", format!("\"covers\":{huge}"))]),
    ] {
        let mut lines = all.clone();
        let words: Vec<(&str, &str)> =
            words.iter().map(|(from, to)| (*from, to.as_str())).collect();
        lines[place] = reworded(&lines[place], &words);
        for headless in [false, true] {
            let lines = if headless && place > 0 { &lines[1..] } else { &lines[..] };
            fs::write(&path, lines.join("\n") + "\n").unwrap();
            for command in [&["runs"][..], &["show", &name], &["undo", &name], &["resume", &name]] {
                let said = pbx.run(&[command, &["--format=json"]].concat());
                assert!(said.document().is_object(), "{place} {command:?}: {}", said.err);
                assert!(!said.err.contains("panicked"), "{place} {command:?}: {}", said.err);
            }
        }
    }
}

#[test]
fn a_file_of_a_newer_schema_is_shown_and_never_acted_on() {
    let (pbx, name, whole) = deleted();
    let path = callsweep::journal::path_of(&runs_of(&pbx), &name);
    let mut lines = lines(&whole);
    let text = String::from_utf8(lines[0].clone()).unwrap().replace("\"schema\":2", "\"schema\":3");
    lines[0] = summed(text.rsplit_once(",\"sum\"").unwrap().0).into_bytes();
    fs::write(&path, joined(&lines[..8])).unwrap();
    let shown = pbx.run(&["show", &name, "--format=json"]);
    assert_eq!((shown.code, shown.document()["summary"]["deleted"].clone()), (0, 1.into()));
    for command in ["undo", "resume"] {
        let said = pbx.run(&[command, &name, "--yes"]);
        assert!(said.code == 2 || said.code == 4, "{}", said.err);
        assert!(said.err.contains("use a newer version"), "{}", said.err);
    }
    assert_eq!(fs::read(&path).unwrap(), joined(&lines[..8]));
}

#[test]
fn what_is_no_run_file_is_named_and_left_alone_and_holds_nothing_up() {
    let (pbx, name, whole) = deleted();
    let runs = runs_of(&pbx);
    let secret = pbx.home.path().join("secret");
    fs::write(&secret, &whole).unwrap();
    symlink(&secret, runs.join("20260101T000000Z-link.jsonl")).unwrap();
    let pipe = runs.join("20260101T000000Z-pipe.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::create_dir(runs.join("folder.jsonl")).unwrap();
    fs::write(runs.join("notes.txt"), "x").unwrap();
    let is_root = rustix::process::geteuid().is_root();
    let foreign = runs.join("20260101T000000Z-foreign.jsonl");
    if is_root {
        fs::write(&foreign, &whole).unwrap();
        std::os::unix::fs::chown(&foreign, Some(12_345), None).unwrap();
    }
    let said = pbx.run(&["runs", "--format=json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let listed = said.document()["runs"].as_array().unwrap().len();
    assert_eq!(listed, 1);
    for word in ["-link.jsonl is a link", "-pipe.jsonl is a pipe", "folder.jsonl is a folder"] {
        assert!(said.err.contains(word), "{word}: {}", said.err);
    }
    assert!(said.err.contains("notes.txt is no run file"), "{}", said.err);
    assert!(!is_root || said.err.contains("belongs to another user (uid 12345)"), "{}", said.err);
    for odd in ["20260101T000000Z-link", "20260101T000000Z-pipe"] {
        for command in [&["show"][..], &["undo"], &["resume"]] {
            let said = pbx.run(&[command, &[odd]].concat());
            assert_eq!(said.code, 2, "{}", said.err);
            assert!(said.err.contains("is a "), "{}", said.err);
        }
    }
    assert_eq!(pbx.run(&["undo", &name, "--yes"]).code, 0, "they are in nobody's way");
    assert_eq!(fs::read(&secret).unwrap(), whole);
}

/// What [`scatter`] puts into a folder: how a sentence about it begins, and goes on.
pub(crate) const SCATTERED: [(&str, &str); 10] = [
    ("20260101T000000Z-empty.jsonl", "\" cannot be read as a run"),
    ("20260101T000000Z-folder.jsonl", "is a folder: remove it"),
    ("20260101T000000Z-garbage.jsonl", "\" cannot be read as a run (line 1: "),
    ("20260101T000000Z-half.jsonl.part", "is half a plan, of which nothing was sent: remove it"),
    ("20260101T000000Z-link.jsonl", "is a link: remove it"),
    ("notes.txt", "is no run file: move it elsewhere"),
    (
        "run 20260101T000000Z-cut",
        ", line 3: its end was never written: the rest is used, what is lost is unknown",
    ),
    (
        "run 20260101T000000Z-damaged",
        ", line 7: its sum is wrong (1 line more): the rest is used, what is lost is unknown",
    ),
    ("run 20260101T000000Z-headless", " has lost its first line, and so its PBX: callsweep show"),
    ("run 20260101T000000Z-newer", ": a newer callsweep wrote it, and only that one acts on it"),
];

/// Puts files beside the runs of a folder that are none, or are made of the one of which this is the
/// whole, cut, damaged or newer.
pub(crate) fn scatter(runs: &Path, whole: &[u8]) {
    let file = |name: &str| runs.join(format!("20260101T000000Z-{name}"));
    let all = lines(whole);
    fs::write(file("empty.jsonl"), "").unwrap();
    fs::create_dir(file("folder.jsonl")).unwrap();
    fs::write(file("garbage.jsonl"), b"\x1b[2J\n\xff\0\n".repeat(50)).unwrap();
    fs::write(file("half.jsonl.part"), &all[0]).unwrap();
    let half = fs::File::options().append(true).open(file("half.jsonl.part")).unwrap();
    half.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    symlink("/etc/passwd", file("link.jsonl")).unwrap();
    fs::write(runs.join("notes.txt"), "x").unwrap();
    let cut = [joined(&all[..2]), all[2][..20].to_vec()].concat();
    fs::write(file("cut.jsonl"), cut).unwrap();
    let mut damaged = all.clone();
    for place in [6, 7] {
        damaged[place] = [b"{ ", &damaged[place][1..]].concat();
    }
    fs::write(file("damaged.jsonl"), joined(&damaged)).unwrap();
    fs::write(file("headless.jsonl"), joined(&all[1..])).unwrap();
    let newer = String::from_utf8(all[0].clone()).unwrap().replace("\"schema\":2", "\"schema\":3");
    let newer = summed(newer.rsplit_once(",\"sum\"").unwrap().0).into_bytes();
    fs::write(file("newer.jsonl"), joined(&[&[newer], &all[1..]].concat())).unwrap();
}

#[test]
fn every_file_that_cannot_be_used_is_named_once_with_the_remedy_and_hides_no_other() {
    let (pbx, name, whole) = deleted();
    let alone = pbx.run(&["runs", "--format=json"]).document()["runs"][0].clone();
    scatter(&runs_of(&pbx), &whole);
    let said = pbx.run(&["runs", "--format=json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    for (begins, goes_on) in SCATTERED {
        let told: Vec<&str> = said.err.lines().filter(|line| line.contains(begins)).collect();
        assert_eq!(told.len(), 1, "{begins}: {}", said.err);
        assert!(told[0].contains(goes_on), "{goes_on}: {}", told[0]);
    }
    assert_eq!(said.err.lines().count(), SCATTERED.len(), "{}", said.err);
    let document = said.document();
    let runs = document["runs"].as_array().unwrap();
    let mut names: Vec<_> = runs.iter().map(|run| run["run"].as_str().unwrap()).collect();
    names.sort_unstable();
    let copies = ["cut", "damaged", "headless", "newer"].map(|it| format!("20260101T000000Z-{it}"));
    let expected: Vec<&str> = copies.iter().map(String::as_str).chain([name.as_str()]).collect();
    assert_eq!(names, expected);
    assert_eq!(*runs.iter().find(|run| run["run"] == *name).unwrap(), alone);
    let table = pbx.run(&["runs"]);
    assert!(table.out.contains(&name) && table.out.lines().count() == 6, "{}", table.out);
    assert_eq!(pbx.run(&["undo", &name, "--yes"]).code, 0, "they are in nobody's way");
}

#[test]
fn why_a_run_stopped_is_in_its_file_and_going_on_appends_to_it() {
    let pbx = named("the-page");
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    pbx.simulator.with_world(|world| {
        let method = Some("DELETE".to_owned());
        world.add_fault(Fault { method, nth: Some(2), status: Some(401), ..Fault::default() });
    });
    let said = pbx.run(&[&DELETE[..], &["--format=json"]].concat());
    assert_eq!(said.code, 3, "{}", said.err);
    let document = said.document();
    assert_eq!(document["stopped_by"]["reason"], "token", "{document}");
    assert_eq!(document["stopped_by"]["resumable"], true);
    let name = document["run"].as_str().unwrap().to_owned();
    let runs = pbx.run(&["runs", "--format=json"]).document();
    assert_eq!(runs["runs"][0]["stopped_by"]["reason"], "token");
    assert!(pbx.run(&["runs"]).out.contains("STOPPED (token)  1 deleted"));
    assert!(pbx.run(&["show", &name]).out.contains("stopped   "));
    pbx.simulator.with_world(callsweep::simulator::World::clear_faults);
    let dry = pbx.run(&["resume", &name, "--dry-run", "--format=json"]);
    assert_eq!(
        (dry.code, dry.document()["calls"].as_array().unwrap().len()),
        (0, 2),
        "{}",
        dry.err
    );
    let before = fs::read(callsweep::journal::path_of(&runs_of(&pbx), &name)).unwrap();
    let said = pbx.run(&["resume", &name, "--yes", "--format=json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        (&said.document()["run"], &said.document()["stopped_by"]),
        (&name.as_str().into(), &Value::Null)
    );
    let after = fs::read(callsweep::journal::path_of(&runs_of(&pbx), &name)).unwrap();
    assert!(after.starts_with(&before), "nothing of it is changed");
    let text = String::from_utf8(after[before.len()..].to_vec()).unwrap();
    assert!(text.starts_with("{\"line\":\"opened\""), "{text}");
    assert!(text.contains("\"why\":\"resume\""), "{text}");
    assert_eq!(callsweep::journal::names(&runs_of(&pbx)).unwrap().len(), 1, "one job, one file");
    let record = Record::read(&runs_of(&pbx), &name).unwrap();
    assert_eq!(record.tally(), Tally::default().with(Success::Deleted, 3));
    let again = pbx.run(&["resume", &name, "--yes"]);
    assert!(again.code == 4 && again.err.contains("nothing to resume"), "{}", again.err);
    // Undoing the run undoes the whole job, and ends its going on.
    assert_eq!(pbx.run(&["undo", &name, "--yes"]).code, 0);
    assert_eq!(pbx.simulator.with_world(|world| world.event_count()), 3);
}

#[test]
fn a_signal_is_told_as_the_reason() {
    let pbx = named("the-page");
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    pbx.simulator.with_world(|world| {
        let method = Some("DELETE".to_owned());
        world.add_fault(Fault {
            method,
            nth: Some(2),
            delay_ms: 200,
            acts: true,
            ..Fault::default()
        });
    });
    let mut command = command(&pbx.home, &pbx.simulator.token(), &DELETE);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deletes = || pbx.requests().iter().filter(|it| it.starts_with("DELETE")).count();
    until(|| deletes() >= 2, "the second DELETE never came");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    let name = callsweep::journal::names(&runs_of(&pbx)).unwrap().remove(0);
    let shown = pbx.run(&["show", &name, "--format=json"]).document();
    assert_eq!(shown["stopped_by"]["reason"], "signal", "{shown}");
    assert_eq!(pbx.run(&["resume", &name, "--yes"]).code, 0);
}

/// What a list says of the run of this name, in the words of its record.
fn outline(folder: &Path, name: &str) -> String {
    let told = callsweep::journal::summaries(folder).unwrap();
    let Some(run) = told.runs.iter().find(|run| run.name == name) else {
        return told.refused[0].to_string();
    };
    let (finished, stop) = (&run.finished, &run.stop);
    format!("{:?} {finished:?} {stop:?} {} {:?}", run.tally, run.planned, run.flaws)
}

fn in_full(folder: &Path, name: &str) -> String {
    match Record::read(folder, name) {
        Err(refused) => refused.to_string(),
        Ok(record) => {
            let (tally, finished, stop) = (record.tally(), &record.finished, record.stop());
            format!("{tally:?} {finished:?} {stop:?} {} {:?}", record.planned(), record.flaws)
        }
    }
}

#[test]
fn a_list_of_runs_says_the_same_as_each_file_whatever_line_of_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    for whole in every_schema() {
        let all = lines(&whole);
        for place in 0..=all.len() {
            let cut = all[..place].to_vec();
            let mut damaged = [all.clone(), all.clone(), all.clone()];
            if place < all.len() {
                damaged[0][place] = b"{\"line\":\"event\",\"place\":0}".to_vec();
                damaged[1][place].truncate(all[place].len() / 2);
                let far = "{\"line\":\"event\",\"place\":123456789,\"id\":\"a\"";
                damaged[2][place] = summed(far).into_bytes();
            }
            for lines in damaged.iter().chain([&cut]) {
                fs::write(folder.path().join("r.jsonl"), joined(lines)).unwrap();
                let (outline, full) = (outline(folder.path(), "r"), in_full(folder.path(), "r"));
                assert_eq!(outline, full, "line {place}");
            }
        }
    }
}

#[test]
fn a_list_of_runs_is_told_from_the_files_newest_first_and_keeps_none_in_memory() {
    let (pbx, name, _) = deleted();
    assert_eq!(pbx.run(&["undo", &name, "--yes"]).code, 0);
    // A name says nothing of the time.
    let undo = callsweep::journal::names(&runs_of(&pbx)).unwrap().remove(0);
    let runs = runs_of(&pbx);
    fs::rename(runs.join(format!("{undo}.jsonl")), runs.join("a-undo.jsonl")).unwrap();
    let told = callsweep::journal::summaries(&runs).unwrap().runs;
    assert_eq!(told.iter().map(|run| &run.name).collect::<Vec<_>>(), [&"a-undo".to_owned(), &name]);
    let undone = told[1].undone.as_ref().unwrap();
    assert_eq!((undone.by(), undone.restored, undone.not_back), (Some("a-undo"), 3, 0));
    assert_eq!((told[0].goes_on_as(), told[1].goes_on_as()), (None, None));
    assert_eq!((told[0].state(), told[0].words()), ("finished".into(), "3 restored".into()));
    assert_eq!(told[1].words(), "3 deleted, undone by a-undo");
}

#[test]
fn an_undo_that_no_list_confirmed_is_not_told_to_have_given_everything_back() {
    let (pbx, name, _) = deleted();
    assert_eq!(pbx.run(&["undo", &name, "--yes"]).code, 0);
    let runs = runs_of(&pbx);
    let undo = callsweep::journal::names(&runs).unwrap().remove(0);
    let file = runs.join(format!("{undo}.jsonl"));
    let whole = fs::read(&file).unwrap();
    let told = || {
        let told = callsweep::journal::summaries(&runs).unwrap().runs;
        let run = told.into_iter().find(|run| run.name == name).unwrap();
        let one = Record::read(&runs, &name).unwrap();
        let alone = callsweep::journal::summary_of(&runs, &one);
        assert_eq!(run.undone, alone.undone, "the list and the run alone");
        (run.undone.as_ref().unwrap().by().map(str::to_owned), run.not_back())
    };
    assert_eq!(told(), (Some(undo.clone()), 0));
    // The same file where the checking was ended before any list came.
    let lines = lines(&whole).into_iter().map(|line| {
        let text = String::from_utf8(line.clone()).unwrap();
        if !text.contains("\"line\":\"verified\"") {
            return line;
        }
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value["check"] = "not_checked".into();
        value["complete"] = false.into();
        value.as_object_mut().unwrap().remove("sum");
        let text = value.to_string();
        summed(text.strip_suffix('}').unwrap()).into_bytes()
    });
    fs::write(&file, joined(&lines.collect::<Vec<_>>())).unwrap();
    assert_eq!(told(), (None, 1));
    let kept = pbx.run(&["runs", "--remove", &name, "--yes"]);
    assert!(file.exists(), "{}", kept.err);
    assert!(kept.err.contains("no list showed all") || kept.out.contains("no list showed all"));
    // Undone once more, the next list confirms it.
    let again = pbx.run(&["undo", &name, "--yes"]);
    assert_eq!(told(), (Some(undo), 0), "{} {}", again.out, again.err);
}
