//! The receipt of a run: what it did with each event, to be shown to others. It goes through the
//! mask, every foreign text in it is cleaned, and the token is not in it.

use crate::change::{Machine, SILENT, Unlisted};
use crate::domain::{Mask, Outcome, PhoneCallEvent};

use super::copying::event_text;
use super::status::Tone;
use super::{Effect, Model};

impl Model {
    /// `E`: writes the receipt of the last run or undo.
    pub(super) fn write_receipt(&mut self) -> Vec<Effect> {
        let Some(active) = self.run() else {
            let text = "no run in this session yet; callsweep show RUN prints an earlier one";
            return self.no_receipt(text);
        };
        let machine = &active.machine;
        if machine.is_going_on() {
            return self
                .no_receipt("the run is still going on; E writes a receipt once it has finished");
        }
        if machine.is_simulated() {
            return self.no_receipt("nothing was sent, so there is nothing to write a receipt of");
        }
        let (name, text) = (machine.name().to_owned(), receipt(machine, &self.mask));
        vec![Effect::WriteReceipt { name, text }]
    }

    fn no_receipt(&mut self, why: &str) -> Vec<Effect> {
        self.notice(Tone::Plain, format!("no receipt: {why}"));
        Vec::new()
    }

    /// It is on the disk, or cannot be.
    pub(super) fn receipt_written(&mut self, written: Result<String, String>) {
        match written {
            Ok(_) if self.facts.demo => {
                self.say(Tone::Good, "receipt written; it is deleted when the demo ends");
            }
            Ok(path) => self.say(Tone::Good, format!("receipt written: {path}")),
            Err(why) => self.say(Tone::Warning, format!("no receipt: {why}")),
        }
    }
}

/// Markdown, with all that comes from outside in one block that nothing in it can end: no line of
/// it begins with a foreign text.
fn receipt(machine: &Machine, mask: &Mask) -> String {
    let (name, plan) = (machine.name(), machine.plan());
    let target = plan.target();
    let kind = match plan.undoes() {
        Some(run) => format!("undo of {run}"),
        None => plan.kind().name().to_owned(),
    };
    let mut text = format!(
        "# callsweep run {name}\n\n```text\nkind     {kind}\nprofile  {}\nhost     {}\nuser     {}\n\
         plan     {}\nprogram  callsweep {}\n",
        target.profile,
        mask.host(target.host()),
        target.user.as_str(),
        plan.hash().as_str(),
        env!("CARGO_PKG_VERSION")
    );
    if mask.is_on() {
        text.push_str("masked   numbers, labels, hosts, URLs and notes\n");
    }
    let result = format!("result   {}\ncheck    {}\n", machine.tally(), machine.check().words());
    text.push_str(&result);
    for key in machine.surplus() {
        let number = mask.number(&key.extension);
        let line = format!("GONE, NOT IN THE PLAN: {number} {} {}\n", key.event_type, key.id);
        text.push_str(&line);
    }
    for Unlisted { extension, id } in machine.unlisted() {
        let number = mask.number(extension);
        let line = format!("GONE, NOT IN THE PLAN: {number} {id}, known by its id alone\n");
        text.push_str(&line);
    }
    if !machine.is_surplus_known() {
        text.push_str("note     ");
        text.push_str(SILENT);
        text.push('\n');
    }
    text.push('\n');
    for (event, outcome) in plan.events().iter().zip(machine.outcomes()) {
        text.push_str(&row(event, outcome.as_ref(), mask));
    }
    text.push_str("```\n");
    text
}

fn row(event: &PhoneCallEvent, outcome: Option<&Outcome>, mask: &Mask) -> String {
    let word = outcome.map_or("unknown", Outcome::name);
    let id = outcome.and_then(Outcome::new_id).map(|id| format!(" → {id}"));
    let failure = outcome.and_then(Outcome::failure);
    let failure = failure.map(|failure| format!(" ! {}", mask.text(&failure.to_string())));
    let mut told = id.or(failure).unwrap_or_default();
    if let Some(fields) = outcome.and_then(Outcome::altered) {
        told = format!("{told}, differs: {}", fields.join(", "));
    }
    format!("{word:<12} {}{told}\n", event_text(event, mask))
}
