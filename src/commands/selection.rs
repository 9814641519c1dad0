//! SELECTION on the command line: which events a command is about. Nothing that is empty, mistyped
//! or not there widens it.

use std::fmt::Display;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr, eyre};

use crate::config::Flags;
use crate::domain::{EventId, EventType, Expression, Extension, Listing, PassedOver, Standing};

/// Which events of the extensions that are listed, as it is written.
#[derive(Debug, Args)]
pub(super) struct SelectionArguments {
    /// Only events of this type: its number, or dial-in, dial-out, hangup, answer-incoming,
    /// answer-outgoing; may be repeated
    #[arg(long = "type", value_name = "T", value_parser = parse_type)]
    types: Vec<EventType>,
    /// Only events with this id; may be repeated
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// Only events for which this holds, as in `type:hangup host:crm.example.com -status:off`
    #[arg(long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    expression: Option<String>,
}

/// Which events of the extensions that are listed. What is not written leaves nothing out.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    types: Vec<EventType>,
    ids: Vec<EventId>,
    expression: Option<Expression>,
}

impl SelectionArguments {
    /// What is meant by it.
    ///
    /// # Errors
    /// Refuses what is no expression and no id.
    pub(super) fn wanted(&self) -> Result<Wanted> {
        let ids = self.ids.iter().map(|text| {
            EventId::parse(text).map_err(|_| {
                eyre!("--id {text:?} is no event id: write 1 to 255 letters, digits, - _ ~ or .")
            })
        });
        Ok(Wanted {
            types: self.types.clone(),
            ids: ids.collect::<Result<_>>()?,
            expression: self.expression.as_deref().map(parse_expression).transpose()?,
        })
    }
}

impl Wanted {
    /// Checks that it names what something is done to, in one way.
    ///
    /// # Errors
    /// Says what to write.
    pub(super) fn is_named(&self, flags: &Flags) -> Result<()> {
        let in_part = !self.types.is_empty() || !self.ids.is_empty();
        match (&self.expression, flags.extensions.is_empty()) {
            (None, true) => Err(eyre!(
                "name what to delete: --extension N, with --type or --id for a part of it, or \
                 --where EXPR"
            )),
            (Some(_), false) => Err(eyre!("write ext:N in --where in place of --extension N")),
            (Some(_), true) if in_part => {
                Err(eyre!("write type: and id: in --where in place of --type and --id"))
            }
            (None, false) | (Some(_), true) => Ok(()),
        }
    }

    /// The rows of a listing that are wanted.
    pub(super) fn rows(&self, extension: &Extension, listing: &Listing) -> Vec<usize> {
        let mut rows: Vec<usize> = match &self.expression {
            Some(expression) => listing.rows_where(expression, extension).collect(),
            None => (0..listing.len()).collect(),
        };
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

    /// What is written and nothing is listed of, as it is written: ids, and types beside the five
    /// that have a name.
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
        types.chain(ids.map(|id| named("id", id))).collect()
    }
}

/// An argument as it is written.
pub(super) fn named(flag: &str, value: impl Display) -> String {
    format!("--{flag} {value}")
}

/// The extensions that the command line names.
///
/// # Errors
/// Refuses what is no number.
pub(super) fn extensions(flags: &Flags) -> Result<Vec<Extension>> {
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
