//! The Events panel: the events of one extension or of all, in groups, and the one under the cursor
//! in full.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Text, Span};

use crate::app::{Boxed, Line, Model, Panel, Scope, count_of};
use crate::domain::{
    EventGroup, EventOrder, EventView, Failure, Fetched, GroupKey, Grouping, Listing, Place, Status,
};

use super::{frame_panel, put_range, put_row, text, theme};

/// From so many columns on an extension's label and a method have room among several extensions.
const ROOMY: usize = 64;
/// In fewer columns a URL and a note have no room beside each other.
const NARROW: usize = 24;
/// Columns of the parts of a row, a blank behind each.
const NUMBER: usize = 10;
const EXTENSION: usize = 20;
const TYPE: usize = 9;
const METHOD: usize = 5;
const STATUS: usize = 4;
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
                group_row(model, group, open, columns).unwrap_or_default()
            }
            Line::Event { place, .. } => event_row(model, place, columns),
            Line::Odd(odd) => odd_row(model, odd, columns),
        };
        let at = (index == cursor.at && focused).then_some(true);
        put_row(frame, inner, offset, at, row);
        if cursor.covers(index) {
            put_range(frame, inner, offset);
        }
    }
    details(model, frame, inner, rows);
}

fn empty(model: &Model, width: u16) -> Vec<Text<'static>> {
    let columns = usize::from(width).saturating_sub(1);
    let wrapped = |words: &str, style| {
        let lines = text::wrap(words, columns).into_iter();
        lines.map(|line| Text::styled(line, style)).collect()
    };
    let keyed = |words: &str| model.facts().keys.told(words);
    let hidden = |count: usize| {
        let filter = model.mask().text(model.events().filter().text());
        format!("{count} events, none has {filter:?}: Esc clears the filter")
    };
    match (model.events().scope(), model.shown_extension()) {
        (Some(Scope::All), _) => {
            let filtered = !model.events().filter().is_empty();
            let words = match model.store().len() {
                0 if model.is_all_loaded() => "no events".to_owned(),
                0 => "no event is loaded yet".to_owned(),
                _ if model.extensions().shown() == 0 => {
                    "the filter hides every extension: Esc in Extensions clears it".to_owned()
                }
                _ if model.events().grouping() == Grouping::Duplicates && !filtered => {
                    keyed("no event has duplicates; <group> groups by something else")
                }
                count => hidden(count),
            };
            wrapped(&words, theme::PLAIN)
        }
        (_, None) => Vec::new(),
        (_, Some(extension)) => match model.listing_state(&extension.number) {
            Fetched::Failed(failure) => {
                let failure = model.mask().text(&failure.to_string());
                let words = format!("could not be read: {failure}");
                let mut lines: Vec<Text<'static>> = wrapped(&words, theme::WARNING);
                lines.push(Text::styled(keyed("<read-again> reads again"), theme::WARNING));
                lines
            }
            Fetched::UnderWay => wrapped("reading…", theme::PLAIN),
            Fetched::Not => wrapped(&keyed("not read yet: <read-again> reads it"), theme::PLAIN),
            Fetched::Ready(()) => match model.current_listing() {
                listing if model.is_not_read_again(&extension.number) && holds(listing) == 0 => {
                    let words = "could not be read again: nothing is known of what is there now. \
                                 <read-again> reads again";
                    wrapped(&keyed(words), theme::WARNING)
                }
                Some(listing) if listing.is_unproven() => {
                    let words = "empty? The PBX lists no event here, and none of what it lists has \
                                 shown yet that its user reaches this extension";
                    wrapped(words, theme::PLAIN)
                }
                listing if holds(listing) == 0 => wrapped("no events", theme::PLAIN),
                listing if model.events().filter().is_empty() => {
                    let count = count_of(holds(listing), "event");
                    let groups = keyed("<group> groups by something else");
                    let words = format!("{count}, none has duplicates; {groups}");
                    wrapped(&words, theme::PLAIN)
                }
                listing => wrapped(&hidden(holds(listing)), theme::PLAIN),
            },
        },
    }
}

fn holds(listing: Option<&Listing>) -> usize {
    listing.map_or(0, Listing::len)
}

fn group_row(model: &Model, group: usize, open: bool, columns: usize) -> Option<Text<'static>> {
    let key = model.events().key_of(group, model.store())?;
    let EventGroup { rows, listed, marked, .. } = model.events().group(group)?;
    let fold = if open { "v" } else { ">" };
    let mark_box = text::mark_box(Boxed::of(*marked, *listed));
    let left = format!("{fold} {mark_box} {}", model.group_words(&key));
    let shown = rows.len();
    let count = if shown == *listed { listed.to_string() } else { format!("{shown}/{listed}") };
    let right = if *marked > 0 { format!("{count}  {marked} marked") } else { count };
    let room = columns.saturating_sub(text::width(&right) + 1);
    Some(Text::styled(format!("{} {right}", text::column(&left, room)), theme::STRONG))
}

/// How wide the parts of a row are; none where the group says it, or there is no room.
struct Widths {
    extension: usize,
    event_type: usize,
    method: usize,
    url: usize,
    note: usize,
}

impl Widths {
    /// Box, extension, type and method, then URL, status and note; the URL gets the most.
    fn of(model: &Model, columns: usize) -> Self {
        let (events, roomy) = (model.events(), columns >= ROOMY);
        let grouping = events.grouping();
        let one_extension = matches!(grouping, Grouping::Extension | Grouping::Duplicates);
        let extension = match events.scope() {
            Some(Scope::All) if !one_extension => {
                if roomy {
                    EXTENSION
                } else {
                    NUMBER
                }
            }
            Some(Scope::All | Scope::One(_)) | None => 0,
        };
        let one_type = matches!(grouping, Grouping::Type | Grouping::Duplicates);
        let event_type = if one_type { 0 } else { TYPE };
        let method = if roomy || extension + event_type < NUMBER + TYPE { METHOD } else { 0 };
        let lead = 6 + extension + event_type + method + STATUS;
        let room = columns.saturating_sub(lead);
        let told = grouping == Grouping::Note || room < NARROW;
        let note = if told { 0 } else { (room / 3).clamp(NOTE.0, NOTE.1) };
        Self { extension, event_type, method, url: room.saturating_sub(note), note }
    }
}

/// A text in so many columns, the last of them blank.
fn cell(text: &str, width: usize) -> String {
    match width.checked_sub(1) {
        None => String::new(),
        Some(width) => format!("{} ", text::column(text, width)),
    }
}

fn event_row(model: &Model, place: Place, columns: usize) -> Text<'static> {
    let events = model.events();
    let Some((listing, row)) = events.event(place, model.store()) else {
        return Text::styled("      …", theme::FAINT);
    };
    let Some(event) = listing.row(row) else { return Text::default() };
    let (mask, widths) = (model.mask(), Widths::of(model, columns));
    let marked = model.store().is_marked(listing.extension(), row);
    let number = mask.number(listing.extension());
    let called = match widths.extension {
        EXTENSION => {
            let label = mask.words(&model.extension(listing.extension()).label);
            format!("{number} {label}")
        }
        _ => number,
    };
    let url = mask.url(&event.url());
    // In a group of one host the path tells them apart.
    let url = if events.grouping() == Grouping::Host { text::path(&url) } else { &url };
    let words = [
        format!("  {} ", if marked { "[x]" } else { "[ ]" }),
        cell(&called, widths.extension),
        cell(&event.event_type().short(), widths.event_type),
        cell(&event.method().to_string(), widths.method),
        cell(&text::url(url, widths.url.saturating_sub(1)), widths.url),
        cell(&event.status().to_string(), STATUS),
    ];
    let style = match event.status() {
        _ if marked => theme::STRONG,
        Status::Disabled => theme::FAINT,
        Status::Enabled | Status::Other(_) => theme::PLAIN,
    };
    let (note, note_style) = match model.failure_of(&event.key()) {
        Some(failure) => (failure_words(model, failure), theme::DANGER),
        None if events.arrangement().stays(place) => ("stays".to_owned(), theme::GOOD),
        None if events.order() == EventOrder::Oldest => {
            (format!("{} {}", event.modified().day(), mask.words(&event.note())), style)
        }
        None => (mask.words(&event.note()), style),
    };
    let used: usize = words.iter().map(|word| text::width(word)).sum();
    let note = text::clip(&note, columns.saturating_sub(used).min(widths.note.max(6)));
    Text::from(vec![Span::styled(words.concat(), style), Span::styled(note, note_style)])
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
        Some(Line::Group { group, .. }) => about_group(model, group, columns),
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

fn about_group(model: &Model, group: usize, columns: usize) -> Option<Vec<String>> {
    let key = model.events().key_of(group, model.store())?;
    let what = match &key {
        GroupKey::Type(_) => "the whole type",
        GroupKey::Alike { .. } => "all of them, also the one that stays",
        GroupKey::Extension(_) | GroupKey::Host(_) | GroupKey::Note(_) | GroupKey::Owner(_) => {
            "the whole group"
        }
    };
    let events = count_of(model.events().group(group)?.rows.len(), "event");
    let (name, marks) = (model.group_words(&key), model.facts().keys.told("<mark> marks"));
    Some(text::wrap(&format!("{name}: {events}; {marks} {what}"), columns))
}

/// Two lines in a low panel, seven in a high one.
fn about_event(model: &Model, event: &EventView<'_>, columns: usize, height: usize) -> Vec<String> {
    let mask = model.mask();
    let (url, note) = (mask.url(&event.url()), mask.words(&event.note()));
    // Of one extension the title tells.
    let whose = match model.events().scope() {
        Some(Scope::All) => {
            let extension = model.called(&model.extension(&event.key().extension));
            format!("{extension}  {}  ", event.event_type())
        }
        Some(Scope::One(_)) | None => String::new(),
    };
    let failure = model.failure_of(&event.key()).map(|failure| failure_words(model, failure));
    let mut lines = vec![
        text::clip(&format!("{} {url}", event.method()), columns),
        if let (Some(failure), 0..=3) = (&failure, height) {
            text::clip(failure, columns)
        } else {
            let day = event.modified().day();
            text::clip(&format!("{whose}id {}  {day}  {note}", event.id()), columns)
        },
    ];
    if height > 4 {
        lines = text::wrap(&format!("{} {url}", event.method()), columns);
        lines.truncate(2);
        lines.push(text::clip(&format!("{whose}id {}", event.id()), columns));
        lines.push(format!("status   {}   modified {}", event.status(), event.modified()));
        lines.push(text::clip(&format!("note     {note}"), columns));
        if let Some(failure) = failure {
            lines.extend(text::wrap(&failure, columns));
        }
    }
    lines
}
