//! What has come of a file so far, under a name of its own, and the lock that keeps a second process off it.

use super::DownloadError;
use crate::digest::Digest;
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Open and locked; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    place: PathBuf,
    length: u64,
}

impl Partial {
    /// Opens `NAME.partial` in a folder, with what an earlier run has left in it.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, DownloadError> {
        fs::create_dir_all(folder).map_err(fault("made", folder))?;
        let (path, place) = (folder.join(format!("{name}.partial")), folder.join(name));
        loop {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(fault("opened", &path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(DownloadError::Busy { path }),
                Err(TryLockError::Error(error)) => return Err(fault("locked", &path)(error)),
            }
            // Whoever held it a moment ago may have renamed or removed it: what is locked is then another file.
            if is_at(&file, &path).map_err(fault("looked at", &path))? {
                let length = file.seek(SeekFrom::End(0)).map_err(fault("read", &path))?;
                return Ok(Self { file, path, place, length });
            }
        }
    }

    /// How many bytes have come.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Puts more at its end.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.file.write_all(bytes).map_err(fault("written", &self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Keeps only this many bytes.
    pub(super) fn cut(&mut self, length: u64) -> Result<(), DownloadError> {
        if length < self.length {
            self.file.set_len(length).map_err(fault("cut", &self.path))?;
            self.length = self.file.seek(SeekFrom::End(0)).map_err(fault("cut", &self.path))?;
        }
        Ok(())
    }

    /// The SHA-256 of what is on disk, not of what was received.
    pub(super) fn digest(&mut self) -> Result<Digest, DownloadError> {
        let read = |file: &mut File| {
            file.rewind()?;
            Digest::of_reader(file)
        };
        read(&mut self.file).map_err(fault("read", &self.path))
    }

    /// Gives the file its own name, durably.
    pub(super) fn finish(self) -> Result<(), DownloadError> {
        self.file.sync_all().map_err(fault("made durable", &self.path))?;
        fs::rename(&self.path, &self.place).map_err(fault("renamed", &self.path))?;
        crate::state::sync_folder_of(&self.place).map_err(fault("made durable", &self.place))
    }

    /// Leaves what has come to the next run; nothing is left of nothing.
    pub(super) fn keep(self) {
        if self.length == 0 {
            let _ = self.remove();
        }
    }

    pub(super) fn remove(self) -> Result<(), DownloadError> {
        fs::remove_file(&self.path).map_err(fault("removed", &self.path))
    }
}

/// Whether the path leads to this very file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let held = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn fault(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DownloadError {
    let path = path.to_owned();
    move |source| DownloadError::Io { step, path, source }
}
