//! The list of runs: every run of this PBX, earlier ones too. What is chosen there is shown in Status,
//! undone, gone on with or told in a receipt, as the last run of the session is.

use crate::change::{EarlierRun, Summary};

use super::status::Tone;
use super::{Cursor, Dialog, Effect, Model, Motion, Panel, RunFiles};

/// The list of runs, while it is open.
#[derive(Debug, Default)]
pub struct RunList {
    /// Its rows are the runs, then the remarks; `None` until they are read.
    files: Option<Result<RunFiles, String>>,
    cursor: Cursor,
}

impl RunList {
    /// Rows of the window that are no runs: frame, titles, and two lines about the row under the
    /// cursor.
    const AROUND: u16 = 6;

    /// The runs and what is wrong with files, or why they cannot be read; `None` until that is known.
    pub fn files(&self) -> Option<&Result<RunFiles, String>> {
        self.files.as_ref()
    }

    /// The cursor in the list.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The run under the cursor.
    pub fn current(&self) -> Option<&Summary> {
        self.read()?.runs.get(self.cursor.at)
    }

    /// The remark under the cursor.
    pub fn current_remark(&self) -> Option<&str> {
        let files = self.read()?;
        let place = self.cursor.at.checked_sub(files.runs.len())?;
        files.remarks.get(place).map(String::as_str)
    }

    fn read(&self) -> Option<&RunFiles> {
        self.files.as_ref()?.as_ref().ok()
    }

    fn len(&self) -> usize {
        self.read().map_or(0, |files| files.runs.len() + files.remarks.len())
    }
}

impl Model {
    /// `W`.
    pub(super) fn list_runs(&mut self) -> Vec<Effect> {
        self.dialog = Some(Dialog::Runs(RunList::default()));
        vec![Effect::ListRuns]
    }

    /// How many runs of the list are in sight.
    pub fn run_list_height(&self) -> usize {
        let around = 1 + RunList::AROUND;
        usize::from(self.layout.whole.height.saturating_sub(around)).max(1)
    }

    /// All run files were read.
    pub(super) fn runs_listed(&mut self, files: Result<RunFiles, String>) {
        if let Some(Dialog::Runs(list)) = &mut self.dialog {
            list.files = Some(files);
        }
    }

    pub(super) fn scroll_runs(&mut self, motion: Motion) {
        let height = self.run_list_height();
        if let Some(Dialog::Runs(list)) = &mut self.dialog {
            let length = list.len();
            list.cursor.go(motion, length, height);
        }
    }

    /// Whether the list is open with no run under its cursor that a key could be about, which is said
    /// then: never is another run meant.
    pub(super) fn is_no_run_chosen(&mut self) -> bool {
        let why = match &self.dialog {
            Some(Dialog::Runs(list)) if list.files.is_none() => {
                "the run files are still being read"
            }
            Some(Dialog::Runs(list)) if list.current_remark().is_some() => {
                "this row is no run: what can be done stands below"
            }
            _ => return false,
        };
        self.notice(Tone::Plain, why);
        true
    }

    /// Closes the list and returns the run under its cursor; `None` where the list is not open, or
    /// has no row.
    pub(super) fn take_chosen_run(&mut self) -> Option<Summary> {
        let Some(Dialog::Runs(list)) = &self.dialog else { return None };
        let chosen = list.current().cloned();
        self.dialog = None;
        chosen
    }

    /// Enter in the list: the run is shown in Status.
    pub(super) fn show_chosen_run(&mut self) -> Vec<Effect> {
        if self.is_no_run_chosen() {
            return Vec::new();
        }
        let chosen = self.take_chosen_run();
        chosen.map(|run| Effect::ReadRun(run.name)).into_iter().collect()
    }

    /// A run of before was read.
    pub(super) fn run_told(&mut self, told: Result<Box<EarlierRun>, String>, looked_for: bool) {
        match told {
            // It is in Status already, and Status knows more of it.
            Ok(run) if self.last_run() == Some(run.summary.name.as_str()) => {
                self.runs.show_earlier(None);
                self.focus_panel(Panel::Status);
            }
            Ok(run) => {
                self.runs.show_earlier(Some(run));
                self.cursors.remove(&Panel::Status);
                if looked_for {
                    self.focus_panel(Panel::Status);
                }
            }
            Err(why) => self.notice(Tone::Warning, why),
        }
        self.lay_out();
    }
}
