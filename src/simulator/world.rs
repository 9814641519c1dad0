//! The PBX as a value: what it holds, and what it answers to whom.
//!
//! Nothing here waits, reads a clock or knows a socket: the same requests in the same order get
//! the same answers.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::answer::{Answer, Request};
use super::blocker::Watch;
use super::collection::{IdRow, Query, Row};
use super::fault::{Fault, Rule};
use super::limit::Limiter;
use super::oauth::OAuth;
use super::owners::{Owners, Reach, User};
use super::refusal::Refusal;
use super::route::{Place, Route, number, route};
use super::shapes::Shapes;
use super::soap::{self, Soap};
use super::write::{Besides, Changes, CreatePath, Spot};

/// Requests kept in the log before the older half of it is dropped.
const LOG_LIMIT: usize = 100_000;

/// The PBX: extensions, their events, who may come in, and how it behaves.
#[derive(Debug, Clone)]
pub struct World {
    name: String,
    token: String,
    pub(super) oauth: OAuth,
    pub(super) user: String,
    pub(super) users: Vec<User>,
    /// What a path's user reaches, and what is told of owners.
    pub owners: Owners,
    base_path: String,
    extensions: BTreeMap<String, Extension>,
    rules: Vec<Rule>,
    pub(super) watch: Watch,
    pub(super) limiter: Option<Limiter>,
    pub(super) start: Timestamp,
    seen: Vec<Seen>,
    /// How many events were made or changed, by which new ids and dates are made.
    pub(super) written: u64,
    /// How long answers take.
    pub latency: Latency,
    /// How everything is written.
    pub shapes: Shapes,
    /// Which form of POST is understood.
    pub create_path: CreatePath,
    /// What a DELETE that worked answers.
    pub delete_answer: DeleteAnswer,
    /// How a DELETE with a type and no id is read.
    pub type_delete: TypeDelete,
    /// What a PUT does beside what it is asked for.
    pub changes: Changes,
    /// Longer notes are cut off when an event is made.
    pub note_limit: Option<usize>,
    /// What a POST or PUT does besides; no scenario says it.
    pub besides: Besides,
    /// Listings show what was there so long before.
    pub list_lag: Duration,
    /// What extensions held before each change, the oldest first, as far as a lag needs it.
    past: Vec<(Duration, String, Vec<Event>)>,
    /// Requests that are acted on later, whatever was answered.
    pub(super) late: Vec<(Duration, Request)>,
    /// Which SystemAPI there is.
    pub soap: Soap,
    /// Answers after which the server ends a connection without having said so.
    pub close_after: Option<u32>,
}

/// What can carry events, in the words of the vendor's SystemAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// A phone, the only kind that presence lists.
    #[serde(rename = "term")]
    Terminal,
    /// A queue.
    #[serde(rename = "phoneQueue")]
    Queue,
    /// An interactive voice response menu.
    #[serde(rename = "ivr")]
    Ivr,
    /// A conference room.
    #[serde(rename = "conference")]
    Conference,
}

/// One extension of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    number: String,
    /// What it is.
    pub kind: Kind,
    /// What people call it. Only SystemAPI tells it.
    pub label: String,
    /// The id of the user it belongs to; none is the one whose token opens the world.
    pub owner: Option<String>,
    /// Whether its phone is registered.
    pub online: bool,
    /// What every DELETE on it gets. `pce_id_invalid` is about an id, so it refuses the form
    /// with an id only.
    pub refuse_delete: Option<Refusal>,
    /// What every listing of it gets.
    pub refuse_list: Option<Refusal>,
    /// What every POST and PUT on it gets. `pce_id_invalid` refuses the PUT only.
    pub refuse_write: Option<Refusal>,
    /// In the order of listings.
    pub events: Vec<Event>,
}

/// One phone call event; numbers as the service counts, also such that mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// 0 dial-in, 1 dial-out, 2 hangup, 3 answer on incoming, 4 answer on outgoing.
    pub event_type: u16,
    /// Unique in its world.
    pub id: String,
    /// 0 GET, 1 POST.
    pub method: u16,
    /// What the PBX requests.
    pub url: String,
    /// A remark.
    pub note: String,
    /// 0 disabled, 1 enabled.
    pub status: u16,
    /// An XML Schema dateTime.
    pub modified: String,
}

/// How long answers take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// Presence.
    pub presence: Duration,
    /// Every DELETE.
    pub delete: Duration,
    /// Latency of everything else.
    pub get: Duration,
}

/// What a DELETE that worked answers; the page allows both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum DeleteAnswer {
    /// 200 with an array of ids.
    #[default]
    #[serde(rename = "ids")]
    Ids,
    /// 204.
    #[serde(rename = "no content")]
    NoContent,
}

/// The two readings of a DELETE with a type and no id. The page says only that a missing id
/// deletes all events of the extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum TypeDelete {
    /// The events of that type go.
    #[default]
    #[serde(rename = "narrow")]
    Narrow,
    /// All events of the extension go.
    #[serde(rename = "wipes extension")]
    WipesExtension,
}

/// One line of the world's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The target, undecoded.
    pub target: String,
    /// The `Authorization` header as received.
    pub authorization: Option<String>,
    /// The status answered, also where the connection was closed instead; 0 for an address
    /// that is blocked.
    pub status: u16,
}

impl Extension {
    /// An extension without events that refuses nothing; its phone is registered.
    pub fn new(number: &str, kind: Kind, label: &str) -> Self {
        Self {
            number: number.to_owned(),
            kind,
            label: label.to_owned(),
            owner: None,
            online: true,
            refuse_delete: None,
            refuse_list: None,
            refuse_write: None,
            events: Vec::new(),
        }
    }

    /// What names it, short or with the client's number before a `*`.
    pub fn number(&self) -> &str {
        &self.number
    }
}

impl World {
    /// A world with nobody in it: user 12, base path `/uapi`, no latency, no faults.
    pub fn new(name: &str, token: &str) -> Self {
        Self {
            name: name.to_owned(),
            token: token.to_owned(),
            oauth: OAuth::default(),
            user: "12".to_owned(),
            users: Vec::new(),
            owners: Owners::default(),
            base_path: "/uapi".to_owned(),
            extensions: BTreeMap::new(),
            rules: Vec::new(),
            watch: Watch::default(),
            limiter: None,
            start: Timestamp::UNIX_EPOCH,
            changes: Changes::default(),
            note_limit: None,
            besides: Besides::default(),
            list_lag: Duration::ZERO,
            past: Vec::new(),
            late: Vec::new(),
            seen: Vec::new(),
            written: 0,
            shapes: Shapes::default(),
            create_path: CreatePath::default(),
            latency: Latency::default(),
            delete_answer: DeleteAnswer::default(),
            type_delete: TypeDelete::default(),
            soap: Soap::default(),
            close_after: None,
        }
    }

    /// What this world is about, as a sentence.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bearer token that opens it.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Makes the old token worthless, as an expiry does.
    pub fn set_token(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    /// The numeric id of the user whose extensions these are.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Gives the user another id.
    pub fn set_user(&mut self, user: &str) {
        user.clone_into(&mut self.user);
    }

    /// The start of every path of the service.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Moves the service, to `/unifiedapi` for example.
    pub fn set_base_path(&mut self, base_path: &str) {
        base_path.trim_end_matches('/').clone_into(&mut self.base_path);
    }

    /// All extensions, ordered by number.
    pub fn extensions(&self) -> impl Iterator<Item = &Extension> {
        self.extensions.values()
    }

    /// The extension with this number.
    pub fn extension(&self, number: &str) -> Option<&Extension> {
        self.extensions.get(number)
    }

    /// The extension with this number, to be changed behind the client's back.
    pub fn extension_mut(&mut self, number: &str) -> Option<&mut Extension> {
        self.extensions.get_mut(number)
    }

    /// Puts an extension in, in place of one with the same number.
    pub fn insert(&mut self, extension: Extension) {
        self.extensions.insert(extension.number.clone(), extension);
    }

    /// Takes an extension out with all its events.
    pub fn remove(&mut self, number: &str) -> Option<Extension> {
        self.extensions.remove(number)
    }

    /// The ids of an extension's events in the order of listings; none if there is no extension.
    pub fn event_ids(&self, number: &str) -> Vec<&str> {
        self.extension(number).map_or_else(Vec::new, |extension| {
            let ids = extension.events.iter().map(|event| event.id.as_str());
            ids.collect()
        })
    }

    /// How many events there are on all extensions.
    pub fn event_count(&self) -> usize {
        self.extensions().map(|each| each.events.len()).sum()
    }

    /// The queues, menus and conferences, which presence does not list: a client has to ask
    /// SystemAPI for them or be given them.
    pub fn numbers_outside_presence(&self) -> Vec<String> {
        self.extensions()
            .filter(|extension| extension.kind != Kind::Terminal)
            .map(|extension| extension.number.clone())
            .collect()
    }

    /// Adds a rule behind those there are.
    pub fn add_fault(&mut self, fault: Fault) {
        self.rules.push(Rule::new(fault));
    }

    /// Ends all trouble.
    pub fn clear_faults(&mut self) {
        self.rules.clear();
    }

    /// What was asked so far, oldest first; of a very long log the older part is dropped.
    pub fn requests(&self) -> &[Seen] {
        &self.seen
    }

    /// Starts the log anew.
    pub fn forget_requests(&mut self) {
        self.seen.clear();
    }

    /// Acts on a request and says what the service says.
    pub fn answer(&mut self, request: &Request) -> Answer {
        self.catch_up(request.at);
        let answer = match self.turn_away(request) {
            Some(answer) => answer,
            None => self.serve_or_fail(request),
        };
        self.watch.note(request, &answer);
        if self.seen.len() >= LOG_LIMIT {
            self.seen.drain(..LOG_LIMIT / 2);
        }
        self.seen.push(Seen {
            method: request.method.clone(),
            target: request.target.clone(),
            authorization: request.authorization.clone(),
            status: answer.status,
        });
        answer
    }

    /// What stands before the service and keeps a request from it.
    fn turn_away(&mut self, request: &Request) -> Option<Answer> {
        if self.watch.has_struck() {
            return Some(Answer::cut());
        }
        self.limiter.as_mut()?.refuse(request, self.start, &self.shapes)
    }

    fn serve_or_fail(&mut self, request: &Request) -> Answer {
        let mut fault = None;
        for rule in &mut self.rules {
            if rule.fires(request) && fault.is_none() {
                fault = Some(rule.fault.clone());
            }
        }
        let Some(fault) = fault else {
            return self.serve(request);
        };
        let real = fault.lets_act().then(|| self.serve(request));
        if let Some(after) = fault.acts_after() {
            self.late.push((request.at.saturating_add(after), request.clone()));
        }
        fault.answer(real, &self.shapes)
    }

    /// Acts on what was put off until now; of a world that nobody asks, the rest is for whoever
    /// looks at it afterwards.
    pub fn catch_up(&mut self, now: Duration) {
        for (_, request) in self.late.extract_if(.., |(due, _)| *due <= now).collect::<Vec<_>>() {
            // It was answered long ago.
            let _answered = self.serve(&request);
        }
    }

    fn serve(&mut self, request: &Request) -> Answer {
        if OAuth::is_asked(&request.target) {
            return self.oauth.answer(request);
        }
        if let Some(answer) = soap::answer(self, request) {
            return Answer { delay: self.latency.get, ..answer };
        }
        let place = match route(&self.base_path, &request.target) {
            Route::Outside => return Answer::not_found(),
            Route::Nowhere => None,
            Route::To(place) => Some(place),
        };
        let delay = match (request.method.as_str(), &place) {
            ("DELETE", _) => self.latency.delete,
            (_, Some(Place::Presence { .. })) => self.latency.presence,
            (_, Some(Place::Events { .. }) | None) => self.latency.get,
        };
        let answer = self.admit(request).and_then(|()| match place {
            Some(place) => self.act(request, &place),
            None => Err(Refusal::RequestNotImplemented),
        });
        Answer { delay, ..answer.unwrap_or_else(|no| self.shapes.refusal(no)) }
    }

    /// Whether a token opens this world.
    pub(super) fn takes(&self, token: &str) -> bool {
        token == self.token || self.oauth.admits(token)
    }

    fn admit(&self, request: &Request) -> Result<(), Refusal> {
        let header = request.authorization.as_deref().and_then(|header| header.split_once(' '));
        let bearer = header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        if bearer.is_some_and(|(_, token)| self.takes(token)) {
            Ok(())
        } else {
            Err(Refusal::AccessDenied)
        }
    }

    /// Every request the service knows is an arm here.
    fn act(&mut self, request: &Request, place: &Place) -> Result<Answer, Refusal> {
        match (request.method.as_str(), place) {
            ("GET", Place::Presence { user, extension }) => {
                // `@self` is all extensions of a user, `@owner` the user of one extension: the
                // pages forbid the two together.
                if user == "@owner" && extension == "@self" {
                    return Err(Refusal::UserInvalid);
                }
                if !self.knows_user(user) {
                    return Err(Refusal::UserInvalid);
                }
                self.presence(user, extension, &Query::parse::<Extension>(&request.target)?)
            }
            (method, Place::Events { user, extension, event_type, id }) => {
                let (event_type, id) = (event_type.as_deref(), id.as_deref());
                let extension = &self.full_number(extension);
                match self.reach(user, extension, method != "GET")? {
                    Reach::Empty => return self.nothing::<Event>(&request.target),
                    Reach::Reached => {}
                }
                let spot = Spot { user, number: extension, event_type, id };
                if method != "GET" {
                    self.remember(extension, request.at);
                }
                match method {
                    "GET" => self.list(&spot, &Query::parse::<Event>(&request.target)?, request.at),
                    "POST" => self.create(&spot, &request.body),
                    "PUT" => self.change(&spot, &request.body),
                    "DELETE" => self.delete(extension, event_type, id),
                    _ => Err(Refusal::RequestNotImplemented),
                }
            }
            _ => Err(Refusal::RequestNotImplemented),
        }
    }

    /// A list of nothing.
    fn nothing<T: Row>(&self, target: &str) -> Result<Answer, Refusal> {
        Ok(Query::parse::<T>(target)?.of(Vec::<&T>::new(), &self.shapes, "", false))
    }

    fn presence(&self, user: &str, number: &str, query: &Query<'_>) -> Result<Answer, Refusal> {
        let full = self.full_number(number);
        let terminals: Vec<Extension> = self
            .extensions()
            .filter(|extension| extension.kind == Kind::Terminal && self.presents(user, extension))
            .filter(|extension| number == "@self" || extension.number == full)
            .map(|extension| Extension {
                number: self.presence_number(&extension.number).to_owned(),
                online: extension.online,
                ..Extension::new("", Kind::Terminal, "")
            })
            .collect();
        if number != "@self" && terminals.is_empty() {
            return Err(Refusal::ExtensionInvalid);
        }
        Ok(query.of(terminals.iter().collect(), &self.shapes, "", false))
    }

    /// Keeps what an extension holds before it is written to, for listings that lag.
    fn remember(&mut self, number: &str, now: Duration) {
        let lag = self.list_lag;
        self.past.retain(|(at, ..)| at.saturating_add(lag) > now);
        if let Some(extension) = self.extensions.get(number).filter(|_| !lag.is_zero()) {
            self.past.push((now, number.to_owned(), extension.events.clone()));
        }
    }

    /// What a listing shows: the world of before, where it lags.
    fn shown<'a>(&'a self, extension: &'a Extension, now: Duration) -> &'a [Event] {
        let recent = |(at, number, _): &&(Duration, String, Vec<Event>)| {
            *number == extension.number && at.saturating_add(self.list_lag) > now
        };
        self.past.iter().find(recent).map_or(&extension.events, |(.., events)| events)
    }

    fn list(&self, spot: &Spot<'_>, query: &Query<'_>, now: Duration) -> Result<Answer, Refusal> {
        let extension = self.extension(spot.number).ok_or(Refusal::ExtensionInvalid)?;
        if let Some(refusal) = extension.refuse_list {
            return Err(refusal);
        }
        let event_type = spot.event_type.map(type_number).transpose()?;
        let events: Vec<&Event> = self
            .shown(extension, now)
            .iter()
            .filter(|event| event_type.is_none_or(|wanted| wanted == event.event_type))
            .filter(|event| spot.id.is_none_or(|wanted| wanted == event.id))
            .collect();
        if spot.id.is_some() && events.is_empty() {
            return Err(Refusal::PceIdInvalid);
        }
        let at = self.events_path(spot.user, spot.number);
        Ok(query.of(events, &self.shapes, &at, spot.id.is_some()))
    }

    /// The path of an extension's events.
    pub(super) fn events_path(&self, user: &str, number: &str) -> String {
        format!("{}/extensions/{user}/{number}/phoneCallEvents", self.base_path)
    }

    fn delete(
        &mut self,
        number: &str,
        event_type: Option<&str>,
        id: Option<&str>,
    ) -> Result<Answer, Refusal> {
        let wipes = self.type_delete == TypeDelete::WipesExtension;
        let extension = self.extensions.get_mut(number).ok_or(Refusal::ExtensionInvalid)?;
        match extension.refuse_delete {
            Some(Refusal::PceIdInvalid) if id.is_none() => {}
            Some(refusal) => return Err(refusal),
            None => {}
        }
        let event_type = event_type.map(type_number).transpose()?;
        let goes = |event: &mut Event| match (event_type, id) {
            (Some(wanted), Some(id)) => event.event_type == wanted && event.id == id,
            (Some(wanted), None) => wipes || event.event_type == wanted,
            (None, _) => true,
        };
        let gone: Vec<IdRow> =
            extension.events.extract_if(.., goes).map(|event| IdRow { id: event.id }).collect();
        if id.is_some() && gone.is_empty() {
            return Err(Refusal::PceIdInvalid);
        }
        Ok(match self.delete_answer {
            DeleteAnswer::Ids if !gone.is_empty() => Answer::json(200, &gone),
            DeleteAnswer::Ids | DeleteAnswer::NoContent => Answer::no_content(),
        })
    }
}

fn type_number(text: &str) -> Result<u16, Refusal> {
    number(text).ok_or(Refusal::PceTypeInvalid)
}

#[cfg(test)]
mod tests;
