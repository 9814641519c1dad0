//! Giving back what a change wrote: the old values, into the fields that still have the new ones.
//! An event may have got another id with a change, and is then known by its values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{
    Cause, Change, EventId, EventKey, Failure, Foreign, Listing, Outcome, PhoneCallEvent,
};

use super::edit::Edit;

/// An event that a change may have written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The event before the change.
    pub event: PhoneCallEvent,
    /// What was written.
    pub change: Change,
    /// Fields that the change altered otherwise than it was to, or may have altered.
    pub altered: Vec<&'static str>,
    /// Every id that it has had, its first one first.
    pub ids: Vec<EventId>,
    /// An undo has written its old values back.
    pub is_back: bool,
}

/// An event that is not there while something like it is, which was not there before; or one that
/// somebody else changed since a change wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// What the run took.
    pub key: EventKey,
    /// What is there.
    pub by: EventKey,
    /// What is different: the note, the status or both, any one field of what may have been made so, or
    /// of a change any field that it wrote.
    pub fields: Vec<&'static str>,
}

impl StandIn {
    /// What is there in the place of the event: words that follow the event's name.
    pub fn words(&self) -> String {
        format!("has {} there with another {}", self.by.id, self.fields.join(" and "))
    }
}

/// An event that is no longer listed under an id of its own.
#[derive(Debug)]
pub(super) struct Strayed<'a> {
    pub(super) place: usize,
    pub(super) before: &'a PhoneCallEvent,
    pub(super) to_be: PhoneCallEvent,
}

/// Which of these rows, that nobody knew before, stand for events that have strayed: the only one of
/// its extension and type that has the old or the new values, or as many as there are events that are
/// alike in both. Told by the places of the events, each with the place of its row.
pub(super) fn under_new_ids(
    strayed: &[Strayed<'_>],
    rows: &[PhoneCallEvent],
) -> BTreeMap<usize, usize> {
    let is_alike = |a: &Strayed<'_>, b: &Strayed<'_>| {
        a.before.differing(b.before).is_empty() && a.to_be.differing(&b.to_be).is_empty()
    };
    let mut groups: Vec<Vec<&Strayed<'_>>> = Vec::new();
    for one in strayed {
        match groups.iter_mut().find(|group| group.first().is_some_and(|it| is_alike(it, one))) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let mut claims: HashMap<usize, usize> = HashMap::new();
    let mut found = Vec::new();
    for group in &groups {
        let has_values = |(_, row): &(usize, &PhoneCallEvent)| {
            group.first().is_some_and(|it| {
                it.to_be.differing(row).is_empty() || it.before.differing(row).is_empty()
            })
        };
        let here: Vec<usize> =
            rows.iter().enumerate().filter(has_values).map(|(row, _)| row).collect();
        for row in &here {
            *claims.entry(*row).or_default() += 1;
        }
        found.push(here);
    }
    let sure = groups.iter().zip(found).filter(|(group, here)| {
        group.len() == here.len() && here.iter().all(|row| claims.get(row) == Some(&1))
    });
    sure.flat_map(|(group, here)| group.iter().map(|it| it.place).zip(here)).collect()
}

/// What is to be written back on one extension, by its list.
#[derive(Debug, Default)]
pub(super) struct Back {
    /// Each event as it is now, and what becomes of it.
    pub(super) planned: Vec<(PhoneCallEvent, Edit)>,
    /// What has its old values, each with the id that it has now.
    pub(super) there: Vec<(EventKey, Foreign)>,
    /// What somebody else changed since.
    pub(super) since: Vec<StandIn>,
}

/// An extension that cannot be listed: nobody knows how its events are now.
pub(super) fn unlisted(written: &[&Written]) -> Back {
    let due = written.iter().filter(|it| !it.is_back);
    let planned = due.map(|it| held(it, unread()));
    Back { planned: planned.collect(), ..Back::default() }
}

fn unread() -> Outcome {
    let why = "not written back, as the extension could not be listed whole: undo the run again";
    Outcome::NotSent(Failure::new(Cause::Withheld, why).into())
}

fn held(written: &Written, outcome: Outcome) -> (PhoneCallEvent, Edit) {
    let change = back_to(&written.event, written.change.fields().map(|(name, _)| name));
    (written.event.clone(), Edit { change, of_id: None, held: Some(outcome) })
}

fn back_to<'a>(before: &PhoneCallEvent, fields: impl Iterator<Item = &'a str>) -> Change {
    Change::of(before, &fields.collect::<Vec<_>>())
}

/// What an extension lists of the events that a change wrote there. Fields that have another value
/// than was written are left alone unless `all`. `known` are the keys that were there before.
pub(super) fn look(
    written: &[&Written],
    known: &BTreeSet<EventKey>,
    listing: &Listing,
    all: bool,
) -> Back {
    let key = |it: &Written, id: &EventId| EventKey { id: id.clone(), ..it.event.key.clone() };
    let mut rows: Vec<Option<usize>> = Vec::new();
    for it in written {
        // As long as it is listed under its first id it has no other.
        let mut ids = it.ids.iter();
        rows.push(ids.find_map(|id| listing.find(&key(it, id))));
    }
    let taken: BTreeSet<usize> = rows.iter().flatten().copied().collect();
    let strange = (0..listing.len()).filter(|row| !taken.contains(row));
    let strange = strange.filter_map(|row| listing.row(row)).map(|row| row.to_event());
    let strange: Vec<PhoneCallEvent> = strange.filter(|row| !known.contains(&row.key)).collect();
    let strayed = written.iter().zip(&rows).enumerate();
    let strayed = strayed.filter(|(_, (it, row))| row.is_none() && !it.is_back);
    let strayed: Vec<Strayed<'_>> = strayed
        .map(|(place, (it, _))| Strayed {
            place,
            before: &it.event,
            to_be: it.change.applied_to(&it.event),
        })
        .collect();
    let strange = if listing.is_complete() { strange } else { Vec::new() };
    let renamed = under_new_ids(&strayed, &strange);
    let mut back = Back::default();
    for (place, (it, row)) in
        written.iter().zip(rows).enumerate().filter(|(_, (it, _))| !it.is_back)
    {
        let row = row.and_then(|row| listing.row(row)).map(|row| row.to_event());
        let renamed = || strange.get(*renamed.get(&place)?).cloned();
        match row.or_else(renamed) {
            Some(row) => back.take(it, row, all),
            None if !listing.is_complete() => back.planned.push(held(it, unread())),
            None => {
                let why = "no longer listed under its id, and nothing there can be told to be it";
                let unknown = Outcome::Unknown(Failure::new(Cause::Withheld, why).into());
                back.planned.push(held(it, unknown));
            }
        }
    }
    back
}

impl Back {
    /// Takes an event as it is listed now.
    fn take(&mut self, written: &Written, row: PhoneCallEvent, all: bool) {
        let Written { event: before, change, .. } = written;
        let to_be = change.applied_to(before);
        let (not_old, not_new) = (before.differing(&row), to_be.differing(&row));
        let wrote = |name: &&str| change.fields().any(|(wrote, _)| wrote == *name);
        let open = not_old.iter().copied();
        let open = open.filter(|name| wrote(name) || written.altered.contains(name));
        let (since, back): (Vec<_>, Vec<_>) = open.partition(|name| not_new.contains(name));
        let wanted = back.iter().chain(since.iter().filter(|_| all)).copied();
        let (fields, lost): (Vec<_>, Vec<_>) = wanted.partition(|name| before.gives(name));
        let change = back_to(before, fields.into_iter());
        let id = &row.key.id;
        let of_id = (*id != before.key.id).then(|| before.key.id.clone());
        if since.is_empty() && change.is_empty() && lost.is_empty() {
            self.there.push((before.key.clone(), Foreign::from(id.as_str())));
            return;
        }
        if !since.is_empty() {
            let (key, by) = (before.key.clone(), row.key.clone());
            self.since.push(StandIn { key, by, fields: since });
        }
        if !change.is_empty() {
            self.planned.push((row, Edit { change, of_id, held: None }));
        } else if !lost.is_empty() {
            let why = "cannot be written back, as it had no value before the run";
            let why = format!("its {} {why}", lost.join(" and "));
            let held = Some(Outcome::NotSent(Failure::new(Cause::Withheld, why).into()));
            let change = back_to(before, lost.into_iter());
            self.planned.push((row, Edit { change, of_id, held }));
        }
    }
}
