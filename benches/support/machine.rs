//! The machine's own time for deleting and undoing, beside a service that takes none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use callsweep::change::{
    Act, Done, Doubts, History, Loss, Machine, Plan, Selection, judge, judge_made,
};
use callsweep::domain::{
    Call, CallForm, DeleteAnswer, EventStore, ExtensionNumber, Foreign, ListingBuilder,
    PhoneCallEvent, RawEvent, WriteAnswer,
};

use super::table::Table;
use super::worlds::{Urls, listing, number, target, worked};

/// Of the 35 ms per 1,000 that a whole command may take.
const MOST_MS: f64 = 35.0 * 99.0;

pub(crate) fn measure(table: &mut Table) {
    for extensions in [100, 9_900] {
        let (deleted, restored) = carried_out(extensions, 99_000 / extensions);
        for (what, time) in [("delete", deleted), ("undo", restored)] {
            let what = format!("the machine alone to {what} 99,000 on {extensions} extensions");
            table.time("G3", &what, time, MOST_MS);
        }
    }
}

/// Deletes everything and undoes it against a service that does what it is asked, and takes no time:
/// the machine's own time for both.
fn carried_out(extensions: usize, events: usize) -> (Duration, Duration) {
    let mut store = EventStore::default();
    for extension in 0..extensions {
        store.insert(listing(extension, events, Urls::Twenty));
        store.set_marks(&number(extension), 0..events, true);
    }
    let (target, selection) = (target(), Selection::of_marks(&store));
    let plan = Plan::freeze(target.clone(), &selection, CallForm::Event, usize::MAX).unwrap();
    let mut run = Machine::new(Arc::new(plan), 4);
    let deleted = drive(&mut run);
    let known: Vec<&PhoneCallEvent> = run.plan().events().iter().collect();
    let taken = known.iter().map(|event| event.key.clone()).collect();
    let history = History { run: "bench".to_owned(), known, taken, ..History::default() };
    let loss = Loss::of(&history, Doubts::default(), None);
    let plan = loss.way_back(target, |_| None, false).plan.unwrap();
    let mut undo = Machine::new(Arc::new(plan), 4);
    let restored = drive(&mut undo);
    assert_eq!(run.tally().done(), undo.tally().done());
    (deleted, restored)
}

fn drive(machine: &mut Machine) -> Duration {
    let (mut now, mut spent) = (Duration::ZERO, Duration::ZERO);
    let mut made: HashMap<ExtensionNumber, Vec<(usize, PhoneCallEvent)>> = HashMap::new();
    let mut flying = Vec::new();
    loop {
        let start = worked();
        flying.extend(machine.hand_out(now));
        spent += worked().saturating_sub(start);
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
        let start = worked();
        machine.take(done, now);
        spent += worked().saturating_sub(start);
    }
}
