//! How far training has come.

use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

/// The last run of training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingNow {
    /// Its name.
    pub run: String,
    /// Whether it has not come to its end.
    pub is_running: bool,
    /// The last epoch that is over, from 1, of whichever network.
    pub epoch: Option<i64>,
    /// Fits that were planned.
    pub fits: u64,
    /// And those that have a network.
    pub fitted: u64,
    /// How the last run that ended did: promoted, kept or failed.
    pub last_outcome: Option<String>,
}

impl TrainingNow {
    /// Read through any connection; none where there never was a run.
    pub fn read(db: &Connection) -> rusqlite::Result<Option<Self>> {
        db.query_row(
            "SELECT r.name, r.ended_at IS NULL, \
             (SELECT epoch FROM training_epochs e WHERE e.run = r.name ORDER BY e.ended_at DESC LIMIT 1), r.fits, \
             (SELECT count(*) FROM training_fits f WHERE f.run = r.name AND f.state = 'fitted'), \
             (SELECT outcome FROM training_runs WHERE outcome IS NOT NULL ORDER BY ended_at DESC LIMIT 1) \
             FROM training_runs r ORDER BY r.begun_at DESC LIMIT 1",
            [],
            |row| {
                Ok(Self {
                    run: row.get(0)?,
                    is_running: row.get(1)?,
                    epoch: row.get(2)?,
                    fits: row.get::<_, i64>(3)?.try_into().unwrap_or_default(),
                    fitted: row.get::<_, i64>(4)?.try_into().unwrap_or_default(),
                    last_outcome: row.get(5)?,
                })
            },
        )
        .optional()
    }
}
