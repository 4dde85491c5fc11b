//! Where a file is on its way, under which name, and how it gets there.

use super::{State, create_anew, make_folder, open_regular};
use crate::digest::Digest;
use crate::radiograph::Format;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The ending of the name of an original that is no format we know.
pub const UNKNOWN: &str = "bin";

/// The ending of a copy's name while it is being written.
pub const UNFINISHED: &str = "partial";

/// The ending of a duplicate's name in work, on its way out.
pub const DUPLICATE: &str = "duplicate";

/// The ending of the text's name that lies beside an original in quarantine.
pub const REASON: &str = "reason.txt";

/// The ending that a kept original's name gets, by its content.
pub fn extension(bytes: &[u8]) -> &'static str {
    Format::sniff(bytes).map_or(UNKNOWN, Format::extension)
}

/// All endings that a kept original's name can have.
fn endings() -> impl Iterator<Item = &'static str> {
    Format::ALL.map(Format::extension).into_iter().chain([UNKNOWN])
}

fn first_of(paths: impl Iterator<Item = PathBuf>) -> io::Result<Option<PathBuf>> {
    for path in paths {
        if path.try_exists()? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

impl State {
    /// Where a claimed file is while it is worked on: its digest is its name.
    pub fn in_work(&self, digest: &Digest) -> PathBuf {
        self.work.join(digest.to_string())
    }

    /// Where an original is kept: below the first two digits, so that no folder grows too large.
    pub fn in_archive(&self, digest: &Digest, extension: &str) -> PathBuf {
        let name = digest.to_string();
        self.archive.join(&name[..2]).join(format!("{name}.{extension}"))
    }

    /// The original in the archive, if it is there; an error where that cannot be seen.
    pub fn archived(&self, digest: &Digest) -> io::Result<Option<PathBuf>> {
        first_of(endings().map(|ending| self.in_archive(digest, ending)))
    }

    /// Where a file that could not be graded is kept.
    pub fn in_quarantine(&self, digest: &Digest, extension: &str) -> PathBuf {
        self.quarantine.join(format!("{digest}.{extension}"))
    }

    /// The original in quarantine, if it is there; an error where that cannot be seen.
    pub fn quarantined(&self, digest: &Digest) -> io::Result<Option<PathBuf>> {
        first_of(endings().map(|ending| self.in_quarantine(digest, ending)))
    }

    /// The text beside a quarantined file that says why it is there.
    pub fn quarantine_reason(&self, digest: &str) -> PathBuf {
        self.quarantine.join(format!("{digest}.{REASON}"))
    }

    /// Whether `len` bytes are kept in work, archive or quarantine that go by this digest.
    pub fn keeps(&self, digest: &Digest, len: u64) -> bool {
        self.copies(digest, len).next().is_some()
    }

    /// The same, where they are read again: what lies there may have rotted.
    pub fn keeps_whole(&self, digest: &Digest, len: u64) -> bool {
        let is_whole =
            |path: PathBuf| open_regular(&path).and_then(Digest::of_reader).is_ok_and(|kept| kept == *digest);
        self.copies(digest, len).any(is_whole)
    }

    fn copies(&self, digest: &Digest, len: u64) -> impl Iterator<Item = PathBuf> {
        std::iter::once(self.in_work(digest))
            .chain(endings().map(|ending| self.in_archive(digest, ending)))
            .chain(endings().map(|ending| self.in_quarantine(digest, ending)))
            .filter(move |path| fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == len))
    }

    /// From work to the archive.
    pub fn put_into_archive(&self, digest: &Digest, extension: &str) -> io::Result<()> {
        let archive = self.in_archive(digest, extension);
        make_parent(&archive)?;
        keep_file(&self.in_work(digest), &archive)
    }

    /// From work to quarantine, with the reason beside it.
    pub fn put_into_quarantine(&self, digest: &Digest, extension: &str, reason: &str) -> io::Result<()> {
        make_folder(&self.quarantine)?;
        let mut text = create_anew(&self.quarantine_reason(&digest.to_string()))?;
        text.write_all(format!("{reason}\n").as_bytes())?;
        // its name becomes durable with the original's
        text.sync_all()?;
        keep_file(&self.in_work(digest), &self.in_quarantine(digest, extension))
    }
}

/// Create the folder that a file is about to be put into.
pub fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_folder)
}

/// Rename. Of two links to one file the system would leave both as they are: the first one goes.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    if let (Ok(old), Ok(new)) = (fs::symlink_metadata(from), fs::symlink_metadata(to))
        && (old.dev(), old.ino()) == (new.dev(), new.ino())
    {
        return match fs::remove_file(from) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    Ok(())
}

/// Rename; across file systems copy, fsync, rename, remove. The bytes are never without a whole name.
pub fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    match rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::rename(copy_beside(from, to)?, to)?;
            sync_folder_of(to)?;
            fs::remove_file(from)?;
        }
        outcome => {
            outcome?;
            // a move that may not last is taken back: it is tried again
            sync_folder_of(to).or_else(|error| fs::rename(to, from).and(Err(error)))?;
        }
    }
    // The folder it came from may be gone by now, or be on a share that syncs no folders: the move stands.
    let _ = sync_folder_of(from);
    Ok(())
}

/// Move an original to where it is kept, over nothing but the same bytes. Who goes on writing to a film after its claim leaves bytes
/// that its name is not of: where another file has that name, they go by their own digest, and `check --ledger` tells of them.
pub fn keep_file(from: &Path, to: &Path) -> io::Result<()> {
    if !to.try_exists()? {
        return move_file(from, to);
    }
    let digest_of = |path: &Path| Digest::of_reader(open_regular(path)?);
    let came = digest_of(from)?;
    if came == digest_of(to)? {
        return move_file(from, to);
    }
    let ending = to.extension().unwrap_or_default().to_string_lossy();
    let named = |digest: Digest| to.with_file_name(format!("{digest}.{ending}"));
    let own = named(came);
    if own.try_exists()? && digest_of(&own)? != came {
        put_back(&own, &named(digest_of(&own)?))?;
    }
    move_file(from, &own)
}

/// Rename without replacing anything: a taken name gets a number behind it.
pub fn put_back(from: &Path, to: &Path) -> io::Result<()> {
    for number in 0..1000 {
        let mut name = to.as_os_str().to_owned();
        if number > 0 {
            name.push(format!(".{number}"));
        }
        match renameat_with(CWD, from, CWD, PathBuf::from(name), RenameFlags::NOREPLACE) {
            Err(rustix::io::Errno::EXIST) => {}
            outcome => return Ok(outcome?),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A synced copy under a temporary name in the folder of `to`; nothing is left behind if it fails.
pub fn copy_beside(from: &Path, to: &Path) -> io::Result<PathBuf> {
    let partial = to.with_extension(UNFINISHED);
    let copy = || {
        let (mut from, mut copy) = (open_regular(from)?, create_anew(&partial)?);
        io::copy(&mut from, &mut copy)?;
        copy.sync_all()
    };
    let copied = copy();
    if copied.is_err() {
        let _ = fs::remove_file(&partial);
    }
    copied.map(|()| partial)
}

/// Make a rename into this file's folder durable.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_folder)
}

/// Make what was done to the names in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The first bytes of a file, enough to tell its format.
pub fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(4096).read_to_end(&mut bytes)?;
    Ok(bytes)
}
