//! `[keys]`: which keys the operator gives to which actions, with every mistake at its line.

use std::ops::Range;

use crate::keys::{ACTIONS, Action, Keymap, Keys as Sequence, Refused};

use super::ConfigError;
use super::keys::Keys;
use super::source::Source;

/// How the keys of an action are written.
const FORM: &str = "a key in quotes, as in \"d\" or \"ctrl-d\", or several between brackets";

const ABOUT: &str = "Other keys for what can be done, by the names that ? and `callsweep man` list: one \
                     key or several, as in delete = \"D\" or mark = [\"space\", \"insert\"]; [] for none. \
                     y, n, Esc, ctrl-c and Enter in questions stay what they are. Default: the keys that \
                     ? lists.";

/// The keys in force, or the first line of the file that cannot be.
pub(super) fn read(source: &Source, keys: &mut Keys<'_>) -> Result<Keymap, ConfigError> {
    let (mut changes, _) = keys.below("keys", ABOUT, |keys| {
        let changes = ACTIONS.iter().map(|action| change(source, keys, action));
        changes.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
    })?;
    changes.sort_by_key(|(place, _)| place.start);
    let (places, changes): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
    Keymap::with(&changes).map_err(|Refused { change, why }| {
        source.mistake(places.get(change).cloned().unwrap_or_default(), why)
    })
}

type Change = (Range<usize>, (&'static Action, Vec<Sequence>));

fn change(
    source: &Source,
    keys: &mut Keys<'_>,
    action: &'static Action,
) -> Result<Option<Change>, ConfigError> {
    let Some(texts) = keys.one_or_several(action.name, FORM)? else { return Ok(None) };
    let place = texts.span();
    let read: Result<Vec<_>, _> =
        texts.get_ref().iter().map(|text| Sequence::parse(text)).collect();
    let refused = |refused| source.mistake(place.clone(), format!("{}: {refused}", action.name));
    let read = read.map_err(refused)?;
    Ok(Some((place, (action, read))))
}
