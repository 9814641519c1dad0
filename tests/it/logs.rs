//! The log: what it holds of a walk through everything, what it never holds, and that nothing which
//! may be wrong with it harms what it tells of.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use callsweep::simulator::{Fault, Simulator, World};

use crate::headless::{Pbx, Said, command, named, pbx};
use crate::session::Session;

const TOKEN: &str = "1|sEcr3t~t0ken|9";

/// What only this customer has: numbers, labels, owner, hosts, paths, notes, and the PBX's host.
const OF_CUSTOMER: &[&str] = &[
    "4711*8301",
    "4711*8302",
    "8301",
    "8302",
    "Zacharias",
    "Quendel",
    "887766",
    "crm-xanthippe",
    "kerbel.test",
    "geheimpfad",
    "Notizzettel",
    "127.0.0.1",
    "localhost",
];

/// Two extensions of an owner; the second refuses, and its service repeats all that it knows.
fn world() -> World {
    let event = |extension: &str, number: u8, id: &str, host: &str| {
        format!(
            "[[extensions.events]]\ntype = {number}\nid = \"{id}\"\nmethod = 1\nurl = \
             \"https://{host}/geheimpfad?x={extension}\"\nnote = \"Notizzettel\"\n"
        )
    };
    let extension = |number: &str, label: &str| {
        format!("[[extensions]]\nnumber = \"{number}\"\nlabel = \"{label}\"\nowner = \"887766\"\n")
    };
    let text = [
        format!("name = \"n\"\ntoken = \"{TOKEN}\"\n"),
        "[[users]]\nid = \"887766\"\nname = \"Quendel GmbH\"\n".to_owned(),
        extension("4711*8301", "Zacharias"),
        event("8301", 0, "first", "crm-xanthippe.test"),
        event("8301", 2, "second", "crm-xanthippe.test"),
        event("8301", 2, "third", "kerbel.test"),
        extension("4711*8302", "Quendel"),
        event("8302", 0, "fourth", "crm-xanthippe.test"),
    ];
    let mut world = World::scenario(&text.concat()).unwrap();
    let all = OF_CUSTOMER.join(" ");
    world.add_fault(Fault {
        method: Some("DELETE".to_owned()),
        path: Some("8302".to_owned()),
        status: Some(400),
        body: Some(
            serde_json::json!({"error": {"code": "pce_access_denied",
                "message": format!("Bearer {TOKEN} may not touch {all}")}})
            .to_string(),
        ),
        ..Fault::default()
    });
    world
}

fn configure(home: &Path, simulator: &Simulator) -> String {
    let file = home.join("config.toml");
    let text = format!(
        "[profiles.xanthippe]\nurl = {:?}\ndiscover = [\"presence\", \"system_api\"]\n\
         auth = {{ token_env = \"T\" }}\n",
        simulator.origin()
    );
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn log_in(home: &Path) -> PathBuf {
    home.join(".local/state/callsweep/callsweep.log")
}

/// Everything that can be asked for, on the screen; what the log holds of it.
fn walk(flags: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(world(), "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = configure(home.path(), &simulator);
    let whole = [&["--config", &file], flags].concat();
    let variables = [("T", TOKEN), ("CALLSWEEP_LOG", "debug"), ("CALLSWEEP_TEST_SPEED", "20")];
    let mut session = Session::start(home.path(), &whole, &variables);
    session.sees("Dial-In");
    session.press("/Zacharias\r");
    session.sees("1/2");
    session.escapes();
    session.press("0");
    session.sees("Events of all extensions");
    session.press("2ooo/geheimpfad\r");
    session.escapes();
    session.press("Tnote:Notizzettel -host:kerbel.test\r");
    session.sees("3 marked");
    session.press("Wqd");
    session.sees("DELETE 3 phone call events");
    // It counts only once the review can be read.
    session.press("y");
    session.says_yes();
    session.sees("finished: 2 deleted, 1 refused");
    session.sees("; z undoes it");
    session.press("E");
    session.sees("receipt written");
    session.press("z");
    session.sees("UNDO: re-create 3 phone call events");
    session.says_yes();
    session.sees(" restored");
    session.sees("checked with the service");
    session.press("cU2Gekerbel.test=crm-xanthippe.test\r");
    session.escapes();
    session.press("?quendel");
    session.escapes();
    session.press("\x03\x03\x03\x03");
    session.ends();
    fs::read_to_string(log_in(home.path())).unwrap()
}

fn is_without_secrets(log: &str) {
    for part in ["sEcr3t", "t0ken", "Authorization"] {
        assert!(!log.contains(part), "{part}:\n{log}");
    }
}

#[test]
fn a_log_tells_requests_answers_and_decisions_and_no_secret() {
    let log = walk(&[]);
    is_without_secrets(&log);
    for told in [
        "callsweep 0.",
        "info ",
        " begins: profile xanthippe, http://127.0.0.1:",
        "debug ",
        "asks GET /uapi/extensions/",
        "/4711*8301/phoneCallEvents 200 ",
        "yes: delete 3 events with 3 calls, 0 wide, plan ",
        "/phoneCallEvents/0/first 200 ",
        "judged deleted: type 0, id first: extension 4711*8301",
        "judged refused: type 0, id fourth: Rejected 400 pce_access_denied",
        "run over: 2 deleted, ",
        "check agrees",
        "yes: re-create 3 events",
        "POST /uapi/",
        "ends with 0",
    ] {
        assert!(log.contains(told), "{told:?}:\n{log}");
    }
    // What makes the next test one.
    for told in ["4711*8301", "Zacharias", "crm-xanthippe"] {
        assert!(log.contains(told), "{told:?}:\n{log}");
    }
}

#[test]
fn with_the_mask_on_the_log_holds_nothing_of_a_customer() {
    let log = walk(&["--mask"]);
    is_without_secrets(&log);
    for of_customer in OF_CUSTOMER {
        assert!(!log.contains(of_customer), "{of_customer}:\n{log}");
    }
    assert!(!log.contains("xanthippe"), "{log}");
    for told in ["/uapi/extensions/@me/#/phoneCallEvents/0/first 200 ", "yes: delete 3 events"] {
        assert!(log.contains(told), "{told:?}:\n{log}");
    }
}

/// Time in UTC with milliseconds, level, process, what.
fn is_an_entry(line: &str) -> bool {
    let mut words = line.splitn(4, ' ');
    let (time, level) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let is_time =
        time.len() == 24 && time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok();
    let is_level = ["warn", "info", "debug"].contains(&level);
    let is_process = words.next().is_some_and(|pid| pid.parse::<u32>().is_ok());
    is_time && is_level && is_process && words.next().is_some_and(|what| !what.is_empty())
}

fn logged(pbx: &Pbx, level: &str, arguments: &[&str]) -> (Said, String) {
    let mut command = command(&pbx.home, &pbx.simulator.token(), arguments);
    let said = Said::of(command.env("CALLSWEEP_LOG", level).output().unwrap());
    let log = fs::read_to_string(log_in(pbx.home.path())).unwrap_or_default();
    (said, log)
}

#[test]
fn every_entry_is_one_line_of_one_form_in_a_file_for_its_owner_alone_and_commands_tell_theirs() {
    let pbx = pbx(world());
    let delete = ["delete", "--where", "id:first|fourth", "--yes", "--format", "json"];
    let (said, log) = logged(&pbx, "", &delete);
    assert_eq!(said.code, 3, "{}", said.err);
    is_without_secrets(&log);
    assert!(!log.contains("debug"), "{log}");
    assert!(log.lines().all(is_an_entry), "{log}");
    for told in ["arguments [\"delete\"", "says: run ", "1 deleted, ", "ends with 3"] {
        assert!(log.contains(told), "{told:?}:\n{log}");
    }
    let (said, more) = logged(&pbx, "debug", &["undo", "latest", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(more.starts_with(&log) && more.contains(" debug "), "{more}");
    assert!(more.lines().all(is_an_entry), "{more}");
    let (said, after) = logged(&pbx, "", &["runs", "--remove", "latest", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(after.contains(" removed run "), "{after}");
    let mode = fs::metadata(log_in(pbx.home.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (_, unchanged) = logged(&pbx, "off", &["list"]);
    assert_eq!(unchanged, after);
}

#[test]
fn many_processes_share_one_log_and_tear_no_line() {
    let pbx = named("three-extensions-with-events");
    let token = pbx.simulator.token();
    let all: Vec<_> = (0..8)
        .map(|_| {
            let mut command = command(&pbx.home, &token, &["list", "--format", "json"]);
            command.env("CALLSWEEP_LOG", "debug").stdout(std::process::Stdio::null());
            command.stderr(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut one in all {
        assert!(one.wait().unwrap().success());
    }
    let log = fs::read_to_string(log_in(pbx.home.path())).unwrap();
    assert!(log.lines().all(is_an_entry), "{log}");
    assert_eq!(log.lines().filter(|line| line.contains(" ends with 0")).count(), 8, "{log}");
    assert_eq!(log.lines().filter(|line| line.contains(" begins: ")).count(), 8, "{log}");
}

#[test]
fn a_log_that_cannot_be_written_harms_nothing() {
    for wrong in ["a folder", "a link", "a pipe", "a full disk"] {
        let pbx = named("the-page");
        let (home, token) = (pbx.home.path(), pbx.simulator.token());
        let path = log_in(home);
        let state = path.parent().unwrap();
        fs::create_dir_all(state).unwrap();
        fs::set_permissions(state, fs::Permissions::from_mode(0o700)).unwrap();
        let mut command = command(&pbx.home, &token, &["delete", "--where", "ext:*", "--yes"]);
        match wrong {
            "a folder" => fs::create_dir(&path).unwrap(),
            "a link" => std::os::unix::fs::symlink("/dev/full", &path).unwrap(),
            "a pipe" => {
                let made = std::process::Command::new("mkfifo").arg(&path).status();
                assert!(made.unwrap().success());
            }
            // Only the log is that large.
            _ => {
                fs::write(&path, "x\n".repeat(10 * 512 * 10)).unwrap();
                command = std::process::Command::new("/bin/sh");
                let script = "trap '' XFSZ; ulimit -f 200; exec \"$0\" \"$@\"";
                command.args(["-c", script, env!("CARGO_BIN_EXE_callsweep")]);
                command.args(["delete", "--where", "ext:*", "--yes"]).env_clear();
                command.env("HOME", home).env("TOKEN", &token).env("CALLSWEEP_TEST_SPEED", "20");
            }
        }
        let said = Said::of(command.output().unwrap());
        assert_eq!(said.code, 0, "{wrong}: {}", said.err);
        assert!(said.err.contains("3 deleted; checked with the service"), "{wrong}: {}", said.err);
        assert!(!said.err.contains("callsweep.log"), "{wrong}: {}", said.err);
    }
}

#[test]
fn what_is_refused_before_anything_is_asked_leaves_no_log_and_a_demo_none_but_in_its_own_folder() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&["list"][..], &["--no-such-flag"], &["man"], &["runs"], &["config"]] {
        command(&home, "", arguments).output().unwrap();
    }
    let passing = home.path().join("passing");
    fs::create_dir(&passing).unwrap();
    let mut demo = command(&home, "", &["--demo", "list"]);
    let said = Said::of(demo.env("TMPDIR", &passing).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(fs::read_dir(&passing).unwrap().count(), 0);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}
