//! One line of a run file: the same type is written and read, so that the two cannot drift apart.
//!
//! A line of schema 2 ends in its own sum. What schema 1 wrote reads as the same lines; what it had
//! not yet is `None`.

use std::fmt::Write as _;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::change::{Kind, Plan, RunEnd, Tally, Unlisted};
use crate::domain::{
    Cause, Change, EventId, EventKey, EventType, ExtensionNumber, FIELDS, Failure, Foreign, Method,
    Modified, Outcome, PhoneCallEvent, RowText, Status, Stop, StopReason, Target,
};
use crate::origins::Process;

/// What stands before the sum of a line.
const SUM: &[u8] = b",\"sum\":\"";
/// Bytes of the hash that make a sum: two digits each.
const SUM_BYTES: usize = 8;
/// Digits of a sum with the quote and the brace behind them.
const SUM_TAIL: usize = 2 * SUM_BYTES + 2;

/// One line, by its field `line`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(super) enum Line {
    /// First: what is planned, and where.
    Run(Head),
    /// One planned event.
    Event(Body),
    /// What else was listed on the same extensions.
    Bystander(Body),
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
    /// It ended before everything was sent.
    Stopped(End),
    /// It came to its end.
    Finished(End),
}

/// Why a process opens a run file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Why {
    Run,
    Resume,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
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
    pub(super) calls: Vec<RecordedCall>,
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
            calls: Vec::new(),
            left_out: 0,
            extent: Extent::Whole,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A planned call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct RecordedCall {
    /// `DELETE`, `POST` or `PUT`.
    pub method: String,
    /// The path.
    pub path: String,
    /// How many events it covers.
    pub covers: usize,
}

/// The calls of a plan, each made while it is written.
#[derive(Debug, Clone, Copy)]
pub struct Calls<'a>(pub &'a Plan);

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
pub(super) struct Body {
    /// Its place among the planned events, or among the bystanders.
    #[serde(default)]
    pub(super) place: Option<usize>,
    pub(super) extension: String,
    /// The id of the extension's owner, where it is known.
    #[serde(default)]
    pub(super) owner: Option<String>,
    /// The user that stands in the paths of this extension.
    #[serde(default)]
    pub(super) path_user: Option<String>,
    #[serde(rename = "type")]
    pub(super) event_type: u16,
    pub(super) id: String,
    /// The row as the service wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
    /// The same where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw64: Option<String>,
    /// The fields to be, in a change and its undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) want: Option<Value>,
    /// In the undo of a change: the id that it had in that run, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) of_id: Option<String>,
    method: String,
    url: String,
    note: String,
    status: String,
    modified: String,
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
    deleted: usize,
    #[serde(default)]
    changed: usize,
    already_gone: usize,
    refused: usize,
    not_sent: usize,
    unknown: usize,
    restored: usize,
    #[serde(default)]
    altered: usize,
}

/// Why a line is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// It does not end in the sum of its bytes.
    #[error("its sum is wrong")]
    Sum,
    /// It makes no sense.
    #[error("{0}")]
    Senseless(String),
    /// A newer program wrote it.
    #[error("it is of a kind that this callsweep does not know")]
    Unknown,
}

impl Line {
    /// The line as it stands in the file, with its sum and a line end.
    pub(super) fn written(&self) -> io::Result<Vec<u8>> {
        let mut text = serde_json::to_string(self).map_err(io::Error::other)?;
        text.pop();
        let sum = sum_of(text.as_bytes());
        let _ = write!(text, ",\"sum\":\"{sum}\"}}");
        text.push('\n');
        Ok(text.into_bytes())
    }

    /// Reads a line without its line end.
    pub(super) fn read(bytes: &[u8], has_sum: bool) -> Result<Self, Flaw> {
        if has_sum && !has_right_sum(bytes) {
            return Err(Flaw::Sum);
        }
        serde_json::from_slice(bytes).map_err(|error| match kind_of(bytes) {
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
    if line.starts_with(b"{\"line\":\"bystander\",") {
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
    digits.is_some_and(|digits| digits == sum_of(body).as_bytes())
}

fn sum_of(bytes: &[u8]) -> String {
    let mut sum = String::with_capacity(2 * SUM_BYTES);
    for byte in Sha256::digest(bytes).iter().take(SUM_BYTES) {
        let _ = write!(sum, "{byte:02x}");
    }
    sum
}

impl RecordedCall {
    /// Every call of a plan, one by one.
    pub fn of(plan: &Plan) -> impl Iterator<Item = Self> {
        (0..plan.calls()).filter_map(|at| {
            let (call, covers) = (plan.call(at)?, plan.covers(at).len());
            let (method, path) = (call.method().to_owned(), call.path(plan.target()));
            Some(Self { method, path, covers })
        })
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
        key_of(&self.extension, self.event_type, &self.id)
    }
}

fn key_of(extension: &str, event_type: u16, id: &str) -> Result<EventKey, String> {
    Ok(EventKey {
        extension: ExtensionNumber::parse(extension).map_err(|no| no.to_string())?,
        event_type: EventType::from_number(event_type),
        id: EventId::parse(id).map_err(|no| no.to_string())?,
    })
}

impl Body {
    /// Everything that is needed to write the event again, in the service's own notation.
    pub(super) fn of(place: usize, event: &PhoneCallEvent, target: &Target) -> Self {
        let extension = &event.key.extension;
        let text = event.text.as_ref().map(RowText::bytes);
        let raw = text.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let raw64 = text.filter(|_| raw.is_none()).map(|bytes| STANDARD.encode(bytes));
        Self {
            place: Some(place),
            extension: extension.to_string(),
            owner: target.owner_of(extension).map(ToString::to_string),
            path_user: Some(target.user_of(extension).to_string()),
            event_type: event.key.event_type.number(),
            id: event.key.id.as_str().to_owned(),
            raw: raw.map(str::to_owned),
            raw64,
            want: None,
            of_id: None,
            method: event.method.written().to_owned(),
            url: event.url.raw().to_owned(),
            note: event.note.raw().to_owned(),
            status: event.status.written().to_owned(),
            modified: event.modified.written(),
        }
    }

    /// The same of a planned event, with what is to become of it.
    pub(super) fn planned(place: usize, event: &PhoneCallEvent, plan: &Plan) -> Self {
        let want = plan.want(place).map(Change::value);
        let of_id = plan.of_id(place).map(|id| id.as_str().to_owned());
        Self { want, of_id, ..Self::of(place, event, plan.target()) }
    }

    pub(super) fn event(&self) -> Result<PhoneCallEvent, String> {
        let text = match (&self.raw, &self.raw64) {
            (Some(raw), _) => Some(RowText::new(raw.as_bytes())),
            (None, Some(encoded)) => {
                let bytes = STANDARD.decode(encoded).map_err(|no| format!("raw64: {no}"))?;
                Some(RowText::new(&bytes))
            }
            (None, None) => None,
        };
        Ok(PhoneCallEvent {
            key: key_of(&self.extension, self.event_type, &self.id)?,
            method: Method::parse(&self.method),
            url: Foreign::from(self.url.as_str()),
            note: Foreign::from(self.note.as_str()),
            status: Status::parse(&self.status),
            modified: Modified::parse(&self.modified),
            text,
        })
    }
}

impl Said {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let failure = outcome.failure();
        let told = |text: &Foreign| text.told().into_owned();
        Self {
            event: None,
            outcome: outcome.name().replace(' ', "_"),
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
        match self.outcome.as_str() {
            "deleted" => Outcome::Deleted,
            "changed" => Outcome::Changed(self.new_id.map(Foreign::from)),
            "already_gone" => Outcome::AlreadyGone,
            "refused" => Outcome::Refused(failure(Cause::Rejected)),
            "not_sent" => Outcome::NotSent(failure(Cause::Withheld)),
            "unknown" => Outcome::Unknown(failure(Cause::NoAnswer)),
            "restored" => Outcome::Restored(self.new_id.map(Foreign::from)),
            "altered" => {
                let told = self.fields.unwrap_or_default();
                let fields = FIELDS.into_iter().filter(|name| told.iter().any(|told| told == name));
                let id = self.new_id.map(Foreign::from);
                Outcome::Altered { id, fields: fields.collect() }
            }
            other => {
                let what =
                    format!("the run file says {other:?}, which this callsweep does not know");
                Outcome::Unknown(Failure::new(Cause::Unreadable, what))
            }
        }
    }
}

impl End {
    pub(super) fn of(end: &RunEnd, at: String) -> Self {
        let tally = end.tally;
        let stop = end.stopped.as_ref();
        Self {
            at,
            reason: stop.map(|stop| stop.reason.name().to_owned()),
            message: stop.map(|stop| stop.message.told().into_owned()),
            not_before: stop.and_then(Stop::not_before),
            deleted: tally.deleted,
            changed: tally.changed,
            already_gone: tally.already_gone,
            refused: tally.refused,
            not_sent: tally.not_sent,
            unknown: tally.unknown,
            restored: tally.restored,
            altered: tally.altered,
        }
    }

    /// Its counts.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            deleted: self.deleted,
            changed: self.changed,
            already_gone: self.already_gone,
            refused: self.refused,
            not_sent: self.not_sent,
            unknown: self.unknown,
            restored: self.restored,
            altered: self.altered,
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

    fn sent() -> Line {
        Line::Sent { call: 3, first: 4, covers: 1, at: Some("2026-01-02T03:04:05.678Z".to_owned()) }
    }

    #[test]
    fn a_line_ends_in_the_sum_of_what_stands_before_it() {
        let bytes = sent().written().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let body = "{\"line\":\"sent\",\"call\":3,\"first\":4,\"covers\":1,\
                    \"at\":\"2026-01-02T03:04:05.678Z\"";
        assert_eq!(text, format!("{body},\"sum\":\"{}\"}}\n", sum_of(body.as_bytes())));
        assert_eq!(sum_of(b"abc"), "ba7816bf8f01cfea");
    }

    #[test]
    fn a_byte_that_is_another_makes_the_sum_wrong() {
        let bytes = sent().written().unwrap();
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
            let flaw = Line::read(format!("{{\"line\":{kind:?}}}").as_bytes(), false);
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
            let line = Line::Event(body).written().unwrap();
            assert_eq!(line.split(|byte| *byte == b'\n').count(), 2);
            let Ok(Line::Event(back)) = Line::read(line.trim_ascii_end(), true) else {
                panic!("no event")
            };
            assert_eq!(back.event().unwrap().text.unwrap().bytes(), bytes);
        }
    }
}
