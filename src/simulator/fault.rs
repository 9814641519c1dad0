//! Trouble on order: rules that answer in the world's place.

use std::time::Duration;

use serde::Deserialize;

use super::answer::{Answer, Delivery, Request};
use super::shapes::Shapes;

/// On a matching request, this instead of the real answer.
///
/// A world asks its rules in order and the first that fires answers. Every rule counts the
/// requests it matches, also those that another rule answered.
///
/// A fault that says only how an answer is delivered (`drip_ms`, `truncated`, `wrong_length`,
/// `huge_mb`) or what is in it besides (`row`, `before`) and not which, leaves it to the world.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of a scenario file")]
pub struct Fault {
    /// The method it is for; all when absent.
    pub method: Option<String>,
    /// Part of the raw target it is for; all when absent.
    pub path: Option<String>,
    /// Only the nth match, from 1; every match when absent.
    pub nth: Option<u32>,
    /// Only every nth match.
    pub every: Option<u32>,
    /// How often at most it fires, also where another rule answered; without end when absent.
    pub times: Option<u32>,
    /// The status answered; 500 when absent.
    pub status: Option<u16>,
    /// The body answered, JSON or, when it starts with `<`, HTML; it beats `code`.
    pub body: Option<String>,
    /// An error code to answer in the service's own shape.
    pub code: Option<String>,
    /// The `Retry-After` header.
    pub retry_after: Option<String>,
    /// How long the answer takes.
    #[serde(default)]
    pub delay_ms: u32,
    /// The connection is closed instead of answered.
    #[serde(default)]
    pub reset: bool,
    /// The world acts all the same: what a lost answer looks like.
    #[serde(default)]
    pub acts: bool,
    /// The world acts so long after the request came, whatever is answered: what a service that is
    /// slow behind its answers looks like.
    pub acts_after_ms: Option<u32>,
    /// The type of the body, in place of the one it would have.
    pub content_type: Option<String>,
    /// The `Location` header, for a status that redirects.
    pub location: Option<String>,
    /// No answer is sent, and the connection stays open.
    #[serde(default)]
    pub no_answer: bool,
    /// The body comes byte by byte, with this pause behind each.
    #[serde(default)]
    pub drip_ms: u32,
    /// Half of the body comes, then the connection ends.
    #[serde(default)]
    pub truncated: bool,
    /// The length in the header is not that of the body.
    pub wrong_length: Option<WrongLength>,
    /// Millions of blanks before the body.
    #[serde(default)]
    pub huge_mb: u32,
    /// One more row, letter by letter, at the start of a list that has rows.
    pub row: Option<String>,
    /// That row has one byte a character, as in old encodings.
    #[serde(default)]
    pub latin1: bool,
    /// What stands before the body, as a PBX's own PHP may write it.
    pub before: Option<String>,
}

/// How a length in a header is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WrongLength {
    /// The body is cut where the header says.
    Shorter,
    /// The client waits for a byte that never comes.
    Longer,
}

/// A rule with the number of requests it has matched.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) fault: Fault,
    matched: u32,
    fired: u32,
}

impl Rule {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault, matched: 0, fired: 0 }
    }

    /// Counts the request if the rule is for it; true when the rule is to answer it.
    pub(super) fn fires(&mut self, request: &Request) -> bool {
        if !self.fault.matches(request) {
            return false;
        }
        self.matched = self.matched.saturating_add(1);
        let fault = &self.fault;
        let fires = fault.nth.is_none_or(|nth| nth == self.matched)
            && fault.every.is_none_or(|every| self.matched.is_multiple_of(every))
            && fault.times.is_none_or(|times| self.fired < times);
        self.fired = self.fired.saturating_add(fires.into());
        fires
    }
}

impl Fault {
    fn matches(&self, request: &Request) -> bool {
        let method = self.method.as_deref();
        let path = self.path.as_deref();
        method.is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && path.is_none_or(|part| request.target.contains(part))
    }

    /// Why it could never happen, or not as written.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if [self.nth, self.every, self.times].contains(&Some(0)) {
            return Err("a fault counts from 1: nth, every and times are at least 1");
        }
        let ends = [self.reset, self.no_answer, self.drip_ms > 0, self.truncated, self.huge_mb > 0]
            .into_iter()
            .chain([self.wrong_length.is_some()]);
        match ends.filter(|set| *set).count() {
            0 if self.status.is_none() && self.row.is_none() && self.before.is_none() => {
                return Err("a fault answers something: write a status, or reset = true");
            }
            0 | 1 => {}
            _ => return Err("an answer goes wrong in one way: two faults make two ways"),
        }
        if self.acts && self.acts_after_ms.is_some() {
            return Err("a request is acted on once: write acts or acts_after_ms");
        }
        if self.status.is_none() && (self.body.is_some() || self.code.is_some()) {
            return Err("a body or a code has a status: write one");
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("a fault's status is between 200 and 599");
        }
        Ok(())
    }

    /// Whether the world answers, and the fault only sees to the delivery.
    fn leaves_the_answer(&self) -> bool {
        let own = self.status.is_some() || self.body.is_some() || self.code.is_some();
        let added = self.row.is_some() || self.before.is_some();
        !own && (added || !matches!(self.delivery(), Delivery::Whole | Delivery::Never))
    }

    /// Whether the world is to act on a request that this answers.
    pub(super) fn lets_act(&self) -> bool {
        self.acts || self.leaves_the_answer()
    }

    /// How long after the request the world is to act on it.
    pub(super) fn acts_after(&self) -> Option<Duration> {
        self.acts_after_ms.map(|after| Duration::from_millis(after.into()))
    }

    fn delivery(&self) -> Delivery {
        match self.wrong_length {
            Some(WrongLength::Shorter) => Delivery::Shorter,
            Some(WrongLength::Longer) => Delivery::Longer,
            None if self.no_answer => Delivery::Never,
            None if self.truncated => Delivery::Truncated,
            None if self.huge_mb > 0 => Delivery::Huge(u64::from(self.huge_mb) * 1_000_000),
            None if self.drip_ms > 0 => Delivery::Drip(Duration::from_millis(self.drip_ms.into())),
            None => Delivery::Whole,
        }
    }

    /// What is said in place of the world's answer, if the world has one.
    pub(super) fn answer(&self, real: Option<Answer>, shapes: &Shapes) -> Answer {
        let mut answer = match real {
            Some(real) if self.leaves_the_answer() => real,
            Some(_) | None => self.own_answer(shapes),
        };
        let headers = [
            ("content-type", &self.content_type),
            ("location", &self.location),
            ("retry-after", &self.retry_after),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                answer.headers.retain(|(known, _)| *known != name);
                answer.headers.push((name, value.clone()));
            }
        }
        self.add_to(&mut answer.body);
        answer.delay += Duration::from_millis(self.delay_ms.into());
        answer.reset = self.reset;
        answer.delivery = self.delivery();
        answer
    }

    fn add_to(&self, body: &mut Vec<u8>) {
        let rows = b"\"entry\":[{";
        let found = body.windows(rows.len()).position(|part| part == rows);
        if let (Some(row), Some(at)) = (&self.row, found) {
            let at = at + rows.len() - 1;
            let byte = |letter: char| u8::try_from(letter).unwrap_or(b'?');
            let mut row: Vec<u8> =
                if self.latin1 { row.chars().map(byte).collect() } else { row.clone().into() };
            row.push(b',');
            body.splice(at..at, row);
        }
        if let Some(before) = self.before.as_ref().filter(|_| !body.is_empty()) {
            body.splice(0..0, before.bytes());
        }
    }

    fn own_answer(&self, shapes: &Shapes) -> Answer {
        let status = self.status.unwrap_or(500);
        match (&self.body, &self.code) {
            (Some(page), _) if page.trim_start().starts_with('<') => {
                Answer::text(status, "text/html; charset=utf-8", page.clone().into())
            }
            (Some(body), _) => Answer::text(status, "application/json", body.clone().into()),
            (None, Some(code)) => shapes.error(status, code, "The simulator was told to fail."),
            (None, None) => Answer::empty(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::World;
    use super::*;

    const EVENTS: &str = "/uapi/extensions/@me/0003*210/phoneCallEvents";

    fn statuses(fault: Fault, requests: usize) -> Vec<u16> {
        let mut world = World::named("the-page").unwrap();
        world.add_fault(Fault { status: Some(500), ..fault });
        (0..requests).map(|_| ask(&mut world).status).collect()
    }

    fn ask(world: &mut World) -> Answer {
        let token = world.token().to_owned();
        world.answer(&Request::new("GET", EVENTS).bearing(&token))
    }

    fn header<'a>(answer: &'a Answer, wanted: &str) -> Vec<&'a str> {
        let found = answer.headers.iter().filter(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn every_nth_match_fails_and_only_so_often() {
        let every = Fault { every: Some(2), ..Fault::default() };
        assert_eq!(statuses(every.clone(), 5), [200, 500, 200, 500, 200]);
        let times = Fault { times: Some(2), ..Fault::default() };
        assert_eq!(statuses(times, 4), [500, 500, 200, 200]);
        assert_eq!(statuses(Fault { times: Some(1), ..every }, 4), [200, 500, 200, 200]);
        assert_eq!(statuses(Fault::default(), 2), [500, 500]);
    }

    #[test]
    fn a_redirect_has_a_location_and_a_body_any_type() {
        let mut world = World::named("the-page").unwrap();
        world.add_fault(Fault {
            status: Some(302),
            location: Some("https://elsewhere.test/".to_owned()),
            body: Some("{}".to_owned()),
            content_type: Some("text/plain".to_owned()),
            times: Some(1),
            ..Fault::default()
        });
        let answer = ask(&mut world);
        assert_eq!(header(&answer, "location"), ["https://elsewhere.test/"]);
        assert_eq!(header(&answer, "content-type"), ["text/plain"]);
        let answer = ask(&mut world);
        assert!(header(&answer, "location").is_empty());
        assert_eq!(header(&answer, "content-type"), ["application/json"]);
    }

    #[test]
    fn a_fault_of_delivery_leaves_the_answer_to_the_world_unless_it_has_one() {
        let mut world = World::named("the-page").unwrap();
        let real = ask(&mut world);
        world.add_fault(Fault { truncated: true, times: Some(1), ..Fault::default() });
        let spoilt = ask(&mut world);
        assert_eq!(spoilt, Answer { delivery: Delivery::Truncated, ..real });
        world.add_fault(Fault { truncated: true, status: Some(502), ..Fault::default() });
        let own = ask(&mut world);
        assert_eq!((own.status, own.delivery), (502, Delivery::Truncated));
    }

    #[test]
    fn a_row_and_what_stands_before_a_body_are_put_into_the_real_answer() {
        let mut world = World::named("the-page").unwrap();
        let real = String::from_utf8(ask(&mut world).body).unwrap();
        world.add_fault(Fault {
            row: Some("{\"note\":\"é\"}".to_owned()),
            latin1: true,
            before: Some("Warning: x\n".to_owned()),
            ..Fault::default()
        });
        let body = ask(&mut world).body;
        let (head, rest) = real.split_once("[{").unwrap();
        let with_row = [head.as_bytes(), b"[{\"note\":\"\xe9\"},{", rest.as_bytes()].concat();
        assert_eq!(body, [b"Warning: x\n", &with_row[..]].concat());
    }

    #[test]
    fn what_is_acted_on_late_is_there_until_then() {
        let mut world = World::named("the-page").unwrap();
        world.add_fault(Fault {
            method: Some("DELETE".to_owned()),
            no_answer: true,
            acts_after_ms: Some(50),
            ..Fault::default()
        });
        let token = world.token().to_owned();
        let request = |method: &str, at| {
            let request = Request::new(method, EVENTS).bearing(&token);
            Request { at: Duration::from_millis(at), ..request }
        };
        assert_eq!(world.answer(&request("DELETE", 10)).delivery, Delivery::Never);
        assert_eq!(world.answer(&request("GET", 59)).status, 200);
        assert_eq!(world.answer(&request("GET", 60)).status, 204);
    }

    #[test]
    fn a_list_that_lags_shows_what_was_there_before() {
        let mut world = World::named("the-page").unwrap();
        world.list_lag = Duration::from_millis(50);
        let token = world.token().to_owned();
        let mut ask = |method: &str, at| {
            let request = Request::new(method, EVENTS).bearing(&token);
            world.answer(&Request { at: Duration::from_millis(at), ..request }).status
        };
        assert_eq!((ask("DELETE", 10), ask("GET", 59), ask("GET", 60)), (200, 200, 204));
    }

    #[test]
    fn who_is_not_answered_is_not_served_either_unless_the_fault_acts() {
        for (acts, left) in [(false, 3), (true, 0)] {
            let mut world = World::named("the-page").unwrap();
            world.add_fault(Fault { no_answer: true, acts, ..Fault::default() });
            let token = world.token().to_owned();
            let answer = world.answer(&Request::new("DELETE", EVENTS).bearing(&token));
            assert_eq!(answer.delivery, Delivery::Never);
            assert_eq!(world.event_ids("0003*210").len(), left);
        }
    }
}
