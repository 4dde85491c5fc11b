//! How well the ensemble and its networks grade some knees.

use super::data::swatch;
use super::words::{count, kl, number, percent};
use super::{confusion, ranking, reliability, voters};
use crate::evaluation::{Case, Intervals, OfGrade, Scores};
use maud::{Markup, html};
use serde::Serialize;

/// Grades of some knees against their readers'.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// Which knees, such as "gold set, 412 knees".
    pub on: String,
    /// The ensemble, then its networks.
    pub voters: Vec<Voter>,
    /// The ensemble's answers, for the curves.
    #[serde(skip)]
    pub cases: Vec<Case>,
}

/// The ensemble or a network, and how well it grades.
#[derive(Clone, Debug, Serialize)]
pub struct Voter {
    /// Its name.
    pub name: String,
    /// Its scores.
    pub scores: Scores,
    /// How far they may be from what they would be on all patients.
    pub intervals: Intervals,
}

impl Results {
    /// The answers of several voters to the same knees, the ensemble's first; none where there are no knees. The same seed makes
    /// the same intervals.
    pub fn of(on: String, voters: Vec<(String, Vec<Case>)>, seed: u64) -> Option<Self> {
        let cases = voters.first().filter(|(_, cases)| !cases.is_empty())?.1.clone();
        let voter = |(name, cases): (String, Vec<Case>)| Voter {
            name,
            scores: Scores::of(&cases),
            intervals: Intervals::of(&cases, seed),
        };
        Some(Self { on, voters: voters.into_iter().map(voter).collect(), cases })
    }
}

/// Tables and plots of one set of knees; none where nobody has graded them.
pub(super) fn section(results: &Results) -> Option<Markup> {
    let Voter { scores, .. } = results.voters.first()?;
    Some(html! {
        (voters::accuracies(&results.voters))
        (voters::all_scores(&results.voters))
        h3 { "Grade by grade" }
        (grades(scores))
        div.plots {
            (confusion::figure(&scores.confusion))
            (reliability::figure(&results.cases, scores.calibration_error))
            (ranking::roc(&results.cases, scores))
            (ranking::precision_recall(&results.cases, scores))
        }
    })
}

/// What each grade's knees were given.
fn grades(scores: &Scores) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Scores by grade" {
            table {
                thead {
                    tr {
                        th scope="col" { "Grade" } th.n scope="col" { "Knees" } th.n scope="col" { "Recall" }
                        th.n scope="col" { "Precision" } th.n scope="col" { "F1" } th.n scope="col" { "ROC AUC" }
                        th.n scope="col" { "Average precision" }
                    }
                }
                tbody {
                    @for OfGrade { grade, knees, recall, precision, f1, roc_auc, average_precision } in &scores.grades {
                        tr {
                            th scope="row" { (swatch(*grade)) (kl(*grade)) " " span.quiet { (grade.meaning()) } }
                            td.n { (count(*knees)) } td.n { (percent(*recall)) } td.n { (percent(*precision)) }
                            td.n { (number(*f1)) } td.n { (number(*roc_auc)) } td.n { (number(*average_precision)) }
                        }
                    }
                }
            }
        }
        p.small {
            "Recall: of the knees that are of the grade, the share that was given it. Precision: of those that were \
             given it, the share that is of it."
        }
    }
}
