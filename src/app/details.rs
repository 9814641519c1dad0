//! Details: every field of one event or of one call, whole, with what is known beside them.

use crate::domain::{
    Call, DeleteCall, Extension, ExtensionNumber, Listing, Outcome, PhoneCallEvent,
};

use crate::change::EarlierEvent;

use super::copying::joined;
use super::status::LogLine;
use super::{
    Cursor, Dialog, Effect, Line, MarkedLine, Model, Motion, Panel, StatusRow, count_of, ids_told,
    outcome_word, text,
};

/// Columns of a field's name, and of a page at most.
pub const NAME: usize = 11;
/// See [`NAME`].
pub const WIDEST: usize = 110;
/// Of many extensions with the same URL these are named; the others are counted.
const NAMED: usize = 8;

/// The open page of details.
#[derive(Debug)]
pub struct Details {
    of: Subject,
    /// Where else its URL is used, and how often.
    elsewhere: Vec<(ExtensionNumber, usize)>,
    /// First line in sight.
    top: usize,
}

#[derive(Debug)]
enum Subject {
    /// An event as it was listed when the page was opened.
    Event(Box<PhoneCallEvent>),
    /// A call of the run in Status.
    Call(usize),
    /// An event of an earlier run.
    Earlier(Box<EarlierEvent>),
    Log(LogLine),
}

/// One field: its name and its value, masked and cleaned.
pub type Field = (&'static str, String);

impl Details {
    /// The title of the page.
    pub fn title(&self) -> &'static str {
        match self.of {
            Subject::Event(_) => "Event",
            Subject::Call(_) | Subject::Earlier(_) => "Call",
            Subject::Log(_) => "Message",
        }
    }

    /// The first visible line.
    pub fn top(&self) -> usize {
        self.top
    }
}

impl Model {
    /// What is under the cursor, where there is more to be told of it.
    fn subject(&self) -> Option<Subject> {
        let at = self.cursor(self.focus).at;
        let event = |listing: &Listing, row: usize| {
            Some(Subject::Event(Box::new(listing.row(row)?.to_event())))
        };
        if self.focus == Panel::Events {
            let Some(Line::Event { place, .. }) = self.events.current() else { return None };
            let (listing, row) = self.events.event(place, &self.store)?;
            return event(listing, row);
        }
        if self.focus == Panel::Marked {
            let line = self.marked_lines_from(at).next();
            let Some(MarkedLine::Event(number, row)) = line else { return None };
            return event(self.store.listing(&number)?, row);
        }
        if self.focus != Panel::Status {
            return None;
        }
        Some(match self.status_row(at)? {
            StatusRow::Call(call) => Subject::Call(call),
            StatusRow::Unsent(place) => {
                Subject::Earlier(Box::new(self.run()?.unsent_event(place)?))
            }
            StatusRow::Earlier(row) => Subject::Earlier(Box::new(row.clone())),
            StatusRow::Log(line) => Subject::Log(line.clone()),
        })
    }

    /// Enter on an event or on a row of Status.
    pub(super) fn open_details(&mut self) {
        let Some(of) = self.subject() else { return };
        let elsewhere = match &of {
            Subject::Event(event) => self.used_elsewhere(event),
            Subject::Call(_) | Subject::Earlier(_) | Subject::Log(_) => Vec::new(),
        };
        self.dialog = Some(Dialog::Details(Details { of, elsewhere, top: 0 }));
    }

    fn used_elsewhere(&self, event: &PhoneCallEvent) -> Vec<(ExtensionNumber, usize)> {
        let here = |number: &ExtensionNumber| usize::from(*number == event.key.extension);
        let used = self.store.with_url(event.url.raw());
        used.map(|(number, count)| (number.clone(), count - here(number).min(count)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// The lines of the open page, each with the name of the field that begins there, and how many of
    /// them are in sight.
    pub fn detail_lines(&self, details: &Details) -> (Vec<Field>, usize) {
        let whole = self.layout.whole;
        let columns = usize::from(whole.width.saturating_sub(6)).min(WIDEST).saturating_sub(NAME);
        let mut lines = Vec::new();
        for (name, value) in self.fields(details) {
            let parts = text::wrap(&value, columns).into_iter().enumerate();
            lines.extend(parts.map(|(place, part)| (if place == 0 { name } else { "" }, part)));
        }
        // Header and frame stay in sight.
        (lines, usize::from(whole.height.saturating_sub(3)))
    }

    pub(super) fn scroll_details(&mut self, motion: Motion) {
        let Some(Dialog::Details(details)) = &self.dialog else { return };
        let (lines, height) = self.detail_lines(details);
        let Some(Dialog::Details(details)) = &mut self.dialog else { return };
        let tops = (lines.len() + 1).saturating_sub(height).max(1);
        let mut top = Cursor { at: details.top, ..Cursor::default() };
        top.go(motion, tops, height);
        details.top = top.at;
    }

    /// The fields of the open page.
    pub fn fields(&self, details: &Details) -> Vec<Field> {
        match &details.of {
            Subject::Event(event) => {
                let mut fields = self.fields_of(event);
                fields.push(("used by", self.users_of(&details.elsewhere)));
                fields
            }
            Subject::Call(call) => self.fields_of_call(*call).unwrap_or_default(),
            Subject::Earlier(row) => self.fields_of_earlier(row),
            Subject::Log(line) => vec![("said", line.words(&self.mask))],
        }
    }

    fn fields_of(&self, event: &PhoneCallEvent) -> Vec<Field> {
        let (mask, key) = (&self.mask, &event.key);
        let listing = self.store.listing(&key.extension);
        let listed = listing.is_some_and(|listing| listing.find(key).is_some());
        let note = mask.words(&event.note);
        let access = listing.map(|listing| (key.extension.clone(), listing.access().clone()));
        let target = self.facts.target.clone().knowing(access);
        let path = DeleteCall::Event(key.clone()).path(&target);
        let mut fields = vec![
            ("extension", self.called(&self.extension(&key.extension))),
            ("type", format!("{} ({})", key.event_type, key.event_type.number())),
            ("method", event.method.to_string()),
            ("URL", mask.url(&event.url)),
            ("note", if note.is_empty() { "(none)".to_owned() } else { note }),
            ("status", event.status.to_string()),
            ("modified", event.modified.to_string()),
            ("id", key.id.to_string()),
            ("path", mask.path(&path)),
        ];
        if !listed {
            fields.push(("now", "no longer listed".to_owned()));
        }
        if let Some(failure) = self.failure_of(key) {
            fields.push(("failed", mask.text(&failure.to_string())));
        }
        fields
    }

    /// Which other events have the same URL.
    fn users_of(&self, elsewhere: &[(ExtensionNumber, usize)]) -> String {
        let all: usize = elsewhere.iter().map(|(_, count)| count).sum();
        if all == 0 {
            return "no other loaded event has this URL".to_owned();
        }
        let name = |(number, count): &(ExtensionNumber, usize)| {
            let extension: Extension = self.extension(number);
            format!("{} ({count})", self.called(&extension))
        };
        let named: Vec<String> = elsewhere.iter().take(NAMED).map(name).collect();
        let more = elsewhere.len().saturating_sub(NAMED);
        let more =
            if more > 0 { format!(" and {}", count_of(more, "extension")) } else { String::new() };
        format!("{}: {}{more}", count_of(all, "other event"), named.join(", "))
    }

    fn fields_of_call(&self, call: usize) -> Option<Vec<Field>> {
        let machine = &self.run()?.machine;
        let (sent, reply) = (machine.call(call)?, machine.reply(call)?);
        let outcomes = machine.outcomes_of(call);
        let mut fields = vec![("outcome", outcome_word(outcomes).to_owned())];
        let failure = outcomes.iter().flatten().find_map(Outcome::failure);
        fields.extend(failure.map(|failure| ("reason", self.mask.text(&failure.to_string()))));
        let status = reply.http_status.map_or("no answer".to_owned(), |status| status.to_string());
        fields.push(("answer", format!("{status} after {} ms", reply.took.as_millis())));
        let ids = ids_told(&sent, outcomes, reply).join(" ");
        if !ids.is_empty() {
            let name = if matches!(sent.call(), Call::Delete(_)) { "returned" } else { "ids" };
            fields.push((name, ids));
        }
        if !reply.surplus.is_empty() {
            let surplus: Vec<String> = reply.surplus.iter().map(ToString::to_string).collect();
            fields.push(("NOT PLANNED", surplus.join(" ")));
        }
        let path = self.mask.path(&sent.path());
        fields.push(("call", format!("{} {path}", sent.call().method())));
        let events = machine.plan().covered(call);
        if let [event] = events {
            let known = ["extension", "type", "method", "URL", "note", "status", "modified", "id"];
            let of_event = self.fields_of(event).into_iter();
            fields.extend(of_event.filter(|(name, _)| known.contains(name)));
            if let Call::Update(_, change) = sent.call() {
                fields.push(("change", change.words(event, &self.mask)));
            }
        } else {
            fields.push(("covers", count_of(events.len(), "event")));
        }
        Some(fields)
    }

    fn fields_of_earlier(&self, row: &EarlierEvent) -> Vec<Field> {
        let EarlierEvent { event, change, outcome } = row;
        let mut fields = vec![("outcome", outcome.name().to_owned())];
        let failure = outcome.failure();
        fields.extend(failure.map(|failure| ("reason", self.mask.text(&failure.to_string()))));
        let status = failure.and_then(|failure| failure.http_status);
        fields.extend(status.map(|status| ("answer", status.to_string())));
        fields.extend(outcome.new_id().map(|id| ("new id", id.to_string())));
        fields.extend(outcome.altered().map(|names| ("differs", names.join(", "))));
        fields.extend(change.as_ref().map(|it| ("change", it.words(event, &self.mask))));
        fields.extend(self.fields_of(event));
        fields
    }

    /// `c` on the page: all of it.
    pub(super) fn copy_details(&self, details: &Details) -> Vec<Effect> {
        let fields = self.fields(details);
        let rows: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let text = joined(&rows);
        vec![Effect::Copy { what: "the details".to_owned(), text }]
    }
}
