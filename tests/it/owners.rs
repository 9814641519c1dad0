//! An App of an organisation, of an administrator and of a single user, in every reading of a path's
//! user: all extensions are listed with their owners, deleted from and undone, in at most three
//! requests that fail.

use callsweep::domain::Source;
use callsweep::simulator::{Event, Extension, Kind, Me, OutOfReach, Owners, World};
use serde_json::Value;

use crate::desk::{Desk, Setting};
use crate::headless::{Pbx, configure, pbx};

const BOTH: &str = "discover = [\"presence\", \"system_api\"]\n";
/// Requests that may fail until it is known what this PBX takes.
const MOST_FAILURES: usize = 3;

fn organisation(world: World, profile: &str) -> Pbx {
    let pbx = pbx(world);
    configure(&pbx.home, &pbx.simulator.origin(), profile);
    pbx
}

/// What an address blocker counted since this was asked last.
fn failed(pbx: &Pbx) -> usize {
    pbx.simulator.with_world(|world| {
        let counts = |method: &str| method == "GET" || method == "POST";
        let failed = world.requests().iter().filter(|seen| counts(&seen.method));
        let failed = failed.filter(|seen| seen.status >= 300).count();
        world.forget_requests();
        failed
    })
}

fn listed(pbx: &Pbx) -> Value {
    let said = pbx.run(&["list", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// What every event is, in an order of its own: ids change on the way back.
fn contents(pbx: &Pbx) -> Vec<(String, u16, String, String)> {
    pbx.simulator.with_world(|world| {
        let mut all: Vec<_> = world
            .extensions()
            .flat_map(|extension| {
                let number = extension.number().to_owned();
                extension.events.iter().map(move |event| {
                    (number.clone(), event.event_type, event.url.clone(), event.note.clone())
                })
            })
            .collect();
        all.sort();
        all
    })
}

#[test]
fn an_organisation_is_listed_deleted_from_and_undone_in_every_reading_of_a_paths_user() {
    for scenario in [
        "an-organisation-strict",
        "an-organisation-open",
        "an-organisation-by-id",
        "an-organisation-at-owner",
        "an-organisation-silent",
    ] {
        let pbx = organisation(World::named(scenario).unwrap(), BOTH);
        let before = contents(&pbx);
        let list = listed(&pbx);
        assert_eq!(list["complete"], true, "{scenario}: {list}");
        let extensions = list["extensions"].as_array().unwrap();
        let facts: Vec<_> = extensions
            .iter()
            .map(|one| ["extension", "kind", "owner", "owner_name"].map(|name| one[name].as_str()))
            .map(|facts| facts.map(Option::unwrap_or_default))
            .collect();
        let expected = [
            ["0003*210", "phone", "101", "Ada Moore"],
            ["0003*211", "phone", "101", "Ada Moore"],
            ["0003*220", "phone", "102", "Ben Ochs"],
            ["0003*600", "queue", "101", "Ada Moore"],
            ["0003*700", "ivr", "103", "Cleo Park"],
        ];
        assert_eq!(facts, expected, "{scenario}");
        assert_eq!(list["events"].as_array().unwrap().len(), 10, "{scenario}");
        assert!(failed(&pbx) <= MOST_FAILURES, "{scenario}");

        let wanted = ["delete", "--where", "owner:101", "--yes"];
        let said = pbx.run(&wanted);
        assert_eq!(said.code, 0, "{scenario}: {}", said.err);
        assert_eq!(contents(&pbx).len(), 4, "{scenario}");
        assert!(failed(&pbx) <= MOST_FAILURES, "{scenario}");

        let said = pbx.run(&["undo", "latest", "--yes"]);
        assert_eq!(said.code, 0, "{scenario}: {}", said.err);
        assert_eq!(contents(&pbx), before, "{scenario}");
        assert_eq!(failed(&pbx), 0, "{scenario}: what worked is in the run file");
    }
}

#[test]
fn on_the_screen_an_organisation_is_there_at_the_first_start_and_an_owners_events_go_and_come_back()
{
    for scenario in [
        "an-organisation-strict",
        "an-organisation-open",
        "an-organisation-by-id",
        "an-organisation-at-owner",
        "an-organisation-silent",
    ] {
        let sources = &[Source::Presence, Source::SystemApi];
        let mut desk = Desk::with(scenario, Setting { sources, ..Setting::default() });
        desk.sees("5 ext  10 events");
        desk.sees("Reception · Ada Moore");
        desk.do_keys("T o w n e r : 1 0 1 enter d");
        desk.sees("DELETE 6 phone call events");
        desk.do_keys("y");
        desk.sees("finished: 6 deleted");
        assert_eq!(desk.simulator.with_world(|world| world.event_count()), 4, "{scenario}");
        desk.do_keys("z y");
        desk.sees("6 restored");
        assert_eq!(desk.simulator.with_world(|world| world.event_count()), 10, "{scenario}");
        let failed = desk.simulator.with_world(|world| {
            let seen = world.requests().iter();
            seen.filter(|seen| seen.method != "DELETE" && seen.status >= 300).count()
        });
        assert!(failed <= MOST_FAILURES, "{scenario}: {failed}");
    }
}

#[test]
fn the_run_file_tells_owner_and_path_user_of_every_event() {
    let pbx = organisation(World::named("an-organisation-by-id").unwrap(), BOTH);
    assert_eq!(pbx.run(&["delete", "--where", "ext:0003*220", "--yes"]).code, 0);
    let runs = pbx.home.path().join(".local/state/callsweep/runs");
    let file = std::fs::read_dir(runs).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events: Vec<_> = lines.filter(|line| line["line"] == "event").collect();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["owner"] == "102" && event["path_user"] == "102"));
    assert!(text.contains("/uapi/extensions/102/0003*220/phoneCallEvents/0/"));
}

/// Thirty users with ten extensions each, a phone in three without an event.
fn large() -> World {
    let mut world = World::new("thirty users", "t");
    world.owners = Owners { me: Me::Own, ..Owners::default() };
    for user in 0..30 {
        let id = (101 + user).to_string();
        world.add_user(&id, &format!("User {user}"));
        for place in 0..10 {
            let number = format!("0003*{}", 1000 + user * 10 + place);
            let kind = if place == 9 { Kind::Queue } else { Kind::Terminal };
            let mut extension = Extension::new(&number, kind, "");
            extension.owner = Some(id.clone());
            let events = if place % 3 == 0 { 0 } else { 4 };
            extension.events = (0..events)
                .map(|event| Event {
                    event_type: event % 3,
                    id: format!("e{number}x{event}").replace('*', "s"),
                    method: 0,
                    url: format!("https://crm.acme.test/{number}/{event}"),
                    note: String::new(),
                    status: 1,
                    modified: "2024-01-01T00:00:00Z".to_owned(),
                })
                .collect();
            world.insert(extension);
        }
    }
    world
}

#[test]
fn three_hundred_extensions_of_thirty_users_are_whole_and_owned_also_where_at_owner_is_refused() {
    for (at_owner, out_of_reach) in [
        (true, OutOfReach::PceAccessDenied),
        (false, OutOfReach::UserInvalid),
        (false, OutOfReach::AccessDenied),
        (false, OutOfReach::Empty),
    ] {
        let mut world = large();
        world.owners = Owners { at_owner, out_of_reach, ..world.owners };
        let pbx = organisation(world, BOTH);
        let list = listed(&pbx);
        let extensions = list["extensions"].as_array().unwrap();
        assert_eq!((extensions.len(), &list["complete"]), (300, &Value::Bool(true)));
        assert!(extensions.iter().all(|one| one["owner"].is_string() && one["complete"] == true));
        assert_eq!(list["events"].as_array().unwrap().len(), 720);
        assert!(failed(&pbx) <= MOST_FAILURES, "{out_of_reach:?}");
    }
}

#[test]
fn the_token_and_the_app_of_a_single_user_see_their_own_and_are_told_nothing_of_owners() {
    for is_app in [false, true] {
        let mut world = World::named("an-organisation-strict").unwrap();
        world.set_user("101");
        world.owners.get_users = false;
        world.set_app("single-user-app", "single~user~secret");
        let pbx = organisation(world, BOTH);
        if is_app {
            let file = pbx.home.path().join(".config/callsweep/config.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            let app = "app_key = \"single-user-app\"\n\
                       app_secret_command = [\"echo\", \"single~user~secret\"]";
            std::fs::write(&file, text.replace("token_env = \"TOKEN\"", app)).unwrap();
        }
        let list = listed(&pbx);
        let extensions = list["extensions"].as_array().unwrap();
        assert_eq!((extensions.len(), &list["complete"]), (3, &Value::Bool(true)), "{list}");
        assert!(failed(&pbx) <= MOST_FAILURES);
        assert_eq!(pbx.run(&["delete", "--where", "ext:0003*210", "--yes"]).code, 0);
        assert_eq!(pbx.run(&["undo", "latest", "--yes"]).code, 0);
        assert!(failed(&pbx) <= MOST_FAILURES);
    }
}

#[test]
fn an_organisation_that_asks_presence_alone_is_told_what_to_write_and_nothing_is_called_complete() {
    let pbx = organisation(World::named("an-organisation-strict").unwrap(), "");
    let said = pbx.run(&["list", "--format", "json"]);
    let list: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &list["complete"]), (1, &Value::Bool(false)), "{}", said.err);
    assert!(said.err.contains("discover = [\"presence\", \"system_api\"]"), "{}", said.err);
    let said = pbx.run(&["check"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("→ write discover = [\"presence\", \"system_api\"]"), "{}", said.out);
}

#[test]
fn a_typed_number_names_its_owner_and_one_without_is_asked_about() {
    let typed = "discover = []\nextensions = [\"101/0003*210\", \"0003*220\"]\n";
    let pbx = organisation(World::named("an-organisation-by-id").unwrap(), typed);
    let said = pbx.run(&["list", "--format", "json"]);
    let list: Value = serde_json::from_str(&said.out).unwrap();
    let of = |place: usize| &list["extensions"][place];
    assert_eq!((said.code, &of(0)["owner"], &of(0)["events"]), (3, &"101".into(), &2.into()));
    let why = of(1)["failure"]["message"].as_str().unwrap();
    assert!(why.contains("@owner (user_invalid)"), "{why}");
    assert!(why.contains("extensions = [\"101/0003*211\"]"), "{why}");
    assert!(failed(&pbx) <= MOST_FAILURES);

    configure(&pbx.home, &pbx.simulator.origin(), BOTH);
    let said = pbx.run(&["list", "--extension", "0003*220", "--format", "json"]);
    let list: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &list["extensions"][0]["owner"]), (0, &"102".into()), "{}", said.err);
    let said = pbx.run(&["list", "--extension", "102/0003*220", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn a_short_number_and_its_extended_one_are_one_extension_where_system_api_says_so() {
    let mut world = World::named("an-organisation-open").unwrap();
    world.owners.short_presence = true;
    let pbx = organisation(world, BOTH);
    let list = listed(&pbx);
    let numbers = list["extensions"].as_array().unwrap().iter().map(|one| &one["extension"]);
    let numbers: Vec<_> = numbers.map(|number| number.as_str().unwrap()).collect();
    assert_eq!(numbers, ["0003*210", "0003*211", "0003*220", "0003*600", "0003*700"]);
    assert_eq!(list["events"].as_array().unwrap().len(), 10);
}

#[test]
fn without_a_word_of_system_api_two_numbers_are_one_only_where_their_lists_are_the_same() {
    let mut world = World::named("an-organisation-open").unwrap();
    world.owners = Owners { short_presence: true, details: false, ..Owners::default() };
    world.extension_mut("0003*211").unwrap().events.clear();
    let pbx = organisation(world, BOTH);
    let list = listed(&pbx);
    let numbers = list["extensions"].as_array().unwrap().iter().map(|one| &one["extension"]);
    let numbers: Vec<_> = numbers.map(|number| number.as_str().unwrap()).collect();
    assert_eq!(numbers, ["0003*210", "0003*211", "0003*220", "0003*600", "0003*700", "211"]);
    assert_eq!(list["events"].as_array().unwrap().len(), 8);
}
