//! The list of runs, over the panels.

use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::{Model, RunFiles, RunList, count_of, text};
use crate::change::Summary;

use super::dialogs::window;
use super::{put_cursor, theme};

/// Columns of a local time to the minute, and of a kind.
const TIME: usize = 17;
const KIND: usize = 7;

pub(super) fn draw(model: &Model, list: &RunList, frame: &mut Frame<'_>) {
    let columns = usize::from(frame.area().width).saturating_sub(6).min(110);
    let height = model.run_list_height();
    let mut lines = vec![titles(columns)];
    match list.files() {
        None => lines.push(Line::from("reading the run files…")),
        Some(Err(why)) => {
            let why = text::wrap(&model.mask().text(why), columns);
            lines.extend(why.into_iter().map(|line| Line::styled(line, theme::WARNING)));
        }
        Some(Ok(RunFiles { runs, remarks })) if runs.is_empty() && remarks.is_empty() => {
            lines.push(Line::from("no run of this PBX is on this machine yet"));
        }
        Some(Ok(RunFiles { runs, remarks })) => {
            let (top, at) = (list.cursor().top, list.cursor().at);
            let rows = runs.iter().map(Ok).chain(remarks.iter().map(Err));
            lines.extend(rows.enumerate().skip(top).take(height).map(|(place, row)| match row {
                Ok(run) => run_row(model, run, place == at, columns),
                Err(remark) => remark_row(model, remark, place == at, columns),
            }));
        }
    }
    let at = 1 + list.cursor().at.saturating_sub(list.cursor().top);
    lines.push(Line::styled("─".repeat(columns), theme::FAINT));
    let about = about(model, list, columns);
    lines.extend(about.map(|line| Line::from(text::clip(&line, columns))));
    let host = model.mask().host(model.facts().target.host());
    let remarks =
        list.files().and_then(|files| files.as_ref().ok()).map_or(0, |it| it.remarks.len());
    let remarks = match remarks {
        0 => String::new(),
        count => format!("· {} ", count_of(count, "damaged or foreign file")),
    };
    let inside = window(frame, &format!(" Runs on {host} {remarks}"), columns, lines, false);
    put_cursor(frame, inside, 0, at);
}

fn titles(columns: usize) -> Line<'static> {
    let titles = format!("  {:<TIME$}{:<KIND$} {}", "started", "kind", "what became of it");
    Line::styled(text::clip(&titles, columns), theme::STRONG)
}

/// A file that cannot be used as it is, and why; what it says whole stands below the rows.
fn remark_row(model: &Model, remark: &str, is_current: bool, columns: usize) -> Line<'static> {
    let marker = if is_current { ">" } else { " " };
    let line = format!("{marker} ! {}", model.mask().text(remark));
    let style = if is_current { theme::CURSOR } else { theme::WARNING };
    Line::from(Span::styled(text::column(&line, columns), style))
}

fn run_row(model: &Model, run: &Summary, is_current: bool, columns: usize) -> Line<'static> {
    let begun = run.begun(model.now().local.time_zone());
    let begun: String = begun.chars().take(16).collect();
    let state = match run.state().as_str() {
        "finished" => String::new(),
        state => format!("{state}: "),
    };
    let marker = if is_current { ">" } else { " " };
    let kind = run.kind.name();
    let words = model.mask().text(&run.words());
    let line = format!("{marker} {begun:<TIME$}{kind:<KIND$} {state}{words}");
    let style = if is_current { theme::CURSOR } else { state_style(run) };
    Line::from(Span::styled(text::column(&line, columns), style))
}

fn state_style(run: &Summary) -> Style {
    if run.left() > 0 || run.finished.is_none() { theme::WARNING } else { theme::PLAIN }
}

/// Name of the run under the cursor, and what can be done with it; of a remark all that it says.
fn about(model: &Model, list: &RunList, columns: usize) -> [String; 2] {
    if let Some(remark) = list.current_remark() {
        let mut lines = text::wrap(&model.mask().text(remark), columns).into_iter();
        return [lines.next().unwrap_or_default(), lines.collect()];
    }
    let Some(run) = list.current() else { return [String::new(), "q closes".to_owned()] };
    let mut keys = vec!["Enter shows it".to_owned()];
    if run.not_back() > 0 {
        keys.push("<undo> undoes it".to_owned());
    }
    if run.goes_on_as().is_some() {
        keys.push(format!("<go-on> goes on with {}", run.left()));
    }
    keys.extend(["<receipt> receipt".to_owned(), "q closes".to_owned()]);
    [model.run_words(&run.name), model.facts().keys.told(&keys.join("  "))]
}
