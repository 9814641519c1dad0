//! `x` and `e`: what is switched off or on, and which URLs are to lead elsewhere, typed as `OLD=NEW`.
//! What either would change is counted here; the review is that of every run.

use crate::change::{PlanRefused, Reckoned, Repoint, RepointRefused, Selection, Wish};
use crate::domain::{EventKey, EventView, Mask, PhoneCallEvent, Status};

use super::status::Tone;
use super::{Dialog, Model, TypedLine, count_of};

/// What a key is about: the marks, or the event under the cursor where nothing is marked.
#[derive(Debug)]
pub(super) enum Target {
    Marks,
    Cursor(Selection),
}

/// `OLD=NEW` while it is being typed.
#[derive(Debug)]
pub struct RepointPrompt {
    pub(super) line: TypedLine,
    target: Target,
    wish: Result<Wish, RepointRefused>,
    reckoned: Reckoned,
}

impl RepointPrompt {
    /// The line that is being typed.
    pub fn line(&self) -> &TypedLine {
        &self.line
    }

    /// What it comes to.
    ///
    /// # Errors
    /// Says why what is typed cannot be done.
    pub fn reckoned(&self, mask: &Mask) -> Result<&Reckoned, String> {
        if let Err(refused) = &self.wish {
            return Err(mask.text(&refused.in_short()));
        }
        match &self.reckoned.broken {
            Some((EventKey { extension, event_type, id }, url)) => {
                let (url, number) = (mask.url(url), mask.number(extension));
                Err(format!("no URL: {url} (of {number} {event_type} {id})"))
            }
            None if self.reckoned.fit == 0 => {
                let events = count_of(self.reckoned.left_out, "event");
                Err(format!("OLD fits none of the URLs of {events}"))
            }
            None => Ok(&self.reckoned),
        }
    }
}

impl Model {
    /// What the key of this action is about.
    ///
    /// # Errors
    /// Says why there is nothing, or nothing yet.
    pub(super) fn target_of(&self, action: &str) -> Result<Target, String> {
        let key = self.keyed(&format!("<{action}>"));
        if self.is_running() {
            return Err(format!("a run is going on: Esc stops it, then {key}"));
        }
        if let Some(waiting) = self.marks.awaited() {
            return Err(format!("still reading {waiting} to mark: press {key} once that is done"));
        }
        if self.marking_waits_for() > 0 {
            let waiting = count_of(self.marking_waits_for(), "extension");
            return Err(format!(
                "still loading {waiting} to mark there: press {key} once that is done; Esc stops it"
            ));
        }
        if self.store.marked() > 0 {
            return Ok(Target::Marks);
        }
        self.event_under_cursor().map(Target::Cursor)
    }

    /// `x`: reviews disabling, or enabling where everything is off.
    pub(super) fn review_switch(&mut self) {
        let target = match self.target_of("disable") {
            Ok(target) => target,
            Err(why) => return self.notice(Tone::Warning, why),
        };
        let is_off = |event: &Status| *event == Status::Disabled;
        let all_off = match &target {
            Target::Marks => self.marked_views().all(|event| is_off(&event.status())),
            Target::Cursor(selection) => {
                selection.events().iter().all(|event| is_off(&event.status))
            }
        };
        self.review_wish(target, if all_off { Wish::ENABLE } else { Wish::DISABLE });
    }

    /// `e`: asks which URLs are to lead elsewhere.
    pub(super) fn edit_repoint(&mut self) {
        match self.target_of("re-point") {
            Ok(target) => {
                let (line, reckoned) = (TypedLine::default(), Reckoned::default());
                let wish = Repoint::parse("").map(Wish::Repoint);
                let prompt = RepointPrompt { line, target, wish, reckoned };
                self.dialog = Some(Dialog::Repointing(prompt));
            }
            Err(why) => self.notice(Tone::Warning, why),
        }
    }

    /// Reads what is typed, and counts what it would change.
    pub(super) fn understand_repoint(&mut self) {
        if let Some(Dialog::Repointing(prompt)) = &mut self.dialog {
            prompt.wish = Repoint::parse(prompt.line.text()).map(Wish::Repoint);
        }
        self.reckon_repoint();
    }

    /// Counts again what would be changed.
    pub(super) fn reckon_repoint(&mut self) {
        let Some(Dialog::Repointing(RepointPrompt { wish: Ok(wish), target, .. })) = &self.dialog
        else {
            return;
        };
        let reckoned = self.reckon(target, wish);
        if let Some(Dialog::Repointing(prompt)) = &mut self.dialog {
            prompt.reckoned = reckoned;
        }
    }

    /// Enter: reviews what fits; what cannot be done stays in the prompt with its reason.
    pub(super) fn apply_repoint(&mut self) {
        self.reckon_repoint();
        if let Some(Dialog::Repointing(prompt)) = &self.dialog
            && prompt.reckoned(&self.mask).is_ok()
            && let Some(Dialog::Repointing(prompt)) = self.dialog.take()
            && let Ok(wish) = prompt.wish
        {
            self.repointed.add(prompt.line.text());
            self.review_wish(prompt.target, wish);
        }
    }

    fn review_wish(&mut self, target: Target, wish: Wish) {
        let (fit, most) = (self.reckon(&target, &wish).fit, self.facts.max_delete);
        if fit > most {
            let refused = PlanRefused::TooLarge { events: fit, most };
            return self.notice(Tone::Warning, refused.to_string());
        }
        match target {
            Target::Marks => {
                self.open_review(&Selection::of_marks(&self.store), false, Some(wish));
            }
            Target::Cursor(selection) => self.open_review(&selection, true, Some(wish)),
        }
    }

    fn reckon(&self, target: &Target, wish: &Wish) -> Reckoned {
        match target {
            Target::Marks => wish.reckon(self.marked_views()),
            Target::Cursor(selection) => {
                let row = |event: &PhoneCallEvent| {
                    let listing = self.store.listing(&event.key.extension)?;
                    listing.row(listing.find(&event.key)?)
                };
                wish.reckon(selection.events().iter().filter_map(row))
            }
        }
    }

    fn marked_views(&self) -> impl Iterator<Item = EventView<'_>> {
        self.store.marked_rows().filter_map(|(listing, row)| listing.row(row))
    }
}
