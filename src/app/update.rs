//! The one function that changes the model.

use std::sync::Arc;
use std::time::Duration;

use crate::change::{PlanRefused, RunState, Selection};
use crate::domain::{Discovery, ExtensionNumber, Failure, Fetched, Filter, Listing, Replaced};

use super::keymap::{Found, look_up};
use super::status::Tone;
use super::{
    Command, Context, Dialog, Effect, Key, Layout, Leaving, Message, Model, Moment, Motion, Panel,
    Review, count_of,
};

/// Two presses of ctrl-c within this time leave at once.
const TWICE: Duration = Duration::from_secs(1);

/// Takes in what happened at `now` and says what is to be done about it.
pub fn update(model: &mut Model, message: Message, now: Moment) -> Vec<Effect> {
    model.now = now;
    let mut effects = take_in(model, message);
    effects.extend(model.load_more());
    effects.extend(model.follow_when_at_rest());
    model.count_again();
    model.fit_cursors();
    model.drop_anchor();
    effects
}

fn take_in(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Pressed(key) => model.press(key),
        Message::Pasted(text) => {
            model.paste(&text);
            Vec::new()
        }
        Message::Resized { columns, rows } => {
            model.resized(columns, rows);
            Vec::new()
        }
        Message::Discovered { result, exchanges } => {
            model.calls.add(exchanges);
            model.discovered(result);
            Vec::new()
        }
        Message::BrokenRunsFound(sentences) => {
            model.broken_runs_found(sentences);
            Vec::new()
        }
        Message::Listed { extension, epoch, result, exchanges } => {
            model.calls.add(exchanges);
            model.listed(&extension, epoch, result)
        }
        Message::Done(done) => model.done(done),
        Message::Panicked => {
            let message = "callsweep has a defect and ended; the run file says what was sent";
            model.leaving = Leaving::Now { message: Some(message.to_owned()) };
            Vec::new()
        }
        Message::InputEnded | Message::AskedToEnd { .. } => model.leave_in_haste(),
        Message::ReceiptWritten(written) => {
            model.receipt_written(written);
            Vec::new()
        }
        // What there is to do is done where the terminal is, or behind every message.
        Message::Suspended(Ok(()))
        | Message::AskedToStop
        | Message::Continued
        | Message::Waited => Vec::new(),
        Message::Suspended(Err(why)) => {
            model.notice(Tone::Warning, format!("not suspended: {why}"));
            Vec::new()
        }
        Message::Copied { what, result } => {
            model.copied(&what, result);
            Vec::new()
        }
    }
}

impl Model {
    fn broken_runs_found(&mut self, sentences: Vec<String>) {
        for sentence in sentences {
            self.say(Tone::Warning, sentence);
        }
    }

    fn resized(&mut self, columns: u16, rows: u16) {
        self.size = (columns, rows);
        self.lay_out();
        // Terminals move about what they show when their size changes.
        self.repaints += 1;
    }

    pub(super) fn lay_out(&mut self) {
        self.layout = Layout::new(self.size.0, self.size.1, self.focus);
        self.fit_cursors();
    }

    fn context(&self) -> Context {
        match &self.dialog {
            None | Some(Dialog::Filter { .. } | Dialog::Marking(_)) => Context::Browse,
            Some(Dialog::Review(_)) => Context::Review,
            Some(Dialog::Undo(_)) => Context::Undo,
            Some(Dialog::Leave) => Context::Leave,
            Some(Dialog::Help { .. }) => Context::Help,
        }
    }

    fn press(&mut self, key: Key) -> Vec<Effect> {
        self.notice = None;
        // The one chord that holds while a line is being typed too.
        if look_up(self.context(), None, key) == Found::Command(Command::Suspend) {
            return self.obey(Command::Suspend);
        }
        match &self.dialog {
            Some(Dialog::Filter { .. }) => {
                self.type_filter(key);
                return Vec::new();
            }
            Some(Dialog::Marking(_)) => {
                self.type_marking(key);
                return Vec::new();
            }
            Some(Dialog::Review(_) | Dialog::Undo(_) | Dialog::Leave | Dialog::Help { .. })
            | None => {}
        }
        if self.type_count(key) {
            return Vec::new();
        }
        let pending = self.pending_key.take();
        match look_up(self.context(), pending, key) {
            Found::Command(command) => self.obey(command),
            Found::Prefix => {
                self.pending_key = Some(key);
                Vec::new()
            }
            // A key that does not go on the sequence stands for itself.
            Found::Nothing if pending.is_some() => self.press(key),
            Found::Nothing => Vec::new(),
        }
    }

    /// Digits and backspace while the number of events has to be typed.
    fn type_count(&mut self, key: Key) -> bool {
        let Some(Dialog::Review(review)) = &mut self.dialog else {
            return false;
        };
        if !review.must_type() {
            return false;
        }
        match key.typed() {
            Some(digit) if digit.is_ascii_digit() => review.type_digit(digit),
            _ if key == Key::BACKSPACE => review.untype_digit(),
            _ => return false,
        }
        true
    }

    fn obey(&mut self, command: Command) -> Vec<Effect> {
        if !matches!(command, Command::Move(_) | Command::Mark) || self.focus != Panel::Extensions {
            self.follow();
        }
        match command {
            Command::Move(motion) => self.scroll_or_go(motion),
            Command::Focus(panel) => self.focus_panel(panel),
            Command::NextPanel => self.step_focus(true),
            Command::PreviousPanel => self.step_focus(false),
            Command::Open => self.open_or_close(Some(true)),
            Command::Close => self.open_or_close(Some(false)),
            Command::Enter => self.open_or_close(None),
            Command::Mark => self.toggle_mark(),
            Command::MarkType => self.mark_type(),
            Command::MarkVisible => self.mark_all_visible(),
            Command::InvertVisible => self.invert_visible(),
            Command::MarkByExpression => self.edit_marking(),
            Command::LoadAndMark => self.load_and_mark(),
            Command::UnmarkAll => self.unmark_all(),
            Command::ReviewDeletion => self.review_deletion(),
            Command::Confirm => return self.confirm(),
            Command::Cancel => self.cancel(),
            Command::Nothing => {}
            Command::ChangeForm => self.change_form(),
            Command::Simulate => return self.simulate(),
            Command::Copy => return self.copy(),
            Command::CopyAll => return self.copy_rows(true),
            Command::AddDrifted => self.add_drifted(),
            Command::Pause => return self.pause_run(),
            Command::RetryFailed => self.retry_failed(),
            Command::ReviewUndo => self.review_undo(),
            Command::EditFilter => self.edit_filter(),
            Command::ReadAgain => return self.read_again(),
            Command::ToggleMask => self.toggle_mask(),
            Command::Help => self.dialog = Some(Dialog::Help { top: 0 }),
            Command::Escape => return self.escape(),
            Command::Quit => self.quit(),
            Command::Interrupt => return self.interrupt(),
            Command::WriteReceipt => return self.write_receipt(),
            Command::Redraw => self.repaints += 1,
            Command::Suspend => return vec![Effect::Suspend],
        }
        Vec::new()
    }

    fn scroll_or_go(&mut self, motion: Motion) {
        let rows = usize::from(self.layout.whole.height);
        match &mut self.dialog {
            Some(Dialog::Review(review)) => review.scroll(motion),
            Some(Dialog::Undo(review)) => review.scroll(motion),
            Some(Dialog::Help { top }) => {
                let last = super::BINDINGS.len();
                *top = motion.applied(*top, last, rows / 2);
            }
            Some(Dialog::Leave | Dialog::Filter { .. } | Dialog::Marking(_)) => {}
            None => self.go(motion),
        }
    }

    /// `d`: freezes the marks, or the row under the cursor, into a plan. Nothing is sent.
    fn review_deletion(&mut self) {
        if self.is_running() {
            self.notice(Tone::Warning, "a run is going on: Esc stops it, then d");
            return;
        }
        if let Some(waiting) = self.mark_when_listed.iter().next() {
            let text = format!(
                "still reading {waiting}, whose events are to be marked: d once it is there"
            );
            self.notice(Tone::Warning, text);
            return;
        }
        if self.marking_waits_for() > 0 {
            let waiting = count_of(self.marking_waits_for(), "extension");
            let text = format!("still loading {waiting} to mark there: d once done, Esc gives up");
            self.notice(Tone::Warning, text);
            return;
        }
        let (events, most) = (self.store.marked(), self.facts.max_delete);
        if events > most {
            self.notice(Tone::Warning, PlanRefused::TooLarge { events, most }.to_string());
            return;
        }
        let from_cursor = events == 0;
        let selection = if from_cursor {
            let Some(selection) = self.selection_under_cursor() else {
                self.notice(
                    Tone::Warning,
                    "nothing is marked, and the row under the cursor is not read yet",
                );
                return;
            };
            selection
        } else {
            Selection::of_marks(&self.store)
        };
        self.open_review(&selection, from_cursor);
    }

    /// `r`: what failed kept its mark, so the marks are what is to be tried again.
    fn retry_failed(&mut self) {
        let failed = self.run().is_some_and(|active| !active.machine.failed().is_empty());
        if failed && self.store.marked() > 0 {
            self.review_deletion();
        } else {
            self.notice(Tone::Plain, "nothing failed that could be tried again");
        }
    }

    pub(super) fn confirm(&mut self) -> Vec<Effect> {
        match self.dialog.take() {
            Some(Dialog::Review(review)) => self.confirm_review(review),
            Some(Dialog::Undo(review)) => self.confirm_undo(review),
            Some(Dialog::Leave) => {
                self.leaving = Leaving::WhenSettled;
                let effects = self.stop_and_settle();
                self.leave_if_settled();
                effects
            }
            other @ (Some(Dialog::Filter { .. } | Dialog::Marking(_) | Dialog::Help { .. })
            | None) => {
                self.dialog = other;
                Vec::new()
            }
        }
    }

    fn confirm_review(&mut self, review: Box<Review>) -> Vec<Effect> {
        if self.facts.read_only {
            self.notice(
                Tone::Warning,
                "this profile is read-only: nothing is deleted (read_only, --read-only)",
            );
            self.dialog = Some(Dialog::Review(review));
            return Vec::new();
        }
        let Some(plan) = review.plan().map(Arc::clone) else {
            self.notice(Tone::Warning, "nothing is as it was marked: + adds it as it is now");
            self.dialog = Some(Dialog::Review(review));
            return Vec::new();
        };
        if !review.is_armed() {
            let count = review.events();
            self.notice(Tone::Warning, format!("type {count}, the number of events, before y"));
            self.dialog = Some(Dialog::Review(review));
            return Vec::new();
        }
        if review.is_reading() {
            self.dialog = Some(Dialog::Review(review));
            self.agree_early();
            return Vec::new();
        }
        self.begin(plan)
    }

    fn cancel(&mut self) {
        match self.dialog.take() {
            Some(Dialog::Review(review)) => {
                self.end_check(&review);
                self.notice(Tone::Plain, "cancelled: nothing was sent, the marks stay");
            }
            Some(Dialog::Undo(_)) => self.notice(Tone::Plain, "cancelled: nothing was sent"),
            Some(
                Dialog::Leave | Dialog::Help { .. } | Dialog::Filter { .. } | Dialog::Marking(_),
            )
            | None => {}
        }
    }

    fn edit_filter(&mut self) {
        let panel = if self.focus == Panel::Extensions { Panel::Extensions } else { Panel::Events };
        if self.focus != panel {
            self.focus_panel(panel);
        }
        let before = self.filter(panel).clone();
        let text = before.text().to_owned();
        self.dialog = Some(Dialog::Filter { panel, before, text, refused: None });
    }

    fn type_filter(&mut self, key: Key) {
        let Some(Dialog::Filter { panel, before, text, refused }) = &mut self.dialog else {
            return;
        };
        if key == Key::ENTER {
            // What is no filter cannot be kept; the reason stays in sight.
            if refused.is_none() {
                self.dialog = None;
            }
            return;
        }
        if key == Key::ESC || key == Key::CTRL_C {
            let (panel, before) = (*panel, std::mem::take(before));
            self.dialog = None;
            self.set_filter(panel, before);
            return;
        }
        key.edit(text);
        self.apply_typed_filter();
    }

    fn paste(&mut self, pasted: &str) {
        self.paste_marking(pasted);
        let Some(Dialog::Filter { text, .. }) = &mut self.dialog else {
            return;
        };
        text.extend(pasted.chars().filter(|character| !character.is_control()));
        self.apply_typed_filter();
    }

    /// Shows what is typed at once, or the reason why it is no filter.
    fn apply_typed_filter(&mut self) {
        let Some(Dialog::Filter { panel, text, refused, .. }) = &mut self.dialog else {
            return;
        };
        let panel = *panel;
        let filter = if panel == Panel::Extensions {
            Filter::of_extensions(text)
        } else {
            Filter::of_events(text)
        };
        match filter {
            Ok(filter) => {
                *refused = None;
                self.set_filter(panel, filter);
            }
            Err(error) => *refused = Some(error),
        }
    }

    fn set_filter(&mut self, panel: Panel, filter: Filter) {
        if panel == Panel::Extensions {
            self.extension_filter = filter;
            self.rebuild_extensions();
        } else {
            self.event_filter = filter;
            self.rebuild_events();
        }
        self.marks_changed = true;
    }

    /// The numbers to recognise in sentences; nobody pays for them who masks nothing.
    fn teach_mask(&mut self) {
        if self.mask.is_on() {
            for extension in &self.extensions {
                self.mask.learn(&extension.number);
            }
        }
    }

    /// `m`: what is held stays as it is; only what is drawn and copied goes through the mask.
    fn toggle_mask(&mut self) {
        self.mask.toggle();
        self.teach_mask();
        let text = if self.mask.is_on() {
            "numbers, labels, hosts, URLs and notes are masked"
        } else {
            "everything is shown again"
        };
        self.notice(Tone::Plain, text);
    }

    fn read_again(&mut self) -> Vec<Effect> {
        if self.focus == Panel::Events {
            if let Some(extension) = self.current_extension().cloned() {
                self.loading.demand(&extension.number);
                self.notice(Tone::Plain, format!("reading {} again", extension.number));
            }
            return Vec::new();
        }
        if self.discovery == Fetched::UnderWay {
            return Vec::new();
        }
        self.discovery = Fetched::UnderWay;
        self.loading.forget_all();
        self.notice(Tone::Plain, "reading again; marks stay");
        vec![Effect::DiscoverExtensions]
    }

    /// One step back: a run first, since it is what an operator wants to hold.
    fn escape(&mut self) -> Vec<Effect> {
        if self.is_running() {
            if self.runs.state() == Some(RunState::Opening) {
                self.notice(Tone::Plain, "the run file is being written; Esc again once it runs");
            }
            return self.stop_and_settle();
        }
        if self.give_up_marking("by Esc") {
            return Vec::new();
        }
        let filtered = match self.focus {
            Panel::Extensions | Panel::Events => !self.filter(self.focus).is_empty(),
            Panel::Status | Panel::Marked | Panel::Calls => false,
        };
        if filtered {
            self.set_filter(self.focus, Filter::default());
        } else if self.focus != Panel::Extensions {
            self.focus_panel(Panel::Extensions);
        }
        Vec::new()
    }

    fn quit(&mut self) {
        if self.focus != Panel::Extensions {
            self.focus_panel(Panel::Extensions);
        } else if self.runs.state() == Some(RunState::Closing) {
            self.leaving = Leaving::WhenSettled;
        } else if self.is_running() {
            self.dialog = Some(Dialog::Leave);
        } else {
            self.leaving = Leaving::Now { message: None };
        }
    }

    fn interrupt(&mut self) -> Vec<Effect> {
        let now = self.now.since_start;
        let twice = self.interrupted_at.is_some_and(|before| now.saturating_sub(before) <= TWICE);
        self.interrupted_at = Some(now);
        if twice {
            self.leave_at_once();
            return Vec::new();
        }
        let effects = match self.dialog {
            Some(_) => {
                self.cancel();
                Vec::new()
            }
            None => self.escape(),
        };
        if self.notice.is_none() {
            self.notice(Tone::Plain, "ctrl-c again within a second leaves");
        }
        effects
    }

    /// Nobody can be asked any more: what is in flight is awaited as long as there is time, and what
    /// a listing would show is for the next start to see.
    fn leave_in_haste(&mut self) -> Vec<Effect> {
        self.in_haste = true;
        self.leaving = Leaving::WhenSettled;
        let effects = self.stop_and_settle();
        self.leave_if_settled();
        effects
    }

    fn leave_at_once(&mut self) {
        let in_flight = self.in_flight();
        let message = (in_flight > 0 && !self.is_simulating()).then(|| {
            let name = self.run().map_or("", |active| active.machine.name());
            let calls = count_of(in_flight, "call");
            format!(
                "left run {name} with {calls} in flight: what became of them is unknown until the \
                 extensions are listed again"
            )
        });
        self.leaving = Leaving::Now { message };
    }

    /// Leaves once asked to and nothing is going on any more.
    pub(super) fn leave_if_settled(&mut self) {
        if self.leaving == Leaving::WhenSettled && !self.is_running() {
            self.leaving = Leaving::Now { message: None };
        }
    }

    fn discovered(&mut self, result: Result<Discovery, Failure>) {
        let Discovery { extensions, remarks, .. } = match result {
            Ok(discovery) => discovery,
            Err(failure) if self.extensions.is_empty() => {
                // Nothing to show and nothing to go on with: say why where it stays readable.
                self.leaving = Leaving::Now { message: Some(failure.to_string()) };
                self.discovery = Fetched::Failed(failure);
                return;
            }
            Err(failure) => {
                self.say(Tone::Warning, format!("reading the extensions again failed: {failure}"));
                self.discovery = Fetched::Failed(failure);
                return;
            }
        };
        self.discovery = Fetched::Ready(());
        let current = self.current_extension().map(|extension| extension.number.clone());
        self.extensions = extensions;
        self.teach_mask();
        self.visible = (0..self.extensions.len()).collect();
        if let Some(place) = current.and_then(|number| {
            self.extensions.iter().position(|extension| extension.number == number)
        }) {
            self.extension_cursor.at = place;
        }
        let known = |number: &ExtensionNumber| {
            self.extensions.binary_search_by(|extension| extension.number.cmp(number)).is_ok()
        };
        let lost = self.store.retain(known);
        if lost > 0 {
            let marks = count_of(lost, "mark");
            self.say(
                Tone::Warning,
                format!("{marks} went with extensions that are not found any more"),
            );
        }
        self.rebuild_extensions();
        self.log(Tone::Plain, format!("{} found", count_of(self.extensions.len(), "extension")));
        for remark in remarks {
            self.log(Tone::Plain, remark);
        }
        if self.extensions.is_empty() {
            self.notice(
                Tone::Warning,
                "no extension was found: name them under extensions in the profile, or with \
                 --extension",
            );
        }
    }

    fn listed(
        &mut self,
        number: &ExtensionNumber,
        epoch: u64,
        result: Result<Listing, Failure>,
    ) -> Vec<Effect> {
        let had_given_up = self.loading.has_given_up();
        if !self.loading.answered(number, epoch, result.as_ref().err()) {
            return Vec::new();
        }
        let before = self.share_of(number);
        match result {
            Ok(listing) => {
                self.take_listing(number, listing);
                self.read_for_review(number);
            }
            Err(failure) => {
                self.listing_failed(number, &failure, had_given_up);
                self.unread_for_review(number, &failure);
            }
        }
        self.shown_again(number, before);
        self.conclude_check()
    }

    fn take_listing(&mut self, number: &ExtensionNumber, listing: Listing) {
        let odd = listing.odd().len();
        if odd > 0 {
            let rows = count_of(odd, "row");
            self.log(
                Tone::Warning,
                format!("{number}: {rows} shown as they are, not to be deleted from here"),
            );
        }
        if !listing.is_complete() {
            self.log(
                Tone::Warning,
                format!("{number}: the list is not complete, so no wide call is used on it"),
            );
        }
        let Replaced { vanished, changed } = if self.is_read_for_review(number) {
            self.store.insert_whole(listing)
        } else {
            self.store.insert(listing)
        };
        for (count, what) in
            [(vanished, "not listed any more"), (changed, "changed since they were marked")]
        {
            if count > 0 {
                let events = count_of(count, "marked event");
                self.say(Tone::Warning, format!("{number}: {events} {what}"));
            }
        }
        if self.mark_when_listed.remove(number) {
            self.mark_extension(number);
        }
        self.mark_where_listed(number);
    }

    fn listing_failed(&mut self, number: &ExtensionNumber, failure: &Failure, had_given_up: bool) {
        if self.mark_when_listed.remove(number) {
            let text = format!("{number} could not be read, so nothing of it is marked: {failure}");
            self.notice(Tone::Warning, text);
        }
        self.log(Tone::Warning, format!("{number} could not be read: {failure}"));
        self.not_marked_as_unread(number);
        if !self.loading.has_given_up() {
            return;
        }
        // What was asked for and not sent yet is dropped, and whatever waits for it.
        let waited = !self.mark_when_listed.is_empty();
        self.mark_when_listed.clear();
        if self.marking_broke_off(failure) || waited || !had_given_up {
            self.say(
                Tone::Warning,
                format!(
                    "nothing more is read unasked: {failure} · R in Events tries the one under the \
                     cursor"
                ),
            );
        }
    }
}
