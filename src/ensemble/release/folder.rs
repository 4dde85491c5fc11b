//! Writing a release's folder once, whole or not at all.

use super::ReleaseError;
use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Writes files into a new folder `models/name`, which exists afterwards with all of them on disk, or not at all.
pub fn write_once(models: &Path, name: &str, files: &[(&str, &[u8])]) -> Result<PathBuf, ReleaseError> {
    let path = models.join(name);
    if path.symlink_metadata().is_ok() {
        return Err(ReleaseError::Exists { path });
    }
    let partial = write(models, files).map_err(|source| ReleaseError::Write { path: path.clone(), source })?;
    match fs::rename(partial.path(), &path) {
        Ok(()) => {
            // it has moved away, and so is not there to be removed
            let _moved = partial.keep();
            let synced = File::open(models).and_then(|folder| folder.sync_all());
            synced.map(|()| path.clone()).map_err(|source| ReleaseError::Write { path, source })
        }
        // somebody else was faster
        Err(_) if path.symlink_metadata().is_ok() => Err(ReleaseError::Exists { path }),
        Err(source) => Err(ReleaseError::Write { path, source }),
    }
}

/// The files on disk, in a folder that is removed when dropped.
fn write(models: &Path, files: &[(&str, &[u8])]) -> io::Result<TempDir> {
    fs::create_dir_all(models)?;
    // readable by others, unlike a temporary folder: another user than the writer may grade
    let open_to_all = Permissions::from_mode(0o755);
    let partial = tempfile::Builder::new().prefix(".partial-").permissions(open_to_all).tempdir_in(models)?;
    for (name, bytes) in files {
        let mut file = File::create_new(partial.path().join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    File::open(partial.path())?.sync_all()?;
    Ok(partial)
}
