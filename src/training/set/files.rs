//! The two tables of a training set: what it is, and where the files are.

use super::{Knee, Place, TrainingSet};
use crate::digest::Digest;
use crate::grade::KlGrade;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;

/// The manifest: what defines the set, without a name or a path.
pub const KNEES: &str = "knees.csv";

/// Where the radiographs are.
pub const FILES: &str = "files.csv";

/// What the manifest calls the gold set in the column of folds.
const GOLD: &str = "gold";

/// A line of the manifest.
#[derive(Serialize, Deserialize)]
struct Row {
    /// Of the radiograph's bytes.
    sha256: Digest,
    /// Which knee of it, from the picture's left; empty for its only one.
    knee: Option<usize>,
    grade: KlGrade,
    /// A letter and a running number.
    patient: String,
    /// From 1, or `gold`.
    fold: String,
}

#[derive(Serialize, Deserialize)]
struct FileRow {
    sha256: Digest,
    path: PathBuf,
    /// What the installation calls the patient; runs before this column was there do not say.
    #[serde(default)]
    patient: Option<String>,
}

/// The bytes of both tables.
pub struct Tables {
    /// The manifest.
    pub knees: Vec<u8>,
    /// The list of files.
    pub files: Vec<u8>,
}

impl TrainingSet {
    /// Both tables, as they are frozen.
    pub fn to_csv(&self) -> Result<Tables, csv::Error> {
        let rows = self.knees.iter().map(|knee| Row {
            sha256: knee.radiograph,
            knee: knee.position,
            grade: knee.grade,
            patient: knee.patient.clone(),
            fold: match knee.place {
                Place::Gold => GOLD.to_owned(),
                Place::Fold(fold) => (fold + 1).to_string(),
            },
        });
        let files = self.knees.iter().map(|knee| FileRow {
            sha256: knee.radiograph,
            path: knee.path.clone(),
            patient: knee.kept.clone(),
        });
        Ok(Tables { knees: table(rows)?, files: table(files)? })
    }

    /// The same read back.
    pub fn from_csv(knees: &[u8], files: &[u8]) -> Result<Self, String> {
        let files: Vec<FileRow> = rows(files)?;
        let files: HashMap<_, _> = files.into_iter().map(|file| (file.sha256, (file.path, file.patient))).collect();
        let knee = |row: Row| {
            let fold = row.fold.parse::<usize>().ok().and_then(|fold| fold.checked_sub(1));
            let place = match (row.fold.as_str(), fold) {
                (GOLD, _) => Place::Gold,
                (_, Some(fold)) => Place::Fold(fold),
                (word, None) => return Err(format!("{word:?} is neither a fold nor {GOLD}")),
            };
            let (path, kept) = files.get(&row.sha256).ok_or_else(|| format!("{FILES} has no {}", row.sha256))?;
            let (radiograph, position, grade) = (row.sha256, row.knee, row.grade);
            let (path, kept) = (path.clone(), kept.clone());
            Ok(Knee { radiograph, position, grade, patient: row.patient, kept, place, path })
        };
        Ok(Self { knees: rows(knees)?.into_iter().map(knee).collect::<Result<_, String>>()? })
    }
}

fn table<R: Serialize>(rows: impl Iterator<Item = R>) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.serialize(row)?;
    }
    table.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

fn rows<R: for<'de> Deserialize<'de>>(table: &[u8]) -> Result<Vec<R>, String> {
    csv::Reader::from_reader(table).deserialize().collect::<Result<_, _>>().map_err(|error| error.to_string())
}
