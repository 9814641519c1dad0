//! The first hour of three administrators, as the README walks it: its commands in their order, on the
//! standalone simulator.

use std::process::Command;

use callsweep::simulator::{Certified, Fault, Identity, Simulator, World};

use crate::headless::{Pbx, Said, named};

/// A command of somebody who has an address and a token, and no configuration.
fn by_flags(pbx: &Pbx, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callsweep"));
    command.args(["--url", &pbx.simulator.origin()]).args(arguments).env_clear();
    command.env("HOME", pbx.home.path()).env("CALLSWEEP_TEST_SPEED", "20");
    command.env("CALLSWEEP_TOKEN", pbx.simulator.token());
    Said::of(command.output().unwrap())
}

#[test]
fn without_a_profile_no_remedy_names_one_that_is_there() {
    let fault = |status| Fault { status: Some(status), ..Fault::default() };
    let page = Fault { body: Some("<html>".to_owned()), ..fault(200) };
    let elsewhere = Fault { location: Some("https://other.test/".to_owned()), ..fault(302) };
    let faults = [400, 401, 403, 404, 407, 413, 429, 500, 501, 503].map(fault);
    for fault in faults.into_iter().chain([page, elsewhere]) {
        for arguments in [&["check"][..], &["list"], &["list", "--extension", "0003*210"]] {
            let pbx = named("the-page");
            pbx.simulator.with_world(|world| world.add_fault(fault.clone()));
            let said = by_flags(&pbx, arguments);
            let all = said.out + &said.err;
            assert_ne!(said.code, 0, "{all}");
            for words in ["in the profile", "auth in", "what auth"] {
                assert!(!all.contains(words), "{words:?} of {fault:?}: {all}");
            }
        }
    }
    let identity = Identity::new(Certified::Openssl).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let world = World::named("the-page").unwrap();
    let simulator = Simulator::start_tls(world, listen, &identity).unwrap();
    let pbx = Pbx { simulator, home: tempfile::tempdir().unwrap() };
    let check = by_flags(&pbx, &["check"]);
    let shown = "write it as fingerprint in a profile (--url has none; `callsweep config \
                 --print-example` shows one)";
    assert!(check.out.contains(shown) && !check.out.contains("the profile,"), "{}", check.out);
}
