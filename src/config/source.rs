//! The configuration file as text and as TOML with its places, so that every mistake can name its
//! line. Reading never writes: the shape below cannot even be serialised.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use confy::ConfyError;
use serde::{Deserialize, Serialize, Serializer};
use toml::Spanned;
use url::Url;

use crate::domain::Foreign;

use super::{ConfigError, Environment};

/// Longest piece of the file quoted in a message, in characters.
const QUOTED: usize = 60;

/// How a colour is written.
pub(super) const COLOURS: &str =
    "a colour in quotes, as in \"green\", \"light-blue\", \"208\" or \"#ff8700\"";

/// The whole file, as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) default_profile: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) ascii: bool,
    pub(super) synchronized_output: Option<bool>,
    #[serde(default)]
    pub(super) theme: Theme,
    #[serde(default)]
    pub(super) profiles: BTreeMap<Spanned<String>, Profile>,
}

/// `[theme]`: a colour for each thing that has one.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Theme {
    pub(super) focus: Option<Spanned<String>>,
    pub(super) good: Option<Spanned<String>>,
    pub(super) warning: Option<Spanned<String>>,
    pub(super) danger: Option<Spanned<String>>,
}

/// `[profiles.NAME]`: every key may be missing here, what that means is for `check` to say.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) url: Option<Spanned<String>>,
    pub(super) base_path: Option<Spanned<String>>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) create_path: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) extensions: Vec<Spanned<String>>,
    pub(super) extensions_file: Option<Spanned<String>>,
    pub(super) discover: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) read_only: bool,
    #[serde(default)]
    pub(super) protected: bool,
    pub(super) wide_calls: Option<Vec<Spanned<String>>>,
    pub(super) max_delete: Option<Spanned<i64>>,
    pub(super) concurrency: Option<Spanned<i64>>,
    pub(super) timeout_s: Option<Spanned<i64>>,
    pub(super) ca_file: Option<Spanned<String>>,
    pub(super) fingerprint: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) insecure: bool,
    pub(super) auth: Option<Spanned<Auth>>,
}

/// `[profiles.NAME.auth]`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    pub(super) token_env: Option<Spanned<String>>,
    pub(super) token_file: Option<Spanned<String>>,
    pub(super) token_command: Option<Spanned<Vec<String>>>,
    pub(super) app_key: Option<Spanned<String>>,
    pub(super) app_secret_env: Option<Spanned<String>>,
    pub(super) app_secret_file: Option<Spanned<String>>,
    pub(super) app_secret_command: Option<Spanned<Vec<String>>>,
    pub(super) token_url: Option<Spanned<String>>,
    pub(super) redirect_uri: Option<Spanned<String>>,
}

/// confy writes its default where it finds no file, and asks for `Serialize` to be able to. It
/// serialises before it opens the file, so refusing here closes that way for good, even when the
/// file disappears between our look and confy's.
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("callsweep writes no configuration"))
    }
}

/// The file's name and text: what it takes to say where something stands.
#[derive(Clone)]
pub(super) struct Source {
    path: PathBuf,
    text: String,
}

/// Reads the file.
pub(super) fn open(path: &Path) -> Result<(Source, Document), ConfigError> {
    let text = text(path)?;
    let source = Source { path: path.to_owned(), text };
    match confy::load_path::<Document>(path) {
        Ok(document) => Ok((source, document)),
        Err(ConfyError::BadTomlData(error)) => Err(source.misread(error)),
        Err(other) => Err(source.whole(&format!("it cannot be read ({other}): start again"))),
    }
}

/// What stands for an address alone: one profile, whose token is in `CALLSWEEP_TOKEN`.
///
/// # Errors
/// When the address goes on behind the host, with the remedy.
pub(super) fn of_url(url: &str) -> Result<(Source, Document), String> {
    let parsed = Url::parse(url).ok();
    if let Some(parsed) = parsed.as_ref().filter(|url| !matches!(url.path(), "/" | "")) {
        return Err(format!(
            "--url goes on behind the host: write --url {}; another base_path than /uapi takes a \
             profile, as `callsweep config --print-example` shows",
            parsed.origin().ascii_serialization()
        ));
    }
    let written = |text: &str| Spanned::new(0..0, text.to_owned());
    let token_env = Some(written("CALLSWEEP_TOKEN"));
    let auth = Some(Spanned::new(0..0, Auth { token_env, ..Auth::default() }));
    let profile = Profile { url: Some(written(url)), auth, ..Profile::default() };
    let profiles = BTreeMap::from([(written("url"), profile)]);
    let source = Source { path: PathBuf::new(), text: String::new() };
    Ok((source, Document { profiles, ..Document::default() }))
}

/// The host of an origin as the name of a profile: without port and brackets, and no longer than a
/// name may be.
pub(super) fn name_of(origin: &str) -> String {
    let url = Url::parse(origin).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or(origin);
    let host = host.trim_matches(['[', ']']).trim_matches('.');
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    host.chars().map(plain).take(64).collect()
}

/// The text, and on the way the certainty that confy will find a file to read.
fn text(path: &Path) -> Result<String, ConfigError> {
    let unusable = |problem: String| ConfigError::File { file: path.to_owned(), problem };
    let mut file = File::open(path).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            ConfigError::Missing(path.to_owned())
        } else {
            unusable(format!("it cannot be opened ({error}): check its owner and mode"))
        }
    })?;
    // A pipe could be read once only, and it is read twice.
    if !file.metadata().is_ok_and(|data| data.is_file()) {
        return Err(unusable("it is not a regular file: name a TOML file".to_owned()));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| {
        if error.kind() == ErrorKind::InvalidData {
            unusable("it is not UTF-8 text: save it as UTF-8".to_owned())
        } else {
            unusable(format!("it cannot be read ({error}): check the disk"))
        }
    })?;
    Ok(text)
}

impl Source {
    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A mistake in the line where the place begins.
    pub(super) fn mistake(&self, place: Range<usize>, mistake: String) -> ConfigError {
        let before = self.text.bytes().take(place.start);
        let line = before.filter(|byte| *byte == b'\n').count() + 1;
        ConfigError::Mistake { file: self.path.clone(), line, mistake }
    }

    /// A mistake that stands in no single line.
    pub(super) fn whole(&self, problem: &str) -> ConfigError {
        ConfigError::File { file: self.path.clone(), problem: problem.to_owned() }
    }

    /// The path a key means: `~/` is the home, and what is relative starts beside the file, since
    /// the folder an operator happens to be in must not decide which secret is read.
    pub(super) fn located(
        &self,
        key: &str,
        written: &Spanned<String>,
        environment: &Environment,
    ) -> Result<PathBuf, ConfigError> {
        let text = written.get_ref();
        if text.is_empty() {
            let mistake = format!("{key} = \"\" names no file: write a path");
            return Err(self.mistake(written.span(), mistake));
        }
        let Some(below_home) = text.strip_prefix("~/") else {
            return Ok(self.path.parent().unwrap_or(Path::new("")).join(text));
        };
        match environment.home() {
            Some(home) => Ok(home.join(below_home)),
            None => Err(self.mistake(
                written.span(),
                format!("{key} = {text:?} starts at the home, but HOME is not set: set HOME, or write the whole path"),
            )),
        }
    }

    /// What serde or the parser found, in the operator's words. The keys that lead to the place
    /// are private to the error; without its input it prints them behind its message.
    fn misread(&self, mut error: toml::de::Error) -> ConfigError {
        let place = error.span().unwrap_or_default();
        error.set_input(None);
        let printed = error.to_string();
        let path = printed
            .trim_end()
            .strip_prefix(error.message())
            .and_then(|rest| rest.trim_start().strip_prefix("in `"))
            .and_then(|rest| rest.strip_suffix('`'))
            .unwrap_or_default();
        let mistake = if let Some(rest) = error.message().strip_prefix("unknown field `") {
            unknown_key(rest, path)
        } else if path.is_empty() && !error.message().starts_with("invalid type") {
            let what = error.message().lines().next().unwrap_or_default();
            format!(
                "this is not valid TOML ({what}): mend the line, or compare it with `callsweep \
                 config --print-example`"
            )
        } else {
            self.misfit(path, place.clone())
        };
        self.mistake(place, mistake)
    }

    /// A value of the wrong type. The addresses and the ways to a token are not quoted: whoever
    /// mistakes their type may have written the secret itself.
    fn misfit(&self, path: &str, place: Range<usize>) -> String {
        let keys: Vec<&str> = path.split('.').collect();
        let (key, secret, remedy) = match keys.as_slice() {
            ["profiles"] => {
                (path, false, "a table for each profile, as in [profiles.acme]".to_owned())
            }
            ["theme"] => (path, false, "a table, as in [theme]".to_owned()),
            ["theme", key] => (*key, false, how(key).to_owned()),
            ["profiles", _] => (path, false, format!("a table, as in [{path}]")),
            ["profiles", _, "auth"] => (path, true, format!("a table, as in [{path}]")),
            ["profiles", _, "auth", key] => (*key, true, how(key).to_owned()),
            ["profiles", _, key] => (*key, *key == "url", how(key).to_owned()),
            _ => (path, false, how(path).to_owned()),
        };
        let quoted = match self.text.get(place).and_then(|text| text.lines().next()) {
            Some(text) if !secret => text.chars().take(QUOTED).collect(),
            _ => "what stands here".to_owned(),
        };
        format!("{} does not fit {key}: write {remedy}", Foreign::from(quoted))
    }
}

/// `rest` is what serde says behind its words "unknown field" and one backquote: the key, then the
/// known ones, each in backquotes.
fn unknown_key(rest: &str, path: &str) -> String {
    let (key, expected) = rest.rsplit_once("`, expected ").unwrap_or((rest, ""));
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let place =
        if path.is_empty() { "at the top level".to_owned() } else { format!("in [{path}]") };
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(key, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| distance * 3 <= candidate.len());
    let meant = nearest.map_or(String::new(), |(_, name)| format!("did you mean {name:?}? "));
    format!("key {key:?} is not known {place}: {meant}known keys are {}", known.join(", "))
}

/// How the value of a key is written.
fn how(key: &str) -> &'static str {
    match key {
        "default_profile" => "the name of a profile in quotes, as in \"acme\"",
        "url" => "an address in quotes, as in \"https://pbx.example.com\"",
        "base_path" => "a path in quotes, as in \"/uapi\"",
        "user" => "@me, @viewer, @owner or a user id in quotes, as in \"@me\"",
        "create_path" => "\"plain\" or \"with_type\", in quotes",
        "extensions" => "numbers in quotes between brackets, as in [\"0003*210\"]",
        "extensions_file" => "a path in quotes, as in \"numbers.txt\"",
        "discover" => "[\"presence\"], [\"presence\", \"system_api\"], or [] for none",
        "wide_calls" => "\"extension\" and \"type\" between brackets, as in [\"extension\"]",
        "focus" | "good" | "warning" | "danger" => COLOURS,
        "ascii" | "synchronized_output" | "read_only" | "protected" | "insecure" => {
            "true or false, without quotes"
        }
        "max_delete" => "a number from 1 to 100000, without quotes",
        "concurrency" => "a number from 1 to 64, without quotes",
        "timeout_s" => "a number of seconds from 1 to 600, without quotes",
        "ca_file" => "a path in quotes, as in \"/etc/ssl/acme-ca.pem\"",
        "fingerprint" => "it in quotes, as `callsweep check` prints it: \"sha256:\" and 64 digits",
        "token_env" => "the name of a variable in quotes, as in \"CALLSWEEP_TOKEN\"",
        "token_file" => "a path in quotes, as in \"~/.config/callsweep/acme.token\"",
        "app_key" => "the App's key in quotes",
        "app_secret_env" => "the name of a variable in quotes, as in \"CALLSWEEP_APP_SECRET\"",
        "app_secret_file" => "a path in quotes, as in \"~/.config/callsweep/acme.secret\"",
        "token_url" | "redirect_uri" => {
            "an address in quotes, as `callsweep config --print-example` shows"
        }
        "token_command" | "app_secret_command" => {
            "a program and its arguments, as in [\"pass\", \"show\", \"pbx\"]"
        }
        _ => "it as `callsweep config --print-example` shows",
    }
}
