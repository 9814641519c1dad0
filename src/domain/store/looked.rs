//! How many rows and texts were looked at, so that a test can tell that something does not look at all of them.

use std::cell::Cell;

thread_local! {
    static ROWS: Cell<usize> = const { Cell::new(0) };
    static TEXTS: Cell<usize> = const { Cell::new(0) };
}

/// A term is asked about so many texts.
pub(super) fn at_texts(texts: usize) {
    TEXTS.set(TEXTS.get() + texts);
}

/// Texts that terms were asked about on this thread so far.
pub(super) fn texts() -> usize {
    TEXTS.get()
}

/// So many rows are looked at.
pub(super) fn at(rows: usize) {
    ROWS.set(ROWS.get() + rows);
}

/// Rows looked at on this thread so far.
pub(crate) fn rows() -> usize {
    ROWS.get()
}
