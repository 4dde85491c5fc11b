//! The report_* views, read.

use super::{Ledger, LedgerError};
use rusqlite::types::ValueRef;
use serde_json::Value;
use std::path::Path;

/// A public view of the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// What users call it; the view is `report_` and this.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// The columns that a terminal's width allows; all are in the view.
    pub narrow: &'static [&'static str],
}

/// All public views.
pub const REPORTS: [Report; 15] = [
    Report {
        name: "grades",
        about: "every grade, newest first, with all that made it",
        narrow: &[
            "graded_at",
            "sha256",
            "side",
            "grade",
            "agreement",
            "p0",
            "p1",
            "p2",
            "p3",
            "p4",
            "release",
            "picture",
            "missing",
            "needs_review",
        ],
    },
    Report {
        name: "votes",
        about: "every member's vote, newest grade first",
        narrow: &[
            "graded_at",
            "sha256",
            "side",
            "member",
            "grade",
            "p0",
            "p1",
            "p2",
            "p3",
            "p4",
            "ensemble_grade",
            "release",
        ],
    },
    Report {
        name: "daily",
        about: "a line a day: what came and what became of it",
        narrow: &[
            "day",
            "published",
            "duplicates",
            "quarantined",
            "in_work",
            "knees",
            "kl0",
            "kl1",
            "kl2",
            "kl3",
            "kl4",
            "mean_agreement",
        ],
    },
    Report {
        name: "refused",
        about: "every file that was not graded, and why, newest first",
        narrow: &["at", "sha256", "state", "reason_code", "reason", "name"],
    },
    Report {
        name: "releases",
        about: "every release that was in service or graded",
        narrow: &[
            "name",
            "sha256",
            "vote",
            "members",
            "put_in_service_at",
            "put_in_service_by",
            "why",
            "in_service",
            "knees",
        ],
    },
    Report {
        name: "service",
        about: "every change of the release in service, by whom and why",
        narrow: &["since", "release", "who", "why"],
    },
    Report {
        name: "review",
        about: "grades that a human should look at, least sure first",
        narrow: &["graded_at", "sha256", "side", "grade", "probability", "agreement", "release"],
    },
    Report {
        name: "training",
        about: "every run of training, and what came of it",
        narrow: &["name", "begun_at", "ended_at", "outcome", "knees", "gold_knees", "fits", "fitted", "failed"],
    },
    Report {
        name: "fits",
        about: "every network and fold of a run: state, loss, accuracy, kappa",
        narrow: &["run", "network", "fold", "state", "epochs", "loss", "accuracy", "quadratic_kappa", "reason"],
    },
    Report {
        name: "epochs",
        about: "learning curves: every epoch of every fit",
        narrow: &["run", "network", "fold", "epoch", "train_loss", "loss", "accuracy", "quadratic_kappa", "seconds"],
    },
    Report {
        name: "labels",
        about: "every reader's grade, newest first",
        narrow: &["added_at", "sha256", "instance_uid", "side", "grade", "reader", "read_at", "stands", "placed"],
    },
    Report {
        name: "label_conflicts",
        about: "knees whose readers contradict each other, the widest apart first",
        narrow: &["sha256", "instance_uid", "side", "lowest", "highest", "readers", "said"],
    },
    Report {
        name: "label_gaps",
        about: "knees that are labelled and not graded, and those that are graded and not labelled",
        narrow: &["lacks", "sha256", "instance_uid", "side", "grade", "since"],
    },
    Report {
        name: "agreement",
        about: "how far ensemble and readers agree, by month and release",
        narrow: &["month", "release", "knees", "accuracy", "quadratic_kappa", "mean_difference"],
    },
    Report {
        name: "mail",
        about: "every mail, newest first: what waits and what was sent",
        narrow: &["created_at", "kind", "state", "subject", "attempts", "sent_at", "next_attempt_at", "last_error"],
    },
];

/// All labels in the columns that a list of labels has; not for the eye.
pub const EXPORT: Report = Report { name: "label_list", about: "all labels, as a list of them", narrow: &[] };

/// Rows of a view, with its columns' names.
#[derive(Clone, Debug)]
pub struct Table {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows; a value is null, a number or a text.
    pub rows: Vec<Vec<Value>>,
}

impl Report {
    /// Read at most `limit` rows from the ledger at `path`.
    pub fn read(&self, path: &Path, limit: Option<u64>) -> Result<Table, LedgerError> {
        let wrong = LedgerError::sqlite(path);
        let connection = Ledger::read(path)?;
        // The name is one of ours, never a user's text.
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let mut query = connection.prepare(&format!("SELECT * FROM report_{} LIMIT ?1", self.name)).map_err(&wrong)?;
        let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
        let rows = query
            .query_map([limit], |row| (0..columns.len()).map(|i| Ok(json(row.get_ref(i)?))).collect())
            .and_then(Iterator::collect)
            .map_err(&wrong)?;
        Ok(Table { columns, rows })
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
