//! Whether an event can be given back just as it is: a POST makes five fields, and not everything
//! that a row can hold can be said in them.

use super::Plan;
use crate::domain::{Change, FIELDS, PhoneCallEvent, Work};

/// Fields that the service gives by itself (page *List PhoneCallEvents*).
const OWN: [&str; 3] = ["id", "links", "modified"];
/// A service fills these in where they are not sent.
const OPTIONAL: [&str; 4] = ["method", "url", "note", "status"];

/// What of an event a POST cannot give back exactly, in words; empty where there is nothing, or where
/// its row was not kept.
fn inexact(event: &PhoneCallEvent) -> Vec<String> {
    let Some(text) = &event.text else { return Vec::new() };
    let Some(fields) = text.fields() else { return vec!["its row is no object".to_owned()] };
    let mut words = Vec::new();
    if std::str::from_utf8(text.bytes()).is_err() {
        words.push("it holds bytes that are not UTF-8".to_owned());
    }
    let last = |name: &str| fields.iter().rev().find(|(known, _)| known == name);
    for name in OPTIONAL {
        match last(name) {
            None => words.push(format!("{name} is missing")),
            Some((_, value)) if value == "null" => words.push(format!("{name} is null")),
            Some(_) => {}
        }
    }
    for (place, (name, _)) in fields.iter().enumerate() {
        let again = fields.iter().take(place).any(|(before, _)| before == name);
        if again {
            words.push(format!("{name:?} is there twice"));
        } else if !FIELDS.contains(&name.as_str()) && !OWN.contains(&name.as_str()) {
            words.push(format!("{name:?} is a field that cannot be sent"));
        }
    }
    words
}

/// The same of the fields that a change writes: what is not one text there once cannot be written back.
fn inexact_fields(event: &PhoneCallEvent, change: &Change) -> Vec<String> {
    let fields = change.fields().filter(|(name, _)| !event.is_exact(name));
    fields.map(|(name, _)| format!("its {name} is missing, null or no plain text")).collect()
}

/// The events that cannot be given back exactly, counted, and the first of them with the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inexact {
    /// Their number.
    pub count: usize,
    /// The first few: position in the plan, and the reason.
    pub first: Vec<(usize, String)>,
}

impl Inexact {
    /// The inexact events of a plan, the first `named` of them with their reasons.
    pub fn of(plan: &Plan, named: usize) -> Self {
        let mut found = Self::default();
        for (place, event) in plan.events().iter().enumerate() {
            let words = match (plan.want(place), plan.kind()) {
                (Some(change), kind) if kind.is(Work::Changes) => inexact_fields(event, change),
                (Some(_), _) => Vec::new(),
                (None, _) => inexact(event),
            };
            if words.is_empty() {
                continue;
            }
            found.count += 1;
            if found.first.len() < named {
                found.first.push((place, words.join(", ")));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExtensionNumber, ListingBuilder, RawEvent};

    fn words(row: &[u8]) -> String {
        let mut builder = ListingBuilder::new(ExtensionNumber::parse("210").unwrap());
        let event = RawEvent { event_type: "0", id: "a", ..RawEvent::default() };
        builder.push_with_text(event, row);
        inexact(&builder.finish(true).row(0).unwrap().to_event()).join(", ")
    }

    #[test]
    fn a_row_of_the_documented_fields_is_given_back_exactly() {
        let row = br#"{"id":"a","type":"0","method":1,"url":"","note":"\u00e9","status":"1","modified":null,"links":{"self":"x"}}"#;
        assert_eq!(words(row), "");
    }

    #[test]
    fn what_is_missing_null_twice_unknown_or_no_text_is_named() {
        let row = br#"{"id":"a","type":"0","method":null,"url":"x","url":"y","status":"1"}"#;
        assert_eq!(words(row), "method is null, note is missing, \"url\" is there twice");
        let row = b"{\"id\":\"a\",\"type\":0,\"method\":0,\"url\":\"\xff\",\"note\":\"\",\"status\":1,\"color\":2}";
        let told = "it holds bytes that are not UTF-8, \"color\" is a field that cannot be sent";
        assert_eq!(words(row), told);
    }
}
