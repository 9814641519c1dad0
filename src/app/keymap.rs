//! The one table of keys: key, command and help in one row. Lookup, help and hints all read it.
//!
//! Keys are looked for in the innermost layer first; what it does not know falls through to
//! [`Layer::Anywhere`] and no further.

use super::{Command, Key, Motion, Panel};

/// Where a binding holds, the innermost of those open first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Below all others, but for what can be typed into a line.
    Anywhere,
    /// Panels, nothing over them.
    Panels,
    /// A line is being typed.
    Prompt,
    /// The review of a deletion or of an undo.
    Review,
    /// A question that y and n answer.
    Question,
    /// The page of keys.
    Help,
}

impl Layer {
    /// All layers with the title of their part of the help, in its order.
    pub const TITLED: [(Self, &'static str); 6] = [
        (Self::Panels, "Panels"),
        (Self::Review, "In a review"),
        (Self::Question, "In a question"),
        (Self::Prompt, "While a line is being typed"),
        (Self::Help, "On this page"),
        (Self::Anywhere, "Anywhere"),
    ];
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it holds.
    pub layers: &'static [Layer],
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
    layers: &'static [Layer],
    keys: &'static [&'static str],
    command: Command,
    help: &'static str,
    hint: &'static str,
) -> Binding {
    Binding { layers, keys, command, help, hint }
}

const ANYWHERE: &[Layer] = &[Layer::Anywhere];
const PANELS: &[Layer] = &[Layer::Panels];
const PROMPT: &[Layer] = &[Layer::Prompt];
const REVIEW: &[Layer] = &[Layer::Review];
const ASKING: &[Layer] = &[Layer::Review, Layer::Question];
const HELP: &[Layer] = &[Layer::Help];
const LISTS: &[Layer] = &[Layer::Panels, Layer::Review, Layer::Help];

/// Every key of the program. Within a layer a key stands once.
#[rustfmt::skip] // a row a line, so that it reads as the table that it is
pub const BINDINGS: &[Binding] = &[
    row(PANELS, &["space"], Command::Mark, "mark or unmark the row, step down; on a type or an extension all of its events", "mark"),
    row(PANELS, &["a"], Command::MarkType, "mark every visible event of the type under the cursor", "type"),
    row(PANELS, &["A"], Command::MarkVisible, "mark all visible rows", "all"),
    row(PANELS, &["i"], Command::InvertVisible, "invert the marks of the visible rows", ""),
    row(PANELS, &["v"], Command::Range, "begin a range: moving extends it, space marks it, Esc drops it", ""),
    row(PANELS, &["T"], Command::MarkByExpression, "mark by expression in every loaded extension; - as its first character unmarks, behind a blank it negates", ""),
    row(PANELS, &["-"], Command::UnmarkByExpression, "unmark by expression", ""),
    row(PANELS, &["X"], Command::MarkByStanding, "mark by expression with is: typed already: duplicate, marked or failed", ""),
    row(PANELS, &["L"], Command::LoadAndMark, "after T: load the extensions that are not loaded, and mark there too", ""),
    row(PANELS, &["u"], Command::TakeBack, "take back the last change of marks", ""),
    row(PANELS, &["U"], Command::UnmarkAll, "unmark everything", "unmark"),
    row(PANELS, &["d"], Command::ReviewDeletion, "review the deletion of the marks; with none, of the event under the cursor", "delete"),
    row(PANELS, &["p"], Command::Pause, "during a run: pause, or go on", ""),
    row(PANELS, &["r"], Command::GoOn, "after a run: review what is left of it and go on", ""),
    row(PANELS, &["z"], Command::ReviewUndo, "after a run: review re-creating what it deleted", ""),
    row(PANELS, &["E"], Command::WriteReceipt, "after a run or an undo: write a receipt, masked while m is on", ""),
    row(PANELS, &["/"], Command::EditFilter, "filter the panel; Esc in the panel clears it", "filter"),
    row(PANELS, &["0"], Command::ShowAll, "events of all extensions", "all"),
    row(PANELS, &["o"], Command::Group, "group the events by type, extension, host, note, owner, duplicates", "group"),
    row(PANELS, &["s"], Command::Sort, "sort: extensions by number, events, marks; events by list order, date, URL, note", ""),
    row(PANELS, &["+"], Command::Zoom, "this panel over the whole screen, and back", ""),
    row(PANELS, &["c"], Command::Copy, "copy the row under the cursor (Events, Status, Marked)", ""),
    row(PANELS, &["C"], Command::CopyAll, "copy all rows of the panel (Events, Status, Marked)", ""),
    row(PANELS, &["y"], Command::Confirm, "yes, in a review or a question only", ""),
    row(PANELS, &["R"], Command::ReadAgain, "read again from the service; marks stay", "read again"),
    row(LISTS, &["j", "down"], Command::Move(Motion::Down), "down", ""),
    row(LISTS, &["k", "up"], Command::Move(Motion::Up), "up", ""),
    row(LISTS, &["g g", "home"], Command::Move(Motion::First), "first row", ""),
    row(LISTS, &["G", "end"], Command::Move(Motion::Last), "last row", ""),
    row(LISTS, &["ctrl-d", "pagedown"], Command::Move(Motion::PageDown), "half a page down (never deletes)", ""),
    row(LISTS, &["ctrl-u", "pageup"], Command::Move(Motion::PageUp), "half a page up", ""),
    row(PANELS, &["J", "}"], Command::Move(Motion::NextGroup), "next group", ""),
    row(PANELS, &["K", "{"], Command::Move(Motion::PreviousGroup), "previous group", ""),
    row(PANELS, &["l", "right"], Command::Open, "open the group, or go into the extension", ""),
    row(PANELS, &["h", "left"], Command::Close, "close the group, or go back to the extensions", ""),
    row(PANELS, &["enter"], Command::Enter, "on an extension go to its events; on a type open or close it", ""),
    row(PANELS, &["tab"], Command::NextPanel, "next panel", ""),
    row(PANELS, &["backtab"], Command::PreviousPanel, "previous panel", ""),
    row(PANELS, &["1"], Command::Focus(Panel::Extensions), "Extensions", ""),
    row(PANELS, &["2"], Command::Focus(Panel::Events), "Events", ""),
    row(PANELS, &["3"], Command::Focus(Panel::Status), "Status", ""),
    row(PANELS, &["4"], Command::Focus(Panel::Marked), "Marked", ""),
    row(PANELS, &["5"], Command::Focus(Panel::Calls), "Calls", ""),
    row(PANELS, &["esc"], Command::Escape, "clear the filter of the panel; else stop the run once the calls in flight are answered; else go back", ""),
    row(PANELS, &["q"], Command::Quit, "back, then quit (asks during a run and with marks)", "quit"),
    row(PANELS, &["?", "f1"], Command::Help, "these keys", "help"),
    row(ASKING, &["y"], Command::Confirm, "yes, once the question has been shown; Enter does nothing", ""),
    row(ASKING, &["n", "esc", "q"], Command::Cancel, "no; marks stay", ""),
    row(ASKING, &["enter"], Command::Nothing, "nothing, on purpose", ""),
    row(REVIEW, &["t"], Command::ChangeForm, "next call form that wide_calls and the marks allow", ""),
    row(REVIEW, &["s"], Command::Simulate, "simulate: go through these calls and send none; marks stay", ""),
    row(REVIEW, &["c"], Command::Copy, "copy the calls as curl lines; the token is not in them", ""),
    row(REVIEW, &["v"], Command::ShowCalls, "list the literal calls, or the events again", ""),
    row(REVIEW, &["/"], Command::EditFilter, "narrow the rows; everything stays planned", ""),
    row(REVIEW, &["+"], Command::AddDrifted, "add what changed or appeared since it was marked, as it is now", ""),
    row(REVIEW, &["R"], Command::ReadAgain, "read again the extensions that could not be read", ""),
    row(PROMPT, &["enter"], Command::Apply, "apply what is typed", ""),
    row(PROMPT, &["esc"], Command::Cancel, "cancel", ""),
    row(PROMPT, &["up", "ctrl-p"], Command::Recall { earlier: true }, "the line typed before", ""),
    row(PROMPT, &["down", "ctrl-n"], Command::Recall { earlier: false }, "the line typed after it", ""),
    row(HELP, &["space"], Command::Move(Motion::PageDown), "half a page down", ""),
    row(HELP, &["q", "esc", "?", "f1", "enter"], Command::Cancel, "close this page", "close"),
    row(ANYWHERE, &["m"], Command::ToggleMask, "mask numbers, labels, hosts, URLs and notes, or show them", ""),
    row(ANYWHERE, &["ctrl-c"], Command::Interrupt, "close what is innermost, as Esc; twice within a second leaves", ""),
    row(ANYWHERE, &["ctrl-l"], Command::Redraw, "paint the screen again", ""),
    row(ANYWHERE, &["ctrl-z"], Command::Suspend, "suspend; fg in the shell goes on, a run too", ""),
];

/// What a key asks for, given the keys that were pressed before it without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Command(Command),
    /// The beginning of a longer sequence.
    Prefix,
    Nothing,
}

/// The table with its keys read.
#[derive(Debug)]
pub(super) struct Keymap(Vec<(Layer, Vec<Key>, Command)>);

impl Keymap {
    pub(super) fn new() -> Self {
        let mut bound = Vec::new();
        for binding in BINDINGS {
            for (layer, sequence) in binding.layers.iter().zip(std::iter::repeat(binding.keys)) {
                bound.extend(sequence.iter().map(|keys| (*layer, read(keys), binding.command)));
            }
        }
        Self(bound)
    }

    /// What is asked for in a layer or, where it knows nothing, anywhere. What a line takes as text
    /// is no command.
    pub(super) fn look_up(&self, layer: Layer, pending: Option<Key>, key: Key) -> Found {
        match self.found_in(layer, pending, key) {
            Found::Nothing if layer == Layer::Prompt && key.typed().is_some() => Found::Nothing,
            Found::Nothing => self.found_in(Layer::Anywhere, pending, key),
            found @ (Found::Command(_) | Found::Prefix) => found,
        }
    }

    fn found_in(&self, layer: Layer, pending: Option<Key>, key: Key) -> Found {
        let starts = |keys: &[Key]| match pending {
            None => keys.first() == Some(&key),
            Some(first) => keys.starts_with(&[first, key]),
        };
        let length = 1 + usize::from(pending.is_some());
        let mut found = Found::Nothing;
        for (_, keys, command) in self.0.iter().filter(|(at, keys, _)| *at == layer && starts(keys))
        {
            if keys.len() == length {
                return Found::Command(*command);
            }
            found = Found::Prefix;
        }
        found
    }
}

fn read(sequence: &str) -> Vec<Key> {
    sequence.split(' ').filter_map(|name| Key::parse(name).ok()).collect()
}

impl Binding {
    /// The keys as printed in help: `j ↓`, `gg Home`.
    pub fn shown_keys(&self) -> String {
        let shown = |sequence: &&str| read(sequence).iter().map(Key::to_string).collect::<String>();
        self.keys.iter().map(shown).collect::<Vec<_>>().join(" ")
    }
}

/// The bindings that stand in the hint line of a layer, each key with its word.
pub fn hints(layer: Layer) -> impl Iterator<Item = (String, &'static str)> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.layers.contains(&layer) && !binding.hint.is_empty())
        .map(|binding| {
            let first = binding.keys.first().and_then(|name| Key::parse(name).ok());
            (first.map(|key| key.to_string()).unwrap_or_default(), binding.hint)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(layer: Layer, pending: Option<Key>, key: Key) -> Found {
        Keymap::new().look_up(layer, pending, key)
    }

    #[test]
    fn every_key_of_the_table_can_be_pressed_and_stands_once_in_its_layer() {
        let mut seen = Vec::new();
        for binding in BINDINGS {
            assert!(!binding.help.is_empty() && !binding.keys.is_empty());
            for sequence in binding.keys {
                for name in sequence.split(' ') {
                    assert!(Key::parse(name).is_ok(), "{name:?}");
                }
                for layer in binding.layers {
                    assert!(!seen.contains(&(*layer, *sequence)), "{sequence} twice");
                    seen.push((*layer, *sequence));
                }
            }
        }
        assert!(Layer::TITLED.iter().all(|(layer, _)| seen.iter().any(|(at, _)| at == layer)));
    }

    #[test]
    fn the_key_that_opens_the_review_never_confirms_it_and_enter_does_nothing() {
        let key = |name| Key::parse(name).unwrap();
        assert_eq!(look_up(Layer::Review, None, key("d")), Found::Nothing);
        assert_eq!(look_up(Layer::Review, None, key("enter")), Found::Command(Command::Nothing));
    }

    #[test]
    fn y_alone_says_yes_and_y_says_nothing_else() {
        for binding in BINDINGS {
            let says_yes = binding.command == Command::Confirm;
            assert_eq!(says_yes, binding.keys == ["y"], "{:?}", binding.keys);
            assert!(says_yes || !binding.keys.contains(&"y"));
        }
    }

    #[test]
    fn no_control_chord_deletes() {
        for binding in BINDINGS {
            let deletes = matches!(binding.command, Command::Confirm | Command::ReviewDeletion);
            assert!(!deletes || binding.keys.iter().all(|key| !key.contains("ctrl")));
        }
    }

    #[test]
    fn m_masks_wherever_nothing_is_typed_and_is_a_letter_where_something_is() {
        let m = Key::parse("m").unwrap();
        for layer in [Layer::Panels, Layer::Review, Layer::Question, Layer::Help] {
            assert_eq!(look_up(layer, None, m), Found::Command(Command::ToggleMask));
        }
        assert_eq!(look_up(Layer::Prompt, None, m), Found::Nothing);
    }

    #[test]
    fn gg_is_a_sequence_and_g_alone_its_beginning() {
        let g = Key::parse("g").unwrap();
        assert_eq!(look_up(Layer::Panels, None, g), Found::Prefix);
        let first = Found::Command(Command::Move(Motion::First));
        assert_eq!(look_up(Layer::Panels, Some(g), g), first);
        assert_eq!(look_up(Layer::Panels, Some(g), Key::parse("x").unwrap()), Found::Nothing);
    }
}
