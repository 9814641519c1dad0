//! What stands over the panels: the review, the question before leaving, the page of keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use crate::app::{BINDINGS, Binding, Context, Model, Review, UndoReview, count_of};
use crate::change::{Difference, Drifted, Plan};
use crate::domain::{Call, CallForm, DeleteCall, Mask};

use super::{text, theme};

/// The frozen plan as literal calls, with everything an operator has to know before yes.
pub(super) fn review(model: &Model, review: &Review, frame: &mut Frame<'_>) {
    let mask = model.mask();
    let host = mask.host(model.facts().target.host());
    let count = count_of(review.events(), "phone call event");
    let screen = frame.area();
    let columns = usize::from(screen.width).saturating_sub(6).min(112);
    let mut before = facts(model, review, columns);
    let after = question(model, review, columns);
    // One row each for the header, both borders and the position; a call takes up to three. The
    // question is never what has to give way.
    let height = usize::from(screen.height).saturating_sub(after.len() + 4);
    let most = height.saturating_sub(3);
    // The last line is blank and may go unsaid; anything else may not.
    if before.len() > most + 1 {
        before.truncate(most.saturating_sub(1));
        before.push(Line::styled("… a larger window shows all of it", theme::WARNING));
    }
    before.truncate(most);
    let room = height.saturating_sub(before.len());
    let lines = before.into_iter().chain(calls(mask, review, room, columns)).chain(after).collect();
    window(frame, &format!(" DELETE {count} on {host} "), columns, lines, true);
}

fn facts(model: &Model, review: &Review, columns: usize) -> Vec<Line<'static>> {
    let mut texts = Vec::new();
    // On a small screen what drifted has to be seen first.
    if model.layout().whole.height >= 20 || review.drifted().next().is_none() {
        let text = "The service has no undo. Every event is written to a run file first.";
        texts.push((text.to_owned(), theme::PLAIN));
    }
    if review.from_cursor {
        let text = "Nothing is marked: this is the row under the cursor.".to_owned();
        texts.push((text, theme::WARNING));
    }
    texts.push(match review.plan() {
        Some(plan) => (plan_words(review, plan), theme::STRONG),
        None => ("Nothing is left as it was marked.".to_owned(), theme::STRONG),
    });
    texts.extend(check_words(model.mask(), review));
    if review.hidden > 0 {
        let all = review.events();
        let text = format!("! {} of the {all} are hidden by a filter:", review.hidden);
        texts.push((text, theme::WARNING));
        texts.extend(hidden_names(model, review).into_iter().map(|name| (name, theme::WARNING)));
    }
    let warning = review.plan().and_then(|plan| wide_warning(plan));
    texts.extend(warning.map(|text| (text.to_owned(), theme::WARNING)));
    let wrapped = texts.into_iter().flat_map(|(text, style)| {
        text::wrap(&text, columns).into_iter().map(move |line| Line::styled(line, style))
    });
    wrapped.chain([Line::default()]).collect()
}

fn plan_words(review: &Review, plan: &Plan) -> String {
    let calls = count_of(plan.calls(), "call");
    let extensions = count_of(plan.extensions(), "extension");
    let (form, hash) = (review.form(), plan.hash().short());
    let unused = if form == CallForm::Event || plan.is_wide() { "" } else { " (fits none)" };
    let form = form.name();
    format!("{calls} in {extensions}, call form: {form}{unused}, plan {hash}")
}

/// How far it is known whether everything is as it was marked, and what is not.
fn check_words(mask: &Mask, review: &Review) -> Vec<(String, Style)> {
    const NAMED: usize = 3;
    let mut texts = Vec::new();
    let (read, all) = review.progress();
    if review.is_reading() {
        let extensions = count_of(all, "extension");
        texts.push((format!("reading {extensions} again… {read} of {all}"), theme::FAINT));
    }
    for (extension, failure) in review.unreadable().iter().take(NAMED) {
        let (number, failure) = (mask.number(extension), mask.text(&failure.to_string()));
        texts.push((format!("! {number} could not be checked: {failure}"), theme::WARNING));
    }
    let unnamed = review.unreadable().len().saturating_sub(NAMED);
    if unnamed > 0 {
        texts.push((
            format!("! and {} more could not be", count_of(unnamed, "extension")),
            theme::WARNING,
        ));
    }
    let drifted: Vec<&Drifted> = review.drifted().collect();
    if drifted.is_empty() {
        return texts;
    }
    let there = drifted.iter().filter(|one| one.can_be_added()).count();
    let add = if there > 0 { format!("; + adds {there} as listed now") } else { String::new() };
    let events = count_of(drifted.len(), "event");
    texts.push((format!("! {events} not as marked, left out{add}:"), theme::WARNING));
    for one in drifted.iter().take(NAMED) {
        let key = &one.key;
        let what = match &one.difference {
            Difference::Changed(fields) => format!("changed: {}", fields.join(", ")),
            Difference::Gone => "not listed any more".to_owned(),
            Difference::Appeared => "new where all was marked".to_owned(),
        };
        let number = mask.number(&key.extension);
        let text = format!("    {number} {} {}  {what}", key.event_type, key.id);
        texts.push((text, theme::WARNING));
    }
    if drifted.len() > NAMED {
        texts.push((format!("    and {} more", drifted.len() - NAMED), theme::WARNING));
    }
    texts
}

/// What else the calls could remove, in plain words.
fn wide_warning(plan: &Plan) -> Option<&'static str> {
    let by_type = (0..plan.calls())
        .any(|at| matches!(plan.call(at), Some(Call::Delete(DeleteCall::Type(..)))));
    if by_type {
        return Some(
            "! A call without an event id removes every event of its type, also any added since \
             it was read; read literally, the service may even remove those of all types.",
        );
    }
    plan.is_wide().then_some(
        "! A call without an event id removes every event of its extension, also any added since \
         it was read.",
    )
}

/// The first hidden events by name, and how many more there are.
fn hidden_names(model: &Model, review: &Review) -> Vec<String> {
    const NAMED: usize = 3;
    let events = review.plan().into_iter().flat_map(|plan| plan.events());
    let hidden = events.filter(|event| {
        model.store().listing(&event.key.extension).is_some_and(|listing| {
            listing.find(&event.key).is_some_and(|row| model.is_hidden(listing, row))
        })
    });
    let mask = model.mask();
    let named = hidden.take(NAMED).map(|event| {
        let key = &event.key;
        let (number, url) = (mask.number(&key.extension), mask.url(&event.url));
        format!("    {number} {} {} {url}", key.event_type, key.id)
    });
    let mut names: Vec<String> = named.collect();
    if review.hidden > NAMED {
        names.push(format!("    and {} more: n, then 4 shows them", review.hidden - NAMED));
    }
    names
}

/// As many whole calls as fit in `room` lines, from the first in sight on.
fn calls(mask: &Mask, review: &Review, room: usize, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let Some(plan) = review.plan() else { return lines };
    let mut end = review.top;
    while end < plan.calls() {
        let call = call_lines(mask, plan, end, columns);
        if !lines.is_empty() && lines.len() + call.len() > room {
            break;
        }
        lines.extend(call);
        end += 1;
    }
    if end - review.top < plan.calls() {
        let position = format!("    {}–{end} of {}, j k scroll", review.top + 1, plan.calls());
        lines.push(Line::styled(position, theme::FAINT));
    } else {
        lines.push(Line::default());
    }
    lines
}

/// `1/4 DELETE /uapi/…`, whole, on as many lines as it takes.
fn call_lines(mask: &Mask, plan: &Plan, index: usize, columns: usize) -> Vec<Line<'static>> {
    let Some(call) = plan.call(index) else { return Vec::new() };
    let all = plan.calls();
    let number = format!("{:>digits$}/{all} DELETE ", index + 1, digits = all.to_string().len());
    let indent = " ".repeat(number.len());
    let style = if call.is_wide() { theme::WARNING } else { theme::PLAIN };
    let path = mask.path(&call.path(plan.target()));
    let mut lines = text::wrap_path(&path, columns.saturating_sub(number.len()));
    if call.is_wide() {
        let remark = format!("({})", count_of(plan.covers(index).len(), "phone call event"));
        match lines.last_mut() {
            Some(last) if number.len() + last.len() + remark.len() + 2 <= columns => {
                *last = format!("{last}  {remark}");
            }
            Some(_) | None => lines.push(remark),
        }
    }
    let lead = |place: usize| if place == 0 { number.clone() } else { indent.clone() };
    let styled = lines.into_iter().enumerate();
    styled.map(|(place, line)| Line::styled(format!("{}{line}", lead(place)), style)).collect()
}

fn question(model: &Model, review: &Review, columns: usize) -> Vec<Line<'static>> {
    let count = review.events();
    let read_only = model.facts().read_only;
    let mut lines = Vec::new();
    if read_only {
        lines.push(Line::styled(
            "This profile is read-only: y does nothing, s simulates.",
            theme::WARNING,
        ));
    } else if review.is_agreed() {
        let text = "Deleting as soon as it has been read again; n Esc takes it back.";
        lines.push(Line::styled(text, theme::STRONG));
    } else if review.must_type() {
        let state = if review.is_armed() { "  y is armed" } else { "" };
        lines.push(Line::from(vec![
            Span::styled(format!("Type {count} to arm the y key: {}", review.typed), theme::STRONG),
            Span::styled(" ", theme::CURSOR),
            Span::raw(state),
        ]));
    }
    let yes = if review.is_armed() && !read_only { theme::DANGER } else { theme::FAINT };
    let mut keys = vec![
        Span::styled("n Esc", theme::STRONG),
        Span::raw(" cancel   "),
        Span::styled("t", theme::STRONG),
        Span::raw(" call form   "),
    ];
    // Where there is no room for all, the line of keys at the bottom has them.
    if columns >= 68 {
        keys.extend([
            Span::styled("s", theme::STRONG),
            Span::raw(" simulate   "),
            Span::styled("c", theme::STRONG),
            Span::raw(" copy   "),
        ]);
    }
    keys.push(Span::styled(format!("y DELETE {count}"), yes));
    lines.push(Line::from(keys));
    if columns >= 60 {
        lines.push(Line::styled("(Enter does nothing here)", theme::FAINT));
    }
    lines
}

/// The creations that bring back what a run took.
pub(super) fn undo(mask: &Mask, review: &UndoReview, frame: &mut Frame<'_>) {
    let plan = review.plan();
    let screen = frame.area();
    let columns = usize::from(screen.width).saturating_sub(6).min(112);
    let room = usize::from(screen.height).saturating_sub(9);
    let all = plan.events().len();
    let mut lines = vec![
        Line::styled(
            format!("Takes back run {}", plan.undoes().unwrap_or_default()),
            theme::STRONG,
        ),
        Line::from("The service gives new ids. What is there already is not made twice."),
        Line::default(),
    ];
    for (place, event) in plan.events().iter().enumerate().skip(review.top).take(room) {
        let key = &event.key;
        let Some(path) = plan.call(place).map(|call| call.path(plan.target())) else { continue };
        let path = mask.path(&path);
        let call = format!("{}/{all} POST {path}  {}", place + 1, key.event_type);
        let url = mask.url(&event.url);
        lines.push(Line::from(text::clip(&format!("{call} {url}"), columns)));
    }
    lines.push(Line::default());
    lines.push(Line::from(vec![
        Span::styled("n Esc", theme::STRONG),
        Span::raw(" cancel   "),
        Span::styled(format!("y MAKE {all} AGAIN"), theme::DANGER),
    ]));
    let title = format!(" UNDO: make {} ", count_of(all, "phone call event"));
    window(frame, &title, columns, lines, true);
}

pub(super) fn leave(model: &Model, frame: &mut Frame<'_>) {
    let in_flight = model.in_flight();
    let columns = usize::from(frame.area().width).saturating_sub(6).min(68);
    let text = format!(
        "A run is going on, {} in flight. What is not sent keeps its event; the run file says what \
         was done.",
        count_of(in_flight, "call")
    );
    let mut lines: Vec<Line<'_>> = text::wrap(&text, columns).into_iter().map(Line::from).collect();
    lines.push(Line::default());
    lines.push(Line::from(vec![
        Span::styled("n Esc", theme::STRONG),
        Span::raw(" stay   "),
        Span::styled("y", theme::DANGER),
        Span::raw(" stop after what is in flight, leave"),
    ]));
    window(frame, " Leave? ", columns, lines, true);
}

pub(super) fn help(top: usize, frame: &mut Frame<'_>) {
    let columns = usize::from(frame.area().width).saturating_sub(6).min(96);
    let height = usize::from(frame.area().height).saturating_sub(1);
    let mut lines = Vec::new();
    for (context, title) in [
        (Context::Browse, "Panels"),
        (Context::Review, "In the review"),
        (Context::Undo, "In the review of an undo"),
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
    for line in text::wrap(binding.help, columns.saturating_sub(20)) {
        rows.push(Line::from(vec![
            Span::styled(format!("  {} ", text::column(&keys, 17)), theme::STRONG),
            Span::raw(line),
        ]));
        keys.clear();
    }
    rows
}

fn window(frame: &mut Frame<'_>, title: &str, columns: usize, lines: Vec<Line<'_>>, alarm: bool) {
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
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
