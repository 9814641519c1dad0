//! Through a real `sshd` on loopback and inside tmux and screen. Where one of them is missing its
//! tests say so and prove nothing; `.ci/run` installs them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use callsweep::journal::{self, Record};
use callsweep::simulator::{Simulator, World};
use tempfile::TempDir;

use crate::ends::{one_at_a_time, until_a_delete_is_out};
use crate::session::{PATIENCE, Session, Watch, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_callsweep");

pub(crate) fn is_there(program: &str) -> bool {
    if Path::new(program).exists() {
        return true;
    }
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("SKIPPED: there is no {program}, so it was not tried");
    }
    false
}

/// Without PAM, sshd lets nobody in whose account is locked, as that of root is on some machines.
fn is_locked_out() -> bool {
    let accounts = std::fs::read_to_string("/etc/shadow").unwrap_or_default();
    let locked = accounts.lines().any(|line| line.starts_with("root:!"));
    if locked {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("SKIPPED: root is locked, so sshd was not tried");
        }
    }
    locked
}

/// A server of its own, for the one key in its folder.
pub(crate) struct Server {
    process: Child,
    folder: TempDir,
    pub(crate) port: u16,
    user: String,
}

impl Server {
    pub(crate) fn start() -> Option<Self> {
        if !is_there("/usr/sbin/sshd") || !is_there("/usr/bin/ssh") || is_locked_out() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for name in ["host", "key"] {
            let file = path(name);
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f", &file])
                .status();
            assert!(made.unwrap().success());
        }
        std::fs::copy(path("key.pub"), path("authorized")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nUsePAM no\n\
             StrictModes no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin yes\n\
             KbdInteractiveAuthentication no\nPrintMotd no\nPrintLastLog no\nLogLevel ERROR\n",
            path("host"),
            path("authorized")
        );
        std::fs::write(path("sshd_config"), configuration).unwrap();
        // Where it runs as root it wants this folder, which a service would have made.
        let _ = std::fs::create_dir("/run/sshd");
        let process = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &path("sshd_config")])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        until(listens, "sshd does not listen");
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap().trim().to_owned();
        Some(Self { process, folder, port, user })
    }

    /// Runs a command at the far end, in a terminal of 80 by 24.
    pub(crate) fn session(&self, port: u16, command: &str) -> Session {
        let key = self.folder.path().join("key").display().to_string();
        let to = format!("{}@127.0.0.1", self.user);
        let state = self.folder.path().join("state");
        let command = format!("export XDG_STATE_HOME={}; {command}", state.display());
        let arguments = [
            "-tt",
            "-F",
            "none",
            "-i",
            &key,
            "-p",
            &port.to_string(),
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "LogLevel=ERROR",
            &to,
            &command,
        ];
        Session::start_program(Path::new("/usr/bin/ssh"), self.folder.path(), &arguments, &[])
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("state/callsweep/runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What would ask the terminal something, whose answer has a long way.
fn asks_the_terminal(written: &str) -> bool {
    ["\x1b[6n", "\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[>q", "$p", "\x1b[?u", "]10;?", "]11;?"]
        .iter()
        .any(|question| written.contains(question))
}

#[test]
fn through_ssh_an_event_is_deleted_and_brought_back_and_the_terminal_is_whole_afterwards() {
    let Some(server) = Server::start() else { return };
    let mut session = server.session(server.port, &format!("exec {PROGRAM} --demo"));
    session.sees("Dial-In");
    session.press("\rj");
    session.sees(">  [ ]");
    session.press("c");
    session.sees("sent to the terminal: 1 row");
    assert!(session.written.contains("\x1b]52;c;"), "the copy does not arrive");
    session.press("d");
    session.sees("DELETE 1 phone call event");
    session.says_yes();
    session.sees("finished: 1 deleted");
    session.press("z");
    session.sees("UNDO: re-create 1 phone call event");
    session.says_yes();
    session.sees(": 1 restored");
    session.resize(40, 120);
    session.sees("5 Calls");
    session.resize(10, 40);
    session.sees("make the window larger (60x15)");
    session.press("qq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
    assert!(!asks_the_terminal(&session.written));
    assert_eq!(journal::names(&server.runs()).unwrap().len(), 0, "a demo keeps nothing");
}

#[test]
fn a_line_that_drops_in_a_run_ends_it_in_order_at_the_far_end() {
    let Some(server) = Server::start() else { return };
    let mut world = World::named("the-page").unwrap();
    world.latency.delete = Duration::from_millis(300);
    let simulator = Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap();
    let file = one_at_a_time(server.folder.path(), &simulator);
    let pid = server.folder.path().join("pid");
    let (token, pid_file) = (simulator.token(), pid.display());
    let command =
        format!("echo $$ > {pid_file}; export T='{token}'; exec {PROGRAM} --config {file}");
    let mut session = server.session(server.port, &command);
    session.sees("Dial-In");
    session.press(" d");
    session.sees("DELETE 3 phone call events");
    session.says_yes();
    session.sees("RUNNING");
    until_a_delete_is_out(&simulator);
    session.child.kill().unwrap();
    let process = Path::new("/proc").join(std::fs::read_to_string(pid).unwrap().trim());
    until(|| !process.exists(), "it goes on without a line");
    let name = journal::names(&server.runs()).unwrap().remove(0);
    let record = Record::read(&server.runs(), &name).unwrap();
    assert!(record.finished.is_some());
    let outcomes: Vec<_> = record.events.iter().map(|event| event.outcome.name()).collect();
    assert_eq!(outcomes, ["deleted", "not sent", "not sent"]);
    assert_eq!(simulator.with_world(|world| world.event_count()), 2);
}

/// One way of a line so long that it takes this time: a message goes there and its answer back in
/// twice that.
const ONE_WAY: Duration = Duration::from_millis(150);

/// A port behind which the line to another is long. Only what it delays sleeps.
fn long_line(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (near, _) = listener.accept().unwrap();
        let there = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        delay(near.try_clone().unwrap(), there.try_clone().unwrap());
        delay(there, near);
    });
    far
}

fn delay(mut from: TcpStream, mut to: TcpStream) {
    let (sender, line) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + ONE_WAY, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        for (due, bytes) in line {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[test]
fn on_a_long_line_a_key_is_answered_with_one_round_trip() {
    let Some(server) = Server::start() else { return };
    let port = long_line(server.port);
    let mut session = server.session(port, &format!("exec {PROGRAM} --demo"));
    session.sees("Dial-In");
    session.press("\r");
    session.sees(">v [ ] Dial-In");
    let (pressed, watch) = (Instant::now(), Watch::starts());
    session.press("j");
    session.sees(">  [ ]");
    let took = pressed.elapsed();
    assert!(took >= 2 * ONE_WAY, "{took:?}");
    watch.is_within(4 * ONE_WAY, "a key");
    // A review is readable one round trip and the moment of rest after its picture.
    let pressed = Instant::now();
    session.press("d");
    session.sees("DELETE 1 phone call event");
    let watch = Watch::starts();
    session.sees("y deletes it, n cancels.");
    let (took, round_trip) = (pressed.elapsed(), 2 * ONE_WAY);
    assert!(took >= 2 * round_trip + callsweep::looks::QUIET, "{took:?}");
    watch.is_within(2 * round_trip + callsweep::looks::QUIET, "the review");
    let (pressed, watch) = (Instant::now(), Watch::starts());
    session.press("y");
    session.sees("deleted");
    let took = pressed.elapsed();
    assert!(took >= 2 * ONE_WAY, "{took:?}");
    watch.is_within(5 * ONE_WAY, "a deletion");
    session.sees("finished: 1 deleted");
    session.press("qq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
    assert!(!asks_the_terminal(&session.written));
}

/// A tmux of its own, whose one window runs a shell.
pub(crate) struct Tmux {
    socket: String,
    home: TempDir,
}

impl Tmux {
    pub(crate) fn start() -> Option<Self> {
        if !is_there("/usr/bin/tmux") {
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let socket = home.path().join("socket").display().to_string();
        let tmux = Self { socket, home };
        let new = ["new-session", "-d", "-x", "80", "-y", "24", "env PS1='here$ ' /bin/sh -i"];
        tmux.tell(&[&["-f", "/dev/null"][..], &new].concat());
        tmux.sees("here$");
        Some(tmux)
    }

    pub(crate) fn tell(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("/usr/bin/tmux");
        command.env_clear().env("HOME", self.home.path()).env("LC_ALL", "C.UTF-8");
        command.env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
        let output = command.args(["-S", &self.socket]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn keys(&self, keys: &[&str]) {
        self.tell(&[&["send-keys"], keys].concat());
    }

    pub(crate) fn screen(&self) -> String {
        self.tell(&["capture-pane", "-p"])
    }

    pub(crate) fn sees(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            assert!(Instant::now() < until, "{text:?} never came:\n{}", self.screen());
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let mut command = Command::new("/usr/bin/tmux");
        let _ = command.args(["-S", &self.socket, "kill-server"]).output();
    }
}

#[test]
fn inside_tmux_it_deletes_copies_resizes_suspends_and_gives_the_window_back() {
    let Some(tmux) = Tmux::start() else { return };
    tmux.keys(&["echo before", "Enter"]);
    tmux.keys(&[&format!("{PROGRAM} --demo"), "Enter"]);
    tmux.sees("Dial-In");
    tmux.keys(&["Enter", "j", "c"]);
    tmux.sees("sent to the terminal: 1 row");
    assert!(tmux.tell(&["show-buffer"]).starts_with("0003*100 Dial-In JA1GZigi"));
    tmux.keys(&["d"]);
    tmux.sees("DELETE 1 phone call event");
    tmux.sees("n cancels.");
    tmux.keys(&["y"]);
    tmux.sees("finished: 1 deleted");
    tmux.tell(&["resize-window", "-x", "120", "-y", "40"]);
    tmux.sees("5 Calls");
    tmux.keys(&["C-z"]);
    tmux.sees("topped");
    tmux.keys(&["fg", "Enter"]);
    tmux.sees("5 Calls");
    let format = "#{alternate_on} #{cursor_flag}";
    assert_eq!(tmux.tell(&["display-message", "-p", format]).trim(), "1 1");
    tmux.keys(&["q", "q"]);
    tmux.sees("before");
    assert_eq!(tmux.tell(&["display-message", "-p", format]).trim(), "0 1");
}

#[test]
fn a_window_of_tmux_that_is_closed_ends_it() {
    let Some(tmux) = Tmux::start() else { return };
    let pid = tmux.home.path().join("pid");
    let command = format!("echo $$ > {}; exec {PROGRAM} --demo", pid.display());
    tmux.keys(&[&command, "Enter"]);
    tmux.sees("Dial-In");
    let process = Path::new("/proc").join(std::fs::read_to_string(pid).unwrap().trim());
    assert!(process.exists());
    tmux.tell(&["new-window", "-d", "sleep 60"]);
    tmux.tell(&["kill-pane"]);
    until(|| !process.exists(), "it goes on without a window");
}
