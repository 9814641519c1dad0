//! How the screen looks: which colour stands for what, or none at all, with which characters it
//! is drawn, and how long it is looked at.

use std::time::Duration;

use ratatui::style::Color;

/// How long nothing may arrive from a terminal that answers for itself before a question that it
/// shows can be answered.
pub const QUIET: Duration = Duration::from_millis(200);

/// What the operator and the terminal want of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// The colours; none where there are to be none.
    pub palette: Option<Palette>,
    /// Only ASCII is drawn.
    pub ascii: bool,
    /// Every picture goes out between the brackets of synchronized output (mode 2026).
    pub synchronized: bool,
}

impl Default for Looks {
    fn default() -> Self {
        Self { palette: Some(Palette::FEW), ascii: false, synchronized: true }
    }
}

/// The colour of each thing that has one. Nothing is told by its colour alone, and text that means
/// nothing special is in the terminal's own colour on the terminal's own ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// The panel that keys go to.
    pub focus: Color,
    /// What went as asked.
    pub good: Color,
    /// What needs care.
    pub warning: Color,
    /// What deletes, and what failed.
    pub danger: Color,
}

impl Palette {
    /// Where there are eight or sixteen colours. Of these only red and magenta read on white and on
    /// black (a contrast of 3.6 and more in xterm); green, cyan and yellow have 2.2 and less on white,
    /// blue 2.2 on black, so that the others are the terminal's own colour.
    pub const FEW: Self = Self {
        focus: Color::Reset,
        good: Color::Reset,
        warning: Color::Magenta,
        danger: Color::Red,
    };

    /// Where there are 256: each has a contrast of at least 4.1 on white and on black.
    pub const MANY: Self = Self {
        focus: Color::Indexed(30),
        good: Color::Indexed(28),
        warning: Color::Indexed(130),
        danger: Color::Indexed(161),
    };
}
