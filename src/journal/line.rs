//! One line of a run file: the same type is written and read, so that the two cannot drift apart.
//!
//! A line of schema 2 ends in its own sum. What schema 1 wrote reads as the same lines; what it had
//! not yet is `None`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::change::{Kind, Plan, RunEnd, Tally, Unlisted};
use crate::domain::{
    Cause, Change, EventId, EventKey, EventType, ExtensionNumber, FIELDS, Failure, Foreign, Method,
    Modified, Outcome, PhoneCallEvent, RowText, Status, Stop, StopReason, Target, Word, Work,
};
use crate::origins::Process;

/// What stands before the sum of a line.
const SUM: &[u8] = b",\"sum\":\"";
/// What stands behind it.
const SUM_END: &[u8] = b"\"}\n";
/// The digits of a sum.
type Sum = [u8; 16];
/// So long are they with the quote and the brace behind them.
const SUM_TAIL: usize = size_of::<Sum>() + 2;

/// One line, by its field `line`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    /// First: what is planned, and where. It is [written](Head::write_to) by itself, as it can be
    /// longer than all others together.
    #[serde(skip_serializing)]
    Run(Head),
    /// One planned event.
    #[serde(borrow)]
    Event(Body<'a>),
    /// What else was listed on the same extensions.
    #[serde(borrow)]
    Bystander(Body<'a>),
    /// The plan is whole.
    Planned {
        /// How many events it has.
        events: usize,
        /// How many bystanders stand with them.
        bystanders: usize,
    },
    /// A process works on it from here on.
    Opened {
        at: String,
        #[serde(flatten)]
        process: Process,
        why: Why,
    },
    /// A call is about to go out.
    Sent {
        call: usize,
        first: usize,
        covers: usize,
        #[serde(default)]
        at: Option<String>,
    },
    /// What came of a call.
    Settled {
        call: usize,
        http_status: Option<u16>,
        outcomes: Vec<Said>,
        /// Returned ids that the plan did not cover.
        #[serde(default)]
        surplus: Vec<String>,
        /// Of a wide call: whether the answer leaves nothing open that it may have taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surplus_known: Option<bool>,
    },
    /// What listing again showed.
    Verified {
        complete: bool,
        /// What it said of the run as a whole.
        #[serde(default)]
        check: Option<String>,
        revised: Vec<Said>,
        surplus: Vec<Key>,
        /// What came back otherwise than it was to be.
        #[serde(default)]
        altered: Vec<Said>,
        /// Ids that an answer named beside the plan, and that are listed all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        still_there: Vec<Named>,
    },
    /// The run ended before everything was sent.
    Stopped(End),
    /// The run ended with everything sent.
    Finished(End),
}

/// Why a process opens a run file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Why {
    Run,
    Resume,
}

/// The first line; its calls are made while it is written, and lie close together once it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename = "run")]
pub(super) struct Head<C = RecordedCalls> {
    pub(super) schema: u32,
    pub(super) program: String,
    pub(super) kind: Kind,
    /// The run that an undo undoes.
    #[serde(default, alias = "undoes")]
    pub(super) of: Option<String>,
    pub(super) profile: String,
    pub(super) origin: String,
    #[serde(default)]
    pub(super) base_path: Option<String>,
    pub(super) user: String,
    /// The call form that was asked for.
    #[serde(default)]
    pub(super) form: Option<String>,
    pub(super) plan_hash: String,
    pub(super) started: String,
    pub(super) events: usize,
    pub(super) calls: C,
    /// Of an undo: how many events it leaves out, as something stands in for them.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) left_out: usize,
    /// Of a backup: how much of what was meant could be listed.
    #[serde(default, skip_serializing_if = "Extent::is_whole")]
    pub(super) extent: Extent,
}

/// How much of what a backup is to hold could be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Extent {
    #[default]
    Whole,
    InPart,
}

impl Extent {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
    fn is_whole(&self) -> bool {
        *self == Self::Whole
    }
}

impl Head {
    /// What stands for a first line that is lost, as far as a file's name tells it.
    pub(super) fn lost(profile: &str, schema: u32) -> Self {
        Self {
            schema,
            program: String::new(),
            kind: Kind::Delete,
            of: None,
            profile: profile.to_owned(),
            origin: String::new(),
            base_path: None,
            user: String::new(),
            form: None,
            plan_hash: String::new(),
            started: String::new(),
            events: 0,
            calls: RecordedCalls::default(),
            left_out: 0,
            extent: Extent::Whole,
        }
    }
}

impl Head<IgnoredAny> {
    /// Reads the line without its calls.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let is_right = !has_sum(line) || has_right_sum(line);
        let is_head = is_right && kind_of(line).as_deref() == Some("run");
        is_head.then(|| serde_json::from_slice(line).ok()).flatten()
    }
}

impl<C: Serialize> Head<C> {
    /// Writes the line with its sum and a line end, bit by bit.
    pub(super) fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let mut summed = BufWriter::new(Summed { out, sum: Sha256::new(), last: None });
        serde_json::to_writer(&mut summed, self)?;
        // The brace that closes the line comes behind the sum.
        let Summed { out, sum, last: _ } =
            summed.into_inner().map_err(io::IntoInnerError::into_error)?;
        [SUM, &digits_of(sum), SUM_END].into_iter().try_for_each(|part| out.write_all(part))
    }
}

/// Writes on and sums up, the last byte held back.
struct Summed<'a, W> {
    out: &'a mut W,
    sum: Sha256,
    last: Option<u8>,
}

impl<W: Write> Write for Summed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some((last, others)) = bytes.split_last() else { return Ok(0) };
        for part in [self.last.as_slice(), others] {
            self.sum.update(part);
            self.out.write_all(part)?;
        }
        self.last = Some(*last);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A planned call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct RecordedCall<'a> {
    /// `DELETE`, `POST` or `PUT`.
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    /// The path.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    /// How many events it covers.
    pub covers: usize,
}

/// The calls of a plan, each made while it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calls<'a>(pub(super) &'a Plan);

/// The calls of a plan as a file tells them: there are as many as events, so that their texts stand
/// in one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedCalls {
    text: String,
    calls: Vec<Placed>,
}

/// Where the method of a call ends and where its path does, which stands behind it; the next call
/// begins there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Placed {
    method: u32,
    path: u32,
    covers: usize,
}

/// What names an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) extension: String,
    #[serde(rename = "type")]
    pub(super) event_type: u16,
    pub(super) id: String,
}

/// An id that an answer named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) extension: String,
    pub(super) id: String,
}

/// An event, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Body<'a> {
    /// Its place among the planned events, or among the bystanders.
    #[serde(default)]
    pub(super) place: Option<usize>,
    #[serde(borrow)]
    pub(super) extension: Cow<'a, str>,
    /// The id of the extension's owner, where it is known.
    #[serde(borrow, default)]
    pub(super) owner: Option<Cow<'a, str>>,
    /// The user that stands in the paths of this extension.
    #[serde(borrow, default)]
    pub(super) path_user: Option<Cow<'a, str>>,
    #[serde(rename = "type")]
    pub(super) event_type: u16,
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    /// The row as the service wrote it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    raw: Option<Cow<'a, str>>,
    /// The same where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw64: Option<String>,
    /// The fields to be, in a change and its undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) want: Option<Value>,
    /// In the undo of a change: the id that it had in that run, where it is another one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) of_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) url: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) note: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    modified: Cow<'a, str>,
}

/// Texts that many events of a file have: each is held once.
#[derive(Debug, Default)]
pub(super) struct Shared {
    texts: HashSet<Arc<str>>,
    last: Option<ExtensionNumber>,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    /// Its place; in the lines of a call the order tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<usize>,
    pub(super) outcome: String,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) new_id: Option<String>,
    /// The fields that came back otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fields: Option<Vec<String>>,
}

/// How it ended, with the counts of its events by outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    #[serde(alias = "finished")]
    pub(super) at: String,
    /// Why it stopped.
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    /// Going on makes no sense before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<String>,
    #[serde(flatten, with = "counts")]
    pub(super) tally: Tally,
}

/// The counts of an end, each under the word of its outcome.
mod counts {
    use std::collections::BTreeMap;

    use serde::de::{Deserializer, Error};
    use serde::{Deserialize, Serializer};
    use serde_json::Value;

    use crate::change::Tally;
    use crate::domain::Word;

    /// What every version counts.
    const ALWAYS: [&str; 6] =
        ["deleted", "already_gone", "refused", "not_sent", "unknown", "restored"];

    pub(super) fn serialize<S: Serializer>(tally: &Tally, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(tally.each().map(|(word, count)| (word.written(), count)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Tally, D::Error> {
        let told = BTreeMap::<String, Value>::deserialize(from)?;
        if let Some(missing) = ALWAYS.into_iter().find(|name| !told.contains_key(*name)) {
            return Err(Error::missing_field(missing));
        }
        Word::all().try_fold(Tally::default(), |tally, word| match told.get(&word.written()) {
            Some(count) => usize::deserialize(count)
                .map(|count| tally.with(word, count))
                .map_err(Error::custom),
            None => Ok(tally),
        })
    }
}

/// Why a line is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// The line does not end in the sum of its bytes.
    #[error("its sum is wrong")]
    Sum,
    /// The line cannot be read; the reason.
    #[error("{0}")]
    Senseless(String),
    /// A newer program wrote the line.
    #[error("it is of a kind that this callsweep does not know")]
    Unknown,
}

impl<'a> Line<'a> {
    /// Appends the line as it stands in the file, with its sum and a line end.
    pub(super) fn append_to(&self, lines: &mut Vec<u8>) -> io::Result<()> {
        let start = lines.len();
        serde_json::to_writer(&mut *lines, self).inspect_err(|_| lines.truncate(start))?;
        // The brace that closes the line comes behind the sum.
        lines.pop();
        let sum = sum_of(lines.get(start..).unwrap_or_default());
        for part in [SUM, &sum, SUM_END] {
            lines.extend_from_slice(part);
        }
        Ok(())
    }

    /// Reads a line without its line end.
    pub(super) fn read(bytes: &'a [u8], has_sum: bool) -> Result<Self, Flaw> {
        if has_sum && !has_right_sum(bytes) {
            return Err(Flaw::Sum);
        }
        // The long ones and those that there are many of are read without a copy of every value.
        let read = match begins_with(bytes) {
            b"run" => serde_json::from_slice(bytes).map(Self::Run),
            b"event" => serde_json::from_slice(bytes).map(Self::Event),
            b"bystander" => serde_json::from_slice(bytes).map(Self::Bystander),
            _ => serde_json::from_slice(bytes),
        };
        read.map_err(|error| match kind_of(bytes) {
            Some(kind) if !KINDS.contains(&kind.as_str()) => Flaw::Unknown,
            _ => Flaw::Senseless(error.to_string()),
        })
    }
}

/// The kinds of lines that are known.
const KINDS: [&str; 10] = [
    "run",
    "event",
    "bystander",
    "planned",
    "opened",
    "sent",
    "settled",
    "verified",
    "stopped",
    "finished",
];

/// The kind of a line, where it says that first.
fn begins_with(line: &[u8]) -> &[u8] {
    let kind = line.strip_prefix(b"{\"line\":\"").unwrap_or_default();
    kind.split(|byte| *byte == b'"').next().unwrap_or_default()
}

fn kind_of(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Any {
        line: String,
    }
    serde_json::from_slice::<Any>(bytes).ok().map(|any| any.line)
}

/// Whether a line ends as those do that have a sum, right or wrong.
pub(super) fn has_sum(line: &[u8]) -> bool {
    line.len().checked_sub(SUM_TAIL + SUM.len()).is_some_and(|at| {
        line.get(at..).is_some_and(|tail| tail.starts_with(SUM) && tail.ends_with(b"\"}"))
    })
}

/// The event that a line holds, as far as its beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// The planned one of this place.
    Planned(usize),
    /// One that was listed beside the plan.
    Bystander,
}

/// The event that a line holds, by the beginning that every such line has; `None` of any other line.
pub(super) fn held(line: &[u8]) -> Option<Held> {
    if begins_with(line) == b"bystander" {
        return Some(Held::Bystander);
    }
    let place = line.strip_prefix(b"{\"line\":\"event\",\"place\":")?;
    let end = place.iter().position(|byte| !byte.is_ascii_digit())?;
    let digits = std::str::from_utf8(place.get(..end)?).ok()?;
    digits.parse().ok().map(Held::Planned)
}

/// Whether a line ends in the sum of what stands before it.
pub(super) fn has_right_sum(line: &[u8]) -> bool {
    let at = line.len().saturating_sub(SUM_TAIL + SUM.len());
    let (body, tail) = line.split_at(at);
    let digits = tail.strip_prefix(SUM).and_then(|tail| tail.strip_suffix(b"\"}"));
    digits.is_some_and(|digits| digits == sum_of(body))
}

fn sum_of(bytes: &[u8]) -> Sum {
    digits_of(Sha256::new_with_prefix(bytes))
}

fn digits_of(sum: Sha256) -> Sum {
    let first = sum.finalize().first_chunk().copied().unwrap_or_default();
    let mut digits = Sum::default();
    // There is room for just that.
    let _ = write!(digits.as_mut_slice(), "{:016x}", u64::from_be_bytes(first));
    digits
}

impl<'a> RecordedCall<'a> {
    /// Every call of a plan, one by one.
    pub fn of(plan: &'a Plan) -> impl Iterator<Item = Self> {
        (0..plan.calls()).filter_map(|at| {
            let (call, covers) = (plan.call(at)?, plan.covers(at).len());
            let (method, path) = (call.method().into(), call.path(plan.target()).into());
            Some(Self { method, path, covers })
        })
    }

    /// Whether it could take more than it covers: its path names no event.
    pub(super) fn is_wide(&self) -> bool {
        let tail = self.path.rsplit_once("/phoneCallEvents").map_or("", |(_, tail)| tail);
        self.method == "DELETE" && tail.matches('/').count() < 2
    }
}

impl RecordedCalls {
    /// How many.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// The call at this place.
    pub(super) fn get(&self, place: usize) -> Option<RecordedCall<'_>> {
        let Placed { method, path, covers } = *self.calls.get(place)?;
        let before = place.checked_sub(1).and_then(|place| self.calls.get(place));
        let start = before.map_or(0, |before| before.path);
        let text = |from: u32, to: u32| {
            let at = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
            self.text.get(at(from)..at(to)).unwrap_or_default().into()
        };
        Some(RecordedCall { method: text(start, method), path: text(method, path), covers })
    }

    /// Every call, one by one.
    pub fn iter(&self) -> impl Iterator<Item = RecordedCall<'_>> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// How many events they cover.
    pub(super) fn covers(&self) -> impl Iterator<Item = usize> {
        self.calls.iter().map(|call| call.covers)
    }

    fn push(&mut self, call: &RecordedCall<'_>) -> Result<(), std::num::TryFromIntError> {
        let mut end = |text: &str| {
            self.text.push_str(text);
            u32::try_from(self.text.len())
        };
        let (method, path) = (end(&call.method)?, end(&call.path)?);
        self.calls.push(Placed { method, path, covers: call.covers });
        Ok(())
    }
}

impl Serialize for RecordedCalls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for RecordedCalls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EachCall)
    }
}

/// Takes calls one by one.
struct EachCall;

impl<'de> Visitor<'de> for EachCall {
    type Value = RecordedCalls;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of calls")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut calls: A) -> Result<Self::Value, A::Error> {
        let mut all = RecordedCalls::default();
        while let Some(call) = calls.next_element::<RecordedCall<'_>>()? {
            all.push(&call).map_err(serde::de::Error::custom)?;
        }
        all.text.shrink_to_fit();
        Ok(all)
    }
}

impl Serialize for Calls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(RecordedCall::of(self.0))
    }
}

impl Named {
    pub(super) fn of(named: &Unlisted) -> Self {
        Self { extension: named.extension.to_string(), id: named.id.told().into_owned() }
    }
}

impl Key {
    pub(super) fn of(key: &EventKey) -> Self {
        let event_type = key.event_type.number();
        Self { extension: key.extension.to_string(), event_type, id: key.id.as_str().to_owned() }
    }

    pub(super) fn key(&self) -> Result<EventKey, String> {
        Ok(EventKey {
            extension: ExtensionNumber::parse(&self.extension).map_err(|no| no.to_string())?,
            event_type: EventType::from_number(self.event_type),
            id: EventId::parse(&self.id).map_err(|no| no.to_string())?,
        })
    }
}

impl Shared {
    /// The text that is held once.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// A number; the events of an extension stand together.
    fn number(&mut self, text: &str) -> Result<ExtensionNumber, String> {
        if let Some(last) = self.last.as_ref().filter(|last| last.as_str() == text) {
            return Ok(last.clone());
        }
        let new = ExtensionNumber::parse(text).map_err(|no| no.to_string())?;
        self.last = Some(new.clone());
        Ok(new)
    }
}

impl<'a> Body<'a> {
    /// Everything that is needed to write the event again, in the service's own notation.
    pub(super) fn of(place: usize, event: &'a PhoneCallEvent, target: &'a Target) -> Self {
        let extension = &event.key.extension;
        let text = event.text.as_ref().map(RowText::bytes);
        let raw = text.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let raw64 = text.filter(|_| raw.is_none()).map(|bytes| STANDARD.encode(bytes));
        Self {
            place: Some(place),
            extension: extension.as_str().into(),
            owner: target.owner_of(extension).map(|owner| owner.as_str().into()),
            path_user: Some(target.user_of(extension).as_str().into()),
            event_type: event.key.event_type.number(),
            id: event.key.id.as_str().into(),
            raw: raw.map(Cow::from),
            raw64,
            want: None,
            of_id: None,
            method: event.method.written().into(),
            url: event.url.raw().into(),
            note: event.note.raw().into(),
            status: event.status.written().into(),
            modified: event.modified.written().into(),
        }
    }

    /// The same of a planned event, with what is to become of it.
    pub(super) fn planned(place: usize, event: &'a PhoneCallEvent, plan: &'a Plan) -> Self {
        let want = plan.want(place).map(Change::value);
        let of_id = plan.of_id(place).map(|id| id.as_str().into());
        Self { want, of_id, ..Self::of(place, event, plan.target()) }
    }

    pub(super) fn event(&self, shared: &mut Shared) -> Result<PhoneCallEvent, String> {
        let text = match (&self.raw, &self.raw64) {
            (Some(raw), _) => Some(RowText::new(raw.as_bytes())),
            (None, Some(encoded)) => {
                let bytes = STANDARD.decode(encoded).map_err(|no| format!("raw64: {no}"))?;
                Some(RowText::new(&bytes))
            }
            (None, None) => None,
        };
        let row = text.as_ref().and_then(RowText::fields).unwrap_or_default();
        Ok(PhoneCallEvent {
            key: EventKey {
                extension: shared.number(&self.extension)?,
                event_type: EventType::from_number(self.event_type),
                id: EventId::parse(&self.id).map_err(|no| no.to_string())?,
            },
            method: Method::parse(&said_in(&row, "method", &self.method)),
            url: shared.text(&said_in(&row, "url", &self.url)).into(),
            note: shared.text(&said_in(&row, "note", &self.note)).into(),
            status: Status::parse(&said_in(&row, "status", &self.status)),
            modified: Modified::parse(&said_in(&row, "modified", &self.modified)),
            text,
        })
    }
}

/// What a row says in a field that it has once, as a text or a number: that counts, and what stands
/// beside the row is for people.
fn said_in<'a>(row: &[(String, String)], name: &str, beside: &'a str) -> Cow<'a, str> {
    let mut values = row.iter().filter(|(field, _)| field == name).map(|(_, value)| value);
    let (Some(value), None) = (values.next(), values.next()) else { return beside.into() };
    match serde_json::from_str(value) {
        Ok(Value::String(text)) => text.into(),
        Ok(Value::Number(_)) => value.clone().into(),
        Ok(_) | Err(_) => beside.into(),
    }
}

impl Said {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let failure = outcome.failure();
        let told = |text: &Foreign| text.told().into_owned();
        Self {
            event: None,
            outcome: outcome.word().written(),
            code: failure.map(|failure| told(&failure.code)),
            message: failure.map(Failure::told),
            new_id: outcome.new_id().map(told),
            fields: outcome.altered().map(|names| names.iter().map(|&name| name.into()).collect()),
        }
    }

    pub(super) fn of_event(event: usize, outcome: &Outcome) -> Self {
        Self { event: Some(event), ..Self::of(outcome) }
    }

    /// The outcome. A word that a newer program wrote leaves it unknown: what is not understood is
    /// not called done.
    pub(super) fn outcome(self, http_status: Option<u16>) -> Outcome {
        let failure = |cause| Failure {
            http_status,
            code: Foreign::from(self.code.clone().unwrap_or_default()),
            ..Failure::new(cause, self.message.clone().unwrap_or_default())
        };
        let id = self.new_id.clone().map(Foreign::from);
        match Word::read(&self.outcome) {
            Some(Word::Done(success)) => {
                Outcome::Done(success, id.filter(|_| !success.is(Work::Takes)))
            }
            Some(Word::AlreadyGone) => Outcome::AlreadyGone,
            Some(Word::Refused) => Outcome::Refused(failure(Cause::Rejected).into()),
            Some(Word::NotSent) => Outcome::NotSent(failure(Cause::Withheld).into()),
            Some(Word::Unknown) => Outcome::Unknown(failure(Cause::NoAnswer).into()),
            Some(Word::Altered) => {
                let told = self.fields.unwrap_or_default();
                let fields = FIELDS.into_iter().filter(|name| told.iter().any(|told| told == name));
                Outcome::Altered { id, fields: fields.collect() }
            }
            None => {
                let other = &self.outcome;
                let what =
                    format!("the run file says {other:?}, which this callsweep does not know");
                Outcome::Unknown(Failure::new(Cause::Unreadable, what).into())
            }
        }
    }
}

impl End {
    pub(super) fn of(end: &RunEnd, at: String) -> Self {
        let stop = end.stopped.as_ref();
        Self {
            at,
            reason: stop.map(|stop| stop.reason.name().to_owned()),
            message: stop.map(|stop| stop.message.told().into_owned()),
            not_before: stop.and_then(Stop::not_before),
            tally: end.tally,
        }
    }

    /// Why it stopped. A word that is not known was written by a newer program.
    pub(super) fn stop(&self) -> Stop {
        let word = self.reason.as_deref().unwrap_or_default();
        let message = self.message.as_deref().unwrap_or(word);
        let reason = StopReason::parse(word).unwrap_or(StopReason::Trouble);
        let not_before = self.not_before.as_deref().and_then(|time| time.parse().ok());
        Stop { not_before, ..Stop::new(reason, message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserId;

    fn sent() -> Line<'static> {
        Line::Sent { call: 3, first: 4, covers: 1, at: Some("2026-01-02T03:04:05.678Z".to_owned()) }
    }

    fn written(line: &Line<'_>) -> Vec<u8> {
        let mut lines = Vec::new();
        line.append_to(&mut lines).unwrap();
        lines
    }

    #[test]
    fn a_line_ends_in_the_sum_of_what_stands_before_it() {
        let text = String::from_utf8(written(&sent())).unwrap();
        let body = "{\"line\":\"sent\",\"call\":3,\"first\":4,\"covers\":1,\
                    \"at\":\"2026-01-02T03:04:05.678Z\"";
        let sum = String::from_utf8(sum_of(body.as_bytes()).to_vec()).unwrap();
        assert_eq!(text, format!("{body},\"sum\":\"{sum}\"}}\n"));
        assert_eq!(sum_of(b"abc"), *b"ba7816bf8f01cfea");
    }

    #[test]
    fn a_byte_that_is_another_makes_the_sum_wrong() {
        let bytes = written(&sent());
        let line = bytes.trim_ascii_end();
        assert!(has_sum(line));
        assert_eq!(Line::read(line, true), Ok(sent()));
        for place in 0..line.len() {
            let mut other = line.to_owned();
            other[place] ^= 1;
            assert_eq!(Line::read(&other, true), Err(Flaw::Sum), "{place}");
            assert_eq!(Line::read(&line[..place], true), Err(Flaw::Sum), "{place}");
        }
    }

    #[test]
    fn every_kind_that_is_written_is_known() {
        for kind in KINDS {
            let line = format!("{{\"line\":{kind:?}}}");
            let flaw = Line::read(line.as_bytes(), false);
            assert!(matches!(flaw, Err(Flaw::Senseless(_))), "{kind}: {flaw:?}");
        }
        let newer = Line::read(b"{\"line\":\"note\",\"text\":1}", false);
        assert_eq!(newer, Err(Flaw::Unknown));
    }

    #[test]
    fn a_text_that_is_none_is_kept_as_bytes() {
        let key = Key { extension: "210".to_owned(), event_type: 0, id: "a".to_owned() };
        let user = UserId::parse("@me").unwrap();
        let target = Target::new("acme", "https://pbx.test", "/uapi", user).unwrap();
        for bytes in [&b"{\"note\":\"caf\xe9\"}"[..], b"{\n\t\"id\": \"a\" }"] {
            let event = PhoneCallEvent {
                key: key.key().unwrap(),
                method: Method::Get,
                url: Foreign::default(),
                note: Foreign::default(),
                status: Status::Enabled,
                modified: Modified::Missing,
                text: Some(RowText::new(bytes)),
            };
            let body = Body::of(7, &event, &target);
            assert_eq!(body.raw.is_some(), bytes.is_ascii());
            let line = written(&Line::Event(body));
            assert_eq!(line.split(|byte| *byte == b'\n').count(), 2);
            let Ok(Line::Event(back)) = Line::read(line.trim_ascii_end(), true) else {
                panic!("no event")
            };
            let back = back.event(&mut Shared::default()).unwrap();
            assert_eq!(back.text.unwrap().bytes(), bytes);
        }
    }
}
