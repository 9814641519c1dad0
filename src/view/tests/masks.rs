//! A walk through every screen and dialog over a PBX full of words that nobody else may read: with
//! the mask on none of them is drawn or copied, without it each of them is.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

use super::*;
use crate::app::{Effect, Facts, Key, Leaving, Moment, Remark, RunFiles, RunRead, update};
use crate::change::trial::loss_of;
use crate::change::{Act, Done, RestRefused, Route, judge, judge_changed, judge_made};
use crate::domain::{
    Call, Change, DeleteAnswer, DeleteCall, EventKey, Exchange, Foreign, Listing, Status, Target,
    UserId, WideCalls, WriteAnswer,
};

/// What a screen without a mask shows somewhere.
const DRAWN: [&str; 12] = [
    "0003*717",
    "4242",
    "5151",
    "Empfang",
    "Blume",
    "blumenhaus",
    "rosengarten",
    "tulpe",
    "nelke",
    "Veilchen",
    "ginster",
    "krokus",
];

/// What is copied without one.
const COPIED: [&str; 9] = [
    "0003*717",
    "4242",
    "blumenhaus",
    "rosengarten",
    "tulpe",
    "nelke",
    "Veilchen",
    "ginster",
    "krokus",
];

const URL: &str = "https://crm.rosengarten.test/tulpe?kunde=nelke";
const OTHER_URL: &str = "https://ginster.test/in";

fn number(text: &str) -> ExtensionNumber {
    ExtensionNumber::parse(text).unwrap()
}

/// The service refuses in words that give everything away.
fn refusal(extension: &ExtensionNumber) -> Failure {
    let message =
        format!("{extension} may not use {URL} on pbx.blumenhaus.test, says krokus.test:99");
    Failure {
        http_status: Some(400),
        code: Foreign::from("pce_access_denied"),
        ..Failure::new(Cause::Rejected, message)
    }
}

fn exchange(method: &'static str, extension: &ExtensionNumber) -> Vec<Exchange> {
    let path = format!("/uapi/extensions/@me/{extension}/phoneCallEvents");
    vec![Exchange { method, path, answer: Ok(200), took: Duration::from_millis(7) }]
}

fn facts(masked: bool) -> Facts {
    let user = UserId::parse("@me").unwrap();
    let target = Target::new("acme", "https://pbx.blumenhaus.test:8443", "/uapi", user).unwrap();
    let wide_calls = WideCalls { extension: true, event_type: true };
    Facts { masked, wide_calls, concurrency: 2, ..Facts::of(target) }
}

/// An event of the PBX.
struct There {
    extension: &'static str,
    event_type: &'static str,
    id: String,
    url: String,
    status: &'static str,
}

impl There {
    fn new(extension: &'static str, event_type: &'static str, id: &str, url: &str) -> Self {
        Self { extension, event_type, id: id.to_owned(), url: url.to_owned(), status: "1" }
    }
}

/// What a walk came by.
struct Seen {
    pictures: Vec<String>,
    copied: Vec<String>,
}

/// The walk at each size, without a mask and with it; they are long, so that they are gone once.
static WALKS: LazyLock<Vec<(Seen, Seen)>> = LazyLock::new(|| {
    let walk = |size, masked| Walk::start(size, masked).through_everything();
    SIZES.into_iter().map(|size| (walk(size, false), walk(size, true))).collect()
});

/// The program, a PBX that answers when it is let, and everything that was seen.
struct Walk {
    model: Model,
    waiting: VecDeque<Effect>,
    /// What is there.
    events: Vec<There>,
    /// Deletions of the first event of an extension are refused.
    refuses: bool,
    at: Duration,
    pictures: Vec<String>,
    copied: Vec<String>,
}

impl Walk {
    fn start(size: (u16, u16), masked: bool) -> Self {
        Self::with(facts(masked), size)
    }

    fn with(facts: Facts, size: (u16, u16)) -> Self {
        let (model, effects) = Model::new(facts, size.0, size.1);
        let mut walk = Self {
            model,
            waiting: effects.into(),
            events: vec![
                There::new("0003*717", "0", "NqeyDRqo", URL),
                There::new("0003*717", "0", "FtabmFj8", OTHER_URL),
                There::new("0003*717", "2", "gNWq3hsi", URL),
                There::new("4242", "1", "GNYyqabc", URL),
                There::new("4242", "1", "ZZtopdef", OTHER_URL),
            ],
            refuses: true,
            at: Duration::ZERO,
            pictures: Vec::new(),
            copied: Vec::new(),
        };
        walk.look();
        walk
    }

    fn look(&mut self) {
        self.pictures.push(picture(&self.model));
    }

    fn take(&mut self, message: Message) {
        self.at += Duration::from_millis(10);
        let now = Moment { since_start: self.at, ..Moment::default() };
        let effects = update(&mut self.model, message, now);
        self.waiting.extend(effects);
        self.look();
        while let Some(place) =
            self.waiting.iter().position(|effect| matches!(effect, Effect::Copy { .. }))
        {
            let Some(Effect::Copy { what, text }) = self.waiting.remove(place) else { break };
            self.copied.push(text);
            assert_eq!(what.ends_with(", masked"), self.model.mask().is_on());
            self.take(Message::Copied { what, result: Ok(()) });
        }
    }

    /// Presses keys; the service stays silent.
    fn press(&mut self, keys: &str) {
        for name in keys.split_whitespace() {
            self.take(Message::Pressed(Key::parse(name).unwrap()));
            self.read_the_question();
        }
    }

    /// The terminal shows what is asked, and nothing arrives for a moment.
    fn read_the_question(&mut self) {
        if let (Some(picture), Some(_)) = (self.model.asked_picture(), self.model.unread()) {
            self.take(Message::Shown(picture));
            self.at += crate::looks::QUIET;
            self.take(Message::Waited);
        }
    }

    /// The service answers the oldest question.
    fn answer_one(&mut self) -> bool {
        let Some(effect) = self.waiting.pop_front() else { return false };
        let message = self.answer(effect);
        self.take(message);
        true
    }

    fn answer_all(&mut self) {
        while self.answer_one() {}
    }

    fn listing(&self, extension: &ExtensionNumber) -> Result<Listing, Failure> {
        if extension.as_str() == "5151" {
            return Err(refusal(extension));
        }
        let mut builder = ListingBuilder::new(extension.clone());
        for There { event_type, id, url, status, .. } in
            self.events.iter().filter(|event| event.extension == extension.as_str())
        {
            let note = "Frau Veilchen";
            let raw = RawEvent { event_type, id, url, note, method: "1", ..RawEvent::default() };
            builder.push(RawEvent { status, ..raw });
        }
        // A row that cannot be deleted leaves its extension to event calls.
        if extension.as_str() == "4242" {
            builder.push(RawEvent { event_type: "0", id: "o/dd", url: URL, ..RawEvent::default() });
        }
        Ok(builder.finish(true))
    }

    fn answer(&mut self, effect: Effect) -> Message {
        match effect {
            Effect::DiscoverExtensions => {
                let label = Foreign::from("Empfang Blume");
                let numbers = ["0003*717", "4242", "5151"].map(number);
                let extension =
                    |number| Extension { label: label.clone(), ..Extension::of(number) };
                let extensions = numbers.map(extension).to_vec();
                let remarks = vec!["pbx.blumenhaus.test lists phones only".to_owned()];
                let result =
                    Ok(Discovery { extensions, remarks, complete: true, ..Discovery::default() });
                Message::Discovered { result, exchanges: Vec::new() }
            }
            Effect::ListRuns => Message::RunsListed(Ok(RunFiles::default())),
            Effect::ReadRun(run) => Message::RunTold(Err(format!("there is no run {run}"))),
            Effect::FindBrokenRuns => {
                let sentence = "run r0 left 0003*717 of https://pbx.blumenhaus.test behind";
                let (found, way_on) = (sentence.to_owned(), "; <runs> lists it");
                Message::BrokenRunsFound { remarks: vec![Remark { found, way_on }], newest: None }
            }
            Effect::ReadWayBack(_) => {
                let loss = loss_of(&self.model.run().unwrap().machine);
                let route = Route::of(self.model.facts().target.clone());
                let read = RunRead { what: Box::new(loss), route, remarks: Vec::new() };
                Message::WayBackRead(Ok(read))
            }
            Effect::CloseUndo { .. } => Message::UndoClosed(Ok(true)),
            Effect::ReadRest(run) => Message::RestRead(Err(RestRefused::Nothing { run })),
            Effect::ListEvents { extension, epoch, .. } => {
                let (result, exchanges) = (self.listing(&extension), exchange("GET", &extension));
                Message::Listed { extension, epoch, result, exchanges }
            }
            Effect::InSpite(effect) => self.answer(*effect),
            Effect::Act(act) => Message::Done(self.carry(act)),
            Effect::Wait(rest) => {
                self.at += rest;
                Message::Waited
            }
            Effect::Copy { .. } => unreachable!("a copy is taken at once"),
            Effect::WriteReceipt { .. } => Message::ReceiptWritten(Ok("r1.md".to_owned())),
        }
    }

    fn carry(&mut self, act: Act) -> Done {
        match act {
            Act::Open(plan) => {
                let name = if plan.undoes().is_some() { "r2-acme" } else { "r1-acme" };
                Done::Opened(Ok(name.to_owned()))
            }
            Act::List(extension) => {
                let (result, exchanges) = (self.listing(&extension), exchange("GET", &extension));
                Done::Listed { extension, result, exchanges }
            }
            Act::Send(call) if call.is_simulated() => {
                let failure = Failure::new(Cause::Simulated, "simulated: not sent");
                let settled = call.failed(&failure, Duration::ZERO);
                Done::Settled { call: call.id(), settled, exchanges: Vec::new() }
            }
            Act::Send(call) => {
                let exchanges = exchange(call.call().method(), call.call().extension());
                let took = Duration::from_millis(5);
                let settled = match call.call() {
                    Call::Delete(delete) => judge(call.covered(), self.delete(delete), took, false),
                    Call::Create(event) if call.id() == 0 => {
                        judge_made(Err(refusal(&event.key.extension)), took)
                    }
                    Call::Create(event) => judge_made(Ok(self.create(&event.key, call.id())), took),
                    Call::Update(key, _) if call.id() == 0 => {
                        let answer = Err(refusal(&key.extension));
                        judge_changed(&key.id, call.success(), answer, took, false)
                    }
                    Call::Update(key, change) => {
                        let answer = Ok(self.update(key, change));
                        judge_changed(&key.id, call.success(), answer, took, false)
                    }
                };
                Done::Settled { call: call.id(), settled, exchanges }
            }
            Act::Wait(rest) => {
                self.at += rest;
                Done::Waited
            }
            Act::Close(_) => Done::Closed(Ok(())),
        }
    }

    /// Takes the events that a call names, and one more that nobody named.
    fn delete(&mut self, call: &DeleteCall) -> Result<DeleteAnswer, Failure> {
        let is_meant = |event: &There| match call {
            DeleteCall::Event(key) => key.id.as_str() == event.id,
            DeleteCall::Type(extension, of) => {
                extension.as_str() == event.extension && of.number().to_string() == event.event_type
            }
            DeleteCall::Extension(extension) => extension.as_str() == event.extension,
        };
        if self.refuses && call.extension().as_str() == "4242" {
            return Err(refusal(call.extension()));
        }
        let gone = self.events.iter().filter(|event| is_meant(event));
        let ids = gone.map(|event| event.id.as_str()).chain(["stray"]);
        let ids = ids.map(Foreign::from).collect();
        self.events.retain(|event| !is_meant(event));
        Ok(DeleteAnswer { http_status: 200, ids: Some(ids) })
    }

    fn create(&mut self, key: &EventKey, place: usize) -> WriteAnswer {
        let owner = if key.extension.as_str() == "4242" { "4242" } else { "0003*717" };
        let id = format!("fresh{place}");
        self.events.push(There::new(owner, "0", &id, URL));
        WriteAnswer { http_status: 200, id: Some(Foreign::from(id)) }
    }

    /// Changes the event, which gets another id where its URL changes.
    fn update(&mut self, key: &EventKey, change: &Change) -> WriteAnswer {
        let event = self.events.iter_mut().find(|event| event.id == key.id.as_str()).unwrap();
        match change.status {
            Some(Status::Disabled) => event.status = "0",
            Some(_) => event.status = "1",
            None => {}
        }
        if let Some(url) = &change.url {
            event.url = url.raw().to_owned();
            event.id = format!("{}x", event.id);
        }
        WriteAnswer { http_status: 200, id: Some(Foreign::from(event.id.as_str())) }
    }

    /// Every screen and dialog, with a look after every key and answer.
    fn through_everything(mut self) -> Seen {
        self.answer_all();
        self.browse();
        self.review();
        self.simulate();
        self.run();
        self.undo();
        self.read_again();
        self.leave();
        Seen { pictures: self.pictures, copied: self.copied }
    }

    fn browse(&mut self) {
        self.press("j j k k 5 j 4 3 j j 2 1 j j");
        self.answer_all();
        self.press("2 1 g g enter j j space c l h l G c C space j R");
        self.answer_all();
        self.press("1 g g j enter G c space k 1 k");
        self.press("1 / 7 enter esc 2 / F t a enter esc");
        self.press("T t y p e : 0 enter 3 k j c C L 4 j c C space space 1 space U ? down f1");
        self.answer_all();
    }

    /// Every call form, copied, with hidden marks, while it reads, and with what drifted.
    fn review(&mut self) {
        self.press("1 A d");
        self.answer_all();
        self.press("d j t");
        self.answer_all();
        self.press("c t c v t c v / o enter j k end n");
        self.press("1 g g enter / t y p e : 2 enter 1 d");
        self.answer_all();
        self.press("j n 2 esc 1 d");
        let changed = std::mem::replace(&mut self.events[0].url, OTHER_URL.to_owned());
        self.events.push(There::new("0003*717", "2", "appeared", URL));
        self.answer_all();
        self.press("c +");
        self.answer_all();
        self.press("n");
        self.events.pop();
        self.events[0].url = changed;
        self.press("R");
        self.answer_all();
        self.press("1 d");
        // What cannot be read again is told in the review.
        while let Some(effect) = self.waiting.pop_front() {
            let message = match effect {
                Effect::ListEvents { extension, epoch, .. } => {
                    let result = Err(refusal(&extension));
                    Message::Listed { extension, epoch, result, exchanges: Vec::new() }
                }
                other => self.answer(other),
            };
            self.take(message);
        }
        self.press("n 2 R");
        self.answer_all();
        self.press("1 R");
        self.answer_all();
        self.change();
    }

    /// What is to be disabled, and URLs that would lead elsewhere.
    fn change(&mut self) {
        self.press("1 A");
        self.answer_all();
        self.press("x");
        self.answer_all();
        self.press("v c v j n e x");
        self.press("ctrl-u h t t p s : / / = h t t p : / / enter");
        self.answer_all();
        self.press("c v j n");
        self.carry_out("x");
        // What is typed stays readable, and so names nobody.
        self.carry_out("e ctrl-u h t t p s : / / = h t t p : / / enter");
        self.press("A");
        self.answer_all();
    }

    /// Disables or re-points what is marked, of which one is refused, looks at everything that tells
    /// of it, and takes it back.
    fn carry_out(&mut self, keys: &str) {
        self.press("1 A");
        self.answer_all();
        self.press(keys);
        self.answer_all();
        self.press("c v c v y");
        assert!(self.answer_one(), "no run file is asked for:\n{}", picture(&self.model));
        self.answer_all();
        self.look_at_rows();
        self.press("z");
        self.answer_all();
        self.press("c v c v y");
        self.answer_all();
        self.look_at_rows();
        self.press("1 U");
    }

    /// Every row of Status whole, its details, and what can be copied of it; then the other panels.
    fn look_at_rows(&mut self) {
        self.press("3 g g");
        for _ in 0..4 {
            self.press("c j enter j j esc");
        }
        self.press("C + + 5 j k c + + 2 j j enter esc c 4 j c 1");
    }

    fn simulate(&mut self) {
        self.press("d");
        self.answer_all();
        self.press("s 3");
        self.answer_all();
        self.press("j k c C 1");
    }

    fn run(&mut self) {
        self.press("d");
        self.answer_all();
        // Event by event, and the number of them where it is asked for.
        self.press("t t t");
        self.press("y");
        assert!(self.answer_one(), "no run file is asked for:\n{}", picture(&self.model));
        self.answer_one();
        self.press("3 p p 1 q");
        self.press("n");
        self.answer_all();
        self.press("3 g g c j c j c C 2 j c 4 j c C 5 1 g g enter j j 3 j j j j");
        self.press("1 r");
        self.answer_all();
        self.press("n");
    }

    fn undo(&mut self) {
        self.press("z");
        self.answer_all();
        self.press("n z");
        self.answer_all();
        self.press("j k y");
        self.answer_all();
        self.press("3 g g c j c C 2 5 1 z n");
    }

    fn read_again(&mut self) {
        self.press("1 R");
        self.waiting.clear();
        let result = Err(refusal(&number("4242")));
        self.take(Message::Discovered { result, exchanges: Vec::new() });
        self.press("3 j k");
    }

    fn leave(&mut self) {
        self.press("1 q y");
        assert_eq!(self.model.leaving(), &Leaving::Now { message: None });
    }
}

/// The rows that are the same with and without a mask but for what it hides: not the header with
/// its badge, and not what was said last.
fn rows(picture: &str) -> Vec<&str> {
    let rows: Vec<&str> = picture.lines().skip(1).collect();
    let said = |row: &&str| !row.contains("sent to the terminal");
    rows[..rows.len() - 2].iter().copied().filter(said).collect()
}

#[test]
fn with_the_mask_on_no_screen_and_no_copy_gives_anything_away() {
    for (_, masked) in WALKS.iter() {
        for word in DRAWN {
            let mut texts = masked.pictures.iter().chain(&masked.copied);
            let told = texts.find(|text| text.contains(word));
            assert!(told.is_none(), "{word}:\n{}", told.unwrap());
        }
        assert!(masked.pictures.iter().all(|picture| picture.contains("[MASKED]")));
    }
}

#[test]
fn without_the_mask_the_same_walk_shows_and_copies_every_word() {
    for (plain, _) in WALKS.iter() {
        for word in DRAWN {
            assert!(plain.pictures.iter().any(|text| text.contains(word)), "{word}");
        }
        for word in COPIED {
            assert!(plain.copied.iter().any(|text| text.contains(word)), "{word} copied");
        }
        assert!(!plain.pictures.iter().any(|picture| picture.contains("[MASKED]")));
    }
}

#[test]
fn the_mask_moves_nothing_it_only_covers() {
    for (plain, masked) in WALKS.iter() {
        assert_eq!(plain.pictures.len(), masked.pictures.len());
        for (plain, masked) in plain.pictures.iter().zip(&masked.pictures) {
            for (before, after) in rows(plain).into_iter().zip(rows(masked)) {
                let mut covered = before.chars().zip(after.chars());
                let only = covered.all(|(before, after)| before == after || after == '#');
                let wide = (before.chars().count(), after.chars().count());
                assert!(only && wide.0 == wide.1, "{before}\n{after}");
            }
        }
    }
}

#[test]
fn the_walk_comes_through_every_dialog() {
    let (walk, _) = WALKS.last().unwrap();
    for sight in [
        "DELETE 5 phone call events on",
        "calls, each by its id,",
        "wide, on",
        "may delete all types",
        "DELETE /uapi/extensions/@me/0003*717/phoneCallEvents",
        "hidden by the filter",
        "changed since marking, left out",
        "could not be read again",
        "simulating",
        "would send",
        "NOT IN THE PLAN",
        "DISABLE 4 phone call events on",
        "on → off",
        "http://crm.rosengarten.test/tulpe",
        "changed",
        "UNDO: write back",
        "RE-POINT 4 phone call events on",
        "type OLD=NEW: two hosts",
        "refused",
        "deleted",
        "Leave?",
        "UNDO: re-create",
        "undo finished",
        "restored",
        "What can be done here",
        "cannot be deleted from here",
        "could not be read",
        "reading the extensions again failed",
        "left 0003*717 of",
        "sent to the terminal: 5 calls",
        "sent to the terminal: 1 row",
    ] {
        assert!(walk.pictures.iter().any(|picture| picture.contains(sight)), "{sight}");
    }
}

#[test]
fn m_masks_and_shows_again_in_every_dialog_with_nothing_lost() {
    for keys in ["", "2", "3", "1 A d", "1 A d t t"] {
        let mut walk = Walk::start((80, 24), false);
        walk.answer_all();
        walk.press(keys);
        walk.answer_all();
        walk.press("ctrl-l");
        let plain = picture(&walk.model);
        walk.press("m");
        assert!(walk.model.mask().is_on());
        let masked = picture(&walk.model);
        assert!(masked.contains("[MASKED]") && !masked.contains("blumenhaus"), "{masked}");
        walk.press("m");
        let notice = walk.model.current_notice().unwrap();
        assert_eq!(notice.text, "everything is shown again", "{keys}");
        walk.press("ctrl-l");
        assert_eq!(picture(&walk.model), plain);
    }
}

#[test]
fn the_first_picture_is_masked_already() {
    let walk = Walk::start((80, 24), true);
    let first = &walk.pictures[0];
    assert!(first.contains("[MASKED]") && first.contains("reading…"), "{first}");
    assert!(first.contains("###.##########.####:####") && first.contains("acme"), "{first}");
}

#[test]
fn what_is_typed_stays_as_it_is_typed() {
    let mut walk = Walk::start((80, 24), true);
    walk.answer_all();
    walk.press("T 4 2 4 2");
    assert!(picture(&walk.model).contains("mark: 4242"));
    walk.press("esc / 4 2 4 2 m");
    assert!(picture(&walk.model).contains("filter extensions: 4242m") && walk.model.mask().is_on());
}

#[test]
fn every_badge_and_the_marks_stay_in_the_narrowest_header() {
    let facts = Facts { read_only: true, insecure: true, ..facts(true) };
    let mut walk = Walk::with(facts, (60, 15));
    walk.answer_all();
    walk.press("A");
    walk.answer_all();
    walk.press("enter / t y p e : 2 enter d");
    walk.answer_all();
    walk.press("t t t s");
    let picture = picture(&walk.model);
    let header = picture.lines().next().unwrap();
    for part in ["[MASKED]", "[READ-ONLY]", "[TLS NOT VERIFIED]", "[SIMULATING]", "*5 ~4"] {
        assert!(header.contains(part), "{part} is not in {header}");
    }
}
