//! How the screen is to look, from the file, the environment and the flags.

use std::ffi::OsStr;
use std::time::Duration;

use ratatui::style::Color;

use crate::log::Level;
use crate::looks::{Looks, Palette, QUIET};

use super::keys::{Key, Keys};
use super::source::Source;
use super::{ConfigError, Environment, Flags};

/// How a colour is written.
const COLOUR: &str = "a colour in quotes, as in \"green\", \"light-blue\", \"208\" or \"#ff8700\"";

/// The flag beats the environment beats the file.
pub(super) fn read(
    source: &Source,
    keys: &mut Keys<'_>,
    flags: &Flags,
    environment: &Environment,
) -> Result<Looks, ConfigError> {
    let without = looks_without_file(flags, environment);
    let ascii = keys.switch(
        "ascii",
        false,
        "true: the screen is drawn with nothing but ASCII, as with --ascii.",
    )?;
    let synchronized = keys.switch(
        "synchronized_output",
        true,
        "false: pictures go to the terminal without the brackets of synchronized output, for a \
         terminal that shows them as text.",
    )?;
    let about = "The colours of the screen: a name such as \"green\" or \"light-blue\", a number from 0 \
                 to 255, \"#rrggbb\", or \"default\" for the terminal's own. NO_COLOR and --no-color do \
                 without. Where the terminal has fewer colours, the default takes the place of what \
                 it cannot show. The defaults read on dark and on light ground.";
    let (palette, _) = keys.below("theme", about, |keys| palette(source, keys, environment))?;
    Ok(Looks {
        palette: without.palette.map(|_| shown_by(environment, palette)),
        ascii: without.ascii || ascii,
        synchronized,
    })
}

fn palette(
    source: &Source,
    keys: &mut Keys<'_>,
    environment: &Environment,
) -> Result<Palette, ConfigError> {
    let mut colour = |key: Key, default| {
        let Some(written) = keys.text(key)? else { return Ok(default) };
        // What other programs call the terminal's own colour.
        if written.get_ref() == "default" {
            return Ok(Color::Reset);
        }
        let mistake = |_| source.misfit(written.span(), true, key.name(), COLOUR);
        written.get_ref().parse().map_err(mistake)
    };
    let default = default_palette(environment);
    Ok(Palette {
        focus: colour(
            Key::new(
                "focus",
                COLOUR,
                "The frame of the panel that keys go to. Default: \"30\" of 256 colours, else the \
                 terminal's own.",
            )
            .shown("\"30\""),
            default.focus,
        )?,
        good: colour(
            Key::new(
                "good",
                COLOUR,
                "What went as asked. Default: \"28\" of 256 colours, else the terminal's own.",
            )
            .shown("\"28\""),
            default.good,
        )?,
        warning: colour(
            Key::new(
                "warning",
                COLOUR,
                "What needs care. Default: \"130\" of 256 colours, else \"magenta\".",
            )
            .shown("\"130\""),
            default.warning,
        )?,
        danger: colour(
            Key::new(
                "danger",
                COLOUR,
                "What deletes, and what failed. Default: \"161\" of 256 colours, else \"red\".",
            )
            .shown("\"161\""),
            default.danger,
        )?,
    })
}

/// How the screen looks where no file says it. `NO_COLOR` counts when it is not empty
/// (no-color.org).
pub fn looks_without_file(flags: &Flags, environment: &Environment) -> Looks {
    let no_color = flags.no_color || environment.value("NO_COLOR").is_some();
    let palette = Some(default_palette(environment)).filter(|_| !no_color);
    let ascii = flags.ascii || !is_utf8(environment);
    Looks { palette, ascii, ..Looks::default() }
}

/// Whether the locale has the characters that the screen is drawn with: the first of the variables
/// that is set decides, and none of them is the C locale (POSIX, *Environment Variables*).
fn is_utf8(environment: &Environment) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.value(name));
    let name = locale.map(|value| value.to_string_lossy().to_ascii_lowercase());
    name.is_some_and(|name| name.contains("utf-8") || name.contains("utf8"))
}

/// How long nothing may arrive from the terminal before a question that it shows can be answered.
/// Inside tmux and GNU screen it is longer: they answer before the terminal around them shows it.
pub fn quiet(environment: &Environment) -> Duration {
    let within = ["TMUX", "STY"].into_iter().any(|name| environment.value(name).is_some());
    let term = environment.value("TERM").map(|term| term.to_string_lossy().into_owned());
    let named = term.is_some_and(|term| term.starts_with("tmux") || term.starts_with("screen"));
    if within || named { Duration::from_millis(500) } else { QUIET }
}

/// How much the log is told, as `CALLSWEEP_LOG` says: nothing where it is `off`.
pub fn log_level(environment: &Environment) -> Option<Level> {
    let said = environment.value("CALLSWEEP_LOG").map(OsStr::to_ascii_lowercase);
    match said.as_deref().and_then(|said| said.to_str()) {
        Some("off") => None,
        Some("debug") => Some(Level::Debug),
        Some(_) | None => Some(Level::Info),
    }
}

/// What stands against the interactive program on this terminal, with the remedy.
pub fn terminal_refused(environment: &Environment) -> Option<&'static str> {
    (environment.value("TERM")? == "dumb").then_some(
        "a terminal with TERM=dumb cannot show the screen: set TERM to what it is, as in \
         TERM=xterm callsweep, or see callsweep --help for commands that print",
    )
}

/// How many colours the terminal says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Few,
    Many,
    Every,
}

impl Depth {
    fn of(environment: &Environment) -> Self {
        let holds = |name, words: &[&str]| {
            let value = environment.value(name).map(|value| value.to_string_lossy().into_owned());
            value.is_some_and(|value| words.iter().any(|word| value.contains(word)))
        };
        if holds("COLORTERM", &["truecolor", "24bit"]) || holds("TERM", &["direct"]) {
            Self::Every
        } else if holds("TERM", &["256color"]) {
            Self::Many
        } else {
            Self::Few
        }
    }

    fn has(self, color: Color) -> bool {
        let beyond_sixteen = matches!(color, Color::Indexed(16..));
        let mixed = matches!(color, Color::Rgb(..));
        (self == Self::Every || !mixed) && (self >= Self::Many || !beyond_sixteen)
    }
}

fn default_palette(environment: &Environment) -> Palette {
    match Depth::of(environment) {
        Depth::Few => Palette::FEW,
        Depth::Many | Depth::Every => Palette::MANY,
    }
}

/// The default takes the place of a colour that the terminal does not say it has.
fn shown_by(environment: &Environment, palette: Palette) -> Palette {
    let (depth, default) = (Depth::of(environment), default_palette(environment));
    let shown = |color, default| if depth.has(color) { color } else { default };
    Palette {
        focus: shown(palette.focus, default.focus),
        good: shown(palette.good, default.good),
        warning: shown(palette.warning, default.warning),
        danger: shown(palette.danger, default.danger),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().copied().collect()
    }

    #[test]
    fn without_utf_8_in_the_locale_the_screen_is_ascii() {
        for (variables, ascii) in [
            (&[][..], true),
            (&[("LANG", "C")], true),
            (&[("LANG", "en_US.UTF-8")], false),
            (&[("LC_CTYPE", "C.utf8"), ("LANG", "C")], false),
            (&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")], true),
            (&[("LC_ALL", ""), ("LANG", "de_DE.utf-8")], false),
            (&[("LC_CTYPE", "de_DE.ISO-8859-1"), ("LANG", "de_DE.UTF-8")], true),
        ] {
            let looks = looks_without_file(&Flags::default(), &environment(variables));
            assert_eq!(looks.ascii, ascii, "{variables:?}");
        }
    }

    #[test]
    fn a_question_takes_longer_where_a_multiplexer_answers_for_the_terminal() {
        for (variables, millis) in [
            (&[("TERM", "xterm-256color")][..], 200),
            (&[("TERM", "screen.xterm")], 500),
            (&[("TERM", "tmux-256color")], 500),
            (&[("TERM", "xterm"), ("STY", "1.pts")], 500),
            (&[("TERM", "xterm"), ("TMUX", "/tmp/x")], 500),
        ] {
            assert_eq!(quiet(&environment(variables)), Duration::from_millis(millis));
        }
    }
}
