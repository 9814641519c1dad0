//! The receipt of a run: what it did with each event, to be shown to others. It goes through the
//! mask, every foreign text in it is cleaned, and the token is not in it.

use crate::deletion::{RunState, Tally};
use crate::domain::{Mask, Outcome, PhoneCallEvent, Target};

use super::copying::event_text;
use super::status::Tone;
use super::{ActiveRun, ActiveUndo, Effect, Model};

impl Model {
    /// `E`: writes the receipt of the last run or undo.
    pub(super) fn write_receipt(&mut self) -> Vec<Effect> {
        let (name, text) = match (&self.undoing, &self.run) {
            (Some(active), _) if active.is_going_on() => return self.no_receipt(GOING_ON),
            (Some(active), _) => (active.name.clone(), of_undo(active, &self.mask)),
            (None, Some(active)) if active.is_going_on() => return self.no_receipt(GOING_ON),
            (None, Some(active)) if active.simulated => {
                return self.no_receipt("nothing was sent, so there is nothing to give one for");
            }
            (None, Some(active)) => (active.name.clone(), of_run(active, &self.mask)),
            (None, None) => {
                let text = "nothing was run yet; callsweep show RUN prints an earlier run";
                return self.no_receipt(text);
            }
        };
        vec![Effect::WriteReceipt { name, text }]
    }

    fn no_receipt(&mut self, why: &str) -> Vec<Effect> {
        self.notice(Tone::Plain, format!("no receipt: {why}"));
        Vec::new()
    }

    /// It is on the disk, or cannot be.
    pub(super) fn receipt_written(&mut self, written: Result<String, String>) {
        match written {
            Ok(path) => self.say(Tone::Good, format!("receipt written: {path}")),
            Err(why) => self.say(Tone::Warning, format!("no receipt: {why}")),
        }
    }
}

const GOING_ON: &str = "the run is going on; E gives one once it is finished";

fn of_run(active: &ActiveRun, mask: &Mask) -> String {
    let run = &active.run;
    let plan = run.plan();
    let hash = plan.hash().as_str();
    let mut text = head(&active.name, "delete", plan.target(), hash, mask);
    text.push_str(&result(run.state(), &run.tally(), run.is_verified()));
    for key in run.surplus() {
        let number = mask.number(&key.extension);
        let line =
            format!("GONE THAT WAS NOT IN THE REVIEW: {number} {} {}\n", key.event_type, key.id);
        text.push_str(&line);
    }
    with_rows(text, plan.events(), run.outcomes(), mask)
}

fn of_undo(active: &ActiveUndo, mask: &Mask) -> String {
    let undo = &active.undo;
    let plan = undo.plan();
    let what = format!("undo of {}", plan.run());
    let mut text = head(&active.name, &what, plan.target(), plan.plan_hash(), mask);
    text.push_str(&result(undo.state(), &undo.tally(), undo.is_verified()));
    with_rows(text, plan.events(), undo.outcomes(), mask)
}

/// Markdown, with all that comes from outside in one block that nothing in it can end: no line of
/// it begins with a foreign text.
fn head(name: &str, what: &str, target: &Target, hash: &str, mask: &Mask) -> String {
    let mut text = format!(
        "# callsweep run {name}\n\n```text\nkind     {what}\nprofile  {}\nhost     {}\nuser     {}\n\
         plan     {hash}\nprogram  callsweep {}\n",
        target.profile,
        mask.host(target.host()),
        target.user.as_str(),
        env!("CARGO_PKG_VERSION")
    );
    if mask.is_on() {
        text.push_str("masked   numbers, labels, hosts, URLs and notes\n");
    }
    text
}

fn result(state: RunState, tally: &Tally, verified: bool) -> String {
    let agrees =
        if verified { ", and the service agrees" } else { ", not verified by listing again" };
    let state = if state == RunState::Finished { "" } else { "not finished: " };
    format!("result   {state}{tally}{agrees}\n")
}

fn with_rows(
    mut text: String,
    events: &[PhoneCallEvent],
    outcomes: &[Option<Outcome>],
    mask: &Mask,
) -> String {
    text.push('\n');
    for (event, outcome) in events.iter().zip(outcomes) {
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
    let told = id.or(failure).unwrap_or_default();
    format!("{word:<12} {}{told}\n", event_text(event, mask))
}
