//! The interactive front: takes the terminal, feeds keys and answers to the model, draws, and gives
//! the terminal back on every way out.

mod clipboard;
mod guard;
mod input;
mod painter;
mod screen;
mod signals;
mod suspend;

use std::io::{self, Stdout};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr};

use crate::app::{Effect, Facts, Leaving, Message, Model, Moment, update};
use crate::runtime::{Ports, perform};

use clipboard::Clipboard;
pub use guard::{give_back_on_panic, is_terminal};
#[cfg(fuzzing)]
pub use input::hear_anything;
use screen::Screen;

/// During a run at most twenty pictures a second; a key is always answered at once.
const FRAME: Duration = Duration::from_millis(50);

/// Once asked to end from outside, what is in flight has so long to come back.
const LAST_WAIT: Duration = Duration::from_millis(800);

/// How the interactive program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The operator left.
    InOrder,
    /// Something went wrong, in a sentence, masked where the screen was.
    Because(String),
    /// A signal of this number ended it, or its terminal hung up.
    Signalled(u8),
}

/// Runs the interactive program until the operator leaves or it is asked to end.
///
/// `connect` is called after the first picture: nothing on the way to it waits for anything.
///
/// # Errors
/// When the terminal cannot be taken or written, or `connect` fails.
pub fn run(facts: Facts, connect: impl FnOnce() -> Result<Ports>) -> Result<Left> {
    let (sender, inbox) = mpsc::channel();
    signals::watch(sender.clone()).wrap_err("signals cannot be watched")?;
    let guard = guard::take().wrap_err("the terminal cannot be used")?;
    let (columns, rows) = crossterm::terminal::size()?;
    let mut screen = Screen::new(io::stdout(), facts.looks.synchronized);
    let clock = Clock::start();
    let (mut model, effects) = Model::new(facts, columns, rows);
    screen.show(&model)?;
    let ports = Arc::new(connect()?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("the network runtime cannot start")?;
    input::read(sender.clone()).wrap_err("the terminal cannot be read")?;
    let clipboard = Clipboard::from_environment();
    let hands = Hands { runtime: &runtime, ports, sender, clipboard };
    hands.carry_out(effects, &mut screen);
    let ended = turn(&mut screen, &mut model, &inbox, &hands, clock);
    drop(guard);
    // What is still in flight after leaving at once is given up with the process.
    runtime.shutdown_background();
    Ok(match (ended, model.leaving()) {
        (Some(signal), _) => Left::Signalled(signal),
        (None, Leaving::Now { message: Some(message) }) => {
            Left::Because(model.mask().text(message))
        }
        (None, Leaving::Now { message: None } | Leaving::No | Leaving::WhenSettled) => {
            Left::InOrder
        }
    })
}

/// The loop: everything that came in, then one picture. Returns the signal that ended it.
fn turn(
    screen: &mut Screen<Stdout>,
    model: &mut Model,
    inbox: &Receiver<Message>,
    hands: &Hands<'_>,
    clock: Clock,
) -> Option<u8> {
    let mut repaints = model.repaints();
    let mut end: Option<(u8, Duration)> = None;
    loop {
        let first = match end {
            None => inbox.recv().ok(),
            Some((_, at)) => inbox.recv_timeout(at.saturating_sub(clock.since_start())).ok(),
        };
        // Nothing more comes, or not in time.
        let Some(first) = first else { return end.map(|(signal, _)| signal) };
        let until = clock.since_start() + FRAME;
        let mut next = Some(first);
        while let Some(message) = next {
            let urgent = matches!(message, Message::Pressed(_) | Message::Resized { .. });
            if let Some(signal) = ends_with(&message) {
                end.get_or_insert((signal, clock.since_start() + LAST_WAIT));
            }
            // On the way out the terminal may be left to others.
            if end.is_none() {
                hands.stop_or_go_on(&message);
            }
            hands.carry_out(update(model, message, clock.now()), screen);
            if !matches!(model.leaving(), Leaving::No | Leaving::WhenSettled) {
                return end.map(|(signal, _)| signal);
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
            screen.forget();
        }
        if guard::has_it() && screen.show(model).is_err() && end.is_none() {
            // A terminal that takes no picture is gone.
            hands.tell(Message::InputEnded);
        }
    }
}

/// The signal that a shell would tell where a message ends the program.
fn ends_with(message: &Message) -> Option<u8> {
    if let Message::AskedToEnd { signal } = message {
        return Some(*signal);
    }
    matches!(message, Message::InputEnded).then_some(signals::HUNG_UP)
}

/// Carries effects to where they are performed and their messages back.
struct Hands<'a> {
    runtime: &'a tokio::runtime::Runtime,
    ports: Arc<Ports>,
    sender: Sender<Message>,
    clipboard: Clipboard,
}

impl Hands<'_> {
    fn tell(&self, message: Message) {
        // This end of it is the listener.
        let _ = self.sender.send(message);
    }

    /// Stops and goes on with the job; a terminal that cannot be taken again is gone.
    fn stop_or_go_on(&self, message: &Message) {
        let size = suspend::stop_or_go_on(message)
            .and_then(|taken| taken.then(crossterm::terminal::size).transpose());
        match size {
            Ok(Some((columns, rows))) => self.tell(Message::Resized { columns, rows }),
            Ok(None) => {}
            Err(_) => self.tell(Message::InputEnded),
        }
    }

    fn carry_out(&self, effects: Vec<Effect>, screen: &mut Screen<Stdout>) {
        for effect in effects {
            // Written here, between two pictures, so that it never falls into the middle of one.
            if let Effect::Copy { what, text } = effect {
                let result = self.clipboard.copy(&text, screen.output());
                Reply(Some(self.sender.clone())).send(Message::Copied { what, result });
                continue;
            }
            if effect == Effect::Suspend {
                self.tell(Message::Suspended(suspend::suspend()));
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
