//! All scores of some cases.

use super::{Case, Confusion, calibration, ranking::Ranking};
use crate::grade::{GRADES, KlGrade};
use serde::Serialize;

/// How good the answers are; null where there is nothing to measure it on.
#[derive(Clone, Debug, Serialize)]
pub struct Scores {
    /// Knees that were judged.
    pub knees: u64,
    /// The share that was answered as the reader says.
    pub accuracy: Option<f64>,
    /// The mean of F1 over the grades that somebody says.
    pub macro_f1: Option<f64>,
    /// Cohen's kappa with quadratic weights.
    pub quadratic_kappa: Option<f64>,
    /// How many grades the answers are off.
    pub mean_absolute_error: Option<f64>,
    /// -ln of the probability of the reader's grade, on average.
    pub log_loss: Option<f64>,
    /// The squared distance between probabilities and truth, on average.
    pub brier: Option<f64>,
    /// The expected calibration error.
    pub calibration_error: Option<f64>,
    /// Grade by grade.
    pub grades: [OfGrade; GRADES],
    /// Rows: the reader; columns: the answer.
    pub confusion: Confusion,
}

/// One grade against all others.
#[derive(Clone, Debug, Serialize)]
pub struct OfGrade {
    /// The grade.
    pub grade: KlGrade,
    /// Knees of which the reader says it.
    pub knees: u64,
    /// Of these, the share that was given it.
    pub recall: Option<f64>,
    /// Of those that were given it, the share that is of it.
    pub precision: Option<f64>,
    /// Their harmonic mean.
    pub f1: Option<f64>,
    /// The area under the receiver operating characteristic of its probability.
    pub roc_auc: Option<f64>,
    /// The area under its precision and recall.
    pub average_precision: Option<f64>,
}

impl Scores {
    /// Measures the cases.
    pub fn of(cases: &[Case]) -> Self {
        let confusion = Confusion::of(cases);
        let of_all = |measure: fn(&[Case]) -> f64| (!cases.is_empty()).then(|| measure(cases));
        Self {
            knees: confusion.knees(),
            accuracy: confusion.accuracy(),
            macro_f1: confusion.macro_f1(),
            quadratic_kappa: confusion.quadratic_kappa(),
            mean_absolute_error: confusion.mean_absolute_error(),
            log_loss: of_all(calibration::log_loss),
            brier: of_all(calibration::brier),
            calibration_error: of_all(calibration::calibration_error),
            grades: KlGrade::ALL.map(|grade| OfGrade::of(grade, cases, &confusion)),
            confusion,
        }
    }
}

impl OfGrade {
    fn of(grade: KlGrade, cases: &[Case], confusion: &Confusion) -> Self {
        let index = grade.index();
        let ranking = Ranking::of(grade, cases);
        Self {
            grade,
            knees: confusion.of_truth(index),
            recall: confusion.recall(index),
            precision: confusion.precision(index),
            f1: confusion.f1(index),
            roc_auc: ranking.as_ref().map(Ranking::roc_auc),
            average_precision: ranking.as_ref().map(Ranking::average_precision),
        }
    }
}
