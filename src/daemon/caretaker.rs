//! A thread that looks after something every so often, until it is told to end.

use anyhow::Context as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// The thread.
pub struct Caretaker {
    end: Sender<()>,
    ended: Receiver<()>,
}

impl Caretaker {
    /// Begins to look at once. Whatever a look comes to, there is a next one.
    pub fn start(name: &'static str, every: Duration, mut look: impl FnMut() + Send + 'static) -> anyhow::Result<Self> {
        let (end, until) = mpsc::channel();
        let (done, ended) = mpsc::channel::<()>();
        let run = move || {
            loop {
                if catch_unwind(AssertUnwindSafe(&mut look)).is_err() {
                    tracing::error!("looking after {name} has failed; it is tried again");
                }
                if until.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            // what it holds may have to be ended, too
            drop(look);
            drop(done);
        };
        std::thread::Builder::new()
            .name(name.into())
            .spawn(run)
            .with_context(|| format!("the {name} thread cannot be started"))?;
        Ok(Self { end, ended })
    }

    /// Asks it to end, and waits for it, but no longer than this: a share may hold it up for ever.
    pub fn stop(self, patience: Duration) {
        drop(self.end);
        let _ended = self.ended.recv_timeout(patience);
    }
}
