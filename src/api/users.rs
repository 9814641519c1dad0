//! Who stands in the paths of an extension: what this PBX takes is tried once, one request at a time,
//! and what worked is used from then on.
//!
//! The pages do not say how strictly a PBX ties the user of a path to the owner of an extension.
//! Only a list with an event in it proves that a user reaches an extension: some services answer
//! with nothing where others refuse. What is refused counts for an address blocker, so that after
//! [`ENOUGH`] refusals nothing more is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Client;
use crate::domain::{
    Access, Cause, Exchange, Extension, ExtensionNumber, Failure, Listing, Target, UserId,
};

/// Refused tries after which nothing more is tried.
const ENOUGH: usize = 3;
/// What to do where no user gives the events of an extension.
const NAME_THE_USER: &str = "name its owner, as in extensions = [\"101/0003*211\"], or set user in the \
                             profile";
/// The owner of whatever extension is asked for, whoever that is (page *PhoneCallEvents*).
const AT_OWNER: &str = "@owner";

/// What is known of users and extensions, for all that one program asks of one PBX.
#[derive(Debug, Default)]
pub(super) struct Users {
    known: Mutex<Known>,
    /// Held while forms are tried: one request at a time.
    trying: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    owners: BTreeMap<ExtensionNumber, UserId>,
    /// What reaches every extension of this PBX.
    everywhere: Option<Form>,
    /// What reaches the extensions of one owner, those of unknown owner as one.
    by_owner: BTreeMap<Option<UserId>, UserId>,
    /// Ways that were answered, though with nothing.
    answered: BTreeSet<Way>,
    /// Ways that were refused for some extension.
    refused: BTreeSet<Way>,
    refusals: usize,
}

/// Where the user of a path is taken from, in the order of trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Profile,
    OwnersId,
    AtOwner,
}

/// A way to choose the user of a path that can hold for a whole PBX.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// One user for every extension.
    One(UserId),
    /// The id of the extension's owner.
    OwnersId,
}

/// Who is to stand in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    /// This user was seen to reach the extension.
    Proven(UserId),
    /// Not known, and no other user is tried.
    Alone(UserId),
    /// Not known yet: these users are tried in this order.
    Try(Vec<(Way, UserId)>),
}

impl Users {
    /// Takes in whom extensions belong to.
    pub(super) fn learn_owners(&self, extensions: &[Extension]) {
        let owned = extensions.iter().filter_map(|extension| {
            Some((extension.number.clone(), extension.owner.as_ref()?.id.clone()))
        });
        self.known().owners.extend(owned);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn owner(&self, extension: &ExtensionNumber, target: &Target) -> Option<UserId> {
        target.owner_of(extension).or_else(|| self.owners.get(extension)).cloned()
    }

    fn choose(&self, extension: &ExtensionNumber, target: &Target) -> Choice {
        let owner = self.owner(extension, target);
        let proven = match (&self.everywhere, &owner) {
            (Some(Form::One(user)), _) => Some(user),
            (Some(Form::OwnersId), Some(owner)) => Some(owner),
            (Some(Form::OwnersId) | None, _) => self.by_owner.get(&owner),
        };
        if let Some(user) = proven {
            return Choice::Proven(user.clone());
        }
        let mut ways = vec![(Way::Profile, target.user.clone())];
        let at_owner = UserId::parse(AT_OWNER).ok().map(|user| (Way::AtOwner, user));
        for (way, user) in owner.map(|owner| (Way::OwnersId, owner)).into_iter().chain(at_owner) {
            if ways.iter().all(|(_, known)| *known != user) {
                ways.push((way, user));
            }
        }
        // What was refused for another extension comes last.
        ways.sort_by_key(|(way, _)| (self.is_worse(*way), *way));
        match ways.first() {
            Some((_, user)) if self.refusals >= ENOUGH => Choice::Alone(user.clone()),
            _ => Choice::Try(ways),
        }
    }

    fn is_worse(&self, way: Way) -> bool {
        self.refused.contains(&way) && !self.answered.contains(&way)
    }

    fn note_refused(&mut self, way: Way) {
        self.refused.insert(way);
        self.refusals += 1;
    }

    /// A list with an event in it came of this user.
    fn prove(&mut self, extension: &ExtensionNumber, user: &UserId, target: &Target) {
        let owner = self.owner(extension, target);
        if user.as_str() == AT_OWNER {
            self.everywhere = Some(Form::One(user.clone()));
        } else if owner.as_ref() == Some(user) {
            self.everywhere = Some(Form::OwnersId);
        } else {
            let elsewhere = self.by_owner.iter().any(|(of, by)| *of != owner && by == user);
            self.by_owner.insert(owner, user.clone());
            if elsewhere {
                self.everywhere.get_or_insert(Form::One(user.clone()));
            }
        }
    }
}

impl Client {
    /// The events of an extension, read by the user who reaches it.
    pub(super) async fn listing(
        &self,
        extension: &ExtensionNumber,
        trace: &mut Vec<Exchange>,
    ) -> Result<Listing, Failure> {
        let mut refused = Vec::new();
        let target = &self.target;
        if let Some(access) = target.access(extension) {
            // It was reached so before, by the run that is undone or gone on with.
            let user = access.user.as_ref().unwrap_or(&target.user);
            match self.listing_as(user, extension, trace).await {
                Err(failure) if *user != target.user && self.may_be_about_the_user(&failure) => {
                    refused.push((user.clone(), failure));
                }
                answer => return Ok(self.reached(answer?, user)),
            }
        }
        let choice = self.inner.users.known().choose(extension, target);
        let choice = match choice {
            Choice::Try(_) => {
                let _one_at_a_time = self.inner.users.trying.lock().await;
                let now = self.inner.users.known().choose(extension, target);
                if let Choice::Try(ways) = now {
                    return self.try_each(ways, refused, extension, trace).await;
                }
                now
            }
            known @ (Choice::Proven(_) | Choice::Alone(_)) => known,
        };
        match choice {
            Choice::Proven(user) if !refused.iter().any(|(tried, _)| *tried == user) => {
                let listing = self.listing_as(&user, extension, trace).await?;
                Ok(self.reached(listing, &user))
            }
            Choice::Alone(user) if refused.is_empty() => {
                let answer = self.listing_as(&user, extension, trace).await;
                Ok(self.judged(extension, &user, answer.map_err(told_how_to_name_the_user)?))
            }
            Choice::Proven(_) | Choice::Alone(_) | Choice::Try(_) => Err(all_refused(refused)),
        }
    }

    /// Tries users in turn until one shows an event. A list with nothing in it is kept: it may be true.
    async fn try_each(
        &self,
        ways: Vec<(Way, UserId)>,
        mut refused: Vec<(UserId, Failure)>,
        extension: &ExtensionNumber,
        trace: &mut Vec<Exchange>,
    ) -> Result<Listing, Failure> {
        let mut empty = None;
        for (way, user) in ways {
            let vain = empty.is_some() && self.inner.users.known().is_worse(way);
            if vain || refused.iter().any(|(tried, _)| *tried == user) {
                continue;
            }
            match self.listing_as(&user, extension, trace).await {
                Ok(listing) if shows_an_event(&listing) => {
                    return Ok(self.judged(extension, &user, listing));
                }
                Ok(listing) => {
                    self.inner.users.known().answered.insert(way);
                    empty.get_or_insert((user, listing));
                }
                Err(failure) if self.may_be_about_the_user(&failure) => {
                    refused.push((user, failure));
                    let mut known = self.inner.users.known();
                    known.note_refused(way);
                    if known.refusals >= ENOUGH {
                        break;
                    }
                }
                // What was read already is more than what cannot be asked now.
                Err(_) if empty.is_some() => break,
                Err(failure) => return Err(failure),
            }
        }
        match empty {
            Some((user, listing)) => Ok(self.judged(extension, &user, listing)),
            None => Err(all_refused(refused)),
        }
    }

    /// What a list proves of its user, or what it does not.
    fn judged(&self, extension: &ExtensionNumber, user: &UserId, listing: Listing) -> Listing {
        if shows_an_event(&listing) {
            self.inner.users.known().prove(extension, user, &self.target);
            self.reached(listing, user)
        } else {
            self.reached(listing, user).unproven()
        }
    }

    fn reached(&self, listing: Listing, user: &UserId) -> Listing {
        let target = &self.target;
        let owner = self.inner.users.known().owner(listing.extension(), target);
        let user = (*user != target.user).then(|| user.clone());
        listing.reached(Access { user, owner })
    }

    /// Whether another user may be let where this one is not. A token that was never taken is
    /// refused whoever stands in the path.
    fn may_be_about_the_user(&self, failure: &Failure) -> bool {
        failure.cause == Cause::Rejected
            && match failure.http_status {
                Some(400 | 403 | 404) => true,
                Some(401) => self.inner.transport.was_let_in(),
                _ => false,
            }
    }
}

fn shows_an_event(listing: &Listing) -> bool {
    !listing.is_empty() || listing.odd_rows() > 0
}

/// The failure of the first try, with what became of the others and what to write in the profile.
fn all_refused(refused: Vec<(UserId, Failure)>) -> Failure {
    // Where every one gets 401, it is the token that is refused.
    let of_users = refused.iter().any(|(_, failure)| failure.http_status != Some(401));
    let alone = refused.len() < 2 || !of_users;
    let others: Vec<String> = refused
        .iter()
        .map(|(user, failure)| match (failure.code.raw(), failure.http_status) {
            ("", Some(status)) => format!("{user} ({status})"),
            (code, _) => format!("{user} ({code})"),
        })
        .collect();
    let first = refused.into_iter().next().map(|(_, failure)| failure);
    let failure = first.unwrap_or_else(|| Failure::new(Cause::Withheld, "no user is known for it"));
    if alone {
        return failure;
    }
    failure.saying(&format!("tried as {}", others.join(", "))).remedied(NAME_THE_USER)
}

fn told_how_to_name_the_user(failure: Failure) -> Failure {
    if failure.cause != Cause::Rejected || failure.http_status == Some(401) {
        return failure;
    }
    let untried = format!("no other user was tried, as {ENOUGH} tries were refused");
    failure.saying(&untried).remedied(NAME_THE_USER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::new("acme", "https://pbx.test", "/uapi", user("@me")).unwrap()
    }

    fn user(text: &str) -> UserId {
        UserId::parse(text).unwrap()
    }

    fn number(text: &str) -> ExtensionNumber {
        ExtensionNumber::parse(text).unwrap()
    }

    /// Extensions 1 and 2 belong to 101, 3 to 102, and of 4 nobody knows.
    fn known() -> Known {
        let owners = [("1", "101"), ("2", "101"), ("3", "102")];
        let owners = owners.map(|(extension, owner)| (number(extension), user(owner)));
        Known { owners: owners.into(), ..Known::default() }
    }

    fn choices(known: &Known) -> [Choice; 4] {
        ["1", "2", "3", "4"].map(|extension| known.choose(&number(extension), &target()))
    }

    fn tried(users: &[&str]) -> Choice {
        let way = |text: &str| match text {
            "@me" => Way::Profile,
            "@owner" => Way::AtOwner,
            _ => Way::OwnersId,
        };
        Choice::Try(users.iter().map(|text| (way(text), user(text))).collect())
    }

    fn proven(text: &str) -> Choice {
        Choice::Proven(user(text))
    }

    #[test]
    fn the_profiles_user_is_tried_first_then_the_owners_id_then_at_owner() {
        let choices = choices(&known());
        assert_eq!(choices[0], tried(&["@me", "101", "@owner"]));
        assert_eq!(choices[3], tried(&["@me", "@owner"]));
    }

    #[test]
    fn what_was_refused_for_another_extension_is_tried_last() {
        let mut known = known();
        known.note_refused(Way::Profile);
        known.answered.insert(Way::OwnersId);
        assert_eq!(choices(&known)[1], tried(&["101", "@owner", "@me"]));
        known.answered.insert(Way::Profile);
        assert_eq!(choices(&known)[1], tried(&["@me", "101", "@owner"]));
    }

    #[test]
    fn an_owners_id_or_at_owner_that_shows_an_event_holds_for_the_whole_pbx() {
        let mut by_id = known();
        by_id.prove(&number("1"), &user("101"), &target());
        assert_eq!(choices(&by_id)[1..3], [proven("101"), proven("102")]);
        assert_eq!(choices(&by_id)[3], tried(&["@me", "@owner"]), "its owner is not known");
        let mut at_owner = known();
        at_owner.prove(&number("4"), &user("@owner"), &target());
        assert!(choices(&at_owner).iter().all(|choice| *choice == proven("@owner")));
    }

    #[test]
    fn the_profiles_user_holds_for_one_owner_and_for_all_once_it_showed_events_of_two() {
        let mut known = known();
        known.prove(&number("1"), &user("@me"), &target());
        assert_eq!(choices(&known)[..2], [proven("@me"), proven("@me")]);
        assert_eq!(choices(&known)[2], tried(&["@me", "102", "@owner"]));
        known.prove(&number("4"), &user("@me"), &target());
        assert!(choices(&known).iter().all(|choice| *choice == proven("@me")));
    }

    #[test]
    fn after_three_refusals_nothing_more_is_tried() {
        let mut known = known();
        known.refusals = ENOUGH;
        assert!(choices(&known).iter().all(|choice| *choice == Choice::Alone(user("@me"))));
        known.refused.insert(Way::Profile);
        assert_eq!(choices(&known)[0], Choice::Alone(user("101")), "it was not refused yet");
        known.prove(&number("1"), &user("@me"), &target());
        assert_eq!(choices(&known)[..2], [proven("@me"), proven("@me")]);
    }
}
