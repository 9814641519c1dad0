//! TLS against a real server: nginx in front of the simulator, with certificates of a made-up CA.
//! Certificates that the openssl program makes, and TLS that is too old, are met there too.
//! Where nginx or openssl is missing these tests say so and prove nothing; `.ci/run` installs them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use callsweep::api::{Client, Settings, Writes};
use callsweep::domain::{
    Cause, Credentials, Discovery, Failure, Secret, Source, Target, Trust, UserId,
};
use callsweep::simulator::{Simulator, World};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

use crate::headless::{Said, command, configure};

/// What of an old server's settings nginx is told, beside the certificate.
const OLD: &str = "ssl_protocols TLSv1; ssl_ciphers DEFAULT:@SECLEVEL=0;";
const RSA_KEY_EXCHANGE: &str =
    "ssl_protocols TLSv1.2; ssl_ciphers AES128-SHA:AES128-GCM-SHA256:AES256-SHA;";
const WEAK: &str = "ssl_ciphers DEFAULT:@SECLEVEL=0;";
/// The ports of loopback that nginx serves, each with its certificate and its settings.
const SERVERS: [(&str, &str, &str); 11] = [
    ("right", "right", ""),
    ("expired", "expired", ""),
    ("other name", "other-name", ""),
    ("no name", "no-name", ""),
    ("not yet", "not-yet", ""),
    ("by default", "default", ""),
    ("version 1", "version-1", ""),
    ("SHA-1", "sha-1", WEAK),
    ("short key", "short", WEAK),
    ("TLS 1.0", "default", OLD),
    ("RSA key exchange", "default", RSA_KEY_EXCHANGE),
];

/// Where nginx keeps what does not fit into its memory, below its folder.
const TEMPORARY: &str = "client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; \
                         uwsgi_temp_path u; scgi_temp_path s;\n";

/// A server in a folder of its own.
struct Nginx(TempDir);

impl Nginx {
    /// It forks once it listens, so that it can be asked as soon as this returns.
    fn start(text: &str) -> Self {
        let nginx = Self(tempfile::tempdir().unwrap());
        std::fs::write(nginx.0.path().join("nginx.conf"), text).unwrap();
        assert!(nginx.told(&[]), "nginx did not start");
        nginx
    }

    fn told(&self, more: &[&str]) -> bool {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(self.0.path()).arg("-c").arg(self.0.path().join("nginx.conf"));
        command.args(["-e", "error.log"]).args(more).status().unwrap().success()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.told(&["-s", "stop"]);
    }
}

/// nginx in front of a simulator.
struct Front {
    /// Stopped before its certificates go.
    _nginx: Nginx,
    folder: TempDir,
    simulator: Simulator,
    ports: [u16; SERVERS.len()],
}

impl Front {
    /// `None`, loudly, where there is no nginx or openssl.
    fn start() -> Option<Self> {
        for (program, version) in [("nginx", "-v"), ("openssl", "version")] {
            let mut there = Command::new(program);
            there.arg(version).stdout(Stdio::null()).stderr(Stdio::null());
            if there.status().is_err() {
                #[expect(clippy::print_stderr, reason = "a skipped test says so")]
                {
                    eprintln!("SKIPPED: {program} is not installed, so TLS was not tried");
                }
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        certificates_of_openssl(folder.path());
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let simulator = Simulator::start(World::named("the-page").unwrap(), listen).unwrap();
        let ports = free_ports();
        let servers = SERVERS.iter().zip(ports).map(|((_, certificate, settings), port)| {
            let certificate = folder.path().join(certificate).display().to_string();
            let origin = simulator.origin();
            format!(
                "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}.pem; \
                 ssl_certificate_key {certificate}.key; {settings} \
                 location / {{ proxy_pass {origin}; }} }}\n"
            )
        });
        let servers: String = servers.collect();
        let nginx = Nginx::start(&format!(
            "worker_processes 1; pid nginx.pid; events {{}}\n\
             http {{ access_log off; {TEMPORARY}{servers}}}\n"
        ));
        Some(Self { _nginx: nginx, folder, simulator, ports })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ca(&self) -> Trust {
        Trust::MachineAnd(self.path("ca.pem"))
    }

    fn port(&self, name: &str) -> u16 {
        self.ports[SERVERS.iter().position(|(one, ..)| *one == name).unwrap()]
    }

    /// What a command of the real program says of a port, with more keys in the profile.
    fn said(&self, origin: &str, more: &str, arguments: &[&str]) -> Said {
        configure(&self.folder, origin, more);
        Said::of(command(&self.folder, &self.simulator.token(), arguments).output().unwrap())
    }

    /// Lists, plans and checks.
    fn is_worked_with(&self, origin: &str, more: &str) -> Said {
        let listed = self.said(origin, more, &["list"]);
        assert_eq!(listed.code, 0, "{}", listed.err);
        let dry = ["delete", "--where", "ext:*", "--dry-run"];
        let dry = self.said(origin, more, &dry);
        assert_eq!(dry.code, 0, "{}", dry.err);
        let check = self.said(origin, more, &["check"]);
        assert_eq!(check.code, 0, "{}", check.out);
        check
    }

    /// Asks for the extensions through one of the ports.
    fn ask(&self, port: u16, trust: Trust) -> Result<Discovery, Failure> {
        let user = UserId::parse("@me").unwrap();
        let origin = format!("https://localhost:{port}");
        let client = Client::new(Settings {
            target: Target::new("tls", &origin, "/uapi", user).unwrap(),
            credentials: Credentials::Token(Secret::new(&self.simulator.token())),
            timeout: crate::session::PATIENCE,
            trust,
            writes: Writes::Allowed,
            concurrency: 1,
        });
        let hands = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        hands.block_on(client.unwrap().extensions(&[], &[Source::Presence], &mut Vec::new()))
    }
}

fn free_ports<const N: usize>() -> [u16; N] {
    let bound = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    bound.map(|listener| listener.local_addr().unwrap().port())
}

/// A CA, and certificates of it: a right one, one that has expired, one for another name, one for none,
/// one that is not valid yet.
fn certificates(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    for (name, host, first_year, last_year) in [
        ("right", Some("localhost"), 2019, 4000),
        ("expired", Some("localhost"), 2019, 2020),
        ("other-name", Some("pbx.example.com"), 2019, 4000),
        ("no-name", None, 2019, 4000),
        ("not-yet", Some("localhost"), 3000, 4000),
    ] {
        let names = host.into_iter().map(ToOwned::to_owned).collect::<Vec<_>>();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.not_before = date_time_ymd(first_year, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// What the openssl program makes, as an administrator would have it made, now and long ago.
fn certificates_of_openssl(folder: &Path) {
    let openssl = |words: &str| {
        let mut command = Command::new("openssl");
        command.args(words.split(' ')).current_dir(folder);
        let made = command.stderr(Stdio::null()).status().unwrap();
        assert!(made.success(), "openssl {words}");
    };
    let new = "req -newkey rsa:2048 -nodes -subj /CN=localhost";
    openssl(&format!("{new} -x509 -keyout default.key -out default.pem"));
    openssl(&format!("{new} -x509 -sha1 -keyout sha-1.key -out sha-1.pem"));
    openssl(&format!("{new} -new -keyout version-1.key -out request"));
    openssl("x509 -req -in request -signkey version-1.key -out version-1.pem");
    openssl(
        "req -newkey rsa:1024 -nodes -subj /CN=localhost -x509 -keyout short.key -out short.pem",
    );
}

#[test]
fn a_certificate_of_the_named_ca_is_trusted_and_every_wrong_one_has_its_own_sentence() {
    let Some(front) = Front::start() else { return };
    assert_eq!(front.ask(front.port("right"), front.ca()).unwrap().extensions.len(), 1);
    for (port, trust, words) in [
        (front.port("right"), Trust::Machine, "ca_file"),
        (front.port("expired"), front.ca(), "has expired"),
        (front.port("other name"), front.ca(), "was made for another name"),
        (
            front.port("no name"),
            front.ca(),
            "names no host (it has no subjectAltName, only the old CN=localhost)",
        ),
        (front.port("not yet"), front.ca(), "is not valid yet (its own first day is 3000-01-01)"),
    ] {
        let failure = front.ask(port, trust).unwrap_err();
        assert_eq!(failure.cause, Cause::Untrusted);
        assert!(failure.told().contains(words), "{failure}");
        assert!(failure.told().contains("localhost"), "{failure}");
    }
}

#[test]
fn insecure_takes_every_certificate() {
    let Some(front) = Front::start() else { return };
    for port in [front.port("right"), front.port("expired"), front.port("other name")] {
        assert_eq!(front.ask(port, Trust::Anything).unwrap().extensions.len(), 1);
    }
}

#[test]
fn what_openssl_makes_is_trusted_where_the_profile_names_it_and_refused_in_words_otherwise() {
    let Some(front) = Front::start() else { return };
    for (name, file) in [("by default", "default"), ("version 1", "version-1"), ("SHA-1", "sha-1")]
    {
        let origin = format!("https://localhost:{}", front.port(name));
        let refused = front.said(&origin, "", &["check"]);
        assert_eq!(refused.code, 1, "{}", refused.out);
        for words in ["is self-signed", "no name but the old CN=localhost", "→ compare "] {
            assert!(refused.out.contains(words), "{name}, {words}: {}", refused.out);
        }
        assert_eq!(refused.out.contains("signed with SHA-1"), name == "SHA-1", "{}", refused.out);
        let (_, met) = refused.out.split_once("certificate sha256:").unwrap();
        let met = met.split(',').next().unwrap();
        front.is_worked_with(&origin, &format!("fingerprint = \"sha256:{met}\""));
        // Another name for the same machine.
        let origin = format!("https://127.0.0.1:{}", front.port(name));
        front.is_worked_with(&origin, &format!("ca_file = \"../../{file}.pem\""));
    }
}

#[test]
fn what_is_too_old_has_words_and_a_remedy_of_its_own() {
    let Some(front) = Front::start() else { return };
    for (name, words) in [
        ("TLS 1.0", "speaks only TLS 1.0 or 1.1"),
        ("RSA key exchange", "only the RSA key exchange"),
        ("short key", "an RSA key of 1024 bits"),
    ] {
        let origin = format!("https://localhost:{}", front.port(name));
        for (arguments, more) in
            [(&["check"][..], ""), (&["list"], "ca_file = \"../../short.pem\"")]
        {
            let said = front.said(&origin, more, arguments);
            let told = said.out + &said.err;
            assert_eq!(said.code, 1, "{told}");
            for words in [words, "http://127.0.0.1:PORT", "A PBX with old TLS"] {
                assert!(told.contains(words), "{name}, {words}: {told}");
            }
        }
    }
}

#[test]
fn through_the_proxy_that_the_readme_shows_an_old_pbx_is_worked_with() {
    let Some(front) = Front::start() else { return };
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, shown) = readme.split_once("```nginx\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    for name in ["TLS 1.0", "RSA key exchange", "short key"] {
        let [port] = free_ports();
        let file = if name == "short key" { "short" } else { "default" };
        let pem = front.path(&format!("{file}.pem")).display().to_string();
        let text = shown
            .replace("127.0.0.1:8980", &format!("127.0.0.1:{port}"))
            .replace("https://pbx.example.com", &format!("https://localhost:{}", front.port(name)))
            .replace("pbx.example.com", "localhost")
            .replace("/etc/ssl/pbx.pem", &pem)
            .replace("http {", &format!("pid nginx.pid;\nhttp {{\n{TEMPORARY}"));
        let _proxy = Nginx::start(&text);
        let origin = format!("http://127.0.0.1:{port}");
        front.is_worked_with(&origin, "");
        let id = front.simulator.with_world(|world| world.event_ids("0003*210")[0].to_owned());
        let delete = ["delete", "--extension", "0003*210", "--id", &id, "--yes"];
        let deleted = front.said(&origin, "", &delete);
        assert_eq!(deleted.code, 0, "{}", deleted.err);
    }
}

#[test]
fn check_tells_what_an_old_pbx_speaks_and_which_certificate_it_has() {
    let Some(front) = Front::start() else { return };
    let pinned = "openssl x509 -noout -fingerprint -sha256 -in default.pem";
    let mut openssl = Command::new("openssl");
    openssl.args(pinned.split(' ').skip(1)).current_dir(front.folder.path());
    let told = String::from_utf8(openssl.output().unwrap().stdout).unwrap();
    let (_, fingerprint) = told.trim().split_once('=').unwrap();
    let fingerprint = format!("sha256:{}", fingerprint.replace(':', "").to_lowercase());
    for (name, words) in [
        ("TLS 1.0", "it chose TLS 1.0 with "),
        ("RSA key exchange", "it chose TLS 1.2 with the RSA key exchange"),
    ] {
        let check = front.said(&format!("https://localhost:{}", front.port(name)), "", &["check"]);
        for words in [words, &fingerprint, "for no name but the old CN=localhost"] {
            assert!(check.out.contains(words), "{name}, {words}: {}", check.out);
        }
    }
}

#[test]
fn a_certificate_of_a_ca_that_names_no_host_or_is_not_valid_yet_is_trusted_by_its_fingerprint() {
    let Some(front) = Front::start() else { return };
    for (name, words) in [("no name", "names no host"), ("not yet", "is not valid yet")] {
        let origin = format!("https://localhost:{}", front.port(name));
        let refused = front.said(&origin, "ca_file = \"../../ca.pem\"", &["check"]);
        assert!(refused.out.contains(words) && refused.code == 1, "{}", refused.out);
        let (_, met) = refused.out.split_once("certificate sha256:").unwrap();
        let met = met.split(',').next().unwrap();
        front.is_worked_with(&origin, &format!("fingerprint = \"sha256:{met}\""));
    }
}
