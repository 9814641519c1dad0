//! The one table of actions: name, layers, keys, command, help and hints in one row.
//!
//! Keys are looked for in the innermost layer first; what it does not know falls through to
//! [`Layer::Anywhere`] and no further.

use super::{Command, Motion, Panel};

/// A set of keys that holds in one place; the innermost open layer is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Below all others, but for what can be typed into a line.
    Anywhere,
    /// Panels, nothing over them.
    Panels,
    /// A line is being typed.
    Prompt,
    /// The review of a run.
    Review,
    /// A question that y and n answer.
    Question,
    /// Everything about one event or call.
    Details,
    /// The list of runs.
    Runs,
    /// The list of what can be done.
    Help,
}

impl Layer {
    /// All layers with the title of their part of the list, in its order.
    pub const TITLED: [(Self, &'static str); 8] = [
        (Self::Panels, "Panels"),
        (Self::Review, "In a review"),
        (Self::Question, "In a question"),
        (Self::Details, "In details"),
        (Self::Runs, "In the list of runs"),
        (Self::Prompt, "While a line is typed"),
        (Self::Help, "In this list"),
        (Self::Anywhere, "Anywhere"),
    ];

    /// The title of its part of the list.
    pub fn title(self) -> &'static str {
        Self::TITLED.iter().find(|(layer, _)| *layer == self).map_or("", |(_, title)| title)
    }

    /// Whether a key that types a character is text there and never an action.
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Help)
    }

    /// Whether a yes is waited for there.
    pub fn asks(self) -> bool {
        matches!(self, Self::Review | Self::Question)
    }
}

/// Where, and in which state, a hint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In Extensions, with nothing marked.
    Extensions,
    /// In Events, with nothing marked.
    Events,
    /// In the other panels, with nothing marked.
    Others,
    /// In panels while events are marked.
    Marks,
    /// In panels while a run goes on.
    Running,
    /// In panels while a run is paused.
    Paused,
    /// In Status after a run.
    AfterRun,
    /// In Status after an undo.
    AfterUndo,
    /// In the review of a deletion.
    Deleting,
    /// In the review of a change.
    Changing,
    /// In the review of what is left of a run.
    GoingOn,
    /// In the review of an undo.
    Undoing,
    /// At the end of every line of hints in panels, and the last one to go.
    Last,
}

/// What the word of a hint ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Marked events.
    Marked,
    /// Events that the run took.
    Taken,
    /// Events of the run that are left.
    Left,
}

/// A word in the hint line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// Place of the hint.
    pub place: Place,
    /// Its rank among the hints there, the lowest first.
    pub rank: u8,
    /// The word.
    pub word: &'static str,
    /// The number behind it; where that is zero there is no hint.
    pub count: Option<Count>,
}

/// One thing that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// What `[keys]` and the list call it. It never changes.
    pub name: &'static str,
    /// The layers in which the action holds.
    pub layers: &'static [Layer],
    /// Its keys where the configuration names no others, as [`Keys::parse`](super::Keys::parse) reads
    /// them.
    pub keys: &'static [&'static str],
    /// What it asks for.
    pub command: Command,
    /// What it does.
    pub help: &'static str,
    /// Its words in hint lines.
    pub hints: &'static [Hint],
    /// Its keys cannot be changed.
    pub is_fixed: bool,
    /// The action opens a review before anything is sent.
    pub opens_review: bool,
}

impl Action {
    const fn fixed(self) -> Self {
        Self { is_fixed: true, ..self }
    }

    const fn opening_review(self) -> Self {
        Self { opens_review: true, ..self }
    }

    /// The action of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|action| action.name == name)
    }
}

const fn row(
    name: &'static str,
    layers: &'static [Layer],
    keys: &'static [&'static str],
    command: Command,
    help: &'static str,
    hints: &'static [Hint],
) -> Action {
    Action { name, layers, keys, command, help, hints, is_fixed: false, opens_review: false }
}

const fn at(place: Place, rank: u8, word: &'static str) -> Hint {
    Hint { place, rank, word, count: None }
}

impl Hint {
    const fn with(self, count: Count) -> Self {
        Self { count: Some(count), ..self }
    }
}

const ANYWHERE: &[Layer] = &[Layer::Anywhere];
const PANELS: &[Layer] = &[Layer::Panels];
const PROMPT: &[Layer] = &[Layer::Prompt];
const REVIEW: &[Layer] = &[Layer::Review];
const ASKING: &[Layer] = &[Layer::Review, Layer::Question];
const ANSWERS: &[Layer] = &[Layer::Review, Layer::Question, Layer::Panels];
const LIST: &[Layer] = &[Layer::Help];
const DETAILS: &[Layer] = &[Layer::Details];
const RUNS: &[Layer] = &[Layer::Runs];
const OF_RUN: &[Layer] = &[Layer::Panels, Layer::Runs];
const ROWS: &[Layer] = &[Layer::Panels, Layer::Review, Layer::Details, Layer::Runs];
const LISTS: &[Layer] = &[Layer::Panels, Layer::Review, Layer::Details, Layer::Runs, Layer::Help];
const OUTSIDE: &[Layer] =
    &[Layer::Panels, Layer::Review, Layer::Question, Layer::Details, Layer::Runs, Layer::Prompt];

use Place::{
    AfterRun, AfterUndo, Changing, Deleting, Events, Extensions, GoingOn, Last, Marks, Others,
    Paused, Running, Undoing,
};

/// All actions; within a layer a key stands once.
#[rustfmt::skip] // a row a line, so that it reads as the table that it is
pub const ACTIONS: &[Action] = &[
    row("mark", PANELS, &["space"], Command::Mark, "mark or unmark the row and step down; on a group or an extension all of its visible events", &[at(Extensions, 2, "mark all"), at(Events, 1, "mark")]),
    row("mark-type", PANELS, &["a"], Command::MarkType, "mark every visible event of the type under the cursor", &[at(Events, 2, "type")]),
    row("mark-all", PANELS, &["A"], Command::MarkVisible, "mark all visible rows", &[at(Events, 3, "all")]),
    row("invert", PANELS, &["i"], Command::InvertVisible, "invert the marks of the visible rows", &[]),
    row("range", PANELS, &["v"], Command::Range, "begin a range: moving extends it, space marks it, Esc drops it", &[]),
    row("mark-by-rule", PANELS, &["T"], Command::MarkByExpression, "mark by an expression in every loaded extension", &[at(Extensions, 3, "mark by rule")]),
    row("unmark-by-rule", PANELS, &["-"], Command::UnmarkByExpression, "unmark by an expression", &[]),
    row("mark-by-standing", PANELS, &["X"], Command::MarkByStanding, "mark by an expression with is: already typed: duplicate, marked or failed", &[]),
    row("mark-rest", PANELS, &["L"], Command::LoadAndMark, "after mark-by-rule: load the other extensions and mark there too", &[]),
    row("take-back", PANELS, &["u"], Command::TakeBack, "take back the last change of marks", &[at(Marks, 3, "take back")]),
    row("unmark-all", PANELS, &["U"], Command::UnmarkAll, "unmark everything", &[at(Marks, 4, "unmark all")]),
    row("delete", PANELS, &["d"], Command::ReviewDeletion, "review deleting the marked events; with none marked, the event under the cursor", &[at(Events, 4, "delete"), at(Marks, 1, "review").with(Count::Marked)]).opening_review(),
    row("disable", PANELS, &["x"], Command::ReviewSwitch, "review disabling the marked events, or enabling them where all are off; with none marked, the event under the cursor", &[]).opening_review(),
    row("re-point", PANELS, &["e"], Command::EditRepoint, "point URLs elsewhere: type OLD=NEW, two hosts or two beginnings, then review; with none marked, the event under the cursor", &[]).opening_review(),
    row("pause", PANELS, &["p"], Command::Pause, "during a run: pause it, or go on", &[at(Running, 2, "pause"), at(Paused, 2, "go on")]),
    row("go-on", OF_RUN, &["r"], Command::GoOn, "after a run: review what is left of it and go on", &[at(AfterRun, 2, "go on with").with(Count::Left)]).opening_review(),
    row("undo", OF_RUN, &["z"], Command::ReviewUndo, "after a run: review giving back what it deleted or changed", &[at(AfterRun, 1, "undo").with(Count::Taken), at(AfterUndo, 1, "go on with").with(Count::Left)]).opening_review(),
    row("receipt", OF_RUN, &["E"], Command::WriteReceipt, "after a run or an undo: write a receipt, masked while the mask is on", &[at(AfterRun, 3, "receipt"), at(AfterUndo, 3, "receipt")]),
    row("runs", PANELS, &["W"], Command::ListRuns, "list every run of this PBX, earlier ones too: show one, undo it, go on with it, write its receipt", &[at(AfterRun, 4, "runs"), at(AfterUndo, 4, "runs"), at(Others, 3, "runs")]),
    row("filter", PANELS, &["/"], Command::EditFilter, "filter the panel; Esc in the panel clears the filter", &[at(Extensions, 5, "filter")]),
    row("all-extensions", PANELS, &["0"], Command::ShowAll, "show the events of all extensions", &[at(Extensions, 4, "all")]),
    row("group", PANELS, &["o"], Command::Group, "group the events by type, extension, host, note, owner or duplicates", &[at(Events, 6, "group")]),
    row("sort", PANELS, &["s"], Command::Sort, "sort: extensions by list order, events, marks; events by list order, date, URL, note", &[]),
    row("zoom", PANELS, &["+"], Command::Zoom, "give the panel the whole screen, or take it back", &[]),
    row("copy", PANELS, &["c"], Command::Copy, "copy the row under the cursor (Events, Status, Marked)", &[]),
    row("copy-all", PANELS, &["C"], Command::CopyAll, "copy all rows of the panel (Events, Status, Marked)", &[]),
    row("read-again", PANELS, &["R"], Command::ReadAgain, "read again from the PBX; marks stay", &[]),
    row("down", LISTS, &["j", "down"], Command::Move(Motion::Down), "go down a row", &[]),
    row("up", LISTS, &["k", "up"], Command::Move(Motion::Up), "go up a row", &[]),
    row("first", ROWS, &["gg", "home"], Command::Move(Motion::First), "go to the first row", &[]),
    row("last", ROWS, &["G", "end"], Command::Move(Motion::Last), "go to the last row", &[]),
    row("page-down", ROWS, &["ctrl-d", "pagedown"], Command::Move(Motion::PageDown), "go down half a page (never deletes)", &[]),
    row("page-up", ROWS, &["ctrl-u", "pageup"], Command::Move(Motion::PageUp), "go up half a page", &[]),
    row("next-group", PANELS, &["J", "}"], Command::Move(Motion::NextGroup), "go to the next group", &[]),
    row("previous-group", PANELS, &["K", "{"], Command::Move(Motion::PreviousGroup), "go to the previous group", &[]),
    row("open", PANELS, &["l", "right"], Command::Open, "open the group, or go to the events of the extension", &[]),
    row("close", PANELS, &["h", "left"], Command::Close, "close the group, or go back to the extensions", &[]),
    row("enter", PANELS, &["enter"], Command::Enter, "on an extension, go to its events; on a group, open or close it; on an event or a row of Status, show its details", &[at(Extensions, 1, "events"), at(Events, 5, "details")]),
    row("next-panel", PANELS, &["tab"], Command::NextPanel, "go to the next panel", &[at(Running, 3, "browse"), at(Paused, 3, "browse"), at(Others, 1, "browse")]),
    row("previous-panel", PANELS, &["backtab"], Command::PreviousPanel, "go to the previous panel", &[]),
    row("extensions", PANELS, &["1"], Command::Focus(Panel::Extensions), "go to Extensions", &[]),
    row("events", PANELS, &["2"], Command::Focus(Panel::Events), "go to Events", &[]),
    row("status", PANELS, &["3"], Command::Focus(Panel::Status), "go to Status", &[]),
    row("marked", PANELS, &["4"], Command::Focus(Panel::Marked), "go to Marked", &[at(Marks, 2, "see marks")]),
    row("calls", PANELS, &["5"], Command::Focus(Panel::Calls), "go to Calls", &[]),
    row("step-back", PANELS, &["esc"], Command::Escape, "clear the filter of the panel; else stop the run after the calls in flight; else go back", &[at(Running, 1, "stop"), at(Paused, 1, "stop")]).fixed(),
    row("quit", PANELS, &["q"], Command::Quit, "go back, then quit; asks during a run and while events are marked", &[at(Others, 2, "back")]),
    row("form", REVIEW, &["t"], Command::ChangeForm, "change to the next call form that wide_calls and the marks allow", &[at(Deleting, 1, "form")]),
    row("simulate", REVIEW, &["s"], Command::Simulate, "simulate: go through these calls and send none; marks stay", &[at(Deleting, 2, "simulate"), at(Changing, 1, "simulate")]),
    row("show-calls", REVIEW, &["v"], Command::ShowCalls, "show the literal calls, or the events again", &[at(Deleting, 3, "calls"), at(Changing, 2, "calls"), at(GoingOn, 1, "calls"), at(Undoing, 1, "calls")]),
    row("copy-calls", REVIEW, &["c"], Command::Copy, "copy the calls as curl lines, without the token", &[at(Deleting, 4, "copy"), at(Changing, 3, "copy"), at(GoingOn, 2, "copy"), at(Undoing, 2, "copy")]),
    row("narrow", REVIEW, &["/"], Command::EditFilter, "narrow the rows; everything stays planned", &[at(Deleting, 5, "narrow"), at(Changing, 4, "narrow"), at(GoingOn, 3, "narrow"), at(Undoing, 3, "narrow")]),
    row("add-changed", REVIEW, &["+"], Command::AddDrifted, "add what changed or appeared since it was marked, as it is now", &[]),
    row("read-failed", REVIEW, &["R"], Command::ReadAgain, "read again the extensions that could not be read", &[]),
    row("yes", ANSWERS, &["y"], Command::Confirm, "yes to a review or a question, once it has been shown; nothing else", &[]).fixed(),
    row("no", ASKING, &["n", "esc", "q"], Command::Cancel, "no; marks stay", &[]).fixed(),
    row("nothing", ASKING, &["enter"], Command::Nothing, "nothing, on purpose: only y says yes", &[]).fixed(),
    row("copy-details", DETAILS, &["c"], Command::Copy, "copy all of it", &[]),
    row("close-details", DETAILS, &["q", "esc", "enter"], Command::Cancel, "close the details", &[]).fixed(),
    row("show-run", RUNS, &["enter"], Command::Enter, "show the run in Status", &[]).fixed(),
    row("close-runs", RUNS, &["q", "esc", "W"], Command::Cancel, "close the list", &[]).fixed(),
    row("apply", PROMPT, &["enter"], Command::Apply, "apply what is typed", &[]).fixed(),
    row("cancel", PROMPT, &["esc"], Command::Cancel, "cancel what is typed", &[]).fixed(),
    row("earlier-line", PROMPT, &["up", "ctrl-p"], Command::Recall { earlier: true }, "bring back the line typed before", &[]),
    row("later-line", PROMPT, &["down", "ctrl-n"], Command::Recall { earlier: false }, "bring back the line typed after it", &[]),
    row("list-page-down", LIST, &["pagedown"], Command::Move(Motion::PageDown), "go down half a page", &[]),
    row("list-page-up", LIST, &["pageup"], Command::Move(Motion::PageUp), "go up half a page", &[]),
    row("do", LIST, &["enter"], Command::Choose, "do what is under the cursor; in a review the list only shows", &[]).fixed(),
    row("close-list", LIST, &["esc", "f1"], Command::Cancel, "close this list", &[]).fixed(),
    row("help", OUTSIDE, &["?", "f1", ":"], Command::Help, "list what can be done here: typing narrows the list, Enter does it", &[at(Last, 0, "help")]),
    row("mask", ANYWHERE, &["m"], Command::ToggleMask, "mask numbers, labels, hosts, URLs and notes, or show them again", &[]),
    row("interrupt", ANYWHERE, &["ctrl-c"], Command::Interrupt, "go back, as Esc does; twice within a second leaves", &[]).fixed(),
    row("redraw", ANYWHERE, &["ctrl-l"], Command::Redraw, "draw the screen again", &[]),
    row("suspend", ANYWHERE, &["ctrl-z"], Command::Suspend, "suspend; fg in the shell resumes, a run too", &[]),
];
