//! What a style means, and how the operator's terminal shows it: drawing uses the styles below, and
//! the finished picture is dressed as the operator wants it. Meaning never depends on colour.

use ratatui::buffer::{Buffer, CellWidth};
use ratatui::style::{Color, Modifier, Style};

use crate::looks::{Looks, Palette};

/// The colours in which the picture is drawn: each stands for a meaning until it is dressed.
const ROLES: Palette =
    Palette { focus: Color::Cyan, good: Color::Green, warning: Color::Magenta, danger: Color::Red };

pub(super) const PLAIN: Style = Style::new();
pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
/// Frames and lines, never a sentence: on some terminals it hardly reads.
pub(super) const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
pub(super) const CURSOR: Style = Style::new().add_modifier(Modifier::REVERSED);
/// A row of a range, which moving extends.
pub(super) const RANGE: Style = Style::new().add_modifier(Modifier::UNDERLINED);
/// What stands in a border is as plain as what stands in a panel.
pub(super) const TITLE: Style = Style::new().fg(Color::Reset).remove_modifier(Modifier::DIM);
pub(super) const FOCUSED: Style = Style::new().fg(ROLES.focus);
/// Reversed: bold cyan, which is bright cyan on many terminals, does not read on white.
pub(super) const FOCUSED_TITLE: Style =
    TITLE.add_modifier(Modifier::BOLD).add_modifier(Modifier::REVERSED);
pub(super) const GOOD: Style = Style::new().fg(ROLES.good);
pub(super) const WARNING: Style = Style::new().fg(ROLES.warning).add_modifier(Modifier::BOLD);
pub(super) const DANGER: Style = Style::new().fg(ROLES.danger).add_modifier(Modifier::BOLD);
pub(super) const ALARM: Style = DANGER.add_modifier(Modifier::REVERSED);

/// Gives the finished picture the operator's colours, or none, and takes from it what is not ASCII
/// where nothing else may be drawn. Every column stays where it is.
pub(super) fn dress(picture: &mut Buffer, looks: &Looks) {
    for cell in picture.content.iter_mut().filter(|cell| cell.fg != Color::Reset) {
        cell.fg = looks.palette.map_or(Color::Reset, |palette| worn(cell.fg, palette));
    }
    if looks.ascii {
        to_ascii(picture);
    }
}

fn worn(role: Color, palette: Palette) -> Color {
    let pairs = [
        (ROLES.focus, palette.focus),
        (ROLES.good, palette.good),
        (ROLES.warning, palette.warning),
        (ROLES.danger, palette.danger),
    ];
    pairs.into_iter().find(|(drawn, _)| *drawn == role).map_or(role, |(_, color)| color)
}

fn to_ascii(picture: &mut Buffer) {
    let mut covered = 0;
    for cell in &mut picture.content {
        let width = cell.cell_width();
        if covered > 0 {
            // The second column of a wide character has its place too.
            covered -= 1;
            cell.set_symbol(UNKNOWN);
        } else if !cell.symbol().is_ascii() {
            covered = width.saturating_sub(1);
            cell.set_symbol(ascii(cell.symbol()));
        }
    }
}

/// For what has no likeness in ASCII.
const UNKNOWN: &str = "?";

fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "─" | "–" | "·" => "-",
        "═" => "=",
        "│" | "║" => "|",
        "┌" | "┐" | "└" | "┘" | "╔" | "╗" | "╚" | "╝" => "+",
        "…" => "~",
        "→" => ">",
        "←" => "<",
        "↑" => "^",
        "↓" => "v",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dressed(text: &str, style: Style, looks: Looks) -> Buffer {
        let mut picture = Buffer::with_lines([ratatui::text::Line::styled(text.to_owned(), style)]);
        dress(&mut picture, &looks);
        picture
    }

    fn text(picture: &Buffer) -> String {
        picture.content.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn in_ascii_every_column_holds_one_character_and_stays_where_it_is() {
        let looks = Looks { ascii: true, ..Looks::default() };
        for (drawn, shown) in [
            ("┌─ a ─┐│║═", "+- a -+||="),
            ("a…b · 1–2 → ↓", "a~b - 1-2 > v"),
            ("受付x", "????x"),
            ("e\u{301}x␛ü", "?x??"),
            ("🙂.", "??."),
        ] {
            assert_eq!(text(&dressed(drawn, PLAIN, looks)), shown, "{drawn}");
        }
        assert_eq!(text(&dressed("─ü", PLAIN, Looks::default())), "─ü");
    }

    #[test]
    fn colours_are_the_operators_or_none_and_the_rest_of_a_style_stays() {
        let fg = |style, looks| dressed("x", style, looks).content[0].fg;
        let palette = Palette { warning: Color::Indexed(208), ..Palette::MANY };
        let own = Looks { palette: Some(palette), ..Looks::default() };
        assert_eq!(fg(WARNING, own), Color::Indexed(208));
        assert_eq!(fg(GOOD, own), Color::Indexed(28));
        assert_eq!(fg(DANGER, Looks::default()), Color::Red);
        assert_eq!(fg(FOCUSED_TITLE, own), Color::Reset);
        assert_eq!(fg(PLAIN, own), Color::Reset);
        let none = Looks { palette: None, ..Looks::default() };
        for style in [WARNING, GOOD, FOCUSED, DANGER, ALARM] {
            let picture = dressed("x", style, none);
            assert_eq!(picture.content[0].fg, Color::Reset);
            assert_eq!(picture.content[0].modifier, style.add_modifier);
        }
    }
}
