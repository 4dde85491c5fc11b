//! Room on the disks: with too little of it nothing more is taken in, so that what is in work can come to its end.

use super::Intake;
use crate::state::{State, free_bytes};
use bytesize::ByteSize;
use std::collections::HashSet;
use std::path::Path;

/// The folders that a radiograph and its result go to: room is kept on their disks.
const KEPT_FREE: [&str; 4] = ["state", "outbox", "archive", "quarantine"];

/// The disks that room is kept on, as `disk` tells one from another.
pub fn kept_free(state: &State, disk: impl Fn(&Path) -> Option<u64>) -> HashSet<u64> {
    folders(state).filter_map(|(_, path)| disk(path)).collect()
}

fn folders(state: &State) -> impl Iterator<Item = (&'static str, &Path)> {
    state.folders().into_iter().filter(|(name, _)| KEPT_FREE.contains(name))
}

/// The first folder whose disk has less room than is to be kept free.
fn cramped(state: &State, keep_free: u64) -> Option<(&'static str, u64)> {
    let mut room = folders(state).filter_map(|(name, path)| Some((name, free_bytes(path)?)));
    room.find(|(_, free)| *free < keep_free)
}

impl Intake {
    /// Whether nothing more may be taken in now; the log says why.
    pub(super) fn is_cramped(&self) -> bool {
        let cramped = cramped(&self.state, self.keep_free);
        self.gauges.inbox_held.set(cramped.is_some().into());
        let Some((folder, free)) = cramped else { return false };
        let (free, keep) = (ByteSize(free).to_string(), ByteSize(self.keep_free).to_string());
        tracing::warn!(
            folder,
            free,
            keep,
            "the disk is nearly full: nothing more is taken from the inbox until there is room"
        );
        true
    }
}
