//! Extensions of the PBX and the numbers that name them.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::{Foreign, UserId};

/// Longest number accepted, in characters; the service documents no limit.
const LONGEST: usize = 64;

/// The number of an existing extension, short (`210`) or extended (`0003*210`).
///
/// Text, since leading zeros are significant. Digits and `*` only (page *Data Types*), with at
/// least one digit: `@self`, which the events service refuses, and an empty number, which would
/// widen a path, cannot be built.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionNumber(Arc<str>);

/// Why a text is no extension number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an extension number: write digits, with * between client and number, as in 0003*210, or with the owner's id in front, as in 101/0003*210"
)]
pub struct ExtensionNumberRefused {
    text: String,
}

impl ExtensionNumber {
    /// Accepts digits and `*`, nothing else.
    ///
    /// # Errors
    /// Refuses everything else, with the remedy.
    pub fn parse(text: &str) -> Result<Self, ExtensionNumberRefused> {
        let allowed = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*');
        let number = text.bytes().any(|byte| byte.is_ascii_digit());
        if allowed && number && text.len() <= LONGEST {
            Ok(Self(text.into()))
        } else {
            Err(ExtensionNumberRefused { text: text.chars().take(LONGEST).collect() })
        }
    }

    /// What stands behind the organisation's number: `200` of `0003*200`; `None` where none stands
    /// in front.
    pub fn short(&self) -> Option<&str> {
        self.0.split_once('*').map(|(_, short)| short)
    }

    /// The number as the service writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ExtensionNumber {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExtensionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ExtensionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an extension is. The first four can carry events (page *Delete PhoneCallEvents*).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ExtensionKind {
    /// A phone: what presence lists.
    Phone,
    /// A queue.
    Queue,
    /// An interactive voice response menu.
    Ivr,
    /// A conference room.
    Conference,
    /// Another kind, as SystemAPI wrote it.
    Other(Foreign),
}

impl ExtensionKind {
    /// Reads SystemAPI's `extensionType`; queues had another name in its schema 2.5.1.
    pub fn parse(written: &str) -> Option<Self> {
        match written {
            "" => None,
            "term" => Some(Self::Phone),
            "phoneQueue" | "queue" => Some(Self::Queue),
            "ivr" => Some(Self::Ivr),
            "conference" => Some(Self::Conference),
            other => Some(Self::Other(Foreign::from(other))),
        }
    }

    /// The kind's word in machine output and expressions, others as the service wrote them.
    pub fn word(&self) -> &str {
        match self {
            Self::Phone => "phone",
            Self::Queue => "queue",
            Self::Ivr => "ivr",
            Self::Conference => "conference",
            Self::Other(raw) => raw.raw(),
        }
    }
}

/// The kind as shown to operators.
impl fmt::Display for ExtensionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ivr => f.pad("IVR"),
            Self::Other(raw) => raw.fmt(f),
            Self::Phone | Self::Queue | Self::Conference => f.pad(self.word()),
        }
    }
}

/// The user whom an extension belongs to, as SystemAPI tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// What names the user in paths.
    pub id: UserId,
    /// What people call them; empty where no source says.
    pub name: Foreign,
}

/// One extension as some source named it; kind, label and owner only where the source knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// What names it in every path.
    pub number: ExtensionNumber,
    /// Its kind, unknown for numbers that were typed in.
    pub kind: Option<ExtensionKind>,
    /// What people call it; empty where no source says.
    pub label: Foreign,
    /// Whom it belongs to.
    pub owner: Option<Owner>,
}

impl Extension {
    /// An extension of which only the number is known.
    pub fn of(number: ExtensionNumber) -> Self {
        Self { number, kind: None, label: Foreign::default(), owner: None }
    }

    /// Takes over what it does not know itself from another account of the same extension.
    pub fn learn(&mut self, other: Self) {
        self.kind = self.kind.take().or(other.kind);
        self.owner = self.owner.take().or(other.owner);
        if self.label.is_empty() {
            self.label = other.label;
        }
    }

    /// A number as people type it, with the id of its owner in front where they know it:
    /// `0003*210`, `101/0003*211`.
    ///
    /// # Errors
    /// Refuses what is no number, and an owner who is no id.
    pub fn typed(text: &str) -> Result<Self, ExtensionNumberRefused> {
        let refused = || ExtensionNumberRefused { text: text.chars().take(LONGEST).collect() };
        let Some((owner, number)) = text.split_once('/') else {
            return ExtensionNumber::parse(text).map(Self::of);
        };
        let number = ExtensionNumber::parse(number).map_err(|_| refused())?;
        let id = UserId::parse(owner).ok().filter(|id| !id.as_str().starts_with('@'));
        let owner = Owner { id: id.ok_or_else(refused)?, name: Foreign::default() };
        Ok(Self { owner: Some(owner), ..Self::of(number) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_extended_numbers_are_kept_with_their_zeros() {
        for text in ["210", "0003*210", "0000", "1*2*3"] {
            assert_eq!(ExtensionNumber::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_could_widen_or_bend_a_path_is_no_number() {
        for text in
            ["", "@self", "*", "**", ".", "..", "21/0", "210/", "2 10", "210?", "210#", "%32", "２"]
        {
            assert!(ExtensionNumber::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_typed_number_may_name_its_owner() {
        let typed = |text: &str| {
            let typed = Extension::typed(text).ok()?;
            let owner = typed.owner.map_or(String::new(), |owner| owner.id.to_string());
            Some((owner, typed.number.to_string()))
        };
        let pair = |owner: &str, number: &str| Some((owner.to_owned(), number.to_owned()));
        assert_eq!(typed("0003*211"), pair("", "0003*211"));
        assert_eq!(typed("101/0003*211"), pair("101", "0003*211"));
        for wrong in ["/211", "101/", "@owner/211", "1/2/3", "10 1/211", "../211"] {
            assert_eq!(typed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_refused_number_says_how_to_write_it() {
        let refused = ExtensionNumber::parse("@self").unwrap_err().to_string();
        assert!(refused.contains("\"@self\"") && refused.contains("0003*210"), "{refused}");
    }
}
