//! What the run files of a PBX tell of the events that a run knew: which of them it may have taken
//! and which are to be there. Events that are the same but for their ids are counted, not told
//! apart, so that whoever made one again, none is made twice.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::{
    EventId, EventKey, EventType, ExtensionNumber, Foreign, Listing, Method, Outcome,
    PhoneCallEvent, Status,
};

use super::twice::Doubt;
use super::values::{StandIn, Written};

/// What two events have in common that differ in nothing but id and time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Like {
    extension: ExtensionNumber,
    event_type: EventType,
    method: Method,
    url: Foreign,
    note: Foreign,
    status: Status,
}

/// What run files tell of the events around one run.
#[derive(Debug, Clone, Default)]
pub struct History<'a> {
    /// The run's name.
    pub run: String,
    /// The folder of its file.
    pub folder: PathBuf,
    /// Every event that its file holds, planned or not.
    pub known: Vec<&'a PhoneCallEvent>,
    /// Known events that the run may have deleted or changed.
    pub taken: BTreeSet<EventKey>,
    /// What other runs may have taken.
    pub takes: BTreeSet<EventKey>,
    /// What undos made, its own and others, and what got another id with a change.
    pub makes: Vec<Make>,
    /// What other runs changed: it stands for what it was, however it looks now.
    pub changed: BTreeSet<EventKey>,
    /// For a change: the values that it wrote.
    pub written: Option<Vec<Written>>,
    /// For a change: other ids that runs gave to known events since.
    pub renamed: BTreeSet<EventKey>,
    /// For a backup: events are compared by their fields, not by their ids.
    pub by_looks: bool,
    /// In which state the run files were that tell all this.
    pub files: u64,
}

/// An event that an undo made, or that got another id with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Make {
    /// The event that it stands for.
    pub event: PhoneCallEvent,
    /// Its own key.
    pub key: EventKey,
    /// Its type is listed as another one.
    pub retyped: bool,
    /// An undo of the same run made it, and a listing confirmed it.
    pub gives_back: bool,
    /// The event was made after the run was reviewed.
    pub later: bool,
}

impl Make {
    /// What an undo says of an event; `None` where it did not make it or tells no id.
    pub fn of(event: &PhoneCallEvent, outcome: &Outcome) -> Option<Self> {
        let id = EventId::parse(outcome.new_id()?.raw()).ok()?;
        let retyped = outcome.altered().is_some_and(|fields| fields.contains(&"type"));
        let key = EventKey { id, ..event.key.clone() };
        Some(Self { event: event.clone(), key, retyped, gives_back: false, later: false })
    }
}

/// How many events of each kind are to be there, and which are known by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Past {
    /// Loss and plan share it: it is as large as the run.
    known: Arc<Known>,
    /// Of a plan: how many events it leaves out, as something stands in for them.
    pub(super) left_out: usize,
    /// Of a plan: the undo that it goes on with.
    pub(super) goes_on: Option<String>,
    /// Of a plan: what is there, each with the id of what stands for it.
    pub(super) there: Vec<(EventKey, Foreign)>,
    /// Of a plan: rows that stood for nothing when it was made. What stands in for an event and came
    /// since is not known to whoever said yes.
    pub(super) seen: BTreeSet<EventKey>,
    /// Of a plan: extensions whose list may say something else in a while.
    pub(super) doubts: BTreeMap<ExtensionNumber, Doubt>,
    /// In which state the run files were.
    pub(super) files: u64,
}

/// What run files tell of it, whatever is planned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Known {
    run: String,
    /// The folder of its file.
    folder: PathBuf,
    parts: BTreeMap<ExtensionNumber, Part>,
    /// What was taken or made, by every id that it has had.
    names: BTreeMap<EventKey, Name>,
    /// The same by number and id alone, of what came back with another type.
    retyped: BTreeMap<(ExtensionNumber, EventId), EventKey>,
    /// What was known and is told by its looks alone.
    bystanders: BTreeSet<EventKey>,
    /// Events are told by their looks alone.
    by_looks: bool,
    /// Of a change: what it wrote, and everything that was there before.
    written: Option<(Vec<Written>, BTreeSet<EventKey>)>,
}

/// An event under one of its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    /// The event that was there first, where this is not its id.
    first: Option<Box<EventKey>>,
    like: Arc<Like>,
}

/// What is to be there of one extension.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Part {
    /// Events of each kind, those that are due included.
    standing: BTreeMap<Arc<Like>, usize>,
    /// Events that another run took and nobody gave back: to be there only where they are.
    contested: Vec<(Vec<EventKey>, Arc<Like>)>,
}

/// Planned events that are there, each with the id of what stands for it.
pub(super) type There = Vec<(usize, Option<Foreign>)>;

/// What a listing says of the events that are due on its extension.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Places of the events that are there, with the id of what stands for each.
    pub(super) there: There,
    /// Places of those that are not.
    pub(super) missing: Vec<usize>,
    /// Rows that nobody knew and that stand for nothing.
    pub(super) strangers: Vec<usize>,
}

/// Whether a row that nobody knew may be this event, altered: it differs in note or status alone.
pub(super) fn may_stand_for(row: &PhoneCallEvent, event: &PhoneCallEvent) -> bool {
    row.key.event_type == event.key.event_type
        && (&row.method, &row.url) == (&event.method, &event.url)
}

/// Whether a row that came when an event was asked for may be that event, altered: it may stand for it,
/// or differs in one field.
pub(super) fn may_be_altered(row: &PhoneCallEvent, event: &PhoneCallEvent) -> bool {
    may_stand_for(row, event) || event.differing(row).len() < 2
}

/// Takes a row out that nobody knew and that differs from an event in note or status alone or, where the
/// event was `asked` for and nobody answered clearly, in any one field: the PBX may have made it so.
pub(super) fn take_stand_in(
    event: &PhoneCallEvent,
    asked: bool,
    strangers: &mut Vec<usize>,
    listing: &Listing,
) -> Option<StandIn> {
    let found = strangers.iter().position(|row| {
        let row = listing.row(*row).map(|row| row.to_event());
        row.is_some_and(|row| may_stand_for(&row, event) || (asked && may_be_altered(&row, event)))
    })?;
    let row = listing.row(strangers.remove(found))?.to_event();
    let fields = event.differing(&row);
    Some(StandIn { key: event.key.clone(), by: row.key, fields })
}

/// The keys of some rows.
pub(super) fn keys_of(rows: &[usize], listing: &Listing) -> impl Iterator<Item = EventKey> {
    rows.iter().filter_map(|row| Some(listing.row(*row)?.key()))
}

impl Like {
    pub(super) fn of(event: &PhoneCallEvent) -> Self {
        Self {
            extension: event.key.extension.clone(),
            event_type: event.key.event_type,
            method: event.method.clone(),
            url: event.url.clone(),
            note: event.note.clone(),
            status: event.status.clone(),
        }
    }
}

/// The ids that events have had: what an undo made for one is the same event under another id, and one
/// id may have been made for several, as runs knew the event by different ones. What was known under
/// its own id when the run was reviewed stands for itself alone.
struct Names<'a> {
    /// The place of the event that has had an id.
    event_of: HashMap<&'a EventKey, usize>,
    /// All ids of each event; of one that turned out to be another one, none.
    ids: Vec<Vec<&'a EventKey>>,
    /// Ids for which something was made that was not known.
    given_back: HashSet<&'a EventKey>,
}

impl<'a> Names<'a> {
    fn of(makes: &'a [Make], known: &BTreeMap<&EventKey, &PhoneCallEvent>) -> Self {
        let unknown = makes.iter().filter(|make| !known.contains_key(&make.key));
        let given_back = unknown.map(|make| &make.event.key).collect();
        let mut names = Self { event_of: HashMap::new(), ids: Vec::new(), given_back };
        for make in makes {
            names.are_one(&make.event.key, &make.key);
        }
        names
    }

    /// Both ids are those of one event.
    fn are_one(&mut self, one: &'a EventKey, other: &'a EventKey) {
        let (stays, goes) = (self.event(one), self.event(other));
        if stays == goes {
            return;
        }
        let moved = self.ids.get_mut(goes).map(std::mem::take).unwrap_or_default();
        for id in &moved {
            self.event_of.insert(id, stays);
        }
        if let Some(ids) = self.ids.get_mut(stays) {
            ids.extend(moved);
        }
    }

    /// The place of the event with this id.
    fn event(&mut self, id: &'a EventKey) -> usize {
        *self.event_of.entry(id).or_insert_with(|| {
            self.ids.push(vec![id]);
            self.ids.len() - 1
        })
    }

    /// All ids of the event that has this one, which comes first, but for those that are seen.
    fn from(&self, first: &'a EventKey, seen: &mut BTreeSet<&'a EventKey>) -> Vec<&'a EventKey> {
        let ids = self.event_of.get(first).and_then(|event| self.ids.get(*event));
        let others = ids.into_iter().flatten().copied().filter(|id| seen.insert(id));
        let others: Vec<&EventKey> = others.collect();
        seen.insert(first);
        std::iter::once(first).chain(others.into_iter().filter(|id| *id != first)).collect()
    }
}

impl History<'_> {
    /// The events that it may have taken and that no undo of it has given back, and what is to be
    /// there of their kind.
    pub(super) fn resolve(&self) -> (Vec<PhoneCallEvent>, Past) {
        if let Some(written) = &self.written {
            let known = self.known.iter().map(|event| &event.key).chain(&self.renamed);
            let known = known.cloned().collect();
            let known = Known {
                run: self.run.clone(),
                folder: self.folder.clone(),
                written: Some((written.clone(), known)),
                ..Known::default()
            };
            let due = written.iter().filter(|written| !written.is_back);
            let events = due.map(|written| written.event.clone()).collect();
            return (events, Past { known: Arc::new(known), files: self.files, ..Past::default() });
        }
        let given = self.makes.iter().filter(|make| make.gives_back).map(|make| &make.event.key);
        let given: BTreeSet<&EventKey> = given.collect();
        let known: BTreeMap<&EventKey, &PhoneCallEvent> =
            self.known.iter().map(|event| (&event.key, *event)).collect();
        let names = Names::of(&self.makes, &known);
        let mut past = Known {
            run: self.run.clone(),
            folder: self.folder.clone(),
            by_looks: self.by_looks,
            ..Known::default()
        };
        let mut seen: BTreeSet<&EventKey> = known.keys().copied().collect();
        let mut due = Vec::new();
        for event in known.values() {
            let is_due = self.taken.contains(&event.key) && !given.contains(&event.key);
            due.extend(is_due.then(|| (*event).clone()));
            let keys = names.from(&event.key, &mut seen);
            self.stands(&mut past, event, &keys, is_due, &names);
        }
        // What was made since stands for itself where it stands for nothing that was known.
        for make in self.makes.iter().filter(|make| make.later) {
            if !seen.contains(&make.key) {
                let keys = names.from(&make.key, &mut seen);
                self.stands(&mut past, &make.event, &keys, false, &names);
            }
        }
        past.retyped = self
            .makes
            .iter()
            .filter(|make| make.retyped)
            .map(|make| ((make.key.extension.clone(), make.key.id.clone()), make.key.clone()))
            .collect();
        (due, Past { known: Arc::new(past), files: self.files, ..Past::default() })
    }

    /// Takes in one event that is to be there, by all the ids that it has had.
    fn stands(
        &self,
        past: &mut Known,
        event: &PhoneCallEvent,
        keys: &[&EventKey],
        due: bool,
        names: &Names<'_>,
    ) {
        let Some(first) = keys.first() else { return };
        let is_lost = |key: &EventKey| {
            let given_back = names.given_back.contains(key);
            self.takes.contains(key) && !self.taken.contains(key) && !given_back
        };
        let part = past.parts.entry(event.key.extension.clone()).or_default();
        let like = Like::of(event);
        let known = part.standing.get_key_value(&like).map(|(known, _)| Arc::clone(known));
        let like = known.unwrap_or_else(|| Arc::new(like));
        if !due && keys.iter().any(|key| is_lost(key)) {
            let keys = keys.iter().map(|key| (*key).clone()).collect();
            part.contested.push((keys, Arc::clone(&like)));
        } else {
            *part.standing.entry(Arc::clone(&like)).or_default() += 1;
        }
        if self.by_looks {
            return;
        }
        let is_own = self.taken.contains(*first) || self.changed.contains(*first);
        if keys.len() == 1 && event.key == **first && !is_own {
            past.bystanders.insert((*first).clone());
            return;
        }
        let name = |key: &&EventKey| {
            let first = (key != first).then(|| Box::new((*first).clone()));
            ((*key).clone(), Name { first, like: Arc::clone(&like) })
        };
        past.names.extend(keys.iter().map(name));
    }
}

impl Past {
    /// The same for a plan that leaves so many events out, or goes on with an undo.
    pub(super) fn of_plan(
        self,
        (left_out, seen): (usize, BTreeSet<EventKey>),
        goes_on: Option<String>,
        there: Vec<(EventKey, Foreign)>,
        doubts: BTreeMap<ExtensionNumber, Doubt>,
    ) -> Self {
        Self { left_out, goes_on, there, seen, doubts, ..self }
    }

    /// Which run.
    pub(super) fn run(&self) -> &str {
        &self.known.run
    }

    /// The folder of its file.
    pub(super) fn folder(&self) -> &Path {
        &self.known.folder
    }

    /// Of a backup: whether events are told by their looks alone.
    pub(super) fn is_by_looks(&self) -> bool {
        self.known.by_looks
    }

    /// Of a change: what it wrote, and everything that was there before.
    pub(super) fn written(&self) -> Option<&(Vec<Written>, BTreeSet<EventKey>)> {
        self.known.written.as_ref()
    }

    /// In which state the run files were that tell it.
    pub(super) fn files(&self) -> u64 {
        self.files
    }

    /// Whether run files told the same of it.
    pub(super) fn is_as_known(&self, other: &Self) -> bool {
        self.known == other.known
    }

    /// Of the due events of an extension, which are there, and which rows nobody knew.
    pub(super) fn look<'a>(
        &self,
        due: impl IntoIterator<Item = (usize, &'a PhoneCallEvent)>,
        listing: &Listing,
    ) -> Look {
        let due: Vec<(usize, Arc<Like>, &PhoneCallEvent)> = due
            .into_iter()
            .map(|(place, event)| (place, Arc::new(Like::of(event)), event))
            .collect();
        let mut counted = Counted::of(&self.known, listing);
        let mut look = Look::default();
        let mut rest = Vec::new();
        for (place, like, event) in due {
            match counted.by_first.remove(&event.key) {
                Some(id) => look.there.push((place, Some(id))),
                None => rest.push((place, like)),
            }
        }
        for (place, like) in rest {
            let room = counted.room.entry(like.clone()).or_default();
            if *room > 0 {
                *room -= 1;
                look.missing.push(place);
                continue;
            }
            let stranger = counted.strangers.get_mut(&like).and_then(Vec::pop);
            let stranger = stranger.or_else(|| counted.alike.get(&like).copied());
            let id = stranger.and_then(|row| Some(Foreign::from(listing.row(row)?.id())));
            look.there.push((place, id));
        }
        look.there.sort_by_key(|(place, _)| *place);
        look.strangers = counted.without_meaning();
        look
    }
}

/// The rows of a listing, counted by what they stand for.
struct Counted {
    /// What is to be there and is not, by kind.
    room: BTreeMap<Arc<Like>, usize>,
    /// How many are there beyond what is to be.
    beyond: BTreeMap<Arc<Like>, usize>,
    /// Ids of what is there, by the event that it stands for.
    by_first: BTreeMap<EventKey, Foreign>,
    /// Rows that nobody knew, by kind.
    strangers: BTreeMap<Arc<Like>, Vec<usize>>,
    /// A row of each kind.
    alike: BTreeMap<Arc<Like>, usize>,
}

impl Counted {
    fn of(past: &Known, listing: &Listing) -> Self {
        let mut listed: BTreeMap<Arc<Like>, usize> = BTreeMap::new();
        let (mut by_first, mut alike) = (BTreeMap::new(), BTreeMap::new());
        let mut strangers: BTreeMap<Arc<Like>, Vec<usize>> = BTreeMap::new();
        for row in 0..listing.len() {
            let Some(event) = listing.row(row).map(|row| row.to_event()) else { continue };
            let name = (event.key.extension.clone(), event.key.id.clone());
            let renamed = past.retyped.get(&name).unwrap_or(&event.key);
            if let Some(Name { first, like }) = past.names.get(renamed) {
                let first = first.as_deref().unwrap_or(renamed);
                *listed.entry(like.clone()).or_default() += 1;
                by_first.entry(first.clone()).or_insert(Foreign::from(event.key.id.as_str()));
                continue;
            }
            let like = Arc::new(Like::of(&event));
            alike.insert(like.clone(), row);
            *listed.entry(like.clone()).or_default() += 1;
            if !past.bystanders.contains(&event.key) {
                strangers.entry(like).or_default().push(row);
            }
        }
        let part = past.parts.get(listing.extension());
        let mut room = part.map(|part| part.standing.clone()).unwrap_or_default();
        for (keys, like) in part.into_iter().flat_map(|part| &part.contested) {
            if keys.iter().any(|key| listing.find(key).is_some()) {
                *room.entry(like.clone()).or_default() += 1;
            }
        }
        let mut beyond = BTreeMap::new();
        for (like, count) in listed {
            let to_be = room.entry(like.clone()).or_default();
            beyond.insert(like, count.saturating_sub(*to_be));
            *to_be = to_be.saturating_sub(count);
        }
        Self { room, beyond, by_first, strangers, alike }
    }

    /// Rows that nobody knew and that are more than are to be there of their kind.
    fn without_meaning(mut self) -> Vec<usize> {
        let mut rows = Vec::new();
        for (like, mut strangers) in self.strangers {
            let beyond = self.beyond.remove(&like).unwrap_or_default();
            rows.extend(strangers.drain(..).rev().take(beyond));
        }
        rows.sort_unstable();
        rows
    }
}
