//! Texts for the clipboard, through the terminal itself (OSC 52): it reaches the operator's machine
//! over SSH too. A terminal does not answer, so that it was sent is all that is ever known.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long tmux may take; one that hangs is left alone.
const LIMIT: Duration = Duration::from_secs(2);

/// More than this, in base64, terminals cut off or ignore.
const MOST: usize = 100_000;

/// What screen takes at once, its own four bytes included.
const SCREEN_CHUNK: usize = 768;

/// Hands texts to the terminal for its clipboard.
pub struct Clipboard {
    between: Between,
    /// Takes what is to be written to the terminal between two pictures.
    outlet: Box<dyn Fn(Vec<u8>) + Send + Sync>,
}

/// What stands between the program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    /// The terminal itself.
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
    /// A clipboard as the environment tells; `outlet` takes what the terminal is to get.
    pub fn new(outlet: impl Fn(Vec<u8>) + Send + Sync + 'static) -> Self {
        Self { between: Between::from_environment(), outlet: Box::new(outlet) }
    }

    /// Sends a text, in a limited time.
    ///
    /// # Errors
    /// A sentence where it is too much.
    pub(super) async fn copy(&self, text: &str) -> Result<(), String> {
        let sequence = self.between.sequence(text)?;
        if self.between != Between::Tmux || !loaded_into_tmux("tmux", text).await {
            (self.outlet)(sequence.into_bytes());
        }
        Ok(())
    }
}

impl fmt::Debug for Clipboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clipboard({:?})", self.between)
    }
}

impl Between {
    /// As the environment tells.
    fn from_environment() -> Self {
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
async fn loaded_into_tmux(program: &str, text: &str) -> bool {
    let mut command = Command::new(program);
    command.args(["load-buffer", "-w", "-"]).stdin(Stdio::piped()).kill_on_drop(true);
    let Ok(mut tmux) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        return false;
    };
    let load = async {
        let written = match tmux.stdin.take() {
            Some(mut to) => to.write_all(text.as_bytes()).await.is_ok(),
            None => false,
        };
        tmux.wait().await.is_ok_and(|status| status.success()) && written
    };
    tokio::time::timeout(LIMIT, load).await.unwrap_or(false)
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
        assert_eq!(Between::Plain.sequence("a\x1b]b\n").unwrap(), "\x1b]52;c;YRtdYgo=\x07");
    }

    #[test]
    fn tmux_gets_it_plain_and_wrapped_with_every_escape_doubled() {
        let sequence = Between::Tmux.sequence("hi").unwrap();
        assert_eq!(sequence, "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
    }

    #[test]
    fn screen_gets_pieces_it_can_take_that_join_to_the_plain_sequence() {
        let text = "x".repeat(5_000);
        let sequence = Between::Screen.sequence(&text).unwrap();
        let pieces: Vec<_> = sequence.split_inclusive("\x1b\\").collect();
        assert!(pieces.len() > 8 && pieces.iter().all(|piece| piece.len() <= 768));
        let joined: String = pieces
            .iter()
            .map(|piece| piece.strip_prefix("\x1bP").unwrap().strip_suffix("\x1b\\").unwrap())
            .collect();
        assert_eq!(joined, Between::Plain.sequence(&text).unwrap());
    }

    #[test]
    fn as_much_as_terminals_take_is_written_and_more_is_refused_with_a_sentence() {
        let most = Between::Plain.sequence(&"x".repeat(75_000)).unwrap();
        assert_eq!(most.len(), 100_000 + 8);
        let refused = Between::Plain.sequence(&"x".repeat(75_001)).unwrap_err();
        assert!(refused.contains("75001 bytes"), "{refused}");
    }

    #[test]
    fn a_tmux_that_hangs_is_left_alone_after_a_while_and_one_that_fails_at_once() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let program = |name: &str, script: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, script).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path.display().to_string()
        };
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let hands = builder.enable_all().build().unwrap();
        let loaded = |program: &str| hands.block_on(loaded_into_tmux(program, "text"));
        assert!(loaded(&program("works", "#!/bin/sh\nexec cat >/dev/null\n")));
        assert!(!loaded(&program("fails", "#!/bin/sh\ncat >/dev/null; exit 1\n")));
        assert!(!loaded("/nowhere/tmux"));
        assert!(!loaded(&program("hangs", "#!/bin/sh\nexec sleep 60\n")));
    }

    #[test]
    fn what_stands_between_is_read_from_the_environment() {
        assert_eq!(Between::of(true, true, "screen-256color"), Between::Tmux);
        assert_eq!(Between::of(false, true, "xterm"), Between::Screen);
        assert_eq!(Between::of(false, false, "screen-256color"), Between::Screen);
        assert_eq!(Between::of(false, false, "xterm-256color"), Between::Plain);
    }
}
