//! How many keys the jobs of every day take, at every size: what is typed into a line, the number of
//! events and names do not count.

use callsweep::domain::Source;
use callsweep::simulator::{Event, Fault, Kind, Latency, World};

use crate::desk::{Desk, Setting};

const SIZES: [(u16, u16); 3] = [(60, 15), (80, 24), (120, 40)];

/// A day of the built-in demo on which some of its events have not been touched for years.
const TODAY: &str = "2026-06-01T12:00:00+02:00[Europe/Berlin]";

/// Somebody at the keys, and what was pressed.
struct Hands {
    desk: Desk,
    keys: usize,
}

impl Hands {
    /// The program on this world, with queues and the like from SystemAPI, everything read.
    fn on(world: World, size: (u16, u16)) -> Self {
        let sources = &[Source::Presence, Source::SystemApi];
        let today = TODAY.parse().unwrap();
        let desk = Desk::of(world, Setting { size, sources, today, ..Setting::default() });
        // In the demo one extension refuses, which is another job, and answers take their time.
        desk.simulator.with_world(|world| {
            let numbers: Vec<_> = world.extensions().map(|it| it.number().to_owned()).collect();
            for number in numbers {
                world.extension_mut(&number).unwrap().refuse_delete = None;
            }
            world.latency = Latency::default();
        });
        Self { desk, keys: 0 }
    }

    fn demo(size: (u16, u16)) -> Self {
        Self::on(World::named("demo").unwrap(), size)
    }

    /// Presses keys, which count.
    fn press(&mut self, keys: &str) {
        self.keys += keys.split_whitespace().count();
        self.desk.do_keys(keys);
    }

    /// Types into a line, or a number into a review, which does not count.
    fn write(&mut self, text: &str) {
        for character in text.chars() {
            let key = if character == ' ' { "space".to_owned() } else { character.to_string() };
            self.desk.do_keys(&key);
        }
    }

    /// `y`, after the number of events where there are many.
    fn agree(&mut self, events: usize) {
        if events > 10 {
            self.write(&events.to_string());
        }
        self.press("y");
    }

    /// What there is on the PBX, as extension and id.
    fn there(&self, is_meant: impl Fn(Kind, &Event) -> bool) -> Vec<(String, String)> {
        self.desk.simulator.with_world(|world| {
            let all = world.extensions().flat_map(|extension| {
                let events = extension.events.iter().map(move |event| (extension, event));
                events.filter(|(extension, event)| is_meant(extension.kind, event))
            });
            let mut named: Vec<_> = all
                .map(|(extension, event)| (extension.number().to_owned(), event.id.clone()))
                .collect();
            named.sort();
            named
        })
    }

    /// Fails where anything else than this went, or more keys than these were pressed.
    fn took(&self, keys: usize, before: &[(String, String)], meant: &[(String, String)]) {
        let left: Vec<_> = before.iter().filter(|event| !meant.contains(event)).cloned().collect();
        assert!(!meant.is_empty(), "nothing was to go");
        let there = self.there(|_, _| true);
        let other: Vec<_> = there.iter().filter(|event| !left.contains(event)).collect();
        assert_eq!((there.len(), other.len()), (left.len(), 0), "still there: {other:?}");
        assert_eq!(self.keys, keys);
    }
}

fn all(_: Kind, _: &Event) -> bool {
    true
}

#[test]
fn one_event_is_deleted_with_four_keys() {
    for size in SIZES {
        let mut hands = Hands::demo(size);
        let before = hands.there(all);
        let first = hands.desk.simulator.with_world(|world| {
            let extension = world.extension("0003*100").unwrap();
            let first = extension.events.iter().min_by_key(|event| event.event_type).unwrap();
            ("0003*100".to_owned(), first.id.clone())
        });
        hands.press("enter j d y");
        hands.took(4, &before, &[first]);
    }
}

#[test]
fn all_hangup_events_of_an_extension_are_deleted_with_six_keys() {
    for size in SIZES {
        let mut hands = Hands::demo(size);
        let before = hands.there(all);
        let hangup = hands.there(|_, event| event.event_type == 2);
        let meant: Vec<_> = hangup.into_iter().filter(|(number, _)| number == "0003*100").collect();
        hands.press("enter J J space d y");
        hands.took(6, &before, &meant);
    }
}

#[test]
fn everything_on_an_extension_is_deleted_with_three_keys() {
    for size in SIZES {
        let mut hands = Hands::demo(size);
        let before = hands.there(all);
        let meant: Vec<_> =
            before.iter().filter(|(number, _)| number == "0003*100").cloned().collect();
        hands.press("space d y");
        hands.took(3, &before, &meant);
    }
}

#[test]
fn every_event_of_the_old_crm_but_those_of_queues_is_deleted_with_four_keys() {
    let is_old = |event: &Event| event.url.contains("://crm-old.");
    for size in SIZES {
        let mut hands = Hands::demo(size);
        let before = hands.there(all);
        let meant = hands.there(|kind, event| kind != Kind::Queue && is_old(event));
        let spared = hands.there(|kind, event| kind == Kind::Queue && is_old(event));
        assert!(!spared.is_empty(), "queues are among the matches");
        hands.press("T");
        hands.write("host:crm-old.* -kind:queue");
        hands.press("enter d");
        hands.agree(meant.len());
        hands.took(4, &before, &meant);
    }
}

#[test]
fn all_duplicates_but_the_one_that_stays_are_deleted_with_four_keys() {
    for size in SIZES {
        let mut hands = Hands::demo(size);
        let before = hands.there(all);
        let kinds = |hands: &Hands| {
            hands.desk.simulator.with_world(|world| {
                let alike = world.extensions().flat_map(|extension| {
                    let number = extension.number().to_owned();
                    let events = extension.events.iter();
                    events.map(move |it| (number.clone(), it.event_type, it.method, it.url.clone()))
                });
                let mut alike: Vec<_> = alike.collect();
                alike.sort();
                alike.dedup();
                alike
            })
        };
        let kinds_before = kinds(&hands);
        let duplicates = before.len() - kinds_before.len();
        assert!(duplicates > 0);
        hands.press("X");
        hands.write("duplicate");
        hands.press("enter d");
        hands.agree(duplicates);
        assert_eq!(hands.there(all).len(), kinds_before.len());
        assert_eq!(kinds(&hands), kinds_before, "of each kind one stays");
        assert_eq!(hands.keys, 4);
    }
}

#[test]
fn what_is_off_and_untouched_for_a_year_is_deleted_with_four_keys() {
    for size in SIZES {
        let mut hands = Hands::demo(size);
        let before = hands.there(all);
        let meant = hands.there(|_, event| event.status == 0 && *event.modified < *"2025-06-01");
        hands.press("T");
        hands.write("status:off age:>1y");
        hands.press("enter d");
        hands.agree(meant.len());
        hands.took(4, &before, &meant);
    }
}

#[test]
fn a_whole_run_is_undone_with_two_keys() {
    for size in SIZES {
        let mut hands = Hands::demo(size);
        let before = hands.there(all);
        hands.desk.do_keys("space d y");
        assert!(hands.there(all).len() < before.len());
        hands.press("z y");
        assert_eq!((hands.there(all).len(), hands.keys), (before.len(), 2));
    }
}

#[test]
fn an_extension_that_refuses_says_why_in_sight_and_is_tried_again_with_two_keys() {
    for size in SIZES {
        let mut hands = Hands::demo(size);
        let before = hands.there(all).len();
        let own = hands.there(all).iter().filter(|(number, _)| number == "0003*100").count();
        hands.desk.simulator.with_world(|world| {
            let (method, path) = (Some("DELETE".to_owned()), Some("0003*100".to_owned()));
            let code = Some("pce_access_denied".to_owned());
            world.add_fault(Fault { method, path, status: Some(400), code, ..Fault::default() });
        });
        hands.desk.do_keys("space space d");
        let marked = hands.desk.model.store().marked();
        hands.agree(marked);
        hands.desk.sees("pce_access_denied");
        assert_eq!(hands.there(all).len(), before - marked + own, "the run went on");
        hands.desk.simulator.with_world(World::clear_faults);
        hands.keys = 0;
        hands.press("r y");
        assert_eq!((hands.there(all).len(), hands.keys), (before - marked, 2));
    }
}

#[test]
fn all_events_stand_by_host_with_three_keys() {
    for size in SIZES {
        let mut hands = Hands::demo(size);
        hands.press("0 o o");
        assert_eq!(hands.keys, 3);
        hands.desk.sees("all extensions by host");
        hands.desk.sees("crm.acme.test");
    }
}
