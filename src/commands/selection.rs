//! SELECTION on the command line: which events a command is about. Nothing that is empty, mistyped
//! or not there widens it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;

use clap::Args;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use color_eyre::eyre::{Result, WrapErr, eyre};

use super::arguments::PbxArguments;
use super::completions;
use super::ending::{Ending, tell_left_out};
use super::profile::Opened;
use super::runs;
use crate::change::Omitted;
use crate::config::Flags;
use crate::domain::{
    EventId, EventKey, EventType, Expression, Extension, ExtensionNumber, Listing, PassedOver,
    PhoneCallEvent, Standing,
};

/// Where the flags stand in the help that say which events are meant.
const SELECTION: &str = "Selection";

/// Which events of the extensions that are listed, as it is written.
#[derive(Debug, Args)]
pub(super) struct SelectionArguments {
    /// Only events of this extension; may be repeated
    #[arg(long = "extension", value_name = "N", help_heading = SELECTION)]
    extensions: Vec<String>,
    /// Only events of this type: its number, or dial-in, dial-out, hangup, answer-incoming,
    /// answer-outgoing; may be repeated
    #[arg(long = "type", value_name = "T", value_parser = parse_type, help_heading = SELECTION)]
    #[arg(add = ArgValueCandidates::new(types))]
    types: Vec<EventType>,
    /// Only events with this id; may be repeated
    #[arg(long = "id", value_name = "ID", help_heading = SELECTION)]
    ids: Vec<String>,
    /// Only events for which this holds, as in `type:hangup host:crm.example.com -status:off`
    #[arg(long = "where", value_name = "EXPR", allow_hyphen_values = true, help_heading = SELECTION)]
    expression: Option<String>,
    /// The events that this run changed or re-created and that are still as it left them
    #[arg(long = "of-run", value_name = "RUN", help_heading = SELECTION)]
    #[arg(add = ArgValueCompleter::new(completions::runs))]
    of_run: Option<String>,
    /// Which PBX.
    #[command(flatten)]
    pbx: PbxArguments,
}

/// Which events of the extensions that are listed. What is not written leaves nothing out.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Only these extensions; those of the profile where there are none.
    extensions: Vec<Extension>,
    types: Vec<EventType>,
    ids: Vec<EventId>,
    expression: Option<Expression>,
    of_run: Option<String>,
    /// What that run left, as it left it.
    left: Option<BTreeMap<EventKey, PhoneCallEvent>>,
    /// Its events that it did not change or make.
    undone: Vec<Omitted>,
}

impl SelectionArguments {
    /// What is meant by it, of events that something is done to: they are named in one way.
    ///
    /// # Errors
    /// Says what to write.
    pub(super) fn named(&self, flags: &Flags) -> Result<Wanted> {
        let in_part = !self.types.is_empty() || !self.ids.is_empty();
        match (&self.expression, &self.of_run, flags.extensions.is_empty()) {
            (None, None, true) => Err(eyre!(
                "name the events: --extension N, with --type or --id for a part of it, or \
                 --where EXPR, or --of-run RUN"
            )),
            (Some(_), Some(_), _) => Err(eyre!("write either --where or --of-run")),
            (Some(_), None, false) => {
                Err(eyre!("write ext:N in --where in place of --extension N"))
            }
            (Some(_), None, true) if in_part => {
                Err(eyre!("write type: and id: in --where in place of --type and --id"))
            }
            (None, Some(_), named) if in_part || !named => Err(eyre!(
                "--of-run means all that the run left: leave out --extension, --type and --id"
            )),
            (Some(_), None, true) | (None, Some(_), _) | (None, None, false) => self.wanted(flags),
        }
    }

    /// What is meant by it.
    ///
    /// # Errors
    /// Refuses what is no expression, no id and no extension number.
    pub(super) fn wanted(&self, flags: &Flags) -> Result<Wanted> {
        let ids = self.ids.iter().map(|text| {
            EventId::parse(text).map_err(|_| {
                eyre!("--id {text:?} is no event id: write 1 to 255 letters, digits, - _ ~ or .")
            })
        });
        Ok(Wanted {
            extensions: extensions(flags)?,
            types: self.types.clone(),
            ids: ids.collect::<Result<_>>()?,
            expression: self.expression.as_deref().map(parse_expression).transpose()?,
            of_run: self.of_run.clone(),
            ..Wanted::default()
        })
    }
}

impl Wanted {
    /// The same with what the run left that is meant, by its file; the extensions are its own then.
    ///
    /// # Errors
    /// When no run is meant, it ran elsewhere, or it left nothing.
    pub(super) fn resolved(mut self, folder: &Path, opened: &Opened) -> Result<Self> {
        let Some(run) = &self.of_run else { return Ok(self) };
        let origin = &opened.profile.target.origin;
        let place = runs::choose(folder, run, || Ok(origin.clone()))?;
        let record = runs::read(&place.folder, &place.name)?;
        runs::tell_flaws(&record);
        let left = record.is_at(origin).and_then(|()| record.left());
        let (left, undone) = left.map_err(|refused| Ending::Usage.refusing(refused.to_string()))?;
        if left.is_empty() {
            let why = format!("nothing was sent, as {} changed and made nothing", record.name);
            tell_left_out(&undone);
            return Err(Ending::Refused.refusing_these(why, undone));
        }
        if self.extensions.is_empty() {
            let numbers: BTreeSet<_> = left.iter().map(|event| &event.key.extension).collect();
            let known = |number: &ExtensionNumber| {
                let mut known = opened.profile.extensions.iter();
                known.find(|known| known.number == *number).cloned()
            };
            let of = |number: &ExtensionNumber| {
                known(number).map_or_else(|| Extension::typed(number.as_str()), Ok)
            };
            self.extensions = numbers.into_iter().map(of).collect::<Result<_, _>>()?;
        }
        self.left = Some(left.into_iter().map(|event| (event.key.clone(), event)).collect());
        self.undone = undone;
        Ok(self)
    }

    /// Whether it means what a run left, which its file tells.
    pub(super) fn is_of_run(&self) -> bool {
        self.of_run.is_some()
    }

    /// The extensions that it names; none where it means those of the profile.
    pub(super) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Whether they are named on the command line, so that one that is not there is a mistake.
    pub(super) fn names_extensions(&self) -> bool {
        self.of_run.is_none() && !self.extensions.is_empty()
    }

    /// Whether some events of an extension may not be meant.
    pub(super) fn leaves_out(&self) -> bool {
        let in_part = !self.types.is_empty() || !self.ids.is_empty();
        in_part || self.expression.is_some() || self.left.is_some()
    }

    /// What a run is meant for and is not as it left it, or not of its doing, by what is listed now.
    pub(super) fn omitted<'a>(
        &self,
        listing: impl Fn(&ExtensionNumber) -> Option<&'a Listing>,
    ) -> Vec<Omitted> {
        let left = self.left.iter().flatten();
        let otherwise = left.filter_map(|(key, event)| {
            let why = otherwise(event, listing(&key.extension))?;
            Some(Omitted { key: key.clone(), why })
        });
        otherwise.chain(self.undone.iter().cloned()).collect()
    }

    /// The rows of a listing that are wanted.
    pub(super) fn rows(&self, extension: &Extension, listing: &Listing) -> Vec<usize> {
        let mut rows: Vec<usize> = match &self.expression {
            Some(expression) => listing.rows_where(expression, extension).collect(),
            None => (0..listing.len()).collect(),
        };
        if let Some(left) = &self.left {
            let is_as_left = |row: &PhoneCallEvent| {
                left.get(&row.key).is_some_and(|left| left.differing(row).is_empty())
            };
            rows.retain(|row| listing.row(*row).is_some_and(|row| is_as_left(&row.to_event())));
        }
        if !self.types.is_empty() || !self.ids.is_empty() {
            rows.retain(|row| {
                listing.row(*row).is_some_and(|event| {
                    let is_id = |id: &EventId| id.as_str() == event.id();
                    (self.types.is_empty() || self.types.contains(&event.event_type()))
                        && (self.ids.is_empty() || self.ids.iter().any(is_id))
                })
            });
        }
        rows
    }

    /// How many events the expression can say nothing about.
    pub(super) fn passed_over<'a>(
        &self,
        listings: impl Iterator<Item = (&'a Extension, &'a Listing)>,
    ) -> PassedOver {
        let mut all = PassedOver::default();
        for (extension, listing) in listings {
            if let Some(expression) = &self.expression {
                all += listing.passed_over(expression, extension);
            }
        }
        all
    }

    /// What is written and nothing is listed of, as it is written: ids, in an expression too, and types
    /// beside the five that have a name.
    pub(super) fn unlisted(&self, listings: &[&Listing]) -> Vec<String> {
        let types = self.types.iter().filter(|wanted| {
            matches!(wanted, EventType::Unknown(_))
                && listings.iter().all(|listing| listing.rows_of(**wanted).is_empty())
        });
        let is_listed = |id: &EventId| {
            let of_types = |event_type| self.types.is_empty() || self.types.contains(&event_type);
            listings.iter().any(|listing| {
                let mut events = (0..listing.len()).filter_map(|row| listing.row(row));
                events.any(|event| event.id() == id.as_str() && of_types(event.event_type()))
            })
        };
        let ids = self.ids.iter().filter(|id| !is_listed(id));
        let types = types.map(|one| named("type", one.number()));
        let is_there = |id: &String| {
            let mut rows = listings.iter().flat_map(|it| (0..it.len()).filter_map(|at| it.row(at)));
            rows.any(|row| row.id() == id)
        };
        let in_terms = self.expression.iter().flat_map(Expression::named_ids);
        let in_terms = in_terms.filter(|id| !is_there(id)).map(|id| format!("id:{id}"));
        types.chain(ids.map(|id| named("id", id))).chain(in_terms).collect()
    }
}

/// Why an event is not as its run left it, by the list of its extension.
fn otherwise(left: &PhoneCallEvent, listing: Option<&Listing>) -> Option<String> {
    let Some(listing) = listing else {
        return Some("could not be looked at: its extension could not be listed".to_owned());
    };
    let row = listing.find(&left.key).and_then(|row| listing.row(row));
    match row.map(|row| left.differing(&row.to_event())) {
        None if listing.is_complete() => Some("is no longer listed".to_owned()),
        None => Some("is not in the list, which is not complete".to_owned()),
        Some(fields) if fields.is_empty() => None,
        Some(fields) => Some(format!("was changed since: {}", fields.join(", "))),
    }
}

/// An argument as it is written.
pub(super) fn named(flag: &str, value: impl Display) -> String {
    format!("--{flag} {value}")
}

fn extensions(flags: &Flags) -> Result<Vec<Extension>> {
    let parsed = flags.extensions.iter().map(|text| Extension::typed(text));
    parsed.collect::<Result<_, _>>().wrap_err("--extension")
}

#[expect(clippy::disallowed_methods, reason = "an expression may ask for the age of events")]
fn parse_expression(text: &str) -> Result<Expression> {
    let expression = Expression::parse(text, &jiff::ZonedDateTime::now(), &[Standing::Duplicate])
        .map_err(|error| eyre!("--where: {error}\n{}", error.pointed_at(text)))?;
    if expression.is_empty() {
        return Err(eyre!("--where: column 1: it is empty: write ext:* to mean every event"));
    }
    Ok(expression)
}

/// A number, or one of the names in machine output.
fn parse_type(text: &str) -> Result<EventType, String> {
    let named = EventType::NAMED
        .into_iter()
        .find(|one| type_name(*one).is_some_and(|name| name.eq_ignore_ascii_case(text)));
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = text.parse().ok().filter(|_| digits).map(EventType::from_number);
    named.or(numbered).ok_or_else(|| {
        let names: Vec<_> = EventType::NAMED.into_iter().filter_map(type_name).collect();
        format!("write a number or one of {}", names.join(", "))
    })
}

/// What fits behind `--type`.
fn types() -> Vec<CompletionCandidate> {
    let candidate = |one: EventType| {
        let help = format!("type {}", one.number());
        Some(CompletionCandidate::new(type_name(one)?).help(Some(help.into())))
    };
    EventType::NAMED.into_iter().filter_map(candidate).collect()
}

/// The stable name of a type that has one.
pub(super) fn type_name(event_type: EventType) -> Option<&'static str> {
    match event_type {
        EventType::DialIn => Some("dial-in"),
        EventType::DialOut => Some("dial-out"),
        EventType::Hangup => Some("hangup"),
        EventType::AnswerIncoming => Some("answer-incoming"),
        EventType::AnswerOutgoing => Some("answer-outgoing"),
        EventType::Unknown(_) => None,
    }
}
