//! The program as it starts, and at rest.

use std::path::Path;
use std::time::{Duration, Instant};

use super::table::{Table, middle};
use super::terminal::Session;

const CALM: Duration = Duration::from_millis(400);
const IDLE: Duration = Duration::from_secs(10);

pub(crate) fn measure(table: &mut Table) {
    let home = tempfile::tempdir().unwrap();
    starts(table, home.path());
    let mut demo = Session::start(&["--demo"], home.path(), &[]);
    demo.sees("Dial-In");
    demo.rests(CALM);
    table.at_most("G9", "memory of the demo", kilobytes(&demo) / 1_000.0, 12.0, " MB");
    idle(table, &mut demo, "before a run");
    demo.press("\rj d");
    demo.sees("n cancels.");
    demo.press("y");
    demo.sees("finished: 1 deleted");
    demo.rests(Duration::from_secs(6));
    idle(table, &mut demo, "after a run");
}

fn starts(table: &mut Table, home: &Path) {
    let (mut first, mut data) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let since = Instant::now();
        let mut demo = Session::start(&["--demo"], home, &[]);
        first.push(demo.until(since, |screen| screen.contents().contains("1 Extensions")));
        data.push(demo.until(since, |screen| screen.contents().contains("Dial-In")));
        demo.rests(CALM);
    }
    table.time("G9", "first paint", middle(first).0, 10.0);
    table.time("G9", "demo with data", middle(data).0, 60.0);
}

fn idle(table: &mut Table, demo: &mut Session, when: &str) {
    let (bytes, before) = (demo.bytes, spent(demo));
    let until = Instant::now() + IDLE;
    while demo.next(until.saturating_duration_since(Instant::now())) {}
    let [ticks, wakes] = [0, 1].map(|at| spent(demo)[at].saturating_sub(before[at]));
    for (what, count) in [("ticks", ticks), ("wake-ups", wakes), ("bytes", demo.bytes - bytes)] {
        table.at_most("G8", &format!("{what} in 10 s {when}"), count, 0, "");
    }
}

/// Ticks of processor time, and how often its threads were woken.
fn spent(session: &Session) -> [usize; 2] {
    let process = format!("/proc/{}", session.child.process_id().unwrap());
    let stat = std::fs::read_to_string(format!("{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = [11, 12].iter().map(|at| fields[*at].parse::<usize>().unwrap()).sum();
    let threads = std::fs::read_dir(format!("{process}/task")).unwrap();
    let status = threads.map(|thread| {
        std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap_or_default()
    });
    let wakes = status.map(|status| {
        let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        counts.map(|(_, count)| count.trim().parse::<usize>().unwrap()).sum::<usize>()
    });
    [ticks, wakes.sum()]
}

/// Resident memory.
fn kilobytes(session: &Session) -> f64 {
    let process = session.child.process_id().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
