//! The rows of a report, as many as memory need not hold.

use super::{Ledger, LedgerError, Report};
use jiff::civil::Date;
use rusqlite::{Connection, params_from_iter, types::ValueRef};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Which rows of a report: those of these days, UTC. A week or a month is in it if its first day is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// The first day; none: from the beginning.
    pub since: Option<Date>,
    /// The day after the last one; none: to the end.
    pub until: Option<Date>,
}

/// A report being read: each time that it is gone through it has the same rows, whatever is written meanwhile.
pub struct Reading {
    /// The columns' names.
    pub columns: Vec<String>,
    sql: String,
    bounds: Vec<String>,
    db: Connection,
    path: PathBuf,
}

/// Rows of a view, with its columns' names.
#[derive(Clone, Debug)]
pub struct Table {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows; a value is null, a number or a text.
    pub rows: Vec<Vec<Value>>,
}

impl Report {
    /// Opens it, to read at most `limit` rows from the ledger at `path`.
    pub fn open(&self, path: &Path, window: Window, limit: Option<u64>) -> Result<Reading, LedgerError> {
        let wrong = LedgerError::sqlite(path);
        let db = Ledger::read(path)?;
        db.execute_batch("BEGIN").map_err(&wrong)?;
        let (mut conditions, mut bounds) = (Vec::new(), Vec::new());
        for (than, day) in [(">=", window.since), ("<", window.until)] {
            if let Some(day) = day {
                bounds.push(day.to_string());
                conditions.push(format!("{} {than} ?{}", self.time, bounds.len()));
            }
        }
        let only = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        // Names and columns are ours, never a user's text.
        let sql = format!("SELECT * FROM report_{} {only} LIMIT {limit}", self.name);
        let columns = db.prepare(&sql).map_err(&wrong)?.column_names().map(str::to_owned).collect();
        Ok(Reading { columns, sql, bounds, db, path: path.to_owned() })
    }

    /// All of these rows at once.
    pub fn read(&self, path: &Path, window: Window, limit: Option<u64>) -> Result<Table, LedgerError> {
        let reading = self.open(path, window, limit)?;
        let mut rows = Vec::new();
        reading.each(|row| {
            rows.push(row);
            Ok::<_, LedgerError>(())
        })?;
        Ok(Table { columns: reading.columns, rows })
    }
}

impl Reading {
    /// Goes through the rows; the first error ends it.
    pub fn each<E: From<LedgerError>>(&self, mut act: impl FnMut(Vec<Value>) -> Result<(), E>) -> Result<(), E> {
        let wrong = |error| E::from(LedgerError::sqlite(&self.path)(error));
        let mut query = self.db.prepare(&self.sql).map_err(wrong)?;
        let mut rows = query.query(params_from_iter(&self.bounds)).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let values = (0..self.columns.len()).map(|i| row.get_ref(i).map(json)).collect::<Result<_, _>>();
            act(values.map_err(wrong)?)?;
        }
        Ok(())
    }
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned().into(),
    }
}
