//! What was found: the fields of `--json`, and the same as tables.

use crate::card::words::counted;
use crate::cli::table::aligned;
use crate::dataset::Passed;
use crate::evaluation::{Case, Interval, Intervals, OfGrade, Scores};
use crate::grade::{GRADES, KlGrade};
use serde::Serialize;
use std::io::{self, Write};

/// Goes up when a field changes its meaning or goes.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The fields of `--json`, for its help.
pub(super) const FIELDS: &str = "\
Fields of --json:
  schema_version  1
  release         name, sha256, vote, and the missing: members that could not be loaded
  device          where the networks ran, and in which numbers
  patients        how many; the intervals draw patients, not knees
  learnt_from     how many of the knees are of patients that the release has learnt from, at least; null if nobody knows
  passed_over     of each file that was not judged: file, reason
  ensemble        SCORES
  members         of each network: name, and SCORES of its own vote
SCORES are knees, accuracy, macro_f1, quadratic_kappa, mean_absolute_error, log_loss, brier, calibration_error; grades (of
each: grade, knees, recall, precision, f1, roc_auc, average_precision); confusion (rows: the reader, columns: the answer);
and intervals (95 %: low, high) of accuracy, macro_f1 and quadratic_kappa. Null where there is nothing to measure.

Exit code 1 if a file was not judged.";

/// All that was found; the names of the fields are a public contract.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema_version: u32,
    release: ReleaseFacts,
    device: String,
    patients: usize,
    learnt_from: Option<usize>,
    passed_over: Vec<Passed>,
    ensemble: Measured,
    members: Vec<OfMember>,
}

/// The release that was judged.
#[derive(Debug, Serialize)]
pub(super) struct ReleaseFacts {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) vote: String,
    /// Members that could not be loaded and did not vote.
    pub(super) missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Measured {
    #[serde(flatten)]
    scores: Scores,
    intervals: Intervals,
}

#[derive(Debug, Serialize)]
struct OfMember {
    name: String,
    #[serde(flatten)]
    measured: Measured,
}

impl Measured {
    fn of(cases: &[Case], seed: u64) -> Self {
        Self { scores: Scores::of(cases), intervals: Intervals::of(cases, seed) }
    }
}

impl Report {
    /// `voters` say what they say of the knees of so many patients, the ensemble first.
    pub(super) fn new(
        release: ReleaseFacts,
        device: String,
        voters: &[(String, Vec<Case>)],
        patients: usize,
        learnt_from: Option<usize>,
        passed_over: Vec<Passed>,
        seed: u64,
    ) -> Self {
        let (ensemble, members) =
            voters.split_first().map_or((&[][..], &[][..]), |((_, cases), rest)| (&cases[..], rest));
        let members =
            members.iter().map(|(name, cases)| OfMember { name: name.clone(), measured: Measured::of(cases, seed) });
        Self {
            schema_version: SCHEMA_VERSION,
            release,
            device,
            patients,
            learnt_from,
            passed_over,
            ensemble: Measured::of(ensemble, seed),
            members: members.collect(),
        }
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Measured { scores, .. } = &self.ensemble;
        let ReleaseFacts { name, vote, missing, .. } = &self.release;
        writeln!(out, "release    {name}, {} ({vote})", counted(self.members.len() as u64, "network"))?;
        if !missing.is_empty() {
            writeln!(out, "missing    {}", missing.join(", "))?;
        }
        writeln!(out, "device     {}", self.device)?;
        let (knees, patients) = (counted(scores.knees, "knee"), counted(self.patients as u64, "patient"));
        writeln!(
            out,
            "judged     {knees} of {patients}; {} passed over\n",
            counted(self.passed_over.len() as u64, "file")
        )?;
        writeln!(out, "{}\n", self.voters())?;
        writeln!(out, "{}\n", grades(scores))?;
        writeln!(out, "{}\n", confusion(scores))?;
        let left = [
            ("off by, on average", scores.mean_absolute_error, "grades"),
            ("log loss", scores.log_loss, "nats"),
            ("Brier score", scores.brier, "of 2"),
            ("calibration error", scores.calibration_error, ""),
        ];
        let rows = left.map(|(name, value, unit)| [name.to_owned(), number(value), unit.to_owned()]);
        writeln!(out, "{}", aligned(&["PROBABILITIES", "VALUE", ""], rows))
    }

    /// The ensemble, and each of several networks.
    fn voters(&self) -> String {
        let row = |name: &str, Measured { scores, intervals }: &Measured| {
            let scores = [
                (scores.accuracy, intervals.accuracy),
                (scores.macro_f1, intervals.macro_f1),
                (scores.quadratic_kappa, intervals.quadratic_kappa),
            ];
            let cells = scores.into_iter().flat_map(|(value, interval)| [number(value), range(interval)]);
            std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
        };
        let mut rows = vec![row("ensemble", &self.ensemble)];
        if self.members.len() > 1 {
            rows.extend(self.members.iter().map(|member| row(&member.name, &member.measured)));
        }
        aligned(&["", "ACCURACY", "95 %", "MACRO F1", "95 %", "KAPPA", "95 %"], rows)
    }
}

fn grades(scores: &Scores) -> String {
    let row = |of: &OfGrade| {
        let shares = [of.recall, of.precision, of.f1, of.roc_auc, of.average_precision].map(number);
        [of.grade.to_string(), of.grade.meaning().to_owned(), of.knees.to_string()].into_iter().chain(shares)
    };
    let header = ["KL", "", "KNEES", "RECALL", "PRECISION", "F1", "ROC AUC", "AV. PRECISION"];
    aligned(&header, scores.grades.iter().map(row))
}

fn confusion(scores: &Scores) -> String {
    let mut header = vec!["READER".to_owned()];
    header.extend(KlGrade::ALL.map(|grade| format!("KL {grade}")));
    let rows = (0..GRADES).map(|truth| {
        let cells = scores.confusion.0[truth].map(|knees| knees.to_string());
        std::iter::once(format!("KL {truth}")).chain(cells)
    });
    aligned(&header, rows)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

fn range(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |Interval { low, high }| format!("{low:.3} to {high:.3}"))
}
