//! The configuration file as text and as TOML with its places, so that every mistake can name its
//! line. Reading never writes: the shape below cannot even be serialised.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use confy::ConfyError;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Spanned;
use url::Url;

use super::{ConfigError, Environment};
use crate::domain::Foreign;

/// Longest piece of the file quoted in a message, in characters.
const QUOTED: usize = 60;

/// The name of a profile that stands in no file, as the example has it.
pub(super) const ALONE: &str = "acme";

/// The whole file, as it is written. Its keys are said where they are [asked for](super::keys).
#[derive(Default)]
pub(super) struct Document(pub(super) Table);

impl Document {
    /// The names of the profiles and the hosts they lead to, where both are as they should be.
    pub(super) fn names_and_hosts(&self) -> Vec<(String, String)> {
        let value = |table: &Table, key: &str| {
            let found = table.iter().find(|(name, _)| name.get_ref() == key);
            found.map(|(_, value)| value.get_ref().clone())
        };
        let Some(Node::Table(profiles)) = value(&self.0, "profiles") else { return Vec::new() };
        let of = |(name, profile): (Spanned<String>, Spanned<Node>)| {
            let Node::Table(profile) = profile.into_inner() else { return None };
            let Some(Node::Text(url)) = value(&profile, "url") else { return None };
            let host = Url::parse(&url).ok()?.host_str()?.to_owned();
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            let name = name.into_inner();
            (!name.is_empty() && name.chars().all(plain)).then_some((name, host))
        };
        profiles.into_iter().filter_map(of).collect()
    }
}

/// A table, with the places of its keys and values.
pub(super) type Table = BTreeMap<Spanned<String>, Spanned<Node>>;

/// A value of the file.
#[derive(Clone)]
pub(super) enum Node {
    Text(String),
    Number(i64),
    Switch(bool),
    List(Vec<Spanned<Self>>),
    Table(Table),
    /// A value that no key takes: fractions, dates, numbers out of range.
    Other,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Node::Table(table) = Node::deserialize(deserializer)? else {
            return Err(serde::de::Error::custom("it is no table"));
        };
        Ok(Self(table))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNode;

        impl<'de> Visitor<'de> for AnyNode {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value of TOML")
            }

            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, switch: bool) -> Result<Node, E> {
                Ok(Node::Switch(switch))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
                Ok(Node::Number(number))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = values.next_element()? {
                    list.push(value);
                }
                Ok(Node::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
                let mut table = Table::new();
                loop {
                    match entries.next_key() {
                        Ok(None) => return Ok(Node::Table(table)),
                        Ok(Some(key)) => table.insert(key, entries.next_value()?),
                        // A date comes as a table whose key has no place.
                        Err(_) => return Ok(Node::Other),
                    };
                }
            }
        }

        deserializer.deserialize_any(AnyNode)
    }
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
        Err(ConfyError::BadTomlData(error)) => Err(source.misread(&error)),
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
    let text = |text: &str| Node::Text(text.to_owned());
    let auth = table([("token_env", text("CALLSWEEP_TOKEN"))]);
    let profile = table([("url", text(url)), ("auth", auth)]);
    let source = Source { path: PathBuf::new(), text: String::new() };
    Ok((source, Document(BTreeMap::from([entry("profiles", table([(ALONE, profile)]))]))))
}

fn table<const N: usize>(entries: [(&str, Node); N]) -> Node {
    Node::Table(entries.into_iter().map(|(key, value)| entry(key, value)).collect())
}

fn entry(key: &str, value: Node) -> (Spanned<String>, Spanned<Node>) {
    (Spanned::new(0..0, key.to_owned()), Spanned::new(0..0, value))
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
                format!(
                    "{key} = {text:?} starts at the home, but {}: set HOME, or write the whole path",
                    environment.homeless()
                ),
            )),
        }
    }

    /// A value that does not fit its key, and how it is written.
    pub(super) fn misfit(
        &self,
        place: Range<usize>,
        is_quoted: bool,
        key: &str,
        form: &str,
    ) -> ConfigError {
        let text = self.text.get(place.clone()).and_then(|text| text.lines().next());
        let text = text.filter(|_| is_quoted).unwrap_or("what stands here");
        let quoted = Foreign::from(text.chars().take(QUOTED).collect::<String>());
        self.mistake(place, format!("{quoted} does not fit {key}: write {form}"))
    }

    /// What a table of this name holds.
    pub(super) fn table(
        &self,
        name: &str,
        found: Spanned<Node>,
    ) -> Result<Spanned<Table>, ConfigError> {
        let place = found.span();
        if let Node::Table(table) = found.into_inner() {
            return Ok(Spanned::new(place, table));
        }
        let form = match name {
            "profiles" => "a table for each profile, as in [profiles.acme]".to_owned(),
            name => format!("a table, as in [{name}]"),
        };
        // A token may stand where a table belongs.
        Err(self.misfit(place, name.rsplit('.').next() != Some("auth"), name, &form))
    }

    /// What the parser found.
    fn misread(&self, error: &toml::de::Error) -> ConfigError {
        let what = error.message().lines().next().unwrap_or_default();
        let mistake = format!(
            "this is not valid TOML ({what}): mend the line, or compare it with `callsweep config \
             --print-example`"
        );
        self.mistake(error.span().unwrap_or_default(), mistake)
    }
}
