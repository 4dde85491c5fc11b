//! Intake: from the inbox into work.
//!
//! Events are hints, the directory is the truth. One thread scans the inbox at start, on every hint and on a
//! timer; a file that has settled is claimed, once, and handed on: what came alone before what came in a crowd, and of these
//! the oldest first. When those who grade are busy, handing on blocks and the rest stays in the inbox.

mod claim;
mod crowd;
mod hints;
mod reconcile;
mod room;
mod scan;
mod settle;
mod watch;

pub use claim::{Claimed, IntakeError, since};
pub use hints::{Hints, Nudge, hints};
pub use reconcile::reconcile;
pub use room::kept_free;
pub use scan::passed_over;
pub use settle::{Settle, Stamp, Verdict};

use crate::config;
use crate::gauges::{Gauges, Step, for_bytes};
use crate::grading::IdentityPolicy;
use crate::ledger::{Ledger, StartId};
use crate::outage::Outage;
use crate::radiograph::Limits;
use crate::state::State;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Events come in bursts: the inbox is not scanned more often than this.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What the intake works with.
pub struct Intake {
    /// The folders.
    pub state: State,
    /// `[settle]`
    pub settle: config::Settle,
    /// A larger file is not read to see whether it is complete; decoding refuses it.
    pub limits: Limits,
    /// What may be kept of the name that a file came with.
    pub identity: IdentityPolicy,
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
    /// Watch and claim until nobody takes what is claimed; a nudge says that, too. Blocks.
    pub fn run(&self, mut hints: Hints, nudge: Nudge, claimed: &Claims) {
        let mut watcher = self.settle.events.then(|| watch::Watcher::new(&self.state.inbox, nudge));
        let mut settle = Settle::new(&self.state.inbox, self.settle.quiet, self.settle.truncated_after);
        while !claimed.is_closed() {
            hints.forget();
            reconcile::bring_duplicates_back(&self.state);
            let began = Instant::now();
            // from before, not after: a share that has gone away may let a reader wait for ever
            self.unread.begin();
            let step = self.gauges.begin(Step::Scan);
            if let Some(watcher) = &mut watcher {
                watcher.keep_up();
            }
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
                    let round = self.round(&mut settle, &present, pause, &mut hints, claimed);
                    self.gauges.inbox_troubled.set(settle.troubled() as i64);
                    match round {
                        Round::BrokenOff => continue, // the claims were pause enough
                        Round::Cramped => {}
                        Round::Ended => due = settle.next_due().map_or(due, |next| next.min(due)),
                    }
                }
                Err(error) => tracing::warn!("the inbox cannot be read: {error}; it is looked for every so often"),
            }
            let earliest = Instant::now() + pause;
            hints.sleep(earliest, due.max(earliest), || claimed.is_closed());
        }
    }

    /// Claim all that has settled. Where that takes long, and after a `pause` where news are hinted at, the inbox is scanned
    /// in between: they may go first.
    fn round(
        &self,
        settle: &mut Settle,
        present: &[(PathBuf, Stamp)],
        pause: Duration,
        hints: &mut Hints,
        claimed: &Claims,
    ) -> Round {
        let began = Instant::now();
        settle.keep_only(present.iter().map(|(path, _)| path.as_path()));
        let mut settled: Vec<_> =
            present.iter().filter(|(path, stamp)| settle.observe(path, *stamp, began) == Verdict::Settled).collect();
        settled.sort_by_key(|(path, _)| (settle.is_troubled(path), settle.is_of_an_archive(path)));
        if settled.is_empty() {
            // that a disk is full is told, and that there is room again, whether anything waits or not
            self.is_cramped();
        }
        for (path, stamp) in settled {
            if self.is_cramped() {
                return Round::Cramped;
            }
            let elapsed = began.elapsed();
            if elapsed > self.settle.scan_every || elapsed > pause && hints.is_heard() {
                return Round::BrokenOff;
            }
            let step = self.gauges.begin_long(Step::Claim, for_bytes(stamp.len));
            let taken = self.take(path, settle);
            drop(step);
            match taken {
                // nobody takes it: it is in work, and the next start finds it there
                Ok(Some(claim)) => drop(claimed.blocking_send(claim)),
                Ok(None) => {}
                Err(error) => settle.trouble(path, &error, Instant::now()),
            }
            if claimed.is_closed() {
                break;
            }
        }
        Round::Ended
    }
}

/// Where claimed files go; it holds few, so that a full pipeline leaves the rest in the inbox.
pub type Claims = tokio::sync::mpsc::Sender<Claimed>;

/// How a round ended.
#[derive(PartialEq, Eq)]
enum Round {
    /// All that had settled was looked at.
    Ended,
    /// Some of it is left.
    BrokenOff,
    /// Some of it waits until there is room.
    Cramped,
}
