//! What a digest tells of a time, in numbers.

use crate::grade::GRADES;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

/// What came between two times, and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Radiographs whose results were published.
    pub published: u64,
    /// Files whose bytes had been graded before.
    pub duplicates: u64,
    /// Files that could not be graded, by the reason's word, the commonest first.
    pub quarantined: Vec<(String, u64)>,
    /// Claims that came to nothing.
    pub withdrawn: u64,
    /// Radiographs in work now.
    pub in_work: u64,
    /// Knees graded, by grade.
    pub grades: [u64; GRADES],
    /// Knees graded, by minute.
    pub minutes: Vec<(Timestamp, u64)>,
    /// Grades that a human should look at; none where no release says so.
    pub needs_review: Option<u64>,
    /// The mean share of the networks that agreed.
    pub agreement: Option<f64>,
    /// Ensemble and readers, by month and release.
    pub readers: Vec<Readers>,
    /// Labels that came.
    pub labels: u64,
    /// Trainings that ended.
    pub trainings: Vec<TrainingEnd>,
    /// The release in service.
    pub release: Option<String>,
}

/// A line of `report_agreement`.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Readers {
    pub month: String,
    pub release: String,
    pub knees: u64,
    pub accuracy: f64,
    pub quadratic_kappa: Option<f64>,
}

/// A line of `report_training`.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct TrainingEnd {
    pub name: String,
    pub outcome: String,
    pub reasons: String,
}

impl Figures {
    /// All of it, read through any connection; from `since`, exclusive, up to `until`.
    pub fn read(db: &Connection, since: Timestamp, until: Timestamp) -> rusqlite::Result<Self> {
        let (since, until) = (super::timestamp(since), super::timestamp(until));
        let of = params![since, until];
        let count = |sql: &str| db.query_row(sql, of, |row| natural(row, 0));
        let ended = |state: &str| {
            count(&format!(
                "SELECT count(*) FROM file_states t JOIN files f ON f.id = t.file AND f.state = t.state \
                 WHERE t.state = '{state}' AND t.at > ?1 AND t.at <= ?2"
            ))
        };
        let quarantined = "SELECT coalesce(f.reason_code, ''), count(*) FROM file_states t \
                           JOIN files f ON f.id = t.file AND f.state = t.state \
                           WHERE t.state = 'quarantined' AND t.at > ?1 AND t.at <= ?2 GROUP BY 1 ORDER BY 2 DESC, 1";
        let mut grades = [0; GRADES];
        let by_grade = "SELECT grade, count(*) FROM grades WHERE graded_at > ?1 AND graded_at <= ?2 GROUP BY 1";
        for (grade, knees) in rows(db, by_grade, of, |row| Ok((natural(row, 0)? as usize, natural(row, 1)?)))? {
            grades[grade] = knees;
        }
        let by_minute = "SELECT substr(graded_at, 1, 16) || ':00Z', count(*) FROM grades \
                         WHERE graded_at > ?1 AND graded_at <= ?2 GROUP BY 1 ORDER BY 1";
        let minutes = rows(db, by_minute, of, |row| Ok((row.get::<_, String>(0)?, natural(row, 1)?)))?;
        let trust = "SELECT sum(needs_review), avg(agreement) FROM grades WHERE graded_at > ?1 AND graded_at <= ?2";
        let (needs_review, agreement) = db
            .query_row(trust, of, |row| Ok((row.get::<_, Option<i64>>(0)?.map(|grades| grades as u64), row.get(1)?)))?;
        Ok(Self {
            published: ended("published")?,
            duplicates: ended("duplicate")?,
            quarantined: rows(db, quarantined, of, |row| Ok((row.get(0)?, natural(row, 1)?)))?,
            withdrawn: ended("withdrawn")?,
            in_work: db.query_row("SELECT count(*) FROM files WHERE state IN ('claimed', 'graded')", [], |row| {
                natural(row, 0)
            })?,
            grades,
            minutes: minutes.into_iter().filter_map(|(minute, knees)| Some((minute.parse().ok()?, knees))).collect(),
            needs_review,
            agreement,
            readers: rows(
                db,
                "SELECT month, release, knees, accuracy, quadratic_kappa FROM report_agreement \
                 WHERE month BETWEEN substr(?1, 1, 7) AND substr(?2, 1, 7)",
                of,
                |row| {
                    Ok(Readers {
                        month: row.get(0)?,
                        release: row.get(1)?,
                        knees: natural(row, 2)?,
                        accuracy: row.get(3)?,
                        quadratic_kappa: row.get(4)?,
                    })
                },
            )?,
            labels: count("SELECT count(*) FROM labels WHERE added_at > ?1 AND added_at <= ?2")?,
            trainings: rows(
                db,
                "SELECT name, outcome, coalesce(reasons, '') FROM report_training \
                 WHERE ended_at > ?1 AND ended_at <= ?2",
                of,
                |row| Ok(TrainingEnd { name: row.get(0)?, outcome: row.get(1)?, reasons: row.get(2)? }),
            )?,
            release: super::Service::read(db)?.map(|service| service.name),
        })
    }
}

/// A count.
fn natural(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| count as u64)
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    of: &[&dyn rusqlite::ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare(sql)?.query_map(of, read)?.collect()
}
