//! What an operator may want of the screen, in the bytes of the real binary.

use crate::session::Session;

/// Everything that goes to the terminal from the start over a deletion to the end.
fn written(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    let arguments = [&["--demo"], arguments].concat();
    let mut session = Session::start(home.path(), &arguments, environment);
    session.sees("Dial-In");
    session.press("\rj d");
    session.sees("DELETE 1 phone call event");
    session.says_yes();
    session.sees("finished: 1 deleted");
    session.press("?");
    session.sees("mark or unmark the row");
    session.press("\x1b[11~qq");
    assert_eq!(session.ends(), 0);
    session.has_its_terminal_back();
    std::mem::take(&mut session.written)
}

/// The numbers of every Select Graphic Rendition.
fn styles(written: &str) -> Vec<u32> {
    let sequences = written.split("\x1b[").filter_map(|rest| {
        let end = rest.find(|sign: char| sign != ';' && !sign.is_ascii_digit())?;
        rest.get(end..)?.starts_with('m').then(|| rest.get(..end)).flatten()
    });
    sequences.flat_map(|numbers| numbers.split(';').map(|one| one.parse().unwrap_or(0))).collect()
}

fn is_color(number: u32) -> bool {
    matches!(number, 30..=38 | 40..=48 | 90..=97 | 100..=107)
}

#[test]
fn without_colours_no_byte_asks_for_one_and_the_cursor_is_still_reversed() {
    for (arguments, environment) in [
        (&["--no-color"][..], &[][..]),
        (&[], &[("NO_COLOR", "1")]),
        (&["--ascii", "--no-color"], &[]),
    ] {
        let styles = styles(&written(arguments, environment));
        assert!(!styles.iter().copied().any(is_color), "{styles:?}");
        assert!(styles.contains(&7) && styles.contains(&1));
    }
    assert!(styles(&written(&[], &[])).into_iter().any(is_color));
}

#[test]
fn in_ascii_no_byte_is_anything_else() {
    assert!(written(&["--ascii"], &[]).is_ascii());
    assert!(!written(&[], &[]).is_ascii());
}

#[test]
fn every_terminal_that_moves_its_cursor_will_do_and_a_dumb_one_is_refused_politely() {
    for term in ["linux", "screen", "xterm", "tmux-256color"] {
        assert!(!written(&[], &[("TERM", term)]).is_empty());
    }
    let home = tempfile::tempdir().unwrap();
    let mut session = Session::start(home.path(), &["--demo"], &[("TERM", "dumb")]);
    assert_eq!(session.ends(), 2);
    let said = session.screen.screen().contents().replace('\n', " ");
    assert!(said.contains("TERM=dumb") && said.contains("set TERM"), "{said}");
    assert!(!session.written.contains('\x1b'));
}

#[test]
fn in_the_c_locale_on_xterm_every_warning_and_call_of_a_review_can_be_read() {
    let home = tempfile::tempdir().unwrap();
    let environment = [("TERM", "xterm"), ("LANG", "C")];
    let mut session = Session::start(home.path(), &["--demo"], &environment);
    session.sees("Dial-In");
    session.press(" d");
    session.sees("y deletes all 9, n cancels.");
    session.press("t");
    session.sees("! 1 of 1 call is wide (rows with w): each takes every event that is there");
    session.sees("DELETE /uapi/extensions/@me/0003*100");
    // What xterm shows in that locale is what stands in ASCII.
    assert!(session.written.is_ascii());
    session.press("nUq");
    assert_eq!(session.ends(), 0);
}
