//! The calls that change events, and the functions that make their paths.

use std::fmt::Write as _;

use super::{Change, EventKey, EventType, ExtensionNumber, PhoneCallEvent, Target};

/// Which path takes a new event. The pages of VoipNow 3 and the vendor's own client name the
/// collection; the pages of VoipNow 5 put the type behind it. The type is in the body either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CreatePath {
    /// `…/phoneCallEvents`
    #[default]
    Plain,
    /// `…/phoneCallEvents/{type}`
    WithType,
}

impl CreatePath {
    /// The path of the POST that makes an event of this type (page *Create PhoneCallEvents*).
    pub fn path(self, key: &EventKey, target: &Target) -> String {
        let wide = match self {
            Self::Plain => DeleteCall::Extension(key.extension.clone()),
            Self::WithType => DeleteCall::Type(key.extension.clone(), key.event_type),
        };
        wide.path(target)
    }
}

/// One DELETE (page *Delete PhoneCallEvents*). Leaving a segment out widens it, so what a call
/// names is a type of its own, never a text with optional parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeleteCall {
    /// Exactly one event.
    Event(EventKey),
    /// Every event of one type; read literally the page lets it remove those of every type.
    Type(ExtensionNumber, EventType),
    /// Every event of the extension.
    Extension(ExtensionNumber),
}

impl DeleteCall {
    /// The extension the call acts on.
    pub fn extension(&self) -> &ExtensionNumber {
        match self {
            Self::Event(key) => &key.extension,
            Self::Type(extension, _) | Self::Extension(extension) => extension,
        }
    }

    /// Whether the call could remove events that nobody named.
    pub fn is_wide(&self) -> bool {
        match self {
            Self::Event(_) => false,
            Self::Type(..) | Self::Extension(_) => true,
        }
    }

    /// The path as it goes out on the wire. Made here and nowhere else: every part of it is a
    /// checked value, and none of them can hold a character that would need encoding.
    pub fn path(&self, target: &Target) -> String {
        let mut path = target.extension_path(self.extension());
        path.push_str("/phoneCallEvents");
        // Nothing that is written to a text fails.
        let _ = match self {
            Self::Event(key) => {
                write!(path, "/{}/{}", key.event_type.number(), key.id.as_str())
            }
            Self::Type(_, event_type) => write!(path, "/{}", event_type.number()),
            Self::Extension(_) => Ok(()),
        };
        path
    }
}

/// One request that changes the PBX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Takes events away.
    Delete(DeleteCall),
    /// Makes an event of this type, method, URL, note and status; the service gives it an id.
    Create(PhoneCallEvent),
    /// Changes fields of exactly one event.
    Update(EventKey, Change),
}

impl Call {
    /// The HTTP method.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Delete(_) => "DELETE",
            Self::Create(_) => "POST",
            Self::Update(..) => "PUT",
        }
    }

    /// The extension the call acts on.
    pub fn extension(&self) -> &ExtensionNumber {
        match self {
            Self::Delete(delete) => delete.extension(),
            Self::Create(event) => &event.key.extension,
            Self::Update(key, _) => &key.extension,
        }
    }

    /// Whether the call could act on events that it does not name.
    pub fn is_wide(&self) -> bool {
        match self {
            Self::Delete(delete) => delete.is_wide(),
            Self::Create(_) | Self::Update(..) => false,
        }
    }

    /// The path as it goes out on the wire.
    pub fn path(&self, target: &Target) -> String {
        match self {
            Self::Delete(delete) => delete.path(target),
            Self::Create(event) => target.create_path.path(&event.key, target),
            Self::Update(key, _) => DeleteCall::Event(key.clone()).path(target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventId, UserId};

    fn path(call: &DeleteCall) -> String {
        let user = UserId::parse("@me").unwrap();
        call.path(&Target::new("acme", "https://pbx.test", "/uapi", user).unwrap())
    }

    #[test]
    fn a_new_event_goes_to_the_collection_or_to_its_type() {
        let user = UserId::parse("@me").unwrap();
        let target = Target::new("acme", "https://pbx.test", "/uapi", user).unwrap();
        let key = EventKey {
            extension: ExtensionNumber::parse("0003*210").unwrap(),
            event_type: EventType::Hangup,
            id: EventId::parse("x").unwrap(),
        };
        let base = "/uapi/extensions/@me/0003*210/phoneCallEvents";
        assert_eq!(CreatePath::Plain.path(&key, &target), base);
        assert_eq!(CreatePath::WithType.path(&key, &target), format!("{base}/2"));
    }

    #[test]
    fn the_three_forms_of_the_page_have_their_paths() {
        let extension = ExtensionNumber::parse("0003*210").unwrap();
        let key = EventKey {
            extension: extension.clone(),
            event_type: EventType::DialIn,
            id: EventId::parse("NqeyDRqo4FtabmFj8gNWq3hsiGNYyq").unwrap(),
        };
        let base = "/uapi/extensions/@me/0003*210/phoneCallEvents";
        assert_eq!(
            path(&DeleteCall::Event(key)),
            format!("{base}/0/NqeyDRqo4FtabmFj8gNWq3hsiGNYyq")
        );
        assert_eq!(
            path(&DeleteCall::Type(extension.clone(), EventType::Unknown(7))),
            format!("{base}/7")
        );
        assert_eq!(path(&DeleteCall::Extension(extension)), base);
    }
}
