//! What every floor says of the conversation with the service.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Extension, Failure, learn_secret};

/// A token or password, and where it came from. It has no `Display`, its `Debug` prints `***`, it is
/// read in one place only, where a header is made, and [no output](super::redacted) holds it.
#[derive(Clone)]
pub struct Secret {
    text: Arc<str>,
    origin: Option<Arc<Origin>>,
}

/// The source of a secret, shared by all clients of a profile.
pub struct Origin {
    /// The place where an operator can replace it, as the end of a sentence: `in the variable
    /// CALLSWEEP_TOKEN`.
    pub place: String,
    /// The shortest time between two attempts to ask it again.
    pub pause: Duration,
    again: Option<Again>,
    newest: Mutex<Option<Secret>>,
}

/// How a secret is got once more. May take seconds; its error is a sentence with the remedy.
pub type Again = Box<dyn Fn() -> Result<Secret, String> + Send + Sync>;

impl Secret {
    /// Takes the secret over; a line end behind it, as files and commands leave one, is cut off.
    pub fn new(text: &str) -> Self {
        let text = text.trim_end_matches(['\r', '\n']);
        learn_secret(text);
        Self { text: text.into(), origin: None }
    }

    /// The secret with its source.
    #[must_use]
    pub fn from(self, origin: Origin) -> Self {
        Self { origin: Some(Arc::new(origin)), ..self }
    }

    /// The secret itself, for the header alone.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The source of the secret, where it is known.
    pub fn origin(&self) -> Option<&Arc<Origin>> {
        self.origin.as_ref()
    }
}

impl Origin {
    /// A place, and how it is asked once more where that may bring another secret.
    pub fn new(place: String, pause: Duration, again: Option<Again>) -> Self {
        Self { place, pause, again, newest: Mutex::default() }
    }

    /// Whether another secret can come from it while this process runs.
    pub fn can_be_asked(&self) -> bool {
        self.again.is_some()
    }

    /// A secret in the place of a refused one: the one that it has given meanwhile, or what it gives
    /// now, which may be the same again. Callers that come meanwhile wait.
    ///
    /// # Errors
    /// Why it gives none.
    pub fn instead_of(&self, refused: &Secret) -> Result<Option<Secret>, String> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = newest.as_ref().filter(|known| *known != refused) {
            return Ok(Some(known.clone()));
        }
        let Some(again) = &self.again else { return Ok(None) };
        *newest = Some(again()?);
        Ok(newest.clone())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Secret {}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The proof of identity that a profile uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// An access token, used as it is; where it is refused, its origin is asked once more.
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

/// A source of extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// UnifiedAPI's list of phones (page *List Presence*): phone terminals, without labels.
    Presence,
    /// SystemAPI's `GetUsers` and `GetExtensions`: all four kinds, with labels and owners.
    SystemApi,
    /// SystemAPI, asked only where presence shows no phone and the token is not refused.
    SystemApiForNone,
    /// SystemAPI's `GetExtensionDetails`, for the numbers that were typed and no others.
    Details,
}

impl Source {
    /// The name in the configuration, in sentences too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::SystemApi | Self::SystemApiForNone | Self::Details => "system_api",
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
    /// What each source that answered listed.
    pub seen: Vec<Seen>,
    /// A failure that may hide extensions and may pass.
    pub trouble: Option<Failure>,
}

impl Discovery {
    /// The extensions, and those that were known before where a source in trouble may not show them
    /// now.
    pub fn beside(&mut self, known: &[Extension]) -> Vec<Extension> {
        let mut all = std::mem::take(&mut self.extensions);
        if self.trouble.is_some() {
            all.extend_from_slice(known);
            all.sort_by(|one, other| one.number.cmp(&other.number));
            all.dedup_by(|again, one| {
                let is_same = again.number == one.number;
                if is_same {
                    one.learn(again.clone());
                }
                is_same
            });
        }
        all
    }
}

/// The number of extensions that one source listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The source.
    pub source: Source,
    /// Extensions, those included whose number cannot be used.
    pub extensions: usize,
    /// Users that own some of them, where it tells them.
    pub users: usize,
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
