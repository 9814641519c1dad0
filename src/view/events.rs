//! The Events panel: the events of one extension or of all, in groups, and the one under the cursor
//! in full.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Text, Span};

use crate::app::{Boxed, Line, Model, Panel, Scope, count_of};
use crate::domain::{
    EventGroup, EventView, Extension, Failure, Fetched, GroupKey, Grouping, Listing, Place, Status,
};

use super::{frame_panel, put_row, text, theme};

/// Columns of a number with its label, where events of several extensions stand together.
const EXTENSION: usize = 16;
/// Columns of a type's name.
const TYPE: usize = 8;
/// Columns of a note at least and at most; a URL gets the rest.
const NOTE: (usize, usize) = (8, 40);

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let title = model.events_title();
    let inner = frame_panel(model, frame, area, Panel::Events, &title, &model.events_count());
    let rows = model.layout().rows(Panel::Events);
    if model.events().is_empty() {
        for (offset, line) in empty(model, inner.width).into_iter().enumerate() {
            put_row(frame, inner, offset, None, line);
        }
        return;
    }
    let cursor = model.events().cursor();
    let focused = model.focus() == Panel::Events;
    let columns = usize::from(inner.width).saturating_sub(1);
    for offset in 0..rows {
        let index = cursor.top + offset;
        let Some(line) = model.events().line(index) else {
            break;
        };
        let row = match line {
            Line::Group { group, open } => {
                let group = model.events().group(group);
                group.map(|group| group_row(model, group, open, columns)).unwrap_or_default()
            }
            Line::Event { place, .. } => event_row(model, place, columns),
            Line::Odd(odd) => odd_row(model, odd, columns),
        };
        let row = if cursor.covers(index) { row.style(theme::RANGE) } else { row };
        let at = (index == cursor.at && focused).then_some(true);
        put_row(frame, inner, offset, at, row);
    }
    details(model, frame, inner, rows);
}

fn empty(model: &Model, width: u16) -> Vec<Text<'static>> {
    let columns = usize::from(width).saturating_sub(1);
    let wrapped = |words: &str, style| {
        let lines = text::wrap(words, columns).into_iter();
        lines.map(|line| Text::styled(line, style)).collect()
    };
    let hidden = |count: usize| {
        let filter = model.mask().text(model.events().filter().text());
        format!("{count} events, none has {filter:?}: Esc clears the filter")
    };
    match (model.events().scope(), model.shown_extension()) {
        (Some(Scope::All), _) => {
            let filtered = !model.events().filter().is_empty();
            let words = match model.store().len() {
                0 => "no event is loaded yet".to_owned(),
                _ if model.events().grouping() == Grouping::Duplicates && !filtered => {
                    "no event has duplicates; o groups by something else".to_owned()
                }
                count => hidden(count),
            };
            wrapped(&words, theme::FAINT)
        }
        (_, None) => Vec::new(),
        (_, Some(extension)) => match model.listing_state(&extension.number) {
            Fetched::Failed(failure) => {
                let failure = model.mask().text(&failure.to_string());
                let words = format!("could not be read: {failure}");
                let mut lines: Vec<Text<'static>> = wrapped(&words, theme::WARNING);
                lines.push(Text::styled("R reads again", theme::WARNING));
                lines
            }
            Fetched::UnderWay => wrapped("reading…", theme::FAINT),
            Fetched::Not => wrapped("not read yet: R reads it", theme::FAINT),
            Fetched::Ready(()) => match model.current_listing() {
                listing if model.is_not_read_again(&extension.number) && holds(listing) == 0 => {
                    let words = "could not be read again: nothing is known of what is there now. \
                                 R reads again";
                    wrapped(words, theme::WARNING)
                }
                Some(listing) if listing.is_unproven() => {
                    let words = "empty? The PBX lists no event here, and none of what it lists has \
                                 shown yet that its user reaches this extension";
                    wrapped(words, theme::PLAIN)
                }
                listing if holds(listing) == 0 => wrapped("no events", theme::FAINT),
                listing if model.events().filter().is_empty() => {
                    let count = count_of(holds(listing), "event");
                    let words = format!("{count}, none has duplicates; o groups by something else");
                    wrapped(&words, theme::FAINT)
                }
                listing => wrapped(&hidden(holds(listing)), theme::FAINT),
            },
        },
    }
}

fn holds(listing: Option<&Listing>) -> usize {
    listing.map_or(0, Listing::len)
}

fn group_row(model: &Model, group: &EventGroup, open: bool, columns: usize) -> Text<'static> {
    let EventGroup { key, rows, listed, marked } = group;
    let fold = if open { "v" } else { ">" };
    let mark_box = text::mark_box(Boxed::of(*marked, *listed));
    let left = format!("{fold} {mark_box} {}", model.group_words(key));
    let shown = rows.len();
    let count = if shown == *listed { listed.to_string() } else { format!("{shown}/{listed}") };
    let right = if *marked > 0 { format!("{count}  {marked} marked") } else { count };
    let room = columns.saturating_sub(text::width(&right) + 1);
    Text::styled(format!("{} {right}", text::column(&left, room)), theme::STRONG)
}

/// Box, then what the group does not say of the event, then host and path, status and note.
fn event_row(model: &Model, place: Place, columns: usize) -> Text<'static> {
    let events = model.events();
    let Some((listing, row)) = events.event(place, model.store()) else {
        return Text::styled("      …", theme::FAINT);
    };
    let Some(event) = listing.row(row) else { return Text::default() };
    let marked = model.store().is_marked(listing.extension(), row);
    let mut lead = format!("  {} ", if marked { "[x]" } else { "[ ]" });
    let grouping = events.grouping();
    let apart = matches!(grouping, Grouping::Extension | Grouping::Duplicates);
    if events.scope() == Some(&Scope::All) && !apart {
        let extension = model.extension(listing.extension());
        lead.push_str(&text::column(&short(model, &extension), EXTENSION));
        lead.push(' ');
    }
    if !matches!(grouping, Grouping::Type | Grouping::Duplicates) {
        lead.push_str(&text::column(&event.event_type().short(), TYPE));
        lead.push(' ');
    }
    lead.push_str(&text::column(&event.method().to_string(), 4));
    lead.push(' ');
    let status = text::column(&event.status().to_string(), 3);
    let room = columns.saturating_sub(text::width(&lead) + 5);
    let note_width = (room / 3).clamp(NOTE.0, NOTE.1);
    let url_width = room.saturating_sub(note_width);
    let url = text::column(&text::url(&model.mask().url(&event.url()), url_width), url_width);
    let failure = model.failure_of(&event.key());
    let stays = events.arrangement().stays(place);
    let style = match event.status() {
        _ if marked => theme::STRONG,
        Status::Disabled => theme::FAINT,
        Status::Enabled | Status::Other(_) => theme::PLAIN,
    };
    let (note, note_style) = match failure {
        Some(failure) => (failure_words(model, failure), theme::DANGER),
        None if stays => ("stays".to_owned(), theme::GOOD),
        None => (model.mask().words(&event.note()), style),
    };
    Text::from(vec![
        Span::styled(format!("{lead}{url} {status} "), style),
        Span::styled(text::column(&note, note_width), note_style),
    ])
}

/// Number and label alone.
fn short(model: &Model, extension: &Extension) -> String {
    let (number, label) =
        (model.mask().number(&extension.number), model.mask().words(&extension.label));
    format!("{number} {label}")
}

fn failure_words(model: &Model, failure: &Failure) -> String {
    format!("! {}", model.mask().text(&failure.to_string()))
}

fn odd_row(model: &Model, odd: usize, columns: usize) -> Text<'static> {
    let text = model.odd_row(odd).map(|odd| model.mask().words(&odd.text)).unwrap_or_default();
    Text::styled(text::clip(&format!("  [!] {text}"), columns), theme::WARNING)
}

fn details(model: &Model, frame: &mut Frame<'_>, inner: Rect, rows: usize) {
    let height = usize::from(model.layout().event_details());
    let columns = usize::from(inner.width);
    let lines = match model.events().current() {
        Some(Line::Event { place, .. }) => {
            let found = model.events().event(place, model.store());
            let event = found.and_then(|(listing, row)| listing.row(row));
            event.map(|event| about_event(model, &event, columns, height))
        }
        Some(Line::Odd(odd)) => model.odd_row(odd).map(|odd| {
            let mask = model.mask();
            let mut lines = text::wrap(&mask.words(&odd.text), columns);
            let reason = mask.text(&odd.reason);
            lines.insert(0, format!("cannot be deleted from here: {reason}"));
            lines
        }),
        Some(Line::Group { group, .. }) => {
            model.events().group(group).map(|group| about_group(model, group, columns))
        }
        None => None,
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

fn about_group(model: &Model, group: &EventGroup, columns: usize) -> Vec<String> {
    let what = match &group.key {
        GroupKey::Type(_) => "the whole type",
        GroupKey::Alike { .. } => "all of them, also the one that stays",
        GroupKey::Extension(_) | GroupKey::Host(_) | GroupKey::Note(_) | GroupKey::Owner(_) => {
            "the whole group"
        }
    };
    let (name, events) = (model.group_words(&group.key), count_of(group.rows.len(), "event"));
    text::wrap(&format!("{name}: {events}; space marks {what}"), columns)
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
