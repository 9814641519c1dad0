//! Every field of one event or call, whole, over the panels.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use crate::app::{DETAIL_NAME as NAME, DETAIL_WIDEST, Details, Model, text};

use super::dialogs::window;
use super::{put_cursor, theme};

pub(super) fn draw(model: &Model, details: &Details, frame: &mut Frame<'_>) {
    let columns = usize::from(frame.area().width).saturating_sub(6).min(DETAIL_WIDEST);
    let (lines, height) = model.detail_lines(details);
    let more = if lines.len() > height { "  <down> <up> scroll" } else { "" };
    let keys = model.facts().keys.told(&format!("<copy-details> copies  q closes{more}"));
    let title = format!(" {}   {keys} ", details.title());
    let lines = lines.into_iter().skip(details.top()).take(height).map(|(name, part)| {
        Line::from(vec![Span::styled(text::column(name, NAME), theme::STRONG), Span::raw(part)])
    });
    let inside = window(frame, &title, columns, lines.collect(), false);
    put_cursor(frame, inside, 0, 0);
}
