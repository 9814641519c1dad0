//! A body on its way out, also one that dawdles, ends early or is longer than it said.
//!
//! What goes wrong with it goes wrong on the wire alone: the world has answered by then.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

use super::answer::Delivery;

/// What a huge body is made of: JSON and HTML may both begin with blanks.
static BLANKS: [u8; 1 << 16] = [b' '; 1 << 16];

/// The body of one answer.
#[derive(Debug)]
pub(super) struct Payload {
    blanks: u64,
    rest: Bytes,
    pause: Option<Duration>,
    resting: Option<Pin<Box<Sleep>>>,
    ending: Ending,
}

/// What follows the last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The next answer.
    Good,
    /// Nothing is sent any more.
    Silence,
    /// The end of the connection, once what was written has left.
    Flush,
    /// The end of the connection.
    Broken,
}

/// The answer ends here, and with it the connection.
#[derive(Debug)]
pub(super) struct Broken;

impl Payload {
    /// A body with the length its header announces; none where the body says it itself.
    pub(super) fn new(body: Vec<u8>, delivery: Delivery) -> (Self, Option<u64>) {
        let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let half = body.len() / 2;
        let whole =
            Self { blanks: 0, rest: body.into(), pause: None, resting: None, ending: Ending::Good };
        match delivery {
            Delivery::Whole | Delivery::Never => (whole, None),
            Delivery::Drip(pause) => (Self { pause: Some(pause), ..whole }, Some(length)),
            Delivery::Huge(blanks) => (Self { blanks, ..whole }, Some(length + blanks)),
            Delivery::Truncated => {
                let rest = whole.rest.slice(..half);
                (Self { rest, ending: Ending::Flush, ..whole }, Some(length.max(1)))
            }
            Delivery::Longer => (Self { ending: Ending::Silence, ..whole }, Some(length + 1)),
            Delivery::Shorter => {
                let rest = whole.rest.slice(..half);
                let length = u64::try_from(half).unwrap_or(u64::MAX);
                (Self { rest, ..whole }, Some(length))
            }
        }
    }

    /// The next bytes, if any are left.
    fn take(&mut self) -> Option<Bytes> {
        if self.blanks > 0 {
            let most = usize::try_from(self.blanks).unwrap_or(BLANKS.len());
            let chunk = BLANKS.get(..most).unwrap_or(&BLANKS);
            self.blanks -= u64::try_from(chunk.len()).unwrap_or(self.blanks);
            return Some(Bytes::from_static(chunk));
        }
        if self.rest.is_empty() {
            return None;
        }
        let length = if self.pause.is_some() { 1 } else { self.rest.len() };
        Some(self.rest.split_to(length))
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(resting) = &mut self.resting {
            if resting.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.resting = None;
        }
        if let Some(bytes) = self.take() {
            self.resting = self.pause.map(|pause| Box::pin(tokio::time::sleep(pause)));
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.ending {
            Ending::Good => Poll::Ready(None),
            Ending::Silence => Poll::Pending,
            Ending::Flush => {
                // hyper flushes when a body has nothing to give; after an error it would not.
                self.ending = Ending::Broken;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Broken => Poll::Ready(Some(Err(Broken))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.blanks == 0 && self.rest.is_empty() && self.ending == Ending::Good
    }

    /// Exact for a plain body alone: hyper trusts a length given here more than the header.
    fn size_hint(&self) -> SizeHint {
        if self.blanks == 0 && self.pause.is_none() && self.ending == Ending::Good {
            return SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX));
        }
        SizeHint::default()
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the scenario ends the answer early")
    }
}

impl std::error::Error for Broken {}
