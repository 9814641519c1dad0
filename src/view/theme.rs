//! The looks. Meaning never depends on colour, and text is never white or black, so that it reads
//! on dark and on light backgrounds.

use ratatui::style::{Color, Modifier, Style};

pub(super) const PLAIN: Style = Style::new();
pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
pub(super) const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
pub(super) const CURSOR: Style = Style::new().add_modifier(Modifier::REVERSED);
pub(super) const FOCUSED: Style = Style::new().fg(Color::Cyan);
pub(super) const GOOD: Style = Style::new().fg(Color::Green);
pub(super) const WARNING: Style = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);
pub(super) const ALARM: Style =
    Style::new().fg(Color::Red).add_modifier(Modifier::BOLD).add_modifier(Modifier::REVERSED);
pub(super) const DANGER: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
