//! At start, ledger and folders are made to agree: nothing lost, nothing graded twice.

use super::claim::move_file;
use super::{Claimed, IntakeError};
use crate::digest::Digest;
use crate::ledger::{Arrival, Ledger, Origin, Prior, StartId, now};
use crate::side::Side;
use crate::state::State;
use std::collections::BTreeMap;

/// What an earlier start left in work, to be graded first. What it had published is moved to the archive,
/// what it had refused to quarantine; claims whose file never came into work are withdrawn.
pub fn reconcile(state: &State, ledger: &Ledger, start: StartId) -> Result<Vec<Claimed>, IntakeError> {
    let failed = |source| IntakeError::Io { what: "the work folder cannot be put in order", source };
    let mut in_work = BTreeMap::new();
    for entry in std::fs::read_dir(&state.work).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Digest>().ok()) {
            Some(digest) => drop(in_work.insert(digest, path)),
            // A copy across file systems that was not finished: its original is still in the inbox.
            None => std::fs::remove_file(&path).map_err(failed)?,
        }
    }

    let mut left = Vec::new();
    for unfinished in ledger.unfinished()? {
        if in_work.remove(&unfinished.digest).is_some() {
            let (file, digest, side_by_name) = (unfinished.file, unfinished.digest, unfinished.side_by_name);
            left.push(Claimed { file, digest, side_by_name, name: None });
        } else {
            ledger.withdrawn(unfinished.file, "interrupted", "the program stopped before the file was in work")?;
        }
    }

    for (digest, path) in in_work {
        match ledger.last_state(digest)?.as_deref() {
            Some("published") => {
                // Its row in the ledger says all; only the move to the archive was missing.
                let bytes = std::fs::read(&path).map_err(failed)?;
                let archive = state.in_archive(&digest, extension(&bytes));
                crate::state::make_parent(&archive).and_then(|()| move_file(&path, &archive)).map_err(failed)?;
            }
            Some("quarantined") => {
                let bytes = std::fs::read(&path).map_err(failed)?;
                let quarantine = state.in_quarantine(&digest, extension(&bytes));
                move_file(&path, &quarantine).map_err(failed)?;
            }
            // Withdrawn, or a work folder that came from elsewhere: the bytes are here, so they are claimed anew.
            _ => {
                let bytes = std::fs::metadata(&path).map_err(failed)?.len();
                let arrival = Arrival {
                    digest,
                    bytes,
                    origin: Origin::Inbox,
                    name: None,
                    side_by_name: Side::Unknown,
                    seen_at: now(),
                    settled_at: now(),
                    start,
                };
                if let Prior::Claimed(file) = ledger.claim(arrival)? {
                    left.push(Claimed { file, digest, side_by_name: Side::Unknown, name: None });
                }
            }
        }
    }
    Ok(left)
}

fn extension(bytes: &[u8]) -> &'static str {
    crate::radiograph::Format::sniff(bytes).map_or(crate::grading::UNKNOWN, crate::radiograph::Format::extension)
}
