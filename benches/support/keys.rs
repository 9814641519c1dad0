//! Keys through a terminal, with a million events and a PBX that takes deletions.

use std::time::{Duration, Instant};

use callsweep::simulator::Simulator;

use super::pbx;
use super::table::Table;
use super::terminal::Session;

/// Nothing comes for so long once all is there.
const CALM: Duration = Duration::from_millis(100);
/// How long the PBX takes for a DELETE, of which 64 are out.
const LATENCY: Duration = Duration::from_millis(20);
/// Key to last byte: the middle, and what 95 of 100 stay below.
const KEY: [f64; 2] = [0.8, 2.0];

pub(crate) fn measure(table: &mut Table) {
    let pbx = pbx::start(LATENCY);
    let home = tempfile::tempdir().unwrap();
    let file = pbx::configuration(home.path(), &pbx);
    let token = pbx.token();
    let mut desk = Session::start(&["--config", &file], home.path(), &[("T", &token)]);
    desk.sees("4,000 ext");
    desk.press("A");
    desk.sees("1,000,000 events ");
    desk.press("U");
    desk.sees("* 0 marked");
    desk.press("0");
    desk.rests(CALM);
    desk.press("jjjjj");
    desk.rests(CALM);
    steps(table, &mut desk, "a million events", true);
    scrolling(table, &mut desk);
    for (note, count) in [("ten", 10_000), ("fifty", 50_000)] {
        marks(table, &mut desk, note, count);
        steps(table, &mut desk, &format!("a filter and {count} marks"), true);
        run(table, &mut desk, &pbx, count);
        desk.press("U");
        desk.rests(CALM);
        desk.press("2\x1b");
        desk.rests(CALM);
    }
}

/// Moving and marking, forth and back; `calm` where nothing else is written meanwhile.
fn steps(table: &mut Table, desk: &mut Session, what: &str, calm: bool) {
    for (name, keys) in [("moving", ["j", "k"]), ("marking", [" ", "k"])] {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for key in keys.into_iter().cycle().take(100) {
            let (time, written) = desk.step(key);
            times.push(time);
            bytes += written;
        }
        table.times("G10", &format!("key to last byte, {name}, {what}"), times, KEY);
        if calm && name == "moving" {
            table.at_most("G7", &format!("a cursor step, {what}"), bytes / 100, 320, " bytes");
        }
    }
}

fn scrolling(table: &mut Table, desk: &mut Session) {
    desk.press(&"j".repeat(40));
    desk.rests(CALM);
    let bytes = desk.bytes;
    for _ in 0..40 {
        desk.press("j");
        desk.rests(Duration::from_millis(15));
    }
    table.at_most("G7", "a scrolling step", (desk.bytes - bytes) / 40, 450, " bytes");
    desk.press("ggjjjjj");
    desk.rests(CALM);
}

/// A filter, and marks by expression of which the filter hides most.
fn marks(table: &mut Table, desk: &mut Session, note: &str, count: usize) {
    desk.press("/");
    desk.sees("filter events");
    let since = Instant::now();
    desk.press("\x1b[200~host:crm7.acme.test\x1b[201~");
    let took = desk.until(since, |it| it.contents().contains("filter events: host:crm7"));
    table.time("G10", "a filter of a million events to its last byte", took, 50.0);
    desk.press("\r");
    desk.rests(CALM);
    desk.press(&format!("Tnote:{note}"));
    desk.rests(CALM * 4);
    let since = Instant::now();
    desk.press("\r");
    let marked = format!("* {count} marked");
    let took = desk.until(since, |it| it.contents().contains(&marked));
    table.time("G10", &format!("{count} marks by expression to their last byte"), took, 50.0);
    // Neither at the top nor at the bottom, where a step scrolls.
    desk.press("ggjjjjj");
    desk.rests(CALM * 4);
}

/// A run with 64 calls out, and Esc.
fn run(table: &mut Table, desk: &mut Session, pbx: &Simulator, count: usize) {
    let what = format!("in a run of {count}");
    desk.press("d");
    desk.sees(&format!("Type {count}, then press y"));
    desk.press(&count.to_string());
    desk.sees("n cancels.");
    desk.rests(CALM * 5);
    let since = Instant::now();
    desk.press("y");
    let took = desk.until(since, |screen| !screen.contents().contains("n cancels."));
    table.time("G10", &format!("first picture {what}"), took, 50.0);
    desk.sees(&format!("/{count}"));
    desk.press("2");
    desk.takes_in(Duration::from_millis(500));
    steps(table, desk, &what, false);
    let (left, bytes, pictures) = (pbx::left(pbx), desk.bytes, desk.pictures);
    desk.takes_in(Duration::from_secs(2));
    let done = (left - pbx::left(pbx)).max(1);
    println!("     {} deletions a second {what}", done / 2);
    table.at_most("G7", &format!("pictures in 2 s {what}"), desk.pictures - pictures, 40, "");
    let each = (desk.bytes - bytes) / done;
    table.at_most("G7", &format!("a settled deletion {what}"), each, 200, " bytes");
    desk.press("3");
    desk.takes_in(Duration::from_millis(300));
    let since = Instant::now();
    desk.press("\x1b");
    let told = desk.until(since, |screen| {
        let contents = screen.contents();
        ["stopping", "STOPPED", "checking"].iter().any(|word| contents.contains(word))
    });
    // What goes out this long after the key is one too many.
    std::thread::sleep(Duration::from_millis(100).saturating_sub(since.elapsed()));
    let left = pbx::left(pbx);
    desk.sees("STOPPED");
    table.time("G10", &format!("Esc {what} told"), told, 100.0);
    let late = format!("DELETEs later than 100 ms after Esc {what}");
    table.at_most("G13b", &late, left - pbx::left(pbx), 0, "");
    desk.rests(CALM * 5);
}
