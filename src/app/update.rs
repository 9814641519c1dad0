//! The one function that changes the model.

use std::collections::HashMap;
use std::time::Duration;

use crate::change::{EarlierRun, PlanRefused, RunState, Selection};
use crate::domain::{
    Cause, Discovery, EventKey, EventView, ExtensionNumber, Failure, Fetched, Filter, Listing,
    Replaced,
};

use crate::keys::Found;

use super::consent::{Substance, Unread, Yes};
use super::layout::Wanted;
use super::repointing::Target;
use super::status::{Tone, whole_seconds};
use super::{
    About, Command, Dialog, Effect, Key, Layer, Layout, Leaving, Message, Model, Moment, Motion,
    Panel, Remark, count_of,
};

/// How it begins to say that a yes does not count.
const NOT_YET: &str = "not yet: ";

/// Two presses of ctrl-c within this time leave at once.
const TWICE: Duration = Duration::from_secs(1);

/// Takes in what happened at `now` and says what is to be done about it.
pub fn update(model: &mut Model, message: Message, now: Moment) -> Vec<Effect> {
    model.now = now;
    let mut effects = take_in(model, message);
    effects.extend(model.discover_again());
    effects.extend(model.load_more());
    effects.extend(model.settle_events());
    // The panel of events may group what it follows otherwise.
    model.count_again();
    model.write_command();
    model.fit_cursors();
    model.events.drop_anchor(&model.store);
    effects.extend(model.follow_question());
    effects
}

fn take_in(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Pressed(key) => return model.pressed(key),
        Message::Pasted(text) => model.pasted(&text),
        Message::Arrived => model.consent.arrived(model.now.since_start),
        Message::Shown(picture) => model.consent.shown(picture, model.now.since_start),
        Message::Resized { columns, rows } => model.resized(columns, rows),
        Message::InputEnded | Message::AskedToEnd { .. } => return model.leave_in_haste(),
        Message::Suspended(Err(why)) => {
            model.notice(Tone::Warning, format!("not suspended: {why}"));
        }
        // That it is later is all there is to it.
        Message::TimePassed
        // What there is to do is done where the terminal is.
        | Message::Suspended(Ok(()))
        | Message::UndoClosed(Ok(_))
        | Message::AskedToStop
        | Message::Continued => {}
        Message::Discovered { result, exchanges } => {
            model.calls.add(exchanges);
            return model.discovered(result);
        }
        Message::WayBackRead(read) => return model.way_back_read(read),
        Message::UndoClosed(Err(failure)) => {
            model.say(Tone::Warning, format!("the undo could not be closed: {failure}"));
        }
        Message::BrokenRunsFound { remarks, newest } => {
            model.broken_runs_found(remarks, newest);
        }
        Message::RunsListed(runs) => model.runs_listed(runs),
        Message::RunTold(told) => model.run_told(told, true),
        Message::RestRead(rest) => model.rest_read(rest),
        Message::Listed { extension, epoch, result, exchanges } => {
            model.calls.add(exchanges);
            return model.listed(&extension, epoch, result);
        }
        Message::Done(done) => return model.done(done),
        Message::Panicked => {
            let message = "callsweep has a defect and ended; the run file says what was sent";
            model.leaving = Leaving::Now { message: Some(message.to_owned()) };
        }
        Message::Waited => {
            model.consent.woke(model.now.since_start);
            model.no_longer_not_yet();
        }
        Message::ReceiptWritten(written) => model.receipt_written(written),
        Message::Copied { what, result } => model.copied(&what, result),
    }
    Vec::new()
}

impl Model {
    fn pressed(&mut self, key: Key) -> Vec<Effect> {
        self.consent.arrived(self.now.since_start);
        self.press(key)
    }

    fn pasted(&mut self, text: &str) {
        self.consent.arrived(self.now.since_start);
        self.paste(text);
    }

    fn broken_runs_found(&mut self, remarks: Vec<Remark>, newest: Option<Box<EarlierRun>>) {
        for Remark { found, way_on } in remarks {
            self.say(Tone::Warning, format!("{found}{}", self.keyed(way_on)));
        }
        // What this session did is more to the point.
        if let Some(run) = newest.filter(|_| self.run().is_none() && !self.is_running()) {
            self.run_told(Ok(run), false);
        }
    }

    fn resized(&mut self, columns: u16, rows: u16) {
        self.size = (columns, rows);
        self.lay_out();
        // Terminals move about what they show when their size changes.
        self.repaints += 1;
    }

    pub(super) fn lay_out(&mut self) {
        let (columns, rows) = self.size;
        self.layout = Layout::of(Wanted {
            columns,
            rows,
            focus: self.focus,
            marked: self.marked_open,
            zoomed: self.zoomed,
            ran: self.run().is_some() || self.earlier_run().is_some() || self.is_running(),
        });
        self.fit_actions();
        self.fit_cursors();
    }

    /// Follows the question that is open: what of it has to be shown, and when it can be answered.
    fn follow_question(&mut self) -> Option<Effect> {
        let question = match &self.dialog {
            _ if !self.layout.fits || self.actions.is_some() => None,
            Some(Dialog::Review(_)) => self.substance_of_review(),
            Some(Dialog::Question(asked)) => {
                let (question, repaints) = (asked.number, self.repaints);
                let substance = Substance { question, plan: 0, warnings: Vec::new(), repaints };
                Some((substance, super::consent::Sight::default()))
            }
            Some(
                Dialog::Filter(_)
                | Dialog::Marking(_)
                | Dialog::Repointing(_)
                | Dialog::Details(_)
                | Dialog::Runs(_),
            )
            | None => None,
        };
        let (renewed, wait) = self.consent.follow(question, self.now.since_start);
        if renewed {
            self.forget_typed();
        }
        wait.map(Effect::Wait)
    }

    /// The innermost layer of keys.
    pub fn layer(&self) -> Layer {
        if self.actions.is_some() { Layer::Help } else { self.layer_below() }
    }

    /// The innermost layer of keys but for the list of what can be done.
    pub(super) fn layer_below(&self) -> Layer {
        match &self.dialog {
            None => Layer::Panels,
            Some(Dialog::Filter(_) | Dialog::Marking(_) | Dialog::Repointing(_)) => Layer::Prompt,
            Some(Dialog::Review(review)) if review.line().is_some() => Layer::Prompt,
            Some(Dialog::Review(_)) => Layer::Review,
            Some(Dialog::Question(_)) => Layer::Question,
            Some(Dialog::Details(_)) => Layer::Details,
            Some(Dialog::Runs(_)) => Layer::Runs,
        }
    }

    fn press(&mut self, key: Key) -> Vec<Effect> {
        self.notice = None;
        if !self.layout.fits {
            return self.press_unseen(key);
        }
        let layer = self.layer();
        let pending = self.pending_key.take();
        match self.facts.keys.look_up(layer, pending, key) {
            Found::Command(command) => self.obey(command),
            Found::Prefix => {
                self.pending_key = Some(key);
                Vec::new()
            }
            // A key that does not go on the sequence stands for itself.
            Found::Nothing if pending.is_some() => self.press(key),
            Found::Nothing => self.press_unbound(layer, key),
        }
    }

    fn press_unbound(&mut self, layer: Layer, key: Key) -> Vec<Effect> {
        if self.type_key(key) || self.type_count(key) {
            return Vec::new();
        }
        // Esc and a key that come in one piece look like a key with alt: where something can be
        // closed or stopped, it is the Esc that counts.
        if key.is_with_alt() && (layer != Layer::Panels || self.is_running()) {
            return self.step_back();
        }
        let more = match self.facts.keys.first(Command::Help, layer) {
            Some(help) => format!("{help} lists what can be done here"),
            None => "Esc closes this list".to_owned(),
        };
        self.notice(Tone::Plain, format!("{key} does nothing here: {more}"));
        Vec::new()
    }

    /// In a window too small for a picture nothing is confirmed, marked or changed.
    fn press_unseen(&mut self, key: Key) -> Vec<Effect> {
        self.pending_key = None;
        let found = self.facts.keys.look_up(Layer::Panels, None, key);
        match found {
            Found::Command(Command::Escape) => self.escape_unseen(),
            Found::Nothing if key.is_with_alt() => self.escape_unseen(),
            Found::Command(Command::Quit) if self.runs.state() == Some(RunState::Closing) => {
                self.leaving = Leaving::WhenSettled;
                Vec::new()
            }
            Found::Command(Command::Quit) if !self.is_running() => {
                self.leaving = Leaving::Now { message: None };
                Vec::new()
            }
            Found::Command(
                command @ (Command::Pause
                | Command::Interrupt
                | Command::Redraw
                | Command::Suspend
                | Command::ToggleMask),
            ) => self.obey(command),
            Found::Command(_) | Found::Prefix | Found::Nothing => Vec::new(),
        }
    }

    /// Stops a run at once, whatever is open.
    fn escape_unseen(&mut self) -> Vec<Effect> {
        if self.is_running() { self.stop_at_once() } else { self.step_back() }
    }

    /// The innermost thing first: line, dialog, and what is below.
    fn step_back(&mut self) -> Vec<Effect> {
        if self.dialog.is_some() || self.actions.is_some() {
            self.cancel();
            return Vec::new();
        }
        self.escape()
    }

    pub(super) fn obey(&mut self, command: Command) -> Vec<Effect> {
        let moves = matches!(command, Command::Move(_));
        if !(moves || command == Command::Mark && self.focus == Panel::Extensions) {
            self.follow();
        }
        // What comes in by itself belongs to the change that asked for it.
        if !self.marks.are_coming() {
            self.store.begin_change();
        }
        match command {
            Command::Move(motion) => self.scroll_or_go(motion),
            Command::Focus(panel) => self.go_to_panel(panel),
            Command::NextPanel => self.step_focus(true),
            Command::PreviousPanel => self.step_focus(false),
            Command::Open => self.open_or_close(Some(true)),
            Command::Close => self.open_or_close(Some(false)),
            Command::Enter if matches!(self.dialog, Some(Dialog::Runs(_))) => {
                return self.show_chosen_run();
            }
            Command::Enter => self.open_or_close(None),
            Command::ListRuns => return self.list_runs(),
            Command::Mark => self.toggle_mark(),
            Command::MarkType => self.mark_type(),
            Command::MarkVisible => self.mark_all_visible(),
            Command::InvertVisible => self.invert_visible(),
            Command::MarkByExpression => self.edit_marking("", true),
            Command::UnmarkByExpression => self.edit_marking("", false),
            Command::MarkByStanding => self.edit_marking("is:", true),
            Command::TakeBack => self.take_back(),
            Command::Range => self.toggle_range_mode(),
            Command::ShowAll => self.show_all(),
            Command::Group => self.regroup(),
            Command::Sort => self.reorder(),
            Command::Zoom => self.zoom(),
            Command::LoadAndMark => self.load_and_mark(),
            Command::UnmarkAll => self.unmark_all(),
            Command::ReviewDeletion => self.review_deletion(),
            Command::ReviewSwitch => self.review_switch(),
            Command::EditRepoint => self.edit_repoint(),
            Command::Confirm => return self.confirm(),
            Command::Apply => self.apply_line(),
            Command::Recall { earlier } => self.recall(earlier),
            Command::Cancel => self.cancel(),
            Command::Nothing => {}
            Command::ChangeForm => self.change_form(),
            Command::Simulate => return self.simulate(),
            Command::ShowCalls => self.show_calls(),
            Command::Copy => return self.copy(),
            Command::CopyAll => return self.copy_rows(true),
            Command::AddDrifted => self.add_drifted(),
            Command::Pause => return self.pause_run(),
            Command::GoOn => return self.go_on(),
            Command::ReviewUndo => return self.undo(),
            Command::EditFilter => self.edit_filter(),
            Command::ReadAgain => return self.read_again(),
            Command::ToggleMask => self.toggle_mask(),
            Command::Help => self.list_actions(),
            Command::Choose => return self.do_chosen(),
            Command::Escape => return self.escape(),
            Command::Quit => self.quit(),
            Command::Interrupt => return self.interrupt(),
            Command::WriteReceipt => return self.write_receipt(),
            Command::Redraw => self.repaints += 1,
            Command::Suspend => self.suspensions += 1,
        }
        Vec::new()
    }

    fn scroll_or_go(&mut self, motion: Motion) {
        if let Some(list) = &mut self.actions {
            list.go(motion, &self.layout);
            return;
        }
        match &mut self.dialog {
            Some(Dialog::Review(review)) => review.go(motion),
            Some(Dialog::Details(_)) => self.scroll_details(motion),
            Some(Dialog::Runs(_)) => self.scroll_runs(motion),
            Some(
                Dialog::Question(_)
                | Dialog::Filter(_)
                | Dialog::Marking(_)
                | Dialog::Repointing(_),
            ) => {}
            None => self.go(motion),
        }
    }

    /// `d`: freezes the marks, or the event under the cursor, into a plan. Nothing is sent.
    pub(super) fn review_deletion(&mut self) {
        let (events, most) = (self.store.marked(), self.facts.max_delete);
        match self.target_of("delete") {
            Ok(Target::Marks) if events > most => {
                self.notice(Tone::Warning, PlanRefused::TooLarge { events, most }.to_string());
            }
            Ok(Target::Marks) => self.open_review(&Selection::of_marks(&self.store), false, None),
            Ok(Target::Cursor(selection)) => self.open_review(&selection, true, None),
            Err(why) => self.notice(Tone::Warning, why),
        }
    }

    /// `y`, which counts only for a question that was shown and could be read.
    pub(super) fn confirm(&mut self) -> Vec<Effect> {
        if !matches!(self.dialog, Some(Dialog::Review(_) | Dialog::Question(_))) {
            self.tell(Tone::Plain, "y only confirms a review; <copy> copies");
            return Vec::new();
        }
        match self.consent.yes() {
            Ok(yes) => self.confirmed(yes),
            Err(unread) => {
                self.not_yet(unread);
                Vec::new()
            }
        }
    }

    fn confirmed(&mut self, yes: Yes) -> Vec<Effect> {
        match self.dialog.take() {
            Some(Dialog::Review(review)) => self.confirm_review(review, yes),
            Some(Dialog::Question(question)) => match question.about {
                About::LeavingRun => {
                    self.leaving = Leaving::WhenSettled;
                    let effects = self.stop_and_settle();
                    self.leave_if_settled();
                    effects
                }
                About::LeavingMarks => {
                    self.leaving = Leaving::Now { message: None };
                    Vec::new()
                }
                About::AskingInSpite => self.ask_in_spite(),
            },
            other @ (Some(
                Dialog::Filter(_)
                | Dialog::Marking(_)
                | Dialog::Repointing(_)
                | Dialog::Details(_)
                | Dialog::Runs(_),
            )
            | None) => {
                self.dialog = other;
                Vec::new()
            }
        }
    }

    /// A key that would answer a question was dropped.
    pub(super) fn not_yet(&mut self, unread: Unread) {
        let why = match unread {
            Unread::NotShown => "waiting for the terminal to show this",
            Unread::MoreWarnings => "scroll down, there are more warnings",
            Unread::TooSoon => "look first, then answer",
        };
        self.notice(Tone::Warning, format!("{NOT_YET}{why}"));
    }

    /// Once the question can be answered, the screen no longer says that it cannot.
    fn no_longer_not_yet(&mut self) {
        if self.consent.unread().is_none() {
            self.notice.take_if(|notice| notice.text.starts_with(NOT_YET));
        }
    }

    fn cancel(&mut self) {
        if self.actions.take().is_some() {
            return;
        }
        match self.dialog.take() {
            Some(Dialog::Review(review)) if review.line().is_some() => {
                self.dialog = Some(Dialog::Review(review));
                self.end_narrowing(false);
            }
            Some(Dialog::Review(review)) => {
                self.end_check(&review);
                let text = if review.is_of_undo() {
                    format!("undo cancelled; nothing was {}", review.deed().done())
                } else {
                    "cancelled: nothing was sent, the marks stay".to_owned()
                };
                self.notice(Tone::Plain, text);
            }
            Some(Dialog::Filter(prompt)) => self.take_filter_back(prompt),
            Some(
                Dialog::Question(_)
                | Dialog::Details(_)
                | Dialog::Runs(_)
                | Dialog::Marking(_)
                | Dialog::Repointing(_),
            )
            | None => {}
        }
    }

    /// The numbers and names to recognise in sentences. Filled only while the mask is on; it costs time.
    fn teach_mask(&mut self) {
        if self.mask.is_on() {
            for extension in self.extensions.found() {
                self.mask.learn(&extension.number);
                self.mask.learn_name(&extension.label);
                if let Some(owner) = &extension.owner {
                    self.mask.learn_name(&owner.name);
                }
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
        if self.dialog.is_some() {
            self.read_again_for_review();
            return Vec::new();
        }
        if !self.may_ask_now() {
            return Vec::new();
        }
        let of_one = self.extensions.current().filter(|_| self.focus == Panel::Events);
        if let Some(extension) = of_one.cloned() {
            self.loading.demand(&extension.number);
            self.notice(Tone::Plain, format!("reading {} again", extension.number));
            return Vec::new();
        }
        if self.discovery == Fetched::UnderWay {
            return Vec::new();
        }
        self.loading.forget_all();
        self.notice(Tone::Plain, "reading again; marks stay");
        vec![self.discover()]
    }

    /// Whether the PBX may be asked at once because the operator wants it. A pause that the PBX asked
    /// for is kept, and where the budget holds a question comes first.
    pub(super) fn may_ask_now(&mut self) -> bool {
        let now = self.now.since_start;
        let Some((left, why)) = self.outage.waits(now) else { return true };
        if why.is_of_budget() {
            self.open_question(About::AskingInSpite);
        } else if why.is_pause() {
            let seconds = whole_seconds(left);
            let text =
                format!("the PBX asked for a pause: reading goes on by itself in {seconds} s");
            self.notice(Tone::Warning, text);
        } else {
            self.outage.cut_short(now);
            return true;
        }
        false
    }

    /// One request in spite of the budget: the extension under the cursor, else the extensions.
    fn ask_in_spite(&mut self) -> Vec<Effect> {
        let current = self.extensions.current().map(|extension| extension.number.clone());
        let effect = match current {
            Some(number) => self.loading.ask_now(&number),
            None if self.discovery == Fetched::UnderWay => None,
            None => Some(self.discover()),
        };
        effect.map(|effect| Effect::InSpite(Box::new(effect))).into_iter().collect()
    }

    fn discover(&mut self) -> Effect {
        self.discovery = Fetched::UnderWay;
        self.outage.of_discovery = false;
        Effect::DiscoverExtensions
    }

    /// Asks for the extensions again once a wait is over, where that failed.
    fn discover_again(&mut self) -> Option<Effect> {
        let is_due = self.outage.is_discovery_due(self.now.since_start)
            && self.discovery != Fetched::UnderWay
            && self.loading.in_flight() == 0
            && !self.is_running();
        is_due.then(|| self.discover())
    }

    /// One step back in the panels: the filter of the focused one, then a run.
    fn escape(&mut self) -> Vec<Effect> {
        if self.drop_range() {
            return Vec::new();
        }
        if self.focus.browsed().is_some() && !self.filter(self.focus).is_empty() {
            self.set_filter(self.focus, Filter::default());
            if self.is_running() {
                self.notice(Tone::Warning, "filter cleared; Esc again stops the run");
            }
            return Vec::new();
        }
        if self.is_running() {
            return self.stop_at_once();
        }
        if !self.give_up_marking("by Esc") && self.focus != Panel::Extensions {
            self.focus_panel(Panel::Extensions);
        }
        Vec::new()
    }

    fn stop_at_once(&mut self) -> Vec<Effect> {
        if self.runs.state() == Some(RunState::Opening) {
            let text = "stopping: the run file is being written, no call goes out";
            self.notice(Tone::Plain, text);
        }
        self.stop_and_settle()
    }

    fn quit(&mut self) {
        if self.focus != Panel::Extensions {
            self.focus_panel(Panel::Extensions);
        } else if self.runs.state() == Some(RunState::Closing) {
            self.leaving = Leaving::WhenSettled;
        } else if self.is_running() || self.store.marked() > 0 {
            let in_run = self.is_running();
            self.open_question(if in_run { About::LeavingRun } else { About::LeavingMarks });
        } else {
            self.leaving = Leaving::Now { message: None };
        }
    }

    fn interrupt(&mut self) -> Vec<Effect> {
        let now = self.now.since_start;
        let twice = self.interrupted_at.is_some_and(|before| now.saturating_sub(before) <= TWICE);
        self.interrupted_at = Some(now);
        // A start that has nothing to show yet has nothing to lose.
        let is_starting = self.extensions.is_empty()
            && !matches!(self.discovery, Fetched::Ready(()))
            && self.dialog.is_none()
            && self.actions.is_none()
            && !self.is_running();
        if twice || is_starting {
            return self.leave_at_once();
        }
        let effects = self.step_back();
        if self.notice.is_none() {
            self.notice(Tone::Plain, "ctrl-c again within a second leaves");
        }
        effects
    }

    /// Leaves without a question: what is in flight is awaited as long as there is time, and nothing is
    /// listed any more; the next start does that.
    fn leave_in_haste(&mut self) -> Vec<Effect> {
        self.in_haste = true;
        self.leaving = Leaving::WhenSettled;
        let effects = self.stop_and_settle();
        self.leave_if_settled();
        effects
    }

    /// At once, but for the last lines of the run file, where no call is in flight: they take no
    /// longer than a moment.
    fn leave_at_once(&mut self) -> Vec<Effect> {
        if self.leaving != Leaving::WhenSettled
            && let Some(effects) = self.end_in_order()
        {
            self.leaving = Leaving::WhenSettled;
            self.leave_if_settled();
            return effects;
        }
        let in_flight = self.calls_in_flight();
        let message = (in_flight > 0 && !self.is_simulating()).then(|| {
            let name = self.run().map_or("", |active| active.machine.name());
            let calls = count_of(in_flight, "call");
            format!(
                "left run {name} with {calls} in flight: their results are unknown until the \
                 extensions are listed again"
            )
        });
        self.leaving = Leaving::Now { message };
        Vec::new()
    }

    /// Leaves once asked to and nothing is going on any more.
    pub(super) fn leave_if_settled(&mut self) {
        if self.leaving == Leaving::WhenSettled && !self.is_running() {
            self.leaving = Leaving::Now { message: None };
        }
    }

    fn discovered(&mut self, result: Result<Discovery, Failure>) -> Vec<Effect> {
        let mut discovery = match result {
            Ok(discovery) => discovery,
            Err(failure) => {
                self.not_discovered(failure);
                return Vec::new();
            }
        };
        self.discovery = Fetched::Ready(());
        self.outage.is_over();
        self.loading.recover();
        let is_again = self.outage.misses();
        let extensions = discovery.beside(self.extensions.found());
        self.outage.found(discovery.trouble, self.now.since_start);
        self.extensions.take(extensions, &self.store);
        self.twins = self.numbers_in_pairs();
        self.teach_mask();
        let known = |number: &ExtensionNumber| self.extensions.find(number).is_some();
        let lost = self.store.retain(known);
        self.loading.retain(known);
        if lost > 0 {
            let marks = count_of(lost, "mark");
            self.say(
                Tone::Warning,
                format!("{marks} cleared: their extensions are no longer found"),
            );
        }
        self.arrange_events();
        self.marks.forget_counts();
        self.count_loaded();
        if !(is_again && self.outage.misses()) {
            let found = count_of(self.extensions.found().len(), "extension");
            self.log(Tone::Plain, format!("{found} found"));
            for remark in discovery.remarks {
                self.log(Tone::Plain, remark);
            }
        }
        if self.extensions.is_empty() {
            self.notice(
                Tone::Warning,
                "no extension was found: name them under extensions in the profile, or with \
                 --extension",
            );
        }
        Vec::new()
    }

    /// What comes of extensions that could not be read.
    fn not_discovered(&mut self, failure: Failure) {
        let is_first = self.extensions.is_empty();
        if failure.may_pass() {
            self.outage.met(&failure, self.now.since_start);
            self.outage.of_discovery = true;
            if is_first && !failure.has_no_room() {
                self.log(Tone::Warning, format!("the extensions could not be read: {failure}"));
            }
        } else if is_first {
            // Nothing to show and nothing to go on with: say why where it stays readable.
            self.leaving = Leaving::Now { message: Some(failure.to_string()) };
        }
        if !is_first {
            self.say(Tone::Warning, format!("reading the extensions again failed: {failure}"));
        }
        self.discovery = Fetched::Failed(failure);
    }

    /// Short numbers that may name the same extension as a longer one.
    fn numbers_in_pairs(&self) -> HashMap<ExtensionNumber, ExtensionNumber> {
        let numbers = self.extensions.found().iter().map(|extension| &extension.number);
        let pair = |number: &ExtensionNumber| {
            let short = ExtensionNumber::parse(number.short()?).ok()?;
            self.extensions.find(&short).map(|_| (short, number.clone()))
        };
        numbers.filter_map(pair).collect()
    }

    fn listed(
        &mut self,
        number: &ExtensionNumber,
        epoch: u64,
        result: Result<Listing, Failure>,
    ) -> Vec<Effect> {
        let had_given_up = self.loading.has_given_up();
        self.heed(result.as_ref().err());
        if !self.loading.answered(number, epoch, result.as_ref().err()) {
            return Vec::new();
        }
        let is_news = self.counting_one(number, |model| match result {
            Ok(listing) => {
                model.loading.proves(&listing);
                let is_news = model.take_listing(number, listing);
                model.read_for_review(number);
                is_news
            }
            Err(failure) => {
                model.listing_failed(number, &failure, had_given_up);
                model.unread_for_review(number, &failure);
                false
            }
        });
        self.drop_if_named_twice(number);
        if is_news {
            self.events_changed(number);
        }
        self.conclude_check()
    }

    /// Takes in how the PBX answered: trouble stops all questions, and an answer lets them go on.
    fn heed(&mut self, failure: Option<&Failure>) {
        match failure {
            Some(failure) if failure.may_pass() => {
                self.outage.met(failure, self.now.since_start);
            }
            // It was not asked, which says nothing.
            Some(failure) if failure.cause == Cause::Withheld => {}
            Some(_) | None => {
                self.outage.is_over();
                self.loading.recover();
            }
        }
    }

    /// Where two numbers turn out to name one extension, the longer one is used from then on, with
    /// the marks of both.
    fn drop_if_named_twice(&mut self, number: &ExtensionNumber) {
        let short = number.short().map_or_else(|| Ok(number.clone()), ExtensionNumber::parse);
        let Some((short, extended)) = short.ok().and_then(|short| self.twins.remove_entry(&short))
        else {
            return;
        };
        let (Some(one), Some(other)) = (self.store.listing(&short), self.store.listing(&extended))
        else {
            self.twins.insert(short, extended);
            return;
        };
        if !one.proves_the_same(other) {
            self.twins.insert(short, extended);
            return;
        }
        let marked = self.store.marked_rows_in(&short).filter_map(|row| one.row(row));
        let here = |event: EventView<'_>| {
            other.find(&EventKey { extension: extended.clone(), ..event.key() })
        };
        let rows: Vec<usize> = marked.filter_map(here).collect();
        self.store.set_marks(&extended, rows, true);
        self.log(Tone::Plain, format!("{short} and {extended} are one extension"));
        self.store.retain(|known| *known != short);
        self.extensions.forget(&short, &self.store);
        self.arrange_events();
        self.marks.forget_counts();
        self.count_loaded();
    }

    /// Whether it says anything new.
    fn take_listing(&mut self, number: &ExtensionNumber, listing: Listing) -> bool {
        if let Some(why) = listing.why_incomplete().filter(|_| !listing.is_unproven()) {
            let told = format!("{number}: not complete, so no wide call is used on it: {why}");
            self.log(Tone::Warning, told);
        }
        let Replaced { vanished, changed, is_news } = if self.is_read_for_review(number) {
            self.store.insert_whole(listing)
        } else {
            self.store.insert(listing)
        };
        for (count, what) in [(vanished, "no longer listed"), (changed, "changed since marking")] {
            if count > 0 {
                let events = count_of(count, "marked event");
                let text = format!("{number}: {events} {what}");
                // A review names them, where they are about it.
                match self.dialog {
                    Some(Dialog::Review(_)) => self.log(Tone::Warning, text),
                    Some(_) | None => self.say(Tone::Warning, text),
                }
            }
        }
        self.mark_as_awaited(number);
        is_news
    }

    fn listing_failed(&mut self, number: &ExtensionNumber, failure: &Failure, had_given_up: bool) {
        if self.loading.comes_again(number) {
            if !failure.has_no_room() {
                self.log(Tone::Warning, format!("{number} could not be read yet: {failure}"));
            }
            return;
        }
        if self.marks.no_longer_awaits(number) {
            let text = format!("{number} could not be read, so nothing of it is marked: {failure}");
            self.notice(Tone::Warning, text);
        }
        self.log(Tone::Warning, format!("{number} could not be read: {failure}"));
        self.not_marked_as_unread(number);
        if !self.loading.has_given_up() {
            return;
        }
        // What was asked for and not sent yet is dropped, and whatever waits for it.
        let waited = self.marks.await_none();
        if self.marking_broke_off(failure) || waited || !had_given_up {
            let again = self.keyed("<read-again>");
            self.say(
                Tone::Warning,
                format!(
                    "reading stopped: {failure} · {again} in Events reads the extension under the cursor"
                ),
            );
        }
    }
}
