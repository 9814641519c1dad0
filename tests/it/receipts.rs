//! Receipts: what a run did, to be shown to others; nothing in them acts, ends its cell, or can be
//! read as something else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use callsweep::domain::{ExtensionNumber, Foreign};
use callsweep::journal::{Form, Receipt, Record};
use callsweep::simulator::{Fault, World};
use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};

use crate::headless::{Pbx, configure, named};
use crate::run_files::summed;

/// A line of a run file.
fn line(mut value: Value) -> String {
    let tag = value["line"].take();
    value.as_object_mut().unwrap().remove("line");
    let text = value.to_string();
    let rest = text.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
    summed(&format!("{{\"line\":{tag},{rest}"))
}

fn event(place: usize, id: &str, field: &str) -> Value {
    json!({
        "line": "event", "place": place, "extension": "0003*210", "owner": null,
        "path_user": "@me", "type": 0, "id": id, "raw": "{}", "method": "1",
        "url": format!("https://crm.acme.test/in?a=1&b={field}"), "note": field, "status": "1",
        "modified": "2023-05-01T08:00:00+02:00",
    })
}

fn head(kind: &str, of: Option<&str>, ids: &[&str]) -> Value {
    let path = "/uapi/extensions/@me/0003*210/phoneCallEvents";
    let calls: Vec<Value> = ids
        .iter()
        .map(|id| json!({"method": "DELETE", "path": format!("{path}/0/{id}"), "covers": 1}))
        .collect();
    json!({
        "line": "run", "schema": 2, "program": "callsweep 1.0", "kind": kind, "of": of,
        "profile": "acme", "origin": "https://pbx.acme.test", "base_path": "/uapi", "user": "@me",
        "form": "event", "plan_hash": "84090b298beb", "started": "2026-11-25T22:59:58.100Z",
        "events": ids.len(), "calls": calls,
    })
}

fn opened(at: &str) -> Value {
    json!({"line": "opened", "at": at, "program": "callsweep 1.0", "pid": 7, "host": "desk7.acme.test",
        "login": "anna", "why": "run"})
}

fn outcome(name: &str, code: Option<&str>, message: Option<&str>, id: Option<&str>) -> Value {
    json!({"outcome": name, "code": code, "message": message, "new_id": id})
}

fn pair(call: usize, second: usize, status: Option<u16>, outcome: &Value) -> [Value; 2] {
    let at = format!("2026-11-25T23:00:0{second}.500Z");
    [
        json!({"line": "sent", "call": call, "first": call, "covers": 1, "at": at}),
        json!({"line": "settled", "call": call, "http_status": status, "outcomes": [outcome], "surplus": []}),
    ]
}

fn end(line: &str, reason: Option<&str>, at: &str) -> Value {
    let message = reason.map(|_| "the operator stopped it");
    json!({"line": line, "at": at, "reason": reason, "message": message, "deleted": 1, "changed": 0,
        "already_gone": 1, "refused": 1, "not_sent": 1, "unknown": 1, "restored": 0, "altered": 0})
}

fn record(folder: &Path, name: &str, lines: &[Value]) -> Record {
    let text: Vec<String> = lines.iter().cloned().map(line).collect();
    fs::write(folder.join(format!("{name}.jsonl")), text.join("\n") + "\n").unwrap();
    Record::read(folder, name).unwrap()
}

/// A run with an event of each outcome, stopped, gone on with and stopped again.
fn mixed(folder: &Path) -> Record {
    let ids = ["one", "two", "three", "four", "five"];
    let mut lines = vec![head("delete", None, &ids)];
    lines.extend(ids.iter().enumerate().map(|(place, id)| event(place, id, "old crm")));
    let mut bystander = event(0, "beside", "kept");
    bystander["line"] = json!("bystander");
    lines.extend([bystander, json!({"line": "planned", "events": 5, "bystanders": 1})]);
    lines.push(opened("2026-11-25T22:59:58.200Z"));
    lines.extend(pair(0, 1, Some(200), &outcome("deleted", None, None, None)));
    let refused = outcome("refused", Some("pce_access_denied"), Some("not allowed"), None);
    lines.extend(pair(1, 2, Some(400), &refused));
    lines.extend(pair(2, 3, None, &outcome("unknown", None, Some("no answer within 30 s"), None)));
    lines.push(end("stopped", Some("operator"), "2026-11-25T23:00:04.000Z"));
    lines.push(opened("2026-11-26T07:30:00.000Z"));
    lines.extend(pair(3, 4, Some(400), &outcome("already_gone", None, None, None)));
    lines.push(json!({"line": "verified", "complete": false, "check": "in_part", "revised": [],
        "surplus": [{"extension": "0003*210", "type": 0, "id": "beside"}], "altered": []}));
    lines.push(end("stopped", Some("operator"), "2026-11-26T07:30:09.000Z"));
    record(folder, "20261125T225958Z-acme", &lines)
}

fn undo(folder: &Path) -> Record {
    let mut lines = vec![head("undo", Some("20261125T225958Z-acme"), &["one", "two"])];
    lines.extend([event(0, "one", "old crm"), event(1, "two", "old crm")]);
    lines.push(json!({"line": "planned", "events": 2, "bystanders": 0}));
    lines.push(opened("2026-11-25T22:59:58.200Z"));
    lines.extend(pair(0, 1, Some(201), &outcome("restored", None, None, Some("new1"))));
    let mut altered = outcome("altered", None, None, Some("new2"));
    altered["fields"] = json!(["note", "status"]);
    lines.extend(pair(1, 2, Some(201), &altered));
    lines.push(json!({"line": "verified", "complete": true, "check": "agrees", "revised": [],
        "surplus": [], "altered": []}));
    lines.push(end("finished", None, "2026-11-25T23:01:09.000Z"));
    record(folder, "20261125T230000Z-acme", &lines)
}

fn change(folder: &Path) -> Record {
    let mut changed = event(0, "one", "old crm");
    changed["want"] = json!({"url": "https://new.acme.test/in"});
    let mut lines = vec![head("change", None, &["one"]), changed];
    lines.push(json!({"line": "planned", "events": 1, "bystanders": 0}));
    lines.push(opened("2026-11-25T22:59:58.200Z"));
    lines.extend(pair(0, 1, Some(200), &outcome("changed", None, None, None)));
    lines.push(end("finished", None, "2026-11-25T23:00:02.000Z"));
    record(folder, "20261125T225958Z-acme-2", &lines)
}

fn labels() -> BTreeMap<ExtensionNumber, Foreign> {
    BTreeMap::from([(ExtensionNumber::parse("0003*210").unwrap(), Foreign::from("Reception"))])
}

fn written(receipt: &Receipt<'_>, form: Form) -> String {
    let mut text = Vec::new();
    receipt.write_to(form, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn text(record: &Record, masked: bool, form: Form) -> String {
    let (labels, local) = (labels(), TimeZone::fixed(Offset::constant(1)));
    written(&Receipt::new(record, masked, &labels, &local), form)
}

#[test]
fn a_receipt_tells_what_was_done_with_each_event_when_by_whom_and_what_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let mixed = mixed(folder.path());
    insta::assert_snapshot!("run-md", text(&mixed, false, Form::Markdown));
    insta::assert_snapshot!("run-csv", text(&mixed, false, Form::Csv).replace("\r\n", "\n"));
    insta::assert_snapshot!("run-masked-md", text(&mixed, true, Form::Markdown));
    let change = change(folder.path());
    insta::assert_snapshot!("change-md", text(&change, false, Form::Markdown));
    let undo = undo(folder.path());
    insta::assert_snapshot!("undo-md", text(&undo, false, Form::Markdown));
    insta::assert_snapshot!("undo-csv", text(&undo, false, Form::Csv).replace("\r\n", "\n"));
}

#[test]
fn a_masked_receipt_gives_no_customer_away() {
    let folder = tempfile::tempdir().unwrap();
    let mixed = mixed(folder.path());
    for form in [Form::Markdown, Form::Csv] {
        let text = text(&mixed, true, form);
        for told in ["0003*210", "acme.test", "crm", "old crm", "Reception", "desk7"] {
            assert!(!text.contains(told), "{told} is in {text}");
        }
        assert!(text.contains("20261125T225958Z-acme") && text.contains("one"), "{text}");
    }
    // Digits of a time or a hash that are a number as well stay.
    let mut lines = vec![head("delete", None, &["one"]), event(0, "one", "")];
    lines[1]["extension"] = json!("0003*100");
    lines.push(json!({"line": "planned", "events": 1, "bystanders": 0}));
    lines[0]["plan_hash"] = json!("a1003b0003");
    let record = record(folder.path(), "20261125T225958Z-acme", &lines);
    for form in [Form::Markdown, Form::Csv] {
        let text = text(&record, true, form);
        assert!(text.contains("a1003b0003") && !text.contains("0003*100"), "{text}");
        assert!(form == Form::Markdown || text.contains("22:59:58.100Z"), "{text}");
    }
}

#[test]
fn a_masked_receipt_is_not_named_after_a_profile_that_is_a_host() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = vec![head("delete", None, &["one"])];
    lines[0]["profile"] = json!("pbx.acme.test");
    lines.extend([event(0, "one", ""), json!({"line": "planned", "events": 1, "bystanders": 0})]);
    let record = record(folder.path(), "20261125T225958Z-pbx-acme-test", &lines);
    for form in [Form::Markdown, Form::Csv] {
        let text = text(&record, true, form);
        assert!(!text.contains("acme") && text.contains("20261125T225958Z"), "{text}");
    }
    let (labels, local) = (labels(), TimeZone::UTC);
    let path = Receipt::new(&record, true, &labels, &local).write(&folder.path().join("runs"));
    assert!(path.unwrap().ends_with("receipts/20261125T225958Z.md"));
}

/// What would end a cell, a row or code, act on a terminal or a spreadsheet, or be markdown.
const HOSTILE: [&str; 9] = [
    "=HYPERLINK(\"http://evil.test\")|`x`|\u{1b}[2J\r\n| deleted | b |",
    "+1|\\|`",
    "-2\n\n# a heading",
    "@SUM(A1)\u{202e}",
    "\t=1+1",
    "`` ` ```",
    "<img src=x onerror=alert(1)> [a](javascript:b) **c** &amp;",
    "\\",
    "\u{0}\u{7f}\u{85}\u{2028}\",\"",
];

#[test]
fn no_foreign_text_ends_a_cell_acts_or_is_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    for (at, hostile) in HOSTILE.into_iter().enumerate() {
        let mut lines = vec![head("delete", Some(hostile), &["one"])];
        for field in ["program", "profile", "origin", "user", "plan_hash", "started"] {
            lines[0][field] = json!(hostile);
        }
        let mut planned = event(0, "one", hostile);
        for field in ["method", "url", "note", "status", "modified"] {
            planned[field] = json!(hostile);
        }
        lines.extend([planned, json!({"line": "planned", "events": 1, "bystanders": 0})]);
        let mut opened = opened(hostile);
        (opened["login"], opened["host"]) = (json!(hostile), json!(hostile));
        lines.extend([opened.clone(), opened]);
        let refused = outcome("refused", Some(hostile), Some(hostile), Some(hostile));
        lines.extend(pair(0, 1, Some(400), &refused));
        let mut end = end("stopped", Some(hostile), hostile);
        end["message"] = json!(hostile);
        lines.push(end);
        let record = record(folder.path(), &format!("r{at}"), &lines);
        let (number, local) = (ExtensionNumber::parse("0003*210").unwrap(), TimeZone::UTC);
        let labels = BTreeMap::from([(number, Foreign::from(hostile))]);
        for masked in [false, true] {
            let receipt = Receipt::new(&record, masked, &labels, &local);
            cells_hold(&written(&receipt, Form::Markdown));
            records_hold(&written(&receipt, Form::Csv));
        }
    }
}

/// Every row of a table has as many cells as its head, and nothing in it means anything.
fn cells_hold(text: &str) {
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text:?}");
    let mut wide = 0;
    for line in text.lines() {
        if !line.starts_with('|') {
            let deletion = "# Receipt: deletion of phone call events";
            let ours = ["", deletion, "## Events", "## Not done, or not as planned"];
            assert!(ours.contains(&line), "{line:?}");
            wide = 0;
            continue;
        }
        let cells = line.matches('|').count();
        assert!(wide == 0 || cells == wide, "{line:?} in {text}");
        wide = cells;
        for cell in line.split('|') {
            let code = cell.matches('`').count();
            assert!(code % 2 == 0, "{cell:?} leaves code open");
            // Outside of code stand words of ours, or signs as entities.
            for (at, part) in cell.split('`').enumerate() {
                let means = part.contains(['<', '[', '*', '_', '\\']);
                assert!(at % 2 == 1 || !means, "{part:?} of {line}");
            }
        }
    }
}

/// Every record has as many cells as the head, and no cell is a formula.
fn records_hold(text: &str) {
    assert!(text.ends_with("\r\n"));
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 2, "{text}");
    for record in &records {
        for cell in record {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            assert!(!cell.chars().any(char::is_control), "{cell:?}");
        }
    }
}

#[test]
fn a_receipt_is_for_its_owner_alone_and_takes_the_place_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    fs::create_dir(&runs).unwrap();
    let record = mixed(&runs);
    let (labels, local) = (labels(), TimeZone::UTC);
    let write = || Receipt::new(&record, false, &labels, &local).write(&runs).unwrap();
    let (first, second) = (write(), write());
    assert!(first.ends_with("receipts/20261125T225958Z-acme.md"), "{first:?}");
    assert!(second.ends_with("receipts/20261125T225958Z-acme-2.md"), "{second:?}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&first), mode(first.parent().unwrap())), (0o600, 0o700));
    // A link leads nobody to another file.
    let third = first.with_file_name("20261125T225958Z-acme-3.md");
    let precious = folder.path().join("precious");
    std::os::unix::fs::symlink(&precious, &third).unwrap();
    assert!(write().ends_with("receipts/20261125T225958Z-acme-4.md"));
    assert!(!precious.exists());
}

fn refusing() -> Pbx {
    let pbx = named("the-page");
    pbx.simulator.with_world(|world| {
        // The whole of it is masked, whatever is in it.
        let event = &mut world.extension_mut("0003*210").unwrap().events[0];
        "https://a.test/?q=of Secret customer".clone_into(&mut event.url);
    });
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    pbx.simulator.with_world(|world: &mut World| {
        let (method, code) = (Some("DELETE".into()), "pce_access_denied".into());
        let fault =
            Fault { method, nth: Some(2), status: Some(400), code: Some(code), ..Fault::default() };
        world.add_fault(fault);
    });
    pbx
}

#[test]
fn yesterdays_run_is_found_shown_and_proved_by_commands_after_a_restart() {
    let pbx = refusing();
    let said = pbx.run(&["delete", "--extension=0003*210", "--yes", "--format=json"]);
    let run = said.document()["run"].as_str().unwrap().to_owned();
    let runs = pbx.run(&["runs"]);
    let heads: Vec<&str> = runs.out.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heads, ["RUN", "STARTED", "KIND", "PROFILE", "STATE", "RESULT"]);
    assert!(runs.out.contains(&run) && runs.out.contains("2 deleted, 1 refused"), "{}", runs.out);
    let md = pbx.run(&["show", "latest", "--format=md"]);
    assert_eq!((md.code, md.out.matches("\n| deleted | ").count()), (0, 2), "{}", md.out);
    assert!(md.out.contains("| refused | `0003*210` | `"), "{}", md.out);
    assert!(md.out.contains("| `pce_access_denied` | "), "{}", md.out);
    let csv = pbx.run(&["show", &run, "--format=csv"]);
    assert_eq!(csv.out.lines().count(), 4, "{}", csv.out);
    for format in ["md", "csv", "table", "json"] {
        let format = format!("--format={format}");
        for arguments in [&["show", &run, &format, "--mask"], &["--mask", "show", &run, &format]] {
            let said = pbx.run(arguments);
            assert_eq!(said.code, 0, "{}", said.err);
            for told in ["0003*210", "127.0.0.1", "example.com", "crm", "Secret"] {
                assert!(!said.out.contains(told), "{told} is in {}", said.out);
            }
        }
    }
    let shown = pbx.run(&["show", &run, "--format=json"]).document();
    let listed = pbx.run(&["runs", "--format=json"]).document()["runs"][0].clone();
    for (name, value) in listed.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
    assert_eq!(pbx.run(&["runs", "--profile=other"]).out, "no run of profile other yet\n");
}

#[test]
fn a_run_that_stopped_yesterday_is_found_by_its_state_and_gone_on_with_by_latest() {
    let pbx = named("the-page");
    configure(&pbx.home, &pbx.simulator.origin(), "wide_calls = []\nconcurrency = 1");
    pbx.simulator.with_world(|world| {
        let method = Some("DELETE".into());
        world.add_fault(Fault { method, nth: Some(2), status: Some(302), ..Fault::default() });
    });
    assert_eq!(pbx.run(&["delete", "--extension=0003*210", "--yes"]).code, 3);
    let runs = pbx.run(&["runs"]).out;
    assert!(runs.contains("STOPPED (trouble)  1 deleted, 1 refused, 1 not sent"), "{runs}");
    pbx.simulator.with_world(World::clear_faults);
    let said = pbx.run(&["resume", "latest", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let runs = pbx.run(&["runs"]).out;
    assert!(runs.contains("finished  3 deleted"), "{runs}");
    let receipt = pbx.run(&["show", "latest", "--format=md"]).out;
    assert_eq!(receipt.matches("\n| Continued | ").count(), 1, "{receipt}");
    assert!(
        receipt.contains("| Result | 3 deleted |") && !receipt.contains("Not done"),
        "{receipt}"
    );
}
