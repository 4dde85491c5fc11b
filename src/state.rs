//! The state folder: where everything is, and the lock that keeps a second instance out.

use crate::config::Folders;
use crate::digest::Digest;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The endings of the names that originals are kept under, by content.
const EXTENSIONS: [&str; 5] = ["dcm", "png", "jpg", "tif", "bin"];

/// The folders of one installation.
#[derive(Clone, Debug)]
pub struct State {
    /// The state folder itself.
    pub root: PathBuf,
    /// Radiographs are dropped here.
    pub inbox: PathBuf,
    /// Claimed files, until their results are published.
    pub work: PathBuf,
    /// Results appear here.
    pub outbox: PathBuf,
    /// Graded originals.
    pub archive: PathBuf,
    /// Files that could not be graded.
    pub quarantine: PathBuf,
    /// Releases.
    pub models: PathBuf,
    /// The database.
    pub ledger: PathBuf,
}

/// What keeps a state folder from being used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A folder or file of it cannot be made or opened.
    #[error(
        "{path} cannot be made or opened: {source}. Check the folder's owner and permissions, or name another with --state"
    )]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another instance has it.
    #[error("another kellgrend (process {pid}) is using {root}; stop it first, or name another folder with --state")]
    Busy {
        /// The state folder.
        root: PathBuf,
        /// The other's process id, as it wrote it down.
        pid: String,
    },
}

/// Held while an instance uses a state folder; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl State {
    /// The folders below `root`, with those that settings place elsewhere. Nothing is created.
    pub fn new(root: &Path, folders: &Folders) -> Self {
        // Absolute, so that what the ledger and the log say holds wherever the reader stands.
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        Self {
            inbox: root.join(&folders.inbox),
            work: root.join("work"),
            outbox: root.join(&folders.outbox),
            archive: root.join(&folders.archive),
            quarantine: root.join(&folders.quarantine),
            models: root.join("models"),
            ledger: root.join("ledger.db"),
            root,
        }
    }

    /// All folders, with the names they go by.
    pub fn folders(&self) -> [(&'static str, &Path); 7] {
        [
            ("state", &self.root),
            ("inbox", &self.inbox),
            ("work", &self.work),
            ("outbox", &self.outbox),
            ("archive", &self.archive),
            ("quarantine", &self.quarantine),
            ("models", &self.models),
        ]
    }

    /// Create what is missing.
    pub fn create(&self) -> Result<(), StateError> {
        for (_, path) in self.folders() {
            std::fs::create_dir_all(path).map_err(|source| StateError::Io { path: path.to_owned(), source })?;
        }
        Ok(())
    }

    /// Take the folder for this process, or say who has it.
    pub fn lock(&self) -> Result<Lock, StateError> {
        let path = self.lock_file();
        let wrong = |source| StateError::Io { path: path.clone(), source };
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(wrong)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(wrong)?;
                file.rewind().map_err(wrong)?;
                write!(file, "{}", std::process::id()).map_err(wrong)?;
                Ok(Lock { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                Err(StateError::Busy { root: self.root.clone(), pid })
            }
            Err(TryLockError::Error(source)) => Err(wrong(source)),
        }
    }

    /// The process that holds the folder, if one does.
    pub fn holder(&self) -> Option<String> {
        let mut file = File::options().read(true).open(self.lock_file()).ok()?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).ok()?;
                Some(pid)
            }
            _ => None,
        }
    }

    fn lock_file(&self) -> PathBuf {
        self.root.join("kellgrend.lock")
    }

    /// Where a claimed file is while it is worked on: its digest is its name.
    pub fn in_work(&self, digest: &Digest) -> PathBuf {
        self.work.join(digest.to_string())
    }

    /// Where an original is kept: below the first two digits, so that no folder grows too large.
    pub fn in_archive(&self, digest: &Digest, extension: &str) -> PathBuf {
        let name = digest.to_string();
        self.archive.join(&name[..2]).join(format!("{name}.{extension}"))
    }

    /// Where a file that could not be graded is kept.
    pub fn in_quarantine(&self, digest: &Digest, extension: &str) -> PathBuf {
        self.quarantine.join(format!("{digest}.{extension}"))
    }

    /// A place where the bytes of this digest are kept, if there is one.
    pub fn kept_at(&self, digest: &Digest) -> Option<PathBuf> {
        let archive = self.in_archive(digest, "");
        std::iter::once(self.in_work(digest))
            .chain(EXTENSIONS.iter().map(|extension| archive.with_extension(extension)))
            .chain(EXTENSIONS.iter().map(|extension| self.in_quarantine(digest, extension)))
            .find(|path| path.is_file())
    }

    /// The text beside a quarantined file that says why it is there.
    pub fn quarantine_reason(&self, digest: &Digest) -> PathBuf {
        self.quarantine.join(format!("{digest}.reason.txt"))
    }
}

/// Create the folder that a file is about to be put into.
pub fn make_parent(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)
}

/// The kind of network file system that a folder is on, if it is on one.
pub fn network_file_system(folder: &Path) -> Option<&'static str> {
    // Magic numbers of statfs(2).
    match rustix::fs::statfs(folder).ok()?.f_type as u32 {
        0x6969 => Some("NFS"),
        0xFF53_4D42 => Some("CIFS"),
        0xFE53_4D42 => Some("SMB"),
        0x517B => Some("SMB"),
        0x0102_1997 => Some("9P"),
        0x5346_414F => Some("AFS"),
        0x00C3_6400 => Some("Ceph"),
        _ => None,
    }
}

/// Bytes that this user may still write to the file system that a folder is on.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
}
