//! `kellgrend report drift`

use crate::drift::{Drift, Finding, Sample, TOO_LITTLE, TooSoon};
use crate::ledger::{Compared, Comparison, Said, Table};
use anyhow::bail;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::path::Path;

/// What users call it.
pub(super) const NAME: &str = "drift";
/// What it shows.
pub(super) const ABOUT: &str =
    "whether the last four weeks differ from the first ones, or from the months before, by more than chance";
/// The columns that a terminal's width allows.
pub(super) const NARROW: &[&str] =
    &["what", "against", "reference", "recent", "p_adjusted", "size", "magnitude", "verdict"];

const COLUMNS: [&str; 16] = [
    "what",
    "against",
    "reference",
    "recent",
    "test",
    "statistic",
    "p",
    "p_adjusted",
    "size",
    "magnitude",
    "verdict",
    "release",
    "reference_days",
    "recent_days",
    "reference_knees",
    "recent_knees",
];

/// The four findings as of a day, against each thing that the last weeks are held against.
pub(super) fn read(ledger: &Path, today: Date) -> anyhow::Result<Table> {
    let Some(said) = Said::in_service(ledger)? else {
        bail!("no release in service has graded here yet, so that there is nothing to compare");
    };
    let name = &said.release.name;
    let Compared { days, recent, against } = match said.compared(today)? {
        Ok(compared) => compared,
        Err(TooSoon { from }) => {
            bail!(
                "{name} has graded here since {}, which is too short a time to compare; ask again on {from}",
                said.first
            );
        }
    };
    let knees = |sample: &Sample| json!(sample.grades.iter().sum::<u64>());
    type Told<'a> = &'a dyn Fn(&Sample) -> String;
    type Found = fn(&Drift) -> Option<Finding>;
    let row = |to: &Comparison, what: &str, test: &str, of: Told, found: Found| -> Vec<Value> {
        let finding = found(&to.drift);
        let number = |of: &dyn Fn(&Finding) -> f64| json!(finding.as_ref().map(of));
        let verdict = finding.map_or(TOO_LITTLE, |finding| finding.verdict());
        vec![
            json!(what),
            json!(to.what.to_string()),
            json!(of(&to.reference)),
            json!(of(&recent)),
            json!(test),
            number(&|finding| finding.difference.statistic),
            number(&|finding| finding.difference.p),
            number(&|finding| finding.adjusted),
            number(&|finding| finding.difference.size),
            json!(finding.map(|finding| finding.magnitude())),
            json!(verdict),
            json!(name),
            json!(to.days.to_string()),
            json!(days.to_string()),
            knees(&to.reference),
            knees(&recent),
        ]
    };
    let rows = against.iter().flat_map(|to| {
        [
            row(to, "grades 0/1/2/3/4", "chi-squared", &mix, |drift| drift.grades),
            row(to, "entropy", "Mann-Whitney", &|sample| mean(&sample.entropies, " bits"), |drift| drift.entropy),
            row(to, "agreement", "Mann-Whitney", &|sample| mean(&sample.agreements, ""), |drift| drift.agreement),
            row(to, "refusals", "chi-squared", &refusals, |drift| drift.refusals),
        ]
    });
    Ok(Table { columns: COLUMNS.map(str::to_owned).to_vec(), rows: rows.collect() })
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

fn refusals(sample: &Sample) -> String {
    match sample.published + sample.refused {
        0 => "-".to_owned(),
        all => format!("{:.1} % of {all}", 100.0 * sample.refused as f64 / all as f64),
    }
}
