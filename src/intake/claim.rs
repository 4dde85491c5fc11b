//! Claim: take a settled file out of the inbox, once.

use super::{Intake, Settle, Stamp};
use crate::digest::Digest;
use crate::gauges::End;
use crate::grading::KeptName;
use crate::ledger::{Arrival, FileId, LedgerError, Origin, Prior, now, timestamp};
use crate::radiograph::{Completeness, completeness};
use crate::side::Side;
use crate::state::{
    DUPLICATE, Held, copy_beside, extension, first_bytes, free_bytes, has_holes, keep_file, make_folder, make_parent,
    open_regular, put_back, rename, sync_folder_of,
};
use jiff::Timestamp;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// A file in work.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its id in the ledger.
    pub file: FileId,
    /// SHA-256 of its bytes: its name in work.
    pub digest: Digest,
    /// What the name it came with says of the side.
    pub side_by_name: Side,
    /// The name itself, where it may be kept.
    pub name: Option<String>,
    /// When it was claimed, RFC 3339.
    pub claimed_at: String,
    /// When it was first seen, if this start has seen it come.
    pub seen: Option<Timestamp>,
    /// How often the process was aborted while it was graded.
    pub aborts: u32,
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

pub(super) fn failed(what: &'static str) -> impl Fn(io::Error) -> IntakeError + Copy {
    move |source| IntakeError::Io { what, source }
}

impl Intake {
    /// Claim a file that has settled. `None`: it is incomplete, changed meanwhile, or was a duplicate.
    pub(super) fn take(&self, seen: &Path, settle: &mut Settle) -> Result<Option<Claimed>, IntakeError> {
        let Some((seen_at, stamp)) = settle.seen(seen) else { return Ok(None) };
        let unreadable = failed("it cannot be read");
        let inside = seen.strip_prefix(&self.state.inbox).unwrap_or(seen);
        let (Some(folder), Some(name)) = (inside.parent(), inside.file_name()) else { return Ok(None) };
        // who writes to the inbox may put a link in the place of one of its folders, now or in a moment
        let folder = match Held::below(&self.state.inbox, folder) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let path = &folder.file(name);
        let file = match open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        if Stamp::of(&file.metadata().map_err(unreadable)?) != stamp {
            return Ok(None); // the next scan sees it changed and waits again
        }
        let digest = if stamp.len <= self.limits.max_bytes {
            let mut bytes = Vec::with_capacity(stamp.len as usize);
            // no more than there was: who makes it grow now has changed it, which moving it out will show
            (&file).take(stamp.len).read_to_end(&mut bytes).map_err(unreadable)?;
            let is_truncated = matches!(completeness(&bytes, &self.limits), Completeness::Truncated(_));
            // what was never written reads as black: a film of the right length, half of it missing
            let is_torn = has_holes(&file);
            if (is_truncated || is_torn) && !settle.incomplete(seen, Instant::now()) {
                return Ok(None);
            }
            let digest = Digest::of(&bytes);
            if is_torn {
                let sha256 = digest.short();
                tracing::warn!(
                    sha256,
                    "parts of a file were never written (it has holes) and have not come: it is taken as it is"
                );
            }
            digest
        } else {
            Digest::of_reader((&file).take(stamp.len)).map_err(unreadable)?
        };
        // Its sender may never have synced it; from the claim on, a power cut must not take it away.
        file.sync_all().map_err(failed("it cannot be made durable"))?;

        let KeptName { name, side, patient } = self.identity.of_name(inside);
        let arrival = Arrival {
            digest,
            bytes: stamp.len,
            kept: self.state.keeps(&digest, stamp.len),
            origin: Origin::Inbox,
            name,
            side_by_name: side,
            patient_by_name: patient,
            seen_at: timestamp(seen_at),
            settled_at: now(),
            start: self.start,
        };
        make_folder(&self.state.work).map_err(failed("the work folder cannot be made"))?;
        let claim = match self.ledger.claim(arrival)? {
            Prior::Claimed { file, side, name } => {
                let claim = Claimed {
                    file,
                    digest,
                    side_by_name: side,
                    name,
                    claimed_at: now(),
                    seen: Some(seen_at),
                    aborts: 0,
                };
                self.gauges.settled(since(seen_at));
                self.move_into_work(path, &digest, stamp, file)?.then_some(claim)
            }
            Prior::Duplicate { file, reason } => {
                if let Err(error) = self.put_duplicate_away(path, &digest, stamp) {
                    self.ledger.not_taken(file)?;
                    return Err(error);
                }
                let sha256 = digest.short();
                tracing::info!(sha256, outcome = "duplicate", "duplicate: {reason}");
                self.gauges.ended(End::Duplicate);
                None
            }
        };
        settle.forget(seen);
        self.gauges.inbox_waiting.dec();
        Ok(claim)
    }

    /// False: the file was replaced between hashing and moving; what replaced it is still in the inbox.
    fn move_into_work(&self, path: &Path, digest: &Digest, stamp: Stamp, file: FileId) -> Result<bool, IntakeError> {
        match take_out(path, &self.state.in_work(digest), stamp, self.keep_free) {
            Ok(true) => Ok(true),
            Ok(false) => {
                self.ledger.withdrawn(file, "changed", "the file changed while it was claimed; it is taken anew")?;
                Ok(false)
            }
            Err(error) => {
                self.ledger.withdrawn(file, "not-moved", "the file could not be moved out of the inbox")?;
                Err(failed("it cannot be moved out of the inbox")(error))
            }
        }
    }

    /// A duplicate is removed only while the same bytes are kept elsewhere; otherwise it becomes the kept copy.
    fn put_duplicate_away(&self, path: &Path, digest: &Digest, stamp: Stamp) -> Result<(), IntakeError> {
        let aside = self.state.work.join(format!("{digest}.{DUPLICATE}"));
        let put_away = || {
            if self.state.keeps_whole(digest, stamp.len) {
                return fs::remove_file(&aside);
            }
            let archive = self.state.in_archive(digest, extension(&first_bytes(&aside)?));
            make_parent(&archive)?;
            keep_file(&aside, &archive)
        };
        let out = take_out(path, &aside, stamp, self.keep_free).and_then(|is_out| match is_out {
            true => put_away().or_else(|error| put_back(&aside, path).and(Err(error))),
            false => Ok(()), // replaced meanwhile: the next scan sees another file
        });
        out.map_err(failed("it is a duplicate and cannot be put away"))
    }
}

/// The time since then; none where the clock was set back.
pub fn since(then: Timestamp) -> Duration {
    Timestamp::now().duration_since(then).try_into().unwrap_or_default()
}

/// Whether a file is there for certain, since who keeps it has refused to let it go.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{ExecutableFileBusy, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | ResourceBusy | ExecutableFileBusy)
}

/// Move exactly the file of this stamp. False: another has taken its name meanwhile, and keeps it. From another disk it is copied only
/// where so much is left free behind it.
fn take_out(from: &Path, to: &Path, stamp: Stamp, keep_free: u64) -> io::Result<bool> {
    match rename(from, to) {
        Ok(()) => {
            if fs::symlink_metadata(to).is_ok_and(|meta| Stamp::of(&meta) != stamp) {
                put_back(to, from)?;
                return Ok(false);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let free = to.parent().and_then(free_bytes).unwrap_or(u64::MAX);
            if free < stamp.len.saturating_add(keep_free) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let copy = copy_beside(from, to)?;
            if Stamp::of(&fs::symlink_metadata(from)?) != stamp || fs::metadata(&copy)?.len() != stamp.len {
                fs::remove_file(copy)?;
                return Ok(false);
            }
            fs::rename(copy, to)?;
            sync_folder_of(to)?;
            // what has taken the name meanwhile stays; what cannot be taken out of the inbox has not been
            if fs::symlink_metadata(from).is_ok_and(|meta| Stamp::of(&meta) == stamp) {
                match fs::remove_file(from) {
                    Err(error) if is_refusal(&error) => return fs::remove_file(to).and(Err(error)),
                    // Somebody was faster, or a share has done it and its answer was lost: this may be the only copy. If it is not,
                    // the other one is a duplicate.
                    Err(_) | Ok(()) => {}
                }
            }
        }
        Err(error) => return Err(error),
    }
    // It is out of the inbox, where nobody would look for it again: the move stands, whatever fails from here on.
    match sync_folder_of(to) {
        // the folder that it came from may be gone by now, or be on a share that syncs no folders
        Ok(()) => drop(sync_folder_of(from)),
        // while its old name lasts, no power cut takes it away; the next move makes up for it
        Err(error) => tracing::warn!("a move out of the inbox is not yet durable: {error}"),
    }
    Ok(true)
}
