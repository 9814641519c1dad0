//! What a panel without a row says: that it is empty, why, and what to do.

use ratatui::Frame;
use ratatui::layout::{Margin, Rect};
use ratatui::text::Line;
use ratatui::widgets::Clear;

use crate::app::{Browsed, Model, Panel, text};
use crate::domain::Fetched;

use super::put_row;

/// Writes it into the panel, where that has no row.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, panel: Panel, area: Rect) {
    let Some(words) = words(model, panel) else { return };
    let inner = area.inner(Margin::new(1, 1));
    frame.render_widget(Clear, inner);
    let columns = usize::from(inner.width).saturating_sub(1);
    let words = model.facts().keys.told(words);
    for (offset, line) in text::wrap(&words, columns).into_iter().enumerate() {
        put_row(frame, inner, offset, None, Line::from(line));
    }
}

/// Of Events with an extension its own sentences tell, and the first line of Status always tells.
fn words(model: &Model, panel: Panel) -> Option<&'static str> {
    let (is_empty, words) = match panel.browsed() {
        Some(Browsed::Extensions) => (model.extensions().is_empty(), no_extension(model)),
        Some(Browsed::Events) => {
            (model.events().scope().is_none(), "no extension is chosen: press <extensions>")
        }
        None if panel == Panel::Marked => {
            (model.store().marked() == 0, "no marks: <mark> marks a row")
        }
        None => (panel == Panel::Calls && model.calls().is_empty(), "no request was sent yet"),
    };
    is_empty.then_some(words)
}

fn no_extension(model: &Model) -> &'static str {
    match model.discovery() {
        _ if model.words_of_wait().is_some() => "waiting for the PBX: <status> Status says why",
        Fetched::Not | Fetched::UnderWay => "reading the extensions…",
        Fetched::Ready(()) => {
            "no extension was found: name them under extensions in the profile, or with --extension"
        }
        Fetched::Failed(_) => "the extensions could not be read: <read-again> reads again",
    }
}
