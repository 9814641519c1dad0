//! An operator's desk without a terminal: keys go in, real HTTP goes to a simulator of its own on
//! loopback, and the screen is read as text. Effects are performed one after the other, so nothing
//! depends on time.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use callsweep::api::{Client, Settings, Writes};
use callsweep::app::{Effect, Facts, Key, Leaving, Message, Model, Moment, update};
use callsweep::change::{Act, Done};
use callsweep::domain::{Credentials, Extension, Secret, Source, Target, Trust, UserId, WideCalls};
use callsweep::origins::Book;
use callsweep::runtime::{Ports, perform};
use callsweep::simulator::{Seen, Simulator, World};
use callsweep::view::draw;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tempfile::TempDir;

use crate::session::PATIENCE;

/// How fast time passes for what would wait: the clock of a desk is turned.
const AT_ONCE: u32 = 10_000;

/// What a journey may settle differently from the default.
pub(crate) struct Setting {
    pub(crate) size: (u16, u16),
    pub(crate) read_only: bool,
    pub(crate) wide_calls: WideCalls,
    pub(crate) max_delete: usize,
    pub(crate) token: Option<Secret>,
    /// Queues and the like are typed in where SystemAPI is not asked for them.
    pub(crate) sources: &'static [Source],
    /// How long an answer may take.
    pub(crate) patience: Duration,
    /// How much faster than time the budget of failures passes; as in life where it is 1.
    pub(crate) speed: u32,
    /// The local time that it is all the while.
    pub(crate) today: jiff::ZonedDateTime,
    /// The keys in force.
    pub(crate) keys: callsweep::keys::Keymap,
    /// Where run files go instead of a folder of the journey's own.
    pub(crate) runs: Option<std::path::PathBuf>,
}

impl Default for Setting {
    fn default() -> Self {
        let wide_calls = WideCalls::default();
        let sources = &[Source::Presence];
        Self {
            size: (120, 40),
            read_only: false,
            wide_calls,
            max_delete: 10_000,
            token: None,
            sources,
            patience: PATIENCE,
            speed: 1,
            today: jiff::ZonedDateTime::default(),
            keys: callsweep::keys::Keymap::default(),
            runs: None,
        }
    }
}

pub(crate) struct Desk {
    pub(crate) simulator: Simulator,
    pub(crate) model: Model,
    state: TempDir,
    settings: Settings,
    client: Client,
    ports: Ports,
    hands: tokio::runtime::Runtime,
    waiting: VecDeque<Effect>,
    screen: Terminal<TestBackend>,
    at: Duration,
    speed: u32,
    today: jiff::ZonedDateTime,
}

/// A client whose budget of failures is its own, and as fast as its setting says.
fn client(settings: &Settings, runs: &Path, speed: u32) -> Client {
    let book = Book::at(Some(runs), &settings.target.origin, speed);
    Client::sharing(settings.clone(), Some(book)).unwrap()
}

impl Desk {
    /// Opens the program on a scenario and reads everything that is read unasked.
    pub(crate) fn open(scenario: &str) -> Self {
        Self::with(scenario, Setting::default())
    }

    pub(crate) fn with(scenario: &str, setting: Setting) -> Self {
        let mut desk = Self::before_reading(scenario, setting);
        desk.settle();
        desk
    }

    pub(crate) fn before_reading(scenario: &str, setting: Setting) -> Self {
        Self::before_reading_of(World::named(scenario).unwrap(), setting)
    }

    /// The same on a world that no scenario describes.
    pub(crate) fn of(world: World, setting: Setting) -> Self {
        let mut desk = Self::before_reading_of(world, setting);
        desk.settle();
        desk
    }

    fn before_reading_of(world: World, setting: Setting) -> Self {
        let mut outside = world.numbers_outside_presence();
        if setting.sources.contains(&Source::SystemApi) {
            outside.clear();
        }
        let typed = outside.iter().map(|text| Extension::typed(text).unwrap()).collect();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let simulator = Simulator::start(world, listen).unwrap();
        let user = UserId::parse("@me").unwrap();
        let target = Target::new("test", &simulator.origin(), "/uapi", user).unwrap();
        let writes = if setting.read_only { Writes::ReadOnly } else { Writes::Allowed };
        let token = setting.token.unwrap_or_else(|| Secret::new(&simulator.token()));
        let settings = Settings {
            target: target.clone(),
            credentials: Credentials::Token(token),
            timeout: setting.patience,
            trust: Trust::Machine,
            writes,
            concurrency: 1,
        };
        let state = tempfile::tempdir().unwrap();
        let runs = setting.runs.unwrap_or_else(|| state.path().join("runs"));
        let client = client(&settings, &runs, setting.speed);
        let facts = Facts {
            read_only: setting.read_only,
            wide_calls: setting.wide_calls,
            max_delete: setting.max_delete,
            concurrency: 1,
            keys: setting.keys,
            ..Facts::of(target)
        };
        let (columns, rows) = setting.size;
        let (model, effects) = Model::new(facts, columns, rows);
        Self {
            simulator,
            model,
            state,
            settings,
            client: client.clone(),
            ports: Ports::new(client, typed, setting.sources.to_vec(), runs).at_speed(AT_ONCE),
            hands: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            waiting: effects.into(),
            screen: Terminal::new(TestBackend::new(columns, rows)).unwrap(),
            at: Duration::ZERO,
            speed: setting.speed,
            today: setting.today,
        }
    }

    fn take(&mut self, message: Message) {
        self.turn(Duration::from_millis(10));
        let now = Moment { since_start: self.at, local: self.today.clone() };
        self.waiting.extend(update(&mut self.model, message, now));
    }

    /// Presses keys written with spaces between them and performs nothing; the terminal shows what
    /// is asked, and each key is given time.
    pub(crate) fn press(&mut self, keys: &str) {
        for name in keys.split_whitespace() {
            self.take(Message::Pressed(Key::parse(name).unwrap()));
            self.look();
        }
    }

    /// The terminal shows the question that is open, and nothing arrives for a moment.
    pub(crate) fn look(&mut self) {
        if let (Some(picture), Some(_)) = (self.model.asked_picture(), self.model.unread()) {
            self.take(Message::Shown(picture));
            self.turn(callsweep::looks::QUIET);
            self.take(Message::Waited);
        }
    }

    /// Performs the next effect, and the waits for a question to become readable before it.
    pub(crate) fn perform_one(&mut self) {
        let is_wait = |effect: &Effect| matches!(effect, Effect::Wait(_));
        let last = self.waiting.len().saturating_sub(1);
        let waits = self.waiting.iter().take_while(|effect| is_wait(effect)).count().min(last);
        for _ in 0..waits {
            self.perform_next();
        }
        self.perform_next();
    }

    fn perform_next(&mut self) {
        let effect = self.waiting.pop_front().expect("an effect that waits");
        // The clock of the desk is turned: nobody waits.
        let message = match effect {
            Effect::Wait(time) => {
                self.turn(time);
                Message::Waited
            }
            Effect::Act(Act::Wait(time)) => {
                self.turn(time);
                Message::Done(Done::Waited)
            }
            effect => self.hands.block_on(perform(effect, &self.ports)),
        };
        self.take(message);
    }

    fn turn(&mut self, time: Duration) {
        self.at += time;
        self.client.turn_clock(time);
    }

    /// What the last of these keys copies, after the first ones.
    pub(crate) fn copies(&mut self, before: &str, keys: &str) -> String {
        self.do_keys(before);
        self.press(keys);
        let copied = self.waiting.drain(..).find_map(|effect| match effect {
            Effect::Copy { text, .. } => Some(text),
            _ => None,
        });
        copied.expect("something is copied")
    }

    /// Lets time pass, and performs all that follows from it, wait by wait.
    pub(crate) fn passes(&mut self, time: Duration) {
        self.settle();
        let end = self.at + time;
        while self.at < end {
            let next = self.model.changes_at().filter(|at| *at > self.at).unwrap_or(end).min(end);
            self.turn(next.saturating_sub(self.at));
            let now = Moment { since_start: self.at, local: self.today.clone() };
            self.waiting.extend(update(&mut self.model, Message::TimePassed, now));
            self.settle();
        }
    }

    /// Looks for runs that broke off, as every start does.
    pub(crate) fn look_for_broken_runs(&mut self) {
        let found = self.hands.block_on(perform(Effect::FindBrokenRuns, &self.ports));
        self.take(found);
    }

    /// Performs this effect, and all that follows from it.
    pub(crate) fn does(&mut self, effect: Effect) {
        self.waiting.push_back(effect);
        self.settle();
        self.look();
    }

    /// The window gets another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.screen = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        self.take(Message::Resized { columns, rows });
    }

    /// Starts anew with a profile that has this user.
    pub(crate) fn becomes(&mut self, user: &str) {
        self.settings.target.user = UserId::parse(user).unwrap();
        let client = client(&self.settings, &self.runs(), self.speed);
        self.client = client.clone();
        let sources = vec![Source::Presence];
        self.ports = Ports::new(client, Vec::new(), sources, self.runs()).at_speed(AT_ONCE);
        let target = self.settings.target.clone();
        let facts = Facts { target, ..self.model.facts().clone() };
        self.screen = Terminal::new(TestBackend::new(120, 40)).unwrap();
        let (model, effects) = Model::new(facts, 120, 40);
        (self.model, self.waiting) = (model, effects.into());
        self.settle();
    }

    /// Performs effects until none waits.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.waiting.is_empty() || matches!(self.model.leaving(), Leaving::Now { .. }) {
                return;
            }
            self.perform_one();
        }
        panic!("effects without an end: {:?}", self.waiting);
    }

    /// Presses keys one after the other, and performs all that follows from each.
    pub(crate) fn do_keys(&mut self, keys: &str) {
        for name in keys.split_whitespace() {
            self.press(name);
            self.settle();
            self.look();
        }
    }

    /// The screen as text, a line each, without blanks at the ends.
    pub(crate) fn screen(&mut self) -> String {
        let drawn = self.screen.draw(|frame| draw(&self.model, frame)).unwrap();
        let width = usize::from(drawn.area.width);
        let cells: Vec<&str> =
            drawn.buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        let lines = cells.chunks(width).map(|line| line.concat().trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The places of all cells that hold one of these signs, counted row by row.
    pub(crate) fn cells_with(&mut self, signs: &str) -> Vec<usize> {
        let drawn = self.screen.draw(|frame| draw(&self.model, frame)).unwrap();
        let cells = drawn.buffer.content.iter().enumerate();
        cells.filter(|(_, cell)| signs.contains(cell.symbol())).map(|(place, _)| place).collect()
    }

    /// Fails with the whole screen where a text is not on it.
    pub(crate) fn sees(&mut self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "{text:?} is not on the screen:\n{screen}");
    }

    /// As [`sees`](Self::sees), where the text may go on in the next line of a panel as wide as
    /// the screen.
    pub(crate) fn sees_wrapped(&mut self, text: &str) {
        let screen = self.screen();
        let lines = screen.lines().map(|line| line.trim_matches(['│', '║', ' ']));
        let flowing = lines.collect::<Vec<_>>().join(" ");
        assert!(flowing.contains(text), "{text:?} is not on the screen:\n{screen}");
    }

    pub(crate) fn does_not_see(&mut self, text: &str) {
        let screen = self.screen();
        assert!(!screen.contains(text), "{text:?} is on the screen:\n{screen}");
    }

    /// Ids that the simulator still has of an extension.
    pub(crate) fn left(&self, extension: &str) -> Vec<String> {
        self.simulator.with_world(|world| {
            world.event_ids(extension).into_iter().map(ToOwned::to_owned).collect()
        })
    }

    /// Every DELETE that the simulator saw.
    pub(crate) fn deletes(&self) -> Vec<Seen> {
        self.simulator.with_world(|world| {
            let seen = world.requests().iter().filter(|seen| seen.method == "DELETE");
            seen.cloned().collect()
        })
    }

    /// Ids of the marked events.
    pub(crate) fn marked(&self) -> Vec<String> {
        let rows = self.model.store().marked_rows();
        rows.map(|(listing, row)| listing.row(row).unwrap().id().to_owned()).collect()
    }

    /// The folder of run files.
    pub(crate) fn runs(&self) -> std::path::PathBuf {
        self.state.path().join("runs")
    }

    /// A client that has seen nothing fail yet, as after a minute.
    pub(crate) fn forget_failures(&mut self) {
        let client = Client::new(self.settings.clone()).unwrap();
        self.client = client.clone();
        self.ports = Ports::new(client, Vec::new(), Vec::new(), self.runs()).at_speed(AT_ONCE);
    }

    /// The lines of the newest run file.
    pub(crate) fn run_file(&self) -> Vec<serde_json::Value> {
        let runs = self.state.path().join("runs");
        let mut files: Vec<_> =
            std::fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let text = std::fs::read_to_string(files.last().unwrap()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn run_files(&self) -> usize {
        std::fs::read_dir(self.state.path().join("runs")).map_or(0, Iterator::count)
    }
}
