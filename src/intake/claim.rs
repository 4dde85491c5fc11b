//! Claim: take a settled file out of the inbox, once.

use super::{Intake, Settle, Stamp};
use crate::digest::Digest;
use crate::ledger::{Arrival, FileId, LedgerError, Origin, Prior, timestamp};
use crate::radiograph::{Completeness, completeness, side_from_name};
use crate::side::Side;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A file in work.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its id in the ledger.
    pub file: FileId,
    /// SHA-256 of its bytes: its name in work.
    pub digest: Digest,
    /// What the name it came with says of the side.
    pub side_by_name: Side,
    /// The name itself, while this start remembers it and settings allow it to be kept.
    pub name: Option<String>,
}

/// What keeps a file from being claimed; it stays where it is and is tried again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It cannot be read or moved.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The ledger cannot take it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> IntakeError {
    move |source| IntakeError::Io { what, source }
}

impl Intake {
    /// Claim a file that has settled. `None`: it is incomplete, changed meanwhile, or was a duplicate.
    pub(super) fn take(&self, path: &Path, settle: &mut Settle) -> Result<Option<Claimed>, IntakeError> {
        let Some((seen_at, stamp)) = settle.seen(path) else { return Ok(None) };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("it cannot be read")(error)),
        };
        if Stamp::of(&file.metadata().map_err(failed("it cannot be read"))?) != stamp {
            return Ok(None); // the next scan sees it changed and waits again
        }
        let digest = if stamp.len <= self.max_file {
            let mut bytes = Vec::with_capacity(stamp.len as usize);
            file.read_to_end(&mut bytes).map_err(failed("it cannot be read"))?;
            if matches!(completeness(&bytes), Completeness::Truncated(_)) && !settle.incomplete(path, Instant::now()) {
                return Ok(None);
            }
            Digest::of(&bytes)
        } else {
            Digest::of_reader(file).map_err(failed("it cannot be read"))?
        };
        let name = path.strip_prefix(&self.state.inbox).unwrap_or(path);
        let side_by_name = path.file_stem().map_or(Side::Unknown, |stem| side_from_name(&stem.to_string_lossy()));
        let name = self.keep_names.then(|| name.to_string_lossy().into_owned());
        let arrival = Arrival {
            digest,
            bytes: stamp.len,
            origin: Origin::Inbox,
            name: name.clone(),
            side_by_name,
            seen_at: timestamp(seen_at),
            settled_at: crate::ledger::now(),
            start: self.start,
        };
        let claim = match self.ledger.claim(arrival)? {
            Prior::Claimed(file) => {
                self.move_into_work(path, &digest, stamp, file)?.then_some(Claimed { file, digest, side_by_name, name })
            }
            Prior::Duplicate(_) => {
                tracing::info!(sha256 = %digest.short(), "duplicate: the same bytes have arrived before");
                self.put_duplicate_away(path, &digest)?;
                None
            }
        };
        settle.forget(path);
        Ok(claim)
    }

    /// False: the file was replaced between hashing and moving; it is back in the inbox.
    fn move_into_work(&self, path: &Path, digest: &Digest, stamp: Stamp, file: FileId) -> Result<bool, IntakeError> {
        let work = self.state.in_work(digest);
        let moved = move_file(path, &work).and_then(|copied| {
            let now = Stamp::of(&std::fs::metadata(&work)?);
            // A copy across file systems is another inode with another time: its bytes tell.
            Ok(if copied { Digest::of_reader(File::open(&work)?)? == *digest } else { now == stamp })
        });
        match moved {
            Ok(true) => Ok(true),
            Ok(false) => {
                self.ledger.withdrawn(file, "changed", "the file changed while it was claimed; it is taken anew")?;
                move_file(&work, path).map_err(failed("it changed while it was claimed and cannot be put back"))?;
                Ok(false)
            }
            Err(error) => {
                self.ledger.withdrawn(file, "not-moved", "the file could not be moved out of the inbox")?;
                Err(failed("it cannot be moved out of the inbox")(error))
            }
        }
    }

    /// A duplicate is removed only while the same bytes are kept elsewhere; otherwise it becomes the kept copy.
    fn put_duplicate_away(&self, path: &Path, digest: &Digest) -> Result<(), IntakeError> {
        let wrong = failed("it is a duplicate and cannot be put away");
        if self.state.kept_at(digest).is_some() {
            return std::fs::remove_file(path).map_err(wrong);
        }
        let archive = self.state.in_archive(digest, "bin");
        crate::state::make_parent(&archive).and_then(|()| move_file(path, &archive)).map_err(wrong)?;
        Ok(())
    }
}

/// Rename; across file systems copy, fsync, rename, remove. The bytes are never without a whole name.
/// True: it was copied.
pub(crate) fn move_file(from: &Path, to: &Path) -> io::Result<bool> {
    let copied = match std::fs::rename(from, to) {
        Ok(()) => false,
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let partial: PathBuf = to.with_extension("partial");
            std::fs::copy(from, &partial)?;
            File::open(&partial)?.sync_all()?;
            std::fs::rename(&partial, to)?;
            sync_parent(to)?;
            std::fs::remove_file(from)?;
            true
        }
        Err(error) => return Err(error),
    };
    sync_parent(to)?;
    sync_parent(from)?;
    Ok(copied)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
