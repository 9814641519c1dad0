//! What the PBX lists now of the extensions of a run that is undone or gone on with.

use std::path::PathBuf;
use std::sync::Arc;

use color_eyre::eyre::Result;

use super::ending::remark;
use super::profile::Opened;
use super::progress::Progress;
use super::room;
use crate::change::Route;
use crate::domain::{EventStore, ExtensionNumber, Listing};
use crate::journal::Record;
use crate::runtime::{self, Listed, Ports};

/// What was listed, and where.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) route: Route,
    pub(super) store: EventStore,
    /// Every extension was listed, or the service said what it has against that one.
    pub(super) is_sure: bool,
}

/// Lists these extensions where the run was sent, or as the profile has it where that is refused,
/// and says what is different and what could not be listed.
///
/// # Errors
/// When no client can be made, or the network runtime cannot start.
pub(super) fn look(
    record: &Record,
    numbers: &[ExtensionNumber],
    opened: &Opened,
    mut keep: impl FnMut(&mut EventStore, Listing),
) -> Result<Seen> {
    let profile = &opened.profile;
    let client = opened.client()?.read_only();
    let hands = opened.hands()?;
    hands.block_on(room::wait(&client));
    let ports = Ports::new(client, Vec::new(), Vec::new(), PathBuf::new());
    let route = hands.block_on(runtime::route(&ports, record, numbers.iter()));
    if let Some(differs) = route.differs() {
        remark(differs);
    }
    let ports = Arc::new(ports.on(&route));
    let mut progress = Progress::of(numbers.len(), "extensions");
    let step = || progress.step();
    let listed =
        hands.block_on(runtime::list_all(&ports, numbers, profile.rules.concurrency, step));
    drop(progress);
    let (mut store, mut is_sure) = (EventStore::default(), true);
    for (number, listed) in numbers.iter().zip(listed) {
        match listed {
            Listed::Answered(Ok(listing)) => keep(&mut store, listing),
            Listed::Answered(Err(failure)) => {
                is_sure &= failure.is_of_its_extension();
                remark(&format!("{number} could not be read: {failure}"));
            }
            Listed::NotAsked => is_sure = false,
        }
    }
    Ok(Seen { route, store, is_sure })
}
