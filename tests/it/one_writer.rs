//! One writer for each PBX: of any two real processes that would change it at the same time the
//! second is refused, and told who is first.

use std::process::{Child, Stdio};

use callsweep::simulator::{DeleteAnswer, Fault, Simulator, World};

use crate::full_disk::crowded;
use crate::headless::{Pbx, Said, command, configure, named, pbx};
use crate::session::{Session, until};
use crate::unseen::Office;

const DELETE: [&str; 3] = ["delete", "--extension=0003*210", "--yes"];

/// A PBX on which the first DELETE or POST gets no answer until the test ends.
struct Busy {
    pbx: Pbx,
    first: Child,
    method: &'static str,
}

impl Busy {
    /// The first writer, in the middle of its work.
    fn with(pbx: Pbx, method: &'static str, arguments: &[&str]) -> Self {
        pbx.simulator.with_world(|world| {
            let method = Some(method.to_owned());
            world.add_fault(Fault { method, no_answer: true, ..Fault::default() });
        });
        // One call at a time, so that nothing more goes out while it waits.
        configure(&pbx.home, &pbx.simulator.origin(), "concurrency = 1");
        let before = requests(&pbx, method);
        let mut command = command(&pbx.home, &pbx.simulator.token(), arguments);
        let first = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let busy = Self { pbx, first, method };
        until(|| requests(&busy.pbx, method) > before, "the first writer never wrote");
        busy
    }

    fn deleting() -> Self {
        Self::with(named("the-page"), "DELETE", &DELETE)
    }

    /// A run of before, whose undo is under way.
    fn undoing() -> (Self, String) {
        let pbx = named("the-page");
        assert_eq!(pbx.run(&DELETE).code, 0);
        let run = newest(&pbx);
        (Self::with(pbx, "POST", &["undo", &run, "--yes"]), run)
    }

    /// What the second writer says is who is first, and nothing of it went out.
    fn refuses(&self, arguments: &[&str]) {
        let before = requests(&self.pbx, "DELETE") + requests(&self.pbx, "POST");
        self.names_the_first(&self.pbx.run(arguments));
        let after = requests(&self.pbx, "DELETE") + requests(&self.pbx, "POST");
        assert_eq!(before, after);
    }

    fn names_the_first(&self, said: &Said) {
        assert_eq!(said.code, 4, "{}", said.err);
        assert!(said.err.contains(&self.sentence()), "{}", said.err);
        assert!(said.err.contains(" since 2"), "{}", said.err);
    }

    fn sentence(&self) -> String {
        let program = concat!("callsweep ", env!("CARGO_PKG_VERSION"));
        let pid = self.first.id();
        format!("127.0.0.1 is being changed by {program}, process {pid} of ")
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.first.kill();
        let _ = self.first.wait();
    }
}

fn requests(pbx: &Pbx, method: &str) -> usize {
    pbx.requests().iter().filter(|request| request.starts_with(method)).count()
}

fn newest(pbx: &Pbx) -> String {
    let runs = pbx.home.path().join(".local/state/callsweep/runs");
    callsweep::journal::names(&runs).unwrap().remove(0)
}

/// A run that was killed with its first DELETE under way.
fn broken_off(pbx: Pbx) -> (Pbx, String) {
    let mut busy = Busy::with(pbx, "DELETE", &DELETE);
    busy.first.kill().unwrap();
    busy.first.wait().unwrap();
    busy.pbx.simulator.with_world(World::clear_faults);
    let spare = named("the-page");
    let pbx = std::mem::replace(&mut busy.pbx, spare);
    let run = newest(&pbx);
    (pbx, run)
}

#[test]
fn while_one_deletes_another_may_neither_delete_nor_undo_nor_resume() {
    let (pbx, broken) = broken_off(named("the-page"));
    let settled = pbx.run(&["delete", "--extension=0003*210", "--type=1", "--yes"]);
    assert_eq!(settled.code, 0, "a killed writer holds nothing: {}", settled.err);
    let done = newest(&pbx);
    let busy = Busy::with(pbx, "DELETE", &DELETE);
    busy.refuses(&DELETE);
    busy.refuses(&["undo", &done, "--yes"]);
    busy.refuses(&["resume", &broken, "--yes"]);
    busy.refuses(&["resume", &newest(&busy.pbx), "--yes"]);
    let runs = busy.pbx.run(&["runs", "--format=json"]).document();
    let is_of = |run: &&serde_json::Value| run["run"] == newest(&busy.pbx).as_str();
    let run = runs["runs"].as_array().unwrap().iter().find(is_of).unwrap();
    assert!(run["finished"].is_null() && run["stopped_by"].is_null(), "it goes on: {run}");
}

#[test]
fn while_one_undoes_another_may_neither_delete_nor_undo_nor_resume() {
    let (busy, run) = Busy::undoing();
    busy.pbx.simulator.with_world(|world| {
        let pattern = World::named("the-page").unwrap();
        let event = pattern.extension("0003*210").unwrap().events[0].clone();
        world.extension_mut("0003*210").unwrap().events.push(event);
    });
    busy.refuses(&DELETE);
    busy.refuses(&["undo", &run, "--yes"]);
    assert_eq!(busy.method, "POST");
}

#[test]
fn while_one_resumes_another_may_neither_delete_nor_undo_nor_resume() {
    let (pbx, broken) = broken_off(named("the-page"));
    assert_eq!(pbx.run(&["delete", "--extension=0003*210", "--type=1", "--yes"]).code, 0);
    let done = newest(&pbx);
    let busy = Busy::with(pbx, "DELETE", &["resume", &broken, "--yes"]);
    busy.refuses(&DELETE);
    busy.refuses(&["undo", &done, "--yes"]);
    busy.refuses(&["resume", &broken, "--yes"]);
}

#[test]
fn the_screen_and_the_command_line_keep_each_other_out() {
    let busy = Busy::deleting();
    let environment = [("TOKEN", busy.pbx.simulator.token())];
    let environment: Vec<_> = environment.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let mut session = Session::start(busy.pbx.home.path(), &[], &environment);
    session.resize(40, 160);
    session.sees("Dial-In");
    session.press(" d");
    session.sees("DELETE 3 phone call events");
    session.says_yes();
    session.sees("nothing was sent: 127.0.0.1 is being changed by callsweep");
    drop(busy);
    // The screen writes now, and a command is kept out.
    let pbx = named("the-page");
    pbx.simulator.with_world(|world| {
        let method = Some("DELETE".to_owned());
        world.add_fault(Fault { method, no_answer: true, ..Fault::default() });
    });
    let token = pbx.simulator.token();
    let mut session = Session::start(pbx.home.path(), &[], &[("TOKEN", &token)]);
    session.sees("Dial-In");
    session.press(" d");
    session.sees("DELETE 3 phone call events");
    session.says_yes();
    until(|| requests(&pbx, "DELETE") > 0, "the screen never wrote");
    let said = pbx.run(&DELETE);
    assert_eq!(said.code, 4, "{}", said.err);
    let pid = session.child.process_id().unwrap();
    assert!(said.err.contains(&format!("process {pid} of ")), "{}", said.err);
}

#[test]
fn another_pbx_may_be_changed_meanwhile_and_one_that_is_left_may_be_changed_again() {
    let mut busy = Busy::deleting();
    // The same machine under another name is another PBX.
    let other = Simulator::start(World::named("the-page").unwrap(), "127.0.0.1:0".parse().unwrap())
        .unwrap();
    let origin = other.origin().replace("127.0.0.1", "localhost");
    configure(&busy.pbx.home, &origin, "");
    let arguments = [&DELETE[..], &["--format=json"]].concat();
    let said = Said::of(command(&busy.pbx.home, &other.token(), &arguments).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.document()["summary"]["deleted"], 3);
    configure(&busy.pbx.home, &busy.pbx.simulator.origin(), "");
    busy.refuses(&DELETE);
    busy.first.kill().unwrap();
    busy.first.wait().unwrap();
    busy.pbx.simulator.with_world(World::clear_faults);
    assert_eq!(busy.pbx.run(&DELETE).code, 0);
}

#[test]
fn a_lock_that_cannot_be_taken_is_refused_with_the_remedy_and_nothing_goes_out() {
    let pbx = pbx(World::named("the-page").unwrap());
    let state = pbx.home.path().join(".local/state/callsweep");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("origins"), "").unwrap();
    let said = pbx.run(&DELETE);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.contains("nothing was sent: the lock"), "{}", said.err);
    assert!(said.err.contains("set XDG_STATE_HOME"), "{}", said.err);
    assert_eq!(requests(&pbx, "DELETE"), 0);
}

#[test]
fn two_screens_that_carry_out_the_same_wide_plan_and_undo_it_leave_each_event_there_once() {
    for answer in [DeleteAnswer::NoContent, DeleteAnswer::Ids] {
        let mut world = crowded(42);
        world.delete_answer = answer;
        let office = Office::of(world, "wide_calls = [\"extension\"]");
        let mut both = [office.opens(), office.opens()];
        for screen in &mut both {
            screen.resize(40, 120);
            screen.press(" dt");
            screen.sees("/0003*210/phoneCallEvents");
            screen.sees("Type 42, then press y");
        }
        for screen in &mut both {
            screen.types_and_says_yes("42");
            screen.sees("finished: ");
        }
        assert_eq!(office.events(), 0);
        for screen in &mut both {
            screen.press("z");
            screen.sees("UNDO: re-create 42 phone call events");
        }
        let [first, second] = &mut both;
        first.says_yes();
        first.sees("42 restored");
        let runs = office.home.path().join(".local/state/callsweep/runs");
        let undo = callsweep::journal::names(&runs).unwrap().remove(0);
        until(|| !callsweep::journal::is_going_on(&runs, &undo), "the first undo goes on");
        second.says_yes();
        second.sees("nothing was sent: another run changed this PBX since the review");
        second.press("z");
        second.sees("nothing to undo");
        let mut notes: Vec<String> = office.simulator.with_world(|world| {
            let events = &world.extension("0003*210").unwrap().events;
            events.iter().map(|event| format!("{} {}", event.url, event.note)).collect()
        });
        notes.sort();
        notes.dedup();
        assert_eq!((office.events(), office.count("POST"), notes.len()), (42, 42, 42));
    }
}
