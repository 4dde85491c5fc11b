//! Writing a release's folder once, whole or not at all.

use super::ReleaseError;
use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Writes files into a new folder `models/name`, which exists afterwards with all of them on disk, or not at all.
pub fn write_once(models: &Path, name: &str, files: &[(&str, &[u8])]) -> Result<PathBuf, ReleaseError> {
    let path = models.join(name);
    if path.symlink_metadata().is_ok() {
        return Err(ReleaseError::Exists { path });
    }
    match write(models, &path, files) {
        Ok(()) => Ok(path),
        Err(error) if is_taken(&error) => Err(ReleaseError::Exists { path }),
        Err(source) => Err(ReleaseError::Write { path, source }),
    }
}

fn write(models: &Path, path: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    fs::create_dir_all(models)?;
    // readable by others, unlike a temporary folder: another user than the writer may grade
    let partial =
        tempfile::Builder::new().prefix(".partial-").permissions(Permissions::from_mode(0o755)).tempdir_in(models)?;
    for (name, bytes) in files {
        let mut file = File::create_new(partial.path().join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    File::open(partial.path())?.sync_all()?;
    fs::rename(partial.path(), path)?;
    // it has moved away, and so is not there to be removed
    let _moved = partial.keep();
    File::open(models)?.sync_all()
}

/// Somebody else was faster.
fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
    )
}
