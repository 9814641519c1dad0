//! Lines that are being typed: the filter of a panel, the expression that marks, OLD=NEW, the filter
//! of a review's rows. Keys and pastes go to the one that is open.

use crate::domain::{ExpressionError, Filter};

use super::status::Tone;
use super::{Browsed, Dialog, Key, Model, Panel, TypedLine};

/// A filter that is being typed for a panel. What is typed is in force as soon as it is a filter.
#[derive(Debug)]
pub struct FilterPrompt {
    panel: Panel,
    line: TypedLine,
    /// What was in force before, and comes back where it is cancelled.
    before: Filter,
    /// Why what is typed is no filter; the last text that was one stays in force.
    refused: Option<ExpressionError>,
}

impl FilterPrompt {
    /// Which panel is filtered.
    pub fn panel(&self) -> Panel {
        self.panel
    }

    /// The line that is being typed.
    pub fn line(&self) -> &TypedLine {
        &self.line
    }

    /// Why what is typed is no filter.
    pub fn refused(&self) -> Option<&ExpressionError> {
        self.refused.as_ref()
    }
}

impl Model {
    /// `/`: narrows a review, or filters the panel.
    pub(super) fn edit_filter(&mut self) {
        if self.dialog.is_some() {
            self.edit_narrowing();
            return;
        }
        let panel = self.focus;
        if panel.browsed().is_none() {
            self.tell(
                Tone::Plain,
                "<filter> filters Extensions (<extensions>) and Events (<events>)",
            );
            return;
        }
        let before = self.filter(panel).clone();
        let line = TypedLine::of(before.text());
        self.dialog = Some(Dialog::Filter(FilterPrompt { panel, line, before, refused: None }));
    }

    /// The filter of the extensions or, for every other panel, of the events.
    pub fn filter(&self, panel: Panel) -> &Filter {
        match panel.browsed() {
            Some(Browsed::Extensions) => self.extensions.filter(),
            Some(Browsed::Events) | None => self.events.filter(),
        }
    }

    /// The line that is being typed.
    fn typed_line(&mut self) -> Option<&mut TypedLine> {
        if let Some(list) = &mut self.actions {
            return Some(list.line_mut());
        }
        match &mut self.dialog {
            Some(Dialog::Filter(prompt)) => Some(&mut prompt.line),
            Some(Dialog::Marking(prompt)) => Some(&mut prompt.line),
            Some(Dialog::Repointing(prompt)) => Some(&mut prompt.line),
            Some(Dialog::Review(review)) => review.line_mut(),
            Some(Dialog::Question(_) | Dialog::Details(_) | Dialog::Runs(_)) | None => None,
        }
    }

    fn line_changed(&mut self) {
        if self.actions.is_some() {
            self.narrow_actions();
            return;
        }
        self.apply_typed_filter();
        self.understand_marking();
        self.understand_repoint();
        self.narrow_as_typed();
    }

    /// A key that is no command; false where it does not edit a line either.
    pub(super) fn type_key(&mut self, key: Key) -> bool {
        let edited = self.typed_line().is_some_and(|line| line.edit(key));
        if edited {
            self.line_changed();
        }
        edited
    }

    /// A pasted text: never keys.
    pub(super) fn paste(&mut self, pasted: &str) {
        if let Some(line) = self.typed_line() {
            line.paste(pasted);
            self.line_changed();
        }
    }

    /// The line typed before, or the one after it.
    pub(super) fn recall(&mut self, earlier: bool) {
        if self.mask.is_on() {
            self.tell(Tone::Plain, "lines typed before are masked; <mask> shows them again");
            return;
        }
        let repoints = matches!(self.dialog, Some(Dialog::Repointing(_))) && self.actions.is_none();
        let of = |it: &mut Self| {
            std::mem::take(if repoints { &mut it.repointed } else { &mut it.history })
        };
        let history = of(self);
        if let Some(line) = self.typed_line() {
            line.recall(&history, earlier);
        }
        *(if repoints { &mut self.repointed } else { &mut self.history }) = history;
        self.line_changed();
    }

    /// Enter in a line. What makes no sense is not applied; the reason stays in sight.
    pub(super) fn apply_line(&mut self) {
        match &self.dialog {
            Some(Dialog::Filter(FilterPrompt { refused: None, line, .. })) => {
                self.history.add(line.text());
                self.dialog = None;
            }
            Some(Dialog::Marking(_)) => self.apply_marking(),
            Some(Dialog::Repointing(_)) => self.apply_repoint(),
            Some(Dialog::Review(_)) => self.end_narrowing(true),
            Some(
                Dialog::Filter(_) | Dialog::Question(_) | Dialog::Details(_) | Dialog::Runs(_),
            )
            | None => {}
        }
    }

    /// Shows what is typed at once, or the reason why it is no filter.
    fn apply_typed_filter(&mut self) {
        let Some(Dialog::Filter(FilterPrompt { panel, line, refused, .. })) = &mut self.dialog
        else {
            return;
        };
        let panel = *panel;
        let filter = if panel == Panel::Extensions {
            Filter::of_extensions(line.text(), &self.now.local)
        } else {
            Filter::of_events(line.text(), &self.now.local)
        };
        *refused = filter.as_ref().err().cloned();
        if let Ok(filter) = filter {
            self.set_filter(panel, filter);
        }
    }

    /// What was in force before the line was typed.
    pub(super) fn take_filter_back(&mut self, prompt: FilterPrompt) {
        self.set_filter(prompt.panel, prompt.before);
    }

    pub(super) fn set_filter(&mut self, panel: Panel, filter: Filter) {
        if panel == Panel::Extensions {
            self.extensions.filter_by(filter, &self.store);
            self.arrange_events();
        } else {
            self.with_events(|events, source| events.filter_by(filter, source));
        }
        self.marks.forget_counts();
    }
}
