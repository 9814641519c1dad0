//! As many connections as requests at once, never more: each lies in a client of its own, which one
//! request at a time uses. A pool that requests share opens another connection whenever a request
//! comes just before one of its own is free again.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Make = dyn Fn() -> reqwest::Result<reqwest::Client> + Send + Sync;

/// The clients that nobody uses, those first that have rested longest.
pub(super) struct Slots {
    free: Mutex<VecDeque<reqwest::Client>>,
    /// So many are kept.
    most: usize,
    make: Box<Make>,
}

/// A client for one request.
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    client: reqwest::Client,
}

impl Slots {
    /// Makes one at once, which tells whether it can be made.
    pub(super) fn new(
        most: usize,
        make: impl Fn() -> reqwest::Result<reqwest::Client> + Send + Sync + 'static,
    ) -> reqwest::Result<Self> {
        let free = Mutex::new(VecDeque::from([make()?]));
        Ok(Self { free, most, make: Box::new(make) })
    }

    /// One that is free, or a new one.
    pub(super) fn take(&self) -> reqwest::Result<Slot<'_>> {
        let free = self.free().pop_front();
        let client = free.map_or_else(|| (self.make)(), Ok)?;
        Ok(Slot { slots: self, client })
    }

    fn free(&self) -> MutexGuard<'_, VecDeque<reqwest::Client>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} free", self.free().len())
    }
}

impl Deref for Slot<'_> {
    type Target = reqwest::Client;

    fn deref(&self) -> &reqwest::Client {
        &self.client
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut free = self.slots.free();
        if free.len() < self.slots.most {
            free.push_back(self.client.clone());
        }
    }
}
