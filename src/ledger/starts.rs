//! Starts of the program: version, device and settings that later rows refer to.

use super::{Ledger, LedgerError, names, now};
use crate::digest::Digest;
use rusqlite::{OptionalExtension as _, params};

/// The id of a start.
pub type StartId = i64;

/// What a start is known by.
#[derive(Clone, Debug)]
pub struct StartRow {
    /// `run` or `grade`.
    pub command: &'static str,
    /// The device in use, in words.
    pub device: String,
    /// The settings in force, TOML.
    pub settings: String,
    /// The release's members that could not be loaded.
    pub missing: Vec<String>,
}

impl StartRow {
    /// The digest of the settings in force.
    fn settings_digest(&self) -> Digest {
        Digest::of(self.settings.as_bytes())
    }
}

impl Ledger {
    /// The last device of this kind of the daemon's starts, in words that begin so.
    pub fn last_device(&self, kind: &'static str) -> Result<Option<String>, LedgerError> {
        self.write_blocking(move |db| {
            let sql =
                "SELECT device FROM starts WHERE command = 'run' AND device LIKE ?1 || '%' ORDER BY id DESC LIMIT 1";
            db.query_row(sql, [kind], |row| row.get(0)).optional()
        })
    }

    /// Note a start of this version of the program.
    pub fn started(&self, start: StartRow) -> Result<StartId, LedgerError> {
        self.write_blocking(move |db| {
            db.execute(
                "INSERT INTO starts (version, command, device, settings, settings_sha256, started_at, missing) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    crate::VERSION,
                    start.command,
                    start.device,
                    start.settings,
                    start.settings_digest().to_string(),
                    now(),
                    names(&start.missing)
                ],
            )?;
            Ok(db.last_insert_rowid())
        })
    }
}
