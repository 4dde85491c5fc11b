//! The folder in which lists of labels are dropped while nobody watches.

use super::read;
use crate::digest::Digest;
use crate::ledger::{Ledger, LedgerError};
use crate::schedule::EARLIEST;
use crate::state::{create_anew, make_unlinked_folder, move_file, open_regular, put_back, sync_folder};
use jiff::Timestamp;
use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// No list of labels is larger: some hundred thousand lines, which hold up grading for a minute at most.
const LARGEST: u64 = 16 << 20;

/// How names of tables end. Spreadsheets' own formats are refused like any list that is no CSV, so that nobody waits in vain.
const TABLES: [&str; 5] = ["csv", "tsv", "xlsx", "xls", "ods"];

/// Where lists lie that were refused.
const REFUSED: &str = "refused";

/// Takes in lists that have settled, and moves each to `taken/` or, with the reason beside it, to `refused/`.
///
/// Both names are the list's SHA-256, since the one that it came with may name patients. What was taken in and not moved,
/// because the program died in between, is taken in again, which changes nothing.
pub struct LabelFolder {
    folder: PathBuf,
    ledger: Ledger,
    quiet: Duration,
    /// Size and time of the lists when they were last seen, and since when they have been so.
    seen: HashMap<PathBuf, (u64, SystemTime, Instant)>,
}

/// What keeps a list where it is; it is tried again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the labels folder cannot be used: {0}")]
    Io(#[from] io::Error),
    /// Its name may say who the patients are.
    #[error(
        "the file with inode number {inode} cannot be read: {source}; give it to a group that kellgrend belongs to"
    )]
    Unread { inode: u64, source: io::Error },
    #[error("the clock says {0:.0}, and every date in it would be one to come; it waits for the right time")]
    Clock(Timestamp),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl LabelFolder {
    /// Lists are taken once nothing about them has changed for so long.
    pub fn new(folder: PathBuf, ledger: Ledger, quiet: Duration) -> Self {
        Self { folder, ledger, quiet, seen: HashMap::new() }
    }

    /// Looks once. What cannot be done now is said in the log and tried when it looks again.
    pub fn look(&mut self) {
        let lists = match self.settled() {
            Ok(lists) => lists,
            Err(error) => return tracing::warn!("{}", Trouble::Io(error)),
        };
        for list in lists {
            if let Err(trouble) = self.take(&list) {
                tracing::warn!("a list of labels stays where it is: {trouble}");
            }
        }
    }

    /// Lists that have not changed for long enough, the oldest first. Clocks that wrote their times may be wrong.
    fn settled(&mut self) -> io::Result<Vec<PathBuf>> {
        let mut seen = HashMap::new();
        let mut settled = Vec::new();
        for entry in fs::read_dir(&self.folder)?.filter_map(Result::ok).filter(is_list) {
            let (path, Ok(meta)) = (entry.path(), entry.metadata()) else { continue };
            let (len, modified) = (meta.len(), meta.modified()?);
            let since = match self.seen.get(&path) {
                Some(&(was, at, since)) if (was, at) == (len, modified) => since,
                _ => Instant::now(),
            };
            if since.elapsed() >= self.quiet {
                settled.push((modified, path.clone()));
            }
            seen.insert(path, (len, modified, since));
        }
        self.seen = seen;
        settled.sort();
        Ok(settled.into_iter().map(|(_, path)| path).collect())
    }

    fn take(&self, list: &Path) -> Result<(), Trouble> {
        let now = Timestamp::now();
        if now.as_second() < EARLIEST {
            return Err(Trouble::Clock(now));
        }
        let mut bytes = Vec::new();
        let inode = fs::symlink_metadata(list)?.ino();
        let unread = |source| Trouble::Unread { inode, source };
        open_regular(list).map_err(unread)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unread)?;
        // of a list that is too large, the digest of what was read: nobody knows how much more there is
        let digest = Digest::of(&bytes);
        if bytes.len() as u64 > LARGEST {
            return self.refuse(list, digest, "it is larger than 16 MiB; give it in parts");
        }
        match read(&bytes, None, None) {
            Ok(labels) => {
                let added = self.ledger.add_labels(labels, digest.to_string())?;
                let taken = self.own("taken")?.join(format!("{digest}.csv"));
                move_file(list, &taken)?;
                // who was slow to write goes on writing where the file is now
                if Digest::of_reader(open_regular(&taken)?.take(LARGEST + 1))? != digest {
                    put_back(&taken, &self.folder.join(format!("{digest}.csv")))?;
                    sync_folder(&self.folder)?;
                    tracing::warn!(list = digest.short(), "it grew while it was taken in, and is taken in again");
                    return Ok(());
                }
                tracing::info!(list = digest.short(), new = added.new, known = added.known, "labels taken in");
                Ok(())
            }
            Err(error) => self.refuse(list, digest, &error.to_string()),
        }
    }

    /// The reason is there before the list is.
    fn refuse(&self, list: &Path, digest: Digest, reason: &str) -> Result<(), Trouble> {
        let refused = self.own(REFUSED)?;
        let mut text = create_anew(&refused.join(format!("{digest}.txt")))?;
        write!(text, "{reason}\nNothing of it was taken in.\n")?;
        text.sync_all()?;
        move_file(list, &refused.join(format!("{digest}.csv")))?;
        tracing::warn!(list = digest.short(), "a list of labels is refused: {reason}");
        Ok(())
    }

    /// A folder of ours among what others may put here.
    fn own(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join(name);
        make_unlinked_folder(&folder)?;
        Ok(folder)
    }
}

/// When lists that lie in `refused/` below the folder were refused.
pub fn refused(folder: &Path) -> Vec<Timestamp> {
    let entries = fs::read_dir(folder.join(REFUSED)).into_iter().flatten().filter_map(Result::ok);
    let reasons = entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "txt"));
    reasons.filter_map(|entry| entry.metadata().ok()?.modified().ok()?.try_into().ok()).collect()
}

/// A file with the ending of a table, also of one that will be refused, not hidden, not the mark that a spreadsheet is open, and no
/// link: links may lead anywhere.
fn is_list(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let ending = Path::new(&name).extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    entry.file_type().is_ok_and(|kind| kind.is_file())
        && ![b'.', b'~'].contains(&name.as_encoded_bytes()[0])
        && ending.is_some_and(|ending| TABLES.contains(&ending.as_str()))
}
