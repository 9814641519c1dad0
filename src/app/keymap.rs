//! The one table of keys: key, command and help in one row. Lookup, help and hints all read it.

use super::{Command, Key, Motion, Panel};

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Panels, no question open.
    Browse,
    /// The review of a deletion.
    Review,
    /// The review of an undo.
    Undo,
    /// The question whether to leave during a run.
    Leave,
    /// The page of keys.
    Help,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it holds.
    pub context: Context,
    /// The keys, each a sequence of one key or more separated by spaces.
    pub keys: &'static [&'static str],
    /// What they ask for.
    pub command: Command,
    /// The help line.
    pub help: &'static str,
    /// The word in the hint line, for the few that stand there.
    pub hint: &'static str,
}

const fn row(
    context: Context,
    keys: &'static [&'static str],
    command: Command,
    help: &'static str,
    hint: &'static str,
) -> Binding {
    Binding { context, keys, command, help, hint }
}

use Context::{Browse, Help, Leave, Review, Undo};

/// Every key of the program. Within a context a key stands once.
#[rustfmt::skip] // a row a line, so that it reads as the table that it is
pub const BINDINGS: &[Binding] = &[
    row(Browse, &["space"], Command::Mark, "mark or unmark the row, step down; on a type or an extension all of its events", "mark"),
    row(Browse, &["a"], Command::MarkType, "mark every visible event of the type under the cursor", "type"),
    row(Browse, &["A"], Command::MarkVisible, "mark all visible rows", "all"),
    row(Browse, &["i"], Command::InvertVisible, "invert the marks of the visible rows", ""),
    row(Browse, &["T"], Command::MarkByExpression, "mark by expression in every loaded extension; - as its first character unmarks, behind a blank it negates", ""),
    row(Browse, &["L"], Command::LoadAndMark, "after T: load the extensions that are not loaded, and mark there too", ""),
    row(Browse, &["U"], Command::UnmarkAll, "unmark everything", "unmark"),
    row(Browse, &["d"], Command::ReviewDeletion, "review the deletion of the marks; with none, of the row under the cursor", "delete"),
    row(Browse, &["p"], Command::Pause, "during a run: pause, or go on", ""),
    row(Browse, &["r"], Command::RetryFailed, "after a run: review what failed and is still marked", ""),
    row(Browse, &["z"], Command::ReviewUndo, "after a run: review making again what it took", ""),
    row(Browse, &["E"], Command::WriteReceipt, "after a run or an undo: write a receipt, masked while m is on", ""),
    row(Browse, &["/"], Command::EditFilter, "filter the panel; Esc in the panel clears it", "filter"),
    row(Browse, &["y"], Command::Copy, "copy the row under the cursor (Events, Status, Marked)", ""),
    row(Browse, &["Y"], Command::CopyAll, "copy all rows of the panel (Events, Status, Marked)", ""),
    row(Browse, &["m"], Command::ToggleMask, "mask numbers, labels, hosts and notes, or show them", ""),
    row(Browse, &["R"], Command::ReadAgain, "read again from the service; marks stay", "read again"),
    row(Browse, &["j", "down"], Command::Move(Motion::Down), "down", ""),
    row(Browse, &["k", "up"], Command::Move(Motion::Up), "up", ""),
    row(Browse, &["g g", "home"], Command::Move(Motion::First), "first row", ""),
    row(Browse, &["G", "end"], Command::Move(Motion::Last), "last row", ""),
    row(Browse, &["ctrl-d", "pagedown"], Command::Move(Motion::PageDown), "half a page down (never deletes)", ""),
    row(Browse, &["ctrl-u", "pageup"], Command::Move(Motion::PageUp), "half a page up", ""),
    row(Browse, &["l", "right"], Command::Open, "open the group, or go into the extension", ""),
    row(Browse, &["h", "left"], Command::Close, "close the group, or go back to the extensions", ""),
    row(Browse, &["enter"], Command::Enter, "on an extension go to its events; on a type open or close it", ""),
    row(Browse, &["tab"], Command::NextPanel, "next panel", ""),
    row(Browse, &["backtab"], Command::PreviousPanel, "previous panel", ""),
    row(Browse, &["1"], Command::Focus(Panel::Extensions), "Extensions", ""),
    row(Browse, &["2"], Command::Focus(Panel::Events), "Events", ""),
    row(Browse, &["3"], Command::Focus(Panel::Status), "Status", ""),
    row(Browse, &["4"], Command::Focus(Panel::Marked), "Marked", ""),
    row(Browse, &["5"], Command::Focus(Panel::Calls), "Calls", ""),
    row(Browse, &["esc"], Command::Escape, "during a run: stop after what is in flight; else clear the filter, go back", ""),
    row(Browse, &["q"], Command::Quit, "back, then quit (asks during a run)", "quit"),
    row(Browse, &["?", "f1"], Command::Help, "these keys", "help"),
    row(Browse, &["ctrl-c"], Command::Interrupt, "as Esc; twice within a second leaves", ""),
    row(Browse, &["ctrl-l"], Command::Redraw, "paint the screen again", ""),
    row(Browse, &["ctrl-z"], Command::Suspend, "suspend; fg in the shell goes on, a run too", ""),
    row(Review, &["y"], Command::Confirm, "delete: send these calls", "DELETE"),
    row(Review, &["n", "esc", "q"], Command::Cancel, "cancel; the marks stay", "cancel"),
    row(Review, &["enter"], Command::Nothing, "nothing, on purpose", ""),
    row(Review, &["t"], Command::ChangeForm, "next call form that the profile allows", "call form"),
    row(Review, &["s"], Command::Simulate, "simulate: go through these calls and send none; the marks stay", "simulate"),
    row(Review, &["c"], Command::Copy, "copy the calls as curl lines; the token is not in them", "copy"),
    row(Review, &["+"], Command::AddDrifted, "add what changed or appeared since it was marked, as it is now", ""),
    row(Review, &["j", "down"], Command::Move(Motion::Down), "scroll down", "scroll"),
    row(Review, &["k", "up"], Command::Move(Motion::Up), "scroll up", ""),
    row(Review, &["ctrl-d", "pagedown"], Command::Move(Motion::PageDown), "scroll half a page down", ""),
    row(Review, &["ctrl-u", "pageup"], Command::Move(Motion::PageUp), "scroll half a page up", ""),
    row(Review, &["home"], Command::Move(Motion::First), "scroll to the first call", ""),
    row(Review, &["end"], Command::Move(Motion::Last), "scroll to the last call", ""),
    row(Review, &["m"], Command::ToggleMask, "mask, or show again", ""),
    row(Review, &["ctrl-c"], Command::Interrupt, "cancel; twice within a second leaves", ""),
    row(Review, &["ctrl-l"], Command::Redraw, "paint the screen again", ""),
    row(Review, &["ctrl-z"], Command::Suspend, "suspend; fg in the shell goes on, a run too", ""),
    row(Undo, &["y"], Command::Confirm, "make these events again", "MAKE AGAIN"),
    row(Undo, &["n", "esc", "q"], Command::Cancel, "cancel", "cancel"),
    row(Undo, &["enter"], Command::Nothing, "nothing, on purpose", ""),
    row(Undo, &["j", "down"], Command::Move(Motion::Down), "scroll down", "scroll"),
    row(Undo, &["k", "up"], Command::Move(Motion::Up), "scroll up", ""),
    row(Undo, &["ctrl-d", "pagedown"], Command::Move(Motion::PageDown), "scroll half a page down", ""),
    row(Undo, &["ctrl-u", "pageup"], Command::Move(Motion::PageUp), "scroll half a page up", ""),
    row(Undo, &["home"], Command::Move(Motion::First), "scroll to the first call", ""),
    row(Undo, &["end"], Command::Move(Motion::Last), "scroll to the last call", ""),
    row(Undo, &["m"], Command::ToggleMask, "mask, or show again", ""),
    row(Undo, &["ctrl-c"], Command::Interrupt, "cancel; twice within a second leaves", ""),
    row(Undo, &["ctrl-l"], Command::Redraw, "paint the screen again", ""),
    row(Undo, &["ctrl-z"], Command::Suspend, "suspend; fg in the shell goes on, a run too", ""),
    row(Leave, &["y"], Command::Confirm, "stop after what is in flight, then leave", "stop and leave"),
    row(Leave, &["n", "esc", "q"], Command::Cancel, "stay", "stay"),
    row(Leave, &["enter"], Command::Nothing, "nothing, on purpose", ""),
    row(Leave, &["m"], Command::ToggleMask, "mask, or show again", ""),
    row(Leave, &["ctrl-c"], Command::Interrupt, "stay; twice within a second leaves at once", ""),
    row(Leave, &["ctrl-l"], Command::Redraw, "paint the screen again", ""),
    row(Leave, &["ctrl-z"], Command::Suspend, "suspend; fg in the shell goes on, a run too", ""),
    row(Help, &["j", "down"], Command::Move(Motion::Down), "scroll down", "scroll"),
    row(Help, &["k", "up"], Command::Move(Motion::Up), "scroll up", ""),
    row(Help, &["ctrl-d", "pagedown", "space"], Command::Move(Motion::PageDown), "scroll half a page down", ""),
    row(Help, &["ctrl-u", "pageup"], Command::Move(Motion::PageUp), "scroll half a page up", ""),
    row(Help, &["g g", "home"], Command::Move(Motion::First), "first line", ""),
    row(Help, &["G", "end"], Command::Move(Motion::Last), "last line", ""),
    row(Help, &["q", "esc", "?", "f1", "enter"], Command::Cancel, "close this page", "close"),
    row(Help, &["m"], Command::ToggleMask, "mask, or show again", ""),
    row(Help, &["ctrl-c"], Command::Interrupt, "close; twice within a second leaves", ""),
    row(Help, &["ctrl-l"], Command::Redraw, "paint the screen again", ""),
    row(Help, &["ctrl-z"], Command::Suspend, "suspend; fg in the shell goes on, a run too", ""),
];

/// What a key asks for, given the keys that were pressed before it without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Command(Command),
    /// The beginning of a longer sequence.
    Prefix,
    Nothing,
}

pub(super) fn look_up(context: Context, pending: Option<Key>, key: Key) -> Found {
    let pressed: Vec<Key> = pending.into_iter().chain([key]).collect();
    let mut found = Found::Nothing;
    for binding in BINDINGS.iter().filter(|binding| binding.context == context) {
        for sequence in binding.keys {
            let keys: Vec<Key> =
                sequence.split(' ').filter_map(|name| Key::parse(name).ok()).collect();
            if keys == pressed {
                return Found::Command(binding.command);
            }
            if keys.starts_with(&pressed) {
                found = Found::Prefix;
            }
        }
    }
    found
}

impl Binding {
    /// The keys as printed in help: `j ↓`, `gg Home`.
    pub fn shown_keys(&self) -> String {
        let sequences = self.keys.iter().map(|sequence| {
            let keys = sequence.split(' ').filter_map(|name| Key::parse(name).ok());
            keys.map(|key| key.to_string()).collect::<String>()
        });
        sequences.collect::<Vec<_>>().join(" ")
    }
}

/// The bindings that stand in the hint line of a context, each key with its word.
pub fn hints(context: Context) -> impl Iterator<Item = (String, &'static str)> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.context == context && !binding.hint.is_empty())
        .map(|binding| {
            let first = binding.keys.first().and_then(|name| Key::parse(name).ok());
            (first.map(|key| key.to_string()).unwrap_or_default(), binding.hint)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_can_be_pressed_and_stands_once_in_its_context() {
        let mut seen = Vec::new();
        for binding in BINDINGS {
            assert!(!binding.help.is_empty() && !binding.keys.is_empty());
            for sequence in binding.keys {
                for name in sequence.split(' ') {
                    assert!(Key::parse(name).is_ok(), "{name:?}");
                }
                assert!(!seen.contains(&(binding.context, *sequence)), "{sequence} twice");
                seen.push((binding.context, *sequence));
            }
        }
    }

    #[test]
    fn the_key_that_opens_the_review_never_confirms_it_and_enter_does_nothing() {
        let key = |name| Key::parse(name).unwrap();
        assert_eq!(look_up(Context::Review, None, key("d")), Found::Nothing);
        assert_eq!(look_up(Context::Review, None, key("enter")), Found::Command(Command::Nothing));
    }

    #[test]
    fn no_control_chord_deletes() {
        for binding in BINDINGS {
            let deletes = matches!(binding.command, Command::Confirm | Command::ReviewDeletion);
            assert!(!deletes || binding.keys.iter().all(|key| !key.contains("ctrl")));
        }
    }

    #[test]
    fn m_masks_wherever_nothing_is_typed() {
        let m = Key::parse("m").unwrap();
        for context in [Context::Browse, Review, Undo, Leave, Help] {
            assert_eq!(look_up(context, None, m), Found::Command(Command::ToggleMask));
        }
    }

    #[test]
    fn gg_is_a_sequence_and_g_alone_its_beginning() {
        let g = Key::parse("g").unwrap();
        assert_eq!(look_up(Context::Browse, None, g), Found::Prefix);
        let first = Found::Command(Command::Move(Motion::First));
        assert_eq!(look_up(Context::Browse, Some(g), g), first);
        assert_eq!(look_up(Context::Browse, Some(g), Key::parse("x").unwrap()), Found::Nothing);
    }
}
