//! What has been kept for its time.

use super::files::digest_at;
use super::{FileId, Ledger, LedgerError, now, timestamp};
use crate::digest::Digest;
use crate::schedule::EARLIEST;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};

/// Where something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Originals of what was graded.
    Archive,
    /// Results.
    Outbox,
    /// Originals of what was refused.
    Quarantine,
    /// Rows.
    Ledger,
}

/// A file of which something has been kept for its time, or, for rows, a radiograph.
#[derive(Clone, Debug)]
pub struct Overdue {
    /// The file's id, or the radiograph's.
    pub id: i64,
    /// The radiograph's bytes.
    pub digest: Digest,
    /// The name of the release whose result it is.
    pub release: Option<String>,
    /// How large it is; of a result its pictures, of rows nothing.
    pub bytes: u64,
    /// When the file entered the state it is in.
    pub since: String,
}

/// Nothing has happened with the radiograph since: neither has it come again nor is it being graded.
const QUIET: &str = "NOT EXISTS (SELECT 1 FROM files o JOIN file_states s ON s.file = o.id WHERE o.radiograph = r.id \
                         AND (s.at >= ?1 OR o.state IN ('claimed', 'graded')))";

/// Nothing of it was graded after what is young, ?4, whatever the clock said: it may have been months behind for a while.
const OLD: &str =
    "NOT EXISTS (SELECT 1 FROM knees k JOIN grades g ON g.knee = k.id WHERE k.radiograph = r.id AND g.id >= ?4)";
const YOUNG: &str =
    "SELECT coalesce(min(id), 9223372036854775807) FROM grades WHERE graded_at >= ?1 AND graded_at <= ?2";

/// Something was noted between these times.
const NOTED: &str = "SELECT EXISTS (SELECT 1 FROM starts WHERE started_at BETWEEN ?1 AND ?2) \
                     OR EXISTS (SELECT 1 FROM grades WHERE graded_at BETWEEN ?1 AND ?2) \
                     OR EXISTS (SELECT 1 FROM file_states WHERE at BETWEEN ?1 AND ?2 \
                                AND state IN ('quarantined', 'duplicate', 'withdrawn'))";

/// The index of ends by days is searched for these, written as there.
const ENDED: &str = "t.state IN ('published', 'duplicate', 'quarantined', 'withdrawn')";
const DAY: &str = "substr(t.at, 1, 10)";

/// It has come through the inbox, perhaps after it was graded by hand where it lay: its original is kept here.
const CAME: &str =
    "EXISTS (SELECT 1 FROM files i WHERE i.radiograph = r.id AND i.origin = 'inbox' AND i.state <> 'withdrawn')";

/// No reader has said anything of it.
const UNREAD: &str = "NOT EXISTS (SELECT 1 FROM labels l WHERE l.sha256 = r.sha256) \
                      AND NOT EXISTS (SELECT 1 FROM labels l WHERE l.instance_uid = r.instance_uid)";

impl Store {
    /// All of them, in the order in which they are gone through: rows last, when what they tell of is gone.
    pub const ALL: [Self; 4] = [Self::Archive, Self::Outbox, Self::Quarantine, Self::Ledger];

    /// Its name in settings and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Outbox => "outbox",
            Self::Quarantine => "quarantine",
            Self::Ledger => "ledger",
        }
    }

    /// What is removed from it, as the ledger notes it; rows leave none.
    fn what(self) -> Option<&'static str> {
        match self {
            Self::Archive | Self::Quarantine => Some("original"),
            Self::Outbox => Some("result"),
            Self::Ledger => None,
        }
    }

    /// The query for what is overdue at a time, ?1, beyond a day and a file, ?2 and ?3; the oldest first, to the day.
    fn sql(self, spares_labelled: bool) -> String {
        let spared = if spares_labelled { UNREAD } else { "1" };
        let size = "(SELECT coalesce(sum(p.bytes), 0) FROM pictures p JOIN grades g ON g.id = p.grade_id \
                     JOIN knees k ON k.id = g.knee WHERE k.radiograph = r.id AND g.release = f.release)";
        let kept = |what| format!("NOT EXISTS (SELECT 1 FROM removals m WHERE m.file = f.id AND m.what = '{what}')");
        let (bytes, condition) = match self {
            Self::Archive => {
                ("r.bytes", format!("t.state = 'published' AND {CAME} AND {} AND {spared}", kept("original")))
            }
            Self::Outbox => (size, format!("t.state = 'published' AND {}", kept("result"))),
            Self::Quarantine => ("r.bytes", format!("t.state = 'quarantined' AND {CAME} AND {}", kept("original"))),
            // the newest file of a radiograph stands for all; readers' words stay, and so does what they are about
            Self::Ledger => (
                "0",
                format!(
                    "t.state IN ('published', 'quarantined', 'withdrawn') AND {UNREAD} \
                     AND f.id = (SELECT max(o.id) FROM files o WHERE o.radiograph = r.id AND o.state <> 'duplicate') \
                     AND NOT EXISTS (SELECT 1 FROM files f WHERE f.radiograph = r.id \
                         AND (f.state IN ('published', 'quarantined') AND {CAME} AND {} \
                             OR f.state = 'published' AND {}))",
                    kept("original"),
                    kept("result")
                ),
            ),
        };
        let id = if self == Self::Ledger { "r.id" } else { "f.id" };
        format!(
            "SELECT {id}, r.sha256, rel.name, {bytes}, t.at, t.file FROM file_states t \
             JOIN files f ON f.id = t.file AND f.state = t.state \
             JOIN radiographs r ON r.id = f.radiograph LEFT JOIN releases rel ON rel.sha256 = f.release \
             WHERE {ENDED} AND {condition} AND t.at < ?1 AND {DAY} <= substr(?1, 1, 10) AND {DAY} >= ?2 AND ({DAY}, t.file) > (?2, ?3) \
             AND {QUIET} AND {OLD} ORDER BY {DAY}, t.file"
        )
    }
}

/// A way through what is overdue in one store, some at a time.
pub struct Overdues {
    db: Connection,
    ledger: PathBuf,
    sql: String,
    before: String,
    young: i64,
    /// The day and the file that were reached.
    beyond: (String, FileId),
}

/// What is noted of earlier days was noted while the clock was wrong, as after a start without a battery: how long it has been kept,
/// nobody knows.
fn beginning() -> (String, FileId) {
    let earliest = timestamp(Timestamp::from_second(EARLIEST).unwrap_or(Timestamp::MAX));
    (earliest.chars().take(10).collect(), 0)
}

impl Overdues {
    /// What nothing has happened with since `before`, RFC 3339.
    pub fn of(ledger: &Path, store: Store, before: String, spares_labelled: bool) -> Result<Self, LedgerError> {
        let (db, sql) = (Ledger::read(ledger)?, store.sql(spares_labelled));
        let young =
            db.query_row(YOUNG, params![before, now()], |row| row.get(0)).map_err(LedgerError::sqlite(ledger))?;
        Ok(Self { db, ledger: ledger.to_owned(), sql, before, young, beyond: beginning() })
    }

    /// The next ones, at most so many; none: that was all.
    pub fn next(&mut self, most: usize) -> Result<Vec<Overdue>, LedgerError> {
        let found = self.look(most).map_err(LedgerError::sqlite(&self.ledger))?;
        if let Some((last, file)) = found.last() {
            self.beyond = (last.since.chars().take(10).collect(), *file);
        }
        Ok(found.into_iter().map(|(overdue, _)| overdue).collect())
    }

    fn look(&self, most: usize) -> rusqlite::Result<Vec<(Overdue, FileId)>> {
        let mut query = self.db.prepare_cached(&format!("{} LIMIT {most}", self.sql))?;
        let rows = query.query_map(params![self.before, self.beyond.0, self.beyond.1, self.young], |row| {
            let overdue = Overdue {
                id: row.get(0)?,
                digest: digest_at(row, 1)?,
                release: row.get(2)?,
                bytes: row.get::<_, i64>(3)?.unsigned_abs(),
                since: row.get(4)?,
            };
            Ok((overdue, row.get(5)?))
        })?;
        rows.collect()
    }

    /// How many they are, how many bytes, and since when the oldest has been kept.
    pub fn sum(&self) -> Result<(u64, u64, Option<String>), LedgerError> {
        let sql = format!(
            "WITH overdue (id, sha256, release, bytes, at, file) AS ({}) SELECT count(*), coalesce(sum(bytes), 0), min(at) FROM overdue",
            self.sql
        );
        let (day, file) = beginning();
        let sum = self.db.query_row(&sql, params![self.before, day, file, self.young], |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs(), row.get(2)?))
        });
        sum.map_err(LedgerError::sqlite(&self.ledger))
    }
}

/// Whether anything was noted between these times.
pub fn is_noted_between(ledger: &Path, from: Timestamp, to: Timestamp) -> Result<bool, LedgerError> {
    let between = params![timestamp(from), timestamp(to)];
    Ledger::read(ledger)?.query_row(NOTED, between, |row| row.get(0)).map_err(LedgerError::sqlite(ledger))
}

impl Ledger {
    /// Note that these are gone from a store or, where they are rows, let them go. One transaction.
    pub fn removed(&self, store: Store, ids: Vec<i64>) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            for id in ids {
                match store.what() {
                    Some(what) => {
                        let sql = "INSERT INTO removals (file, what, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
                        db.prepare_cached(sql)?.execute(params![id, what, now()])?;
                    }
                    None => forget(db, id)?,
                }
            }
            Ok(())
        })
    }
}

/// All rows of a radiograph go, unless it is in work.
fn forget(db: &Connection, radiograph: i64) -> rusqlite::Result<()> {
    // it may have come again since it was found overdue
    let in_work = "SELECT EXISTS (SELECT 1 FROM files WHERE radiograph = ?1 AND state IN ('claimed', 'graded'))";
    if db.prepare_cached(in_work)?.query_row([radiograph], |row| row.get(0))? {
        return Ok(());
    }
    const FILES: &str = "(SELECT id FROM files WHERE radiograph = ?1)";
    const GRADES: &str = "(SELECT id FROM grades WHERE knee IN (SELECT id FROM knees WHERE radiograph = ?1))";
    let from = [
        format!("pictures WHERE grade_id IN {GRADES}"),
        format!("votes WHERE grade_id IN {GRADES}"),
        format!("grades WHERE id IN {GRADES}"),
        "knees WHERE radiograph = ?1".to_owned(),
        format!("removals WHERE file IN {FILES}"),
        format!("file_states WHERE file IN {FILES}"),
        "files WHERE radiograph = ?1".to_owned(),
        "radiographs WHERE id = ?1".to_owned(),
    ];
    from.iter().try_for_each(|from| db.prepare_cached(&format!("DELETE FROM {from}"))?.execute([radiograph]).map(drop))
}
