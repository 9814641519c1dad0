//! Flags that several commands share. A command has those alone that mean something to it; written
//! before the command they mean the same.

use std::path::PathBuf;

use clap::{ArgMatches, Args, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCandidates;

use super::completions;
use crate::config::Flags;

/// Where the flags stand in the help that say which PBX is meant.
const PBX: &str = "PBX";

/// Which profile is used.
#[derive(Debug, Default, Args)]
pub(super) struct ProfileArguments {
    /// The profile to use, instead of `CALLSWEEP_PROFILE` or `default_profile`
    #[arg(long, value_name = "NAME", help_heading = PBX)]
    #[arg(add = ArgValueCandidates::new(completions::profiles))]
    profile: Option<String>,
    /// The PBX at this address, without a configuration: the token from `CALLSWEEP_TOKEN`, all else by
    /// default
    #[arg(long, value_name = "URL", help_heading = PBX, value_hint = ValueHint::Url)]
    url: Option<String>,
    /// The configuration file, instead of `CALLSWEEP_CONFIG` or the usual place
    #[arg(long, value_name = "FILE", help_heading = PBX, value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
}

/// Forbids every change.
#[derive(Debug, Default, Args)]
pub(super) struct ReadOnlyArgument {
    /// Change nothing on the PBX, whatever the profile allows
    #[arg(long, help_heading = PBX)]
    read_only: bool,
}

/// Which PBX a command works with, that of the demo among them.
#[derive(Debug, Default, Args)]
pub(super) struct PbxArguments {
    /// Which profile.
    #[command(flatten)]
    pub(super) profile: ProfileArguments,
    /// Use the built-in simulator: no configuration, no network
    #[arg(long, help_heading = PBX, conflicts_with_all = ["profile", "config", "url"])]
    pub(super) demo: bool,
    /// Change nothing.
    #[command(flatten)]
    pub(super) read_only: ReadOnlyArgument,
}

/// How the screen looks.
#[derive(Debug, Args)]
pub struct ScreenArguments {
    /// Start with numbers, labels, hosts, URLs and notes masked
    #[arg(long, help_heading = "Screen")]
    pub mask: bool,
    /// Draw with nothing but ASCII
    #[arg(long, help_heading = "Screen")]
    pub(super) ascii: bool,
    /// Draw without colours, as where `NO_COLOR` is set
    #[arg(long, help_heading = "Screen")]
    pub(super) no_color: bool,
}

/// The forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RunFormat {
    /// Lines for people
    Table,
    /// One JSON document
    Json,
}

/// How sure it is what a command sends, and how its result is printed.
#[derive(Debug, Args)]
pub(super) struct Consent {
    /// Print what would be sent, and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = RunFormat::Table)]
    pub(super) format: RunFormat,
}

/// What commands say alike, read by the names of their arguments: each has what means something to it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "flags, each on its own")]
pub(super) struct Common {
    /// The simulator takes the place of the PBX.
    pub(super) demo: bool,
    /// What is said about the configuration.
    pub(super) flags: Flags,
    /// It may ask the PBX.
    pub(super) asks: bool,
    /// A document is wanted.
    pub(super) json: bool,
    /// Nothing is to be sent.
    pub(super) dry_run: bool,
}

impl Common {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let is = |name| matches.try_get_one(name).ok().flatten().copied().unwrap_or_default();
        let text = |name| matches.try_get_one::<String>(name).ok().flatten().cloned();
        let extensions = matches.try_get_many::<String>("extensions").ok().flatten();
        let mut format = matches.try_get_raw("format").ok().flatten().into_iter().flatten();
        let flags = Flags {
            profile: text("profile"),
            url: text("url"),
            config: matches.try_get_one::<PathBuf>("config").ok().flatten().cloned(),
            read_only: is("read_only"),
            extensions: extensions.unwrap_or_default().cloned().collect(),
            ascii: is("ascii"),
            no_color: is("no_color"),
        };
        let asks = matches.try_contains_id("read_only").is_ok();
        let json = format.any(|form| form == "json");
        Self { demo: is("demo"), flags, asks, json, dry_run: is("dry_run") }
    }

    /// The same behind what was said before the command.
    pub(super) fn behind(self, before: Self) -> Self {
        let (own, before_it) = (self.flags, before.flags);
        let flags = Flags {
            profile: own.profile.or(before_it.profile),
            url: own.url.or(before_it.url),
            config: own.config.or(before_it.config),
            read_only: own.read_only || before_it.read_only,
            extensions: [before_it.extensions, own.extensions].concat(),
            ..before_it
        };
        Self { demo: self.demo || before.demo, flags, ..self }
    }
}
