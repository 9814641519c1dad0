//! What in the rows themselves keeps a listing from being complete.

use super::super::EventKey;

/// Rows named in words; of more it is said that there are others.
const NAMED: usize = 3;

/// Type and id of a row.
pub(super) type Key = (u16, Box<str>);

/// Rows that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Noted {
    rows: usize,
    first: Vec<Key>,
}

/// What is wrong with the rows of a listing, where anything is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Faults {
    /// Rows that cannot be used, beyond those that are kept.
    pub(super) more_odd: usize,
    /// Rows with bytes that are no text.
    pub(super) unreadable: Noted,
    /// Rows that another one repeats letter by letter.
    pub(super) repeated: Noted,
    /// Rows that cannot be used as another has their key and another content.
    pub(super) disputed_rows: usize,
    /// The keys of those, each once, in order.
    pub(super) disputed: Vec<Key>,
}

impl Noted {
    /// One more, with its key if it has one.
    pub(super) fn add(&mut self, key: Option<Key>) {
        self.rows += 1;
        if self.first.len() <= NAMED {
            self.first.extend(key);
        }
    }
}

impl Faults {
    /// Whether more than one content is listed under this key.
    pub(super) fn disputes(&self, key: &EventKey) -> bool {
        let named = |(event_type, id): &Key| {
            *event_type == key.event_type.number() && **id == *key.id.as_str()
        };
        self.disputed.iter().any(named)
    }

    /// A sentence for each, the first rows by their names. `odd` is how many rows cannot be used.
    pub(super) fn in_words(&self, odd: usize) -> impl Iterator<Item = String> {
        let odd = odd.saturating_sub(self.disputed_rows);
        let Self { unreadable, repeated, disputed, .. } = self;
        let said = [
            said(odd, &[], ["row cannot be used", "rows cannot be used"]),
            said(
                disputed.len(),
                disputed,
                [
                    "event is listed twice with different contents",
                    "events are listed twice with different contents",
                ],
            ),
            said(repeated.rows, &repeated.first, ["row is listed twice", "rows are listed twice"]),
            said(
                unreadable.rows,
                &unreadable.first,
                ["row holds bytes that are no text", "rows hold bytes that are no text"],
            ),
        ];
        said.into_iter().flatten()
    }
}

/// So many of them, by their names.
fn said(rows: usize, keys: &[Key], [one, more]: [&str; 2]) -> Option<String> {
    let what = if rows == 1 { one } else { more };
    let names = keys.iter().take(NAMED).map(|(event_type, id)| format!("{event_type}/{id}"));
    let names = names.collect::<Vec<_>>().join(", ");
    let others = if keys.len() > NAMED { " and others" } else { "" };
    let names = if names.is_empty() { names } else { format!(": {names}{others}") };
    (rows > 0).then(|| format!("{rows} {what}{names}"))
}
