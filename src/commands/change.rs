//! `callsweep disable`, `enable` and `repoint`: fields of many events are changed, and given back by
//! `callsweep undo`.

use clap::Args;
use color_eyre::eyre::Result;

use super::arguments::Consent;
use super::chosen;
use super::ending::{Ending, remark};
use super::profile;
use super::selection::SelectionArguments;
use crate::change::{PlanRefused, Repoint, Selection, Wish, Wished};
use crate::config::{Environment, Flags};
use crate::domain::EventKey;

/// Which events, and how sure their change is.
#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// Which of the extensions named; --where in place of --extension means those of all of them.
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// How sure.
    #[command(flatten)]
    pub(super) consent: Consent,
}

/// Which URLs lead elsewhere, and where to.
#[derive(Debug, Args)]
pub struct RepointArguments {
    /// Two hosts (crm-old.example.com=crm-new.example.com), or two beginnings of URLs
    #[arg(value_name = "OLD=NEW")]
    which: String,
    /// Of which events.
    #[command(flatten)]
    pub(super) change: ChangeArguments,
}

impl RepointArguments {
    /// What is wanted.
    ///
    /// # Errors
    /// Refuses what is neither two hosts nor two beginnings of URLs.
    pub(super) fn wish(&self) -> Result<Wish> {
        Ok(Wish::Repoint(Repoint::parse(&self.which)?))
    }
}

/// Lists, plans, asks, sends and prints.
///
/// # Errors
/// When arguments or profile cannot be used; what fails later is said here and is in the ending.
pub(super) fn run(
    wish: &Wish,
    arguments: &ChangeArguments,
    demo: bool,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    let wanted = arguments.selection.named(flags)?;
    let opened = profile::open(demo, flags, environment)?;
    let folder = opened.runs(environment)?;
    let wanted = wanted.resolved(&folder, &opened)?;
    chosen::carry_out(&opened, &folder, &wanted, &arguments.consent, |selection: &Selection| {
        let profile = &opened.profile;
        let wished = wish.plan(profile.target.clone(), selection, profile.rules.max_delete);
        tell(&wished);
        wished.plan.map_err(|refused| {
            let ending = match &refused {
                PlanRefused::FitsNone | PlanRefused::Broken { .. } => Ending::Usage,
                PlanRefused::Empty | PlanRefused::TooLarge { .. } | PlanRefused::AllSo(_) => {
                    Ending::Refused
                }
            };
            ending.refusing(format!("nothing was sent: {refused}"))
        })
    })
}

/// Names what is left out, and the duplicates that there would be.
fn tell(wished: &Wished) {
    // Where nothing is to be sent the refusal tells of all of them.
    if wished.plan.is_err() {
        return;
    }
    let named = |key: &EventKey| format!("{} {} {}", key.extension, key.event_type, key.id);
    for (key, why) in &wished.left_out {
        remark(&format!("left out: {} {}", named(key), why.words()));
    }
    for (key, other) in &wished.twins {
        let other = named(other);
        remark(&format!("{} would be a duplicate of {other}", named(key)));
    }
}
