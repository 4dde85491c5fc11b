//! Originals as the folders have them: whether the ledger knows each.

use crate::digest::Digest;
use crate::ledger::LedgerError;
use crate::ledger::audit::Known;
use crate::state::{REASON, State};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// What is wrong with the files in work, archive and quarantine, in words. What is not called as an original is, somebody else has
/// put there, or it is still being written.
pub(super) fn strays(state: &State) -> Result<Vec<String>, LedgerError> {
    let (known, mut wrong) = (Known::open(&state.ledger)?, Vec::new());
    for folder in [&state.work, &state.archive, &state.quarantine] {
        for file in files(folder) {
            let Some((digest, _)) = original(&file).filter(|(_, ending)| *ending != REASON) else { continue };
            let path = file.display();
            // asked once the file is seen: a running daemon writes the row before it moves the file here
            if !known.has(digest)? {
                let remedy = match folder == &state.quarantine {
                    true => "`kellgrend retry` puts it into the inbox",
                    false => {
                        "put it into the inbox to have it graded, with its side behind its name (as -left) where no tag tells it"
                    }
                };
                wrong.push(format!("{path}: the ledger knows of no such file; {remedy}"));
            } else if folder == &state.quarantine {
                let reason = state.quarantine_reason(&digest.to_string()).metadata();
                if !reason.is_ok_and(|reason| reason.len() > 0) {
                    wrong.push(format!("{path}: no reason lies beside it, or an empty one"));
                }
            }
        }
    }
    Ok(wrong)
}

/// Whether the inbox has a file of these bytes. Only files of their length are read.
pub(super) fn is_in_inbox(state: &State, digest: &Digest, bytes: u64) -> bool {
    files(&state.inbox).any(|file| {
        file.metadata().is_ok_and(|meta| meta.len() == bytes)
            && std::fs::File::open(&file).is_ok_and(|bytes| Digest::of_reader(bytes).is_ok_and(|of| of == *digest))
    })
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter().flatten();
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path)
}

/// The digest that an original is called by, and the ending.
pub(super) fn original(file: &Path) -> Option<(Digest, &str)> {
    let name = file.file_name().and_then(OsStr::to_str)?;
    let (digest, ending) = name.split_once('.').unwrap_or((name, ""));
    Some((digest.parse().ok()?, ending))
}
