//! What is done to events, in the words of every place that says it.

use crate::domain::{Change, Status};

/// What is done to events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The events are deleted.
    Delete,
    /// The events are kept and switched off.
    Disable,
    /// The events are switched on.
    Enable,
    /// The events get other URLs.
    Repoint,
    /// The events are created again.
    Recreate,
    /// The events get their old values back.
    WriteBack,
    /// The events are kept in a file.
    Keep,
}

impl Deed {
    /// What changes of these fields come to.
    pub(super) fn of_changes<'a>(changes: impl Iterator<Item = &'a Change>) -> Self {
        let mut deeds = changes.map(|change| match change.status {
            Some(Status::Disabled) => Self::Disable,
            Some(Status::Enabled) => Self::Enable,
            Some(Status::Other(_)) | None => Self::Repoint,
        });
        let first = deeds.next().unwrap_or(Self::Repoint);
        if deeds.all(|deed| deed == first) { first } else { Self::Repoint }
    }

    /// `delete`.
    pub fn verb(self) -> &'static str {
        let [verb, ..] = self.words();
        verb
    }

    /// `deletes`.
    pub fn does(self) -> &'static str {
        let [_, does, ..] = self.words();
        does
    }

    /// `deleting`.
    pub fn doing(self) -> &'static str {
        let [.., doing, _] = self.words();
        doing
    }

    /// `deleted`.
    pub fn done(self) -> &'static str {
        let [.., done] = self.words();
        done
    }

    fn words(self) -> [&'static str; 4] {
        match self {
            Self::Delete => ["delete", "deletes", "deleting", "deleted"],
            Self::Disable => ["disable", "disables", "disabling", "disabled"],
            Self::Enable => ["enable", "enables", "enabling", "enabled"],
            Self::Repoint => ["re-point", "re-points", "re-pointing", "re-pointed"],
            Self::Recreate => ["re-create", "re-creates", "re-creating", "re-created"],
            Self::WriteBack => ["write back", "writes back", "writing back", "written back"],
            Self::Keep => ["keep", "keeps", "keeping", "kept"],
        }
    }
}
