//! Files that arrived, and the states they go through.

use super::{Ledger, LedgerError, StartId, now};
use crate::digest::Digest;
use crate::side::Side;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

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
    /// Whether the same bytes are kept in work, archive or quarantine already.
    pub kept: bool,
    /// Where it came from.
    pub origin: Origin,
    /// The name it came with, where the identity setting lets the ledger keep it.
    pub name: Option<String>,
    /// What its name says of the side; kept apart, since the name itself is often not.
    pub side_by_name: Side,
    /// What its name says of the patient, as the identity setting lets the ledger keep it.
    pub patient_by_name: Option<String>,
    /// When it was first seen, RFC 3339.
    pub seen_at: String,
    /// When it had settled.
    pub settled_at: String,
    /// The start that claims it.
    pub start: StartId,
}

/// What the ledger knows of the bytes of an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prior {
    /// Nothing that stands in the way: it is claimed.
    Claimed {
        /// The file.
        file: FileId,
        /// What its name says of the side, or what an earlier name of the same bytes said.
        side: Side,
        /// Its name, or the one that it had before it came back under its digest.
        name: Option<String>,
    },
    /// They were graded before, or are being graded now; the arrival is on record as a duplicate.
    Duplicate {
        /// The file.
        file: FileId,
        /// What is on record of it, in words.
        reason: &'static str,
    },
}

/// A file that an earlier start claimed and did not finish.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// The file.
    pub file: FileId,
    /// Its bytes.
    pub digest: Digest,
    /// Where it came from.
    pub origin: Origin,
    /// What its name said of the side.
    pub side_by_name: Side,
    /// The name itself, where it was kept.
    pub name: Option<String>,
    /// When it was claimed, RFC 3339.
    pub claimed_at: String,
    /// How often the process was aborted while it was graded.
    pub aborts: u32,
}

impl Ledger {
    /// Put an arrival on record: claimed, or a duplicate of what is in work or published.
    pub fn claim(&self, arrival: Arrival) -> Result<Prior, LedgerError> {
        self.write_blocking(move |db| claim(db, &arrival))
    }

    /// Note that a file cannot be graded, and why. One that is named again and again, as in an archive that is graded every night,
    /// was refused when it was refused first.
    pub async fn quarantined(&self, file: FileId, code: &'static str, reason: String) -> Result<(), LedgerError> {
        self.write(move |db| {
            let sql = "SELECT t.at FROM files f JOIN file_states t ON t.file = f.id AND t.state = 'quarantined' \
                       WHERE f.id = ?1 AND f.origin = ?2";
            let first = db.query_row(sql, params![file, Origin::CommandLine.as_str()], |row| row.get(0)).optional()?;
            end(db, file, "quarantined", code, &reason)?;
            first.map_or(Ok(()), |at: String| stamp(db, file, "quarantined", &at))
        })
        .await
    }

    /// Note that a claim came to nothing: the bytes are no longer where they were.
    pub fn withdrawn(&self, file: FileId, code: &'static str, reason: &'static str) -> Result<(), LedgerError> {
        self.write_blocking(move |db| end(db, file, "withdrawn", code, reason))
    }

    /// A duplicate could not be taken out of the inbox: it has not come yet, and will be seen again.
    pub fn not_taken(&self, file: FileId) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            db.execute("DELETE FROM file_states WHERE file = ?1", [file])?;
            db.execute("DELETE FROM files WHERE id = ?1", [file])?;
            Ok(())
        })
    }

    /// Note that the same bytes came twice at once, and that the other file has taken them where they belong.
    pub fn twin(&self, file: FileId) -> Result<(), LedgerError> {
        self.write_blocking(move |db| end(db, file, "duplicate", "duplicate", DUPLICATE))
    }

    /// All files that were claimed and neither published nor refused.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, LedgerError> {
        self.write_blocking(|db| {
            let mut query = db.prepare(
                "SELECT f.id, r.sha256, f.side_by_name, f.name, t.at, f.aborts, f.origin FROM files f \
                 JOIN radiographs r ON r.id = f.radiograph \
                 JOIN file_states t ON t.file = f.id AND t.state = 'claimed' \
                 WHERE f.state IN ('claimed', 'graded') ORDER BY f.id",
            )?;
            let rows = query.query_map([], |row| {
                Ok(Unfinished {
                    file: row.get(0)?,
                    digest: digest_at(row, 1)?,
                    origin: match row.get::<_, String>(6)? == Origin::Inbox.as_str() {
                        true => Origin::Inbox,
                        false => Origin::CommandLine,
                    },
                    side_by_name: row.get::<_, String>(2)?.parse().unwrap_or_default(),
                    name: row.get(3)?,
                    claimed_at: row.get(4)?,
                    aborts: row.get(5)?,
                })
            })?;
            rows.collect()
        })
    }

    /// The state of the newest file with these bytes that came through the inbox, if any ever did, and the reason for it where there
    /// is one. What was named on the command line was never taken from where it lies.
    pub fn last_state(&self, digest: Digest) -> Result<Option<(String, String)>, LedgerError> {
        self.write_blocking(move |db| {
            db.query_row(
                "SELECT f.state, coalesce(f.reason_code || ': ' || f.reason, '') FROM files f JOIN radiographs r ON r.id = f.radiograph \
                 WHERE r.sha256 = ?1 AND f.state <> 'duplicate' AND f.origin = 'inbox' ORDER BY f.id DESC LIMIT 1",
                [digest.to_string()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
        })
    }
}

const DUPLICATE: &str = "the same bytes have arrived before; they are graded once";
/// Why a duplicate's name does not count.
pub const OTHER_SIDE: &str = "the same bytes have arrived before, and their knee's side is not the one that the name says now; \
                          what is on record stands";

fn claim(db: &Connection, arrival: &Arrival) -> rusqlite::Result<Prior> {
    let sha256 = arrival.digest.to_string();
    db.execute(
        "INSERT INTO radiographs (sha256, bytes) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING",
        params![sha256, arrival.bytes as i64],
    )?;
    let radiograph: i64 = db.query_row("SELECT id FROM radiographs WHERE sha256 = ?1", [&sha256], |row| row.get(0))?;
    let earlier = Earlier::of(db, radiograph)?;
    let twin = earlier.iter().find(|twin| ["claimed", "graded", "published"].contains(&twin.state.as_str()));
    let duplicate = match (arrival.origin, twin) {
        // What a user names on the command line is graded again when asked for: the caller has looked before.
        (Origin::CommandLine, _) | (Origin::Inbox, None) => false,
        // A twin under way whose bytes are nowhere was claimed and never moved: this is that file.
        (Origin::Inbox, Some(twin)) => twin.state == "published" || arrival.kept,
    };
    let resumable = earlier.iter().find(|row| {
        let open = match row.state.as_str() {
            "withdrawn" | "claimed" | "graded" => true,
            // One that was refused and is tried again: it is no longer in quarantine, or never was.
            "quarantined" => !arrival.kept || arrival.origin == Origin::CommandLine,
            _ => false,
        };
        !duplicate && open && row.origin == arrival.origin.as_str()
    });
    let side_known = |side: Side| (side != Side::Unknown).then_some(side);
    // A file that comes back from quarantine bears its digest as its name: what the first name said still holds.
    let side = side_known(arrival.side_by_name)
        .or_else(|| earlier.iter().find_map(|row| side_known(row.side_by_name)))
        .unwrap_or_default();
    let bears_digest = |name: &String| Path::new(name).file_stem().is_some_and(|stem| *stem == *sha256);
    let name = match &arrival.name {
        Some(name) if bears_digest(name) => earlier.iter().find_map(|row| row.name.clone()).or(arrival.name.clone()),
        name => name.clone(),
    };
    if arrival.origin == Origin::Inbox && !arrival.kept {
        // it was removed after its time, and is kept again
        let sql =
            "DELETE FROM removals WHERE what = 'original' AND file IN (SELECT id FROM files WHERE radiograph = ?1)";
        db.execute(sql, [radiograph])?;
    }
    let file = match resumable {
        Some(row) => {
            db.execute(
                "UPDATE files SET start = ?2, name = coalesce(?3, name), side_by_name = ?4, \
                 patient_by_name = coalesce(?5, patient_by_name), aborts = 0, reason_code = NULL, reason = NULL WHERE id = ?1",
                params![row.id, arrival.start, name, side.as_str(), arrival.patient_by_name],
            )?;
            row.id
        }
        None => {
            db.execute(
                "INSERT INTO files (radiograph, start, origin, name, side_by_name, patient_by_name, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'claimed')",
                params![
                    radiograph,
                    arrival.start,
                    arrival.origin.as_str(),
                    name,
                    side.as_str(),
                    arrival.patient_by_name
                ],
            )?;
            db.last_insert_rowid()
        }
    };
    stamp(db, file, "seen", &arrival.seen_at)?;
    stamp(db, file, "settled", &arrival.settled_at)?;
    if duplicate {
        let reason = if is_of_other_side(db, radiograph, arrival.side_by_name)? { OTHER_SIDE } else { DUPLICATE };
        end(db, file, "duplicate", "duplicate", reason)?;
        return Ok(Prior::Duplicate { file, reason });
    }
    enter(db, file, "claimed")?;
    Ok(Prior::Claimed { file, side, name })
}

/// Whether a name says a side, and the film has knees, of which none is on that side: a mistake has been made, then or now.
fn is_of_other_side(db: &Connection, radiograph: i64, side_by_name: Side) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) > 0 AND sum(side = ?2) = 0 FROM knees WHERE radiograph = ?1";
    Ok(side_by_name != Side::Unknown
        && db.query_row(sql, params![radiograph, side_by_name.as_str()], |row| row.get(0))?)
}

/// An earlier file of the same bytes that was no duplicate.
struct Earlier {
    id: FileId,
    state: String,
    origin: String,
    side_by_name: Side,
    name: Option<String>,
}

impl Earlier {
    /// All of them, the newest first.
    fn of(db: &Connection, radiograph: i64) -> rusqlite::Result<Vec<Self>> {
        let mut query = db.prepare_cached(
            "SELECT id, state, origin, side_by_name, name FROM files WHERE radiograph = ?1 AND state <> 'duplicate' \
             ORDER BY id DESC",
        )?;
        let rows = query.query_map([radiograph], |row| {
            let side_by_name = row.get::<_, String>(3)?.parse().unwrap_or_default();
            Ok(Self { id: row.get(0)?, state: row.get(1)?, origin: row.get(2)?, side_by_name, name: row.get(4)? })
        })?;
        rows.collect()
    }
}

/// A file enters a state.
pub(super) fn enter(db: &Connection, file: FileId, state: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE files SET state = ?2 WHERE id = ?1", params![file, state])?;
    stamp(db, file, state, &now())
}

/// When a file was in a state; a step that is repeated after a crash counts from its last time.
pub(super) fn stamp(db: &Connection, file: FileId, state: &str, at: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO file_states (file, state, at) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = excluded.at",
    )?
    .execute(params![file, state, at])?;
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
