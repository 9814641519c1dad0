//! What of a run can be gone on with, as its file tells it: the one place that decides it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Kind, Record, RecordedEvent, is_going_on, undone};
use crate::change::{Rest, RestRefused};
use crate::domain::{ExtensionNumber, PlanHash};
use crate::origins::{Lock, clock};

impl Record {
    /// The part of the run that can be continued.
    ///
    /// # Errors
    /// Says why it cannot be gone on with, or need not be.
    pub fn rest(&self, runs: &Path) -> Result<Rest, RestRefused> {
        self.is_open(runs)?;
        let planned = self.events.iter();
        Ok(Rest {
            run: self.name.clone(),
            kind: self.kind,
            folder: self.folder.clone(),
            hash: PlanHash::recorded(&self.plan_hash),
            events: Arc::new(planned.clone().map(|planned| planned.event.clone()).collect()),
            changes: planned.clone().filter_map(|it| it.want.as_deref().cloned()).collect(),
            bystanders: Arc::new(self.bystanders.clone()),
            outcomes: planned.map(|planned| planned.outcome.clone()).collect(),
            surplus: self.surplus.clone(),
            unlisted: self.unlisted.clone(),
            surplus_known: self.surplus_known,
            swept: self.swept(),
            check: self.check,
            since_sent: self.since_sent(),
        })
    }

    fn is_open(&self, runs: &Path) -> Result<(), RestRefused> {
        let run = self.name.clone();
        if self.kind == Kind::Undo {
            let undone = self.undoes.clone().unwrap_or_else(|| "RUN".to_owned());
            return Err(RestRefused::IsUndo { run, undone });
        }
        if self.kind.keeps() {
            return Err(RestRefused::OfKind { run, kind: self.kind.name() });
        }
        self.is_left_alone(runs)?;
        if self.finished.is_some() && self.tally().left() == 0 {
            return Err(RestRefused::Nothing { run });
        }
        let unreadable = |error| RestRefused::Unreadable { folder: runs.to_owned(), error };
        let undos = undone(runs).map_err(|error| unreadable(error.to_string()))?;
        if let Some((undo, _)) = undos.into_iter().find(|(_, of)| *of == run) {
            return Err(RestRefused::Undone { run, undo });
        }
        self.is_whole().map_err(|what| RestRefused::Damaged { run, what })
    }

    /// Checks that no other program is at it.
    ///
    /// # Errors
    /// Says which one is.
    pub fn is_left_alone(&self, runs: &Path) -> Result<(), RestRefused> {
        if self.finished.is_some() || !is_going_on(&self.folder, &self.name) {
            return Ok(());
        }
        let holder = Lock::take(runs, &self.origin).err().map(|holder| format!("; {holder}"));
        let holder = holder.unwrap_or_else(|| ": wait for its end".to_owned());
        Err(RestRefused::GoingOn { run: self.name.clone(), holder })
    }

    /// Extensions of which a call that names no event took something, or may have.
    fn swept(&self) -> BTreeSet<ExtensionNumber> {
        let (mut swept, mut first) = (BTreeSet::new(), 0);
        for call in self.calls.iter() {
            let covered = first..first + call.covers;
            first = covered.end;
            let acted = |planned: &&RecordedEvent| planned.outcome.may_have_taken();
            if call.is_wide()
                && let Some(planned) = self.events_at(covered).iter().find(acted)
            {
                swept.insert(planned.event.key.extension.clone());
            }
        }
        swept
    }

    /// How long ago the last request of it was sent, for all that is known: a clock that went back
    /// makes it now.
    fn since_sent(&self) -> Duration {
        match self.last_sent {
            None => Duration::MAX,
            Some(at) => Duration::try_from(clock().duration_since(at)).unwrap_or_default(),
        }
    }
}
