//! Making folders that stay, and writing one once, whole or not at all.

use super::sync_folder_of;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How the name of what is being written begins.
pub const PARTIAL: &str = ".partial-";

/// Makes a folder and all above it that are missing, each of them durable: what is put into it later must not vanish with its
/// name when the power is lost.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folder(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        made => made?,
    }
    // a share that syncs no folders: it is there all the same
    let _ = sync_folder_of(path);
    Ok(())
}

/// Writes files into a new folder `parent/name`, which exists afterwards with all of them on disk, or not at all. One that
/// exists is left as it is: [`io::ErrorKind::AlreadyExists`].
pub fn write_once(parent: &Path, name: &str, mode: u32, files: &[(&str, &[u8])]) -> io::Result<PathBuf> {
    let path = parent.join(name);
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let (partial, _lock) = write(parent, mode, files)?;
    match fs::rename(partial.path(), &path) {
        Ok(()) => {
            // it has moved away, and so is not there to be removed
            let _moved = partial.keep();
            File::open(parent)?.sync_all()?;
            Ok(path)
        }
        // somebody else was faster
        Err(_) if path.symlink_metadata().is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) => Err(error),
    }
}

/// The files on disk, in a folder that is removed when dropped, and the lock on it.
fn write(parent: &Path, mode: u32, files: &[(&str, &[u8])]) -> io::Result<(TempDir, File)> {
    make_folder(parent)?;
    let (partial, lock) = begin(parent, mode)?;
    for (name, bytes) in files {
        let mut file = File::create_new(partial.path().join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    lock.sync_all()?;
    Ok((partial, lock))
}

/// An empty folder to write to, locked: the system takes the lock back when the process ends, however it ends, and so what a
/// process that was killed has left is known, and removed here.
fn begin(parent: &Path, mode: u32) -> io::Result<(TempDir, File)> {
    // one at a time, or a folder that is not locked yet would be taken for such a one; where there are no locks, it stays
    let turn = File::open(parent)?;
    if turn.lock().is_ok() {
        for entry in parent.read_dir()?.flatten() {
            let is_partial = entry.file_name().as_encoded_bytes().starts_with(PARTIAL.as_bytes());
            if is_partial && File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok()) {
                let _gone = fs::remove_dir_all(entry.path());
            }
        }
    }
    let permissions = Permissions::from_mode(mode);
    let partial = tempfile::Builder::new().prefix(PARTIAL).permissions(permissions).tempdir_in(parent)?;
    let lock = File::open(partial.path())?;
    let _unheard_of = lock.lock();
    Ok((partial, lock))
}

/// Writes a file anew, whole or not at all: under another name beside it, synced, renamed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, 0o600, |file| file.write_all(bytes))
}

/// The same for what is written bit by bit, with this mode as far as the umask lets it; an error leaves what was there.
pub fn replace_with<E: From<io::Error>>(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = Permissions::from_mode(mode);
    let mut partial = tempfile::Builder::new().prefix(PARTIAL).permissions(permissions).tempfile_in(folder)?;
    write(partial.as_file_mut())?;
    partial.as_file().sync_all()?;
    partial.persist(path).map_err(|error| error.error)?;
    Ok(File::open(folder)?.sync_all()?)
}
