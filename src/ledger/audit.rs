//! What must be true of the ledger at any moment, whatever was killed before: each law is a query for what breaks it.

use super::files::digest_at;
use super::{Ledger, LedgerError};
use crate::digest::Digest;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// A law, and the query that finds what breaks it: SHA-256 of a radiograph, or another word that finds the row.
const LAWS: [(&str, &str); 9] = [
    (
        // a later release may have found a second knee
        "a file that was graded has a grade of its release for each of its knees",
        "SELECT r.sha256 FROM files f JOIN radiographs r ON r.id = f.radiograph WHERE f.state IN ('graded', 'published') \
         AND (NOT EXISTS (SELECT 1 FROM knees k WHERE k.radiograph = r.id) \
           OR EXISTS (SELECT 1 FROM knees k WHERE k.radiograph = r.id AND NOT EXISTS \
                (SELECT 1 FROM grades g WHERE g.knee = k.id AND (f.release IS NULL OR g.release = f.release)) \
                AND (k.position = 0 OR NOT EXISTS (SELECT 1 FROM grades g WHERE g.knee = k.id))))",
    ),
    (
        "a knee is graded once a release",
        "SELECT r.sha256 FROM grades g JOIN knees k ON k.id = g.knee JOIN radiographs r ON r.id = k.radiograph \
         GROUP BY g.knee, g.release HAVING count(*) > 1",
    ),
    (
        "a grade has votes",
        "SELECT r.sha256 FROM grades g JOIN knees k ON k.id = g.knee JOIN radiographs r ON r.id = k.radiograph \
         WHERE NOT EXISTS (SELECT 1 FROM votes v WHERE v.grade_id = g.id)",
    ),
    (
        "what was published says by which release",
        "SELECT r.sha256 FROM files f JOIN radiographs r ON r.id = f.radiograph WHERE f.state = 'published' AND f.release IS NULL",
    ),
    (
        "the same bytes from the inbox are published once",
        "SELECT r.sha256 FROM files f JOIN radiographs r ON r.id = f.radiograph \
         WHERE f.state = 'published' AND f.origin = 'inbox' GROUP BY f.radiograph HAVING count(*) > 1",
    ),
    (
        "what was refused has a reason",
        "SELECT r.sha256 FROM files f JOIN radiographs r ON r.id = f.radiograph \
         WHERE f.state IN ('quarantined', 'duplicate', 'withdrawn') AND (coalesce(f.reason_code, '') = '' OR coalesce(f.reason, '') = '')",
    ),
    (
        "a duplicate has a twin",
        "SELECT r.sha256 FROM files f JOIN radiographs r ON r.id = f.radiograph WHERE f.state = 'duplicate' \
         AND NOT EXISTS (SELECT 1 FROM files t WHERE t.radiograph = f.radiograph AND t.state <> 'duplicate')",
    ),
    (
        "a state has its time",
        "SELECT r.sha256 FROM files f JOIN radiographs r ON r.id = f.radiograph \
         WHERE NOT EXISTS (SELECT 1 FROM file_states t WHERE t.file = f.id AND t.state = f.state)",
    ),
    (
        "every row is where others say it is",
        "SELECT \"table\" || ' ' || coalesce(rowid, '') FROM pragma_foreign_key_check",
    ),
];

/// A law, and what breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The law, in words.
    pub law: &'static str,
    /// Who breaks it; at most a hundred.
    pub broken_by: Vec<String>,
}

/// A file that has ended, or has not, and what must lie where.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its bytes.
    pub digest: Digest,
    /// How many they are.
    pub bytes: u64,
    /// Where it is on its way: claimed, graded, published or quarantined.
    pub state: String,
    /// Whether its original is ours to keep: it came through the inbox, and was not removed after its time.
    pub is_ours: bool,
    /// The name of the release that it was published with, unless that result was removed after its time.
    pub release: Option<String>,
}

/// A picture that was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its path below the outbox.
    pub path: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// The rows, judged by every law in one moment.
pub fn judge(ledger: &Path) -> Result<Vec<Judged>, LedgerError> {
    Ledger::check(ledger)?;
    let db = Ledger::read(ledger)?;
    let judged = || -> rusqlite::Result<_> {
        let moment = db.unchecked_transaction()?;
        LAWS.into_iter().map(|(law, sql)| Ok(Judged { law, broken_by: words(&moment, sql)? })).collect()
    };
    judged().map_err(LedgerError::sqlite(ledger))
}

fn words(db: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare(&format!("{sql} LIMIT 100"))?.query_map([], |row| row.get(0))?.collect()
}

/// Every file that must be somewhere, one by one.
pub fn each_file(ledger: &Path, mut look: impl FnMut(Ended)) -> Result<(), LedgerError> {
    let sql = "SELECT r.sha256, f.state, f.origin = 'inbox' AND NOT EXISTS (\
                   SELECT 1 FROM removals m WHERE m.file = f.id AND m.what = 'original'), rel.name, r.bytes \
               FROM files f JOIN radiographs r ON r.id = f.radiograph LEFT JOIN releases rel ON rel.sha256 = f.release \
                   AND NOT EXISTS (SELECT 1 FROM removals m WHERE m.file = f.id AND m.what = 'result') \
               WHERE f.state NOT IN ('duplicate', 'withdrawn')";
    let db = Ledger::read(ledger)?;
    let mut all = || -> rusqlite::Result<()> {
        let mut query = db.prepare(sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (state, is_ours, release) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let bytes = row.get::<_, i64>(4)?.unsigned_abs();
            look(Ended { digest: digest_at(row, 0)?, bytes, state, is_ours, release });
        }
        Ok(())
    };
    all().map_err(LedgerError::sqlite(ledger))
}

/// Says whether a radiograph of some bytes is on record now.
pub struct Known {
    db: Connection,
    path: PathBuf,
}

impl Known {
    /// Asks the ledger at a path.
    pub fn open(ledger: &Path) -> Result<Self, LedgerError> {
        Ok(Self { db: Ledger::read(ledger)?, path: ledger.to_owned() })
    }

    /// Whether it is.
    pub fn has(&self, digest: Digest) -> Result<bool, LedgerError> {
        // what was withdrawn is not kept: an original of it came after the copy of the ledger was made
        let asked = self.db.prepare_cached(
            "SELECT 1 FROM radiographs r JOIN files f ON f.radiograph = r.id WHERE r.sha256 = ?1 AND f.state <> 'withdrawn'",
        );
        asked.and_then(|mut asked| asked.exists([digest.to_string()])).map_err(LedgerError::sqlite(&self.path))
    }
}

/// Every picture that was published, one by one.
pub fn each_picture(ledger: &Path, mut look: impl FnMut(Published)) -> Result<(), LedgerError> {
    let db = Ledger::read(ledger)?;
    let mut all = || -> rusqlite::Result<()> {
        let mut query = db.prepare("SELECT sha256, path FROM pictures")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            look(Published { digest: Digest::from(row.get::<_, [u8; 32]>(0)?), path: row.get(1)? });
        }
        Ok(())
    };
    all().map_err(LedgerError::sqlite(ledger))
}
