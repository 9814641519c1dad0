//! How the screen is to look, from the file, the environment and the flags.

use ratatui::style::Color;
use toml::Spanned;

use crate::looks::{Looks, Palette};

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
    let (theme, default) = (&document.theme, Palette::DEFAULT);
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
    let palette = Some(Palette::DEFAULT).filter(|_| !no_color);
    Looks { palette, ascii: flags.ascii, ..Looks::default() }
}

/// What stands against the interactive program on this terminal, with the remedy.
pub fn terminal_refused(environment: &Environment) -> Option<&'static str> {
    (environment.value("TERM")? == "dumb").then_some(
        "a terminal with TERM=dumb cannot show the screen: set TERM to what it is, as in \
         TERM=xterm callsweep, or see callsweep --help for commands that print",
    )
}

/// The default takes the place of a colour that the terminal does not say it has.
fn shown_by(environment: &Environment, palette: Palette) -> Palette {
    let holds = |name, words: &[&str]| {
        let value = environment.value(name).map(|value| value.to_string_lossy().into_owned());
        value.is_some_and(|value| words.iter().any(|word| value.contains(word)))
    };
    let every = holds("COLORTERM", &["truecolor", "24bit"]) || holds("TERM", &["direct"]);
    let many = every || holds("TERM", &["256color"]);
    let has = |color| {
        let beyond_sixteen = matches!(color, Color::Indexed(16..));
        let mixed = matches!(color, Color::Rgb(..));
        (every || !mixed) && (many || !beyond_sixteen)
    };
    let shown = |color, default| if has(color) { color } else { default };
    let default = Palette::DEFAULT;
    Palette {
        focus: shown(palette.focus, default.focus),
        good: shown(palette.good, default.good),
        warning: shown(palette.warning, default.warning),
        danger: shown(palette.danger, default.danger),
    }
}
