//! The manual page: a page with gaps, `manual.1` beside this file, filled with what the command line,
//! the keys and the expressions say of themselves.

use clap::{Arg, Command};

use super::described;
use crate::domain::TERMS;
use crate::keys::{Keymap, Layer};

const PAGE: &str = include_str!("manual.1");
/// Longest line of the source, in bytes.
const LONGEST: usize = 78;

/// The whole page, as man(1) reads it.
pub(super) fn page() -> String {
    let mut whole = described();
    whole.build();
    let gaps = [
        ("@DATE@", env!("CALLSWEEP_DATE").to_owned()),
        ("@VERSION@", env!("CARGO_PKG_VERSION").to_owned()),
        ("@SYNOPSIS@", synopses(&whole)),
        ("@OPTIONS@", options(&whole, |_| true)),
        ("@SELECTION@", selection(&whole)),
        ("@COMMANDS@", commands(&whole)),
        ("@KEYS@", keys()),
        ("@EXPRESSIONS@", expressions()),
    ];
    gaps.iter().fold(PAGE.to_owned(), |page, (gap, text)| page.replace(gap, text.trim_end()))
}

/// A text that roff prints as it stands.
fn literal(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '\\' => plain.push_str("\\e"),
            '-' => plain.push_str("\\-"),
            '\'' => plain.push_str("\\(aq"),
            ascii if ascii.is_ascii() => plain.push(ascii),
            other => plain.extend([&*format!("\\[u{:04X}]", u32::from(other))]),
        }
    }
    plain
}

/// Lines of a readable length, none of which is taken for a request; every sentence begins a line.
fn wrapped(text: &str) -> String {
    folded(text, true)
}

fn folded(text: &str, is_prose: bool) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let ends = is_prose && lines.last().is_some_and(|line| line.ends_with(['.', ':']));
        let long = lines.last().map_or(0, String::len) + word.len() >= LONGEST;
        let starts = lines.last().is_none_or(String::is_empty);
        if !starts && (long || ends) {
            lines.push(String::new());
        }
        let Some(line) = lines.last_mut() else { continue };
        match line.is_empty() {
            true if word.starts_with('.') => line.push_str("\\&"),
            true => {}
            false => line.push(' '),
        }
        line.push_str(word);
    }
    lines.join("\n") + "\n"
}

/// A text in which names stand in backquotes, which roff prints bold.
fn prose(text: &str) -> String {
    let part = |(at, part): (usize, &str)| match at % 2 {
        0 => literal(part),
        _ => format!("\\fB{}\\fR", literal(part)),
    };
    wrapped(&text.split('`').enumerate().map(part).collect::<String>())
}

/// A paragraph with its text behind it.
fn item(tag: &str, text: &str) -> String {
    format!(".TP\n{tag}\n{}", prose(text))
}

/// How a command is written: its words bold, what stands for something else in italics.
fn synopsis(usage: &str) -> String {
    let mut text = String::new();
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let mut rest = usage;
    while let Some(start) = rest.find(is_part) {
        let (between, from) = rest.split_at(start);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, behind) = from.split_at(end);
        let stands_for = word.chars().all(|c| c.is_ascii_uppercase());
        let font = if stands_for { "\\fI" } else { "\\fB" };
        text.push_str(&literal(between));
        text.extend([font, &literal(word), "\\fR"]);
        rest = behind;
    }
    text + &literal(rest)
}

/// The usage lines of a command, without the word before them.
fn usages(command: &Command) -> Vec<String> {
    let said = command.clone().render_usage().to_string();
    let words = said.split_whitespace().filter(|word| *word != "Usage:");
    let said = words.collect::<Vec<_>>().join(" ");
    let starts = said.split("callsweep ").filter(|usage| !usage.is_empty());
    starts.map(|usage| format!("callsweep {}", usage.trim())).collect()
}

fn synopses(whole: &Command) -> String {
    let listed = in_groups(whole).map(usages);
    let all = std::iter::once(usages(whole)).chain(listed).flatten();
    let all = all.filter(|usage| !usage.contains("COMMAND"));
    let line = |usage: String| folded(&synopsis(&usage), false);
    all.map(line).collect::<Vec<_>>().join(".br\n")
}

fn in_groups(whole: &Command) -> impl Iterator<Item = &Command> {
    whole.get_subcommands().filter(|command| command.get_name() != "help")
}

/// The flags of a command that are meant, and what stands for itself.
fn options(command: &Command, is_meant: impl Fn(&Arg) -> bool) -> String {
    let meant = command.get_arguments().filter(|arg| !arg.is_hide_set() && is_meant(arg));
    meant.map(option).collect()
}

fn option(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let value = names.iter().map(|name| format!("\\fI{}\\fR", literal(name)));
    let value = if takes_value(arg) { value.collect::<String>() } else { String::new() };
    let short = arg.get_short().map(|short| format!("\\fB\\-{short}\\fR, ")).unwrap_or_default();
    let tag = match arg.get_long() {
        None => value,
        Some(long) if arg.is_require_equals_set() => {
            format!("{short}\\fB\\-\\-{}\\fR[={value}]", literal(long))
        }
        Some(long) if value.is_empty() => format!("{short}\\fB\\-\\-{}\\fR", literal(long)),
        Some(long) => format!("{short}\\fB\\-\\-{}\\fR {value}", literal(long)),
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let possible = arg.get_possible_values();
    let possible = possible.iter().filter(|_| takes_value(arg)).map(|value| {
        let help = value.get_help().map(ToString::to_string);
        help.map_or_else(|| value.get_name().to_owned(), |it| format!("{}: {it}", value.get_name()))
    });
    let possible = possible.collect::<Vec<_>>().join("; ");
    let default: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let mut text = help;
    if !possible.is_empty() {
        text.extend([" (", &possible, ")"]);
    }
    if takes_value(arg) && !default.is_empty() {
        text.extend([" [default: ", &default.join(" "), "]"]);
    }
    item(&tag, &text)
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// Of every flag that many commands share one paragraph is enough.
fn is_shared(arg: &Arg) -> bool {
    matches!(arg.get_help_heading(), Some("PBX" | "Selection")) || arg.get_long() == Some("help")
}

fn selection(whole: &Command) -> String {
    let list = whole.find_subcommand("list");
    list.map(|list| options(list, |arg| arg.get_help_heading() == Some("Selection")))
        .unwrap_or_default()
}

fn commands(whole: &Command) -> String {
    let told = |command: &Command| {
        let usages: Vec<_> =
            usages(command).iter().map(|usage| folded(&synopsis(usage), false)).collect();
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        let about = about.split("\n\n").map(|part| prose(&ended(part)));
        let about = about.collect::<Vec<_>>().concat();
        let name = literal(&command.get_name().to_uppercase());
        let examples = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let examples = examples.lines().skip(1).map(|line| literal(line.trim()) + "\n");
        let examples = examples.collect::<String>();
        format!(
            ".SS {name}\n{}.PP\n{about}{}.PP\n.RS\n.nf\n{examples}.fi\n.RE\n",
            usages.join(".br\n"),
            options(command, |arg| !is_shared(arg)),
        )
    };
    in_groups(whole).map(told).collect()
}

/// A sentence with its full stop.
fn ended(text: &str) -> String {
    let text = text.trim();
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

/// What can be done on the screen, with the keys of the table.
fn keys() -> String {
    let keymap = Keymap::default();
    let section = |(layer, title): &(Layer, &str)| {
        let rows = keymap.actions(*layer).map(|action| {
            let keys = literal(&keymap.shown(action, Some(*layer)));
            item(&format!("\\fB{keys}\\fR  \\fI{}\\fR", literal(action.name)), action.help)
        });
        format!(".SS \"{}\"\n{}", literal(title), rows.collect::<String>())
    };
    Layer::TITLED.iter().map(section).collect()
}

/// What `--where`, `/` and `T` take.
fn expressions() -> String {
    TERMS.map(|(term, means)| item(&format!("\\fB{}\\fR", literal(term)), means)).concat()
}
