//! `callsweep delete`: the events that arguments name, planned and run as on the screen.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use color_eyre::eyre::{Result, eyre};

use super::arguments::Consent;
use super::chosen;
use super::completions;
use super::ending::{Ending, remark};
use super::profile;
use super::selection::SelectionArguments;
use crate::change::Plan;
use crate::config::{Environment, Flags};
use crate::domain::CallForm;

/// Which events, and how sure their deletion is.
#[derive(Debug, Args)]
pub struct DeleteArguments {
    /// Which of the extensions named; --where in place of --extension means those of all of them.
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// Which calls delete them: event by its id, or one wide call where all of an extension or type goes
    #[arg(long, value_name = "event|extension|type", default_value = "event")]
    #[arg(value_parser = parse_form, hide_default_value = true)]
    #[arg(add = ArgValueCandidates::new(|| completions::words(&["event", "extension", "type"])))]
    form: CallForm,
    /// How sure.
    #[command(flatten)]
    pub(super) consent: Consent,
}

/// Lists, plans, asks, sends and prints.
///
/// # Errors
/// When arguments or profile cannot be used; what fails later is said here and is in the ending.
pub(super) fn run(
    arguments: &DeleteArguments,
    demo: bool,
    flags: &Flags,
    environment: &Environment,
) -> Result<Ending> {
    let wanted = arguments.selection.named(flags)?;
    let opened = profile::open(demo, flags, environment)?;
    let folder = opened.runs(environment)?;
    let form = arguments.form;
    if !opened.profile.rules.wide_calls.allows(form) {
        let name = form.name();
        return Err(eyre!(
            "--form {name} is not allowed: add {name:?} to wide_calls in a profile, or leave it out"
        ));
    }
    if form == CallForm::Type {
        remark("--form type: this PBX may delete all types with a call for one type");
    }
    let wanted = wanted.resolved(&folder, &opened)?;
    let profile = &opened.profile;
    chosen::carry_out(&opened, &folder, &wanted, &arguments.consent, |selection| {
        let plan = Plan::freeze(profile.target.clone(), selection, form, profile.rules.max_delete);
        plan.map_err(|refused| Ending::Refused.refusing(refused.to_string()))
    })
}

fn parse_form(text: &str) -> Result<CallForm, String> {
    CallForm::parse(text)
        .ok_or_else(|| format!("{text:?} is no form: write event, extension or type"))
}
