//! The token endpoint: an App's key and secret in, a token of limited life out.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use url::form_urlencoded;

use super::answer::{Answer, Request};
use super::world::World;

/// Who may ask for tokens, and the tokens that are good.
#[derive(Debug, Clone)]
pub(super) struct OAuth {
    key: String,
    secret: String,
    lifetime_s: u32,
    count: u64,
    /// What nobody can guess of an issued token.
    salt: String,
    good: Vec<String>,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            key: "callsweep-app".to_owned(),
            secret: "callsweep-app-secret".to_owned(),
            lifetime_s: 3600,
            count: 0,
            salt: String::new(),
            good: Vec::new(),
        }
    }
}

impl OAuth {
    /// Whether this token was issued and not taken back.
    pub(super) fn admits(&self, token: &str) -> bool {
        self.good.iter().any(|good| good == token)
    }

    /// Whether a target is the token endpoint, which lies outside the base path.
    pub(super) fn is_asked(target: &str) -> bool {
        target.split('?').next() == Some("/oauth/token.php")
    }

    /// A new token for the App.
    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        if request.method != "POST" {
            return Answer::empty(405);
        }
        let field = |name: &str| {
            let found = form_urlencoded::parse(&request.body).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        if field("client_id") != self.key || field("client_secret") != self.secret {
            return Answer::json(401, &json!({ "error": "invalid_client" }));
        }
        if field("grant_type") != "client_credentials" {
            return Answer::json(400, &json!({ "error": "unsupported_grant_type" }));
        }
        self.count += 1;
        let token = format!("1|issued~{}{}|1", self.count, self.salt);
        self.good.push(token.clone());
        let lifetime = self.lifetime_s;
        let body = json!({ "access_token": token, "expires_in": lifetime, "token_type": "Bearer" });
        Answer::json(200, &body)
    }
}

impl World {
    /// The App that may ask for tokens: its key and its secret.
    pub fn app(&self) -> (&str, &str) {
        (&self.oauth.key, &self.oauth.secret)
    }

    /// Gives the App another key and secret; tokens of the old one go.
    pub fn set_app(&mut self, key: &str, secret: &str) {
        key.clone_into(&mut self.oauth.key);
        secret.clone_into(&mut self.oauth.secret);
        self.expire_tokens();
    }

    /// Gives the world a token, and its App a secret, that nobody can guess.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn make_secrets(&mut self) -> io::Result<()> {
        let key = self.oauth.key.clone();
        self.set_token(&unguessable()?);
        self.set_app(&key, &unguessable()?);
        self.oauth.salt = unguessable()?;
        Ok(())
    }

    /// What tokens say of their lifetime. They end by [`World::expire_tokens`] alone.
    pub fn set_token_lifetime(&mut self, seconds: u32) {
        self.oauth.lifetime_s = seconds;
    }

    /// Every issued token is worthless from now on; the fixed one stays good.
    pub fn expire_tokens(&mut self) {
        self.oauth.good.clear();
    }
}

/// Letters and digits that nobody can guess.
fn unguessable() -> io::Result<String> {
    let mut bytes = [0; 24];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|error| io::Error::other(format!("{error:?}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
