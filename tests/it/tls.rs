//! TLS against a real server: nginx in front of the simulator, with certificates of a made-up CA.
//! Where nginx is missing these tests say so and prove nothing; `.ci/run` installs it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use callsweep::api::{Client, Settings, Writes};
use callsweep::domain::{
    Cause, Credentials, Discovery, Failure, Secret, Source, Target, Trust, UserId,
};
use callsweep::simulator::{Simulator, World};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// nginx on three ports of loopback, one a certificate.
struct Front {
    folder: TempDir,
    simulator: Simulator,
    right: u16,
    expired: u16,
    other_name: u16,
}

impl Front {
    /// `None`, loudly, where there is no nginx.
    fn start() -> Option<Self> {
        if Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_err() {
            #[expect(clippy::print_stderr, reason = "a skipped test says so")]
            {
                eprintln!("SKIPPED: nginx is not installed, so TLS was not tried");
            }
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let simulator = Simulator::start(World::named("the-page").unwrap(), listen).unwrap();
        let [right, expired, other_name] = free_ports();
        let front = Self { folder, simulator, right, expired, other_name };
        front.write_configuration();
        // nginx forks once it listens, so that it can be asked as soon as this returns.
        let started = front.nginx(&[]);
        assert!(started, "nginx did not start");
        Some(front)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ca(&self) -> Trust {
        Trust::MachineAnd(self.path("ca.pem"))
    }

    fn nginx(&self, more: &[&str]) -> bool {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(self.folder.path()).arg("-c").arg(self.path("nginx.conf"));
        command.args(["-e", "error.log"]).args(more).status().unwrap().success()
    }

    fn write_configuration(&self) {
        let server = |port: u16, name: &str| {
            let folder = self.folder.path().display();
            let origin = self.simulator.origin();
            format!(
                "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/{name}.pem; \
                 ssl_certificate_key {folder}/{name}.key; location / {{ proxy_pass {origin}; }} }}\n"
            )
        };
        let servers = [
            server(self.right, "right"),
            server(self.expired, "expired"),
            server(self.other_name, "other-name"),
        ];
        let text = format!(
            "worker_processes 1; pid nginx.pid; events {{}}\nhttp {{ access_log off; \
             client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; \
             scgi_temp_path s;\n{}}}\n",
            servers.concat()
        );
        std::fs::write(self.path("nginx.conf"), text).unwrap();
    }

    /// Asks for the extensions through one of the ports.
    fn ask(&self, port: u16, trust: Trust) -> Result<Discovery, Failure> {
        let user = UserId::parse("@me").unwrap();
        let origin = format!("https://localhost:{port}");
        let client = Client::new(Settings {
            target: Target::new("tls", &origin, "/uapi", user).unwrap(),
            credentials: Credentials::Token(Secret::new(&self.simulator.token())),
            timeout: Duration::from_secs(10),
            trust,
            writes: Writes::Allowed,
            concurrency: 1,
        });
        let hands = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        hands.block_on(client.unwrap().extensions(&[], &[Source::Presence], &mut Vec::new()))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.nginx(&["-s", "stop"]);
    }
}

fn free_ports<const N: usize>() -> [u16; N] {
    let bound = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    bound.map(|listener| listener.local_addr().unwrap().port())
}

/// A CA, and three certificates of it: a right one, one that has expired, one for another name.
fn certificates(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    for (name, host, last_year) in [
        ("right", "localhost", 4000),
        ("expired", "localhost", 2020),
        ("other-name", "pbx.example.com", 4000),
    ] {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[test]
fn a_certificate_of_the_named_ca_is_trusted_and_every_wrong_one_has_its_own_sentence() {
    let Some(front) = Front::start() else { return };
    assert_eq!(front.ask(front.right, front.ca()).unwrap().extensions.len(), 1);
    for (port, trust, words) in [
        (front.right, Trust::Machine, "ca_file"),
        (front.expired, front.ca(), "has expired"),
        (front.other_name, front.ca(), "was made for another name"),
    ] {
        let failure = front.ask(port, trust).unwrap_err();
        assert_eq!(failure.cause, Cause::Unreachable);
        assert!(failure.message.raw().contains(words), "{failure}");
        assert!(failure.message.raw().contains("localhost"), "{failure}");
    }
}

#[test]
fn insecure_takes_every_certificate() {
    let Some(front) = Front::start() else { return };
    for port in [front.right, front.expired, front.other_name] {
        assert_eq!(front.ask(port, Trust::Anything).unwrap().extensions.len(), 1);
    }
}
