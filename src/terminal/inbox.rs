//! What the loop hears, in two rows: what comes from the operator, the terminal and the system is
//! always heard first, so that no answer of the service brings another act while a stop waits.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::app::Message;

/// One thing that the loop hears.
#[derive(Debug)]
pub(super) enum Told {
    /// For the model.
    App(Message),
    /// The terminal answered a request for its status.
    Answered,
    /// The terminal took what was written last, or is gone.
    Written(io::Result<()>),
    /// To be written to the terminal between two pictures.
    Outlet(Vec<u8>),
}

#[derive(Debug, Default)]
struct Rows {
    urgent: VecDeque<Told>,
    work: VecDeque<Told>,
}

#[derive(Debug, Default)]
struct Shared {
    rows: Mutex<Rows>,
    more: Condvar,
}

/// Puts things into an [`Inbox`], from any thread.
#[derive(Debug, Clone)]
pub(super) struct Post(Arc<Shared>);

/// Takes them out, on one thread.
#[derive(Debug)]
pub(super) struct Inbox(Arc<Shared>);

/// An inbox and the way into it.
pub(super) fn open() -> (Post, Inbox) {
    let shared = Arc::new(Shared::default());
    (Post(Arc::clone(&shared)), Inbox(shared))
}

impl Shared {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, into: impl FnOnce(&mut Rows)) {
        into(&mut self.rows());
        self.more.notify_one();
    }

    /// Takes what `take` finds, waiting for it until a moment, or for ever.
    fn wait(
        &self,
        until: Option<Instant>,
        take: impl Fn(&mut Rows) -> Option<Told>,
    ) -> Option<Told> {
        let mut rows = self.rows();
        loop {
            if let Some(told) = take(&mut rows) {
                return Some(told);
            }
            rows = match until {
                None => self.more.wait(rows).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.checked_duration_since(now())?;
                    let waited = self.more.wait_timeout(rows, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Post {
    /// From the operator, the terminal or the system.
    pub(super) fn urgent(&self, told: Told) {
        self.0.put(|rows| rows.urgent.push_back(told));
    }

    /// What came of an effect.
    pub(super) fn work(&self, told: Told) {
        self.0.put(|rows| rows.work.push_back(told));
    }
}

impl Inbox {
    /// The next thing, and whether it is urgent; none where nothing comes in this time.
    pub(super) fn next(&self, patience: Option<Duration>) -> Option<Told> {
        self.0.wait(patience.map(|time| now() + time), |rows| {
            rows.urgent.pop_front().or_else(|| rows.work.pop_front())
        })
    }

    /// What the terminal says of what is on its way there; everything else waits.
    pub(super) fn next_of_terminal(&self, until: Instant) -> Option<Told> {
        self.0.wait(Some(until), |rows| {
            let of_terminal = |told: &Told| matches!(told, Told::Answered | Told::Written(_));
            let place = rows.urgent.iter().position(of_terminal)?;
            rows.urgent.remove(place)
        })
    }

    pub(super) fn has_urgent(&self) -> bool {
        !self.0.rows().urgent.is_empty()
    }
}

#[expect(clippy::disallowed_methods, reason = "the front is where time comes in")]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(told: Option<&Told>) -> &'static str {
        match told {
            Some(Told::App(Message::InputEnded)) => "end",
            Some(Told::App(Message::Waited)) => "work",
            Some(Told::Answered) => "answer",
            Some(Told::Written(_) | Told::Outlet(_) | Told::App(_)) => "other",
            None => "nothing",
        }
    }

    #[test]
    fn what_is_urgent_is_heard_before_everything_that_came_earlier() {
        let (post, inbox) = open();
        post.work(Told::App(Message::Waited));
        post.work(Told::App(Message::Waited));
        post.urgent(Told::App(Message::InputEnded));
        let next = || keys(inbox.next(Some(Duration::ZERO)).as_ref());
        assert_eq!([next(), next(), next(), next()], ["end", "work", "work", "nothing"]);
    }

    #[test]
    fn an_answer_of_the_terminal_can_be_awaited_while_keys_keep_waiting() {
        let (post, inbox) = open();
        post.urgent(Told::App(Message::InputEnded));
        post.urgent(Told::Answered);
        assert_eq!(keys(inbox.next_of_terminal(now()).as_ref()), "answer");
        assert_eq!(keys(inbox.next_of_terminal(now()).as_ref()), "nothing");
        assert_eq!(keys(inbox.next(None).as_ref()), "end");
    }
}
