//! `E`: the receipt of a run, which its run file tells.

use super::status::Tone;
use super::{Dialog, Effect, Model};

impl Model {
    /// `E`: writes the receipt of the run in Status, or of the one under the cursor of the list.
    pub(super) fn write_receipt(&mut self) -> Vec<Effect> {
        if self.is_no_run_chosen() {
            return Vec::new();
        }
        if matches!(self.dialog, Some(Dialog::Runs(_))) {
            let chosen = self.take_chosen_run();
            return chosen.map(|run| self.receipt_of(run.name)).into_iter().collect();
        }
        if let Some(run) = self.earlier_run() {
            return vec![self.receipt_of(run.summary.name.clone())];
        }
        let Some(active) = self.run() else {
            return self.no_receipt("this session has no run yet; <runs> lists earlier runs");
        };
        let machine = &active.machine;
        if machine.is_going_on() {
            return self.no_receipt(
                "the run is still going on; <receipt> writes a receipt once it has finished",
            );
        }
        if machine.is_simulated() {
            return self.no_receipt("nothing was sent, so there is nothing to write a receipt of");
        }
        let run = machine.name().to_owned();
        vec![self.receipt_of(run)]
    }

    /// Writes the receipt of the run of this name, masked while the mask is on.
    pub(super) fn receipt_of(&self, run: String) -> Effect {
        let labelled = self.extensions.found().iter().filter(|it| !it.label.is_empty());
        let labels = labelled.map(|it| (it.number.clone(), it.label.clone())).collect();
        Effect::WriteReceipt { run, masked: self.mask.is_on(), labels }
    }

    fn no_receipt(&mut self, why: &str) -> Vec<Effect> {
        self.tell(Tone::Plain, &format!("no receipt: {why}"));
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
