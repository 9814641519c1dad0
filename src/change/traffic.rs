//! What waits, what is in flight and what comes again later, at the pace that the service bears.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::pace::{Pace, pause};
use crate::domain::{Cause, Failure, LONGEST_PAUSE};

/// After so many rounds of trouble nothing more is sent. A round is a wait, after which again no
/// request came through.
const ROUNDS: u32 = 5;
/// How often one request is sent at most, where what went wrong may pass.
const ATTEMPTS: u32 = ROUNDS + 1;
/// A shorter pause is over before it could be read about.
const WORTH_TELLING: Duration = Duration::from_millis(900);

/// The requests of a run, each known by a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Traffic<T> {
    pace: Pace,
    waiting: VecDeque<T>,
    /// By the time from which they may go, and among these by their order.
    later: BTreeSet<(Duration, T)>,
    /// Since when.
    in_flight: BTreeMap<T, Duration>,
    /// Of those that went wrong before.
    attempts: BTreeMap<T, u32>,
    /// Waits in a row that trouble brought.
    waits: u32,
    stopped_by: Option<Failure>,
    /// When the `Wait` already handed out ends.
    alarm: Option<Duration>,
    /// Nothing goes out before its end.
    hold: Option<Hold>,
    /// When something came back last.
    heard: Duration,
    /// Pauses taken so far, so that no two are alike.
    pauses: u64,
    /// What slowed everything down last.
    trouble: Option<Failure>,
    remarks: Vec<String>,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    /// Send this; it is in flight from here on.
    Go(T),
    /// Ask again after this time: nothing may go before.
    Wait(Duration),
}

/// A time in which nothing goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    since: Duration,
    until: Duration,
    /// Something went wrong; else it is not yet the time for what comes next.
    is_trouble: bool,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The call has its outcome.
    Settled,
    /// The call will be sent once more.
    Again,
}

impl<T: Ord + Clone> Traffic<T> {
    /// At most so many at once.
    pub(super) fn new(most: usize, waiting: impl IntoIterator<Item = T>) -> Self {
        Self {
            pace: Pace::new(most),
            waiting: waiting.into_iter().collect(),
            later: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            attempts: BTreeMap::new(),
            waits: 0,
            stopped_by: None,
            alarm: None,
            hold: None,
            heard: Duration::ZERO,
            pauses: 0,
            trouble: None,
            remarks: Vec::new(),
        }
    }

    /// Goes out behind all others.
    pub(super) fn add(&mut self, request: T) {
        self.waiting.push_back(request);
    }

    /// Goes out before all others.
    pub(super) fn add_first(&mut self, request: T) {
        self.waiting.push_front(request);
    }

    /// Goes out at this time, or later.
    pub(super) fn add_at(&mut self, at: Duration, request: T) {
        self.later.insert((at, request));
    }

    /// Since when a request is in flight.
    pub(super) fn since(&self, request: &T) -> Option<Duration> {
        self.in_flight.get(request).copied()
    }

    /// Takes out whatever is not in flight: first what waits, then what was to come again.
    pub(super) fn clear(&mut self) -> Vec<T> {
        self.hold = None;
        let later = std::mem::take(&mut self.later).into_iter().map(|(_, request)| request);
        self.waiting.drain(..).chain(later).collect()
    }

    /// Waits for nothing that is in flight.
    pub(super) fn forget(&mut self) {
        self.in_flight.clear();
    }

    /// What may go now.
    pub(super) fn hand_out(&mut self, now: Duration) -> Vec<Next<T>> {
        let mut next = Vec::new();
        let before = self.hold.take();
        while self.in_flight.len() < self.pace.limit() {
            let ready = self.pace.ready_at();
            let due = self.later.first().map(|(due, _)| *due);
            let from = match (due, self.waiting.is_empty()) {
                (None, true) => break,
                (Some(due), true) => ready.max(due),
                (_, false) => ready,
            };
            if from > now {
                let again = |later: &(Duration, T)| self.attempts.contains_key(&later.1);
                let is_trouble = from == ready || self.later.first().is_some_and(again);
                let since = before.filter(|hold| hold.until == from).map_or(now, |it| it.since);
                self.hold = Some(Hold { since, until: from, is_trouble });
                next.extend(self.wait(from, now));
                break;
            }
            let request = match due {
                Some(due) if due <= now => self.later.pop_first().map(|(_, request)| request),
                Some(_) | None => self.waiting.pop_front(),
            };
            let Some(request) = request else { break };
            self.pace.sent(now);
            self.in_flight.insert(request.clone(), now);
            next.push(Next::Go(request));
        }
        next
    }

    /// One `Wait` that ends in time is enough.
    fn wait(&mut self, until: Duration, now: Duration) -> Option<Next<T>> {
        if self.alarm.is_some_and(|alarm| alarm > now && alarm <= until) {
            return None;
        }
        self.alarm = Some(until);
        let time = until.saturating_sub(now);
        if time >= WORTH_TELLING
            && let Some(trouble) = &self.trouble
        {
            let seconds = time.as_millis().div_ceil(1000);
            self.remarks.push(format!("waits {seconds} s, then tries again: {trouble}"));
        }
        Some(Next::Wait(time))
    }

    /// Takes a question out of flight that was answered on the way to something else: it says nothing
    /// of how that will go. False where it is not in flight.
    pub(super) fn asked(&mut self, request: &T, now: Duration) -> bool {
        let was_out = self.in_flight.remove(request);
        self.heard = self.heard.max(now);
        was_out.is_some()
    }

    /// Takes what became of a request, and `None` where it is not in flight. One that went wrong
    /// goes out once more where that can do no harm, `may_repeat`, and may help.
    pub(super) fn came_back(
        &mut self,
        request: &T,
        failure: Option<&Failure>,
        may_repeat: bool,
        now: Duration,
    ) -> Option<Fate> {
        let sent = self.in_flight.remove(request)?;
        self.heard = now;
        let Some(failure) = failure else {
            self.pace.went_well(now);
            self.waits = 0;
            self.attempts.remove(request);
            return Some(Fate::Settled);
        };
        let may_pass = failure.is_worth_repeating();
        let in_vain = self.rest(failure, now) || failure.cause == Cause::Blocked;
        // Many that fail at once are one sign of trouble; that this program stood still is none.
        let slept = failure.cause == Cause::Asleep;
        let slowed = may_pass && !slept && self.pace.went_wrong(failure, sent, now);
        if slowed || failure.retry_after.is_some() {
            self.trouble = Some(failure.clone());
        }
        self.waits = if may_pass { self.waits + u32::from(slowed) } else { 0 };
        if self.waits > ROUNDS || in_vain {
            self.stopped_by.get_or_insert_with(|| failure.clone());
        }
        if !may_repeat || self.stopped_by.is_some() {
            return Some(Fate::Settled);
        }
        // What there is no room for yet has not been tried.
        if let (true, Some(wait)) = (failure.has_no_room(), failure.retry_after) {
            self.later.insert((now.saturating_add(wait), request.clone()));
            return Some(Fate::Again);
        }
        if !may_pass {
            return Some(Fate::Settled);
        }
        let attempts = self.attempts.entry(request.clone()).or_default();
        *attempts += 1;
        if *attempts >= ATTEMPTS {
            return Some(Fate::Settled);
        }
        self.pauses += 1;
        let pause = pause(*attempts, self.pauses);
        let wait = failure.retry_after.unwrap_or_default().max(pause);
        self.later.insert((now.saturating_add(wait), request.clone()));
        Some(Fate::Again)
    }

    /// Nothing goes out before the service wants to be asked again. True where that is too long to
    /// wait for: then it is left alone.
    fn rest(&mut self, failure: &Failure, now: Duration) -> bool {
        let Some(wait) = failure.retry_after else { return false };
        if wait <= LONGEST_PAUSE {
            self.pace.rest_until(now.saturating_add(wait));
        }
        wait > LONGEST_PAUSE
    }

    /// Of what is to come again later only this does.
    pub(super) fn keep_later(&mut self, keep: impl Fn(&T) -> bool) {
        self.later.retain(|(_, request)| keep(request));
    }

    /// What comes now is another matter: what went wrong before it says nothing against it.
    pub(super) fn begin_anew(&mut self) {
        self.waits = 0;
        self.stopped_by = None;
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// What is out without an answer.
    pub(super) fn out(&self) -> impl Iterator<Item = &T> {
        self.in_flight.keys()
    }

    /// Until when nothing goes out, and what went wrong where that is why; `None` where a wait is
    /// over before it could be read about.
    pub(super) fn waiting(&self, now: Duration) -> Option<(Duration, Option<&Failure>)> {
        let Hold { since, until, is_trouble } = self.hold?;
        let long = until > now && until.saturating_sub(since) >= WORTH_TELLING;
        long.then(|| (until, self.trouble.as_ref().filter(|_| is_trouble)))
    }

    /// How long something has been out and nothing came back.
    pub(super) fn silent_for(&self, now: Duration) -> Option<Duration> {
        let oldest = self.in_flight.values().min()?;
        Some(now.saturating_sub((*oldest).max(self.heard)))
    }

    /// Nothing waits, is in flight or comes again.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.later.is_empty() && self.in_flight.is_empty()
    }

    /// What an operator should know of long pauses, since this was last asked.
    pub(super) fn take_remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// Why nothing more should be sent.
    pub(super) fn stopped_by(&self) -> Option<&Failure> {
        self.stopped_by.as_ref()
    }
}

#[cfg(test)]
mod tests;
