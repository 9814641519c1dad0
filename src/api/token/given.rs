//! A token that a profile names: where it is refused, its variable, file or command may have another
//! one by now.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Mutex, oneshot};

use super::super::clock;
use super::{Bearer, bearer};
use crate::domain::{Origin, Secret};

/// The token in force and where it came from.
pub(in crate::api) struct Given {
    held: Mutex<Held>,
    origin: Option<Arc<Origin>>,
}

struct Held {
    bearer: Bearer,
    /// The statuses for which it was asked for again and no other one came, and when that was.
    vain: Vec<(u16, Instant)>,
}

impl Given {
    pub(super) fn new(bearer: Bearer) -> Self {
        let origin = bearer.token.origin().cloned();
        Self { held: Mutex::new(Held { bearer, vain: Vec::new() }), origin }
    }

    /// The token in force. Requests that come while another one is asked for wait for it.
    pub(super) async fn bearer(&self) -> Bearer {
        self.held.lock().await.bearer.clone()
    }

    /// Another token than the refused one, asked for once however many were refused with it.
    pub(super) async fn instead_of(&self, refused: &Bearer, status: u16) -> Result<Bearer, String> {
        let mut held = self.held.lock().await;
        if held.bearer.number != refused.number {
            return Ok(held.bearer.clone());
        }
        if self.was_in_vain(&held, status) {
            return Err(self.renew());
        }
        let secret = another(self.origin.as_ref(), &refused.token).await;
        match secret.map(|secret| bearer(secret?, refused.number + 1)) {
            Ok(Some(bearer)) => {
                *held = Held { bearer: bearer.clone(), vain: Vec::new() };
                Ok(bearer)
            }
            Ok(None) => {
                held.vain(status);
                Err(self.renew())
            }
            Err(why) => {
                held.vain(status);
                Err(why)
            }
        }
    }

    /// It was refused as the one before.
    pub(super) async fn in_vain(&self, bearer: &Bearer, status: u16) {
        let mut held = self.held.lock().await;
        if held.bearer.number == bearer.number {
            held.vain(status);
        }
    }

    /// What an operator does where it is refused.
    pub(super) fn renew(&self) -> String {
        match self.origin.as_deref() {
            Some(origin) if origin.can_be_asked() => format!("replace the token {}", origin.place),
            Some(origin) => format!("replace the token {} and start again", origin.place),
            None => "replace the token that auth in the profile names".to_owned(),
        }
    }

    /// Whether no other token came for such an answer a moment ago. Later an operator may have renewed
    /// it, as the remedy says.
    fn was_in_vain(&self, held: &Held, status: u16) -> bool {
        let pause = self.origin.as_ref().map(|origin| origin.pause).unwrap_or_default();
        let now = clock::now();
        let mut vain = held.vain.iter().filter(|(of, _)| *of == status);
        vain.any(|(_, at)| now.saturating_duration_since(*at) < pause)
    }
}

/// Asks where a refused secret came from for another one, on a thread of its own: a command may take
/// seconds.
pub(super) async fn another(
    origin: Option<&Arc<Origin>>,
    refused: &Secret,
) -> Result<Option<Secret>, String> {
    let Some(origin) = origin.cloned() else { return Ok(None) };
    let (tell, told) = oneshot::channel();
    let asked = refused.clone();
    std::thread::spawn(move || {
        // The receiver is gone where the program ends.
        let _ = tell.send(origin.instead_of(&asked));
    });
    let secret = told.await.unwrap_or(Ok(None))?;
    Ok(secret.filter(|secret| secret != refused))
}

impl Held {
    fn vain(&mut self, status: u16) {
        self.vain.retain(|(of, _)| *of != status);
        self.vain.push((status, clock::now()));
    }
}
