//! What is counted while a run goes on: by the one event that an answer is about, right whatever
//! happens, and without looking at the others.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::domain::looked;

/// One thing that happens in a run.
#[derive(Debug, Clone)]
enum Happens {
    /// The oldest call that is out is answered.
    Answer {
        works: bool,
    },
    Key(&'static str),
}

fn happens() -> impl Strategy<Value = Happens> {
    const KEYS: [&str; 8] = ["space", "j", "k", "2", "1", "esc", "p", "o"];
    prop_oneof![
        4 => any::<bool>().prop_map(|works| Happens::Answer { works }),
        1 => select(&KEYS[..]).prop_map(Happens::Key),
    ]
}

/// A marked event that is not on the screen is hidden, and the boxes of the groups count their marks.
fn counts_are_right(model: &Model) {
    let hidden =
        model.store().marked_rows().filter(|(listing, row)| model.is_hidden(listing, *row));
    assert_eq!(model.hidden_marks(), hidden.count());
    let found = model.extensions().found().iter();
    assert_eq!(
        model.loaded,
        found.filter(|it| model.store().listing(&it.number).is_some()).count()
    );
    for group in model.events().arrangement().groups() {
        let places = model.events().arrangement().places(group.rows.clone()).iter();
        let marked = places.filter(|place| {
            let found = model.events().event(**place, model.store());
            found.is_some_and(|(it, row)| model.store().is_marked(it.extension(), row))
        });
        assert_eq!(group.marked, marked.count(), "{group:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_answered_and_pressed_in_a_run_hidden_marks_and_marks_of_groups_are_counted_right(
        of_extensions in select(&["", "type:hangup", "host:crm-old.test", "-id:b", "is:marked"][..]),
        of_events in select(&["", "o", "type:hangup", "is:marked", "is:failed"][..]),
        steps in vec(happens(), 0..30),
    ) {
        let mut desk = Desk::open();
        desk.list("3", "2 d,0 o3,2 o4,4 e");
        desk.press("A");
        for (panel, filter) in [("1", of_extensions), ("2", of_events)] {
            desk.press(panel);
            desk.press("/");
            desk.take(Message::Pasted(filter.to_owned()));
            desk.press("enter");
        }
        desk.press("d");
        let count = desk.review().events().len();
        let digits: Vec<String> = count.to_string().chars().map(String::from).collect();
        desk.press(&digits.join(" "));
        let mut out: Vec<Effect> = desk.run();
        counts_are_right(&desk.model);
        for step in steps {
            let more = match step {
                Happens::Key(key) => desk.press(key),
                Happens::Answer { works } => match sent(&out).first() {
                    Some(call) => {
                        let place = out.iter().position(
                            |effect| matches!(effect, Effect::Act(Act::Send(it)) if it.id() == *call),
                        );
                        out.remove(place.unwrap());
                        desk.settle(*call, works)
                    }
                    None => Vec::new(),
                },
            };
            out.extend(more);
            counts_are_right(&desk.model);
        }
    }
}

/// So many extensions of a hundred events each, all in sight but for a filter that hides half of the
/// marks, a run of 200 under way, and more marks set since on so many of the extensions.
fn in_a_run(extensions: usize, marked: usize) -> Desk {
    let mut desk = Desk::on(facts());
    let number = |place: usize| format!("{place:04}");
    let found = (0..extensions).map(|place| Extension::of(super::number(&number(place)))).collect();
    let discovery = Discovery { extensions: found, complete: true, ..Discovery::default() };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    for place in 0..extensions {
        let event = |event: usize| format!("{} {}{event}", event % 5, ["o", "b"][event % 2]);
        let events: Vec<String> = (0..100).map(event).collect();
        desk.list(&number(place), &events.join(","));
    }
    desk.press("space space 0 /");
    desk.take(Message::Pasted("host:crm-old.test".to_owned()));
    desk.press("enter d 2 0 0");
    desk.run();
    desk.press("2 T");
    let these: Vec<String> = (2..marked).map(number).collect();
    desk.take(Message::Pasted(format!("id:o* ext:{}", these.join("|"))));
    desk.press("enter");
    desk
}

#[test]
fn an_answer_in_a_run_looks_at_its_own_event_whatever_is_listed_marked_and_filtered() {
    let most = [(250, 10), (500, 400)].map(|(extensions, marked)| {
        let mut desk = in_a_run(extensions, marked);
        assert!(desk.model.hidden_marks() >= 100 && desk.model.is_running());
        assert_eq!(desk.model.events().scope(), Some(&Scope::All));
        let (plan, at) = (Arc::clone(desk.model.run().unwrap().machine.plan()), desk.now());
        let each = (0..40).map(|call| {
            let ids = plan.covered(call).iter().map(|event| Foreign::from(event.key.id.as_str()));
            let answer = Ok(DeleteAnswer { http_status: 200, ids: Some(ids.collect()) });
            let settled = judge(plan.covered(call), answer, Duration::ZERO, false);
            let done = Done::Settled { call, settled, exchanges: Vec::new() };
            let before = looked::rows();
            let now = Moment { since_start: at, ..Moment::default() };
            update(&mut desk.model, Message::Done(done), now);
            looked::rows() - before
        });
        each.max().unwrap()
    });
    assert!(most.iter().all(|rows| *rows < 300), "{most:?}");
}
