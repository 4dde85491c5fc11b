//! Folders that others may write to: no link in them leads anywhere, no pipe holds anybody up.

use rustix::fs::{Mode, OFlags, open, openat};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};

/// A folder below one that others may write to, held open: the paths of its files lead there, whatever is made of the folders' names.
pub struct Held(OwnedFd);

impl Held {
    /// Opens the folder `inside`, which is relative to `root`, without going through a link.
    pub fn below(root: &Path, inside: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut folder = open(root, flags, Mode::empty())?;
        for part in inside.components() {
            let Component::Normal(name) = part else { return Err(io::ErrorKind::InvalidInput.into()) };
            folder = openat(&folder, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(Self(folder))
    }

    /// The path of a file in it, good for as long as this is there.
    pub fn file(&self, name: &OsStr) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd())).join(name)
    }
}

/// Opens a regular file to read it. Anything else that has taken its name, a link or a pipe, is an error.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = File::options().read(true).custom_flags(flags.bits() as i32).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// Makes a file to write to. What has its name, a crash's or a link to what is not to be written over, goes first.
pub fn create_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::create_new(path),
    }
}

/// Makes a folder, unless it is there. A link of that name is an error, wherever it leads.
pub fn make_unlinked_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::symlink_metadata(path)?.is_dir() {
            true => Ok(()),
            false => Err(io::Error::other(format!("{} is a link or a file, not a folder", path.display()))),
        },
        outcome => outcome,
    }
}
