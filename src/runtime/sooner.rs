//! A timer that makes those of requests cheap while a run goes on.
//!
//! A timer that is due before all others takes a call of the system. Where all calls waited for the disk
//! just now, and no answer is awaited, that would be the timer of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// Sooner than any request looks whether it has waited too long.
const SOONER: Duration = Duration::from_millis(200);

/// It does not run, or does, or was asked for since it began to.
const OFF: u8 = 0;
const ON: u8 = 1;
const WANTED: u8 = 2;

/// A timer that is due before those of all requests, as long as there are new ones.
#[derive(Debug, Default)]
pub(super) struct Sooner(Arc<AtomicU8>);

impl Sooner {
    /// Starts it, where it does not run.
    #[expect(clippy::disallowed_methods, reason = "the runtime is where tasks start")]
    pub(super) fn run(&self) {
        if self.0.swap(WANTED, Ordering::Relaxed) != OFF {
            return;
        }
        let running = Running(Arc::clone(&self.0));
        tokio::spawn(async move {
            while running.0.swap(ON, Ordering::Relaxed) == WANTED {
                tokio::time::sleep(SOONER).await;
            }
        });
    }
}

/// Ends with its task.
struct Running(Arc<AtomicU8>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(OFF, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn one_timer_is_due_before_those_of_all_requests_and_ends_with_what_carries_it() {
        let sooner = Sooner::default();
        for _ in 0..2 {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                sooner.run();
                sooner.run();
            });
            assert_eq!(runtime.metrics().num_alive_tasks(), 1);
            drop(runtime);
            assert_eq!(sooner.0.load(Ordering::Relaxed), OFF);
        }
    }
}
