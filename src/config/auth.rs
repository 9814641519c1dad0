//! `[profiles.NAME.auth]`: a way to a token, or an App's key with a way to its secret.

use std::ops::Range;

use toml::Spanned;
use url::Url;

use crate::domain::Credentials;

use super::keys::{Key, Keys};
use super::source::Source;
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

/// What the example says of the table.
pub(super) const ABOUT: &str = "Where the token comes from: exactly one of the three ways. The token itself never stands here.";
const TOKEN: [Key; 3] = [
    Key::new(
        "token_env",
        "the name of a variable in quotes, as in \"CALLSWEEP_TOKEN\"",
        "The environment variable that holds the token.",
    )
    .shown("\"CALLSWEEP_TOKEN\""),
    Key::new(
        "token_file",
        "a path in quotes, as in \"~/.config/callsweep/acme.token\"",
        "A file of yours that holds the token alone and that nobody else can read (chmod 600). It is \
         read again where the PBX refuses the token.",
    )
    .off("\"~/.config/callsweep/acme.token\""),
    Key::new(
        "token_command",
        "a program and its arguments, as in [\"pass\", \"show\", \"pbx\"]",
        "A program that writes the token to its standard output within ten seconds, with its \
         arguments; no shell is involved and no terminal. It is run again where the PBX refuses the \
         token.",
    )
    .off("[\"pass\", \"show\", \"pbx/acme\"]"),
];
const APP_KEY: Key = Key::new(
    "app_key",
    "the App's key in quotes",
    "Instead of a token, the key of an App that the PBX trusts, with exactly one way to its secret. \
     Tokens are then asked for with them (OAuth, client_credentials) and renewed.",
)
.off("\"the key that the PBX shows for the App\"");
const SECRET: [Key; 3] = [
    Key::new(
        "app_secret_env",
        "the name of a variable in quotes, as in \"CALLSWEEP_APP_SECRET\"",
        "The environment variable that holds the App's secret, or a file or a program as for a token.",
    )
    .off("\"CALLSWEEP_APP_SECRET\""),
    Key::new(
        "app_secret_file",
        "a path in quotes, as in \"~/.config/callsweep/acme.secret\"",
        "",
    )
    .off("\"~/.config/callsweep/acme.secret\""),
    Key::new(
        "app_secret_command",
        "a program and its arguments, as in [\"pass\", \"show\", \"pbx\"]",
        "",
    )
    .off("[\"pass\", \"show\", \"pbx/acme-app\"]"),
];
const TOKEN_URL: Key = Key::new(
    "token_url",
    "an address in quotes, as `callsweep config --print-example` shows",
    "Where tokens are issued: on the PBX of url and nowhere else. Default: url and /oauth/token.php.",
)
.off("\"https://pbx.example.com/oauth/token.php\"");
const REDIRECT_URI: Key = Key::new(
    "redirect_uri",
    "an address in quotes, as `callsweep config --print-example` shows",
    "What a token request names as its return address; the default is misspelt as the vendor's is.",
)
.off("\"https://pbx.example.com/ouath/token.php\"");

/// The three keys of one secret, as written.
#[derive(Default)]
struct Ways {
    variable: Option<Spanned<String>>,
    file: Option<Spanned<String>>,
    command: Option<Spanned<Vec<Spanned<String>>>>,
}

/// The table as written.
pub(super) struct Written {
    token: Ways,
    app_key: Option<Spanned<String>>,
    secret: Ways,
    token_url: Option<Spanned<String>>,
    redirect_uri: Option<Spanned<String>>,
}

impl Ways {
    fn read(keys: &mut Keys<'_>, [variable, file, command]: [Key; 3]) -> Result<Self, ConfigError> {
        Ok(Self {
            variable: keys.text(variable)?,
            file: keys.text(file)?,
            command: keys.texts(command)?,
        })
    }

    /// Where the last of the keys stands: a table of dotted keys has no line of its own.
    fn place(&self) -> Option<Range<usize>> {
        let Self { variable, file, command } = self;
        let places = [
            variable.as_ref().map(Spanned::span),
            file.as_ref().map(Spanned::span),
            command.as_ref().map(Spanned::span),
        ];
        places.into_iter().flatten().max_by_key(|place| place.start)
    }
}

impl Written {
    /// Reads the table.
    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Self, ConfigError> {
        keys.keep_private();
        Ok(Self {
            token: Ways::read(keys, TOKEN)?,
            app_key: keys.text(APP_KEY)?,
            secret: Ways::read(keys, SECRET)?,
            token_url: keys.text(TOKEN_URL)?,
            redirect_uri: keys.text(REDIRECT_URI)?,
        })
    }
}

impl Auth {
    /// A token or an App, and nothing of the other.
    pub(super) fn check(
        source: &Source,
        name: &Spanned<String>,
        around: Option<Range<usize>>,
        written: Written,
        origin: &str,
    ) -> Result<Self, ConfigError> {
        let Some(around) = around else {
            let text = name.get_ref();
            let mistake = format!(
                "[profiles.{text}] has no way to a token: add [profiles.{text}.auth] with {CHOICES}"
            );
            return Err(source.mistake(name.span(), mistake));
        };
        let Written { token, app_key, secret, token_url, redirect_uri } = written;
        let of_app = [
            app_key.as_ref().map(Spanned::span),
            secret.place(),
            token_url.as_ref().map(Spanned::span),
            redirect_uri.as_ref().map(Spanned::span),
        ];
        let of_app = of_app.into_iter().flatten().min_by_key(|place| place.start);
        match (app_key, of_app, token.place()) {
            (_, None, _) => way(source, around, token, Kind::Token).map(Self::Token),
            (_, Some(here), Some(_)) => Err(source.mistake(
                here,
                format!("auth names a token and an App: leave one of {CHOICES}, or app_key with its secret"),
            )),
            (None, Some(here), None) => Err(source.mistake(
                here,
                format!("app_key is missing: write app_key = \"…\" beside one of {SECRETS}"),
            )),
            (Some(key), Some(_), None) => Ok(Self::App {
                key: checked_key(source, &key)?,
                secret: way(source, key.span(), secret, Kind::AppSecret)?,
                token_url: checked_url(source, token_url.as_ref(), origin)?,
                redirect_uri: checked_uri(source, redirect_uri.as_ref(), origin)?,
            }),
        }
    }

    /// Whether a program is asked for the secret.
    pub(super) fn runs_a_command(&self) -> bool {
        let (Self::Token(way) | Self::App { secret: way, .. }) = self;
        matches!(way, Way::Command { .. })
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

/// Exactly one way to a secret.
fn way(
    source: &Source,
    around: Range<usize>,
    written: Ways,
    kind: Kind,
) -> Result<Way, ConfigError> {
    let noun = kind.noun();
    match written {
        Ways { variable: Some(variable), file: None, command: None } => Ok(Way::Variable(variable)),
        Ways { variable: None, file: Some(file), command: None } => Ok(Way::File(file)),
        Ways { variable: None, file: None, command: Some(command) } => {
            let place = command.span();
            let mut words = command.into_inner().into_iter().map(Spanned::into_inner);
            match words.next().filter(|program| !program.is_empty()) {
                Some(program) => Ok(Way::Command { program, arguments: words.collect(), place }),
                None => Err(source.mistake(
                    place,
                    format!(
                        "{}_command names no program: write the program and its arguments, as in \
                         [\"pass\", \"show\", \"pbx\"]",
                        kind.key()
                    ),
                )),
            }
        }
        Ways { variable: None, file: None, command: None } => {
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
            Err(source.mistake(several.place().unwrap_or(around), mistake))
        }
    }
}

/// Never quoted: the secret itself may have been written there.
fn checked_key(source: &Source, written: &Spanned<String>) -> Result<String, ConfigError> {
    let key = written.get_ref();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let mistake = "app_key is empty or holds blanks: write the key that the PBX shows for the \
                       App";
        return Err(source.mistake(written.span(), mistake.to_owned()));
    }
    Ok(key.clone())
}

fn checked_url(
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
fn checked_uri(
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
