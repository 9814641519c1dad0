//! The Events panel: one extension's events grouped by type, and the one under the cursor in full.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Text, Span};

use crate::app::{Line, Model, Panel, count_of};
use crate::domain::{EventType, EventView, Extension, Failure, Fetched, Listing, Status};

use super::{called, frame_panel, put_row, text, theme};

/// Columns of an id in the list; the whole of it stands in the details.
const ID: usize = 8;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(extension) = model.shown_extension() else {
        frame_panel(model, frame, area, Panel::Events, "2 Events", "");
        return;
    };
    let listing = model.current_listing();
    let title = format!("2 Events of {}", called(model, extension));
    let inner = frame_panel(model, frame, area, Panel::Events, title.trim_end(), &counts(model));
    let rows = model.layout().rows(Panel::Events);
    match listing {
        Some(listing) if model.event_lines() > 0 => {
            lines(model, extension, listing, frame, inner, rows);
            details(model, listing, frame, inner, rows);
        }
        Some(_) | None => {
            for (offset, line) in empty(model, extension, inner.width).into_iter().enumerate() {
                put_row(frame, inner, offset, None, line);
            }
        }
    }
}

fn counts(model: &Model) -> String {
    let Some(listing) = model.current_listing() else {
        return String::new();
    };
    let filter = model.filter(Panel::Events);
    let incomplete = match listing.is_complete() {
        _ if model.is_not_read_again(listing.extension()) => "? NOT READ AGAIN",
        false if listing.is_unproven() => " EMPTY?",
        true => "",
        false => " NOT COMPLETE",
    };
    if filter.is_empty() {
        format!("{}{incomplete}", listing.len())
    } else {
        format!("{} {}/{}{incomplete}", filter.text(), model.admitted_events(), listing.len())
    }
}

fn empty(model: &Model, extension: &Extension, width: u16) -> Vec<Text<'static>> {
    let faint = |text: &str| vec![Text::styled(text.to_owned(), theme::FAINT)];
    match model.listing_state(&extension.number) {
        Fetched::Failed(failure) => {
            let columns = usize::from(width).saturating_sub(1);
            let failure = model.mask().text(&failure.to_string());
            let mut lines = text::wrap(&format!("could not be read: {failure}"), columns);
            lines.push("R reads again".to_owned());
            lines.into_iter().map(|line| Text::styled(line, theme::WARNING)).collect()
        }
        Fetched::UnderWay => faint("reading…"),
        Fetched::Not => faint("not read yet: R reads it"),
        Fetched::Ready(()) => match model.current_listing().map(Listing::len) {
            Some(0) | None if model.is_not_read_again(&extension.number) => {
                let columns = usize::from(width).saturating_sub(1);
                let words =
                    "could not be read again: nothing is known of what is there now. R reads again";
                let lines = text::wrap(words, columns).into_iter();
                lines.map(|line| Text::styled(line, theme::WARNING)).collect()
            }
            Some(0) if model.current_listing().is_some_and(Listing::is_unproven) => {
                let columns = usize::from(width).saturating_sub(1);
                let words = "empty? The PBX lists no event here, and none of what it lists has shown yet \
                             that its user reaches this extension";
                text::wrap(words, columns).into_iter().map(Text::from).collect()
            }
            Some(0) | None => faint("no events"),
            Some(count) => {
                let filter = model.filter(Panel::Events).text().to_owned();
                faint(&format!("{count} events, none has {filter:?}: Esc clears the filter"))
            }
        },
    }
}

fn lines(
    model: &Model,
    extension: &Extension,
    listing: &Listing,
    frame: &mut Frame<'_>,
    inner: Rect,
    rows: usize,
) {
    let cursor = model.cursor(Panel::Events);
    let focused = model.focus() == Panel::Events;
    let columns = usize::from(inner.width).saturating_sub(1);
    for offset in 0..rows {
        let index = cursor.top + offset;
        let Some(line) = model.event_line(index) else {
            break;
        };
        let row = match line {
            Line::Group { event_type, rows, admitted, open } => {
                group_row(model, *event_type, rows.clone(), *admitted, *open, columns)
            }
            Line::Event(row) => match listing.row(*row) {
                Some(event) => {
                    let marked = model.store().is_marked(&extension.number, *row);
                    event_row(model, &event, marked, columns)
                }
                None => Text::default(),
            },
            Line::Odd(index) => odd_row(model, listing, *index, columns),
        };
        let at = (index == cursor.at && focused).then_some(true);
        put_row(frame, inner, offset, at, row);
    }
}

fn group_row(
    model: &Model,
    event_type: EventType,
    rows: Range<usize>,
    admitted: usize,
    open: bool,
    columns: usize,
) -> Text<'static> {
    let all = rows.len();
    let marked = model
        .shown_extension()
        .map_or(0, |e| rows.clone().filter(|row| model.store().is_marked(&e.number, *row)).count());
    let fold = if open { "v" } else { ">" };
    let mark_box = text::mark_box(model.box_of_rows(rows));
    let left = format!("{fold} {mark_box} {event_type}");
    let count = if admitted == all { all.to_string() } else { format!("{admitted}/{all}") };
    let right = if marked > 0 { format!("{count}  {marked} marked") } else { count };
    let room = columns.saturating_sub(text::width(&right) + 1);
    Text::styled(format!("{} {right}", text::column(&left, room)), theme::STRONG)
}

fn event_row(model: &Model, event: &EventView<'_>, marked: bool, columns: usize) -> Text<'static> {
    let mark_box = if marked { "[x]" } else { "[ ]" };
    let id: String = event.id().chars().take(ID).collect();
    let method = text::clip(&event.method().to_string(), 4);
    let lead = format!("  {mark_box} {id:<ID$} {method:<4} ");
    let failure = model.failure_of(&event.key());
    let tail_width = (columns / 5).clamp(8, 30);
    let tail = match failure {
        Some(failure) => text::column(&failure_words(model, failure), tail_width),
        None => text::column(&model.mask().words(&event.note()), tail_width),
    };
    let status = format!("{:<3}", text::clip(&event.status().to_string(), 3));
    let room = columns.saturating_sub(text::width(&lead) + tail_width + 5);
    let url = text::column(&text::url(&model.mask().url(&event.url()), room), room);
    let style = match event.status() {
        _ if marked => theme::STRONG,
        Status::Disabled => theme::FAINT,
        Status::Enabled | Status::Other(_) => theme::PLAIN,
    };
    let tail_style = if failure.is_some() { theme::DANGER } else { style };
    Text::from(vec![
        Span::styled(format!("{lead}{url} {status} "), style),
        Span::styled(tail, tail_style),
    ])
}

fn failure_words(model: &Model, failure: &Failure) -> String {
    format!("! {}", model.mask().text(&failure.to_string()))
}

fn odd_row(model: &Model, listing: &Listing, index: usize, columns: usize) -> Text<'static> {
    let odd = listing.odd().get(index);
    let text = odd.map(|odd| model.mask().words(&odd.text)).unwrap_or_default();
    Text::styled(text::clip(&format!("  [!] {text}"), columns), theme::WARNING)
}

fn details(model: &Model, listing: &Listing, frame: &mut Frame<'_>, inner: Rect, rows: usize) {
    let height = usize::from(model.layout().event_details());
    let columns = usize::from(inner.width);
    let Some(line) = model.event_line(model.cursor(Panel::Events).at) else {
        return;
    };
    let lines = match line {
        Line::Event(row) => {
            listing.row(*row).map(|event| about_event(model, &event, columns, height))
        }
        Line::Odd(index) => listing.odd().get(*index).map(|odd| {
            let mask = model.mask();
            let mut lines = text::wrap(&mask.words(&odd.text), columns);
            let reason = mask.text(&odd.reason);
            lines.insert(0, format!("cannot be deleted from here: {reason}"));
            lines
        }),
        Line::Group { event_type, rows, .. } => Some(vec![format!(
            "{event_type}: {}; space marks the whole type",
            count_of(rows.len(), "event")
        )]),
    };
    let Some(lines) = lines else { return };
    let all = std::iter::once("─".repeat(columns)).chain(lines).take(height);
    for (offset, line) in all.enumerate() {
        let Ok(offset) = u16::try_from(rows + offset) else {
            return;
        };
        if offset < inner.height {
            let row = Rect { y: inner.y + offset, height: 1, ..inner };
            let style = if line.starts_with('─') { theme::FAINT } else { theme::PLAIN };
            frame.render_widget(Text::styled(line, style), row);
        }
    }
}

/// Two lines in a low panel, seven in a high one.
fn about_event(model: &Model, event: &EventView<'_>, columns: usize, height: usize) -> Vec<String> {
    let mask = model.mask();
    let (url, note) = (mask.url(&event.url()), mask.words(&event.note()));
    let failure = model.failure_of(&event.key()).map(|failure| failure_words(model, failure));
    let mut lines = vec![
        text::clip(&format!("{} {url}", event.method()), columns),
        match (&failure, height) {
            (Some(failure), 0..=3) => text::clip(failure, columns),
            _ => text::clip(
                &format!("id {}  {}  {note}", event.id(), event.modified().day()),
                columns,
            ),
        },
    ];
    if height > 4 {
        lines = text::wrap(&format!("{} {url}", event.method()), columns);
        lines.truncate(2);
        lines.push(format!("id       {}", event.id()));
        lines.push(format!("status   {}   modified {}", event.status(), event.modified()));
        lines.push(text::clip(&format!("note     {note}"), columns));
        if let Some(failure) = failure {
            lines.extend(text::wrap(&failure, columns));
        }
    }
    lines
}
