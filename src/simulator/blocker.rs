//! The address blocker that many operators put beside their PBX.
//!
//! fail2ban with the vendor's `catch-http` jail reads the access log: twenty GET, POST or HEAD
//! requests with a status of 300 and above within a minute, and the address is shut out of the
//! whole machine, its phones included. There is one client here, so one block shuts out all.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::answer::{Answer, Request};
use super::world::World;

/// How many failures are one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blocker {
    /// Number of failures within the window at which it strikes.
    #[serde(deserialize_with = "positive")]
    pub failures: u32,
    /// The length of the window.
    #[serde(deserialize_with = "positive")]
    pub within_s: u32,
}

/// What a blocker has seen. Without a blocker it sees nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    blocker: Option<Blocker>,
    failed: VecDeque<Duration>,
    peak: usize,
    struck: bool,
}

impl Default for Blocker {
    /// The vendor's figures.
    fn default() -> Self {
        Self { failures: 20, within_s: 60 }
    }
}

impl Watch {
    pub(super) fn has_struck(&self) -> bool {
        self.struck
    }

    /// Reads the line that an answer leaves in the access log. A connection that ended without an
    /// answer leaves none.
    pub(super) fn note(&mut self, request: &Request, answer: &Answer) {
        let Some(blocker) = self.blocker else {
            return;
        };
        let watched = matches!(request.method.as_str(), "GET" | "POST" | "HEAD");
        if !watched || !answer.is_sent() || !(300..=699).contains(&answer.status) {
            return;
        }
        let window = Duration::from_secs(blocker.within_s.into());
        self.failed.retain(|at| at.saturating_add(window) > request.at);
        self.failed.push_back(request.at);
        self.peak = self.peak.max(self.failed.len());
        self.struck |=
            u32::try_from(self.failed.len()).is_ok_and(|count| count >= blocker.failures);
    }
}

impl World {
    /// Sets an address blocker on guard, or takes it away; either way all is forgiven.
    pub fn set_blocker(&mut self, blocker: Option<Blocker>) {
        self.watch = Watch { blocker, ..Watch::default() };
    }

    /// Whether the blocker has struck: every connection is now closed without a word.
    pub fn blocked(&self) -> bool {
        self.watch.has_struck()
    }

    /// The most failures that ever stood in the blocker's window: how near a client came.
    pub fn blocker_peak(&self) -> usize {
        self.watch.peak
    }
}

/// A whole number from 1.
pub(super) fn positive<'de, D: Deserializer<'de>>(value: D) -> Result<u32, D::Error> {
    std::num::NonZeroU32::deserialize(value).map(std::num::NonZeroU32::get)
}

#[cfg(test)]
mod tests {
    use super::super::fault::Fault;
    use super::*;

    const NOWHERE: &str = "/uapi/extensions/@me/9/phoneCallEvents";

    fn world(failures: u32) -> World {
        let mut world = World::new("a watched PBX", "t");
        world.set_blocker(Some(Blocker { failures, within_s: 60 }));
        world
    }

    fn ask(world: &mut World, method: &str, second: u64) -> Answer {
        let at = Duration::from_secs(second);
        world.answer(&Request { at, ..Request::new(method, NOWHERE).bearing("t") })
    }

    #[test]
    fn it_strikes_at_the_limit_and_then_nothing_is_answered() {
        let mut world = world(3);
        for method in ["GET", "POST", "HEAD"] {
            assert!(!world.blocked());
            assert!(!ask(&mut world, method, 1).reset);
        }
        assert!(world.blocked());
        for method in ["GET", "PUT", "DELETE"] {
            let answer = ask(&mut world, method, 4000);
            assert!(answer.reset, "{method}");
            assert_eq!(world.requests().last().unwrap().status, 0);
        }
        assert_eq!(world.blocker_peak(), 3);
        world.set_blocker(None);
        assert!(!ask(&mut world, "GET", 4000).reset);
    }

    #[test]
    fn failures_leave_the_window() {
        let mut world = world(3);
        for second in [0, 59, 60, 119, 121, 200] {
            ask(&mut world, "GET", second);
        }
        assert!(!world.blocked());
        assert_eq!(world.blocker_peak(), 2);
        ask(&mut world, "GET", 201);
        ask(&mut world, "GET", 202);
        assert!(world.blocked());
    }

    #[test]
    fn a_put_a_delete_and_a_success_do_not_count() {
        let mut world = world(1);
        ask(&mut world, "PUT", 0);
        ask(&mut world, "DELETE", 0);
        let presence = Request::new("GET", "/uapi/extensions/@me/@self/presence").bearing("t");
        assert!(world.answer(&presence).status < 300);
        assert!(!world.blocked());
    }

    #[test]
    fn what_a_fault_answers_counts_and_what_it_cuts_off_does_not() {
        let mut world = world(2);
        let fault = Fault { nth: Some(1), reset: true, ..Fault::default() };
        world.add_fault(fault);
        world.add_fault(Fault { status: Some(302), ..Fault::default() });
        ask(&mut world, "GET", 0);
        assert_eq!(world.blocker_peak(), 0);
        ask(&mut world, "GET", 0);
        assert_eq!(world.blocker_peak(), 1);
        ask(&mut world, "GET", 0);
        assert!(world.blocked());
    }

    #[test]
    fn without_one_any_number_may_fail() {
        let mut world = World::new("nobody watches", "t");
        for _ in 0..100 {
            assert!(!ask(&mut world, "GET", 0).reset);
        }
        assert!(!world.blocked());
    }
}
