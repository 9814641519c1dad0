//! Where the requests of an undo go, or those of a run that is gone on with: as the run was
//! recorded, or as the profile has it now. Which user stands in their paths is decided here alone.

use crate::domain::Target;

/// Where requests about a run go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    target: Target,
    differs: Option<String>,
}

impl Route {
    /// As the profile has it.
    pub fn of(target: Target) -> Self {
        Self { target, differs: None }
    }

    /// Of a run that was sent elsewhere than the profile would send it: where that does not work any
    /// more, as the profile has it.
    pub fn of_run(run: &str, recorded: Target, ours: Target, works: bool) -> Self {
        let (had, has) = (recorded.path_in_words(), ours.path_in_words());
        let target = if works { recorded } else { ours };
        let used = target.path_in_words();
        let differs = Some(format!(
            "run {run} was sent to {had}; the profile has {has}: requests go to {used}"
        ));
        Self { target, differs }
    }

    /// What every path begins with, and as whom.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What is different between the run and the profile, in a sentence.
    pub fn differs(&self) -> Option<&str> {
        self.differs.as_deref()
    }
}
