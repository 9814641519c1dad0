//! Showing pictures: only the newest waits, the next goes when the terminal took the last, and a
//! question is followed by a request that tells when it is shown.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::app::{Model, PictureId, Unread};

use super::Clock;
use super::inbox::{Inbox, Told, now};
use super::link::{ASK, Expected, Link};
use super::screen::Screen;
use super::{guard, outlet};

/// How long what was handed over may take to be written before it is given up.
const WRITTEN: Duration = Duration::from_millis(150);

/// How long an answer may take that a terminal may owe, or may not.
const PERHAPS: Duration = Duration::from_millis(60);

/// Whether a picture was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Picture {
    /// The terminal has it, or will have it.
    Done,
    /// The line to the terminal is busy: it waits.
    Held,
}

/// The screen, and the line to the terminal that shows it.
pub(super) struct Show {
    screen: Screen,
    link: Link,
    /// Hands bytes over to be written.
    write: Box<dyn Fn(Vec<u8>)>,
    /// To be written between two pictures.
    outlet: VecDeque<Vec<u8>>,
    /// The picture of a question that was asked about last.
    asked: Option<PictureId>,
}

impl Show {
    /// `write` hands bytes over; once they are taken, [`written`](Self::written) is to be told.
    pub(super) fn new(synchronized: bool, write: impl Fn(Vec<u8>) + 'static) -> Self {
        let (screen, link) = (Screen::new(synchronized), Link::default());
        Self { screen, link, write: Box::new(write), outlet: VecDeque::new(), asked: None }
    }

    /// Shows the model, now or as soon as the line is free. `unasked`: no key asked for it, and a
    /// run goes on.
    pub(super) fn show(&mut self, model: &Model, unasked: bool, now: Duration) -> Picture {
        self.write_outlet(now);
        if !self.link.is_idle() {
            return Picture::Held;
        }
        let question = model.asked_picture();
        let requests = match question {
            // One that looks as before may be another question all the same.
            Some(_) => self.link.requests(now),
            None => usize::from(self.link.asks()),
        };
        let (link, mut held) = (&self.link, false);
        let bytes = self.screen.picture(model, |bytes| {
            held = bytes.is_some_and(|bytes| !link.may_take(bytes.len(), unasked, now));
            !held
        });
        match bytes {
            Some(bytes) => self.send(bytes, question, requests, now),
            None if held => return Picture::Held,
            None if question.is_some() && question != self.asked => {
                self.send(Vec::new(), question, requests, now);
            }
            None => {}
        }
        Picture::Done
    }

    fn send(
        &mut self,
        mut bytes: Vec<u8>,
        question: Option<PictureId>,
        requests: usize,
        now: Duration,
    ) {
        bytes.extend(ASK.repeat(requests));
        self.link.sent(bytes.len(), question, requests, now);
        if requests > 0 {
            self.asked = question;
        }
        (self.write)(bytes);
    }

    /// Takes something that is to be written between two pictures.
    pub(super) fn put(&mut self, bytes: Vec<u8>, now: Duration) {
        self.outlet.push_back(bytes);
        self.write_outlet(now);
    }

    fn write_outlet(&mut self, now: Duration) {
        if self.link.is_idle()
            && let Some(bytes) = self.outlet.pop_front()
        {
            self.send(bytes, None, 0, now);
        }
    }

    /// The terminal took what was written last, or is gone; false where it is.
    pub(super) fn written(&mut self, written: &io::Result<()>, now: Duration) -> bool {
        self.link.written(now);
        if written.is_err() {
            self.screen.forget();
        }
        self.write_outlet(now);
        written.is_ok()
    }

    /// The terminal answered: the picture that it shows, where that is a question's.
    pub(super) fn answered(&mut self) -> Option<PictureId> {
        self.link.answered()
    }

    /// The picture of a question that a terminal which never answers is taken to show by now; asks
    /// once more where an answer may have got lost.
    pub(super) fn look(&mut self, model: &Model, now: Duration) -> Option<PictureId> {
        if is_asking(model) && self.link.asks_again(now) {
            self.send(Vec::new(), model.asked_picture(), self.link.requests(now), now);
        }
        self.link.presumed(now)
    }

    /// When to look again though nothing comes in.
    pub(super) fn due(&self, model: &Model, held: bool, now: Duration) -> Option<Duration> {
        self.link.due(is_asking(model), held, now)
    }

    /// The next picture is painted whole.
    pub(super) fn forget(&mut self) {
        self.screen.forget();
    }

    /// Others had the terminal.
    pub(super) fn others_had_it(&mut self) {
        self.link.doubt();
    }

    /// Waits, before others get the terminal, for what is on its way to it and for the answers that
    /// it owes: late ones would reach a shell. `patience` is for a terminal that surely owes one.
    pub(super) fn come_to_rest(&mut self, inbox: &Inbox, clock: Clock, patience: Duration) {
        self.outlet.clear();
        let began = now();
        self.hear(inbox, clock, began + WRITTEN, |link, _| link.is_idle());
        if self.link.is_idle() {
            self.leave_the_screen(inbox, clock);
        } else {
            outlet::let_go(true);
            self.hear(inbox, clock, now() + WRITTEN, |link, _| link.is_idle());
        }
        self.hear(inbox, clock, now() + PERHAPS, |link, at| link.expects(at) != Expected::Perhaps);
        self.hear(inbox, clock, began + patience, |link, at| link.expects(at) != Expected::Surely);
        if self.link.expects(clock.since_start()) != Expected::Nothing {
            let stdin = io::stdin();
            let _ = rustix::termios::tcflush(stdin, rustix::termios::QueueSelector::IFlush);
        }
        self.screen.forget();
    }

    /// Has a terminal that answers tell that it left the screen, while ctrl-c is a key still: as a
    /// signal it makes the system throw away what the terminal has not read (termios, NOFLSH).
    fn leave_the_screen(&mut self, inbox: &Inbox, clock: Clock) {
        if self.link.answers() && guard::has_it() {
            self.send(guard::leaving(), None, 1, clock.since_start());
            if self.hear(inbox, clock, now() + WRITTEN, |link, _| link.is_idle()) {
                guard::left_the_screen();
            }
        }
    }

    /// Takes in what the terminal says until it is done, or late; whether that came, and the terminal
    /// took all that it was given.
    fn hear(
        &mut self,
        inbox: &Inbox,
        clock: Clock,
        until: Instant,
        done: impl Fn(&Link, Duration) -> bool,
    ) -> bool {
        let mut took = true;
        while !done(&self.link, clock.since_start()) {
            match inbox.next_of_terminal(until) {
                Some(Told::Answered) => {
                    let _ = self.link.answered();
                }
                Some(Told::Written(written)) => {
                    took &= written.is_ok();
                    self.link.written(clock.since_start());
                }
                Some(Told::App(_) | Told::Outlet(_)) | None => return false,
            }
        }
        took
    }
}

/// Whether a question waits for the terminal to tell that it is shown.
fn is_asking(model: &Model) -> bool {
    model.asked_picture().is_some() && model.unread() == Some(Unread::NotShown)
}
