//! A disk that is full at any moment of a run: nothing goes out that is not written down, every
//! event has its outcome, and once there is room the run goes on.
//!
//! The real binary runs under a limit of the size of files, which is what every machine can set up;
//! where a small file system can be mounted, there too.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use callsweep::domain::WideCalls;
use callsweep::simulator::{Fault, World};
use tempfile::TempDir;

use crate::desk::{Desk, Setting};
use crate::headless::{Pbx, Said, command, configure, pbx};
use crate::session::until;

const NUMBER: &str = "0003*210";
const DELETE: [&str; 4] = ["delete", "--extension=0003*210", "--yes", "--format=json"];
/// What `ulimit -f` of a POSIX shell counts in.
pub(crate) const BLOCK: usize = 512;

/// The page's extension with so many events.
pub(crate) fn crowded(count: usize) -> World {
    let mut world = World::named("the-page").unwrap();
    crowd(&mut world, count);
    world
}

fn crowd(world: &mut World, count: usize) {
    let phone = world.extension_mut(NUMBER).unwrap();
    let pattern = phone.events[0].clone();
    for place in phone.events.len()..count {
        let mut event = pattern.clone();
        event.id = format!("crowd{place:03}");
        event.note = format!("note {place}");
        phone.events.push(event);
    }
}

fn office(count: usize) -> Pbx {
    let pbx = pbx(crowded(count));
    configure(
        &pbx.home,
        &pbx.simulator.origin(),
        "wide_calls = []\nconcurrency = 3\ntimeout_s = 3",
    );
    pbx
}

fn runs_of(home: &TempDir) -> PathBuf {
    home.path().join(".local/state/callsweep/runs")
}

/// The newest run file, whatever is in it.
fn newest(runs: &Path) -> String {
    let name = callsweep::journal::names(runs).unwrap().remove(0);
    std::fs::read_to_string(runs.join(format!("{name}.jsonl"))).unwrap()
}

/// Where the plan ends and where the file does, in bytes, when nothing is in the way.
pub(crate) fn sizes(count: usize) -> (usize, usize) {
    let pbx = office(count);
    assert_eq!(pbx.run(&DELETE).code, 0);
    let text = newest(&runs_of(&pbx.home));
    (text.find("{\"line\":\"sent\"").unwrap(), text.len())
}

/// Runs the program while no file may grow beyond so many blocks. A program that cares gets an error of
/// its write; any other is ended by a signal.
fn limited(pbx: &Pbx, blocks: usize, arguments: &[&str]) -> Output {
    let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_callsweep")]).args(arguments);
    command.env_clear().env("HOME", pbx.home.path()).env("TOKEN", pbx.simulator.token());
    command.env("CALLSWEEP_TEST_SPEED", "20");
    command.stdin(Stdio::null()).output().unwrap()
}

fn deleted_ids(pbx: &Pbx) -> Vec<String> {
    let requests = pbx.requests().into_iter().filter(|request| request.starts_with("DELETE"));
    requests.map(|request| request.rsplit('/').next().unwrap().to_owned()).collect()
}

fn there(pbx: &Pbx) -> Vec<String> {
    pbx.simulator
        .with_world(|world| world.event_ids(NUMBER).into_iter().map(str::to_owned).collect())
}

/// The ids of the events that a run file says were sent.
fn sent_ids(text: &str) -> Vec<String> {
    let whole = text.rsplit_once('\n').unwrap().0;
    let lines: Vec<serde_json::Value> =
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&serde_json::Value> =
        lines.iter().filter(|line| line["line"] == "event").collect();
    let sent = lines.iter().filter(|line| line["line"] == "sent");
    sent.map(|line| {
        let first = usize::try_from(line["first"].as_u64().unwrap()).unwrap();
        events[first]["id"].as_str().unwrap().to_owned()
    })
    .collect()
}

/// What the file, the document and the service say of a run that met a full disk is the same.
fn is_honest(pbx: &Pbx, runs: &Path, said: &Said, moment: &str) {
    let asked = deleted_ids(pbx);
    let written = sent_ids(&newest(runs));
    assert!(asked.iter().all(|id| written.contains(id)), "{moment}: {asked:?} {written:?}");
    let there = there(pbx);
    for line in said.document()["outcomes"].as_array().unwrap() {
        let id = line["id"].as_str().unwrap().to_owned();
        let (outcome, is_there) = (line["outcome"].as_str().unwrap(), there.contains(&id));
        match (asked.contains(&id), outcome) {
            (true, "deleted") => assert!(!is_there, "{moment}: {line}"),
            (false, "not_sent") => assert!(is_there, "{moment}: {line}"),
            _ => panic!("{moment}: {line}"),
        }
    }
}

/// With room, the run goes on and comes to its end.
fn goes_on(pbx: &Pbx, runs: &Path, moment: &str) {
    let name = callsweep::journal::names(runs).unwrap().remove(0);
    let said = pbx.run(&["resume", &name, "--yes"]);
    assert_eq!(said.code, 0, "{moment}: {}", said.err);
    assert!(there(pbx).is_empty(), "{moment}");
    let all = pbx.run(&["runs", "--format=json"]).document();
    for run in all["runs"].as_array().unwrap() {
        assert!(!run["finished"].is_null() && run["unknown"] == 0, "{moment}: {run}");
    }
}

#[test]
fn a_disk_that_is_full_before_the_plan_is_written_costs_nothing_and_leaves_nothing() {
    let (plan, _) = sizes(30);
    for blocks in [0, 1, plan / BLOCK / 2, plan / BLOCK] {
        let pbx = office(30);
        let said = Said::of(limited(&pbx, blocks, &DELETE));
        let document = said.document();
        assert_eq!(
            (said.code, &document["run"], &document["summary"]["not_sent"]),
            (1, &serde_json::Value::Null, &30.into()),
            "{blocks}: {}",
            said.err
        );
        assert!(
            said.err.contains("nothing was sent: the run file cannot be written"),
            "{}",
            said.err
        );
        assert!(said.err.contains("make room"), "{}", said.err);
        assert_eq!((deleted_ids(&pbx).len(), there(&pbx).len()), (0, 30), "{blocks}");
        assert_eq!(
            pbx.run(&["runs", "--format=json"]).document()["runs"][0],
            serde_json::Value::Null
        );
    }
}

#[test]
fn a_disk_that_fills_up_in_a_run_stops_it_and_with_room_it_goes_on() {
    let (plan, whole) = sizes(30);
    let mut in_part = 0;
    for blocks in plan / BLOCK + 1..=whole / BLOCK + 1 {
        let pbx = office(30);
        let runs = runs_of(&pbx.home);
        let said = Said::of(limited(&pbx, blocks, &DELETE));
        let moment = format!("{blocks} blocks");
        let left = there(&pbx).len();
        let expected = match left {
            0 => 0,
            30 => 1,
            _ => 3,
        };
        assert_eq!(said.code, expected, "{moment}: {}", said.err);
        is_honest(&pbx, &runs, &said, &moment);
        if left > 0 {
            in_part += usize::from(left < 30);
            let stopped_by = said.document()["stopped_by"]["message"].as_str().unwrap().to_owned();
            assert!(stopped_by.contains("the run file cannot be written"), "{stopped_by}");
        }
        if blocks * BLOCK < whole {
            assert!(said.err.contains("could not be closed in order"), "{}", said.err);
            goes_on(&pbx, &runs, &moment);
        } else {
            assert_eq!(left, 0, "{moment}");
        }
    }
    assert!(in_part > 3, "only {in_part} runs were cut");
}

#[test]
fn an_undo_that_meets_a_full_disk_is_taken_up_without_making_anything_twice() {
    let pbx = office(30);
    let before = bodies(&pbx);
    let run = pbx.run(&DELETE).document()["run"].as_str().unwrap().to_owned();
    let plan = newest(&runs_of(&pbx.home)).find("{\"line\":\"sent\"").unwrap();
    // Only from some limit on the undo's plan fits, and a part of its lines.
    let mut cut = 0;
    for blocks in (0..).map(|more| plan / BLOCK + 6 * more) {
        let said = Said::of(limited(&pbx, blocks, &["undo", &run, "--yes", "--format=json"]));
        assert!(said.code == 0 || said.code == 3 || said.code == 1, "{}", said.err);
        cut += usize::from(said.code == 3);
        if said.code == 0 {
            break;
        }
        // Where the last line alone has no room, everything was made.
        let words = ["the run file cannot be written", "could not be closed in order"];
        assert!(words.iter().any(|words| said.err.contains(words)), "{}", said.err);
    }
    assert!(cut > 0, "no undo was cut");
    assert_eq!(bodies(&pbx), before);
}

/// What somebody does to a file.
type Does = fn(&Path);

/// A run whose file somebody does this to once calls of it are out.
fn tampered(pbx: &Pbx, does: impl Fn(&Path)) -> Said {
    let slow =
        Fault { method: Some("DELETE".to_owned()), delay_ms: 60, acts: true, ..Fault::default() };
    let slow = Fault { status: Some(204), ..slow };
    pbx.simulator.with_world(|world| world.add_fault(slow));
    let mut command = command(&pbx.home, pbx.simulator.token().as_str(), &DELETE);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until(|| deleted_ids(pbx).len() > 3, "no call goes out");
    let runs = runs_of(&pbx.home);
    let name = callsweep::journal::names(&runs).unwrap().remove(0);
    does(&runs.join(format!("{name}.jsonl")));
    Said::of(child.wait_with_output().unwrap())
}

#[test]
fn a_run_whose_file_is_removed_replaced_or_cut_sends_nothing_more_and_says_so() {
    let does: [(&str, Does); 4] = [
        ("removed", |file| std::fs::remove_file(file).unwrap()),
        ("removed", |file| std::fs::remove_dir_all(file.parent().unwrap()).unwrap()),
        ("replaced", |file| {
            let copy = file.with_extension("copy");
            std::fs::copy(file, &copy).unwrap();
            std::fs::rename(&copy, file).unwrap();
        }),
        ("cut", |file| File::options().write(true).open(file).unwrap().set_len(300).unwrap()),
    ];
    for (what, does) in does {
        let pbx = office(60);
        let said = tampered(&pbx, does);
        assert_eq!(said.code, 3, "{what}: {}", said.err);
        assert!(said.err.contains("the run file cannot be written: it was"), "{}", said.err);
        assert!(said.err.contains(what), "{}", said.err);
        let (asked, left) = (deleted_ids(&pbx).len(), there(&pbx).len());
        assert!(left > 30 && asked + left == 60, "{what}: {asked} asked, {left} left");
    }
}

fn bodies(pbx: &Pbx) -> Vec<(u16, u16, String, String, u16)> {
    let mut bodies: Vec<_> = pbx.simulator.with_world(|world| {
        let events = world.extension(NUMBER).unwrap().events.iter();
        events
            .map(|event| {
                let (url, note) = (event.url.clone(), event.note.clone());
                (event.event_type, event.method, url, note, event.status)
            })
            .collect()
    });
    bodies.sort();
    bodies
}

/// A file system of so many bytes, which goes when this is dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// None where this user or machine may not mount.
    fn mounted(bytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={bytes}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "callsweep-test"]).arg(folder.path());
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !mounted {
            let mut out = std::io::stderr();
            writeln!(out, "SKIPPED: a small file system cannot be mounted here").unwrap();
        }
        mounted.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn on_a_small_file_system_the_screen_says_what_happened_and_the_marks_stay() {
    const PAGE: usize = 4096;
    let (plan, whole) = sizes(120);
    let in_the_middle = usize::midpoint(plan, whole) / PAGE * PAGE;
    assert!(plan < in_the_middle && in_the_middle < whole);
    for (bytes, middle) in [(plan / PAGE / 2 * PAGE, false), (in_the_middle, true)] {
        let Some(disk) = SmallDisk::mounted(bytes) else { return };
        let wide_calls = WideCalls { extension: false, event_type: false };
        let runs = disk.0.path().join("runs");
        let setting = Setting { wide_calls, runs: Some(runs.clone()), ..Setting::default() };
        let mut desk = Desk::before_reading("the-page", setting);
        desk.simulator.with_world(|world| crowd(world, 120));
        desk.settle();
        desk.do_keys("space d 1 2 0 y");
        let left = desk.left(NUMBER);
        if middle {
            assert!(!left.is_empty() && left.len() < 120, "{}", left.len());
            let gone = 120 - left.len();
            desk.sees(&format!("goes on with {}", left.len()));
            desk.sees(&format!("{gone} deleted"));
            desk.sees("the run file cannot be written: No space left on device");
            assert_eq!(desk.deletes().len(), gone);
        } else {
            assert_eq!((left.len(), desk.deletes().len()), (120, 0));
            desk.sees("nothing was sent: the run file cannot be written");
            assert_eq!(callsweep::journal::names(&runs).unwrap().len(), 0);
        }
        let mut marked = desk.marked();
        marked.sort();
        let mut kept = left.clone();
        kept.sort();
        assert_eq!(marked, kept);
        desk.sees(&format!("{} marked", left.len()));
    }
}
