//! Releases, and which one is in service.

use super::{Ledger, LedgerError, now};
use rusqlite::{Connection, OptionalExtension, params};

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

    /// Put a release into service and note who did it and why.
    pub fn put_in_service(&self, release: ReleaseRow, who: String, why: String) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            know(db, &release)?;
            db.execute(
                "INSERT INTO service (release, since, who, why) VALUES (?1, ?2, ?3, ?4)",
                params![release.sha256, now(), who, why],
            )?;
            Ok(())
        })
    }

    /// The release in service, if any was ever put there.
    pub fn in_service(&self) -> Result<Option<Service>, LedgerError> {
        self.write_blocking(Service::read)
    }

    /// The release that was in service before the one that is: what was rolled back from, or itself rolled back to, is passed
    /// over.
    pub fn before_service(&self) -> Result<Option<Service>, LedgerError> {
        self.write_blocking(|db| {
            // a row that was rolled back to stands for the one it leads back to
            db.query_row(
                "SELECT r.name, r.sha256, s.since FROM service s JOIN releases r ON r.sha256 = s.release \
                 WHERE s.id < (SELECT coalesce(back_to, id) FROM service ORDER BY id DESC LIMIT 1) \
                 AND s.back_to IS NULL AND s.release <> (SELECT release FROM service ORDER BY id DESC LIMIT 1) \
                 ORDER BY s.id DESC LIMIT 1",
                [],
                |row| Ok(Service { name: row.get(0)?, sha256: row.get(1)?, since: row.get(2)? }),
            )
            .optional()
        })
    }

    /// Put a release back into service that was there before.
    pub fn roll_back(&self, to: Service, who: String, why: String) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            db.execute(
                "INSERT INTO service (release, since, who, why, back_to) SELECT ?1, ?2, ?3, ?4, max(id) FROM service \
                 WHERE release = ?1 AND since = ?5",
                params![to.sha256, now(), who, why, to.since],
            )?;
            Ok(())
        })
    }
}

impl Service {
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

fn know(db: &Connection, release: &ReleaseRow) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO releases (sha256, name, vote, members, manifest, first_seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (sha256) DO NOTHING",
        params![release.sha256, release.name, release.vote, release.members as i64, release.manifest, now()],
    )?;
    Ok(())
}
