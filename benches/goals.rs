//! The figures of the events in memory, their picture, the keys and the program at rest, each row with
//! the goal it answers; fails where one is missed. A plain program: memory and processor time are read
//! from the operating system, keys go to the real binary through a pseudo-terminal.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a bench prints what it measured and stops where it cannot"
)]

use std::process::ExitCode;
use std::time::Duration;

use callsweep::app::Model;
use callsweep::domain::EventStore;
use callsweep::view::draw;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use support::table::{Table, middle};
use support::worlds::{Run, Urls, desk, listing, paste, press, review, worked};

mod support {
    pub(crate) mod keys;
    pub(crate) mod machine;
    pub(crate) mod pbx;
    pub(crate) mod rest;
    pub(crate) mod table;
    pub(crate) mod terminal;
    pub(crate) mod worlds;
}

/// A frame takes no longer.
const FRAME: f64 = 0.3;

fn main() -> ExitCode {
    let mut table = Table::default();
    // First: what starts a program from beside a million events takes its time for that.
    support::rest::measure(&mut table);
    memory(&mut table);
    support::machine::measure(&mut table);
    for urls in [Urls::Twenty, Urls::OneEach] {
        frames(&mut table, urls);
    }
    support::keys::measure(&mut table);
    table.verdict()
}

fn memory(table: &mut Table) {
    let before = resident();
    let mut store = EventStore::default();
    for extension in 0..10_000 {
        store.insert(listing(extension, 100, Urls::Twenty));
    }
    let bytes = (resident() - before) / store.len();
    table.at_most("G6", "a million events in memory, each", bytes, 60, " bytes");
}

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Frames, keys and answers of the model alone, in each of its states.
fn frames(table: &mut Table, urls: Urls) {
    let with = |what: &str| match urls {
        Urls::Twenty => format!("{what}, 20 URLs"),
        Urls::OneEach => format!("{what}, a million URLs"),
    };
    let mut large = desk(10_000, 100, urls);
    // As much in sight as in the large one.
    let small = desk(40, 25, urls);
    let (frame_of_large, frame_of_small) = frames_in_turn(&large, &small);
    table.time("G5", &with("frame of a million events"), frame_of_large, FRAME);
    let ratio = frame_of_large.as_secs_f64() / frame_of_small.as_secs_f64();
    table.at_most("G5", &with("  beside one of 1,000"), ratio, 1.1, "");
    press(&mut large, "0 j j j");
    let of_keys = [("cursor step", ["j", "k"]), ("mark", ["space", "k"])];
    for expression in
        ["type:hangup", "host:crm7.acme.test", "url:*crm-old*", "crm7", "modified:>2024"]
    {
        let (counted, marked) = mark_by_expression(&mut large, expression);
        table.time("G10", &with(&format!("counting {expression} as typed")), counted, 50.0);
        table.time("G10", &with(&format!("marking {expression}")), marked, 50.0);
    }
    press(&mut large, "T");
    paste(&mut large, "note:fifty");
    press(&mut large, "enter");
    assert_eq!(large.store().marked(), 50_000);
    table.time("G5", &with("frame with 50,000 marks"), frame(&large), FRAME);
    press(&mut large, "4 G");
    table.time("G5", &with("frame of the last of 50,000 marks"), frame(&large), FRAME);
    press(&mut large, "4 /");
    let filtered = timed(|| paste(&mut large, "host:crm7.acme.test"));
    press(&mut large, "enter");
    table.time("G10", &with("filter with 50,000 marks"), filtered, 50.0);
    table.time("G5", &with("frame with a filter"), frame(&large), FRAME);
    for (name, keys) in of_keys {
        let what = with(&format!("{name} in the model, filter and 50,000 marks"));
        table.times("G10", &what, steps(&mut large, keys), [0.4, 1.0]);
    }
    let opened = timed(|| review(&mut large, 100, urls));
    table.time("G5", &with("review of 50,000, its listings included"), opened, 500.0);
    table.time("G5", &with("frame of a review of 50,000"), frame(&large), FRAME);
    let stepped = steps(&mut large, ["j", "k"]);
    table.times("G10", &with("step in a review of 50,000, model"), stepped, [0.4, 1.0]);
    let mut run = Run::start(&mut large);
    let answers = run.answer(&mut large, 2_000);
    table.times("G10", &with("answer in a run, filter and 50,000 marks"), answers, [0.05, 0.2]);
    press(&mut large, "2");
    table.time("G5", &with("frame in a run"), frame(&large), FRAME);
    let stopped = timed(|| drop(press(&mut large, "3 esc")));
    table.time("G10", &with("Esc in a run of 50,000, model"), stopped, 50.0);
}

fn timed(act: impl FnOnce()) -> Duration {
    let start = worked();
    act();
    worked().saturating_sub(start)
}

fn frame(model: &Model) -> Duration {
    frames_in_turn(model, model).0
}

/// The middle of the frames of two, drawn in turn.
fn frames_in_turn(one: &Model, other: &Model) -> (Duration, Duration) {
    let mut screens = [(); 2].map(|()| Terminal::new(TestBackend::new(120, 40)).unwrap());
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..301 {
        for ((screen, times), model) in screens.iter_mut().zip(&mut times).zip([one, other]) {
            times.push(timed(|| {
                screen.draw(|frame| draw(model, frame)).unwrap();
            }));
        }
    }
    let [one, other] = times;
    (middle(one).0, middle(other).0)
}

/// Time that the model takes to count what a typed expression means, and to mark it.
fn mark_by_expression(model: &mut Model, expression: &str) -> (Duration, Duration) {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        press(model, "T");
        times[0].push(timed(|| paste(model, expression)));
        times[1].push(timed(|| drop(press(model, "enter"))));
        press(model, "U");
    }
    let [counted, marked] = times;
    (middle(counted).0, middle(marked).0)
}

/// Time that the model takes for each of two keys, pressed in turn.
fn steps(model: &mut Model, keys: [&str; 2]) -> Vec<Duration> {
    let keys = keys.into_iter().cycle().take(200);
    keys.map(|key| timed(|| drop(press(model, key)))).collect()
}
