//! A file of extension numbers: what an operator exports from elsewhere, a number a line.
//!
//! Every line that is not understood is a mistake with its place: a number that is passed over
//! in silence would be an extension that nobody cleans up.

use std::io;

use toml::Spanned;

use super::source::Source;
use super::{ConfigError, Environment, shown};
use crate::domain::Extension;
use crate::origins::read_named;

/// Reads the file that `extensions_file` names: a number begins a line and ends at white space, a
/// comma or a semicolon; what follows is a remark. `#` begins a comment, empty lines are nothing.
pub(super) fn read(
    source: &Source,
    written: &Spanned<String>,
    environment: &Environment,
) -> Result<Vec<Extension>, ConfigError> {
    let path = source.located("extensions_file", written, environment)?;
    let unusable = |why: &str| {
        let what = format!(
            "extensions_file {} {why}: name a readable text file, or leave the key out",
            shown(&path)
        );
        source.mistake(written.span(), what)
    };
    let unreadable = |error| unusable(&format!("cannot be read ({error})"));
    let text = read_named(&path).map_err(unreadable)?;
    let text = String::from_utf8(text).map_err(|error| unreadable(io::Error::other(error)))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut numbers = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let is_end = |character: char| character.is_whitespace() || ",;".contains(character);
        let Some(number) = line.split(is_end).next().filter(|number| !number.is_empty()) else {
            continue;
        };
        let number = Extension::typed(number.trim_matches('"')).map_err(|refused| {
            let mistake = refused.to_string();
            ConfigError::Mistake { file: path.clone(), line: place + 1, mistake }
        })?;
        numbers.push(number);
    }
    Ok(numbers)
}
