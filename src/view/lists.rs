//! The Extensions, Marked and Calls panels.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::{Boxed, ExtensionOrder, ExtensionRow, MarkedLine, Model, Panel};
use crate::domain::{Extension, Fetched, Listing};

use super::{Row, frame_panel, put, put_range, put_row, put_spans, text, theme};

pub(super) fn extensions(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let extensions = model.extensions();
    let (shown, all) = (extensions.shown(), extensions.found().len());
    let filter = extensions.filter();
    let right = if filter.is_empty() {
        format!("{all}")
    } else {
        format!("{} {shown}/{all}", model.mask().typed(filter.text()))
    };
    let title = match extensions.order() {
        ExtensionOrder::Listed => "Extensions",
        ExtensionOrder::Events => "Extensions by events",
        ExtensionOrder::Marks => "Extensions by marks",
    };
    let inner = frame_panel(model, frame, area, Panel::Extensions, title, &right);
    let cursor = extensions.cursor();
    let focused = model.focus() == Panel::Extensions;
    let columns = usize::from(inner.width).saturating_sub(1);
    let mut words = Row::new();
    for offset in 0..usize::from(inner.height) {
        let row = cursor.top + offset;
        words.clear();
        let marked = match extensions.row(row) {
            Some(ExtensionRow::All) => all_row(model, &mut words),
            Some(ExtensionRow::One(extension)) => extension_row(model, extension, &mut words),
            None if shown == 0 && row == 1 => {
                let words = "the filter hides every extension: Esc clears it";
                for (below, line) in text::wrap(words, columns).into_iter().enumerate() {
                    let line = Line::styled(line, theme::WARNING);
                    put_row(frame, inner, offset + below, None, line);
                }
                break;
            }
            None => break,
        };
        if marked > 0 {
            put(&mut words.right, format_args!("*{marked}"));
        }
        words.join(columns);
        let style = if marked > 0 { theme::STRONG } else { theme::PLAIN };
        let at = (row == cursor.at).then_some(focused);
        put_spans(frame, inner, offset, at, style, &[Span::raw(&*words.left)]);
        if cursor.covers(row) {
            put_range(frame, inner, offset);
        }
    }
}

/// How many of its events are marked.
fn all_row(model: &Model, words: &mut Row) -> usize {
    let (visible, all) = (model.visible(), model.store().len());
    let mark_box = text::mark_box(Boxed::of(visible.marked, all));
    put(&mut words.left, format_args!("{mark_box} All extensions"));
    if visible.events != all {
        put(&mut words.right, format_args!("{}/", text::grouped(visible.events)));
    }
    put(&mut words.right, text::grouped(all));
    visible.marked
}

/// How many of its events are marked.
fn extension_row(model: &Model, extension: &Extension, words: &mut Row) -> usize {
    let number = &extension.number;
    // To look for one among thousands takes longer than to write its row.
    let (listed, marked) = (model.store().listing(number), model.store().marked_in(number));
    let mark_box = text::mark_box(Boxed::of(marked, listed.map_or(0, Listing::len)));
    put(&mut words.left, format_args!("{mark_box} "));
    model.put_called(&mut words.left, extension);
    let count = &mut words.right;
    match (model.listing_state(number), listed) {
        (Fetched::UnderWay, None) => count.push('…'),
        (Fetched::Failed(_), None) => count.push('!'),
        (_, Some(listing)) if listing.is_unproven() => count.push_str("empty?"),
        (_, Some(listing)) if listing.is_complete() => put(count, listing.len()),
        (_, Some(listing)) => put(count, format_args!("{}+", listing.len())),
        (Fetched::Not | Fetched::Ready(()), None) => count.push('·'),
    }
    if model.is_not_read_again(number) {
        count.push('?');
    }
    marked
}

pub(super) fn marked(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let title = format!("Marked {}", model.store().marked());
    let right = match model.hidden_marks() {
        0 => String::new(),
        hidden => format!("~ {hidden} hidden"),
    };
    let inner = frame_panel(model, frame, area, Panel::Marked, &title, &right);
    let cursor = model.cursor(Panel::Marked);
    let focused = model.focus() == Panel::Marked;
    let columns = usize::from(inner.width).saturating_sub(1);
    let lines = model.marked_lines_from(cursor.top).take(usize::from(inner.height));
    let mut words = Row::new();
    for (offset, line) in lines.enumerate() {
        words.clear();
        let style = marked_row(model, &line, columns, &mut words.left);
        let at = (focused && cursor.top + offset == cursor.at).then_some(true);
        put_spans(frame, inner, offset, at, style, &[Span::raw(&*words.left)]);
    }
}

fn marked_row(model: &Model, line: &MarkedLine, columns: usize, words: &mut String) -> Style {
    match line {
        MarkedLine::Extension(number) => {
            let count = model.store().marked_in(number);
            let number = model.mask().seen_number(number);
            text::put(words, columns, format_args!("{number}  {count}"));
            return theme::STRONG;
        }
        MarkedLine::Command => {
            text::put(words, columns, model.command_line().unwrap_or_default());
        }
        MarkedLine::Event(number, row) => {
            let listing = model.store().listing(number);
            if let Some((listing, event)) = listing.and_then(|it| Some((it, it.row(*row)?))) {
                let hidden = if model.is_hidden(listing, *row) { "~" } else { " " };
                let (id, event_type) = (event.id(), event.event_type().short());
                put(words, format_args!("{hidden} {id:<8.8} {event_type:<8} "));
                let (room, url) = (columns.saturating_sub(text::width(words)), event.url());
                text::put(words, room, text::without_scheme(&model.mask().seen_url(&url)));
            }
        }
    }
    theme::PLAIN
}

pub(super) fn calls(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let calls = model.calls();
    let title = "Calls";
    let inner = frame_panel(model, frame, area, Panel::Calls, title, &calls.len().to_string());
    let cursor = model.cursor(Panel::Calls);
    let focused = model.focus() == Panel::Calls;
    let columns = usize::from(inner.width).saturating_sub(1);
    for (offset, exchange) in calls.from(cursor.top).take(usize::from(inner.height)).enumerate() {
        let (answer, style) = match &exchange.answer {
            Ok(status) if *status < 400 => (status.to_string(), theme::PLAIN),
            Ok(status) => (status.to_string(), theme::WARNING),
            Err(_) => ("---".to_owned(), theme::WARNING),
        };
        let right = format!("{answer} {:>6}", format!("{}ms", exchange.took.as_millis()));
        let room = columns.saturating_sub(text::width(&right) + 1);
        let target = &model.facts().target;
        let path = model.mask().path(&exchange.path).replacen("/phoneCallEvents", "", 1);
        // Of what stands in every path only a user who is not the profile's tells something.
        let path =
            path.strip_prefix(&format!("{}/extensions/", target.base_path())).unwrap_or(&path);
        let path = path.strip_prefix(&format!("{}/", target.user)).unwrap_or(path);
        let path = path.trim_start_matches('/');
        let left = text::column(&format!("{:<6} {path}", exchange.method), room);
        let at = (focused && cursor.top + offset == cursor.at).then_some(true);
        put_row(
            frame,
            inner,
            offset,
            at,
            Line::from(vec![Span::raw(left), Span::styled(format!(" {right}"), style)]),
        );
    }
}
