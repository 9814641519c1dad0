//! File, environment and flags become one checked [`Profile`]: what it says has been verified, and
//! nothing on the disk has changed.
//!
//! Three steps: `source` reads the TOML and knows its lines; `profile`, `auth` and `looks` ask `keys`
//! for each key and make values of it that cannot be wrong; `token` gets what the chosen profile proves
//! itself with.

mod auth;
mod bindings;
mod environment;
mod keys;
mod looks;
mod numbers;
mod profile;
mod program;
mod source;
mod token;

pub use environment::Environment;
pub use looks::{log_level, looks_without_file, quiet, terminal_refused};
pub use profile::Rules;

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::domain::{Credentials, Extension, Foreign, Secret, Source as Discoverer, Target, Trust};
use crate::keys::Keymap;
use crate::looks::Looks;

use self::keys::{Key, Keys};
use self::profile::Draft;
use self::source::{Document, Source};

const DEFAULT_PROFILE: Key = Key::new(
    "default_profile",
    "the name of a profile in quotes, as in \"acme\"",
    "The profile that is used without --profile and CALLSWEEP_PROFILE. A single profile needs no default.",
)
.shown("\"acme\"");

/// What an operator's work on one PBX needs. The fields are open, so that the demo can be put
/// together without a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Which service and whose extensions, under the profile's name.
    pub target: Target,
    /// Numbers typed in, from the configuration, then from its `extensions_file`, then from
    /// `--extension`, each once.
    pub extensions: Vec<Extension>,
    /// The keys that hold as they stand in the file.
    pub rules: Rules,
    /// Which certificate the service may show; a file could be opened when the profile was read.
    pub trust: Trust,
    /// What the service is asked with.
    pub credentials: Credentials,
    /// How the screen looks; the same for all profiles of a file.
    pub looks: Looks,
    /// The keys in force; the same for all profiles of a file.
    pub keys: Keymap,
}

/// Flags of the command line about the configuration.
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
    /// Three lines for somebody who has just installed the program.
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
    of_document(&source, document, flags, environment)
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
    let flags = Flags { profile: Some(source::ALONE.to_owned()), ..flags.clone() };
    let profile = of_document(&source, document, &flags, environment);
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
    profile.target.is_of_flags = true;
    profile.rules.discover = vec![Discoverer::Presence, Discoverer::SystemApiForNone];
    Ok(profile)
}

/// The profile of the demo, at this address and with this token; everything else by default.
///
/// # Errors
/// When a flag is wrong.
pub fn of_demo(
    origin: &str,
    token: &str,
    flags: &Flags,
    environment: &Environment,
) -> Result<Profile, ConfigError> {
    let (source, document) = source::of_url(origin).map_err(ConfigError::Surroundings)?;
    let Read { mut drafts, looks, bound, .. } = Read::of(&source, document, flags, environment)?;
    let draft = drafts.pop().ok_or_else(|| source.whole("no profile is in it"))?;
    let credentials = Credentials::Token(Secret::new(token));
    let mut profile = resolved(&source, draft, credentials, (looks, bound), flags, environment)?;
    "demo".clone_into(&mut profile.target.profile);
    profile.rules.discover = vec![Discoverer::Presence, Discoverer::SystemApi];
    Ok(profile)
}

/// A configuration that explains every key, for `callsweep config --print-example`.
///
/// # Errors
/// Never: what it is made of is a configuration.
pub fn example() -> Result<String, ConfigError> {
    let (source, document) =
        source::of_url("https://pbx.example.com").map_err(ConfigError::Surroundings)?;
    let read = Read::of(&source, document, &Flags::default(), &Environment::default())?;
    let profiles: String = read.drafts.iter().map(|draft| draft.example.as_str()).collect();
    let head = keys::comment(
        "callsweep reads this file from $XDG_CONFIG_HOME/callsweep/config.toml, which is \
         ~/.config/callsweep/config.toml on most machines, or from --config or CALLSWEEP_CONFIG. \
         Print it with: callsweep config --print-example",
    );
    Ok(format!("{head}{}{profiles}", read.example))
}

/// A file whose every key has been read and checked, and nothing besides has been touched.
struct Read {
    default_profile: Option<Spanned<String>>,
    looks: Looks,
    bound: Keymap,
    /// In the order of their names.
    drafts: Vec<Draft>,
    /// What the example says of all that stands outside the profiles.
    example: String,
}

impl Read {
    fn of(
        source: &Source,
        document: Document,
        flags: &Flags,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let mut keys = Keys::of(source, "", document.0, "");
        let default_profile = keys.text(DEFAULT_PROFILE)?;
        let looks = looks::read(source, &mut keys, flags, environment)?;
        let bound = bindings::read(source, &mut keys)?;
        let profiles = keys.tables("profiles")?.map(Spanned::into_inner).unwrap_or_default();
        let example = keys.end()?;
        let drafts = profiles.into_iter().map(|(name, table)| Draft::read(source, &name, table));
        let drafts = drafts.collect::<Result<_, _>>()?;
        Ok(Self { default_profile, looks, bound, drafts, example })
    }
}

fn of_document(
    source: &Source,
    document: Document,
    flags: &Flags,
    environment: &Environment,
) -> Result<Profile, ConfigError> {
    let Read { default_profile, looks, bound, drafts, .. } =
        Read::of(source, document, flags, environment)?;
    // No command is handed a secret that the file names.
    let secrets: Vec<String> = drafts.iter().filter_map(|draft| draft.auth.variable()).collect();
    let inherited = environment.without(&secrets);
    let draft = choose(flags, environment, source, default_profile.as_ref(), drafts)?;
    if draft.auth.runs_a_command() {
        own_commands(source)?;
    }
    let credentials = draft.auth.resolve(source, environment, &inherited)?;
    resolved(source, draft, credentials, (looks, bound), flags, environment)
}

/// A profile with all that it names, and with what the flags add.
fn resolved(
    source: &Source,
    draft: Draft,
    credentials: Credentials,
    (looks, keys): (Looks, Keymap),
    flags: &Flags,
    environment: &Environment,
) -> Result<Profile, ConfigError> {
    let Draft { target, mut extensions, mut rules, mut trust, ca_file, extensions_file, .. } =
        draft;
    if let Some(written) = ca_file {
        let file = opened_ca_file(source, &written, environment)?;
        if trust == Trust::Machine {
            trust = Trust::MachineAnd(file);
        }
    }
    let in_file = match &extensions_file {
        Some(written) => numbers::read(source, written, environment)?,
        None => Vec::new(),
    };
    let named = flags.extensions.iter().map(|text| {
        Extension::typed(text)
            .map_err(|refused| ConfigError::Surroundings(format!("--extension: {refused}")))
    });
    let mut known: HashSet<_> = extensions.iter().map(|one| one.number.clone()).collect();
    for extension in in_file.into_iter().map(Ok).chain(named) {
        let extension = extension?;
        if known.insert(extension.number.clone()) {
            extensions.push(extension);
        }
    }
    rules.read_only |= flags.read_only;
    Ok(Profile { target, extensions, rules, trust, credentials, looks, keys })
}

/// Largest file that is looked into for names, in bytes.
const LARGEST: u64 = 1 << 20;

/// Name and host of each profile, as far as the file can be read; for who completes a word, so that
/// nothing is said of mistakes and nothing else of a profile is looked at.
pub fn profiles(flags: &Flags, environment: &Environment) -> Vec<(String, String)> {
    let path = expected_path(flags, environment).ok();
    let usable = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= LARGEST)
    };
    let opened = path.filter(usable).and_then(|path| source::open(&path).ok());
    opened.map(|(_, document)| document.names_and_hosts()).unwrap_or_default()
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
        ConfigError::Surroundings(format!(
            "there is no place to look for the configuration, as {}: set HOME, or name the file \
             with --config",
            environment.homeless()
        ))
    })?;
    Ok(folder.join("callsweep/config.toml"))
}

/// The folder of run files and log; it may not exist yet, and nothing is created here.
///
/// # Errors
/// When neither `XDG_STATE_HOME` nor `HOME` is set, where `HOME` depends on where the program was
/// started, and where others may write there: what they put into a run file would be made on the PBX.
pub fn state_dir(environment: &Environment) -> Result<PathBuf, ConfigError> {
    let none = || match environment.value("HOME") {
        Some(home) => ConfigError::Folder {
            folder: Path::new(home).join(".local/state/callsweep"),
            problem: format!(
                "depends on the folder of the start, as {}: set HOME or \
                XDG_STATE_HOME to an absolute path",
                environment.homeless()
            ),
        },
        None => ConfigError::Surroundings(
            "there is no place for run files, as neither XDG_STATE_HOME nor HOME is set: set one \
             of them to an absolute path"
                .to_owned(),
        ),
    };
    let folder = environment.folder("XDG_STATE_HOME", ".local/state").ok_or_else(none)?;
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

/// That no stranger could write the command that is about to be run.
fn own_commands(source: &Source) -> Result<(), ConfigError> {
    let Ok(data) = fs::metadata(source.path()) else { return Ok(()) };
    let (mode, me) = (data.permissions().mode() & 0o7777, rustix::process::geteuid().as_raw());
    let (word, owner) = (shell_word(source.path()), data.uid());
    if ![me, 0].contains(&owner) {
        return Err(source.whole(&format!(
            "it names a command, and belongs to another user (uid {owner}): run `sudo chown {me} {word}`"
        )));
    }
    if mode & 0o002 != 0 {
        return Err(source.whole(&format!(
            "it names a command, and can be written by others (mode {mode:04o}): run `chmod o-w {word}`"
        )));
    }
    Ok(())
}

/// The flag beats the environment beats the file; a single profile needs none of them.
fn choose(
    flags: &Flags,
    environment: &Environment,
    source: &Source,
    in_file: Option<&Spanned<String>>,
    mut drafts: Vec<Draft>,
) -> Result<Draft, ConfigError> {
    let known = drafts.iter().map(Draft::name).collect::<Vec<_>>().join(", ");
    let flag = flags.profile.clone().map(|name| (name, "--profile"));
    let variable = environment.value("CALLSWEEP_PROFILE");
    let variable = variable.map(|name| (name.to_string_lossy().into_owned(), "CALLSWEEP_PROFILE"));
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
fn opened_ca_file(
    source: &Source,
    written: &Spanned<String>,
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
