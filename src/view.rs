//! The model as a picture: reads all, changes nothing.
//!
//! Only rows in sight are built, whatever the length of a list, and every text that came from
//! outside goes through [`Foreign`](crate::domain::Foreign)'s `Display` on its way here. Whatever
//! could name a customer goes through the model's [`Mask`](crate::domain::Mask).

mod dialogs;
mod events;
mod lists;
mod status;
mod text;
mod theme;

#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use crate::app::{Context, Dialog, MarkPrompt, Model, Panel, Tone, count_of, hints};
use crate::domain::{Fetched, Meant};

/// Draws the whole screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    draw_all(model, frame);
    theme::dress(frame.buffer_mut(), &model.facts().looks);
}

fn draw_all(model: &Model, frame: &mut Frame<'_>) {
    let layout = model.layout();
    // The terminal may have become smaller than the last message said.
    let whole = layout.whole.intersection(frame.area());
    if !layout.fits || whole != layout.whole {
        let text = "make the window larger (60x15)";
        frame.render_widget(Paragraph::new(text).alignment(Alignment::Center), frame.area());
        return;
    }
    frame.render_widget(Paragraph::new(header(model)), layout.header);
    for panel in Panel::ALL {
        if let Some(area) = layout.panel(panel) {
            match panel {
                Panel::Extensions => lists::extensions(model, frame, area),
                Panel::Events => events::draw(model, frame, area),
                Panel::Status => status::draw(model, frame, area),
                Panel::Marked => lists::marked(model, frame, area),
                Panel::Calls => lists::calls(model, frame, area),
            }
        }
    }
    frame.render_widget(Paragraph::new(prompt(model)), layout.prompt);
    frame.render_widget(Paragraph::new(hint_line(model, layout.hints.width)), layout.hints);
    match model.dialog() {
        Some(Dialog::Review(review)) => dialogs::review(model, review, frame),
        Some(Dialog::Undo(review)) => dialogs::undo(model.mask(), review, frame),
        Some(Dialog::Leave) => dialogs::leave(model, frame),
        Some(Dialog::Help { top }) => dialogs::help(*top, frame),
        Some(Dialog::Filter { .. } | Dialog::Marking(_)) | None => {}
    }
}

fn header(model: &Model) -> Line<'static> {
    let facts = model.facts();
    let mut left = vec![
        Span::raw(" "),
        Span::styled(facts.target.profile.clone(), theme::STRONG),
        Span::raw(format!(" {} ", model.mask().host(facts.target.host()))),
    ];
    let mut badge = |text: &'static str, style: Style| {
        left.push(Span::styled(format!("[{text}]"), style));
        left.push(Span::raw(" "));
    };
    if model.mask().is_on() {
        badge("MASKED", theme::STRONG);
    }
    if facts.demo {
        badge("DEMO", theme::GOOD);
    }
    if facts.read_only {
        badge("READ-ONLY", theme::STRONG);
    }
    if facts.insecure {
        badge("TLS NOT VERIFIED", theme::ALARM);
    }
    if facts.protected {
        badge("PROTECTED", theme::STRONG);
    }
    if model.is_running() {
        badge(running_word(model), theme::WARNING);
    }
    let marked = model.store().marked();
    let counts = match model.discovery() {
        Fetched::Ready(()) | Fetched::Failed(_) => {
            format!("{} ext  {} events  ", model.extensions().len(), model.store().len())
        }
        Fetched::Not | Fetched::UnderWay => "reading…  ".to_owned(),
    };
    let mut marks = match model.hidden_marks() {
        0 => format!("* {marked} marked "),
        hidden => format!("* {marked} marked ({hidden} hidden) "),
    };
    let width = usize::from(model.layout().header.width);
    let used: usize = left.iter().map(Span::width).sum();
    let mut counts = counts;
    let fixed = text::width(&marks);
    if used + text::width(&counts) + fixed > width {
        counts.clear();
    }
    // The marks and the badges never go away: the profile and host give way to them.
    let room = width.saturating_sub(text::width(&counts) + fixed);
    if used > room {
        left.truncate(1);
        left.extend(badges_only(model));
    }
    let used: usize = left.iter().map(Span::width).sum();
    if used > room {
        marks = match model.hidden_marks() {
            0 => format!(" *{marked}"),
            hidden => format!(" *{marked} ~{hidden}"),
        };
    }
    left.push(Span::raw(" ".repeat(room.saturating_sub(used))));
    left.push(Span::raw(counts));
    left.push(Span::styled(marks, if marked > 0 { theme::STRONG } else { theme::PLAIN }));
    Line::from(left)
}

fn badges_only(model: &Model) -> Vec<Span<'static>> {
    let facts = model.facts();
    let badges = [
        (model.mask().is_on(), "[MASKED]", theme::STRONG),
        (facts.demo, "[DEMO]", theme::GOOD),
        (facts.read_only, "[READ-ONLY]", theme::STRONG),
        (facts.insecure, "[TLS NOT VERIFIED]", theme::ALARM),
        (model.is_simulating(), "[SIMULATING]", theme::WARNING),
        (model.is_running() && !model.is_simulating(), "[RUNNING]", theme::WARNING),
    ];
    let on = badges.into_iter().filter(|(on, ..)| *on);
    on.map(|(_, text, style)| Span::styled(text, style)).collect()
}

fn running_word(model: &Model) -> &'static str {
    if model.is_simulating() { "SIMULATING" } else { "RUNNING" }
}

fn prompt(model: &Model) -> Line<'static> {
    let columns = usize::from(model.layout().prompt.width).saturating_sub(2);
    match (model.dialog(), model.current_notice()) {
        (Some(Dialog::Filter { panel: Panel::Extensions, text, .. }), _) => {
            typed_line("filter extensions", text, columns)
        }
        (Some(Dialog::Filter { text, .. }), _) => typed_line("filter events", text, columns),
        (Some(Dialog::Marking(prompt)), _) => {
            typed_line(if prompt.marks() { "mark" } else { "unmark" }, prompt.text(), columns)
        }
        (_, Some(notice)) => {
            let style = match notice.tone {
                Tone::Plain => theme::PLAIN,
                Tone::Good => theme::GOOD,
                Tone::Warning => theme::WARNING,
            };
            let text = text::clip(&model.mask().text(&notice.text), columns);
            Line::styled(format!(" {text}"), style)
        }
        (_, None) => Line::default(),
    }
}

/// What there is to say about the line that is being typed.
fn about_typed(model: &Model) -> Option<Span<'static>> {
    match model.dialog()? {
        Dialog::Filter { refused: Some(error), .. } => {
            Some(Span::styled(error.to_string(), theme::WARNING))
        }
        Dialog::Filter { refused: None, .. } => {
            Some(Span::styled("Enter keeps it, Esc takes it back", theme::FAINT))
        }
        Dialog::Marking(prompt) => Some(meaning(prompt)),
        Dialog::Review(_) | Dialog::Undo(_) | Dialog::Leave | Dialog::Help { .. } => None,
    }
}

/// What Enter would do in the prompt of `T`.
fn meaning(prompt: &MarkPrompt) -> Span<'static> {
    let (marks, changes) = (prompt.marks(), prompt.changes());
    match prompt.meant() {
        Err(error) => Span::styled(error.to_string(), theme::WARNING),
        Ok(_) if prompt.is_empty() => {
            let dash = if marks { "- first unmarks" } else { "another - negates" };
            let text = format!("which events of all loaded extensions; {dash}");
            Span::styled(text, theme::FAINT)
        }
        Ok(Meant { events: 0, .. }) => Span::styled("means no event", theme::WARNING),
        Ok(Meant { events, marked, .. }) => {
            let verb = if marks { "marks" } else { "unmarks" };
            let events = count_of(events, "event");
            Span::raw(format!("{events}, {marked} marked: Enter {verb} {changes}, Esc leaves"))
        }
    }
}

/// A line that is being typed, its end in sight.
fn typed_line(what: &str, typed: &str, columns: usize) -> Line<'static> {
    let room = columns.saturating_sub(text::width(what) + 2);
    let typed = text::clip_front(typed, room);
    Line::from(vec![
        Span::styled(format!(" {what}: {typed}"), theme::STRONG),
        Span::styled(" ", theme::CURSOR),
    ])
}

fn hint_line(model: &Model, width: u16) -> Line<'static> {
    let context = match model.dialog() {
        None | Some(Dialog::Filter { .. } | Dialog::Marking(_)) => Context::Browse,
        Some(Dialog::Review(_)) => Context::Review,
        Some(Dialog::Undo(_)) => Context::Undo,
        Some(Dialog::Leave) => Context::Leave,
        Some(Dialog::Help { .. }) => Context::Help,
    };
    // No other key does anything else while a line is being typed.
    if let Some(about) = about_typed(model) {
        let text = text::clip(&about.content, usize::from(width).saturating_sub(2));
        return Line::styled(format!(" {text}"), about.style);
    }
    let mut spans = Vec::new();
    if model.is_running() && context == Context::Browse {
        spans.push(Span::styled(" Esc stop after what is in flight  p pause  ", theme::WARNING));
    }
    if model.marking_waits_for() > 0 && !model.is_running() && context == Context::Browse {
        let waiting = count_of(model.marking_waits_for(), "extension");
        spans.push(Span::styled(format!(" Esc give up marking in {waiting}  "), theme::WARNING));
    }
    let mut hints: Vec<[Span<'static>; 2]> = hints(context)
        .map(|(key, word)| {
            let key = Span::styled(format!(" {key}"), theme::STRONG);
            [key, Span::raw(format!(" {word} "))]
        })
        .collect();
    // The way to all the others is the last one to go.
    let last = hints.pop().filter(|_| context == Context::Browse);
    let room = usize::from(width).saturating_sub(last.as_ref().map_or(0, |hint| wide(hint)));
    for hint in hints {
        if wide(&spans) + wide(&hint) > room {
            break;
        }
        spans.extend(hint);
    }
    spans.extend(last.into_iter().flatten());
    Line::from(spans)
}

fn wide(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// A panel's frame, and the room inside.
fn frame_panel(
    model: &Model,
    frame: &mut Frame<'_>,
    area: Rect,
    panel: Panel,
    title: &str,
    right: &str,
) -> Rect {
    let focused = model.focus() == panel;
    let border = if focused { theme::FOCUSED } else { theme::FAINT };
    let style = if focused { theme::STRONG } else { theme::PLAIN };
    let room = usize::from(area.width.saturating_sub(4));
    let right = text::clip(right, room / 2);
    let title = text::clip(title, room.saturating_sub(text::width(&right) + 2));
    let block = Block::bordered()
        .border_style(border)
        .title(Line::styled(format!(" {title} "), style))
        .title(
            Line::from(if right.is_empty() { right } else { format!(" {right} ") }).right_aligned(),
        );
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// One row of a list: a marker column, so that the cursor never depends on colour alone, and the
/// row reversed in the panel in focus.
fn put_row(
    frame: &mut Frame<'_>,
    inner: Rect,
    offset: usize,
    cursor: Option<bool>,
    line: Line<'_>,
) {
    let Ok(offset) = u16::try_from(offset) else {
        return;
    };
    if offset >= inner.height {
        return;
    }
    let row = Rect { y: inner.y + offset, height: 1, ..inner };
    let marker = if cursor.is_some() { ">" } else { " " };
    let mut spans = vec![Span::raw(marker)];
    spans.extend(line.spans);
    frame.render_widget(Paragraph::new(Line::from(spans).style(line.style)), row);
    if cursor == Some(true) {
        frame.buffer_mut().set_style(row, theme::CURSOR);
    }
}
