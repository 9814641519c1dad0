//! Where the requests of an undo go, or those of a run that is gone on with: as the run was
//! recorded, or as the profile has it now. Which user stands in their paths is decided here alone.

use crate::domain::Target;

/// The paths and the user of a run's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    target: Target,
    differs: Option<String>,
}

impl Route {
    /// The route that the profile gives.
    pub fn of(target: Target) -> Self {
        Self { target, differs: None }
    }

    /// The route of a run that was sent elsewhere; the profile's route takes over where it no
    /// longer works.
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
