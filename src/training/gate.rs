//! Whether a challenger takes the champion's place: it must be better beyond chance, and worse at no grade.

use crate::evaluation::{Comparison, Confusion, Difference};
use crate::grade::KlGrade;
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt};

/// What rounding may add to a fall that is just allowed.
const ROUNDING: f64 = 1e-9;

/// A score that gradings are ranked by; more is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateScore {
    /// The share that is graded as the readers say.
    Accuracy,
    /// The mean of F1 over the grades.
    MacroF1,
    /// Cohen's kappa with quadratic weights: a slip by two grades weighs four times one by a single grade.
    #[default]
    QuadraticKappa,
}

/// What is asked of a challenger.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// The score that must rise.
    pub score: GateScore,
    /// By how much more than this, with 95 % certainty. A negative margin also lets in a challenger that is not much worse:
    /// with -0.01, one that falls by less than 0.01.
    pub margin: f64,
    /// At least so many patients must be in the gold set: of a few, how far a score varies is not known well enough.
    pub patients: usize,
    /// How far any grade's recall may fall; a rare grade weighs little in a score, and much for its patients.
    pub recall_drop: f64,
}

/// The decision, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the challenger takes the champion's place.
    pub promoted: bool,
    /// Full sentences, for a radiologist.
    pub reasons: Vec<String>,
}

impl GateScore {
    /// Its value for counted knees; none where it has none.
    pub fn of(self, confusion: &Confusion) -> Option<f64> {
        match self {
            Self::Accuracy => confusion.accuracy(),
            Self::MacroF1 => confusion.macro_f1(),
            Self::QuadraticKappa => confusion.quadratic_kappa(),
        }
    }

    fn compared(self, comparison: &Comparison) -> Option<Difference> {
        match self {
            Self::Accuracy => comparison.accuracy,
            Self::MacroF1 => comparison.macro_f1,
            Self::QuadraticKappa => comparison.quadratic_kappa,
        }
    }
}

impl fmt::Display for GateScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Accuracy => "Accuracy",
            Self::MacroF1 => "Macro F1",
            Self::QuadraticKappa => "Quadratic kappa",
        })
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self { score: GateScore::default(), margin: 0.0, patients: 10, recall_drop: 0.05 }
    }
}

impl Gate {
    /// Decides on the gold knees.
    pub fn judge(&self, comparison: &Comparison) -> Verdict {
        let Some(score) = self.score.compared(comparison) else {
            let reason = match comparison.patients {
                0 => "There is no gold knee to compare the two on.".to_owned(),
                1 => "All gold knees are of one patient, and chance cannot be told from skill.".to_owned(),
                _ => format!("{} has no value: all gold knees are of one grade.", self.score),
            };
            return Verdict { promoted: false, reasons: vec![reason] };
        };
        let are_enough = comparison.patients >= self.patients;
        let mut promoted = score.interval.low > self.margin && are_enough;
        let mut reasons = vec![self.of_score(&score)];
        if !are_enough {
            let Comparison { patients, .. } = comparison;
            reasons.push(format!("The gold set has {patients} patients, and {} are asked for.", self.patients));
        }
        for (grade, recall) in KlGrade::ALL.into_iter().zip(&comparison.recall) {
            let Some(Difference { champion, challenger, difference, .. }) = recall else {
                reasons.push(format!("No gold knee is of grade {grade}, so its recall is not compared."));
                continue;
            };
            let is_kept = -difference <= self.recall_drop + ROUNDING;
            if !is_kept {
                promoted = false;
                reasons.push(format!(
                    "Recall of grade {grade} falls from {champion:.3} to {challenger:.3}, more than the {:.3} that is allowed.",
                    self.recall_drop
                ));
            }
        }
        Verdict { promoted, reasons }
    }

    fn of_score(&self, Difference { champion, challenger, interval, .. }: &Difference) -> String {
        let moves = match challenger.total_cmp(champion) {
            Ordering::Greater => format!("rises from {champion:.3} to {challenger:.3}"),
            Ordering::Equal => format!("stays at {champion:.3}"),
            Ordering::Less => format!("falls from {champion:.3} to {challenger:.3}"),
        };
        let extent = |change: f64| format!("{:.3}", change.abs());
        let certain = if interval.low < 0.0 { "falls by no more than" } else { "rises by at least" };
        let (low, margin) = (extent(interval.low), extent(self.margin));
        let asked = if self.margin < 0.0 {
            format!("a fall of less than {margin} is allowed")
        } else {
            format!("a rise of more than {margin} is asked")
        };
        format!("{} {moves}; with 95 % certainty it {certain} {low}, and {asked}.", self.score)
    }
}
