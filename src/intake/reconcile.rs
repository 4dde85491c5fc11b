//! At start, ledger and folders are made to agree: nothing lost, nothing graded twice.

use super::claim::failed;
use super::{Claimed, IntakeError};
use crate::digest::Digest;
use crate::ledger::{Arrival, Ledger, Origin, Prior, StartId, now};
use crate::side::Side;
use crate::state::{DUPLICATE, State, UNFINISHED, extension, first_bytes, move_file, put_back};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What an earlier start left in work, to be graded first. What it had published is moved to the archive,
/// what it had refused to quarantine; claims whose file never came into work are withdrawn.
pub fn reconcile(state: &State, ledger: &Ledger, start: StartId) -> Result<Vec<Claimed>, IntakeError> {
    let mut in_work = sort_out(state).map_err(failed("the work folder cannot be put in order"))?;
    let mut left = Vec::new();
    for unfinished in ledger.unfinished()? {
        // the same bytes may have been named on the command line, too: what is in work came through the inbox
        if unfinished.origin == Origin::Inbox && in_work.remove(&unfinished.digest).is_some() {
            left.push(Claimed {
                file: unfinished.file,
                digest: unfinished.digest,
                side_by_name: unfinished.side_by_name,
                name: unfinished.name,
                claimed_at: unfinished.claimed_at,
                seen: None,
                aborts: unfinished.aborts,
            });
        } else {
            let what = match unfinished.origin {
                Origin::Inbox => "the program stopped before the file was in work",
                Origin::CommandLine => "the program stopped before it was published",
            };
            ledger.withdrawn(unfinished.file, "interrupted", what)?;
        }
    }
    for (digest, path) in in_work {
        match put_away(state, ledger, start, digest, &path) {
            Ok(claim) => left.extend(claim),
            // A full archive is no reason not to grade; the next start tries again.
            Err(IntakeError::Io { what, source }) => {
                tracing::warn!(sha256 = digest.short(), "{what}: {source}; it stays in work for now");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// The files in work by digest. Unfinished copies go (their originals are still in the inbox), duplicates that were
/// on their way out go back to the inbox, and what is not ours is left alone.
fn sort_out(state: &State) -> io::Result<BTreeMap<Digest, PathBuf>> {
    let mut in_work = BTreeMap::new();
    for entry in fs::read_dir(&state.work)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let (stem, ending) = name.split_once('.').unwrap_or((&name, ""));
        match (stem.parse::<Digest>(), ending) {
            (Ok(digest), "") if entry.file_type()?.is_file() => drop(in_work.insert(digest, path)),
            (Ok(_), UNFINISHED) => fs::remove_file(path)?,
            (Ok(_), DUPLICATE) => bring_back(state, &path),
            _ => tracing::warn!("the work folder holds something that is not kellgrend's; it is left alone"),
        }
    }
    Ok(in_work)
}

/// Duplicates that could neither leave work nor go back into the inbox, when that was tried, go back.
pub(super) fn bring_duplicates_back(state: &State) {
    // what cannot be seen now is seen when it is looked for again
    let entries = fs::read_dir(&state.work).into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .filter(|path| path.extension().is_some_and(|ending| ending == DUPLICATE))
        .for_each(|path| bring_back(state, &path));
}

fn bring_back(state: &State, duplicate: &Path) {
    let Some(name) = duplicate.file_name() else { return };
    let inbox = state.inbox.join(name);
    if let Err(error) = put_back(duplicate, &inbox).or_else(|_| move_file(duplicate, &inbox)) {
        tracing::warn!("a duplicate cannot be put back into the inbox: {error}; it stays in work for now");
    }
}

/// A file in work that no unfinished row speaks for.
fn put_away(
    state: &State,
    ledger: &Ledger,
    start: StartId,
    digest: Digest,
    path: &Path,
) -> Result<Option<Claimed>, IntakeError> {
    let unmoved = failed("a file cannot be moved out of work");
    let ending = extension(&first_bytes(path).map_err(unmoved)?);
    let last = ledger.last_state(digest)?;
    match last.as_ref().map(|(state, reason)| (state.as_str(), reason)) {
        Some(("published", _)) => state.put_into_archive(&digest, ending).map_err(unmoved)?,
        Some(("quarantined", reason)) => state.put_into_quarantine(&digest, ending, reason).map_err(unmoved)?,
        // Withdrawn, or a work folder that came from elsewhere: the bytes are here, so they are claimed anew.
        _ => {
            let file = File::open(path).map_err(unmoved)?;
            let bytes = file.metadata().map_err(unmoved)?.len();
            if Digest::of_reader(file).map_err(unmoved)? != digest {
                tracing::warn!(sha256 = digest.short(), "a file in work is not what its name says; it is left alone");
                return Ok(None);
            }
            let arrival = Arrival {
                digest,
                bytes,
                kept: false, // but for here, where it is claimed
                origin: Origin::Inbox,
                name: None,
                side_by_name: Side::Unknown,
                patient_by_name: None,
                seen_at: now(),
                settled_at: now(),
                start,
            };
            match ledger.claim(arrival)? {
                Prior::Claimed { file, side, name } => {
                    return Ok(Some(Claimed {
                        file,
                        digest,
                        side_by_name: side,
                        name,
                        claimed_at: now(),
                        seen: None,
                        aborts: 0,
                    }));
                }
                // graded where it lay: this is the copy that is kept
                Prior::Duplicate { file, .. } => {
                    if let Err(error) = state.put_into_archive(&digest, ending) {
                        ledger.not_taken(file)?;
                        return Err(unmoved(error));
                    }
                    let sha256 = digest.short();
                    tracing::info!(sha256, outcome = "duplicate", "duplicate: the same bytes have arrived before");
                }
            }
        }
    }
    Ok(None)
}
