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
    /// The device of the last start that watched or graded, in words.
    pub fn last_device(&self) -> Result<Option<String>, LedgerError> {
        self.write_blocking(|db| {
            db.query_row("SELECT device FROM starts ORDER BY id DESC LIMIT 1", [], |row| row.get(0)).optional()
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
