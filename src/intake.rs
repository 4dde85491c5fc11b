//! Intake: from the inbox into work.
//!
//! Events are hints, the directory is the truth. One thread scans the inbox at start, on every hint and on a
//! timer; a file that has settled is claimed, once, and handed on. When those who grade are busy, handing on
//! blocks and the rest stays in the inbox.

mod claim;
mod reconcile;
mod room;
mod scan;
mod settle;
mod watch;

pub use claim::{Claimed, IntakeError, since};
pub use reconcile::reconcile;
pub use settle::{Settle, Stamp, Verdict};

use crate::config;
use crate::gauges::{Gauges, Step, for_bytes};
use crate::ledger::{Ledger, StartId};
use crate::outage::Outage;
use crate::state::State;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Events come in bursts: the inbox is not scanned more often than this.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

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
    /// Where it is counted.
    pub gauges: Arc<Gauges>,
    /// Bytes that are to stay free on each disk; with less nothing is taken.
    pub keep_free: u64,
    /// Learns whether the inbox can be read.
    pub unread: Outage,
}

impl Intake {
    /// Watch and claim until a `Stop` hint or until nobody takes what is claimed. Blocks.
    pub fn run(&self, hints: &mpsc::Receiver<Hint>, watch: mpsc::Sender<Hint>, claimed: &Claims) {
        let mut watcher = self.settle.events.then(|| watch::Watcher::new(&self.state.inbox, watch));
        let mut settle = Settle::new(self.settle.quiet, self.settle.truncated_after);
        loop {
            if let Some(watcher) = &mut watcher {
                watcher.keep_up();
            }
            let began = Instant::now();
            // from before, not after: a share that has gone away may let a reader wait for ever
            self.unread.begin();
            let step = self.gauges.begin(Step::Scan);
            let present = scan::scan(&self.state.inbox, &self.settle.ignore, &step);
            drop(step);
            self.gauges.inbox_reachable.set(present.is_ok().into());
            // A scan of a huge inbox takes long: a fifth of the time may go into scanning, but no pause is long.
            let pause = (began.elapsed() * 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
            let mut due = Instant::now() + self.settle.scan_every;
            match present {
                Ok(present) => {
                    self.gauges.inbox_waiting.set(present.len() as i64);
                    self.unread.end();
                    if self.round(&mut settle, &present, claimed).is_err() {
                        return;
                    }
                    due = settle.next_due().map_or(due, |next| next.min(due));
                }
                Err(error) => tracing::warn!("the inbox cannot be read: {error}; it is looked for every so often"),
            }
            if self.sleep(hints, Instant::now() + pause, due.max(Instant::now() + pause)).is_err() {
                return;
            }
        }
    }

    /// Sleep until `latest`, or from `earliest` on until a hint.
    fn sleep(&self, hints: &mpsc::Receiver<Hint>, earliest: Instant, latest: Instant) -> Result<(), Stopped> {
        let mut until = latest;
        loop {
            match hints.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Hint::Look) => until = earliest,
                Ok(Hint::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return Err(Stopped),
                Err(mpsc::RecvTimeoutError::Timeout) => return Ok(()),
            }
        }
    }

    /// Claim all that has settled, the oldest first; a long round ends early, so that news are seen.
    fn round(&self, settle: &mut Settle, present: &[(PathBuf, Stamp)], claimed: &Claims) -> Result<(), Stopped> {
        let began = Instant::now();
        settle.keep_only(present.iter().map(|(path, _)| path.as_path()));
        let mut is_held = self.is_cramped();
        for (path, stamp) in present {
            if settle.observe(path, *stamp, Instant::now()) == Verdict::Wait || began.elapsed() > self.settle.scan_every
            {
                continue;
            }
            is_held = is_held || self.is_cramped();
            if is_held {
                continue;
            }
            let step = self.gauges.begin_long(Step::Claim, for_bytes(stamp.len));
            let taken = self.take(path, settle);
            drop(step);
            match taken {
                Ok(Some(claim)) => claimed.blocking_send(claim).map_err(|_| Stopped)?,
                Ok(None) => {}
                Err(error) => settle.trouble(path, &error, Instant::now()),
            }
            if claimed.is_closed() {
                return Err(Stopped);
            }
        }
        self.gauges.inbox_held.set(is_held.into());
        Ok(())
    }
}

/// Where claimed files go; it holds few, so that a full pipeline leaves the rest in the inbox.
pub type Claims = tokio::sync::mpsc::Sender<Claimed>;

/// Nobody takes claims any more.
struct Stopped;
