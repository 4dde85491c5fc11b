//! Intake: from the inbox into work.
//!
//! Events are hints, the directory is the truth. One thread scans the inbox at start, on every hint and on a
//! timer; a file that has settled is claimed, once, and handed on. When those who grade are busy, handing on
//! blocks and the rest stays in the inbox.

mod claim;
mod reconcile;
mod scan;
mod settle;
mod watch;

pub(crate) use claim::move_file;
pub use claim::{Claimed, IntakeError};
pub use reconcile::reconcile;
pub use settle::{Settle, Stamp, Verdict};

use crate::config;
use crate::ledger::{Ledger, StartId};
use crate::state::State;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Events come in bursts: the inbox is not scanned more often than this.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// What wakes the intake before its timer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Something may be new in the inbox.
    Look,
    /// The program is stopping.
    Stop,
}

/// What the intake works with.
pub struct Intake {
    /// The folders.
    pub state: State,
    /// `[settle]`
    pub settle: config::Settle,
    /// Files larger than this are not read to see whether they are complete; decoding refuses them.
    pub max_file: u64,
    /// Whether the ledger may keep the name that a file came with.
    pub keep_names: bool,
    /// Where claims are put on record.
    pub ledger: Ledger,
    /// The start that claims.
    pub start: StartId,
}

impl Intake {
    /// Watch and claim until a `Stop` hint or until nobody takes what is claimed. Returns on its own thread's time:
    /// blocking.
    pub fn run(&self, hints: &mpsc::Receiver<Hint>, watch: mpsc::Sender<Hint>, claimed: &Claims) {
        let mut watcher = self.settle.events.then(|| watch::Watcher::new(&self.state.inbox, watch));
        let mut settle = Settle::new(self.settle.quiet, self.settle.truncated_after);
        loop {
            let began = Instant::now();
            if let Some(watcher) = &mut watcher {
                watcher.keep_up();
            }
            if self.round(&mut settle, claimed).is_err() {
                return;
            }
            // A scan of a huge inbox may take long: at most a fifth of the time goes into scanning.
            let pause = SHORTEST_PAUSE.max(began.elapsed() * 4);
            let due = settle.next_due().unwrap_or(began + self.settle.scan_every).min(began + self.settle.scan_every);
            let wait = due.saturating_duration_since(Instant::now()).max(pause);
            match hints.recv_timeout(wait) {
                Ok(Hint::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Ok(Hint::Look) => {
                    std::thread::sleep(pause);
                    if hints.try_iter().any(|hint| hint == Hint::Stop) {
                        return;
                    }
                }
            }
        }
    }

    /// One look at the inbox: claim all that has settled.
    fn round(&self, settle: &mut Settle, claimed: &Claims) -> Result<(), Stopped> {
        let present = match scan::scan(&self.state.inbox, &self.settle.ignore) {
            Ok(present) => present,
            Err(error) => {
                tracing::warn!("the inbox cannot be read: {error}; looking again soon");
                return Ok(());
            }
        };
        settle.keep_only(&present);
        for (path, stamp) in present {
            if settle.observe(&path, stamp, Instant::now()) == Verdict::Wait {
                continue;
            }
            match self.take(&path, settle) {
                Ok(Some(claim)) => claimed.blocking_send(claim).map_err(|_| Stopped)?,
                Ok(None) => {}
                Err(error) => settle.trouble(&path, &error, Instant::now()),
            }
            if claimed.is_closed() {
                return Err(Stopped);
            }
        }
        Ok(())
    }
}

/// Where claimed files go; it holds few, so that a full pipeline leaves the rest in the inbox.
pub type Claims = tokio::sync::mpsc::Sender<Claimed>;

/// Nobody takes claims any more.
struct Stopped;
