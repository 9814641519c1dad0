//! The Status panel: how the run goes, a row for each of its calls, and the log.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{ActiveRun, ActiveUndo, LogLine, Model, Panel, StatusRow, Tone, count_of};
use crate::deletion::{Reply, RunState};
use crate::domain::{Cause, DeleteCall, Foreign, Mask, Outcome};

use super::{frame_panel, put_row, text, theme};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (title, right) = titles(model);
    let inner = frame_panel(model, frame, area, Panel::Status, &title, &right);
    let cursor = model.cursor(Panel::Status);
    let focused = model.focus() == Panel::Status;
    let columns = usize::from(inner.width).saturating_sub(1);
    let rows = model.layout().rows(Panel::Status);
    let mask = model.mask();
    put_row(frame, inner, 0, None, summary(model, columns));
    for offset in 0..rows {
        let index = cursor.top + offset;
        let Some(row) = model.status_row(index) else {
            break;
        };
        let at = (focused && index == cursor.at).then_some(true);
        let line = match row {
            StatusRow::Made(place, took) => model
                .undo()
                .map_or_else(Line::default, |active| made_row(mask, active, place, took, columns)),
            StatusRow::Call(call) => model
                .run()
                .map_or_else(Line::default, |active| call_row(mask, active, call, columns)),
            StatusRow::Log(line) => log_row(mask, line, columns),
        };
        put_row(frame, inner, offset + 1, at, line);
    }
    whole_row(model, frame, inner, rows + 1);
}

fn titles(model: &Model) -> (String, String) {
    let now = model.now().since_start;
    if let Some(active) = model.undo() {
        let (settled, all) = (active.undo.tally().settled(), active.undo.plan().events().len());
        return (format!("3 Undo {}", active.name), format!("{settled}/{all}"));
    }
    let Some(active) = model.run() else {
        return ("3 Status".to_owned(), "no run yet".to_owned());
    };
    let settled = active.run.tally().settled();
    let planned = active.run.plan().events().len();
    let title = if active.simulated {
        "3 Simulated run".to_owned()
    } else {
        format!("3 Run {}", active.name)
    };
    let mut right = format!("{settled}/{planned}");
    if let Some((rate, rest)) = active.pace(now) {
        right = format!("{right}  {rate:.1}/s");
        if active.is_going_on() {
            right = format!("{right}  {} left", seconds(rest));
        }
    }
    (title, right)
}

/// The first line: what to expect, how far the run is, or how it ended.
fn summary(model: &Model, columns: usize) -> Line<'static> {
    if let Some(active) = model.undo() {
        return undo_summary(active, columns);
    }
    let Some(active) = model.run() else {
        if model.is_running() {
            return Line::styled("writing the run file…", theme::WARNING);
        }
        let marked = model.store().marked();
        let extensions = model.store().marked_extensions();
        let words = match marked {
            0 => "nothing is marked: space marks, d reviews the row under the cursor".to_owned(),
            _ => format!(
                "{} in {} marked: d reviews them",
                count_of(marked, "event"),
                count_of(extensions, "extension")
            ),
        };
        return Line::styled(text::clip(&words, columns), theme::FAINT);
    };
    let tally = active.run.tally();
    if active.simulated && !active.is_going_on() {
        let events = count_of(active.would_delete(), "event");
        let words = format!("simulated: {events} would be deleted · nothing was sent");
        return Line::styled(text::clip(&words, columns), theme::GOOD);
    }
    let state = match active.run.state() {
        RunState::Running if active.simulated => "simulating",
        RunState::Running => "running",
        RunState::Paused => "PAUSED",
        RunState::Stopping => "stopping",
        RunState::Verifying => "verifying",
        RunState::Finished => "finished",
    };
    let words = if active.simulated {
        format!("{state}: {} would be sent", count_of(active.would_delete(), "event"))
    } else {
        format!("{state}: {tally}")
    };
    let lost = active.run.surplus().len();
    if lost > 0 {
        let events = count_of(lost, "event");
        let words = format!("{events} GONE THAT WERE NOT IN THE REVIEW · {words}");
        return Line::styled(text::clip(&words, columns), theme::DANGER);
    }
    if !active.is_going_on() {
        let agrees = if active.run.is_verified() { " · the service agrees" } else { "" };
        let words = format!("{words}{agrees}");
        let left = tally.refused + tally.not_sent + tally.unknown;
        let style = if left > 0 { theme::WARNING } else { theme::GOOD };
        return Line::styled(text::clip(&words, columns), style);
    }
    let room = columns.saturating_sub(text::width(&words) + 4).min(60);
    let done = (tally.settled() * room).checked_div(active.run.plan().events().len()).unwrap_or(0);
    let bar = format!("[{}{}] ", "#".repeat(done), ".".repeat(room.saturating_sub(done)));
    Line::from(vec![Span::styled(bar, theme::GOOD), Span::styled(words, theme::STRONG)])
}

fn undo_summary(active: &ActiveUndo, columns: usize) -> Line<'static> {
    let tally = active.undo.tally();
    let run = active.undo.plan().run();
    let state = if active.is_going_on() { "undoing" } else { "undone" };
    let agrees = if active.undo.is_verified() { " · the service agrees" } else { "" };
    let words = format!("{state} {run}: {tally}{agrees}");
    let whole = tally.restored == active.undo.plan().events().len();
    let style = match (active.is_going_on(), whole) {
        (true, _) => theme::STRONG,
        (false, true) => theme::GOOD,
        (false, false) => theme::WARNING,
    };
    Line::styled(text::clip(&words, columns), style)
}

/// One event of an undo: its old id and, where it is known, the new one.
fn made_words(mask: &Mask, active: &ActiveUndo, place: usize) -> Option<(String, String, bool)> {
    let event = active.undo.plan().events().get(place)?;
    let outcome = active.undo.outcomes().get(place)?.as_ref()?;
    let key = &event.key;
    let tail = match (outcome, outcome.failure()) {
        (_, Some(failure)) => mask.text(&failure.to_string()),
        (Outcome::Restored(Some(id)), None) => format!("{} → {id}", key.id),
        (_, None) => key.id.to_string(),
    };
    let what = format!("{} {}", mask.number(&key.extension), key.event_type);
    Some((what, tail, outcome.failure().is_none()))
}

fn made_row(
    mask: &Mask,
    active: &ActiveUndo,
    place: usize,
    took: Duration,
    columns: usize,
) -> Line<'static> {
    let outcome = active.undo.outcomes().get(place).and_then(Option::as_ref);
    let Some((what, tail, good)) = made_words(mask, active, place) else {
        return Line::default();
    };
    let word = outcome.map_or("", Outcome::name);
    let words = format!("{word:<10} {:>5} {what} {tail}", format!("{}ms", took.as_millis()));
    Line::styled(text::clip(&words, columns), if good { theme::PLAIN } else { theme::DANGER })
}

fn call_row(mask: &Mask, active: &ActiveRun, call: usize, columns: usize) -> Line<'static> {
    let (Some(sent), Some(reply)) = (active.run.call(call), active.run.reply(call)) else {
        return Line::default();
    };
    let outcomes = active.run.outcomes_of(call);
    let word = outcome_word(outcomes);
    let status = reply.http_status.map_or("---".to_owned(), |status| status.to_string());
    let took = format!("{}ms", reply.took.as_millis());
    let what = what(mask, sent.delete());
    let lead = format!("{word:<10} {status:>3} {took:>5} {what} ");
    let room = columns.saturating_sub(text::width(&lead));
    let good = outcomes.iter().flatten().all(is_well) && reply.surplus.is_empty();
    let tail = text::clip(&answer_words(mask, outcomes, reply, room), room);
    let style = if good { theme::PLAIN } else { theme::DANGER };
    Line::styled(format!("{lead}{tail}"), style)
}

/// The outcome of the call: one word where all its events agree, else the first that is not well.
fn outcome_word(outcomes: &[Option<Outcome>]) -> &'static str {
    let bad = outcomes.iter().flatten().find(|outcome| !is_well(outcome));
    bad.or(outcomes.iter().flatten().next()).map_or("settled", word)
}

fn word(outcome: &Outcome) -> &'static str {
    if is_simulated(outcome) { "would send" } else { outcome.name() }
}

fn is_well(outcome: &Outcome) -> bool {
    outcome.is_gone() || is_simulated(outcome)
}

fn is_simulated(outcome: &Outcome) -> bool {
    outcome.failure().is_some_and(|failure| failure.cause == Cause::Simulated)
}

fn what(mask: &Mask, delete: &DeleteCall) -> String {
    let number = mask.number(delete.extension());
    match delete {
        DeleteCall::Event(key) => format!("{number} {}", key.event_type),
        DeleteCall::Type(_, event_type) => format!("{number} all {event_type}"),
        DeleteCall::Extension(_) => format!("{number} all events"),
    }
}

/// Code and message of the failure, or the ids that came back: whole where they fit, else their
/// first characters.
fn answer_words(mask: &Mask, outcomes: &[Option<Outcome>], reply: &Reply, room: usize) -> String {
    if let Some(failure) = outcomes.iter().flatten().find_map(Outcome::failure) {
        return mask.text(&failure.to_string());
    }
    let whole = spaced(&reply.returned);
    if text::width(&whole) <= room {
        return if whole.is_empty() { "no id returned".to_owned() } else { whole };
    }
    let short = |id: &Foreign| id.to_string().chars().take(8).collect::<String>();
    reply.returned.iter().map(short).collect::<Vec<_>>().join(" ")
}

fn log_row(mask: &Mask, line: &LogLine, columns: usize) -> Line<'static> {
    let style = match line.tone {
        Tone::Plain => theme::PLAIN,
        Tone::Good => theme::GOOD,
        Tone::Warning => theme::WARNING,
    };
    Line::styled(text::clip(&log_words(mask, line), columns), style)
}

fn log_words(mask: &Mask, line: &LogLine) -> String {
    let time = line.time;
    let clock = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    format!("{clock} {}", mask.text(&line.text))
}

/// The row under the cursor in full, below the rows.
fn whole_row(model: &Model, frame: &mut Frame<'_>, inner: Rect, below: usize) {
    let columns = usize::from(inner.width).saturating_sub(1);
    let cursor = model.cursor(Panel::Status);
    let mask = model.mask();
    let text = match (model.status_row(cursor.at), model.run()) {
        (Some(StatusRow::Call(call)), Some(active)) => whole_call(mask, active, call),
        (Some(StatusRow::Log(line)), _) => log_words(mask, line),
        (Some(StatusRow::Made(place, _)), _) => {
            match model.undo().and_then(|active| made_words(mask, active, place)) {
                Some((what, tail, _)) => format!("{what} {tail}"),
                None => return,
            }
        }
        (Some(StatusRow::Call(_)) | None, _) => return,
    };
    if text::width(&text) <= columns {
        return;
    }
    put_row(frame, inner, below, None, Line::styled("─".repeat(columns), theme::FAINT));
    let room = usize::from(inner.height).saturating_sub(below + 1);
    let mut lines = text::wrap(&text, columns);
    if lines.len() > room {
        lines.truncate(room);
        // Nobody is to take for whole what is cut off.
        if let Some(last) = lines.last_mut() {
            *last = text::clip(&format!("{}…", last.trim_end()), columns);
        }
    }
    for (offset, line) in lines.into_iter().enumerate() {
        put_row(frame, inner, below + 1 + offset, None, Line::from(line));
    }
}

fn whole_call(mask: &Mask, active: &ActiveRun, call: usize) -> String {
    let run = &active.run;
    let (Some(sent), Some(reply)) = (run.call(call), run.reply(call)) else {
        return String::new();
    };
    let outcomes = run.outcomes_of(call);
    let mut words = vec![outcome_word(outcomes).to_owned()];
    let failure = outcomes.iter().flatten().find_map(Outcome::failure);
    words.extend(failure.map(|failure| mask.text(&failure.to_string())));
    if !reply.surplus.is_empty() {
        words.push(format!("NOT IN THE REVIEW: {}", spaced(&reply.surplus)));
    }
    if !reply.returned.is_empty() {
        words.push(format!("returned {}", spaced(&reply.returned)));
    }
    words.push(format!("DELETE {}", mask.path(&sent.delete().path(run.plan().target()))));
    words.join(" · ")
}

fn spaced(ids: &[Foreign]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn seconds(rest: Duration) -> String {
    let seconds = rest.as_secs();
    if seconds >= 60 {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    } else {
        format!("{seconds}s")
    }
}
