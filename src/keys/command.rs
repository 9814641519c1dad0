//! What an operator can ask for: imperative, and what a key is bound to.

/// The panels, by the digits that focus them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Panel {
    /// 1: the extensions.
    Extensions,
    /// 2: the events of the extension under the cursor.
    Events,
    /// 3: the run and the log.
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

    /// The panel as one of the two that show what is on the PBX; `None` for the others.
    pub fn browsed(self) -> Option<Browsed> {
        [(Self::Extensions, Browsed::Extensions), (Self::Events, Browsed::Events)]
            .into_iter()
            .find_map(|(panel, browsed)| (panel == self).then_some(browsed))
    }
}

/// The panels that show what is on the PBX: they alone have filters, orders, ranges and marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browsed {
    /// [`Panel::Extensions`].
    Extensions,
    /// [`Panel::Events`].
    Events,
}

/// The direction of a cursor or a page.
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
    /// Focus the next visible panel.
    NextPanel,
    /// Focus the previous visible panel.
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
    /// Invert the mark of every visible row.
    InvertVisible,
    /// Type an expression and mark what it means.
    MarkByExpression,
    /// Load the other extensions and mark there too.
    LoadAndMark,
    /// Clear all marks.
    UnmarkAll,
    /// Take back the last change of marks.
    TakeBack,
    /// Begin a range, or drop it.
    Range,
    /// Type an expression and unmark what it means.
    UnmarkByExpression,
    /// Mark by expression, with `is:` typed already.
    MarkByStanding,
    /// Show the events of all extensions.
    ShowAll,
    /// Group the events by something else.
    Group,
    /// Order the rows by something else.
    Sort,
    /// Give the focused panel the whole screen, or end that.
    Zoom,
    /// Review deleting the marked events.
    ReviewDeletion,
    /// Review disabling the marked events, or enabling them where all are off.
    ReviewSwitch,
    /// Ask for OLD=NEW, then review the change of URLs.
    EditRepoint,
    /// Say yes to the dialog.
    Confirm,
    /// Say no to the dialog.
    Cancel,
    /// Do nothing: Enter in a question.
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
    /// Add what changed or appeared, as it is now.
    AddDrifted,
    /// Pause or resume the run.
    Pause,
    /// Review the rest of the last run, and continue it.
    GoOn,
    /// Review undoing the run in Status.
    ReviewUndo,
    /// List all runs of this PBX.
    ListRuns,
    /// Write a receipt of the run.
    WriteReceipt,
    /// Type a filter for the focused panel.
    EditFilter,
    /// Read again from the service.
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
    /// Like Escape; twice within a second leaves the program.
    Interrupt,
    /// Paint the whole screen again.
    Redraw,
    /// Give the terminal back to the shell until it says to go on.
    Suspend,
}
