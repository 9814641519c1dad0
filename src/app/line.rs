//! One line that is being typed, edited as lines are anywhere, with what was typed before.

use std::sync::LazyLock;

use tui_input::{Input, InputRequest};

use super::Key;

/// A line is not pasted longer than this, in bytes: more than a URL may have.
const LONGEST: usize = 10_000;
/// Lines that are remembered.
const REMEMBERED: usize = 50;

/// A line that is being typed, and its cursor.
#[derive(Debug, Clone, Default)]
pub struct TypedLine {
    input: Input,
    /// How many lines back in the history it is, and what was typed before going back.
    back: usize,
    own: String,
    /// What was pasted last was too long.
    overfull: bool,
}

/// Lines that were typed before, the newest last.
#[derive(Debug, Default)]
pub(super) struct History(Vec<String>);

impl History {
    /// Remembers a line; one that was typed before moves to the end.
    pub(super) fn add(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        self.0.retain(|known| known != line);
        self.0.push(line.to_owned());
        let surplus = self.0.len().saturating_sub(REMEMBERED);
        self.0.drain(..surplus);
    }

    fn back(&self, by: usize) -> Option<&String> {
        self.0.iter().rev().nth(by.checked_sub(1)?)
    }
}

impl TypedLine {
    /// A line with this text, the cursor at its end.
    pub(super) fn of(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()), ..Self::default() }
    }

    /// The text typed so far.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The text in front of the cursor and the text from it on.
    pub fn at_cursor(&self) -> (&str, &str) {
        let text = self.text();
        let place = text.char_indices().nth(self.input.cursor()).map_or(text.len(), |(at, _)| at);
        text.split_at_checked(place).unwrap_or((text, ""))
    }

    /// Takes a key that edits a line; false where it does not.
    pub(super) fn edit(&mut self, key: Key) -> bool {
        let Some(request) = request(key) else { return false };
        self.overfull = false;
        self.input.handle(request);
        true
    }

    /// Takes a pasted text: its line breaks become blanks, everything else that does not print goes.
    /// Nothing of it where it is too long, as half of it would mean something else.
    pub(super) fn paste(&mut self, text: &str) {
        let one_line = text.trim_end_matches(char::is_control);
        let blank = |it| if matches!(it, '\r' | '\n' | '\t') { ' ' } else { it };
        let pasted: String = one_line.chars().map(blank).filter(|it| !it.is_control()).collect();
        self.overfull = self.text().len() + pasted.len() > LONGEST;
        if self.overfull {
            return;
        }
        let (before, after) = self.at_cursor();
        let cursor = before.chars().count() + pasted.chars().count();
        self.input = Input::new(format!("{before}{pasted}{after}")).with_cursor(cursor);
    }

    /// That nothing was taken of what was pasted last, and why.
    pub fn refusal(&self) -> Option<String> {
        let why = format!("nothing was pasted: no line is longer than {LONGEST} characters");
        self.overfull.then_some(why)
    }

    /// The line typed before this one, or the one after it.
    pub(super) fn recall(&mut self, history: &History, earlier: bool) {
        let back = if earlier { self.back + 1 } else { self.back.saturating_sub(1) };
        if self.back == 0 {
            self.own = self.text().to_owned();
        }
        let line = match back {
            0 => Some(self.own.clone()),
            _ => history.back(back).cloned(),
        };
        if let Some(line) = line {
            self.input = Input::new(line);
            self.back = back;
        }
    }
}

/// The keys of GNU readline, read once, and what each does to a line.
static EDITS: LazyLock<Vec<(Key, InputRequest)>> = LazyLock::new(|| {
    use InputRequest as Do;
    let edits: [(&[&str], Do); 13] = [
        (&["left", "ctrl-b"], Do::GoToPrevChar),
        (&["right", "ctrl-f"], Do::GoToNextChar),
        (&["home", "ctrl-a"], Do::GoToStart),
        (&["end", "ctrl-e"], Do::GoToEnd),
        (&["ctrl-left", "alt-b"], Do::GoToPrevWord),
        (&["ctrl-right", "alt-f"], Do::GoToNextWord),
        (&["backspace", "ctrl-h"], Do::DeletePrevChar),
        (&["delete", "ctrl-d"], Do::DeleteNextChar),
        (&["ctrl-w", "alt-backspace"], Do::DeletePrevWord),
        (&["alt-d"], Do::DeleteNextWord),
        (&["ctrl-u"], Do::DeleteFromStart),
        (&["ctrl-k"], Do::DeleteTillEnd),
        (&["ctrl-y"], Do::Yank),
    ];
    let read = |name: &&str| Key::parse(name).ok();
    let keys = edits.iter().map(|(names, edit)| (names.iter().filter_map(read), *edit));
    keys.flat_map(|(keys, edit)| keys.map(move |key| (key, edit))).collect()
});

fn request(key: Key) -> Option<InputRequest> {
    if let Some(character) = key.typed() {
        return Some(InputRequest::InsertChar(character));
    }
    EDITS.iter().find(|(edits, _)| *edits == key).map(|(_, request)| *request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> TypedLine {
        let mut line = TypedLine::default();
        for name in keys.split(' ') {
            assert!(line.edit(Key::parse(name).unwrap()), "{name}");
        }
        line
    }

    #[test]
    fn a_line_is_edited_at_its_cursor_as_anywhere() {
        for (keys, text) in [
            ("a b c", "abc"),
            ("a c left b", "abc"),
            ("b c ctrl-a a", "abc"),
            ("a x c left left delete", "ac"),
            ("a b backspace", "a"),
            ("o n e space t w o ctrl-w", "one "),
            ("a b c left ctrl-u", "c"),
            ("a b c left ctrl-k", "ab"),
            ("b home a end c", "abc"),
            ("受 付 left x", "受x付"),
        ] {
            assert_eq!(typed(keys).text(), text, "{keys}");
        }
        assert_eq!(typed("a b left").at_cursor(), ("a", "b"));
        assert_eq!(typed("受 付 left").at_cursor(), ("受", "付"));
    }

    #[test]
    fn every_key_of_the_editor_is_a_key_and_others_edit_nothing() {
        let mut line = TypedLine::of("abc");
        for name in ["f5", "ctrl-t", "alt-x", "pageup", "enter"] {
            assert!(!line.edit(Key::parse(name).unwrap()), "{name}");
        }
        assert_eq!(line.text(), "abc");
    }

    #[test]
    fn up_brings_earlier_lines_back_and_down_the_one_that_was_being_typed() {
        let mut history = History::default();
        for line in ["first", "second", "first", ""] {
            history.add(line);
        }
        let mut line = TypedLine::of("new");
        let mut recalled = |earlier| {
            line.recall(&history, earlier);
            line.text().to_owned()
        };
        assert_eq!([true, true, true].map(&mut recalled), ["first", "second", "second"]);
        assert_eq!([false, false, false].map(recalled), ["first", "new", "new"]);
    }

    #[test]
    fn a_pasted_text_is_one_line_without_anything_that_acts() {
        let mut line = TypedLine::of("a");
        line.paste("b\tc\u{1b}[A\nd\r\n");
        assert_eq!(line.text(), "ab c[A d");
        line.edit(Key::parse("left").unwrap());
        line.paste("受付");
        assert_eq!(line.at_cursor(), ("ab c[A 受付", "d"));
    }

    #[test]
    fn of_a_text_that_is_too_long_nothing_is_pasted() {
        let mut line = TypedLine::of("a=");
        for text in ["b".repeat(LONGEST), "受".repeat(1 << 18), "b".repeat(1 << 20)] {
            line.paste(&text);
            assert!(line.refusal().is_some_and(|why| why.starts_with("nothing was pasted")));
        }
        assert_eq!(line.text(), "a=");
        line.paste(&"b".repeat(LONGEST - 2));
        assert_eq!((line.text().len(), line.at_cursor().1), (LONGEST, ""));
        assert_eq!(line.refusal(), None);
    }
}
