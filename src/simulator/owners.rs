//! Whose extensions are whose: the users of an organisation, and what a path's user reaches.
//!
//! The pages do not say how strictly a PBX ties the user of a path to the owner of an extension, so
//! a world chooses its reading.

use serde::Deserialize;

use super::refusal::Refusal;
use super::world::{Extension, World};

/// A user that extensions belong to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What names the user in paths and in SystemAPI.
    pub id: String,
    /// What people call them.
    pub name: String,
}

/// How a world reads the user of a path, and what its SystemAPI tells of owners.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of a scenario of its own")]
pub struct Owners {
    /// What `@me`, `@viewer` and the id of the token's user reach.
    pub me: Me,
    /// Whether the id of another user reaches what that user owns.
    pub by_id: bool,
    /// Whether `@owner` reaches any extension.
    pub at_owner: bool,
    /// What is said of an extension out of reach: a refusal, or nothing at all.
    pub out_of_reach: OutOfReach,
    /// Whether `GetUsers` is answered.
    pub get_users: bool,
    /// Whether `GetExtensions` is answered without a `parentID`.
    pub without_parent: bool,
    /// Presence names extensions without the organisation's number, as paths may too.
    pub short_presence: bool,
    /// Whether `GetExtensionDetails` is answered.
    pub details: bool,
}

/// What `@me` reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Me {
    /// Every extension.
    #[default]
    All,
    /// What the token's user owns.
    Own,
}

/// What is said of an extension that a path's user does not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfReach {
    /// 400 `user_invalid`.
    UserInvalid,
    /// 400 `extension_invalid`.
    ExtensionInvalid,
    /// 400 `pce_access_denied`.
    PceAccessDenied,
    /// 401 or 403, as the world writes it, `access_denied`.
    AccessDenied,
    /// A list without rows; what writes is refused.
    Empty,
}

/// What a path's user has to say of an extension.
pub(super) enum Reach {
    Reached,
    Empty,
}

impl Default for Owners {
    fn default() -> Self {
        Self {
            me: Me::All,
            by_id: true,
            at_owner: true,
            out_of_reach: OutOfReach::UserInvalid,
            get_users: true,
            without_parent: true,
            short_presence: false,
            details: true,
        }
    }
}

impl OutOfReach {
    fn say(self, writes: bool) -> Result<Reach, Refusal> {
        Err(match self {
            Self::Empty if !writes => return Ok(Reach::Empty),
            Self::Empty | Self::UserInvalid => Refusal::UserInvalid,
            Self::ExtensionInvalid => Refusal::ExtensionInvalid,
            Self::PceAccessDenied => Refusal::PceAccessDenied,
            Self::AccessDenied => Refusal::AccessDenied,
        })
    }
}

impl World {
    /// Adds a user beside the one whose token opens this world.
    pub fn add_user(&mut self, id: &str, name: &str) {
        self.users.push(User { id: id.to_owned(), name: name.to_owned() });
    }

    /// The users that are known beside the one whose token opens this world.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// Who owns an extension.
    pub fn owner_of<'a>(&'a self, extension: &'a Extension) -> &'a str {
        extension.owner.as_deref().unwrap_or(&self.user)
    }

    /// The number that a path's extension stands for, where that may be short.
    pub(super) fn full_number(&self, written: &str) -> String {
        if !self.owners.short_presence || self.extension(written).is_some() {
            return written.to_owned();
        }
        let named =
            self.extensions().map(Extension::number).find(|number| short(number) == written);
        named.unwrap_or(written).to_owned()
    }

    /// The number as presence writes it.
    pub(super) fn presence_number<'a>(&self, number: &'a str) -> &'a str {
        if self.owners.short_presence { short(number) } else { number }
    }

    /// Whether a path's user reaches an extension.
    pub(super) fn reach(&self, user: &str, number: &str, writes: bool) -> Result<Reach, Refusal> {
        let owners = &self.owners;
        let owner = self.extension(number).map(|extension| self.owner_of(extension));
        let reached = match user {
            "@owner" => owners.at_owner,
            "@me" | "@viewer" => self.me_reaches(owner),
            id if id == self.user => self.me_reaches(owner),
            id if !owners.by_id || !self.users.iter().any(|user| user.id == id) => {
                return Err(Refusal::UserInvalid);
            }
            id => owner.is_none_or(|owner| owner == id),
        };
        if reached { Ok(Reach::Reached) } else { owners.out_of_reach.say(writes) }
    }

    /// Whether presence lists an extension for a path's user.
    pub(super) fn presents(&self, user: &str, extension: &Extension) -> bool {
        match user {
            "@owner" => self.owners.at_owner,
            "@me" | "@viewer" => self.me_reaches(Some(self.owner_of(extension))),
            id if id == self.user => self.me_reaches(Some(self.owner_of(extension))),
            id => self.owner_of(extension) == id,
        }
    }

    /// Whether presence has a list of that user.
    pub(super) fn knows_user(&self, user: &str) -> bool {
        let other = self.owners.by_id && self.users.iter().any(|known| known.id == user);
        matches!(user, "@me" | "@viewer" | "@owner") || user == self.user || other
    }

    /// A number that is not there is for others to refuse.
    fn me_reaches(&self, owner: Option<&str>) -> bool {
        match self.owners.me {
            Me::All => true,
            Me::Own => owner.is_none_or(|owner| owner == self.user),
        }
    }
}

/// What stands behind the organisation's number.
pub(super) fn short(number: &str) -> &str {
    number.split_once('*').map_or(number, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::super::answer::Request;
    use super::super::world::Kind;
    use super::*;

    /// The organisation is user 12 and owns nothing.
    fn organisation() -> World {
        let mut world = World::new("an organisation", "t");
        world.add_user("101", "Ada");
        world.add_user("102", "Bob");
        for (number, owner) in [("0003*210", "101"), ("0003*211", "102")] {
            let mut extension = Extension::new(number, Kind::Terminal, "");
            extension.owner = Some(owner.to_owned());
            world.insert(extension);
        }
        world
    }

    fn status(world: &mut World, method: &str, user: &str) -> u16 {
        let path = format!("/uapi/extensions/{user}/0003*210/phoneCallEvents");
        let authorization = Some("Bearer t".to_owned());
        world.answer(&Request { authorization, ..Request::new(method, &path) }).status
    }

    #[test]
    fn a_lenient_world_lets_me_reach_everything_and_an_owners_id_what_is_theirs() {
        let mut world = organisation();
        let users = ["@me", "12", "@owner", "101", "102", "103"];
        let said = users.map(|user| status(&mut world, "GET", user));
        assert_eq!(said, [204, 204, 204, 204, 400, 400]);
    }

    #[test]
    fn a_strict_world_refuses_or_says_nothing_and_lets_nobody_write() {
        let mut world = organisation();
        world.owners.me = Me::Own;
        assert_eq!(status(&mut world, "GET", "@me"), 400);
        world.owners.out_of_reach = OutOfReach::Empty;
        assert_eq!(["GET", "DELETE"].map(|method| status(&mut world, method, "@me")), [204, 400]);
        world.owners.at_owner = false;
        world.owners.out_of_reach = OutOfReach::AccessDenied;
        assert_eq!(["@owner", "101"].map(|user| status(&mut world, "GET", user)), [401, 204]);
        world.owners.by_id = false;
        assert_eq!(status(&mut world, "GET", "101"), 400);
    }

    #[test]
    fn presence_lists_what_its_user_owns_short_where_the_world_says_so() {
        let mut world = organisation();
        world.owners = Owners { me: Me::Own, short_presence: true, ..Owners::default() };
        let mut presence = |user: &str| {
            let path = format!("/uapi/extensions/{user}/@self/presence");
            let authorization = Some("Bearer t".to_owned());
            let answer = world.answer(&Request { authorization, ..Request::new("GET", &path) });
            (answer.status, String::from_utf8(answer.body).unwrap())
        };
        assert_eq!(presence("@me").0, 204);
        let (status, body) = presence("101");
        assert!(status == 200 && body.contains("\"210\"") && !body.contains("211"), "{body}");
        assert_eq!(presence("7").0, 400);
        let path = "/uapi/extensions/101/210/phoneCallEvents";
        let authorization = Some("Bearer t".to_owned());
        let answer = world.answer(&Request { authorization, ..Request::new("GET", path) });
        assert_eq!(answer.status, 204, "a short number leads to its extension");
    }
}
