//! What is copied: the calls of a review as lines for a shell, and rows of panels as text. The token
//! is never in it, every foreign text is cleaned, and all of it goes through the mask.

use crate::change::{EarlierEvent, Machine, Plan};
use crate::domain::{Call, Change, Mask, Outcome, PhoneCallEvent, quoted};

use super::status::Tone;
use super::{
    Dialog, Effect, Line, MarkedLine, Model, Panel, StatusRow, count_of, ids_told, outcome_word,
};

impl Model {
    /// `c` in the review: its calls. Everywhere else the row under the cursor.
    pub(super) fn copy(&mut self) -> Vec<Effect> {
        let review = match &self.dialog {
            Some(Dialog::Review(review)) => review,
            Some(Dialog::Details(details)) => return self.copy_details(details),
            Some(
                Dialog::Filter(_)
                | Dialog::Marking(_)
                | Dialog::Repointing(_)
                | Dialog::Question(_)
                | Dialog::Runs(_),
            )
            | None => {
                return self.copy_rows(false);
            }
        };
        let Some(plan) = review.plan() else {
            self.notice(Tone::Warning, "there is no call to copy");
            return Vec::new();
        };
        let what = self.copied_words(plan.due().count(), "call");
        vec![Effect::Copy { what, text: curl_lines(plan, &self.mask) }]
    }

    /// The row under the cursor of the focused panel, or all of its rows.
    pub(super) fn copy_rows(&mut self, all: bool) -> Vec<Effect> {
        let at = self.cursor(self.focus).at;
        let wanted = |row: usize| all || row == at;
        let each = (0..self.rows(self.focus)).filter(|row| wanted(*row));
        let rows: Vec<String> = if self.focus == Panel::Events {
            each.filter_map(|row| self.event_text(row)).collect()
        } else if self.focus == Panel::Status {
            each.filter_map(|row| self.status_text(row)).collect()
        } else if self.focus == Panel::Marked {
            let lines = self.marked_lines_from(0).enumerate().filter(|(row, _)| wanted(*row));
            lines.map(|(_, line)| self.marked_text(&line)).collect()
        } else {
            let text = "rows are copied in Events (<events>), Status (<status>) and Marked \
                        (<marked>)";
            self.tell(Tone::Plain, text);
            return Vec::new();
        };
        if rows.is_empty() {
            self.notice(Tone::Plain, "there is no row to copy");
            return Vec::new();
        }
        let what = self.copied_words(rows.len(), "row");
        vec![Effect::Copy { what, text: joined(&rows) }]
    }

    /// `2 calls`, and whether they can be used: a masked call leads nowhere.
    fn copied_words(&self, number: usize, what: &str) -> String {
        let masked = if self.mask.is_on() { ", masked" } else { "" };
        format!("{}{masked}", count_of(number, what))
    }

    /// The terminal took it, or could not.
    pub(super) fn copied(&mut self, what: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.notice(Tone::Good, format!("sent to the terminal: {what}")),
            Err(why) => self.notice(Tone::Warning, format!("not copied: {why}")),
        }
    }

    fn event_text(&self, row: usize) -> Option<String> {
        Some(match self.events.line(row)? {
            Line::Group { group, .. } => {
                let name = self.group_words(&self.events.key_of(group, &self.store)?);
                format!("{name}: {}", count_of(self.events.group(group)?.rows.len(), "event"))
            }
            Line::Event { place, .. } => {
                let (listing, row) = self.events.event(place, &self.store)?;
                event_text(&listing.row(row)?.to_event(), &self.mask)
            }
            Line::Odd(odd) => self.mask.words(&self.odd_row(odd)?.text),
        })
    }

    fn marked_text(&self, line: &MarkedLine) -> String {
        match line {
            MarkedLine::Extension(number) => {
                let count = count_of(self.store.marked_in(number), "event");
                format!("{}: {count} marked", self.mask.number(number))
            }
            MarkedLine::Command => self.command_line().unwrap_or_default(),
            MarkedLine::Event(number, row) => self
                .store
                .listing(number)
                .and_then(|listing| listing.row(*row))
                .map_or_else(String::new, |view| event_text(&view.to_event(), &self.mask)),
        }
    }

    fn status_text(&self, row: usize) -> Option<String> {
        match self.status_row(row)? {
            StatusRow::Call(call) => call_text(&self.run()?.machine, call, &self.mask),
            StatusRow::Unsent(place) => {
                self.run()?.unsent_event(place).map(|row| earlier_text(&row, &self.mask))
            }
            StatusRow::Earlier(row) => Some(earlier_text(row, &self.mask)),
            StatusRow::Log(line) => Some(line.words(&self.mask)),
        }
    }
}

/// An event of a run with what became of it.
fn earlier_text(row: &EarlierEvent, mask: &Mask) -> String {
    let EarlierEvent { event, change, outcome } = row;
    let mut words = vec![outcome.name().to_owned(), event_text(event, mask)];
    words.extend(change.as_ref().map(|change| change.words(event, mask)));
    words.extend(outcome.failure().map(|failure| mask.text(&failure.to_string())));
    words.extend(outcome.new_id().map(|id| format!("→ {id}")));
    words.join(" ")
}

/// Everything about an event in a line.
pub(super) fn event_text(event: &PhoneCallEvent, mask: &Mask) -> String {
    let key = &event.key;
    let text = format!(
        "{} {} {} {} {} {} {} {}",
        mask.number(&key.extension),
        key.event_type,
        key.id,
        event.method,
        mask.url(&event.url),
        event.status,
        event.modified,
        mask.words(&event.note)
    );
    text.trim_end().to_owned()
}

/// Outcome, status, method and path, then the failure or the ids that came back.
fn call_text(machine: &Machine, call: usize, mask: &Mask) -> Option<String> {
    let (sent, reply) = (machine.call(call)?, machine.reply(call)?);
    let outcomes = machine.outcomes_of(call);
    let mut words = vec![outcome_word(outcomes).to_owned()];
    words.extend(reply.http_status.map(|status| status.to_string()));
    words.push(format!("{} {}", sent.call().method(), mask.path(&sent.path())));
    let failure = outcomes.iter().flatten().find_map(Outcome::failure);
    words.extend(failure.map(|failure| mask.text(&failure.to_string())));
    words.extend(ids_told(&sent, outcomes, reply));
    Some(words.join(" "))
}

pub(super) fn joined(rows: &[String]) -> String {
    rows.iter().flat_map(|row| [row, "\n"]).collect()
}

/// A line for a POSIX shell for every call. The token stays a variable.
fn curl_lines(plan: &Plan, mask: &Mask) -> String {
    let calls = plan.due().filter_map(|call| plan.call(call));
    joined(&calls.map(|call| curl_line(plan, &call, mask)).collect::<Vec<_>>())
}

fn curl_line(plan: &Plan, call: &Call, mask: &Mask) -> String {
    let (target, method) = (plan.target(), call.method());
    let url = quoted(&format!("{}{}", mask.host(&target.origin), mask.path(&call.path(target))));
    let body = match call {
        Call::Update(_, change) => Some(change.copied(mask)),
        Call::Create(event) => {
            let mut body = Change::of(event, &["method", "url", "note", "status"]).copied(mask);
            if let Some(fields) = body.as_object_mut() {
                let number = event.key.event_type.number().to_string();
                fields.insert("type".to_owned(), number.into());
            }
            Some(body)
        }
        Call::Delete(_) => None,
    };
    let body = body.map(|body| {
        format!(" -H 'Content-Type: application/json' -d {}", quoted(&body.to_string()))
    });
    let body = body.unwrap_or_default();
    format!("curl -X {method} -H \"Authorization: Bearer $CALLSWEEP_TOKEN\"{body} {url}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Selection;
    use crate::domain::{
        CallForm, EventId, ExtensionNumber, ListingBuilder, RawEvent, Target, UserId,
    };

    /// What a POSIX shell makes of one word in quotes.
    fn unquoted(word: &str) -> String {
        let mut text = String::new();
        let mut inside = false;
        let mut characters = word.chars();
        while let Some(character) = characters.next() {
            match (character, inside) {
                ('\'', _) => inside = !inside,
                ('\\', false) => text.extend(characters.next()),
                (other, true) => text.push(other),
                (other, false) => panic!("{other:?} stands outside the quotes of {word}"),
            }
        }
        assert!(!inside, "{word} does not end");
        text
    }

    #[test]
    fn every_id_and_user_comes_out_of_the_shell_as_it_went_in() {
        let ids: Vec<EventId> = (0x21..0x7f_u8)
            .filter_map(|byte| EventId::parse(&format!("a{}b", char::from(byte))).ok())
            .collect();
        assert!(ids.len() > 60);
        let users = (0x21..0x7f_u8)
            .filter_map(|byte| UserId::parse(&format!("u{}", char::from(byte))).ok())
            .chain([UserId::parse("@me").unwrap()]);
        for user in users {
            let target = Target::new("acme", "https://pbx.test", "/uapi", user).unwrap();
            let mut builder = ListingBuilder::new(ExtensionNumber::parse("0003*210").unwrap());
            for id in &ids {
                builder.push(RawEvent { event_type: "0", id: id.as_str(), ..RawEvent::default() });
            }
            let listing = builder.finish(true);
            let selection = Selection::of_rows(&listing, 0..ids.len());
            let plan = Plan::freeze(target.clone(), &selection, CallForm::Event, 1000).unwrap();
            let lines = curl_lines(&plan, &Mask::new(target.host(), false));
            assert_eq!(lines.lines().count(), ids.len());
            for (call, line) in lines.lines().enumerate() {
                let head = "curl -X DELETE -H \"Authorization: Bearer $CALLSWEEP_TOKEN\" ";
                let url = format!("https://pbx.test{}", plan.call(call).unwrap().path(&target));
                assert_eq!(unquoted(line.strip_prefix(head).unwrap()), url);
            }
        }
    }

    #[test]
    fn nothing_in_quotes_means_anything_to_a_shell() {
        for text in ["", "plain", "it's", "''", "'; rm -rf /; '", "$(id)`id`\\\"!*?~#&|<>\n", "\\'"]
        {
            assert_eq!(unquoted(&quoted(text)), text, "{text:?}");
        }
    }
}
