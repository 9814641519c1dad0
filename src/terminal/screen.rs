//! The screen as the loop sees it: one call shows a model.

use std::cell::Cell as Shared;
use std::convert::Infallible;
use std::rc::Rc;

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
    /// Where the last picture has its cursor.
    cursor: Rc<Shared<Option<Position>>>,
}

impl Screen {
    pub(super) fn new(synchronized: bool) -> Self {
        let cursor = Rc::new(Shared::new(None));
        let Ok(terminal) = Terminal::new(Canvas { size: Size::ZERO, cursor: Rc::clone(&cursor) });
        Self { terminal, painter: Painter::new(synchronized), cursor }
    }

    /// What makes the terminal show the model, at the size of which the model was told. It counts as
    /// written where `goes` says so of it.
    pub(super) fn picture(
        &mut self,
        model: &Model,
        goes: impl FnOnce(Option<&[u8]>) -> bool,
    ) -> Option<Vec<u8>> {
        self.terminal.backend_mut().size = model.layout().whole.as_size();
        let Ok(picture) = self.terminal.draw(|frame| draw(model, frame));
        let cursor = self.cursor.get();
        let bytes = self.painter.bytes(picture.buffer, cursor);
        if goes(bytes.as_deref()) && bytes.is_some() {
            self.painter.painted(picture.buffer, cursor);
            return bytes;
        }
        None
    }

    /// The next picture is painted whole.
    pub(super) fn forget(&mut self) {
        self.painter.forget();
    }

    /// The picture of a model, drawn anew, and where it has its cursor.
    #[cfg(test)]
    pub(super) fn drawn(&mut self, model: &Model) -> (&ratatui::buffer::Buffer, Option<Position>) {
        self.terminal.backend_mut().size = model.layout().whole.as_size();
        let Ok(picture) = self.terminal.draw(|frame| draw(model, frame));
        (picture.buffer, self.cursor.get())
    }
}

/// What ratatui takes for its terminal: a size, and where the cursor is put. The finished picture is
/// painted as a whole, not by what ratatui says has changed.
struct Canvas {
    size: Size,
    cursor: Rc<Shared<Option<Position>>>,
}

impl Backend for Canvas {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, _content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.cursor.set(None);
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.cursor.set(Some(position.into()));
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn clear_region(&mut self, _which: ClearType) -> Result<(), Infallible> {
        Ok(())
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
