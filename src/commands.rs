//! The headless front: what the program does besides its screen, and the arguments of both.

mod arguments;
mod backup;
mod change;
mod check;
mod chosen;
mod completions;
mod delete;
mod ending;
mod json;
mod list;
mod look;
mod machine;
mod manual;
mod profile;
mod progress;
mod question;
mod resume;
mod room;
mod runs;
mod selection;
mod signals;
mod simulator;
mod undo;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueHint};
use color_eyre::eyre::{Result, eyre};
use serde_json::{Value, json};

use crate::change::{Omitted, Wish};
use crate::config::{self, Environment, Flags};
use crate::domain::Foreign;
pub use arguments::ScreenArguments;
use arguments::{Common, PbxArguments, RunFormat};
pub use completions::completed;
pub use ending::Ending;
pub use profile::{Opened, open};

/// Version, commit, the commit's date and target, as the build found them.
const LONG_VERSION: &str = env!("CALLSWEEP_VERSION");

/// Command lines as the end of a help shows them.
macro_rules! examples {
    ($($line:literal),+ $(,)?) => {
        concat!("Examples:" $(, "\n  ", $line)+)
    };
}

/// How the interactive program is started.
const USAGE: &str = "\
callsweep [--demo | --url URL | --profile NAME] [--config FILE] [--read-only]
                 [--extension N]... [--mask] [--ascii] [--no-color]
       callsweep COMMAND ...";

/// Administers the phone call events of a VoipNow PBX.
///
/// Without a command it opens the interactive program on the default profile. Results go to standard
/// output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "callsweep", version, long_version = LONG_VERSION, max_term_width = 100)]
#[command(override_usage = USAGE)]
#[command(after_long_help = examples!(
    "callsweep --demo                               try it, without a PBX",
    "callsweep --url https://pbx.example.com        with the token in CALLSWEEP_TOKEN",
    "callsweep check                                is everything in order?",
    "callsweep list --where 'host:crm-old.acme.test'",
    "callsweep undo latest                          re-create what the last run deleted",
))]
pub struct Arguments {
    /// What to do instead of opening the interactive program.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Which PBX.
    #[command(flatten)]
    pbx: PbxArguments,
    /// An extension to show beside the discovered ones; may be repeated
    #[arg(long = "extension", value_name = "N")]
    extensions: Vec<String>,
    /// How the screen looks.
    #[command(flatten)]
    pub screen: ScreenArguments,
    /// The command as it is written; empty without one.
    #[arg(skip)]
    name: String,
    /// What stands before the command and behind it.
    #[arg(skip)]
    common: Common,
}

/// The headless commands in the order in which they are listed.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check configuration, connection, token and access, step by step
    ///
    /// Prints a line for every step up to the first that fails, with what to do about it. Changes nothing.
    #[command(override_usage = "callsweep check [PBX] [--extension N]...")]
    #[command(after_long_help = examples!(
        "callsweep check --profile acme",
        "CALLSWEEP_TOKEN=... callsweep check --url https://pbx.example.com",
    ))]
    Check(check::CheckArguments),
    /// Print the events of all extensions, or of some
    ///
    /// Prints a line for each event, or with --format one JSON document or CSV; how many there are, and
    /// what could not be read, goes to standard error. Exits with 3 where only a part could be read.
    #[command(override_usage = "callsweep list [PBX] [SELECTION] [--format table|json|csv]")]
    #[command(after_long_help = examples!(
        "callsweep list --type hangup",
        "callsweep list --extension '0003*210' --format json",
        "callsweep list --where 'host:crm-old.acme.test -kind:queue'",
    ))]
    List(list::ListArguments),
    /// Delete events, after a question
    ///
    /// Says how many events go and asks; then prints each event and how it ended. The events are saved in
    /// a run file first: callsweep undo re-creates them. With --dry-run it prints the calls.
    #[command(
        override_usage = "callsweep delete [PBX] SELECTION [--form event|extension|type] [--dry-run] \
        [--yes] [--format table|json]"
    )]
    #[command(after_long_help = examples!(
        "callsweep delete --where 'host:crm-old.acme.test' --dry-run",
        "callsweep delete --extension 102 --type hangup --yes",
        "callsweep delete --of-run 20261123T094131Z-acme   # what that run disabled",
    ))]
    Delete(delete::DeleteArguments),
    /// Switch events off, after a question; they stay on the PBX
    ///
    /// Asks, then prints each event and how it ended. callsweep undo switches them on again.
    #[command(
        override_usage = "callsweep disable [PBX] SELECTION [--dry-run] [--yes] [--format table|json]"
    )]
    #[command(after_long_help = examples!("callsweep disable --where 'host:crm-old.acme.test'"))]
    Disable(change::ChangeArguments),
    /// Switch events on, after a question
    ///
    /// Asks, then prints each event and how it ended. callsweep undo switches them off again.
    #[command(
        override_usage = "callsweep enable [PBX] SELECTION [--dry-run] [--yes] [--format table|json]"
    )]
    #[command(after_long_help = examples!("callsweep enable --extension 102 --type dial-in"))]
    Enable(change::ChangeArguments),
    /// Point the URLs of events elsewhere, after a question
    ///
    /// Asks, then prints each event and how it ended. The rest of each URL stays byte for byte. callsweep
    /// undo writes the old URLs back.
    #[command(override_usage = "callsweep repoint [PBX] OLD=NEW SELECTION [--dry-run] [--yes] \
        [--format table|json]")]
    #[command(after_long_help = examples!(
        "callsweep repoint crm-old.acme.test=crm.acme.test --where 'ext:*'",
        "callsweep repoint http://crm.acme.test=https://crm.acme.test --where 'ext:*'",
    ))]
    Repoint(change::RepointArguments),
    /// List all runs, newest first, or remove run files
    ///
    /// Prints a line for each run: name, start, kind, profile, state and counts. Asks no PBX. With --remove
    /// it prints what would go and asks.
    #[command(override_usage = "callsweep runs [PBX] [--format table|json]\n       \
        callsweep runs [PBX] --remove {RUN... | --before DATE} [--force] [--yes] [--format table|json]")]
    #[command(after_long_help = examples!(
        "callsweep runs --profile acme",
        "callsweep runs --remove --before 2026-01-01",
    ))]
    Runs(runs::RunsArguments),
    /// Print what a run planned and how each event ended
    ///
    /// Prints a line for each event, one JSON document, or a receipt. Asks no PBX.
    #[command(override_usage = "callsweep show [PBX] RUN [--format table|json|md|csv] [--mask]")]
    #[command(after_long_help = examples!("callsweep show latest --format md --mask > receipt.md"))]
    Show(runs::ShowArguments),
    /// Re-create what a run deleted, or write back what it changed
    ///
    /// Asks, then prints each event and how it ended. What is there already is skipped.
    #[command(
        override_usage = "callsweep undo [PBX] RUN [--dry-run] [--yes] [--format table|json]"
    )]
    #[command(after_long_help = examples!(
        "callsweep undo latest --dry-run",
        "callsweep undo 20261123T094131Z-acme --yes",
        "callsweep undo before.jsonl                  # a backup",
    ))]
    Undo(undo::UndoArguments),
    /// Finish an interrupted or stopped run, after a question
    ///
    /// Deletes or changes what is still as it was reviewed, in the same run file; prints each event and
    /// how it ended.
    #[command(
        override_usage = "callsweep resume [PBX] RUN [--dry-run] [--yes] [--format table|json]"
    )]
    #[command(after_long_help = examples!("callsweep resume latest --dry-run"))]
    Resume(resume::ResumeArguments),
    /// Keep events in a file; undo re-creates what is missing
    ///
    /// Prints nothing on standard output; says on standard error how many events are kept.
    #[command(override_usage = "callsweep backup [PBX] FILE SELECTION [--in-part]")]
    #[command(after_long_help = examples!(
        "callsweep backup before.jsonl --where 'ext:*'",
        "callsweep undo before.jsonl",
    ))]
    Backup(backup::BackupArguments),
    /// Run the simulated PBX on its own, for testing any client
    ///
    /// Prints its address, its token and a command to try, then serves until it is ended.
    #[command(
        override_usage = "callsweep simulator [--listen ADDR] [--scenario NAME|FILE] [--seed N] \
        [--tls[=CERTIFICATE]] [--log]"
    )]
    #[command(after_long_help = examples!(
        "callsweep simulator --listen 127.0.0.1:8980",
        "callsweep simulator --scenario an-extension-refuses --tls",
    ))]
    Simulator(simulator::SimulatorArguments),
    /// Print where the configuration belongs, or an example of it
    ///
    /// Prints a path, or an example that explains every key. Writes no file.
    #[command(override_usage = "callsweep config [--print-example | --path] [--config FILE]")]
    #[command(after_long_help = examples!("callsweep config --print-example > my.toml"))]
    Config {
        /// Print a configuration that explains every key
        #[arg(long, conflicts_with = "path")]
        print_example: bool,
        /// Print where the configuration is read from
        #[arg(long)]
        path: bool,
        /// The configuration file, instead of `CALLSWEEP_CONFIG` or the usual place
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
    },
    /// Print a completion script for a shell
    ///
    /// The script asks callsweep for what fits: commands, flags, profiles, runs, types, scenarios. It asks
    /// no PBX and runs no command of the configuration.
    #[command(override_usage = "callsweep completions SHELL")]
    #[command(after_long_help = examples!(
        "source <(callsweep completions bash)                  # in ~/.bashrc",
        "source <(callsweep completions zsh)                   # in ~/.zshrc, behind compinit",
        "callsweep completions fish > ~/.config/fish/completions/callsweep.fish",
    ))]
    Completions {
        /// The shell to complete for
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    ///
    /// Prints it as man(1) reads it.
    #[command(override_usage = "callsweep man")]
    #[command(after_long_help = examples!("callsweep man | man -l -"))]
    Man,
}

/// What commands are for: each group with its first command.
const GROUPS: [(&str, &str); 4] = [
    ("Look", "check"),
    ("Change", "delete"),
    ("Runs and the way back", "runs"),
    ("More", "simulator"),
];

/// The command line as it is parsed and described: its commands in groups.
pub fn described() -> clap::Command {
    let whole = Arguments::command();
    let row = |name: &str, about: &str| format!("  {name:<12} {about}\n");
    let rows = whole.get_subcommands().map(|command| {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let group = GROUPS.iter().find(|(_, first)| *first == name);
        let title = group.map(|(title, _)| format!("\n{title}:\n")).unwrap_or_default();
        title + &row(name, &about)
    });
    // Clap adds it later.
    let groups = rows.collect::<String>() + &row("help", "Print the help of a command");
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{groups}\nOptions:\n{{options}}{{after-help}}\n"
    );
    whole.help_template(template)
}

impl Arguments {
    /// The command line of this process.
    ///
    /// # Errors
    /// What cannot be understood, or the help that is asked for.
    pub fn of_process() -> Result<Self, clap::Error> {
        let mut whole = described();
        let matches = whole.try_get_matches_from_mut(std::env::args_os())?;
        let mut arguments =
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut whole))?;
        let before = Common::of(&matches);
        (arguments.name, arguments.common) = match matches.subcommand() {
            Some((name, own)) => (name.to_owned(), Common::of(own).behind(before)),
            None => (String::new(), before),
        };
        Ok(arguments)
    }

    /// What the flags say about the configuration: those before the command and its own.
    pub fn flags(&self) -> Flags {
        self.common.flags.clone()
    }

    /// Whether the simulator takes the place of the PBX.
    pub fn demo(&self) -> bool {
        self.common.demo
    }

    /// Why flags before the command do not go with it.
    fn misplaced(&self, command: &Command) -> Option<String> {
        let name = &self.name;
        if self.screen.mask && !matches!(command, Command::Show(_)) {
            return Some(
                "--mask belongs to the interactive program and to show: what other commands print \
                 is never masked"
                    .to_owned(),
            );
        }
        let takes = |flag: &str| {
            let whole = Self::command();
            let own = whole.find_subcommand(name);
            own.is_some_and(|own| own.get_arguments().any(|it| it.get_long() == Some(flag)))
        };
        // These two say themselves why.
        let says = matches!(command, Command::Resume(_) | Command::Undo(_));
        if self.pbx.demo && !says && !takes("demo") {
            return Some(format!("--demo means nothing to {name}: leave it out"));
        }
        if !self.extensions.is_empty() && !takes("extension") {
            return Some(format!("--extension means nothing to {name}: leave it out"));
        }
        None
    }
}

const LIST: &str = "list";
const RUNS: &str = "runs";

/// The document of a command that has no result.
fn no_result(command: &str, dry_run: bool, why: &str, omitted: &[Omitted]) -> Value {
    match command {
        LIST => json!({"events": [], "extensions": [], "complete": false, "error": why}),
        RUNS => json!({"runs": [], "error": why}),
        _ => runs::no_run(dry_run, why, omitted),
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
    let document = no_result(&command, dry_run, &why, &[]);
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
        if !arguments.common.json {
            return ending;
        }
        let Common { dry_run, .. } = arguments.common;
        let document = no_result(&arguments.name, dry_run, &why, Ending::omitted_by(&report));
        ending.written(runs::print(RunFormat::Json, document, |_| Ok(())))
    })
}

/// Bad usage or configuration is an error with a sentence that ends in what to do, and so is what
/// keeps a command from a result.
fn carry_out(
    command: &Command,
    arguments: &Arguments,
    environment: &Environment,
) -> Result<Ending> {
    if let Some(why) = arguments.misplaced(command) {
        return Err(eyre!(why));
    }
    let Common { demo, flags, asks, .. } = &arguments.common;
    let demo = *demo;
    if demo && (flags.profile.is_some() || flags.config.is_some() || flags.url.is_some()) {
        return Err(eyre!(
            "--demo needs no configuration: leave out --profile, --config and --url"
        ));
    }
    if *asks {
        signals::end_in_order();
    }
    match command {
        Command::Check(_) => check::run(demo, flags, environment),
        Command::Delete(arguments) => delete::run(arguments, demo, flags, environment),
        Command::Disable(arguments) => {
            change::run(&Wish::DISABLE, arguments, demo, flags, environment)
        }
        Command::Enable(arguments) => {
            change::run(&Wish::ENABLE, arguments, demo, flags, environment)
        }
        Command::Repoint(arguments) => {
            change::run(&arguments.wish()?, &arguments.change, demo, flags, environment)
        }
        Command::Backup(arguments) => backup::run(arguments, demo, flags, environment),
        Command::Runs(arguments) => runs::run(arguments, flags, environment),
        Command::Show(show) => runs::show(show, arguments.screen.mask, flags, environment),
        Command::Resume(arguments) => resume::run(arguments, demo, flags, environment),
        Command::Undo(arguments) => undo::run(arguments, demo, flags, environment),
        Command::List(arguments) => list::run(arguments, demo, flags, environment),
        Command::Simulator(arguments) => simulator::run(arguments),
        Command::Config { print_example: true, .. } => Ok(say(&config::example()?)),
        Command::Config { .. } => {
            let path = config::expected_path(flags, environment)?;
            Ok(say(&format!("{}\n", path.display())))
        }
        Command::Completions { shell } => Ok(say(&completions::script(*shell)?)),
        Command::Man => Ok(say(&manual::page())),
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

/// `1 event`, `2 events`.
fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}
