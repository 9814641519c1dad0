//! The screen as the loop sees it: one call shows a model.

use std::convert::Infallible;

use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use crate::app::Model;
use crate::view::draw;

use super::painter::Painter;

/// Draws models with ratatui and turns the pictures into bytes with a [`Painter`].
pub(super) struct Screen {
    terminal: Terminal<Canvas>,
    painter: Painter,
}

impl Screen {
    pub(super) fn new(synchronized: bool) -> Self {
        let Ok(terminal) = Terminal::new(Canvas(Size::ZERO));
        Self { terminal, painter: Painter::new(synchronized) }
    }

    /// What makes the terminal show the model, at the size of which the model was told. It counts as
    /// written where `goes` says so of it.
    pub(super) fn picture(
        &mut self,
        model: &Model,
        goes: impl FnOnce(Option<&[u8]>) -> bool,
    ) -> Option<Vec<u8>> {
        self.terminal.backend_mut().0 = model.layout().whole.as_size();
        let Ok(picture) = self.terminal.draw(|frame| draw(model, frame));
        let bytes = self.painter.bytes(picture.buffer);
        if goes(bytes.as_deref()) && bytes.is_some() {
            self.painter.painted(picture.buffer);
            return bytes;
        }
        None
    }

    /// The next picture is painted whole.
    pub(super) fn forget(&mut self) {
        self.painter.forget();
    }

    /// The picture of a model, drawn anew.
    #[cfg(test)]
    pub(super) fn drawn(&mut self, model: &Model) -> &ratatui::buffer::Buffer {
        self.terminal.backend_mut().0 = model.layout().whole.as_size();
        let Ok(picture) = self.terminal.draw(|frame| draw(model, frame));
        picture.buffer
    }
}

/// What ratatui takes for its terminal: only a size. The finished picture is painted as a whole,
/// not by what ratatui says has changed.
struct Canvas(Size);

impl Backend for Canvas {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, _content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _position: P) -> Result<(), Infallible> {
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn clear_region(&mut self, _which: ClearType) -> Result<(), Infallible> {
        Ok(())
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.0)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize { columns_rows: self.0, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
