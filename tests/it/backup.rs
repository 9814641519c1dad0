//! Backups with the real binary and a simulator: what was kept comes back, as many as there were, and
//! nothing that is there is made twice.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use callsweep::simulator::{Event, Fault};
use serde_json::Value;

use crate::headless::{Pbx, Said, configure, named};
use crate::run_files::summed;

const NUMBER: &str = "0003*210";
const PAGE: &str = "--extension=0003*210";

fn file(pbx: &Pbx) -> PathBuf {
    pbx.home.path().join("before the move.bak")
}

fn backup(pbx: &Pbx, more: &[&str]) -> Said {
    let file = file(pbx);
    pbx.run(&[&["backup", file.to_str().unwrap()], more].concat())
}

fn undo(pbx: &Pbx) -> Said {
    let file = file(pbx);
    pbx.run(&["undo", file.to_str().unwrap(), "--yes", "--format=json"])
}

fn wipe(pbx: &Pbx) {
    let said = pbx.run(&["delete", PAGE, "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
}

fn events(pbx: &Pbx) -> Vec<Event> {
    pbx.simulator.with_world(|world| world.extension(NUMBER).unwrap().events.clone())
}

/// All that is there, without what the service gives by itself.
fn bodies(pbx: &Pbx) -> Vec<(u16, u16, String, String, u16)> {
    let body = |event: Event| (event.event_type, event.method, event.url, event.note, event.status);
    let mut bodies: Vec<_> = events(pbx).into_iter().map(body).collect();
    bodies.sort();
    bodies
}

fn change(pbx: &Pbx, change: impl FnOnce(&mut Vec<Event>)) {
    pbx.simulator.with_world(|world| change(&mut world.extension_mut(NUMBER).unwrap().events));
}

#[test]
fn what_was_kept_comes_back_after_an_extension_was_wiped_however_often() {
    let pbx = named("the-page");
    let before = bodies(&pbx);
    let said = backup(&pbx, &[PAGE]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(pbx.requests().iter().all(|request| request.starts_with("GET")));
    let text = fs::read_to_string(file(&pbx)).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["line"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["run", "event", "event", "event", "planned", "finished"]);
    assert_eq!((&lines[0]["kind"], &lines[0]["calls"]), (&"backup".into(), &Value::Array(vec![])));
    let mode = fs::metadata(file(&pbx)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let beside = fs::read_dir(pbx.home.path()).unwrap().count();
    assert_eq!(undo(&pbx).code, 4, "all is there");
    for _ in 0..2 {
        wipe(&pbx);
        let said = undo(&pbx);
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.document()["summary"]["restored"], 3);
        assert_eq!(bodies(&pbx), before);
        assert_eq!(undo(&pbx).code, 4, "all is there");
    }
    assert!(fs::read_dir(pbx.home.path()).unwrap().count() <= beside + 1, "nothing lies about");
    assert_eq!(fs::read_to_string(file(&pbx)).unwrap(), text, "and the backup is as it was");
}

#[test]
fn three_alike_in_a_backup_and_one_there_make_two() {
    let pbx = named("the-page");
    change(&pbx, |events| {
        events.truncate(1);
        for id in ["b", "c"] {
            events.push(Event { id: id.to_owned(), ..events[0].clone() });
        }
    });
    let before = bodies(&pbx);
    assert_eq!(backup(&pbx, &[PAGE]).code, 0);
    change(&pbx, |events| events.truncate(1));
    let said = undo(&pbx);
    assert_eq!(
        (said.code, &said.document()["summary"]["restored"]),
        (0, &2.into()),
        "{}",
        said.err
    );
    assert_eq!(bodies(&pbx), before);
}

#[test]
fn what_leads_elsewhere_meanwhile_is_named_and_what_is_only_off_is_not_made_beside_it() {
    let pbx = named("the-page");
    assert_eq!(backup(&pbx, &[PAGE]).code, 0);
    change(&pbx, |events| {
        events[0].url = "https://elsewhere.test/".to_owned();
        events[1].status = 0;
    });
    let said = undo(&pbx);
    assert_eq!(said.document()["summary"]["restored"], 1, "{}", said.err);
    assert_eq!(said.code, 3, "one is left out: {}", said.err);
    assert!(said.err.contains("there with another URL"), "{}", said.err);
    assert!(said.err.contains(&events(&pbx)[0].id), "{}", said.err);
    assert!(said.err.contains("something stands in for them"), "{}", said.err);
    assert_eq!(events(&pbx).len(), 4);
}

#[test]
fn a_file_that_is_there_is_left_alone_and_lists_that_are_not_complete_are_kept_in_part_only() {
    let pbx = named("the-page");
    fs::write(file(&pbx), "mine").unwrap();
    assert_eq!(backup(&pbx, &[PAGE]).code, 1);
    assert_eq!(fs::read_to_string(file(&pbx)).unwrap(), "mine");
    fs::remove_file(file(&pbx)).unwrap();
    configure(&pbx.home, &pbx.simulator.origin(), "extensions = [\"0003*999\"]");
    let all = "--where=ext:*";
    assert_eq!(backup(&pbx, &[all]).code, 4);
    assert!(!file(&pbx).exists());
    let said = backup(&pbx, &[all, "--in-part"]);
    assert_eq!(said.code, 3, "{}", said.err);
    wipe(&pbx);
    let said = undo(&pbx);
    assert!(said.err.contains("was made in part"), "{}", said.err);
    assert_eq!(events(&pbx).len(), 3, "{}", said.err);
    let resumed = pbx.run(&["resume", file(&pbx).to_str().unwrap(), "--yes"]);
    assert_eq!(resumed.code, 4, "{}", resumed.err);
}

#[test]
fn without_its_end_a_backup_is_used_line_by_line_and_says_so() {
    let pbx = named("the-page");
    assert_eq!(backup(&pbx, &[PAGE]).code, 0);
    let text = fs::read_to_string(file(&pbx)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let torn: String = lines[2].chars().take(40).collect();
    fs::write(file(&pbx), format!("{}\n{}\n{torn}", lines[0], lines[1])).unwrap();
    wipe(&pbx);
    let said = undo(&pbx);
    assert!(said.err.contains("has no end"), "{}", said.err);
    assert!(said.err.contains("cannot be given back: event 1"), "{}", said.err);
    assert_eq!((said.code, events(&pbx).len()), (3, 1), "{}", said.err);
}

#[test]
fn what_an_undo_of_a_backup_could_not_make_is_made_by_the_next_in_the_same_file() {
    let pbx = named("the-page");
    let before = bodies(&pbx);
    assert_eq!(backup(&pbx, &[PAGE]).code, 0);
    wipe(&pbx);
    pbx.simulator.with_world(|world| {
        let code = Some("pce_url_invalid".to_owned());
        let method = Some("POST".to_owned());
        let path = Some("phoneCallEvents".to_owned());
        world.add_fault(Fault {
            method,
            path,
            nth: Some(2),
            status: Some(400),
            code,
            ..Fault::default()
        });
    });
    assert_eq!(undo(&pbx).code, 3);
    assert_eq!(undo(&pbx).code, 0);
    assert_eq!(bodies(&pbx), before);
    let runs = pbx.run(&["runs", "--format=json"]).document();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2, "the deletion and one undo");
}

#[test]
fn of_a_file_that_was_edited_only_right_lines_are_used_and_what_is_none_is_told_as_what_it_is() {
    let pbx = named("the-page");
    let before = bodies(&pbx);
    assert_eq!(backup(&pbx, &[PAGE]).code, 0);
    let whole = fs::read_to_string(file(&pbx)).unwrap();
    wipe(&pbx);
    let other = |name: &str, text: &str| {
        let path = pbx.home.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (head, rest) = whole.split_once('\n').unwrap();
    let elsewhere = head.replace(&pbx.simulator.origin(), "https://pbx.other.test");
    let elsewhere = summed(elsewhere.rsplit_once(",\"sum\"").unwrap().0);
    for (path, why) in [
        (
            other("foreign", &format!("{elsewhere}\n{rest}")),
            "the PBX with --url https://pbx.other.test\n",
        ),
        (other("headless", rest), "is no run file and no backup whose first line can be read"),
        (
            other("garbage", "\u{1b}[2J"),
            "is no run file and no backup whose first line can be read",
        ),
        (other("empty", ""), "is no run file and no backup whose first line can be read"),
        ("./nothing/here".to_owned(), "is not there: check the path"),
        ("/dev/null".to_owned(), "is no run file and no backup whose first line can be read"),
        ("/dev/zero".to_owned(), "is no run file and no backup whose first line can be read"),
    ] {
        let said = pbx.run(&["undo", &path, "--yes"]);
        assert_eq!((said.code, said.err.contains(why)), (2, true), "{path}: {}", said.err);
    }
    let edited = other("edited", &whole.replacen("crm.acme.test", "evil.test", 1));
    let said = pbx.run(&["undo", &edited, "--yes"]);
    assert!(said.err.contains("line 2: its sum is wrong"), "{}", said.err);
    assert!(said.err.contains("cannot be given back: event 0"), "{}", said.err);
    assert_eq!((said.code, events(&pbx).len()), (3, 2), "{}", said.err);
    assert!(events(&pbx).iter().all(|event| !event.url.contains("evil")));
    assert_eq!(undo(&pbx).code, 0);
    assert_eq!(bodies(&pbx), before);
}

#[test]
fn what_stands_beside_the_row_in_a_file_is_for_people_and_decides_nothing() {
    let pbx = named("the-page");
    let before = bodies(&pbx);
    assert_eq!(backup(&pbx, &[PAGE]).code, 0);
    let whole = fs::read_to_string(file(&pbx)).unwrap();
    let edited = whole.lines().map(|line| {
        let beside = line.rfind("\"url\":\"").filter(|_| line.contains("\"line\":\"event\""));
        let Some(at) = beside else { return format!("{line}\n") };
        let (row, beside) = line.split_at(at);
        let line = format!("{row}{}", beside.replacen("http", "spoilt", 1));
        format!("{}\n", summed(line.rsplit_once(",\"sum\"").unwrap().0))
    });
    fs::write(file(&pbx), edited.collect::<String>()).unwrap();
    let said = undo(&pbx);
    assert_eq!((said.code, bodies(&pbx)), (4, before.clone()), "{}", said.err);
    wipe(&pbx);
    let said = undo(&pbx);
    assert_eq!((said.code, bodies(&pbx)), (0, before), "{}", said.err);
}

#[test]
fn the_receipt_of_a_backup_says_that_its_events_are_kept() {
    let pbx = named("the-page");
    assert_eq!(backup(&pbx, &[PAGE]).code, 0);
    let path = file(&pbx);
    let receipt =
        |form: &str| pbx.run(&["show", path.to_str().unwrap(), "--format", form, "--mask"]).out;
    let markdown = receipt("md");
    assert!(markdown.contains("| Result | 3 kept |"), "{markdown}");
    assert_eq!(markdown.matches("\n| kept | ").count(), 3, "{markdown}");
    let csv = receipt("csv");
    assert_eq!(csv.matches("\nkept,").count(), 3, "{csv}");
    for text in [markdown, csv] {
        assert!(!text.contains("not sent") && !text.contains("nothing deleted"), "{text}");
        assert!(!text.contains("crm.acme.test"), "{text}");
    }
}
