//! The line to the terminal, as far as it is known: what was written and not taken, which pictures
//! the terminal has shown, and whether the next one may go.
//!
//! `CSI 5 n` (DSR, ECMA-48 8.3.35) is answered in order with the output before it, so that an answer
//! tells that a picture is shown. Pure: time is told to it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::app::PictureId;

/// Asks the terminal for its status.
pub(super) const ASK: &[u8] = b"\x1b[5n";

/// A terminal that has never answered is taken to show a picture so long after its last byte.
const MUTE: Duration = Duration::from_millis(1_500);

/// On a terminal that answers so many pictures may be on their way, and so many bytes of them.
const PICTURES: usize = 4;
const BYTES: usize = 2_048;

/// A picture of so few bytes goes behind any other one: what a key changes is not to wait for a
/// large picture to be acknowledged.
const FEW: usize = 512;

/// An answer that takes longer may never come: pictures go on without it.
const LOST: Duration = Duration::from_secs(20);

/// A question that is not acknowledged in this time asks once more, in case an answer got lost.
const AGAIN: Duration = Duration::from_secs(3);

/// What a terminal that never answers is given in a run, unasked, in bytes a second.
const MUTE_RATE: u32 = 600;

/// The longest pause that follows from it.
const MUTE_PAUSE: Duration = Duration::from_secs(2);

/// What is on its way to the terminal, and what came back.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// The terminal has answered in this session, so that nothing but its answers counts.
    answers: bool,
    /// A request has gone out.
    asked: bool,
    /// Something was handed over that the terminal has not taken.
    writing: bool,
    /// Requests without an answer, in order.
    waiting: VecDeque<Waiting>,
    /// The end of the pause before the next picture that no key asked for.
    pause: Duration,
    /// When a question last asked once more.
    again: Duration,
}

#[derive(Debug)]
struct Waiting {
    picture: Option<PictureId>,
    bytes: usize,
    written: Option<Duration>,
    /// It was taken to be shown, without an answer.
    presumed: bool,
    /// Others had the terminal meanwhile, who may have taken the answer.
    doubtful: bool,
}

/// More requests than this are not repeated for answers that may have got lost.
const DOUBTS: usize = 16;

impl Link {
    /// Whether a picture that is no question's is to be followed by a request: the first of all and,
    /// where the terminal answers, all others.
    pub(super) fn asks(&self) -> bool {
        self.answers || !self.asked
    }

    /// Whether the terminal has answered in this session.
    pub(super) fn answers(&self) -> bool {
        self.answers
    }

    /// Whether nothing is on its way that the terminal has not taken.
    pub(super) fn is_idle(&self) -> bool {
        !self.writing
    }

    /// Whether so many bytes may go now. `unasked`: a run goes on, and no key asked for a picture.
    pub(super) fn may_take(&self, bytes: usize, unasked: bool, now: Duration) -> bool {
        if self.writing {
            return false;
        }
        if !self.answers {
            return !unasked || now >= self.pause;
        }
        let (pictures, waiting) = self.on_their_way(now);
        match pictures {
            0 => true,
            1 if bytes <= FEW && !unasked => true,
            1..PICTURES => waiting + bytes <= BYTES,
            _ => false,
        }
    }

    fn on_their_way(&self, now: Duration) -> (usize, usize) {
        let waiting = self.waiting.iter().filter(|one| !one.is_doubtful(now));
        waiting.fold((0, 0), |(count, bytes), one| (count + 1, bytes + one.bytes))
    }

    /// Others had the terminal: what it still owes may have gone to them.
    pub(super) fn doubt(&mut self) {
        self.waiting.iter_mut().for_each(|one| one.doubtful = true);
    }

    /// How many requests a question needs so that the last of them is surely its own: one, and one
    /// for each answer that may never come.
    pub(super) fn requests(&self, now: Duration) -> usize {
        1 + self.waiting.iter().filter(|one| one.is_doubtful(now)).take(DOUBTS).count()
    }

    /// Bytes were handed over, with so many requests behind them.
    pub(super) fn sent(
        &mut self,
        bytes: usize,
        picture: Option<PictureId>,
        requests: usize,
        now: Duration,
    ) {
        self.writing = true;
        let bytes_now = u32::try_from(bytes).unwrap_or(u32::MAX);
        let pause = Duration::from_secs(1).saturating_mul(bytes_now) / MUTE_RATE;
        self.pause = now + pause.min(MUTE_PAUSE);
        self.asked |= requests > 0;
        for request in 0..requests {
            let bytes = if request == 0 { bytes } else { 0 };
            let (written, presumed, doubtful) = (None, false, false);
            self.waiting.push_back(Waiting { picture, bytes, written, presumed, doubtful });
        }
    }

    /// The terminal took everything.
    pub(super) fn written(&mut self, now: Duration) {
        self.writing = false;
        for one in self.waiting.iter_mut().rev().take_while(|one| one.written.is_none()) {
            one.written = Some(now);
        }
    }

    /// The terminal answered: the oldest request has its answer, and no later one.
    pub(super) fn answered(&mut self) -> Option<PictureId> {
        let first = self.waiting.pop_front()?;
        self.answers = true;
        first.picture
    }

    /// The newest picture that a terminal which never answers is taken to show by now.
    pub(super) fn presumed(&mut self, now: Duration) -> Option<PictureId> {
        if self.answers {
            return None;
        }
        let due = |one: &&mut Waiting| {
            !one.presumed && one.written.is_some_and(|written| now >= written + MUTE)
        };
        let mut newest = None;
        for one in self.waiting.iter_mut().filter(due) {
            one.presumed = true;
            newest = one.picture.or(newest);
        }
        newest
    }

    /// Whether a question that waits for its acknowledgement is to ask once more.
    pub(super) fn asks_again(&mut self, now: Duration) -> bool {
        let due = self.again_due().is_some_and(|due| now >= due) && self.is_idle();
        if due {
            self.again = now;
        }
        due
    }

    fn again_due(&self) -> Option<Duration> {
        let last = self.waiting.back().filter(|_| self.answers)?;
        Some(last.written?.max(self.again) + AGAIN)
    }

    /// When something is to be looked at again though nothing comes in, never before now. `asking`: a
    /// question waits for its acknowledgement; `held`: a picture waits.
    pub(super) fn due(&self, asking: bool, held: bool, now: Duration) -> Option<Duration> {
        let presumed = self.waiting.iter().filter(|one| !self.answers && !one.presumed);
        let presumed = presumed.filter_map(|one| Some(one.written? + MUTE)).min();
        let again = self.again_due().filter(|_| asking && self.is_idle());
        let lost = self.waiting.iter().filter(|_| self.answers && held);
        let lost = lost.filter_map(|one| Some(one.written? + LOST)).filter(|at| *at > now).min();
        let pause = Some(self.pause).filter(|_| held && !self.answers && self.is_idle());
        [presumed, again, lost, pause].into_iter().flatten().min()
    }

    /// Whether an answer may still come, and whether it surely will.
    pub(super) fn expects(&self, now: Duration) -> Expected {
        let young = |one: &Waiting| one.written.is_none_or(|at| now.saturating_sub(at) < MUTE);
        match self.waiting.back() {
            Some(_) if self.answers => Expected::Surely,
            Some(last) if young(last) => Expected::Perhaps,
            Some(_) | None => Expected::Nothing,
        }
    }
}

impl Waiting {
    fn is_doubtful(&self, now: Duration) -> bool {
        self.doubtful || self.written.is_some_and(|at| now.saturating_sub(at) >= LOST)
    }
}

/// What is still to come from the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Every request has its answer, or will never have it.
    Nothing,
    /// A terminal that has not answered yet was asked a moment ago.
    Perhaps,
    /// A terminal that answers owes one.
    Surely,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A link whose terminal has answered the first picture.
    fn answering() -> Link {
        let mut link = Link::default();
        link.sent(3_000, None, 1, at(0));
        link.written(at(1));
        link.answered();
        link
    }

    fn send(link: &mut Link, bytes: usize, now: u64) {
        assert!(link.may_take(bytes, false, at(now)), "at {now}");
        link.sent(bytes, None, usize::from(link.asks()), at(now));
        link.written(at(now));
    }

    #[test]
    fn nothing_goes_while_the_terminal_does_not_take_what_was_written() {
        let mut link = Link::default();
        link.sent(10, None, 1, at(0));
        assert!(!link.may_take(1, false, at(60_000)));
        link.written(at(60_001));
        assert!(link.may_take(1, false, at(60_002)));
    }

    #[test]
    fn four_small_pictures_or_one_large_one_wait_for_the_answer_of_a_terminal_that_answers() {
        let mut link = answering();
        for _ in 0..4 {
            send(&mut link, 400, 10);
        }
        assert!(!link.may_take(1, false, at(11)));
        link.answered();
        assert!(link.may_take(848, false, at(11)));
        assert!(!link.may_take(849, false, at(11)));
        let mut link = answering();
        send(&mut link, 9_000, 10);
        assert!(!link.may_take(513, false, at(11)));
        assert!(!link.may_take(1, true, at(11)), "nobody asked for it");
        assert!(link.may_take(512, false, at(11)), "what a key changes");
        assert_eq!(link.due(false, true, at(11)), Some(at(20_010)));
        assert!(link.may_take(513, false, at(20_010)), "an answer that got lost holds nothing up");
        assert_eq!(link.due(false, true, at(20_010)), None, "nor is it looked for again and again");
    }

    #[test]
    fn an_answer_acknowledges_the_oldest_request_and_never_a_later_one() {
        let pictures = crate::app::picture_ids();
        let mut link = answering();
        for picture in pictures {
            link.sent(10, Some(picture), 1, at(10));
            link.written(at(10));
        }
        assert_eq!([link.answered(), link.answered()], pictures.map(Some));
        assert_eq!(link.answered(), None, "nobody asked");
    }

    #[test]
    fn a_terminal_that_never_answered_shows_a_picture_after_a_while_and_one_that_did_never() {
        let [picture, _] = crate::app::picture_ids();
        let mut link = Link::default();
        link.sent(10, Some(picture), 1, at(0));
        assert_eq!(link.presumed(at(9_000)), None, "it is not even taken");
        link.written(at(9_000));
        assert_eq!(link.due(true, false, at(9_000)), Some(at(10_500)));
        assert_eq!(link.presumed(at(10_499)), None);
        assert_eq!(link.presumed(at(10_500)), Some(picture));
        assert_eq!(link.presumed(at(10_501)), None, "once");
        let mut link = answering();
        link.sent(10, Some(picture), 1, at(0));
        link.written(at(0));
        assert_eq!(link.presumed(at(60_000)), None);
    }

    #[test]
    fn a_question_whose_answer_got_lost_asks_once_more_now_and_then() {
        let [picture, _] = crate::app::picture_ids();
        let mut link = answering();
        link.sent(10, Some(picture), 1, at(0));
        link.written(at(0));
        assert!(!link.asks_again(at(2_999)));
        assert!(link.asks_again(at(3_000)));
        assert!(!link.asks_again(at(3_001)));
        assert_eq!(link.due(true, false, at(3_001)), Some(at(6_000)));
    }

    #[test]
    fn after_others_had_the_terminal_a_question_asks_for_every_answer_that_may_be_lost() {
        let [before, question] = crate::app::picture_ids();
        for lost in [false, true] {
            let mut link = answering();
            for _ in 0..2 {
                link.sent(1_000, Some(before), 1, at(0));
                link.written(at(0));
            }
            link.doubt();
            assert!(link.may_take(9_000, false, at(1)), "nothing waits for them");
            let requests = link.requests(at(1));
            assert_eq!(requests, 3);
            link.sent(9_000, Some(question), requests, at(1));
            link.written(at(1));
            let answers = if lost { requests } else { requests + 2 };
            let shown: Vec<_> = (0..answers).map(|_| link.answered().unwrap()).collect();
            let first = shown.iter().position(|picture| *picture == question).unwrap();
            assert_eq!(first, 2, "never before its own");
            assert_eq!(link.requests(at(1)), 1);
        }
    }

    #[test]
    fn in_a_run_a_terminal_that_never_answers_is_not_flooded_and_keys_are_shown_at_once() {
        let mut link = Link::default();
        link.sent(300, None, 1, at(0));
        link.written(at(0));
        assert!(!link.may_take(300, true, at(499)));
        assert!(link.may_take(300, false, at(1)));
        assert!(link.may_take(300, true, at(500)));
    }

    #[test]
    fn on_the_way_out_it_is_known_whether_an_answer_is_owed() {
        let mut link = Link::default();
        assert_eq!(link.expects(at(0)), Expected::Nothing);
        link.sent(10, None, 1, at(0));
        link.written(at(0));
        assert_eq!(link.expects(at(1_499)), Expected::Perhaps);
        assert_eq!(link.expects(at(1_500)), Expected::Nothing);
        let mut link = answering();
        assert_eq!(link.expects(at(5)), Expected::Nothing);
        link.sent(10, None, 1, at(5));
        assert_eq!(link.expects(at(60_000)), Expected::Surely);
    }
}
