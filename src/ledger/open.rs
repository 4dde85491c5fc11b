//! Opening the database: checks, pragmas, migrations.

use crate::grade::{GRADES, Probabilities};
use refinery::error::Kind;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// A connection waits so long for another one that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What can go wrong with the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite's word.
    #[error("the ledger {path} cannot be used: {source}")]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The file is damaged or not a ledger at all; it is left as it is.
    #[error(
        "the ledger {path} is damaged ({detail}); it is left as it is. Restore it from a copy, or move it \
         aside to start with an empty one: originals in the archive can be graded again"
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite's check says.
        detail: String,
    },
    /// A newer program wrote it, or its history differs.
    #[error(
        "the ledger {path} does not fit this version of kellgrend: {detail}. Use the version that wrote it, or a newer one"
    )]
    Schema {
        /// The database file.
        path: PathBuf,
        /// The migration's word.
        detail: String,
    },
    /// Bringing it up to date has failed.
    #[error("the ledger {path} cannot be brought up to date: {detail}; it is as it was")]
    Migration {
        /// The database file.
        path: PathBuf,
        /// SQLite's word.
        detail: String,
    },
    /// An older program wrote it, and nobody has brought it up to date.
    #[error(
        "the ledger {path} was written by an older version of kellgrend; the next `kellgrend run` or `kellgrend grade` with this \
         state folder brings it up to date"
    )]
    Outdated {
        /// The database file.
        path: PathBuf,
    },
    /// Somebody else's.
    #[error(
        "the ledger {path} cannot be written: it is another user's (run the command as that one, as in \
         `runuser -u kellgrend -- kellgrend ...`), or its disk is read-only: {source}"
    )]
    ReadOnly {
        /// The database file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// SQLite's locks are not to be trusted there.
    #[error(
        "the ledger {path} is on a network file system ({kind}), where SQLite's locks cannot be trusted; put the state folder on a local \
         disk"
    )]
    NetworkShare {
        /// The database file.
        path: PathBuf,
        /// The file system.
        kind: &'static str,
    },
    /// There is none yet.
    #[error(
        "there is no ledger at {path}: name the state folder with --state or KELLGREND_STATE, or start `kellgrend run` or \
         `kellgrend grade` with this one first"
    )]
    Missing {
        /// The database file.
        path: PathBuf,
    },
    /// The writing thread is gone: the program is stopping.
    #[error("the ledger is closed")]
    Closed,
}

impl LedgerError {
    pub(super) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        move |source| {
            use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, PermissionDenied, ReadOnly};
            match source.sqlite_error_code() {
                Some(DatabaseCorrupt | NotADatabase) => {
                    Self::Damaged { path: path.to_owned(), detail: source.to_string() }
                }
                Some(ReadOnly | PermissionDenied) => Self::ReadOnly { path: path.to_owned(), source },
                _ if ["no such table", "no such column"].iter().any(|words| source.to_string().contains(words)) => {
                    Self::Outdated { path: path.to_owned() }
                }
                _ => Self::Sqlite { path: path.to_owned(), source },
            }
        }
    }
}

/// The writing connection, migrated to this version's schema.
pub(super) fn open_writer(path: &Path) -> Result<Connection, LedgerError> {
    refuse_network_share(path)?;
    let wrong = LedgerError::sqlite(path);
    let mut connection = Connection::open(path).map_err(&wrong)?;
    connection.busy_timeout(PATIENCE).map_err(&wrong)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(&wrong)?;
    // FULL: a commit survives a power cut, which WAL's usual NORMAL does not promise.
    connection.pragma_update(None, "synchronous", "FULL").map_err(&wrong)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(&wrong)?;
    connection.pragma_update(None, "journal_size_limit", super::wal::LIMIT.as_u64() as i64).map_err(&wrong)?;
    check_sound(&connection, path)?;
    lend_entropy(&connection).map_err(&wrong)?;
    // All in one transaction, with the rows that say so: killed in between, the next start would make the same changes again.
    let migrated = migrations::migrations::runner().set_grouped(true).run(&mut connection);
    migrated.map_err(|error| match error.kind() {
        Kind::Connection(_, source) => LedgerError::Migration { path: path.to_owned(), detail: source.to_string() },
        _ => LedgerError::Schema { path: path.to_owned(), detail: error.to_string() },
    })?;
    Ok(connection)
}

/// `entropy(p0, p1, p2, p3, p4)` for the migrations: what was graded before it was stored gets the same number.
fn lend_entropy(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("entropy", GRADES as i32, flags, |row| {
        let mut p = [0.0; GRADES];
        for (grade, p) in p.iter_mut().enumerate() {
            *p = row.get(grade)?;
        }
        Ok(Probabilities(p).entropy())
    })
}

/// Whether a ledger that exists is sound and not of a newer version. Changes nothing.
pub(super) fn check(path: &Path) -> Result<(), LedgerError> {
    let connection = open_reader(path)?;
    check_sound(&connection, path)?;
    let wrong = LedgerError::sqlite(path);
    let newest = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
    let newest: i64 = connection.query_row(newest, [], |row| row.get(0)).map_err(&wrong)?;
    let known = migrations::migrations::runner().get_migrations().iter().map(|m| i64::from(m.version())).max();
    if known.is_some_and(|known| newest > known) {
        let detail = format!("it is at migration {newest}");
        return Err(LedgerError::Schema { path: path.to_owned(), detail });
    }
    Ok(())
}

fn check_sound(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let wrong = LedgerError::sqlite(path);
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(&wrong)?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(LedgerError::Damaged { path: path.to_owned(), detail: verdict }),
    }
}

/// A connection that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LedgerError> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.to_owned() });
    }
    let wrong = LedgerError::sqlite(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(&wrong)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(&wrong)?;
    let sees = |connection: &Connection| connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0));
    if sees(&connection).is_err() && !beside(path, "-wal").exists() {
        // a ledger that nobody has open is whole without its WAL, which who may not write here cannot make
        let unmoved = Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI);
        if let Some(unmoved) = unmoved.ok().filter(|unmoved| sees(unmoved).is_ok()) {
            connection = unmoved;
        }
    }
    Ok(connection)
}

/// A file that SQLite keeps beside the ledger: its name with `-wal` or `-shm` behind it.
pub(super) fn beside(ledger: &Path, ending: &str) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// SQLite's word for a file that does not change while it is read.
fn immutable(path: &Path) -> PathBuf {
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{name}?immutable=1").into()
}

fn refuse_network_share(path: &Path) -> Result<(), LedgerError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    match crate::state::network_file_system(folder) {
        Some(kind) => Err(LedgerError::NetworkShare { path: path.to_owned(), kind }),
        None => Ok(()),
    }
}
