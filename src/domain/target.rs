//! Which service, as whom, and how wide a call may be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{CreatePath, ExtensionNumber};

/// Whose extensions are meant: `@me`, `@viewer`, `@owner` or a user's own id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

/// Why a target cannot stand in a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefused {
    /// The user part.
    #[error("{0:?} is not a user: write @me, @viewer, @owner or a user id of letters and digits")]
    User(String),
    /// The path before `/extensions`.
    #[error(
        "{0:?} is not a base path: write it like /uapi, letters, digits, - and _ between slashes"
    )]
    BasePath(String),
}

impl UserId {
    /// Accepts the three names of the documentation and plain ids.
    ///
    /// # Errors
    /// Refuses everything that is not one plain path segment.
    pub fn parse(text: &str) -> Result<Self, TargetRefused> {
        let named = matches!(text, "@me" | "@viewer" | "@owner");
        let plain = (1..=64).contains(&text.len()) && text.bytes().all(is_word);
        if named || plain {
            Ok(Self(text.into()))
        } else {
            Err(TargetRefused::User(text.to_owned()))
        }
    }

    /// The user as it stands in a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How one extension is reached, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The user in its paths, where it is not the profile's.
    pub user: Option<UserId>,
    /// Whom it belongs to, where a source said so.
    pub owner: Option<UserId>,
}

/// The service and the start of every path: profile, origin, base path, user, and the path for new
/// events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The profile's name, for people and for the names of run files.
    pub profile: String,
    /// Scheme, host and port, without a trailing slash: `https://pbx.example.com`.
    pub origin: String,
    base_path: String,
    /// Who stands in the paths of extensions of which nothing else is known.
    pub user: UserId,
    /// What is known of extensions that were reached.
    access: Arc<BTreeMap<ExtensionNumber, Access>>,
    /// Which path takes a new event.
    pub create_path: CreatePath,
    /// The target comes from flags, so no remedy can name a profile.
    pub is_of_flags: bool,
}

impl Target {
    /// Joins what a profile says.
    ///
    /// # Errors
    /// Refuses a base path that is not made of plain segments.
    pub fn new(
        profile: &str,
        origin: &str,
        base_path: &str,
        user: UserId,
    ) -> Result<Self, TargetRefused> {
        let trimmed = base_path.trim_end_matches('/');
        let plain = |segment: &str| !segment.is_empty() && segment.bytes().all(is_word);
        let valid = match trimmed.strip_prefix('/') {
            Some(rest) => rest.split('/').all(plain),
            None => trimmed.is_empty(),
        };
        if !valid {
            return Err(TargetRefused::BasePath(base_path.to_owned()));
        }
        Ok(Self {
            profile: profile.to_owned(),
            origin: origin.trim_end_matches('/').to_owned(),
            base_path: trimmed.to_owned(),
            user,
            access: Arc::default(),
            create_path: CreatePath::default(),
            is_of_flags: false,
        })
    }

    /// The target with base path and user of a run file; `None` where they are the same or not
    /// known.
    pub fn recorded(&self, base_path: &str, user: &str) -> Option<Self> {
        let user = UserId::parse(user).ok()?;
        let recorded = Self::new(&self.profile, &self.origin, base_path, user).ok()?;
        let Self { create_path, is_of_flags, .. } = *self;
        let recorded = Self { create_path, is_of_flags, ..recorded };
        (recorded != *self).then_some(recorded)
    }

    /// Base path and user, for people.
    pub fn path_in_words(&self) -> String {
        format!("{} as {}", self.base_path, self.user)
    }

    /// What stands before `/extensions` in every path.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The target with this knowledge of these extensions.
    #[must_use]
    pub fn knowing(mut self, known: impl IntoIterator<Item = (ExtensionNumber, Access)>) -> Self {
        Arc::make_mut(&mut self.access).extend(known);
        self
    }

    /// How an extension was reached; `None` where nobody reached it yet.
    pub fn access(&self, extension: &ExtensionNumber) -> Option<&Access> {
        self.access.get(extension)
    }

    /// Who stands in the paths of an extension.
    pub fn user_of(&self, extension: &ExtensionNumber) -> &UserId {
        self.access(extension).and_then(|access| access.user.as_ref()).unwrap_or(&self.user)
    }

    /// Whom an extension belongs to, where that is known.
    pub fn owner_of(&self, extension: &ExtensionNumber) -> Option<&UserId> {
        self.access(extension)?.owner.as_ref()
    }

    /// `/uapi/extensions/@me/0003*210`: what every path of an extension starts with. `@` and `*`
    /// are legal in a path (RFC 3986, 3.3) and go out raw, as the vendor's own clients send them.
    pub fn extension_path(&self, extension: &ExtensionNumber) -> String {
        self.extension_path_as(self.user_of(extension), extension)
    }

    /// `/uapi/extensions/@me`: what every path of a user's extensions starts with.
    pub fn user_path(&self, user: &UserId) -> String {
        [&self.base_path, "/extensions/", user.as_str()].concat()
    }

    /// The path of an extension with this user in it.
    pub fn extension_path_as(&self, user: &UserId, extension: &ExtensionNumber) -> String {
        [&self.base_path, "/extensions/", user.as_str(), "/", extension.as_str()].concat()
    }

    /// The host and port alone, for the header.
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map_or(self.origin.as_str(), |(_, host)| host)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Which wide forms of DELETE may be chosen in place of event calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WideCalls {
    /// `DELETE …/phoneCallEvents` may be used.
    pub extension: bool,
    /// `DELETE …/phoneCallEvents/{type}` may be used.
    pub event_type: bool,
}

impl Default for WideCalls {
    /// The documented extension form only: the scope of the type form is not documented.
    fn default() -> Self {
        Self { extension: true, event_type: false }
    }
}

/// Which calls a plan is made of; where a wide one does not fit, event calls take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallForm {
    /// One call for each event.
    Event,
    /// One call for each extension whose listed events are all marked.
    Extension,
    /// One call for each type whose listed events are all marked.
    Type,
}

impl CallForm {
    /// Every one, in the order in which a key offers them.
    const ALL: [Self; 3] = [Self::Event, Self::Extension, Self::Type];

    /// Its name, in a review, in arguments and in run files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Extension => "extension",
            Self::Type => "type",
        }
    }

    /// The form of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// The forms after this one, round and round, itself last.
    pub fn others(self) -> impl Iterator<Item = Self> {
        let at = Self::ALL.iter().position(|form| *form == self).unwrap_or_default();
        Self::ALL.into_iter().cycle().skip(at + 1).take(Self::ALL.len())
    }
}

impl WideCalls {
    /// Whether a form may be chosen.
    pub fn allows(self, form: CallForm) -> bool {
        match form {
            CallForm::Event => true,
            CallForm::Extension => self.extension,
            CallForm::Type => self.event_type,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_or_plain_ids() {
        for user in ["@me", "@viewer", "@owner", "12", "0241"] {
            assert_eq!(UserId::parse(user).unwrap().as_str(), user);
        }
        for user in ["", "@self", "@ME", "a/b", "..", ".", "a b", "%40me", "@"] {
            assert!(UserId::parse(user).is_err(), "{user:?}");
        }
    }

    #[test]
    fn a_base_path_is_plain_segments_with_or_without_a_last_slash() {
        let path = |base: &str| {
            Target::new("p", "https://x", base, UserId::parse("@me").unwrap())
                .map(|target| target.user_path(&target.user))
        };
        assert_eq!(path("/uapi").unwrap(), "/uapi/extensions/@me");
        assert_eq!(path("/unifiedapi/").unwrap(), "/unifiedapi/extensions/@me");
        assert_eq!(path("").unwrap(), "/extensions/@me");
        for base in ["uapi", "/u/../x", "/u//x", "/u?x", "/ü"] {
            assert!(path(base).is_err(), "{base:?}");
        }
    }

    #[test]
    fn an_extension_is_reached_as_was_found_to_work_and_the_others_as_the_profile_says() {
        let target = Target::new("p", "https://x", "/uapi", UserId::parse("@me").unwrap()).unwrap();
        let [own, other] = ["210", "211"].map(|number| ExtensionNumber::parse(number).unwrap());
        let user = UserId::parse("101").ok();
        let target = target.knowing([(own.clone(), Access { user: user.clone(), owner: user })]);
        assert_eq!(target.extension_path(&own), "/uapi/extensions/101/210");
        assert_eq!(target.extension_path(&other), "/uapi/extensions/@me/211");
        assert_eq!(target.owner_of(&own).map(UserId::as_str), Some("101"));
        assert_eq!(target.owner_of(&other), None);
    }

    #[test]
    fn every_form_has_a_name_that_leads_back_to_it_and_the_forms_go_round() {
        for form in CallForm::ALL {
            assert_eq!(CallForm::parse(form.name()), Some(form));
            assert_eq!(form.others().last(), Some(form));
        }
        assert_eq!(CallForm::parse("wide"), None);
        let others: Vec<_> = CallForm::Extension.others().collect();
        assert_eq!(others, [CallForm::Type, CallForm::Event, CallForm::Extension]);
    }

    #[test]
    fn event_calls_are_allowed_always_and_wide_ones_where_the_profile_names_them() {
        let allowed = |wide: WideCalls| CallForm::ALL.map(|form| wide.allows(form));
        let wide = |extension, event_type| WideCalls { extension, event_type };
        assert_eq!(allowed(WideCalls::default()), [true, true, false]);
        assert_eq!(allowed(wide(false, false)), [true, false, false]);
        assert_eq!(allowed(wide(false, true)), [true, false, true]);
    }
}
