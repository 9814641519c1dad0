//! Everything the program knows and shows.

use crate::change::EarlierRun;
use crate::domain::{
    EventKey, EventStore, ExtensionNumber, Failure, Fetched, Mask, Target, WideCalls, shell_word,
};
use crate::keys::Keymap;
use crate::looks::{Looks, QUIET};
use std::collections::HashMap;
use std::time::Duration;

use super::consent::{Consent, PictureId, Unread};
use super::details::Details;
use super::events::EventsPanel;
use super::extensions::Extensions;
use super::line::History;
use super::loading::Loading;
use super::marks::{MarkPrompt, Marks};
use super::outage::Outage;
use super::prompt::FilterPrompt;
use super::repointing::RepointPrompt;
use super::running::Runs;
use super::runs::RunList;
use super::status::{Calls, Log, LogLine, Notice, StatusRow, Tone};
use super::{ActionList, ActiveRun, Cursor, Effect, Key, Layout, Moment, Panel, Review};

/// Facts that the profile settles before the program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a profile, each on its own")]
pub struct Facts {
    /// Profile, host, base path and user.
    pub target: Target,
    /// The flags that open the same PBX on a command line, for a shell; `None` where no command could
    /// mean the same extensions.
    pub session: Option<String>,
    /// The built-in simulator answers.
    pub demo: bool,
    /// The profile is read-only.
    pub read_only: bool,
    /// TLS certificates are not verified.
    pub insecure: bool,
    /// The number of events must always be typed.
    pub protected: bool,
    /// Numbers, labels, hosts, URLs and notes are masked from the first picture on.
    pub masked: bool,
    /// Which wide forms a plan may use.
    pub wide_calls: WideCalls,
    /// A larger plan is refused.
    pub max_delete: usize,
    /// Requests in flight at once.
    pub concurrency: usize,
    /// How the screen looks.
    pub looks: Looks,
    /// The keys in force.
    pub keys: Keymap,
    /// How long nothing may arrive from the terminal before a question that it shows can be answered.
    pub quiet: Duration,
}

impl Facts {
    /// Facts for a target, with defaults for everything else.
    pub fn of(target: Target) -> Self {
        Self {
            session: Some(format!("--profile {}", shell_word(&target.profile))),
            target,
            demo: false,
            read_only: false,
            insecure: false,
            protected: false,
            masked: false,
            wide_calls: WideCalls::default(),
            max_delete: 10_000,
            concurrency: 4,
            looks: Looks::default(),
            keys: Keymap::default(),
            quiet: QUIET,
        }
    }
}

/// A question or page over the panels.
#[derive(Debug)]
pub enum Dialog {
    /// A filter is being typed for a panel.
    Filter(FilterPrompt),
    /// An expression is being typed; Enter marks what it means.
    Marking(MarkPrompt),
    /// `OLD=NEW` is being typed; Enter reviews it.
    Repointing(RepointPrompt),
    /// A run is being reviewed.
    Review(Box<Review>),
    /// Something that only y answers.
    Question(Question),
    /// Everything about one event or call.
    Details(Details),
    /// Every run of this PBX.
    Runs(RunList),
}

/// A question, told from every other of the session.
#[derive(Debug)]
pub struct Question {
    pub(super) number: u64,
    /// What y would do.
    pub about: About,
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Leaving, which stops the run.
    LeavingRun,
    /// Leaving, which forgets the marks.
    LeavingMarks,
    /// One request though so many failed that an address blocker may strike.
    AskingInSpite,
}

/// Whether the program is on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaving {
    /// The program goes on.
    No,
    /// The program ends once nothing is in flight and the run file is closed.
    WhenSettled,
    /// Now; a message is said once the terminal is given back, and makes the exit a failure.
    Now {
        /// What to say, when something went wrong.
        message: Option<String>,
    },
}

/// The whole program as a value.
#[derive(Debug)]
pub struct Model {
    pub(super) facts: Facts,
    pub(super) mask: Mask,
    pub(super) size: (u16, u16),
    pub(super) layout: Layout,
    pub(super) now: Moment,
    pub(super) focus: Panel,
    /// Marked stands beside Events where there is room.
    pub(super) marked_open: bool,
    /// The focused panel has the whole screen.
    pub(super) zoomed: bool,
    pub(super) dialog: Option<Dialog>,
    /// The list of what can be done, over whatever else is open.
    pub(super) actions: Option<ActionList>,
    pub(super) notice: Option<Notice>,
    pub(super) pending_key: Option<Key>,
    pub(super) history: History,
    /// What was typed after `e`.
    pub(super) repointed: History,
    pub(super) consent: Consent,
    /// Questions asked so far.
    pub(super) questions: u64,
    pub(super) interrupted_at: Option<Duration>,
    pub(super) leaving: Leaving,
    /// Nothing is listed any more on the way out.
    pub(super) in_haste: bool,
    /// Counts up whenever the whole screen is to be painted again.
    pub(super) repaints: u64,
    /// Counts up whenever the operator asks to suspend the program.
    pub(super) suspensions: u64,

    pub(super) discovery: Fetched<()>,
    /// What keeps the PBX from being asked.
    pub(super) outage: Outage,
    pub(super) extensions: Extensions,
    /// Short numbers that may name one extension with a longer one, until what is listed tells.
    pub(super) twins: HashMap<ExtensionNumber, ExtensionNumber>,
    pub(super) store: EventStore,
    /// Extensions that were found and are listed.
    pub(super) loaded: usize,
    pub(super) loading: Loading,
    pub(super) marks: Marks,
    pub(super) events: EventsPanel,

    pub(super) runs: Runs,
    pub(super) log: Log,
    pub(super) calls: Calls,
    /// Those of the panels that have none of their own.
    pub(super) cursors: HashMap<Panel, Cursor>,
}

impl Model {
    /// The model at the start, and the first effects.
    pub fn new(facts: Facts, columns: u16, rows: u16) -> (Self, Vec<Effect>) {
        let loading = Loading::new(facts.concurrency);
        let mask = Mask::new(facts.target.host(), facts.masked);
        let quiet = facts.quiet;
        let mut model = Self {
            facts,
            mask,
            size: (columns, rows),
            layout: Layout::default(),
            now: Moment::default(),
            focus: Panel::Extensions,
            marked_open: false,
            zoomed: false,
            dialog: None,
            actions: None,
            notice: None,
            pending_key: None,
            history: History::default(),
            repointed: History::default(),
            consent: Consent::new(quiet),
            questions: 0,
            interrupted_at: None,
            leaving: Leaving::No,
            in_haste: false,
            repaints: 0,
            suspensions: 0,
            discovery: Fetched::UnderWay,
            outage: Outage::default(),
            extensions: Extensions::default(),
            twins: HashMap::new(),
            store: EventStore::default(),
            loaded: 0,
            loading,
            marks: Marks::default(),
            events: EventsPanel::default(),
            runs: Runs::default(),
            log: Log::default(),
            cursors: HashMap::new(),
            calls: Calls::default(),
        };
        model.lay_out();
        (model, vec![Effect::DiscoverExtensions, Effect::FindBrokenRuns])
    }

    /// What the profile settled.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What every text that is shown or copied goes through.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// The layout of the panels.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// When the newest message came in.
    pub fn now(&self) -> &Moment {
        &self.now
    }

    /// The panel that keys go to.
    pub fn focus(&self) -> Panel {
        self.focus
    }

    /// The question or page over the panels.
    pub fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    /// The list of what can be done, where it is open.
    pub fn actions(&self) -> Option<&ActionList> {
        self.actions.as_ref()
    }

    /// The sentence at the bottom.
    pub fn current_notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Whether and how the program leaves.
    pub fn leaving(&self) -> &Leaving {
        &self.leaving
    }

    /// Counts up whenever the whole screen is to be painted again.
    pub fn repaints(&self) -> u64 {
        self.repaints
    }

    /// Counts up whenever the operator asks to suspend the program.
    pub fn suspensions(&self) -> u64 {
        self.suspensions
    }

    /// The name of the picture that has to be shown before the open question can be answered; the
    /// terminal is asked to tell when it shows it.
    pub fn asked_picture(&self) -> Option<PictureId> {
        self.consent.picture()
    }

    /// Why a yes to the open question would not count now.
    pub fn unread(&self) -> Option<Unread> {
        self.consent.unread()
    }

    /// Whether the extensions are known.
    pub fn discovery(&self) -> &Fetched<()> {
        &self.discovery
    }

    /// The panel of extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The panel of events.
    pub fn events(&self) -> &EventsPanel {
        &self.events
    }

    /// Listings and marks.
    pub fn store(&self) -> &EventStore {
        &self.store
    }

    /// What is known of an extension's listing.
    pub fn listing_state(&self, extension: &ExtensionNumber) -> &Fetched<()> {
        self.loading.state(extension)
    }

    /// The run going on, or the last one.
    pub fn run(&self) -> Option<&ActiveRun> {
        self.runs.shown()
    }

    /// Why an event of the last run is still there.
    pub fn failure_of(&self, key: &EventKey) -> Option<&Failure> {
        self.store.failure_of(key)
    }

    /// Every HTTP request so far.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Rows of the Status panel.
    pub fn status_rows(&self) -> usize {
        self.run_rows() + self.log.len()
    }

    /// Rows of the run in the Status panel.
    fn run_rows(&self) -> usize {
        let (failed, succeeded) = self.settled_calls();
        let earlier = self.earlier_run().map_or(0, EarlierRun::len);
        let unsent = self.run().map_or(0, |active| active.unsent().len());
        earlier + failed.len() + unsent + succeeded.len()
    }

    /// One row of the Status panel: the calls of the run, failures first, then what was not sent, and
    /// each part of calls newest first, or the events of a run of before; then the log.
    pub fn status_row(&self, row: usize) -> Option<StatusRow<'_>> {
        if let Some(event) = self.earlier_run().and_then(|run| run.row(row)) {
            return Some(StatusRow::Earlier(event));
        }
        let (failed, succeeded) = self.settled_calls();
        let unsent = self.run().map_or(&[][..], ActiveRun::unsent);
        let called = |call: &usize| StatusRow::Call(*call);
        let failed = failed.iter().rev().map(called);
        let unsent = unsent.iter().map(|place| StatusRow::Unsent(*place));
        let mut rows = failed.chain(unsent).chain(succeeded.iter().rev().map(called));
        match rows.nth(row) {
            Some(row) => Some(row),
            None => self.log.line(row.checked_sub(self.run_rows())?).map(StatusRow::Log),
        }
    }

    fn settled_calls(&self) -> (&[usize], &[usize]) {
        self.run()
            .map_or((&[], &[]), |active| (active.machine.failed(), active.machine.succeeded()))
    }

    /// The newest lines of the log, for tests and for a status without a run.
    pub fn log_line(&self, index: usize) -> Option<&LogLine> {
        self.log.line(index)
    }

    /// How many lines the log of the session has ever had.
    pub fn logged(&self) -> usize {
        self.log.added()
    }

    /// What was logged behind so many lines, oldest first.
    pub fn logged_since(&self, seen: usize) -> impl Iterator<Item = &LogLine> {
        self.log.since(seen)
    }

    /// Opens a question over whatever is there.
    pub(super) fn open_question(&mut self, about: About) {
        let number = self.next_question();
        self.dialog = Some(Dialog::Question(Question { number, about }));
    }

    pub(super) fn next_question(&mut self) -> u64 {
        self.questions += 1;
        self.questions
    }

    pub(super) fn notice(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice { tone, text: text.into() });
    }

    /// A sentence of ours at the bottom, with the keys in force for the names of actions in it.
    pub(super) fn tell(&mut self, tone: Tone, sentence: &str) {
        let text = self.keyed(sentence);
        self.notice(tone, text);
    }

    /// The same to be put together with what is not ours.
    pub(super) fn keyed(&self, sentence: &str) -> String {
        self.facts.keys.told(sentence)
    }

    pub(super) fn log(&mut self, tone: Tone, text: impl Into<String>) {
        self.log.add(&self.now, tone, text);
    }

    /// Says it at the bottom and keeps it in the log.
    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        self.log(tone, text.clone());
        self.notice(tone, text);
    }
}
