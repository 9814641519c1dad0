//! The entrance: arguments, hooks, a profile or the demo, and the exit code.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use callsweep::app::Facts;
use callsweep::commands::{self, Arguments, Ending, Opened};
use callsweep::config::{self, ConfigError, Environment, Flags};
use callsweep::domain::{Mask, Trust, shell_word};
use callsweep::log;
use callsweep::origins;
use callsweep::runtime::Ports;
use callsweep::terminal::{self, Chosen, Left};
use color_eyre::eyre::{Report, Result};

/// A run makes and drops many small things, which costs it a fifth less than with the system's own
/// allocator, and far less than with musl's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    origins::let_owner_in();
    origins::let_writes_fail();
    if let Some(ending) = commands::completed() {
        return ending.code();
    }
    let arguments = match Arguments::of_process() {
        Ok(arguments) => arguments,
        // It quotes what was typed or pasted.
        Err(error) if error.use_stderr() => return commands::misread(&error).code(),
        Err(help) => return commands::help(&help).code(),
    };
    if let Err(report) = color_eyre::install() {
        return Ending::Failed.because(&format!("{report:#}")).code();
    }
    terminal::give_back_on_panic();
    let environment = Environment::of_process();
    run(&arguments, &environment).code()
}

fn run(arguments: &Arguments, environment: &Environment) -> Ending {
    if let Some(command) = &arguments.command {
        return commands::run(command, arguments, environment);
    }
    let flags = arguments.flags();
    // Nothing is said on the way that the screen would not show.
    log::mask(arguments.screen.mask);
    let masked = |host: &str, report: &Report| {
        Mask::new(host, arguments.screen.mask).text(&format!("{report:#}"))
    };
    if let Some(refused) = config::terminal_refused(environment) {
        return Ending::Usage.because(refused);
    }
    let (opened, runs) = match chosen(arguments, flags, environment) {
        Ok(Ok(started)) => started,
        Ok(Err(ending)) => return ending,
        Err(report) => return Ending::Usage.reported(&report, &masked("", &report)),
    };
    if let Some(refused) = terminal::refused() {
        return Ending::Usage.because(refused);
    }
    let host = opened.profile.target.host().to_owned();
    let quiet = config::quiet(environment);
    let session = session(arguments, &opened.profile.target.profile);
    match interactive(&opened, session, arguments.screen.mask, quiet, runs) {
        Ok(Left::InOrder) => Ending::Done,
        Ok(Left::Because(message)) => Ending::Failed.because(&message),
        Ok(Left::Signalled(signal)) => Ending::Signalled(signal),
        Err(report) => Ending::Failed.because(&masked(&host, &report)),
    }
}

/// The profile and where its runs lie; an operator with several of whom nothing says which is asked.
fn chosen(
    arguments: &Arguments,
    flags: Flags,
    environment: &Environment,
) -> Result<Result<(Opened, PathBuf), Ending>> {
    let open = |flags: &Flags| {
        let opened = commands::open(arguments.demo(), flags, environment)?;
        let runs = opened.runs(environment)?;
        Ok((opened, runs))
    };
    let refused: Report = match open(&flags) {
        Ok(started) => return Ok(Ok(started)),
        Err(refused) => refused,
    };
    let Some(ConfigError::Several { profiles, .. }) = refused.downcast_ref() else {
        return Err(refused);
    };
    if terminal::refused().is_some() {
        return Err(refused);
    }
    let mask = Mask::new("", arguments.screen.mask);
    let shown: Vec<_> =
        profiles.iter().map(|(name, host)| (name.clone(), mask.host(host))).collect();
    match terminal::choose(&shown, config::quiet(environment))? {
        Chosen::Profile(name) => open(&Flags { profile: Some(name), ..flags }).map(Ok),
        Chosen::Nothing => Ok(Err(Ending::Done)),
        Chosen::Signalled(signal) => Ok(Err(Ending::Signalled(signal))),
    }
}

/// The flags that open the same PBX with the same extensions on a command line; `None` where numbers
/// were typed, which a command takes for its selection.
fn session(arguments: &Arguments, profile: &str) -> Option<String> {
    let flags = arguments.flags();
    if !flags.extensions.is_empty() {
        return None;
    }
    if arguments.demo() {
        return Some("--demo".to_owned());
    }
    if let Some(url) = flags.url {
        return Some(format!("--url {}", shell_word(&url)));
    }
    // What the environment says holds in the same shell too.
    let file =
        flags.config.map(|file| format!("--config {} ", shell_word(&file.to_string_lossy())));
    Some(format!("{}--profile {}", file.unwrap_or_default(), shell_word(profile)))
}

fn interactive(
    opened: &Opened,
    session: Option<String>,
    masked: bool,
    quiet: Duration,
    runs: PathBuf,
) -> Result<Left> {
    let (profile, demo) = (&opened.profile, opened.simulator.is_some());
    let facts = Facts {
        target: profile.target.clone(),
        session,
        demo,
        read_only: profile.rules.read_only,
        insecure: profile.trust == Trust::Anything,
        protected: profile.rules.protected,
        masked,
        wide_calls: profile.rules.wide_calls,
        max_delete: profile.rules.max_delete,
        concurrency: profile.rules.concurrency,
        looks: profile.looks,
        keys: profile.keys.clone(),
        quiet,
    };
    terminal::run(facts, || {
        let client = opened.client()?;
        let ports =
            Ports::new(client, profile.extensions.clone(), profile.rules.discover.clone(), runs);
        Ok(if demo { ports.of_own_pbx() } else { ports })
    })
}
