//! `[profiles.NAME.auth]`: a way to a token, or an App's key with a way to its secret.

use std::ops::Range;

use toml::Spanned;
use url::Url;

use crate::domain::Credentials;

use super::source::{self, Source};
use super::token::{self, Kind, Way};
use super::{ConfigError, Environment};

const CHOICES: &str = "token_env, token_file or token_command";
const SECRETS: &str = "app_secret_env, app_secret_file or app_secret_command";

/// What a profile says, checked as far as the file goes.
#[derive(Debug)]
pub(super) enum Auth {
    Token(Way),
    App { key: String, secret: Way, token_url: String, redirect_uri: String },
}

/// The three keys of one secret, as written.
type Written<'a> =
    (Option<&'a Spanned<String>>, Option<&'a Spanned<String>>, Option<&'a Spanned<Vec<String>>>);

impl Auth {
    /// A token or an App, and nothing of the other.
    pub(super) fn check(
        source: &Source,
        name: &Spanned<String>,
        auth: Option<&Spanned<source::Auth>>,
        origin: &str,
    ) -> Result<Self, ConfigError> {
        let Some(auth) = auth else {
            let text = name.get_ref();
            let mistake = format!(
                "[profiles.{text}] has no way to a token: add [profiles.{text}.auth] with {CHOICES}"
            );
            return Err(source.mistake(name.span(), mistake));
        };
        let keys = auth.get_ref();
        let token =
            (keys.token_env.as_ref(), keys.token_file.as_ref(), keys.token_command.as_ref());
        let secret = (
            keys.app_secret_env.as_ref(),
            keys.app_secret_file.as_ref(),
            keys.app_secret_command.as_ref(),
        );
        let of_app = [
            keys.app_key.as_ref().map(Spanned::span),
            place(secret),
            keys.token_url.as_ref().map(Spanned::span),
            keys.redirect_uri.as_ref().map(Spanned::span),
        ];
        let of_app = of_app.into_iter().flatten().min_by_key(|place| place.start);
        match (&keys.app_key, of_app, place(token)) {
            (_, None, _) => way(source, auth.span(), token, Kind::Token).map(Self::Token),
            (_, Some(here), Some(_)) => Err(source.mistake(
                here,
                format!("auth names a token and an App: leave one of {CHOICES}, or app_key with its secret"),
            )),
            (None, Some(here), None) => Err(source.mistake(
                here,
                format!("app_key is missing: write app_key = \"…\" beside one of {SECRETS}"),
            )),
            (Some(key), Some(_), None) => Ok(Self::App {
                key: app_key(source, key)?,
                secret: way(source, key.span(), secret, Kind::AppSecret)?,
                token_url: token_url(source, keys.token_url.as_ref(), origin)?,
                redirect_uri: redirect_uri(source, keys.redirect_uri.as_ref(), origin)?,
            }),
        }
    }

    /// The environment variable that holds a secret, where one does.
    pub(super) fn variable(&self) -> Option<String> {
        let (Self::Token(way) | Self::App { secret: way, .. }) = self;
        match way {
            Way::Variable(name) => Some(name.get_ref().clone()),
            Way::File(_) | Way::Command { .. } => None,
        }
    }

    /// Gets the secret.
    pub(super) fn resolve(
        &self,
        source: &Source,
        environment: &Environment,
        inherited: &Environment,
    ) -> Result<Credentials, ConfigError> {
        match self {
            Self::Token(way) => token::resolve(way, Kind::Token, source, environment, inherited)
                .map(Credentials::Token),
            Self::App { key, secret, token_url, redirect_uri } => Ok(Credentials::App {
                key: key.clone(),
                secret: token::resolve(secret, Kind::AppSecret, source, environment, inherited)?,
                token_url: token_url.clone(),
                redirect_uri: redirect_uri.clone(),
            }),
        }
    }
}

/// Where the last of the keys stands: a table of dotted keys has no line of its own.
fn place((variable, file, command): Written<'_>) -> Option<Range<usize>> {
    let places = [variable.map(Spanned::span), file.map(Spanned::span), command.map(Spanned::span)];
    places.into_iter().flatten().max_by_key(|place| place.start)
}

/// Exactly one way to a secret.
fn way(
    source: &Source,
    around: Range<usize>,
    written: Written<'_>,
    kind: Kind,
) -> Result<Way, ConfigError> {
    let noun = kind.noun();
    match written {
        (Some(variable), None, None) => Ok(Way::Variable(variable.clone())),
        (None, Some(file), None) => Ok(Way::File(file.clone())),
        (None, None, Some(command)) => match command.get_ref().split_first() {
            Some((program, arguments)) if !program.is_empty() => Ok(Way::Command {
                program: program.clone(),
                arguments: arguments.to_vec(),
                place: command.span(),
            }),
            _ => Err(source.mistake(
                command.span(),
                format!(
                    "{}_command names no program: write the program and its arguments, as in \
                     [\"pass\", \"show\", \"pbx\"]",
                    kind.key()
                ),
            )),
        },
        (None, None, None) => {
            let (to, choices) = match kind {
                Kind::Token => ("a token", CHOICES),
                Kind::AppSecret => ("the secret of app_key", SECRETS),
            };
            let mistake = format!("auth names no way to {to}: write one of {choices}");
            Err(source.mistake(around, mistake))
        }
        several => {
            let choices = if matches!(kind, Kind::Token) { CHOICES } else { SECRETS };
            let mistake =
                format!("auth names more than one way to the {noun}: leave one of {choices}");
            Err(source.mistake(place(several).unwrap_or(around), mistake))
        }
    }
}

/// Never quoted: somebody may have written the secret there.
fn app_key(source: &Source, written: &Spanned<String>) -> Result<String, ConfigError> {
    let key = written.get_ref();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let mistake = "app_key is empty or holds blanks: write the key that the PBX shows for the \
                       App";
        return Err(source.mistake(written.span(), mistake.to_owned()));
    }
    Ok(key.clone())
}

fn token_url(
    source: &Source,
    written: Option<&Spanned<String>>,
    origin: &str,
) -> Result<String, ConfigError> {
    let Some(written) = written else {
        return Ok(format!("{origin}/oauth/token.php"));
    };
    let text = written.get_ref();
    let plain = |url: &Url| {
        url.origin().ascii_serialization() == origin
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    match Url::parse(text).ok().filter(plain) {
        Some(url) => Ok(url.into()),
        None => Err(source.mistake(
            written.span(),
            format!(
                "token_url is not a plain address below {origin}, and the secret is sent to the \
                 origin of url only: write it like {origin}/oauth/token.php, or leave it out"
            ),
        )),
    }
}

/// The default is misspelt as the vendor's own client misspells it, on purpose.
fn redirect_uri(
    source: &Source,
    written: Option<&Spanned<String>>,
    origin: &str,
) -> Result<String, ConfigError> {
    let Some(written) = written else {
        return Ok(format!("{origin}/ouath/token.php"));
    };
    let text = written.get_ref();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let mistake = "redirect_uri is empty or holds blanks: write an address, or leave it out";
        return Err(source.mistake(written.span(), mistake.to_owned()));
    }
    Ok(text.clone())
}
