//! The first hour of three administrators, as the README walks it: its commands in their order, on the
//! standalone simulator.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use callsweep::domain::Fingerprint;
use callsweep::simulator::{Certified, Fault, Identity, Simulator, World};
use serde_json::Value;

use crate::headless::{Pbx, Said, named};

/// The address in the README.
const SHOWN: &str = "https://pbx.example.com";

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// What a shell is told in a part of the README.
fn shell_of(heading: &str) -> String {
    let readme = readme();
    let (_, part) = readme.split_once(heading).unwrap();
    let (_, shown) = part.split_once("```sh\n").unwrap();
    shown.split_once("```").unwrap().0.to_owned()
}

/// A cell of the table of Apps, as the README has it, in which this stands.
fn said_of_apps(words: &str) -> String {
    let readme = readme();
    let code = readme.split('`').skip(1).step_by(2).find(|code| code.contains(words));
    code.unwrap_or_else(|| panic!("{words} in the README")).to_owned()
}

/// Somebody at a shell who types what the README shows.
struct Administrator {
    home: tempfile::TempDir,
    /// In place of the README's; without a profile it is typed with each command.
    url: String,
    token: Option<String>,
    by_flags: bool,
}

impl Administrator {
    fn of(simulator: &Simulator, by_flags: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join(".config/callsweep")).unwrap();
        Self { home, url: simulator.origin(), token: None, by_flags }
    }

    fn writes(&self, name: &str, text: &str, mode: u32) {
        let path = self.home.path().join(".config/callsweep").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn types(&self, line: &str) -> Said {
        let folder = env!("CARGO_BIN_EXE_callsweep").rsplit_once('/').unwrap().0;
        let address = if self.by_flags { self.url.clone() } else { String::new() };
        let line = match address.as_str() {
            "" => line.replace(&format!("--url {SHOWN}"), ""),
            address => line.replace(SHOWN, address),
        };
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).env_clear().stdin(Stdio::null());
        shell.env("PATH", format!("{folder}:/usr/bin:/bin")).env("HOME", self.home.path());
        shell.env("CALLSWEEP_TEST_SPEED", "20");
        shell.envs(self.token.iter().map(|token| ("CALLSWEEP_TOKEN", token)));
        Said::of(shell.output().unwrap())
    }

    /// The lines of the README from the check to the way back, each with what it comes to.
    fn makes_the_first_deletion(&self, simulator: &Simulator, events: usize) {
        let there = || {
            simulator.with_world(|world| {
                world.extensions().map(|one| world.event_ids(one.number()).len()).sum::<usize>()
            })
        };
        let (before, shown) = (there(), shell_of("### The first deletion"));
        let [check, list, dry, delete, undo] = shown.lines().collect::<Vec<_>>()[..] else {
            panic!("{shown}")
        };
        let well = |line: &str| {
            let said = self.types(line);
            assert_eq!(said.code, 0, "{line}: {}{}", said.out, said.err);
            said
        };
        assert!(!well(check).out.contains('✗'));
        assert_eq!(well(list).out.lines().count(), events + 1);
        let dry = well(dry);
        assert_eq!(dry.out.matches("DELETE /uapi/").count(), events, "{}", dry.out);
        let asked = self.types(delete);
        assert_eq!((asked.code, there()), (4, before), "{}", asked.err);
        well(&delete.replacen("callsweep delete", "callsweep delete --yes", 1));
        assert_eq!(there(), before - events);
        well(undo);
        assert_eq!(there(), before);
    }
}

/// The token, as the README has curl ask for it.
fn token_by_curl(url: &str, (key, secret): (&str, &str)) -> Option<String> {
    let shown = shell_of("### An App, a token and the right profile");
    let shown = shown.replace(SHOWN, url).replace("client_id=KEY", &format!("client_id={key}"));
    let mut shell = Command::new("bash");
    shell.args(["-c", &shown]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = shell.spawn().ok()?;
    running.stdin.take()?.write_all(format!("{secret}\n").as_bytes()).ok()?;
    let answer: Value = serde_json::from_slice(&running.wait_with_output().ok()?.stdout).ok()?;
    Some(answer["access_token"].as_str()?.to_owned())
}

fn pbx(scenario: &str) -> (Simulator, String, String) {
    let world = World::named(scenario).unwrap();
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let app = simulator.with_world(|world| {
        let (key, secret) = world.app();
        (key.to_owned(), secret.to_owned())
    });
    (simulator, app.0, app.1)
}

#[test]
fn a_user_with_a_token_makes_the_first_deletion_by_the_words_of_the_readme() {
    let (simulator, key, secret) = pbx("the-page");
    let mut user = Administrator::of(&simulator, true);
    let first = user.types("callsweep");
    assert!(first.err.contains("callsweep --url https://pbx.example.com"), "{}", first.err);
    let without = user.types("callsweep check --url https://pbx.example.com");
    assert!(without.out.contains("CALLSWEEP_TOKEN is not set"), "{}", without.out);
    // Where there is no curl the simulator's own token does.
    let token = token_by_curl(&user.url, (&key, &secret));
    user.token = token.or_else(|| Some(simulator.token()));
    user.makes_the_first_deletion(&simulator, 1);
}

#[test]
fn an_organisation_makes_the_first_deletion_by_the_words_of_the_readme() {
    for scenario in ["an-organisation-open", "an-organisation-by-id", "an-organisation-at-owner"] {
        let (simulator, key, secret) = pbx(scenario);
        let administrator = Administrator::of(&simulator, false);
        let auth = said_of_apps("app_secret_file = \"acme.secret\"").replace('…', &key);
        let profile = |more: &str| {
            let url = &administrator.url;
            let text = format!("[profiles.acme]\nurl = {url:?}\n{more}\n{auth}\n");
            administrator.writes("config.toml", &text, 0o644);
        };
        profile("");
        administrator.writes("acme.secret", &secret, 0o644);
        let check = administrator.types("callsweep check");
        assert!(check.out.contains("→ run `chmod 600 "), "{}", check.out);
        administrator.writes("acme.secret", &secret, 0o600);
        let check = administrator.types("callsweep check");
        let discover = said_of_apps("discover = [\"presence\", \"system_api\"]");
        assert!(check.out.contains(&format!("write {discover}")), "{}", check.out);
        profile(&discover);
        // Whose name the PBX takes is written into the profile, so that no try is refused again.
        let check = administrator.types("callsweep check");
        let (_, user) = check.out.rsplit_once(", as ").unwrap();
        if let Some(user) = user.split_whitespace().next().filter(|user| user.starts_with('@')) {
            profile(&format!("{discover}\nuser = {:?}", user.trim_end_matches(',')));
        }
        administrator.makes_the_first_deletion(&simulator, 5);
    }
}

#[test]
fn an_old_pbx_with_its_own_certificate_is_worked_with_by_the_words_of_the_readme() {
    let identity = Identity::new(Certified::Openssl).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let simulator =
        Simulator::start_tls(World::named("the-page").unwrap(), listen, &identity).unwrap();
    let mut administrator = Administrator::of(&simulator, true);
    administrator.token = Some(simulator.token());
    let check = administrator.types("callsweep check --url https://pbx.example.com");
    assert!(check.out.contains("write it as fingerprint in a profile"), "{}", check.out);
    let (_, met) = check.out.split_once("certificate sha256:").unwrap();
    let fingerprint = format!("sha256:{}", met.split(',').next().unwrap());
    assert_eq!(fingerprint, Fingerprint::of(identity.der()).to_string());
    let readme = readme();
    let (_, shortest) = readme.split_once("```toml\n").unwrap();
    let (shortest, _) = shortest.split_once("```").unwrap();
    let pinned = format!("fingerprint = {fingerprint:?}\nauth");
    let profile = shortest.replace(SHOWN, &administrator.url).replace("auth", &pinned);
    administrator.writes("config.toml", &profile, 0o644);
    administrator.by_flags = false;
    administrator.makes_the_first_deletion(&simulator, 1);
}

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
