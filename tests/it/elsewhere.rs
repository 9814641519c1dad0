//! Runs that the profile would send elsewhere today: below another base path, or as another user.
//! Their undo, and going on with them, go where they went as long as that works; the review says
//! so, and the number of events is typed.

use callsweep::app::Effect;
use callsweep::simulator::{Fault, World};

use crate::desk::Desk;
use crate::headless::{Pbx, configure, named};
use crate::resume::{killed, run_of};
use crate::session::{Session, configuration};

/// The paths of all that changed something, or of all that was asked, since so many requests.
fn paths(pbx: &Pbx, since: usize, method: &str) -> Vec<String> {
    let seen = pbx.requests().split_off(since);
    let of = seen.into_iter().filter(|seen| seen.starts_with(method) && seen.contains("Events"));
    of.map(|seen| seen.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn a_run_is_gone_on_with_where_it_went_and_where_that_is_refused_as_the_profile_has_it() {
    for (moved, used) in [(false, "/uapi/extensions/@me/"), (true, "/other/extensions/12/")] {
        let pbx = killed(true);
        let (run, before) = (run_of(&pbx), pbx.requests().len());
        if moved {
            pbx.simulator.with_world(|world| world.set_base_path("/other"));
        }
        configure(&pbx.home, &pbx.simulator.origin(), "base_path = \"/other\"\nuser = \"12\"");
        let said = pbx.run(&["resume", &run, "--yes"]);
        assert_eq!((said.code, pbx.simulator.with_world(|it| it.event_count())), (0, 0));
        let told = format!("run {run} was sent to /uapi as @me; the profile has /other as 12");
        assert!(said.err.contains(&told), "{}", said.err);
        let deletes = paths(&pbx, before, "DELETE");
        assert!(deletes.iter().all(|path| path.starts_with(used)), "{deletes:?}");
        let refused = paths(&pbx, before, "GET");
        let refused = refused.iter().filter(|path| !path.starts_with(used)).count();
        assert_eq!(refused, usize::from(moved), "one question tells");
    }
}

#[test]
fn that_a_service_is_in_trouble_is_no_reason_to_ask_elsewhere() {
    let pbx = killed(true);
    let (run, before) = (run_of(&pbx), pbx.requests().len());
    configure(&pbx.home, &pbx.simulator.origin(), "user = \"12\"");
    let fault = Fault { method: Some("GET".to_owned()), status: Some(503), ..Fault::default() };
    pbx.simulator.with_world(|world| world.add_fault(fault));
    let said = pbx.run(&["resume", &run, "--yes"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let asked = paths(&pbx, before, "");
    assert!(asked.iter().all(|path| path.contains("/@me/")), "{asked:?}");
}

#[test]
fn on_the_command_line_the_number_is_typed_however_few_events_there_are() {
    for command in ["undo", "resume"] {
        let pbx = killed(true);
        let run = run_of(&pbx);
        let count = if command == "undo" { 2 } else { 1 };
        let file = configuration(pbx.home.path(), &pbx.simulator.origin());
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("[profiles.acme.auth]", "user = \"12\"\n[profiles.acme.auth]");
        std::fs::write(&file, text).unwrap();
        let before = pbx.requests().len();
        for (answer, code) in [("y\n".to_owned(), 4), (format!("{count}\n"), 0)] {
            let token = pbx.simulator.token();
            let environment = [("T", token.as_str()), ("CALLSWEEP_TEST_SPEED", "20")];
            let mut session =
                Session::start(pbx.home.path(), &["--config", &file, command, &run], &environment);
            session.sees(&format!("Type {count} to confirm:"));
            session.press(&answer);
            assert_eq!(session.ends(), code, "{}", session.contents());
        }
        let writes = [paths(&pbx, before, "DELETE"), paths(&pbx, before, "POST")].concat();
        assert_eq!(writes.len(), count, "{writes:?}");
        assert!(writes.iter().all(|path| path.starts_with("/uapi/extensions/@me/")));
    }
}

/// The page's three events, of which one was deleted and one refused, as user 12; then the profile
/// has `@me`.
fn half_done_as_another() -> (Desk, String) {
    let mut desk = Desk::open("the-page");
    desk.becomes("12");
    let refuses = Fault {
        method: Some("DELETE".to_owned()),
        nth: Some(2),
        status: Some(403),
        ..Fault::default()
    };
    desk.simulator.with_world(|world| world.add_fault(refuses));
    desk.do_keys("A d y");
    desk.simulator.with_world(World::clear_faults);
    let run = desk.model.run().unwrap().machine.name().to_owned();
    desk.becomes("@me");
    (desk, run)
}

#[test]
fn on_the_screen_r_and_z_name_the_difference_and_have_the_number_typed() {
    for (undo, typed, title) in [(false, "1", "DELETE"), (true, "3", "re-create 3")] {
        let (mut desk, run) = half_done_as_another();
        let before = desk.simulator.with_world(|world| world.requests().len());
        let read = if undo { Effect::ReadWayBack(run) } else { Effect::ReadRest(run) };
        desk.does(read);
        desk.sees(title);
        desk.sees_wrapped("was sent to /uapi as 12; the profile has /uapi as @me");
        desk.do_keys("y");
        desk.sees_wrapped("the number of events, then press y");
        desk.do_keys(typed);
        desk.do_keys("y");
        let seen = desk.simulator.with_world(|world| world.requests()[before..].to_vec());
        assert!(seen.iter().any(|seen| seen.method != "GET"), "{}", desk.screen());
        assert!(seen.iter().all(|seen| seen.target.contains("/extensions/12/")), "{seen:?}");
        assert_eq!(desk.left("0003*210").len(), if undo { 3 } else { 0 }, "{}", desk.screen());
    }
}

#[test]
fn on_the_screen_what_is_refused_as_the_recorded_user_goes_as_the_profiles() {
    for undo in [false, true] {
        let (mut desk, run) = half_done_as_another();
        desk.simulator.with_world(|world| world.set_user("13"));
        let read = if undo { Effect::ReadWayBack(run) } else { Effect::ReadRest(run) };
        desk.does(read);
        desk.sees_wrapped("requests go to /uapi as @me");
        desk.do_keys(if undo { "3" } else { "1" });
        desk.do_keys("y");
        assert_eq!(desk.left("0003*210").len(), if undo { 3 } else { 0 }, "{}", desk.screen());
    }
}

#[test]
fn a_run_on_another_pbx_is_neither_undone_nor_gone_on_with() {
    let pbx = killed(true);
    let run = run_of(&pbx);
    let other = named("the-page");
    configure(&pbx.home, &other.simulator.origin(), "");
    for command in ["undo", "resume"] {
        let said = pbx.run(&[command, &run, "--yes"]);
        assert_eq!((said.code, other.requests().len()), (2, 0), "{}", said.err);
        assert!(said.err.contains("ran on"), "{}", said.err);
    }
}
