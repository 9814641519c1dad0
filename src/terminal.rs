//! The interactive front: takes the terminal, feeds keys and answers to the model, shows it, and
//! gives the terminal back on every way out.

mod cadence;
mod choose;
mod guard;
mod inbox;
mod input;
mod link;
mod outlet;
mod painter;
mod screen;
mod show;
mod signals;
mod suspend;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr};

use crate::api;
use crate::app::{Effect, Facts, Leaving, Message, Model, Moment, update};
use crate::log::{self, Level};
use crate::runtime::{self, Clipboard, Ports, perform};

use cadence::Cadence;
pub use choose::{Chosen, choose};
pub use guard::give_back_on_panic;
use inbox::{Inbox, Post, Told};
#[cfg(fuzzing)]
pub use input::hear_anything;
use outlet::Writer;
use show::{Picture, Show};

/// Once asked to end from outside, what is in flight has so long to come back.
const LAST_WAIT: Duration = Duration::from_millis(800);

/// How long the answers of the terminal are awaited when the operator leaves or suspends, and when
/// the end is asked for from outside.
const PATIENCE: Duration = Duration::from_secs(1);
const HASTE: Duration = Duration::from_millis(80);

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

/// What stands against the interactive program here, with the remedy.
pub fn refused() -> Option<&'static str> {
    if !io::stdout().is_terminal() {
        return Some(
            "standard output is not a terminal: start callsweep in one, or see callsweep --help \
             for commands that print",
        );
    }
    input::terminal().is_err().then_some(
        "there is no terminal to read keys from: start callsweep in one, with standard input left as \
         it is, or see callsweep --help for commands that print",
    )
}

/// Runs the interactive program until the operator leaves or it is asked to end.
///
/// `connect` is called after the first picture: nothing on the way to it waits for anything.
///
/// # Errors
/// When the terminal cannot be taken or written, or `connect` fails.
pub fn run(facts: Facts, connect: impl FnOnce() -> Result<Ports>) -> Result<Left> {
    let (post, inbox) = inbox::open();
    signals::watch(post.clone()).wrap_err("signals cannot be watched")?;
    let guard = guard::take().wrap_err("the terminal cannot be used")?;
    let (columns, rows) = crossterm::terminal::size()?;
    let clock = Clock::start();
    let synchronized = facts.looks.synchronized;
    let (model, effects) = Model::new(facts, columns, rows);
    let writer = Writer::start(post.clone()).wrap_err("the terminal cannot be written")?;
    let show = Show::new(synchronized, move |bytes| writer.write(bytes));
    let mut front = Front::new(model, show, inbox, clock);
    let ended = front.connect_and_turn(&post, effects, connect);
    let in_haste = ended.as_ref().is_ok_and(Option::is_some);
    front.show.come_to_rest(&front.inbox, clock, if in_haste { HASTE } else { PATIENCE });
    drop(guard);
    let ended = ended?;
    Ok(match (ended, front.model.leaving()) {
        (Some(signal), _) => Left::Signalled(signal),
        (None, Leaving::Now { message: Some(message) }) => {
            Left::Because(front.model.mask().text(message))
        }
        (None, Leaving::Now { message: None } | Leaving::No | Leaving::WhenSettled) => {
            Left::InOrder
        }
    })
}

/// The loop and what it holds.
struct Front {
    model: Model,
    show: Show,
    inbox: Inbox,
    clock: Clock,
    cadence: Cadence,
    /// The last picture waits for the line.
    held: bool,
    repaints: u64,
    suspensions: u64,
    /// The notice that the log was told last.
    noticed: Option<String>,
    /// The signal that ends it, and the end of the time that is left then.
    end: Option<(u8, Duration)>,
}

impl Front {
    fn new(model: Model, show: Show, inbox: Inbox, clock: Clock) -> Self {
        let (repaints, suspensions) = (model.repaints(), model.suspensions());
        let mut cadence = Cadence::default();
        cadence.asked();
        Self {
            model,
            show,
            inbox,
            clock,
            cadence,
            held: false,
            repaints,
            suspensions,
            noticed: None,
            end: None,
        }
    }

    /// The first picture, then the service, then the loop.
    fn connect_and_turn(
        &mut self,
        post: &Post,
        effects: Vec<Effect>,
        connect: impl FnOnce() -> Result<Ports>,
    ) -> Result<Option<u8>> {
        self.paint();
        let outlet = post.clone();
        let clipboard = Clipboard::new(move |bytes| outlet.urgent(Told::Outlet(bytes)));
        let ports = Arc::new(connect()?.with_clipboard(clipboard));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .wrap_err("the network runtime cannot start")?;
        input::read(post.clone()).wrap_err("the terminal cannot be read")?;
        let hands = Hands { runtime: &runtime, ports, post: post.clone() };
        hands.carry_out(effects);
        let ended = self.turn(&hands);
        // What is still in flight after leaving at once is given up with the process.
        runtime.shutdown_background();
        api::give_back();
        Ok(ended)
    }

    /// The loop: one thing that came in, then a picture where one is due. Returns the signal that
    /// ended it.
    fn turn(&mut self, hands: &Hands<'_>) -> Option<u8> {
        loop {
            let told = self.inbox.next(self.patience());
            let ends = self.end.filter(|(_, at)| told.is_none() && self.clock.since_start() >= *at);
            if let Some((signal, _)) = ends {
                return Some(signal);
            }
            match told {
                Some(told) => self.hear(told, hands),
                // What a picture waited for may be over.
                None => self.held = false,
            }
            if self.model.changes_at().is_some_and(|at| at <= self.clock.since_start()) {
                self.take(Message::TimePassed, hands);
            }
            if let Some(picture) = self.show.look(&self.model, self.clock.since_start()) {
                self.take(Message::Shown(picture), hands);
            }
            if !matches!(self.model.leaving(), Leaving::No | Leaving::WhenSettled) {
                return self.end.map(|(signal, _)| signal);
            }
            self.suspend_where_asked(hands);
            if self.is_due() {
                self.paint();
            }
        }
    }

    /// How long nothing has to be done though nothing comes in.
    fn patience(&self) -> Option<Duration> {
        let frame = self.cadence.due().filter(|_| !self.held);
        let now = self.clock.since_start();
        let due = self.show.due(&self.model, self.held, now);
        let end = self.end.map(|(_, at)| at);
        let next = [frame, due, end, self.model.changes_at()].into_iter().flatten().min()?;
        Some(next.saturating_sub(now) / runtime::speed())
    }

    fn hear(&mut self, told: Told, hands: &Hands<'_>) {
        match told {
            Told::App(message) => {
                if let Some(signal) = ends_with(&message) {
                    self.end.get_or_insert((signal, self.clock.since_start() + LAST_WAIT));
                }
                if matches!(message, Message::Pressed(_) | Message::Resized { .. }) {
                    // What was held because nobody asked for it is asked for now.
                    self.cadence.asked();
                    self.held = false;
                }
                self.cadence.changed();
                // On the way out the terminal may be left to others.
                if self.end.is_none() {
                    self.stop_or_go_on(&message, hands);
                }
                self.take(message, hands);
            }
            Told::Answered => {
                self.held = false;
                if let Some(picture) = self.show.answered() {
                    self.take(Message::Shown(picture), hands);
                }
            }
            Told::Written(written) => {
                self.held = false;
                let taken = self.show.written(&written, self.clock.since_start());
                if !taken && guard::has_it() && self.end.is_none() {
                    // A terminal that takes no picture is gone.
                    hands.post.urgent(Told::App(Message::InputEnded));
                }
            }
            Told::Outlet(bytes) => self.show.put(bytes, self.clock.since_start()),
        }
    }

    fn take(&mut self, message: Message, hands: &Hands<'_>) {
        self.cadence.changed();
        let before = self.model.logged();
        let effects = update(&mut self.model, message, self.clock.now());
        self.tell_log(before);
        hands.carry_out(effects);
        if self.model.repaints() != self.repaints {
            self.repaints = self.model.repaints();
            self.show.forget();
        }
    }

    /// What was said since so many lines, and what at the bottom alone: a yes that did not count too.
    fn tell_log(&mut self, before: usize) {
        log::mask(self.model.mask().is_on());
        if !log::takes(Level::Info) {
            return;
        }
        for line in self.model.logged_since(before) {
            log::say(Level::Info, format_args!("says: {}", line.text));
        }
        let notice = self.model.current_notice().map(|notice| &notice.text);
        if notice == self.noticed.as_ref() {
            return;
        }
        let is_logged = |text: &str| self.model.logged_since(before).any(|it| it.text == text);
        if let Some(text) = notice.filter(|text| !is_logged(text)) {
            log::say(Level::Info, format_args!("says: {text}"));
        }
        self.noticed = notice.cloned();
    }

    fn is_due(&self) -> bool {
        let now = self.clock.since_start();
        !self.held && guard::has_it() && self.cadence.is_due(self.inbox.has_urgent(), now)
    }

    fn paint(&mut self) {
        let unasked = self.model.is_running() && !self.cadence.is_asked();
        let now = self.clock.since_start();
        self.held = self.show.show(&self.model, unasked, now) == Picture::Held;
        if !self.held {
            self.cadence.painted(now);
        }
    }

    fn suspend_where_asked(&mut self, hands: &Hands<'_>) {
        if self.model.suspensions() == self.suspensions {
            return;
        }
        self.suspensions = self.model.suspensions();
        let result = suspend::suspend(|| self.show.come_to_rest(&self.inbox, self.clock, PATIENCE));
        self.take(Message::Suspended(result), hands);
    }

    /// Stops and goes on with the job; a terminal that cannot be taken again is gone.
    fn stop_or_go_on(&mut self, message: &Message, hands: &Hands<'_>) {
        let rest = || self.show.come_to_rest(&self.inbox, self.clock, PATIENCE);
        let size = suspend::stop_or_go_on(message, rest)
            .and_then(|taken| taken.then(crossterm::terminal::size).transpose());
        match size {
            Ok(Some((columns, rows))) => {
                self.show.others_had_it();
                hands.post.urgent(Told::App(Message::Resized { columns, rows }));
            }
            Ok(None) => {}
            Err(_) => hands.post.urgent(Told::App(Message::InputEnded)),
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
    post: Post,
}

impl Hands<'_> {
    fn carry_out(&self, effects: Vec<Effect>) {
        for effect in effects {
            let ports = Arc::clone(&self.ports);
            let reply = Reply(Some(self.post.clone()));
            self.runtime.spawn(async move { reply.send(perform(effect, &ports).await) });
        }
    }
}

/// The one message that every effect comes back as, a panic included.
struct Reply(Option<Post>);

impl Reply {
    fn send(mut self, message: Message) {
        if let Some(post) = self.0.take() {
            post.work(Told::App(message));
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(post) = self.0.take() {
            post.work(Told::App(Message::Panicked));
        }
    }
}

/// The one clock of the interactive program.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(inbox::now())
    }

    fn since_start(self) -> Duration {
        self.0.elapsed() * runtime::speed()
    }

    #[expect(clippy::disallowed_methods, reason = "the front is where time comes in")]
    fn now(self) -> Moment {
        Moment { since_start: self.since_start(), local: jiff::ZonedDateTime::now() }
    }
}
