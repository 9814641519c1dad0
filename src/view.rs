//! The model as a picture: reads all, changes nothing.
//!
//! Only rows in sight are built, whatever the length of a list, and every text that came from
//! outside goes through [`Foreign`](crate::domain::Foreign)'s `Display` on its way here. Whatever
//! could name a customer goes through the model's [`Mask`].
//!
//! The terminal's own cursor stands on the row in focus, and in a line at the place of typing, so
//! that screen readers and magnifiers follow. Whatever is drawn on top puts it anew.

mod actions;
mod details;
mod dialogs;
mod empty;
mod events;
mod hints;
mod lists;
mod review;
mod runs;
mod status;
mod theme;

#[cfg(test)]
mod tests;

use std::fmt::{Display, Write as _};

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use crate::app::{Dialog, Layer, MarkPrompt, Model, Panel, RepointPrompt, Tone, count_of, text};
use crate::change::Reckoned;
use crate::domain::{Change, Fetched, Mask, Meant, PhoneCallEvent, Status};
use crate::keys::Command;

/// So many columns of a panel's title are always in sight.
const SHORTEST_TITLE: usize = 14;
/// Bytes that the words of a row seldom need more of.
const ROOM_OF_ROW: usize = 512;
/// The bar on the row under the cursor is at least so long.
const SHORTEST_BAR: u16 = 24;

/// Draws the whole screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    draw_all(model, frame);
    theme::dress(frame.buffer_mut(), &model.facts().looks);
}

fn draw_all(model: &Model, frame: &mut Frame<'_>) {
    let layout = model.layout();
    // The terminal may have become smaller than the last message said.
    let whole = layout.whole.intersection(frame.area());
    if !layout.fits || whole != layout.whole {
        let lines = unseen(model, frame.area());
        frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), frame.area());
        return;
    }
    frame.render_widget(Paragraph::new(header(model)), layout.header);
    match model.dialog() {
        // Of what lies below there would be nothing but letters at its sides.
        Some(Dialog::Review(review)) if review.layout().covers(whole.as_size()) => {}
        Some(_) | None => panels(model, frame),
    }
    match model.dialog() {
        Some(Dialog::Review(review)) => review::draw(model, review, frame),
        Some(Dialog::Question(question)) => dialogs::question(model, question, frame),
        Some(Dialog::Details(details)) => details::draw(model, details, frame),
        Some(Dialog::Runs(list)) => runs::draw(model, list, frame),
        Some(Dialog::Filter(_) | Dialog::Marking(_) | Dialog::Repointing(_)) | None => {}
    }
    if let Some(list) = model.actions() {
        actions::draw(model, list, frame);
    }
}

fn panels(model: &Model, frame: &mut Frame<'_>) {
    let layout = model.layout();
    for panel in Panel::ALL {
        if let Some(area) = layout.panel(panel) {
            match panel {
                Panel::Extensions => lists::extensions(model, frame, area),
                Panel::Events => events::draw(model, frame, area),
                Panel::Status => status::draw(model, frame, area),
                Panel::Marked => lists::marked(model, frame, area),
                Panel::Calls => lists::calls(model, frame, area),
            }
            empty::draw(model, frame, panel, area);
        }
    }
    frame.render_widget(Paragraph::new(hints::line(model, layout.hints.width)), layout.hints);
    prompt(model, frame);
}

/// What there is to know where there is no room for a picture: one line tells the state.
fn unseen(model: &Model, area: Rect) -> Vec<Line<'static>> {
    let larger = Line::from("make the window larger (60x15)");
    let mut lines = Vec::new();
    if model.is_running() {
        let (settled, all) = model.progress();
        let words = format!("{} {settled} of {all}, Esc stops", running_word(model));
        lines.push(Line::styled(words, theme::WARNING));
    }
    lines.push(larger);
    let mut last = badges(model);
    last.push(Span::raw(short_marks(model)));
    lines.push(Line::from(last));
    lines.truncate(usize::from(area.height).max(1));
    lines
}

/// Profile and host give way to counts, and all of them to badges and marks, which never go away.
fn header(model: &Model) -> Line<'static> {
    let facts = model.facts();
    let host = model.mask().host(facts.target.host());
    let marked = model.store().marked();
    let (counts, fewer_words) = match model.discovery() {
        Fetched::Ready(()) | Fetched::Failed(_) => {
            let unsure = if model.not_read_again().is_some() { "?" } else { "" };
            let (least, more) = if model.is_partial() { ("at least ", "+") } else { ("", "") };
            let extensions = text::grouped(model.extensions().found().len());
            let events = text::grouped(model.store().len());
            let missing = model.words_of_missing().is_some();
            let (of_ext, more_ext) = if missing { ("at least ", "+") } else { ("", "") };
            (
                format!("{of_ext}{extensions} ext  {least}{events}{unsure} events  "),
                format!("{extensions}{more_ext} ext  {events}{more}{unsure} events  "),
            )
        }
        Fetched::Not | Fetched::UnderWay => ("reading…  ".to_owned(), String::new()),
    };
    let marks = match model.hidden_marks() {
        0 => format!("* {marked} marked "),
        hidden => format!("* {marked} marked ({hidden} hidden) "),
    };
    let width = usize::from(model.layout().header.width);
    let named = vec![
        Span::raw(" "),
        Span::styled(model.profile_words(), theme::STRONG),
        Span::raw(format!(" {host} ")),
    ];
    let blank = vec![Span::raw(" ")];
    let candidates = [
        (named.clone(), badges(model), counts, marks.clone()),
        (named.clone(), badges(model), fewer_words, marks.clone()),
        (named, badges(model), String::new(), marks.clone()),
        (blank.clone(), badges(model), String::new(), marks),
        (blank, badges(model), String::new(), short_marks(model)),
        (Vec::new(), short_badges(model), String::new(), short_marks(model)),
    ];
    let taken = |(name, badges, counts, marks): &(Vec<_>, Vec<_>, String, String)| {
        wide(name) + wide(badges) + text::width(counts) + text::width(marks)
    };
    let last = candidates.len() - 1;
    let fits = candidates.iter().position(|candidate| taken(candidate) <= width).unwrap_or(last);
    let mut line = Vec::new();
    if let Some(candidate) = candidates.into_iter().nth(fits) {
        let blanks = width.saturating_sub(taken(&candidate));
        let (name, badges, counts, marks) = candidate;
        line.extend(name.into_iter().chain(badges));
        line.push(Span::raw(" ".repeat(blanks)));
        line.push(Span::raw(counts));
        line.push(Span::styled(marks, if marked > 0 { theme::STRONG } else { theme::PLAIN }));
    }
    Line::from(line)
}

fn short_marks(model: &Model) -> String {
    let marked = model.store().marked();
    match model.hidden_marks() {
        0 => format!("*{marked}"),
        hidden => format!("*{marked} ~{hidden}"),
    }
}

/// The modes in force: their words, and what is left of them where there is no room.
fn modes(model: &Model) -> impl Iterator<Item = (&'static str, &'static str, Style)> {
    let facts = model.facts();
    let (running, running_style) = (running_word(model), theme::WARNING);
    let waits = model.words_of_wait().is_some();
    let all = [
        (model.mask().is_on(), "MASKED", "MASK", theme::STRONG),
        (facts.demo, "DEMO", "DEMO", theme::GOOD),
        (facts.read_only, "READ-ONLY", "R-O", theme::STRONG),
        (facts.insecure, "TLS NOT VERIFIED", "TLS NOT VERIFIED", theme::ALARM),
        (facts.protected, "PROTECTED", "PROTECTED", theme::STRONG),
        (model.is_running(), running, running, running_style),
        (waits && !model.is_running(), "WAITING", "WAIT", theme::WARNING),
    ];
    all.into_iter().filter(|(on, ..)| *on).map(|(_, word, short, style)| (word, short, style))
}

fn badges(model: &Model) -> Vec<Span<'static>> {
    let spans = modes(model)
        .flat_map(|(word, _, style)| [Span::styled(format!("[{word}]"), style), Span::raw(" ")]);
    spans.collect()
}

fn short_badges(model: &Model) -> Vec<Span<'static>> {
    let spans =
        modes(model).flat_map(|(_, short, style)| [Span::styled(short, style), Span::raw(" ")]);
    spans.collect()
}

fn running_word(model: &Model) -> &'static str {
    match model.waiting() {
        _ if model.is_simulating() && model.is_paused() => "SIMULATION PAUSED",
        _ if model.is_simulating() => "SIMULATING",
        _ if model.is_paused() => "PAUSED",
        Some(_) => "WAITING",
        None => "RUNNING",
    }
}

/// The line that is being typed; else what was said last, or what is waited for. A longer sentence
/// takes the line of the hints too, until the next key.
fn prompt(model: &Model, frame: &mut Frame<'_>) {
    let [area, below] = [model.layout().prompt, model.layout().hints].map(|area| Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(1),
        ..area
    });
    let columns = usize::from(area.width).saturating_sub(1);
    let typed = match model.dialog() {
        Some(Dialog::Filter(prompt)) => {
            let extensions = prompt.panel() == Panel::Extensions;
            let what = if extensions { "filter extensions" } else { "filter events" };
            Some(dialogs::typed_line(what, prompt.line(), columns))
        }
        Some(Dialog::Marking(prompt)) => {
            let what = if prompt.marks() { "mark" } else { "unmark" };
            Some(dialogs::typed_line(what, prompt.line(), columns))
        }
        Some(Dialog::Repointing(prompt)) => {
            Some(dialogs::typed_line("re-point OLD=NEW", prompt.line(), columns))
        }
        // They say themselves what was said last.
        Some(Dialog::Review(_) | Dialog::Question(_)) => return,
        Some(Dialog::Details(_) | Dialog::Runs(_)) | None => None,
    };
    if let Some((line, column)) = typed {
        frame.render_widget(line, area);
        put_cursor(frame, area, column, 0);
        return;
    }
    let said = model.current_notice().map(|notice| (notice.text.clone(), notice.tone));
    let waits = || model.words_of_wait().map(|words| (words, Tone::Warning));
    let Some((words, tone)) = said.or_else(waits) else { return };
    let mut lines = text::wrap(&model.mask().text(&words), columns).into_iter();
    let first = lines.next().unwrap_or_default();
    let rest = lines.collect::<String>();
    frame.render_widget(Line::styled(first, dialogs::tone(tone)), area);
    if !rest.is_empty() {
        frame.render_widget(Clear, model.layout().hints);
        frame.render_widget(Line::styled(text::clip(&rest, columns), dialogs::tone(tone)), below);
    }
}

/// Puts the terminal's own cursor into an area, where that has such a place.
fn put_cursor(frame: &mut Frame<'_>, area: Rect, column: usize, row: usize) {
    let (Ok(column), Ok(row)) = (u16::try_from(column), u16::try_from(row)) else { return };
    if row < area.height && area.width > 0 {
        frame.set_cursor_position((area.x + column.min(area.width - 1), area.y + row));
    }
}

/// What there is to say about the line that is being typed.
fn about_typed(model: &Model) -> Option<Span<'static>> {
    let dialog = model.dialog()?;
    let line = match dialog {
        Dialog::Filter(prompt) => prompt.line(),
        Dialog::Marking(prompt) => prompt.line(),
        Dialog::Repointing(prompt) => prompt.line(),
        Dialog::Review(_) | Dialog::Question(_) | Dialog::Details(_) | Dialog::Runs(_) => {
            return None;
        }
    };
    if let Some(refusal) = line.refusal() {
        return Some(Span::styled(refusal, theme::WARNING));
    }
    match dialog {
        Dialog::Filter(prompt) => {
            let passed_over = if prompt.panel() == Panel::Extensions {
                model.extensions().passed_over().in_words("extension")
            } else {
                model.events().passed_over().to_string()
            };
            Some(dialogs::about_filter(prompt.line(), prompt.refused(), &passed_over))
        }
        Dialog::Marking(prompt) => Some(meaning(prompt)),
        Dialog::Repointing(prompt) => Some(repointing(prompt, model.mask())),
        Dialog::Review(_) | Dialog::Question(_) | Dialog::Details(_) | Dialog::Runs(_) => None,
    }
}

/// What becomes of an event in at most so many columns, old values and new ones.
fn changed(mask: &Mask, event: &PhoneCallEvent, change: &Change, columns: usize) -> String {
    let others = Change { url: None, status: None, ..change.clone() };
    let of_status = |status: &Status| match &event.status {
        old if old == status => status.to_string(),
        old => format!("{old} → {status}"),
    };
    let status = change.status.as_ref().map(of_status);
    let others = Some(others.words(event, mask)).filter(|words| !words.is_empty());
    let words = status.into_iter().chain(others).collect::<Vec<_>>().join(", ");
    let gap = if words.is_empty() { "" } else { "  " };
    let room = columns.saturating_sub(text::width(&words) + gap.len());
    let old = mask.url(&event.url);
    let url = match &change.url {
        Some(new) => text::turned(&old, &mask.url(new), room),
        None => text::url(&old, room),
    };
    format!("{words}{gap}{url}")
}

/// What Enter would do in the prompt of `e`.
fn repointing(prompt: &RepointPrompt, mask: &Mask) -> Span<'static> {
    match prompt.reckoned(mask) {
        _ if prompt.line().text().is_empty() => {
            Span::raw("two hosts, or two beginnings of URLs with http:// or https://")
        }
        Err(why) => Span::styled(why, theme::WARNING),
        Ok(Reckoned { fit, left_out, .. }) => {
            let events = count_of(*fit, "event");
            let left_out = match left_out {
                0 => String::new(),
                1 => ", 1 does not fit".to_owned(),
                many => format!(", {many} do not fit"),
            };
            Span::raw(format!("{events}{left_out}: Enter reviews, Esc cancels"))
        }
    }
}

/// What Enter would do in the prompt of `T`.
fn meaning(prompt: &MarkPrompt) -> Span<'static> {
    let (marks, changes) = (prompt.marks(), prompt.changes());
    match prompt.meant() {
        Err(error) => Span::styled(error.to_string(), theme::WARNING),
        Ok(_) if prompt.is_empty() => {
            Span::raw("which events of all loaded extensions; a leading - negates a term")
        }
        Ok(Meant { events: 0, passed_over, .. }) if passed_over.is_empty() => {
            Span::styled("matches no event", theme::WARNING)
        }
        Ok(Meant { events: 0, passed_over, .. }) => {
            Span::styled(format!("matches no event; {passed_over}"), theme::WARNING)
        }
        Ok(Meant { events, marked, passed_over, .. }) => {
            let verb = if marks { "marks" } else { "unmarks" };
            let events = count_of(events, "event");
            let does = format!("{events}, {marked} marked: Enter {verb} {changes}");
            if passed_over.is_empty() {
                Span::raw(format!("{does}, Esc cancels"))
            } else {
                Span::styled(format!("{does}; {passed_over}"), theme::WARNING)
            }
        }
    }
}

fn wide(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// A panel's frame, and the room inside. Of the one in focus the terminal's cursor stands in there,
/// until a row takes it.
fn frame_panel(
    model: &Model,
    frame: &mut Frame<'_>,
    area: Rect,
    panel: Panel,
    title: &str,
    right: &str,
) -> Rect {
    let key = model.facts().keys.first(Command::Focus(panel), Layer::Panels);
    let title = key.into_iter().map(|key| format!("{key} ")).chain([title.to_owned()]);
    let title = title.collect::<String>();
    let focused = model.focus() == panel;
    let (border, style) =
        if focused { (theme::FOCUSED, theme::FOCUSED_TITLE) } else { (theme::FAINT, theme::TITLE) };
    let room = usize::from(area.width.saturating_sub(4));
    // Counts tell more than whose they are, and stand at the end.
    let right = text::clip_front(right, room.saturating_sub(SHORTEST_TITLE));
    let title = text::clip(&title, room.saturating_sub(text::width(&right) + 2));
    let right = if right.is_empty() { right } else { format!(" {right} ") };
    let block = Block::bordered()
        .border_style(border)
        .title(Line::styled(format!(" {title} "), style))
        .title(Line::styled(right, theme::TITLE).right_aligned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if focused {
        put_cursor(frame, inner, 0, 0);
    }
    inner
}

/// One row of a list: a marker column, so that the cursor never depends on colour alone, and in the
/// panel in focus the row reversed, with the terminal's own cursor on it.
fn put_row(
    frame: &mut Frame<'_>,
    inner: Rect,
    offset: usize,
    cursor: Option<bool>,
    line: Line<'_>,
) {
    let Line { style, spans, .. } = line;
    put_spans(frame, inner, offset, cursor, style, &spans);
}

/// The same of words that are nobody's: nothing is made for a row but its cells.
fn put_spans(
    frame: &mut Frame<'_>,
    inner: Rect,
    offset: usize,
    cursor: Option<bool>,
    style: Style,
    spans: &[Span<'_>],
) {
    let Some(offset) = u16::try_from(offset).ok().filter(|offset| *offset < inner.height) else {
        return;
    };
    let row = Rect { y: inner.y + offset, height: 1, ..inner };
    let marker = Span::raw(if cursor.is_some() { ">" } else { " " });
    // Blanks behind the last word cost a slow line as much as letters do.
    let (mut column, mut words) = (0, 0);
    for span in std::iter::once(&marker).chain(spans) {
        let text = span.content.as_ref();
        let (x, room) = (row.x + column, usize::from(row.width - column));
        let (end, _) =
            frame.buffer_mut().set_stringn(x, row.y, text, room, style.patch(span.style));
        let shown = u16::try_from(text::width(text.trim_end())).unwrap_or(row.width);
        if shown > 0 {
            words = column.saturating_add(shown);
        }
        column = end - row.x;
    }
    if cursor == Some(true) {
        let bar = Rect { width: words.clamp(SHORTEST_BAR, row.width.max(SHORTEST_BAR)), ..row };
        frame.buffer_mut().set_style(bar.intersection(row), theme::CURSOR);
        put_cursor(frame, row, 0, 0);
    }
}

/// Writes something behind other words.
fn put(words: &mut String, what: impl Display) {
    // A string takes whatever is written to it.
    let _written = write!(words, "{what}");
}

/// The words of a row: those at its left, and those behind them, which may look otherwise. They are
/// written anew for every row of a panel, in the same room.
struct Row {
    left: String,
    right: String,
}

impl Row {
    fn new() -> Self {
        let room = || String::with_capacity(ROOM_OF_ROW);
        Self { left: room(), right: room() }
    }

    fn clear(&mut self) {
        self.left.clear();
        self.right.clear();
    }

    /// Puts what is on the right at the end of so many columns.
    fn join(&mut self, columns: usize) {
        text::fit(&mut self.left, columns.saturating_sub(text::width(&self.right) + 1));
        self.left.push(' ');
        self.left.push_str(&self.right);
        self.right.clear();
    }
}

/// Shows that a row is in the range which moving extends: underlined, and `|` in front where the
/// cursor is not.
fn put_range(frame: &mut Frame<'_>, inner: Rect, offset: usize) {
    let Ok(offset) = u16::try_from(offset) else { return };
    let row = Rect { y: inner.y.saturating_add(offset), height: 1, ..inner }.intersection(inner);
    frame.buffer_mut().set_style(row, theme::RANGE);
    if let Some(marker) =
        frame.buffer_mut().cell_mut((row.x, row.y)).filter(|it| it.symbol() == " ")
    {
        marker.set_symbol("|");
    }
}
