//! The list of what can be done here: typing narrows it, Enter does what is under the cursor as though
//! its key had been pressed in the layer below. Over a review or a question it only shows, so that
//! nothing is confirmed from it.

use crate::keys::{ACTIONS, Action, Command, Keymap, Layer, Motion};

use super::status::Tone;
use super::{Cursor, Dialog, Effect, Layout, Model, TypedLine};

/// The list of what can be done here, while it is open.
#[derive(Debug)]
pub struct ActionList {
    line: TypedLine,
    rows: Vec<ListRow>,
    cursor: Cursor,
}

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListRow {
    /// The title of a layer; the actions below it belong to it.
    Title(Layer),
    /// What can be done in this layer.
    Action(&'static Action, Layer),
}

impl ActionList {
    /// Lines above and below the rows: the frame, what is typed, and three about the row under the
    /// cursor.
    const AROUND: usize = 6;

    /// Rows of the list that fit on the screen; the header stays visible.
    pub fn height(layout: &Layout) -> usize {
        usize::from(layout.whole.height).saturating_sub(1 + Self::AROUND)
    }

    /// The text typed to narrow the list.
    pub fn line(&self) -> &TypedLine {
        &self.line
    }

    pub(super) fn line_mut(&mut self) -> &mut TypedLine {
        &mut self.line
    }

    /// The rows of the list.
    pub fn rows(&self) -> &[ListRow] {
        &self.rows
    }

    /// The cursor in the list.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The action under the cursor, and where it holds.
    pub fn chosen(&self) -> Option<(&'static Action, Layer)> {
        match self.rows.get(self.cursor.at)? {
            ListRow::Action(action, layer) => Some((action, *layer)),
            ListRow::Title(_) => None,
        }
    }

    /// Moves the cursor, which never stays on a title.
    pub(super) fn go(&mut self, motion: Motion, layout: &Layout) {
        let height = Self::height(layout);
        self.cursor.go(motion, self.rows.len(), height);
        if matches!(self.rows.get(self.cursor.at), Some(ListRow::Title(_))) {
            let up = matches!(motion, Motion::Up | Motion::PageUp) && self.cursor.at > 0;
            let motion = if up { Motion::Up } else { Motion::Down };
            self.cursor.go(motion, self.rows.len(), height);
        }
        self.fit(layout);
    }

    fn fit(&mut self, layout: &Layout) {
        self.cursor.fit(self.rows.len(), Self::height(layout));
        // Its title is of no use out of sight.
        if self.cursor.at == 1 {
            self.cursor.top = 0;
        }
    }

    fn narrow(&mut self, keys: &Keymap, below: Layer, layout: &Layout) {
        self.rows = rows(keys, below, self.line.text());
        self.cursor = Cursor::default();
        self.go(Motion::First, layout);
    }
}

/// What holds in the layer below, then anywhere, then what holds elsewhere.
fn rows(keys: &Keymap, below: Layer, typed: &str) -> Vec<ListRow> {
    let here = [below, Layer::Anywhere];
    let others = Layer::TITLED.iter().map(|(layer, _)| *layer);
    let mut rows = Vec::new();
    for layer in here.into_iter().chain(others.filter(|layer| !here.contains(layer))) {
        let ranked = ACTIONS.iter().filter(|action| action.layers.contains(&layer));
        let ranked = ranked.filter_map(|action| {
            let keys = keys.shown(action, Some(layer));
            Some((rank(action, &keys, typed)?, action))
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        if !ranked.is_empty() {
            rows.push(ListRow::Title(layer));
        }
        rows.extend(ranked.into_iter().map(|(_, action)| ListRow::Action(action, layer)));
    }
    rows
}

/// How well an action fits what was typed, the best first; none where a word of it is nowhere in its
/// keys, name and help.
fn rank(action: &Action, keys: &str, typed: &str) -> Option<u8> {
    let typed = typed.trim();
    let (name, low) = (action.name, typed.to_lowercase());
    if keys.split(' ').any(|key| key == typed) || name == low {
        return Some(0);
    }
    if name.starts_with(&low.replace(' ', "-")) {
        return Some(1);
    }
    let all = format!("{keys} {name} {}", action.help).to_lowercase();
    low.split_whitespace().all(|word| all.contains(word)).then_some(2)
}

impl Model {
    /// Opens the list over whatever is there.
    pub(super) fn list_actions(&mut self) {
        if matches!(&self.dialog, Some(Dialog::Review(review)) if review.is_agreed()) {
            self.notice(Tone::Plain, "it is read once more before it goes on: n cancels");
            return;
        }
        let line = TypedLine::default();
        self.actions = Some(ActionList { line, rows: Vec::new(), cursor: Cursor::default() });
        self.narrow_actions();
    }

    /// Shows what fits what is typed.
    pub(super) fn narrow_actions(&mut self) {
        let below = self.layer_below();
        if let Some(list) = &mut self.actions {
            list.narrow(&self.facts.keys, below, &self.layout);
        }
    }

    pub(super) fn fit_actions(&mut self) {
        if let Some(list) = &mut self.actions {
            list.fit(&self.layout);
        }
    }

    /// Whether Enter in the list carries out actions of this layer.
    pub fn acts_in(&self, layer: Layer) -> bool {
        let below = self.layer_below();
        !below.asks() && (layer == below || layer == Layer::Anywhere)
    }

    /// Enter in the list.
    pub(super) fn do_chosen(&mut self) -> Vec<Effect> {
        let below = self.layer_below();
        let Some((action, layer)) = self.actions.as_ref().and_then(ActionList::chosen) else {
            self.notice(Tone::Plain, "nothing is called that: type less, or Esc closes this list");
            return Vec::new();
        };
        let keys = self.facts.keys.shown(action, Some(layer));
        let key = keys.split(' ').next().unwrap_or_default();
        let why = if below.asks() {
            format!("this list only shows what a review takes: Esc, then {key}")
        } else if action.command == Command::Confirm {
            "y only confirms a review, and has to be pressed there".to_owned()
        } else if !self.acts_in(layer) {
            format!("not here: {}", layer.title().to_lowercase())
        } else {
            self.actions = None;
            return self.obey(action.command);
        };
        self.notice(Tone::Plain, why);
        Vec::new()
    }
}
