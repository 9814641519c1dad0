//! Disabling, enabling and re-pointing with the real binary and a simulator: what is changed, what of
//! it comes back, and what a later process deletes of it.

use callsweep::simulator::{Event, Extension, Fault, Kind, World, Written};
use serde_json::{Value, json};

use crate::headless::{Pbx, Said, configure, named, pbx};

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
    assert!(said.err.contains("is so already"), "{}", said.err);
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
    assert!(said.err.contains("1 event not as that run left them"), "{}", said.err);
    assert_eq!(events(&pbx).len(), 2);
    let deletion = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    let said = pbx.run(&["delete", &format!("--of-run={deletion}"), "--yes"]);
    assert_eq!(said.code, 2, "{}", said.err);
    let said = pbx.run(&["disable", &of_run, "--extension=0003*210", "--yes"]);
    assert_eq!(said.code, 2, "{}", said.err);
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
    let renamed = said.document()["outcomes"][0]["new_id"].is_string();
    assert_eq!(renamed, renames && word == "changed", "{what}");
    let run = runs(&pbx)[0]["run"].as_str().unwrap().to_owned();
    pbx.simulator.with_world(World::clear_faults);
    let said = pbx.run(&["undo", &run, "--yes", "--format=json"]);
    let nothing = word == "refused";
    assert_eq!(said.code, if nothing { 4 } else { 0 }, "{what}: {}", said.err);
    assert_eq!(bodies(&pbx), before, "{what}");
}
