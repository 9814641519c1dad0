//! Disabling, enabling and re-pointing with the real binary and a simulator: what is changed, what of
//! it comes back, and what a later process deletes of it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use callsweep::simulator::{Besides, Event, Extension, Fault, Kind, World, Written};
use serde_json::{Value, json};

use crate::headless::{Pbx, Said, command, configure, named, pbx};
use crate::session::{PATIENCE, until};

const NUMBERS: [&str; 3] = ["0003*101", "0003*102", "0003*600"];
const NUMBER: &str = "0003*210";

/// Three extensions with 70 events whose host is the old one, and ten with another.
fn customer() -> World {
    let mut world = World::new("a customer who changed the CRM", "token");
    for (which, number) in NUMBERS.into_iter().enumerate() {
        let mut phone = Extension::new(number, Kind::Terminal, "");
        let events = [25, 25, 30];
        for place in 0..events[which] {
            let host = if which == 2 && place % 3 == 0 { "else.test" } else { "CRM-old.test:8443" };
            phone.events.push(Event {
                event_type: u16::try_from(place % 5).unwrap(),
                id: format!("id{which}x{place}"),
                method: u16::try_from(place % 2).unwrap(),
                url: format!("https://{host}/in?n={place}&q=%2A%20a"),
                note: if place == 3 { "a \"note\"".to_owned() } else { String::new() },
                status: 1,
                modified: "2019-02-28T09:00:00Z".to_owned(),
            });
        }
        world.insert(phone);
    }
    world
}

fn events(pbx: &Pbx) -> Vec<Event> {
    pbx.simulator
        .with_world(|world| world.extensions().flat_map(|each| each.events.clone()).collect())
}

/// All that is there, without what the service gives by itself.
fn bodies(pbx: &Pbx) -> Vec<(u16, u16, String, String, u16)> {
    let body = |event: Event| (event.event_type, event.method, event.url, event.note, event.status);
    let mut bodies: Vec<_> = events(pbx).into_iter().map(body).collect();
    bodies.sort();
    bodies
}

fn listed(pbx: &Pbx) {
    let numbers = format!("extensions = {NUMBERS:?}");
    configure(&pbx.home, &pbx.simulator.origin(), &numbers);
}

fn runs(pbx: &Pbx) -> Vec<Value> {
    pbx.run(&["runs", "--format=json"]).document()["runs"].as_array().unwrap().clone()
}

fn fault(pbx: &Pbx, fault: Fault) {
    pbx.simulator.with_world(|world| world.add_fault(fault));
}

fn put() -> Fault {
    Fault { method: Some("PUT".to_owned()), ..Fault::default() }
}

fn words(said: &Said) -> Vec<String> {
    let document = said.document();
    let outcomes = document["outcomes"].as_array().unwrap();
    outcomes.iter().map(|it| it["outcome"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn seventy_urls_lead_to_the_new_host_one_is_refused_and_an_undo_gives_every_old_one_back() {
    let pbx = pbx(customer());
    listed(&pbx);
    let before = bodies(&pbx);
    let code = Some("pce_url_invalid".to_owned());
    fault(&pbx, Fault { nth: Some(17), status: Some(400), code, ..put() });
    let how = ["repoint", "crm-old.test=crm-new.test", "--where=ext:*", "--yes", "--format=json"];
    let said = pbx.run(&how);
    assert_eq!(said.code, 3, "{}", said.err);
    let document = said.document();
    let summary = &document["summary"];
    assert_eq!((&summary["changed"], &summary["refused"]), (&json!(69), &json!(1)), "{}", said.err);
    assert_eq!((&document["check"], &document["verified"]), (&json!("agrees"), &json!(true)));
    assert_eq!(document["calls"][0]["method"], "PUT");
    assert_eq!(said.err.matches("left out: ").count(), 10, "{}", said.err);
    let moved =
        events(&pbx).into_iter().filter(|it| it.url.starts_with("https://crm-new.test:8443/in?n="));
    assert_eq!(moved.count(), 69);
    let run = runs(&pbx).remove(0);
    assert_eq!(
        (&run["kind"], &run["changed"], &run["planned"]),
        (&json!("change"), &json!(69), &json!(70))
    );
    let name = run["run"].as_str().unwrap();

    let said = pbx.run(&["undo", name, "--yes", "--format=json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.document()["summary"]["restored"], 69);
    assert_eq!(bodies(&pbx), before);
    let puts = pbx.requests().iter().filter(|it| it.starts_with("PUT")).count();
    assert_eq!(puts, 70 + 69, "what was refused was never written");
    let run = runs(&pbx).pop().unwrap();
    assert_eq!(run["undo"]["not_back"], 0, "{run}");
    assert!(run["undone_by"].is_string(), "{run}");
    let said = pbx.run(&["undo", name, "--yes"]);
    assert_eq!(said.code, 4, "{}", said.err);
}

#[test]
fn what_a_run_disabled_is_deleted_by_a_later_process_if_it_is_still_as_it_was_left() {
    let pbx = named("the-page");
    let said = pbx.run(&["disable", "--extension=0003*210", "--yes", "--format=json"]);
    assert_eq!((said.code, words(&said)), (0, vec!["changed".to_owned(); 2]), "{}", said.err);
    assert!(said.err.contains("is off already"), "{}", said.err);
    assert!(events(&pbx).iter().all(|event| event.status == 0));
    let run = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    let id = "Asds2qw2frtabmFj8gNWq3hsiGNYyq";
    pbx.simulator.with_world(|world| {
        let events = &mut world.extension_mut(NUMBER).unwrap().events;
        events.iter_mut().find(|event| event.id == id).unwrap().note = "mine".to_owned();
    });
    let of_run = format!("--of-run={run}");
    let list = pbx.run(&["list", &of_run, "--format=json"]).document();
    assert_eq!(list["events"].as_array().unwrap().len(), 1);
    let said = pbx.run(&["delete", &of_run, "--yes", "--format=json"]);
    assert_eq!((said.code, words(&said)), (0, vec!["deleted".to_owned()]), "{}", said.err);
    let why = format!("Dial-Out {id} was changed since: note");
    assert!(said.err.contains(&format!("left out: {NUMBER} {why}")), "{}", said.err);
    assert_eq!(events(&pbx).len(), 2);
    let deletion = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    let said = pbx.run(&["delete", &format!("--of-run={deletion}"), "--yes"]);
    assert_eq!(said.code, 2, "{}", said.err);
    let said = pbx.run(&["disable", &of_run, "--extension=0003*210", "--yes"]);
    assert_eq!(said.code, 2, "{}", said.err);
}

#[test]
fn what_is_left_out_of_what_a_run_did_is_named_with_the_reason_in_text_and_in_the_document() {
    let pbx = pbx(customer());
    listed(&pbx);
    let code = Some("pce_access_denied".to_owned());
    fault(&pbx, Fault { nth: Some(3), status: Some(400), code, ..put() });
    assert_eq!(pbx.run(&["disable", "--where=ext:0003*101", "--yes"]).code, 3);
    let run = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    let refused = events(&pbx).into_iter().find(|it| it.id.starts_with("id0") && it.status == 1);
    let refused = refused.unwrap().id;
    pbx.simulator.with_world(|world| {
        let there = &mut world.extension_mut(NUMBERS[0]).unwrap().events;
        there.retain(|event| event.id != "id0x7");
        for event in there.iter_mut().filter(|it| ["id0x5", "id0x6"].contains(&&*it.id)) {
            event.status = 1;
            event.note = "mine".to_owned();
        }
    });
    let of_run = format!("--of-run={run}");
    let why = |id: &str| match id {
        "id0x5" | "id0x6" => "was changed since: note, status",
        "id0x7" => "is no longer listed",
        _ => "was refused in that run",
    };
    let list = pbx.run(&["list", &of_run]);
    let dry = pbx.run(&["delete", &of_run, "--dry-run", "--format=json"]);
    let said = pbx.run(&["delete", &of_run, "--yes", "--format=json"]);
    let all = ["id0x5", "id0x6", "id0x7", &refused];
    for one in [&dry, &said] {
        let document = one.document();
        let left_out = document["left_out"].as_array().unwrap();
        let mut told: Vec<_> = left_out.iter().map(|it| it["id"].as_str().unwrap()).collect();
        told.sort_unstable();
        let mut expected = all;
        expected.sort_unstable();
        assert_eq!(told, expected, "{}", one.err);
        for it in left_out {
            assert_eq!(it["why"], why(it["id"].as_str().unwrap()), "{it}");
            assert!(it["extension"] == NUMBERS[0] && it["type"].is_u64(), "{it}");
        }
    }
    assert_eq!(said.document()["summary"]["deleted"], 21, "{}", said.err);
    for (id, said) in all.iter().flat_map(|id| [(id, &dry), (id, &said), (id, &list)]) {
        let line = said.err.lines().find(|line| line.contains(id)).unwrap_or_default();
        assert!(line.contains("left out: ") && line.ends_with(why(id)), "{id}: {}", said.err);
    }
    // Nothing is left of it, and what cannot be looked at is not called gone.
    pbx.simulator.with_world(|world| {
        let code = Some("pce_access_denied".to_owned());
        let method = Some("GET".to_owned());
        let path = Some("phoneCallEvents".to_owned());
        world.add_fault(Fault { method, path, status: Some(400), code, ..Fault::default() });
    });
    let said = pbx.run(&["delete", &of_run, "--yes", "--format=json"]);
    let document = said.document();
    let left_out = document["left_out"].as_array().unwrap();
    assert_eq!((said.code, left_out.len()), (1, 25), "{}", said.err);
    let unlisted = "could not be looked at: its extension could not be listed";
    assert_eq!(left_out.iter().filter(|it| it["why"] == unlisted).count(), 24, "{}", said.err);
    // A change names in its document what it leaves out too.
    pbx.simulator.with_world(World::clear_faults);
    let said = pbx.run(&["disable", "--where=ext:0003*101", "--dry-run", "--format=json"]);
    let document = said.document();
    let left_out = document["left_out"].as_array().unwrap();
    assert!(left_out.iter().all(|it| it["why"] == "is off already"), "{}", said.err);
}

/// Whatever the service answers, and whether ids stay or not: what is told is so, and the old values
/// come back.
#[test]
fn whatever_a_put_answers_the_list_decides_what_became_of_it_and_undo_gives_the_old_values_back() {
    let acted = Fault { acts: true, ..put() };
    let code = Some("pce_access_denied".to_owned());
    let cases = [
        ("nothing goes wrong", None, "changed", 0),
        (
            "500, acted",
            Some(Fault { status: Some(500), times: Some(1), ..acted.clone() }),
            "changed",
            0,
        ),
        ("lost, acted", Some(Fault { reset: true, times: Some(1), ..acted.clone() }), "changed", 0),
        ("lost", Some(Fault { reset: true, times: Some(1), ..put() }), "changed", 0),
        ("503", Some(Fault { status: Some(503), times: Some(1), ..put() }), "changed", 0),
        ("429", Some(Fault { status: Some(429), times: Some(1), ..put() }), "changed", 0),
        ("204, idle", Some(Fault { status: Some(204), ..put() }), "refused", 1),
        ("refused", Some(Fault { status: Some(400), code: code.clone(), ..put() }), "refused", 1),
        ("refused, acted", Some(Fault { status: Some(400), code, ..acted }), "unknown", 1),
    ];
    std::thread::scope(|threads| {
        for (name, lie, word, exit) in cases {
            threads.spawn(move || {
                for (renames, answer) in [
                    (false, Written::Id),
                    (false, Written::NoContent),
                    (true, Written::Array),
                    (true, Written::NoContent),
                ] {
                    let what = format!("{name}, renames {renames}, {answer:?}");
                    judged(&what, lie.as_ref(), (renames, answer), word, exit);
                }
            });
        }
    });
}

/// Disables the two that are on, with this fault, and undoes it without one.
fn judged(
    what: &str,
    lie: Option<&Fault>,
    (renames, answer): (bool, Written),
    word: &str,
    exit: i32,
) {
    let pbx = named("the-page");
    pbx.simulator.with_world(|world| {
        world.changes.renames = renames;
        world.shapes.update = answer;
    });
    let before = bodies(&pbx);
    if let Some(lie) = lie {
        fault(&pbx, lie.clone());
    }
    let said = pbx.run(&["disable", "--extension=0003*210", "--yes", "--format=json"]);
    assert_eq!((said.code, words(&said)), (exit, vec![word.to_owned(); 2]), "{what}: {}", said.err);
    assert!(!said.err.contains("changed since the review"), "{what}: {}", said.err);
    let renamed = said.document()["outcomes"][0]["new_id"].is_string();
    assert_eq!(renamed, renames && word == "changed", "{what}");
    let run = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    pbx.simulator.with_world(World::clear_faults);
    let said = pbx.run(&["undo", &run, "--yes", "--format=json"]);
    let nothing = word == "refused";
    assert_eq!(said.code, if nothing { 4 } else { 0 }, "{what}: {}", said.err);
    assert_eq!(bodies(&pbx), before, "{what}");
}

/// The answers tell no new ids, and the lists of those who go on do.
#[test]
fn an_undo_that_was_cut_off_behind_its_answers_is_over_once_a_list_confirms_them() {
    let pbx = named("the-page");
    pbx.simulator.with_world(|world| {
        world.changes.renames = true;
        world.shapes.update = Written::NoContent;
    });
    assert_eq!(pbx.run(&["disable", "--extension=0003*210", "--yes"]).code, 0);
    let run = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    assert_eq!(pbx.run(&["undo", &run, "--yes"]).code, 0);
    let undo = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    let path = pbx.home.path().join(format!(".local/state/callsweep/runs/{undo}.jsonl"));
    let whole = std::fs::read_to_string(&path).unwrap();
    let (answered, _) = whole.split_once("{\"line\":\"verified\"").unwrap();
    std::fs::write(&path, answered).unwrap();
    for (code, told) in [(0, "has already been restored"), (4, "nothing to undo")] {
        let said = pbx.run(&["undo", &run, "--yes"]);
        assert_eq!(said.code, code, "{}", said.err);
        assert!(said.err.contains(told), "{}", said.err);
    }
    assert!(runs(&pbx)[0]["finished"].is_string());
}

/// A run over the customer's 70 URLs, killed once the service has seen so many PUTs.
fn killed(moment: usize, renames: bool) -> Pbx {
    let pbx = pbx(customer());
    listed(&pbx);
    pbx.simulator.with_world(|world| {
        world.changes.renames = renames;
        world.latency.get = Duration::from_millis(2);
    });
    let token = pbx.simulator.token();
    let mut command = command(&pbx.home, &token, &MOVES);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let puts = || {
        pbx.simulator
            .with_world(|world| world.requests().iter().filter(|seen| seen.method == "PUT").count())
    };
    let give_up = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() && puts() < moment {
        assert!(Instant::now() < give_up, "PUT {moment} never came");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    pbx
}

const MOVES: [&str; 4] = ["repoint", "crm-old.test=crm-new.test", "--where=ext:*", "--yes"];

fn moved(pbx: &Pbx) -> usize {
    events(pbx).iter().filter(|event| event.url.starts_with("https://crm-new.test:8443/")).count()
}

#[test]
fn killed_in_the_middle_a_change_is_gone_on_with_in_its_file_or_undone_also_where_ids_change() {
    let mut rng = fastrand::Rng::new();
    std::thread::scope(|threads| {
        for renames in [false, true] {
            for undoes in [false, true] {
                let moment = rng.usize(0..70);
                threads.spawn(move || killed_and_taken_on(moment, renames, undoes));
            }
        }
    });
}

fn killed_and_taken_on(moment: usize, renames: bool, undoes: bool) {
    let pbx = killed(moment, renames);
    let what = format!("killed at {moment}, renames {renames}");
    let Some(run) = runs(&pbx).into_iter().next() else { return };
    let name = run["run"].as_str().unwrap();
    let count = |what: &str| usize::try_from(run[what].as_u64().unwrap()).unwrap();
    let (changed, unknown, all) = (count("changed"), count("unknown"), count("planned"));
    assert_eq!(changed + unknown + count("not_sent"), all, "{what}: {run}");
    let there = moved(&pbx);
    assert!(there >= changed && there <= changed + unknown, "{what}: {there} moved, {run}");
    if !undoes && run["finished"].is_null() {
        let said = pbx.run(&["resume", name, "--yes", "--format=json"]);
        assert!(!said.err.contains("deleted"), "a change deletes nothing: {}", said.err);
        assert_eq!((said.code, moved(&pbx)), (0, 70), "{what}: {}", said.err);
        assert_eq!(said.document()["summary"]["changed"], 70, "{what}: {}", said.err);
        assert_eq!(runs(&pbx).len(), 1, "{what}: one job is one run");
    }
    let said = pbx.run(&["undo", name, "--yes"]);
    assert!([0, 4].contains(&said.code), "{what}: {}", said.err);
    assert_eq!(moved(&pbx), 0, "{what}: {}", said.err);
    let old =
        events(&pbx).iter().filter(|it| it.url.starts_with("https://CRM-old.test:8443/")).count();
    assert_eq!(old, 70, "{what}");
}

#[test]
fn what_changed_since_is_named_and_left_out_and_what_is_gone_is_unknown_and_never_made() {
    let pbx = named("the-page");
    assert_eq!(pbx.run(&["disable", "--extension=0003*210", "--yes"]).code, 0);
    let run = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    pbx.simulator.with_world(|world| {
        let events = &mut world.extension_mut(NUMBER).unwrap().events;
        events[0].status = 1;
        events.remove(1);
    });
    let named = "Dial-Out Asds2qw2frtabmFj8gNWq3hsiGNYyq: no longer listed under its id";
    let dry = pbx.run(&["undo", &run, "--dry-run", "--format=json"]);
    assert_eq!((dry.code, &dry.document()["calls"]), (0, &json!([])), "{}", dry.err);
    assert!(dry.err.contains(named), "{}", dry.err);
    let shown = pbx.run(&["undo", &run, "--dry-run"]);
    assert!(!shown.out.contains("PUT") && shown.out.contains("0 events would be"), "{}", shown.out);
    let asks = pbx.run(&["undo", &run]);
    assert_eq!(asks.code, 4);
    assert!(asks.err.contains("no event can be written back"), "{}", asks.err);
    let said = pbx.run(&["undo", &run, "--yes", "--format=json"]);
    let document = said.document();
    assert_eq!((said.code, &document["summary"]["unknown"]), (1, &json!(1)), "{}", said.err);
    assert!(said.err.contains(named), "{}", said.err);
    assert!(pbx.requests().iter().all(|request| !request.starts_with("POST")));
    let line = &runs(&pbx)[1];
    assert_eq!(line["undo"]["not_back"], 1, "{line}");
    assert!(line["undone_by"].is_null(), "{line}");

    let moves = ["repoint", "crm.acme.test=crm.test", "--where=ext:*", "--yes"];
    assert_eq!(pbx.run(&moves).code, 0);
    let run = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    pbx.simulator.with_world(|world| {
        world.extension_mut(NUMBER).unwrap().events[0].url = "https://mine.test/".to_owned();
    });
    let said = pbx.run(&["undo", &run, "--yes"]);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.contains("changed since by somebody else"), "{}", said.err);
    assert_eq!(events(&pbx)[0].url, "https://mine.test/");
}

#[test]
fn every_guard_of_a_deletion_holds_for_a_change() {
    let pbx = named("the-page");
    let puts = || pbx.requests().iter().filter(|request| request.starts_with("PUT")).count();
    let disable = |more: &[&str]| {
        pbx.run(&[&["disable", "--extension=0003*210", "--format=json"], more].concat())
    };
    let said = disable(&["--dry-run"]);
    let planned = said.document();
    assert_eq!((said.code, &planned["dry_run"]), (0, &json!(true)), "{}", said.err);
    assert_eq!(disable(&[]).code, 4, "nobody can say yes");
    assert_eq!(disable(&["--read-only", "--yes"]).code, 4);
    let origin = pbx.simulator.origin();
    configure(&pbx.home, &origin, "max_delete = 1");
    assert_eq!(disable(&["--yes"]).code, 4);
    configure(&pbx.home, &origin, "");
    assert_eq!((puts(), runs(&pbx).len()), (0, 0));
    let rows = pbx.run(&["disable", "--extension=0003*210", "--dry-run"]);
    assert!(rows.out.contains("status on → off"), "{}", rows.out);
    let said = disable(&["--yes"]);
    assert_eq!(said.document()["plan_hash"], planned["plan_hash"]);
    assert_eq!((said.code, puts()), (0, 2), "{}", said.err);
    assert_eq!(disable(&["--yes"]).code, 4, "all is so already");
    let none = ["repoint", "no.test=other.test", "--where=ext:*", "--yes"];
    assert_eq!(pbx.run(&none).code, 2);
    for broken in ["a=b c", "http://a.test/=http://", "crm.acme.test=https://b.test"] {
        assert_eq!(pbx.run(&["repoint", broken, "--where=ext:*", "--yes"]).code, 2, "{broken}");
    }
    assert_eq!(puts(), 2);
}

#[test]
fn only_the_changed_field_is_sent_after_a_listing_of_its_extension_and_never_what_drifted() {
    let pbx = named("the-page");
    // Between the listing of the review and the one under the lock somebody edits an event.
    pbx.simulator.with_world(|world| world.latency.get = Duration::from_millis(150));
    let token = pbx.simulator.token();
    let mut command = command(&pbx.home, &token, &["disable", "--extension=0003*210", "--yes"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until(|| pbx.requests().len() >= 2, "nothing goes out");
    pbx.simulator.with_world(|world| {
        world.extension_mut(NUMBER).unwrap().events[0].note = "mine".to_owned();
    });
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("1 event changed since the review: not sent"), "{}", said.err);
    let events = events(&pbx);
    assert_eq!((events[0].status, events[0].note.as_str(), events[1].status), (1, "mine", 0));
}

#[test]
fn what_an_undo_made_is_meant_by_its_run_and_what_it_only_found_is_not() {
    let pbx = named("the-page");
    let before = events(&pbx);
    assert_eq!(pbx.run(&["delete", "--extension=0003*210", "--yes"]).code, 0);
    let deletion = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    pbx.simulator.with_world(|world| {
        let there = &mut world.extension_mut(NUMBER).unwrap().events;
        there.push(Event { id: "byhand".to_owned(), ..before[0].clone() });
    });
    assert_eq!(pbx.run(&["undo", &deletion, "--yes"]).code, 0);
    let undo = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    assert_ne!(undo, deletion);
    let list = pbx.run(&["list", &format!("--of-run={undo}"), "--format=json"]).document();
    let listed = list["events"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|event| event["id"] != "byhand"));
    let said = pbx.run(&["disable", &format!("--of-run={undo}"), "--yes", "--format=json"]);
    assert_eq!((said.code, words(&said)), (0, vec!["changed".to_owned()]), "{}", said.err);
}

#[test]
fn what_a_change_does_to_others_is_told_by_name() {
    let told = [
        (Besides::SwitchesOff, "not in the plan, and changed meanwhile: 1 event ("),
        (Besides::Removes, "gone, though this run sent nothing for it: 1 event ("),
    ];
    for (besides, told) in told {
        let pbx = named("the-page");
        pbx.simulator.with_world(|world| world.besides = besides);
        let id = format!("id:{}", events(&pbx)[0].id);
        let said = pbx.run(&["disable", "--where", &id, "--yes"]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.err.contains(told), "{besides:?}: {}", said.err);
    }
}

/// The PUT takes the note away, and the PBX asks for so long a pause that nothing is listed any more.
#[test]
fn what_a_change_that_no_list_confirmed_may_have_altered_is_named_by_its_undo() {
    let pbx = named("the-page");
    let pause = Some("400".to_owned());
    fault(&pbx, Fault { status: Some(503), acts: true, retry_after: pause, ..put() });
    let said = pbx.run(&["disable", "--extension=0003*210", "--yes", "--format=json"]);
    assert_eq!((said.code, &said.document()["verified"]), (1, &json!(false)), "{}", said.err);
    let run = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    pbx.simulator.with_world(|world| {
        world.clear_faults();
        let there = &mut world.extension_mut("0003*210").unwrap().events;
        // One was off before.
        let changed = there.iter_mut().filter(|it| it.status == 0 && it.event_type != 2);
        changed.for_each(|it| it.note = "another".to_owned());
    });
    let said = pbx.run(&["undo", &run, "--yes", "--format=json"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("is there with another note"), "{}", said.err);
    let back: Vec<Event> = events(&pbx).into_iter().filter(|it| it.note == "another").collect();
    assert!(back.len() == 2 && back.iter().all(|event| event.status == 1));
}
