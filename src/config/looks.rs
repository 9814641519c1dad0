//! How the screen is to look, from the file, the environment and the flags.

use std::time::Duration;

use ratatui::style::Color;
use toml::Spanned;

use crate::looks::{Looks, Palette, QUIET};

use super::source::{COLOURS, Document, Source};
use super::{ConfigError, Environment, Flags};

/// The flag beats the environment beats the file.
pub(super) fn looks(
    source: &Source,
    document: &Document,
    flags: &Flags,
    environment: &Environment,
) -> Result<Looks, ConfigError> {
    let color = |key, written: &Option<Spanned<String>>, default| match written {
        None => Ok(default),
        // What other programs call the terminal's own colour.
        Some(written) if written.get_ref() == "default" => Ok(Color::Reset),
        Some(written) => written.get_ref().parse::<Color>().map_err(|_| {
            let mistake = format!("{key} = {:?} is no colour: write {COLOURS}", written.get_ref());
            source.mistake(written.span(), mistake)
        }),
    };
    let (theme, default) = (&document.theme, default_palette(environment));
    let palette = Palette {
        focus: color("focus", &theme.focus, default.focus)?,
        good: color("good", &theme.good, default.good)?,
        warning: color("warning", &theme.warning, default.warning)?,
        danger: color("danger", &theme.danger, default.danger)?,
    };
    let without = looks_without_file(flags, environment);
    Ok(Looks {
        palette: without.palette.map(|_| shown_by(environment, palette)),
        ascii: without.ascii || document.ascii,
        synchronized: document.synchronized_output.unwrap_or(true),
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
