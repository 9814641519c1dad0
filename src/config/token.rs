//! The token of the chosen profile, from wherever the profile says. It appears in no message, and
//! neither does anything that might be it.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use toml::Spanned;

use crate::domain::{Foreign, Secret};

use super::check::Way;
use super::source::Source;
use super::{ConfigError, Environment, shell_word, shown};

/// Longest token accepted, in bytes: far above any real one, and below what any server takes in a
/// header.
const LONGEST: usize = 8 * 1024;
/// What may be read for it: a token and some blank lines.
const READ: u64 = 16 * 1024;

/// Gets the token.
pub(super) fn resolve(
    way: &Way,
    source: &Source,
    environment: &Environment,
) -> Result<Secret, ConfigError> {
    match way {
        Way::Variable(name) => from_variable(name.get_ref(), environment)
            .map_err(|mistake| source.mistake(name.span(), mistake)),
        Way::File(written) => from_file(written, source, environment),
        Way::Command { program, arguments, place } => {
            from_command(program, arguments, place.clone(), source)
        }
    }
}

/// Operators have been seen to write the token where its variable's name belongs, so a name is
/// only spoken where it cannot be a token.
fn from_variable(name: &str, environment: &Environment) -> Result<Secret, String> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let digit_first = name.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
    if digit_first || name.len() > 64 || !name.bytes().all(word) {
        return Err("token_env is not the name of an environment variable: write the name, as in \
                    token_env = \"CALLSWEEP_TOKEN\", never the token itself"
            .to_owned());
    }
    let mixed = name.bytes().any(|byte| byte.is_ascii_lowercase())
        && name.bytes().any(|byte| byte.is_ascii_digit());
    let variable = if mixed { "named by token_env" } else { name };
    let value = environment.raw(name).ok_or_else(|| {
        format!("the environment variable {variable} is not set: set it to the token")
    })?;
    token(value.as_encoded_bytes(), &format!("the environment variable {variable}"))
}

fn from_file(
    written: &Spanned<String>,
    source: &Source,
    environment: &Environment,
) -> Result<Secret, ConfigError> {
    let path = source.located("token_file", written, environment)?;
    let what = format!("token_file {}", shown(&path));
    let mistake = |problem: String| source.mistake(written.span(), problem);
    let unreadable = |error: io::Error| {
        mistake(format!("{what} cannot be read ({error}): name a file that holds the token alone"))
    };
    let file = File::open(&path).map_err(unreadable)?;
    // Asked of the open file, so that it cannot be exchanged in between.
    let data = file.metadata().map_err(unreadable)?;
    if data.is_dir() {
        return Err(mistake(format!("{what} is a folder: name a file that holds the token alone")));
    }
    let mode = data.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(mistake(format!(
            "{what} is open to others (mode {mode:04o}): run `chmod 600 {}`",
            shell_word(&path)
        )));
    }
    let text = limited(file).map_err(unreadable)?;
    token(&text, &what).map_err(mistake)
}

/// Runs the program without a shell and without a terminal to ask on. What it writes to either
/// output goes into no message: the one is the token, the other may quote it.
fn from_command(
    program: &str,
    arguments: &[String],
    place: Range<usize>,
    source: &Source,
) -> Result<Secret, ConfigError> {
    let what = format!("token_command \"{}\"", Foreign::from(program));
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
        Ok(Ended::Well(output)) => match token(&output, &format!("the output of {what}")) {
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
fn token(bytes: &[u8], what: &str) -> Result<Secret, String> {
    let trimmed = bytes.trim_ascii();
    if trimmed.is_empty() {
        return Err(format!("{what} is empty: put the token there"));
    }
    if bytes.len() > LONGEST {
        return Err(format!("{what} is too long for a token: put the token alone there"));
    }
    match std::str::from_utf8(trimmed) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Secret::new(text)),
        _ => Err(format!(
            "{what} holds blanks, line ends or other characters that no token has: put the token \
             alone there, on one line"
        )),
    }
}
