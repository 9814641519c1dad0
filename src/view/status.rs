//! The Status panel: how the run goes, a row for each of its calls, and the log.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{
    ActiveRun, LogLine, Model, Panel, StatusRow, Tone, count_of, ids_told, is_well, outcome_word,
    whole_seconds,
};
use crate::change::{
    EarlierEvent, EarlierRun, Kind, Machine, Reply, RunCall, RunState, SILENT, Summary, Waiting,
};
use crate::domain::{Call, DeleteCall, Mask, Outcome, PhoneCallEvent, Word};

use crate::keys::Keymap;

use super::{changed, frame_panel, put_row, text, theme};

/// So many columns of what was changed are always in sight.
const FEWEST_OF_CHANGE: usize = 30;
/// A shorter bar shows nothing.
const SHORTEST_BAR: usize = 10;

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
        let line = match (row, model.run()) {
            (StatusRow::Call(call), Some(active)) => {
                call_row(mask, &active.machine, call, columns).unwrap_or_default()
            }
            (StatusRow::Unsent(place), Some(active)) => {
                let row = active.unsent_event(place);
                row.map(|row| earlier_row(mask, &row, columns)).unwrap_or_default()
            }
            (StatusRow::Call(_) | StatusRow::Unsent(_), None) => Line::default(),
            (StatusRow::Earlier(row), _) => earlier_row(mask, row, columns),
            (StatusRow::Log(line), _) => log_row(mask, line, columns),
        };
        put_row(frame, inner, offset + 1, at, line);
    }
    whole_row(model, frame, inner, rows + 1);
}

fn titles(model: &Model) -> (String, String) {
    let now = model.now().since_start;
    if let Some(EarlierRun { summary, .. }) = model.earlier_run() {
        let name = model.run_words(&summary.name);
        let kind = summary.kind.name();
        let begun = summary.begun(model.now().local.time_zone());
        return (format!("Earlier {kind} {name}"), begun);
    }
    let Some(active) = model.run() else {
        return ("Status".to_owned(), "no run yet".to_owned());
    };
    let machine = &active.machine;
    let tally = machine.tally();
    // What was not sent is not done; a simulation sends nothing.
    let not_done = if machine.is_simulated() { 0 } else { tally.of(Word::NotSent) };
    let (settled, planned) = (tally.settled() - not_done, machine.plan().events().len());
    let title = match machine.plan().undoes() {
        _ if machine.is_simulated() => "Simulated run".to_owned(),
        None => format!("Run {}", model.run_words(machine.name())),
        Some(_) => format!("Undo {}", model.run_words(machine.name())),
    };
    let right = format!("{settled}/{planned}");
    let over = machine.state() == RunState::Finished;
    let right = match (active.silent_for(now), active.pace(now)) {
        (Some(silent), _) => format!("{right}  no answer for {} s", silent.as_secs()),
        (None, Some((rate, rest))) if active.is_flowing() => {
            format!("{right}  {rate:.1}/s  {} left", seconds(rest))
        }
        (None, Some((rate, _))) if over => format!("{right}  {rate:.1}/s"),
        (None, Some(_) | None) => right,
    };
    (title, right)
}

/// The first line: what to expect, how far the run is, or how it ended.
fn summary(model: &Model, columns: usize) -> Line<'static> {
    if let Some(run) = model.earlier_run() {
        return earlier_summary(model, &run.summary, columns);
    }
    let Some(active) = model.run() else {
        if model.is_running() {
            return Line::styled("writing the run file…", theme::WARNING);
        }
        if let Some(words) = model.words_of_wait().or_else(|| model.words_of_missing()) {
            let words = model.mask().text(&words);
            return Line::styled(text::clip(&words, columns), theme::WARNING);
        }
        let marked = model.store().marked();
        let extensions = model.store().marked_extensions();
        let words = match marked {
            0 => "nothing is marked: <mark> marks, <delete> reviews the row under the cursor"
                .to_owned(),
            _ => format!(
                "{} marked in {}: <delete> reviews them",
                count_of(marked, "event"),
                count_of(extensions, "extension")
            ),
        };
        return Line::from(text::clip(&model.facts().keys.told(&words), columns));
    };
    let machine = &active.machine;
    let tally = machine.tally();
    let (simulated, over) = (machine.is_simulated(), machine.state() == RunState::Finished);
    if simulated && over {
        let events = count_of(active.would_change(), "event");
        let done = machine.plan().deed().done();
        let words = format!("simulated: {events} would be {done} · nothing was sent");
        return Line::styled(text::clip(&words, columns), theme::GOOD);
    }
    let words = if over {
        active.ended().join(" · ")
    } else if simulated {
        let state = state_words(model, machine);
        format!("{state}: {} would be sent", count_of(active.would_change(), "event"))
    } else {
        let waits = model.waiting().is_some() || model.checking().is_some();
        let state = state_words(model, machine);
        let tally = tally.words(machine.plan().kind());
        format!("{state}{} {tally}", if waits { " ·" } else { ":" })
    };
    let lost = machine.beside();
    if lost > 0 {
        let events = count_of(lost, "event");
        let words = format!("{events} GONE, NOT IN THE PLAN · {words}");
        return Line::styled(text::clip(&words, columns), theme::DANGER);
    }
    if over && !machine.is_surplus_known() {
        let words = format!("{words} · {SILENT}");
        return Line::styled(text::clip(&words, columns), theme::WARNING);
    }
    if over {
        let check = machine.check();
        let words = ended(active, &model.facts().keys, columns);
        let is_well = tally.left() == 0 && check.is_good();
        let style = if is_well { theme::GOOD } else { theme::WARNING };
        return Line::styled(text::clip(&words, columns), style);
    }
    let room = columns.saturating_sub(text::width(&words) + 4).min(60);
    if room < SHORTEST_BAR {
        return Line::styled(text::clip(&words, columns), theme::STRONG);
    }
    let done = (tally.settled() * room).checked_div(machine.plan().events().len()).unwrap_or(0);
    let bar = format!("[{}{}] ", "#".repeat(done), ".".repeat(room.saturating_sub(done)));
    Line::from(vec![Span::styled(bar, theme::GOOD), Span::styled(words, theme::STRONG)])
}

/// What became of a run of before, and how to go on with it.
fn earlier_summary(model: &Model, run: &Summary, columns: usize) -> Line<'static> {
    let mut words = format!("{}: {}", run.state(), run.words());
    let goes_on = run.goes_on_as().is_some();
    if goes_on {
        let key = if run.kind == Kind::Undo { "<undo>" } else { "<go-on>" };
        let way_on = model.facts().keys.told(&format!("{key} goes on with {}", run.left()));
        words = format!("{words} · {way_on}");
    }
    let style = if goes_on { theme::WARNING } else { theme::PLAIN };
    Line::styled(text::clip(&model.mask().text(&words), columns), style)
}

/// How a run ended, whether it was checked and how to go on: where room is short that is said in fewer
/// words, and what stands in the rows and hints too is cut off first.
fn ended(active: &ActiveRun, keys: &Keymap, columns: usize) -> String {
    let way_on = active.way_on(keys);
    let whole: Vec<String> = active.ended_and_checked().into_iter().chain(way_on.clone()).collect();
    let whole = whole.join(" · ");
    if text::width(&whole) <= columns {
        return whole;
    }
    let check = Some(active.machine.check().in_short().to_owned());
    let mut parts = active.ended();
    let counts = parts.pop();
    let parts = match parts.pop() {
        // Why it stopped, and how to go on.
        Some(stopped) => vec![Some(stopped), way_on, check, counts],
        None => vec![counts, check, way_on],
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Where the run stands, and until when it waits.
fn state_words(model: &Model, machine: &Machine) -> String {
    let now = model.now();
    let waits = machine.waiting(now.since_start).map(|Waiting { until, why }| {
        let left = until.saturating_sub(now.since_start);
        let seconds = whole_seconds(left);
        if why.is_none() && machine.state() == RunState::Verifying {
            return format!("listed again in {seconds} s");
        }
        let at = now.local.time().wrapping_add(left).strftime("%H:%M:%S");
        let lag = || "an earlier request may still change what is listed".to_owned();
        let why = why.map_or_else(lag, |why| model.mask().text(&why.to_string()));
        format!("waiting until {at} ({seconds} s): {why}")
    });
    let doing = match machine.plan().undoes() {
        Some(run) => format!("undoing {run}"),
        None if machine.is_simulated() => "simulating".to_owned(),
        None => "running".to_owned(),
    };
    match machine.state() {
        RunState::Opening | RunState::Running => waits.unwrap_or(doing),
        RunState::Paused => "paused".to_owned(),
        RunState::Stopping => "stopping".to_owned(),
        RunState::Verifying => {
            let (checked, all) = machine.checked();
            let waits = waits.map_or(String::new(), |waits| format!(", {waits}"));
            format!("checking {checked} of {all}{waits}")
        }
        RunState::Closing | RunState::Finished => "closing the run file".to_owned(),
    }
}

fn call_row(mask: &Mask, machine: &Machine, call: usize, columns: usize) -> Option<Line<'static>> {
    let (sent, reply) = (machine.call(call)?, machine.reply(call)?);
    let outcomes = machine.outcomes_of(call);
    let word = outcome_word(outcomes);
    let status = reply.http_status.map_or("---".to_owned(), |status| status.to_string());
    let took = format!("{}ms", reply.took.as_millis());
    let what = what(mask, sent.call());
    if machine.is_simulated() {
        let lead = format!("{word:<10} {what} ");
        let room = columns.saturating_sub(text::width(&lead));
        let tail = match (sent.call(), sent.covered()) {
            (Call::Update(_, change), [event]) => changed(mask, event, change, room),
            (_, [event]) => text::url(&mask.url(&event.url), room),
            (_, events) => count_of(events.len(), "event"),
        };
        return Some(Line::from(format!("{lead}{tail}")));
    }
    let lead = format!("{word:<10} {status:>3} {took:>5} {what} ");
    let room = columns.saturating_sub(text::width(&lead));
    let good = outcomes.iter().flatten().all(is_well) && reply.surplus.is_empty();
    let good = good && !machine.is_silent(call);
    let tail = text::clip(&answer_words(mask, &sent, outcomes, reply, room), room);
    let style = if good { theme::PLAIN } else { theme::DANGER };
    Some(Line::styled(format!("{lead}{tail}"), style))
}

/// An event of a run of before; how long its call took is not known any more.
fn earlier_row(mask: &Mask, row: &EarlierEvent, columns: usize) -> Line<'static> {
    let EarlierEvent { event, change, outcome } = row;
    let (number, event_type) = (mask.number(&event.key.extension), event.key.event_type.short());
    let lead = format!("{:<12} {number} {event_type:<8} ", outcome.name());
    let room = columns.saturating_sub(text::width(&lead));
    // Why it was not done, and which event that is about.
    let told = outcome.failure().map_or_else(String::new, |failure| {
        format!("{}  ", text::clip(&mask.text(&failure.to_string()), room / 2))
    });
    let room = room.saturating_sub(text::width(&told));
    let what = match change {
        Some(change) => changed(mask, event, change, room),
        None => text::url(&mask.url(&event.url), room),
    };
    let style = if outcome.is_well() { theme::PLAIN } else { theme::DANGER };
    Line::styled(format!("{lead}{told}{}", text::clip(&what, room)), style)
}

fn whole_earlier(mask: &Mask, row: &EarlierEvent) -> String {
    let EarlierEvent { event, change, outcome } = row;
    let failure =
        outcome.failure().map(|failure| format!("{} · ", mask.text(&failure.to_string())));
    let (number, key) = (mask.number(&event.key.extension), &event.key);
    let change = change.as_ref().map(|change| format!(" · {}", change.words(event, mask)));
    let new_id = outcome.new_id().map(|id| format!(" → {id}"));
    format!(
        "{} · {}{number} {} {}{}{} · {}",
        outcome.name(),
        failure.unwrap_or_default(),
        key.event_type,
        key.id,
        new_id.unwrap_or_default(),
        change.unwrap_or_default(),
        mask.url(&event.url)
    )
}

fn what(mask: &Mask, call: &Call) -> String {
    let number = mask.number(call.extension());
    match call {
        Call::Delete(DeleteCall::Event(key)) => format!("{number} {}", key.event_type.short()),
        Call::Delete(DeleteCall::Type(_, event_type)) => {
            format!("{number} all {}", event_type.short())
        }
        Call::Delete(DeleteCall::Extension(_)) => format!("{number} all events"),
        Call::Create(PhoneCallEvent { key, .. }) | Call::Update(key, _) => {
            format!("{number} {}", key.event_type.short())
        }
    }
}

/// Code and message of the failure, or the ids that came back: whole where they fit, else their
/// first characters.
fn answer_words(
    mask: &Mask,
    call: &RunCall,
    outcomes: &[Option<Outcome>],
    reply: &Reply,
    room: usize,
) -> String {
    if let Some(failure) = outcomes.iter().flatten().find_map(Outcome::failure) {
        return mask.text(&failure.to_string());
    }
    let ids = ids_told(call, outcomes, reply);
    let whole = ids.join(" ");
    if let (Call::Update(_, change), Some(event)) = (call.call(), call.covered().first()) {
        // Below the rows the id is whole.
        let needed = text::width(&changed(mask, event, change, FEWEST_OF_CHANGE));
        let fits = text::width(&whole) + 1 + needed <= room;
        let ids = if fits { whole } else { shortened(&ids) };
        let left = room.saturating_sub(text::width(&ids) + 1);
        return format!("{ids} {}", changed(mask, event, change, left));
    }
    if text::width(&whole) <= room || matches!(call.call(), Call::Create(_)) {
        return if whole.is_empty() { "no id returned".to_owned() } else { whole };
    }
    shortened(&ids)
}

/// The first characters of each id.
fn shortened(ids: &[String]) -> String {
    let short = |id: &String| id.chars().take(8).collect::<String>();
    ids.iter().map(short).collect::<Vec<_>>().join(" ")
}

fn log_row(mask: &Mask, line: &LogLine, columns: usize) -> Line<'static> {
    let style = match line.tone {
        Tone::Plain => theme::PLAIN,
        Tone::Good => theme::GOOD,
        Tone::Warning => theme::WARNING,
    };
    Line::styled(text::clip(&line.words(mask), columns), style)
}

/// The row under the cursor in full, below the rows.
fn whole_row(model: &Model, frame: &mut Frame<'_>, inner: Rect, below: usize) {
    let columns = usize::from(inner.width).saturating_sub(1);
    let cursor = model.cursor(Panel::Status);
    let mask = model.mask();
    let text = match (model.status_row(cursor.at), model.run()) {
        (Some(StatusRow::Call(call)), Some(active)) => whole_call(mask, &active.machine, call),
        (Some(StatusRow::Earlier(row)), _) => Some(whole_earlier(mask, row)),
        (Some(StatusRow::Log(line)), _) => Some(line.words(mask)),
        (Some(StatusRow::Unsent(place)), Some(active)) => {
            active.unsent_event(place).map(|row| whole_earlier(mask, &row))
        }
        (Some(StatusRow::Call(_) | StatusRow::Unsent(_)) | None, _) => None,
    };
    let Some(text) = text else { return };
    if text::width(&text) <= columns {
        return;
    }
    put_row(frame, inner, below, None, Line::styled("─".repeat(columns), theme::FAINT));
    let room = usize::from(inner.height).saturating_sub(below + 1);
    let mut lines = text::wrap(&text, columns);
    if lines.len() > room {
        lines.truncate(room);
        // An ellipsis shows that the text goes on.
        if let Some(last) = lines.last_mut() {
            *last = text::clip(&format!("{}…", last.trim_end()), columns);
        }
    }
    for (offset, line) in lines.into_iter().enumerate() {
        put_row(frame, inner, below + 1 + offset, None, Line::from(line));
    }
}

fn whole_call(mask: &Mask, machine: &Machine, call: usize) -> Option<String> {
    let (sent, reply) = (machine.call(call)?, machine.reply(call)?);
    let outcomes = machine.outcomes_of(call);
    let mut words = vec![outcome_word(outcomes).to_owned()];
    let failure = outcomes.iter().flatten().find_map(Outcome::failure);
    words.extend(failure.map(|failure| mask.text(&failure.to_string())));
    if !reply.surplus.is_empty() {
        let ids: Vec<String> = reply.surplus.iter().map(ToString::to_string).collect();
        words.push(format!("NOT IN THE PLAN: {}", ids.join(" ")));
    }
    words.extend(machine.is_silent(call).then(|| SILENT.to_owned()));
    let ids = ids_told(&sent, outcomes, reply).join(" ");
    match sent.call() {
        _ if ids.is_empty() => {}
        Call::Delete(_) => words.push(format!("returned {ids}")),
        Call::Create(_) => words.push(ids),
        Call::Update(_, change) => {
            words.push(ids);
            let covered = sent.covered().first();
            words.extend(covered.map(|event| change.words(event, mask)));
        }
    }
    words.push(format!("{} {}", sent.call().method(), mask.path(&sent.path())));
    Some(words.join(" · "))
}

fn seconds(rest: Duration) -> String {
    let seconds = rest.as_secs();
    if seconds >= 60 {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    } else {
        format!("{seconds}s")
    }
}
