//! The last word on each release's drift, for `report_drift`.

use super::{Compared, Comparison, Said};
use crate::drift::{Drift, Finding, Sample, Span, TOO_LITTLE};
use crate::ledger::{Ledger, LedgerError};
use jiff::civil::Date;
use rusqlite::{Connection, params};

/// A line of the view.
struct Word {
    what: &'static str,
    against: String,
    reference: String,
    recent: String,
    test: &'static str,
    finding: Option<Finding>,
    spans: [Span; 2],
    knees: [i64; 2],
}

impl Ledger {
    /// Puts on record how the release in service spoke in the weeks until a day, held against what it said before. Where that is
    /// on record already, or it is too soon to compare, nothing is written.
    pub fn judge_drift(&self, today: Date) -> Result<(), LedgerError> {
        let Some(said) = Said::in_service(&self.path)? else { return Ok(()) };
        let release = said.release.sha256.clone();
        if said.judged_on()? == Some(today.to_string()) {
            return Ok(());
        }
        let Some(compared) = said.compared(today)? else { return Ok(()) };
        let words: Vec<_> = compared.against.iter().flat_map(|to| words(&compared, to)).collect();
        self.write_blocking(move |db| replace(db, &release, &words))
    }
}

fn replace(db: &Connection, release: &str, words: &[Word]) -> rusqlite::Result<()> {
    db.execute("DELETE FROM drift WHERE release = ?1", [release])?;
    let sql = "INSERT INTO drift (release, place, what, against, reference, recent, test, statistic, p, p_adjusted, size, \
               magnitude, verdict, reference_from, reference_until, recent_from, recent_until, reference_knees, recent_knees) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
    let mut insert = db.prepare(sql)?;
    for (place, word) in (0_i64..).zip(words) {
        let Word { what, against, reference, recent, test, finding, spans: [then, now], knees } = word;
        let difference = finding.map(|finding| finding.difference);
        insert.execute(params![
            release,
            place,
            what,
            against,
            reference,
            recent,
            test,
            difference.map(|difference| difference.statistic),
            difference.map(|difference| difference.p),
            finding.map(|finding| finding.adjusted),
            difference.map(|difference| difference.size),
            finding.map(|finding| finding.magnitude()),
            finding.map_or(TOO_LITTLE, |finding| finding.verdict()),
            then.from.to_string(),
            then.until.to_string(),
            now.from.to_string(),
            now.until.to_string(),
            knees[0],
            knees[1],
        ])?;
    }
    Ok(())
}

/// The four of one comparison.
fn words(Compared { days, recent, .. }: &Compared, to: &Comparison) -> [Word; 4] {
    type Told = fn(&Sample) -> String;
    let knees = [&to.reference, recent].map(|sample| sample.grades.iter().map(|&knees| knees as i64).sum());
    let word = |what, test, finding, told: Told| Word {
        what,
        against: to.what.to_string(),
        reference: told(&to.reference),
        recent: told(recent),
        test,
        finding,
        spans: [to.days, *days],
        knees,
    };
    let Drift { grades, entropy, agreement, refusals } = to.drift;
    [
        word("grades 0/1/2/3/4", "chi-squared", grades, mix),
        word("entropy", "Mann-Whitney", entropy, |sample| mean(&sample.entropies, " bits")),
        word("agreement", "Mann-Whitney", agreement, |sample| mean(&sample.agreements, "")),
        word("refusals", "chi-squared", refusals, refused),
    ]
}

fn mix(sample: &Sample) -> String {
    let all = sample.grades.iter().sum::<u64>().max(1) as f64;
    let shares = sample.grades.map(|knees| format!("{:.0}", 100.0 * knees as f64 / all));
    format!("{} %", shares.join("/"))
}

fn mean(of: &[f64], unit: &str) -> String {
    match of.len() {
        0 => "-".to_owned(),
        count => format!("{:.3}{unit}", of.iter().sum::<f64>() / count as f64),
    }
}

fn refused(sample: &Sample) -> String {
    match sample.published + sample.refused {
        0 => "-".to_owned(),
        all => format!("{:.1} % of {all}", 100.0 * sample.refused as f64 / all as f64),
    }
}
