//! What is made of the command line's own description: completions and the manual page.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::domain::TERMS;
use crate::keys::{Keymap, Layer};

use super::Arguments;

/// The completion script of a shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "callsweep", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// One page for everything: the commands follow the program, each with its own options.
pub(super) fn manual() -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(Arguments::command()).render(&mut page)?;
    for command in Arguments::command().get_subcommands() {
        let heading = format!(".SH \"CALLSWEEP {}\"\n", command.get_name().to_uppercase());
        let man = Man::new(command.clone());
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        let section = String::from_utf8_lossy(&section).replace(".SH ", ".SS ");
        page.extend(heading.bytes());
        page.extend(section.bytes());
    }
    page.extend(keys().bytes());
    page.extend(expressions().bytes());
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// A text that roff prints as it stands.
fn literal(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}

/// What can be done on the screen, with the keys of the table.
fn keys() -> String {
    let keymap = Keymap::default();
    let section = |(layer, title): &(Layer, &str)| {
        let rows = keymap.actions(*layer).map(|action| {
            let keys = literal(&keymap.shown(action, Some(*layer)));
            let (name, help) = (literal(action.name), literal(action.help));
            format!(".TP\n\\fB{keys}\\fR  \\fI{name}\\fR\n{help}\n")
        });
        format!(".SS \"{title}\"\n{}", rows.collect::<String>())
    };
    let sections: String = Layer::TITLED.iter().map(section).collect();
    let rules = literal(
        "? lists in the program what can be done there, with the keys in force. [keys] in the \
         configuration gives other keys to the names below.",
    );
    format!(".SH KEYS\n{rules}\n{sections}")
}

/// What `--where`, `/` and `T` take.
fn expressions() -> String {
    let terms =
        TERMS.map(|(term, means)| format!(".TP\n\\fB{}\\fR\n{}\n", literal(term), literal(means)));
    let rules = "Terms are joined by \\fIand\\fR, a|b in a term is \\fIor\\fR, and a leading \\- negates it. \
                 * is any text and ? any one character. Quotes keep blanks and | together with a \
                 value, a backslash makes the next character stand for itself. What is not known or \
                 cannot be read matches neither a term nor its negation.\n";
    format!(".SH EXPRESSIONS\n{rules}{}", terms.concat())
}
