//! What an operator can ask for: imperative, and what a key is bound to.

/// The panels, by the digits that focus them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Panel {
    /// 1: the extensions.
    Extensions,
    /// 2: the events of the extension under the cursor.
    Events,
    /// 3: what was done and what is going on.
    Status,
    /// 4: everything that is marked.
    Marked,
    /// 5: every HTTP request.
    Calls,
}

impl Panel {
    /// In the order of their digits and of Tab.
    pub const ALL: [Self; 5] =
        [Self::Extensions, Self::Events, Self::Status, Self::Marked, Self::Calls];
}

/// Where a cursor or a page goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// One row down.
    Down,
    /// One row up.
    Up,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// Half a panel down.
    PageDown,
    /// Half a panel up.
    PageUp,
    /// The next group.
    NextGroup,
    /// The group before it.
    PreviousGroup,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Move the cursor of the focused panel, or scroll the dialog.
    Move(Motion),
    /// Focus a panel.
    Focus(Panel),
    /// Focus the next panel on the screen.
    NextPanel,
    /// Focus the previous one.
    PreviousPanel,
    /// Open the group under the cursor, or go into the extension.
    Open,
    /// Close the group under the cursor, or go back to the extensions.
    Close,
    /// Go into what is under the cursor.
    Enter,
    /// Mark or unmark what is under the cursor and step down.
    Mark,
    /// Mark every visible event of the type under the cursor.
    MarkType,
    /// Mark all visible rows.
    MarkVisible,
    /// Turn the mark of every visible row around.
    InvertVisible,
    /// Type an expression and mark what it means.
    MarkByExpression,
    /// Load what is not loaded and mark what was meant there too.
    LoadAndMark,
    /// Take all marks away.
    UnmarkAll,
    /// Take back the last change of marks.
    TakeBack,
    /// Begin a range, or drop it.
    Range,
    /// Type an expression and unmark what it means.
    UnmarkByExpression,
    /// The same as marking by expression, with `is:` typed already.
    MarkByStanding,
    /// Show the events of all extensions.
    ShowAll,
    /// Group the events by something else.
    Group,
    /// Order the rows by something else.
    Sort,
    /// Give the focused panel the whole screen, or take it back.
    Zoom,
    /// Freeze the marks into a plan and show it.
    ReviewDeletion,
    /// The same, to disable, or to enable where everything is off.
    ReviewSwitch,
    /// Type which URLs are to lead where, and review it.
    EditRepoint,
    /// Say yes to the dialog.
    Confirm,
    /// Say no to the dialog.
    Cancel,
    /// Do nothing, on purpose: Enter in a question.
    Nothing,
    /// Use the next call form.
    ChangeForm,
    /// Go through the calls of the review without sending any.
    Simulate,
    /// List the calls of the review, or its events again.
    ShowCalls,
    /// Take the line that is being typed as it is.
    Apply,
    /// Bring back a line that was typed before, or the one after it.
    Recall {
        /// Which way.
        earlier: bool,
    },
    /// Copy the calls of the review, or the row under the cursor.
    Copy,
    /// Copy all rows of the panel.
    CopyAll,
    /// Take what changed or appeared as it is now.
    AddDrifted,
    /// Hold or go on with the run.
    Pause,
    /// Review what the last run left open, and go on with it.
    GoOn,
    /// Show what would bring back what the last run deleted or changed.
    ReviewUndo,
    /// List all runs of this PBX.
    ListRuns,
    /// Write down what the last run did, to be shown to others.
    WriteReceipt,
    /// Type a filter for the focused panel.
    EditFilter,
    /// Ask the service again.
    ReadAgain,
    /// Mask what could give a customer away, or show it again.
    ToggleMask,
    /// List what can be done here.
    Help,
    /// Do what is under the cursor of that list.
    Choose,
    /// One step back: a filter, a run, a panel.
    Escape,
    /// One step back, then out of the program.
    Quit,
    /// As Escape; twice within a second leaves.
    Interrupt,
    /// Paint the whole screen again.
    Redraw,
    /// Give the terminal back to the shell until it says to go on.
    Suspend,
}
