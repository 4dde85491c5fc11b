//! The state folder: where everything is, and the lock that keeps a second instance out.

mod abort;
mod disk;
mod folder;
mod guarded;
mod place;
mod priority;

pub use disk::{free_bytes, has_holes, network_file_system};
pub use folder::{PARTIAL, make_folder, replace, replace_with, write_once};
pub use guarded::{Held, create_anew, make_unlinked_folder, open_regular};
pub use place::{
    DUPLICATE, REASON, UNFINISHED, UNKNOWN, copy_beside, extension, first_bytes, keep_file, make_parent, move_file,
    put_back, rename, sync_folder, sync_folder_of,
};
pub use priority::{GradingGuard, Priority};

use crate::config::Folders;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// Lists of labels are dropped here.
    pub labels: PathBuf,
    /// Graded originals.
    pub archive: PathBuf,
    /// Files that could not be graded.
    pub quarantine: PathBuf,
    /// Releases.
    pub models: PathBuf,
    /// ImageNet weights, for networks that are to be trained.
    pub imagenet: PathBuf,
    /// Runs of training.
    pub training: PathBuf,
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
    /// One folder lies within another: what is put into the one would be taken out of the other.
    #[error("the {inner} folder {path} lies within the {outer} folder, or is the same; place them apart in [folders]")]
    Overlap {
        /// The name of the inner one.
        inner: &'static str,
        /// Its path.
        path: PathBuf,
        /// The name of the outer one.
        outer: &'static str,
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
    /// The folders below `root`, with those that settings place elsewhere. Nothing is created. Fails if two overlap.
    pub fn new(root: &Path, folders: &Folders) -> Result<Self, StateError> {
        // Absolute, so that what the ledger and the log say holds wherever the reader stands.
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let state = Self {
            inbox: root.join(&folders.inbox),
            work: root.join("work"),
            outbox: root.join(&folders.outbox),
            labels: root.join(&folders.labels),
            archive: root.join(&folders.archive),
            quarantine: root.join(&folders.quarantine),
            models: root.join("models"),
            imagenet: root.join("imagenet"),
            training: root.join("training"),
            ledger: root.join("ledger.db"),
            root,
        };
        state.check_overlap()?;
        Ok(state)
    }

    fn check_overlap(&self) -> Result<(), StateError> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.components().collect());
        let folders = self.folders();
        for (i, (outer, above)) in folders.iter().enumerate() {
            for (inner, path) in folders.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, folder)| folder) {
                // All may lie within the state folder itself.
                if *outer != "state" && real(path).starts_with(real(above)) {
                    return Err(StateError::Overlap { inner, path: path.to_path_buf(), outer });
                }
            }
        }
        Ok(())
    }

    /// All folders, with the names they go by.
    pub fn folders(&self) -> [(&'static str, &Path); 10] {
        [
            ("state", &self.root),
            ("inbox", &self.inbox),
            ("work", &self.work),
            ("outbox", &self.outbox),
            ("labels", &self.labels),
            ("archive", &self.archive),
            ("quarantine", &self.quarantine),
            ("models", &self.models),
            ("imagenet", &self.imagenet),
            ("training", &self.training),
        ]
    }

    /// Create what is missing.
    pub fn create(&self) -> Result<(), StateError> {
        for (_, path) in self.folders() {
            make_folder(path).map_err(|source| StateError::Io { path: path.to_owned(), source })?;
        }
        Ok(())
    }

    /// Take the folder for this process, or say who has it.
    pub fn lock(&self) -> Result<Lock, StateError> {
        let path = self.lock_file();
        let wrong = |source| StateError::Io { path: path.clone(), source };
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(wrong)?;
        let mut taken = file.try_lock();
        // `status` holds the lock for an instant to see whether anybody else does.
        for _ in 0..10 {
            if !matches!(taken, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
            taken = file.try_lock();
        }
        match taken {
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
}
