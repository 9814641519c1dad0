//! A service and an operator with whims, to carry runs of every kind out against: whatever they do,
//! in whatever order.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    Act, Done, Doubts, History, Loss, Machine, RunCall, Settled, Written, judge, judge_changed,
    judge_made,
};
use crate::domain::{
    Call, Cause, Change, DeleteAnswer, DeleteCall, EventId, EventKey, EventStore, ExtensionNumber,
    Failure, Foreign, Listing, ListingBuilder, Outcome, PhoneCallEvent, RawEvent, WriteAnswer,
};

/// What a service may do with a request, and an operator or others meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whim {
    Works,
    SaysNothing,
    Refuses,
    ActsAndIsLost,
    IsLost,
    IsBusy,
    NamesAnother,
    Lies,
    ListFails,
    Stop,
    Pause,
    Resume,
    Appears,
    Vanishes,
}

pub(crate) type Script = Vec<(usize, Whim)>;

/// `others` where somebody else is at work too.
pub(crate) fn whims(others: bool) -> impl Strategy<Value = Script> {
    use Whim::*;
    let rare = [
        SaysNothing,
        Refuses,
        ActsAndIsLost,
        IsLost,
        IsBusy,
        NamesAnother,
        Lies,
        ListFails,
        Stop,
        Pause,
        Resume,
    ];
    let of_others: &[Whim] = if others { &[Appears, Vanishes] } else { &[] };
    let whims = [&[Works; 12], &rare[..], of_others].concat();
    proptest::collection::vec((0usize..8, proptest::sample::select(whims)), 0..60)
}

/// A script that goes on until a run is over, whatever it did before.
pub(crate) fn to_the_end(script: &[(usize, Whim)]) -> Script {
    let rest = [(0, Whim::Resume); 4].into_iter().chain([(0, Whim::Works); 200]);
    script.iter().copied().chain(rest).collect()
}

/// Extension, type, method, URL, note and status of an event.
pub(crate) type Body = (String, u16, String, String, String, String);

/// All events there are, and the number of the next id.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) events: Vec<PhoneCallEvent>,
    next: usize,
    type_wipes: bool,
    /// A changed event gets another id.
    pub(crate) renames: bool,
    /// What others took.
    pub(crate) taken: Vec<EventKey>,
}

impl Service {
    /// Extension, type and body of each event; bodies may be the same.
    pub(crate) fn of(rows: &[(u8, u8, u8)], type_wipes: bool) -> Self {
        let (events, taken) = (Vec::new(), Vec::new());
        let mut service = Self { events, next: 0, type_wipes, renames: false, taken };
        for row in rows {
            service.add(*row);
        }
        service
    }

    fn add(&mut self, (extension, event_type, body): (u8, u8, u8)) {
        let mut builder = ListingBuilder::new(number(extension));
        builder.push(RawEvent {
            event_type: &event_type.to_string(),
            id: &format!("id{}", self.next),
            method: if body % 2 == 0 { "0" } else { "1" },
            url: &format!("https://crm.test/?q=%2{body}\u{202e}\"\n"),
            note: &format!("note {body}"),
            status: "9",
            modified: "2012-07-10T18:16:12+03:00",
        });
        self.next += 1;
        self.events.extend(builder.finish(true).row(0).map(|row| row.to_event()));
    }

    pub(crate) fn listing(&self, extension: &ExtensionNumber) -> Listing {
        let mut builder = ListingBuilder::new(extension.clone());
        for event in self.events.iter().filter(|event| event.key.extension == *extension) {
            let row = RawEvent {
                event_type: &event.key.event_type.number().to_string(),
                id: event.key.id.as_str(),
                method: event.method.written(),
                url: event.url.raw(),
                note: event.note.raw(),
                status: event.status.written(),
                modified: &event.modified.written(),
            };
            let mut text = Change::of(event, &["method", "url", "note", "status"]).value();
            text["id"] = event.key.id.as_str().into();
            builder.push_with_text(row, text.to_string().as_bytes());
        }
        builder.finish(true)
    }

    /// All listings there are.
    pub(crate) fn store(&self) -> EventStore {
        let mut store = EventStore::default();
        for extension in 0..3 {
            store.insert(self.listing(&number(extension)));
        }
        store
    }

    pub(crate) fn bodies(&self) -> Vec<Body> {
        let body = |event: &PhoneCallEvent| {
            let (url, note) = (event.url.raw().to_owned(), event.note.raw().to_owned());
            let (method, status) = (event.method.written(), event.status.written());
            let extension = event.key.extension.as_str().to_owned();
            let event_type = event.key.event_type.number();
            (extension, event_type, method.to_owned(), url, note, status.to_owned())
        };
        let mut bodies: Vec<Body> = self.events.iter().map(body).collect();
        bodies.sort();
        bodies
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.events.iter().any(|event| event.key.id.as_str() == id)
    }

    fn answer(&mut self, call: &RunCall, whim: Whim) -> Settled {
        match call.call() {
            Call::Delete(delete) => {
                let answer = self.delete(delete, whim);
                judge(call.covered(), answer, Duration::ZERO, call.may_have_acted())
            }
            Call::Create(event) => judge_made(self.create(event, whim), Duration::ZERO),
            Call::Update(key, change) => {
                let answer = self.update(key, change, whim);
                let (success, doubt) = (call.success(), call.may_have_acted());
                judge_changed(&key.id, success, answer, Duration::ZERO, doubt)
            }
        }
    }

    fn act(&mut self, delete: &DeleteCall) -> Vec<Foreign> {
        let type_wipes = self.type_wipes;
        let goes = |event: &mut PhoneCallEvent| match delete {
            DeleteCall::Event(key) => event.key == *key,
            DeleteCall::Type(extension, event_type) => {
                event.key.extension == *extension
                    && (type_wipes || event.key.event_type == *event_type)
            }
            DeleteCall::Extension(extension) => event.key.extension == *extension,
        };
        let gone = self.events.extract_if(.., goes);
        gone.map(|event| Foreign::from(event.key.id.as_str())).collect()
    }

    fn delete(&mut self, delete: &DeleteCall, whim: Whim) -> Result<DeleteAnswer, Failure> {
        if matches!(whim, Whim::Lies) {
            return Ok(DeleteAnswer { http_status: 204, ids: None });
        }
        Self::before(whim)?;
        let ids = self.act(delete);
        let named = |ids| Ok(DeleteAnswer { http_status: 200, ids: Some(ids) });
        match whim {
            Whim::ActsAndIsLost => Err(failed(Cause::NoAnswer, None)),
            Whim::SaysNothing => Ok(DeleteAnswer { http_status: 204, ids: None }),
            Whim::NamesAnother => named(vec![Foreign::from("other")]),
            _ if ids.is_empty() && !delete.is_wide() => {
                let code = Foreign::from("pce_id_invalid");
                Err(Failure { code, ..failed(Cause::Rejected, Some(400)) })
            }
            _ => named(ids),
        }
    }

    fn create(&mut self, event: &PhoneCallEvent, whim: Whim) -> Result<WriteAnswer, Failure> {
        Self::before(whim)?;
        let id = format!("id{}", self.next);
        self.next += 1;
        let mut made = event.clone();
        made.key.id = EventId::parse(&id).unwrap();
        self.events.push(made);
        match whim {
            Whim::ActsAndIsLost => Err(failed(Cause::NoAnswer, None)),
            Whim::SaysNothing => Ok(WriteAnswer { http_status: 204, id: None }),
            _ => Ok(WriteAnswer { http_status: 200, id: Some(Foreign::from(id)) }),
        }
    }

    fn update(
        &mut self,
        key: &EventKey,
        change: &Change,
        whim: Whim,
    ) -> Result<WriteAnswer, Failure> {
        if matches!(whim, Whim::Lies) {
            return Ok(WriteAnswer { http_status: 204, id: None });
        }
        Self::before(whim)?;
        let Some(place) = self.events.iter().position(|event| event.key == *key) else {
            let code = Foreign::from("pce_id_invalid");
            return Err(Failure { code, ..failed(Cause::Rejected, Some(400)) });
        };
        let mut event = change.applied_to(&self.events[place]);
        if self.renames {
            event.key.id = EventId::parse(&format!("id{}", self.next)).unwrap();
            self.next += 1;
        }
        let id = Foreign::from(event.key.id.as_str());
        self.events[place] = event;
        match whim {
            Whim::ActsAndIsLost => Err(failed(Cause::NoAnswer, None)),
            Whim::SaysNothing => Ok(WriteAnswer { http_status: 204, id: None }),
            _ => Ok(WriteAnswer { http_status: 200, id: Some(id) }),
        }
    }

    /// What goes wrong before anything is done.
    fn before(whim: Whim) -> Result<(), Failure> {
        match whim {
            Whim::Refuses => Err(failed(Cause::Rejected, Some(400))),
            Whim::IsLost => Err(failed(Cause::NoAnswer, None)),
            Whim::IsBusy => Err(failed(Cause::ServiceFailed, Some(503))),
            _ => Ok(()),
        }
    }
}

/// What a run may have taken, as its file would tell it.
pub(crate) fn loss_of(machine: &Machine) -> Loss {
    let plan = machine.plan();
    let settled = plan.events().iter().zip(machine.outcomes());
    let went = |outcome: &Option<Outcome>| {
        outcome.as_ref().is_some_and(|it| it.may_have_taken() || matches!(it, Outcome::Refused(_)))
    };
    let taken = settled.filter(|(_, outcome)| went(outcome)).map(|(event, _)| &event.key);
    let history = History {
        run: machine.name().to_owned(),
        known: plan.events().iter().chain(plan.all_bystanders()).collect(),
        taken: taken.chain(machine.surplus()).cloned().collect(),
        written: plan.changes().then(|| written_by(machine)),
        ..History::default()
    };
    Loss::of(&history, Doubts::default(), None)
}

/// What the run file of a change would tell.
fn written_by(machine: &Machine) -> Vec<Written> {
    let plan = machine.plan();
    let settled = plan.events().iter().zip(machine.outcomes()).enumerate();
    let written = settled.filter_map(|(place, (event, outcome))| {
        let outcome = outcome.as_ref().filter(|it| !matches!(it, Outcome::NotSent(_)))?;
        let new = outcome.new_id().and_then(|id| EventId::parse(id.raw()).ok());
        let ids = [event.key.id.clone()].into_iter().chain(new).collect();
        let change = plan.want(place)?.clone();
        let altered = outcome.altered().unwrap_or_default().to_vec();
        Some(Written { event: event.clone(), change, altered, ids, is_back: false })
    });
    written.collect()
}

pub(crate) fn number(extension: u8) -> ExtensionNumber {
    ExtensionNumber::parse(&format!("0003*10{extension}")).unwrap()
}

fn failed(cause: Cause, http_status: Option<u16>) -> Failure {
    let code = Foreign::from("pce_\u{1b}");
    Failure { http_status, code, ..Failure::new(cause, "no \"\n\u{9b}") }
}

/// What a run file would be told.
pub(crate) enum Noted<'a> {
    Out(&'a Act),
    Back(&'a RunCall, &'a Settled),
}

/// Carries a run of at most so many requests at once out, or leaves it where the script ends. True
/// when it came to its end.
pub(crate) fn drive(
    machine: &mut Machine,
    most: usize,
    service: &mut Service,
    script: &[(usize, Whim)],
    mut noted: impl FnMut(Noted<'_>),
) -> bool {
    let mut script = script.iter().copied();
    let mut flying: Vec<Act> = Vec::new();
    let mut now = Duration::ZERO;
    loop {
        for act in machine.hand_out(now) {
            noted(Noted::Out(&act));
            match act {
                Act::Open(_) => machine.take(Done::Opened(Ok("r1".to_owned())), now),
                Act::Close(_) => return true,
                Act::Send(_) | Act::List(_) | Act::Wait(_) => flying.push(act),
            }
        }
        let requests = flying.iter().filter(|act| !matches!(act, Act::Wait(_))).count();
        assert!(requests == machine.in_flight() && requests <= most, "{requests}: {machine:?}");
        let Some((pick, whim)) = script.next() else { return false };
        match whim {
            Whim::Stop => machine.stop(),
            Whim::Pause => machine.pause(),
            Whim::Resume => machine.resume(),
            Whim::Appears => service.add((0, 0, 0)),
            Whim::Vanishes => service.taken.extend(service.events.pop().map(|event| event.key)),
            _ if flying.is_empty() => machine.resume(),
            _ => match flying.remove(pick % flying.len()) {
                Act::Send(call) => {
                    let settled = service.answer(&call, whim);
                    noted(Noted::Back(&call, &settled));
                    machine.settle(call.id(), settled, now);
                }
                Act::List(extension) => {
                    let no = failed(Cause::NoAnswer, None);
                    let listing = service.listing(&extension);
                    let fails = matches!(whim, Whim::ListFails);
                    machine.listed(&extension, if fails { Err(&no) } else { Ok(&listing) }, now);
                }
                Act::Wait(time) => now += time,
                Act::Open(_) | Act::Close(_) => unreachable!(),
            },
        }
    }
}
