//! Readers' grades.

use super::{Ledger, LedgerError, now};
use crate::digest::Digest;
use crate::grade::KlGrade;
use crate::side::Side;
use rusqlite::params;

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

impl Ledger {
    /// Adds labels, all or none. `origin` is the SHA-256 of the list that they come in, or says where else from.
    pub fn add_labels(&self, labels: Vec<LabelRow>, origin: String) -> Result<Added, LedgerError> {
        self.write_blocking(move |db| {
            let mut insert = db.prepare(
                "INSERT INTO labels (sha256, instance_uid, side, grade, reader, read_at, settles, origin, added_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
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
