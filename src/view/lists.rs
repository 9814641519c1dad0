//! The Extensions, Marked and Calls panels.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{Boxed, ExtensionOrder, ExtensionRow, MarkedLine, Model, Panel};
use crate::domain::{Extension, Fetched};

use super::{frame_panel, put_range, put_row, text, theme};

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
    for offset in 0..usize::from(inner.height) {
        let row = cursor.top + offset;
        let line = match extensions.row(row) {
            Some(ExtensionRow::All) => all_row(model, columns),
            Some(ExtensionRow::One(extension)) => extension_row(model, extension, columns),
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
        let at = (row == cursor.at).then_some(focused);
        put_row(frame, inner, offset, at, line);
        if cursor.covers(row) {
            put_range(frame, inner, offset);
        }
    }
}

fn all_row(model: &Model, columns: usize) -> Line<'static> {
    let store = model.store();
    let (visible, all) = (model.visible(), text::grouped(store.len()));
    let shown = text::grouped(visible.events);
    let count = if shown == all { all } else { format!("{shown}/{all}") };
    let mark_box = text::mark_box(Boxed::of(visible.marked, store.len()));
    counted(&format!("{mark_box} All extensions"), &count, visible.marked, columns)
}

fn counted(left: &str, count: &str, marked: usize, columns: usize) -> Line<'static> {
    let count = if marked > 0 { format!("{count}*{marked}") } else { count.to_owned() };
    let room = columns.saturating_sub(text::width(&count) + 1);
    let style = if marked > 0 { theme::STRONG } else { theme::PLAIN };
    Line::styled(format!("{} {count}", text::column(left, room)), style)
}

fn extension_row(model: &Model, extension: &Extension, columns: usize) -> Line<'static> {
    let number = &extension.number;
    let marked = model.store().marked_in(number);
    let listed = model.store().listing(number);
    let count = match (model.listing_state(number), listed) {
        (Fetched::UnderWay, None) => "…".to_owned(),
        (Fetched::Failed(_), None) => "!".to_owned(),
        (_, Some(listing)) if listing.is_unproven() => "empty?".to_owned(),
        (_, Some(listing)) if listing.is_complete() => listing.len().to_string(),
        (_, Some(listing)) => format!("{}+", listing.len()),
        (Fetched::Not | Fetched::Ready(()), None) => "·".to_owned(),
    };
    let count = if model.is_not_read_again(number) { format!("{count}?") } else { count };
    let mark_box = text::mark_box(model.box_of_extension(number));
    counted(&format!("{mark_box} {}", model.called(extension)), &count, marked, columns)
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
    for (offset, line) in lines.enumerate() {
        let at = (focused && cursor.top + offset == cursor.at).then_some(true);
        put_row(frame, inner, offset, at, marked_row(model, &line, columns));
    }
}

fn marked_row(model: &Model, line: &MarkedLine, columns: usize) -> Line<'static> {
    match line {
        MarkedLine::Extension(number) => {
            let count = model.store().marked_in(number);
            let number = model.mask().number(number);
            Line::styled(text::clip(&format!("{number}  {count}"), columns), theme::STRONG)
        }
        MarkedLine::Command => {
            let command = model.command_line().unwrap_or_default();
            Line::from(text::clip(&command, columns))
        }
        MarkedLine::Event(number, row) => {
            let Some(listing) = model.store().listing(number) else {
                return Line::default();
            };
            let Some(event) = listing.row(*row) else {
                return Line::default();
            };
            let hidden = if model.is_hidden(listing, *row) { "~" } else { " " };
            let id: String = event.id().chars().take(8).collect();
            let event_type = event.event_type().short();
            let lead = format!("{hidden} {id:<8} {event_type:<8} ");
            let room = columns.saturating_sub(text::width(&lead));
            Line::from(format!("{lead}{}", text::url(&model.mask().url(&event.url()), room)))
        }
    }
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
