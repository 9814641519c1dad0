//! What a run takes of memory: each event is held once, and what is printed of many costs no more than
//! what is printed of few.

use callsweep::change::{Plan, Selection};
use callsweep::domain::{CallForm, ExtensionNumber, ListingBuilder, RawEvent, Target, UserId};
use callsweep::journal::{self, Record, RunFile};

use crate::headless::{self, Pbx, named, pbx};
use crate::lists::peak;
use crate::paint;

const FEW: usize = 2_000;
const MANY: usize = 22_000;

/// What else differs from one start to the next, in KiB.
const NOISE: u64 = 1_500;

/// The file of a run of so many events, each with a URL of its own, that was never sent.
fn run_of(pbx: &Pbx, events: usize) -> String {
    let mut listing = ListingBuilder::new(ExtensionNumber::parse("0003*210").unwrap());
    for place in 0..events {
        let (id, url) = (
            format!("{place:07}sR4tgB7uNqeyDRqo4Ft"),
            format!("https://crm.acme.test/in?of={place}"),
        );
        let (id, url, modified) = (&*id, &*url, "2024-01-10T09:30:00+02:00");
        let row =
            RawEvent { event_type: "2", id, method: "1", url, note: "CRM", status: "1", modified };
        let text = format!(
            "{{\"type\":\"2\",\"id\":{id:?},\"method\":\"1\",\"url\":{url:?},\"note\":\"CRM\",\
             \"status\":\"1\",\"modified\":{modified:?}}}"
        );
        listing.push_with_text(row, text.as_bytes());
    }
    let selection = Selection::of_rows(&listing.finish(true), 0..events);
    let user = UserId::parse("@me").unwrap();
    let target = Target::new("test", &pbx.simulator.origin(), "/uapi", user).unwrap();
    let plan = Plan::freeze(target, &selection, CallForm::Event, events).unwrap();
    let runs = pbx.home.path().join(".local/state/callsweep/runs");
    RunFile::create(&runs, &plan).unwrap().name().to_owned()
}

/// KiB at the peak of showing a run of so many events so.
fn shown(pbx: &Pbx, run: &str, format: &str) -> u64 {
    peak(&pbx.home, "t", &["show", run, "--format", format])
}

#[test]
fn a_run_of_many_events_is_printed_in_every_form_with_the_memory_that_reading_it_takes() {
    let pbx = named("nothing-there");
    let (few, many) = (run_of(&pbx, FEW), run_of(&pbx, MANY));
    let (least, table) = (shown(&pbx, &few, "table"), shown(&pbx, &many, "table"));
    // Its file has 650 bytes an event.
    let each = (table - least) * 1024 / u64::try_from(MANY - FEW).unwrap();
    assert!(each < 1_200, "{each} bytes an event of a file");
    for format in ["json", "csv", "md"] {
        let peak = shown(&pbx, &many, format);
        // For the document the first line of its file is read once more.
        assert!(peak < table + 4 * NOISE, "{format}: {peak} KiB where the table takes {table}");
    }
}

#[test]
fn a_plan_of_many_events_is_printed_with_the_memory_that_listing_them_takes() {
    let peak_of = |events: usize, format: &str| {
        let pbx = pbx(paint::office(20, events / 20));
        let settings = "max_delete = 100000\ndiscover = [\"presence\"]";
        headless::configure(&pbx.home, &pbx.simulator.origin(), settings);
        let plan = ["delete", "--where", "ext:*", "--dry-run", "--format", format];
        peak(&pbx.home, &pbx.simulator.token(), &plan)
    };
    let (few, table) = (peak_of(FEW, "table"), peak_of(MANY, "table"));
    let each = (table - few) * 1024 / u64::try_from(MANY - FEW).unwrap();
    assert!(each < 1_100, "{each} bytes a planned event");
    let json = peak_of(MANY, "json");
    assert!(json < table + NOISE, "{json} KiB where the table takes {table}");
}

#[test]
fn of_a_run_whose_file_was_read_the_hash_is_that_of_its_plan() {
    let pbx = named("nothing-there");
    let run = run_of(&pbx, 3);
    let runs = pbx.home.path().join(".local/state/callsweep/runs");
    let record = Record::read(&runs, &run).unwrap();
    assert_eq!((record.is_whole(), record.calls.len()), (Ok(()), 3));
    let first = record.calls.iter().next().unwrap();
    assert_eq!((&*first.method, first.covers), ("DELETE", 1));
    let text = std::fs::read_to_string(journal::path_of(&runs, &run)).unwrap();
    assert!(text.contains(&format!("\"path\":\"{}\"", first.path)), "{text}");
}
