//! A PBX of a million events for the real binary: the simulator in this process.

use std::path::Path;
use std::time::Duration;

use callsweep::simulator::{Event, Extension, Kind, Simulator, World};

/// As many as presence lists in few pages, so that the rest of a million stands on each.
const EXTENSIONS: usize = 4_000;
const EVENTS: usize = 250;

/// A million events: 10,000 of 40 extensions have the note `ten`, 50,000 of 200 others the note `fifty`.
pub(crate) fn start(latency: Duration) -> Simulator {
    let mut world = World::new("a large PBX", "bench-token");
    for place in 0..EXTENSIONS {
        let mut extension = Extension::new(&number(place), Kind::Terminal, "");
        extension.events = (0..EVENTS).map(|event| one(place, event)).collect();
        world.insert(extension);
    }
    world.latency.delete = latency;
    Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap()
}

fn number(place: usize) -> String {
    format!("{:04}*{:03}", place / 1000, place % 1000)
}

fn one(extension: usize, event: usize) -> Event {
    let note = match extension {
        100..140 => "ten",
        1000..1200 => "fifty",
        _ if event.is_multiple_of(3) => "CRM",
        _ => "",
    };
    Event {
        event_type: u16::try_from(event % 5).unwrap(),
        id: format!("Nqey{extension:08}{event:08}DRqo4Ftabm"),
        method: 1,
        url: format!("https://crm{}.acme.test/telephony/in?src=pbx", event % 20),
        note: note.to_owned(),
        status: 1,
        modified: "2024-05-01T10:00:00+02:00".to_owned(),
    }
}

/// How many events are left.
pub(crate) fn left(pbx: &Simulator) -> usize {
    pbx.with_world(|world| world.event_count())
}

/// A configuration for it, with 64 in flight.
pub(crate) fn configuration(home: &Path, pbx: &Simulator) -> String {
    let file = home.join("config.toml");
    let text = format!(
        "[profiles.bench]\nurl = \"{}\"\nconcurrency = 64\nmax_delete = 100000\n\
         [profiles.bench.auth]\ntoken_env = \"T\"\n",
        pbx.origin()
    );
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}
