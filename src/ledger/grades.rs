//! What was found on a radiograph: knees, grades, votes, pictures.

use super::files::{enter, stamp};
use super::{FileId, Ledger, LedgerError, StartId, names, names_at, now};
use crate::digest::Digest;
use crate::ensemble::Graded;
use crate::grade::{GRADES, KlGrade, Probabilities, Vote};
use crate::side::Side;
use rusqlite::{Connection, Row, params};

/// What a radiograph's tags say, as far as the identity setting lets the ledger keep it.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // the columns of the table `radiographs`
pub struct RadiographRow {
    pub format: String,
    pub coding: String,
    pub width: u32,
    pub height: u32,
    pub modality: Option<String>,
    pub body_part: Option<String>,
    pub view: Option<String>,
    pub study_uid: Option<String>,
    pub series_uid: Option<String>,
    pub instance_uid: Option<String>,
    pub study_date: Option<String>,
    pub spacing: Option<[f64; 2]>,
    pub identity: &'static str,
    pub patient: Option<String>,
    pub patient_name: Option<String>,
    pub patient_birth: Option<String>,
    pub patient_sex: Option<String>,
}

/// The ensemble's answer for one knee.
#[derive(Clone, Debug, PartialEq)]
pub struct GradedKnee {
    /// Its side.
    pub side: Side,
    /// The grade.
    pub grade: KlGrade,
    /// Mean probabilities.
    pub probabilities: Probabilities,
    /// Share of the members that voted for the grade.
    pub agreement: f32,
    /// Entropy of the mean probabilities in bits.
    pub entropy: f32,
    /// Whether a human should look at it; none where the release has no threshold.
    pub needs_review: Option<bool>,
    /// The members' votes.
    pub votes: Vec<Vote>,
    /// The members that could not vote.
    pub missing: Vec<String>,
}

impl GradedKnee {
    /// What the ensemble answered for the knee of a side.
    pub fn new(side: Side, graded: &Graded) -> Self {
        Self {
            side,
            grade: graded.grade,
            probabilities: graded.probabilities,
            agreement: graded.agreement,
            entropy: graded.entropy,
            needs_review: graded.needs_review,
            votes: graded.votes.clone(),
            missing: graded.missing.clone(),
        }
    }
}

/// A knee's grade as the ledger has it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedKnee {
    /// The id of its grade.
    pub grade_id: i64,
    /// The answer.
    pub knee: GradedKnee,
    /// When it was graded, RFC 3339.
    pub graded_at: String,
}

/// All knees of a radiograph that one release graded, from the picture's left.
pub type Recorded = Vec<RecordedKnee>;

/// A picture in the outbox.
#[derive(Clone, Debug)]
pub struct PictureRow {
    /// The grade it belongs to.
    pub grade_id: i64,
    /// `overlay` or `map`.
    pub kind: &'static str,
    /// Its path below the outbox.
    pub path: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size.
    pub bytes: usize,
}

impl Ledger {
    /// Put knees, grades and votes of a file on record, in one transaction. What the release has graded before
    /// stays as it was: the answer is what the ledger has then.
    pub async fn graded(
        &self,
        file: FileId,
        radiograph: RadiographRow,
        decoded_at: String,
        knees: Vec<GradedKnee>,
        release: Digest,
        start: StartId,
    ) -> Result<Recorded, LedgerError> {
        self.write(move |db| {
            let id: i64 = db.query_row("SELECT radiograph FROM files WHERE id = ?1", [file], |row| row.get(0))?;
            describe(db, id, &radiograph)?;
            forget_names(db, file, radiograph.identity)?;
            for (position, knee) in knees.iter().enumerate() {
                insert(db, id, (position, knees.len()), knee, release, start)?;
            }
            stamp(db, file, "decoded", &decoded_at)?;
            enter(db, file, "graded")?;
            recorded(db, id, release)
        })
        .await
    }

    /// Note that a file's results from this release are in the outbox.
    pub async fn published(&self, file: FileId, release: Digest, pictures: Vec<PictureRow>) -> Result<(), LedgerError> {
        self.write(move |db| {
            for picture in &pictures {
                db.execute(
                    "INSERT INTO pictures (grade_id, kind, path, sha256, bytes) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (grade_id, kind) DO UPDATE SET path = ?3, sha256 = ?4, bytes = ?5",
                    params![picture.grade_id, picture.kind, picture.path, picture.digest.bytes(), picture.bytes as i64],
                )?;
            }
            db.execute("UPDATE files SET release = ?2 WHERE id = ?1", params![file, release.to_string()])?;
            enter(db, file, "published")
        })
        .await
    }

    /// Whether pseudonyms were ever recorded.
    pub fn has_pseudonyms(&self) -> Result<bool, LedgerError> {
        self.write_blocking(holds_pseudonyms)
    }

    /// What a release answered for these bytes, if its results were published.
    pub async fn answer(&self, digest: Digest, release: Digest) -> Result<Option<Recorded>, LedgerError> {
        self.write(move |db| {
            let mut query = db.prepare_cached(
                "SELECT id FROM radiographs r WHERE sha256 = ?1 \
                 AND EXISTS (SELECT 1 FROM files f WHERE f.radiograph = r.id AND f.state = 'published' AND f.release = ?2)",
            )?;
            let known = params![digest.to_string(), release.to_string()];
            let Some(id) = query.query_map(known, |row| row.get(0))?.next().transpose()? else {
                return Ok(None);
            };
            let knees = recorded(db, id, release)?;
            Ok((!knees.is_empty()).then_some(knees))
        })
        .await
    }
}

/// What was kept of a file's name while the settings let it be, and is not to be kept any more. A keyed hash has 32 digits.
fn forget_names(db: &Connection, file: FileId, identity: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE files SET name = NULL, patient_by_name = CASE WHEN ?2 = 'pseudonym' AND length(patient_by_name) = 32 \
         AND patient_by_name NOT GLOB '*[^0-9a-f]*' THEN patient_by_name END WHERE id = ?1 AND ?2 <> 'plain'",
    )?
    .execute(params![file, identity])?;
    Ok(())
}

fn describe(db: &Connection, id: i64, row: &RadiographRow) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE radiographs SET format = ?2, coding = ?3, width = ?4, height = ?5, modality = ?6, body_part = ?7, \
         view = ?8, study_uid = ?9, series_uid = ?10, instance_uid = ?11, study_date = ?12, spacing_row_mm = ?13, \
         spacing_col_mm = ?14, identity = ?15, patient = ?16, patient_name = ?17, patient_birth = ?18, \
         patient_sex = ?19 WHERE id = ?1",
    )?
    .execute(params![
        id,
        row.format,
        row.coding,
        row.width,
        row.height,
        row.modality,
        row.body_part,
        row.view,
        row.study_uid,
        row.series_uid,
        row.instance_uid,
        row.study_date,
        row.spacing.map(|mm| mm[0]),
        row.spacing.map(|mm| mm[1]),
        row.identity,
        row.patient,
        row.patient_name,
        row.patient_birth,
        row.patient_sex
    ])?;
    Ok(())
}

fn insert(
    db: &Connection,
    radiograph: i64,
    (position, of): (usize, usize),
    knee: &GradedKnee,
    release: Digest,
    start: StartId,
) -> rusqlite::Result<()> {
    let position = position as i64;
    // A later version may read more of the tags, and a file may have been given another name: what is known now is what is said, unless
    // a reader has said something of the side that was known, or there were more knees then, or fewer.
    db.prepare_cached(
        "INSERT INTO knees (radiograph, position, side) VALUES (?1, ?2, ?3) ON CONFLICT (radiograph, position) \
         DO UPDATE SET side = excluded.side WHERE excluded.side NOT IN (side, 'unknown') \
            AND ?4 = (SELECT count(*) FROM knees WHERE radiograph = ?1) AND NOT EXISTS \
            (SELECT 1 FROM radiographs r JOIN labels l ON l.sha256 = r.sha256 WHERE r.id = ?1) AND NOT EXISTS \
            (SELECT 1 FROM radiographs r JOIN labels l ON l.instance_uid = r.instance_uid WHERE r.id = ?1)",
    )?
    .execute(params![radiograph, position, knee.side.as_str(), of as i64])?;
    let knee_id: i64 = db
        .prepare_cached("SELECT id FROM knees WHERE radiograph = ?1 AND position = ?2")?
        .query_row(params![radiograph, position], |row| row.get(0))?;
    let p = knee.probabilities.0;
    let new = db
        .prepare_cached(
            "INSERT INTO grades (knee, release, start, grade, p0, p1, p2, p3, p4, agreement, entropy, missing, \
             needs_review, graded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
             ON CONFLICT (knee, release) DO NOTHING",
        )?
        .execute(params![
            knee_id,
            release.to_string(),
            start,
            u8::from(knee.grade),
            p[0],
            p[1],
            p[2],
            p[3],
            p[4],
            knee.agreement,
            knee.entropy,
            names(&knee.missing),
            knee.needs_review,
            now()
        ])?;
    if new == 0 {
        return Ok(()); // graded before a crash: once is enough
    }
    let grade = db.last_insert_rowid();
    for (position, vote) in knee.votes.iter().enumerate() {
        let p = vote.probabilities.0;
        db.prepare_cached(
            "INSERT INTO votes (grade_id, position, member, grade, p0, p1, p2, p3, p4) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            grade,
            position as i64,
            vote.member,
            u8::from(vote.grade),
            p[0],
            p[1],
            p[2],
            p[3],
            p[4]
        ])?;
    }
    Ok(())
}

fn recorded(db: &Connection, radiograph: i64, release: Digest) -> rusqlite::Result<Recorded> {
    let mut knees = db.prepare_cached(
        "SELECT g.id, k.side, g.grade, g.p0, g.p1, g.p2, g.p3, g.p4, g.agreement, g.entropy, g.missing, g.graded_at, \
         g.needs_review \
         FROM knees k JOIN grades g ON g.knee = k.id WHERE k.radiograph = ?1 AND g.release = ?2 ORDER BY k.position",
    )?;
    let mut votes =
        db.prepare_cached("SELECT member, grade, p0, p1, p2, p3, p4 FROM votes WHERE grade_id = ?1 ORDER BY position")?;
    knees
        .query_map(params![radiograph, release.to_string()], |row| {
            let grade_id = row.get(0)?;
            let votes = votes
                .query_map([grade_id], |row| {
                    Ok(Vote { member: row.get(0)?, grade: grade_at(row, 1)?, probabilities: probabilities_at(row, 2)? })
                })?
                .collect::<rusqlite::Result<_>>()?;
            let knee = GradedKnee {
                side: row.get::<_, String>(1)?.parse().unwrap_or_default(),
                grade: grade_at(row, 2)?,
                probabilities: probabilities_at(row, 3)?,
                agreement: row.get(8)?,
                entropy: row.get(9)?,
                needs_review: row.get(12)?,
                votes,
                missing: names_at(row, 10)?,
            };
            Ok(RecordedKnee { grade_id, knee, graded_at: row.get(11)? })
        })?
        .collect()
}

pub(super) fn grade_at(row: &Row<'_>, column: usize) -> rusqlite::Result<KlGrade> {
    let value: u8 = row.get(column)?;
    KlGrade::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value.into()))
}

fn probabilities_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Probabilities> {
    let mut p = [0.0; GRADES];
    for (i, p) in p.iter_mut().enumerate() {
        *p = row.get(first + i)?;
    }
    Ok(Probabilities(p))
}

/// Whether patients are known by pseudonyms, of IDs or of names of files, read through any connection.
pub fn holds_pseudonyms(db: &Connection) -> rusqlite::Result<bool> {
    // the ledger of an earlier version has no names
    let has_names = db.prepare("SELECT patient_by_name FROM files").is_ok();
    let named = if has_names {
        "SELECT 1 FROM files WHERE radiograph = r.id AND patient_by_name IS NOT NULL"
    } else {
        "SELECT 1 WHERE 0"
    };
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM radiographs r WHERE identity = 'pseudonym' AND (patient IS NOT NULL OR EXISTS ({named})))"
    );
    db.query_row(&sql, [], |row| row.get(0))
}
