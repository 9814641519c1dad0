//! The environment as a value, so that tests need not touch the process they run in. Its values
//! may be secrets: they are never printed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::learn_secret;

/// All environment variables at one moment. Tests collect it from pairs of name and value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The environment this process was started with.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value as it is, empty or not.
    pub(super) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The value, where an empty one counts as none, as for every variable of the program's own.
    pub(super) fn value(&self, name: &str) -> Option<&OsStr> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// All of it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.0.iter()
    }

    /// The same less these variables, whose values no output holds from now on.
    pub(super) fn without(&self, names: &[String]) -> Self {
        let mut rest = self.clone();
        for value in names.iter().filter_map(|name| rest.0.remove(OsStr::new(name))) {
            learn_secret(&value.to_string_lossy());
        }
        rest
    }

    /// The home directory. One that depends on where the program was started is none.
    pub(super) fn home(&self) -> Option<&Path> {
        self.value("HOME").map(Path::new).filter(|path| path.is_absolute())
    }

    /// Why there is no home directory, in words.
    pub(super) fn homeless(&self) -> String {
        match self.value("HOME") {
            Some(_) => "HOME is a relative path".to_owned(),
            None => "HOME is not set".to_owned(),
        }
    }

    /// One of the base folders of the XDG specification, which says that a relative path in the
    /// variable is to be ignored.
    pub(super) fn folder(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let named = self.value(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| Some(self.home()?.join(below_home)))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}
