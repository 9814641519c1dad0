//! The review: what goes, its warnings, a row an event or a call, the literal call under the cursor,
//! and what can be answered. Only rows in sight are built, whatever the length of the plan.

use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::{
    Digest, Model, Review, ReviewCall, ReviewLayout, ReviewRow, Unread, count_of, text,
};
use crate::domain::{ExtensionNumber, PhoneCallEvent};

use super::{dialogs, theme};

pub(super) fn draw(model: &Model, review: &Review, frame: &mut Frame<'_>) {
    let columns = review.layout().columns;
    let mut lines = summary(model, review);
    lines.extend(warnings(&review.layout().pinned));
    lines.push(position(review));
    lines.extend((0..review.layout().rows).map(|offset| row(model, review, offset)));
    lines.extend(call_under_cursor(model, review));
    if review.layout().roomy {
        let text = if review.is_of_undo() {
            "The PBX gives new ids. Events that already exist are skipped."
        } else {
            "The PBX cannot undo this. Events are saved first; z re-creates them."
        };
        lines.push(Line::from(text));
    }
    lines.push(state(model, review));
    lines.push(keys(model, review));
    dialogs::window(frame, &format!(" {} ", title(model, review)), columns, lines, true);
}

fn title(model: &Model, review: &Review) -> String {
    let host = model.mask().host(model.facts().target.host());
    let events = count_of(review.events().len(), "phone call event");
    match (review.is_of_undo(), model.facts().read_only) {
        (_, true) => format!("READ-ONLY: {events} on {host}"),
        (true, false) => format!("UNDO: re-create {events} on {host}"),
        (false, false) if review.rest().is_some() => format!("GO ON: DELETE {events} on {host}"),
        (false, false) => format!("DELETE {events} on {host}"),
    }
}

fn summary(model: &Model, review: &Review) -> Vec<Line<'static>> {
    let (columns, digest) = (review.layout().columns, review.digest());
    let types = counted(digest.types.iter().map(|(kind, count)| (kind.short(), *count)));
    let calls = calls_words(review);
    if !review.layout().roomy {
        let line = format!("{calls} · {types}");
        return vec![Line::styled(text::clip(&line, columns), theme::STRONG)];
    }
    let right = match (review.undone_run(), review.hash()) {
        (Some(run), _) => format!("of run {run}"),
        (None, _) if review.rest().is_some() => {
            review.rest().map(|rest| format!("run {}", rest.run)).unwrap_or_default()
        }
        (None, Some(hash)) => format!("plan {hash}"),
        (None, None) => String::new(),
    };
    let room = columns.saturating_sub(text::width(&right) + 1);
    let statuses = format!("status  {}", statuses(digest));
    let hosts = hosts_words(model, digest, columns.saturating_sub(22 + text::width(&statuses)));
    vec![
        Line::styled(format!("{} {right}", text::column(&calls, room)), theme::STRONG),
        Line::from(text::clip(&format!("type   {types}"), columns)),
        Line::from(text::clip(&format!("host   {hosts}   {statuses}"), columns)),
    ]
}

fn calls_words(review: &Review) -> String {
    let digest = review.digest();
    let extensions = count_of(digest.extensions, "extension");
    let calls = count_of(review.calls(), "call");
    let how = match (review.is_of_undo(), digest.wide_calls) {
        (true, _) => String::new(),
        (false, 0) => ", each by its id,".to_owned(),
        (false, wide) => format!(", {wide} wide,"),
    };
    if review.calls() == 0 {
        return "Nothing is left as it was marked.".to_owned();
    }
    format!("{calls}{how} on {extensions}")
}

/// `Dial-In 30  Hangup 2`.
fn counted(parts: impl Iterator<Item = (String, usize)>) -> String {
    parts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join("  ")
}

/// As many hosts as there is room for, and how many events have another.
fn hosts_words(model: &Model, digest: &Digest, room: usize) -> String {
    let name = |host: &str| match host {
        "" => "none".to_owned(),
        host => crate::domain::Foreign::from(model.mask().host(host)).to_string(),
    };
    let mut shown: Vec<(String, usize)> = Vec::new();
    for (host, count) in &digest.hosts {
        let next = shown.iter().cloned().chain([(name(host), *count)]);
        if !shown.is_empty() && text::width(&counted(next)) > room {
            break;
        }
        shown.push((name(host), *count));
    }
    let others: usize = digest.hosts.iter().skip(shown.len()).map(|(_, count)| count).sum();
    shown.extend((others > 0).then(|| ("others".to_owned(), others)));
    counted(shown.into_iter())
}

fn statuses(digest: &Digest) -> String {
    let [on, off, other] = digest.statuses;
    let parts = [("on", on), ("off", off), ("other", other)];
    let parts = parts.into_iter().filter(|(name, count)| *count > 0 || *name == "on");
    counted(parts.map(|(name, count)| (name.to_owned(), count)))
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
    let right = text::clip(&format!(" {narrowed}{what}{at} of {rows}"), columns);
    let line = "─".repeat(columns.saturating_sub(text::width(&right)));
    Line::styled(format!("{line}{right}"), theme::FAINT)
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
    (format!("{lead}{}", columns_of(model, event, columns.saturating_sub(lead.len()))), style)
}

fn columns_of(model: &Model, event: &PhoneCallEvent, columns: usize) -> String {
    let mask = model.mask();
    let who = who(model, &event.key.extension);
    let number = (columns / 4).clamp(13, 24);
    let kind = text::column(&event.key.event_type.short(), 8);
    let method = text::column(&event.method.to_string(), 4);
    let rest = columns.saturating_sub(number + 8 + 4 + 4);
    let note = (rest / 3).min(24);
    let url = rest.saturating_sub(note);
    let address = text::column(&text::url(&mask.url(&event.url), url), url);
    let note = text::clip(&mask.words(&event.note), note);
    format!("{} {kind} {method} {address} {note}", text::column(&who, number))
}

/// An extension's number and label.
fn who(model: &Model, number: &ExtensionNumber) -> String {
    let label = model.found(number).map(|found| model.mask().words(&found.label));
    let text = format!("{} {}", model.mask().number(number), label.unwrap_or_default());
    text.trim_end().to_owned()
}

fn call_row(model: &Model, review: &Review, place: usize, columns: usize) -> (String, Style) {
    let Some(call) = review.call(place) else { return (String::new(), theme::PLAIN) };
    let all = review.calls();
    let number = format!("{:>digits$}/{all}", place + 1, digits = all.to_string().len());
    let style = if call.wide { theme::WARNING } else { theme::PLAIN };
    (text::clip(&format!("{number} {}", call_words(model, &call)), columns), style)
}

fn call_words(model: &Model, call: &ReviewCall) -> String {
    let covers = count_of(call.covers, "event");
    let wide =
        if call.wide { format!("  (all events there, {covers} now)") } else { String::new() };
    format!("{} {}{wide}", call.method, model.mask().path(&call.path))
}

/// The literal call of the row under the cursor, on always as many lines.
fn call_under_cursor(model: &Model, review: &Review) -> Vec<Line<'static>> {
    let call = match review.row(review.cursor().at) {
        Some(ReviewRow::Event(event)) => review.call(review.call_of(event)),
        Some(ReviewRow::Call(call)) => review.call(call),
        Some(ReviewRow::Warning(_)) | None => None,
    };
    let columns = review.layout().columns;
    let words = call.as_ref().map(|call| call_words(model, call)).unwrap_or_default();
    let mut lines = text::wrap_path(&words, columns);
    if lines.len() > ReviewLayout::CALL {
        lines.truncate(ReviewLayout::CALL);
        if let Some(last) = lines.last_mut() {
            *last = text::clip(&format!("{last}{}", "…".repeat(columns)), columns);
        }
    }
    lines.resize(ReviewLayout::CALL, String::new());
    let style = if call.is_some_and(|call| call.wide) { theme::WARNING } else { theme::FAINT };
    lines.into_iter().map(|line| Line::styled(line, style)).collect()
}

/// What stands between the operator and a yes, or what was just said.
fn state(model: &Model, review: &Review) -> Line<'static> {
    let columns = review.layout().columns;
    if let Some(line) = review.line() {
        return dialogs::typed_line("narrow", line, columns);
    }
    let said = model.current_notice().map(|notice| {
        let words = text::clip(&model.mask().text(&notice.text), columns);
        Span::styled(words, dialogs::tone(notice.tone))
    });
    let count = review.events().len();
    let (read, all) = review.progress();
    let (words, style) = match model.unread() {
        None if review.must_type() && !review.is_armed() && !model.facts().read_only => {
            let typed = format!("Type {count}, then press y: {}", review.typed());
            let mut spans =
                vec![Span::styled(typed, theme::STRONG), Span::styled(" ", theme::CURSOR)];
            spans.extend(said.into_iter().flat_map(|said| [Span::raw("  "), said]));
            return Line::from(spans);
        }
        _ if said.is_some() => return Line::from(said.unwrap_or_default()),
        _ if model.facts().read_only && review.is_of_undo() => {
            ("Read-only: nothing can be re-created.".to_owned(), theme::WARNING)
        }
        _ if model.facts().read_only => {
            ("Read-only: nothing can be deleted; s simulates.".to_owned(), theme::WARNING)
        }
        _ if review.is_agreed() => {
            let text = "Reading once more before it deletes; n Esc cancels.";
            (text.to_owned(), theme::STRONG)
        }
        _ if review.is_reading() => {
            (format!("Reading {} again: {read} so far", count_of(all, "extension")), theme::PLAIN)
        }
        _ if count == 0 && review.rest().is_some() => {
            ("Nothing of it could be listed: R tries again.".to_owned(), theme::WARNING)
        }
        _ if count == 0 => {
            ("Nothing is as it was marked: + adds it as it is now.".to_owned(), theme::WARNING)
        }
        Some(Unread::MoreWarnings) => {
            ("There are more warnings: j scrolls down.".to_owned(), theme::WARNING)
        }
        Some(Unread::NotShown) => ("Waiting for the terminal…".to_owned(), theme::PLAIN),
        Some(Unread::TooSoon) => ("A moment, to read this.".to_owned(), theme::PLAIN),
        None => (format!("y {}, n cancels.", verb(review, count)), theme::STRONG),
    };
    Line::styled(text::clip(&words, columns), style)
}

fn verb(review: &Review, count: usize) -> String {
    let verb = if review.is_of_undo() { "re-creates" } else { "deletes" };
    format!("{verb} {}", if count == 1 { "it".to_owned() } else { format!("all {count}") })
}

fn keys(model: &Model, review: &Review) -> Line<'static> {
    if let Some(line) = review.line() {
        let passed_over = review.passed_over().to_string();
        let about = dialogs::about_filter(line, review.refused(), &passed_over);
        return Line::styled(text::clip(&about.content, review.layout().columns), about.style);
    }
    let count = review.events().len();
    let ready = model.unread().is_none() && review.is_armed() && !review.is_reading();
    let mut keys: Vec<(&str, String, Style)> = vec![("n", "cancel".to_owned(), theme::PLAIN)];
    if !model.facts().read_only {
        let verb = if review.is_of_undo() { "RE-CREATE" } else { "DELETE" };
        let style = if ready { theme::DANGER } else { theme::FAINT };
        keys.push(("y", format!("{verb} {count}"), style));
    }
    let of_deletion: &[(&str, &str)] =
        &[("t", "form"), ("s", "simulate"), ("v", "calls"), ("c", "copy")];
    let of_rest: &[(&str, &str)] = &[("v", "calls"), ("c", "copy")];
    let others = match (review.is_of_undo(), review.rest()) {
        (true, _) => &[("v", "calls")],
        (false, Some(_)) => of_rest,
        (false, None) => of_deletion,
    };
    let others = others.iter().chain(&[("/", "narrow")]);
    keys.extend(others.map(|(key, word)| (*key, (*word).to_owned(), theme::PLAIN)));
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (key, word, style) in keys {
        let width = key.len() + 1 + word.len() + 2;
        if used + width > review.layout().columns + 2 {
            break;
        }
        used += width;
        let key_style = if style == theme::PLAIN { theme::STRONG } else { style };
        spans.push(Span::styled(key.to_owned(), key_style));
        spans.push(Span::styled(format!(" {word}  "), style));
    }
    Line::from(spans)
}
