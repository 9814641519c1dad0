//! Moving through the panels: which one has the focus, its cursor, groups that open and close, and
//! what is loaded for what is in sight.

use crate::domain::{Extension, ExtensionNumber, Fetched, Listing, OddRow};

use super::events::Source;
use super::outage::Flow;
use super::status::Tone;
use super::{Browsed, Cursor, Effect, EventsPanel, Line, Model, Motion, Panel};

impl Model {
    /// The extension whose events are shown, where it is one.
    pub fn shown_extension(&self) -> Option<&Extension> {
        self.extensions.find(self.events.extension()?)
    }

    /// The listing whose events are shown, where it is one.
    pub fn current_listing(&self) -> Option<&Listing> {
        self.store.listing(self.events.extension()?)
    }

    /// A row of Events that cannot be used.
    pub fn odd_row(&self, odd: usize) -> Option<&OddRow> {
        let (number, place) = self.events.arrangement().odd().get(odd)?;
        self.store.listing(number)?.odd().get(*place)
    }

    /// What is known of an extension by its number.
    pub fn extension(&self, number: &ExtensionNumber) -> Extension {
        let found = self.extensions.find(number).cloned();
        found.unwrap_or_else(|| Extension::of(number.clone()))
    }

    /// What lines of events are made from.
    pub(super) fn with_events<T>(
        &mut self,
        act: impl FnOnce(&mut EventsPanel, Source<'_>) -> T,
    ) -> T {
        let Self { events, extensions, store, now, .. } = self;
        act(events, Source { extensions, store, zone: now.local.time_zone() })
    }

    /// Makes the lines of events again, as extensions or filters are others now.
    pub(super) fn arrange_events(&mut self) {
        self.with_events(EventsPanel::arrange);
    }

    /// Shows the events of what is under the cursor of the extensions now, as they are listed now.
    pub(super) fn follow(&mut self) {
        self.with_events(|events, source| {
            events.follow(source);
            events.refresh(source);
        });
    }

    /// The events of an extension are others now.
    pub(super) fn events_changed(&mut self, number: &ExtensionNumber) {
        self.with_events(|events, source| events.listed(number, source));
    }

    /// Events of an extension are gone, and nothing else is different.
    pub(super) fn events_gone(&mut self, number: &ExtensionNumber) {
        self.events.lost(number, &self.store);
    }

    /// What is left to do for the panel of events, and when.
    pub(super) fn settle_events(&mut self) -> Option<Effect> {
        let now = self.now.since_start;
        let wait = self.with_events(|events, source| events.settle(now, source));
        wait.map(Effect::Wait)
    }

    /// The cursor of a panel.
    pub fn cursor(&self, panel: Panel) -> Cursor {
        match panel.browsed() {
            Some(Browsed::Extensions) => self.extensions.cursor(),
            Some(Browsed::Events) => self.events.cursor(),
            None if panel == Panel::Marked => self.marks.cursor(),
            None => self.cursors.get(&panel).copied().unwrap_or_default(),
        }
    }

    fn cursor_mut(&mut self, panel: Panel) -> &mut Cursor {
        match panel.browsed() {
            Some(Browsed::Extensions) => self.extensions.cursor_mut(),
            Some(Browsed::Events) => self.events.cursor_mut(),
            None if panel == Panel::Marked => self.marks.cursor_mut(),
            None => self.cursors.entry(panel).or_default(),
        }
    }

    /// How many rows a panel has.
    pub fn rows(&self, panel: Panel) -> usize {
        match panel {
            Panel::Extensions => self.extensions.len(),
            Panel::Events => self.events.len(),
            Panel::Status => self.status_rows(),
            Panel::Marked => self.marked_lines(),
            Panel::Calls => self.calls.len(),
        }
    }

    /// Brings every cursor back into its list and into sight.
    pub(super) fn fit_cursors(&mut self) {
        for panel in Panel::ALL {
            let (rows, height) = (self.rows(panel), self.layout.rows(panel));
            self.cursor_mut(panel).fit(rows, height);
        }
    }

    /// Moves the cursor of the focused panel.
    pub(super) fn go(&mut self, motion: Motion) {
        let height = self.layout.rows(self.focus);
        match self.focus.browsed() {
            Some(Browsed::Extensions) => {
                self.extensions.go(motion, height);
                self.events.may_follow(self.now.since_start);
                // A jump needs no debounce.
                if matches!(motion, Motion::First | Motion::Last) {
                    self.follow();
                }
            }
            Some(Browsed::Events) => self.events.go(motion, height),
            None => {
                let rows = self.rows(self.focus);
                self.cursor_mut(self.focus).go(motion, rows, height);
            }
        }
    }

    /// `v`: begins a range, or drops it.
    pub(super) fn toggle_range_mode(&mut self) {
        if self.focus.browsed().is_none() {
            self.tell(
                Tone::Plain,
                "<range> selects rows in Extensions (<extensions>) and Events (<events>)",
            );
        } else if self.drop_range() {
            self.notice(Tone::Plain, "range dropped");
        } else {
            self.cursor_mut(self.focus).begin_range();
            self.tell(Tone::Plain, "range: move to extend it, <mark> marks it, Esc drops it");
        }
    }

    /// Whether there was a range in the focused panel.
    pub(super) fn drop_range(&mut self) -> bool {
        self.cursor_mut(self.focus).drop_range()
    }

    /// `0`: every event that is loaded.
    pub(super) fn show_all(&mut self) {
        self.extensions.go_to_all();
        self.arrange_events();
        self.focus_panel(Panel::Events);
    }

    /// `o`: groups the events by something else.
    pub(super) fn regroup(&mut self) {
        let grouping = self.with_events(EventsPanel::regroup);
        self.notice(Tone::Plain, format!("events grouped by {}", grouping.word()));
    }

    /// `s`: puts the rows of the panel in another order.
    pub(super) fn reorder(&mut self) {
        let text = match self.focus.browsed() {
            Some(Browsed::Extensions) => {
                format!("extensions by {}", self.extensions.reorder(&self.store).word())
            }
            Some(Browsed::Events) => {
                let order = self.with_events(EventsPanel::reorder);
                format!("events of a group: {}", order.word())
            }
            None => self.keyed("<sort> sorts Extensions (<extensions>) and Events (<events>)"),
        };
        self.notice(Tone::Plain, text);
    }

    /// `l`, `h` and Enter.
    pub(super) fn open_or_close(&mut self, open: Option<bool>) {
        let on_event = matches!(self.events.current(), Some(Line::Event { .. }));
        match (self.focus.browsed(), open) {
            (Some(Browsed::Extensions), None | Some(true)) => self.focus_panel(Panel::Events),
            (Some(Browsed::Events), open) if open.is_some() || !on_event => {
                if !self.events.fold(open, &self.store) {
                    self.focus_panel(Panel::Extensions);
                }
            }
            (None, Some(false)) => self.focus_panel(Panel::Extensions),
            (Some(Browsed::Events) | None, None) => self.open_details(),
            (Some(_), Some(_)) | (None, Some(true)) => {}
        }
    }

    /// Focuses a panel.
    pub(super) fn focus_panel(&mut self, panel: Panel) {
        self.focus = panel;
        self.lay_out();
    }

    /// The digit of a panel. That of Marked opens and closes it.
    pub(super) fn go_to_panel(&mut self, panel: Panel) {
        let closes = panel == Panel::Marked && self.focus == panel;
        if panel == Panel::Marked {
            self.marked_open = !closes;
        }
        self.focus_panel(if closes { Panel::Events } else { panel });
    }

    /// `+`: the focused panel alone, or all of them again.
    pub(super) fn zoom(&mut self) {
        self.zoomed = !self.zoomed;
        self.lay_out();
    }

    /// The next panel in the order of the digits: of those in sight or, where only one fits, of
    /// those that would be.
    pub(super) fn step_focus(&mut self, forward: bool) {
        let narrow = !Panel::ALL
            .iter()
            .any(|panel| *panel != self.focus && self.layout.panel(*panel).is_some());
        let panels: Vec<Panel> = Panel::ALL
            .into_iter()
            .filter(|panel| narrow || self.layout.panel(*panel).is_some())
            .collect();
        let here = panels.iter().position(|panel| *panel == self.focus).unwrap_or(0);
        let step = if forward { 1 } else { panels.len().saturating_sub(1) };
        if let Some(panel) = panels.get((here + step) % panels.len().max(1)) {
            self.focus_panel(*panel);
        }
    }

    /// What to list next, now that something changed.
    pub(super) fn load_more(&mut self) -> Vec<Effect> {
        let flow = self.outage.flow(self.now.since_start);
        let is_discovering = self.discovery == Fetched::UnderWay;
        if flow == Flow::Stopped || (flow == Flow::One && is_discovering) {
            return Vec::new();
        }
        let height = self.layout.rows(Panel::Extensions).max(1);
        let Self { loading, extensions, .. } = self;
        let top = extensions.cursor().top;
        let in_sight = (top..top + height).filter_map(|row| extensions.one(row));
        let first = extensions.current().into_iter().chain(in_sight);
        let one = flow == Flow::One;
        let found = extensions.found();
        let mut effects = loading.next(one, first.map(|extension| &extension.number), |place| {
            found.get(place).map(|extension| &extension.number)
        });
        for effect in &mut effects {
            if let Effect::ListEvents { extension, below, .. } = effect {
                *below = self.read_elsewhere(extension);
            }
        }
        if one && self.loading.in_flight() == 0 {
            // Nothing is left to ask, so there is nothing to wait for.
            self.outage.is_over();
        }
        effects
    }
}
