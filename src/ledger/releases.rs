//! Releases, and which one is in service.

use super::{Ledger, LedgerError, now};
use crate::digest::Digest;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;

/// A release as the ledger knows it.
#[derive(Clone, Debug)]
pub struct ReleaseRow {
    /// SHA-256 of its `release.toml`.
    pub sha256: String,
    /// Its name.
    pub name: String,
    /// Its vote rule.
    pub vote: String,
    /// How many members it has.
    pub members: usize,
    /// The text of its `release.toml`.
    pub manifest: String,
}

/// The release in service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// SHA-256 of its `release.toml`.
    pub sha256: String,
    /// Since when, RFC 3339.
    pub since: String,
}

impl Ledger {
    /// Make a release known, so that grades can refer to it.
    pub fn know_release(&self, release: ReleaseRow) -> Result<(), LedgerError> {
        self.write_blocking(move |db| know(db, &release))
    }

    /// Put a release into service and note who did it and why. One that is in service stays there since when it was.
    pub fn put_in_service(&self, release: ReleaseRow, who: String, why: String) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            know(db, &release)?;
            put(db, &release.sha256, &who, &why)
        })
    }

    /// The release in service, if any was ever put there.
    pub fn in_service(&self) -> Result<Option<Service>, LedgerError> {
        self.write_blocking(Service::read)
    }

    /// The release that was in service before the one that is, and the row that says so. What was gone back to is before what
    /// it was gone back from.
    pub fn before_service(&self) -> Result<Option<(i64, Service)>, LedgerError> {
        self.write_blocking(|db| {
            db.query_row(
                "WITH now AS (SELECT coalesce(back_to, id) AS place, release FROM service ORDER BY id DESC LIMIT 1) \
                 SELECT s.id, r.name, r.sha256, s.since FROM now JOIN service s ON s.id < now.place \
                 AND s.release <> now.release JOIN releases r ON r.sha256 = s.release ORDER BY s.id DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, Service { name: row.get(1)?, sha256: row.get(2)?, since: row.get(3)? })),
            )
            .optional()
        })
    }

    /// Put the release of an earlier row back into service.
    pub fn roll_back(&self, to: i64, who: String, why: String) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            db.execute(
                "INSERT INTO service (release, since, who, why, back_to) \
                 SELECT release, ?2, ?3, ?4, coalesce(back_to, id) FROM service WHERE id = ?1",
                params![to, now(), who, why],
            )?;
            Ok(())
        })
    }
}

impl Service {
    /// The release in service of the ledger at this path; none, too, where there is no ledger.
    pub fn of(ledger: &Path) -> Result<Option<Self>, LedgerError> {
        match Ledger::read(ledger) {
            Ok(db) => Self::read(&db).map_err(LedgerError::sqlite(ledger)),
            Err(LedgerError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The release in service, read through any connection.
    pub fn read(db: &Connection) -> rusqlite::Result<Option<Self>> {
        db.query_row(
            "SELECT r.name, r.sha256, s.since FROM service s JOIN releases r ON r.sha256 = s.release \
             ORDER BY s.id DESC LIMIT 1",
            [],
            |row| Ok(Self { name: row.get(0)?, sha256: row.get(1)?, since: row.get(2)? }),
        )
        .optional()
    }
}

/// Whether another release of this name has graded radiographs, whose results bear the name, and this one none.
pub fn has_results_of_another(db: &Connection, name: &str, than: Digest) -> rusqlite::Result<bool> {
    // releases first: hardly ever is there another, and files are many
    let sql = "SELECT EXISTS (SELECT 1 FROM releases r CROSS JOIN files f ON f.release = r.sha256
                              WHERE r.name = ?1 AND r.sha256 <> ?2)
               AND NOT EXISTS (SELECT 1 FROM files WHERE release = ?2)";
    db.query_row(sql, params![name, than.to_string()], |row| row.get(0))
}

/// Into service, unless it is there.
pub(super) fn put(db: &Connection, release: &str, who: &str, why: &str) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO service (release, since, who, why) SELECT ?1, ?2, ?3, ?4 \
         WHERE ?1 IS NOT (SELECT release FROM service ORDER BY id DESC LIMIT 1)",
        params![release, now(), who, why],
    )?;
    Ok(())
}

pub(super) fn know(db: &Connection, release: &ReleaseRow) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO releases (sha256, name, vote, members, manifest, first_seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (sha256) DO NOTHING",
        params![release.sha256, release.name, release.vote, release.members as i64, release.manifest, now()],
    )?;
    Ok(())
}
