//! File, environment and flags become one checked [`Profile`]: what it says has been verified, and
//! nothing on the disk has changed.
//!
//! Three steps, each in its own file: `source` reads the TOML and knows its lines, `check` turns
//! every profile into values that cannot be wrong, `auth` and `token` get what
//! the chosen one proves itself with.

mod auth;
mod check;
mod environment;
mod looks;
mod numbers;
mod program;
mod source;
mod token;

pub use environment::Environment;
pub use looks::{looks_without_file, quiet, terminal_refused};

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{
    Credentials, Extension, Foreign, Source as Discoverer, Target, Trust, WideCalls,
};
use crate::looks::Looks;

use self::check::Draft;
use self::source::Source;

/// A configuration that documents every key, for `callsweep config --print-example`.
pub const EXAMPLE: &str = include_str!("../config.example.toml");

/// What an operator's work on one PBX needs. The fields are open, so that the demo can be put
/// together without a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Which service and whose extensions, under the profile's name.
    pub target: Target,
    /// Numbers typed in, from the configuration, then from its `extensions_file`, then from
    /// `--extension`, each once.
    pub extensions: Vec<Extension>,
    /// Where extensions are looked for, each source once.
    pub discover: Vec<Discoverer>,
    /// Nothing may be deleted or created.
    pub read_only: bool,
    /// The number of events must always be typed to confirm.
    pub protected: bool,
    /// Which wide forms of DELETE may be used.
    pub wide_calls: WideCalls,
    /// The largest plan accepted, in events.
    pub max_delete: usize,
    /// Requests in flight at once, 1 to 64.
    pub concurrency: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Which certificate the service may show; a file could be opened when the profile was read.
    pub trust: Trust,
    /// What the service is asked with.
    pub credentials: Credentials,
    /// How the screen looks; the same for all profiles of a file.
    pub looks: Looks,
}

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--profile`
    pub profile: Option<String>,
    /// `--url`: this address, and no configuration.
    pub url: Option<String>,
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--read-only`: makes any profile read-only, and never the other way round.
    pub read_only: bool,
    /// `--extension`, as typed, beside the configured ones.
    pub extensions: Vec<String>,
    /// `--ascii`: nothing but ASCII is drawn.
    pub ascii: bool,
    /// `--no-color`: no colours.
    pub no_color: bool,
}

/// Why there is no profile. Every sentence ends in what to do, and none holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No file at the place where one is expected.
    #[error("{}", missing(.0))]
    Missing(PathBuf),
    /// Several profiles, and nothing says which is meant.
    #[error("{}: several profiles are in it: choose one of {} with --profile, CALLSWEEP_PROFILE or \
             default_profile", shown(.file), names(.profiles))]
    Several {
        /// The configuration file.
        file: PathBuf,
        /// Name and host of each.
        profiles: Vec<(String, String)>,
    },
    /// A line of the file is wrong.
    #[error("{}, line {line}: {mistake}", shown(.file))]
    Mistake {
        /// The configuration file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What is wrong there, and the remedy.
        mistake: String,
    },
    /// The file as a whole cannot be used.
    #[error("{}: {problem}", shown(.file))]
    File {
        /// The configuration file.
        file: PathBuf,
        /// What is wrong with it, and the remedy.
        problem: String,
    },
    /// What is kept could be changed by others.
    #[error("{}, where run files are kept, {problem}", shown(.folder))]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Who may change it, and the remedy.
        problem: String,
    },
    /// A flag or an environment variable is wrong or missing.
    #[error("{0}")]
    Surroundings(String),
}

impl ConfigError {
    /// What somebody can do who has just installed the program, a line each.
    pub fn first_steps(&self) -> Option<String> {
        let Self::Missing(path) = self else { return None };
        Some(format!(
            "try it:      callsweep --demo\n\
             use a token: CALLSWEEP_TOKEN=… callsweep --url https://pbx.example.com\n\
             keep it:     {}, then edit it",
            example_written(path)
        ))
    }
}

/// Reads the configuration and resolves one profile of it, with its token. `--url` stands for a
/// profile by itself, and no file is read.
///
/// Every profile of the file is checked, so that a mistake shows on the first start after it was
/// made; files and commands are only touched for the chosen one.
///
/// # Errors
/// The first mistake found, as one sentence.
pub fn load(flags: &Flags, environment: &Environment) -> Result<Profile, ConfigError> {
    if let Some(url) = &flags.url {
        return of_url(url, flags, environment);
    }
    let (source, document) = source::open(&expected_path(flags, environment)?)?;
    of_document(&source, &document, flags, environment)
}

/// The profile that `--url` stands for. Presence is asked for phones; only where it shows none, as to
/// the App of an organisation, SystemAPI is asked too: a user who may not ask it is refused nothing.
fn of_url(url: &str, flags: &Flags, environment: &Environment) -> Result<Profile, ConfigError> {
    if flags.profile.is_some() {
        return Err(ConfigError::Surroundings(
            "--url uses no profile of the configuration: leave out --profile or --url".to_owned(),
        ));
    }
    let (source, document) = source::of_url(url).map_err(ConfigError::Surroundings)?;
    // It is the only one, whatever CALLSWEEP_PROFILE says.
    let flags = Flags { profile: Some("url".to_owned()), ..flags.clone() };
    let profile = of_document(&source, &document, &flags, environment);
    let mut profile = profile.map_err(|error| match error {
        ConfigError::Mistake { mistake, .. } => {
            ConfigError::Surroundings(format!("--url: {mistake}"))
        }
        other @ (ConfigError::Missing(_)
        | ConfigError::Several { .. }
        | ConfigError::File { .. }
        | ConfigError::Folder { .. }
        | ConfigError::Surroundings(_)) => other,
    })?;
    profile.target.profile = source::name_of(&profile.target.origin);
    profile.discover = vec![Discoverer::Presence, Discoverer::SystemApiForNone];
    Ok(profile)
}

fn of_document(
    source: &Source,
    document: &source::Document,
    flags: &Flags,
    environment: &Environment,
) -> Result<Profile, ConfigError> {
    let drafts = check::profiles(source, document)?;
    let looks = looks::looks(source, document, flags, environment)?;
    // No command is handed a secret that the file names.
    let secrets: Vec<String> = drafts.iter().filter_map(|draft| draft.auth.variable()).collect();
    let inherited = environment.without(&secrets);
    let draft = choose(flags, environment, source, document, drafts)?;
    let ca_file = match &draft.ca_file {
        Some(written) => Some(ca_file(source, written, environment)?),
        None => None,
    };
    let in_file = match &draft.extensions_file {
        Some(written) => numbers::read(source, written, environment)?,
        None => Vec::new(),
    };
    let credentials = draft.auth.resolve(source, environment, &inherited)?;
    let mut profile = draft.finish(ca_file, credentials, looks);
    profile.read_only |= flags.read_only;
    let named = flags.extensions.iter().map(|text| {
        Extension::typed(text)
            .map_err(|refused| ConfigError::Surroundings(format!("--extension: {refused}")))
    });
    let mut known: HashSet<_> = profile.extensions.iter().map(|one| one.number.clone()).collect();
    for extension in in_file.into_iter().map(Ok).chain(named) {
        let extension = extension?;
        if known.insert(extension.number.clone()) {
            profile.extensions.push(extension);
        }
    }
    Ok(profile)
}

/// Where the configuration is read from, whether or not it is there: the flag, else
/// `CALLSWEEP_CONFIG`, else `callsweep/config.toml` among the user's configuration.
///
/// # Errors
/// When neither says it and there is no home directory either.
pub fn expected_path(flags: &Flags, environment: &Environment) -> Result<PathBuf, ConfigError> {
    if let Some(path) = &flags.config {
        return Ok(path.clone());
    }
    if let Some(path) = environment.value("CALLSWEEP_CONFIG") {
        return Ok(PathBuf::from(path));
    }
    let folder = environment.folder("XDG_CONFIG_HOME", ".config").ok_or_else(|| {
        ConfigError::Surroundings(
            "there is no place to look for the configuration, as HOME is not set: set HOME, or \
             name the file with --config"
                .to_owned(),
        )
    })?;
    Ok(folder.join("callsweep/config.toml"))
}

/// Where run files and the log belong. The folder may not exist yet; nothing is created here.
///
/// # Errors
/// When neither `XDG_STATE_HOME` nor `HOME` is set, and where others may write there: what they put
/// into a run file would be made on the PBX.
pub fn state_dir(environment: &Environment) -> Result<PathBuf, ConfigError> {
    let folder = environment.folder("XDG_STATE_HOME", ".local/state").ok_or_else(|| {
        ConfigError::Surroundings(
            "there is no place for run files, as neither XDG_STATE_HOME nor HOME is set: set one \
             of them to an absolute path"
                .to_owned(),
        )
    })?;
    let folder = folder.join("callsweep");
    own_folder(&folder)?;
    for part in ["runs", "origins", "receipts"] {
        own_folder(&folder.join(part))?;
    }
    Ok(folder)
}

/// That nobody else may write there, where it exists.
fn own_folder(folder: &Path) -> Result<(), ConfigError> {
    let Ok(data) = fs::metadata(folder) else { return Ok(()) };
    let (mode, me) = (data.permissions().mode() & 0o7777, rustix::process::geteuid().as_raw());
    let (word, owner) = (shell_word(folder), data.uid());
    let problem = if owner != me {
        format!("belongs to another user (uid {owner}): run `sudo chown -R {me} {word}`")
    } else if mode & 0o022 != 0 {
        format!("can be written by others (mode {mode:04o}): run `chmod 700 {word}`")
    } else {
        return Ok(());
    };
    Err(ConfigError::Folder { folder: folder.to_owned(), problem })
}

/// The flag beats the environment beats the file; a single profile needs none of them.
fn choose(
    flags: &Flags,
    environment: &Environment,
    source: &Source,
    document: &source::Document,
    mut drafts: Vec<Draft>,
) -> Result<Draft, ConfigError> {
    let known = drafts.iter().map(Draft::name).collect::<Vec<_>>().join(", ");
    let flag = flags.profile.clone().map(|name| (name, "--profile"));
    let variable = environment.value("CALLSWEEP_PROFILE");
    let variable = variable.map(|name| (name.to_string_lossy().into_owned(), "CALLSWEEP_PROFILE"));
    let in_file = document.default_profile.as_ref();
    let default = in_file.map(|name| (name.get_ref().clone(), "default_profile"));
    let asked = flag.or(variable).or(default);
    if drafts.is_empty() {
        return Err(source.whole(
            "no profile is in it: add a table [profiles.NAME], as `callsweep config \
             --print-example` shows",
        ));
    }
    let position = match &asked {
        Some((name, _)) => drafts.iter().position(|draft| draft.name() == name),
        None => Some(0).filter(|_| drafts.len() == 1),
    };
    if let Some(position) = position {
        return Ok(drafts.swap_remove(position));
    }
    Err(match (asked, in_file) {
        (None, _) => ConfigError::Several {
            file: source.path().to_owned(),
            profiles: drafts.iter().map(Draft::name_and_host).collect(),
        },
        (Some((name, "default_profile")), Some(place)) => source.mistake(
            place.span(),
            format!("default_profile = {name:?} names no profile: write one of {known}"),
        ),
        (Some((name, by)), _) => source.whole(&format!(
            "no profile {name:?} is in it, which {by} asks for: choose one of {known}"
        )),
    })
}

/// The file must open now, while there is a line to point at; what it holds is for the one who
/// makes the connection.
fn ca_file(
    source: &Source,
    written: &toml::Spanned<String>,
    environment: &Environment,
) -> Result<PathBuf, ConfigError> {
    let path = source.located("ca_file", written, environment)?;
    match File::open(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(source.mistake(
            written.span(),
            format!(
                "ca_file {} cannot be opened ({error}): name a readable PEM file, or leave the \
                 key out",
                shown(&path)
            ),
        )),
    }
}

/// A path as it may go to a terminal.
fn shown(path: &Path) -> Foreign {
    Foreign::from(path.to_string_lossy().as_ref())
}

/// A path as a word of a shell's command line, so that a remedy can be copied as it stands.
fn shell_word(path: &Path) -> String {
    let text = shown(path).to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+');
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The sentence where a file is missing.
fn missing(path: &Path) -> String {
    format!(
        "there is no configuration at {}: write one with `{}` and edit it, or name a PBX with --url",
        shown(path),
        example_written(path)
    )
}

/// The command that writes an example to a file, in a folder that may be missing.
fn example_written(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.filter(|folder| !folder.is_dir());
    let made = made.map(|folder| format!("mkdir -p {} && ", shell_word(folder)));
    let made = made.unwrap_or_default();
    format!("{made}callsweep config --print-example > {}", shell_word(path))
}

fn names(profiles: &[(String, String)]) -> String {
    profiles.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
