//! The review: what goes, its warnings, a row an event or a call, the literal call under the cursor,
//! and what can be answered. Only rows in sight are built, whatever the length of the plan.

use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::{
    Digest, Model, Review, ReviewCall, ReviewRow, STATUS_BESIDE, Unread, count_of, text,
};
use crate::change::Deed;
use crate::domain::{Change, ExtensionNumber, PhoneCallEvent};
use crate::keys::Place;

use super::{changed, dialogs, hints, put_cursor, theme};

/// In fewer columns a row has no room for a label.
const NARROW: usize = 60;

pub(super) fn draw(model: &Model, review: &Review, frame: &mut Frame<'_>) {
    let columns = review.layout().columns;
    let mut lines = summary(model, review);
    lines.extend(warnings(&review.layout().pinned));
    lines.push(position(review));
    lines.extend((0..review.layout().rows).map(|offset| row(model, review, offset)));
    lines.extend(call_under_cursor(model, review));
    if review.layout().roomy {
        let text = match (review.is_of_undo(), review.deed().writes_fields()) {
            (true, false) => "The PBX gives new ids. Events that already exist are skipped.",
            (true, true) => "Only fields that still have what the run wrote are written.",
            (false, true) => "Old values are saved first; <undo> writes them back.",
            (false, false) => {
                "The PBX cannot undo this. Events are saved first; <undo> re-creates them."
            }
        };
        lines.push(Line::from(model.facts().keys.told(text)));
    }
    let (state, typing) = state(model, review);
    let at = typing.map_or_else(|| row_of_cursor(review), |column| (column, lines.len()));
    lines.push(state);
    lines.push(keys(model, review));
    let title = format!(" {} ", title(model, review));
    let inside = dialogs::window(frame, &title, columns, lines, true);
    put_cursor(frame, inside, at.0, at.1);
}

/// Where the row under the cursor stands in the window.
fn row_of_cursor(review: &Review) -> (usize, usize) {
    let above = review.layout().summary() + review.layout().pinned.len() + 1;
    let cursor = review.cursor();
    (0, above + cursor.at.saturating_sub(cursor.top))
}

fn title(model: &Model, review: &Review) -> String {
    let host = model.mask().host(model.facts().target.host());
    let events = count_of(review.count(), "phone call event");
    let verb = review.deed().verb();
    match (review.is_of_undo(), model.facts().read_only) {
        (_, true) => format!("READ-ONLY: {events} on {host}"),
        (true, false) => format!("UNDO: {verb} {events} on {host}"),
        (false, false) => {
            let goes_on = if review.rest().is_some() { "GO ON: " } else { "" };
            format!("{goes_on}{} {events} on {host}", verb.to_uppercase())
        }
    }
}

fn summary(model: &Model, review: &Review) -> Vec<Line<'static>> {
    let (columns, digest) = (review.layout().columns, review.digest());
    let types = digest.types.iter().map(|(kind, count)| (kind.short().into_owned(), *count));
    if !review.layout().roomy {
        let calls = calls_words(review, true);
        let room = columns.saturating_sub(text::width(&calls) + 3);
        let line = format!("{calls} · {}", most_of(types, review.count(), room));
        return vec![Line::styled(text::clip(&line, columns), theme::STRONG)];
    }
    let (calls, types) = (calls_words(review, false), counted(types));
    let right = match (review.undone_run(), review.hash()) {
        (Some(run), _) => format!("of run {run}"),
        (None, _) if review.rest().is_some() => {
            review.rest().map(|rest| format!("run {}", rest.run)).unwrap_or_default()
        }
        (None, Some(hash)) => format!("plan {hash}"),
        (None, None) => String::new(),
    };
    let calls = text::column(&calls, columns.saturating_sub(text::width(&right) + 1));
    let statuses = statuses(digest);
    let beside = if review.layout().tall { 0 } else { text::width(&statuses) + STATUS_BESIDE };
    let hosts = hosts_words(model, review, columns.saturating_sub(7 + beside));
    let mut lines = vec![
        Line::styled(format!("{calls} {right}"), theme::STRONG),
        Line::from(text::clip(&format!("type   {types}"), columns)),
    ];
    if review.layout().tall {
        lines.push(Line::from(text::clip(&format!("host   {hosts}"), columns)));
        lines.push(Line::from(text::clip(&format!("status {statuses}"), columns)));
    } else {
        let line = format!("host   {hosts}   status  {statuses}");
        lines.push(Line::from(text::clip(&line, columns)));
    }
    lines
}

/// How many calls of which kind; that they are the usual ones is left out where room is short.
fn calls_words(review: &Review, short: bool) -> String {
    let digest = review.digest();
    let extensions = count_of(digest.extensions, "extension");
    let calls = count_of(review.calls(), "call");
    let how = match digest.wide_calls {
        0 if short || review.deed() == Deed::Recreate => String::new(),
        0 if review.calls() == 1 => ", by its id,".to_owned(),
        0 => ", each by its id,".to_owned(),
        wide => format!(", {wide} wide,"),
    };
    if review.calls() == 0 {
        let [why, _] = review.why_nothing();
        return text::sentence(&format!("{why}."));
    }
    format!("{calls}{how} on {extensions}")
}

/// `Dial-In 30  Hangup 2`.
fn counted(parts: impl Iterator<Item = (String, usize)>) -> String {
    parts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join("  ")
}

/// As many of these as there is room for, one at least, and how many of all have another.
fn most_of(parts: impl Iterator<Item = (String, usize)>, all: usize, room: usize) -> String {
    let with_others = |words: &str, others: usize| match others {
        0 => words.to_owned(),
        others => format!("{words}  others {others}"),
    };
    let (mut words, mut others) = (String::new(), all);
    for (name, count) in parts {
        let gap = if words.is_empty() { "" } else { "  " };
        let next = format!("{words}{gap}{name} {count}");
        let left = others.saturating_sub(count);
        if !words.is_empty() && text::width(&with_others(&next, left)) > room {
            break;
        }
        (words, others) = (next, left);
    }
    with_others(&words, others)
}

fn hosts_words(model: &Model, review: &Review, room: usize) -> String {
    let name = |host: &str| match host {
        "" => "none".to_owned(),
        host => crate::domain::Foreign::from(model.mask().host(host)).to_string(),
    };
    let hosts = review.digest().hosts.iter().map(|(host, count)| (name(host), *count));
    most_of(hosts, review.count(), room)
}

fn statuses(digest: &Digest) -> String {
    counted(digest.statuses().map(|(name, count)| (name.to_owned(), count)))
}

fn warnings(lines: &[String]) -> impl Iterator<Item = Line<'static>> + '_ {
    lines.iter().map(|line| Line::styled(line.clone(), theme::WARNING))
}

/// The line above the rows, with the place of the cursor among them.
fn position(review: &Review) -> Line<'static> {
    let (columns, rows) = (review.layout().columns, review.rows());
    let at = (review.cursor().at + 1).min(rows);
    let what = if review.shows_calls() { "call " } else { "" };
    let passed_over = match review.passed_over() {
        none if none.is_empty() => String::new(),
        some => format!(" ({some})"),
    };
    let narrowed = review
        .narrowed_by()
        .map(|text| format!("only {text:?}{passed_over}  "))
        .unwrap_or_default();
    let place = match (review.narrowed_by(), review.items()) {
        (Some(_), 0) => format!("fits none of {}", review.all_items()),
        (Some(_), _) => format!("{what}{at} of {rows}, {} in all", review.all_items()),
        (None, _) => format!("{what}{at} of {rows}"),
    };
    let right = text::clip(&format!(" {narrowed}{place}"), columns);
    let line = "─".repeat(columns.saturating_sub(text::width(&right)));
    Line::from(vec![Span::styled(line, theme::FAINT), Span::raw(right)])
}

fn row(model: &Model, review: &Review, offset: usize) -> Line<'static> {
    let place = review.cursor().top + offset;
    let columns = review.layout().columns.saturating_sub(1);
    let (words, style) = match review.row(place) {
        Some(ReviewRow::Warning(line)) => {
            let line = review.layout().loose.get(line).cloned().unwrap_or_default();
            (line, theme::WARNING)
        }
        Some(ReviewRow::Event(event)) => event_words(model, review, event, columns),
        Some(ReviewRow::Call(call)) => call_row(model, review, call, columns),
        Some(ReviewRow::Named(place)) => {
            let words = review.named(place, model.mask()).unwrap_or_default();
            (text::clip(&words, columns), theme::PLAIN)
        }
        None => return Line::default(),
    };
    let at_cursor = place == review.cursor().at;
    let marker = if at_cursor { ">" } else { " " };
    let style = if at_cursor { style.patch(theme::CURSOR) } else { style };
    Line::styled(format!("{marker}{}", text::column(&words, columns)), style)
}

/// Extension and label, type, method, URL and note; `w` where it goes with a wide call.
fn event_words(model: &Model, review: &Review, place: usize, columns: usize) -> (String, Style) {
    let Some(event) = review.events().get(place) else { return (String::new(), theme::PLAIN) };
    let wide = review.is_wide(place);
    let lead = match (review.digest().wide_calls > 0, wide) {
        (false, _) => "",
        (true, true) => "w ",
        (true, false) => "  ",
    };
    let style = if wide { theme::WARNING } else { theme::PLAIN };
    let columns = columns.saturating_sub(lead.len());
    let words = match review.change(place) {
        Some(change) => changed_columns(model, review, event, &change, columns),
        None => columns_of(model, review, event, columns),
    };
    (format!("{lead}{words}"), style)
}

/// Extension and label, type, and what becomes of it: its URL too where that stays.
fn changed_columns(
    model: &Model,
    review: &Review,
    event: &PhoneCallEvent,
    change: &Change,
    columns: usize,
) -> String {
    let number = who_columns(review, columns);
    let kind = text::column(&event.key.event_type.short(), 8);
    let who = text::column(&who(model, &event.key.extension, columns), number);
    let room = columns.saturating_sub(number + 8 + 2);
    format!("{who} {kind} {}", changed(model.mask(), event, change, room))
}

fn columns_of(model: &Model, review: &Review, event: &PhoneCallEvent, columns: usize) -> String {
    let mask = model.mask();
    let who = who(model, &event.key.extension, columns);
    let number = who_columns(review, columns);
    let kind = text::column(&event.key.event_type.short(), 8);
    let method = text::column(&event.method.to_string(), 4);
    let rest = columns.saturating_sub(number + 8 + 4 + 4);
    let note = (rest / 3).min(24);
    let url = rest.saturating_sub(note);
    let address = text::column(&text::url(&mask.url(&event.url), url), url);
    let note = text::clip(&mask.words(&event.note), note);
    format!("{} {kind} {method} {address} {note}", text::column(&who, number))
}

/// The columns of number and label; where the host would not be readable beside it, of the number alone.
fn who_columns(review: &Review, columns: usize) -> usize {
    if columns < NARROW { review.digest().number } else { (columns / 4).clamp(13, 24) }
}

/// An extension's number and, where there is room, its label.
fn who(model: &Model, number: &ExtensionNumber, columns: usize) -> String {
    if columns < NARROW {
        return model.mask().number(number);
    }
    let label = model.extensions().find(number).map(|found| model.mask().words(&found.label));
    let text = format!("{} {}", model.mask().number(number), label.unwrap_or_default());
    text.trim_end().to_owned()
}

fn call_row(model: &Model, review: &Review, place: usize, columns: usize) -> (String, Style) {
    let Some(call) = review.call(place) else { return (String::new(), theme::PLAIN) };
    let all = review.calls();
    let number =
        format!("{:>digits$}/{all}", review.ordinal(place), digits = all.to_string().len());
    let style = if call.wide { theme::WARNING } else { theme::PLAIN };
    let body = body(model, &call).map(|body| format!(" {body}")).unwrap_or_default();
    (text::clip(&format!("{number} {}{body}", call_words(model, &call)), columns), style)
}

fn call_words(model: &Model, call: &ReviewCall) -> String {
    let covers = count_of(call.covers, "event");
    let wide =
        if call.wide { format!("  (all events there, {covers} now)") } else { String::new() };
    format!("{} {}{wide}", call.method, model.mask().path(&call.path))
}

/// What a call changes, as it is sent.
fn body(model: &Model, call: &ReviewCall) -> Option<String> {
    call.change.as_ref().map(|change| change.copied(model.mask()).to_string())
}

/// The literal call of the row under the cursor, on always as many lines.
fn call_under_cursor(model: &Model, review: &Review) -> Vec<Line<'static>> {
    let call = match review.row(review.cursor().at) {
        Some(ReviewRow::Event(event)) => review.call(review.call_of(event)),
        Some(ReviewRow::Call(call)) => review.call(call),
        Some(ReviewRow::Warning(_) | ReviewRow::Named(_)) | None => None,
    };
    let columns = review.layout().columns;
    let words = call.as_ref().map(|call| call_words(model, call)).unwrap_or_default();
    let mut lines = text::wrap_path(&words, columns);
    let body = call.as_ref().and_then(|call| body(model, call));
    lines.extend(body.iter().flat_map(|body| text::wrap(body, columns)));
    let height = review.layout().call;
    if lines.len() > height {
        lines.truncate(height);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}…", text::clip(last, columns - 1).trim_end_matches('…'));
        }
    }
    lines.resize(height, String::new());
    let style = if call.is_some_and(|call| call.wide) { theme::WARNING } else { theme::PLAIN };
    lines.into_iter().map(|line| Line::styled(line, style)).collect()
}

/// What stands between the operator and a yes, or what was just said; and the column in which a
/// line or the number of events is being typed.
fn state(model: &Model, review: &Review) -> (Line<'static>, Option<usize>) {
    let columns = review.layout().columns;
    if let Some(line) = review.line() {
        let (line, column) = dialogs::typed_line("narrow", line, columns);
        return (line, Some(column));
    }
    let said = model.current_notice().map(|notice| {
        let words = text::clip(&model.mask().text(&notice.text), columns);
        Span::styled(words, dialogs::tone(notice.tone))
    });
    let count = review.count();
    let (read, all) = review.progress();
    let (words, style) = match model.unread() {
        None if review.must_type() && !review.is_armed() && !model.facts().read_only => {
            let typed = format!("Type {count}, then press y: {}", review.typed());
            let column = text::width(&typed);
            let mut spans = vec![Span::styled(typed, theme::STRONG)];
            spans.extend(said.into_iter().flat_map(|said| [Span::raw("   "), said]));
            // Who goes through the rows before typing is followed there.
            let typing = review.cursor().at == 0 || !review.typed().is_empty();
            return (Line::from(spans), typing.then_some(column));
        }
        _ if said.is_some() => return (Line::from(said.unwrap_or_default()), None),
        _ if model.facts().read_only => {
            let simulates = if review.is_of_undo() { "" } else { "; <simulate> simulates" };
            let done = review.deed().done();
            let words = format!("Read-only: nothing can be {done}{simulates}.");
            (model.facts().keys.told(&words), theme::WARNING)
        }
        _ if review.is_agreed() => {
            let doing = review.deed().doing();
            (format!("Reading everything once more, then {doing}; n Esc cancels."), theme::STRONG)
        }
        _ if review.is_reading() => {
            (format!("Reading {} again: {read} so far", count_of(all, "extension")), theme::PLAIN)
        }
        _ if count == 0 => {
            let [why, remedy] = review.why_nothing();
            (text::sentence(&model.facts().keys.told(&format!("{why}: {remedy}."))), theme::WARNING)
        }
        Some(Unread::MoreWarnings) => (
            model.facts().keys.told("There are more warnings: <down> scrolls down."),
            theme::WARNING,
        ),
        Some(Unread::NotShown) => ("Waiting for the terminal…".to_owned(), theme::PLAIN),
        Some(Unread::TooSoon) => {
            ("Read this first: y counts in a moment.".to_owned(), theme::PLAIN)
        }
        None => (format!("y {}, n cancels.", verb(review, count)), theme::STRONG),
    };
    (Line::styled(text::clip(&words, columns), style), None)
}

fn verb(review: &Review, count: usize) -> String {
    let does = review.deed().does();
    format!("{does} {}", if count == 1 { "it".to_owned() } else { format!("all {count}") })
}

fn keys(model: &Model, review: &Review) -> Line<'static> {
    if let Some(line) = review.line() {
        let passed_over = review.passed_over().to_string();
        let about = dialogs::about_filter(line, review.refused(), &passed_over);
        return Line::styled(text::clip(&about.content, review.layout().columns), about.style);
    }
    let count = review.count();
    let ready = model.unread().is_none() && review.is_armed() && !review.is_reading();
    let mut keys = vec![("n".to_owned(), "cancel".to_owned(), theme::PLAIN)];
    if !model.facts().read_only {
        let verb = review.deed().verb().to_uppercase();
        let style = if ready { theme::DANGER } else { theme::PLAIN };
        keys.push(("y".to_owned(), format!("{verb} {count}"), style));
    }
    let place = match (review.is_of_undo(), review.rest()) {
        (true, _) => Place::Undoing,
        (false, Some(_)) => Place::GoingOn,
        (false, None) if review.deed() == Deed::Delete => Place::Deleting,
        (false, None) => Place::Changing,
    };
    let others = hints::of(model, place).into_iter();
    keys.extend(others.map(|[key, word]| (key, word, theme::PLAIN)));
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (key, word, style) in keys {
        let width = text::width(&key) + 1 + text::width(&word) + 2;
        if used + width > review.layout().columns + 2 {
            break;
        }
        used += width;
        let key_style = if style == theme::PLAIN { theme::STRONG } else { style };
        spans.push(Span::styled(key, key_style));
        spans.push(Span::styled(format!(" {word}  "), style));
    }
    Line::from(spans)
}
