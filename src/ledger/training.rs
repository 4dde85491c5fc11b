//! Runs of training, their fits, and what was decided when one was due.

use super::releases::{know, put};
use super::{Ledger, LedgerError, ReleaseRow, Service, now};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

/// How the decision about a slot begins of which nothing comes; the reason follows.
pub(super) const FAILED: &str = "failed: ";

/// A run that was begun.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the columns of the table `training_runs`
pub struct RunRow {
    pub name: String,
    pub begun_at: String,
    pub origin: String,
    pub data: String,
    pub knees: usize,
    pub gold_knees: usize,
    pub fits: usize,
    pub plan: String,
    /// Whether it learns from the readers' labels.
    pub of_labels: bool,
    /// The slot of the schedule that it is for, and the schedule.
    pub slot: Option<(Timestamp, String)>,
}

/// One network and fold of a run.
#[derive(Clone, Debug)]
pub struct FitRow {
    /// The run's name.
    pub run: String,
    /// The network's name.
    pub network: String,
    /// From 1.
    pub fold: usize,
}

/// One epoch of a fit.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the columns of the table `training_epochs`
pub struct EpochRow {
    pub epoch: usize,
    pub seconds: f64,
    pub rate: f64,
    pub train_loss: f64,
    pub loss: f64,
    pub accuracy: f64,
    pub quadratic_kappa: Option<f64>,
    pub is_best: bool,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// Its release is in service.
    Promoted,
    /// Its release is not.
    Kept,
    /// It has none.
    Failed,
}

impl RunOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Kept => "kept",
            Self::Failed => "failed",
        }
    }
}

/// What the schedule asks the ledger.
#[derive(Clone, Debug)]
pub struct TrainingFacts {
    /// Up to when slots of the schedule have been decided, or when it was set.
    pub decided: Option<Timestamp>,
    /// When the last run that learns from labels began.
    pub last_begun: Option<Timestamp>,
    /// A run that the schedule began and that has not ended.
    pub open: Option<String>,
}

impl Ledger {
    /// A run is begun; again, it changes nothing, unless it had ended without a release: then it goes on.
    pub fn run_begun(&self, run: RunRow) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            db.execute(
                "INSERT INTO training_runs (name, begun_at, origin, data, knees, gold_knees, fits, plan, of_labels) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                 ON CONFLICT DO UPDATE SET ended_at = NULL, outcome = NULL, reasons = NULL WHERE release IS NULL",
                params![
                    run.name,
                    run.begun_at,
                    run.origin,
                    run.data,
                    run.knees as i64,
                    run.gold_knees as i64,
                    run.fits as i64,
                    run.plan,
                    run.of_labels
                ],
            )?;
            match &run.slot {
                Some((slot, schedule)) => decide(db, &super::timestamp(*slot), schedule, "begun"),
                None => Ok(()),
            }
        })
    }

    /// Whether a run or a release of this name was ever here.
    pub fn knows_run_or_release(&self, name: String) -> Result<bool, LedgerError> {
        self.write_blocking(move |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM training_runs WHERE name = ?1) OR EXISTS (SELECT 1 FROM releases WHERE name = ?1)";
            db.query_row(sql, [name], |row| row.get(0))
        })
    }

    /// A fit begins, or goes on after epochs that are over.
    pub fn fit_begun(&self, fit: FitRow, epochs: Vec<EpochRow>) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            db.execute(
                "INSERT INTO training_fits (run, network, fold, begun_at, state) VALUES (?1, ?2, ?3, ?4, 'fitting') \
                 ON CONFLICT DO UPDATE SET state = 'fitting', ended_at = NULL, reason = NULL",
                params![fit.run, fit.network, fit.fold as i64, now()],
            )?;
            enter(db, &fit, &epochs)
        })
    }

    /// An epoch is over.
    pub fn epoch_ended(&self, fit: FitRow, epoch: EpochRow) -> Result<(), LedgerError> {
        self.write_blocking(move |db| enter(db, &fit, &[epoch]))
    }

    /// A fit is over, with all of its epochs or the reason why it has failed. What is on record already stays.
    pub fn fit_ended(&self, fit: FitRow, outcome: Result<Vec<EpochRow>, String>) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            db.execute(
                "INSERT INTO training_fits (run, network, fold, begun_at, state) VALUES (?1, ?2, ?3, ?4, 'fitting') \
                 ON CONFLICT DO NOTHING",
                params![fit.run, fit.network, fit.fold as i64, now()],
            )?;
            let (state, failure) = match outcome {
                Ok(epochs) => {
                    enter(db, &fit, &epochs)?;
                    ("fitted", None)
                }
                Err(reason) => ("failed", Some(reason)),
            };
            db.execute(
                "UPDATE training_fits SET state = ?4, ended_at = ?5, reason = ?6 \
                 WHERE run = ?1 AND network = ?2 AND fold = ?3 AND state = 'fitting'",
                params![fit.run, fit.network, fit.fold as i64, state, now(), failure],
            )?;
            Ok(())
        })
    }

    /// A run has made a release, which takes the champion's place where it may: `promote` says why. It does not where another
    /// release than the champion is in service by now.
    pub fn run_ended(
        &self,
        run: String,
        release: ReleaseRow,
        champion: String,
        promote: Option<String>,
        reasons: String,
    ) -> Result<RunOutcome, LedgerError> {
        self.write_blocking(move |db| {
            know(db, &release)?;
            let in_service = Service::read(db)?.map(|service| service.sha256);
            let is_champion = in_service.is_none_or(|in_service| in_service == champion);
            let (outcome, reasons) = match &promote {
                Some(why) if is_champion => {
                    put(db, &release.sha256, &format!("kellgrend, run {run}"), why)?;
                    (RunOutcome::Promoted, reasons)
                }
                Some(_) => {
                    let others = "Another release is in service than the one that it was held against.";
                    (RunOutcome::Kept, format!("{reasons} {others}"))
                }
                None => (RunOutcome::Kept, reasons),
            };
            end(db, &run, outcome, Some(&release.name), &reasons)?;
            Ok(outcome)
        })
    }

    /// A run is over without a release; one that has a release by now stays as it ended.
    pub fn run_failed(&self, run: String, reason: String) -> Result<(), LedgerError> {
        self.write_blocking(move |db| end(db, &run, RunOutcome::Failed, None, &reason))
    }

    /// How many epochs of a run's fits are over.
    pub fn epochs_of(&self, run: String) -> Result<u64, LedgerError> {
        self.write_blocking(move |db| {
            let count = "SELECT count(*) FROM training_epochs WHERE run = ?1";
            db.query_row(count, [run], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
        })
    }

    /// Whether a run has made its release, and all is said of it.
    pub fn has_made_release(&self, run: String) -> Result<bool, LedgerError> {
        self.write_blocking(move |db| {
            let made = "SELECT release IS NOT NULL FROM training_runs WHERE name = ?1";
            Ok(db.query_row(made, [run], |row| row.get(0)).optional()?.unwrap_or(false))
        })
    }

    /// A schedule is in force, or none, which is empty; where another one was, nothing of this one was missed before now.
    pub fn schedule_set(&self, schedule: String) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            let last = "SELECT schedule FROM training_slots ORDER BY rowid DESC LIMIT 1";
            let last: Option<String> = db.query_row(last, [], |row| row.get(0)).optional()?;
            // where there never was one, none is nothing new; one that was set while the clock was ahead is set now
            let is_in_force = "SELECT EXISTS (SELECT 1 FROM training_slots WHERE schedule = ?1 AND slot <= ?2)";
            let is_in_force: bool = db.query_row(is_in_force, [&schedule, &now()], |row| row.get(0))?;
            let is_new = last.as_ref() != Some(&schedule) || !is_in_force;
            if is_new && !(last.is_none_or(|last| last.is_empty()) && schedule.is_empty()) {
                decide(db, &now(), &schedule, "the schedule was set")?;
            }
            Ok(())
        })
    }

    /// A slot of the schedule is decided.
    pub fn slot_decided(&self, slot: Timestamp, schedule: String, decision: String) -> Result<(), LedgerError> {
        self.write_blocking(move |db| decide(db, &super::timestamp(slot), &schedule, &decision))
    }

    /// Nothing comes of a slot of the schedule, for a reason.
    pub fn slot_failed(&self, slot: Timestamp, schedule: String, reason: &str) -> Result<(), LedgerError> {
        self.slot_decided(slot, schedule, format!("{FAILED}{reason}"))
    }

    /// How many labels there are to learn from that the last run did not know.
    pub fn unlearnt_labels(&self) -> Result<usize, LedgerError> {
        self.write_blocking(|db| {
            let count: i64 = db.query_row("SELECT count(*) FROM unlearnt_labels", [], |row| row.get(0))?;
            Ok(count as usize)
        })
    }

    /// What the schedule needs to know.
    pub fn training_facts(&self, schedule: String) -> Result<TrainingFacts, LedgerError> {
        self.write_blocking(move |db| {
            let time = |sql: &str, of: &[&dyn rusqlite::ToSql]| {
                let told: Option<String> = db.query_row(sql, of, |row| row.get(0)).optional()?.flatten();
                Ok::<_, rusqlite::Error>(told.and_then(|told| told.parse().ok()))
            };
            // where the clock was ahead once, nothing waits for what was noted then
            let now = now();
            let last_begun = "SELECT max(begun_at) FROM training_runs WHERE of_labels AND begun_at <= ?1";
            let open = "SELECT name FROM training_runs WHERE origin = 'schedule' AND ended_at IS NULL \
                        ORDER BY begun_at DESC LIMIT 1";
            Ok(TrainingFacts {
                decided: time(
                    "SELECT max(slot) FROM training_slots WHERE schedule = ?1 AND slot <= ?2",
                    &[&schedule, &now],
                )?,
                last_begun: time(last_begun, &[&now])?,
                open: db.query_row(open, [], |row| row.get(0)).optional()?,
            })
        })
    }
}

fn end(db: &Connection, run: &str, outcome: RunOutcome, release: Option<&str>, reasons: &str) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE training_runs SET ended_at = ?2, outcome = ?3, release = ?4, reasons = ?5 \
         WHERE name = ?1 AND release IS NULL",
        params![run, now(), outcome.as_str(), release, reasons],
    )?;
    Ok(())
}

/// Epochs of a fit, those that are not on record yet, or were gone through again, as after a kill before a checkpoint.
fn enter(db: &Connection, fit: &FitRow, epochs: &[EpochRow]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO training_epochs (run, network, fold, epoch, ended_at, seconds, rate, train_loss, loss, accuracy, \
         quadratic_kappa, is_best) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
         ON CONFLICT DO UPDATE SET ended_at = excluded.ended_at, seconds = excluded.seconds, rate = excluded.rate, \
         train_loss = excluded.train_loss, loss = excluded.loss, accuracy = excluded.accuracy, \
         quadratic_kappa = excluded.quadratic_kappa, is_best = excluded.is_best WHERE train_loss IS NOT excluded.train_loss",
    )?;
    for epoch in epochs {
        insert.execute(params![
            fit.run,
            fit.network,
            fit.fold as i64,
            epoch.epoch as i64,
            now(),
            epoch.seconds,
            epoch.rate,
            epoch.train_loss,
            epoch.loss,
            epoch.accuracy,
            epoch.quadratic_kappa,
            epoch.is_best
        ])?;
    }
    Ok(())
}

fn decide(db: &Connection, slot: &str, schedule: &str, decision: &str) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO training_slots (slot, schedule, decided_at, decision) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        params![slot, schedule, now(), decision],
    )?;
    Ok(())
}
