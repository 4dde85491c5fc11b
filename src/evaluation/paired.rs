//! Whether one grading is better than another of the same knees, or only luckier.

use super::bootstrap::draws;
use super::{Case, Confusion, Interval, calibration};
use crate::grade::GRADES;
use serde::Serialize;
use std::collections::BTreeSet;

/// What a challenger's scores are beside a champion's; none where a score has no value, or all knees are one patient's.
///
/// Both are measured on the same draws of patients: what makes a draw hard is hard for both, and does not hide which of
/// them is better. Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// How many patients the knees are of.
    pub patients: usize,
    /// Of the accuracy.
    pub accuracy: Option<Difference>,
    /// Of the macro F1, over the grades that the readers say: one that a grading alone says would be in its mean, and not in the other's.
    pub macro_f1: Option<Difference>,
    /// Of the quadratic kappa.
    pub quadratic_kappa: Option<Difference>,
    /// Of the recall, by grade.
    pub recall: [Option<Difference>; GRADES],
    /// Of the expected calibration error; here, less is better.
    pub calibration_error: Option<Difference>,
    /// Of the log loss; here, too, less is better. None where one of them is infinite.
    pub log_loss: Option<Difference>,
}

/// One score of both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The champion's.
    pub champion: f64,
    /// The challenger's.
    pub challenger: f64,
    /// The challenger's less the champion's.
    pub difference: f64,
    /// 95 % of the difference.
    pub interval: Interval,
}

/// One grading's scores.
struct Measured {
    confusion: Confusion,
    calibration_error: Option<f64>,
    log_loss: Option<f64>,
}

impl Comparison {
    /// Compares two gradings of the same knees in the same order. The same cases and seed make the same intervals.
    pub fn of(champion: &[Case], challenger: &[Case], seed: u64) -> Result<Self, String> {
        let of_one_knee = |(a, b): (&Case, &Case)| (a.patient, a.truth) == (b.patient, b.truth);
        if champion.len() != challenger.len() || !champion.iter().zip(challenger).all(of_one_knee) {
            return Err("the gradings to compare are not of the same knees in the same order".to_owned());
        }
        let all = [champion, challenger].map(Measured::of);
        let drawn: Vec<_> = draws(champion, seed)
            .map(|knees| {
                [champion, challenger].map(|cases| Measured::of(&knees.iter().map(|&k| cases[k]).collect::<Vec<_>>()))
            })
            .collect();
        let difference = |score: &dyn Fn(&Measured) -> Option<f64>| {
            let both = |[champion, challenger]: &[Measured; 2]| Some((score(champion)?, score(challenger)?));
            let (champion, challenger) = both(&all)?;
            let differences = drawn.iter().filter_map(both).map(|(champion, challenger)| challenger - champion);
            let interval = Interval::of(differences.collect())?;
            Some(Difference { champion, challenger, difference: challenger - champion, interval })
        };
        let patients: BTreeSet<usize> = champion.iter().map(|case| case.patient).collect();
        Ok(Self {
            patients: patients.len(),
            accuracy: difference(&|measured| measured.confusion.accuracy()),
            macro_f1: difference(&|measured| measured.confusion.macro_f1_of_truths()),
            quadratic_kappa: difference(&|measured| measured.confusion.quadratic_kappa()),
            recall: std::array::from_fn(|grade| difference(&|measured| measured.confusion.recall(grade))),
            calibration_error: difference(&|measured| measured.calibration_error),
            log_loss: difference(&|measured| measured.log_loss),
        })
    }
}

impl Measured {
    fn of(cases: &[Case]) -> Self {
        // neither the mean of nothing nor infinity can be subtracted
        let finite = |score: f64| score.is_finite().then_some(score);
        Self {
            confusion: Confusion::of(cases),
            calibration_error: finite(calibration::calibration_error(cases)),
            log_loss: finite(calibration::log_loss(cases)),
        }
    }
}
