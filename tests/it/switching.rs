//! `x` and `e` on the screen, over real HTTP: URLs that lead to another host and back again, and what
//! was disabled, deleted by another process later.

use std::time::Duration;

use callsweep::simulator::{Event, Extension, Fault, Kind, World};

use crate::desk::{Desk, Setting};
use crate::headless::{Said, command, configure};

const NUMBERS: [&str; 3] = ["0003*101", "0003*102", "0003*103"];

/// Three extensions with 70 events whose host is the old one, and ten with another.
fn customer() -> World {
    let mut world = World::new("a customer who changed the CRM", "token");
    for (which, number) in NUMBERS.into_iter().enumerate() {
        let mut phone = Extension::new(number, Kind::Terminal, "");
        for place in 0..[25, 25, 30][which] {
            let host = if which == 2 && place % 3 == 0 { "else.test" } else { "CRM-old.test:8443" };
            phone.events.push(Event {
                event_type: u16::try_from(place % 5).unwrap(),
                id: format!("id{which}x{place}"),
                method: u16::try_from(place % 2).unwrap(),
                url: format!("https://{host}/in?n={place}&q=%2A%20a"),
                note: String::new(),
                status: 1,
                modified: "2019-02-28T09:00:00Z".to_owned(),
            });
        }
        world.insert(phone);
    }
    world
}

fn events(desk: &Desk) -> Vec<Event> {
    desk.simulator
        .with_world(|world| world.extensions().flat_map(|each| each.events.clone()).collect())
}

fn urls(desk: &Desk) -> Vec<String> {
    let mut urls: Vec<String> = events(desk).into_iter().map(|event| event.url).collect();
    urls.sort();
    urls
}

fn put() -> Fault {
    Fault { method: Some("PUT".to_owned()), ..Fault::default() }
}

/// Keys for a text, a key a character.
fn keys(text: &str) -> String {
    text.chars().flat_map(|character| [character, ' ']).collect()
}

fn off(desk: &Desk) -> usize {
    events(desk).iter().filter(|event| event.status == 0).count()
}

#[test]
fn seventy_urls_lead_to_the_new_host_one_is_refused_and_z_gives_every_old_one_back() {
    let mut desk = Desk::of(customer(), Setting::default());
    let before = urls(&desk);
    let code = Some("pce_url_invalid".to_owned());
    desk.simulator.with_world(|world| {
        world.add_fault(Fault { nth: Some(17), status: Some(400), code, ..put() });
    });
    desk.do_keys(&format!("0 1 A e {}", keys("crm-old.test=crm-new.test")));
    desk.sees("70 events, 10 do not fit: Enter reviews, Esc cancels");
    desk.do_keys("enter");
    desk.sees("RE-POINT 70 phone call events on");
    desk.sees("CRM-old.test:8443/in?n=0&q=%2A%20a → crm-new.test:8443/in?n=0&q=%2A%20a");
    desk.sees("! OLD does not fit 10 events: left out");
    desk.do_keys("y");
    assert_eq!(urls(&desk), before, "its number is not typed");
    desk.do_keys("7 0 y");
    desk.passes(Duration::from_secs(20));
    desk.sees("69 changed, 1 refused; z undoes it; r goes on with 1");
    let moved = urls(&desk).into_iter().filter(|url| url.starts_with("https://crm-new.test:8443/"));
    assert_eq!(moved.count(), 69);
    assert_eq!(desk.marked().len(), 11, "the refused one and those that OLD does not fit");
    let store = desk.model.store();
    let listed = store.with_url("https://crm-new.test:8443/in?n=0&q=%2A%20a").count();
    assert_eq!(listed, 2, "the rows have their new URLs");
    desk.do_keys("z");
    desk.sees("UNDO: write back 69 phone call events on");
    desk.do_keys("y");
    desk.passes(Duration::from_secs(20));
    desk.sees("69 of 69 restored");
    assert_eq!(urls(&desk), before);
    assert_eq!(desk.marked().len(), 11);
    desk.does_not_see("deleted");
}

#[test]
fn what_the_listing_shows_as_changed_since_is_left_out_of_the_way_back_until_it_is_added() {
    let mut desk = Desk::of(customer(), Setting::default());
    desk.do_keys("space x 2 5 y");
    desk.passes(Duration::from_secs(10));
    assert_eq!(off(&desk), 25);
    desk.simulator.with_world(|world| {
        world.extension_mut(NUMBERS[0]).unwrap().events[0].status = 7;
    });
    desk.do_keys("z");
    desk.sees("UNDO: write back 24 phone call events on");
    desk.sees("! 1 event changed since, left out: + adds them");
    desk.do_keys("+");
    desk.sees("UNDO: write back 25 phone call events on");
    desk.do_keys("y");
    desk.passes(Duration::from_secs(10));
    desk.sees("25 of 25 restored");
    assert!(events(&desk).iter().all(|event| event.status == 1));
}

#[test]
fn a_change_that_was_stopped_is_gone_on_with_in_its_own_file() {
    let mut desk = Desk::of(customer(), Setting::default());
    desk.press("space x");
    desk.settle();
    desk.look();
    desk.press("2 5 y");
    for _ in 0..9 {
        desk.perform_one();
    }
    desk.do_keys("esc");
    desk.passes(Duration::from_secs(10));
    let so_far = off(&desk);
    assert!(so_far > 0 && so_far < 25, "{so_far}");
    desk.sees("STOPPED");
    desk.sees(&format!("{so_far} changed, {} not sent", 25 - so_far));
    desk.do_keys("r");
    desk.sees(&format!("GO ON: DISABLE {} phone call events", 25 - so_far));
    desk.do_keys(&format!("{} y", keys(&(25 - so_far).to_string())));
    desk.passes(Duration::from_secs(10));
    assert_eq!((off(&desk), desk.run_files()), (25, 1));
    desk.sees("25 changed");
    assert!(desk.marked().is_empty());
}

#[test]
fn what_was_disabled_on_the_screen_is_deleted_by_a_command_if_it_is_still_as_it_was_left() {
    let home = tempfile::tempdir().unwrap();
    let runs = home.path().join(".local/state/callsweep/runs");
    let mut desk = Desk::of(customer(), Setting { runs: Some(runs), ..Setting::default() });
    desk.do_keys("space x 2 5 y");
    desk.passes(Duration::from_secs(10));
    assert_eq!(off(&desk), 25);
    desk.sees("25 changed");
    desk.simulator.with_world(|world| {
        world.extension_mut(NUMBERS[0]).unwrap().events[3].note = "mine".to_owned();
    });
    configure(&home, &desk.simulator.origin(), &format!("extensions = {NUMBERS:?}"));
    let token = desk.simulator.token();
    let delete = ["delete", "--of-run=latest", "--yes", "--format=json"];
    let said = Said::of(command(&home, &token, &delete).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.document()["summary"]["deleted"], 24, "{}", said.err);
    assert!(said.err.contains("id0x3 was changed since: note"), "{}", said.err);
    assert_eq!(desk.left(NUMBERS[0]), ["id0x3"]);
}

#[test]
fn where_a_change_gives_another_id_rows_marks_and_the_way_back_follow_it() {
    let mut desk = Desk::of(customer(), Setting::default());
    desk.simulator.with_world(|world| world.changes.renames = true);
    let before = urls(&desk);
    desk.do_keys("space x 2 5 y");
    desk.passes(Duration::from_secs(20));
    assert_eq!((off(&desk), desk.marked().len()), (25, 0));
    desk.sees("25 changed");
    let number = callsweep::domain::ExtensionNumber::parse(NUMBERS[0]).unwrap();
    let listing = desk.model.store().listing(&number).unwrap();
    let shown: Vec<&str> = (0..listing.len()).map(|row| listing.row(row).unwrap().id()).collect();
    let mut there = desk.left(NUMBERS[0]);
    let mut listed: Vec<String> = shown.into_iter().map(ToOwned::to_owned).collect();
    there.sort();
    listed.sort();
    assert_eq!(there, listed);
    desk.do_keys("z y");
    desk.passes(Duration::from_secs(20));
    desk.sees("25 of 25 restored");
    assert_eq!((off(&desk), urls(&desk)), (0, before));
}

#[test]
fn what_the_service_says_it_changed_and_did_not_is_refused_and_keeps_its_mark() {
    let mut desk = Desk::of(customer(), Setting::default());
    desk.simulator.with_world(|world| world.add_fault(Fault { status: Some(204), ..put() }));
    desk.do_keys("space x 2 5 y");
    desk.passes(Duration::from_secs(30));
    assert_eq!((off(&desk), desk.marked().len()), (0, 25));
    desk.sees("nothing changed, 25 refused");
    desk.do_keys("z");
    desk.does_not_see("UNDO");
}
