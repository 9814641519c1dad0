//! `callsweep simulator` for other clients: where it listens, who is let in, what it tells, and how it
//! ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Stdio};

use crate::headless::{Said, command};

/// A simulator in a process of its own, once it listens.
struct Running {
    process: Child,
    told: Vec<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let arguments = [&["simulator"], arguments].concat();
        let mut command = command(&home, "", &arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let told = out.lines().map(Result::unwrap);
        let told = told.take_while(|line| !line.starts_with("ctrl-c")).collect();
        Self { process, told }
    }

    fn value(&self, name: &str) -> String {
        let line = self.told.iter().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {:?}", self.told)).trim().to_owned()
    }

    /// The whole answer to a request.
    fn ask(&self, method: &str, target: &str, token: &str, body: &str) -> String {
        let port = self.value("url ").rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: pbx\r\nConnection: close\r\nAuthorization: Bearer \
             {token}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    /// Sends it a signal; its exit code, and what it said on standard error.
    fn ended_by(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.process.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.process.wait().unwrap().code(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const PRESENCE: &str = "/uapi/extensions/@me/@self/presence";

#[test]
fn every_request_is_told_with_its_answer_where_it_is_asked_for() {
    let running = Running::start(&["--scenario", "the-page", "--log"]);
    let token = running.value("token ");
    assert!(running.ask("GET", PRESENCE, &token, "").starts_with("HTTP/1.1 200"));
    assert!(running.ask("GET", PRESENCE, "wrong", "").starts_with("HTTP/1.1 401"));
    let one = "/uapi/extensions/@me/0003*210/phoneCallEvents/0/NqeyDRqo4FtabmFj8gNWq3hsiGNYyq";
    assert!(running.ask("DELETE", one, &token, "").starts_with("HTTP/1.1 200"));
    let (_, said) = running.ended_by("TERM");
    let lines: Vec<&str> = said.lines().collect();
    let told =
        [format!("GET {PRESENCE} 200"), format!("GET {PRESENCE} 401"), format!("DELETE {one} 200")];
    assert_eq!(lines, told);
    assert!(!said.contains(&token));
    let quiet = Running::start(&["--scenario", "the-page"]);
    quiet.ask("GET", PRESENCE, "wrong", "");
    assert_eq!(quiet.ended_by("TERM").1, "");
}

#[test]
fn a_request_that_gets_no_answer_is_told_too_and_what_is_told_acts_on_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.toml");
    let text = "name = \"cut\"\ntoken = \"t\"\n[[faults]]\nmethod = \"DELETE\"\nreset = true\n";
    std::fs::write(&file, text).unwrap();
    let running = Running::start(&["--log", "--scenario", file.to_str().unwrap()]);
    assert_eq!(running.ask("DELETE", "/uapi/x\u{9b}31m", "t", ""), "");
    let (_, said) = running.ended_by("TERM");
    assert!(said.contains("DELETE /uapi/x") && said.contains("no answer"), "{said}");
    assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
}

#[test]
fn a_signal_ends_it_in_order_also_while_clients_are_connected() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let running = Running::start(&[]);
        let address = running.value("url    http://");
        let mut idle = TcpStream::connect(&address).unwrap();
        idle.write_all(b"GET /uapi HTTP/1.1\r\n").unwrap();
        assert_eq!(running.ended_by(signal).0, Some(code), "{signal}");
        // Closed, not left.
        let _ = idle.shutdown(Shutdown::Write);
        let mut nothing = Vec::new();
        let _ = idle.read_to_end(&mut nothing);
        assert!(nothing.is_empty());
    }
}

#[test]
fn names_of_hosts_are_addresses_too_and_what_is_none_is_refused_with_the_form() {
    let running = Running::start(&["--listen", "localhost:0"]);
    let url = running.value("url ");
    assert!(url.starts_with("http://127.0.0.1:") || url.starts_with("http://[::1]:"), "{url}");
    assert_eq!(running.value("token "), "demo-token");
    assert_eq!(running.ended_by("TERM"), (Some(143), String::new()));
    let home = tempfile::tempdir().unwrap();
    for address in ["localhost", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "localhost:http", ""] {
        let listen = format!("--listen={address}");
        let said = Said::of(command(&home, "", &["simulator", &listen]).output().unwrap());
        assert_eq!(said.code, 2, "{address}: {}", said.err);
        assert!(said.err.contains("write HOST:PORT, as in localhost:8080"), "{}", said.err);
    }
    // Kept for documentation (RFC 5737): no machine has it.
    let far = command(&home, "", &["simulator", "--listen=192.0.2.1:0"]).output().unwrap();
    let said = Said::of(far);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("name an address of this machine"), "{}", said.err);
}

#[test]
fn where_other_machines_reach_it_it_says_so_and_nothing_that_is_known_lets_them_in() {
    let mut seen = Vec::new();
    for scenario in ["demo", "the-page"] {
        let running = Running::start(&["--listen", "0.0.0.0:0", "--scenario", scenario]);
        let token = running.value("token ");
        assert!(token.len() >= 32 && !seen.contains(&token), "{token}");
        for known in ["demo-token", "page-token", "1|issued~1|1"] {
            assert!(running.ask("GET", PRESENCE, known, "").starts_with("HTTP/1.1 401"), "{known}");
        }
        assert!(running.ask("GET", PRESENCE, &token, "").starts_with("HTTP/1.1 200"));
        let app = |secret: &str| {
            let key = "client_id=callsweep-app&client_secret=";
            let form = format!("grant_type=client_credentials&{key}{secret}");
            running.ask("POST", "/oauth/token.php", "", &form)
        };
        assert!(app("callsweep-app-secret").starts_with("HTTP/1.1 401"));
        let secret = running.value("app ").rsplit_once(' ').unwrap().1.to_owned();
        assert!(app(&secret).starts_with("HTTP/1.1 200"));
        assert!(running.ask("GET", PRESENCE, "1|issued~1|1", "").starts_with("HTTP/1.1 401"));
        let port = running.value("url ").rsplit_once(':').unwrap().1.to_owned();
        let (_, said) = running.ended_by("INT");
        assert!(said.contains("other machines can reach 0.0.0.0:"), "{said}");
        assert!(
            said.contains(&format!("--listen 127.0.0.1:{port} keeps it to this one")),
            "{said}"
        );
        assert!(!said.contains(&token), "{said}");
        seen.push(token);
    }
}

#[test]
fn the_page_for_other_clients_names_every_scenario_and_every_key_of_a_fault() {
    let page = include_str!("../../assets/simulator.md");
    for name in callsweep::simulator::scenario_names() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    let faults = include_str!("../../src/simulator/fault.rs");
    let (_, fields) = faults.split_once("pub struct Fault {").unwrap();
    let fields = fields.split_once("\n}").unwrap().0.lines();
    let keys = fields.filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next());
    for key in keys {
        assert!(page.contains(&format!("`{key}")), "{key}");
    }
}

#[test]
fn what_the_page_for_other_clients_shows_works_as_it_is_written() {
    let page = include_str!("../../assets/simulator.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let text = rest.split_once("```").unwrap().0;
    callsweep::simulator::World::scenario(text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("busy.toml");
    std::fs::write(&file, text).unwrap();
    let running = Running::start(&["--scenario", file.to_str().unwrap()]);
    let token = running.value("token ");
    let events = "/uapi/extensions/@me/0003*210/phoneCallEvents";
    assert!(running.ask("GET", events, &token, "").starts_with("HTTP/1.1 200"));
    let one = format!("{events}/0/first");
    assert!(running.ask("DELETE", &one, &token, "").starts_with("HTTP/1.1 503"));
    assert_eq!(running.ask("DELETE", &one, &token, ""), "", "acted on, and no answer");
    assert!(running.ask("DELETE", &one, &token, "").contains("pce_id_invalid"));
}
