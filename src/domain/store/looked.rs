//! How many rows were looked at, so that a test can tell that something does not look at all of them.

use std::cell::Cell;

thread_local! {
    static ROWS: Cell<usize> = const { Cell::new(0) };
}

/// So many rows are looked at.
pub(super) fn at(rows: usize) {
    ROWS.set(ROWS.get() + rows);
}

/// Rows looked at on this thread so far.
pub(crate) fn rows() -> usize {
    ROWS.get()
}
