//! What wakes the intake before its timer does. However many hints come, one is kept: they all say the same.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Instant;

/// Both ends.
pub fn hints() -> (Nudge, Hints) {
    let (sender, receiver) = mpsc::sync_channel(1);
    (Nudge(sender), Hints { receiver, is_heard: false })
}

/// Says that something may be new in the inbox, or that it is time to stop.
#[derive(Clone)]
pub struct Nudge(SyncSender<()>);

impl Nudge {
    /// Never waits.
    pub fn give(&self) {
        // full: who looks now will look at this, too
        let _ = self.0.try_send(());
    }
}

/// The intake's end.
pub struct Hints {
    receiver: Receiver<()>,
    is_heard: bool,
}

impl Hints {
    /// Whether there was a hint since the last scan began.
    pub(super) fn is_heard(&mut self) -> bool {
        self.is_heard |= self.receiver.try_recv().is_ok();
        self.is_heard
    }

    /// A scan begins: what has been hinted at so far will be seen.
    pub(super) fn forget(&mut self) {
        self.is_heard();
        self.is_heard = false;
    }

    /// Sleeps until `latest`, or after a hint until `earliest`, or until it is over; that, too, is hinted at.
    pub(super) fn sleep(&mut self, earliest: Instant, latest: Instant, is_over: impl Fn() -> bool) {
        let mut until = if self.is_heard() { earliest } else { latest };
        while !is_over() {
            match self.receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) => until = earliest,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
