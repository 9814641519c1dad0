//! What every floor says of the conversation with the service.

use std::fmt;
use std::time::Duration;

use super::{Extension, Failure};

/// A token or password. It has no `Display`, its `Debug` prints `***`, and it is read in one place
/// only: where a header is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret over; a line end behind it, as files and commands leave one, is cut off.
    pub fn new(text: &str) -> Self {
        Self(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The secret itself, for the header alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a profile proves itself with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// An access token, used as it is and never renewed.
    Token(Secret),
    /// The key and secret of an App, which tokens are asked for with (`client_credentials`).
    App {
        /// The App's key.
        key: String,
        /// The App's secret.
        secret: Secret,
        /// Where tokens are issued; always on the origin of the service.
        token_url: String,
        /// What the service wants to be told, and by all signs does not look at.
        redirect_uri: String,
    },
}

/// One HTTP request that went out and what came back: a row of the Calls panel. It never holds a
/// header or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The HTTP method.
    pub method: &'static str,
    /// The path as sent.
    pub path: String,
    /// The status of the answer, or why there was none.
    pub answer: Result<u16, Failure>,
    /// From sending to the last byte.
    pub took: Duration,
}

/// Where extensions are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// UnifiedAPI's list of phones (page *List Presence*): phone terminals, without labels.
    Presence,
    /// SystemAPI's `GetUsers` and `GetExtensions`: all four kinds, with labels and owners.
    SystemApi,
    /// SystemAPI's `GetExtensionDetails`, for the numbers that were typed and no others.
    Details,
}

impl Source {
    /// The name in the configuration, in sentences too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::SystemApi | Self::Details => "system_api",
        }
    }
}

/// The extensions that the sources named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Discovery {
    /// Each once, in the order of their numbers.
    pub extensions: Vec<Extension>,
    /// What a source cannot see or could not say, a sentence each.
    pub remarks: Vec<String>,
    /// Every source answered and handed out all that it can see. Presence alone is complete too:
    /// what it cannot see is a remark.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        let secret = Secret::new("1|abc~def\n");
        assert_eq!((format!("{secret:?}").as_str(), secret.expose()), ("***", "1|abc~def"));
    }
}
