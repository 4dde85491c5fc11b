//! A copy of the ledger as it is at one moment, made while others write.

use super::LedgerError;
use super::open::{beside, open_reader};
use crate::state::{PARTIAL, sync_folder};
use rusqlite::Connection;
use rusqlite::backup::Backup;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pages that are copied at a time: 16 MiB.
const PAGES: i32 = 4096;

/// A copy that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its size.
    pub bytes: u64,
    /// How many rows are in it.
    pub rows: i64,
}

/// Why there is no copy. What was at its place is there as before.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Something has the copy's name.
    #[error("{path} is there already; name another file, or say --force to replace it")]
    Exists {
        /// The copy's file.
        path: PathBuf,
    },
    /// The copy would take the place of the ledger.
    #[error("{path} is the ledger itself, or a part of it; name another file, best on another disk")]
    Itself {
        /// The copy's file.
        path: PathBuf,
    },
    /// The copy cannot be written.
    #[error(
        "the copy {path} cannot be written: {source}. Its folder must be there and writable, with room for a second ledger"
    )]
    Write {
        /// The copy's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The copy was written, and is not what it should be.
    #[error(
        "the copy {path} is not sound ({detail}) and was removed; check the disk that it is on, and the one with the ledger"
    )]
    Unsound {
        /// The copy's file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// What a copy must have in common with the ledger: its migration and the number of rows of each table.
#[derive(PartialEq, Eq)]
struct Content {
    migration: i64,
    rows: BTreeMap<String, i64>,
}

/// Copies the ledger `from` to the file `to`, as it is at one moment: written under another name, made durable, opened again and
/// checked, and only then renamed. Writers are not held up.
pub fn back_up(from: &Path, to: &Path, force: bool) -> Result<Copied, BackupError> {
    let path = || to.to_owned();
    let write = |source: io::Error| BackupError::Write { path: path(), source };
    let sqlite = |error: rusqlite::Error| write(io::Error::other(error));
    if is_part_of(from, to) {
        return Err(BackupError::Itself { path: path() });
    }
    if !force && to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists { path: path() });
    }
    let ledger = open_reader(from)?;
    let wrong = LedgerError::sqlite(from);
    // what is counted here and copied below is one moment
    ledger.execute_batch("BEGIN").map_err(&wrong)?;
    let content = Content::of(&ledger).map_err(&wrong)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // readable by its owner alone, as tempfile makes it: it may say who the patients are
    let partial = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(folder).map_err(write)?;
    copy(&ledger, partial.path()).map_err(sqlite)?;
    let copied = check(partial.path(), &content).map_err(|detail| BackupError::Unsound { path: path(), detail })?;
    partial.as_file().sync_all().map_err(write)?;
    let renamed = if force { partial.persist(to) } else { partial.persist_noclobber(to) };
    match renamed {
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists { path: path() });
        }
        renamed => renamed.map_err(|error| write(error.error))?,
    };
    sync_folder(folder).map_err(write)?;
    Ok(copied)
}

/// Whether a path is the ledger, by whatever name, or one of the two files that SQLite keeps beside it.
fn is_part_of(ledger: &Path, path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(path).is_some_and(|path| {
        ["", "-wal", "-shm"].iter().any(|ending| real(&beside(ledger, ending)).as_ref() == Some(&path))
    })
}

fn copy(ledger: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut copy = Connection::open(to)?;
    // it is made durable as a whole
    copy.pragma_update(None, "synchronous", "OFF")?;
    Backup::new(ledger, &mut copy)?.run_to_completion(PAGES, Duration::ZERO, None)?;
    // one file, without a WAL beside it
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    copy.close().map_err(|(_, error)| error)
}

/// An error with what is wrong, where something is.
fn check(path: &Path, wanted: &Content) -> Result<Copied, String> {
    let copy = open_reader(path).map_err(|error| error.to_string())?;
    let said = |error: rusqlite::Error| error.to_string();
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(said)?;
    if verdict != "ok" {
        return Err(verdict);
    }
    let astray = "SELECT count(*) FROM pragma_foreign_key_check";
    let astray: i64 = copy.query_row(astray, [], |row| row.get(0)).map_err(said)?;
    if astray > 0 {
        return Err(format!("{astray} rows refer to rows that are not there"));
    }
    let content = Content::of(&copy).map_err(said)?;
    if content != *wanted {
        return Err("it has other rows than the ledger".to_owned());
    }
    let bytes = path.metadata().map_err(|error| error.to_string())?.len();
    Ok(Copied { bytes, rows: content.rows.values().sum() })
}

impl Content {
    fn of(db: &Connection) -> rusqlite::Result<Self> {
        let migration = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
        let migration = db.query_row(migration, [], |row| row.get(0))?;
        let mut tables =
            db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
        let tables = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        let count = |table: String| {
            let rows = db.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get(0))?;
            Ok((table, rows))
        };
        Ok(Self { migration, rows: tables.into_iter().map(count).collect::<rusqlite::Result<_>>()? })
    }
}
