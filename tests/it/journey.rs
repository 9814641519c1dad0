//! Journeys: keys → real HTTP → the screen's text and the simulator's world.

use callsweep::app::Leaving;
use callsweep::domain::{Secret, Source, WideCalls};
use callsweep::simulator::{Event, Fault, Soap, World};

use crate::desk::{Desk, Setting};

const PAGE: &str = "the-page";
const THREE: &str = "three-extensions-with-events";
const BASE: &str = "/uapi/extensions/@me";

#[test]
fn one_event_goes_out_as_on_the_page_byte_for_byte_and_its_id_comes_back() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("enter j space d");
    let path = format!("{BASE}/0003*210/phoneCallEvents/0/NqeyDRqo4FtabmFj8gNWq3hsiGNYyq");
    desk.sees(&format!("DELETE {path}"));
    assert!(desk.deletes().is_empty());
    desk.do_keys("y");
    let deletes = desk.deletes();
    assert_eq!(deletes.len(), 1);
    assert_eq!(deletes[0].target, path);
    assert_eq!(deletes[0].authorization.as_deref(), Some("Bearer the-page-token"));
    desk.sees("finished: 1 deleted");
    desk.sees("deleted    200");
    desk.sees("NqeyDRqo4FtabmFj8gNWq3hsiGNYyq");
    assert_eq!(desk.left("0003*210").len(), 2);
    assert!(desk.marked().is_empty());
}

#[test]
fn all_events_of_an_extension_go_with_the_pages_second_call_and_three_ids_come_back() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d t y");
    let targets: Vec<_> = desk.deletes().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [format!("{BASE}/0003*210/phoneCallEvents")]);
    desk.sees("all events NqeyDRqo Asds2qw2 GOp2s68A");
    for id in ["NqeyDRqo4Ftabm", "Asds2qw2frtabm", "GOp2s68Afgtabm"] {
        desk.sees(&format!("{id}Fj8gNWq3hsiGNYyq"));
    }
    desk.sees("finished: 3 deleted");
    assert!(desk.left("0003*210").is_empty());
}

#[test]
fn a_wide_call_says_in_plain_words_what_else_it_could_remove_and_an_event_call_does_not() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d t");
    desk.sees("1 call, 1 wide, on 1 extension");
    desk.sees("takes every event that is there when it arrives");
    desk.do_keys("t");
    desk.does_not_see("takes every event");
    desk.do_keys("v");
    desk.sees("1/3 DELETE");
}

#[test]
fn a_type_is_one_call_per_event_and_with_the_type_form_one_call() {
    let mut desk = Desk::open(THREE);
    desk.do_keys("enter space d y");
    let targets: Vec<_> = desk.deletes().into_iter().map(|seen| seen.target).collect();
    assert_eq!(
        targets,
        ["0/NqVwYS81VP7Hb1DX8pPd5khxE3pyIg", "0/KpaUnArl63XykWZeiNNCiia3anXn9k"]
            .map(|event| format!("{BASE}/0003*101/phoneCallEvents/{event}"))
    );
    assert_eq!(desk.left("0003*101").len(), 3);
    let wide_calls = WideCalls { extension: true, event_type: true };
    let mut desk = Desk::with(THREE, Setting { wide_calls, ..Setting::default() });
    desk.do_keys("enter space d t");
    desk.sees("this PBX may delete all types");
    desk.do_keys("y");
    let targets: Vec<_> = desk.deletes().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [format!("{BASE}/0003*101/phoneCallEvents/0")]);
    assert_eq!(desk.left("0003*101").len(), 3);
}

#[test]
fn marks_across_three_extensions_go_in_one_run_and_nothing_else_goes() {
    let mut desk = Desk::open(THREE);
    desk.do_keys("enter j space 1 j enter j space 1 j enter j space");
    desk.sees("* 3 marked");
    desk.do_keys("d");
    desk.sees("3 calls, each by its id, on 3 extensions");
    desk.do_keys("y");
    desk.sees("finished: 3 deleted");
    let counts = ["0003*101", "0003*102", "0003*103", "0003*600"].map(|n| desk.left(n).len());
    assert_eq!(counts, [4, 3, 2, 4]);
}

#[test]
fn no_in_the_review_sends_nothing_and_keeps_the_marks() {
    for no in ["n", "esc", "q", "enter esc"] {
        let mut desk = Desk::open(PAGE);
        desk.do_keys("enter j space d");
        desk.do_keys(no);
        assert!(desk.deletes().is_empty() && desk.run_files() == 0, "{no}");
        assert_eq!(desk.marked().len(), 1, "{no}");
        desk.sees("cancelled: nothing was sent");
    }
}

#[test]
fn a_refusal_in_the_middle_does_not_hold_up_the_others_and_stays_marked_with_its_reason() {
    let size = (80, 24);
    let mut desk = Desk::with("an-extension-refuses", Setting { size, ..Setting::default() });
    desk.do_keys("A d y");
    desk.sees("finished: 2 deleted, 2 refused · checked with the service · r goes on with 2");
    desk.sees_wrapped("pce_access_denied: You are not allowed to manage the phone call events.");
    assert_eq!((desk.left("0003*210").len(), desk.left("0003*211").len()), (2, 0));
    assert_eq!(desk.marked(), desk.left("0003*210"));
    desk.sees("* 2 marked");
    desk.do_keys("2 j");
    desk.sees("! pce_access_denied: You are not allowed");
}

#[test]
fn each_error_of_the_page_is_shown_with_code_and_message_and_the_event_stays_marked() {
    for (scenario, code, message) in [
        (
            "an-extension-refuses",
            "pce_access_denied",
            "You are not allowed to manage the phone call events.",
        ),
        (
            "ids-are-unknown",
            "pce_id_invalid",
            "the service says that there is no such event; it is still listed",
        ),
        (
            "an-extension-vanished",
            "extension_invalid",
            "Value supplied in the URI-Fragment as extension is invalid.",
        ),
    ] {
        let size = (80, 24);
        let mut desk = Desk::with(scenario, Setting { size, ..Setting::default() });
        desk.do_keys("enter j space d y");
        desk.sees("refused    400");
        desk.sees_wrapped(&format!("{code}: {message}"));
        assert_eq!(desk.marked().len(), 1, "{scenario}");
    }
}

/// Eight events on the first extension and two on the second; every DELETE of such a path is refused.
fn refusing(fault: &Fault, part: &str) -> Desk {
    let mut desk = Desk::open("an-extension-refuses");
    desk.simulator.with_world(|world| {
        let twin = world.extension("0003*210").unwrap().events[0].clone();
        let twins = (0..6).map(|at| Event { id: format!("twin{at}"), ..twin.clone() });
        world.extension_mut("0003*210").unwrap().events.extend(twins);
        world.clear_faults();
        let (method, path) = (Some("DELETE".to_owned()), Some(part.to_owned()));
        world.add_fault(Fault { method, path, ..fault.clone() });
        world.forget_requests();
    });
    desk.do_keys("R A d y");
    desk
}

#[test]
fn an_extension_that_refuses_is_left_alone_after_three_and_the_next_is_done() {
    for (status, code) in [(400, Some("pce_access_denied")), (403, None), (404, None)] {
        let code = code.map(str::to_owned);
        let fault = Fault { status: Some(status), code, ..Fault::default() };
        let mut desk = refusing(&fault, "0003*210");
        desk.sees("finished: 2 deleted, 3 refused, 5 not sent");
        desk.sees("r goes on with 8");
        desk.sees("not sent     0003*210");
        assert_eq!((desk.deletes().len(), desk.left("0003*211").len()), (5, 0), "{status}");
        let last = desk.run_file().pop().unwrap();
        assert_eq!(last["line"], "finished");
    }
}

#[test]
fn a_service_that_wants_an_hour_stops_the_run_until_then_and_is_asked_nothing_more() {
    let retry_after = Some("3600".to_owned());
    let fault = Fault { status: Some(503), retry_after, ..Fault::default() };
    let mut desk = refusing(&fault, "phoneCallEvents");
    desk.sees("STOPPED: resumable after 01:00:00 · r goes on with 10 · not checked · nothi");
    let asked = desk.simulator.with_world(|world| world.requests().last().unwrap().method.clone());
    assert_eq!((desk.deletes().len(), asked.as_str()), (1, "DELETE"));
    let last = desk.run_file().pop().unwrap();
    assert_eq!(
        (last["line"].as_str(), last["reason"].as_str()),
        (Some("stopped"), Some("retry_after"))
    );
    let until: jiff::Timestamp = last["not_before"].as_str().unwrap().parse().unwrap();
    let begun: jiff::Timestamp = last["at"].as_str().unwrap().parse().unwrap();
    let pause = until.duration_since(begun).as_secs();
    assert!((3590..=3600).contains(&pause), "{pause}");
}

#[test]
fn stopping_in_the_middle_awaits_what_is_in_flight_and_keeps_the_rest() {
    let mut desk = Desk::open(THREE);
    desk.do_keys("enter A d");
    desk.press("y");
    desk.perform_one(); // the run file
    desk.perform_one(); // the first call
    desk.press("esc");
    desk.sees("waiting for 1 call in flight");
    desk.settle();
    desk.sees("STOPPED: by the operator · r goes on with 3 · checked · 2 deleted, 3 not se");
    assert_eq!(desk.deletes().len(), 2);
    assert_eq!((desk.left("0003*101").len(), desk.marked().len()), (3, 3));
    let last = desk.run_file().pop().unwrap();
    assert_eq!((last["line"].as_str(), last["not_sent"].as_u64()), (Some("stopped"), Some(3)));
    assert_eq!(last["reason"], "operator");
    desk.look_for_broken_runs();
    desk.sees("stopped: 3 of 5 not done (stopped by the operator); W, then r");
}

#[test]
fn a_run_shows_its_progress_while_it_goes_on_and_no_rate_of_a_moment() {
    let mut desk = Desk::open(THREE);
    desk.do_keys("enter A d");
    desk.press("y");
    desk.perform_one();
    desk.perform_one();
    desk.sees("[RUNNING]");
    desk.sees("running: 1 deleted");
    desk.sees("[###");
    desk.does_not_see("/s ");
    desk.does_not_see("s left");
    desk.settle();
    desk.does_not_see("[RUNNING]");
}

#[test]
fn leaving_during_a_run_asks_and_no_stays() {
    let mut desk = Desk::open(THREE);
    desk.do_keys("A d");
    desk.press("1 6 y");
    desk.perform_one();
    desk.press("q q");
    desk.sees("Leave?");
    desk.press("n");
    assert_eq!(desk.model.leaving(), &Leaving::No);
    desk.press("q y");
    desk.settle();
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
    assert_eq!(desk.deletes().len(), 1);
    assert_eq!(desk.run_file().pop().unwrap()["line"], "stopped");
}

#[test]
fn the_run_file_holds_every_event_whole_before_the_first_delete() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d t");
    desk.press("y");
    desk.perform_one();
    assert!(desk.deletes().is_empty());
    let lines = desk.run_file();
    let kinds: Vec<_> = lines.iter().map(|line| line["line"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["run", "event", "event", "event", "planned", "opened"]);
    assert!(lines[1]["raw"].as_str().unwrap().contains("ext=0003%2A210"), "{}", lines[1]);
    assert_eq!(lines[1]["url"], "https://crm.acme.test/in?src=pbx&ext=0003%2A210");
    assert_eq!(lines[1]["modified"], "2012-07-10T18:16:12+03:00");
    desk.settle();
    let kinds: Vec<_> =
        desk.run_file().iter().map(|line| line["line"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds[6..], ["sent", "settled", "verified", "finished"]);
    let text = format!("{:?}", desk.run_file());
    assert!(!text.contains("the-page-token"), "a secret is in the run file");
}

#[test]
fn the_event_under_the_cursor_is_written_down_letter_by_letter_too() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("enter j d");
    desk.press("y");
    desk.perform_one();
    let event = desk.run_file().into_iter().find(|line| line["line"] == "event").unwrap();
    let raw: serde_json::Value = serde_json::from_str(event["raw"].as_str().unwrap()).unwrap();
    assert_eq!((&raw["id"], &raw["url"]), (&event["id"], &event["url"]));
}

#[test]
fn without_a_run_file_nothing_is_sent() {
    let blocked = tempfile::NamedTempFile::new().unwrap();
    let runs = Some(blocked.path().join("runs"));
    let mut desk = Desk::with(PAGE, Setting { runs, ..Setting::default() });
    desk.do_keys("space d y");
    desk.sees("nothing was sent: the run file cannot be written");
    assert!(desk.deletes().is_empty());
    assert_eq!(desk.marked().len(), 3);
}

#[test]
fn a_read_only_profile_shows_the_review_and_deletes_nothing() {
    let mut desk = Desk::with(PAGE, Setting { read_only: true, ..Setting::default() });
    desk.sees("[READ-ONLY]");
    desk.do_keys("space d y");
    desk.sees("READ-ONLY: 3 phone call events");
    desk.sees("read-only: nothing can be deleted; s simulates");
    desk.does_not_see("y DELETE");
    assert!(desk.deletes().is_empty() && desk.run_files() == 0);
}

#[test]
fn what_became_of_a_call_without_an_answer_is_settled_by_listing_again() {
    for (acts, words, left) in [
        (true, "finished: 1 deleted · checked with the service", 2),
        (false, "STOPPED: trouble with the PBX · r goes on with 1 · checked · nothing delete", 3),
    ] {
        let mut desk = Desk::open(PAGE);
        let method = Some("DELETE".into());
        let fault = Fault { method, reset: true, acts, ..Fault::default() };
        desk.simulator.with_world(|world| world.add_fault(fault));
        desk.do_keys("enter j space d y");
        desk.sees(words);
        assert_eq!(desk.left("0003*210").len(), left);
        assert_eq!(desk.marked().len(), left - 2, "what is still there keeps its mark");
    }
}

#[test]
fn without_a_listing_afterwards_a_call_without_an_answer_stays_unknown() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("enter j space d");
    desk.simulator.with_world(|world| {
        world.add_fault(Fault { reset: true, acts: true, ..Fault::default() });
    });
    desk.do_keys("y 1");
    desk.sees("STOPPED: trouble with the PBX · r goes on with 1 · not checked · nothing de");
    desk.does_not_see("checked with the service");
    assert_eq!((desk.left("0003*210").len(), desk.marked().len()), (2, 1));
    desk.simulator.with_world(World::clear_faults);
    desk.do_keys("R");
    desk.sees("1 marked event no longer listed");
    assert!(desk.marked().is_empty());
}

#[test]
fn a_delete_that_is_reported_done_and_did_nothing_is_never_called_deleted() {
    let mut desk = Desk::open(PAGE);
    desk.simulator.with_world(|world| {
        let method = Some("DELETE".into());
        world.add_fault(Fault { method, status: Some(204), ..Fault::default() });
    });
    desk.do_keys("enter j space d y");
    desk.sees("nothing deleted, 1 refused · checked: differs · r goes on with 1");
    desk.sees("the service reported it deleted; it is still listed");
    assert_eq!((desk.left("0003*210").len(), desk.marked().len()), (3, 1));
}

#[test]
fn an_event_that_somebody_else_deleted_is_already_gone() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("enter j space d");
    desk.simulator.with_world(|world| {
        world.extension_mut("0003*210").unwrap().events.remove(0);
    });
    desk.do_keys("y");
    desk.sees("finished: nothing deleted, 1 already gone · checked with the service");
    assert!(desk.marked().is_empty());
}

#[test]
fn a_success_without_ids_is_a_success() {
    let mut desk = Desk::open(PAGE);
    desk.simulator.with_world(|world| {
        world.delete_answer = callsweep::simulator::DeleteAnswer::NoContent;
    });
    desk.do_keys("enter j space d y");
    desk.sees("deleted    204");
    desk.sees("finished: 1 deleted");
}

#[test]
fn an_event_that_came_after_the_review_survives_the_wide_call() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d t");
    desk.simulator.with_world(|world| {
        let mut event = world.extension("0003*210").unwrap().events[0].clone();
        event.id = "cameLater".to_owned();
        world.extension_mut("0003*210").unwrap().events.push(event);
    });
    desk.do_keys("y");
    desk.sees("0003*210 changed since the review (1 appeared)");
    desk.sees("finished: 3 deleted · checked with the service");
    assert_eq!((desk.left("0003*210"), desk.deletes().len()), (vec!["cameLater".to_owned()], 3));
}

#[test]
fn what_drifted_since_it_was_marked_is_named_in_the_review_and_left_out_until_it_is_added() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space");
    desk.simulator.with_world(|world| {
        let events = &mut world.extension_mut("0003*210").unwrap().events;
        let mut event = events[0].clone();
        event.id = "cameLater".to_owned();
        events[1].url = "https://elsewhere.test/".to_owned();
        events.push(event);
    });
    desk.do_keys("d");
    desk.sees("2 events changed since marking, left out: + adds 2 as listed now");
    desk.sees("cameLater  appeared since all was marked");
    desk.sees("changed: url");
    desk.sees("DELETE 2 phone call events");
    desk.do_keys("n d");
    desk.sees("1 event changed since marking");
    desk.do_keys("y");
    assert_eq!((desk.left("0003*210").len(), desk.deletes().len()), (2, 2));
    desk.do_keys("d +");
    desk.do_keys("y");
    assert_eq!(desk.left("0003*210"), ["cameLater"]);
}

#[test]
fn an_extension_that_cannot_be_read_again_is_told_of_before_a_yes() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("enter j space");
    desk.simulator.with_world(|world| {
        let method = Some("GET".into());
        world.add_fault(Fault { method, status: Some(401), ..Fault::default() });
    });
    desk.do_keys("d");
    desk.sees("0003*210 could not be read again");
    desk.simulator.with_world(World::clear_faults);
    desk.do_keys("y");
    assert_eq!(desk.left("0003*210").len(), 2);
}

#[test]
fn a_simulated_run_goes_through_every_call_and_changes_nothing_in_a_read_only_profile_too() {
    for (read_only, keys) in [(false, "A d s"), (false, "A d s"), (true, "A d s")] {
        let mut desk = Desk::with(THREE, Setting { read_only, ..Setting::default() });
        let before = ["0003*101", "0003*102", "0003*103", "0003*600"].map(|n| desk.left(n));
        let asked = desk.simulator.with_world(|world| world.requests().len());
        desk.do_keys(keys);
        desk.sees("simulated: 16 events would be deleted");
        desk.sees("would send");
        let writes: Vec<_> = desk.simulator.with_world(|world| {
            let seen = world.requests().iter().filter(|seen| seen.method != "GET");
            seen.cloned().collect()
        });
        assert!(writes.is_empty(), "{writes:?}");
        assert!(desk.simulator.with_world(|world| world.requests().len()) > asked);
        let after = ["0003*101", "0003*102", "0003*103", "0003*600"].map(|n| desk.left(n));
        assert_eq!(before, after);
        assert_eq!((desk.run_files(), desk.marked().len()), (0, 16));
        desk.do_keys("d");
        desk.sees("16 phone call events on");
        desk.do_keys("n z");
        desk.sees("this session has no run yet; W lists earlier runs");
        desk.do_keys("r");
        desk.sees("no run of this session left anything to go on with");
        desk.do_keys("U 1 q");
        assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
    }
}

#[test]
fn a_simulated_run_can_be_followed_by_the_run_itself_and_leaves_its_undo_alone() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("enter j space d y");
    desk.do_keys("2 A d s");
    assert_eq!((desk.deletes().len(), desk.left("0003*210").len()), (1, 2));
    desk.do_keys("z");
    desk.sees("UNDO: re-create 1 phone call event");
    desk.do_keys("n d y");
    assert!(desk.left("0003*210").is_empty());
}

#[test]
fn without_a_terminal_nothing_can_be_copied_and_it_says_so() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d c");
    desk.sees("not copied: there is no terminal to copy to");
    desk.do_keys("n 3 c");
    desk.sees("not copied: there is no terminal to copy to");
}

#[test]
fn a_type_call_that_takes_the_whole_extension_leaves_a_loud_warning() {
    let wide_calls = WideCalls { extension: false, event_type: true };
    let mut desk = Desk::with(PAGE, Setting { wide_calls, ..Setting::default() });
    desk.simulator.with_world(|world| {
        world.type_delete = callsweep::simulator::TypeDelete::WipesExtension;
    });
    desk.do_keys("enter space d t y");
    desk.sees("2 events GONE, NOT IN THE PLAN · paused: 1 deleted");
    desk.sees("0003*210: a call for one type took 2 events of other types too");
    desk.do_keys("p");
    desk.sees("2 events GONE, NOT IN THE PLAN · finished: 1 deleted");
    let lines = desk.run_file();
    let of = |kind: &str| lines.iter().filter(|line| line["line"] == kind).count();
    assert_eq!((of("event"), of("bystander")), (1, 2), "what was lost is kept whole");
    let verified = lines.iter().find(|line| line["line"] == "verified").unwrap();
    assert_eq!(verified["surplus"].as_array().unwrap().len(), 2);
}

#[test]
fn the_filter_narrows_extensions_and_events_and_the_header_counts_hidden_marks() {
    let mut desk = Desk::open(THREE);
    desk.do_keys("A");
    desk.sees("* 16 marked");
    desk.do_keys("/ 1 0 2 enter");
    desk.sees("102 1/4");
    desk.sees("* 16 marked (12 hidden)");
    desk.do_keys("d");
    desk.sees("12 of the 16 are hidden by the filter \"102\"; all are below");
    desk.do_keys("y");
    assert!(desk.deletes().is_empty());
    desk.do_keys("n esc");
    desk.sees("* 16 marked");
    desk.does_not_see("hidden");
}

#[test]
fn failed_rows_can_be_reviewed_again_with_r_once_the_reason_is_gone() {
    let mut desk = Desk::open("an-extension-refuses");
    desk.do_keys("A d y");
    desk.simulator.with_world(|world| {
        world.extension_mut("0003*210").unwrap().refuse_delete = None;
    });
    desk.do_keys("r y");
    desk.sees("finished: 4 deleted");
    assert!(desk.left("0003*210").is_empty() && desk.marked().is_empty());
    assert_eq!(desk.run_files(), 1, "one job, one file");
    desk.do_keys("z");
    desk.sees("UNDO: re-create 4 phone call events");
}

#[test]
fn a_mark_on_an_extension_in_the_middle_of_loading_is_set_when_it_is_there() {
    let mut desk = Desk::before_reading(THREE, Setting::default());
    desk.perform_one();
    desk.press("j space");
    desk.sees("reading 0003*102; its events are marked");
    desk.settle();
    assert_eq!(desk.marked().len(), 4);
}

#[test]
fn a_wrong_token_ends_the_start_with_a_sentence_after_few_requests() {
    let setting = Setting { token: Some(Secret::new("not-the-token-7")), ..Setting::default() };
    let desk = Desk::with(PAGE, setting);
    match desk.model.leaving() {
        Leaving::Now { message: Some(message) } => {
            assert!(message.contains("access_denied") && message.contains("token"), "{message}");
            assert!(!message.contains("not-the-token"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.simulator.with_world(|world| world.requests().len()), 1);
}

#[test]
fn no_extension_at_all_says_what_to_do() {
    let mut desk = Desk::open("nothing-there");
    desk.sees("no extension was found: name them under extensions");
}

#[test]
fn every_panel_and_page_can_be_looked_at_at_every_size() {
    for size in [(60, 15), (79, 24), (80, 24), (112, 30), (120, 40), (200, 60)] {
        let mut desk = Desk::with(THREE, Setting { size, ..Setting::default() });
        for keys in
            ["enter j space", "3", "4", "5", "1", "? down f1", "A d", "t", "n", "2 d", "y n"]
        {
            desk.do_keys(keys);
            desk.sees("marked");
        }
        desk.do_keys("?");
        desk.sees("What can be done here");
    }
}

#[test]
fn system_api_brings_labels_and_queues_to_the_screen_and_a_refusal_of_it_is_said() {
    let sources: &[Source] = &[Source::Presence, Source::SystemApi];
    for soap in [Soap::V300, Soap::V251] {
        let setting = Setting { sources, ..Setting::default() };
        let mut desk = Desk::before_reading(THREE, setting);
        desk.simulator.with_world(|world| {
            world.soap = soap;
            world.extension_mut("0003*600").unwrap().label = "Sales & <more>".to_owned();
        });
        desk.settle();
        desk.press("G");
        desk.sees("Events of 0003*600 Sales & <more>");
    }
    for (soap, reason) in [(Soap::Fault, "not available in this edition"), (Soap::Off, "404")] {
        let mut desk = Desk::before_reading(THREE, Setting { sources, ..Setting::default() });
        desk.simulator.with_world(|world| world.soap = soap);
        desk.settle();
        desk.does_not_see("0003*600");
        desk.sees("0003*103");
        desk.press("3");
        desk.sees(reason);
    }
}

#[test]
fn what_is_chosen_from_the_list_reaches_the_pbx_as_its_key_would() {
    for size in [(60, 15), (120, 40)] {
        let mut desk = Desk::with(PAGE, Setting { size, ..Setting::default() });
        desk.do_keys("? m a r k enter : d e l e t e");
        desk.sees("review deleting the marked events");
        assert_eq!(desk.left("0003*210").len(), 3);
        desk.do_keys("enter enter");
        desk.sees("DELETE 3 phone call events");
        desk.do_keys("f1 y enter");
        desk.sees("this list only shows what a review takes: Esc, then y");
        assert_eq!(desk.left("0003*210").len(), 3, "nothing is confirmed from the list");
        desk.do_keys("esc y");
        assert!(desk.left("0003*210").is_empty());
        desk.do_keys("? u n d o enter y");
        assert_eq!(desk.left("0003*210").len(), 3);
    }
}

#[test]
fn z_reviews_the_creations_and_brings_back_what_the_run_took_once() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d y");
    desk.sees("z undoes it");
    desk.do_keys("z");
    desk.sees("UNDO: re-create 3 phone call events");
    desk.sees("POST /uapi/extensions/@me/0003*210/phoneCallEvents");
    desk.do_keys("enter n");
    assert!(desk.left("0003*210").is_empty(), "neither Enter nor n makes anything");
    desk.do_keys("z y");
    desk.sees("3 restored · checked with the service");
    desk.sees("NqeyDRqo4FtabmFj8gNWq3hsiGNYyq → ");
    assert_eq!(desk.left("0003*210").len(), 3);
    desk.sees("1 ext  3 events");
    desk.do_keys("z");
    desk.sees("there is nothing to undo");
    desk.do_keys("1 space d");
    desk.sees("DELETE 3 phone call events");
}

#[test]
fn a_receipt_is_written_beside_the_run_files_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d y");
    desk.do_keys("E");
    desk.sees("receipt written: ");
    let folder = desk.runs().with_file_name("receipts");
    let receipts = || {
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap());
        let mut files: Vec<_> = files.collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        files
    };
    let [first] = &receipts()[..] else { panic!("not one receipt") };
    assert_eq!(first.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(first.path()).unwrap();
    assert_eq!(text.matches("\n| deleted | `0003*210` |").count(), 3, "{text}");
    assert!(text.contains("| Verification | checked with the service |"), "{text}");
    // Masked later, it stands beside the first and changes nothing of it.
    desk.do_keys("m E");
    assert_eq!(std::fs::read_to_string(first.path()).unwrap(), text);
    let masked = std::fs::read_to_string(receipts()[0].path()).unwrap();
    assert!(receipts()[0].file_name().to_string_lossy().ends_with("-2.md"), "{masked}");
    assert!(masked.contains("| Masked | ") && !masked.contains("0003*210"), "{masked}");
}

#[test]
fn z_tries_again_what_could_not_be_brought_back() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d y");
    desk.simulator.with_world(|world| {
        let method = Some("POST".into());
        world.add_fault(Fault { method, nth: Some(2), status: Some(500), ..Fault::default() });
    });
    desk.do_keys("z y");
    desk.sees("2 of 3 restored; z goes on with 1");
    desk.do_keys("z");
    desk.sees("UNDO: re-create 1 phone call event");
    desk.do_keys("y");
    assert_eq!(desk.left("0003*210").len(), 3);
}

#[test]
fn z_brings_back_what_a_wiping_call_took_beside_the_plan() {
    let wide_calls = WideCalls { extension: false, event_type: true };
    let mut desk = Desk::with(PAGE, Setting { wide_calls, ..Setting::default() });
    desk.simulator.with_world(|world| {
        world.type_delete = callsweep::simulator::TypeDelete::WipesExtension;
    });
    desk.do_keys("enter space d t y");
    desk.sees("PAUSED: 2 events GONE, NOT IN THE PLAN; z stops and brings back, p goes on");
    desk.do_keys("z");
    desk.sees("UNDO: re-create 3 phone call events");
    let last = desk.run_file().pop().unwrap();
    assert_eq!((&last["line"], &last["reason"]), (&"stopped".into(), &"surplus".into()));
    desk.do_keys("y");
    assert_eq!(desk.left("0003*210").len(), 3);
    // In this session no call for a type goes out any more.
    desk.do_keys("2 g g space d t");
    desk.sees("event calls only: on this PBX a call for one type deletes all types");
}

#[test]
fn a_type_call_that_takes_more_holds_the_run_and_the_rest_goes_by_event_calls() {
    let wide_calls = WideCalls { extension: false, event_type: true };
    let mut desk = Desk::with(THREE, Setting { wide_calls, ..Setting::default() });
    desk.simulator.with_world(|world| {
        world.type_delete = callsweep::simulator::TypeDelete::WipesExtension;
    });
    desk.do_keys("T t y p e : h a n g u p enter d t");
    desk.sees("With a call for one type this PBX may delete all types");
    desk.do_keys("y");
    desk.sees("PAUSED");
    let is_wide = |seen: &callsweep::simulator::Seen| !seen.target.contains("phoneCallEvents/2/");
    assert_eq!(desk.deletes().len(), 1, "the first goes alone");
    desk.do_keys("p");
    let deletes = desk.deletes();
    assert!(deletes.len() > 1 && deletes.iter().filter(|seen| is_wide(seen)).count() == 1);
    assert_eq!(desk.left("0003*101").len(), 0);
    desk.sees("GONE, NOT IN THE PLAN");
    assert!(!desk.left("0003*102").is_empty(), "the other extensions keep their other types");
}

#[test]
fn an_event_that_came_after_the_guard_and_went_with_the_wide_call_is_surplus_by_its_id() {
    let mut desk = Desk::open(PAGE);
    desk.do_keys("space d t");
    desk.press("y");
    desk.perform_one();
    desk.perform_one(); // The listing that guards the call.
    assert!(desk.deletes().is_empty());
    desk.simulator.with_world(|world| {
        let mut event = world.extension("0003*210").unwrap().events[0].clone();
        event.id = "cameLate".to_owned();
        world.extension_mut("0003*210").unwrap().events.push(event);
    });
    desk.settle();
    desk.sees("1 event GONE, NOT IN THE PLAN · finished: 3 deleted");
    desk.do_keys("E");
    let folder = desk.runs().with_file_name("receipts");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(text.contains("| gone, not in the plan | `0003*210` |  | `cameLate` |"), "{text}");
}

#[test]
fn after_a_wide_call_that_names_no_ids_it_says_what_is_not_known_and_no_other_goes_out() {
    let size = (80, 24);
    let mut desk = Desk::with(THREE, Setting { size, ..Setting::default() });
    desk.simulator.with_world(|world| {
        world.delete_answer = callsweep::simulator::DeleteAnswer::NoContent;
    });
    desk.do_keys("A d t y");
    desk.do_keys("1 6 y");
    desk.sees("this PBX does not say what the call removed");
    desk.sees_wrapped("removed; events made in the last seconds before it may be gone too");
    let deletes = desk.deletes();
    let is_wide = |seen: &&callsweep::simulator::Seen| seen.target.ends_with("phoneCallEvents");
    assert_eq!((deletes.iter().filter(is_wide).count(), desk.left("0003*103").len()), (1, 0));
    assert!(deletes.len() > 4);
    let settled = desk.run_file().into_iter().find(|line| line["line"] == "settled").unwrap();
    assert_eq!(settled["surplus_known"], false);
    desk.do_keys("z y 1 g g j space d t");
    desk.sees("event calls only: this PBX does not say what a wide call removes");
}

#[test]
fn a_run_that_took_nothing_and_a_session_without_one_have_nothing_to_undo() {
    let mut desk = Desk::open("an-extension-refuses");
    desk.do_keys("z");
    desk.sees("this session has no run yet; W lists earlier runs");
    let before = desk.simulator.with_world(|world| world.event_count());
    desk.do_keys("enter j space d y");
    desk.do_keys("z");
    desk.sees("1 event still listed, perhaps by a list that lags");
    desk.do_keys("y");
    assert_eq!(desk.simulator.with_world(|world| world.event_count()), before);
    desk.do_keys("z");
    desk.sees("there is nothing to undo: every event of");
}

#[test]
fn what_an_expression_means_is_marked_everywhere_also_where_it_was_not_loaded_yet_and_deleted() {
    let mut desk = Desk::before_reading(THREE, Setting::default());
    desk.perform_one(); // the extensions
    desk.perform_one(); // runs that broke off
    desk.perform_one(); // the first listing
    desk.press("T u r l : * c r m - o l d *");
    desk.sees("mark: url:*crm-old*");
    desk.sees("2 events, 0 marked: Enter marks 2");
    desk.press("enter");
    desk.sees("2 marked on 1 extension; 3 not loaded: L loads and marks there too");
    desk.do_keys("L");
    desk.sees("1 more marked on 1 extension; all of them are loaded now");
    desk.do_keys("- t y p e : h a n g u p");
    desk.sees("unmark: type:hangup");
    desk.do_keys("enter d");
    desk.sees("DELETE 2 phone call events");
    desk.do_keys("y");
    desk.sees("finished: 2 deleted");
    let left = ["0003*101", "0003*103"].map(|extension| desk.left(extension).len());
    assert_eq!((left, desk.deletes().len()), ([4, 2], 2));
}
