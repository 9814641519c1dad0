//! The kinds of runs, and what each does to events: whatever is said of one stands in its row, and
//! every other file asks here.

use serde::{Deserialize, Serialize};

use crate::domain::{Change, Status, Success, Work};

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Deletes events.
    Delete,
    /// Changes fields of events.
    Change,
    /// Gives back events that another run deleted, or values that it changed.
    Undo,
    /// Keeps events in a file and changes nothing.
    Backup,
}

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

impl Kind {
    /// Its name, the heading of its receipts, its usual deed, and what a call of it comes to that
    /// works, where it has any.
    fn row(self) -> (&'static str, &'static str, Deed, Option<Success>) {
        use Success::{Changed, Deleted, Restored};
        match self {
            Self::Delete => {
                ("delete", "deletion of phone call events", Deed::Delete, Some(Deleted))
            }
            Self::Change => ("change", "change of phone call events", Deed::Repoint, Some(Changed)),
            Self::Undo => ("undo", "undo of a run", Deed::Recreate, Some(Restored)),
            Self::Backup => ("backup", "backup of phone call events", Deed::Keep, None),
        }
    }

    /// The word for it, in run files, machine output and for people.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What a receipt of it is called.
    pub fn heading(self) -> &'static str {
        self.row().1
    }

    /// What a call of it comes to that works; of what has no calls, what is there by a loss.
    pub fn success(self) -> Success {
        self.row().3.unwrap_or(Success::Deleted)
    }

    /// Whether its calls do this to events.
    pub fn is(self, work: Work) -> bool {
        self.row().3.is_some_and(|success| success.is(work))
    }

    /// Whether it has no calls and only keeps events in a file: nothing is left to be done with them.
    pub fn keeps(self) -> bool {
        self.row().3.is_none()
    }
}

impl Deed {
    /// The kind of a run that does it, whether it writes fields of events that are there, and its
    /// words: *delete*, *deletes*, *deleting*, *deleted*.
    fn row(self) -> (Kind, bool, [&'static str; 4]) {
        use Kind::{Backup, Change, Delete, Undo};
        match self {
            Self::Delete => (Delete, false, ["delete", "deletes", "deleting", "deleted"]),
            Self::Disable => (Change, true, ["disable", "disables", "disabling", "disabled"]),
            Self::Enable => (Change, true, ["enable", "enables", "enabling", "enabled"]),
            Self::Repoint => (Change, true, ["re-point", "re-points", "re-pointing", "re-pointed"]),
            Self::Recreate => {
                (Undo, false, ["re-create", "re-creates", "re-creating", "re-created"])
            }
            Self::WriteBack => {
                (Undo, true, ["write back", "writes back", "writing back", "written back"])
            }
            Self::Keep => (Backup, false, ["keep", "keeps", "keeping", "kept"]),
        }
    }

    /// What a run of this kind does that makes these changes of fields; only some kinds have any.
    pub(super) fn of<'a>(kind: Kind, changes: impl Iterator<Item = &'a Change>) -> Self {
        let (usual, mut changes) = (kind.row().2, changes.peekable());
        if usual == Self::Repoint {
            return Self::of_changes(changes);
        }
        let writes_back = usual == Self::Recreate && changes.peek().is_some();
        if writes_back { Self::WriteBack } else { usual }
    }

    /// What changes of these fields come to.
    fn of_changes<'a>(changes: impl Iterator<Item = &'a Change>) -> Self {
        let mut deeds = changes.map(|change| match change.status {
            Some(Status::Disabled) => Self::Disable,
            Some(Status::Enabled) => Self::Enable,
            Some(Status::Other(_)) | None => Self::Repoint,
        });
        let first = deeds.next().unwrap_or(Self::Repoint);
        if deeds.all(|deed| deed == first) { first } else { Self::Repoint }
    }

    /// The kind of a run that does it.
    pub(super) fn kind(self) -> Kind {
        self.row().0
    }

    /// Whether it writes fields of events that are there.
    pub fn writes_fields(self) -> bool {
        self.row().1
    }

    /// `delete`.
    pub fn verb(self) -> &'static str {
        let [verb, ..] = self.row().2;
        verb
    }

    /// `deletes`.
    pub fn does(self) -> &'static str {
        let [_, does, ..] = self.row().2;
        does
    }

    /// `deleting`.
    pub fn doing(self) -> &'static str {
        let [.., doing, _] = self.row().2;
        doing
    }

    /// `deleted`.
    pub fn done(self) -> &'static str {
        let [.., done] = self.row().2;
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Word;

    #[test]
    fn every_kind_is_called_as_run_files_have_it_and_what_comes_of_it_is_counted() {
        // The refusal of another word names all that there are.
        let refused = serde_json::from_value::<Kind>("another".into()).unwrap_err().to_string();
        let names: Vec<&str> = refused.split('`').skip(3).step_by(2).collect();
        assert_eq!(names.first(), Some(&"delete"), "{refused}");
        for name in names {
            let kind: Kind = serde_json::from_value(name.into()).unwrap();
            assert_eq!(kind.name(), name);
            assert!(Word::all().any(|word| word == kind.success().into()), "{name}");
            assert_eq!(kind.row().2.kind(), kind);
        }
    }
}
