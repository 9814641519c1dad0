//! What stands over the panels beside the review: lines that are typed, and questions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use crate::app::{About, Model, Question, Tone, TypedLine, count_of, text};
use crate::domain::{ExpressionError, TERMS};

use super::{put_cursor, theme};

/// How a sentence of this tone is shown.
pub(super) fn tone(tone: Tone) -> Style {
    match tone {
        Tone::Plain => theme::PLAIN,
        Tone::Good => theme::GOOD,
        Tone::Warning => theme::WARNING,
    }
}

/// What there is to say about a filter that is being typed.
pub(super) fn about_filter(
    typed: &TypedLine,
    refused: Option<&ExpressionError>,
    passed_over: &str,
) -> Span<'static> {
    let keys = || {
        let keys = TERMS.iter().filter_map(|(term, _)| term.split_once(':'));
        let keys: Vec<_> = keys.map(|(key, _)| format!("{key}:")).collect();
        format!("a word, or {}", keys.join(" "))
    };
    match refused {
        None if typed.text().is_empty() => Span::raw(keys()),
        Some(error) => Span::styled(error.to_string(), theme::WARNING),
        None if passed_over.is_empty() => Span::raw("Enter applies, Esc cancels"),
        None => Span::styled(passed_over.to_owned(), theme::WARNING),
    }
}

/// A line that is being typed, and the column of its cursor, which is in sight.
pub(super) fn typed_line(what: &str, line: &TypedLine, columns: usize) -> (Line<'static>, usize) {
    let (before, after) = line.at_cursor();
    let room = columns.saturating_sub(text::width(what) + 3);
    let before = format!("{what}: {}", text::clip_front(before, room));
    let column = text::width(&before);
    let after = text::clip(after, columns.saturating_sub(column));
    (Line::styled(format!("{before}{after}"), theme::STRONG), column)
}

/// What a question asks: its title, what there is to know, and what n and y do.
fn asked(model: &Model, about: About) -> (&'static str, String, [&'static str; 2]) {
    match (about, model.checking()) {
        (About::LeavingRun, Some((checked, all))) => {
            let all = count_of(all, "extension");
            let text = format!(
                "Every call was answered; {checked} of {all} checked. Leaving now leaves the rest \
                 unchecked. The run file says what was done."
            );
            (" Leave? ", text, ["stay", "end the checking, then leave"])
        }
        (About::LeavingRun, None) => {
            let in_flight = count_of(model.calls_in_flight(), "call");
            let text = format!(
                "A run is going on, {in_flight} in flight. Calls not yet sent are dropped; those \
                 events stay. The run file says what was done."
            );
            (" Leave? ", text, ["stay", "finish the calls in flight, then leave"])
        }
        (About::LeavingMarks, _) => {
            let marked = count_of(model.store().marked(), "event");
            let text = format!("{marked} marked. Leaving forgets the marks; nothing is deleted.");
            (" Leave? ", text, ["stay", "leave"])
        }
        (About::AskingInSpite, _) => {
            let text = "Many requests failed. One more may make the PBX block this address, and \
                        the phones behind it, for an hour. y sends one request now; n waits, \
                        and callsweep asks again when the wait is over.";
            (" Ask now? ", text.to_owned(), ["wait", "ask once"])
        }
    }
}

pub(super) fn question(model: &Model, question: &Question, frame: &mut Frame<'_>) {
    let columns = usize::from(frame.area().width).saturating_sub(6).min(68);
    let (title, text, [no, yes]) = asked(model, question.about);
    let mut lines: Vec<Line<'_>> = text::wrap(&text, columns).into_iter().map(Line::from).collect();
    let ready = model.unread().is_none();
    lines.push(match (model.current_notice(), ready) {
        (Some(notice), _) => Line::styled(notice.text.clone(), tone(notice.tone)),
        (None, true) => Line::default(),
        (None, false) => Line::from("Read this first: y counts in a moment."),
    });
    lines.push(Line::from(vec![
        Span::styled("n Esc", theme::STRONG),
        Span::raw(format!(" {no}   ")),
        Span::styled("y", if ready { theme::DANGER } else { theme::STRONG }),
        Span::raw(format!(" {yes}")),
    ]));
    let keys = lines.len() - 1;
    let inside = window(frame, title, columns, lines, true);
    put_cursor(frame, inside, 0, keys);
}

/// A window over the panels; returns where its lines stand.
pub(super) fn window(
    frame: &mut Frame<'_>,
    title: &str,
    columns: usize,
    lines: Vec<Line<'_>>,
    alarm: bool,
) -> Rect {
    let screen = frame.area();
    let width = u16::try_from(columns + 4).unwrap_or(screen.width).min(screen.width);
    // The header with its badges and marks stays in sight.
    let most = screen.height.saturating_sub(1);
    let height = u16::try_from(lines.len() + 2).unwrap_or(most).min(most);
    let (x, y) = ((screen.width - width) / 2, 1 + (most - height) / 2);
    let area = Rect { x, y, width, height };
    let style = if alarm { theme::DANGER } else { theme::FOCUSED };
    let block = Block::bordered()
        .border_type(BorderType::Double)
        .border_style(style)
        .title(Line::styled(title.to_owned(), theme::STRONG))
        .padding(ratatui::widgets::Padding::horizontal(1));
    let inside = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
    inside
}
