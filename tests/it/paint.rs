//! What the screen costs a line, measured at the pseudo-terminal: bytes of a step, of a list that
//! moves, of doing nothing, of a run.

use std::time::{Duration, Instant};

use callsweep::simulator::{Event, Extension, Kind, Simulator, World};

use crate::session::{PATIENCE, Session, configuration};

/// How every picture ends.
const END: &str = "\x1b[?2026l";

impl Session {
    /// Reads one more picture and returns its bytes.
    fn picture(&mut self) -> usize {
        let before = self.written.len();
        let until = Instant::now() + PATIENCE;
        let ends = |new: &str| new.strip_suffix("\x1b[5n").unwrap_or(new).ends_with(END);
        while !self.written.get(before..).is_some_and(ends) {
            let left = until.saturating_duration_since(Instant::now());
            let bytes = self.output.recv_timeout(left).expect("a picture");
            self.take(&bytes);
        }
        self.written.len() - before
    }

    /// Takes in what is still under way, until nothing comes for so long.
    pub(crate) fn silence(&mut self, time: Duration) -> usize {
        let before = self.written.len();
        while let Ok(bytes) = self.output.recv_timeout(time) {
            self.take(&bytes);
        }
        self.written.len() - before
    }

    /// The bytes of the picture that follows each of so many keys, in the middle.
    fn cost_of(&mut self, key: &str, times: usize) -> usize {
        let mut costs: Vec<usize> = (0..times)
            .map(|_| {
                self.press(key);
                self.picture()
            })
            .collect();
        costs.sort_unstable();
        costs[times / 2]
    }
}

const QUIET: Duration = Duration::from_millis(400);

/// A world whose neighbours share little: so many extensions of so many events.
pub(crate) fn office(extensions: usize, events: usize) -> World {
    const LABELS: [&str; 7] =
        ["Reception", "Sales", "Mrs. Papadopoulou", "Fax", "Support 2nd floor", "Lab", "Workshop"];
    const URLS: [&str; 5] = [
        "https://crm.acme.test/in?src=pbx&ext=0003%2A210",
        "http://old-crm.acme.test:8080/telephony/hooks/in.php",
        "https://wallboard.test/tick?state=ringing",
        "https://calllog.acme.test/log?what=dialled%20out&by=phone",
        "https://hooks.integrations.example.test/v2/9f8e7d6c/pbx",
    ];
    let mut world = World::named("the-page").unwrap();
    let pattern = world.extension("0003*210").unwrap().events[0].clone();
    for place in 0..extensions {
        let label = LABELS[place % LABELS.len()];
        let number = format!("0003*{}", 210 + place);
        let mut extension = Extension::new(&number, Kind::Terminal, label);
        for event in 0..events {
            let shuffled = (place * 31 + event + 1) * 7_919_999 % 99_999_989;
            extension.events.push(Event {
                event_type: u16::try_from(event * 5 / events).unwrap(),
                id: format!("{shuffled:08}sR4tgB7u"),
                url: URLS[shuffled % URLS.len()].to_owned(),
                note: LABELS[shuffled % LABELS.len()].to_owned(),
                method: u16::from(shuffled % 3 > 0),
                status: u16::from(shuffled % 4 > 0),
                ..pattern.clone()
            });
        }
        world.insert(extension);
    }
    world
}

fn opened(
    home: &std::path::Path,
    simulator: &Simulator,
    settings: &str,
    size: (u16, u16),
) -> Session {
    let file = configuration(home, &simulator.origin());
    let text = std::fs::read_to_string(&file).unwrap();
    let whole = text.replace("[profiles.acme.auth]", &format!("{settings}\n[profiles.acme.auth]"));
    std::fs::write(&file, whole).unwrap();
    let token = simulator.token();
    let mut session = Session::start(home, &["--config", &file], &[("T", &token)]);
    session.sees("Dial-In");
    session.resize(size.1, size.0);
    session.silence(QUIET);
    session
}

fn serve(world: World) -> Simulator {
    Simulator::start(world, "127.0.0.1:0".parse().unwrap()).unwrap()
}

#[test]
fn a_step_of_the_cursor_and_of_a_list_that_moves_cost_a_few_hundred_bytes() {
    for size in [(80, 24), (120, 40)] {
        let home = tempfile::tempdir().unwrap();
        let simulator = serve(office(80, 7));
        let mut session = opened(home.path(), &simulator, "", size);
        let step = session.cost_of("j", 5);
        assert!(step <= 320, "a step in Extensions: {step} bytes");
        session.press("G");
        session.silence(QUIET);
        session.cost_of("k", usize::from(size.1) / 2);
        let step = session.cost_of("k", 5);
        assert!(step <= 450, "a step that moves Extensions: {step} bytes");

        let home = tempfile::tempdir().unwrap();
        let simulator = serve(office(1, 200));
        let mut session = opened(home.path(), &simulator, "", size);
        session.press("\r");
        session.silence(QUIET);
        let step = session.cost_of("j", 5);
        assert!(step <= 320, "a step in Events: {step} bytes");
        session.cost_of("j", usize::from(size.1) / 2);
        let step = session.cost_of("j", 9);
        assert!(step <= 450, "a step that moves Events: {step} bytes");
    }
}

#[test]
fn nothing_is_written_while_nothing_happens_for_ten_seconds() {
    let home = tempfile::tempdir().unwrap();
    let mut session = Session::start(home.path(), &["--demo"], &[]);
    session.sees("Dial-In");
    session.press("\rj d");
    session.sees("DELETE 1 phone call event");
    session.says_yes();
    session.sees("finished: 1 deleted");
    session.silence(QUIET);
    assert_eq!(session.silence(Duration::from_secs(10)), 0);
    // The first takes the notice away; a key that changes nothing paints nothing.
    session.press("Z");
    session.silence(QUIET);
    session.press("Z");
    assert_eq!(session.silence(QUIET), 0);
}

#[test]
fn a_run_of_a_thousand_deletions_paints_at_most_twenty_times_a_second_and_little_each_time() {
    let home = tempfile::tempdir().unwrap();
    let mut world = office(1, 1_000);
    world.latency.delete = Duration::from_millis(5);
    let simulator = serve(world);
    let settings = "wide_calls = []\nconcurrency = 4";
    let mut session = opened(home.path(), &simulator, settings, (120, 40));
    session.press(" d");
    session.sees("Type 1000, then press y");
    session.press("1000");
    session.sees("n cancels.");
    session.silence(QUIET);
    let (before, began) = (session.written.len(), Instant::now());
    session.press("y");
    session.sees_within(6 * PATIENCE, "finished: 1000 deleted");
    let (bytes, took) = (session.written.len() - before, began.elapsed());
    let pictures = session.written.split_at(before).1.matches(END).count();
    // Where the machine is busy there is a picture for fewer than ten of them.
    let enough = (200 * 1_000).max(2_000 * pictures);
    assert!(bytes <= enough, "{bytes} bytes, {pictures} pictures");
    let most = took.as_millis().div_ceil(50) + 5;
    assert!(u128::try_from(pictures).unwrap() <= most, "{pictures} pictures in {took:?}");
}
