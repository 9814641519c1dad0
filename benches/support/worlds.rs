//! Models of many events, made without a service.

use std::time::Duration;

use callsweep::app::{Dialog, Effect, Facts, Key, Message, Model, Moment, update};
use callsweep::change::{Act, Done, judge};
use callsweep::domain::{
    DeleteAnswer, Discovery, Extension, ExtensionNumber, Foreign, Listing, ListingBuilder,
    RawEvent, Target, UserId,
};

/// How many URLs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urls {
    Twenty,
    OneEach,
}

pub(crate) fn number(extension: usize) -> ExtensionNumber {
    ExtensionNumber::parse(&format!("{:04}*{:03}", extension / 1000, extension % 1000)).unwrap()
}

pub(crate) fn listing(extension: usize, events: usize, urls: Urls) -> Listing {
    let mut builder = ListingBuilder::new(number(extension));
    for event in 0..events {
        let id = format!("Nqey{extension:08}{event:08}DRqo4Ftabm");
        let hook = match urls {
            Urls::Twenty => String::new(),
            Urls::OneEach => format!("&hook={extension:x}-{event:x}"),
        };
        let url = format!("https://crm{}.acme.test/telephony/in?src=pbx{hook}", event % 20);
        let event_type = (event % 5).to_string();
        let row = RawEvent {
            event_type: &event_type,
            id: &id,
            method: "1",
            url: &url,
            note: match extension {
                // The 50,000 that are marked by it in a world of a hundred events each.
                0..500 if events == 100 => "fifty",
                _ if event.is_multiple_of(3) => "CRM",
                _ => "",
            },
            status: "1",
            modified: "2024-05-01T10:00:00+02:00",
        };
        // As every listing comes in; the store keeps no text of what is not marked.
        let text = format!("{row:?}");
        builder.push_with_text(row, text.as_bytes());
    }
    builder.finish(true)
}

pub(crate) fn target() -> Target {
    let user = UserId::parse("@me").unwrap();
    Target::new("bench", "https://pbx.test", "/uapi", user).unwrap()
}

/// A desk of 120x40, everything listed, the cursor on the first extension.
pub(crate) fn desk(extensions: usize, events: usize, urls: Urls) -> Model {
    let facts = Facts { max_delete: 50_000, concurrency: 64, ..Facts::of(target()) };
    let (mut model, _) = Model::new(facts, 120, 40);
    let found = (0..extensions).map(|extension| Extension::of(number(extension))).collect();
    let discovery = Discovery { extensions: found, complete: true, ..Discovery::default() };
    take(&mut model, Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    for place in 0..extensions {
        let (extension, result) = (number(place), Ok(listing(place, events, urls)));
        take(&mut model, Message::Listed { extension, epoch: 0, result, exchanges: Vec::new() });
    }
    model
}

pub(crate) fn take(model: &mut Model, message: Message) -> Vec<Effect> {
    take_at(model, message, Duration::ZERO)
}

fn take_at(model: &mut Model, message: Message, since_start: Duration) -> Vec<Effect> {
    update(model, message, Moment { since_start, ..Moment::default() })
}

pub(crate) fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let pressed = |key| Message::Pressed(Key::parse(key).unwrap());
    keys.split(' ').flat_map(|key| take(model, pressed(key))).collect()
}

pub(crate) fn paste(model: &mut Model, text: &str) {
    take(model, Message::Pasted(text.to_owned()));
}

/// Opens the review of what is marked, and answers all it lists again.
pub(crate) fn review(model: &mut Model, events: usize, urls: Urls) {
    let mut effects = press(model, "d");
    while let Some(effect) = effects.pop() {
        let Effect::ListEvents { extension, epoch, .. } = effect else { continue };
        let parts = extension.as_str().split_once('*').unwrap();
        let place = parts.0.parse::<usize>().unwrap() * 1000 + parts.1.parse::<usize>().unwrap();
        let result = Ok(listing(place, events, urls));
        let listed = Message::Listed { extension, epoch, result, exchanges: Vec::new() };
        effects.extend(take(model, listed));
    }
    assert!(matches!(model.dialog(), Some(Dialog::Review(review)) if !review.is_reading()));
}

/// A run of what the open review shows, with as many calls out as there may be.
pub(crate) struct Run {
    out: Vec<Effect>,
    now: Duration,
}

impl Run {
    /// Says yes once the review is shown and read.
    pub(crate) fn start(model: &mut Model) -> Self {
        let mut now = Duration::from_secs(1);
        let Some(Dialog::Review(review)) = model.dialog() else { unreachable!("no review") };
        let count = review.events().len().to_string();
        let shown = model.asked_picture().unwrap();
        take_at(model, Message::Shown(shown), now);
        for key in count.chars().chain(['y']) {
            // The wait for a moment in which nothing arrives ends in time.
            now += Duration::from_millis(210);
            take_at(model, Message::Waited, now);
            take_at(model, Message::Pressed(Key::parse(&key.to_string()).unwrap()), now);
        }
        let opened = Message::Done(Done::Opened(Ok("r1".to_owned())));
        let out = take_at(model, opened, now);
        assert!(model.is_running());
        Self { out, now }
    }

    /// Answers so many calls, the service doing what it is asked; how long each answer took, a
    /// thousandth of a second apart.
    pub(crate) fn answer(&mut self, model: &mut Model, calls: usize) -> Vec<Duration> {
        let mut times = Vec::new();
        while times.len() < calls {
            let Effect::Act(Act::Send(call)) = self.out.remove(0) else { continue };
            let ids = call.covered().iter().map(|event| Foreign::from(event.key.id.as_str()));
            let answer = Ok(DeleteAnswer { http_status: 200, ids: Some(ids.collect()) });
            let settled = judge(call.covered(), answer, Duration::ZERO, false);
            let done = Done::Settled { call: call.id(), settled, exchanges: Vec::new() };
            self.now += Duration::from_millis(1);
            let start = worked();
            let more = take_at(model, Message::Done(done), self.now);
            times.push(worked().saturating_sub(start));
            self.out.extend(more);
        }
        times
    }
}

/// Processor time of this thread, which other programs do not lengthen.
pub(crate) fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}
