//! Lists that are whole or say that they are not, told by the real binary: a PBX that cuts its pages
//! in silence, that does not show where a list ends, or whose rows nobody can use.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use callsweep::simulator::{Event, Fault, PastEnd, Totals, World};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tempfile::TempDir;

use crate::headless::{self, Pbx};

const NUMBER: &str = "0003*210";
const LISTS: &str = "/phoneCallEvents?";

/// A PBX with so many events on its one extension.
fn with(count: usize, change: impl FnOnce(&mut World)) -> Pbx {
    let mut world = World::named("the-page").unwrap();
    let extension = world.extension_mut(NUMBER).unwrap();
    let pattern = extension.events[0].clone();
    let event = |place| Event { id: format!("e{place}"), ..pattern.clone() };
    extension.events = (0..count).map(event).collect();
    change(&mut world);
    headless::pbx(world)
}

/// What `list --format json` says.
fn listed(pbx: &Pbx) -> (Value, i32) {
    let said = pbx.run(&["list", "--format", "json"]);
    (serde_json::from_str(&said.out).unwrap(), said.code)
}

fn ids(document: &Value) -> BTreeSet<String> {
    let events = document["events"].as_array().unwrap();
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// The matrix: pages cut so, with this total, and this behind the last row.
#[test]
fn a_page_that_is_cut_in_silence_is_read_on_and_complete_means_all() {
    for cap in [1, 7, 19, 20, 21] {
        for (fields, totals) in [(false, Totals::List), (true, Totals::List), (true, Totals::Page)]
        {
            for past_end in [PastEnd::Empty, PastEnd::Refused] {
                let pbx = with(20, |world| {
                    world.shapes.page_size = Some(cap);
                    world.shapes.paging_fields = fields;
                    (world.shapes.totals, world.shapes.past_end) = (totals, past_end);
                });
                let (document, code) = listed(&pbx);
                let case = format!("{cap} {fields} {totals:?} {past_end:?}: {document}");
                let complete = document["complete"] == true;
                assert_eq!(complete, code == 0, "{case}");
                if document["extensions"][0]["complete"] == true {
                    assert_eq!(ids(&document).len(), 20, "{case}");
                } else {
                    let why = document["extensions"][0]["failure"]["message"].as_str().unwrap();
                    assert_eq!(why, "the PBX does not tell where a list ends", "{case}");
                }
                if past_end == PastEnd::Empty {
                    assert!(complete && ids(&document).len() == 20, "{case}");
                }
                let requests = pbx.requests();
                let refused = requests.iter().filter(|line| line.ends_with("startIndex=20"));
                assert!(refused.count() <= 1, "{requests:?}");
            }
        }
    }
}

/// Rows that nobody can use, and what is said of a list with one.
fn spoilt() -> Vec<(Fault, &'static str)> {
    let row = |row: &str| Fault {
        method: Some("GET".to_owned()),
        path: Some(LISTS.to_owned()),
        row: Some(row.to_owned()),
        ..Fault::default()
    };
    vec![
        (row(r#"{"type":"0"}"#), "1 row cannot be used"),
        (row(r#"{"type":"0","id":"../e1"}"#), "1 row cannot be used"),
        (row(r#"{"type":"other","id":"x"}"#), "1 row cannot be used"),
        (row("null"), "1 row cannot be used"),
        (
            row(r#"{"type":"0","id":"e1","url":"other"}"#),
            "1 event is listed twice with different contents: 0/e1",
        ),
        (
            Fault { latin1: true, ..row(r#"{"type":"0","id":"x","note":"café"}"#) },
            "1 row holds bytes that are no text: 0/x",
        ),
        (
            row(r#"{"type":"0","id":"x","note":"\ud800"}"#),
            "1 row holds bytes that are no text: 0/x",
        ),
    ]
}

#[test]
fn a_list_with_a_row_that_nobody_can_use_shows_the_others_and_is_not_complete() {
    for (fault, why) in spoilt() {
        let case = fault.row.clone().unwrap();
        let pbx = with(3, |world| world.add_fault(fault));
        let (document, code) = listed(&pbx);
        let extension = &document["extensions"][0];
        assert_eq!((&document["complete"], code), (&Value::Bool(false), 3), "{case}: {document}");
        assert_eq!(extension["complete"], false, "{case}");
        assert_eq!(extension["failure"]["message"], why, "{case}");
        assert!(ids(&document).is_superset(&["e0".into(), "e2".into()].into()), "{case}");
        let table = pbx.run(&["list"]);
        assert!(table.err.contains(&format!("not complete: {NUMBER}: {why}")), "{}", table.err);
    }
}

#[test]
fn no_wide_call_goes_out_on_a_list_that_is_not_complete() {
    let refusing = |world: &mut World| world.shapes.past_end = PastEnd::Refused;
    let mut pbxs = vec![with(3, refusing)];
    pbxs.extend(spoilt().into_iter().map(|(fault, _)| with(3, |world| world.add_fault(fault))));
    for pbx in pbxs {
        let arguments = ["delete", "--extension", NUMBER, "--form", "extension", "--yes"];
        let said = pbx.run(&arguments);
        let wide = |line: &&String| {
            let rest = line.split_once("/phoneCallEvents").map_or("", |(_, rest)| rest);
            line.starts_with("DELETE") && rest.matches('/').count() < 2
        };
        let requests = pbx.requests();
        assert_eq!(requests.iter().find(wide), None, "{}\n{}", said.out, said.err);
    }
}

#[test]
fn where_no_end_is_shown_events_go_and_come_back_as_ever() {
    let pbx = with(3, |world| world.shapes.past_end = PastEnd::Refused);
    let there = || pbx.simulator.with_world(|world| world.event_ids(NUMBER).len());
    let one = ["delete", "--extension", NUMBER, "--type", "0", "--id", "e1", "--yes"];
    pbx.run(&one);
    assert_eq!(there(), 2);
    let runs = pbx.run(&["runs", "--format", "json"]).document();
    let run = runs["runs"][0]["run"].as_str().unwrap();
    let said = pbx.run(&["undo", run, "--yes"]);
    assert_eq!(there(), 3, "{}{}", said.out, said.err);
}

#[test]
fn rows_that_nobody_can_use_are_named_one_by_one() {
    let fault = Fault { row: Some(r#"{"type":"0","id":"../e"}"#.to_owned()), ..Fault::default() };
    let pbx = with(2, |world| world.add_fault(fault));
    let said = pbx.run(&["list"]);
    let line = format!(
        "{NUMBER}: a row is left out, as its id cannot be named in a path: \
         {{\"type\":\"0\",\"id\":\"../e\"}}"
    );
    assert!(said.err.contains(&line), "{}", said.err);
}

#[test]
fn what_php_writes_before_an_answer_is_quoted_with_the_remedy() {
    let before = "<br />\n<b>Warning</b>:  no disk in <b>/a.php</b> on line <b>7</b><br />\n";
    let fault =
        Fault { path: Some(LISTS.to_owned()), before: Some(before.to_owned()), ..Fault::default() };
    let pbx = with(2, |world| world.add_fault(fault));
    let (document, code) = listed(&pbx);
    let why = document["extensions"][0]["failure"]["message"].as_str().unwrap();
    assert!(why.contains("(Warning: no disk in /a.php on line 7): have it mended"), "{why}");
    assert_eq!((document["complete"].as_bool(), code), (Some(false), 1));
}

/// The most memory that a run of the program had, in KiB.
pub(crate) fn peak(home: &TempDir, token: &str, arguments: &[&str]) -> u64 {
    let mut command = headless::command(home, token, arguments);
    // What is dropped goes back at once, else it would count as held.
    command.env("MIMALLOC_PURGE_DELAY", "0");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let told = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(told.unwrap_or(0));
        // Often enough to see a peak, without a core of its own.
        std::thread::park_timeout(Duration::from_millis(2));
    }
    peak
}

/// Fails where a listing that is answered with this body takes more memory than there may be.
fn is_read_in_little_memory(body: String) {
    let beginning: String = body.chars().take(40).collect();
    let most = 60_000 + u64::try_from(body.len()).unwrap() * 13 / 2 / 1024;
    let pbx = with(1, |world| {
        world.add_fault(Fault {
            method: Some("GET".to_owned()),
            status: Some(200),
            body: Some(body),
            ..Fault::default()
        });
    });
    let peak = peak(&pbx.home, &pbx.simulator.token(), &["list", "--extension", NUMBER]);
    assert!(peak > 0 && peak < most, "{beginning}: {peak} of {most} KiB");
}

/// What an answer may take, in KiB.
const MOST: u64 = 256 * 1_000_000 / 1024;

const MILLION: usize = 1024 * 1024;

/// A service that answers every connection with these bytes, twice.
fn serves(answer: Vec<u8>) -> TempDir {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = tempfile::tempdir().unwrap();
    headless::configure(&home, &format!("http://{}", listener.local_addr().unwrap()), "");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    home
}

#[test]
fn a_small_compressed_answer_that_grows_to_a_gigabyte_takes_little_memory() {
    let mut coder = GzEncoder::new(Vec::new(), Compression::fast());
    coder.write_all(b"[").unwrap();
    let part = b"0,".repeat(MILLION / 2);
    (0..64).for_each(|_| coder.write_all(&part).unwrap());
    let body = coder.finish().unwrap().repeat(16);
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n";
    let head = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    let home = serves([head.as_bytes(), &body].concat());
    let peak = peak(&home, "t", &["list", "--extension", NUMBER]);
    assert!(peak > 0 && peak < MOST, "{peak} KiB");
}

#[test]
fn a_huge_list_of_nothing_takes_little_more_memory_than_its_bytes() {
    is_read_in_little_memory(format!("[{}0]", "0,".repeat(15 * MILLION)));
}

/// The same for bodies of other shapes: `slow` asks for it.
pub(crate) fn no_answer_takes_more_memory_than_there_may_be() {
    is_read_in_little_memory("[".repeat(6 * MILLION));
    is_read_in_little_memory(format!(
        r#"[{{"type":0,"id":"a","x":[{}0]}}]"#,
        "0,".repeat(3 * MILLION)
    ));
    is_read_in_little_memory(format!(
        r#"[{{"type":0,"id":"a","note":"{}"}}]"#,
        "\\n".repeat(3 * MILLION)
    ));
    let alike = r#"{"type":0,"id":"a"},"#.repeat(300_000);
    is_read_in_little_memory(format!("[{alike}0]"));
    let fields = r#""a":0,"#.repeat(MILLION);
    is_read_in_little_memory(format!(r#"{{{fields}"entry":[]}}"#));
}

#[test]
fn a_pbx_that_does_not_show_an_end_refuses_one_page_a_session() {
    let pbx = with(3, |world| world.shapes.past_end = PastEnd::Refused);
    pbx.run(&["list"]);
    let statuses: Vec<_> =
        pbx.simulator.with_world(|world| world.requests().iter().map(|seen| seen.status).collect());
    assert_eq!(statuses, [200, 400, 200]);
}
