//! The Events panel: the events of one extension or of all, in groups, and the one under the cursor
//! in full.

use std::fmt::Display;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line as Text, Span};

use crate::app::{Boxed, Line, Model, Panel, Scope, count_of};
use crate::domain::{
    EventGroup, EventOrder, EventView, Fetched, GroupKey, Grouping, Listing, Place, Status,
};

use super::{ROOM_OF_ROW, Row, frame_panel, put, put_range, put_row, put_spans, text, theme};

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
    let (widths, mut words) = (Widths::of(model, columns), Row::new());
    for offset in 0..rows {
        let index = cursor.top + offset;
        let Some(line) = model.events().line(index) else {
            break;
        };
        words.clear();
        let [style, behind] = match line {
            Line::Group { group, open } => group_row(model, group, open, columns, &mut words),
            Line::Event { place, .. } => event_row(model, place, columns, &widths, &mut words),
            Line::Odd(odd) => odd_row(model, odd, columns, &mut words.left),
        };
        let at = (index == cursor.at && focused).then_some(true);
        let spans = [Span::styled(&*words.left, style), Span::styled(&*words.right, behind)];
        let whole = if matches!(line, Line::Event { .. }) { theme::PLAIN } else { style };
        put_spans(frame, inner, offset, at, whole, &spans);
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

fn group_row(
    model: &Model,
    group: usize,
    open: bool,
    columns: usize,
    words: &mut Row,
) -> [Style; 2] {
    let events = model.events();
    let key = events.key_of(group, model.store());
    if let Some((key, EventGroup { rows, listed, marked, .. })) = key.zip(events.group(group)) {
        let fold = if open { "v" } else { ">" };
        put(
            &mut words.left,
            format_args!("{fold} {} ", text::mark_box(Boxed::of(*marked, *listed))),
        );
        model.put_group(&mut words.left, &key);
        if rows.len() != *listed {
            put(&mut words.right, format_args!("{}/", rows.len()));
        }
        put(&mut words.right, listed);
        if *marked > 0 {
            put(&mut words.right, format_args!("  {marked} marked"));
        }
        words.join(columns);
    }
    [theme::STRONG; 2]
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

/// Writes a text in so many columns, the last of them blank.
fn put_cell(words: &mut String, width: usize, what: impl Display) {
    if let Some(width) = width.checked_sub(1) {
        text::put_column(words, width, what);
        words.push(' ');
    }
}

/// How its words look, and its note.
fn event_row(
    model: &Model,
    place: Place,
    columns: usize,
    widths: &Widths,
    words: &mut Row,
) -> [Style; 2] {
    let events = model.events();
    let Some((listing, row)) = events.event(place, model.store()) else {
        words.left.push_str("      …");
        return [theme::FAINT; 2];
    };
    let Some(event) = listing.row(row) else { return [theme::PLAIN; 2] };
    let mask = model.mask();
    let marked = model.store().is_marked(listing.extension(), row);
    let Row { left, right } = words;
    put(left, format_args!("  {} ", if marked { "[x]" } else { "[ ]" }));
    let number = mask.seen_number(listing.extension());
    if widths.extension == EXTENSION {
        let label = &model.extension(listing.extension()).label;
        put_cell(left, EXTENSION, format_args!("{number} {}", mask.seen_words(label)));
    } else {
        put_cell(left, widths.extension, number);
    }
    put_cell(left, widths.event_type, event.event_type().short());
    put_cell(left, widths.method, event.method());
    let address = event.url();
    let url = mask.seen_url(&address);
    // In a group of one host the path tells them apart.
    let url = if events.grouping() == Grouping::Host { text::path(&url) } else { &url };
    put_cell(left, widths.url, text::without_scheme(url));
    put_cell(left, STATUS, event.status());
    let style = match event.status() {
        _ if marked => theme::STRONG,
        Status::Disabled => theme::FAINT,
        Status::Enabled | Status::Other(_) => theme::PLAIN,
    };
    let room = columns.saturating_sub(text::width(left)).min(widths.note.max(6));
    let note = event.note();
    let note = mask.seen_words(&note);
    let note_style = match failure_words(model, &event) {
        Some(failure) => {
            text::put(right, room, failure);
            theme::DANGER
        }
        None if events.arrangement().stays(place) => {
            text::put(right, room, "stays");
            theme::GOOD
        }
        None if events.order() == EventOrder::Oldest => {
            text::put(right, room, format_args!("{} {note}", event.modified().day()));
            style
        }
        None => {
            text::put(right, room, note);
            style
        }
    };
    [style, note_style]
}

/// Why the last call about an event failed. Where none did, nothing is made of its name.
fn failure_words(model: &Model, event: &EventView<'_>) -> Option<String> {
    let failed = model.store().has_failures_in(event.extension());
    let failure = failed.then(|| model.failure_of(&event.key())).flatten()?;
    Some(format!("! {}", model.mask().text(&failure.to_string())))
}

fn odd_row(model: &Model, odd: usize, columns: usize, words: &mut String) -> [Style; 2] {
    let text = model.odd_row(odd).map(|odd| model.mask().words(&odd.text)).unwrap_or_default();
    text::put(words, columns, format_args!("  [!] {text}"));
    [theme::WARNING; 2]
}

/// The lines below the rows.
struct Below<'a, 'b> {
    frame: &'a mut Frame<'b>,
    left: Rect,
    words: String,
}

impl Below<'_, '_> {
    fn rule(&mut self) {
        let columns = usize::from(self.left.width);
        self.put(format_args!("{:─<columns$}", ""));
    }

    fn put(&mut self, what: impl Display) {
        self.put_lines(1, what);
    }

    /// At most so many lines; of the last one what has no room is cut off.
    fn put_lines(&mut self, most: usize, what: impl Display) {
        let Self { frame, left, words } = self;
        let columns = usize::from(left.width);
        words.clear();
        if most == 1 {
            text::put(words, columns, what);
        } else {
            put(words, what);
        }
        for line in text::wrapped(words, columns).take(most) {
            let Some(height) = left.height.checked_sub(1) else { return };
            let style = if line.starts_with('─') { theme::FAINT } else { theme::PLAIN };
            frame.buffer_mut().set_stringn(left.x, left.y, line, columns, style);
            *left = Rect { y: left.y + 1, height, ..*left };
        }
    }
}

fn details(model: &Model, frame: &mut Frame<'_>, inner: Rect, rows: usize) {
    let height = model.layout().event_details();
    let Some(line) = model.events().current() else { return };
    let Ok(rows) = u16::try_from(rows) else { return };
    let left = Rect { y: inner.y.saturating_add(rows), height, ..inner }.intersection(inner);
    let mut below = Below { frame, left, words: String::with_capacity(ROOM_OF_ROW) };
    match line {
        Line::Event { place, .. } => {
            let found = model.events().event(place, model.store());
            if let Some(event) = found.and_then(|(listing, row)| listing.row(row)) {
                below.rule();
                about_event(model, &event, usize::from(height), &mut below);
            }
        }
        Line::Odd(odd) => {
            if let Some(odd) = model.odd_row(odd) {
                let mask = model.mask();
                below.rule();
                below.put(format_args!("cannot be deleted from here: {}", mask.text(&odd.reason)));
                below.put_lines(usize::MAX, mask.words(&odd.text));
            }
        }
        Line::Group { group, .. } => {
            if let Some(words) = about_group(model, group) {
                below.rule();
                below.put_lines(usize::MAX, words);
            }
        }
    }
}

fn about_group(model: &Model, group: usize) -> Option<String> {
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
    Some(format!("{name}: {events}; {marks} {what}"))
}

/// Two lines in a low panel, seven in a high one.
fn about_event(model: &Model, event: &EventView<'_>, height: usize, below: &mut Below<'_, '_>) {
    let mask = model.mask();
    let (url, note) = (event.url(), event.note());
    let (url, note) = (mask.seen_url(&url), mask.seen_words(&note));
    // Of one extension the title tells.
    let whose = match model.events().scope() {
        Some(Scope::All) => {
            let extension = model.called(&model.extension(event.extension()));
            format!("{extension}  {}  ", event.event_type())
        }
        Some(Scope::One(_)) | None => String::new(),
    };
    let failure = failure_words(model, event);
    if height > 4 {
        below.put_lines(2, format_args!("{} {url}", event.method()));
        below.put(format_args!("{whose}id {}", event.id()));
        below.put(format_args!("status   {}   modified {}", event.status(), event.modified()));
        below.put(format_args!("note     {note}"));
        if let Some(failure) = failure {
            below.put_lines(usize::MAX, failure);
        }
        return;
    }
    below.put(format_args!("{} {url}", event.method()));
    match failure {
        Some(failure) if height <= 3 => below.put(failure),
        Some(_) | None => {
            let day = event.modified().day();
            below.put(format_args!("{whose}id {}  {day}  {note}", event.id()));
        }
    }
}
