//! Marking by expression: what is typed after `T`, the events of every loaded extension that it
//! means, and the extensions that `L` then loads in order to mark there too.
//!
//! Typing changes no mark. An extension that is waited for is asked for or in flight until it is
//! listed, fails or is given up, so that the waiting always ends.

use std::collections::HashSet;

use crate::domain::{
    EventStore, Expression, ExpressionError, Extension, ExtensionNumber, Failure, Fetched, Meant,
    PassedOver, Standing,
};

use crate::app::status::Tone;
use crate::app::{Dialog, Model, TypedLine, count_of};

/// What is typed after `T`, and what it means so far.
#[derive(Debug)]
pub struct MarkPrompt {
    pub(in crate::app) line: TypedLine,
    marks: bool,
    wanted: Result<Expression, ExpressionError>,
    meant: Meant,
}

/// What an expression could say nothing about when it marked or unmarked.
#[derive(Debug)]
pub(in crate::app) struct PassedIn {
    text: String,
    done: &'static str,
    passed_over: PassedOver,
}

/// The expression that marked last. It holds for extensions that were not loaded then, too.
#[derive(Debug)]
pub(in crate::app) struct Marking {
    expression: Expression,
    /// Events that it could say nothing about.
    passed: PassedIn,
    /// Extensions that were not loaded, or not wholly, when it marked, and that it did not mark on
    /// since. Later listings of any others are not its business.
    left_out: HashSet<ExtensionNumber>,
    /// Those of them that are being loaded for it.
    waiting: HashSet<ExtensionNumber>,
    /// Events marked in extensions that were loaded for it, and in how many.
    added: usize,
    added_in: usize,
}

impl MarkPrompt {
    /// A line that begins with this.
    fn of(typed: &str, marks: bool) -> Self {
        let wanted = Ok(Expression::default());
        Self { line: TypedLine::of(typed), marks, wanted, meant: Meant::default() }
    }

    /// Whether matching events are marked; otherwise their marks are cleared.
    pub fn marks(&self) -> bool {
        self.marks
    }

    /// The line that is being typed: an expression.
    pub fn line(&self) -> &TypedLine {
        &self.line
    }

    /// True while nothing is typed; an empty line means no event, not every event.
    pub fn is_empty(&self) -> bool {
        self.wanted.as_ref().is_ok_and(Expression::is_empty)
    }

    /// The matching events among the loaded ones, counted.
    ///
    /// # Errors
    /// Says why what is typed is no expression, with the column in the line.
    pub fn meant(&self) -> Result<Meant, &ExpressionError> {
        self.wanted.as_ref().map(|_| self.meant)
    }

    /// Takes in what one extension adds now, given what it added before.
    pub(in crate::app) fn count_one_again(&mut self, before: Meant, now: Meant) {
        let again = |all: usize, before: usize, now: usize| (all + now).saturating_sub(before);
        self.meant = Meant {
            events: again(self.meant.events, before.events, now.events),
            marked: again(self.meant.marked, before.marked, now.marked),
            extensions: again(self.meant.extensions, before.extensions, now.extensions),
            passed_over: self.meant.passed_over.again(before.passed_over, now.passed_over),
        };
    }

    /// How many marks Enter would set or take away.
    pub fn changes(&self) -> usize {
        let Meant { events, marked, .. } = self.meant;
        if self.marks() { events - marked } else { marked }
    }
}

impl Marking {
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn expression(&self) -> &Expression {
        &self.expression
    }

    fn mark(&mut self, store: &mut EventStore, extension: &Extension) {
        let added = store.set_marks_where(&self.expression, extension, true);
        for (_, verdict) in store.judged(&self.expression, extension) {
            self.passed.passed_over.count(verdict);
        }
        self.added += added;
        self.added_in += usize::from(added > 0);
    }
}

impl Model {
    /// Extensions that are still being loaded in order to mark by expression there too.
    pub fn marking_waits_for(&self) -> usize {
        self.marks.marking.as_ref().map_or(0, |marking| marking.waiting.len())
    }

    /// What the expressions that made the marks could say nothing about, a sentence each.
    pub(in crate::app) fn passed_over_in_marking(&self) -> impl Iterator<Item = String> {
        let last = self.marks.marking.as_ref().map(|marking| &marking.passed);
        let all = self.marks.passed_in.iter().chain(last);
        all.filter(|passed| !passed.passed_over.is_empty()).map(|passed| {
            let text = self.mask.text(&passed.text);
            format!("! {}, when {text:?} {}.", passed.passed_over, passed.done)
        })
    }

    /// `T` marks and `-` unmarks, with this typed already.
    pub(in crate::app) fn edit_marking(&mut self, typed: &str, marks: bool) {
        self.dialog = Some(Dialog::Marking(MarkPrompt::of(typed, marks)));
        self.understand_marking();
    }

    /// Enter: marks what is meant, where it can be understood.
    pub(in crate::app) fn apply_marking(&mut self) {
        if let Some(Dialog::Marking(prompt)) = &self.dialog
            && prompt.wanted.is_ok()
            && let Some(Dialog::Marking(prompt)) = self.dialog.take()
        {
            self.history.add(prompt.line.text());
            self.mark_by_expression(&prompt);
        }
    }

    pub(in crate::app) fn understand_marking(&mut self) {
        if let Some(Dialog::Marking(prompt)) = &mut self.dialog {
            prompt.wanted = Expression::parse(prompt.line.text(), &self.now.local, &Standing::ALL);
            self.count_meant();
        }
    }

    /// Counts again what the expression in the prompt means.
    pub(in crate::app) fn count_meant(&mut self) {
        if let Some(Dialog::Marking(prompt)) = &mut self.dialog {
            prompt.meant = match &prompt.wanted {
                Ok(expression) if !expression.is_empty() => {
                    self.store.meant(expression, self.extensions.found())
                }
                Ok(_) | Err(_) => Meant::default(),
            };
        }
    }

    /// What the expression in the prompt means of one extension.
    pub(in crate::app) fn meant_in(&self, number: &ExtensionNumber) -> Meant {
        let Some(Dialog::Marking(MarkPrompt { wanted: Ok(expression), .. })) = &self.dialog else {
            return Meant::default();
        };
        match self.extensions.find(number) {
            Some(extension) if !expression.is_empty() => {
                self.store.meant(expression, std::slice::from_ref(extension))
            }
            Some(_) | None => Meant::default(),
        }
    }

    fn mark_by_expression(&mut self, prompt: &MarkPrompt) {
        let on = prompt.marks();
        let done = if on { "marked" } else { "unmarked" };
        let Ok(expression) = &prompt.wanted else {
            return;
        };
        if expression.is_empty() {
            let text = format!("nothing was {done}: the expression is empty");
            self.notice(Tone::Warning, text);
            return;
        }
        self.give_up_marking("by another <mark-by-rule>");
        let (mut changed, mut changed_in) = (0, 0);
        for extension in self.extensions.found() {
            let here = self.store.set_marks_where(expression, extension, on);
            changed += here;
            changed_in += usize::from(here > 0);
        }
        let text = prompt.line.text().trim();
        let events = count_of(changed, "event");
        let extensions = count_of(changed_in, "extension");
        self.log(Tone::Plain, format!("{events} {done} on {extensions} by {text:?}"));
        let mut told = match prompt.meant.events {
            0 => format!("matches no event; nothing was {done}"),
            _ if changed > 0 => format!("{changed} {done} on {extensions}"),
            events => format!("all {} are already {done}", count_of(events, "event")),
        };
        let passed_over = prompt.meant.passed_over;
        if !passed_over.is_empty() {
            told = format!("{told}; {passed_over}");
        }
        self.marks.passed_in.extend(self.marks.marking.take().map(|marking| marking.passed));
        let passed = PassedIn { text: text.to_owned(), done, passed_over };
        if on {
            let left_out = self.extensions.found().iter().map(|extension| &extension.number);
            let left_out = left_out.filter(|number| !self.is_loaded(number)).cloned().collect();
            told.push_str(&self.offer_to_load(&left_out));
            self.marks.marking = Some(Marking {
                expression: expression.clone(),
                passed,
                left_out,
                waiting: HashSet::new(),
                added: 0,
                added_in: 0,
            });
        } else {
            self.marks.passed_in.push(passed);
        }
        self.notice(if changed > 0 { Tone::Good } else { Tone::Plain }, told);
    }

    /// Says in the log what was not asked as it is not loaded, and returns it in short; empty when
    /// everything is.
    fn offer_to_load(&mut self, left_out: &HashSet<ExtensionNumber>) -> String {
        let (mut failed, mut incomplete) = (0, 0);
        for number in left_out {
            match self.loading.state(number) {
                Fetched::Failed(_) => failed += 1,
                Fetched::Ready(()) => incomplete += 1,
                Fetched::Not | Fetched::UnderWay => {}
            }
        }
        let missing = left_out.len();
        if missing == 0 {
            return String::new();
        }
        let mut why = Vec::new();
        for (count, what) in [(failed, "could not be read"), (incomplete, "not complete")] {
            if count > 0 {
                why.push(format!("{count} {what}"));
            }
        }
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
        let (extensions, are, them) = match missing {
            1 => ("1 extension".to_owned(), "is", "it"),
            _ => (format!("{missing} extensions"), "are", "them"),
        };
        let key = self.keyed("<mark-rest>");
        let log =
            format!("{extensions} {are} not loaded{why}: {key} loads {them} and marks there too");
        self.log(Tone::Warning, log);
        format!("; {missing} not loaded: {key} loads and marks there too")
    }

    /// Whether all events that the service hands out of an extension are on hand.
    fn is_loaded(&self, number: &ExtensionNumber) -> bool {
        *self.loading.state(number) == Fetched::Ready(())
            && self.store.listing(number).is_some_and(|listing| !listing.is_worth_reading_again())
    }

    /// `L`: marks what `T` left out as it was not loaded, and loads what still is not.
    pub(in crate::app) fn load_and_mark(&mut self) {
        if self.marking_waits_for() > 0 {
            let waiting = count_of(self.marking_waits_for(), "extension");
            self.notice(Tone::Plain, format!("still loading {waiting}; Esc stops that"));
            return;
        }
        let Some(mut marking) = self.marks.marking.take() else {
            self.tell(
                Tone::Plain,
                "<mark-by-rule> marks by expression first; <mark-rest> then loads what is not loaded and \
                 marks there too",
            );
            return;
        };
        (marking.added, marking.added_in) = (0, 0);
        let any = !marking.left_out.is_empty();
        let left_out = std::mem::take(&mut marking.left_out);
        // In the order of the screen.
        let extensions = self.extensions.found().iter();
        for extension in extensions.filter(|one| left_out.contains(&one.number)) {
            let number = &extension.number;
            if self.is_loaded(number) {
                marking.mark(&mut self.store, extension);
            } else {
                self.loading.demand(number);
                marking.left_out.insert(number.clone());
            }
        }
        marking.waiting.clone_from(&marking.left_out);
        let loading = count_of(marking.waiting.len(), "extension");
        let told = format!(
            "loading {loading} to mark {:?} there too; Esc stops that",
            marking.passed.text
        );
        self.marks.marking = Some(marking);
        if self.marking_waits_for() > 0 {
            self.notice(Tone::Plain, told);
        } else if any {
            self.end_marking();
        } else {
            self.tell(Tone::Plain, "<mark-by-rule> left nothing out: every extension was loaded");
        }
    }

    /// An extension was listed: marks there what was meant, where it was waited for.
    pub(in crate::app) fn mark_where_listed(&mut self, number: &ExtensionNumber) {
        let (extension, loaded) = (self.extension(number), self.is_loaded(number));
        let Some(marking) = &mut self.marks.marking else {
            return;
        };
        if marking.waiting.remove(number) {
            marking.mark(&mut self.store, &extension);
            if loaded {
                marking.left_out.remove(number);
            }
            self.end_marking();
        }
    }

    /// An extension could not be listed, which ends the waiting for it.
    pub(in crate::app) fn not_marked_as_unread(&mut self, number: &ExtensionNumber) {
        let marking = self.marks.marking.as_mut();
        if marking.is_some_and(|marking| marking.waiting.remove(number)) {
            self.end_marking();
        }
    }

    /// Says what came of it once nothing is waited for any more.
    fn end_marking(&mut self) {
        let Some(marking) = self.marks.marking.as_ref().filter(|one| one.waiting.is_empty()) else {
            return;
        };
        let extensions = count_of(marking.added_in, "extension");
        let told = format!("{} more marked on {extensions}", marking.added);
        let (tone, rest) = match marking.left_out.len() {
            0 => (Tone::Good, "; all of them are loaded now".to_owned()),
            left => {
                let again = self.keyed("<mark-rest> tries again");
                (Tone::Warning, format!("; {left} still not loaded: {again}"))
            }
        };
        self.say(tone, format!("{told}{rest}"));
    }

    /// Waits no longer, and asks for nothing more; true when there was something to wait for.
    pub(in crate::app) fn give_up_marking(&mut self, why: &str) -> bool {
        let Some(marking) = &mut self.marks.marking else {
            return false;
        };
        let waiting = std::mem::take(&mut marking.waiting);
        if waiting.is_empty() {
            return false;
        }
        let also = &self.marks.waiting;
        self.loading.withdraw(|number| waiting.contains(number) && !also.contains(number));
        let (added, left) = (marking.added, count_of(waiting.len(), "extension"));
        let why = self.keyed(why);
        self.say(
            Tone::Warning,
            format!("loading stopped {why}: {added} more marked, {left} not loaded"),
        );
        true
    }

    /// Nothing more is asked for after too many failures: nothing will come to be marked.
    pub(in crate::app) fn marking_broke_off(&mut self, failure: &Failure) -> bool {
        let gave_up = self.give_up_marking("after too many failures");
        if gave_up {
            self.log(Tone::Warning, format!("the last failure was: {failure}"));
        }
        gave_up
    }
}
