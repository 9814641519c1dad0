//! The token or App secret of the chosen profile, from wherever the profile says. It appears in no message, and
//! neither does anything that might be it.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use toml::Spanned;

use crate::domain::{Foreign, Secret};

use super::source::Source;
use super::{ConfigError, Environment, shell_word, shown};

/// Longest token accepted, in bytes: far above any real one, and below what any server takes in a
/// header.
const LONGEST: usize = 8 * 1024;
/// What may be read for it: a token and some blank lines.
const READ: u64 = 16 * 1024;

/// Which secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Token,
    AppSecret,
}

/// The one way to a secret that a profile names, with the place where it does.
#[derive(Debug)]
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

/// Gets the secret.
pub(super) fn resolve(
    way: &Way,
    kind: Kind,
    source: &Source,
    environment: &Environment,
) -> Result<Secret, ConfigError> {
    match way {
        Way::Variable(name) => from_variable(name.get_ref(), kind, environment)
            .map_err(|mistake| source.mistake(name.span(), mistake)),
        Way::File(written) => from_file(written, kind, source, environment),
        Way::Command { program, arguments, place } => {
            from_command(program, arguments, kind, place.clone(), source)
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
    let mixed = name.bytes().any(|byte| byte.is_ascii_lowercase())
        && name.bytes().any(|byte| byte.is_ascii_digit());
    let named = format!("named by {key}_env");
    let variable = if mixed { named.as_str() } else { name };
    let value = environment.raw(name).ok_or_else(|| {
        format!("the environment variable {variable} is not set: set it to the {noun}")
    })?;
    secret(kind, value.as_encoded_bytes(), &format!("the environment variable {variable}"))
}

fn from_file(
    written: &Spanned<String>,
    kind: Kind,
    source: &Source,
    environment: &Environment,
) -> Result<Secret, ConfigError> {
    let (key, noun) = (format!("{}_file", kind.key()), kind.noun());
    let path = source.located(&key, written, environment)?;
    let what = format!("{key} {}", shown(&path));
    let mistake = |problem: String| source.mistake(written.span(), problem);
    let unreadable = |error: io::Error| {
        mistake(format!("{what} cannot be read ({error}): name a file that holds the {noun} alone"))
    };
    let file = File::open(&path).map_err(unreadable)?;
    // Asked of the open file, so that it cannot be exchanged in between.
    let data = file.metadata().map_err(unreadable)?;
    if data.is_dir() {
        return Err(mistake(format!(
            "{what} is a folder: name a file that holds the {noun} alone"
        )));
    }
    let mode = data.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(mistake(format!(
            "{what} is open to others (mode {mode:04o}): run `chmod 600 {}`",
            shell_word(&path)
        )));
    }
    let text = limited(file).map_err(unreadable)?;
    secret(kind, &text, &what).map_err(mistake)
}

/// Runs the program without a shell and without a terminal to ask on. What it writes to either
/// output goes into no message: the one is the token, the other may quote it.
fn from_command(
    program: &str,
    arguments: &[String],
    kind: Kind,
    place: Range<usize>,
    source: &Source,
) -> Result<Secret, ConfigError> {
    let what = format!("{}_command \"{}\"", kind.key(), Foreign::from(program));
    let by_hand = "run it in a shell to see why";
    let outcome = run(program, arguments);
    let mistake = match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("{what} is not installed: install it, or write the program's whole path")
        }
        Err(error) => format!("{what} cannot be run ({error}): {by_hand}"),
        Ok(Ended::Otherwise(None)) => format!("{what} was ended by a signal: {by_hand}"),
        Ok(Ended::Otherwise(Some(code))) => {
            format!("{what} ended with exit code {code}: {by_hand}")
        }
        Ok(Ended::Well(output)) => match secret(kind, &output, &format!("the output of {what}")) {
            Ok(secret) => return Ok(secret),
            Err(mistake) => mistake,
        },
    };
    Err(source.mistake(place, mistake))
}

/// How a program ended: with its output, or with another exit code than zero, or by a signal.
enum Ended {
    Well(Vec<u8>),
    Otherwise(Option<i32>),
}

fn run(program: &str, arguments: &[String]) -> io::Result<Ended> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = child.stdout.take().map_or(Ok(Vec::new()), limited);
    let endless = output.as_ref().map_or(true, |output| output.len() > LONGEST);
    if endless {
        // It may never end by itself; the output is refused in any case.
        child.kill().ok();
    }
    let status = child.wait()?;
    let output = output?;
    if status.success() || endless {
        Ok(Ended::Well(output))
    } else {
        Ok(Ended::Otherwise(status.code()))
    }
}

fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A token is visible ASCII, as a header takes it; blanks around it are what editors and programs
/// leave behind.
fn secret(kind: Kind, bytes: &[u8], what: &str) -> Result<Secret, String> {
    let noun = kind.noun();
    let trimmed = bytes.trim_ascii();
    if trimmed.is_empty() {
        return Err(format!("{what} is empty: put the {noun} there"));
    }
    if bytes.len() > LONGEST {
        return Err(format!("{what} is too long for a {noun}: put the {noun} alone there"));
    }
    match std::str::from_utf8(trimmed) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Secret::new(text)),
        _ => Err(format!(
            "{what} holds blanks, line ends or other characters that no {noun} has: put the {noun} \
             alone there, on one line"
        )),
    }
}
