//! What stands over the panels: the review, the question before leaving, the page of keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use crate::app::{BINDINGS, Binding, Context, Model, Review};
use crate::domain::PhoneCallEvent;

use super::{text, theme};

/// The frozen plan as literal calls, with everything an operator has to know before yes.
pub(super) fn review(model: &Model, review: &Review, frame: &mut Frame<'_>) {
    let plan = review.plan();
    let count = plan.events().len();
    let host = model.facts().target.host();
    let title = format!(" DELETE {} on {host} ", events(count));
    let screen = frame.area();
    let columns = Review::columns(screen.width);
    let mut lines = facts(model, review, columns);
    let sight = review.calls_in_sight(screen.width, screen.height);
    lines.extend(calls(review, sight, columns));
    lines.push(Line::default());
    lines.extend(question(model, review));
    window(frame, &title, columns, lines, true);
}

fn facts(model: &Model, review: &Review, columns: usize) -> Vec<Line<'static>> {
    let plan = review.plan();
    let mut lines =
        vec![Line::from("The service has no undo. Every event is written to a run file first.")];
    if review.from_cursor {
        lines.push(Line::styled(
            "Nothing is marked: this is the row under the cursor.",
            theme::WARNING,
        ));
    }
    lines.push(Line::from(format!(
        "{} in {}, call form: {}   plan {}",
        calls_word(plan.calls()),
        extensions_word(plan.extensions()),
        review.form().name(),
        plan.hash().short(),
    )));
    if review.hidden > 0 {
        let text =
            format!("! {} of the {} are hidden by a filter:", review.hidden, plan.events().len());
        lines.push(Line::styled(text, theme::WARNING));
        for name in hidden_names(model, plan.events()).into_iter().take(3) {
            lines.push(Line::styled(text::clip(&format!("    {name}"), columns), theme::WARNING));
        }
    }
    if plan.is_wide() {
        let text = "! A call without an event id removes every event of its extension (or type), \
                    also any added since it was read, and read literally a type call removes all types.";
        let wrapped = text::wrap(text, columns);
        lines.extend(wrapped.into_iter().map(|line| Line::styled(line, theme::WARNING)));
    }
    lines.push(Line::default());
    lines
}

fn hidden_names(model: &Model, events: &[PhoneCallEvent]) -> Vec<String> {
    let hidden = events.iter().filter(|event| {
        model.store().listing(&event.key.extension).is_some_and(|listing| {
            listing.find(&event.key).is_some_and(|row| model.is_hidden(listing, row))
        })
    });
    hidden
        .take(3)
        .map(|event| {
            format!(
                "{} {} {} {}",
                event.key.extension, event.key.event_type, event.key.id, event.url
            )
        })
        .collect()
}

fn calls(review: &Review, sight: usize, columns: usize) -> Vec<Line<'static>> {
    let plan = review.plan();
    let top = review.scroll.top;
    let end = (top + sight).min(plan.calls());
    let digits = plan.calls().to_string().len();
    let two_lines = review.lines_per_call(columns) == 2;
    let mut lines = Vec::new();
    for index in top..end {
        let Some(call) = plan.call(index) else { continue };
        let covers = plan.covers(index).len();
        let remark = if call.is_wide() { format!("  ({})", events(covers)) } else { String::new() };
        let number = format!("{:>digits$}/{} DELETE ", index + 1, plan.calls());
        let style = if call.is_wide() { theme::WARNING } else { theme::PLAIN };
        let path = call.path(plan.target());
        match path.rsplit_once("phoneCallEvents").filter(|_| two_lines) {
            Some((front, back)) => {
                let indent = " ".repeat(number.len() + 2);
                lines.push(Line::styled(format!("{number}{front}phoneCallEvents"), style));
                lines.push(Line::styled(format!("{indent}{back}{remark}"), style));
            }
            None => lines.push(Line::styled(format!("{number}{path}{remark}"), style)),
        }
    }
    if plan.calls() > sight {
        lines.push(Line::styled(
            format!("   {}–{end} of {}, j k scroll", top + 1, plan.calls()),
            theme::FAINT,
        ));
    }
    lines
}

fn question(model: &Model, review: &Review) -> Vec<Line<'static>> {
    let count = review.plan().events().len();
    let mut lines = Vec::new();
    if model.facts().read_only {
        lines.push(Line::styled("This profile is read-only: y does nothing.", theme::WARNING));
    } else if review.must_type() {
        let typed = &review.typed;
        let state = if review.is_armed() { "  y is armed" } else { "" };
        lines.push(Line::from(vec![
            Span::styled(format!("Type {count} to arm the y key: {typed}"), theme::STRONG),
            Span::styled(" ", theme::CURSOR),
            Span::raw(state),
        ]));
    }
    let yes =
        if review.is_armed() && !model.facts().read_only { theme::DANGER } else { theme::FAINT };
    lines.push(Line::from(vec![
        Span::styled("n Esc", theme::STRONG),
        Span::raw(" cancel   "),
        Span::styled("t", theme::STRONG),
        Span::raw(" call form   "),
        Span::styled(format!("y DELETE {count}"), yes),
        Span::styled("   (Enter does nothing here)", theme::FAINT),
    ]));
    lines
}

pub(super) fn leave(model: &Model, frame: &mut Frame<'_>) {
    let in_flight = model.run().map_or(0, |active| active.run.in_flight());
    let lines = vec![
        Line::from(format!("A run is going on, {} in flight.", calls_word(in_flight))),
        Line::from("What is not sent keeps its event; the run file says what was done."),
        Line::default(),
        Line::from(vec![
            Span::styled("n Esc", theme::STRONG),
            Span::raw(" stay   "),
            Span::styled("y", theme::DANGER),
            Span::raw(" stop after what is in flight, then leave"),
        ]),
    ];
    window(frame, " Leave? ", 68, lines, true);
}

pub(super) fn help(top: usize, frame: &mut Frame<'_>) {
    let columns = usize::from(frame.area().width).saturating_sub(6).min(96);
    let height = usize::from(frame.area().height).saturating_sub(2);
    let mut lines = Vec::new();
    for (context, title) in [
        (Context::Browse, "Panels"),
        (Context::Review, "In the review"),
        (Context::Leave, "Leaving during a run"),
        (Context::Help, "On this page"),
    ] {
        lines.push(Line::styled(title, theme::STRONG));
        for binding in BINDINGS.iter().filter(|binding| binding.context == context) {
            lines.extend(help_rows(binding, columns));
        }
        lines.push(Line::default());
    }
    let most = lines.len().saturating_sub(height.saturating_sub(2));
    let lines = lines.into_iter().skip(top.min(most)).take(height.saturating_sub(2)).collect();
    window(frame, " Keys   j k scroll, q closes ", columns, lines, false);
}

fn help_rows(binding: &Binding, columns: usize) -> Vec<Line<'static>> {
    let mut keys = binding.shown_keys();
    let mut rows = Vec::new();
    for line in text::wrap(binding.help, columns.saturating_sub(18)) {
        rows.push(Line::from(vec![
            Span::styled(format!("  {} ", text::column(&keys, 15)), theme::STRONG),
            Span::raw(line),
        ]));
        keys.clear();
    }
    rows
}

fn window(frame: &mut Frame<'_>, title: &str, columns: usize, lines: Vec<Line<'_>>, alarm: bool) {
    let screen = frame.area();
    let width = u16::try_from(columns + 4).unwrap_or(screen.width).min(screen.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(screen.height).min(screen.height);
    let area =
        Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height };
    let style = if alarm { theme::DANGER } else { theme::FOCUSED };
    let block = Block::bordered()
        .border_type(BorderType::Double)
        .border_style(style)
        .title(Line::styled(title.to_owned(), theme::STRONG))
        .padding(ratatui::widgets::Padding::horizontal(1));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn events(count: usize) -> String {
    if count == 1 { "1 phone call event".to_owned() } else { format!("{count} phone call events") }
}

fn calls_word(count: usize) -> String {
    if count == 1 { "1 call".to_owned() } else { format!("{count} calls") }
}

fn extensions_word(count: usize) -> String {
    if count == 1 { "1 extension".to_owned() } else { format!("{count} extensions") }
}
