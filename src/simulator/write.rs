//! POST and PUT: events that are made and changed. Ids and dates come from a count of what was
//! written, never from a clock, so the same requests make the same events.

use fastrand::Rng;
use jiff::{Timestamp, tz};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::collection::Row as _;
use super::refusal::Refusal;
use super::route::number;
use super::shapes::{Shapes, Written};
use super::world::{Event, World};

/// The first change of every world is at this second, a new year's midnight in UTC.
const FIRST_CHANGE: i64 = 1_798_761_600;

/// Seconds between one change and the next.
const PACE: i64 = 60;

/// Which form of POST a world understands; the pages of v3 and v5 contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum CreatePath {
    /// `…/phoneCallEvents`, with the type in the body (v3, and the vendor's own client).
    #[serde(rename = "plain")]
    Plain,
    /// `…/phoneCallEvents/{type}` (v5).
    #[serde(rename = "with type")]
    WithType,
    /// Both forms.
    #[default]
    #[serde(rename = "both")]
    Both,
}

/// What a PUT does beside what it is asked for: the pages leave it open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Changes {
    /// The event has another id afterwards.
    pub renames: bool,
    /// Fields that stay as they are, whatever the body says.
    pub ignores: Vec<String>,
}

/// What a POST or PUT of a strange PBX does to the extension besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Besides {
    /// It does what it is asked for.
    #[default]
    Nothing,
    /// A second event like the one that was written.
    MakesTwo,
    /// The first other event is switched off.
    SwitchesOff,
    /// The first other event goes.
    Removes,
}

/// Where a request writes: user and number as in the path, then what follows them.
pub(super) struct Spot<'a> {
    pub(super) user: &'a str,
    pub(super) number: &'a str,
    pub(super) event_type: Option<&'a str>,
    pub(super) id: Option<&'a str>,
}

/// What a body says, as far as it says it.
struct Body(Map<String, Value>);

impl World {
    /// Makes an event, at the end of its extension.
    pub(super) fn create(&mut self, spot: &Spot<'_>, body: &[u8]) -> Result<Answer, Refusal> {
        let understood = match self.create_path {
            CreatePath::Plain => spot.event_type.is_none(),
            CreatePath::WithType => spot.event_type.is_some(),
            CreatePath::Both => true,
        };
        if !understood || spot.id.is_some() {
            return Err(Refusal::RequestNotImplemented);
        }
        let extension = self.extension(spot.number).ok_or(Refusal::ExtensionInvalid)?;
        match extension.refuse_write {
            Some(Refusal::PceIdInvalid) | None => {}
            Some(refusal) => return Err(refusal),
        }
        let body = Body::read(body)?;
        let in_body = body.number("type", 4, Refusal::PcetTypeInvalid)?;
        let in_path = match spot.event_type {
            Some(text) => {
                Some(number(text).filter(|&kind| kind <= 4).ok_or(Refusal::PcetTypeInvalid)?)
            }
            None => None,
        };
        if in_body.is_some() && in_path.is_some() && in_body != in_path {
            return Err(Refusal::PcetTypeInvalid);
        }
        let event_type = in_path.or(in_body).ok_or(Refusal::PcetTypeInvalid)?;
        let method = body.method()?.ok_or(Refusal::PceMethodInvalid)?;
        let url = body.url()?.ok_or(Refusal::PceUrlInvalid)?;
        let status = body.status()?.unwrap_or(1);
        let note = body.text("note").unwrap_or_default();
        let note = note.chars().take(self.note_limit.unwrap_or(usize::MAX)).collect();
        let (id, modified) = (self.new_id(), self.new_modified());
        let event = Event { event_type, id, method, url, note, status, modified };
        let answer = self.say(spot, self.shapes.create, &event);
        let extension = self.extension_mut(spot.number).ok_or(Refusal::ExtensionInvalid)?;
        extension.events.push(event.clone());
        self.do_besides(spot, &event);
        Ok(answer)
    }

    /// Changes the fields of an event that the body names, but never its type or id.
    pub(super) fn change(&mut self, spot: &Spot<'_>, body: &[u8]) -> Result<Answer, Refusal> {
        let extension = self.extension(spot.number).ok_or(Refusal::ExtensionInvalid)?;
        if let Some(refusal) = extension.refuse_write {
            return Err(refusal);
        }
        let kind = spot.event_type.and_then(number).ok_or(Refusal::PceTypeInvalid)?;
        let id = spot.id.ok_or(Refusal::PceIdInvalid)?;
        let place = extension.events.iter().position(|e| e.event_type == kind && e.id == id);
        let place = place.ok_or(Refusal::PceIdInvalid)?;
        let body = Body::read(body)?;
        let (method, url, status) = (body.method()?, body.url()?, body.status()?);
        let note = body.text("note");
        let ignores = |field: &str| self.changes.ignores.iter().any(|it| it == field);
        let method = method.filter(|_| !ignores("method"));
        let url = url.filter(|_| !ignores("url"));
        let status = status.filter(|_| !ignores("status"));
        let note = note.filter(|_| !ignores("note"));
        let (new_id, modified) = (self.changes.renames.then(|| self.new_id()), self.new_modified());
        let extension = self.extension_mut(spot.number).ok_or(Refusal::ExtensionInvalid)?;
        let event = extension.events.get_mut(place).ok_or(Refusal::PceIdInvalid)?;
        event.method = method.unwrap_or(event.method);
        event.status = status.unwrap_or(event.status);
        event.modified = modified;
        if let Some(url) = url {
            event.url = url;
        }
        if let Some(note) = note {
            event.note = note;
        }
        if let Some(id) = new_id {
            event.id = id;
        }
        let event = event.clone();
        self.do_besides(spot, &event);
        Ok(self.say(spot, self.shapes.update, &event))
    }

    /// What nobody asked for, once this event is written.
    fn do_besides(&mut self, spot: &Spot<'_>, written: &Event) {
        let (besides, id) = (self.besides, self.new_id());
        let Some(extension) = self.extension_mut(spot.number) else { return };
        let other = extension.events.iter().position(|event| event.id != written.id);
        match (besides, other) {
            (Besides::MakesTwo, _) => extension.events.push(Event { id, ..written.clone() }),
            (Besides::SwitchesOff, Some(other)) => {
                extension.events.iter_mut().skip(other).take(1).for_each(|event| event.status = 0);
            }
            (Besides::Removes, Some(other)) => drop(extension.events.remove(other)),
            (Besides::Nothing | Besides::SwitchesOff | Besides::Removes, _) => {}
        }
    }

    fn say(&self, spot: &Spot<'_>, shape: Written, event: &Event) -> Answer {
        let row = event.write(&self.shapes, &self.events_path(spot.user, spot.number));
        Shapes::written(shape, &event.id, &row)
    }

    /// Thirty letters and digits, like the ids of the pages.
    fn new_id(&self) -> String {
        let mut rng = Rng::with_seed(self.written);
        loop {
            let id: String = (0..30).map(|_| rng.alphanumeric()).collect();
            let mut events = self.extensions().flat_map(|each| &each.events);
            if events.all(|event| event.id != id) {
                return id;
            }
        }
    }

    /// Counts a change, and says when it was, with the offset of the vendor's sample.
    fn new_modified(&mut self) -> String {
        let count = i64::try_from(self.written).unwrap_or(i64::MAX);
        self.written = self.written.saturating_add(1);
        let second = FIRST_CHANGE.saturating_add(count.saturating_mul(PACE));
        let at = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        at.display_with_offset(tz::offset(3)).to_string()
    }
}

impl Body {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        // The pages say nothing about a body that is none; something broke.
        serde_json::from_slice(body).map(Self).map_err(|_| Refusal::InternalServerError)
    }

    /// A text, or the digits of a number; nothing where there is neither.
    fn text(&self, field: &str) -> Option<String> {
        match self.0.get(field)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A number from 0 to the highest, in quotes or without; the refusal if it is anything else.
    fn number(&self, field: &str, highest: u16, no: Refusal) -> Result<Option<u16>, Refusal> {
        if self.0.get(field).is_none_or(Value::is_null) {
            return Ok(None);
        }
        let found = self.text(field).as_deref().and_then(number);
        found.filter(|&value| value <= highest).map(Some).ok_or(no)
    }

    fn method(&self) -> Result<Option<u16>, Refusal> {
        self.number("method", 1, Refusal::PceMethodInvalid)
    }

    fn status(&self) -> Result<Option<u16>, Refusal> {
        self.number("status", 1, Refusal::PceStatusInvalid)
    }

    fn url(&self) -> Result<Option<String>, Refusal> {
        match self.0.get("url") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(url)) if !url.is_empty() => Ok(Some(url.clone())),
            Some(_) => Err(Refusal::PceUrlInvalid),
        }
    }
}

#[cfg(test)]
mod tests;
