//! Readers' grades.

use super::files::digest_at;
use super::grades::grade_at;
use super::{Ledger, LedgerError, now};
use crate::digest::Digest;
use crate::grade::KlGrade;
use crate::side::Side;
use rusqlite::{Row, params};
use std::path::Path;

/// Which radiograph a label is of; it may not have come yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labelled {
    /// The SHA-256 of its bytes.
    Digest(Digest),
    /// Its DICOM SOP Instance UID.
    InstanceUid(String),
}

/// What a reader says of a knee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRow {
    /// The radiograph.
    pub radiograph: Labelled,
    /// Which of its knees; unknown for its only one.
    pub side: Side,
    /// The reader's grade.
    pub grade: KlGrade,
    /// Who says so; not empty.
    pub reader: String,
    /// When, a date or a time; none where nothing tells.
    pub read_at: Option<String>,
    /// Whether it stands for all readers of the knee.
    pub settles: bool,
}

/// What became of labels that were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// Those that are new.
    pub new: usize,
    /// Those that were on record already.
    pub known: usize,
}

/// A graded knee of which its readers say one grade.
#[derive(Clone, Debug)]
pub struct LabelledKnee {
    /// SHA-256 of the radiograph's bytes.
    pub radiograph: Digest,
    /// Which knee on it, from the picture's left.
    pub position: usize,
    /// What the readers say.
    pub grade: KlGrade,
    /// What the name of its file said of the patient, as it was kept.
    pub patient_by_name: Option<String>,
}

impl LabelledKnee {
    /// All of them, in the order in which the radiographs came.
    pub fn all(ledger: &Path) -> Result<Vec<Self>, LedgerError> {
        let wrong = LedgerError::sqlite(ledger);
        let db = Ledger::read(ledger)?;
        let mut query = db
            .prepare(
                "SELECT r.sha256, k.position, l.grade, (SELECT patient_by_name FROM files WHERE radiograph = r.id \
                 AND state <> 'duplicate' AND patient_by_name IS NOT NULL ORDER BY id LIMIT 1) FROM agreed_labels l \
                 JOIN knees k ON k.id = l.knee JOIN radiographs r ON r.id = k.radiograph ORDER BY r.id, k.position",
            )
            .map_err(&wrong)?;
        let knee = |row: &Row<'_>| {
            Ok(Self {
                radiograph: digest_at(row, 0)?,
                position: row.get::<_, i64>(1)? as usize,
                grade: grade_at(row, 2)?,
                patient_by_name: row.get(3)?,
            })
        };
        query.query_map([], knee).and_then(Iterator::collect).map_err(&wrong)
    }
}

impl Ledger {
    /// The radiographs whose SHA-256 begins with these hexadecimal digits; two at most, since two are too many.
    pub fn radiographs_beginning(&self, digits: String) -> Result<Vec<Digest>, LedgerError> {
        self.write_blocking(move |db| {
            // behind all that begin so, there is a letter that is no digit
            let mut query =
                db.prepare("SELECT sha256 FROM radiographs WHERE sha256 BETWEEN ?1 AND ?1 || 'g' LIMIT 2")?;
            query.query_map([digits], |row| digest_at(row, 0))?.collect()
        })
    }

    /// How many knees are labelled of which the graded radiograph shows none such: of a left knee on a film of the right one, say.
    pub fn labels_without_knee(&self) -> Result<usize, LedgerError> {
        self.write_blocking(|db| {
            let count = "SELECT count(*) FROM report_label_gaps WHERE lacks = 'knee'";
            db.query_row(count, [], |row| row.get::<_, i64>(0)).map(|count| count as usize)
        })
    }

    /// Adds labels, all or none; those on record already, also as an export of this ledger says them, change nothing. `origin` is
    /// the SHA-256 of the list that they come in, or says where else from.
    pub fn add_labels(&self, labels: Vec<LabelRow>, origin: String) -> Result<Added, LedgerError> {
        self.write_blocking(move |db| {
            let mut insert = db.prepare(
                "INSERT INTO labels (sha256, instance_uid, side, grade, reader, read_at, settles, origin, added_at) \
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (SELECT 1 FROM labels \
                 WHERE coalesce(sha256, instance_uid) = coalesce(?1, ?2) AND side = ?3 AND grade = ?4 AND reader = ?5 \
                 AND settles = ?7 AND read_at IS NULL AND added_at = ?6) ON CONFLICT DO NOTHING",
            )?;
            let (at, mut new) = (now(), 0);
            for LabelRow { radiograph, side, grade, reader, read_at, settles } in &labels {
                let (sha256, uid) = match radiograph {
                    Labelled::Digest(digest) => (Some(digest.to_string()), None),
                    Labelled::InstanceUid(uid) => (None, Some(uid)),
                };
                let grade = u8::from(*grade);
                new +=
                    insert.execute(params![sha256, uid, side.as_str(), grade, reader, read_at, settles, origin, at])?;
            }
            Ok(Added { new, known: labels.len() - new })
        })
    }
}
