//! How many questions may fail: never as many as make an address blocker strike.
//!
//! The vendor's optional one counts failing GET, POST and HEAD requests of an address and, at twenty
//! within a minute, blocks it for an hour, for phones too. What has failed within that time and
//! what could still fail stay together below that number, over all processes that share a
//! [`Book`]: a request stands in it before it goes. A client keeps the slots it has for as long as
//! it has use for them, so that answers that are good write nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::Clock;
use crate::domain::{Cause, Failure};
use crate::origins::{Book, Claim, Figures, Page, Seen, Verdict};

/// How long others are waited for before the book is looked at again.
const LOOK: Duration = Duration::from_millis(20);
/// How long slots are kept that nobody uses.
const TICK: Duration = Duration::from_millis(100);
/// How old what the book said of others may be, in milliseconds: processes die without a word.
const STALE: u64 = 250;

/// The accounts of this process that others share.
static ACCOUNTS: Mutex<Vec<Weak<Account>>> = Mutex::new(Vec::new());

/// Tells other processes, as this one ends, what it had out, and gives back what it did not use.
/// Nothing more is asked after that.
pub fn give_back() {
    let accounts = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    accounts.iter().filter_map(Weak::upgrade).for_each(|account| account.close());
}

/// What failed lately and what is under way, for all that one client asks.
pub(super) struct Budget(Arc<Account>);

struct Account {
    /// Shared with other processes; none where nobody else asks this PBX.
    book: Option<Book>,
    spent: Mutex<Spent>,
    changed: Notify,
    clock: Arc<Clock>,
}

struct Spent {
    /// What this client knows by itself, for when there is no book or it cannot be written.
    own: Page,
    /// Failures that are not in the book yet.
    untold: Vec<u64>,
    claim: Claim,
    unanswered: usize,
    /// Questions that wait to be admitted.
    waiting: usize,
    /// The most that were out at once since the last tick.
    peak: usize,
    /// What the book gave.
    slots: usize,
    share: usize,
    /// What it was asked for then, when, and how it looked.
    asked: usize,
    at: u64,
    seen: Option<Seen>,
    /// Why the book cannot be used.
    trouble: Option<String>,
    /// A thread gives back what is not used any more.
    is_kept: bool,
    /// The next question goes though too many failed.
    in_spite: bool,
    /// The process ends: nothing goes out any more.
    is_closed: bool,
}

/// The right to ask one question. A question that is given up counts as failed: the service may
/// note it as one.
pub(super) struct Permit<'a> {
    account: &'a Account,
    answered_well: bool,
}

/// A question that waits to be admitted.
struct Waiting<'a>(&'a Account);

/// What is said to one more question.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Ask,
    /// May go as soon as a request that is under way is answered.
    Wait,
    /// May go after this time, not before.
    Refused(Duration),
}

impl Budget {
    /// Nothing of this client is out.
    pub(super) fn new(book: Option<Book>, clock: Arc<Clock>) -> Self {
        let claim = book.as_ref().map_or_else(|| Claim::of(0, ""), Book::claim);
        let spent = Spent {
            own: Page::default(),
            untold: Vec::new(),
            claim,
            unanswered: 0,
            waiting: 0,
            peak: 0,
            slots: 0,
            share: 0,
            asked: 0,
            at: 0,
            seen: None,
            trouble: None,
            is_kept: false,
            in_spite: false,
            is_closed: false,
        };
        let (spent, changed) = (Mutex::new(spent), Notify::new());
        let account = Arc::new(Account { book, spent, changed, clock });
        if account.book.is_some() {
            let mut accounts = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.retain(|account| account.strong_count() > 0);
            accounts.push(Arc::downgrade(&account));
        }
        Self(account)
    }

    /// Waits until one more question can do no harm.
    ///
    /// # Errors
    /// Withholds it when too many have failed lately, with the time to wait.
    pub(super) async fn admit(&self) -> Result<Permit<'_>, Failure> {
        let account = &*self.0;
        let _waiting = Waiting::new(account);
        loop {
            let changed = account.changed.notified();
            match self.said() {
                Said::Ask => return Ok(Permit { account, answered_well: false }),
                Said::Refused(_) if self.goes_in_spite() => {
                    return Ok(Permit { account, answered_well: false });
                }
                Said::Refused(wait) => return Err(account.too_many(wait)),
                Said::Wait if account.book.is_none() => changed.await,
                Said::Wait => {
                    // Of what other processes do nothing tells but the book.
                    let _ = tokio::time::timeout(LOOK, changed).await;
                }
            }
        }
    }

    /// Lets the next question go though too many have failed, or takes that back.
    pub(super) fn ask_in_spite(&self, granted: bool) {
        self.0.spent().in_spite = granted;
    }

    /// Whether this question has that leave and there is room for it, of what may fail at all.
    fn goes_in_spite(&self) -> bool {
        let account = &*self.0;
        let mut spent = account.spent();
        let goes = std::mem::take(&mut spent.in_spite) && account.has_one_more(&mut spent);
        spent.unanswered += usize::from(goes);
        if goes && account.book.is_some() && !std::mem::replace(&mut spent.is_kept, true) {
            self.keep();
        }
        goes
    }

    /// Why no question is admitted now, with the time to wait.
    pub(super) fn refusal(&self) -> Option<Failure> {
        let account = &*self.0;
        let mut spent = account.spent();
        let now = account.clock.millis();
        let said = account.visit(&mut spent, now, 0);
        drop(spent);
        match said {
            Verdict::Refused(wait) => Some(account.too_many(Duration::from_millis(wait))),
            Verdict::Slots { .. } => None,
        }
    }

    fn said(&self) -> Said {
        let account = &*self.0;
        let mut spent = account.spent();
        if spent.is_closed {
            return Said::Wait;
        }
        let now = account.clock.millis();
        let want = spent.unanswered.saturating_add(spent.waiting).max(spent.peak);
        if !account.is_as_seen(&spent) || (!spent.has_room() && spent.may_get_more(want, now)) {
            let said = account.visit(&mut spent, now, want);
            if let Verdict::Refused(wait) = said {
                return Said::Refused(Duration::from_millis(wait));
            }
            if account.book.is_some() && !std::mem::replace(&mut spent.is_kept, true) {
                self.keep();
            }
        }
        if !spent.has_room() {
            return Said::Wait;
        }
        spent.unanswered += 1;
        spent.peak = spent.peak.max(spent.unanswered);
        Said::Ask
    }

    /// Sees to it that what is not used any more is given back, and that the book knows of what is
    /// out for long.
    fn keep(&self) {
        let account = Arc::downgrade(&self.0);
        // Without the thread the slots are lost as those of the dead are.
        let _ = thread::Builder::new().name("budget".to_owned()).spawn(move || {
            loop {
                thread::sleep(TICK);
                if !account.upgrade().is_some_and(|account| account.tick()) {
                    return;
                }
            }
        });
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        let mut spent = self.0.spent();
        spent.peak = 0;
        if spent.is_kept {
            self.0.visit(&mut spent, self.0.clock.millis(), 0);
        }
    }
}

impl Account {
    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all that was read of the others still holds.
    fn is_as_seen(&self, spent: &Spent) -> bool {
        let seen = spent.seen.as_ref();
        self.book.as_ref().zip(seen).is_some_and(|(book, seen)| book.is_as(seen))
    }

    /// Takes one slot more than the rule has, where it can do no harm.
    fn has_one_more(&self, spent: &mut Spent) -> bool {
        spent.claim.in_use = spent.unanswered;
        let Spent { claim, own, .. } = spent;
        let asked = self.book.as_ref().map(|book| {
            let figures = book.figures();
            book.change(|| self.clock.millis(), |page, now| page.one_more(claim, now, figures))
        });
        if let Some(Ok((has, seen))) = asked {
            spent.seen = Some(seen);
            return has;
        }
        let (now, figures) = (self.clock.millis(), self.figures(asked.is_some()));
        own.clone().one_more(claim, now, figures)
    }

    /// Tells the book what there is to tell, asks it for slots, and falls back on what this client
    /// knows by itself where the book cannot be written.
    fn visit(&self, spent: &mut Spent, now: u64, want: usize) -> Verdict {
        (spent.claim.in_use, spent.claim.want) = (spent.unanswered, want);
        let Spent { claim, untold, .. } = spent;
        let visited = self.book.as_ref().map(|book| {
            book.change(
                || self.clock.millis(),
                |page, now| {
                    for at in &*untold {
                        page.fail(*at);
                    }
                    page.take(claim, now, book.figures())
                },
            )
        });
        (spent.asked, spent.at) = (want, now);
        let said = match visited {
            Some(Ok((said, seen))) => {
                spent.untold.clear();
                (spent.seen, spent.trouble) = (Some(seen), None);
                said
            }
            Some(Err(trouble)) => {
                (spent.seen, spent.trouble) = (None, Some(trouble));
                spent.take_alone(now, self.figures(true))
            }
            None => spent.take_alone(now, self.figures(false)),
        };
        (spent.slots, spent.share) = match said {
            Verdict::Slots { has, share } => (has, share),
            Verdict::Refused(_) => (spent.unanswered, 0),
        };
        said
    }

    fn figures(&self, is_alone: bool) -> Figures {
        match &self.book {
            Some(book) if is_alone => book.figures_alone(),
            Some(book) => book.figures(),
            None => Figures::usual(1),
        }
    }

    /// What is out counts as failed, and nothing else does.
    fn close(&self) {
        let mut spent = self.spent();
        let now = self.clock.millis();
        let out = std::mem::take(&mut spent.unanswered);
        spent.untold.extend(std::iter::repeat_n(now, out));
        (spent.is_closed, spent.is_kept) = (true, false);
        self.visit(&mut spent, now, 0);
    }

    /// Gives back what was not used lately; false once nothing is left to keep.
    fn tick(&self) -> bool {
        let mut spent = self.spent();
        if spent.is_closed {
            return false;
        }
        let want = spent.unanswered.saturating_add(spent.waiting).max(spent.peak);
        spent.peak = spent.unanswered;
        // Also where nothing changed: it may be time to say so again.
        if spent.slots > 0 || want > 0 {
            self.visit(&mut spent, self.clock.millis(), want);
        }
        spent.is_kept = spent.slots > 0 || want > 0;
        spent.is_kept
    }

    fn too_many(&self, wait: Duration) -> Failure {
        let trouble = self.spent().trouble.clone();
        let enough = self.figures(trouble.is_some()).enough;
        let seconds = wait.as_secs() + 1;
        let why = format!(
            "not asked: {enough} requests failed within a minute, and after more of them the PBX may \
             block this address and its phones; mend what failed, then ask again in {seconds} s"
        );
        let why = match trouble {
            Some(trouble) => format!(
                "not asked: {enough} requests failed within a minute, the limit while other \
                 processes cannot be told of them, as {trouble}; ask again in {seconds} s"
            ),
            None => why,
        };
        Failure { retry_after: Some(wait), ..Failure::new(Cause::Withheld, why) }
    }
}

impl Spent {
    /// Whether one more may go by what was given.
    fn has_room(&self) -> bool {
        self.unanswered < self.slots.min(self.share)
    }

    /// Whether asking again could bring more than it did.
    fn may_get_more(&self, want: usize, now: u64) -> bool {
        let (was_refused, holds_too_many) = (self.share == 0, self.slots > self.unanswered);
        let is_old = now.saturating_sub(self.at) >= STALE;
        was_refused || holds_too_many || want > self.asked || is_old
    }

    fn take_alone(&mut self, now: u64, figures: Figures) -> Verdict {
        self.own.settle(now, figures, |_, _| false);
        // Who else asks is not known here.
        self.own.clone().take(&mut self.claim, now, figures)
    }
}

impl Permit<'_> {
    /// The answer is none that a blocker counts, or none came about that a service could note.
    pub(super) fn answered_well(mut self) {
        self.answered_well = true;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut spent = self.account.spent();
        if spent.is_closed {
            return;
        }
        spent.unanswered = spent.unanswered.saturating_sub(1);
        if !self.answered_well {
            let now = self.account.clock.millis();
            let figures = self.account.figures(false);
            spent.own.fail(now);
            spent.own.settle(now, figures, |_, _| false);
            spent.untold.push(now);
            let want = spent.unanswered.saturating_add(spent.waiting);
            self.account.visit(&mut spent, now, want);
        }
        drop(spent);
        self.account.changed.notify_waiters();
    }
}

impl<'a> Waiting<'a> {
    fn new(account: &'a Account) -> Self {
        account.spent().waiting += 1;
        Self(account)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut spent = self.0.spent();
        spent.waiting = spent.waiting.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Failure;

    /// No question waits for the network here.
    fn at_once<T>(question: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(question)
    }

    fn ask(budget: &Budget) -> Result<Permit<'_>, Failure> {
        at_once(budget.admit())
    }

    fn account(book: Option<Book>) -> Budget {
        Budget::new(book, Arc::new(Clock::new(1)))
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    /// A client of another process, as far as the book can tell.
    fn client(folder: &tempfile::TempDir) -> Budget {
        let runs = folder.path().join("runs");
        account(Some(Book::at(Some(&runs), "https://pbx.test", 1)))
    }

    fn page(folder: &tempfile::TempDir) -> serde_json::Value {
        let files = std::fs::read_dir(folder.path().join("origins")).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        let book = files.find(|file| file.extension().is_some_and(|it| it == "json")).unwrap();
        serde_json::from_str(&std::fs::read_to_string(book).unwrap()).unwrap()
    }

    /// Failed, and what may still fail.
    fn counts(folder: &tempfile::TempDir) -> (usize, u64) {
        let page = page(folder);
        let out = page["out"].as_array().unwrap().iter();
        (
            page["failed"].as_array().unwrap().len(),
            out.map(|it| it["slots"].as_u64().unwrap()).sum(),
        )
    }

    #[test]
    fn what_is_under_way_may_fail_all_at_once_without_reaching_the_blockers_limit() {
        let folder = folder();
        let clients = [(); 3].map(|()| client(&folder));
        let mut permits = Vec::new();
        for _ in 0..3 {
            for budget in &clients {
                let asked =
                    at_once(async { tokio::time::timeout(LOOK / 4, budget.admit()).await.ok() });
                permits.extend(asked.map(Result::unwrap));
            }
        }
        let (failed, out) = counts(&folder);
        assert_eq!(failed, 0);
        assert!(out <= 16 && permits.len() >= 3, "{} of {out}", permits.len());
        permits.clear();
        let (failed, out) = counts(&folder);
        assert!((3..=16).contains(&failed) && out <= 16 - u64::try_from(failed).unwrap());
    }

    #[test]
    fn what_fails_in_one_process_counts_in_all() {
        let folder = folder();
        for _ in 0..10 {
            drop(ask(&client(&folder)).unwrap());
        }
        let Err(failure) = ask(&client(&folder)) else { panic!("an eleventh") };
        assert!(failure.has_no_room(), "a run waits for it");
        let message = failure.to_string();
        assert!(message.contains("10 requests failed within a minute"), "{message}");
        assert!(message.contains("ask again in 65 s"), "{message}");
        assert_eq!(counts(&folder), (10, 0));
        assert_eq!(
            (&page(&folder)["schema"], &page(&folder)["host"]),
            (&1.into(), &"pbx.test".into())
        );
    }

    #[test]
    fn one_more_goes_in_spite_of_ten_that_failed_and_never_makes_more_than_fifteen() {
        let folder = folder();
        for _ in 0..10 {
            drop(ask(&client(&folder)).unwrap());
        }
        for failed in 11..=15 {
            let budget = client(&folder);
            budget.ask_in_spite(true);
            let permit = ask(&budget).unwrap();
            assert_eq!(counts(&folder), (failed - 1, 1), "it stands in the book before it goes");
            assert!(ask(&budget).is_err(), "and one alone");
            drop(permit);
            assert_eq!(counts(&folder), (failed, 0));
        }
        for budget in [client(&folder), account(None)] {
            (0..15).for_each(|_| {
                budget.ask_in_spite(true);
                let _ = ask(&budget);
            });
            budget.ask_in_spite(true);
            assert!(ask(&budget).is_err(), "a sixteenth");
        }
        assert_eq!(counts(&folder), (15, 0));
        let answered = client(&folder);
        answered.ask_in_spite(true);
        answered.ask_in_spite(false);
        assert!(ask(&answered).is_err(), "that was taken back");
    }

    #[test]
    fn a_request_stands_in_the_book_before_it_goes_and_leaves_it_with_its_client() {
        let folder = folder();
        let budget = client(&folder);
        let permit = ask(&budget).unwrap();
        let page = page(&folder);
        let out = &page["out"][0];
        assert_eq!(out["pid"], std::process::id());
        assert_eq!((out["slots"].as_u64(), page["out"].as_array().unwrap().len()), (Some(1), 1));
        permit.answered_well();
        drop(budget);
        assert_eq!(counts(&folder), (0, 0));
    }

    #[test]
    fn answers_that_are_good_write_nothing() {
        let folder = folder();
        let budget = client(&folder);
        let first = ask(&budget).unwrap();
        ask(&budget).unwrap().answered_well();
        let seen = || budget.0.spent().at;
        let before = seen();
        for _ in 0..1_000 {
            ask(&budget).unwrap().answered_well();
        }
        // The keeper may look once in a while.
        let since = Clock::new(1).millis() - before;
        assert!(seen() == before || since >= 50, "{since}");
        first.answered_well();
    }

    #[test]
    fn who_waits_is_admitted_when_another_is_answered_and_when_another_process_is_done() {
        let folder = folder();
        let (one, two) = (client(&folder), client(&folder));
        let mut permits: Vec<_> = (0..16).map(|_| ask(&one).unwrap()).collect();
        thread::scope(|scope| {
            let here = scope.spawn(|| ask(&one).map(Permit::answered_well));
            let there = scope.spawn(|| ask(&two).map(Permit::answered_well));
            while permits.len() > 7 {
                permits.pop().unwrap().answered_well();
            }
            assert!(here.join().unwrap().is_ok() && there.join().unwrap().is_ok());
        });
        permits.into_iter().for_each(Permit::answered_well);
    }

    #[test]
    fn where_the_book_cannot_be_written_four_may_fail_in_a_minute() {
        let folder = folder();
        std::fs::write(folder.path().join("origins"), "in the way").unwrap();
        let budget = client(&folder);
        (0..4).for_each(|_| drop(ask(&budget).unwrap()));
        let Err(failure) = ask(&budget) else { panic!("a fifth") };
        let message = failure.to_string();
        assert!(message.contains("4 requests failed within a minute"), "{message}");
        assert!(message.contains("cannot be written"), "{message}");
        let nowhere = account(Some(Book::at(None, "https://pbx.test", 1)));
        (0..4).for_each(|_| drop(ask(&nowhere).unwrap()));
        let Err(failure) = ask(&nowhere) else { panic!("a fifth") };
        assert!(failure.to_string().contains("set XDG_STATE_HOME or HOME"), "{failure}");
    }

    #[test]
    fn a_book_that_cannot_be_read_counts_as_ten_failures_and_is_written_anew() {
        for text in
            ["", "{", "[]", "{\"schema\":2,\"host\":\"\",\"failed\":[],\"out\":[]}", "\u{fffd}"]
        {
            let folder = folder();
            drop(ask(&client(&folder)).unwrap());
            let name = std::fs::read_dir(folder.path().join("origins")).unwrap();
            let mut names = name.map(|file| file.unwrap().path());
            let book = names.find(|file| file.extension().is_some_and(|it| it == "json")).unwrap();
            std::fs::write(&book, text).unwrap();
            assert!(ask(&client(&folder)).is_err(), "{text:?}");
            assert_eq!(counts(&folder), (10, 0), "{text:?}");
        }
    }

    #[test]
    fn where_nobody_else_asks_all_is_as_in_a_book() {
        let budget = account(None);
        let mut permits: Vec<_> = (0..16).map(|_| ask(&budget).unwrap()).collect();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| ask(&budget).map(Permit::answered_well));
            permits.pop().unwrap().answered_well();
            assert!(waiting.join().unwrap().is_ok());
        });
        drop(permits);
        assert!(ask(&budget).is_err());
    }
}
