//! How many requests at once and how fast: few at first, more as long as all goes well, half where
//! the service is in trouble, and nothing at all where it asks to be left alone.

use std::time::Duration;

use super::rate::Rate;
use crate::domain::Failure;

/// Requests at once before anything is known of the service.
const FIRST: usize = 2;
/// Answers that tell of a service in trouble even where fewer are allowed at once.
const FEWEST_ANSWERS: usize = 4;
/// The first pause after trouble; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause that callsweep takes on its own.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Decides when the next request may go. Times are since the start of the program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pace {
    most: usize,
    limit: usize,
    /// Nothing has gone wrong yet: every success allows one more.
    finding_out: bool,
    /// Successes since the limit last grew.
    credit: usize,
    /// Requests sent before belong to an earlier round: what becomes of them is no news.
    round_began: Duration,
    answers: usize,
    failed: usize,
    /// Rounds that failed, without a success since.
    rounds: u32,
    /// Nothing goes out before.
    resumes: Duration,
    rate: Rate,
}

impl Pace {
    /// At most so many requests at once.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            most,
            limit: FIRST.min(most),
            finding_out: true,
            credit: 0,
            round_began: Duration::ZERO,
            answers: 0,
            failed: 0,
            rounds: 0,
            resumes: Duration::ZERO,
            rate: Rate::new(),
        }
    }

    /// Requests that may be in flight now.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The earliest time for the next request.
    pub(super) fn ready_at(&self) -> Duration {
        self.resumes.max(self.rate.ready_at())
    }

    /// A request goes out.
    pub(super) fn sent(&mut self, now: Duration) {
        self.rate.sent(now);
    }

    /// The service did what it was asked, or has its reasons not to.
    pub(super) fn went_well(&mut self, now: Duration) {
        self.rounds = 0;
        self.count(false);
        self.rate.went_well(now);
        self.credit += 1;
        if self.limit < self.most && (self.finding_out || self.credit >= self.limit) {
            self.limit += 1;
            self.credit = 0;
        }
    }

    /// The service is in trouble or asked too often. True where this slowed everything down: then
    /// it is the sign of one more round that failed.
    pub(super) fn went_wrong(&mut self, failure: &Failure, sent: Duration, now: Duration) -> bool {
        if sent < self.round_began {
            return false;
        }
        self.count(true);
        let too_often = failure.http_status == Some(429);
        // Here and there one that failed is no reason to slow down all the others.
        let enough = if too_often || failure.retry_after.is_some() || self.rounds > 0 {
            1
        } else {
            self.limit.div_ceil(4).max(2).min(self.limit)
        };
        if self.failed < enough {
            return false;
        }
        self.rounds = self.rounds.saturating_add(1);
        self.limit = if self.rounds > 1 { 1 } else { (self.limit / 2).max(1) };
        self.finding_out = false;
        (self.credit, self.answers, self.failed) = (0, 0, 0);
        self.resumes = self.resumes.max(now.saturating_add(pause(self.rounds, self.rounds.into())));
        self.round_began = self.resumes;
        if too_often {
            self.rate.was_too_fast(now, self.resumes);
        }
        true
    }

    /// Nothing goes out before this time.
    pub(super) fn rest_until(&mut self, time: Duration) {
        self.resumes = self.resumes.max(time);
    }

    fn count(&mut self, failed: bool) {
        if self.answers >= self.limit.max(FEWEST_ANSWERS) {
            (self.answers, self.failed) = (0, 0);
        }
        self.answers += 1;
        self.failed += usize::from(failed);
    }
}

/// How long to wait after the nth failure, from 1: twice as long each time, and never two alike, so
/// that what failed together does not come back together.
pub(super) fn pause(nth: u32, seed: u64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(nth.saturating_sub(1)));
    let whole = doubled.min(LONGEST_PAUSE);
    // Half of it to once and a half, by a hash (splitmix64): a run is the same each time.
    let mut hash = seed.wrapping_add(u64::from(nth)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let thousandth = u32::try_from((hash >> 32) % 1000).unwrap_or_default();
    whole / 2 + whole / 1000 * thousandth
}
