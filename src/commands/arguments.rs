//! Flags that several commands share. A command has those alone that mean something to it; written
//! before the command they mean the same.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCandidates;

use super::completions;
use crate::config::Flags;

/// Where the flags stand in the help that say which PBX is meant.
const PBX: &str = "PBX";

/// Which profile is used.
#[derive(Debug, Default, Args)]
pub struct ProfileArguments {
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
pub struct ReadOnlyArgument {
    /// Change nothing on the PBX, whatever the profile allows
    #[arg(long, help_heading = PBX)]
    read_only: bool,
}

/// Which PBX a command works with, that of the demo among them.
#[derive(Debug, Default, Args)]
pub struct PbxArguments {
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
pub enum RunFormat {
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

impl ProfileArguments {
    /// The same for the configuration.
    pub(super) fn flags(&self) -> Flags {
        let Self { profile, url, config } = self;
        let (profile, url, config) = (profile.clone(), url.clone(), config.clone());
        Flags { profile, url, config, ..Flags::default() }
    }

    /// The same with a promise to change nothing.
    pub(super) fn with(&self, read_only: &ReadOnlyArgument) -> Flags {
        Flags { read_only: read_only.read_only, ..self.flags() }
    }
}

impl PbxArguments {
    /// The same for the configuration, with the extensions that are named.
    pub(super) fn flags(&self, extensions: &[String]) -> Flags {
        Flags { extensions: extensions.to_vec(), ..self.profile.with(&self.read_only) }
    }
}
