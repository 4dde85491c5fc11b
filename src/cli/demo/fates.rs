//! What became of the demo's films, read from the ledger.

use super::films::Film;
use crate::digest::Digest;
use crate::grade::KlGrade;
use crate::ledger::Ledger;
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A film's place in the list, and its fate, once it has one.
pub(super) type Fates = BTreeMap<usize, Fate>;

pub(super) struct Fate {
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) knees: Vec<Knee>,
}

pub(super) struct Knee {
    side: String,
    grade: KlGrade,
    certainty: f64,
    needs_review: bool,
    pub(super) picture: Option<String>,
}

/// The fates that are known so far. Two films of the same bytes have two rows, told apart by nothing but their order.
pub(super) fn read(ledger: &Path, films: &[Film]) -> anyhow::Result<Fates> {
    let db = Ledger::read(ledger)?;
    let mut met: HashMap<Digest, usize> = HashMap::new();
    let mut fates = Fates::new();
    for (i, film) in films.iter().enumerate() {
        let nth = met.entry(film.digest).or_default();
        if let Some(fate) = fate(&db, film.digest, *nth)? {
            fates.insert(i, fate);
        }
        *nth += 1;
    }
    Ok(fates)
}

fn fate(db: &Connection, digest: Digest, nth: usize) -> rusqlite::Result<Option<Fate>> {
    let mut files = db.prepare(
        "SELECT f.state, f.reason FROM files f JOIN radiographs r ON r.id = f.radiograph \
         WHERE r.sha256 = ?1 AND f.state IN ('published', 'duplicate', 'quarantined') \
         ORDER BY f.state <> 'published', f.id",
    )?;
    let files: Vec<(String, Option<String>)> =
        files.query_map([digest.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    // A file that was refused and comes again is the same row: the fate of both.
    let refused = files.last().filter(|(state, _)| state == "quarantined");
    let Some((state, reason)) = files.get(nth).or(refused).cloned() else { return Ok(None) };
    let mut knees = db.prepare(
        "SELECT side, grade, max(p0, p1, p2, p3, p4), picture, coalesce(needs_review, 0) FROM report_grades \
         WHERE sha256 = ?1 ORDER BY side DESC",
    )?;
    let knees = knees.query_map([digest.to_string()], |row| {
        let grade: u8 = row.get(1)?;
        Ok(Knee {
            side: row.get(0)?,
            grade: KlGrade::try_from(grade).unwrap_or(KlGrade::ALL[0]),
            certainty: row.get(2)?,
            picture: row.get(3)?,
            needs_review: row.get(4)?,
        })
    })?;
    let knees = if state == "published" { knees.collect::<Result<_, _>>()? } else { Vec::new() };
    Ok(Some(Fate { state, reason, knees }))
}

impl Fate {
    /// The lines of the table, one a knee.
    pub(super) fn rows(&self, name: &str) -> Vec<Vec<String>> {
        let row = |side: &str, grade: String, meaning: &str, certainty: String| {
            [name, &self.state, side, &grade, meaning, &certainty].map(str::to_owned).to_vec()
        };
        if self.knees.is_empty() {
            return vec![row("", String::new(), "", String::new())];
        }
        let of = |knee: &Knee| {
            let review = if knee.needs_review { "  (look at it)" } else { "" };
            let certainty = format!("{:.0} %{review}", 100.0 * knee.certainty);
            row(&knee.side, format!("KL {}", knee.grade), knee.grade.meaning(), certainty)
        };
        self.knees.iter().map(of).collect()
    }
}
