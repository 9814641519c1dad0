//! Completions of the shells: a script that asks this program what fits, and the answers. They come
//! from the command line's own description, the names in the configuration and the run files; no PBX
//! is asked, no command of the configuration runs, and nothing is said where something is wrong.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter as _, complete};
use clap_complete::env::{Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};
use clap_complete::{CompleteEnv, Shell};

use super::{described, ending::Ending};
use crate::config::{self, Environment, Flags};
use crate::journal;
use crate::simulator::scenario_names;

/// The variable in which the scripts ask. It is our own, so that no other program's switches this one.
const ASKED: &str = "CALLSWEEP_COMPLETE";
/// Runs offered at once, the newest.
const RUNS: usize = 30;
/// A script finds the program where the shell does.
const PROGRAM: &str = "callsweep";
const SHELLS: Shells<'static> = Shells(&[&Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// The completion script of a shell.
///
/// # Errors
/// When it cannot be put together.
pub(super) fn script(shell: Shell) -> io::Result<String> {
    let name = shell.to_string();
    let shell = SHELLS.completer(&name).ok_or_else(|| io::Error::other("no such shell"))?;
    let mut script = Vec::new();
    shell.write_registration(ASKED, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// Answers a script that asks what fits, and how that ended; `None` where none asks.
pub fn completed() -> Option<Ending> {
    env::var_os(ASKED).filter(|shell| !shell.is_empty())?;
    let folder = env::current_dir().ok();
    let asked = CompleteEnv::with_factory(offered).var(ASKED).shells(SHELLS);
    // A mistake in the line is told when it is carried out.
    let _ = asked.try_complete(env::args_os(), folder.as_deref());
    Some(Ending::Done)
}

/// The command line without its flags where no flag is begun: they would bury what fits there.
fn offered() -> clap::Command {
    let line: Vec<_> = env::args_os().skip_while(|word| word != "--").skip(1).collect();
    let place = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|place| place.parse().ok());
    let begun = line.get(place.unwrap_or(line.len().saturating_sub(1)));
    let is_flag = begun.is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
    let mut whole = described();
    whole.build();
    if is_flag { whole } else { without_flags(whole) }
}

fn without_flags(command: clap::Command) -> clap::Command {
    let hide = |arg: clap::Arg| {
        let is_flag = !arg.is_positional();
        arg.hide(is_flag)
    };
    command.mut_args(hide).mut_subcommands(without_flags)
}

/// Words that fit, each on its own.
pub(super) fn words(words: &[&'static str]) -> Vec<CompletionCandidate> {
    words.iter().map(CompletionCandidate::new).collect()
}

/// The profiles of the configuration that the line names, each with its host.
pub(super) fn profiles() -> Vec<CompletionCandidate> {
    let flags = Flags { config: typed("--config").map(PathBuf::from), ..Flags::default() };
    let profiles = config::profiles(&flags, &Environment::of_process());
    let candidate =
        |(name, host): (String, String)| CompletionCandidate::new(name).help(Some(host.into()));
    profiles.into_iter().map(candidate).collect()
}

/// The newest runs, with when each began and its counts; `latest`; files, where a path is begun.
pub(super) fn runs(begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(begin) = begun.to_str() else { return Vec::new() };
    if begin.contains(['/', '.', '~']) {
        return PathCompleter::any().complete(begun);
    }
    let Ok(state) = config::state_dir(&Environment::of_process()) else { return Vec::new() };
    let folder = state.join("runs");
    let runs = journal::briefly(&folder, begin, RUNS);
    let latest = ("latest".to_owned(), "the newest run of this PBX that is no undo".to_owned());
    let is_any = || !journal::briefly(&folder, "", 1).is_empty();
    let latest = Some(latest).filter(|(name, _)| name.starts_with(begin) && is_any());
    let candidate =
        |(name, words): (String, String)| CompletionCandidate::new(name).help(Some(words.into()));
    runs.into_iter().chain(latest).map(candidate).collect()
}

/// The built-in scenarios, and files.
pub(super) fn scenarios(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begin = begun.to_string_lossy();
    let names = scenario_names().into_iter().filter(|name| name.starts_with(&*begin));
    let mut found: Vec<_> = names.map(CompletionCandidate::new).collect();
    if begin.contains(['/', '.']) {
        found.extend(PathCompleter::any().complete(begun));
    }
    found
}

/// The value of a flag in the line that is completed.
fn typed(flag: &str) -> Option<OsString> {
    let mut line = env::args_os().skip_while(|word| word != "--").skip(1);
    let mut value = None;
    while let Some(word) = line.next() {
        if word == flag {
            value = line.next();
        } else if let Some(text) = word.to_str().and_then(|word| word.strip_prefix(flag)) {
            value = text.strip_prefix('=').map(OsString::from).or(value);
        }
    }
    value
}

/// bash, which shows only what it completes with: where it lists several, each stands beside what is
/// known of it, as long as they do not begin alike, and a word that is cut at `=` or `:` is put together.
#[derive(Debug)]
struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == self.name()
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let script = include_str!("completions.bash");
        let script = [("NAME", name), ("BIN", bin), ("PROGRAM", completer), ("ASKED", var)]
            .iter()
            .fold(script.to_owned(), |script, (place, word)| script.replace(place, word));
        buf.write_all(script.as_bytes())
    }

    /// A line for each candidate: the word, a tab, and what is known of it.
    fn write_complete(
        &self,
        command: &mut clap::Command,
        line: Vec<OsString>,
        folder: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let last = line.len().saturating_sub(1);
        for candidate in complete(command, line, last, folder)? {
            let word = candidate.get_value().to_string_lossy();
            let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
            writeln!(buf, "{word}\t{}", help.lines().next().unwrap_or_default())?;
        }
        Ok(())
    }
}
