//! The list of what can be done here: a row an action with keys, name and help, and the whole of the
//! one under the cursor below them.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use crate::app::{ActionList, Layer, ListRow, Model, text};

use super::{dialogs, put_cursor, theme};

/// Columns of keys and names.
const KEYS: usize = 14;
const NAMES: usize = 15;
/// Lines about the action under the cursor.
const ABOUT: usize = 2;

pub(super) fn draw(model: &Model, list: &ActionList, frame: &mut Frame<'_>) {
    let columns = usize::from(frame.area().width).saturating_sub(6).min(110);
    let (typed, column) = dialogs::typed_line("find", list.line(), columns);
    let mut lines = vec![typed];
    let height = ActionList::height(model.layout());
    let shown = list.rows().iter().enumerate().skip(list.cursor().top).take(height);
    lines.extend(shown.map(|(place, shown)| {
        let words = text::column(&row(model, *shown), columns.saturating_sub(1));
        match shown {
            ListRow::Title(_) => Line::styled(words, theme::STRONG),
            ListRow::Action(..) if place == list.cursor().at => {
                Line::styled(format!(">{words}"), theme::CURSOR)
            }
            ListRow::Action(..) => Line::from(format!(" {words}")),
        }
    }));
    if list.rows().is_empty() {
        lines.push(Line::from(" nothing here is called so: change what is typed"));
    }
    lines.resize(height + 1, Line::default());
    lines.push(Line::styled("─".repeat(columns), theme::FAINT));
    lines.extend(about(model, list, columns));
    let does =
        if model.acts_in(Layer::Anywhere) { "Enter does it, Esc closes" } else { "Esc closes" };
    let title = format!(" What can be done here   {does} ");
    let inside = dialogs::window(frame, &title, columns, lines, false);
    put_cursor(frame, inside, column, 0);
}

fn row(model: &Model, row: ListRow) -> String {
    match row {
        ListRow::Title(layer) => layer.title().to_owned(),
        ListRow::Action(action, layer) => {
            let keys = text::column(&model.facts().keys.shown(action, Some(layer)), KEYS);
            format!("{keys} {} {}", text::column(action.name, NAMES), action.help)
        }
    }
}

/// What was just said, or all that there is to know of the action under the cursor.
fn about(model: &Model, list: &ActionList, columns: usize) -> Vec<Line<'static>> {
    let (words, style) = match (model.current_notice(), list.chosen()) {
        (Some(notice), _) => (notice.text.clone(), dialogs::tone(notice.tone)),
        (None, Some((action, _))) => (action.help.to_owned(), theme::PLAIN),
        (None, None) => ("nothing is called that: type less".to_owned(), theme::WARNING),
    };
    let mut lines = text::wrap(&words, columns);
    lines.resize(ABOUT, String::new());
    lines.into_iter().map(|line| Line::from(Span::styled(line, style))).collect()
}
