//! What an undo is made of: what a run may have taken, and how much of it is there when its
//! extensions are listed for the review.

use std::sync::Arc;

use crate::change::{Deed, Loss, STILL_LISTED, StandIn, UndoRefused, WayBack};
use crate::domain::{EventKey, EventStore, ExtensionNumber, Foreign, Mask, Target};
use crate::keys::Keymap;

use super::check::{Check, NAMED, Nothing, more};
use super::{Plan, Review};
use crate::app::status::Tone;
use crate::app::{Effect, Model, RunRead, count_of};

/// What is to be given back, and what was found of it.
#[derive(Debug)]
pub(super) struct Lost {
    loss: Loss,
    /// What something stands in for is made too.
    all: bool,
    stand_ins: Vec<StandIn>,
    twice: Vec<EventKey>,
    /// Of a backup: what is there with another URL.
    others: Vec<EventKey>,
    /// How many are listed still.
    listed: usize,
    /// What is there, each with the id of what stands for it.
    there: Vec<(EventKey, Foreign)>,
    /// Why nothing is to be made.
    nothing: Option<UndoRefused>,
}

impl Lost {
    /// What is done to the events.
    pub(super) fn deed(&self) -> Deed {
        if self.loss.is_of_change() { Deed::WriteBack } else { Deed::Recreate }
    }

    /// The run that is undone.
    pub(super) fn run(&self) -> &str {
        self.loss.run()
    }

    /// How many events are left out and could be added.
    fn addable(&self) -> usize {
        if self.all { 0 } else { self.stand_ins.len() }
    }

    /// What is missing by what is listed; an extension that is not counts as missing altogether.
    fn look(
        &mut self,
        target: &Target,
        store: &EventStore,
        is_read: impl Fn(&ExtensionNumber) -> bool,
    ) -> Option<Plan> {
        let listing = |number: &ExtensionNumber| store.listing(number).filter(|_| is_read(number));
        let found = self.loss.way_back(target.clone(), listing, self.all);
        let WayBack { plan, there, stand_ins, twice, others, listed } = found;
        (self.there, self.stand_ins, self.twice) = (there, stand_ins, twice);
        self.others = others;
        self.listed = listed.len();
        let (plan, nothing) = plan.map_or_else(|no| (None, Some(no)), |plan| (Some(plan), None));
        self.nothing = nothing;
        plan
    }

    /// Why nothing is to be made, where nothing could be added either.
    fn nothing(&self) -> Option<Nothing> {
        let nothing = self.nothing.as_ref().filter(|_| self.addable() == 0)?;
        let begun = self.loss.begun().filter(|_| nothing.is_done());
        let begun = begun.map(|undo| (undo.to_owned(), self.there.clone()));
        Some(Nothing { why: nothing.to_string(), begun })
    }

    /// What an operator has to see before a yes.
    pub(super) fn words(&self, mask: &Mask, keys: &Keymap) -> Vec<String> {
        let named = |key: &EventKey| {
            format!("{} {} {}", mask.number(&key.extension), key.event_type, key.id)
        };
        let mut words = Vec::new();
        if !self.stand_ins.is_empty() {
            let (events, all) = (count_of(self.stand_ins.len(), "event"), self.all);
            let said = match (self.loss.is_of_change(), all) {
                (false, true) => {
                    format!("! something stands in for {events}, re-created all the same")
                }
                (false, false) => {
                    format!("! something stands in for {events}, left out: <add-changed> adds them")
                }
                (true, true) => format!("! {events} changed since, written back all the same"),
                (true, false) => {
                    format!("! {events} changed since, left out: <add-changed> adds them")
                }
            };
            words.push(keys.told(&said));
        }
        for StandIn { key, by, fields } in self.stand_ins.iter().take(NAMED) {
            let fields = fields.join(" and ");
            words.push(format!("  {}: {} is there with another {fields}", named(key), by.id));
        }
        words.extend(more(self.stand_ins.len()));
        if !self.others.is_empty() {
            let events = count_of(self.others.len(), "event");
            words.push(format!("! {events} of the same extension and type there with another URL"));
        }
        words.extend(self.others.iter().take(NAMED).map(|key| format!("  {}", named(key))));
        words.extend(more(self.others.len()));
        if self.listed > 0 {
            words.push(format!("! {} {STILL_LISTED}", count_of(self.listed, "event")));
        }
        if !self.twice.is_empty() {
            let events = count_of(self.twice.len(), "event");
            words.push(format!(
                "! {events} may be made twice, as an earlier POST had no clear answer"
            ));
        }
        words.extend(self.twice.iter().take(NAMED).map(|key| format!("  {}", named(key))));
        words.extend(more(self.twice.len()));
        words
    }
}

impl Review {
    pub(super) fn of_undo(store: &EventStore, read: RunRead<Box<Loss>>) -> Result<Self, Nothing> {
        let RunRead { what: loss, route, remarks } = read;
        let check = Check::of(loss.extensions().cloned());
        let mut lost = Lost {
            loss: *loss,
            all: false,
            stand_ins: Vec::new(),
            twice: Vec::new(),
            others: Vec::new(),
            listed: 0,
            there: Vec::new(),
            nothing: None,
        };
        // Nothing is listed for it yet: all may be missing.
        let plan = lost.look(route.target(), store, |_| false);
        if let Some(nothing) = lost.nothing() {
            return Err(nothing);
        }
        let mut review = Self::of(plan.map(Arc::new), check, route);
        (review.lost, review.remarks) = (Some(Box::new(lost)), remarks);
        review.count_again();
        Ok(review)
    }

    /// Plans anew what is missing now that its extensions have been listed.
    pub(super) fn look_for_lost(&mut self, store: &EventStore) {
        let Self { lost: Some(lost), check, route, .. } = self else { return };
        let plan = lost.look(route.target(), store, |number| check.is_read(number));
        self.adopt(plan);
    }

    /// That nothing is to be made, where nothing could be added either.
    pub(super) fn nothing_lost(&self) -> Option<Nothing> {
        self.lost.as_ref()?.nothing()
    }
}

impl Model {
    /// `z`: reads what the run in Status took.
    pub(in crate::app) fn read_way_back(&mut self) -> Vec<Effect> {
        match self.run_in_status().map(str::to_owned) {
            Some(run) => self.read_way_back_of(run),
            None if self.is_running() => self.read_way_back_of(String::new()),
            None => {
                self.tell(Tone::Plain, "this session has no run yet; <runs> lists earlier runs");
                Vec::new()
            }
        }
    }

    /// Reads what this run took.
    pub(in crate::app) fn read_way_back_of(&mut self, run: String) -> Vec<Effect> {
        if self.is_running() {
            self.tell(Tone::Warning, "a run is going on: Esc stops it, then <undo>");
            return Vec::new();
        }
        let wait = "reading the run to undo it: lists may take seconds to show what was written";
        self.notice(Tone::Plain, wait);
        vec![Effect::ReadWayBack(run)]
    }

    /// Lays the creations open that bring back what a run took, and asks for every extension that it
    /// touched once more.
    pub(in crate::app) fn way_back_read(
        &mut self,
        read: Result<RunRead<Box<Loss>>, String>,
    ) -> Vec<Effect> {
        if self.dialog.is_some() || self.is_running() {
            return Vec::new();
        }
        let nothing = |why: String| Nothing { why, begun: None };
        match read.map_err(nothing).and_then(|read| Review::of_undo(&self.store, read)) {
            Ok(review) => {
                for extension in review.unread() {
                    self.loading.demand_anew(extension);
                }
                self.notice = None;
                self.ask(review);
                Vec::new()
            }
            Err(nothing) => {
                self.notice(Tone::Plain, nothing.why.clone());
                nothing.close()
            }
        }
    }

    /// `+` in the review of an undo.
    pub(super) fn add_stand_ins(&mut self) {
        let Self { dialog: Some(super::Dialog::Review(review)), store, .. } = self else {
            return;
        };
        let addable = match &mut review.lost {
            Some(lost) if !review.check.is_reading() => {
                let addable = lost.addable();
                lost.all |= addable > 0;
                addable
            }
            Some(_) | None => 0,
        };
        if addable == 0 {
            self.notice(Tone::Plain, "there is nothing to add to this undo");
            return;
        }
        review.look_for_lost(store);
        self.count_in_review();
        self.notice(Tone::Plain, format!("{} added", count_of(addable, "event")));
    }
}
