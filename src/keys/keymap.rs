//! The table with the keys in force: those of the table, and in place of them what `[keys]` says. A
//! keymap in which `y`, Esc or ctrl-c meant anything else, or one key two things, does not exist.

use super::table::{ACTIONS, Action, Hint, Layer, Place};
use super::{Command, Key, Keys};

/// What a key asks for, given the key that was pressed before it without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// This command.
    Command(Command),
    /// The beginning of a longer sequence.
    Prefix,
    /// No command.
    Nothing,
}

/// Every action of the table, in its order, with its keys in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap(Vec<(&'static Action, Vec<Keys>)>);

/// Why other keys cannot be given to an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// Which of the changes, counted from zero.
    pub change: usize,
    /// The reason, which ends in the remedy.
    pub why: String,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = |action: &Action| action.keys.iter().filter_map(|text| Keys::parse(text).ok());
        Self(ACTIONS.iter().map(|action| (action, keys(action).collect())).collect())
    }
}

impl Keymap {
    /// The table with other keys for some of its actions.
    ///
    /// # Errors
    /// The first change, in the order given, that cannot be.
    pub fn with(changes: &[(&'static Action, Vec<Keys>)]) -> Result<Self, Refused> {
        let mut all = Self::default();
        for (action, keys) in changes {
            if let Some((_, bound)) = all.0.iter_mut().find(|(known, _)| known == action) {
                bound.clone_from(keys);
            }
        }
        for (change, (action, keys)) in changes.iter().enumerate() {
            let later: Vec<&Action> =
                changes.iter().skip(change + 1).map(|(one, _)| *one).collect();
            let why = all.refusal(action, keys, &later);
            if let Some(why) = why {
                return Err(Refused { change, why });
            }
        }
        Ok(all)
    }

    fn refusal(&self, action: &Action, keys: &[Keys], later: &[&Action]) -> Option<String> {
        let name = action.name;
        if action.is_fixed {
            return Some(format!(
                "{name} always has the keys {}, so that they mean the same on every machine: leave \
                 the line out",
                Self::default().shown(action, None)
            ));
        }
        if keys.is_empty() && action.command == Command::Help {
            return Some(format!("{name} needs a key, as it leads to all others: write one"));
        }
        keys.iter().find_map(|keys| {
            let why = reserved(action, keys).map(str::to_owned);
            let why = why.or_else(|| self.taken(action, keys, later))?;
            Some(format!("{name} = \"{keys}\": {why}"))
        })
    }

    /// What else these keys mean where the action holds. Of two that were both changed the later one
    /// is told.
    fn taken(&self, action: &Action, keys: &Keys, later: &[&Action]) -> Option<String> {
        let clash = |other: &Keys| {
            other.each().starts_with(keys.each()) || keys.each().starts_with(other.each())
        };
        let others = self.0.iter().filter(|(other, _)| !later.contains(other));
        others.into_iter().find_map(|(other, theirs)| {
            let same = *other == action;
            let layer = shared(action, other, keys)?;
            let taken = theirs.iter().find(|theirs| clash(theirs) && (!same || *theirs != keys))?;
            let (name, place) = (other.name, layer.title());
            let means = if taken == keys {
                format!("{taken} already means {name} ({place})")
            } else {
                format!("{taken}, which means {name}, begins with the same key ({place})")
            };
            Some(if same || other.is_fixed {
                format!("{means}: choose another key")
            } else {
                format!("{means}: choose another key, or give {name} another one")
            })
        })
    }

    /// What is asked for in a layer or, where it knows nothing, anywhere. What a line takes as text
    /// is no command.
    pub fn look_up(&self, layer: Layer, pending: Option<Key>, key: Key) -> Found {
        if layer.takes_text() && pending.unwrap_or(key).typed().is_some() {
            return Found::Nothing;
        }
        match self.found_in(layer, pending, key) {
            Found::Nothing => self.found_in(Layer::Anywhere, pending, key),
            found @ (Found::Command(_) | Found::Prefix) => found,
        }
    }

    fn found_in(&self, layer: Layer, pending: Option<Key>, key: Key) -> Found {
        let pressed: Vec<Key> = pending.into_iter().chain([key]).collect();
        let mut found = Found::Nothing;
        for (action, keys) in self.0.iter().filter(|(action, _)| action.layers.contains(&layer)) {
            for keys in keys.iter().map(Keys::each).filter(|keys| keys.starts_with(&pressed)) {
                if keys.len() == pressed.len() {
                    return Found::Command(action.command);
                }
                found = Found::Prefix;
            }
        }
        found
    }

    /// The actions that hold in a layer, in the order of the table.
    pub fn actions(&self, layer: Layer) -> impl Iterator<Item = &'static Action> {
        let actions = self.0.iter().map(|(action, _)| *action);
        actions.filter(move |action| action.layers.contains(&layer))
    }

    /// The keys of an action as they are printed, `j ↓`, `gg Home`; in a layer without those that are
    /// text there.
    pub fn shown(&self, action: &Action, layer: Option<Layer>) -> String {
        let is_text = |keys: &Keys| layer.is_some_and(Layer::takes_text) && keys.types();
        let found = self.0.iter().find(|(known, _)| *known == action);
        let keys = found.iter().flat_map(|(_, keys)| keys).filter(|keys| !is_text(keys));
        keys.map(Keys::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The first key that asks for this in a layer.
    pub fn first(&self, command: Command, layer: Layer) -> Option<String> {
        let action = self.actions(layer).find(|action| action.command == command)?;
        self.shown(action, Some(layer)).split(' ').next().map(str::to_owned)
    }

    /// A sentence with keys in it, as it is to be read: for the name of an action in angle brackets its
    /// first key stands. Where it has none, the list of all that can be done leads to it.
    pub fn told(&self, sentence: &str) -> String {
        let mut told = String::with_capacity(sentence.len());
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once('<') {
            told.push_str(before);
            let named = after.split_once('>');
            if let Some((key, left)) =
                named.and_then(|(name, left)| Some((self.key_of(name)?, left)))
            {
                told.push_str(&key);
                rest = left;
            } else {
                told.push('<');
                rest = after;
            }
        }
        told.push_str(rest);
        told
    }

    fn key_of(&self, name: &str) -> Option<String> {
        let (_, keys) = self.0.iter().find(|(action, _)| action.name == name)?;
        Some(keys.first().map_or_else(|| format!(":{name}"), Keys::to_string))
    }

    /// The hints of a place in their order, each with the first key of its action.
    pub fn hints(&self, place: Place) -> Vec<(String, &'static Hint)> {
        let mut hints: Vec<_> = self
            .0
            .iter()
            .filter_map(|(action, keys)| {
                let hint = action.hints.iter().find(|hint| hint.place == place)?;
                Some((keys.first()?.to_string(), hint))
            })
            .collect();
        hints.sort_by_key(|(_, hint)| hint.rank);
        hints
    }
}

/// A layer in which both actions hold and these keys are no text.
fn shared(one: &Action, other: &Action, keys: &Keys) -> Option<Layer> {
    let is_key = |layer: &Layer| !(layer.takes_text() && keys.types());
    let anywhere = |action: &Action| action.layers.contains(&Layer::Anywhere);
    let mut mine = one.layers.iter().filter(|layer| is_key(layer));
    let mut theirs = other.layers.iter().filter(|layer| is_key(layer));
    let both = mine.clone().find(|layer| other.layers.contains(layer));
    let below = || if anywhere(other) { mine.next() } else { None };
    let above = || if anywhere(one) { theirs.next() } else { None };
    both.or_else(below).or_else(above).copied()
}

/// Why no action, or not this one, can have these keys.
fn reserved(action: &Action, keys: &Keys) -> Option<&'static str> {
    let any = |test: &dyn Fn(&Key) -> bool| keys.each().iter().any(test);
    let is = |name: &str| Key::parse(name).is_ok_and(|reserved| any(&|key| *key == reserved));
    if is("y") {
        return Some("y means yes and nothing else, so that no habit confirms: choose another key");
    }
    if is("esc") {
        return Some("Esc always goes one step back: choose another key");
    }
    if is("ctrl-c") {
        return Some("ctrl-c always goes back, and twice leaves: choose another key");
    }
    if any(&|key| key.is_ctrl(Some('i')) || key.is_ctrl(Some('m')) || key.is_ctrl(Some('['))) {
        return Some("terminals send Tab, Enter or Esc for it: choose another key");
    }
    if any(&|key| !key.is_plain()) {
        return Some(
            "terminals send Esc and a key for it, or nothing: choose one without alt or cmd",
        );
    }
    if action.opens_review && any(&|key| key.is_ctrl(None)) {
        return Some("no key with ctrl leads to a review, as ctrl-d moves: choose another key");
    }
    let in_question = action.layers.iter().any(|layer| layer.asks());
    let counts =
        |key: &Key| *key == Key::BACKSPACE || key.typed().is_some_and(|c| c.is_ascii_digit());
    if in_question && any(&counts) {
        return Some("digits and Backspace type the number of events there: choose another key");
    }
    if keys.types() && action.layers.iter().all(|layer| layer.takes_text()) {
        return Some("it is text there: choose a key that types nothing, such as ctrl-n or F2");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Motion;

    fn look_up(layer: Layer, pending: Option<Key>, key: Key) -> Found {
        Keymap::default().look_up(layer, pending, key)
    }

    fn key(name: &str) -> Key {
        Key::parse(name).unwrap()
    }

    fn with(changes: &[(&str, &[&str])]) -> Result<Keymap, Refused> {
        let keys = |texts: &[&str]| texts.iter().map(|text| Keys::parse(text).unwrap()).collect();
        let changes =
            changes.iter().map(|(name, texts)| (Action::named(name).unwrap(), keys(texts)));
        Keymap::with(&changes.collect::<Vec<_>>())
    }

    fn refused(changes: &[(&str, &[&str])]) -> (usize, String) {
        let Refused { change, why } = with(changes).unwrap_err();
        (change, why)
    }

    #[test]
    fn every_action_has_a_name_a_help_line_and_keys_that_mean_nothing_else_where_it_holds() {
        for (place, action) in ACTIONS.iter().enumerate() {
            assert!(!action.help.is_empty() && !action.keys.is_empty(), "{}", action.name);
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(action.name.bytes().all(plain), "{}", action.name);
            let named = ACTIONS.iter().position(|other| other.name == action.name);
            assert_eq!(named, Some(place), "{} twice", action.name);
            for text in action.keys {
                let keys = Keys::parse(text).unwrap();
                assert_eq!(Keymap::default().taken(action, &keys, &[]), None, "{text}");
                let rules = !action.is_fixed;
                assert!(!rules || reserved(action, &keys).is_none(), "{text}");
            }
        }
        let held = |layer| ACTIONS.iter().any(|action| action.layers.contains(&layer));
        assert!(Layer::TITLED.iter().all(|(layer, _)| held(*layer)));
    }

    #[test]
    fn two_hints_of_a_place_never_share_a_rank() {
        for (action, hint) in
            ACTIONS.iter().flat_map(|action| action.hints.iter().map(move |hint| (action, hint)))
        {
            let same = |other: &&Hint| (other.place, other.rank) == (hint.place, hint.rank);
            let all = ACTIONS.iter().flat_map(|action| action.hints).filter(same);
            assert_eq!(all.count(), 1, "{} {hint:?}", action.name);
        }
    }

    #[test]
    fn the_key_that_opens_the_review_never_confirms_it_and_enter_does_nothing() {
        assert_eq!(look_up(Layer::Review, None, key("d")), Found::Nothing);
        assert_eq!(look_up(Layer::Review, None, key("enter")), Found::Command(Command::Nothing));
    }

    #[test]
    fn y_alone_says_yes_and_y_says_nothing_else() {
        for action in ACTIONS {
            assert_eq!(action.command == Command::Confirm, action.keys == ["y"], "{}", action.name);
            assert!(action.is_fixed || !action.keys.contains(&"y"));
        }
    }

    #[test]
    fn no_control_chord_leads_to_a_review() {
        for action in ACTIONS.iter().filter(|action| action.opens_review) {
            assert!(action.keys.iter().all(|key| !key.contains("ctrl")), "{}", action.name);
        }
    }

    #[test]
    fn m_masks_wherever_nothing_is_typed_and_is_a_letter_where_something_is() {
        for layer in [Layer::Panels, Layer::Review, Layer::Question] {
            assert_eq!(look_up(layer, None, key("m")), Found::Command(Command::ToggleMask));
        }
        for layer in [Layer::Prompt, Layer::Help] {
            assert_eq!(look_up(layer, None, key("m")), Found::Nothing);
            assert_eq!(look_up(layer, None, key("?")), Found::Nothing);
        }
        assert_eq!(look_up(Layer::Prompt, None, key("f1")), Found::Command(Command::Help));
    }

    #[test]
    fn gg_is_a_sequence_and_g_alone_its_beginning() {
        let g = key("g");
        assert_eq!(look_up(Layer::Panels, None, g), Found::Prefix);
        let first = Found::Command(Command::Move(Motion::First));
        assert_eq!(look_up(Layer::Panels, Some(g), g), first);
        assert_eq!(look_up(Layer::Panels, Some(g), key("x")), Found::Nothing);
    }

    #[test]
    fn other_keys_take_the_place_of_those_of_the_table() {
        let keymap = with(&[("delete", &["m"]), ("mask", &["D", "f5"])]).unwrap();
        let found = |name| keymap.look_up(Layer::Panels, None, key(name));
        assert_eq!(found("m"), Found::Command(Command::ReviewDeletion));
        assert_eq!(found("D"), Found::Command(Command::ToggleMask));
        assert_eq!(found("d"), Found::Nothing);
        assert_eq!(keymap.shown(Action::named("mask").unwrap(), None), "D F5");
        assert_eq!(keymap.hints(Place::Marks)[0].0, "m");
    }

    #[test]
    fn a_key_that_means_two_things_is_refused_with_both_names_and_the_remedy() {
        let why = "mark = \"d\": d already means delete (Panels): choose another key, or give delete \
                   another one";
        assert_eq!(refused(&[("mark", &["d"])]), (0, why.to_owned()));
        let (change, why) = refused(&[("mark", &["Q"]), ("delete", &["Q"])]);
        assert_eq!((change, why.contains("Q already means mark")), (1, true), "{why}");
        for (action, keys, means) in [
            ("mark", "g", "gg, which means first, begins with the same key"),
            ("mark", "j x", "j, which means down, begins with the same key"),
            ("mark", "m", "m already means mask (Panels)"),
            ("mask", "t", "t already means form (In a review)"),
            ("form", "ctrl-l", "ctrl-l already means redraw (In a review)"),
            ("earlier-line", "f1", "F1 already means help (While a line is typed)"),
            ("down", "enter", "Enter already means enter (Panels)"),
            ("simulate", "q", "q already means no (In a review): choose another key"),
            ("simulate", "enter", "Enter already means nothing (In a review): choose another key"),
        ] {
            let (_, why) = refused(&[(action, &[keys])]);
            assert!(why.to_lowercase().contains(&means.to_lowercase()), "{why}");
        }
        assert!(with(&[("mark", &["a"]), ("mark-type", &["space"])]).is_ok(), "they change places");
        assert!(with(&[("mark", &["w", "w"])]).is_ok());
        assert!(refused(&[("mark", &["w", "ww"])]).1.contains("begins with"));
    }

    #[test]
    fn what_consents_or_leads_out_is_never_another_key() {
        for (action, keys, why) in [
            ("yes", "x", "always has the keys y"),
            ("no", "x", "always has the keys n Esc q"),
            ("nothing", "x", "leave the line out"),
            ("step-back", "x", "leave the line out"),
            ("interrupt", "x", "leave the line out"),
            ("delete", "y", "y means yes and nothing else"),
            ("mark", "g y", "y means yes"),
            ("earlier-line", "y", "y means yes"),
            ("simulate", "esc", "Esc always goes one step back"),
            ("redraw", "ctrl-c", "twice leaves"),
            ("mark", "alt-x", "without alt"),
            ("mark", "ctrl-m", "terminals send"),
            ("delete", "ctrl-x", "no key with ctrl"),
            ("undo", "ctrl-z", "no key with ctrl"),
            ("simulate", "8", "type the number of events"),
            ("down", "backspace", "type the number of events"),
            ("later-line", "k", "is text there"),
        ] {
            let (_, told) = refused(&[(action, &[keys])]);
            assert!(told.contains(why), "{action} = {keys}: {told}");
        }
        assert!(refused(&[("help", &[])]).1.contains("needs a key"));
        assert!(with(&[("mask", &[])]).is_ok(), "it is done from the list");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_rebound_only_y_confirms_and_what_leads_out_does(
            changes in proptest::collection::vec(
                (0..ACTIONS.len(), proptest::sample::select(vec![
                    "y", "d", "esc", "enter", "n", "q", "8", "ctrl-c", "x", "f5", "g y", "y y", "D", ":",
                ])),
                0..6,
            )
        ) {
            let changes: Vec<_> = changes
                .iter()
                .map(|(at, text)| (&ACTIONS[*at], vec![Keys::parse(text).unwrap()]))
                .collect();
            if let Ok(keymap) = Keymap::with(&changes) {
                for layer in [Layer::Review, Layer::Question] {
                    for name in ["d", "enter", "8", "x", "f5", "D", "g", ":", "space", "tab", "z"] {
                        let confirms = Found::Command(Command::Confirm);
                        proptest::prop_assert_ne!(keymap.look_up(layer, None, key(name)), confirms);
                    }
                    let found = |name| keymap.look_up(layer, None, key(name));
                    proptest::prop_assert_eq!(found("y"), Found::Command(Command::Confirm));
                    for no in ["n", "esc", "q"] {
                        proptest::prop_assert_eq!(found(no), Found::Command(Command::Cancel));
                    }
                    proptest::prop_assert_eq!(found("ctrl-c"), Found::Command(Command::Interrupt));
                    proptest::prop_assert_eq!(found("enter"), Found::Command(Command::Nothing));
                }
            }
        }
    }
}
