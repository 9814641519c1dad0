//! The demo for strangers, `assets/ssh-demo`, through a real `sshd`: they see the demo, and nothing of
//! the server. Run by root it is an account of its own, made for the test alone in a namespace of
//! mounts. Where something is missing the tests say so and prove nothing.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::remote::is_there;
use crate::session::{PATIENCE, Session, until};

const SNIPPET: &str = include_str!("../../assets/ssh-demo/sshd.conf");
const WRAPPER: &str = include_str!("../../assets/ssh-demo/callsweep-demo");
/// The account for the test, where it is made.
const ACCOUNT: &str = "callsweep-demo";
const NUMBER: u32 = 61_234;

struct Demo {
    sshd: Child,
    folder: TempDir,
    port: u16,
    user: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Whether a namespace of mounts can be made, in which there may be another account.
fn may_unshare() -> bool {
    let tried = Command::new("unshare").args(["-m", "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// The server; where root runs it, in a namespace in which there is the account.
fn sshd(folder: &Path, is_root: bool) -> Command {
    let at = |name: &str| folder.join(name);
    let text = |name: &str| at(name).display().to_string();
    let sshd = format!("/usr/sbin/sshd -D -e -f {}", text("sshd_config"));
    let _ = fs::create_dir("/run/sshd");
    let mut command = Command::new("/bin/sh");
    if is_root {
        chown(at("base"), Some(NUMBER), Some(NUMBER)).unwrap();
        let account = format!("{ACCOUNT}:x:{NUMBER}:{NUMBER}::/nonexistent:/bin/sh\n");
        let all = fs::read_to_string("/etc/passwd").unwrap();
        fs::write(at("passwd"), all + &account).unwrap();
        let all = fs::read_to_string("/etc/shadow").unwrap();
        fs::write(at("shadow"), format!("{all}{ACCOUNT}:*:19000:0:99999:7:::\n")).unwrap();
        mode(&at("shadow"), 0o600);
        let bind = |name: &str| format!("mount --bind {} /etc/{name}", text(name));
        let script = format!("{} && {} && exec {sshd}", bind("passwd"), bind("shadow"));
        command = Command::new("unshare");
        command.args(["-m", "/bin/sh", "-c", &script]);
    } else {
        command.args(["-c", &format!("exec {sshd}")]);
    }
    command
}

impl Demo {
    /// An sshd with so many seats.
    fn start(seats: u32) -> Option<Self> {
        for program in ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/flock", "/usr/bin/prlimit"] {
            if !is_there(program) {
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        mode(folder.path(), 0o755);
        let at = |name: &str| folder.path().join(name);
        let text = |name: &str| at(name).display().to_string();
        for name in ["host", "key"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f", &text(name)])
                .status();
            assert!(made.unwrap().success());
        }
        let program = Path::new(env!("CARGO_BIN_EXE_callsweep"));
        if fs::hard_link(program, at("callsweep")).is_err() {
            fs::copy(program, at("callsweep")).unwrap();
        }
        let wrapper = WRAPPER
            .replace("program=/usr/bin/callsweep", &format!("program={}", text("callsweep")))
            .replace("base=/var/lib/callsweep-demo", &format!("base={}", text("base")))
            .replace("seats=8", &format!("seats={seats}"));
        fs::write(at("wrapper"), wrapper).unwrap();
        mode(&at("wrapper"), 0o755);
        fs::create_dir(at("base")).unwrap();
        mode(&at("base"), 0o700);
        let is_root = fs::metadata(at("base")).unwrap().uid() == 0;
        if is_root && !may_unshare() {
            #[expect(clippy::print_stderr, reason = "a skipped test says so")]
            {
                eprintln!("SKIPPED: no namespace of mounts may be made, so the demo was not tried");
            }
            return None;
        }
        let user = if is_root { ACCOUNT.to_owned() } else { own_name() };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let snippet = SNIPPET
            .replace("Match User callsweep-demo", &format!("Match User {user}"))
            .replace("/usr/local/lib/callsweep-demo", &text("wrapper"));
        let configuration = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nUsePAM no\n\
             StrictModes no\nPidFile none\nPasswordAuthentication no\nAcceptEnv *\n\
             KbdInteractiveAuthentication no\nLogLevel ERROR\nSubsystem sftp internal-sftp\n{snippet}",
            text("host"),
            text("key.pub")
        );
        fs::write(at("sshd_config"), configuration).unwrap();
        let mut command = sshd(folder.path(), is_root);
        let sshd = command.stderr(Stdio::null()).spawn().unwrap();
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        until(listens, "sshd does not listen");
        Some(Self { sshd, folder, port, user })
    }

    fn arguments(&self, port_flag: &str) -> Vec<String> {
        let key = self.folder.path().join("key").display().to_string();
        let port = self.port.to_string();
        let mut all: Vec<String> =
            ["-F", "none", "-i", &key, port_flag, &port].map(ToOwned::to_owned).into();
        for option in [
            "IdentitiesOnly=yes",
            "UserKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=no",
            "LogLevel=ERROR",
            "BatchMode=yes",
        ] {
            all.extend(["-o".to_owned(), option.to_owned()]);
        }
        all
    }

    fn at(&self) -> String {
        format!("{}@127.0.0.1", self.user)
    }

    /// A stranger at a terminal, who asks for something.
    fn session(&self, more: &[&str], command: &[&str]) -> Session {
        let mut all = vec!["-tt".to_owned()];
        all.extend(self.arguments("-p"));
        all.extend(more.iter().map(ToString::to_string));
        all.push(self.at());
        all.extend(command.iter().map(ToString::to_string));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let foreign = [("CALLSWEEP_CONFIG", "/etc/passwd"), ("XDG_STATE_HOME", "/tmp")];
        Session::start_program(Path::new("/usr/bin/ssh"), self.folder.path(), &all, &foreign)
    }

    fn run(&self, program: &str, port_flag: &str, more: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(self.arguments(port_flag)).args(more).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// The processes of the program that runs in a seat.
    fn programs(&self) -> Vec<PathBuf> {
        let own = self.folder.path().join("callsweep");
        let own = own.to_str().unwrap().as_bytes();
        let all = fs::read_dir("/proc").unwrap().map(Result::unwrap).map(|entry| entry.path());
        let is_own = |path: &PathBuf| {
            fs::read(path.join("cmdline"))
                .is_ok_and(|line| line.split(|b| *b == 0).next() == Some(own))
        };
        all.filter(is_own).collect()
    }

    fn seats(&self) -> Vec<String> {
        let all = fs::read_dir(self.folder.path().join("base")).unwrap();
        let all = all.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        all.filter(|name| !name.contains(".lock")).collect()
    }

    fn is_empty_soon(&self) {
        let is_empty = || self.programs().is_empty() && self.seats().is_empty();
        until(is_empty, "a program or its seat is left");
    }
}

fn own_name() -> String {
    let name = Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(name).unwrap().trim().to_owned()
}

#[test]
fn a_stranger_sees_the_demo_and_nothing_of_the_server_and_leaves_nothing() {
    let Some(demo) = Demo::start(2) else { return };
    // Whatever is asked for.
    let mut session = demo.session(&["-A", "-X"], &["cat", "/etc/passwd"]);
    session.sees("Dial-In");
    assert_eq!(demo.programs().len(), 1);
    assert_eq!(demo.seats(), ["seat-1"]);
    session.press("\x1a");
    session.sees("not suspended: there is no shell");
    session.press("!");
    session.sees("! does nothing here");
    session.press("\rjd");
    session.sees("DELETE 1 phone call event");
    session.says_yes();
    session.sees("finished: 1 deleted");
    session.press("E");
    session.sees("receipt written; it is deleted when the demo ends");
    session.press("W");
    session.sees("demo");
    session.press("qqq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
    for of_server in ["root:", "/tmp", "seat-", "base", "passwd"] {
        assert!(!session.written.contains(of_server), "{of_server}: {:?}", session.written);
    }
    demo.is_empty_soon();
}

#[test]
fn no_command_file_or_forwarding_is_to_be_had() {
    let Some(demo) = Demo::start(4) else { return };
    let at = demo.at();
    for command in ["id", "/bin/sh", "sftp", "echo uid=", "scp -f /etc/passwd"] {
        let output = demo.run("/usr/bin/ssh", "-p", &[&at, command]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        assert!(output.stdout.is_empty(), "{command}: {output:?}");
        assert!(said.contains("connect with a terminal"), "{command}: {said}");
    }
    let here = demo.folder.path().join("stolen");
    let (from, to) = (format!("{at}:/etc/passwd"), here.display().to_string());
    let ours = demo.folder.path().join("key.pub").display().to_string();
    let there = demo.folder.path().join("base/was-here");
    let written = format!("{at}:{}", there.display());
    for (program, more) in [
        ("/usr/bin/scp", vec![from.as_str(), &to]),
        ("/usr/bin/scp", vec!["-O", &from, &to]),
        ("/usr/bin/scp", vec![ours.as_str(), &written]),
        ("/usr/bin/sftp", vec![at.as_str()]),
    ] {
        let output = demo.run(program, "-P", &more);
        assert!(!output.status.success(), "{program} {more:?}: {output:?}");
        assert!(!here.exists() && !there.exists());
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = format!("127.0.0.1:{port}");
    let output = demo.run("/usr/bin/ssh", "-p", &["-W", &target, &at]);
    assert!(!output.status.success(), "{output:?}");
    let back = format!("0:{target}");
    let remote = ["-o", "ExitOnForwardFailure=yes", "-N", "-R", &back, &at];
    assert!(!demo.run("/usr/bin/ssh", "-p", &remote).status.success());
    assert!(listener.accept().is_err(), "something came through");
    demo.is_empty_soon();
}

#[test]
fn when_all_seats_are_taken_the_next_is_told_so_and_one_connection_has_one_session() {
    let Some(demo) = Demo::start(1) else { return };
    let socket = demo.folder.path().join("mux").display().to_string();
    let mut first = demo.session(&["-M", "-S", &socket], &[]);
    first.sees("Dial-In");
    let mut second = demo.session(&[], &[]);
    assert_eq!(second.ends(), 75);
    assert!(
        second.written.contains("all 1 seats are taken: try again later"),
        "{}",
        second.written
    );
    let mut within = demo.session(&["-S", &socket], &["id"]);
    assert_ne!(within.ends(), 0);
    assert!(!within.written.contains("uid="), "{}", within.written);
    first.press("q");
    assert_eq!(first.ends(), 0);
    let mut third = demo.session(&[], &[]);
    third.sees("Dial-In");
    third.press("q");
    assert_eq!(third.ends(), 0);
    demo.is_empty_soon();
}

#[test]
fn a_client_that_is_killed_leaves_no_process_and_no_folder_at_the_far_end() {
    let Some(demo) = Demo::start(2) else { return };
    let mut session = demo.session(&[], &[]);
    session.sees("Dial-In");
    assert_eq!(demo.programs().len(), 1);
    session.child.kill().unwrap();
    demo.is_empty_soon();
    // What was killed together with the shell around it goes when its seat is taken again.
    let left = demo.folder.path().join("base/seat-1");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("left"), "").unwrap();
    if fs::metadata(demo.folder.path().join("base")).unwrap().uid() == NUMBER {
        chown(&left, Some(NUMBER), None).unwrap();
        chown(left.join("left"), Some(NUMBER), None).unwrap();
    }
    let mut session = demo.session(&[], &[]);
    session.sees("Dial-In");
    assert!(!left.join("left").exists());
    session.press("q");
    assert_eq!(session.ends(), 0);
    demo.is_empty_soon();
}

#[test]
fn a_huge_window_through_ssh_stays_small() {
    let Some(demo) = Demo::start(1) else { return };
    let mut session = demo.session(&[], &[]);
    session.sees("Dial-In");
    let process = demo.programs().remove(0);
    let before = session.written.matches("\x1b[2J").count();
    let size = portable_pty::PtySize { rows: 200, cols: 65_535, pixel_width: 0, pixel_height: 0 };
    session.master.resize(size).unwrap();
    while session.written.matches("\x1b[2J").count() == before {
        let bytes = session.output.recv_timeout(PATIENCE).unwrap();
        session.take(&bytes);
    }
    let status = fs::read_to_string(process.join("status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(peak < 64_000_000 / 1024, "{peak} KiB");
    session.child.kill().unwrap();
    demo.is_empty_soon();
}

#[test]
fn a_demo_that_was_killed_goes_at_the_next_start_and_one_that_lives_stays() {
    let passing = tempfile::tempdir().unwrap();
    let named = |name: &str| passing.path().join(format!("callsweep-demo-{name}"));
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    for name in ["dead", "alive", "young"] {
        fs::create_dir(named(name)).unwrap();
        fs::write(named(name).join("callsweep.log"), "").unwrap();
    }
    for name in ["dead", "alive"] {
        fs::File::open(named(name)).unwrap().set_modified(old).unwrap();
    }
    let held = fs::File::open(named("alive")).unwrap();
    held.try_lock().unwrap();
    fs::create_dir(passing.path().join("precious")).unwrap();
    std::os::unix::fs::symlink(passing.path().join("precious"), named("link")).unwrap();
    let mut list = crate::headless::command(&passing, "", &["--demo", "list"]);
    assert!(list.env("TMPDIR", passing.path()).output().unwrap().status.success());
    let stays = ["alive", "young", "link"].map(|name| fs::symlink_metadata(named(name)).is_ok());
    assert_eq!((stays, named("dead").exists()), ([true; 3], false));
    assert!(passing.path().join("precious").is_dir());
    assert_eq!(fs::read_dir(passing.path()).unwrap().count(), 4, "its own is gone too");
}
