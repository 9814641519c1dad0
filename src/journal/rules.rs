//! The rules of the way back once more, counted from the lines of the run files as they are
//! documented and from nothing else: whatever several operators and somebody else did on one PBX, an
//! undo makes of each kind of event as many as these say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::agreement::{chosen, drive, reviewed, target, undo_file};
use super::*;
use crate::change::trial::{Service, Whim, number, to_the_end, whims};
use crate::change::{Machine, Plan, Wish};
use crate::domain::{EventId, PhoneCallEvent};

/// Extension, type and id.
type Id = (String, u64, String);
/// Extension, type, method, URL, note and status.
type Like = [String; 6];

/// What one run file tells.
#[derive(Debug, Default)]
struct Told {
    name: String,
    kind: String,
    undoes: Option<String>,
    planned: Vec<(Id, Like)>,
    bystanders: Vec<(Id, Like)>,
    /// Places of events that a *sent* line covers, and of those whose fields are to be others.
    sent: BTreeSet<usize>,
    wanted: BTreeSet<usize>,
    /// In the undo of a change: events that the run knew under another id, which stands first.
    renamed: Vec<((Id, Like), Id)>,
    /// The newest id of each event that is there again.
    back: BTreeMap<usize, String>,
    surplus: BTreeSet<Id>,
    /// Its last listings said something.
    checked: bool,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn id_of(value: &Value) -> Id {
    (text(value, "extension"), value["type"].as_u64().unwrap(), text(value, "id"))
}

fn like_of_line(value: &Value) -> Like {
    let event_type = value["type"].to_string();
    let [extension, method, url, note, status] =
        ["extension", "method", "url", "note", "status"].map(|name| text(value, name));
    [extension, event_type, method, url, note, status]
}

fn listed(event: &PhoneCallEvent) -> (Id, Like) {
    let (extension, event_type) = (event.key.extension.to_string(), event.key.event_type.number());
    let like = [
        extension.clone(),
        event_type.to_string(),
        event.method.written().to_owned(),
        event.url.raw().to_owned(),
        event.note.raw().to_owned(),
        event.status.written().to_owned(),
    ];
    ((extension, event_type.into(), event.key.id.as_str().to_owned()), like)
}

impl Told {
    fn read(runs: &Path, name: &str) -> Self {
        let mut told = Self { name: name.to_owned(), ..Self::default() };
        let mut first_of: BTreeMap<u64, usize> = BTreeMap::new();
        let (mut named, mut last) = (Vec::new(), None);
        for line in fs::read_to_string(path_of(runs, name)).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let count = |name: &str| usize::try_from(line[name].as_u64().unwrap()).unwrap();
            match line["line"].as_str().unwrap() {
                "run" => {
                    told.undoes = line["of"].as_str().map(str::to_owned);
                    told.kind = text(&line, "kind");
                }
                "event" => {
                    let (id, like) = (id_of(&line), like_of_line(&line));
                    if line["want"].is_object() {
                        told.wanted.insert(told.planned.len());
                    }
                    if let Some(first) = line["of_id"].as_str() {
                        let first = (id.0.clone(), id.1, first.to_owned());
                        told.renamed.push(((first, like.clone()), id.clone()));
                    }
                    told.planned.push((id, like));
                }
                "bystander" => told.bystanders.push((id_of(&line), like_of_line(&line))),
                "opened" => last = None,
                "sent" => {
                    first_of.insert(line["call"].as_u64().unwrap(), count("first"));
                    for place in count("first")..count("first") + count("covers") {
                        told.sent.insert(place);
                        told.back.remove(&place);
                    }
                }
                "settled" => {
                    let first = first_of[&line["call"].as_u64().unwrap()];
                    let outcomes = line["outcomes"].as_array().unwrap();
                    outcomes.iter().enumerate().for_each(|(at, it)| told.hear(first + at, it));
                    let extension = told.planned[first].0.0.clone();
                    let ids = line["surplus"].as_array().unwrap().iter();
                    named
                        .extend(ids.map(|id| (extension.clone(), id.as_str().unwrap().to_owned())));
                }
                "verified" => {
                    last = line["check"].as_str().map(str::to_owned);
                    for list in ["revised", "altered"] {
                        for it in line[list].as_array().into_iter().flatten() {
                            told.hear(usize::try_from(it["event"].as_u64().unwrap()).unwrap(), it);
                        }
                    }
                    told.surplus.extend(line["surplus"].as_array().unwrap().iter().map(id_of));
                }
                _ => {}
            }
        }
        for (id, _) in &told.bystanders {
            if named.contains(&(id.0.clone(), id.2.clone())) {
                told.surplus.insert(id.clone());
            }
        }
        told.checked = match last.as_deref() {
            Some(check) => ["agrees", "differs", "nothing_sent"].contains(&check),
            None => told.sent.is_empty(),
        };
        told
    }

    fn hear(&mut self, place: usize, outcome: &Value) {
        self.back.remove(&place);
        if let ("restored" | "altered" | "changed", Some(id)) =
            (outcome["outcome"].as_str().unwrap(), outcome["new_id"].as_str())
        {
            self.back.insert(place, id.to_owned());
        }
    }

    fn took(&self) -> BTreeSet<Id> {
        let sent = self.sent.iter().filter_map(|place| Some(self.planned.get(*place)?.0.clone()));
        sent.chain(self.surplus.iter().cloned()).collect()
    }

    /// What it made, or found or left under another id, each with what it stands for.
    fn made(&self) -> impl Iterator<Item = (&(Id, Like), Id)> {
        let made = self.back.iter().map(|(place, id)| {
            let event = &self.planned[*place];
            (event, (event.0.0.clone(), event.0.1, id.clone()))
        });
        let renamed = self.renamed.iter().map(|(first, id)| (first, id.clone()));
        made.filter(|(event, new)| event.0 != *new || self.kind == "undo").chain(renamed)
    }

    /// What it changed.
    fn changed(&self) -> impl Iterator<Item = &Id> {
        self.sent.intersection(&self.wanted).filter_map(|place| Some(&self.planned.get(*place)?.0))
    }
}

/// An event that is to be there, with every id that it has had.
struct Standing {
    ids: Vec<Id>,
    like: Like,
    /// The run may have taken it, and its undo has not given it back.
    due: bool,
}

/// How many of each kind an undo of a run makes, as the contract says it.
fn to_be_made(files: &[Told], run: &str, there: &[(Id, Like)]) -> BTreeMap<Like, usize> {
    let own = files.iter().find(|it| it.name == run).unwrap();
    let (took, undos) = (own.took(), files.iter().filter(|it| it.undoes.is_some()));
    let of_others = files.iter().filter(|it| it.kind == "delete" && it.name != run);
    let others: BTreeSet<Id> = of_others.flat_map(Told::took).collect();
    let writers = files.iter().filter(|it| it.kind != "delete");
    let made: Vec<(&(Id, Like), Id)> = writers.clone().flat_map(Told::made).collect();
    let changed: BTreeSet<&Id> = writers.flat_map(Told::changed).collect();
    let own_undos = undos.filter(|it| it.undoes.as_deref() == Some(run) && it.checked);
    let given: BTreeSet<&Id> =
        own_undos.flat_map(|it| it.made().map(|(event, _)| &event.0)).collect();
    let known: BTreeMap<&Id, &Like> =
        own.planned.iter().chain(&own.bystanders).map(|(id, like)| (id, like)).collect();

    // Ids that stand for one another.
    let kin = |id: &Id| {
        let mut kin = BTreeSet::from([id.clone()]);
        loop {
            let before = kin.len();
            for (event, new) in &made {
                if kin.contains(&event.0) || kin.contains(new) {
                    kin.extend([event.0.clone(), new.clone()]);
                }
            }
            if kin.len() == before {
                return kin;
            }
        }
    };
    let mut seen: BTreeSet<Id> = known.keys().map(|id| (*id).clone()).collect();
    let mut all = Vec::new();
    for (id, like) in &known {
        let more = kin(id).into_iter().filter(|it| seen.insert(it.clone()));
        let ids = std::iter::once((*id).clone()).chain(more).collect();
        let due = took.contains(id) && !given.contains(id);
        all.push(Standing { ids, like: (*like).clone(), due });
    }
    for ((_, like), new) in &made {
        if !seen.contains(new) {
            let ids = kin(new).into_iter().filter(|it| seen.insert(it.clone())).collect();
            all.push(Standing { ids, like: like.clone(), due: false });
        }
    }

    // From these go those that another run took, this one did not, and nobody gave back.
    let is_there = |id: &Id| there.iter().any(|(row, _)| row == id);
    let is_back = |id: &Id| made.iter().any(|((of, _), new)| of == id && !known.contains_key(new));
    let is_lost = |id: &Id| others.contains(id) && !took.contains(id) && !is_back(id);
    all.retain(|it| it.due || !it.ids.iter().any(is_lost) || it.ids.iter().any(is_there));
    let mut counts: BTreeMap<Like, [usize; 3]> = BTreeMap::new();
    for it in &all {
        let count = counts.entry(it.like.clone()).or_default();
        count[0] += 1;
        count[1] += usize::from(it.due && !it.ids.iter().any(is_there));
    }
    for (row, like) in there {
        // What was taken or made counts as what it was, however it looks now.
        let is_it = |it: &&Standing| {
            let is_own = took.contains(row) || changed.contains(row) || it.ids[0] != *row;
            it.ids.contains(row) && (it.ids.len() > 1 || is_own)
        };
        let like = all.iter().find(is_it).map_or(like, |it| &it.like);
        counts.entry(like.clone()).or_default()[2] += 1;
    }
    let made = counts
        .into_iter()
        .map(|(like, [before, due, there])| (like, due.min(before.saturating_sub(there))));
    made.filter(|(_, count)| *count > 0).collect()
}

/// What is done on the PBX, by operators and by somebody else.
#[derive(Debug, Clone)]
enum Deed {
    Reviews(Vec<usize>),
    /// To the end, or killed where the script ends.
    Deletes(usize, Vec<(usize, Whim)>, bool),
    Undoes(usize, Vec<(usize, Whim)>, bool),
    /// One disables or enables what these rows are.
    Alters(Vec<usize>, Vec<(usize, Whim)>, bool),
    Unalters(usize, Vec<(usize, Whim)>, bool),
    /// Somebody makes another one of an event, takes one away, changes its note, or gives a new one
    /// the id of one that there was.
    Doubles(usize),
    Takes(usize),
    Changes(usize),
    Collides(usize, usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => proptest::collection::vec(0usize..12, 1..6).prop_map(Deed::Reviews),
        4 => (0usize..4, whims(true), any::<bool>()).prop_map(|(a, b, c)| Deed::Deletes(a, b, c)),
        4 => (0usize..4, whims(true), any::<bool>()).prop_map(|(a, b, c)| Deed::Undoes(a, b, c)),
        2 => (proptest::collection::vec(0usize..12, 1..4), whims(true), any::<bool>())
            .prop_map(|(a, b, c)| Deed::Alters(a, b, c)),
        2 => (0usize..3, whims(true), any::<bool>()).prop_map(|(a, b, c)| Deed::Unalters(a, b, c)),
        1 => (0usize..12).prop_map(Deed::Doubles),
        1 => (0usize..12).prop_map(Deed::Takes),
        1 => (0usize..12).prop_map(Deed::Changes),
        1 => (0usize..12, 0usize..12).prop_map(|(a, b)| Deed::Collides(a, b)),
    ];
    proptest::collection::vec(deed, 2..14)
}

fn carries_out(
    file: &RunFile,
    plan: Plan,
    service: &mut Service,
    script: &[(usize, Whim)],
    ends: bool,
) {
    let script = if ends { to_the_end(script) } else { script.to_vec() };
    drive(&mut Machine::new(Arc::new(plan), 2), 2, file, service, &script);
}

/// What an undo would make now of each kind, and of how many it waits for a list that lags.
fn planned(runs: &Path, run: &str, service: &Service) -> (Option<Plan>, BTreeMap<Like, usize>) {
    let way = way_back(runs, &Place::new(runs, run), Duration::ZERO).unwrap();
    let store = service.store();
    let found = way.loss.way_back(target(), |number| store.listing(number), true);
    let Ok(plan) = found.plan else { return (None, BTreeMap::new()) };
    let mut counts = BTreeMap::new();
    for event in plan.events().iter().filter(|event| !found.listed.contains(&event.key)) {
        *counts.entry(listed(event).1).or_default() += 1;
    }
    (Some(plan), counts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn of_each_kind_an_undo_makes_as_many_as_the_rules_say_whoever_did_what_before(
        rows in proptest::collection::vec((0u8..2, 0u8..2, 0u8..2), 2..10),
        deeds in deeds(),
        renames in any::<bool>(),
    ) {
        let mut service = Service::of(&rows, false);
        service.renames = renames;
        let first = service.events.clone();
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path();
        let (mut plans, mut done, mut altered) = (Vec::new(), Vec::new(), Vec::new());
        for (step, deed) in deeds.into_iter().enumerate() {
            let all = service.events.len().max(1);
            match deed {
                Deed::Reviews(rows) => plans.extend(reviewed(&service, &rows)),
                Deed::Deletes(which, _, _) if which >= plans.len() => {}
                Deed::Deletes(which, script, ends) => {
                    let plan = plans.swap_remove(which);
                    let file = RunFile::create(runs, &plan).unwrap();
                    done.push(file.name().to_owned());
                    carries_out(&file, plan, &mut service, &script, ends);
                }
                Deed::Undoes(which, script, ends) => {
                    let Some(run) = done.get(which) else { continue };
                    let Some(plan) = planned(runs, run, &service).0 else { continue };
                    let file = undo_file(runs, &plan);
                    carries_out(&file, plan, &mut service, &script, ends);
                }
                Deed::Alters(rows, script, ends) => {
                    let wish = if step % 2 == 0 { Wish::DISABLE } else { Wish::ENABLE };
                    let Some(selection) = chosen(&service, &rows) else { continue };
                    let Ok(plan) = wish.plan(target(), &selection, 1000).plan else { continue };
                    let file = RunFile::create(runs, &plan).unwrap();
                    altered.push(file.name().to_owned());
                    carries_out(&file, plan, &mut service, &script, ends);
                }
                Deed::Unalters(which, script, ends) => {
                    let Some(run) = altered.get(which) else { continue };
                    let Some(plan) = planned(runs, run, &service).0 else { continue };
                    let file = undo_file(runs, &plan);
                    carries_out(&file, plan, &mut service, &script, ends);
                }
                Deed::Doubles(which) => {
                    let copy = service.events.get(which % all).cloned();
                    service.events.extend(copy.map(|event| with_id(event, step)));
                }
                Deed::Takes(which) if which < service.events.len() => {
                    service.events.remove(which);
                }
                Deed::Changes(which) => {
                    if let Some(event) = service.events.get_mut(which % all) {
                        event.note = crate::domain::Foreign::from("another note");
                    }
                }
                Deed::Collides(which, other) => {
                    let (of, like) = (&first[which % first.len()], &first[other % first.len()]);
                    if !service.has(of.key.id.as_str()) {
                        service.events.push(PhoneCallEvent { key: of.key.clone(), ..like.clone() });
                    }
                }
                Deed::Takes(_) => {}
            }
        }
        let all = names(runs).unwrap();
        let files: Vec<Told> = all.iter().map(|name| Told::read(runs, name)).collect();
        let mut there = Vec::new();
        for extension in 0..3 {
            let listing = service.listing(&number(extension));
            there.extend((0..listing.len()).map(|row| listed(&listing.row(row).unwrap().to_event())));
        }
        for run in &done {
            let rules = to_be_made(&files, run, &there);
            prop_assert_eq!(planned(runs, run, &service).1, rules, "{}\n{:#?}\n{:#?}", run, files, there);
        }
    }
}

fn with_id(mut event: PhoneCallEvent, step: usize) -> PhoneCallEvent {
    event.key.id = EventId::parse(&format!("double{step}")).unwrap();
    event
}
