//! `callsweep disable`, `enable` and `repoint`: fields of many events are changed, and given back by
//! `callsweep undo`.

use clap::Args;
use color_eyre::eyre::Result;

use super::arguments::Consent;
use super::chosen;
use super::ending::{Ending, remark, tell_left_out};
use super::profile;
use super::selection::SelectionArguments;
use crate::change::{Omitted, PlanRefused, Repoint, Selection, Unfit, Wish, Wished};
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
        let most = profile.rules.max_delete;
        let Wished { plan, left_out, twins } = wish.plan(profile.target.clone(), selection, most);
        let omitted = |(key, why): (_, Unfit)| Omitted { key, why: why.words().to_owned() };
        let omitted: Vec<Omitted> = left_out.into_iter().map(omitted).collect();
        match plan {
            Ok(plan) => {
                tell(&omitted, &twins);
                Ok(plan.omitting(omitted))
            }
            // The refusal tells of all of them.
            Err(refused) => {
                let ending = match &refused {
                    PlanRefused::FitsNone | PlanRefused::Broken { .. } => Ending::Usage,
                    PlanRefused::Empty | PlanRefused::TooLarge { .. } | PlanRefused::AllSo(_) => {
                        Ending::Refused
                    }
                };
                Err(ending.refusing_these(format!("nothing was sent: {refused}"), omitted))
            }
        }
    })
}

/// Names what is left out, and the duplicates that there would be.
fn tell(omitted: &[Omitted], twins: &[(EventKey, EventKey)]) {
    tell_left_out(omitted);
    let named = |key: &EventKey| format!("{} {} {}", key.extension, key.event_type, key.id);
    for (key, other) in twins {
        let other = named(other);
        remark(&format!("{} would be a duplicate of {other}", named(key)));
    }
}
