//! When the next picture is due. What a key asked for is shown at once, what only came in at most twenty
//! times a second, and however much comes in, a picture is never put off for long. Pure: time is told to
//! it.

use std::time::Duration;

/// A picture that a key asked for is put off no longer than this, whatever other keys wait.
const FRAME: Duration = Duration::from_millis(50);

/// Pictures that no key asked for stand so far apart in the long run; so many more may go at once where
/// there were none for a while. That makes twenty in any second.
const APART: Duration = Duration::from_millis(56);
const AHEAD: u32 = 2;

/// What there is to show, and since when.
#[derive(Debug, Default)]
pub(super) struct Cadence {
    /// Something changed since the last picture.
    changed: bool,
    /// A key, or another size, asked for a picture that was not painted yet.
    asked: bool,
    painted: Duration,
    /// When all that no key asked for would have been painted, each at its time.
    unasked: Duration,
}

impl Cadence {
    /// Something changed.
    pub(super) fn changed(&mut self) {
        self.changed = true;
    }

    /// A key, or another size, is to be shown.
    pub(super) fn asked(&mut self) {
        (self.changed, self.asked) = (true, true);
    }

    /// Whether a key asked for what there is to show.
    pub(super) fn is_asked(&self) -> bool {
        self.asked
    }

    /// Whether a picture is due now; `more_keys` where others wait, which it would show as well.
    pub(super) fn is_due(&self, more_keys: bool, now: Duration) -> bool {
        let at_once = self.asked && !more_keys;
        self.changed && (at_once || self.due().is_some_and(|due| now >= due))
    }

    /// When a picture is due at the latest; none where nothing changed.
    pub(super) fn due(&self) -> Option<Duration> {
        let unasked = self.unasked.saturating_sub(APART.saturating_mul(AHEAD));
        let asked = self.painted + FRAME;
        self.changed.then_some(if self.asked { asked } else { unasked })
    }

    /// All there is was painted.
    pub(super) fn painted(&mut self, now: Duration) {
        if !self.asked {
            self.unasked = self.unasked.max(now) + APART;
        }
        *self = Self { changed: false, asked: false, painted: now, unasked: self.unasked };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The times of pictures while something comes in every millisecond for so long.
    fn pictures(cadence: &mut Cadence, millis: u64, key_at: Option<u64>) -> Vec<u64> {
        let mut pictures = Vec::new();
        for now in 0..millis {
            cadence.changed();
            if key_at == Some(now) {
                cadence.asked();
            }
            if cadence.is_due(false, at(now)) {
                cadence.painted(at(now));
                pictures.push(now);
            }
        }
        pictures
    }

    #[test]
    fn while_only_results_come_in_there_are_twenty_pictures_in_any_second_and_never_a_long_gap() {
        let pictures = pictures(&mut Cadence::default(), 5_000, None);
        for from in 0..4_000 {
            let within = pictures.iter().filter(|at| (from..from + 1_000).contains(*at)).count();
            assert!((17..=20).contains(&within), "{within} from {from}");
        }
        assert!(pictures.windows(2).all(|pair| pair[1] - pair[0] <= 56), "{pictures:?}");
    }

    #[test]
    fn what_comes_after_a_rest_is_shown_at_once() {
        let mut cadence = Cadence::default();
        assert!(!cadence.is_due(false, at(0)) && cadence.due().is_none(), "nothing changed");
        for now in [1_000, 1_005, 1_010] {
            cadence.changed();
            assert!(cadence.is_due(false, at(now)));
            cadence.painted(at(now));
        }
        cadence.changed();
        assert!(!cadence.is_due(false, at(1_015)));
        assert_eq!(cadence.due(), Some(at(1_056)));
    }

    #[test]
    fn what_a_key_asked_for_stays_urgent_until_it_is_painted() {
        let mut cadence = Cadence::default();
        pictures(&mut cadence, 500, None);
        cadence.asked();
        for _ in 0..100 {
            // Results that come behind it take nothing of that back.
            cadence.changed();
            assert!(cadence.is_asked() && cadence.is_due(false, at(500)));
        }
        cadence.painted(at(500));
        cadence.changed();
        assert!(!cadence.is_asked() && !cadence.is_due(false, at(500)));
        assert!(pictures(&mut cadence, 1_000, Some(777)).contains(&777));
    }

    #[test]
    fn keys_that_wait_are_shown_together_and_put_a_picture_off_for_a_twentieth_of_a_second() {
        let mut cadence = Cadence::default();
        cadence.painted(at(100));
        cadence.asked();
        assert!(!cadence.is_due(true, at(149)));
        assert!(cadence.is_due(true, at(150)) && cadence.is_due(false, at(101)));
    }
}
