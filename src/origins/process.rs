//! Which process of which user on which machine: locks and run files tell it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::Foreign;

/// A process that changes a PBX.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// The program with its version.
    pub(crate) program: String,
    /// Its number.
    pub(crate) pid: u32,
    /// The name of the machine.
    pub(crate) host: String,
    /// The user's name there, or the user's number.
    pub(crate) login: String,
}

impl Process {
    /// This one.
    pub(crate) fn this() -> Self {
        let named = ["LOGNAME", "USER"].into_iter().filter_map(|name| std::env::var(name).ok());
        let login = named.into_iter().find(|name| !name.is_empty());
        let number = || format!("uid {}", rustix::process::geteuid().as_raw());
        Self {
            program: concat!("callsweep ", env!("CARGO_PKG_VERSION")).to_owned(),
            pid: std::process::id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            login: login.unwrap_or_else(number),
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [program, login, host] =
            [&self.program, &self.login, &self.host].map(|text| Foreign::from(text.as_str()));
        write!(f, "{program}, process {} of {login} on {host},", self.pid)
    }
}
