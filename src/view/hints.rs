//! The last line: which keys do what at this place, in this state, as the table of actions has it. It
//! is never wider than the screen, and the way to all the others is the last to go.

use ratatui::text::{Line, Span};

use crate::app::{Browsed, Layer, Model, Panel, count_of, text};
use crate::change::{Kind, Summary};
use crate::keys::{Count, Hint, Place};

use super::{about_typed, theme, wide};

pub(super) fn line(model: &Model, width: u16) -> Line<'static> {
    // No other key does anything else while a line is being typed.
    if let Some(about) = about_typed(model) {
        let text = text::clip(&about.content, usize::from(width).saturating_sub(2));
        return Line::styled(format!(" {text}"), about.style);
    }
    if model.layer() != Layer::Panels {
        return Line::default();
    }
    let mut spans = Vec::new();
    if model.marking_waits_for() > 0 && !model.is_running() {
        let waiting = count_of(model.marking_waits_for(), "extension");
        spans.push(Span::styled(format!(" Esc stop loading {waiting}  "), theme::WARNING));
    }
    let last = of(model, Place::Last).pop().map(|[key, word]| spaced(&key, &word));
    let room = usize::from(width).saturating_sub(last.as_ref().map_or(0, |hint| wide(hint)));
    for [key, word] in of(model, place(model)) {
        let hint = spaced(&key, &word);
        if wide(&spans) + wide(&hint) > room {
            break;
        }
        spans.extend(hint);
    }
    spans.extend(last.into_iter().flatten());
    Line::from(spans)
}

/// Keys and words of the hints that stand at a place.
pub(super) fn of(model: &Model, place: Place) -> Vec<[String; 2]> {
    let hints = model.facts().keys.hints(place).into_iter();
    hints.filter_map(|(key, hint)| Some([key, word(model, hint)?])).collect()
}

fn spaced(key: &str, word: &str) -> [Span<'static>; 2] {
    [Span::styled(format!(" {key}"), theme::STRONG), Span::raw(format!(" {word} "))]
}

fn word(model: &Model, hint: &Hint) -> Option<String> {
    let Some(count) = hint.count else { return Some(hint.word.to_owned()) };
    let machine = model.run().map(|active| &active.machine);
    let earlier = model.earlier_run().map(|run| &run.summary);
    let count = match count {
        Count::Taken if earlier.is_some() => earlier.map_or(0, Summary::not_back),
        Count::Left if earlier.is_some() => {
            earlier.filter(|run| run.goes_on_as().is_some()).map_or(0, Summary::left)
        }
        Count::Marked => model.store().marked(),
        Count::Taken => machine.map_or(0, |machine| machine.tally().taken() + machine.beside()),
        Count::Left => machine.map_or(0, |machine| machine.tally().left()),
    };
    (count > 0).then(|| format!("{} {count}", hint.word))
}

/// A run comes before marks, and marks before the panel that is in focus.
fn place(model: &Model) -> Place {
    let over = model.run().map(|active| &active.machine).filter(|it| !it.is_simulated());
    match (model.focus(), over) {
        _ if model.is_paused() => Place::Paused,
        _ if model.is_running() => Place::Running,
        (Panel::Status, _) if model.earlier_run().is_some() => match model.earlier_run() {
            Some(run) if run.summary.kind == Kind::Undo => Place::AfterUndo,
            Some(_) | None => Place::AfterRun,
        },
        (Panel::Status, Some(run)) if run.plan().undoes().is_some() => Place::AfterUndo,
        (Panel::Status, Some(_)) => Place::AfterRun,
        _ if model.store().marked() > 0 => Place::Marks,
        (panel, _) => match panel.browsed() {
            Some(Browsed::Extensions) => Place::Extensions,
            Some(Browsed::Events) => Place::Events,
            None => Place::Others,
        },
    }
}
