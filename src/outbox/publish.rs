//! How a result appears in the outbox: one folder, at once and whole.
//!
//! Everything is written into a hidden folder beside the final one, made durable, and renamed. Whoever reads the
//! outbox sees no folder or a complete one, also after a power loss between any two steps; a step repeated after a
//! crash finds its own work and leaves it alone.

use crate::state::{make_folder, sync_folder};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What stands between a result's name and the random end of its temporary folder.
const TEMPORARY: &str = ".tmp-";

/// A result that did not reach the outbox; nothing of it can be seen there.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A name that would leave the outbox, or be hidden in it.
    #[error("{0:?} cannot name a result or its file; use a plain name that does not begin with a dot.")]
    Name(String),
    /// A result of no files.
    #[error("The result {0:?} has no files; publish at least its record.")]
    Empty(String),
    /// The system refused.
    #[error("Could not {step} {}: {source}. Check that the outbox exists, is writable and has free space.", path.display())]
    Io {
        /// What was being done.
        step: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Puts the folder `name` with these files into the outbox and returns its path.
///
/// A folder of that name with the same files is left as it is; one with other content is exchanged in one step.
pub fn publish(outbox: &Path, name: &str, files: &[(String, Vec<u8>)]) -> Result<PathBuf, PublishError> {
    for name in std::iter::once(name).chain(files.iter().map(|(name, _)| name.as_str())) {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
            return Err(PublishError::Name(name.to_owned()));
        }
    }
    if files.is_empty() {
        return Err(PublishError::Empty(name.to_owned()));
    }
    make_folder(outbox).map_err(fault("make", outbox))?; // a user may have cleared it away
    let place = outbox.join(name);
    if holds(&place, files) {
        // the crash may have come after the rename and before it was durable
        sync(outbox)?;
        return Ok(place);
    }
    let fresh = tempfile::Builder::new()
        .prefix(&format!(".{name}{TEMPORARY}"))
        .permissions(readable())
        .tempdir_in(outbox)
        .map_err(|error| fault("make a temporary folder in", outbox)(without_path(&error)))?;
    for (name, bytes) in files {
        write(fresh.path(), name, bytes).map_err(fault("write", &place.join(name)))?;
    }
    sync_folder(fresh.path()).map_err(fault("make durable", &place))?;
    put(fresh, &place, outbox)?;
    Ok(place)
}

/// Removes temporary folders that a crash has left, and says how many; for the start, before anything is published.
pub fn sweep(outbox: &Path) -> Result<usize, PublishError> {
    let mut swept = 0;
    for entry in fs::read_dir(outbox).map_err(fault("list", outbox))? {
        let entry = entry.map_err(fault("list", outbox))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(fault("look at", &path))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.contains(TEMPORARY) {
            let remove = if kind.is_dir() { fs::remove_dir_all } else { fs::remove_file };
            remove(&path).map_err(fault("remove", &path))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Takes a result out of the outbox, at once and whole, and returns the path it had; none where it is not there.
pub fn withdraw(outbox: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    let place = outbox.join(name);
    if place.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(None);
    }
    let aside = tempfile::Builder::new().prefix(&format!(".{name}{TEMPORARY}")).tempdir_in(outbox)?;
    fs::rename(&place, aside.path().join(name))?;
    aside.close()?;
    Ok(Some(place))
}

/// Whether a folder holds these files, byte for byte, and no others.
fn holds(place: &Path, files: &[(String, Vec<u8>)]) -> bool {
    let Ok(entries) = fs::read_dir(place) else { return false };
    let same = |(name, bytes): &(String, Vec<u8>)| {
        let path = place.join(name);
        // the length first: nothing large is read in vain
        fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() == bytes.len() as u64)
            && fs::read(&path).is_ok_and(|found| found == *bytes)
    };
    entries.count() == files.len() && files.iter().all(same)
}

/// Gives a complete folder its final name, durably; what had that name before is removed.
fn put(fresh: tempfile::TempDir, place: &Path, outbox: &Path) -> Result<(), PublishError> {
    let move_in = |flags| renameat_with(CWD, fresh.path(), CWD, place, flags);
    let moved = match move_in(RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::EXIST) => match move_in(RenameFlags::EXCHANGE) {
            // the temporary folder is the old result now: it must not lose a file before the exchange is durable
            Ok(()) => {
                sync(outbox)?;
                return fresh.close().map_err(fault("remove the result that was replaced at", place));
            }
            other => other,
        },
        other => other,
    };
    match moved {
        Ok(()) => {}
        // a file system without these flags (NFS, old FUSE): an absent place is still taken in one step, where one
        // was there is none for a moment, but never half of one
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            if let Some(name) = place.file_name().and_then(|name| name.to_str()) {
                withdraw(outbox, name).map_err(fault("replace", place))?;
            }
            fs::rename(fresh.path(), place).map_err(fault("rename the finished result to", place))?;
        }
        Err(errno) => return Err(fault("rename the finished result to", place)(errno.into())),
    }
    let _ = fresh.keep(); // it has another name now
    sync(outbox)
}

/// Without the temporary folder's name, which is another one each time: the log leaves out what says the same again.
fn without_path(error: &io::Error) -> io::Error {
    let words = error.to_string();
    io::Error::new(error.kind(), words.split(" at path ").next().unwrap_or_default())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(folder.join(name))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync(folder: &Path) -> Result<(), PublishError> {
    sync_folder(folder).map_err(fault("make durable", folder))
}

/// Readable as the umask allows: `tempfile` would keep results from everyone but the daemon's own user.
fn readable() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o777)
}

fn fault(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    let path = path.to_owned();
    move |source| PublishError::Io { step, path, source }
}
