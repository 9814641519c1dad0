//! What one page of the book holds: the failures of the last minute, who has requests out, and the
//! rule that shares what may still fail.
//!
//! Pure: time is told, in milliseconds since 1970, and so is who is still alive.

use serde::{Deserialize, Serialize};

/// How far clocks may differ before a time is taken for one that is ahead.
const SKEW: u64 = 1_000;
/// How long slots stay with a process that does not say that it still wants them.
const LEASE: u64 = 30_000;
/// How old what a process says of its slots may be before it says it again.
const RENEW: u64 = 10_000;

/// What is asked in spite of all that failed stays below this, with all of that.
const IN_SPITE_BELOW: usize = 16;

/// How much may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Failed and out together, at any time.
    pub most: usize,
    /// Number of failures after which nothing more is asked.
    pub enough: usize,
    /// For how many milliseconds a failure counts.
    pub remembered: u64,
}

/// One page of the book.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Page {
    /// When requests failed.
    pub(super) failed: Vec<u64>,
    /// Who has requests out, or waits for room; in the order of those who wait.
    pub(super) out: Vec<Out>,
}

/// The slots of one client: a request out, or one that may go out at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Out {
    pub(super) pid: u32,
    /// The name of the machine.
    pub(super) host: String,
    /// When it last said so.
    pub(super) since: u64,
    pub(super) slots: usize,
}

/// What a client has out, and how much it would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pid: u32,
    host: String,
    /// With the process, what tells its entry from others.
    since: u64,
    /// Requests that are out: they keep their slots.
    pub in_use: usize,
    /// Slots that it could use; none gives back what is not in use.
    pub want: usize,
}

/// What is left for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The client has slots, of which it should use no more than its share.
    Slots {
        /// What the page says.
        has: usize,
        /// What it has a right to while others ask too.
        share: usize,
    },
    /// Nothing may be asked for this many milliseconds.
    Refused(u64),
}

impl Figures {
    /// Figures of a page that all processes share.
    pub fn usual(speed: u32) -> Self {
        Self { most: 16, enough: 10, remembered: 65_000 / u64::from(speed.max(1)) }
    }

    /// Figures of a process that cannot share its failures with others.
    pub fn alone(speed: u32) -> Self {
        Self { most: 4, enough: 4, ..Self::usual(speed) }
    }
}

impl Claim {
    /// A claim of a client of this process on the machine with this name.
    pub fn of(pid: u32, host: &str) -> Self {
        Self { pid, host: host.to_owned(), since: 0, in_use: 0, want: 0 }
    }

    fn is(&self, out: &Out) -> bool {
        (out.pid, out.since, out.host.as_str()) == (self.pid, self.since, self.host.as_str())
    }
}

impl Page {
    /// What is put in place of a page that cannot be read.
    pub(super) fn of_the_worst(now: u64, figures: Figures) -> Self {
        Self { failed: vec![now; figures.enough], out: Vec::new() }
    }

    /// Forgets what is over, and counts as failed what the dead had out.
    pub fn settle(&mut self, now: u64, figures: Figures, is_gone: impl Fn(u32, &str) -> bool) {
        self.failed.iter_mut().for_each(|at| *at = (*at).min(now));
        let Self { failed, out } = self;
        out.retain_mut(|out| {
            // Clocks differ a little; what was said by one that ran ahead is not said anew.
            if out.since > now.saturating_add(SKEW) {
                out.since = now;
            }
            let until = out.since.saturating_add(LEASE);
            let lost = until <= now || is_gone(out.pid, &out.host);
            if lost {
                // Nothing went out after the lease had ended.
                let slots = out.slots.min(figures.most);
                failed.extend(std::iter::repeat_n(until.min(now), slots));
            }
            !lost
        });
        failed.retain(|at| now - at < figures.remembered);
        failed.sort_unstable();
    }

    /// A request of this client failed.
    pub fn fail(&mut self, at: u64) {
        self.failed.push(at);
    }

    /// How long nothing may be asked; `None` where something may.
    pub fn refuses(&self, now: u64, figures: Figures) -> Option<u64> {
        let surplus = self.failed.len().checked_sub(figures.enough)?;
        let last = *self.failed.get(surplus)?;
        Some(last.saturating_add(figures.remembered).saturating_sub(now).max(1))
    }

    /// Gives a client as many slots as it wants and there are; what is in use it keeps.
    ///
    /// Who waits without any stands with none on the page: then the others keep to their share, and
    /// where there are more clients than slots they take turns.
    pub fn take(&mut self, claim: &mut Claim, now: u64, figures: Figures) -> Verdict {
        let place = self.out.iter().position(|out| claim.is(out));
        let mut mine = place.map(|place| self.out.remove(place));
        let refused = self.refuses(now, figures);
        let want = if refused.is_some() { 0 } else { claim.want };
        let left = figures.most.saturating_sub(self.failed.len());
        let share = (left / (self.out.len() + 1)).max(1);
        let held = self.out.iter().fold(0, |sum: usize, out| sum.saturating_add(out.slots));
        let waits = |out: &&Out| out.slots == 0;
        let place = match place {
            // Who comes back from its turn stands behind those that have not had theirs.
            Some(_) if claim.in_use == 0 && mine.as_ref().is_some_and(|mine| mine.slots > 0) => {
                self.out.len()
            }
            Some(place) => place,
            None => self.out.len(),
        };
        let before = self.out.iter().take(place).filter(waits).count();
        let free = left.saturating_sub(held).saturating_sub(before);
        let has = want.min(share).min(free).max(claim.in_use);
        if has > 0 || want > 0 {
            let renewed = mine.as_ref().filter(|mine| now - mine.since.min(now) < RENEW);
            claim.since = renewed.map_or_else(|| self.moment(claim, now), |mine| mine.since);
            let Claim { pid, since, .. } = *claim;
            let host = mine.take().map_or_else(|| claim.host.clone(), |mine| mine.host);
            self.out.insert(place, Out { pid, host, since, slots: has });
        }
        match refused {
            Some(wait) => Verdict::Refused(wait),
            None => Verdict::Slots { has, share },
        }
    }

    /// Gives a client one slot more than it uses, though too many failed: as long as all that failed
    /// and is out stays below what is the most for others.
    pub fn one_more(&mut self, claim: &mut Claim, now: u64, figures: Figures) -> bool {
        let theirs = self.out.iter().filter(|out| !claim.is(out));
        let out = theirs.fold(claim.in_use, |sum, out| sum.saturating_add(out.slots));
        let total = self.failed.len().saturating_add(out).saturating_add(1);
        let goes = total < figures.most.max(IN_SPITE_BELOW);
        if goes {
            claim.in_use += 1;
            self.take(claim, now, figures);
        }
        goes
    }

    /// Now, or just before where another client of the same process said so: each is told by it.
    fn moment(&self, claim: &Claim, now: u64) -> u64 {
        let theirs =
            |at: u64| self.out.iter().any(|out| Claim { since: at, ..claim.clone() }.is(out));
        (0..=now).rev().take(self.out.len() + 1).find(|at| !theirs(*at)).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000;

    fn figures() -> Figures {
        Figures::usual(1)
    }

    fn claim(pid: u32, in_use: usize, want: usize) -> Claim {
        Claim { in_use, want, ..Claim::of(pid, "here") }
    }

    fn slots(verdict: Verdict) -> usize {
        match verdict {
            Verdict::Slots { has, .. } => has,
            Verdict::Refused(_) => 0,
        }
    }

    fn total(page: &Page) -> usize {
        page.failed.len() + page.out.iter().map(|out| out.slots).sum::<usize>()
    }

    fn settled(page: &Page, now: u64, is_gone: bool) -> Page {
        let mut page = page.clone();
        page.settle(now, figures(), |_, _| is_gone);
        page
    }

    #[test]
    fn after_ten_failures_nothing_is_asked_until_less_than_ten_are_remembered() {
        let mut page = Page { failed: vec![NOW, NOW + 1, NOW + 2], ..Page::default() };
        page.failed.extend([NOW + 5_000; 9]);
        let now = NOW + 60_000;
        assert_eq!(page.refuses(now, figures()), Some(5_002));
        assert_eq!(page.take(&mut claim(1, 0, 4), now, figures()), Verdict::Refused(5_002));
        assert!(page.out.is_empty(), "nobody stands in the way of others meanwhile");
        let later = settled(&page, NOW + 65_002, false);
        assert_eq!((later.failed.len(), later.refuses(NOW + 65_002, figures())), (9, None));
    }

    #[test]
    fn what_has_failed_and_what_may_fail_are_never_more_than_sixteen() {
        let mut page = Page { failed: vec![NOW; 9], ..Page::default() };
        let mut one = claim(1, 0, 64);
        assert_eq!(slots(page.take(&mut one, NOW, figures())), 7);
        assert_eq!(slots(page.take(&mut claim(2, 0, 64), NOW, figures())), 0);
        assert_eq!((total(&page), page.out.len()), (16, 2), "who waits is seen");
    }

    #[test]
    fn two_that_ask_at_the_same_time_share() {
        let mut page = Page::default();
        let (mut one, mut two) = (claim(1, 0, 16), claim(2, 0, 16));
        assert_eq!(slots(page.take(&mut one, NOW, figures())), 16);
        assert_eq!(slots(page.take(&mut two, NOW, figures())), 0);
        // As its answers come in, the first keeps no more than its share.
        for out in (8..16).rev() {
            one.in_use = out;
            assert_eq!(slots(page.take(&mut one, NOW, figures())), out);
            assert!(total(&page) <= 16);
            two.in_use = slots(page.take(&mut two, NOW, figures()));
        }
        assert_eq!(two.in_use, 8);
        (one.in_use, one.want) = (0, 0);
        page.take(&mut one, NOW, figures());
        assert_eq!(slots(page.take(&mut two, NOW, figures())), 16, "alone it has all again");
    }

    #[test]
    fn more_clients_than_slots_take_turns() {
        let mut page = Page { failed: vec![NOW; 9], ..Page::default() };
        let mut all: Vec<Claim> = (1..=20).map(|pid| claim(pid, 0, 4)).collect();
        let mut turns = vec![0; all.len()];
        for _ in 0..200 {
            for (claim, turns) in all.iter_mut().zip(&mut turns) {
                claim.in_use = 0;
                claim.in_use = slots(page.take(claim, NOW, figures())).min(1);
                *turns += claim.in_use;
                page.take(claim, NOW, figures());
                assert!(total(&page) <= 16);
            }
        }
        assert!(turns.iter().all(|turns| *turns > 20), "{turns:?}");
    }

    #[test]
    fn what_the_dead_had_out_counts_as_failed_and_what_lies_ahead_as_now() {
        let out = |since, slots| Out { pid: 7, host: "here".to_owned(), since, slots };
        let page = Page { failed: vec![NOW + 9_999_999], out: vec![out(NOW - 5_000, 6)] };
        assert_eq!(settled(&page, NOW, true), Page { failed: vec![NOW; 7], out: vec![] });
        let alive = settled(&page, NOW, false);
        assert_eq!((alive.failed.as_slice(), alive.out.len()), (&[NOW][..], 1));
        let ahead = Page { out: vec![out(NOW + 9_999_999, 6)], ..Page::default() };
        assert_eq!(settled(&ahead, NOW, false).out, [out(NOW, 6)]);
        let nearly = Page { out: vec![out(NOW + 3, 6)], ..Page::default() };
        assert_eq!(settled(&nearly, NOW, false), nearly, "its client would not know it again");
        let silent = settled(&page, NOW + LEASE, false);
        assert_eq!((silent.failed.len(), silent.out.len()), (7, 0), "suspended, it may be dead");
        let long = Page { out: vec![out(NOW, usize::MAX)], ..Page::default() };
        assert_eq!(settled(&long, NOW, true).failed.len(), 16);
        assert_eq!(settled(&long, NOW + LEASE + 65_000, true), Page::default());
    }

    #[test]
    fn a_client_says_again_what_it_holds_long_before_that_is_forgotten() {
        let mut page = Page::default();
        let (mut one, mut two) = (claim(1, 0, 2), claim(1, 0, 2));
        page.take(&mut one, NOW, figures());
        page.take(&mut two, NOW, figures());
        assert_ne!(one.since, two.since, "two clients of one process have an entry each");
        (one.in_use, two.in_use) = (2, 2);
        let before = page.clone();
        page.take(&mut one, NOW + RENEW - 1, figures());
        assert_eq!(page, before);
        page.take(&mut one, NOW + RENEW, figures());
        page.take(&mut two, NOW + RENEW, figures());
        let page = settled(&page, NOW + LEASE + 1, false);
        assert_eq!((page.out.len(), total(&page)), (2, 4));
    }
}
