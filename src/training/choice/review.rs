//! How sure an answer must be to go without a human's look.

use crate::ensemble::release::MARKS_ALL;
use crate::evaluation::{Case, Confusion};
use serde::Serialize;

/// The line between knees that are left to the networks and those that are marked for a human.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Review {
    /// A knee is marked where the mean probability of its grade is below this.
    pub threshold: f32,
    /// The share that is not marked.
    pub coverage: f64,
    /// Of these, the share that is graded as the readers say.
    pub accuracy: Option<f64>,
    /// The same of those that are marked.
    pub accuracy_of_marked: Option<f64>,
}

impl Review {
    /// Marks this share of the cases, 0 to 1, those that are least sure; of knees that are equally sure all or none, so that
    /// it may be fewer.
    pub fn of(cases: &[Case], share: f64) -> Self {
        let mut sure: Vec<f32> = cases.iter().map(confidence).collect();
        sure.sort_unstable_by(f32::total_cmp);
        let threshold = match (share.clamp(0.0, 1.0) * sure.len() as f64).round() as usize {
            // none, however unsure; all, however sure
            0 => 0.0,
            marked => sure.get(marked).copied().unwrap_or(MARKS_ALL),
        };
        let (marked, left): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| confidence(case) < threshold);
        Self {
            threshold,
            coverage: left.len() as f64 / cases.len().max(1) as f64,
            accuracy: Confusion::of(left).accuracy(),
            accuracy_of_marked: Confusion::of(marked).accuracy(),
        }
    }
}

/// The mean probability of the grade that was given; where votes outnumber it, not the largest there is.
fn confidence(case: &Case) -> f32 {
    case.probabilities.0[case.grade.index()]
}
