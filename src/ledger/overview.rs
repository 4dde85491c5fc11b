//! What the ledger tells of everything, in a few numbers.

use super::{Ledger, LedgerError, Service, TrainingNow, names_at};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeMap;
use std::path::Path;

/// For `kellgrend status`.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Version, device and time of the last start.
    pub start: Option<(String, String, String)>,
    /// Members that could not be loaded at the last start.
    pub missing: Vec<String>,
    /// The release in service.
    pub service: Option<Service>,
    /// Files by state.
    pub files: BTreeMap<String, i64>,
    /// Knees graded.
    pub knees: i64,
    /// When the last one was.
    pub last_graded_at: Option<String>,
    /// The last run of training.
    pub training: Option<TrainingNow>,
    /// How it ended.
    pub training_outcome: Option<String>,
    /// Labels that came since it began.
    pub new_labels: Option<i64>,
}

impl Overview {
    /// Of the ledger at this path. One of an earlier version lacks some of it until the daemon is started again.
    pub fn read(ledger: &Path) -> Result<Self, LedgerError> {
        Self::look(&Ledger::read(ledger)?).map_err(LedgerError::sqlite(ledger))
    }

    fn look(db: &Connection) -> rusqlite::Result<Self> {
        let start = "SELECT version, device, started_at FROM starts ORDER BY id DESC LIMIT 1";
        let start = db.query_row(start, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let missing = "SELECT missing FROM starts ORDER BY id DESC LIMIT 1";
        let missing = db.query_row(missing, [], |row| names_at(row, 0)).unwrap_or_default();
        let mut files = db.prepare("SELECT state, count(*) FROM files GROUP BY state")?;
        let files = files.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let graded =
            "SELECT (SELECT count(*) FROM (SELECT DISTINCT knee FROM grades)), (SELECT max(graded_at) FROM grades)";
        let (knees, last_graded_at) = db.query_row(graded, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let training = TrainingNow::read(db).unwrap_or_default();
        let outcome = "SELECT outcome FROM training_runs ORDER BY begun_at DESC LIMIT 1";
        let training_outcome = db.query_row(outcome, [], |row| row.get(0)).unwrap_or_default();
        // asked every few seconds: which of them can be learnt from, the schedule asks when it is due
        let new_labels = "SELECT count(*) FROM labels \
             WHERE added_at > coalesce((SELECT max(begun_at) FROM training_runs WHERE of_labels), '')";
        let new_labels = db.query_row(new_labels, [], |row| row.get(0)).ok();
        let service = Service::read(db)?;
        Ok(Self { start, missing, service, files, knees, last_graded_at, training, training_outcome, new_labels })
    }
}
