//! The entrance: arguments, hooks, a profile or the demo, and the exit code.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use callsweep::api::{Client, Settings, Writes};
use callsweep::app::Facts;
use callsweep::commands::{self, Arguments};
use callsweep::config::{self, Environment, Profile};
use callsweep::domain::{Credentials, ExtensionNumber, Secret, Target, UserId, WideCalls};
use callsweep::runtime::Ports;
use callsweep::simulator::{DEMO_SEED, Simulator, World};
use callsweep::terminal;
use clap::Parser;
use color_eyre::eyre::Result;

/// Exit codes of the contract.
const FAILED: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(report) = color_eyre::install() {
        return end(FAILED, &format!("{report:#}"));
    }
    terminal::give_back_on_panic();
    let environment = Environment::of_process();
    let flags = arguments.profile.flags();
    if let Some(command) = arguments.command {
        return match commands::run(command, &flags, &environment) {
            Ok(()) => ExitCode::SUCCESS,
            Err(report) => end(USAGE, &format!("{report:#}")),
        };
    }
    let started = if arguments.demo {
        demo(&flags, &environment)
    } else {
        config::load(&flags, &environment).map(|profile| (profile, None)).map_err(Into::into)
    };
    let (profile, simulator) = match started {
        Ok(started) => started,
        Err(report) => return end(USAGE, &format!("{report:#}")),
    };
    if !terminal::is_terminal() {
        let text = "standard output is not a terminal: start callsweep in one, or see callsweep --help for commands that print";
        return end(USAGE, text);
    }
    match interactive(profile, simulator.is_some(), &environment) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(message)) => end(FAILED, &message),
        Err(report) => end(FAILED, &format!("{report:#}")),
    }
}

/// One sentence on standard error. A standard error that is gone changes nothing.
fn end(code: u8, sentence: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "callsweep: {sentence}");
    ExitCode::from(code)
}

fn interactive(profile: Profile, demo: bool, environment: &Environment) -> Result<Option<String>> {
    let facts = Facts {
        target: profile.target.clone(),
        demo,
        read_only: profile.read_only,
        insecure: profile.insecure,
        protected: profile.protected,
        wide_calls: profile.wide_calls,
        max_delete: profile.max_delete,
        concurrency: profile.concurrency,
    };
    let runs = config::state_dir(environment)?.join("runs");
    terminal::run(facts, move || {
        let writes = if profile.read_only { Writes::ReadOnly } else { Writes::Allowed };
        let client = Client::new(Settings {
            target: profile.target,
            credentials: profile.credentials,
            timeout: profile.timeout,
            ca_file: profile.ca_file,
            insecure: profile.insecure,
            writes,
            concurrency: profile.concurrency,
        })?;
        Ok(Ports::new(client, profile.extensions, profile.discover_presence, runs))
    })
}

/// A simulator on a loopback port, and the profile that reaches it. The queues, menus and
/// conferences that presence cannot see are named as an operator would name them.
fn demo(flags: &config::Flags, environment: &Environment) -> Result<(Profile, Option<Simulator>)> {
    // The state folder is asked for first, so that a start without a home says so at once.
    config::state_dir(environment)?;
    let simulator =
        Simulator::start(World::demo(DEMO_SEED), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let outside = simulator.with_world(|world| world.numbers_outside_presence());
    let named = outside.iter().chain(&flags.extensions);
    let extensions = named.map(|text| ExtensionNumber::parse(text)).collect::<Result<_, _>>()?;
    let profile = Profile {
        target: Target::new("demo", &simulator.origin(), "/uapi", UserId::parse("@me")?)?,
        extensions,
        discover_presence: true,
        read_only: flags.read_only,
        protected: false,
        wide_calls: WideCalls::default(),
        max_delete: 1000,
        concurrency: 4,
        timeout: std::time::Duration::from_secs(30),
        ca_file: None,
        insecure: false,
        credentials: Credentials::Token(Secret::new(&simulator.token())),
    };
    Ok((profile, Some(simulator)))
}
