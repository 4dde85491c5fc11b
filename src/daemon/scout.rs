//! Looks at places that may never answer, as a share that hangs, for somebody who must not wait for them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

/// Who looks, in a thread of its own, and what was seen last.
pub struct Scout<T> {
    asked: SyncSender<()>,
    answers: Receiver<T>,
    last: T,
    patience: Duration,
}

impl<T: Clone + Default + Send + 'static> Scout<T> {
    /// An answer is waited for so long, and no longer. One that hangs is left behind when the process ends.
    pub fn new(patience: Duration, mut look: impl FnMut() -> T + Send + 'static) -> std::io::Result<Self> {
        let (asked, questions) = mpsc::sync_channel::<()>(1);
        let (told, answers) = mpsc::channel();
        let run = move || {
            for () in questions {
                match catch_unwind(AssertUnwindSafe(&mut look)) {
                    Ok(seen) => {
                        if told.send(seen).is_err() {
                            break;
                        }
                    }
                    Err(_) => tracing::error!("looking at the folders has failed; it is tried again"),
                }
            }
        };
        std::thread::Builder::new().name("scout".into()).spawn(run)?;
        Ok(Self { asked, answers, last: T::default(), patience })
    }

    /// What is seen now; where nothing answers, what was seen last.
    pub fn seen(&mut self) -> T {
        // what came too late for whoever asked before
        while let Ok(seen) = self.answers.try_recv() {
            self.last = seen;
        }
        // full: the question before was not even heard yet
        let _ = self.asked.try_send(());
        if let Ok(seen) = self.answers.recv_timeout(self.patience) {
            self.last = seen;
        }
        self.last.clone()
    }
}
