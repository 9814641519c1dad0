//! The figures that the events in memory and their picture have to reach, each line with the goal
//! it answers. A plain program: memory is read from the operating system, times are medians.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a bench prints what it measured and stops where it cannot"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callsweep::app::{Dialog, Effect, Facts, Key, Message, Model, Moment, update};
use callsweep::change::{
    Act, Done, Doubts, History, Loss, Machine, Plan, Selection, judge, judge_made,
};
use callsweep::domain::{
    Call, CallForm, DeleteAnswer, Discovery, EventStore, Extension, ExtensionNumber, Foreign,
    Listing, ListingBuilder, PhoneCallEvent, RawEvent, Target, UserId, WriteAnswer,
};
use callsweep::view::draw;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn main() {
    let before = resident();
    let mut store = EventStore::default();
    for extension in 0..10_000 {
        store.insert(listing(extension, 100));
    }
    let bytes = (resident() - before) / store.len();
    println!("G6  {} events in memory: {bytes} bytes an event (at most 60)", store.len());
    drop(store);
    for extensions in [100, 9_900] {
        let (deleted, restored) = carried_out(extensions, 99_000 / extensions);
        println!(
            "G3  the machine alone, 99,000 events on {extensions} extensions: {deleted:?} to delete, {restored:?} to undo"
        );
    }
    let mut large = desk(10_000, 100);
    // As much in sight as in the large one.
    let mut small = desk(40, 25);
    let (large_frame, small_frame) = (frame(&large), frame(&small));
    let ratio = large_frame.as_secs_f64() / small_frame.as_secs_f64();
    println!(
        "G5  one frame: {large_frame:?} with a million events, {small_frame:?} with 1,000: ratio {ratio:.2} (at most 300 µs, 1.1)"
    );
    for (name, keys) in [("cursor step", ["j", "k"]), ("mark", ["space", "k"])] {
        let (large_step, small_step) = (step(&mut large, keys), step(&mut small, keys));
        println!("G10 {name}: {large_step:?} with a million events, {small_step:?} with 1,000");
    }
    let (many, few) = (review(500, 100), review(1, 84));
    println!(
        "G5  review of 50,000: opens in {:?} (at most 500 ms), frame {:?}, key {:?}; of 84: frame {:?}, key {:?}",
        many.opens, many.frame, many.key, few.frame, few.key
    );
    for expression in [
        "type:hangup",
        "host:crm7.acme.test",
        "url:*crm-old*",
        "crm7",
        "modified:>2024",
        "age:>1y",
        "is:duplicate",
    ] {
        let (counted, marked) = mark_by_expression(&mut large, expression);
        println!(
            "G10 mark by expression over a million events: {marked:?} for {expression}, {counted:?} to count it while typing (at most 50 ms each)"
        );
    }
}

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn number(extension: usize) -> ExtensionNumber {
    ExtensionNumber::parse(&format!("{:04}*{:03}", extension / 1000, extension % 1000)).unwrap()
}

fn listing(extension: usize, events: usize) -> Listing {
    let mut builder = ListingBuilder::new(number(extension));
    for event in 0..events {
        let id = format!("Nqey{extension:08}{event:08}DRqo4Ftabm");
        let url = format!("https://crm{}.acme.test/telephony/in?src=pbx", event % 20);
        let event_type = (event % 5).to_string();
        let row = RawEvent {
            event_type: &event_type,
            id: &id,
            method: "1",
            url: &url,
            note: if event % 3 == 0 { "CRM" } else { "" },
            status: "1",
            modified: "2024-05-01T10:00:00+02:00",
        };
        // As every listing comes in; the store keeps no text of what is not marked.
        let text = format!("{row:?}");
        builder.push_with_text(row, text.as_bytes());
    }
    builder.finish(true)
}

fn desk(extensions: usize, events: usize) -> Model {
    let user = UserId::parse("@me").unwrap();
    let target = Target::new("bench", "https://pbx.test", "/uapi", user).unwrap();
    let facts = Facts { max_delete: 50_000, ..Facts::of(target) };
    let (mut model, _) = Model::new(facts, 120, 40);
    let found = (0..extensions).map(|extension| Extension::of(number(extension))).collect();
    let discovery = Discovery {
        extensions: found,
        remarks: Vec::new(),
        complete: true,
        ..Discovery::default()
    };
    let discovered = Message::Discovered { result: Ok(discovery), exchanges: Vec::new() };
    update(&mut model, discovered, Moment::default());
    for extension in 0..extensions {
        let message = Message::Listed {
            extension: number(extension),
            epoch: 0,
            result: Ok(listing(extension, events)),
            exchanges: Vec::new(),
        };
        update(&mut model, message, Moment::default());
    }
    model
}

/// Deletes everything and undoes it against a service that does what it is asked, and takes no time:
/// the machine's own time for both.
fn carried_out(extensions: usize, events: usize) -> (Duration, Duration) {
    let mut store = EventStore::default();
    for extension in 0..extensions {
        store.insert(listing(extension, events));
        store.set_marks(&number(extension), 0..events, true);
    }
    let user = UserId::parse("@me").unwrap();
    let target = Target::new("bench", "https://pbx.test", "/uapi", user).unwrap();
    let selection = Selection::of_marks(&store);
    let plan = Plan::freeze(target.clone(), &selection, CallForm::Event, usize::MAX).unwrap();
    let mut run = Machine::new(Arc::new(plan), 4);
    let deleted = drive(&mut run);
    let known = run.plan().events().to_vec();
    let taken = known.iter().map(|event| event.key.clone()).collect();
    let history = History { run: "bench".to_owned(), known, taken, ..History::default() };
    let loss = Loss::of(&history, Doubts::default(), None);
    let plan = loss.way_back(target, |_| None, false).plan.unwrap();
    let mut undo = Machine::new(Arc::new(plan), 4);
    let restored = drive(&mut undo);
    assert_eq!(run.tally().deleted, undo.tally().restored);
    (deleted, restored)
}

fn drive(machine: &mut Machine) -> Duration {
    let (mut now, mut spent) = (Duration::ZERO, Duration::ZERO);
    let mut made: HashMap<ExtensionNumber, Vec<(usize, PhoneCallEvent)>> = HashMap::new();
    let mut flying = Vec::new();
    loop {
        let start = Instant::now();
        flying.extend(machine.hand_out(now));
        spent += start.elapsed();
        let done = match flying.pop().unwrap() {
            Act::Open(_) => Done::Opened(Ok("bench".to_owned())),
            Act::Close(_) => return spent,
            Act::Wait(time) => {
                now += time;
                Done::Waited
            }
            Act::Send(call) => {
                let event = &call.covered()[0];
                let key = &event.key;
                let settled = match call.call() {
                    Call::Delete(_) => {
                        let ids = Some(vec![Foreign::from(key.id.as_str())]);
                        let answer = Ok(DeleteAnswer { http_status: 200, ids });
                        judge(call.covered(), answer, Duration::ZERO, false)
                    }
                    Call::Update(..) => unreachable!("nothing is changed here"),
                    Call::Create(_) => {
                        let made = made.entry(key.extension.clone()).or_default();
                        made.push((call.id(), event.clone()));
                        let id = Some(Foreign::from(format!("new{}", call.id())));
                        judge_made(Ok(WriteAnswer { http_status: 200, id }), Duration::ZERO)
                    }
                };
                Done::Settled { call: call.id(), settled, exchanges: Vec::new() }
            }
            Act::List(extension) => {
                let mut builder = ListingBuilder::new(extension.clone());
                for (call, event) in made.get(&extension).into_iter().flatten() {
                    builder.push(RawEvent {
                        event_type: &event.key.event_type.number().to_string(),
                        id: &format!("new{call}"),
                        method: event.method.written(),
                        url: event.url.raw(),
                        note: event.note.raw(),
                        status: event.status.written(),
                        modified: "",
                    });
                }
                Done::Listed { extension, result: Ok(builder.finish(true)), exchanges: Vec::new() }
            }
        };
        let start = Instant::now();
        machine.take(done, now);
        spent += start.elapsed();
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn frame(model: &Model) -> Duration {
    let mut screen = Terminal::new(TestBackend::new(120, 40)).unwrap();
    let one = |_| {
        let start = Instant::now();
        screen.draw(|frame| draw(model, frame)).unwrap();
        start.elapsed()
    };
    median((0..301).map(one).collect())
}

/// What a review costs: opening it, all it lists again answered; a picture; a step of its cursor.
struct Costs {
    opens: Duration,
    frame: Duration,
    key: Duration,
}

fn review(extensions: usize, events: usize) -> Costs {
    let mut model = desk(extensions, events);
    let press = |model: &mut Model, key| {
        update(model, Message::Pressed(Key::parse(key).unwrap()), Moment::default())
    };
    press(&mut model, "A");
    let start = Instant::now();
    let mut effects = press(&mut model, "d");
    while let Some(effect) = effects.pop() {
        let Effect::ListEvents { extension, epoch, .. } = effect else { continue };
        let place = (0..extensions).find(|place| number(*place) == extension).unwrap();
        let result = Ok(listing(place, events));
        let listed = Message::Listed { extension, epoch, result, exchanges: Vec::new() };
        effects.extend(update(&mut model, listed, Moment::default()));
    }
    let opens = start.elapsed();
    press(&mut model, "t");
    assert!(matches!(model.dialog(), Some(Dialog::Review(review)) if !review.is_reading()));
    Costs { opens, frame: frame(&model), key: step(&mut model, ["j", "k"]) }
}

/// Time that the model takes to count what a typed expression means, and to mark it.
fn mark_by_expression(model: &mut Model, expression: &str) -> (Duration, Duration) {
    let pressed = |key| Message::Pressed(Key::parse(key).unwrap());
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..11 {
        update(model, pressed("T"), Moment::default());
        let messages = [Message::Pasted(expression.to_owned()), pressed("enter")];
        for (times, message) in times.iter_mut().zip(messages) {
            let start = Instant::now();
            update(model, message, Moment::default());
            times.push(start.elapsed());
        }
        update(model, pressed("U"), Moment::default());
    }
    let [counted, marked] = times;
    (median(counted), median(marked))
}

/// Time that the model takes for each of two keys, pressed in turn.
fn step(model: &mut Model, keys: [&str; 2]) -> Duration {
    let keys = keys.map(|key| Key::parse(key).unwrap());
    let mut times = Vec::new();
    for key in keys.into_iter().cycle().take(200) {
        let start = Instant::now();
        update(model, Message::Pressed(key), Moment::default());
        times.push(start.elapsed());
    }
    median(times)
}
