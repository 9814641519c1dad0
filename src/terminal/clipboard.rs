//! Texts for the clipboard, through the terminal itself (OSC 52): it reaches the operator's machine
//! over SSH too. A terminal does not answer, so that it was sent is all that is ever known.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// More than this, in base64, terminals cut off or ignore.
const MOST: usize = 100_000;

/// What screen takes at once, its own four bytes included.
const SCREEN_CHUNK: usize = 768;

/// What stands between the program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clipboard {
    /// Nothing.
    Plain,
    /// tmux. As it comes, it takes no text for a clipboard from what runs in it, but from its own
    /// command it does, and hands it on to the terminal around it (3.2 and newer). Before that it
    /// takes the plain sequence where its `set-clipboard` is `on`, and hands on a wrapped one; the
    /// same text copied twice is as if copied once.
    Tmux,
    /// GNU screen, which hands on what is wrapped, in small pieces.
    Screen,
}

impl Clipboard {
    /// As the environment tells.
    pub(super) fn from_environment() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self::of(set("TMUX"), set("STY"), &std::env::var("TERM").unwrap_or_default())
    }

    /// tmux calls its terminal `screen` too: its own variable tells it apart.
    fn of(tmux: bool, screen: bool, term: &str) -> Self {
        if tmux {
            Self::Tmux
        } else if screen
            || term == "screen"
            || term.starts_with("screen.")
            || term.starts_with("screen-")
        {
            Self::Screen
        } else {
            Self::Plain
        }
    }

    /// Writes a text for the clipboard.
    ///
    /// # Errors
    /// A sentence where it is too much, or cannot be written.
    pub(super) fn copy(self, text: &str, terminal: &mut impl Write) -> Result<(), String> {
        let sequence = self.sequence(text)?;
        if self == Self::Tmux && loaded_into_tmux(text) {
            return Ok(());
        }
        let written = terminal.write_all(sequence.as_bytes()).and_then(|()| terminal.flush());
        written.map_err(|error| format!("the terminal cannot be written: {error}"))
    }

    fn sequence(self, text: &str) -> Result<String, String> {
        let encoded = STANDARD.encode(text);
        if encoded.len() > MOST {
            return Err(format!(
                "{} bytes are more than terminals take ({MOST} in base64): copy less",
                text.len()
            ));
        }
        let plain = format!("\x1b]52;c;{encoded}\x07");
        Ok(match self {
            Self::Plain => plain,
            Self::Tmux => {
                let wrapped = plain.replace('\x1b', "\x1b\x1b");
                format!("{plain}\x1bPtmux;{wrapped}\x1b\\")
            }
            Self::Screen => in_pieces(&plain),
        })
    }
}

/// Whether tmux took the text into a buffer of its own and to the terminals that show it.
fn loaded_into_tmux(text: &str) -> bool {
    let mut command = Command::new("tmux");
    command.args(["load-buffer", "-w", "-"]).stdin(Stdio::piped());
    let Ok(mut tmux) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        return false;
    };
    let written = tmux.stdin.take().is_some_and(|mut to| to.write_all(text.as_bytes()).is_ok());
    tmux.wait().is_ok_and(|status| status.success()) && written
}

/// The sequence is ASCII: every byte is a character.
fn in_pieces(plain: &str) -> String {
    let characters: Vec<char> = plain.chars().collect();
    let mut pieces = String::with_capacity(plain.len() * 2);
    for piece in characters.chunks(SCREEN_CHUNK - 4) {
        pieces.push_str("\x1bP");
        pieces.extend(piece);
        pieces.push_str("\x1b\\");
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_sequence_holds_the_text_in_base64_and_nothing_else_of_it() {
        assert_eq!(Clipboard::Plain.sequence("a\x1b]b\n").unwrap(), "\x1b]52;c;YRtdYgo=\x07");
    }

    #[test]
    fn tmux_gets_it_plain_and_wrapped_with_every_escape_doubled() {
        let sequence = Clipboard::Tmux.sequence("hi").unwrap();
        assert_eq!(sequence, "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
    }

    #[test]
    fn screen_gets_pieces_it_can_take_that_join_to_the_plain_sequence() {
        let text = "x".repeat(5_000);
        let sequence = Clipboard::Screen.sequence(&text).unwrap();
        let pieces: Vec<_> = sequence.split_inclusive("\x1b\\").collect();
        assert!(pieces.len() > 8 && pieces.iter().all(|piece| piece.len() <= 768));
        let joined: String = pieces
            .iter()
            .map(|piece| piece.strip_prefix("\x1bP").unwrap().strip_suffix("\x1b\\").unwrap())
            .collect();
        assert_eq!(joined, Clipboard::Plain.sequence(&text).unwrap());
    }

    #[test]
    fn as_much_as_terminals_take_is_written_and_more_is_refused_with_a_sentence() {
        let mut written = Vec::new();
        assert_eq!(Clipboard::Plain.copy(&"x".repeat(75_000), &mut written), Ok(()));
        assert_eq!(written.len(), 100_000 + 8);
        let mut nothing = Vec::new();
        let refused = Clipboard::Plain.copy(&"x".repeat(75_001), &mut nothing).unwrap_err();
        assert!(refused.contains("75001 bytes") && nothing.is_empty(), "{refused}");
    }

    #[test]
    fn what_stands_between_is_read_from_the_environment() {
        assert_eq!(Clipboard::of(true, true, "screen-256color"), Clipboard::Tmux);
        assert_eq!(Clipboard::of(false, true, "xterm"), Clipboard::Screen);
        assert_eq!(Clipboard::of(false, false, "screen-256color"), Clipboard::Screen);
        assert_eq!(Clipboard::of(false, false, "xterm-256color"), Clipboard::Plain);
    }
}
