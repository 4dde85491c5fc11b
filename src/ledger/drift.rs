//! What a release said in some weeks, for what tells whether that has changed.

use super::{Ledger, LedgerError, Service};
use crate::drift::{Drift, Sample, Span, Spans, TooSoon};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::{Path, PathBuf};

/// The release in service, and what it has said.
pub struct Said {
    /// The release.
    pub release: Service,
    /// The day on which it graded first since it was first put into service, UTC.
    pub first: Date,
    db: Connection,
    path: PathBuf,
}

/// What it said recently, held against what it said first.
pub struct Compared {
    /// Which days.
    pub spans: Spans,
    /// What it said first.
    pub reference: Sample,
    /// What it said recently.
    pub recent: Sample,
    /// How the two differ.
    pub drift: Drift,
}

impl Said {
    /// By the release in service; none where none is, or where it has not graded yet.
    pub fn in_service(ledger: &Path) -> Result<Option<Self>, LedgerError> {
        let wrong = LedgerError::sqlite(ledger);
        let db = Ledger::read(ledger)?;
        db.execute_batch("BEGIN").map_err(&wrong)?;
        let Some(release) = Service::read(&db).map_err(&wrong)? else { return Ok(None) };
        let first = "SELECT graded_at FROM grades WHERE release = ?1 \
                     AND graded_at >= (SELECT min(since) FROM service WHERE release = ?1) ORDER BY graded_at LIMIT 1";
        let first: Option<String> =
            db.query_row(first, [&release.sha256], |row| row.get(0)).optional().map_err(&wrong)?;
        let first = first.and_then(|first| first.get(..10)?.parse().ok());
        Ok(first.map(|first| Self { release, first, db, path: ledger.to_owned() }))
    }

    /// The last weeks before a day, held against the first ones; an error where it is too soon for that.
    pub fn compared(&self, today: Date) -> Result<Result<Compared, TooSoon>, LedgerError> {
        let spans = match Spans::of(self.first, today) {
            Ok(spans) => spans,
            Err(soon) => return Ok(Err(soon)),
        };
        let [reference, recent] = [self.in_days(spans.reference)?, self.in_days(spans.recent)?];
        let drift = Drift::of(&reference, &recent);
        Ok(Ok(Compared { spans, reference, recent, drift }))
    }

    /// What it said in these days, and what was refused while it was in service.
    fn in_days(&self, span: Span) -> Result<Sample, LedgerError> {
        self.sample(&span).map_err(LedgerError::sqlite(&self.path))
    }

    fn sample(&self, span: &Span) -> rusqlite::Result<Sample> {
        let of = params![self.release.sha256, span.from.to_string(), span.until.to_string()];
        let mut sample = Sample::default();
        let grades =
            "SELECT grade, entropy, agreement FROM grades WHERE graded_at >= ?2 AND graded_at < ?3 AND release = ?1";
        let mut grades = self.db.prepare(grades)?;
        let mut rows = grades.query(of)?;
        while let Some(row) = rows.next()? {
            sample.grades[usize::from(row.get::<_, u8>(0)?)] += 1;
            sample.entropies.extend(row.get::<_, Option<f64>>(1)?);
            sample.agreements.push(row.get(2)?);
        }
        let ends = "SELECT count(*) FILTER (WHERE state = 'published'), count(*) FILTER (WHERE state = 'quarantined') \
                    FROM release_ends WHERE day >= ?2 AND day < ?3 AND release = ?1";
        let (published, refused): (u32, u32) = self.db.query_row(ends, of, |row| Ok((row.get(0)?, row.get(1)?)))?;
        (sample.published, sample.refused) = (published.into(), refused.into());
        Ok(sample)
    }
}
