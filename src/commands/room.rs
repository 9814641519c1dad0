//! Waiting, before the first question, until as many have been forgotten that failed.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use super::ending::remark;
use crate::api::Client;
use crate::domain::Failure;

/// How often a terminal shows how long it still is.
const SECOND: Duration = Duration::from_secs(1);

/// Waits until questions may go out, and says how long that is and why.
pub(super) async fn wait(client: &Client) {
    let counts = io::stderr().is_terminal();
    let mut told = false;
    while let Some(wait) = client.refusal().and_then(|failure| failure.retry_after) {
        let words = Failure::words_of_wait(wait);
        if counts {
            let _ = write!(io::stderr(), "\r{words}; ctrl-c ends that\u{1b}[K");
        } else if !told {
            remark(&words);
        }
        told = true;
        let step = if counts { wait.min(SECOND) } else { wait };
        tokio::time::sleep(step).await;
    }
    if counts && told {
        let _ = writeln!(io::stderr());
    }
}
