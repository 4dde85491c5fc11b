//! The WAL is kept short, whoever reads.
//!
//! SQLite begins it anew when a commit finds that nobody reads it. Where one reader comes before the last one goes, as with a few
//! dashboards, that moment never comes, and the WAL would fill the disk.

use super::open::beside;
use bytesize::ByteSize;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How large it may stay: a few times what SQLite lets come together before it copies (1,000 pages, 4 MB). It grows beyond that
/// only while somebody reads one moment for long.
pub(super) const LIMIT: ByteSize = ByteSize::mib(16);

/// Readers of the WAL are waited for so long, and so is everybody who writes.
const PATIENCE: Duration = Duration::from_secs(1);

/// While somebody reads one moment for long, it is tried no more often.
const PAUSE: Duration = Duration::from_secs(30);

/// Who looks after it.
pub(super) struct Wal {
    path: PathBuf,
    due: Instant,
}

impl Wal {
    pub(super) fn of(ledger: &Path) -> Self {
        Self { path: beside(ledger, "-wal"), due: Instant::now() }
    }

    /// Where it has outgrown its limit, waits a little for those who read it, and begins it anew.
    pub(super) fn keep_short(&mut self, connection: &Connection) {
        let len = || self.path.metadata().map_or(0, |meta| meta.len());
        if Instant::now() < self.due || len() <= LIMIT.as_u64() {
            return;
        }
        if !begin_anew(connection).unwrap_or(false) {
            let size = ByteSize(len()).display().iec();
            tracing::info!(
                "the ledger's WAL has {size}, and grows until a reader who stays in one moment of it goes on"
            );
            self.due = Instant::now() + PAUSE;
        }
    }
}

/// False: somebody reads one moment of it for longer than that.
fn begin_anew(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(PATIENCE)?;
    let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(super::open::PATIENCE)?;
    Ok(!is_busy?)
}
