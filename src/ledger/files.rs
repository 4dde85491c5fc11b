//! Files that arrived, and the states they go through.

use super::{Ledger, LedgerError, StartId, now};
use crate::digest::Digest;
use crate::side::Side;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The id of a file that arrived.
pub type FileId = i64;

/// Where a file came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was dropped into the inbox.
    Inbox,
    /// It was named on the command line and stays where it is.
    CommandLine,
}

impl Origin {
    fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::CommandLine => "command line",
        }
    }
}

/// A file about to be claimed.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
    /// Where it came from.
    pub origin: Origin,
    /// The name it came with, where the identity setting lets the ledger keep it.
    pub name: Option<String>,
    /// What its name says of the side; kept apart, since the name itself is often not.
    pub side_by_name: Side,
    /// When it was first seen, RFC 3339.
    pub seen_at: String,
    /// When it had settled.
    pub settled_at: String,
    /// The start that claims it.
    pub start: StartId,
}

/// What the ledger knows of the bytes of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prior {
    /// Nothing that stands in the way: it is claimed.
    Claimed(FileId),
    /// They were graded before, or are being graded now; the arrival is on record as a duplicate.
    Duplicate(FileId),
}

/// A file that an earlier start claimed and did not finish.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// The file.
    pub file: FileId,
    /// Its bytes.
    pub digest: Digest,
    /// What its name said of the side.
    pub side_by_name: Side,
}

impl Ledger {
    /// Put an arrival on record: claimed, or a duplicate of what is in work or published.
    pub fn claim(&self, arrival: Arrival) -> Result<Prior, LedgerError> {
        self.write_blocking(move |db| claim(db, &arrival))
    }

    /// Note that a file cannot be graded, and why.
    pub async fn quarantined(&self, file: FileId, code: &'static str, reason: String) -> Result<(), LedgerError> {
        self.write(move |db| end(db, file, "quarantined", code, &reason)).await
    }

    /// Note that a claim came to nothing: the bytes are no longer where they were.
    pub fn withdrawn(&self, file: FileId, code: &'static str, reason: &'static str) -> Result<(), LedgerError> {
        self.write_blocking(move |db| end(db, file, "withdrawn", code, reason))
    }

    /// All files that were claimed and neither published nor refused.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, LedgerError> {
        self.write_blocking(|db| {
            let mut query = db.prepare(
                "SELECT f.id, r.sha256, f.side_by_name FROM files f JOIN radiographs r ON r.id = f.radiograph \
                 WHERE f.state IN ('claimed', 'graded') ORDER BY f.id",
            )?;
            let rows = query.query_map([], |row| {
                let side_by_name = row.get::<_, String>(2)?.parse().unwrap_or_default();
                Ok(Unfinished { file: row.get(0)?, digest: digest_at(row, 1)?, side_by_name })
            })?;
            rows.collect()
        })
    }

    /// The state of the newest file with these bytes, if any ever arrived.
    pub fn last_state(&self, digest: Digest) -> Result<Option<String>, LedgerError> {
        self.write_blocking(move |db| {
            db.query_row(
                "SELECT f.state FROM files f JOIN radiographs r ON r.id = f.radiograph \
                 WHERE r.sha256 = ?1 AND f.state <> 'duplicate' ORDER BY f.id DESC LIMIT 1",
                [digest.to_string()],
                |row| row.get(0),
            )
            .optional()
        })
    }
}

fn claim(db: &Connection, arrival: &Arrival) -> rusqlite::Result<Prior> {
    let sha256 = arrival.digest.to_string();
    db.execute(
        "INSERT INTO radiographs (sha256, bytes) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING",
        params![sha256, arrival.bytes as i64],
    )?;
    let radiograph: i64 = db.query_row("SELECT id FROM radiographs WHERE sha256 = ?1", [&sha256], |row| row.get(0))?;
    let twin = match arrival.origin {
        // What a user names on the command line is graded again when asked for: the caller has looked before.
        Origin::CommandLine => None,
        Origin::Inbox => db
            .query_row(
                "SELECT id FROM files WHERE radiograph = ?1 AND state IN ('claimed', 'graded', 'published')",
                [radiograph],
                |row| row.get::<_, i64>(0),
            )
            .optional()?,
    };
    db.execute(
        "INSERT INTO files (radiograph, start, origin, name, side_by_name, state) VALUES (?1, ?2, ?3, ?4, ?5, 'claimed')",
        params![radiograph, arrival.start, arrival.origin.as_str(), arrival.name, arrival.side_by_name.as_str()],
    )?;
    let file = db.last_insert_rowid();
    for (state, at) in [("seen", &arrival.seen_at), ("settled", &arrival.settled_at)] {
        db.execute("INSERT INTO file_states (file, state, at) VALUES (?1, ?2, ?3)", params![file, state, at])?;
    }
    if twin.is_some() {
        let reason = "the same bytes have arrived before; they are graded once";
        end(db, file, "duplicate", "duplicate", reason)?;
        return Ok(Prior::Duplicate(file));
    }
    enter(db, file, "claimed")?;
    Ok(Prior::Claimed(file))
}

/// A file enters a state.
pub(super) fn enter(db: &Connection, file: FileId, state: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE files SET state = ?2 WHERE id = ?1", params![file, state])?;
    db.execute("INSERT INTO file_states (file, state, at) VALUES (?1, ?2, ?3)", params![file, state, now()])?;
    Ok(())
}

fn end(db: &Connection, file: FileId, state: &str, code: &str, reason: &str) -> rusqlite::Result<()> {
    enter(db, file, state)?;
    db.execute("UPDATE files SET reason_code = ?2, reason = ?3 WHERE id = ?1", params![file, code, reason])?;
    Ok(())
}

pub(super) fn digest_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    row.get::<_, String>(column)?
        .parse()
        .map_err(|e: String| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, e.into()))
}
