//! The headless front: what the program does besides its screen, and the arguments of both.

mod backup;
mod change;
mod check;
mod chosen;
mod delete;
mod ending;
mod json;
mod list;
mod look;
mod machine;
mod papers;
mod profile;
mod progress;
mod resume;
mod room;
mod runs;
mod selection;
mod signals;
mod simulator;
mod undo;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use color_eyre::eyre::{Result, WrapErr, eyre};
use serde_json::{Value, json};

use crate::change::Wish;
use crate::config::{self, Environment, Flags};
use crate::domain::Foreign;
pub use backup::BackupArguments;
pub use change::{ChangeArguments, RepointArguments};
pub use delete::DeleteArguments;
pub use ending::Ending;
pub use list::{Format, ListArguments};
pub use profile::{Opened, open};
pub use resume::ResumeArguments;
pub use runs::{RunFormat, RunsArguments, ShowArguments};
pub use simulator::SimulatorArguments;
pub use undo::UndoArguments;

/// Administers the phone call events of a VoipNow PBX.
///
/// Without a command it opens the interactive program on the default profile.
#[derive(Debug, Parser)]
#[command(name = "callsweep", version, max_term_width = 100)]
pub struct Arguments {
    /// What to do instead of opening the interactive program.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Use the built-in simulator: no configuration, no network
    #[arg(long, global = true, conflicts_with_all = ["profile", "config", "url"])]
    pub demo: bool,
    /// Start the interactive program with numbers, labels, hosts, URLs and notes masked
    #[arg(long)]
    pub mask: bool,
    /// How to find and change the profile.
    #[command(flatten)]
    pub profile: ProfileArguments,
}

/// Flags that choose a profile and change it and the screen for this one run.
#[derive(Debug, Args)]
pub struct ProfileArguments {
    /// The profile to use, instead of `CALLSWEEP_PROFILE` or `default_profile`
    #[arg(long, value_name = "NAME", global = true)]
    profile: Option<String>,
    /// The PBX at this address, without a configuration: the token from `CALLSWEEP_TOKEN`, all else by
    /// default
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
    /// The configuration file, instead of `CALLSWEEP_CONFIG` or the usual place
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Delete nothing, whatever the profile allows
    #[arg(long, global = true)]
    read_only: bool,
    /// An extension to show beside the discovered ones, or the only one to list; may be repeated
    #[arg(long = "extension", value_name = "N", global = true)]
    extensions: Vec<String>,
    /// Draw the screen with nothing but ASCII
    #[arg(long, global = true)]
    ascii: bool,
    /// Draw the screen without colours, as where `NO_COLOR` is set
    #[arg(long, global = true)]
    no_color: bool,
}

impl ProfileArguments {
    /// The same for the configuration.
    pub fn flags(&self) -> Flags {
        Flags {
            profile: self.profile.clone(),
            url: self.url.clone(),
            config: self.config.clone(),
            read_only: self.read_only,
            extensions: self.extensions.clone(),
            ascii: self.ascii,
            no_color: self.no_color,
        }
    }
}

/// How sure it is what a command sends, and how its result is printed.
#[derive(Debug, Args)]
struct Consent {
    /// Print what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = RunFormat::Table)]
    format: RunFormat,
}

/// The headless commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check configuration, connection, token and access, step by step
    Check,
    /// Print events; exits 3 where only a part of them could be read
    List(ListArguments),
    /// Delete the events that the arguments name, after a question
    Delete(DeleteArguments),
    /// Switch the events off that the arguments name, after a question; they are kept
    Disable(ChangeArguments),
    /// Switch the events on that the arguments name, after a question
    Enable(ChangeArguments),
    /// Point the URLs of the events that the arguments name elsewhere, after a question
    Repoint(RepointArguments),
    /// Keep the events that the arguments name in a file, for `undo FILE`
    Backup(BackupArguments),
    /// List all runs, newest first, or remove run files
    Runs(RunsArguments),
    /// Print what a run planned and how each event ended
    Show(ShowArguments),
    /// Finish an interrupted or stopped run: delete or change what is still as it was reviewed
    Resume(ResumeArguments),
    /// Re-create the events that a run deleted, or write back the values that it changed
    Undo(UndoArguments),
    /// Run the simulated PBX on its own, for testing any client
    Simulator(SimulatorArguments),
    /// Print where the configuration belongs, or an example of it
    Config {
        /// Print a configuration that explains every key
        #[arg(long, conflicts_with = "path")]
        print_example: bool,
        /// Print where the configuration is read from
        #[arg(long)]
        path: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

impl Command {
    /// How sure it is, of a command that writes to the PBX.
    fn consent(&self) -> Option<&Consent> {
        match self {
            Self::Delete(DeleteArguments { consent, .. })
            | Self::Disable(ChangeArguments { consent, .. })
            | Self::Enable(ChangeArguments { consent, .. })
            | Self::Repoint(RepointArguments { change: ChangeArguments { consent, .. }, .. })
            | Self::Undo(UndoArguments { consent, .. })
            | Self::Resume(ResumeArguments { consent, .. }) => Some(consent),
            Self::Check
            | Self::List(_)
            | Self::Backup(_)
            | Self::Runs(_)
            | Self::Show(_)
            | Self::Simulator(_)
            | Self::Config { .. }
            | Self::Completions { .. }
            | Self::Man => None,
        }
    }

    /// What it prints where it has no result: a document that says so, where documents were asked for.
    fn without_result(&self, why: &str) -> Option<Value> {
        let json = RunFormat::Json;
        let (name, dry_run) = match (self.consent(), self) {
            (Some(consent), _) if consent.format == json => ("", consent.dry_run),
            (_, Self::Show(arguments)) if arguments.is_json() => ("", false),
            (_, Self::Runs(arguments)) if arguments.format == json => (RUNS, false),
            (_, Self::List(arguments)) if arguments.format == Format::Json => (LIST, false),
            _ => return None,
        };
        Some(no_result(name, dry_run, why))
    }
}

const LIST: &str = "list";
const RUNS: &str = "runs";

/// The document of a command that has no result.
fn no_result(command: &str, dry_run: bool, why: &str) -> Value {
    match command {
        LIST => json!({"events": [], "extensions": [], "complete": false, "error": why}),
        RUNS => json!({"runs": [], "error": why}),
        _ => runs::no_run(dry_run, why),
    }
}

/// Ends a start whose arguments cannot be read. Who asked for a document gets one, as far as the
/// arguments say of which command.
pub fn misread(error: &clap::Error) -> Ending {
    let said = error.to_string();
    let ending = Ending::Usage.explained(&said);
    let typed: Vec<String> =
        std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let Some((command, dry_run)) = asked_for_document(&typed) else { return ending };
    let why = said.split("\n\n").next().unwrap_or_default().split_whitespace();
    let why = why.collect::<Vec<_>>().join(" ");
    let why = Foreign::from(why.trim_start_matches("error: ")).to_string();
    let document = no_result(&command, dry_run, &why);
    ending.written(runs::print(RunFormat::Json, document, |_| Ok(())))
}

/// The command among arguments that may be wrong, and whether it was to send nothing, where it was
/// asked for a document.
fn asked_for_document(typed: &[String]) -> Option<(String, bool)> {
    let whole = Arguments::command();
    let mut typed = typed.iter().map(String::as_str).take_while(|it| *it != "--").peekable();
    let (mut command, mut dry_run, mut json) = (None, false, false);
    while let Some(argument) = typed.next() {
        let mut value = || typed.next_if(|value| !value.starts_with('-'));
        match argument {
            "--format=json" => json = true,
            "--format" => json |= value() == Some("json"),
            "--dry-run" => dry_run = true,
            // The value of a flag is no command.
            "--profile" | "--url" | "--config" | "--extension" => drop(value()),
            name => command = command.or_else(|| whole.find_subcommand(name)),
        }
    }
    let command = command.filter(|_| json)?;
    let has_format = command.get_arguments().any(|argument| argument.get_id() == "format");
    has_format.then(|| (command.get_name().to_owned(), dry_run))
}

/// Carries out a headless command. What goes wrong is said on standard error and stands in the ending;
/// where a document was asked for one is printed in any case.
pub fn run(command: &Command, arguments: &Arguments, environment: &Environment) -> Ending {
    carry_out(command, arguments, environment).unwrap_or_else(|report| {
        let why = format!("{report:#}");
        let ending = Ending::of_error(&report).reported(&report, &why);
        match command.without_result(&why) {
            Some(document) => ending.written(runs::print(RunFormat::Json, document, |_| Ok(()))),
            None => ending,
        }
    })
}

/// Bad usage or configuration is an error with a sentence that ends in what to do, and so is what
/// keeps a command from a result.
fn carry_out(
    command: &Command,
    arguments: &Arguments,
    environment: &Environment,
) -> Result<Ending> {
    let (demo, flags) = (arguments.demo, &arguments.profile.flags());
    if arguments.mask && !matches!(command, Command::Show(_)) {
        return Err(eyre!(
            "--mask belongs to the interactive program and to show: what other commands print is \
             never masked"
        ));
    }
    if demo && (flags.profile.is_some() || flags.config.is_some() || flags.url.is_some()) {
        return Err(eyre!(
            "--demo needs no configuration: leave out --profile, --config and --url"
        ));
    }
    if command.consent().is_some()
        || matches!(command, Command::Check | Command::List(_) | Command::Backup(_))
    {
        signals::end_in_order();
    }
    match command {
        Command::Check => check::run(demo, flags, environment),
        Command::Delete(arguments) => delete::run(arguments, demo, flags, environment),
        Command::Disable(arguments) => {
            change::run(&Wish::Disable, arguments, demo, flags, environment)
        }
        Command::Enable(arguments) => {
            change::run(&Wish::Enable, arguments, demo, flags, environment)
        }
        Command::Repoint(arguments) => {
            change::run(&arguments.wish()?, &arguments.change, demo, flags, environment)
        }
        Command::Backup(arguments) => backup::run(arguments, demo, flags, environment),
        Command::Runs(arguments) => runs::run(arguments, flags, environment),
        Command::Show(show) => runs::show(show, arguments.mask, flags, environment),
        Command::Resume(arguments) => resume::run(arguments, demo, flags, environment),
        Command::Undo(arguments) => undo::run(arguments, demo, flags, environment),
        Command::List(arguments) => list::run(arguments, demo, flags, environment),
        Command::Simulator(arguments) => simulator::run(arguments),
        Command::Config { print_example: true, .. } => Ok(say(&config::example()?)),
        Command::Config { .. } => {
            let path = config::expected_path(flags, environment)?;
            Ok(say(&format!("{}\n", path.display())))
        }
        Command::Completions { shell } => Ok(say(&papers::completions(*shell))),
        Command::Man => Ok(say(&papers::manual()?)),
    }
}

/// Prints, and ends with it.
fn say(text: &str) -> Ending {
    let mut out = io::stdout().lock();
    Ending::Done.written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints the help or the version that was asked for.
pub fn help(asked: &clap::Error) -> Ending {
    Ending::Done.written(asked.print().and_then(|()| io::stdout().flush()))
}

/// What carries out requests: on this thread, one after the other or many at once.
fn hands() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().wrap_err("the network runtime cannot start")
}

/// `1 event`, `2 events`.
fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}
