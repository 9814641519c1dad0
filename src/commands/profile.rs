//! What every front starts with: a profile, of the configuration or of the demo, and its client.

use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::api::{Client, ClientRefused, Settings, Writes};
use crate::config::{self, ConfigError, Environment, Flags, Profile};
use crate::log::{self, Level};
use crate::origins::Book;
use crate::runtime;
use crate::simulator::{DEMO_SEED, Simulator, World};

/// A profile to work with and, for the demo, the PBX behind it, which ends when this is dropped.
#[derive(Debug)]
pub struct Opened {
    /// The checked profile.
    pub profile: Profile,
    /// The demo's PBX.
    pub simulator: Option<Simulator>,
    /// The folder of run files, where there is a place for it.
    runs: Option<PathBuf>,
    /// Where the demo keeps its runs: the folder goes with it.
    home: Option<Home>,
    /// Made where they are needed first, and used for all that a command does.
    client: OnceLock<Client>,
    hands: OnceLock<Runtime>,
}

/// The folder of a demo, which goes with it. Nothing is told to the log in it then.
#[derive(Debug)]
struct Home {
    folder: TempDir,
    /// Locked as long as the demo lives: one that nobody holds is left over.
    _lock: File,
    /// Looks for those, which a full folder makes long.
    sweep: Option<JoinHandle<()>>,
}

/// How the folders of demos are called.
const DEMO: &str = "callsweep-demo-";
/// Long enough for the system to tell what has happened to connections.
const A_MOMENT: Duration = Duration::from_millis(2);
/// So long a folder may exist before it is locked.
const NEW: Duration = Duration::from_secs(10);

impl Home {
    /// Makes one, and removes those of demos that were killed.
    fn make() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(DEMO).tempdir()?;
        let lock = File::open(folder.path())?;
        // A file system without locks has its left-overs removed by somebody else.
        let _ = lock.try_lock();
        let sweep = thread::Builder::new().spawn(|| remove_left_over(&std::env::temp_dir()));
        Ok(Self { folder, _lock: lock, sweep: sweep.ok() })
    }
}

/// Removes the folders of demos of this user that no process has any more.
fn remove_left_over(folder: &Path) {
    let me = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_named = entry.file_name().to_string_lossy().starts_with(DEMO);
        let Some(data) = is_named.then(|| entry.metadata().ok()).flatten() else { continue };
        let is_old = data.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= NEW));
        if !data.is_dir() || data.uid() != me || !is_old {
            continue;
        }
        let is_dead = File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok());
        if is_dead {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.sweep.take().map(JoinHandle::join);
        log::close();
    }
}

impl Opened {
    fn of(
        profile: Profile,
        simulator: Option<Simulator>,
        runs: Option<PathBuf>,
        home: Option<Home>,
    ) -> Self {
        let (client, hands) = (OnceLock::new(), OnceLock::new());
        Self { profile, simulator, runs, home, client, hands }
    }

    /// The folder of run files.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn runs(&self, environment: &Environment) -> Result<PathBuf> {
        let state = match &self.home {
            Some(home) => home.folder.path().to_owned(),
            None => config::state_dir(environment)?,
        };
        Ok(state.join("runs"))
    }

    /// The client that the profile describes; nothing is sent yet. All that ask for it share its
    /// connections, its token and what it learns. Where the profile is read-only, so is its client,
    /// whoever asks. What fails counts in every other process that asks the same PBX.
    ///
    /// # Errors
    /// Refuses an origin, token or `ca_file` that cannot be used, with the remedy.
    pub fn client(&self) -> Result<Client, ClientRefused> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let made = self.make_client()?;
        Ok(self.client.get_or_init(|| made).clone())
    }

    fn make_client(&self) -> Result<Client, ClientRefused> {
        let Profile { target, credentials, trust, rules, .. } = &self.profile;
        let settings = Settings {
            target: target.clone(),
            credentials: credentials.clone(),
            timeout: rules.timeout,
            trust: trust.clone(),
            writes: if rules.read_only { Writes::ReadOnly } else { Writes::Allowed },
            concurrency: rules.concurrency,
        };
        // The demo's PBX has no other clients.
        let book = || Book::at(self.runs.as_deref(), &target.origin, runtime::speed());
        let client = Client::sharing(settings, self.simulator.is_none().then(book))?;
        client.learn_owners(&self.profile.extensions);
        Ok(client)
    }

    /// What carries out requests of a command: on this thread, one after the other or many at once.
    ///
    /// # Errors
    /// When the network runtime cannot start.
    pub fn hands(&self) -> Result<&Runtime> {
        if let Some(hands) = self.hands.get() {
            // While a question stood, nobody looked after the connections that are kept: those that
            // the service closed meanwhile are noticed now, and no request is lost on one.
            hands.block_on(async { tokio::time::sleep(A_MOMENT).await });
            return Ok(hands);
        }
        let made = Builder::new_current_thread().enable_all().build();
        let made = made.wrap_err("the network runtime cannot start")?;
        Ok(self.hands.get_or_init(|| made))
    }
}

/// The profile that the command line asks for.
///
/// # Errors
/// The first mistake of the configuration, or that no simulator can be started.
pub fn open(demo: bool, flags: &Flags, environment: &Environment) -> Result<Opened> {
    if demo {
        return open_demo(flags, environment);
    }
    let profile = config::load(flags, environment)?;
    let runs = match config::state_dir(environment) {
        Ok(folder) => Some(folder.join("runs")),
        Err(error @ ConfigError::Folder { .. }) => return Err(error.into()),
        // What only asks needs no place to keep anything.
        Err(
            ConfigError::Missing(_)
            | ConfigError::Mistake { .. }
            | ConfigError::File { .. }
            | ConfigError::Several { .. }
            | ConfigError::Surroundings(_),
        ) => None,
    };
    if let Some(state) = runs.as_deref().and_then(Path::parent) {
        start_log(state, profile_words(&profile), environment);
    }
    Ok(Opened::of(profile, None, runs, None))
}

fn profile_words(Profile { target, .. }: &Profile) -> impl Display {
    format!("profile {}, {}", target.profile, target.origin)
}

/// Opens the log in the folder of what is kept, and tells it who begins, about what.
pub(super) fn start_log(state: &Path, about: impl Display, environment: &Environment) {
    let Some(level) = config::log_level(environment) else { return };
    log::open(state, level);
    let arguments: Vec<_> =
        std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    log::tell(
        Level::Info,
        concat!("callsweep ", env!("CARGO_PKG_VERSION"), " begins"),
        format_args!("{about}, arguments {arguments:?}"),
    );
}

/// A simulator on a loopback port, and the profile that reaches it. The SystemAPI tells the labels,
/// and the queues, menus and conferences that presence cannot see.
fn open_demo(flags: &Flags, environment: &Environment) -> Result<Opened> {
    let simulator =
        Simulator::start(World::demo(DEMO_SEED), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let profile = config::of_demo(&simulator.origin(), &simulator.token(), flags, environment)?;
    let home = Home::make().wrap_err("the demo has no room for its runs: set TMPDIR")?;
    start_log(home.folder.path(), profile_words(&profile), environment);
    Ok(Opened::of(profile, Some(simulator), None, Some(home)))
}
