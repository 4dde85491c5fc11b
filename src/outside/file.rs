//! `status.json` in the state folder: the last snapshot, for `kellgrend status` and whoever cannot ask the page.

use super::Snapshot;
use crate::state::State;
use std::fs;
use std::io;
use std::path::PathBuf;

fn path(state: &State) -> PathBuf {
    state.root.join("status.json")
}

/// Replaces it. It is not synced: after a power cut nobody asks how things were before, and disks live longer.
pub(super) fn write(state: &State, snapshot: &Snapshot) -> io::Result<()> {
    let fresh = path(state).with_extension("json.new");
    fs::write(&fresh, serde_json::to_string_pretty(snapshot)?)?;
    fs::rename(fresh, path(state))
}

/// What the running daemon wrote last; none where none runs, or its word is not its own.
pub fn read(state: &State) -> Option<Snapshot> {
    let holder = state.holder()?;
    let snapshot: Snapshot = serde_json::from_slice(&fs::read(path(state)).ok()?).ok()?;
    (snapshot.pid.to_string() == holder.trim()).then_some(snapshot)
}

/// Removes it: the daemon ends.
pub(super) fn forget(state: &State) {
    // a word that is left behind is nobody's: the process id tells
    let _ = fs::remove_file(path(state));
}
