//! A company that changed its CRM and never cleaned up: the world of `--demo`.
//!
//! The extensions and how many events each has are fixed, so that the demo can be told as a
//! story; what the events are comes from the seed. The same seed makes the same world.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;

use super::refusal::Refusal;
use super::world::{Event, Extension, Kind, Latency, World};

/// The seed of the demo when nobody gives one.
pub const DEMO_SEED: u64 = 1;

/// What an extension's last digits, label and number of events are. The first has room for every
/// hook of both CRMs, and nothing about it is refused.
const EXTENSIONS: &[(u16, Kind, &str, usize)] = &[
    (FIRST, Kind::Terminal, "Reception", 9),
    (101, Kind::Terminal, "Reception 2", 6),
    (102, Kind::Terminal, "Lobby", 4),
    (DIRECTORS, Kind::Terminal, "Directors' office", 7),
    (111, Kind::Terminal, "Assistant", 5),
    (120, Kind::Terminal, "Sales 1", 12),
    (121, Kind::Terminal, "Sales 2", 12),
    (122, Kind::Terminal, "Sales 3", 10),
    (123, Kind::Terminal, "Sales field team", 8),
    (124, Kind::Terminal, "Sales mobile", 0),
    (130, Kind::Terminal, "Support 1", 14),
    (131, Kind::Terminal, "Support 2", 14),
    (132, Kind::Terminal, "Support 3", 11),
    (133, Kind::Terminal, "Support night shift", 9),
    (134, Kind::Terminal, "Support trainee", 0),
    (140, Kind::Terminal, "Accounts", 6),
    (141, Kind::Terminal, "Purchasing", 5),
    (142, Kind::Terminal, "Payroll", 2),
    (150, Kind::Terminal, "Warehouse", 7),
    (151, Kind::Terminal, "Loading dock", 3),
    (152, Kind::Terminal, "Workshop", 4),
    (160, Kind::Terminal, "Marketing", 13),
    (170, Kind::Terminal, "Meeting room 1", 0),
    (171, Kind::Terminal, "Meeting room 2", 2),
    (180, Kind::Terminal, "Fax", 3),
    (190, Kind::Terminal, "Door phone", 2),
    (199, Kind::Terminal, "Test phone", 5),
    (600, Kind::Queue, "Sales queue", 24),
    (601, Kind::Queue, "Support queue", 31),
    (602, Kind::Queue, "Support priority", 16),
    (603, Kind::Queue, "Accounts queue", 8),
    (604, Kind::Queue, "Overflow", 4),
    (700, Kind::Ivr, "Main menu", 12),
    (701, Kind::Ivr, "Support menu", 9),
    (702, Kind::Ivr, "After hours", 5),
    (703, Kind::Ivr, "Holiday menu", 0),
    (800, Kind::Conference, "Conference 1", 5),
    (801, Kind::Conference, "Conference 2", 3),
    (802, Kind::Conference, "Board conference", 2),
    (803, Kind::Conference, "Training room", 0),
];

/// Where a demo starts.
const FIRST: u16 = 100;

/// Whose events nobody else may touch.
const DIRECTORS: u16 = 110;

/// How many events are there twice, beyond the numbers above.
const DUPLICATES: RangeInclusive<usize> = 6..=12;

/// A program the company let the PBX call. `{ext}` stands for the extension.
struct System {
    /// Type, method, and the URL behind the scheme.
    hooks: &'static [(u16, u16, &'static str)],
    scheme: &'static str,
    notes: &'static [&'static str],
    years: RangeInclusive<u16>,
    /// How many of a hundred are switched off.
    disabled: u8,
}

/// In use today; nearly every extension has it, and hooks of every type but dial-out.
const CRM: System = System {
    hooks: &[
        (0, 1, "crm.acme.test/pbx/ring?ext={ext}&src=voipnow"),
        (3, 1, "crm.acme.test/pbx/answered?ext={ext}&src=voipnow"),
        (2, 1, "crm.acme.test/pbx/hangup?ext={ext}&src=voipnow"),
        (4, 1, "crm.acme.test/pbx/connected?ext={ext}&src=voipnow"),
    ],
    scheme: "https",
    notes: &["CRM", "CRM pop-up", "new CRM", "CRM, ask Ioana first"],
    years: 2021..=2026,
    disabled: 4,
};

/// What the demo is there to remove.
const OLD_CRM: System = System {
    hooks: &[
        (0, 0, "crm-old.acme.test/in.php?ext={ext}&from=pbx"),
        (2, 0, "crm-old.acme.test/hang.php?ext={ext}&from=pbx"),
        (1, 0, "crm-old.acme.test/out.php?ext={ext}&from=pbx"),
    ],
    scheme: "http",
    notes: &["old CRM", "CRM", "", "old CRM, remove after the move"],
    years: 2012..=2019,
    disabled: 35,
};

/// The rest, in no order.
const SYSTEMS: [System; 4] = [
    System {
        hooks: &[
            (0, 1, "tickets.acme.test/api/calls?state=new&line={ext}"),
            (2, 1, "tickets.acme.test/api/calls?state=closed&line={ext}"),
        ],
        scheme: "https",
        notes: &["tickets", "ticket for every call", ""],
        years: 2018..=2025,
        disabled: 8,
    },
    System {
        hooks: &[
            (2, 0, "calllog.acme.test/log?what=end%20of%20call&ext={ext}"),
            (1, 0, "calllog.acme.test/log?what=dialled&ext={ext}"),
            (4, 0, "calllog.acme.test/log?what=picked%20up&ext={ext}"),
        ],
        scheme: "https",
        notes: &["call log", "", "call log for billing, keep"],
        years: 2014..=2024,
        disabled: 10,
    },
    System {
        hooks: &[
            (0, 0, "wallboard.acme.test/tick?state=ringing&ext={ext}"),
            (3, 0, "wallboard.acme.test/tick?state=talking&ext={ext}"),
            (2, 0, "wallboard.acme.test/tick?state=idle&ext={ext}"),
        ],
        scheme: "http",
        notes: &["wallboard", "screen in the hall"],
        years: 2016..=2023,
        disabled: 20,
    },
    System {
        hooks: &[
            (1, 1, "dialer.acme.test/v1/dialled?agent={ext}"),
            (4, 1, "dialer.acme.test/v1/reached?agent={ext}"),
        ],
        scheme: "https",
        notes: &["dialer", "dialer trial", ""],
        years: 2020..=2024,
        disabled: 30,
    },
];

/// What busy extensions collect: one hook a campaign, long over.
const CAMPAIGNS: &[&str] = &[
    "spring%20sale",
    "summer%20sale",
    "autumn%20fair",
    "winter%20offers",
    "newsletter",
    "tv%20spot",
    "radio%20%2B%20print",
    "partners%20%26%20friends",
];

impl World {
    /// About 40 extensions of all kinds with about 300 events, made from the seed.
    pub fn demo(seed: u64) -> Self {
        let mut maker = Maker { rng: Rng::with_seed(seed), ids: BTreeSet::new() };
        let mut extensions: Vec<Extension> =
            EXTENSIONS.iter().map(|row| maker.extension(*row)).collect();
        maker.duplicate(&mut extensions);
        let mut world = Self::new("a company that changed its CRM", "demo-token");
        for extension in extensions {
            world.insert(extension);
        }
        world.latency = Latency {
            presence: Duration::ZERO,
            delete: Duration::from_millis(120),
            get: Duration::from_millis(5),
        };
        world
    }
}

/// The seed's numbers, and the ids already given away.
struct Maker {
    rng: Rng,
    ids: BTreeSet<String>,
}

impl Maker {
    fn extension(&mut self, (digits, kind, label, count): (u16, Kind, &str, usize)) -> Extension {
        let number = format!("0003*{digits}");
        let mut extension = Extension::new(&number, kind, label);
        extension.online = self.rng.u8(..100) < 85;
        if digits == DIRECTORS {
            extension.refuse_delete = Some(Refusal::PceAccessDenied);
        }
        let encoded = number.replace('*', "%2A");
        let mut events = Vec::new();
        for system in self.systems(digits) {
            events.extend(self.system(system, &encoded));
        }
        while events.len() < count {
            events.push(self.campaign(&encoded));
        }
        events.truncate(count);
        extension.events = events;
        extension
    }

    /// Which systems came to an extension, in which order. Where few events fit, the old CRM is
    /// all there is on some; the first extension always shows the new one and the old one.
    fn systems(&mut self, digits: u16) -> Vec<&'static System> {
        let mut systems: Vec<&System> = SYSTEMS.iter().collect();
        self.rng.shuffle(&mut systems);
        let old_first = digits != FIRST && self.rng.u8(..100) < 35;
        let both = if old_first { [&OLD_CRM, &CRM] } else { [&CRM, &OLD_CRM] };
        systems.splice(..0, both);
        systems
    }

    /// Everything a system wants to hear of one extension. It was set up in one go, so date and
    /// note are the same.
    fn system(&mut self, system: &System, encoded: &str) -> Vec<Event> {
        let note = self.pick(system.notes);
        let modified = self.date(system.years.clone());
        let mut events = Vec::new();
        for (event_type, method, url) in system.hooks {
            events.push(Event {
                event_type: *event_type,
                id: self.id(),
                method: *method,
                url: format!("{}://{}", system.scheme, url.replace("{ext}", encoded)),
                note: note.to_owned(),
                status: u16::from(self.rng.u8(..100) >= system.disabled),
                modified: modified.clone(),
            });
        }
        events
    }

    fn campaign(&mut self, encoded: &str) -> Event {
        let campaign = self.pick(CAMPAIGNS);
        let year = self.rng.u16(2013..=2025);
        let event_type = if self.rng.bool() { 0 } else { 3 };
        let url = format!("http://track.acme.test/hit?c={campaign}%20{year}&ext={encoded}");
        Event {
            event_type,
            id: self.id(),
            method: 0,
            url,
            note: format!("campaign {year}"),
            status: u16::from(self.rng.u8(..100) >= 50),
            modified: self.date(year..=year),
        }
    }

    /// Enters some events a second time, as happens when a set-up is run twice.
    fn duplicate(&mut self, extensions: &mut [Extension]) {
        let mut with_events: Vec<&mut Extension> =
            extensions.iter_mut().filter(|extension| !extension.events.is_empty()).collect();
        self.rng.shuffle(&mut with_events);
        let wanted = self.rng.usize(DUPLICATES);
        for extension in with_events.into_iter().take(wanted) {
            let place = self.rng.usize(..extension.events.len());
            let copy = extension.events.get(place).cloned();
            if let Some(copy) = copy {
                let id = self.id();
                extension.events.push(Event { id, ..copy });
            }
        }
    }

    /// Thirty letters and digits, as in the vendor's samples, never the same twice.
    fn id(&mut self) -> String {
        loop {
            let id: String = (0..30).map(|_| self.rng.alphanumeric()).collect();
            if self.ids.insert(id.clone()) {
                return id;
            }
        }
    }

    /// In working hours somewhere in these years, with the offset of Bucharest's summer or winter.
    fn date(&mut self, years: RangeInclusive<u16>) -> String {
        let year = self.rng.u16(years);
        // The last year of the story is not over yet.
        let month = self.rng.u8(1..=if year == 2026 { 3 } else { 12 });
        let day = self.rng.u8(1..=28);
        let hour = self.rng.u8(8..=18);
        let minute = self.rng.u8(..60);
        let second = self.rng.u8(..60);
        let offset = if (4..=10).contains(&month) { 3 } else { 2 };
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+{offset:02}:00")
    }

    fn pick(&mut self, texts: &'static [&'static str]) -> &'static str {
        self.rng.choice(texts).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A few seeds, since what holds must hold for all.
    fn worlds() -> impl Iterator<Item = World> {
        (0..50).chain([DEMO_SEED, u64::MAX]).map(World::demo)
    }

    fn types(extension: &Extension) -> BTreeSet<u16> {
        let types = extension.events.iter().map(|event| event.event_type);
        types.collect()
    }

    #[test]
    fn there_are_forty_extensions_of_all_kinds_and_about_three_hundred_events() {
        for world in worlds() {
            let mut kinds = BTreeMap::new();
            for extension in world.extensions() {
                *kinds.entry(format!("{:?}", extension.kind)).or_insert(0) += 1;
            }
            let expected = [("Conference", 4), ("Ivr", 4), ("Queue", 5), ("Terminal", 27)];
            assert_eq!(kinds, expected.map(|(kind, n)| (kind.to_owned(), n)).into());
            assert!((290..=310).contains(&world.event_count()));
            assert_eq!(world.numbers_outside_presence().len(), 13);
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_world_and_another_seed_another() {
        let all = |seed| -> Vec<Extension> { World::demo(seed).extensions().cloned().collect() };
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
    }

    #[test]
    fn the_first_extension_has_three_types_and_refuses_nothing() {
        for world in worlds() {
            let first = world.extensions().next().unwrap();
            assert_eq!(first.number(), "0003*100");
            assert!(types(first).len() >= 3);
            assert_eq!((first.refuse_delete, first.refuse_list), (None, None));
            let old = first.events.iter().filter(|e| e.url.contains("crm-old."));
            assert!(old.count() >= 3);
        }
    }

    #[test]
    fn one_extension_refuses_and_some_have_nothing_but_none_has_a_single_event() {
        for world in worlds() {
            let refusing: Vec<&Extension> =
                world.extensions().filter(|extension| extension.refuse_delete.is_some()).collect();
            assert_eq!(refusing.len(), 1);
            assert_eq!(refusing[0].refuse_delete, Some(Refusal::PceAccessDenied));
            assert_eq!(refusing[0].label, "Directors' office");
            let counts: Vec<usize> = world.extensions().map(|e| e.events.len()).collect();
            assert!(counts.iter().filter(|count| **count == 0).count() >= 3);
            assert!(!counts.contains(&1));
        }
    }

    #[test]
    fn events_are_of_every_sort_with_ids_of_their_own() {
        for world in worlds() {
            let events: Vec<&Event> = world.extensions().flat_map(|e| &e.events).collect();
            let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
            assert_eq!(ids.len(), events.len());
            for id in ids {
                assert_eq!(id.len(), 30);
                assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            }
            let all: BTreeSet<u16> = world.extensions().flat_map(types).collect();
            assert_eq!(all, (0..=4).collect());
            let disabled = events.iter().filter(|event| event.status == 0).count();
            assert!((20..120).contains(&disabled), "{disabled} are disabled");
            for host in ["crm.", "crm-old.", "tickets.", "calllog.", "track."] {
                let there = events.iter().any(|event| event.url.contains(host));
                assert!(there, "nothing calls {host}");
            }
            assert!(events.iter().any(|event| !event.note.is_empty()));
        }
    }

    #[test]
    fn some_events_are_there_twice() {
        for world in worlds() {
            let mut twice = 0;
            for extension in world.extensions() {
                let urls: BTreeSet<(u16, &str)> = extension
                    .events
                    .iter()
                    .map(|event| (event.event_type, event.url.as_str()))
                    .collect();
                twice += extension.events.len() - urls.len();
            }
            assert!(twice >= *DUPLICATES.start(), "only {twice} are there twice");
        }
    }

    #[test]
    fn dates_are_dates_between_2012_and_2026() {
        for world in worlds() {
            for event in world.extensions().flat_map(|extension| &extension.events) {
                let date: jiff::Timestamp = event.modified.parse().unwrap();
                let day = date.to_string();
                assert!(day.as_str() >= "2012" && day.as_str() < "2026-04", "{day}");
            }
        }
    }

    #[test]
    fn deleting_takes_a_while_and_reading_hardly_any() {
        let latency = World::demo(DEMO_SEED).latency;
        assert_eq!(latency.presence, Duration::ZERO);
        assert_eq!(latency.get, Duration::from_millis(5));
        assert_eq!(latency.delete, Duration::from_millis(120));
    }
}
