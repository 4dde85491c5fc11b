//! When has a file settled? When nothing about it has changed for a while.
//!
//! A pure state machine over what the scans see; the clock is the caller's.

use super::crowd::{Crowd, Crowds};
use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a change of a file shows in. The modification time alone is not enough: copies keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Device and inode: another file under the same name is a change.
    pub inode: (u64, u64),
    /// Size in bytes.
    pub len: u64,
    /// Modification time, nanoseconds since the epoch.
    pub mtime: i128,
}

impl Stamp {
    /// The stamp of a file's metadata.
    pub fn of(meta: &std::fs::Metadata) -> Self {
        let mtime = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
        Self { inode: (meta.dev(), meta.ino()), len: meta.len(), mtime }
    }
}

/// What to do with a file that was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may still change.
    Wait,
    /// It has not changed for long enough.
    Settled,
}

/// The memory of what the scans saw.
pub struct Settle {
    quiet: Duration,
    truncated_after: Duration,
    candidates: HashMap<PathBuf, Candidate>,
    crowds: Crowds,
}

struct Candidate {
    stamp: Stamp,
    seen_at: jiff::Timestamp,
    unchanged_since: Instant,
    /// Not looked at before: the end of the quiet time, or of a pause after trouble or an incomplete look.
    due: Instant,
    troubled: bool,
    /// How long it is left alone after the next trouble.
    pause: Duration,
    crowd: Crowd,
}

/// After trouble (unreadable, disk full) a file is tried again this much later, then after twice as long, and so on; each time it
/// may have to be read whole.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// But so often at least.
const LAST_PAUSE: Duration = Duration::from_secs(300);

impl Settle {
    /// Files in the inbox settle after `quiet` without change; incomplete ones are given up after `truncated_after`.
    pub fn new(inbox: &Path, quiet: Duration, truncated_after: Duration) -> Self {
        Self { quiet, truncated_after, candidates: HashMap::new(), crowds: Crowds::new(inbox) }
    }

    /// A scan saw this file so.
    pub fn observe(&mut self, path: &Path, stamp: Stamp, now: Instant) -> Verdict {
        match self.candidates.get_mut(path) {
            Some(known) if known.stamp == stamp => {
                if now >= known.due {
                    Verdict::Settled
                } else {
                    Verdict::Wait
                }
            }
            known => {
                // Seen first where the name was seen first, even if the bytes changed since.
                let (seen_at, crowd) = match known {
                    Some(known) => (known.seen_at, known.crowd.clone()),
                    None => (jiff::Timestamp::now(), self.crowds.join(path, now)),
                };
                let due = now + self.quiet;
                let candidate =
                    Candidate { stamp, seen_at, unchanged_since: now, due, troubled: false, pause: FIRST_PAUSE, crowd };
                self.candidates.insert(path.to_owned(), candidate);
                Verdict::Wait
            }
        }
    }

    /// A settled file turned out incomplete. True: give it up. False: wait for the rest.
    pub fn incomplete(&mut self, path: &Path, now: Instant) -> bool {
        let Some(known) = self.candidates.get_mut(path) else { return false };
        let give_up = known.unchanged_since + self.truncated_after;
        known.due = give_up;
        if now < give_up && !std::mem::replace(&mut known.troubled, true) {
            let (inode, patience) = (known.stamp.inode.1, self.truncated_after.as_secs());
            tracing::info!(
                "a file in the inbox (inode {inode}) is incomplete; waiting up to {patience} s for the rest"
            );
        }
        now >= give_up
    }

    /// A settled file could not be taken: say so once, and try again later.
    pub fn trouble(&mut self, path: &Path, error: &dyn std::error::Error, now: Instant) {
        let Some(known) = self.candidates.get_mut(path) else { return };
        known.due = now + known.pause;
        known.pause = (known.pause * 2).min(LAST_PAUSE);
        if !std::mem::replace(&mut known.troubled, true) {
            // The name may say who the patient is: the inode number finds the file as well.
            // A field, since the log leaves out what says the same again: a folder of such files is one complaint.
            tracing::warn!(inode = known.stamp.inode.1, "a file in the inbox cannot be taken: {error}; trying again");
        }
    }

    /// When a path was first seen, and the stamp it settled with.
    pub fn seen(&self, path: &Path) -> Option<(jiff::Timestamp, Stamp)> {
        self.candidates.get(path).map(|known| (known.seen_at, known.stamp))
    }

    /// Whether it could not be taken before: what can be goes first.
    pub fn is_troubled(&self, path: &Path) -> bool {
        self.candidates.get(path).is_some_and(|known| known.troubled)
    }

    /// How many are incomplete, or could not be taken.
    pub fn troubled(&self) -> usize {
        self.candidates.values().filter(|known| known.troubled).count()
    }

    /// Whether it came in a crowd, as archives do: what came alone goes first.
    pub fn is_of_an_archive(&self, path: &Path) -> bool {
        self.candidates.get(path).is_some_and(|known| known.crowd.is_archive())
    }

    /// It was taken, or is gone.
    pub fn forget(&mut self, path: &Path) {
        self.candidates.remove(path);
    }

    /// Forget what is no longer there.
    pub fn keep_only<'a>(&mut self, present: impl Iterator<Item = &'a Path>) {
        let present: HashSet<&Path> = present.collect();
        self.candidates.retain(|path, _| present.contains(path.as_path()));
        self.crowds.tidy();
    }

    /// When the next candidate is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.candidates.values().map(|known| known.due).min()
    }
}
