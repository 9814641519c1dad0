//! The interactive front: takes the terminal, feeds keys and answers to the model, draws, and gives
//! the terminal back on every way out.

mod clipboard;
mod guard;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr};
use crossterm::event::{Event, KeyEventKind};
use ratatui::DefaultTerminal;

use crate::app::{Effect, Facts, Key, Leaving, Message, Model, Moment, update};
use crate::runtime::{Ports, perform};
use crate::view::draw;

use clipboard::Clipboard;
pub use guard::{give_back_on_panic, is_terminal};

/// During a run at most twenty pictures a second; a key is always answered at once.
const FRAME: Duration = Duration::from_millis(50);

/// Runs the interactive program until the operator leaves.
///
/// `connect` is called after the first picture: nothing on the way to it waits for anything.
/// Returns the sentence to say when it ended because something went wrong.
///
/// # Errors
/// When the terminal cannot be taken or written, or `connect` fails.
pub fn run(facts: Facts, connect: impl FnOnce() -> Result<Ports>) -> Result<Option<String>> {
    let (mut screen, guard) = guard::take().wrap_err("the terminal cannot be used")?;
    let size = screen.size()?;
    let clock = Clock::start();
    let (mut model, effects) = Model::new(facts, size.width, size.height);
    screen.draw(|frame| draw(&model, frame))?;
    let ports = Arc::new(connect()?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("the network runtime cannot start")?;
    let (sender, inbox) = mpsc::channel();
    read_input(sender.clone());
    let clipboard = Clipboard::from_environment();
    let hands = Hands { runtime: &runtime, ports, sender, clipboard };
    hands.carry_out(effects, &mut screen);
    let ended = turn(&mut screen, &mut model, &inbox, &hands, clock);
    drop(guard);
    // What is still in flight after leaving at once is given up with the process.
    runtime.shutdown_background();
    ended?;
    match model.leaving() {
        Leaving::Now { message } => Ok(message.clone()),
        Leaving::No | Leaving::WhenSettled => Ok(None),
    }
}

/// The loop: everything that came in, then one picture.
fn turn(
    screen: &mut DefaultTerminal,
    model: &mut Model,
    inbox: &Receiver<Message>,
    hands: &Hands<'_>,
    clock: Clock,
) -> Result<()> {
    let mut repaints = model.repaints();
    loop {
        let Ok(first) = inbox.recv() else { return Ok(()) };
        let until = clock.since_start() + FRAME;
        let mut next = Some(first);
        while let Some(message) = next {
            let urgent = matches!(message, Message::Pressed(_) | Message::Resized { .. });
            hands.carry_out(update(model, message, clock.now()), screen);
            if !matches!(model.leaving(), Leaving::No | Leaving::WhenSettled) {
                return Ok(());
            }
            let patience = if urgent || !model.is_running() {
                Duration::ZERO
            } else {
                until.saturating_sub(clock.since_start())
            };
            next = inbox.recv_timeout(patience).ok();
        }
        if model.repaints() != repaints {
            repaints = model.repaints();
            // `clear` would ask the terminal where its cursor is; `resize` repaints without asking.
            let size = screen.size()?;
            screen.resize(ratatui::layout::Rect::new(0, 0, size.width, size.height))?;
        }
        screen.draw(|frame| draw(model, frame))?;
    }
}

/// Carries effects to where they are performed and their messages back.
struct Hands<'a> {
    runtime: &'a tokio::runtime::Runtime,
    ports: Arc<Ports>,
    sender: Sender<Message>,
    clipboard: Clipboard,
}

impl Hands<'_> {
    fn carry_out(&self, effects: Vec<Effect>, screen: &mut DefaultTerminal) {
        for effect in effects {
            // Written here, between two pictures, so that it never falls into the middle of one.
            if let Effect::Copy { what, text } = effect {
                let result = self.clipboard.copy(&text, screen.backend_mut());
                Reply(Some(self.sender.clone())).send(Message::Copied { what, result });
                continue;
            }
            let ports = Arc::clone(&self.ports);
            let reply = Reply(Some(self.sender.clone()));
            self.runtime.spawn(async move { reply.send(perform(effect, &ports).await) });
        }
    }
}

/// The one message that every effect comes back as, a panic included.
struct Reply(Option<Sender<Message>>);

impl Reply {
    fn send(mut self, message: Message) {
        if let Some(sender) = self.0.take() {
            // Nobody listens any more only when the program is leaving.
            let _ = sender.send(message);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(Message::Panicked);
        }
    }
}

/// Reads keys on a thread of its own, blocked and without a wake-up while none comes.
fn read_input(sender: Sender<Message>) {
    std::thread::spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            let message = match event {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    Message::Pressed(Key::from(key))
                }
                Event::Resize(columns, rows) => Message::Resized { columns, rows },
                Event::Paste(text) => Message::Pasted(text),
                Event::Key(_) | Event::Mouse(_) | Event::FocusGained | Event::FocusLost => continue,
            };
            if sender.send(message).is_err() {
                return;
            }
        }
        let _ = sender.send(Message::InputEnded);
    });
}

/// The one clock of the interactive program.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the front is where time comes in")]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn since_start(self) -> Duration {
        self.0.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "the front is where time comes in")]
    fn now(self) -> Moment {
        let time = jiff::tz::TimeZone::system().to_datetime(jiff::Timestamp::now()).time();
        Moment { since_start: self.since_start(), time }
    }
}
