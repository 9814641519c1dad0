//! The token or App secret of the chosen profile, from wherever the profile says. It appears in no message, and
//! neither does anything that might be it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use toml::Spanned;

use crate::domain::{Again, Foreign, Origin, REDACTED, Secret, learn_secret, redacted};
use crate::origins::odd::{self, Odd};

use super::program::{self, How, READ};
use super::source::Source;
use super::{ConfigError, Environment, shell_word, shown};

/// Longest token accepted, in bytes: far above any real one, and below what any server takes in a
/// header.
const LONGEST: usize = 8 * 1024;
/// Longest piece of what a command complained that is quoted, in characters.
const QUOTED: usize = 300;
/// How long after a command was run in vain it is run again at the earliest, where its token is
/// refused again. A file is read whenever that happens.
const PAUSE: Duration = Duration::from_secs(60);

/// Which secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Token,
    AppSecret,
}

/// The one way to a secret that a profile names, with the place where it does.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// The environment variable of this name.
    Variable(Spanned<String>),
    /// A file that holds it.
    File(Spanned<String>),
    /// A program that prints it.
    Command { program: String, arguments: Vec<String>, place: Range<usize> },
}

impl Kind {
    /// What its keys begin with.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::AppSecret => "app_secret",
        }
    }

    /// What it is called.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::AppSecret => "secret",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Token => "CALLSWEEP_TOKEN",
            Self::AppSecret => "CALLSWEEP_APP_SECRET",
        }
    }
}

/// Gets the secret, and keeps what it takes to get it once more. `inherited` is the environment of a
/// command.
pub(super) fn resolve(
    way: &Way,
    kind: Kind,
    source: &Source,
    environment: &Environment,
    inherited: &Environment,
) -> Result<Secret, ConfigError> {
    let secret = got(way, kind, source, environment, inherited)?;
    let (place, again) = match way {
        Way::Variable(name) => (format!("in {}", variable(name.get_ref(), kind)), false),
        Way::File(written) => {
            let path = source.located(&format!("{}_file", kind.key()), written, environment)?;
            (format!("in the file {}", shown(&path)), true)
        }
        Way::Command { program, arguments, .. } => {
            (format!("that {}_command prints: {}", kind.key(), words(program, arguments)), true)
        }
    };
    let again = again.then(|| -> Again {
        let (way, source) = (way.clone(), source.clone());
        let (environment, inherited) = (environment.clone(), inherited.clone());
        Box::new(move || {
            got(&way, kind, &source, &environment, &inherited).map_err(|error| error.to_string())
        })
    });
    let pause = if matches!(way, Way::Command { .. }) { PAUSE } else { Duration::ZERO };
    Ok(secret.from(Origin::new(place, pause, again)))
}

fn got(
    way: &Way,
    kind: Kind,
    source: &Source,
    environment: &Environment,
    inherited: &Environment,
) -> Result<Secret, ConfigError> {
    match way {
        Way::Variable(name) => from_variable(name.get_ref(), kind, environment)
            .map_err(|mistake| source.mistake(name.span(), mistake)),
        Way::File(written) => from_file(written, kind, source, environment),
        Way::Command { program, arguments, place } => {
            from_command(program, arguments, kind, inherited)
                .map_err(|mistake| source.mistake(place.clone(), mistake))
        }
    }
}

/// Operators have been seen to write the token where its variable's name belongs, so a name is
/// only spoken where it cannot be a token.
fn from_variable(name: &str, kind: Kind, environment: &Environment) -> Result<Secret, String> {
    let (key, noun) = (kind.key(), kind.noun());
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let digit_first = name.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
    if digit_first || name.len() > 64 || !name.bytes().all(word) {
        return Err(format!(
            "{key}_env is not the name of an environment variable: write the name, as in \
             {key}_env = {:?}, never the {noun} itself",
            kind.example()
        ));
    }
    let what = variable(name, kind);
    let value =
        environment.raw(name).ok_or_else(|| format!("{what} is not set: set it to the {noun}"))?;
    secret(kind, value.as_encoded_bytes()).map_err(|problem| format!("{what} {problem}"))
}

/// `the environment variable CALLSWEEP_TOKEN`.
fn variable(name: &str, kind: Kind) -> String {
    let mixed = name.bytes().any(|byte| byte.is_ascii_lowercase())
        && name.bytes().any(|byte| byte.is_ascii_digit());
    if mixed {
        format!("the environment variable named by {}_env", kind.key())
    } else {
        format!("the environment variable {name}")
    }
}

fn from_file(
    written: &Spanned<String>,
    kind: Kind,
    source: &Source,
    environment: &Environment,
) -> Result<Secret, ConfigError> {
    let key = format!("{}_file", kind.key());
    let path = source.located(&key, written, environment)?;
    let text = read(&path, kind).and_then(|text| secret(kind, &text));
    text.map_err(|problem| {
        source.mistake(written.span(), format!("{key} {} {problem}", shown(&path)))
    })
}

/// Reads a file for its owner alone. What may never end, or never begin, is not opened.
fn read(path: &Path, kind: Kind) -> Result<Vec<u8>, String> {
    let alone = format!("name a file that holds the {} alone", kind.noun());
    let unreadable = |error: io::Error| format!("cannot be read ({error}): {alone}");
    permitted(path, &fs::metadata(path).map_err(unreadable)?, &alone)?;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(odd::at_once());
    let file = options.open(path).map_err(unreadable)?;
    // Asked of the open file too, as it may have been exchanged in between.
    permitted(path, &file.metadata().map_err(unreadable)?, &alone)?;
    limited(file).map_err(unreadable)
}

/// Checks that it is a file of this user which no other account reads or writes.
fn permitted(path: &Path, data: &Metadata, alone: &str) -> Result<(), String> {
    match odd::check(data) {
        Err(Odd::Folder) => return Err(format!("is a folder: {alone}")),
        Err(Odd::Foreign(owner)) => {
            let me = rustix::process::geteuid().as_raw();
            return Err(format!(
                "belongs to another user (uid {owner}): run `sudo chown {me} {}`",
                shell_word(path)
            ));
        }
        Err(Odd::Pipe) => return Err(format!("is a pipe: {alone}")),
        Err(Odd::Huge) => return Err(format!("is larger than 4 GiB: {alone}")),
        Err(Odd::Link | Odd::SecondName | Odd::Device | Odd::Stray | Odd::Half) => {
            return Err(format!("is no regular file: {alone}"));
        }
        Ok(()) => {}
    }
    let mode = data.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "is open to others (mode {mode:04o}): run `chmod 600 {}`",
            shell_word(path)
        ));
    }
    Ok(())
}

fn from_command(
    program: &str,
    arguments: &[String],
    kind: Kind,
    inherited: &Environment,
) -> Result<Secret, String> {
    let what = format!("{}_command \"{}\"", kind.key(), Foreign::from(program));
    let by_hand = "run it in a shell to see why";
    let ended = program::run(program, arguments, inherited).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            format!("{what} is not installed: install it, or write the program's whole path")
        } else {
            format!("{what} cannot be run ({error}): {by_hand}")
        }
    })?;
    let said = complaint(&ended.complaint, &ended.output);
    match ended.how {
        How::TooLong => Err(format!(
            "{what} took longer than 10 s and was ended{said}: have it print the {} without asking \
             for anything, as it has no terminal",
            kind.noun()
        )),
        How::Otherwise(None) => Err(format!("{what} was ended by a signal{said}: {by_hand}")),
        How::Otherwise(Some(code)) => {
            Err(format!("{what} ended with exit code {code}{said}: {by_hand}"))
        }
        How::Well => secret(kind, &ended.output)
            .map_err(|problem| format!("the output of {what} {problem}{said}")),
    }
}

/// What a command complained, in one line and without what it printed, which may be the secret.
fn complaint(complaint: &[u8], output: &[u8]) -> String {
    let printed = String::from_utf8_lossy(output);
    for word in printed.split_ascii_whitespace().take(8) {
        learn_secret(word);
    }
    let text = String::from_utf8_lossy(complaint);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line = redacted(&line).into_owned();
    // A word too short to be kept out of all texts is kept out of this one.
    for word in printed.split_ascii_whitespace().take(8).filter(|word| word.len() >= 4) {
        line = line.replace(word, REDACTED);
    }
    if line.is_empty() {
        return String::new();
    }
    let quoted: String = line.chars().take(QUOTED).collect();
    format!(" (it said: {})", Foreign::from(quoted))
}

/// A command as an operator wrote it, as far as it gives nothing away: arguments may be secrets too.
fn words(program: &str, arguments: &[String]) -> String {
    let program = Foreign::from(program);
    if arguments.is_empty() { format!("\"{program}\"") } else { format!("\"{program} …\"") }
}

fn limited(from: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(READ.try_into().unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A token is visible ASCII, as a header takes it; blanks around it are what editors and programs
/// leave behind.
fn secret(kind: Kind, bytes: &[u8]) -> Result<Secret, String> {
    let noun = kind.noun();
    let trimmed = bytes.trim_ascii();
    if trimmed.is_empty() {
        return Err(format!("is empty: put the {noun} there"));
    }
    if bytes.len() > LONGEST {
        return Err(format!("is too long for a {noun}: put the {noun} alone there"));
    }
    match std::str::from_utf8(trimmed) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Secret::new(text)),
        _ => Err(format!(
            "holds blanks, line ends or other characters that no {noun} has: put the {noun} \
             alone there, on one line"
        )),
    }
}
