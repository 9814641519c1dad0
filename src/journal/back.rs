//! The way back of one run, as all run files of its PBX tell it: what it may have taken, what its
//! undo has given back, and what other runs took and made of the same events.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::line::Extent;
use super::record::{Record, RecordRefused, RecordedEvent, names};
use super::{Kind, Place, SCHEMA};
use crate::change::{
    CAUGHT_UP, Doubt, Doubts, History, Loss, Make, Tally, Undone, Unlisted, Written,
};
use crate::domain::{EventKey, ExtensionNumber, FIELDS, Outcome, PhoneCallEvent, Success, Work};
use crate::origins::clock;

/// A review and the start of its run are no further apart than this.
const REVIEWED: Duration = Duration::from_secs(60);

/// A run that can be undone, and what all run files tell of it.
#[derive(Debug)]
pub struct Way {
    /// The run; of an undo that was named, the run that it undoes.
    pub record: Record,
    /// What is to be given back.
    pub loss: Loss,
    /// What an operator has to know of its run file, a sentence each.
    pub remarks: Vec<String>,
    /// Everything that it may have taken is known well enough to be given back.
    pub is_whole: bool,
}

/// What an undo of this run, or going on with this undo, gives back. A request may have its answer for
/// so long.
///
/// # Errors
/// Refuses what is no deletion, what a newer program wrote, and files that cannot be read.
pub fn way_back(runs: &Path, place: &Place, patience: Duration) -> Result<Way, RecordRefused> {
    let Place { folder, name } = place;
    let files = state_of(runs, place);
    let mut record = Record::read(folder, name)?;
    if record.kind == Kind::Undo {
        let run = record.undoes.ok_or_else(|| RecordRefused::NotUndoable(name.to_owned()))?;
        // Of an undo that was moved the run may have stayed.
        record = match Record::read(folder, &run) {
            Err(RecordRefused::Missing(_)) => Record::read(runs, &run)?,
            read => read?,
        };
    }
    if record.schema > SCHEMA {
        return Err(RecordRefused::Newer(record.name, record.schema));
    }
    if record.kind == Kind::Undo {
        return Err(RecordRefused::NotUndoable(record.name));
    }
    if record.origin.is_empty() {
        return Err(RecordRefused::Headless(record.name));
    }
    let others = others(runs, &record)?;
    let loss = loss_of(runs, &record, &others, (files, patience));
    let (remarks, is_whole) = (remarks(&record), lost(&record).next().is_none());
    record.forget_events();
    Ok(Way { record, loss, remarks, is_whole })
}

/// A number that is another one once any file was made, written on or removed in the folders that tell
/// of the way back of a run.
pub fn state_of(runs: &Path, place: &Place) -> u64 {
    let mut state = DefaultHasher::new();
    for folder in [runs, place.folder.as_path()] {
        let mut files: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
        files.sort_by_key(fs::DirEntry::file_name);
        for file in files {
            let data = file.metadata().ok();
            let data = data.map(|it| (it.ino(), it.len(), it.mtime(), it.mtime_nsec()));
            (file.file_name(), data).hash(&mut state);
        }
    }
    state.finish()
}

/// All other runs of this PBX, those of the folder first: a file elsewhere may have its undos beside
/// it. A file that another version or a full disk left tells nothing.
fn others(runs: &Path, record: &Record) -> Result<Vec<Record>, RecordRefused> {
    let mut others: Vec<Record> = Vec::new();
    // Beside a backup lies whatever the operator keeps there.
    let beside = (!record.kind.keeps()).then_some(record.folder.as_path());
    for folder in [runs].into_iter().chain(beside) {
        let unreadable = |error| RecordRefused::Unreadable(folder.to_owned(), error);
        for name in names(folder).map_err(unreadable)? {
            if name == record.name || others.iter().any(|known| known.name == name) {
                continue;
            }
            let other = Record::read(folder, &name).ok();
            others.extend(other.filter(|it| it.origin.eq_ignore_ascii_case(&record.origin)));
        }
    }
    Ok(others)
}

/// What became of a run, by the newest line of all undos of it about each event; `None` where there is
/// none. The newest stands first.
pub(super) fn undone_by(run: &str, records: &[Record]) -> Option<Undone> {
    let is_its_undo = |it: &&Record| it.kind == Kind::Undo && it.undoes.as_deref() == Some(run);
    let undos: Vec<&Record> = records.iter().filter(is_its_undo).collect();
    let newest = undos.first()?;
    let mut outcomes: BTreeMap<EventKey, &Outcome> = BTreeMap::new();
    for planned in undos.iter().rev().flat_map(|undo| &undo.events) {
        outcomes.insert(planned.first_key(), &planned.outcome);
    }
    let lost: usize = undos.iter().map(|undo| undo.missing.len()).sum();
    let (restored, altered) = Tally::over(outcomes.values().copied()).back();
    let not_back = newest.left_out + lost + outcomes.len() - restored - altered;
    let is_over = newest.finished.is_some() && undos.iter().all(|undo| undo.unseen == 0);
    let run = newest.name.clone();
    Some(Undone { run, restored, altered, not_back, is_over })
}

fn loss_of(
    runs: &Path,
    record: &Record,
    others: &[Record],
    (files, patience): (u64, Duration),
) -> Loss {
    let known = record.events.iter().map(|planned| &planned.event);
    let mut history = History {
        run: record.name.clone(),
        folder: record.folder.clone(),
        known: known.chain(&record.bystanders).collect(),
        taken: record.taken().collect(),
        files,
        ..History::default()
    };
    let (mut doubts, mut begun) = (Doubts::default(), None);
    if record.kind.keeps() {
        history.taken = record.events.iter().map(|kept| kept.event.key.clone()).collect();
        history.by_looks = true;
    } else if record.kind.is(Work::Changes) {
        let moves = Moves::of(record, others);
        let written = written(record, others, &moves);
        let known = history.known.iter().flat_map(|event| moves.from(&event.key));
        history.renamed = known.collect();
        history.taken = written.iter().map(|it| it.event.key.clone()).collect();
        history.written = Some(written);
        for run in others.iter().chain([record]) {
            doubts_of_change(&mut doubts, run, patience);
        }
    } else {
        doubts_of_deletion(&mut doubts, record, true);
    }
    for other in others {
        let own = other.kind == Kind::Undo && other.undoes.as_ref() == Some(&record.name);
        if other.kind.is(Work::Takes) {
            history.takes.extend(other.taken());
            doubts_of_deletion(&mut doubts, other, false);
        } else if !other.kind.keeps() {
            let changed = other.events.iter().filter(|it| it.sent && it.want.is_some());
            history.changed.extend(changed.map(|it| it.event.key.clone()));
            history.makes.extend(makes(record, other, own));
            doubts_of_undo(&mut doubts, other, own, patience);
        }
        if !own {
            continue;
        }
        let open = other.events.iter().filter(|planned| planned.unanswered);
        doubts.unanswered.extend(open.map(|open| open.event.key.clone()));
        // The newest stands first. One that lies elsewhere was kept, and is not written on.
        if begun.is_none()
            && other.folder == runs
            && other.schema == SCHEMA
            && other.is_whole().is_ok()
        {
            let planned = other.events.iter().map(|planned| planned.event.key.clone());
            begun = Some((other.name.clone(), planned.collect()));
        }
    }
    if history.by_looks {
        // What is there is there, whoever took and made what before.
        (history.takes, history.makes) = (BTreeSet::new(), Vec::new());
        let is_open = |undo: &&Record| undo.finished.is_none() || undo.tally().left() > 0;
        let open = |name: &str| others.iter().filter(is_open).any(|undo| undo.name == name);
        begun = begun.filter(|(name, _)| open(name));
    }
    Loss::of(&history, doubts, begun)
}

/// The ids that events got one after the other, by what changes and undos tell.
struct Moves(BTreeMap<EventKey, Vec<EventKey>>);

impl Moves {
    fn of(record: &Record, others: &[Record]) -> Self {
        let mut moves: BTreeMap<EventKey, Vec<EventKey>> = BTreeMap::new();
        for run in others.iter().rev().chain([record]) {
            let known = run.events.iter().map(|planned| &planned.event).chain(&run.bystanders);
            let known: BTreeSet<&EventKey> = known.map(|event| &event.key).collect();
            for planned in &run.events {
                let (first, key) = (planned.first_key(), &planned.event.key);
                if first != *key {
                    moves.entry(first).or_default().push(key.clone());
                }
                // An answer may name another event, which was there before.
                if let Some(new) = planned.new_key().filter(|new| !known.contains(new)) {
                    moves.entry(key.clone()).or_default().push(new);
                }
            }
        }
        Self(moves)
    }

    /// This id and all that came of it.
    fn from(&self, first: &EventKey) -> Vec<EventKey> {
        let mut keys = vec![first.clone()];
        let mut at = 0;
        while let Some(key) = keys.get(at) {
            let more = self.0.get(key).into_iter().flatten();
            let more: Vec<EventKey> = more.filter(|key| !keys.contains(key)).cloned().collect();
            keys.extend(more);
            at += 1;
        }
        keys
    }
}

/// What a change may have written, by key.
fn written(record: &Record, others: &[Record], moves: &Moves) -> Vec<Written> {
    let own = others.iter().filter(|it| it.undoes.as_ref() == Some(&record.name));
    let own = own.flat_map(|undo| &undo.events);
    let back = own.filter(|it| it.checked && it.outcome.is_done_by(Work::GivesBack));
    let back: BTreeSet<EventKey> = back.map(RecordedEvent::first_key).collect();
    let went = |it: &&RecordedEvent| it.sent || !matches!(it.outcome, Outcome::NotSent(_));
    let written = record.events.iter().filter(went).filter_map(|planned| {
        Some(Written {
            event: planned.event.clone(),
            change: planned.want.as_deref()?.clone(),
            // What no list showed since may have been altered in any field.
            altered: match planned.outcome.altered() {
                Some(altered) => altered.to_vec(),
                None if planned.checked => Vec::new(),
                None => FIELDS.to_vec(),
            },
            ids: moves.from(&planned.event.key).into_iter().map(|key| key.id).collect(),
            is_back: back.contains(&planned.event.key),
        })
    });
    let mut written: Vec<_> = written.collect();
    written.sort_by(|a, b| a.event.key.cmp(&b.event.key));
    written
}

/// Lists may not show yet what a change wrote, and a request without an answer may be carried out yet.
fn doubts_of_change(doubts: &mut Doubts, run: &Record, patience: Duration) {
    for sent in run.events.iter().filter(|it| it.sent && it.want.is_some()) {
        let after = if sent.unanswered { CAUGHT_UP + patience } else { CAUGHT_UP };
        let rest = rest_of(run, sent, after);
        if !rest.is_zero() {
            doubt_about(doubts, sent, rest, false);
        }
    }
}

/// What a request of a deletion may take yet, and what lists may still show though it is gone,
/// whatever was answered. Of the run that is undone nothing is believed at once where it does not know
/// what became of an event.
fn doubts_of_deletion(doubts: &mut Doubts, record: &Record, own: bool) {
    let mut last: BTreeMap<&ExtensionNumber, Duration> = BTreeMap::new();
    for sent in record.events.iter().filter(|planned| planned.sent) {
        let rest = last.entry(&sent.event.key.extension).or_default();
        *rest = rest_of(record, sent, CAUGHT_UP).max(*rest);
    }
    for sent in record.events.iter().filter(|planned| planned.sent) {
        let key = &sent.event.key;
        let rest = last.get(&key.extension).copied().unwrap_or_default();
        let is_open = record.finished.is_none() || matches!(sent.outcome, Outcome::Unknown(_));
        let (is_recent, always) = (!rest.is_zero(), is_open && (own || !rest.is_zero()));
        if is_recent || always {
            let doubt = doubt_about(doubts, sent, rest, always);
            doubt.unsure.extend(is_recent.then(|| key.clone()));
        }
    }
}

/// What an undo made, or may make yet, and no list confirmed: lists may not show it. An undo of the same
/// run is not believed at once where it was interrupted or had no clear answer.
fn doubts_of_undo(doubts: &mut Doubts, undo: &Record, own: bool, patience: Duration) {
    for sent in undo.events.iter().filter(|planned| planned.sent && planned.want.is_none()) {
        let is_sure = sent.checked && sent.outcome.new_id().is_some();
        let after = if sent.unanswered { CAUGHT_UP + patience } else { CAUGHT_UP };
        let rest = rest_of(undo, sent, after);
        let is_open = own && (!sent.checked || sent.unanswered);
        if !is_sure && (is_open || !rest.is_zero()) {
            doubt_about(doubts, sent, rest, true);
        }
    }
}

/// How long it takes until a list is believed, so long after a request was sent. Where its time cannot
/// be read it was sent before its file was last written.
fn rest_of(run: &Record, sent: &RecordedEvent, after: Duration) -> Duration {
    let at = sent.sent_at.or_else(|| run.written.filter(|_| run.schema > 1));
    let due = at.and_then(|at| at.checked_add(after).ok());
    let rest = due.and_then(|due| Duration::try_from(due.duration_since(clock())).ok());
    // A clock that was turned back lengthens no wait beyond that.
    rest.unwrap_or_default().min(after)
}

fn doubt_about<'a>(
    doubts: &'a mut Doubts,
    sent: &RecordedEvent,
    rest: Duration,
    always: bool,
) -> &'a mut Doubt {
    let doubt = doubts.lists.entry(sent.event.key.extension.clone()).or_default();
    (doubt.wait, doubt.always) = (rest.max(doubt.wait), always || doubt.always);
    doubt
}

/// What an undo made.
fn makes(record: &Record, undo: &Record, own: bool) -> Vec<Make> {
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let reviewed = time(&record.started).and_then(|at| at.checked_sub(REVIEWED).ok());
    let begun = time(&undo.started);
    let made = undo.events.iter().flat_map(|planned| {
        // What was found under another id is what the undone run wrote.
        let (key, found) = (planned.first_key(), planned.event.key.clone());
        let renamed =
            (key != found).then(|| Outcome::Done(Success::Changed, Some(found.id.as_str().into())));
        let first = PhoneCallEvent { key, ..planned.event.clone() };
        let renamed = renamed.and_then(|renamed| Make::of(&first, &renamed));
        let made = Make::of(&planned.event, &planned.outcome);
        let at = planned.sent_at.or(begun);
        let later = at.is_none_or(|at| reviewed.is_none_or(|reviewed| at >= reviewed));
        let gives_back = own && planned.checked;
        renamed.into_iter().chain(made).map(move |make| Make { gives_back, later, ..make })
    });
    made.collect()
}

/// What a run may have taken that no file tells the whole of.
fn lost(record: &Record) -> impl Iterator<Item = String> {
    let is_backup = record.kind.keeps();
    let may_be_gone = move |it: &Outcome| is_backup || !matches!(it, Outcome::NotSent(_));
    let lost = record.missing.iter().filter(move |(_, outcome)| may_be_gone(outcome));
    let lost = lost
        .map(|(place, _)| format!("cannot be given back: event {place}, as its line is damaged"));
    let unlisted = record.unlisted.iter().map(|gone| {
        let Unlisted { extension, id } = gone;
        format!("cannot be given back: {extension} {id}, as nothing but its id is known")
    });
    lost.chain(unlisted)
}

/// That, and how far the file is to be trusted.
fn remarks(record: &Record) -> Vec<String> {
    let name = &record.name;
    let cut = (record.kind.keeps() && record.finished.is_none())
        .then(|| format!("{name} has no end: what can be read of it is used line by line"));
    let in_part = (record.extent == Extent::InPart)
        .then(|| format!("{name} was made in part: not everything that was meant could be listed"));
    let first = record.without_sums().into_iter().chain(cut).chain(in_part);
    first.chain(lost(record)).collect()
}
