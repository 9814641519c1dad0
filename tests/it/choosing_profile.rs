//! Several profiles and nothing that says which: the operator is asked, before the screen.

use callsweep::simulator::{Simulator, World};

use crate::session::Session;

/// A configuration with so many profiles, the second of which leads to this PBX.
fn profiles(home: &std::path::Path, count: usize, origin: &str) -> String {
    let table = |place: usize| {
        let url =
            if place == 1 { origin.to_owned() } else { format!("https://pbx{place}.invalid") };
        format!("[profiles.p{place:02}]\nurl = \"{url}\"\nauth = {{ token_env = \"T\" }}\n")
    };
    let file = home.join("config.toml");
    std::fs::write(&file, (0..count).map(table).collect::<String>()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn an_operator_with_several_profiles_is_asked_and_what_was_typed_ahead_chooses_none() {
    let home = tempfile::tempdir().unwrap();
    let world = World::named("the-page").unwrap();
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = profiles(home.path(), 3, &simulator.origin());
    let token = simulator.token();
    let mut session = Session::start(home.path(), &["--config", &file], &[("T", &token)]);
    session.answers = false;
    session.sees("> p00  pbx0.invalid");
    session.press("\r");
    session.sees("press it again");
    session.press("j");
    session.sees("> p01  127.0.0.1");
    session.reads_for(std::time::Duration::from_millis(1700));
    session.answers = true;
    session.press("\r");
    session.sees("0003*210");
    session.press("q");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
}

#[test]
fn a_long_list_of_profiles_is_walked_in_the_smallest_window_and_left_with_q() {
    let home = tempfile::tempdir().unwrap();
    let file = profiles(home.path(), 40, "https://pbx1.invalid");
    let mut session = Session::start(home.path(), &["--config", &file], &[("T", "t")]);
    session.sees("> p00");
    session.resize(15, 60);
    session.press("G");
    session.sees("> p39");
    session.press("k");
    session.sees("> p38");
    session.press("q");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
}
