//! The ledger: SQLite, all durable state, and all SQL.
//!
//! One thread owns the writing connection; everybody else sends it closures and waits for the answer.
//! Readers (`report`, `status`, a user's sqlite3 shell) open their own connections: WAL lets them read
//! while the daemon writes.

pub mod audit;
mod backup;
mod drift;
mod figures;
mod files;
mod grades;
mod labels;
mod mails;
mod names;
mod open;
mod overview;
mod reading;
mod releases;
mod reports;
mod retention;
mod starts;
mod suspects;
mod training;
mod training_now;
mod wal;
mod writer;

pub use backup::{BackupError, Copied, back_up};
pub use drift::{Compared, Comparison, Said};
pub use figures::{Figures, Readers, TrainingEnd};
pub use files::{Arrival, FileId, OTHER_SIDE, Origin, Prior, Unfinished};
pub use grades::{GradedKnee, PictureRow, RadiographRow, Recorded, RecordedKnee, holds_pseudonyms};
pub use labels::{Added, LabelRow, Labelled, LabelledKnee};
pub use mails::{EndedTraining, LastMail, MailContent, MailDue, MailFacts, MailRow, mails_waiting};
pub use names::names_at;
pub use open::LedgerError;
pub use overview::Overview;
pub use reading::{Reading, Table, Window};
pub use releases::{ReleaseRow, Service, has_results_of_another};
pub use reports::{EXPORT, REPORTS, Report};
pub use retention::{Overdue, Overdues, Store, is_noted_between};
pub use starts::{StartId, StartRow};
pub use training::{EpochRow, FitRow, RunOutcome, RunRow, TrainingFacts};
pub use training_now::TrainingNow;
pub use writer::Ledger;

use names::names;

/// Now, as the ledger writes it: RFC 3339, UTC, milliseconds.
pub fn now() -> String {
    timestamp(jiff::Timestamp::now())
}

/// A time as the ledger writes it.
pub fn timestamp(time: jiff::Timestamp) -> String {
    format!("{time:.3}")
}
