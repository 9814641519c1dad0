//! A question on the terminal, which a `y` or a number that is typed answers.

use std::io::{self, BufRead, IsTerminal, Write};

use color_eyre::eyre::Result;

use super::ending::remark;
use crate::log::{self, Level};

/// Asks on a terminal, and says without one that nobody can answer. The answer has to be the number
/// `typed`, or `y` where there is none.
///
/// # Errors
/// When the terminal cannot be read or written.
pub(super) fn confirmed(question: &str, typed: Option<usize>, nobody: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        remark(nobody);
        return Ok(false);
    }
    let expected = typed.map_or("y".to_owned(), |count| count.to_string());
    let hint = typed.map_or("[y/N]".to_owned(), |count| format!("Type {count} to confirm:"));
    let mut out = io::stderr();
    // What was typed before the question answers nothing.
    rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush)?;
    write!(out, "{question}? {hint} ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let is_yes = answer.trim().eq_ignore_ascii_case(&expected);
    log::tell(Level::Info, if is_yes { "asked: yes" } else { "asked: no" }, question);
    Ok(is_yes)
}
