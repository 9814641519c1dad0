//! What a selection means on the PBX now, agreed to and carried out: the same for every command that
//! deletes or changes events.

use std::path::Path;
use std::time::Instant;

use color_eyre::eyre::Result;

use super::Opened;
use super::arguments::Consent;
use super::ending::{Ending, remark, tell_left_out};
use super::list;
use super::machine;
use super::selection::{self, Wanted};
use crate::change::{FRESH, Omitted, Plan, Selection};
use crate::domain::{EventStore, Extension, Listing};
use crate::runtime::Listed;

/// What the service answers where there is no such extension.
const NO_EXTENSION: &str = "extension_invalid";

/// Lists and plans what is wanted, asks, sends and prints.
///
/// # Errors
/// When there is no plan, or no client can be made; what fails later is said here and is in the
/// ending.
pub(super) fn carry_out(
    opened: &Opened,
    folder: &Path,
    wanted: &Wanted,
    consent: &Consent,
    plan: impl Fn(&Selection) -> Result<Plan>,
) -> Result<Ending> {
    let agreed = agree(
        || choose(opened, wanted, &plan),
        |plan| machine::held_back(plan, &opened.profile, consent, opened.profile.rules.protected),
        |chosen| !consent.yes && chosen.listed.elapsed() > FRESH,
    )?;
    let Chosen { plan, whole, listed } = match agreed {
        Ok(chosen) => chosen,
        Err(ending) => return Ok(ending),
    };
    let ending = machine::send(plan, opened, folder, consent.format, listed)?;
    Ok(if whole || ending != Ending::Done { ending } else { Ending::InPart })
}

/// What is to be done.
#[derive(Debug)]
struct Chosen {
    plan: Plan,
    /// Everything could be listed that may hold some of it.
    whole: bool,
    /// Before it was listed.
    listed: Instant,
}

/// Chooses and asks; how it ends where nothing is to be sent, which is told then. What the operator looked at for too long is chosen anew, and asked about anew
/// where anything differs.
fn agree(
    mut choose: impl FnMut() -> Result<Chosen>,
    mut held_back: impl FnMut(&Plan) -> Result<Option<Ending>>,
    mut is_old: impl FnMut(&Chosen) -> bool,
) -> Result<Result<Chosen, Ending>> {
    let mut agreed: Option<Plan> = None;
    loop {
        let chosen = choose()?;
        if let Some(before) = agreed {
            if before.sends_the_same(&chosen.plan) {
                return Ok(Ok(chosen));
            }
            remark("something changed since the question: nothing was sent");
        }
        if let Some(ending) = held_back(&chosen.plan)? {
            return Ok(Err(ending));
        }
        if !is_old(&chosen) {
            return Ok(Ok(chosen));
        }
        remark("the listing is more than a minute old: listing again");
        agreed = Some(chosen.plan);
    }
}

/// Lists and plans; with a reason where there is no plan.
fn choose(
    opened: &Opened,
    wanted: &Wanted,
    plan: impl Fn(&Selection) -> Result<Plan>,
) -> Result<Chosen> {
    let listed = machine::clock();
    let (selection, whole, omitted) = select(opened, wanted)?;
    if selection.is_empty() {
        let ending = if whole { Ending::Refused } else { Ending::Failed };
        let why = "nothing was sent: that matches no event";
        return Err(ending.refusing_these(why, omitted));
    }
    Ok(Chosen { plan: plan(&selection)?.omitting(omitted), whole, listed })
}

/// Lists what may hold wanted events and chooses them; false with it where something could not be
/// listed, and what of a run is left out.
pub(super) fn select(opened: &Opened, wanted: &Wanted) -> Result<(Selection, bool, Vec<Omitted>)> {
    let (discovery, listed) = list::read(opened, wanted)?.map_err(|failure| {
        let why = format!("nothing was sent, as the extensions are not known: {failure}");
        Ending::Failed.refusing(why)
    })?;
    let mut whole = discovery.complete;
    let mut store = EventStore::default();
    let mut missing = Vec::new();
    for (extension, listed) in discovery.extensions.iter().zip(listed) {
        match listed {
            Listed::Answered(Ok(listing)) => {
                whole &= listing.is_complete();
                let rows = wanted.rows(extension, &listing);
                store.insert_whole(listing);
                store.set_marks(&extension.number, rows, true);
            }
            Listed::Answered(Err(failure)) => {
                whole = false;
                if failure.code.raw() == NO_EXTENSION && wanted.names_extensions() {
                    missing.push(selection::named("extension", &extension.number));
                }
                remark(&format!("{} could not be read: {failure}", extension.number));
            }
            Listed::NotAsked => whole = false,
        }
    }
    let shelves = discovery.extensions.iter();
    let listings = shelves.filter_map(|one| Some((one, store.listing(&one.number)?)));
    let listings: Vec<(&Extension, &Listing)> = listings.collect();
    let passed_over = wanted.passed_over(listings.iter().copied());
    if !passed_over.is_empty() {
        remark(&passed_over.to_string());
    }
    let listings: Vec<&Listing> = listings.into_iter().map(|(_, listing)| listing).collect();
    let sure = whole || !missing.is_empty();
    missing.extend(wanted.unlisted(&listings));
    if !missing.is_empty() {
        let (ending, how) = if sure {
            (Ending::Usage, "")
        } else {
            (Ending::Failed, ", as far as all could be read")
        };
        let why = format!("nothing was sent, as this is not listed{how}: {}", missing.join(", "));
        return Err(ending.refusing(why));
    }
    if !whole {
        remark("not everything could be read: what could not be read is left alone");
    }
    let omitted = wanted.omitted(|number| store.listing(number));
    tell_left_out(&omitted);
    Ok((Selection::of_marks(&store), whole, omitted))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::domain::{CallForm, ExtensionNumber, ListingBuilder, RawEvent, Target, UserId};

    fn chosen(url: &str) -> Chosen {
        let mut builder = ListingBuilder::new(ExtensionNumber::parse("210").unwrap());
        builder.push(RawEvent { event_type: "0", id: "a", url, ..RawEvent::default() });
        let mut store = EventStore::default();
        store.insert(builder.finish(true));
        store.set_marks(&ExtensionNumber::parse("210").unwrap(), 0..1, true);
        let user = UserId::parse("@me").unwrap();
        let target = Target::new("acme", "https://pbx.test", "/uapi", user).unwrap();
        let selection = Selection::of_marks(&store);
        let plan = Plan::freeze(target, &selection, CallForm::Event, 10).unwrap();
        Chosen { plan, whole: true, listed: machine::clock() }
    }

    /// Times listed, times asked, and the URL that was agreed to, of these listings in order.
    fn agreed(urls: &[&str], takes_too_long: bool) -> (usize, usize, String) {
        let (listed, asked) = (Cell::new(0), Cell::new(0));
        let list = || {
            let url = urls.get(listed.replace(listed.get() + 1)).expect("no more than these");
            Ok(chosen(url))
        };
        let ask = |_: &Plan| {
            asked.set(asked.get() + 1);
            Ok(None)
        };
        let chosen = agree(list, ask, |_| takes_too_long).unwrap().unwrap();
        (listed.get(), asked.get(), chosen.plan.events()[0].url.raw().to_owned())
    }

    #[test]
    fn a_yes_within_a_minute_is_for_what_was_listed() {
        assert_eq!(agreed(&["x"], false), (1, 1, "x".to_owned()));
    }

    #[test]
    fn a_yes_after_a_minute_lists_again_and_asks_anew_where_anything_differs() {
        assert_eq!(agreed(&["x", "x"], true), (2, 1, "x".to_owned()));
        assert_eq!(agreed(&["x", "y", "y"], true), (3, 2, "y".to_owned()));
    }

    #[test]
    fn a_no_after_a_minute_lists_nothing_again() {
        let listed = Cell::new(0);
        let list = || {
            listed.set(listed.get() + 1);
            Ok(chosen("x"))
        };
        let no = |_: &Plan| Ok(Some(Ending::Refused));
        assert!(agree(list, no, |_| true).unwrap().is_err());
        assert_eq!(listed.get(), 1);
    }
}
