//! When to stop asking: services block addresses that ask on in vain, and more of the same seldom
//! helps.

use super::{Cause, Failure};

/// Blows after [`Fuse::IN_A_ROW`] failures without a success between them, and at once where every
/// further request would fail too: the token is refused, callsweep itself withholds requests, or its address seems to be
/// blocked.
/// Blown, it stays so until it is reset: answers that were under way change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fuse {
    failures: usize,
}

impl Fuse {
    /// Failures in a row that blow the fuse.
    pub const IN_A_ROW: usize = 5;

    /// Takes what became of a request; true when this was what blew the fuse.
    pub fn blows(&mut self, failure: Option<&Failure>) -> bool {
        if self.is_blown() {
            return false;
        }
        self.failures = match failure {
            None => 0,
            // That nothing was sent is what was asked for.
            Some(failure) if failure.cause == Cause::Simulated => 0,
            // Nor does it say anything of the service that this program stood still.
            Some(failure) if failure.cause == Cause::Asleep => self.failures,
            Some(failure)
                if matches!(
                    failure.cause,
                    Cause::Withheld | Cause::Unwritten | Cause::NoToken | Cause::Blocked
                ) =>
            {
                Self::IN_A_ROW
            }
            Some(failure) if failure.http_status == Some(401) => Self::IN_A_ROW,
            Some(_) => self.failures + 1,
        };
        self.is_blown()
    }

    /// Whether nothing more should be asked.
    pub fn is_blown(self) -> bool {
        self.failures >= Self::IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(cause: Cause, http_status: Option<u16>) -> Failure {
        Failure { http_status, ..Failure::new(cause, "no") }
    }

    #[test]
    fn five_failures_in_a_row_are_enough_and_a_success_between_them_starts_anew() {
        let no = failure(Cause::Rejected, Some(400));
        let mut fuse = Fuse::default();
        for answer in [Some(&no), Some(&no), Some(&no), Some(&no), None] {
            assert!(!fuse.blows(answer));
        }
        let blown: Vec<bool> = (0..6).map(|_| fuse.blows(Some(&no))).collect();
        assert_eq!(blown, [false, false, false, false, true, false]);
        assert!(!fuse.blows(None) && fuse.is_blown());
    }

    #[test]
    fn a_refused_token_a_withheld_request_or_a_block_is_enough_at_once() {
        let at_once = [Cause::Withheld, Cause::NoToken, Cause::Blocked];
        let at_once = at_once.map(|cause| failure(cause, None));
        for at_once in at_once.into_iter().chain([failure(Cause::Rejected, Some(401))]) {
            assert!(Fuse::default().blows(Some(&at_once)), "{at_once:?}");
        }
        assert!(!Fuse::default().blows(Some(&failure(Cause::Rejected, Some(403)))));
    }

    #[test]
    fn what_was_out_while_the_program_stood_still_blows_nothing_however_much() {
        let mut fuse = Fuse::default();
        for _ in 0..100 {
            assert!(!fuse.blows(Some(&failure(Cause::Asleep, None))));
        }
    }

    #[test]
    fn simulated_requests_blow_nothing_however_many() {
        let mut fuse = Fuse::default();
        for _ in 0..100 {
            assert!(!fuse.blows(Some(&failure(Cause::Simulated, None))));
        }
    }
}
