//! What a release said in some weeks, and the word on whether that has changed.

mod words;

use super::{Ledger, LedgerError, Service};
use crate::drift::{Against, Drift, Sample, Span, Spans};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::{Path, PathBuf};

/// The release in service, and what it has said.
pub struct Said {
    /// The release.
    release: Service,
    /// The day on which it graded first since it was first put into service, UTC.
    first: Date,
    db: Connection,
    path: PathBuf,
}

/// What it said in the last weeks, held against what it said before.
pub struct Compared {
    /// The last weeks.
    pub days: Span,
    /// What it said in them.
    pub recent: Sample,
    /// What that is held against.
    pub against: Vec<Comparison>,
}

/// One of the things that it is held against.
pub struct Comparison {
    /// Which one.
    pub what: Against,
    /// Its days.
    pub days: Span,
    /// What was said in them.
    pub reference: Sample,
    /// How the last weeks differ from it.
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

    /// The last weeks before a day, held against the first ones and the months before; none where it is too soon for that.
    pub fn compared(&self, today: Date) -> Result<Option<Compared>, LedgerError> {
        let Some(Spans { recent: days, against }) = Spans::of(self.first, today) else { return Ok(None) };
        let recent = self.in_days(days)?;
        let against = against.into_iter().map(|(what, days)| {
            let reference = self.in_days(days)?;
            let drift = Drift::of(&reference, &recent);
            Ok(Comparison { what, days, reference, drift })
        });
        let against = against.collect::<Result<_, LedgerError>>()?;
        Ok(Some(Compared { days, recent, against }))
    }

    /// The day on which its drift was last put on record.
    fn judged_on(&self) -> Result<Option<String>, LedgerError> {
        let day = "SELECT max(recent_until) FROM drift WHERE release = ?1";
        self.db.query_row(day, [&self.release.sha256], |row| row.get(0)).map_err(LedgerError::sqlite(&self.path))
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
