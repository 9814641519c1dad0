//! Why a run ended before everything was sent.

use std::time::Duration;

use jiff::Timestamp;

use super::{Cause, Failure, Foreign};

/// The longest pause that a run waits for by itself.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Why a run stopped, in one word and in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The reason as a word, for programs.
    pub reason: StopReason,
    /// The reason as a sentence, for people; it quotes the service.
    pub message: Foreign,
    /// The earliest moment at which going on makes sense.
    pub not_before: Option<Timestamp>,
}

/// The reason of a stop, with its word in run files and machine output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The operator stopped it.
    Operator,
    /// A signal asked the program to end.
    Signal,
    /// The program ended without closing the run file.
    Killed,
    /// The token is refused.
    Token,
    /// The service refuses call after call.
    Refused,
    /// The service or the way to it fails again and again.
    Trouble,
    /// The service asks to be left alone for longer than a run waits.
    RetryAfter,
    /// Too many requests failed within a minute.
    Budget,
    /// The run file cannot be written.
    Disk,
    /// A call removed more than planned.
    Surplus,
}

impl StopReason {
    /// Every one.
    const ALL: [Self; 10] = [
        Self::Operator,
        Self::Signal,
        Self::Killed,
        Self::Token,
        Self::Refused,
        Self::Trouble,
        Self::RetryAfter,
        Self::Budget,
        Self::Disk,
        Self::Surplus,
    ];

    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Signal => "signal",
            Self::Killed => "killed",
            Self::Token => "token",
            Self::Refused => "refused",
            Self::Trouble => "trouble",
            Self::RetryAfter => "retry_after",
            Self::Budget => "budget",
            Self::Disk => "disk",
            Self::Surplus => "surplus",
        }
    }

    /// The reason with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == word)
    }
}

impl Stop {
    /// A stop for this reason.
    pub fn new(reason: StopReason, message: impl Into<Foreign>) -> Self {
        Self { reason, message: message.into(), not_before: None }
    }

    /// An operator asked for it.
    pub fn by_operator() -> Self {
        Self::new(StopReason::Operator, "stopped by the operator")
    }

    /// A signal asked for it.
    pub fn by_signal() -> Self {
        Self::new(StopReason::Signal, "ended by a signal")
    }

    /// A call took more than it should, and there is no screen to ask what to do.
    pub fn by_surplus() -> Self {
        let message = "a call for one type took events of other types; undo brings them back";
        Self::new(StopReason::Surplus, message)
    }

    /// The run stopped by itself, after this failure.
    pub fn of(failure: &Failure) -> Self {
        let pause = failure.retry_after.unwrap_or_default();
        let reason = match failure.cause {
            Cause::NoToken | Cause::Renewed => StopReason::Token,
            Cause::Rejected if failure.http_status == Some(401) => StopReason::Token,
            _ if pause > LONGEST_PAUSE => StopReason::RetryAfter,
            Cause::Unwritten => StopReason::Disk,
            Cause::Withheld | Cause::Locked => StopReason::Budget,
            Cause::Rejected if failure.http_status != Some(429) => StopReason::Refused,
            Cause::ServiceFailed if failure.http_status == Some(501) => StopReason::Refused,
            Cause::Rejected
            | Cause::Simulated
            | Cause::Unreachable
            | Cause::Untrusted
            | Cause::Blocked
            | Cause::NoAnswer
            | Cause::Asleep
            | Cause::Redirected
            | Cause::ServiceFailed
            | Cause::Unreadable => StopReason::Trouble,
        };
        let not_before = failure.not_before.filter(|_| reason == StopReason::RetryAfter);
        Self { not_before, ..Self::new(reason, failure.to_string()) }
    }

    /// Why, in a few words; what the service said stands in the message.
    pub fn in_short(&self) -> &'static str {
        match self.reason {
            StopReason::Operator => "by the operator",
            StopReason::Signal => "by a signal",
            StopReason::Killed => "the program ended",
            StopReason::Token => "the token is refused",
            StopReason::Refused => "the PBX refuses",
            StopReason::Trouble => "trouble with the PBX",
            StopReason::RetryAfter => "the PBX asked for a long pause",
            StopReason::Budget => "too many requests failed",
            StopReason::Disk => "the disk fails",
            StopReason::Surplus => "a call took more than it should",
        }
    }

    /// The moment from which going on makes sense, in UTC, as run files and programs have it.
    pub fn not_before(&self) -> Option<String> {
        self.not_before.map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_word_of_its_own_that_leads_back_to_it() {
        for reason in StopReason::ALL {
            assert_eq!(StopReason::parse(reason.name()), Some(reason));
        }
        assert_eq!(StopReason::parse("boredom"), None);
    }

    #[test]
    fn a_failure_says_why_it_stops_a_run() {
        let failure = |cause, http_status| Failure { http_status, ..Failure::new(cause, "no") };
        let busy = Failure {
            retry_after: Some(Duration::from_secs(301)),
            ..failure(Cause::Rejected, Some(429))
        };
        for (failure, word) in [
            (failure(Cause::Unwritten, None), "disk"),
            (failure(Cause::Withheld, None), "budget"),
            (failure(Cause::Rejected, Some(401)), "token"),
            (failure(Cause::NoToken, None), "token"),
            (failure(Cause::Rejected, Some(403)), "refused"),
            (failure(Cause::Rejected, Some(404)), "refused"),
            (failure(Cause::Rejected, Some(200)), "refused"),
            (failure(Cause::ServiceFailed, Some(501)), "refused"),
            (failure(Cause::Redirected, Some(301)), "trouble"),
            (failure(Cause::Blocked, None), "trouble"),
            (failure(Cause::Rejected, Some(429)), "trouble"),
            (failure(Cause::ServiceFailed, Some(503)), "trouble"),
            (failure(Cause::NoAnswer, None), "trouble"),
            (busy, "retry_after"),
        ] {
            assert_eq!(Stop::of(&failure).reason.name(), word, "{failure:?}");
        }
    }
}
